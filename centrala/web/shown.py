"""What pages are shown, as models: the schema of the API and of the live socket, from which TypeScript types are made.

Values are made by `web.entities`; a test holds them against these models.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

AgentState = Literal[
    "on_contact",
    "held",
    "offered",
    "wrap_up",
    "unreachable",
    "resting",
    "ready",
    "not_ready",
    "logged_out",
]
Level = Literal["normal", "warn", "alarm"]
Seconds = float
"Unix seconds."


class Figures(BaseModel):
    """Counts and figures; what each means is told by `GET /metrics`."""

    offered: int
    served: int
    in_time: int
    abandoned: int
    early: int
    short_abandoned: int
    service_level: float | None
    abandon_rate: float | None
    estimate_bias: float | None
    "Seconds by which waits were expected to last longer than they did."
    estimate_error: float | None
    "Root of the mean squared error, in seconds."
    asa: float | None
    longest_wait: float | None
    aht: float | None
    callbacks_promised: int
    callbacks_reached: int
    callbacks_unreached: int
    callbacks_expired: int
    callbacks_replaced: int
    callback_wait: float | None
    messages_left: int
    messages_heard: int
    message_wait: float | None
    message_level: float | None


class Bar(BaseModel):
    """Agents of a queue."""

    free: int
    talk: int
    "In conversation, on hold, or rung."
    wrap_up: int
    away: int


class Cause(BaseModel):
    """Why a queue is marked."""

    code: Literal["service_level", "longest_wait", "waiting"]
    level: Level
    limit: float
    since: Seconds | None


class OpenStage(BaseModel):
    """To whom a queue is open beyond its own agents."""

    stage: int
    "From 1 on, …"
    of: int
    "… of so many."
    since: Seconds | None
    "Null where nobody knows: it was open before."
    why: Literal["wait", "length", "service_level"]
    "By `wait` it is open to some of those who wait, else to all."
    contacts: int
    "To how many of those who wait."
    needs: dict[str, int]
    "Skill → least level, where it differs from the queue's own; 0: not asked for any more."
    queues: list[str]
    "Whose agents may be asked too."
    agents: int
    "Who may be asked beside the queue's own, be they free or not."


class QueueShown(BaseModel):
    id: str
    name: str
    client: str | None
    target: Annotated[list[float], Field(min_length=2, max_length=2)]
    "Share to be served, within seconds."
    waiting: int
    waiting_since: Seconds | None
    "Of who waits longest."
    talking: int
    callbacks: int
    "Owed now, those booked for later too; not among `waiting`."
    messages: int
    "That nobody has taken up."
    free: int
    staffed: int
    lent: int
    "By rebalancing, to this queue."
    open: OpenStage | None
    "The furthest of its stages that is open to anybody who waits; null while there is none."
    estimate_by: Literal["formula", "learned"]
    "Who estimates the waits: what its past has taught, or the formula (`estimate_error` of its figures is theirs)."
    bar: Bar
    level: Level
    causes: list[Cause]
    today: Figures
    now: Figures
    "Of the last half hour."


class Why(BaseModel):
    """Why no calls come, as a code and what its sentence needs."""

    code: str
    values: dict[str, str | float | int | bool | list[str] | None]


class Lamps(BaseModel):
    you: bool
    phone: bool
    line: bool
    load: bool


class Met(BaseModel):
    number: str | None
    name: str | None


class LoanShown(BaseModel):
    """An agent serves a queue since rebalancing has lent them. Shares from 0 to 1."""

    queue: str
    since: float
    "Unix seconds."
    without: float
    "Service level that was expected of the queue without those who were lent then …"
    with_: float = Field(alias="with")
    "… and with them."
    target: float
    agents: int
    "Lent at once."
    home: str | None
    "Of the agents' own queues the one that was left with least, and the same of it; null where they have none."
    home_without: float | None
    home_with: float | None
    home_target: float | None


class AgentShown(BaseModel):
    id: str
    name: str
    team: str | None
    state: AgentState
    since: Seconds
    intent: Literal["logged_out", "not_ready", "ready"]
    "What the agent wants, whatever phone and load say."
    reason: str | None
    next: str | None
    "What follows on what is at hand: a reason, or signed_out."
    reachable: bool
    "Whether the phone can be reached."
    until: Seconds | None
    "End of wrap-up, or of the rest after missed offers."
    missed: int
    contact: str | None
    contact_with: Met | None
    "Null where it may not be seen."
    queue: str | None
    queues: list[str]
    "Served just now."
    plus: list[str]
    "Of those, the ones that a supervisor has added to what is configured."
    minus: list[str]
    "Not served though configured: a supervisor has taken the agent out."
    loans: list[LoanShown]
    "Served since rebalancing has lent the agent there."
    lamps: Lamps
    why: Why
    "On one's own desk as of this second; on boards without what changes by the second."


class Party(BaseModel):
    """Somebody in a contact beside its customer, whose leg has the contact's id."""

    leg: str
    agent: str | None
    number: str | None
    "Of somebody outside; null where it may not be seen."
    role: Literal["agent", "consult", "member", "supervisor"]
    mode: Literal["listen", "whisper", "barge", "take_over"] | None
    state: Literal["ringing", "talking", "held"]
    muted: bool


class CustomerBrief(BaseModel):
    """The one customer that the number belongs to. More fields may come."""

    id: str
    name: str | None
    company: str | None
    badges: list[str]

    model_config = {"extra": "allow"}


