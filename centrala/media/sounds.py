"""Sounds as 8 kHz samples: built-in ones are computed, WAV files read and resampled."""

from __future__ import annotations

import math
import time
import wave
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
Wave = NDArray[np.float32]

RATE = 8000
_TONE = 3277.0
"""Amplitude of tones: -20 dB below full scale."""
_MAX_SECONDS = 3600
_CACHE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Sound:
    """Audio of any length."""

    pcm: Pcm
    endless: bool = False
    """Goes on from its beginning for ever (ringback, busy, continuous tones)."""


class SoundProblem(Exception):
    """Why a sound can't be played, for people."""


class Library:
    """Sounds by name, kept while there is room. Not for several threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[tuple[str, int, int], Sound] = OrderedDict()
        self._bytes = 0

    def get(self, name: str) -> Sound:
        """A built-in sound, or a WAV file relative to the folder. Raises SoundProblem."""
        builtin = _builtin(name)
        if builtin is not None:
            return self._keep((name, 0, 0), builtin)
        path = self._folder / name
        try:
            about = path.stat()
            return self._keep((str(path), about.st_mtime_ns, about.st_size), lambda: Sound(read_wav(path)))
        except OSError as problem:
            raise SoundProblem(f"{name}: {problem.strerror or problem}") from problem

    def _keep(self, key: tuple[str, int, int], make: Callable[[], Sound]) -> Sound:
        sound = self._kept.get(key)
        if sound is None:
            sound = self._kept[key] = make()
            self._bytes += sound.pcm.nbytes
        self._kept.move_to_end(key)
        while self._bytes > _CACHE_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].pcm.nbytes
        return sound


def _builtin(name: str) -> Callable[[], Sound] | None:
    kind, _, what = name.partition(":")
    if name == "silence":
        return lambda: Sound(np.zeros(RATE, np.int16), endless=True)
    if kind == "silence" and what.isdigit():
        return lambda: Sound(np.zeros(min(int(what), 3_600_000) * RATE // 1000, np.int16))
    if name == "tone:ringback":
        return lambda: Sound(_cadence(425, 1.0, 4.0), endless=True)
    if name == "tone:busy":
        return lambda: Sound(_cadence(425, 0.5, 0.5), endless=True)
    if kind == "tone" and what.isdigit() and 20 <= int(what) < RATE // 2:
        return lambda: Sound(_cadence(int(what), 1.0, 0.0), endless=True)
    if name == "music:default":
        return lambda: Sound(music())
    if kind in ("tone", "music"):
        raise SoundProblem(f"{name}: no such built-in sound")
    return None


def _cadence(frequency: int, on: float, off: float) -> Pcm:
    t = np.arange(round(on * RATE)) / RATE
    sound = np.zeros(round((on + off) * RATE))
    sound[: len(t)] = _TONE * np.sin(2 * np.pi * frequency * t)
    return np.round(sound).astype(np.int16)


def music() -> Pcm:
    """A quiet tune of 20 s that runs round without a seam: plucked broken chords over a soft bass. Ours."""
    beat = 0.3125
    length = round(64 * beat * RATE)
    tune = np.zeros(length, np.float32)
    # Eight bars of eight quavers: chord notes as MIDI numbers, played up and down.
    chords = (
        (48, 64, 67, 71),
        (45, 64, 67, 72),
        (41, 65, 69, 72),
        (43, 65, 67, 71),
        (40, 64, 67, 71),
        (45, 60, 64, 69),
        (38, 62, 65, 69),
        (43, 62, 65, 71),
    )
    melody = (76, 0, 74, 72, 0, 74, 71, 0, 72, 0, 69, 71, 72, 0, 67, 0)
    for bar, (bass, *notes) in enumerate(chords):
        _pluck(tune, bass, bar * 8 * beat, 2.6, 0.55)
        for quaver, which in enumerate((0, 1, 2, 1, 2, 1, 0, 1)):
            _pluck(tune, notes[which], (bar * 8 + quaver) * beat, 1.2, 0.32)
        for quarter in range(4):
            note = melody[(bar * 4 + quarter) % len(melody)]
            if note:
                _pluck(tune, note, (bar * 8 + quarter * 2) * beat, 1.5, 0.4)
    tune *= 3277 / math.sqrt(float(np.square(tune).mean()))
    return np.clip(np.round(tune), -32000, 32000).astype(np.int16)


def _pluck(tune: Wave, note: int, at: float, seconds: float, strength: float) -> None:
    frequency = 440.0 * 2 ** ((note - 69) / 12)
    t = np.arange(round(seconds * RATE), dtype=np.float32) / RATE
    sound = np.zeros(len(t), np.float32)
    for harmonic, share in ((1, 1.0), (2, 0.35), (3, 0.12)):
        if frequency * harmonic < 3400:
            fading = np.exp(-t * (2.2 + 1.6 * harmonic))
            sound += share * np.sin(2 * np.pi * frequency * harmonic * t).astype(np.float32) * fading
    attack = round(0.008 * RATE)
    sound[:attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    where = (round(at * RATE) + np.arange(len(t))) % len(tune)
    tune[where] += strength * sound


def read_wav(path: Path) -> Pcm:
    """A PCM16 WAV file, mono or stereo (mixed down), of any rate from 4 to 192 kHz → 8 kHz. Raises SoundProblem."""
    try:
        with path.open("rb") as stream, wave.open(stream) as file:
            channels, width, rate, frames = file.getparams()[:4]
            if width != 2 or channels not in (1, 2) or not 4000 <= rate <= 192_000:
                raise SoundProblem(
                    f"{path.name}: {channels} channels of {8 * width} bits at {rate} Hz; "
                    "needed are 16-bit PCM, 1 or 2 channels, 4 to 192 kHz"
                )
            data = file.readframes(min(frames, _MAX_SECONDS * rate))
    except (wave.Error, EOFError) as problem:
        raise SoundProblem(f"{path.name}: no WAV file that can be read: {problem}") from problem
    pcm = np.frombuffer(data[: len(data) - len(data) % (2 * channels)], dtype="<i2").astype(np.int16)
    if channels == 2:
        pcm = ((pcm[0::2].astype(np.int32) + pcm[1::2]) >> 1).astype(np.int16)
    return pcm if rate == RATE else resample(pcm, rate)


def resample(pcm: Pcm, rate: int, to: int = RATE) -> Pcm:
    """Band-limited (windowed sinc, 16 zero crossings to a side), in short steps that leave the CPU to others."""
    divisor = math.gcd(rate, to)
    up, down = to // divisor, rate // divisor
    cutoff = min(1.0, to / rate) * 0.95
    reach = math.ceil(16 / cutoff)
    taps = np.arange(-reach + 1, reach + 1)
    phases = np.arange(up)[:, None] / up
    at = taps[None, :] - phases
    window = 0.5 + 0.5 * np.cos(np.pi * np.clip(at / reach, -1, 1))
    kernel = (cutoff * np.sinc(cutoff * at) * window).astype(np.float32)
    count = len(pcm) * up // down
    padded = np.concatenate([np.zeros(reach, np.float32), pcm, np.zeros(reach + down, np.float32)]).astype(
        np.float32
    )
    views = np.lib.stride_tricks.sliding_window_view(padded, len(taps))
    out = np.empty(count, np.int16)
    step = 1024
    for start in range(0, count, step):
        n = np.arange(start, min(start + step, count)) * down
        block = np.einsum("ij,ij->i", views[n // up + 1], kernel[n % up])
        out[start : start + len(n)] = np.clip(np.round(block), -32768, 32767)
        # The tick lives in this process: never hold the interpreter for long.
        time.sleep(0.0005)
    return out
