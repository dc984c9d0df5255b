"""Answers that hold for a while: the last used ones, bounded in number and bytes."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """Key → answer. Times are those of one clock, whichever."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, tuple[float, int, V]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable, now: float) -> V | None:
        found = self._kept.get(key)
        if found is None:
            return None
        until, _, answer = found
        if until <= now:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return answer

    def put(self, key: Hashable, answer: V, size: int, until: float) -> None:
        self._drop(key)
        self._kept[key] = until, size, answer
        self._bytes += size
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= found[1]
