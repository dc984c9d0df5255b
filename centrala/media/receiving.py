"""What comes in: packets of all legs into the jitter buffers, digits told, sources latched."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from centrala.media import messages as m
from centrala.media.reports import Reports
from centrala.media.rows import ALAW, EVENT, NOISE, OPUS, ULAW, Ints, Leg, Pcm, Rows
from centrala.media.wire import WIDTH, Address, Line, Wire
from centrala.protocols.rtp import dtmf, g711, packet
from centrala.protocols.rtp.g711 import FRAME, RATE

log = logging.getLogger("centrala.media")

RELATCH_TICKS = 50
"""A source silent for so long may be replaced."""
_FIRST_KNOCKS = 3
"""Valid packets from another address than the one signalled (NAT) that go by before it is latched: what comes from
the signalled one meanwhile wins over the remains of somebody else's call."""
_KNOCKS = 10
"""The same for an entirely different source of a leg that fell silent."""
_AUDIBLE = 150.0**2
"""Mean square without which no frame holds a digit: two tones of an amplitude of 200 have 200². Noise has less."""
_FAX_EVERY = 2
"""Ticks between two looks for a fax machine's tone."""
_FAX_LOOKS = 9
"""In a row that must find it: such a tone lasts 425 ms at least."""
_FAX_HERTZ = (1100 - 50, 1100 + 50)
"""1100 Hz, give or take 38, and as much as noise does to the reckoning."""
_FAX_REST = 0.2
"""Share of the power that may be anything else than one sine."""


