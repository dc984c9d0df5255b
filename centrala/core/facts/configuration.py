"""Told by settings, and what was learned from the past."""

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
class QueueChanged:
    at: float
    spec: QueueSpec


@dataclass(frozen=True, slots=True)
class QueueRemoved:
    at: float
    queue: str


@dataclass(frozen=True, slots=True)
class AgentChanged:
    at: float
    spec: AgentSpec


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class NumberChanged:
    at: float
    number: str
    destination: Destination


@dataclass(frozen=True, slots=True)
class NumberRemoved:
    at: float
    number: str


@dataclass(frozen=True, slots=True)
class FlowPublished:
    """Contacts that begin from now on go through this version."""

    at: float
    spec: FlowSpec


@dataclass(frozen=True, slots=True)
class FlowRemoved:
    at: float
    flow: str


@dataclass(frozen=True, slots=True)
class CalendarChanged:
    at: float
    spec: CalendarSpec


@dataclass(frozen=True, slots=True)
class CalendarRemoved:
    at: float
    calendar: str


@dataclass(frozen=True, slots=True)
class ParkingChanged:
    at: float
    spec: ParkingSpec


@dataclass(frozen=True, slots=True)
class WaitsLearned:
    """What the queue's past has taught of its waits. Replaces what was told before."""

    at: float
    queue: str
    model: Learned | None
    "None: the formula tells more."
