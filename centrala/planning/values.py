"""What a plan is: plain values and their JSON.

Within a plan times are minutes: of a day from its midnight by the clock on the wall (above 1440 is the next day), of
a shift from its start. A plan begins on a Monday. Lists of figures have one value an interval, from the first midnight
on; a day has as many whatever the clocks do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec

DAY = 1440
State = Literal["making", "draft", "failed", "published", "archived"]
Stage = Literal["waiting", "forecast", "staffing", "roster", "check"]
Window = tuple[int, int]
"From and to, minutes of the day."


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no plan, or what was left out of one; pages say `code` in their own language."""

    code: str
    text: str
    "For people: what happened, and what to do."
    about: tuple[str, ...] = ()
    "Queues, agents or days concerned."


@dataclass(frozen=True, slots=True)
class Progress:
    stage: Stage
    share: float
    "Of the whole, from 0 to 1."


@dataclass(frozen=True, slots=True)
class Head:
    """A plan as lists show it."""

    id: str
    version: int
    "Grows with every change."
    name: str
    first: date
    "A Monday."
    weeks: int
    step: int
    "Seconds of an interval."
    timezone: str
    queues: tuple[str, ...]
    state: State
    made_at: float
    made_by: str
    "Id of a user, or console."
    progress: Progress | None = None
    "While it is made."
    problem: Trouble | None = None
    "Why it failed."
    published_at: float | None = None
    gap: float | None = None
    "Share of the cost that a better roster could save at most, as it was made; None once it was edited by hand."
    cost: float | None = None
    "In hours' pay."
    short_hours: float | None = None
    "Agent hours missing."

    @property
    def days(self) -> int:
        return 7 * self.weeks

    @property
    def minutes(self) -> int:
        "Of an interval."
        return self.step // 60

    @property
    def last(self) -> date:
        return self.first + timedelta(self.days - 1)

    def day(self, index: int) -> date:
        return self.first + timedelta(index)

    def index(self, day: date) -> int:
        return (day - self.first).days

    def moment(self, day: int, minute: int) -> datetime:
        """The moment at which clocks there show that minute of that day."""
        at = datetime.combine(self.day(day), datetime.min.time()) + timedelta(minutes=minute)
        return at.replace(tzinfo=ZoneInfo(self.timezone))

    def starts(self) -> list[datetime]:
        """Of each interval."""
        per_day = DAY // self.minutes
        return [self.moment(day, at * self.minutes) for day in range(self.days) for at in range(per_day)]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a duty at one queue."""

    start: int
    end: int
    queue: str


@dataclass(frozen=True, slots=True)
class PausePlanned:
    start: int
    end: int
    paid: bool = True


@dataclass(frozen=True, slots=True)
class Activity:
    """Training, coaching, a meeting: paid, and away from the phones."""

    start: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class Duty:
    """One shift of one agent; stretches, breaks and activities fill it without a hole."""

    id: str
    "Of the plan; stays when the duty is moved."
    agent: str
    day: date
    "On which it begins."
    shift: str
    "Name of its kind."
    start: int
    end: int
    stretches: tuple[Stretch, ...] = ()
    breaks: tuple[PausePlanned, ...] = ()
    activities: tuple[Activity, ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """A break of a kind of shift."""

    minutes: int
    earliest: int
    "Minutes after the start of the shift."
    latest: int
    paid: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of shift: one length, several starts, its breaks in their order."""

    name: str
    minutes: int
    "From start to end, breaks included."
    starts: tuple[int, ...]
    breaks: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class LabourRules:
    """Of law and contract. Fields as in `workforce.roster.Rules`."""

    rest: int = 660
    "Least minutes between two shifts."
    most_days: int = 6
    tolerance: float = 2.0
    "Hours a week that may be less or more than the contract says."
    weekly_rest: int = 2100
    "Least minutes of one free stretch each week; 0: no such rule."
    weekend_every: int = 0
    "Of so many weekends in a row one is free; 0: no such rule."


@dataclass(frozen=True, slots=True)
class Costs:
    """What counts, in hours' pay. Fields as in `workforce.roster.Costs`."""

    paid_hour: float = 1.0
    short_hour: float = 3.0
    deep: float = 0.2
    deep_hour: float = 5.0
    spare_hour: float = 0.5
    wish: float = 4.0
    outside_hour: float = 0.25
    unpopular: float = 0.5
    late: int = 1260


KINDS = (
    Kind(
        "full",
        510,
        tuple(range(360, 901, 60)),
        (Pause(15, 90, 150), Pause(30, 210, 300, paid=False), Pause(15, 360, 420)),
    ),
    Kind("part", 300, tuple(range(360, 1081, 60)), (Pause(15, 120, 180),)),
    Kind("short", 240, tuple(range(360, 1141, 60)), (Pause(15, 90, 150),)),
)
"What a house begins with: eight hours and half an hour's lunch, five hours, four hours."


