"""RTCP of all legs: reports sent and read, and what a leg's life came to in figures."""

from __future__ import annotations

import select
import time

from centrala.media import messages as m
from centrala.media.rows import Leg, Rows
from centrala.protocols.rtp import rtcp
from centrala.protocols.rtp.g711 import FRAME

_PERIOD_TICKS = 250
"""A report each 5 s (RFC 3550, 6.2), every leg at its own moment."""


class Reports:
    """Owns what happens on the RTCP ports."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.errors = 0
        self._epoll = select.epoll()
        self._legs: dict[int, Leg] = {}
        self._phases: dict[int, set[int]] = {}
        """Moment within the period → rows."""

    def add(self, leg: Leg) -> None:
        self._epoll.register(leg.pair.rtcp.fileno(), select.EPOLLIN)
        self._legs[leg.pair.rtcp.fileno()] = leg
        self._phases.setdefault((leg.row * 37) % _PERIOD_TICKS, set()).add(leg.row)

    def remove(self, leg: Leg) -> None:
        self._epoll.unregister(leg.pair.rtcp.fileno())
        del self._legs[leg.pair.rtcp.fileno()]
        self._phases[(leg.row * 37) % _PERIOD_TICKS].discard(leg.row)

    def send_due(self, now: float) -> None:
        """The reports of this tick."""
        for row in tuple(self._phases.get(self.rows.tick % _PERIOD_TICKS, ())):
            self.report(self.rows.legs[row], now)

    def close(self) -> None:
        self._epoll.close()

    @property
    def descriptor(self) -> int:
        """Readable when RTCP has come: call `read`."""
        return self._epoll.fileno()

    def read(self, now: float) -> None:
        for descriptor, _ in self._epoll.poll(0):
            leg = self._legs[descriptor]
            try:
                data, source = leg.pair.rtcp.recvfrom(2048)
            except OSError:
                continue
            destination = leg.line.destination
            if destination is not None and source[0] != destination[0]:
                self.rows.invalid[leg.row] += 1
                continue
            if self.receive(leg, data, now) and leg.want.symmetric:
                leg.rtcp_source = source[:2]

    def receive(self, leg: Leg, data: bytes, now: float) -> bool:
        """A datagram of the leg's RTCP port (or of its RTP port, if they are one). False: it isn't RTCP."""
        compound = rtcp.parse(data)
        if compound is None:
            self.rows.invalid[leg.row] += 1
            return False
        if compound.sender is not None and compound.ssrc == self.rows.ssrc[leg.row]:
            leg.last_sr, leg.last_sr_at = rtcp.middle(compound.sender.ntp), now
        ours = int(self.rows.out[leg.row]["ssrc"])
        for report in compound.reports:
            if report.ssrc == ours:
                rtt = rtcp.round_trip(report, rtcp.ntp(time.time()))
                leg.rtt = leg.rtt if rtt is None else rtt
                leg.peer_jitter = report.jitter / 8 / leg.clock
                sent = int(self.rows.sent[leg.row])
                leg.peer_lost = min(max(report.lost, 0) / sent, 1.0) if sent else None
        return True

    def report(self, leg: Leg, now: float, bye: bool = False) -> None:
        destination = leg.line.destination
        if destination is None:
            return
        row = leg.row
        ssrc = int(self.rows.out[row]["ssrc"])
        sent = int(self.rows.sent[row])
        sender = None
        if sent:
            timestamp = int(self.rows.timestamp[row]) * leg.clock & 0xFFFFFFFF
            sender = rtcp.SenderInfo(rtcp.ntp(time.time()), timestamp, sent, sent * FRAME)
        reports: tuple[rtcp.Report, ...] = ()
        if self.rows.ssrc[row] >= 0:
            jitter = self.rows.jitter
            expected, received = jitter.expected(row), int(jitter.received[row])
            before = leg.reported
            leg.reported = (expected, received)
            delay = int((now - leg.last_sr_at) * 65536) if leg.last_sr else 0
            fraction = rtcp.fraction_lost(expected - before[0], received - before[1])
            lost, samples = jitter.lost(row), int(jitter.jitter_samples(row)) * leg.clock
            highest = max(int(jitter.highest[row]), 0)
            reports = (
                rtcp.Report(int(self.rows.ssrc[row]), fraction, lost, highest, samples, leg.last_sr, delay),
            )
        data = rtcp.pack(ssrc, leg.cname, sender=sender, reports=reports, bye=bye)
        secure = leg.line.secure
        if secure is not None:
            data = secure.seal_rtcp(data)
            if not data:
                return
        try:
            if secure is not None:
                leg.pair.rtp.sendto(data, destination)
            elif leg.want.rtcp_mux:
                if leg.line.latched is not None and leg.line.symmetric:
                    leg.pair.rtp.send(data)
                else:
                    leg.pair.rtp.sendto(data, destination)
            else:
                leg.pair.rtcp.sendto(data, leg.rtcp_source or (destination[0], destination[1] + 1))
        except (OSError, OverflowError):
            self.errors += 1

    def stats(self, leg: Leg, now: float) -> m.LegStats:
        row, jitter = leg.row, self.rows.jitter
        received = int(jitter.packets[row])
        lost = jitter.lost(row)
        jitter_ms = jitter.jitter_samples(row) / 8
        mos = None
        if received:
            one_way = (leg.rtt or 0.0) * 500 + 40 + 20 * jitter.delay_frames(row)
            mos = round(rtcp.mos(lost / (received + lost), one_way), 2)
        return m.LegStats(
            sent=int(self.rows.sent[row]),
            received=received,
            lost=lost,
            late=int(jitter.late[row]),
            duplicate=int(jitter.duplicate[row]),
            invalid=int(self.rows.invalid[row]),
            concealed=int(jitter.concealed[row]),
            jitter_ms=round(jitter_ms, 1),
            mos=mos,
            rtt_ms=None if leg.rtt is None else round(leg.rtt * 1000, 1),
            peer_lost=leg.peer_lost,
            peer_jitter_ms=leg.peer_jitter,
            seconds=round(now - leg.began, 2),
        )
