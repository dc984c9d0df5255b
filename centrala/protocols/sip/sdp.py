"""Session descriptions (RFC 8866) and offer/answer for audio (RFC 3264): read tolerantly, written strictly.

What this program speaks is in `CODECS`, in no order of taste: the offerer's order decides (RFC 3264 6.1).
Another codec is a row there and an encoder in the media worker.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

MAX_LINES, MAX_MEDIA, MAX_FORMATS = 1000, 32, 64


class SdpError(ValueError):
    """Text that can't be understood as a session description, or offers nothing that we speak (answer 488)."""


class Direction(StrEnum):
    """Of a stream, as seen by the side that says it."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @staticmethod
    def of(sends: bool, receives: bool) -> "Direction":
        if sends:
            return Direction.SENDRECV if receives else Direction.SENDONLY
        return Direction.RECVONLY if receives else Direction.INACTIVE


@dataclass(frozen=True, slots=True)
class Codec:
    name: str
    rate: int
    """Of the RTP clock, Hz."""
    static: int | None
    """Payload type of RFC 3551, None: dynamic."""
    written: str = ""
    """In rtpmap, where that isn't NAME/RATE."""
    fmtp: str = ""


CODECS: dict[str, Codec] = {
    "PCMA": Codec("PCMA", 8000, 8),
    "PCMU": Codec("PCMU", 8000, 0),
    # RFC 7587, 7: always two channels; what we want is what the telephone network carries
    "OPUS": Codec("OPUS", 48000, None, "opus/48000/2", "maxplaybackrate=8000;stereo=0;useinbandfec=1"),
}
_STATIC = {codec.static: codec for codec in CODECS.values() if codec.static is not None}
EVENTS = "telephone-event"
EVENTS_PAYLOAD = 101


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type of a media line."""

    payload: int
    name: str
    """As in rtpmap, upper case but for telephone-event; "" where the line doesn't say and RFC 3551 doesn't either."""
    rate: int
    fmtp: str = ""


@dataclass(frozen=True, slots=True)
class Media:
    """One m= section."""

    kind: str
    port: int
    protocol: str
    formats: tuple[Format, ...]
    raw_formats: tuple[str, ...]
    address: str
    """Of its own c= line or the session's; "" where there is none."""
    direction: Direction
    ptime: int
    """Milliseconds, 0: not given."""
    rtcp_port: int
    """Of a=rtcp, 0: not given."""
    rtcp_mux: bool
    attributes: tuple[tuple[str, str], ...]
    """All a= lines as they came: crypto, fingerprint, ice-ufrag, candidate, mid ..."""

    def attribute(self, name: str) -> str | None:
        for key, value in self.attributes:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Description:
    session_id: str
    version: str
    address: str
    direction: Direction
    media: tuple[Media, ...]
    attributes: tuple[tuple[str, str], ...] = ()


WEB = "UDP/TLS/RTP/SAVPF"
_HASHES = ("sha-256", "sha-384", "sha-512")
"""Of a certificate, liked best first; weaker ones aren't taken (RFC 8122, 5)."""


@dataclass(frozen=True, slots=True)
class LocalWeb:
    """Our end towards a browser: ICE-lite, DTLS as the server, all on one port (RFC 8829; RFC 8839; RFC 8842)."""

    ufrag: str
    password: str
    fingerprint: str
    """As it stands in the line: `sha-256 AB:…`."""
    mid: str = "0"


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Our end of an audio stream."""

    address: str
    port: int
    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    """Order in our offers."""
    events: bool = True
    ptime: int = 20
    direction: Direction = Direction.SENDRECV
    """What we want; an answer gives no more than the offer allows."""
    rtcp_mux: bool = True
    session_id: int = 1
    version: int = 1
    """Of the o= line; see `same_session`."""
    attributes: tuple[tuple[str, str], ...] = ()
    """More a= lines for the audio section: crypto, ICE, fingerprint."""
    protocol: str = "RTP/AVP"
    web: LocalWeb | None = None
    """Set: a browser is at the other end, whatever `protocol` says."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What both ends have agreed on."""

    address: str
    """Where to send RTP."""
    port: int
    """0: the stream was refused."""
    codec: str
    """What we send and expect."""
    payload: int
    payloads: dict[str, int] = field(hash=False)
    """Every codec of ours that the peer takes, with its payload type, liked best first."""
    events_payload: int | None
    """RFC 4733 digits, None: the peer takes none."""
    ptime: int
    direction: Direction
    """As seen by us."""
    rtcp_port: int
    rtcp_mux: bool
    held: bool
    """The peer has put us on hold: by direction, or by the address 0.0.0.0 (RFC 2543)."""
    protocol: str = "RTP/AVP"
    ufrag: str = ""
    """Of a browser."""
    fingerprint: str = ""
    """Of its certificate, as it stands in the line."""
    mid: str = ""


