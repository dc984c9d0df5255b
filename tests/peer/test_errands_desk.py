"""Errands beside a real desk and ledger: a caller's whole way through a flow that asks others, many at once, and
nothing sent before it is written down."""

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bench.errands import WITHIN, Asked, Server, centre, says

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.events import ErrandEnded, Event
from centrala.core.specs import AgentSpec, Destination, FlowSpec, QueueSpec
from centrala.customers import Customers, open_customers
from centrala.desk import Desk, Held
from centrala.errands import Errands
from centrala.ledger import open_log
from centrala.ledger.schema import FILE
from centrala.settings.reading import parse

pytestmark = pytest.mark.peer


class Phones:
    """In the place of the voice channel: takes every command, and gives the callers' numbers to the ledger."""

    def __init__(self, desk: Desk) -> None:
        self.held = Held()
        desk.outlets.append(self)
        kinds = (
            c.Answer,
            c.RingBack,
            c.Refuse,
            c.Ring,
            c.CancelRing,
            c.Mix,
            c.Record,
            c.HangUp,
            c.Say,
            c.Hush,
            c.Mask,
        )
        for kind in kinds:
            desk.performers[kind] = lambda tenant, command: None

    def collect(self) -> Held:
        held, self.held = self.held, Held()
        return held


def flow(url: str) -> str:
    nodes: dict[str, Any] = {
        "who": {"type": "customer", "into": "who", "exits": {"found": "state", "unknown": "state"}},
        "state": {
            "type": "table",
            "table": "orders",
            "key": "{who.number}",
            "into": "order",
            "exits": {"found": "ask", "unknown": "ask"},
        },
        "ask": {
            "type": "http",
            "method": "POST",
            "url": f"{url}/orders?no={{order.no}}",
            "body": '{{"name": "{who.name}"}}',
            "headers": {"X-Key": "secret:crm"},
            "take": {"state": "/state"},
            "exits": {"next": "check", "failed": "lost"},
        },
        "check": {
            "type": "python",
            "entry_point": "checksum",
            "arguments": {"number": "{order.no}"},
            "into": "sum",
            "timeout": 30,
            "exits": {"next": "way", "failed": "lost"},
        },
        "way": {
            "type": "branch",
            "cases": [{"if": "sum.valid and state = 'ready'", "exit": "yes"}],
            "exits": {"yes": "sales", "else": "lost"},
        },
        "sales": {"type": "queue", "queue": "sales"},
        "lost": {"type": "queue", "queue": "lost"},
    }
    return json.dumps({"format": 1, "start": "who", "language": "en", "nodes": nodes})


class House:
    def __init__(self, folder: Path, settings: str) -> None:
        self.log = open_log(folder)
        self.desk = Desk(self.log)
        self.desk.open("acme")
        self.customers: Customers = open_customers(folder, lambda tenant: "PL")
        self.errands = Errands(
            parse(centre(settings), folder / "centre.yaml"),
            folder,
            tell=self.desk.tell,
            now=self.desk.now,
            customers=self.customers,
            secret=lambda *_: None,
        )
        self.phones = Phones(self.desk)
        self.desk.performers[c.RunErrand] = self.errands.perform
        self.desk.outlets.append(self.errands)
        self.events: list[Event] = []
        self.desk.watchers.append(lambda tenant, centre, events: self.events.extend(events))

    def tell(self, fact: f.Fact) -> None:
        self.desk.tell("acme", fact)

    async def start(self, graph: str) -> None:
        await self.errands.start()
        now = self.desk.now()
        for queue in ("sales", "lost"):
            self.tell(f.QueueChanged(now, QueueSpec(queue, agents=("ann",))))
        self.tell(f.AgentChanged(now, AgentSpec("ann")))
        self.tell(f.FlowPublished(now, FlowSpec("main", 1, graph)))
        self.tell(f.NumberChanged(now, "100", Destination("flow", "main")))

    def call(self, contact: str, number: str) -> None:
        now = self.desk.now()
        self.phones.held.parties.append(("acme", contact, number, "", now))
        self.tell(f.ContactArrived(now, contact, "100", party=contact))

    async def queued(self, *contacts: str) -> dict[str, str | None]:
        """Contact → queue, once each of them is in one."""
        known = self.desk.mailboxes["acme"].centre.contacts
        async with asyncio.timeout(WITHIN):
            while any(one not in known or known[one].queue is None for one in contacts):
                await asyncio.sleep(0.01)
        return {one: known[one].queue for one in contacts}

    async def stop(self) -> None:
        await self.errands.stop()
        await self.desk.stop()
        self.customers.close()
        self.log.close()


