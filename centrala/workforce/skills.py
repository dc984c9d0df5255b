"""Several types of calls, agents who serve some of them: how many of each group, at the least cost.

    plan = staff_skills(
        [CallType("sales", 300, 240, 180), CallType("service", 420, 180, 240, Target(0.7, 30))],
        [AgentGroup("s", ["sales"]), AgentGroup("v", ["service"]), AgentGroup("both", ["sales", "service"], 1.15)],
    )
    plan.agents, plan.cost, plan.bound, plan.gap, plan.types["sales"].service_level

Targets are of the long run with steady arrivals, as in `staff`. Calls go to agents as the core would send them: to who
is idle longest (or most skilled); who becomes free takes what they prefer, else who has waited longest, priorities
counted in. Everything is simulated with the same callers for every staffing; the answer is then confirmed with others.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Literal

import numpy as np

from centrala.sim import Interval
from centrala.sim.result import interval_of
from centrala.workforce import checks
from centrala.workforce._skills_bench import Bench, Clock, Counts, measure
from centrala.workforce._skills_bound import Array, Rows, hindrance, least_cost
from centrala.workforce._skills_model import MOST_AGENTS, AgentGroup, CallType, Design, design_of
from centrala.workforce._skills_search import Search
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, NoAgents, Unattainable
from centrala.workforce.staffing import Target

__all__ = [
    "AgentGroup",
    "CallType",
    "SkillBound",
    "SkillPlan",
    "TypeFigures",
    "skill_bound",
    "staff_skills",
    "try_skills",
]

RUNS = 32
"Of the search, at the most, for one staffing."
CONFIRMING_RUNS = 60
CONFIRMATIONS = 8
AGAIN = 0.5
"Share of the time that must be left for a second start."
APART = 1_000_003
"Between the seeds of the search and of each confirmation: no caller is met twice."


@dataclass(frozen=True, slots=True)
class TypeFigures:
    """What calls of one type, or all, meet: means with their 95 % confidence intervals."""

    service_level: Interval
    "By the definition of its target; A without one."
    p_abandon: Interval
    p_wait: Interval
    mean_wait: Interval
    "Seconds, of all calls."
    slack: float
    "Least amount by which a target is kept: shares, of a mean wait its part; inf where nothing is asked."
    sure: bool
    "No target is in doubt by its confidence interval."

    @property
    def met(self) -> bool:
        return self.slack >= 0


@dataclass(frozen=True, slots=True)
class SkillBound:
    """No staffing that meets the targets costs less."""

    pooled: float
    "If no routing serves a set of types better than one line over all who serve any of them would."
    proven: float
    "Whatever the routing; what it rests on is said in `_skills_bound`."


@dataclass(frozen=True, slots=True)
class SkillPlan:
    """The cheapest numbers of agents that were found, and what they do."""

    agents: dict[str, int]
    cost: float
    bound: float
    "No staffing that meets the targets costs less, by what `certificate` says."
    certificate: Literal["tried", "pooled"]
    """`tried`: every cheaper staffing that the proven bound leaves was simulated, or one with more agents and still
    cheaper, and fails, or keeps its targets too closely to tell; sure but for chance, if an agent more never harms.
    `pooled`: as `SkillBound.pooled`."""
    bounds: SkillBound
    types: dict[str, TypeFigures]
    "From runs with other callers than the search's."
    overall: TypeFigures
    "Of all calls; without an overall target in time is what each type calls so."
    confirmed: bool
    "All targets are met there too."
    simulated: int
    "Calls, in search and confirmation."
    seconds: float

    @property
    def gap(self) -> float:
        """At most this part of the cost could be saved, by what `certificate` says."""
        return (self.cost - self.bound) / self.cost if self.cost else 0.0

    @property
    def proven_gap(self) -> float:
        """The same whatever the routing."""
        return (self.cost - self.bounds.proven) / self.cost if self.cost else 0.0


def staff_skills(
    types: Sequence[CallType],
    groups: Sequence[AgentGroup],
    *,
    overall: Target | None = None,
    seed: int = 1,
    seconds: float = 60.0,
) -> SkillPlan:
    """The least cost at which every target is met. After `seconds` (and a quarter to confirm it) the best so far.

    The same seed gives the same answer unless the time runs out. Raises BadInput, NoAgents, NotModelled, and
    Unattainable for targets that the most agents allowed don't meet.
    """
    began = monotonic()
    clock = Clock(checks.one_positive("seconds", seconds))
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise BadInput(f"seed: {seed!r} must be a whole number from 0 on")
    design, rows, most = question(types, groups, overall)
    bounds = bounds_of(design, rows, most)
    bench = Bench(design, int(seed), RUNS)
    search, most = _found(design, bench, rows, most, clock)
    exhausted = False
    confirming = Bench(design, int(seed) + APART, CONFIRMING_RUNS)
    simulated = 0
    for number in range(CONFIRMATIONS):
        search.improve()
        exhausted = search.exhaust()
        if not exhausted and number == 0 and clock.left() > AGAIN * seconds:
            search.again()
        assert search.best is not None
        confirming = Bench(design, int(seed) + APART * (number + 1), CONFIRMING_RUNS)
        missed = confirming.slack(search.best, CONFIRMING_RUNS).mean(axis=0) < 0
        simulated += confirming.simulated
        if not missed.any() or number == CONFIRMATIONS - 1 or clock.over():
            break
        # Lucky on the search's callers alone: this staffing is out, its neighbours upwards are next.
        if not search.climb(missed):
            raise _unmet(design, confirming, search.best)
    assert search.best is not None
    best = search.best
    figures = figures_of(design, confirming, best, CONFIRMING_RUNS)
    cost = search.cost(best)
    return SkillPlan(
        {group.name: count for group, count in zip(design.groups, best, strict=True)},
        cost,
        cost if exhausted else min(bounds.pooled, cost),
        "tried" if exhausted else "pooled",
        bounds,
        figures[0],
        figures[1],
        all(one.met for one in (*figures[0].values(), figures[1])),
        bench.simulated + simulated,
        monotonic() - began,
    )


def try_skills(
    types: Sequence[CallType],
    groups: Sequence[AgentGroup],
    agents: Mapping[str, int],
    *,
    overall: Target | None = None,
    seed: int = 1,
    runs: int = CONFIRMING_RUNS,
) -> tuple[dict[str, TypeFigures], TypeFigures]:
    """What so many agents of each group do: by type, and all calls. Groups not named have none."""
    design = design_of(types, groups, overall)
    for name in agents:
        if name not in {group.name for group in design.groups}:
            raise BadInput(f"agents of {name}: there is no such group")
    counts: Counts = tuple(
        checks.whole(f"agents of {group.name}", agents.get(group.name, 0), 0) for group in design.groups
    )
    if not any(counts):
        raise NoAgents("agents: there are none; nobody serves the calls")
    if sum(counts) > MOST_AGENTS:
        raise BadInput(f"agents: {sum(counts)} are more than the {MOST_AGENTS} that are simulated")
    many = checks.whole("runs", runs, 5)
    return figures_of(design, Bench(design, seed, many), counts, many)


def skill_bound(
    types: Sequence[CallType], groups: Sequence[AgentGroup], *, overall: Target | None = None
) -> SkillBound:
    """Bounds alone, without a simulation. Raises as `staff_skills`."""
    design, rows, most = question(types, groups, overall)
    return bounds_of(design, rows, most)


def question(
    types: Sequence[CallType], groups: Sequence[AgentGroup], overall: Target | None
) -> tuple[Design, Rows, Array]:
    """(what is asked, rows of the bounds, as many agents by group as are tried at first). Raises as `staff_skills`."""
    design = design_of(types, groups, overall)
    rows = Rows(design)
    # As many as would serve all their types apart, and some more, are enough to begin with.
    apart = np.array([
        max([float(rows.pooled((place,))), float(rows.proven((place,)))]) if rate > 0 else 0.0
        for place, rate in enumerate(design.rate)
    ])  # fmt: skip
    everything = float(rows.pooled_need.max())
    enough = design.serves @ np.ceil(1.3 * apart + 3) + math.ceil(everything)
    enough = np.where(design.serves.any(axis=1), enough, 0)
    most = np.where(design.most < 0, np.maximum(enough, design.least), design.most).astype(float)
    error = hindrance(design, rows, most)
    if error is not None:
        raise error
    if rows.proven_need.max() > MOST_AGENTS or design.least.sum() > MOST_AGENTS:
        raise BadInput(f"more than {MOST_AGENTS} agents are needed: that many are not simulated")
    return design, rows, most


def bounds_of(design: Design, rows: Rows, most: Array) -> SkillBound:
    proven, _ = least_cost(rows.who, rows.proven_need, design.cost, design.least, most)
    if math.isinf(proven):
        raise Unattainable(
            "the groups together may not have as many agents as their types need: raise `most`"
        )
    pooled, _ = least_cost(rows.who, rows.pooled_need, design.cost, design.least, most)
    return SkillBound(proven if math.isinf(pooled) else max(pooled, proven), proven)


def _found(design: Design, bench: Bench, rows: Rows, most: Array, clock: Clock) -> tuple[Search, Array]:
    """A search with a staffing that meets the targets; where groups have no limit, it is moved up as needed."""
    while True:
        search = Search(bench, rows, most, clock)
        if search.first():
            return search, most
        free = design.most < 0
        if not free.any() or most.sum() > MOST_AGENTS:
            raise _unmet(design, bench, tuple(int(one) for one in most))
        most = np.where(free, np.ceil(most * 1.5) + 2, most)


def _unmet(design: Design, bench: Bench, counts: Counts) -> Unattainable:
    slack = bench.slack(counts, min(16, bench.runs)).mean(axis=0)
    worst = int(slack.argmin())
    limit = design.limits[worst]
    name = "all calls" if limit.row == len(design.types) else f"type {design.types[limit.row].name}"
    what = limit.kind.replace("_", " ")
    tallies = bench.tallies(counts, min(16, bench.runs))
    got = float(measure(tallies, limit.row, limit.kind, limit.definition).mean())
    return Unattainable(
        f"{name}: {what} {limit.value:g} isn't met even with the most agents allowed ({sum(counts)}): {got:.3g}"
    )


def figures_of(
    design: Design, bench: Bench, counts: Counts, runs: int
) -> tuple[dict[str, TypeFigures], TypeFigures]:
    tallies = bench.tallies(counts, runs)
    slack = bench.slack(counts, runs)
    found = []
    for row in range(len(design.types) + 1):
        own = [index for index, one in enumerate(design.limits) if one.row == row]
        ways = [
            design.limits[index].definition for index in own if design.limits[index].kind == "service_level"
        ]
        parts = [interval_of(slack[:, index].tolist()) for index in own]
        found.append(
            TypeFigures(
                _interval(measure(tallies, row, "service_level", ways[0] if ways else "A")),
                _interval(measure(tallies, row, "abandon")),
                _interval(measure(tallies, row, "wait_chance")),
                _interval(measure(tallies, row, "mean_wait")),
                min((one.mean for one in parts), default=math.inf),
                all(0.0 not in one for one in parts),
            )
        )
    return {one.name: found[row] for row, one in enumerate(design.types)}, found[-1]


def _interval(values: Floats) -> Interval:
    return (
        interval_of(values.tolist())
        if np.isfinite(values).all()
        else Interval(math.inf, math.inf, len(values))
    )
