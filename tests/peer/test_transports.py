"""SIP over every transport: callers and agents over TCP, TLS, WebSocket and IPv6, and connections that break.

The raw ends here are Python's own sockets, `ssl` and `websockets` with SIP written by hand: nothing of ours but what
is tested. Their sound is a `Line`.
"""

import hashlib
import re
import socket
import ssl
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bench import Centre, Line, ports, share_of
from test_in_call import hears, patched, soon
from test_queue_call import ALICE, CALLER, PASSWORDS, SALES, agent, caller, config, only
from websockets.sync.client import connect as web_socket
from websockets.typing import Subprotocol

pytestmark = pytest.mark.peer


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-made certificate for loopback and its key, by openssl."""
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", made, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


class Silence(AssertionError):
    """Nothing came in time."""


@dataclass(slots=True)
class Wire:
    """A raw SIP end over one transport. `send` and `receive` take and give whole messages."""

    transport: str
    server: tuple[str, int]
    local: tuple[str, int] = ("", 0)
    authority: Path | None = None
    _socket: Any = None
    _kept: bytes = b""
    seen: list[str] = field(default_factory=list)

    def __enter__(self) -> "Wire":
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        self._kept = b""
        if self.transport in ("ws", "wss"):
            host = f"[{self.server[0]}]" if ":" in self.server[0] else self.server[0]
            opening = web_socket(
                f"{self.transport}://{host}:{self.server[1]}",
                subprotocols=[Subprotocol("sip")],
                ssl=self._tls() if self.transport == "wss" else None,
            )
            self._socket = opening.__enter__()
            self.local = self._socket.local_address[:2]
            return
        family = socket.AF_INET6 if ":" in self.server[0] else socket.AF_INET
        kind = socket.SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM
        plain = socket.socket(family, kind)
        if self.local[0]:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            plain.bind(self.local)
        plain.connect(self.server)
        self._socket = plain
        if self.transport == "tls":
            self._socket = self._tls().wrap_socket(plain, server_hostname="127.0.0.1")
        self.local = plain.getsockname()[:2] if self.transport != "tls" else self._socket.getsockname()[:2]

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def cut(self) -> None:
        """Break the connection without a word (RST)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def send(self, text: str) -> None:
        if self.transport in ("ws", "wss"):
            self._socket.send(text)
        else:
            self._socket.sendall(text.encode())

    def receive(self, timeout: float = 8.0) -> str:
        """The next message. Raises Silence."""
        until = time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise Silence("\n".join(["nothing came after:", *self.seen[-6:]]))
            try:
                if self.transport in ("ws", "wss"):
                    text = self._socket.recv(timeout=left)
                    text = text if isinstance(text, str) else text.decode()
                    self.seen.append(text)
                    return text
                if (text := self._cut_out()) is not None:
                    self.seen.append(text)
                    return text
                self._socket.settimeout(left)
                more = self._socket.recv(65536)
            except TimeoutError:
                continue
            if not more:
                raise Silence("the connection was closed")
            self._kept += more

    def _cut_out(self) -> str | None:
        if self.transport == "udp":
            text, self._kept = self._kept, b""
            return text.decode() or None
        head, gap, rest = self._kept.partition(b"\r\n\r\n")
        if not gap:
            return None
        size = int(re.search(rb"content-length\s*:\s*(\d+)", head, re.I)[1])  # type: ignore[index]
        if len(rest) < size:
            return None
        self._kept = rest[size:]
        return (head + gap + rest[:size]).decode()

    def until(self, start: str, timeout: float = 8.0) -> str:
        """The next message whose first line begins so; what comes before it is left alone."""
        deadline = time.monotonic() + timeout
        while True:
            text = self.receive(max(deadline - time.monotonic(), 0.01))
            if text.startswith(start):
                return text


def header(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*?)\r?$", text, re.M | re.I)
    assert found, f"no {name} in\n{text}"
    return found[1]


