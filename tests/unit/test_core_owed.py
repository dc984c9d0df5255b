"""What the house owes: callbacks, messages, follow-ups, slots, and the keys of those who wait; one small story each."""

import json
from typing import Any

import pytest
from test_core_acd import House, queue

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, timers
from centrala.core.indexes import rebuild
from centrala.core.mix import RINGBACK, bridge, mix
from centrala.core.private import Private
from centrala.core.specs import (
    AgentSpec,
    Announce,
    Callbacks,
    Destination,
    FlowSpec,
    FollowUp,
    LastAgent,
    QueueSpec,
)

pytestmark = pytest.mark.unit

BACK = {
    "format": 1,
    "start": "cb",
    "nodes": {
        "cb": {
            "type": "callback",
            "exits": {"booked": "bye", "no_number": "ask", "full": "full", "failed": "sorry"},
        },
        "bye": {"type": "hang_up"},
        "ask": {"type": "hang_up", "cause": "busy"},
        "full": {"type": "hang_up"},
        "sorry": {"type": "hang_up"},
    },
}
BY_ONE = {"1": Destination("flow", "callback")}


def flow(house: House, name: str, graph: dict[str, Any], version: int = 1) -> House:
    return house.tell(f.FlowPublished, FlowSpec(name, version, json.dumps(graph)))


def node(**fields: Any) -> dict[str, Any]:
    """The flow of one callback node with these fields."""
    return BACK | {"nodes": BACK["nodes"] | {"cb": BACK["nodes"]["cb"] | fields}}  # type: ignore[operator, index]


def house(agents: str = "", graph: dict[str, Any] = BACK, **more: Any) -> House:
    made = House(queue(**{"keys": BY_ONE, **more}), agents=agents)
    return flow(made, "callback", graph)


def press(made: House, contact: str, digit: str) -> House:
    return made.tell(f.DigitPressed, contact, Private(digit))


def call(made: House, contact: str, caller: str = "x", **more: Any) -> House:
    return made.call(contact, caller=caller, party=f"p-{contact}", **more)


def sign_in(made: House, agent: str) -> House:
    if agent not in made.centre.agents:
        made.tell(f.AgentChanged, AgentSpec(agent)).tell(f.PhoneRegistered, agent)
    return made.tell(f.AgentReady, agent)


def outcome(made: House, contact: str) -> str:
    (ended,) = [one for one in made.seen(e.ContactEnded) if one.contact == contact]
    return str(ended.outcome)


def wheel(made: House) -> dict[str, float]:
    return dict(timers(made.centre))


def reach(made: House, contact: str) -> House:
    """The customer whom an agent is to call back answers."""
    return made.tell(f.Answered, contact, contact)


# --- the place in the queue ---


def test_a_callback_stands_where_its_caller_stood_and_neither_overtakes() -> None:
    made = call(call(call(house(), "1", "x").after(5), "2", "y").after(5), "3", "z").after(5)
    press(made, "2", "1")
    assert outcome(made, "2") == "callback"
    assert [entry[2] for entry in made.centre.queues["q"].waiting] == ["1", "2-cb", "3"]
    assert made.centre.contacts["2-cb"].rank == 1005.0
    sign_in(made, "ann")
    assert made.offers() == {"1.1": "ann"}
    made.answer("1.1").after(1).hang_up("1")
    assert made.offers() == {"2-cb.1": "ann"}
    (offer,) = [one for one in made.last if isinstance(one, e.OfferMade)]
    assert offer.why.startswith("first in line")
    assert offer.why.endswith("callback, promised 0 min ago")


def test_the_agent_is_asked_first_then_the_customer_is_rung_by_their_address() -> None:
    made = call(house(wrap_up=30.0, record=True), "1")
    press(made, "1", "1")
    assert not made.centre.contacts["1-cb"].answered
    sign_in(made, "ann").answer("1-cb.1")
    assert made.did(c.Ring) == [c.Ring("1-cb", "1-cb", Destination("line"), 30.0, number=None, party="p-1")]
    assert made.did(c.Mix)[-1].hears == {"1-cb.1": {RINGBACK: 1.0}}
    assert mix(made.centre, made.centre.contacts["1-cb"]) == {"1-cb.1": {RINGBACK: 1.0}}
    assert made.centre.agents["ann"].served == {"q": 1}
    assert made.state("ann") == "on_contact"
    reach(made, "1-cb")
    who = made.centre.contacts["1-cb"]
    assert (who.state, who.leg_queue, who.recorded) == ("active", "q", True)
    assert mix(made.centre, who) == bridge("1-cb", "1-cb.1")
    assert made.did(c.Record) == [c.Record("1-cb", "1-cb.1")]
    made.hang_up("1-cb")
    assert outcome(made, "1-cb") == "answered"
    assert made.state("ann") == "wrap_up"
    assert made.centre.agents["ann"].occupied == "q"


RATES = {
    "format": 1,
    "start": "a",
    "nodes": {
        "a": {
            "type": "survey",
            "prompt": ["?"],
            "question": "good",
            "scale": "1-5",
            "exits": {"next": "bye", "timeout": "bye", "invalid": "bye"},
        },
        "bye": {"type": "hang_up"},
    },
}


