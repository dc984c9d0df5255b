"""Settings changed on a running centre, by page and by console; TLS, and a certificate that is renewed."""

import asyncio
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from bench import Baresip, Centre, Line, Sipp, ports

from centrala.settings import Https
from centrala.testing.ports import free
from centrala.web.server import WebServer, _bind, _tls
from tests.unit.test_web_api import open_api

pytestmark = pytest.mark.peer

GOOD = "correct horse battery"
NUMBER = "+48221234567"


def console(*words: str, said: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "centrala", *words],
        input=said,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def until(what: str, test: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.2)


def signed_in(running: Centre, base: str, name: str, *roles: str, verify: Any = True) -> httpx.Client:
    """By a link of the console, so that this is tried too."""
    where = ["--data", str(running.data), "--tenant", "acme"]
    options = [word for role in roles for word in ("--role", role)]
    console("user", "add", name, *where, *options, said=GOOD + "\n")
    link = console("user", "link", name, *where, "--url", base).strip()
    start, _, secret = link.partition("#")
    assert start == f"{base}/link"
    client = httpx.Client(base_url=f"{base}/api/v1", headers={"X-Centrala": "1"}, timeout=20, verify=verify)
    answer = client.post("/session/link", json={"secret": secret})
    assert answer.status_code == 200, answer.text
    return client


def edit(client: httpx.Client, base: int, **edits: Any) -> dict[str, Any]:
    body = {
        "base": base,
        "edits": [{"path": path.split("/"), "value": value} for path, value in edits.items()],
    }
    answer = client.post("/admin/settings", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_queue_a_number_and_an_agent_made_on_the_screen_take_a_call() -> None:
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    config = {
        "listen": {"http": f"127.0.0.1:{http}"},
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "trunks": {"office": {"network": "127.0.5.0/24"}},
                "agents": {},
            }
        },
    }
    with Centre(config) as running:
        base = f"http://127.0.0.1:{http}"
        boss = signed_in(running, base, "boss", "administrator", "supervisor")
        edits = {
            "agents/dora": {"name": "Dora", "sip_password": "paper clip 12", "ready_on_register": True},
            "queues/night": {"agents": ["dora"], "wrap_up": "0s"},
            f"numbers/{NUMBER}": {"queue": "night"},
        }
        done = edit(boss, 0, **edits)
        assert {one["code"] for one in done["effects"]} == {"QUEUE-ADDED", "NUMBER-ADDED", "AGENT-ADDED"}
        address = ports.loopback()

        def seen() -> dict[Any, Any]:
            live = boss.get("/live").json()["entities"]
            return {(one["what"], one["id"]): one["value"] for one in live}

        def served() -> list[tuple[str, str, str]]:
            items = boss.get("/contacts?limit=9").json()["items"]
            return [(one["queue"], one["agent"], one["outcome"]) for one in items]

        def call(number: int) -> None:
            until("dora is ready", lambda: seen()["agent", "dora"]["state"] == "ready")
            for _ in range(6):  # a machine that is busy with other things turns callers away: they try again
                with Sipp("uac_call", running.sip, NUMBER, {}, local_ip=address, line=line):
                    deadline = time.monotonic() + 20
                    while time.monotonic() < deadline:
                        if len(served()) == number:
                            return
                        time.sleep(0.3)
            raise AssertionError("no call is in the records")

        with (
            Baresip("dora", running.sip, "acme.example", "paper clip 12", hertz=700, answer="auto"),
            Line(hertz=440, address=address) as line,
        ):
            call(1)
            running.stop()
            running.start()
            call(2)  # what was set on the screen is there after a restart
        assert served() == [("night", "dora", "answered")] * 2
        assert boss.post("/admin/settings/undo", json={"base": 1}).json()["version"] == 2
        until("the queue is gone", lambda: ("queue", "night") not in seen())
        assert "paper clip" not in "\n".join(running.output)