@dataclass(slots=True)
class Phone:
    """A hand-written SIP end on a wire: registers, calls, answers, hangs up."""

    wire: Wire
    user: str
    domain: str = "acme.example"
    line: Line | None = None
    call_id: str = ""
    cseq: int = 0
    target: str = ""
    mine: str = ""
    theirs: str = ""
    number: int = 0
    registering: str = field(default_factory=lambda: f"reg-{time.monotonic_ns():x}")
    at: tuple[str, int] | None = None
    """where it can be called, if that isn't where it calls from"""

    @property
    def contact(self) -> str:
        host, port = self.at or self.wire.local
        host = f"[{host}]" if ":" in host else host
        kind = "ws" if self.wire.transport in ("ws", "wss") else self.wire.transport
        host = "df7jal23ls0d.invalid" if kind == "ws" else f"{host}:{port}"
        return f"<sip:{self.user}@{host};transport={kind}>"

    def via(self) -> str:
        self.number += 1
        host, port = self.wire.local
        host = f"[{host}]" if ":" in host else host
        branch = f"z9hG4bK{time.monotonic_ns():x}{self.number}"
        return f"Via: SIP/2.0/{self.wire.transport.upper()} {host}:{port};rport;branch={branch}"

    def request(self, method: str, uri: str, lines: list[str], body: str = "") -> None:
        kind = ["Content-Type: " + ("application/sdp" if body[:2] == "v=" else "application/dtmf-relay")]
        kind = kind if body else []
        head = [f"{method} {uri} SIP/2.0", self.via(), "Max-Forwards: 70", *lines, *kind]
        self.wire.send("\r\n".join([*head, f"Content-Length: {len(body)}", "", body]))

    def reply(self, asked: str, status: str, lines: list[str] | None = None, body: str = "") -> None:
        kept = re.findall(r"^(?:Via|From|Call-ID|CSeq|Record-Route)\s*:.*?\r?$", asked, re.M | re.I)
        to = header(asked, "To")
        to = to if "tag=" in to else f"{to};tag=raw{self.user}"
        kind = ["Content-Type: application/sdp"] if body else []
        head = [f"SIP/2.0 {status}", *(k.strip() for k in kept), f"To: {to}", *(lines or []), *kind]
        self.wire.send("\r\n".join([*head, f"Content-Length: {len(body)}", "", body]))

    def sdp(self) -> str:
        assert self.line
        family = "IP6" if ":" in self.line.address else "IP4"
        where = f"IN {family} {self.line.address}"
        return (
            f"v=0\r\no=raw 1 1 {where}\r\ns=-\r\nc={where}\r\nt=0 0\r\n"
            f"m=audio {self.line.port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        )

    def register(self, password: str, expires: int = 300, expect: str = "SIP/2.0 200") -> str:
        uri = f"sip:{self.domain}"

        def ask(extra: list[str]) -> str:
            self.cseq += 1
            self.request(
                "REGISTER",
                uri,
                [
                    f"From: <sip:{self.user}@{self.domain}>;tag=reg",
                    f"To: <sip:{self.user}@{self.domain}>",
                    f"Call-ID: {self.registering}",
                    f"CSeq: {self.cseq} REGISTER",
                    f'Contact: {self.contact};+sip.instance="<urn:uuid:{self.user}>";reg-id=1',
                    f"Expires: {expires}",
                    "Supported: path, outbound",
                    *extra,
                ],
            )
            return self.wire.until("SIP/2.0 ")

        answer = ask([])
        if answer.startswith("SIP/2.0 401"):
            answer = ask(["Authorization: " + digest(answer, "REGISTER", uri, self.user, password)])
        assert answer.startswith(expect), answer
        return answer

    def invite(self, number: str, lines: list[str] | None = None, to: str = "") -> None:
        """From a trunk, or with the lines that prove an agent."""
        self.call_id = self.call_id or f"raw-{time.monotonic_ns():x}"
        self.cseq += 1
        self.theirs = f"<sip:{to or number}@{self.domain}>"
        self.mine = f"<sip:{self.user}@{self.domain}>;tag=raw{self.user}"
        self.request(
            "INVITE",
            f"sip:{number}@{self.domain}",
            [f"From: {self.mine}", f"To: {self.theirs}", f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} INVITE",
             f"Contact: {self.contact}", *(lines or [])],
            self.sdp(),
        )  # fmt: skip

    def answered(self, timeout: float = 8.0) -> str:
        """Wait for 200 to the INVITE and confirm it."""
        ok = self.wire.until("SIP/2.0 200", timeout)
        self.theirs = header(ok, "To")
        self.target = re.search(r"<(.*?)>", header(ok, "Contact"))[1]  # type: ignore[index]
        self.within("ACK", same=True)
        if self.line:
            found = re.search(r"m=audio (\d+)", ok)
            where = re.search(r"c=IN IP[46] (\S+)", ok)
            assert found
            assert where
            self.line.talk_to(where[1], int(found[1]))
        return ok

    def within(self, method: str, *, same: bool = False, body: str = "") -> None:
        """A request within the dialog."""
        self.cseq += not same
        self.request(
            method,
            self.target,
            [f"From: {self.mine}", f"To: {self.theirs}", f"Call-ID: {self.call_id}", f"CSeq: {self.cseq} {method}",
             f"Contact: {self.contact}"],
            body,
        )  # fmt: skip

    def accept(self, timeout: float = 10.0) -> str:
        """Wait for an INVITE and answer it."""
        asked = self.wire.until("INVITE", timeout)
        self.reply(asked, "180 Ringing", [f"Contact: {self.contact}"])
        self.reply(asked, "200 OK", [f"Contact: {self.contact}"], self.sdp())
        self.wire.until("ACK", timeout)
        self.call_id = header(asked, "Call-ID")
        self.theirs = header(asked, "From")
        self.mine = header(asked, "To") + f";tag=raw{self.user}"
        self.target = re.search(r"<(.*?)>", header(asked, "Contact"))[1]  # type: ignore[index]
        return asked

    def hung_up(self, timeout: float = 8.0) -> None:
        self.reply(self.wire.until("BYE", timeout), "200 OK")


