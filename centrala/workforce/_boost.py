"""Trees over days: what an interval is beside its usual value, from what the last days were beside theirs (LightGBM).

They see what sums of courses can't: that one kind of day answers to yesterday evening, another to its place in the
month. All intervals are learnt together; what is learnt is a ratio, so that busy and quiet ones can learn from another.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrala.workforce._gauss import DayFacts
from centrala.workforce.checks import Floats
from centrala.workforce.errors import WorkforceError

WARM = 15
"Days needed before the first one that can be learnt from."
EVENING = 8
"Intervals at the end of a day that tell of the next."

OPTIONS: dict[str, Any] = {
    "objective": "l1",
    "num_leaves": 8,
    "learning_rate": 0.03,
    "min_child_samples": 60,
    "subsample": 0.7,
    "subsample_freq": 1,
    "colsample_bytree": 0.5,
    "reg_lambda": 5.0,
    "n_estimators": 400,
    "random_state": 0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


def lightgbm() -> Any:
    """The library, or a sentence that says how to get it."""
    try:
        import lightgbm as library
    except ImportError:
        raise WorkforceError(
            "forecasts need lightgbm: install it with pip install 'centrala[workforce]'"
        ) from None
    return library


def described(values: Floats, facts: DayFacts, known: int, row: int, lag: int) -> tuple[Floats, Floats]:
    """Day `row`, `lag` open days ahead, as seen when the first `known` days were known: intervals x features, and
    the usual values."""
    past, dow = values[:known], facts.weekday
    same = [at for at in range(known - 1, -1, -1) if dow[at] == dow[row]][:6]
    month = np.median(past[-20:], axis=0)
    fortnight = np.median(past[-10:], axis=0)
    twice = np.median(past[same[:3]], axis=0) if same else fortnight
    often = np.median(past[same], axis=0) if same else fortnight
    latest = past[same[0]] if same else fortnight
    last = past[-1]
    usual = 0.5 * month + 0.5 * often
    usual = usual + max(0.5, 0.01 * float(usual.mean()))
    total, end = usual.sum(), slice(-min(EVENING, len(usual)), None)
    size = len(usual)

    def all_day(number: float) -> Floats:
        return np.full(size, float(number))

    columns = [
        np.arange(size, dtype=np.float64),
        all_day(dow[row]),
        all_day(facts.in_month[row]),
        all_day(facts.first_back[row]),
        all_day(facts.second_back[row]),
        all_day(lag),
        twice / usual,
        often / usual,
        latest / usual,
        fortnight / usual,
        last / usual,
        _smooth(last) / usual,
        _smooth(past[-5:].mean(axis=0)) / usual,
        all_day(last.sum() / total),
        all_day(latest.sum() / total),
        all_day(past[-5:].sum() / min(5, known) / total),
        all_day(past[-2:-1].sum() / total),
        all_day(last[end].sum() / usual[end].sum()),
    ]
    return np.stack(columns, axis=1), usual


def grown(values: Floats, facts: DayFacts, ahead: Sequence[int]) -> Any:
    """Trees learnt from all days, each seen from one of `ahead` days before."""
    seen, usual, met = [], [], []
    for row in range(WARM + max(ahead), len(values)):
        steps = ahead[row % len(ahead)]
        features, base = described(values, facts, row - steps + 1, row, steps)
        seen.append(features)
        usual.append(base)
        met.append(values[row])
    base = np.concatenate(usual)
    library = lightgbm()
    model = library.LGBMRegressor(**OPTIONS)
    model.fit(np.concatenate(seen), np.concatenate(met) / base, sample_weight=base)
    return model


def foretold(model: Any, values: Floats, facts: DayFacts, known: int, row: int, lag: int) -> Floats:
    features, usual = described(values, facts, known, row, lag)
    return np.maximum(np.asarray(model.predict(features), np.float64) * usual, 0.0)


def _smooth(values: Floats) -> NDArray[np.float64]:
    padded = np.pad(values, 1, "edge")
    return 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
