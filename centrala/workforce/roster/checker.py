"""What a roster breaks and what it costs, told from its values alone: nothing here is shared with the search."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from centrala.workforce.checks import Floats
from centrala.workforce.roster.model import DAY, Agent, Broken, Duty, Problem, Roster, Shift, clock


def check(problem: Problem, roster: Roster | Iterable[Duty]) -> list[Broken]:
    """Every rule that is broken, by agent and day; empty for a roster that may be published.

    Codes: `unknown-agent`, `unknown-shift`, `two-shifts`, `start`, `length`, `breaks`, `work`, `group`,
    `not-allowed`,
    `absent`, `availability`, `fixed`, `rest`, `days-in-row`, `hours`, `weekly-rest`, `weekend`.
    """
    found: list[Broken] = []
    agents = {one.name: one for one in problem.agents}
    shifts = {one.name: one for one in problem.shifts}
    lines: dict[str, dict[int, Duty]] = defaultdict(dict)
    for duty in roster.duties if isinstance(roster, Roster) else roster:
        agent, shift = agents.get(duty.agent), shifts.get(duty.shift)
        where = (duty.agent, duty.day)
        if agent is None:
            found.append(Broken("unknown-agent", f"{duty.agent} is no agent of this problem", *where))
            continue
        if not 0 <= duty.day < problem.days:
            found.append(
                Broken("unknown-day", f"{duty.agent}: day {duty.day} is outside of the roster", *where)
            )
            continue
        if duty.day in lines[duty.agent]:
            found.append(
                Broken("two-shifts", f"{duty.agent} has two shifts on {problem.day(duty.day)}", *where)
            )
            continue
        lines[duty.agent][duty.day] = duty
        if shift is None:
            found.append(Broken("unknown-shift", f"{duty.agent}: there is no shift {duty.shift!r}", *where))
            continue
        found += _duty(problem, agent, shift, duty)
    for agent in problem.agents:
        line = {day: duty for day, duty in sorted(lines[agent.name].items()) if duty.shift in shifts}
        found += _line(problem, agent, line, shifts)
    return found


def cover_of(problem: Problem, duties: Iterable[Duty]) -> Floats:
    """Agents at work: groups x intervals, in the shape of the demand."""
    step, last = problem.minutes, problem.demand.shape[1]
    cover = np.zeros_like(problem.demand)
    row = {name: index for index, name in enumerate(problem.groups)}
    for duty in duties:
        for part in duty.work:
            begin, end = duty.day * DAY + part.begin, duty.day * DAY + part.end
            for t in range(begin // step, min(last, -(-end // step))):
                cover[row[part.group], t] += (min(end, (t + 1) * step) - max(begin, t * step)) / step
    return np.round(cover, 9)


def cost_of(problem: Problem, duties: Iterable[Duty]) -> dict[str, float]:
    """By reason, in hours' pay: paid, short, spare, wishes, likes, unpopular."""
    duties = tuple(duties)
    agents = {one.name: one for one in problem.agents}
    shifts = {one.name: one for one in problem.shifts}
    costs, hours = problem.costs, problem.minutes / 60
    cover = cover_of(problem, duties)
    missing = np.maximum(0, problem.demand - cover)
    deep = np.maximum(0, (1 - costs.deep) * problem.demand - cover)
    found = {"paid": 0.0, "wishes": 0.0, "likes": 0.0, "unpopular": 0.0}
    for duty in duties:
        for reason, much in problem.wanted(
            agents[duty.agent], duty.day, shifts[duty.shift], duty.start
        ).items():
            found[reason] += much
    found["short"] = float(hours * (costs.short_hour * (missing - deep) + costs.deep_hour * deep).sum())
    found["spare"] = float(hours * costs.spare_hour * np.maximum(0, cover - problem.demand).sum())
    return found


