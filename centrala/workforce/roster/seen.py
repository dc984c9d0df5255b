"""Plan and day: who was at work when the roster said so, and what was lost on the way.

seen = [Seen.of(problem, "agent 7", began, ended, "ready"), …]      # as the ledger has them
adherence(roster.duties, seen)["agent 7"].adherence
shrinkage(problem, roster.duties, seen).share
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import pairwise

from centrala.workforce.errors import BadInput
from centrala.workforce.roster.model import DAY, Duty, Problem

WORKING = frozenset({"on_contact", "held", "offered", "wrap_up", "ready"})
"States of an agent that are work; what is left (resting, unreachable, not_ready:lunch …) is not."
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """An agent was in a state from one moment to another."""

    agent: str
    begin: float
    "Minutes since the midnight that the roster begins with."
    end: float
    state: str

    @classmethod
    def of(cls, problem: Problem, agent: str, begin: datetime, end: datetime, state: str) -> "Seen":
        """From moments of the roster's wall clock. Raises BadInput for one with a time zone beside one without."""
        midnight = datetime.combine(problem.first, time(), begin.tzinfo)
        try:
            return cls(
                agent, (begin - midnight).total_seconds() / 60, (end - midnight).total_seconds() / 60, state
            )
        except TypeError:
            raise BadInput("states: one time has a time zone, the other hasn't") from None


@dataclass(frozen=True, slots=True)
class Adherence:
    """One agent against the plan, in minutes."""

    planned: float
    "Within shifts, breaks included."
    planned_work: float
    worked: float
    "At work, whenever."
    within: float
    "In schedule: at work when work was planned, not at work in the breaks."
    missing: float
    "Not at work when work was planned."
    through_breaks: float
    "At work in planned breaks."
    extra: float
    "At work outside of shifts."
    late: float
    "Minutes late at the starts of shifts, summed; shifts that nobody came to aren't in it."
    early: float
    "Minutes gone before the ends."
    absent: int
    "Shifts with no work at all."

    @property
    def out(self) -> float:
        """Minutes out of schedule, within shifts."""
        return self.planned - self.within

    @property
    def adherence(self) -> float:
        """Share of the planned minutes that went as planned; NaN without a plan."""
        return self.within / self.planned if self.planned else math.nan

    @property
    def conformance(self) -> float:
        """Minutes worked over minutes of work planned, whenever they were; may pass 1."""
        return self.worked / self.planned_work if self.planned_work else math.nan


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """Of the paid minutes that were planned: where they went."""

    paid: float
    breaks: float
    "Paid breaks, as planned."
    absent: float
    "Shifts that nobody came to."
    away: float
    "Other minutes of planned work without work."

    @property
    def share(self) -> float:
        """Of the paid minutes, those in which nobody was at work; NaN without a plan."""
        return (self.breaks + self.absent + self.away) / self.paid if self.paid else math.nan


def adherence(
    planned: Iterable[Duty],
    states: Iterable[Seen],
    *,
    until: float = math.inf,
    grace: float = 0.0,
    working: frozenset[str] = WORKING,
) -> dict[str, Adherence]:
    """By agent, of everybody who is planned or seen. `until` (minutes) cuts both: adherence of the day so far.

    Stretches out of schedule of at most `grace` minutes count as in schedule. Raises BadInput for states that end
    before they begin, or an agent in two states at once.
    """
    if not grace >= 0:
        raise BadInput(f"grace: {grace} must be 0 or more minutes")
    duties: dict[str, list[Duty]] = defaultdict(list)
    for duty in planned:
        duties[duty.agent].append(duty)
    at_work = _at_work(states, until, working)
    return {
        agent: _one(duties.get(agent, []), at_work.get(agent, []), until, grace)
        for agent in sorted(duties.keys() | at_work.keys())
    }