def test_the_console_exports_applies_and_takes_back_while_the_centre_runs(tmp_path: Path) -> None:
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    config = {
        "listen": {"http": f"127.0.0.1:{http}"},
        "tenants": {"acme": {"domain": "acme.example", "agents": {"alice": {}}, "queues": {"sales": {}}}},
    }
    with Centre(config) as running:
        boss = signed_in(running, f"http://127.0.0.1:{http}", "boss", "administrator")
        where = ["--config", str(running.config_path), "--data", str(running.data)]
        out = tmp_path / "out.yaml"
        text = console("config", "export", *where)
        out.write_text(text.replace("  sales: {}", "  sales: {name: Sales team}"))
        assert "+    name: Sales team" in console("config", "diff", *where, "--from", str(out))
        assert "version 1" in console("config", "apply", *where, "--from", str(out))

        def name() -> str | None:
            queues = boss.get("/admin/settings").json()["tree"]["queues"]
            found: str | None = queues["sales"].get("name")
            return found

        until("the running centre follows", lambda: name() == "Sales team")
        assert "Sales team" in console("config", "diff", *where)
        console("config", "undo", "--data", str(running.data), "--tenant", "acme")
        until("and back", lambda: name() is None)
        # The file and what was saved no longer fit: it is said, and can be taken back.
        console("config", "apply", *where, "--from", str(out))
        edit(boss, 3, **{"queues/night": {"agents": ["alice"]}})
        running.stop()
        running.config_path.write_text(running.config_path.read_text().replace("alice", "anna"))
        command = [sys.executable, "-m", "centrala", "serve", *where]
        refused = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)
        assert refused.returncode == 1
        assert "set on the screen: tenants.acme.queues.night.agents" in refused.stderr
        assert "centrala config undo" in refused.stderr
        console("config", "undo", "--data", str(running.data), "--tenant", "acme")
        running.start()
        assert name() == "Sales team"


def certificate(folder: Path, name: str) -> None:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    files = ["-keyout", str(folder / "new.key"), "-out", str(folder / "new.pem")]
    about = ["-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run([*command, *files, *about], check=True, capture_output=True, timeout=60)
    for one in ("key", "pem"):
        (folder / f"new.{one}").replace(folder / f"centre.{one}")


def test_https_beside_http(tmp_path: Path) -> None:
    certificate(tmp_path, "first")
    http, https = (free("127.0.0.1", kind=socket.SOCK_STREAM) for _ in range(2))
    config = {
        "listen": {
            "http": f"127.0.0.1:{http}",
            "https": {
                "address": f"127.0.0.1:{https}",
                "certificate": str(tmp_path / "centre.pem"),
                "key": str(tmp_path / "centre.key"),
            },
        },
        "tenants": {"acme": {"domain": "acme.example", "agents": {"alice": {}}}},
    }
    with Centre(config) as running:
        trust = ssl.create_default_context(cafile=str(tmp_path / "centre.pem"))
        base = f"https://127.0.0.1:{https}"
        boss = signed_in(running, base, "boss", "administrator", verify=trust)
        answer = boss.get("/me")
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert list(boss.cookies) == ["__Host-centrala"]
        cookie = next(iter(boss.cookies.jar))
        assert cookie.secure
        plain = httpx.get(f"http://127.0.0.1:{http}/api/v1/me", cookies=dict(boss.cookies))
        assert plain.json()["code"] == "SIGNED-OUT", "a cookie of https is none of http"
        assert "strict-transport-security" not in plain.headers
        with socket.create_connection(("127.0.0.1", https), 10) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n\r\n")  # plain text on the port of TLS
        assert boss.get("/me").status_code == 200
        assert (
            json.loads(console("user", "list", "--data", str(running.data), "--tenant", "acme"))["name"]
            == "boss"
        )
    (tmp_path / "centre.key").write_text("no key")
    with pytest.raises(AssertionError, match=r"listen\.https: .* can't be used"), Centre(config):
        pass


def test_a_renewed_certificate_is_taken_in_and_a_broken_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("centrala.web.server.CERTIFICATE_EVERY", 0.1)
    certificate(tmp_path, "first")
    https = Https(("127.0.0.1", 0), tmp_path / "centre.pem", tmp_path / "centre.key")

    async def story() -> None:
        async with open_api(tmp_path) as api:
            listener = _bind(*https.address)
            place = listener.getsockname()
            web = WebServer(api.house, [(listener, _tls(https))])
            tasks = [
                asyncio.create_task(web._serve(web._servers[0], listener)),
                asyncio.create_task(web._renew(https)),
            ]

            async def shown() -> str:
                return await asyncio.to_thread(ssl.get_server_certificate, place)

            async def until_shown(wanted: str) -> None:
                async with asyncio.timeout(30):
                    while await shown() != wanted:
                        await asyncio.sleep(0.1)

            while not web._servers[0].started:
                await asyncio.sleep(0.01)
            await until_shown(https.certificate.read_text())
            first = https.certificate.read_text()
            certificate(tmp_path, "second")
            second = https.certificate.read_text()
            assert second != first
            await until_shown(second)
            https.key.write_text("no key")
            await asyncio.sleep(0.5)
            assert await shown() == second
            web._servers[0].should_exit = True
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(story())
