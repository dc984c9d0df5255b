"""What is simulated: queues and agents as the core knows them, and who calls, when, for how long."""

from dataclasses import dataclass, field, replace

from centrala.core.specs import AgentSpec, Balancing, CalendarSpec, Destination, FlowSpec, QueueSpec
from centrala.settings.facts import agent_spec, calendar_spec, destination, queue_spec
from centrala.settings.model import Tenant
from centrala.sim.draws import Distribution, Exponential, Fixed

MONDAY = 1_767_600_000.0
"5 January 2026, 8:00 UTC: when a scenario begins that says nothing else."

HANDLING = Exponential(240.0)
AT_ONCE = Fixed(0.0)
A_FEW_SECONDS = Fixed(5.0)

Span = tuple[float, float]
"(from, to) in seconds after the scenario's start."


@dataclass(frozen=True, slots=True)
class Arrivals:
    """One stream of calls: Poisson with a steady rate or a profile, or exactly as traced. Times in seconds."""

    to: str
    "The number that is dialled; a queue's id will do where no number has that name."
    per_hour: float = 0.0
    profile: tuple[float, ...] = ()
    "Calls expected in each interval from the start on; wins over `per_hour`."
    interval: float = 900.0
    trace: tuple[float, ...] | None = None
    "Seconds after the start at which calls come, ascending; wins over both."
    handling: Distribution = HANDLING
    "Of the conversation; after-call work is the queue's."
    patience: Distribution | None = None
    "Who waits longer hangs up; None waits for ever."
    priority: int = 0
    callback: float = 0.0
    "Share of those who wait that presses 1, which the queue's `keys` or the flow should know."
    callback_after: float = 30.0
    "Seconds of waiting before they do."
    away: float = 0.0
    "Share of calls back to them that they don't answer."

    def __post_init__(self) -> None:
        if self.per_hour < 0 or any(calls < 0 for calls in self.profile) or self.interval <= 0:
            raise ValueError(f"arrivals to {self.to}: rates must be 0 or more, the interval above 0")
        if not (0 <= self.callback <= 1 and 0 <= self.away <= 1):
            raise ValueError(f"arrivals to {self.to}: shares lie between 0 and 1")
        if self.trace is not None and list(self.trace) != sorted(self.trace):
            raise ValueError(f"arrivals to {self.to}: a trace must be in the order of time")


@dataclass(frozen=True, slots=True)
class AgentModel:
    """An agent and how they behave."""

    spec: AgentSpec
    shifts: tuple[Span, ...] | None = None
    "Signed in and ready only then; None is always."
    answer_delay: Distribution = AT_ONCE
    refuse: float = 0.0
    "Share of offers that the agent refuses."
    miss: float = 0.0
    "Share of offers that the agent lets ring."


@dataclass(frozen=True, slots=True)
class Outage:
    """Phones lose their registration and what they talk about; or, with no agents named, the trunk is down."""

    span: Span
    agents: tuple[str, ...] = ()
    "Empty: no call comes in, those there are break."


@dataclass(frozen=True, slots=True)
class Scenario:
    queues: tuple[QueueSpec, ...]
    agents: tuple[AgentModel, ...]
    arrivals: tuple[Arrivals, ...]
    numbers: dict[str, Destination] = field(default_factory=dict)
    flows: tuple[FlowSpec, ...] = ()
    calendars: tuple[CalendarSpec, ...] = ()
    hours: float = 8.0
    "How long calls come; those in the centre then are served to their end."
    warm_up: float = 0.0
    "Seconds at the start that aren't counted."
    outages: tuple[Outage, ...] = ()
    outside_delay: Distribution = A_FEW_SECONDS
    "Until a phone outside is picked up."
    balancing: Balancing | None = None
    start: float = MONDAY
    "Unix seconds, above 0; opening hours are read against it."

    def __post_init__(self) -> None:
        if not (self.start > 0 and self.hours > 0 and 0 <= self.warm_up < self.hours * 3600):
            raise ValueError("a scenario lasts longer than its warm-up, and starts after 1970")
        known = {*self.numbers, *(queue.id for queue in self.queues)}
        for stream in self.arrivals:
            if stream.to not in known:
                raise ValueError(f"arrivals to {stream.to}: there is no such number or queue")


def from_tenant(
    tenant: Tenant,
    arrivals: tuple[Arrivals, ...],
    *,
    hours: float = 8.0,
    warm_up: float = 0.0,
    agents: int | None = None,
    start: float = MONDAY,
    answer_delay: Distribution = A_FEW_SECONDS,
) -> Scenario:
    """A scenario with the queues, agents and numbers of a tenant's settings.

    `agents` puts so many there instead: the first ones as configured, then copies of them in turn, who serve
    the same queues. Raises ValueError where copies are asked for and there is nobody to copy.
    """
    queues = [queue_spec(queue, tenant, start) for queue in tenant.queues.values()]
    specs = [agent_spec(agent) for agent in tenant.agents.values()]
    if agents is not None:
        if not specs and agents:
            raise ValueError("no agents are configured, so that none can be copied")
        copies = {
            f"{specs[index % len(specs)].id}~{index // len(specs) + 1}": specs[index % len(specs)]
            for index in range(len(specs), agents)
        }
        specs = specs[:agents] + [replace(like, id=name) for name, like in copies.items()]
        queues = [
            queue
            if queue.agents is None
            else replace(
                queue,
                agents=queue.agents + tuple(name for name, like in copies.items() if like.id in queue.agents),
            )
            for queue in queues
        ]
    return Scenario(
        queues=tuple(queues),
        agents=tuple(AgentModel(spec, answer_delay=answer_delay) for spec in specs),
        arrivals=arrivals,
        numbers={name: destination(to) for name, to in tenant.numbers.items()},
        flows=tuple(FlowSpec(one.id, 1, one.graph) for one in tenant.flows.values()),
        calendars=tuple(calendar_spec(one, tenant, start) for one in tenant.calendars.values()),
        hours=hours,
        warm_up=warm_up,
        start=start,
    )
