"""The browser phone's web socket by a foreign WebSocket client: who may open it, and whom it can be."""

import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
import pytest
import websockets.sync.client as ws
from bench import Centre
from websockets.exceptions import ConnectionClosed, InvalidStatus

from centrala.testing.browser import BrowserLine
from centrala.testing.ports import free

pytestmark = pytest.mark.peer

GOOD = "correct horse battery"


@contextmanager
def centre() -> Iterator[tuple[Centre, str]]:
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    config: dict[str, Any] = {
        "listen": {"http": f"127.0.0.1:{http}"},
        "tenants": {
            "acme": {
                "domain": "acme.example",
                # Everything here comes from an address that is a trunk's, too: a page is no carrier.
                "trunks": {"office": {"network": "127.0.0.0/8"}},
                "agents": {
                    "alice": {"sip_password": "correct horse"},
                    "boris": {"sip_password": "battery staple"},
                },
                "numbers": {"201": {"agent": "alice"}, "202": {"agent": "boris"}},
            }
        },
    }
    with Centre(config) as running:
        for name, options in (("alice", ("--agent", "alice")), ("chief", ("--role", "supervisor"))):
            command = [sys.executable, "-m", "centrala", "user", "add", name, "--data", str(running.data)]
            made = subprocess.run(
                [*command, "--tenant", "acme", "--role", "agent", *options],
                input=GOOD + "\n", text=True, capture_output=True, timeout=60, check=False,
            )  # fmt: skip
            assert made.returncode == 0, made.stderr
        yield running, f"http://127.0.0.1:{http}"


def signed_in(base: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=f"{base}/api/v1", headers={"X-Centrala": "1"}, timeout=20)
    assert client.post("/session", json={"name": name, "password": GOOD}).status_code == 200
    return client


def opened(base: str, client: httpx.Client | None, *, origin: str | None = None, sub: str = "sip") -> Any:
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items()) if client else ""
    return ws.connect(
        f"{base.replace('http', 'ws')}/api/v1/sip",
        additional_headers={"Cookie": cookie},
        origin=origin or base,  # type: ignore[arg-type]
        subprotocols=[sub],  # type: ignore[list-item]
    )


def request(method: str, to: str, who: str = "alice", body: str = "", *more: str) -> str:
    tag = uuid.uuid4().hex[:8]
    lines = [
        f"{method} sip:{to} SIP/2.0",
        f"Via: SIP/2.0/WS x.invalid;branch=z9hG4bK{tag}",
        "Max-Forwards: 70",
        f"From: <sip:{who}@acme.example>;tag={tag}",
        f"To: <sip:{who}@acme.example>" if method == "REGISTER" else f"To: <sip:{to}>",
        f"Call-ID: {uuid.uuid4().hex}",
        f"CSeq: 1 {method}",
        "Contact: <sip:u@x.invalid;transport=ws>",
        *more,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def ack(said: str) -> str:
    """For this 200."""
    head = dict(line.split(": ", 1) for line in said.split("\r\n\r\n")[0].split("\r\n")[1:])
    lines = [
        f"ACK {head['Contact'].split('>')[0].lstrip('<')} SIP/2.0",
        f"Via: SIP/2.0/WS x.invalid;branch=z9hG4bK{uuid.uuid4().hex[:8]}",
        "Max-Forwards: 70",
        *(f"{name}: {head[name]}" for name in ("From", "To", "Call-ID")),
        "CSeq: 1 ACK",
        "Content-Length: 0",
    ]
    return "\r\n".join(lines) + "\r\n\r\n"


def answer(connection: Any, final: bool = True) -> str:
    """The next response; the next final one."""
    while True:
        text: str = connection.recv(timeout=10)
        if text.startswith("SIP/2.0") and (not final or not text.startswith("SIP/2.0 1")):
            return text


def drain(connection: Any) -> None:
    """Until it is closed."""
    while True:
        connection.recv(timeout=15)


def status(text: str) -> int:
    return int(text.split()[1])


def offer(line: BrowserLine) -> str:
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 8 126\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:126 telephone-event/8000\r\na=mid:0\r\na=rtcp-mux\r\na=setup:actpass\r\n"
        f"a=ice-ufrag:{line.ufrag}\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:{line.fingerprint}\r\n"
        "a=sendrecv\r\n"
    )


def line_test(page: Any, line: BrowserLine) -> str:
    """Its answer; a 503 means that this machine is busy just now."""
    deadline = time.monotonic() + 20
    while True:
        page.send(request("INVITE", "echo@acme.example", "alice", offer(line)))
        said = answer(page)
        if status(said) != 503 or time.monotonic() > deadline:
            return said
        time.sleep(0.5)