@pytest.mark.parametrize("answers", [True, False])
def test_whoever_was_called_back_is_asked_how_it_was(answers: bool) -> None:
    made = flow(house(survey="rate", wrap_up=30.0), "rate", RATES)
    press(call(made, "1"), "1", "1")
    sign_in(made, "ann").answer("1-cb.1")
    reach(made, "1-cb").after(60).hang_up("1-cb", "1-cb.1")
    assert made.state("ann") == "wrap_up"
    assert [one.agent for one in made.seen(e.SurveyBegan)] == ["ann"]
    (say,) = made.did(c.Say)
    assert say.contact == "1-cb"
    assert not made.did(c.HangUp)
    if answers:
        press(made, "1-cb", "4")
        assert [one.value for one in made.seen(e.SurveyAnswered)] == [4]
    else:
        made.hang_up("1-cb")
    assert outcome(made, "1-cb") == "answered"
    assert made.tell(f.WrapUpFinished, "ann").centre.contacts == {}


def test_who_was_not_reached_is_asked_nothing() -> None:
    made = flow(house(survey="rate"), "rate", RATES)
    press(call(made, "1"), "1", "1")
    sign_in(made, "ann").answer("1-cb.1").after(1).hang_up("1-cb", "1-cb.1")
    assert not made.seen(e.SurveyBegan)


def test_another_number_is_rung_where_one_was_given_and_is_told_to_nobody() -> None:
    made = call(house(graph=node(number="{given}")), "1", caller="")
    press(made, "1", "1")
    assert made.seen(e.Refused) == []
    assert made.seen(e.NodeEntered)[-1].exit == "no_number"  # withheld, and none given
    made = call(house(graph=node(number="+48221234567")), "1", caller="")
    press(made, "1", "1")
    assert "48221234567" not in repr([one for one in made.events if not isinstance(one, e.FlowDefined)])
    sign_in(made, "ann").answer("1-cb.1")
    (ring,) = made.did(c.Ring)
    assert (ring.number.value, ring.party) == ("+48221234567", "")


@pytest.mark.parametrize("number", ["12", "+4822x", "1" * 21, "sip:a@b", "+", "٣٣٣٣"])
def test_what_is_no_number_is_not_promised_to_be_called(number: str) -> None:
    made = call(house(graph=node(number=number)), "1")
    press(made, "1", "1")
    assert not made.seen(e.Booked)
    assert made.seen(e.NodeEntered)[-1].exit == "no_number"


def test_who_was_in_no_queue_is_owed_nothing() -> None:
    made = flow(House(queue()), "callback", node()).number("7", Destination("flow", "callback"))
    call(made, "1", number="7")
    assert [one.why for one in made.seen(e.NodeFailed)] == ["no_queue"]
    assert not made.seen(e.Booked)


def test_a_flow_that_the_full_queue_leads_to_knows_which_queue_it_was() -> None:
    made = house(max_length=0, when_full=Destination("flow", "callback"))
    call(made, "1")
    assert outcome(made, "1") == "callback"
    assert [one.queue for one in made.seen(e.Booked)] == ["q"]
    assert made.centre.contacts["1-cb"].state == "queued", "owed contacts don't fill the queue"
    call(made, "2", "y")
    assert made.centre.contacts["2-cb"].state == "queued"


# --- what goes wrong ---


def waits_for_customer(**more: Any) -> House:
    made = call(house(callbacks=Callbacks(attempts=2, retry=100.0, expires=9000.0), **more), "1")
    press(made.after(30), "1", "1")
    return sign_in(made, "ann").answer("1-cb.1")


def test_who_is_not_reached_is_tried_again_later_and_the_agent_is_free_at_once() -> None:
    made = waits_for_customer(wrap_up=30.0)
    at = made.now
    made.tell(f.OfferFailed, "1-cb", "1-cb", "busy")
    assert [one.cause for one in made.seen(e.CallbackFailed)] == ["busy"]
    assert made.did(c.HangUp) == [c.HangUp("1-cb", "1-cb.1", "the customer was not reached")]
    assert made.state("ann") == "ready"
    assert not made.centre.contacts["1-cb"].answered
    assert wheel(made)["owed:1-cb"] == at + 100.0
    made.now = at + 100.0
    made.fire("owed:1-cb").answer("1-cb.3")
    made.fire("offer:1-cb")  # too early
    assert made.centre.contacts["1-cb"].offers
    made.after(30).fire("offer:1-cb")
    assert outcome(made, "1-cb") == "unreached"
    assert [one.attempt for one in made.seen(e.CallbackFailed)] == [1, 2]
    assert not made.centre.contacts
    assert made.state("ann") == "ready"


def test_the_time_between_attempts_doubles() -> None:
    made = call(house(callbacks=Callbacks(attempts=4, retry=100.0)), "1")
    press(made, "1", "1")
    sign_in(made, "ann")
    waits = []
    for _ in range(3):
        leg = next(iter(made.offers()))
        made.answer(leg).tell(f.HungUp, "1-cb", "1-cb")
        waits.append(wheel(made)["owed:1-cb"] - made.now)
        made.after(waits[-1]).fire("owed:1-cb")
    assert waits == [100.0, 200.0, 400.0]


