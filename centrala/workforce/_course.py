"""The days of like weekdays, and what two members say of further ones: weights and bands by what they did before."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrala.workforce import _boost, _days, _gauss
from centrala.workforce._days import Like, Special, folded_back, spread_out
from centrala.workforce.checks import Floats
from centrala.workforce.errors import NeverSeen, TooShort
from centrala.workforce.history import Days, Kind, weekday

SHORTEST = 14
"Days of a history that say something."
MOST = 260
"Days that are learnt from: a year of open ones."
AGAIN = 10
"Days after which sizes, directions and trees are learnt anew; what they are asked about is always the latest."
PROVED = 40
"Days on which the members are tried."
ENOUGH = 45
"Days before the first on which they are tried, if there are as many."
AHEAD: tuple[tuple[int, ...], ...] = ((1,), (2, 3, 4, 5), (7, 10, 14))
"Days ahead that are learnt and tried together."
DOUBT = 0.35
"Weight of the trees as long as nothing speaks for another."


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """What both say of some days, each from what was known before."""

    centre: Floats
    "Of the Gaussian process, on the scale of even noise."
    covariance: Floats
    trees: Floats | None
    "Of the trees, in calls; None where the history is too short for them."
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """What the members did on the last days, and what follows."""

    ahead: tuple[int, ...]
    weight: float
    "Of the trees."
    off: Floats
    "Days x intervals: errors in deviations."
    off_total: Floats
    met: float
    error: float
    naive: float
    bias: float
    lift: float
    "What means are multiplied by, so that they add up to what came."

    def width(self, level: float) -> float:
        return _shrunk(self.off[~np.isnan(self.off)], level, len(self.off))

    def total_width(self, level: float) -> float:
        return _shrunk(self.off_total, level, len(self.off_total) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    median: Floats
    mean: Floats
    naive: Floats
    quantiles: Floats
    totals: Floats
    covariance: Floats


class Course:
    """The days of one group of weekdays, and what can be said of further ones."""

    def __init__(
        self, kind: Kind, like: Like, likes: Sequence[Like], special: Special, forced: Sequence[np.datetime64]
    ) -> None:
        self.kind, self.likes, self.special, self.forced = kind, likes, special, forced
        self.whole = like
        plain = np.array([label is None for label in like.labels])
        self.like = replace(
            like,
            days=like.days[plain],
            values=like.values[plain],
            met=like.met[plain],
            labels=tuple(label for label in like.labels if label is None),
        )
        self.count = len(self.like.days)
        if self.count < SHORTEST and self.count < 2 * len(like.weekdays):
            names = ", ".join(WEEKDAYS[day] for day in like.weekdays)
            raise TooShort(
                f"forecast: {self.count} days of {names} are too few to learn from, {SHORTEST} is the least "
                "(or two of each of these weekdays); by_analogy() makes a forecast from a like queue"
            )
        self.proofs: dict[tuple[int, ...], Proof] = {}
        self.noted: tuple[str, ...] = ()

    def lag(self, known: int, day: np.datetime64) -> int:
        """How many open days the day is after the last known one."""
        between = np.arange(self.like.days[known - 1] + 1, day)
        between = between[np.isin(weekday(between), self.like.weekdays)]
        return 1 + sum(one.item() not in self.like.closed for one in between)

    def bucket(self, day: np.datetime64) -> int:
        ahead = self.lag(self.count, day)
        return 0 if ahead <= 1 else 1 if ahead <= 5 else 2

    def naive(self, known: int, day: np.datetime64) -> Floats:
        same = np.flatnonzero(weekday(self.like.days[:known]) == weekday(day))
        return np.asarray(self.like.values[same[-1] if len(same) else known - 1])

    def _members(self, known: int, days: Days, ahead: tuple[int, ...]) -> Members:
        """Of `days`, from the first `known` days of the history."""
        begin = max(0, known - MOST - AGAIN)
        prefix = self.like.values[begin:known]
        key = _key(
            self.kind, prefix, self.like.days[begin:known], days, ahead, self._calendar(days[-1]), self.forced
        )
        kept = _KEPT.get(key)
        if kept is not None:
            return kept  # type: ignore[no-any-return]
        step = 1 if known <= SHORTEST else AGAIN if known >= 3 * AGAIN else AGAIN // 2
        anchor = known - known % step
        facts = self.like.facts(self.like.days[:known])
        later = self.like.facts(days)
        sized = self._learnt(anchor, facts, ahead)
        values, jumps = _days.without_shifts(prefix, self.like.days[begin:known], self.forced)
        scaled = spread_out(self.kind, values)
        window = slice(max(begin, known - MOST), known)
        centre, covariance, strange = sized[0].predict(facts[window], scaled[window.start - begin :], later)
        trees = None
        if sized[1] is not None:
            factor = 100.0 if self.kind == "share" else 1.0
            joined = facts[begin:known].then(later)
            trees = np.array(
                [
                    _boost.foretold(
                        sized[1],
                        values * factor,
                        joined,
                        known - begin,
                        known - begin + i,
                        min(self.lag(known, day), max(ahead)),
                    )
                    for i, day in enumerate(days)
                ]
            )
            trees /= factor
        notes = [f"the level changed by a factor of {one.factor:.2f} on {one.day}" for one in jumps]
        notes += [
            f"{self.like.days[window][row]} was a strange day ({'more' if strange[row] > 0 else 'fewer'} than usual)"
            if self.kind == "calls"
            else f"{self.like.days[window][row]} was a strange day"
            for row in np.flatnonzero(np.abs(strange) > 5).tolist()
        ]
        made = Members(centre, covariance, trees, tuple(notes))
        _KEPT.put(key, made)
        return made

    def _learnt(
        self, anchor: int, facts: _gauss.DayFacts, ahead: tuple[int, ...]
    ) -> tuple[_gauss.Turned, Any]:
        window = slice(max(0, anchor - MOST), anchor)
        last = self.like.days[window][-1]
        key = _key(
            self.kind, self.like.values[window], self.like.days[window], self._calendar(last), self.forced
        )
        turned = _KEPT.get(key)
        values, _ = _days.without_shifts(self.like.values[window], self.like.days[window], self.forced)
        if turned is None:
            turned = _gauss.learn(facts[window], spread_out(self.kind, values))
            _KEPT.put(key, turned)
        trees = None
        if anchor >= ENOUGH:
            leaf = (*key, ahead)
            trees = _KEPT.get(leaf)
            if trees is None:
                factor = 100.0 if self.kind == "share" else 1.0
                trees = _boost.grown(values * factor, facts[window], ahead)
                _KEPT.put(leaf, trees)
        return turned, trees

    def _calendar(self, until: np.datetime64) -> object:
        """Of closed days, those that matter by then."""
        return self.like.weekdays, sorted(day for day in self.like.closed if np.datetime64(day) < until)

    def proof(self, ahead: tuple[int, ...]) -> Proof:
        """The members tried on the last days."""
        if ahead in self.proofs:
            return self.proofs[ahead]
        first = max(self.count - PROVED, min(ENOUGH, self.count // 2) + max(ahead))
        centre, deviation, trees, met, naive, of_total = [], [], [], [], [], []
        for row in range(first, self.count):
            known = row - ahead[row % len(ahead)] + 1
            said = self._members(known, self.like.days[row : row + 1], ahead)
            centre.append(said.centre[0])
            deviation.append(np.sqrt(np.diag(said.covariance[0])))
            of_total.append(said.covariance[0])
            trees.append(said.trees)
            met.append(self.like.met[row])
            naive.append(self.naive(known, self.like.days[row]))
        if not met:
            empty = np.zeros((0, len(self.like.columns)))
            made = Proof(ahead, 0.0, empty, empty[:, 0], 0.0, 0.0, 0.0, 0.0, 1.0)
        else:
            made = self._judged(ahead, centre, deviation, of_total, trees, np.array(met), np.array(naive))
        self.proofs[ahead] = made
        return made

    def _judged(
        self,
        ahead: tuple[int, ...],
        centre: list[Floats],
        deviation: list[Floats],
        covariance: list[Floats],
        trees: list[Floats | None],
        met: Floats,
        naive: Floats,
    ) -> Proof:
        process = folded_back(self.kind, np.array(centre))
        both = np.array([one is not None for one in trees])
        grown = np.array([own if one is None else one[0] for one, own in zip(trees, process, strict=True)])
        weight = 0.0
        if both.any():
            weights = np.linspace(0, 1, 21)
            losses = np.array(
                [np.nansum(np.abs(met[both] - (1 - w) * process[both] - w * grown[both])) for w in weights]
            )
            # As much as nothing but chance would show is not believed: few days keep the weight near the usual one.
            losses = losses / max(losses.min(), 1e-9) + 2.0 / both.sum() * (weights - DOUBT) ** 2
            weight = float(weights[np.argmin(losses)])
        mine = np.where(both[:, None], (1 - weight) * process + weight * grown, process)
        middle = spread_out(self.kind, mine)
        off = (spread_out(self.kind, met) - middle) / np.maximum(np.array(deviation), 1e-9)
        sizes = np.array([of_total(one, cover) for one, cover in zip(middle, covariance, strict=True)])
        total = np.nansum(met - mine, axis=1) / np.maximum(sizes, 1e-9)
        return Proof(
            ahead,
            weight,
            off,
            total,
            float(np.nansum(met)),
            float(np.nansum(np.abs(met - mine))),
            float(np.nansum(np.abs(met - naive))),
            float(np.nansum(mine - met)),
            self._lift(np.array(centre), np.array(covariance), mine, met),
        )

    def _lift(self, centre: Floats, covariance: Floats, middle: Floats, met: Floats) -> float:
        known = ~np.isnan(met)
        sums = float(met[known].sum()), float(self._means(centre, covariance, middle)[known].sum())
        # As if ten more days had been right.
        doubt = 10 / len(met) * max(sums)
        return min(max((sums[0] + doubt) / max(sums[1] + doubt, 1e-9), 0.5), 2.0)

    def _means(self, centre: Floats, covariance: Floats, middle: Floats) -> Floats:
        """Means to the medians: those of the Gaussian process, moved as the trees move the median. Of rare calls the
        trees' median is none, which says nothing of a mean."""
        lone = folded_back(self.kind, centre)
        believed = lone / (lone + 2.0) if self.kind == "calls" else np.ones_like(lone)
        mean = mean_of(self.kind, centre, np.einsum("dii->di", covariance))
        return np.maximum(mean + believed * (middle - lone), 0.0)

    def ahead(self, days: Days, proof: Proof, levels: tuple[float, ...]) -> Ahead:
        said = self._members(self.count, days, proof.ahead)
        self.noted = said.notes
        median = folded_back(self.kind, said.centre)
        if said.trees is not None:
            median = (1 - proof.weight) * median + proof.weight * said.trees
        centre = spread_out(self.kind, median)
        deviation = np.sqrt(np.einsum("dii->di", said.covariance))
        widths = np.array([proof.width(level) for level in levels])
        # The bands that were found say how large the covariance should have been.
        grow = ((proof.width(0.9) - proof.width(0.1)) / (2 * NormalDist().inv_cdf(0.9))) ** 2
        covariance = said.covariance * grow
        quantiles = folded_back(self.kind, centre[:, :, None] + deviation[:, :, None] * widths)
        mean = proof.lift * self._means(said.centre, said.covariance, median)
        if self.kind == "share":
            mean = np.minimum(mean, 1.0)
        total_widths = np.array([proof.total_width(level) for level in levels])
        totals = (
            median.sum(axis=1)[:, None]
            + np.array([of_total(one, cover) for one, cover in zip(centre, said.covariance, strict=True)])[
                :, None
            ]
            * total_widths
        )
        naive = np.array([self.naive(self.count, day) for day in days])
        made = Ahead(median, mean, naive, quantiles, np.maximum(totals, 0.0), covariance)
        return self._special(days, made)

    def _special(self, days: Days, made: Ahead) -> Ahead:
        """Days of a kind by what that kind did before, or by a factor given."""
        factors = np.ones_like(made.median)
        for index, day in enumerate(days):
            kind = self.special.get(day.item())
            if isinstance(kind, str):
                factors[index] = self._effect(kind, day)
            elif kind is not None:
                factors[index] = float(kind)
        if np.all(factors == 1.0):
            return made
        if self.kind != "calls":
            return replace(
                made,
                median=made.median * factors,
                mean=made.mean * factors,
                quantiles=made.quantiles * factors[:, :, None],
            )
        sums = made.median.sum(axis=1)
        share = (made.median * factors).sum(axis=1) / np.maximum(sums, 1e-9)
        return Ahead(
            made.median * factors,
            made.mean * factors,
            made.naive,
            made.quantiles * factors[:, :, None],
            made.totals * share[:, None],
            made.covariance * np.sqrt(factors[:, :, None] * factors[:, None, :]),
        )

    def _effect(self, kind: str, day: np.datetime64) -> Floats:
        """What days of the kind had of what they would have had, by interval: the level from the day as a whole,
        the shape as far as counts are large enough to show one."""
        own = [_effect(self.whole, row) for row, label in enumerate(self.whole.labels) if label == kind]
        # A feast moves through the week: on other weekdays it says how much, not when.
        others = [
            np.full(len(self.whole.columns), _effect(like, row).mean())
            for like in self.likes
            for row, label in enumerate(like.labels)
            if label == kind
        ]
        if not own and not others:
            raise NeverSeen(
                f"forecast: {day} is to be {kind!r}, but the history has no such day; "
                f"label one in `special`, or give a factor instead, such as {{date({day.item():%Y, %-m, %-d}): 0.6}}"
            )
        return np.asarray(np.exp(np.mean(np.log(np.maximum(own or others, 1e-3)), axis=0)))


