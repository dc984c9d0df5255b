"""A model of the waits from what became of past estimates, and whether it tells more than the formula.

Small trees are grown one after the other, each towards the sign of what is still wrong, with the median of that in its
leaves (gradient boosting for absolute errors: Friedman, Annals of Statistics 29(5), 2001). They learn the logarithm of
wait ÷ formula. How many of them is what days say that weren't learned from; none at all is a possible answer.

`verdict` learns from the older days, judges on the last ones, and only if the model has won there gives one that was
learned from all of them.
"""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from centrala.core.learned import AT_ZERO, DEPTH, MOST, NODES, Learned, Tree
from centrala.learning.reading import Asked

Floats = NDArray[np.float64]

TREES = 60
RATE = 0.15
"Share of what a leaf has found that is believed."
BINS = 32
LEAF = 40
"Rows that a leaf has at least."
DRAWN = 20.0
"Rows that nothing being wrong is worth, in each leaf."

LEAST_DAYS = 8
LEAST_WAITS = 400
"To learn from."
LEAST_JUDGED = 100
"To be judged by."
HELD_OUT = 0.25
"Share of the days, the last ones, on which it is judged; seven at the most."
GAIN = 0.97
"Of the formula's error that it may have at the most."
COVERED = (0.82, 0.97)
"Share of waits, between which nine in ten must lie."
SIZES = 6
"Ranges of the median, in which the multiples differ."
GOOD_FOR = 4
"Days."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it for one queue. Errors are mean absolute ones, in seconds, on the days held out."""

    model: Learned | None
    why: str
    "A sentence without the queue's name."
    waits: int = 0
    days: int = 0
    error: float | None = None
    error_of_formula: float | None = None
    covered: float | None = None
    "Share of waits no longer than what nine in ten were said to be."


def midnights(first: float, last: float, zone: ZoneInfo) -> list[float]:
    """In unix seconds: that before `first`, and all to the one after `last`."""
    day = datetime.fromtimestamp(first, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    found = [day.timestamp()]
    while found[-1] <= last:
        day += timedelta(days=1)
        found.append(day.timestamp())
    return found


class _Table:
    """The rows as columns."""

    def __init__(self, asked: Sequence[Asked], zone: ZoneInfo) -> None:
        self.at = np.array([one.at for one in asked])
        days = midnights(float(self.at.min()), float(self.at.max()), zone)
        first = datetime.fromtimestamp(days[0], zone).weekday()
        self.day = np.array([bisect_right(days, one.at) - 1 for one in asked], np.int64)
        hour = (self.at - np.array(days)[self.day]) / 3600.0
        clock = np.column_stack([hour, (first + self.day) % 7])
        self.asked = np.column_stack([np.array([one.seen for one in asked], float), clock])
        self.wait = np.array([one.wait for one in asked])
        self.formula = self.asked[:, 0]
        self.first = np.array([one.first for one in asked])
        self.stayed = np.array([one.stayed for one in asked])
        self.target = np.clip(np.log((self.wait + AT_ZERO) / (self.formula + AT_ZERO)), -MOST, MOST)

    def __len__(self) -> int:
        return len(self.wait)


def verdict(asked: Collection[Asked], zone: ZoneInfo, now: float) -> Verdict:
    """Whether there is a model worth using from today on, and which. Rows in any order; those that hold what is no
    number are left out."""
    whole = [one for one in asked if np.isfinite(one.seen).all() and 0 <= one.wait < np.inf]
    if not whole:
        return Verdict(None, "nothing is known yet of waits in it")
    table = _Table(whole, zone)
    days = np.unique(table.day)
    if len(days) < LEAST_DAYS:
        return Verdict(
            None, f"{len(days)} days with waits, {LEAST_DAYS} are the least", len(table), len(days)
        )
    held = max(2, min(7, round(len(days) * HELD_OUT)))
    judged = np.isin(table.day, days[-held:])
    counts = judged & table.first & table.stayed
    if (~judged).sum() < LEAST_WAITS or counts.sum() < LEAST_JUDGED:
        return Verdict(
            None,
            f"{(~judged).sum()} waits before the last {held} days and {counts.sum()} on them;"
            f" {LEAST_WAITS} and {LEAST_JUDGED} are the least",
            len(table),
            len(days),
        )
    trees, sizes, high, _ = _learned(table, ~judged, days[:-held])
    said = _medians(trees, table)
    wrong, formula = np.abs(said - table.wait), np.abs(table.formula - table.wait)
    error, by_formula = float(wrong[counts].mean()), float(formula[counts].mean())
    covered = float((table.wait <= _multiple(said, sizes, high))[counts].mean())
    won = sum(
        wrong[counts & (table.day == day)].sum() < formula[counts & (table.day == day)].sum()
        for day in days[-held:]
    )
    later = judged & ~table.first & table.stayed
    why = f"mean error {error:.1f} s, the formula's {by_formula:.1f} s, on the last {held} days"
    figures = (len(table), len(days), error, by_formula, covered)
    if not trees or error > GAIN * by_formula:
        return Verdict(None, f"the formula tells as much: {why}", *figures)
    if won * 2 <= held:
        return Verdict(None, f"it was the better on {won} of {held} days only: {why}", *figures)
    if later.sum() >= LEAST_JUDGED and wrong[later].mean() > formula[later].mean():
        return Verdict(
            None, f"what is told later on would be worse than by the formula, though {why}", *figures
        )
    if not COVERED[0] <= covered <= COVERED[1]:
        return Verdict(
            None, f"what nine in ten should wait no longer than, {covered:.0%} did, though {why}", *figures
        )
    everything = _grown(table, np.ones(len(table), bool), len(trees))
    today = midnights(now, now + GOOD_FOR * 86400.0, zone)
    model = Learned(
        tuple(today),
        datetime.fromtimestamp(today[0], zone).weekday(),
        tuple(everything),
        # What lies around the median is measured where the trees hadn't been.
        *_multiples(said[judged], table.wait[judged]),
        len(table),
        round(error, 2),
        round(by_formula, 2),
    )
    return Verdict(model, f"it is used: {why}", *figures)


def _learned(
    table: _Table, of: NDArray[np.bool_], days: NDArray[np.int64]
) -> tuple[list[Tree], tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Trees, as many as the last of these days find useful, and what lies around the median on those."""
    late = of & np.isin(table.day, days[-max(2, round(len(days) * HELD_OUT)) :])
    early = of & ~late
    tried = _grown(table, early, TREES)
    total = np.zeros(len(table))
    errors = [np.abs(table.formula[late] - table.wait[late]).mean()]
    for tree in tried:
        total += _leaves(tree, table.asked)
        errors.append(np.abs(_waits(total, table)[late] - table.wait[late]).mean())
    # The fewest of those that are nearly the best.
    count = int(np.argmax(np.array(errors) <= min(errors) * 1.002))
    multiples = _multiples(_medians(tried[:count], table)[late], table.wait[late])
    return _grown(table, of, count), *multiples