def digest(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    """RFC 2617 with qop=auth, MD5."""
    asked = header(challenge, "WWW-Authenticate")
    realm = re.search(r'realm="([^"]*)"', asked)[1]  # type: ignore[index]
    nonce = re.search(r'nonce="([^"]*)"', asked)[1]  # type: ignore[index]

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    first, second = md5(f"{user}:{realm}:{password}"), md5(f"{method}:{uri}")
    response = md5(f"{first}:{nonce}:00000001:abcd:auth:{second}")
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
        f'algorithm=MD5, qop=auth, nc=00000001, cnonce="abcd"'
    )


def house(certificate: tuple[Path, Path] | None, *listeners: str, host: str = "127.0.0.1") -> dict[str, Any]:
    """The centre on these transports; each gets a port of its own, see `place`."""
    settings = config()
    where = f"[{host}]" if ":" in host else host
    sip: list[Any] = []
    for one in listeners:
        address = f"{where}:{ports.free_sip()}"
        if one in ("tls", "wss"):
            assert certificate
            sip.append({one: address, "certificate": str(certificate[0]), "key": str(certificate[1])})
        else:
            sip.append(f"{one}:{address}")
    settings["listen"] = {"sip": sip, "media": {"address": host, "ports": "20000-29999", "workers": 1}}
    settings["tenants"]["acme"]["trunks"]["office"] = {"network": "127.0.5.0/24"}
    return settings


def place(settings: dict[str, Any], transport: str) -> tuple[str, int]:
    for one in settings["listen"]["sip"]:
        text = one if isinstance(one, str) else f"{transport}:{one.get(transport, '')}"
        kind, _, rest = text.partition(":")
        if kind == transport and rest:
            host, _, port = rest.rpartition(":")
            return host.strip("[]"), int(port)
    raise AssertionError(f"no listener for {transport}")


ALL = ["udp", "tcp", "tls", "ws", "wss"]


