"""Parking: a customer is put aside in a slot, and whoever of the house dials it (or presses a button) gets them.

    active, held ──ParkAsked, transfer to the number──► parked ──SlotCalled, PickUpAsked──► active
                                                          │
                                                          └─ time over: whoever parked is rung, then the queue

Whoever parked is free at once and has no after-call work: the conversation isn't over. The customer hears the music
of the queue they came from. Where nobody can be rung after the time (busy, and no queue to go back to), the time in
the slot begins anew, `MOST_PARKINGS` times.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.acd import DIRECT_RING, no_way
from centrala.core.contact import impossible, transfer_asked, without_supervisors
from centrala.core.conversation import hand_over_asked, owned
from centrala.core.decision import Decision, refused
from centrala.core.offers import stop_ringing
from centrala.core.specs import Destination
from centrala.core.state import Centre, Contact

MOST_PARKINGS = 15
FULL = "All parking slots are taken."
NO_PARKING = "There is no parking in this centre."
NOT_PARKED = "They are not parked any more."


def place(centre: Centre, number: str) -> str | None:
    """The slot that a transfer to this number means, empty where there is none free; None: it isn't about parking."""
    spec = centre.parking
    if number in spec.slots:
        return "" if number in centre.parked else number
    if number and number == spec.number and spec.slots:
        return next((slot for slot in spec.slots if slot not in centre.parked), "")
    return None


def parking_changed(centre: Centre, fact: f.ParkingChanged) -> Decision:
    """Who is in a slot that is no more stays until the time is over, or somebody presses the button."""
    if centre.parking == fact.spec:
        return [], []
    return [e.ParkingDefined(fact.at, fact.spec)], []


def why_not(contact: Contact) -> str:
    """Why a conversation can't be parked now; empty: it can."""
    if contact.consult is not None:
        return "You are asking somebody: complete or end that first."
    if contact.conference:
        return "Others are in the conversation: leave it instead."
    return ""


def park(centre: Centre, contact: Contact, slot: str, at: float) -> Decision:
    """The owner, who is let go by the caller of this, is free; the customer is in the slot."""
    agent, until = contact.leg_agent, at + centre.parking.timeout
    assert agent is not None
    events, commands = without_supervisors(centre, contact, at)
    known = centre.agents.get(agent)
    if known is not None and known.calls.get(contact.id) == contact.leg:
        events.append(e.AgentFreed(at, agent, contact.id))
    events.append(e.Parked(at, contact.id, slot, agent, until))
    return events, [*commands, c.SetTimer(f"park:{contact.id}", until)]


