"""The state of one tenant's centre, and the indexes that let nothing scan.

Two kinds of fields: what `evolve` says (kept in snapshots), and what follows from it (indexes, rebuilt by
`reindex`). Every list below is sorted and changed by bisection, so that a fact costs the same number of calls
with ten queues and with ten thousand.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from centrala.core.estimate import Rates
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Balancing, Destination, Mode, ParkingSpec, QueueSpec, Role
from centrala.core.stages import (
    Pace,
    Stages,
    index_fed,
    index_stages,
    is_paced,
    restage,
    stand,
    unindex_stages,
    unstage,
    unstand,
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


# --- who serves what ---


def level_in(agent: AgentSpec, queue: QueueSpec) -> int | None:
    """How well the agent serves the queue; None when not at all."""
    if queue.agents is None and not queue.needs:
        return None
    if queue.agents is not None and agent.id not in queue.agents:
        return None
    if not queue.needs:
        return agent.skills.get(queue.id, 0)
    level = 0
    for skill, least in queue.needs.items():
        have = agent.skills.get(skill, 0)
        if have < least:
            return None
        level += have
    return level


def serves(agent: Agent, queue: QueueSpec, spec: AgentSpec | None = None) -> int | None:
    """The level with what a supervisor has changed; `spec`: were the agent configured so."""
    if queue.id in agent.minus:
        return None
    level = level_in(spec or agent.spec, queue)
    return 0 if level is None and (queue.id in agent.plus or queue.id in agent.loans) else level


def index_queue(centre: Centre, queue: Queue) -> None:
    """Make `members` true after the queue was defined or changed."""
    spec = queue.spec
    queue.paced = is_paced(spec)
    queue.plain = not (spec.widen or queue.paced or spec.last_agent is not None)
    if spec.balance is not None:
        centre.balanced[spec.id] = None
    if spec.agents is not None:
        candidates = [name for name in dict.fromkeys(spec.agents) if name in centre.agents]
        for name in spec.agents:
            centre.listed.setdefault(name, {})[spec.id] = None
    elif spec.needs:
        rarest = min(spec.needs, key=lambda skill: len(centre.skilled.get(skill, ())))
        candidates = list(centre.skilled.get(rarest, ()))
    else:
        candidates = []
    for skill in spec.needs:
        centre.needing.setdefault(skill, {})[spec.id] = None
    for name in dict.fromkeys([*candidates, *centre.lent.get(spec.id, ())]):
        agent = centre.agents[name]
        level = serves(agent, spec)
        if level is not None:
            _join(centre, agent, queue, level)
    if spec.widen:
        index_stages(centre, queue)
    if spec.id in centre.feeding:
        index_fed(centre, spec.id)


def unindex_queue(centre: Centre, queue: Queue) -> None:
    unindex_stages(centre, queue)
    for name in list(queue.members):
        _leave(centre, centre.agents[name], queue)
    if queue.spec.id in centre.feeding:
        index_fed(centre, queue.spec.id)
    centre.balanced.pop(queue.spec.id, None)
    for name in queue.spec.agents or ():
        centre.listed[name].pop(queue.spec.id, None)
    for skill in queue.spec.needs:
        centre.needing[skill].pop(queue.spec.id, None)


def index_agent(centre: Centre, agent: Agent) -> None:
    """Make the agent's `queues` true after it was defined or changed."""
    spec = agent.spec
    candidates = dict(centre.listed.get(spec.id, {}))
    for skill in spec.skills:
        centre.skilled.setdefault(skill, {})[spec.id] = None
        candidates.update(centre.needing.get(skill, {}))
    for name in (*agent.plus, *agent.loans):
        centre.lent.setdefault(name, {})[spec.id] = None
        if name in centre.queues:
            candidates[name] = None
    for name in spec.helps:
        centre.helping.setdefault(name, {})[spec.id] = None
    if agent.loans:
        centre.borrowed[spec.id] = None
    for name in candidates:
        queue = centre.queues[name]
        level = serves(agent, queue.spec)
        if level is not None:
            _join(centre, agent, queue, level)
    if centre.staged:
        restage(centre, agent)


