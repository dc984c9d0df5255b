"""What a roster is made for and what it is: plain values, looked at once.

Times are whole minutes: of a day from its midnight, of a shift from its start. Days are counted from 0, the
first one a Monday. Cover is counted in agents: who works 15 of an interval's 30 minutes is half of one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from centrala.workforce.checks import Floats, not_negative, whole
from centrala.workforce.errors import BadInput, NotModelled, WorkforceError

DAY = 1440
MOST_WEEKS = 14
Window = tuple[int, int]
"From and to, minutes of the day; beyond 1440 is the next day."


@dataclass(frozen=True, slots=True)
class Break:
    """A pause within a shift, begun at the start of an interval."""

    minutes: int
    earliest: int
    "Minutes after the start of the shift before which it may not begin."
    latest: int
    "Minutes after the start of the shift after which it may not begin."
    paid: bool = True


@dataclass(frozen=True, slots=True)
class Shift:
    """A kind of shift: one length, several starts, its breaks in their order."""

    name: str
    minutes: int
    "From start to end, breaks included."
    starts: tuple[int, ...]
    "Minutes of the day."
    breaks: tuple[Break, ...] = ()

    @property
    def paid(self) -> int:
        """Paid minutes."""
        return self.minutes - sum(one.minutes for one in self.breaks if not one.paid)


@dataclass(frozen=True, slots=True)
class Past:
    """What an agent brings along from before the first day."""

    days_in_row: int = 0
    "Days worked up to the day before the first one, without a day off."
    ended: int | None = None
    "Minutes before the first midnight at which the last shift ended; None: long ago."
    weekends: int = 0
    "Weekends in a row, up to the last one, that weren't wholly free."
    burden: float = 0.0
    "Unpopular shifts of the months before, as the house counts them."


@dataclass(frozen=True, slots=True)
class Agent:
    """Who may work when, for how long, at what."""

    name: str
    groups: tuple[str, ...]
    "Groups of demand that the agent can serve."
    hours: float = 40.0
    "Of the contract, a week."
    shifts: tuple[str, ...] | None = None
    "Names of the shifts that may be given; None: all."
    available: tuple[Window | None, ...] = ()
    """For each weekday (7, Monday first) or each day: when a shift must lie within, None for never. Empty: always."""
    absent: frozenset[int] = frozenset()
    "Days off that are approved or can't be helped; each counts as a fifth of the week's hours, five at most."
    credit: Mapping[int, float] = field(default_factory=dict)
    "Hours that an absent day counts as instead: what was planned when somebody fell ill."
    wishes: frozenset[int] = frozenset()
    "Days wished off."
    likes: Window | None = None
    "Hours of the day that shifts should lie within."
    wage: float = 1.0
    "Against the others'."
    past: Past = Past()
    fixed: Mapping[int, tuple[str, int] | None] = field(default_factory=dict)
    "Days already settled: the shift's name and its start, or None for free."


@dataclass(frozen=True, slots=True)
class Rules:
    """Of law and contract; none of them is ever broken."""

    rest: int = 660
    "Least minutes between two shifts."
    most_days: int = 6
    "Days in a row on which shifts begin."
    tolerance: float = 2.0
    "Hours a week that may be less or more than the contract says."
    weekly_rest: int = 2100
    """Least minutes of one free stretch each week; it counts for the weeks of the days in it on which no shift begins.
    After the last day the earliest shift may follow. 0: no such rule."""
    weekend_every: int = 0
    "Of so many weekends in a row one is free: no shift begins on its Saturday or Sunday. 0 or 1: no such rule."

    @property
    def weekends(self) -> int:
        return self.weekend_every if self.weekend_every > 1 else 0


@dataclass(frozen=True, slots=True)
class Costs:
    """What counts, in hours' pay."""

    paid_hour: float = 1.0
    "Times the agent's wage."
    short_hour: float = 3.0
    "An agent missing for an hour."
    deep: float = 0.2
    "Share of the demand beyond which missing is worse."
    deep_hour: float = 5.0
    "An agent missing for an hour beyond it."
    spare_hour: float = 0.5
    "An agent too many for an hour."
    wish: float = 4.0
    "A shift on a day wished off."
    outside_hour: float = 0.25
    "An hour of a shift outside of what the agent likes."
    unpopular: float = 0.5
    "A shift at the weekend or late, for somebody who had as many as the others before."
    late: int = 1260
    "A shift that ends after this minute of its day is late."


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What a roster is asked for. Raises BadInput and NotModelled for what can't be meant."""

    first: date
    "A Monday."
    weeks: int
    minutes: int
    "Of an interval; divides the day."
    groups: tuple[str, ...]
    demand: Floats
    "Groups x intervals: agents needed."
    shifts: tuple[Shift, ...]
    agents: tuple[Agent, ...]
    rules: Rules = Rules()
    costs: Costs = Costs()

    def __post_init__(self) -> None:
        _look(self)

    @property
    def days(self) -> int:
        return 7 * self.weeks

    @property
    def per_day(self) -> int:
        "Intervals of a day."
        return DAY // self.minutes

    def day(self, index: int) -> date:
        return self.first + timedelta(index)

    def due(self, agent: Agent, week: int) -> tuple[float, float]:
        """Least and most hours that the agent works in a week, absences taken off."""
        away = [day for day in agent.absent if day // 7 == week]
        usual = min(5, sum(1 for day in away if day not in agent.credit)) * agent.hours / 5
        hours = max(0.0, agent.hours - usual - sum(agent.credit.get(day, 0.0) for day in away))
        return max(0.0, hours - self.rules.tolerance), hours + self.rules.tolerance

    def window(self, agent: Agent, day: int) -> Window | None:
        """When a shift of that day must lie within; None: no shift."""
        if day in agent.absent:
            return None
        if not agent.available:
            return (0, 2 * DAY)
        return agent.available[day if len(agent.available) == self.days else day % 7]

    def burden(self, agent: Agent) -> float:
        """What an unpopular shift costs for this agent: more for whoever had more of them before."""
        mean = sum(one.past.burden for one in self.agents) / len(self.agents)
        return self.costs.unpopular * max(0.0, 1 + (agent.past.burden - mean) / max(1.0, mean))

    def wanted(self, agent: Agent, day: int, shift: Shift, start: int) -> dict[str, float]:
        """What a shift costs apart from cover, by reason."""
        costs, end = self.costs, start + shift.minutes
        outside = 0
        if agent.likes is not None:
            outside = max(0, agent.likes[0] - start) + max(0, end - agent.likes[1])
        return {
            "paid": costs.paid_hour * agent.wage * shift.paid / 60,
            "wishes": costs.wish if day in agent.wishes else 0.0,
            "likes": costs.outside_hour * min(outside, shift.minutes) / 60,
            "unpopular": self.burden(agent) if day % 7 >= 5 or end > costs.late else 0.0,
        }


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a shift at one group of demand."""

    begin: int
    "Minute of the day that the shift begins on."
    end: int
    group: str


@dataclass(frozen=True, slots=True)
class Duty:
    """One shift of one agent."""

    agent: str
    day: int
    shift: str
    start: int
    "Minute of the day."
    end: int
    "Minute of the same day, above 1440 when it ends on the next."
    breaks: tuple[Window, ...]
    work: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """Shifts, what they cost and what they can't cost less than."""

    duties: tuple[Duty, ...]
    "By agent, then by day."
    cost: float
    bound: float
    "No roster for the problem costs less: proven."
    parts: Mapping[str, float]
    "The cost by reason: paid, short, spare, wishes, likes, unpopular."
    constant: float
    "Pay for the least hours of the contracts: part of every roster's cost."
    seconds: float
    "Time it took."

    @property
    def gap(self) -> float:
        """Share of the cost that a better roster could save at most."""
        return max(0.0, self.cost - self.bound) / self.cost if self.cost > 0 else 0.0

    @property
    def gap_of_rest(self) -> float:
        """The same without what every roster pays."""
        rest = self.cost - self.constant
        return max(0.0, self.cost - self.bound) / rest if rest > 1e-9 else 0.0

    def of(self, agent: str) -> dict[int, Duty]:
        """By day."""
        return {duty.day: duty for duty in self.duties if duty.agent == agent}

    def rows(self, problem: Problem) -> list[dict[str, Any]]:
        """One a shift, as CSV and JSON have them."""
        return [
            {
                "agent": duty.agent,
                "day": str(problem.day(duty.day)),
                "shift": duty.shift,
                "start": clock(duty.start),
                "end": clock(duty.end),
                "breaks": " ".join(f"{clock(begin)}-{clock(end)}" for begin, end in duty.breaks),
                "work": " ".join(f"{clock(one.begin)}-{clock(one.end)} {one.group}" for one in duty.work),
            }
            for duty in self.duties
        ]


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a roster breaks."""

    code: str
    text: str
    agent: str | None = None
    day: int | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


@dataclass(frozen=True, slots=True)
class Collision:
    """A smallest set of rules that no line of an agent keeps together: without any one of them there is one."""

    agent: str
    codes: tuple[str, ...]
    text: str
    week: int | None = None
    "Where it can be narrowed down to one."

    def __str__(self) -> str:
        return self.text


class NoRoster(WorkforceError):
    """No roster keeps all rules; `collisions` says for each agent concerned which ones don't go together."""

    def __init__(self, collisions: tuple[Collision, ...]) -> None:
        more = f" (and {len(collisions) - 3} more agents)" if len(collisions) > 3 else ""
        super().__init__("; ".join(str(one) for one in collisions[:3]) + more)
        self.collisions = collisions


def clock(minute: int) -> str:
    """07:30; 26:00 is two in the morning of the next day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _look(problem: Problem) -> None:
    whole("weeks", problem.weeks, 1)
    if problem.weeks > MOST_WEEKS:
        raise BadInput(f"weeks: {problem.weeks} are more than the {MOST_WEEKS} that a roster may have")
    if problem.first.weekday() != 0:
        raise BadInput(f"first: {problem.first} is no Monday")
    whole("minutes", problem.minutes, 5)
    if DAY % problem.minutes:
        raise BadInput(f"minutes: intervals of {problem.minutes} don't divide the day")
    if not problem.groups or len(set(problem.groups)) != len(problem.groups):
        raise BadInput("groups: name each group of demand once, one at least")
    demand = not_negative("demand", problem.demand)
    shape = (len(problem.groups), problem.days * problem.per_day)
    if demand.shape != shape:
        raise BadInput(f"demand: is {demand.shape}, must be groups x intervals, {shape}")
    object.__setattr__(problem, "demand", demand)
    if not problem.shifts:
        raise BadInput("shifts: there is none to give")
    if not problem.agents:
        raise BadInput("agents: there is nobody to give a shift to")
    _look_rules(problem.rules, problem.costs)
    for shift in problem.shifts:
        _look_shift(problem, shift)
    for what, names in (
        ("shift", [one.name for one in problem.shifts]),
        ("agent", [one.name for one in problem.agents]),
    ):
        twice = (
            next((name for i, name in enumerate(names) if name in names[:i]), None)
            if len(set(names)) < len(names)
            else None
        )
        if twice is not None:
            raise BadInput(f"{what}s: {twice!r} is there twice")
    shifts = {one.name: one for one in problem.shifts}
    for agent in problem.agents:
        _look_agent(problem, agent, shifts)
    last = max(start + shift.minutes for shift in problem.shifts for start in shift.starts)
    if last + problem.rules.rest > 2 * DAY:
        raise NotModelled(
            f"a shift may end at {clock(last)}; with {problem.rules.rest} minutes of rest the next day but one would "
            "be closed, which isn't modelled"
        )
    if problem.rules.weekly_rest > 3 * DAY - last:
        raise NotModelled(
            f"weekly_rest: {problem.rules.weekly_rest} minutes after {clock(last)} need more than two free days, which "
            "isn't modelled"
        )


def _look_rules(rules: Rules, costs: Costs) -> None:
    whole("rest", rules.rest, 0)
    whole("most_days", rules.most_days, 1)
    whole("weekly_rest", rules.weekly_rest, 0)
    whole("weekend_every", rules.weekend_every, 0)
    not_negative("tolerance", rules.tolerance)
    for name in ("paid_hour", "short_hour", "deep_hour", "spare_hour", "wish", "outside_hour", "unpopular"):
        not_negative(name, getattr(costs, name))
    if costs.deep_hour < costs.short_hour:
        raise BadInput("deep_hour: a deep shortage can't be cheaper than a slight one (short_hour)")
    if not 0 <= costs.deep <= 1:
        raise BadInput(f"deep: {costs.deep} is a share, from 0 to 1")


def _look_shift(problem: Problem, shift: Shift) -> None:
    step, name = problem.minutes, f"shift {shift.name}"
    whole(f"{name}, minutes", shift.minutes, 1)
    if shift.minutes % step or shift.minutes > DAY:
        raise BadInput(f"{name}: {shift.minutes} minutes must be whole intervals of {step}, a day at most")
    if not shift.starts or len(set(shift.starts)) < len(shift.starts):
        raise BadInput(f"{name}: give each start once, one at least")
    for start in shift.starts:
        if start % step or not 0 <= start < DAY:
            raise BadInput(f"{name}: the start {start} must be a multiple of {step} within the day")
    free = 0
    for pause in shift.breaks:
        whole(f"{name}, break", pause.minutes, 1)
        if pause.earliest % step or pause.latest % step or pause.latest < pause.earliest:
            raise BadInput(
                f"{name}: a break begins from {pause.earliest} to {pause.latest}, multiples of {step}"
            )
        if pause.earliest < free:
            raise BadInput(
                f"{name}: a break from {pause.earliest} on may meet the one before it, which ends at {free}"
            )
        free = pause.latest + step * math.ceil(pause.minutes / step)
    if free > shift.minutes:
        raise BadInput(f"{name}: a break may end at {free}, after the shift")
    if shift.paid <= 0:
        raise BadInput(f"{name}: nothing of it is paid")


def _look_agent(problem: Problem, agent: Agent, shifts: Mapping[str, Shift]) -> None:
    name = f"agent {agent.name}"
    not_negative(f"{name}, hours", agent.hours)
    not_negative(f"{name}, wage", agent.wage)
    not_negative(f"{name}, burden", agent.past.burden)
    if agent.hours > 168:
        raise BadInput(f"{name}: {agent.hours:g} hours are more than a week has")
    if (
        not agent.groups
        or set(agent.groups) - set(problem.groups)
        or len(set(agent.groups)) < len(agent.groups)
    ):
        raise BadInput(
            f"{name}: groups {list(agent.groups)} must be some of {list(problem.groups)}, each once"
        )
    unknown = sorted(set(agent.shifts or ()) - set(shifts))
    if unknown or agent.shifts == ():
        raise BadInput(
            f"{name}: there is no shift {unknown[0]!r}" if unknown else f"{name}: may work no shift"
        )
    if len(agent.available) not in (0, 7, problem.days):
        raise BadInput(
            f"{name}: available for {len(agent.available)} days; give 7 weekdays or all {problem.days}"
        )
    for window in (*agent.available, agent.likes):
        if window is not None and not 0 <= window[0] <= window[1] <= 2 * DAY:
            raise BadInput(f"{name}: {window} is no stretch of a day")
    for what, days in (("absent", agent.absent), ("wishes", agent.wishes), ("fixed", agent.fixed),
                       ("credit", agent.credit)):  # fmt: skip
        wrong = [day for day in days if not 0 <= day < problem.days]
        if wrong:
            raise BadInput(f"{name}: {what} on day {wrong[0]}, there are 0 to {problem.days - 1}")
    for day, settled in agent.fixed.items():
        if settled is not None and (settled[0] not in shifts or settled[1] not in shifts[settled[0]].starts):
            raise BadInput(f"{name}: the shift fixed on day {day} is none that there is")
    for hours in agent.credit.values():
        not_negative(f"{name}, credit", hours)
    past = agent.past
    whole(f"{name}, days_in_row", past.days_in_row, 0)
    whole(f"{name}, weekends", past.weekends, 0)
    if past.ended is not None and past.ended < -DAY + 1:
        raise BadInput(f"{name}: the last shift before the first day can't end after it")
    if past.days_in_row and past.ended is None:
        raise BadInput(f"{name}: worked the day before the first one; say when that ended (ended)")
