"""Of what the house owes: callbacks, messages, slots."""

from dataclasses import dataclass
from typing import Literal


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
