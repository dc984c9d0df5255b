"""What was decided. `evolve` alone turns events into state; records and live views fold them too."""

from centrala.core.events.agents import (
    AgentFreed,
    AgentLent,
    AgentQueuesSet,
    AgentReturned,
    AgentStateChanged,
    BalancePaused,
    BalancingSet,
    PhoneFound,
    PhoneLost,
    RestBegan,
    RestEnded,
    WrapUpBegan,
    WrapUpEnded,
    WrapUpOverran,
    WrapUpProlonged,
)
from centrala.core.events.configuration import (
    AgentDefined,
    AgentDropped,
    CalendarDefined,
    CalendarDropped,
    FlowDefined,
    FlowDropped,
    NumberDefined,
    NumberDropped,
    ParkingDefined,
    QueueDefined,
    QueueDropped,
    WaitsSet,
)
from centrala.core.events.contacts import (
    Announced,
    AnnouncementEnded,
    BriefingBegan,
    BriefingEnded,
    Connected,
    ContactBegan,
    Directed,
    Escalated,
    Late,
    MusicBegan,
    OfferEnded,
    OfferMade,
    OfferRang,
    Outcome,
    Overflowed,
    Queued,
    QueueWidened,
    Reached,
    ReservationEnded,
    Reserved,
    Widened,
)
from centrala.core.events.conversation import (
    ContactEnded,
    HandedOver,
    Held,
    InterludeBegan,
    InterludeEnded,
    InterludeLeft,
    Muted,
    Parked,
    PartyAnswered,
    PartyLeft,
    PartyRung,
    PhoneHeld,
    PickedUp,
    Raised,
    Recalled,
    Recorded,
    RecordingBegan,
    RecordingEnded,
    RecordingPaused,
    RecordingResumed,
    Released,
    ResultNoted,
    Resumed,
    RoleChanged,
    SecondAnswered,
    SecondHeld,
    SecondLeft,
    SecondLeg,
    SurveyAnswered,
    SurveyBegan,
)
from centrala.core.events.flow import (
    CallTaken,
    DigitsAwaited,
    DigitsUsed,
    DigitTaken,
    ErrandBegan,
    ErrandEnded,
    FlowEntered,
    FlowLeft,
    FlowReturned,
    MessageBegan,
    MessageEnded,
    NodeEntered,
    NodeFailed,
    PromptBegan,
    PromptEnded,
    Retried,
    ValuesSet,
)
from centrala.core.events.owed import Booked, CallbackFailed, Promised, SlotsSet
from centrala.core.events.refusals import Refused

__all__ = [
    "AgentDefined", "AgentDropped", "AgentFreed", "AgentLent", "AgentQueuesSet", "AgentReturned",
    "AgentStateChanged", "Announced", "AnnouncementEnded", "BalancePaused", "BalancingSet", "Booked",
    "BriefingBegan", "BriefingEnded", "CalendarDefined", "CalendarDropped", "CallTaken", "CallbackFailed",
    "Connected", "ContactBegan", "ContactEnded", "DigitTaken", "DigitsAwaited", "DigitsUsed", "Directed",
    "ErrandBegan", "ErrandEnded", "Escalated", "Event", "FlowDefined", "FlowDropped", "FlowEntered", "FlowLeft",
    "FlowReturned", "HandedOver", "Held", "InterludeBegan", "InterludeEnded", "InterludeLeft", "Late",
    "MessageBegan", "MessageEnded", "MusicBegan", "Muted", "NodeEntered", "NodeFailed", "NumberDefined",
    "NumberDropped", "OfferEnded", "OfferMade", "OfferRang", "Outcome", "Overflowed", "Parked",
    "ParkingDefined", "PartyAnswered", "PartyLeft", "PartyRung", "PhoneFound", "PhoneHeld", "PhoneLost",
    "PickedUp", "Promised", "PromptBegan", "PromptEnded", "QueueDefined", "QueueDropped", "QueueWidened",
    "Queued", "Raised", "Reached", "Recalled", "Recorded", "RecordingBegan", "RecordingEnded",
    "RecordingPaused", "RecordingResumed", "Refused", "Released", "ReservationEnded", "Reserved", "RestBegan",
    "RestEnded", "ResultNoted", "Resumed", "Retried", "RoleChanged", "SecondAnswered", "SecondHeld",
    "SecondLeft", "SecondLeg", "SlotsSet", "SurveyAnswered", "SurveyBegan", "ValuesSet", "WaitsSet", "Widened",
    "WrapUpBegan", "WrapUpEnded", "WrapUpOverran", "WrapUpProlonged",
]  # fmt: skip

Event = (
    QueueDefined
    | QueueDropped
    | AgentDefined
    | AgentDropped
    | NumberDefined
    | NumberDropped
    | FlowDefined
    | FlowDropped
    | CalendarDefined
    | CalendarDropped
    | ParkingDefined
    | ContactBegan
    | Queued
    | Widened
    | QueueWidened
    | Late
    | Reserved
    | ReservationEnded
    | Escalated
    | Announced
    | AnnouncementEnded
    | Overflowed
    | Directed
    | OfferMade
    | OfferRang
    | OfferEnded
    | Connected
    | Reached
    | MusicBegan
    | Promised
    | Booked
    | CallbackFailed
    | SlotsSet
    | WaitsSet
    | FlowEntered
    | FlowReturned
    | NodeEntered
    | FlowLeft
    | CallTaken
    | PromptBegan
    | PromptEnded
    | DigitTaken
    | DigitsUsed
    | DigitsAwaited
    | Retried
    | ValuesSet
    | MessageBegan
    | MessageEnded
    | ErrandBegan
    | ErrandEnded
    | NodeFailed
    | Held
    | Resumed
    | PartyRung
    | PartyAnswered
    | RoleChanged
    | PartyLeft
    | PhoneHeld
    | Muted
    | HandedOver
    | SecondLeg
    | SecondAnswered
    | SecondHeld
    | SecondLeft
    | Parked
    | PickedUp
    | Recalled
    | BriefingBegan
    | BriefingEnded
    | RecordingBegan
    | RecordingEnded
    | RecordingPaused
    | RecordingResumed
    | InterludeBegan
    | InterludeEnded
    | InterludeLeft
    | SurveyBegan
    | SurveyAnswered
    | Raised
    | ResultNoted
    | Released
    | ContactEnded
    | Recorded
    | AgentQueuesSet
    | BalancingSet
    | BalancePaused
    | AgentLent
    | AgentReturned
    | AgentStateChanged
    | PhoneFound
    | PhoneLost
    | AgentFreed
    | WrapUpBegan
    | WrapUpProlonged
    | WrapUpOverran
    | WrapUpEnded
    | RestBegan
    | RestEnded
    | Refused
)
