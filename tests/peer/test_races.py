"""The voice path under races: a centre in this process, so that its tables can be looked into when all is over."""

import asyncio
import copy
import os
import random
import signal
import socket
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench import ports

from centrala.ledger import contacts, project
from centrala.protocols.sip.config import StackConfig
from centrala.server import Server
from centrala.settings import load
from centrala.testing.phone import Call, Phone, Phones

pytestmark = pytest.mark.peer

SALES, OFFICE = "+48221234567", "127.0.5.77"
ENDS = {"answered", "abandoned", "short_abandoned", "redirected", "refused", "failed"}


class Quick(Server):
    """A centre whose SIP transactions are forgotten after 6 s instead of 32, so that a test can see it."""

    def _stack_config(self) -> StackConfig:
        return replace(super()._stack_config(), t1=0.1, t2=0.8, t4=1.0)


def centre_file(
    sip: int, media: int, carrier: int, *, agents: int = 2, expert: int = 9, **queue: Any
) -> dict[str, Any]:
    names = [f"agent{number}" for number in range(agents)]
    return {
        "listen": {
            "sip": [f"udp:127.0.0.1:{sip}"],
            "media": {"address": "127.0.0.1", "ports": f"{media}-{media + 999}", "workers": 2},
        },
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "timezone": "Europe/Warsaw",
                "trunks": {
                    "carrier": {"address": f"127.0.0.1:{carrier}", "outbound": True, "max_calls": 1000},
                    "office": {"network": "127.0.5.0/24"},
                },
                "agents": {
                    name: {"name": name, "sip_password": f"secret {name}", "ready_on_register": True}
                    for name in names
                },
                "queues": {
                    "sales": {
                        "agents": names,
                        "ring_timeout": "2s",
                        "wrap_up": "0.3s",
                        "retry_delay": "0.2s",
                        "reject_delay": "0.2s",
                        "max_wait": "8s",
                        "record": True,
                        **queue,
                    }
                },
                "numbers": {
                    SALES: {"queue": "sales"},
                    "201": {"agent": "agent0"},
                    "300": {"phone": f"sip:expert@127.0.0.1:{expert}", "record": True},
                    "400": {"music": "default"},
                },
            }
        },
    }


class House:
    """A centre, the carrier's telephones and the agents'."""

    def __init__(self, folder: Path, kind: type[Server] = Server) -> None:
        self.folder = folder
        self.kind = kind
        self.sip = ports.free_sip()
        self.carrier_port = ports.free_sip()
        self.media = 21000
        self.file = centre_file(self.sip, self.media, self.carrier_port)
        self.server: Server

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.sip

    @property
    def data(self) -> Path:
        return self.folder / "data"

    async def start(self) -> None:
        path = self.folder / "centre.yaml"
        path.write_text(yaml.safe_dump(self.file))
        self.server = self.kind(load(path), self.data)
        await self.server.start()

    async def die(self) -> None:
        """As kill -9 does it: nothing more is written, nothing more is said; the media workers live on."""
        server = self.server
        for task in server._tasks:
            task.cancel()
        server.desk._stopped = True
        for handle in server.desk._timers.values():
            handle.cancel()
        if server.voice._alarm is not None:
            server.voice._alarm.cancel()
        await server.transports.close()
        for one in server.media:
            assert one._keeper is not None
            one._keeper.cancel()
            assert one._connection is not None
            one._connection.abort()
        server.desk._writer.shutdown()
        with server.ledger._lock:  # a thread may be writing records; SQLite forgives a close beneath it not
            server.ledger._db.close()
        os.close(server.ledger._lock_file)
        server.ledger._lock_file = -1

    def records(self) -> list[dict[str, Any]]:
        project(self.server.ledger)
        return list(contacts(self.data, include_open=True))

    async def holds(self) -> list[Any]:
        return [await one.inventory() for one in self.server.media]


