"""The served API: a real process, real sockets, a foreign HTTP client and a foreign WebSocket client, a real call."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.sync.client as ws
from bench import Baresip, Centre, Line, Sipp, ports
from websockets.exceptions import ConnectionClosed, InvalidStatus

from centrala.testing.ports import free
from centrala.web.board import LostPlace, View, fold
from centrala.web.server import _bind

pytestmark = pytest.mark.peer

GOOD = "correct horse battery"
NUMBER = "+48221234567"


def config(http: int) -> dict[str, Any]:
    return {
        "listen": {"http": f"127.0.0.1:{http}"},
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "trunks": {"office": {"network": "127.0.5.0/24"}},
                "agents": {"alice": {"name": "Alice", "sip_password": "correct horse"}},
                "queues": {"sales": {"agents": ["alice"], "record": True, "wrap_up": "30s"}},
                "numbers": {NUMBER: {"queue": "sales"}},
            }
        },
    }


@contextmanager
def centre(more_agents: int = 0) -> Iterator[tuple[Centre, str]]:
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    made = config(http)
    for number in range(more_agents):
        made["tenants"]["acme"]["agents"][f"a{number}"] = {
            "name": f"A {number}",
            "sip_password": "a long one",
        }
    with Centre(made) as running:
        yield running, f"http://127.0.0.1:{http}"


def add_user(data: Path, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "centrala", "user", "add", name, "--data", str(data), "--tenant", "acme"]
    return subprocess.run(
        [*command, *options], input=GOOD + "\n", text=True, capture_output=True, timeout=60, check=False
    )


def signed_in(base: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=f"{base}/api/v1", headers={"X-Centrala": "1"}, timeout=20)
    answer = client.post("/session", json={"name": name, "password": GOOD})
    assert answer.status_code == 200, answer.text
    return client


class Live:
    """A browser's socket: what it holds, and what came."""

    def __init__(self, base: str, client: httpx.Client, origin: str | None = None) -> None:
        self.base = base
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        self.socket = ws.connect(
            f"{base.replace('http', 'ws')}/api/v1/live",
            additional_headers={"Cookie": cookie},
            origin=origin or base,  # type: ignore[arg-type]
        ).__enter__()
        self.view: View | None = None
        self.seq = 0

    def register(self, place: str | None = None) -> None:
        self.socket.send(json.dumps({"register": {} if place is None else {"place": place}}))

    def until(self, what: str, test: Any, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while self.view is None or not test(self.view.entities):
            left = deadline - time.monotonic()
            assert left > 0, f"not seen in time: {what}; there is {self.view}"
            message = json.loads(self.socket.recv(timeout=left))
            self.view = fold(self.view, message)
            assert message["seq"] >= self.seq
            self.seq = message["seq"]

    def close(self) -> None:
        self.socket.close()


def agent_is(state: str) -> Any:
    return lambda entities: entities.get(("agent", "alice"), {}).get("state") == state


def test_an_agent_and_a_supervisor_see_a_real_call() -> None:
    with centre() as (running, base):
        assert running.data
        assert add_user(running.data, "alice", "--role", "agent", "--agent", "alice").returncode == 0
        assert add_user(running.data, "chief", "--role", "supervisor").returncode == 0
        agent, chief = signed_in(base, "alice"), signed_in(base, "chief")
        desk, wall = Live(base, agent), Live(base, chief)
        for one in (desk, wall):
            one.register()
            one.until("a snapshot", agent_is("logged_out"))
        address = ports.loopback()
        with (
            Baresip("alice", running.sip, "acme.example", "correct horse", hertz=700, answer="auto"),
            Line(hertz=440, address=address) as line,
        ):
            wall.until("the phone", lambda all: all["agent", "alice"]["reachable"])
            ready = agent.post("/me/agent/ready")
            assert ready.json()["agent"]["state"] == "ready"
            with Sipp("uac_call", running.sip, NUMBER, {}, local_ip=address, line=line):
                for one in (desk, wall):
                    one.until("the conversation", agent_is("on_contact"))

                    def numbered(entities: Any) -> bool:
                        contact = entities["agent", "alice"]["contact"]
                        known = entities.get(("contact", contact))
                        return known is not None and known["number"] is not None

                    one.until("the caller's number", numbered)
                mine = agent.get("/me/agent").json()
                assert mine["contact"]["queue"] == "sales"
                number = mine["contact"]["number"]
                wall.until("the figures", lambda all: all["queue", "sales"]["talking"] == 1)
                desk.close()  # the network is lost for a moment: the browser goes on from where it was
                view, desk = desk.view, Live(base, agent)
                assert view is not None
                desk.view = view
                desk.register(view.place)
                for one in (desk, wall):
                    one.until("wrap-up", agent_is("wrap_up"), 60)
            finished = agent.post("/me/agent/finish").json()
            assert (finished["agent"]["state"], finished["contact"]) == ("ready", None)
            for one in (desk, wall):
                one.until("ready again", agent_is("ready"))
                one.until("the call gone", lambda all: not any(kind == "contact" for kind, _ in all))
            wall.until("the figures", lambda all: all["queue", "sales"]["today"]["served"] == 1)
            record: dict[str, Any] = {}
            deadline = time.monotonic() + 20
            while not record.get("recording"):
                assert time.monotonic() < deadline, record
                time.sleep(0.2)
                items = agent.get("/contacts").json()["items"]
                record = items[0] if items else {}
            assert (record["from"], record["agent"], record["outcome"]) == (number, "alice", "answered")
            sound = chief.get(record["recording"].removeprefix("/api/v1"))
            assert (sound.status_code, sound.content[:4]) == (200, b"RIFF")
            part = chief.get(record["recording"].removeprefix("/api/v1"), headers={"Range": "bytes=0-3"})
            assert (part.status_code, part.content) == (206, b"RIFF")
            fresh = {(one["what"], one["id"]): one["value"] for one in chief.get("/live").json()["entities"]}
            assert wall.view is not None
            assert fresh.keys() == wall.view.entities.keys()
        for one in (desk, wall):
            one.close()
        printed = "\n".join(running.output)
        assert number not in printed, "a caller's number is in the log"


def test_the_first_user_comes_by_the_line_that_serve_prints() -> None:
    with centre() as (running, base):
        line = running.wait_output("^sign-up acme: ")
        code = line.split()[2]
        with httpx.Client(base_url=f"{base}/api/v1", headers={"X-Centrala": "1"}) as client:
            body = {"code": code, "name": "ania", "password": GOOD}
            assert client.post("/sign-up", json=body).status_code == 201
            assert client.get("/me").json()["roles"] == ["administrator", "supervisor"]
            assert client.post("/sign-up", json=body).json()["code"] == "CODE-WRONG"
            running.stop()
            running.output.clear()
            running.start()
            assert not [one for one in running.output if one.startswith("sign-up")]
            assert client.get("/me").json()["name"] == "ania", "a session doesn't survive a restart"


def test_users_at_the_console(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert "agent" in add_user(data, "alice", "--role", "agent", "--agent", "alice").stdout
    again = add_user(data, "alice", "--role", "agent")
    assert (again.returncode, "already" in again.stderr) == (1, True)
    for options in (["--role", "king"], ["--role", "agent", "--scope", "room:1"]):
        refused = add_user(data, "eve", *options)
        assert refused.returncode == 1
        assert refused.stderr.startswith("centrala: ")
    base = [sys.executable, "-m", "centrala", "user"]
    where = ["--data", str(data), "--tenant", "acme"]
    listed = subprocess.run([*base, "list", *where], capture_output=True, text=True, timeout=60, check=True)
    assert [json.loads(one)["name"] for one in listed.stdout.splitlines()] == ["alice"]
    changed = subprocess.run(
        [*base, "password", "alice", *where],
        input="short\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (changed.returncode, "at least" in changed.stderr) == (1, True)


def test_sockets_of_strangers_and_of_nonsense_are_closed() -> None:
    with centre() as (running, base):
        assert running.data
        assert add_user(running.data, "alice", "--role", "agent", "--agent", "alice").returncode == 0
        assert add_user(running.data, "ear", "--role", "quality").returncode == 0
        agent, ear = signed_in(base, "alice"), signed_in(base, "ear")
        with httpx.Client() as nobody, pytest.raises(InvalidStatus) as refused:
            Live(base, nobody)
        assert refused.value.response.status_code == 401
        for client, origin in ((agent, "https://evil.example"), (ear, base)):
            with pytest.raises(InvalidStatus) as refused:
                Live(base, client, origin)
            assert refused.value.response.status_code == 403
        for said in (
            "",
            "hello",
            "[]",
            '{"register": 1}',
            '{"register": {"place": ' + '"x' * 600,
            b"\x00",
            "[" * 900,
        ):
            live = Live(base, agent)
            live.socket.send(said)
            with pytest.raises(ConnectionClosed) as closed:
                live.socket.recv(timeout=20)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4400, said
        live = Live(base, agent)
        live.register("of another life.7")
        with pytest.raises(LostPlace):
            fold(View("of another life.7", {}), json.loads(live.socket.recv(timeout=20)))
        live.register()
        live.until("a snapshot", agent_is("logged_out"))
        assert running.running()


def test_a_browser_that_reads_nothing_holds_nobody_up() -> None:
    """Twenty of them: others are served, and the centre's memory stays where it was."""
    with centre(more_agents=300) as (running, base):
        assert running.data
        assert add_user(running.data, "alice", "--role", "supervisor", "--agent", "alice").returncode == 0
        agent = signed_in(base, "alice")
        cookie = f"centrala={agent.cookies['centrala']}"
        stuck: list[socket.socket] = []
        port = int(base.rpartition(":")[2])
        for _ in range(20):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", port))
            one.sendall(
                f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {base}\r\nCookie: {cookie}\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            assert one.recv(4096).startswith(b"HTTP/1.1 101 ")
            text = b'{"register": {}}'
            one.sendall((bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text) * 40)  # some 100 kB each
            stuck.append(one)

        def memory() -> int:
            pages = int(Path(f"/proc/{running.pid}/statm").read_text().split()[1])
            return pages * 4096

        live = Live(base, agent)
        live.register()
        live.until("a snapshot", agent_is("logged_out"))
        for number in range(50):
            agent.post("/me/agent/pause", json={"reason": f"{number}"})
        before = memory()
        for number in range(200):
            assert agent.post("/me/agent/pause", json={"reason": f"{number}" * 8}).status_code == 200
        live.until("the last reason", lambda all: all["agent", "alice"]["reason"] == "199" * 8)
        assert memory() - before < 30_000_000
        deadline = time.monotonic() + 60
        while sum("takes nothing in" in one for one in running.output) < len(stuck):
            assert time.monotonic() < deadline, "they are still there"
            time.sleep(0.2)
        for one in stuck:
            one.close()
        live.close()


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = tmp_path / "centre.yaml"
        sip = free("127.0.0.1")
        file.write_text(
            f"listen: {{http: '127.0.0.1:{port}', sip: ['udp:127.0.0.1:{sip}'],"
            " media: {address: 127.0.0.1, ports: 41000-41099}}\n"
            "tenants: {acme: {domain: acme.example}}\n"
        )
        command = [
            sys.executable,
            "-m",
            "centrala",
            "serve",
            "--config",
            str(file),
            "--data",
            str(tmp_path / "d"),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 1
        assert f"centrala: listen.http: 127.0.0.1:{port} can't be listened on" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_an_orderly_stop_closes_sockets_and_ends_in_time() -> None:
    with centre() as (running, base):
        assert running.data
        assert add_user(running.data, "alice", "--role", "agent", "--agent", "alice").returncode == 0
        live = Live(base, signed_in(base, "alice"))
        live.register()
        live.until("a snapshot", agent_is("logged_out"))
        began = time.monotonic()
        assert running._process
        running._process.send_signal(signal.SIGTERM)
        assert running._process.wait(30) == 0
        assert time.monotonic() - began < 15
        with pytest.raises(ConnectionClosed) as closed:
            list(live.socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012  # RFC 6455 11.7, IANA: service restart
        assert "Traceback" not in "\n".join(running.output)


def test_answers_do_not_wait_for_nagle() -> None:
    """On a kept connection Nagle's algorithm and a late ACK cost 40 ms an answer; asyncio switches it off on TCP."""

    async def main() -> int:
        listener = _bind("127.0.0.1", 0)
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = writer.get_extra_info("socket")
            found.set_result(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(met, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.close()
            return await asyncio.wait_for(found, 10)

    assert asyncio.run(main()) == 1
