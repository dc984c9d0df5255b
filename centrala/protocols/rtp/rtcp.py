"""RTCP (RFC 3550, 6): sender and receiver reports, source description, bye; and what they tell about quality."""

from __future__ import annotations

import struct
from dataclasses import dataclass

SR, RR, SDES, BYE = 200, 201, 202, 203

_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970."""

_report = struct.Struct("!IIIIII")
_sender = struct.Struct("!IIIII")


@dataclass(frozen=True, slots=True)
class Report:
    """One report block (RFC 3550, 6.4.1): how its author receives `ssrc`."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the report before."""
    lost: int
    """Cumulative, signed 24 bits: duplicates make it negative."""
    highest: int
    """Extended sequence number."""
    jitter: int
    """In samples."""
    last_sr: int
    """Middle 32 bits of the NTP time of the last sender report; 0 if none came."""
    delay: int
    """Since that report, in 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a sender says about its own stream."""

    ntp: int
    """64 bits, seconds since 1900 in the upper half."""
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Compound:
    """What matters of one RTCP datagram."""

    ssrc: int
    sender: SenderInfo | None = None
    reports: tuple[Report, ...] = ()
    bye: bool = False


def ntp(unix_seconds: float) -> int:
    """64-bit NTP time stamp."""
    return int((unix_seconds + _NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def middle(ntp_time: int) -> int:
    """The middle 32 bits, as they appear in `last_sr`."""
    return (ntp_time >> 16) & 0xFFFFFFFF


def pack(
    ssrc: int, cname: str, *, sender: SenderInfo | None, reports: tuple[Report, ...], bye: bool = False
) -> bytes:
    """A compound packet: SR (RR if `sender` is None), SDES with the CNAME, BYE if asked (RFC 3550, 6.1)."""
    blocks = b"".join(
        _report.pack(
            r.ssrc,
            (min(max(r.fraction_lost, 0), 255) << 24)
            | (min(max(r.lost, -(1 << 23)), (1 << 23) - 1) & 0xFFFFFF),
            r.highest & 0xFFFFFFFF,
            min(max(r.jitter, 0), 0xFFFFFFFF),
            r.last_sr,
            min(max(r.delay, 0), 0xFFFFFFFF),
        )
        for r in reports
    )
    if sender is None:
        first = _head(RR, len(reports), 4 + len(blocks)) + struct.pack("!I", ssrc) + blocks
    else:
        info = _sender.pack(
            sender.ntp >> 32,
            sender.ntp & 0xFFFFFFFF,
            sender.timestamp & 0xFFFFFFFF,
            sender.packets & 0xFFFFFFFF,
            sender.octets & 0xFFFFFFFF,
        )
        first = _head(SR, len(reports), 24 + len(blocks)) + struct.pack("!I", ssrc) + info + blocks
    name = cname.encode()[:255]
    item = bytes((1, len(name))) + name
    item += bytes(4 - len(item) % 4)
    chunk = struct.pack("!I", ssrc) + item
    out = first + _head(SDES, 1, len(chunk)) + chunk
    if bye:
        out += _head(BYE, 1, 4) + struct.pack("!I", ssrc)
    return out


def _head(kind: int, count: int, size: int) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, size // 4)


def parse(data: bytes | memoryview) -> Compound | None:
    """None if this isn't a compound packet in order (RFC 3550, A.2). Never raises. Unknown types are skipped."""
    if len(data) < 8 or data[0] >> 6 != 2 or data[1] not in (SR, RR):
        return None
    ssrc = int.from_bytes(data[4:8], "big")
    sender: SenderInfo | None = None
    reports: list[Report] = []
    bye = False
    at = 0
    while at < len(data):
        if len(data) - at < 4 or data[at] >> 6 != 2:
            return None
        count, kind = data[at] & 31, data[at + 1]
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            return None
        blocks = at + 8
        if kind == SR:
            if end - at < 28:
                return None
            high, low, timestamp, packets, octets = _sender.unpack_from(data, at + 8)
            sender = SenderInfo((high << 32) | low, timestamp, packets, octets)
            blocks = at + 28
        if kind in (SR, RR):
            if end - blocks < _report.size * count:
                return None
            reports += [_parse_report(data, blocks + _report.size * i) for i in range(count)]
        elif kind == BYE:
            named = range(at + 4, min(at + 4 + 4 * count, end), 4)
            bye = bye or any(int.from_bytes(data[i : i + 4], "big") == ssrc for i in named)
        at = end
    return Compound(ssrc, sender, tuple(reports), bye)


def _parse_report(data: bytes | memoryview, at: int) -> Report:
    ssrc, losses, highest, jitter, last_sr, delay = _report.unpack_from(data, at)
    lost = losses & 0xFFFFFF
    return Report(
        ssrc, losses >> 24, lost - (1 << 24) if lost >= 1 << 23 else lost, highest, jitter, last_sr, delay
    )


def round_trip(report: Report, now_ntp: int) -> float | None:
    """Seconds to the peer and back (RFC 3550, 6.4.1, DLSR); None if the peer had no sender report of ours yet.

    A result that would be negative (clocks that step) or above 30 s is None too.
    """
    if report.last_sr == 0:
        return None
    ticks = (middle(now_ntp) - report.last_sr - report.delay) & 0xFFFFFFFF
    return ticks / 65536 if ticks < 30 * 65536 else None


def fraction_lost(expected: int, received: int) -> int:
    """Of 256, between two reports (RFC 3550, A.3)."""
    lost = expected - received
    return 0 if expected <= 0 or lost <= 0 else min((lost << 8) // expected, 255)


def mos(loss: float, delay_ms: float, *, concealed: bool = True) -> float:
    """Mean opinion score of G.711 by the E-model (ITU-T G.107 with the defaults of its table 2), 1.0 to 4.41.

    `loss`: share of packets not played, 0 to 1, taken as random; `delay_ms`: mouth to ear, one way;
    `concealed`: the receiver conceals loss (Bpl 25.1, else 4.3: G.113, table I.3).
    """
    percent = 100 * min(max(loss, 0.0), 1.0)
    robustness = 25.1 if concealed else 4.3
    equipment = 95 * percent / (percent + robustness)
    delay = 0.024 * delay_ms + (0.11 * (delay_ms - 177.3) if delay_ms > 177.3 else 0.0)
    rating = 93.2 - delay - equipment
    if rating <= 0:
        return 1.0
    return 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6
