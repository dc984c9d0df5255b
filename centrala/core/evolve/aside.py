"""What the events of second calls and of parking change."""

from collections.abc import Callable
from typing import Any

from centrala.core import events as e
from centrala.core.state import Centre, Contact, Second


def unpark(centre: Centre, contact: Contact) -> None:
    """Out of its slot, if it is in one."""
    if contact.slot:
        centre.parked.pop(contact.slot, None)
        contact.slot = contact.parked_by = ""
        contact.parked_since = contact.parked_until = 0.0


def _parking_defined(centre: Centre, event: e.ParkingDefined) -> None:
    centre.parking = event.spec


def _parked(centre: Centre, event: e.Parked) -> None:
    """The owner is the way back, as after a transfer."""
    contact = centre.contacts[event.contact]
    if contact.leg is not None:
        contact.back_agent, contact.back_queue = contact.leg_agent, contact.leg_queue
        contact.back_since = contact.since if contact.leg_queue is not None else 0.0
        if contact.leg_agent == contact.agent:
            contact.agent = None
        contact.parties.pop(contact.leg, None)
        contact.leg = contact.leg_agent = contact.leg_queue = None
        contact.queue = contact.target = None
        contact.since = event.at
        contact.queued_at = 0.0
        contact.hops = 0
        contact.parkings = 0
        contact.parked_by, contact.parked_since = event.agent, event.at
    contact.state = "parked"
    contact.slot = event.slot
    contact.parked_until = event.until
    contact.parkings += 1
    centre.parked[event.slot] = contact.id


def _picked_up(centre: Centre, event: e.PickedUp) -> None:
    unpark(centre, centre.contacts[event.contact])


def _second_leg(centre: Centre, event: e.SecondLeg) -> None:
    contact = centre.contacts[event.contact]
    assert contact.leg is not None
    contact.second = Second(event.leg, contact.leg, event.agent, event.asked)


def _second_answered(centre: Centre, event: e.SecondAnswered) -> None:
    second = centre.contacts[event.contact].second
    assert second is not None
    second.talking = True


def _second_held(centre: Centre, event: e.SecondHeld) -> None:
    second = centre.contacts[event.contact].second
    assert second is not None
    second.held = event.held


def _second_left(centre: Centre, event: e.SecondLeft) -> None:
    centre.contacts[event.contact].second = None


CHANGES: dict[type, Callable[[Centre, Any], None]] = {
    e.ParkingDefined: _parking_defined,
    e.Parked: _parked,
    e.PickedUp: _picked_up,
    e.SecondLeg: _second_leg,
    e.SecondAnswered: _second_answered,
    e.SecondHeld: _second_held,
    e.SecondLeft: _second_left,
}
