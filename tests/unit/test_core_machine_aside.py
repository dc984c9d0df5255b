"""Random worlds with telephones that make a second call, and with parking. See `test_core_machine`."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from test_core_machine import AGENTS, COMMON, NUMBERS, QUEUES, ConversationMachine, CoreMachine

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.mix import mix
from centrala.core.specs import Destination, ParkingSpec
from centrala.core.state import Contact

pytestmark = pytest.mark.unit

SLOTS = ("701", "702")
PARK = "700"
ENDS = ("second", "first", "customer", "joined by page", "dropped by page")


def in_two_calls(who: Contact, hears: c.Hears) -> None:
    """What is true of every matrix with a second call, in other words than `mix`'s."""
    second = who.second
    assert second is not None
    owner = who.parties[second.owner]
    if not second.talking:
        assert second.leg not in hears, "a call that we haven't answered hears something"
        return
    assert second.owner not in hears[second.leg], "the phone hears itself"
    assert second.leg not in hears[second.owner]
    if second.held:
        assert not hears[second.leg]
        assert all(second.leg not in row for row in hears.values())
    asked = who.parties[second.asked]
    if asked.role == "consult":
        assert second.leg not in hears[who.id], "the customer hears the consultation"
        assert second.owner not in hears[second.asked]
        if not (second.held or asked.held or owner.muted):
            assert hears[second.asked].get(second.leg) == 1.0
        if not (second.held or asked.held or asked.muted):
            assert hears[second.leg].get(second.asked) == 1.0
    elif not (second.held and owner.held) and not owner.muted and not asked.held and who.state == "active":
        assert {second.leg, second.owner} & set(hears[second.asked]), "the member doesn't hear the owner"


