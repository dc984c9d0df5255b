"""The survey after the call: the agent has hung up, the customer goes on into the flow that the queue names.

The agent is in after-call work meanwhile, the contact stays answered, the talk time is over. Each is asked once.
"""

from centrala.core import events as e
from centrala.core.flow.steps import begin
from centrala.core.state import Centre, Contact


def goes_on(centre: Centre, contact: Contact, at: float) -> list[e.Event] | None:
    """What follows when the owner has hung up on a customer who is to be asked; None: that was all."""
    if contact.direction not in ("inbound", "callback") or contact.survey is not None or not contact.served:
        return None
    if contact.state not in ("active", "held") or not contact.customer or contact.redirected:
        return None
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    if queue is None or not queue.spec.survey:
        return None
    entered = begin(centre, contact, queue.spec.survey, at)
    if entered is None:
        return None
    events: list[e.Event] = []
    if contact.recorded:
        events.append(e.RecordingEnded(at, contact.id, contact.leg_agent, "survey"))
    events.append(e.SurveyBegan(at, contact.id, queue.spec.survey, queue.spec.id, contact.leg_agent))
    return [*events, *entered[0]]
