"""The simulated centre against exact queueing theory: the core routes, the textbook says what must come out.

Each figure must lie within the run's own 99.9 % confidence interval (so many figures are compared that one in
twenty would miss a 95 % one by chance), and that interval must be narrow. The last test shows that a model which is
15 % wrong does not get through. `make soak` runs the same three times as long, for intervals that are narrower still.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from centrala.core.specs import AgentSpec, QueueSpec
from centrala.sim import (
    AgentModel,
    Arrivals,
    Distribution,
    Erlang,
    Exponential,
    Fixed,
    Interval,
    Lognormal,
    Result,
    Scenario,
    replicate,
    simulate,
)

pytestmark = pytest.mark.sim

CASES: dict[str, Any] = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent.parent / "data" / "queueing.json").read_text())["cases"]
}
UNIT = 100.0
"Seconds that one unit of time lasts where a case gives rates alone."

SURE = 0.999

LONG = pytest.param(3, marks=pytest.mark.soak, id="long")
"Runs are so many times as long."
runs_as_long = pytest.mark.parametrize("times", [pytest.param(1, id="short"), LONG])


def one_queue(
    servers: int, per_hour: float, handling: Distribution, patience: Distribution | None, contacts: int
) -> Scenario:
    names = tuple(f"agent{index}" for index in range(servers))
    return Scenario(
        queues=(QueueSpec("q", agents=names, wrap_up=0.0),),
        agents=tuple(AgentModel(AgentSpec(name)) for name in names),
        arrivals=(Arrivals("q", per_hour=per_hour, handling=handling, patience=patience),),
        hours=contacts / per_hour,
        warm_up=20 * handling.mean,
    )


def agree(interval: Interval, expected: float, within: float, what: str = "") -> None:
    """`interval` is at SURE: it must hold the value, and be no wider than this share of it."""
    assert expected in interval, f"{what}: {interval}, expected {expected:.5g}"
    assert interval.half <= within * expected, f"{what}: {interval} is too wide to tell anything"


@pytest.mark.parametrize(
    ("case", "contacts", "narrow"),
    [
        *[(case, 50_000, 1.2) for case in ("001", "002", "003")],
        *[pytest.param(case, 150_000, 1.0, marks=pytest.mark.soak) for case in ("001", "002", "003")],
        # Near saturation a queue forgets slowly: 112 agents have the widest intervals.
        pytest.param("010", 200_000, 2.0, marks=pytest.mark.soak),
    ],
)
def test_erlang_c(case: str, contacts: int, narrow: float) -> None:
    given = CASES[f"erlang_c-{case}"]
    n, load = given["inputs"]["n"], given["inputs"]["a"]
    result = simulate(one_queue(n, load * 36.0, Exponential(UNIT), None, contacts), seed=11)
    agree(result.interval("p_wait", level=SURE), given["expected"]["p_wait"], 0.15 * narrow, "p_wait")
    # Mean wait of Erlang C: P(wait) · AHT / (n − a).
    mean_wait = given["expected"]["p_wait"] * UNIT / (n - load)
    agree(result.interval("mean_wait", level=SURE), mean_wait, 0.3 * narrow, "mean_wait")
    assert result.occupancy() == pytest.approx(load / n, rel=0.02)


def erlang_a(case: str, contacts: int, *, patience_times: float = 1.0) -> tuple[Result, dict[str, float]]:
    given = CASES[f"erlang_a-{case}"]
    inputs = given["inputs"]
    scenario = one_queue(
        inputs["n"],
        inputs["offered_erlangs"] / inputs["aht_s"] * 3600,
        Exponential(inputs["aht_s"]),
        Exponential(inputs["patience_mean_s"] * patience_times),
        contacts,
    )
    return simulate(scenario, seed=5), given["expected"]


def erlang_a_figures(within: float) -> dict[str, str | Callable[[Result], float]]:
    return {
        "p_wait": "p_wait",
        "p_abandon": "p_abandon",
        "mean_wait": "mean_wait",
        "mean_queue": "mean_queue",
        "p_served_within_t": lambda result: result.service_level(within),
    }


@pytest.mark.parametrize(
    ("case", "contacts"),
    [("001", 80_000), ("003", 50_000)]
    + [
        pytest.param(case, contacts, marks=pytest.mark.soak)
        for case, contacts in (("001", 250_000), ("003", 150_000), ("006", 300_000))
    ],
)
def test_erlang_a(case: str, contacts: int) -> None:
    result, expected = erlang_a(case, contacts)
    for name, figure in erlang_a_figures(20.0).items():
        agree(result.interval(figure, level=SURE), expected[name], 0.11, name)
    assert result.occupancy() == pytest.approx(expected["occupancy"], rel=0.01)
    assert result.figures["p_abandon"] == pytest.approx(expected["p_abandon"], rel=0.05)


@runs_as_long
@pytest.mark.parametrize(
    "case", [case["id"] for case in CASES.values() if case["group"] == "multiskill_ctmc"]
)
def test_two_skills(case: str, times: int) -> None:
    """Designs I, N, X and W of two skills: who gets whom, by skill (arrivals) and by preference (agents)."""
    given = CASES[case]
    inputs, expected = given["inputs"], given["expected"]
    agents, groups = [], []
    for index, (size, classes) in enumerate(inputs["groups"]):
        names = [f"g{index}.{number}" for number in range(size)]
        groups.append(names)
        skills = {f"q{one}": 10 - inputs["arrival_preference"][one].index(index) for one in classes}
        prefers = tuple(f"q{one}" for one in classes)
        agents += [AgentModel(AgentSpec(name, skills=skills, prefers=prefers)) for name in names]
    queues, arrivals = [], []
    for one, rate in enumerate(inputs["lam"]):
        serve = tuple(name for index in inputs["arrival_preference"][one] for name in groups[index])
        queues.append(QueueSpec(f"q{one}", agents=serve, strategy="most_skilled", wrap_up=0.0))
        handling, patience = Exponential(UNIT / inputs["mu"][one]), Exponential(UNIT / inputs["theta"][one])
        arrivals.append(Arrivals(f"q{one}", rate * 3600 / UNIT, handling=handling, patience=patience))
    scenario = Scenario(tuple(queues), tuple(agents), tuple(arrivals), hours=25.0 * times, warm_up=20 * UNIT)
    runs = replicate(scenario, range(1, 17))
    narrow = 1.0 if times > 1 else 1.8

    def of_class(one: int, figure: str) -> Callable[[Result], float]:
        return lambda result: result.of(f"q{one}").figures[figure]

    def of_group(names: list[str]) -> Callable[[Result], float]:
        return lambda result: result.occupancy(names)

    for one in (0, 1):
        abandon = runs.interval(of_class(one, "p_abandon"), level=SURE)
        agree(abandon, expected[f"p_abandon_class{one}"], 0.1 * narrow, f"p_abandon {one}")
        queue = runs.interval(of_class(one, "mean_queue"), level=SURE)
        agree(queue, expected[f"mean_queue{one}"], 0.1 * narrow, f"mean_queue {one}")
    for index, names in enumerate(groups):
        occupancy = runs.interval(of_group(names), level=SURE)
        agree(occupancy, expected["occupancy"][index], 0.02 * narrow, f"occupancy {index}")


def distribution(words: str) -> Distribution:
    """Whitt's notation: M, D, Ek or LN(mean, squared coefficient of variation), in units of time."""
    if words == "M":
        return Exponential(UNIT)
    if words == "D":
        return Fixed(UNIT)
    parts = re.fullmatch(r"(E2|LN)(?:\(([\d.]+)(?:,([\d.]+))?\))?", words)
    assert parts
    mean = float(parts[2] or 1) * UNIT
    return Erlang(2, mean) if parts[1] == "E2" else Lognormal(mean, mean * float(parts[3]) ** 0.5)


