"""Briefings, recordings on demand, steps in mid-call and surveys, example by example."""

from copy import deepcopy
from typing import Any

import pytest
from test_core_machine_in_call import FLOWS

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.briefing import LONGEST, parts
from centrala.core.centre import Centre, evolve, step, timers
from centrala.core.flow.question import reading
from centrala.core.indexes import rebuild
from centrala.core.mix import mix
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Destination, FlowSpec, QueueSpec
from centrala.core.state import Contact
from centrala.ledger import codec

pytestmark = pytest.mark.unit


class House:
    """A centre with two agents and one queue; the last facts' events and commands."""

    def __init__(self, **queue: Any) -> None:
        self.centre, self.mirror = Centre(), Centre()
        self.events: list[e.Event] = []
        self.commands: list[c.Command] = []
        self.now = 1000.0
        for name in ("alice", "boris"):
            self.tell(f.AgentChanged(self.now, AgentSpec(name, fixed_phone=True)))
            self.tell(f.AgentReady(self.now, name))
        for name, graph in FLOWS.items():
            self.tell(f.FlowPublished(self.now, FlowSpec(name, 1, graph)))
        self.tell(f.QueueChanged(self.now, QueueSpec("q0", agents=("alice", "boris"), **queue)))
        self.tell(f.NumberChanged(self.now, "1", Destination("queue", "q0")))
        self.tell(f.NumberChanged(self.now, "2", Destination("flow", "pay")))

    def tell(self, fact: f.Fact) -> list[e.Event]:
        self.now = max(self.now, fact.at)
        events, commands = step(self.centre, fact)
        for event in events:
            evolve(self.mirror, event)
        assert self.mirror == self.centre
        # Recovery from a picture of the state: nothing is forgotten.
        again = codec.decode_body(codec.encode_body(self.centre), Centre)
        codec.take_private()
        rebuild(again)
        for name, contact in again.contacts.items():
            contact.values = self.centre.contacts[name].values
            if contact.run is not None and (known := self.centre.contacts[name].run) is not None:
                contact.run.digits = known.digits
        assert again == self.centre
        self.events, self.commands = events, commands
        return events

    def call(self, contact: str = "c", *, talk: bool = True) -> Contact:
        self.tell(f.ContactArrived(self.now, contact, "1"))
        if talk:
            self.tell(f.Answered(self.now, contact, f"{contact}.1"))
        return self.centre.contacts[contact]

    def press(self, digits: str, contact: str = "c") -> None:
        for digit in digits:
            if contact in self.centre.contacts:
                self.tell(f.DigitPressed(self.now, contact, Private(digit)))

    def kinds(self) -> list[str]:
        return [type(one).__name__ for one in self.events]

    def timers(self) -> set[str]:
        return {name for name, _ in timers(self.centre)}


# --- before the conversation ---


@pytest.mark.parametrize(
    ("waited", "seconds"), [(0, None), (4, None), (5, 10), (14, 10), (16, 20), (54, 50), (57, 60), (130, 120)]
)
def test_the_wait_is_told_rounded(waited: float, seconds: int | None) -> None:
    said = parts("Flowers, sales", waited)
    assert said[0] == c.Part("text", "Flowers, sales")
    if seconds is None:
        assert len(said) == 1
    else:
        assert said[1:] == (c.Part("sound", "builtin:waited"), c.Part("duration", str(seconds)))


def test_the_conversation_begins_when_it_is_said() -> None:
    h = House(brief=True, name="Sales", music="jazz", max_wait=60.0, record=True)
    who = h.call()
    assert h.kinds() == ["BriefingBegan"]
    assert who.briefing is not None
    assert mix(h.centre, who) == {"c": {"sound:jazz": 1.0}, "c.1": {"prompt:c:1": 1.0}}
    assert h.centre.agents["alice"].state == "offered"
    h.tell(f.Answered(h.now, "c", "c.1"))
    assert h.kinds() == ["Refused"]
    h.tell(f.Said(h.now + 2, "c", "c:1"))
    assert h.kinds() == ["BriefingEnded", "Connected"]
    assert who.state == "active"
    assert mix(h.centre, who) == {"c": {"c.1": 1.0}, "c.1": {"c": 1.0}}
    assert c.CancelTimer("wait:c") in h.commands


