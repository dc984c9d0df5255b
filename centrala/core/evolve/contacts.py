"""What the events of contacts and conversations change."""

from collections.abc import Callable
from typing import Any

from centrala.core import estimate as learn
from centrala.core import events as e
from centrala.core.evolve import owed
from centrala.core.evolve.aside import unpark
from centrala.core.evolve.flow import end_run
from centrala.core.evolve.routing import in_time
from centrala.core.indexes import (
    enter,
    know,
    leave,
    reindex,
)
from centrala.core.state import Agent, Centre, Contact, Offer, Party, Queue


def _contact_began(centre: Centre, event: e.ContactBegan) -> None:
    centre.arrivals += 1
    centre.contacts[event.contact] = Contact(
        id=event.contact,
        medium=event.medium,
        direction=event.direction,
        party=event.party,
        dialled=event.dialled,
        agent=event.agent,
        priority=event.priority,
        order=centre.arrivals,
        since=event.at,
        caller=event.caller,
        origin=event.origin,
        number=event.number,
        owed=event.owed,
        customer=not event.owed,
        message=event.message,
        seconds=event.seconds,
        last_agent=event.last_agent,
        last_at=event.last_at,
        preferred=event.preferred,
    )
    if event.caller or event.owed:
        know(centre, centre.contacts[event.contact])
    if event.agent is None:
        return
    contact = centre.contacts[event.contact]
    if event.click:
        contact.customer, contact.calling = False, True
        return
    if event.leg:
        contact.customer, contact.legs = False, 1
        _owns(contact, Party(event.leg, "agent", event.agent, since=event.at))
    agent = centre.agents.get(event.agent)
    if agent is not None:
        agent.calls[event.contact] = event.leg
        reindex(centre, agent, None)


def _owns(contact: Contact, party: Party) -> None:
    contact.parties[party.leg] = party
    contact.leg, contact.leg_agent = party.leg, party.agent


def _queued(centre: Centre, event: e.Queued) -> None:
    contact = centre.contacts[event.contact]
    contact.state = "queued"
    contact.queue = event.queue
    contact.target = None
    contact.since = event.since
    contact.queued_at = event.at
    contact.announcing = ""
    contact.announced, contact.announced_at = 0, 0.0
    contact.rank = event.rank
    contact.answered = not contact.absent
    contact.waited, contact.kept = event.queue, ""
    contact.stage, contact.reserved = 0, ""
    enter(centre, contact)
    queue = centre.queues.get(event.queue)
    if queue is not None:
        if contact.paced or not queue.plain:
            contact.late, contact.paced = False, queue.paced
        queue.rates = learn.queued(_now(queue, event.at), event.at)
        if queue.spec.balance is not None:
            queue.rates = learn.came(queue.rates, event.at)


def _now(queue: Queue, at: float) -> learn.Rates:
    rates = queue.rates
    return rates if rates.agents == queue.serving else learn.staffed(rates, at, queue.serving)


def no_longer_busy(centre: Centre, agent: Agent, at: float, *, served: bool = True) -> None:
    queue = centre.queues.get(agent.occupied) if agent.occupied is not None else None
    agent.occupied = None
    if queue is not None:
        queue.rates = learn.freed(_now(queue, at), at, served)


def _announced(centre: Centre, event: e.Announced) -> None:
    contact = centre.contacts[event.contact]
    contact.asked += 1
    contact.announced += 1
    contact.announcing = event.prompt
    contact.told = event.seconds if event.seconds is not None else contact.told


def _announcement_ended(centre: Centre, event: e.AnnouncementEnded) -> None:
    contact = centre.contacts[event.contact]
    contact.announcing = ""
    contact.announced_at = event.at


def _waits_no_more(centre: Centre, contact: Contact, at: float, *, gave_up: bool) -> None:
    """Nobody has taken them: they have hung up, or are sent elsewhere."""
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if queue is not None and contact.state == "queued":
        change = learn.gave_up if gave_up else learn.left
        queue.rates = change(_now(queue, at), at)


