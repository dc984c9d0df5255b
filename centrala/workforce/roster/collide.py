"""Why there is no roster: for each agent without a line, a smallest set of rules that don't go together.

Demand is never in the way (what can't be covered costs), so rules collide within one agent's line. Sets of rules are
tried by size, each by the exact search for a line; the first that leaves none is as small as any.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from centrala.workforce.roster._grid import Grid, grid_of
from centrala.workforce.roster.model import Agent, Collision, Past, Problem, clock

CODES = (
    "hours-least", "availability", "absent", "fixed", "hours-most", "rest", "days-in-row", "weekly-rest", "weekend",
    "not-allowed", "past",
)  # fmt: skip
EXPLAINED = 20
"Agents whose collisions are told; more are named with those of the first."


def collisions(problem: Problem, stuck: Sequence[int] | None = None) -> tuple[Collision, ...]:
    """Of every agent without a line (or of those given by index); empty if there is a roster."""
    from centrala.workforce.roster.solver import without_line

    if stuck is None:
        stuck = without_line(grid_of(problem))
    return tuple(_of(problem, problem.agents[a]) for a in stuck[:EXPLAINED])


def _of(problem: Problem, agent: Agent) -> Collision:
    asked = [code for code in CODES if _asks(problem, agent, code)]
    weeks: list[int] = list(range(problem.weeks))
    for size in range(1, len(asked) + 1):
        for codes in combinations(asked, size):
            if _possible(problem, agent, codes, weeks):
                continue
            week = None
            if "hours-least" in codes:
                week = next((one for one in weeks if not _possible(problem, agent, codes, [one])), None)
            return Collision(agent.name, codes, _text(problem, agent, codes, week), week)
    raise AssertionError("an agent without a line has rules that collide")


def _asks(problem: Problem, agent: Agent, code: str) -> bool:
    rules = problem.rules
    return {
        "availability": bool(agent.available),
        "absent": bool(agent.absent),
        "fixed": bool(agent.fixed),
        "rest": rules.rest > 0,
        "days-in-row": rules.most_days < problem.days + agent.past.days_in_row,
        "weekly-rest": rules.weekly_rest > 0,
        "weekend": rules.weekends > 0,
        "not-allowed": agent.shifts is not None,
        "past": agent.past.days_in_row > 0 or agent.past.ended is not None or agent.past.weekends > 0,
    }.get(code, True)


def _possible(problem: Problem, agent: Agent, codes: Sequence[str], weeks: Sequence[int]) -> bool:
    """Whether there is a line if these rules alone hold, the hours in these weeks alone."""
    from centrala.workforce.roster.solver import without_line

    rules = problem.rules
    alone = replace(
        agent,
        available=agent.available if "availability" in codes else (),
        absent=agent.absent if "absent" in codes else frozenset(),
        fixed=agent.fixed if "fixed" in codes else {},
        shifts=agent.shifts if "not-allowed" in codes else None,
        past=agent.past if "past" in codes else Past(),
    )
    eased = replace(
        problem,
        agents=(alone,),
        rules=replace(
            rules,
            rest=rules.rest if "rest" in codes else 0,
            most_days=rules.most_days
            if "days-in-row" in codes
            else problem.days + alone.past.days_in_row + 1,
            weekly_rest=rules.weekly_rest if "weekly-rest" in codes else 0,
            weekend_every=rules.weekend_every if "weekend" in codes else 0,
        ),
    )
    return not without_line(_with_hours(grid_of(eased), problem, agent, codes, weeks))


def _with_hours(
    grid: Grid, problem: Problem, agent: Agent, codes: Sequence[str], weeks: Sequence[int]
) -> Grid:
    least, most = np.zeros_like(grid.least), np.full_like(grid.most, 7 * int(grid.units.max()))
    for week in weeks:
        low, high = problem.due(agent, week)
        if "hours-least" in codes:
            least[0, week] = np.ceil(low * 60 / grid.unit - 1e-9)
        if "hours-most" in codes:
            most[0, week] = np.floor(high * 60 / grid.unit + 1e-9)
    sizes = grid.sizes.copy()
    sizes[0] = int(most.max()) + 1
    return replace(grid, least=least, most=most, sizes=sizes)


def _text(problem: Problem, agent: Agent, codes: Sequence[str], week: int | None) -> str:
    rules = problem.rules
    low, high = problem.due(agent, week or 0)
    days = "days {}".format(", ".join(str(problem.day(day)) for day in sorted(agent.absent)[:7]))
    first = "" if week is None else f" in the week of {problem.day(7 * week)}"
    windows = sorted({one for one in agent.available if one is not None})
    closed = sum(1 for one in agent.available if one is None)
    times = ", ".join(f"{clock(begin)}-{clock(end)}" for begin, end in windows[:3]) or "never"
    said = {
        "hours-least": f"at least {low:g} h{first}",
        "hours-most": f"at most {high:g} h{first}",
        "availability": f"available {times}" + (f", not at all on {closed} days" if closed else ""),
        "absent": f"absent on {days}",
        "fixed": f"{len(agent.fixed)} days settled beforehand",
        "rest": f"{rules.rest / 60:g} h between shifts",
        "days-in-row": f"{rules.most_days} days in a row at most",
        "weekly-rest": f"{rules.weekly_rest / 60:g} h of rest each week",
        "weekend": f"a free weekend in {rules.weekend_every}",
        "not-allowed": f"may be given {', '.join(agent.shifts or ())} alone",
        "past": f"{agent.past.days_in_row} days worked and {agent.past.weekends} weekends before the first day",
    }
    listed = "; ".join(f"{said[code]} [{code}]" for code in codes)
    if len(codes) == 1:
        return f"{agent.name}: this can't be kept with the shifts that there are: {listed}"
    return f"{agent.name}: these can't all be kept: {listed}"
