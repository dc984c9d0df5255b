"""The record of a contact: what it is made of, and how it follows from events. Pure; `records` keeps and shows them."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

from centrala.core import events as e
from centrala.ledger import codec
from centrala.ledger.codec import Row

PATH_KEPT = 200


@dataclass(slots=True)
class Segment:
    """One party's part in a contact, in one role. Times in unix seconds."""

    agent: str | None
    "None for somebody outside."
    role: str
    "agent, consult, member, or what a supervisor did: listen, whisper, barge"
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a customer said in a survey."""

    survey: str
    "Id of the flow."
    question: str
    value: float
    scale: str
    "The best and the worst that could be said: 1-5, 0-10, yes/no."
    queue: str | None
    "Where the customer was served before …"
    agent: str | None
    "… and by whom."


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that a recording leaves out, in seconds of its own time line."""

    since: float
    until: float | None
    "None while it lasts."
    why: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """A contact was handed to a higher tier."""

    at: float
    agent: str
    queue: str | None
    "That it came from."
    to: str
    "`queue:ID`, `expert:ID` …"
    tier: int
    reason: str


@dataclass(slots=True)
class Working:
    """What the fold must remember of a contact that isn't settled. Times in unix seconds."""

    talking: float | None = None
    "Since when the caller talks with somebody (or hears the number's music)."
    held: float | None = None
    offers: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    "Leg → (agent, queue)."
    wraps: dict[str, float] = field(default_factory=dict)
    "Agent in wrap-up after it → since."
    asked: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    "Leg that rings to join → (agent, role)."
    legs: dict[str, int] = field(default_factory=dict)
    "Leg that is in → place of its running segment."
    node: tuple[str, str] | None = None
    "(flow, node) where it was last."
    recorded: float | None = None
    "When its recording began: what gaps are counted from."


@dataclass(slots=True)
class Record:
    """A contact so far. Times in unix seconds; sums in seconds."""

    id: str
    tenant: str
    medium: str
    direction: str
    party: str
    dialled: str
    caller: str | None
    "The agent who called, if an agent did."
    arrived_at: float
    queue: str | None = None
    queued_at: float | None = None
    offered_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    talk_s: float = 0.0
    "Of finished stretches, holds included."
    hold_s: float = 0.0
    wrap_up_s: float | None = None
    "Of finished wrap-ups."
    outcome: str | None = None
    agent: str | None = None
    recording: str | None = None
    disposition: str | None = None
    "The result that was given last."
    segments: list[Segment] = field(default_factory=list)
    "Who took part, as what, from when to when: in the order in which they came in."
    estimate_s: float | None = None
    "How long its first wait was expected to last; None where nothing was known, or nobody was asked to wait."
    flow: str | None = None
    "The first that it went through."
    path: list[tuple[str, str, str]] = field(default_factory=list)
    "(flow, node, exit taken there), in order: the first two hundred."
    origin: str | None = None
    "The contact that it follows from: of a callback, of a message that was left."
    waiting_since: float | None = None
    "When its customer began to wait, which for a callback was in the contact before."
    due_at: float | None = None
    "Of a callback: the time that was agreed on last."
    attempts: int = 0
    "Of a callback: how often its customer was rung."
    answers: list[Answer] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    escalations: list[Escalation] = field(default_factory=list)
    working: Working | None = field(default_factory=Working)
    "None once the contact and every wrap-up after it are over."


# --- the fold ---


def fold(records: MutableMapping[str, Record], row: Row) -> Record | None:
    """Take one row into the records of its tenant, by contact id. Gives the record that changed, if one did.

    Rows of any kind may come; what concerns no known contact changes nothing. Raises as `codec.decode` does.
    """
    if row.kind not in FOLDED or row.contact is None:
        return None
    event = codec.decode(row.kind, row.version, row.body, f"Row {row.seq} of tenant {row.tenant}")
    if isinstance(event, e.ContactBegan):
        record = records[event.contact] = _began(row.tenant, event)
        return record
    known = records.get(row.contact)
    if known is not None:
        _take(known, event)
    return known


