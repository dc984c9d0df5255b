"""What goes in and comes out of /api/v1/plans and /api/v1/planning/people and rules."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from centrala.planning.values import Stage, State
from centrala.web.problems import ProblemBody
from centrala.web.routes.people import Body

Day = Annotated[date, Field(strict=False)]
"As in 2026-11-30."
Id = Annotated[str, Field(max_length=64)]
Name = Annotated[str, Field(max_length=256)]
Text = Annotated[str, Field(max_length=200)]
Minute = Annotated[int, Field(ge=0, le=2880)]
"Of a day, from its midnight; above 1440 is the next day."
Number = Annotated[int, Field(ge=0, le=2**53)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Factor = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Rate = Annotated[list[float], Field(min_length=3, max_length=3)]
"[from minute, to minute, contacts an hour]"
Window = Annotated[list[int], Field(min_length=2, max_length=2)]
"[from minute, to minute] of a day"


# --- what goes in ---


Special = Annotated[
    dict[Day, Annotated[float, Field(ge=0, le=100)] | Annotated[str, Field(min_length=1, max_length=60)]],
    Field(max_length=400),
]
"""Days unlike others: times a usual day's contacts, or (from records) the kind of day; past days of that kind, from
which it is learned, stand here too."""


class PlanTarget(Body):
    service_level: Share
    within: Seconds = 20.0


class DemandFromRecords(Body):
    from_: Annotated[Literal["records"], Field(alias="from")]
    like: dict[Name, "LikeQueue"] = Field(default_factory=dict, max_length=200)
    "Queues without a history of their own."
    handling: dict[Name, Seconds] = Field(default_factory=dict, max_length=200)
    "Mean seconds of a contact, instead of what the records tell."
    patience: dict[Name, Seconds] = Field(default_factory=dict, max_length=200)
    special: Special = Field(default_factory=dict)


class LikeQueue(Body):
    queue: Name
    share: Factor = 1.0
    "Of that queue's contacts."


class TypedDemand(Body):
    from_: Annotated[Literal["typed"], Field(alias="from")]
    per_hour: Annotated[
        dict[Name, dict[Weekday, Annotated[list[Rate], Field(max_length=288)]]], Field(max_length=200)
    ]
    handling: dict[Name, Seconds] = Field(default_factory=dict, max_length=200)
    "Mean seconds of a contact."
    patience: dict[Name, Seconds] = Field(default_factory=dict, max_length=200)
    "Mean seconds until callers give up."
    special: Special = Field(default_factory=dict)


class NewPlan(Body):
    name: Annotated[str, Field(min_length=1, max_length=100)]
    first: Day
    "A Monday."
    weeks: Annotated[int, Field(ge=1, le=14)] = 1
    queues: Annotated[list[Name], Field(min_length=1, max_length=200)]
    target: PlanTarget | None = None
    "Left out: each queue's own service level."
    level: Annotated[float, Field(ge=0.05, le=0.95)] = 0.8
    "Quantile of the demand that is staffed for."
    step: Annotated[int, Field(ge=300, le=3600)] = 1800
    "Seconds of an interval."
    seconds: Annotated[float, Field(ge=1, le=600)] = 60.0
    "To look for a better roster."
    demand: Annotated[DemandFromRecords | TypedDemand, Field(discriminator="from_")]


class StretchGiven(Body):
    start: Minute
    end: Minute
    queue: Name


class PauseGiven(Body):
    start: Minute
    end: Minute
    paid: bool = True


class ActivityGiven(Body):
    start: Minute
    end: Minute
    what: Text


class DutyGiven(Body):
    id: Id
    agent: Name
    day: Day
    shift: Name
    start: Minute
    end: Minute
    stretches: Annotated[list[StretchGiven], Field(max_length=300)] = []
    breaks: Annotated[list[PauseGiven], Field(max_length=50)] = []
    activities: Annotated[list[ActivityGiven], Field(max_length=50)] = []


class MoveDuty(Body):
    """Begin at another time, on another day, or be another agent's."""

    what: Literal["move"]
    duty: Id
    day: Day | None = None
    start: Minute | None = None
    agent: Name | None = None


class AddDuty(Body):
    what: Literal["add"]
    agent: Name
    day: Day
    shift: Name
    start: Minute


class RemoveDuty(Body):
    what: Literal["remove"]
    duty: Id


class SwapDuties(Body):
    """Two duties change hands."""

    what: Literal["swap"]
    duty: Id
    with_: Annotated[Id, Field(alias="with")]


