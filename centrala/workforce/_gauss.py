"""Days as Gaussian processes: every day's intervals, turned into uncorrelated scores, each score a series over days.

The square roots of counts have a variance that doesn't depend on the count (Anscombe 1948; Brown et al. 2005 for
calls). Turned by the singular vectors of the past days (Shen and Huang 2008) they fall apart into scores: how busy, how
early, how late. A score is the sum of a slow course, a quick one that is forgotten in days, a habit of the weekday that
may wander, a place in the month, the first and the second day after days closed, and noise. The sizes of those parts
are the ones that make the past most likely; days that don't fit are given noise of their own until they do (Student's
t).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve  # type: ignore[import-untyped, unused-ignore]
from scipy.optimize import minimize  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce.checks import Floats

ALONE = 5
"So many scores have parts of their own; all further ones share theirs."
FREEDOM = 4.0
"Degrees of Student's t: days off by 5 deviations happen in every year."

# What is likely before any day is seen, in logarithms: size and days of the slow course, of the quick one and of the
# weekday's habit, first and second day after closed ones, size and breadth of the month's, noise. Sizes are shares of a
# variance.
_USUAL = np.log([1, 300, 0.3, 3, 0.5, 400, 0.1, 0.05, 0.05, 0.3, 0.3])
_SPREAD = np.array([1.5, 0.7, 1.5, 0.7, 1.5, 0.8, 1.5, 1.5, 1.5, 0.5, 1.5])
_TINY = 1e-7


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What is known of a day before it comes, one number a day in each."""

    ordinal: Floats
    weekday: NDArray[np.int64]
    in_month: Floats
    "0 on the first, near 1 on the last."
    first_back: Floats
    "1 where the days before were closed though their weekday is an open one."
    second_back: Floats

    def __getitem__(self, which: Any) -> "DayFacts":
        return DayFacts(
            self.ordinal[which],
            self.weekday[which],
            self.in_month[which],
            self.first_back[which],
            self.second_back[which],
        )

    def then(self, later: "DayFacts") -> "DayFacts":
        pairs = ((getattr(self, name), getattr(later, name)) for name in self.__slots__)
        return DayFacts(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike days are in each respect, before sizes are known: what every score's kernel is made of."""

    apart: Floats
    same_weekday: Floats
    month: Floats
    first: Floats
    second: Floats

    @classmethod
    def of(cls, some: DayFacts, others: DayFacts) -> "Likeness":
        phase = np.abs(some.in_month[:, None] - others.in_month[None])
        return cls(
            np.abs(some.ordinal[:, None] - others.ordinal[None]),
            (some.weekday[:, None] == others.weekday[None]).astype(np.float64),
            np.sin(np.pi * phase) ** 2,
            some.first_back[:, None] * others.first_back[None],
            some.second_back[:, None] * others.second_back[None],
        )

    def parts(self, sizes: Floats) -> list[Floats]:
        e = np.exp(sizes)
        return [
            e[0] * np.exp(-self.apart / e[1]),
            e[2] * np.exp(-self.apart / e[3]),
            e[4] * self.same_weekday * np.exp(-self.apart / e[5]),
            e[6] * self.first,
            e[7] * self.second,
            e[8] * np.exp(-2 * self.month / e[9] ** 2),
        ]

    def total(self, sizes: Floats) -> Floats:
        return np.asarray(sum(self.parts(sizes)))


def _unlikelihood(sizes: Floats, like: Likeness, scores: Floats, noise: Floats) -> tuple[float, Floats]:
    """Minus the logarithm of the likelihood of all columns of `scores`, prior included, and its slope."""
    parts = like.parts(sizes[:-1])
    own = np.exp(sizes[-1])
    n, columns = scores.shape
    whole = np.asarray(sum(parts))
    whole[np.diag_indices(n)] += own * noise + _TINY
    try:
        factor = cho_factor(whole, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return 1e12, np.zeros_like(sizes)
    solved = cho_solve(factor, scores, check_finite=False)
    inverse = cho_solve(factor, np.eye(n), check_finite=False)
    value = 0.5 * float(np.sum(scores * solved)) + columns * float(np.log(np.diag(factor[0])).sum())
    pull = 0.5 * (columns * inverse - solved @ solved.T)
    e = np.exp(sizes)
    slow, quick, habit, first, second, month = (float(np.sum(pull * part)) for part in parts)
    slope = np.array([
        slow,
        float(np.sum(pull * parts[0] * like.apart)) / e[1],
        quick,
        float(np.sum(pull * parts[1] * like.apart)) / e[3],
        habit,
        float(np.sum(pull * parts[2] * like.apart)) / e[5],
        first,
        second,
        month,
        float(np.sum(pull * parts[5] * like.month)) * 4 / e[9] ** 2,
        float(np.sum(np.diag(pull) * own * noise)),
    ])  # fmt: skip
    off = (sizes - _USUAL) / _SPREAD
    return value + 0.5 * float(off @ off), slope + off / _SPREAD


@dataclass(frozen=True, slots=True)
class Turned:
    """Sizes and directions learnt from some days; `predict` conditions them on any days, not on those alone."""

    middle: Floats
    turn: Floats
    "Row i is the direction of score i over the intervals."
    sizes: tuple[Floats, ...]
    "Of each score."
    scales: Floats

    def predict(
        self, facts: DayFacts, values: Floats, ahead: DayFacts
    ) -> tuple[Floats, Floats, NDArray[np.float64]]:
        """Values expected (days x intervals), their covariance (days x intervals x intervals), and how far each
        past day is from what the others make of it, in deviations of its level."""
        scores = (values - self.middle) @ self.turn.T / self.scales
        known, cross, later = (
            Likeness.of(facts, facts),
            Likeness.of(ahead, facts),
            Likeness.of(ahead, ahead),
        )
        expected = np.empty((len(ahead.ordinal), len(self.turn)))
        spread = np.empty_like(expected)
        strange = np.zeros(len(values))
        for begin, end in _bunches(len(self.turn)):
            sizes = self.sizes[begin]
            noise, factor, solved, inverse = _settle(known, sizes, scores[:, begin:end], rounds=2)
            to_past = cross.total(sizes[:-1])
            expected[:, begin:end] = to_past @ solved
            own = np.diag(later.total(sizes[:-1])) + np.exp(sizes[-1])
            seen = np.einsum("ij,ji->i", to_past, cho_solve(factor, to_past.T, check_finite=False))
            spread[:, begin:end] = np.maximum(own - seen, 1e-3 * np.exp(sizes[-1]))[:, None]
            if begin == 0:
                upward = np.sign(self.turn[0].sum())
                strange = upward * solved[:, 0] / np.sqrt(np.diag(inverse)) * np.sqrt(noise)
        expected, spread = expected * self.scales, spread * self.scales**2
        covariance = np.einsum("dk,ki,kj->dij", spread, self.turn, self.turn)
        return self.middle + expected @ self.turn, covariance, strange


def learn(facts: DayFacts, values: Floats) -> Turned:
    """Sizes and directions from days x intervals of values whose noise is even."""
    half = np.median(values, axis=0)
    # Of rare calls the median is none: the mean is, but for strange days.
    wide = 2 * np.maximum(values.std(axis=0), 1e-6)
    middle = half + np.clip(values - half, -wide, wide).mean(axis=0)
    off = values - middle
    reach = 6 * max(float(np.median(np.abs(off))), 1e-6)
    _, _, turn = np.linalg.svd(np.clip(off, -reach, reach), full_matrices=True)
    scores = off @ turn.T
    scales = np.maximum(scores.std(axis=0), 1e-6)
    scores = scores / scales
    like = Likeness.of(facts, facts)
    sizes: list[Floats] = []
    for begin, end in _bunches(len(turn)):
        mine = scores[:, begin:end]
        noise = np.ones(len(values))
        found = _USUAL
        for steps in (30, 12):
            found = minimize(
                _unlikelihood,
                found,
                args=(like, mine, noise),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": steps},
            ).x
            noise, *_ = _settle(like, found, mine, rounds=1, noise=noise)
        sizes += [found] * (end - begin)
    return Turned(middle, turn, tuple(sizes), scales)


def _settle(
    like: Likeness, sizes: Floats, scores: Floats, *, rounds: int, noise: Floats | None = None
) -> tuple[Floats, Any, Floats, Floats]:
    """Noise of each day, as days that don't fit the others are given more of it; the system solved with it."""
    base = like.total(sizes[:-1])
    n = len(scores)
    noise = np.ones(n) if noise is None else noise
    step = 0
    while True:
        whole = base.copy()
        whole[np.diag_indices(n)] += np.exp(sizes[-1]) * noise + _TINY
        factor = cho_factor(whole, lower=True, check_finite=False)
        solved = cho_solve(factor, scores, check_finite=False)
        inverse = cho_solve(factor, np.eye(n), check_finite=False)
        if step == rounds:
            return noise, factor, solved, inverse
        # What a day is off by, when left out: solved / diagonal, of variance 1 / diagonal.
        off = np.mean(solved**2, axis=1) / np.diag(inverse)
        noise = np.maximum(1.0, noise * (FREEDOM + off) / (FREEDOM + 1))
        step += 1


def _bunches(scores: int) -> Sequence[tuple[int, int]]:
    alone = min(ALONE, scores)
    return [(i, i + 1) for i in range(alone)] + ([(alone, scores)] if scores > alone else [])
