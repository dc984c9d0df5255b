"""What was decided. `evolve` alone turns events into state; records and live views fold them too."""

from dataclasses import dataclass
from typing import Literal

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
    Role,
)

Outcome = Literal[
    "answered",
    "abandoned",
    "short_abandoned",
    "redirected",
    "callback",
    "voicemail",
    "refused",
    "failed",
    "self_served",
    "left_menu",
    "unreached",
    "expired",
    "replaced",
    "dropped",
]
"""How a contact ended for its customer. self_served: a flow did what they came for. left_menu: they hung up inside
a flow, which is no abandonment: that is of queues. callback: they were promised one, which is a contact of its own.
voicemail: they left a message, which is one as well.

Of what is owed: unreached after its last attempt, expired before anybody had time, replaced since they rang again or
somebody got through to them, dropped by a person."""

# --- configuration ---


@dataclass(frozen=True, slots=True)
class QueueDefined:
    at: float
    spec: QueueSpec


@dataclass(frozen=True, slots=True)
class QueueDropped:
    at: float
    queue: str


@dataclass(frozen=True, slots=True)
class AgentDefined:
    at: float
    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class AgentDropped:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class NumberDefined:
    at: float
    number: str
    destination: Destination


@dataclass(frozen=True, slots=True)
class NumberDropped:
    at: float
    number: str


@dataclass(frozen=True, slots=True)
class FlowDefined:
    at: float
    spec: FlowSpec


@dataclass(frozen=True, slots=True)
class FlowDropped:
    """Nobody enters it any more; who is inside goes on."""

    at: float
    flow: str


@dataclass(frozen=True, slots=True)
class CalendarDefined:
    at: float
    spec: CalendarSpec


@dataclass(frozen=True, slots=True)
class CalendarDropped:
    at: float
    calendar: str


@dataclass(frozen=True, slots=True)
class ParkingDefined:
    at: float
    spec: ParkingSpec


# --- contacts ---


@dataclass(frozen=True, slots=True)
class ContactBegan:
    at: float
    contact: str
    medium: str
    direction: str
    "inbound, outbound, internal or callback"
    party: str
    dialled: str
    agent: str | None
    "The agent who called, if an agent did."
    priority: int
    leg: str = ""
    "Of an agent whose phone calls somebody outside: that one is the customer. Empty where the caller is."
    click: bool = False
    "The agent's own phone is to be rung first."
    caller: str = ""
    "Pseudonym of the customer's number; empty where it isn't known."
    origin: str = ""
    "The contact that it follows from."
    number: Private | None = None
    "To be rung, where it isn't the party's own address."
    owed: Literal["", "callback", "message"] = ""
    "What the house owes its customer, who isn't on the line: tells `Booked`."
    message: str = ""
    "Path of the message that was left, below the data folder …"
    seconds: float = 0.0
    "… and how long it is."
    last_agent: str = ""
    last_at: float = 0.0
    preferred: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    at: float
    contact: str
    queue: str
    since: float
    "When the wait began, in unix seconds; overflow keeps it."
    rank: float
    "since − priority × ageing: the least is served first."
    estimate: float | None = None
    "Seconds that the wait was expected to last, in the mean; 0 with somebody idle, None while nothing is known."


@dataclass(frozen=True, slots=True)
class Widened:
    """Somebody has waited so long that more agents may be offered them."""

    at: float
    contact: str
    stage: int


@dataclass(frozen=True, slots=True)
class QueueWidened:
    """A queue has become so long, or so slow, that more agents may be offered whoever waits there; or no more."""

    at: float
    queue: str
    stage: int
    why: Literal["length", "service_level", "calm"]


@dataclass(frozen=True, slots=True)
class Late:
    """Somebody waits longer than their queue's service level promises; told where stages or ways out go by it."""

    at: float
    contact: str


@dataclass(frozen=True, slots=True)
class Reserved:
    """Somebody waits for one agent alone, and keeps the place in the queue."""

    at: float
    contact: str
    agent: str
    until: float
    why: Literal["last", "preferred", "flow"]


