"""What a plan's duties come to: cover, expected service level, rules broken, costs. Needs the extra `workforce`."""

import math
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from centrala.planning.values import DAY, Broken, Demand, Duty, Head, Plan, PlannedAgent
from centrala.workforce.roster import checker
from centrala.workforce.roster import model as r
from centrala.workforce.varying import solve_day

Floats = NDArray[np.float64]
SHORTEST = 5
"Minutes of a piece for which agents are counted: breaks begin and end on its edges."
USUAL_PATIENCE = 300.0
"Seconds until callers give up, where nothing is known of them."


def problem_of(plan: Plan, agents: Collection[str] | None = None) -> r.Problem:
    """The roster's problem that a plan stands for, with these agents alone if they are given. Raises BadInput."""
    head = plan.head
    return r.Problem(
        head.first,
        head.weeks,
        head.minutes,
        head.queues,
        np.array([plan.demand[queue].required for queue in head.queues], float),
        tuple(
            r.Shift(
                one.name,
                one.minutes,
                one.starts,
                tuple(r.Break(b.minutes, b.earliest, b.latest, b.paid) for b in one.breaks),
            )
            for one in plan.kinds
        ),
        tuple(roster_agent(head, one) for one in plan.agents if agents is None or one.agent in agents),
        r.Rules(
            plan.rules.rest,
            plan.rules.most_days,
            plan.rules.tolerance,
            plan.rules.weekly_rest,
            plan.rules.weekend_every,
        ),
        r.Costs(
            plan.weights.paid_hour,
            plan.weights.short_hour,
            plan.weights.deep,
            plan.weights.deep_hour,
            plan.weights.spare_hour,
            plan.weights.wish,
            plan.weights.outside_hour,
            plan.weights.unpopular,
            plan.weights.late,
        ),
    )


def roster_agent(head: Head, one: PlannedAgent) -> r.Agent:
    def days(given: Iterable[date]) -> frozenset[int]:
        return frozenset(at for at in map(head.index, given) if 0 <= at < head.days)

    past = one.past
    return r.Agent(
        one.agent,
        one.queues,
        one.hours,
        one.shifts,
        one.available,
        days(one.absent),
        {head.index(day): hours for day, hours in one.credit.items() if 0 <= head.index(day) < head.days},
        days(one.wishes),
        one.likes,
        one.wage,
        r.Past(past.days_in_row, past.ended, past.weekends, past.burden),
    )


def roster_duty(head: Head, duty: Duty, *, activities_as: str | None = None) -> r.Duty:
    """The duty as the roster knows it: with its activities as work at that queue, or without them."""
    work = [r.Stretch(one.start, one.end, one.queue) for one in duty.stretches]
    if activities_as is not None:
        work += [r.Stretch(one.start, one.end, activities_as) for one in duty.activities]
    return r.Duty(
        duty.agent,
        head.index(duty.day),
        duty.shift,
        duty.start,
        duty.end,
        tuple((one.start, one.end) for one in duty.breaks),
        tuple(sorted(work, key=lambda one: one.begin)),
    )


def cover_of(head: Head, duties: Iterable[Duty], minutes: int | None = None) -> dict[str, Floats]:
    """Agents at the phones of each queue, by interval (or by pieces of so many minutes)."""
    step = minutes or head.minutes
    size = head.days * DAY // step
    # Agents more, or fewer, from that interval on; minutes of those who are there for a part of one.
    begins = {queue: [0] * (size + 1) for queue in head.queues}
    parts = {queue: [0] * (size + 1) for queue in head.queues}
    for duty in duties:
        base = head.index(duty.day) * DAY
        for one in duty.stretches:
            rows = begins.get(one.queue)
            if rows is None:
                continue
            begin, end = max(0, base + one.start), min(size * step, base + one.end)
            if begin >= end:
                continue
            first, last = begin // step, end // step
            rows[first] += 1
            rows[last] -= 1
            parts[one.queue][first] -= begin - first * step
            parts[one.queue][last] += end - last * step
    return {
        queue: np.round(np.cumsum(begins[queue])[:size] + np.array(parts[queue][:size]) / step, 9)
        for queue in head.queues
    }


