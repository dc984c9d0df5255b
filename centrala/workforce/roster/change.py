"""After a roster is published: swaps, time off, illness.

would_break(problem, roster, Swap("agent 1", 3, "agent 9", 3))      # [] : may be approved
effect(problem, roster, TimeOff("agent 4", (10, 11))).short         # agent hours missing more
repair(problem, roster, {"agent 7": (2, 3)}, at=2)                  # somebody is ill
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from centrala.workforce.checks import Floats, not_negative, one_positive, whole
from centrala.workforce.errors import BadInput
from centrala.workforce.roster._grid import Grid, grid_of
from centrala.workforce.roster._state import duties_of, state_of
from centrala.workforce.roster.checker import check, cost_of, cover_of
from centrala.workforce.roster.model import Broken, Duty, NoRoster, Problem, Roster, Shift, Stretch


@dataclass(frozen=True, slots=True)
class Swap:
    """Two agents exchange what they have on a day each (a shift, or nothing)."""

    one: str
    one_day: int
    other: str
    other_day: int


@dataclass(frozen=True, slots=True)
class Give:
    """One agent takes over another's shift."""

    giver: str
    day: int
    taker: str


@dataclass(frozen=True, slots=True)
class Move:
    """An agent's day becomes another shift, or a day off (None)."""

    agent: str
    day: int
    shift: str | None
    start: int = 0


@dataclass(frozen=True, slots=True)
class TimeOff:
    """Days off, taken as approved absence."""

    agent: str
    days: tuple[int, ...]


Change = Swap | Give | Move | TimeOff


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What a change would do."""

    broken: tuple[Broken, ...]
    "Rules that weren't broken before."
    cost: float
    "More (or, below 0, less) than before, in hours' pay."
    short: float
    "Agent hours missing more (or fewer)."
    spare: float
    "Agent hours too many more (or fewer)."
    cover: Floats
    "Groups x intervals: difference."
    problem: Problem
    "As it is after the change."
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """A roster after somebody can't come."""

    duties: tuple[Duty, ...]
    problem: Problem
    "As it is now: with the absences."
    changed: tuple[tuple[str, int], ...]
    "Agent and day of every other shift that isn't as it was."
    cost: float
    parts: Mapping[str, float]
    untouched: float
    "The cost if nobody's shift were changed."
    seconds: float


def would_break(problem: Problem, roster: Roster | Iterable[Duty], change: Change) -> list[Broken]:
    """Rules that a change would break anew; empty where it may be approved. Raises BadInput for what can't be meant."""
    before = _duties(roster)
    now, after = _done(problem, before, change)
    return _broken_anew(problem, before, now, after, change)


def effect(problem: Problem, roster: Roster | Iterable[Duty], change: Change) -> Effect:
    """Rules broken anew, cost and cover. Who takes a shift over is put where cover is missing most."""
    before = _duties(roster)
    now, after = _done(problem, before, change)
    broken = tuple(_broken_anew(problem, before, now, after, change))
    cover, old = cover_of(now, after), cover_of(problem, before)
    hours = problem.minutes / 60

    def missing(table: Floats) -> float:
        return float(np.maximum(0, problem.demand - table).sum() * hours)

    def spare(table: Floats) -> float:
        return float(np.maximum(0, table - problem.demand).sum() * hours)

    cost = sum(cost_of(now, after).values()) - sum(cost_of(problem, before).values())
    return Effect(
        broken, cost, missing(cover) - missing(old), spare(cover) - spare(old), cover - old, now, after
    )


