"""What goes on now, for boards: a fold of the core's events, and a view that is read whenever somebody looks.

    live = Live(ZoneInfo("Europe/Warsaw"))
    live.take(centre, events)          # for each step, right after it
    board = live.view(centre, now)     # whenever somebody looks

A step costs the same however big the house is; a view costs what it shows. What only events tell (counts of the day,
since when, why) is `Memory`, a plain value: stored now and then and folded on from there, it survives a restart.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import msgspec

from centrala.core import events as e
from centrala.core.state import Agent, Centre, Contact
from centrala.ledger.metrics import AgentTime, Counts
from centrala.live_memory import MINUTE, RECENT, AgentClock, Memory, Note, Owed, QueueSums, Talk, Wait, Wrap
from centrala.live_views import AgentView, Board, Line, QueueView, WaitingView
from centrala.telling import sentence

__all__ = [
    "MINUTE",
    "RECENT",
    "AgentView",
    "Board",
    "Line",
    "Live",
    "Memory",
    "QueueSums",
    "QueueView",
    "WaitingView",
    "agents_of",
    "state_of",
    "touched",
    "with_contact",
]

LINES = 200
"""Sentences kept."""

_BAR = {
    "ready": 0,
    "on_contact": 1,
    "held": 1,
    "offered": 1,
    "wrap_up": 2,
    "not_ready": 3,
    "resting": 3,
    "unreachable": 3,
}
"State → place in the bar; who is signed out has none."


class Live:
    """The fold of one tenant. A new one begins with what it is told; `restored` goes on from a stored one."""

    def __init__(self, zone: tzinfo, memory: Memory | None = None) -> None:
        self._zone = zone
        self.memory = memory or Memory()
        self._day_begins = self._day_ends = 0.0
        self._lines: deque[Line] = deque(maxlen=LINES)
        self._bars: dict[str, list[int]] = {}
        self._in_bars: dict[str, tuple[int, tuple[str, ...]]] = {}
        "Agent → (place in the bar, queues), as counted in `_bars`."

    # --- kept ---

    def stored(self) -> bytes:
        return msgspec.json.encode(self.memory)

    @classmethod
    def restored(cls, zone: tzinfo, body: bytes, centre: Centre) -> "Live":
        """Go on from `stored`, with the centre as it was then. Raises msgspec.DecodeError, UnicodeError."""
        live = cls(zone, msgspec.json.decode(body, type=Memory))
        live._set_day_of(live.memory.day)
        live.meet(centre)
        return live

    def meet(self, centre: Centre, at: float | None = None) -> None:
        """Get to know agents who were there before us; their clocks begin now."""
        self._bars = {}
        self._in_bars = {}
        for agent in centre.agents.values():
            if at is not None:
                self._watch(centre, agent, at)
            self._place(centre, agent)

    # --- the fold ---

    def take(self, centre: Centre, events: Sequence[e.Event]) -> tuple[set[str], set[str]]:
        """One step's events, with the centre as it is after them. Gives the agents and contacts it may have changed."""
        for event in events:
            self._roll_over(event.at)
            count = _COUNT.get(type(event))
            if count is not None:
                count(self, centre, event)
            text = sentence(centre, event)
            if text:
                self._lines.append(Line(event.at, type(event).__name__, text))
        agents, contacts = touched(centre, events, self.memory)
        if events:
            at = events[-1].at
            for name in agents:
                agent = centre.agents.get(name)
                if agent is not None:
                    self._watch(centre, agent, at)
                    self._place(centre, agent)
                else:
                    self._unplace(name)
                    self.memory.agents.pop(name, None)
        return agents, contacts

    def _roll_over(self, at: float) -> None:
        if self._day_begins <= at < self._day_ends:
            return
        day = datetime.fromtimestamp(at, self._zone).date().isoformat()
        if day != self.memory.day:
            self.memory.day = day
            self._set_day_of(day)
            for queue in self.memory.queues.values():
                queue.today = Counts()
            for clock in self.memory.agents.values():
                clock.today = AgentTime()
                clock.counted = max(clock.counted, self._day_begins)

    def _set_day_of(self, day: str) -> None:
        if day:
            begins = datetime.fromisoformat(day).replace(tzinfo=self._zone)
            ends = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=self._zone)
            self._day_begins, self._day_ends = begins.timestamp(), ends.timestamp()

    def _watch(self, centre: Centre, agent: Agent, at: float) -> None:
        state = state_of(centre, agent)
        if state == "not_ready":
            state = f"not_ready:{agent.reason}"
        clock = self.memory.agents.get(agent.spec.id)
        if clock is None:
            self.memory.agents[agent.spec.id] = AgentClock(state, at, at)
        elif clock.state != state:
            _credit(clock, clock.today, at)
            clock.state, clock.since, clock.counted = state, at, at

    def _place(self, centre: Centre, agent: Agent) -> None:
        """Count the agent in the bars of their queues."""
        name = agent.spec.id
        place = _BAR.get(state_of(centre, agent), -1)
        known = self._in_bars.get(name)
        if known is not None and known[0] == place and len(known[1]) == len(agent.queues):
            return  # queues that come and go are told by events of their own
        self._unplace(name)
        queues = tuple(agent.queues)
        self._in_bars[name] = place, queues
        if place >= 0:
            for queue in queues:
                bar = self._bars.get(queue)
                if bar is None:
                    bar = self._bars[queue] = [0, 0, 0, 0]
                bar[place] += 1

    def _unplace(self, name: str) -> None:
        place, queues = self._in_bars.pop(name, (-1, ()))
        if place >= 0:
            for queue in queues:
                if queue in self._bars:
                    self._bars[queue][place] -= 1

    def _queue(self, name: str) -> QueueSums:
        return self.memory.queues.setdefault(name, QueueSums())

    def _note(self, contact: str) -> Note:
        return self.memory.contacts.setdefault(contact, Note())

    # --- events of contacts ---

    def _queued(self, centre: Centre, event: e.Queued) -> None:
        self._leave(event.contact, event.at)
        self.memory.waits[event.contact] = Wait(event.queue, event.since, event.at, event.estimate)
        if self._unkept(event.contact) is not None:
            return
        for sums in self._queue(event.queue).places(event.at):
            sums.offered += 1

    def _offer_made(self, centre: Centre, event: e.OfferMade) -> None:
        if event.queue is not None:
            self._queue(event.queue).ringing[event.contact] = None
            self._rang_after(event.contact, event.at)
        if event.agent is not None:
            self.memory.legs[event.leg] = event.agent
        if event.why:
            self._note(event.contact).why = event.why

    def _rang_after(self, contact: str, at: float) -> None:
        """A phone rings for somebody for the first time: was the wait as long as was expected?"""
        wait = self.memory.waits.get(contact)
        if wait is None or wait.expected is None:
            return
        error, wait.expected = wait.expected - (at - wait.queued_at), None
        if at <= wait.queued_at:
            return
        for sums in self._queue(wait.queue).places(at):
            sums.estimated += 1
            sums.estimate_s += error
            sums.estimate_sq += error * error

    def _offer_ended(self, centre: Centre, event: e.OfferEnded) -> None:
        self.memory.legs.pop(event.leg, None)
        clock = self.memory.agents.get(event.agent or "")
        if clock is not None:
            clock.today.missed += event.how == "missed"
            clock.today.refused += event.how == "refused"
        wait = self.memory.waits.get(event.contact)
        if wait is not None:
            known = centre.contacts.get(event.contact)
            if known is None or not known.offers:
                self._queue(wait.queue).ringing.pop(event.contact, None)

    def _widened(self, centre: Centre, event: e.Widened) -> None:
        wait = self.memory.waits.get(event.contact)
        if wait is not None:
            wait.widened = event.at

    def _queue_widened(self, centre: Centre, event: e.QueueWidened) -> None:
        self._queue(event.queue).widened = event.at if event.stage else None

    # --- what is owed ---

    def _unkept(self, contact: str) -> Owed | None:
        """What is owed by this contact, and nobody has seen to."""
        owed = self.memory.owed.get(contact)
        return owed if owed is not None and not owed.done else None

    def _began(self, centre: Centre, event: e.ContactBegan) -> None:
        if event.owed:
            self.memory.owed[event.contact] = Owed(event.owed, since=event.at)

    def _booked(self, centre: Centre, event: e.Booked) -> None:
        self._leave(event.contact, event.at)
        owed = self._unkept(event.contact)
        if owed is None:
            return
        first = not owed.queue
        if not first and owed.queue != event.queue:
            self._settled(event.contact, owed)
        owed.queue, owed.since = event.queue, event.slot or event.since or owed.since
        sums = self._queue(event.queue)
        (sums.messages if owed.kind == "message" else sums.callbacks)[event.contact] = None
        if first:
            for one in sums.places(event.at):
                one.messages += owed.kind == "message"
                one.promised += owed.kind == "callback"

    def _settled(self, contact: str, owed: Owed) -> None:
        sums = self._queue(owed.queue)
        sums.callbacks.pop(contact, None)
        sums.messages.pop(contact, None)

    def _kept(self, centre: Centre, event: e.Connected, owed: Owed) -> None:
        """The agent has the message before them, or the customer of a callback on the line."""
        owed.done = True
        self._settled(event.contact, owed)
        waited = max(event.at - owed.since, 0.0)
        queue = centre.queues.get(owed.queue)
        in_time = queue is not None and waited <= queue.spec.service_level[1]
        for sums in self._queue(owed.queue).places(event.at):
            if owed.kind == "message":
                sums.heard += 1
                sums.heard_in_time += in_time
                sums.message_s += waited
            else:
                sums.reached += 1
                sums.callback_s += waited
        self._queue(owed.queue).talking[event.contact] = None
        self.memory.talks[event.contact] = Talk(owed.queue, event.at)
        known = centre.contacts.get(event.contact)
        self.memory.legs.pop(event.leg, None)
        clock = self.memory.agents.get((known.leg_agent if known is not None else None) or "")
        if clock is not None:
            clock.today.contacts += 1

    def _not_kept(self, event: e.ContactEnded) -> None:
        owed = self.memory.owed.pop(event.contact, None)
        if owed is None or owed.done or not owed.queue:
            return
        self._settled(event.contact, owed)
        if owed.kind == "callback":
            for sums in self._queue(owed.queue).places(event.at):
                sums.unreached += event.outcome == "unreached"
                sums.expired += event.outcome == "expired"
                sums.replaced += event.outcome == "replaced"

    # --- who is on the line ---

    def _connected(self, centre: Centre, event: e.Connected) -> None:
        owed = self.memory.owed.get(event.contact)
        if owed is not None and owed.done and event.leg == event.contact:
            return  # who left the message is called: the same conversation
        wait = self._leave(event.contact, event.at)
        if owed is not None and not owed.done:
            self._kept(centre, event, owed)
            return
        queue = None
        if wait is not None:
            queue = wait.queue
            waited, in_time = self._waited(centre, wait, event.at)
            for sums in self._queue(queue).places(event.at):
                sums.served += 1
                sums.in_time += in_time
                sums.answer_s += waited
                sums.longest_s = max(sums.longest_s, waited)
            self._queue(queue).talking[event.contact] = None
        self.memory.talks[event.contact] = Talk(queue, event.at)
        known = centre.contacts.get(event.contact)
        for agent in {self.memory.legs.pop(event.leg, None), known.agent if known is not None else None}:
            clock = self.memory.agents.get(agent or "")
            if clock is not None:
                clock.today.contacts += 1

    def _role_changed(self, centre: Centre, event: e.RoleChanged) -> None:
        clock = self.memory.agents.get(event.agent or "")
        if clock is not None and event.role == "agent":
            clock.today.contacts += 1  # the contact is theirs from now on

    def _reached(self, centre: Centre, event: e.Reached) -> None:
        self.memory.legs.pop(event.leg, None)
        if event.contact in self.memory.owed:
            self._leave(event.contact, event.at)

    def _held(self, centre: Centre, event: e.Held) -> None:
        talk = self.memory.talks.get(event.contact)
        known = centre.contacts.get(event.contact)
        # In a conference the others go on with the customer: nobody is on hold.
        if talk is not None and talk.held is None and not (known is not None and known.conference):
            talk.held = event.at

    def _resumed(self, centre: Centre, event: e.Resumed) -> None:
        talk = self.memory.talks.get(event.contact)
        if talk is not None and talk.held is not None:
            talk.held_s += max(event.at - talk.held, 0.0)
            talk.held = None

    def _gone_elsewhere(self, centre: Centre, event: Any) -> None:
        self._leave(event.contact, event.at)

    def _ended(self, centre: Centre, event: e.ContactEnded) -> None:
        wait = self._leave(event.contact, event.at)
        self._not_kept(event)
        if wait is not None and event.outcome in ("abandoned", "short_abandoned"):
            waited, in_time = self._waited(centre, wait, event.at)
            for sums in self._queue(wait.queue).places(event.at):
                sums.abandoned += 1
                sums.early += in_time
                sums.short += event.outcome == "short_abandoned"
                sums.longest_s = max(sums.longest_s, waited)

    def _leave(self, contact: str, at: float) -> Wait | None:
        """The contact waits and talks nowhere any more."""
        wait = self.memory.waits.pop(contact, None)
        if wait is not None:
            self._queue(wait.queue).ringing.pop(contact, None)
        talk = self.memory.talks.pop(contact, None)
        if talk is not None and talk.queue is not None:
            queue = self._queue(talk.queue)
            queue.talking.pop(contact, None)
            held = talk.held_s + (max(at - talk.held, 0.0) if talk.held is not None else 0.0)
            for sums in queue.places(at):
                sums.handled += 1
                sums.talk_s += max(at - talk.since - held, 0.0)
                sums.hold_s += held
        return wait

    @staticmethod
    def _waited(centre: Centre, wait: Wait, at: float) -> tuple[float, bool]:
        queue = centre.queues.get(wait.queue)
        waited = max(at - wait.since, 0.0)
        return waited, queue is not None and waited <= queue.spec.service_level[1]

    # --- events of agents, and of configuration ---

    def _wrap_up_began(self, centre: Centre, event: e.WrapUpBegan) -> None:
        self._note(event.contact).wrapping[event.agent] = None
        talk = self.memory.talks.get(event.contact)
        queue = talk.queue if talk is not None else None
        self.memory.wraps[event.agent] = Wrap(event.contact, queue, event.at)

    def _wrap_up_ended(self, centre: Centre, event: e.WrapUpEnded) -> None:
        note = self.memory.contacts.get(event.contact)
        if note is not None:
            note.wrapping.pop(event.agent, None)
        wrap = self.memory.wraps.pop(event.agent, None)
        if wrap is not None and wrap.queue is not None:
            for sums in self._queue(wrap.queue).places(event.at):
                sums.wrap_up_s += max(event.at - wrap.since, 0.0)

    def _result(self, centre: Centre, event: e.ResultNoted) -> None:
        note = self._note(event.contact)
        before = note.results.pop(event.agent, None)
        note.results[event.agent] = event.disposition
        clock = self.memory.agents.get(event.agent)
        if clock is not None:
            results = clock.today.results
            if before in results:  # corrected
                results[before] -= 1
                if not results[before]:
                    del results[before]
            results[event.disposition] = results.get(event.disposition, 0) + 1

    def _queue_dropped(self, centre: Centre, event: e.QueueDropped) -> None:
        self.memory.queues.pop(event.queue, None)
        self.meet(centre)

    def _queue_defined(self, centre: Centre, event: e.QueueDefined) -> None:
        self.meet(centre)

    # --- the view ---

    def view(self, centre: Centre, now: float) -> Board:
        self._roll_over(now)
        return Board(
            at=now,
            queues=tuple(self.view_queue(centre, name, now) for name in centre.queues),
            agents=tuple(self._view_agent(centre, agent, now) for agent in centre.agents.values()),
            lines=tuple(self._lines),
        )

    def view_queues(self, centre: Centre, now: float) -> list[QueueView]:
        self._roll_over(now)
        return [self.view_queue(centre, name, now) for name in centre.queues]

    def view_queue(self, centre: Centre, name: str, now: float) -> QueueView:
        queue, mine = centre.queues[name], self._queue(name)
        mine.forget(now)
        stand = (contact for _, _, contact in (*queue.waiting, *queue.reserved))
        there = [
            known for one in dict.fromkeys([*mine.ringing, *stand]) if (known := centre.contacts.get(one))
        ]
        waiting = [_waiting(one, name, now) for one in there if not one.absent]
        free, talk, wrap_up, away = self._bars.get(name, (0, 0, 0, 0))
        return QueueView(
            id=name,
            target=queue.spec.service_level,
            waiting=tuple(sorted(waiting, key=lambda one: -one.wait)),
            talking=len(mine.talking),
            free=len(queue.idle),
            staffed=queue.staffed,
            today=mine.today,
            now=mine.recent,
            bar=(free, talk, wrap_up, away),
            callbacks=len(mine.callbacks),
            messages=len(mine.messages),
        )

    def _view_agent(self, centre: Centre, agent: Agent, now: float) -> AgentView:
        spec = agent.spec
        self._watch(centre, agent, now)
        state = state_of(centre, agent)
        with_whom = with_contact(agent)
        contact = centre.contacts.get(with_whom) if with_whom is not None else None
        queue = None
        if contact is not None:
            queue = contact.leg_queue if state in ("on_contact", "held") else contact.queue
        since = self.memory.agents[spec.id].since
        return AgentView(spec.id, spec.name or spec.id, state, since, with_whom, queue)

    def agent_day(self, agent: str, now: float) -> AgentTime:
        """What the agent did today, until now."""
        self._roll_over(now)
        clock = self.memory.agents.get(agent)
        if clock is None:
            return AgentTime()
        time = AgentTime(
            dict(clock.today.seconds),
            clock.today.contacts,
            clock.today.missed,
            clock.today.refused,
            dict(clock.today.results),
        )
        _credit(clock, time, now)
        return time

    def since(self, agent: str) -> float | None:
        clock = self.memory.agents.get(agent)
        return None if clock is None else clock.since


