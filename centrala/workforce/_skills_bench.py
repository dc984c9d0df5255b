"""What a staffing does to each type of calls: the compiled kernel on the same callers for every staffing."""

import math
from collections.abc import Sequence
from time import monotonic
from typing import Any

import numpy as np
from scipy import special  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce._jit import compiled
from centrala.workforce._kernel import run
from centrala.workforce._skills_model import Design
from centrala.workforce.checks import Floats
from centrala.workforce.fast import Calls, World, draw

Array = np.ndarray[Any, Any]
Counts = tuple[int, ...]

OFFERED, IN_TIME, GONE_IN_TIME, GONE, WAITED, WAIT, SERVED = range(7)

RUN_CALLS = 20_000
"Of one run, so that some dozen runs have an interval, and a hopeless staffing costs but one."
MOST_RUN_CALLS = 120_000
CLEAR = 4.0
"Standard errors at which more runs are not needed to say yes or no."
FLOOR = 0.002
HOPELESS = 6.0


@compiled
def tally(
    times: Array, patience: Array, offsets: Array, answered: Array, by: Array, counted_from: float, within: Array,
    out: Array,
) -> None:  # fmt: skip
    """`out` (types + 1) x 7 gets counts by type, and in its last row of all calls by the last `within`; where that is
    below 0, each by its own type's."""
    types = offsets.size - 1
    for s in range(types):
        for c in range(offsets[s], offsets[s + 1]):
            if times[c] < counted_from:
                continue
            served = by[c] >= 0
            wait = answered[c] - times[c] if served else patience[c]
            for row in (s, types):
                limit = within[row] if within[row] >= 0.0 else within[s]
                out[row, 0] += 1
                if served:
                    out[row, 6] += 1
                    if wait <= limit:
                        out[row, 1] += 1
                else:
                    out[row, 3] += 1
                    if wait <= limit:
                        out[row, 2] += 1
                if wait > 0.0:
                    out[row, 4] += 1
                    out[row, 5] += wait


class Bench:
    """Runs with seeds of their own; what was simulated once is kept.

    One run has at least `RUN_CALLS` calls after a warm-up of twenty handling times; the callers of run r are the
    same for every staffing (common random numbers).
    """

    def __init__(self, design: Design, seed: int, runs: int) -> None:
        self.design = design
        self.runs = runs
        self.seed = seed
        rarest = design.rate[design.rate > 0].min() / design.rate.sum()
        calls = float(np.clip(RUN_CALLS / 20 / rarest, RUN_CALLS, MOST_RUN_CALLS))
        counted = calls / design.rate.sum()
        warm = max(20 * float(design.handling.max()) / 3600, 0.03 * counted)
        self.scenario = design.scenario([1] * len(design.groups), hours=counted + warm, warm_up=warm * 3600)
        self.world = World.of(self.scenario)
        self.kept: dict[Counts, list[Floats]] = {}
        self.drawn: list[Calls] = []
        self.simulated = 0
        self.margin = np.zeros(len(design.limits))
        "Standard errors by which each limit must be kept."
        calls_of = np.append(design.rate, design.rate.sum()) * counted
        # After a single run: many times what chance does to shares of so many calls that wait for each other.
        self.hopeless = np.array(
            [max(0.03, HOPELESS / math.sqrt(calls_of[one.row])) * (1 if one.kind != "mean_wait" else 10)
             for one in design.limits]
        )  # fmt: skip

    def tallies(self, counts: Counts, runs: int) -> Floats:
        """Runs x (types + 1) x 7."""
        done = self.kept.setdefault(counts, [])
        while len(done) < runs:
            while len(self.drawn) <= len(done):
                self.drawn.append(draw(self.scenario, self.seed + len(self.drawn)))
            done.append(self._once(counts, self.drawn[len(done)]))
        return np.array(done[:runs])

    def _once(self, counts: Counts, calls: Calls) -> Floats:
        world, size = self.world, calls.times.size
        group_of = np.repeat(world.group_of, counts).astype(np.int32)
        agents = group_of.size
        answered, by = np.full(size, math.nan), np.full(size, -1, np.int32)
        start = self.scenario.start
        if agents:
            run(
                calls.times, calls.handling, calls.patience, calls.offsets, world.lead, world.wrap, group_of,
                world.groups_of, world.group_count, world.key, world.streams_of, world.stream_count,
                world.preference, np.ones(agents, np.bool_), world.change_at, world.change_agent,
                world.change_ready, start, start, start, answered, by, np.zeros(agents), np.zeros(agents),
            )  # fmt: skip
        out = np.zeros((len(self.design.types) + 1, 7))
        tally(
            calls.times, calls.patience, calls.offsets, answered, by, start + self.scenario.warm_up,
            self.design.within, out,
        )  # fmt: skip
        self.simulated += size
        return out

    def slack(self, counts: Counts, runs: int) -> Floats:
        """Runs x limits: by how much each limit is kept, below 0 where it isn't; shares, and of waits the part."""
        tallies = self.tallies(counts, runs)
        return np.stack([_kept(tallies, limit.row, limit) for limit in self.design.limits], axis=1)

    def meets(self, counts: Counts) -> bool:
        """On so many runs as are needed to be clear; on all of them where it isn't."""
        for runs in (1, 4, 8, 16, self.runs):
            runs = min(runs, self.runs)
            slack = self.slack(counts, runs)
            mean = slack.mean(axis=0)
            if runs == 1:
                if (mean < -self.hopeless).any():
                    return False
                continue
            error = slack.std(axis=0, ddof=1) / math.sqrt(runs)
            clear = CLEAR * error + FLOOR
            if (mean < -clear).any():
                return False
            if (mean > clear).all() or runs == self.runs:
                break
        return bool((mean >= self.margin * error).all())

    def score(self, counts: Counts, runs: int) -> Floats:
        """By limit, on a scale on which agents count about alike from few to many: normal quantiles of shares,
        logarithms of the rest; 0 is the target, more is better."""
        tallies = self.tallies(counts, runs).sum(axis=0, keepdims=True)
        found = []
        for limit in self.design.limits:
            edge = 0.25 / max(1.0, tallies[0, limit.row, OFFERED])
            value = float(measure(tallies, limit.row, limit.kind, limit.definition)[0])
            match limit.kind:
                case "service_level":
                    found.append(_normal(value, edge) - _normal(limit.value, edge))
                case "wait_chance":
                    found.append(_normal(limit.value, edge) - _normal(value, edge))
                case "abandon":
                    found.append(math.log(limit.value / max(value, edge)))
                case "mean_wait":
                    found.append(math.log(limit.value / min(max(value, 1e-6), 1e9)))
        return np.array(found)


