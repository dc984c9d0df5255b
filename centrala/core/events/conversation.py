"""Of a conversation: parties, holds, recordings, steps aside."""

from dataclasses import dataclass
from typing import Literal

from centrala.core.events.contacts import Outcome
from centrala.core.specs import (
    Destination,
    Mode,
    Role,
)


@dataclass(frozen=True, slots=True)
class Held:
    """The owner has stepped aside: the customer hears music, or goes on with the others of a conference."""

    at: float
    contact: str
    leg: str
    asked: bool = False
    "By button. Else the owner's phone has put us on hold."


@dataclass(frozen=True, slots=True)
class Resumed:
    at: float
    contact: str
    leg: str
    asked: bool = False


@dataclass(frozen=True, slots=True)
class PartyRung:
    """Somebody else's phone rings to join the contact in a role."""

    at: float
    contact: str
    leg: str
    role: Role
    agent: str | None
    "None for somebody outside."
    until: float
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class PartyAnswered:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """Of a party who is in: joins the conference, becomes the owner (role agent), supervises in another mode."""

    at: float
    contact: str
    leg: str
    agent: str | None
    role: Role
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class PartyLeft:
    """A party (or a phone that rang to become one) is out, the contact goes on."""

    at: float
    contact: str
    leg: str
    agent: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class PhoneHeld:
    """A party's own phone put us on hold, or took us off, without a change for the customer."""

    at: float
    contact: str
    leg: str
    held: bool


@dataclass(frozen=True, slots=True)
class Muted:
    at: float
    contact: str
    leg: str
    muted: bool


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The owner left while the one whom they asked still rings: whoever answers there gets the customer."""

    at: float
    contact: str
    leg: str
    "That rings."
    why: str
    to: Destination


@dataclass(frozen=True, slots=True)
class Recalled:
    """Nobody took the customer who was handed over: back to where they came from."""

    at: float
    contact: str
    to: Destination


@dataclass(frozen=True, slots=True)
class SecondLeg:
    """The owner's phone has a second call, in which they talk with the one they ask."""

    at: float
    contact: str
    leg: str
    agent: str
    asked: str
    "Leg of the one who is asked."


@dataclass(frozen=True, slots=True)
class SecondAnswered:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class SecondHeld:
    at: float
    contact: str
    leg: str
    held: bool


@dataclass(frozen=True, slots=True)
class SecondLeft:
    """That call is over; the conversation with the customer goes on, with or without its owner."""

    at: float
    contact: str
    leg: str
    agent: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Parked:
    """The customer hears music, and anybody may pick up. Said again where the time is over and nobody can be rung."""

    at: float
    contact: str
    slot: str
    agent: str
    "Who parked; free from now on."
    until: float


@dataclass(frozen=True, slots=True)
class PickedUp:
    """Out of the slot. `Connected` follows."""

    at: float
    contact: str
    slot: str
    agent: str
    leg: str


@dataclass(frozen=True, slots=True)
class RecordingBegan:
    """By hand, or since the conversation came to a queue that records: the first time, or again in the same file."""

    at: float
    contact: str
    agent: str | None


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    """The contact goes on without; by its end a recording ends without a word."""

    at: float
    contact: str
    agent: str | None
    why: Literal["asked", "survey"] = "asked"


@dataclass(frozen=True, slots=True)
class RecordingPaused:
    """From here on silence of the true length: a gap."""

    at: float
    contact: str
    agent: str | None
    why: Literal["asked", "payment", "secret"]
    until: float = 0.0
    "When it goes on by itself; 0: with what it is paused for."


@dataclass(frozen=True, slots=True)
class RecordingResumed:
    at: float
    contact: str
    agent: str | None
    why: Literal["asked", "payment", "secret", "limit", "left"]
    """asked: by hand. limit: the longest pause was over, which is an alarm. left: who paused it is out of it. Else
    with what it was paused for."""


@dataclass(frozen=True, slots=True)
class InterludeBegan:
    """The customer goes through a flow, the owner waits for them."""

    at: float
    contact: str
    leg: str
    agent: str | None
    flow: str


@dataclass(frozen=True, slots=True)
class InterludeEnded:
    """Customer and owner are together again."""

    at: float
    contact: str
    leg: str
    agent: str | None
    flow: str
    how: Literal["done", "failed", "called_back"]


@dataclass(frozen=True, slots=True)
class InterludeLeft:
    """The owner is out of it; the customer goes on in the flow, as after a blind transfer to it."""

    at: float
    contact: str
    leg: str
    agent: str | None
    flow: str


@dataclass(frozen=True, slots=True)
class SurveyBegan:
    """The agent has hung up, the customer goes on into the queue's survey."""

    at: float
    contact: str
    flow: str
    queue: str
    agent: str | None


@dataclass(frozen=True, slots=True)
class SurveyAnswered:
    at: float
    contact: str
    survey: str
    "The flow."
    question: str
    value: int
    "As pressed; of yes and no 1 and 0."
    scale: Literal["1-5", "0-10", "yes_no"]
    queue: str | None = None
    "Where they were served, and by whom; None outside a survey."
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """Somebody who waits has another place in the queue."""

    at: float
    contact: str
    priority: int
    rank: float


@dataclass(frozen=True, slots=True)
class ResultNoted:
    at: float
    contact: str
    agent: str
    disposition: str


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
