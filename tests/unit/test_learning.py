"""Waits learned from the past: what became of estimates, a model of it, and who speaks when."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from math import inf, log, nan
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.learned import CLOCK, NODES, SEEN, Learned, Tree, foretold, wrong
from centrala.core.specs import AgentSpec, Announce, QueueSpec
from centrala.core.waits import expected, learns
from centrala.learning import Learning, LearningFailed
from centrala.learning.fitting import (
    LEAST_DAYS,
    LEAST_JUDGED,
    LEAST_WAITS,
    _grown,
    _medians,
    _Table,
    midnights,
    verdict,
)
from centrala.learning.job import Answer
from centrala.learning.reading import Asked, truths
from centrala.ledger import Batch, open_log
from centrala.ledger.codec import decode_body, encode_body
from centrala.settings import Tenant, parse

pytestmark = pytest.mark.unit

WARSAW = ZoneInfo("Europe/Warsaw")
MONDAY = datetime(2026, 11, 16, tzinfo=WARSAW).timestamp()
NOON = MONDAY + 12 * 3600.0
HOUR, WEEKDAY = len(SEEN), len(SEEN) + 1


def seen(formula: float = 60.0, ahead: float = 2.0, **more: float) -> tuple[float, ...]:
    known = {"formula": formula, "ahead": ahead, **more}
    return tuple(known.get(name, 0.0) for name in SEEN)


def tree(feature: int, threshold: float, below: float, above: float) -> Tree:
    """Asks one question, and never another."""
    half = (NODES + 1) // 2
    return Tree(
        (feature,) + (0,) * (NODES - 1),
        (threshold,) + (1e300,) * (NODES - 1),
        (below,) * half + (above,) * half,
    )


def model(*trees: Tree, **more: Any) -> Learned:
    days = (MONDAY, MONDAY + 86400.0, MONDAY + 2 * 86400.0)
    return replace(Learned(days, 0, trees, (60.0,), (3.0, 2.0), (1.5, 1.25)), **more)


# --- what a model says ---


def test_a_model_corrects_the_formula_by_what_it_asks() -> None:
    asks = model(
        tree(HOUR, 13.0, 0.0, log(2.0)), tree(1, 5.0, 0.0, log(3.0)), tree(WEEKDAY, 0.5, 0.0, log(1.5))
    )
    said = foretold(asks, seen(55.0), NOON)
    assert said is not None
    # 60 × 3 − 5 up to a median of 60 s, 60 × 1.5 − 5
    assert (said.median, said.high, said.mean) == pytest.approx((55.0, 175.0, 85.0))
    for known, at, times in (
        (seen(55.0), NOON + 3601.0, 2.0),
        (seen(55.0, 6.0), NOON, 3.0),
        (seen(55.0, 6.0), NOON + 3601.0, 6.0),
        (seen(55.0), NOON + 86400.0, 1.5),
    ):
        said = foretold(asks, known, at)
        assert said is not None
        assert said.median == pytest.approx(60.0 * times - 5.0)
        assert said.high == pytest.approx(60.0 * times * 2.0 - 5.0)


def test_a_model_is_silent_before_and_after_its_days_and_of_another_version() -> None:
    asks = model()
    assert foretold(asks, seen(), MONDAY) is not None
    assert foretold(asks, seen(), MONDAY - 1.0) is None
    assert foretold(asks, seen(), MONDAY + 2 * 86400.0) is None
    assert foretold(replace(asks, version=2), seen(), NOON) is None
    assert foretold(asks, seen()[1:], NOON) is None
    assert foretold(asks, seen(inf), NOON) is None
    assert foretold(asks, seen(nan), NOON) is None


def test_a_correction_has_bounds_and_no_wait_is_below_nothing() -> None:
    high = foretold(model(tree(1, 1e300, 500.0, 0.0)), seen(0.0), NOON)
    low = foretold(model(tree(1, 1e300, -500.0, 0.0)), seen(0.0), NOON)
    assert high is not None
    assert low is not None
    assert high.median == pytest.approx(5.0 * np.exp(3.0) - 5.0)
    assert low.median == low.mean == low.high == 0.0


@pytest.mark.parametrize(
    "broken",
    [
        {"days": (MONDAY,)},
        {"days": (MONDAY, MONDAY)},
        {"days": (MONDAY, inf)},
        {"weekday": 7},
        {"sizes": (60.0, 60.0), "high": (1.0,) * 3, "mean": (1.0,) * 3},
        {"high": (1.0,)},
        {"mean": (1.0, nan)},
        {"mean": (1.0, -1.0)},
        {"trees": (tree(13, 1.0, 0.0, 0.0),)},
        {"trees": (tree(-1, 1.0, 0.0, 0.0),)},
        {"trees": (tree(1, nan, 0.0, 0.0),)},
        {"trees": (tree(1, 1.0, inf, 0.0),)},
        {"trees": (Tree((1,), (1.0,), (0.0, 0.0)),)},
        {"trees": (tree(1, 1.0, 0.0, 0.0),) * 201},
    ],
)
def test_what_is_no_model_is_refused_and_changes_nothing(broken: dict[str, object]) -> None:
    bad = model(**broken)
    assert wrong(bad)
    assert wrong(model()) == wrong(model(tree(HOUR, 3.0, 0.1, 0.2))) == ""
    centre = house()
    events, commands = step(centre, f.WaitsLearned(NOON, "q", bad))
    assert [type(one) for one in events] == [e.Refused]
    assert not commands
    assert centre.queues["q"].learned is None


# --- in the core ---


def house(**announce: Any) -> Centre:
    """One agent, who has had twelve conversations of 100 s, and talks since noon; one waits."""
    centre = Centre()
    queue = QueueSpec("q", agents=("zoe",), wrap_up=0.0, announce=Announce(**announce))
    at = NOON - 1300.0
    for fact in (
        f.AgentChanged(at, AgentSpec("zoe", fixed_phone=True, always_ready=True)),
        f.QueueChanged(at, queue),
        f.NumberChanged(at, "1", f.configuration.Destination("queue", "q")),
    ):
        step(centre, fact)
    for number in range(13):
        name = f"c{number}"
        at = NOON - 1200.0 + number * 100.0
        for one in (f.ContactArrived(at, name, "1", name), f.Answered(at, name, f"{name}.1")):
            step(centre, one)
        if number < 12:
            step(centre, f.HungUp(at + 100.0, name))
    step(centre, f.ContactArrived(NOON, "w0", "1", "w0"))
    return centre


def come(centre: Centre, name: str, at: float, priority: int = 0) -> e.Queued:
    events, _ = step(centre, f.ContactArrived(at, name, "1", name, priority=priority))
    return next(one for one in events if isinstance(one, e.Queued))


def test_what_the_queue_knows_is_told_with_the_estimate() -> None:
    event = come(house(), "w1", NOON + 30.0, priority=2)
    known = dict(zip(SEEN, event.seen, strict=True))
    # Of priority 2 (two minutes' start), so before w0, who came half a minute ago and is behind now.
    assert known["ahead"] == 0.0
    assert known["behind"] == 1.0
    assert known["priority"] == 2.0
    assert known["agents"] == known["busy"] == 1.0
    assert known["head"] == 30.0
    assert known["handling"] == pytest.approx(100.0, rel=0.06)
    assert known["formula"] == pytest.approx(known["handling"] * (8 / 9) ** 3, abs=0.01)
    assert known["patience"] == pytest.approx(300.0, rel=0.05)


def test_the_core_goes_by_the_model_while_it_speaks() -> None:
    centre = house()
    before = come(centre, "w1", NOON + 10.0)
    step(centre, f.WaitsLearned(NOON + 11.0, "q", model(tree(HOUR, 13.0, log(3.0), 0.0))))
    place = centre.queues["q"].waiting[1]
    said = expected(centre, centre.queues["q"], place, NOON + 11.0)
    assert said is not None
    assert said.method == "learned"
    assert said.median == pytest.approx((said.seen[0] + 5.0) * 3.0 - 5.0)
    assert said.high is not None
    assert said.high > said.median
    assert said.seconds == pytest.approx((said.seen[0] + 5.0) * 3.0 * 1.25 - 5.0)
    # What is told: rounded up.
    events, _ = step(centre, f.TimerFired(NOON + 31.0, "announce:w1"))
    told = next(one for one in events if isinstance(one, e.Announced))
    assert told.seconds is not None
    assert 0 <= told.seconds - said.median < 60
    assert len(told.seen) == len(SEEN)
    # Too old.
    late = expected(centre, centre.queues["q"], place, MONDAY + 3 * 86400.0)
    assert late is not None
    assert late.method == "rates"
    assert late.median == pytest.approx(before.seen[0], rel=0.2)
    # Taken back.
    events, _ = step(centre, f.WaitsLearned(NOON + 50.0, "q", None))
    assert [type(one) for one in events] == [e.WaitsSet]
    assert centre.queues["q"].learned is None
    assert step(centre, f.WaitsLearned(NOON + 51.0, "q", None)) == ([], [])
    assert isinstance(step(centre, f.WaitsLearned(NOON + 51.0, "nowhere", None))[0][0], e.Refused)


@pytest.mark.parametrize("announce", [{"learned": False}, {"wait": False}])
def test_where_it_is_switched_off_the_formula_speaks(announce: dict[str, bool]) -> None:
    centre = house(**announce)
    step(centre, f.WaitsLearned(NOON + 1.0, "q", model(tree(HOUR, 13.0, 2.0, 0.0))))
    event = come(centre, "w1", NOON + 10.0)
    assert event.seen == ()
    assert event.estimate == pytest.approx(come(house(), "w1", NOON + 10.0).estimate)
    assert not learns(centre.queues["q"])


# --- what became of estimates ---


def test_truths_by_hand() -> None:
    def queued(at: float, name: str, ahead: float, rank: float | None = None, queue: str = "q") -> e.Queued:
        return e.Queued(at, name, queue, at, at if rank is None else rank, 60.0, seen(60.0, ahead))

    def rings(at: float, name: str, queue: str | None = "q") -> e.OfferMade:
        return e.OfferMade(at, name, f"{name}.1", "zoe", queue, at + 20.0, "")

    found = truths(
        [
            queued(0.0, "a", 0),
            queued(10.0, "b", 1),
            queued(20.0, "c", 2),
            e.Announced(40.0, "b", "b:1", 2, 60, seen(50.0, 1)),
            rings(50.0, "a"),
            e.ContactEnded(60.0, "b", "abandoned", "caller"),
            queued(61.0, "v", 0, rank=-100.0),  # goes before b would have
            rings(70.0, "v"),
            rings(80.0, "c"),
            # An offer that wasn't taken: they wait on, and that wait is over.
            rings(90.0, "c"),
            # Gave up, and then the line was empty.
            queued(100.0, "d", 0),
            e.ContactEnded(110.0, "d", "abandoned", "caller"),
            queued(200.0, "e", 0),
            rings(200.0, "e"),
            queued(210.0, "f", 0),
            rings(230.0, "f"),
            # Waits for one agent alone; rings by another queue; nothing was seen.
            queued(300.0, "g", 0),
            e.Reserved(301.0, "g", "zoe", 330.0, "last"),
            rings(310.0, "g"),
            queued(300.0, "h", 0),
            rings(320.0, "h", "other"),
            e.Queued(330.0, "i", "q", 330.0, 330.0, 60.0),
            rings(340.0, "i"),
        ]
    )  # fmt: skip
    assert [(one.at, one.wait, one.first, one.stayed) for one in found["q"]] == [
        (0.0, 50.0, True, True),
        (61.0, 9.0, True, True),
        (20.0, 60.0, True, True),
        (10.0, 70.0, True, False),
        (40.0, 40.0, False, False),
        (210.0, 20.0, True, True),
    ]
    assert list(found) == ["q"]


# --- learning ---


def past(
    days: int, each: int, factor: object, *, seed: int = 1, noise: float = 0.5, later: bool = False
) -> list[Asked]:
    """Waits that are `factor(hour, ahead)` times the formula, in the median."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(-days, 0):
        for _ in range(each):
            hour, ahead = rng.uniform(8, 18), float(rng.integers(0, 12))
            formula = 20.0 + 20.0 * ahead
            wait = (formula + 5.0) * factor(hour, ahead) * rng.lognormal(0.0, noise) - 5.0  # type: ignore[operator]
            at = MONDAY + day * 86400.0 + hour * 3600.0
            rows.append(Asked(at, seen(round(formula, 2), ahead), max(wait, 0.0), True))
            if later:
                told = formula if day >= -4 else max(wait, 0.0)
                rows.append(Asked(at + 1.0, seen(round(formula, 2), ahead), told, False))
    return rows


