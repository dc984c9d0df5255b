"""What pages ask for in conversations, one small story each; and why an agent gets no calls, state by state."""

from typing import Any

import pytest
from test_core_acd import House, queue

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.explain import lamps, why_no_calls
from centrala.core.mix import RINGBACK, bridge, mix
from centrala.core.specs import AgentSpec, Destination, QueueSpec

pytestmark = pytest.mark.unit

ME, THEM = "1.1", "1.2"


def talking(*more: QueueSpec, agents: str = "ann bob eve", **about: Any) -> House:
    """ann talks with customer 1; bob and eve have phones and no work."""
    house = House(queue(agents="ann", **{"wrap_up": 10.0, **about}), *more, agents=agents)
    return house.call("1").answer(ME)


def asks(house: House, kind: Any, *more: Any, agent: str = "ann") -> House:
    return house.after(1).tell(kind, "1", agent, *more)


def refusal(house: House) -> str:
    [event] = house.last
    assert isinstance(event, e.Refused)
    assert not house.did(c.HangUp)
    return event.reason


def hears(house: House) -> c.Hears:
    return mix(house.centre, house.centre.contacts["1"])


def roles(house: House) -> dict[str, str]:
    return {leg: party.role for leg, party in house.centre.contacts["1"].parties.items()}


def asking(**about: Any) -> House:
    """ann asks bob, who has answered."""
    return asks(talking(**about), f.ConsultAsked, "bob").answer(THEM)


# --- hold, mute ---


def test_hold_by_button_and_by_phone_do_not_undo_each_other() -> None:
    house = asks(talking(music="waltz"), f.HoldAsked)
    assert hears(house) == {"1": {"sound:waltz": 1.0}, ME: {}}
    assert refusal(asks(house, f.HoldAsked)) == "The customer is on hold already."
    house.tell(f.PutOnHold, "1", ME)
    assert "Your phone holds the call" in refusal(asks(house, f.ResumeAsked))
    house.tell(f.TakenOffHold, "1", ME)
    assert hears(house) == bridge("1", ME)
    assert refusal(asks(house, f.ResumeAsked)) == "The customer is not on hold."


def test_muted_until_said_otherwise() -> None:
    house = asks(talking(), f.MuteAsked, True)
    assert hears(house) == {"1": {}, ME: {"1": 1.0}}
    assert not asks(house, f.MuteAsked, True).last
    assert hears(asks(house, f.MuteAsked, False)) == bridge("1", ME)


# --- consultation ---


def test_the_customer_hears_music_while_somebody_is_asked() -> None:
    house = asks(talking(music="waltz"), f.ConsultAsked, "bob")
    assert house.did(c.Ring) == [c.Ring("1", THEM, Destination("agent", "bob"), 60.0)]
    assert hears(house) == {"1": {"sound:waltz": 1.0}, ME: {RINGBACK: 1.0}}
    house.answer(THEM)
    assert hears(house) == {"1": {"sound:waltz": 1.0}} | bridge(ME, THEM)
    asks(house, f.SwapAsked)
    assert hears(house) == {THEM: {"sound:waltz": 1.0}} | bridge("1", ME)
    asks(house, f.SwapAsked)
    assert hears(house)[ME] == {THEM: 1.0}


def test_whoever_was_asked_and_leaves_leaves_the_customer_on_hold() -> None:
    house = asking().hang_up("1", THEM)
    assert house.state("bob") == "ready"
    assert house.centre.contacts["1"].state == "held"
    assert hears(asks(house, f.ResumeAsked)) == bridge("1", ME)


def test_the_one_who_is_asked_does_not_answer() -> None:
    house = asks(talking(), f.ConsultAsked, "bob").after(60).fire("offer:1.2")
    assert house.did(c.CancelRing) == [c.CancelRing("1", THEM)]
    assert house.state("bob") == "ready"
    assert roles(house) == {ME: "agent"}