def _overflowed(centre: Centre, event: e.Overflowed) -> None:
    contact = centre.contacts[event.contact]
    _waits_no_more(centre, contact, event.at, gave_up=False)
    contact.announcing = ""
    leave(centre, contact)
    contact.reserved = ""
    contact.state = "new"
    contact.queue = contact.target = None
    contact.waited = event.queue
    if event.why != "key":
        contact.hops += 1
        return
    contact.kept = event.queue
    if event.to.kind in ("agent", "phone", "line"):  # who isn't reached there stands here again
        contact.back_queue, contact.back_since = event.queue, contact.since


def _booked(centre: Centre, event: e.Booked) -> None:
    _waits_no_more(centre, centre.contacts[event.contact], event.at, gave_up=False)
    owed.booked(centre, event)


def _directed(centre: Centre, event: e.Directed) -> None:
    contact = centre.contacts[event.contact]
    contact.state = "new"
    contact.queue = None
    contact.target = event.to
    contact.redirected = contact.redirected or event.redirected


def _offer_made(centre: Centre, event: e.OfferMade) -> None:
    contact = centre.contacts[event.contact]
    centre.offers += 1
    contact.legs += 1
    if contact.state == "queued" and event.queue is not None:
        queue = centre.queues[event.queue]
        queue.rates = learn.taken(_now(queue, event.at), event.at, event.at - contact.queued_at)
    contact.offers[event.leg] = Offer(event.leg, event.agent, event.queue, event.until)
    if event.queue is not None and centre.queues[event.queue].spec.strategy != "ring_all":
        leave(centre, contact)
    contact.state = "offered"
    if event.agent is not None:
        agent = centre.agents[event.agent]
        agent.offers[event.leg] = event.contact
        if event.queue is not None:
            agent.offered[event.queue] = centre.offers
        reindex(centre, agent, None)


def _offer_rang(centre: Centre, event: e.OfferRang) -> None:
    pass


def _offer_ended(centre: Centre, event: e.OfferEnded) -> None:
    contact = centre.contacts[event.contact]
    offer = contact.offers.pop(event.leg)
    if not contact.offers and contact.state == "offered":
        if offer.queue in centre.queues:
            contact.state = "queued"
            enter(centre, contact)
            queue = centre.queues[offer.queue]
            queue.rates = learn.returned(_now(queue, event.at), event.at)
        else:
            contact.state = "parked" if contact.slot else "new"
    agent = centre.agents.get(offer.agent) if offer.agent is not None else None
    if agent is not None:
        del agent.offers[event.leg]
        # Whoever lost an offer by no fault of theirs keeps their place among the idle.
        reindex(centre, agent, None if event.how == "cancelled" else event.at)


def _connected(centre: Centre, event: e.Connected) -> None:
    contact = centre.contacts[event.contact]
    leave(centre, contact)
    contact.reserved = contact.wanted = ""
    if contact.paced and event.leg != event.contact:
        in_time(centre, contact, event.at)
    if contact.run is not None:
        end_run(centre, contact)
    offer = contact.offers.pop(event.leg)
    contact.announcing = ""
    contact.state = "active"
    contact.answered = contact.served = True
    if event.leg == event.contact:  # the customer, whom the owner has called
        contact.customer = True
        if event.record and not contact.recorded:
            contact.recorded = True
            contact.recorded_at = contact.recorded_at or event.at
        return
    if contact.absent:
        contact.queue = None  # its owner hears a message
    else:
        contact.customer = True
    # Whoever gets a customer from another agent works for the same queue.
    contact.leg_queue = offer.queue or contact.back_queue
    if contact.back_agent is not None or contact.back_queue is not None or contact.back_since:
        contact.back_agent = contact.back_queue = None
        contact.back_since = 0.0
    contact.leg, contact.leg_agent = event.leg, offer.agent
    contact.parties[event.leg] = Party(event.leg, "agent", offer.agent, "talking", None, event.at)
    if event.record and not contact.recorded:
        contact.recorded = True
        contact.recorded_at = contact.recorded_at or event.at
    agent = centre.agents.get(offer.agent) if offer.agent is not None else None
    if agent is not None:
        del agent.offers[event.leg]
        agent.calls[event.contact] = event.leg
        agent.missed = 0
        if offer.queue is not None:
            agent.occupied = offer.queue
            agent.served[offer.queue] = agent.served.get(offer.queue, 0) + 1
        reindex(centre, agent, None)


