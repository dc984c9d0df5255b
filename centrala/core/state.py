"""The state of one tenant's centre, as values.

Two kinds of fields: what `evolve` says (kept in snapshots), and what follows from it (indexes, see `indexes`).
"""

from dataclasses import dataclass, field
from typing import Literal

from centrala.core.estimate import Rates
from centrala.core.learned import Learned
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Balancing, Destination, Mode, ParkingSpec, QueueSpec, Role
from centrala.core.stages import (
    Pace,
    Stages,
)

Intent = Literal["logged_out", "not_ready", "ready"]
ContactState = Literal["new", "flow", "booked", "queued", "offered", "active", "held", "parked", "wrap_up"]

LENT_LAST = 1e12
"Added to what a strategy goes by: those whom rebalancing has lent come after the queue's own."

Entry = tuple[float, int, str]
"(rank, order of arrival, contact): the least is served first."

IdleKey = tuple[float, float, int, str]
"(by strategy, idle since, order of definition, agent): the least is offered first."


@dataclass(slots=True)
class Offer:
    leg: str
    agent: str | None
    queue: str | None
    until: float


@dataclass(slots=True)
class Party:
    """Somebody in a contact beside its customer: whoever talks with them, is asked, joined in, or listens."""

    leg: str
    role: Role
    agent: str | None
    "None for somebody outside."
    state: Literal["ringing", "talking"] = "talking"
    mode: Mode | None = None
    "A supervisor's: listen, whisper or barge; take_over while their phone rings for that."
    since: float = 0.0
    "Rings, or is in, since then."
    until: float = 0.0
    "While it rings: how long it may."
    held: bool = False
    "Their own phone has put us on hold."
    muted: bool = False


@dataclass(slots=True)
class Second:
    """Another call of the owner's own phone, in which they talk with the one they ask."""

    leg: str
    owner: str
    "The owner's leg in the conversation with the customer."
    agent: str
    asked: str
    "Leg of the one who is asked."
    talking: bool = False
    "We have answered it."
    held: bool = False
    "The phone has put us on hold in it."


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a flow."""

    flow: str
    version: int
    node: str


@dataclass(slots=True)
class Run:
    """A contact's way through a flow. It lasts until somebody answers: a queue or a transfer may lead back to it."""

    flow: str
    version: int
    node: str = ""
    outer: list[Place] = field(default_factory=list)
    "Where inner flows return to, the outermost first."
    waits: Literal["", "prompt", "digits", "message", "errand"] = ""
    "For what of the world; the same as in `awaited`, and `until` when."
    awaited: str = ""
    until: float = 0.0
    digits: list[Private] = field(default_factory=list)
    "Pressed and not yet used."
    tries: int = 0
    "How often this node has asked again."
    steps: int = 0
    "Nodes since the world last said something."
    nodes: int = 0
    "Nodes altogether."
    priority: int = 0
    "Points that the flow has added."


