"""A problem as arrays, for the kernels. An option is a kind of shift with one start; a cell is what later days
ask of it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrala.workforce.checks import Floats
from centrala.workforce.errors import NotModelled
from centrala.workforce.roster.model import DAY, Agent, Problem

Ints = NDArray[np.int64]
MOST_STATES = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Times in intervals, hours in units of the greatest common divisor of what shifts pay."""

    problem: Problem
    unit: int
    "Paid minutes."
    options: tuple[tuple[int, int], ...]
    "Index of the kind of shift, start in minutes."
    start: Ints
    length: Ints
    kind: Ints
    units: Ints
    cell: Ints
    cells: Ints
    "Cells x (units, rank of the start, class of the end)."
    classes: Ints
    "Classes x (least rank of a start on the next day, on the next but one so that the rest is a weekly one)."
    first: Ints
    "Agents x (place of yesterday: see `_line`, weekends)."
    breaks: Ints
    "Kinds x breaks x (earliest, latest, whole intervals, index of the share that is left of the last one, type)."
    types: Ints
    "Types of breaks x (whole intervals, index of the share)."
    shares: Floats
    "What an agent covers of an interval: 1, then what breaks leave."
    allowed: NDArray[np.uint8]
    "Agents x days x options."
    cost: Floats
    "Agents x days x options: apart from cover."
    least: Ints
    "Agents x weeks, in units."
    most: Ints
    room: Ints
    "Agents x days + 1: units that the rest of the week can still take."
    served: Ints
    "Agents x groups, -1 where there are fewer."
    demand: Floats
    "Groups x intervals, with room for shifts that end after the last day."
    weight: Floats
    "Hours of an interval; 0 after the last day."
    rules: Ints
    "Days in a row, weekends in a row that may be worked (0: any), whether there is a weekly rest."
    sizes: Ints
    "Hours, weekends, flags, places: the states of a line."

    @property
    def constant(self) -> float:
        """Pay for the least hours."""
        pay = np.array([one.wage for one in self.problem.agents]) * self.problem.costs.paid_hour
        return float((pay[:, None] * self.least).sum() * self.unit / 60)


