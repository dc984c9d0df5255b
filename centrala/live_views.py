"""What boards are shown of what goes on now: plain values, made by `centrala.live`."""

from dataclasses import dataclass

from centrala.ledger.metrics import Counts


@dataclass(frozen=True, slots=True)
class WaitingView:
    contact: str
    queue: str
    wait: float
    """Seconds."""
    ringing: tuple[str, ...]
    """Agents whose phones ring for it."""


@dataclass(frozen=True, slots=True)
class QueueView:
    id: str
    target: tuple[float, float]
    """Share to be served, within seconds."""
    waiting: tuple[WaitingView, ...]
    """Those on the line who stand in it or ring somebody, longest wait first."""
    talking: int
    free: int
    """Agents who could be offered a contact now."""
    staffed: int
    today: Counts
    now: Counts
    """Of the last `RECENT` seconds."""
    bar: tuple[int, int, int, int]
    """Agents of the queue who are free, talk (or ring), do after-call work, are away."""
    callbacks: int = 0
    """Owed now, those booked for later too."""
    messages: int = 0
    """That nobody has taken up."""

    @property
    def longest_wait(self) -> float:
        return max((one.wait for one in self.waiting), default=0.0)


@dataclass(frozen=True, slots=True)
class AgentView:
    id: str
    name: str
    state: str
    """on_contact, offered, wrap_up, unreachable, resting, ready, not_ready, logged_out, and held."""
    since: float
    """Unix seconds."""
    contact: str | None
    """Whom the agent talks with, or who rings."""
    queue: str | None


@dataclass(frozen=True, slots=True)
class Line:
    at: float
    kind: str
    """The event's name."""
    text: str


@dataclass(frozen=True, slots=True)
class Board:
    at: float
    queues: tuple[QueueView, ...]
    agents: tuple[AgentView, ...]
    lines: tuple[Line, ...]
    """Newest last."""
