"""People over time by brute force and closed forms; who can do what by enumeration; trainings by every placement."""

import itertools
import math
import random
from datetime import date, timedelta

import numpy as np
import pytest

from centrala.workforce import BadInput, Unattainable, WorkforceError, queue
from centrala.workforce.coaching import Skill, SkillsMatrix, training_hours
from centrala.workforce.people import (
    Role,
    Training,
    plan_people,
    replacement_cost,
    steady_hires,
    survival,
)

pytestmark = pytest.mark.unit


def at(values: tuple[float, ...], tenure: int) -> float:
    return values[min(tenure, len(values) - 1)]


def course(role: Role, start: dict[int, float], hires: tuple[int, ...]) -> list[dict[int, float]]:
    """Heads by tenure in each period, written down person by person."""
    now, days = dict(start), []
    for hired in hires:
        now[0] = now.get(0, 0.0) + hired
        days.append(dict(now))
        now = {tenure + 1: heads * (1 - at(tuple(role.leaves), tenure)) for tenure, heads in now.items()}
    return days


def cost_of(
    role: Role, start: dict[int, float], hires: tuple[int, ...], demand: list[float], short: float
) -> float:
    total = 0.0
    for hired, there, wanted in zip(hires, course(role, start, hires), demand, strict=True):
        full = sum(
            heads * (0.0 if tenure < role.training else at(tuple(role.learning), tenure - role.training))
            for tenure, heads in there.items()
        )
        missing = max(0.0, wanted - full)
        if missing > 1e-9 and math.isinf(short):
            return math.inf
        gone = sum(heads * at(tuple(role.leaves), tenure) for tenure, heads in there.items())
        total += hired * role.hire_cost + sum(there.values()) * role.wage + gone * role.leaving_cost
        total += missing * short if missing > 1e-9 else 0.0
    return total


@pytest.mark.parametrize("seed", range(12))
def test_no_other_hires_are_cheaper(seed: int) -> None:
    r = random.Random(seed)
    periods = 4
    role = Role(
        "agent",
        {"calls": 1.0},
        wage=r.uniform(1, 3),
        hire_cost=r.uniform(0, 4),
        training=r.randint(0, 1),
        learning=tuple(sorted(r.uniform(0.3, 1) for _ in range(r.randint(1, 3)))),
        leaves=tuple(r.uniform(0, 0.3) for _ in range(r.randint(1, 3))),
        leaving_cost=r.uniform(0, 1),
        most_hires=6,
    )
    start = {r.randint(0, 1): r.uniform(1, 3), r.randint(2, 9): r.uniform(1, 3)}
    demand = [r.uniform(2, 7) for _ in range(periods)]
    short = r.uniform(3, 30)
    plan = plan_people([role], {"calls": demand}, heads={"agent": start}, short_cost=short, beyond=0)
    best = min(
        cost_of(role, start, hires, demand, short) for hires in itertools.product(range(7), repeat=periods)
    )
    assert plan.cost == pytest.approx(best, rel=2e-4)
    hires = tuple(plan.hires["agent"])
    assert cost_of(role, start, hires, demand, short) == pytest.approx(plan.cost, rel=1e-6)
    days = course(role, start, hires)
    assert plan.heads["agent"] == pytest.approx([sum(day.values()) for day in days])
    assert plan.bound <= best * (1 + 1e-9)
    assert plan.gap <= 1e-3