def test_what_the_formula_misses_is_learned() -> None:
    rows = past(16, 120, lambda hour, ahead: 2.5 if hour > 13 else 0.6)
    said = verdict(rows, WARSAW, NOON)
    assert said.model is not None, said.why
    assert (said.waits, said.days) == (16 * 120, 16)
    assert said.error is not None
    assert said.error_of_formula is not None
    assert said.covered is not None
    assert said.error < 0.75 * said.error_of_formula
    assert 0.84 < said.covered < 0.95
    for at, formula, times in ((NOON, 100.0, 0.6), (NOON + 4 * 3600, 100.0, 2.5), (NOON, 2000.0, 0.6)):
        found = foretold(said.model, seen(formula, 4.0), at)
        assert found is not None
        assert found.median == pytest.approx(formula * times, rel=0.25)
        # A lognormal of that spread: its 0.9 quantile and its mean.
        assert found.high / found.median == pytest.approx(np.exp(0.5 * 1.2816), rel=0.2)
        assert found.mean / found.median == pytest.approx(np.exp(0.125), rel=0.15)
    # What stands in the ledger says the same.
    assert wrong(said.model) == ""
    assert decode_body(encode_body(said.model), Learned) == said.model
    assert len(encode_body(said.model)) < 16_000
    # The same rows in another order, and again.
    assert verdict(rows, WARSAW, NOON).model == said.model


