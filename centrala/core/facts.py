"""Everything that can happen, told to the core in the past tense.

Each fact carries its own time (`at`, unix seconds) and ids that its teller chose. Personal data never enters:
`party` is the id of a row in an erasable table (see `ledger/parties.py`).
"""

from dataclasses import dataclass

from centrala.core.private import Private
from centrala.core.specs import (
    AgentSpec,
    Balancing,
    CalendarSpec,
    Destination,
    FlowSpec,
    Mode,
    ParkingSpec,
    QueueSpec,
)

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


@dataclass(frozen=True, slots=True)
class ParkingChanged:
    at: float
    spec: ParkingSpec


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


# --- in a flow ---


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """By a caller who is in a flow, or waits in a queue."""

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


# --- what the house owes ---


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


# --- asked for by agents and supervisors on their pages; `agent` is who asks ---


@dataclass(frozen=True, slots=True)
class ParkAsked:
    """Put the customer aside, for anybody to pick up."""

    at: float
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class PickUpAsked:
    """Ring my phone with a customer who is parked."""

    at: float
    contact: str
    agent: str


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
class EscalateAsked:
    """Blind transfer to those who know, or may, more."""

    at: float
    contact: str
    agent: str
    reason: str
    to: str = ""
    "As `number` in `HandOverAsked`, or `expert:ID`; empty: where the queue says."
    tier: int = 0
    "Of an expert, who is known to settings alone."


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
    caller: str = ""
    "As in `ContactArrived`, of whom is called."


@dataclass(frozen=True, slots=True)
class SuperviseAsked:
    """`agent` is the supervisor's own phone, rung if it isn't in the contact yet."""

    at: float
    contact: str
    agent: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class RecordAsked:
    """Begin a recording on demand, or end it; it may begin again."""

    at: float
    contact: str
    agent: str
    on: bool


@dataclass(frozen=True, slots=True)
class RecordingPauseAsked:
    """What is said from now on shall not be recorded, or shall again; the gap is marked."""

    at: float
    contact: str
    agent: str
    paused: bool


@dataclass(frozen=True, slots=True)
class InterludeAsked:
    """The customer goes through a flow (a payment) while the owner keeps the call, and comes back."""

    at: float
    contact: str
    agent: str
    flow: str
    "Empty: bring them back now."


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


@dataclass(frozen=True, slots=True)
class BalancingChanged:
    """How agents are lent between queues: from the settings. None: not at all."""

    at: float
    spec: Balancing | None


@dataclass(frozen=True, slots=True)
class BalanceAsked:
    """A supervisor pauses rebalancing, whereupon all who are lent return, or lets it go on."""

    at: float
    on: bool
    by: str = ""
    "Agent who asks; empty for somebody who is none."


@dataclass(frozen=True, slots=True)
class LoanEndAsked:
    """A supervisor takes a lent agent back, who then isn't lent there again for a while."""

    at: float
    agent: str
    queue: str
    by: str = ""


# --- time ---


@dataclass(frozen=True, slots=True)
class TimerFired:
    at: float
    timer: str
    """The id that `SetTimer` gave: offer:LEG, wait:CONTACT, announce:CONTACT, flow:CONTACT, park:CONTACT, wrap:AGENT
    or rest:AGENT."""


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
    | ParkingChanged
    | ContactArrived
    | Rang
    | Answered
    | OfferFailed
    | HungUp
    | DigitPressed
    | Said
    | MessageTaken
    | ErrandDone
    | CallbackAsked
    | CallbackDropped
    | CallbackPutOff
    | SlotsOffered
    | CallCustomerAsked
    | PutOnHold
    | TakenOffHold
    | TransferAsked
    | SecondCall
    | AttendedAsked
    | SlotCalled
    | ParkAsked
    | PickUpAsked
    | HoldAsked
    | ResumeAsked
    | MuteAsked
    | HangUpAsked
    | LeaveAsked
    | HandOverAsked
    | EscalateAsked
    | ConsultAsked
    | SwapAsked
    | CompleteAsked
    | ConferenceAsked
    | DropAsked
    | DialAsked
    | SuperviseAsked
    | RecordAsked
    | RecordingPauseAsked
    | InterludeAsked
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
    | BalancingChanged
    | BalanceAsked
    | LoanEndAsked
    | TimerFired
)
