"""Proxies in front of us: what they say counts, what strangers say in their words doesn't."""

import asyncio
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from centrala.people import Role
from centrala.settings import load
from tests.unit.test_web_api import FILE, GOOD, open_api

pytestmark = pytest.mark.unit

BODY = {"tenant": "acme", "name": "olga", "password": GOOD}


@pytest.mark.parametrize(
    ("peer", "headers", "address", "secure"),
    [
        ("127.0.0.1", {}, "127.0.0.1", False),
        (
            "127.0.0.1",
            {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"},
            "198.51.100.7",
            True,
        ),
        ("127.0.0.1", {"X-Forwarded-For": "evil, 198.51.100.7"}, "198.51.100.7", False),
        ("127.0.0.1", {"X-Forwarded-For": "1.2.3.4, 198.51.100.7, 10.1.2.3"}, "198.51.100.7", False),
        ("127.0.0.1", {"X-Forwarded-For": "198.51.100.7, nonsense"}, "127.0.0.1", False),
        ("127.0.0.1", {"X-Forwarded-For": "2001:db8::7"}, "2001:db8::7", False),
        ("::ffff:127.0.0.1", {"X-Forwarded-For": "198.51.100.7"}, "198.51.100.7", False),
        ("127.0.0.1", {"X-Forwarded-Proto": "gopher"}, "127.0.0.1", False),
        ("127.0.0.1", {"X-Forwarded-Proto": "http, https"}, "127.0.0.1", True),
        ("192.0.2.9", {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}, "192.0.2.9", False),
    ],
)
def test_who_asks_through_a_proxy(
    tmp_path: Path, peer: str, headers: dict[str, str], address: str, secure: bool
) -> None:
    async def main() -> None:
        (tmp_path / "centre.yaml").write_text(FILE)
        loaded = load(tmp_path / "centre.yaml")
        proxies = (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))
        loaded = replace(loaded, listen=replace(loaded.listen, trusted_proxies=proxies))
        async with open_api(tmp_path, loaded) as api:
            await api.user("olga", Role.SUPERVISOR)
            async with api.client(peer) as client:
                answer = await client.post("/api/v1/session", json=BODY, headers=headers)
                assert answer.status_code == 200
                cookie = answer.headers["set-cookie"]
                assert cookie.startswith("__Host-centrala=" if secure else "centrala=")
                assert ("Secure" in cookie) is secure
                assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
                assert ("strict-transport-security" in answer.headers) is secure
            began = next(one for one in api.house.people.trail("acme") if one.action == "session.began")
            assert began.address == address

    asyncio.run(main())


def test_without_trusted_proxies_nobody_is_believed(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_api(tmp_path) as api:
            await api.user("olga", Role.SUPERVISOR)
            async with api.client() as client:
                headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
                answer = await client.post("/api/v1/session", json=BODY, headers=headers)
                assert answer.headers["set-cookie"].startswith("centrala=")
            began = next(one for one in api.house.people.trail("acme") if one.action == "session.began")
            assert began.address == "127.0.0.1"

    asyncio.run(main())
