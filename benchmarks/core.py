"""How many facts a second the core takes in, and that its cost does not grow with the house.

A simulated day gives the facts (arrivals, answers, refusals, missed calls, hang-ups, timers); they are told anew to
a fresh centre, and that alone is timed. The two houses differ in size by a thousand, their agents serve three
queues each (or fifty), at the same load.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from types import FrameType
from typing import Any

from centrala.core.centre import Centre, step
from centrala.core.facts import Fact
from centrala.core.specs import AgentSpec, QueueSpec
from centrala.sim import AgentModel, Arrivals, Exponential, Scenario, simulate

LOAD = 0.6
"Share of their time that agents talk."
TALK, RING, WRAP = 180.0, 4.0, 15.0
FACTS = 40_000
"Facts that are timed, after as many as fill the house."
ROUNDS = 5


def house(size: int, serves: int) -> Scenario:
    """So many queues and agents; each agent serves `serves` neighbouring queues."""
    agents = tuple(
        AgentModel(AgentSpec(f"agent{index}"), answer_delay=Exponential(RING), refuse=0.03, miss=0.02)
        for index in range(size)
    )
    queues = tuple(
        QueueSpec(
            f"queue{index}",
            agents=tuple(f"agent{(index - back) % size}" for back in range(min(serves, size))),
            wrap_up=WRAP,
            strategy=("longest_idle", "most_skilled", "round_robin", "fewest_calls")[index % 4],
        )
        for index in range(size)
    )
    per_hour = LOAD * 3600 / TALK
    arrivals = tuple(
        Arrivals(queue.id, per_hour=per_hour, handling=Exponential(TALK), patience=Exponential(90.0))
        for queue in queues
    )
    # A contact is about five facts.
    hours = 2 * TALK / 3600 + FACTS / (5.0 * per_hour * size)
    return Scenario(queues, agents, arrivals, hours=hours)


class Enough(Exception):
    pass


def day(size: int, serves: int) -> tuple[list[Fact], list[Fact]]:
    """The facts that fill the house, and those to be timed."""
    scenario = house(size, serves)
    before: list[Fact] = []
    timed: list[Fact] = []
    full_at = scenario.start + 2 * TALK

    def listen(fact: Fact) -> None:
        if fact.at < full_at:
            before.append(fact)
        elif len(timed) < FACTS:
            timed.append(fact)
        else:
            raise Enough

    with suppress(Enough):
        simulate(scenario, seed=7, listen=listen)
    return before, timed


def told(facts: list[Fact]) -> Centre:
    centre = Centre()
    for fact in facts:
        step(centre, fact)
    return centre


def seconds(centre: Centre, facts: list[Fact]) -> float:
    with collected():
        began = perf_counter()
        for fact in facts:
            step(centre, fact)
        return perf_counter() - began


@contextmanager
def collected() -> Iterator[None]:
    """Without the cyclic collector's pauses: the core makes no cycles."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def python_calls(centre: Centre, facts: list[Fact]) -> float:
    """Calls of Python functions per fact."""
    calls = 0

    def count(_frame: FrameType, kind: str, _arg: Any) -> None:
        nonlocal calls
        calls += kind == "call"

    sys.setprofile(count)
    try:
        for fact in facts:
            step(centre, fact)
    finally:
        sys.setprofile(None)
    return calls / len(facts)


def run() -> dict[str, Any]:
    worlds = {
        "10 queues, 10 agents": (10, 3),
        "10,000 queues, 10,000 agents": (10_000, 3),
        "10,000 and 10,000, 50 queues an agent": (10_000, 50),
    }
    measured: dict[str, dict[str, float]] = {}
    for name, (size, serves) in worlds.items():
        before, timed = day(size, serves)
        best = min(seconds(told(before), timed) for _ in range(ROUNDS if size < 100 else 3))
        calls = python_calls(told(before), timed[:10_000])
        measured[name] = {
            "facts_per_s": len(timed) / best,
            "python_calls_per_fact": calls,
            "facts": len(timed),
        }
    small, large, wide = measured.values()
    calls_ratio = large["python_calls_per_fact"] / small["python_calls_per_fact"]
    time_ratio = small["facts_per_s"] / large["facts_per_s"]

    def figure(
        what: str, asked: str, value: float, ok: Callable[[float], bool], shown: str
    ) -> dict[str, Any]:
        return {"what": what, "asked": asked, "measured": shown.format(value), "ok": ok(value)}

    figures = [
        figure(f"facts a second, {name}", "≥ 30,000", one["facts_per_s"], lambda v: v >= 30_000, "{:,.0f}")
        for name, one in list(measured.items())[:2]
    ]
    figures.append(
        {
            "what": "facts a second, 50 queues an agent",
            "asked": "",
            "measured": f"{wide['facts_per_s']:,.0f}",
            "ok": None,
        }
    )
    figures += [
        figure("Python calls a fact, large : small", "≤ 1.05", calls_ratio, lambda v: v <= 1.05, "{:.3f}"),
        figure("time a fact, large : small", "≤ 2.5", time_ratio, lambda v: v <= 2.5, "{:.2f}"),
        {
            "what": "Python calls a fact: small, large, 50 queues an agent",
            "asked": "",
            "measured": ", ".join(f"{one['python_calls_per_fact']:.2f}" for one in (small, large, wide)),
            "ok": None,
        },
    ]
    return {"figures": figures, "worlds": measured}
