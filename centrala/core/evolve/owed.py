"""What the events of callbacks and messages change."""

from collections.abc import Callable
from typing import Any

from centrala.core import events as e
from centrala.core.indexes import forget, know, leave, reindex
from centrala.core.state import Centre, Contact, Party, Promise


def _promised(centre: Centre, event: e.Promised) -> None:
    contact = centre.contacts[event.contact]
    contact.left = "voicemail" if event.owed == "message" else "callback"
    contact.follows += 1


def booked(centre: Centre, event: e.Booked) -> None:
    contact = centre.contacts[event.contact]
    leave(centre, contact)
    forget(centre, contact)
    before = contact.promise
    contact.promise = Promise(
        event.queue,
        event.at if before is None else before.at,
        event.since,
        event.due,
        event.expires,
        event.attempt,
        event.attempts,
        event.why if before is None else before.why,
        event.slot,
        _chosen(event, before),
    )
    know(centre, contact)
    contact.state = "booked"
    contact.queue = contact.target = None
    contact.reserved = ""
    contact.since = event.since
    contact.leg = contact.leg_agent = contact.leg_queue = None
    contact.parties.clear()
    contact.answered = False


def _chosen(event: e.Booked, before: Promise | None) -> float:
    if event.why == "put off" or (before is None and event.due > event.at and event.why != "abandoned"):
        return event.due
    return 0.0 if before is None else before.chosen


def _callback_failed(centre: Centre, event: e.CallbackFailed) -> None:
    contact = centre.contacts[event.contact]
    if contact.promise is not None:
        contact.promise.attempt = event.attempt
    if contact.owed == "message":
        contact.state = "active"


def _slots_set(centre: Centre, event: e.SlotsSet) -> None:
    if event.queue in centre.queues:
        centre.queues[event.queue].slots, centre.queues[event.queue].local = event.slots, event.local


def reached(centre: Centre, contact: Contact, event: e.Reached) -> None:
    """The agent of a callback is there: from now on they own it, and whom it is owed to is rung."""
    leave(centre, contact)
    offer = contact.offers.pop(event.leg)
    contact.state, contact.queue = "new", None
    contact.reserved = contact.wanted = ""
    contact.answered = True
    contact.leg, contact.leg_agent, contact.leg_queue = event.leg, event.agent, offer.queue
    contact.parties[event.leg] = Party(event.leg, "agent", event.agent, since=event.at)
    agent = centre.agents.get(event.agent)
    if agent is not None:
        agent.offers.pop(event.leg, None)
        agent.calls[event.contact] = event.leg
        agent.missed = 0
        agent.occupied = offer.queue
        if offer.queue is not None:
            agent.served[offer.queue] = agent.served.get(offer.queue, 0) + 1
        reindex(centre, agent, None)


def ended(centre: Centre, contact: Contact, event: e.ContactEnded) -> None:
    """It can't be found any more; where it won't be dealt with, its caller has been promised nothing."""
    forget(centre, contact)
    origin = centre.contacts.get(contact.origin) if contact.owed else None
    if origin is not None and event.outcome in ("replaced", "dropped"):
        origin.left = ""


CHANGES: dict[type, Callable[[Centre, Any], None]] = {
    e.Promised: _promised,
    e.CallbackFailed: _callback_failed,
    e.SlotsSet: _slots_set,
}
