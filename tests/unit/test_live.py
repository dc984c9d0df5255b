"""The live view against the core's own state, and its figures against a count over the whole history."""

import random
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Callbacks, Destination, FlowSpec, QueueSpec
from centrala.ledger.metrics import Counts, value
from centrala.live import RECENT, Board, Live
from centrala.testing.clock import Clock

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("Europe/Warsaw")
MIDNIGHT = 1_794_956_400.0  # 2026-11-18 00:00 in Warsaw
NOON = MIDNIGHT + 12 * 3600


class House:
    """A core under a clock that obeys, watched by a live view; keeps all events."""

    def __init__(
        self, *queues: QueueSpec, agents: Sequence[str] = ("ania", "bartek"), at: float = NOON
    ) -> None:
        self.clock = Clock(at)
        self.centre = Centre()
        self.live = Live(ZONE)
        self.history: list[e.Event] = []
        self.timers: dict[str, float] = {}
        for queue in queues:
            self.tell(f.QueueChanged(self.clock(), queue))
            self.tell(f.NumberChanged(self.clock(), f"n-{queue.id}", Destination("queue", queue.id)))
        for agent in agents:
            self.tell(f.AgentChanged(self.clock(), AgentSpec(agent, agent.title(), ready_on_register=True)))

    def tell(self, fact: f.Fact) -> None:
        events, commands = step(self.centre, fact)
        self.history += events
        self.live.take(self.centre, events)
        for command in commands:
            if isinstance(command, c.SetTimer):
                self.timers[command.timer] = command.at
                self.clock.at(command.at, lambda one=command: self._fire(one))  # type: ignore[misc]
            elif isinstance(command, c.CancelTimer):
                self.timers.pop(command.timer, None)

    def _fire(self, timer: c.SetTimer) -> None:
        if self.timers.get(timer.timer) == timer.at:
            del self.timers[timer.timer]
            self.tell(f.TimerFired(self.clock(), timer.timer))

    def view(self) -> Board:
        return self.live.view(self.centre, self.clock())

    def arrive(self, contact: str, queue: str = "sales") -> None:
        self.tell(f.ContactArrived(self.clock(), contact, f"n-{queue}"))

    def register(self, agent: str) -> None:
        self.tell(f.PhoneRegistered(self.clock(), agent))

    def answer(self, contact: str) -> None:
        leg = next(iter(self.centre.contacts[contact].offers))
        self.tell(f.Answered(self.clock(), contact, leg))


def counts(of: Counts) -> tuple[int, int, int, int, int]:
    """Offered, served, in time, abandoned, abandoned early."""
    return of.offered, of.served, of.in_time, of.abandoned, of.early


SALES = QueueSpec("sales", agents=("ania", "bartek"), service_level=(0.8, 20.0), wrap_up=5.0)


def test_a_call_from_its_arrival_to_the_wrap_up() -> None:
    house = House(SALES)
    house.arrive("c1")
    house.clock.move(12)
    queue = house.view().queues[0]
    assert [(one.contact, one.wait, one.ringing) for one in queue.waiting] == [("c1", 12.0, ())]
    assert (queue.longest_wait, queue.talking, queue.staffed, queue.free) == (12.0, 0, 0, 0)

    house.register("ania")
    house.clock.move(2)
    view = house.view()
    assert view.queues[0].waiting[0].ringing == ("ania",)
    assert view.agents[0].state == "offered"
    assert view.agents[0].contact == "c1"

    house.answer("c1")
    house.clock.move(30)
    view = house.view()
    assert (view.queues[0].waiting, view.queues[0].talking) == ((), 1)
    agent = view.agents[0]
    assert (agent.state, agent.name, agent.contact, agent.queue) == ("on_contact", "Ania", "c1", "sales")
    assert view.at - agent.since == 30

    house.tell(f.HungUp(house.clock(), "c1"))
    house.clock.move(3)
    view = house.view()
    assert (view.agents[0].state, view.at - view.agents[0].since) == ("wrap_up", 3)
    assert view.queues[0].talking == 0
    assert counts(view.queues[0].today) == (1, 1, 1, 0, 0)
    assert (view.queues[0].today.talk_s, view.queues[0].today.answer_s) == (30, 14)
    house.clock.move(5)
    assert house.view().agents[0].state == "ready"
    assert [line.text for line in house.view().lines if line.kind == "Connected"] == [
        "sales: Ania answers after 14 s"
    ]


def test_the_service_level_leaves_out_who_gave_up_within_the_threshold() -> None:
    """SL_C = answered in time / (answered + abandoned - abandoned in time), worked out by hand."""
    house = House(SALES, agents=("ania",))
    for contact, wait, served in (("a", 10, True), ("b", 25, True), ("c", 8, False), ("d", 40, False)):
        house.arrive(contact)
        house.clock.move(wait)
        if served:
            house.register("ania")
            house.answer(contact)
            house.tell(f.PhoneUnregistered(house.clock(), "ania"))
        house.tell(f.HungUp(house.clock(), contact))
        house.clock.move(10)
    figures = house.view().queues[0].today
    assert counts(figures) == (4, 2, 1, 2, 1)
    assert figures.service_level == pytest.approx(1 / (2 + 2 - 1))


