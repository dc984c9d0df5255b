"""Everything we can ask of the world.

All but `Ring` state a wish that may be repeated without harm; `Ring` is verified by its leg id, which is the
Call-ID's root, before it is repeated.
"""

from dataclasses import dataclass

from centrala.core.specs import Destination


@dataclass(frozen=True, slots=True)
class Answer:
    """Accept the contact: from here on we talk to its party."""

    contact: str


@dataclass(frozen=True, slots=True)
class RingBack:
    """Tell a caller who isn't answered yet that a phone rings."""

    contact: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Turn away a contact that was never answered."""

    contact: str
    cause: str
    "not_found, busy, unavailable, declined, no_answer or failed"


@dataclass(frozen=True, slots=True)
class Ring:
    """Offer the contact to a phone, as a leg of its own."""

    contact: str
    leg: str
    target: Destination
    "An agent, a phone outside, or the `line` to the person whom the agent called."
    timeout: float


@dataclass(frozen=True, slots=True)
class CancelRing:
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Caller and leg hear each other, and nothing else."""

    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class Play:
    """The caller hears this sound, and nothing else."""

    contact: str
    sound: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record the contact from here to its end: caller left, whoever serves right."""

    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class HangUp:
    contact: str
    leg: str = ""
    "Empty for the caller."
    why: str = ""


@dataclass(frozen=True, slots=True)
class AcceptTransfer:
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class RefuseTransfer:
    contact: str
    leg: str
    cause: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    timer: str
    at: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: str


Command = (
    Answer
    | RingBack
    | Refuse
    | Ring
    | CancelRing
    | Connect
    | Play
    | Record
    | HangUp
    | AcceptTransfer
    | RefuseTransfer
    | SetTimer
    | CancelTimer
)