@pytest.mark.parametrize("transport", ALL)
def test_an_agent_over_every_transport_takes_a_call_from_the_trunk(
    transport: str, certificate: tuple[Path, Path]
) -> None:
    settings = house(certificate, *dict.fromkeys(["udp", transport]))
    centre = Centre(settings, sip_port=place(settings, "udp")[1])
    with (
        centre,
        Line(hertz=ALICE) as desk,
        Wire(transport, place(settings, transport), authority=certificate[0]) as wire,
    ):
        alice = Phone(wire, "alice", line=desk)
        alice.register(PASSWORDS["alice"])
        with caller(centre, SALES, talk_ms=4000) as (sipp, line):
            asked = alice.accept()
            via = header(asked, "Via")
            assert via.startswith(f"SIP/2.0/{transport.upper()} ")
            assert f"{asked.split()[1]}".startswith("sip:alice@")
            hears(line, ALICE)
            hears(desk, CALLER)
            alice.hung_up()
            sipp.wait()
        assert only(centre.wait_contacts(1))["agent"] == "alice"


@pytest.mark.parametrize("transport", ALL)
def test_an_agent_calls_over_every_transport_and_a_stranger_does_not(
    transport: str, certificate: tuple[Path, Path]
) -> None:
    settings = house(certificate, transport)
    with (
        Centre(settings) as centre,
        Line(hertz=ALICE) as desk,
        Wire(transport, place(settings, transport), authority=certificate[0]) as wire,
    ):
        stranger = Phone(wire, "+48501000111", line=desk)
        stranger.invite(SALES)
        refused = wire.until("SIP/2.0 4")
        assert refused.startswith("SIP/2.0 403"), refused
        alice = Phone(wire, "alice", line=desk)
        alice.invite("400")
        challenged = wire.until("SIP/2.0 4")
        assert challenged.startswith("SIP/2.0 401"), challenged
        proof = digest(challenged, "INVITE", "sip:400@acme.example", "alice", PASSWORDS["alice"])
        alice.invite("400", [f"Authorization: {proof}"])
        alice.answered()
        desk.wait_heard(1.0)
        alice.within("BYE")
        wire.until("SIP/2.0 200")
        assert only(centre.wait_contacts(1))["outcome"] == "answered"


def test_a_caller_over_tls_and_tcp_from_a_trunk_by_network(certificate: tuple[Path, Path]) -> None:
    settings = house(certificate, "udp", "tls", "tcp")
    with (
        Centre(settings, sip_port=place(settings, "udp")[1]) as centre,
        agent(centre, "alice", ALICE) as alice,
    ):
        alice.wait_registered()
        for number, transport in enumerate(["tls", "tcp"], 1):
            address = ports.loopback()
            local = (address, ports.free_sip())
            wire = Wire(transport, place(settings, transport), local, certificate[0])
            with Line(hertz=CALLER, address=address) as line, wire:
                phone = Phone(wire, "+48501000111", line=line)
                phone.invite(SALES)
                phone.answered()
                hears(line, ALICE)
                hears(alice, CALLER)
                phone.within("BYE")
                wire.until("SIP/2.0 200")
            centre.wait_contacts(number)
            time.sleep(1.2)  # the wrap-up


def test_a_baresip_over_tls(certificate: tuple[Path, Path]) -> None:
    settings = house(certificate, "udp", "tls")
    with Centre(settings, sip_port=place(settings, "udp")[1]) as centre:
        phone = agent(centre, "alice", ALICE, transport="tls")
        phone.registrar = place(settings, "tls")
        with phone as alice:
            alice.wait_registered()
            with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
                hears(line, ALICE)
                hears(alice, CALLER)
                alice.hangup()
                sipp.wait()


