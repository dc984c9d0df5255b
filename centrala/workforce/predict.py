"""How long somebody who joins the queue will wait: quantiles, learnt from the centre's own waits.

    model = learn_waits(january)                      a WaitHistory
    model.quantiles(floor.look(now, kind=0, priority=0))
    judge(model, february)                            absolute error and coverage, beside the usual formula

LightGBM grows the trees; what is kept are plain tables (`as_tables`), which this module reads by itself and a core
without numerical libraries could. All that a wait is predicted from was known at its beginning: events of the very
same second are not.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrala.workforce import checks
from centrala.workforce._boost import lightgbm
from centrala.workforce._jit import compiled
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, TooShort
from centrala.workforce.floor import DAY, FEATURES, Floor

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
LEAST = 1000
"Waits that a model can be learnt from."
AT_ZERO = 5.0
"Seconds added before the logarithm: whether somebody waits 2 or 4 s is all the same."
HELD_OUT = 0.25
"Share of the days, the last ones, on which the bands are measured."

OPTIONS: dict[str, Any] = {
    "num_leaves": 31,
    "learning_rate": 0.03,
    "n_estimators": 400,
    "min_child_samples": 50,
    "subsample": 0.6,
    "subsample_freq": 1,
    "colsample_bytree": 0.4,
    "reg_lambda": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


@dataclass(frozen=True, slots=True, eq=False)
class WaitHistory:
    """Contacts with their waits, one row each; times are seconds of a wall clock, days begin at multiples of 86,400."""

    arrived: Floats
    left: Floats
    "When the wait was over; the same as `arrived` for whoever was served at once."
    answered: NDArray[np.bool_]
    "Otherwise the customer gave up."
    ended: Floats
    "When the conversation and the work after it were over; not looked at where nobody answered."
    kind: NDArray[np.int64]
    "Place in `kinds`."
    priority: NDArray[np.int64]
    agent: tuple[Hashable | None, ...]
    kinds: tuple[str, ...]
    "The most frequent one first."
    head_start: Mapping[int, float]
    "Priority → seconds by which it goes before others."

    @classmethod
    def of(
        cls,
        arrived: ArrayLike,
        left: ArrayLike,
        answered: ArrayLike,
        ended: ArrayLike,
        *,
        kind: Sequence[str] | None = None,
        priority: ArrayLike | None = None,
        agent: Sequence[Hashable | None] | None = None,
        head_start: Mapping[int, float] | None = None,
        kinds: Sequence[str] = (),
    ) -> Self:
        """`kinds`: the order of the kinds, where another history must be read the same way.

        Raises BadInput for times that run backwards, unequal lengths, what is no number.
        """
        came, went = checks.not_negative("arrived", arrived), checks.not_negative("left", left)
        served = np.asarray(answered, bool)
        over = np.where(served, np.nan_to_num(np.asarray(ended, float), nan=-1.0), np.inf)
        count = len(came) if came.ndim == 1 else -1
        names = list(kind) if kind is not None else [""] * count
        levels = np.zeros(count, np.int64) if priority is None else np.asarray(priority, np.int64)
        who = tuple(agent) if agent is not None else (None,) * count
        for name, size in (
            ("left", went.shape), ("answered", served.shape), ("ended", over.shape), ("kind", (len(names),)),
            ("priority", levels.shape), ("agent", (len(who),)),
        ):  # fmt: skip
            if size != (count,):
                raise BadInput(f"waits: {name} is of shape {size}, for {count} arrivals")
        for what, wrong in (("left before it arrived", went < came), ("ended before it began", over < went)):
            if np.any(wrong):
                row = int(np.argmax(wrong))
                raise BadInput(
                    f"waits, row {row}: {what} ({came[row]:g}, {went[row]:g}, {over[row]:g}); {np.sum(wrong)} such rows"
                )
        order = tuple(kinds) or tuple(name for name, _ in Counter(names).most_common())
        place = {name: index for index, name in enumerate(order)}
        codes = np.array([place.get(name, len(order) - 1) for name in names], np.int64)
        return cls(came, went, served, over, codes, levels, who, order, dict(head_start or {}))

    def seen(self) -> tuple[Floats, NDArray[np.int64]]:
        """What each contact that had to wait found when it came (rows x FEATURES), and which rows those are."""
        events: list[tuple[float, int, int]] = []
        for row in range(len(self.arrived)):
            events.append((float(self.arrived[row]), 0, row))
            events.append((float(self.left[row]), 1, row))
            if self.answered[row]:
                events.append((float(self.ended[row]), 2, row))
        events.sort()
        floor = Floor(len(self.kinds), head_start=self.head_start)
        found: list[list[float]] = []
        rows: list[int] = []
        waited = self.left > self.arrived
        begin = 0
        while begin < len(events):
            at = events[begin][0]
            end = begin
            while end < len(events) and events[end][0] == at:
                end += 1
            for _, what, row in events[begin:end]:
                if what == 0 and waited[row]:
                    found.append(floor.look(at, int(self.kind[row]), int(self.priority[row])))
                    rows.append(row)
            for _, what, row in events[begin:end]:
                if what == 0:
                    floor.arrives(row, at, int(self.kind[row]), int(self.priority[row]))
                elif what == 2:
                    floor.ended(row, at)
                elif self.answered[row]:
                    floor.answered(row, at, self.agent[row])
                else:
                    floor.gone(row, at)
            begin = end
        return np.array(found).reshape(len(rows), len(FEATURES)), np.array(rows, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """A forest as arrays. Node i asks whether feature[i] <= threshold[i] and goes to left[i] or right[i]; a leaf has
    feature -1 and its value in threshold."""

    feature: NDArray[np.int32]
    threshold: Floats
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    roots: NDArray[np.int32]
    share: float = 1.0
    "What the sum of leaves is multiplied by: 1 over the number of forests put together."

    @classmethod
    def of(cls, models: Sequence[Any]) -> "Trees":
        """Of fitted LightGBM regressors; the mean of what they say."""
        feature: list[int] = []
        threshold: list[float] = []
        left: list[int] = []
        right: list[int] = []
        roots = []

        def grow(node: Mapping[str, Any]) -> int:
            at = len(feature)
            feature.append(-1)
            threshold.append(float(node.get("leaf_value", 0.0)))
            left.append(-1)
            right.append(-1)
            if "split_feature" in node:
                feature[at], threshold[at] = int(node["split_feature"]), float(node["threshold"])
                left[at] = grow(node["left_child"])
                right[at] = grow(node["right_child"])
            return at

        for model in models:
            roots += [grow(tree["tree_structure"]) for tree in model.booster_.dump_model()["tree_info"]]
        return cls(
            np.array(feature, np.int32), np.array(threshold), np.array(left, np.int32), np.array(right, np.int32),
            np.array(roots, np.int32), 1.0 / len(models),
        )  # fmt: skip

    def value(self, rows: Floats) -> Floats:
        asked = np.ascontiguousarray(rows, np.float64)
        return self.share * _sum_of_leaves(
            asked, self.feature, self.threshold, self.left, self.right, self.roots
        )


@compiled
def _sum_of_leaves(
    rows: Floats,
    feature: NDArray[np.int32],
    threshold: Floats,
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    roots: NDArray[np.int32],
) -> Floats:
    out = np.zeros(len(rows))
    for i in range(len(rows)):
        total = 0.0
        for root in roots:
            node = root
            while feature[node] >= 0:
                node = left[node] if rows[i, feature[node]] <= threshold[node] else right[node]
            total += threshold[node]
        out[i] = total
    return out


@dataclass(frozen=True, slots=True, eq=False)
class WaitModel:
    """Quantiles of a wait from what was found at its beginning."""

    levels: tuple[float, ...]
    forests: tuple[Trees, ...]
    "One a level, of the logarithm of the wait and 5 s."
    moved: tuple[float, ...]
    "What days not learnt from said that each level was off by."
    kinds: tuple[str, ...]
    head_start: Mapping[int, float]
    waits: int
    "That it was learnt from."

    def quantiles(self, rows: ArrayLike) -> Floats:
        """Seconds: rows x levels, each row ascending. One row of features, or several."""
        asked = np.atleast_2d(np.asarray(rows, float))
        if asked.shape[1] != len(FEATURES):
            raise BadInput(f"waits: {asked.shape[1]} features, {len(FEATURES)} are needed")
        logs = [forest.value(asked) + off for forest, off in zip(self.forests, self.moved, strict=True)]
        return np.maximum(np.exp(np.sort(np.array(logs).T, axis=1)) - AT_ZERO, 0.0)

    def floor(self) -> Floor:
        """A floor to follow live, which codes kinds as the model does."""
        return Floor(len(self.kinds), head_start=self.head_start)

    def as_tables(self) -> dict[str, Any]:
        """Lists and numbers alone, as JSON holds them."""
        return {
            "version": 1,
            "features": list(FEATURES),
            "levels": list(self.levels),
            "moved": list(self.moved),
            "kinds": list(self.kinds),
            "head_start": {str(level): seconds for level, seconds in self.head_start.items()},
            "waits": self.waits,
            "at_zero": AT_ZERO,
            "forests": [
                {
                    "feature": one.feature.tolist(), "threshold": one.threshold.tolist(), "left": one.left.tolist(),
                    "right": one.right.tolist(), "roots": one.roots.tolist(), "share": one.share,
                }
                for one in self.forests
            ],
        }  # fmt: skip

    @classmethod
    def from_tables(cls, tables: Mapping[str, Any]) -> "WaitModel":
        """The reverse. Raises BadInput for tables of another version or other features."""
        if tables.get("version") != 1 or tuple(tables.get("features", ())) != FEATURES:
            raise BadInput("waits: these tables were learnt by another version; learn them anew")
        forests = tuple(
            Trees(
                np.array(one["feature"], np.int32), np.array(one["threshold"], float), np.array(one["left"], np.int32),
                np.array(one["right"], np.int32), np.array(one["roots"], np.int32), float(one["share"]),
            )
            for one in tables["forests"]
        )  # fmt: skip
        return cls(
            tuple(tables["levels"]), forests, tuple(tables["moved"]), tuple(tables["kinds"]),
            {int(level): float(seconds) for level, seconds in tables["head_start"].items()}, int(tables["waits"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class WaitAccuracy:
    """How good predictions of waits were. Seconds."""

    waits: int
    error: float
    "Mean absolute error of the middle quantile."
    by_formula: float
    "The same of (people ahead + 1) x mean handling / agents on shift, the usual announcement."
    by_last: float
    "The same of the wait of the last one who was answered."
    below: Mapping[float, float]
    "Level → share of waits that were no longer than its quantile."


def learn_waits(
    history: WaitHistory,
    levels: Sequence[float] = LEVELS,
    *,
    seen: tuple[Floats, NDArray[np.int64]] | None = None,
) -> WaitModel:
    """A model of the waits of those who are answered. Raises TooShort for fewer than 1,000 of them, or two days.

    The bands are measured on the last quarter of the days, by trees that know the first three alone.
    """
    asked = tuple(float(level) for level in levels)
    if (
        not asked
        or 0.5 not in asked
        or list(asked) != sorted(set(asked))
        or not 0 < asked[0] <= asked[-1] < 1
    ):
        raise BadInput(f"levels: {levels!r} must grow from above 0 to below 1, with 0.5 among them")
    found, rows = history.seen() if seen is None else seen
    kept = history.answered[rows]
    found, rows = found[kept], rows[kept]
    days = np.unique(history.arrived[rows] // DAY)
    if len(rows) < LEAST or len(days) < 2:
        raise TooShort(
            f"waits: {len(rows)} answered after a wait on {len(days)} days; "
            f"{LEAST} on 2 days are the least to learn from"
        )
    target = np.log(history.left[rows] - history.arrived[rows] + AT_ZERO)
    split = days[min(len(days) - 1, math.ceil(len(days) * (1 - HELD_OUT)))]
    early = history.arrived[rows] // DAY < split
    forests, moved = [], []
    for level in asked:
        # The middle is left as it is: a shift of one week's level is no news of the next one's.
        shift = 0.0
        if level != 0.5:
            tried = Trees.of(_fitted(found[early], target[early], level))
            shift = float(np.quantile(target[~early] - tried.value(found[~early]), level))
        moved.append(shift)
        forests.append(Trees.of(_fitted(found, target, level)))
    return WaitModel(asked, tuple(forests), tuple(moved), history.kinds, dict(history.head_start), len(rows))


def _fitted(found: Floats, target: Floats, level: float) -> list[Any]:
    """Forests for a level. The middle has two, one of them with cuts at random places: unlike ones err unlike. Its
    loss is nearly the absolute one, but smooth where errors are small ("fair"), so that leaves are means, not medians,
    of what is nearly right."""
    library = lightgbm()
    if level != 0.5:
        aims: list[dict[str, Any]] = [{"objective": "quantile", "alpha": level}]
    else:
        fair = {"objective": "fair", "fair_c": 0.3}
        aims = [fair, {**fair, "extra_trees": True, "n_estimators": 600}]
    return [library.LGBMRegressor(**{**OPTIONS, **aim, "random_state": 0}).fit(found, target) for aim in aims]


def judge(
    model: WaitModel, history: WaitHistory, *, seen: tuple[Floats, NDArray[np.int64]] | None = None
) -> WaitAccuracy:
    """The model on waits that it hasn't seen, of those who were answered. Raises BadInput where there are none."""
    found, rows = history.seen() if seen is None else seen
    kept = history.answered[rows]
    found, rows = found[kept], rows[kept]
    if not len(rows):
        raise BadInput("waits: nobody here was answered after a wait")
    met = history.left[rows] - history.arrived[rows]
    said = model.quantiles(found)
    middle = said[:, bisect_right(model.levels, 0.5) - 1]
    column = {name: index for index, name in enumerate(FEATURES)}
    formula = (
        (found[:, column["ahead"]] + 1)
        * found[:, column["mean_handling"]]
        / np.maximum(found[:, column["able"]], 1)
    )
    return WaitAccuracy(
        len(rows),
        float(np.abs(middle - met).mean()),
        float(np.abs(formula - met).mean()),
        float(np.abs(found[:, column["last_wait"]] - met).mean()),
        {level: float((met <= said[:, index]).mean()) for index, level in enumerate(model.levels)},
    )