class PutDuty(Body):
    """A duty exactly as it was served once: an edit undone."""

    what: Literal["put"]
    duty: DutyGiven


class SpendTime(Body):
    """A part of a duty away from the phones; without a name it is work again."""

    what: Literal["activity"]
    duty: Id
    start: Minute
    end: Minute
    name: Text = ""


class AgentAway(Body):
    """Days off that count as what was planned on them; with `repair` others stand in, as few changed as may be."""

    what: Literal["absent"]
    agent: Name
    days: Annotated[list[Day], Field(min_length=1, max_length=98)]
    repair: bool = False
    seconds: Annotated[float, Field(ge=0.5, le=30)] = 5.0
    "To look for the best repair."


Change = Annotated[
    MoveDuty | AddDuty | RemoveDuty | SwapDuties | PutDuty | SpendTime | AgentAway,
    Field(discriminator="what"),
]


class PlanChanges(Body):
    version: Number
    "The plan's, as it was looked at."
    changes: Annotated[list[Change], Field(min_length=1, max_length=200)]
    "Done one after the other."
    attempt: Annotated[bool, Field(alias="try")] = False
    "Change nothing, say what would be."
    anyway: bool = False
    "Bear rules that break."


class OfVersion(Body):
    version: Number
    "The plan's, as it was looked at."


class Copied(Body):
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class AbsenceSpan(Body):
    from_: Annotated[Day, Field(alias="from")]
    to: Day
    why: Text | None = None


class PersonActivity(Body):
    day: Day
    from_: Annotated[Minute, Field(alias="from")]
    to: Minute
    what: Text


class PersonGiven(Body):
    version: Number | None = None
    "Of the contract that was looked at; left out, nobody asks."
    hours: Annotated[float, Field(ge=0, le=168)] = 40.0
    "A week; 0: isn't planned."
    available: Annotated[list[Window | None], Field(max_length=7)] = []
    "For each weekday, Monday first: when shifts must lie within, null for never. Empty: always."
    shifts: Annotated[list[Name], Field(max_length=40)] | None = None
    "Kinds that may be given; null: all."
    wishes: Annotated[list[Day], Field(max_length=366)] = []
    "Days wished off."
    absent: Annotated[list[AbsenceSpan], Field(max_length=366)] = []
    "Approved days off, both included."
    wage: Factor = 1.0
    "Against the others'."
    likes: Window | None = None
    "Hours of the day that shifts should lie within."
    activities: Annotated[list[PersonActivity], Field(max_length=366)] = []
    "Away from the phones, paid: training, a meeting."


class PauseOfKind(Body):
    minutes: Annotated[int, Field(ge=1, le=1440)]
    earliest: Minute
    "Minutes after the start of the shift."
    latest: Minute
    paid: bool = True


class ShiftKind(Body):
    """A kind of shift."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    minutes: Annotated[int, Field(ge=5, le=1440)]
    "From start to end, breaks included."
    starts: Annotated[list[Minute], Field(min_length=1, max_length=288)]
    breaks: Annotated[list[PauseOfKind], Field(max_length=20)] = []


class LabourRules(Body):
    rest: Annotated[int, Field(ge=0, le=2880)] = 660
    "Least minutes between two shifts."
    most_days: Annotated[int, Field(ge=1, le=98)] = 6
    "Days in a row."
    tolerance: Annotated[float, Field(ge=0, le=168)] = 2.0
    "Hours a week more or less than the contract's."
    weekly_rest: Annotated[int, Field(ge=0, le=4320)] = 2100
    "Least minutes of one free stretch each week; 0: no such rule."
    weekend_every: Annotated[int, Field(ge=0, le=14)] = 0
    "Of so many weekends in a row one is free; 0: no such rule."


class RosterCosts(Body):
    """In hours' pay."""

    paid_hour: Factor = 1.0
    short_hour: Factor = 3.0
    "An agent missing for an hour."
    deep: Share = 0.2
    "Share of the demand beyond which missing is worse."
    deep_hour: Factor = 5.0
    spare_hour: Factor = 0.5
    "An agent too many for an hour."
    wish: Factor = 4.0
    "A shift on a day wished off."
    outside_hour: Factor = 0.25
    "An hour of a shift outside of what the agent likes."
    unpopular: Factor = 0.5
    "A shift at the weekend, or late."
    late: Minute = 1260
    "A shift that ends later is late."


