"""Browsers' legs in a real media worker: ICE-lite, DTLS and SRTP, by what is heard. Chromium: tests/browser."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from test_media_worker import Desk, Phone, desk, eventually, live

from centrala.media import messages as m
from centrala.media.client import MediaClient
from centrala.media.opus import Opus
from centrala.testing import tones
from centrala.testing.browser import BrowserLine

pytestmark = pytest.mark.peer

ICE = ("abcd", "a password of 22 characters")
GCM, CM = b"SRTP_AEAD_AES_128_GCM", b"SRTP_AES128_CM_SHA1_80"


class Browser(Phone):
    """The telephone of the other tests, over a browser's transport."""

    def __init__(self, frequency: float = 0, law: str = "pcma", profiles: bytes = GCM + b":" + CM) -> None:
        super().__init__(frequency, law)
        self.socket.close()
        self.socket = self.line = BrowserLine(profiles)
        self.codec = Opus()

    def frame(self, k: int) -> bytes:
        if self.law != "opus":
            return super().frame(k)
        coded = self.codec.encode(self.audio[k * 160 : k * 160 + 160])
        self.timestamp += 960
        return self.packet(coded, kind=111)

    def heard(self, last: float | None = None) -> np.ndarray:
        if self.law != "opus":
            return super().heard(last)
        frames = [self.codec.decode(data[12:], k)[1] for k, (_, data) in enumerate(self.packets)]
        out = np.concatenate([one for one in frames if one is not None])
        return out if last is None else out[-int(last * 8000) :]

    def connect(self, port: int, ice: tuple[str, str] = ICE) -> None:
        self.line.connect(("127.0.0.1", port), *ice)

    def talk(self, port: int) -> None:
        self.line.settimeout(0.005)
        self.call(port)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("m")


@pytest.fixture
def phones() -> Iterator[Callable[..., Phone]]:
    made: list[Phone] = []

    def make(kind: type[Phone], *args: object, **keywords: object) -> Phone:
        made.append(kind(*args, **keywords))
        return made[-1]

    yield make
    for phone in made:
        phone.hang_up()


def hear(one: Desk, *pairs: tuple[str, str]) -> None:
    for listener, source in pairs:
        one.client.send(m.Hear(listener, {source: 1.0}))


async def web_leg(one: Desk, name: str, browser: Browser, **want: object) -> int:
    want = {"ice": ICE, "fingerprint": browser.line.fingerprint, "peer_ufrag": browser.line.ufrag, **want}
    return await one.leg(name, None, **want)


@pytest.mark.parametrize("profiles", [GCM, CM])
@live
async def test_a_browser_and_a_telephone_hear_each_other(folder, phones, profiles) -> None:
    a, b = phones(Browser, 440, profiles=profiles), phones(Phone, 1000)
    async with desk(folder) as one:
        assert one.client.fingerprint.startswith("sha-256 ")
        pa, pb = await web_leg(one, "a", a), await one.leg("b", b)
        hear(one, ("a", "b"), ("b", "a"))
        await asyncio.to_thread(a.connect, pa)
        await one.event(m.Secured, leg="a")
        assert a.line.profile == profiles
        a.talk(pa)
        b.call(pb)
        await asyncio.sleep(2.5)
        assert tones.share_of(1000, a.heard(1.5)) > 0.95
        assert tones.share_of(440, b.heard(1.5)) > 0.95
        one.client.send(m.CloseLeg("a"))
        closed = await one.event(m.LegClosed, leg="a")
        assert closed.stats.lost == 0
        assert closed.stats.received > 100
        assert closed.stats.invalid == 0


@live
async def test_digits_both_ways_and_a_mixture(folder, phones) -> None:
    a, b, c = phones(Browser, 440), phones(Browser, 1000), phones(Phone, 600)
    async with desk(folder) as one:
        ports = [await web_leg(one, "a", a, dtmf=126), await web_leg(one, "b", b, dtmf=126)]
        pc = await one.leg("c", c)
        one.client.send(m.Hear("a", {"b": 0.5, "c": 0.5}))
        for phone, port in zip((a, b), ports, strict=True):
            await asyncio.to_thread(phone.connect, port)
            phone.talk(port)
        c.call(pc)
        await asyncio.sleep(1.5)
        one.client.send(m.SendDigits("b", "42"))
        await eventually(lambda: sum(1 for _, data in b.packets if data[1] & 0x7F == 126) >= 12)
        heard = a.heard(1.0)
        assert tones.share_of(1000, heard) == pytest.approx(0.5, abs=0.05)
        assert tones.share_of(600, heard) == pytest.approx(0.5, abs=0.05)
        # RFC 4733 from a browser: type 126, short
        stamp = a.timestamp
        for end in (0, 0, 1, 1, 1):
            a.line.sendto(
                a.packet(bytes([7, end << 7 | 10, 1, 0x90]), kind=126, timestamp=stamp), a.line.server
            )
        await one.event(m.Digit, leg="a", digit="7")


