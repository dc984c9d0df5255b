"""Everything we can ask of the world.

All but `Ring` state a wish that may be repeated without harm; `Ring` is verified by its leg id, which is the
Call-ID's root, before it is repeated.
"""

from dataclasses import dataclass

from centrala.core.specs import Destination

Hears = dict[str, dict[str, float]]
"Listening leg → what it hears (a leg, or `sound:NAME`) → gain. The customer's leg is the contact's id."


@dataclass(frozen=True, slots=True)
class Answer:
    """Accept the contact: from here on we talk to its party."""

    contact: str
    leg: str = ""
    "Empty for the caller's; else that of the agent whose phone calls somebody outside."


@dataclass(frozen=True, slots=True)
class RingBack:
    """Tell a caller who isn't answered yet that a phone rings."""

    contact: str
    leg: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Turn away a contact that was never answered."""

    contact: str
    cause: str
    "not_found, busy, unavailable, declined, no_answer or failed"
    leg: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """Offer the contact to a phone, as a leg of its own."""

    contact: str
    leg: str
    "The contact's id where it is the customer who is rung."
    target: Destination
    "An agent, a phone outside, or the `line` to a person outside whose number the channel knows."
    timeout: float
    auto: bool = False
    "The agent has just asked for this call: a phone that can answers at once (RFC 5373)."


@dataclass(frozen=True, slots=True)
class CancelRing:
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class Mix:
    """Who hears whom, all of it; each leg of the contact that isn't named hears nothing."""

    contact: str
    hears: Hears


@dataclass(frozen=True, slots=True)
class Record:
    """Record the contact from here to its end: customer left, owner right."""

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


# --- written by older versions; read, never carried out: recovery says `Mix` anew ---


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


RETIRED: tuple[type, ...] = (Connect, Play)

Command = (
    Answer
    | RingBack
    | Refuse
    | Ring
    | CancelRing
    | Mix
    | Record
    | HangUp
    | AcceptTransfer
    | RefuseTransfer
    | SetTimer
    | CancelTimer
)
