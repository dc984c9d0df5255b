"""Everything that can happen, told to the core in the past tense.

Each fact carries its own time (`at`, unix seconds) and ids that its teller chose. Personal data never enters:
`party` is the id of a row in an erasable table (see `ledger/parties.py`).
"""

from centrala.core.facts.agents import (
    AgentPaused,
    AgentQueuesChanged,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    BalanceAsked,
    BalancingChanged,
    LoanEndAsked,
    PhoneRegistered,
    PhoneUnregistered,
    WrapUpExtended,
    WrapUpFinished,
)
from centrala.core.facts.asked import (
    CompleteAsked,
    ConferenceAsked,
    ConsultAsked,
    ContactMoved,
    ContactRaised,
    DialAsked,
    DropAsked,
    EscalateAsked,
    HandOverAsked,
    HangUpAsked,
    HoldAsked,
    InterludeAsked,
    LeaveAsked,
    MuteAsked,
    ParkAsked,
    PickUpAsked,
    RecordAsked,
    RecordingPauseAsked,
    RecordingStored,
    ResultGiven,
    ResumeAsked,
    SuperviseAsked,
    SwapAsked,
)
from centrala.core.facts.configuration import (
    AgentChanged,
    AgentRemoved,
    CalendarChanged,
    CalendarRemoved,
    FlowPublished,
    FlowRemoved,
    NumberChanged,
    NumberRemoved,
    ParkingChanged,
    QueueChanged,
    QueueRemoved,
    WaitsLearned,
)
from centrala.core.facts.contacts import Answered, ContactArrived, HungUp, OfferFailed, Rang
from centrala.core.facts.flow import DigitPressed, ErrandDone, MessageTaken, Said
from centrala.core.facts.owed import (
    AttendedAsked,
    CallbackAsked,
    CallbackDropped,
    CallbackPutOff,
    CallCustomerAsked,
    PutOnHold,
    SecondCall,
    SlotCalled,
    SlotsOffered,
    TakenOffHold,
    TransferAsked,
)
from centrala.core.facts.time import TimerFired

__all__ = [
    "AgentChanged", "AgentPaused", "AgentQueuesChanged", "AgentReady", "AgentRemoved", "AgentSignedIn",
    "AgentSignedOut", "Answered", "AttendedAsked", "BalanceAsked", "BalancingChanged", "CalendarChanged",
    "CalendarRemoved", "CallCustomerAsked", "CallbackAsked", "CallbackDropped", "CallbackPutOff",
    "CompleteAsked", "ConferenceAsked", "ConsultAsked", "ContactArrived", "ContactMoved", "ContactRaised",
    "DialAsked", "DigitPressed", "DropAsked", "ErrandDone", "EscalateAsked", "Fact", "FlowPublished",
    "FlowRemoved", "HandOverAsked", "HangUpAsked", "HoldAsked", "HungUp", "InterludeAsked", "LeaveAsked",
    "LoanEndAsked", "MessageTaken", "MuteAsked", "NumberChanged", "NumberRemoved", "OfferFailed", "ParkAsked",
    "ParkingChanged", "PhoneRegistered", "PhoneUnregistered", "PickUpAsked", "PutOnHold", "QueueChanged",
    "QueueRemoved", "Rang", "RecordAsked", "RecordingPauseAsked", "RecordingStored", "ResultGiven",
    "ResumeAsked", "Said", "SecondCall", "SlotCalled", "SlotsOffered", "SuperviseAsked", "SwapAsked",
    "TakenOffHold", "TimerFired", "TransferAsked", "WaitsLearned", "WrapUpExtended", "WrapUpFinished",
]  # fmt: skip

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
    | WaitsLearned
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
