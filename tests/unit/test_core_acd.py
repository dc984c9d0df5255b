"""The rules of the distributor, one small story each."""

from typing import Any

import pytest

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.mix import bridge
from centrala.core.specs import AgentSpec, Destination, QueueSpec

pytestmark = pytest.mark.unit


class House:
    """A centre that is told things, second by second."""

    def __init__(self, *queues: QueueSpec, agents: str | list[AgentSpec] = "") -> None:
        self.centre = Centre()
        self.now = 1000.0
        self.events: list[Any] = []
        self.commands: list[Any] = []
        specs = [AgentSpec(name) for name in agents.split()] if isinstance(agents, str) else agents
        for spec in specs:
            self.tell(f.AgentChanged, spec)
            self.tell(f.PhoneRegistered, spec.id)
        for queue in queues:
            self.tell(f.QueueChanged, queue)
            self.number(queue.id, Destination("queue", queue.id))
        for spec in specs:
            self.now += 1.0
            self.tell(f.AgentReady, spec.id)

    def tell(self, fact: Any, *args: Any, **more: Any) -> "House":
        events, commands = step(self.centre, fact(self.now, *args, **more))
        self.last, self.asked = events, commands
        self.events += events
        self.commands += commands
        return self

    def after(self, seconds: float) -> "House":
        self.now += seconds
        return self

    def number(self, number: str, to: Destination) -> "House":
        return self.tell(f.NumberChanged, number, to)

    def call(self, contact: str, number: str = "q", **more: Any) -> "House":
        return self.tell(f.ContactArrived, contact, number, **more)

    def answer(self, leg: str) -> "House":
        return self.tell(f.Answered, leg.rpartition(".")[0], leg)

    def hang_up(self, contact: str, leg: str = "") -> "House":
        return self.tell(f.HungUp, contact, leg)

    def fire(self, timer: str) -> "House":
        return self.tell(f.TimerFired, timer)

    def offers(self) -> dict[str, str | None]:
        """Leg → agent, of all that ring now."""
        return {leg: one.agent for who in self.centre.contacts.values() for leg, one in who.offers.items()}

    def seen(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def did(self, kind: type) -> list[Any]:
        return [command for command in self.asked if isinstance(command, kind)]

    def state(self, agent: str) -> str:
        return self.centre.agents[agent].state

    def serve(self, contact: str, leg: str) -> "House":
        return self.call(contact).answer(leg).hang_up(contact)


def queue(name: str = "q", agents: str = "ann bob eve", **more: Any) -> QueueSpec:
    return QueueSpec(name, agents=tuple(agents.split()), **{"wrap_up": 0.0, **more})


# --- who is offered ---


def test_longest_idle_first() -> None:
    house = House(queue(), agents="ann bob eve")
    house.after(1).serve("1", "1.1").after(1).call("2").call("3").call("4")
    assert house.offers() == {"2.1": "bob", "3.1": "eve", "4.1": "ann"}


def test_most_skilled_first_and_the_longest_idle_of_equals() -> None:
    skills = {"ann": 3, "bob": 9, "eve": 9}
    agents = [AgentSpec(name, skills={"sales": level}) for name, level in skills.items()]
    spec = QueueSpec("q", needs={"sales": 3}, strategy="most_skilled")
    house = House(spec, agents=agents).call("1").call("2").call("3")
    assert house.offers() == {"1.1": "bob", "2.1": "eve", "3.1": "ann"}


def test_levels_of_several_needs_add_up_and_who_lacks_one_is_never_asked() -> None:
    agents = [
        AgentSpec("ann", skills={"sales": 9}),
        AgentSpec("bob", skills={"sales": 3, "polish": 5}),
        AgentSpec("eve", skills={"sales": 5, "polish": 4}),
    ]
    spec = QueueSpec("q", needs={"sales": 3, "polish": 1}, strategy="most_skilled")
    house = House(spec, agents=agents).call("1").call("2").call("3")
    assert house.offers() == {"1.1": "eve", "2.1": "bob"}


def test_round_robin_takes_turns_whoever_was_idle_longest() -> None:
    house = House(queue(strategy="round_robin"), agents="ann bob eve")
    got = []
    for number in range(6):
        house.call(str(number))
        got += house.offers().values()
        # The later the turn, the shorter the idle time: hang up at once.
        house.answer(f"{number}.1").after(5 - number).hang_up(str(number))
    assert got == ["ann", "bob", "eve"] * 2


def test_fewest_calls_since_signing_in() -> None:
    house = House(queue(strategy="fewest_calls"), agents="ann bob")
    house.call("1").call("2").answer("1.1").answer("2.1").hang_up("2").after(1).hang_up("1").call("3")
    assert house.offers() == {"3.1": "bob"}  # both had one; bob is idle longer
    house.answer("3.1").hang_up("3").call("4")
    assert house.offers() == {"4.1": "ann"}
    house.answer("4.1").hang_up("4").tell(f.AgentSignedOut, "bob").after(5).tell(f.AgentReady, "bob").call(
        "5"
    )
    assert house.offers() == {"5.1": "bob"}  # counts anew, though idle for less time


def test_ring_all_the_first_answer_wins_and_losers_are_free() -> None:
    house = House(queue(strategy="ring_all"), agents="ann bob eve").call("1").call("2")
    assert house.offers() == {"1.1": "ann", "1.2": "bob", "1.3": "eve"}
    house.answer("1.2")
    connect = [type(command) for command in house.asked].index(c.Mix)
    cancel = [type(command) for command in house.asked].index(c.CancelRing)
    assert connect < cancel, "the losers ring until the bridge is up"
    assert house.offers() == {"2.1": "ann", "2.2": "eve"}  # the next one rings all who are left
    late = house.answer("1.1")
    assert late.asked == [c.HangUp("1", "1.1", "the offer is over")]


def test_ring_all_includes_who_becomes_idle_meanwhile() -> None:
    house = House(queue(strategy="ring_all"), agents="ann bob").tell(f.AgentPaused, "bob", "lunch").call("1")
    assert house.offers() == {"1.1": "ann"}
    house.tell(f.AgentReady, "bob")
    assert house.offers() == {"1.1": "ann", "1.2": "bob"}


# --- who is served first ---


def test_priority_is_worth_seconds_of_waiting() -> None:
    house = House(queue(agents="ann", ageing=60.0), agents="ann").call("busy").answer("busy.1")
    house.call("old").after(59).call("new", priority=1).hang_up("busy")
    assert house.offers() == {"new.1": "ann"}
    house = House(queue(agents="ann", ageing=60.0), agents="ann").call("busy").answer("busy.1")
    house.call("old").after(61).call("new", priority=1).hang_up("busy")
    assert house.offers() == {"old.1": "ann"}


def test_order_of_service_across_queues() -> None:
    queues = queue("a", "ann"), queue("b", "ann", priority=1), queue("c", "ann")
    house = House(*queues, agents="ann").call("busy", "a").answer("busy.1")
    house.call("first", "c").after(10).call("second", "a").after(30).call("third", "b")
    served = []
    house.hang_up("busy")
    for _ in range(3):
        (leg,) = house.offers()
        served.append(leg.rpartition(".")[0])
        house.answer(leg).hang_up(served[-1])
    assert served == ["third", "first", "second"]  # third: one point, 60 s, against 40 s of waiting


def test_a_preferred_queue_comes_first_and_the_offer_says_so() -> None:
    agents = [AgentSpec("ann", prefers=("b",))]
    house = House(queue("a", "ann"), queue("b", "ann"), agents=agents).call("busy", "a").answer("busy.1")
    house.call("old", "a").after(100).call("new", "b").hang_up("busy")
    assert house.offers() == {"new.1": "ann"}
    assert house.seen(e.OfferMade)[-1].why.startswith("preferred queue first")


# --- ways out ---


@pytest.mark.parametrize(
    ("spec", "why", "cause"),
    [
        (queue(agents="", max_length=0), "full", "busy"),
        (queue(agents="", open_at=((0.0, 10.0),)), "closed", "unavailable"),
        (queue(agents="", when_no_agents=Destination("hang_up", "declined")), "no_agents", "declined"),
    ],
)
def test_a_caller_whom_the_queue_can_not_take_gets_an_error_not_an_answer(
    spec: QueueSpec, why: str, cause: str
) -> None:
    house = House(spec).call("1")
    assert house.seen(e.Overflowed)[0].why == why
    assert house.asked == [c.Refuse("1", cause), c.CancelTimer("wait:1")]
    assert house.seen(e.ContactEnded)[0].outcome == "refused"
    assert not house.centre.contacts


def test_max_wait_leads_to_another_queue_with_the_wait_kept() -> None:
    first = queue("q", "ann", max_wait=30.0, after_max_wait=Destination("queue", "b"))
    house = House(first, queue("b", "bob"), agents="ann bob").call("busy").answer("busy.1")
    house.call("b busy", "b").answer("b busy.1").call("1")
    assert c.SetTimer("wait:1", house.now + 30) in house.asked
    arrived = house.now
    house.after(29).fire("wait:1")
    assert house.asked == [c.SetTimer("wait:1", arrived + 30)]  # too early: not lost
    house.after(1).fire("wait:1")
    assert house.centre.contacts["1"].queue == "b"
    assert house.centre.contacts["1"].since == arrived
    house.call("2", "b").hang_up("b busy")
    assert house.offers() == {"1.1": "bob"}


def test_the_end_of_the_wait_waits_for_a_phone_that_rings() -> None:
    house = House(queue("q", "ann", max_wait=10.0, ring_timeout=15.0), agents="ann").call("1")
    house.after(10).fire("wait:1")
    assert house.did(c.SetTimer)[0].at == pytest.approx(1001 + 15.1)
    assert house.offers()
    house.answer("1.1")
    assert house.seen(e.Connected)


def test_a_limit_set_or_raised_while_somebody_waits_counts() -> None:
    house = House(queue(agents="")).call("1").tell(f.QueueChanged, queue(agents="", max_wait=20.0))
    assert house.asked == [c.SetTimer("wait:1", 1020.0)]
    house.tell(f.QueueChanged, queue(agents="", max_wait=40.0)).after(20).fire("wait:1")
    assert house.did(c.SetTimer) == [c.SetTimer("wait:1", 1040.0)]


def test_max_length_counts_those_who_wait() -> None:
    house = House(queue(agents="ann", max_length=1, when_full=Destination("phone", "sip:x@y")), agents="ann")
    house.call("1").call("2").call("3")
    assert house.offers() == {"1.1": "ann", "3.1": None}
    assert house.seen(e.Directed)[0].redirected
    house.answer("3.1").hang_up("3")
    assert house.seen(e.ContactEnded)[0].outcome == "redirected"


def test_a_queue_without_places_takes_as_many_as_there_are_idle_agents() -> None:
    house = House(queue(agents="ann", max_length=0), agents="ann").call("1").call("2")
    assert house.offers() == {"1.1": "ann"}
    assert house.asked[0] == c.Refuse("2", "busy")


def test_two_queues_that_point_at_each_other_end_in_busy() -> None:
    house = House(
        queue("q", "", max_length=0, when_full=Destination("queue", "b")),
        queue("b", "", max_length=0, when_full=Destination("queue", "q")),
    ).call("1")
    assert [event.queue for event in house.seen(e.Overflowed)][:3] == ["q", "b", "q"]
    assert house.asked[0] == c.Refuse("1", "busy")


@pytest.mark.parametrize(
    "leaves", ["signs out", "phone lost", "removed", "unlisted", "changed", "other skill"]
)
def test_when_the_last_agent_leaves_those_who_wait_take_the_way_out(leaves: str) -> None:
    out = Destination("music", "closed")
    agents = [AgentSpec("ann", skills={"s": 5}, fixed_phone=leaves == "changed")]
    spec = queue(agents="ann", needs={"s": 1}, when_no_agents=out)
    house = House(spec, agents=agents).call("1").answer("1.1").call("2").call("3")
    match leaves:
        case "signs out":
            house.tell(f.AgentSignedOut, "ann")
        case "phone lost":
            house.tell(f.PhoneUnregistered, "ann")
        case "removed":
            house.tell(f.AgentRemoved, "ann")
        case "unlisted":
            house.tell(f.QueueChanged, queue(agents="bob", needs={"s": 1}, when_no_agents=out))
        case "changed":
            house.tell(f.AgentChanged, AgentSpec("ann", skills={"s": 5}))
        case _:
            house.tell(f.AgentChanged, AgentSpec("ann"))
    assert [(event.contact, event.why) for event in house.seen(e.Overflowed)] == [
        ("2", "no_agents"),
        ("3", "no_agents"),
    ]
    assert house.centre.contacts["1"].state == "active"


def test_the_last_agent_leaves_while_the_phone_rings() -> None:
    house = House(queue(agents="ann", when_no_agents=Destination("hang_up", "busy")), agents="ann").call("1")
    house.tell(f.AgentSignedOut, "ann")
    assert house.offers()
    house.after(15).fire("offer:1.1")
    assert c.HangUp("1", why="busy") in house.asked
    assert house.state("ann") == "logged_out"


def test_a_whole_queue_overflows_to_one_agent_who_gets_one_call() -> None:
    house = House(queue(agents="ann", when_no_agents=Destination("agent", "bob")), agents="ann bob")
    house.tell(f.AgentPaused, "ann", "lunch").call("1").call("2").tell(f.AgentSignedOut, "ann")
    assert house.offers() == {"1.1": "bob"}
    assert c.HangUp("2", why="busy") in house.asked


def test_a_removed_queue_sends_everybody_on() -> None:
    house = House(queue(strategy="ring_all", agents="ann bob"), agents="ann bob").call("1").call("2")
    house.tell(f.QueueRemoved, "q")
    assert not house.centre.contacts
    assert [event.why for event in house.seen(e.Overflowed)] == ["removed", "removed"]
    assert len(house.did(c.CancelRing)) == 2
    assert house.state("ann") == "ready"


# --- offers ---


def test_an_offer_that_nobody_takes_goes_to_the_next_and_the_caller_keeps_the_place() -> None:
    house = House(queue(agents="ann bob"), agents="ann bob").call("1").call("2").call("3")
    assert house.offers() == {"1.1": "ann", "2.1": "bob"}
    house.answer("2.1").after(15).fire("offer:1.1")
    assert house.asked[0] == c.CancelRing("1", "1.1")
    assert house.state("ann") == "resting"
    assert house.centre.contacts["1"].state == "queued"
    house.hang_up("2")
    assert house.offers() == {"1.2": "bob"}  # before 3, who came later


def test_who_loses_an_offer_by_no_fault_of_theirs_keeps_the_place_among_the_idle() -> None:
    house = (
        House(queue(agents="ann bob"), agents="ann bob").after(10).call("1").after(5).hang_up("1").call("2")
    )
    assert house.offers() == {"2.1": "ann"}


def test_back_off_doubles_and_ends_with_ready() -> None:
    agents = [AgentSpec("ann", fixed_phone=True, always_ready=True)]
    house = House(queue(agents="ann", retry_delay=5.0), agents=agents).call("1")
    rests = []
    for _ in range(6):
        (leg,) = house.offers()
        house.after(15).fire(f"offer:{leg}")
        rests.append(house.seen(e.RestBegan)[-1].until - house.now)
        house.after(rests[-1]).fire("rest:ann")
    assert rests == [5, 10, 20, 40, 60, 60]  # never set not ready: nobody would set it ready again
    (leg,) = house.offers()
    house.answer(leg).hang_up("1").call("2").after(15).fire("offer:2.1")
    assert house.seen(e.RestBegan)[-1].until - house.now == 5  # an answer clears the record


def test_too_many_missed_set_an_agent_not_ready() -> None:
    house = House(queue(agents="ann", missed_limit=2, retry_delay=5.0), agents="ann").call("1")
    house.after(15).fire("offer:1.1").after(5).fire("rest:ann").after(15).fire("offer:1.2")
    assert house.state("ann") == "not_ready"
    assert house.centre.agents["ann"].reason == "missed"
    assert house.tell(f.AgentReady, "ann").offers() == {"1.3": "ann"}


def test_misses_count_without_a_delay_too() -> None:
    house = House(queue(agents="ann", missed_limit=2, retry_delay=0.0), agents="ann").call("1")
    house.after(15).fire("offer:1.1").fire("rest:ann").after(15).fire("offer:1.2")
    assert house.centre.agents["ann"].reason == "missed"


def test_who_signed_out_while_the_phone_rang_stays_signed_out() -> None:
    house = House(queue(agents="ann", missed_limit=1), agents="ann").call("1").tell(f.AgentSignedOut, "ann")
    house.after(15).fire("offer:1.1")
    assert house.state("ann") == "logged_out"


def test_a_refusal_is_no_miss() -> None:
    house = House(queue(agents="ann bob", missed_limit=1, reject_delay=10.0), agents="ann bob").call("1")
    house.tell(f.OfferFailed, "1", "1.1", "declined")
    assert house.offers() == {"1.2": "bob"}
    assert house.state("ann") == "resting"
    assert house.seen(e.RestBegan)[-1].until == house.now + 10
    assert house.seen(e.RestBegan)[-1].missed == 0


def test_ready_ends_the_rest_at_once() -> None:
    house = House(queue(agents="ann", reject_delay=10.0), agents="ann").call("1")
    house.tell(f.OfferFailed, "1", "1.1", "busy").tell(f.AgentReady, "ann")
    assert c.CancelTimer("rest:ann") in house.asked
    assert house.offers() == {"1.2": "ann"}


@pytest.mark.parametrize("ended", ["expired", "caller left"])
def test_an_answer_that_comes_too_late_is_let_go(ended: str) -> None:
    house = House(queue(agents="ann"), agents="ann").call("1")
    house = house.after(15).fire("offer:1.1") if ended == "expired" else house.hang_up("1")
    house.answer("1.1")
    assert house.asked == [c.HangUp("1", "1.1", "the offer is over")]
    assert house.last == [e.Refused(house.now, "Answered", "the offer is over", "1.1")]


def test_an_answer_told_twice_changes_nothing() -> None:
    house = House(queue(agents="ann"), agents="ann").call("1").answer("1.1").answer("1.1")
    assert house.asked == []
    assert house.centre.contacts["1"].state == "active"


def test_an_answer_without_a_leg_does_not_hang_up_on_the_caller() -> None:
    house = House(queue(agents="ann"), agents="ann").call("1").tell(f.Answered, "1", "")
    assert house.asked == []
    assert isinstance(house.last[0], e.Refused)


def test_a_phone_that_can_not_be_reached_counts_as_missed() -> None:
    house = House(queue(agents="ann"), agents="ann").call("1").tell(f.OfferFailed, "1", "1.1", "unreachable")
    assert house.seen(e.OfferEnded)[0].how == "failed"
    assert house.seen(e.RestBegan)[0].missed == 1


def test_short_abandons_are_told_apart() -> None:
    house = House(queue(agents="", short_abandon=5.0)).call("1").call("2").after(4).hang_up("1")
    house.after(1).hang_up("2")
    assert [event.outcome for event in house.seen(e.ContactEnded)] == ["short_abandoned", "abandoned"]


# --- after the call ---


def test_wrap_up_keeps_the_agent_and_ends_by_itself() -> None:
    house = House(queue(agents="ann", wrap_up=10.0), agents="ann").call("1").answer("1.1").call("2")
    house.hang_up("1", "1.1")
    assert house.did(c.HangUp) == [c.HangUp("1", "", "hung up")]
    assert c.SetTimer("wrap:ann", house.now + 10) in house.asked
    assert house.state("ann") == "wrap_up"
    house.after(9).fire("wrap:ann")
    assert house.state("ann") == "wrap_up"
    assert house.asked == [c.SetTimer("wrap:ann", house.now + 1)]
    house.after(1).fire("wrap:ann")
    assert house.offers() == {"2.1": "ann"}
    assert "1" not in house.centre.contacts


def test_wrap_up_may_be_finished_early() -> None:
    house = (
        House(queue(agents="ann", wrap_up=10.0), agents="ann").call("1").answer("1.1").call("2").hang_up("1")
    )
    house.tell(f.WrapUpFinished, "ann")
    assert house.offers() == {"2.1": "ann"}


def test_a_pause_during_the_call_takes_effect_after_it() -> None:
    house = (
        House(queue(agents="ann"), agents="ann").call("1").answer("1.1").tell(f.AgentPaused, "ann", "lunch")
    )
    assert house.state("ann") == "on_contact"
    house.call("2").hang_up("1")
    assert house.state("ann") == "not_ready"
    assert not house.offers()


def test_facts_after_the_end_find_nobody_even_during_wrap_up() -> None:
    house = House(queue(agents="ann", wrap_up=10.0), agents="ann").call("1").answer("1.1").hang_up("1")
    house.tell(f.TransferAsked, "1", "1.1", "q")
    assert house.asked == [c.RefuseTransfer("1", "1.1", "not in the conversation")]
    for late in (f.PutOnHold, f.TakenOffHold, f.Answered, f.HungUp):
        assert isinstance(house.tell(late, "1", "1.1").last[0], e.Refused)
    assert house.state("ann") == "wrap_up"


def test_an_agent_removed_and_configured_anew_does_no_wrap_up_for_the_old_call() -> None:
    house = House(queue(agents="ann", wrap_up=10.0), agents="ann").call("1").answer("1.1")
    house.tell(f.AgentRemoved, "ann").tell(f.AgentChanged, AgentSpec("ann")).tell(f.PhoneRegistered, "ann")
    house.tell(f.AgentReady, "ann").hang_up("1")
    assert house.state("ann") == "ready"
    assert not house.centre.contacts


# --- numbers that are no queue ---


def test_a_number_rings_its_agent() -> None:
    house = House(agents="ann").number("201", Destination("agent", "ann", record=True)).call("1", "201")
    assert house.did(c.Ring) == [c.Ring("1", "1.1", Destination("agent", "ann", record=True), 60.0)]
    house.tell(f.Rang, "1", "1.1")
    assert house.asked == [c.RingBack("1")]
    house.answer("1.1")
    assert house.asked[:3] == [c.Answer("1"), c.Mix("1", bridge("1", "1.1")), c.Record("1", "1.1")]
    assert house.call("2", "201").asked[0] == c.Refuse("2", "busy")
    assert house.call("3", "unknown").asked[0] == c.Refuse("3", "not_found")
    house.hang_up("1").tell(f.PhoneUnregistered, "ann")
    assert house.call("4", "201").asked[0] == c.Refuse("4", "unavailable")


def test_an_agent_who_lets_it_ring_is_no_answer() -> None:
    house = House(agents="ann").number("201", Destination("agent", "ann")).call("1", "201")
    house.after(60).fire("offer:1.1")
    assert house.asked[0] == c.CancelRing("1", "1.1")
    assert c.Refuse("1", "no_answer") in house.asked
    assert house.state("ann") == "ready"


def test_a_phone_outside_takes_as_many_calls_as_come() -> None:
    house = House().number("300", Destination("phone", "sip:expert@example.org"))
    house.call("1", "300").call("2", "300").answer("1.1").answer("2.1")
    assert [who.state for who in house.centre.contacts.values()] == ["active", "active"]
    house.hang_up("1", "1.1")
    assert house.asked[0] == c.HangUp("1", "", "hung up")


def test_a_number_that_plays_music() -> None:
    house = House().number("400", Destination("music", "default")).call("1", "400")
    assert house.asked == [c.Answer("1"), c.Mix("1", {"1": {"sound:default": 1.0}})]
    assert house.hang_up("1").seen(e.ContactEnded)[0].outcome == "answered"


# --- agents who call ---


def test_an_agent_calls_somebody_outside_and_is_busy_meanwhile() -> None:
    house = House(queue(agents="ann"), agents="ann").call("out", "", agent="ann", outside=True)
    assert house.did(c.Ring)[0].target == Destination("line")
    assert house.state("ann") == "on_contact"
    assert not house.call("1").did(c.Ring)
    house.tell(f.Answered, "out", "out")
    assert house.asked[:2] == [c.Answer("out", "out.1"), c.Mix("out", bridge("out", "out.1"))]
    house.hang_up("out", "out.1")
    assert house.offers() == {"1.1": "ann"}
    assert house.seen(e.ContactBegan)[0].direction == "outbound"


def test_an_agent_who_calls_while_offered_gives_the_offer_up() -> None:
    house = (
        House(queue(agents="ann bob"), agents="ann bob").number("bob", Destination("agent", "bob")).call("1")
    )
    house.call("own", "bob", agent="ann")
    assert house.asked[0] == c.CancelRing("1", "1.1")
    # bob is rung by the one or the other, never by both
    assert sorted(house.offers().values(), key=str) == ["bob"]
    assert house.seen(e.ContactBegan)[1].direction == "internal"


# --- hold and transfer ---


def test_hold_plays_music_and_back() -> None:
    house = House(queue(agents="ann", music="waltz"), agents="ann").call("1").answer("1.1")
    assert house.tell(f.PutOnHold, "1", "1.1").asked == [c.Mix("1", {"1": {"sound:waltz": 1.0}, "1.1": {}})]
    assert isinstance(house.tell(f.PutOnHold, "1", "1.1").last[0], e.Refused)
    assert house.tell(f.TakenOffHold, "1", "1.1").asked == [c.Mix("1", bridge("1", "1.1"))]


def test_blind_transfer_frees_the_agent_and_the_wait_begins_anew() -> None:
    house = House(queue(agents="ann"), queue("b", "bob"), agents="ann bob").call("1").answer("1.1")
    house.call("2").after(50).tell(f.TransferAsked, "1", "1.1", "b")
    assert house.asked[0] == c.AcceptTransfer("1", "1.1")
    assert house.offers() == {"2.1": "ann", "1.2": "bob"}
    assert house.centre.contacts["1"].since == house.now
    house.hang_up("1", "1.1")  # the old phone's goodbye
    assert isinstance(house.last[0], e.Refused)
    house.answer("1.2").hang_up("1")
    assert house.seen(e.ContactEnded)[-1].outcome == "answered"


@pytest.mark.parametrize(
    ("number", "cause"),
    [("nobody", "not_found"), ("201", "busy"), ("202", "unavailable"), ("busy", "declined")],
)
def test_a_transfer_that_can_not_be_leaves_the_caller_with_the_agent(number: str, cause: str) -> None:
    house = House(queue(agents="ann"), agents=[AgentSpec("ann")]).tell(f.AgentChanged, AgentSpec("bob"))
    house.number("201", Destination("agent", "ann")).number("202", Destination("agent", "bob"))
    house.number("busy", Destination("hang_up", "busy")).call("1").answer("1.1")
    house.tell(f.TransferAsked, "1", "1.1", number)
    assert house.asked == [c.RefuseTransfer("1", "1.1", cause)]
    assert house.centre.contacts["1"].state == "active"


def test_transfer_to_somebody_outside() -> None:
    house = House(queue(agents="ann"), agents="ann").call("1").answer("1.1")
    house.tell(f.TransferAsked, "1", "1.1", "", outside=True)
    assert house.did(c.Ring) == [c.Ring("1", "1.2", Destination("line"), 60.0)]


# --- tenants ---


def test_two_tenants_know_nothing_of_each_other() -> None:
    one, other = House(queue(agents="ann"), agents="ann"), House(queue(agents="ann"), agents="ann")
    one.call("1").answer("1.1")
    assert other.state("ann") == "ready"
    other.call("1")
    assert other.offers() == {"1.1": "ann"}
    assert one.state("ann") == "on_contact"
    one.hang_up("1")
    assert other.offers() == {"1.1": "ann"}
