"""What an engine said, made alike: 8 kHz, one loudness, no silence at the ends."""

import io
import math
import struct
import wave

import numpy as np
from numpy.typing import NDArray

from centrala.media.sounds import RATE, resample

Pcm = NDArray[np.int16]

LOUD = 3277.0
"RMS where somebody speaks: that of our music, -20 dB below full scale."
PEAK = 30_000.0
MARGIN = 0.06
"Seconds of silence left at both ends."
_WINDOW = 0.01


class NoSpeech(Exception):
    """There is nothing to be heard in it."""


def decoded(data: bytes) -> tuple[Pcm, int]:
    """PCM16 mono of a WAV, even one whose header was written before its length was known. Raises NoSpeech."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise NoSpeech("no WAV came back")
    at, rate = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        at += 8
        if name == b"fmt " and at + 16 <= len(data):
            form, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, at)
            if (form, channels, bits) != (1, 1, 16) or not 4000 <= rate <= 192_000:
                raise NoSpeech(f"a WAV of {channels} channels of {bits} bits at {rate} Hz came back")
        elif name == b"data":
            if not rate:
                break
            return raw(data[at : at + size]), rate
        at += size + size % 2
    raise NoSpeech("a WAV without sound came back")


def raw(data: bytes) -> Pcm:
    """Little-endian 16-bit samples."""
    return np.frombuffer(data[: len(data) - len(data) % 2], "<i2").astype(np.int16)


def made_alike(pcm: Pcm, rate: int) -> Pcm:
    """Trimmed, at 8 kHz, as loud as every other prompt. Raises NoSpeech."""
    pcm = _trimmed(pcm, rate)
    if rate != RATE:
        pcm = resample(pcm, rate)
    window = round(_WINDOW * RATE)
    levels = _levels(pcm, window)
    speaking = levels[levels > levels.max() / 30]
    loudness = math.sqrt(float(np.square(speaking).mean()))
    gain = min(LOUD / loudness, PEAK / float(np.abs(pcm.astype(np.int32)).max()))
    out = pcm * np.float32(gain)
    edge = min(40, len(out) // 2)
    slope = np.linspace(0, 1, edge, endpoint=False, dtype=np.float32)
    out[:edge] *= slope
    out[len(out) - edge :] *= slope[::-1]
    return np.round(out).astype(np.int16)


def joined(pieces: list[Pcm], pause: float = 0.2) -> Pcm:
    """One after the other, with seconds of silence between them."""
    between = np.zeros(round(pause * RATE), np.int16)
    out: list[Pcm] = []
    for piece in pieces:
        out += [between, piece] if out else [piece]
    return np.concatenate(out)


def wav(pcm: Pcm) -> bytes:
    """A WAV file of 8 kHz mono PCM16."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm.astype("<i2").tobytes())
    return out.getvalue()


def beep(seconds: float = 0.25, frequency: int = 1000) -> Pcm:
    """What one is to speak after."""
    t = np.arange(round(seconds * RATE)) / RATE
    rise = np.minimum(1, np.minimum(t, seconds - t) / 0.01)
    return np.round(LOUD * math.sqrt(2) * rise * np.sin(2 * math.pi * frequency * t)).astype(np.int16)


def _trimmed(pcm: Pcm, rate: int) -> Pcm:
    window = round(_WINDOW * rate)
    if len(pcm) < window:
        raise NoSpeech("no sound came back")
    levels = _levels(pcm, window)
    heard = np.flatnonzero(levels > max(20.0, float(levels.max()) / 200))
    if not len(heard):
        raise NoSpeech("nothing but silence came back")
    margin = round(MARGIN * rate)
    # Silence that isn't there is added: all prompts follow each other at one pace.
    padded = np.concatenate([np.zeros(margin, np.int16), pcm, np.zeros(margin + window, np.int16)])
    first, last = int(heard[0]) * window, (int(heard[-1]) + 1) * window
    return padded[first : last + 2 * margin]


def _levels(pcm: Pcm, window: int) -> NDArray[np.float32]:
    """RMS of each window, the rest at the end as one of its own."""
    short = -len(pcm) % window
    whole = np.concatenate([pcm, np.zeros(short, np.int16)]).astype(np.float32).reshape(-1, window)
    levels: NDArray[np.float32] = np.sqrt(np.square(whole).mean(axis=1))
    return levels
