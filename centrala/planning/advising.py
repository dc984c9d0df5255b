"""The rest of the day, reckoned: service level by the exact course, and what could be done about it.

Needs the extra `workforce`; runs in the planner's process (`job`), as the order `advice`:

    {"what": "advice", "now": 840, "step": 30, "queues": {QUEUE: {"contacts": […], "agents": […], "handling": 240,
     "patience": 180, "goal": {"service_level": 0.8, "within": 20}, "waiting": 3, "may_leave": 2, "may_stay": 1,
     "stay_from": 960, "planned": [{"name": "training", "agents": 2, "begin": 900, "end": 960}]}}}

Lists begin with the interval that runs at `now`; minutes are of the day.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from centrala.workforce.errors import WorkforceError
from centrala.workforce.roster.today import Planned, advice
from centrala.workforce.staffing import Target
from centrala.workforce.varying import solve_day


def do(line: bytes, tell: Callable[[str, float], None]) -> dict[str, Any]:
    """For `job`."""
    return advise(msgspec.json.decode(line))


def advise(order: Mapping[str, Any]) -> dict[str, Any]:
    """{"queues": {QUEUE: {"expected": […], "advice": [{what, text, agents, begin, end, before, after, name, to, …}]}}}.

    A queue that can't be reckoned says why in `problem`, and keeps the others from nothing.
    """
    found: dict[str, Any] = {}
    for name, queue in order["queues"].items():
        try:
            found[name] = _one(int(order["now"]), int(order["step"]), queue)
        except (WorkforceError, ValueError) as problem:
            found[name] = {"expected": [None] * len(queue["contacts"]), "advice": [], "problem": str(problem)}
    return {"queues": found}


def _one(now: int, step: int, queue: Mapping[str, Any]) -> dict[str, Any]:
    contacts = np.asarray(queue["contacts"], float)
    staff = np.floor(np.asarray(queue["agents"], float) + 0.5).astype(int)
    handling = float(queue["handling"])
    patience = float(queue["patience"]) if queue.get("patience") else math.inf
    goal = Target(float(queue["goal"]["service_level"]), float(queue["goal"]["within"]))
    waiting = float(queue.get("waiting", 0.0))
    if not contacts.size:
        return {"expected": [], "advice": []}
    if contacts.sum() <= 0:
        return {"expected": [None] * contacts.size, "advice": []}
    day = solve_day(
        contacts, step * 60.0, handling, staff, patience=patience, within=float(queue["goal"]["within"]),
        before=waiting,
    )  # fmt: skip
    levels = np.clip(day.service_level(goal.definition), 0.0, 1.0)
    made = advice(
        now,
        contacts,
        staff,
        handling=handling,
        target=goal,
        patience=patience,
        minutes=step,
        planned=[
            Planned(str(one["name"]), int(one["agents"]), int(one["begin"]), int(one["end"]))
            for one in queue.get("planned", ())
        ],
        may_leave=int(queue.get("may_leave", 0)),
        may_stay=int(queue.get("may_stay", 0)),
        stay_from=queue.get("stay_from"),
        waiting=waiting,
    )
    return {
        "expected": [
            round(float(level), 4) if calls > 0 else None
            for level, calls in zip(levels, contacts, strict=True)
        ],
        "advice": [
            {
                "what": one.what,
                "text": one.text,
                "agents": one.agents,
                "begin": one.begin,
                "end": one.end,
                "before": round(one.before, 4),
                "after": round(one.service_level, 4),
                "worst": round(one.worst, 4),
                "hours": round(one.hours, 2),
                "name": one.name,
                "to": one.to,
            }
            for one in made
        ],
    }
