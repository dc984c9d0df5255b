"""What happens to a roster once it is published: changes, illness, adherence, advice, demand from forecasts."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest

from centrala.workforce.errors import BadInput
from centrala.workforce.forecasting import forecast
from centrala.workforce.history import History
from centrala.workforce.roster import (
    Agent,
    Broken,
    Duty,
    Give,
    Move,
    Need,
    Planned,
    Problem,
    Roster,
    Rules,
    Seen,
    Shift,
    Stretch,
    Swap,
    TimeOff,
    adherence,
    advice,
    check,
    cost_of,
    cover_of,
    demand_of,
    effect,
    invented,
    repair,
    shrinkage,
    solve,
    would_break,
)
from centrala.workforce.roster.model import Break
from centrala.workforce.staffing import Target, staff
from centrala.workforce.varying import solve_day

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def house() -> tuple[Problem, Roster]:
    problem = invented(24, 2, 5, groups=2)
    roster = solve(problem, 2)
    assert check(problem, roster) == []
    return problem, roster


def free(problem: Problem, roster: Roster, agent: str) -> list[int]:
    return [day for day in range(problem.days) if day not in roster.of(agent)]


def test_a_change_breaks_what_the_checker_says_and_nothing_else(house: tuple[Problem, Roster]) -> None:
    problem, roster = house
    draw = np.random.default_rng(1)
    names = [one.name for one in problem.agents]
    seen: set[bool] = set()
    tried = 0
    for _ in range(70):
        one, other = (str(name) for name in draw.choice(names, 2, replace=False))
        day = int(draw.integers(problem.days))
        try:
            found = effect(problem, roster, Swap(one, day, other, day))
        except BadInput:
            continue
        tried += 1
        assert list(found.broken) == would_break(problem, roster, Swap(one, day, other, day))
        assert {str(b) for b in found.broken} == {str(b) for b in check(problem, found.duties)}
        now = sum(cost_of(found.problem, found.duties).values())
        assert found.cost == pytest.approx(now - roster.cost)
        assert np.allclose(found.cover, cover_of(problem, found.duties) - cover_of(problem, roster.duties))
        assert len(found.duties) == len(roster.duties)
        seen.add(not found.broken)
    assert tried > 10
    assert seen == {True, False}


def test_a_shift_given_away_and_time_off_are_felt_in_hours_and_cover(house: tuple[Problem, Roster]) -> None:
    problem, roster = house
    duty = roster.duties[0]
    gone = effect(problem, roster, Move(duty.agent, duty.day, None))
    assert {one.code for one in gone.broken} >= {"hours"} or problem.agents[0].hours < 24
    assert gone.cover.sum() == pytest.approx(
        -sum(part.end - part.begin for part in duty.work) / problem.minutes
    )
    off = effect(problem, roster, TimeOff(duty.agent, (duty.day,)))
    # Approved days count as what was planned: no hours are missing.
    assert "hours" not in {one.code for one in off.broken}
    taker = next(
        one.name for one in problem.agents[1:]
        if duty.day not in roster.of(one.name) and one.groups != problem.agents[0].groups
    )  # fmt: skip
    given = effect(problem, roster, Give(duty.agent, duty.day, taker))
    assert "group" not in {one.code for one in given.broken}
    with pytest.raises(BadInput, match="has no shift"):
        would_break(problem, roster, Give(duty.agent, free(problem, roster, duty.agent)[0], taker))
    with pytest.raises(BadInput, match="no agent"):
        would_break(problem, roster, TimeOff("nobody", (1,)))
    with pytest.raises(BadInput, match="day 99"):
        would_break(problem, roster, TimeOff(taker, (99,)))


def test_illness_is_repaired_without_a_rule_broken_and_little_is_changed(
    house: tuple[Problem, Roster],
) -> None:
    problem, roster = house
    ill = roster.duties[0].agent
    days = [day for day in sorted(roster.of(ill)) if day >= 7][:2]
    fixed = repair(problem, roster, {ill: days}, at=7, seconds=3)
    assert check(fixed.problem, fixed.duties) == []
    assert not any(one.agent == ill and one.day in days for one in fixed.duties)
    before = [one for one in roster.duties if one.day < 7]
    assert [one for one in fixed.duties if one.day < 7] == before
    # Changes pay for themselves: each is worth more than its price, counted together.
    assert fixed.cost + 6.0 * len(fixed.changed) <= fixed.untouched + 1e-6
    still = repair(problem, roster, {ill: days}, at=7, seconds=2, keep=1e4)
    assert still.changed == ()
    assert still.cost <= still.untouched + 1e-6
    eager = repair(problem, roster, {ill: days}, at=7, seconds=3, keep=0.0)
    assert eager.cost <= fixed.cost + 1.0
    with pytest.raises(BadInput, match="no agent"):
        repair(problem, roster, {"nobody": [1]}, at=0)


DUTY = Duty(
    "ann", 1, "day", 480, 960, ((600, 615), (720, 750)),
    (Stretch(480, 600, "a"), Stretch(615, 720, "b"), Stretch(750, 960, "a")),
)  # fmt: skip


def seen(begin: float, end: float, state: str = "ready", agent: str = "ann") -> Seen:
    return Seen(agent, 1440 + begin, 1440 + end, state)


def test_adherence_by_hand() -> None:
    found = adherence([DUTY], [
        seen(470, 485), seen(490, 600, "on_contact"), seen(600, 605, "wrap_up"), seen(605, 620, "not_ready:break"),
        seen(620, 720), seen(720, 760, "not_ready:lunch"), seen(760, 940), seen(940, 945, "resting"), seen(970, 980),
    ])["ann"]  # fmt: skip
    assert found.planned == 480
    assert found.planned_work == 435
    assert found.worked == 15 + 110 + 5 + 100 + 180 + 10
    assert found.missing == 5 + 5 + 10 + 20
    assert found.through_breaks == 5
    assert found.extra == 20
    assert found.within == 480 - 40 - 5
    assert found.out == 45
    assert found.late == 0
    assert found.early == 20
    assert found.conformance == pytest.approx(420 / 435)
    assert found.adherence == pytest.approx(435 / 480)


def test_adherence_of_the_day_so_far_grace_and_nobody() -> None:
    half = adherence([DUTY], [seen(480, 2000)], until=1440 + 700)["ann"]
    assert (half.planned, half.within, half.through_breaks) == (220, 205, 15)
    mild = adherence([DUTY], [seen(484, 600), seen(615, 720), seen(750, 960)], grace=5)["ann"]
    assert mild.adherence == 1
    assert mild.late == 4
    none = adherence([DUTY], [])["ann"]
    assert (none.within, none.absent, none.late) == (45, 1, 0)
    extra = adherence([], [seen(0, 60, agent="bob")])["bob"]
    assert extra.extra == 60
    assert np.isnan(extra.adherence)
    with pytest.raises(BadInput, match="at once"):
        adherence([DUTY], [seen(480, 500), seen(490, 510, "wrap_up")])
    with pytest.raises(BadInput, match="from minute"):
        adherence([DUTY], [seen(500, 480)])


def test_adherence_against_a_minute_by_minute_count() -> None:
    draw = np.random.default_rng(3)
    for _ in range(50):
        edges = np.sort(draw.choice(np.arange(400, 1100), 12, replace=False))
        states = [seen(a, b, str(draw.choice(["ready", "not_ready:x", "held"])))
                  for a, b in pairwise(edges)]  # fmt: skip
        work = np.zeros(1440, bool)
        for one in states:
            if one.state in ("ready", "held"):
                work[int(one.begin - 1440) : int(one.end - 1440)] = True
        plan = np.zeros(1440, bool)
        for part in DUTY.work:
            plan[part.begin : part.end] = True
        shift = slice(DUTY.start, DUTY.end)
        found = adherence([DUTY], states)["ann"]
        assert found.within == np.count_nonzero(work[shift] == plan[shift])
        assert found.worked == work.sum()
        assert found.missing == np.count_nonzero(plan & ~work)


def test_shrinkage_measured() -> None:
    problem = Problem(
        date(2026, 11, 30), 1, 15, ("a", "b"), np.ones((2, 672)),
        (Shift("day", 480, (480,), (Break(15, 120, 120), Break(30, 240, 240, paid=False))),),
        (Agent("ann", ("a", "b")), Agent("bob", ("a", "b"))), Rules(),
    )  # fmt: skip
    found = shrinkage(
        problem, [DUTY, replace(DUTY, agent="bob")], [seen(480, 600), seen(615, 720), seen(750, 900)]
    )
    assert found.paid == 900
    assert (found.breaks, found.absent, found.away) == (15, 450, 60)
    assert found.share == pytest.approx(525 / 900)
    at = Seen.of(
        problem, "ann", datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 9, tzinfo=UTC), "ready"
    )
    assert (at.begin, at.end) == (1440 + 480, 1440 + 540)


CALLS = np.array([60, 70, 80, 60, 50, 40, 30, 20.0])


def level(agents: np.ndarray) -> float:
    day = solve_day(CALLS, 1800, 240, agents, patience=180)
    return float((day.service_level("C") * CALLS).sum() / CALLS.sum())


def test_a_training_is_moved_or_cancelled_when_it_hurts() -> None:
    need = staff(CALLS * 2, 240, Target(0.8, 20), patience=180)
    short = np.asarray(need).copy()
    short[2:4] -= 4
    (first, *_) = advice(
        840, CALLS, short, handling=240, patience=180, planned=[Planned("training", 4, 900, 960)]
    )
    assert first.what in ("cancel", "move")
    assert "training" in first.text
    assert "15:00" in first.text
    after = short.copy()
    after[2:4] += 4
    assert first.before == pytest.approx(level(short))
    assert first.service_level > first.before
    if first.what == "cancel":
        assert first.service_level == pytest.approx(level(after))


def test_people_are_sent_home_only_as_far_as_the_target_holds() -> None:
    need = np.asarray(staff(CALLS * 2, 240, Target(0.8, 20), patience=180))
    (home,) = advice(840, CALLS, need + 3, handling=240, patience=180, may_leave=10)
    assert home.what == "send_home"
    assert home.service_level >= 0.8
    left = (need + 3).copy()
    left[(home.begin - 840) // 30 :] -= home.agents
    assert home.service_level == pytest.approx(level(left))
    assert home.hours == -home.agents * (1080 - home.begin) / 60
    assert advice(840, CALLS, need - 3, handling=240, patience=180, may_leave=5) == []
    (stay,) = advice(840, CALLS, need - 2, handling=240, patience=180, may_stay=3, stay_from=900)
    assert stay.what == "stay"
    assert stay.service_level > stay.before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"agents": [1.5] * 8}, "whole"),
        ({"agents": [5] * 3}, "same intervals"),
        ({"calls": [-1] * 8}, "0 or more"),
        ({"planned": [Planned("talk", 2, 845, 900)]}, "whole intervals"),
        ({"target": Target(None, max_abandon=0.1)}, "service level"),
    ],
)
def test_advice_refuses_what_it_cant_mean(given: dict[str, object], said: str) -> None:
    asked: dict[str, object] = {"calls": CALLS, "agents": [12] * 8, "handling": 240.0, **given}
    with pytest.raises(BadInput, match=said):
        advice(840, asked.pop("calls"), asked.pop("agents"), **asked)  # type: ignore[arg-type]


def test_demand_of_a_forecast_is_what_staffing_says_at_the_quantile() -> None:
    draw = np.random.default_rng(2)
    days = [date(2026, 10, 5 + i) if i < 27 else date(2026, 11, i - 26) for i in range(55)]
    table = draw.poisson(np.tile(40 + 20 * np.sin(np.arange(20) / 3), (55, 1)))
    past = History.of_days(days, table, begin="08:00", minutes=30)
    ahead = forecast(past, 3)
    first = ahead.days[0].astype(date)
    monday = date.fromordinal(first.toordinal() - first.weekday())
    names, need = demand_of(
        monday, 1, 15, {"sales": Need(ahead, 240, Target(0.8, 20), 180.0, shrinkage=0.1)}, quantile=0.75
    )
    assert names == ("sales",)
    assert need.shape == (1, 672)
    column = list(ahead.levels).index(0.75)
    expected = np.ceil(
        np.asarray(staff(ahead.quantiles[0, :, column] * 2, 240, Target(0.8, 20), patience=180)) / 0.9 - 1e-9
    )
    begin = (first - monday).days * 96 + 32
    assert need[0, begin : begin + 40].tolist() == np.repeat(expected, 2).tolist()
    assert not need[0, : begin - 1].any()
    with pytest.raises(BadInput, match="quantiles from"):
        demand_of(monday, 1, 15, {"sales": Need(ahead, 240)}, quantile=0.99)
    with pytest.raises(BadInput, match="no forecast has a day"):
        demand_of(date(2027, 6, 7), 1, 15, {"sales": Need(ahead, 240)})


def test_a_broken_rule_reads_as_a_sentence() -> None:
    assert str(Broken("rest", "ann: less than 11 h")) == "rest: ann: less than 11 h"
