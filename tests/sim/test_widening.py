"""Stages against a simulation of their own: the N-design, written down anew in one page without the core.

Two kinds of callers, A and B. Agents of group 1 serve A alone; those of group 2 serve B, and A once the queue opens to
them: for a caller who has waited so long, or while so many wait. Whoever is freed takes the longest wait among those
they may have. Each figure of both must agree within the confidence interval of their difference, which must be narrow;
without stages, or with another time, they must not.
"""

from collections import deque
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from math import sqrt
from random import Random
from statistics import fmean, stdev

import pytest

from centrala.core.specs import AgentSpec, QueueSpec, Widen
from centrala.sim import AgentModel, Arrivals, Exponential, Result, Scenario, simulate

pytestmark = pytest.mark.sim

SURE = 3.9
"Standard errors: one figure of ten thousand lies outside by chance."


@dataclass(frozen=True)
class Design:
    first: int = 6
    "Agents of group 1, and of group 2."
    second: int = 3
    a: float = 100.0
    "Calls per hour, of A and of B."
    b: float = 30.0
    handling: float = 240.0
    patience: float = 200.0
    after: float | None = 30.0
    length: int | None = None
    hours: float = 60.0


def by_hand(design: Design, seed: int) -> list[tuple[str, float, int]]:
    """(kind, wait, group that answered: 0 nobody) of every caller."""
    rng = Random(f"by hand {seed}")
    heap: list[tuple[float, int, str, int]] = []
    count = 0

    def put(at: float, what: str, who: int) -> None:
        nonlocal count
        count += 1
        heappush(heap, (at, count, what, who))

    idle = {1: design.first, 2: design.second}
    came: dict[int, tuple[str, float]] = {}
    lines: dict[str, deque[int]] = {"A": deque(), "B": deque()}
    done: dict[int, tuple[str, float, int]] = {}
    end = design.hours * 3600.0

    def take(who: int, group: int, now: float) -> None:
        kind, at = came[who]
        lines[kind].remove(who)
        idle[group] -= 1
        done[who] = (kind, now - at, group)
        put(now + rng.expovariate(1 / design.handling), "free", group)

    def helped(now: float) -> int | None:
        """The first of A that group 2 may have."""
        if not lines["A"]:
            return None
        who = lines["A"][0]
        waited = design.after is not None and now >= came[who][1] + design.after
        long = design.length is not None and len(lines["A"]) >= design.length
        return who if waited or long else None

    def meet(now: float) -> None:
        while idle[1] and lines["A"]:
            take(lines["A"][0], 1, now)
        while idle[2]:
            mine = [who for who in (helped(now), *list(lines["B"])[:1]) if who is not None]
            if not mine:
                return
            take(min(mine), 2, now)

    for kind, rate in (("A", design.a), ("B", design.b)):
        put(rng.expovariate(rate / 3600.0), kind, 0)
    number = 0
    while heap:
        now, _, what, who = heappop(heap)
        match what:
            case "A" | "B":
                if now > end:
                    continue
                number += 1
                came[number] = (what, now)
                lines[what].append(number)
                rate = design.a if what == "A" else design.b
                put(now + rng.expovariate(rate / 3600.0), what, 0)
                put(now + rng.expovariate(1 / design.patience), "gives up", number)
                if what == "A" and design.after is not None:
                    put(now + design.after, "opens", number)
            case "free":
                idle[who] += 1
            case "gives up" if who not in done:
                kind, at = came[who]
                lines[kind].remove(who)
                done[who] = (kind, now - at, 0)
            case _:
                pass
        meet(now)
    return list(done.values())


def live(design: Design, seed: int, **other: float | int | None) -> list[tuple[str, float, int]]:
    """The same out of the core."""
    how = replace(design, **other) if other else design  # type: ignore[arg-type]
    names = {1: [f"one{n}" for n in range(how.first)], 2: [f"two{n}" for n in range(how.second)]}
    stages = (Widen(after=how.after, length=how.length, queues=("B",)),)
    if how.after is None and how.length is None:
        stages = ()
    result: Result = simulate(
        Scenario(
            queues=(
                QueueSpec("A", agents=tuple(names[1]), wrap_up=0.0, widen=stages, short_abandon=0.0),
                QueueSpec("B", agents=tuple(names[2]), wrap_up=0.0, short_abandon=0.0),
            ),
            agents=tuple(AgentModel(AgentSpec(name)) for group in names.values() for name in group),
            arrivals=tuple(
                Arrivals(
                    kind,
                    per_hour=rate,
                    handling=Exponential(how.handling),
                    patience=Exponential(how.patience),
                )
                for kind, rate in (("A", how.a), ("B", how.b))
            ),
            hours=how.hours,
        ),
        seed=seed,
    )
    group = {name: number for number, group in names.items() for name in group}
    return [(who.number, who.wait, group.get(who.agent or "", 0)) for who in result.contacts]


def figures(callers: list[tuple[str, float, int]]) -> dict[str, float]:
    a = [one for one in callers if one[0] == "A"]
    b = [one for one in callers if one[0] == "B"]
    return {
        "A waits": fmean(one[1] for one in a),
        "A late": fmean(one[1] > 30.0 for one in a),
        "A gives up": fmean(one[2] == 0 for one in a),
        "A helped": fmean(one[2] == 2 for one in a),
        "B waits": fmean(one[1] for one in b),
        "B gives up": fmean(one[2] == 0 for one in b),
    }


def compared(design: Design, runs: int, **other: float | int | None) -> dict[str, tuple[float, float]]:
    """Figure → (difference in its standard errors, standard error as a share of the figure)."""
    hand = [figures(by_hand(design, seed)) for seed in range(runs)]
    ours = [figures(live(design, seed, **other)) for seed in range(runs)]
    found: dict[str, tuple[float, float]] = {}
    for name in hand[0]:
        one, two = [run[name] for run in hand], [run[name] for run in ours]
        error = sqrt((stdev(one) ** 2 + stdev(two) ** 2) / runs)
        found[name] = (abs(fmean(one) - fmean(two)) / error, error / fmean(one))
    return found


@pytest.mark.parametrize(
    "design",
    [
        Design(),
        pytest.param(Design(after=0.0), marks=pytest.mark.soak),
        pytest.param(Design(after=90.0, b=38.0), marks=pytest.mark.soak),
        Design(after=None, length=3),
        Design(after=60.0, length=4, a=120.0),
    ],
    ids=["after 30", "at once", "after 90, B busy", "at 3 waiting", "after 60 or at 4"],
)
def test_stages_do_what_the_design_does(design: Design) -> None:
    for name, (apart, spread) in compared(design, 12).items():
        assert apart < SURE, f"{name} is {apart:.1f} standard errors off"
        assert spread < 0.1, f"{name} can't be told: {spread:.0%}"


@pytest.mark.parametrize(
    "other",
    [{"after": None}]
    + [pytest.param(one, marks=pytest.mark.soak) for one in ({"after": 45.0}, {"after": None, "length": 3})],
)
def test_another_design_is_told_apart(other: dict[str, float | None]) -> None:
    assert any(apart > SURE for apart, _ in compared(Design(), 12, **other).values())
