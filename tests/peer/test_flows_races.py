"""Callers who leave a flow at any moment, keys that are heard twice, restarts in between: nothing leaks, nothing hangs.

The centre runs in this process, so that its tables can be looked into when all is over.
"""

import asyncio
import os
import random
import signal
import wave
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_races import House, Quick, nothing_is_left, until

from centrala.core.state import Contact
from centrala.media import messages as m
from centrala.server import Server
from centrala.testing import voices
from centrala.testing.phone import Call, Phones

pytestmark = pytest.mark.peer

NUMBER = "500"
TONES = {"hello": (500, 0.6), "menu": (600, 1.0), "beep": (1300, 0.3), "long": (1500, 6.0)}
BYE = {"type": "hang_up"}


def play(name: str, then: str, **more: Any) -> dict[str, Any]:
    return {"type": "play", "sound": name, "exits": {"next": then}, **more}


EVERYTHING: dict[str, Any] = {
    "hello": play("hello", "words"),
    "words": {"type": "say", "prompt": ["The weather is fine {contact.dialled}"], "exits": {"next": "main"}},
    "main": {
        "type": "menu",
        "prompt": [{"sound": "menu"}],
        "timeout": 3,
        "exits": {
            "1": "code",
            "2": "pin",
            "3": "leave",
            "4": "wait",
            "5": "ring",
            "6": "inner",
            "7": "ask",
            "timeout": "bye",
            "invalid": "bye",
        },
    },
    "code": {
        "type": "collect",
        "prompt": [{"sound": "menu"}],
        "variable": "code",
        "most": 4,
        "exits": {"next": "main", "timeout": "bye", "invalid": "bye"},
    },
    "pin": {
        "type": "collect",
        "prompt": [{"sound": "menu"}],
        "variable": "pin",
        "least": 2,
        "most": 8,
        "secret": True,
        "exits": {"next": "main", "timeout": "bye", "invalid": "bye"},
    },
    "leave": {
        "type": "record",
        "prompt": [{"sound": "beep"}],
        "variable": "message",
        "silence": 3,
        "exits": {"next": "main", "empty": "main"},
    },
    "wait": {"type": "queue", "queue": "sales"},
    "ring": {"type": "transfer", "agent": "agent1", "exits": {"failed": "main"}},
    "inner": {"type": "flow", "flow": "inner", "exits": {"else": "main"}},
    "ask": {
        "type": "http",
        "url": "http://127.0.0.1:9/{code}",
        "timeout": 3,
        "exits": {"next": "main", "failed": "main"},
    },
    "bye": BYE,
}
INNER = {"hello": play("hello", "back"), "back": {"type": "return", "exit": "done"}}


@asynccontextmanager
async def house(
    folder: Path, nodes: dict[str, Any] = EVERYTHING, kind: type[Server] = Quick, **flows: Any
) -> AsyncIterator[House]:
    it = House(folder, kind)
    tenant = it.file["tenants"]["acme"]
    tenant["queues"]["sales"]["record"] = False
    tenant["trunks"]["home"] = {"network": "127.0.0.1/32"}
    tenant["flows"] = {"main": {"start": next(iter(nodes)), "language": "en", "nodes": nodes}, **flows}
    tenant["numbers"][NUMBER] = {"flow": "main"}
    for name, (hertz, seconds) in TONES.items():
        path = it.data / "sounds" / "acme" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        t = np.arange(round(seconds * 8000)) / 8000
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((8000 * np.sin(2 * np.pi * hertz * t)).astype("<i2").tobytes())
    await it.start()
    try:
        yield it
    finally:
        it.server.voice.legs.clear()
        await it.server.stop()


def begin(phones: Phones, it: House, name: str = "+48600100200") -> Call:
    return phones.phone(name, "127.0.0.1", it.address).call(NUMBER)


def inside(it: House) -> Contact:
    """The only contact, wherever it is."""
    (contact,) = it.server.desk.mailboxes["acme"].centre.contacts.values()
    return contact


async def at(it: House, node: str, waits: str = "") -> Contact:
    def there() -> bool:
        contacts = it.server.desk.mailboxes["acme"].centre.contacts.values()
        runs = [one.run for one in contacts if one.run is not None]
        return any(run.node == node and waits in ("", run.waits) for run in runs)

    await until(there, 15)
    return inside(it)


Go = Callable[[House, Call], Any]


async def menu(it: House, call: Call, key: str = "") -> None:
    await call.answered()
    await call.hear_tone(600)
    call.press(key)


async def to_the_call(it: House, call: Call) -> None:
    await until(lambda: it.server.desk.mailboxes["acme"].centre.contacts)


async def to_the_words(it: House, call: Call) -> None:
    await at(it, "words")


async def to_the_menu(it: House, call: Call) -> None:
    await at(it, "main", "prompt")


async def to_the_menus_silence(it: House, call: Call) -> None:
    await at(it, "main", "digits")


