"""The loop around the core under a virtual clock: a heap of (at, seq, what happens), and who acts on commands."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from random import Random
from typing import Any

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.balance import TIMER
from centrala.core.centre import Centre, step
from centrala.core.flow.position import node_of
from centrala.core.private import Private
from centrala.core.specs import Destination
from centrala.sim import menus
from centrala.sim.result import ContactRecord, Replications, Result
from centrala.sim.scenario import AgentModel, Arrivals, Outage, Scenario

MOST_AT_ONE_TIME = 1_000_000
"Facts at one and the same moment after which a run is stopped: the clock stands still."


def simulate(scenario: Scenario, *, seed: int = 1, listen: Callable[[f.Fact], None] | None = None) -> Result:
    """Run a scenario once. The same scenario and seed give the same result, to the last bit.

    `listen` hears every fact before the core does, so that the same day can be told to another centre.
    """
    return _Run(scenario, seed, listen).result()


def replicate(scenario: Scenario, seeds: Iterable[int]) -> Replications:
    """Run it once per seed: independent results, whose spread gives confidence intervals."""
    return Replications([simulate(scenario, seed=seed) for seed in seeds])


class _Caller:
    """What a caller brings along: drawn at the arrival, so that other agents meet the same callers."""

    __slots__ = ("arrivals", "handling", "keys", "patience", "talking")

    def __init__(self, handling: float, patience: float | None, keys: Random, arrivals: Arrivals) -> None:
        self.handling = handling
        self.arrivals = arrivals
        self.patience = patience
        self.keys = keys
        self.talking = False


class _Run:
    def __init__(self, scenario: Scenario, seed: int, listen: Callable[[f.Fact], None] | None = None) -> None:
        self.scenario = scenario
        self.listen = listen
        self.centre = Centre()
        self.now = scenario.start
        self.end = scenario.start + scenario.hours * 3600
        self.counted_from = scenario.start + scenario.warm_up
        self.seed = seed
        self.agents_rng = Random(f"{seed} agents")
        self.models: dict[str, AgentModel] = {model.spec.id: model for model in scenario.agents}
        self.heap: list[tuple[float, int, str, Any]] = []
        self.sequence = 0
        self.live: dict[str, int] = {}
        "Key → sequence of the entry in the heap that is still meant; others are stale."
        self.callers: dict[str, _Caller] = {}
        self.records: dict[str, ContactRecord] = {}
        self.spent: dict[str, dict[str, float]] = {name: {} for name in self.models}
        self.states: dict[str, tuple[str, float]] = {}
        self.counted: list[ContactRecord] = []
        self.arrivals = 0
        self.facts = 0
        self.blocked = 0
        self.moves: list[e.AgentLent | e.AgentReturned] = []
        self.owed: list[ContactRecord] = []
        self.gone: tuple[_Caller, ContactRecord]
        "Who has hung up last: a call after them begins there."
        self.trunk_down = 0
        for fact in self.opening_facts():
            self.tell(fact)
        for name, agent in self.centre.agents.items():
            self.states[name] = (agent.state, self.now)
        for index, stream in enumerate(scenario.arrivals):
            self.next_arrival(_Stream(stream, seed, index, scenario.start))
        for outage in scenario.outages:
            self.at(scenario.start + outage.span[0], "", (self.outage_begins, outage))
            self.at(scenario.start + outage.span[1], "", (self.outage_ends, outage))

    def opening_facts(self) -> Iterator[f.Fact]:
        now, scenario = self.now, self.scenario
        for model in scenario.agents:
            name = model.spec.id
            yield f.AgentChanged(now, model.spec)
            yield f.PhoneRegistered(now, name)
            if model.shifts is None:
                yield f.AgentReady(now, name)
                continue
            yield f.AgentSignedOut(now, name)
            for begins, ends in model.shifts:
                self.at(now + begins, "", f.AgentReady(now + begins, name))
                self.at(now + ends, "", f.AgentSignedOut(now + ends, name))
        for queue in scenario.queues:
            yield f.QueueChanged(now, queue)
            if queue.id not in scenario.numbers:
                yield f.NumberChanged(now, queue.id, Destination("queue", queue.id))
        for flow in scenario.flows:
            yield f.FlowPublished(now, flow)
        for calendar in scenario.calendars:
            yield f.CalendarChanged(now, calendar)
        for number, to in scenario.numbers.items():
            yield f.NumberChanged(now, number, to)
        if scenario.balancing is not None:
            yield f.BalancingChanged(now, scenario.balancing)

    # --- the clock ---

    def at(self, when: float, key: str, what: Any) -> None:
        """Let it happen then; a later entry with the same key replaces this one."""
        self.sequence += 1
        if key:
            self.live[key] = self.sequence
        heappush(self.heap, (when, self.sequence, key, what))

    def result(self) -> Result:
        heap, live = self.heap, self.live
        standing_still = 0
        while heap:
            when, sequence, key, what = heappop(heap)
            if key:
                if live.get(key) != sequence:
                    continue
                del live[key]
            if when > self.now:
                self.now = when
                standing_still = 0
            standing_still += 1
            if standing_still > MOST_AT_ONE_TIME:
                raise RuntimeError(
                    f"the virtual clock stands still {when - self.scenario.start:.0f} s after the start: "
                    "queues or agents hand contacts on without end; give a delay above 0"
                )
            if type(what) is _Stream:
                self.arrive(what)
            elif type(what) is tuple:
                what[0](what[1])
            else:
                self.tell(what)
        self.now = max(self.now, self.end)
        for name in self.spent:
            self.account(name)
        return Result(
            self.counted,
            (self.counted_from, self.end),
            self.spent,
            self.facts,
            self.blocked,
            self.moves,
            self.owed,
        )

    def tell(self, fact: f.Fact) -> None:
        self.facts += 1
        if self.listen is not None:
            self.listen(fact)
        events, commands = step(self.centre, fact)
        for event in events:
            watch = WATCH.get(type(event))
            if watch is not None:
                watch(self, event)
        for command in commands:
            perform = PERFORM.get(type(command))
            if perform is not None:
                perform(self, command)

    # --- callers ---

    def next_arrival(self, stream: "_Stream") -> None:
        when = next(stream.times, None)
        if when is not None and when < self.end:
            self.at(when, "", stream)

    def arrive(self, stream: "_Stream") -> None:
        self.next_arrival(stream)
        handling, patience = stream.draw()
        if self.trunk_down:
            self.blocked += self.now >= self.counted_from
            return
        self.arrivals += 1
        contact = str(self.arrivals)
        record = ContactRecord(contact, stream.to, self.now)
        self.records[contact] = record
        if self.now >= self.counted_from:
            self.counted.append(record)
        keys = Random(f"{self.seed} {contact} keys")
        self.callers[contact] = _Caller(handling, patience, keys, stream.arrivals)
        to = self.scenario.numbers.get(stream.to)
        if to is None or to.kind != "flow":
            self.run_out(contact)
        arrived = f.ContactArrived(self.now, contact, stream.to, priority=stream.priority)
        if stream.arrivals.callback:
            arrived = replace(arrived, caller=contact)
        self.tell(arrived)

    def run_out(self, contact: str) -> None:
        """From here on the caller's patience runs: in a flow they don't wait."""
        patience = self.callers[contact].patience
        if patience is not None:
            self.at(self.now + patience, f"patience:{contact}", f.HungUp(self.now + patience, contact))

    # --- in flows ---

    def say(self, command: c.Say) -> None:
        when = self.now + menus.spoken(command)
        self.at(when, f"said:{command.prompt}", f.Said(when, command.contact, command.prompt))

    def hush(self, command: c.Hush) -> None:
        self.live.pop(f"said:{command.prompt}", None)

    def take_message(self, command: c.TakeMessage) -> None:
        seconds = min(menus.MESSAGE, command.longest)
        when = self.now + seconds
        path = f"recordings/{command.message}.wav"
        self.at(when, "", f.MessageTaken(when, command.contact, command.message, path, seconds))

    def run_errand(self, command: c.RunErrand) -> None:
        when = self.now + min(menus.LOOKED_UP, command.timeout)
        self.at(when, "", menus.answered(command, when))

    def digits_awaited(self, event: e.DigitsAwaited) -> None:
        contact = self.centre.contacts.get(event.contact)
        if contact is None or contact.run is None or contact.run.digits:
            return
        when = self.now + menus.THINKING
        for digit in menus.keys(node_of(self.centre, contact), self.callers[event.contact].keys):
            self.at(when, "", f.DigitPressed(when, event.contact, Private(digit)))
            when += menus.THINKING / 2

    def talk(self, contact: str) -> None:
        caller = self.callers[contact]
        self.live.pop(f"patience:{contact}", None)
        if not caller.talking:
            who = self.centre.contacts.get(contact)
            alone = who.leg if who is not None and who.absent else ""  # with a message
            caller.talking = True
            until = self.now + caller.handling
            self.at(until, f"talk:{contact}", f.HungUp(until, contact, alone or ""))

    # --- what breaks ---

    def outage_begins(self, outage: Outage) -> None:
        if not outage.agents:
            self.trunk_down += 1
            for contact in list(self.callers):
                self.tell(f.HungUp(self.now, contact, "", "trunk lost"))
        for name in outage.agents:
            agent = self.centre.agents[name]
            for contact, leg in list(agent.calls.items()):
                self.tell(f.HungUp(self.now, contact, leg, "phone lost"))
            for leg, contact in list(agent.offers.items()):
                self.tell(f.OfferFailed(self.now, contact, leg, "unreachable"))
            self.tell(f.PhoneUnregistered(self.now, name))

    def outage_ends(self, outage: Outage) -> None:
        if not outage.agents:
            self.trunk_down -= 1
        for name in outage.agents:
            self.tell(f.PhoneRegistered(self.now, name))

    # --- commands ---

    def ring(self, command: c.Ring) -> None:
        leg, rng = command.leg, self.agents_rng
        fact: f.Fact
        if command.target.kind == "agent":
            model = self.models[command.target.name]
            when = self.now + model.answer_delay.draw(rng)
            fate = rng.random() if model.miss or model.refuse else 1.0
            if fate < model.miss:
                return
            fact = f.Answered(when, command.contact, leg)
            if fate < model.miss + model.refuse:
                fact = f.OfferFailed(when, command.contact, leg, "declined")
        else:
            when = self.now + self.scenario.outside_delay.draw(rng)
            fact = f.Answered(when, command.contact, leg)
            away = self.callers[command.contact].arrivals.away if leg == command.contact else 0.0
            if away and rng.random() < away:
                fact = f.OfferFailed(when, command.contact, leg, "no_answer")
        self.at(when, f"leg:{leg}", fact)

    def cancel_ring(self, command: c.CancelRing) -> None:
        self.live.pop(f"leg:{command.leg}", None)

    def set_timer(self, command: c.SetTimer) -> None:
        if command.timer == TIMER and self.now >= self.end:
            return  # it would run for ever
        when = max(command.at, self.now)
        self.at(when, command.timer, f.TimerFired(when, command.timer))

    def cancel_timer(self, command: c.CancelTimer) -> None:
        self.live.pop(command.timer, None)

    # --- events ---

    def account(self, name: str) -> None:
        """Book the time since the agent's last change, as far as it lies in the window."""
        state, since = self.states.get(name, ("logged_out", self.scenario.start))
        lasted = min(self.now, self.end) - max(since, self.counted_from)
        if lasted > 0:
            spent = self.spent[name]
            spent[state] = spent.get(state, 0.0) + lasted
        self.states[name] = (self.centre.agents[name].state, self.now)

    def agent_changed(self, event: Any) -> None:
        if event.agent is not None:
            self.account(event.agent)

    def moved(self, event: e.AgentLent | e.AgentReturned) -> None:
        self.moves.append(event)

    def owe(self, event: e.ContactBegan) -> None:
        """A callback or a message: its customer is the caller whom it follows from."""
        if not event.owed:
            return
        here = event.origin in self.callers
        origin, before = (self.callers[event.origin], self.records[event.origin]) if here else self.gone
        record = ContactRecord(event.contact, before.number, event.at, origin=event.origin)
        self.records[event.contact] = record
        self.callers[event.contact] = _Caller(origin.handling, None, origin.keys, origin.arrivals)
        if before.arrived >= self.counted_from:
            self.owed.append(record)

    def booked(self, event: e.Booked) -> None:
        self.records[event.contact].since = event.since

    def queued(self, event: e.Queued) -> None:
        record = self.records[event.contact]
        caller = self.callers[event.contact]
        share = caller.arrivals.callback
        if record.queue is None:
            record.queue = event.queue
            if share and not record.origin and caller.keys.random() < share:
                when = self.now + caller.arrivals.callback_after
                self.at(when, f"press:{event.contact}", f.DigitPressed(when, event.contact, Private("1")))
            if f"patience:{event.contact}" not in self.live:
                self.run_out(event.contact)

    def overflowed(self, event: e.Overflowed) -> None:
        self.records[event.contact].overflows += 1

    def offered(self, event: e.OfferMade) -> None:
        self.records[event.contact].offers += 1
        self.agent_changed(event)

    def connected(self, event: e.Connected) -> None:
        self.talk(event.contact)
        record = self.records[event.contact]
        contact = self.centre.contacts.get(event.contact)
        if record.answered is None:
            record.answered = event.at
            record.agent = contact.leg_agent if contact is not None else None
        if contact is not None and contact.leg_agent is not None:
            self.account(contact.leg_agent)

    def music_began(self, event: e.MusicBegan) -> None:
        self.records[event.contact].answered = event.at
        self.talk(event.contact)

    def ended(self, event: e.ContactEnded) -> None:
        record = self.records.pop(event.contact)
        record.ended = event.at
        record.outcome = event.outcome
        self.gone = self.callers.pop(event.contact), record
        self.live.pop(f"patience:{event.contact}", None)
        self.live.pop(f"talk:{event.contact}", None)
        self.live.pop(f"press:{event.contact}", None)


