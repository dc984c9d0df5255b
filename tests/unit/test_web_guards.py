"""What guards accounts and answers beyond signing in: fresh proof, resets, kept answers, threads, names of trunks."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from centrala.doctor.names import look_up, shared
from centrala.people import Role, open_people
from centrala.people import changes as people_changes
from centrala.settings import parse
from centrala.web import house as web_house
from centrala.web.routes.people import FRESH
from tests.unit.test_web_api import GOOD, Api, open_api, problem, run

pytestmark = pytest.mark.unit


async def grow_old(api: Api, seconds: float) -> None:
    """All sessions were begun so much earlier."""

    def work() -> None:
        with api.house.people.writing() as db:
            db.execute("UPDATE people_sessions SET made_at = made_at - ?", (seconds,))

    await api.house.ask(work)


def test_a_passkey_asks_for_the_password_unless_one_has_just_signed_in(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("chief", Role.SUPERVISOR)
        begin = "/api/v1/me/passkeys/begin"
        async with api.as_("chief") as chief:
            assert (await chief.post(begin)).status_code == 200
            await grow_old(api, FRESH)
            problem(await chief.post(begin), "PASSWORD-NEEDED")
            problem(await chief.post(begin, json={}), "PASSWORD-NEEDED")
            problem(await chief.post(begin, json={"password": "wrong horse"}), "PASSWORD-WRONG")
            assert (await chief.post(begin, json={"password": GOOD})).status_code == 200
            problem(await chief.post(begin), "PASSWORD-NEEDED")  # said once doesn't count for ever
            for _ in range(20):
                answer = await chief.post(begin, json={"password": "guess"})
                if answer.json()["code"] == "SIGN-IN-SLOW":
                    break
            else:
                raise AssertionError("an open page is a place to guess passwords without end")

    run(tmp_path, story)


async def token_of(client: httpx.AsyncClient) -> str:
    made = (await client.post("/api/v1/tokens", json={"label": "board"})).json()
    return str(made["secret"])


def test_a_reset_ends_tokens_unless_told_otherwise(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        chief = await api.user("chief", Role.SUPERVISOR)
        await api.user("root", Role.ADMINISTRATOR)
        async with api.as_("chief") as client:
            secret = await token_of(client)
        bearer = {"Authorization": f"Bearer {secret}"}
        async with api.as_("root") as root, api.client() as program:
            reset = f"/api/v1/admin/users/{chief.id}/password"
            kept = (await root.post(reset, json={"keep_tokens": True})).json()
            assert kept["tokens_ended"] == 0
            assert (await program.get("/api/v1/me", headers=bearer)).status_code == 200
            fresh = (await root.post(reset, json={})).json()
            assert fresh["tokens_ended"] == 1
            problem(await program.get("/api/v1/me", headers=bearer), "SIGNED-OUT")
            async with api.client() as client:
                body = {"tenant": "acme", "name": "chief", "password": fresh["password"]}
                assert (await client.post("/api/v1/session", json=body)).status_code == 200
                assert (await client.put("/api/v1/me/password", json={"new": GOOD})).status_code == 204
                # One's own change asks: programs go on unless they are to stop.
                again = {"Authorization": f"Bearer {await token_of(client)}"}
                change = {"old": GOOD, "new": GOOD + "!"}
                assert (await client.put("/api/v1/me/password", json=change)).status_code == 204
                assert (await program.get("/api/v1/me", headers=again)).status_code == 200
                change = {"old": GOOD + "!", "new": GOOD, "end_tokens": True}  # type: ignore[dict-item]
                assert (await client.put("/api/v1/me/password", json=change)).status_code == 204
                problem(await program.get("/api/v1/me", headers=again), "SIGNED-OUT")

    run(tmp_path, story)


def test_kept_answers_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(api: Api) -> None:
        await api.user("chief", Role.SUPERVISOR)
        house = api.house
        made = 0

        async def say(client: httpx.AsyncClient, key: str) -> str:
            nonlocal made
            made += 1
            body = {"label": f"x{key}"}
            answer = await client.post("/api/v1/tokens", json=body, headers={"Idempotency-Key": key})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

        async with api.as_("chief") as chief:
            first = await say(chief, "a")
            assert await say(chief, "a") == first
            assert house._keys_bytes > 0
            now = house.desk.now
            monkeypatch.setattr(house.desk, "now", lambda: now() + web_house.KEYS_FOR)
            monkeypatch.setattr(house.people, "session", _always(house.people, now))
            assert await say(chief, "a") != first, "after a day it is another request"
            assert len(house._keys) == 1
            monkeypatch.setattr(web_house, "KEYS_BYTES", 3 * house._keys_bytes)
            before = [await say(chief, str(number)) for number in range(10)]
            assert house._keys_bytes <= web_house.KEYS_BYTES
            assert len(house._keys) <= 4
            assert await say(chief, "9") == before[9]
            assert await say(chief, "0") != before[0]
            monkeypatch.setattr(web_house, "KEYS_KEPT", 2)
            await say(chief, "last")
            assert len(house._keys) == 2
            assert house._keys_bytes == sum(one.size for one in house._keys.values())

    run(tmp_path, story)


def _always(people: Any, now: Any) -> Any:
    """Sessions judged by the clock as it was: the test's clock is moved for kept answers alone."""
    session = people.session
    return lambda secret, _: session(secret, now())


