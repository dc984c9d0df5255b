"""The least number of agents that meets a target, for a day or a million intervals at once.

staff(per_hour=[180, 220, 140], handling=240, target=Target(0.8, 20))                      # Erlang C
staff(per_hour=200, handling=180, patience=180, target=Target(0.8, 20, max_abandon=0.05))  # Erlang A
staff(per_hour=200, handling=180, target=Target(0.8, 20), parts=2)                         # to half an agent
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from centrala.workforce import checks
from centrala.workforce._erlang import MEASURES, erlang_a_of, inverse_b
from centrala.workforce._jit import compiled
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, Unattainable
from centrala.workforce.models import Definition
from centrala.workforce.patience import Patience, general_measures, simplest

SLACK = 1e-12
"A target counts as met that is missed by so little: 8 Erlangs at 80 % occupancy are 10 agents, not 11."

TERMS = 20_000.0
"States of the queue that are summed one by one; beyond, integrals take over."


@dataclass(frozen=True, slots=True)
class Target:
    """What must be reached; every field that isn't None. Arrays give each interval its own."""

    service_level: ArrayLike | None = 0.8
    "Share of calls answered within `within` seconds, by `definition`."
    within: ArrayLike = 20.0
    definition: Definition = "C"
    max_abandon: ArrayLike | None = None
    "Share of calls."
    max_wait_chance: ArrayLike | None = None
    "Share of calls that wait at all."
    mean_wait: ArrayLike | None = None
    "Seconds, of all calls."
    max_occupancy: ArrayLike | None = None


def staff(
    per_hour: ArrayLike,
    handling: ArrayLike,
    target: Target | None = None,
    *,
    patience: ArrayLike | Patience = math.inf,
    parts: int = 1,
    most: float = math.inf,
) -> Any:
    """Least agents, in steps of 1/`parts`: a number, or an array in the shape of the question.

    An interval without calls needs 0. Raises BadInput; Unattainable for a target that nobody can meet (everybody
    answered at once), or not with `most` agents.
    """
    goal = target or Target()
    steps = checks.whole("parts", parts, 1)
    patience = simplest(patience)
    general = patience if isinstance(patience, Patience) else None
    rate, aht, mean, level, within, abandon, chance, wait, occupancy = checks.together(
        per_hour=checks.not_negative("per_hour", per_hour),
        handling=checks.positive("handling", handling),
        patience=checks.positive(
            "patience", math.inf if isinstance(patience, Patience) else patience, finite=False
        ),
        service_level=_limit("service level", goal.service_level, 0.0, below_one=True),
        within=checks.not_negative("within", goal.within),
        max_abandon=_limit("max_abandon", goal.max_abandon, 1.0),
        max_wait_chance=_limit("max_wait_chance", goal.max_wait_chance, 1.0),
        mean_wait=_limit("mean_wait", goal.mean_wait, math.inf, of_time=True),
        max_occupancy=_limit("max_occupancy", goal.max_occupancy, 1.0),
    )
    if goal.definition not in ("A", "B", "C", "D"):
        raise BadInput(f"service level: there is no definition {goal.definition}; A, B, C and D are known")
    if all(
        one is None
        for one in (
            goal.service_level,
            goal.max_abandon,
            goal.max_wait_chance,
            goal.mean_wait,
            goal.max_occupancy,
        )
    ):
        raise BadInput("a target says nothing: give a service level, an abandonment, a wait or an occupancy")
    a = checks.load_of(rate, aht)
    ways = "ABCD".index(goal.definition)
    if general is not None:
        out = np.array(
            [
                _least_general(one, ways, steps, general)
                for one in zip(
                    *(part.ravel() for part in (rate, aht, level, within, abandon, chance, wait, occupancy)),
                    strict=True,
                )
            ]
        ).reshape(a.shape)
    else:
        out = np.empty(a.shape)
        _each(
            a.ravel(), (aht / mean).ravel(), level.ravel(), (within / aht).ravel(), abandon.ravel(), chance.ravel(),
            (wait / aht).ravel(), occupancy.ravel(), ways, steps, out.reshape(-1),
        )  # fmt: skip
    checks.refuse("agents needed", out, np.isnan(out), "were found: the target is out of reach", Unattainable)
    checks.refuse(
        "agents needed", out, out > most, f"are more than the {most:g} that there may be", Unattainable
    )
    if steps == 1 and out.ndim == 0:
        return int(out)
    return checks.plain(out if steps > 1 else out.astype(np.int64))


