"""Of configuration: queues, agents, numbers, flows, calendars …"""

from dataclasses import dataclass

from centrala.core.learned import Learned
from centrala.core.specs import (
    AgentSpec,
    CalendarSpec,
    Destination,
    FlowSpec,
    ParkingSpec,
    QueueSpec,
)


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


@dataclass(frozen=True, slots=True)
class WaitsSet:
    at: float
    queue: str
    model: Learned | None