@pytest.mark.parametrize("by_page", [True, False])
def test_an_agent_who_leaves_meanwhile_costs_no_attempt_and_no_place(by_page: bool) -> None:
    made = waits_for_customer(reject_delay=10.0)
    call(made, "2", "y")
    if by_page:
        made.tell(f.HangUpAsked, "1-cb", "ann")
        assert made.did(c.HangUp) == [c.HangUp("1-cb", "1-cb.1", "hung up")]
    else:
        made.hang_up("1-cb", "1-cb.1")
        assert not made.did(c.HangUp)
    assert made.did(c.CancelRing) == [c.CancelRing("1-cb", "1-cb")]
    assert made.state("ann") == "resting"
    assert c.SetTimer("rest:ann", made.now + 10.0) in made.asked
    who = made.centre.contacts["1-cb"]
    assert (who.state, who.rank, who.promise and who.promise.attempt) == ("queued", 1000.0, 1)
    sign_in(made, "bob").answer("1-cb.3")
    assert made.did(c.Ring)[0].leg == "1-cb"


def test_an_agent_who_is_removed_meanwhile_leaves_as_any_other() -> None:
    made = waits_for_customer().tell(f.AgentRemoved, "ann").hang_up("1-cb", "1-cb.1")
    who = made.centre.contacts["1-cb"]
    assert (who.state, who.promise and who.promise.attempt) == ("queued", 1)
    assert made.did(c.CancelRing) == [c.CancelRing("1-cb", "1-cb")]


def test_an_agent_who_does_not_answer_is_as_with_any_call() -> None:
    made = call(house(missed_limit=1), "1")
    press(made, "1", "1")
    sign_in(made, "ann").after(15).fire("offer:1-cb.1")
    assert made.state("ann") == "not_ready"
    assert made.centre.contacts["1-cb"].state == "queued"


def test_expires_where_nobody_had_time() -> None:
    made = call(house(callbacks=Callbacks(expires=600.0)), "1")
    press(made.after(50), "1", "1")
    assert wheel(made) == {"owed:1-cb": 1650.0}
    assert c.SetTimer("owed:1-cb", 1650.0) in made.asked
    made.after(599).fire("owed:1-cb")
    assert made.did(c.SetTimer) == [c.SetTimer("owed:1-cb", 1650.0)]
    made.after(1).fire("owed:1-cb")
    assert outcome(made, "1-cb") == "expired"
    assert not made.centre.contacts


def test_a_phone_that_rings_when_it_expires_may_finish() -> None:
    made = call(house(callbacks=Callbacks(expires=600.0)), "1")
    press(made, "1", "1")
    made.after(595)
    sign_in(made, "ann").after(5).fire("owed:1-cb")
    assert made.did(c.SetTimer) == [c.SetTimer("owed:1-cb", 1610.1)]
    made.answer("1-cb.1")
    reach(made, "1-cb")
    assert made.centre.contacts["1-cb"].state == "active"


def test_what_the_queue_would_do_to_callers_it_does_not_do_to_whom_it_owes() -> None:
    made = call(
        house(max_wait=60.0, announce=Announce(), when_no_agents=None, music="jazz"),
        "1",
    )
    press(made, "1", "1")
    assert wheel(made).keys() == {"owed:1-cb"}
    assert mix(made.centre, made.centre.contacts["1-cb"]) == {}
    made.tell(f.QueueChanged, queue(keys=BY_ONE, max_wait=5.0, when_no_agents=Destination("hang_up", "busy")))
    made.after(100).fire("wait:1-cb").fire("announce:1-cb")
    assert made.centre.contacts["1-cb"].state == "queued"


def test_a_queue_that_closes_keeps_its_promise_when_it_opens_again() -> None:
    hours = ((0.0, 1200.0), (5000.0, 9000.0))
    made = call(house(open_at=hours, callbacks=Callbacks(expires=600.0)), "1")
    press(made, "1", "1")
    assert wheel(made) == {"owed:1-cb": 1200.0}
    made.now = 1200.0
    made.fire("owed:1-cb")
    who = made.centre.contacts["1-cb"]
    assert who.promise is not None
    assert (who.state, who.promise.due, who.promise.expires) == ("booked", 5000.0, 5600.0)
    made.now = 5000.0
    made.fire("owed:1-cb")
    assert made.centre.contacts["1-cb"].state == "queued"


def test_new_hours_count_for_those_who_stand_already() -> None:
    made = call(house(open_at=((0.0, 9000.0),)), "1")
    press(made, "1", "1")
    made.tell(f.QueueChanged, queue(keys=BY_ONE, open_at=((0.0, 900.0), (2000.0, 3000.0))))
    assert made.did(c.SetTimer) == [c.SetTimer("owed:1-cb", 1000.0)]
    made.fire("owed:1-cb")
    assert wheel(made) == {"owed:1-cb": 2000.0}


def test_a_queue_that_is_removed_hands_over_what_it_owes_or_says_that_it_failed() -> None:
    made = call(house(when_no_agents=None), "1")
    press(made, "1", "1").tell(f.QueueRemoved, "q")
    assert outcome(made, "1-cb") == "failed"
    made = House(queue(keys=BY_ONE), queue("r"))
    flow(made, "callback", BACK)
    call(made, "1")
    press(made, "1", "1")
    made.tell(f.QueueChanged, queue(keys=BY_ONE, when_no_agents=Destination("queue", "r")))
    made.tell(f.QueueRemoved, "q")
    assert (made.centre.contacts["1-cb"].queue, made.centre.contacts["1-cb"].rank) == ("r", 1000.0)


def test_a_hang_up_of_nobody_ends_nothing() -> None:
    made = call(house(), "1")
    press(made, "1", "1").hang_up("1-cb")
    assert isinstance(made.last[0], e.Refused)
    assert made.centre.contacts["1-cb"].state == "queued"