def park_asked(centre: Centre, fact: f.ParkAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, me = found
    slot = next((one for one in centre.parking.slots if one not in centre.parked), "")
    problem = why_not(contact) or ("" if slot else FULL if centre.parking.slots else NO_PARKING)
    if problem:
        return refused(fact, problem, fact.agent)
    events, commands = park(centre, contact, slot, fact.at)
    return events, [c.HangUp(contact.id, me.leg, "parked"), *commands]


def transferred(centre: Centre, fact: f.TransferAsked) -> Decision:
    """By the owner's phone (RFC 3515): into a slot, or anywhere else."""
    slot = None if fact.outside else place(centre, fact.number)
    contact = centre.contacts.get(fact.contact)
    if (
        slot is None
        or contact is None
        or contact.state not in ("active", "held")
        or fact.leg != contact.leg
        or contact.leg_agent is None
    ):
        return transfer_asked(centre, fact)
    if not slot or why_not(contact):
        cause = "declined" if slot else "busy"
        return [e.Refused(fact.at, "TransferAsked", cause, fact.leg)], [
            c.RefuseTransfer(contact.id, fact.leg, cause)
        ]
    events, commands = park(centre, contact, slot, fact.at)
    return events, [c.AcceptTransfer(contact.id, fact.leg), *commands]


def handed_over(centre: Centre, fact: f.HandOverAsked) -> Decision:
    """The same from a page."""
    slot = None if fact.outside else place(centre, fact.number)
    found = owned(centre, fact) if slot is not None else ""
    if slot is None or isinstance(found, str):
        return hand_over_asked(centre, fact)
    contact, me = found
    problem = why_not(contact) or ("" if slot else FULL)
    if problem:
        return refused(fact, problem, fact.agent)
    events, commands = park(centre, contact, slot, fact.at)
    return events, [c.HangUp(contact.id, me.leg, "parked"), *commands]


def pick_up_asked(centre: Centre, fact: f.PickUpAsked) -> Decision:
    """Rings the asking agent's phone; until it is answered the customer stays in the slot."""
    contact, agent = centre.contacts.get(fact.contact), centre.agents.get(fact.agent)
    if contact is None or not contact.slot:
        return refused(fact, NOT_PARKED, fact.contact)
    if contact.offers:
        return refused(fact, "Somebody else is picking them up.", fact.contact)
    problem = impossible(centre, Destination("agent", fact.agent)) if agent is not None else "unavailable"
    if problem == "busy":
        return refused(fact, "You are in a call.", fact.agent)
    if problem:
        return refused(fact, "Your phone can't be reached: connect it first.", fact.agent)
    leg, until = f"{contact.id}.{contact.legs + 1}", fact.at + DIRECT_RING
    return [e.OfferMade(fact.at, contact.id, leg, fact.agent, None, until, "picked up")], [
        c.Ring(contact.id, leg, Destination("agent", fact.agent), DIRECT_RING, auto=True),
        c.SetTimer(f"offer:{leg}", until),
    ]


def slot_called(centre: Centre, fact: f.SlotCalled) -> Decision:
    """An agent's phone called the slot: they talk with the customer at once."""
    contact, agent = centre.contacts.get(fact.contact), centre.agents.get(fact.agent)
    if contact is None or not contact.slot or agent is None or agent.calls:
        cause = "busy" if agent is not None and agent.calls else "not_found"
        return [e.Refused(fact.at, "SlotCalled", cause, fact.leg)], [c.Refuse(fact.contact, cause, fact.leg)]
    at, name = fact.at, contact.id
    events: list[e.Event] = []
    commands: list[c.Command] = []
    ringing: dict[str, tuple[str, str | None]] = {
        leg: (about, fact.agent) for leg, about in agent.offers.items()
    }
    ringing |= {leg: (name, offer.agent) for leg, offer in contact.offers.items()}
    for leg, (about, whose) in ringing.items():
        more, asked = stop_ringing(centre, about, leg, whose, "agent calls", at)
        events += more
        commands += asked
    events += [
        e.PickedUp(at, name, contact.slot, fact.agent, fact.leg),
        e.OfferMade(at, name, fact.leg, fact.agent, None, at, "picked up"),
        e.Connected(at, name, fact.leg, False),
    ]
    commands += [
        c.Answer(name, fact.leg),
        c.Mix(name, {name: {fact.leg: 1.0}, fact.leg: {name: 1.0}}),
        c.CancelTimer(f"park:{name}"),
    ]
    if contact.recorded:
        commands.append(c.Record(name, fact.leg))
    return events, commands


def time_over(centre: Centre, name: str, at: float) -> Decision:
    """Nobody has picked up: back to whoever parked, then to the queue."""
    contact = centre.contacts.get(name)
    if contact is None or not contact.slot:
        return [], []  # the timer was too late to be cancelled
    if contact.offers:
        until = max(offer.until for offer in contact.offers.values())
        return [], [c.SetTimer(f"park:{name}", max(until, at) + 0.1)]
    if at < contact.parked_until:
        return [], [c.SetTimer(f"park:{name}", contact.parked_until)]
    back = contact.back_agent
    if (
        back is not None
        and not impossible(centre, Destination("agent", back))
        and centre.agents[back].intent != "logged_out"
    ):
        return [e.Recalled(at, name, Destination("agent", back))], []
    if contact.back_queue in centre.queues:
        return [e.Recalled(at, name, Destination("queue", contact.back_queue))], []
    if contact.parkings >= MOST_PARKINGS:
        return no_way(centre, contact, "no_answer", at)
    until = at + max(centre.parking.timeout, 1.0)
    return [e.Parked(at, name, contact.slot, back or "", until)], [c.SetTimer(f"park:{name}", until)]
