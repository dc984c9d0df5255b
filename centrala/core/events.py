"""What was decided. `evolve` alone turns events into state; records and live views fold them too."""

from dataclasses import dataclass
from typing import Literal

from centrala.core.specs import AgentSpec, Destination, QueueSpec

Outcome = Literal[
    "answered", "abandoned", "short_abandoned", "redirected", "callback", "voicemail", "refused", "failed"
]

# --- configuration ---


@dataclass(frozen=True, slots=True)
class QueueDefined:
    at: float
    spec: QueueSpec


@dataclass(frozen=True, slots=True)
class QueueDropped:
    at: float
    queue: str


@dataclass(frozen=True, slots=True)
class AgentDefined:
    at: float
    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class AgentDropped:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class NumberDefined:
    at: float
    number: str
    destination: Destination


@dataclass(frozen=True, slots=True)
class NumberDropped:
    at: float
    number: str


# --- contacts ---


@dataclass(frozen=True, slots=True)
class ContactBegan:
    at: float
    contact: str
    medium: str
    direction: str
    "inbound, outbound or internal"
    party: str
    dialled: str
    agent: str | None
    "The agent who called, if an agent did."
    priority: int


@dataclass(frozen=True, slots=True)
class Queued:
    at: float
    contact: str
    queue: str
    since: float
    "When the wait began, in unix seconds; overflow keeps it."
    rank: float
    "since − priority × ageing: the least is served first."


@dataclass(frozen=True, slots=True)
class Overflowed:
    """A queue's way out was taken."""

    at: float
    contact: str
    queue: str
    why: Literal["full", "no_agents", "max_wait", "closed", "removed"]
    to: Destination


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
class MusicBegan:
    """The number plays a sound to whoever calls it."""

    at: float
    contact: str


@dataclass(frozen=True, slots=True)
class Held:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class Resumed:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class Released:
    """The agent (or the phone outside) is out of the conversation, the contact goes on."""

    at: float
    contact: str
    leg: str
    why: str
    to: Destination


@dataclass(frozen=True, slots=True)
class ContactEnded:
    """The party is gone. Wrap-up may go on."""

    at: float
    contact: str
    outcome: Outcome
    by: Literal["caller", "agent", "centre"]
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    at: float
    contact: str
    path: str
    seconds: float
    expected: float


# --- agents ---


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """What the agent wants: the intent, whatever phone and load say."""

    at: float
    agent: str
    intent: Literal["logged_out", "not_ready", "ready"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PhoneFound:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class PhoneLost:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class AgentFreed:
    """The agent is out of the conversation, with no wrap-up to do."""

    at: float
    agent: str
    contact: str


@dataclass(frozen=True, slots=True)
class WrapUpBegan:
    """The agent is out of the conversation and has after-call work to do."""

    at: float
    agent: str
    contact: str
    until: float


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    at: float
    agent: str
    contact: str


@dataclass(frozen=True, slots=True)
class RestBegan:
    """Back-off after a missed or refused offer."""

    at: float
    agent: str
    until: float
    missed: int


@dataclass(frozen=True, slots=True)
class RestEnded:
    at: float
    agent: str


# --- refusals ---


@dataclass(frozen=True, slots=True)
class Refused:
    """An impossible fact: normal in telephony (an answer after the hang-up), and harmless."""

    at: float
    fact: str
    reason: str
    subject: str = ""


Event = (
    QueueDefined
    | QueueDropped
    | AgentDefined
    | AgentDropped
    | NumberDefined
    | NumberDropped
    | ContactBegan
    | Queued
    | Overflowed
    | Directed
    | OfferMade
    | OfferRang
    | OfferEnded
    | Connected
    | MusicBegan
    | Held
    | Resumed
    | Released
    | ContactEnded
    | Recorded
    | AgentStateChanged
    | PhoneFound
    | PhoneLost
    | AgentFreed
    | WrapUpBegan
    | WrapUpEnded
    | RestBegan
    | RestEnded
    | Refused
)
