"""The routes of customers over a real house: who reaches what, what is hidden, what the second of two editors sees."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from centrala.people import Permission, Role
from centrala.people.roles import ROLES
from centrala.settings import load
from tests.unit import test_web_api as web
from tests.unit.test_web_api import CUSTOMER as NUMBER

pytestmark = pytest.mark.unit

FILE = """
listen: {http: "127.0.0.1:0"}
tenants:
  acme:
    domain: acme.example
    timezone: Europe/Warsaw
    agents:
      alice: {name: Alice, sip_password: "correct horse", ready_on_register: false}
      boris: {name: Boris, sip_password: "battery staple"}
    clients: {shop: {name: Shop}, bank: {name: Bank}}
    queues:
      sales: {client: shop, agents: [alice, boris], wrap_up: 30s}
      claims: {client: bank, agents: [boris]}
    numbers: {"100": {queue: sales}, "200": {queue: claims}}
  other:
    domain: other.example
    agents: {olga: {name: Olga, sip_password: "paper clip"}}
    queues: {sales: {agents: [olga]}}
    numbers: {"100": {queue: sales}}
"""
ANNA = {
    "given": "Anna",
    "family": "Kowalska",
    "badges": ["VIP"],
    "consents": {"calls": True},
    "identities": [
        {"kind": "phone", "value": "600 100 200", "label": "home"},
        {"kind": "email", "value": "anna@example.com"},
    ],
}


class Api(web.Api):
    """The same, with paths below the API's."""

    @asynccontextmanager
    async def as_(
        self, name: str, tenant: str = "acme", scheme: str = "http"
    ) -> AsyncIterator[httpx.AsyncClient]:
        async with super().as_(name, tenant, scheme) as client:
            client.base_url = f"{scheme}://centre.example/api/v1"
            yield client


@asynccontextmanager
async def open_api(folder: Path) -> AsyncIterator[Api]:
    (folder / "centre.yaml").write_text(FILE)
    async with web.open_api(folder, load(folder / "centre.yaml")) as api:
        yield Api(api.house, api.asgi, api.parties)


