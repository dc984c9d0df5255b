"""Of contacts, from their beginning to their end: queues, offers, connections."""

from dataclasses import dataclass
from typing import Literal

from centrala.core.private import Private
from centrala.core.specs import (
    Destination,
)

Outcome = Literal[
    "answered",
    "abandoned",
    "short_abandoned",
    "redirected",
    "callback",
    "voicemail",
    "refused",
    "failed",
    "self_served",
    "left_menu",
    "unreached",
    "expired",
    "replaced",
    "dropped",
]
"""How a contact ended for its customer. self_served: a flow did what they came for. left_menu: they hung up inside
a flow, which is no abandonment: that is of queues. callback: they were promised one, which is a contact of its own.
voicemail: they left a message, which is one as well.

Of what is owed: unreached after its last attempt, expired before anybody had time, replaced since they rang again or
somebody got through to them, dropped by a person."""


@dataclass(frozen=True, slots=True)
class ContactBegan:
    at: float
    contact: str
    medium: str
    direction: str
    "inbound, outbound, internal or callback"
    party: str
    dialled: str
    agent: str | None
    "The agent who called, if an agent did."
    priority: int
    leg: str = ""
    "Of an agent whose phone calls somebody outside: that one is the customer. Empty where the caller is."
    click: bool = False
    "The agent's own phone is to be rung first."
    caller: str = ""
    "Pseudonym of the customer's number; empty where it isn't known."
    origin: str = ""
    "The contact that it follows from."
    number: Private | None = None
    "To be rung, where it isn't the party's own address."
    owed: Literal["", "callback", "message"] = ""
    "What the house owes its customer, who isn't on the line: tells `Booked`."
    message: str = ""
    "Path of the message that was left, below the data folder …"
    seconds: float = 0.0
    "… and how long it is."
    last_agent: str = ""
    last_at: float = 0.0
    preferred: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    at: float
    contact: str
    queue: str
    since: float
    "When the wait began, in unix seconds; overflow keeps it."
    rank: float
    "since − priority × ageing: the least is served first."
    estimate: float | None = None
    "Seconds that the wait was expected to last, in the mean; 0 with somebody idle, None while nothing is known."
    seen: tuple[float, ...] = ()
    "What that went by (`learned.SEEN`), where the queue's past is learned from."


@dataclass(frozen=True, slots=True)
class Widened:
    """Somebody has waited so long that more agents may be offered them."""

    at: float
    contact: str
    stage: int


@dataclass(frozen=True, slots=True)
class QueueWidened:
    """A queue has become so long, or so slow, that more agents may be offered whoever waits there; or no more."""

    at: float
    queue: str
    stage: int
    why: Literal["length", "service_level", "calm"]


@dataclass(frozen=True, slots=True)
class Late:
    """Somebody waits longer than their queue's service level promises; told where stages or ways out go by it."""

    at: float
    contact: str


@dataclass(frozen=True, slots=True)
class Reserved:
    """Somebody waits for one agent alone, and keeps the place in the queue."""

    at: float
    contact: str
    agent: str
    until: float
    why: Literal["last", "preferred", "flow"]


@dataclass(frozen=True, slots=True)
class ReservationEnded:
    """From now on they wait for anybody, as all do."""

    at: float
    contact: str
    why: Literal["time", "refused", "missed", "failed", "gone"]


@dataclass(frozen=True, slots=True)
class Escalated:
    """An agent hands their customer on to those who know, or may, more; `Released` follows."""

    at: float
    contact: str
    agent: str
    queue: str
    "Whose customer it was; empty where none's."
    to: str
    "queue:ID, agent:ID, expert:ID, or what else the way leads to."
    tier: int
    reason: str


@dataclass(frozen=True, slots=True)
class Announced:
    """Somebody who waits hears something else than music for a while."""

    at: float
    contact: str
    prompt: str
    position: int | None = None
    "That was told: 1 is next."
    seconds: int | None = None
    "The wait that was told."
    seen: tuple[float, ...] = ()
    "As in `Queued`, of this moment."


@dataclass(frozen=True, slots=True)
class AnnouncementEnded:
    at: float
    contact: str
    prompt: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Overflowed:
    """A queue's way out was taken."""

    at: float
    contact: str
    queue: str
    why: Literal["full", "no_agents", "max_wait", "closed", "removed", "moved", "slow", "key"]
    to: Destination
    exit: str = ""
    "Of a key: the exit by which it leads back to the flow."


@dataclass(frozen=True, slots=True)
class Directed:
    """The contact goes to one destination that is not a queue."""

    at: float
    contact: str
    to: Destination
    redirected: bool = False
    "It left the house by a queue's way out."


@dataclass(frozen=True, slots=True)
class OfferMade:
    """A leased reservation: until `until` the contact is this agent's alone to answer."""

    at: float
    contact: str
    leg: str
    agent: str | None
    "None for a phone outside."
    queue: str | None
    until: float
    why: str
    "Why this one: the rule, and what it was measured by."


@dataclass(frozen=True, slots=True)
class OfferRang:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """The lease is over without a conversation."""

    at: float
    contact: str
    leg: str
    agent: str | None
    how: Literal["missed", "refused", "failed", "cancelled"]
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Connected:
    at: float
    contact: str
    leg: str
    record: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """The phone of the agent who wants to call was picked up: now whom they call is rung."""

    at: float
    contact: str
    leg: str
    agent: str


@dataclass(frozen=True, slots=True)
class BriefingBegan:
    """A phone that an offer went to was picked up: its agent, alone, is told who waits, and since when."""

    at: float
    contact: str
    leg: str
    agent: str | None
    prompt: str
    until: float
    "When the conversation begins at the latest."


@dataclass(frozen=True, slots=True)
class BriefingEnded:
    """The conversation begins (`Connected`), or there is nobody left to begin it."""

    at: float
    contact: str
    leg: str
    agent: str | None
    how: Literal["said", "failed", "time", "cancelled"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MusicBegan:
    """The number plays a sound to whoever calls it."""

    at: float
    contact: str
