"""What goes out: who hears whom is mixed, encoded and sent, digits in its place."""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from centrala.media import messages as m
from centrala.media.rows import Leg, Pcm, Rows
from centrala.media.secure import TRAILER, Secure, ffi, protect
from centrala.media.wire import OUT, Address, Line, Wire, send_all
from centrala.protocols.rtp import g711, packet
from centrala.protocols.rtp.g711 import FRAME

_rest = struct.Struct("!HII")
"""Of a header: sequence number, time stamp, SSRC."""


class Sending:
    """The mouths of all legs. `sources`: leg or player → its row."""

    def __init__(
        self, rows: Rows, wire: Wire, sources: Mapping[str, int], emit: Callable[[m.Event], None]
    ) -> None:
        self.rows = rows
        self._wire = wire
        self._sources = sources
        self._emit = emit
        self.mix_changed = True
        """Somebody who hears a mixture hears another one now."""
        self.errors = 0
        """Packets that found nobody, no buffer or no route."""
        self._digit_legs: dict[str, Leg] = {}
        none = np.zeros(0, np.int64)
        self._send_rows = self._mix_rows = self._pair_rows = self._pair_starts = none
        self._pair_gains = np.zeros((0, 1), np.float32)
        self._send_types = np.zeros(0, np.uint8)
        self._send_sockets: list[socket.socket] = []
        self._send_views: list[memoryview] = []
        self._send_open: list[Line] = []
        self._send_open_views: list[memoryview] = []
        self._sealed = np.zeros((0, OUT.itemsize + TRAILER), np.uint8)
        """The packets of browsers' legs: copied here, encrypted in place."""
        self._sealed_lengths = np.zeros(0, np.int32)
        self._sealed_rows = none
        self._sealed_legs: list[tuple[Leg, Secure]] = []
        self._sealed_sessions: list[Any] = []
        self._sealed_pointers: list[Any] = []
        self._sealed_length_pointers: list[Any] = []
        self._sealed_sockets: list[socket.socket] = []
        self._sealed_views: list[memoryview] = []
        self._sealed_to: list[Address] = []
        self._opus_legs: list[tuple[int, Leg, Secure]] = []
        """Their place among those who send, too."""

    def forget(self, leg: Leg) -> None:
        self._digit_legs.pop(leg.id, None)

    def add_digits(self, leg: Leg, digits: str, name: str) -> None:
        """After those under way. Digits of a name already seen are left out."""
        if name:
            if name in leg.seen_digit_ids:
                return
            leg.seen_digit_ids.add(name)
        leg.digit_ids = [(known, after + len(digits)) for known, after in leg.digit_ids]
        leg.digits.digits += digits
        if name:
            leg.digit_ids.append((name, 0))
        self._digit_legs[leg.id] = leg

    def arrange(self, legs: list[Leg]) -> None:
        """These are all legs now."""
        sending = [leg for leg in legs if leg.want.send and _speaks(leg.line)]
        self._send_rows = np.array([leg.row for leg in sending], np.int64)
        types = [
            {"pcmu": leg.want.pcmu, "opus": max(leg.want.opus, 0)}.get(leg.want.codec, leg.want.pcma)
            for leg in sending
        ]
        self._send_types = np.array(types, np.uint8)
        plain = [leg for leg in sending if leg.line.secure is None]
        latched = [leg for leg in plain if leg.line.symmetric and leg.line.latched is not None]
        self._send_sockets = [leg.pair.rtp for leg in latched]
        self._send_views = [self.rows.views[leg.row] for leg in latched]
        self._send_open = [leg.line for leg in plain if not (leg.line.symmetric and leg.line.latched)]
        self._send_open_views = [self.rows.views[line.row] for line in self._send_open]
        sealed = [(leg, leg.line.secure) for leg in sending if leg.line.secure is not None]
        self._arrange_sealed([one for one in sealed if one[0].want.codec != "opus"])
        self._opus_legs = [
            (sending.index(leg), leg, secure) for leg, secure in sealed if leg.want.codec == "opus"
        ]
        self.mix_changed = True

    def _arrange_sealed(self, legs: list[tuple[Leg, Secure]]) -> None:
        count = len(legs)
        self._sealed_legs = legs
        self._sealed = np.zeros((count, OUT.itemsize + TRAILER), np.uint8)
        self._sealed_lengths = np.zeros(count, np.int32)
        self._sealed_rows = np.array([leg.row for leg, _ in legs], np.int64)
        self._sealed_sessions = [secure.outbound for _, secure in legs]
        self._sealed_pointers = [ffi.from_buffer(row.data) for row in self._sealed]
        self._sealed_length_pointers = [
            ffi.cast("int *", ffi.from_buffer(self._sealed_lengths[at : at + 1].data)) for at in range(count)
        ]
        self._sealed_sockets = [leg.pair.rtp for leg, _ in legs]
        self._sealed_views = [
            row.data[: OUT.itemsize + secure.added]
            for row, (_, secure) in zip(self._sealed, legs, strict=True)
        ]
        self._sealed_to = [secure.destination or ("", 0) for _, secure in legs]

    def _arrange_mix(self) -> None:
        self.mix_changed = False
        places: list[int] = []
        starts: list[int] = []
        rows: list[int] = []
        gains: list[float] = []
        for place, row in enumerate(self._send_rows.tolist()):
            if self.rows.hears[row] >= 0:
                continue
            places.append(place)
            starts.append(len(rows))
            for source, gain in self.rows.legs[row].hears.items():
                if gain and source in self._sources:
                    rows.append(self._sources[source])
                    gains.append(gain)
        self._mix_rows = np.array(places, np.int64)
        self._pair_starts = np.array(starts, np.int64)
        self._pair_rows = np.array(rows, np.int64)
        self._pair_gains = np.array(gains, np.float32).reshape(-1, 1)

    def _mixed(self) -> Pcm:
        """What each sending leg hears."""
        rows = self._send_rows
        source = self.rows.hears[rows]
        heard = self.rows.audio[np.maximum(source, 0)]
        if self.mix_changed:
            self._arrange_mix()
        if len(self._mix_rows):
            parts = self.rows.audio[self._pair_rows] * self._pair_gains
            sums = np.add.reduceat(parts, self._pair_starts, axis=0)
            heard[self._mix_rows] = np.clip(sums, -32768, 32767)
        return heard

    def send(self) -> None:
        """A packet of each sending leg."""
        self.rows.timestamp += FRAME
        rows = self._send_rows
        if not len(rows):
            return
        heard = self._mixed()
        overridden = self._step_digits(heard) if self._digit_legs else []
        ulaw = self.rows.ulaw[rows]
        if not ulaw.any():
            payload = g711.encode_alaw(heard)
        elif ulaw.all():
            payload = g711.encode_ulaw(heard)
        else:
            payload = np.where(ulaw[:, None], g711.encode_ulaw(heard), g711.encode_alaw(heard))
        sequence = self.rows.sequence[rows] + 1
        self.rows.sequence[rows] = sequence
        self.rows.sent[rows] += 1
        out = self.rows.out
        out["payload"][rows] = payload
        out["sequence"][rows] = sequence & 0xFFFF
        out["timestamp"][rows] = self.rows.timestamp[rows] & 0xFFFFFFFF
        out["second"][rows] = self._send_types + (self.rows.marker[rows] * np.uint8(0x80))
        self.rows.marker[rows] = False
        if self._opus_legs:
            self._send_opus(heard, {leg.row: data for leg, data in overridden})
        if self._sealed_legs:
            self._send_sealed({leg.row: data for leg, data in overridden})
        if overridden:
            self._send_with_events(overridden)
            return
        self.errors += send_all(self._send_sockets, self._send_views)
        if self._send_open:
            self._wire.send(self._send_open, self._send_open_views)

    def _step_digits(self, heard: Pcm) -> list[tuple[Leg, bytes]]:
        """Digits that go out: tones replace the audio, events the whole packet."""
        events: list[tuple[Leg, bytes]] = []
        for leg in list(self._digit_legs.values()):
            sender = leg.digits
            if not leg.want.send or not _speaks(leg.line):
                continue
            if not sender.digits:
                pass
            elif leg.want.dtmf < 0:
                tone = sender.step_tone()
                place = np.flatnonzero(self._send_rows == leg.row)
                if len(place):
                    heard[place[0]] = 0 if tone is None else tone
            else:
                step = sender.step(int(self.rows.timestamp[leg.row]))
                if step is not None:
                    event, timestamp, marker = step
                    ssrc = int(self.rows.out[leg.row]["ssrc"])
                    number = int(self.rows.sequence[leg.row] + 1) & 0xFFFF
                    clock = leg.clock
                    event = replace(event, duration=event.duration * clock)
                    timestamp = timestamp * clock & 0xFFFFFFFF
                    out = packet.Packet(leg.want.dtmf, number, timestamp, ssrc, event.pack(), marker)
                    events.append((leg, out.pack()))
            remaining = len(sender.digits)
            while leg.digit_ids and leg.digit_ids[0][1] >= remaining:
                self._emit(m.DigitsSent(leg=leg.id, id=leg.digit_ids.pop(0)[0]))
            if not remaining:
                self._digit_legs.pop(leg.id, None)
        return events

    def _send_with_events(self, events: list[tuple[Leg, bytes]]) -> None:
        instead = {leg.row: memoryview(data) for leg, data in events}
        lines = [self.rows.legs[row].line for row in self._send_rows.tolist()]
        lines = [line for line in lines if line.secure is None]
        self._wire.send(lines, [instead.get(line.row, self.rows.views[line.row]) for line in lines])

    def _send_sealed(self, instead: dict[int, bytes]) -> None:
        """Browsers' legs: encrypt in place, send. `instead`: row → the event that goes out in place of the audio."""
        size = OUT.itemsize
        self._sealed[:, :size] = self.rows.out[self._sealed_rows].view(np.uint8).reshape(-1, size)
        self._sealed_lengths[:] = size
        to, views = self._sealed_to, self._sealed_views
        sockets, sessions = self._sealed_sockets, self._sealed_sessions
        if instead.keys() & set(self._sealed_rows.tolist()):
            # (A packet may be encrypted once only: libsrtp takes a number for a replay the second time.)
            for at, (leg, secure) in enumerate(self._sealed_legs):
                data = instead.get(leg.row)
                packet = secure.seal(self._sealed[at, :size].tobytes() if data is None else data)
                self._send_one(sockets[at], packet, to[at])
            return
        failed = list(map(protect, sessions, self._sealed_pointers, self._sealed_length_pointers))
        if any(failed):
            self.errors += sum(1 for code in failed if code)
            views = [view if code == 0 else view[:0] for view, code in zip(views, failed, strict=True)]
        work = map(socket.socket.sendto, sockets, views, to)
        while True:
            try:
                deque(work, maxlen=0)
                return
            except OSError:
                self.errors += 1

    def _send_opus(self, heard: Pcm, instead: dict[int, bytes]) -> None:
        """Legs whose packets have no two the same length: one by one."""
        out = self.rows.out
        for place, leg, secure in self._opus_legs:
            data = instead.get(leg.row)
            if data is None and leg.opus is not None:
                head = out[leg.row]
                stamp = int(self.rows.timestamp[leg.row]) * leg.clock & 0xFFFFFFFF
                header = bytes((0x80, head["second"])) + _rest.pack(head["sequence"], stamp, head["ssrc"])
                data = header + leg.opus.encode(heard[place])
            if data is not None:
                self._send_one(leg.pair.rtp, secure.seal(data), secure.destination or ("", 0))

    def _send_one(self, one: socket.socket, data: bytes, to: Address) -> None:
        try:
            one.sendto(data, to)
        except OSError:
            self.errors += 1


def _speaks(line: Line) -> bool:
    """Whether the line knows where to send to, and may."""
    return line.destination is not None and (line.secure is None or line.secure.outbound is not None)
