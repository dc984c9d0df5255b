"""What configuration says about queues, agents and numbers, as values that enter the core in facts."""

from dataclasses import dataclass, field
from typing import Literal

Strategy = Literal["longest_idle", "most_skilled", "round_robin", "fewest_calls", "ring_all"]
Role = Literal["agent", "consult", "member", "supervisor"]
"What a party is in a contact: its owner, asked by the owner, member of a conference, supervisor."
Mode = Literal["listen", "whisper", "barge", "take_over", "off"]
"What a supervisor does: hears, speaks to the owner alone, speaks to all, becomes the owner, leaves."
DestinationKind = Literal["queue", "agent", "phone", "line", "music", "hang_up", "flow"]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a contact goes: what a dialled number reaches, or the way out of a queue."""

    kind: DestinationKind
    name: str = ""
    """Queue, agent or flow id, SIP address of a phone, name of a sound, or cause of a hang-up. Of a `line`: the number
    to call, where it is configured; empty where the channel knows it."""
    record: bool = False


@dataclass(frozen=True, slots=True)
class Announce:
    """What somebody who waits is told between the music. Times in seconds."""

    first: float = 20.0
    "After so much waiting …"
    every: float = 45.0
    "… and so long after the end of each announcement."
    position: bool = True
    wait: bool = True
    "The estimated wait; never below 30 s, rounded up, and never more than before without a word."
    messages: tuple[str, ...] = ()
    "Sounds that take turns with it."
    learned: bool = True
    "The wait is estimated by what the queue's past has taught, where that was the better on days not learned from."


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How a queue keeps its promises to call back. Times in seconds."""

    attempts: int = 3
    "How often somebody is rung who doesn't answer."
    retry: float = 300.0
    "Between the first attempt and the second; doubles with each further one."
    expires: float = 4 * 3600
    "After the promise (its due time, where it has one) it is given up."
    ring: float = 30.0
    "How long their phone rings."


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Who hung up while waiting is called back. Times in seconds."""

    after: float = 600.0
    attempts: int = 1
    priority: int = 0
    "Points added to the queue's own."
    grace: float = 60.0
    "Who rings again so soon stands where they stood."


@dataclass(frozen=True, slots=True)
class Balance:
    """How a queue takes part in rebalancing: whether its agents may be lent to others, and others' to it."""

    give: bool = True
    take: bool = True
    reserve: int = 0
    "So many agents who serve it are never lent."
    most: int | None = None
    "So many at once are lent to it at the most; None: no limit."
    helpers: dict[str, int] = field(default_factory=dict)
    "Skill → least level: who has all of them may be lent to it, beside those whose `helps` names it."


@dataclass(frozen=True, slots=True)
class Balancing:
    """Rebalancing of a centre: agents are lent between the queues that take part, and returned."""

    on: bool = True
    every: float = 20.0
    "Seconds from one comparison to the next."
    moves_per_hour: int = 6
    "Of one agent, there and back counted apart; never more."
    margin: float = 0.02
    "A share: lends where less than the target by so much is expected, returns where more by so much is without."


@dataclass(frozen=True, slots=True)
class Widen:
    """A stage of a queue: from when on it is offered to more agents than its own. At least one of the first three."""

    after: float | None = None
    "Opens for whoever has waited so many seconds, an overflow's time included, …"
    length: int | None = None
    "… for the whole queue while so many wait whom no agent is free for, …"
    below: float | None = None
    "… or while less than this share of its contacts is answered in the time of its service level, of late."
    needs: dict[str, int] | None = None
    "Skill → least level, instead of that of the queue and of the stages before; 0: not asked for any more."
    queues: tuple[str, ...] = ()
    "Whoever serves one of these may be offered it, too."
    calendar: str = ""
    "Opens only while this calendar is open. For whom it has opened, it stays open."


