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
