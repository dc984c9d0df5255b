"""Patience of any kind, and the queue M/M/n+G that it makes (Baccelli and Hebuterne 1981, Zeltyn and Mandelbaum 2005).

`Never()`, `ExponentialPatience`, `LognormalPatience`, `ErlangPatience`, `WeibullPatience`, `FixedPatience`,
`MeasuredPatience` (a survival curve as Kaplan-Meier gives it), `MixedPatience`; or any class with `survival`,
`lost` and `breaks`. Times in seconds.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce import checks
from centrala.workforce._erlang import inverse_b
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, Unstable

ORDER = 16
NODES, WEIGHTS = np.polynomial.legendre.leggauss(ORDER)


def _running() -> Floats:
    """Row i integrates the polynomial through the nodes from -1 to node i."""
    values = np.polynomial.legendre.legvander(NODES, ORDER - 1)
    to_series = np.linalg.inv(values)
    sums = np.empty((ORDER, ORDER))
    for k in range(ORDER):
        unit = np.zeros(ORDER)
        unit[k] = 1.0
        sums[:, k] = np.polynomial.legendre.legval(NODES, np.polynomial.legendre.legint(unit, lbnd=-1))
    return np.asarray(sums @ to_series)


RUNNING = _running()


class Patience(ABC):
    """How long callers wait before they hang up."""

    @abstractmethod
    def survival(self, after: Floats) -> Floats:
        """Share that would still wait after so many seconds."""

    @abstractmethod
    def lost(self, after: Floats) -> Floats:
        """1 - survival, without its rounding: early abandonment is rare, and must not drown in 1."""

    def breaks(self) -> tuple[float, ...]:
        """Seconds at which the survival jumps or bends."""
        return ()

    def scale(self) -> float:
        """Seconds in which the survival changes noticeably."""
        return math.inf


@dataclass(frozen=True, slots=True)
class Never(Patience):
    """Nobody gives up."""

    def survival(self, after: Floats) -> Floats:
        return np.ones_like(after)

    def lost(self, after: Floats) -> Floats:
        return np.zeros_like(after)


@dataclass(frozen=True, slots=True)
class ExponentialPatience(Patience):
    mean: float

    def __post_init__(self) -> None:
        checks.one_positive("patience", self.mean)

    def survival(self, after: Floats) -> Floats:
        return np.exp(-after / self.mean)

    def lost(self, after: Floats) -> Floats:
        return -np.expm1(-after / self.mean)

    def scale(self) -> float:
        return self.mean


@dataclass(frozen=True, slots=True)
class LognormalPatience(Patience):
    mean: float
    deviation: float
    "Of the patience itself, not of its logarithm."

    def __post_init__(self) -> None:
        checks.one_positive("patience", self.mean)
        checks.one_positive("deviation of the patience", self.deviation)

    def _z(self, after: Floats) -> Floats:
        variance = math.log1p((self.deviation / self.mean) ** 2)
        with np.errstate(divide="ignore"):
            logs = np.log(after)
        return np.asarray((logs - math.log(self.mean) + variance / 2) / math.sqrt(variance))

    def survival(self, after: Floats) -> Floats:
        return np.asarray(special.ndtr(-self._z(after)))

    def lost(self, after: Floats) -> Floats:
        return np.asarray(special.ndtr(self._z(after)))

    def scale(self) -> float:
        return self.mean / (1 + (self.deviation / self.mean) ** 2)


@dataclass(frozen=True, slots=True)
class ErlangPatience(Patience):
    """Sum of `stages` exponential times; gamma for a broken number of stages."""

    stages: float
    mean: float

    def __post_init__(self) -> None:
        checks.one_positive("stages of the patience", self.stages)
        checks.one_positive("patience", self.mean)

    def survival(self, after: Floats) -> Floats:
        return np.asarray(special.gammaincc(self.stages, after * (self.stages / self.mean)))

    def lost(self, after: Floats) -> Floats:
        return np.asarray(special.gammainc(self.stages, after * (self.stages / self.mean)))

    def scale(self) -> float:
        return self.mean / max(1.0, math.sqrt(self.stages))


@dataclass(frozen=True, slots=True)
class WeibullPatience(Patience):
    """exp(-(t / scale)^shape); a shape below 1: who has waited long waits longer."""

    shape: float
    mean: float

    def __post_init__(self) -> None:
        checks.one_positive("shape of the patience", self.shape)
        checks.one_positive("patience", self.mean)

    def _power(self, after: Floats) -> Floats:
        return np.asarray((after * (math.gamma(1 + 1 / self.shape) / self.mean)) ** self.shape)

    def survival(self, after: Floats) -> Floats:
        return np.exp(-self._power(after))

    def lost(self, after: Floats) -> Floats:
        return -np.expm1(-self._power(after))

    def scale(self) -> float:
        return self.mean / max(1.0, self.shape)


@dataclass(frozen=True, slots=True)
class FixedPatience(Patience):
    """Everybody hangs up after the same time."""

    mean: float

    def __post_init__(self) -> None:
        checks.one_positive("patience", self.mean)

    def survival(self, after: Floats) -> Floats:
        return np.where(after < self.mean, 1.0, 0.0)

    def lost(self, after: Floats) -> Floats:
        return np.where(after < self.mean, 0.0, 1.0)

    def breaks(self) -> tuple[float, ...]:
        return (self.mean,)


@dataclass(frozen=True, slots=True)
class MeasuredPatience(Patience):
    """A survival curve: `still[i]` of the callers would wait longer than `seconds[i]`; straight lines between.

    Before the first second all wait (give 0 there for those who hang up at once); after the last one the
    hazard of the last stretch goes on, so that a curve which ends in mid-air by censoring does end.
    """

    seconds: tuple[float, ...]
    still: tuple[float, ...]

    def __post_init__(self) -> None:
        at, left = np.asarray(self.seconds, float), np.asarray(self.still, float)
        if at.ndim != 1 or at.size < 2 or at.shape != left.shape:
            raise BadInput("measured patience: give at least two points, and a share for each second")
        if not (np.all(np.diff(at) > 0) and at[0] >= 0 and np.all(np.isfinite(at))):
            raise BadInput("measured patience: seconds must be 0 or more and grow")
        if not (np.all(np.diff(left) <= 0) and left[0] <= 1 and left[-1] >= 0):
            raise BadInput("measured patience: shares must fall from at most 1 to at least 0")
        if left[-1] > 0 and left[-1] == left[0]:
            raise BadInput("measured patience: nobody gives up in this curve; say Never()")

    def _hazard(self) -> float:
        last = self.still[-1]
        first = max(share for share in self.still)
        return math.log(first / last) / (self.seconds[-1] - self.seconds[0])

    def survival(self, after: Floats) -> Floats:
        return 1.0 - self.lost(after)

    def lost(self, after: Floats) -> Floats:
        at = np.asarray((0.0, *self.seconds) if self.seconds[0] > 0 else self.seconds)
        gone = 1.0 - np.asarray((1.0, *self.still) if self.seconds[0] > 0 else self.still)
        inside = np.interp(after, at, gone)
        if self.still[-1] <= 0:
            return np.asarray(inside)
        beyond = np.maximum(after - at[-1], 0.0)
        return np.asarray(np.where(beyond > 0, 1 - self.still[-1] * np.exp(-self._hazard() * beyond), inside))

    def breaks(self) -> tuple[float, ...]:
        return self.seconds

    def scale(self) -> float:
        return (self.seconds[-1] - self.seconds[0]) / max(1, len(self.seconds) - 1)


@dataclass(frozen=True, slots=True)
class MixedPatience(Patience):
    """Several kinds of callers: (share, patience) of each."""

    kinds: tuple[tuple[float, Patience], ...]

    def __post_init__(self) -> None:
        if not self.kinds or any(not share > 0 for share, _ in self.kinds):
            raise BadInput("mixed patience: every share must be above 0")
        total = sum(share for share, _ in self.kinds)
        if abs(total - 1) > 1e-9:
            raise BadInput(f"mixed patience: shares must make 1, these make {total:g}")

    def survival(self, after: Floats) -> Floats:
        return np.asarray(sum(share * kind.survival(after) for share, kind in self.kinds))

    def lost(self, after: Floats) -> Floats:
        return np.asarray(sum(share * kind.lost(after) for share, kind in self.kinds))

    def breaks(self) -> tuple[float, ...]:
        return tuple(sorted({at for _, kind in self.kinds for at in kind.breaks()}))

    def scale(self) -> float:
        return min(kind.scale() for _, kind in self.kinds)


def general_measures(
    agents: float, per_hour: float, handling: float, within: float, patience: Patience
) -> list[float]:
    """M/M/n+G: the measures of `_erlang.MEASURES`, times in seconds.

    Integrals over the virtual wait v of exp(λH(v) - nμv), H the integral of the survival. Raises Unstable where
    too many never give up.
    """
    lam, n_mu = per_hour / 3600.0, agents / handling
    a = lam * handling
    if lam == 0.0:
        return [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, math.nan, 0.0, 0.0, 0.0]
    edges = _edges(lam, n_mu, within, patience)
    left, width = edges[:-1], np.diff(edges)
    v = left[:, None] + width[:, None] * 0.5 * (1 + NODES)
    stay, gone = patience.survival(v), patience.lost(v)
    # ∫G and so H - v(1 - G) = v·G - ∫G keep the relative accuracy of G where hardly anybody has gone.
    parts = gone @ WEIGHTS * 0.5 * width
    lost_before = np.concatenate(([0.0], np.cumsum(parts)))[:-1]
    lost_time = lost_before[:, None] + (gone @ RUNNING.T) * 0.5 * width[:, None]
    waited = v - lost_time
    phi = lam * waited - n_mu * v
    # In overload λH and nμv cancel: per panel their difference is summed instead.
    drift = (lam * stay - n_mu) @ WEIGHTS * 0.5 * width
    start = np.concatenate(([0.0], np.cumsum(drift)))[:-1]
    phi = start[:, None] + ((lam * stay - n_mu) @ RUNNING.T) * 0.5 * width[:, None]
    top = max(0.0, float(phi.max()))
    weight = np.exp(phi - top) * WEIGHTS * 0.5 * width[:, None] * lam
    early = left < within

    def over(values: Floats, which: NDArray[np.bool_] | slice = slice(None)) -> float:
        return float(np.sum((weight * values)[which]))

    empty = inverse_b(agents - 1.0, a) * math.exp(-top)
    if math.isinf(empty):
        return [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, math.nan, a / agents, 0.0, 0.0]
    ones = np.ones_like(v)
    total = empty + over(ones)
    late = over(ones, ~early)
    t = np.array([within])
    lost_t, stay_t = float(patience.lost(t)[0]), float(patience.survival(t)[0])
    p_abandon = over(gone) / total
    p_served = (empty + over(stay)) / total
    mean_wait = over(waited) / total
    return [
        over(ones) / total,
        empty / total,
        p_abandon,
        p_served,
        mean_wait,
        stay_t * late / total,
        (empty + over(stay, early)) / total,
        (over(gone, early) + lost_t * late) / total,
        over(v * stay) / total / p_served,
        over(v * gone - lost_time) / total / p_abandon if p_abandon > 1e-300 else math.nan,
        a * p_served / agents,
        0.0,
        lam * mean_wait,
    ]


def _edges(lam: float, n_mu: float, within: float, patience: Patience) -> Floats:
    """Panels for the integrals: graded towards 0, cut at breaks and at `within`, halved until smooth, up to where
    nothing is left."""
    unit = min(1.0 / n_mu, 1.0 / lam, patience.scale())
    # The end: where φ has fallen by 50 below its top, doubling outwards.
    edges = [0.0]
    top = phi = 0.0
    last_break = max((at for at in patience.breaks() if math.isfinite(at)), default=0.0)
    step = unit / 1024.0
    fixed = sorted({at for at in (*patience.breaks(), within) if 0.0 < at < math.inf})
    after_within: float | None = None
    while True:
        begin = edges[-1]
        end = begin + step
        cut = next((at for at in fixed if begin < at < end), None)
        end = end if cut is None else cut
        width = end - begin
        v = begin + width * 0.5 * (1 + NODES)
        rate = lam * patience.survival(v) - n_mu
        if np.abs(rate).max() * width > 4.0 and width > 1e-9 * unit and not math.isinf(begin):
            step = max(4.0 / float(np.abs(rate).max()), width / 4.0) * 0.9
            if step < width * 0.95:
                continue
        edges.append(end)
        phi += float(rate @ WEIGHTS) * 0.5 * width
        top = max(top, phi)
        if end >= within and after_within is None:
            after_within = phi
        elif after_within is not None:
            after_within = max(after_within, phi)
        if after_within is not None and phi < after_within - 50.0 and rate[-1] < 0:
            break
        if end > 1e12 * unit or len(edges) > 100_000:
            raise Unstable(
                "more work than agents, of callers too many of whom never give up: the queue grows without end"
            )
        # A stretch cut short says nothing for a longer one: thousands of breaks would make it endless.
        step = step if cut is not None else max(step, width) * 1.7
        if last_break < begin and patience.scale() < math.inf:
            step = min(step, max(patience.scale() * 0.5, 0.7 * begin))
    return _refined(np.array(edges), patience)


def _refined(edges: Floats, patience: Patience) -> Floats:
    """Halve panels until the survival is a polynomial of degree 15 in each, to rounding."""
    for _ in range(40):
        left, width = edges[:-1], np.diff(edges)
        v = left[:, None] + width[:, None] * 0.5 * (1 + NODES)
        gone = patience.lost(v)
        series = np.abs(gone @ _TO_SERIES.T)
        tail = series[:, -3:].max(axis=1)
        rough = (tail > 1e-12 * series.max(axis=1)) & (tail > 1e-300) & (width > 1e-12 * edges[-1])
        if not rough.any() or len(edges) > 20_000:
            break
        edges = np.sort(np.concatenate((edges, (left + 0.5 * width)[rough])))
    return edges


_TO_SERIES = np.linalg.inv(np.polynomial.legendre.legvander(NODES, ORDER - 1))


def simplest(patience: "ArrayLike | Patience") -> "ArrayLike | Patience":
    """Its mean where that says everything: there the models are faster, and know more."""
    if isinstance(patience, ExponentialPatience):
        return patience.mean
    return math.inf if isinstance(patience, Never) else patience


POINTS = 400
"More points of a measured curve cost time and say nothing."


def thinned(seconds: NDArray[Any], shares: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """At most POINTS of a survival curve, evenly by the share they lose; first and last among them."""
    if len(seconds) <= POINTS:
        return seconds, shares
    wanted = np.linspace(shares[0], shares[-1], POINTS)
    kept = np.unique(np.searchsorted(-shares, -wanted, side="left").clip(0, len(shares) - 1))
    kept = np.union1d(kept, [0, len(shares) - 1])
    return seconds[kept], shares[kept]


def kaplan_meier(waits: Sequence[float], abandoned: Sequence[bool]) -> MeasuredPatience:
    """Patience from history: who was answered is censored then (Kaplan and Meier 1958). Waits in seconds."""
    wait, gone = np.asarray(waits, float), np.asarray(abandoned, bool)
    if wait.shape != gone.shape or wait.ndim != 1 or not gone.any():
        raise BadInput(
            "patience from history: give each wait and whether it was abandoned, with some that were"
        )
    checks.not_negative("waits", wait)
    times = np.unique(wait[gone])
    ordered = np.sort(wait)
    at_risk = wait.size - np.searchsorted(ordered, times, side="left")
    died = np.diff(np.searchsorted(np.sort(wait[gone]), np.append(times, np.inf), side="left"))
    still = np.cumprod(1.0 - died / at_risk)
    seconds = np.concatenate(([0.0], times)) if times[0] > 0 else times
    shares = np.concatenate(([1.0], still)) if times[0] > 0 else still
    seconds, shares = thinned(seconds, shares)
    if len(seconds) < 2:
        raise BadInput("patience from history: all who gave up did so at the same moment")
    return MeasuredPatience(tuple(seconds.tolist()), tuple(shares.tolist()))
