"""Asked for by agents and supervisors, on their pages or by their phones; `agent` is who asks."""

from dataclasses import dataclass

from centrala.core.specs import (
    Mode,
)


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
