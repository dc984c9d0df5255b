"""What simulated people say, and how to tell them apart: voices as ready G.711 frames, each with a pip of its own.

A pip is a short, faint, high tone that no music on hold and no human throat makes. Everybody in a simulation has
another frequency, so both ends of a call, and both channels of a recording, can prove who was heard.
"""

import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centrala.media.sounds import read_wav, resample
from centrala.protocols.rtp.g711 import FRAME, RATE, encode_alaw, encode_ulaw
from centrala.speech.audio import decoded
from centrala.speech.engines import espeak_programs

Pcm = NDArray[np.int16]

PIPS = tuple(range(2000, 3401, 40))
"""Frequencies in Hz that `pip_seconds` tells apart for sure; 36 of them."""
PIP_SECONDS = 0.3
PIP_LEVEL = 1200.0
"""Amplitude: -29 dB below full scale."""
LONGEST_PHRASE = 3.0
"""Seconds; longer phrases are cut, so that pips come often enough."""
ENOUGH = 6.0
"""Seconds of conversation in which at least one whole pip is heard, whenever it begins."""

_WINDOW = 800
"""Samples (100 ms) that are looked at together."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Audio to be said again and again, as frames of 20 ms."""

    alaw: tuple[bytes, ...]
    ulaw: tuple[bytes, ...]

    @property
    def seconds(self) -> float:
        return len(self.alaw) * FRAME / RATE


def voice(pcm: Pcm) -> Voice:
    """Of samples at 8 kHz; filled up with silence to whole frames, never empty."""
    count = max(math.ceil(len(pcm) / FRAME), 1)
    whole = np.zeros(count * FRAME, np.int16)
    whole[: len(pcm)] = pcm
    return Voice(_cut(encode_alaw(whole)), _cut(encode_ulaw(whole)))


def _cut(encoded: NDArray[np.uint8]) -> tuple[bytes, ...]:
    data = encoded.tobytes()
    return tuple(data[at : at + FRAME] for at in range(0, len(data), FRAME))


SILENCE = voice(np.zeros(FRAME, np.int16))


def tone(frequency: float, seconds: float = 1.0, amplitude: float = 8000.0) -> Voice:
    """A lasting sine; seamless where frequency × seconds is a whole number."""
    t = np.arange(round(seconds * RATE)) / RATE
    return voice(np.round(amplitude * np.sin(2 * np.pi * frequency * t)).astype(np.int16))


def wav(path: Path) -> Voice:
    """Of a PCM16 WAV file of any rate. Raises SoundProblem."""
    return voice(read_wav(path))


def person(pip: float, phrases: Sequence[Pcm]) -> Voice:
    """Somebody who says these phrases in turn, a pip before each."""
    parts: list[Pcm] = []
    for phrase in phrases or [np.zeros(RATE, np.int16)]:
        parts += [_pip(pip), _pause(0.15), phrase[: round(LONGEST_PHRASE * RATE)], _pause(0.6)]
    return voice(np.concatenate(parts))


def _pip(frequency: float) -> Pcm:
    t = np.arange(round(PIP_SECONDS * RATE)) / RATE
    fade = np.minimum(1, np.minimum(t, PIP_SECONDS - t) / 0.02)
    return np.round(PIP_LEVEL * fade * np.sin(2 * np.pi * frequency * t)).astype(np.int16)


def _pause(seconds: float) -> Pcm:
    return np.zeros(round(seconds * RATE), np.int16)


def pip_seconds(frequency: float, samples: Pcm) -> float:
    """For how long this tone, and almost nothing else, is heard in the samples (8 kHz)."""
    return float(_lengths((frequency,), samples)[0])


def pips_in(samples: Pcm, among: Sequence[int] = PIPS) -> frozenset[int]:
    """The pips of which at least half is heard. Some 5 ms for half a minute and all of `PIPS`."""
    return frozenset(np.array(among)[_lengths(among, samples) >= PIP_SECONDS / 2].tolist())


