"""Stages, agents who are known, and tiers, one small story each."""

import json
from dataclasses import replace
from typing import Any

import pytest

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import timers
from centrala.core.explain import why_no_calls
from centrala.core.indexes import rebuild
from centrala.core.specs import AgentSpec, CalendarSpec, Destination, FlowSpec, LastAgent, QueueSpec, Widen
from tests.unit.test_core_acd import House, queue

pytestmark = pytest.mark.unit

LEVELS = [
    AgentSpec("ann", skills={"english": 8}),
    AgentSpec("bob", skills={"english": 3}),
    AgentSpec("eve", skills={"english": 1}),
]


def english(*stages: Widen, **more: Any) -> QueueSpec:
    return QueueSpec("q", needs={"english": 5}, widen=stages, **{"wrap_up": 0.0, **more})


AFTER_60 = Widen(after=60.0, needs={"english": 3})
AFTER_90 = Widen(after=90.0, needs={"english": 0}, queues=("b",))


# --- stages by waiting ---


def test_a_level_is_relaxed_by_waiting_and_the_offer_says_so() -> None:
    house = House(english(AFTER_60), agents=LEVELS).call("1").call("2")
    assert house.offers() == {"1.1": "ann"}
    house.after(59).fire("widen:2")
    assert house.offers() == {"1.1": "ann"}, "too early"
    house.after(1).fire("widen:2")
    assert house.offers() == {"1.1": "ann", "2.1": "bob"}
    assert house.seen(e.Widened) == [e.Widened(house.now, "2", 1)]
    assert house.seen(e.OfferMade)[-1].why == "relaxed after 60 s: english 3, longest_idle of 1 idle"


def test_the_queues_own_agents_come_first_however_long_others_are_idle() -> None:
    house = House(english(AFTER_60), agents=LEVELS).call("1").answer("1.1").call("2")
    house.tell(f.AgentPaused, "bob", "lunch").after(60).fire("widen:2").hang_up("1").call("3")
    assert house.offers() == {"2.1": "ann"}
    house.answer("2.1").tell(f.AgentReady, "bob").after(10).call("4").hang_up("2")
    assert house.offers() == {"3.1": "ann"}
    house.after(60).fire("widen:3").fire("widen:4")
    assert house.offers() == {"3.1": "ann", "4.1": "bob"}


def test_a_second_stage_borrows_who_serves_another_queue() -> None:
    house = House(english(AFTER_60, AFTER_90), queue("b", "eve"), agents=LEVELS)
    house.call("1").call("2").call("3").after(60).fire("widen:2").fire("widen:3").after(30).fire("widen:3")
    assert house.offers() == {"1.1": "ann", "2.1": "bob", "3.1": "eve"}
    assert house.seen(e.OfferMade)[-1].why.startswith("relaxed after 90 s: no english, with b, ")


def test_who_is_freed_gets_the_longest_wait_among_all_they_may_have() -> None:
    house = House(english(AFTER_60, AFTER_90), queue("b", "eve"), agents=LEVELS)
    house.call("busy", "b").answer("busy.1")
    for name in ("1", "2", "old"):
        house.call(name)
    house.after(10).call("new", "b").after(80)
    for name in ("2", "old"):
        house.fire(f"widen:{name}")
    assert house.offers() == {"1.1": "ann", "2.1": "bob"}
    house.hang_up("busy")
    assert house.offers()["old.1"] == "eve"


def test_the_time_waited_elsewhere_counts() -> None:
    first = queue("a", "nobody", max_wait=70.0, after_max_wait=Destination("queue", "q"))
    house = House(english(AFTER_60), first, agents=LEVELS).call("1").call("2", "a").after(70).fire("wait:2")
    assert house.offers() == {"1.1": "ann", "2.1": "bob"}


def test_a_stage_opens_in_its_hours_only() -> None:
    stage = replace(AFTER_60, calendar="night")
    house = House(agents=LEVELS)
    house.tell(f.CalendarChanged, CalendarSpec("night", ((house.now + 200, house.now + 300),)))
    house.tell(f.QueueChanged, english(stage)).number("q", Destination("queue", "q")).call("1").call("2")
    house.after(100).fire("widen:2")
    assert house.offers() == {"1.1": "ann"}
    house.after(100).fire("widen:2")
    assert house.offers() == {"1.1": "ann", "2.1": "bob"}


