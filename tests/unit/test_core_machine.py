"""Random worlds around the core: whatever is told, in whatever order, the invariants of the centre hold.

`World` is what stands outside: callers, phones and the timer wheel. It carries commands out as they are worded,
so that its picture (who rings, who talks, who is on the line) must equal the core's after every step.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, decide, evolve, step, timers
from centrala.core.explain import lamps, why_no_calls
from centrala.core.indexes import rebuild, serves
from centrala.core.mix import mix
from centrala.core.specs import AgentSpec, Announce, Destination, QueueSpec
from centrala.core.state import Agent, Contact

pytestmark = pytest.mark.unit

QUEUES = ("q0", "q1", "q2", "q3")
AGENTS = ("a0", "a1", "a2", "a3", "a4")
SKILLS = ("s0", "s1")
NUMBERS = tuple(f"n{index}" for index in range(8))

destinations = st.one_of(
    st.builds(Destination, st.just("queue"), st.sampled_from(QUEUES)),
    st.builds(Destination, st.just("agent"), st.sampled_from(AGENTS), st.booleans()),
    st.builds(Destination, st.just("phone"), st.just("sip:expert@example.org"), st.booleans()),
    st.just(Destination("music", "default")),
    st.sampled_from([Destination("hang_up", "busy"), Destination("hang_up")]),
)
ways_out = st.none() | destinations
levels = st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 3), max_size=2)
queue_specs = st.builds(
    QueueSpec,
    id=st.sampled_from(QUEUES),
    agents=st.none() | st.lists(st.sampled_from(AGENTS), max_size=5).map(tuple),
    needs=levels,
    strategy=st.sampled_from(["longest_idle", "most_skilled", "round_robin", "fewest_calls", "ring_all"]),
    ring_timeout=st.sampled_from([5.0, 15.0]),
    wrap_up=st.sampled_from([0.0, 10.0]),
    max_wait=st.none() | st.sampled_from([4.0, 20.0, 60.0]),
    max_length=st.none() | st.integers(0, 3),
    record=st.booleans(),
    priority=st.integers(0, 2),
    reject_delay=st.sampled_from([0.0, 10.0]),
    retry_delay=st.sampled_from([0.0, 5.0]),
    missed_limit=st.integers(1, 3),
    when_full=ways_out,
    when_no_agents=ways_out,
    after_max_wait=ways_out,
    when_closed=ways_out,
    announce=st.sampled_from([None, None, Announce(first=3.0, every=8.0, messages=("news",))]),
    dispositions=st.sampled_from([(), (), ("sold", "lost")]),
    open_at=st.none() | st.sampled_from([(), ((0.0, 1050.0), (1200.0, 9e9)), ((0.0, 9e9),)]),
)
agent_specs = st.builds(
    AgentSpec,
    id=st.sampled_from(AGENTS),
    skills=levels,
    fixed_phone=st.booleans(),
    always_ready=st.booleans(),
    ready_on_register=st.booleans(),
    prefers=st.lists(st.sampled_from(QUEUES), max_size=2, unique=True).map(tuple),
)


@dataclass
class World:
    """Callers, phones and timers, as the commands have left them."""

    callers: dict[str, bool] = field(default_factory=dict)
    "Contact → answered; gone when its customer is."
    phones: dict[str, str] = field(default_factory=dict)
    "Leg → calling (not answered by us), ringing, talking or over. A customer who is rung has the contact's name."
    hears: dict[str, c.Hears] = field(default_factory=dict)
    timers: dict[str, float] = field(default_factory=dict)
    spent: list[str] = field(default_factory=list)
    "Timers that were set once and are no more."

    def phones_that(self, what: str) -> list[str]:
        return sorted(leg for leg, state in self.phones.items() if state == what)

    def believe(self, fact: f.Fact) -> None:
        """What is true outside before the core hears of it."""
        match fact:
            case f.ContactArrived(contact=contact, agent=agent, outside=outside):
                if agent is not None and outside:
                    self.phones.setdefault(f"{contact}.1", "calling")
                else:
                    self.callers.setdefault(contact, False)
            case f.SecondCall(leg=leg) | f.SlotCalled(leg=leg):
                self.phones.setdefault(leg, "calling")
            case f.HungUp(contact=contact, leg=""):
                self.callers.pop(contact, None)
            case f.Answered(contact=contact, leg=leg) if self.phones.get(leg) == "ringing":
                self.phones[leg] = "talking"
                if leg == contact:
                    del self.phones[leg]
                    self.callers[contact] = True
            case f.HungUp(leg=leg) | f.OfferFailed(leg=leg) if leg in self.phones:
                if isinstance(fact, f.HungUp) or self.phones[leg] == "ringing":
                    self.phones[leg] = "over"

    def carry_out(self, command: c.Command, fact: f.Fact) -> None:
        match command:
            case c.Answer(contact, ""):
                assert self.callers[contact] is False, "answered twice"
                self.callers[contact] = True
            case c.Answer(_, leg):
                assert self.phones[leg] == "calling", "answered twice"
                self.phones[leg] = "talking"
            case c.RingBack(contact, ""):
                assert self.callers[contact] is False, "ring-back after the answer"
            case c.RingBack(_, leg):
                assert self.phones[leg] == "calling", "ring-back after the answer"
            case c.Refuse(contact, _, ""):
                assert self.callers.pop(contact) is False, "refused after the answer"
            case c.Refuse(_, _, leg):
                assert self.phones[leg] == "calling", "refused after the answer"
                self.phones[leg] = "over"
            case c.Ring(contact, leg):
                assert leg not in self.phones, "a leg's name was used before"
                assert leg not in self.callers, "rang a customer who is there"
                self.phones[leg] = "ringing"
            case c.CancelRing(_, leg):
                assert self.phones[leg] == "ringing", "cancelled what does not ring"
                self.phones[leg] = "over"
            case c.Mix(contact, hears):
                self.hears[contact] = hears
            case c.Record(contact, leg):
                assert contact in self.callers
                assert self.phones[leg] == "talking"
            case c.HangUp(contact, ""):
                assert self.callers.pop(contact) is True, "hung up on an unanswered caller"
            case c.HangUp(_, leg):
                late = isinstance(fact, f.Answered) and fact.leg == leg
                assert late or self.phones[leg] == "talking"
                if leg in self.phones:
                    self.phones[leg] = "over"
            case c.AcceptTransfer(_, leg):
                assert self.phones[leg] == "talking"
                self.phones[leg] = "over"
            case c.SetTimer(timer, at):
                self.timers[timer] = at
            case c.CancelTimer(timer):
                if self.timers.pop(timer, None) is not None:
                    self.spent.append(timer)


def eligible(agent: Agent) -> bool:
    return (
        agent.intent == "ready"
        and agent.reachable
        and not (agent.offers or agent.calls)
        and agent.wrap is None
        and agent.rest_until is None
    )


def overheard(who: Contact, hears: c.Hears) -> None:
    """Nobody hears whom they mustn't. Says again, in other words than `mix`, what is true of every matrix."""
    legs = {who.id, *(leg for leg, one in who.parties.items() if one.state == "talking")}
    people, owner = dict(who.parties), (who.leg,)
    if who.second is not None and who.second.talking:  # the owner, once more
        legs.add(who.second.leg)
        people[who.second.leg] = replace(who.parties[who.second.owner], held=who.second.held)
        owner = (who.leg, who.second.leg)
    assert set(hears) == legs, "somebody's ear is forgotten, or nobody's is named"
    quiet = {leg for leg, one in who.parties.items() if one.role == "supervisor" and one.mode != "barge"}
    for ear, row in hears.items():
        sounds = [source for source in row if source.startswith("sound:")]
        voices = set(row) - set(sounds)
        assert voices <= legs - {ear}, "hears themself, or a stranger"
        assert all(gain == 1.0 for gain in row.values())
        assert len(sounds) <= 1
        if ear not in quiet:
            assert not (voices - quiet and sounds), "music beside a conversation"
        party = people.get(ear)
        if party is not None and party.held:
            assert not row, "a phone that holds us hears something"
        for voice in voices:
            speaker = people.get(voice)
            assert speaker is None or not (speaker.muted or speaker.held), "hears who is muted or away"
            if voice in quiet:
                assert speaker is not None
                assert speaker.mode == "whisper", "who only listens is heard"
                assert ear in owner, "a supervisor is heard by another than the owner"
            elif ear not in quiet and not (party is not None and party.muted):
                assert ear in hears[voice], "one hears the other, but not the reverse"
    consult = who.consult
    if consult is not None and consult.state == "talking":
        assert consult.leg not in hears[who.id], "the customer hears whom the owner asks"
        assert who.id not in hears[consult.leg]
    if who.state == "held" and not who.conference:
        assert [source.startswith("sound:") for source in hears[who.id]] == [True], (
            "held, and hears other than music"
        )