def test_of_a_queue_the_first_idle_agent_is_asked() -> None:
    house = asks(talking(queue("b", "bob eve")), f.ConsultAsked, "queue:b")
    assert house.did(c.Ring)[0].target == Destination("agent", "bob")


def test_complete_leaves_the_two_alone_and_both_have_after_call_work() -> None:
    house = asks(asking(record=True), f.CompleteAsked)
    assert house.did(c.HangUp) == [c.HangUp("1", ME, "transferred")]
    assert house.did(c.Record) == [c.Record("1", THEM)]
    assert hears(house) == bridge("1", THEM)
    assert (house.state("ann"), house.state("bob")) == ("wrap_up", "on_contact")
    house.hang_up("1")
    assert house.state("bob") == "wrap_up"


def test_the_owner_hangs_up_while_asking() -> None:
    """The customer meets the one who was asked; who still rings gets them when they answer."""
    house = asking().hang_up("1", ME)
    assert not house.did(c.HangUp)
    assert hears(house) == bridge("1", THEM)
    house = asks(talking(), f.ConsultAsked, "bob").hang_up("1", ME)
    assert hears(house) == {"1": {RINGBACK: 1.0}}
    assert house.offers() == {THEM: "bob"}
    assert hears(house.answer(THEM)) == bridge("1", THEM)
    assert house.state("bob") == "on_contact"


def test_a_consultation_with_somebody_outside() -> None:
    house = asks(talking(), f.ConsultAsked, "", True)
    assert house.did(c.Ring)[0].target == Destination("line")
    house.answer(THEM)
    asks(house, f.CompleteAsked)
    assert hears(house) == bridge("1", THEM)
    assert house.centre.contacts["1"].leg_agent is None
    house.hang_up("1", THEM)
    assert house.did(c.HangUp) == [c.HangUp("1", "", "hung up")]


# --- conference ---


def test_three_together_and_the_one_who_called_it_leaves() -> None:
    house = asks(asking(), f.ConferenceAsked)
    assert hears(house) == {
        "1": {ME: 1.0, THEM: 1.0},
        ME: {"1": 1.0, THEM: 1.0},
        THEM: {"1": 1.0, ME: 1.0},
    }
    asks(house, f.HoldAsked)
    assert hears(house) == {ME: {}} | bridge("1", THEM)
    asks(house, f.LeaveAsked)
    assert (roles(house), hears(house)) == ({THEM: "agent"}, bridge("1", THEM))
    assert house.state("ann") == "wrap_up"


def test_a_member_leaves_or_is_dropped_and_the_others_go_on() -> None:
    for leave in (
        lambda house: asks(house, f.LeaveAsked, agent="bob"),
        lambda house: asks(house, f.HangUpAsked, agent="bob"),
        lambda house: asks(house, f.DropAsked, THEM),
    ):
        house = leave(asks(asking(), f.ConferenceAsked))
        assert house.did(c.HangUp)[0].leg == THEM
        assert hears(house) == bridge("1", ME)
        assert house.state("bob") == "wrap_up"


def test_the_end_is_for_all() -> None:
    house = asks(asks(asking(), f.ConferenceAsked), f.HangUpAsked)
    assert {(one.leg) for one in house.did(c.HangUp)} == {"", ME, THEM}
    assert house.seen(e.ContactEnded)[0].by == "agent"


# --- handing over ---


def test_a_blind_transfer_that_fails_goes_back_to_who_made_it_then_to_the_queue() -> None:
    house = asks(talking(agents="ann bob"), f.HandOverAsked, "bob")
    assert house.did(c.HangUp) == [c.HangUp("1", ME, "transferred")]
    house.after(5).tell(f.OfferFailed, "1", THEM, "declined")
    assert house.offers() == {"1.3": "ann"}
    house.call("2").after(60).fire("offer:1.3")
    # Back in the queue before whoever came meanwhile: has waited there before.
    assert [entry[2] for entry in house.centre.queues["q"].waiting] == ["1", "2"]
    assert hears(house) == {"1": {"sound:default": 1.0}}
    assert not house.seen(e.ContactEnded)


