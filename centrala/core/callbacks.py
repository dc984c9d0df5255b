"""Decisions about what is owed (see `owed`): what people ask for, and what its agent does with it.

A callback: the agent's phone is answered, then the customer is rung; who isn't reached is booked again. A message: the
agent hears it, and may have whoever left it rung into the same contact.
"""

from math import isfinite

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core import owed
from centrala.core.acd import after_miss
from centrala.core.announce import hushed
from centrala.core.decision import Decision, refused
from centrala.core.mix import RINGBACK
from centrala.core.specs import Destination
from centrala.core.state import Centre, Contact, Offer

NOT_OWED = "This is no callback or message that waits."
BEING_DEALT_WITH = "An agent has it just now."


# --- asked for by people ---


def asked(centre: Centre, fact: f.CallbackAsked) -> Decision:
    """A person promises somebody a call. One that is owed already stands, unless it only followed a lost call."""
    if fact.contact in centre.contacts:
        return refused(fact, "This callback was asked for already.", fact.contact)
    if fact.queue not in centre.queues:
        return refused(fact, "There is no such queue.", fact.queue)
    if not fact.party and fact.number is None:
        return refused(fact, "There is no number to call.", fact.contact)
    if not (isfinite(fact.due) and isfinite(fact.since)):
        return refused(fact, "This time is none.", fact.contact)
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for other in owed.pending(centre, fact.caller, fact.queue):
        if other.promise is None or other.promise.why != "abandoned" or other.state != "booked":
            return refused(fact, "They are promised a callback already.", other.id)
        more, stopped = owed.over(other, "replaced", "asked for another", fact.at)
        events += more
        commands += stopped
    origin = centre.contacts.get(fact.origin)
    events += owed.promise(
        centre,
        fact.at,
        fact.contact,
        fact.queue,
        party=fact.party,
        caller=fact.caller,
        number=fact.number,
        priority=fact.priority,
        origin=fact.origin,
        since=min(fact.since, fact.at) if fact.since > 0 else fact.at,
        due=fact.due,
        like=origin,
    )
    return events, commands


def _waits(centre: Centre, fact: f.CallbackDropped | f.CallbackPutOff) -> Contact | Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or not contact.absent or contact.state == "wrap_up":
        return refused(fact, NOT_OWED, fact.contact)
    if contact.leg is not None:
        return refused(fact, BEING_DEALT_WITH, fact.contact)
    return contact


def dropped(centre: Centre, fact: f.CallbackDropped) -> Decision:
    found = _waits(centre, fact)
    return owed.over(found, "dropped", fact.why, fact.at) if isinstance(found, Contact) else found


def put_off(centre: Centre, fact: f.CallbackPutOff) -> Decision:
    """Not before that time, or now; its attempts are counted on, and it lasts as long from then on."""
    found = _waits(centre, fact)
    if not isinstance(found, Contact):
        return found
    if not isfinite(fact.due):
        return refused(fact, "This time is none.", fact.contact)
    held = found.promise
    assert held is not None
    due = max(fact.due, fact.at)
    expires = max(held.expires, due + owed.rules(centre, found).expires) if held.expires else 0.0
    events, commands = owed.withdrawn(found, "put off", fact.at)
    return [*events, owed.again(found, fact.at, due, "put off", expires=expires)], commands


def slots_offered(centre: Centre, fact: f.SlotsOffered) -> Decision:
    queue = centre.queues.get(fact.queue)
    if queue is None:
        return refused(fact, "no such queue", fact.queue)
    if (queue.slots, queue.local) == (fact.slots, fact.local):
        return [], []
    return [e.SlotsSet(fact.at, fact.queue, fact.slots, fact.local)], []


# --- an agent has answered ---


def answered(centre: Centre, contact: Contact, offer: Offer, at: float) -> Decision:
    """The agent's phone is up: on to the customer, or to the message."""
    events: list[e.Event] = []
    commands: list[c.Command] = [c.CancelTimer(f"offer:{offer.leg}"), c.CancelTimer(f"owed:{contact.id}")]
    for leg, other in contact.offers.items():
        if leg != offer.leg:
            events.append(e.OfferEnded(at, contact.id, leg, other.agent, "cancelled", "answered by another"))
            commands += [c.CancelRing(contact.id, leg), c.CancelTimer(f"offer:{leg}")]
    if contact.owed == "message":
        prompt = f"{contact.id}:{contact.asked + 1}"
        events += [e.Connected(at, contact.id, offer.leg, False), e.Announced(at, contact.id, prompt)]
        return events, [*commands, c.Say(contact.id, prompt, (c.Part("message", contact.message),), "")]
    return [*events, e.Reached(at, contact.id, offer.leg, offer.agent or "")], commands


