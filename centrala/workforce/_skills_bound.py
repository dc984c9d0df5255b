"""The least that any staffing costs: for each set of types, how many agents must serve one of them or more.

What is proven, and from what. Let S be a set of types, n the agents who serve one of them or more. Drop all other
calls and let all n agents serve all of S: whatever the routing did before, it can still do (an agent who was busy
with another call idles). So n is at least what the *best* routing of S over n such agents needs, for which hold:

* work: agents are busy for at most all of the time, so n >= sum of rate x least share served x handling; above it
  where all must be served and nobody gives up. Any distributions.
* served in time (exponential handling and patience): make every call of S as short as the shortest handling, as
  patient as the most patient, as late as the widest `within`; what could be served in time still can. Then callers who
  have waited too long are best never served, the others first come first served, and no agent idles while one of
  them waits (exchange who is served first; the one put back has more time left and, patience having no memory, as
  much patience; a call served earlier frees an agent no later in law). That is M/M/n+G with the patience cut off at
  `within` (for known deadlines: Panwar, Towsley and Wolf 1988), and its share served is the most there can be.
* served at all: the same without the cut, M/M/n+M; served at once: Erlang's loss formula.
* one type alone, not more impatient than its calls are long (or endlessly patient): its calls in the centre are never
  fewer in law than in M/M/n+M of its own n agents (where calls leave at the most rate that is possible), and as each
  type is served in the order of arrival, nobody waits less: `staff` is a bound, for service levels A, B and C,
  abandonment, the chance and the mean of waiting.

What is not proven: that no routing beats one line, first come first served, over all n agents (`pooled`). It is so in
every case we simulated beside chance; clever routings that let some callers wait for ever would beat it.
"""

import math
from itertools import combinations
from typing import Any

import numpy as np
from scipy import optimize, sparse  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce._skills_model import Design, Limit
from centrala.workforce.checks import Floats
from centrala.workforce.errors import Unattainable
from centrala.workforce.models import erlang_b, queue
from centrala.workforce.patience import Patience
from centrala.workforce.staffing import Target, staff

Array = np.ndarray[Any, Any]

EASE = 1e-9
"A bound that is missed by so little isn't pressed: rounding must not ask for an agent more."
MOST_SETS = 260


class CutOff(Patience):
    """Exponential patience of callers who are sent away after `limit` seconds."""

    def __init__(self, mean: float, limit: float) -> None:
        self.mean, self.limit = mean, limit

    def survival(self, after: Floats) -> Floats:
        return np.where(after < self.limit, np.exp(-after / self.mean), 0.0)

    def lost(self, after: Floats) -> Floats:
        return np.where(after < self.limit, -np.expm1(-after / self.mean), 1.0)

    def breaks(self) -> tuple[float, ...]:
        return (self.limit,)

    def scale(self) -> float:
        return min(self.mean, self.limit)


