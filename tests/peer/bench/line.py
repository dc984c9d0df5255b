"""The sound of a call whose signalling sipp does: a bare RTP end which says a tone and keeps what it hears.

sipp can play a file (`rtp_stream`) or echo (`-rtp_echo`), but it keeps nothing of what it hears. So sipp puts
the port of a `Line` into its SDP (keyword `line_port`) and the line talks to whoever the SDP answer named, or,
until it is told, to whoever sends to it first.
"""

import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np

from bench import ports
from bench.tones import RATE, Samples, decode, encode, tone

_DIGITS = "0123456789*#ABCD"


@dataclass(slots=True, frozen=True)
class Packet:
    """One RTP packet as it came."""

    at: float
    """time.monotonic() on arrival"""
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    source: tuple[str, int]


@dataclass(slots=True)
class Line:
    """An RTP end on loopback. Says `hertz` (None: is silent but sends; `send=False`: sends nothing at all)."""

    hertz: float | None = 440.0
    address: str = "127.0.0.1"
    payload_type: int = 8
    send: bool = True
    port: int = field(default_factory=ports.free_rtp)
    packets: list[Packet] = field(default_factory=list)
    sent: int = 0
    _peer: tuple[str, int] | None = None
    _socket: socket.socket | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _digits: list[str] = field(default_factory=list)

    def __enter__(self) -> "Line":
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, self.port))
        self._socket.settimeout(0.1)
        for work in (self._hear, self._say):
            thread = threading.Thread(target=work, daemon=True, name=f"line {self.port}")
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, it: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(2)
        if self._socket:
            self._socket.close()

    def talk_to(self, host: str, port: int) -> None:
        """Send there from now on, whoever sends to us."""
        self._peer = (host, port)

    def heard(self, last: float | None = None) -> Samples:
        """Everything heard (or the last so many seconds), in the order of the stream, gaps left out.

        Packets stand in order of their extended sequence number per SSRC; duplicates are dropped.
        """
        packets = [p for p in list(self.packets) if p.payload_type in (0, 8)]
        if last is not None:
            since = time.monotonic() - last
            packets = [p for p in packets if p.at >= since]
        streams: dict[int, dict[int, Packet]] = {}
        for packet in packets:
            stream = streams.setdefault(packet.ssrc, {})
            newest = max(stream, default=packet.sequence)
            place = newest + ((packet.sequence - newest + 0x8000) & 0xFFFF) - 0x8000
            stream.setdefault(place, packet)
        pieces = [
            decode(stream[place].payload, stream[place].payload_type)
            for stream in streams.values()
            for place in sorted(stream)
        ]
        return np.concatenate(pieces) if pieces else np.zeros(0)

    def digits(self) -> str:
        """The digits heard as RFC 4733 events (payload type 101), one per event timestamp."""
        seen: dict[tuple[int, int], str] = {}
        for packet in list(self.packets):
            if packet.payload_type == 101 and len(packet.payload) == 4 and packet.payload[0] < 16:
                seen.setdefault((packet.ssrc, packet.timestamp), _DIGITS[packet.payload[0]])
        return "".join(seen.values())

    def send_digits(self, digits: str) -> None:
        """Press these, one after the other (RFC 4733, 100 ms each), in place of the sound meanwhile."""
        self._digits.extend(digits)

    def wait_heard(self, seconds: float, timeout: float = 15.0) -> None:
        """Until so much sound has come. Raises TimeoutError saying how much did."""
        until = time.monotonic() + timeout
        while (
            have := sum(len(p.payload) for p in list(self.packets) if p.payload_type in (0, 8)) / RATE
        ) < seconds:
            if time.monotonic() > until:
                raise TimeoutError(f"heard {have:.2f} s of sound in {timeout:.0f} s, wanted {seconds:.2f} s")
            time.sleep(0.02)

    def _hear(self) -> None:
        assert self._socket
        while not self._ended.is_set():
            try:
                datagram, source = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            except OSError:
                continue  # an ICMP "port unreachable" from a peer that has gone
            if len(datagram) < 12 or datagram[0] >> 6 != 2:
                continue
            _, kind, sequence, timestamp, ssrc = struct.unpack("!BBHII", datagram[:12])
            start = 12 + 4 * (datagram[0] & 15)
            self.packets.append(
                Packet(time.monotonic(), kind & 127, sequence, timestamp, ssrc, datagram[start:], source)
            )
            if self._peer is None:
                self._peer = source

    def _say(self) -> None:
        assert self._socket
        # 1 s that joins without a click: every whole number of hertz fits.
        sound = encode(tone(self.hertz, 1.0) if self.hertz else np.zeros(RATE), self.payload_type)
        ssrc, sequence, timestamp, tick = int(time.monotonic_ns() & 0xFFFFFFFF), 0, 0, time.monotonic()
        press: tuple[int, int, int] | None = None
        while not self._ended.wait(max(0.0, tick - time.monotonic())):
            tick += 0.02
            if self._peer is None or not self.send:
                timestamp += 160
                continue
            if press is None and self._digits:
                press = (_DIGITS.index(self._digits.pop(0)), timestamp, 1)
            if press is not None:
                event, began, length = press
                end = length >= 5
                body = struct.pack("!BBH", event, (0x80 if end else 0) | 10, min(length, 5) * 160)
                header = (0x80, 101 | (0x80 if length == 1 else 0), sequence & 0xFFFF, began, ssrc)
                press = (event, began, length + 1) if length < 7 else None  # the end goes three times
            else:
                at = timestamp % RATE
                body = sound[at : at + 160]
                header = (0x80, self.payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
            try:
                self._socket.sendto(struct.pack("!BBHII", *header) + body, self._peer)
                self.sent += 1
            except OSError:
                pass
            sequence += 1
            timestamp += 160