@asynccontextmanager
async def house(folder: Path, kind: type[Server] = Server, **changes: Any) -> AsyncIterator[House]:
    it = House(folder, kind)
    if changes:
        it.file = centre_file(it.sip, it.media, it.carrier_port, **changes)
    await it.start()
    try:
        yield it
    finally:
        it.server.voice.legs.clear()
        await it.server.stop()


async def until(true: Callable[[], Any], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.02)


def prompts(held: Any) -> list[str]:
    return [player for player in held.players if player.startswith("prompt:")]


async def nothing_is_left(it: House, within: float = 20.0) -> None:
    """Every table of the voice path is empty again."""
    server = it.server
    voice, stack, desk = server.voice, server.voice.stack, server.desk
    centre = desk.mailboxes["acme"].centre

    def left() -> dict[str, Any]:
        return {
            what: table
            for what, table in {
                "legs": dict(voice.legs),
                "branches": dict(voice._branches),
                "sip": list(voice._sip),
                "ending": list(voice._ending),
                "stranded": dict(voice._stranded),
                "silent": dict(voice._silent),
                "sounded": list(voice._sounded),
                "prompts": dict(voice._prompts),
                "messages": dict(voice._messages),
                "masks": list(voice._masks),
                "keys": dict(voice._presses),
                "prompts and messages under way": list(voice._tasks),
                "trunk calls": {one: n for one, n in voice.trunk_calls.items() if n},
                "stack's legs": list(stack._legs),
                "dialogs": dict(stack._dialogs),
                "stored": dict(stack._stored),
                "waiting": dict(stack._waiting),
                "passwords": list(stack._passwords),
                "refers": dict(stack._refers),
                "early updates": dict(stack._early_updates),
                "after prack": dict(stack._after_prack),
                "by connection": dict(stack._by_connection),
                "merges": dict(stack._tx._merges),
                "pending": dict(stack._tx.pending),
                "clients": list(stack._tx.clients),
                "servers": list(stack._tx.servers),
                "contacts": {one.id: one.state for one in centre.contacts.values()},
                "agents": {
                    one.spec.id: one.state
                    for one in centre.agents.values()
                    if one.calls or one.offers or one.wrap
                },
                "queues": {name: one.waiting for name, one in centre.queues.items() if one.waiting},
                "commands": list(desk.mailboxes["acme"].pending),
                "commands in the ledger": list(server.ledger.pending["acme"]),
                "timers": [timer for _, timer in desk._timers if not timer.startswith("rest:")],
            }.items()
            if table
        }

    try:
        await until(lambda: not left(), within)
    except TimeoutError:
        pytest.fail(f"left over: {left()}")
    for tenant in server.settings.tenants:
        rows = [leg for leg in server.ledger.dialogs(tenant) if not leg.startswith("registrar/")]
        assert rows == []
    async with asyncio.timeout(10):
        while any(one.legs or one.recordings or prompts(one) for one in await it.holds()):
            await asyncio.sleep(0.1)


# --- one race each ---


