"""What will come, by interval, with how sure that is: calls, seconds of handling, shares of shrinkage.

    past = History.read("calls.csv")
    ahead = forecast(past, 14, special={date(2026, 12, 24): "christmas eve"})
    ahead.median, ahead.quantiles       days x intervals, days x intervals x levels
    ahead.accuracy                      what it reached on the last days, beside seasonal naive
    rolling(past, days=40)              the same by rolling origin, with the coverage of the intervals

Two members, each with what the other lacks: days as Gaussian processes (`_gauss`) and trees (`_boost`). How much each
is believed, and how wide the bands are, is what would have been best for the days before: for each of them the members
are asked with what was known then, and nothing later.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from centrala.workforce import _days
from centrala.workforce._course import AHEAD, SHORTEST, WEEKDAYS, Course, Proof, mean_of, of_total
from centrala.workforce._days import Special, folded_back, spread_out
from centrala.workforce.checks import Floats, whole
from centrala.workforce.errors import BadInput, NeverSeen, TooShort
from centrala.workforce.history import Days, History, Kind, weekday

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
BELIEVE = 0.3
"Variance added to a morning's errors before the afternoon follows them, as a share of their own."


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good forecasts were, made for each day from what was known before it."""

    days: int
    wape: float
    "Sum of the absolute errors of intervals over the sum of values."
    naive: float
    "The same of seasonal naive: the same weekday's last value."
    bias: float
    "Sum of forecast less met, over the sum met."
    coverage: float
    "Share of intervals that were between the lowest and the highest level asked for; NaN where it wasn't tried."
    asked: float = math.nan
    "What the coverage should be."

    def __str__(self) -> str:
        within = (
            "" if math.isnan(self.coverage) else f", {self.coverage:.0%} of {self.asked:.0%} within the band"
        )
        return f"{self.wape:.1%} off (seasonal naive {self.naive:.1%}), {self.days} days{within}"


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Days to come."""

    days: Days
    begin: int
    "Minute of the day of the first interval."
    minutes: int
    kind: Kind
    levels: tuple[float, ...]
    median: Floats
    "Days x intervals: as often more as less; what has the least absolute error."
    mean: Floats
    "Days x intervals: what adds up."
    quantiles: Floats
    "Days x intervals x levels."
    totals: Floats | None
    "Days x levels, of the calls of a day; None for seconds and shares."
    naive: Floats
    "Seasonal naive, for comparison."
    accuracy: Accuracy
    "Of one day ahead (of the first day asked for, if it is further) on the last days of the history."
    notes: tuple[str, ...]
    "What was found and done: jumps of the level, strange days, kinds of days learnt."
    covariance: Floats
    "Days x intervals x intervals, on the scale of even noise."

    def rows(self) -> list[dict[str, Any]]:
        """One for each interval, as CSV and JSON have them."""
        found = []
        for i, day in enumerate(self.days):
            for j in range(self.median.shape[1]):
                minute = self.begin + j * self.minutes
                row: dict[str, Any] = {"start": f"{day} {minute // 60:02d}:{minute % 60:02d}"}
                row |= {"median": float(self.median[i, j]), "mean": float(self.mean[i, j])}
                row |= {
                    f"q{100 * level:g}": float(self.quantiles[i, j, k]) for k, level in enumerate(self.levels)
                }
                found.append(row)
        return found

    def update(self, so_far: ArrayLike, day: date | None = None) -> "Forecast":
        """The day (the first, unless said) after its first intervals are known: the rest follows the morning's error
        as far as errors of the morning went on before. Raises BadInput."""
        at = 0 if day is None else int(np.searchsorted(self.days, np.datetime64(day)))
        if at >= len(self.days) or (day is not None and self.days[at] != np.datetime64(day)):
            raise BadInput(f"update: {day} is no day of this forecast")
        met = np.asarray(so_far, float)
        if met.ndim != 1 or len(met) > self.median.shape[1]:
            raise BadInput(
                f"update: give the values of the day's first intervals, {self.median.shape[1]} at most"
            )
        known = ~np.isnan(met)
        if np.any(met[known] < 0) or np.any(np.isinf(met)):
            raise BadInput("update: values must be 0 or more")
        done = np.flatnonzero(known)
        rest = np.arange(len(met), self.median.shape[1])
        centre = spread_out(self.kind, self.median[at])
        cover = self.covariance[at]
        live = done[np.diag(cover)[done] > 0]
        off = spread_out(self.kind, met[live]) - centre[live]
        # The covariance is itself learnt; believed to the letter it makes much of little mornings.
        ridge = BELIEVE * float(np.mean(np.diag(cover)[live])) if len(live) else 0.0
        gain = np.linalg.solve(cover[np.ix_(live, live)] + ridge * np.eye(len(live)), cover[live]).T
        moved = centre + gain @ off
        left = cover - gain @ cover[live]
        before, after = np.sqrt(np.maximum(np.diag(cover), 0)), np.sqrt(np.maximum(np.diag(left), 0))
        median, mean = self.median.copy(), self.mean.copy()
        quantiles, covariance = self.quantiles.copy(), self.covariance.copy()
        widths = (spread_out(self.kind, quantiles[at]) - centre[:, None]) * (
            after / np.maximum(before, 1e-9)
        )[:, None]
        used = rest[np.diag(cover)[rest] > 0]
        median[at, used] = folded_back(self.kind, moved)[used]
        mean[at, used] = mean_of(self.kind, moved, np.diag(left))[used]
        quantiles[at, used] = folded_back(self.kind, moved[:, None] + widths)[used]
        median[at, done], mean[at, done], quantiles[at, done] = met[done], met[done], met[done, None]
        covariance[at] = left
        covariance[at, : len(met)] = covariance[at, :, : len(met)] = 0.0
        totals = None
        if self.totals is not None:
            totals = self.totals.copy()
            size = of_total(moved, covariance[at]) / max(of_total(centre, cover), 1e-9)
            totals[at] = mean[at].sum() + (self.totals[at] - self.mean[at].sum()) * size
        return replace(
            self, median=median, mean=mean, quantiles=quantiles, covariance=covariance, totals=totals
        )


def forecast(
    history: History,
    horizon: int | Sequence[date] = 1,
    *,
    levels: Sequence[float] = LEVELS,
    special: Special | None = None,
    shifts: Iterable[date] = (),
) -> Forecast:
    """The next days that are open (as many as asked for, or those named), from a History.

    `special` names days of a kind (`{date(2026, 12, 25): "christmas"}`, in the past as well as ahead), which is learnt
    from earlier days of that kind, or gives the factor by which a day differs from a usual one (a campaign: 1.4).
    `shifts`: days known to have begun a new level; jumps by more than a quarter are found without. Days that the
    history names as closed are left out. Raises TooShort, NeverSeen, BadInput.
    """
    asked = _levels(levels)
    kinds = dict(special or {})
    _check_special(kinds)
    likes = _days.alike(history, kinds)
    days = _open_days(history, horizon)
    forced: list[np.datetime64] = [np.datetime64(day, "D") for day in shifts]
    shape = (len(days), history.values.shape[1])
    median, mean, naive = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    quantiles = np.zeros((*shape, len(asked)))
    covariance = np.zeros((*shape, shape[1]))
    totals = np.zeros((len(days), len(asked)))
    notes: list[str] = []
    proofs: list[Proof] = []
    for like in likes:
        mine = np.flatnonzero(np.isin(weekday(days), like.weekdays))
        if not len(mine) or not len(like.columns):
            continue  # nobody ever called on such a day
        course = Course(history.kind, like, likes, kinds, forced)
        for bucket, ahead in enumerate(AHEAD):
            here = [row for row in mine.tolist() if course.bucket(days[row]) == bucket]
            if not here:
                continue
            proof = course.proof(ahead)
            proofs.append(proof)
            got = course.ahead(days[here], proof, asked)
            at = np.ix_(np.array(here), like.columns)
            median[at], mean[at], naive[at] = got.median, got.mean, got.naive
            for index, row in enumerate(here):
                quantiles[row][like.columns] = got.quantiles[index]
                covariance[row][np.ix_(like.columns, like.columns)] = got.covariance[index]
                totals[row] = got.totals[index]
        notes += course.noted
    covered = {int(day) for like in likes for day in like.weekdays}
    for day in days:
        if int(weekday(day)) not in covered:
            raise NeverSeen(
                f"forecast: the history has no {WEEKDAYS[int(weekday(day))]}, and {day} is one; "
                "leave that day out, or use by_analogy()"
            )
    return Forecast(
        days, history.begin, history.minutes, history.kind, asked, median, mean, quantiles,
        totals if history.kind == "calls" else None, naive, _together(proofs), tuple(notes), covariance,
    )  # fmt: skip


def rolling(
    history: History,
    days: int = 40,
    *,
    ahead: int = 1,
    levels: Sequence[float] = (0.05, 0.95),
    special: Special | None = None,
) -> tuple[Accuracy, list[Forecast]]:
    """Each of the last days forecast from what was known `ahead` open days before: the accuracy, and the forecasts.

    Days without values between two that have some count as closed, and as known to be.
    """
    count, steps = whole("days", days, 1), whole("ahead", ahead, 1)
    if len(history.days) < SHORTEST + count + steps - 1:
        raise TooShort(
            f"rolling: {len(history.days)} days can't give {count} of them back and {SHORTEST} before; ask for fewer"
        )
    shut = history.closed | _absent(history)
    made, met, known = [], [], replace(history, closed=shut)
    for row in range(len(history.days) - count, len(history.days)):
        then = known.before(history.days[row - steps + 1])
        made.append(forecast(then, [history.days[row].item()], levels=levels, special=special))
        met.append(history.values[row])
    return score(made, met, None if history.weights is None else list(history.weights[-count:])), made


def score(
    made: Sequence[Forecast], met: Sequence[ArrayLike], weights: Sequence[ArrayLike] | None = None
) -> Accuracy:
    """The accuracy of forecasts of one day each, by what that day brought. Errors of seconds count by calls."""
    truth = np.array([np.asarray(one, float) for one in met])
    size = np.ones_like(truth) if weights is None else np.array([np.asarray(one, float) for one in weights])
    size = np.where(np.isnan(truth), 0.0, size)
    truth = np.nan_to_num(truth)
    guess = np.array([one.median[0] for one in made])
    naive = np.array([one.naive[0] for one in made])
    low = np.array([one.quantiles[0, :, 0] for one in made])
    high = np.array([one.quantiles[0, :, -1] for one in made])
    whole_sum = max(float((size * truth).sum()), 1e-9)
    live = (size > 0) & (high > 0)
    inside = (truth >= low - 1e-9) & (truth <= high + 1e-9)
    return Accuracy(
        len(truth),
        float((size * np.abs(truth - guess)).sum()) / whole_sum,
        float((size * np.abs(truth - naive)).sum()) / whole_sum,
        float((size * (guess - truth)).sum()) / whole_sum,
        float(inside[live].mean()) if live.any() else math.nan,
        made[0].levels[-1] - made[0].levels[0],
    )


def by_analogy(
    like: Forecast, level: float | None = None, *, own: History | None = None, usual: float | None = None
) -> Forecast:
    """A queue without a history: the forecast of a like one, scaled.

    `level`: the share of that queue's calls expected here. `own`: what the new queue has had so far, on days for which
    `usual` gives the like queue's calls a day; its first days correct the level as far as they go.
    """
    if like.kind != "calls":
        raise BadInput(
            "by_analogy: only calls can be scaled; seconds and shares of a like queue stand as they are"
        )
    if level is not None and not (level > 0 and math.isfinite(level)):
        raise BadInput(f"by_analogy: a level of {level:g} is not above 0")
    if own is None and level is None:
        raise BadInput("by_analogy: say the level, or give the queue's own first days")
    scale, doubt = level or 0.0, 0.3
    if own is not None:
        if usual is None or not usual > 0:
            raise BadInput("by_analogy: give `usual`, the like queue's calls on such a day, beside `own`")
        had = np.nansum(own.values, axis=1)
        met, days = float(had.mean()) / usual, len(had)
        # A day's level is worth what days differ by; a planner's word is worth two days.
        said = 2.0 if level is not None else 0.0
        scale = (said * scale + days * met) / (said + days)
        doubt = 0.3 / math.sqrt(1 + said + days)
    if scale <= 0:
        raise BadInput("by_analogy: the queue's own days are empty; say the level")
    centre = spread_out("calls", like.median * scale)
    old = spread_out("calls", like.median)
    # Fewer calls: the same even noise of roots, while what days differ by shrinks with them. The level is in doubt.
    shrunk = like.covariance * scale + (1 - min(scale, 1.0)) * 0.25 * np.eye(centre.shape[1])
    live = np.einsum("dii->di", like.covariance) > 0
    shrunk = np.where(live[:, :, None] & live[:, None, :], shrunk, 0.0)
    wide = (
        shrunk
        + (doubt / 2) ** 2 * centre[:, :, None] * centre[:, None, :] * live[:, :, None] * live[:, None, :]
    )
    before, after = (np.sqrt(np.maximum(np.einsum("dii->di", one), 1e-12)) for one in (like.covariance, wide))
    away = (spread_out("calls", like.quantiles) - old[:, :, None]) * (after / before)[:, :, None]
    quantiles = np.where(live[:, :, None], folded_back("calls", centre[:, :, None] + away), 0.0)
    mean = np.where(live, mean_of("calls", centre, np.einsum("dii->di", wide)), 0.0)
    totals = None
    if like.totals is not None:
        sums = like.mean.sum(axis=1)[:, None]
        grow = [
            of_total(centre[i], wide[i]) / max(of_total(old[i], like.covariance[i]), 1e-9)
            for i in range(len(centre))
        ]
        totals = mean.sum(axis=1)[:, None] + (like.totals - sums) * np.array(grow)[:, None]
    return replace(
        like,
        median=like.median * scale,
        mean=mean,
        quantiles=quantiles,
        totals=totals,
        naive=like.naive * scale,
        covariance=wide,
        notes=(*like.notes, f"scaled to {scale:.0%} of a like queue"),
    )


def _together(proofs: Sequence[Proof]) -> Accuracy:
    if not proofs:
        return Accuracy(0, math.nan, math.nan, math.nan, math.nan)
    first = [one for one in proofs if one.ahead == proofs[0].ahead]
    met = sum(one.met for one in first)
    if met <= 0:
        return Accuracy(0, math.nan, math.nan, math.nan, math.nan)
    return Accuracy(
        max(len(one.off) for one in first),
        sum(one.error for one in first) / met,
        sum(one.naive for one in first) / met,
        sum(one.bias for one in first) / met,
        math.nan,
    )


def _levels(levels: Sequence[float]) -> tuple[float, ...]:
    found = tuple(float(level) for level in levels)
    if not found or any(not 0 < level < 1 for level in found) or list(found) != sorted(set(found)):
        raise BadInput(f"levels: {levels!r} must be shares between 0 and 1 that grow")
    return found


def _check_special(special: Mapping[date, str | float]) -> None:
    for day, kind in special.items():
        if isinstance(kind, str):
            continue
        if isinstance(kind, bool) or not isinstance(kind, int | float) or not 0 <= kind < math.inf:
            raise BadInput(f"special: {day} has {kind!r}; give a kind as text, or a factor of 0 or more")


def _open_days(history: History, horizon: int | Sequence[date]) -> Days:
    if not len(history.days):
        raise TooShort("forecast: the history has no days")
    last = history.days[-1]
    if isinstance(horizon, int | np.integer) and not isinstance(horizon, bool):
        count = whole("horizon", horizon, 1)
        if count > 800:
            raise BadInput(f"horizon: {count} days ahead are a guess; ask for 800 at most")
        usual = _usually_open(history)
        found: list[np.datetime64] = []
        day = last
        while len(found) < count:
            day = day + 1
            if int(weekday(day)) in usual and day.item() not in history.closed:
                found.append(day)
            if (day - last).astype(int) > 10_000:
                raise BadInput("horizon: all days ahead are closed")
        return np.array(found, "datetime64[D]")
    days = np.array(sorted(set(horizon)), "datetime64[D]")  # type: ignore[arg-type]
    if not len(days):
        raise BadInput("horizon: no day is asked for")
    if days[0] <= last:
        raise BadInput(f"horizon: {days[0]} is not after the history's last day, {last}")
    if (days[-1] - last).astype(int) > 1200:
        raise BadInput(f"horizon: {days[-1]} is too far from the history's last day, {last}")
    return days


def _usually_open(history: History) -> set[int]:
    """Weekdays that were open half of the time in the last six weeks; a Saturday that was an exception is none."""
    since = max(history.days[-1] - 41, history.days[0])
    every = np.bincount(weekday(np.arange(since, history.days[-1] + 1)), minlength=7)
    were = np.bincount(weekday(history.days[history.days >= since]), minlength=7)
    return {day for day in range(7) if were[day] and 2 * were[day] >= every[day]}


def _absent(history: History) -> frozenset[date]:
    """Days without values of weekdays that have some."""
    usual = set(weekday(history.days).tolist())
    every = np.arange(history.days[0], history.days[-1] + 1)
    gone = np.setdiff1d(every, history.days)
    return frozenset(day.item() for day in gone if int(weekday(day)) in usual)