def _credit(clock: AgentClock, time: AgentTime, at: float) -> None:
    if clock.state != "logged_out" and at > clock.counted:
        time.seconds[clock.state] = time.seconds.get(clock.state, 0.0) + at - clock.counted


_COUNT: dict[type, Callable[[Live, Centre, Any], None]] = {
    e.ContactBegan: Live._began,
    e.Booked: Live._booked,
    e.Queued: Live._queued,
    e.Widened: Live._widened,
    e.QueueWidened: Live._queue_widened,
    e.OfferMade: Live._offer_made,
    e.OfferEnded: Live._offer_ended,
    e.Connected: Live._connected,
    e.Reached: Live._reached,
    e.Held: Live._held,
    e.Resumed: Live._resumed,
    e.Overflowed: Live._gone_elsewhere,
    e.Released: Live._gone_elsewhere,
    e.InterludeLeft: Live._gone_elsewhere,
    e.SurveyBegan: Live._gone_elsewhere,
    e.HandedOver: Live._gone_elsewhere,
    e.Parked: Live._gone_elsewhere,
    e.RoleChanged: Live._role_changed,
    e.ResultNoted: Live._result,
    e.ContactEnded: Live._ended,
    e.WrapUpBegan: Live._wrap_up_began,
    e.WrapUpEnded: Live._wrap_up_ended,
    e.QueueDefined: Live._queue_defined,
    e.QueueDropped: Live._queue_dropped,
}