def expected(plan: Plan, days: Collection[int] | None = None) -> dict[str, tuple[float | None, ...]]:
    """Service level of each interval by the exact course of each day, as agents really sit there, breaks and all.

    Who serves several queues counts where the plan puts them. `days`: reckon these anew, the others are as they were.
    """
    head = plan.head
    per_day, step = DAY // head.minutes, head.minutes
    pieces = [_piece(step, edges) for edges in _edges(head, plan.duties)]
    finest = SHORTEST if step % SHORTEST == 0 else step
    there = cover_of(head, plan.duties, finest)
    found: dict[str, tuple[float | None, ...]] = {}
    for queue in head.queues:
        demand = plan.demand[queue]
        known = plan.expected.get(queue)
        row: list[float | None] = [None] * (head.days * per_day) if known is None else list(known)
        for day, piece in enumerate(pieces):
            if known is not None and days is not None and day not in days:
                continue
            span = slice(day * per_day, (day + 1) * per_day)
            agents = there[queue][day * DAY // finest : (day + 1) * DAY // finest : piece // finest]
            row[span] = _day(demand, span, np.floor(agents + 1e-6), step // piece, piece)
        found[queue] = tuple(row)
    return found


def _edges(head: Head, duties: Iterable[Duty]) -> list[set[int]]:
    """Of each day the minutes at which somebody begins or ends at the phones."""
    found: list[set[int]] = [set() for _ in range(head.days)]
    for duty in duties:
        base = head.index(duty.day) * DAY
        for part in duty.stretches:
            for at in (base + part.start, base + part.end):
                if 0 <= at < head.days * DAY:
                    found[at // DAY].add(at % DAY)
    return found


def _piece(step: int, edges: set[int]) -> int:
    """Minutes of the longest pieces of an interval within which nobody comes or goes."""
    piece = math.gcd(step, *(edge % step for edge in edges))
    if piece % SHORTEST:
        return SHORTEST if step % SHORTEST == 0 else step
    return piece


def _day(demand: Demand, span: slice, agents: Floats, parts: int, piece: int) -> list[float | None]:
    contacts = np.array(demand.contacts[span], float)
    if not contacts.any():
        return [None] * contacts.size
    calls = np.repeat(contacts / parts, parts)
    seconds = np.array(demand.handling[span], float)
    handling = float((seconds * contacts).sum() / contacts.sum())
    # From the first call of the day on, and no further than the last.
    busy = np.flatnonzero(calls)
    first, last = int(busy[0]), int(busy[-1]) + 1
    day = solve_day(
        calls[first:last],
        piece * 60.0,
        max(handling, 1.0),
        agents[first:last],
        patience=demand.patience or USUAL_PATIENCE,
        within=demand.goal.within,
    )
    levels = np.zeros(calls.size)
    levels[first:last] = np.clip(day.service_level(), 0.0, 1.0)
    mean = levels.reshape(-1, parts).mean(axis=1)
    return [round(float(mean[at]), 6) if contacts[at] > 0 else None for at in range(contacts.size)]


def broken_of(plan: Plan, agents: Collection[str] | None = None) -> list[Broken]:
    """Rules that are broken, of these agents or of all."""
    head = plan.head
    problem = problem_of(plan, agents)
    known = {one.agent: one.queues[0] for one in plan.agents}
    duties = [
        roster_duty(head, one, activities_as=known.get(one.agent, ""))
        for one in plan.duties
        if agents is None or one.agent in agents
    ]
    return [
        Broken(one.code, one.agent, None if one.day is None else head.day(one.day), one.text)
        for one in checker.check(problem, duties)
    ]


def costs_of(plan: Plan, cover: dict[str, Floats]) -> tuple[dict[str, float], float]:
    """(cost by reason and `total`, in hours' pay; agent hours missing)."""
    head = plan.head
    problem = problem_of(plan)
    # A duty of a kind, or of an agent, that the plan doesn't have costs nothing that could be reckoned.
    kinds, agents = {one.name for one in plan.kinds}, {one.agent for one in plan.agents}
    duties = [roster_duty(head, one) for one in plan.duties if one.shift in kinds and one.agent in agents]
    parts = checker.cost_of(problem, duties)
    there = np.array([cover[queue] for queue in head.queues])
    short = float(np.maximum(0, problem.demand - there).sum() * head.minutes / 60)
    found = {("over" if name == "spare" else name): round(float(value), 6) for name, value in parts.items()}
    found["total"] = round(sum(found.values()), 6)
    return found, round(short, 6)


def evaluated(
    plan: Plan, *, agents: Collection[str] | None = None, days: Collection[int] | None = None
) -> Plan:
    """The plan with all that follows from its duties. `agents` and `days`: only these have changed."""
    head = plan.head
    if agents is None:
        broken = broken_of(plan)
    else:
        kept = [one for one in plan.broken if one.agent not in agents]
        named = {one.agent for one in plan.agents} & set(agents)
        broken = kept + (broken_of(plan, named) if named else [])
    cover = cover_of(head, plan.duties)
    costs, short = costs_of(plan, cover)
    return replace(
        plan,
        staffed={queue: tuple(map(float, row)) for queue, row in cover.items()},
        expected=expected(plan, days),
        broken=tuple(broken),
        costs=costs,
        head=replace(head, cost=costs["total"], short_hours=short),
    )
