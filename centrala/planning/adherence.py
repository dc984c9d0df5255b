"""Who is where the roster says: each agent now, and the day so far, from the published plan and the ledger's states.

    day = [Piece(begin, end, "work"), Piece(begin, end, "break"), …]       # pieces_of(duty)
    was = [Stay(at, "ready"), Stay(later, "not_ready:lunch"), …]           # as `attendance` reads them
    stand("ann", day, was, now).text
    # "Planned at the phones since 14:00; in pause (lunch) for 12 min."

Pure. Minutes are counted as `centrala.workforce.roster.adherence` counts them; activities (training, meetings) are to
be kept like breaks: not at the phones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Literal

from centrala.planning.values import AbsoluteDuty

Kind = Literal["work", "break", "activity", "off"]

WORKING = frozenset({"on_contact", "held", "offered", "wrap_up", "ready"})
"States of an agent that are work at the phones."
GRACE = 180.0
"Seconds out of the plan that count as in it: clocks, the way to the kitchen, a call that ends late."

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """A part of an agent's day, in unix seconds."""

    begin: float
    end: float
    kind: Kind
    what: str = ""
    "Of an activity: training, meeting …; of work: the queue; of a break that isn't paid: unpaid."


@dataclass(frozen=True, slots=True)
class Stay:
    """From this moment on the agent was in this state."""

    at: float
    state: str
    "As AgentTime has it: ready, on_contact, not_ready:REASON …"


@dataclass(frozen=True, slots=True)
class Today:
    """The day so far, in seconds."""

    planned: float
    "Within shifts, breaks and activities included."
    within: float
    "As planned: at work when work was planned, not at the phones otherwise. Up to the grace counts as in the plan."
    missing: float
    "Not at work when work was planned."
    through: float
    "At the phones in a planned break or activity."
    extra: float
    "At work outside of shifts."

    @property
    def adherence(self) -> float | None:
        """Share of the planned time that went as planned; None before a shift has begun."""
        return self.within / self.planned if self.planned > 0 else None


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """Of the paid time that was planned: where it went, in seconds."""

    paid: float = 0.0
    breaks: float = 0.0
    "Paid breaks, as planned."
    activities: float = 0.0
    "Trainings and meetings, as planned."
    absent: float = 0.0
    "Shifts that nobody came to."
    away: float = 0.0
    "Other planned work without work."

    @property
    def share(self) -> float | None:
        """Of the paid time, that in which nobody was at the phones; None without a plan."""
        lost = self.breaks + self.activities + self.absent + self.away
        return lost / self.paid if self.paid > 0 else None

    def __add__(self, other: "Shrinkage") -> "Shrinkage":
        return Shrinkage(
            self.paid + other.paid,
            self.breaks + other.breaks,
            self.activities + other.activities,
            self.absent + other.absent,
            self.away + other.away,
        )


@dataclass(frozen=True, slots=True)
class Stand:
    """One agent now."""

    agent: str
    planned: Kind
    what: str
    "Of a planned activity."
    since: float | None
    "When what is planned now began; None for off."
    until: float | None
    "When it ends (off: when the next shift begins); None where nothing follows today."
    state: str
    state_since: float | None
    fits: bool
    "Out of the plan for at most the grace still fits."
    out_since: float | None
    "Out of the plan since then, within the grace too; None in the plan."
    today: Today
    text: str
    "One sentence, in English."


def pieces_of(duty: AbsoluteDuty) -> list[Piece]:
    return [
        *(Piece(one.start, one.end, "work", one.what) for one in duty.stretches),
        *(
            Piece(one.start, one.end, "break", one.what if one.what == "unpaid" else "")
            for one in duty.breaks
        ),
        *(Piece(one.start, one.end, "activity", one.what) for one in duty.activities),
    ]


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Sorted; neighbours that are the same made one. Pieces don't overlap."""
    found: list[Piece] = []
    for one in sorted(pieces):
        last = found[-1] if found else None
        if one.end <= one.begin:
            continue
        if last is not None and one.begin <= last.end and (last.kind, last.what) == (one.kind, one.what):
            found[-1] = Piece(last.begin, max(last.end, one.end), last.kind, last.what)
        else:
            found.append(one)
    return found


def stand(
    agent: str,
    pieces: Sequence[Piece],
    stays: Sequence[Stay],
    now: float,
    *,
    zone: tzinfo | None = None,
    grace: float = GRACE,
) -> Stand:
    """Where the agent should be and is. `pieces` of the days that matter now, `stays` ascending in time."""
    day = joined(
        Piece(one.begin, one.end, one.kind, one.what if one.kind == "activity" else "") for one in pieces
    )
    here = next((one for one in day if one.begin <= now < one.end), None)
    planned: Kind = here.kind if here is not None else "off"
    following = next((one.begin for one in day if one.begin > now), None)
    last = stays[-1] if stays else None
    state = last.state if last is not None else "logged_out"
    at_work = working(stays, now)
    out = _out_since(day, at_work, now)
    fits = out is None or now - out <= grace
    return Stand(
        agent,
        planned,
        here.what if here is not None else "",
        here.begin if here is not None else None,
        here.end if here is not None else following,
        state,
        last.at if last is not None else None,
        fits,
        out,
        _today(day, at_work, now, grace),
        _sentence(here, following, state, last.at if last is not None else None, now, zone),
    )


