"""What a live view remembers beside the core's state: plain values, stored now and then, and folded on from there."""

from dataclasses import dataclass, field

from centrala.ledger.metrics import AgentTime, Counts

RECENT = 1800.0
"""Seconds that "now" means for a service level: half an hour, in whole minutes."""
MINUTE = 60.0


@dataclass(slots=True)
class Wait:
    queue: str
    since: float
    queued_at: float = 0.0
    expected: float | None = None
    "Seconds from then until a phone rings; None once one has, or where nothing was known."
    widened: float | None = None
    "When the wait opened the stage that is open to it."


@dataclass(slots=True)
class Owed:
    """A callback, or a message, that is owed to somebody."""

    kind: str
    "callback or message"
    queue: str = ""
    since: float = 0.0
    "Since when they have waited: of a time that was booked, since then."
    done: bool = False
    "Somebody has seen to it: from now on it is a conversation as any."


@dataclass(slots=True)
class Talk:
    """A customer's conversation with whoever serves them."""

    queue: str | None
    since: float
    held: float | None = None
    "Since when on hold."
    held_s: float = 0.0
    "Holds that are over."


@dataclass(slots=True)
class Wrap:
    contact: str
    queue: str | None
    since: float


@dataclass(slots=True)
class QueueSums:
    today: Counts = field(default_factory=Counts)
    recent: Counts = field(default_factory=Counts)
    minutes: dict[int, Counts] = field(default_factory=dict)
    "Minute since 1970 → what happened in it; what `recent` is the sum of."
    talking: dict[str, None] = field(default_factory=dict)
    ringing: dict[str, None] = field(default_factory=dict)
    "Contacts that have left the line and ring one agent."
    callbacks: dict[str, None] = field(default_factory=dict)
    "Contacts that are owed, also those booked for later."
    messages: dict[str, None] = field(default_factory=dict)
    widened: float | None = None
    "Since when the stage is open that is open to all who wait."

    def places(self, at: float) -> tuple[Counts, Counts, Counts]:
        """Where something that happens now is to be added."""
        self.forget(at)
        return self.today, self.recent, self.minutes.setdefault(int(at // MINUTE), Counts())

    def forget(self, now: float) -> None:
        oldest = (now - RECENT) / MINUTE
        if self.minutes and next(iter(self.minutes)) <= oldest:
            self.minutes = {minute: sums for minute, sums in self.minutes.items() if minute > oldest}
            self.recent = Counts()
            for sums in self.minutes.values():
                self.recent.add(sums)


@dataclass(slots=True)
class AgentClock:
    state: str
    "As in `AgentTime.seconds`."
    since: float
    counted: float
    "Up to when `today` holds what passed."
    today: AgentTime = field(default_factory=AgentTime)


@dataclass(slots=True)
class Note:
    """What events told of an open contact."""

    why: str = ""
    "Why its last offer went where it went."
    wrapping: dict[str, None] = field(default_factory=dict)
    "Agents in wrap-up after it."
    results: dict[str, str] = field(default_factory=dict)
    "Agent → disposition, in the order given."

    @property
    def disposition(self) -> str | None:
        """The last word on it."""
        return next(reversed(self.results.values()), None)


@dataclass(slots=True)
class Memory:
    """All that a `Live` holds beside the core's state."""

    day: str = ""
    queues: dict[str, QueueSums] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    """By contact, from `Queued` until served, lost or gone elsewhere."""
    talks: dict[str, Talk] = field(default_factory=dict)
    wraps: dict[str, Wrap] = field(default_factory=dict)
    "By agent."
    legs: dict[str, str] = field(default_factory=dict)
    "Leg that rings → agent."
    agents: dict[str, AgentClock] = field(default_factory=dict)
    contacts: dict[str, Note] = field(default_factory=dict)
    owed: dict[str, Owed] = field(default_factory=dict)
    "By contact, to its end."
