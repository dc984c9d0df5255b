"""Keys that somebody presses while they wait: ways out that they choose themselves.

By the exit of that digit of the flow's queue node, or else as the queue says. A key that means nothing, or leads where
nobody can go now, does nothing. Whoever comes back to the queue has kept their place.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.acd import BACK
from centrala.core.announce import hushed
from centrala.core.calendar import is_open
from centrala.core.decision import Decision
from centrala.core.flow import run as flow
from centrala.core.flow.nodes import Enqueue
from centrala.core.flow.position import node_of
from centrala.core.owed import withdrawn
from centrala.core.specs import Destination
from centrala.core.state import Centre, Contact


def pressed(centre: Centre, fact: f.DigitPressed) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.queue is None or contact.state not in ("queued", "offered"):
        return flow.digit_pressed(centre, fact)
    if not contact.customer or not contact.standing or contact.queue not in centre.queues:
        return [], []  # among others: the phone of the agent who gets them rings already
    digit, at = str(fact.digit.value), fact.at
    node = node_of(centre, contact)
    exit = digit if node is not None and isinstance(node.does, Enqueue) and digit in node.exits else ""
    to = BACK if exit else centre.queues[contact.queue].spec.keys.get(digit)
    if to is None or not (exit or _possible(centre, contact, to, at)):
        return [], []
    events, commands = withdrawn(contact, "left by a key", at)
    out = e.Overflowed(at, contact.id, contact.queue, "key", to, exit)
    return [*events, out], [*commands, c.CancelTimer(f"wait:{contact.id}"), *hushed(contact)]


def _possible(centre: Centre, contact: Contact, to: Destination, at: float) -> bool:
    """Whether it leads there now: nobody shall lose their place for nothing."""
    match to.kind:
        case "queue":
            queue = centre.queues.get(to.name)
            return queue is not None and to.name != contact.queue and is_open(queue.spec.open_at, at)
        case "agent":
            agent = centre.agents.get(to.name)
            return agent is not None and agent.reachable and not (agent.calls or agent.offers)
        case "flow":
            known = centre.flows.get(to.name)
            return known is not None and known.current != 0
        case _:
            return True
