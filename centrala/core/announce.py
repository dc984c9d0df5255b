"""What somebody who waits is told between the music: their place, the estimated wait, messages in turn.

The wait is told as its median, rounded up, never below 30 s, and never longer than before without a word; who is first
in line is told none.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core.decision import Decision
from centrala.core.estimate import announce
from centrala.core.specs import Announce, QueueSpec
from centrala.core.state import Centre, Contact, Entry, Queue
from centrala.core.waits import ahead_of, expected


def timer(contact: Contact, spec: Announce) -> float:
    """When the next announcement is due."""
    if not contact.announced_at:
        return contact.queued_at + spec.first
    return contact.announced_at + spec.every


def await_next(contact: Contact, queue: QueueSpec, at: float) -> list[c.Command]:
    """Set the timer of somebody who waits (again), as the queue has it now."""
    if queue.announce is None or contact.announcing or contact.absent:
        return []
    return [c.SetTimer(f"announce:{contact.id}", max(at, timer(contact, queue.announce)))]


def due(centre: Centre, name: str, at: float) -> Decision:
    contact = centre.contacts.get(name)
    queue = centre.queues.get(contact.queue) if contact is not None and contact.queue is not None else None
    if contact is None or queue is None or contact.announcing or contact.state != "queued" or contact.absent:
        return [], []  # among others: a phone rings already
    spec = queue.spec.announce
    if spec is None:
        return [], []
    again: list[c.Command] = [c.SetTimer(f"announce:{name}", at + spec.every)]
    when = timer(contact, spec)
    if at < when:
        return [], [c.SetTimer(f"announce:{name}", when)]
    prompt = f"{name}:{contact.asked + 1}"
    turns = 1 + len(spec.messages)
    for turn in range(contact.announced, contact.announced + turns):
        place = turn % turns
        if place:
            parts: list[c.Part] = [c.Part("sound", spec.messages[place - 1])]
            event = e.Announced(at, name, prompt)
        else:
            event, parts = _standing(centre, contact, queue, spec, prompt, at)
        if parts:
            chosen = contact.values.get("language")
            language = chosen.value if chosen is not None and isinstance(chosen.value, str) else ""
            return [event], [c.Say(name, prompt, tuple(parts), language)]
    return [], again


def _standing(
    centre: Centre, contact: Contact, queue: Queue, spec: Announce, prompt: str, at: float
) -> tuple[e.Announced, list[c.Part]]:
    """Where they stand, and how long it may take."""
    place: Entry = (contact.rank, contact.order, contact.id)
    ahead = ahead_of(queue, place)
    parts: list[c.Part] = []
    if spec.position:
        parts += [c.Part("sound", "builtin:position"), c.Part("number", str(ahead + 1))]
    told = announce(expected(centre, queue, place, at), ahead, contact.told) if spec.wait else None
    if told is not None:
        if told.rose:
            parts.append(c.Part("sound", "builtin:wait_rose"))
        parts += [c.Part("sound", "builtin:estimated_wait"), c.Part("duration", str(told.seconds))]
    position = ahead + 1 if spec.position else None
    return e.Announced(at, contact.id, prompt, position, told.seconds if told is not None else None), parts


def ended(centre: Centre, contact: Contact, prompt: str, problem: str, at: float) -> Decision:
    """Music again, until the next one."""
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    commands: list[c.Command] = []
    if queue is not None and queue.spec.announce is not None:
        commands.append(c.SetTimer(f"announce:{contact.id}", at + queue.spec.announce.every))
    return [e.AnnouncementEnded(at, contact.id, prompt, problem)], commands


def hushed(contact: Contact) -> list[c.Command]:
    """Nobody hears the announcement to its end: the contact leaves the queue."""
    return [c.Hush(contact.id, contact.announcing)] if contact.announcing else []
