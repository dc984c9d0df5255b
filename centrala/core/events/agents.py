"""Of agents: what they want, their phone, their load, loans."""

from dataclasses import dataclass
from typing import Literal

from centrala.core.specs import (
    Balancing,
)


@dataclass(frozen=True, slots=True)
class AgentQueuesSet:
    """Lent to queues (`plus`), taken out of some (`minus`), beside what list and skill say."""

    at: float
    agent: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BalancingSet:
    at: float
    spec: Balancing | None


@dataclass(frozen=True, slots=True)
class BalancePaused:
    """Or goes on."""

    at: float
    on: bool
    by: str = ""


@dataclass(frozen=True, slots=True)
class AgentLent:
    """By rebalancing, to a queue that needs it; from the next contact on."""

    at: float
    agent: str
    queue: str
    why: Literal["short"]
    values: dict[str, float]
    """What the decision went by: `agents` lent at once, `waiting` there; expected service levels, shares, of that
    queue (`target`, `without`, `with`) and of the giving one that is left with least (`home_target`, `home_without`,
    `home_with`), where there is one."""
    home: str = ""
    "The giving queue of those figures."


@dataclass(frozen=True, slots=True)
class AgentReturned:
    at: float
    agent: str
    queue: str
    why: Literal[
        "recovered",
        "needed",
        "limit",
        "off",
        "asked",
        "by_hand",
        "signed_out",
        "agent_removed",
        "queue_removed",
    ]
    values: dict[str, float]
    "As in `AgentLent`: `with` is as it was, `without` what is expected now."
    home: str = ""
    until: float = 0.0
    "Isn't lent there again before, in unix seconds."
    by: str = ""
    "Who asked for it."


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """What the agent wants: the intent, whatever phone and load say."""

    at: float
    agent: str
    intent: Literal["logged_out", "not_ready", "ready"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PhoneFound:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class PhoneLost:
    at: float
    agent: str
    why: str = ""
    "asleep: registered still, but it didn't say a word to a call."


@dataclass(frozen=True, slots=True)
class AgentFreed:
    """The agent is out of the conversation, with no wrap-up to do."""

    at: float
    agent: str
    contact: str


@dataclass(frozen=True, slots=True)
class WrapUpBegan:
    """The agent is out of the conversation and has after-call work to do."""

    at: float
    agent: str
    contact: str
    until: float


@dataclass(frozen=True, slots=True)
class WrapUpProlonged:
    at: float
    agent: str
    contact: str
    until: float


@dataclass(frozen=True, slots=True)
class WrapUpOverran:
    """The time for after-call work is over and the result that the queue asks for is missing."""

    at: float
    agent: str
    contact: str


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    at: float
    agent: str
    contact: str


@dataclass(frozen=True, slots=True)
class RestBegan:
    """Back-off after a missed or refused offer."""

    at: float
    agent: str
    until: float
    missed: int


@dataclass(frozen=True, slots=True)
class RestEnded:
    at: float
    agent: str
