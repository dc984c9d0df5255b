"""The administrator: users, links, settings over the file, sounds. Over a real desk, ledger and people."""

import asyncio
import io
import itertools
import json
import math
import struct
import wave
from pathlib import Path
from typing import Any

import httpx
import pytest

from centrala.people import Role
from centrala.people.changes import saved
from centrala.people.directory import LINK_FOR
from centrala.settings import Settings, load
from tests.unit.test_web_api import Api, open_api, problem, run

pytestmark = pytest.mark.unit

OWN = "another good secret"


async def made(client: httpx.AsyncClient, name: str, *roles: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/admin/users", json={"name": name, "roles": roles, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def actions(api: Api) -> list[str]:
    return [one.action for one in api.house.people.trail("acme")]


# --- users ---


def test_a_user_is_made_changed_and_blocked(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        boss = await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            olga = await made(client, "olga", "agent", "supervisor", scopes=["queue:sales"], agent="alice")
            assert (olga["roles"], olga["scopes"], olga["agent"]) == (
                ["agent", "supervisor"],
                ["queue:sales"],
                "alice",
            )
            assert olga["must_change"]
            items = (await client.get("/api/v1/admin/users")).json()["items"]
            assert [one["name"] for one in items] == ["boss", "olga"]
            assert [one["sessions"] for one in items] == [1, 0]
            url = f"/api/v1/admin/users/{olga['id']}"
            changed = (await client.patch(url, json={"roles": ["quality"], "agent": None})).json()
            assert (changed["roles"], changed["agent"], changed["scopes"]) == (
                ["quality"],
                None,
                ["queue:sales"],
            )
            raced = await client.patch(url, json={"roles": ["agent"], "changed_at": olga["changed_at"]})
            theirs = problem(raced, "EDIT-RACE")["conflicts"]
            assert [(one["field"], one["yours"], one["theirs"]) for one in theirs] == [
                ("roles", ["agent"], ["quality"])
            ]
            good = await client.patch(url, json={"roles": ["agent"], "changed_at": changed["changed_at"]})
            assert good.status_code == 200
            for bad in (
                {"roles": []},
                {"roles": ["king"]},
                {"scopes": ["room:1"]},
                {"scopes": ["queue:nowhere"]},
                {"agent": "nobody"},
                {"password": "x"},
            ):
                problem(await client.patch(url, json=bad), "BAD-INPUT")
            problem(await client.patch("/api/v1/admin/users/nobody", json={"active": False}), "NOT-FOUND")
            problem(
                await client.post("/api/v1/admin/users", json={"name": "olga", "roles": ["agent"]}),
                "NAME-TAKEN",
            )
        trail = [one for one in api.house.people.trail("acme") if one.action == "user.changed"]
        assert (trail[-1].actor, trail[-1].before["roles"], trail[-1].after["roles"]) == (
            boss.id,
            ["agent", "supervisor"],
            ["quality"],
        )

    run(tmp_path, story)


def test_a_temporary_password_serves_to_choose_ones_own(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client, api.client() as new:
            olga = await made(client, "olga", "agent", agent="alice")
            body = {"tenant": "acme", "name": "olga", "password": olga["password"]}
            assert (await new.post("/api/v1/session", json=body)).json()["must_change"] is True
            problem(await new.get("/api/v1/me/agent"), "PASSWORD-TEMPORARY")
            problem(await new.get("/api/v1/live"), "PASSWORD-TEMPORARY")
            own = {"old": olga["password"], "new": OWN}
            assert (await new.put("/api/v1/me/password", json=own)).status_code == 204
            assert (await new.get("/api/v1/me/agent")).status_code == 200
            assert (await new.get("/api/v1/me")).json()["must_change"] is False
            url = f"/api/v1/admin/users/{olga['id']}/password"
            reset = (await client.post(url, json={})).json()["password"]
            problem(await new.get("/api/v1/me"), "SIGNED-OUT")
            problem(await new.post("/api/v1/session", json={**body, "password": OWN}), "SIGN-IN-WRONG")
            assert (await new.post("/api/v1/session", json={**body, "password": reset})).json()["must_change"]
            link = (await client.post(f"/api/v1/admin/users/{olga['id']}/link")).json()["secret"]
            assert (await new.post("/api/v1/session/link", json={"secret": link})).json()["must_change"]
            problem(await new.put("/api/v1/me/password", json={"new": "olga"}), "PASSWORD-WEAK")
            assert (await new.put("/api/v1/me/password", json={"new": OWN})).status_code == 204
            problem(await new.put("/api/v1/me/password", json={"new": OWN + "!"}), "PASSWORD-WRONG")
            me = (await client.get("/api/v1/me")).json()["id"]
            problem(await client.post(f"/api/v1/admin/users/{me}/password", json={}), "IN-USE")

    run(tmp_path, story)


def test_nobody_takes_the_last_administrator_away(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        await api.user("scoped", Role.ADMINISTRATOR, scopes=("queue:sales",))
        await api.user("alien", Role.ADMINISTRATOR, tenant="other")
        async with api.as_("boss") as client:
            users = {one["name"]: one for one in (await client.get("/api/v1/admin/users")).json()["items"]}
            assert set(users) == {"boss", "scoped"}
            url = f"/api/v1/admin/users/{users['boss']['id']}"
            for change in ({"roles": ["agent"]}, {"active": False}, {"scopes": ["queue:sales"]}):
                problem(await client.patch(url, json=change), "LAST-ADMINISTRATOR")
            second = await made(client, "second", "administrator")
            assert (await client.patch(url, json={"roles": ["agent"]})).status_code == 200
            problem(await client.get("/api/v1/admin/users"), "NOT-ALLOWED")
        async with api.as_("scoped") as client:
            problem(await client.get("/api/v1/admin/users"), "NOT-ALLOWED")
        async with api.as_("alien", "other") as client:
            for path in ("", "/password", "/link", "/sign-out"):
                method = "PATCH" if not path else "POST"
                url = f"/api/v1/admin/users/{second['id']}{path}"
                problem(await client.request(method, url, json={}), "NOT-FOUND")

    run(tmp_path, story)


def test_blocking_and_ending_sessions(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        olga = await api.user("olga", Role.SUPERVISOR)
        async with api.as_("boss") as client, api.as_("olga") as hers:
            url = f"/api/v1/admin/users/{olga.id}"
            token = (await hers.post("/api/v1/tokens", json={"label": "t"})).json()["secret"]
            assert (await client.post(f"{url}/sign-out")).json()["sessions"] == 0
            problem(await hers.get("/api/v1/me"), "SIGNED-OUT")
            async with api.client() as program:
                bearer = {"Authorization": f"Bearer {token}"}
                assert (await program.get("/api/v1/me", headers=bearer)).status_code == 200
                assert (await client.patch(url, json={"active": False})).json()["active"] is False
                problem(await program.get("/api/v1/me", headers=bearer), "SIGNED-OUT")
            problem(await client.post(f"{url}/link"), "IN-USE")
            me = (await client.get("/api/v1/me")).json()["id"]
            assert (await client.post(f"/api/v1/admin/users/{me}/sign-out")).status_code == 200
            assert (await client.get("/api/v1/me")).status_code == 200, "one's own session stays"

    run(tmp_path, story)


def test_a_link_signs_in_once_and_not_for_long(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        olga = await api.user("olga", Role.AGENT, agent="alice")
        async with api.as_("boss") as client:
            secret = (await client.post(f"/api/v1/admin/users/{olga.id}/link")).json()["secret"]
        async with api.client() as new:
            problem(await new.post("/api/v1/session/link", json={"secret": secret + "x"}), "SIGN-IN-WRONG")
            assert (await new.post("/api/v1/session/link", json={"secret": secret})).json()["name"] == "olga"
            assert (await new.get("/api/v1/me")).json()["agent"] == "alice"
            problem(await new.post("/api/v1/session/link", json={"secret": secret}), "SIGN-IN-WRONG")
        people, now = api.house.people, api.house.now()
        old = people.link(olga, now - LINK_FOR)
        blocked = people.link(olga, now)
        people.set_active(olga, False, now)
        async with api.client() as new:
            for one in (old, blocked):
                problem(await new.post("/api/v1/session/link", json={"secret": one}), "SIGN-IN-WRONG")
        began = [
            one for one in people.trail("acme") if one.action == "session.began" and one.after["by"] == "link"
        ]
        assert [one.actor for one in began] == [olga.id]
        assert secret not in json.dumps([str(one) for one in people.trail("acme")])

    run(tmp_path, story)


def test_guessing_links_is_slowed_down(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        async with api.client() as client:
            codes = set()
            for number in range(30):
                answer = await client.post("/api/v1/session/link", json={"secret": f"guess {number}"})
                codes.add(answer.json()["code"])
            assert codes == {"SIGN-IN-WRONG", "SIGN-IN-SLOW"}

    run(tmp_path, story)


# --- settings ---


async def save(
    client: httpx.AsyncClient, base: int, *edits: tuple[str, Any], check: bool = False
) -> httpx.Response:
    body = {"base": base, "edits": [{"path": path.split("/"), "value": value} for path, value in edits]}
    return await client.post(f"/api/v1/admin/settings{'/check' if check else ''}", json=body)


def test_what_the_file_gives_is_read_only_and_the_rest_can_be_set(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        told: list[Settings] = []

        async def tell(settings: Settings) -> None:
            told.append(settings)

        api.house.on_settings = tell
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            shown = (await client.get("/api/v1/admin/settings")).json()
            assert (shown["version"], shown["file"]) == (0, "centre.yaml")
            sources = {".".join(one["path"]): (one["given"], one["line"]) for one in shown["sources"]}
            assert sources["queues.sales.wrap_up"] == ("file", 11)
            assert shown["tree"]["agents"]["alice"]["sip_password"] == "***"
            edits = (
                ("queues/sales/ring_timeout", "20s"),
                ("queues/night", {"agents": ["alice"], "needs": {"polish": 3}}),
                ("numbers/300", {"queue": "night"}),
                ("dispositions/sold", {"en": "Sold", "pl": "Sprzedane"}),
                ("name", "Acme <b>Help</b>"),
            )
            checked = (await save(client, 0, *edits, check=True)).json()
            assert checked["problems"] == []
            assert {one["code"] for one in checked["effects"]} == {
                "QUEUE-ADDED",
                "QUEUE-UNSERVED",
                "NUMBER-ADDED",
            }
            assert "+    ring_timeout: 20s" in checked["yaml"].replace("'", "")
            assert any("no agent can serve it" in one for one in checked["warnings"])
            assert told == []
            done = (await save(client, 0, *edits)).json()
            assert (done["version"], done["by"]) == (1, "boss")
            assert done["differences"] == checked["differences"]
            tenant = told[-1].tenants["acme"]
            assert tenant == api.house.settings.tenants["acme"]
            assert (tenant.queues["sales"].ring_timeout, tenant.queues["sales"].wrap_up) == (20.0, 30.0)
            assert tenant.queues["night"].needs == {"polish": 3}
            assert tenant.name == "Acme <b>Help</b>"
            assert told[-1].tenants["other"] == load(tmp_path / "centre.yaml").tenants["other"]
            for path, value in (
                ("queues/sales/wrap_up", "5s"),
                ("queues/sales", None),
                ("domain", "evil.example"),
                ("agents/alice/sip_password", "new"),
                ("queues/sales", {"wrap_up": "5s"}),
                ("numbers/100", {"queue": "claims"}),
            ):
                answer = await save(client, 1, (path, value))
                said = problem(answer, "SETTINGS-WRONG")["errors"]
                assert "is given in the centre's file, line" in said[0]["what"], path
            again = load(tmp_path / "centre.yaml", None, saved(tmp_path / "data"))
            assert again == api.house.settings, "a restart reads the same"
            shown = (await client.get("/api/v1/admin/settings")).json()
            sources = {".".join(one["path"]): one["given"] for one in shown["sources"]}
            assert (sources["queues.sales.ring_timeout"], sources["queues.night"]) == ("screen", "screen")
            assert (sources["queues.sales.wrap_up"], sources["queues.sales"]) == ("file", "file")

    run(tmp_path, story)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("queues/sales/strategy", "longest_idel", "did you mean longest_idle?"),
        ("queues/sales/ring_timout", "5s", "did you mean ring_timeout?"),
        ("queus/sales/ring_timeout", "5s", "did you mean queues?"),
        ("queues/night", {"agents": ["nobody"]}, "is not an agent of this tenant"),
        ("queues/night", "text", "expected a mapping of keys"),
        ("queues", {"night": {}}, "no key that can be set"),
        ("tenants/other/name", "x", "unknown key"),
        ("queues/a b", {}, "can't be an id"),
        ("agents/carol/sip_password", "env:HOME", "can stand in the file alone"),
        ("agents/carol/sip_password", "file:/etc/passwd", "can stand in the file alone"),
        ("agents/carol/sip_password", {"env": "HOME"}, "expected a text"),
        ("agents/carol/sip_password", {"kept": "x"}, "expected a text"),
        ("trunks/t/register", {"user": "u", "password": {"file": "x"}}, "expected a text"),
        ("trunks/t/address", {"kept": "x"}, "expected"),
        ("name", "two\nlines", "on one line"),
        ("name", ["a"], "found a list"),
        ("numbers/200", {"queue": "sales"}, "is given in the centre's file"),
        ("numbers/9", {"queue": "nowhere"}, "is not a queue of this tenant"),
        ("timezone", "Europe/Nowhere", "is not a time zone"),
    ],
)
def test_mistakes_are_told_by_key_and_change_nothing(
    tmp_path: Path, path: str, value: Any, says: str
) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        before = api.house.settings
        async with api.as_("boss") as client:
            body = {"base": 0, "edits": [{"path": path.split("/"), "value": value}]}
            headers = {"Content-Type": "application/json"}
            for route in ("/check", ""):
                answer = await client.post(
                    f"/api/v1/admin/settings{route}", content=json.dumps(body), headers=headers
                )
                if route:
                    found = [one["text"] for one in answer.json()["problems"]]
                else:
                    found = [one["what"] for one in problem(answer, "SETTINGS-WRONG")["errors"]]
                assert any(says in one for one in found), answer.text
            assert (await client.get("/api/v1/admin/settings")).json()["version"] == 0
        assert api.house.settings is before

    run(tmp_path, story)


@pytest.mark.parametrize(
    "value",
    [
        '"half \\ud83d a sign"',
        '{"half \\ud83d": 1}',
        '"\\u0000"',
        '{"a":' * 13 + "1" + "}" * 13,
        "[" * 900 + "]" * 900,
        "[" * 9000 + "]" * 9000,
        "1" * 5000,
        "NaN",
        "1e999",
    ],
)
def test_values_that_no_file_could_hold(tmp_path: Path, value: str) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            headers = {"Content-Type": "application/json"}
            body = f'{{"base": 0, "edits": [{{"path": ["name"], "value": {value}}}]}}'
            for route in ("/check", ""):
                answer = await client.post(f"/api/v1/admin/settings{route}", content=body, headers=headers)
                assert answer.status_code in (200, 422), answer.text
                assert answer.is_success or "value" in answer.text or "can't be read" in answer.text, (
                    answer.text
                )
                if answer.status_code == 200:
                    assert route or api.house.settings.tenants["acme"].name
            assert (await client.get("/api/v1/admin/settings")).status_code == 200

    run(tmp_path, story)


def test_two_people_edit_at_once(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        await api.user("chief", Role.ADMINISTRATOR)
        async with api.as_("boss") as one, api.as_("chief") as two:
            assert (await save(one, 0, ("queues/sales/ring_timeout", "20s"))).json()["version"] == 1
            assert (await save(two, 0, ("queues/claims/ring_timeout", "9s"))).json()["version"] == 2
            sales = api.house.settings.tenants["acme"].queues
            assert (sales["sales"].ring_timeout, sales["claims"].ring_timeout) == (20.0, 9.0)
            raced = await save(two, 0, ("queues/sales/ring_timeout", "30s"))
            (conflict,) = problem(raced, "EDIT-RACE")["conflicts"]
            assert (conflict["field"], conflict["yours"], conflict["theirs"]) == (
                "queues.sales.ring_timeout",
                "30s",
                "20s",
            )
            problem(await save(two, 7, ("name", "x")), "EDIT-RACE")
            both = await asyncio.gather(*(save(one, 2, (f"queues/q{n}", {})) for n in range(8)))
            assert sorted(answer.json()["version"] for answer in both) == list(range(3, 11))
            assert len(api.house.settings.tenants["acme"].queues) == 10

    run(tmp_path, story)


def test_undo_and_history(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            for base, value in enumerate(("10s", "20s", "30s")):
                await save(client, base, ("queues/sales/ring_timeout", value))

            def now() -> float:
                return api.house.settings.tenants["acme"].queues["sales"].ring_timeout

            undone = (await client.post("/api/v1/admin/settings/undo", json={"base": 3})).json()
            assert (undone["version"], now()) == (4, 20.0)
            assert undone["differences"] == [
                {"path": ["queues", "sales", "ring_timeout"], "before": "30s", "after": "20s"}
            ]
            assert (
                await client.post("/api/v1/admin/settings/undo", json={"base": 4, "to": 0})
            ).status_code == 200
            assert now() == 15.0
            problem(await client.post("/api/v1/admin/settings/undo", json={"base": 4}), "EDIT-RACE")
            problem(await client.post("/api/v1/admin/settings/undo", json={"base": 5, "to": 9}), "NOT-FOUND")
            seen: list[int] = []
            cursor = ""
            while True:
                page = (await client.get(f"/api/v1/admin/settings/history?limit=2{cursor}")).json()
                seen += [one["version"] for one in page["items"]]
                if page["next"] is None:
                    break
                cursor = f"&cursor={page['next']}"
            assert seen == [5, 4, 3, 2, 1]
            assert page["items"][-1]["differences"][0]["after"] == "10s"
            assert page["items"][-1]["by"] == "boss"
        assert actions(api).count("settings.changed") == 5

    run(tmp_path, story)


def test_secrets_are_kept_apart_and_never_shown(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        secret, second = "paper tiger 1", "paper tiger 2"
        async with api.as_("boss") as client:
            trunk = {"address": "192.0.2.1", "register": {"user": "u", "password": secret}}
            answers = [
                await save(client, 0, ("agents/carol/sip_password", secret), ("trunks/t", trunk), check=True),
                await save(client, 0, ("agents/carol/sip_password", secret), ("trunks/t", trunk)),
                await client.get("/api/v1/admin/settings"),
                await client.get("/api/v1/admin/settings/history"),
                await client.get("/api/v1/audit"),
            ]

            def now() -> tuple[str | None, str | None]:
                tenant = api.house.settings.tenants["acme"]
                carol, line = tenant.agents["carol"].sip_password, tenant.trunks["t"].register
                return carol and carol.reveal(), line and line.password.reveal()

            assert now() == (secret, secret)
            register = {"user": "v", "password": "***"}
            answers.append(
                await save(client, 1, ("trunks/t/register", register), ("agents/carol/sip_password", "***"))
            )
            assert now() == (secret, secret), "what is shown hidden and sent back stays"
            answers.append(await save(client, 2, ("agents/carol/sip_password", second)))
            assert now() == (second, secret)
            assert answers[-1].json()["differences"] == [
                {"path": ["agents", "carol", "sip_password"], "before": "***", "after": "***"}
            ]
            assert {one["code"] for one in answers[-1].json()["effects"]} == {"PHONE-CHANGED"}
            await client.post("/api/v1/admin/settings/undo", json={"base": 3})
            assert now() == (secret, secret)
        for answer in answers:
            assert answer.is_success, answer.text
            assert secret not in answer.text
            assert "correct horse" not in answer.text

    run(tmp_path, story)


def test_taking_agents_away_tells_whom_it_hits(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            agents = {f"agents/a{n}": {"skills": {"polish": 5}} for n in range(12)}
            body = [
                *agents.items(),
                ("queues/night", {"needs": {"polish": 4}}),
                ("teams/late", {"agents": ["a1"]}),
            ]
            assert (await save(client, 0, *body)).status_code == 200
            await api.user("lead", Role.SUPERVISOR, scopes=("team:late",), agent="a1")
            harder = (await save(client, 1, ("queues/night/needs", {"polish": 6}), check=True)).json()[
                "effects"
            ]
            lost = next(one for one in harder if one["code"] == "QUEUE-LOSES-AGENTS")
            assert (lost["queue"], lost["count"]) == ("night", 12)
            gone = (await save(client, 1, ("teams/late", None), ("agents/a1", None), check=True)).json()
            assert gone["problems"] == []
            codes = {one["code"]: one for one in gone["effects"]}
            assert codes["USERS-LOSE-SCOPE"]["users"] == ["lead"]
            assert codes["USERS-LOSE-AGENT"]["users"] == ["lead"]
            assert codes["QUEUE-LOSES-AGENTS"]["agents"] == ["a1"]
            still = (await save(client, 1, ("agents/a1", None), check=True)).json()["problems"]
            assert still[0]["key"] == "teams.late.agents[0]"

    run(tmp_path, story)


def test_a_tenant_sees_nothing_of_another(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        await api.user("alien", Role.ADMINISTRATOR, tenant="other")
        async with api.as_("boss") as client:
            trunk = {"trunks/carrier": {"address": "192.0.2.7"}, "numbers/777": {"queue": "sales"}}
            assert (await save(client, 0, *trunk.items())).status_code == 200
            anywhere = ("trunks/any", {"network": "0.0.0.0/0"})
            (wrong,) = problem(await save(client, 1, anywhere), "SETTINGS-WRONG")["errors"]
            assert wrong["where"] == "trunks.any.network"  # the other tenant's phones call from there too
        async with api.as_("alien", "other") as client:
            shown = await client.get("/api/v1/admin/settings")
            assert shown.json()["version"] == 0
            for secret in ("acme", "boris", "777"):
                assert secret not in shown.text
            edits = (("trunks/x", {"address": "192.0.2.7"}), ("numbers/777", {"queue": "sales"}))
            refused = problem(await save(client, 0, *edits), "SETTINGS-WRONG")
            assert "acme" not in json.dumps(refused)
            said = {one["where"]: one["what"] for one in refused["errors"]}
            assert {"numbers.777", "trunks.x"} <= set(said)
            assert "in another house" in said["numbers.777"]
            assert "another tenant" in said["trunks.x"]

    run(tmp_path, story)


def test_the_file_wins_over_what_was_saved_before(tmp_path: Path) -> None:
    async def first(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            await save(client, 0, ("queues/sales/ring_timeout", "20s"), ("queues/sales/max_length", 7))

    run(tmp_path, first)
    file = tmp_path / "centre.yaml"
    text = file.read_text().replace("wrap_up: 30s", "wrap_up: 30s, ring_timeout: 8s")

    async def second() -> None:
        file.write_text(text)
        settings = load(file, None, saved(tmp_path / "data"))
        sales = settings.tenants["acme"].queues["sales"]
        assert (sales.ring_timeout, sales.max_length) == (8.0, 7)
        async with open_api(tmp_path, settings) as api, api.as_("boss") as client:
            shown = (await client.get("/api/v1/admin/settings")).json()
            assert shown["hidden"] == [
                {"path": ["queues", "sales", "ring_timeout"], "before": "20s", "after": "8s"}
            ]

    asyncio.run(second())


# --- sounds ---


def tone(seconds: float = 1.0, rate: int = 44_100, channels: int = 2, hertz: float = 1000.0) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        count = round(seconds * rate)
        samples = (round(8000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count))
        file.writeframes(b"".join(struct.pack("<h", one) * channels for one in samples))
    return out.getvalue()


def test_a_sound_is_converted_kept_used_and_deleted(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            url = "/api/v1/admin/sounds"
            answer = await client.post(f"{url}?name=jazz", content=tone())
            assert answer.status_code == 201, answer.text
            assert answer.json() == {"name": "jazz", "seconds": 1.0, "built_in": False, "used_by": []}
            heard = await client.get(f"{url}/jazz")
            with wave.open(io.BytesIO(heard.content)) as file:
                assert file.getparams()[:3] == (1, 2, 8000)
                samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(10**6))
            crossings = sum(a < 0 <= b for a, b in itertools.pairwise(samples))
            assert abs(crossings - 1000) <= 3
            assert (tmp_path / "data/sounds/acme/jazz.wav").is_file()
            problem(await client.post(f"{url}?name=jazz", content=tone()), "NAME-TAKEN")
            problem(await client.post(f"{url}?name=default", content=tone()), "NAME-TAKEN")
            await save(client, 0, ("queues/sales/music", "jazz"))
            items = {one["name"]: one for one in (await client.get(url)).json()["items"]}
            assert items["jazz"]["used_by"] == ["queues.sales.music"]
            problem(await client.delete(f"{url}/jazz"), "IN-USE")
            missing = (await save(client, 1, ("queues/sales/music", "rock"), check=True)).json()["effects"]
            assert missing == [{"code": "SOUND-MISSING", "queue": "sales", "sound": "rock"}]
            await save(client, 1, ("queues/sales/music", None))
            assert (await client.delete(f"{url}/jazz")).status_code == 204
            problem(await client.get(f"{url}/jazz"), "NOT-FOUND")
        assert {"sound.added", "sound.deleted"} <= set(actions(api))
        async with api.as_("boss") as client:
            await client.post("/api/v1/admin/sounds?name=jazz", content=tone())
        await api.user("alien", Role.ADMINISTRATOR, tenant="other")
        async with api.as_("alien", "other") as client:
            problem(await client.get("/api/v1/admin/sounds/jazz"), "NOT-FOUND")

    run(tmp_path, story)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"not a sound at all" * 100,
        tone(0.01),
        tone()[:60],
        tone(30.0, rate=1),
        tone(rate=500),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        bytes(5000),
    ],
)
def test_what_is_no_sound_is_refused(tmp_path: Path, data: bytes) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            problem(await client.post("/api/v1/admin/sounds?name=jazz", content=data), "SOUND-WRONG")
            assert len((await client.get("/api/v1/admin/sounds")).json()["items"]) == 2
        assert not [one for one in (tmp_path / "data/sounds").rglob("*") if one.is_file()]

    run(tmp_path, story)


def test_names_lead_nowhere_else_and_sizes_have_an_end(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("boss") as client:
            for name in ("..%2F..%2Fx", "a%2Fb", ".x", "%00", "a%0A", "x" * 65, ""):
                problem(await client.post(f"/api/v1/admin/sounds?name={name}", content=tone()), "BAD-INPUT")
                if name:
                    answer = await client.get(f"/api/v1/admin/sounds/{name}")
                    assert answer.status_code == 404, name
            big = await client.post("/api/v1/admin/sounds?name=big", content=bytes(21 * 1024 * 1024))
            problem(big, "TOO-BIG")
            problem(await client.post("/api/v1/admin/settings", content=bytes(70_000)), "TOO-BIG")

    run(tmp_path, story)


def test_a_token_reads_and_writes_nothing(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        olga = await api.user("olga", Role.AGENT)
        async with api.as_("boss") as client:
            token = (await client.post("/api/v1/tokens", json={"label": "t"})).json()["secret"]
        edit = {"base": 0, "edits": [{"path": ["name"], "value": "x"}]}
        async with api.client() as program:
            program.headers["Authorization"] = f"Bearer {token}"
            for path in ("/admin/users", "/admin/settings", "/admin/settings/history", "/admin/sounds"):
                assert (await program.get(f"/api/v1{path}")).status_code == 200
            assert (await program.post("/api/v1/admin/settings/check", json=edit)).status_code == 200
            for method, path, body in (
                ("POST", "/admin/users", {"name": "new", "roles": ["administrator"]}),
                ("PATCH", f"/admin/users/{olga.id}", {"roles": ["administrator"]}),
                ("POST", f"/admin/users/{olga.id}/password", {}),
                ("POST", f"/admin/users/{olga.id}/link", None),
                ("POST", f"/admin/users/{olga.id}/sign-out", None),
                ("POST", "/admin/settings", edit),
                ("POST", "/admin/settings/undo", {"base": 1}),
                ("POST", "/admin/sounds?name=jazz", None),
                ("DELETE", "/admin/sounds/jazz", None),
                ("POST", "/me/passkeys/begin", None),
                ("POST", "/me/passkeys", {"credential": {}, "label": "x"}),
                ("DELETE", "/me/passkeys/x", None),
            ):
                problem(await program.request(method, f"/api/v1{path}", json=body), "SESSION-NEEDED")

    run(tmp_path, story)
