"""Patience measured: how long callers would wait, from waits that an answer cut short, and who calls again.

    found = patience_of(waits, abandoned)             survival with bands, hazard by wait
    by = patience_by(waits, abandoned, kind)          the same for each kind of customer
    differ(by)                                        chance that such differences are nothing
    found.abandonment(agents, per_hour, handling)     what a queue loses with such callers
    calls_again(at, who, answered)                    first calls, redials, repeat contacts

Seconds throughout. A caller who was answered after 40 s would have waited for 40 s at least: that is all it says.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce import checks
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput
from centrala.workforce.patience import ExponentialPatience, MeasuredPatience, Patience, thinned

EDGES = (0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 420.0, 600.0)
"Seconds between which the hazard is taken as even, unless others are asked for."
REDIAL = 900.0
"Seconds within which a caller who gave up and calls again wants the same."
REPEAT = 7 * 86_400.0
"Seconds within which somebody who was served and calls again has no new concern: the usual week."


@dataclass(frozen=True, slots=True, eq=False)
class Hazard:
    """Callers who give up, per second of waiting, between waits."""

    begin: Floats
    end: Floats
    gave_up: Floats
    waited: Floats
    "Seconds that all callers together spent waiting there."
    rate: Floats
    "gave_up / waited; NaN where nobody waited."
    low: Floats
    high: Floats
    "Exact limits of a Poisson rate (Garwood 1936)."


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredSurvival:
    """Kaplan-Meier: what share would still wait, where somebody gave up."""

    seconds: Floats
    still: Floats
    low: Floats
    high: Floats
    "Of the share, by Greenwood's variance on the scale of log(-log) (Kalbfleisch and Prentice): they stay in 0 to 1."
    error: Floats
    "Greenwood's standard error of the share itself."
    at_risk: Floats
    "Callers who waited that long at least."
    waits: Floats
    "All of them, ascending."
    abandoned: NDArray[np.bool_]
    level: float

    @property
    def mean_by_rate(self) -> float:
        """Seconds waited by all over those who gave up: the mean, if giving up were as likely at any moment. `inf` if
        nobody did."""
        gone = int(self.abandoned.sum())
        return float(self.waits.sum()) / gone if gone else math.inf

    def share(self, after: ArrayLike) -> Floats:
        """Share that would still wait after so many seconds."""
        at = np.searchsorted(self.seconds, np.asarray(after, float), side="right")
        return np.concatenate(([1.0], self.still))[at]

    def quantile(self, share: float) -> float:
        """Seconds after which so many would have given up; `inf` where the waits were too short to tell."""
        reached = np.flatnonzero(self.still <= 1 - share + 1e-12)
        return float(self.seconds[reached[0]]) if len(reached) else math.inf

    def hazard(self, edges: Sequence[float] = EDGES) -> Hazard:
        """How likely callers give up at each stretch of the wait."""
        cuts = np.asarray(edges, float)
        if cuts.ndim != 1 or len(cuts) < 2 or np.any(np.diff(cuts) <= 0) or cuts[0] < 0:
            raise BadInput("hazard: edges must be two or more seconds that grow, from 0 or later")
        begin, end = cuts[:-1], cuts[1:]
        spent = np.clip(self.waits[:, None] - begin, 0.0, end - begin).sum(axis=0)
        gone, _ = np.histogram(self.waits[self.abandoned], cuts)
        events = gone.astype(float)
        tail = (1 - self.level) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(spent > 0, events / spent, np.nan)
            low = np.where(events > 0, special.gammaincinv(np.maximum(events, 1e-9), tail), 0.0) / spent
            high = special.gammaincinv(events + 1, 1 - tail) / spent
        return Hazard(begin, end, events, spent, rate, low, high)

    def patience(self) -> Patience:
        """For the models of `queue`, `staff` and the simulations."""
        if len(self.seconds) >= 2 or (len(self.seconds) == 1 and self.seconds[0] > 0):
            first = self.seconds[0] > 0
            at = np.concatenate(([0.0], self.seconds)) if first else self.seconds
            left = np.concatenate(([1.0], self.still)) if first else self.still
            at, left = thinned(at, left)
            return MeasuredPatience(tuple(at.tolist()), tuple(left.tolist()))
        if not self.abandoned.any():
            raise BadInput("patience: nobody gave up in these waits; say Never()")
        return ExponentialPatience(max(self.mean_by_rate, 1e-3))

    def abandonment(self, agents: float, per_hour: float, handling: float) -> float:
        """Share that such callers make of a queue with so many agents (M/M/n+G)."""
        from centrala.workforce.models import queue

        return float(queue(agents, per_hour, handling, patience=self.patience()).p_abandon)


def patience_of(waits: ArrayLike, abandoned: ArrayLike, *, level: float = 0.95) -> MeasuredSurvival:
    """From each contact's wait and whether it ended by hanging up. Raises BadInput."""
    wait, gone = checks.not_negative("waits", waits), np.asarray(abandoned, bool)
    if wait.ndim != 1 or wait.shape != gone.shape or not len(wait):
        raise BadInput(f"patience: {wait.shape} waits and {gone.shape} endings; give one of each a contact")
    if not 0 < level < 1:
        raise BadInput(f"patience: a level of {level:g} is no share between 0 and 1")
    order = np.argsort(wait, kind="stable")
    wait, gone = wait[order], gone[order]
    times = np.unique(wait[gone])
    risk = len(wait) - np.searchsorted(wait, times, side="left").astype(float)
    events = (
        np.searchsorted(wait[gone], times, side="right") - np.searchsorted(wait[gone], times, side="left")
    ).astype(float)
    still = np.cumprod(1 - events / risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = np.cumsum(np.where(risk > events, events / (risk * (risk - events)), np.inf))
        error = np.where(still > 0, still * np.sqrt(sums), 0.0)
        z = NormalDist().inv_cdf((1 + level) / 2)
        width = z * np.sqrt(sums) / np.abs(np.log(still))
        low = np.where(still > 0, still ** np.exp(width), 0.0)
        high = np.where(still > 0, still ** np.exp(-width), 0.0)
    return MeasuredSurvival(times, still, low, high, error, risk, wait, gone, level)


def patience_by(
    waits: ArrayLike, abandoned: ArrayLike, by: Sequence[Hashable], *, level: float = 0.95
) -> dict[Hashable, MeasuredSurvival]:
    """For each kind of customer (or message heard, or queue), the most frequent first."""
    wait, gone = np.asarray(waits, float), np.asarray(abandoned, bool)
    if len(by) != len(wait):
        raise BadInput(f"patience: {len(wait)} waits and {len(by)} kinds")
    rows: dict[Hashable, list[int]] = {}
    for row, kind in enumerate(by):
        rows.setdefault(kind, []).append(row)
    ordered = sorted(rows.items(), key=lambda item: -len(item[1]))
    return {kind: patience_of(wait[mine], gone[mine], level=level) for kind, mine in ordered}


def differ(groups: Mapping[Hashable, MeasuredSurvival]) -> tuple[float, float]:
    """The log-rank test (Mantel 1966): χ², and the chance of as much where all kinds are equally patient."""
    every = list(groups.values())
    if len(every) < 2:
        raise BadInput("differ: give two kinds at least")
    times = np.unique(np.concatenate([one.waits[one.abandoned] for one in every]))
    risk = np.array([len(one.waits) - np.searchsorted(one.waits, times, side="left") for one in every], float)
    events = np.array(
        [
            np.searchsorted(np.sort(one.waits[one.abandoned]), times, side="right")
            - np.searchsorted(np.sort(one.waits[one.abandoned]), times, side="left")
            for one in every
        ],
        float,
    )
    all_risk, all_events = risk.sum(axis=0), events.sum(axis=0)
    expected = risk * all_events / all_risk
    off = (events - expected).sum(axis=1)[:-1]
    spare = np.where(all_risk > 1, (all_risk - all_events) / np.maximum(all_risk - 1, 1), 0.0)
    share = risk / all_risk
    weight = all_events * spare
    covariance = np.diag((share * weight).sum(axis=1)) - (share * weight) @ share.T
    chi = float(off @ np.linalg.pinv(covariance[:-1, :-1]) @ off)
    return chi, float(special.gammaincc((len(every) - 1) / 2, chi / 2))


Again = Literal["first", "redial", "repeat"]


@dataclass(frozen=True, slots=True, eq=False)
class CallsAgain:
    """Which contacts are a new concern."""

    what: tuple[Again, ...]
    "Of each contact, in the order given."
    known: int
    "Contacts whose customer is known; the others count as first."
    redial_share: float
    "Of those who gave up and are known: how many called again in time. NaN if nobody gave up."
    repeat_share: float
    "Of those who were served and are known: how many came again in time. NaN if nobody was."

    @property
    def fresh(self) -> NDArray[np.bool_]:
        """Contacts that are no redials: what demand is."""
        return np.array([one != "redial" for one in self.what], bool)


def calls_again(
    at: ArrayLike,
    who: Sequence[Hashable | None],
    answered: ArrayLike,
    *,
    about: Sequence[Hashable] | None = None,
    redial: float = REDIAL,
    repeat: float = REPEAT,
) -> CallsAgain:
    """Redials (the same customer after giving up) and repeat contacts (after being served), each within its time.

    `who` is None where unknown; `about` is the concern, and without it every contact is about the same.
    """
    when, served = checks.numbers("at", at), np.asarray(answered, bool)
    count = len(who)
    if when.shape != (count,) or served.shape != (count,) or (about is not None and len(about) != count):
        raise BadInput(f"calls again: {count} customers for {when.shape} times and {served.shape} endings")
    limits = checks.positive("redial", redial), checks.positive("repeat", repeat)
    what: list[Again] = ["first"] * count
    last: dict[tuple[Hashable, Hashable], int] = {}
    lost = met = again_lost = again_met = known = 0
    for row in np.argsort(when, kind="stable").tolist():
        name = who[row]
        if name is None:
            continue
        known += 1
        key = (name, about[row] if about is not None else None)
        before = last.get(key)
        if before is not None:
            since = when[row] - when[before]
            if not served[before] and since <= limits[0]:
                what[row] = "redial"
                again_lost += 1
            elif served[before] and since <= limits[1]:
                what[row] = "repeat"
                again_met += 1
        last[key] = row
        met, lost = met + int(served[row]), lost + int(not served[row])
    return CallsAgain(
        tuple(what), known, again_lost / lost if lost else math.nan, again_met / met if met else math.nan
    )
