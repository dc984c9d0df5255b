"""The media worker's heart: all legs, players and recordings, and what a tick of 20 ms does with them.

A row stands for a source of audio: a leg or a player. Row 0 is silence. `audio[row]` is what the source says in this
tick. Each leg has one row of outgoing packet; who hears whom is a list of pairs with a gain, of which most legs have
exactly one.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centrala.media import messages as m
from centrala.media.players import Loader, Track
from centrala.media.ports import Pair, Ports
from centrala.media.recorder import Recorder
from centrala.media.wire import OUT, WIDTH, Address, Line, Wire, send_all
from centrala.protocols.rtp import dtmf, g711, packet, rtcp
from centrala.protocols.rtp.g711 import FRAME
from centrala.protocols.rtp.jitter import Jitter

log = logging.getLogger("centrala.media")

Pcm = NDArray[np.int16]
Ints = NDArray[np.int64]

_ALAW, _ULAW, _EVENT, _NOISE = 1, 2, 3, 4
_COMFORT_NOISE = 13
_STOPPED_TICKS = 250
_RELATCH_TICKS = 50
_FIRST_KNOCKS = 3
"""Valid packets from another address than the one signalled (NAT) that go by before it is latched: what comes from
the signalled one meanwhile wins over the remains of somebody else's call."""
_KNOCKS = 10
"""The same for an entirely different source of a leg that fell silent."""
_BARRED_TICKS = 100
_RTCP_TICKS = 250
_TICK = 0.02
_MAX_GAIN = 100
_LONELY_TICKS = 3000
"""A private player that nobody hears goes after a minute."""

_FIRST_ROWS = 512
"""Room from the start; memory is only used by rows in use."""

_COLUMNS = {
    *("audio", "_out", "_ssrc", "_heard_at", "_invalid", "_sent", "_sequence"),
    *("_timestamp", "_hears", "_receives", "_marker", "_kinds", "_ulaw"),
}
"""Matrices with an entry a row."""


@dataclass(slots=True)
class Leg:
    """One leg, beside its columns in the matrices."""

    id: str
    row: int
    want: m.SetLeg
    pair: Pair
    line: Line
    cname: str
    hears: dict[str, float] = field(default_factory=dict)
    began: float = 0.0
    events: dtmf.Receiver = field(default_factory=dtmf.Receiver)
    tones: dtmf.ToneReceiver | None = None
    digits: dtmf.Sender = field(default_factory=dtmf.Sender)
    digit_ids: list[tuple[str, int]] = field(default_factory=list)
    """Ids of digits under way, each with the number of digits that remain after its own."""
    seen_digit_ids: set[str] = field(default_factory=set)
    barred_until: int = 0
    candidate: tuple[int, int] = (-1, -1)
    """SSRC and sequence number of a packet that might begin a new stream."""
    rtcp_source: Address | None = None
    last_sr: int = 0
    last_sr_at: float = 0.0
    reported: tuple[int, int] = (0, 0)
    """Expected and received at our last report."""
    rtt: float | None = None
    peer_lost: float | None = None
    peer_jitter: float | None = None