@dataclass(frozen=True, slots=True)
class ReservationEnded:
    """From now on they wait for anybody, as all do."""

    at: float
    contact: str
    why: Literal["time", "refused", "missed", "failed", "gone"]


@dataclass(frozen=True, slots=True)
class Escalated:
    """An agent hands their customer on to those who know, or may, more; `Released` follows."""

    at: float
    contact: str
    agent: str
    queue: str
    "Whose customer it was; empty where none's."
    to: str
    "queue:ID, agent:ID, expert:ID, or what else the way leads to."
    tier: int
    reason: str


@dataclass(frozen=True, slots=True)
class Announced:
    """Somebody who waits hears something else than music for a while."""

    at: float
    contact: str
    prompt: str
    position: int | None = None
    "That was told: 1 is next."
    seconds: int | None = None
    "The wait that was told."


@dataclass(frozen=True, slots=True)
class AnnouncementEnded:
    at: float
    contact: str
    prompt: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Overflowed:
    """A queue's way out was taken."""

    at: float
    contact: str
    queue: str
    why: Literal["full", "no_agents", "max_wait", "closed", "removed", "moved", "slow", "key"]
    to: Destination
    exit: str = ""
    "Of a key: the exit by which it leads back to the flow."


@dataclass(frozen=True, slots=True)
class Directed:
    """The contact goes to one destination that is not a queue."""

    at: float
    contact: str
    to: Destination
    redirected: bool = False
    "It left the house by a queue's way out."


@dataclass(frozen=True, slots=True)
class OfferMade:
    """A leased reservation: until `until` the contact is this agent's alone to answer."""

    at: float
    contact: str
    leg: str
    agent: str | None
    "None for a phone outside."
    queue: str | None
    until: float
    why: str
    "Why this one: the rule, and what it was measured by."


@dataclass(frozen=True, slots=True)
class OfferRang:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """The lease is over without a conversation."""

    at: float
    contact: str
    leg: str
    agent: str | None
    how: Literal["missed", "refused", "failed", "cancelled"]
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Connected:
    at: float
    contact: str
    leg: str
    record: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """The phone of the agent who wants to call was picked up: now whom they call is rung."""

    at: float
    contact: str
    leg: str
    agent: str


@dataclass(frozen=True, slots=True)
class BriefingBegan:
    """A phone that an offer went to was picked up: its agent, alone, is told who waits, and since when."""

    at: float
    contact: str
    leg: str
    agent: str | None
    prompt: str
    until: float
    "When the conversation begins at the latest."


