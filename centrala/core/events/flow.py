"""Of contacts in a flow."""

from dataclasses import dataclass
from typing import Literal

from centrala.core.private import Private
from centrala.core.specs import (
    Destination,
)


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