class _Stream:
    """One stream of arrivals with random numbers of its own: what others draw doesn't change it."""

    __slots__ = ("arrivals", "draw", "priority", "times", "to")

    def __init__(self, arrivals: Arrivals, seed: int, index: int, start: float) -> None:
        self.arrivals = arrivals
        self.to = arrivals.to
        self.priority = arrivals.priority
        self.times = _times(arrivals, Random(f"{seed} {index} arrivals"), start)
        handling, patience = arrivals.handling, arrivals.patience
        handling_rng, patience_rng = Random(f"{seed} {index} handling"), Random(f"{seed} {index} patience")
        self.draw: Callable[[], tuple[float, float | None]] = lambda: (
            handling.draw(handling_rng),
            None if patience is None else patience.draw(patience_rng),
        )


def _times(arrivals: Arrivals, rng: Random, start: float) -> Iterator[float]:
    if arrivals.trace is not None:
        yield from (start + after for after in arrivals.trace)
    elif arrivals.profile:
        # A Poisson stream of rate 1, its time stretched by the profile.
        due, done = rng.expovariate(1.0), 0.0
        for index, calls in enumerate(arrivals.profile):
            while due < done + calls:
                yield start + (index + (due - done) / calls) * arrivals.interval
                due += rng.expovariate(1.0)
            done += calls
    elif arrivals.per_hour:
        at, rate = start, arrivals.per_hour / 3600.0
        while True:
            at += rng.expovariate(rate)
            yield at