def test_who_is_taken_out_of_the_queue_is_asked_at_no_stage_and_who_is_lent_is_its_own() -> None:
    house = House(english(AFTER_60), agents=LEVELS).tell(f.AgentQueuesChanged, "bob", (), ("q",))
    house.tell(f.AgentQueuesChanged, "eve", ("q",), ()).call("1").call("2").call("3")
    assert house.offers() == {"1.1": "ann", "2.1": "eve"}
    house.after(60).fire("widen:3")
    assert house.offers() == {"1.1": "ann", "2.1": "eve"}


# --- stages by length and pace ---


def test_a_long_queue_opens_for_all_and_closes_again() -> None:
    house = House(english(Widen(length=2, needs={"english": 3})), agents=LEVELS).call("1").call("2")
    assert house.offers() == {"1.1": "ann"}
    house.call("3")
    assert house.seen(e.QueueWidened) == [e.QueueWidened(house.now, "q", 1, "length")]
    assert house.offers() == {"1.1": "ann", "2.1": "bob"}
    assert house.seen(e.OfferMade)[-1].why.startswith("relaxed at 2 waiting: english 3")
    house.answer("2.1").hang_up("2")
    assert house.offers() == {"1.1": "ann"}, "one alone waits: calm again"
    assert house.seen(e.QueueWidened)[-1] == e.QueueWidened(house.now, "q", 0, "calm")


def test_what_was_open_at_the_peak_is_not_when_the_next_one_comes() -> None:
    house = House(english(Widen(length=2, needs={"english": 3})), agents=LEVELS).tell(
        f.AgentPaused, "bob", "lunch"
    )
    house.call("1").answer("1.1").call("2").call("3")
    assert house.centre.queues["q"].stage == 1
    house.hang_up("1").answer("2.1").hang_up("3").tell(f.AgentReady, "bob").call("4")
    assert not house.offers()
    assert house.centre.queues["q"].stage == 0


def test_a_slow_queue_opens_for_all() -> None:
    stage = Widen(below=0.6, needs={"english": 3})
    house = House(english(stage, service_level=(0.8, 20.0)), agents=LEVELS).call("1").answer("1.1")
    house.call("2").call("3").call("4").after(20).fire("widen:2")
    assert not house.seen(e.QueueWidened)
    house.fire("widen:3")
    # 2.6 of 5 (two of them believed, four fifths in time; one answered at once; two late) are 52 %
    assert house.seen(e.QueueWidened) == [e.QueueWidened(house.now, "q", 1, "service_level")]
    assert house.offers() == {"2.1": "bob"}
    assert house.seen(e.OfferMade)[-1].why.startswith("relaxed below 60% in time: english 3")


def test_who_comes_to_a_slow_queue_takes_its_way_out() -> None:
    spec = queue(
        agents="ann", when_slow=Destination("hang_up", "busy"), slow_below=0.6, service_level=(0.8, 10.0)
    )
    house = House(spec, agents="ann").call("1").answer("1.1").call("2").call("3").after(10)
    house.fire("widen:2").fire("widen:3").call("4")
    assert [(one.contact, one.why) for one in house.seen(e.Overflowed)] == [("4", "slow")]
    house.hang_up("2").hang_up("3").hang_up("1").call("5")
    assert house.offers() == {"5.1": "ann"}, "somebody is free: no reason to send them off"
    house.answer("5.1").after(3600).call("6")
    assert house.seen(e.Overflowed)[-1].contact == "4", "an hour later it is forgotten"


# --- who is known ---


def known(agent: str, ago: float = 100.0) -> dict[str, Any]:
    return {"last_agent": agent, "last_at": 1000.0 - ago}


KEPT = LastAgent(within=3600.0, wait=30.0)


def test_who_calls_again_rings_the_agent_who_knows_them_though_another_is_idle_longer() -> None:
    house = House(queue(last_agent=KEPT), agents="ann bob eve").call("1", **known("bob"))
    assert house.offers() == {"1.1": "bob"}
    assert house.seen(e.Reserved) == [e.Reserved(house.now, "1", "bob", house.now + 30, "last")]
    assert house.seen(e.OfferMade)[-1].why == "last_agent: has talked with them before"


