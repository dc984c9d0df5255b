"""The media worker's heart: all legs, players and recordings, and what a tick of 20 ms does with them.

A row stands for a source of audio: a leg or a player. Row 0 is silence. `rows.audio[row]` is what the source says in
this tick. Who hears whom is a list of pairs with a gain, of which most legs have exactly one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from centrala.media import messages as m
from centrala.media.opus import Opus, library
from centrala.media.players import Loader, Track
from centrala.media.ports import Ports
from centrala.media.receiving import RELATCH_TICKS, Receiving
from centrala.media.recorder import Recorder
from centrala.media.reports import Reports
from centrala.media.rows import ALAW, EVENT, NOISE, OPUS, TICK, ULAW, Leg, Rows
from centrala.media.secure import Handshakes, Identity, Secure
from centrala.media.sending import Sending
from centrala.media.wire import Line
from centrala.protocols.rtp import dtmf
from centrala.protocols.rtp.g711 import FRAME

_COMFORT_NOISE = 13
"""Its static payload type (RFC 3389)."""
_STOPPED_TICKS = 250
_BARRED_TICKS = 100
_MAX_GAIN = 100
_LONELY_TICKS = 3000
"""A private player that nobody hears goes after a minute."""


class Engine:
    """`emit(event)` is called for whatever the application ought to know."""

    def __init__(
        self, address: str, ports: tuple[int, int], data: Path, emit: Callable[[m.Event], None]
    ) -> None:
        self._emit = emit
        self.rows = Rows()
        self.ports = Ports(address, *ports)
        self.legs: dict[str, Leg] = {}
        self.tracks: dict[str, Track] = {}
        self.recorder = Recorder(data)
        self.reports = Reports(self.rows)
        self._loader = Loader(data)
        self._sources: dict[str, int] = {}
        """Leg or player → row."""
        self._listeners: dict[str, set[str]] = {}
        """Source → legs that name it in their row."""
        self._receiving = Receiving(self.rows, self.reports, emit)
        self._sending = Sending(self.rows, self._receiving.wire, self._sources, emit)
        self.identity = Identity()
        self._handshakes = Handshakes()
        self._opening: dict[str, Leg] = {}
        """Browsers' legs that aren't encrypted yet."""
        self._generation = 0
        self._stopped: set[str] = set()
        self._just_ended: list[Track] = []
        self.skipped = 0

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
        elif leg is not None and (leg.want.ice is None) != (command.ice is None):
            problem = "a living leg can't become a browser's, nor cease to be one"
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
        if line.secure is not None and command.ice is not None:
            line.secure.want(command.ice, command.peer_ufrag, command.fingerprint, now)
            if line.secure.inbound is None:
                self._opening[leg.id] = leg
        elif line.symmetric != command.symmetric:
            self._receiving.wire.open(line)
            line.symmetric = command.symmetric
        if line.secure is None and leg.want.remote != command.remote:
            old = line.destination
            if command.remote is not None and command.remote != old:
                self._receiving.wire.open(line)
                line.barred = old
                leg.barred_until = self.rows.tick + _BARRED_TICKS
                line.remote = command.remote
            elif line.latched is None:
                line.remote = command.remote
        row = leg.row
        self.rows.marker[row] |= command.send and not leg.want.send
        leg.want = command
        kinds = self.rows.kinds[row]
        kinds[:] = 0
        kinds[_COMFORT_NOISE] = NOISE
        if command.dtmf >= 0:
            kinds[command.dtmf] = EVENT
        if command.opus >= 0:
            kinds[command.opus] = OPUS
        if (command.opus >= 0) != (leg.opus is not None):
            leg.opus = Opus() if leg.opus is None else None
            self.rows.opus[row] = leg.opus is not None
            self.rows.ssrc[row] = -1  # another clock: the stream begins anew
        kinds[command.pcma] = ALAW
        kinds[command.pcmu] = ULAW
        self.rows.ulaw[row] = command.codec == "pcmu"
        if not self.rows.receives[row] and command.receive:
            self.rows.heard_at[row] = self.rows.tick
        self.rows.receives[row] = command.receive
        if not command.receive:
            self.rows.audio[row] = 0
        if (command.inband or command.dtmf < 0) != (leg.tones is not None):
            leg.tones = dtmf.ToneReceiver() if leg.tones is None else None
        self.rows.changed = True

    def _make_leg(self, command: m.SetLeg, now: float) -> Leg | None:
        if command.leg in self._sources:
            self._emit(m.LegFailed(leg=command.leg, why="a player has this id"))
            return None
        pair = self.ports.use(command.port)
        if pair is None:
            why = f"port {command.port} can't be bound or has a leg already"
            self._emit(m.LegFailed(leg=command.leg, why=why))
            return None
        row = self.rows.take()
        random = os.urandom(16)
        line = Line(row, pair.rtp, command.remote, command.symmetric)
        if command.ice is not None:
            line.secure = Secure(pair.rtp, self.identity, self._handshakes)
        leg = Leg(command.leg, row, command, pair, line, random[10:16].hex() + "@centrala", began=now)
        self.rows.jitter.reset(row)
        self.rows.receives[row] = False
        self.rows.ssrc[row] = -1
        self.rows.heard_at[row] = self.rows.tick
        self.rows.invalid[row] = self.rows.sent[row] = self.rows.hears[row] = 0
        self.rows.sequence[row] = int.from_bytes(random[0:2], "big") >> 1
        self.rows.timestamp[row] = int.from_bytes(random[2:6], "big")
        self.rows.marker[row] = True
        self.rows.opus[row] = False
        self.rows.out[row]["first"] = 0x80
        self.rows.out[row]["ssrc"] = int.from_bytes(random[6:10], "big")
        self.legs[leg.id] = leg
        self._sources[leg.id] = row
        self.rows.legs[row] = leg
        self._receiving.wire.add(line)
        self.reports.add(leg)
        self._source_changed(leg.id)
        return leg

    def _close_leg(self, name: str, now: float) -> None:
        leg = self.legs.get(name)
        if leg is None:
            return
        stats = self.reports.stats(leg, now)
        self.reports.report(leg, now, bye=True)
        self._receiving.wire.remove(leg.line)
        self.reports.remove(leg)
        self._receiving.forget(leg)
        self._sending.forget(leg)
        self.ports.give_back(leg.pair, now)
        del self.legs[name], self.rows.legs[leg.row]
        self._stopped.discard(name)
        self._opening.pop(name, None)
        for source in leg.hears:
            self._unlisten(source, name)
        leg.hears = {}
        self._free_source(name, leg.row)
        self.rows.changed = True
        self._emit(m.LegClosed(leg=name, stats=stats))

    def _free_source(self, name: str, row: int) -> None:
        del self._sources[name]
        self.rows.give_back(row)
        self._source_changed(name)

    def _source_changed(self, source: str) -> None:
        """A source has come or gone: those who name it hear it, or nothing."""
        for listener in self._listeners.get(source, ()):
            if listener in self.legs:
                self._route(self.legs[listener])
        self.recorder.rows_changed()

    def _unlisten(self, source: str, listener: str) -> None:
        """May end a private player: one that has been played, or whose last listener has hung up."""
        listeners = self._listeners.get(source)
        if listeners is None:
            return
        listeners.discard(listener)
        if not listeners:
            del self._listeners[source]
            track = self.tracks.get(source)
            over = track is not None and (track.ended or listener not in self.legs)
            if track is not None and track.heard and not track.command.shared and over:
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
        heard = [(self._sources[s], gain) for s, gain in leg.hears.items() if gain and s in self._sources]
        before = int(self.rows.hears[leg.row])
        simple = len(heard) == 0 or (len(heard) == 1 and heard[0][1] == 1.0)
        self.rows.hears[leg.row] = (heard[0][0] if heard else 0) if simple else -1
        if not simple or before == -1:
            self._sending.mix_changed = True

    def _player(self, command: m.Player) -> None:
        track = self.tracks.get(command.player)
        if track is not None and track.command == command:
            return
        if track is None:
            if command.player in self._sources:
                self._emit(m.Refused(command="Player", subject=command.player, why="a leg has this id"))
                return
            track = self.tracks[command.player] = Track(command, self.rows.take())
            track.lonely_since = self.rows.tick
            self._sources[command.player] = track.row
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
        if len(digits) != len(command.digits):
            why = "only 0-9 * # A-D and comma can be sent; the others were left out"
            self._emit(m.Refused(command="SendDigits", subject=command.leg, why=why))
        self._sending.add_digits(leg, digits, command.id)

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
        heard = self.rows.ssrc[leg.row] >= 0
        silent = float(self.rows.tick - self.rows.heard_at[leg.row]) * TICK
        return m.LegState(
            set=leg.want,
            hears=leg.hears,
            latched=leg.line.latched if leg.line.secure is None else leg.line.destination,
            sent=int(self.rows.sent[leg.row]),
            received=int(self.rows.jitter.packets[leg.row]),
            seconds=now - leg.began,
            silent_seconds=silent if heard else None,
        )

    def tick(self, now: float) -> None:
        """Everything that 20 ms ask for: receive, play, gather recordings, mix, send, look after the rest."""
        self.rows.tick += 1
        self._arrange()
        self._receiving.read()
        if self._opening:
            self._open(now)
        self._arrange()
        self._receiving.play()
        self._play_tracks()
        self.recorder.gather(self.rows.audio, self._sources)
        self._sending.send()
        self._look_after(now)

    def _arrange(self) -> None:
        if self.rows.changed:
            self.rows.changed = False
            legs = list(self.legs.values())
            self._receiving.arrange(legs)
            self._sending.arrange(legs)

    def _open(self, now: float) -> None:
        """Browsers' legs whose handshakes have come to something."""
        for name, leg in list(self._opening.items()):
            secure = leg.line.secure
            news = secure.look(now) if secure is not None else ""
            if secure is None or news is None:
                continue
            if news:
                self._emit(m.NotSecured(leg=name, why=news))
                continue
            del self._opening[name]
            self.rows.changed = self.rows.marker[leg.row] = True
            self.rows.heard_at[leg.row] = self.rows.tick
            self._emit(m.Secured(leg=name))

    def skip(self, ticks: int) -> None:
        """The worker was held up too long: these ticks are left out, time stamps run on."""
        self.skipped += ticks
        self.rows.timestamp += ticks * FRAME
        self.rows.marker[:] = True
        self.recorder.skip(ticks)

    def _play_tracks(self) -> None:
        for over in self._just_ended:
            if over.ended:
                self.rows.audio[over.row] = 0
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
            if not track.frame(self.rows.audio[track.row]):
                track.ended = True
                self._just_ended.append(track)
                self._emit(m.Played(player=name))

    def _forget_lonely_tracks(self) -> None:
        for name, track in list(self.tracks.items()):
            if track.command.shared or name in self._listeners:
                track.lonely_since = self.rows.tick
            elif self.rows.tick - track.lonely_since > _LONELY_TICKS:
                self._stop_player(name)

    def _look_after(self, now: float) -> None:
        """What isn't audio: ports, reports, silence, ends of events."""
        fresh = self.ports.tick(now)
        if fresh:
            self._emit(m.Ports(free=fresh))
        self.reports.send_due(now)
        self._receiving.end_events()
        for name in tuple(self._stopped):
            if self.rows.heard_at[self.legs[name].row] == self.rows.tick:
                self._stopped.discard(name)
                if self.legs[name].want.receive:
                    self._emit(m.PacketsResumed(leg=name))
        for recorded in self.recorder.finished():
            self._emit(recorded)
        if self.rows.tick % 10 == 0:
            self._look_for_silence()
        if self.rows.tick % 50 == 0:
            self._forget_lonely_tracks()
            for leg in self.legs.values():
                if leg.line.secure is not None and leg.line.secure.expire(now):
                    self.rows.changed = True

    def _look_for_silence(self) -> None:
        rows = self._receiving.listening
        if not len(rows):
            return
        silent = self.rows.tick - self.rows.heard_at[rows]
        for row in rows[silent > RELATCH_TICKS].tolist():
            leg = self.rows.legs[row]
            if leg.line.destination is None:
                continue  # nobody has been asked to send yet
            if leg.line.latched is not None and leg.line.symmetric:
                self._receiving.wire.open(leg.line)
                self.rows.changed = True
            ticks = int(self.rows.tick - self.rows.heard_at[row])
            if ticks >= _STOPPED_TICKS and leg.id not in self._stopped:
                self._stopped.add(leg.id)
                self._emit(m.PacketsStopped(leg=leg.id, seconds=ticks * TICK))

    def close(self, now: float) -> list[m.Event]:
        """Ends everything in order; what the application ought to know of it."""
        for name in list(self.legs):
            self._close_leg(name, now)
        self.ports.close()
        self._receiving.wire.close()
        self.reports.close()
        self._handshakes.close()
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
    if command.ice is not None and not (4 <= len(command.ice[0]) <= 256 and 22 <= len(command.ice[1]) <= 256):
        return "ICE needs a ufrag of 4 characters at least and a password of 22 (RFC 8839, 5.4)"
    if command.codec == "opus" and command.opus < 0:
        return "Opus has no payload type"
    if command.opus >= 0 and (command.ice is None or library() is None):
        return "Opus is for browsers' legs, and needs libopus"
    types = [command.pcma, command.pcmu, *(one for one in (command.dtmf, command.opus) if one >= 0)]
    if any(not 0 <= number < 128 for number in types) or len(set(types)) != len(types):
        return f"payload types {types} aren't different numbers from 0 to 127"
    return ""
