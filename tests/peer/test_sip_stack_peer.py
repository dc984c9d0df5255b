"""The SIP stack against SIPp, over real UDP and TCP on loopback, with a small loop of its own."""

import csv
import re
import secrets
import select
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from centrala.protocols.sip.digest import Verdict
from centrala.protocols.sip.events import (
    Acked,
    AnsweredCall,
    Cancelled,
    Ended,
    InviteReceived,
    RegisterReceived,
    SipEvent,
)
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.framing import StreamFramer
from centrala.protocols.sip.registrar import Refusal, Registrar, granted
from centrala.protocols.sip.sdp import LocalMedia, answer, offer
from centrala.protocols.sip.stack import ListeningPoint, SipStack, StackConfig

pytestmark = pytest.mark.peer

SCENARIOS = Path(__file__).parent.parent / "data" / "sip"


class Loop:
    """A throw-away shell: one UDP socket, one TCP listener, no more than the tests need."""

    def __init__(self) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.port = self.udp.getsockname()[1]
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        self.connections: dict[int, tuple[socket.socket, Flow, StreamFramer]] = {}
        points = tuple(ListeningPoint(t, "127.0.0.1", self.port) for t in ("udp", "tcp"))
        self.stack = SipStack(StackConfig(points), secrets.token_hex)
        self.stored: dict[str, bytes] = {}
        self.seen: list[SipEvent] = []
        self.sent: list[bytes] = []

    def run(
        self, handle: Callable[[SipEvent, float], None], until: Callable[[], bool], seconds: float
    ) -> bool:
        """True as soon as `until` says so, False if `seconds` pass first."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            now = time.time()
            self.stack.advance(now)
            for leg, data in self.stack.take_changed():
                if data is None:
                    self.stored.pop(leg, None)
                else:
                    self.stored[leg] = data
            for flow, data in self.stack.take_outgoing():
                self.send(flow, data)
            events = self.stack.take_events()
            self.seen += events
            for event in events:
                handle(event, now)
            if events:
                continue
            if until():
                return True
            sockets = [self.udp, self.tcp, *(c[0] for c in self.connections.values())]
            for ready in select.select(sockets, [], [], 0.02)[0]:
                self.read(ready, now)
        return False

    def read(self, ready: socket.socket, now: float) -> None:
        local = ("127.0.0.1", self.port)
        if ready is self.udp:
            data, source = self.udp.recvfrom(65536)
            self.stack.receive(data, Flow("udp", local, source), now)
        elif ready is self.tcp:
            connection, source = self.tcp.accept()
            number = connection.fileno()
            self.connections[number] = (connection, Flow("tcp", local, source, number), StreamFramer())
        else:
            connection, flow, framer = self.connections[ready.fileno()]
            data = connection.recv(65536)
            if not data:
                del self.connections[ready.fileno()]
                connection.close()
                self.stack.flow_closed(flow, now)
                return
            found, pongs = framer.feed(data)
            if pongs:
                connection.sendall(pongs)
            for message in found:
                self.stack.receive(message, flow, now)

    def send(self, flow: Flow, data: bytes) -> None:
        self.sent.append(data)
        if flow.transport == "udp":
            self.udp.sendto(data, flow.remote)
            return
        if not flow.connection:
            connection = socket.create_connection(flow.remote)
            number = connection.fileno()
            opened = Flow("tcp", flow.local, flow.remote, number)
            self.connections[number] = (connection, opened, StreamFramer())
            flow = opened
        self.connections[flow.connection][0].sendall(data)

    def close(self) -> None:
        self.udp.close()
        self.tcp.close()
        for connection, _, _ in self.connections.values():
            connection.close()


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.close()


def sipp(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    log = (folder / "sipp.out").open("wb")
    command = ["sipp", "-i", "127.0.0.1", "-nostdin", "-trace_err", "-trace_stat", "-fd", "1", *arguments]
    return subprocess.Popen(
        command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )


def tally(folder: Path) -> dict[str, int]:
    """SIPp's own count of what happened."""
    (path,) = folder.glob("*_.csv")
    with path.open() as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return {name: int(rows[-1][f"{name}(C)"]) for name in ("SuccessfulCall", "FailedCall", "Retransmissions")}


def ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def finish(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


class Answering:
    """Answers every call: 180, then 200."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.count = loop, 0

    def __call__(self, event: SipEvent, now: float) -> None:
        if isinstance(event, InviteReceived):
            self.count += 1
            leg = f"in{self.count}"
            stack = self.loop.stack
            stack.adopt(event.key, leg, now=now)
            stack.respond(leg, 180, now=now)
            text, _ = answer(event.sdp or "", LocalMedia("127.0.0.1", 20000))
            stack.respond(leg, 200, sdp=text, now=now)


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_sipp_calls_us(loop: Loop, tmp_path: Path, transport: str) -> None:
    calls = 40
    peer = sipp(tmp_path, "-sn", "uac", "-t", transport, "-m", str(calls), "-r", "20", "-d", "300",
                f"127.0.0.1:{loop.port}")  # fmt: skip
    try:
        assert loop.run(Answering(loop), lambda: ended(peer), 40)
    finally:
        finish(peer)
    assert peer.returncode == 0
    assert tally(tmp_path)["SuccessfulCall"] == calls
    assert sum(isinstance(e, Acked) for e in loop.seen) == calls
    assert sum(isinstance(e, Ended) and e.by_peer for e in loop.seen) == calls
    assert loop.stack.legs == ()
    assert loop.stored == {}
    assert tshark_complaints(tmp_path, loop.sent) == []


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_we_call_sipp(loop: Loop, tmp_path: Path, transport: str) -> None:
    calls, port = 20, free_port()
    peer = sipp(tmp_path, "-sn", "uas", "-t", transport, "-p", str(port), "-m", str(calls))
    kind = "udp" if transport == "u1" else "tcp"
    try:
        wait_for_port(port, kind)
        now = time.time()
        for number in range(calls):
            loop.stack.invite(
                f"out{number}",
                call_id=f"call-{number}@127.0.0.1",
                target_uri=f"sip:service@127.0.0.1:{port};transport={kind}",
                from_uri=f"sip:100@127.0.0.1:{loop.port}",
                sdp=offer(LocalMedia("127.0.0.1", 20000)),
                now=now,
            )

        def handle(event: SipEvent, now: float) -> None:
            if isinstance(event, AnsweredCall):
                assert event.sdp
                loop.stack.bye(event.leg, now=now)

        assert loop.run(handle, lambda: ended(peer), 40)
    finally:
        finish(peer)
    assert sum(isinstance(e, AnsweredCall) for e in loop.seen) == calls
    assert tshark_complaints(tmp_path, loop.sent) == []
    assert tally(tmp_path)["SuccessfulCall"] == calls


def test_sipp_registers_with_digest_and_cancels(loop: Loop, tmp_path: Path) -> None:
    registrar = Registrar()
    verdicts: list[Verdict] = []

    def handle(event: SipEvent, now: float) -> None:
        nonlocal registrar
        stack = loop.stack
        if isinstance(event, RegisterReceived):
            if event.auth is None:
                stack.challenge(event.key, "acme.example", now=now)
                return
            verdicts.append(stack.check_credentials(event.auth, "correct horse", "acme.example", now))
            if verdicts[-1] is not Verdict.GOOD:
                stack.challenge(event.key, "acme.example", now=now)
                return
            done = registrar.update(event, now)
            assert not isinstance(done, Refusal)
            registrar = done.registrar
            stack.accept_register(event.key, granted(done.bindings, now), now=now)
        elif isinstance(event, InviteReceived):
            stack.adopt(event.key, "ringing", now=now)
            stack.respond("ringing", 180, now=now)

    scenario = SCENARIOS / "register-then-cancel.xml"
    peer = sipp(tmp_path, "-sf", str(scenario), "-m", "1", "-s", "alice", "-au", "alice", "-ap", "correct horse",
                f"127.0.0.1:{loop.port}")  # fmt: skip
    try:
        assert loop.run(handle, lambda: ended(peer), 30)
    finally:
        finish(peer)
    errors = "".join(p.read_text() for p in tmp_path.glob("*errors*"))
    assert peer.returncode == 0, errors
    assert verdicts == [Verdict.GOOD]
    assert tshark_complaints(tmp_path, loop.sent) == []
    assert [e.leg for e in loop.seen if isinstance(e, Cancelled)] == ["ringing"]
    (binding,) = registrar.lookup("alice", time.time())
    assert re.match(r"sip:alice@127\.0\.0\.1:\d+", binding.uri)


def tshark_complaints(folder: Path, sent: list[bytes]) -> list[str]:
    """What a foreign decoder finds wrong with messages of ours; each is put into a UDP packet of its own."""
    path = folder / "sent.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, data in enumerate(sent):
            udp = struct.pack(">HHHH", 5060, 5060, 8 + len(data), 0) + data
            address = bytes([127, 0, 0, 1])
            ip = (
                struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, 17, 0)
                + address * 2
                + udp
            )
            file.write(struct.pack("<IIII", number, 0, len(ip), len(ip)) + ip)
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=|"]
    for field in ("sip.Status-Code", "sip.Method", "sdp.version", "_ws.malformed", "_ws.expert.message"):
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert len(rows) == len(sent)
    complaints = []
    for data, (status, method, sdp_version, malformed, expert) in zip(sent, rows, strict=True):
        start = data.split(b"\r\n")[0].decode()
        right = status == start.split()[1] if start.startswith("SIP/") else method == start.split()[0]
        if b"application/sdp\r\nContent-Length" in data:
            right = right and sdp_version == "0"
        if not right or malformed or ("rror" in expert or "alformed" in expert):
            complaints.append(f"{start}: {malformed} {expert}")
    return complaints


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, kind: str) -> None:
    """Until a foreign program listens there."""
    family = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
    for _ in range(250):
        with socket.socket(socket.AF_INET, family) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return
        time.sleep(0.04)
    raise AssertionError("the peer doesn't listen")
