"""Several skills over a day: brute force over shifts, covers where formulas staff the periods, questions refused."""

import itertools
import math

import numpy as np
import pytest

from centrala.workforce import BadInput, Target, Unattainable, WorkforceError, staff
from centrala.workforce._skills_bench import Bench
from centrala.workforce._skills_model import design_of
from centrala.workforce.skills import RUNS, AgentGroup, CallType, staff_skills
from centrala.workforce.skills_day import Shift, staff_skills_day

pytestmark = pytest.mark.sim

LONG = 900.0
"Seconds that no test needs: what is found must not hang on how busy the machine is."

SALES = CallType("sales", 0, 240, 300, Target(0.8, 20, "A"))
SERVICE = CallType("service", 0, 200, 180, Target(0.7, 30, "A"))


def test_one_skill_is_a_cover_of_erlang_c() -> None:
    """Each period needs what `staff` says; the cheapest shifts by trying all."""
    calls = [40.0, 110.0, 90.0, 40.0]
    shifts = [
        Shift("early", [1, 1, 0, 0]),
        Shift("long", [1, 1, 1, 1], 3.3),
        Shift("late", [0, 0, 1, 1], 2.1),
    ]
    plan = staff_skills_day(
        [CallType("a", 0, 240)], {"a": calls}, [AgentGroup("g", ["a"])], shifts, seconds=LONG
    )
    need = np.array([staff(rate, 240, Target()) for rate in calls])
    works = np.array([shift.works for shift in shifts])
    best = min(
        float(np.dot(one, [2, 3.3, 2.1]))
        for one in itertools.product(range(15), repeat=3)
        if (np.array(one) @ works >= need).all()
    )
    assert plan.cost == pytest.approx(best)
    assert plan.bounds.proven == pytest.approx(best)
    assert plan.gap == pytest.approx(0, abs=1e-9)
    assert plan.confirmed
    assert (np.array(plan.on_duty["g"]) >= need).all()


def test_brute_force_over_two_shifts() -> None:
    """N design, three periods: every number of agents of each group in each shift."""
    types = [SALES, SERVICE]
    calls = {"sales": [20.0, 45.0, 30.0], "service": [30.0, 30.0, 0.0]}
    groups = [AgentGroup("s", ["sales"]), AgentGroup("b", ["sales", "service"], 1.2)]
    shifts = [Shift("first", [1, 1, 0]), Shift("second", [0, 1, 1])]
    plan = staff_skills_day(types, calls, groups, shifts, seed=3, seconds=LONG)
    assert plan.confirmed
    benches = [
        Bench(
            design_of(
                [
                    CallType(one.name, calls[one.name][p], one.handling, one.patience, one.target)
                    for one in types
                ],
                groups,
            ),
            3 + 101 * p,
            RUNS,
        )
        for p in range(3)
    ]
    known: dict[tuple[int, tuple[int, int]], bool] = {}

    def meets(p: int, there: tuple[int, int]) -> bool:
        if (p, there) not in known:
            known[p, there] = bool(sum(there) and benches[p].meets(there))
        return known[p, there]

    best = math.inf
    for a, b, c, d in itertools.product(range(8), repeat=4):
        cost = 2 * (a + b) + 2.4 * (c + d)
        if cost < best and meets(0, (a, c)) and meets(2, (b, d)) and meets(1, (a + b, c + d)):
            best = cost
    assert best - 1e-9 <= plan.cost <= best + 2.4 + 1e-9
    assert plan.bounds.proven <= best + 1e-9
    assert plan.bounds.pooled <= best + 1e-9
    assert plan.types["service"][2] is not None
    assert plan.cost == pytest.approx(
        sum(count * {"s": 1.0, "b": 1.2}[group] * 2 for (group, _), count in plan.agents.items())
    )


def test_a_day_of_one_period_is_one_period() -> None:
    groups = [
        AgentGroup("s", ["sales"]),
        AgentGroup("v", ["service"]),
        AgentGroup("b", ["sales", "service"], 1.1),
    ]
    types = [SALES, SERVICE]
    calls = {"sales": [70.0, 0.0], "service": [90.0, 0.0]}
    plan = staff_skills_day(types, calls, groups, [Shift("all", [1, 0])], seed=5, seconds=LONG)
    alone = staff_skills(
        [CallType(one.name, calls[one.name][0], one.handling, one.patience, one.target) for one in types],
        groups,
        seed=5,
        seconds=LONG,
    )
    assert alone.cost - 1e-9 <= plan.cost <= alone.cost + 1.1 + 1e-9
    assert plan.types["sales"][1] is None
    assert plan.confirmed


def test_what_is_refused() -> None:
    types, groups, calls = [SALES], [AgentGroup("s", ["sales"])], {"sales": [50.0, 60.0]}
    shifts = [Shift("all", [1, 1])]
    for change, text in (
        ({"per_hour": {"sales": [50.0, -1]}}, "per_hour of sales"),
        ({"per_hour": {"other": [1, 1]}}, "of each type"),
        ({"per_hour": {"sales": [0, 0]}}, "nobody calls"),
        ({"shifts": []}, "there are none"),
        ({"shifts": [Shift("a", [1])]}, "works is 0 or 1"),
        ({"shifts": [Shift("a", [0, 0])]}, "somewhere 1"),
        ({"shifts": [Shift("a", [1, 2])]}, "works is 0 or 1"),
        ({"shifts": [*shifts, *shifts]}, "twice"),
        ({"shifts": [Shift("a", [1, 1], -1)]}, "cost of shift a"),
        ({"shifts": [Shift("a", [1, 1], groups=["x"])]}, "no group x"),
        ({"seconds": 0}, "seconds"),
    ):
        given = {"types": types, "per_hour": calls, "groups": groups, "shifts": shifts} | change
        with pytest.raises(BadInput, match=text):
            staff_skills_day(**given)  # type: ignore[arg-type]
    with pytest.raises(Unattainable, match="period 2: no shift"):
        staff_skills_day(types, calls, groups, [Shift("a", [1, 0])])
    with pytest.raises(Unattainable, match="at most 2 may"):
        staff_skills_day(types, calls, [AgentGroup("s", ["sales"], most=2)], shifts)
    with pytest.raises(WorkforceError):
        staff_skills_day(types, {"sales": [50.0, 5e9]}, groups, shifts)
