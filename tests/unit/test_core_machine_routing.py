"""The random worlds of `test_core_machine` where queues have stages and keep callers for those whom they know.

What an offer may be is said again here, from the specs and the clock alone: without the indexes, without `choice`.
"""

from dataclasses import replace
from math import exp
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.specs import CalendarSpec, Destination, LastAgent, QueueSpec, Widen
from centrala.core.state import Agent, Contact, Queue
from tests.unit.test_core_machine import (
    AGENTS,
    COMMON,
    NUMBERS,
    QUEUES,
    SKILLS,
    CoreMachine,
    agent_specs,
    destinations,
    eligible,
    queue_specs,
    without,
)

pytestmark = pytest.mark.unit

stages = st.builds(
    Widen,
    after=st.none() | st.sampled_from([0.0, 3.0, 10.0, 40.0]),
    length=st.none() | st.integers(1, 3),
    below=st.none() | st.sampled_from([0.3, 0.7]),
    needs=st.none() | st.dictionaries(st.sampled_from(SKILLS), st.integers(0, 2), min_size=1, max_size=2),
    queues=st.lists(st.sampled_from(QUEUES), max_size=1).map(tuple),
    calendar=st.sampled_from(["", "", "day"]),
)
kept = st.none() | st.builds(
    LastAgent, within=st.just(500.0), wait=st.sampled_from([0.0, 8.0, 30.0]), preferred=st.booleans()
)
calendars = st.sampled_from([(), ((0.0, 1100.0),), ((1050.0, 1200.0), (1300.0, 9e9)), ((0.0, 9e9),)])


@st.composite
def staged_specs(draw: Any) -> QueueSpec:
    spec: QueueSpec = draw(queue_specs)
    own = {} if spec.agents is not None or draw(st.booleans()) else {draw(st.sampled_from(SKILLS)): 2}
    return replace(
        spec,
        needs=own or spec.needs,
        widen=tuple(draw(st.lists(stages, max_size=3))),
        last_agent=draw(kept),
        when_slow=draw(st.none() | st.none() | destinations),
        service_level=(0.8, draw(st.sampled_from([2.0, 20.0]))),
    )


def meets(agent: Agent, spec: QueueSpec, needs: dict[str, int]) -> bool:
    listed = spec.agents is not None
    if listed and agent.spec.id not in (spec.agents or ()):
        return False
    asked = {skill: least for skill, least in needs.items() if least > 0}
    if not asked:
        return listed
    return all(agent.spec.skills.get(skill, 0) >= least for skill, least in asked.items())


def paced(spec: QueueSpec) -> bool:
    return spec.when_slow is not None or any(one.below is not None for one in spec.widen)


def belongs(agent: Agent, spec: QueueSpec) -> bool:
    if spec.id in agent.minus:
        return False
    return meets(agent, spec, spec.needs) or spec.id in agent.plus or spec.id in agent.loans


def stage_of(machine: "RoutingMachine", agent: Agent, spec: QueueSpec) -> int | None:
    """0 for the queue's own agents, None for who never gets its contacts."""
    if belongs(agent, spec):
        return 0
    if spec.id in agent.minus:
        return None
    needs = dict(spec.needs)
    for stage, one in enumerate(spec.widen, 1):
        needs |= one.needs or {}
        if one.needs is not None and meets(agent, spec, needs):
            return stage
        queues = machine.replica.queues
        if any(name in queues and belongs(agent, queues[name].spec) for name in one.queues):
            return stage
    return None


