"""Everything that can happen, told to the core in the past tense.

Each fact carries its own time (`at`, unix seconds) and ids that its teller chose. Personal data never enters:
`party` is the id of a row in an erasable table (see `ledger/parties.py`).
"""

from dataclasses import dataclass

from centrala.core.specs import AgentSpec, Destination, QueueSpec

# --- configuration ---


@dataclass(frozen=True, slots=True)
class QueueChanged:
    at: float
    spec: QueueSpec


@dataclass(frozen=True, slots=True)
class QueueRemoved:
    at: float
    queue: str


@dataclass(frozen=True, slots=True)
class AgentChanged:
    at: float
    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class NumberChanged:
    at: float
    number: str
    destination: Destination


@dataclass(frozen=True, slots=True)
class NumberRemoved:
    at: float
    number: str


# --- contacts ---


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


@dataclass(frozen=True, slots=True)
class Rang:
    """The phone that an offer (a leg) went to rings."""

    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The phone that an offer (a leg) went to was picked up."""

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
    "busy, declined, no_answer, unreachable or failed"


@dataclass(frozen=True, slots=True)
class HungUp:
    at: float
    contact: str
    leg: str = ""
    "Empty for the caller, else the offer whose phone hung up."
    why: str = "hung up"


@dataclass(frozen=True, slots=True)
class PutOnHold:
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
class RecordingStored:
    at: float
    contact: str
    path: str
    "Below the data folder."
    seconds: float
    expected: float


# --- agents ---


@dataclass(frozen=True, slots=True)
class PhoneRegistered:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class PhoneUnregistered:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class AgentSignedIn:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class AgentReady:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class AgentPaused:
    at: float
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentSignedOut:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpFinished:
    """The agent is done with the after-call work before its time is up."""

    at: float
    agent: str


# --- time ---


@dataclass(frozen=True, slots=True)
class TimerFired:
    at: float
    timer: str
    "The id that `SetTimer` gave: offer:LEG, wait:CONTACT, wrap:AGENT or rest:AGENT."


Fact = (
    QueueChanged
    | QueueRemoved
    | AgentChanged
    | AgentRemoved
    | NumberChanged
    | NumberRemoved
    | ContactArrived
    | Rang
    | Answered
    | OfferFailed
    | HungUp
    | PutOnHold
    | TakenOffHold
    | TransferAsked
    | RecordingStored
    | PhoneRegistered
    | PhoneUnregistered
    | AgentSignedIn
    | AgentReady
    | AgentPaused
    | AgentSignedOut
    | WrapUpFinished
    | TimerFired
)
