"""What the house owes somebody who isn't on the line: a callback, or an answer to their message.

    promised ──► booked ──(due)──► queued ◄──► offered ──► the agent is there, the customer is rung ──► a conversation
                   ▲                 │                                   │
                   └──── closed, not reached, agent left, put off ◄──────┘

It is a contact like any other, and stands in its queue among those who hold, by the time since when its customer has
waited: neither overtakes the other. What differs: there is nobody to whom music or an announcement could be played,
whom a time limit could send elsewhere, or who could hang up.

This part knows nothing of agents: who gets it is for `acd`, what they do with it for `callbacks`.
"""

from bisect import bisect_right
from math import inf

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core.calendar import Intervals, is_open
from centrala.core.decision import Decision
from centrala.core.private import Private
from centrala.core.specs import Callbacks, QueueSpec
from centrala.core.state import Centre, Contact, Queue

LOOK_AGAIN = 3600.0
"Seconds, where nobody knows when a queue opens."
LINE_BUSY = 30.0
"Seconds until one whose customer is on the line is looked at again; where they asked for it in that call, its end is."
SHORTEST_NUMBER = 3
LONGEST_NUMBER = 20


# --- a promise ---


def promise(
    centre: Centre,
    at: float,
    contact: str,
    queue: str,
    *,
    party: str,
    caller: str = "",
    number: Private | None = None,
    dialled: str = "",
    priority: int = 0,
    origin: str = "",
    since: float = 0.0,
    due: float = 0.0,
    slot: float = 0.0,
    why: str = "asked",
    attempts: int = 0,
    like: Contact | None = None,
) -> list[e.Event]:
    """A callback in that queue, not before `due`; `like`: the contact whose customer it is for."""
    spec = centre.queues[queue].spec.callbacks
    due = max(due, at)
    return [
        e.ContactBegan(
            at,
            contact,
            "voice",
            "callback",
            party,
            dialled,
            None,
            priority,
            caller=caller,
            origin=origin,
            number=number,
            owed="callback",
            last_agent=like.last_agent if like is not None else "",
            last_at=like.last_at if like is not None else 0.0,
            preferred=like.preferred if like is not None else "",
        ),
        e.Booked(
            at,
            contact,
            queue,
            due,
            1,
            why,
            since=since or at,
            expires=due + spec.expires,
            attempts=max(attempts or spec.attempts, 1),
            slot=slot,
        ),
    ]


def following(contact: Contact, what: str) -> str:
    """The id of a contact that follows from this one."""
    return f"{contact.id}-{what}{contact.follows or ''}"


def since(contact: Contact, at: float) -> float:
    """Since when somebody has waited, for the place that they keep."""
    if not contact.queued_at:
        return at
    return contact.back_since if contact.back_since and contact.back_queue is None else contact.since


def wanted(
    centre: Centre, contact: Contact, queue: str, number: str, slot: float | None, priority: int, at: float
) -> tuple[str, list[e.Event]]:
    """A caller wants to be called back: the exit of the flow's node, and what it means.

    `number`: empty for the one they call from. `slot`: a time of their choice; None: as soon as it is their turn.
    """
    known = centre.queues.get(queue)
    if known is None:
        return "failed", []
    digits = number.removeprefix("+")
    if number and not (
        digits.isascii() and digits.isdigit() and SHORTEST_NUMBER <= len(digits) <= LONGEST_NUMBER
    ):
        return "no_number", []
    if not number and not contact.caller:
        return "no_number", []
    due = at if slot is None else max(slot, at)
    place = slot if slot is not None and slot > at and known.slots else 0.0
    if place and not room(known, place):
        return "full", []
    events: list[e.Event] = []
    for other in pending(centre, contact.caller, queue):
        if other.promise is None or other.promise.why != "abandoned" or other.state != "booked":
            return "booked", [*events, e.Promised(at, contact.id, "callback", other.id)]
        events += over(other, "replaced", "asked for another", at)[0]
    name = following(contact, "cb")
    began = promise(
        centre,
        at,
        name,
        queue,
        party=contact.party,
        caller=contact.caller,
        number=Private(number) if number else None,
        dialled=contact.dialled,
        priority=contact.priority + priority,
        origin=contact.id,
        since=since(contact, at),
        due=due,
        slot=place,
        like=contact,
    )
    return "booked", [*events, *began, e.Promised(at, contact.id, "callback", name)]


def message_left(
    centre: Centre, contact: Contact, queue: str, path: str, seconds: float, at: float
) -> list[e.Event]:
    """A message waits for an agent of the queue, by the time when it was left."""
    name = following(contact, "vm")
    began = e.ContactBegan(
        at,
        name,
        "voicemail",
        "inbound",
        contact.party,
        contact.dialled,
        None,
        contact.priority,
        caller=contact.caller,
        origin=contact.id,
        owed="message",
        message=path,
        seconds=seconds,
        last_agent=contact.last_agent,
        last_at=contact.last_at,
        preferred=contact.preferred,
    )
    return [
        began,
        e.Booked(at, name, queue, at, 1, "message", since=at),
        e.Promised(at, contact.id, "message", name),
    ]


