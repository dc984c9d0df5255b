"""Decisions about tiers: an agent hands a customer on to those who know, or may, more.

Nothing of what is known of the contact is lost: its values and way, its priority, and why it was handed on, which
whoever is offered it next is shown (`Contact.escalations`). If nobody takes it, it comes back as after any blind
transfer.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.contact import destination, hand_over, impossible
from centrala.core.conversation import WHY_NOT, owned
from centrala.core.decision import Decision, refused
from centrala.core.specs import Destination
from centrala.core.state import Centre

EXPERT = "expert:"
"What a number begins with that reaches an expert outside the house: settings tell them so."


def escalate_asked(centre: Centre, fact: f.EscalateAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, me = found
    if contact.consult is not None:
        return refused(fact, "You are asking somebody: complete or end that first.", fact.agent)
    if contact.conference:
        return refused(fact, "Others are in the conversation: leave it instead.", fact.agent)
    if not fact.reason:
        return refused(fact, "Choose a reason.", fact.agent)
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    to = destination(centre, fact.to) if fact.to else None if queue is None else queue.spec.escalate
    if to is None and not fact.to:
        return refused(
            fact, "This queue has nobody above it: choose whom to hand the customer to.", fact.agent
        )
    why_not = impossible(centre, to)
    if to is None or why_not:
        return refused(fact, WHY_NOT[why_not], fact.agent)
    above = centre.queues.get(to.name) if to.kind == "queue" else None
    own = 1 if queue is None else queue.spec.tier
    tier = above.spec.tier if above is not None else fact.tier or own + 1
    escalated = e.Escalated(
        fact.at, contact.id, fact.agent, contact.leg_queue or "", named(centre, to), tier, fact.reason
    )
    events, commands = hand_over(centre, contact, to, fact.at)
    return [escalated, *events], [c.HangUp(contact.id, me.leg, "escalated"), *commands]


def named(centre: Centre, to: Destination) -> str:
    """A way as people know it: queue:ID, agent:ID, expert:ID; of others the kind."""
    if to.kind in ("line", "phone"):
        known = (name for name, one in centre.numbers.items() if one == to and name.startswith(EXPERT))
        return next(known, to.kind)
    return f"{to.kind}:{to.name}"