def grid_of(problem: Problem) -> Grid:
    """Raises NotModelled for a problem whose lines have too many states."""
    step, rules = problem.minutes, problem.rules
    unit = math.gcd(*(one.paid for one in problem.shifts))
    options = tuple(
        (index, start) for index, one in enumerate(problem.shifts) for start in sorted(one.starts)
    )
    starts = sorted({start for _, start in options})
    rank = {start: index for index, start in enumerate(starts)}

    def needed(end: int, rest: int, days: int) -> int:
        return sum(1 for start in starts if start + days * DAY < end + rest)

    def class_of(end: int) -> tuple[int, int]:
        return needed(end, rules.rest, 1), needed(end, rules.weekly_rest, 2) if rules.weekly_rest else 0

    ends = [start + problem.shifts[index].minutes for index, start in options]
    before = [_ended(agent) for agent in problem.agents]
    classes = sorted(
        {(0, 0)} | {class_of(end) for end in ends} | {class_of(end) for end, _ in before if end is not None}
    )
    known = {one: index for index, one in enumerate(classes)}
    keys = [
        (problem.shifts[index].paid // unit, rank[start], known[class_of(end)])
        for (index, start), end in zip(options, ends, strict=True)
    ]
    cells = sorted(set(keys))
    place = {one: index for index, one in enumerate(cells)}

    shares, types = [1.0], []
    most_breaks = max(len(one.breaks) for one in problem.shifts)
    breaks = np.full((len(problem.shifts), max(1, most_breaks), 5), -1)
    for index, shift in enumerate(problem.shifts):
        for order, pause in enumerate(shift.breaks):
            part = 0
            if pause.minutes % step:
                share = 1 - pause.minutes % step / step
                if share not in shares:
                    shares.append(share)
                part = shares.index(share)
            kind = (pause.minutes // step, part)
            if kind not in types:
                types.append(kind)
            breaks[index, order] = (pause.earliest // step, pause.latest // step, *kind, types.index(kind))

    agents, days, count = len(problem.agents), problem.days, len(options)
    allowed = np.zeros((agents, days, count), np.uint8)
    cost = np.zeros((agents, days, count))
    paid = np.array([problem.shifts[index].paid for index, _ in options])
    begin, end = np.array([start for _, start in options]), np.array(ends)
    least = np.zeros((agents, problem.weeks), np.int64)
    most = np.zeros_like(least)
    for a, agent in enumerate(problem.agents):
        mine = np.array(
            [agent.shifts is None or problem.shifts[index].name in agent.shifts for index, _ in options]
        )
        for day in range(days):
            window = problem.window(agent, day)
            if window is not None:
                allowed[a, day] = mine & (begin >= window[0]) & (end <= window[1])
            if day in agent.fixed:
                what = agent.fixed[day]
                allowed[a, day] &= np.array(
                    [what is not None and (problem.shifts[i].name, at) == what for i, at in options], bool
                )
        cost[a] = _costs(problem, agent, begin, end, paid)
        for week in range(problem.weeks):
            low, high = problem.due(agent, week)
            least[a, week] = math.ceil(low * 60 / unit - 1e-9)
            most[a, week] = math.floor(high * 60 / unit + 1e-9)
    longest = (allowed * (paid // unit)).max(axis=2)
    room = np.zeros((agents, days + 1), np.int64)
    for day in range(days - 1, -1, -1):
        room[:, day] = longest[:, day] + (room[:, day + 1] if day % 7 != 6 else 0)

    many = max(len(agent.groups) for agent in problem.agents)
    served = np.full((agents, many), -1)
    for a, agent in enumerate(problem.agents):
        served[a, : len(agent.groups)] = [problem.groups.index(one) for one in agent.groups]
    pad = max(one.minutes for one in problem.shifts) // step
    intervals = problem.demand.shape[1]
    demand = np.zeros((len(problem.groups), intervals + pad))
    demand[:, :intervals] = problem.demand
    weight = np.zeros(intervals + pad)
    weight[:intervals] = step / 60
    kinds = len(classes)
    row = min(rules.most_days, days + max(agent.past.days_in_row for agent in problem.agents))
    sizes = np.array([int(most.max()) + 1, max(1, rules.weekends), 2, 1 + 2 * kinds + row * kinds])
    if int(np.prod(sizes)) > MOST_STATES:
        raise NotModelled(
            f"{len(options)} shifts and starts, paid in steps of {unit} minutes, make {int(np.prod(sizes)):,} "
            f"states of an agent's week: give shifts of fewer lengths or starts"
        )
    first = np.zeros((agents, 2), np.int64)
    for a, (agent, (ended, working)) in enumerate(zip(problem.agents, before, strict=True)):
        c = 0 if ended is None else known[class_of(ended)]
        if working:
            # More days in a row than allowed: a day off comes first, as after exactly so many.
            first[a, 0] = 1 + 2 * kinds + (min(agent.past.days_in_row, row) - 1) * kinds + c
        elif ended is not None:
            first[a, 0] = 1 + c
        first[a, 1] = min(agent.past.weekends, max(0, rules.weekends - 1))
    return Grid(
        problem, unit, options, begin // step, (end - begin) // step, np.array([index for index, _ in options]),
        paid // unit, np.array([place[one] for one in keys]), np.array(cells), np.array(classes), first, breaks,
        np.array(types, np.int64).reshape(-1, 2), np.array(shares), allowed, cost, least, most, room, served, demand,
        weight, np.array([row, rules.weekends, int(rules.weekly_rest > 0)]), sizes,
    )  # fmt: skip


def _ended(agent: Agent) -> tuple[int | None, bool]:
    """When the last shift ended, in minutes of the day that it began on, as seen from the first day; whether
    that was yesterday (else the day before it)."""
    past = agent.past
    if past.ended is None:
        return None, False
    if past.days_in_row:
        return DAY - past.ended, True
    return (2 * DAY - past.ended, False) if past.ended < 2 * DAY else (None, False)


def _costs(problem: Problem, agent: Agent, begin: Ints, end: Ints, paid: Ints) -> Floats:
    costs = problem.costs
    plain = costs.paid_hour * agent.wage * paid / 60
    if agent.likes is not None:
        outside = np.maximum(0, agent.likes[0] - begin) + np.maximum(0, end - agent.likes[1])
        plain = plain + costs.outside_hour * np.minimum(outside, end - begin) / 60
    table = np.tile(plain, (problem.days, 1))
    day = np.arange(problem.days)[:, None]
    table += problem.burden(agent) * ((day % 7 >= 5) | (end[None, :] > costs.late))
    table[sorted(agent.wishes)] += costs.wish
    return table