def _reached(centre: Centre, event: e.Reached) -> None:
    contact = centre.contacts[event.contact]
    if contact.absent:
        owed.reached(centre, contact, event)
        return
    del contact.offers[event.leg]
    contact.state = "new"
    contact.answered, contact.calling = True, False
    mine = "" if event.leg == event.contact else event.leg
    if mine:
        _owns(contact, Party(event.leg, "agent", event.agent, since=event.at))
    else:
        contact.customer = True
    agent = centre.agents.get(event.agent)
    if agent is not None:
        agent.offers.pop(event.leg, None)
        agent.calls[event.contact] = mine
        reindex(centre, agent, None)


def _music_began(centre: Centre, event: e.MusicBegan) -> None:
    contact = centre.contacts[event.contact]
    end_run(centre, contact)
    contact.state = "active"
    contact.answered = True
    contact.served = True


def _held(centre: Centre, event: e.Held) -> None:
    contact = centre.contacts[event.contact]
    contact.state = "held"
    if not event.asked and event.leg in contact.parties:
        contact.parties[event.leg].held = True


def _resumed(centre: Centre, event: e.Resumed) -> None:
    contact = centre.contacts[event.contact]
    contact.state = "active"
    if not event.asked and event.leg in contact.parties:
        contact.parties[event.leg].held = False


def _party_rung(centre: Centre, event: e.PartyRung) -> None:
    contact = centre.contacts[event.contact]
    contact.legs += 1
    contact.parties[event.leg] = Party(
        event.leg, event.role, event.agent, "ringing", event.mode, event.at, event.until
    )
    if event.agent is not None:
        agent = centre.agents[event.agent]
        agent.offers[event.leg] = event.contact
        reindex(centre, agent, None)


def _party_answered(centre: Centre, event: e.PartyAnswered) -> None:
    party = centre.contacts[event.contact].parties[event.leg]
    party.state = "talking"
    party.since = event.at
    agent = centre.agents.get(party.agent) if party.agent is not None else None
    if agent is not None and agent.offers.pop(event.leg, None) is not None:
        agent.calls[event.contact] = event.leg
        agent.missed = 0
        reindex(centre, agent, None)


def _role_changed(centre: Centre, event: e.RoleChanged) -> None:
    contact = centre.contacts[event.contact]
    party = contact.parties[event.leg]
    party.role, party.mode = event.role, event.mode
    if event.role == "agent":
        contact.leg, contact.leg_agent = event.leg, party.agent


def _party_left(centre: Centre, event: e.PartyLeft) -> None:
    contact = centre.contacts[event.contact]
    party = contact.parties.pop(event.leg)
    if contact.leg == event.leg:
        contact.leg = contact.leg_agent = None
        _caller_out(contact, party.agent)
    agent = centre.agents.get(party.agent) if party.agent is not None else None
    if agent is not None and agent.offers.pop(event.leg, None) is not None:
        reindex(centre, agent, None)


def _caller_out(contact: Contact, agent: str | None) -> None:
    """The agent who called the customer is out of it."""
    if agent is not None and agent == contact.agent:
        contact.agent = None


def _phone_held(centre: Centre, event: e.PhoneHeld) -> None:
    centre.contacts[event.contact].parties[event.leg].held = event.held


