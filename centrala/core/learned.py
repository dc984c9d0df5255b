"""How long somebody will wait, as the queue's own past has taught: a correction of what the formula says.

    median wait = (formula + 5 s) × exp(sum of a leaf of each tree) − 5 s

The trees ask what the queue knows at the moment (`SEEN`) and what the clock shows; what a job has learned comes as a
fact, as plain numbers. A factor and not a wait is learned, so that a line longer than any before is still followed by
the formula. Beside the median: what nine in ten wait no longer than, and the mean, as multiples of it.

Nothing is said where the model was learned by another version, or is older than the days that it was given for.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, isfinite

VERSION = 1
"Of `SEEN` and the clock: another model is not asked."

SEEN = (
    "formula", "ahead", "behind", "agents", "busy", "head", "last", "handling", "turn", "patience", "priority",
)  # fmt: skip
"""What is known when an estimate is asked for: the formula's median, how many are ahead and behind, agents who serve
and those whom this queue occupies, how long the first in line has waited and the last one did who was rung, seconds of
a conversation, seconds until an agent of them takes somebody, seconds of patience, points of priority. 0: unknown."""

CLOCK = ("hour", "weekday")
"Hours since midnight, Monday being 0, as the tenant's clocks show them."

DEPTH = 3
"Questions of a tree: node i leads to 2i + 1 (at most the threshold) or 2i + 2."
NODES = 2**DEPTH - 1
MOST_TREES = 200
AT_ZERO = 5.0
"Seconds added before a ratio is taken: whether somebody waits 2 or 4 s is all the same."
MOST = 3.0
"Of the logarithm of the factor, up or down: twenty times."


@dataclass(frozen=True, slots=True)
class Tree:
    feature: tuple[int, ...]
    "Place in `SEEN` and `CLOCK`, of each node."
    threshold: tuple[float, ...]
    leaf: tuple[float, ...]
    "Left to right; of the logarithm of the factor."


@dataclass(frozen=True, slots=True)
class Learned:
    """What a queue's past has taught of its waits."""

    days: tuple[float, ...]
    "Midnights in unix seconds, the last one being the end of what it is good for."
    weekday: int
    "Of the first of them."
    trees: tuple[Tree, ...]
    sizes: tuple[float, ...]
    "Medians in seconds, ascending, between which the multiples below change."
    high: tuple[float, ...]
    "What nine in ten wait no longer than: multiples of the median, each 5 s more; one more than sizes."
    mean: tuple[float, ...]
    waits: int = 0
    "That it was learned from."
    error: float = 0.0
    "Mean absolute error on days that it hadn't seen, in seconds …"
    error_of_formula: float = 0.0
    "… and the formula's on the same."
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Foretold:
    """Seconds."""

    median: float
    high: float
    "Nine in ten wait no longer."
    mean: float


def foretold(model: Learned, seen: Sequence[float], at: float) -> Foretold | None:
    """What the model says; None where it can't tell. `seen` as `SEEN` names it."""
    if not speaks(model, at) or len(seen) != len(SEEN):
        return None
    day = bisect_right(model.days, at) - 1
    asked = (*seen, (at - model.days[day]) / 3600.0, float((model.weekday + day) % 7))
    total = 0.0
    for tree in model.trees:
        node = 0
        while node < NODES:
            node = 2 * node + 1 + (asked[tree.feature[node]] > tree.threshold[node])
        total += tree.leaf[node - NODES]
    base = (seen[0] + AT_ZERO) * exp(min(max(total, -MOST), MOST))
    size = bisect_left(model.sizes, base - AT_ZERO)
    said = [max(base * times - AT_ZERO, 0.0) for times in (1.0, model.high[size], model.mean[size])]
    return Foretold(*said) if all(map(isfinite, said)) else None


def speaks(model: Learned | None, at: float) -> bool:
    """Whether it may be asked at that time."""
    return model is not None and model.version == VERSION and model.days[0] <= at < model.days[-1]


def wrong(model: Learned) -> str:
    """What makes it no model; empty: nothing. One of another version is silent, not wrong."""
    if model.version != VERSION:
        return ""
    multiples = (*model.high, *model.mean)
    if len(model.days) < 2 or not _ascend(model.days) or not 0 <= model.weekday <= 6:
        return "its days don't follow one another"
    if not _ascend(model.sizes) or not (len(model.high) == len(model.mean) == len(model.sizes) + 1):
        return "its multiples don't fit its sizes"
    if not all(isfinite(one) and one > 0.0 for one in multiples):
        return "a multiple is no number above 0"
    if len(model.trees) > MOST_TREES:
        return f"it has more than {MOST_TREES} trees"
    for tree in model.trees:
        if (len(tree.feature), len(tree.threshold), len(tree.leaf)) != (NODES, NODES, NODES + 1):
            return f"a tree doesn't ask {DEPTH} questions"
        if not all(0 <= one < len(SEEN) + len(CLOCK) for one in tree.feature):
            return "a tree asks what nobody knows"
        if not all(map(isfinite, (*tree.threshold, *tree.leaf))):
            return "a tree holds what is no number"
    return ""


def _ascend(numbers: Sequence[float]) -> bool:
    return all(map(isfinite, numbers)) and all(one < other for one, other in pairwise(numbers))
