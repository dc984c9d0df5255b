"""What decisions are, and the two that every part of the core comes to: nothing of this, and no further."""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.state import Contact

Decision = tuple[list[e.Event], list[c.Command]]


def refused(fact: f.Fact, reason: str, subject: str = "") -> Decision:
    return [e.Refused(fact.at, type(fact).__name__, reason, subject)], []


def turn_away(contact: Contact, cause: str, at: float, outcome: e.Outcome = "refused") -> Decision:
    """End a contact that the house can't serve: an error before the answer, a hang-up after it.

    Said to whoever called: the customer, or the agent who wanted to call one.
    """
    if contact.served:
        outcome = "answered"
    elif contact.left:
        outcome = contact.left
    commands: list[c.Command] = [c.CancelTimer(f"wait:{contact.id}")]
    leg = contact.leg or ""
    if contact.answered:
        commands.insert(0, c.HangUp(contact.id, leg, cause))
    elif not contact.calling:
        commands.insert(0, c.Refuse(contact.id, cause, leg))
    events: list[e.Event] = [] if contact.agent is None else [e.AgentFreed(at, contact.agent, contact.id)]
    return [*events, e.ContactEnded(at, contact.id, outcome, "centre", cause)], commands
