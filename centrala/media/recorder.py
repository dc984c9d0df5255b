"""Recordings: two legs into one WAV file of two channels. The tick gathers frames, a thread writes them."""

from __future__ import annotations

import os
import queue
import struct
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from centrala.media import messages as m
from centrala.media.activity import Activity
from centrala.protocols.rtp.g711 import FRAME, RATE

_BLOCK = 50
"""Frames that are written together: 1 s."""
_HEADER = 44
_BYTES_A_SAMPLE = 4
_TICK = FRAME / RATE


def wav_header(samples: int) -> bytes:
    """The 44 bytes before `samples` samples of two channels."""
    size = samples * _BYTES_A_SAMPLE
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVE", b"fmt ", 16),
        *(1, 2, RATE, RATE * _BYTES_A_SAMPLE, _BYTES_A_SAMPLE, 16),
        *(b"data", min(size, 0xFFFFFFDB)),
    )


@dataclass(slots=True)
class _File:
    """A recording as the writer thread sees it."""

    path: Path
    handle: int = -1
    there: bool = False
    """It was begun by a worker that died."""
    stored: int = 0
    """Samples up to here are in the file (or a hole, which reads as silence)."""
    failed_from: int | None = None
    gaps: list[m.Gap] = field(default_factory=list)
    problem: str = ""

    def write(self, at: int, data: bytes) -> None:
        """`at`: sample. A failure leaves a hole and is tried again with the next block."""
        try:
            if self.handle < 0:
                self.path.parent.parent.mkdir(0o700, parents=True, exist_ok=True)
                self.path.parent.mkdir(0o700, exist_ok=True)
                fresh = 0 if self.there else os.O_CREAT | os.O_EXCL
                self.handle = os.open(self.path, os.O_RDWR | fresh, 0o640)
            view = memoryview(data)
            offset = _HEADER + at * _BYTES_A_SAMPLE
            while view:
                written = os.pwrite(self.handle, view, offset)
                offset, view = offset + written, view[written:]
            self.stored = at + len(data) // _BYTES_A_SAMPLE
            os.pwrite(self.handle, wav_header(self.stored), 0)
        except OSError as problem:
            self.problem = f"the recording can't be written: {problem.strerror}"
            if self.failed_from is None:
                self.failed_from = at
            return
        if self.failed_from is not None:
            self.gaps.append(m.Gap(self.failed_from / RATE, at / RATE, "disk"))
            self.failed_from = None

    def close(self, samples: int) -> None:
        """`samples`: the true length."""
        if self.failed_from is not None:
            self.gaps.append(m.Gap(self.failed_from / RATE, samples / RATE, "disk"))
        if self.handle < 0:
            return
        try:
            if self.failed_from is None and samples > self.stored:
                os.ftruncate(self.handle, _HEADER + samples * _BYTES_A_SAMPLE)
                os.pwrite(self.handle, wav_header(samples), 0)
                self.stored = samples
            os.fdatasync(self.handle)
        except OSError as problem:
            self.problem = f"the recording can't be written: {problem.strerror}"
        finally:
            os.close(self.handle)
            self.handle = -1