async def to_half_a_code(it: House, call: Call) -> None:
    await menu(it, call, "1")
    await at(it, "code")
    call.press("12")
    await until(lambda: len(inside(it).run.digits) == 2)  # type: ignore[union-attr]


async def to_half_a_secret(it: House, call: Call) -> None:
    await menu(it, call, "2")
    await at(it, "pin")
    call.press("77")
    await until(lambda: len(inside(it).run.digits) == 2)  # type: ignore[union-attr]


async def to_the_beep(it: House, call: Call) -> None:
    await menu(it, call, "3")
    await at(it, "leave", "prompt")


async def to_a_message_of_nothing(it: House, call: Call) -> None:
    await menu(it, call, "3")
    await at(it, "leave", "message")
    await asyncio.sleep(1.2)


async def to_a_message(it: House, call: Call) -> None:
    await menu(it, call, "3")
    await at(it, "leave", "message")
    call.say(voices.tone(440))
    await asyncio.sleep(1.5)


async def to_a_queue(it: House, call: Call) -> None:
    await menu(it, call, "4")
    await until(lambda: inside(it).state in ("queued", "offered"))


async def to_a_ringing_phone(it: House, call: Call) -> None:
    await menu(it, call, "5")
    await until(lambda: inside(it).offers)


async def to_an_inner_flow(it: House, call: Call) -> None:
    await menu(it, call, "6")
    await until(lambda: inside(it).run.outer)  # type: ignore[union-attr]


async def to_an_errand(it: House, call: Call) -> None:
    await menu(it, call, "7")
    await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("go", "outcome"),
    [
        (to_the_call, ("left_menu", "abandoned")),
        (to_the_words, ("left_menu",)),
        (to_the_menu, ("left_menu",)),
        (to_the_menus_silence, ("left_menu",)),
        (to_half_a_code, ("left_menu",)),
        (to_half_a_secret, ("left_menu",)),
        (to_the_beep, ("left_menu",)),
        (to_a_message, ("left_menu",)),
        (to_a_message_of_nothing, ("left_menu",)),
        (to_a_queue, ("abandoned", "short_abandoned")),
        (to_a_ringing_phone, ("abandoned", "short_abandoned", "left_menu")),
        (to_an_inner_flow, ("left_menu",)),
        (to_an_errand, ("left_menu",)),
    ],
)
def test_a_caller_hangs_up_anywhere(tmp_path: Path, go: Go, outcome: tuple[str, ...]) -> None:
    async def go_there() -> None:
        async with house(tmp_path, inner={"start": "hello", "nodes": INNER}) as it, Phones() as phones:
            agent = phones.phone("agent1", "acme.example", it.address)
            if go is to_a_ringing_phone:
                await agent.register("secret agent1")
            call = begin(phones, it)
            await asyncio.wait_for(go(it, call), 25)
            call.hang_up()
            await call.over()
            agent.unregister()
            await nothing_is_left(it)
            (record,) = it.records()
            assert record["outcome"] in outcome, record
            kept = list((it.data / "recordings").rglob("*.wav"))
            assert len(kept) == (go is to_a_message)
            assert not any("part" in one.name for one in kept)

    asyncio.run(go_there())


def test_many_callers_leave_at_any_moment(tmp_path: Path) -> None:
    rng = random.Random(7)
    turned_away = []

    async def one(phones: Phones, it: House, number: int) -> None:
        await asyncio.sleep(rng.uniform(0, 3))
        call = begin(phones, it, f"+4860000{number:04d}")
        until = rng.uniform(0, 9)
        while until > 0 and call.state != "over":
            pause = rng.uniform(0.05, 1.2)
            await asyncio.sleep(pause)
            until -= pause
            call.press(rng.choice("1234567*#"))
        call.hang_up()
        await call.over()
        if call.status == 503:
            turned_away.append(number)

    async def go() -> None:
        async with house(tmp_path, inner={"start": "hello", "nodes": INNER}) as it, Phones() as phones:
            await asyncio.gather(*(one(phones, it, number) for number in range(40)))
            await nothing_is_left(it, 30)
            records = it.records()
            assert len(records) == 40
            # A machine whose cores are taken turns calls away, and writes that down.
            outcomes = Counter(record["outcome"] for record in records)
            assert outcomes.pop("refused", 0) == len(turned_away) < 20
            assert set(outcomes) <= {"left_menu", "self_served", "abandoned", "short_abandoned", "answered"}
            assert not list((it.data / "recordings").rglob("*part*"))

    asyncio.run(go())


