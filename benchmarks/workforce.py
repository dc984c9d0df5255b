"""Planning: staffing problems a second on one core, simulated calls a second, beside what others reach here."""

import importlib.util
import math
import random
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from centrala.core.specs import AgentSpec, QueueSpec
from centrala.sim import AgentModel, Arrivals, Exponential, Scenario, simulate
from centrala.workforce import Target, World, line, staff

PROBLEMS = 300_000
CALLS = 4_000_000


def best(action: Callable[[], object], rounds: int = 3) -> float:
    action()  # compile
    found = math.inf
    for _ in range(rounds):
        began = perf_counter()
        action()
        found = min(found, perf_counter() - began)
    return found


def problems(most_calls: float) -> dict[str, Any]:
    """Half-hours of 5 calls up to so many, handling 2 to 7 minutes, patience 1 to 7, usual targets."""
    rng = np.random.default_rng(1)
    return {
        "per_hour": 2 * rng.uniform(5, most_calls, PROBLEMS),
        "handling": rng.uniform(120, 420, PROBLEMS),
        "level": rng.choice([0.7, 0.8, 0.9, 0.95], PROBLEMS),
        "within": rng.choice([10.0, 20.0, 30.0], PROBLEMS),
        "patience": rng.uniform(60, 420, PROBLEMS),
    }


def staffing_rates(most_calls: float) -> tuple[float, float]:
    asked = problems(most_calls)
    c = Target(asked["level"], asked["within"])
    a = Target(asked["level"], asked["within"], "A", max_abandon=0.05)
    without = best(lambda: staff(asked["per_hour"], asked["handling"], c))
    patient = best(lambda: staff(asked["per_hour"], asked["handling"], a, patience=asked["patience"]))
    return PROBLEMS / without, PROBLEMS / patient


def six_types(kinds: int) -> Scenario:
    """Six queues, 90 agents in so many kinds of one to four skills, 85 Erlangs."""
    r = random.Random(3)
    types = [f"q{i}" for i in range(6)]
    sets = [{*r.sample(types, r.randint(1, 3)), types[i % 6]} for i in range(kinds)]
    agents = tuple(
        AgentModel(AgentSpec(f"a{i}", skills=dict.fromkeys(sorted(sets[i % kinds]), 1))) for i in range(90)
    )
    queues = tuple(QueueSpec(name, needs={name: 1}, wrap_up=0.0) for name in types)
    arrivals = tuple(
        Arrivals(name, per_hour=255, handling=Exponential(200), patience=Exponential(150)) for name in types
    )
    return Scenario(queues, agents, arrivals, hours=CALLS / 2 / 1530)


def pyworkforce_rate() -> float | None:
    if importlib.util.find_spec("pyworkforce") is None:
        return None
    from pyworkforce.queuing import ErlangC  # type: ignore[import-not-found, import-untyped, unused-ignore]

    asked = problems(200)
    count = 500

    def ask() -> None:
        for i in range(count):
            ErlangC(
                transactions=asked["per_hour"][i] / 2,
                asa=asked["within"][i] / 60,
                aht=asked["handling"][i] / 60,
                interval=30,
                shrinkage=0.0,
            ).required_positions(service_level=asked["level"][i], max_occupancy=1.0)

    return count / best(ask, 1)


def ciw_rate() -> float | None:
    if importlib.util.find_spec("ciw") is None:
        return None
    import ciw  # type: ignore[import-not-found, import-untyped, unused-ignore]

    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(0.51)],
        service_distributions=[ciw.dists.Exponential(1 / 200)],
        number_of_servers=[100],
        reneging_time_distributions=[ciw.dists.Exponential(1 / 200)],
    )
    simulation = ciw.Simulation(network)
    began = perf_counter()
    simulation.simulate_until_max_time(30_000)
    return len(simulation.get_all_records()) / (perf_counter() - began)


def core_rate() -> float:
    names = tuple(f"a{i}" for i in range(100))
    scenario = Scenario(
        (QueueSpec("q", agents=names, wrap_up=0.0),),
        tuple(AgentModel(AgentSpec(name)) for name in names),
        (Arrivals("q", per_hour=1836, handling=Exponential(200), patience=Exponential(200)),),
        hours=10,
    )
    began = perf_counter()
    return len(simulate(scenario).contacts) / (perf_counter() - began)


def run() -> dict[str, Any]:
    def figure(what: str, value: float | None, least: float | None = None) -> dict[str, Any]:
        return {
            "what": what,
            "asked": "" if least is None else f"≥ {least:,.0f}",
            "measured": "not installed" if value is None else f"{value:,.0f}",
            "ok": None if least is None or value is None else value >= least,
        }

    small = staffing_rates(200)
    wide = staffing_rates(1500)
    waits = best(lambda: line(100, 1836, Exponential(200), Exponential(200), contacts=CALLS))
    figures = [
        figure("Erlang C staffing a second, 5 to 200 calls", small[0], 1_500_000),
        figure("Erlang C staffing a second, 5 to 1,500 calls", wide[0], 1_500_000),
        figure("Erlang A staffing a second, 5 to 200 calls", small[1], 200_000),
        figure("Erlang A staffing a second, 5 to 1,500 calls", wide[1], 200_000),
        figure("calls a second, M/M/100+M", CALLS / waits, 8_000_000),
    ]
    for kinds in (6, 30):
        world = World.of(six_types(kinds))
        seconds = best(lambda world=world: world.run(2))  # type: ignore[misc]
        offered = world.run(2).offered
        figures.append(
            figure(f"calls a second, six types, 90 agents of {kinds} kinds", offered / seconds, 2_500_000)
        )
    figures += [
        figure("for comparison: calls a second through the core itself", core_rate()),
        figure("for comparison: pyworkforce, Erlang C staffing a second", pyworkforce_rate()),
        figure("for comparison: ciw, calls a second, M/M/100+M", ciw_rate()),
    ]
    return {"figures": figures}
