"""The desk: what can't be decided or written is put aside, and all else goes on."""

import asyncio
import math
from pathlib import Path

import pytest

from centrala.core import facts as f
from centrala.core.centre import DECIDE
from centrala.core.specs import Destination, QueueSpec
from centrala.desk import Desk, Held
from centrala.ledger import open_log, recover

pytestmark = pytest.mark.unit


def test_a_fact_that_cannot_be_written_is_put_aside_and_changes_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        with open_log(tmp_path / "data") as log:
            desk = Desk(log)
            desk.open("acme")
            desk.tell("acme", f.QueueChanged(1.0, QueueSpec("sales")))
            desk.tell("acme", f.QueueChanged(2.0, QueueSpec("support", ring_timeout=math.inf)))
            desk.tell("acme", f.NumberChanged(3.0, "100", Destination("queue", "sales")))
            await asyncio.sleep(0.05)
            centre = desk.mailboxes["acme"].centre
            assert list(centre.queues) == ["sales"]
            assert list(centre.numbers) == ["100"]
            await desk.stop()
            assert recover(log, "acme").centre == centre

    asyncio.run(test())


def test_a_fact_that_trips_over_a_bug_of_ours_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(centre: object, fact: f.AgentReady) -> None:
        raise AssertionError("a bug")

    monkeypatch.setitem(DECIDE, f.AgentReady, broken)

    async def test() -> None:
        with open_log(tmp_path / "data") as log:
            desk = Desk(log)
            desk.open("acme")
            desk.tell("acme", f.QueueChanged(1.0, QueueSpec("sales")))
            desk.tell("acme", f.AgentReady(2.0, "alice"))
            desk.tell("acme", f.QueueChanged(3.0, QueueSpec("support")))
            await asyncio.sleep(0.05)
            assert list(desk.mailboxes["acme"].centre.queues) == ["sales", "support"]
            await desk.stop()
            assert list(recover(log, "acme").centre.queues) == ["sales", "support"]

    asyncio.run(test())


def test_nothing_is_released_before_what_led_to_it_is_committed(tmp_path: Path) -> None:
    class Channel:
        def __init__(self) -> None:
            self.ready = False
            self.seen: list[list[str]] = []

        def collect(self) -> Held:
            if not self.ready:
                return Held()
            self.ready = False
            return Held(release=lambda: self.seen.append(list(recover(log, "acme").centre.queues)))

    async def test() -> None:
        desk = Desk(log)
        desk.open("acme")
        channel = Channel()
        desk.outlets.append(channel)
        for name in ("sales", "support", "claims"):
            desk.tell("acme", f.QueueChanged(desk.now(), QueueSpec(name)))
            channel.ready = True
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        assert [len(queues) >= number for number, queues in enumerate(channel.seen, 1)] == [True] * 3
        await desk.stop()

    with open_log(tmp_path / "data") as log:
        asyncio.run(test())


def test_catching_up_decides_at_once_what_was_told(tmp_path: Path) -> None:
    async def test() -> None:
        with open_log(tmp_path / "data") as log:
            desk = Desk(log)
            desk.open("acme")
            desk.tell("acme", f.QueueChanged(desk.now(), QueueSpec("sales")))
            assert not desk.mailboxes["acme"].centre.queues
            desk.catch_up()
            assert list(desk.mailboxes["acme"].centre.queues) == ["sales"]
            await desk.stop()

    asyncio.run(test())