class Aside(CoreMachine):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    @initialize(timeout=st.sampled_from([30.0, 120.0]))
    def allow_parking(self, timeout: float) -> None:
        self.tell(f.ParkingChanged(self.now, ParkingSpec(SLOTS, PARK, timeout)))

    def new_leg(self, contact: str) -> str:
        self.calls += 1
        return f"{contact}.x{self.calls}"

    def check_contacts(self) -> None:
        super().check_contacts()
        slots = {who.slot: name for name, who in self.centre.contacts.items() if who.slot}
        assert self.centre.parked == slots, "the slots and those in them differ"
        for who in self.centre.contacts.values():
            if who.slot:
                assert who.state in ("parked", "offered")
                assert f"park:{who.id}" in self.world.timers
            if who.second is not None:
                assert who.leg == who.second.owner
                assert who.second.asked in who.parties, "a second call with nobody at its other end"
                in_two_calls(who, mix(self.centre, who))

    def owners(self) -> list[tuple[Contact, str]]:
        return [
            (who, who.leg_agent)
            for _, who in sorted(self.centre.contacts.items())
            if who.leg_agent is not None and who.state in ("active", "held")
        ]

    @precondition(lambda self: self.owners())
    @rule(
        which=st.integers(0, 99),
        by_phone=st.sampled_from([True, True, False]),
        number=st.sampled_from(
            ["free", "free", *AGENTS, "queue:q0", "queue:q1", *NUMBERS[:3], "nobody", PARK]
        ),
        outside=st.sampled_from([False, False, True]),
        then=st.sampled_from(["answers", "answers", "answers", "busy", "rings"]),
        after=st.lists(
            st.one_of(
                st.tuples(st.sampled_from(["hold", "resume"]), st.booleans()),
                st.tuples(st.sampled_from(["join", "end", "end", "end"]), st.integers(0, 4)),
            ),
            max_size=4,
        ),
    )
    def second_call(
        self, which: int, by_phone: bool, number: str, outside: bool, then: str, after: list[tuple[str, int]]
    ) -> None:
        """One that comes about, and what becomes of it: else they are rare."""
        owners = self.owners()
        who, agent = owners[which % len(owners)]
        assert who.leg is not None
        if number == "free":
            free = (
                n for n, one in self.centre.agents.items() if one.reachable and not (one.calls or one.offers)
            )
            number = next(free, "a4")
        if who.state == "active":
            self.tell(
                f.PutOnHold(self.now, who.id, who.leg) if by_phone else f.HoldAsked(self.now, who.id, agent)
            )
        leg = self.new_leg(who.id)
        self.tell(f.SecondCall(self.now, who.id, leg, agent, "" if outside else number, outside))
        who = self.centre.contacts[who.id]
        if who.second is None or who.second.leg != leg:
            assert self.world.phones[leg] == "over", "a call that nobody answers for"
            return
        asked = who.second.asked
        self.tell(f.Rang(self.now, who.id, asked))
        if then == "answers":
            self.tell(f.Answered(self.now, who.id, asked))
            assert self.world.phones[leg] == "talking"
        elif then == "busy":
            self.tell(f.OfferFailed(self.now, who.id, asked, "busy"))
            assert self.world.phones[leg] == "over"
            assert self.centre.contacts[who.id].state == "held", "the customer waits no more"
        for kind, how in after:
            if who.second is None or who.id not in self.centre.contacts:
                return
            match kind:
                case "hold" | "resume":
                    self.switch(who, kind == "hold", bool(how))
                case "join":
                    self.join(who, bool(how % 2))
                case _:
                    self.end_one(who, ENDS[how])

    def seconds(self) -> list[Contact]:
        return [who for _, who in sorted(self.centre.contacts.items()) if who.second is not None]

    @precondition(lambda self: self.seconds())
    @rule(which=st.integers(0, 99), held=st.booleans(), first=st.booleans())
    def switches(self, which: int, held: bool, first: bool) -> None:
        seconds = self.seconds()
        self.switch(seconds[which % len(seconds)], held, first)

    def switch(self, who: Contact, held: bool, first: bool) -> None:
        assert who.second is not None
        kind = f.PutOnHold if held else f.TakenOffHold
        self.tell(kind(self.now, who.id, who.second.owner if first else who.second.leg))

    @precondition(lambda self: self.seconds())
    @rule(which=st.integers(0, 99), on_first=st.booleans())
    def joins_them(self, which: int, on_first: bool) -> None:
        seconds = self.seconds()
        self.join(seconds[which % len(seconds)], on_first)

    def join(self, who: Contact, on_first: bool) -> None:
        second = who.second
        assert second is not None
        possible = on_first or second.talking
        self.tell(f.AttendedAsked(self.now, who.id, second.owner if on_first else second.leg))
        if possible:
            assert {self.world.phones[second.leg], self.world.phones[second.owner]} == {"over"}
            assert who.id in self.world.callers, "the customer was lost"

    @precondition(lambda self: self.seconds())
    @rule(which=st.integers(0, 99), kind=st.sampled_from(ENDS))
    def ends_one(self, which: int, kind: str) -> None:
        seconds = self.seconds()
        self.end_one(seconds[which % len(seconds)], kind)

    def end_one(self, who: Contact, kind: str) -> None:
        second = who.second
        assert second is not None
        match kind:
            case "second":
                self.tell(f.HungUp(self.now, who.id, second.leg))
                assert who.id in self.world.callers
            case "first":
                self.tell(f.HungUp(self.now, who.id, second.owner))
                assert who.id in self.world.callers
            case "customer":
                self.tell(f.HungUp(self.now, who.id))
                assert self.world.phones[second.leg] == "over"
            case "joined by page":
                self.tell(f.ConferenceAsked(self.now, who.id, second.agent))
            case _:
                self.tell(f.DropAsked(self.now, who.id, second.agent, second.asked))

    # --- parking ---

    @precondition(lambda self: self.owners())
    @rule(
        which=st.integers(0, 99),
        how=st.sampled_from(["page", "phone", "slot", "hand over"]),
        then=st.sampled_from(["", "dials", "picks", "picks, dials", "time", "picks, time"]),
        agent=st.sampled_from(AGENTS),
    )
    def parks(self, which: int, how: str, then: str, agent: str) -> None:
        """One that comes about, and what becomes of it."""
        self.park(which, how)
        if not self.centre.parked:
            return
        for one in then.split(", "):
            if one == "picks":
                self.picks_up(which, agent, None)
            elif one == "dials" and self.centre.parked:
                self.dials_slot(which, AGENTS[which % len(AGENTS)])
            elif one == "time":
                self.time_passes(100.0, which % 2 == 0)

    def park(self, which: int, how: str) -> None:
        owners = self.owners()
        who, agent = owners[which % len(owners)]
        assert who.leg is not None
        match how:
            case "page":
                self.tell(f.ParkAsked(self.now, who.id, agent))
            case "hand over":
                self.tell(f.HandOverAsked(self.now, who.id, agent, PARK))
            case _:
                number = PARK if how == "phone" else SLOTS[which % 2]
                self.tell(f.TransferAsked(self.now, who.id, who.leg, number))

    @precondition(lambda self: self.centre.parked)
    @rule(which=st.integers(0, 99), agent=st.sampled_from([*AGENTS, "stranger"]))
    def calls_slot(self, which: int, agent: str) -> None:
        self.dials_slot(which, agent)

    def dials_slot(self, which: int, agent: str) -> None:
        slot = sorted(self.centre.parked)[which % len(self.centre.parked)]
        contact = self.centre.parked[slot]
        leg = self.new_leg(contact)
        free = agent in self.centre.agents and not self.centre.agents[agent].calls
        self.tell(f.SlotCalled(self.now, contact, leg, agent))
        assert self.world.phones[leg] == ("talking" if free else "over")
        if free:
            assert self.centre.contacts[contact].leg == leg
            assert slot not in self.centre.parked

    @precondition(lambda self: self.centre.parked)
    @rule(
        which=st.integers(0, 99),
        agent=st.sampled_from(AGENTS),
        then=st.sampled_from(["answers", "declines", None]),
    )
    def is_picked_up(self, which: int, agent: str, then: str | None) -> None:
        self.picks_up(which, agent, then)

    def picks_up(self, which: int, agent: str, then: str | None) -> None:
        slot = sorted(self.centre.parked)[which % len(self.centre.parked)]
        contact = self.centre.parked[slot]
        self.tell(f.PickUpAsked(self.now, contact, agent))
        for leg in self.world.phones_that("ringing"):
            if leg.startswith(f"{contact}.") and then is not None:
                kind = f.Answered if then == "answers" else f.OfferFailed
                more = () if then == "answers" else ("declined",)
                self.tell(kind(self.now, contact, leg, *more))

    @rule(slots=st.sampled_from([SLOTS, SLOTS[:1], ()]))
    def changes_parking(self, slots: tuple[str, ...]) -> None:
        self.tell(f.ParkingChanged(self.now, ParkingSpec(slots, PARK, 60.0)))
        self.tell(f.ParkingChanged(self.now, ParkingSpec(SLOTS, PARK, 60.0)))

    @rule(fact=st.sampled_from([f.SecondCall, f.SlotCalled]))
    def lost_race(self, fact: Any) -> None:
        """The contact was over before the call could be told."""
        leg = self.new_leg("nobody")
        more = ("a0", "a1") if fact is f.SecondCall else ("a0",)
        self.tell(fact(self.now, "nobody", leg, *more))
        assert self.world.phones[leg] == "over"