def test_where_the_formula_is_right_it_stays() -> None:
    for seed in range(5):
        said = verdict(past(12, 100, lambda hour, ahead: 1.0, seed=seed), WARSAW, NOON)
        assert said.model is None
        assert "formula" in said.why


def test_a_model_that_days_of_late_belie_is_not_used() -> None:
    """The hours in which it is slow have changed since."""
    old = past(12, 100, lambda hour, ahead: 2.5 if hour > 13 else 0.6)
    new = past(12, 100, lambda hour, ahead: 0.6 if hour > 13 else 2.5, seed=2)
    mixed = [one for one in old if one.at < MONDAY - 4 * 86400] + [
        one for one in new if one.at >= MONDAY - 4 * 86400
    ]
    said = verdict(mixed, WARSAW, NOON)
    assert said.model is None
    assert said.error is not None


def test_what_would_be_told_later_on_must_not_be_worse() -> None:
    said = verdict(past(16, 120, lambda hour, ahead: 2.5 if hour > 13 else 0.6, later=True), WARSAW, NOON)
    assert said.model is None
    assert "later" in said.why


def test_little_is_not_learned_from() -> None:
    def factor(hour: float, ahead: float) -> float:
        return 2.5

    assert verdict([], WARSAW, NOON).model is None
    few_days = verdict(past(LEAST_DAYS - 1, 500, factor), WARSAW, NOON)
    assert (few_days.model, few_days.days) == (None, LEAST_DAYS - 1)
    few = verdict(past(20, 10, factor), WARSAW, NOON)
    assert few.model is None
    assert f"{LEAST_WAITS} and {LEAST_JUDGED}" in few.why
    rows = past(16, 120, factor)
    broken = [replace(rows[0], wait=nan), replace(rows[0], seen=seen(inf)), replace(rows[0], wait=-1.0)]
    assert verdict(broken, WARSAW, NOON).model is None
    assert verdict([*rows, *broken], WARSAW, NOON).model == verdict(rows, WARSAW, NOON).model is not None
    # One value everywhere, and a target that never differs.
    same = [replace(one, seen=seen(50.0), wait=50.0) for one in rows]
    assert verdict(same, WARSAW, NOON).model is None