def unindex_agent(centre: Centre, agent: Agent) -> None:
    unstage(centre, agent)
    for name in list(agent.queues):
        _leave(centre, agent, centre.queues[name])
    for skill in agent.spec.skills:
        centre.skilled[skill].pop(agent.spec.id, None)
    for name in (*agent.plus, *agent.loans):
        centre.lent[name].pop(agent.spec.id, None)
    for name in agent.spec.helps:
        centre.helping[name].pop(agent.spec.id, None)
    centre.borrowed.pop(agent.spec.id, None)


def _join(centre: Centre, agent: Agent, queue: Queue, level: int) -> None:
    if len(agent.queues) == 1:
        centre.queues[next(iter(agent.queues))].shared += 1
    if agent.queues:
        queue.shared += 1
    agent.queues[queue.spec.id] = level
    queue.members[agent.spec.id] = level
    if agent.present:
        queue.staffed += 1
    if agent.serving:
        queue.serving += 1
    if agent.idle:
        _stand(agent, (queue,))


def _leave(centre: Centre, agent: Agent, queue: Queue) -> None:
    if agent.idle:
        _unstand(agent, (queue,))
    if agent.present:
        queue.staffed -= 1
    if agent.serving:
        queue.serving -= 1
    del agent.queues[queue.spec.id]
    del queue.members[agent.spec.id]
    if agent.queues:
        queue.shared -= 1
    if len(agent.queues) == 1:
        centre.queues[next(iter(agent.queues))].shared -= 1


# --- who is idle, who waits ---


def _stand(agent: Agent, queues: Iterable[Queue]) -> None:
    """Give the agent a place among the idle of these queues, by their strategies. One call for all of them: an
    agent of fifty queues comes by here twice a contact."""
    order, name, since = agent.order, agent.spec.id, agent.idle_since
    for queue in queues:
        spec = queue.spec
        match spec.strategy:
            case "most_skilled":
                first: float = -agent.queues[spec.id]
            case "round_robin":
                first = agent.offered.get(spec.id, 0)
            case "fewest_calls":
                first = agent.served.get(spec.id, 0)
            case _:  # longest_idle and ring_all
                first = 0
        if agent.loans and spec.id in agent.loans:
            first += LENT_LAST
        key = (first, since, order, name)
        agent.keys[spec.id] = key
        insort(queue.idle, key)


def _unstand(agent: Agent, queues: Iterable[Queue]) -> None:
    for queue in queues:
        idle = queue.idle
        del idle[bisect_left(idle, agent.keys.pop(queue.spec.id))]


def reindex(centre: Centre, agent: Agent, at: float | None) -> None:
    """Make `idle` and `present` true after the agent changed. `at` restarts the idle clock, None lets it run."""
    present = agent.reachable and agent.intent != "logged_out"
    if present != agent.present:
        agent.present = present
        change = 1 if present else -1
        for name in agent.queues:
            centre.queues[name].staffed += change
    serving = agent.reachable and agent.intent == "ready"
    if serving != agent.serving:
        agent.serving = serving
        change = 1 if serving else -1
        for name in agent.queues:
            centre.queues[name].serving += change
    idle = (
        agent.intent == "ready"
        and agent.reachable
        and not agent.offers
        and not agent.calls
        and agent.wrap is None
        and agent.rest_until is None
    )
    if idle == agent.idle:
        return
    agent.idle = idle
    queues = centre.queues
    if idle:
        if at is not None:
            agent.idle_since = at
        _stand(agent, [queues[name] for name in agent.queues])
    else:
        _unstand(agent, [queues[name] for name in agent.queues])
    if agent.stages:
        move = stand if idle else unstand
        for name in agent.stages:
            move(agent, queues[name])


def enter(centre: Centre, contact: Contact) -> None:
    """Let the contact stand in its queue."""
    if contact.queue is not None and not contact.standing:
        contact.standing = True
        queue, entry = centre.queues[contact.queue], (contact.rank, contact.order, contact.id)
        if contact.reserved:
            insort(queue.reserved, entry)
            if contact.reserved in centre.agents:
                centre.agents[contact.reserved].reserved[contact.id] = None
            return
        insort(queue.waiting, entry)
        centre.waiting[contact.queue] = None
        if contact.owed and not contact.customer:
            queue.owed += 1
        if queue.stages is not None:
            lists = queue.stages.waiting
            insort(lists[min(contact.stage, len(lists) - 1)], entry)