# --- who is concerned ---


def state_of(centre: Centre, agent: Agent) -> str:
    """The one word: on_contact, held, offered, wrap_up, unreachable, resting, ready, not_ready or logged_out."""
    state = agent.state
    if state == "on_contact":
        contact = centre.contacts.get(next(iter(agent.calls)))
        if contact is not None and contact.state == "held":
            return "held"
    return state


def with_contact(agent: Agent) -> str | None:
    """The contact that the agent talks with, that rings them, or that their wrap-up is about."""
    return next(iter(agent.calls), None) or next(iter(agent.offers.values()), None) or agent.wrap


def agents_of(contact: Contact, memory: Memory) -> set[str]:
    """Agents who have to do with an open contact."""
    agents = {offer.agent for offer in contact.offers.values() if offer.agent is not None}
    agents |= {one for one in (contact.agent, contact.leg_agent) if one is not None}
    agents |= {party.agent for party in contact.parties.values() if party.agent is not None}
    note = memory.contacts.get(contact.id)
    return agents.union(note.wrapping) if note is not None else agents


def touched(centre: Centre, events: Iterable[e.Event], memory: Memory) -> tuple[set[str], set[str]]:
    """The agents and contacts that these events may have changed; contacts that are over are forgotten."""
    agents: set[str] = set()
    contacts: set[str] = set()
    for event in events:
        contact = getattr(event, "contact", None)
        if contact is not None:
            contacts.add(contact)
        agent = getattr(event, "agent", None)
        if agent is not None:
            agents.add(agent)
        elif type(event) is e.AgentDefined:
            agents.add(event.spec.id)
    for name in contacts:
        found = centre.contacts.get(name)
        if found is None:
            memory.contacts.pop(name, None)
        else:
            agents |= agents_of(found, memory)
    return agents, contacts


def _waiting(contact: Contact, queue: str, now: float) -> WaitingView:
    ringing = tuple(offer.agent for offer in contact.offers.values() if offer.agent is not None)
    return WaitingView(contact.id, queue, max(now - contact.since, 0.0), ringing)
