"""Callbacks, messages and lost callers over the API: lists, buttons, both waits, who may see and do what."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from centrala.core import facts as f
from centrala.core.private import Private
from centrala.core.specs import Destination, FlowSpec
from centrala.ledger import project
from centrala.people import Role
from centrala.web.routes.owed import OwedList, WaitsReport
from centrala.web.shown import ContactShown
from tests.unit.test_web_api import CUSTOMER, Api, problem
from tests.unit.test_web_floor import Phones, arrive, press, run

pytestmark = pytest.mark.unit

NUMBER = "+48601000222"


async def listed(client: httpx.AsyncClient, path: str = "callbacks", **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/floor/{path}", params=query)
    assert answer.status_code == 200, answer.text
    if path == "callbacks":
        OwedList.model_validate(answer.json())
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def promised(client: httpx.AsyncClient, api: Api, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/floor/callbacks", json={"queue": "sales", "number": number, **more})
    assert answer.status_code == 201, answer.text
    contact: dict[str, Any] = answer.json()["contact"]
    api.parties.waiting.append(("acme", contact["id"], number, "", api.house.now()))
    await api.settle()
    return contact


async def caught_up(api: Api) -> None:
    await api.settle()
    await asyncio.to_thread(project, api.house.desk.ledger)


def test_a_promise_from_the_page_to_the_conversation(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief, api.as_("alice") as alice:
            contact = await promised(chief, api, "601 000 222")
            ContactShown.model_validate(contact)
            assert (contact["direction"], contact["owed"], contact["queue"]) == (
                "callback",
                "callback",
                "sales",
            )
            (one,) = await listed(chief)
            assert (one["contact"], one["kind"], one["place"]) == (contact["id"], "callback", 1)
            assert (one["promise"]["attempt"], one["promise"]["why"]) == (1, "asked")
            assert await listed(chief, queue="claims") == []
            assert phones.rung == []
            await press(alice, "ready")
            leg = phones.pick_up("alice")
            await api.settle()
            (one,) = await listed(chief)
            assert (one["state"], one["agents"]) == ("active", ["alice"])
            # Then the customer is rung, at the number in one spelling.
            assert phones.rung[-1][:2] == (contact["id"], contact["id"])
            api.tell("acme", f.Answered(api.house.now(), contact["id"], contact["id"]))
            await api.settle()
            assert await listed(chief) == []
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert desk["contact"]["hears"][leg] == {contact["id"]: 1.0}
            rows = str(api.house.desk.ledger.rows("acme", 0, 10_000))
            assert "601000222" not in rows.replace("of601000222", "").replace(f"of{NUMBER}", "")

    run(tmp_path, story)


def test_put_off_called_now_and_dropped(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief, api.as_("alice") as alice:
            due = api.house.now() + 3600
            name = (await promised(chief, api, due=due))["id"]
            path = f"/api/v1/floor/callbacks/{name}"
            (one,) = await listed(chief)
            assert (one["state"], one["place"]) == ("booked", None)
            assert one["promise"]["due"] == pytest.approx(due, abs=0.01)
            later = await chief.patch(path, json={"due": due + 600})
            assert later.json()["contact"]["promise"]["due"] == pytest.approx(due + 600, abs=0.01)
            now = await chief.patch(path, json={})
            assert now.status_code == 200
            assert now.json()["contact"]["state"] == "queued"
            problem(await alice.patch(path, json={}), "NOT-ALLOWED")
            assert (await chief.delete(path)).json()["contact"] is None
            assert await listed(chief) == []
            problem(await chief.delete(path), "NOT-FOUND")
            actions = [row[0] for row in api.house.rows("SELECT action FROM people_audit ORDER BY id", ())]
            assert actions[-4:] == ["callback.asked", "callback.due", "callback.due", "callback.dropped"]

    run(tmp_path, story)


@pytest.mark.parametrize(
    "number", ["701112233", "112", "+4930123456", "nonsense", "anonymous", "+882161234567"]
)
def test_numbers_that_nobody_is_promised(tmp_path: Path, number: str) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief:
            answer = await chief.post("/api/v1/floor/callbacks", json={"queue": "sales", "number": number})
            assert problem(answer, "AGENT-REFUSED")["reason"] == "NUMBER-UNFIT"
            assert await listed(chief) == []

    run(tmp_path, story)


def test_one_promise_for_a_number(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief:
            await promised(chief, api)
            again = await chief.post("/api/v1/floor/callbacks", json={"queue": "sales", "number": NUMBER})
            assert problem(again, "AGENT-REFUSED")["reason"] == "CALLBACK-THERE"
            other = await chief.post("/api/v1/floor/callbacks", json={"queue": "claims", "number": NUMBER})
            assert other.status_code == 201

    run(tmp_path, story)


def test_who_hung_up_is_listed_until_somebody_talked_with_them(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief, api.as_("alice") as alice:
            await arrive(api, "lost")
            at = api.house.now()
            api.tell("acme", f.HungUp(at + 30, "lost"))
            api.parties.waiting.append(("acme", "hidden", "anonymous", "", at))
            api.tell("acme", f.ContactArrived(at, "hidden", "100", "hidden"))
            api.tell("acme", f.HungUp(at + 31, "hidden"))
            await caught_up(api)
            found = {one["contact"]: one for one in await listed(chief, "abandoned")}
            assert set(found) == {"lost", "hidden"}
            assert (found["lost"]["number"], found["lost"]["callable"]) == (CUSTOMER, True)
            assert (found["hidden"]["number"], found["hidden"]["callable"]) == ("anonymous", False)
            assert found["lost"]["wait"] == pytest.approx(30, abs=1)
            assert await listed(chief, "abandoned", queue="claims") == []
            refused = await chief.post("/api/v1/floor/abandoned/hidden/call-back")
            assert problem(refused, "AGENT-REFUSED")["reason"] == "NO-NUMBER"
            problem(await alice.post("/api/v1/floor/abandoned/lost/call-back"), "NOT-ALLOWED")
            back = await chief.post("/api/v1/floor/abandoned/lost/call-back")
            assert back.status_code == 201, back.text
            name = back.json()["contact"]["id"]
            assert back.json()["contact"]["origin"] == "lost"
            found = {one["contact"]: one for one in await listed(chief, "abandoned")}
            assert found["lost"]["follow_up"] == "pending"
            await chief.delete(f"/api/v1/floor/callbacks/{name}")
            await caught_up(api)
            found = {one["contact"]: one for one in await listed(chief, "abandoned")}
            assert found["lost"]["follow_up"] == "dropped"
            # They ring again, and get through.
            await arrive(api, "again")
            await press(alice, "ready")
            phones.pick_up()
            await caught_up(api)
            assert [one["contact"] for one in await listed(chief, "abandoned")] == ["hidden"]
            # Somebody else without a number gets through; and they themselves ring once more, in vain.
            api.tell("acme", f.HungUp(api.house.now(), "again"))
            await press(alice, "result", contact="again", disposition="sold")
            await press(alice, "finish")
            api.parties.waiting.append(("acme", "other", "anonymous", "", api.house.now()))
            api.tell("acme", f.ContactArrived(api.house.now(), "other", "100", "other"))
            await api.settle()
            phones.pick_up()
            await api.settle()
            await arrive(api, "more")
            api.tell("acme", f.HungUp(api.house.now() + 30, "more"))
            await caught_up(api)
            assert {one["contact"] for one in await listed(chief, "abandoned")} == {"hidden", "more"}

    run(tmp_path, story)


def test_both_waits_by_hand(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        now = api.house.now()
        today = now - 60
        rows = [
            # (direction, medium, outcome, arrived, waiting since, answered, due, attempts)
            *(
                ("inbound", "voice", "answered", today, today, today + wait, None, 0)
                for wait in (10, 20, 30, 60)
            ),
            ("inbound", "voice", "abandoned", today, today, None, None, 0),
            ("callback", "voice", "answered", today + 5, today - 35, today + 5, today + 5, 1),
            (
                "callback",
                "voice",
                "answered",
                today - 900,
                today - 950,
                today,
                today - 5,
                1,
            ),  # an appointment
            # One that was reached at the second attempt.
            ("callback", "voice", "answered", today - 900, today - 950, today + 15, today - 20, 2),
            ("callback", "voice", "unreached", today, today, None, today, 3),
            ("callback", "voice", "expired", today, today, None, today, 0),
            ("callback", "voice", None, today, today, None, today, 0),
            ("inbound", "voicemail", "answered", today, today, today + 50, None, 0),
        ]
        with api.house.desk.ledger.transaction() as db:
            for number, row in enumerate(rows):
                direction, medium, outcome, arrived, since, answered, due, attempts = row
                db.execute(
                    "INSERT INTO records(tenant, id, medium, direction, party, dialled, queue, arrived_at,"
                    " queued_at, answered_at, talk_s, hold_s, outcome, waiting_since, due_at, attempts)"
                    " VALUES ('acme', ?, ?, ?, 'p', '100', 'sales', ?, ?, ?, 0, 0, ?, ?, ?, ?)",
                    (
                        f"r{number}",
                        medium,
                        direction,
                        arrived,
                        arrived,
                        answered,
                        outcome,
                        since,
                        due,
                        attempts,
                    ),
                )
        async with api.as_("chief") as chief:
            report = (await chief.get("/api/v1/floor/waits", params={"days": 2})).json()
            WaitsReport.model_validate(report)
            sales = next(one for one in report["items"] if one["queue"] == "sales")
            assert sales["held"] == {"count": 4, "mean": 30.0, "median": 20.0, "p90": 60.0, "longest": 60.0}
            assert (sales["callbacks"]["count"], sales["callbacks"]["mean"]) == (1, 40.0)
            assert (sales["late"]["count"], sales["late"]["mean"]) == (2, 20.0)
            assert (sales["messages"]["count"], sales["messages"]["median"]) == (1, 50.0)
            ends = {one: sales[one] for one in ("promised", "unreached", "expired", "replaced", "open")}
            assert ends == {"promised": 6, "unreached": 1, "expired": 1, "replaced": 0, "open": 1}
            empty = next(one for one in report["items"] if one["queue"] == "claims")
            assert (empty["held"]["count"], empty["held"]["mean"]) == (0, None)

    run(tmp_path, story)


def test_others_see_no_numbers_and_nothing_beyond_their_scope(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        await api.user("planner", Role.PLANNER)
        await api.user("banker", Role.SUPERVISOR, scopes=("client:bank",))
        async with api.as_("chief") as chief, api.as_("planner") as planner, api.as_("banker") as banker:
            name = (await promised(chief, api))["id"]
            await asyncio.sleep(0.1)
            (one,) = await listed(planner)
            assert (one["contact"], one["number"]) == (name, None)
            assert await listed(banker) == []
            problem(await banker.delete(f"/api/v1/floor/callbacks/{name}"), "NOT-FOUND")
            problem(await banker.post("/api/v1/floor/callbacks", json={"queue": "sales", "number": NUMBER}),
                    "NOT-FOUND")  # fmt: skip
            waits = (await banker.get("/api/v1/floor/waits")).json()
            assert [one["queue"] for one in waits["items"]] == ["claims"]

    run(tmp_path, story)


LEAVE = """{"format": 1, "start": "take", "nodes": {
    "take": {"type": "voicemail", "prompt": [{"sound": "x"}], "exits": {"next": "bye", "empty": "bye"}},
    "bye": {"type": "hang_up"}}}"""


def test_a_message_is_heard_by_its_agent_and_supervisor_alone(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        path = "recordings/acme/c1-message-2.wav"
        file = api.house.data / path
        file.parent.mkdir(parents=True)
        file.write_bytes(b"RIFF and so on")
        now = api.house.now
        api.tell("acme", f.FlowPublished(now(), FlowSpec("leave", 1, LEAVE)))
        spec = api.house.centre("acme").queues["sales"].spec
        api.tell("acme", f.QueueChanged(now(), replace(spec, keys={"2": Destination("flow", "leave")})))
        api.parties.waiting.append(("acme", "c1", CUSTOMER, "", now()))
        api.tell("acme", f.ContactArrived(now(), "c1", "100", "c1", caller="of" + CUSTOMER))
        api.tell("acme", f.DigitPressed(now(), "c1", Private("2")))
        await api.settle()
        prompt = api.house.centre("acme").contacts["c1"].prompt
        api.tell("acme", f.Said(now(), "c1", prompt))
        await api.settle()
        run_ = api.house.centre("acme").contacts["c1"].run
        assert run_ is not None
        api.tell("acme", f.MessageTaken(now(), "c1", run_.awaited, path, 32.0))
        await api.settle()
        (name,) = [one for one in api.house.centre("acme").contacts if one != "c1"]
        sound = f"/api/v1/messages/{name}/sound"
        async with api.as_("chief") as chief, api.as_("alice") as alice, api.as_("clara") as clara:
            (one,) = await listed(chief)
            assert (one["kind"], one["seconds"], one["origin"]) == ("message", 32.0, "c1")
            problem(await alice.get(sound), "NOT-FOUND")  # nobody has offered it to her yet
            await press(alice, "ready")
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert (desk["contact"]["owed"], desk["contact"]["seconds"]) == ("message", 32.0)
            answer = await alice.get(sound)
            assert (answer.status_code, answer.content) == (200, b"RIFF and so on")
            assert (await chief.get(sound)).status_code == 200
            problem(await clara.get(sound), "NOT-FOUND")
            problem(await alice.post("/api/v1/me/agent/call-customer"), "AGENT-REFUSED")
            phones.pick_up("alice")
            await api.settle()
            await press(alice, "call-customer")
            assert phones.rung[-1][:2] == (name, name)
            again = await alice.post("/api/v1/me/agent/call-customer")
            assert problem(again, "AGENT-REFUSED")["reason"] in ("BEING-RUNG", "NOT-ON-LINE")
            api.tell("acme", f.Answered(now(), name, name))
            await api.settle()
            assert await listed(chief) == []
            heard = api.house.rows("SELECT action FROM people_audit WHERE action = 'recording.heard'", ())
            assert len(heard) == 2
            file.unlink()
            problem(await alice.get(sound), "NOT-FOUND")

    run(tmp_path, story)
