"""Everything that can happen, told to the core in the past tense.

Each fact carries its own time (`at`, unix seconds) and ids that its teller chose. Personal data never enters:
`party` is the id of a row in an erasable table (see `ledger/parties.py`).
"""

from dataclasses import dataclass

from centrala.core.private import Private
from centrala.core.specs import AgentSpec, CalendarSpec, Destination, FlowSpec, Mode, QueueSpec

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


@dataclass(frozen=True, slots=True)
class FlowPublished:
    """Contacts that begin from now on go through this version."""

    at: float
    spec: FlowSpec


@dataclass(frozen=True, slots=True)
class FlowRemoved:
    at: float
    flow: str


@dataclass(frozen=True, slots=True)
class CalendarChanged:
    at: float
    spec: CalendarSpec


@dataclass(frozen=True, slots=True)
class CalendarRemoved:
    at: float
    calendar: str


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


# --- in a flow ---


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """By a caller who is in a flow."""

    at: float
    contact: str
    digit: Private
    "0-9, *, #, A-D. While digits are masked: x for 0-9; the channel keeps what it was."


@dataclass(frozen=True, slots=True)
class Said:
    """A prompt has come to its end, or could not be said."""

    at: float
    contact: str
    prompt: str
    "As in `Say`."
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """What the caller said is stored: they fell silent, pressed the terminator, or it got too long."""

    at: float
    contact: str
    message: str
    "As in `TakeMessage`."
    path: str
    "Below the data folder; empty when nothing was recorded."
    seconds: float


@dataclass(frozen=True, slots=True)
class ErrandDone:
    at: float
    contact: str
    errand: str
    "As in `RunErrand`."
    exit: str
    "found, unknown, next or failed."
    values: dict[str, Private]
    "What came back, by variable."
    problem: str = ""
    "Code of why it failed: TIMEOUT, REFUSED, NONSENSE, TOO_LONG …"


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


# --- asked for by agents and supervisors on their pages; `agent` is who asks ---


@dataclass(frozen=True, slots=True)
class HoldAsked:
    """The customer shall hear music; in a conference the asking agent steps out and the others go on."""

    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class MuteAsked:
    """Nobody shall hear the asking agent, or shall again."""

    at: float
    contact: str
    agent: str
    muted: bool


@dataclass(frozen=True, slots=True)
class HangUpAsked:
    """From the owner: the end for all. From anybody else: they alone leave."""

    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class LeaveAsked:
    """I leave, they go on: out of a conference; who was only asked, or listens, leaves by this as well."""

    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class HandOverAsked:
    """Blind transfer."""

    at: float
    contact: str
    agent: str
    number: str
    "A number of the house, an agent's id, `queue:ID`; empty when `outside`: the channel knows the number then."
    outside: bool = False


@dataclass(frozen=True, slots=True)
class ConsultAsked:
    """The customer waits on hold while the owner asks somebody else."""

    at: float
    contact: str
    agent: str
    number: str
    "As in `HandOverAsked`; of a queue its first idle agent is rung."
    outside: bool = False


@dataclass(frozen=True, slots=True)
class SwapAsked:
    """From the customer to the one who was asked, and back."""

    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class CompleteAsked:
    """The customer goes on with the one who was asked; who asked is out."""

    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class ConferenceAsked:
    """All three together."""

    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class DropAsked:
    """The owner lets go of one who was asked, or of a member."""

    at: float
    contact: str
    agent: str
    leg: str


@dataclass(frozen=True, slots=True)
class DialAsked:
    """Click to call: the agent's phone is rung first, then the number. `contact` is a new id."""

    at: float
    contact: str
    agent: str
    number: str
    "As in `HandOverAsked`."
    outside: bool = False


@dataclass(frozen=True, slots=True)
class SuperviseAsked:
    """`agent` is the supervisor's own phone, rung if it isn't in the contact yet."""

    at: float
    contact: str
    agent: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class ContactMoved:
    """Somebody who waits shall wait in another queue; keeps the time waited so far."""

    at: float
    contact: str
    queue: str


@dataclass(frozen=True, slots=True)
class ContactRaised:
    """The priority of somebody who waits is set anew."""

    at: float
    contact: str
    priority: int


@dataclass(frozen=True, slots=True)
class ResultGiven:
    """The coded outcome of a contact. A note, being personal data, is stored elsewhere."""

    at: float
    contact: str
    agent: str
    disposition: str


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


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    at: float
    agent: str
    seconds: float
    "Added to what is left of the after-call work."


@dataclass(frozen=True, slots=True)
class AgentQueuesChanged:
    """A supervisor lends an agent to queues, or takes them out of some, until it is said anew."""

    at: float
    agent: str
    plus: tuple[str, ...]
    "Queues served beside those of list and skill."
    minus: tuple[str, ...]
    "Queues not served though list or skill say so."


# --- time ---


@dataclass(frozen=True, slots=True)
class TimerFired:
    at: float
    timer: str
    "The id that `SetTimer` gave: offer:LEG, wait:CONTACT, announce:CONTACT, flow:CONTACT, wrap:AGENT or rest:AGENT."


Fact = (
    QueueChanged
    | QueueRemoved
    | AgentChanged
    | AgentRemoved
    | NumberChanged
    | NumberRemoved
    | FlowPublished
    | FlowRemoved
    | CalendarChanged
    | CalendarRemoved
    | ContactArrived
    | Rang
    | Answered
    | OfferFailed
    | HungUp
    | DigitPressed
    | Said
    | MessageTaken
    | ErrandDone
    | PutOnHold
    | TakenOffHold
    | TransferAsked
    | HoldAsked
    | ResumeAsked
    | MuteAsked
    | HangUpAsked
    | LeaveAsked
    | HandOverAsked
    | ConsultAsked
    | SwapAsked
    | CompleteAsked
    | ConferenceAsked
    | DropAsked
    | DialAsked
    | SuperviseAsked
    | ContactMoved
    | ContactRaised
    | ResultGiven
    | RecordingStored
    | PhoneRegistered
    | PhoneUnregistered
    | AgentSignedIn
    | AgentReady
    | AgentPaused
    | AgentSignedOut
    | WrapUpFinished
    | WrapUpExtended
    | AgentQueuesChanged
    | TimerFired
)