def _limit(
    what: str, values: ArrayLike | None, none: float, *, below_one: bool = False, of_time: bool = False
) -> Floats:
    if values is None:
        return np.asarray(none)
    limit = checks.not_negative(what, values, finite=False) if of_time else checks.share(what, values)
    if below_one:
        wrong, rule = limit >= 1, "can't be reached by any number of agents: some call always waits; say 0.99"
    else:
        wrong, rule = limit <= 0, "can't be reached by any number of agents; it must be above 0"
    checks.refuse(what, limit, wrong, rule, Unattainable)
    return limit


@compiled
def _each(
    a: Floats, theta: Floats, level: Floats, t: Floats, abandon: Floats, chance: Floats, wait: Floats,
    occupancy: Floats, definition: int, parts: int, out: Floats,
) -> None:  # fmt: skip
    room = np.zeros(len(MEASURES) + 8)
    for i in range(a.size):
        if a[i] == 0.0:
            out[i] = 0.0
        elif theta[i] == 0.0:
            least = math.inf
            for part in range(parts):
                found = _least_c(a[i], part / parts, level[i], t[i], chance[i], wait[i], occupancy[i])
                least = min(least, found)
            out[i] = least
        else:
            out[i] = _least_a(
                a[i],
                theta[i],
                level[i],
                t[i],
                abandon[i],
                chance[i],
                wait[i],
                occupancy[i],
                definition,
                parts,
                room,
            )


@compiled
def _least_c(
    a: float, rest: float, level: float, t: float, chance: float, wait: float, occupancy: float
) -> float:
    """Least n = rest + a whole number that meets the target without abandonment: one walk upwards from the load,
    each step one step of the recursion of B."""
    low = max(a, a / occupancy * (1.0 - SLACK))
    n = math.ceil(low - rest) + rest
    if n <= a:
        n += 1.0
    inverse = 1.0 / a
    value = inverse_b(n, a)
    fade = math.exp(-t)
    late = math.exp(-(n - a) * t)
    fail = (1.0 - level) * (1.0 + SLACK) if level < 0.9 else (1.0 - level) + SLACK
    chance *= 1.0 + SLACK
    wait *= 1.0 + SLACK
    while True:
        spare = n - a
        # C = n / (a + (n - a) / B), its divisions spared.
        base = a + spare * value
        if n * late <= fail * base and n <= chance * base and n <= wait * spare * base:
            return n
        n += 1.0
        value = 1.0 + (n * inverse) * value
        late *= fade


@compiled
def point(n: float, a: float, theta: float, t: float, out: Floats) -> None:
    """M/M/n+M by sums over the states, for the search: `out` gets p_wait, p_abandon, served and abandoned within t,
    mean wait. Good to rounding of 1, not of each probability."""
    c = n / theta
    z = a / theta
    if z > 1e8 or (c < z and z - c > TERMS):
        erlang_a_of(n, a, theta, t, out)
        out[1], out[2], out[3] = out[2], out[6], out[7]
        return
    begins = inverse_b(n - 1.0, a)
    term, total, queue, shift, k = 1.0, 1.0, 0.0, 0.0, 0.0
    while True:
        k += 1.0
        term *= z / (c + k)
        total += term
        queue += k * term
        if k * term <= 1e-17 * queue and term <= 1e-17 * total and c + k > z:
            break
        if term > 1e200:
            term *= 1e-200
            total *= 1e-200
            queue *= 1e-200
            begins *= 1e-200
            shift += 460.51701859880916
    whole = begins + a / n * total
    fade = math.exp(-theta * t)
    x = z * fade
    scale = z * -math.expm1(-theta * t) - n * t - shift
    late, term, k = 0.0, 1.0, 0.0
    moved = 0.0
    if scale > -200.0 - shift:
        while True:
            k += 1.0
            term *= x / (c + k)
            late += term
            if term <= 1e-17 * late and c + k > x:
                break
            if term > 1e200:
                term *= 1e-200
                late *= 1e-200
                moved += 460.51701859880916
    factor = math.exp(scale + moved) / whole
    served_late = factor * late
    longer = a / n * (factor * late + math.exp(scale) / whole)
    gone = theta * queue / (n * whole)
    out[0] = a / n * total / whole
    out[1] = gone
    out[2] = 1.0 - gone - served_late
    out[3] = gone - (fade * longer - served_late)
    out[4] = gone / theta