def ring(centre: Centre, contact: Contact, at: float) -> Decision:
    """Ring the customer; meanwhile the agent hears that."""
    seconds = owed.rules(centre, contact).ring
    assert contact.leg is not None
    return [e.OfferMade(at, contact.id, contact.id, None, None, at + seconds, contact.owed)], [
        c.Mix(contact.id, {contact.leg: {RINGBACK: 1.0}}),
        c.Ring(
            contact.id,
            contact.id,
            Destination("line"),
            seconds,
            number=contact.number,
            party="" if contact.number is not None else contact.party,
        ),
        c.SetTimer(f"offer:{contact.id}", at + seconds),
    ]


def call_asked(centre: Centre, fact: f.CallCustomerAsked) -> Decision:
    """The owner of a message wants its customer on the line."""
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.leg is None or contact.leg_agent != fact.agent:
        return refused(fact, "This is not your conversation: only its owner can do that.", fact.agent)
    if contact.customer:
        return refused(fact, "They are on the line already.", fact.contact)
    if contact.owed != "message" or contact.offers:
        return refused(fact, "They are being rung already.", fact.contact)
    if contact.state != "active" or contact.parties[contact.leg].held:
        return refused(fact, "Your phone holds the call itself: take it off hold there first.", fact.contact)
    if contact.number is None and not contact.caller:
        return refused(fact, "There is no number to call.", fact.contact)
    events: list[e.Event] = []
    if contact.announcing:
        events.append(e.AnnouncementEnded(fact.at, contact.id, contact.announcing))
    more, commands = ring(centre, contact, fact.at)
    return [*events, *more], [*hushed(contact), *commands]


# --- and what may go wrong then ---


def offer_ended(centre: Centre, contact: Contact, event: e.OfferEnded) -> Decision:
    """A phone rings no more, and the contact stands nowhere."""
    if event.leg == contact.id and contact.leg is not None:
        return _not_reached(centre, contact, event.cause or "failed", event.at)
    if contact.leg is None and not contact.offers:
        # Its queue was removed while a phone rang.
        return [owed.again(contact, event.at, event.at, "queue removed")], []
    return [], []


def _not_reached(centre: Centre, contact: Contact, cause: str, at: float) -> Decision:
    held = contact.promise
    assert held is not None
    assert contact.leg is not None
    events: list[e.Event] = [e.CallbackFailed(at, contact.id, contact.id, cause, held.attempt)]
    if contact.owed == "message":
        return events, [c.Mix(contact.id, {contact.leg: {}})]
    commands: list[c.Command] = [c.HangUp(contact.id, contact.leg, "the customer was not reached")]
    events += _freed(centre, contact, at)
    due = at + owed.rules(centre, contact).retry * 2.0 ** min(held.attempt - 1, 20)
    if owed.here(centre, contact):
        return [*events, e.ContactEnded(at, contact.id, "replaced", "centre", "rang again")], commands
    if held.attempt >= held.attempts or (held.expires and due >= held.expires):
        return [*events, e.ContactEnded(at, contact.id, "unreached", "centre", cause)], commands
    return [*events, owed.again(contact, at, due, "not reached", attempt=held.attempt + 1)], commands


def agent_left(centre: Centre, contact: Contact, at: float, *, hang_up: bool) -> Decision:
    """The agent of a callback is gone before the customer has answered: back to its place, as it was."""
    events, commands = owed.withdrawn(contact, "agent left", at)
    if contact.leg is None:
        return [], []
    if hang_up:
        commands.insert(0, c.HangUp(contact.id, contact.leg, "hung up"))
    events += _freed(centre, contact, at)
    agent = centre.agents.get(contact.leg_agent) if contact.leg_agent is not None else None
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    if agent is not None and agent.calls.get(contact.id) == contact.leg:
        more, rest = after_miss(agent, queue, "refused", at)
        events += more
        commands += rest
    return [*events, owed.again(contact, at, at, "agent left")], commands


def _freed(centre: Centre, contact: Contact, at: float) -> list[e.Event]:
    agent = centre.agents.get(contact.leg_agent) if contact.leg_agent is not None else None
    if agent is None or agent.calls.get(contact.id) != contact.leg:
        return []  # removed since; perhaps configured anew under the same name
    return [e.AgentFreed(at, agent.spec.id, contact.id)]


def queue_removed(centre: Centre, contact: Contact, queue: str, at: float) -> Decision:
    """To where its queue sends people when nobody is there, if that is a queue; else nobody is left to keep it."""
    to = centre.queues[queue].spec.when_no_agents
    if to is None or to.kind != "queue" or to.name == queue or to.name not in centre.queues:
        return owed.over(contact, "failed", "queue removed", at)
    events, commands = owed.withdrawn(contact, "queue removed", at)
    return [*events, owed.again(contact, at, at, "queue removed", queue=to.name)], commands


def moved(centre: Centre, contact: Contact, queue: str, at: float) -> Decision:
    events, commands = owed.withdrawn(contact, "moved", at)
    return [*events, owed.again(contact, at, at, "moved", queue=queue)], commands