# --- who comes by themselves ---


def test_who_rings_again_gets_the_place_of_their_callback() -> None:
    made = call(house(), "1", "x")
    press(made, "1", "1")
    call(call(made.after(50), "2", "y").after(50), "3", "x")
    assert outcome(made, "1-cb") == "replaced"
    assert [entry[2] for entry in made.centre.queues["q"].waiting] == ["3", "2"]
    assert made.centre.contacts["3"].since == 1000.0


def test_who_rings_again_while_an_agent_is_offered_the_callback_is_offered_instead() -> None:
    made = call(house(), "1", "x")
    press(made, "1", "1")
    sign_in(made, "ann")
    assert made.offers() == {"1-cb.1": "ann"}
    call(made, "2", "x")
    assert made.did(c.CancelRing) == [c.CancelRing("1-cb", "1-cb.1")]
    assert made.offers() == {"2.1": "ann"}
    assert outcome(made, "1-cb") == "replaced"


def test_who_rings_again_while_they_are_rung_is_called_no_more() -> None:
    made = waits_for_customer()
    call(made, "2", "x")
    assert made.centre.contacts["2"].since == 1000.0
    assert made.centre.contacts["1-cb"].offers, "what rings goes on ringing"
    made.tell(f.OfferFailed, "1-cb", "1-cb", "busy")
    assert outcome(made, "1-cb") == "replaced"
    assert made.offers() == {"2.1": "ann"}


@pytest.mark.parametrize("outside", [True, False])
def test_who_has_got_through_is_not_called_back(outside: bool) -> None:
    made = House(queue(agents="ann", keys=BY_ONE), queue("r", "bob"), agents="bob")
    flow(made, "callback", BACK)
    call(made, "1", "x")
    press(made, "1", "1")
    if outside:
        made.tell(f.ContactArrived, "2", "", agent="ann", outside=True, caller="x")
        assert "1-cb" in made.centre.contacts, "dialling is not talking"
        reach(made, "2")
    else:
        call(made, "2", "x", number="r")
        assert "1-cb" in made.centre.contacts
        made.answer("2.1")
    assert outcome(made, "1-cb") == "replaced"
    assert c.CancelTimer("owed:1-cb") in made.asked


def test_who_books_again_has_one_callback() -> None:
    made = house().number("7", Destination("flow", "other"))
    flow(made, "other", node(queue="q"))
    call(made, "1", "x")
    press(made, "1", "1")
    call(made, "2", "x", number="7")
    assert outcome(made, "2") == "callback"
    assert [one.contact for one in made.seen(e.Booked)] == ["1-cb"]
    assert made.centre.contacts.keys() == {"1-cb"}


def test_who_books_after_they_were_to_be_followed_has_one_callback() -> None:
    made = call(house(follow_up=FollowUp(grace=0.0)), "1", "x").after(30).hang_up("1")
    call(made.after(9), "2", "x")
    press(made, "2", "1")
    assert outcome(made, "1-fu") == "replaced"
    assert list(made.centre.contacts) == ["2-cb"]


def test_who_goes_on_waiting_after_booking_has_no_callback() -> None:
    graph = BACK | {"nodes": BACK["nodes"] | {"bye": {"type": "wait"}}}  # type: ignore[operator]
    made = call(house(graph=graph), "1")
    press(made, "1", "1")
    assert outcome(made, "1-cb") == "replaced"
    assert made.centre.contacts["1"].state == "queued"
    made.after(60).hang_up("1")
    assert outcome(made, "1") == "abandoned"


def test_who_hangs_up_after_booking_has_not_abandoned() -> None:
    said = {"type": "say", "prompt": ["Good bye"], "exits": {"next": "ask"}}
    graph = BACK | {"nodes": BACK["nodes"] | {"bye": said}}  # type: ignore[operator]
    made = call(house(graph=graph), "1").after(60)
    press(made, "1", "1").hang_up("1")
    assert outcome(made, "1") == "callback"


def test_a_callback_due_while_its_customer_is_on_the_line_waits() -> None:
    made = call(house(follow_up=FollowUp(after=100.0, grace=5.0)), "1", "x").after(30).hang_up("1").after(90)
    call(made, "2", "x").after(10).fire("owed:1-fu")
    assert made.did(c.SetTimer) == [c.SetTimer("owed:1-fu", made.now + 30.0)]
    assert made.centre.contacts["1-fu"].state == "booked"


def test_whom_an_agent_rings_just_now_is_let_alone_though_they_get_through_elsewhere() -> None:
    made = House(queue(agents="ann", keys=BY_ONE), queue("r", "bob"), agents="bob")
    call(flow(made, "callback", BACK), "1", "x")
    press(made, "1", "1")
    call(sign_in(made, "ann").answer("1-cb.1"), "2", "x", number="r").answer("2.1")
    assert made.centre.contacts["1-cb"].offers
    made.tell(f.OfferFailed, "1-cb", "1-cb", "busy")
    assert outcome(made, "1-cb") == "replaced"