FOLDED = frozenset(
    f"event.{of.__name__}"
    for of in (
        e.ContactBegan,
        e.Queued,
        e.Overflowed,
        e.OfferMade,
        e.OfferEnded,
        e.Connected,
        e.Reached,
        e.MusicBegan,
        e.FlowEntered,
        e.NodeEntered,
        e.Held,
        e.Resumed,
        e.PartyRung,
        e.PartyAnswered,
        e.RoleChanged,
        e.PartyLeft,
        e.HandedOver,
        e.Released,
        e.ResultNoted,
        e.ContactEnded,
        e.Recorded,
        e.Booked,
        e.CallbackFailed,
        e.Escalated,
        e.Parked,
        e.PickedUp,
        e.Recalled,
        e.RecordingBegan,
        e.RecordingEnded,
        e.RecordingPaused,
        e.RecordingResumed,
        e.InterludeLeft,
        e.SurveyBegan,
        e.SurveyAnswered,
        e.WrapUpBegan,
        e.WrapUpEnded,
    )
)


def _began(tenant: str, event: e.ContactBegan) -> Record:
    record = Record(
        id=event.contact,
        tenant=tenant,
        medium=event.medium,
        direction=event.direction,
        party=event.party or event.contact,
        dialled=event.dialled,
        caller=event.agent,
        arrived_at=event.at,
        # Somebody outside answers an outbound contact; whose contact it is, is the agent who called.
        agent=event.agent if event.direction == "outbound" else None,
        origin=event.origin or None,
        recording=event.message or None,  # of a voicemail
    )
    if event.leg and record.working is not None:
        _comes(record, record.working, event.leg, event.agent, "agent", event.at)
    return record


