"""Random worlds in which agents are lent by rebalancing: limits hold at every moment, a supervisor's word wins."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from centrala.core import balance
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.indexes import level_in
from centrala.core.specs import AgentSpec, Balance, Balancing, Destination, QueueSpec
from tests.unit.test_core_machine import (
    AGENTS,
    COMMON,
    NUMBERS,
    QUEUES,
    CoreMachine,
    indexes,
    without,
)

pytestmark = pytest.mark.unit

balances = st.builds(
    Balance,
    give=st.sampled_from([True, True, True, False]),
    take=st.sampled_from([True, True, True, False]),
    reserve=st.sampled_from([0, 0, 0, 1]),
    most=st.sampled_from([None, None, 2, 1, 0]),
    helpers=st.sampled_from([{}, {}, {"s0": 1}, {"s0": 1, "s1": 2}]),
)
rules_of_balancing = st.builds(
    Balancing,
    on=st.sampled_from([True, True, True, False]),
    every=st.sampled_from([10.0, 20.0]),
    moves_per_hour=st.sampled_from([0, 2, 6, 6, 60]),
    margin=st.sampled_from([0.0, 0.05]),
)
homes = st.sampled_from(QUEUES[:3])
HOUR = 3600.0


@without("change_queue", "change_agent", "change_number", "remove_number", "call_again", "told_of_the_caller",
         "impossible", "late", "agent_calls", "hold", "transfer", "asks", "asks_for_somebody", "consults", "mutes",
         "drops", "supervises", "dials", "moves", "gives_result", "extends", "timer_twice")  # fmt: skip
class BalanceMachine(CoreMachine):
    """Three queues, each with agents of its own who may help the others; peaks come and go."""

    LENT = 0
    WHY: set[str] = set()

    def __init__(self) -> None:
        super().__init__()
        self.by_hand: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self.specs: dict[str, QueueSpec] = {}
        self.people: dict[str, AgentSpec] = {}
        self.moved: dict[str, list[float]] = {}

    @initialize(
        spread=st.lists(homes, min_size=5, max_size=5),
        balance=st.lists(balances, min_size=3, max_size=3),
        usual=st.booleans(),
    )
    def furnish(self, spread: list[str], balance: list[Balance], usual: bool) -> None:
        for name in AGENTS:
            self.change_person(AgentSpec(name, skills={"s0": 2, "s1": 1}, fixed_phone=True, helps=QUEUES))
            self.tell(f.AgentReady(self.now, name))
        for index, name in enumerate(QUEUES[:3]):
            agents = tuple(who for who, home in zip(AGENTS, spread, strict=True) if home == name)
            rules = Balance() if usual else balance[index]
            self.change(QueueSpec(name, agents=agents, wrap_up=0.0, balance=rules))
            self.tell(f.NumberChanged(self.now, NUMBERS[index], Destination("queue", name)))
        self.tell(f.BalancingChanged(self.now, Balancing(every=20.0)))

    def change(self, spec: QueueSpec) -> None:
        self.specs[spec.id] = spec
        self.tell(f.QueueChanged(self.now, spec))

    def change_person(self, spec: AgentSpec) -> None:
        self.people[spec.id] = spec
        self.tell(f.AgentChanged(self.now, spec))

    # --- what must hold ---

    def tell(self, fact: f.Fact) -> None:
        super().tell(fact)
        if isinstance(fact, f.AgentQueuesChanged) and fact.agent in self.centre.agents:
            known = self.centre.agents[fact.agent]
            if not set(fact.plus) & set(fact.minus) and set(fact.plus) | set(fact.minus) <= set(
                self.centre.queues
            ):
                self.by_hand[fact.agent] = (fact.plus, fact.minus)
                assert (known.plus, known.minus) == (fact.plus, fact.minus)
        centre = self.centre
        running = balance.active(centre)
        lent: dict[str, int] = {}
        for who, agent in centre.agents.items():
            assert (agent.plus, agent.minus) == self.by_hand.get(who, ((), ())), (
                "rebalancing overruled a supervisor"
            )
            assert bool(agent.loans) == (who in centre.borrowed)
            for name in agent.loans:
                assert running is not None, "lent, though rebalancing is off"
                assert agent.intent != "logged_out", "lent, though signed out"
                assert name not in (*agent.plus, *agent.minus), "lent against a supervisor's word"
                rules = centre.queues[name].spec.balance
                assert rules is not None
                assert rules.take
                assert level_in(agent.spec, centre.queues[name].spec) is None, "lent to a queue of their own"
                assert name in agent.queues
                skills = agent.spec.skills
                assert name in agent.spec.helps or (
                    rules.helpers and all(skills.get(one, 0) >= least for one, least in rules.helpers.items())
                )
                for own in agent.queues.keys() - agent.loans.keys():
                    giving = centre.queues[own].spec.balance
                    assert giving is not None
                    assert giving.give, "lent by a queue that gives nobody"
                lent[name] = lent.get(name, 0) + 1
        for name, count in lent.items():
            most = centre.queues[name].spec.balance.most  # type: ignore[union-attr]
            assert most is None or count <= most, "more were lent than may be"
        wanted = {
            "borrowed": {who for who, agent in centre.agents.items() if agent.loans},
            "balanced": {name for name, queue in centre.queues.items() if queue.spec.balance is not None},
        }
        assert {"borrowed": set(centre.borrowed), "balanced": set(centre.balanced)} == wanted
        helping = {name: set(them) for name, them in centre.helping.items() if them}
        by_spec: dict[str, set[str]] = {}
        for who, agent in centre.agents.items():
            for name in agent.spec.helps:
                by_spec.setdefault(name, set()).add(who)
        assert helping == by_spec

    def check_event(self, event: e.Event) -> None:
        super().check_event(event)
        centre = self.replica
        if isinstance(event, e.AgentLent | e.AgentReturned):
            agent = centre.agents[event.agent]
            recent = [at for at in self.moved.get(event.agent, ()) if at > event.at - HOUR]
            rules = centre.balancing
            BalanceMachine.WHY.add(event.why)
            if isinstance(event, e.AgentLent):
                BalanceMachine.LENT += 1
                assert rules is not None
                assert agent.serving
                assert not agent.loans
                assert agent.barred.get(event.queue, 0.0) <= event.at, "lent where a supervisor had ended it"
                assert len(recent) + 2 <= rules.moves_per_hour, "couldn't be returned within the limit"
                for own in agent.queues:
                    spec = centre.queues[own].spec.balance
                    here = [centre.agents[who] for who in centre.queues[own].members]
                    kept = sum(one.serving and not one.loans for one in here) - 1
                    assert spec is not None
                    assert kept >= spec.reserve, "the reserve was lent"
            elif event.why in ("recovered", "needed"):
                assert event.queue in agent.loans
            self.moved.setdefault(event.agent, []).append(event.at)
        if isinstance(event, e.AgentDropped):
            self.by_hand.pop(event.agent, None)
            self.moved.pop(event.agent, None)
            assert not centre.agents[event.agent].loans
        if isinstance(event, e.QueueDropped):
            assert not any(event.queue in agent.loans for agent in centre.agents.values())

    # --- what happens ---

    @rule(number=st.sampled_from(NUMBERS[:3]), count=st.integers(4, 9))
    def peak_again(self, number: str, count: int) -> None:
        self.peak(number, count)

    @rule(
        number=st.sampled_from(NUMBERS[:3]),
        count=st.integers(4, 9),
        then=st.sampled_from(
            ["nothing", "signs out", "plus", "minus", "pause", "off", "queue", "tightens", "ends"]
        ),
    )
    def peak_of_those_who_are_ready(self, number: str, count: int, then: str) -> None:
        if self.centre.balancing is None or not self.centre.balancing.on:
            self.tell(f.BalancingChanged(self.now, Balancing()))
        self.tell(f.BalanceAsked(self.now, True))
        for name in AGENTS:
            self.tell(f.AgentReady(self.now, name))
        self.peak(number, count)
        if not self.centre.borrowed:
            return
        who = next(iter(self.centre.borrowed))
        name = next(iter(self.centre.agents[who].loans))
        match then:
            case "signs out":
                self.tell(f.AgentSignedOut(self.now, who))
            case "plus":
                self.tell(f.AgentQueuesChanged(self.now, who, (name,), ()))
            case "minus":
                self.tell(f.AgentQueuesChanged(self.now, who, (), (name,)))
            case "pause":
                self.tell(f.BalanceAsked(self.now, False))
            case "off":
                self.tell(f.BalancingChanged(self.now, Balancing(on=False)))
            case "queue":
                self.tell(f.QueueRemoved(self.now, name))
            case "tightens":
                self.tightens()
            case "ends":
                self.ends(0)
            case _:
                self.calm(0.2)
                self.peak(number, count)

    def peak(self, number: str, count: int) -> None:
        for _ in range(count):
            self.tell(f.ContactArrived(self.now, f"c{len(self.began)}", number))
            self.everybody_answers(False)
        self.time_passes(30.0, False)

    @rule(hours=st.sampled_from([0.2, 1.1]))
    def calm(self, hours: float) -> None:
        for contact in sorted(self.world.callers):
            self.tell(f.HungUp(self.now, contact))
        self.now += hours * HOUR
        self.time_passes(100.0, False)

    @rule(spec=rules_of_balancing | st.none())
    def sets(self, spec: Balancing | None) -> None:
        self.tell(f.BalancingChanged(self.now, spec))

    @rule(on=st.sampled_from([True, True, False]))
    def pauses(self, on: bool) -> None:
        self.tell(f.BalanceAsked(self.now, on, "a0"))
        if not on and self.centre.balancing is not None:
            assert not self.centre.borrowed

    @precondition(lambda self: self.centre.borrowed)
    @rule(which=st.integers(0, 9))
    def ends(self, which: int) -> None:
        who = sorted(self.centre.borrowed)[which % len(self.centre.borrowed)]
        name = next(iter(self.centre.agents[who].loans))
        calls = dict(self.centre.agents[who].calls)
        self.tell(f.LoanEndAsked(self.now, who, name, "a1"))
        assert name not in self.centre.agents[who].loans
        assert self.centre.agents[who].calls == calls, "a conversation was touched"
        self.peak(NUMBERS[QUEUES.index(name)], 5)

    @precondition(lambda self: self.centre.borrowed)
    @rule()
    def tightens(self) -> None:
        """One fewer than there are may be lent to a queue."""
        name = next(iter(self.centre.agents[next(iter(self.centre.borrowed))].loans))
        there = sum(name in agent.loans for agent in self.centre.agents.values())
        rules = replace(self.specs[name].balance or Balance(), most=there - 1)
        self.change(replace(self.specs[name], balance=rules))

    @rule(name=homes, rules=balances | st.none())
    def limits(self, name: str, rules: Balance | None) -> None:
        if name in self.centre.queues:
            self.change(replace(self.specs[name], balance=rules))

    @rule(name=homes)
    def returns_to_file(self, name: str) -> None:
        self.change(self.specs[name])

    @rule(agent=st.sampled_from(AGENTS), helps=st.lists(st.sampled_from(QUEUES), unique=True).map(tuple))
    def changes_person(self, agent: str, helps: tuple[str, ...]) -> None:
        self.change_person(replace(self.people[agent], helps=helps or QUEUES))
        self.tell(f.AgentReady(self.now, agent))

    @rule(agent=st.sampled_from(AGENTS), home=homes)
    def moves_home(self, agent: str, home: str) -> None:
        for name, spec in list(self.specs.items()):
            agents = tuple(one for one in spec.agents or () if one != agent)
            if name in self.centre.queues:
                self.change(replace(spec, agents=(*agents, agent) if name == home else agents))

    def teardown(self) -> None:
        self.tell(f.BalancingChanged(self.now, None))
        assert not self.centre.borrowed
        super().teardown()


def test_indexes_of_the_base_are_compared() -> None:
    """`tell` of the base compares `indexes` with a rebuild; members, with loans, are among them."""
    centre = BalanceMachine().centre
    assert "queues" in indexes(centre)


TestBalance: Any = BalanceMachine.TestCase
TestBalance.settings = settings(max_examples=70, stateful_step_count=40, **COMMON)
