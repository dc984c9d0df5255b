"""A real media worker process over real sockets: what is heard, recorded and told; and what survives a death."""

import asyncio
import functools
import itertools
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from centrala.media import messages as m
from centrala.media.client import MediaClient
from centrala.protocols.rtp import g711
from centrala.testing import tones

pytestmark = pytest.mark.peer

FRAME = 160


def live(test: Callable[..., object]) -> Callable[..., None]:
    """A test that is a coroutine."""

    @functools.wraps(test)
    def run(*args: object, **keywords: object) -> None:
        asyncio.run(test(*args, **keywords))

    return run


class Phone:
    """A telephone: sends a tone as RTP each 20 ms from a thread of its own, keeps what it hears."""

    def __init__(self, frequency: float = 0, law: str = "pcma", seconds: float = 30.0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.005)
        self.address: tuple[str, int] = self.socket.getsockname()
        self.law = law
        self.ssrc = random.getrandbits(32)
        self.audio = tones.make(frequency, seconds) if frequency else np.zeros(int(seconds * 8000), np.int16)
        self.packets: list[tuple[float, bytes]] = []
        self.target: tuple[str, int] | None = None
        self.sequence = random.getrandbits(16)
        self.timestamp = random.getrandbits(32)
        self.muted = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def call(self, port: int) -> "Phone":
        self.target = ("127.0.0.1", port)
        self._thread.start()
        return self

    def packet(
        self, payload: bytes, kind: int | None = None, marker: bool = False, timestamp: int | None = None
    ) -> bytes:
        number = (0 if self.law == "pcmu" else 8) if kind is None else kind
        self.sequence = (self.sequence + 1) & 0xFFFF
        stamp = (self.timestamp if timestamp is None else timestamp) & 0xFFFFFFFF
        return (
            struct.pack("!BBHII", 0x80, number | (0x80 if marker else 0), self.sequence, stamp, self.ssrc)
            + payload
        )

    def frame(self, k: int) -> bytes:
        pcm = self.audio[k * FRAME : (k + 1) * FRAME]
        coded = g711.encode_ulaw(pcm) if self.law == "pcmu" else g711.encode_alaw(pcm)
        self.timestamp += FRAME
        return self.packet(coded.tobytes())

    def _run(self) -> None:
        due, k = time.monotonic(), 0
        while not self._end.is_set():
            if time.monotonic() >= due:
                due += 0.02
                if not self.muted:
                    self.socket.sendto(self.frame(k), self.target)
                    k += 1
            try:
                data, _ = self.socket.recvfrom(2048)
                self.packets.append((time.monotonic(), data))
            except (TimeoutError, ConnectionError):
                pass

    def hang_up(self) -> None:
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.socket.close()

    def voice(self) -> list[bytes]:
        return [data for _, data in self.packets if data[1] & 0x7F in (0, 8)]

    def heard(self, last: float | None = None) -> np.ndarray:
        """What came, laid out by time stamps; the last so many seconds."""
        packets = sorted(
            (struct.unpack("!BBHII", data[:12])[3], data[1] & 0x7F, data[12:]) for data in self.voice()
        )
        if not packets:
            return np.zeros(0, np.int16)
        base = packets[0][0]
        out = np.zeros(packets[-1][0] - base + FRAME, np.int16)
        for stamp, kind, payload in packets:
            coded = np.frombuffer(payload, np.uint8)
            out[stamp - base : stamp - base + len(coded)] = (
                g711.decode_ulaw(coded) if kind == 0 else g711.decode_alaw(coded)
            )
        return out if last is None else out[-int(last * 8000) :]


@pytest.fixture
def phones() -> Iterator[Callable[..., Phone]]:
    made: list[Phone] = []

    def make(*args: object, **keywords: object) -> Phone:
        made.append(Phone(*args, **keywords))
        return made[-1]

    yield make
    for phone in made:
        phone.hang_up()