def test_the_core_reads_trees_as_they_were_learned() -> None:
    rows = past(10, 100, lambda hour, ahead: 2.0 if hour > 13 or ahead > 6 else 0.5)
    table = _Table(rows, WARSAW)
    trees = _grown(table, np.ones(len(rows), bool), 12)
    assert len(trees) == 12
    days = midnights(rows[0].at, rows[-1].at, WARSAW)
    core = Learned(
        tuple(days), datetime.fromtimestamp(days[0], WARSAW).weekday(), tuple(trees), (), (1.0,), (1.0,)
    )
    said = _medians(trees, table)
    for place in range(0, len(rows), 37):
        found = foretold(core, rows[place].seen, rows[place].at)
        assert found is not None
        assert found.median == pytest.approx(said[place], rel=1e-9)


def test_days_are_those_of_the_clock() -> None:
    spring = datetime(2026, 3, 28, 15, tzinfo=WARSAW).timestamp()
    found = midnights(spring, spring + 86400.0, WARSAW)
    assert [datetime.fromtimestamp(one, WARSAW).isoformat() for one in found] == [
        "2026-03-28T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
    ]
    assert len(CLOCK) == 2


# --- by the application ---


def write(data: Path, rows: list[Asked], queue: str = "q") -> None:
    """Their events, as the core would have told them."""
    with open_log(data) as ledger:
        told: list[tuple[float, e.Event]] = []
        for number, one in enumerate(rows):
            name = f"c{number}"
            told.append((one.at, e.Queued(one.at, name, queue, one.at, one.at, one.seen[0], one.seen)))
            over = one.at + one.wait
            told.append((over, e.OfferMade(over, name, f"{name}.1", "zoe", queue, over + 20.0, "")))
        batch = Batch()
        for at, event in sorted(told, key=lambda pair: pair[0]):
            batch.step(ledger, "acme", f.TimerFired(at, "x"), [event], [])
        ledger.append(batch)