def _effect(like: Like, row: int) -> Floats:
    """What a special day had beside the same weekdays nearest to it, by interval; few calls show a level, no shape."""
    met, when = like.values[row], like.days[row]
    plain = np.array([label is None for label in like.labels])
    values, days = like.values[plain], like.days[plain]
    near = np.argsort(np.abs((days - when).astype(np.int64)), kind="stable").tolist()
    same = [at for at in near if weekday(days[at]) == weekday(when)][:4]
    usual = np.median(values[same or near[:5]], axis=0)
    level = met.sum() / max(float(usual.sum()), 1e-9)
    window = np.full(5, 0.2)
    smooth = np.convolve(np.pad(met, 2, "edge"), window, "valid")
    base = np.convolve(np.pad(usual, 2, "edge"), window, "valid")
    return np.asarray((smooth + 4 * level) / (base + 4))


class _Kept:
    """What was learnt from a past is the same whenever it is asked for again: origins that roll ask often."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, OrderedDict[tuple[Any, ...], Any]()

    def get(self, key: tuple[Any, ...]) -> Any:
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def put(self, key: tuple[Any, ...], value: object) -> None:
        self._held[key] = value
        while len(self._held) > self._most:
            self._held.popitem(last=False)


_KEPT = _Kept(1000)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _key(*parts: object) -> tuple[Any, ...]:
    found = blake2b(digest_size=16)
    for part in parts:
        found.update(
            part.tobytes() + repr(part.shape).encode()
            if isinstance(part, np.ndarray)
            else repr(part).encode()
        )
    return (found.hexdigest(),)


def _shrunk(off: NDArray[np.float64], level: float, days: float) -> float:
    """The quantile of errors met, drawn to the normal one where there were few days."""
    normal = NormalDist().inv_cdf(level)
    if not len(off):
        return 1.1 * normal
    return float((days * np.quantile(off, level) + 5.0 * normal) / (days + 5.0))


def mean_of(kind: Kind, centre: Floats, variance: Floats) -> Floats:
    if kind == "calls":
        return np.maximum(np.maximum(centre, 0.0) ** 2 + variance - 0.25, 0.0)
    if kind == "seconds":
        return np.exp(np.minimum(centre + variance / 2, 40.0))
    return folded_back(kind, centre)


def of_total(centre: Floats, covariance: Floats) -> float:
    """Deviation of a day's sum, to the first order."""
    slope = 2 * np.maximum(centre, 0.5)
    return math.sqrt(max(float(slope @ covariance @ slope), 0.0))
