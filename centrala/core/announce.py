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

LOST = "lost"
"Problem of a prompt that was cut off by the death of our own processes: it is said again."


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
    when = timer(contact, spec)
    if at < when:
        return [], [c.SetTimer(f"announce:{name}", when)]
    found = _told(centre, contact, queue, spec, contact.announced, at)
    return found or ([], [c.SetTimer(f"announce:{name}", at + spec.every)])


def _told(
    centre: Centre, contact: Contact, queue: Queue, spec: Announce, first: int, at: float
) -> Decision | None:
    """What this turn has to say, or else the next one that has anything; None: none has."""
    prompt = f"{contact.id}:{contact.asked + 1}"
    turns = 1 + len(spec.messages)
    for turn in range(first, first + turns):
        place = turn % turns
        if place:
            parts: list[c.Part] = [c.Part("sound", spec.messages[place - 1])]
            event = e.Announced(at, contact.id, prompt)
        else:
            event, parts = _standing(centre, contact, queue, spec, prompt, at)
        if parts:
            chosen = contact.values.get("language")
            language = chosen.value if chosen is not None and isinstance(chosen.value, str) else ""
            return [event], [c.Say(contact.id, prompt, tuple(parts), language)]
    return None


def _standing(
    centre: Centre, contact: Contact, queue: Queue, spec: Announce, prompt: str, at: float
) -> tuple[e.Announced, list[c.Part]]:
    """Where they stand, and how long it may take."""
    place: Entry = (contact.rank, contact.order, contact.id)
    ahead = ahead_of(queue, place)
    parts: list[c.Part] = []
    if spec.position:
        parts += [c.Part("sound", "builtin:position"), c.Part("number", str(ahead + 1))]
    found = expected(centre, queue, place, at) if spec.wait else None
    told = announce(found, ahead, contact.told)
    if told is not None:
        if told.rose:
            parts.append(c.Part("sound", "builtin:wait_rose"))
        parts += [c.Part("sound", "builtin:estimated_wait"), c.Part("duration", str(told.seconds))]
    position = ahead + 1 if spec.position else None
    seconds = told.seconds if told is not None else None
    return e.Announced(at, contact.id, prompt, position, seconds, () if found is None else found.seen), parts


def ended(centre: Centre, contact: Contact, prompt: str, problem: str, at: float) -> Decision:
    """Music again, until the next one. What a restart has cut off is said anew."""
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    anew = _anew(centre, contact, queue, at) if problem == LOST else None
    if anew is not None:
        return [e.AnnouncementEnded(at, contact.id, prompt, problem), *anew[0]], anew[1]
    commands: list[c.Command] = []
    if queue is not None and queue.spec.announce is not None:
        commands.append(c.SetTimer(f"announce:{contact.id}", at + queue.spec.announce.every))
    return [e.AnnouncementEnded(at, contact.id, prompt, problem)], commands


def _anew(centre: Centre, contact: Contact, queue: Queue | None, at: float) -> Decision | None:
    if contact.owed == "message" and contact.leg is not None:
        prompt = f"{contact.id}:{contact.asked + 1}"
        say = c.Say(contact.id, prompt, (c.Part("message", contact.message),), "")
        return [e.Announced(at, contact.id, prompt)], [say]
    if queue is None or queue.spec.announce is None or contact.state != "queued":
        return None
    return _told(centre, contact, queue, queue.spec.announce, max(contact.announced - 1, 0), at)


def hushed(contact: Contact) -> list[c.Command]:
    """Nobody hears the announcement to its end: the contact leaves the queue."""
    return [c.Hush(contact.id, contact.announcing)] if contact.announcing else []
