"""What goes on now, for boards: a pure fold of the core's events, and a view that is read once a second.

    live = Live(ZoneInfo("Europe/Warsaw"))
    live.take(centre, events)          # for each step, right after it
    board = live.view(centre, now)     # whenever somebody looks

A step costs the same however big the house is; a view costs what it shows.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from centrala.core import events as e
from centrala.core.state import Agent, Centre, Contact

RECENT = 900.0
"""Seconds that "now" means for a service level: a quarter of an hour, as in most reports."""
LINES = 200
"""Sentences kept."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a queue. A contact counts in the queue where it was served or lost."""

    offered: int = 0
    """Contacts that came in; one that moves on to another queue counts in each."""
    served: int = 0
    in_time: int = 0
    """Served within the queue's threshold."""
    abandoned: int = 0
    early: int = 0
    """Abandoned within the threshold."""

    @property
    def service_level(self) -> float | None:
        """Served in time / (served + abandoned - abandoned within the threshold); None: nothing to go by."""
        base = self.served + self.abandoned - self.early
        return self.in_time / base if base else None


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
    """Those who stand in it or ring somebody, longest wait first."""
    talking: int
    free: int
    """Agents who could be offered a contact now."""
    staffed: int
    today: Figures
    now: Figures
    """Of the last `RECENT` seconds."""

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


@dataclass(slots=True)
class _Wait:
    queue: str
    since: float


@dataclass(slots=True)
class _Counts:
    offered: int = 0
    served: int = 0
    in_time: int = 0
    abandoned: int = 0
    early: int = 0

    def add(self, what: str, in_time: bool, by: int = 1) -> None:
        match what:
            case "offered":
                self.offered += by
            case "served":
                self.served += by
                self.in_time += by * in_time
            case _:
                self.abandoned += by
                self.early += by * in_time

    def figures(self) -> Figures:
        return Figures(self.offered, self.served, self.in_time, self.abandoned, self.early)


@dataclass(slots=True)
class _Queue:
    today: _Counts = field(default_factory=_Counts)
    recent: _Counts = field(default_factory=_Counts)
    happened: deque[tuple[float, str, bool]] = field(default_factory=deque)
    talking: dict[str, None] = field(default_factory=dict)
    ringing: dict[str, None] = field(default_factory=dict)
    """Contacts that have left the line and ring one agent."""

    def count(self, at: float, what: str, in_time: bool = False) -> None:
        self.today.add(what, in_time)
        self.recent.add(what, in_time)
        self.happened.append((at, what, in_time))
        self.forget(at)

    def forget(self, now: float) -> None:
        while self.happened and self.happened[0][0] < now - RECENT:
            _, what, in_time = self.happened.popleft()
            self.recent.add(what, in_time, -1)


class Live:
    """The fold of one tenant. Begins with what it is told: after a restart the day's counts begin anew."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._day: object = None
        self._queues: dict[str, _Queue] = {}
        self._waits: dict[str, _Wait] = {}
        """By contact, from `Queued` until served, lost or gone elsewhere."""
        self._served_in: dict[str, str] = {}
        self._agents: dict[str, tuple[str, float]] = {}
        self._lines: deque[Line] = deque(maxlen=LINES)

    # --- the fold ---

    def take(self, centre: Centre, events: Sequence[e.Event]) -> None:
        """One step's events, with the centre as it is after them."""
        for event in events:
            self._roll_over(event.at)
            self._count(centre, event)
            text = sentence(centre, event)
            if text:
                self._lines.append(Line(event.at, type(event).__name__, text))
        for event in events:
            agent = _agent_of(centre, event)
            if agent is not None:
                self._watch(agent, event.at)

    def _roll_over(self, at: float) -> None:
        day = datetime.fromtimestamp(at, self._zone).date()
        if day != self._day:
            self._day = day
            for queue in self._queues.values():
                queue.today = _Counts()

    def _watch(self, agent: Agent, at: float) -> None:
        state = agent.state
        if self._agents.get(agent.spec.id, ("", 0.0))[0] != state:
            self._agents[agent.spec.id] = state, at

    def _queue(self, name: str) -> _Queue:
        return self._queues.setdefault(name, _Queue())

    def _count(self, centre: Centre, event: e.Event) -> None:
        match event:
            case e.Queued(contact=contact, queue=name):
                self._leave(contact)
                self._waits[contact] = _Wait(name, event.since)
                self._queue(name).count(event.at, "offered")
            case e.OfferMade(contact=contact, queue=str(name)):
                self._queue(name).ringing[contact] = None
            case e.OfferEnded(contact=contact) if contact in self._waits:
                known = centre.contacts.get(contact)
                if known is None or not known.offers:
                    self._queue(self._waits[contact].queue).ringing.pop(contact, None)
            case e.Connected(contact=contact):
                wait = self._leave(contact)
                if wait is not None:
                    queue = self._queue(wait.queue)
                    queue.count(event.at, "served", self._in_time(centre, wait, event.at))
                    queue.talking[contact] = None
                    self._served_in[contact] = wait.queue
            case e.Overflowed(contact=contact):
                self._leave(contact)
            case e.Released(contact=contact):
                self._leave(contact)
            case e.ContactEnded(contact=contact, outcome=outcome):
                wait = self._leave(contact)
                if wait is not None and outcome in ("abandoned", "short_abandoned"):
                    self._queue(wait.queue).count(
                        event.at, "abandoned", self._in_time(centre, wait, event.at)
                    )
            case e.QueueDropped(queue=name):
                self._queues.pop(name, None)
            case e.AgentDropped(agent=name):
                self._agents.pop(name, None)
            case _:
                pass

    def _leave(self, contact: str) -> _Wait | None:
        """The contact waits and talks nowhere any more."""
        wait = self._waits.pop(contact, None)
        if wait is not None:
            self._queue(wait.queue).ringing.pop(contact, None)
        served_in = self._served_in.pop(contact, None)
        if served_in is not None:
            self._queue(served_in).talking.pop(contact, None)
        return wait

    @staticmethod
    def _in_time(centre: Centre, wait: _Wait, at: float) -> bool:
        queue = centre.queues.get(wait.queue)
        return queue is not None and at - wait.since <= queue.spec.service_level[1]

    # --- the view ---

    def view(self, centre: Centre, now: float) -> Board:
        self._roll_over(now)
        return Board(
            at=now,
            queues=tuple(self._view_queue(centre, name, now) for name in centre.queues),
            agents=tuple(self._view_agent(centre, agent, now) for agent in centre.agents.values()),
            lines=tuple(self._lines),
        )

    def _view_queue(self, centre: Centre, name: str, now: float) -> QueueView:
        queue, mine = centre.queues[name], self._queue(name)
        mine.forget(now)
        names = dict.fromkeys([*mine.ringing, *(contact for _, _, contact in queue.waiting)])
        waiting = [_waiting(centre.contacts[one], name, now) for one in names if one in centre.contacts]
        return QueueView(
            id=name,
            target=queue.spec.service_level,
            waiting=tuple(sorted(waiting, key=lambda one: -one.wait)),
            talking=len(mine.talking),
            free=len(queue.idle),
            staffed=queue.staffed,
            today=mine.today.figures(),
            now=mine.recent.figures(),
        )

    def _view_agent(self, centre: Centre, agent: Agent, now: float) -> AgentView:
        spec = agent.spec
        self._watch(agent, now)
        state, since = self._agents[spec.id]
        with_whom = next(iter(agent.calls), None) or next(iter(agent.offers.values()), None) or agent.wrap
        contact = centre.contacts.get(with_whom) if with_whom is not None else None
        if contact is not None and contact.state == "held" and state == "on_contact":
            state = "held"
        queue = None
        if contact is not None:
            queue = contact.leg_queue if state in ("on_contact", "held") else contact.queue
        return AgentView(spec.id, spec.name or spec.id, state, since, with_whom, queue)