def test_signing_in_waits_for_no_long_work(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("chief", Role.SUPERVISOR)
        gate = threading.Event()
        busy = [
            asyncio.ensure_future(one(gate.wait, 20.0))
            for one in (*[api.house.ask] * 6, *[api.house.ask_long] * 4)
        ]
        try:
            await asyncio.sleep(0.1)
            before = time.monotonic()
            async with asyncio.timeout(10):
                async with api.as_("chief") as chief:
                    assert (await chief.get("/api/v1/me")).status_code == 200
            assert time.monotonic() - before < 8
            assert not any(one.done() for one in busy)
        finally:
            gate.set()
            await asyncio.gather(*busy)

    run(tmp_path, story)


def test_secrets_go_with_the_last_version_that_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with open_api(tmp_path):
            pass

    asyncio.run(main())
    monkeypatch.setattr(people_changes, "VERSIONS_KEPT", 3)
    people = open_people(tmp_path / "data")
    by: Any = {"actor": "console", "address": "console"}

    def save(number: int, secret: str, **new: str) -> None:
        tree = {"trunks": {"office": {"password": {"secret": secret}}}}
        people.save("acme", number, tree, new, [], float(number), **by)

    def kept() -> set[str]:
        return set(people.saved().secrets)

    try:
        people.save("other", 0, {"x": {"secret": "theirs"}}, {"theirs": "s"}, [], 0.0, **by)
        save(0, "first", first="1")
        save(1, "second", second="2")
        save(2, "second")
        assert kept() == {"first", "second", "theirs"}
        save(3, "second")
        assert kept() == {"second", "theirs"}, "nobody can go back to where it was"
        version = people.version("acme", 2)
        assert version is not None
    finally:
        people.close()


TWO = """
listen: {{http: "127.0.0.1:0"}}
tenants:
  acme: {{domain: acme.example, trunks: {{office: {one}}}}}
  other: {{domain: other.example, trunks: {{line: {two}}}}}
"""


@pytest.mark.parametrize(
    ("one", "two", "clash"),
    [
        ('{address: "sip.a.example:5060"}', '{address: "sip.b.example:5060"}', True),
        ('{address: "sip.a.example:5060"}', '{address: "sip.c.example:5060"}', False),
        ('{address: "sip.a.example:5060"}', '{address: "gone.example:5060"}', False),
        ('{address: "sip.a.example:5060"}', '{network: "192.0.2.0/24"}', True),
        ('{address: "sip.a.example:5060"}', '{network: "198.51.100.0/24"}', False),
        ('{address: "sip.a.example:5060"}', '{address: "192.0.2.1:5060"}', True),
    ],
)
def test_names_of_two_tenants_at_one_address(one: str, two: str, clash: bool) -> None:
    known = {
        "sip.a.example": ["192.0.2.1", "2001:db8::1"],
        "sip.b.example": ["192.0.2.1"],
        "sip.c.example": ["192.0.2.2"],
        "192.0.2.1": ["192.0.2.1"],
    }
    settings = parse(TWO.format(one=one, two=two), Path("centre.yaml"))
    found = shared(settings.tenants, look_up(known, lambda host: known[host]))
    assert bool(found) == clash, found
    if clash:
        assert "acme.trunks.office and other.trunks.line both lead to 192.0.2.1" in found[0]


def test_a_name_that_hangs_holds_nobody_up() -> None:
    gate = threading.Event()
    before = time.monotonic()

    def resolve(host: str) -> list[str]:
        if host == "slow":
            gate.wait(10)
        if host == "broken":
            raise OSError("no such host")
        return ["192.0.2.1"]

    try:
        assert look_up(["slow", "broken", "quick"], resolve, within=0.3) == {
            "broken": [],
            "quick": ["192.0.2.1"],
            "slow": [],
        }
        assert time.monotonic() - before < 5
    finally:
        gate.set()