@dataclass(frozen=True, slots=True)
class BriefingEnded:
    """The conversation begins (`Connected`), or there is nobody left to begin it."""

    at: float
    contact: str
    leg: str
    agent: str | None
    how: Literal["said", "failed", "time", "cancelled"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MusicBegan:
    """The number plays a sound to whoever calls it."""

    at: float
    contact: str


# --- what the house owes ---


@dataclass(frozen=True, slots=True)
class Promised:
    """The caller of this contact needn't stay on the line: another contact will see to them."""

    at: float
    contact: str
    owed: Literal["callback", "message"]
    follows: str
    "That contact."


@dataclass(frozen=True, slots=True)
class Booked:
    """What is owed stands in its queue from `due` on; told first when it is promised."""

    at: float
    contact: str
    queue: str
    due: float
    attempt: int
    "Which call to the customer comes next, from 1 on."
    why: str
    "asked, abandoned or message; then closed, not reached, agent left, put off, moved, queue removed."
    since: float = 0.0
    "Since when they have waited, in unix seconds: the place in the queue goes by it."
    expires: float = 0.0
    "When it is given up, if nobody has had time by then; 0: never."
    attempts: int = 1
    "How many there will be at most."
    slot: float = 0.0
    "Start of the slot of which it takes a place; 0: of none."


@dataclass(frozen=True, slots=True)
class CallbackFailed:
    """The customer wasn't reached. Of a message its owner may try again; a callback is booked again, or over."""

    at: float
    contact: str
    leg: str
    cause: str
    attempt: int


@dataclass(frozen=True, slots=True)
class SlotsSet:
    at: float
    queue: str
    slots: tuple[tuple[float, int], ...]
    local: tuple[str, ...] = ()


# --- in a flow ---


@dataclass(frozen=True, slots=True)
class FlowEntered:
    """The contact begins with a flow, or with one inside the one it is in."""

    at: float
    contact: str
    flow: str
    version: int
    inner: bool = False


@dataclass(frozen=True, slots=True)
class FlowReturned:
    """Out of an inner flow, back at the node that led there."""

    at: float
    contact: str
    flow: str
    "That is left."


@dataclass(frozen=True, slots=True)
class NodeEntered:
    at: float
    contact: str
    flow: str
    version: int
    node: str
    exit: str
    "Of the node before; empty at the start."


@dataclass(frozen=True, slots=True)
class FlowLeft:
    """The flow sends the contact on; it may come back to it by an exit, until somebody answers."""

    at: float
    contact: str
    to: Destination
    priority: int = 0
    "Points added."
    agent: str = ""
    "Whom the queue shall keep it for, if they serve it."
    wait: float | None = None
    "For so many seconds; None: as the queue says."


@dataclass(frozen=True, slots=True)
class CallTaken:
    """The flow has accepted the call: it is about to speak."""

    at: float
    contact: str


@dataclass(frozen=True, slots=True)
class PromptBegan:
    at: float
    contact: str
    prompt: str


@dataclass(frozen=True, slots=True)
class PromptEnded:
    at: float
    contact: str
    prompt: str
    how: Literal["said", "interrupted", "failed"]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DigitTaken:
    at: float
    contact: str
    digit: Private


@dataclass(frozen=True, slots=True)
class DigitsUsed:
    """The first digits that were pressed have been understood."""

    at: float
    contact: str
    count: int


@dataclass(frozen=True, slots=True)
class DigitsAwaited:
    at: float
    contact: str
    until: float


@dataclass(frozen=True, slots=True)
class Retried:
    """The node asks again, and forgets what was pressed."""

    at: float
    contact: str
    why: Literal["timeout", "invalid"]


@dataclass(frozen=True, slots=True)
class ValuesSet:
    at: float
    contact: str
    values: dict[str, Private]
    "By variable."


@dataclass(frozen=True, slots=True)
class MessageBegan:
    at: float
    contact: str
    message: str
    until: float


@dataclass(frozen=True, slots=True)
class MessageEnded:
    at: float
    contact: str
    message: str
    path: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ErrandBegan:
    at: float
    contact: str
    errand: str
    kind: str
    until: float


@dataclass(frozen=True, slots=True)
class ErrandEnded:
    at: float
    contact: str
    errand: str
    exit: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """A node couldn't do what it is there for; the flow goes on by another exit, or ends."""

    at: float
    contact: str
    flow: str
    version: int
    node: str
    why: Literal["no_flow", "no_calendar", "no_queue", "too_deep", "too_long", "no_exit", "in_call"]


# --- in a conversation ---


@dataclass(frozen=True, slots=True)
class Held:
    """The owner has stepped aside: the customer hears music, or goes on with the others of a conference."""

    at: float
    contact: str
    leg: str
    asked: bool = False
    "By button. Else the owner's phone has put us on hold."


@dataclass(frozen=True, slots=True)
class Resumed:
    at: float
    contact: str
    leg: str
    asked: bool = False


@dataclass(frozen=True, slots=True)
class PartyRung:
    """Somebody else's phone rings to join the contact in a role."""

    at: float
    contact: str
    leg: str
    role: Role
    agent: str | None
    "None for somebody outside."
    until: float
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class PartyAnswered:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """Of a party who is in: joins the conference, becomes the owner (role agent), supervises in another mode."""

    at: float
    contact: str
    leg: str
    agent: str | None
    role: Role
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class PartyLeft:
    """A party (or a phone that rang to become one) is out, the contact goes on."""

    at: float
    contact: str
    leg: str
    agent: str | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class PhoneHeld:
    """A party's own phone put us on hold, or took us off, without a change for the customer."""

    at: float
    contact: str
    leg: str
    held: bool


@dataclass(frozen=True, slots=True)
class Muted:
    at: float
    contact: str
    leg: str
    muted: bool


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The owner left while the one whom they asked still rings: whoever answers there gets the customer."""

    at: float
    contact: str
    leg: str
    "That rings."
    why: str
    to: Destination


@dataclass(frozen=True, slots=True)
class Recalled:
    """Nobody took the customer who was handed over: back to where they came from."""

    at: float
    contact: str
    to: Destination


@dataclass(frozen=True, slots=True)
class SecondLeg:
    """The owner's phone has a second call, in which they talk with the one they ask."""

    at: float
    contact: str
    leg: str
    agent: str
    asked: str
    "Leg of the one who is asked."


@dataclass(frozen=True, slots=True)
class SecondAnswered:
    at: float
    contact: str
    leg: str


@dataclass(frozen=True, slots=True)
class SecondHeld:
    at: float
    contact: str
    leg: str
    held: bool


@dataclass(frozen=True, slots=True)
class SecondLeft:
    """That call is over; the conversation with the customer goes on, with or without its owner."""

    at: float
    contact: str
    leg: str
    agent: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Parked:
    """The customer hears music, and anybody may pick up. Said again where the time is over and nobody can be rung."""

    at: float
    contact: str
    slot: str
    agent: str
    "Who parked; free from now on."
    until: float


@dataclass(frozen=True, slots=True)
class PickedUp:
    """Out of the slot. `Connected` follows."""

    at: float
    contact: str
    slot: str
    agent: str
    leg: str


@dataclass(frozen=True, slots=True)
class RecordingBegan:
    """By hand, or since the conversation came to a queue that records: the first time, or again in the same file."""

    at: float
    contact: str
    agent: str | None


@dataclass(frozen=True, slots=True)
class RecordingEnded:
    """The contact goes on without; by its end a recording ends without a word."""

    at: float
    contact: str
    agent: str | None
    why: Literal["asked", "survey"] = "asked"


@dataclass(frozen=True, slots=True)
class RecordingPaused:
    """From here on silence of the true length: a gap."""

    at: float
    contact: str
    agent: str | None
    why: Literal["asked", "payment", "secret"]
    until: float = 0.0
    "When it goes on by itself; 0: with what it is paused for."


@dataclass(frozen=True, slots=True)
class RecordingResumed:
    at: float
    contact: str
    agent: str | None
    why: Literal["asked", "payment", "secret", "limit", "left"]
    """asked: by hand. limit: the longest pause was over, which is an alarm. left: who paused it is out of it. Else
    with what it was paused for."""


@dataclass(frozen=True, slots=True)
class InterludeBegan:
    """The customer goes through a flow, the owner waits for them."""

    at: float
    contact: str
    leg: str
    agent: str | None
    flow: str


@dataclass(frozen=True, slots=True)
class InterludeEnded:
    """Customer and owner are together again."""

    at: float
    contact: str
    leg: str
    agent: str | None
    flow: str
    how: Literal["done", "failed", "called_back"]


@dataclass(frozen=True, slots=True)
class InterludeLeft:
    """The owner is out of it; the customer goes on in the flow, as after a blind transfer to it."""

    at: float
    contact: str
    leg: str
    agent: str | None
    flow: str


@dataclass(frozen=True, slots=True)
class SurveyBegan:
    """The agent has hung up, the customer goes on into the queue's survey."""

    at: float
    contact: str
    flow: str
    queue: str
    agent: str | None


@dataclass(frozen=True, slots=True)
class SurveyAnswered:
    at: float
    contact: str
    survey: str
    "The flow."
    question: str
    value: int
    "As pressed; of yes and no 1 and 0."
    scale: Literal["1-5", "0-10", "yes_no"]
    queue: str | None = None
    "Where they were served, and by whom; None outside a survey."
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """Somebody who waits has another place in the queue."""

    at: float
    contact: str
    priority: int
    rank: float


@dataclass(frozen=True, slots=True)
class ResultNoted:
    at: float
    contact: str
    agent: str
    disposition: str


@dataclass(frozen=True, slots=True)
class Released:
    """The agent (or the phone outside) is out of the conversation, the contact goes on."""

    at: float
    contact: str
    leg: str
    why: str
    to: Destination


@dataclass(frozen=True, slots=True)
class ContactEnded:
    """The party is gone. Wrap-up may go on."""

    at: float
    contact: str
    outcome: Outcome
    by: Literal["caller", "agent", "centre"]
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    at: float
    contact: str
    path: str
    seconds: float
    expected: float


# --- agents ---


@dataclass(frozen=True, slots=True)
class AgentQueuesSet:
    """Lent to queues (`plus`), taken out of some (`minus`), beside what list and skill say."""

    at: float
    agent: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BalancingSet:
    at: float
    spec: Balancing | None


@dataclass(frozen=True, slots=True)
class BalancePaused:
    """Or goes on."""

    at: float
    on: bool
    by: str = ""


@dataclass(frozen=True, slots=True)
class AgentLent:
    """By rebalancing, to a queue that needs it; from the next contact on."""

    at: float
    agent: str
    queue: str
    why: Literal["short"]
    values: dict[str, float]
    """What the decision went by: `agents` lent at once, `waiting` there; expected service levels, shares, of that
    queue (`target`, `without`, `with`) and of the giving one that is left with least (`home_target`, `home_without`,
    `home_with`), where there is one."""
    home: str = ""
    "The giving queue of those figures."


@dataclass(frozen=True, slots=True)
class AgentReturned:
    at: float
    agent: str
    queue: str
    why: Literal[
        "recovered",
        "needed",
        "limit",
        "off",
        "asked",
        "by_hand",
        "signed_out",
        "agent_removed",
        "queue_removed",
    ]
    values: dict[str, float]
    "As in `AgentLent`: `with` is as it was, `without` what is expected now."
    home: str = ""
    until: float = 0.0
    "Isn't lent there again before, in unix seconds."
    by: str = ""
    "Who asked for it."


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """What the agent wants: the intent, whatever phone and load say."""

    at: float
    agent: str
    intent: Literal["logged_out", "not_ready", "ready"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PhoneFound:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class PhoneLost:
    at: float
    agent: str
    why: str = ""
    "asleep: registered still, but it didn't say a word to a call."


@dataclass(frozen=True, slots=True)
class AgentFreed:
    """The agent is out of the conversation, with no wrap-up to do."""

    at: float
    agent: str
    contact: str


@dataclass(frozen=True, slots=True)
class WrapUpBegan:
    """The agent is out of the conversation and has after-call work to do."""

    at: float
    agent: str
    contact: str
    until: float


@dataclass(frozen=True, slots=True)
class WrapUpProlonged:
    at: float
    agent: str
    contact: str
    until: float


@dataclass(frozen=True, slots=True)
class WrapUpOverran:
    """The time for after-call work is over and the result that the queue asks for is missing."""

    at: float
    agent: str
    contact: str


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    at: float
    agent: str
    contact: str


@dataclass(frozen=True, slots=True)
class RestBegan:
    """Back-off after a missed or refused offer."""

    at: float
    agent: str
    until: float
    missed: int


@dataclass(frozen=True, slots=True)
class RestEnded:
    at: float
    agent: str


# --- refusals ---


@dataclass(frozen=True, slots=True)
class Refused:
    """An impossible fact: normal in telephony (an answer after the hang-up), and harmless."""

    at: float
    fact: str
    reason: str
    subject: str = ""


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