def is_web(text: str) -> bool:
    """Whether an offer is a browser's: its sound is to come over DTLS-SRTP and ICE. Never raises."""
    try:
        return any(
            media.kind == "audio" and media.protocol.startswith("UDP/TLS/") for media in parse(text).media
        )
    except SdpError:
        return False


def parse(text: str) -> Description:
    """Read a description; what it doesn't know it skips. Raises SdpError."""
    session_id = version = "0"
    session_address = ""
    session_direction: Direction | None = None
    session_attributes: list[tuple[str, str]] = []
    sections: list[_Section] = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise SdpError("session description with too many lines")
    if not lines[0].startswith("v="):
        raise SdpError("session description without v=")
    for line in lines:
        kind, equals, value = line.partition("=")
        if not equals or len(kind) != 1:
            continue
        value = value.strip()
        match kind:
            case "o":
                fields = value.split()
                if len(fields) >= 3:
                    session_id, version = fields[1], fields[2]
            case "c":
                address = _connection(value)
                if sections:
                    sections[-1].address = address
                else:
                    session_address = address
            case "m":
                if len(sections) >= MAX_MEDIA:
                    raise SdpError("session description with too many streams")
                sections.append(_Section(value))
            case "a":
                name, _, content = value.partition(":")
                if sections:
                    sections[-1].attributes.append((name, content))
                else:
                    session_attributes.append((name, content))
                    if name in _DIRECTIONS:
                        session_direction = Direction(name)
            case _:
                pass
    direction = session_direction or Direction.SENDRECV
    return Description(
        session_id=session_id,
        version=version,
        address=session_address,
        direction=direction,
        media=tuple(section.read(session_address, direction) for section in sections),
        attributes=tuple(session_attributes),
    )


_DIRECTIONS = frozenset(d.value for d in Direction)


class _Section:
    """An m= section while it is being read."""

    def __init__(self, value: str) -> None:
        fields = value.split()
        if len(fields) < 3:
            raise SdpError("unreadable m= line")
        port = fields[1].partition("/")[0]
        if not port.isascii() or not port.isdigit() or len(port) > 5 or int(port) > 65535:
            raise SdpError("unreadable port in m= line")
        self.kind, self.port, self.protocol = fields[0].lower(), int(port), fields[2]
        self.formats = fields[3 : 3 + MAX_FORMATS]
        self.address: str | None = None
        self.attributes: list[tuple[str, str]] = []

    def read(self, session_address: str, session_direction: Direction) -> Media:
        maps: dict[str, tuple[str, int]] = {}
        fmtps: dict[str, str] = {}
        direction, ptime, rtcp_port, mux = session_direction, 0, 0, False
        for name, value in self.attributes:
            match name:
                case "rtpmap":
                    payload, _, rest = value.partition(" ")
                    codec, _, clock = rest.strip().partition("/")
                    maps[payload] = (codec, _small(clock.partition("/")[0], 8000))
                case "fmtp":
                    payload, _, rest = value.partition(" ")
                    fmtps[payload] = rest.strip()
                case "ptime":
                    ptime = _small(value.partition(".")[0], 0)
                case "rtcp":
                    rtcp_port = _small(value.split(" ")[0], 0)
                case "rtcp-mux":
                    mux = True
                case _ if name in _DIRECTIONS:
                    direction = Direction(name)
                case _:
                    pass
        formats = []
        for payload in self.formats:
            if not payload.isascii() or not payload.isdigit() or len(payload) > 3 or int(payload) > 127:
                continue
            number = int(payload)
            known = _STATIC.get(number)
            name, rate = maps.get(payload, (known.name, known.rate) if known else ("", 8000))
            plain = name.lower() if name.lower() == EVENTS else name.upper()
            formats.append(Format(number, plain, rate, fmtps.get(payload, "")))
        return Media(
            kind=self.kind,
            port=self.port,
            protocol=self.protocol,
            formats=tuple(formats),
            raw_formats=tuple(self.formats),
            address=session_address if self.address is None else self.address,
            direction=direction,
            ptime=ptime,
            rtcp_port=rtcp_port if rtcp_port <= 65535 else 0,
            rtcp_mux=mux,
            attributes=tuple(self.attributes),
        )


def _small(text: str, otherwise: int) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else otherwise