def _grown(table: _Table, of: NDArray[np.bool_], count: int) -> list[Tree]:
    asked, left = table.asked[of], table.target[of].copy()
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])) for column in asked.T]
    binned = np.column_stack(
        [np.searchsorted(edge, column) for edge, column in zip(edges, asked.T, strict=True)]
    )
    trees = []
    for _ in range(count):
        tree, said = _tree(binned, edges, left)
        if tree is None:
            break
        left -= said
        trees.append(tree)
    return trees


def _tree(binned: NDArray[np.int64], edges: list[Floats], left: Floats) -> tuple[Tree | None, Floats]:
    signs = np.sign(left)
    node = np.zeros(len(left), np.int64)
    feature, threshold = [0] * NODES, [1e300] * NODES
    split = False
    for place in range(NODES):
        mine = np.flatnonzero(node == place)
        best = _split(binned[mine], edges, signs[mine])
        if best is None:
            node[mine] = 2 * place + 1
            continue
        split = True
        feature[place], cut = best
        threshold[place] = round(float(edges[feature[place]][cut]), 4)
        node[mine] = 2 * place + 1 + (binned[mine, feature[place]] > cut)
    if not split:
        return None, left
    leaf = []
    said = np.zeros(len(left))
    for place in range(NODES + 1):
        mine = node == NODES + place
        count = int(mine.sum())
        value = float(np.median(left[mine])) * RATE * count / (count + DRAWN) if count else 0.0
        leaf.append(round(value, 5))
        said[mine] = leaf[-1]
    return Tree(tuple(feature), tuple(threshold), tuple(leaf)), said