def _lengths(frequencies: Sequence[float], samples: Pcm) -> NDArray[np.float64]:
    """Seconds of each tone; windows of 100 ms that overlap by half."""
    windows = _pure(frequencies, samples) + _pure(frequencies, samples[_WINDOW // 2 :])
    seconds: NDArray[np.float64] = (windows * (_WINDOW / RATE / 2)).astype(np.float64)
    return seconds


_HANN = np.hanning(_WINDOW)


def _pure(frequencies: Sequence[float], samples: Pcm) -> NDArray[np.int64]:
    """Windows in which three quarters of the power lie in each tone."""
    count = len(samples) // _WINDOW
    if not count:
        return np.zeros(len(frequencies), np.int64)
    rows = samples[: count * _WINDOW].reshape(count, _WINDOW) * _HANN
    turns = np.exp(-2j * np.pi * np.arange(_WINDOW)[:, None] * np.array(frequencies)[None, :] / RATE)
    amplitude = 2 * np.hypot(rows @ turns.real, rows @ turns.imag) / _HANN.sum()
    power = np.square(rows).sum(axis=1, keepdims=True) / np.square(_HANN).sum()
    pure: NDArray[np.int64] = ((amplitude > PIP_LEVEL / 6) & (amplitude * amplitude / 2 > 0.75 * power)).sum(
        axis=0
    )
    return pure


# --- phrases ---

CALLERS = {
    "pl": (
        "Dzień dobry, dzwonię w sprawie zamówienia.",
        "Chciałabym zmienić adres dostawy.",
        "Czy te róże są jeszcze dostępne?",
        "Proszę chwilę poczekać, szukam numeru.",
    ),
    "en": (
        "Hello, I have a question about my invoice.",
        "The parcel has not arrived yet.",
        "Could you check that again, please?",
        "Thank you, that is very kind of you.",
    ),
}
AGENTS = {
    "pl": (
        "Dzień dobry, w czym mogę pomóc?",
        "Oczywiście, już sprawdzam.",
        "Tak, wszystko się zgadza.",
    ),
    "en": (
        "Good morning, how can I help you?",
        "Of course, let me have a look.",
        "Yes, that is all in order now.",
    ),
}


def phrases(language: str, texts: Sequence[str], *, deep: bool = False) -> list[Pcm]:
    """The texts spoken by eSpeak NG where there is one, else as a murmur. Blocks: call it in a thread."""
    programs = espeak_programs()
    if not programs:
        return [_murmur(len(text), deep) for text in texts]
    options = ["-v", language, "-p", "30" if deep else "62", "-s", "165", "--stdin", "--stdout", "-b", "1"]
    spoken: list[Pcm] = []
    for text in texts:
        try:
            done = subprocess.run(
                [*programs[0], *options], input=text.encode(), check=True, timeout=10, capture_output=True
            )
            pcm, rate = decoded(done.stdout)
            spoken.append(_levelled(pcm if rate == RATE else resample(pcm, rate)))
        except Exception:
            # A half-installed synthesiser must not keep a simulation from running.
            spoken.append(_murmur(len(text), deep))
    return spoken


def _levelled(pcm: Pcm, rms: float = 2200.0) -> Pcm:
    power = float(np.sqrt(np.square(pcm.astype(np.float64)).mean())) if len(pcm) else 0.0
    louder: Pcm = np.clip(pcm * (rms / power if power else 1.0), -30000, 30000).astype(np.int16)
    return louder


def _murmur(letters: int, deep: bool) -> Pcm:
    """Something that rises and falls like talk: a buzz of harmonics below 1500 Hz, in syllables."""
    t = np.arange(round(min(0.065 * letters + 0.4, LONGEST_PHRASE) * RATE)) / RATE
    pitch = (110 if deep else 190) * (1 + 0.12 * np.sin(2 * np.pi * 0.7 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    vowel = 0.5 + 0.5 * np.sin(2 * np.pi * 1.1 * t)
    wave = sum(
        (np.sin(phase * k) * (vowel if k % 2 else 1 - vowel) / k for k in range(1, 8)), np.zeros(len(t))
    )
    syllables = np.clip(np.sin(2 * np.pi * 2.2 * t) + 0.4, 0, 1)
    return _levelled(np.asarray(wave * syllables * 8000, np.int16))