def indexes(centre: Centre) -> dict[str, Any]:
    """All that `rebuild` makes, with empty shells left out."""
    return {
        "waiting": set(centre.waiting),
        "listed": {name: set(them) for name, them in centre.listed.items() if them},
        "needing": {name: set(them) for name, them in centre.needing.items() if them},
        "skilled": {name: set(them) for name, them in centre.skilled.items() if them},
        "agents": {n: (a.queues, a.keys, a.idle, a.present) for n, a in centre.agents.items()},
        "queues": {n: (q.waiting, q.idle, q.members, q.staffed) for n, q in centre.queues.items()},
        "standing": {n: who.standing for n, who in centre.contacts.items()},
        "stages": {n: (q.stages, q.reserved) for n, q in centre.queues.items()},
        "helpers": {n: (a.stages, a.stage_keys, set(a.reserved)) for n, a in centre.agents.items()},
        "relaxing": {name: set(them) for name, them in centre.relaxing.items() if them},
        "feeding": {name: set(them) for name, them in centre.feeding.items() if them},
        "staged": set(centre.staged),
        "callers": {name: set(them) for name, them in centre.callers.items()},
        "followers": {name: set(them) for name, them in centre.followers.items()},
        "owed": {n: (q.owed, q.taken) for n, q in centre.queues.items()},
    }


class CoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.centre = Centre()
        self.replica = Centre()
        self.world = World()
        self.steps = 0
        self.began: list[str] = []
        self.ended: list[str] = []
        self.outside: set[str] = set()
        self.facts: list[f.Fact] = []

    # --- one step, and what must hold after it ---

    def tell(self, fact: f.Fact) -> None:
        self.steps += 1
        self.facts.append(fact)
        self.world.believe(fact)
        if self.steps % 4 == 0:
            before = deepcopy(self.centre)
            decide(self.centre, fact)
            assert self.centre == before, "decide changed the state"
        events, commands = step(self.centre, fact)
        for event in events:
            self.check_event(event)
            evolve(self.replica, event)
        assert self.replica == self.centre, "replay gives another state"
        for command in commands:
            self.world.carry_out(command, fact)
        self.check_contacts()
        self.check_sound()
        self.check_agents()
        self.check_queues()
        pending = dict(timers(self.centre)).keys() - self.world.timers.keys()
        # A limit that was set while the phone rang gets its timer once the phone has stopped ringing.
        ringing = {
            f"{kind}:{who.id}"
            for who in self.centre.contacts.values()
            if who.state == "offered"
            for kind in ("wait", "widen")
        }
        assert not pending - ringing, "something waits for a timer that was never set"
        if self.steps % 3 == 0:
            again = deepcopy(self.centre)
            rebuild(again)
            assert indexes(again) == indexes(self.centre), "an index is not what follows from the state"

    def check_event(self, event: e.Event) -> None:
        """Against the state right before the event."""
        centre = self.replica
        match event:
            case e.ContactBegan(contact=contact):
                assert contact not in self.began
                self.began.append(contact)
            case e.ContactEnded(contact=contact):
                assert contact not in self.ended, "ended twice"
                self.ended.append(contact)
            case e.OfferMade(contact=contact, queue=None, agent=name) if name is not None:
                agent = centre.agents[name]
                assert agent.reachable or event.why == "picked up", "rang an agent who can't be reached"
                assert not agent.calls, "rang an agent in a conversation"
                assert not agent.offers, "rang a phone that rings"
            case e.OfferMade(contact=contact, queue=name, agent=who) if name and who:
                queue = centre.queues[name]
                assert eligible(centre.agents[who]), "offered to an agent who isn't idle"
                assert serves(centre.agents[who], queue.spec) is not None, "not an agent of the queue"
                waiting = centre.contacts[contact]
                if event.why.startswith("first in line"):
                    heads = [centre.queues[one].waiting[:1] for one in centre.agents[who].queues]
                    first = min(head[0] for head in heads if head)
                    assert first[2] == contact, "overtook across queues"
                if waiting.standing:
                    assert queue.waiting[0][2] == contact, "overtook within the queue"
                else:
                    assert queue.spec.strategy == "ring_all"
            case e.AgentStateChanged(agent=name, reason="missed"):
                assert centre.agents[name].intent == "ready", "missed, though not ready"
            case e.WrapUpBegan(agent=name, contact=contact):
                assert contact in centre.agents[name].calls, "after-call work for somebody else's call"
        if getattr(event, "contact", None) in self.ended:
            assert isinstance(
                event,
                e.ContactEnded | e.WrapUpEnded | e.WrapUpOverran | e.WrapUpProlonged | e.ResultNoted | e.Recorded
                | e.AgentFreed,
            ), event  # fmt: skip

    def check_contacts(self) -> None:
        centre, world = self.centre, self.world
        alive = {name: who for name, who in centre.contacts.items() if who.state != "wrap_up"}
        there = {name: who.answered for name, who in alive.items() if who.customer}
        assert world.callers == there, "callers and contacts differ"
        parties = {
            leg: "calling" if leg == who.leg and not who.answered else one.state
            for who in alive.values()
            for leg, one in who.parties.items()
        }
        for who in alive.values():
            if who.second is not None:
                parties[who.second.leg] = "talking" if who.second.talking else "calling"
        told = {who.briefing.leg for who in alive.values() if who.briefing is not None}
        parties |= dict.fromkeys(told, "talking")
        ringing = [*(leg for who in alive.values() for leg in who.offers if leg not in told), *(
            leg for leg, state in parties.items() if state == "ringing")]  # fmt: skip
        assert world.phones_that("ringing") == sorted(ringing), (
            "phones ring that no offer is about, or the reverse"
        )
        for what in ("talking", "calling"):
            known = sorted(leg for leg, state in parties.items() if state == what)
            assert world.phones_that(what) == known, what
        wraps = [agent.wrap for agent in centre.agents.values() if agent.wrap is not None]
        for name, who in centre.contacts.items():
            assert who.wrapping == wraps.count(name)
            match who.state:
                case "queued":
                    assert who.standing
                    assert not who.offers
                    assert who.queue in centre.queues
                case "offered":
                    assert who.offers
                    assert who.leg is None or not who.customer
                    assert not set(who.parties) - {who.leg}
                case "active" | "held":
                    assert not who.standing
                    assert not who.offers
                    assert who.customer or who.owed == "message"
                    assert who.leg is not None or (who.target is not None and who.target.kind == "music")
                    if who.leg is not None:
                        owner = who.parties[who.leg]
                        assert (owner.role, owner.state, owner.agent) == ("agent", "talking", who.leg_agent)
                        assert [one.role for one in who.parties.values()].count("agent") == 1, "two owners"
                        assert [one.role for one in who.parties.values()].count("consult") <= 1
                case "booked":
                    assert who.absent
                    assert who.queue is None
                    assert not (who.standing)
                    assert not (who.offers)
                    assert not (who.parties)
                case "parked":
                    assert who.slot
                    assert who.leg is None
                    assert not who.offers
                    assert not who.parties
                    assert not who.standing
                case "flow":
                    assert who.run is not None
                    assert (who.interlude is not None) == (who.leg is not None)
                case "wrap_up":
                    assert who.wrapping
                    assert who.second is None
                    assert not who.offers
                    assert not who.parties
                    assert not who.standing
                case _:
                    raise AssertionError(f"the contact is nowhere: {who.state}")
        assert sorted(self.began) == sorted([*self.ended, *alive]), "a contact was lost"

    def check_sound(self) -> None:
        for who in self.centre.contacts.values():
            hears = mix(self.centre, who)
            if who.state == "wrap_up" or not who.answered:
                assert not hears
                continue
            if who.state == "flow":  # where nothing is said, what was said before has ended by itself
                said = self.world.hears[who.id]
                assert {**said, who.id: {}} == {**hears, who.id: {}}
                continue
            assert self.world.hears[who.id] == hears, "what was said last is not what should be heard"
            if who.state in ("active", "held") and who.leg is not None and not who.absent:
                overheard(who, hears)

    def check_agents(self) -> None:
        contacts = self.centre.contacts
        for name, agent in self.centre.agents.items():
            assert not (agent.offers and agent.calls), "rings during a conversation"
            assert len(agent.offers) <= 1
            rung = [
                contact for contact, leg in agent.calls.items() if leg and contacts[contact].agent != name
            ]
            assert len(rung) <= 1, "two conversations"
            for leg, contact in agent.offers.items():
                who = contacts[contact]
                about = who.offers.get(leg) or who.parties[leg]
                assert about.agent == name
            for contact, leg in agent.calls.items():
                who = contacts[contact]
                assert who.state != "wrap_up"
                assert who.parties[leg].agent == name if leg else who.agent == name
            if agent.wrap is not None:
                assert agent.wrap in contacts
            assert agent.idle == eligible(agent)
            assert not (agent.asleep and agent.reachable)
            reason = why_no_calls(self.centre, name, self.now)
            gets_calls = reason.code in (
                "NEXT",
                "NOBODY_WAITS",
                "NO_QUEUE",
                "SKILL",
                "QUEUES_CLOSED",
                "WIDENS",
            )
            assert gets_calls == eligible(agent) == all(lamps(self.centre, name).values()), reason

    def check_queues(self) -> None:
        centre = self.centre
        assert set(centre.waiting) == {name for name, queue in centre.queues.items() if queue.waiting}
        for name, queue in centre.queues.items():
            assert not (queue.waiting and queue.idle), "an idle agent beside waiting work"
            assert queue.waiting == sorted(queue.waiting)
            assert [entry[2] for entry in queue.waiting] == [
                who.id for who in sorted(centre.contacts.values(), key=lambda who: (who.rank, who.order))
                if who.standing and who.queue == name and not who.reserved
            ]  # fmt: skip
            waiting = [who for who in centre.contacts.values() if who.state == "queued" and who.queue == name]
            assert queue.rates.waiting == len(waiting)
            rung = [who for who in centre.contacts.values() if who.state == "offered" and who.queue == name]
            occupied = [one for one in centre.agents.values() if one.occupied == name]
            assert queue.rates.busy == len(rung) + len(occupied)
            ready = [one for one in centre.agents.values() if name in one.queues and one.serving]
            assert queue.serving == len(ready)
            assert queue.shared == sum(len(centre.agents[one].queues) > 1 for one in queue.members)
            if not queue.staffed and queue.spec.when_no_agents is not None:
                alone = [centre.contacts[entry[2]] for entry in queue.waiting]
                assert all(who.offers or who.absent for who in alone), "left alone"

    # --- what happens ---

    @initialize(
        specs=st.lists(queue_specs, min_size=2, max_size=4, unique_by=lambda spec: spec.id),
        agents=st.lists(agent_specs, min_size=2, max_size=4, unique_by=lambda spec: spec.id),
    )
    def furnish(self, specs: list[QueueSpec], agents: list[AgentSpec]) -> None:
        for agent in agents:
            self.tell(f.AgentChanged(self.now, agent))
            self.tell(f.PhoneRegistered(self.now, agent.id))
            self.tell(f.AgentReady(self.now, agent.id))
        for index, spec in enumerate(specs):
            if index == 0:  # one queue where there is always something to do
                spec = replace(spec, agents=AGENTS, needs={}, open_at=None, wrap_up=10.0)
            elif spec.agents is not None:
                spec = replace(spec, agents=AGENTS)
            self.tell(f.QueueChanged(self.now, spec))
            self.tell(f.NumberChanged(self.now, NUMBERS[index], Destination("queue", spec.id)))

    @rule(spec=queue_specs)
    def change_queue(self, spec: QueueSpec) -> None:
        self.tell(f.QueueChanged(self.now, spec))

    @rule(queue=st.sampled_from(QUEUES))
    def remove_queue(self, queue: str) -> None:
        self.tell(f.QueueRemoved(self.now, queue))

    @rule(spec=agent_specs)
    def change_agent(self, spec: AgentSpec) -> None:
        self.tell(f.AgentChanged(self.now, spec))

    @rule(agent=st.sampled_from(AGENTS))
    def remove_agent(self, agent: str) -> None:
        self.tell(f.AgentRemoved(self.now, agent))

    @rule(
        agent=st.sampled_from(AGENTS),
        plus=st.lists(st.sampled_from(QUEUES), max_size=2, unique=True).map(tuple),
        minus=st.lists(st.sampled_from(QUEUES), max_size=2, unique=True).map(tuple),
    )
    def lend_agent(self, agent: str, plus: tuple[str, ...], minus: tuple[str, ...]) -> None:
        self.tell(f.AgentQueuesChanged(self.now, agent, plus, minus))

    @rule(number=st.sampled_from(NUMBERS), to=destinations)
    def change_number(self, number: str, to: Destination) -> None:
        self.tell(f.NumberChanged(self.now, number, to))

    @rule(number=st.sampled_from(NUMBERS))
    def remove_number(self, number: str) -> None:
        self.tell(f.NumberRemoved(self.now, number))

    @rule(number=st.sampled_from(NUMBERS), priority=st.integers(0, 2))
    def call(self, number: str, priority: int) -> None:
        self.tell(f.ContactArrived(self.now, f"c{len(self.began)}", number, priority=priority))

    @rule(number=st.sampled_from(NUMBERS[:4]), count=st.integers(2, 5))
    def burst(self, number: str, count: int) -> None:
        for _ in range(count):
            self.tell(f.ContactArrived(self.now, f"c{len(self.began)}", number))

    @rule(
        agent=st.sampled_from([*AGENTS, "stranger"]), number=st.sampled_from(NUMBERS), outside=st.booleans()
    )
    def agent_calls(self, agent: str, number: str, outside: bool) -> None:
        contact = f"c{len(self.began)}"
        self.tell(
            f.ContactArrived(self.now, contact, "" if outside else number, agent=agent, outside=outside)
        )

    @precondition(lambda self: self.world.callers)
    @rule(which=st.integers(0, 99))
    def call_again(self, which: int) -> None:
        """The same contact is told twice."""
        contact = sorted(self.world.callers)[which % len(self.world.callers)]
        self.tell(f.ContactArrived(self.now, contact, NUMBERS[0]))

    def leg(self, which: int, what: str) -> tuple[str, str]:
        legs = self.world.phones_that(what)
        leg = legs[which % len(legs)]
        return leg.rpartition(".")[0] or leg, leg

    @precondition(lambda self: self.world.phones_that("ringing"))
    @rule(which=st.integers(0, 99), rings=st.booleans())
    def answer(self, which: int, rings: bool) -> None:
        contact, leg = self.leg(which, "ringing")
        if rings:
            self.tell(f.Rang(self.now, contact, leg))
        self.tell(f.Answered(self.now, contact, leg))

    @precondition(lambda self: self.world.phones_that("ringing"))
    @rule(busy=st.booleans())
    def everybody_answers(self, busy: bool) -> None:
        if busy:
            self.burst(NUMBERS[0], 6)
        for leg in self.world.phones_that("ringing"):
            if self.world.phones[leg] == "ringing":
                self.tell(f.Answered(self.now, leg.rpartition(".")[0] or leg, leg))

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(by_agent=st.booleans())
    def everybody_hangs_up(self, by_agent: bool) -> None:
        for leg in self.world.phones_that("talking"):
            if self.world.phones[leg] == "talking":
                self.tell(f.HungUp(self.now, leg.rpartition(".")[0], leg if by_agent else ""))

    @precondition(lambda self: self.world.phones_that("ringing"))
    @rule(
        which=st.integers(0, 99),
        cause=st.sampled_from(["busy", "declined", "no_answer", "unreachable", "failed", "asleep"]),
    )
    def fail(self, which: int, cause: str) -> None:
        self.tell(f.OfferFailed(self.now, *self.leg(which, "ringing"), cause))

    @precondition(lambda self: self.world.callers)
    @rule(which=st.integers(0, 99))
    def caller_hangs_up(self, which: int) -> None:
        contact = sorted(self.world.callers)[which % len(self.world.callers)]
        self.tell(f.HungUp(self.now, contact))

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(which=st.integers(0, 99))
    def agent_hangs_up(self, which: int) -> None:
        self.tell(f.HungUp(self.now, *self.leg(which, "talking")))

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(which=st.integers(0, 99), hold=st.booleans())
    def hold(self, which: int, hold: bool) -> None:
        kind = f.PutOnHold if hold else f.TakenOffHold
        self.tell(kind(self.now, *self.leg(which, "talking")))

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(which=st.integers(0, 99), number=st.sampled_from(NUMBERS), outside=st.booleans())
    def transfer(self, which: int, number: str, outside: bool) -> None:
        self.tell(f.TransferAsked(self.now, *self.leg(which, "talking"), number, outside))

    # --- what pages ask for ---

    def somebody(self, which: int, *, inside: bool) -> tuple[str, str]:
        """(contact, agent): one who is in it, or anybody."""
        pairs = [
            (name, one.agent)
            for name, who in sorted(self.centre.contacts.items())
            for one in who.parties.values()
            if one.agent is not None
        ]
        if not inside or not pairs:
            pairs = [(name, agent) for name in sorted(self.centre.contacts) for agent in AGENTS]
        return pairs[which % len(pairs)]

    @precondition(lambda self: self.centre.contacts)
    @rule(
        which=st.integers(0, 999),
        inside=st.sampled_from([True, True, True, False]),
        kind=st.sampled_from(
            [f.HoldAsked, f.ResumeAsked, f.HangUpAsked, f.LeaveAsked, f.SwapAsked, f.SwapAsked, f.CompleteAsked,
             f.ConferenceAsked, f.ConferenceAsked]
        ),
    )  # fmt: skip
    def asks(self, which: int, inside: bool, kind: Any) -> None:
        self.tell(kind(self.now, *self.somebody(which, inside=inside)))

    @precondition(lambda self: self.centre.contacts)
    @rule(
        which=st.integers(0, 999),
        kind=st.sampled_from([f.HandOverAsked, f.ConsultAsked, f.ConsultAsked]),
        number=st.sampled_from([*AGENTS, *(f"queue:{name}" for name in QUEUES), *NUMBERS]),
        outside=st.sampled_from([False, False, True]),
    )
    def asks_for_somebody(self, which: int, kind: Any, number: str, outside: bool) -> None:
        self.tell(kind(self.now, *self.somebody(which, inside=True), "" if outside else number, outside))

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(
        which=st.integers(0, 999),
        outside=st.booleans(),
        then=st.sampled_from([f.ConferenceAsked, f.SwapAsked, f.CompleteAsked, f.HoldAsked, None]),
    )
    def consults(self, which: int, outside: bool, then: Any) -> None:
        """A consultation that comes about: else they are rare."""
        contact, agent = self.somebody(which, inside=True)
        for other in AGENTS:
            self.tell(f.ConsultAsked(self.now, contact, agent, "" if outside else other, outside))
        who = self.centre.contacts.get(contact)
        if who is not None and who.consult is not None and who.consult.state == "ringing":
            self.tell(f.Answered(self.now, contact, who.consult.leg))
        if then is not None:
            self.tell(then(self.now, contact, agent))

    @precondition(lambda self: self.centre.contacts)
    @rule(which=st.integers(0, 999), muted=st.booleans())
    def mutes(self, which: int, muted: bool) -> None:
        self.tell(f.MuteAsked(self.now, *self.somebody(which, inside=True), muted))

    @precondition(lambda self: self.centre.contacts)
    @rule(which=st.integers(0, 999), leg=st.integers(0, 99))
    def drops(self, which: int, leg: int) -> None:
        contact, agent = self.somebody(which, inside=True)
        legs = [*self.centre.contacts[contact].parties, contact, "nobody.1"]
        self.tell(f.DropAsked(self.now, contact, agent, legs[leg % len(legs)]))

    @precondition(lambda self: self.centre.contacts)
    @rule(
        which=st.integers(0, 999),
        supervisor=st.sampled_from(["who supervises", "who is free", "who is free", *AGENTS, "stranger"]),
        modes=st.lists(
            st.sampled_from(["listen", "whisper", "barge", "take_over", "off"]), min_size=1, max_size=2
        ),
        answers=st.sampled_from([True, True, False]),
    )
    def supervises(self, which: int, supervisor: str, modes: list[Any], answers: bool) -> None:
        agents = self.centre.agents
        talks = [who for who in self.centre.contacts.values() if who.leg is not None and who.served] or [
            *self.centre.contacts.values()
        ]
        who = talks[which % len(talks)]
        if supervisor == "who supervises":
            supervisor = next((one.agent or "" for one in who.parties.values() if one.mode), "a0")
        elif supervisor == "who is free":
            supervisor = next((name for name in agents if eligible(agents[name])), "a0")
        for mode in modes:
            self.tell(f.SuperviseAsked(self.now, who.id, supervisor, mode))
            for leg in self.world.phones_that("ringing"):
                if answers and leg.startswith(f"{who.id}."):
                    self.tell(f.Answered(self.now, who.id, leg))

    @rule(
        agent=st.sampled_from([*AGENTS, "stranger"]),
        number=st.sampled_from([*NUMBERS, *AGENTS, "queue:q0"]),
        outside=st.booleans(),
    )
    def dials(self, agent: str, number: str, outside: bool) -> None:
        contact = f"c{len(self.began)}"
        self.tell(f.DialAsked(self.now, contact, agent, "" if outside else number, outside))

    @precondition(lambda self: self.centre.contacts)
    @rule(which=st.integers(0, 99), queue=st.sampled_from([*QUEUES, "nowhere"]), priority=st.integers(-1, 3))
    def moves(self, which: int, queue: str, priority: int) -> None:
        contact = sorted(self.centre.contacts)[which % len(self.centre.contacts)]
        self.tell(f.ContactRaised(self.now, contact, priority))
        self.tell(f.ContactMoved(self.now, contact, queue))

    @rule(agent=st.sampled_from(AGENTS), result=st.sampled_from(["sold", "lost", "nonsense", ""]))
    def gives_result(self, agent: str, result: str) -> None:
        known = self.centre.agents.get(agent)
        about = known.wrap or next(iter(known.calls), "nobody") if known is not None else "nobody"
        self.tell(f.ResultGiven(self.now, about, agent, result))

    @rule(agent=st.sampled_from(AGENTS), seconds=st.sampled_from([30.0, -1.0, float("nan")]))
    def extends(self, agent: str, seconds: float) -> None:
        self.tell(f.WrapUpExtended(self.now, agent, seconds))

    @precondition(lambda self: self.world.phones)
    @rule(
        which=st.integers(0, 999),
        kind=st.sampled_from(
            ["rang", "answered", "failed", "hung up", "held", "resumed", "transfer", "stored"]
        ),
    )
    def late(self, which: int, kind: str) -> None:
        """Any fact about any leg there ever was: late, double or impossible."""
        leg = sorted(self.world.phones)[which % len(self.world.phones)]
        contact = leg.rpartition(".")[0] or leg
        match kind:
            case "rang":
                self.tell(f.Rang(self.now, contact, leg))
            case "answered":
                self.tell(f.Answered(self.now, contact, leg))
            case "failed":
                self.tell(f.OfferFailed(self.now, contact, leg, "failed"))
            case "hung up":
                self.tell(f.HungUp(self.now, contact, leg))
            case "held":
                self.tell(f.PutOnHold(self.now, contact, leg))
            case "resumed":
                self.tell(f.TakenOffHold(self.now, contact, leg))
            case "transfer":
                self.tell(f.TransferAsked(self.now, contact, leg, NUMBERS[which % len(NUMBERS)]))
            case "stored":
                self.tell(f.RecordingStored(self.now, contact, "a.wav", 1.0, 1.0))

    @rule(
        fact=st.sampled_from(
            [
                f.Answered(0.0, "nobody", "nobody.1"),
                f.HungUp(0.0, "nobody"),
                f.HungUp(0.0, "nobody", "nobody.1"),
                f.TimerFired(0.0, "offer:nobody.1"),
                f.TimerFired(0.0, "wrap:nobody"),
                f.TimerFired(0.0, "no such kind"),
                f.TransferAsked(0.0, "nobody", "nobody.1", "n0"),
                f.HoldAsked(0.0, "nobody", "a0"),
                f.SuperviseAsked(0.0, "nobody", "a0", "listen"),
                f.DialAsked(0.0, "c", "stranger", "n0"),
                f.ContactMoved(0.0, "nobody", "q0"),
                f.ResultGiven(0.0, "nobody", "a0", "sold"),
                f.AgentReady(0.0, "stranger"),
                f.PhoneRegistered(0.0, "stranger"),
            ]
        )
    )
    def impossible(self, fact: Any) -> None:
        state = deepcopy(self.centre)
        self.tell(replace(fact, at=self.now))
        assert self.centre == state, "an impossible fact changed something"

    @precondition(lambda self: self.world.callers)
    @rule(which=st.integers(0, 99), why=st.sampled_from([f.Rang, f.Answered, f.PutOnHold, f.TransferAsked]))
    def told_of_the_caller(self, which: int, why: Any) -> None:
        """An empty leg, which is the caller's, where a phone's is meant."""
        contact = sorted(self.world.callers)[which % len(self.world.callers)]
        self.world.phones.setdefault("", "over")
        self.tell(why(self.now, contact, "", "n0") if why is f.TransferAsked else why(self.now, contact, ""))
        self.world.phones.pop("")

    @rule(
        agent=st.sampled_from(AGENTS),
        kind=st.sampled_from([f.PhoneRegistered, f.PhoneUnregistered, f.AgentSignedIn, f.AgentReady,
                              f.AgentReady, f.AgentPaused, f.AgentSignedOut, f.WrapUpFinished]),
    )  # fmt: skip
    def agent_does(self, agent: str, kind: Any) -> None:
        self.tell(kind(self.now, agent, "lunch") if kind is f.AgentPaused else kind(self.now, agent))

    # --- time ---

    def fire(self, timer: str) -> None:
        del self.world.timers[timer]
        self.world.spent.append(timer)
        self.tell(f.TimerFired(self.now, timer))

    @rule(seconds=st.sampled_from([1.0, 4.0, 15.0, 30.0, 100.0]), late=st.booleans())
    def time_passes(self, seconds: float, late: bool) -> None:
        """Timers fire in order and on time, or all at the end, last first."""
        end = self.now + seconds
        if late:
            self.now = end
            for timer in sorted(self.world.timers, key=lambda timer: -self.world.timers[timer]):
                if self.world.timers.get(timer, end + 1) <= end:
                    self.fire(timer)
        else:
            for _ in range(200):
                at, timer = min(
                    ((at, timer) for timer, at in self.world.timers.items()), default=(end + 1, "")
                )
                if at > end:
                    break
                self.now = max(self.now, at)
                self.fire(timer)
            self.now = end

    @precondition(lambda self: self.world.timers)
    @rule(which=st.integers(0, 99))
    def timer_too_early(self, which: int) -> None:
        self.fire(sorted(self.world.timers)[which % len(self.world.timers)])

    @precondition(lambda self: self.world.spent)
    @rule(which=st.integers(0, 999))
    def timer_twice(self, which: int) -> None:
        self.tell(f.TimerFired(self.now, self.world.spent[which % len(self.world.spent)]))

    # --- the end of the day ---

    def teardown(self) -> None:
        for contact in sorted(self.world.callers):
            self.tell(f.HungUp(self.now, contact))
        for leg in [*self.world.phones_that("calling"), *self.world.phones_that("talking")]:
            if self.world.phones[leg] != "over":
                self.tell(f.HungUp(self.now, leg.rpartition(".")[0], leg))
        for _ in range(100):
            if not self.world.timers:
                break
            timer = min(self.world.timers, key=lambda timer: self.world.timers[timer])
            self.now = max(self.now, self.world.timers[timer])
            self.fire(timer)
        for name, agent in self.centre.agents.items():
            if agent.wrap is not None:
                assert agent.overran, "after-call work without end"
                self.tell(f.ResultGiven(self.now, agent.wrap, name, "sold"))
        assert not self.world.timers, "a timer for ever"
        assert not self.centre.contacts, "a contact stays for ever"
        assert sorted(self.began) == sorted(self.ended)
        for agent in self.centre.agents.values():
            assert agent.state in ("ready", "not_ready", "logged_out", "unreachable"), agent.state