def test_of_all_whose_phones_ring_one_calls_back_and_the_others_are_let_go() -> None:
    made = call(house(strategy="ring_all"), "1")
    press(made, "1", "1")
    sign_in(sign_in(made, "ann"), "bob")
    assert made.offers() == {"1-cb.1": "ann", "1-cb.2": "bob"}
    made.answer("1-cb.2")
    assert made.did(c.CancelRing) == [c.CancelRing("1-cb", "1-cb.1")]
    assert c.CancelTimer("offer:1-cb.1") in made.asked
    assert (made.state("ann"), made.state("bob")) == ("ready", "on_contact")
    assert made.offers() == {"1-cb": None}
    assert not made.centre.queues["q"].waiting


def test_one_kept_for_the_agent_who_knows_them_is_kept_no_more_once_that_agent_has_it() -> None:
    made = House(queue(keys=BY_ONE, last_agent=LastAgent(), retry_delay=0.0), agents="ann")
    flow(made, "callback", BACK).call("9").answer("9.1")
    call(made, "1", last_agent="ann", last_at=made.now)
    press(made, "1", "1")
    assert made.centre.contacts["1-cb"].reserved == "ann"
    made.tell(f.CallbackPutOff, "1-cb", "eve", 0.0)
    assert made.centre.contacts["1-cb"].reserved == "ann", "kept anew, in the queue"
    made.tell(f.CallbackPutOff, "1-cb", "eve", 9000.0)
    assert made.centre.contacts["1-cb"].reserved == ""
    made.tell(f.CallbackPutOff, "1-cb", "eve", 0.0).hang_up("9")
    assert made.offers() == {"1-cb.1": "ann"}
    made.answer("1-cb.1")
    assert made.centre.contacts["1-cb"].reserved == ""
    made.tell(f.OfferFailed, "1-cb", "1-cb", "busy")
    assert made.centre.contacts["1-cb"].state == "booked"


def test_where_nobody_knows_when_a_queue_opens_it_is_asked_again_until_it_is_too_late() -> None:
    made = call(house(callbacks=Callbacks(expires=5000.0)), "1")
    press(made, "1", "1").tell(f.QueueChanged, queue(keys=BY_ONE, open_at=()))
    made.fire("owed:1-cb")
    assert wheel(made) == {"owed:1-cb": 4600.0}
    made.now = 4600.0
    made.fire("owed:1-cb")
    assert wheel(made) == {"owed:1-cb": 6000.0}
    made.now = 6000.0
    made.fire("owed:1-cb")
    assert outcome(made, "1-cb") == "expired"


# --- people ask for one, put one off, drop one ---


def test_a_person_promises_a_callback_at_a_time() -> None:
    made = House(queue(), agents="ann")
    made.tell(f.CallbackAsked, "k", "q", "p", "x", due=2000.0, agent="eve")
    assert wheel(made) == {"owed:k": 2000.0}
    assert made.centre.contacts["k"].agent is None
    made.tell(f.CallbackAsked, "m", "q", "p", "x")
    assert [one.reason for one in made.seen(e.Refused)] == ["They are promised a callback already."]
    made.now = 2000.0
    made.fire("owed:k")
    assert made.offers() == {"k.1": "ann"}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (("k", "nowhere", "p"), "There is no such queue."),
        (("k", "q"), "There is no number to call."),
        (("k", "q", "p", "x", None, 0.0, float("nan")), "This time is none."),
        (("1", "q", "p"), "This callback was asked for already."),
    ],
)
def test_what_can_not_be_promised(asked: tuple[Any, ...], reason: str) -> None:
    made = call(House(queue()), "1").tell(f.CallbackAsked, *asked)
    assert [one.reason for one in made.last] == [reason]


def test_putting_off_dropping_and_calling_now() -> None:
    made = call(house(), "1")
    press(made, "1", "1").tell(f.CallbackPutOff, "1-cb", "eve", 3000.0)
    assert made.centre.contacts["1-cb"].state == "booked"
    call(made, "2", "x")
    assert "1-cb" in made.centre.contacts, "a time that was chosen stays"
    made.hang_up("2").tell(f.CallbackPutOff, "1-cb", "eve", 0.0)
    assert made.centre.contacts["1-cb"].state == "queued"
    sign_in(made, "ann").tell(f.CallbackDropped, "1-cb", "eve")
    assert outcome(made, "1-cb") == "dropped"
    assert made.did(c.CancelRing)
    assert made.state("ann") == "ready"


def test_a_person_who_promises_a_callback_replaces_what_would_only_have_followed_a_lost_call() -> None:
    made = call(house(follow_up=FollowUp()), "1", "x").after(30).hang_up("1")
    made.tell(f.CallbackAsked, "k", "q", "p-1", "x", since=1000.0, origin="1", agent="eve")
    assert outcome(made, "1-fu") == "replaced"
    assert c.CancelTimer("owed:1-fu") in made.asked
    assert (made.centre.contacts["k"].state, made.centre.contacts["k"].rank) == ("queued", 1000.0)


def test_what_an_agent_has_just_now_is_let_alone() -> None:
    made = waits_for_customer().tell(f.CallbackDropped, "1-cb", "eve")
    assert [one.reason for one in made.last] == ["An agent has it just now."]
    made.tell(f.ContactMoved, "1-cb", "q")
    assert [one.reason for one in made.last] == ["They don't wait any more."]


def test_a_callback_is_moved_as_a_caller_is() -> None:
    made = call(house(), "1")
    press(made.tell(f.QueueChanged, queue("r")), "1", "1").tell(f.ContactMoved, "1-cb", "r")
    who = made.centre.contacts["1-cb"]
    assert (who.queue, who.rank, who.hops) == ("r", 1000.0, 0)