def shrinkage(
    problem: Problem, planned: Iterable[Duty], states: Iterable[Seen], *, working: frozenset[str] = WORKING
) -> Shrinkage:
    """Measured over all that was planned. Raises BadInput as `adherence` does."""
    at_work = _at_work(states, math.inf, working)
    paid_of = {shift.name: [one.paid for one in shift.breaks] for shift in problem.shifts}
    paid = breaks = absent = away = 0.0
    for duty in planned:
        if duty.shift not in paid_of:
            raise BadInput(f"shrinkage: there is no shift {duty.shift!r}")
        shift, pauses, work = _spans(duty)
        done = at_work.get(duty.agent, [])
        resting = sum(
            end - begin for (begin, end), is_paid in zip(pauses, paid_of[duty.shift], strict=False) if is_paid
        )
        due = _length(work)
        paid += due + resting
        there = _length(_both(work, done))
        if _length(_both([shift], done)) == 0:
            absent += due + resting
        else:
            breaks += resting
            away += due - there
    return Shrinkage(paid, breaks, absent, away)


def _one(duties: Sequence[Duty], done: Sequence[Span], until: float, grace: float) -> Adherence:
    planned = planned_work = within = missing = through = late = early = 0.0
    absent = 0
    inside = 0.0
    for duty in duties:
        shift, pauses, work = _spans(duty)
        cut = _both([shift], [(-math.inf, until)])
        if not cut:
            continue
        work, pauses = _both(work, cut), _both(pauses, cut)
        shift = cut[0]
        there = _both([shift], done)
        inside += _length(there)
        planned += shift[1] - shift[0]
        planned_work += _length(work)
        gone = [one for one in _without(work, there) if one[1] - one[0] > grace]
        over = [one for one in _both(pauses, there) if one[1] - one[0] > grace]
        missing += _length(gone)
        through += _length(over)
        within += shift[1] - shift[0] - _length(gone) - _length(over)
        if not there:
            absent += bool(work)
            continue
        late += max(0.0, there[0][0] - shift[0])
        if duty.day * DAY + duty.end <= until:
            early += max(0.0, shift[1] - there[-1][1])
    worked = _length(done)
    return Adherence(
        planned, planned_work, worked, within, missing, through, worked - inside, late, early, absent
    )


def _spans(duty: Duty) -> tuple[Span, list[Span], list[Span]]:
    """Shift, breaks, work, in minutes since the first midnight."""
    zero = duty.day * DAY
    return (
        (zero + duty.start, zero + duty.end),
        [(zero + begin, zero + end) for begin, end in duty.breaks],
        _joined([(zero + one.begin, zero + one.end) for one in duty.work]),
    )


def _at_work(states: Iterable[Seen], until: float, working: frozenset[str]) -> Mapping[str, list[Span]]:
    by_agent: dict[str, list[Seen]] = defaultdict(list)
    for one in states:
        if not (math.isfinite(one.begin) and math.isfinite(one.end) and one.begin <= one.end):
            raise BadInput(f"states: an agent was {one.state} from minute {one.begin:g} to {one.end:g}")
        by_agent[one.agent].append(one)
    found: dict[str, list[Span]] = {}
    for agent, spans in by_agent.items():
        spans.sort(key=lambda one: (one.begin, one.end))
        for before, after in pairwise(spans):
            if after.begin < before.end - 1e-9:
                raise BadInput(
                    f"states: an agent was {before.state} and {after.state} at once, from minute {after.begin:g} on"
                )
        found[agent] = _joined(
            [(one.begin, min(one.end, until)) for one in spans if one.state in working and one.begin < until]
        )
    return found


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Sorted spans, those that touch made one."""
    found: list[Span] = []
    for begin, end in spans:
        if end <= begin:
            continue
        if found and begin <= found[-1][1] + 1e-9:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _both(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Where both are; each sorted and apart."""
    found = []
    j = 0
    for begin, end in one:
        while j < len(other) and other[j][1] <= begin:
            j += 1
        k = j
        while k < len(other) and other[k][0] < end:
            low, high = max(begin, other[k][0]), min(end, other[k][1])
            if high > low:
                found.append((low, high))
            k += 1
    return found


def _without(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    found = []
    for begin, end in one:
        at = begin
        for low, high in _both([(begin, end)], other):
            if low > at:
                found.append((at, low))
            at = high
        if end > at:
            found.append((at, end))
    return found


def _length(spans: Iterable[Span]) -> float:
    return sum(end - begin for begin, end in spans)