@live
async def test_keys_wait_for_the_fingerprint_and_a_wrong_one_gets_none(folder, phones) -> None:
    a, b = phones(Browser, 440), phones(Browser, 440)
    async with desk(folder) as one:
        # We offered: the browser's DTLS is there before its SIP answer.
        pa = await web_leg(one, "a", a, fingerprint="", peer_ufrag="")
        await asyncio.to_thread(a.connect, pa)
        a.talk(pa)
        await asyncio.sleep(0.5)
        assert not one.got(m.Secured)
        assert not a.packets
        one.client.send(m.SetLeg("a", pa, ice=ICE, fingerprint=a.line.fingerprint, peer_ufrag=a.line.ufrag))
        await one.event(m.Secured, leg="a")
        await eventually(lambda: len(a.packets) > 10)
        pb = await web_leg(one, "b", b, fingerprint=a.line.fingerprint)
        await asyncio.to_thread(b.connect, pb)
        b.talk(pb)
        failed = await one.event(m.NotSecured, leg="b")
        assert "certificate" in failed.why
        await asyncio.sleep(0.5)
        assert not b.packets
        assert not one.got(m.FirstPacket, leg="b")


@live
async def test_who_doesnt_know_the_password_gets_no_handshake(folder, phones) -> None:
    a = phones(Browser, 440)
    async with desk(folder) as one:
        pa = await web_leg(one, "a", a)
        with pytest.raises(PermissionError):
            await asyncio.to_thread(a.line.check, ("127.0.0.1", pa), ICE[0], "a guess of 22 characters!!")
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(a.line.shake_hands, 1.0)


@live
async def test_another_network_and_an_ice_restart_keep_the_encryption(folder, phones) -> None:
    a, b = phones(Browser, 440), phones(Phone, 1000)
    async with desk(folder) as one:
        pa, pb = await web_leg(one, "a", a), await one.leg("b", b)
        hear(one, ("a", "b"), ("b", "a"))
        await asyncio.to_thread(a.connect, pa)
        a.talk(pa)
        b.call(pb)
        await eventually(lambda: len(a.packets) > 20)
        a._end.set()
        a._thread.join()
        a.line.move()
        again = ("efgh", "another password of 22 chars")
        a.line.ufrag = "fresh1"
        one.client.send(m.SetLeg("a", pa, ice=again, fingerprint=a.line.fingerprint, peer_ufrag=a.line.ufrag))
        # The old credentials are still good, and the browser's new ufrag nominates.
        await asyncio.to_thread(a.line.check, ("127.0.0.1", pa), *ICE)
        before = len(a.packets)
        a._end.clear()
        a._thread = type(a._thread)(target=a._run)
        a.talk(pa)
        await eventually(lambda: len(a.packets) > before + 100)
        assert tones.share_of(440, b.heard(1.0)) > 0.95
        a._end.set()
        a._thread.join()
        await asyncio.to_thread(a.line.check, ("127.0.0.1", pa), *again)
        assert len(one.got(m.Secured)) == 1


@live
async def test_a_page_loaded_again_is_a_new_peer_on_the_same_row(folder, phones) -> None:
    a, b, c = phones(Browser, 440), phones(Browser, 700), phones(Phone, 1000)
    async with desk(folder) as one:
        pa, pc = await web_leg(one, "a", a), await one.leg("c", c)
        hear(one, ("a", "c"), ("c", "a"))
        await asyncio.to_thread(a.connect, pa)
        a.talk(pa)
        c.call(pc)
        await eventually(lambda: len(a.packets) > 20)
        a.hang_up()
        fresh = ("efgh", "another password of 22 chars")
        one.client.send(m.SetLeg("a", pa, ice=fresh, fingerprint=b.line.fingerprint, peer_ufrag=b.line.ufrag))
        await asyncio.to_thread(b.connect, pa, fresh)
        b.talk(pa)
        await eventually(lambda: len(one.got(m.Secured)) == 2)
        await asyncio.sleep(2.0)
        assert tones.share_of(1000, b.heard(1.0)) > 0.95
        assert tones.share_of(700, c.heard(1.0)) > 0.95