def general(n: int, lam: float, service: str, patience: str, contacts: int) -> Result:
    return simulate(
        one_queue(n, lam * 3600 / UNIT, distribution(service), distribution(patience), contacts), seed=2
    )


FIGURES: dict[str, str | Callable[[Result], float]] = {
    "p_no_wait": lambda result: 1 - result.figures["p_wait"],
    "p_abandon": "p_abandon",
    "mean_queue": "mean_queue",
    "sl_among_served": lambda result: result.service_level(0.1 * UNIT) / result.figures["p_answered"],
    "p_served_within_t": lambda result: result.service_level(0.1 * UNIT),
}


@pytest.mark.soak
def test_patience_with_a_long_tail() -> None:
    """M/M/n+LN, solved exactly. (Mean wait there is in units of time.)"""
    given = CASES["mmn_general_patience-006"]
    inputs = given["inputs"]
    result = general(inputs["n"], inputs["lam"], "M", inputs["patience"], 200_000)
    for name, figure in FIGURES.items():
        if name != "sl_among_served":
            interval = result.interval(figure, level=SURE)
            agree(interval, given["expected"][name], 0.2, name)


@runs_as_long
@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(("001", "003", "004"), id="M"),
        pytest.param(("036", "037", "039"), id="D", marks=pytest.mark.soak),
    ],
)
def test_whitt_2005(cases: tuple[str, ...], times: int) -> None:
    """Patience of two phases, and service times that are exponential or fixed: three figures of each."""
    worlds = [CASES[f"whitt2005_sim-{case}"] for case in cases]
    n, lam, service, patience = (worlds[0]["inputs"][name] for name in ("n", "lam", "service", "patience"))
    result = general(n, lam, service, patience, 150_000 * times)
    for given in worlds:
        inputs, expected = given["inputs"], given["expected"]
        assert (inputs["n"], inputs["lam"], inputs["service"], inputs["patience"]) == (
            n,
            lam,
            service,
            patience,
        )
        interval = result.interval(FIGURES[inputs["measure"]], level=SURE)
        value = expected.get("exact_here", expected["value"])
        # His own interval counts too: it is a simulation that is compared.
        room = 0.0 if "exact_here" in expected else expected["ci95"]
        widened = Interval(interval.mean, interval.half + room, interval.count)
        agree(widened, value, 0.25 if times > 1 else 0.4, inputs["measure"])


def test_a_wrong_model_is_found_out() -> None:
    """Patience 15 % longer or shorter than told: waits and queue no longer agree (abandonment hardly moves)."""
    for wrong in (0.85, 1.15):
        result, expected = erlang_a("001", 70_000, patience_times=wrong)
        for name in ("mean_wait", "mean_queue"):
            assert expected[name] not in result.interval(name, level=SURE), (wrong, name)