def _muted(centre: Centre, event: e.Muted) -> None:
    centre.contacts[event.contact].parties[event.leg].muted = event.muted


def _handed_over(centre: Centre, event: e.HandedOver) -> None:
    contact = centre.contacts[event.contact]
    ringing = contact.parties.pop(event.leg)
    _from_owner(contact, event.at)
    contact.state = "offered"
    contact.target = event.to
    contact.offers[event.leg] = Offer(event.leg, ringing.agent, None, ringing.until)


def _from_owner(contact: Contact, at: float) -> None:
    """The contact leaves its owner, and remembers the way back."""
    contact.back_agent, contact.back_queue = contact.leg_agent, contact.leg_queue
    contact.back_since = contact.since if contact.leg_queue is not None else 0.0
    _caller_out(contact, contact.leg_agent)
    if contact.leg is not None:
        contact.parties.pop(contact.leg, None)
    contact.leg = contact.leg_agent = contact.leg_queue = None
    contact.queue = contact.target = None
    contact.since = at
    contact.queued_at = 0.0
    contact.hops = 0


def _recalled(centre: Centre, event: e.Recalled) -> None:
    contact = centre.contacts[event.contact]
    unpark(centre, contact)
    contact.state = "new"
    contact.queue = contact.target = contact.back_agent = None
    contact.queued_at = 0.0
    if event.to.kind == "queue":
        contact.back_queue = None  # `back_since` stays: the place in the queue goes by it
        contact.since = event.at


def _raised(centre: Centre, event: e.Raised) -> None:
    contact = centre.contacts[event.contact]
    stands = contact.standing
    leave(centre, contact)
    contact.priority, contact.rank = event.priority, event.rank
    if stands:
        enter(centre, contact)


def _result_noted(centre: Centre, event: e.ResultNoted) -> None:
    contact = centre.contacts.get(event.contact)
    if contact is not None:
        contact.results[event.agent] = event.disposition


def _released(centre: Centre, event: e.Released) -> None:
    contact = centre.contacts[event.contact]
    contact.state = "new"
    _from_owner(contact, event.at)


def _contact_ended(centre: Centre, event: e.ContactEnded) -> None:
    contact = centre.contacts[event.contact]
    _waits_no_more(centre, contact, event.at, gave_up=event.by == "caller")
    leave(centre, contact)
    contact.reserved = ""
    end_run(centre, contact)
    unpark(centre, contact)
    if contact.caller or contact.owed:
        owed.ended(centre, contact, event)
    if contact.wrapping:
        contact.state, contact.announcing = "wrap_up", ""
        contact.pause = contact.interlude = contact.briefing = None
        contact.queue = None
        contact.parties.clear()
    else:
        del centre.contacts[event.contact]


def _recorded(centre: Centre, event: e.Recorded) -> None:
    pass


CHANGES: dict[type, Callable[[Centre, Any], None]] = {
    e.ContactBegan: _contact_began,
    e.Queued: _queued,
    e.Announced: _announced,
    e.AnnouncementEnded: _announcement_ended,
    e.Overflowed: _overflowed,
    e.Booked: _booked,
    e.Directed: _directed,
    e.OfferMade: _offer_made,
    e.OfferRang: _offer_rang,
    e.OfferEnded: _offer_ended,
    e.Connected: _connected,
    e.Reached: _reached,
    e.MusicBegan: _music_began,
    e.Held: _held,
    e.Resumed: _resumed,
    e.PartyRung: _party_rung,
    e.PartyAnswered: _party_answered,
    e.RoleChanged: _role_changed,
    e.PartyLeft: _party_left,
    e.PhoneHeld: _phone_held,
    e.Muted: _muted,
    e.HandedOver: _handed_over,
    e.Recalled: _recalled,
    e.Raised: _raised,
    e.ResultNoted: _result_noted,
    e.Released: _released,
    e.ContactEnded: _contact_ended,
    e.Recorded: _recorded,
}