class AsideMachine(Aside, ConversationMachine):
    """Where nobody changes the house and most callers are answered."""


TestAside = AsideMachine.TestCase
TestAside.settings = settings(max_examples=150, stateful_step_count=50, **COMMON)

TestAsideAnywhere = Aside.TestCase
TestAsideAnywhere.settings = settings(max_examples=120, stateful_step_count=50, **COMMON)


# --- cases by hand ---


class House(AsideMachine):
    """The machine as a place to tell facts one by one, with all of its checks."""

    def __init__(self) -> None:
        super().__init__()
        self.furnish(())
        self.allow_parking(120.0)

    def talk(self, number: str = NUMBERS[0]) -> Contact:
        contact = f"c{len(self.began)}"
        self.tell(f.ContactArrived(self.now, contact, number))
        leg = next(leg for leg in self.world.phones_that("ringing") if leg.startswith(f"{contact}."))
        self.tell(f.Answered(self.now, contact, leg))
        return self.centre.contacts[contact]

    def ask(self, who: Contact, whom: str) -> str:
        """A second call that is answered; the leg of who is asked."""
        assert who.leg is not None
        assert who.leg_agent is not None
        self.tell(f.PutOnHold(self.now, who.id, who.leg))
        self.tell(f.SecondCall(self.now, who.id, self.new_leg(who.id), who.leg_agent, whom))
        assert who.second is not None
        asked = who.second.asked
        self.tell(f.Answered(self.now, who.id, asked))
        return asked