@pytest.mark.parametrize("seed", range(6))
def test_no_other_trainings_are_cheaper(seed: int) -> None:
    """Two roles; the second is reached by hiring or from the first."""
    r = random.Random(seed)
    stay, speed = 1 - r.uniform(0, 0.2), r.uniform(0.6, 1)
    first = Role("first", {"easy": 1.0}, wage=2.0, hire_cost=r.uniform(0, 2), leaves=(1 - stay,))
    second = Role(
        "second",
        {"hard": speed, "easy": 1.0},
        wage=3.0,
        hire_cost=r.uniform(4, 9),
        training=1,
        leaves=(1 - stay,),
    )
    by = Training("first", "second", 1, cost=r.uniform(0, 3), from_tenure=0)
    periods = 3
    easy = [r.uniform(1, 4) for _ in range(periods)]
    hard = [r.uniform(0, 3) for _ in range(periods)]
    start = {"first": {5: 4.0}, "second": {5: 1.0}}
    dear = 8.0

    def cost(hires: tuple[int, ...], more: tuple[int, ...], trained: tuple[int, ...]) -> float:
        a, b, new, learning, total = 4.0, 1.0, 0.0, 0.0, 0.0
        for t in range(periods):
            b, new = b + (new + learning) * stay, 0.0
            a, new, learning = a + hires[t] - trained[t], float(more[t]), float(trained[t])
            if a < -1e-9:
                return math.inf
            total += hires[t] * first.hire_cost + more[t] * second.hire_cost + trained[t] * by.cost
            total += 2 * a + 3 * (b + new + learning)
            # The able do the hard calls first or leave them: whichever misses less money.
            total += dear * min(
                max(0.0, easy[t] - a - (b - x)) + max(0.0, hard[t] - x * speed)
                for x in {0.0, b, min(b, hard[t] / speed), max(0.0, min(b, a + b - easy[t]))}
            )
            a, b = a * stay, b * stay
        return total

    plan = plan_people(
        [first, second], {"easy": easy, "hard": hard}, heads=start, short_cost=dear, trainings=[by], beyond=0
    )
    choices = itertools.product(
        itertools.product(range(3), repeat=periods),
        itertools.product(range(3), repeat=periods),
        itertools.product(range(4), repeat=periods),
    )
    best = min(cost(*one) for one in choices)
    own = cost(
        tuple(plan.hires["first"]), tuple(plan.hires["second"]), tuple(plan.trained["first", "second"])
    )
    assert own == pytest.approx(plan.cost, rel=1e-6)
    assert plan.cost <= best * (1 + 2e-4)
    if all(one < 3 for one in (*plan.hires["first"], *plan.hires["second"])):
        assert plan.cost == pytest.approx(best, rel=2e-4)


def test_held_for_ever_hires_are_what_leaves() -> None:
    role = Role("agent", {"calls": 1.0}, wage=1.0, leaves=(0.05,))
    hires, heads = steady_hires(role, 100)
    assert heads == pytest.approx(100)
    assert hires == pytest.approx(0.05 * 100)
    slow = Role(
        "agent", {"calls": 1.0}, 1.0, training=2, learning=(0.5, 0.75, 0.9), leaves=(0.2, 0.1, 0.05, 0.02)
    )
    hires, heads = steady_hires(slow, 50)
    alive = survival(slow, 5000)
    speed = np.array([0, 0, 0.5, 0.75, *[0.9] * 4996])
    assert hires * float(alive @ speed) == pytest.approx(50)
    assert heads == pytest.approx(hires * alive.sum())
    # Whoever comes must go: leavers of all tenures are the hires.
    leaves = np.array([0.2, 0.1, 0.05, *[0.02] * 4997])
    assert hires * float(alive @ leaves) == pytest.approx(hires)


def test_a_long_plan_hires_what_leaves() -> None:
    role = Role(
        "agent", {"calls": 1.0}, wage=1.0, hire_cost=2.0, training=1, learning=(0.5, 1.0), leaves=(0.1, 0.04)
    )
    wanted = 200.0
    hires, heads = steady_hires(role, wanted)
    plan = plan_people([role], {"calls": [wanted] * 60}, heads={"agent": {12: wanted}}, seconds=5)
    assert plan.gap <= 0.01
    late = slice(30, 60)
    assert np.mean(plan.hires["agent"][late]) == pytest.approx(hires, rel=0.02)
    assert np.mean(plan.heads["agent"][late]) == pytest.approx(heads, rel=0.02)
    assert min(plan.productive["agent"]) >= wanted - 1e-6
    assert sum(plan.leavers["agent"]) == pytest.approx(
        wanted + sum(plan.hires["agent"]) - plan.heads["agent"][-1] + plan.leavers["agent"][-1]
    )
    assert plan.turnover_cost == pytest.approx(sum(plan.leavers["agent"]) * replacement_cost(role))


def test_what_one_leaver_costs() -> None:
    role = Role(
        "agent", {"calls": 1.0}, wage=3000, hire_cost=1500, training=2, learning=(0.5, 1.0), leaving_cost=200
    )
    # Two months of training and half of one: 2.5 wages.
    assert replacement_cost(role) == pytest.approx(200 + 1500 + 2.5 * 3000)
    leaky = Role("agent", {"calls": 1.0}, 3000, 1500, training=1, learning=(1.0,), leaves=(0.5, 0.0))
    # Half leave in training: two must begin for one.
    assert replacement_cost(leaky) == pytest.approx(2 * (1500 + 3000))


