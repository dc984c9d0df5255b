"""Audio proven by what is heard: tones made, and found again by their frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 8000


def make(frequency: float, seconds: float, amplitude: float = 8000.0, rate: int = RATE) -> NDArray[np.int16]:
    """A sine. Amplitude of 32767 is full scale."""
    t = np.arange(round(seconds * rate)) / rate
    return np.round(amplitude * np.sin(2 * np.pi * frequency * t)).astype(np.int16)


def share_of(frequency: float, samples: NDArray[np.int16], rate: int = RATE) -> float:
    """How much of the signal's power lies within 1.5 bins of this frequency, 0 to 1. Silence has 0 of anything."""
    if len(samples) == 0:
        return 0.0
    power = _spectrum(samples)
    total = float(power.sum())
    if total < 1.0:
        return 0.0
    # A Hann window spreads a sine over three or four bins; short signals have wide bins.
    at = frequency * len(samples) / rate
    low, high = max(int(np.floor(at - 2)), 0), int(np.ceil(at + 2))
    return float(power[low : high + 1].sum()) / total


def dominant(samples: NDArray[np.int16], rate: int = RATE) -> float | None:
    """The strongest frequency in Hz, to a fraction of a bin; None for silence (below -60 dBFS)."""
    if len(samples) < 16 or level(samples) < -60.0:
        return None
    power = _spectrum(samples)
    peak = int(power[1:-1].argmax()) + 1
    a, b, c = np.log(power[peak - 1 : peak + 2] + 1e-9)
    bend = a - 2 * b + c
    shift = 0.5 * (a - c) / bend if bend else 0.0
    return float((peak + shift) * rate / len(samples))


def level(samples: NDArray[np.int16]) -> float:
    """RMS in dB below full scale (a full-scale sine has -3); -inf for digital silence."""
    if len(samples) == 0:
        return float("-inf")
    rms = float(np.sqrt(np.square(samples.astype(np.float64)).mean()))
    return float(20 * np.log10(rms / 32768)) if rms else float("-inf")


def _spectrum(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    signal = samples.astype(np.float64)
    signal -= signal.mean()
    return np.square(np.abs(np.fft.rfft(signal * np.hanning(len(signal)))))