def test_to_somebody_outside_who_does_not_answer() -> None:
    house = asks(talking(), f.HandOverAsked, "", True)
    assert hears(house) == {"1": {RINGBACK: 1.0}}
    assert house.after(60).fire("offer:1.2").offers() == {"1.3": "ann"}


def test_without_a_way_back_the_contact_ends_as_answered() -> None:
    house = House(agents="ann bob").number("201", Destination("agent", "ann")).call("1", "201").answer(ME)
    asks(house, f.HandOverAsked, "bob").tell(f.AgentSignedOut, "ann")
    house.tell(f.OfferFailed, "1", THEM, "busy")
    assert house.did(c.HangUp) == [c.HangUp("1", "", "busy")]
    assert house.last[-1].outcome == "answered"


# --- dialling ---


def test_click_to_call_rings_the_own_phone_first() -> None:
    house = House(agents="ann bob").tell(f.DialAsked, "7", "ann", "", True)
    assert house.did(c.Ring) == [c.Ring("7", "7.1", Destination("agent", "ann"), 60.0, auto=True)]
    house.answer("7.1")
    assert house.did(c.Ring) == [c.Ring("7", "7", Destination("line"), 60.0)]
    assert mix(house.centre, house.centre.contacts["7"]) == {"7.1": {RINGBACK: 1.0}}
    house.tell(f.Answered, "7", "7")
    assert mix(house.centre, house.centre.contacts["7"]) == bridge("7", "7.1")
    house.hang_up("7", "7")
    assert house.did(c.HangUp) == [c.HangUp("7", "7.1", "hung up")]
    assert (house.last[-1].outcome, house.state("ann")) == ("answered", "ready")


def test_click_to_call_inside_the_house() -> None:
    house = House(agents="ann bob").tell(f.DialAsked, "7", "ann", "bob")
    house.tell(f.Answered, "7", "7")
    assert house.offers() == {"7.2": "bob"}
    house.answer("7.2")
    assert mix(house.centre, house.centre.contacts["7"]) == bridge("7", "7.2")
    house.tell(f.HangUpAsked, "7", "ann")
    assert {one.leg for one in house.did(c.HangUp)} == {"", "7.2"}


@pytest.mark.parametrize("how", ["own phone", "busy", "gives up"])
def test_a_call_by_button_that_comes_to_nothing(how: str) -> None:
    house = House(agents="ann bob").tell(f.DialAsked, "7", "ann", "", True)
    if how == "own phone":
        house.tell(f.OfferFailed, "7", "7.1", "declined")
        assert not house.did(c.HangUp) + house.did(c.Refuse)
    else:
        house.answer("7.1")
    if how == "busy":
        house.tell(f.OfferFailed, "7", "7", "busy")
        assert house.did(c.HangUp) == [c.HangUp("7", "7.1", "busy")]
    elif how == "gives up":
        house.hang_up("7", "7.1")
        assert house.did(c.CancelRing) == [c.CancelRing("7", "7")]
    assert not house.centre.contacts
    assert house.state("ann") == "ready"


# --- supervisors ---


def supervised(mode: str) -> House:
    house = asks(talking(), f.SuperviseAsked, mode, agent="eve")
    assert house.did(c.Ring) == [c.Ring("1", THEM, Destination("agent", "eve"), 60.0, auto=True)]
    return house.answer(THEM)


def test_listen_whisper_barge() -> None:
    house = supervised("listen")
    heard = {"1": 1.0, ME: 1.0}
    assert hears(house) == bridge("1", ME) | {THEM: heard}
    asks(house, f.SuperviseAsked, "whisper", agent="eve")
    assert hears(house) == {"1": {ME: 1.0}, ME: {"1": 1.0, THEM: 1.0}, THEM: heard}
    asks(house, f.SuperviseAsked, "barge", agent="eve")
    assert hears(house)["1"] == {ME: 1.0, THEM: 1.0}
    assert not asks(house, f.SuperviseAsked, "barge", agent="eve").last
    asks(house, f.SuperviseAsked, "off", agent="eve")
    assert (hears(house), house.state("eve")) == (bridge("1", ME), "ready")