def test_hiring_begins_as_early_as_learning_takes() -> None:
    role = Role("agent", {"calls": 1.0}, wage=1.0, training=2)
    plan = plan_people([role], {"calls": [10, 10, 10, 15, 15, 15]}, heads={"agent": {5: 10}})
    assert plan.hires["agent"] == [0, 5, 0, 0, 0, 0]
    assert plan.productive["agent"] == [10, 10, 10, 15, 15, 15]
    assert plan.in_training["agent"] == [0, 5, 5, 0, 0, 0]
    # With two places in the trainer's room one of the three comes too late.
    tight = plan_people(
        [role],
        {"calls": [10, 10, 10, 13, 15, 15]},
        heads={"agent": {5: 10}},
        training_places=2,
        short_cost=100.0,
    )
    assert max(tight.in_training["agent"]) <= 2
    assert tight.short["calls"] == [0, 0, 0, 1, 1, 1]


def test_more_to_leave_costs_more_and_so_does_less_room() -> None:
    def cost(leave: float, places: int | None) -> float:
        role = Role(
            "agent", {"calls": 1.0}, wage=10, hire_cost=15, training=1, learning=(0.7, 1.0), leaves=(leave,)
        )
        plan = plan_people(
            [role],
            {"calls": [20, 21, 24, 26, 25, 24]},
            heads={"agent": {8: 20}},
            short_cost=40.0,
            training_places=places,
        )
        return plan.objective

    # Each solved to 0.01 %.
    by_leaving = [cost(leave, None) for leave in (0.0, 0.02, 0.05, 0.1)]
    assert all(a <= b * (1 + 2e-4) for a, b in itertools.pairwise(by_leaving))
    assert by_leaving[-1] > 1.1 * by_leaving[0]
    by_room = [cost(0.05, places) for places in (None, 4, 2, 1, 0)]
    assert all(a <= b * (1 + 2e-4) for a, b in itertools.pairwise(by_room))


def test_what_cannot_be_covered_says_when() -> None:
    role = Role("agent", {"calls": 1.0}, wage=1.0, training=2)
    with pytest.raises(Unattainable, match="demand of calls in period 2: 3 agents of 13"):
        plan_people([role], {"calls": [10, 13, 13]}, heads={"agent": {5: 10}})
    with pytest.raises(Unattainable, match="no role has that skill"):
        plan_people([role], {"other": [1.0]})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"wage": -1}, "wage of role agent"),
        ({"leaves": (1.2,)}, "leaves of role agent"),
        ({"learning": ()}, "at the least"),
        ({"training": -1}, "training of role agent"),
        ({"skills": {}}, "no skills"),
        ({"most_hires": -2}, "most_hires"),
        ({"hire_cost": math.nan}, "hire_cost"),
    ],
)
def test_wrong_roles(change: dict[str, object], text: str) -> None:
    given: dict[str, object] = {"name": "agent", "skills": {"calls": 1.0}, "wage": 1.0} | change
    with pytest.raises(BadInput, match=text):
        plan_people([Role(**given)], {"calls": [1.0]})  # type: ignore[arg-type]


def test_wrong_questions() -> None:
    role = Role("agent", {"calls": 1.0}, wage=1.0)
    for given in (
        {"demand": {}},
        {"demand": {"calls": []}},
        {"demand": {"calls": [1, -1]}},
        {"demand": {"calls": [1, 2]}, "heads": {"nobody": {0: 1}}},
        {"demand": {"calls": [1, 2]}, "heads": {"agent": {-1: 1}}},
        {"demand": {"calls": [1, 2]}, "trainings": [Training("agent", "agent")]},
        {"demand": {"calls": [1, 2]}, "trainings": [Training("agent", "nobody")]},
        {"demand": {"calls": [1, 2]}, "training_places": [1, 2, 3]},
        {"demand": {"calls": [1, 2]}, "seconds": 0},
        {"demand": {"calls": [1, 2]}, "short_cost": -5},
    ):
        with pytest.raises(WorkforceError):
            plan_people([role], **given)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="twice"):
        plan_people([role, role], {"calls": [1.0]})
    with pytest.raises(Unattainable, match="nobody leaves"):
        steady_hires(role, 10)


# --- who can do what ---


@pytest.mark.parametrize("seed", range(40))
def test_gaps_by_every_assignment(seed: int) -> None:
    r = random.Random(seed)
    skills, agents = ["a", "b", "c"], [f"p{i}" for i in range(5)]
    records = [Skill(who, what, r.randint(0, 3)) for who in agents for what in skills if r.random() < 0.5]
    matrix = SkillsMatrix.of(records)
    need = {skill: (r.randint(0, 3), r.randint(1, 2)) for skill in skills}
    gaps = matrix.gaps(need)
    best = 0
    for choice in itertools.product([None, *skills], repeat=len(agents)):
        done = dict.fromkeys(skills, 0)
        for who, what in zip(agents, choice, strict=True):
            if what is not None and matrix.level(who, what) >= need[what][1]:
                done[what] += 1
        best = max(best, sum(min(done[one], need[one][0]) for one in skills))
    assert gaps.total == sum(count for count, _ in need.values()) - best
    if gaps.total:
        who = {agent for skill in gaps.bottleneck for agent in matrix.able(skill, need[skill][1])}
        assert sum(need[skill][0] for skill in gaps.bottleneck) - len(who) == gaps.total
    else:
        assert gaps.bottleneck == ()


