"""RTP and RTCP packets, telephone events and the E-model: against the RFCs' words and published figures."""

import struct

import numpy as np
import pytest

from centrala.protocols.rtp import dtmf, packet, rtcp

pytestmark = pytest.mark.unit

PLAIN = bytes.fromhex("8088 0102 00000a00 deadbeef".replace(" ", "")) + b"\xd5" * 160


def test_a_packet_as_the_rfc_draws_it() -> None:
    parsed = packet.parse(PLAIN)
    assert parsed == packet.Packet(8, 0x0102, 0x0A00, 0xDEADBEEF, b"\xd5" * 160, marker=True)
    assert parsed is not None
    assert parsed.pack() == PLAIN


@pytest.mark.parametrize(
    ("data", "payload"),
    [
        (b"\x82" + PLAIN[1:12] + b"CSRCCSRC" + b"audio", b"audio"),
        (b"\x90" + PLAIN[1:12] + b"\xbe\xde\x00\x01\x10\xff\x00\x00" + b"audio", b"audio"),
        (b"\xa0" + PLAIN[1:12] + b"audio\x00\x00\x03", b"audio"),
        (b"\xb1" + PLAIN[1:12] + b"CSRC" + b"\x00\x00\x00\x00" + b"audio\x01", b"audio"),
        (PLAIN[:12], b""),
    ],
)
def test_sources_extension_and_padding_are_stripped(data: bytes, payload: bytes) -> None:
    parsed = packet.parse(data)
    assert parsed is not None
    assert parsed.payload == payload


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PLAIN[:11],
        b"\x40" + PLAIN[1:],
        b"\x8f" + PLAIN[1:12] + b"too short",
        b"\x90" + PLAIN[1:12] + b"\x00\x00\xff\xff" + b"short",
        b"\x90" + PLAIN[1:12] + b"\x00",
        b"\xa0" + PLAIN[1:12] + b"audio\xff",
        b"\xa0" + PLAIN[1:12] + b"audio\x00",
    ],
)
def test_what_is_not_rtp_is_none(data: bytes) -> None:
    assert packet.parse(data) is None


def test_columns_say_the_same_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 256, (500, 64), np.uint8)
    rows[::2, 0] = 0x80
    sizes = rng.integers(0, 64, 500)
    columns = packet.parse_columns(rows, sizes)
    for i in range(500):
        one = packet.parse(rows[i, : sizes[i]].tobytes())
        if columns.plain[i]:
            assert one is not None
            assert (one.payload_type, one.marker) == (columns.payload_type[i], columns.marker[i])
            assert (one.sequence, one.timestamp) == (columns.sequence[i], columns.timestamp[i])
            assert one.ssrc == columns.ssrc[i]
        elif one is not None:
            assert rows[i, 0] != 0x80


def test_rtcp_there_and_back() -> None:
    sender = rtcp.SenderInfo(rtcp.ntp(1.5), 4711, 100, 16000)
    report = rtcp.Report(7, 12, -3, 70000, 55, 0x01020304, 65536)
    data = rtcp.pack(1, "me@host", sender=sender, reports=(report,), bye=True)
    assert len(data) % 4 == 0
    assert rtcp.parse(data) == rtcp.Compound(1, sender, (report,), bye=True)
    assert rtcp.parse(rtcp.pack(1, "", sender=None, reports=())) == rtcp.Compound(1)


def test_broken_rtcp_is_none() -> None:
    data = rtcp.pack(1, "me", sender=rtcp.SenderInfo(0, 0, 0, 0), reports=())
    assert all(rtcp.parse(data[:size]) is None for size in range(len(data)) if size not in (28,))
    assert rtcp.parse(b"\x81\xc9\x00\x01\x00\x00\x00\x01") is None
    assert rtcp.parse(b"\x80\xc8\x00\x01\x00\x00\x00\x01") is None
    assert rtcp.parse(b"\x80\xca\x00\x01\x00\x00\x00\x01") is None


def test_round_trip_of_the_rfcs_figure_2() -> None:
    # RFC 3550, 6.4.1, figure 2: A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 0x0005:4000 -> 6.125 s.
    report = rtcp.Report(1, 0, 0, 0, 0, 0xB7052000, 0x00054000)
    assert rtcp.round_trip(report, 0xB7108000 << 16) == pytest.approx(6.125)
    assert rtcp.round_trip(rtcp.Report(1, 0, 0, 0, 0, 0, 0), 1 << 40) is None
    # A clock that stepped back yields nothing rather than 18 hours.
    assert rtcp.round_trip(report, 0xB7050000 << 16) is None


def test_fraction_lost_of_the_rfc() -> None:
    assert rtcp.fraction_lost(100, 75) == 64
    assert rtcp.fraction_lost(100, 101) == 0
    assert rtcp.fraction_lost(0, 0) == 0
    assert rtcp.fraction_lost(10, 0) == 255


