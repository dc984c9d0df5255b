"""Decisions about contacts: the life of one contact of any medium, fact by fact.

    new ──────► queued ◄──► offered ──► active ◄──► held
     │            │            │           │
     │            ▼            ▼           ▼
     └────────► (ended: refused, abandoned, failed, answered) ──► wrap-up ──► closed

Each function reads `(state of the contact, fact)` and answers with events and commands. What the new state makes
possible (an offer, the next caller) follows in `centre.FOLLOW`.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.acd import UNAVAILABLE, Decision, after_miss, direct, turn_away, way_out
from centrala.core.specs import Destination
from centrala.core.state import Agent, Centre, Contact, Offer

HUNG_UP_OFFER = {"busy": "refused", "declined": "refused", "no_answer": "missed"}


def refused(fact: f.Fact, reason: str, subject: str = "") -> Decision:
    return [e.Refused(fact.at, type(fact).__name__, reason, subject)], []


def arrived(centre: Centre, fact: f.ContactArrived) -> Decision:
    if fact.contact in centre.contacts:
        return refused(fact, "known already", fact.contact)
    direction = "inbound" if fact.agent is None else "outbound" if fact.outside else "internal"
    events: list[e.Event] = []
    commands: list[c.Command] = []
    caller = centre.agents.get(fact.agent) if fact.agent is not None else None
    if caller is not None:
        for leg, contact in caller.offers.items():
            events.append(e.OfferEnded(fact.at, contact, leg, fact.agent, "cancelled", "agent calls"))
            commands += [c.CancelRing(contact, leg), c.CancelTimer(f"offer:{leg}")]
    dialled = "" if fact.outside else fact.dialled
    events.append(
        e.ContactBegan(
            fact.at, fact.contact, fact.medium, direction, fact.party, dialled, fact.agent, fact.priority
        )
    )
    return events, commands


def began(centre: Centre, event: e.ContactBegan) -> Decision:
    contact = centre.contacts[event.contact]
    if event.direction == "outbound":
        return direct(centre, contact, Destination("line"), event.at)
    to = centre.numbers.get(event.dialled)
    if to is None:
        return turn_away(contact, "not_found", event.at)
    return direct(centre, contact, to, event.at)


def rang(centre: Centre, fact: f.Rang) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or fact.leg not in contact.offers:
        return refused(fact, "no such offer", fact.leg)
    commands: list[c.Command] = [] if contact.answered else [c.RingBack(contact.id)]
    return [e.OfferRang(fact.at, contact.id, fact.leg)], commands


def answered(centre: Centre, fact: f.Answered) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if not fact.leg or (contact is not None and fact.leg == contact.leg):
        return refused(fact, "answered already", fact.leg or fact.contact)
    if contact is None or fact.leg not in contact.offers:
        # The lease is over (expired, cancelled, or somebody else was first): the late one is let go.
        return [e.Refused(fact.at, "Answered", "the offer is over", fact.leg)], [
            c.HangUp(fact.contact, fact.leg, "the offer is over")
        ]
    offer = contact.offers[fact.leg]
    queue = centre.queues.get(offer.queue) if offer.queue is not None else None
    record = queue.spec.record if queue is not None else contact.target is not None and contact.target.record
    events: list[e.Event] = []
    commands: list[c.Command] = [] if contact.answered else [c.Answer(contact.id)]
    commands.append(c.Connect(contact.id, fact.leg))
    if record or contact.recorded:
        commands.append(c.Record(contact.id, fact.leg))
    commands.append(c.CancelTimer(f"offer:{fact.leg}"))
    if queue is not None:
        commands.append(c.CancelTimer(f"wait:{contact.id}"))
    # The losers of a ring_all are cancelled only after the bridge is up.
    for leg, other in contact.offers.items():
        if leg != fact.leg:
            events.append(
                e.OfferEnded(fact.at, contact.id, leg, other.agent, "cancelled", "answered by another")
            )
            commands += [c.CancelRing(contact.id, leg), c.CancelTimer(f"offer:{leg}")]
    events.append(e.Connected(fact.at, contact.id, fact.leg, record))
    return events, commands


def offer_failed(centre: Centre, fact: f.OfferFailed) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or fact.leg not in contact.offers:
        return refused(fact, "no such offer", fact.leg)
    how = HUNG_UP_OFFER.get(fact.cause, "failed")
    return _offer_over(centre, contact, contact.offers[fact.leg], how, fact.cause, fact.at)


def offer_expired(centre: Centre, leg: str, at: float) -> Decision:
    contact = centre.contacts.get(leg.rpartition(".")[0])
    if contact is None or leg not in contact.offers:
        return [], []  # the timer was too late to be cancelled
    if at < contact.offers[leg].until:
        return [], [c.SetTimer(f"offer:{leg}", contact.offers[leg].until)]
    events, commands = _offer_over(centre, contact, contact.offers[leg], "missed", "no_answer", at)
    return events, [c.CancelRing(contact.id, leg), *commands]


def _offer_over(centre: Centre, contact: Contact, offer: Offer, how: str, cause: str, at: float) -> Decision:
    events: list[e.Event] = [e.OfferEnded(at, contact.id, offer.leg, offer.agent, how, cause)]  # type: ignore[arg-type]
    commands: list[c.Command] = [c.CancelTimer(f"offer:{offer.leg}")]
    agent = centre.agents.get(offer.agent) if offer.agent is not None else None
    if agent is not None:
        queue = centre.queues.get(offer.queue) if offer.queue is not None else None
        more, asked = after_miss(agent, queue, how, at)
        events += more
        commands += asked
    return events, commands


def offer_ended(centre: Centre, event: e.OfferEnded) -> Decision:
    """A contact without a queue whose last phone is gone has nowhere else to go."""
    contact = centre.contacts.get(event.contact)
    if contact is None or contact.state != "new" or (contact.target is None and contact.queue is None):
        return [], []
    cause = "busy" if event.how == "cancelled" else event.cause or "failed"
    return turn_away(contact, cause, event.at, "failed")


def hung_up(centre: Centre, fact: f.HungUp) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.state == "wrap_up":
        return refused(fact, "over already", fact.leg or fact.contact)
    if fact.leg and fact.leg in contact.offers:
        return _offer_over(centre, contact, contact.offers[fact.leg], "failed", fact.why, fact.at)
    if fact.leg and fact.leg != contact.leg:
        return refused(fact, "not in the conversation", fact.leg)
    at = fact.at
    if fact.leg:
        return _end(centre, contact, _outcome(centre, contact, at), "agent", fact.why, at)
    return _end(centre, contact, _outcome(centre, contact, at), "caller", fact.why, at)


def _outcome(centre: Centre, contact: Contact, at: float) -> e.Outcome:
    """What became of a contact whose party (or partner) hangs up now."""
    if contact.redirected and contact.served:
        return "redirected"
    if contact.served:
        return "answered"
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if queue is not None and at - contact.since < queue.spec.short_abandon:
        return "short_abandoned"
    return "abandoned"


def _end(centre: Centre, contact: Contact, outcome: e.Outcome, by: str, cause: str, at: float) -> Decision:
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for leg, offer in contact.offers.items():
        events.append(e.OfferEnded(at, contact.id, leg, offer.agent, "cancelled", "caller left"))
        commands += [c.CancelRing(contact.id, leg), c.CancelTimer(f"offer:{leg}")]
    if contact.queue is not None:
        commands.append(c.CancelTimer(f"wait:{contact.id}"))
    if contact.leg is not None and by != "agent":
        commands.append(c.HangUp(contact.id, contact.leg, cause))
    if by != "caller":
        commands.append(c.HangUp(contact.id, "", cause))
    more, asked = _leave(centre, contact, at)
    events += more
    commands += asked
    if contact.agent is not None:
        events.append(e.AgentFreed(at, contact.agent, contact.id))
    events.append(e.ContactEnded(at, contact.id, outcome, by, cause))  # type: ignore[arg-type]
    return events, commands


def _leave(centre: Centre, contact: Contact, at: float) -> Decision:
    """The agent who talks with this contact is out of it: after-call work, if the queue gives any."""
    agent = centre.agents.get(contact.leg_agent) if contact.leg_agent is not None else None
    if agent is None or contact.id not in agent.calls:
        return [], []  # removed since; perhaps configured anew under the same name
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    if queue is None or queue.spec.wrap_up <= 0:
        return [e.AgentFreed(at, agent.spec.id, contact.id)], []
    events: list[e.Event] = []
    if agent.wrap is not None:
        events.append(e.WrapUpEnded(at, agent.spec.id, agent.wrap))
    until = at + queue.spec.wrap_up
    events.append(e.WrapUpBegan(at, agent.spec.id, contact.id, until))
    return events, [c.SetTimer(f"wrap:{agent.spec.id}", until)]


def wait_over(centre: Centre, name: str, at: float) -> Decision:
    contact = centre.contacts.get(name)
    if contact is None or contact.queue is None or contact.leg is not None or contact.state == "wrap_up":
        return [], []
    queue = centre.queues.get(contact.queue)
    if queue is None or queue.spec.max_wait is None:
        return [], []
    if contact.offers:
        # A phone rings already: let it finish, then look again.
        until = max(offer.until for offer in contact.offers.values())
        return [], [c.SetTimer(f"wait:{name}", max(until, at) + 0.1)]
    if at < contact.queued_at + queue.spec.max_wait:
        # The timer of a queue that the contact has left, or the limit was raised meanwhile.
        return [], [c.SetTimer(f"wait:{name}", contact.queued_at + queue.spec.max_wait)]
    to = queue.spec.after_max_wait or UNAVAILABLE
    return way_out(contact, contact.queue, "max_wait", to, at)


def overflowed(centre: Centre, event: e.Overflowed) -> Decision:
    contact = centre.contacts[event.contact]
    outside = event.to.kind == "phone"
    return direct(centre, contact, event.to, event.at, redirected=outside)


def put_on_hold(centre: Centre, fact: f.PutOnHold) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.state != "active" or fact.leg != contact.leg:
        return refused(fact, "not in the conversation", fact.leg)
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    music = queue.spec.music if queue is not None else "default"
    return [e.Held(fact.at, contact.id, fact.leg)], [c.Play(contact.id, music)]


def taken_off_hold(centre: Centre, fact: f.TakenOffHold) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.state != "held" or fact.leg != contact.leg:
        return refused(fact, "not on hold", fact.leg)
    return [e.Resumed(fact.at, contact.id, fact.leg)], [c.Connect(contact.id, fact.leg)]


def transfer_asked(centre: Centre, fact: f.TransferAsked) -> Decision:
    """Blind transfer: the agent is free at once, the contact goes on; a target that can't be is refused first."""
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.state not in ("active", "held") or fact.leg != contact.leg:
        cause = "not in the conversation"
        return [e.Refused(fact.at, "TransferAsked", cause, fact.leg)], [
            c.RefuseTransfer(fact.contact, fact.leg, cause)
        ]
    to = Destination("line") if fact.outside else centre.numbers.get(fact.number)
    cause = _impossible(centre, to, contact)
    if to is None or cause:
        return [e.Refused(fact.at, "TransferAsked", cause, fact.leg)], [
            c.RefuseTransfer(contact.id, fact.leg, cause)
        ]
    events, commands = _leave(centre, contact, fact.at)
    events.append(e.Released(fact.at, contact.id, fact.leg, "transferred", to))
    return events, [c.AcceptTransfer(contact.id, fact.leg), *commands]


def released(centre: Centre, event: e.Released) -> Decision:
    return direct(centre, centre.contacts[event.contact], event.to, event.at)


def _impossible(centre: Centre, to: Destination | None, contact: Contact) -> str:
    """Why a transfer can't be, empty when it can: the agent keeps the caller then."""
    if to is None:
        return "not_found"
    if to.kind == "queue" and to.name not in centre.queues:
        return "not_found"
    if to.kind == "agent":
        agent: Agent | None = centre.agents.get(to.name)
        if agent is None or not agent.reachable:
            return "unavailable"
        if agent.calls or agent.offers:
            return "busy"
    return "declined" if to.kind == "hang_up" else ""


def recording_stored(centre: Centre, fact: f.RecordingStored) -> Decision:
    return [e.Recorded(fact.at, fact.contact, fact.path, fact.seconds, fact.expected)], []