class Wire:
    """A caller of the office's network who writes their messages by hand."""

    def __init__(self, it: House) -> None:
        self.it = it
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((OFFICE, 0))
        self.sock.setblocking(False)
        self.port = self.sock.getsockname()[1]
        self.call_id = f"{random.getrandbits(64):x}"
        self.got: list[str] = []
        self.to_tag = ""

    def message(
        self, method: str, cseq: int, *more: str, to: str = SALES, branch: str = "", body: str = ""
    ) -> bytes:
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        lines = [
            f"{method} sip:{to}@127.0.0.1:{self.it.sip} SIP/2.0",
            f"Via: SIP/2.0/UDP {OFFICE}:{self.port};rport;branch=z9hG4bK{branch or f'{method}{cseq}'}{self.call_id}",
            "Max-Forwards: 70",
            f"From: <sip:+48600100200@{OFFICE}>;tag=mine",
            f"To: <sip:{to}@127.0.0.1:{self.it.sip}>{tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:caller@{OFFICE}:{self.port}>",
            *more,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def send(self, *messages: bytes) -> None:
        for one in messages:
            self.sock.sendto(one, self.it.address)

    def invite(self, to: str = SALES) -> bytes:
        body = f"v=0\r\no=- 1 1 IN IP4 {OFFICE}\r\ns=-\r\nc=IN IP4 {OFFICE}\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\n"
        return self.message("INVITE", 1, to=to, branch="first", body=body)

    async def answer(self, start: str, within: float = 5.0) -> str:
        """The first message that begins like this, among those that haven't been asked for."""
        async with asyncio.timeout(within):
            while True:
                try:
                    while True:
                        self.got.append(self.sock.recv(65536).decode())
                except BlockingIOError:
                    pass
                for one in self.got:
                    if one.startswith(start):
                        self.got.remove(one)
                        return one
                await asyncio.sleep(0.01)

    def agree(self, request: str) -> None:
        """200 to a request."""
        lines = request.split("\r\n\r\n")[0].split("\r\n")[1:]
        kept = [one for one in lines if one.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        self.send("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode())

    async def talk(self) -> None:
        """Call the queue, be answered by its music, and say ACK."""
        self.send(self.invite())
        ok = await self.answer("SIP/2.0 200")
        self.to_tag = next(line for line in ok.split("\r\n") if line.startswith("To:")).partition(";tag=")[2]
        self.send(self.message("ACK", 1))


def test_a_cancel_in_one_bunch_with_its_invite_leaves_no_ghost_in_the_queue(tmp_path: Path) -> None:
    async def test() -> None:
        async with house(tmp_path, Quick) as it:
            wire = Wire(it)
            wire.send(wire.invite(), wire.message("CANCEL", 1, branch="first"))
            assert "INVITE" in await wire.answer("SIP/2.0 487")
            wire.send(wire.message("ACK", 1, branch="first"))
            await nothing_is_left(it)
            assert it.records() == []

    asyncio.run(test())


def test_whoever_calls_from_outside_reaches_numbers_only_and_makes_nobody_dial(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            house(tmp_path, Quick) as it,
            Phones() as phones,
            Phones(sip_port=it.carrier_port) as carrier,
        ):
            rung: list[Call] = []
            carrier.phone("+48500600700", "outside.example", it.address).on_call = rung.append
            agent = phones.phone("agent0", "acme.example", it.address)
            agent.on_call = lambda call: call.accept()
            await agent.register("secret agent0")
            wire = Wire(it)
            wire.send(wire.invite("agent0"))
            await wire.answer("SIP/2.0 404")
            wire = Wire(it)
            wire.send(wire.invite("+48500600700"))
            await wire.answer("SIP/2.0 404")
            wire = Wire(it)
            await wire.talk()
            await until(lambda: agent.calls and agent.calls[0].state == "talking")
            wire.send(wire.message("REFER", 2, "Refer-To: <sip:+48500600700@127.0.0.1>"))
            await wire.answer("SIP/2.0 403")
            assert (
                it.server.voice.legs[next(iter(it.server.desk.mailboxes["acme"].centre.contacts))].outside
                == ""
            )
            # Nor does somebody outside whom an agent has called.
            call = agent.call("+48500600700")
            await until(lambda: rung)
            rung[0].accept()
            assert await call.answered()
            rung[0].transfer("+48500600701")
            await until(lambda: rung[0].transfer_status)
            assert rung[0].transfer_status == 403
            wire.send(wire.message("BYE", 3))

    asyncio.run(test())


def test_what_was_hung_up_before_the_kill_is_hung_up_after_it(tmp_path: Path) -> None:
    """Killed between the commit and what it released: the caller never heard our BYE, a phone never our CANCEL."""

    async def test() -> None:
        async with house(tmp_path, ring_timeout="1m") as it, Phones() as phones:
            agent = phones.phone("agent0", "acme.example", it.address)
            other = phones.phone("agent1", "acme.example", it.address)
            agent.on_call = lambda call: call.accept()
            await agent.register("secret agent0")
            first, second = Wire(it), Wire(it)
            await first.talk()
            await until(lambda: agent.calls and agent.calls[0].state == "talking")
            await other.register("secret agent1")
            await second.talk()
            await until(lambda: other.calls and other.calls[0].state == "ringing")
            await asyncio.sleep(0.3)
            it.server.voice._send = lambda flow, data: None
            agent.calls[0].hang_up()
            second.send(second.message("BYE", 2))
            centre = it.server.desk.mailboxes["acme"].centre
            await until(lambda: not any(one.state != "wrap_up" for one in centre.contacts.values()))
            await asyncio.sleep(0.3)
            await it.die()
            await it.start()
            assert "INVITE" not in await first.answer("BYE ")
            await until(lambda: not other.calls)
            records = it.records()
            assert [one["outcome"].removeprefix("short_") for one in records] == ["answered", "abandoned"]

    asyncio.run(test())


def test_the_calls_of_a_tenant_that_left_the_file_end_with_a_record(tmp_path: Path) -> None:
    async def test() -> None:
        async with house(tmp_path) as it, Phones() as phones:
            agent = phones.phone("agent0", "acme.example", it.address)
            agent.on_call = lambda call: call.accept()
            await agent.register("secret agent0")
            talking, waiting = Wire(it), Wire(it)
            await talking.talk()
            await until(lambda: agent.calls and agent.calls[0].state == "talking")
            await waiting.talk()
            await asyncio.sleep(0.3)
            await it.die()
            it.file["tenants"] = {"other": {**it.file["tenants"]["acme"], "domain": "other.example"}}
            await it.start()
            for wire in (talking, waiting):
                wire.agree(await wire.answer("BYE "))
            await until(lambda: not agent.calls)
            await until(lambda: len([one for one in it.records() if one["ended_at"]]) == 2)
            assert all(not one.legs for one in await it.holds())
            # The second start finds nothing of it.
            await asyncio.sleep(0.5)
            await it.die()
            await it.start()
            assert list(it.server.desk.mailboxes) == ["other"]

    asyncio.run(test())


def test_a_stored_call_that_cannot_be_read_stops_nobody(tmp_path: Path) -> None:
    async def test() -> None:
        async with house(tmp_path) as it:
            wire = Wire(it)
            await wire.talk()
            await asyncio.sleep(0.3)
            await it.die()
            with sqlite3.connect(it.data / "ledger.db") as db:
                assert db.execute("UPDATE dialogs SET body = X'83A3736970C40178'").rowcount
            db.close()
            await it.start()
            await until(lambda: [one["outcome"] for one in it.records()] != [None])
            await nothing_is_left(it)

    asyncio.run(test())


def test_a_phone_that_answers_with_rubbish_does_not_silence_the_others_of_its_agent(tmp_path: Path) -> None:
    async def test() -> None:
        async with house(tmp_path, Quick, ring_timeout="30s") as it, Phones() as one, Phones() as two:
            phones = [each.phone("agent0", "acme.example", it.address) for each in (one, two)]
            for phone in phones:
                await phone.register("secret agent0")
            wire = Wire(it)
            await wire.talk()
            await until(lambda: all(phone.calls for phone in phones))
            one._stack.respond(phones[0].calls[0].leg, 200, sdp="v=0", now=one.now())
            one._settle()
            await asyncio.sleep(0.5)
            assert phones[1].calls[0].state == "ringing"
            phones[1].calls[0].accept()
            await until(lambda: it.server.desk.mailboxes["acme"].centre.agents["agent0"].calls)
            wire.send(wire.message("BYE", 2))
            await until(lambda: not phones[1].calls)
            await nothing_is_left(it)

    asyncio.run(test())


def test_a_caller_who_vanished_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centrala.channels.voice.channel.SILENT_SECONDS", 0.5)

    async def test() -> None:
        async with house(tmp_path, Quick, max_wait="2m") as it, Phones(sip_port=it.carrier_port) as carrier:
            gone = carrier.phone("+48600100200", "carrier.example", it.address).call(SALES)
            quiet = carrier.phone("+48600100201", "carrier.example", it.address).call(SALES)
            assert await gone.answered()
            assert await quiet.answered()
            await asyncio.sleep(0.5)
            gone._sends = quiet._sends = False
            # One has lost the call, the other has only fallen silent.
            carrier._stack._drop(carrier._stack._legs[gone.leg], carrier.now())
            centre = it.server.desk.mailboxes["acme"].centre
            await until(lambda: len(centre.contacts) == 1, 15)
            await asyncio.sleep(1.5)
            assert len(centre.contacts) == 1
            quiet.hang_up()
            await nothing_is_left(it)

    asyncio.run(test())


# --- all of it at once ---


class Crowd:
    """Agents and callers who do at random what people do."""

    def __init__(self, it: House, phones: Phones, callers: Phones, seed: int) -> None:
        self.it, self.phones, self.callers = it, phones, callers
        self.chance = random.Random(seed)
        self.placed = Counter[str]()
        self.calls: list[Call] = []

    def later(self, longest: float, do: Callable[[], None]) -> None:
        self.phones.later(self.chance.uniform(0, longest), do)

    async def start(self, agents: int) -> list[Phone]:
        found = []
        for number in range(agents):
            phone = self.phones.phone(f"agent{number}", "acme.example", self.it.address)
            phone.on_call = self.rings
            await phone.register(f"secret agent{number}")
            found.append(phone)
        expert = self.phones.phone("expert", "outside.example", self.it.address)
        expert.on_call = self.rings
        outside = self.callers.phone("+48500600700", "outside.example", self.it.address)
        outside.on_call = self.rings
        return found

    def rings(self, call: Call) -> None:
        what = self.chance.random()
        if what < 0.1:
            return  # nobody there
        if what < 0.2:
            self.later(0.5, lambda: call.reject(self.chance.choice([486, 480, 603, 404, 500, 302])))
            return
        self.later(1.0, lambda: self.answers(call))

    def answers(self, call: Call) -> None:
        call.accept()
        if self.chance.random() < 0.3:
            self.later(1.0, call.hold)
            self.later(1.5, lambda: call.hold(False))
        if self.chance.random() < 0.3:
            to = self.chance.choice([SALES, "201", "agent1", "300", "400", "nowhere", "+48500600700"])
            self.later(1.5, lambda: call.transfer(to))
        self.later(2.0, call.hang_up)

    def another_file(self, tenant: dict[str, Any], whole: dict[str, Any]) -> None:
        """The operator has taken agents, numbers, perhaps the queue or a trunk out of the file; or put them back."""
        tenant.update(copy.deepcopy(whole))
        if self.chance.random() < 0.3:
            return
        gone = self.chance.sample(list(tenant["agents"]), 3)
        for name in gone:
            del tenant["agents"][name]
        tenant["queues"]["sales"]["agents"] = list(tenant["agents"])
        for number in self.chance.sample(list(tenant["numbers"]), 2):
            del tenant["numbers"][number]
        if self.chance.random() < 0.3:
            del tenant["queues"]["sales"]
            tenant["numbers"].pop(SALES, None)
        if "agent0" in gone:
            tenant["numbers"].pop("201", None)
        if self.chance.random() < 0.3:
            del tenant["trunks"]["office"]

    def somebody_calls(self, number: int, agents: list[Phone]) -> None:
        dialled = self.chance.choices([SALES, "201", "300", "400", "nobody", "agent1"], [10, 2, 2, 1, 1, 1])[
            0
        ]
        if self.chance.random() < 0.1:
            phone = self.chance.choice(agents)
            call = phone.call(self.chance.choice(["+48500600700", "agent0", SALES, "400", "999"]))
        else:
            phone = self.callers.phone(f"+4860{number:07}", "carrier.example", self.it.address)
            phone.on_over = lambda call: self.callers.forget(call.phone)
            call = phone.call(dialled)
            self.placed[dialled] += 1
        self.calls.append(call)
        self.later(self.chance.choice([0.05, 1.0, 4.0, 8.0]), call.hang_up)
        if self.chance.random() < 0.1:
            self.later(2.0, call.hold)


async def crowd(
    folder: Path,
    calls: int,
    a_second: float,
    seed: int,
    kill_every: int = 0,
    change: bool = False,
    sound: bool = False,
) -> None:
    carrier = ports.free_sip()
    experts = ports.free_sip()
    it = House(folder, Quick)
    it.file = centre_file(it.sip, it.media, carrier, agents=8, expert=experts)
    whole = copy.deepcopy(it.file["tenants"]["acme"])
    await it.start()
    try:
        async with Phones(sip_port=carrier) as callers, Phones(sip_port=experts) as phones:
            people = Crowd(it, phones, callers, seed)
            agents = await people.start(8)
            for number in range(calls):
                people.somebody_calls(number, agents)
                if kill_every and number % kill_every == kill_every - 1:
                    if sound:
                        os.kill(people.chance.choice(it.server.media).pid, signal.SIGKILL)
                        continue
                    await it.die()
                    if change:
                        people.another_file(it.file["tenants"]["acme"], whole)
                    await it.start()
                await asyncio.sleep(people.chance.expovariate(a_second))
            await until(lambda: not phones.calls and not callers.calls, 40)
            await nothing_is_left(it, 30)
            records = it.records()
            outcomes = Counter(one["outcome"] for one in records)
            assert len({one["id"] for one in records}) == len(records)
            assert set(outcomes) <= ENDS, outcomes
            if not kill_every or sound:
                # Whoever dials an agent's id from outside is no contact.
                known = len(records) + it.server.voice.refused + people.placed["agent1"]
                # Who rang off before we knew who it was (a CANCEL in one bunch with its INVITE, or with the answer to
                # our challenge) is none either.
                hasty = [
                    one
                    for one in people.calls
                    if one.answered_at is None
                    and one.status in (0, 100, 180, 487)
                    and (one.ended_at or 0.0) - one.began < 0.5
                ]
                assert calls - len(hasty) <= known <= calls, (known, len(hasty), outcomes)
                assert len(hasty) < calls / 5
            for one in records:
                assert (one["answered_at"] is not None) == (one["outcome"] in ("answered", "redirected")), one
                assert one["ended_at"] is not None
            # An agent of a queue with a recording means a file, and no file means nobody else's. An answer and a
            # hang-up in one bunch are a conversation of no length: nothing to record.
            for one in records:
                if (
                    not (change or sound)
                    and one["queue"] == "sales"
                    and one["agent"] is not None
                    and one["direction"] == "inbound"
                    and one["talk_s"]
                ):
                    assert one["recording"], one
                    assert (it.data / one["recording"]).exists()
            for agent in it.server.desk.mailboxes["acme"].centre.agents.values():
                # An agent who was out of the file signs in with the next registration.
                assert agent.state in ("ready", "resting") or change, (agent.spec.id, agent.state)
                assert not agent.calls
                assert not agent.offers
    finally:
        await it.server.stop()


def test_300_calls_of_every_kind_leave_nothing_behind(tmp_path: Path) -> None:
    asyncio.run(crowd(tmp_path, 300, 12.0, 1))


def test_an_application_that_dies_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    asyncio.run(crowd(tmp_path, 100, 12.0, 3, kill_every=12))


def test_a_file_that_changes_while_calls_are_up_strands_nobody(tmp_path: Path) -> None:
    asyncio.run(crowd(tmp_path, 80, 12.0, 5, kill_every=10, change=True))


def test_media_workers_that_die_again_and_again_end_no_call_and_hold_no_agent(tmp_path: Path) -> None:
    asyncio.run(crowd(tmp_path, 80, 12.0, 6, kill_every=12, sound=True))


@pytest.mark.soak
def test_3000_calls_and_100_deaths_leave_nothing_behind(tmp_path: Path) -> None:
    asyncio.run(crowd(tmp_path, 3000, 12.0, 4, kill_every=30))


@pytest.mark.soak
def test_6000_calls_of_every_kind_leave_nothing_behind(tmp_path: Path) -> None:
    asyncio.run(crowd(tmp_path, 6000, 12.0, 2))
