"""Rosters against brute force: every line of tiny agents, every roster of tiny houses; the checker against hand-made
mistakes."""

from dataclasses import replace
from datetime import date
from itertools import product

import numpy as np
import pytest

from centrala.workforce.errors import BadInput, NotModelled
from centrala.workforce.roster import (
    Agent,
    Break,
    Costs,
    Duty,
    NoRoster,
    Past,
    Problem,
    Roster,
    Rules,
    Shift,
    Stretch,
    check,
    collisions,
    cost_of,
    cover_of,
    invented,
    solve,
)

pytestmark = pytest.mark.unit

MONDAY = date(2026, 11, 30)
EARLY = Shift("early", 480, (360,), (Break(120, 120, 240),))
LATE = Shift("late", 480, (840,), (Break(120, 120, 240),))
HALF = Shift("half", 240, (480, 720))


def tiny(
    agents: tuple[Agent, ...], *, seed: int = 1, shifts: tuple[Shift, ...] = (EARLY, LATE), groups: tuple[str,
    ...] = ("a",),
    rules: Rules | None = None, high: int = 3,
) -> Problem:  # fmt: skip
    draw = np.random.default_rng(seed)
    demand = np.zeros((len(groups), 7, 12))
    demand[:, :, 3:11] = draw.integers(0, high, (len(groups), 7, 8))
    return Problem(
        MONDAY, 1, 120, groups, demand.reshape(len(groups), -1), shifts, agents,
        rules or Rules(most_days=3, weekend_every=0), Costs(wish=1.5, unpopular=0.7),
    )  # fmt: skip


def every_line(problem: Problem, agent: Agent) -> list[tuple[Duty, ...]]:
    """Each line that the checker lets pass, all of its work at the first group; breaks anywhere."""
    alone = replace(problem, agents=(agent,))
    ways: list[list[Duty | None]] = []
    for day in range(problem.days):
        found: list[Duty | None] = [None]
        for shift in problem.shifts:
            for start in shift.starts:
                places = [range(one.earliest, one.latest + 1, problem.minutes) for one in shift.breaks]
                for at in product(*places):
                    breaks = tuple(
                        (start + b, start + b + one.minutes) for b, one in zip(at, shift.breaks, strict=True)
                    )
                    edges = [start, *(x for pause in breaks for x in pause), start + shift.minutes]
                    work = tuple(
                        Stretch(begin, end, agent.groups[0])
                        for begin, end in zip(edges[::2], edges[1::2], strict=True)
                        if end > begin
                    )
                    found.append(
                        Duty(agent.name, day, shift.name, start, start + shift.minutes, breaks, work)
                    )
        # What a day forbids by itself needs no product.
        ways.append(
            [
                one for one in found
                if one is None or not {"absent", "availability", "not-allowed"} & {b.code for b in check(alone, [one])}
            ]
        )  # fmt: skip
    lines = []
    seen: dict[tuple[object, ...], bool] = {}
    for line in product(*ways):
        duties = tuple(one for one in line if one is not None)
        key = tuple((one.day, one.shift, one.start) for one in duties)
        if key not in seen:
            seen[key] = not check(alone, duties)
        if seen[key]:
            lines.append(duties)
    return lines


def least_cost(problem: Problem) -> float:
    """Over every roster, each interval's agents given to groups in the best way."""
    options = [every_line(problem, agent) for agent in problem.agents]
    if not all(options):
        return float("inf")
    costs, step = problem.costs, problem.minutes
    covers = []
    own = []
    for agent, lines in zip(problem.agents, options, strict=True):
        alone = replace(problem, agents=problem.agents)
        covers.append(np.array([cover_of(alone, line).sum(axis=0) for line in lines]))
        own.append(
            np.array(
                [
                    sum(v for key, v in cost_of(alone, line).items() if key not in ("short", "spare"))
                    for line in lines
                ]
            )
        )
        assert agent.groups

    def cover_cost(given: np.ndarray) -> np.ndarray:
        """Combinations x groups x intervals."""
        missing = np.maximum(0, problem.demand - given)
        deep = np.maximum(0, (1 - costs.deep) * problem.demand - given)
        spare = np.maximum(0, given - problem.demand)
        each = costs.short_hour * (missing - deep) + costs.deep_hour * deep + costs.spare_hour * spare
        return np.asarray(each.sum(axis=-2) * step / 60)

    rows = [problem.groups.index(agent.groups[0]) for agent in problem.agents]
    choices = [[problem.groups.index(one) for one in agent.groups] for agent in problem.agents]
    assert rows
    best = float("inf")
    first, *rest = range(len(options))
    for mine in range(len(options[first])):
        grids = np.meshgrid(*(np.arange(len(options[i])) for i in rest), indexing="ij") if rest else []
        picks = [grid.ravel() for grid in grids]
        count = picks[0].size if picks else 1
        total = np.full(count, own[first][mine])
        for i, pick in zip(rest, picks, strict=True):
            total += own[i][pick]
        cheapest = np.full((count, problem.demand.shape[1]), np.inf)
        for at in product(*choices):
            given = np.zeros((count, *problem.demand.shape))
            given[:, at[first]] += covers[first][mine]
            for i, pick in zip(rest, picks, strict=True):
                given[:, at[i]] += covers[i][pick]
            cheapest = np.minimum(cheapest, cover_cost(given))
        best = min(best, float((total + cheapest.sum(axis=1)).min()))
    return best


