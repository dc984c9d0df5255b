"""A day whose calls come and go: the load that is really there, staffing for it, and what callers meet.

Three ways to staff a day, each better where the calls change faster than a conversation lasts:
`stationary` takes each interval for itself; `offered_load` counts who still talks from the interval before (modified
offered load, Jennings, Mandelbaum, Massey and Whitt 1996); `iterative` solves the day and corrects until each interval
meets the target (after Feldman, Mandelbaum, Massey and Whitt 2008, with exact distributions in place of simulation).
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce import checks
from centrala.workforce._jit import compiled
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, Unattainable
from centrala.workforce.models import Definition
from centrala.workforce.staffing import SLACK, Target, staff

Method = Literal["stationary", "offered_load", "iterative"]

MOST_STATES = 200_000


def offered_load(
    calls: ArrayLike, interval: float, handling: float, *, spread: float = 1.0, before: float = 0.0
) -> Floats:
    """Mean number who would talk in each interval if nobody had to wait, in Erlangs.

    `calls` in each interval of so many seconds, conversations of mean `handling` seconds; `spread` is their
    coefficient of variation, 1 exponential, 0 all alike (others by the gamma distribution of that spread).
    `before` Erlangs were there at the start. A million intervals are no trouble.
    """
    counts, dt, mean = _day(calls, interval, handling)
    cv = float(checks.not_negative("spread", spread))
    start = float(checks.not_negative("before", before))
    if cv == 1.0:
        return np.asarray(_exponential_load(counts / dt, dt, mean, start))
    # Mean load of interval i from interval j: the rate times second differences of K, K'' = survival.
    reach = min(counts.size, math.ceil((mean * (1 + 40 * max(cv, cv * cv))) / dt) + 2)
    k = _twice_integrated(np.arange(-1.0, reach + 1.0) * dt, mean, cv)
    weights = (k[2:] - 2 * k[1:-1] + k[:-2]) / dt
    rates = counts / dt
    if counts.size * reach > 1 << 22:
        size = 1 << (counts.size + reach).bit_length()
        load = np.fft.irfft(np.fft.rfft(rates, size) * np.fft.rfft(weights, size), size)[: counts.size]
        load = np.maximum(load, 0.0)
    else:
        load = np.convolve(rates, weights)[: counts.size]
    if start:
        # Who talks at the start has the stationary rest of a conversation before them.
        rest = np.diff(_twice_integrated(np.arange(counts.size + 1.0) * dt, mean, cv))
        load = load + start * (1.0 - rest / (mean * dt))
    return np.asarray(load)


def _twice_integrated(x: Floats, mean: float, cv: float) -> Floats:
    """∫∫ survival from 0 to x; 0 for negative x."""
    x = np.maximum(x, 0.0)
    if cv == 0.0:
        return np.where(x < mean, x * x / 2, mean * mean / 2 + mean * (x - mean))
    shape = 1 / cv**2
    y = x * shape / mean
    second = mean**2 * (1 + cv**2)
    return np.asarray(
        x * x / 2 * special.gammaincc(shape, y)
        + x * mean * special.gammainc(shape + 1, y)
        - second / 2 * special.gammainc(shape + 2, y)
    )


@compiled
def _exponential_load(rate: Floats, dt: float, mean: float, start: float) -> Floats:
    load = np.empty(rate.size)
    gone = -math.expm1(-dt / mean)
    share = mean / dt * gone
    now = start
    for i in range(rate.size):
        full = rate[i] * mean
        load[i] = full + (now - full) * share
        now += (full - now) * gone
    return load


def staff_day(
    calls: ArrayLike,
    interval: float,
    handling: float,
    target: Target | None = None,
    *,
    patience: float = math.inf,
    method: Method = "offered_load",
    parts: int = 1,
    most: float = math.inf,
) -> NDArray[Any]:
    """Agents for each interval. Raises BadInput, Unattainable.

    `iterative` knows whole agents and targets that are one number each; its answer can't be lowered by one in any
    single interval.
    """
    counts, dt, mean = _day(calls, interval, handling)
    patient = checks.one_positive("patience", patience, finite=False)
    goal = target or Target()
    if method == "stationary":
        load = counts * (mean / dt)
    elif method in ("offered_load", "iterative"):
        load = offered_load(counts, dt, mean)
    else:
        raise BadInput(f"method: there is no {method}; stationary, offered_load and iterative are known")
    load = np.where(load < 1e-9, 0.0, load)
    agents = np.atleast_1d(
        staff(load * (3600.0 / mean), mean, goal, patience=patient, parts=parts, most=most)
    )
    if method != "iterative":
        return agents
    if parts != 1:
        raise BadInput(f"parts: the iterative method staffs whole agents, not {parts} parts")
    return _iterate(counts, dt, mean, patient, goal, agents.astype(np.int64), most)


def _iterate(
    counts: Floats, dt: float, mean: float, patience: float, goal: Target, agents: NDArray[Any], most: float
) -> NDArray[Any]:
    within = float(np.asarray(goal.within))

    def failing(given: NDArray[Any]) -> NDArray[np.bool_]:
        day = solve_day(counts, dt, mean, given, patience=patience, within=within)
        bad = np.zeros(counts.size, bool)
        for limit, found in (
            (goal.max_abandon, day.p_abandon),
            (goal.max_wait_chance, day.p_wait),
            (goal.mean_wait, day.mean_wait),
            (goal.max_occupancy, day.occupancy),
        ):
            if limit is not None:
                bad |= found > np.asarray(limit, float) * (1 + SLACK)
        if goal.service_level is not None:
            bad |= day.service_level(goal.definition) < np.asarray(goal.service_level, float) - SLACK
        return bad & (counts > 0)

    for _ in range(10_000):
        bad = failing(agents)
        if not bad.any():
            break
        agents = agents + bad
        if agents.max() > most:
            raise Unattainable(f"agents needed: more than the {most:g} that there may be")
    else:
        raise Unattainable("no number of agents meets the target in every interval")
    for i in np.argsort(-agents, kind="stable"):
        while agents[i] > 0:
            fewer = agents.copy()
            fewer[i] -= 1
            if failing(fewer).any():
                break
            agents = fewer
    return agents


@dataclass(frozen=True, slots=True)
class Day:
    """What callers meet in each interval: averages over its time, of all who call then. Seconds."""

    agents: NDArray[Any]
    load: Floats
    "Erlangs that really want to talk, by the modified offered load."
    p_wait: Floats
    p_abandon: Floats
    "Those who give up in the interval, over those who call in it; may pass 1 where a crowd from before gives up."
    served_within: Floats
    abandoned_within: Floats
    mean_wait: Floats
    "Expected at the call, if the staff stayed as it is."
    mean_queue: Floats
    occupancy: Floats
    in_centre: Floats
    "Callers waiting or talking at the end of the interval."

    def service_level(self, definition: Definition = "C") -> Floats:
        match definition:
            case "A":
                return self.served_within
            case "B":
                return self.served_within + self.abandoned_within
            case "C":
                return self.served_within / np.maximum(1 - self.abandoned_within, 1e-300)
            case _:
                return np.minimum(1.0, self.served_within / np.maximum(1 - self.p_abandon, 1e-300))


def solve_day(
    calls: ArrayLike,
    interval: float,
    handling: float,
    agents: ArrayLike,
    *,
    patience: float = math.inf,
    within: float = 20.0,
    before: float = 0.0,
) -> Day:
    """The exact course of M_t/M/s_t+M through a day, by uniformisation: no simulation, no steady state.

    Who is talked to when agents leave goes back to the head of the line. `before` callers (Poisson) are there at
    the start. Raises BadInput where the line may grow beyond 200,000.
    """
    counts, dt, mean = _day(calls, interval, handling)
    patient = checks.one_positive("patience", patience, finite=False)
    t = float(checks.not_negative("within", within))
    present = float(checks.not_negative("before", before))
    given = np.broadcast_to(checks.not_negative("agents", agents), counts.shape)
    if np.any(given != np.floor(given)):
        raise BadInput("agents: a day is solved for whole agents")
    servers = given.astype(np.int64)
    mu, theta = 1 / mean, 1 / patient
    # Nobody leaves slower than this, whatever the staff.
    slowest = min(mu, theta) if theta else (mu if np.all(servers > counts / dt * mean) else 0.0)
    crowd = present + float(counts.sum())
    if slowest:
        crowd = min(
            crowd, max(float(_exponential_load(counts / dt, dt, 1 / slowest, present).max()), 1.0) * 1.3 + 5
        )
    crowd = max(crowd, present)
    states = int(max(crowd + 9 * math.sqrt(crowd) + 40, servers.max() + 40))
    if not theta:
        states = int(
            max(
                states, servers.max() + 40 / max(1e-3, 1 - min(0.99, _most_loaded(counts, dt, mean, servers)))
            )
        )
    if states > MOST_STATES:
        raise BadInput(
            f"up to {states} callers in line: the day can't be solved; see to more agents or less patience"
        )
    start = np.exp(_log_poisson(present, states))
    average = np.empty((counts.size, states + 1))
    ends = np.empty(counts.size)
    _uniformise(start, counts / dt, servers, mu, theta, dt, average, ends)
    n = np.arange(states + 1)
    out = {
        name: np.zeros(counts.size)
        for name in ("p_wait", "served_within", "abandoned_within", "mean_wait", "queue", "busy")
    }
    for s in np.unique(servers):
        rows = servers == s
        p = average[rows]
        ahead = np.maximum(n - s, 0)
        waits = n >= s
        served, gone, wait = _from(ahead, float(s) * mu, theta, t)
        out["p_wait"][rows] = p[:, waits].sum(axis=1)
        out["served_within"][rows] = p @ np.where(waits, served, 1.0)
        out["abandoned_within"][rows] = p @ np.where(waits, gone, 0.0)
        out["mean_wait"][rows] = p @ np.where(waits, wait, 0.0)
        out["queue"][rows] = p @ ahead
        out["busy"][rows] = p @ np.minimum(n, s)
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(counts > 0, theta * out["queue"] * dt / counts, 0.0)
        occupancy = np.where(servers > 0, out["busy"] / servers, 0.0)
    load = np.asarray(_exponential_load(counts / dt, dt, mean, present))
    return Day(
        servers, load, out["p_wait"], lost, out["served_within"], out["abandoned_within"], out["mean_wait"],
        out["queue"], occupancy, ends,
    )  # fmt: skip


def _from(ahead: NDArray[Any], busy: float, theta: float, t: float) -> tuple[Floats, Floats, Floats]:
    """Of who finds everybody busy and so many ahead: chance to be served within t, to give up within t, mean wait.

    With exponential patience, e^(-θV) of the virtual wait V is Beta(busy/θ, ahead + 1); without, V is gamma.
    """
    if busy == 0.0:
        gone = -math.expm1(-theta * t)
        wait = 1 / theta if theta else math.inf
        return np.zeros(ahead.size), np.full(ahead.size, gone), np.full(ahead.size, wait)
    k = ahead + 1.0
    if theta == 0.0:
        return np.asarray(special.gammainc(k, busy * t)), np.zeros(ahead.size), k / busy
    c, y = busy / theta, math.exp(-theta * t)
    late = special.betainc(c, k, y)
    served = c / (c + k) * special.betaincc(c + 1, k, y)
    # Nobody waits longer than t with chance y·late; the others were served or gave up.
    return np.asarray(served), np.asarray(np.maximum(1 - y * late - served, 0.0)), k / (c + k) / theta


def _most_loaded(counts: Floats, dt: float, mean: float, servers: NDArray[Any]) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.where(counts > 0, counts * mean / dt / servers, 0.0)
    return float(rho.max(initial=0.0))


def _log_poisson(mean: float, states: int) -> Floats:
    n = np.arange(states + 1)
    if mean == 0.0:
        return np.where(n == 0, 0.0, -np.inf)
    return np.asarray(n * math.log(mean) - mean - special.gammaln(n + 1))


@compiled
def _uniformise(
    p: Floats, rate: Floats, servers: NDArray[np.int64], mu: float, theta: float, dt: float, average: Floats,
    ends: Floats,
) -> None:  # fmt: skip
    """`average[i]` gets the distribution of callers in the centre, averaged over interval i; p is used up."""
    states = p.size - 1
    following = np.empty(states + 1)
    total = np.empty(states + 1)
    leave = np.empty(states + 1)
    for i in range(rate.size):
        average[i, :] = 0.0
        s = servers[i]
        for n in range(states + 1):
            leave[n] = min(n, s) * mu + max(n - s, 0) * theta
        fastest = (rate[i] + leave[states]) * 1.0001 + 1e-12
        pieces = max(1, math.ceil(fastest * dt / 400.0))
        events = fastest * dt / pieces
        up = rate[i] / fastest
        for _ in range(pieces):
            # Poisson weights of k jumps, and the chance of more than k, which weighs the time between.
            weight = math.exp(-events)
            more = 1.0 - weight
            total[:] = 0.0
            k = 0
            last = events + 12.0 * math.sqrt(events) + 30.0
            while True:
                for n in range(states + 1):
                    total[n] += weight * p[n]
                    average[i, n] += more / (events * pieces) * p[n]
                k += 1
                if k > last:
                    break
                previous = 0.0
                for n in range(states + 1):
                    down = leave[n] / fastest
                    stay = 1.0 - down - (up if n < states else 0.0)
                    value = p[n] * stay + previous * up
                    if n < states:
                        value += p[n + 1] * leave[n + 1] / fastest
                    previous = p[n]
                    following[n] = value
                p[:] = following
                weight *= events / k
                more = max(0.0, more - weight)
            p[:] = total / total.sum()
        average[i] /= average[i].sum()
        mean = 0.0
        for n in range(states + 1):
            mean += n * p[n]
        ends[i] = mean


def _day(calls: ArrayLike, interval: float, handling: float) -> tuple[Floats, float, float]:
    counts = np.atleast_1d(checks.not_negative("calls", calls))
    if counts.ndim != 1 or not counts.size:
        raise BadInput("calls: give one number for each interval, in the order of time")
    dt, mean = checks.one_positive("interval", interval), checks.one_positive("handling", handling)
    checks.load_of(counts * (3600.0 / dt), np.asarray(mean))
    return counts, dt, mean