class Desk:
    """The application: a client and the events it has got."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[m.Event] = []
        self.lost: list[str] = []
        self.ready: list[m.Holds] = []
        self.client = MediaClient(
            socket=folder / "w0.sock",
            data=folder,
            address="127.0.0.1",
            ports=(20000, 29999),
            on_event=self.events.append,
            on_lost=self.lost.append,
            on_ready=self.ready.append,
        )

    async def leg(self, name: str, phone: Phone | None = None, **want: object) -> int:
        await eventually(lambda: self.client.free_ports)
        port = self.client.take_port()
        assert port
        self.client.send(m.SetLeg(name, port, phone.address if phone else None, **want))
        return port

    def got(self, kind: type, **fields: object) -> list:
        return [
            event
            for event in self.events
            if isinstance(event, kind) and all(getattr(event, key) == value for key, value in fields.items())
        ]

    async def event(self, kind: type, within: float = 10.0, **fields: object):
        await eventually(lambda: self.got(kind, **fields), within)
        return self.got(kind, **fields)[0]


async def eventually(true: Callable[[], object], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    one = Desk(folder)
    await one.client.start()
    try:
        yield one
    finally:
        pid = one.client.pid
        await one.client.close(quit_worker=True)
    await eventually(lambda: one.lost or not alive(pid))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Short: a Unix socket's path has 107 bytes at most.
    return tmp_path_factory.mktemp("m")


async def bridge(one: Desk, a: Phone, b: Phone, **want: object) -> tuple[int, int]:
    pa, pb = await one.leg("a", a, **want), await one.leg("b", b, **want)
    one.client.send(m.Hear("a", {"b": 1.0}))
    one.client.send(m.Hear("b", {"a": 1.0}))
    a.call(pa)
    b.call(pb)
    return pa, pb


@live
async def test_two_legs_hear_each_other_whatever_their_codec(folder, phones) -> None:
    a, b = phones(440), phones(1000, "pcmu")
    async with desk(folder) as one:
        pa, pb = await one.leg("a", a), await one.leg("b", b, codec="pcmu")
        one.client.send(m.Hear("a", {"b": 1.0}))
        one.client.send(m.Hear("b", {"a": 1.0}))
        a.call(pa)
        b.call(pb)
        await asyncio.sleep(2.5)
        # A frame that came late is made up, and costs some purity; another's voice would cost half of it.
        assert tones.share_of(1000, a.heard(1.5)) > 0.95
        assert tones.share_of(440, b.heard(1.5)) > 0.95
        assert {data[1] & 0x7F for data in a.voice()} == {8}
        assert {data[1] & 0x7F for data in b.voice()} == {0}
        assert one.got(m.FirstPacket, leg="a")
        assert one.got(m.FirstPacket, leg="b")
        one.client.send(m.CloseLeg("a"))
        closed = await one.event(m.LegClosed, leg="a")
        assert closed.stats.lost == 0
        assert closed.stats.received > 100
        assert closed.stats.mos > 4.2


@live
async def test_each_listener_has_a_gain_for_each_source(folder, phones) -> None:
    a, b, c = phones(440), phones(1000), phones()
    async with desk(folder) as one:
        for name, phone in (("a", a), ("b", b), ("c", c)):
            phone.call(await one.leg(name, phone))
        one.client.send(m.Hear("c", {"a": 0.5, "b": 1.0, "nobody yet": 1.0}))
        one.client.send(m.Hear("a", {"b": 0.25}))
        await asyncio.sleep(2.5)
        both = c.heard(1.5)
        assert tones.share_of(440, both) == pytest.approx(0.2, abs=0.03)
        assert tones.share_of(1000, both) == pytest.approx(0.8, abs=0.03)
        assert tones.level(a.heard(1.0)) == pytest.approx(tones.level(b.audio[:8000]) - 12.04, abs=0.5)
        # Nothing heard is silence, sent without a break.
        assert tones.level(b.heard(1.0)) < -60
        assert len(b.voice()) > 100


@live
async def test_music_runs_once_for_all_and_private_players_each_for_itself(folder, phones) -> None:
    a, b, c = phones(), phones(), phones()
    async with desk(folder) as one:
        for name, phone in (("a", a), ("b", b), ("c", c)):
            phone.call(await one.leg(name, phone))
        one.client.send(m.Player("hold", ["music:default"], loop=True, shared=True))
        one.client.send(m.Player("busy", ["tone:busy"]))
        for name, source in (("a", "hold"), ("b", "hold"), ("c", "busy")):
            one.client.send(m.Hear(name, {source: 1.0}))
        await asyncio.sleep(3)
        one.client.send(m.Player("hold", ["music:default"], loop=True, shared=True))
        await asyncio.sleep(1)
        assert -30 < tones.level(a.heard(2.5)) < -14
        # The same audio for both, but for where each of them stopped listening.
        whole = a.heard().astype(float)
        part = b.heard()[-8000:-3200].astype(float)
        likeness = np.correlate(whole, part, "valid") / (np.linalg.norm(part) ** 2)
        assert likeness.max() > 0.999
        assert tones.share_of(425, c.heard(2.0)) > 0.8


@live
async def test_prompts_of_any_rate_end_with_an_event(folder, phones) -> None:
    for name, rate, channels, frequency in (
        ("low.wav", 8000, 1, 500),
        ("cd.wav", 44100, 2, 700),
        ("dat.wav", 48000, 1, 900),
    ):
        audio = tones.make(frequency, 0.8, rate=rate)
        with wave.open(str(folder / name), "wb") as file:
            file.setparams((channels, 2, rate, 0, "NONE", ""))
            file.writeframes(np.repeat(audio, channels).astype("<i2").tobytes())
    (folder / "broken.wav").write_bytes(b"RIFF\x10\x00\x00\x00WAVEjunk")
    a = phones()
    async with desk(folder) as one:
        a.call(await one.leg("a", a))
        await one.event(m.FirstPacket, leg="a")
        one.client.send(m.Hear("a", {"p": 1.0}))
        one.client.send(m.Player("p", ["low.wav", "missing.wav", "cd.wav", "broken.wav", "dat.wav"]))
        await one.event(m.Played, player="p")
        assert [event.sound for event in one.got(m.PlayerFailed)] == ["missing.wav", "broken.wav"]
        await asyncio.sleep(0.3)
        heard = a.heard()
        loud = np.flatnonzero(np.abs(heard) > 100)
        speech = heard[loud[0] : loud[-1] + 1]
        assert len(speech) == pytest.approx(2.4 * 8000, abs=400)
        for k, frequency in enumerate((500, 700, 900)):
            assert tones.share_of(frequency, speech[k * 6400 + 800 : k * 6400 + 5600]) > 0.98
        one.client.send(m.Player("p", ["low.wav", "missing.wav", "cd.wav", "broken.wav", "dat.wav"]))
        await asyncio.sleep(0.3)
        assert len(one.got(m.Played)) == 1


@live
async def test_recordings_hold_each_side_in_its_channel(folder, phones) -> None:
    a, b, c = phones(440), phones(1000), phones(1500)
    async with desk(folder) as one:
        await bridge(one, a, b)
        c.call(await one.leg("c", c))
        await one.event(m.FirstPacket, leg="b")
        await asyncio.sleep(0.2)
        started = time.monotonic()
        one.client.send(m.Record("r", "a", "b", "rec/2026/r.wav"))
        await asyncio.sleep(2)
        # Readable while it grows, by somebody else's eyes.
        running = int(subprocess.check_output(["soxi", "-s", str(folder / "rec/2026/r.wav")]))
        assert 8000 < running <= 20000
        one.client.send(m.PauseRecording("r"))
        await asyncio.sleep(1)
        one.client.send(m.ResumeRecording("r"))
        one.client.send(m.SetRecordLegs("r", "a", "c"))
        await asyncio.sleep(2)
        one.client.send(m.StopRecording("r"))
        recorded = await one.event(m.Recorded)
        length = time.monotonic() - started
        assert recorded.problem == ""
        assert recorded.seconds == pytest.approx(recorded.expected_seconds, abs=0.06)
        assert recorded.seconds == pytest.approx(length, abs=0.3)
        assert [gap.why for gap in recorded.gaps] == ["paused"]
        gap = recorded.gaps[0]
        assert gap.end - gap.start == pytest.approx(1.0, abs=0.1)
        one.client.send(m.Record("again", "a", "b", "rec/2026/r.wav"))
        one.client.send(m.Record("out", "a", "b", "../r.wav"))
        await eventually(lambda: len(one.got(m.Refused)) == 2)
    with wave.open(str(folder / "rec/2026/r.wav")) as file:
        assert file.getparams()[:3] == (2, 2, 8000)
        pcm = np.frombuffer(file.readframes(1 << 30), "<i2").reshape(-1, 2)
    assert len(pcm) == round(recorded.seconds * 8000)
    before, after = pcm[1600 : int(gap.start * 8000)], pcm[int(gap.end * 8000) + 800 :]
    assert tones.share_of(440, before[:, 0]) > 0.98
    assert tones.share_of(1000, before[:, 1]) > 0.98
    assert not pcm[int(gap.start * 8000) : int(gap.end * 8000)].any()
    assert tones.share_of(440, after[:, 0]) > 0.98
    assert tones.share_of(1500, after[:, 1]) > 0.98


def event_packets(phone: Phone, code: int, ticks: int = 5) -> list[bytes]:
    """RFC 4733: one time stamp, growing durations, three ends."""
    stamp = phone.timestamp = phone.timestamp + FRAME
    durations = [(k + 1) * FRAME for k in range(ticks)]
    packets = [
        phone.packet(struct.pack("!BBH", code, 10, duration), 101, marker=k == 0, timestamp=stamp)
        for k, duration in enumerate(durations)
    ]
    packets += [
        phone.packet(struct.pack("!BBH", code, 0x8A, durations[-1]), 101, timestamp=stamp) for _ in range(3)
    ]
    phone.timestamp += ticks * FRAME
    return packets


@live
async def test_digits_come_as_events_and_as_tones_each_once(folder, phones) -> None:
    a, b = phones(), phones()
    async with desk(folder) as one:
        a.call(await one.leg("a", a))
        port_b = await one.leg("b", b, dtmf=-1)
        await one.event(m.FirstPacket, leg="a")
        a.muted = True
        await asyncio.sleep(0.05)
        for code in (1, 1, 11, 15):
            packets = event_packets(a, code)
            if code == 15:
                packets = packets[:-3]  # all ends lost
            for packet in packets + packets[-1:]:
                a.socket.sendto(packet, a.target)
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
        await eventually(lambda: len(one.got(m.Digit, leg="a")) == 4)
        assert [event.digit for event in one.got(m.Digit, leg="a")] == ["1", "1", "#", "D"]
        assert {event.duration_ms for event in one.got(m.Digit, leg="a")} == {100}

        # Tones made by sox, so that we don't test our ears with our own voice.
        keys = {"5": (770, 1336), "0": (941, 1336), "A": (697, 1633)}
        parts = [np.zeros(4000, np.int16)]
        for low, high in keys.values():
            raw = subprocess.check_output(
                [
                    *("sox", "-n", "-r", "8000", "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-"),
                    *("synth", "0.08", "sine", str(low), "sine", str(high), "remix", "1,2", "gain", "-9"),
                ]
            )
            parts += [np.frombuffer(raw, "<i2"), np.zeros(800, np.int16)]
        parts.append(np.zeros(80000, np.int16))
        b.audio = np.concatenate(parts)
        b.call(port_b)
        await eventually(lambda: len(one.got(m.Digit, leg="b")) == 3)
        assert [(event.digit, event.how) for event in one.got(m.Digit, leg="b")] == [
            (key, "inband") for key in keys
        ]
        assert all(40 <= event.duration_ms <= 120 for event in one.got(m.Digit, leg="b"))


@live
async def test_we_send_digits_as_events_and_as_tones(folder, phones) -> None:
    a, b = phones(), phones()
    async with desk(folder) as one:
        a.call(await one.leg("a", a, dtmf=96))
        b.call(await one.leg("b", b, dtmf=-1))
        await one.event(m.FirstPacket, leg="a")
        await one.event(m.FirstPacket, leg="b")
        for leg in ("a", "b", "a", "b"):
            one.client.send(m.SendDigits(leg, "12#", id="once"))
        await one.event(m.DigitsSent, leg="a", id="once")
        await one.event(m.DigitsSent, leg="b", id="once")
        await asyncio.sleep(0.3)
        events = [data for _, data in a.packets if data[1] & 0x7F == 96]
        by_stamp: dict[int, list[bytes]] = {}
        for data in events:
            by_stamp.setdefault(struct.unpack("!I", data[4:8])[0], []).append(data)
        assert [packets[0][12] for packets in by_stamp.values()] == [1, 2, 11]
        for packets in by_stamp.values():
            assert packets[0][1] & 0x80
            assert [data[13] >> 7 for data in packets][-3:] == [1, 1, 1]
            durations = [struct.unpack("!H", data[14:16])[0] for data in packets]
            assert durations == sorted(durations)
            assert durations[-1] == 960
        numbers = [struct.unpack("!H", data[2:4])[0] for _, data in a.packets if data[1] & 0x7F in (8, 96)]
        assert all((y - x) & 0xFFFF == 1 for x, y in itertools.pairwise(numbers))
        heard = b.heard()
        loud = np.flatnonzero(np.abs(heard) > 3000)
        first = heard[loud[0] + 80 : loud[0] + 800]
        assert tones.share_of(697, first) + tones.share_of(1209, first) > 0.9


def impaired(
    phone: Phone, seconds: float, late: Callable[[int], float], copies: Callable[[int], int]
) -> list[bytes]:
    """Sends with a scripted network: `late(k)` seconds of delay, `copies(k)` of packet k (0 = lost)."""
    plan = []
    for k in range(int(seconds * 50)):
        data = phone.frame(k)
        plan += [(k * 0.02 + late(k), data)] * copies(k)
    plan.sort(key=lambda item: item[0])
    start = time.monotonic()
    for at, data in plan:
        time.sleep(max(start + at - time.monotonic(), 0))
        phone.socket.sendto(data, phone.target)
    return [data for _, data in plan]


async def through(folder: Path, phones, late, copies, seconds: float = 4.0) -> tuple[m.LegStats, np.ndarray]:
    """A tone through that network and the worker: what the worker counted and the other side heard."""
    a, b = phones(440), phones()
    async with desk(folder) as one:
        port = await one.leg("a", a)
        b.call(await one.leg("b", b))
        one.client.send(m.Hear("b", {"a": 1.0}))
        await one.event(m.FirstPacket, leg="b")
        a.target = ("127.0.0.1", port)
        await asyncio.to_thread(impaired, a, seconds, late, copies)
        await asyncio.sleep(0.3)
        one.client.send(m.CloseLeg("a"))
        stats = (await one.event(m.LegClosed, leg="a")).stats
    heard = b.heard()
    loud = np.flatnonzero(np.abs(heard) > 2000)
    return stats, heard[loud[0] : loud[-1] + 1]


@live
async def test_jitter_of_20_ms_loses_nothing(folder, phones) -> None:
    rng = random.Random(5)
    stats, heard = await through(folder, phones, lambda k: rng.uniform(0, 0.02), lambda k: 1)
    assert (stats.received, stats.lost, stats.duplicate) == (200, 0, 0)
    assert len(heard) >= 200 * FRAME - 320
    assert tones.share_of(440, heard) > 0.93


@live
async def test_reordered_and_doubled_packets_do_no_harm(folder, phones) -> None:
    # Every tenth packet comes after its successor; every seventh comes twice.
    stats, heard = await through(
        folder, phones, lambda k: 0.025 if k % 10 == 5 else 0.0, lambda k: 2 if k % 7 == 3 else 1
    )
    assert stats.received == 200 + 29
    assert stats.duplicate == 29
    assert stats.lost == 0
    assert tones.share_of(440, heard) > 0.93


@live
async def test_loss_is_counted_and_concealed(folder, phones) -> None:
    stats, heard = await through(folder, phones, lambda k: 0.0, lambda k: 0 if k % 20 == 10 else 1)
    assert stats.lost == 10
    assert stats.received == 190
    assert 10 <= stats.concealed <= 10 + 14
    assert 3.0 < stats.mos < 4.2
    # No frame within is silent.
    frames = heard[: len(heard) // FRAME * FRAME].reshape(-1, FRAME)
    assert (np.abs(frames).max(axis=1) > 2000).all()


@live
async def test_silence_and_return_are_told_and_hold_is_not_silence(folder, phones) -> None:
    a = phones(440)
    async with desk(folder) as one:
        port = await one.leg("a", a)
        a.call(port)
        await one.event(m.FirstPacket, leg="a")
        a.muted = True
        stopped = await one.event(m.PacketsStopped, leg="a")
        assert 4.9 < stopped.seconds < 6
        a.muted = False
        await one.event(m.PacketsResumed, leg="a")
        one.client.send(m.SetLeg("a", port, a.address, receive=False, send=False))
        await asyncio.sleep(0.2)
        count = len(a.voice())
        await asyncio.sleep(0.5)
        assert len(a.voice()) - count <= 1


@live
async def test_strangers_are_not_heard_but_a_moved_phone_is(folder, phones) -> None:
    a, b, stranger = phones(440), phones(), phones(2000)
    async with desk(folder) as one:
        pa, _ = await bridge(one, a, b)
        await one.event(m.FirstPacket, leg="a")
        stranger.call(pa)
        for rubbish in (
            b"",
            b"\x80",
            b"\x00" * 12,
            os.urandom(172),
            os.urandom(1400),
            b"\x80\x08" + b"\xff" * 600,
        ):
            stranger.socket.sendto(rubbish, ("127.0.0.1", pa))
            a.socket.sendto(rubbish, ("127.0.0.1", pa))
        await asyncio.sleep(2.0)
        assert tones.share_of(440, b.heard(1.0)) > 0.95
        assert not stranger.packets
        stranger.hang_up()
        # The phone's NAT gives it another port: once the old one is silent, the new one is latched.
        a.muted = True
        moved = phones(700)
        moved.ssrc = a.ssrc
        moved.call(pa)
        await eventually(lambda: len(moved.voice()) > 60)
        assert tones.share_of(700, b.heard(0.5)) > 0.95
        # A new remote by signalling counts at once, though the old source goes on.
        third = phones(1100)
        one.client.send(m.SetLeg("a", pa, third.address))
        third.call(pa)
        await eventually(lambda: len(third.voice()) > 60)
        assert tones.share_of(1100, b.heard(0.5)) > 0.95


APPLICATION = """
import asyncio, sys
from pathlib import Path
from centrala.media import messages as m
from centrala.media.client import MediaClient

