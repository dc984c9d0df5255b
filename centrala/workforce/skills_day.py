"""Several skills over a day: how many agents of each group work each shift, at the least cost.

    plan = staff_skills_day(
        types, {"sales": [120, 300, 280, 90], "service": [200, 420, 380, 150]}, groups,
        [Shift("early", [1, 1, 0, 0]), Shift("middle", [0, 1, 1, 0]), Shift("late", [0, 0, 1, 1])],
    )
    plan.agents["both", "early"], plan.on_duty["both"], plan.cost, plan.bound

Each period is staffed as if it lasted for ever (as `staff_day` does with `stationary`): good where handling times are
short beside the periods.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from centrala.workforce import checks
from centrala.workforce._skills_bench import Bench, Clock, Counts, as_counts
from centrala.workforce._skills_bound import Array, Rows, least_cost
from centrala.workforce._skills_model import AgentGroup, CallType, Design
from centrala.workforce._skills_search import MOST_CUTS, ROUGH, Search
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, Unattainable
from centrala.workforce.skills import (
    APART,
    CONFIRMING_RUNS,
    RUNS,
    SkillBound,
    TypeFigures,
    figures_of,
    question,
)

MOST_PERIODS = 200
MOST_KINDS = 5000
"Of groups x shifts."
CONFIRMATIONS = 5


@dataclass(frozen=True, slots=True)
class Shift:
    """When an agent is on the phones."""

    name: str
    works: Sequence[int | bool]
    "1 for each period on the phones, 0 for the others (before, after, at lunch)."
    cost: float | None = None
    "Times the group's cost; None: the number of periods worked."
    groups: Sequence[str] | None = None
    "Who may work it; None: all."


@dataclass(frozen=True, slots=True)
class SkillDay:
    """Agents by group and shift, and what they do in each period."""

    agents: dict[tuple[str, str], int]
    "(group, shift) → agents; those of whom there are none are left out."
    on_duty: dict[str, list[int]]
    "Group → agents by period."
    cost: float
    bounds: SkillBound
    types: dict[str, list[TypeFigures | None]]
    "By period, from runs with other callers than the search's; None in periods without calls of any type."
    confirmed: bool
    seconds: float

    @property
    def bound(self) -> float:
        """No plan that meets the targets costs less, if pooling never harms."""
        return min(self.bounds.pooled, self.cost)

    @property
    def gap(self) -> float:
        return (self.cost - self.bound) / self.cost if self.cost else 0.0


def staff_skills_day(
    types: Sequence[CallType],
    per_hour: Mapping[str, Sequence[float]],
    groups: Sequence[AgentGroup],
    shifts: Sequence[Shift],
    *,
    seed: int = 1,
    seconds: float = 120.0,
) -> SkillDay:
    """The least cost at which every type meets its target in every period.

    `per_hour`: type → calls an hour by period, in place of the types' own. A group's `least` and `most` are of the
    agents of all its shifts together. After `seconds` the best so far. Raises as `staff_skills`; Unattainable also for
    periods that no shift covers.
    """
    began = monotonic()
    clock = Clock(checks.one_positive("seconds", seconds))
    rates, kinds, covers, cost = _looked(types, per_hour, groups, shifts)
    day = _Day(types, rates, groups, kinds, covers, cost, seed, clock)
    bounds = day.bounds()
    chosen = day.thinner(day.first())
    confirmed: dict[int, Bench] = {}
    for number in range(CONFIRMATIONS):
        confirmed = {p: Bench(day.designs[p], seed + APART * (number + 1), CONFIRMING_RUNS) for p in day.own}
        missed = {
            p: bench.slack(day.there(chosen, p), CONFIRMING_RUNS).mean(axis=0) < 0
            for p, bench in confirmed.items()
        }
        if not any(one.any() for one in missed.values()) or number == CONFIRMATIONS - 1 or clock.over():
            break
        for p, one in missed.items():
            day.searches[p].bench.margin += one
            if one.any():
                day.searches[p].banned.add(day.there(chosen, p))
        chosen = day.thinner(day.first()) if clock.left() > 0 else day.filled(chosen)
    figures: dict[str, list[TypeFigures | None]] = {one.name: [] for one in types}
    for p in range(rates.shape[1]):
        like = day.like[p]
        found = (
            None
            if like is None
            else figures_of(day.designs[like], confirmed[like], day.there(chosen, like), CONFIRMING_RUNS)[0]
        )
        for name, row in figures.items():
            row.append(None if found is None else found[name])
    duty = np.array([day.cover(p) @ chosen for p in range(rates.shape[1])])
    return SkillDay(
        {
            (groups[g].name, shifts[s].name): round(float(count))
            for (g, s), count in zip(kinds, chosen, strict=True)
            if count
        },
        {group.name: [round(float(one)) for one in duty[:, g]] for g, group in enumerate(groups)},
        float(cost @ chosen),
        bounds,
        figures,
        all(one.met for row in figures.values() for one in row if one is not None),
        monotonic() - began,
    )


class _Day:
    """Periods with the same calls and the same shifts are looked at once: `like` says which stands for which."""

    def __init__(
        self, types: Sequence[CallType], rates: Floats, groups: Sequence[AgentGroup], kinds: list[tuple[int, int]],
        covers: Array, cost: Floats, seed: int, clock: Clock,
    ) -> None:  # fmt: skip
        self.kinds, self.covers, self.cost, self.clock = kinds, covers, cost, clock
        self.groups = len(groups)
        self.designs: dict[int, Design] = {}
        self.searches: dict[int, Search] = {}
        self.rows: dict[int, Rows] = {}
        self.like: list[int | None] = []
        known: dict[tuple[object, ...], int] = {}
        for p in range(rates.shape[1]):
            if not rates[:, p].any():
                self.like.append(None)
                continue
            key = (*rates[:, p].tolist(), *covers[:, p].tolist())
            first = known.setdefault(key, p)
            self.like.append(first)
            if first != p:
                continue
            own = [replace(one, per_hour=float(rate)) for one, rate in zip(types, rates[:, p], strict=True)]
            try:
                self.designs[p], self.rows[p], most = question(own, groups, None)
            except Unattainable as error:
                raise Unattainable(f"period {p + 1}: {error}") from None
            bench = Bench(self.designs[p], seed + 101 * p, RUNS)
            self.searches[p] = Search(bench, self.rows[p], most, clock)
        self.own = list(self.designs)
        if not self.own:
            raise BadInput("per_hour: nobody calls, in any period")
        self.least = np.zeros(len(kinds))
        self.most = np.full(len(kinds), float(sum(float(one.most.sum()) for one in self.searches.values())))
        of = np.array([[float(g == own) for own, _ in kinds] for g in range(self.groups)])
        self.heads = [
            *((of[g], float(one.least)) for g, one in enumerate(groups) if one.least),
            *((-of[g], -float(one.most)) for g, one in enumerate(groups) if one.most is not None),
        ]

    def cover(self, p: int) -> Array:
        """Groups x kinds: who is there in the period."""
        found = np.zeros((self.groups, len(self.kinds)))
        for place, (g, s) in enumerate(self.kinds):
            found[g, place] = self.covers[s, p]
        return found

    def there(self, chosen: Array, p: int) -> Counts:
        return as_counts(self.cover(p) @ chosen)

    def bounds(self) -> SkillBound:
        rows = np.vstack(
            [one.who @ self.cover(p) for p, one in self.rows.items()] + [row for row, _ in self.heads]
        )
        heads = np.array([need for _, need in self.heads])
        for p, one in self.rows.items():
            for who, need in zip(one.who @ self.cover(p), one.proven_need, strict=True):
                if need > 0 and not who.any():
                    raise Unattainable(
                        f"period {p + 1}: no shift of those who could serve its calls covers it"
                    )
        found = []
        for need in ("proven_need", "pooled_need"):
            needs = np.concatenate([*(getattr(one, need) for one in self.rows.values()), heads])
            bound, _ = least_cost(rows, needs, self.cost, self.least, self.most, 20.0, 1e-4)
            found.append(bound)
        if math.isinf(found[0]):
            raise Unattainable(
                "the shifts with as many agents as there may be don't cover what the periods need"
            )
        return SkillBound(found[0] if math.isinf(found[1]) else max(found), found[0])

    def first(self) -> Array:
        """By cuts in every period that fails, to agents who meet all targets."""
        rows = [row for p, one in self.rows.items() for row in one.who @ self.cover(p)]
        needs = [float(need) for one in self.rows.values() for need in one.pooled_need]
        for row, need in self.heads:
            rows.append(row)
            needs.append(need)
        chosen: Array | None = None
        for _ in range(MOST_CUTS):
            _, found = least_cost(
                np.array(rows), np.array(needs), self.cost, self.least, self.most, 5.0, ROUGH
            )
            if found is None:
                break
            chosen = found
            failing = [p for p in self.own if not self.searches[p].meets(self.there(found, p))]
            if not failing:
                return found
            if self.clock.left() < 0:
                break
            for p in failing:
                for row, need in self.searches[p].cuts(self.there(found, p)):
                    rows.append(row @ self.cover(p))
                    needs.append(need)
        return self.filled(np.zeros(len(self.kinds)) if chosen is None else chosen)

    def filled(self, chosen: Array) -> Array:
        """An agent more where a period fails, of the kind that costs least for the failing periods it works in."""
        chosen = chosen.copy()
        limits = [(row, need) for row, need in self.heads if need < 0]
        while True:
            failing = [p for p in self.own if not self.searches[p].meets(self.there(chosen, p))]
            if not failing:
                return chosen
            worth = np.zeros(len(self.kinds))
            for p in failing:
                design, at = self.designs[p], self.there(chosen, p)
                score = self.searches[p].bench.score(at, 4)
                helps = np.zeros(self.groups)
                for limit, value in zip(design.limits, score, strict=True):
                    if value < 0.02:
                        helps += design.serves[:, limit.row] if limit.row < len(design.types) else 1.0
                worth += helps @ self.cover(p)
            allowed = np.ones(len(self.kinds), bool)
            for row, need in limits:
                if row @ chosen <= need + 1e-9:
                    allowed &= row == 0
            worth = np.where(allowed, worth / self.cost, 0.0)
            if worth.max() <= 0 or chosen.sum() > self.most.max() * 2:
                p = failing[0]
                raise Unattainable(
                    f"period {p + 1}: its targets aren't met with the agents that there may be"
                )
            chosen[int(worth.argmax())] += 1

    def thinner(self, chosen: Array) -> Array:
        """Without those who can be spared, the dearest first; or with a cheaper one in their place."""
        chosen = chosen.copy()
        spared = True
        while spared and self.clock.left() > 0:
            spared = False
            for place in np.argsort(-self.cost, kind="stable"):
                for other in [-1, *np.flatnonzero(self.cost < self.cost[place] - 1e-9)]:
                    if chosen[place] <= 0 or self.clock.left() < 0:
                        break
                    tried = chosen.copy()
                    tried[place] -= 1
                    if other >= 0:
                        tried[other] += 1
                    if any(row @ tried < need - 1e-9 for row, need in self.heads):
                        continue
                    if all(
                        self.searches[p].meets(self.there(tried, p))
                        for p in self.own
                        if self.there(tried, p) != self.there(chosen, p)
                    ):
                        chosen, spared = tried, True
        return chosen


def _looked(
    types: Sequence[CallType],
    per_hour: Mapping[str, Sequence[float]],
    groups: Sequence[AgentGroup],
    shifts: Sequence[Shift],
) -> tuple[Floats, list[tuple[int, int]], Array, Floats]:
    names = [one.name for one in types]
    if not types or set(per_hour) != set(names):
        raise BadInput("per_hour: calls of each type are needed, and of no other")
    rows = [checks.not_negative(f"per_hour of {name}", per_hour[name]) for name in names]
    periods = rows[0].size
    if any(row.ndim != 1 or row.size != periods for row in rows) or not 0 < periods <= MOST_PERIODS:
        raise BadInput(f"per_hour: one value a period of each type, for 1 to {MOST_PERIODS} periods")
    if not shifts:
        raise BadInput("shifts: there are none")
    covers = np.zeros((len(shifts), periods), int)
    own: list[tuple[int, int]] = []
    cost: list[float] = []
    known = [group.name for group in groups]
    for s, shift in enumerate(shifts):
        if shift.name in [one.name for one in shifts[:s]]:
            raise BadInput(f"shift {shift.name} is there twice")
        works = checks.numbers(f"works of shift {shift.name}", shift.works)
        if works.shape != (periods,) or not np.isin(works, (0, 1)).all() or not works.any():
            raise BadInput(
                f"shift {shift.name}: works is 0 or 1 for each of the {periods} periods, somewhere 1"
            )
        covers[s] = works
        factor = (
            float(works.sum())
            if shift.cost is None
            else checks.one_positive(f"cost of shift {shift.name}", shift.cost)
        )
        for name in shift.groups or ():
            if name not in known:
                raise BadInput(f"shift {shift.name}: there is no group {name}")
        for g, group in enumerate(groups):
            if shift.groups is None or group.name in shift.groups:
                own.append((g, s))
                cost.append(factor * checks.one_positive(f"cost of group {group.name}", group.cost))
    if len(own) > MOST_KINDS:
        raise BadInput(f"{len(own)} pairs of groups and shifts are more than {MOST_KINDS}")
    return np.stack(rows), own, covers, np.array(cost)