def repair(
    problem: Problem,
    roster: Roster | Iterable[Duty],
    absent: Mapping[str, Sequence[int]],
    at: int,
    *,
    seconds: float = 10.0,
    keep: float = 6.0,
    seed: int = 1,
) -> Repaired:
    """Somebody can't come on some days: the best of what is left, days before `at` as they were.

    An absent day counts as the hours that were planned on it. A shift of somebody else that is changed costs `keep`
    hours' pay, beside what it costs anyhow; breaks and groups may move freely from `at` on. Raises BadInput, and
    NoRoster where the published days leave no way.
    """
    from centrala.workforce.roster.solver import Search, without_line

    began = perf_counter()
    limit = one_positive("seconds", seconds)
    first = whole("at", at, 0)
    price = float(not_negative("keep", keep))
    before = _duties(roster)
    now = _without(problem, before, absent)
    left = tuple(one for one in before if not (one.agent in absent and one.day in absent[one.agent]))
    published = {(one.agent, one.day): one for one in left}
    pinned = replace(
        now,
        agents=tuple(
            replace(
                agent,
                fixed={
                    **agent.fixed,
                    **{
                        day: None
                        if (duty := published.get((agent.name, day))) is None
                        else (duty.shift, duty.start)
                        for day in range(min(first, now.days))
                        if day not in agent.absent
                    },
                },
            )
            for agent in now.agents
        ),
    )
    grid = grid_of(pinned)
    stuck = without_line(grid)
    if stuck:
        from centrala.workforce.roster.collide import collisions

        raise NoRoster(collisions(pinned, stuck))
    true_cost = grid.cost.copy()
    _price_changes(grid, published, price)
    search = Search(grid, seed)
    search.again(state_of(grid, left), lambda: perf_counter() - began > limit)
    assert search.kept is not None
    grid.cost[:] = true_cost
    made = duties_of(grid, search.kept)
    made = tuple(published.get((one.agent, one.day), one) if one.day < first else one for one in made)
    parts = cost_of(now, made)
    new = {(one.agent, one.day): (one.shift, one.start) for one in made}
    old = {key: (one.shift, one.start) for key, one in published.items()}
    changed = tuple(sorted(key for key in new.keys() | old.keys() if new.get(key) != old.get(key)))
    return Repaired(
        made,
        now,
        changed,
        sum(parts.values()),
        parts,
        sum(cost_of(now, left).values()),
        perf_counter() - began,
    )


def _price_changes(grid: Grid, published: Mapping[tuple[str, int], Duty], price: float) -> None:
    problem = grid.problem
    known = {(problem.shifts[index].name, start): s for s, (index, start) in enumerate(grid.options)}
    for a, agent in enumerate(problem.agents):
        for day in range(problem.days):
            duty = published.get((agent.name, day))
            if duty is None:
                grid.cost[a, day] += price
            elif (duty.shift, duty.start) in known:
                grid.cost[a, day, known[duty.shift, duty.start]] -= price


def _broken_anew(
    problem: Problem, before: Iterable[Duty], now: Problem, after: Iterable[Duty], change: Change
) -> list[Broken]:
    """All rules are one agent's own: those of the agents concerned are looked at, nobody else's."""
    match change:
        case Swap(one, _, other, _) | Give(one, _, other):
            names = {one, other}
        case Move(one, _) | TimeOff(one, _):
            names = {one}

    def of(whole: Problem, duties: Iterable[Duty]) -> list[Broken]:
        alone = replace(whole, agents=tuple(agent for agent in whole.agents if agent.name in names))
        return check(alone, [duty for duty in duties if duty.agent in names])

    known = {(one.code, one.agent, one.day) for one in of(problem, before)}
    return [one for one in of(now, after) if (one.code, one.agent, one.day) not in known]


def _duties(roster: Roster | Iterable[Duty]) -> tuple[Duty, ...]:
    return roster.duties if isinstance(roster, Roster) else tuple(roster)


def _without(problem: Problem, duties: Iterable[Duty], absent: Mapping[str, Sequence[int]]) -> Problem:
    """The problem with these absences, each counted as what was planned."""
    names = {agent.name for agent in problem.agents}
    unknown = sorted(set(absent) - names)
    if unknown:
        raise BadInput(f"there is no agent {unknown[0]!r} in the roster")
    paid = {shift.name: shift.paid / 60 for shift in problem.shifts}
    planned = {(one.agent, one.day): paid.get(one.shift, 0.0) for one in duties}
    return replace(
        problem,
        agents=tuple(
            agent
            if agent.name not in absent
            else replace(
                agent,
                absent=agent.absent | frozenset(absent[agent.name]),
                credit={
                    **agent.credit,
                    **{
                        day: planned.get((agent.name, day), 0.0)
                        for day in absent[agent.name]
                        if day not in agent.absent
                    },
                },
                fixed={day: what for day, what in agent.fixed.items() if day not in absent[agent.name]},
            )
            for agent in problem.agents
        ),
    )


