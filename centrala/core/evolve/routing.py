"""What the events of stages, reservations and escalations change."""

from collections.abc import Callable
from typing import Any

from centrala.core import events as e
from centrala.core.indexes import enter, leave
from centrala.core.stages import counted, is_paced
from centrala.core.state import Centre, Contact

ESCALATIONS_KEPT = 20


def in_time(centre: Centre, contact: Contact, at: float) -> None:
    """Somebody was answered; who is late is counted already."""
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if queue is not None and not contact.late and is_paced(queue.spec):
        queue.pace = counted(queue.pace, at, good=True)


def _widened(centre: Centre, event: e.Widened) -> None:
    contact = centre.contacts[event.contact]
    stands = contact.standing
    leave(centre, contact)
    contact.stage = event.stage
    if stands:
        enter(centre, contact)


def _queue_widened(centre: Centre, event: e.QueueWidened) -> None:
    queue = centre.queues[event.queue]
    queue.stage, queue.stage_why = event.stage, event.why


def _late(centre: Centre, event: e.Late) -> None:
    contact = centre.contacts[event.contact]
    contact.late = True
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if queue is not None:
        queue.pace = counted(queue.pace, event.at, good=False)


def _reserved(centre: Centre, event: e.Reserved) -> None:
    contact = centre.contacts[event.contact]
    stands = contact.standing
    leave(centre, contact)
    contact.reserved, contact.reserved_until, contact.reserved_why = event.agent, event.until, event.why
    if stands:
        enter(centre, contact)


def _reservation_ended(centre: Centre, event: e.ReservationEnded) -> None:
    contact = centre.contacts[event.contact]
    stands = contact.standing
    leave(centre, contact)
    contact.reserved = ""
    if stands:
        enter(centre, contact)


def _escalated(centre: Centre, event: e.Escalated) -> None:
    contact = centre.contacts[event.contact]
    made = (event.at, event.agent, event.reason, event.to, event.tier)
    contact.escalations = (*contact.escalations, made)[-ESCALATIONS_KEPT:]


CHANGES: dict[type, Callable[[Centre, Any], None]] = {
    e.Widened: _widened,
    e.QueueWidened: _queue_widened,
    e.Late: _late,
    e.Reserved: _reserved,
    e.ReservationEnded: _reservation_ended,
    e.Escalated: _escalated,
}
