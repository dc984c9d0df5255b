"""How a phone's second call ends, and how it is answered: for decisions about the contact itself."""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core.state import Contact, Second

CAUSES = {"unreachable": "unavailable", "asleep": "unavailable", "failed": "failed"}
SPOKEN = ("not_found", "busy", "unavailable", "declined", "no_answer", "failed")
"Causes that a `Refuse` may have."


def let_go(contact: Contact, second: Second, why: str, at: float) -> tuple[e.Event, list[c.Command]]:
    """End the phone's second call: hung up, or turned away where it wasn't answered."""
    cause = CAUSES.get(why, why)
    end: c.Command = (
        c.HangUp(contact.id, second.leg, why)
        if second.talking
        else c.Refuse(contact.id, cause if cause in SPOKEN else "no_answer", second.leg)
    )
    return e.SecondLeft(at, contact.id, second.leg, second.agent, why), [end]


def rung(contact: Contact, leg: str) -> list[c.Command]:
    """Whoever is asked rings: the phone that asks hears it."""
    second = contact.second
    if second is None or second.asked != leg or second.talking:
        return []
    return [c.RingBack(contact.id, second.leg)]


def met(contact: Contact, leg: str, at: float) -> tuple[list[e.Event], list[c.Command]]:
    """Whoever is asked has picked up: so is the phone that asks."""
    second = contact.second
    if second is None or second.asked != leg or second.talking:
        return [], []
    return [e.SecondAnswered(at, contact.id, second.leg)], [c.Answer(contact.id, second.leg)]