@dataclass(frozen=True, slots=True)
class PlanRules:
    """Kinds of shifts, rules and costs of a house."""

    kinds: tuple[Kind, ...] = KINDS
    rules: LabourRules = LabourRules()
    costs: Costs = Costs()
    version: int = 0
    "Of this text; 0: never changed."


@dataclass(frozen=True, slots=True)
class Absence:
    """Approved days off, first and last included."""

    start: date
    end: date
    why: str = ""


@dataclass(frozen=True, slots=True)
class PersonActivity:
    """Something an agent is to do on a day, away from the phones."""

    day: date
    start: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class Person:
    """An agent's contract and wishes, as planners keep them."""

    agent: str
    hours: float = 40.0
    "A week; 0: isn't planned."
    available: tuple[Window | None, ...] = ()
    "For each weekday, Monday first: when a shift must lie within, None for never. Empty: always."
    shifts: tuple[str, ...] | None = None
    "Kinds that may be given; None: all."
    wishes: tuple[date, ...] = ()
    "Days wished off."
    absent: tuple[Absence, ...] = ()
    wage: float = 1.0
    "Against the others'."
    likes: Window | None = None
    "Hours of the day that shifts should lie within."
    activities: tuple[PersonActivity, ...] = ()
    version: int = 0
    "Of this text; 0: never changed."

    def away(self, day: date) -> bool:
        return any(one.start <= day <= one.end for one in self.absent)


@dataclass(frozen=True, slots=True)
class PastWork:
    """What an agent brings along from before the first day. Fields as in `workforce.roster.Past`."""

    days_in_row: int = 0
    ended: int | None = None
    weekends: int = 0
    burden: float = 0.0


@dataclass(frozen=True, slots=True)
class PlannedAgent:
    """An agent as the plan was made for: the contract of then."""

    agent: str
    name: str
    queues: tuple[str, ...]
    hours: float = 40.0
    available: tuple[Window | None, ...] = ()
    shifts: tuple[str, ...] | None = None
    wishes: tuple[date, ...] = ()
    absent: tuple[date, ...] = ()
    wage: float = 1.0
    likes: Window | None = None
    activities: tuple[PersonActivity, ...] = ()
    past: PastWork = PastWork()
    credit: dict[date, float] = field(default_factory=dict)
    "Hours that an absent day counts as: what was planned when somebody fell ill or was given the day off."


@dataclass(frozen=True, slots=True)
class Goal:
    """What is promised to a queue's callers."""

    service_level: float
    "Share answered in time."
    within: float
    "Seconds."


@dataclass(frozen=True, slots=True)
class Demand:
    """What a queue will meet; lists by interval."""

    contacts: tuple[float, ...]
    "Expected (the median)."
    low: tuple[float, ...]
    "5 % quantile."
    high: tuple[float, ...]
    "95 % quantile."
    handling: tuple[float, ...]
    "Mean seconds of a contact."
    required: tuple[float, ...]
    "Agents."
    goal: Goal
    patience: float | None = None
    "Mean seconds until callers give up; None: never."


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that the roster breaks."""

    code: str
    agent: str | None
    day: date | None
    text: str


@dataclass(frozen=True, slots=True)
class Like:
    """A queue without a history of its own: so much of what another one has."""

    queue: str
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """What a plan is asked for."""

    name: str
    first: date
    weeks: int
    queues: tuple[str, ...]
    goal: Goal | None = None
    "Of all its queues; None: each queue's own service level."
    level: float = 0.8
    "Quantile of the demand that is staffed for."
    step: int = 1800
    "Seconds of an interval."
    seconds: float = 60.0
    "To look for a better roster."
    source: Literal["records", "typed"] = "records"
    per_hour: dict[str, dict[str, tuple[tuple[int, int, float], ...]]] = field(default_factory=dict)
    "Typed: queue → weekday (`mon` to `sun`) → (from, to, contacts an hour)."
    handling: dict[str, float] = field(default_factory=dict)
    "Typed: queue → mean seconds of a contact. With records: instead of what they tell."
    patience: dict[str, float] = field(default_factory=dict)
    "Queue → mean seconds until callers give up, instead of what the records tell."
    like: dict[str, Like] = field(default_factory=dict)
    "With records: queues that are planned by analogy."
    special: dict[date, float | str] = field(default_factory=dict)
    """Days unlike others, for all queues: times a usual day's contacts (a campaign: 1.4), or, with records, the kind
    of day that it is; days of the same kind that are past, from which it is learned, stand here too."""


@dataclass(frozen=True, slots=True)
class Opening:
    """When a queue is open."""

    hours: tuple[tuple[Window, ...], ...] | None = None
    "For each weekday, Monday first; None: always."
    holidays: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """What the making job is told: nothing else but the records is looked at."""

    plan: "Plan"
    "Empty but for its head, its request, agents, kinds, rules and weights."
    data: str
    "The data folder, for the records."
    tenant: str
    today: date
    "There; records before it count."
    opening: dict[str, Opening] = field(default_factory=dict)
    goals: dict[str, Goal] = field(default_factory=dict)
    what: str = "make"


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a plan. What is reckoned (`staffed` to `broken`) is kept with what it was reckoned from."""

    head: Head
    request: Request | None = None
    "What was asked for."
    demand: dict[str, Demand] = field(default_factory=dict)
    "By queue, as the others."
    agents: tuple[PlannedAgent, ...] = ()
    kinds: tuple[Kind, ...] = ()
    rules: LabourRules = LabourRules()
    weights: Costs = Costs()
    "What an hour of each thing costs."
    duties: tuple[Duty, ...] = ()
    "By agent, then by day."
    staffed: dict[str, tuple[float, ...]] = field(default_factory=dict)
    "Agents at the phones."
    expected: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    "Service level; None where nobody calls."
    broken: tuple[Broken, ...] = ()
    costs: dict[str, float] = field(default_factory=dict)
    "paid, short, over, wishes, likes, unpopular, total."
    notes: tuple[Trouble, ...] = ()
    "What was left out or taken for granted."