class RulesGiven(Body):
    version: Number | None = None
    "Of the rules that were looked at; left out, nobody asks."
    kinds: Annotated[list[ShiftKind], Field(min_length=1, max_length=40)]
    rules: LabourRules = LabourRules()
    costs: RosterCosts = RosterCosts()


# --- what comes out ---


class TroubleShown(BaseModel):
    code: str
    text: str
    about: list[str]
    "Queues, agents or weekdays concerned."


class ProgressShown(BaseModel):
    stage: Stage
    share: float


class PlanHead(BaseModel):
    id: str
    version: int
    name: str
    first: date
    weeks: int
    step: int
    "Seconds of an interval."
    timezone: str
    queues: list[str]
    state: State
    made_at: float
    made_by: str
    "Id of a user, or console."
    progress: ProgressShown | None
    problem: TroubleShown | None
    published_at: float | None
    gap: float | None
    "Share of the cost that a better roster could save at most; null once it was edited."
    cost: float | None
    "In hours' pay."
    short_hours: float | None
    "Agent hours missing."


class PlansListed(BaseModel):
    items: list[PlanHead]


class DemandShown(BaseModel):
    """By interval; `low` and `high` are the 5 % and 95 % quantiles."""

    contacts: list[float]
    low: list[float]
    high: list[float]
    handling: list[float]
    required: list[float]
    "Agents."


class TargetShown(BaseModel):
    service_level: float
    within: float


class PlanSpan(BaseModel):
    from_: Annotated[date, Field(alias="from")]
    to: date


class AgentPlanned(BaseModel):
    """As the plan was made for."""

    agent: str
    name: str
    queues: list[str]
    hours: float
    available: list[list[int] | None]
    wishes: list[date]
    absent: list[PlanSpan]


class StretchShown(BaseModel):
    start: int
    end: int
    queue: str


class PauseShown(BaseModel):
    start: int
    end: int
    paid: bool


class ActivityShown(BaseModel):
    start: int
    end: int
    what: str


class DutyShown(BaseModel):
    """Times are minutes of `day`, above 1440 those of the next."""

    id: str
    agent: str
    day: date
    shift: str
    start: int
    end: int
    stretches: list[StretchShown]
    breaks: list[PauseShown]
    activities: list[ActivityShown]


class RuleBroken(BaseModel):
    code: str
    agent: str | None
    day: date | None
    text: str


class PlanShown(PlanHead):
    starts: list[str]
    "Of each interval, ISO 8601 with the zone's offset."
    demand: dict[str, DemandShown]
    targets: dict[str, TargetShown]
    patience: dict[str, float | None]
    staffed: dict[str, list[float]]
    "Agents at the phones."
    expected: dict[str, list[float | None]]
    "Service level; null where nobody calls."
    agents: list[AgentPlanned]
    kinds: list[ShiftKind]
    duties: list[DutyShown]
    broken: list[RuleBroken]
    costs: dict[str, float]
    "paid, short, over, wishes, likes, unpopular, total; empty for who sees a part of the house."
    rules: LabourRules
    notes: list[TroubleShown]


class PlanSums(BaseModel):
    costs: dict[str, float]
    short_hours: float | None


class PlanEdited(BaseModel):
    version: int
    duties: list[DutyShown]
    "Changed or new."
    removed: list[str]
    staffed: dict[str, list[float]]
    expected: dict[str, list[float | None]]
    broken: list[RuleBroken]
    anew: list[RuleBroken]
    "Those of them that the changes add."
    costs: dict[str, float]
    before: PlanSums
    after: PlanSums


class ReplacedShown(BaseModel):
    plan: str
    days: list[date]


class PlanPublished(PlanHead):
    replaced: list[ReplacedShown]
    "Days that other plans gave to this one."


class PersonShown(BaseModel):
    agent: str
    name: str
    queues: list[str]
    "That the agent may serve."
    version: int
    hours: float
    available: list[list[int] | None]
    shifts: list[str] | None
    wishes: list[date]
    absent: list[dict[str, Any]]
    "from, to, why"
    wage: float
    likes: list[int] | None
    activities: list[dict[str, Any]]
    "day, from, to, what"


class PeopleShown(BaseModel):
    items: list[PersonShown]


class RulesShown(BaseModel):
    version: int
    kinds: list[ShiftKind]
    rules: LabourRules
    costs: RosterCosts


class BreaksRule(ProblemBody):
    broken: list[RuleBroken] = []
    "With PLAN-BREAKS-RULE: the rules that the changes would break."
    about: list[str] = []
    "With PLAN-INPUT, PLAN-NOBODY: queues or agents concerned."
