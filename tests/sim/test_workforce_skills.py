"""Several skills: the core's own answers, exact chains, brute force over small staffings, Erlang A where it holds."""

import json
import math
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from centrala.sim import Fixed, Lognormal
from centrala.sim.result import interval_of
from centrala.workforce import NoAgents, Target, Unattainable, World, queue, staff
from centrala.workforce._skills_bench import Bench, measure
from centrala.workforce._skills_bound import CutOff
from centrala.workforce._skills_model import Design, design_of
from centrala.workforce.skills import RUNS, AgentGroup, CallType, skill_bound, staff_skills, try_skills

pytestmark = pytest.mark.sim

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "queueing_models.json").read_text()
)["cases"]
UNIT = 100.0
LONG = 900.0
"Seconds that no test needs: what is found must not hang on how busy the machine is."

SALES = CallType("sales", 70, 240, 300, Target(0.8, 20, "A"))
SERVICE = CallType("service", 90, 200, 180, Target(0.7, 30, "A", max_abandon=0.08))


def test_the_same_calls_as_in_the_scenario_it_stands_for() -> None:
    """The bench gives what `World` gives for the scenario with the same agents, which is what the core gives."""
    types = [
        replace(SALES, priority=1),
        replace(SERVICE, strategy="most_skilled"),
        CallType("third", 30, 300, 90),
    ]
    groups = [
        AgentGroup("a", {"sales": 1, "service": 2}, prefers=["service"]),
        AgentGroup("b", {"service": 5, "third": 1}),
        AgentGroup("c", ["sales", "third"]),
    ]
    bench = Bench(design_of(types, groups), 3, 4)
    counts = (4, 5, 6)
    scenario = bench.design.scenario(counts, hours=bench.scenario.hours, warm_up=bench.scenario.warm_up)
    tallies = bench.tallies(counts, 2)
    for number in range(2):
        result = World.of(scenario).run(3 + number)
        for row, one in enumerate(types):
            own = result.of(one.name)
            within = float(bench.design.within[row])
            assert tallies[number, row, 0] == own.offered > 1000
            assert measure(tallies, row, "abandon")[number] == own.p_abandon
            assert measure(tallies, row, "wait_chance")[number] == own.p_wait
            assert measure(tallies, row, "mean_wait")[number] == pytest.approx(own.mean_wait, rel=1e-9)
            for way in "ABCD":
                found = measure(tallies, row, "service_level", way)[number]
                assert found == pytest.approx(own.service_level(within, way), rel=1e-12)
        assert measure(tallies, 3, "abandon")[number] == result.p_abandon


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["id"]) for case in CASES if case["group"] == "multiskill_ctmc"]
)
def test_exact_chains_of_two_skills(case: dict[str, Any]) -> None:
    inputs, expected = case["inputs"], case["expected"]
    types = [
        CallType(
            f"q{one}",
            rate * 3600 / UNIT,
            UNIT / inputs["mu"][one],
            UNIT / inputs["theta"][one],
            strategy="most_skilled",
        )
        for one, rate in enumerate(inputs["lam"])
    ]
    groups = [
        AgentGroup(
            f"g{index}",
            {f"q{one}": 10 - inputs["arrival_preference"][one].index(index) for one in classes},
            prefers=[f"q{one}" for one in classes],
        )
        for index, (_, classes) in enumerate(inputs["groups"])
    ]
    agents = {f"g{index}": size for index, (size, _) in enumerate(inputs["groups"])}
    found, _ = try_skills(types, groups, agents, seed=5, runs=120)
    for one in (0, 1):
        interval = found[f"q{one}"].p_abandon
        wanted = expected[f"p_abandon_class{one}"]
        # Three half-widths of 95 %: one chance in 10^8 of a false alarm.
        assert abs(interval.mean - wanted) <= 3 * interval.half, (interval, wanted)
        assert interval.half < 0.02 * wanted


def by_force(design: Design, most: tuple[int, ...], below: float, seed: int) -> float:
    """The least cost of all staffings up to `most`, each simulated on all runs unless far from its targets."""
    bench = Bench(design, seed, RUNS)
    best = math.inf
    for counts in sorted(
        product(*(range(one + 1) for one in most)), key=lambda one: float(design.cost @ one)
    ):
        cost = float(design.cost @ np.array(counts))
        if not any(counts) or cost > below or cost >= best:
            continue
        if (bench.slack(counts, 1).mean(axis=0) < -0.15).any():
            continue
        if (bench.slack(counts, RUNS).mean(axis=0) >= 0).all():
            best = cost
    return best


