"""Estimates of the wait against the waits themselves, in simulated queues that have nothing to do with the core.

30 agents, exponential handling (mean 240 s) and patience (mean 300 s), a load of 0.95 that swings by 0.25 over four
hours. Every caller who has to wait is asked about on arrival; the truth is how long they would wait if they never gave
up (whoever gives up leaves a mark in the line, which goes when it gets to its turn). All methods see the same callers.
Then the same with agents who serve several queues, of which the caller who has waited longest is next.
"""

import math
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from centrala.core import estimate as es

SEEDS = 100
SHARED_SEEDS = 25
METHODS = ("own rates", "QLm", "QL", "HOL", "LES", "Asterisk")
Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, float], float]


def exponential(rng: np.random.Generator, mean: float) -> float:
    return float(rng.exponential(mean))


@dataclass(frozen=True, slots=True)
class World:
    """Times in seconds unless said otherwise."""

    groups: tuple[tuple[int, tuple[int, ...]], ...] = ((30, (0,)),)
    "So many agents, and the queues that they serve."
    handling: float = 240.0
    patience: float = 300.0
    load: float = 0.95
    shares: tuple[float, ...] = (1.0,)
    "Of the callers, for each queue."
    swing: float = 0.25
    hours: float = 4.0
    cycle: float = 4.0
    "Hours of one swing; each queue's is shifted against the others'."
    draw_handling: Draw = exponential
    draw_patience: Draw = exponential
    changed_handling: float = 0.0
    "Mean from the middle of the run on; 0: the same."

    @property
    def agents(self) -> int:
        return sum(size for size, _ in self.groups)

    def serving(self, queue: int) -> int:
        return sum(size for size, queues in self.groups if queue in queues)


@dataclass(eq=False, slots=True)
class Caller:
    at: float
    guesses: dict[str, float]
    median: float
    gone: bool = False
    turn: bool = False
    "It came."


@dataclass(slots=True)
class Day:
    """Those who had to wait, in the order of their turn."""

    waits: list[float] = field(default_factory=list)
    guesses: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in METHODS})
    medians: list[float] = field(default_factory=list)


class Line:
    """A queue: those in it, and what each method remembers."""

    def __init__(self, world: World, number: int) -> None:
        self.number = number
        self.callers: deque[Caller] = deque()
        self.waiting = 0
        self.rates = es.staffed(es.Rates(), 0.0, world.serving(number))
        self.capacity = world.serving(number) / world.handling
        self.theta = 1 / world.patience
        self.shared = any(number in queues and len(queues) > 1 for _, queues in world.groups)
        self.last = 0.0
        self.asterisk = 0.0

    def guess(self, at: float) -> Caller:
        head = next((one for one in self.callers if not one.gone), None)
        age = at - head.at if head is not None else 0.0
        own = es.estimate(self.rates, self.waiting, shared=self.shared, head=age)
        assert own is not None
        guesses = {
            "own rates": own.seconds,
            "QLm": es.reckoned(self.waiting, self.capacity, self.theta).seconds,
            "QL": (self.waiting + 1) / self.capacity,
            "HOL": age,
            "LES": self.last,
            # app_queue.c: what is announced to who asks on arrival, without the 30 s that it adds to round up.
            "Asterisk": self.asterisk,
        }
        return Caller(at, guesses, own.median)

    def answer(self, at: float, wait: float) -> None:
        self.asterisk = (3 * self.asterisk + wait) / 4
        if wait > 0:
            self.last = wait
        self.rates = es.taken(self.rates, at, wait)


def arrivals(world: World, queue: int, rng: np.random.Generator) -> list[float]:
    """Poisson with a rate that swings, by thinning."""
    base = world.agents / world.handling * world.shares[queue]
    most = base * (world.load + world.swing)
    shift = queue / len(world.shares)
    end = world.hours * 3600
    times: list[float] = []
    at = 0.0
    while (at := at + float(rng.exponential(1 / most))) < end:
        rate = base * (world.load + world.swing * math.sin(2 * math.pi * (at / (world.cycle * 3600) + shift)))
        if rng.random() * most < rate:
            times.append(at)
    return times


def day(world: World, seed: int) -> Day:
    """One run from an empty house in which nothing has been learned."""
    rng = np.random.default_rng(seed)
    found = Day()
    lines = [Line(world, queue) for queue in range(len(world.shares))]
    order = count()
    free = [size for size, _ in world.groups]
    heap: list[tuple[float, int, str, Line, int, Caller | None]] = []

    def push(at: float, what: str, line: Line, group: int = 0, caller: Caller | None = None) -> None:
        heappush(heap, (at, next(order), what, line, group, caller))

    def serve(group: int, line: Line, at: float, wait: float) -> None:
        free[group] -= 1
        line.answer(at, wait)
        late = world.changed_handling and at > world.hours * 1800
        mean = world.changed_handling if late else world.handling
        push(at + world.draw_handling(rng, mean), "done", line, group)

    def next_in_line(group: int, at: float) -> None:
        """An agent is free: marks of those who gave up go, the first who is still there is answered."""
        while mine := [lines[queue] for queue in world.groups[group][1] if lines[queue].callers]:
            line = min(mine, key=lambda one: one.callers[0].at)
            caller = line.callers.popleft()
            caller.turn = True
            wait = at - caller.at
            found.waits.append(wait)
            found.medians.append(caller.median)
            for name, guess in caller.guesses.items():
                found.guesses[name].append(guess)
            if not caller.gone:
                line.waiting -= 1
                serve(group, line, at, wait)
                return

    for line in lines:
        for at in arrivals(world, line.number, rng):
            push(at, "call", line)
    while heap:
        at, _, what, line, group, caller = heappop(heap)
        if what == "done":
            free[group] += 1
            line.rates = es.freed(line.rates, at)
            next_in_line(group, at)
        elif caller is not None:
            if not caller.turn:
                caller.gone = True
                line.waiting -= 1
                line.rates = es.gave_up(line.rates, at)
        else:
            idle = [
                one for one, (_, queues) in enumerate(world.groups) if free[one] and line.number in queues
            ]
            if idle:
                line.rates = es.queued(line.rates, at)
                serve(idle[0], line, at, 0.0)
                continue
            caller = line.guess(at)
            line.callers.append(caller)
            line.waiting += 1
            line.rates = es.queued(line.rates, at)
            push(at + world.draw_patience(rng, world.patience), "gives up", line, 0, caller)
    return found