def in_time(problem: Problem, best: float) -> Roster:
    """A busy machine gets more time."""
    for seconds in (1.0, 5.0, 20.0):
        roster = solve(problem, seconds)
        if roster.cost <= best + 1e-6:
            break
    return roster


@pytest.mark.parametrize("seed", range(4))
def test_a_tiny_roster_costs_what_the_best_of_all_costs(seed: int) -> None:
    draw = np.random.default_rng(seed)
    agents = tuple(
        Agent(
            f"agent {i}", ("a",), 16, available=tuple((0, 2880) if draw.random() < 0.8 else None for _ in range(7)),
            wishes=frozenset({int(draw.integers(7))}), wage=1 + 0.1 * i, likes=(360, 1000) if i else None,
        )
        for i in range(2)
    )  # fmt: skip
    problem = tiny(agents, seed=seed)
    best = least_cost(problem)
    if best == float("inf"):
        with pytest.raises(NoRoster):
            solve(problem, 1)
        return
    roster = in_time(problem, best)
    assert check(problem, roster) == []
    assert roster.cost == pytest.approx(best, abs=1e-6)
    assert roster.bound <= best + 1e-6
    assert roster.bound > 0.5 * best


def test_groups_are_shared_interval_by_interval_as_is_best() -> None:
    agents = (Agent("one", ("a", "b"), 16, wage=1.2), Agent("two", ("b",), 8))
    problem = tiny(
        agents,
        seed=11,
        groups=("a", "b"),
        shifts=(EARLY, HALF),
        rules=Rules(most_days=2, tolerance=0),
        high=2,
    )
    best = least_cost(problem)
    roster = in_time(problem, best)
    assert check(problem, roster) == []
    assert roster.cost == pytest.approx(best, abs=1e-6)


def test_the_cost_is_the_sum_of_its_parts() -> None:
    problem = invented(12, 1, 3)
    roster = solve(problem, 1)
    assert roster.cost == pytest.approx(sum(cost_of(problem, roster.duties).values()))
    assert roster.bound <= roster.cost
    assert roster.constant <= roster.bound + 1e-6
    assert len(roster.rows(problem)) == len(roster.duties)


def line(*duties: tuple[int, str, int]) -> list[Duty]:
    shifts = {one.name: one for one in (EARLY, LATE)}
    found = []
    for day, name, start in duties:
        shift = shifts[name]
        pause = (start + 120, start + 240)
        work = (Stretch(start, start + 120, "a"), Stretch(start + 240, start + 480, "a"))
        found.append(Duty("one", day, name, start, start + shift.minutes, (pause,), work))
    return found


def codes(problem: Problem, duties: list[Duty]) -> set[str]:
    return {one.code for one in check(problem, duties)}


def test_the_checker_sees_each_rule_broken() -> None:
    problem = tiny((Agent("one", ("a",), 24, available=((0, 2880),) * 6 + (None,), absent=frozenset({5})),))
    due = replace(problem, rules=replace(problem.rules, tolerance=8))
    good = line((0, "early", 360), (1, "early", 360), (3, "early", 360))
    assert codes(due, good) == set()
    assert codes(due, line((0, "late", 840), (1, "early", 360), (3, "early", 360))) == {"rest"}
    assert "days-in-row" in codes(due, line(*((day, "early", 360) for day in range(4))))
    assert codes(due, good[:1]) == {"hours"}
    assert "absent" in codes(due, [*good, *line((5, "early", 360))])
    assert "availability" in codes(due, [*good, *line((6, "early", 360))])
    assert codes(due, [*good, good[0]]) == {"two-shifts"}
    assert "start" in codes(due, [replace(good[0], start=480, end=960), *good[1:]])
    assert "work" in codes(due, [replace(good[0], work=good[0].work[1:]), *good[1:]])
    assert "breaks" in codes(due, [replace(good[0], breaks=()), *good[1:]])
    assert "unknown-agent" in codes(due, [*good, replace(good[0], agent="nobody")])
    assert "unknown-shift" in codes(due, [*good[1:], replace(good[0], shift="night")])
    other = replace(good[0], work=(Stretch(360, 480, "b"), Stretch(600, 840, "a")))
    wide = replace(due, groups=("a", "b"), demand=np.vstack([due.demand, due.demand]))
    assert "group" in codes(wide, [other, *good[1:]])