@dataclass(frozen=True, slots=True)
class Briefing:
    """An offer whose phone was picked up, and whose agent is being told who waits."""

    leg: str
    prompt: str
    until: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Of a recording."""

    why: Literal["asked", "payment", "secret"]
    agent: str | None
    until: float
    "0: as long as what it is for."
    asked_until: float = 0.0
    "Of a pause by hand that goes on after this one; 0: there is none."


@dataclass(frozen=True, slots=True)
class Interlude:
    """The customer is in a flow while the owner keeps the call."""

    flow: str
    agent: str | None


@dataclass(frozen=True, slots=True)
class Survey:
    """Asked after the conversation."""

    flow: str
    queue: str
    agent: str | None


@dataclass(slots=True)
class Published:
    """A flow: its versions, of which the older ones stay for those who are inside."""

    current: int = 0
    "0: removed."
    graphs: dict[int, str] = field(default_factory=dict)
    "Version → JSON."
    inside: dict[int, int] = field(default_factory=dict)
    "Version → contacts in it."


@dataclass(slots=True)
class Promise:
    """How what is owed stands. Times in unix seconds."""

    queue: str
    at: float
    "When it was given."
    since: float
    due: float
    expires: float
    "0: never."
    attempt: int
    attempts: int
    why: str
    "asked, abandoned or message."
    slot: float = 0.0
    chosen: float = 0.0
    "A later time that somebody has chosen; 0: as soon as it is their turn."


@dataclass(slots=True)
class Contact:
    """One exchange: new → (flow) → queued → offered → active ⇄ held → wrap-up → closed (then it is gone from here)."""

    id: str
    medium: str
    direction: str
    party: str
    dialled: str
    agent: str | None
    priority: int
    order: int
    state: ContactState = "new"
    queue: str | None = None
    since: float = 0.0
    queued_at: float = 0.0
    "Entered this queue; `since` is older after an overflow."
    rank: float = 0.0
    target: Destination | None = None
    offers: dict[str, Offer] = field(default_factory=dict)
    leg: str | None = None
    "The owner's leg: who talks with the customer, or calls them."
    leg_agent: str | None = None
    leg_queue: str | None = None
    parties: dict[str, Party] = field(default_factory=dict)
    "By leg, the owner among them; the customer, whose leg has the contact's id, is none."
    second: Second | None = None
    legs: int = 0
    hops: int = 0
    answered: bool = False
    "We have accepted the caller's call."
    served: bool = False
    "Somebody (or the number's music) has answered the caller."
    redirected: bool = False
    recorded: bool = False
    recorded_at: float = 0.0
    "When its recording began, in unix seconds."
    wrapping: int = 0
    "Agents in wrap-up after it."
    standing: bool = False
    "Has a place in its queue: waiting, or ringing everybody at once."
    customer: bool = True
    "On the line. Whom an agent calls is, once they answer."
    calling: bool = False
    "The phone of the agent who wants to call rings; nobody else is there yet."
    back_agent: str | None = None
    "To whom the customer returns if a blind transfer fails."
    back_queue: str | None = None
    "Where to after that."
    back_since: float = 0.0
    "When the customer came to wait there first: the place in that queue goes by it."
    results: dict[str, str] = field(default_factory=dict)
    "Agent → disposition."
    slot: str = ""
    "Where it is parked; kept while the phone of whoever picks up rings."
    parked_by: str = ""
    "Who put them there, and when."
    parked_since: float = 0.0
    parked_until: float = 0.0
    parkings: int = 0
    "How often the time in the slot has begun."
    run: Run | None = None
    asked: int = 0
    "Prompts, messages and errands so far, which are numbered by it."
    path: list[tuple[str, str, str]] = field(default_factory=list)
    "(flow, node, exit taken there), the last hundred."
    values: dict[str, Private] = field(default_factory=dict)
    "What flows know of it, by variable."
    announcing: str = ""
    "The announcement that is being said while it waits."
    announced: int = 0
    "How many it has heard in this queue, and when the last one ended."
    announced_at: float = 0.0
    told: int | None = None
    "The wait in seconds that it was told last."
    briefing: Briefing | None = None
    pause: Pause | None = None
    interlude: Interlude | None = None
    given: tuple[str, ...] = ()
    "Variables that the last interlude has set."
    survey: Survey | None = None
    "Once it was asked; there is no second one."
    caller: str = ""
    "Pseudonym of its customer's number."
    origin: str = ""
    number: Private | None = None
    owed: Literal["", "callback", "message"] = ""
    last_agent: str = ""
    last_at: float = 0.0
    preferred: str = ""
    stage: int = 0
    "Of its queue, that its own wait has opened."
    late: bool = False
    "Waits longer than its queue promises; told only where that matters."
    paced: bool = False
    "It matters."
    wanted: str = ""
    "The agent whom a flow has named for the queue that it led to, and for how long to wait for them (None: as usual)."
    wanted_wait: float | None = None
    reserved: str = ""
    "The agent whom it waits for, alone, …"
    reserved_until: float = 0.0
    reserved_why: str = ""
    escalations: tuple[tuple[float, str, str, str, int], ...] = ()
    "(at, agent, reason, to whom, tier) of each time that it was handed on to those who know more."
    promise: Promise | None = None
    "Of what is owed."
    message: str = ""
    "Path of the message that was left."
    seconds: float = 0.0
    waited: str = ""
    "The queue that it waited in last, or that had no room for it."
    kept: str = ""
    "The queue that its caller has left by a key, and may come back to."
    left: Literal["", "callback", "voicemail"] = ""
    "What its caller was promised meanwhile: they needn't stay on the line."
    follows: int = 0
    "Contacts that follow from it."

    @property
    def absent(self) -> bool:
        """The house owes its customer something, and they are not on the line."""
        return self.owed != "" and not self.customer

    @property
    def prompt(self) -> str:
        """What is being said to its customer, or to the agent who has answered; empty: nothing."""
        if self.state == "flow":
            return self.run.awaited if self.run is not None and self.run.waits == "prompt" else ""
        return self.briefing.prompt if self.briefing is not None else self.announcing

    @property
    def consult(self) -> Party | None:
        """The one whom the owner asks."""
        for party in self.parties.values():
            if party.role == "consult":
                return party
        return None

    @property
    def conference(self) -> bool:
        """Others than the owner talk with the customer."""
        return any(joins(party) for party in self.parties.values())


@dataclass(frozen=True, slots=True)
class Loan:
    """An agent serves a queue for as long as rebalancing finds it useful."""

    since: float
    values: dict[str, float]
    "What was expected then, as in `AgentLent`."
    home: str = ""


@dataclass(slots=True)
class Agent:
    """An agent: intent × phone × load. Idle, and so offered work, only when all three allow it."""

    spec: AgentSpec
    order: int
    intent: Intent = "logged_out"
    reason: str = ""
    changed_at: float = 0.0
    "When the intent was said."
    reachable: bool = False
    asleep: bool = False
    "The phone is registered and says nothing when it is rung (a frozen page): not reachable until it says more."
    lost_at: float = 0.0
    "When the phone was last lost, or fell asleep."
    idle_since: float = 0.0
    offers: dict[str, str] = field(default_factory=dict)
    "Leg → contact."
    calls: dict[str, str] = field(default_factory=dict)
    "Contact → leg; the leg is empty where the agent is the caller."
    wrap: str | None = None
    wrap_until: float = 0.0
    wrap_queue: str | None = None
    "By whose rule."
    overran: bool = False
    "The after-call work is over its time: a result is missing."
    rest_until: float | None = None
    missed: int = 0
    served: dict[str, int] = field(default_factory=dict)
    "Queue → contacts answered since signing in."
    offered: dict[str, int] = field(default_factory=dict)
    "Queue → number of the centre's last offer to this agent there."
    plus: tuple[str, ...] = ()
    "Queues a supervisor has lent the agent to."
    minus: tuple[str, ...] = ()
    "Queues a supervisor has taken the agent out of."
    loans: dict[str, Loan] = field(default_factory=dict)
    "Queues that rebalancing has lent the agent to."
    moves: tuple[float, ...] = ()
    "When it lent and returned them, the last hour."
    barred: dict[str, float] = field(default_factory=dict)
    "Queue → until then the agent isn't lent there again."
    occupied: str | None = None
    "Queue whose rates count the agent as busy: from the answer to the end of the after-call work."
    # indexes
    queues: dict[str, int] = field(default_factory=dict)
    "Queue → level, by list or by skill."
    keys: dict[str, IdleKey] = field(default_factory=dict)
    "Queue → place among the idle; empty when not idle."
    stages: dict[str, tuple[int, int]] = field(default_factory=dict)
    "Queue → (least stage, level there), of queues that the agent helps with once they open to them."
    stage_keys: dict[str, IdleKey] = field(default_factory=dict)
    "As `keys`, there."
    reserved: dict[str, None] = field(default_factory=dict)
    "Contacts that wait for this agent alone."
    idle: bool = False
    present: bool = False
    serving: bool = False
    "Takes calls, now or after this one."

    @property
    def state(self) -> str:
        """The one word for boards: load first, then phone, then intent."""
        if self.calls:
            return "on_contact"
        if self.offers:
            return "offered"
        if self.wrap is not None:
            return "wrap_up"
        if self.intent == "ready" and not self.reachable:
            return "unreachable"
        if self.intent == "ready" and self.rest_until is not None:
            return "resting"
        return self.intent


@dataclass(slots=True)
class Queue:
    spec: QueueSpec
    rates: Rates = field(default_factory=Rates)
    "What the queue has taught of its waits."
    stage: int = 0
    "That is open to all who wait in it, …"
    stage_why: str = ""
    "… since it is long, or slow."
    pace: Pace = field(default_factory=Pace)
    slots: tuple[tuple[float, int], ...] = ()
    "(start, places) for callbacks at a time of the caller's choice, …"
    local: tuple[str, ...] = ()
    "… and how those starts are said."
    learned: Learned | None = None
    "What its past has taught of its waits, where that tells more than the formula."
    # indexes
    owed: int = 0
    "How many of those who wait are not on the line."
    taken: dict[float, int] = field(default_factory=dict)
    "Start of a slot → callbacks booked into it."
    waiting: list[Entry] = field(default_factory=list)
    idle: list[IdleKey] = field(default_factory=list)
    members: dict[str, int] = field(default_factory=dict)
    "Agent → level."
    staffed: int = 0
    "Members who are signed in with a phone that can be reached."
    serving: int = 0
    "Those of them who are ready, or will be after this call."
    shared: int = 0
    "Members who serve other queues as well."
    stages: Stages | None = None
    "None where there are none but the first."
    plain: bool = True
    "Without stages, nobody is kept for anybody, and nothing goes by its pace."
    paced: bool = False
    "Something goes by its pace."
    reserved: list[Entry] = field(default_factory=list)
    "Who waits for one agent alone, and isn't in `waiting` meanwhile."


@dataclass(slots=True)
class Centre:
    """Everything the core knows of one tenant."""

    agents: dict[str, Agent] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    numbers: dict[str, Destination] = field(default_factory=dict)
    flows: dict[str, Published] = field(default_factory=dict)
    calendars: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    "Opening intervals in unix seconds."
    parking: ParkingSpec = field(default_factory=ParkingSpec)
    balancing: Balancing | None = None
    balancing_paused: bool = False
    "By a supervisor."
    arrivals: int = 0
    definitions: int = 0
    offers: int = 0
    # indexes
    waiting: dict[str, None] = field(default_factory=dict)
    "Queues where somebody waits."
    listed: dict[str, dict[str, None]] = field(default_factory=dict)
    "Agent → queues whose list names it."
    needing: dict[str, dict[str, None]] = field(default_factory=dict)
    "Skill → queues that need it."
    skilled: dict[str, dict[str, None]] = field(default_factory=dict)
    "Skill → agents who have it."
    lent: dict[str, dict[str, None]] = field(default_factory=dict)
    "Queue → agents lent to it, by hand or by rebalancing."
    borrowed: dict[str, None] = field(default_factory=dict)
    "Agents whom rebalancing has lent."
    balanced: dict[str, None] = field(default_factory=dict)
    "Queues that take part in it."
    helping: dict[str, dict[str, None]] = field(default_factory=dict)
    "Queue → agents who may be lent there, by name."
    parked: dict[str, str] = field(default_factory=dict)
    "Slot → contact."
    staged: dict[str, None] = field(default_factory=dict)
    "Queues with stages."
    relaxing: dict[str, dict[str, None]] = field(default_factory=dict)
    "Skill → queues with a stage that asks for it."
    feeding: dict[str, dict[str, None]] = field(default_factory=dict)
    "Queue → queues with a stage for those who serve it."
    callers: dict[str, dict[str, None]] = field(default_factory=dict)
    "Caller's pseudonym → their contacts that aren't over."
    followers: dict[str, dict[str, None]] = field(default_factory=dict)
    "Contact → callbacks and messages that follow from it."


def joins(party: Party) -> bool:
    """Talks with the customer beside the owner: as a member, or as a supervisor who barged in."""
    return party.state == "talking" and (
        party.role == "member" or (party.role == "supervisor" and party.mode == "barge")
    )
