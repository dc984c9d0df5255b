"""Time that only moves when told to, for what is given its time: the core, the protocols, the live view."""

import heapq
import itertools
from collections.abc import Callable


class Clock:
    """`clock()` is now, in unix seconds; `at` and `later` call back while `move` passes by."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        return self._now

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do it when the clock gets there; what is due at the same time is done in the order of asking."""
        heapq.heappush(self._due, (when, next(self._order), do))

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        self.at(self._now + seconds, do)

    def move(self, seconds: float) -> None:
        """Let so much time pass, doing all that falls due, also what is asked for on the way."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            when, _, do = heapq.heappop(self._due)
            self._now = max(self._now, when)
            do()
        self._now = end

    @property
    def next(self) -> float | None:
        """When something falls due next."""
        return self._due[0][0] if self._due else None
