"""Callbacks of an agent: theirs and their queues', by time; called, done, put off; never anybody else's."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from centrala.core import facts as f
from centrala.customers import open_customers, zone_of
from centrala.customers.tables import VERSION_1
from centrala.ledger import beside, open_log
from tests.unit.test_web_api import Api, problem
from tests.unit.test_web_floor import Phones, press, run

pytestmark = pytest.mark.unit

HOUR = 3600.0


async def listed(client: httpx.AsyncClient, days: int = 1) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/me/agent/callbacks?days={days}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def promise(
    client: httpx.AsyncClient, customer: str, text: str, due: float | None, queue: str | None = None
) -> str:
    body = {"text": text, "due": due, "queue": queue}
    answer = await client.post(f"/api/v1/customers/{customer}/promises", json=body)
    assert answer.status_code == 201, answer.text
    found: str = next(one["id"] for one in answer.json()["promises"] if one["text"] == text)
    return found


def card(api: Api, number: str | None, **doc: Any) -> str:
    wanted: dict[str, Any] = {"given": "Jan", "family": "Nowak", **doc}
    if number is not None:
        wanted["identity.aaaaaaaa"] = {"kind": "phone", "value": number, "label": ""}
    return api.house.customers.add("acme", "person", wanted, "console", api.house.now()).id


def test_mine_and_my_queues_by_time(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        now = api.house.now()
        jan = card(api, "+48600100200", language="pl", **{"consent.calls": False})
        vera = card(api, "+79161234567", given="Vera")
        async with api.as_("alice") as alice, api.as_("boris") as boris:
            own = await promise(alice, jan, "own", now - 2 * HOUR)
            await promise(alice, jan, "no time", None)
            await promise(alice, jan, "in ten days", now + 240 * HOUR)
            await promise(boris, jan, "his own", now - HOUR)
            await promise(boris, vera, "for sales", now - 3 * HOUR, "sales")
            await promise(alice, vera, "for claims", now - HOUR / 2, "claims")
            mine = await listed(alice)
            assert [one["text"] for one in mine] == ["for sales", "own"]
            assert [(one["mine"], one["queue"], one["by"]) for one in mine] == [
                (False, "sales", "boris"),
                (True, None, "alice"),
            ]
            assert (mine[1]["zone"], mine[1]["language"], mine[1]["calls"]) == ("Europe/Warsaw", "pl", False)
            assert mine[0]["zone"] is None, "a Russian mobile number may be anywhere from Moscow to Kamchatka"
            assert mine[1]["number"] is None, "who may not see numbers doesn't see them here either"
            assert [one["callable"] for one in mine] == [True, False], (
                "nobody calls whom they never talked with"
            )
            assert [one["text"] for one in await listed(boris)] == ["his own", "for claims"]
            assert [one["text"] for one in await listed(alice, 31)][-1] == "in ten days"
            async with api.as_("chief") as chief:
                assert await listed(chief) == [], "a supervisor has those of their own"
                # Lent to a queue, one has its callbacks too.
                body = {"queues": {"claims": True}}
                assert (await chief.put("/api/v1/floor/agents/alice/queues", json=body)).status_code == 200
            assert [one["text"] for one in await listed(alice)] == ["for sales", "own", "for claims"]

            where = f"/api/v1/me/agent/callbacks/{jan}/{own}"
            tomorrow = now + 40 * HOUR
            assert (await alice.patch(where, json={"due": tomorrow})).status_code == 204
            assert "own" not in [one["text"] for one in await listed(alice)]
            assert "own" in [one["text"] for one in await listed(alice, 3)]
            problem(await boris.patch(where, json={"done": True}), "NOT-FOUND")
            assert (await alice.patch(where, json={"done": True})).status_code == 204
            assert "own" not in [one["text"] for one in await listed(alice, 3)]
            history = (await alice.get(f"/api/v1/customers/{jan}/history")).json()["items"]
            assert history[0]["after"]["done"] is True
            assert history[0]["by"] == "alice"
            undo = await alice.post(f"/api/v1/customers/{jan}/undo", json={"change": history[0]["id"]})
            assert undo.status_code == 200
            assert "own" in [one["text"] for one in await listed(alice, 3)]
            for bad in ({"due": -1}, {"due": "soon"}, {"done": "yes"}, {"x": 1}):
                problem(await alice.patch(where, json=bad), "BAD-INPUT")
            problem(await alice.get("/api/v1/me/agent/callbacks?days=32"), "BAD-INPUT")

            # Merged, parted, erased: the callback goes with the card.
            async with api.as_("chief") as chief:
                path = f"/api/v1/customers/{vera}"
                merged = await chief.post(f"{path}/merge", json={"other": jan})
                assert merged.status_code == 200, merged.text
                assert {one["customer"] for one in await listed(alice, 3)} == {vera}
                assert (await chief.delete(path)).status_code == 200
            assert await listed(alice, 31) == []

    run(tmp_path, story)


def test_called_without_seeing_the_number(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        now = api.house.now()
        jan, nobody = card(api, "+48600100200"), card(api, None)
        async with api.as_("alice") as alice, api.as_("boris") as boris:
            given = await promise(boris, jan, "call", now, "sales")
            own = await promise(alice, jan, "my own", now)
            found = {one["text"]: one["callable"] for one in await listed(alice)}
            assert found == {"call": True, "my own": False}
            empty = await promise(boris, nobody, "call", now, "sales")
            where = "/api/v1/me/agent/callbacks"
            problem(await alice.post(f"{where}/{nobody}/{empty}/call"), "AGENT-REFUSED")
            problem(await alice.post(f"{where}/{jan}/{own}/call"), "NOT-FOUND")  # no way to anybody's number
            problem(await boris.post(f"{where}/{jan}/{own}/call"), "NOT-FOUND")
            problem(await alice.post(f"{where}/{jan}/nothing/call"), "NOT-FOUND")
            answer = await alice.post(f"{where}/{jan}/{given}/call", headers={"Idempotency-Key": "k1"})
            assert answer.status_code == 200, answer.text
            assert phones.kept == {"dialled-1": "+48600100200"}
            assert phones.rung[-1][2] == "alice"
            again = await alice.post(f"{where}/{jan}/{given}/call", headers={"Idempotency-Key": "k1"})
            assert again.json() == answer.json()
            assert phones.made == 1
            api.tell("acme", f.HungUp(now, "dialled-1"))
            await api.settle()
        # Whoever has talked with the customer may call on a promise of their own.
        await api.call("c1", "clara", number="200", over=True)
        async with api.as_("clara") as clara:
            mine = await promise(clara, jan, "as we said", now)
            await press(clara, "ready")
            assert [one["callable"] for one in await listed(clara)] == [True]
            assert (await clara.post(f"{where}/{jan}/{mine}/call")).status_code == 200

    run(tmp_path, story)


def test_a_day_ends_at_the_tenants_midnight(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        zone = ZoneInfo(api.house.tenant("acme").timezone)
        today = datetime.fromtimestamp(api.house.now(), zone).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        midnight = (today + timedelta(days=1)).timestamp()
        jan = card(api, "+48600100200")
        async with api.as_("alice") as alice:
            await promise(alice, jan, "before", midnight - 0.5)
            await promise(alice, jan, "after", midnight)
            assert [one["text"] for one in await listed(alice)] == ["before"]
            assert [one["text"] for one in await listed(alice, 2)] == ["before", "after"]

    run(tmp_path, story)


def test_promises_of_an_older_centrala_are_found(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    old = beside.connect(tmp_path, "customers", (VERSION_1,), called="The customers")
    body = (
        '{"given": "Ewa", "promise.a1": {"text": "call", "due": 500.0, "done": false, "at": 1.0, "by": "u1"},'
        ' "promise.a2": {"text": "done", "due": 400.0, "done": true, "at": 1.0, "by": "u1"},'
        ' "promise.a3": {"text": "some day", "due": null, "done": false, "at": 1.0, "by": "u1"}}'
    )
    add = "INSERT INTO customers VALUES ('acme', ?, 'person', 1, 'ewa', ?, ?, 1.0, 1.0)"
    old.execute(add, ("c1", body, None))
    old.execute(add, ("c2", body, "c1"))
    old.close()
    customers = open_customers(tmp_path, lambda tenant: "PL")
    try:
        found = customers.due("acme", ["u1"], [], 1000.0, 10)
        assert [(one.id, it.id, it.text) for one, it in found] == [("c1", "a1", "call")]
        assert customers.due("acme", ["u1"], [], 500.0, 10) == []
        assert customers.due("other", ["u1"], [], 1000.0, 10) == []
    finally:
        customers.close()
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        plan = db.execute(
            "EXPLAIN QUERY PLAN SELECT due, customer, promise FROM customers_promises"
            " WHERE tenant = ? AND author = ? AND queue = '' AND due < ? ORDER BY due LIMIT ?",
            ("acme", "u1", 1.0, 5),
        ).fetchall()
    assert "customers_promises_own" in plan[0][3], "no walk over everybody's promises"


def test_zones_by_number() -> None:
    assert zone_of("+48600100200") == "Europe/Warsaw"
    assert zone_of("+79161234567") is None
    assert zone_of("112") is None
    assert zone_of("+99912345") is None