@pytest.mark.parametrize("problem", ["", "nobody speaks here"])
def test_it_begins_in_any_case(problem: str) -> None:
    h = House(brief=True)
    who = h.call()
    if problem:
        h.tell(f.Said(h.now, "c", "c:1", problem))
    else:
        h.tell(f.TimerFired(h.now + LONGEST, "offer:c.1"))
        assert c.Hush("c", "c:1") in h.commands
    assert who.state == "active"


def test_it_is_said_again_after_a_crash_while_there_is_time() -> None:
    h = House(brief=True)
    who = h.call()
    h.tell(f.Said(h.now + 1, "c", "c:1", "lost"))
    assert h.kinds() == ["BriefingBegan"]
    assert who.prompt == "c:2"
    h.tell(f.Said(h.now + 4, "c", "c:2", "lost"))
    assert who.state == "active"


def test_everybody_elses_phone_is_let_go_at_the_answer() -> None:
    h = House(brief=True, strategy="ring_all")
    h.call(talk=False)
    h.tell(f.Answered(h.now, "c", "c.2"))
    assert c.CancelRing("c", "c.1") in h.commands
    assert h.centre.agents["alice"].idle
    h.tell(f.HungUp(h.now, "c", "c.2"))
    assert [one.how for one in h.events if isinstance(one, e.OfferEnded)] == ["refused"]
    # As after a refusal: the next one is rung, and nobody has after-call work.
    assert "WrapUpBegan" not in h.kinds()
    assert list(h.centre.contacts["c"].offers) == ["c.3"]
    assert c.Hush("c", "c:1") in h.commands


def test_the_caller_hangs_up_while_the_agent_is_told() -> None:
    h = House(brief=True, short_abandon=0.0)
    h.call()
    h.tell(f.HungUp(h.now + 1, "c"))
    assert [one.outcome for one in h.events if isinstance(one, e.ContactEnded)] == ["abandoned"]
    assert h.centre.agents["alice"].idle
    assert not h.centre.contacts


# --- recordings ---


def test_a_recording_on_demand_comes_and_goes() -> None:
    h = House(record_on_demand=True)
    who = h.call()
    h.tell(f.RecordAsked(1010.0, "c", "alice", True))
    assert h.commands == [c.Record("c", "c.1")]
    h.tell(f.RecordAsked(1020.0, "c", "alice", False))
    assert c.StopRecord("c") in h.commands
    h.tell(f.RecordAsked(1030.0, "c", "alice", True))
    assert (who.recorded, who.recorded_at) == (True, 1010.0), "one file, one time line"


def test_what_a_queue_records_or_not_is_not_the_agents_to_change() -> None:
    h = House(record=True)
    h.call()
    h.tell(f.RecordAsked(h.now, "c", "alice", False))
    assert h.kinds() == ["Refused"]
    h = House()
    h.call()
    h.tell(f.RecordAsked(h.now, "c", "alice", True))
    assert h.kinds() == ["Refused"]
    h.tell(f.RecordingPauseAsked(h.now, "c", "alice", True))
    assert h.kinds() == ["Refused"]


def test_a_pause_ends_by_itself_with_an_alarm() -> None:
    h = House(record=True, longest_pause=20.0)
    who = h.call()
    h.tell(f.RecordingPauseAsked(h.now, "c", "alice", True))
    assert c.PauseRecord("c", True) in h.commands
    assert "pause:c" in h.timers()
    h.tell(f.TimerFired(h.now + 19, "pause:c"))
    assert who.pause is not None
    h.tell(f.TimerFired(h.now + 1, "pause:c"))
    assert h.commands == [c.PauseRecord("c", False, alarm=True)]
    assert who.pause is None


def test_a_pause_by_hand_ends_with_the_hand() -> None:
    h = House(record=True)
    who = h.call()
    h.tell(f.RecordingPauseAsked(h.now, "c", "alice", True))
    h.tell(f.HandOverAsked(h.now, "c", "alice", "boris"))
    assert who.pause is None
    assert [one.why for one in h.events if isinstance(one, e.RecordingResumed)] == ["left"]


def test_secret_digits_in_a_flow_of_a_recorded_call_are_a_gap() -> None:
    h = House(record=True)
    who = h.call()
    h.tell(f.HandOverAsked(h.now, "c", "alice", "2"))
    assert [one.why for one in h.events if isinstance(one, e.RecordingPaused)] == ["secret"]
    h.press("xx")
    assert who.pause is None
    assert [one.why for one in h.events if isinstance(one, e.RecordingResumed)] == ["secret"]