def leave(centre: Centre, contact: Contact) -> None:
    """Take the contact out of its queue, if it stands there."""
    if contact.queue is not None and contact.standing:
        contact.standing = False
        queue, entry = centre.queues[contact.queue], (contact.rank, contact.order, contact.id)
        if contact.reserved:
            del queue.reserved[bisect_left(queue.reserved, entry)]
            if contact.reserved in centre.agents:
                centre.agents[contact.reserved].reserved.pop(contact.id, None)
            return
        waiting = queue.waiting
        del waiting[bisect_left(waiting, entry)]
        if not waiting:
            del centre.waiting[contact.queue]
        if contact.owed and not contact.customer:
            queue.owed -= 1
        if queue.stages is not None:
            lists = queue.stages.waiting
            mine = lists[min(contact.stage, len(lists) - 1)]
            del mine[bisect_left(mine, entry)]


def know(centre: Centre, contact: Contact) -> None:
    """Let the contact be found by its caller, and count the place in a slot that it has taken."""
    if contact.caller:
        centre.callers.setdefault(contact.caller, {})[contact.id] = None
    if contact.owed and contact.origin:
        centre.followers.setdefault(contact.origin, {})[contact.id] = None
    promise = contact.promise
    if promise is not None and promise.slot and promise.queue in centre.queues:
        taken = centre.queues[promise.queue].taken
        taken[promise.slot] = taken.get(promise.slot, 0) + 1


def forget(centre: Centre, contact: Contact) -> None:
    """The reverse."""
    if contact.caller and contact.caller in centre.callers:
        known = centre.callers[contact.caller]
        known.pop(contact.id, None)
        if not known:
            del centre.callers[contact.caller]
    if contact.owed and contact.origin in centre.followers:
        followers = centre.followers[contact.origin]
        followers.pop(contact.id, None)
        if not followers:
            del centre.followers[contact.origin]
    promise = contact.promise
    if promise is not None and promise.slot and promise.queue in centre.queues:
        taken = centre.queues[promise.queue].taken
        if promise.slot in taken:
            taken[promise.slot] -= 1
            if not taken[promise.slot]:
                del taken[promise.slot]


def rebuild(centre: Centre) -> None:
    """Make every index anew from what snapshots keep."""
    centre.waiting, centre.listed, centre.needing, centre.skilled, centre.lent = {}, {}, {}, {}, {}
    centre.borrowed, centre.balanced, centre.helping = {}, {}, {}
    centre.callers, centre.followers = {}, {}
    centre.staged, centre.relaxing, centre.feeding = {}, {}, {}
    centre.parked = {who.slot: who.id for who in centre.contacts.values() if who.slot}
    for agent in centre.agents.values():
        agent.queues, agent.keys = {}, {}
        agent.stages, agent.stage_keys, agent.reserved = {}, {}, {}
        agent.idle = agent.present = agent.serving = False
        for name in (*agent.plus, *agent.loans):
            centre.lent.setdefault(name, {})[agent.spec.id] = None
        for name in agent.spec.helps:
            centre.helping.setdefault(name, {})[agent.spec.id] = None
        if agent.loans:
            centre.borrowed[agent.spec.id] = None
        for skill in agent.spec.skills:
            centre.skilled.setdefault(skill, {})[agent.spec.id] = None
    for queue in centre.queues.values():
        queue.waiting, queue.idle, queue.members = [], [], {}
        queue.stages, queue.reserved = None, []
        queue.owed, queue.taken = 0, {}
        queue.staffed = queue.serving = queue.shared = 0
    for queue in centre.queues.values():
        index_queue(centre, queue)
    for agent in centre.agents.values():
        reindex(centre, agent, None)
    for contact in centre.contacts.values():
        if (contact.caller or contact.owed) and contact.state != "wrap_up":
            know(centre, contact)
        if contact.standing:
            contact.standing = False
            enter(centre, contact)