def _connection(value: str) -> str:
    fields = value.split()
    if len(fields) < 3 or fields[0] != "IN":
        raise SdpError("unreadable c= line")
    return fields[2].partition("/")[0]


def offer(local: LocalMedia) -> str:
    """Our offer of one audio stream."""
    formats = [
        Format(_payload_of(name, 96 + at), name, CODECS[name].rate) for at, name in enumerate(local.codecs)
    ]
    group = local.web.mid if local.web is not None else ""
    events = EVENTS_PAYLOAD if local.events else None
    return _session(local, group) + _audio(local, formats, local.direction, events)


def _payload_of(name: str, dynamic: int) -> int:
    static = CODECS[name].static
    return dynamic if static is None else static


def answer(text: str, local: LocalMedia) -> tuple[str, Negotiated]:
    """Our answer to an offer, and what was agreed on. Takes the first audio stream with a codec of ours, refuses
    the others by port 0 (RFC 3264 6). Raises SdpError if there is none: answer 488."""
    offered = parse(text)
    chosen: int | None = None
    for at, media in enumerate(offered.media):
        if media.kind == "audio" and media.port and _speaks(media, local) and _common(media, local):
            chosen = at
            break
    if chosen is None:
        raise SdpError("no audio stream with a codec that we speak")
    agreed: Negotiated | None = None
    parts: list[str] = []
    for at, media in enumerate(offered.media):
        if at != chosen:
            formats = " ".join(media.raw_formats) or "0"
            parts.append(f"m={media.kind} 0 {media.protocol} {formats}\r\n")
            continue
        common = _common(media, local)
        events = _events(media, common[0].rate) if local.events else None
        agreed = _negotiated(media, common, events, local, offered)
        if local.web is not None and media.attribute("setup") not in ("actpass", "active"):
            raise SdpError("the browser doesn't want to begin the encryption itself (a=setup)")
        ours = replace(local, protocol=media.protocol, rtcp_mux=agreed.rtcp_mux, ptime=agreed.ptime)
        if agreed.mid and local.web is not None:
            ours = replace(ours, web=replace(local.web, mid=agreed.mid))
        elif agreed.mid:
            ours = replace(ours, attributes=(("mid", agreed.mid), *ours.attributes))
        parts.append(_audio(ours, common, agreed.direction, events))
    if agreed is None:
        raise SdpError("no audio stream with a codec that we speak")
    grouped = any(
        name == "group" and agreed.mid in value.split()[1:] and value.startswith("BUNDLE ")
        for name, value in offered.attributes
    )
    return _session(local, agreed.mid if grouped else "") + "".join(parts), agreed


def accept(text: str, local: LocalMedia) -> Negotiated:
    """What was agreed on by the peer's answer to our `offer(local)`. Raises SdpError if it refused us."""
    answered = parse(text)
    for media in answered.media:
        if media.kind != "audio":
            continue
        if not media.port:
            raise SdpError("the peer refused the audio stream")
        common = _common(media, local)
        if local.web is not None and not _speaks(media, local):
            raise SdpError("the answer is no browser's")
        if not common:
            raise SdpError("the peer answered with a codec that we didn't offer")
        if local.web is not None and media.attribute("setup") != "active":
            raise SdpError("the browser doesn't begin the encryption itself (a=setup)")
        events = _events(media, common[0].rate) if local.events else None
        return _negotiated(media, common, events, local, answered)
    raise SdpError("the answer has no audio stream")


def same_session(before: LocalMedia, after: LocalMedia) -> LocalMedia:
    """`after` with the o= line of `before`, its version one higher if and only if something changed (RFC 3264 5)."""
    like = replace(after, session_id=before.session_id, version=before.version)
    return like if like == before else replace(like, version=before.version + 1)


def _speaks(media: Media, local: LocalMedia) -> bool:
    if local.web is not None:
        return media.protocol in (WEB, "UDP/TLS/RTP/SAVP")
    if local.protocol == "RTP/AVP":
        return media.protocol in ("RTP/AVP", "RTP/AVPF")
    return media.protocol.removesuffix("F") == local.protocol.removesuffix("F")


def _common(media: Media, local: LocalMedia) -> list[Format]:
    return [f for f in media.formats if f.name in local.codecs and f.rate == CODECS[f.name].rate]


def _events(media: Media, rate: int) -> int | None:
    for found in media.formats:
        if found.name == EVENTS and found.rate == rate:
            return found.payload
    return None


