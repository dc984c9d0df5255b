"""Plans: demand and staffing of weeks to come, who works when, and how the day goes against it.

What is kept lives beside the ledger (`plans`, `people`); what is reckoned needs the extra `workforce` and runs in a
process of its own (`planner` asks, `job` answers), so that the application never waits for it nor loads it.
"""

from centrala.planning.plans import Plans, Stale, open_plans
from centrala.planning.values import (
    AbsoluteDuty,
    Activity,
    Broken,
    Costs,
    Demand,
    Duty,
    Head,
    Kind,
    PausePlanned,
    Person,
    Plan,
    PlannedAgent,
    PlanRules,
    Stretch,
    Trouble,
)

__all__ = [
    "AbsoluteDuty",
    "Activity",
    "Broken",
    "Costs",
    "Demand",
    "Duty",
    "Head",
    "Kind",
    "PausePlanned",
    "Person",
    "Plan",
    "PlanRules",
    "PlannedAgent",
    "Plans",
    "Stale",
    "Stretch",
    "Trouble",
    "open_plans",
]