def measure(tallies: Floats, row: int, kind: str, definition: str = "A") -> Floats:
    """One figure by run; with nobody calling, what could not be better."""
    one = tallies[:, row, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        match kind, definition:
            case "service_level", "A":
                part = one[:, IN_TIME] / one[:, OFFERED]
            case "service_level", "B":
                part = (one[:, IN_TIME] + one[:, GONE_IN_TIME]) / one[:, OFFERED]
            case "service_level", "C":
                stayed = one[:, OFFERED] - one[:, GONE_IN_TIME]
                part = np.where(stayed > 0, one[:, IN_TIME] / stayed, 0.0)
            case "service_level", "D":
                # Who serves nobody has served nobody in time.
                part = np.where(one[:, SERVED] > 0, one[:, IN_TIME] / one[:, SERVED], 0.0)
            case "abandon", _:
                part = one[:, GONE] / one[:, OFFERED]
            case "wait_chance", _:
                part = one[:, WAITED] / one[:, OFFERED]
            case _:
                part = one[:, WAIT] / one[:, OFFERED]
    nobody = 1.0 if kind == "service_level" else 0.0
    return np.where(one[:, OFFERED] > 0, part, nobody)


def _kept(tallies: Floats, row: int, limit: Any) -> Floats:
    value = measure(tallies, row, limit.kind, limit.definition)
    if limit.kind == "service_level":
        return np.asarray(value - limit.value)
    if limit.kind == "mean_wait":
        return np.asarray(1.0 - np.minimum(value, 1e9) / limit.value)
    return np.asarray(limit.value - value)


def _normal(share: float, edge: float) -> float:
    return float(special.ndtri(min(max(share, edge), 1.0 - edge)))


class Clock:
    """Time that is left of so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.end = monotonic() + seconds
        self.grace = seconds / 4

    def over(self) -> bool:
        """Even to put right what other callers have refuted, for which there is a quarter more."""
        return self.left() < -self.grace

    def left(self) -> float:
        return self.end - monotonic()


def as_counts(values: Sequence[float] | Floats) -> Counts:
    return tuple(round(float(value)) for value in values)