# --- those who hung up ---


def test_who_hung_up_while_waiting_is_called_back_once() -> None:
    rule = FollowUp(after=600.0, attempts=1, priority=1, grace=60.0)
    made = call(house(follow_up=rule), "1", "x", priority=2).after(30).hang_up("1")
    assert outcome(made, "1") == "abandoned"
    who = made.centre.contacts["1-fu"]
    assert who.promise is not None
    assert (who.promise.why, who.promise.due, who.promise.attempts, who.priority) == (
        "abandoned",
        1630.0,
        1,
        3,
    )
    assert (who.origin, who.since) == ("1", 1000.0)
    call(made.after(100), "2", "x")
    assert made.centre.contacts["2"].since == made.now, "after the grace: the end of the line"
    made.after(30).hang_up("2")
    assert list(made.centre.contacts) == ["1-fu"]


def test_who_rings_again_at_once_keeps_the_place() -> None:
    made = call(house(follow_up=FollowUp()), "1", "x").after(30).hang_up("1").after(60)
    call(made, "2", "x")
    assert (outcome(made, "1-fu"), made.centre.contacts["2"].since) == ("replaced", 1000.0)


@pytest.mark.parametrize("story", ["withheld", "short", "no rule", "callback"])
def test_whom_nobody_follows(story: str) -> None:
    made = house(follow_up=None if story == "no rule" else FollowUp())
    call(made, "1", "" if story == "withheld" else "x").after(1 if story == "short" else 30)
    if story == "callback":
        press(made, "1", "1")
    else:
        made.hang_up("1")
    assert [one.why for one in made.seen(e.Booked)] == (["asked"] if story == "callback" else [])


# --- slots ---


def test_slots_that_are_booked_are_offered_no_more() -> None:
    graph = {
        "format": 1,
        "start": "look",
        "nodes": BACK["nodes"]  # type: ignore[operator]
        | {
            "look": {"type": "slots", "count": 2, "lead": 100, "exits": {"found": "cb", "none": "sorry"}},
            "cb": BACK["nodes"]["cb"] | {"slot": "slot.1"},  # type: ignore[index]
        },
    }
    made = house(graph=graph)
    made.tell(f.SlotsOffered, "q", ((1050.0, 9), (1900.0, 1), (2800.0, 0), (3700.0, 1)))
    call(call(call(made, "1", "x"), "2", "y"), "3", "z")
    press(press(press(made, "1", "1"), "2", "1"), "3", "1")
    assert [(one.contact, one.due, one.slot) for one in made.seen(e.Booked)] == [
        ("1-cb", 1900.0, 1900.0),
        ("2-cb", 3700.0, 3700.0),
    ]
    counts = [one.values["slot.count"].value for one in made.seen(e.ValuesSet)]
    assert counts == [2, 1, 0]
    assert outcome(made, "3") == "self_served"
    made.tell(f.CallbackDropped, "1-cb", "eve")
    assert made.centre.queues["q"].taken == {3700.0: 1}


@pytest.mark.parametrize(
    ("slot", "exit"),
    [
        ("1900", "booked"),
        ("2000", "full"),
        ('"tomorrow"', "failed"),
        ("true", "failed"),
        ("nothing", "booked"),
        ("5", "booked"),
    ],
)
def test_a_time_that_is_none_or_is_taken(slot: str, exit: str) -> None:
    made = house(graph=node(slot=slot)).tell(f.SlotsOffered, "q", ((1900.0, 1),))
    press(call(made, "1"), "1", "1")
    assert [one.exit for one in made.seen(e.NodeEntered)][-1] == exit


def test_the_last_place_of_a_slot_is_given_once() -> None:
    made = house(graph=node(slot="1900")).tell(f.SlotsOffered, "q", ((1900.0, 1),))
    for contact, caller in (("1", "x"), ("2", "y")):
        press(call(made, contact, caller), contact, "1")
    assert [one.exit for one in made.seen(e.NodeEntered) if one.exit] == ["booked", "full"]


# --- messages ---


def mailbox(**more: Any) -> House:
    graph = {
        "format": 1,
        "start": "vm",
        "nodes": {
            "vm": {"type": "voicemail", "prompt": ["Speak"], "exits": {"next": "bye", "empty": "none"}},
            "bye": {"type": "hang_up"},
            "none": {"type": "hang_up", "cause": "busy"},
        },
    }
    made = house(graph=graph, **more)
    press(call(made, "1"), "1", "1")
    return made.tell(f.Said, "1", "1:1")


def test_a_message_waits_for_an_agent_who_hears_it() -> None:
    made = mailbox(wrap_up=30.0)
    made.after(8).tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 8.0)
    assert outcome(made, "1") == "voicemail"
    who = made.centre.contacts["1-vm"]
    assert (who.medium, who.state, who.since, who.message, who.seconds) == (
        "voicemail",
        "queued",
        1008.0,
        "messages/m.wav",
        8.0,
    )
    assert wheel(made) == {}, "a message waits for ever"
    sign_in(made, "ann").answer("1-vm.1")
    (say,) = made.did(c.Say)
    assert say.parts == (c.Part("message", "messages/m.wav"),)
    assert made.did(c.Mix)[-1].hears == {"1-vm.1": {f"prompt:{say.prompt}": 1.0}}
    made.tell(f.Said, "1-vm", say.prompt)
    assert made.did(c.Mix)[-1].hears == {"1-vm.1": {}}
    made.hang_up("1-vm", "1-vm.1")
    assert outcome(made, "1-vm") == "answered"
    assert made.state("ann") == "wrap_up"
    assert not [one for one in made.commands if isinstance(one, c.HangUp) and one.contact == "1-vm"]