class Engine:
    """`emit(event)` is called for whatever the application ought to know."""

    def __init__(
        self, address: str, ports: tuple[int, int], data: Path, emit: Callable[[m.Event], None]
    ) -> None:
        self._emit = emit
        self.ports = Ports(address, *ports)
        self.legs: dict[str, Leg] = {}
        self.tracks: dict[str, Track] = {}
        self.recorder = Recorder(data)
        self._loader = Loader(data)
        self._wire = Wire(self._accept)
        self._rtcp = select.epoll()
        self._rtcp_legs: dict[int, Leg] = {}
        self._jitter = Jitter(0)
        self._capacity = 0
        self._spare: list[int] = []
        self._rows: dict[str, int] = {}
        """Source → row, legs and players alike."""
        self._listeners: dict[str, set[str]] = {}
        """Source → legs that name it in their row."""
        self._by_row: dict[int, Leg] = {}
        self._digit_legs: dict[str, Leg] = {}
        self._event_legs: dict[str, Leg] = {}
        self._rtcp_phases: dict[int, set[str]] = {}
        self._generation = 0
        self._stopped: set[str] = set()
        self._just_ended: list[Track] = []
        self.tick_count = 0
        self.skipped = 0
        self.send_errors = 0
        """Packets that found nobody, no buffer or no route."""

        self.audio: Pcm = np.zeros((0, FRAME), np.int16)
        self._out = np.zeros(0, OUT)
        self._views: list[memoryview] = []
        none = np.zeros(0, np.int64)
        self._ssrc = self._heard_at = self._invalid = self._sent = none
        self._sequence = self._timestamp = self._hears = none
        self._receives = self._marker = np.zeros(0, np.bool_)
        self._kinds = np.zeros((0, 128), np.uint8)
        self._ulaw = np.zeros(0, np.bool_)
        self._grow(_FIRST_ROWS)
        self._spare.remove(0)

        self._play_rows = self._send_rows = self._tone_rows = self._mix_rows = none
        self._pair_rows, self._pair_starts = none, none
        self._pair_gains = np.zeros((0, 1), np.float32)
        self._tone_before: Pcm = np.zeros((0, FRAME), np.int16)
        self._send_types = np.zeros(0, np.uint8)
        self._send_sockets: list[socket.socket] = []
        self._send_views: list[memoryview] = []
        self._send_open: list[Line] = []
        self._send_open_views: list[memoryview] = []
        self._legs_dirty = self._mix_dirty = True

    def _grow(self, capacity: int) -> None:
        old, self._capacity = self._capacity, capacity
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray) and len(value) == old and name in _COLUMNS:
                # (np.concatenate would turn network byte order into the machine's own.)
                fresh = np.zeros((capacity, *value.shape[1:]), value.dtype)
                fresh[:old] = value
                setattr(self, name, fresh)
        self._jitter.grow(capacity)
        flat = self._out.view(np.uint8).reshape(capacity, OUT.itemsize)
        self._views = [row.data for row in flat]
        self._spare = list(range(capacity - 1, old - 1, -1)) + self._spare
        self._legs_dirty = True

    def _new_row(self) -> int:
        if not self._spare:
            self._grow(2 * self._capacity)
        return self._spare.pop()

    # --- commands ---

    def do(self, command: m.Command, now: float) -> None:
        """Carries out one command. Never raises for what a command says: it answers with an event instead."""
        match command:
            case m.SetLeg():
                self._set_leg(command, now)
            case m.CloseLeg(leg=leg):
                self._close_leg(leg, now)
            case m.Hear(leg=leg, sources=sources):
                self._hear(leg, sources)
            case m.Player():
                self._player(command)
            case m.StopPlayer(player=player):
                self._stop_player(player)
            case m.Record(recording=name):
                if problem := self.recorder.start(command, now):
                    self._emit(m.Refused(command="Record", subject=name, why=problem))
            case m.SetRecordLegs(recording=name, left=left, right=right):
                self._known(self.recorder.set_legs(name, left, right), command, name)
            case m.PauseRecording(recording=name):
                self._known(self.recorder.pause(name), command, name)
            case m.ResumeRecording(recording=name):
                self._known(self.recorder.resume(name), command, name)
            case m.StopRecording(recording=name):
                # A recording that is over has had its event: no word about a second stop.
                self.recorder.stop(name, now)
            case m.SendDigits():
                self._send_digits(command)
            case m.TakePort(port=port):
                self.ports.take(port)
            case m.FreePort(port=port):
                self.ports.untake(port, now)
            case m.Inventory(token=token):
                self._emit(self.inventory(token, now))
            case _:
                raise AssertionError(f"{type(command).__name__} is the worker's, not the engine's")

    def _known(self, known: bool, command: m.Command, subject: str) -> None:
        if not known:
            self._emit(m.Refused(command=type(command).__name__, subject=subject, why="there is no such one"))

    def _set_leg(self, command: m.SetLeg, now: float) -> None:
        leg = self.legs.get(command.leg)
        problem = _why_not(command, self.ports.family)
        if leg is not None and leg.want.port != command.port:
            problem = "the port of a living leg can't be changed"
        if problem and leg is not None:
            self._emit(
                m.Refused(command="SetLeg", subject=command.leg, why=f"{problem}; the leg stays as it was")
            )
            return
        if problem:
            self._emit(m.LegFailed(leg=command.leg, why=problem))
            return
        if leg is None:
            made = self._make_leg(command, now)
            if made is None:
                return
            leg = made
        line = leg.line
        if line.symmetric != command.symmetric:
            self._wire.open(line)
            line.symmetric = command.symmetric
        if leg.want.remote != command.remote:
            old = line.destination
            if command.remote is not None and command.remote != old:
                self._wire.open(line)
                line.barred = old
                leg.barred_until = self.tick_count + _BARRED_TICKS
                line.remote = command.remote
            elif line.latched is None:
                line.remote = command.remote
        row = leg.row
        self._marker[row] |= command.send and not leg.want.send
        leg.want = command
        kinds = self._kinds[row]
        kinds[:] = 0
        kinds[_COMFORT_NOISE] = _NOISE
        if command.dtmf >= 0:
            kinds[command.dtmf] = _EVENT
        kinds[command.pcma] = _ALAW
        kinds[command.pcmu] = _ULAW
        self._ulaw[row] = command.codec == "pcmu"
        if not self._receives[row] and command.receive:
            self._heard_at[row] = self.tick_count
        self._receives[row] = command.receive
        if not command.receive:
            self.audio[row] = 0
        if (command.inband or command.dtmf < 0) != (leg.tones is not None):
            leg.tones = dtmf.ToneReceiver() if leg.tones is None else None
        self._legs_dirty = True

    def _make_leg(self, command: m.SetLeg, now: float) -> Leg | None:
        if command.leg in self._rows:
            self._emit(m.LegFailed(leg=command.leg, why="a player has this id"))
            return None
        pair = self.ports.use(command.port)
        if pair is None:
            why = f"port {command.port} can't be bound or has a leg already"
            self._emit(m.LegFailed(leg=command.leg, why=why))
            return None
        row = self._new_row()
        random = os.urandom(16)
        line = Line(row, pair.rtp, command.remote, command.symmetric)
        leg = Leg(command.leg, row, command, pair, line, random[10:16].hex() + "@centrala", began=now)
        self._jitter.reset(row)
        self.audio[row] = 0
        self._receives[row] = False
        self._ssrc[row] = -1
        self._heard_at[row] = self.tick_count
        self._invalid[row] = self._sent[row] = self._hears[row] = 0
        self._sequence[row] = int.from_bytes(random[0:2], "big") >> 1
        self._timestamp[row] = int.from_bytes(random[2:6], "big")
        self._marker[row] = True
        self._out[row]["first"] = 0x80
        self._out[row]["ssrc"] = int.from_bytes(random[6:10], "big")
        self.legs[leg.id] = leg
        self._rows[leg.id] = row
        self._by_row[row] = leg
        self._rtcp_phases.setdefault((row * 37) % _RTCP_TICKS, set()).add(leg.id)
        self._wire.add(line)
        self._rtcp.register(pair.rtcp.fileno(), select.EPOLLIN)
        self._rtcp_legs[pair.rtcp.fileno()] = leg
        self._source_changed(leg.id)
        return leg

    def _close_leg(self, name: str, now: float) -> None:
        leg = self.legs.get(name)
        if leg is None:
            return
        stats = self._stats(leg, now)
        self._report(leg, now, bye=True)
        self._wire.remove(leg.line)
        self._rtcp.unregister(leg.pair.rtcp.fileno())
        del self._rtcp_legs[leg.pair.rtcp.fileno()]
        self.ports.give_back(leg.pair, now)
        del self.legs[name], self._by_row[leg.row]
        self._rtcp_phases[(leg.row * 37) % _RTCP_TICKS].discard(name)
        self._digit_legs.pop(name, None)
        self._event_legs.pop(name, None)
        self._stopped.discard(name)
        for source in leg.hears:
            self._unlisten(source, name)
        leg.hears = {}
        self._free_source(name, leg.row)
        self._legs_dirty = True
        self._emit(m.LegClosed(leg=name, stats=stats))

    def _free_source(self, name: str, row: int) -> None:
        del self._rows[name]
        self.audio[row] = 0
        self._receives[row] = False
        self._hears[row] = 0
        self._spare.insert(0, row)
        self._source_changed(name)

    def _source_changed(self, source: str) -> None:
        """A source has come or gone: those who name it hear it, or nothing."""
        for listener in self._listeners.get(source, ()):
            if listener in self.legs:
                self._route(self.legs[listener])
        self.recorder.rows_changed()

    def _unlisten(self, source: str, listener: str) -> None:
        """May end a private player."""
        listeners = self._listeners.get(source)
        if listeners is None:
            return
        listeners.discard(listener)
        if not listeners:
            del self._listeners[source]
            track = self.tracks.get(source)
            if track is not None and track.heard and not track.command.shared and listener not in self.legs:
                self._stop_player(source)

    def _hear(self, name: str, sources: dict[str, float]) -> None:
        leg = self.legs.get(name)
        if leg is None:
            self._emit(m.Refused(command="Hear", subject=name, why="there is no such leg"))
            return
        if not all(abs(gain) <= _MAX_GAIN for gain in sources.values()):
            why = f"gains must be numbers from -{_MAX_GAIN} to {_MAX_GAIN}; the leg hears what it heard"
            self._emit(m.Refused(command="Hear", subject=name, why=why))
            return
        gone = [source for source in leg.hears if source not in sources]
        leg.hears = dict(sources)
        for source in gone:
            self._unlisten(source, name)
        for source in sources:
            self._listeners.setdefault(source, set()).add(name)
            track = self.tracks.get(source)
            if track is not None:
                track.heard = True
        self._route(leg)

    def _route(self, leg: Leg) -> None:
        heard = [(self._rows[s], gain) for s, gain in leg.hears.items() if gain and s in self._rows]
        before = int(self._hears[leg.row])
        simple = len(heard) == 0 or (len(heard) == 1 and heard[0][1] == 1.0)
        self._hears[leg.row] = (heard[0][0] if heard else 0) if simple else -1
        if not simple or before == -1:
            self._mix_dirty = True

    def _player(self, command: m.Player) -> None:
        track = self.tracks.get(command.player)
        if track is not None and track.command == command:
            return
        if track is None:
            if command.player in self._rows:
                self._emit(m.Refused(command="Player", subject=command.player, why="a leg has this id"))
                return
            track = self.tracks[command.player] = Track(command, self._new_row())
            track.lonely_since = self.tick_count
            self.audio[track.row] = 0
            self._rows[command.player] = track.row
            self._source_changed(command.player)
        self._generation += 1
        track.command, track.generation, track.pcm, track.at = command, self._generation, None, 0
        track.ended = False
        track.heard = command.player in self._listeners
        self._loader.load(command, self._generation)

    def _stop_player(self, name: str) -> None:
        track = self.tracks.pop(name, None)
        if track is not None:
            track.ended = False
            self._free_source(name, track.row)

    def _send_digits(self, command: m.SendDigits) -> None:
        leg = self.legs.get(command.leg)
        if leg is None:
            self._emit(m.Refused(command="SendDigits", subject=command.leg, why="there is no such leg"))
            return
        digits = dtmf.clean(command.digits)
        if command.id:
            if command.id in leg.seen_digit_ids:
                return
            leg.seen_digit_ids.add(command.id)
        if len(digits) != len(command.digits):
            why = "only 0-9 * # A-D and comma can be sent; the others were left out"
            self._emit(m.Refused(command="SendDigits", subject=command.leg, why=why))
        leg.digit_ids = [(known, after + len(digits)) for known, after in leg.digit_ids]
        leg.digits.digits += digits
        if command.id:
            leg.digit_ids.append((command.id, 0))
        self._digit_legs[leg.id] = leg

    def inventory(self, token: int, now: float) -> m.Holds:
        return m.Holds(
            boot="",
            legs={leg.id: self._state(leg, now) for leg in self.legs.values()},
            players={name: track.command for name, track in self.tracks.items()},
            recordings=self.recorder.states(),
            free_ports=self.ports.free,
            token=token,
        )

    def _state(self, leg: Leg, now: float) -> m.LegState:
        heard = self._ssrc[leg.row] >= 0
        silent = float(self.tick_count - self._heard_at[leg.row]) * _TICK
        return m.LegState(
            set=leg.want,
            hears=leg.hears,
            latched=leg.line.latched,
            sent=int(self._sent[leg.row]),
            received=int(self._jitter.packets[leg.row]),
            seconds=now - leg.began,
            silent_seconds=silent if heard else None,
        )

    # --- the tick ---

    def tick(self, now: float) -> None:
        """Everything that 20 ms ask for: receive, play, gather recordings, mix, send, look after the rest."""
        self.tick_count += 1
        if self._legs_dirty:
            self._arrange_legs()
        for rows, sizes, data in self._wire.passes():
            self._receive(rows, sizes, data)
        if self._legs_dirty:
            self._arrange_legs()
        self._jitter.play(self._play_rows, self.audio)
        self._play_tracks()
        if len(self._tone_rows):
            self._find_tones()
        self.recorder.gather(self.audio, self._rows)
        self._send()
        self._look_after(now)

    def skip(self, ticks: int) -> None:
        """The worker was held up too long: these ticks are left out, time stamps run on."""
        self.skipped += ticks
        self._timestamp += ticks * FRAME
        self._marker[:] = True
        self.recorder.skip(ticks)

    def _receive(self, rows: Ints, sizes: Ints, data: NDArray[np.uint8]) -> None:
        columns = packet.parse_columns(data, sizes)
        kind = self._kinds[rows, columns.payload_type]
        voice = (kind == _ALAW) | (kind == _ULAW)
        good = columns.plain & (sizes == packet.HEADER + FRAME) & voice & self._receives[rows]
        good &= columns.ssrc == self._ssrc[rows]
        if not good.all():
            for i in np.flatnonzero(~good).tolist():
                try:
                    self._receive_odd(int(rows[i]), data[i, : sizes[i]].data)
                except Exception:
                    # One packet must not cost all others their tick.
                    self._invalid[rows[i]] += 1
                    log.exception("a packet of %d bytes couldn't be dealt with", sizes[i])
            if not good.any():
                return
            rows, kind, data = rows[good], kind[good], data[good]
            sequence, timestamp = columns.sequence[good], columns.timestamp[good]
        else:
            sequence, timestamp = columns.sequence, columns.timestamp
        self._heard_at[rows] = self.tick_count
        fresh = self._jitter.count(rows, sequence)
        if not fresh.all():
            rows, kind, data, timestamp = rows[fresh], kind[fresh], data[fresh], timestamp[fresh]
        payload = data[:, packet.HEADER : packet.HEADER + FRAME]
        ulaw = kind == _ULAW
        if not ulaw.any():
            pcm = g711.decode_alaw(payload)
        elif ulaw.all():
            pcm = g711.decode_ulaw(payload)
        else:
            pcm = np.where(ulaw[:, None], g711.decode_ulaw(payload), g711.decode_alaw(payload))
        self._jitter.insert(rows, timestamp, pcm)

    def _receive_odd(self, row: int, data: memoryview) -> None:
        """Any packet that isn't 20 ms of the expected stream: events, other lengths, first ones, rubbish."""
        leg = self._by_row.get(row)
        if leg is None:
            return
        if len(data) >= 8 and data[1] in packet.RTCP_TYPES and leg.want.rtcp_mux:
            self.receive_rtcp(leg, bytes(data), time.monotonic())
            return
        if not leg.want.receive:
            return
        parsed = packet.parse(data) if len(data) < WIDTH else None
        kind = int(self._kinds[row, parsed.payload_type]) if parsed is not None else 0
        if parsed is None or kind == 0:
            self._invalid[row] += 1
            return
        if parsed.ssrc != self._ssrc[row] and not self._new_stream(leg, parsed):
            return
        self._heard_at[row] = self.tick_count
        if not self._jitter.count(np.array([row]), np.array([parsed.sequence]))[0]:
            return
        if kind == _EVENT:
            event = dtmf.parse(parsed.payload)
            if event is None:
                self._invalid[row] += 1
                return
            self._jitter.quiet(row)
            self._tell_digits(leg, leg.events.receive(parsed.timestamp, event), "event")
            self._event_legs[leg.id] = leg
        elif kind == _NOISE:
            self._jitter.quiet(row)
        elif parsed.payload and len(parsed.payload) <= 480:
            payload = np.frombuffer(parsed.payload, np.uint8)
            pcm = g711.decode_ulaw(payload) if kind == _ULAW else g711.decode_alaw(payload)
            self._jitter.insert_one(row, parsed.timestamp, pcm)

    def _new_stream(self, leg: Leg, parsed: packet.Packet) -> bool:
        """Another SSRC: at once if it is the first or the old one has been silent, else with its second packet."""
        row = leg.row
        first = self._ssrc[row] < 0
        expected = leg.candidate == (parsed.ssrc, (parsed.sequence - 1) & 0xFFFF)
        if not (first or expected or self.tick_count - self._heard_at[row] > 10):
            leg.candidate = (parsed.ssrc, parsed.sequence)
            return False
        self._ssrc[row] = parsed.ssrc
        leg.candidate = (-1, -1)
        leg.events = dtmf.Receiver()
        self._jitter.restart(row)
        if first:
            self._heard_at[row] = self.tick_count
            self._emit(m.FirstPacket(leg=leg.id))
        else:
            self._jitter.renumber(row)
        return True

    def _accept(self, line: Line, data: memoryview, source: Address) -> bool:
        """A packet on an open line: latch to its source, or leave it be."""
        leg = self._by_row.get(line.row)
        if leg is None:
            return False
        size = len(data)
        if leg.want.rtcp_mux and size >= 8 and data[1] in packet.RTCP_TYPES:
            return True
        if size < packet.HEADER or data[0] >> 6 != 2 or not self._kinds[line.row, data[1] & 0x7F]:
            self._invalid[line.row] += 1
            return False
        if line.latched is not None and not line.symmetric and source == line.latched:
            return True
        if source == line.barred and self.tick_count < leg.barred_until:
            return False
        if not self._may_latch(line, int.from_bytes(data[8:12], "big"), source):
            self._invalid[line.row] += 1
            return False
        self._wire.latch(line, source)
        self._legs_dirty = True
        return True

    def _may_latch(self, line: Line, ssrc: int, source: Address) -> bool:
        """The address that signalling named, at once; another one only if it insists."""
        known = int(self._ssrc[line.row])
        if line.latched is None and source == line.remote:
            return True
        if known < 0 or line.barred is not None:
            needed = 0 if line.remote is None else _FIRST_KNOCKS
        elif self.tick_count - self._heard_at[line.row] <= _RELATCH_TICKS:
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

    def _play_tracks(self) -> None:
        for over in self._just_ended:
            if over.ended:
                self.audio[over.row] = 0
        self._just_ended.clear()
        while self._loader.done:
            loaded = self._loader.done.popleft()
            track = self.tracks.get(loaded.player)
            if track is None or track.generation != loaded.generation:
                continue
            track.pcm, track.loop_from, track.at = loaded.pcm, loaded.loop_from, 0
            for sound, why in loaded.problems:
                self._emit(m.PlayerFailed(player=loaded.player, sound=sound, why=why))
        for name, track in self.tracks.items():
            # Music that nobody hears need not run.
            if track.ended or (track.command.shared and name not in self._listeners):
                continue
            if not track.frame(self.audio[track.row]):
                track.ended = True
                self._just_ended.append(track)
                self._emit(m.Played(player=name))

    def _forget_lonely_tracks(self) -> None:
        for name, track in list(self.tracks.items()):
            if track.command.shared or name in self._listeners:
                track.lonely_since = self.tick_count
            elif self.tick_count - track.lonely_since > _LONELY_TICKS:
                self._stop_player(name)

    def _find_tones(self) -> None:
        rows = self._tone_rows
        now = self.audio[rows]
        codes = dtmf.find_tones(np.concatenate([self._tone_before, now], axis=1))
        self._tone_before = now
        for row, code in zip(rows.tolist(), codes.tolist(), strict=True):
            leg = self._by_row[row]
            if leg.tones is not None:
                digit = leg.tones.step(code)
                if digit is not None:
                    self._tell_digits(leg, [digit], "inband")

    def _mixed(self) -> Pcm:
        """What each sending leg hears."""
        rows = self._send_rows
        source = self._hears[rows]
        heard = self.audio[np.maximum(source, 0)]
        if self._mix_dirty:
            self._arrange_mix()
        if len(self._mix_rows):
            parts = self.audio[self._pair_rows] * self._pair_gains
            sums = np.add.reduceat(parts, self._pair_starts, axis=0)
            heard[self._mix_rows] = np.clip(sums, -32768, 32767)
        return heard

    def _send(self) -> None:
        self._timestamp += FRAME
        rows = self._send_rows
        if not len(rows):
            return
        heard = self._mixed()
        overridden = self._step_digits(heard) if self._digit_legs else []
        ulaw = self._ulaw[rows]
        if not ulaw.any():
            payload = g711.encode_alaw(heard)
        elif ulaw.all():
            payload = g711.encode_ulaw(heard)
        else:
            payload = np.where(ulaw[:, None], g711.encode_ulaw(heard), g711.encode_alaw(heard))
        sequence = self._sequence[rows] + 1
        self._sequence[rows] = sequence
        self._sent[rows] += 1
        out = self._out
        out["payload"][rows] = payload
        out["sequence"][rows] = sequence & 0xFFFF
        out["timestamp"][rows] = self._timestamp[rows] & 0xFFFFFFFF
        out["second"][rows] = self._send_types + (self._marker[rows] * np.uint8(0x80))
        self._marker[rows] = False
        if overridden:
            self._send_with_events(overridden)
            return
        self.send_errors += send_all(self._send_sockets, self._send_views)
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
                step = sender.step(int(self._timestamp[leg.row]) & 0xFFFFFFFF)
                if step is not None:
                    event, timestamp, marker = step
                    ssrc = int(self._out[leg.row]["ssrc"])
                    number = int(self._sequence[leg.row] + 1) & 0xFFFF
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
        lines = [self._by_row[row].line for row in self._send_rows.tolist()]
        self._wire.send(lines, [instead.get(line.row, self._views[line.row]) for line in lines])

    def _arrange_legs(self) -> None:
        self._legs_dirty = False
        legs = list(self.legs.values())
        self._play_rows = np.array([leg.row for leg in legs if leg.want.receive], np.int64)
        sending = [leg for leg in legs if leg.want.send and leg.line.destination is not None]
        self._send_rows = np.array([leg.row for leg in sending], np.int64)
        types = [leg.want.pcmu if leg.want.codec == "pcmu" else leg.want.pcma for leg in sending]
        self._send_types = np.array(types, np.uint8)
        latched = [leg for leg in sending if leg.line.symmetric and leg.line.latched is not None]
        self._send_sockets = [leg.pair.rtp for leg in latched]
        self._send_views = [self._views[leg.row] for leg in latched]
        self._send_open = [leg.line for leg in sending if not (leg.line.symmetric and leg.line.latched)]
        self._send_open_views = [self._views[line.row] for line in self._send_open]
        tone_rows = np.array([leg.row for leg in legs if leg.tones is not None], np.int64)
        if not np.array_equal(tone_rows, self._tone_rows):
            self._tone_rows = tone_rows
            self._tone_before = np.zeros((len(tone_rows), FRAME), np.int16)
        self._mix_dirty = True

    def _arrange_mix(self) -> None:
        self._mix_dirty = False
        places: list[int] = []
        starts: list[int] = []
        rows: list[int] = []
        gains: list[float] = []
        for place, row in enumerate(self._send_rows.tolist()):
            if self._hears[row] >= 0:
                continue
            places.append(place)
            starts.append(len(rows))
            for source, gain in self._by_row[row].hears.items():
                if gain and source in self._rows:
                    rows.append(self._rows[source])
                    gains.append(gain)
        self._mix_rows = np.array(places, np.int64)
        self._pair_starts = np.array(starts, np.int64)
        self._pair_rows = np.array(rows, np.int64)
        self._pair_gains = np.array(gains, np.float32).reshape(-1, 1)

    def _look_after(self, now: float) -> None:
        """What isn't audio: ports, reports, silence, ends of events."""
        fresh = self.ports.tick(now)
        if fresh:
            self._emit(m.Ports(free=fresh))
        for name in tuple(self._rtcp_phases.get(self.tick_count % _RTCP_TICKS, ())):
            self._report(self.legs[name], now)
        if self._event_legs:
            for leg in list(self._event_legs.values()):
                if leg.events.open:
                    self._tell_digits(leg, leg.events.tick(), "event")
                else:
                    del self._event_legs[leg.id]
        for name in tuple(self._stopped):
            if self._heard_at[self.legs[name].row] == self.tick_count:
                self._stopped.discard(name)
                if self.legs[name].want.receive:
                    self._emit(m.PacketsResumed(leg=name))
        for recorded in self.recorder.finished():
            self._emit(recorded)
        if self.tick_count % 10 == 0:
            self._look_for_silence()
        if self.tick_count % 50 == 0:
            self._forget_lonely_tracks()

    def _look_for_silence(self) -> None:
        rows = self._play_rows
        if not len(rows):
            return
        silent = self.tick_count - self._heard_at[rows]
        for row in rows[silent > _RELATCH_TICKS].tolist():
            leg = self._by_row[row]
            if leg.line.destination is None:
                continue  # nobody has been asked to send yet
            if leg.line.latched is not None and leg.line.symmetric:
                self._wire.open(leg.line)
                self._legs_dirty = True
            ticks = int(self.tick_count - self._heard_at[row])
            if ticks >= _STOPPED_TICKS and leg.id not in self._stopped:
                self._stopped.add(leg.id)
                self._emit(m.PacketsStopped(leg=leg.id, seconds=ticks * _TICK))

    # --- RTCP ---

    def receive_rtcp(self, leg: Leg, data: bytes, now: float) -> bool:
        """A datagram of the leg's RTCP port (or of its RTP port, if they are one). False: it isn't RTCP."""
        compound = rtcp.parse(data)
        if compound is None:
            self._invalid[leg.row] += 1
            return False
        if compound.sender is not None and compound.ssrc == self._ssrc[leg.row]:
            leg.last_sr, leg.last_sr_at = rtcp.middle(compound.sender.ntp), now
        ours = int(self._out[leg.row]["ssrc"])
        for report in compound.reports:
            if report.ssrc == ours:
                rtt = rtcp.round_trip(report, rtcp.ntp(time.time()))
                leg.rtt = leg.rtt if rtt is None else rtt
                leg.peer_jitter = report.jitter / 8
                sent = int(self._sent[leg.row])
                leg.peer_lost = min(max(report.lost, 0) / sent, 1.0) if sent else None
        return True

    @property
    def rtcp_descriptor(self) -> int:
        """Readable when RTCP has come: call `read_rtcp`."""
        return self._rtcp.fileno()

    def read_rtcp(self, now: float) -> None:
        for descriptor, _ in self._rtcp.poll(0):
            leg = self._rtcp_legs[descriptor]
            try:
                data, source = leg.pair.rtcp.recvfrom(2048)
            except OSError:
                continue
            destination = leg.line.destination
            if destination is not None and source[0] != destination[0]:
                self._invalid[leg.row] += 1
                continue
            if self.receive_rtcp(leg, data, now) and leg.want.symmetric:
                leg.rtcp_source = source[:2]

    def _report(self, leg: Leg, now: float, bye: bool = False) -> None:
        destination = leg.line.destination
        if destination is None:
            return
        row = leg.row
        ssrc = int(self._out[row]["ssrc"])
        sent = int(self._sent[row])
        sender = None
        if sent:
            timestamp = int(self._timestamp[row]) & 0xFFFFFFFF
            sender = rtcp.SenderInfo(rtcp.ntp(time.time()), timestamp, sent, sent * FRAME)
        reports: tuple[rtcp.Report, ...] = ()
        if self._ssrc[row] >= 0:
            jitter = self._jitter
            expected, received = jitter.expected(row), int(jitter.received[row])
            before = leg.reported
            leg.reported = (expected, received)
            delay = int((now - leg.last_sr_at) * 65536) if leg.last_sr else 0
            fraction = rtcp.fraction_lost(expected - before[0], received - before[1])
            lost, samples = jitter.lost(row), int(jitter.jitter_samples(row))
            highest = max(int(jitter.highest[row]), 0)
            reports = (
                rtcp.Report(int(self._ssrc[row]), fraction, lost, highest, samples, leg.last_sr, delay),
            )
        data = rtcp.pack(ssrc, leg.cname, sender=sender, reports=reports, bye=bye)
        try:
            if leg.want.rtcp_mux:
                if leg.line.latched is not None and leg.line.symmetric:
                    leg.pair.rtp.send(data)
                else:
                    leg.pair.rtp.sendto(data, destination)
            else:
                leg.pair.rtcp.sendto(data, leg.rtcp_source or (destination[0], destination[1] + 1))
        except (OSError, OverflowError):
            self.send_errors += 1

    def _stats(self, leg: Leg, now: float) -> m.LegStats:
        row, jitter = leg.row, self._jitter
        received = int(jitter.packets[row])
        lost = jitter.lost(row)
        jitter_ms = jitter.jitter_samples(row) / 8
        mos = None
        if received:
            one_way = (leg.rtt or 0.0) * 500 + 40 + 20 * jitter.delay_frames(row)
            mos = round(rtcp.mos(lost / (received + lost), one_way), 2)
        return m.LegStats(
            sent=int(self._sent[row]),
            received=received,
            lost=lost,
            late=int(jitter.late[row]),
            duplicate=int(jitter.duplicate[row]),
            invalid=int(self._invalid[row]),
            concealed=int(jitter.concealed[row]),
            jitter_ms=round(jitter_ms, 1),
            mos=mos,
            rtt_ms=None if leg.rtt is None else round(leg.rtt * 1000, 1),
            peer_lost=leg.peer_lost,
            peer_jitter_ms=leg.peer_jitter,
            seconds=round(now - leg.began, 2),
        )

    def close(self, now: float) -> list[m.Event]:
        """Ends everything in order; what the application ought to know of it."""
        for name in list(self.legs):
            self._close_leg(name, now)
        self.ports.close()
        self._wire.close()
        return list(self.recorder.close(now))


def _why_not(command: m.SetLeg, family: socket.AddressFamily) -> str:
    """What is wrong with a leg; empty if nothing is."""
    if not 0 < command.port < 65536 or command.port % 2:
        return f"port {command.port} is no even port number"
    if command.remote is not None:
        host, port = command.remote
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            version = 6 if family == socket.AF_INET6 else 4
            return f"the remote host is no IP address of version {version}, which this worker speaks"
        if not 0 < port < 65536:
            return f"the remote port {port} is no port number"
    types = [command.pcma, command.pcmu, *([command.dtmf] if command.dtmf >= 0 else [])]
    if any(not 0 <= number < 128 for number in types) or len(set(types)) != len(types):
        return f"payload types {types} aren't different numbers from 0 to 127"
    return ""