def test_a_whisper_during_hold_and_consultation_reaches_the_agent_alone() -> None:
    house = asks(supervised("whisper"), f.HoldAsked)
    assert hears(house) == {"1": {"sound:default": 1.0}, ME: {THEM: 1.0}, THEM: {ME: 1.0}}
    asks(house, f.ConsultAsked, "bob").answer("1.3")
    assert hears(house) == {
        "1": {"sound:default": 1.0},
        ME: {THEM: 1.0, "1.3": 1.0},
        "1.3": {ME: 1.0},
        THEM: {ME: 1.0, "1.3": 1.0},
    }


@pytest.mark.parametrize("at_once", [True, False])
def test_take_over(at_once: bool) -> None:
    house = supervised("take_over" if at_once else "listen")
    if not at_once:
        asks(house, f.SuperviseAsked, "take_over", agent="eve")
    assert house.did(c.HangUp) == [c.HangUp("1", ME, "taken over")]
    assert (roles(house), hears(house)) == ({THEM: "agent"}, bridge("1", THEM))
    assert (house.state("ann"), house.state("eve")) == ("wrap_up", "on_contact")


def test_supervisors_go_when_the_agent_hands_over_and_when_it_ends() -> None:
    for end in (lambda h: asks(h, f.HandOverAsked, "bob"), lambda h: h.hang_up("1")):
        house = end(supervised("listen"))
        assert THEM in [one.leg for one in house.did(c.HangUp)]
        assert house.state("eve") == "ready"


def test_who_waits_is_moved_and_raised() -> None:
    house = House(queue(agents="ann"), queue("b", "bob", ageing=60.0), agents="ann bob")
    house.tell(f.AgentPaused, "ann", "lunch").tell(f.AgentPaused, "bob", "lunch").call("1").after(30).call(
        "2"
    )
    house.tell(f.ContactRaised, "2", 1)
    assert [entry[2] for entry in house.centre.queues["q"].waiting] == ["2", "1"]
    house.tell(f.ContactMoved, "1", "b")
    assert house.centre.contacts["1"].queue == "b"
    assert house.centre.contacts["1"].since == house.now - 30
    assert house.seen(e.Overflowed)[0].why == "moved"
    house.tell(f.AgentReady, "ann").tell(f.ContactMoved, "2", "b")  # while a phone rings for it
    assert house.did(c.CancelRing) == [c.CancelRing("2", "2.1")]
    assert house.state("ann") == "ready"


# --- results ---


def test_after_call_work_runs_over_until_the_result_is_there() -> None:
    house = talking(dispositions=("sold", "lost")).hang_up("1")
    assert refusal(house.tell(f.WrapUpFinished, "ann")) == "A result is needed first."
    house.after(10).fire("wrap:ann")
    assert (house.state("ann"), house.centre.agents["ann"].overran) == ("wrap_up", True)
    assert refusal(asks(house, f.ResultGiven, "nonsense")) == "This queue has no such result."
    asks(house, f.ResultGiven, "sold")
    assert house.state("ann") == "ready"
    assert not house.centre.contacts


def test_a_result_given_in_the_conversation_is_enough_and_work_can_be_extended() -> None:
    house = asks(talking(dispositions=("sold",)), f.ResultGiven, "sold").hang_up("1")
    house.tell(f.WrapUpExtended, "ann", 30.0).after(10).fire("wrap:ann")
    assert house.state("ann") == "wrap_up"
    assert house.after(30).fire("wrap:ann").state("ann") == "ready"


# --- what can't be, in words ---


def consulting() -> House:
    return asks(talking(), f.ConsultAsked, "bob")