def test_they_wait_for_a_busy_one_alone_and_then_for_anybody() -> None:
    house = House(queue(last_agent=KEPT), agents="ann bob").call("busy", **known("bob")).answer("busy.1")
    house.call("1", **known("bob"))
    assert not house.offers(), "ann is idle, and isn't asked"
    house.after(30).fire("reserve:1")
    assert house.offers() == {"1.1": "ann"}
    assert house.seen(e.ReservationEnded)[-1].why == "time"


def test_a_busy_one_gets_who_waits_for_them_when_it_is_their_turn() -> None:
    house = House(queue(last_agent=KEPT), agents="ann bob")
    house.call("x").answer("x.1").call("y").answer("y.1")
    house.call("old").after(5).call("1", **known("bob")).hang_up("y")
    assert house.offers() == {"old.1": "bob"}, "nobody is overtaken"
    house.answer("old.1").hang_up("old")
    assert house.offers() == {"1.1": "bob"}
    assert house.seen(e.OfferMade)[-1].why.startswith("last_agent: ")


def test_a_place_in_the_queue_is_kept_meanwhile() -> None:
    house = House(queue(last_agent=KEPT), agents="ann bob")
    house.call("x").answer("x.1").call("y").answer("y.1")
    house.call("1", **known("ann")).after(5).call("2").call("3").after(25).fire("reserve:1").hang_up("y")
    assert house.offers() == {"1.1": "bob"}


@pytest.mark.parametrize("how", ["declined", "no_answer"])
def test_if_the_wanted_one_does_not_take_it_anybody_may(how: str) -> None:
    house = House(queue(last_agent=KEPT), agents="ann bob").call("1", **known("bob"))
    house.tell(f.OfferFailed, "1", "1.1", how)
    assert house.offers() == {"1.2": "ann"}
    assert house.seen(e.ReservationEnded)[-1].why == {"declined": "refused", "no_answer": "missed"}[how]


@pytest.mark.parametrize("how", ["pause", "sign out", "phone", "queue", "removed", "unlisted"])
def test_nobody_waits_for_who_has_gone(how: str) -> None:
    house = House(queue(last_agent=KEPT), agents="ann bob").call("x", **known("bob")).answer("x.1")
    house.call("1", **known("bob"))
    match how:
        case "pause":
            house.tell(f.AgentPaused, "bob", "lunch")
        case "sign out":
            house.tell(f.AgentSignedOut, "bob")
        case "phone":
            house.tell(f.PhoneUnregistered, "bob")
        case "queue":
            house.tell(f.AgentQueuesChanged, "bob", (), ("q",))
        case "removed":
            house.tell(f.AgentRemoved, "bob")
        case _:
            house.tell(f.QueueChanged, queue(agents="ann", last_agent=KEPT))
    assert house.offers() == {"1.1": "ann"}
    assert not [name for name, _ in timers(house.centre) if name.startswith("reserve:")]


def test_who_the_card_names_goes_before_who_talked_last_and_old_talks_count_no_more() -> None:
    house = House(queue(last_agent=KEPT), agents="ann bob eve")
    house.call("1", preferred="eve", **known("bob"))
    assert house.offers() == {"1.1": "eve"}
    house.call("2", **known("bob", ago=4000.0))
    assert house.offers()["2.1"] == "ann"


def test_no_wait_means_only_if_free_at_once() -> None:
    house = (
        House(queue(last_agent=LastAgent(wait=0.0)), agents="ann bob").call("x", **known("bob")).answer("x.1")
    )
    assert house.call("1", **known("bob")).offers() == {"1.1": "ann"}


def test_the_last_one_who_serves_leaves_and_who_waits_for_them_takes_the_way_out() -> None:
    spec = queue(agents="bob", last_agent=KEPT, when_no_agents=Destination("hang_up", "busy"))
    house = House(spec, agents="ann bob").call("x").answer("x.1").call("1", **known("bob"))
    house.tell(f.AgentSignedOut, "bob")
    assert [(one.contact, one.why) for one in house.seen(e.Overflowed)] == [("1", "no_agents")]