def test_the_owner_of_a_message_has_its_customer_rung_into_it_as_often_as_they_like() -> None:
    made = mailbox().tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 8.0)
    sign_in(made, "ann").answer("1-vm.1").tell(f.CallCustomerAsked, "1-vm", "bob")
    assert isinstance(made.last[0], e.Refused)
    for _ in range(5):
        made.tell(f.CallCustomerAsked, "1-vm", "ann")
        assert made.did(c.Ring) == [c.Ring("1-vm", "1-vm", Destination("line"), 30.0, party="p-1")]
        made.tell(f.OfferFailed, "1-vm", "1-vm", "no_answer")
        assert made.centre.contacts["1-vm"].state == "active"
        assert mix(made.centre, made.centre.contacts["1-vm"]) == {"1-vm.1": {}}
    reach(made.tell(f.CallCustomerAsked, "1-vm", "ann"), "1-vm")
    assert mix(made.centre, made.centre.contacts["1-vm"]) == bridge("1-vm", "1-vm.1")
    made.hang_up("1-vm")
    assert outcome(made, "1-vm") == "answered"


def test_a_message_that_a_restart_cuts_off_is_played_anew() -> None:
    made = mailbox().tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 8.0)
    sign_in(made, "ann").answer("1-vm.1")
    (say,) = made.did(c.Say)
    made.after(3).tell(f.Said, "1-vm", say.prompt, "lost")
    (again,) = made.did(c.Say)
    assert again.parts == say.parts
    assert again.prompt != say.prompt
    assert made.centre.contacts["1-vm"].announcing == again.prompt
    assert not made.after(8).tell(f.Said, "1-vm", again.prompt).did(c.Say)
    assert made.centre.contacts["1-vm"].announcing == ""


@pytest.mark.parametrize("problem", ["lost", "it can't be spoken"])
def test_an_announcement_that_a_restart_cuts_off_is_said_anew(problem: str) -> None:
    made = House(queue(announce=Announce(first=10.0, every=50.0, wait=False, messages=("news",))))
    made.call("1").after(10).fire("announce:1")
    said = []
    for _ in range(2):
        (say,) = made.did(c.Say)
        said.append([one.text for one in say.parts])
        made.after(2).tell(f.Said, "1", say.prompt, problem)
        if problem == "lost":
            assert [[one.text for one in say.parts] for say in made.did(c.Say)] == said[-1:]
            (say,) = made.did(c.Say)
            made.after(5).tell(f.Said, "1", say.prompt)
        assert not made.did(c.Say)
        assert wheel(made)["announce:1"] == made.now + 50.0
        made.after(50).fire("announce:1")
    assert said[0] == ["builtin:position", "1"]


def test_an_owner_who_hangs_up_while_the_customer_is_rung_is_done_with_the_message() -> None:
    made = mailbox().tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 8.0)
    sign_in(made, "ann").answer("1-vm.1").tell(f.CallCustomerAsked, "1-vm", "ann").hang_up("1-vm", "1-vm.1")
    assert made.did(c.CancelRing) == [c.CancelRing("1-vm", "1-vm")]
    assert outcome(made, "1-vm") == "answered"
    assert not made.centre.contacts


@pytest.mark.parametrize("asks", [f.HoldAsked, f.HandOverAsked, f.ConsultAsked, f.SuperviseAsked])
def test_nobody_is_handed_over_or_held_who_is_not_there(asks: Any) -> None:
    made = mailbox().tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 8.0)
    sign_in(sign_in(made, "ann"), "bob").answer("1-vm.1")
    more = {f.HandOverAsked: ("bob",), f.ConsultAsked: ("bob",), f.SuperviseAsked: ("listen",)}.get(asks, ())
    made.tell(asks, "1-vm", "bob" if asks is f.SuperviseAsked else "ann", *more)
    assert [type(one) for one in made.last] == [e.Refused]


def test_an_owner_whose_phone_holds_us_hears_the_message_afterwards() -> None:
    made = mailbox().tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 8.0)
    sign_in(made, "ann").answer("1-vm.1").tell(f.PutOnHold, "1-vm", "1-vm.1")
    assert mix(made.centre, made.centre.contacts["1-vm"]) == {"1-vm.1": {}}
    made.tell(f.CallCustomerAsked, "1-vm", "ann")
    assert [type(one) for one in made.last] == [e.Refused]
    made.tell(f.TakenOffHold, "1-vm", "1-vm.1")
    assert made.did(c.Mix)[-1].hears == {"1-vm.1": {"prompt:1-vm:1": 1.0}}


def test_a_message_that_plays_when_its_owner_hangs_up_is_over() -> None:
    made = mailbox(wrap_up=30.0).tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 8.0)
    sign_in(made, "ann").answer("1-vm.1").hang_up("1-vm", "1-vm.1")
    assert made.did(c.Hush) == [c.Hush("1-vm", "1-vm:1")]
    made.tell(f.Said, "1-vm", "1-vm:1")
    assert [type(one) for one in made.last] == [e.Refused]


def test_silence_is_no_message() -> None:
    made = mailbox().tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 0.4)
    assert not made.seen(e.Booked)
    assert made.seen(e.NodeEntered)[-1].exit == "empty"


