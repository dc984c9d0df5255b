"""Callbacks that people ask for, slots that there are."""

from dataclasses import dataclass

from centrala.core.private import Private


@dataclass(frozen=True, slots=True)
class CallbackAsked:
    """A person (or another program) promises somebody a call. `contact` is a new id."""

    at: float
    contact: str
    queue: str
    party: str = ""
    "Whose address is rung, where there is no `number`."
    caller: str = ""
    number: Private | None = None
    since: float = 0.0
    "Since when they have waited, in unix seconds: their place goes by it; 0: since now."
    due: float = 0.0
    "Not before; 0: as soon as somebody has time."
    priority: int = 0
    origin: str = ""
    "The contact that it follows from."
    agent: str = ""
    "Who asks."


@dataclass(frozen=True, slots=True)
class CallbackDropped:
    """A callback or a message that waits shall not be dealt with any more."""

    at: float
    contact: str
    agent: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class CallbackPutOff:
    """The same shall not be dealt with before `due`; a time that has come is now."""

    at: float
    contact: str
    agent: str
    due: float


@dataclass(frozen=True, slots=True)
class SlotsOffered:
    """How many callbacks a queue has room for, from when on. Replaces what was told before."""

    at: float
    queue: str
    slots: tuple[tuple[float, int], ...]
    "(start in unix seconds, places), ascending; the core counts off what is booked."
    local: tuple[str, ...] = ()
    "The same starts as the tenant's clocks show them, in ISO 8601 without a zone, to be said to callers."


@dataclass(frozen=True, slots=True)
class CallCustomerAsked:
    """The owner of a message wants to talk with whoever left it."""

    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class PutOnHold:
    """A phone put us on hold by itself (RFC 3264 8.4)."""

    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class TakenOffHold:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """The agent's phone asked to hand the caller over without consulting (RFC 3515)."""

    at: float
    contact: str
    leg: str
    number: str
    outside: bool = False
    "The number is somebody's outside: reached over a trunk, known to the channel alone."


@dataclass(frozen=True, slots=True)
class SecondCall:
    """The phone of an agent whose customer is on hold calls somebody else: a consultation with two calls."""

    at: float
    contact: str
    "That the agent owns."
    leg: str
    "Of the new call: CONTACT.SOMETHING that was never used."
    agent: str
    number: str
    outside: bool = False


@dataclass(frozen=True, slots=True)
class AttendedAsked:
    """A phone asked to join the other ends of its two calls (RFC 5589, 7)."""

    at: float
    contact: str
    leg: str
    "In which it asked, either of the two."


@dataclass(frozen=True, slots=True)
class SlotCalled:
    """An agent's phone calls the slot in which the contact is parked."""

    at: float
    contact: str
    leg: str
    "Of the new call, as in `SecondCall`."
    agent: str