@dataclass(slots=True)
class Line6(Line):
    """A line on ::1: IPv6 sockets have addresses of four parts."""

    def __enter__(self) -> "Line6":
        made = socket.socket

        class Six(socket.socket):
            def __init__(self) -> None:
                super().__init__(socket.AF_INET6, socket.SOCK_DGRAM)

            def recvfrom(self, *size: int) -> Any:
                data, where = super().recvfrom(*size)
                return data, where[:2]

        socket.socket = lambda *_: Six()  # type: ignore[assignment,misc]
        try:
            Line.__enter__(self)
        finally:
            socket.socket = made  # type: ignore[misc]
        return self


@pytest.mark.parametrize("transport", ["udp", "tcp", "ws"])
def test_everything_over_ipv6(transport: str) -> None:
    settings = house(None, transport, host="::1")
    where = place(settings, transport)
    with (
        Centre(settings) as centre,
        Line6(hertz=ALICE, address="::1") as one,
        Line6(hertz=CALLER, address="::1") as two,
        Wire(transport, where) as first,
        Wire(transport, where) as second,
    ):
        alice, boris = Phone(first, "alice", line=one), Phone(second, "boris", line=two)
        alice.register(PASSWORDS["alice"])
        boris.register(PASSWORDS["boris"])
        boris.invite("201")
        challenged = second.until("SIP/2.0 401")
        proof = digest(challenged, "INVITE", "sip:201@acme.example", "boris", PASSWORDS["boris"])
        boris.invite("201", [f"Authorization: {proof}"])
        asked = alice.accept()
        assert "[::1]" in header(asked, "Via")
        assert "c=IN IP6 ::1" in asked
        boris.answered()
        hears(one, CALLER)
        hears(two, ALICE)
        boris.within("BYE")
        alice.hung_up()
        assert only(centre.wait_contacts(1))["direction"] == "internal"


def test_digits_by_info_reach_the_other_side_as_events() -> None:
    with Centre(config()) as centre, Line(hertz=ALICE) as desk, Wire("udp", centre.sip) as wire:
        alice = Phone(wire, "alice", line=desk)
        alice.register(PASSWORDS["alice"])
        with caller(centre, SALES, talk_ms=5000) as (sipp, line):
            alice.accept()
            hears(line, ALICE)
            for digit in "4#":
                alice.within("INFO", body=f"Signal={digit}\r\nDuration=160\r\n")
                wire.until("SIP/2.0 200")
            soon(lambda: line.digits() == "4#", f"the caller has heard {line.digits()!r}")
            alice.hung_up()
            sipp.wait()


# --- connections that break ---


def test_a_phone_whose_connection_breaks_comes_back_and_nobody_notices() -> None:
    with Centre(config()) as centre, Line(hertz=ALICE) as desk:
        wire = Wire("tcp", centre.sip)
        with wire:
            alice = Phone(wire, "alice", line=desk)
            alice.register(PASSWORDS["alice"])
            with caller(centre, SALES, talk_ms=9000) as (sipp, line):
                alice.accept()
                hears(line, ALICE)
                wire.cut()
                time.sleep(1.5)
                assert share_of(ALICE, line.heard(0.5)) > 0.8, "the sound stopped with the connection"
                assert share_of(CALLER, desk.heard(0.5)) > 0.8
                wire.local = ("", 0)
                wire.open()
                alice.register(PASSWORDS["alice"])
                alice.hung_up(timeout=12)  # the caller hangs up: it reaches the new connection
                sipp.wait()
        record = only(centre.wait_contacts(1))
    assert (record["outcome"], record["agent"]) == ("answered", "alice")
    assert record["talk_s"] == pytest.approx(9.0, abs=1.0)


def test_a_phone_whose_connection_breaks_and_stays_away_is_let_go() -> None:
    quick = patched("import centrala.channels.voice.calls as c\nc.PEER_LOST_SECONDS = 2.0")
    with Centre(config(), program=quick) as centre, Line(hertz=ALICE) as desk:
        with Wire("tcp", centre.sip) as wire:
            alice = Phone(wire, "alice", line=desk)
            alice.register(PASSWORDS["alice"])
            with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
                alice.accept()
                hears(line, ALICE)
                wire.cut()
                sipp.wait()
        record = only(centre.wait_contacts(1))
    assert record["outcome"] == "answered"