def test_who_gets_through_has_their_message_heard_all_the_same() -> None:
    made = mailbox().tell(f.MessageTaken, "1", "1:2", "messages/m.wav", 8.0)
    sign_in(sign_in(made, "ann"), "bob")
    call(made, "2", "x").answer("2.1")
    assert "1-vm" in made.centre.contacts


# --- keys of those who wait ---


def test_a_key_that_means_nothing_does_nothing() -> None:
    made = call(house(), "1")
    for digit in "023456789*#":
        press(made, "1", digit)
        assert (made.last, made.asked) == ([], [])
    assert made.centre.contacts["1"].state == "queued"


def test_the_exit_of_the_flows_queue_node_goes_before_the_queues_key() -> None:
    graph = {
        "format": 1,
        "start": "wait",
        "nodes": {
            "wait": {"type": "queue", "queue": "q", "exits": {"1": "told", "max_wait": "late"}},
            "told": {"type": "say", "prompt": ["Stay"], "exits": {"next": "wait"}},
            "late": {"type": "hang_up"},
        },
    }
    made = flow(house(max_wait=100.0), "menu", graph).number("7", Destination("flow", "menu"))
    call(made, "1", number="7").after(20)
    press(made, "1", "1")
    assert [one.exit for one in made.last if isinstance(one, e.Overflowed)] == ["1"]
    assert c.CancelTimer("wait:1") in made.asked
    made.after(5).tell(f.Said, "1", "1:1")
    who = made.centre.contacts["1"]
    assert (who.state, who.since, who.hops) == ("queued", 1000.0, 0)


def test_whoever_comes_back_by_a_key_is_let_in_though_the_queue_is_full_now() -> None:
    ask = {
        "format": 1,
        "start": "say",
        "nodes": {
            "say": {"type": "say", "prompt": ["Hm"], "exits": {"next": "back"}},
            "back": {"type": "return"},
        },
    }
    made = call(house(max_length=1, graph=ask), "1", "x")
    press(made, "1", "1")
    call(made.after(5), "2", "y").tell(f.Said, "1", "1:1")
    assert [entry[2] for entry in made.centre.queues["q"].waiting] == ["1", "2"]


def test_a_key_keeps_the_way_back_into_the_flow_that_they_waited_in() -> None:
    menu = {
        "format": 1,
        "start": "wait",
        "nodes": {
            "wait": {"type": "queue", "queue": "q", "exits": {"max_wait": "late"}},
            "late": {"type": "hang_up", "outcome": "refused"},
        },
    }
    ask = {
        "format": 1,
        "start": "say",
        "nodes": {
            "say": {"type": "say", "prompt": ["Hm"], "exits": {"next": "back"}},
            "back": {"type": "wait"},
        },
    }
    made = flow(house(max_wait=100.0, graph=ask), "menu", menu).number("7", Destination("flow", "menu"))
    call(made, "1", number="7").after(20)
    for turn in range(1, 12):
        press(made, "1", "1").tell(f.Said, "1", f"1:{turn}")
        assert made.centre.contacts["1"].state == "queued"
    made.after(100).fire("wait:1")
    assert outcome(made, "1") == "refused"
    assert not any(one.inside for one in made.centre.flows.values())


def test_a_key_leads_nowhere_that_nobody_can_go_now() -> None:
    keys = {
        "1": Destination("flow", "gone"),
        "2": Destination("agent", "zoe"),
        "3": Destination("queue", "nowhere"),
        "4": Destination("queue", "q"),
        "5": Destination("queue", "shut"),
    }
    made = House(queue(keys=keys), queue("shut", open_at=()))
    call(made, "1")
    for digit in "12345":
        assert press(made, "1", digit).last == []


def test_an_agent_whom_a_key_leads_to_and_who_does_not_answer_gives_the_place_back() -> None:
    made = House(queue(agents="bob", keys={"2": Destination("agent", "ann")}), agents="ann")
    call(made, "1").after(20)
    press(made, "1", "2")
    assert made.offers() == {"1.1": "ann"}
    made.after(60).fire("offer:1.1")
    who = made.centre.contacts["1"]
    assert (who.state, who.queue, who.rank) == ("queued", "q", 1001.0)


def test_keys_work_while_everybody_is_rung_and_not_while_one_phone_rings() -> None:
    made = house("ann bob", strategy="ring_all")
    call(made, "1", "x")
    press(made, "1", "1")
    assert len(made.did(c.CancelRing)) == 2
    made = house("ann")
    call(made, "1", "x")
    assert press(made, "1", "1").last == []


# --- and for all of it ---


def test_indexes_follow_from_the_state() -> None:
    made = call(house(follow_up=FollowUp()), "1", "x")
    press(made, "1", "1")
    made.tell(f.CallbackAsked, "k", "q", "p", "y", due=5000.0)
    call(made, "2", "z").after(30).hang_up("2")
    before = (made.centre.callers, made.centre.queues["q"].owed, made.centre.queues["q"].taken)
    assert before[0].keys() == {"x", "y", "z"}
    rebuild(made.centre)
    assert before == (made.centre.callers, made.centre.queues["q"].owed, made.centre.queues["q"].taken)


def test_an_old_snapshot_knows_of_nothing_owed() -> None:
    assert Centre().callers == {}
    assert QueueSpec("q").callbacks == Callbacks()