def _duty(problem: Problem, agent: Agent, shift: Shift, duty: Duty) -> list[Broken]:
    found: list[Broken] = []
    who = f"{agent.name}, {problem.day(duty.day)}"

    def broken(code: str, text: str) -> None:
        found.append(Broken(code, f"{who}: {text}", agent.name, duty.day))

    if duty.start not in shift.starts:
        broken("start", f"{shift.name} doesn't begin at {clock(duty.start)}")
    if duty.end - duty.start != shift.minutes:
        broken("length", f"{shift.name} has {shift.minutes} minutes, not {duty.end - duty.start}")
    if agent.shifts is not None and shift.name not in agent.shifts:
        broken("not-allowed", f"may not be given {shift.name}")
    if len(duty.breaks) != len(shift.breaks):
        broken("breaks", f"{len(duty.breaks)} breaks instead of {len(shift.breaks)}")
    for (begin, end), pause in zip(duty.breaks, shift.breaks, strict=False):
        if end - begin != pause.minutes or not pause.earliest <= begin - duty.start <= pause.latest:
            broken("breaks", f"the break from {clock(begin)} to {clock(end)} isn't as {shift.name} has it")
    # Work and breaks make up the shift, in their order, without a hole and without meeting.
    parts = sorted([(one.begin, one.end) for one in duty.work] + list(duty.breaks))
    at = duty.start
    for begin, end in parts:
        if begin != at or end <= begin:
            broken("work", f"something is wrong at {clock(begin)}: work and breaks must fill the shift")
            break
        at = end
    else:
        if at != duty.end:
            broken("work", f"nothing is planned from {clock(at)} on")
    for group in sorted({one.group for one in duty.work} - set(agent.groups)):
        broken("group", f"doesn't serve {group}")
    window = problem.window(agent, duty.day)
    if duty.day in agent.absent:
        broken("absent", "is absent")
    elif window is None:
        broken("availability", "isn't available on this day")
    elif duty.start < window[0] or duty.end > window[1]:
        broken("availability", f"is available from {clock(window[0])} to {clock(window[1])} alone")
    return found


def _line(
    problem: Problem, agent: Agent, line: Mapping[int, Duty], shifts: Mapping[str, Shift]
) -> list[Broken]:
    found: list[Broken] = []
    rules, past = problem.rules, agent.past

    def broken(code: str, text: str, day: int | None = None) -> None:
        found.append(Broken(code, f"{agent.name}: {text}", agent.name, day))

    for day, settled in agent.fixed.items():
        duty = line.get(day)
        if (None if duty is None else (duty.shift, duty.start)) != settled:
            broken("fixed", f"{problem.day(day)} was settled otherwise", day)
    # Free stretches between shifts, in minutes since the first midnight, with the day after each.
    ended = -float("inf") if past.ended is None else -float(past.ended)
    gaps: list[tuple[float, float]] = []
    for day, duty in line.items():
        gaps.append((ended, float(day * DAY + duty.start)))
        ended = float(day * DAY + duty.end)
        if gaps[-1][1] - gaps[-1][0] < rules.rest:
            broken(
                "rest", f"less than {rules.rest / 60:g} h of rest before the shift of {problem.day(day)}", day
            )
    # The day after the last may begin with the earliest shift that there is.
    gaps.append((ended, float(problem.days * DAY + min(min(one.starts) for one in problem.shifts))))
    row = past.days_in_row
    for day in range(problem.days):
        row = row + 1 if day in line else 0
        if row > rules.most_days:
            broken(
                "days-in-row", f"{problem.day(day)} is day {row} in a row, {rules.most_days} are allowed", day
            )
    for week in range(problem.weeks):
        monday = 7 * week
        worked = sum(shifts[line[day].shift].paid for day in range(monday, monday + 7) if day in line) / 60
        least, most = problem.due(agent, week)
        if not least - 1e-9 <= worked <= most + 1e-9:
            broken(
                "hours",
                f"{worked:g} h in the week of {problem.day(monday)}, {least:g} to {most:g} are due",
                monday,
            )
        if rules.weekly_rest and not any(
            day not in line and _gap_around(gaps, line, day) >= rules.weekly_rest
            for day in range(monday, monday + 7)
        ):
            broken(
                "weekly-rest",
                f"no {rules.weekly_rest / 60:g} h of rest in the week of {problem.day(monday)}",
                monday,
            )
    if rules.weekends:
        taken = past.weekends
        for week in range(problem.weeks):
            taken = taken + 1 if {7 * week + 5, 7 * week + 6} & set(line) else 0
            if taken >= rules.weekends:
                broken(
                    "weekend",
                    f"the weekend of {problem.day(7 * week + 5)} is number {taken} in a row that isn't free",
                    7 * week + 5,
                )
    return found


def _gap_around(gaps: list[tuple[float, float]], line: Mapping[int, Duty], day: int) -> float:
    """The free stretch that a day without a shift of its own lies in."""
    later = sum(1 for worked in line if worked < day)
    begin, end = gaps[later]
    return end - begin
