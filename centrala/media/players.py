"""Streams of audio: prompts, tones, music. Loaded by a thread of their own, played a frame each tick."""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centrala.media import messages as m
from centrala.media.sounds import Library, Sound, SoundProblem
from centrala.protocols.rtp.g711 import FRAME

Pcm = NDArray[np.int16]


@dataclass(slots=True)
class Track:
    """A player's audio and how far it has come."""

    command: m.Player
    row: int
    pcm: Pcm | None = None
    """None while it is being loaded."""
    loop_from: int | None = None
    """Sample to go on from at the end; None: it ends."""
    at: int = 0
    generation: int = 0
    heard: bool = False
    """Somebody has listened to it once."""
    ended: bool = False
    lonely_since: int = 0
    """Tick at which somebody last listened."""

    def frame(self, out: Pcm) -> bool:
        """The next 160 samples → `out`, silence after the end. False: this was the last one."""
        pcm = self.pcm
        if pcm is None:
            out[:] = 0
            return True
        end = self.at + FRAME
        if end <= len(pcm):
            out[:] = pcm[self.at : end]
            self.at = end
        else:
            filled = 0
            while filled < FRAME:
                piece = pcm[self.at : self.at + FRAME - filled]
                out[filled : filled + len(piece)] = piece
                filled += len(piece)
                self.at += len(piece)
                if self.at >= len(pcm):
                    if self.loop_from is None:
                        out[filled:] = 0
                        break
                    self.at = self.loop_from
        return self.at < len(pcm) or self.loop_from is not None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the loader says of a player."""

    player: str
    generation: int
    pcm: Pcm
    loop_from: int | None
    problems: tuple[tuple[str, str], ...]
    """Sound and reason."""


class Loader:
    """Reads sounds in a thread. `done` is emptied by the tick."""

    def __init__(self, folder: Path) -> None:
        self._library = Library(folder)
        self._wanted: queue.SimpleQueue[tuple[m.Player, int] | None] = queue.SimpleQueue()
        self.done: deque[Loaded] = deque()
        self._thread = threading.Thread(target=self._run, name="sounds", daemon=True)
        # Computing the music takes a while; nobody shall wait for it later, no tick suffer.
        self._wanted.put((m.Player("", ["music:default"]), -1))
        self._thread.start()

    def load(self, command: m.Player, generation: int) -> None:
        self._wanted.put((command, generation))

    def _run(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            command, generation = wanted
            self.done.append(self._load(command, generation))

    def _load(self, command: m.Player, generation: int) -> Loaded:
        sounds: list[Sound] = []
        problems: list[tuple[str, str]] = []
        for name in command.sounds:
            try:
                sound = self._library.get(name)
            except SoundProblem as problem:
                problems.append((name, str(problem)))
                continue
            except Exception as problem:  # a broken file must not end the thread
                problems.append((name, f"{name}: {type(problem).__name__}: {problem}"))
                continue
            sounds.append(sound)
            if sound.endless:
                break
        pcm = (
            sounds[0].pcm
            if len(sounds) == 1
            else np.concatenate([np.zeros(0, np.int16), *(s.pcm for s in sounds)])
        )
        loop_from: int | None = None
        if len(pcm):
            if sounds[-1].endless:
                loop_from = len(pcm) - len(sounds[-1].pcm)
            elif command.loop:
                loop_from = 0
        return Loaded(command.player, generation, pcm, loop_from, tuple(problems))