def abandoned(centre: Centre, contact: Contact, at: float) -> list[e.Event]:
    """Who has hung up while waiting is called back, where their queue does so."""
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if queue is None or queue.spec.follow_up is None or not contact.caller or contact.medium != "voice":
        return []
    if pending(centre, contact.caller, queue.spec.id):
        return []
    spec = queue.spec.follow_up
    return promise(
        centre,
        at,
        following(contact, "fu"),
        queue.spec.id,
        party=contact.party,
        caller=contact.caller,
        dialled=contact.dialled,
        priority=contact.priority + spec.priority,
        origin=contact.id,
        since=since(contact, at),
        due=at + spec.after,
        why="abandoned",
        attempts=spec.attempts,
        like=contact,
    )


def pending(centre: Centre, caller: str, queue: str = "") -> list[Contact]:
    """Callbacks that this caller is still owed (in that queue), the oldest first."""
    if not caller or caller not in centre.callers:
        return []
    found = [centre.contacts[name] for name in centre.callers[caller]]
    owed = [
        one
        for one in found
        if one.owed == "callback" and one.absent and one.promise and queue in ("", one.promise.queue)
    ]
    return sorted(owed, key=lambda one: one.order)


def here(centre: Centre, contact: Contact) -> bool:
    """Whom it is owed to is on the line, in a call of their own."""
    return any(
        centre.contacts[name].customer
        for name in centre.callers.get(contact.caller, ())
        if name != contact.id
    )


# --- slots ---


def room(queue: Queue, start: float) -> bool:
    return any(places > queue.taken.get(start, 0) for one, places in queue.slots if one == start)


def spoken(queue: Queue, start: float) -> str:
    """As the tenant's clocks show it; empty where nobody has told."""
    times = {one: text for (one, _), text in zip(queue.slots, queue.local, strict=False)}
    return times.get(start, "")


def free_slots(queue: Queue, after: float, count: int) -> list[float]:
    """Starts of the next slots with room, from that time on."""
    found = [start for start, places in queue.slots if start >= after and places > queue.taken.get(start, 0)]
    return sorted(found)[: max(count, 0)]


# --- booked, due, given up ---


def again(
    contact: Contact,
    at: float,
    due: float,
    why: str,
    *,
    queue: str = "",
    attempt: int | None = None,
    expires: float | None = None,
) -> e.Booked:
    """The same promise, from another time on."""
    held = contact.promise
    assert held is not None
    return e.Booked(
        at,
        contact.id,
        queue or held.queue,
        due,
        held.attempt if attempt is None else attempt,
        why,
        since=held.since,
        expires=held.expires if expires is None else expires,
        attempts=held.attempts,
    )


def rules(centre: Centre, contact: Contact) -> Callbacks:
    """Of its queue."""
    queue = centre.queues.get(contact.promise.queue) if contact.promise is not None else None
    return Callbacks() if queue is None else queue.spec.callbacks


def booked(centre: Centre, event: e.Booked) -> Decision:
    contact = centre.contacts.get(event.contact)
    if contact is None or contact.promise is None or contact.state != "booked":
        return [], []
    if contact.promise.due > event.at:
        return [], [c.SetTimer(f"owed:{contact.id}", contact.promise.due)]
    return stand(centre, contact, event.at)


def stand(centre: Centre, contact: Contact, at: float) -> Decision:
    """Its time has come: into the queue, unless that is closed now, or its customer calls us right now."""
    held = contact.promise
    assert held is not None
    queue = centre.queues.get(held.queue)
    if queue is None:
        return over(contact, "failed", "no such queue", at)
    if held.expires and at >= held.expires:
        return over(contact, "expired", "nobody had time", at)
    if not is_open(queue.spec.open_at, at):
        return [closed(contact, queue, at)], []
    if contact.owed == "callback" and here(centre, contact):
        return [], [c.SetTimer(f"owed:{contact.id}", at + LINE_BUSY)]
    rank = held.since - (queue.spec.priority + contact.priority) * queue.spec.ageing
    when = _until(held.expires, queue.spec.open_at, at)
    commands: list[c.Command] = [c.SetTimer(f"owed:{contact.id}", when)] if when is not None else []
    return [e.Queued(at, contact.id, queue.spec.id, held.since, rank)], commands