def _done(problem: Problem, duties: tuple[Duty, ...], change: Change) -> tuple[Problem, tuple[Duty, ...]]:
    plan = {(one.agent, one.day): one for one in duties}
    names = {agent.name: agent for agent in problem.agents}
    shifts = {one.name: one for one in problem.shifts}

    def known(agent: str, *days: int) -> None:
        if agent not in names:
            raise BadInput(f"there is no agent {agent!r} in the roster")
        wrong = [day for day in days if not 0 <= day < problem.days]
        if wrong:
            raise BadInput(f"day {wrong[0]} is none of the roster's, 0 to {problem.days - 1}")

    def put(duty: Duty | None, agent: str, day: int) -> None:
        if duty is not None:
            plan[agent, day] = _placed(
                problem, plan.values(), replace(duty, agent=agent, day=day), names[agent].groups
            )

    match change:
        case Swap(one, one_day, other, other_day):
            known(one, one_day)
            known(other, other_day)
            if one == other:
                raise BadInput(f"{one} can't swap with {one}")
            mine, theirs = plan.pop((one, one_day), None), plan.pop((other, other_day), None)
            if mine is None and theirs is None:
                raise BadInput(f"neither {one} nor {other} has a shift to swap on these days")
            for taker, day, duty in ((other, one_day, mine), (one, other_day, theirs)):
                if duty is not None and (taker, day) in plan:
                    raise BadInput(f"{taker} has a shift already on {problem.day(day)}")
            put(mine, other, one_day)
            put(theirs, one, other_day)
        case Give(giver, day, taker):
            known(giver, day)
            known(taker, day)
            duty = plan.pop((giver, day), None)
            if duty is None:
                raise BadInput(f"{giver} has no shift on {problem.day(day)}")
            if (taker, day) in plan:
                raise BadInput(f"{taker} has a shift already on {problem.day(day)}")
            put(duty, taker, day)
        case Move(agent, day, name, start):
            known(agent, day)
            plan.pop((agent, day), None)
            if name is not None:
                if name not in shifts:
                    raise BadInput(f"there is no shift {name!r}")
                put(_plain(shifts[name], agent, day, start, names[agent].groups[0]), agent, day)
        case TimeOff(agent, days):
            known(agent, *days)
            problem = _without(problem, duties, {agent: days})
            for day in days:
                plan.pop((agent, day), None)
    order = {name: index for index, name in enumerate(names)}
    return problem, tuple(sorted(plan.values(), key=lambda one: (order.get(one.agent, -1), one.day)))


def _plain(shift: Shift, agent: str, day: int, start: int, group: str) -> Duty:
    """A shift with its breaks as early as may be, all of it at one group."""
    breaks = tuple((start + one.earliest, start + one.earliest + one.minutes) for one in shift.breaks)
    edges = [start, *(at for pause in breaks for at in pause), start + shift.minutes]
    work = tuple(
        Stretch(begin, end, group) for begin, end in zip(edges[::2], edges[1::2], strict=True) if end > begin
    )
    return Duty(agent, day, shift.name, start, start + shift.minutes, breaks, work)


def _placed(problem: Problem, others: Iterable[Duty], duty: Duty, groups: tuple[str, ...]) -> Duty:
    """Where the agent doesn't serve the group, the one of its own that misses agents most, interval by interval."""
    if {one.group for one in duty.work} <= set(groups):
        return duty
    missing = problem.demand - cover_of(problem, others)
    row = {name: index for index, name in enumerate(problem.groups)}
    step = problem.minutes
    work: list[Stretch] = []
    for part in duty.work:
        at = part.begin
        while at < part.end:
            end = min(part.end, (at // step + 1) * step)
            t = min(missing.shape[1] - 1, (duty.day * 1440 + at) // step)
            name = part.group if part.group in groups else max(groups, key=lambda one: missing[row[one], t])
            if work and work[-1].group == name and work[-1].end == at:
                work[-1] = replace(work[-1], end=end)
            else:
                work.append(Stretch(at, end, name))
            at = end
    return replace(duty, work=tuple(work))