def without(*rules: str) -> Any:
    """Leave these rules of the machine out: a plain method in their place is no rule."""

    def change(machine: Any) -> Any:
        for name in rules:
            setattr(machine, name, lambda self: None)
        return machine

    return change


@without("change_queue", "remove_queue", "change_agent", "remove_agent", "change_number", "remove_number", "burst",
         "call_again", "told_of_the_caller", "impossible", "late", "agent_calls", "everybody_hangs_up",
         "caller_hangs_up", "timer_twice", "everybody_answers")  # fmt: skip
class ConversationMachine(CoreMachine):
    """The same where nobody changes the house and most callers are answered: what is asked in conversations."""

    @initialize(dispositions=st.sampled_from([(), ("sold", "lost")]))
    def furnish(self, dispositions: tuple[str, ...]) -> None:
        for name in AGENTS:
            self.tell(f.AgentChanged(self.now, AgentSpec(name, fixed_phone=True)))
            self.tell(f.AgentReady(self.now, name))
        for index, record in enumerate((True, False)):
            spec = QueueSpec(
                QUEUES[index], agents=AGENTS, wrap_up=10.0 * index, record=record, dispositions=dispositions
            )
            self.tell(f.QueueChanged(self.now, spec))
            self.tell(f.NumberChanged(self.now, NUMBERS[index], Destination("queue", spec.id)))

    @rule(number=st.sampled_from(NUMBERS[:2]))
    def call(self, number: str) -> None:
        contact = f"c{len(self.began)}"
        self.tell(f.ContactArrived(self.now, contact, number))
        for leg in self.world.phones_that("ringing"):
            if leg.startswith(f"{contact}."):
                self.tell(f.Answered(self.now, contact, leg))

    @rule(agent=st.sampled_from(AGENTS), answers=st.booleans())
    def phones_out(self, agent: str, answers: bool) -> None:
        contact = f"c{len(self.began)}"
        self.tell(f.ContactArrived(self.now, contact, "", agent=agent, outside=True))
        if answers and self.world.phones.get(contact) == "ringing":
            self.tell(f.Answered(self.now, contact, contact))


COMMON = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
    "derandomize": True,
}

TestCore = CoreMachine.TestCase
TestCore.settings = settings(max_examples=150, stateful_step_count=50, **COMMON)

TestConversations = ConversationMachine.TestCase
TestConversations.settings = settings(max_examples=150, stateful_step_count=50, **COMMON)