@dataclass(frozen=True, slots=True)
class LastAgent:
    """Somebody who comes again is kept for whom they know: who talked with them last, or whom they prefer."""

    within: float = 7 * 86400.0
    "Seconds since they talked."
    wait: float = 30.0
    "Seconds for which they wait for that agent alone; 0: offered if free at once."
    preferred: bool = True
    "Whom the customer's card names, goes before who talked with them last."


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A queue as configured. Times in seconds."""

    id: str
    client: str | None = None
    agents: tuple[str, ...] | None = None
    "Ids of the agents who serve it; None when `needs` alone chooses."
    needs: dict[str, int] = field(default_factory=dict)
    "Skill → least level."
    strategy: Strategy = "longest_idle"
    service_level: tuple[float, float] = (0.8, 20.0)
    "Share of contacts to be answered, within seconds."
    ring_timeout: float = 15.0
    wrap_up: float = 15.0
    max_wait: float | None = None
    max_length: int | None = None
    record: bool = False
    music: str = "default"
    priority: int = 0
    ageing: float = 60.0
    "Seconds of waiting that one point of priority is worth."
    short_abandon: float = 5.0
    reject_delay: float = 10.0
    "An agent who refuses is left alone for so long."
    retry_delay: float = 5.0
    "The same after a missed offer; doubles with each further one, up to a minute."
    missed_limit: int = 3
    "Missed offers in a row after which an agent who signs in by hand is set not ready."
    when_full: Destination | None = None
    when_no_agents: Destination | None = None
    after_max_wait: Destination | None = None
    when_closed: Destination | None = None
    open_at: tuple[tuple[float, float], ...] | None = None
    "Opening intervals (from, to) in unix seconds, ascending, as the calendar gives them; None is always open."
    announce: Announce | None = None
    dispositions: tuple[str, ...] = ()
    "Results of which an agent must give one before the after-call work is over; empty: none is asked for."
    keys: dict[str, Destination] = field(default_factory=dict)
    "Digit → the way out that somebody who waits takes by it; the exit of a flow's queue node goes first."
    callbacks: Callbacks = Callbacks()
    follow_up: FollowUp | None = None
    widen: tuple[Widen, ...] = ()
    "Stages, each of them open to more agents than those before."
    last_agent: LastAgent | None = None
    when_slow: Destination | None = None
    "Way out of whoever would come while less than `slow_below` is answered in time."
    slow_below: float = 0.5
    "A share, of the contacts of late."
    tier: int = 1
    "Of the support given here: 1 the first, 2 and 3 those who know more."
    escalate: Destination | None = None
    "Where its agents hand over what they can't or mayn't do."
    name: str = ""
    "As people call it; empty: its id."
    brief: bool = False
    "Whoever answers is told first, alone, for whom and after what wait."
    record_on_demand: bool = False
    "Where `record` is off: agents may begin a recording, and end it."
    longest_pause: float = 300.0
    "Seconds after which a recording that an agent has paused goes on by itself."
    interludes: tuple[str, ...] = ()
    "Flows that agents may send their customer through and get them back: a payment, a consent."
    survey: str = ""
    "Flow that customers go on into when their agent has hung up."
    balance: Balance | None = None
    "None: takes no part in rebalancing."


@dataclass(frozen=True, slots=True)
class ParkingSpec:
    """Where customers are put aside for anybody of the house to pick up."""

    slots: tuple[str, ...] = ()
    "What is dialled to pick up; empty: there is no parking."
    number: str = ""
    "Transferring to it parks in the first free slot; to a slot itself, in that one."
    timeout: float = 120.0
    "Seconds until whoever parked is rung."


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """An agent as configured."""

    id: str
    name: str = ""
    skills: dict[str, int] = field(default_factory=dict)
    "Skill → level, 1 to 10."
    fixed_phone: bool = False
    "The phone has an address and never registers: it counts as reachable."
    always_ready: bool = False
    "Ready for as long as it is configured."
    ready_on_register: bool = False
    "Registering the phone signs in and says ready; losing the registration signs out."
    prefers: tuple[str, ...] = ()
    "Queues that this agent serves before any other, in this order, whatever the waits."
    helps: tuple[str, ...] = ()
    "Queues to which the agent may be lent when they need it."


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """A published version of a flow."""

    id: str
    version: int
    "Of this flow: 1, 2, 3 … A contact goes on in the version in which it began."
    graph: str
    "JSON as `core/flow/graph.py` reads it; published only when it has no problems."


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """Opening hours that several flows share."""

    id: str
    open_at: tuple[tuple[float, float], ...]
    "As in `QueueSpec`."
