"""The payment step, and whatever else a customer does alone in mid-call: through a flow, and back to the same agent.

    active ── InterludeAsked ──► flow, the owner hears music ── the flow returns, hangs up, ends ──► active
                                   ├─ InterludeAsked("") ──► active: the owner calls them back
                                   ├─ the owner leaves ──► flow, as after a blind transfer to it
                                   └─ the customer hangs up ──► the end

A recording is paused as long, whatever it was before. Secret digits stay in the channel, and are forgotten by it when
the customer is back. A flow can't send the customer elsewhere while the owner waits: its nodes queue and transfer fail.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.conversation import NOT_IN_IT, PHONE_HOLDS, owned
from centrala.core.decision import Decision, refused
from centrala.core.flow import steps as flow
from centrala.core.state import Centre


def asked(centre: Centre, fact: f.InterludeAsked) -> Decision:
    if not fact.flow:
        return _called_back(centre, fact)
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, me = found
    if contact.consult is not None:
        return refused(fact, "You are asking somebody: complete or end that first.", fact.agent)
    if contact.conference:
        return refused(fact, "Others are in the conversation: they would hear it.", fact.agent)
    if me.held:
        return refused(fact, PHONE_HOLDS, fact.agent)
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    if queue is None or fact.flow not in queue.spec.interludes:
        return refused(fact, "This queue has no such step.", fact.flow)
    entered = flow.begin(centre, contact, fact.flow, fact.at)
    if entered is None:
        return refused(fact, "This step is not published: tell your administrator.", fact.flow)
    events: list[e.Event] = [e.InterludeBegan(fact.at, contact.id, me.leg, fact.agent, fact.flow)]
    commands: list[c.Command] = []
    if contact.recorded:
        events.append(e.RecordingPaused(fact.at, contact.id, fact.agent, "payment"))
        if contact.pause is not None:
            commands.append(c.CancelTimer(f"pause:{contact.id}"))
    return [*events, *entered[0]], [*commands, *entered[1]]


def _called_back(centre: Centre, fact: f.InterludeAsked) -> Decision:
    contact, agent = centre.contacts.get(fact.contact), centre.agents.get(fact.agent)
    if contact is None or agent is None or agent.calls.get(fact.contact) != contact.leg:
        return refused(fact, NOT_IN_IT, fact.agent)
    if contact.interlude is None:
        return refused(fact, "The customer is with you.", fact.agent)
    commands = flow.left(centre, contact)
    events, more = flow.returned(contact, "called_back", fact.at)
    return events, [*commands, *more]


def ended(centre: Centre, event: e.InterludeEnded) -> Decision:
    """The recording goes on, or rests on where it had been paused by hand before; what was typed is forgotten."""
    contact = centre.contacts[event.contact]
    forget: list[c.Command] = [c.Mask(contact.id, "", forget=True)]
    pause = contact.pause
    if pause is None:
        return [], forget
    if pause.asked_until <= event.at:
        return [e.RecordingResumed(event.at, contact.id, pause.agent, pause.why)], forget
    again = e.RecordingPaused(event.at, contact.id, pause.agent, "asked", pause.asked_until)
    return [again], [*forget, c.SetTimer(f"pause:{contact.id}", pause.asked_until)]