def test_a_page_is_the_agent_who_signed_in_and_nobody_else() -> None:
    with centre() as (_, base):
        alice = signed_in(base, "alice")
        shown = alice.get("/me/phone").json()
        assert shown["user"] == "alice"
        assert (shown["domain"], shown["ws"], shown["aor"]) == (
            "acme.example",
            "/api/v1/sip",
            "sip:alice@acme.example",
        )
        with opened(base, alice) as page:
            assert page.subprotocol == "sip"
            page.send(request("REGISTER", "acme.example"))
            assert status(answer(page)) == 200
            assert alice.get("/me/agent").json()["agent"]["reachable"]
            for who in ("boris", "nobody", "chief"):
                page.send(request("REGISTER", "acme.example", who))
                assert status(answer(page)) == 403
                page.send(request("INVITE", "202@acme.example", who, offer(BrowserLine())))
                assert status(answer(page)) == 403
            forged = request("REGISTER", "acme.example").replace("alice@acme.example", "alice@other.example")
            page.send(forged)
            assert status(answer(page)) == 403
            # Others' dialogs: a Replaces that names none of this agent's.
            page.send(
                request(
                    "INVITE", "resume@acme.example", "alice", offer(BrowserLine()),
                    "Replaces: nobody;to-tag=a;from-tag=b",
                )
            )  # fmt: skip
            assert status(answer(page)) == 481
        deadline = time.monotonic() + 10
        while alice.get("/me/agent").json()["agent"]["reachable"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_who_gets_no_socket() -> None:
    with centre() as (_, base):
        alice, chief = signed_in(base, "alice"), signed_in(base, "chief")
        for client, origin, sub, expected in (
            (None, None, "sip", 401),
            (alice, "http://evil.example", "sip", 403),
            (chief, None, "sip", 404),
            (alice, None, "chat", 422),
        ):
            with pytest.raises(InvalidStatus) as refused, opened(base, client, origin=origin, sub=sub):
                pass
            assert refused.value.response.status_code == expected
        assert chief.get("/me/phone").status_code == 404
        assert httpx.get(f"{base}/api/v1/me/phone").status_code == 401


def test_the_socket_ends_with_the_session_and_rubbish_harms_nobody() -> None:
    with centre() as (running, base):
        alice = signed_in(base, "alice")
        with opened(base, alice) as page, opened(base, alice) as other:
            for rubbish in ("", "\r\n\r\n", "hello", "\x00" * 2000, "INVITE", "SIP/2.0 200 OK\r\n\r\n"):
                page.send(rubbish)
            page.send(b"\xff\xfe\x00binary")
            page.send(request("REGISTER", "acme.example"))
            assert status(answer(page)) == 200
            other.send(request("REGISTER", "acme.example"))
            assert status(answer(other)) == 200
            alice.delete("/session")
            with pytest.raises(ConnectionClosed) as closed:
                drain(page)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401
        assert not [line for line in running.output if "ALARM" in line or "Traceback" in line]


def test_an_agent_has_eight_sockets_and_one_line_test() -> None:
    with centre() as (_, base):
        alice = signed_in(base, "alice")
        with ExitStack() as all_of_them:
            pages = [all_of_them.enter_context(opened(base, alice)) for _ in range(8)]
            for page in pages:
                page.send(request("REGISTER", "acme.example"))
                assert status(answer(page)) == 200
            with opened(base, alice) as ninth, pytest.raises(ConnectionClosed) as closed:
                drain(ninth)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4429
            pages[0].close()
            deadline = time.monotonic() + 10
            while True:  # there is room again
                with opened(base, alice) as page:
                    try:
                        page.send(request("REGISTER", "acme.example"))
                        assert status(answer(page)) == 200
                        break
                    except ConnectionClosed:
                        assert time.monotonic() < deadline
            first, second = pages[1:3]
            for page in (first, second):
                line = BrowserLine()
                said = line_test(page, line)
                assert status(said) == 200
                page.send(ack(said))  # RFC 3261 15: no BYE comes before it
                line.close()
            while not (said := first.recv(timeout=10)).startswith("BYE "):
                pass
            assert "another line test" in said
            deadline = time.monotonic() + 1.5
            with suppress(TimeoutError):
                while time.monotonic() < deadline:
                    assert not second.recv(timeout=1).startswith("BYE "), "the new one is ended too"


def test_the_echo_says_back_what_it_hears() -> None:
    """Signalling and sound without a browser: DTLS, SRTP, and our own frames come back."""
    with centre() as (_, base):
        alice = signed_in(base, "alice")
        line = BrowserLine()
        with opened(base, alice) as page:
            said = line_test(page, line)
            assert status(said) == 200
            port = re.search(r"m=audio (\d+) UDP/TLS/RTP/SAVPF 8 126", said)
            ufrag, password = re.search(r"ice-ufrag:(\S+)", said), re.search(r"ice-pwd:(\S+)", said)
            assert port
            assert ufrag
            assert password
            line.connect(("127.0.0.1", int(port[1])), ufrag[1], password[1])
            said = (
                bytes([0x80, 8, 0, k & 255])
                + (k * 160).to_bytes(4, "big")
                + b"\0\0\0\7"
                + bytes([k ^ 0x55]) * 160
                for k in range(150)
            )
            back = sum(
                data[12:] != bytes([0xD5]) * 160 and len(set(data[12:])) == 1 for data in line.converse(said)
            )
            assert back > 100
            line.close()
            # Nobody's contact: no call is to be seen, and no hang-up is needed for that.
            assert alice.get("/me/agent").json()["contact"] is None
