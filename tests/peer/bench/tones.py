"""Tones, and finding them again, without the code under test: plain numpy, samples as float in -1..1 at 8 kHz."""

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Samples = NDArray[np.float64]


def tone(hertz: float, seconds: float, amplitude: float = 0.3) -> Samples:
    """A sine of `hertz` for `seconds`."""
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)


def level(samples: Samples) -> float:
    """Root mean square in 0..1; an empty piece is silence."""
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0


def share_of(hertz: float, samples: Samples, width: float = 15.0) -> float:
    """The share of the energy (0..1, without the constant part) within `width` Hz of `hertz`; 0 for silence."""
    if len(samples) < 400:
        return 0.0
    power = np.abs(np.fft.rfft((samples - samples.mean()) * np.hanning(len(samples)))) ** 2
    total = power.sum()
    if level(samples) < 1e-3 or total == 0:
        return 0.0
    at = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[np.abs(at - hertz) <= width].sum() / total)


def dominant(samples: Samples) -> float:
    """The strongest frequency in Hz; 0.0 for silence."""
    if len(samples) < 400 or level(samples) < 1e-3:
        return 0.0
    power = np.abs(np.fft.rfft((samples - samples.mean()) * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / RATE)[int(power.argmax())])


def seconds_of(hertz: float, samples: Samples, piece: float = 0.1) -> float:
    """For how long (s) `hertz` rules, counted in pieces of `piece` seconds in which it has over half the energy."""
    size = int(RATE * piece)
    pieces = [samples[i : i + size] for i in range(0, len(samples) - size + 1, size)]
    return piece * sum(share_of(hertz, one, width=40.0) > 0.5 for one in pieces)


# G.711 from the Recommendation's tables (segments of 16 steps), written apart from centrala's own coder.
def _alaw_values() -> Samples:
    code = np.arange(256) ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    size = np.where(segment == 0, step * 16 + 8, (step * 16 + 264) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, size, -size) / 32768


def _mulaw_values() -> Samples:
    code = ~np.arange(256) & 0xFF
    size = (((code & 15) * 8 + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -size, size) / 32768


VALUES = {8: _alaw_values(), 0: _mulaw_values()}
"""Payload type -> the sample that each of the 256 codes means."""


def encode(samples: Samples, payload_type: int = 8) -> bytes:
    """G.711 by nearest value; payload type 8 is A-law, 0 is mu-law."""
    order = np.argsort(VALUES[payload_type], kind="stable")
    values = VALUES[payload_type][order]
    right = np.clip(np.searchsorted(values, samples), 1, 255)
    nearer_left = samples - values[right - 1] < values[right] - samples
    return order[right - nearer_left].astype(np.uint8).tobytes()


def decode(payload: bytes, payload_type: int = 8) -> Samples:
    """What a G.711 payload says."""
    return VALUES[payload_type][np.frombuffer(payload, np.uint8)]