def test_a_recording_that_was_ended_goes_on_in_a_queue_that_records() -> None:
    h = House(record_on_demand=True)
    who = h.call()
    h.tell(f.QueueChanged(h.now, QueueSpec("q1", agents=("boris",), record=True)))
    h.tell(f.RecordAsked(1010.0, "c", "alice", True))
    h.tell(f.RecordAsked(1020.0, "c", "alice", False))
    h.tell(f.HandOverAsked(1030.0, "c", "alice", "queue:q1"))
    h.tell(f.Answered(1040.0, "c", "c.2"))
    assert h.kinds() == ["Connected", "RecordingBegan"], "the gap ends here"
    assert (who.recorded, who.recorded_at) == (True, 1010.0)


# --- a step in mid-call ---


def test_a_payment() -> None:
    h = House(record=True, interludes=("pay",))
    who = h.call()
    h.tell(f.InterludeAsked(h.now, "c", "alice", "pay"))
    assert (who.state, who.leg) == ("flow", "c.1")
    assert mix(h.centre, who) == {"c": {"prompt:c:1": 1.0}, "c.1": {"sound:default": 1.0}}
    assert c.PauseRecord("c", True) in h.commands
    h.press("xx")
    assert who.state == "flow", "it says thank you"
    h.tell(f.Said(h.now, "c", who.prompt))
    assert who.state == "active"
    assert who.pause is None
    assert c.Mask("c", "", forget=True) in h.commands
    assert who.given == ("card", "result")
    assert "flow:c" not in h.timers()


def test_a_step_goes_nowhere_else_and_comes_back_from_any_end() -> None:
    h = House(interludes=("look",))
    who = h.call()
    h.tell(f.InterludeAsked(h.now, "c", "alice", "look"))
    h.tell(f.ErrandDone(h.now, "c", "c:1", "next", {}))
    assert [one.how for one in h.events if isinstance(one, e.InterludeEnded)] == ["failed"]
    assert [one.why for one in h.events if isinstance(one, e.NodeFailed)] == ["in_call"]
    assert who.state == "active"
    h.tell(f.InterludeAsked(h.now, "c", "alice", "look"))
    h.tell(f.TimerFired(h.now + 10, "flow:c"))
    assert [one.how for one in h.events if isinstance(one, e.InterludeEnded)] == ["done"]


def test_who_leaves_during_a_step_leaves_the_customer_in_it() -> None:
    h = House(interludes=("pay",), wrap_up=10.0)
    who = h.call()
    h.tell(f.InterludeAsked(h.now, "c", "alice", "pay"))
    h.tell(f.HangUpAsked(h.now, "c", "alice"))
    assert h.kinds() == ["WrapUpBegan", "InterludeLeft"]
    assert c.Mix("c", {"c": {"prompt:c:1": 1.0}}) in h.commands
    assert (who.state, who.leg) == ("flow", None)
    h.press("xx")
    h.tell(f.Said(h.now, "c", who.prompt))
    assert [one.outcome for one in h.events if isinstance(one, e.ContactEnded)] == ["answered"]


def test_the_recording_goes_on_with_the_next_agent() -> None:
    h = House(record=True, interludes=("look",))
    who = h.call()
    h.tell(f.InterludeAsked(h.now, "c", "alice", "look"))
    h.tell(f.HungUp(h.now, "c", "c.1"))
    assert who.pause is not None
    h.tell(f.ErrandDone(h.now, "c", "c:1", "next", {}))
    h.tell(f.Answered(h.now, "c", next(iter(who.offers))))
    assert who.state == "active"
    assert who.pause is None
    assert c.PauseRecord("c", False) in h.commands


@pytest.mark.parametrize("what", ["consult", "conference", "foreign", "unpublished", "twice"])
def test_steps_that_cannot_be(what: str) -> None:
    h = House(interludes=("pay", "gone"))
    h.call()
    flow = {"foreign": "ask", "unpublished": "gone"}.get(what, "pay")
    if what in ("consult", "conference"):
        h.tell(f.ConsultAsked(h.now, "c", "alice", "boris"))
        h.tell(f.Answered(h.now, "c", "c.2"))
    if what == "conference":
        h.tell(f.ConferenceAsked(h.now, "c", "alice"))
    if what == "twice":
        h.tell(f.InterludeAsked(h.now, "c", "alice", flow))
    before = deepcopy(h.centre)
    h.tell(f.InterludeAsked(h.now, "c", "alice", flow))
    assert h.kinds() == ["Refused"]
    assert h.centre == before


