"""Deadlines by owner and name: set, cancel, take what is due. No clock inside."""

import heapq


class Timers:
    """Cancelled and replaced deadlines stay in the heap until they come up or outnumber the living."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str, str]] = []
        self._due: dict[str, dict[str, float]] = {}
        self._count = 0
        self._living = 0

    def set(self, owner: str, name: str, at: float) -> None:
        names = self._due.get(owner)
        if names is None:
            names = self._due[owner] = {}
        if name not in names:
            self._living += 1
        names[name] = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, owner, name))
        if len(self._heap) > 1000 and len(self._heap) > 4 * self._living:
            self._heap = [entry for entry in self._heap if self._valid(entry)]
            heapq.heapify(self._heap)

    def cancel(self, owner: str, name: str) -> None:
        names = self._due.get(owner)
        if names is not None and names.pop(name, None) is not None:
            self._living -= 1
            if not names:
                del self._due[owner]

    def cancel_all(self, owner: str) -> None:
        self._living -= len(self._due.pop(owner, ()))

    def _valid(self, entry: tuple[float, int, str, str]) -> bool:
        at, _, owner, name = entry
        names = self._due.get(owner)
        return names is not None and names.get(name) == at

    def next(self) -> float | None:
        heap = self._heap
        while heap and not self._valid(heap[0]):
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def pop(self, now: float) -> tuple[str, str] | None:
        """Owner and name of one timer that is due, taken out; None if there is none."""
        at = self.next()
        if at is None or at > now:
            return None
        _, _, owner, name = heapq.heappop(self._heap)
        self.cancel(owner, name)
        return owner, name

    def __len__(self) -> int:
        return self._living