async def main():
    folder = Path(sys.argv[1])
    client = MediaClient(socket=folder / "w0.sock", data=folder, address="127.0.0.1", ports=(20000, 29999),
                         on_event=lambda event: None)
    await client.start()
    while client.free_ports < 2:
        await asyncio.sleep(0.01)
    ports = client.take_port(), client.take_port()
    for name, port in zip("ab", ports):
        client.send(m.SetLeg(name, port))
    client.send(m.Hear("a", {"b": 1.0}))
    client.send(m.Hear("b", {"a": 1.0}))
    client.send(m.Record("r", "a", "b", "r.wav"))
    print(*ports, client.boot, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@live
async def test_calls_outlive_the_application(folder, phones) -> None:
    a, b = phones(440), phones(1000)
    application = subprocess.Popen(
        [sys.executable, "-c", APPLICATION, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert application.stdout is not None
        pa, pb, boot = (await asyncio.to_thread(application.stdout.readline)).split()
        a.call(int(pa))
        b.call(int(pb))
        await asyncio.sleep(1)
    finally:
        application.send_signal(signal.SIGKILL)
        application.wait()
    for packet in event_packets(a, 7):
        a.socket.sendto(packet, a.target)
    await asyncio.sleep(2)
    assert tones.share_of(440, b.heard(1.0)) > 0.98
    assert tones.share_of(1000, a.heard(1.0)) > 0.98
    one = Desk(folder)
    holds = await one.client.start()
    try:
        assert one.client.boot == boot
        assert holds.boot == boot
        assert set(holds.legs) == {"a", "b"}
        assert holds.legs["a"].hears == {"b": 1.0}
        assert holds.legs["a"].latched == a.address
        assert holds.recordings["r"].seconds > 2
        one.client.claim_port(int(pa))
        # What happened meanwhile is told now.
        await one.event(m.Digit, leg="a", digit="7")
        one.client.send(m.StopRecording("r"))
        recorded = await one.event(m.Recorded)
        assert recorded.seconds == pytest.approx(recorded.expected_seconds, abs=0.06)
        assert not one.lost
    finally:
        await one.client.close(quit_worker=True)
    with wave.open(str(folder / "r.wav")) as file:
        pcm = np.frombuffer(file.readframes(1 << 30), "<i2").reshape(-1, 2)
    assert tones.share_of(440, pcm[-12000:-2000, 0]) > 0.9
    assert tones.share_of(1000, pcm[-12000:-2000, 1]) > 0.98


@live
async def test_a_worker_that_died_is_told_and_replaced(folder, phones) -> None:
    a, b = phones(440), phones(1000)
    async with desk(folder) as one:
        await bridge(one, a, b)
        await one.event(m.FirstPacket, leg="b")
        one.client.send(m.Record("r", "a", "b", "r.wav"))
        await asyncio.sleep(2.5)
        boot, pid = one.client.boot, one.client.pid
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: one.ready)
        assert one.lost == [boot]
        assert one.client.boot not in ("", boot)
        assert one.client.pid != pid
        assert not one.ready[0].legs
        await eventually(lambda: one.client.free_ports)
        # What was recorded until then can be read: all but the last second or so.
        with wave.open(str(folder / "r.wav")) as file:
            assert file.getnframes() > 8000
            pcm = np.frombuffer(file.readframes(1 << 30), "<i2").reshape(-1, 2)
        assert len(pcm) > 8000
        assert tones.share_of(440, pcm[1600:, 0]) > 0.98
        # (The old phones still send to ports that may be in other hands now: that must not matter.)
        c = phones(600)
        c.call(await one.leg("c", c))
        one.client.send(m.Player("t", ["tone:850"]))
        one.client.send(m.Hear("c", {"t": 1.0}))
        await asyncio.sleep(1.5)
        assert tones.share_of(850, c.heard(0.8)) > 0.98
        os.kill(one.client.pid, 0)


@live
async def test_one_worker_a_socket_and_sigterm_closes_recordings(folder, phones) -> None:
    a = phones(440)
    async with desk(folder) as one:
        a.call(await one.leg("a", a))
        one.client.send(m.Record("r", "a", None, "r.wav"))
        second = subprocess.run(
            [
                *(sys.executable, "-m", "centrala.media.worker", "--socket", str(folder / "w0.sock")),
                *("--address", "127.0.0.1", "--ports", "20000-29999", "--data", str(folder)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 2
        assert "another media worker has this socket" in second.stderr
        await asyncio.sleep(1.2)
        os.kill(one.client.pid, signal.SIGTERM)
        recorded = await one.event(m.Recorded)
        assert recorded.seconds > 1
        await one.event(m.LegClosed, leg="a")
        with wave.open(str(folder / "r.wav")) as file:
            assert file.getnframes() == round(recorded.seconds * 8000)
        await eventually(lambda: one.ready)
        assert one.lost


@live
async def test_a_worker_that_nobody_needs_ends_by_itself(folder, phones) -> None:
    command = [
        sys.executable,
        "-m",
        "centrala.media.worker",
        "--socket",
        str(folder / "w0.sock"),
        "--linger",
        "1",
    ]
    command += ["--address", "127.0.0.1", "--ports", "20000-29999", "--data", str(folder)]
    worker = subprocess.Popen(command)
    try:
        one = Desk(folder)
        await asyncio.sleep(0.5)
        await one.client.start()
        assert one.client.pid == worker.pid
        await one.leg("a")
        await one.client.inventory()
        await one.client.close()
        # A living leg keeps it.
        await asyncio.sleep(2)
        assert worker.poll() is None
        one = Desk(folder)
        assert set((await one.client.start()).legs) == {"a"}
        await asyncio.sleep(1.5)
        one.client.send(m.CloseLeg("a"))
        await one.event(m.LegClosed)
        await one.client.close()
        assert await asyncio.to_thread(worker.wait, 10) == 0
        assert not (folder / "w0.sock").exists()
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()


@live
async def test_nonsense_commands_are_refused_and_harm_nothing(folder, phones) -> None:
    a, b = phones(440), phones(1000)
    async with desk(folder) as one:
        pa, _ = await bridge(one, a, b)
        await one.event(m.FirstPacket, leg="a")
        one.client.send(m.Hear("a", {"b": float("nan")}))
        one.client.send(m.Hear("a", {"b": 1e9}))
        one.client.send(m.SetLeg("a", pa + 2, a.address))
        one.client.send(m.SetLeg("a", pa, ("::1", 5)))
        one.client.send(m.SetLeg("a", pa, a.address, pcma=0))
        one.client.send(m.SetLeg("new", 7, a.address))
        one.client.send(m.Player("a", ["silence"]))
        one.client.send(m.SendDigits("a", "1z2"))
        one.client.send(m.StopPlayer("none"))
        one.client.send(m.CloseLeg("none"))
        one.client.send(m.PauseRecording("none"))
        await one.client.inventory()
        assert len(one.got(m.Refused)) == 8
        assert [event.leg for event in one.got(m.LegFailed)] == ["new"]
        await asyncio.sleep(2)
        assert tones.share_of(1000, a.heard(0.6)) > 0.98
        # A stranger on the control socket who talks rubbish is hung up on; the application comes back by itself.
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(folder / "w0.sock"))
            raw.sendall(b"\x00\x00\x00\x02\xc1\xc1" + b"\xff" * 100)
            await asyncio.sleep(0.5)
        await eventually(lambda: one.client.connected and one.ready)
        assert set((await one.client.inventory()).legs) == {"a", "b"}
        assert not one.lost
        assert tones.share_of(1000, a.heard(0.6)) > 0.98


@live
async def test_ports_are_ready_before_they_are_needed(folder, phones) -> None:
    async with desk(folder) as one:
        await eventually(lambda: one.client.free_ports >= 120)
        blocker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken = []
        # Sixty calls a second, two legs each, for three seconds.
        for k in range(360):
            port = one.client.take_port()
            assert port is not None, f"dry after {k} ports"
            taken.append(port)
            await asyncio.sleep(1 / 120)
        assert len(set(taken)) == 360
        assert all(port % 2 == 0 for port in taken)
        with pytest.raises(OSError):
            blocker.bind(("127.0.0.1", taken[0]))
        blocker.close()
        one.client.send(m.SetLeg("x", taken[0], ("not an address", 5)))
        assert "IP address" in (await one.event(m.LegFailed, leg="x")).why
        one.client.send(m.SetLeg("x", taken[0]))
        one.client.send(m.SetLeg("y", taken[0]))
        await one.event(m.LegFailed, leg="y")
        one.client.send(m.CloseLeg("x"))
        await one.event(m.LegClosed, leg="x")
        one.client.send(m.Hear("x", {}))
        assert (await one.event(m.Refused, command="Hear")).subject == "x"


@live
async def test_rtcp_tells_round_trip_and_what_the_peer_lost(folder, phones) -> None:
    a = phones(440)
    async with desk(folder) as one:
        a.call(await one.leg("a", a, rtcp_mux=True))
        await eventually(lambda: [data for _, data in a.packets if data[1] == 200], 12)
        came, data = next((at, data) for at, data in a.packets if data[1] == 200)
        ours = struct.unpack("!I", data[4:8])[0]
        assert ours == struct.unpack("!I", a.voice()[0][8:12])[0]
        last_sr = struct.unpack("!I", data[10:14])[0]
        assert struct.unpack("!I", data[28:32])[0] == a.ssrc
        delay = int((time.monotonic() - came) * 65536)
        report = struct.pack("!IIIIII", ours, 3, 0, 160, last_sr, delay)
        a.socket.sendto(struct.pack("!BBHI", 0x81, 201, 7, a.ssrc) + report, a.target)
        await asyncio.sleep(0.3)
        one.client.send(m.CloseLeg("a"))
        stats = (await one.event(m.LegClosed, leg="a")).stats
        assert 0 <= stats.rtt_ms < 100
        # Of the packets that had gone out by then.
        assert 3 / stats.sent <= stats.peer_lost < 0.5
        assert stats.peer_jitter_ms == 20
        await eventually(
            lambda: [data for _, data in a.packets if data[1] == 200 and b"\x81\xcb\x00\x01" in data]
        )


def pcap(packets: list[tuple[int, bytes]]) -> bytes:
    """Ethernet frames with IPv4 and UDP around (port, payload) pairs."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for k, (port, payload) in enumerate(packets):
        udp = struct.pack("!HHHH", port, port, 8 + len(payload), 0) + payload
        ip = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), k, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
        )
        frame = bytes(12) + b"\x08\x00" + ip + udp
        out += struct.pack("<IIII", k, 0, len(frame), len(frame)) + frame
    return out


def shark(path: Path, *fields: str) -> list[list[str]]:
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=;"]
    command += ["-d", "udp.port==6000,rtp", "-d", "udp.port==6001,rtcp"]
    for field in fields:
        command += ["-e", field]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split(";") for line in lines]


@live
async def test_tshark_finds_nothing_wrong_with_what_we_send(folder, phones) -> None:
    a = phones(440)
    async with desk(folder) as one:
        a.call(await one.leg("a", a, rtcp_mux=True))
        await one.event(m.FirstPacket, leg="a")
        one.client.send(m.SendDigits("a", "7", id="x"))
        await one.event(m.DigitsSent, leg="a")
        await eventually(lambda: [data for _, data in a.packets if data[1] == 200], 12)
        one.client.send(m.CloseLeg("a"))
        await one.event(m.LegClosed, leg="a")
        await asyncio.sleep(0.1)
    is_rtcp = [192 <= data[1] < 224 for _, data in a.packets]
    path = folder / "x.pcap"
    path.write_bytes(
        pcap([(6001 if rtcp else 6000, data) for rtcp, (_, data) in zip(is_rtcp, a.packets, strict=True)])
    )
    rows = shark(
        path, "rtp.version", "rtp.p_type", "rtp.seq", "rtp.timestamp", "rtcp.pt", "rtpevent.event_id"
    )
    rows = [row for row in rows if row[0]]
    assert len(rows) == is_rtcp.count(False)
    assert {row[0] for row in rows} == {"2"}
    events = [row for row in rows if row[1] == "101"]
    assert {row[5] for row in events} == {"7"}
    assert len({row[3] for row in events}) == 1
    voice = [row for row in rows if row[1] == "8"]
    assert len(voice) + len(events) == len(rows)
    problems = shark(path, "_ws.malformed", "_ws.expert.message")
    assert not [row for row in problems if any(row)]
    reports = [row[0] for row in shark(path, "rtcp.pt", "rtcp.ssrc.identifier") if row[0]]
    assert reports[0] == "200,202"
    assert reports[-1] == "200,202,203"
    lengths = {row[0] for row in shark(path, "rtcp.length_check") if row[0]}
    assert lengths <= {"1", "True"}