def test_a_pause_by_hand_goes_on_after_the_step() -> None:
    h = House(record=True, interludes=("pay",))
    who = h.call()
    h.tell(f.RecordingPauseAsked(h.now, "c", "alice", True))
    h.tell(f.InterludeAsked(h.now, "c", "alice", "pay"))
    h.tell(f.InterludeAsked(h.now, "c", "alice", ""))
    assert c.Hush("c", "c:1") in h.commands
    assert who.pause is not None
    assert who.pause.why == "asked"
    assert "pause:c" in h.timers()


# --- the survey ---


def test_the_customer_goes_on_into_the_survey() -> None:
    h = House(survey="ask", record=True, wrap_up=10.0)
    who = h.call()
    h.tell(f.HungUp(1050.0, "c", "c.1"))
    assert h.kinds()[:4] == ["WrapUpBegan", "RecordingEnded", "SurveyBegan", "FlowEntered"]
    assert c.StopRecord("c") in h.commands
    h.tell(f.WrapUpFinished(h.now, "alice"))
    assert h.centre.agents["alice"].idle, "a survey blocks nobody"
    h.press("10")
    (given,) = [one for one in h.events if isinstance(one, e.SurveyAnswered)]
    assert (given.survey, given.question, given.value, given.scale) == ("ask", "score", 10, "0-10")
    assert (given.queue, given.agent) == ("q0", "alice")
    h.press("2")
    assert [one.value for one in h.events if isinstance(one, e.SurveyAnswered)] == [0]
    assert [one.outcome for one in h.events if isinstance(one, e.ContactEnded)] == ["answered"]
    assert who.id not in h.centre.contacts


def test_a_one_may_become_a_ten() -> None:
    h = House(survey="ask")
    h.call()
    h.tell(f.HungUp(h.now, "c", "c.1"))
    h.press("1")
    assert "SurveyAnswered" not in h.kinds()
    h.tell(f.TimerFired(h.now + 2, "flow:c"))
    assert [one.value for one in h.events if isinstance(one, e.SurveyAnswered)] == [1]


def test_nobody_is_asked_twice() -> None:
    h = House(survey="ask", wrap_up=0.0)
    who = h.call()
    h.tell(f.HungUp(h.now, "c", "c.1"))
    h.press("2")
    for _ in range(2):
        h.press("9")  # neither yes nor no: on to the queue, as this flow wants it
    h.tell(f.Answered(h.now, "c", next(iter(who.offers))))
    assert who.state == "active"
    h.tell(f.HungUp(h.now, "c", who.leg or ""))
    assert "SurveyBegan" not in h.kinds()
    assert "ContactEnded" in h.kinds()


def test_a_second_pause_is_none() -> None:
    h = House(record=True)
    h.call()
    h.tell(f.RecordingPauseAsked(h.now, "c", "alice", True))
    h.tell(f.RecordingPauseAsked(h.now + 5, "c", "alice", True))
    assert (h.events, h.commands) == ([], [])


@pytest.mark.parametrize("who", ["caller", "not served", "outbound", "unpublished"])
def test_who_is_not_asked(who: str) -> None:
    h = House(survey="gone" if who == "unpublished" else "ask")
    if who == "outbound":
        h.tell(f.ContactArrived(h.now, "c", "", agent="alice", outside=True))
        h.tell(f.Answered(h.now, "c", "c"))
    else:
        h.call(talk=who != "not served")
    h.tell(f.HungUp(h.now, "c", "" if who in ("caller", "not served") else "c.1"))
    assert "SurveyBegan" not in h.kinds()
    assert "ContactEnded" in h.kinds()


@pytest.mark.parametrize(
    ("scale", "pressed", "value"),
    [
        ("1-5", "1", 1), ("1-5", "5", 5), ("1-5", "0", None), ("1-5", "6", None), ("1-5", "#", None),
        ("yes_no", "1", 1), ("yes_no", "2", 0), ("yes_no", "3", None), ("0-10", "0", 0), ("0-10", "9", 9),
        ("0-10", "1", "more"), ("0-10", "10", 10), ("0-10", "1#", 1), ("0-10", "15", None), ("0-10", "*", None),
        ("1-5", "", "more"),
    ],
)  # fmt: skip
def test_what_was_pressed(scale: Any, pressed: str, value: Any) -> None:
    assert reading(scale, pressed, complete=False) == value