def _split(binned: NDArray[np.int64], edges: list[Floats], signs: Floats) -> tuple[int, int] | None:
    """The feature and the bin after which to cut; None where nothing is gained, or too few rows are left."""
    total, count = signs.sum(), len(signs)
    if count < 2 * LEAF:
        return None
    best, gain = None, total * total / count + 1e-9
    for place, edge in enumerate(edges):
        if not len(edge):
            continue
        size = np.bincount(binned[:, place], minlength=len(edge) + 1).cumsum()[:-1]
        below = np.bincount(binned[:, place], signs, minlength=len(edge) + 1).cumsum()[:-1]
        allowed = (size >= LEAF) & (count - size >= LEAF)
        if not allowed.any():
            continue
        size = np.where(allowed, size, 1)
        value = np.where(
            allowed, below**2 / size + (total - below) ** 2 / np.maximum(count - size, 1), -np.inf
        )
        cut = int(np.argmax(value))
        if value[cut] > gain:
            best, gain = (place, cut), float(value[cut])
    return best


def _leaves(tree: Tree, asked: Floats) -> Floats:
    feature, threshold = np.array(tree.feature), np.array(tree.threshold)
    rows = np.arange(len(asked))
    node = np.zeros(len(asked), np.int64)
    for _ in range(DEPTH):
        node = 2 * node + 1 + (asked[rows, feature[node]] > threshold[node])
    said: Floats = np.array(tree.leaf)[node - NODES]
    return said


def _waits(total: Floats, table: _Table) -> Floats:
    return np.maximum((table.formula + AT_ZERO) * np.exp(np.clip(total, -MOST, MOST)) - AT_ZERO, 0.0)


def _medians(trees: Sequence[Tree], table: _Table) -> Floats:
    total = np.zeros(len(table))
    for tree in trees:
        total += _leaves(tree, table.asked)
    return _waits(total, table)


def _multiples(said: Floats, wait: Floats) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """(sizes, high, mean), as `Learned` holds them."""
    parts = max(1, min(SIZES, len(said) // 100))
    edges = (
        np.unique(np.quantile(said, np.linspace(0, 1, parts + 1)[1:-1]).round(2))
        if parts > 1
        else np.array([])
    )
    place = np.searchsorted(edges, said)
    ratio = (wait + AT_ZERO) / (said + AT_ZERO)
    high, mean = [], []
    for part in range(len(edges) + 1):
        # A range that nobody fell into goes by all.
        mine = place == part if (place == part).any() else np.ones(len(said), bool)
        high.append(round(max(float(np.quantile(ratio[mine], 0.9)), 0.01), 4))
        times = (wait[mine] + AT_ZERO).sum() / (said[mine] + AT_ZERO).sum()
        mean.append(round(max(float(times), 0.01), 4))
    return tuple(edges.tolist()), tuple(high), tuple(mean)


def _multiple(said: Floats, sizes: tuple[float, ...], times: tuple[float, ...]) -> Floats:
    place = np.searchsorted(np.array(sizes), said)
    found: Floats = np.maximum((said + AT_ZERO) * np.array(times)[place] - AT_ZERO, 0.0)
    return found