def test_mos_of_g107() -> None:
    # R = 93.2 is MOS 4.41 (G.107, annex B); R = 70 is 3.60, R = 50 is 2.58.
    assert rtcp.mos(0, 0) == pytest.approx(4.41, abs=0.005)
    ratings = {70: 3.60, 50: 2.58}
    for rating, score in ratings.items():
        percent = next(p / 100 for p in range(10000) if 93.2 - 95 * (p / 100) / (p / 100 + 25.1) <= rating)
        assert rtcp.mos(percent / 100, 0) == pytest.approx(score, abs=0.01)
    assert rtcp.mos(0.02, 50) > rtcp.mos(0.05, 50) > rtcp.mos(0.05, 300) > rtcp.mos(1.0, 3000) == 1.0
    assert rtcp.mos(0.05, 50, concealed=False) < rtcp.mos(0.05, 50)


def test_events_are_told_once_each_even_if_ends_are_lost() -> None:
    receiver = dtmf.Receiver()
    told = []
    for timestamp, code in ((1000, 5), (3000, 5), (6000, 9)):
        for duration in (160, 320, 480):
            told += receiver.receive(timestamp, dtmf.Event(code, False, 10, duration))
        if timestamp != 3000:
            for _ in range(3):
                told += receiver.receive(timestamp, dtmf.Event(code, True, 10, 640))
        # A late packet of an event long over says nothing.
        told += receiver.receive(timestamp - 500, dtmf.Event(1, True, 10, 640))
    assert told == [("5", 80), ("5", 60), ("9", 80)]
    receiver.receive(9000, dtmf.Event(3, False, 10, 160))
    for _ in range(10):
        told += receiver.tick()
    assert told[3:] == [("3", 20)]
    assert receiver.receive(20000, dtmf.Event(16, True, 10, 640)) == []
    assert dtmf.parse(b"\x01\x8a\x02") is None


def test_the_sender_keeps_to_rfc_4733() -> None:
    sender = dtmf.Sender("1,#")
    sent = []
    tick = 0
    while sender.digits:
        step = sender.step(tick * 160)
        if step is not None:
            sent.append((tick, *step))
        tick += 1
    first = [entry for entry in sent if entry[1].code == 1]
    assert [entry[1].end for entry in first] == [False] * 6 + [True] * 3
    assert [entry[1].duration for entry in first] == [160, 320, 480, 640, 800, 960, 960, 960, 960]
    assert {entry[2] for entry in first} == {0}
    assert [entry[3] for entry in first] == [True] + [False] * 8
    second = [entry for entry in sent if entry[1].code == 11]
    assert len(first) + len(second) == len(sent)
    assert second[0][0] - first[-1][0] > 50
    receiver = dtmf.Receiver()
    heard = [digit for _, event, stamp, _ in sent for digit in receiver.receive(stamp, event)]
    assert heard == [("1", 120), ("#", 120)]


@pytest.mark.parametrize("noise", [0, 300])
def test_every_tone_is_found_at_any_offset_and_level(noise: int) -> None:
    rng = np.random.default_rng(1)
    for digit in dtmf.DIGITS:
        for gain in (0.05, 0.3, 1.0):
            for start in (0, 33, 77):
                signal = dtmf.tone(digit, 320, start) * gain + rng.normal(0, noise * gain, 320)
                assert dtmf.DIGITS[dtmf.find_tones(signal.astype(np.int16)[None])[0]] == digit


def test_speech_like_sounds_are_no_digits() -> None:
    rng = np.random.default_rng(2)
    t = np.arange(320) / 8000
    frames = []
    for _ in range(5000):
        pitch = rng.uniform(80, 300)
        formants = rng.uniform((300, 800), (900, 2600))
        harmonics = np.arange(1, 12) * pitch
        strength = sum(np.exp(-(((harmonics - f) / 150) ** 2)) for f in formants) + 0.05
        signal = (
            strength[:, None] * np.sin(2 * np.pi * harmonics[:, None] * t + rng.uniform(0, 6, (11, 1)))
        ).sum(0)
        frames.append(3000 * signal)
    found = dtmf.find_tones(np.clip(np.array(frames), -32000, 32000).astype(np.int16))
    assert (found >= 0).mean() < 0.01
    single = np.array([8000 * np.sin(2 * np.pi * f * t) for f in range(300, 3400, 7)]).astype(np.int16)
    assert (dtmf.find_tones(single) < 0).all()
    assert (dtmf.find_tones(np.zeros((3, 320), np.int16)) < 0).all()


def test_tones_become_one_digit_each() -> None:
    receiver = dtmf.ToneReceiver()
    told = [receiver.step(code) for code in (-1, 5, 5, 5, -1, 5, -1, -1, 5, 5, 7, 7, -1, -1, -1)]
    assert [digit for digit in told if digit] == [("5", 120), ("5", 60), ("7", 60)]


def test_what_can_be_sent() -> None:
    assert dtmf.clean("12 #a,x*") == "12#A,*"
    assert struct.calcsize("!BBHII") == packet.HEADER
