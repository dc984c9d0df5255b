"""Hostile RTP: whatever arrives, nothing raises, nothing grows, and the good stream beside it goes on."""

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centrala.media import messages as m
from centrala.media.engine import Engine
from centrala.protocols.rtp import dtmf, jitter, packet, rtcp

pytestmark = pytest.mark.fuzz

QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(st.binary(max_size=300))
def test_parsers_never_raise(data: bytes) -> None:
    parsed = packet.parse(data)
    if parsed is not None:
        assert len(parsed.payload) <= len(data) - packet.HEADER
    rtcp.parse(data)
    rtcp.parse(memoryview(data))
    dtmf.parse(data)


@QUICK
@given(st.binary(min_size=4, max_size=120), st.sampled_from([200, 201]))
def test_rtcp_that_begins_well_never_raises(data: bytes, kind: int) -> None:
    rtcp.parse(bytes((0x80 | data[0] & 31, kind)) + data[1:])


packets = st.tuples(
    st.sampled_from(["audio", "short", "long", "empty"]),
    st.integers(0, 0xFFFF),
    st.one_of(st.integers(0, 0xFFFFFFFF), st.integers(0, 200).map(lambda k: k * 80)),
)


@QUICK
@given(st.lists(st.one_of(st.none(), packets), max_size=120))
def test_the_buffer_takes_any_sequence_of_packets(story: list[tuple[str, int, int] | None]) -> None:
    bank = jitter.Jitter(2)
    for row in range(2):
        bank.reset(row)
    rows, out = np.arange(2), np.zeros((2, 160), np.int16)
    steady = 0
    for step in story:
        if step is None:
            good = np.array([1])
            if bank.count(good, np.array([steady & 0xFFFF]))[0]:
                bank.insert(good, np.array([steady * 160]), np.full((1, 160), steady % 100 + 1, np.int16))
            before = out[1].copy()
            have = bank.play(rows, out)
            if steady:
                assert have[1]
                assert (out[1] == (steady - 1) % 100 + 1).all(), before
            steady += 1
            continue
        kind, sequence, timestamp = step
        row = np.array([0])
        if not bank.count(row, np.array([sequence]))[0]:
            continue
        size = {"audio": 160, "short": 33, "long": 480, "empty": 1}[kind]
        pcm = np.full(size, 7, np.int16)
        if size == 160:
            bank.insert(row, np.array([timestamp]), pcm[None])
        else:
            bank.insert_one(0, timestamp, pcm)
        assert bank.lost(0) >= 0
        assert 0 <= bank.delay_frames(0) < jitter.RING
    assert bank.lost(1) == 0


class Wired:
    """An engine in this process with two legs, and a peer's socket for each."""

    def __init__(self, folder: Path) -> None:
        self.events: list[m.Event] = []
        self.engine = Engine("127.0.0.1", (25000, 25999), folder, self.events.append)
        self.engine.tick(time.monotonic())
        self.ports = self.engine.ports.free[:2]
        self.peers = []
        for name, port in zip("ab", self.ports, strict=True):
            peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            peer.bind(("127.0.0.1", 0))
            peer.setblocking(False)
            self.peers.append(peer)
            self.engine.do(m.SetLeg(name, port, peer.getsockname()), time.monotonic())
        self.engine.do(m.Hear("b", {"a": 1.0}), time.monotonic())
        self.count = 0

    def good(self) -> None:
        self.count += 1
        header = struct.pack("!BBHII", 0x80, 8, self.count & 0xFFFF, self.count * 160, 77)
        self.peers[0].sendto(header + bytes([self.count % 200] * 160), ("127.0.0.1", self.ports[0]))

    def tick(self) -> list[bytes]:
        self.engine.tick(time.monotonic())
        return self.drain(self.peers[1])

    @staticmethod
    def drain(peer: socket.socket) -> list[bytes]:
        got = []
        while True:
            try:
                got.append(peer.recv(2048))
            except BlockingIOError:
                return got
            except ConnectionError:
                continue


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wired]:
    one = Wired(tmp_path_factory.mktemp("e"))
    yield one
    one.engine.close(time.monotonic())
    for peer in one.peers:
        peer.close()


heads = st.tuples(
    st.sampled_from([0x80, 0x90, 0xA0, 0x8F, 0x00, 0xFF]),
    st.sampled_from([8, 0, 101, 13, 0xE5, 99, 200, 201, 203, 127]),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from([78, 79, 0xFFFFFFFF]),
).map(lambda fields: struct.pack("!BBHII", *fields))
datagrams = st.one_of(st.binary(max_size=1500), st.builds(lambda a, b: a + b, heads, st.binary(max_size=400)))


@QUICK
@given(st.lists(st.tuples(st.booleans(), datagrams), max_size=12))
def test_the_worker_shrugs_rubbish_off(wired: Wired, story: list[tuple[bool, bytes]]) -> None:
    """From the latched source itself (with another SSRC) and from strangers, to RTP and RTCP."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.1", 0))
    try:
        for latched, data in story:
            sender = wired.peers[0] if latched else stranger
            sender.sendto(data, ("127.0.0.1", wired.ports[0]))
            sender.sendto(data, ("127.0.0.1", wired.ports[0] + 1))
        wired.good()
        wired.engine.reports.read(time.monotonic())
        for _ in range(2):
            assert len(wired.tick()) == 1
        wired.drain(wired.peers[0])
    finally:
        stranger.close()
    # Whatever came: a leg that is spoken to normally for a while is heard normally again.
    for _ in range(14):
        wired.good()
        heard = wired.tick()
    assert len(heard) == 1
    recent = [bytes([(wired.count - back) % 200] * 160) for back in range(5)]
    assert heard[0][12:] in recent
    assert len(wired.engine.legs) == 2
    wired.events.clear()


@QUICK
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_control_frames_are_cut_as_they_were_joined(bodies: list[bytes]) -> None:
    stream = b"".join(len(body).to_bytes(4, "big") + body for body in bodies)
    for step in (1, 3, 7, 1000):
        frames = m.Frames()
        got = [body for at in range(0, len(stream), step) for body in frames.feed(stream[at : at + step])]
        assert got == bodies
    with pytest.raises(ValueError, match="longer"):
        m.Frames().feed(b"\xff\xff\xff\xff")