class _Writer:
    """The thread. Blocks are written in the order in which they were put."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[_File, int, bytes | None, m.Recorded | None] | None]
        self._work = queue.SimpleQueue()
        self.done: deque[m.Recorded] = deque()
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    def write(self, file: _File, at: int, data: bytes) -> None:
        self._work.put((file, at, data, None))

    def close(self, file: _File, samples: int, recorded: m.Recorded) -> None:
        self._work.put((file, samples, None, recorded))

    def finish(self, within: float) -> None:
        """Writes all that is left."""
        self._work.put(None)
        self._thread.join(within)

    @property
    def backlog(self) -> int:
        return self._work.qsize()

    def _run(self) -> None:
        while (job := self._work.get()) is not None:
            file, at, data, recorded = job
            if data is not None:
                file.write(at, data)
            elif recorded is not None:
                file.close(at)
                self.done.append(
                    m.Recorded(
                        recording=recorded.recording,
                        path=recorded.path,
                        seconds=file.stored / RATE,
                        expected_seconds=recorded.expected_seconds,
                        gaps=sorted([*recorded.gaps, *file.gaps], key=lambda gap: gap.start),
                        spoken=recorded.spoken,
                        problem=file.problem or recorded.problem,
                    )
                )


@dataclass(slots=True)
class _Recording:
    command: m.Record
    slot: int
    file: _File
    began: float
    """By the monotonic clock."""
    left: str | None
    right: str | None
    frames: int = 0
    """Since the beginning, those not yet handed to the writer included."""
    written: int = 0
    most: int = 1 << 62
    """Frames after which it ends."""
    paused_at: int | None = None
    gaps: list[m.Gap] = field(default_factory=list)


def _go_on(recording: _Recording, now: float) -> None:
    """Take up the file of a worker that died: what was said meanwhile is lost, its length is not."""
    file = recording.file
    file.there = True
    file.stored = max(file.path.stat().st_size - _HEADER, 0) // _BYTES_A_SAMPLE
    stored = -(-file.stored // FRAME)
    recording.frames = recording.written = max(round((time.time() - recording.command.began) / _TICK), stored)
    recording.began = now - recording.frames * _TICK
    if recording.frames > stored:
        recording.gaps.append(m.Gap(file.stored / RATE, recording.frames * _TICK, "worker died"))


class Recorder:
    """All recordings of a worker. `gather` is called once a tick with the matrix of what every row says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._writer = _Writer()
        self._recordings: dict[str, _Recording] = {}
        self._capacity = 0
        self._block = np.zeros((0, 2, _BLOCK, FRAME), np.int16)
        self._slots: list[int] = []
        # Rows of active recordings, in the order of `_active`.
        self._active: list[_Recording] = []
        self._active_slots = self._left = self._right = np.zeros(0, np.int64)
        self._fill = self._limit = np.zeros(0, np.int64)
        # Those that end when nobody speaks.
        self._activity = Activity()
        self._watched: list[_Recording] = []
        self._watched_slots = self._watched_rows = self._patience = np.zeros(0, np.int64)
        self._dirty = False

    def start(self, command: m.Record, now: float) -> str:
        """Empty if it runs, else why it can't. The same again changes nothing."""
        if command.recording in self._recordings:
            return ""
        path = (self._folder / command.path).resolve()
        if not path.is_relative_to(self._folder):
            return "the path leads out of the data folder"
        if path.exists() and not command.began:
            return "the file exists already"
        if not self._slots:
            self._grow()
        recording = _Recording(command, self._slots.pop(), _File(path), now, command.left, command.right)
        if command.longest:
            recording.most = max(round(command.longest / _TICK), 1)
        self._activity.begin(recording.slot)
        if path.exists():
            _go_on(recording, now)
        self._recordings[command.recording] = recording
        # The file shall be there (and its folder prove writable) from the first moment.
        self._writer.write(recording.file, recording.file.stored, b"")
        # Blocks end at different ticks, so that the writing is spread over the second.
        self._fill[recording.slot] = 0
        self._limit[recording.slot] = 1 + recording.slot % _BLOCK
        self._dirty = True
        return ""

    def set_legs(self, name: str, left: str | None, right: str | None) -> bool:
        recording = self._recordings.get(name)
        if recording is None:
            return False
        recording.left, recording.right = left, right
        self._dirty = True
        return True

    def pause(self, name: str) -> bool:
        recording = self._recordings.get(name)
        if recording is None:
            return False
        if recording.paused_at is None:
            recording.paused_at = recording.frames
            self._dirty = True
        return True

    def resume(self, name: str) -> bool:
        recording = self._recordings.get(name)
        if recording is None:
            return False
        self._end_pause(recording)
        self._dirty = True
        return True

    def _end_pause(self, recording: _Recording) -> None:
        if recording.paused_at is not None:
            gap = m.Gap(recording.paused_at * _TICK, recording.frames * _TICK, "paused")
            recording.gaps.append(gap)
            recording.paused_at = None

    def stop(self, name: str, now: float) -> bool:
        recording = self._recordings.pop(name, None)
        if recording is None:
            return False
        self._flush(recording)
        self._end_pause(recording)
        expected = now - recording.began
        stored = recording.frames * _TICK
        problem = ""
        if abs(expected - stored) > 1.0:
            problem = f"{stored:.2f} s stored where {expected:.2f} s were expected"
        spoken: float | None = None
        if recording.command.silence:
            slot, heard = recording.slot, self._activity
            spoken = (recording.frames - int(heard.quiet[slot])) * _TICK if heard.spoke[slot] else 0.0
        recorded = m.Recorded(
            recording=name,
            path=recording.command.path,
            seconds=stored,
            expected_seconds=expected,
            gaps=recording.gaps,
            spoken=spoken,
            problem=problem,
        )
        self._writer.close(recording.file, recording.frames * FRAME, recorded)
        self._slots.append(recording.slot)
        self._dirty = True
        return True

    def rows_changed(self) -> None:
        """A leg has come or gone."""
        self._dirty = True

    def gather(self, audio: NDArray[np.int16], rows: Mapping[str, int]) -> None:
        """This tick's frame of every recording. `rows`: leg → row of `audio`; row 0 is silence."""
        if self._dirty:
            self._arrange(rows)
        if not self._active:
            return
        slots, fill = self._active_slots, self._fill[self._active_slots]
        self._block[slots, 0, fill] = audio[self._left]
        self._block[slots, 1, fill] = audio[self._right]
        fill += 1
        self._fill[slots] = fill
        over: list[_Recording] = []
        for recording in self._active:
            recording.frames += 1
            if recording.frames >= recording.most:
                over.append(recording)
        for index in np.flatnonzero(fill >= self._limit[slots]).tolist():
            self._flush(self._active[index])
        if self._watched:
            self._activity.step(self._watched_slots, audio[self._watched_rows])
            silent = self._activity.quiet[self._watched_slots] >= self._patience
            over += [self._watched[index] for index in np.flatnonzero(silent).tolist()]
        for recording in over:
            self.stop(recording.command.recording, time.monotonic())

    def skip(self, ticks: int) -> None:
        """Ticks that were left out: silence of the true length, entered as a gap."""
        for recording in self._recordings.values():
            self._flush(recording)
            start = recording.frames
            recording.frames += ticks
            recording.written = recording.frames
            recording.gaps.append(m.Gap(start * _TICK, recording.frames * _TICK, "overload"))

    def finished(self) -> list[m.Recorded]:
        """Recordings whose files are complete and closed."""
        done = self._writer.done
        return [done.popleft() for _ in range(len(done))]

    def close(self, now: float, within: float = 20.0) -> list[m.Recorded]:
        """Ends all recordings and waits until they are written."""
        for name in list(self._recordings):
            self.stop(name, now)
        self._writer.finish(within)
        return self.finished()

    def states(self) -> dict[str, m.RecordingState]:
        return {
            name: m.RecordingState(
                set=msgspec.structs.replace(r.command, left=r.left, right=r.right),
                paused=r.paused_at is not None,
                seconds=r.frames * _TICK,
            )
            for name, r in self._recordings.items()
        }

    def __len__(self) -> int:
        return len(self._recordings)

    def _grow(self) -> None:
        old, self._capacity = self._capacity, max(16, 2 * self._capacity)
        more = self._capacity - old
        self._block = np.concatenate([self._block, np.zeros((more, 2, _BLOCK, FRAME), np.int16)])
        self._fill = np.concatenate([self._fill, np.zeros(more, np.int64)])
        self._limit = np.concatenate([self._limit, np.full(more, _BLOCK)])
        self._slots = list(range(self._capacity - 1, old - 1, -1))
        self._activity.grow(self._capacity)

    def _arrange(self, rows: Mapping[str, int]) -> None:
        self._dirty = False
        self._active = list(self._recordings.values())
        self._active_slots = np.array([r.slot for r in self._active], np.int64)

        def row(recording: _Recording, leg: str | None) -> int:
            return 0 if leg is None or recording.paused_at is not None else rows.get(leg, 0)

        self._left = np.array([row(r, r.left) for r in self._active], np.int64)
        self._right = np.array([row(r, r.right) for r in self._active], np.int64)
        self._watched = [r for r in self._active if r.command.silence]
        self._watched_slots = np.array([r.slot for r in self._watched], np.int64)
        self._watched_rows = np.array([row(r, r.left) for r in self._watched], np.int64)
        self._patience = np.array([round(r.command.silence / _TICK) for r in self._watched], np.int64)

    def _flush(self, recording: _Recording) -> None:
        fill = int(self._fill[recording.slot])
        self._fill[recording.slot] = 0
        self._limit[recording.slot] = _BLOCK
        if fill:
            block = self._block[recording.slot, :, :fill].reshape(2, fill * FRAME)
            self._writer.write(recording.file, recording.written * FRAME, block.T.tobytes())
            recording.written += fill
