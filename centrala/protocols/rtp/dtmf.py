"""Digits: telephone events (RFC 4733) sent and received, and tones in the audio (ITU-T Q.23, Q.24)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrala.protocols.rtp.g711 import FRAME, RATE

DIGITS = "0123456789*#ABCD"
"""The position is the event code (RFC 4733, table 3)."""

LOW = (697, 770, 852, 941)
HIGH = (1209, 1336, 1477, 1633)
_KEYPAD = ("123A", "456B", "789C", "*0#D")

TONE_TICKS = 6
"""How long we send a digit, in frames of 20 ms."""
PAUSE_TICKS = 4
REST_TICKS = 50
"""For a comma."""
_END_PACKETS = 3
"""The last packet of an event goes out three times (RFC 4733, 2.5.1.4)."""


@dataclass(frozen=True, slots=True)
class Event:
    """The payload of a telephone-event packet."""

    code: int
    end: bool
    volume: int
    """Power in -dBm0, 0 to 63."""
    duration: int
    """In samples."""

    def pack(self) -> bytes:
        return bytes((self.code, (0x80 if self.end else 0) | self.volume)) + self.duration.to_bytes(2, "big")


def parse(payload: bytes) -> Event | None:
    """None if it is too short. Of several events in one packet (never seen) only the first is read."""
    if len(payload) < 4:
        return None
    return Event(payload[0], payload[1] >= 0x80, payload[1] & 0x3F, int.from_bytes(payload[2:4], "big"))


class Receiver:
    """Telephone events of one stream → digits, each once: packets of one event share a timestamp.

    A digit is told when its end comes. If all three ends are lost, the next event or 100 ms of nothing ends it.
    """

    _QUIET_TICKS = 5

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._told = True
        self._code = 0
        self._duration = 0
        self._quiet = 0

    @property
    def open(self) -> bool:
        """An event is under way: `tick` has to be called."""
        return not self._told

    def receive(self, timestamp: int, event: Event) -> list[tuple[str, int]]:
        """Digits now complete, each with its length in ms. Events beyond DTMF (flash, fax tones) are ignored."""
        digits: list[tuple[str, int]] = []
        if timestamp != self._timestamp:
            if self._timestamp is not None and ((timestamp - self._timestamp) & 0xFFFFFFFF) >= 1 << 31:
                return digits  # a late packet of an event before
            digits += self._finish()
            if event.code >= len(DIGITS):
                return digits
            self._timestamp, self._code, self._told = timestamp, event.code, False
            self._duration = 0
        self._quiet = 0
        if not self._told:
            self._duration = max(self._duration, event.duration)
            if event.end:
                digits += self._finish()
        return digits

    def tick(self) -> list[tuple[str, int]]:
        """Call each 20 ms while `open`."""
        self._quiet += 1
        return self._finish() if self._quiet > self._QUIET_TICKS else []

    def _finish(self) -> list[tuple[str, int]]:
        if self._told:
            return []
        self._told = True
        return [(DIGITS[self._code], self._duration * 1000 // RATE)]


@dataclass(slots=True)
class Sender:
    """Digits to one stream, a step each 20 ms."""

    digits: str = ""
    """What is still to come, the one under way included."""
    _tick: int = 0
    _timestamp: int = 0

    def step(self, timestamp: int) -> tuple[Event, int, bool] | None:
        """The event packet of this tick: payload, its timestamp, its marker bit; None in a pause.

        `timestamp`: of the audio that would go out now. Ask only while `digits` isn't empty.
        """
        if self.digits[0] == ",":
            self._advance(REST_TICKS)
            return None
        tick, code = self._tick, DIGITS.index(self.digits[0])
        if tick == 0:
            self._timestamp = timestamp
        first, last = tick == 0, tick >= TONE_TICKS
        event = None
        if tick < TONE_TICKS + _END_PACKETS:
            duration = min(tick + 1, TONE_TICKS) * FRAME
            event = (Event(code, last, 10, duration), self._timestamp, first)
        self._advance(TONE_TICKS + _END_PACKETS + PAUSE_TICKS)
        return event

    def step_tone(self) -> NDArray[np.int16] | None:
        """The same for digits as tones: 160 samples, or None in a pause."""
        if self.digits[0] == ",":
            self._advance(REST_TICKS)
            return None
        tick, digit = self._tick, self.digits[0]
        self._advance(TONE_TICKS + PAUSE_TICKS)
        return tone(digit, FRAME, tick * FRAME) if tick < TONE_TICKS else None

    def _advance(self, ticks: int) -> None:
        self._tick += 1
        if self._tick >= ticks:
            self._tick = 0
            self.digits = self.digits[1:]


def clean(digits: str) -> str:
    """What can be sent of a string: digits, * # A-D and commas, letters in upper case."""
    return "".join(d for d in digits.upper() if d in DIGITS or d == ",")