def _waiting(contact: Contact, queue: str, now: float) -> WaitingView:
    ringing = tuple(offer.agent for offer in contact.offers.values() if offer.agent is not None)
    return WaitingView(contact.id, queue, max(now - contact.since, 0.0), ringing)


def _agent_of(centre: Centre, event: Any) -> Agent | None:
    name = getattr(event, "agent", None)
    if name is None:
        if isinstance(event, e.AgentDefined):
            name = event.spec.id
        elif isinstance(event, e.Connected):
            contact = centre.contacts.get(event.contact)
            name = contact.leg_agent if contact is not None else None
    return centre.agents.get(name) if name is not None else None


# --- in words ---


def sentence(centre: Centre, event: e.Event) -> str | None:
    """The event for people, without anything personal but agents' names; None where nobody would care."""
    match event:
        case e.Queued(queue=queue):
            return f"{queue}: a caller joins the queue"
        case e.OfferMade(agent=str(agent), queue=queue):
            return (
                f"{queue or 'direct'}: rings {_name(centre, agent)} ({event.why})"
                if event.why
                else (f"{queue or 'direct'}: rings {_name(centre, agent)}")
            )
        case e.OfferEnded(how="missed", agent=str(agent)):
            return f"{_name(centre, agent)} didn't answer; the caller keeps the place in the queue"
        case e.OfferEnded(how="refused", agent=str(agent)):
            return f"{_name(centre, agent)} declined; the caller keeps the place in the queue"
        case e.OfferEnded(how="failed", agent=str(agent)):
            return f"{_name(centre, agent)}'s phone failed ({event.cause or 'no reason given'})"
        case e.Connected(contact=contact):
            return _connected(centre, event.at, contact)
        case e.Overflowed():
            return f"{event.queue}: a caller is sent on ({event.why.replace('_', ' ')})"
        case e.Released():
            return "a caller is transferred"
        case e.ContactEnded():
            return _ENDS.get(event.outcome, "").format(by=event.by, cause=event.cause) or None
        case e.AgentStateChanged(intent="ready"):
            return f"{_name(centre, event.agent)} is ready"
        case e.AgentStateChanged(intent="not_ready"):
            return f"{_name(centre, event.agent)} pauses"
        case e.AgentStateChanged(intent="logged_out"):
            return f"{_name(centre, event.agent)} has signed out"
        case e.PhoneLost():
            return f"{_name(centre, event.agent)}'s phone is gone"
        case e.RestBegan():
            return f"{_name(centre, event.agent)} is left alone for {event.until - event.at:.0f} s"
        case _:
            return None


_ENDS = {
    "answered": "a conversation ends ({by} hung up)",
    "abandoned": "a caller gave up waiting",
    "short_abandoned": "a caller gave up at once",
    "redirected": "a caller was sent elsewhere",
    "refused": "a caller was turned away",
    "failed": "a call failed",
}


def _connected(centre: Centre, at: float, contact: str) -> str:
    known = centre.contacts.get(contact)
    if known is None or known.leg_agent is None:
        return "a caller talks with somebody outside"
    name = _name(centre, known.leg_agent)
    if known.leg_queue is None:
        return f"{name} answers a direct call"
    return f"{known.leg_queue}: {name} answers after {max(at - known.since, 0):.0f} s"


def _name(centre: Centre, agent: str) -> str:
    known = centre.agents.get(agent)
    return known.spec.name or agent if known is not None else agent