@pytest.mark.parametrize(
    ("house", "fact", "why"),
    [
        (talking, (f.HoldAsked, "1", "bob"), "You are not in this conversation."),
        (talking, (f.HoldAsked, "nobody", "ann"), "You are not in this conversation."),
        (asking, (f.HoldAsked, "1", "bob"), "This is not your conversation: only its owner can do that."),
        (talking, (f.SwapAsked, "1", "ann"), "You are asking nobody."),
        (talking, (f.CompleteAsked, "1", "ann"), "You are asking nobody."),
        (consulting, (f.SwapAsked, "1", "ann"), "They haven't answered yet."),
        (consulting, (f.ConferenceAsked, "1", "ann"), "They haven't answered yet."),
        (asking, (f.ConsultAsked, "1", "ann", "eve"), "You are asking somebody already."),
        (
            asking,
            (f.HandOverAsked, "1", "ann", "eve"),
            "You are asking somebody: complete or end that first.",
        ),
        (
            lambda: asks(asking(), f.ConferenceAsked),
            (f.HandOverAsked, "1", "ann", "eve"),
            "Others are in the conversation: leave it instead.",
        ),
        (talking, (f.HandOverAsked, "1", "ann", "nowhere"), "There is no such number, agent or queue."),
        (talking, (f.HandOverAsked, "1", "ann", "ann"), "They are in a call."),
        (
            lambda: talking().tell(f.PhoneUnregistered, "bob"),
            (f.ConsultAsked, "1", "ann", "bob"),
            "Their phone can't be reached.",
        ),
        (
            lambda: talking().number("shut", Destination("hang_up")),
            (f.ConsultAsked, "1", "ann", "shut"),
            "No call can go there.",
        ),
        (
            lambda: talking(queue("b", "")),
            (f.ConsultAsked, "1", "ann", "queue:b"),
            "Nobody of that queue is free.",
        ),
        (talking, (f.LeaveAsked, "1", "ann"), "The customer would be left alone: hand over, or hang up."),
        (talking, (f.DropAsked, "1", "ann", ME), "They are not in this conversation."),
        (lambda: supervised("listen"), (f.DropAsked, "1", "ann", THEM), "A supervisor leaves by themselves."),
        (talking, (f.SuperviseAsked, "9", "eve", "listen"), "Nobody talks in this contact."),
        (
            talking,
            (f.SuperviseAsked, "1", "chief", "listen"),
            "You have no phone here: sign in as an agent, too.",
        ),
        (talking, (f.SuperviseAsked, "1", "ann", "listen"), "You take part in this conversation."),
        (talking, (f.SuperviseAsked, "1", "eve", "off"), "You are not in this conversation."),
        (
            lambda: talking().tell(f.PhoneUnregistered, "eve"),
            (f.SuperviseAsked, "1", "eve", "listen"),
            "Your phone can't be reached: connect it first.",
        ),
        (
            lambda: talking().tell(f.DialAsked, "7", "eve", "bob"),
            (f.SuperviseAsked, "1", "eve", "listen"),
            "You are in a call.",
        ),
        (talking, (f.DialAsked, "7", "ann", "bob"), "You are in a call already."),
        (talking, (f.DialAsked, "1", "eve", "bob"), "This call was asked for already."),
        (talking, (f.DialAsked, "7", "eve", "nowhere"), "This number leads nowhere."),
        (
            lambda: talking().tell(f.PhoneUnregistered, "eve"),
            (f.DialAsked, "7", "eve", "bob"),
            "Your phone can't be reached: connect it first.",
        ),
        (
            consulting,
            (f.DialAsked, "7", "bob", "eve"),
            "Your phone rings: answer or decline that call first.",
        ),
        (talking, (f.ContactMoved, "1", "q"), "They don't wait any more."),
        (lambda: talking().call("2"), (f.ContactMoved, "2", "nowhere"), "There is no such queue."),
        (lambda: talking().call("2"), (f.ContactMoved, "2", "q"), "They wait in this queue already."),
        (
            lambda: talking(queue("b", "bob", open_at=())).call("2"),
            (f.ContactMoved, "2", "b"),
            "This queue is closed now.",
        ),
        (talking, (f.ContactRaised, "1", 3), "They don't wait any more."),
        (talking, (f.ResultGiven, "1", "bob", "sold"), "You are not working on this contact."),
        (talking, (f.ResultGiven, "1", "ann", ""), "Choose a result."),
        (talking, (f.WrapUpExtended, "ann", 5.0), "You are not in after-call work."),
        (
            lambda: talking().hang_up("1"),
            (f.WrapUpExtended, "ann", 9999.0),
            "After-call work is extended by 1 to 3600 seconds.",
        ),
    ],
)
def test_what_can_not_be_is_refused_with_a_sentence(house: Any, fact: Any, why: str) -> None:
    kind, *more = fact
    there = house()
    assert refusal(there.tell(kind, *more)) == why