def hung_up(centre: Centre, event: e.ContactEnded) -> Decision:
    """What was promised in a call is due once that is over."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for name in centre.followers.get(event.contact, ()):
        contact = centre.contacts[name]
        if contact.state == "booked" and contact.promise is not None and contact.promise.due <= event.at:
            more, asked = stand(centre, contact, event.at)
            events += more
            commands += asked
    return events, commands


def closed(contact: Contact, queue: Queue, at: float) -> e.Booked:
    """Until the queue opens again; the promise lasts as long from then on."""
    held = contact.promise
    assert held is not None
    intervals = queue.spec.open_at or ()
    opens = next((start for start, _ in intervals if start > at), None)
    if opens is None:
        return again(contact, at, min(at + LOOK_AGAIN, held.expires or inf), "closed")
    expires = max(held.expires, opens + queue.spec.callbacks.expires) if held.expires else 0.0
    return again(contact, at, opens, "closed", expires=expires)


def _until(expires: float, intervals: Intervals | None, at: float) -> float | None:
    """When somebody must look at it again: it is over, or its queue closes."""
    closes = inf
    if intervals is not None:
        place = bisect_right(intervals, at, key=lambda one: one[1])
        closes = intervals[place][1] if place < len(intervals) else inf
    when = min(expires or inf, closes)
    return None if when == inf else when


def timer(centre: Centre, contact: Contact) -> float | None:
    """When the timer `owed:CONTACT` of what is owed is due; None: it has none."""
    held = contact.promise
    if held is None or not contact.absent:
        return None
    if contact.state == "booked":
        return held.due
    if contact.state not in ("queued", "offered") or contact.leg is not None:
        return None
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if queue is None:
        return held.expires or None
    return _until(held.expires, queue.spec.open_at, contact.queued_at)


def due(centre: Centre, name: str, at: float) -> Decision:
    """The timer."""
    contact = centre.contacts.get(name)
    if contact is None or contact.promise is None or not contact.absent or contact.leg is not None:
        return [], []  # the timer was too late to be cancelled
    held = contact.promise
    if contact.state == "booked":
        if at < held.due:
            return [], [c.SetTimer(f"owed:{name}", held.due)]
        return stand(centre, contact, at)
    if contact.offers:
        # A phone rings already: let it finish, then look again.
        until = max(offer.until for offer in contact.offers.values())
        return [], [c.SetTimer(f"owed:{name}", max(until, at) + 0.1)]
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if contact.state != "queued" or queue is None:
        return [], []
    if held.expires and at >= held.expires:
        return over(contact, "expired", "nobody had time", at)
    if not is_open(queue.spec.open_at, at):
        return [closed(contact, queue, at)], []
    when = _until(held.expires, queue.spec.open_at, at)
    return [], [] if when is None else [c.SetTimer(f"owed:{name}", when)]


def hours_changed(centre: Centre, queue: Queue, spec: QueueSpec, at: float) -> list[c.Command]:
    """Whoever stands in the queue is looked at again when it closes by its new hours."""
    commands: list[c.Command] = []
    for entry in [*queue.waiting, *queue.reserved]:
        held = centre.contacts[entry[2]].promise
        if held is None or not centre.contacts[entry[2]].absent:
            continue
        when = _until(held.expires, spec.open_at, at) if is_open(spec.open_at, at) else at
        if when is not None:
            commands.append(c.SetTimer(f"owed:{entry[2]}", when))
    return commands


def withdrawn(contact: Contact, why: str, at: float) -> Decision:
    """The phones of agents who were offered it ring no more."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for leg, offer in contact.offers.items():
        events.append(e.OfferEnded(at, contact.id, leg, offer.agent, "cancelled", why))
        commands += [c.CancelRing(contact.id, leg), c.CancelTimer(f"offer:{leg}")]
    return events, commands


def over(contact: Contact, outcome: e.Outcome, why: str, at: float) -> Decision:
    """It is owed no more, and nobody was spoken to."""
    events, commands = withdrawn(contact, why, at)
    return [*events, e.ContactEnded(at, contact.id, outcome, "centre", why)], [
        *commands,
        c.CancelTimer(f"owed:{contact.id}"),
    ]


# --- the caller comes by themselves ---


def replaced(centre: Centre, contact: Contact, queue: str, at: float) -> tuple[float | None, Decision]:
    """A caller who was promised a callback comes into that queue themselves: since when they stand there.

    A time of their choice that is yet to come stays theirs, and a follow-up after its grace: both go once they have
    got through.
    """
    place: float | None = None
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for other in pending(centre, contact.caller, queue):
        held = other.promise
        assert held is not None
        if other.state == "booked" and held.chosen > at:
            continue
        if other.state == "booked" and held.why == "abandoned":
            follow_up = centre.queues[queue].spec.follow_up
            if follow_up is None or at > held.at + follow_up.grace:
                continue
        place = held.since if place is None else min(place, held.since)
        if other.leg is None:
            more, asked = over(other, "replaced", "rang again", at)
            events += more
            commands += asked
    return place, (events, commands)


def fulfilled(centre: Centre, event: e.Connected) -> Decision:
    """Who talks with somebody of the house needs no callback any more. One that rings them just now runs its course."""
    contact = centre.contacts.get(event.contact)
    if contact is None or not contact.caller or not contact.customer:
        return [], []
    if len(centre.callers.get(contact.caller, ())) < 2:
        return [], []
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for other in pending(centre, contact.caller):
        if other.leg is None:
            more, asked = over(other, "replaced", "got through", event.at)
            events += more
            commands += asked
    return events, commands


# --- in words ---


def explained(contact: Contact, why: str, at: float) -> str:
    """Why an agent is offered it: the rule, and what it is."""
    held = contact.promise
    minutes = max(int((at - held.at) // 60), 0) if held is not None else 0
    if contact.owed == "message":
        return f"{why}; message, left {minutes} min ago"
    return f"{why}; callback, promised {minutes} min ago"
