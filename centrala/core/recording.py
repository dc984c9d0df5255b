"""Decisions about the recording of a conversation that runs: begun and ended on demand, paused with a marked gap.

    off ◄── RecordAsked ──► on ◄── RecordingPauseAsked, a payment, masked digits ──► paused

There is one file and one time line: what isn't recorded is silence of the true length in it. A pause by hand has a
longest time (`QueueSpec.longest_pause`), after which the recording goes on with an alarm: whoever paused it may have
forgotten. It ends as well when its agent is out of the conversation.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.conversation import owned
from centrala.core.decision import Decision, refused
from centrala.core.state import Centre, Contact, Queue

LONGEST_PAUSE = 300.0
"Seconds, in a conversation that came by no queue."


def record_asked(centre: Centre, fact: f.RecordAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, _ = found
    queue = _queue(centre, contact)
    if queue is not None and queue.spec.record:
        if fact.on and contact.recorded:
            return [], []
        return refused(fact, "This queue records every conversation: you can pause it.", fact.agent)
    if queue is None or not queue.spec.record_on_demand:
        return refused(fact, "Conversations of this queue are not recorded on demand.", fact.agent)
    if contact.recorded == fact.on:
        return [], []
    if not fact.on:
        return [e.RecordingEnded(fact.at, contact.id, fact.agent)], [c.CancelTimer(f"pause:{contact.id}")]
    return [e.RecordingBegan(fact.at, contact.id, fact.agent)], []


def pause_asked(centre: Centre, fact: f.RecordingPauseAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, _ = found
    if not contact.recorded:
        return refused(fact, "Nothing is recorded here.", fact.agent)
    if fact.paused == (contact.pause is not None):
        return [], []
    if not fact.paused:
        return [e.RecordingResumed(fact.at, contact.id, fact.agent, "asked")], [
            c.CancelTimer(f"pause:{contact.id}")
        ]
    queue = _queue(centre, contact)
    until = fact.at + (queue.spec.longest_pause if queue is not None else LONGEST_PAUSE)
    return [e.RecordingPaused(fact.at, contact.id, fact.agent, "asked", until)], [
        c.SetTimer(f"pause:{contact.id}", until)
    ]


def _queue(centre: Centre, contact: Contact) -> Queue | None:
    return centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None


def limit_over(centre: Centre, name: str, at: float) -> Decision:
    """The longest pause by hand."""
    contact = centre.contacts.get(name)
    pause = contact.pause if contact is not None else None
    if pause is None or not pause.until:
        return [], []  # the timer was too late to be cancelled
    if at < pause.until:
        return [], [c.SetTimer(f"pause:{name}", pause.until)]
    return [e.RecordingResumed(at, name, pause.agent, "limit")], []


# --- what follows ---


def goes_on(centre: Centre, event: e.RecordingBegan) -> Decision:
    contact = centre.contacts.get(event.contact)
    if contact is None or contact.leg is None:
        return [], []
    return [], [c.Record(contact.id, contact.leg)]


def ended(centre: Centre, event: e.RecordingEnded) -> Decision:
    return [], [c.StopRecord(event.contact)]


def paused(centre: Centre, event: e.RecordingPaused) -> Decision:
    return [], [c.PauseRecord(event.contact, True)]


def resumed(centre: Centre, event: e.RecordingResumed) -> Decision:
    return [], [c.PauseRecord(event.contact, False, alarm=event.why == "limit")]


def pauser_gone(centre: Centre, event: e.Released | e.HandedOver | e.RoleChanged) -> Decision:
    """Whoever paused the recording by hand is out of the conversation: nobody else knows why it rests."""
    contact = centre.contacts.get(event.contact)
    if contact is None or contact.pause is None or contact.pause.why != "asked":
        return [], []
    if contact.leg_agent == contact.pause.agent:
        return [], []
    return [e.RecordingResumed(event.at, contact.id, contact.pause.agent, "left")], [
        c.CancelTimer(f"pause:{contact.id}")
    ]
