"""Everything we can ask of the world.

All but `Ring` state a wish that may be repeated without harm; `Ring` is verified by its leg id, which is the
Call-ID's root, before it is repeated.
"""

from dataclasses import dataclass
from typing import Literal

from centrala.core.private import Private
from centrala.core.specs import Destination

Hears = dict[str, dict[str, float]]
"""Listening leg → what it hears (a leg, `sound:NAME`, or `prompt:ID` of a `Say`) → gain. The customer's leg is the
contact's id."""


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
    number: Private | None = None
    "Whom a `line` calls, where the core knows it …"
    party: str = ""
    "… else the address of this party. Both empty: the channel knows it by the contact."


@dataclass(frozen=True, slots=True)
class CancelRing:
    """Let go of a phone that rings, or that was picked up and is being told who waits."""

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
class StopRecord:
    """End the recording; `Record` goes on with the same file, after a gap of the true length."""

    contact: str


@dataclass(frozen=True, slots=True)
class PauseRecord:
    """Silence of the true length instead of what is said, or no more."""

    contact: str
    paused: bool
    alarm: bool = False
    "It goes on though nobody has said so: whoever paused it may have forgotten."


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


# --- in a flow ---


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a prompt, filled in."""

    kind: Literal[
        "text", "sound", "number", "money", "date", "time", "digits", "duration", "pause", "message"
    ]
    text: str = ""
    """Of `text` what to say, of `sound` its name, of `message` its path below the data folder, of `pause` milliseconds,
    of `date` and `time` ISO 8601 (or seconds after midnight), of `duration` seconds, else a number."""
    private: Private | None = None
    "The same, where it is about the caller: `text` is empty then, and what is made of it isn't kept."
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """Make a prompt of these parts, which plays once from now on → `Said`. Who hears it is told by `Mix`."""

    contact: str
    prompt: str
    "CONTACT:N"
    parts: tuple[Part, ...]
    language: str
    "Empty: the tenant's."
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Hush:
    """End a prompt; no `Said` is awaited any more."""

    contact: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Mask:
    """From here on the caller's digits stay in the channel, as the variable's value, from none on; x is told instead.

    An empty variable ends that.
    """

    contact: str
    variable: str
    forget: bool = False
    "What was typed is needed no more."


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """Record the caller alone → `MessageTaken`."""

    contact: str
    message: str
    "CONTACT:N"
    longest: float
    silence: float


@dataclass(frozen=True, slots=True)
class EndMessage:
    """What there is, is the message → `MessageTaken`."""

    contact: str
    message: str


@dataclass(frozen=True, slots=True)
class RunErrand:
    """Look something up, send something, run something → `ErrandDone`, within the timeout."""

    contact: str
    errand: str
    "CONTACT:N"
    kind: Literal["customer", "table", "http", "mail", "python", "number"]
    settings: dict[str, str]
    arguments: dict[str, Private]
    take: dict[str, str]
    into: str
    timeout: float
    cache: float


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
    | StopRecord
    | PauseRecord
    | HangUp
    | AcceptTransfer
    | RefuseTransfer
    | Say
    | Hush
    | Mask
    | TakeMessage
    | EndMessage
    | RunErrand
    | SetTimer
    | CancelTimer
)