@dataclass(frozen=True, slots=True)
class Edited:
    """What changes by hand come to."""

    plan: Plan
    changed: tuple[Duty, ...]
    "Duties that are new or otherwise than before."
    removed: tuple[str, ...]
    anew: tuple[Broken, ...]
    "Rules that weren't broken before."


@dataclass(frozen=True, slots=True)
class Moment:
    """From when to when, unix seconds."""

    start: float
    end: float
    what: str = ""
    "Queue of a stretch, name of an activity, `paid` or `unpaid` of a break."


@dataclass(frozen=True, slots=True)
class AbsoluteDuty:
    """A published duty in time itself."""

    plan: str
    id: str
    agent: str
    date: date
    shift: str
    start: float
    "Unix seconds, like all below."
    end: float
    stretches: tuple[Moment, ...]
    breaks: tuple[Moment, ...]
    activities: tuple[Moment, ...]


def absolute(head: Head, duty: Duty) -> AbsoluteDuty:
    day = head.index(duty.day)

    def at(minute: int) -> float:
        return head.moment(day, minute).timestamp()

    return AbsoluteDuty(
        head.id,
        duty.id,
        duty.agent,
        duty.day,
        duty.shift,
        at(duty.start),
        at(duty.end),
        tuple(Moment(at(one.start), at(one.end), one.queue) for one in duty.stretches),
        tuple(Moment(at(one.start), at(one.end), "paid" if one.paid else "unpaid") for one in duty.breaks),
        tuple(Moment(at(one.start), at(one.end), one.what) for one in duty.activities),
    )


def planned(person: Person, name: str, queues: tuple[str, ...], first: date, days: int) -> PlannedAgent:
    """The contract as a plan of these days needs it."""
    span = [first + timedelta(one) for one in range(days)]
    return PlannedAgent(
        person.agent,
        name,
        queues,
        person.hours,
        person.available,
        person.shifts,
        tuple(day for day in sorted(set(person.wishes)) if first <= day <= span[-1]),
        tuple(day for day in span if person.away(day)),
        person.wage,
        person.likes,
        tuple(one for one in person.activities if first <= one.day <= span[-1]),
    )


def next_id(duties: tuple[Duty, ...]) -> int:
    """The number of the next new duty: ids are d1, d2, … and never used twice while the last one stands."""
    numbers = [int(one.id[1:]) for one in duties if one.id[:1] == "d" and one.id[1:].isdecimal()]
    return max(numbers, default=0) + 1


T = TypeVar("T")


def encode(value: Any) -> bytes:
    return msgspec.json.encode(value)


def decode(text: bytes | str, of: type[T]) -> T:
    """Raises msgspec.DecodeError."""
    return msgspec.json.decode(text, type=of)


def plain(value: Any) -> Any:
    """As JSON would have it: dicts, lists, texts and numbers."""
    return msgspec.to_builtins(value)


def from_plain(value: Any, of: type[T]) -> T:
    """The reverse of `plain`. Raises msgspec.ValidationError, with the place in it."""
    return msgspec.convert(value, of)


def with_head(plan: Plan, **changes: Any) -> Plan:
    return replace(plan, head=replace(plan.head, **changes))


def by_agent(duties: tuple[Duty, ...]) -> Mapping[str, list[Duty]]:
    found: dict[str, list[Duty]] = {}
    for one in duties:
        found.setdefault(one.agent, []).append(one)
    return found