def test_now_forgets_after_half_an_hour_and_today_at_midnight() -> None:
    house = House(SALES, at=MIDNIGHT + 24 * 3600 - RECENT - 300)
    house.arrive("a")
    house.tell(f.HungUp(house.clock(), "a"))
    house.clock.move(RECENT - 61)
    assert counts(house.view().queues[0].now) == (1, 0, 0, 1, 1)
    house.clock.move(62)
    queue = house.view().queues[0]
    assert queue.now == Counts()
    assert queue.now.service_level is None
    assert queue.today.offered == 1
    house.clock.move(300)
    assert house.view().queues[0].today == Counts()


def test_hold_and_signing_out_are_seen() -> None:
    house = House(SALES)
    house.register("ania")
    house.arrive("a")
    house.answer("a")
    leg = house.centre.contacts["a"].leg
    assert leg is not None
    house.tell(f.PutOnHold(house.clock(), "a", leg))
    assert house.view().agents[0].state == "held"
    house.tell(f.TakenOffHold(house.clock(), "a", leg))
    assert house.view().agents[0].state == "on_contact"
    assert house.view().agents[1].state == "logged_out"


@pytest.mark.parametrize("seed", range(12))
def test_random_worlds_are_shown_as_they_are(seed: int) -> None:
    """After each step the view equals a scan of the core's state; in the end the figures equal a scan of history."""
    chance = random.Random(seed)
    queues = (
        QueueSpec("sales", agents=("ania", "bartek", "celina"), wrap_up=3.0, max_wait=30.0, service_level=(0.8, 6)),
        QueueSpec("help", agents=("bartek", "celina"), strategy="ring_all", wrap_up=0.0, service_level=(0.8, 9),
                  after_max_wait=Destination("queue", "sales"), max_wait=15.0),
    )  # fmt: skip
    house = House(*queues, agents=("ania", "bartek", "celina"))
    names: list[str] = []
    for number in range(400):
        house.clock.move(chance.choice((0, 0.5, 2.0)))
        at = house.clock()
        there = [one.id for one in house.centre.contacts.values() if one.offers or one.state == "active"]
        contact = chance.choice(there if there and chance.random() < 0.8 else [*names, "nobody"])
        known = house.centre.contacts.get(contact)
        legs = [*known.offers, known.leg or ""] if known is not None else [""]
        agent = chance.choice(("ania", "bartek", "celina"))
        match chance.randrange(14):
            case 0 | 1 | 2:
                names.append(f"c{number}")
                house.arrive(names[-1], chance.choice(("sales", "help")))
            case 3 | 4 | 5:
                house.tell(f.Answered(at, contact, chance.choice(legs)))
            case 6:
                house.tell(f.HungUp(at, contact, chance.choice([*legs, ""])))
            case 7:
                house.tell(f.HungUp(at, contact))
            case 8:
                house.tell(f.OfferFailed(at, contact, chance.choice(legs), "busy"))
            case 9:
                house.tell(
                    f.TransferAsked(at, contact, chance.choice(legs), chance.choice(("n-sales", "n-help")))
                )
            case 10:
                house.tell(f.PhoneUnregistered(at, agent))
            case _:
                house.register(agent)
        _matches_state(house)
    assert {queue.id: counts(queue.today) for queue in house.view().queues} == _figures(house)
    assert sum(queue.today.served for queue in house.view().queues) > 10


def _matches_state(house: House) -> None:
    view = house.view()
    contacts = house.centre.contacts.values()
    for queue in view.queues:
        waiting = {one.id for one in contacts if one.queue == queue.id and one.state in ("queued", "offered")}
        assert {one.contact for one in queue.waiting} == waiting
        talking = [one for one in contacts if one.leg_queue == queue.id and one.state in ("active", "held")]
        assert queue.talking == len(talking)
        members = [house.centre.agents[one].state for one in house.centre.queues[queue.id].members]
        busy = ("on_contact", "held", "offered")
        away = ("not_ready", "resting", "unreachable")
        assert queue.bar == (
            members.count("ready"),
            sum(one in busy for one in members),
            members.count("wrap_up"),
            sum(one in away for one in members),
        )
    for agent in view.agents:
        core = house.centre.agents[agent.id]
        assert agent.state == core.state
        clock = house.live.memory.agents[agent.id]
        assert clock.state.partition(":")[0] == core.state
        assert agent.since <= view.at