def _out_since(day: Sequence[Piece], at_work: Sequence[Span], now: float) -> float | None:
    """The beginning of the stretch, up to now, in which plan and state differ."""
    due = _merged([(one.begin, one.end) for one in day if one.kind == "work"])
    edges = sorted({now, *(at for span in (*due, *at_work) for at in span if at < now)})
    since: float | None = None
    for begin, end in pairwise(edges):
        middle = (begin + end) / 2
        differs = _in(due, middle) != _in(at_work, middle)
        if not differs:
            since = None
        elif since is None:
            since = begin
    if _in(due, now) == _in(at_work, now, closed=True):
        return None
    return now if since is None else since


def _today(day: Sequence[Piece], at_work: Sequence[Span], now: float, grace: float) -> Today:
    shift = both(_merged([(one.begin, one.end) for one in day]), [(float("-inf"), now)])
    due = both(_merged([(one.begin, one.end) for one in day if one.kind == "work"]), shift)
    rest = both(_merged([(one.begin, one.end) for one in day if one.kind != "work"]), shift)
    gone = [one for one in without(due, at_work) if one[1] - one[0] > grace]
    over = [one for one in both(rest, at_work) if one[1] - one[0] > grace]
    planned = _length(shift)
    return Today(
        planned,
        planned - _length(gone) - _length(over),
        _length(gone),
        _length(over),
        _length(without(at_work, shift)),
    )


def shrunk(duty: Sequence[Piece], stays: Sequence[Stay], now: float) -> Shrinkage:
    """Of one duty so far, as `centrala.workforce.roster.shrinkage` counts it; `duty` are its pieces."""
    there = working(stays, now)

    def of(*kinds: Kind) -> list[Span]:
        some = [(one.begin, one.end) for one in duty if one.kind in kinds and one.what != "unpaid"]
        return both(_merged(some), [(float("-inf"), now)])

    due, breaks, activities = _length(of("work")), _length(of("break")), _length(of("activity"))
    paid = due + breaks + activities
    whole = both([(one.begin, one.end) for one in duty], [(float("-inf"), now)])
    if not both(whole, there):
        return Shrinkage(paid, absent=paid)
    return Shrinkage(paid, breaks, activities, 0.0, due - _length(both(of("work"), there)))


def working(stays: Sequence[Stay], now: float) -> list[Span]:
    """When the agent was at the phones until now."""
    spans = []
    for index, one in enumerate(stays):
        end = stays[index + 1].at if index + 1 < len(stays) else now
        if one.state.partition(":")[0] in WORKING and min(end, now) > one.at:
            spans.append((one.at, min(end, now)))
    return _merged(spans)


# --- one sentence ---

_STATES = {
    "on_contact": "in a conversation",
    "held": "in a conversation",
    "offered": "being rung",
    "wrap_up": "in after-call work",
    "ready": "ready",
    "resting": "resting after a missed call",
    "unreachable": "without a phone",
    "logged_out": "signed out",
    "not_ready": "in pause",
}


def _sentence(
    here: Piece | None,
    following: float | None,
    state: str,
    since: float | None,
    now: float,
    zone: tzinfo | None,
) -> str:
    if here is None:
        plan = "Not planned now" if following is None else f"Not planned until {_clock(following, zone)}"
    else:
        where = {"work": "at the phones", "break": "in a break"}.get(
            here.kind, f"for {here.what or 'an activity'}"
        )
        plan = f"Planned {where} since {_clock(here.begin, zone)}"
    kind, _, reason = state.partition(":")
    said = _STATES.get(kind, kind) + (f" ({reason})" if reason else "")
    ago = f" for {_ago(now - since)}" if since is not None else ""
    return f"{plan}; {said}{ago}."


def _clock(at: float, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%H:%M")


def _ago(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


# --- stretches of time ---


def _merged(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def both(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Where both are."""
    return _merged(
        (max(begin, low), min(end, high))
        for begin, end in one
        for low, high in other
        if min(end, high) > max(begin, low)
    )


def without(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Where the one is and not the other."""
    found: list[Span] = []
    for begin, end in one:
        at = begin
        for low, high in both([(begin, end)], other):
            if low > at:
                found.append((at, low))
            at = high
        if end > at:
            found.append((at, end))
    return found


def _in(spans: Sequence[Span], at: float, *, closed: bool = False) -> bool:
    return any(begin <= at < end or (closed and at == end) for begin, end in spans)


def _length(spans: Iterable[Span]) -> float:
    return sum(end - begin for begin, end in spans)
