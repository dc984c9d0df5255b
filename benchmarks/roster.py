"""Rosters: 500 unlike agents, 4 weeks of half-hours, breaks, skills, rules; the gap to the proven bound after 60 s.

`python -m benchmarks roster`; `CENTRALA_ROSTER_SECONDS` sets the time of each. The first solve of all compiles.
"""

import os
from typing import Any

from centrala.workforce.roster.checker import check
from centrala.workforce.roster.sample import invented
from centrala.workforce.roster.solver import solve

CASES: dict[str, dict[str, Any]] = {
    "two peaks": {"seed": 1},
    "deep afternoon valley": {"seed": 2, "shape": "valley"},
    "demand a fifth above what is there": {"seed": 3, "level": 1.2},
    "more agents than demand, strict rules": {"seed": 4, "level": 0.85, "tight": True},
    "evening peak, 5 groups": {"seed": 5, "shape": "evening", "groups": 5},
    "flat, one group": {"seed": 6, "shape": "flat", "groups": 1},
    "round the clock": {"seed": 7, "shape": "night"},
}


def run() -> dict[str, Any]:
    seconds = float(os.environ.get("CENTRALA_ROSTER_SECONDS", "60"))
    solve(invented(20, 1, 1), 1.0)
    figures: list[dict[str, Any]] = []
    for what, given in CASES.items():
        problem = invented(500, 4, **given)
        roster = solve(problem, seconds)
        broken = check(problem, roster)
        figures += [
            {"what": f"{what}: gap after {roster.seconds:.0f} s", "asked": "≤ 1 %", "measured": f"{roster.gap:.2%}",
             "ok": roster.gap <= 0.01},
            {"what": f"{what}: the same without the contracts' least pay", "asked": "",
             "measured": f"{roster.gap_of_rest:.2%}"},
            {"what": f"{what}: rules broken", "asked": "0", "measured": len(broken), "ok": not broken},
        ]  # fmt: skip
    return {"figures": figures}
