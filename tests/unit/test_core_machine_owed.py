"""Random worlds in which the house owes people something: callbacks, messages, follow-ups. See `test_core_machine`."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from test_core_machine import AGENTS, COMMON, NUMBERS, QUEUES, CoreMachine, World, queue_specs, without

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import timers
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Callbacks, Destination, FlowSpec, FollowUp, QueueSpec
from centrala.core.state import Contact

pytestmark = pytest.mark.unit

CALLERS = ("x", "y", "z", "")
END = {"type": "hang_up"}
FLOWS: dict[str, dict[str, Any]] = {
    "callback": {
        "cb": {
            "type": "callback",
            "exits": {"booked": "bye", "no_number": "on", "full": "on", "failed": "end"},
        },
        "bye": {"type": "say", "prompt": ["Bye"], "exits": {"next": "end"}},
        "on": {"type": "wait"},
        "end": END,
    },
    "slot": {
        "look": {"type": "slots", "lead": 0, "exits": {"found": "cb", "none": "on"}},
        "cb": {
            "type": "callback",
            "slot": "slot.1",
            "number": "+48123456789",
            "exits": {"booked": "end", "no_number": "on", "full": "on", "failed": "end"},
        },
        "on": {"type": "return"},
        "end": END,
    },
    "voicemail": {
        "vm": {"type": "voicemail", "prompt": ["Speak"], "exits": {"next": "end", "empty": "on"}},
        "on": {"type": "wait"},
        "end": END,
    },
    "rate": {
        "ask": {
            "type": "survey",
            "prompt": ["?"],
            "question": "good",
            "exits": {"next": "end", "timeout": "cb", "invalid": "end"},
        },
        "cb": {
            "type": "callback",
            "queue": "q0",
            "exits": {"booked": "end", "no_number": "end", "full": "end", "failed": "end"},
        },
        "end": END,
    },
    "menu": {
        "in": {"type": "queue", "queue": "q0", "exits": {"1": "cb", "max_wait": "cb", "no_agents": "cb"}},
        "cb": {
            "type": "callback",
            "exits": {"booked": "end", "no_number": "end", "full": "end", "failed": "end"},
        },
        "end": END,
    },
}
KEYS = {
    "1": Destination("flow", "callback"),
    "2": Destination("flow", "voicemail"),
    "3": Destination("flow", "slot"),
    "4": Destination("queue", "q1"),
    "5": Destination("agent", "a0"),
    "6": Destination("flow", "unknown"),
    "7": Destination("phone", "sip:expert@example.org"),
}
NEVER_SPOKEN = {"unreached", "expired", "replaced", "dropped", "failed"}

rules = st.builds(
    Callbacks,
    attempts=st.integers(1, 3),
    retry=st.sampled_from([1.0, 60.0]),
    expires=st.sampled_from([30.0, 600.0]),
    ring=st.sampled_from([5.0, 30.0]),
)
follow_ups = st.none() | st.builds(
    FollowUp,
    after=st.sampled_from([0.0, 40.0]),
    attempts=st.integers(1, 2),
    grace=st.sampled_from([0.0, 60.0]),
)
owing_specs = st.builds(
    lambda spec, callbacks, follow_up: replace(
        spec, keys=KEYS, callbacks=callbacks, follow_up=follow_up, short_abandon=0.0
    ),
    queue_specs,
    rules,
    follow_ups,
)


class OwingWorld(World):
    """The same, where a customer may be rung more than once."""

    def believe(self, fact: f.Fact) -> None:
        if isinstance(fact, f.HungUp) and fact.leg and self.phones.get(fact.contact) == "over":
            pass
        super().believe(fact)

    def carry_out(self, command: c.Command, fact: f.Fact) -> None:
        if isinstance(command, c.Ring) and command.leg == command.contact:
            assert self.phones.get(command.leg) != "ringing", "rung twice at once"
            self.phones.pop(command.leg, None)
        super().carry_out(command, fact)


class OwingMachine(CoreMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = OwingWorld()
        self.owed: dict[str, str] = {}
        "Contact → what is owed, of all that ever were."
        self.tried: dict[str, int] = {}
        self.served: set[str] = set()
        self.prompts: dict[str, str] = {}
        "Contact → prompt that plays."
        self.messages: dict[str, str] = {}

    def tell(self, fact: f.Fact) -> None:
        super().tell(fact)
        self.prompts = {name: who.prompt for name, who in self.centre.contacts.items() if who.prompt}
        self.messages = {
            name: who.run.awaited
            for name, who in self.centre.contacts.items()
            if who.run is not None and who.state == "flow" and who.run.waits == "message"
        }
        for who in self.centre.contacts.values():
            if who.owed:
                self.check_owed(who)

    def check_event(self, event: e.Event) -> None:
        super().check_event(event)
        centre = self.replica
        match event:
            case e.ContactBegan(contact=contact, owed=owed) if owed:
                self.owed[contact] = owed
            case e.Booked(contact=contact) if centre.contacts[contact].promise is not None:
                before = centre.contacts[contact].promise
                assert before is not None
                assert event.since == before.since, "lost its place"
                assert event.attempt <= event.attempts == before.attempts
            case e.Booked(contact=contact):
                origin = centre.contacts.get(centre.contacts[contact].origin)
                if origin is not None and event.why == "asked" and origin.queued_at and not origin.back_since:
                    assert event.since == origin.since, "lost the place of its caller"
            case e.CallbackFailed(contact=contact):
                self.tried[contact] = self.tried.get(contact, 0) + 1
                if self.owed[contact] == "callback":
                    held = centre.contacts[contact].promise
                    assert held is not None
                    assert self.tried[contact] <= held.attempts, "rung too often"
            case e.Connected(contact=contact):
                self.served.add(contact)
            case e.ContactEnded(contact=contact) if contact in self.owed and contact not in self.served:
                assert event.outcome in NEVER_SPOKEN, event
                assert event.by == "centre"
            case e.ContactEnded(contact=contact, outcome=outcome) if outcome in ("callback", "voicemail"):
                assert centre.contacts[contact].left == outcome

    def check_owed(self, who: Contact) -> None:
        assert who.promise is not None
        if who.owed == "callback" and who.customer:
            assert who.served
        if not who.absent or who.state == "wrap_up":
            return
        assert not who.announcing or who.owed == "message"
        match who.state:
            case "booked":
                assert f"owed:{who.id}" in self.world.timers, "never looked at again"
                assert not who.answered
            case "queued":
                if who.promise.expires:
                    assert f"owed:{who.id}" in self.world.timers, "never looked at again"
                    assert self.world.timers[f"owed:{who.id}"] <= max(who.promise.expires, self.now) + 60.0
                assert not who.answered
            case "offered":
                assert (who.leg is None) == (who.id not in who.offers)
            case "active" | "held":
                assert who.owed == "message"
            case other:
                raise AssertionError(f"what is owed is nowhere: {other}")
        running = dict(timers(self.centre))
        assert f"wait:{who.id}" not in running
        assert f"announce:{who.id}" not in running

    # --- what happens ---

    @initialize(
        specs=st.lists(owing_specs, min_size=2, max_size=3, unique_by=lambda spec: spec.id),
        agents=st.integers(1, 3),
    )
    def furnish(self, specs: list[QueueSpec], agents: int) -> None:
        for name, nodes in FLOWS.items():
            graph = json.dumps({"format": 1, "start": next(iter(nodes)), "nodes": nodes})
            self.tell(f.FlowPublished(self.now, FlowSpec(name, 1, graph)))
        for name in AGENTS[:agents]:
            self.tell(f.AgentChanged(self.now, AgentSpec(name)))
            self.tell(f.PhoneRegistered(self.now, name))
            self.tell(f.AgentReady(self.now, name))
        for index, spec in enumerate(specs):
            if index == 0:
                spec = replace(spec, agents=AGENTS, needs={}, open_at=None, when_no_agents=None)
            self.tell(f.QueueChanged(self.now, spec))
            self.tell(f.NumberChanged(self.now, NUMBERS[index], Destination("queue", spec.id)))
        self.tell(f.NumberChanged(self.now, NUMBERS[7], Destination("flow", "menu")))

    @rule(spec=owing_specs)
    def change_queue(self, spec: QueueSpec) -> None:
        self.tell(f.QueueChanged(self.now, spec))

    @rule(
        number=st.sampled_from([*NUMBERS[:3], NUMBERS[7]]),
        caller=st.sampled_from(CALLERS),
        key=st.sampled_from(["", "", "1", "1", "2", "3"]),
    )
    def call(self, number: str, caller: str, key: str) -> None:
        contact = f"c{len(self.began)}"
        self.tell(f.ContactArrived(self.now, contact, number, party=contact, caller=caller))
        if key:
            self.tell(f.DigitPressed(self.now, contact, Private(key)))

    @rule(caller=st.sampled_from(CALLERS[:3]), agent=st.sampled_from(AGENTS), answers=st.booleans())
    def agent_dials(self, caller: str, agent: str, answers: bool) -> None:
        contact = f"c{len(self.began)}"
        self.tell(f.ContactArrived(self.now, contact, "", agent=agent, outside=True, caller=caller))
        if answers and self.world.phones.get(contact) == "ringing":
            self.tell(f.Answered(self.now, contact, contact))

    @precondition(lambda self: self.world.callers)
    @rule(which=st.integers(0, 99), digit=st.sampled_from(["1", "1", "2", "3", "4", "5", "6", "7", "*"]))
    def press(self, which: int, digit: str) -> None:
        contact = sorted(self.world.callers)[which % len(self.world.callers)]
        self.tell(f.DigitPressed(self.now, contact, Private(digit)))

    @precondition(lambda self: self.prompts)
    @rule(which=st.integers(0, 99))
    def said(self, which: int) -> None:
        contact = sorted(self.prompts)[which % len(self.prompts)]
        self.tell(f.Said(self.now, contact, self.prompts[contact]))

    @precondition(lambda self: self.messages)
    @rule(which=st.integers(0, 99), seconds=st.sampled_from([0.0, 8.0, 8.0]))
    def speaks(self, which: int, seconds: float) -> None:
        contact = sorted(self.messages)[which % len(self.messages)]
        path = f"{contact}.wav" if seconds else ""
        self.tell(f.MessageTaken(self.now, contact, self.messages[contact], path, seconds))

    @rule(
        queue=st.sampled_from(QUEUES[:2]),
        caller=st.sampled_from(CALLERS),
        due=st.sampled_from([0.0, 0.0, 50.0]),
    )
    def asks_for_a_callback(self, queue: str, caller: str, due: float) -> None:
        contact = f"c{len(self.began)}"
        self.tell(
            f.CallbackAsked(
                self.now, contact, queue, contact, caller, due=due and self.now + due, agent="boss"
            )
        )

    def owed_contact(self, which: int) -> str:
        names = [name for name in sorted(self.owed) if name in self.centre.contacts] or sorted(
            self.centre.contacts
        )
        return names[which % len(names)]

    @precondition(lambda self: self.centre.contacts)
    @rule(which=st.integers(0, 99), later=st.sampled_from([None, 0.0, 30.0]))
    def drops_or_puts_off(self, which: int, later: float | None) -> None:
        contact = self.owed_contact(which)
        if later is None:
            self.tell(f.CallbackDropped(self.now, contact, "boss"))
        else:
            self.tell(f.CallbackPutOff(self.now, contact, "boss", self.now + later))

    @precondition(lambda self: self.centre.contacts)
    @rule(which=st.integers(0, 99), agent=st.sampled_from(AGENTS), mine=st.booleans())
    def calls_the_customer(self, which: int, agent: str, mine: bool) -> None:
        contact = self.owed_contact(which)
        owner = self.centre.contacts[contact].leg_agent
        self.tell(f.CallCustomerAsked(self.now, contact, (owner or agent) if mine else agent))

    @precondition(lambda self: self.owed.keys() & self.centre.contacts.keys())
    @rule(answers=st.booleans())
    def customers_decide(self, answers: bool) -> None:
        """Whoever is to be called back answers, or doesn't; agents do first."""
        self.decided(answers)

    def decided(self, answers: bool) -> None:
        for leg in self.world.phones_that("ringing"):
            contact = leg.rpartition(".")[0] or leg
            if contact in self.owed and leg != contact and self.world.phones[leg] == "ringing":
                self.tell(f.Answered(self.now, contact, leg))
        for leg in self.world.phones_that("ringing"):
            if leg in self.owed and self.world.phones[leg] == "ringing":
                self.tell(
                    f.Answered(self.now, leg, leg) if answers else f.OfferFailed(self.now, leg, leg, "busy")
                )

    @rule(queue=st.sampled_from(QUEUES[:2]), places=st.integers(0, 2), ahead=st.sampled_from([10.0, 100.0]))
    def slots(self, queue: str, places: int, ahead: float) -> None:
        start = self.now + ahead
        self.tell(f.SlotsOffered(self.now, queue, ((start, places), (start + 50.0, places))))

    def teardown(self) -> None:
        for contact in sorted(self.world.callers):
            self.tell(f.HungUp(self.now, contact))
        for _ in range(50):
            owed = [who for who in self.centre.contacts.values() if who.absent and who.state != "wrap_up"]
            if not owed:
                break
            for who in owed:
                if who.id in self.centre.contacts and who.leg is not None:
                    self.tell(f.HungUp(self.now, who.id, who.leg))
                elif who.id in self.centre.contacts:
                    self.tell(f.CallbackDropped(self.now, who.id, "boss"))
        super().teardown()
        assert not self.centre.callers
        assert not self.centre.followers
        assert not any(queue.owed or queue.taken for queue in self.centre.queues.values())
        assert self.owed.keys() <= set(self.ended)


