"""A small plan that keeps all its rules, without solving anything: eight agents, two queues, one week.

Agents 1 to 6 work Monday to Friday, 7 and 8 Wednesday to Sunday, eight hours each; the first four answer for sales, the
others for service, the eighth for both. Its figures are made up, but what they add up to is true.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from centrala.planning.values import (
    KINDS,
    Costs,
    Demand,
    Duty,
    Goal,
    Head,
    LabourRules,
    PausePlanned,
    Plan,
    PlannedAgent,
    Stretch,
)

MONDAY = date(2026, 11, 30)
QUEUES = ("sales", "service")
AGENTS = tuple(f"agent{one}" for one in range(1, 9))
STEP = 1800
PER_DAY = 48


def scene(
    agents: tuple[str, ...] = AGENTS,
    queues: tuple[str, ...] = QUEUES,
    first: date = MONDAY,
    timezone: str = "Europe/Warsaw",
    **head: Any,
) -> Plan:
    """The plan, a draft. `agents` are eight names, of two queues; what is in `head` goes there."""
    people = tuple(
        PlannedAgent(name, name.title(), _queues(place, queues), 40.0) for place, name in enumerate(agents)
    )
    duties = []
    for place, one in enumerate(people):
        days = range(5) if place < 6 else range(2, 7)
        start = 480 if place % 2 == 0 else 600
        for day in days:
            duties.append(
                duty(f"d{len(duties) + 1}", one.agent, first + timedelta(day), start, one.queues[0])
            )
    busy = [day * PER_DAY + at for day in range(7) for at in range(17, 36)]
    contacts = [0.0] * (7 * PER_DAY)
    for at in busy:
        contacts[at] = 6.0
    many = tuple(contacts)
    demand = {
        queue: Demand(
            many,
            tuple(one * 0.5 for one in many),
            tuple(one * 1.5 for one in many),
            tuple(240.0 if one else 0.0 for one in many),
            tuple(2.0 if one else 0.0 for one in many),
            Goal(0.8, 20.0),
            180.0,
        )
        for queue in queues
    }
    staffed = {queue: cover(tuple(duties), queue, first, 7) for queue in queues}
    pairs = [
        (need, there)
        for queue in queues
        for need, there in zip(demand[queue].required, staffed[queue], strict=True)
    ]
    missing = sum(max(0.0, need - there) for need, there in pairs) / 2
    deep = sum(max(0.0, 0.8 * need - there) for need, there in pairs) / 2
    costs = {
        "paid": 8.0 * len(duties),
        "wishes": 0.0,
        "likes": 0.0,
        "unpopular": 0.5 * sum(one.day.weekday() >= 5 for one in duties),
        "short": 3.0 * (missing - deep) + 5.0 * deep,
        "over": 0.5 * sum(max(0.0, there - need) for need, there in pairs) / 2,
    }
    costs = {name: round(value, 6) for name, value in costs.items()}
    costs["total"] = round(sum(costs.values()), 6)
    plan = Plan(
        Head(
            "plan1", 1, "Week 49", first, 1, STEP, timezone, queues, "draft", 1_795_000_000.0, "u1",
            gap=0.01, cost=costs["total"], short_hours=round(missing, 6),
        ),
        None,
        demand,
        people,
        KINDS,
        LabourRules(),
        Costs(),
        tuple(duties),
        staffed,
        {queue: tuple(0.85 if one else None for one in many) for queue in queues},
        (),
        costs,
    )  # fmt: skip
    return replace(plan, head=replace(plan.head, **head))


def duty(id: str, agent: str, day: date, start: int, queue: str) -> Duty:
    """A full shift: breaks two hours, four hours and six and a half hours after its start."""
    breaks = (
        PausePlanned(start + 120, start + 135),
        PausePlanned(start + 240, start + 270, False),
        PausePlanned(start + 390, start + 405),
    )
    edges = [start, *(at for one in breaks for at in (one.start, one.end)), start + 510]
    stretches = tuple(Stretch(a, b, queue) for a, b in zip(edges[::2], edges[1::2], strict=True))
    return Duty(id, agent, day, "full", start, start + 510, stretches, breaks)


def cover(duties: tuple[Duty, ...], queue: str, first: date, days: int) -> tuple[float, ...]:
    """Agents at the phones by half-hour, counted minute by minute."""
    found = [0] * (days * 1440)
    for one in duties:
        for part in one.stretches:
            if part.queue == queue:
                begin = (one.day - first).days * 1440
                for minute in range(begin + part.start, min(begin + part.end, len(found))):
                    found[minute] += 1
    return tuple(sum(found[at : at + 30]) / 30 for at in range(0, len(found), 30))


def _queues(place: int, queues: tuple[str, ...]) -> tuple[str, ...]:
    if place == 7:
        return queues
    return queues[:1] if place < 4 else queues[1:]
