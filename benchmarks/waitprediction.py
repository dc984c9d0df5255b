"""Waits of the "Anonymous Bank" (data of Guedj and Mandelbaum, 2000): learnt from January, asked about February.

`python -m benchmarks waitprediction --data FOLDER`; FOLDER has calls_1999_january.csv.gz and the same of February.
"""

import csv
import gzip
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.forecast import folder
from centrala.workforce.floor import FEATURES
from centrala.workforce.predict import WaitHistory, judge, learn_waits

PLAIN = (
    "kind",
    "priority",
    "hour",
    "weekday",
    "waiting",
    "ahead",
    "busy",
    "last_wait",
    "mean_handling",
    "seen_15",
)
"What anybody would give a model first."


def read(path: Path, kinds: tuple[str, ...] = ()) -> WaitHistory:
    """A month. Rows that the documentation calls phantoms are left out, as are those whose clock ran backwards."""
    rows: list[tuple[float, float, bool, float, str, int, str | None]] = []
    with gzip.open(path, "rt", newline="") as file:
        for raw in csv.DictReader(file):
            row = {name.strip(): value.strip() for name, value in raw.items()}
            if row["outcome"] == "PHANTOM":
                continue
            begin = 86_400.0 * date.fromisoformat(row["date"]).toordinal()
            served = row["outcome"] == "AGENT"
            waited = float(row["q_time"]) > 0
            if not served and not waited:
                continue  # hung up in the menu
            came = begin + seconds(row["q_start"] if waited else row["ser_start"])
            left = begin + seconds(row["q_exit"]) if waited else came
            over = begin + seconds(row["ser_exit"])
            if left < came or (served and over < begin + seconds(row["ser_start"])):
                continue
            agent = None if row["server"] == "NO_SERVER" else row["server"]
            rows.append((came, left, served, max(over, left), row["type"], int(row["priority"]), agent))
    came, left, served, over, kind, priority, agent = zip(*rows, strict=True)
    return WaitHistory.of(
        came, left, served, over, kind=kind, priority=priority, agent=agent, head_start={2: 90.0}, kinds=kinds
    )


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0 + float(rest)


def run() -> dict[str, Any]:
    import lightgbm

    where = folder() / "calls_1999_january.csv.gz"
    if not where.exists():
        return {
            "figures": [
                {"what": "waits", "asked": "data", "measured": f"no {where.name}: give --data FOLDER"}
            ]
        }
    january = read(where)
    february = read(folder() / "calls_1999_february.csv.gz", january.kinds)
    known, asked = january.seen(), february.seen()
    began = perf_counter()
    model = learn_waits(january, seen=known)
    took = perf_counter() - began
    found = judge(model, february, seen=asked)

    def learnt(columns: list[int], **options: Any) -> float:
        a, b = january.answered[known[1]], february.answered[asked[1]]
        rows, others = known[1][a], asked[1][b]
        plain = lightgbm.LGBMRegressor(num_threads=1, verbose=-1, random_state=0, **options)
        plain.fit(known[0][a][:, columns], (january.left - january.arrived)[rows])
        said = plain.predict(asked[0][b][:, columns])
        return float(np.abs(said - (february.left - february.arrived)[others]).mean())

    every = list(range(len(FEATURES)))
    few = [FEATURES.index(name) for name in PLAIN]
    plain = learnt(every)
    return {
        "figures": [
            {"what": "mean absolute error, s", "asked": "≤ 43.5", "measured": f"{found.error:.2f}",
             "ok": found.error <= 43.5},
            {"what": "beside plain LightGBM (as it comes, the same features)", "asked": "≤ 0.98",
             "measured": f"{found.error / plain:.3f} of {plain:.2f}", "ok": found.error <= 0.98 * plain},
            {"what": "90 % quantile covers", "asked": "88 to 92 %", "measured": f"{found.below[0.9]:.1%}",
             "ok": 0.88 <= found.below[0.9] <= 0.92},
            *({"what": f"{level:.0%} quantile covers", "measured": f"{share:.1%}"}
              for level, share in found.below.items() if level != 0.9),
            {"what": "for comparison: LightGBM, absolute error, the same features",
             "measured": f"{learnt(every, objective='l1'):.2f}"},
            {"what": "for comparison: LightGBM as it comes, ten usual features", "measured": f"{learnt(few):.2f}"},
            {"what": "for comparison: LightGBM, absolute error, ten usual features",
             "measured": f"{learnt(few, objective='l1'):.2f}"},
            {"what": "for comparison: people ahead x handling / agents", "measured": f"{found.by_formula:.2f}"},
            {"what": "for comparison: the last one's wait", "measured": f"{found.by_last:.2f}"},
            {"what": "waits learnt from, asked about", "measured": f"{model.waits:,} and {found.waits:,}"},
            {"what": "seconds to learn", "measured": f"{took:.0f}"},
        ]
    }  # fmt: skip