@without(
    "asks",
    "asks_for_somebody",
    "consults",
    "mutes",
    "drops",
    "supervises",
    "dials",
    "gives_result",
    "extends",
    "hold",
    "change_number",
    "remove_number",
    "told_of_the_caller",
    "call_again",
    "impossible",
    "late",
)
class RoutingMachine(CoreMachine):
    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}
        "Contact → the agent whom it waits for."
        self.count: dict[str, list[tuple[float, bool]]] = {}
        "Queue → (when, in time) of those answered, or late."
        self.late: set[str] = set()
        self.paced: set[str] = set()
        "Contacts whose queue went by its pace when they came."
        self.entered: dict[str, float] = {}
        self.made: dict[str, int] = {}
        "Queue → offers in this step."
        self.spurned: set[str] = set()
        "Contacts whose wanted agent hasn't taken them in this step."

    # --- what is true, by the clock ---

    def opened(self, who: Contact, spec: QueueSpec) -> int:
        """By the contact's own wait: the calendar must have been open at or after that moment."""
        best = 0
        for stage, one in enumerate(spec.widen, 1):
            if one.after is None or self.now < who.since + one.after:
                continue
            first = who.since + one.after
            times = self.replica.calendars.get(one.calendar, ()) if one.calendar else ((0.0, 9e9),)
            if any(max(start, first) <= self.now and max(start, first) < end for start, end in times):
                best = stage
        return best

    def share(self, name: str, spec: QueueSpec) -> float:
        good = late = 0.0
        for at, fine in self.count.get(name, []):
            weight = exp(-(self.now - at) / 900.0)
            good, late = good + weight * fine, late + weight * (not fine)
        return (good + 2.0 * spec.service_level[0]) / (good + late + 2.0)

    def is_open(self, calendar: str) -> bool:
        times = self.replica.calendars.get(calendar, ()) if calendar else ((0.0, 9e9),)
        return any(start <= self.now < end for start, end in times)

    def most_waiting(self, queue: Queue, left: int) -> int:
        """With those of this queue who were offered in the same step."""
        return left + self.made.get(queue.spec.id, 0)

    def calm(self, who: Contact, agent: Agent, queue: Queue) -> bool:
        """The agent may only by a stage of the whole queue, for which it isn't long, or slow, enough any more."""
        least = stage_of(self, agent, queue.spec)
        if least is None or least <= who.stage or who.id in self.kept:
            return False
        return not any(
            self.is_open(one.calendar)
            and (
                (one.length is not None and len(queue.waiting) >= one.length)
                or (one.below is not None and self.share(queue.spec.id, queue.spec) < one.below)
            )
            for one in queue.spec.widen[least - 1 :]
        )

    def may(self, who: Contact, agent: Agent, queue: Queue) -> bool:
        """Whether the agent may be offered the contact, by what the core says is open."""
        if who.id in self.kept:
            return self.kept[who.id] == agent.spec.id
        least = stage_of(self, agent, queue.spec)
        return least is not None and (least == 0 or least <= max(who.stage, queue.stage))

    # --- events ---

    def check_event(self, event: e.Event) -> None:
        centre = self.replica
        match event:
            case e.OfferMade(contact=name, queue=str(queue), agent=str(who)):
                self.check_offer(centre.contacts[name], centre.agents[who], centre.queues[queue], event.why)
                self.made[queue] = self.made.get(queue, 0) + 1
                return
            case e.Widened(contact=name, stage=stage):
                contact = centre.contacts[name]
                assert contact.queue is not None
                spec = centre.queues[contact.queue].spec
                assert contact.stage < stage <= self.opened(contact, spec), "widened too early"
            case e.QueueWidened(queue=name, stage=stage, why=why):
                self.check_stage(name, stage, why)
            case e.Queued(contact=name):
                self.entered[name] = self.now
                self.paced.discard(name)
                if paced(centre.queues[event.queue].spec):
                    self.paced.add(name)
                self.late.discard(name)
            case e.Late(contact=name):
                contact = centre.contacts[name]
                assert contact.queue is not None
                assert self.now >= self.entered[name] + centre.queues[contact.queue].spec.service_level[1]
                assert name not in self.late, "late twice"
                self.late.add(name)
                self.count.setdefault(contact.queue, []).append((self.now, False))
            case e.Connected(contact=name, leg=leg) if leg != name:
                contact = centre.contacts[name]
                spec = centre.queues[contact.queue].spec if contact.queue in centre.queues else None
                if not (spec is not None and paced(spec) and name in self.paced):
                    pass
                elif name not in self.late and contact.queue is not None:
                    self.count.setdefault(contact.queue, []).append((self.now, True))
                self.kept.pop(name, None)
            case e.Reserved(contact=name, agent=agent, until=until):
                contact = centre.contacts[name]
                assert contact.queue is not None
                assert belongs(centre.agents[agent], centre.queues[contact.queue].spec)
                assert centre.agents[agent].intent == "ready"
                assert centre.agents[agent].reachable
                rule = centre.queues[contact.queue].spec.last_agent
                assert rule is not None
                lately = self.now - contact.last_at <= rule.within and agent == contact.last_agent
                assert lately or (rule.preferred and agent == contact.preferred)
                assert self.now <= until <= self.now + 30.0
                assert until > self.now or centre.agents[agent].idle
                self.kept[name] = agent
            case e.ReservationEnded(contact=name) | e.Overflowed(contact=name):
                self.kept.pop(name, None)
            case e.ContactEnded(contact=name):
                self.kept.pop(name, None)
            case e.OfferEnded(contact=name, agent=agent, how=how) if how != "cancelled":
                if self.kept.get(name) == agent:
                    self.spurned.add(name)
            case e.QueueDropped(queue=name):
                self.count.pop(name, None)
        super().check_event(event)

    def check_stage(self, name: str, stage: int, why: str) -> None:
        queue = self.replica.queues[name]
        assert stage != queue.stage, "widened to where it was"
        if not stage:
            return
        one = queue.spec.widen[stage - 1]
        if one.calendar:
            times = self.replica.calendars.get(one.calendar, ())
            assert any(start <= self.now < end for start, end in times), "widened out of hours"
        if why == "length":
            assert one.length is not None
            assert len(queue.waiting) >= one.length
        else:
            assert one.below is not None
            assert self.share(name, queue.spec) < one.below + 1e-9

    def check_offer(self, who: Contact, agent: Agent, queue: Queue, why: str) -> None:
        centre, mine = self.replica, (who.rank, who.order)
        assert eligible(agent), "offered to an agent who isn't idle"
        assert self.may(who, agent, queue), "offered to whom it isn't open"
        if not who.standing:
            assert queue.spec.strategy == "ring_all"
        least = stage_of(self, agent, queue.spec)
        assert least is not None
        kept = who.id in self.kept
        assert why.startswith("relaxed ") == bool(least and not kept)
        assert why.startswith(("last_agent", "preferred_agent")) == kept
        if not kept and least > who.stage:
            free = sum(
                eligible(one) and stage_of(self, one, queue.spec) == 0 for one in centre.agents.values()
            )
            left = len(queue.waiting) - min(free, len(queue.waiting))
            assert any(
                self.is_open(one.calendar)
                and (
                    (one.length is not None and self.most_waiting(queue, left) >= one.length)
                    or (one.below is not None and self.share(queue.spec.id, queue.spec) < one.below + 1e-9)
                )
                for one in queue.spec.widen[least - 1 :]
            ), "offered though the queue is calm"
        for other in centre.contacts.values():
            if other.id == who.id or other.state != "queued" or other.queue is None:
                continue
            theirs = (other.rank, other.order)
            same = other.queue == queue.spec.id or "first in line" in why
            if same and theirs < mine and other.standing:
                assert not self.may(other, agent, centre.queues[other.queue]), "overtaken"
        if kept or queue.spec.strategy == "ring_all":
            return
        for one in centre.agents.values():
            if eligible(one) and one is not agent:
                lower = stage_of(self, one, queue.spec)
                assert lower is None or lower >= least, "a nearer agent was idle"

    # --- after each step ---

    def tell(self, fact: f.Fact) -> None:
        self.spurned.clear()
        self.made.clear()
        super().tell(fact)
        assert not self.spurned & set(self.kept), "waits for whom it had"
        centre = self.centre
        overdue = {timer for timer, at in self.world.timers.items() if at <= self.now}
        for who in centre.contacts.values():
            if who.state not in ("queued", "offered") or who.queue not in centre.queues:
                self.kept.pop(who.id, None)
                continue
            queue = centre.queues[who.queue]
            assert who.reserved == self.kept.get(who.id, "")
            if who.state == "queued":
                assert not [
                    name for name, one in centre.agents.items() if eligible(one) and self.may(who, one, queue)
                ], "waits beside an idle agent who may"
                if f"widen:{who.id}" not in overdue:
                    assert who.stage >= min(self.opened(who, queue.spec), len(queue.spec.widen)), "forgotten"
            if who.reserved:
                assert f"reserve:{who.id}" in self.world.timers or who.offers
                if who.state == "queued":
                    assert belongs(centre.agents[who.reserved], queue.spec)
                    assert centre.agents[who.reserved].intent == "ready", "waits for who has gone"
        for name, agent in centre.agents.items():
            mine = {q: stage_of(self, agent, queue.spec) for q, queue in centre.queues.items()}
            assert {q for q, stage in mine.items() if stage == 0} == set(agent.queues)
            assert {q: stage for q, stage in mine.items() if stage} == {
                q: stage for q, (stage, _) in agent.stages.items()
            }, name

    # --- what happens ---

    @initialize(
        specs=st.lists(staged_specs(), min_size=2, max_size=4, unique_by=lambda spec: spec.id),
        agents=st.lists(agent_specs, min_size=2, max_size=5, unique_by=lambda spec: spec.id),
        day=calendars,
    )
    def furnish(self, specs: list[QueueSpec], agents: list[Any], day: Any) -> None:
        self.tell(f.CalendarChanged(self.now, CalendarSpec("day", day)))
        for agent in agents:
            self.tell(f.AgentChanged(self.now, agent))
            self.tell(f.PhoneRegistered(self.now, agent.id))
            self.tell(f.AgentReady(self.now, agent.id))
        for index, spec in enumerate(specs):
            if index == 0:  # where there is always somebody to be kept for …
                rule = spec.last_agent or LastAgent(within=500.0, wait=30.0)
                spec = replace(spec, agents=AGENTS, needs={}, open_at=None, when_slow=None, last_agent=rule)
            elif index == 1:  # … and where there is always a stage
                stages = spec.widen or (Widen(after=10.0, needs={"s0": 1}),)
                spec = replace(spec, agents=None, needs={"s0": 3}, open_at=None, when_slow=None, widen=stages)
            self.tell(f.QueueChanged(self.now, spec))
            self.tell(f.NumberChanged(self.now, NUMBERS[index], Destination("queue", spec.id)))

    @rule(agent=st.sampled_from(AGENTS), kind=st.sampled_from([f.PhoneUnregistered, f.AgentPaused]))
    def goes_away(self, agent: str, kind: Any) -> None:
        """And comes back: else there is soon nobody."""
        reason = ("lunch",) if kind is f.AgentPaused else ()
        self.tell(kind(self.now, agent, *reason))
        self.tell(f.PhoneRegistered(self.now, agent))
        self.tell(f.AgentReady(self.now, agent))

    @rule(spec=staged_specs())
    def change_queue(self, spec: QueueSpec) -> None:
        self.tell(f.QueueChanged(self.now, spec))

    @rule(day=calendars)
    def change_calendar(self, day: Any) -> None:
        self.tell(f.CalendarChanged(self.now, CalendarSpec("day", day)))

    @rule(
        number=st.sampled_from(NUMBERS[:4]),
        count=st.integers(1, 3),
        last=st.sampled_from([*AGENTS, *AGENTS, "stranger", ""]),
        preferred=st.sampled_from([*AGENTS, "", ""]),
        ago=st.sampled_from([0.0, 100.0, 501.0]),
        busy=st.booleans(),
    )
    def call_again_who_is_known(
        self, number: str, count: int, last: str, preferred: str, ago: float, busy: bool
    ) -> None:
        if busy:  # else hardly anybody has to wait for whom they know
            for leg in self.world.phones_that("ringing"):
                if self.world.phones[leg] == "ringing":
                    self.tell(f.Answered(self.now, leg.rpartition(".")[0] or leg, leg))
        for _ in range(count):
            self.tell(
                f.ContactArrived(
                    self.now,
                    f"c{len(self.began)}",
                    number,
                    last_agent=last,
                    last_at=self.now - ago,
                    preferred=preferred,
                )
            )


TestRouting = RoutingMachine.TestCase
TestRouting.settings = settings(max_examples=120, stateful_step_count=50, **COMMON)
