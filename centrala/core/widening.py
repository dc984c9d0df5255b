"""Decisions about stages: when a queue, or somebody who waits in it, opens to more agents than the queue's own.

By three causes: how long somebody has waited (`Widened`, theirs alone), how long the queue is, how few it answers in
time (`QueueWidened`, for all who wait). What the last one goes by is counted by `Late` and `Connected`. The offers
follow: see `choice`.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core.acd import fill
from centrala.core.calendar import next_open
from centrala.core.decision import Decision
from centrala.core.specs import QueueSpec
from centrala.core.stages import is_paced
from centrala.core.state import Centre, Contact, Queue


def opens_at(centre: Centre, contact: Contact, spec: QueueSpec, stage: int) -> float | None:
    """When a stage opens to a contact by its wait alone; None: never."""
    one = spec.widen[stage - 1]
    if one.after is None:
        return None
    at = contact.since + one.after
    return next_open(centre.calendars.get(one.calendar, ()), at) if one.calendar else at


def due(centre: Centre, contact: Contact, spec: QueueSpec) -> float | None:
    """When a wait has its next consequence; None: it has none any more."""
    return _next(centre, contact, spec, contact.stage, contact.late)


def _next(centre: Centre, contact: Contact, spec: QueueSpec, stage: int, late: bool) -> float | None:
    moments = [opens_at(centre, contact, spec, one) for one in range(stage + 1, len(spec.widen) + 1)]
    if not late and is_paced(spec) and not contact.owed:
        moments.append(contact.queued_at + spec.service_level[1])
    return min((one for one in moments if one is not None), default=None)


def advance(centre: Centre, contact: Contact, spec: QueueSpec, at: float) -> Decision:
    """What the wait so far has opened, and the timer of what comes next."""
    events: list[e.Event] = []
    stage, late = contact.stage, contact.late
    for one in range(len(spec.widen), stage, -1):
        moment = opens_at(centre, contact, spec, one)
        if moment is not None and moment <= at:
            events.append(e.Widened(at, contact.id, one))
            stage = one
            break
    if not late and is_paced(spec) and not contact.owed and contact.queued_at + spec.service_level[1] <= at:
        events.append(e.Late(at, contact.id))
        late = True
    then = _next(centre, contact, spec, stage, late)
    return events, [] if then is None else [c.SetTimer(f"widen:{contact.id}", max(then, at))]


def time_over(centre: Centre, name: str, at: float) -> Decision:
    """The timer of a wait, which goes on while a phone rings."""
    contact = centre.contacts.get(name)
    queue = centre.queues.get(contact.queue) if contact is not None and contact.queue is not None else None
    if contact is None or queue is None or contact.state not in ("queued", "offered"):
        return [], []
    return advance(centre, contact, queue.spec, at)


def opened(centre: Centre, event: e.Widened | e.Late) -> Decision:
    contact = centre.contacts[event.contact]
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    return ([], []) if queue is None else fill(centre, queue, event.at)


def queue_opened(centre: Centre, event: e.QueueWidened) -> Decision:
    queue = centre.queues.get(event.queue)
    return ([], []) if queue is None else fill(centre, queue, event.at)


def watch_again(centre: Centre, queue: Queue, at: float) -> Decision:
    """After the queue was configured anew: whoever waits may have waited long enough already."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    if not queue.spec.widen and not is_paced(queue.spec):
        return events, commands
    for entry in [*queue.waiting, *queue.reserved]:
        more, asked = advance(centre, centre.contacts[entry[2]], queue.spec, at)
        events += more
        commands += asked
    return events, commands


def calendar_changed(centre: Centre, event: e.CalendarDefined) -> Decision:
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for name in centre.staged:
        queue = centre.queues[name]
        if any(one.calendar == event.spec.id for one in queue.spec.widen):
            more, asked = watch_again(centre, queue, event.at)
            events += more
            commands += asked
    return events, commands


def fed(centre: Centre, name: str, at: float) -> Decision:
    """Queues that may be helped by those who serve this one, after its members have changed."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for other in centre.feeding.get(name, ()):
        if other in centre.queues:
            taken = {one.agent for one in events if isinstance(one, e.OfferMade) and one.agent is not None}
            more, asked = fill(centre, centre.queues[other], at, taken)
            events += more
            commands += asked
    return events, commands