# --- why no calls ---


def plain(*queues: QueueSpec, **skills: int) -> House:
    return House(
        *(queues or (queue(agents="ann bob"),)), agents=[AgentSpec("ann", skills=skills), AgentSpec("bob")]
    )


@pytest.mark.parametrize(
    ("house", "code", "values"),
    [
        (lambda: plain(), "NEXT", {"queue": "q"}),
        (lambda: plain().after(5).serve("1", "1.1"), "NOBODY_WAITS", {"queues": ["q"], "ahead": 1}),
        (
            lambda: plain().tell(f.AgentPaused, "ann", "lunch"),
            "NOT_READY",
            {"reason": "lunch", "since": 1002.0},
        ),
        (lambda: plain().tell(f.AgentSignedOut, "ann"), "SIGNED_OUT", {}),
        (lambda: plain().tell(f.PhoneUnregistered, "ann"), "PHONE_LOST", {"since": 1002.0}),
        (lambda: plain().call("1").tell(f.OfferFailed, "1", "1.1", "asleep"), "ASLEEP", {"since": 1002.0}),
        (
            lambda: plain().call("1").tell(f.OfferFailed, "1", "1.1", "declined"),
            "RESTING",
            {"until": 1012.0, "missed": 0},
        ),
        (lambda: plain().call("1"), "OFFERED", {}),
        (lambda: plain().call("1").answer("1.1"), "IN_CALL", {}),
        (
            lambda: plain(queue(agents="ann", wrap_up=10.0)).call("1").answer("1.1").hang_up("1"),
            "WRAP_UP",
            {"until": 1012.0, "result_missing": False},
        ),
        (lambda: plain(queue(agents="bob")), "NO_QUEUE", {}),
        (
            lambda: plain(queue(agents="ann", open_at=((0.0, 10.0), (5000.0, 6000.0)))),
            "QUEUES_CLOSED",
            {"opens": 5000.0},
        ),
        (
            lambda: plain(QueueSpec("q", needs={"polish": 5}), QueueSpec("r", needs={"polish": 9}), polish=3),
            "SKILL",
            {"queue": "q", "skill": "polish", "level": 5, "have": 3},
        ),
    ],
)
def test_why_no_calls(house: Any, code: str, values: dict[str, Any]) -> None:
    there = house()
    reason = why_no_calls(there.centre, "ann", there.now)
    assert (reason.code, reason.values) == (code, values)
    lit = lamps(there.centre, "ann")
    off = {
        "NOT_READY": ["you"], "SIGNED_OUT": ["you"], "PHONE_LOST": ["line"], "ASLEEP": ["phone"],
        "RESTING": ["load"], "OFFERED": ["load"], "IN_CALL": ["load"], "WRAP_UP": ["load"],
    }.get(code, [])  # fmt: skip
    assert [name for name, on in lit.items() if not on] == off


def test_a_page_that_woke_up_gets_calls_again() -> None:
    house = plain().call("1").tell(f.OfferFailed, "1", "1.1", "asleep")
    assert house.offers() == {"1.2": "bob"}
    house.tell(f.AgentPaused, "bob", "lunch").tell(f.OfferFailed, "1", "1.2", "busy")
    assert house.tell(f.PhoneRegistered, "ann").offers() == {"1.3": "ann"}