def _figures(house: House) -> dict[str, tuple[int, ...]]:
    """By a look at each contact's whole story, one after the other."""
    sums = {name: [0, 0, 0, 0, 0] for name in house.centre.queues}
    for contact in {one.contact for one in house.history if isinstance(one, e.ContactBegan)}:
        where: str | None = None
        since = 0.0
        for event in house.history:
            if getattr(event, "contact", None) != contact:
                continue
            in_time = (
                where is not None and event.at - since <= house.centre.queues[where].spec.service_level[1]
            )
            if isinstance(event, e.Queued):
                where, since = event.queue, event.since
                sums[where][0] += 1
            elif isinstance(event, e.Connected) and where is not None:
                sums[where][1] += 1
                sums[where][2] += in_time
                where = None
            elif isinstance(event, e.ContactEnded) and where is not None:
                if event.outcome in ("abandoned", "short_abandoned"):
                    sums[where][3] += 1
                    sums[where][4] += in_time
                where = None
            elif isinstance(event, e.Overflowed):
                where = None
    return {name: tuple(numbers) for name, numbers in sums.items()}


# --- what is owed ---


def asks_back(house: House, contact: str, caller: str = "x") -> None:
    now = house.clock()
    house.tell(f.CallbackAsked(now, contact, "sales", party="p", caller=caller))


def test_a_callback_counts_for_itself_and_not_among_those_who_hold() -> None:
    house = House(SALES)
    asks_back(house, "b1")
    queue = house.view().queues[0]
    assert (queue.callbacks, queue.waiting) == (1, ())
    assert (queue.today.promised, queue.today.offered) == (1, 0)
    house.clock.move(100)
    house.register("ania")
    house.answer("b1")  # her own phone
    assert house.view().queues[0].today.reached == 0
    assert house.view().queues[0].callbacks == 1
    house.clock.move(5)
    house.tell(f.Answered(house.clock(), "b1", "b1"))
    queue = house.view().queues[0]
    assert (queue.callbacks, queue.talking) == (0, 1)
    assert (queue.today.reached, queue.today.callback_s) == (1, pytest.approx(105.0))
    house.clock.move(60)
    house.tell(f.HungUp(house.clock(), "b1"))
    today = house.view().queues[0].today
    assert counts(today) == (0, 0, 0, 0, 0)
    assert (today.handled, today.talk_s) == (1, pytest.approx(60.0))
    assert house.live.memory.owed == {}


def test_callbacks_that_come_to_nothing() -> None:
    house = House(
        QueueSpec("sales", agents=("ania",), wrap_up=0.0, callbacks=Callbacks(attempts=1, expires=600.0))
    )
    asks_back(house, "late", "one")
    house.clock.move(601)
    asks_back(house, "gone", "two")
    house.register("ania")
    house.answer("gone")
    house.tell(f.OfferFailed(house.clock(), "gone", "gone", "busy"))
    asks_back(house, "not", "three")
    house.tell(f.CallbackDropped(house.clock(), "not", ""))
    queue = house.view().queues[0]
    today = queue.today
    assert (today.promised, today.expired, today.unreached, today.reached) == (3, 1, 1, 0)
    assert (queue.callbacks, queue.talking, queue.waiting) == (0, 0, ())
    assert value("callback_rate", today) == 0.0


def test_who_gets_through_by_themselves_replaces_it() -> None:
    house = House(SALES)
    asks_back(house, "b1", "x")
    house.tell(f.ContactArrived(house.clock(), "c1", "n-sales", caller="x"))
    queue = house.view().queues[0]
    assert (queue.today.replaced, queue.callbacks, len(queue.waiting)) == (1, 0, 1)


def test_memory_with_what_is_owed_survives_a_restart() -> None:
    house = House(SALES)
    asks_back(house, "b1")
    again = Live.restored(ZONE, house.live.stored(), house.centre)
    assert again.memory == house.live.memory
    assert again.view(house.centre, house.clock()).queues[0].callbacks == 1


def test_who_takes_a_callback_is_neither_served_nor_lost() -> None:
    graph = """{"format": 1, "start": "ask", "nodes": {
        "ask": {"type": "callback", "exits": {"booked": "bye", "no_number": "bye", "failed": "bye"}},
        "bye": {"type": "hang_up"}}}"""
    house = House(
        QueueSpec("sales", agents=("ania",), short_abandon=1.0, keys={"1": Destination("flow", "back")})
    )
    house.tell(f.FlowPublished(house.clock(), FlowSpec("back", 1, graph)))
    house.tell(f.ContactArrived(house.clock(), "c1", "n-sales", "c1", caller="x"))
    house.clock.move(40)
    house.tell(f.DigitPressed(house.clock(), "c1", Private("1")))
    assert "c1" not in house.centre.contacts
    ended = next(one for one in house.history if isinstance(one, e.ContactEnded))
    assert (ended.contact, ended.outcome) == ("c1", "callback")
    queue = house.view().queues[0]
    assert counts(queue.today) == (1, 0, 0, 0, 0)
    assert (queue.callbacks, queue.waiting, queue.today.promised) == (1, (), 1)
    assert queue.today.service_level is None
    house.clock.move(20)
    house.register("ania")
    (name,) = house.centre.contacts
    house.answer(name)
    house.tell(f.Answered(house.clock(), name, name))
    today = house.view().queues[0].today
    assert today.reached == 1
    assert today.callback_s == pytest.approx(60.0), "from when they began to hold"
    assert value("callback_wait", today) == pytest.approx(60.0)
