"""Told of agents: phones, intents."""

from dataclasses import dataclass

from centrala.core.specs import (
    Balancing,
)


@dataclass(frozen=True, slots=True)
class PhoneRegistered:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class PhoneUnregistered:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class AgentSignedIn:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class AgentReady:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class AgentPaused:
    at: float
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentSignedOut:
    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpFinished:
    """The agent is done with the after-call work before its time is up."""

    at: float
    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    at: float
    agent: str
    seconds: float
    "Added to what is left of the after-call work."


@dataclass(frozen=True, slots=True)
class AgentQueuesChanged:
    """A supervisor lends an agent to queues, or takes them out of some, until it is said anew."""

    at: float
    agent: str
    plus: tuple[str, ...]
    "Queues served beside those of list and skill."
    minus: tuple[str, ...]
    "Queues not served though list or skill say so."


@dataclass(frozen=True, slots=True)
class BalancingChanged:
    """How agents are lent between queues: from the settings. None: not at all."""

    at: float
    spec: Balancing | None


@dataclass(frozen=True, slots=True)
class BalanceAsked:
    """A supervisor pauses rebalancing, whereupon all who are lent return, or lets it go on."""

    at: float
    on: bool
    by: str = ""
    "Agent who asks; empty for somebody who is none."


@dataclass(frozen=True, slots=True)
class LoanEndAsked:
    """A supervisor takes a lent agent back, who then isn't lent there again for a while."""

    at: float
    agent: str
    queue: str
    by: str = ""