@compiled
def level_of(out: Floats, definition: int) -> float:
    if definition == 0:
        return float(out[2])
    if definition == 1:
        return float(out[2] + out[3])
    if definition == 2:
        return float(out[2] / (1.0 - out[3]))
    return float(out[2] / (1.0 - out[1]))


@compiled
def _least_a(
    a: float, theta: float, level: float, t: float, abandon: float, chance: float, wait: float, occupancy: float,
    definition: int, parts: int, room: Floats,
) -> float:  # fmt: skip
    """Least n on the lattice of 1/parts: a guess by the square-root rule, strides up or down, then bisection."""
    root = math.sqrt(a)
    # Whoever is let go needn't be served; a strict level wants a reserve.
    guess = a
    if level <= 0.0 and abandon < 1.0:
        guess = a * (1.0 - abandon)
    elif level > 0.0:
        guess = a - 0.2 * root * theta * t + (0.35 if level < 0.85 else 0.8) * root
        guess = max(guess, 0.7 * a)
    bad = 0.0
    good = math.inf
    stride = max(1.0, math.floor(0.12 * root * parts))
    at = max(1.0, math.ceil(guess * parts))
    while True:
        n = at / parts
        point(n, a, theta, t, room)
        meets = (
            room[0] <= chance * (1.0 + SLACK)
            and room[1] <= abandon * (1.0 + SLACK)
            and room[4] <= wait * (1.0 + SLACK)
            and (occupancy >= 1.0 or a * (1.0 - room[1]) <= n * occupancy * (1.0 + SLACK) + 1e-14 * a)
            and (level <= 0.0 or level_of(room, definition) >= level - SLACK)
        )
        if meets:
            good = at
        else:
            bad = at
        if good - bad <= 1.0:
            return good / parts
        if good == math.inf:
            at = bad + stride
            stride *= 2.0
        elif bad == 0.0 and good - stride >= 1.0:
            at = good - stride
            stride *= 2.0
        else:
            at = math.floor(0.5 * (good + bad))
            if at <= bad:
                at = bad + 1.0
        # Each n costs a walk of n - a steps: far beyond the load no target is left that more agents would meet.
        if at / parts > 4.0 * a + 1e6:
            return math.nan


def _least_general(question: Sequence[float], definition: int, parts: int, patience: Patience) -> float:
    per_hour, handling, level, within, abandon, chance, wait, occupancy = map(float, question)
    if per_hour == 0.0:
        return 0.0
    a = per_hour / 3600.0 * handling

    def meets(at: int) -> bool:
        n = at / parts
        try:
            m = dict(zip(MEASURES, general_measures(n, per_hour, handling, within, patience), strict=True))
        except ValueError:
            return False
        room = np.array([m["p_wait"], m["p_abandon"], m["served_within"], m["abandoned_within"]])
        return (
            m["p_wait"] <= chance * (1 + SLACK)
            and m["p_abandon"] <= abandon * (1 + SLACK)
            and m["mean_wait"] <= wait * (1 + SLACK)
            and m["occupancy"] <= occupancy * (1 + SLACK)
            and (level <= 0.0 or level_of(room, definition) >= level - SLACK)
        )

    return least(meets, max(1, math.ceil(a * parts)), max(1, int(0.3 * math.sqrt(a) * parts))) / parts


def least(meets: Callable[[int], bool], guess: int, stride: int = 1) -> int:
    """The least whole number from 1 on that meets, where more is never worse. Raises Unattainable beyond 1e12."""
    bad, good, at = 0, 0, guess
    while True:
        if meets(at):
            good = at
        else:
            bad = at
        if good and good - bad <= 1:
            return good
        if not good:
            at, stride = bad + stride, stride * 2
        elif not bad and good - stride >= 1:
            at, stride = good - stride, stride * 2
        else:
            at = (good + bad) // 2 or 1
        if at > 10**12:
            raise Unattainable("no number of agents meets the target")
