"""Told by channels: calls come, phones ring, people hang up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContactArrived:
    """Somebody calls (writes, …). The teller has proven where it comes from."""

    at: float
    contact: str
    dialled: str
    "The number that was dialled; empty when `outside`."
    party: str = ""
    medium: str = "voice"
    agent: str | None = None
    "The agent whose phone calls; None for a call from a trunk."
    outside: bool = False
    "An agent calls a person outside over a trunk; the channel knows the number by `party`."
    priority: int = 0
    "Points added to the queue's own."
    caller: str = ""
    "Pseudonym of the number that calls, or is called: a keyed hash. Empty where it is withheld."
    last_agent: str = ""
    "Who last talked with this number …"
    last_at: float = 0.0
    "… and when."
    preferred: str = ""
    "The agent whom the customer's card names."


@dataclass(frozen=True, slots=True)
class Rang:
    """The phone that an offer (a leg) went to rings."""

    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The phone that an offer (a leg) went to was picked up. The customer's own, where we rang it: leg = contact."""

    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """The phone refused or could not be reached."""

    at: float
    contact: str
    leg: str
    cause: str
    "busy, declined, no_answer, unreachable, failed, or asleep: a registered page didn't say a word"


@dataclass(frozen=True, slots=True)
class HungUp:
    at: float
    contact: str
    leg: str = ""
    "Empty for the caller, else the offer whose phone hung up."
    why: str = "hung up"