@pytest.mark.parametrize("both", [1.03, 1.2, 1.6])
@pytest.mark.parametrize("shape", ["N", "W", "X"])
def test_brute_force_finds_nothing_cheaper(shape: str, both: float) -> None:
    groups = {
        "N": [AgentGroup("s", ["sales"]), AgentGroup("b", ["sales", "service"], both)],
        "W": [
            AgentGroup("s", ["sales"]),
            AgentGroup("v", ["service"]),
            AgentGroup("b", ["sales", "service"], both),
        ],
        "X": [
            AgentGroup("s", {"sales": 2, "service": 1}, prefers=["sales"]),
            AgentGroup("v", {"service": 2, "sales": 1}, both, prefers=["service"]),
        ],
    }[shape]
    types = [SALES, SERVICE]
    plan = staff_skills(types, groups, seed=11, seconds=LONG)
    assert plan.certificate == "tried"
    assert plan.confirmed
    design = design_of(types, groups)
    least = by_force(design, (14,) * len(groups), plan.cost + 1e-9, 11)
    # What the search's callers alone let pass may have been refuted by others: dearer then, by an agent at most.
    assert least <= plan.cost + 1e-9
    assert plan.cost - least <= max(0.0, both if plan.cost > least + 1e-9 else 0.0)
    assert plan.bounds.proven <= least + 1e-9
    assert plan.bounds.pooled <= least + 1e-9


def test_all_who_serve_all_are_erlang_a() -> None:
    target = Target(0.8, 20, "A")
    types = [
        CallType("a", 100, 240, 200, target),
        CallType("b", 60, 240, 200, target),
        CallType("c", 40, 240, 200, target),
    ]
    plan = staff_skills(types, [AgentGroup("all", ["a", "b", "c"])], seed=2, seconds=LONG)
    wanted = staff(200, 240, target, patience=200)
    assert plan.agents == {"all": wanted}
    assert plan.bounds.pooled == wanted
    exact = queue(wanted, 200, 240, patience=200, within=20)
    level = plan.overall.service_level
    assert abs(level.mean - exact.service_level("A")) <= 2.5 * level.half
    assert abs(plan.overall.p_abandon.mean - exact.p_abandon) <= 2.5 * plan.overall.p_abandon.half


def test_who_serve_one_each_are_erlang_c() -> None:
    types = [CallType("a", 100, 240), CallType("b", 60, 180, target=Target(0.9, 30))]
    plan = staff_skills(types, [AgentGroup("a", ["a"]), AgentGroup("b", ["b"], 1.5)], seed=4, seconds=LONG)
    assert plan.agents == {"a": staff(100, 240, Target()), "b": staff(60, 180, Target(0.9, 30))}
    # Nobody gives up, each type alone: the proven bound is the answer.
    assert plan.bounds.proven == plan.cost
    assert plan.proven_gap == 0


def test_cheaper_cross_training_and_more_groups_never_cost_more() -> None:
    types = [SALES, SERVICE]
    alone = [AgentGroup("s", ["sales"]), AgentGroup("v", ["service"])]
    costs = [staff_skills(types, alone, seed=7, seconds=LONG).cost]
    for both in (1.5, 1.25, 1.1, 1.0):
        costs.append(
            staff_skills(
                types, [*alone, AgentGroup("b", ["sales", "service"], both)], seed=7, seconds=LONG
            ).cost
        )
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0]


def test_more_agents_allowed_never_cost_more() -> None:
    types = [SALES, SERVICE]
    costs = []
    for most in (2, 4, 8, None):
        groups = [
            AgentGroup("s", ["sales"], 1.3),
            AgentGroup("v", ["service"], 1.3),
            AgentGroup("b", ["sales", "service"], 1.0, most=most),
        ]
        costs.append(staff_skills(types, groups, seed=9, seconds=LONG).cost)
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0]


@pytest.mark.soak
def test_four_types_and_eight_groups_are_within_reach_of_the_bound() -> None:
    rates = {"t0": 110, "t1": 200, "t2": 70, "t3": 150}
    times = {"t0": 240, "t1": 200, "t2": 300, "t3": 250}
    types = [
        CallType(name, rates[name], times[name], 300, Target(0.75, 30, "A", max_abandon=0.08))
        for name in rates
    ]
    sets = ["0", "1", "2", "3", "01", "12", "23", "0123"]
    groups = [AgentGroup(f"g{one}", [f"t{k}" for k in one], 1 + 0.05 * (len(one) - 1)) for one in sets]
    plan = staff_skills(types, groups, seed=1, seconds=LONG)
    assert plan.confirmed
    assert all(one.met for one in plan.types.values())
    assert plan.bounds.proven <= plan.bounds.pooled <= plan.cost
    assert plan.gap <= 0.08
    # Better than each type by itself, and than everybody serving all.
    apart = staff_skills(types, groups[:4], seed=1, seconds=LONG)
    assert plan.cost < apart.cost
    everybody = staff_skills(types, groups[-1:], seed=1, seconds=LONG)
    assert plan.cost < everybody.cost