def test_rest_of_the_week_and_weekends_are_seen() -> None:
    everyday = tuple((day, "early", 360) for day in range(7))
    problem = replace(
        tiny((Agent("one", ("a",), 48),)),
        rules=Rules(most_days=7, tolerance=20, weekly_rest=2100, weekend_every=2),
    )
    assert codes(problem, line(*everyday)) == {"weekly-rest"}
    assert codes(problem, line(*everyday[:6])) == set()
    before = replace(problem, agents=(replace(problem.agents[0], past=Past(weekends=1)),))
    assert codes(before, line(*everyday[:6])) == {"weekend"}
    # Late, a day off, early: 14 + 24 - 8 hours and no more.
    short = line(
        (0, "late", 840),
        (2, "early", 360),
        (3, "early", 360),
        (4, "early", 360),
        (5, "early", 360),
        (6, "early", 360),
    )
    assert codes(problem, short) == {"weekly-rest"}


def test_an_agent_who_was_at_work_yesterday_rests_first() -> None:
    tired = Agent("one", ("a",), 8, past=Past(days_in_row=3, ended=60), shifts=("early",))
    roster = solve(tiny((tired,), rules=Rules(most_days=3, tolerance=0)), 0.5)
    assert roster.duties[0].day > 0
    late = Agent("one", ("a",), 8, past=Past(days_in_row=1, ended=60), available=((0, 2880),) + (None,) * 6)
    with pytest.raises(NoRoster):
        solve(tiny((replace(late, shifts=("early",)),)), 0.5)
    assert solve(tiny((late,)), 0.5).duties[0].shift == "late"


def test_what_collides_is_said_and_is_the_smallest_set() -> None:
    stuck = Agent("one", ("a",), 48, available=((0, 2880),) * 7)
    problem = tiny((stuck, Agent("two", ("a",), 16)), rules=Rules(most_days=2, tolerance=0))
    with pytest.raises(NoRoster) as caught:
        solve(problem, 1)
    (one,) = caught.value.collisions
    assert one.agent == "one"
    # 48 h in shifts of 8 are six days; with two in a row at most there are five of seven.
    assert set(one.codes) == {"hours-least", "days-in-row"}
    for code in one.codes:
        assert f"[{code}]" in str(one)
    closed = Agent("one", ("a",), 16, available=(None,) * 7)
    (both,) = collisions(tiny((closed,)))
    assert set(both.codes) == {"hours-least", "availability"}
    assert both.week == 0
    odd = Agent("one", ("a",), 12)
    (hours,) = collisions(tiny((odd,), rules=Rules(tolerance=0)))
    assert set(hours.codes) == {"hours-least", "hours-most"}
    assert collisions(tiny((Agent("one", ("a",), 16),))) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"first": date(2026, 12, 1)}, "no Monday"),
        ({"weeks": 0}, "weeks"),
        ({"minutes": 7}, "divide"),
        ({"demand": np.full((1, 84), -1.0)}, "0 or more"),
        ({"demand": np.zeros((1, 3))}, "groups x intervals"),
        ({"demand": np.full((1, 84), np.nan)}, "number"),
        ({"agents": ()}, "nobody"),
        ({"shifts": ()}, "none to give"),
        ({"agents": (Agent("one", ("z",)),)}, "must be some of"),
        ({"agents": (Agent("one", ("a",)), Agent("one", ("a",)))}, "twice"),
        ({"agents": (Agent("one", ("a",), -1),)}, "0 or more"),
        ({"agents": (Agent("one", ("a",), available=((0, 600),) * 3),)}, "7 weekdays"),
        ({"agents": (Agent("one", ("a",), shifts=("night",)),)}, "no shift 'night'"),
        ({"agents": (Agent("one", ("a",), absent=frozenset({7})),)}, "day 7"),
        ({"agents": (Agent("one", ("a",), past=Past(days_in_row=1)),)}, "ended"),
        ({"shifts": (Shift("odd", 100, (0,)),)}, "whole intervals"),
        ({"shifts": (Shift("long", 480, (0,), (Break(120, 240, 480),)),)}, "after the shift"),
        ({"rules": Rules(rest=-1)}, "rest"),
        ({"costs": Costs(deep_hour=1.0)}, "cheaper"),
    ],
)
def test_bad_input_is_named(change: dict[str, object], said: str) -> None:
    problem = tiny((Agent("one", ("a",), 16),))
    with pytest.raises(BadInput, match=said):
        replace(problem, **change)  # type: ignore[arg-type]


def test_rests_beyond_two_days_are_refused_not_ignored() -> None:
    problem = tiny((Agent("one", ("a",), 16),))
    with pytest.raises(NotModelled):
        replace(problem, rules=Rules(weekly_rest=60 * 60))
    with pytest.raises(NotModelled):
        replace(problem, rules=Rules(rest=40 * 60))