def test_a_key_heard_in_two_ways_counts_once(tmp_path: Path) -> None:
    async def go() -> None:
        async with house(tmp_path, inner={"start": "hello", "nodes": INNER}) as it, Phones() as phones:
            call = begin(phones, it)
            await menu(it, call, "1")
            contact = await at(it, "code", "digits")
            voice = it.server.voice

            def key(digit: str, *ways: str) -> None:
                for way in ways:
                    if way == "info":
                        voice._key(voice.legs[contact.id], digit, "info")
                    else:
                        voice.media_event(m.Digit(leg=contact.id, digit=digit, duration_ms=100, how=way))  # type: ignore[arg-type]

            key("5", "event", "inband")
            key("5", "event", "inband", "info")
            key("6", "inband", "event")
            await until(lambda: contact.run is not None and len(contact.run.digits) == 3)
            await asyncio.sleep(0.2)
            assert contact.run is not None
            assert [one.value for one in contact.run.digits] == ["5", "5", "6"]
            call.hang_up()
            await nothing_is_left(it)

    asyncio.run(go())


def test_a_secret_is_known_to_errands_and_to_nobody_else(tmp_path: Path) -> None:
    nodes = {**EVERYTHING, "pin": {**EVERYTHING["pin"], "retries": 1}}

    async def go() -> None:
        async with house(tmp_path, nodes, inner={"start": "hello", "nodes": INNER}) as it, Phones() as phones:
            voice = it.server.voice
            call = begin(phones, it)
            await menu(it, call, "2")
            contact = await at(it, "pin", "digits")
            call.press("9#")  # too short: it begins anew
            await until(lambda: contact.run is not None and contact.run.tries == 1)
            await at(it, "pin", "digits")
            call.press("4711#")
            await at(it, "main")
            assert voice.secret("acme", contact.id, "pin") == "4711"
            assert voice.secret("other", contact.id, "pin") == ""
            assert voice.secret("acme", contact.id, "code") == ""
            assert "4711" not in str(contact.values)
            assert voice.legs[contact.id].masked == ""
            await at(it, "main", "digits")
            call.press("1")  # plain again
            await at(it, "code")
            assert voice.secret("acme", contact.id, "pin") == "4711"
            call.hang_up()
            await nothing_is_left(it)
            assert voice.secret("acme", contact.id, "pin") == ""

    asyncio.run(go())


def test_a_restart_keeps_a_secret_secret_and_says_that_it_is_lost(tmp_path: Path) -> None:
    """Digits of before are gone with the process; those after it are masked, and make no secret of their own."""

    async def go() -> None:
        async with house(tmp_path, inner={"start": "hello", "nodes": INNER}) as it, Phones() as phones:
            call = begin(phones, it)
            await menu(it, call, "2")
            await at(it, "pin", "digits")
            call.press("77")
            await until(lambda: len(inside(it).run.digits) == 2)  # type: ignore[union-attr]
            await asyncio.sleep(0.5)
            await it.die()
            await it.start()
            call.press("88#")
            contact = await at(it, "main")
            assert it.server.voice.secret("acme", contact.id, "pin") == ""
            call.hang_up()
            await nothing_is_left(it)
            told = it.server.ledger
            with told.reading() as db:
                values = {row[0].strip('"') for row in db.execute("SELECT value FROM privates")}
            assert "x" in values
            assert not values & {"7", "8"}

    asyncio.run(go())


def test_a_key_is_not_counted_again_after_a_restart(tmp_path: Path) -> None:
    """The worker tells what happened just before our death once more; the ledger has it already."""

    async def go() -> None:
        async with house(tmp_path, inner={"start": "hello", "nodes": INNER}) as it, Phones() as phones:
            call = begin(phones, it)
            await menu(it, call, "1")
            await at(it, "code", "digits")
            call.press("12")
            await until(lambda: len(inside(it).run.digits) == 2)  # type: ignore[union-attr]
            await asyncio.sleep(0.1)
            await it.die()
            await it.start()
            await asyncio.sleep(0.5)
            run = inside(it).run
            assert run is not None
            assert [one.value for one in run.digits] == ["1", "2"]
            call.press("34")
            await at(it, "main")
            assert inside(it).values["code"].value == "1234"
            call.hang_up()
            await nothing_is_left(it)

    asyncio.run(go())


def test_a_prompt_that_nobody_has_any_more_is_told_as_lost(tmp_path: Path) -> None:
    """Application and worker died, and the caller's leg lives: the flow goes on instead of waiting for ever."""
    nodes = {"long": play("long", "main", barge_in=False), **EVERYTHING}
    del nodes["hello"], nodes["words"]

    async def go() -> None:
        async with house(tmp_path, nodes, inner={"start": "hello", "nodes": INNER}) as it, Phones() as phones:
            call = begin(phones, it)
            await at(it, "long", "prompt")
            await call.hear_tone(1500)
            await it.die()
            for worker in it.server.media:
                os.kill(worker.pid, signal.SIGKILL)
            await asyncio.sleep(0.3)
            await it.start()
            await call.hear_tone(600, 15)
            call.hang_up()
            await nothing_is_left(it)

    asyncio.run(go())