def test_other_times_than_exponential_and_all_ways_to_ask() -> None:
    types = [
        CallType("a", 80, Lognormal(240, 300), Fixed(120.0), Target(0.8, 15, "B", mean_wait=20)),
        CallType("b", 60, 200, 240, Target(None, max_wait_chance=0.3)),
        CallType("c", 20, 300, 100, Target(0.7, 40, "D", max_abandon=0.1)),
    ]
    groups = [AgentGroup("ab", ["a", "b"]), AgentGroup("bc", ["b", "c"]), AgentGroup("c", ["c"], 0.9)]
    plan = staff_skills(types, groups, seed=3, seconds=LONG)
    assert plan.confirmed
    assert plan.types["a"].mean_wait.mean <= 20
    assert plan.types["b"].p_wait.mean <= 0.3
    assert plan.types["c"].p_abandon.mean <= 0.1
    for name in plan.agents:
        fewer = dict(plan.agents)
        fewer[name] -= 1
        if fewer[name] < 0:
            continue
        figures, _ = try_skills(types, groups, fewer, seed=77)
        assert any(not one.met or not one.sure for one in figures.values())


def test_a_target_over_all_calls_lets_types_differ() -> None:
    types = [replace(SALES, target=None, priority=20), replace(SERVICE, target=None)]
    groups = [AgentGroup("s", ["sales"]), AgentGroup("b", ["sales", "service"], 1.1)]
    plan = staff_skills(types, groups, overall=Target(0.8, 20, "A"), seed=5, seconds=LONG)
    assert plan.confirmed
    assert plan.overall.service_level.mean >= 0.8
    assert math.isinf(plan.types["sales"].slack)
    each = [replace(one, target=Target(0.8, 20, "A")) for one in types]
    assert plan.cost <= staff_skills(each, groups, seed=5, seconds=LONG).cost


@pytest.mark.parametrize(("patience", "within"), [(120.0, 20.0), (math.inf, 30.0), (300.0, 90.0)])
def test_the_best_that_routing_can_do_beats_every_order_of_service(patience: float, within: float) -> None:
    """Served in time of those sent away when late: more than first come first served keeps in time, and what
    simulation of that rule gives."""
    n, rate, aht = 9, 150.0, 240.0
    best = queue(n, rate, aht, patience=CutOff(patience, within)).p_served
    if math.isinf(patience):
        simple = 0.0
    else:
        simple = float(queue(n, rate, aht, patience=patience, within=within).served_within)
    assert best > simple
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(12):
        gaps = rng.exponential(3600 / rate, 40_000).cumsum()
        free = np.zeros(n)
        served = 0
        waits = np.minimum(
            rng.exponential(1, gaps.size) * patience if math.isfinite(patience) else math.inf, within
        )
        limits = np.broadcast_to(waits, gaps.shape)
        for at, limit, talk in zip(gaps, limits, rng.exponential(aht, gaps.size), strict=True):
            one = int(free.argmin())
            begin = max(at, free[one])
            if begin - at <= limit:
                free[one] = begin + talk
                served += 1
        shares.append(served / gaps.size)
    found = interval_of(shares, 0.999)
    assert best in found


def test_what_cannot_be_met_says_so() -> None:
    groups = [AgentGroup("s", ["sales"], most=3), AgentGroup("v", ["service"])]
    with pytest.raises(Unattainable, match=r"types sales: at least \d agents must serve them, at most 3 may"):
        staff_skills([SALES, SERVICE], groups)
    # By the bounds it might be, by simulation it isn't.
    need = staff(70, 240, Target(0.8, 20, "A"), patience=300)
    with pytest.raises(Unattainable, match="sales"):
        staff_skills([SALES], [AgentGroup("s", ["sales"], most=int(need) - 1)])
    with pytest.raises(NoAgents, match="type service"):
        staff_skills([SALES, SERVICE], [AgentGroup("s", ["sales"])])


def test_the_bound_alone() -> None:
    bound = skill_bound([SALES, SERVICE], [AgentGroup("b", ["sales", "service"])])
    assert bound.proven <= bound.pooled
    assert bound.pooled <= staff_skills([SALES, SERVICE], [AgentGroup("b", ["sales", "service"])]).cost