def _take(record: Record, event: Any) -> None:
    if isinstance(event, e.Recorded):
        record.recording = event.path
        return
    if isinstance(event, e.ResultNoted):
        record.disposition = event.disposition
        return
    working = record.working
    if working is None:
        return
    match event:
        case e.Queued():
            if record.queued_at is None:
                record.queued_at = event.at
                record.estimate_s = event.estimate
                record.waiting_since = event.since
            if record.answered_at is None:
                record.queue = event.queue
        case e.Overflowed():
            if record.answered_at is None:
                record.queue = event.queue
        case e.OfferMade():
            if record.offered_at is None:
                record.offered_at = event.at
            working.offers[event.leg] = (event.agent, event.queue)
        case e.OfferEnded():
            working.offers.pop(event.leg, None)
        case e.Connected():
            agent, queue = working.offers.pop(event.leg, (None, None))
            _talk_over(record, working, event.at)
            if event.record and working.recorded is None:
                working.recorded = event.at
            if record.answered_at is None:
                record.answered_at = event.at
                record.agent = record.agent or agent
                record.queue = queue or record.queue
            working.talking = event.at
            if event.leg == record.id:  # the customer, whom an agent has called
                record.attempts += record.direction == "callback"
            else:
                _comes(record, working, event.leg, agent, "agent", event.at)
        case e.Reached():
            working.offers.pop(event.leg, None)
            if record.direction == "callback":
                record.agent = event.agent
            if event.leg != record.id:
                _comes(record, working, event.leg, event.agent, "agent", event.at)
        case e.PartyRung():
            working.asked[event.leg] = event.agent, event.mode or event.role
        case e.PartyAnswered():
            agent, role = working.asked.pop(event.leg, (None, "member"))
            _comes(record, working, event.leg, agent, role, event.at)
        case e.RoleChanged():
            _goes(record, working, event.leg, event.at)
            if event.leg not in working.asked:
                _comes(record, working, event.leg, event.agent, event.mode or event.role, event.at)
            else:
                working.asked[event.leg] = event.agent, event.mode or event.role
        case e.PartyLeft():
            working.asked.pop(event.leg, None)
            _goes(record, working, event.leg, event.at)
        case e.HandedOver():
            agent, _ = working.asked.pop(event.leg, (None, ""))
            working.offers[event.leg] = agent, None
            _talk_over(record, working, event.at)
            _all_go(record, working, event.at)
        case e.MusicBegan():
            if record.answered_at is None:
                record.answered_at = event.at
            working.talking = event.at
        case e.FlowEntered():
            record.flow = record.flow or event.flow
        case e.NodeEntered():
            if working.node is not None and event.exit and len(record.path) < PATH_KEPT:
                record.path.append((*working.node, event.exit))
            working.node = event.flow, event.node
        case e.Held():
            # In a conference the others go on with the customer: nobody is on hold.
            if not any(record.segments[place].role in ("member", "barge") for place in working.legs.values()):
                working.held = event.at
        case e.Resumed():
            _hold_over(record, working, event.at)
        case e.Released() | e.InterludeLeft() | e.SurveyBegan():
            _talk_over(record, working, event.at)
            _all_go(record, working, event.at)
        case e.Booked():
            _talk_over(record, working, event.at)
            _all_go(record, working, event.at)
            record.queue = event.queue
            record.waiting_since = event.since
            # When it rings a customer again whom it didn't reach, or once it is open, nobody was promised.
            if event.why == "put off" or (event.why in ("asked", "message") and event.due > event.at):
                record.due_at = event.due
        case e.CallbackFailed():
            record.attempts = event.attempt
        case e.Escalated():
            record.escalations.append(
                Escalation(event.at, event.agent, event.queue, event.to, event.tier, event.reason)
            )
        case e.Parked():
            # On hold, for anybody to pick up.
            _all_go(record, working, event.at)
            working.held = event.at if working.held is None else working.held
        case e.PickedUp() | e.Recalled():
            _talk_over(record, working, event.at)
        case e.RecordingBegan():
            if working.recorded is None:
                working.recorded = event.at
            _gap_over(record, working, event.at)
        case e.RecordingEnded():
            _gap(record, working, "off", event.at)
        case e.RecordingPaused():
            _gap(record, working, event.why, event.at)
        case e.RecordingResumed():
            _gap_over(record, working, event.at)
        case e.SurveyAnswered():
            record.answers.append(
                Answer(event.survey, event.question, event.value, event.scale, event.queue, event.agent)
            )
        case e.WrapUpBegan():
            working.wraps[event.agent] = event.at
        case e.WrapUpEnded():
            since = working.wraps.pop(event.agent, None)
            if since is not None:
                record.wrap_up_s = (record.wrap_up_s or 0.0) + max(event.at - since, 0.0)
            _settle(record, working)
        case e.ContactEnded():
            _talk_over(record, working, event.at)
            _all_go(record, working, event.at)
            record.ended_at = event.at
            record.outcome = event.outcome
            _settle(record, working)


def _comes(record: Record, working: Working, leg: str, agent: str | None, role: str, at: float) -> None:
    working.legs[leg] = len(record.segments)
    record.segments.append(Segment(agent, role, at))


def _goes(record: Record, working: Working, leg: str, at: float) -> None:
    place = working.legs.pop(leg, None)
    if place is not None:
        record.segments[place].until = at


def _all_go(record: Record, working: Working, at: float) -> None:
    for leg in list(working.legs):
        _goes(record, working, leg, at)


def _gap(record: Record, working: Working, why: str, at: float) -> None:
    if working.recorded is not None and not (record.gaps and record.gaps[-1].until is None):
        record.gaps.append(Gap(max(at - working.recorded, 0.0), None, why))


def _gap_over(record: Record, working: Working, at: float) -> None:
    if working.recorded is not None and record.gaps and record.gaps[-1].until is None:
        record.gaps[-1] = replace(record.gaps[-1], until=max(at - working.recorded, 0.0))


def _hold_over(record: Record, working: Working, at: float) -> None:
    if working.held is not None:
        record.hold_s += max(at - working.held, 0.0)
        working.held = None


def _talk_over(record: Record, working: Working, at: float) -> None:
    _hold_over(record, working, at)
    if working.talking is not None:
        record.talk_s += max(at - working.talking, 0.0)
        working.talking = None


def _settle(record: Record, working: Working) -> None:
    if record.ended_at is not None and not working.wraps:
        record.working = None
