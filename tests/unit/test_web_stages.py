"""A queue's open stage on boards: since when, why, for whom; the same to who folds changes as to who comes new."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.specs import AgentSpec, Destination, QueueSpec, Widen
from centrala.live import Live
from centrala.settings.model import Queue, Tenant
from centrala.web.entities import World, queue_entity
from centrala.web.shown import OpenStage, QueueShown

pytestmark = pytest.mark.unit

START = 1_800_000_000.0
TENANT = Tenant("acme", "acme.example", queues={"q": Queue("q"), "b": Queue("b")})
AFTER_60 = Widen(after=60.0, needs={"english": 2})
AFTER_90 = Widen(after=90.0, needs={"english": 0}, queues=("b",))


class House:
    """A queue that asks for English, one whose agent has little of it, and a board."""

    def __init__(self, *stages: Widen) -> None:
        self.now = START
        self.centre = Centre()
        self.live = Live(ZoneInfo("Europe/Warsaw"))
        for agent in (AgentSpec("ann", skills={"english": 8}), AgentSpec("bob", skills={"english": 2})):
            self.step(f.AgentChanged(self.now, agent))
        self.step(f.QueueChanged(self.now, QueueSpec("q", needs={"english": 5}, widen=stages)))
        self.step(f.QueueChanged(self.now, QueueSpec("b", agents=("eve",))))
        self.step(f.NumberChanged(self.now, "1", Destination("queue", "q")))

    def step(self, fact: f.Fact) -> None:
        events, _ = step(self.centre, fact)
        self.live.take(self.centre, events)

    def call(self, *names: str) -> None:
        for name in names:
            self.step(f.ContactArrived(self.now, name, "1", name))

    def after(self, seconds: float, *timers: str) -> None:
        self.now += seconds
        for one in timers:
            self.step(f.TimerFired(self.now, f"widen:{one}"))

    def open(self, live: Live | None = None) -> dict[str, Any] | None:
        live = live or self.live
        world = World(self.centre, live.memory, TENANT, self.now)
        value = queue_entity(world, live.view_queue(self.centre, "q", self.now)).value
        QueueShown.model_validate(value)
        found: dict[str, Any] | None = value["open"]
        return found


def test_a_wait_opens_a_stage_for_itself_and_a_longer_one_the_next() -> None:
    house = House(AFTER_60, AFTER_90)
    house.call("1")
    house.after(10)
    house.call("2")
    assert house.open() is None
    house.after(50, "1")
    opened = {"stage": 1, "of": 2, "since": START + 60, "why": "wait", "contacts": 1, "agents": 1}
    assert house.open() == {**opened, "needs": {"english": 2}, "queues": []}
    house.after(12, "2")
    assert house.open() == {**opened, "contacts": 2, "needs": {"english": 2}, "queues": []}
    assert house.open(Live.restored(ZoneInfo("UTC"), house.live.stored(), house.centre)) == house.open(), (
        "a restart forgets nothing"
    )
    house.after(18, "1")
    found = house.open()
    assert found is not None
    OpenStage.model_validate(found)
    assert (found["stage"], found["since"], found["contacts"]) == (2, START + 90, 1)
    assert (found["needs"], found["queues"]) == ({"english": 0}, ["b"])
    house.step(f.HungUp(house.now, "1"))
    assert house.open() == {**opened, "since": START + 72, "needs": {"english": 2}, "queues": []}
    house.step(f.HungUp(house.now, "2"))
    assert house.open() is None


def test_a_long_queue_opens_a_stage_for_all() -> None:
    house = House(Widen(length=3, needs={"english": 2}))
    house.call("1")
    house.after(5)
    house.call("2")
    assert house.open() is None
    house.after(5)
    house.call("3", "4")
    found = house.open()
    assert found is not None
    assert (found["stage"], found["why"], found["since"], found["contacts"]) == (1, "length", START + 10, 4)
    for name in "1234":
        house.step(f.HungUp(house.now, name))
    assert house.open() is None, "nobody is there to whom it would be open"
