"""What goes out: who hears whom is mixed, encoded and sent, digits in its place."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

import numpy as np

from centrala.media import messages as m
from centrala.media.rows import Leg, Pcm, Rows
from centrala.media.wire import Line, Wire, send_all
from centrala.protocols.rtp import g711, packet
from centrala.protocols.rtp.g711 import FRAME


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
        sending = [leg for leg in legs if leg.want.send and leg.line.destination is not None]
        self._send_rows = np.array([leg.row for leg in sending], np.int64)
        types = [leg.want.pcmu if leg.want.codec == "pcmu" else leg.want.pcma for leg in sending]
        self._send_types = np.array(types, np.uint8)
        latched = [leg for leg in sending if leg.line.symmetric and leg.line.latched is not None]
        self._send_sockets = [leg.pair.rtp for leg in latched]
        self._send_views = [self.rows.views[leg.row] for leg in latched]
        self._send_open = [leg.line for leg in sending if not (leg.line.symmetric and leg.line.latched)]
        self._send_open_views = [self.rows.views[line.row] for line in self._send_open]
        self.mix_changed = True

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
            if not leg.want.send or leg.line.destination is None:
                continue
            if not sender.digits:
                pass
            elif leg.want.dtmf < 0:
                tone = sender.step_tone()
                place = np.flatnonzero(self._send_rows == leg.row)
                if len(place):
                    heard[place[0]] = 0 if tone is None else tone
            else:
                step = sender.step(int(self.rows.timestamp[leg.row]) & 0xFFFFFFFF)
                if step is not None:
                    event, timestamp, marker = step
                    ssrc = int(self.rows.out[leg.row]["ssrc"])
                    number = int(self.rows.sequence[leg.row] + 1) & 0xFFFF
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
        self._wire.send(lines, [instead.get(line.row, self.rows.views[line.row]) for line in lines])