def tone(digit: str, samples: int, start: int = 0) -> NDArray[np.int16]:
    """The pair of tones of a digit, -9 dBm0 each, from sample `start` on."""
    row = next(i for i, keys in enumerate(_KEYPAD) if digit in keys)
    column = _KEYPAD[row].index(digit)
    t = (np.arange(samples) + start) * (2 * np.pi / RATE)
    wave = 8000 * (np.sin(LOW[row] * t) + np.sin(HIGH[column] * t))
    return np.asarray(wave, np.int16)


_FREQUENCIES = np.array(LOW + HIGH)
_WINDOW = np.hamming(2 * FRAME)
_TURNS = np.exp(-2j * np.pi * _FREQUENCIES[None, :] * np.arange(2 * FRAME)[:, None] / RATE) * _WINDOW[:, None]
_BASIS = (np.concatenate([_TURNS.real, _TURNS.imag], axis=1) * (2 / _WINDOW.sum())).astype(np.float32)
_KEYS = np.array([[DIGITS.index(key) for key in keys] for keys in _KEYPAD])

_LEAST_AMPLITUDE = 200.0
"""About -41 dBm0 a tone."""
_TWIST_UP = 10 ** (8 / 20)
"""The low tone may be 8 dB, the high tone 4 dB above the other (Q.24 annex A, the widest of its list)."""
_TWIST_DOWN = 10 ** (5 / 20)
_LEAST_SHARE = 0.75
"""Of the power of 40 ms that lies in the two tones: speech that happens to hold both has less."""


def find_tones(frames: NDArray[np.int16]) -> NDArray[np.int8]:
    """Which digit sounds throughout each row of 320 samples (40 ms); -1: none. A Goertzel bank as one product."""
    signal = frames.astype(np.float32)
    parts = signal @ _BASIS
    strength = np.hypot(parts[:, :8], parts[:, 8:])
    low, high = strength[:, :4], strength[:, 4:]
    rows = np.arange(len(frames))
    i, j = low.argmax(axis=1), high.argmax(axis=1)
    a, b = low[rows, i], high[rows, j]
    power = np.square(signal * _WINDOW.astype(np.float32)).sum(axis=1) / np.square(_WINDOW).sum()
    low[rows, i] = 0
    high[rows, j] = 0
    good = (
        (np.minimum(a, b) > _LEAST_AMPLITUDE)
        & (a < b * _TWIST_UP)
        & (b < a * _TWIST_DOWN)
        & ((a * a + b * b) / 2 > _LEAST_SHARE * power)
        & (low.max(axis=1) < a / 2.5)
        & (high.max(axis=1) < b / 2.5)
    )
    return np.where(good, _KEYS[i, j], -1).astype(np.int8)


@dataclass(slots=True)
class ToneReceiver:
    """Answers of `find_tones`, one each 20 ms over the last 40 ms → digits, each once."""

    _code: int = -1
    _count: int = 0
    _gap: int = 0

    def step(self, code: int) -> tuple[str, int] | None:
        """A digit when it ends, with its length in ms. Shorter than 40 ms isn't one; a gap of 20 ms is bridged."""
        done = None
        if code >= 0 and code == self._code:
            self._count += 1 + self._gap
            self._gap = 0
        elif code < 0 and self._code >= 0 and self._gap == 0:
            self._gap = 1
        else:
            if self._code >= 0 and self._count >= 1:
                done = (DIGITS[self._code], (self._count + 1) * 20)
            self._code, self._count, self._gap = code, int(code >= 0), 0
        return done