def test_a_removed_queue_sends_on_who_waits_for_one_agent_too() -> None:
    house = House(queue(last_agent=KEPT), agents="ann bob").call("x", **known("bob")).answer("x.1")
    house.call("1", **known("bob")).tell(f.QueueRemoved, "q")
    assert [(one.contact, one.why) for one in house.seen(e.Overflowed)] == [("1", "removed")]
    assert "1" not in house.centre.contacts


def test_who_is_kept_counts_for_the_length() -> None:
    spec = queue(agents="bob", last_agent=KEPT, max_length=1, when_full=Destination("hang_up", "busy"))
    house = House(spec, agents="bob").call("x").answer("x.1").call("1", **known("bob")).call("2")
    assert [(one.contact, one.why) for one in house.seen(e.Overflowed)] == [("2", "full")]


def test_a_snapshot_brings_stages_and_reservations_back() -> None:
    house = House(english(AFTER_60, last_agent=KEPT), agents=LEVELS).call("x").answer("x.1").call("1")
    house.after(40).call("2", **known("ann"))
    rebuild(house.centre)
    assert dict(timers(house.centre))["reserve:2"] == house.now + 30
    house.after(20).fire("widen:1")
    assert house.offers() == {"1.1": "bob"}
    house.hang_up("x")
    assert house.offers()["2.1"] == "ann"


def test_why_somebody_gets_calls_only_later_is_explained() -> None:
    house = House(english(AFTER_60), agents=LEVELS)
    reason = why_no_calls(house.centre, "bob", house.now)
    assert (reason.code, reason.values) == (
        "WIDENS",
        {"queue": "q", "after": 60.0, "length": None, "below": None},
    )
    assert why_no_calls(house.centre, "eve", house.now).code == "SKILL"


# --- tiers ---


def test_an_escalation_goes_where_the_queue_says_with_its_reason() -> None:
    above = replace(queue("law", "bob"), tier=2)
    house = House(queue(agents="ann", escalate=Destination("queue", "law")), above, agents="ann bob")
    house.call("1", priority=3).answer("1.1").tell(f.EscalateAsked, "1", "ann", "authority")
    (escalated,) = house.seen(e.Escalated)
    assert escalated == e.Escalated(house.now, "1", "ann", "q", "queue:law", 2, "authority")
    assert house.offers() == {"1.2": "bob"}
    who = house.centre.contacts["1"]
    assert who.priority == 3
    assert who.escalations == ((house.now, "ann", "authority", "queue:law", 2),)
    assert c.HangUp("1", "1.1", "escalated") in house.commands
    assert house.state("ann") == "ready"


def test_an_expert_outside_is_rung_over_the_line_and_named_by_id() -> None:
    house = House(queue(agents="ann"), agents="ann").number("expert:law", Destination("line", "+48221234567"))
    house.call("1").answer("1.1").tell(f.EscalateAsked, "1", "ann", "knowledge", "expert:law", 3)
    assert house.seen(e.Escalated)[0].to == "expert:law"
    assert house.seen(e.Escalated)[0].tier == 3
    (ring,) = house.did(c.Ring)
    assert ring.target == Destination("line", "+48221234567")


@pytest.mark.parametrize(
    ("reason", "to", "sentence"),
    [
        ("", "law", "Choose a reason."),
        ("complaint", "", "This queue has nobody above it: choose whom to hand the customer to."),
        ("complaint", "nowhere", "There is no such number, agent or queue."),
    ],
)
def test_what_can_not_be_escalated_stays(reason: str, to: str, sentence: str) -> None:
    house = House(queue(agents="ann"), agents="ann").call("1").answer("1.1")
    house.tell(f.EscalateAsked, "1", "ann", reason, to)
    (refused,) = house.last
    assert refused.reason == sentence
    assert house.centre.contacts["1"].state == "active"


# --- what a flow says of it ---


