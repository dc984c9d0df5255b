"""What the application and a media worker say to each other.

A frame is a 4-byte big-endian length and one msgpack map, tagged by the struct's name under `type`. Unknown
fields are ignored, missing ones take their defaults, so that both sides may be of different age within one
`VERSION`.

Every command states what shall be, never a step from what was: sending one twice is harmless, and none is
answered. Nothing on the path of a call waits for the worker. Events are numbered within a worker's life;
those that matter are kept until the application has acknowledged them: one that died gets them again.
"""

from __future__ import annotations

from typing import Literal

import msgspec

VERSION = 1
"""Of the protocol. A worker of another version is left to finish its calls."""

Codec = Literal["pcma", "pcmu", "opus"]

MAX_FRAME = 8 << 20
"""Longest frame in bytes. An inventory of 1000 legs has some 300 kB."""


class _Message(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    pass


# --- commands: application → worker ---


class Hello(_Message, frozen=True):
    """The first frame on a connection. A newer connection takes the place of an older one."""

    version: int = VERSION
    boot: str = ""
    """The boot id of the worker this application knew, or empty."""
    seen: int = 0
    """The number of the last event it has dealt with in that boot. Later ones are sent again."""


class Seen(_Message, frozen=True):
    """All events up to this number have been dealt with and need not be kept."""

    seq: int


class TakePort(_Message, frozen=True):
    """The application has put this port into a session description. The worker binds another in its place.

    A new application says it again for each port it knows of; ports taken by the one before it are free again
    after a minute without a leg or this command.
    """

    port: int


class FreePort(_Message, frozen=True):
    """A taken port for which no leg was ever made is free again."""

    port: int


class SetLeg(_Message, frozen=True):
    """A leg as it shall be; makes it where there is none. Fields left out take the defaults, not what was."""

    leg: str
    port: int
    """Our RTP port, even. RTCP is on the next one."""
    remote: tuple[str, int] | None = None
    """Where to send. None: nowhere, until a packet has come (symmetric)."""
    codec: Codec = "pcma"
    """What we send. Either law is received; Opus is for browsers' legs alone."""
    pcma: int = 8
    """Payload types."""
    pcmu: int = 0
    opus: int = -1
    """-1: none was agreed. Its RTP clock is 48 kHz, and that of telephone-event as well then."""
    dtmf: int = 101
    """Payload type of telephone-event (RFC 4733); -1: none was agreed, digits are sent and heard as tones."""
    inband: bool = False
    """Listen for DTMF tones in the audio though telephone-event was agreed."""
    receive: bool = True
    send: bool = True
    symmetric: bool = True
    """Send to where packets come from. False: to `remote` always."""
    rtcp_mux: bool = False
    ice: tuple[str, str] | None = None
    """Our ufrag and password: a browser's leg, by ICE-lite and DTLS-SRTP on the one port. `remote`, `symmetric` and
    `rtcp_mux` don't count then. Other credentials are an ICE restart; those before stay good. → `Secured`."""
    peer_ufrag: str = ""
    """The peer's. Checks under another one don't decide where to send. Empty: not known yet, all do."""
    fingerprint: str = ""
    """Of the peer's certificate as in SDP (`sha-256 AB:…`). Empty: not known yet; nothing is sent or heard. Another
    one than before is another peer (a page loaded again): encryption begins anew."""


class CloseLeg(_Message, frozen=True):
    """Ends a leg → `LegClosed`. Its port rests for 2 s."""

    leg: str


class Hear(_Message, frozen=True):
    """The whole listening row of a leg: a gain (1.0 = as it is) for each leg or player that it hears.

    Sources that don't exist (yet) are silent. Nothing heard: silence is sent all the same.
    """

    leg: str
    sources: dict[str, float] = {}


class Player(_Message, frozen=True):
    """A stream of audio. The same again changes nothing; other sounds under the same id start anew.

    A sound is `silence`, `tone:ringback`, `tone:busy`, `tone:<hertz>`, `music:default`, or the path of a WAV
    file (PCM16, mono or stereo), relative to the data folder. One that can't be read is left out →
    `PlayerFailed`. A private player begins when its sounds are loaded, and goes with the last leg that heard
    it, or when nobody hears it after its end; a shared one (music on hold) runs once for all, until it is stopped.
    """

    player: str
    sounds: list[str]
    loop: bool = False
    shared: bool = False


class StopPlayer(_Message, frozen=True):
    """Ends a player; no `Played` follows."""

    player: str


class Record(_Message, frozen=True):
    """Records two legs into a WAV file of two channels, 8 kHz, PCM16. The same again changes nothing."""

    recording: str
    left: str | None
    """The leg whose speech becomes channel 0."""
    right: str | None
    path: str
    """Relative to the data folder; missing folders are made. An existing file is never overwritten."""
    format: Literal["wav"] = "wav"
    began: float = 0.0
    """Unix seconds when this recording first began. A file that is there (of a worker that died) is gone on with:
    what is missing until now is silence and a gap. 0: a file that is there is left alone, and the command refused.
    """
    longest: float = 0.0
    """Seconds after which it ends by itself → `Recorded`. 0: never."""
    silence: float = 0.0
    """Seconds without speech of the left leg after which it ends by itself → `Recorded`. 0: never."""


class SetRecordLegs(_Message, frozen=True):
    """Other legs for a recording that runs (a transfer). None: that channel is silent."""

    recording: str
    left: str | None
    right: str | None = None


class PauseRecording(_Message, frozen=True):
    """From here on silence of the true length, entered as a gap."""

    recording: str


class ResumeRecording(_Message, frozen=True):
    recording: str


class StopRecording(_Message, frozen=True):
    """Ends a recording → `Recorded`."""

    recording: str


class SendDigits(_Message, frozen=True):
    """Sends digits (0-9 * # A-D, comma = 1 s of rest) to a leg, after those under way."""

    leg: str
    digits: str
    id: str = ""
    """Digits of an id already seen on this leg aren't sent again. Empty: always sent."""


class Inventory(_Message, frozen=True):
    """→ `Holds`."""

    token: int = 0


class Quit(_Message, frozen=True):
    """The worker ends: recordings are closed, legs get their RTCP BYE. For an orderly end, and for tests."""


Command = (
    Hello
    | Seen
    | TakePort
    | FreePort
    | SetLeg
    | CloseLeg
    | Hear
    | Player
    | StopPlayer
    | Record
    | SetRecordLegs
    | PauseRecording
    | ResumeRecording
    | StopRecording
    | SendDigits
    | Inventory
    | Quit
)


# --- events: worker → application ---


class _Event(_Message, frozen=True, kw_only=True):
    seq: int = 0
    """Number within this boot; 0 for what is never sent again (Welcome, Ports, Holds, Load)."""


class Welcome(_Event, frozen=True, kw_only=True):
    version: int
    boot: str
    pid: int
    name: str
    fingerprint: str = ""
    """Of this worker's certificate, for session descriptions: `sha-256 AB:…`; empty: it takes no browsers."""
    opus: bool = False
    """Whether it has the codec."""


class Ports(_Event, frozen=True, kw_only=True):
    """Ports that may be taken."""

    free: list[int]
    whole: bool = False
    """This is the complete list; else these have come on top."""


class LegState(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    set: SetLeg
    hears: dict[str, float] = {}
    latched: tuple[str, int] | None = None
    """Where its packets come from."""
    sent: int = 0
    received: int = 0
    seconds: float = 0.0
    """Age of the leg."""
    silent_seconds: float | None = None
    """Since its last packet; None if there was none yet."""


class RecordingState(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    set: Record
    paused: bool = False
    seconds: float = 0.0


class Holds(_Event, frozen=True, kw_only=True):
    """All that a worker has."""

    boot: str
    legs: dict[str, LegState] = {}
    players: dict[str, Player] = {}
    recordings: dict[str, RecordingState] = {}
    free_ports: list[int] = []
    token: int = 0


class FirstPacket(_Event, frozen=True, kw_only=True):
    """The first valid packet of a leg has come."""

    leg: str


class Secured(_Event, frozen=True, kw_only=True):
    """A browser's leg is encrypted from now on, with the peer that signalling named."""

    leg: str


class NotSecured(_Event, frozen=True, kw_only=True):
    """No encryption came about with a browser: a wrong certificate, no agreement, or no packets get through. The leg
    stays, silent."""

    leg: str
    why: str


class PacketsStopped(_Event, frozen=True, kw_only=True):
    """No packet for 5 s though the leg receives."""

    leg: str
    seconds: float


class PacketsResumed(_Event, frozen=True, kw_only=True):
    leg: str


class Digit(_Event, frozen=True, kw_only=True):
    leg: str
    digit: str
    duration_ms: int
    how: Literal["event", "inband"] = "event"


class FaxTone(_Event, frozen=True, kw_only=True):
    """A fax machine calls: its 1100 Hz (ITU-T T.30, 4.1.1), told once a leg, where keys are looked for as tones."""

    leg: str


class DigitsSent(_Event, frozen=True, kw_only=True):
    """All digits of a `SendDigits` with an id have gone out."""

    leg: str
    id: str


class Played(_Event, frozen=True, kw_only=True):
    """A player that doesn't loop has come to its end."""

    player: str


class PlayerFailed(_Event, frozen=True, kw_only=True):
    """A sound couldn't be played; the player goes on with the next one. `Played` follows in any case."""

    player: str
    sound: str
    why: str


class Gap(msgspec.Struct, frozen=True):
    """Seconds from the beginning of the recording."""

    start: float
    end: float
    why: Literal["paused", "overload", "disk", "worker died"]


class Recorded(_Event, frozen=True, kw_only=True):
    recording: str
    path: str
    seconds: float
    """Stored in the file."""
    expected_seconds: float
    """By the clock, from start to stop."""
    gaps: list[Gap] = []
    spoken: float | None = None
    """Seconds until the left leg's last speech ended, 0: it never spoke; None: no `silence` was asked for."""
    problem: str = ""
    """What went wrong, for people; empty if nothing did."""


class LegStats(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    sent: int = 0
    """Packets."""
    received: int = 0
    lost: int = 0
    late: int = 0
    """Came after their time. Those just after it were played all the same, and the buffer grew."""
    duplicate: int = 0
    invalid: int = 0
    """Ignored: not RTP, a wrong payload type, a stranger's."""
    concealed: int = 0
    """Frames of 20 ms that had to be made up."""
    jitter_ms: float = 0.0
    """RFC 3550, at the end."""
    mos: float | None = None
    """1.0 to 4.5, estimated (G.107); None if nothing was received."""
    rtt_ms: float | None = None
    peer_lost: float | None = None
    """Share of our packets that the peer lost, by its last report."""
    peer_jitter_ms: float | None = None
    seconds: float = 0.0


class LegClosed(_Event, frozen=True, kw_only=True):
    leg: str
    stats: LegStats = LegStats()


class LegFailed(_Event, frozen=True, kw_only=True):
    """The leg can't be: its port can't be bound, its remote is no address. There is no such leg then."""

    leg: str
    why: str


class Refused(_Event, frozen=True, kw_only=True):
    """A command that couldn't be carried out or understood."""

    command: str
    subject: str
    """The id it named."""
    why: str


class Load(_Event, frozen=True, kw_only=True):
    """Every 10 s, about the 10 s before."""

    tick_p99_ms: float
    """How long the work of a tick took."""
    busy_share: float
    """CPU time over wall-clock time of the whole worker."""
    legs: int
    late_ticks: int = 0
    """Ticks that began more than 20 ms after their time."""
    skipped_ticks: int = 0
    """Ticks left out for good: 20 ms each that nobody heard."""
    free_ports: int = 0
    rss_mb: float = 0.0


Event = (
    Welcome
    | Ports
    | Holds
    | FirstPacket
    | Secured
    | NotSecured
    | PacketsStopped
    | PacketsResumed
    | Digit
    | FaxTone
    | DigitsSent
    | Played
    | PlayerFailed
    | Recorded
    | LegClosed
    | LegFailed
    | Refused
    | Load
)

_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def frame(message: Command | Event) -> bytes:
    """One message with its length in front."""
    body = _encoder.encode(message)
    return len(body).to_bytes(4, "big") + body


def command(body: bytes | bytearray | memoryview) -> Command:
    """Raises msgspec.ValidationError or DecodeError, both a `msgspec.MsgspecError`."""
    return _commands.decode(body)


def event(body: bytes | bytearray | memoryview) -> Event:
    """Raises msgspec.ValidationError or DecodeError, both a `msgspec.MsgspecError`."""
    return _events.decode(body)


class Frames:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Bodies that are now complete. Raises ValueError on a frame above `MAX_FRAME`."""
        buffer = self._buffer
        buffer += data
        bodies: list[bytes] = []
        start = 0
        while len(buffer) - start >= 4:
            length = int.from_bytes(buffer[start : start + 4], "big")
            if length > MAX_FRAME:
                raise ValueError(f"a control frame of {length} bytes is longer than the {MAX_FRAME} allowed")
            if len(buffer) - start - 4 < length:
                break
            bodies.append(bytes(buffer[start + 4 : start + 4 + length]))
            start += 4 + length
        del buffer[:start]
        return bodies