class PromiseHeld(BaseModel):
    """How a callback, or a message, stands."""

    at: Seconds | None
    "When it was promised."
    since: Seconds | None
    "Since when they have waited: their place goes by it."
    due: Seconds | None
    "In the queue from then on."
    expires: Seconds | None
    attempt: int
    "Which call to the customer comes next."
    attempts: int
    why: str
    "asked, abandoned or message"
    slot: bool
    "`due` is a time that they booked."


class RecordingShown(BaseModel):
    state: Literal["off", "on", "paused"]
    since: Seconds | None
    "Second 0 of the file."
    why: Literal["asked", "payment", "secret"] | None
    "Why it is paused."
    until: Seconds | None
    "When it goes on by itself."
    may: bool
    "Its agent may begin and end it."


class AloneShown(BaseModel):
    """What the customer goes through alone while their agent waits."""

    flow: str
    place: str | None


class HandedOn(BaseModel):
    """By an agent to those who know, or may, more."""

    at: Seconds
    agent: str
    reason: str
    "Id of one of the tenant's reasons."
    tier: int


class ContactShown(BaseModel):
    id: str
    medium: str
    direction: Literal["inbound", "outbound", "internal", "callback"]
    state: Literal["new", "flow", "queued", "offered", "active", "held", "parked", "booked", "wrap_up"]
    queue: str | None
    since: Seconds | None
    "Since when the customer waits or waited."
    slot: str | None
    "Where it is parked."
    owed: Literal["callback", "message"] | None
    promise: PromiseHeld | None
    origin: str | None
    "The contact that it follows from."
    seconds: float | None
    "Of the message."
    talk_since: Seconds | None
    hold_since: Seconds | None
    dialled: str | None
    number: str | None
    "The customer's; null where it may not be seen, was withheld, or isn't known yet."
    name: str | None
    customer: CustomerBrief | None
    agent: str | None
    ringing: list[str]
    why: str | None
    "Why it was offered to whom it was."
    priority: int
    kept_for: str | None
    "The agent whom it waits for alone."
    stage: int
    "Of its queue, that its wait has opened."
    handed: list[HandedOn]
    recorded: bool
    recording: RecordingShown
    step: AloneShown | None
    steps: list[str]
    "Flows that its agent may send the customer through."
    given: list[str]
    "Those of `answers` that the last step has brought."
    told: bool
    "Its agent has picked up and is told who waits; the conversation is about to begin."
    disposition: str | None
    parties: list[Party]
    hears: dict[str, dict[str, float]]
    "Listening leg → source (a leg, or sound:NAME) → gain, as told to the mixer."
    path: list[str]
    "Titles of the menus that the customer came through, the last ones."
    answers: dict[str, str | float | int | bool | None]
    "What the customer answered there, and what was looked up, by variable: for who talks with them; else empty."


class Moved(BaseModel):
    """To which queues an agent was lent, and out of which they were taken."""

    agent: str
    into: list[str]
    out_of: list[str]


class MessageShown(BaseModel):
    """From a supervisor to the floor."""

    id: str
    from_: Annotated[str, Field(alias="from")]
    text: str
    at: Seconds
    moved: Moved | None
    "Set where the message tells that a supervisor has changed the queues of an agent."


class QueueEntity(BaseModel):
    what: Literal["queue"]
    id: str
    value: QueueShown


class AgentEntity(BaseModel):
    what: Literal["agent"]
    id: str
    value: AgentShown


class ContactEntity(BaseModel):
    what: Literal["contact"]
    id: str
    value: ContactShown


class MessageEntity(BaseModel):
    what: Literal["message"]
    id: str
    value: MessageShown


class Gone(BaseModel):
    """No longer there, or no longer to be seen."""

    what: Literal["queue", "agent", "contact", "message"]
    id: str
    value: None


EntityShown = QueueEntity | AgentEntity | ContactEntity | MessageEntity


class LiveSnapshot(BaseModel):
    kind: Literal["snapshot"]
    place: str
    "To go on from, with the socket."
    seq: int
    "Of the ledger."
    at: Seconds
    "The centre's clock."
    entities: list[EntityShown]


class LiveChanges(BaseModel):
    """If `after` is your place: put each value in the place of the old one, remove where it is null, be at `place`."""

    kind: Literal["changes"]
    after: str
    place: str
    seq: int
    at: Seconds
    changes: list[EntityShown | Gone]


class LiveLost(BaseModel):
    """Your place is gone: throw away what you hold and register without one."""

    kind: Literal["lost"]
    code: Literal["LIVE-LOST"]


class LiveMessage(BaseModel):
    """What the socket says, one message a frame."""

    message: Annotated[LiveSnapshot | LiveChanges | LiveLost, Field(discriminator="kind")]


class LivePlace(BaseModel):
    place: str | None = None


class LiveRegister(BaseModel):
    """What a page says."""

    register_: Annotated[LivePlace, Field(alias="register")]


class Desk(BaseModel):
    seq: int
    "Of the ledger."
    stored: bool = True
    "False: done, but the ledger can't be written just now."
    agent: AgentShown
    contact: ContactShown | None
    "Whom the agent talks with, who rings, or who the wrap-up is about."
    why: Why
    "As of this moment."


class Done(BaseModel):
    """What was done to an agent or a contact, and how they are now."""

    seq: int
    stored: bool = True
    agent: AgentShown | None = None
    contact: ContactShown | None = None