class Rows:
    """For each set of types (rows of `of`) the agents needed, proven and pooled."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.shares = _least_shares(design)
        active = [place for place, rate in enumerate(design.rate) if rate > 0]
        found: dict[tuple[bool, ...], tuple[int, int]] = {}
        for members in _sets(design, active):
            who = tuple(np.any(design.serves[:, list(members)], axis=1).tolist())
            proven = self.proven(members)
            pooled = max(proven, self.pooled(members))
            before = found.get(who, (0, 0))
            found[who] = max(before[0], proven), max(before[1], pooled)
        self.who = np.array(list(found), float)
        self.proven_need = np.array([pair[0] for pair in found.values()], float)
        self.pooled_need = np.array([pair[1] for pair in found.values()], float)

    def proven(self, members: tuple[int, ...]) -> int:
        d, cut = self.design, list(members)
        served, in_time, at_once, within = (one[cut] for one in self.shares)
        rate, handling, patience = d.rate[cut], d.handling[cut], d.patience[cut]
        whole = len(cut) == int(np.count_nonzero(d.rate))
        wanted = [float(one @ rate) for one in (served, in_time, at_once)]
        if whole and d.overall is not None:
            overall = _shares_of([one for one in d.limits if one.row == len(d.types)], d, len(d.types))
            wanted = [max(a, b * rate.sum()) for a, b in zip(wanted, overall[:3], strict=True)]
            if overall[1] > 0:
                within = np.append(within, overall[3])
        work = _least_work(rate, handling, served, wanted[0])
        need = math.ceil(work * (1 - EASE) - 1e-12)
        if np.isinf(patience).all() and need <= work:
            need += 1
        if not d.exponential:
            return need
        shortest, most_patient = float(handling.min()), float(patience.max())
        total = float(rate.sum())
        # Some of S may want nothing in time: they are left out, which only helps.
        timely = in_time > 0 if not (whole and d.overall is not None) else np.ones(len(cut), bool)
        if timely.any() and wanted[1] > 0:
            limit = float(within.max()) if whole and d.overall is not None else float(within[timely].max())
            own = float(rate[timely].sum())
            fastest, longest = float(handling[timely].min()), float(patience[timely].max())
            need = _least_pool(need, own, fastest, longest, limit, wanted[1] / own)
        if wanted[0] > 0 and math.isfinite(most_patient):
            need = _least_pool(need, total, shortest, most_patient, math.inf, wanted[0] / total)
        if wanted[2] > 0:
            need = _least_pool(need, total, shortest, most_patient, 0.0, wanted[2] / total)
        if len(cut) == 1:
            need = max(need, self._alone(cut[0]))
        return need

    def _alone(self, place: int) -> int:
        d = self.design
        if not (math.isinf(d.patience[place]) or d.patience[place] >= d.handling[place]):
            return 0
        limits = [one for one in d.limits if one.row == place and one.definition != "D"]
        return _staffed(d.rate[place], d.handling[place], d.patience[place], d.within[place], limits)

    def pooled(self, members: tuple[int, ...]) -> int:
        """As one line: rates added up, times and targets averaged by rate."""
        d, cut = self.design, list(members)
        rate = d.rate[cut]
        weight = rate / rate.sum()
        handling = float(weight @ d.handling[cut])
        impatience = float(weight @ (1 / d.patience[cut]))
        limits = []
        for kind in ("service_level", "abandon", "wait_chance", "mean_wait"):
            own = [[one for one in d.limits if one.row == place and one.kind == kind] for place in members]
            if all(own):
                ways = {one[0].definition for one in own}
                value = float(weight @ [one[0].value for one in own])
                if len(ways) > 1:
                    # Unlike definitions meet in what each asks of calls answered in time.
                    value = float(weight @ self.shares[1][cut])
                if value > 0:
                    limits.append(Limit(0, kind, value, ways.pop() if len(ways) == 1 else "A"))
        lost = 1 - float(weight @ self.shares[0][cut])
        if 0 < lost < 1:
            limits.append(Limit(0, "abandon", lost))
        within = float(weight @ d.within[cut])
        patience = 1 / impatience if impatience > 0 else math.inf
        need = _staffed(float(rate.sum()), handling, patience, within, limits)
        if len(cut) == int(np.count_nonzero(d.rate)):
            more = [one for one in d.limits if one.row == len(d.types)]
            need = max(need, _staffed(float(rate.sum()), handling, patience, float(d.within[-1]), more))
        return need


def least_cost(
    rows: Array,
    needs: Array,
    cost: Floats,
    least: Array,
    most: Array,
    seconds: float = 20.0,
    gap: float = 0.0,
) -> tuple[float, Array | None]:
    """(bound, numbers of agents) of the cheapest whole numbers with `rows` @ numbers >= `needs`; HiGHS by scipy.
    None where there are none, or none was found in time."""
    found = optimize.milp(
        cost,
        constraints=optimize.LinearConstraint(sparse.csr_array(rows), needs - 1e-9, math.inf),
        integrality=np.ones(cost.size),
        bounds=optimize.Bounds(least, most),
        options={"time_limit": max(0.1, seconds), "mip_rel_gap": gap},
    )
    bound = getattr(found, "mip_dual_bound", None)
    if found.x is None:
        return (math.inf if found.status == 2 else float(bound or 0.0)), None
    return float(found.fun if bound is None else min(bound, found.fun)), np.round(found.x)


def hindrance(design: Design, rows: Rows, most: Array) -> Unattainable | None:
    """Which types want more agents than there may be, as an error."""
    for who, need in zip(rows.who, rows.proven_need, strict=True):
        allowed = float(who @ most)
        if allowed < need:
            names = [
                one.name
                for place, one in enumerate(design.types)
                if design.rate[place] and not (design.serves[:, place] & (who == 0)).any()
            ]
            return Unattainable(
                f"types {', '.join(names)}: at least {need:.0f} agents must serve them, at most {allowed:.0f} may"
            )
    return None


def _sets(design: Design, active: list[int]) -> list[tuple[int, ...]]:
    """All sets of types, or where they are too many the small and the large ones and what groups serve."""
    if 2 ** len(active) - 1 <= MOST_SETS:
        sizes: Any = range(1, len(active) + 1)
        return [one for size in sizes for one in combinations(active, size)]
    chosen = {(one,) for one in active} | {tuple(active)}
    chosen |= {tuple(p for p in active if row[p]) for row in design.serves if row[active].any()}
    chosen |= {tuple(p for p in active if not row[p]) for row in design.serves if not row[active].all()}
    for size in (2, len(active) - 1, 3):
        for one in combinations(active, size):
            if len(chosen) >= MOST_SETS:
                break
            chosen.add(one)
    return sorted(chosen)


def _least_shares(design: Design) -> tuple[Floats, Floats, Floats, Floats]:
    rows = [
        _shares_of([one for one in design.limits if one.row == place], design, place)
        for place in range(len(design.types))
    ]
    parts = np.array(rows)
    return parts[:, 0], parts[:, 1], parts[:, 2], parts[:, 3]


def _shares_of(limits: list[Limit], design: Design, row: int) -> tuple[float, float, float, float]:
    """(served, in time, at once, within): shares of calls that the limits ask for, whatever the routing."""
    alone = row < len(design.types)
    patience = float(design.patience[row]) if alone else float(design.patience[design.rate > 0].min())
    within = float(design.within[row])
    # Nobody else can have given up within that time; 1 where the distribution is not known.
    hasty = -math.expm1(-within / patience) if design.exponential else (0.0 if math.isinf(patience) else 1.0)
    everybody = patience if alone else float(design.patience[design.rate > 0].min())
    served = 1.0 if math.isinf(everybody) else 0.0
    in_time = at_once = 0.0
    for one in limits:
        if one.kind == "abandon":
            served = max(served, 1 - one.value)
        elif one.kind == "wait_chance":
            at_once = max(at_once, 1 - one.value)
        elif one.kind == "mean_wait" and design.exponential and math.isfinite(patience):
            longest = patience if alone else float(design.patience[design.rate > 0].max())
            if alone or math.isfinite(longest):
                # Of those who wait w in all, w / patience give up.
                served = max(served, 1 - one.value / patience)
    for one in limits:
        if one.kind == "service_level":
            match one.definition:
                case "A":
                    in_time = max(in_time, one.value)
                case "B":
                    in_time = max(in_time, one.value - hasty)
                case "C":
                    in_time = max(in_time, one.value * (1 - hasty))
                case _:
                    in_time = max(in_time, one.value * served)
    return max(served, in_time, at_once), max(in_time, at_once), at_once, within


def _least_work(rate: Floats, handling: Floats, served: Floats, wanted: float) -> float:
    """Erlangs of the shares that must be served; what is wanted beyond them, of the shortest calls."""
    work = float((rate * served) @ handling)
    left = wanted - float(rate @ served)
    for place in np.argsort(handling):
        if left <= 1e-12:
            break
        more = min(left, float(rate[place] * (1 - served[place])))
        work += more * float(handling[place])
        left -= more
    return work / 3600.0


def _least_pool(
    begin: int, per_hour: float, handling: float, patience: float, within: float, wanted: float
) -> int:
    """Least n from `begin` on of whom the best routing serves so much of the calls within so many seconds."""

    def enough(n: int) -> bool:
        if n == 0:
            return wanted <= 0
        load = per_hour * handling / 3600
        if within == 0:
            share = 1 - float(erlang_b(n, load))
        else:
            patient: Any = patience if math.isinf(within) else CutOff(patience, within)
            share = float(queue(n, per_hour, handling, patience=patient).p_served)
        return share >= wanted * (1 - EASE) - EASE

    if enough(begin):
        return begin
    low, step = begin, 1
    while not enough(low + step):
        low, step = low + step, 2 * step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _staffed(per_hour: float, handling: float, patience: float, within: float, limits: list[Limit]) -> int:
    if not limits:
        return 0
    found = 0
    for one in limits:
        # One limit at a time: `staff` would take them together, with one definition.
        target = Target(None)
        match one.kind:
            case "service_level":
                target = Target(one.value * (1 - EASE), within, one.definition)  # type: ignore[arg-type]
            case "abandon":
                target = Target(None, max_abandon=one.value * (1 + EASE))
            case "wait_chance":
                target = Target(None, max_wait_chance=one.value * (1 + EASE))
            case _:
                target = Target(None, mean_wait=one.value * (1 + EASE))
        if one.kind == "abandon" and math.isinf(patience):
            continue
        found = max(found, int(staff(per_hour, handling, target, patience=patience)))
    return found