class Receiving:
    """The ears of all legs."""

    def __init__(self, rows: Rows, reports: Reports, emit: Callable[[m.Event], None]) -> None:
        self.rows = rows
        self.wire = Wire(self._accept, self._other)
        self._reports = reports
        self._emit = emit
        self._event_legs: dict[str, Leg] = {}
        """Those with a telephone event under way."""
        self._play_rows = self._tone_rows = np.zeros(0, np.int64)
        self._tone_before: Pcm = np.zeros((0, FRAME), np.int16)
        self._tone_hold = np.zeros(0, np.int64)
        """Ticks for which a tone may still be under way there."""

    def arrange(self, legs: list[Leg]) -> None:
        """These are all legs now."""
        self._play_rows = np.array([leg.row for leg in legs if leg.want.receive], np.int64)
        tone_rows = np.array([leg.row for leg in legs if leg.tones is not None], np.int64)
        if not np.array_equal(tone_rows, self._tone_rows):
            _, here, there = np.intersect1d(tone_rows, self._tone_rows, return_indices=True)
            before, hold = np.zeros((len(tone_rows), FRAME), np.int16), np.zeros(len(tone_rows), np.int64)
            before[here], hold[here] = self._tone_before[there], self._tone_hold[there]
            self._tone_rows, self._tone_before, self._tone_hold = tone_rows, before, hold

    def forget(self, leg: Leg) -> None:
        self._event_legs.pop(leg.id, None)

    @property
    def listening(self) -> Ints:
        """Rows of legs that receive."""
        return self._play_rows

    def read(self) -> None:
        """All that has arrived."""
        for rows, sizes, data in self.wire.passes():
            self._take(rows, sizes, data)

    def play(self) -> None:
        """This tick's frame of each leg → `rows.audio`."""
        self.rows.jitter.play(self._play_rows, self.rows.audio)
        if len(self._tone_rows):
            self._find_tones()

    def end_events(self) -> None:
        """Digits whose last packets were lost."""
        for leg in list(self._event_legs.values()):
            if leg.events.open:
                self._tell_digits(leg, leg.events.tick(), "event")
            else:
                del self._event_legs[leg.id]

    def _take(self, rows: Ints, sizes: Ints, data: NDArray[np.uint8]) -> None:
        columns = packet.parse_columns(data, sizes)
        kind = self.rows.kinds[rows, columns.payload_type]
        voice = (kind == ALAW) | (kind == ULAW)
        good = columns.plain & (sizes == packet.HEADER + FRAME) & voice & self.rows.receives[rows]
        good &= columns.ssrc == self.rows.ssrc[rows]
        good &= ~self.rows.opus[rows]
        if not good.all():
            for i in np.flatnonzero(~good).tolist():
                try:
                    self._receive_odd(int(rows[i]), data[i, : sizes[i]].data)
                except Exception:
                    # One packet must not cost all others their tick.
                    self.rows.invalid[rows[i]] += 1
                    log.exception("a packet of %d bytes couldn't be dealt with", sizes[i])
            if not good.any():
                return
            rows, kind, data = rows[good], kind[good], data[good]
            sequence, timestamp = columns.sequence[good], columns.timestamp[good]
        else:
            sequence, timestamp = columns.sequence, columns.timestamp
        self.rows.heard_at[rows] = self.rows.tick
        fresh = self.rows.jitter.count(rows, sequence)
        if not fresh.all():
            rows, kind, data, timestamp = rows[fresh], kind[fresh], data[fresh], timestamp[fresh]
        payload = data[:, packet.HEADER : packet.HEADER + FRAME]
        ulaw = kind == ULAW
        if not ulaw.any():
            pcm = g711.decode_alaw(payload)
        elif ulaw.all():
            pcm = g711.decode_ulaw(payload)
        else:
            pcm = np.where(ulaw[:, None], g711.decode_ulaw(payload), g711.decode_alaw(payload))
        self.rows.jitter.insert(rows, timestamp, pcm)

    def _receive_odd(self, row: int, data: memoryview) -> None:
        """Any packet that isn't 20 ms of the expected stream: events, other lengths, first ones, rubbish."""
        leg = self.rows.legs.get(row)
        if leg is None:
            return
        if len(data) >= 8 and data[1] in packet.RTCP_TYPES and leg.want.rtcp_mux:
            self._reports.receive(leg, bytes(data), time.monotonic())
            return
        if not leg.want.receive:
            return
        parsed = packet.parse(data) if len(data) < WIDTH else None
        kind = int(self.rows.kinds[row, parsed.payload_type]) if parsed is not None else 0
        if parsed is None or kind == 0:
            self.rows.invalid[row] += 1
            return
        if parsed.ssrc != self.rows.ssrc[row] and not self._new_stream(leg, parsed):
            return
        self.rows.heard_at[row] = self.rows.tick
        if not self.rows.jitter.count(np.array([row]), np.array([parsed.sequence]))[0]:
            return
        if kind == EVENT:
            event = dtmf.parse(parsed.payload)
            if event is None:
                self.rows.invalid[row] += 1
                return
            self.rows.jitter.quiet(row)
            if leg.clock != 1:
                event = replace(event, duration=event.duration // leg.clock)
            self._tell_digits(leg, leg.events.receive(parsed.timestamp, event), "event")
            self._event_legs[leg.id] = leg
        elif kind == NOISE:
            self.rows.jitter.quiet(row)
        elif kind == OPUS:
            self._receive_opus(leg, parsed)
        elif leg.opus is not None:
            self.rows.invalid[row] += 1  # one stream has one clock
        elif parsed.payload and len(parsed.payload) <= 480:
            payload = np.frombuffer(parsed.payload, np.uint8)
            pcm = g711.decode_ulaw(payload) if kind == ULAW else g711.decode_alaw(payload)
            self.rows.jitter.insert_one(row, parsed.timestamp, pcm)

    def _receive_opus(self, leg: Leg, parsed: packet.Packet) -> None:
        assert leg.opus is not None
        before, pcm = leg.opus.decode(parsed.payload, parsed.sequence)
        time = leg.opus.time(parsed.timestamp)
        if before is not None:
            self.rows.jitter.insert_one(leg.row, (time - FRAME) & 0xFFFFFFFF, before)
        if pcm is not None:
            self.rows.jitter.insert_one(leg.row, time, pcm)
        else:
            self.rows.invalid[leg.row] += 1

    def _new_stream(self, leg: Leg, parsed: packet.Packet) -> bool:
        """Another SSRC: at once if it is the first or the old one has been silent, else with its second packet."""
        row = leg.row
        first = self.rows.ssrc[row] < 0
        expected = leg.candidate == (parsed.ssrc, (parsed.sequence - 1) & 0xFFFF)
        if not (first or expected or self.rows.tick - self.rows.heard_at[row] > 10):
            leg.candidate = (parsed.ssrc, parsed.sequence)
            return False
        self.rows.ssrc[row] = parsed.ssrc
        leg.candidate = (-1, -1)
        leg.events = dtmf.Receiver()
        self.rows.jitter.restart(row)
        if first:
            self.rows.heard_at[row] = self.rows.tick
            self._emit(m.FirstPacket(leg=leg.id))
        else:
            self.rows.jitter.renumber(row)
        return True

    def _accept(self, line: Line, data: memoryview, source: Address) -> bool:
        """A packet on an open line: latch to its source, or leave it be."""
        leg = self.rows.legs.get(line.row)
        if leg is None:
            return False
        size = len(data)
        if leg.want.rtcp_mux and size >= 8 and data[1] in packet.RTCP_TYPES:
            return True
        if size < packet.HEADER or data[0] >> 6 != 2 or not self.rows.kinds[line.row, data[1] & 0x7F]:
            self.rows.invalid[line.row] += 1
            return False
        if line.latched is not None and not line.symmetric and source == line.latched:
            return True
        if source == line.barred and self.rows.tick < leg.barred_until:
            return False
        if not self._may_latch(line, int.from_bytes(data[8:12], "big"), source):
            self.rows.invalid[line.row] += 1
            return False
        self.wire.latch(line, source)
        self.rows.changed = True
        return True

    def _other(self, line: Line, data: bytes, source: Address) -> None:
        """What comes on a browser's line and isn't RTP (RFC 7983)."""
        leg, secure = self.rows.legs.get(line.row), line.secure
        if leg is None or secure is None:
            return
        now = time.monotonic()
        if data[0] >> 6 != 2:
            try:
                secure.receive(data, source, now)
            except Exception:
                self.rows.invalid[line.row] += 1
                log.exception("a datagram of %d bytes couldn't be dealt with", len(data))
            if secure.moved:
                secure.moved = False
                self.rows.changed = True
        elif plain := secure.open_rtcp(data):
            self._reports.receive(leg, plain, now)
        else:
            self.rows.invalid[line.row] += 1

    def _may_latch(self, line: Line, ssrc: int, source: Address) -> bool:
        """The address that signalling named, at once; another one only if it insists."""
        known = int(self.rows.ssrc[line.row])
        if line.latched is None and source == line.remote:
            return True
        if known < 0 or line.barred is not None:
            needed = 0 if line.remote is None else _FIRST_KNOCKS
        elif self.rows.tick - self.rows.heard_at[line.row] <= RELATCH_TICKS:
            return False
        else:
            near = ssrc == known or (line.remote is not None and source[0] == line.remote[0])
            needed = 0 if near else _KNOCKS
        if len(line.knocks) >= 16 and source not in line.knocks:
            line.knocks.clear()
        line.knocks[source] = line.knocks.get(source, 0) + 1
        return line.knocks[source] > needed

    def _tell_digits(self, leg: Leg, digits: list[tuple[str, int]], how: str) -> None:
        for digit, duration in digits:
            if how == "event":
                self._emit(m.Digit(leg=leg.id, digit=digit, duration_ms=duration))
            else:
                self._emit(m.Digit(leg=leg.id, digit=digit, duration_ms=duration, how="inband"))

    def _find_tones(self) -> None:
        rows = self._tone_rows
        now = self.rows.audio[rows]
        signal = now.astype(np.float32)
        power = np.einsum("ij,ij->i", signal, signal) / FRAME
        near = np.flatnonzero((power > _AUDIBLE) | (self._tone_hold > 0))
        if len(near):
            codes = dtmf.find_tones(np.concatenate([self._tone_before[near], now[near]], axis=1))
            if self.rows.tick % _FAX_EVERY == 0:
                self._find_faxes(rows[near], signal[near])
            # A digit ends with the second frame that hasn't it.
            self._tone_hold[near] = np.where(codes >= 0, 2, np.maximum(self._tone_hold[near] - 1, 0))
            for row, code in zip(rows[near].tolist(), codes.tolist(), strict=True):
                leg = self.rows.legs[row]
                if leg.tones is not None:
                    digit = leg.tones.step(code)
                    if digit is not None:
                        self._tell_digits(leg, [digit], "inband")
        self._tone_before = now

    def _find_faxes(self, rows: Ints, signal: NDArray[np.float32]) -> None:
        """A sine has x[n-1] + x[n+1] = 2 cos(w) x[n]: its frequency by least squares, and how much of it is none."""
        middle, around = signal[:, 1:-1], signal[:, :-2] + signal[:, 2:]
        power = np.einsum("ij,ij->i", middle, middle) + 1
        turn = np.einsum("ij,ij->i", middle, around) / (2 * power)
        rest = np.einsum("ij,ij->i", around, around) / power - 4 * turn * turn
        hertz = np.arccos(np.clip(turn, -1, 1)) * (RATE / 2 / np.pi)
        heard = (hertz > _FAX_HERTZ[0]) & (hertz < _FAX_HERTZ[1]) & (rest < _FAX_REST * 4 * turn * turn)
        for row, calls in zip(rows.tolist(), heard.tolist(), strict=True):
            leg = self.rows.legs[row]
            if leg.calling >= 0:
                leg.calling = leg.calling + 1 if calls else 0
                if leg.calling >= _FAX_LOOKS:
                    leg.calling = -1
                    self._emit(m.FaxTone(leg=leg.id))