@dataclass(frozen=True, slots=True)
class Score:
    """Of one method over all seeds, seconds; with half-widths of 95 % intervals over seeds."""

    error: float
    bias: float
    bias_half: float
    ratio: float
    "Of the error to that of QLm."
    ratio_half: float


def score(days: Sequence[Day]) -> dict[str, Score]:
    found: dict[str, Score] = {}
    sizes = np.array([len(one.waits) for one in days], dtype=float)
    squares: dict[str, Floats] = {}
    sums: dict[str, Floats] = {}
    for name in METHODS:
        errors = [np.array(one.guesses[name]) - np.array(one.waits) for one in days]
        squares[name] = np.array([float(error @ error) for error in errors])
        sums[name] = np.array([float(error.sum()) for error in errors])
    for name in METHODS:
        ratio, half = _of_sums(squares[name], squares["QLm"])
        bias, bias_half = _of_sums(sums[name], sizes)
        error = math.sqrt(squares[name].sum() / sizes.sum())
        # A root has half the relative width of its square.
        found[name] = Score(error, bias, bias_half, math.sqrt(ratio), half / (2 * math.sqrt(ratio)))
    return found


def _of_sums(above: Floats, below: Floats) -> tuple[float, float]:
    """The ratio of two sums over seeds, and the half-width of its 95 % interval (delta method)."""
    ratio = float(above.sum() / below.sum())
    rest = above - ratio * below
    return ratio, 1.96 * math.sqrt(float(rest @ rest)) / float(below.sum())


SHARED = {
    "two queues, the same 30 agents": World(groups=((30, (0, 1)),), shares=(0.5, 0.5)),
    "three unequal queues, the same 30 agents": World(groups=((30, (0, 1, 2)),), shares=(0.6, 0.27, 0.13)),
    "two queues, 12 agents each and 10 for both": World(
        groups=((12, (0,)), (12, (1,)), (10, (0, 1))), shares=(0.5, 0.5)
    ),
    "four queues in a ring of 8 agents each": World(
        groups=((8, (0, 1)), (8, (1, 2)), (8, (2, 3)), (8, (3, 0))), shares=(0.25, 0.25, 0.25, 0.25)
    ),
    "three queues, the same 6 agents": World(groups=((6, (0, 1, 2)),), shares=(1 / 3, 1 / 3, 1 / 3)),
}


def run() -> dict[str, Any]:
    days = [day(World(), seed) for seed in range(SEEDS)]
    scores = score(days)
    waits = np.concatenate([np.array(one.waits) for one in days])
    medians = np.concatenate([np.array(one.medians) for one in days])
    own = scores["own rates"]
    figures: list[dict[str, Any]] = [
        {
            "what": f"callers who had to wait in {SEEDS} runs of 4 h, and how long they would",
            "asked": "mean about 55 s",
            "measured": f"{len(waits):,}, {waits.mean():.1f} s",
            "ok": None,
        },
        {
            "what": "error (RMSE) with rates learned as it goes, in those of QLm with true rates",
            "asked": "<= 1.05",
            "measured": f"{own.ratio:.3f} ± {own.ratio_half:.3f}",
            "ok": own.ratio <= 1.05,
        },
        {
            "what": "bias with rates learned as it goes",
            "asked": "within ± 2 s",
            "measured": f"{own.bias:+.1f} ± {own.bias_half:.1f} s",
            "ok": abs(own.bias) <= 2.0,
        },
        {
            "what": "callers who would wait no longer than the median of their estimate",
            "asked": "about 50 %",
            "measured": f"{(waits <= medians).mean():.1%}",
            "ok": None,
        },
    ]
    figures += [
        {
            "what": f"error and bias of {name}",
            "asked": "",
            "measured": f"{one.error:.1f} s, {one.bias:+.1f} s",
            "ok": None,
        }
        for name, one in scores.items()
    ]
    for what, world in SHARED.items():
        shared = score([day(world, seed) for seed in range(SHARED_SEEDS)])
        figures.append(
            {
                "what": f"{what}: error and bias",
                "asked": "own below HOL",
                "measured": ", ".join(
                    f"{name} {shared[name].error:.1f} {shared[name].bias:+.1f} s"
                    for name in ("own rates", "HOL", "QLm")
                ),
                "ok": shared["own rates"].error < shared["HOL"].error,
            }
        )
    return {"figures": figures}


if __name__ == "__main__":
    for figure in run()["figures"]:
        print(figure["what"], figure["measured"], file=sys.stderr)
