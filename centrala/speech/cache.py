"""Spoken texts as files: kept while there is room; those about a person are gone after a quarter of an hour."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

FOLDER = "speech"
"Below the data folder."
PRIVATE = "private"

KEPT = 15 * 60.0
"Seconds that a file about a person is kept."
_ENOUGH = 60.0
"Seconds of these that must be left for it to be played again."
_TOUCHED = 3600.0
"Seconds after which the use of a file is written down anew."
_HEADER = 44
"Bytes of a WAV without sound."
_MOST_PRIVATE = 10_000


class Cache:
    """Files by path, relative to the data folder. `find` doesn't block; the rest belongs into a thread."""

    def __init__(self, data: Path, most: int, clock: Callable[[], float]) -> None:
        self._data = data
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        "Least recently used first."
        self._bytes = 0
        self._ends: OrderedDict[str, float] = OrderedDict()
        "Private path → when it goes."

    @property
    def used(self) -> int:
        """Bytes that are kept, without what is private."""
        return self._bytes

    def open(self) -> None:
        """Take over what is there. What is private or half written goes."""
        folder = self._data / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found: list[tuple[float, str, int]] = []
        for file in folder.glob("*/*"):
            with contextlib.suppress(OSError):
                if file.parent.name == PRIVATE or file.suffix != ".wav":
                    file.unlink()
                    continue
                about = file.stat()
                found.append((about.st_mtime, file.relative_to(self._data).as_posix(), about.st_size))
        with self._lock:
            self._sizes = OrderedDict((path, size) for _, path, size in sorted(found))
            self._bytes = sum(self._sizes.values())
            self._ends = OrderedDict()
        self._make_room()

    def find(self, path: str) -> bool:
        """Whether it is there and stays long enough to be played."""
        file = self._data / path
        try:
            about = file.stat()
        except OSError:
            return False
        if about.st_size <= _HEADER:
            return False
        now = self._clock()
        with self._lock:
            if path in self._sizes:
                self._sizes.move_to_end(path)
            elif _private(path):
                return self._ends.get(path, 0.0) - now > _ENOUGH
        if now - about.st_mtime > _TOUCHED:
            with contextlib.suppress(OSError):
                os.utime(file, (now, now))
        return True

    def keep(self, path: str, content: bytes) -> None:
        """Write it, whole or not at all. Raises OSError."""
        file = self._data / path
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = file.with_name(f".{secrets.token_hex(8)}")
        try:
            with made.open("xb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            made.replace(file)
        finally:
            made.unlink(missing_ok=True)
        with self._lock:
            if _private(path):
                self._ends[path] = self._clock() + KEPT
                self._ends.move_to_end(path)
            else:
                self._bytes += len(content) - self._sizes.pop(path, 0)
                self._sizes[path] = len(content)
        self._make_room()

    def sweep(self) -> None:
        """Delete what is private and old."""
        now = self._clock()
        with self._lock:
            gone = [path for path, end in self._ends.items() if end <= now]
            gone += list(self._ends)[: max(0, len(self._ends) - len(gone) - _MOST_PRIVATE)]
            for path in gone:
                self._ends.pop(path, None)
        self._delete(gone)

    def forget(self) -> None:
        """Delete all that is private."""
        with self._lock:
            gone = list(self._ends)
            self._ends.clear()
        self._delete(gone)

    def _make_room(self) -> None:
        gone = []
        with self._lock:
            while self._bytes > self._most and len(self._sizes) > 1:
                path, size = self._sizes.popitem(last=False)
                self._bytes -= size
                gone.append(path)
        self._delete(gone)

    def _delete(self, paths: list[str]) -> None:
        for path in paths:
            with contextlib.suppress(OSError):
                (self._data / path).unlink()


def _private(path: str) -> bool:
    return path.startswith(f"{FOLDER}/{PRIVATE}/")