def _fingerprint(media: Media, whole: Description) -> str:
    """The stream's own or the session's (RFC 8122, 5); "" where there is none that is safe."""
    found: dict[str, str] = {}
    for name, value in (*media.attributes, *whole.attributes):
        algorithm, _, digest = value.strip().partition(" ")
        if name == "fingerprint" and digest:
            found.setdefault(algorithm.lower(), digest.strip().upper())
    return next((f"{name} {found[name]}" for name in _HASHES if name in found), "")


def _negotiated(
    media: Media, common: Sequence[Format], events: int | None, local: LocalMedia, whole: Description
) -> Negotiated:
    ufrag = fingerprint = ""
    if local.web is not None:
        said = dict(whole.attributes)
        ufrag = (media.attribute("ice-ufrag") or said.get("ice-ufrag", "")).strip()
        fingerprint = _fingerprint(media, whole)
        if not ufrag or not fingerprint:
            raise SdpError("a browser's description without ice-ufrag or a fingerprint of sha-256 or better")
        if not media.rtcp_mux:
            raise SdpError("a browser's description without rtcp-mux")
    # A browser that has found no candidates yet says 0.0.0.0 as well (RFC 8840, 4.1.1).
    nowhere = local.web is None and media.address in ("0.0.0.0", "::", "")
    peer_receives = media.direction.receives and not nowhere
    direction = Direction.of(
        sends=local.direction.sends and peer_receives,
        receives=local.direction.receives and media.direction.sends,
    )
    payloads: dict[str, int] = {}
    for found in common:
        payloads.setdefault(found.name, found.payload)
    mux = media.rtcp_mux and local.rtcp_mux
    return Negotiated(
        address=media.address,
        port=media.port,
        codec=common[0].name,
        payload=common[0].payload,
        payloads=payloads,
        events_payload=events,
        ptime=media.ptime if 10 <= media.ptime <= 60 and media.ptime % 10 == 0 else local.ptime,
        direction=direction,
        rtcp_port=media.port if mux else media.rtcp_port or min(media.port + 1, 65535),
        rtcp_mux=mux,
        held=nowhere or not media.direction.receives,
        protocol=media.protocol,
        ufrag=ufrag,
        fingerprint=fingerprint,
        mid=(media.attribute("mid") or "").strip(),
    )


def _family(address: str) -> str:
    try:
        return f"IP{ipaddress.ip_address(address).version}"
    except ValueError:
        return "IP4"


def _session(local: LocalMedia, group: str = "") -> str:
    """`group`: the stream that is a bundle of its own (RFC 9143)."""
    where = f"IN {_family(local.address)} {local.address}"
    text = f"v=0\r\no=- {local.session_id} {local.version} {where}\r\ns=-\r\nc={where}\r\nt=0 0\r\n"
    if local.web is not None:
        text += f"a=group:BUNDLE {group}\r\n" if group else ""
        text += "a=ice-lite\r\n"
    return text


def _web_lines(local: LocalMedia, web: LocalWeb) -> list[str]:
    """RFC 8839, 5; RFC 8842, 5.1: we are passive, in offers too, so that it is plain who begins."""
    return [
        f"a=mid:{web.mid}",
        f"a=ice-ufrag:{web.ufrag}",
        f"a=ice-pwd:{web.password}",
        f"a=fingerprint:{web.fingerprint}",
        "a=setup:passive",
        f"a=candidate:1 1 UDP 2130706431 {local.address} {local.port} typ host",
        "a=end-of-candidates",
    ]


def _audio(local: LocalMedia, formats: Sequence[Format], direction: Direction, events: int | None) -> str:
    numbers = [str(f.payload) for f in formats]
    if events is not None:
        numbers.append(str(events))
    protocol = local.protocol if local.web is None or local.protocol.startswith("UDP/TLS/") else WEB
    lines = [f"m=audio {local.port} {protocol} {' '.join(numbers)}"]
    lines += [f"a=rtpmap:{f.payload} {CODECS[f.name].written or f'{f.name}/{f.rate}'}" for f in formats]
    lines += [f"a=fmtp:{f.payload} {CODECS[f.name].fmtp}" for f in formats if CODECS[f.name].fmtp]
    if events is not None:
        lines += [f"a=rtpmap:{events} {EVENTS}/{formats[0].rate}", f"a=fmtp:{events} 0-15"]
    lines.append(f"a=ptime:{local.ptime}")
    if local.rtcp_mux or local.web is not None:
        lines.append("a=rtcp-mux")
    if local.web is not None:
        lines += _web_lines(local, local.web)
    lines += [f"a={name}:{value}" if value else f"a={name}" for name, value in local.attributes]
    lines.append(f"a={direction}")
    return "\r\n".join(lines) + "\r\n"