STEADY = (
    "change_queue", "remove_queue", "change_agent", "remove_agent", "lend_agent", "change_number",
    "everybody_answers", "remove_number", "burst", "agent_calls", "call_again", "everybody_hangs_up",
    "transfer", "asks", "asks_for_somebody", "consults", "mutes", "drops", "told_of_the_caller",
    "impossible", "late",
)  # fmt: skip


@without(*STEADY)
class PromiseMachine(OwingMachine):
    """The same in a house that works: few agents, patient callers who press keys, and promises that come due."""

    @initialize(
        strategy=st.sampled_from(["longest_idle", "ring_all"]),
        callbacks=rules,
        follow_up=follow_ups,
        closes=st.booleans(),
        wrap_up=st.sampled_from([0.0, 10.0]),
        record=st.booleans(),
        survey=st.sampled_from(["", "rate"]),
    )
    def furnish(
        self,
        strategy: Any,
        callbacks: Callbacks,
        follow_up: FollowUp | None,
        closes: bool,
        wrap_up: float,
        record: bool,
        survey: str,
    ) -> None:
        for name, nodes in FLOWS.items():
            graph = json.dumps({"format": 1, "start": next(iter(nodes)), "nodes": nodes})
            self.tell(f.FlowPublished(self.now, FlowSpec(name, 1, graph)))
        for name in AGENTS[:2]:
            self.tell(f.AgentChanged(self.now, AgentSpec(name, fixed_phone=True)))
        hours = ((0.0, 1100.0), (1150.0, 1400.0), (1500.0, 9e9)) if closes else None
        for index, name in enumerate(QUEUES[:2]):
            spec = QueueSpec(
                name,
                agents=AGENTS[: 2 - index],
                strategy=strategy,
                callbacks=callbacks,
                follow_up=follow_up,
                keys=KEYS,
                short_abandon=0.0,
                wrap_up=wrap_up,
                record=record,
                survey=survey,
                open_at=hours if index else None,
                max_wait=60.0 if index else None,
                reject_delay=2.0,
                missed_limit=9,
            )
            self.tell(f.QueueChanged(self.now, spec))
            self.tell(f.NumberChanged(self.now, NUMBERS[index], Destination("queue", name)))
        self.tell(f.NumberChanged(self.now, NUMBERS[2], Destination("queue", QUEUES[0])))
        self.tell(f.NumberChanged(self.now, NUMBERS[7], Destination("flow", "menu")))

    @rule(agent=st.sampled_from(AGENTS[:2]))
    def comes_to_work(self, agent: str) -> None:
        self.tell(f.AgentReady(self.now, agent))

    @rule(agent=st.sampled_from(AGENTS[:2]))
    def goes_home(self, agent: str) -> None:
        self.tell(f.AgentSignedOut(self.now, agent))

    @rule(caller=st.sampled_from(CALLERS), key=st.sampled_from("1123"), which=st.integers(0, 1))
    def promised(self, caller: str, key: str, which: int) -> None:
        """Somebody comes, presses a key and hears it out."""
        for agent in AGENTS[:2]:
            self.tell(f.AgentPaused(self.now, agent, "lunch"))
        contact = f"c{len(self.began)}"
        self.tell(f.ContactArrived(self.now, contact, NUMBERS[which], party=contact, caller=caller))
        self.tell(f.DigitPressed(self.now, contact, Private(key)))
        for _ in range(2):
            self.everything_said(False)

    @rule(answers=st.booleans())
    def the_next_is_called_back(self, answers: bool) -> None:
        for agent in AGENTS[:2]:
            self.tell(f.AgentReady(self.now, agent))
        self.decided(answers)

    @rule(hang_up=st.booleans())
    def everything_is_said(self, hang_up: bool) -> None:
        self.everything_said(hang_up)

    def everything_said(self, hang_up: bool) -> None:
        for contact, prompt in list(self.prompts.items()):
            if self.prompts.get(contact) == prompt:
                self.tell(f.Said(self.now, contact, prompt))
        for contact, message in list(self.messages.items()):
            self.tell(f.MessageTaken(self.now, contact, message, f"{contact}.wav", 8.0))
        for contact in sorted(self.world.callers) if hang_up else ():
            if contact in self.centre.contacts and self.centre.contacts[contact].served:
                self.tell(f.HungUp(self.now, contact))

    @precondition(lambda self: self.owed.keys() & self.centre.contacts.keys())
    @rule(how=st.sampled_from(["hangs up", "signs out", "is removed", "rings again"]))
    def happens_while_a_customer_is_rung(self, how: str) -> None:
        for agent in AGENTS[:2]:
            self.tell(f.AgentReady(self.now, agent))
        for leg in self.world.phones_that("ringing"):
            contact = leg.rpartition(".")[0]
            if contact in self.owed and self.world.phones[leg] == "ringing":
                self.tell(f.Answered(self.now, contact, leg))
        for who in list(self.centre.contacts.values()):
            if not who.absent or who.leg is None or who.id not in self.centre.contacts:
                continue
            if who.owed == "message" and who.leg_agent is not None:
                self.tell(f.CallCustomerAsked(self.now, who.id, who.leg_agent))
            match how:
                case "hangs up":
                    self.tell(f.HungUp(self.now, who.id, who.leg))
                case "signs out" if who.leg_agent is not None:
                    self.tell(f.AgentSignedOut(self.now, who.leg_agent))
                case "is removed" if who.leg_agent is not None:
                    name = who.leg_agent
                    self.tell(f.AgentRemoved(self.now, name))
                    self.tell(f.AgentChanged(self.now, AgentSpec(name, fixed_phone=True)))
                case "rings again":
                    contact = f"c{len(self.began)}"
                    self.tell(
                        f.ContactArrived(self.now, contact, NUMBERS[0], party=contact, caller=who.caller)
                    )


TestPromises = PromiseMachine.TestCase
TestPromises.settings = settings(max_examples=150, stateful_step_count=50, **COMMON)

TestOwing = OwingMachine.TestCase
TestOwing.settings = settings(max_examples=100, stateful_step_count=50, **COMMON)