def run(folder: Path, story: Callable[[Api], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_api(folder) as api:
            await story(api)

    asyncio.run(main())


def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def problem(answer: httpx.Response, code: str) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    return body


def test_a_card_from_its_making_to_its_erasure(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        await api.user("ada", Role.ADMINISTRATOR)
        async with api.as_("sue") as sue, api.as_("ada") as ada:
            fields = {"fields": [{"key": "contract", "label": "Contract"}]}
            ok(await ada.put("/customers/fields", json=fields))
            problem(await sue.put("/customers/fields", json=fields), "NOT-ALLOWED")
            assert ok(await sue.get("/customers/fields"))["fields"][0]["kind"] == "text"
            company = ok(await sue.post("/customers", json={"kind": "company", "name": "Orion"}), 201)
            body = {**ANNA, "companies": [company["id"]], "custom": {"contract": "A 1"}}
            made = ok(await sue.post("/customers", json=body), 201)
            where = f"/customers/{made['id']}"
            assert made["name"] == "Anna Kowalska"
            assert made["companies"] == [{"id": company["id"], "name": "Orion"}]
            assert [one["value"] for one in made["identities"]] == [NUMBER, "anna@example.com"]
            assert made["consents"]["calls"]["by"] == "sue"
            assert made["consents"]["ads"] is None
            assert made["custom"] == {"contract": "A 1"}
            assert ok(await sue.get(where)) == made
            people = ok(await sue.get(f"/customers/{company['id']}"))["people"]
            assert people == [{"id": made["id"], "name": "Anna Kowalska"}]

            ok(await sue.post(f"{where}/notes", json={"text": "<b>likes</b> tea\nand cake"}), 201)
            promised = ok(await sue.post(f"{where}/promises", json={"text": "240 zł", "due": 1.9e9}), 201)
            (promise,) = promised["promises"]
            assert (promise["due"], promise["done"], promise["by"]) == (1.9e9, False, "sue")
            kept = ok(
                await sue.patch(
                    f"{where}/promises/{promise['id']}", json={"version": promised["version"], "done": True}
                )
            )
            assert kept["promises"][0]["done"] is True
            assert kept["promises"][0]["text"] == "240 zł"
            gone = ok(await sue.delete(f"{where}/promises/{promise['id']}?version={kept['version']}"))
            assert gone["promises"] == []
            history = ok(await sue.get(f"{where}/history"))["items"]
            back = ok(await sue.post(f"{where}/undo", json={"change": history[0]["id"]}))
            assert back["promises"][0]["text"] == "240 zł"

            await api.call("c1", "alice")
            rows = ok(await sue.get(f"{where}/timeline"))["items"]
            assert {row["kind"] for row in rows} == {"contact", "note"}
            (contact,) = (row for row in rows if row["kind"] == "contact")
            assert contact["contact"]["agent"] == "alice"
            assert contact["contact"]["queue"] == "sales"
            assert contact["contact"]["from"] == NUMBER
            assert contact["contact"]["recording"].endswith("/contacts/c1/recording")
            first = ok(await sue.get(f"{where}/timeline?limit=1"))
            second = ok(await sue.get(f"{where}/timeline?limit=1&cursor={first['next']}"))
            assert first["items"] + second["items"] == rows
            assert second["next"] is None

            assert ok(await sue.get("/customers/lookup?number=600100200"))["items"][0]["id"] == made["id"]
            assert ok(await sue.get("/customers/lookup?number=anonymous")) == {"items": [], "withheld": True}
            erased = ok(await sue.delete(where))
            assert (erased["customers"], erased["contacts"], erased["notes"]) == (1, 1, 1)
            problem(await sue.get(where), "NOT-FOUND")
            record = ok(await sue.get("/contacts/c1"))
            assert record["from"] is None
            assert record["talk_s"] is not None
            trail = ok(await ada.get("/audit?limit=500"))["items"]
            actions = {one["action"] for one in trail}
            assert {"customer.made", "customer.changed", "customer.erased", "customer.undone"} <= actions
            told = json.dumps(trail)
            assert not any(text in told for text in ("Kowalska", "600100200", "</b> tea", "240 z"))

    run(tmp_path, story)


def test_the_second_of_two_editors_sees_both(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        await api.user("tom", Role.SUPERVISOR)
        async with api.as_("sue") as sue, api.as_("tom") as tom:
            made = ok(await sue.post("/customers", json=ANNA), 201)
            where = f"/customers/{made['id']}"
            ok(await sue.patch(where, json={"version": 1, "family": "Nowak", "consents": {"calls": False}}))
            both = ok(await tom.patch(where, json={"version": 1, "language": "pl"}))
            assert (both["family"], both["language"], both["version"]) == ("Nowak", "pl", 3)
            late = {"version": 1, "family": "Lis", "consents": {"calls": None}}
            race = problem(await tom.patch(where, json=late), "EDIT-RACE")
            assert race["version"] == 3
            conflicts = {one["field"]: one for one in race["conflicts"]}
            assert (conflicts["family"]["yours"], conflicts["family"]["theirs"]) == ("Lis", "Nowak")
            assert conflicts["family"]["by"] == "sue"
            assert conflicts["consent.calls"]["theirs"]["by"] == "sue"
            chosen = ok(await tom.patch(where, json={**late, "version": race["version"]}))
            assert chosen["family"] == "Lis"
            assert chosen["consents"]["calls"] is None
            changed = ok(await sue.get(f"{where}/history"))["items"]
            family = [(one["before"], one["after"], one["by"]) for one in changed if one["field"] == "family"]
            assert family == [("Nowak", "Lis", "tom"), ("Kowalska", "Nowak", "sue")]
            problem(await sue.post(f"{where}/undo", json={"change": changed[-1]["id"]}), "NO-UNDO")
            problem(await sue.post(f"{where}/undo", json={"change": 10**9}), "NOT-FOUND")
            old = next(one for one in changed if one["after"] == "Nowak")
            problem(await sue.post(f"{where}/undo", json={"change": old["id"]}), "EDIT-RACE")

    run(tmp_path, story)


def test_identities_are_edited_one_by_one(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        async with api.as_("sue") as sue:
            made = ok(await sue.post("/customers", json=ANNA), 201)
            where = f"/customers/{made['id']}"
            phone, mail = made["identities"]
            edit = {
                "version": 1,
                "identities": [
                    {"id": phone["id"], "label": "work"},
                    {"kind": "messenger", "value": "Telegram:@anna"},
                ],
                "remove_identities": [mail["id"]],
            }
            after = ok(await sue.patch(where, json=edit))
            shown = [(one["kind"], one["value"], one["label"]) for one in after["identities"]]
            assert shown == [("phone", NUMBER, "work"), ("messenger", "telegram:@anna", "")]
            unknown = {"version": 2, "identities": [{"id": "nobody", "label": "x"}]}
            problem(await sue.patch(where, json=unknown), "NOT-FOUND")
            for bad in (
                {"version": 2, "identities": [{"kind": "phone", "value": "call me"}]},
                {"version": 2, "identities": [{"kind": "phone"}]},
                {"version": 2, "given": ""},
                {"version": 2, "nickname": "A"},
                {"version": "2"},
                {"version": 2, "custom": {"x": 1}},
                {"given": "A"},
            ):
                problem(await sue.patch(where, json=bad), "BAD-INPUT")
            assert ok(await sue.get(where))["version"] == 2

    run(tmp_path, story)


def test_an_agent_sees_numbers_of_own_customers_alone(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        await api.user("alice", Role.AGENT, agent="alice")
        await api.user("boris", Role.AGENT, agent="boris")
        async with api.as_("sue") as sue, api.as_("alice") as alice, api.as_("boris") as boris:
            made = ok(await sue.post("/customers", json=ANNA), 201)
            where = f"/customers/{made['id']}"
            await api.call("c1", "alice")
            for client, value in ((alice, NUMBER), (boris, None)):
                assert ok(await client.get(where))["identities"][0]["value"] == value
                (row,) = ok(await client.get(f"{where}/timeline"))["items"]
                assert row["contact"]["from"] == value
                (found,) = ok(await client.get("/customers?q=kowal"))["items"]
                assert found["number"] is None
                assert ok(await client.get("/customers?q=60010"))["items"] == []
                assert len(ok(await client.get("/customers?q=600100200"))["items"]) == 1
                looked = ok(await client.get(f"/customers/lookup?number={NUMBER}"))["items"]
                assert [one["id"] for one in looked] == [made["id"]]
            (row,) = ok(await alice.get(f"{where}/timeline"))["items"]
            assert row["contact"]["recording"] is not None
            (row,) = ok(await boris.get(f"{where}/timeline"))["items"]
            assert row["contact"]["recording"] is None
            phone = made["identities"][0]["id"]
            change = {"version": 1, "identities": [{"id": phone, "value": "601 601 601"}]}
            ok(await alice.patch(where, json=change))
            told = (await boris.get(f"{where}/history")).text
            assert "601601601" not in told
            assert "600100200" not in told
            late = {"version": 1, "identities": [{"id": phone, "value": "602 602 602"}]}
            race = problem(await boris.patch(where, json=late), "EDIT-RACE")
            assert "601601601" not in json.dumps(race)
            assert ok(await boris.patch(where, json={"version": 2, "language": "pl"}))["language"] == "pl"
            problem(await alice.delete(where), "NOT-ALLOWED")
            note = ok(await alice.post(f"{where}/notes", json={"text": "mine"}), 201)
            problem(await boris.delete(f"{where}/notes/{note['id']}"), "NOT-FOUND")
            assert (await alice.delete(f"{where}/notes/{note['id']}")).status_code == 204

    run(tmp_path, story)


def test_an_agent_in_a_call_sees_the_caller_s_card(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        # No whole tenant: reaches customers through contacts alone.
        await api.user("alice", Role.AGENT, agent="alice", scopes=("queue:sales",))
        async with api.as_("sue") as sue, api.as_("alice") as alice:
            made = ok(await sue.post("/customers", json=ANNA), 201)
            where = f"/customers/{made['id']}"
            problem(await alice.get(where), "NOT-FOUND")
            problem(await alice.patch(where, json={"version": 1, "language": "pl"}), "NOT-FOUND")
            problem(await alice.get("/customers"), "NOT-ALLOWED")
            await api.call("c1", "alice", over=False)
            assert ok(await alice.get(where))["identities"][0]["value"] == NUMBER
            assert ok(await alice.patch(where, json={"version": 1, "language": "pl"}))["language"] == "pl"
            twin = ok(await sue.post("/customers", json={"given": "Jan"}), 201)
            tie = {"contact": "c1"}
            problem(await alice.post(f"/customers/{twin['id']}/contacts", json=tie), "NOT-FOUND")
            assert (await sue.post(f"/customers/{twin['id']}/contacts", json=tie)).status_code == 204
            assert ok(await alice.get(f"/customers/{twin['id']}"))["name"] == "Jan"
            (row,) = ok(await sue.get(f"/customers/{twin['id']}/timeline"))["items"]
            assert row["contact"]["outcome"] is None
            noted = {"text": "said hello", "contact": "c1"}
            ok(await alice.post(f"/customers/{twin['id']}/notes", json=noted), 201)
            (row,) = ok(await sue.get(f"/customers/{twin['id']}/timeline"))["items"]
            assert [(one["author"], one["text"]) for one in row["notes"]] == [("alice", "said hello")]
            elsewhere = {"text": "x", "contact": "nothing"}
            problem(await alice.post(f"/customers/{twin['id']}/notes", json=elsewhere), "NOT-FOUND")

    run(tmp_path, story)


def test_nobody_makes_a_customer_their_own_to_see_numbers(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        await api.user("alice", Role.AGENT, agent="alice")
        async with api.as_("sue") as sue, api.as_("alice") as alice:
            own = ok(await sue.post("/customers", json=ANNA), 201)
            jan = {"given": "Jan", "identities": [{"kind": "phone", "value": "+48601222333"}]}
            made = ok(await sue.post("/customers", json=jan), 201)
            where = f"/customers/{made['id']}"
            await api.call("c1", "alice")

            async def seen() -> set[str | None]:
                return {one["value"] for one in ok(await alice.get(where))["identities"]}

            assert ok(await alice.get(f"/customers/{own['id']}"))["identities"][0]["value"] == NUMBER
            assert await seen() == {None}
            # Ties, numbers and merges of one's own are no proof.
            assert (await alice.post(f"{where}/contacts", json={"contact": "c1"})).status_code == 204
            assert await seen() == {None}
            mine = {"version": 1, "identities": [{"kind": "phone", "value": NUMBER}]}
            assert "601222333" not in (await alice.patch(where, json=mine)).text
            assert await seen() == {None}
            for one, other in ((own, made), (made, own)):
                body = {"other": other["id"]}
                problem(await alice.post(f"/customers/{one['id']}/merge", json=body), "NOT-ALLOWED")
            # The same said by somebody else is.
            assert (await sue.post(f"{where}/contacts", json={"contact": "c1"})).status_code == 204
            assert "+48601222333" in await seen()

    run(tmp_path, story)


def test_in_a_call_a_tie_of_one_s_own_shows_no_numbers(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        await api.user("alice", Role.AGENT, agent="alice")
        async with api.as_("sue") as sue, api.as_("alice") as alice:
            jan = {"given": "Jan", "identities": [{"kind": "phone", "value": "+48601222333"}]}
            made = ok(await sue.post("/customers", json=jan), 201)
            await api.call("c1", "alice", over=False)
            where = f"/customers/{made['id']}"
            assert (await alice.post(f"{where}/contacts", json={"contact": "c1"})).status_code == 204
            assert ok(await alice.get(where))["identities"][0]["value"] is None

    run(tmp_path, story)


def test_a_scope_narrows_the_timeline(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        await api.user("bea", Role.SUPERVISOR, scopes=("client:bank",))
        async with api.as_("sue") as sue, api.as_("bea") as bea:
            made = ok(await sue.post("/customers", json=ANNA), 201)
            where = f"/customers/{made['id']}"
            await api.call("c1", "alice")
            problem(await bea.get(where), "NOT-FOUND")
            await api.call("c2", "boris", number="200")
            rows = ok(await bea.get(f"{where}/timeline"))["items"]
            assert [row["id"] for row in rows] == ["c2"]
            assert len(ok(await sue.get(f"{where}/timeline"))["items"]) == 2

    run(tmp_path, story)


def test_merge_undo_and_keys(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        async with api.as_("sue") as sue:
            key = {"Idempotency-Key": "once"}
            made = ok(await sue.post("/customers", json=ANNA, headers=key), 201)
            assert ok(await sue.post("/customers", json=ANNA, headers=key), 201)["id"] == made["id"]
            problem(await sue.post("/customers", json={"given": "B"}, headers=key), "KEY-REUSED")
            twin = ok(await sue.post("/customers", json={**ANNA, "badges": ["late"]}), 201)
            assert len(ok(await sue.get(f"/customers/lookup?number={NUMBER}"))["items"]) == 2
            where = f"/customers/{made['id']}"
            merged = ok(await sue.post(f"{where}/merge", json={"other": twin["id"]}))
            assert merged["badges"] == ["VIP", "late"]
            assert ok(await sue.get(f"/customers/{twin['id']}"))["id"] == made["id"]
            problem(await sue.delete(f"/customers/{twin['id']}"), "MERGED")
            problem(await sue.post(f"{where}/merge", json={"other": made["id"]}), "BAD-INPUT")
            change = ok(await sue.get(f"{where}/history"))["items"][0]
            assert (change["field"], change["after"]) == ("merge", twin["id"])
            assert ok(await sue.post(f"{where}/undo", json={"change": change["id"]}))["badges"] == ["VIP"]
            assert ok(await sue.get(f"/customers/{twin['id']}"))["badges"] == ["late"]

    run(tmp_path, story)


def test_pages_of_a_search(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("sue", Role.SUPERVISOR)
        async with api.as_("sue") as sue:
            for one in range(7):
                ok(await sue.post("/customers", json={"given": "Jan", "family": f"Lis{one}"}), 201)
            for q in ("", "jan", "lis j"):
                names, cursor = [], ""
                while True:
                    page = ok(await sue.get("/customers", params={"q": q, "limit": 3, **cursor_of(cursor)}))
                    names += [one["name"] for one in page["items"]]
                    if page["next"] is None:
                        break
                    cursor = page["next"]
                assert sorted(names) == [f"Jan Lis{one}" for one in range(7)], q
            for bad in ("x", "AAAA", cursor, "WyJhIl0="):
                problem(await sue.get("/customers", params={"q": "", "cursor": bad}), "BAD-CURSOR")

    run(tmp_path, story)


def cursor_of(cursor: str) -> dict[str, str]:
    return {"cursor": cursor} if cursor else {}


def test_every_route_for_every_role_and_a_stranger(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        for role in Role:
            await api.user(role, role, agent="boris")
            await api.user(f"foreign-{role}", role, tenant="other", agent="olga")
        await api.user("sue", Role.SUPERVISOR)
        async with api.as_("sue") as sue:
            made = ok(await sue.post("/customers", json=ANNA), 201)["id"]
            note = ok(await sue.post(f"/customers/{made}/notes", json={"text": "x"}), 201)["id"]
            card = ok(await sue.post(f"/customers/{made}/promises", json={"text": "x"}), 201)
            change = ok(await sue.get(f"/customers/{made}/history"))["items"][0]["id"]
            promise = card["promises"][0]["id"]
        one = f"/customers/{made}"
        holds = Permission.CUSTOMERS, Permission.DESK
        cards = (Permission.CUSTOMERS,)
        routes: list[tuple[str, str, Any, tuple[Permission, ...]]] = [
            ("GET", "/customers", None, cards),
            ("GET", "/customers/lookup", None, cards),
            ("GET", one, None, holds),
            ("PATCH", one, {"version": 1}, holds),
            ("GET", f"{one}/timeline", None, holds),
            ("GET", f"{one}/history", None, holds),
            ("POST", f"{one}/undo", {"change": change}, holds),
            ("POST", f"{one}/merge", {"other": "nobody"}, cards),
            ("POST", f"{one}/contacts", {"contact": "nothing"}, holds),
            ("POST", f"{one}/notes", {"text": "x"}, holds),
            ("DELETE", f"{one}/notes/{note}", None, holds),
            ("POST", f"{one}/promises", {"text": "x"}, holds),
            ("PATCH", f"{one}/promises/{promise}", {"version": 1, "done": True}, holds),
            ("DELETE", f"{one}/promises/{promise}?version=1", None, holds),
            ("GET", "/customers/fields", None, (*holds, Permission.SETTINGS)),
            ("PUT", "/customers/fields", {"fields": []}, (Permission.SETTINGS,)),
            ("DELETE", one, None, (Permission.NUMBERS,)),
        ]
        for role in Role:
            held = ROLES[role]
            whole = Permission.CUSTOMERS in held
            async with api.as_(f"foreign-{role}", "other") as foreign, api.as_(role) as own:
                for method, path, body, needed in routes:
                    answer = await foreign.request(method, path, json=body)
                    assert "Kowalska" not in answer.text
                    if path.startswith(one):
                        assert answer.status_code in (403, 404), (role, method, path)
                    if method == "DELETE" and path == one and whole and Permission.NUMBERS in held:
                        continue  # would take the others' card away
                    answer = await own.request(method, path, json=body)
                    refused = answer.status_code == 403
                    assert refused == (not held & set(needed)), (role, method, path, answer.text)
                    if not whole and not refused and path.startswith(one):
                        problem(answer, "NOT-FOUND")
                    if not whole:
                        assert "Kowalska" not in answer.text
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(api.asgi), base_url="http://centre.example/api/v1"
        ) as nobody:
            for method, path, body, _ in routes:
                answer = await nobody.request(method, path, json=body, headers={"X-Centrala": "1"})
                problem(answer, "SIGNED-OUT")

    run(tmp_path, story)