@live
async def test_rubbish_on_a_browsers_port_harms_nobody(folder, phones) -> None:
    a, b = phones(Browser, 440), phones(Phone, 1000)
    async with desk(folder) as one:
        pa, pb = await web_leg(one, "a", a), await one.leg("b", b)
        hear(one, ("a", "b"), ("b", "a"))
        await asyncio.to_thread(a.connect, pa)
        a.talk(pa)
        b.call(pb)
        chance = np.random.default_rng(1)
        for k in range(3000):
            data = bytearray(chance.bytes(int(chance.integers(1, 1400))))
            data[0] = (0, 1, 20, 22, 63, 128, 144, 191, 255)[k % 9]
            b.socket.sendto(data, ("127.0.0.1", pa))
            a.line.socket.sendto(data, ("127.0.0.1", pa))  # from the nominated source, even to its DTLS
            if k % 50 == 0:
                await asyncio.sleep(0.02)
        await asyncio.sleep(2.0)
        assert tones.share_of(1000, a.heard(1.0)) > 0.95
        assert tones.share_of(440, b.heard(1.0)) > 0.95


@live
async def test_opus_both_ways_with_loss_mended_and_digits(folder, phones) -> None:
    a, b = phones(Browser, 440, "opus"), phones(Phone, 1000)
    async with desk(folder) as one:
        assert one.client.opus
        pa = await web_leg(one, "a", a, codec="opus", opus=111, dtmf=110)
        pb = await one.leg("b", b)
        hear(one, ("a", "b"), ("b", "a"))
        await asyncio.to_thread(a.connect, pa)
        frames = iter(range(1_000_000))
        lossy = a.line.sendto

        def sendto(packet: bytes, server: tuple[str, int]) -> None:
            if packet[1] & 0x7F != 111 or next(frames) % 10:  # each tenth is lost
                lossy(packet, server)

        a.line.sendto = sendto
        a.talk(pa)
        b.call(pb)
        await asyncio.sleep(3.0)
        assert tones.share_of(1000, a.heard(1.5)) > 0.9
        # A tone of which each tenth frame is mended is no pure one.
        assert tones.dominant(b.heard(1.5)) == pytest.approx(440, abs=3)
        one.client.send(m.SendDigits("a", "5"))
        await eventually(lambda: sum(1 for _, data in a.packets if data[1] & 0x7F == 110) >= 6)
        last = [data for _, data in a.packets if data[1] & 0x7F == 110][-1]
        assert last[12] == 5
        assert int.from_bytes(last[14:16], "big") % 960 == 0
        stamp = a.timestamp
        for end in (0, 1, 1, 1):
            a.line.sendto(
                a.packet(bytes([7, end << 7 | 10, 0x12, 0xC0]), 110, timestamp=stamp), a.line.server
            )
        digit = await one.event(m.Digit, leg="a", digit="7")
        assert digit.duration_ms == 100
        one.client.send(m.CloseLeg("a"))
        closed = await one.event(m.LegClosed, leg="a")
        assert closed.stats.lost > 5
        # What was lost was told by the packet after it: nothing had to be made up but at the start.
        assert closed.stats.concealed < closed.stats.lost


@live
async def test_over_ipv6(folder: Path) -> None:
    """A browser hears itself, as in the line test."""
    events: list[m.Event] = []
    client = MediaClient(
        socket=folder / "w0.sock", data=folder, address="::1", ports=(20000, 29999), on_event=events.append
    )
    await client.start()
    line = BrowserLine(address="::1")
    try:
        await eventually(lambda: client.free_ports)
        port = client.take_port()
        assert port
        client.send(
            m.SetLeg("a", port, ice=ICE, fingerprint=line.fingerprint, peer_ufrag=line.ufrag),
            m.Hear("a", {"a": 1.0}),
        )
        await asyncio.to_thread(line.connect, ("::1", port), *ICE)
        await eventually(lambda: any(isinstance(event, m.Secured) for event in events))
        voice = bytes([0x35]) * 160

        def talk() -> int:
            said = (
                bytes([0x80, 8, 0, k]) + (k * 160).to_bytes(4, "big") + b"\0\0\0\7" + voice
                for k in range(100)
            )
            return sum(data[12:] == voice for data in line.converse(said))

        assert await asyncio.to_thread(talk) > 50
    finally:
        line.close()
        await client.close(quit_worker=True)
