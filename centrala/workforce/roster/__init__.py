"""Rosters: who works when, with a proof of how good that is; swaps, illness, adherence, advice for the day.

problem = Problem(date(2026, 11, 30), 4, 30, ("sales",), demand, shifts, agents)
roster = solve(problem, seconds=60)      # roster.duties, roster.gap
check(problem, roster)                   # [] or what is broken
"""

from centrala.workforce.roster.change import (
    Change,
    Effect,
    Give,
    Move,
    Repaired,
    Swap,
    TimeOff,
    effect,
    repair,
    would_break,
)
from centrala.workforce.roster.checker import check, cost_of, cover_of
from centrala.workforce.roster.collide import collisions
from centrala.workforce.roster.demand import Need, demand_of
from centrala.workforce.roster.model import (
    Agent,
    Break,
    Broken,
    Collision,
    Costs,
    Duty,
    NoRoster,
    Past,
    Problem,
    Roster,
    Rules,
    Shift,
    Stretch,
)
from centrala.workforce.roster.sample import invented
from centrala.workforce.roster.seen import Adherence, Seen, Shrinkage, adherence, shrinkage
from centrala.workforce.roster.solver import solve
from centrala.workforce.roster.today import Planned, Suggestion, advice

__all__ = [
    "Adherence",
    "Agent",
    "Break",
    "Broken",
    "Change",
    "Collision",
    "Costs",
    "Duty",
    "Effect",
    "Give",
    "Move",
    "Need",
    "NoRoster",
    "Past",
    "Planned",
    "Problem",
    "Repaired",
    "Roster",
    "Rules",
    "Seen",
    "Shift",
    "Shrinkage",
    "Stretch",
    "Suggestion",
    "Swap",
    "TimeOff",
    "adherence",
    "advice",
    "check",
    "collisions",
    "cost_of",
    "cover_of",
    "demand_of",
    "effect",
    "invented",
    "repair",
    "shrinkage",
    "solve",
    "would_break",
]