def test_trainings_grow_old() -> None:
    matrix = SkillsMatrix.of(
        [
            Skill("ann", "law", 2, date(2026, 1, 1)),
            Skill("bob", "law", 2),
            Skill("cy", "law", 2, date(2024, 1, 1)),
        ]
    )
    year = timedelta(days=365)
    today = date(2026, 6, 1)
    assert matrix.able("law") == ["ann", "bob", "cy"]
    assert matrix.able("law", on=today, valid=year) == ["ann"]
    assert [one.agent for one in matrix.due(today, year)] == ["bob", "cy"]
    assert matrix.gaps({"law": 3}).total == 0
    assert matrix.gaps({"law": 3}, on=today, valid=year).missing == {"law": 2}
    with pytest.raises(BadInput):
        SkillsMatrix.of([Skill("ann", "law", 11)])
    with pytest.raises(BadInput):
        SkillsMatrix.of([Skill("ann", "law"), Skill("ann", "law", 2)])


# --- when to train ---


def late_calls(calls: float, agents: int, patience: float) -> float:
    if calls == 0:
        return 0.0
    if agents <= 0 or (math.isinf(patience) and calls * 2 * 240 / 3600 >= agents):
        return calls
    return calls * (1 - float(queue(agents, calls * 2, 240, patience=patience, within=20).service_level("C")))


@pytest.mark.parametrize("seed", range(8))
def test_no_other_hours_do_less_harm(seed: int) -> None:
    r = random.Random(seed)
    size, length, away = r.randint(6, 9), r.randint(1, 3), r.randint(1, 3)
    calls = [r.choice([0, r.uniform(5, 80)]) for _ in range(size)]
    agents = [r.randint(2, 14) for _ in range(size)]
    patience = r.choice([90.0, 240.0, math.inf])
    sessions, at_once = r.randint(1, 3), r.randint(1, 2)

    def harm(starts: tuple[int, ...]) -> float:
        total = 0.0
        for t in range(size):
            busy = sum(start <= t < start + length for start in starts)
            if busy > at_once or (busy and agents[t] < busy * away):
                return math.inf
            total += late_calls(calls[t], agents[t] - busy * away, patience)
        return total

    possible = range(size - length + 1)
    best = min(harm(one) for one in itertools.combinations_with_replacement(possible, sessions))
    ask = {"length": length, "away": away, "sessions": sessions, "at_once": at_once, "patience": patience}
    if math.isinf(best):
        with pytest.raises(Unattainable):
            training_hours(calls, 30, 240, agents, **ask)
        return
    found = training_hours(calls, 30, 240, agents, **ask)
    assert found.late_with == pytest.approx(best, abs=1e-6)
    assert harm(tuple(found.starts)) == pytest.approx(best, abs=1e-6)
    assert len(found.starts) == sessions
    assert found.late <= found.late_with + 1e-9
    alone = [harm((start,)) - found.late for start in possible if math.isfinite(harm((start,)))]
    assert [one for _, one in found.ranking] == pytest.approx(sorted(alone), abs=1e-9)


def test_a_training_goes_where_it_is_quiet() -> None:
    found = training_hours(
        [60, 80, 20, 15, 70, 90], 30, 240, [14, 16, 12, 12, 15, 18], length=2, away=3, patience=180
    )
    assert found.starts == [2]
    assert found.away == [0, 0, 3, 3, 0, 0]
    assert found.service_level_with[0] == found.service_level[0]
    with pytest.raises(Unattainable, match="don't fit"):
        training_hours([60, 80], 30, 240, [9, 11], length=1, away=3, patience=180, least_level=0.9)
    with pytest.raises(Unattainable, match="doesn't fit"):
        training_hours([60, 80], 30, 240, [9, 11], length=3, away=3)
    with pytest.raises(BadInput):
        training_hours([60, -80], 30, 240, [9, 11], length=1, away=3)
    with pytest.raises(BadInput):
        training_hours([60, 80], 30, 240, [9, 11], length=0, away=3)