def music(row: dict[str, float]) -> bool:
    return [source.startswith("sound:") for source in row] == [True]


def test_the_second_call_is_the_owners_place_in_the_consultation() -> None:
    house = House()
    who = house.talk()
    asked = house.ask(who, "a3")
    assert who.second is not None
    hears = mix(house.centre, who)
    assert hears[who.second.leg] == {asked: 1.0}
    assert hears[asked] == {who.second.leg: 1.0}
    assert music(hears[who.id])
    assert hears[who.second.owner] == {}


def test_a_phone_that_mixes_three_itself_is_the_only_bridge() -> None:
    house = House()
    who = house.talk()
    asked = house.ask(who, "a3")
    assert who.second is not None
    house.tell(f.TakenOffHold(house.now, who.id, who.second.owner))
    hears = mix(house.centre, who)
    assert hears[who.id] == {who.second.owner: 1.0}
    assert hears[who.second.owner] == {who.id: 1.0}
    assert hears[asked] == {who.second.leg: 1.0}
    assert hears[who.second.leg] == {asked: 1.0}


def test_the_page_joins_whom_the_phone_has_called() -> None:
    house = House()
    who = house.talk()
    asked = house.ask(who, "a3")
    assert who.second is not None
    house.tell(f.ConferenceAsked(house.now, who.id, who.second.agent))
    hears = mix(house.centre, who)
    assert set(hears[who.id]) == {asked, who.second.leg}
    assert set(hears[asked]) == {who.id, who.second.leg}
    assert set(hears[who.second.leg]) == {who.id, asked}


def test_who_parked_is_rung_when_nobody_picks_up_and_then_the_queue() -> None:
    house = House()
    who = house.talk()
    agent = who.leg_agent
    assert agent is not None
    house.tell(f.ParkAsked(house.now, who.id, agent))
    assert (who.state, who.slot) == ("parked", "701")
    assert music(mix(house.centre, who)[who.id])
    assert house.centre.agents[agent].idle, "whoever parked isn't free"
    house.time_passes(100.0, late=False)
    assert who.state == "parked"
    house.time_passes(30.0, late=False)
    assert [offer.agent for offer in who.offers.values()] == [agent]
    assert not who.slot
    house.tell(f.OfferFailed(house.now, who.id, next(iter(who.offers)), "no_answer"))
    assert who.queue == QUEUES[0]


def test_who_parked_is_busy_and_there_is_no_queue_to_go_back_to() -> None:
    house = House()
    house.tell(f.NumberChanged(house.now, "direct", Destination("agent", "a0")))
    house.tell(f.ContactArrived(house.now, "c0", "direct"))
    house.tell(f.Answered(house.now, "c0", "c0.1"))
    house.tell(f.ParkAsked(house.now, "c0", "a0"))
    house.tell(f.ContactArrived(house.now, "c1", "direct"))
    house.tell(f.Answered(house.now, "c1", "c1.1"))
    house.time_passes(130.0, late=False)
    assert house.centre.contacts["c0"].slot == "701"
    house.tell(f.HungUp(house.now, "c1", "c1.1"))
    house.time_passes(130.0, late=False)
    assert [offer.agent for offer in house.centre.contacts["c0"].offers.values()] == ["a0"]


def test_all_slots_are_taken() -> None:
    house = House()
    parked = [house.talk() for _ in range(3)]
    for who in parked:
        assert who.leg_agent is not None
        house.tell(f.ParkAsked(house.now, who.id, who.leg_agent))
    assert [who.slot for who in parked] == ["701", "702", ""]
    assert parked[2].state == "active", "who can't be parked stays in the conversation"