PERFORM: dict[type, Callable[[_Run, Any], None]] = {
    c.Ring: _Run.ring,
    c.CancelRing: _Run.cancel_ring,
    c.SetTimer: _Run.set_timer,
    c.CancelTimer: _Run.cancel_timer,
    c.Say: _Run.say,
    c.Hush: _Run.hush,
    c.TakeMessage: _Run.take_message,
    c.RunErrand: _Run.run_errand,
}

WATCH: dict[type, Callable[[_Run, Any], None]] = {
    e.ContactBegan: _Run.owe,
    e.Booked: _Run.booked,
    e.Queued: _Run.queued,
    e.Reached: _Run.agent_changed,
    e.DigitsAwaited: _Run.digits_awaited,
    e.Overflowed: _Run.overflowed,
    e.OfferMade: _Run.offered,
    e.OfferEnded: _Run.agent_changed,
    e.Connected: _Run.connected,
    e.MusicBegan: _Run.music_began,
    e.ContactEnded: _Run.ended,
    e.AgentFreed: _Run.agent_changed,
    e.WrapUpBegan: _Run.agent_changed,
    e.WrapUpEnded: _Run.agent_changed,
    e.RestBegan: _Run.agent_changed,
    e.RestEnded: _Run.agent_changed,
    e.AgentStateChanged: _Run.agent_changed,
    e.PhoneFound: _Run.agent_changed,
    e.PhoneLost: _Run.agent_changed,
    e.AgentLent: _Run.moved,
    e.AgentReturned: _Run.moved,
}