def flow(**node: Any) -> House:
    graph = {
        "format": 1,
        "start": "s",
        "nodes": {
            "s": {
                "type": "set",
                "values": {"value": "7", "who": "'bob'", "word": "'much'"},
                "exits": {"next": "q"},
            },
            "q": {"type": "queue", "queue": "q", **node},
        },
    }
    house = House(queue(), agents="ann bob eve").tell(f.FlowPublished, FlowSpec("main", 1, json.dumps(graph)))
    return house.number("100", Destination("flow", "main"))


@pytest.mark.parametrize(
    ("points", "priority"), [("value * 2", 16), ("word", 2), ("0 - value", -5), ("nobody", 2)]
)
def test_points_are_reckoned_from_what_is_known_of_the_customer(points: str, priority: int) -> None:
    house = flow(priority=2, points=points).call("1", "100")
    assert house.centre.contacts["1"].priority == priority


def test_a_flow_keeps_the_caller_for_an_agent() -> None:
    house = flow(agent="who", agent_wait=12).call("1", "100")
    assert house.offers() == {"1.1": "bob"}
    assert house.seen(e.Reserved)[-1].until == house.now + 12
    assert house.seen(e.OfferMade)[-1].why == "flow_agent: was chosen by the flow"
    house.call("2", "100")
    assert not house.centre.contacts["2"].offers, "bob is rung: they wait for him"
    house.after(12).fire("reserve:2")
    assert house.offers()["2.1"] == "ann"


@pytest.mark.parametrize("who", ["value", "'nobody'", "''"])
def test_who_is_no_agent_of_the_queue_is_not_waited_for(who: str) -> None:
    assert flow(agent=who).call("1", "100").offers() == {"1.1": "ann"}


# --- what changes while somebody waits ---


def test_who_comes_to_serve_the_other_queue_may_help_at_once() -> None:
    house = (
        House(english(Widen(after=30.0, queues=("b",))), queue("b", ""), agents=LEVELS).call("1").call("2")
    )
    house.after(30).fire("widen:2")
    assert house.offers() == {"1.1": "ann"}
    house.tell(f.QueueChanged, queue("b", "eve"))
    assert house.offers() == {"1.1": "ann", "2.1": "eve"}


def test_hours_that_are_changed_count_for_who_waits_already() -> None:
    house = House(agents=LEVELS).tell(f.CalendarChanged, CalendarSpec("night", ()))
    house.tell(f.QueueChanged, english(replace(AFTER_60, calendar="night"))).number(
        "q", Destination("queue", "q")
    )
    house.call("1").call("2").after(100)
    assert "widen:2" not in dict(timers(house.centre))
    house.tell(f.CalendarChanged, CalendarSpec("night", ((house.now - 10, house.now + 300),)))
    assert house.offers() == {"1.1": "ann", "2.1": "bob"}
    house.call("3").tell(f.CalendarChanged, CalendarSpec("night", ((house.now + 100, house.now + 300),)))
    assert dict(timers(house.centre))["widen:3"] == house.now + 100


def test_a_stage_of_the_whole_queue_opens_in_its_hours_only() -> None:
    house = House(agents=LEVELS).tell(f.CalendarChanged, CalendarSpec("night", ()))
    stage = Widen(length=2, needs={"english": 3}, calendar="night")
    house.tell(f.QueueChanged, english(stage)).number("q", Destination("queue", "q"))
    assert house.call("1").call("2").call("3").offers() == {"1.1": "ann"}


def test_who_is_answered_late_is_counted_once() -> None:
    spec = queue(agents="ann", when_slow=Destination("hang_up", "busy"), service_level=(0.8, 10.0))
    house = House(spec, agents="ann").call("1").answer("1.1").call("2").after(10).fire("widen:2").hang_up("1")
    house.answer("2.1")
    pace = house.centre.queues["q"].pace
    assert (round(pace.good), round(pace.late)) == (1, 1)


def test_an_agent_learns_a_language_of_a_stage_and_one_of_two_may_not_wait() -> None:
    house = House(english(AFTER_60), agents=LEVELS).call("1").call("2").after(60).fire("widen:2")
    house.call("3").after(60).fire("widen:3")
    assert house.offers() == {"1.1": "ann", "2.1": "bob"}
    house.tell(f.AgentChanged, AgentSpec("eve", skills={"english": 4}))
    assert house.offers() == {"1.1": "ann", "2.1": "bob", "3.1": "eve"}