def test_a_carrier_that_closes_its_idle_connection_keeps_its_calls() -> None:
    address, port = ports.loopback(), ports.free_sip()
    quick = patched("import centrala.channels.voice.calls as c\nc.PEER_LOST_SECONDS = 1.0")
    with (
        Centre(config(), program=quick) as centre,
        agent(centre, "alice", ALICE) as alice,
        Line(hertz=CALLER, address=address) as line,
        socket.create_server((address, port)) as listening,
    ):
        listening.settimeout(10)
        alice.wait_registered()
        with Wire("tcp", centre.sip, (address, 0)) as wire:
            phone = Phone(wire, "+48501000111", line=line, at=(address, port))
            phone.invite(SALES)
            phone.answered()
            hears(line, ALICE)
        time.sleep(2.5)
        assert share_of(ALICE, line.heard(0.5)) > 0.8, "a closed connection ended the call"
        alice.hangup()
        back = Wire("tcp", centre.sip)
        back._socket, _ = listening.accept()
        phone.wire = back
        phone.hung_up()
        back.close()
        assert only(centre.wait_contacts(1))["outcome"] == "answered"


def test_kill_9_with_a_phone_on_tcp() -> None:
    with Centre(config()) as centre, Line(hertz=ALICE) as desk:
        wire = Wire("tcp", centre.sip)
        with wire:
            alice = Phone(wire, "alice", line=desk)
            alice.register(PASSWORDS["alice"])
            with caller(centre, SALES, talk_ms=12000) as (sipp, line):
                alice.accept()
                hears(line, ALICE)
                centre.kill9()
                wire.close()
                time.sleep(1.0)
                assert share_of(ALICE, line.heard(0.5)) > 0.8
                centre.start()
                wire.local = ("", 0)
                wire.open()
                alice.register(PASSWORDS["alice"])
                alice.hung_up(timeout=15)
                sipp.wait()
        record = only(centre.wait_contacts(1))
    assert (record["outcome"], record["agent"]) == ("answered", "alice")


@pytest.mark.parametrize("comes_back", [True, False])
def test_an_agent_on_tcp_keeps_their_state_over_a_restart_if_the_phone_comes_back(comes_back: bool) -> None:
    """The queue's way out is for when nobody is there; a restart is not that."""
    settings = config(queue={"when_no_agents": {"hang_up": "unavailable"}})
    quick = patched("import centrala.channels.voice.revival as r\nr.BACK_WITHIN = 2.0")
    with (
        Centre(settings, program=quick) as centre,
        Line(hertz=ALICE) as desk,
        Wire("tcp", centre.sip) as wire,
    ):
        alice = Phone(wire, "alice", line=desk)
        alice.register(PASSWORDS["alice"])
        centre.kill9()
        wire.close()
        centre.start()
        with caller(centre, SALES, "uac_wait_for_bye", patience_ms=15000) as (sipp, line):
            sipp.wait_for("SIP/2.0 200", sent=False)  # waits, though no phone can ring yet
            if comes_back:
                wire.local = ("", 0)
                wire.open()
                alice.register(PASSWORDS["alice"])
                alice.accept()
                hears(line, ALICE)
            else:
                sipp.wait()
        if comes_back:
            return
        assert only(centre.wait_contacts(1))["outcome"] == "refused"


# --- streams that are no SIP ---


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00" + b"\0" * 600,
        b"INVITE sip:x SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n",
        b"A" * 200_000,
        b"\r\n" * 20_000,
    ],
    ids=["http", "tls", "length", "endless", "keep-alives"],
)
def test_a_stream_of_something_else_harms_nobody(garbage: bytes) -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with socket.create_connection(centre.sip, timeout=5) as peer, suppress(OSError):
            peer.sendall(garbage)
            time.sleep(0.3)
        with caller(centre, SALES, talk_ms=1500) as (sipp, _):
            alice.wait_established()
            sipp.wait()
        assert centre.running()
        assert not any("Traceback" in said for said in centre.output)