def tenant() -> Tenant:
    text = "tenants: {acme: {domain: acme.example, timezone: Europe/Warsaw}}"
    return parse(text, Path("centre.yaml")).tenants["acme"]


class Counted(Learning):
    """Only notes when it would learn."""

    asked: ClassVar[list[float]] = []

    async def learn(self, tenant: str, queues: Iterable[str], timezone: str, now: float) -> list[Answer]:
        self.asked.append(now)
        return []


def test_the_job_learns_from_the_log_once_a_night(tmp_path: Path) -> None:
    write(tmp_path, past(12, 100, lambda hour, ahead: 2.5 if hour > 13 else 0.6))
    centre = house()

    async def nights() -> None:
        learning = Learning(tmp_path)
        facts = await learning.again(tenant(), centre, NOON)
        assert [(one.queue, one.model is not None) for one in facts] == [("q", True)]
        for fact in facts:
            assert [type(one) for one in step(centre, fact)[0]] == [e.WaitsSet]
        assert expected(centre, centre.queues["q"], (NOON + 1, 99, "x"), NOON + 1).method == "learned"  # type: ignore[union-attr]
        # Not again today, nor after a restart, nor before three the next night.
        learning, again = Counted(tmp_path, learning.tried), Counted(tmp_path)
        for one in (learning, again):
            for at in (NOON + 60.0, MONDAY + 86400.0 + 2 * 3600.0):
                assert await one.again(tenant(), centre, at) == []
        assert Counted.asked == []
        await learning.again(tenant(), centre, MONDAY + 86400.0 + 3 * 3600.0 + 1.0)
        assert len(Counted.asked) == 1
        # Switched off: what was learned is taken back.
        queue = replace(centre.queues["q"].spec, announce=Announce(learned=False))
        step(centre, f.QueueChanged(NOON + 70.0, queue))
        facts = await again.again(tenant(), centre, NOON + 80.0)
        assert [(one.queue, one.model) for one in facts] == [("q", None)]

    asyncio.run(nights())


def test_a_folder_without_a_ledger_is_told_in_a_sentence(tmp_path: Path) -> None:
    async def ask() -> None:
        with pytest.raises(LearningFailed, match="ledger"):
            await Learning(tmp_path / "nowhere").learn("acme", ["q"], "Europe/Warsaw", NOON)

    asyncio.run(ask())


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centrala.learning.job.LIMIT", 0.02)
    begin = asyncio.create_subprocess_exec
    begun: list[asyncio.subprocess.Process] = []

    async def noted(*arguments: Any, **more: Any) -> asyncio.subprocess.Process:
        begun.append(await begin(*arguments, **more))
        return begun[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)

    async def ask() -> None:
        with pytest.raises(LearningFailed, match="nothing was learned"):
            await Learning(tmp_path).learn("acme", ["q"], "Europe/Warsaw", NOON)

    asyncio.run(ask())
    assert [one.returncode is not None for one in begun] == [True]