def test_a_caller_goes_through_every_kind_and_nothing_is_sent_before_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(
        "phone,no\n+48600100200,79927398713\n+48600100201,79927398710\n", "utf-8"
    )
    written: list[list[str]] = []

    async def looks(asked: Asked, writer: asyncio.StreamWriter) -> None:
        with closing(sqlite3.connect(tmp_path / FILE)) as db:
            rows = db.execute("SELECT kind FROM log WHERE contact = 'c1' ORDER BY seq").fetchall()
        written.append([one[0] for one in rows])
        await says('{"state": "ready"}')(asked, writer)

    async def scene() -> None:
        async with Server() as server:
            server.replies["/orders"] = looks
            house = House(
                tmp_path,
                f'http: {{allow: ["127.0.0.1:{server.port}"], secrets: {{crm: "key 1"}}}}\n'
                "tables: {orders: {file: orders.csv}}",
            )
            try:
                phone = {"kind": "phone", "value": "600 100 200"}
                anna = {"given": 'Anna "A" \\', "identity.p": phone}
                house.customers.add("acme", "person", anna, "marek", house.desk.now())
                await house.start(flow(server.url))
                house.call("c1", "600100200")
                assert await house.queued("c1") == {"c1": "sales"}
                house.call("c2", "600100201")  # its number has a wrong check digit
                house.call("c3", "anonymous")
                assert await house.queued("c2", "c3") == {"c2": "lost", "c3": "lost"}
                server.replies["/orders"] = says("{}", "500 Oh")
                house.call("c4", "600100200")
                assert await house.queued("c4") == {"c4": "lost"}
                first = server.asked[0]
                assert json.loads(first.body) == {"name": 'Anna "A" \\'}
                assert (first.path, first.headers["x-key"]) == ("/orders?no=79927398713", "key 1")
                assert written[0].count("command.RunErrand") == 3
                assert written[0].count("fact.ErrandDone") == 2
                ends = [one for one in house.events if isinstance(one, ErrandEnded) and one.contact == "c1"]
                assert [one.exit for one in ends] == ["found", "found", "next", "next"]
            finally:
                await house.stop()
        # What came back is personal: it stands in no log row.
        with closing(sqlite3.connect(tmp_path / FILE)) as db:
            bodies = " ".join(one[0] for one in db.execute("SELECT body FROM log"))
        assert "79927398713" not in bodies
        assert "600100200" not in bodies
        assert "Anna" not in bodies

    asyncio.run(scene())


def test_an_e_mail_is_sent_though_we_die_between_two_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger says that it is to be sent, and that the command is carried out; nobody has taken it in yet."""
    graph = json.dumps(
        {
            "format": 1,
            "start": "tell",
            "nodes": {
                "tell": {
                    "type": "email",
                    "to": "anna@example.pl",
                    "subject": "{contact.dialled}",
                    "body": "x",
                    "exits": {"next": "sales"},
                },
                "sales": {"type": "queue", "queue": "sales"},
            },
        }
    )
    settings = "mail: {host: 127.0.0.1, port: 9, security: none, from: a@acme.example}"

    async def scene(call: str | None) -> tuple[int, int]:
        house = House(tmp_path, settings)
        try:
            await house.start(graph)
            if call:
                house.call(call, "600100200")
                await house.queued(call)
            await asyncio.sleep(1.0)  # its mark is written
            return (await house.errands.outbox("acme")).waiting, len(house.events)
        finally:
            await house.stop()

    with monkeypatch.context() as dying:
        dying.setattr(Errands, "_begin", lambda self, orders: None)
        assert asyncio.run(scene("c1"))[0] == 0
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM log WHERE kind = 'done'").fetchone()[0]
    assert asyncio.run(scene(None))[0] == 1
    assert asyncio.run(scene("c2"))[0] == 2
    assert asyncio.run(scene(None))[0] == 2


def test_three_hundred_callers_at_once_are_all_answered(tmp_path: Path) -> None:
    """A server that hangs for some, a table, a slow server: everybody gets on, nobody twice."""
    (tmp_path / "orders.csv").write_text(
        "phone,no\n" + "".join(f"+48600{n:06},7992739871{n % 10}\n" for n in range(300)), "utf-8"
    )

    async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        await says('{"state": "ready"}')(asked, writer)

    async def scene() -> None:
        async with Server() as server:
            server.replies["/orders"] = slow
            http = f'http: {{allow: ["127.0.0.1:{server.port}"], secrets: {{crm: x}}}}'
            house = House(tmp_path, f"{http}\ntables: {{orders: {{file: orders.csv}}}}")
            try:
                await house.start(flow(server.url))
                began, good = time.monotonic(), [f"c{n}" for n in range(3, 300, 10)]
                names = [f"c{n}" for n in range(300)]
                for n, name in enumerate(names):
                    house.call(name, f"600{n:06}")
                where = await house.queued(*names)
                print(f"300 callers through four errands each in {time.monotonic() - began:.2f} s")
                assert [name for name, queue in where.items() if queue == "sales"] == good
                assert len(server.asked) == 300
                ends = [one for one in house.events if isinstance(one, ErrandEnded)]
                assert len(ends) == 1200
                assert not [one for one in ends if one.exit == "failed"]
            finally:
                await house.stop()

    asyncio.run(scene())
