"""Random worlds with briefings, recordings on demand, steps in mid-call and surveys: the machine of the core, and more.

Beside what holds of every centre: nobody is told two things at once, a recording runs exactly where it should and rests
while digits are secret, whoever is called back hears their agent again, and a survey blocks nobody.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from test_core_machine import AGENTS, COMMON, NUMBERS, QUEUES, CoreMachine, World, without

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.mix import mix
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Announce, Destination, FlowSpec, QueueSpec

pytestmark = pytest.mark.unit


def graph(nodes: dict[str, Any]) -> str:
    return json.dumps({"format": 1, "start": "a", "nodes": nodes})


FLOWS = {
    "pay": graph(
        {
            "a": {
                "type": "collect", "prompt": ["Card"], "variable": "card", "least": 2, "most": 2, "secret": True,
                "retries": 1, "exits": {"next": "b", "timeout": "c", "invalid": "c"},
            },
            "b": {"type": "set", "values": {"result": "'paid'"}, "exits": {"next": "c"}},
            "c": {"type": "say", "prompt": ["Thank you"], "exits": {"next": "d"}},
            "d": {"type": "return"},
        }
    ),
    "look": graph(
        {
            "a": {"type": "http", "method": "GET", "url": "https://a.example/", "timeout": 3,
                  "exits": {"next": "b", "failed": "c"}},
            "b": {"type": "queue", "queue": "q0"},
            "c": {"type": "hang_up"},
        }
    ),
    "ask": graph(
        {
            "a": {"type": "survey", "prompt": ["How was it?"], "question": "score", "scale": "0-10",
                  "exits": {"next": "b", "timeout": "c", "invalid": "c"}},
            "b": {"type": "survey", "prompt": ["Solved?"], "question": "solved", "scale": "yes_no",
                  "exits": {"next": "c", "timeout": "c", "invalid": "e"}},
            "c": {"type": "hang_up"},
            "e": {"type": "queue", "queue": "q0"},
        }
    ),
}  # fmt: skip


ACTS = (
    *(
        "record on",
        "record on",
        "record off",
        "pause on",
        "pause on",
        "pause off",
        "step pay",
        "step pay",
        "step look",
    ),
    *(
        "step ",
        "keys 12",
        "keys 1",
        "keys 2",
        "keys 99",
        "said",
        "said",
        "said",
        "errand next",
        "errand failed",
    ),
    *(
        "time 3",
        "time 25",
        "time 100",
        "agent",
        "agent",
        "caller",
        "hold on",
        "hold off",
        "hand",
        "hand queue:q1",
    ),
    *("supervise listen", "supervise barge", "supervise take_over", "answer", "answer"),
)
PRESS = ("flow", "queued", "offered")


@dataclass
class InCallWorld(World):
    recordings: dict[str, bool] = field(default_factory=dict)
    "Contact that is recorded → paused."
    said: dict[str, str] = field(default_factory=dict)
    "Prompt that plays → contact."
    masked: dict[str, str] = field(default_factory=dict)
    errands: dict[str, str] = field(default_factory=dict)

    def carry_out(self, command: c.Command, fact: f.Fact) -> None:
        match command:
            case c.CancelRing(_, leg) if self.phones[leg] == "talking":
                self.phones[leg] = "over"  # it was picked up, and was told who waits
                return
            case c.Record(contact):
                self.recordings.setdefault(contact, False)
            case c.StopRecord(contact):
                del self.recordings[contact]
            case c.PauseRecord(contact, paused):
                # A pause by hand goes over into one for a step, and back.
                assert paused or self.recordings[contact], "goes on, though it wasn't paused"
                self.recordings[contact] = paused
            case c.Say(contact, prompt):
                assert contact not in self.said.values(), "two prompts at once"
                self.said[prompt] = contact
            case c.Hush(_, prompt):
                self.said.pop(prompt, None)
            case c.Mask(contact, variable):
                self.masked[contact] = variable
            case c.RunErrand(contact, errand):
                self.errands[errand] = contact
        super().carry_out(command, fact)


@without("change_queue", "remove_queue", "change_agent", "change_number", "remove_number", "call_again",
         "told_of_the_caller", "impossible", "agent_calls", "timer_twice", "lend_agent",
         "everybody_answers")  # fmt: skip
class InCallMachine(CoreMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world: InCallWorld = InCallWorld()
        self.surveyed: set[str] = set()
        self.outcomes: dict[str, str] = {}
        self.began_recording: dict[str, float] = {}

    @initialize()
    def furnish(self) -> None:
        for name in AGENTS:
            self.tell(f.AgentChanged(self.now, AgentSpec(name, fixed_phone=True)))
            self.tell(f.AgentReady(self.now, name))
        for name, text in FLOWS.items():
            self.tell(f.FlowPublished(self.now, FlowSpec(name, 1, text)))
        news = Announce(first=3.0, every=8.0, messages=("news",))
        for index, spec in enumerate(
            (
                QueueSpec(QUEUES[0], agents=AGENTS, brief=True, record=True, survey="ask", interludes=("pay", "look"),
                          keys={"2": Destination("queue", QUEUES[2])},
                          announce=news, max_wait=30.0, ring_timeout=5.0),
                QueueSpec(QUEUES[1], agents=AGENTS, brief=True, strategy="ring_all", record_on_demand=True,
                          interludes=("pay", "gone"), wrap_up=0.0, longest_pause=20.0),
                QueueSpec(QUEUES[2], agents=AGENTS, record_on_demand=True, survey="ask", interludes=("pay",),
                          longest_pause=20.0),
                QueueSpec(QUEUES[3], agents=AGENTS, survey="gone"),
            )
        ):  # fmt: skip
            self.tell(f.QueueChanged(self.now, spec))
            self.tell(f.NumberChanged(self.now, NUMBERS[index], Destination("queue", spec.id)))
        self.tell(f.NumberChanged(self.now, NUMBERS[4], Destination("flow", "pay")))

    def check_event(self, event: e.Event) -> None:
        super().check_event(event)
        centre = self.replica
        match event:
            case e.WrapUpBegan(contact=contact):
                assert centre.contacts[contact].briefing is None, "after-call work before any call"
            case e.BriefingEnded(contact=contact, how=how):
                assert centre.contacts[contact].briefing is not None
                assert how == "cancelled" or event.leg in centre.contacts[contact].offers
            case e.SurveyBegan(contact=contact):
                assert contact not in self.surveyed, "asked twice"
                self.surveyed.add(contact)
            case e.ContactEnded(contact=contact, outcome=outcome):
                if contact in self.surveyed:
                    assert outcome == "answered"
                self.world.recordings.pop(contact, None)
                self.world.masked.pop(contact, None)
            case e.InterludeEnded(contact=contact):
                assert centre.contacts[contact].interlude is not None
            case e.RecordingPaused(contact=contact):
                assert centre.contacts[contact].recorded
            case e.RecordingResumed(contact=contact):
                assert centre.contacts[contact].pause is not None, "resumed what wasn't paused"

    def check_contacts(self) -> None:
        super().check_contacts()
        world = self.world
        running = dict(world.timers)
        recorded = {}
        for name, who in self.centre.contacts.items():
            if who.state == "wrap_up":
                continue
            if who.recorded:
                recorded[name] = who.pause is not None
            assert who.recorded or who.pause is None
            if who.briefing is not None:
                assert who.state == "offered"
                assert list(who.offers) == [who.briefing.leg], "another phone rings on"
                assert not who.standing
                assert running[f"offer:{who.briefing.leg}"] <= who.briefing.until
                assert world.said.get(who.briefing.prompt) == name
                heard = mix(self.centre, who)
                assert heard == {
                    name: {"sound:default": 1.0}, who.briefing.leg: {f"prompt:{who.briefing.prompt}": 1.0}
                }  # fmt: skip
            if who.interlude is not None:
                assert who.state == "flow"
                assert not who.conference
                assert who.consult is None
                if who.recorded:
                    assert who.pause is not None
                    assert who.pause.why == "payment"
            if world.masked.get(name) and who.recorded:
                assert who.pause is not None, "a secret is recorded"
            if who.pause is not None and who.pause.why == "asked":
                assert who.leg_agent == who.pause.agent or who.pause.agent not in self.centre.agents
                assert running[f"pause:{name}"] <= who.pause.until
            if who.state == "flow" and who.run is not None:
                assert (who.run.waits == "prompt") == (name in world.said.values())
            if who.state in ("active", "held"):
                assert who.run is None, "still in a flow"
                assert name not in world.said.values(), "somebody speaks into the conversation"
                assert not world.masked.get(name), "digits are masked in a conversation"
        assert world.recordings == recorded

    # --- what happens ---

    @rule(
        number=st.sampled_from(NUMBERS[:5]),
        then=st.sampled_from(["", "answer", "answer", "talk", "talk", "talk"]),
    )
    def call(self, number: str, then: str) -> None:
        contact = f"c{len(self.began)}"
        self.tell(f.ContactArrived(self.now, contact, number))
        for leg in self.world.phones_that("ringing"):
            if then and leg.startswith(f"{contact}.") and self.world.phones[leg] == "ringing":
                self.tell(f.Answered(self.now, contact, leg))
                if then == "talk":
                    self.told()

    @precondition(lambda self: self.world.said)
    @rule(problem=st.sampled_from(["", "", "no voice", "lost"]))
    def told(self, problem: str = "") -> None:
        for prompt, contact in sorted(self.world.said.items()):
            if self.world.said.pop(prompt, None):
                self.tell(f.Said(self.now, contact, prompt, problem))

    @precondition(lambda self: any(who.state in PRESS for who in self.centre.contacts.values()))
    @rule(which=st.integers(0, 9), keys=st.sampled_from(["1", "10", "12", "99", "2", "*", "1#2"]))
    def press(self, which: int, keys: str) -> None:
        names = sorted(name for name, who in self.centre.contacts.items() if who.state in PRESS)
        for key in keys:
            name = names[which % len(names)]
            if name in self.centre.contacts:
                shown = "x" if self.world.masked.get(name) and key.isdigit() else key
                self.tell(f.DigitPressed(self.now, name, Private(shown)))

    @precondition(lambda self: self.world.errands)
    @rule(exit=st.sampled_from(["next", "failed"]))
    def errand(self, exit: str) -> None:
        errand = sorted(self.world.errands)[0]
        self.tell(f.ErrandDone(self.now, self.world.errands.pop(errand), errand, exit, {}))

    def owner(self, which: int) -> tuple[str, str]:
        """(contact, agent) of a conversation; anybody where there is none."""
        pairs = [
            (name, who.leg_agent)
            for name, who in sorted(self.centre.contacts.items())
            if who.leg_agent is not None and who.state in ("active", "held", "flow")
        ]
        return pairs[which % len(pairs)] if pairs else self.somebody(which, inside=True)

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(which=st.integers(0, 999), on=st.booleans())
    def records(self, which: int, on: bool) -> None:
        self.tell(f.RecordAsked(self.now, *self.owner(which), on))

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(which=st.integers(0, 999), paused=st.booleans(), after=st.sampled_from([0.0, 0.0, 25.0]))
    def pauses(self, which: int, paused: bool, after: float) -> None:
        self.tell(f.RecordingPauseAsked(self.now, *self.owner(which), paused))
        if after:
            self.time_passes(after, False)

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(which=st.integers(0, 999), flow=st.sampled_from(["pay", "pay", "look", "gone", ""]))
    def steps_aside(self, which: int, flow: str) -> None:
        self.tell(f.InterludeAsked(self.now, *self.owner(which), flow))

    @precondition(lambda self: self.world.phones_that("talking"))
    @rule(which=st.integers(0, 99), what=st.sampled_from(["hang up", "leave", "hold", "resume", "remove"]))
    def in_the_midst(self, which: int, what: str) -> None:
        """Of a briefing or an interlude: whoever is in it does something else."""
        midst = [
            (name, leg)
            for name, who in sorted(self.centre.contacts.items())
            for leg in ((who.briefing.leg,) if who.briefing else (who.leg,) if who.interlude else ())
        ]
        if not midst:
            return
        name, leg = midst[which % len(midst)]
        match what:
            case "hang up":
                self.tell(f.HungUp(self.now, name, leg or ""))
            case "leave":
                for who, agent in sorted(self.centre.agents.items()):
                    if agent.offers.get(leg or "") == name or agent.calls.get(name) == leg:
                        self.tell(f.HangUpAsked(self.now, name, who))
                        break
            case "hold":
                self.tell(f.PutOnHold(self.now, name, leg or ""))
            case "resume":
                self.tell(f.TakenOffHold(self.now, name, leg or ""))

    def act(self, name: str, what: str, which: int) -> None:
        """One thing that happens to a conversation, or in the midst of it."""
        who = self.centre.contacts.get(name)
        if who is None:
            return
        agent, leg = who.leg_agent or "a0", who.leg or ""
        kind, _, value = what.partition(" ")
        match kind:
            case "record":
                self.tell(f.RecordAsked(self.now, name, agent, value == "on"))
            case "pause":
                self.tell(f.RecordingPauseAsked(self.now, name, agent, value == "on"))
            case "step":
                self.tell(f.InterludeAsked(self.now, name, agent, value))
            case "keys":
                for key in value:
                    if name in self.centre.contacts:
                        shown = "x" if self.world.masked.get(name) and key.isdigit() else key
                        self.tell(f.DigitPressed(self.now, name, Private(shown)))
            case "said":
                self.told()
            case "errand" if self.world.errands:
                self.errand(value)
            case "time":
                self.time_passes(float(value), late=False)
            case "agent":
                self.tell(f.HungUp(self.now, name, leg) if leg else f.HangUpAsked(self.now, name, agent))
            case "caller":
                self.tell(f.HungUp(self.now, name))
            case "hold":
                self.tell((f.PutOnHold if value == "on" else f.TakenOffHold)(self.now, name, leg))
            case "hand":
                number = value if value.startswith("queue") else NUMBERS[which % 5]
                self.tell(f.HandOverAsked(self.now, name, agent, number))
            case "supervise":
                self.supervises(0, "who is free", [value], answers=True)
            case "answer":
                for offered in list(who.offers):
                    if self.world.phones.get(offered) == "ringing":
                        self.tell(f.Answered(self.now, name, offered))
                        break

    @rule(
        number=st.sampled_from(NUMBERS[:4]),
        acts=st.lists(st.sampled_from(ACTS), max_size=12),
        which=st.integers(0, 9),
    )
    def converses(self, number: str, acts: list[str], which: int) -> None:
        name = f"c{len(self.began)}"
        self.call(number, "talk")
        for what in acts:
            self.act(name, what, which)

    @rule(acts=st.lists(st.sampled_from(ACTS), max_size=12), which=st.integers(0, 9))
    def pays(self, acts: list[str], which: int) -> None:
        """The same with a step at once, so that most of it happens inside."""
        self.converses(NUMBERS[which % 3], ["step look" if which == 0 else "step pay", *acts], which)

    def teardown(self) -> None:
        super().teardown()
        assert not self.world.recordings


TestInCall = InCallMachine.TestCase
TestInCall.settings = settings(max_examples=120, stateful_step_count=50, **COMMON)
