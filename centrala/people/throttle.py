"""Slowing down whoever guesses passwords: by user and by address, longer each time, in bounded memory. Pure."""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    free: int
    "Attempts in a row before there is any delay."
    longest: float
    "Seconds; the delay doubles from one second up to this."
    forget: float = 3600.0
    "Seconds without an attempt after which everything is forgiven."


# Somebody else must not be able to lock a user out for long; an address may be a whole office behind one NAT.
BY_USER = Limits(free=4, longest=60.0)
BY_ADDRESS = Limits(free=20, longest=300.0)


@dataclass(slots=True)
class _Count:
    attempts: int
    last: float
    until: float


class Throttle:
    """Counts attempts as failures at once, so that many at the same time gain nothing; `succeeded` takes it back."""

    def __init__(self, limits: Limits, size: int = 10_000) -> None:
        self._limits = limits
        self._size = size
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def wait(self, key: str, now: float) -> float:
        """Seconds until the next attempt is heard; 0 when it is now. Counts nothing."""
        count = self._counts.get(key)
        if count is None or now - count.last > self._limits.forget:
            return 0.0
        return max(count.until - now, 0.0)

    def attempt(self, key: str, now: float) -> None:
        count = self._counts.pop(key, None)
        if count is None or now - count.last > self._limits.forget:
            count = _Count(0, now, now)
        count.attempts += 1
        count.last = now
        over = count.attempts - self._limits.free
        if over >= 0:
            count.until = now + min(2.0 ** min(over, 20), self._limits.longest)
        self._counts[key] = count
        while len(self._counts) > self._size:
            self._counts.popitem(last=False)

    def succeeded(self, key: str) -> None:
        self._counts.pop(key, None)

    def take_back(self, key: str) -> None:
        """One attempt less; for an address, where one good password doesn't excuse the bad ones."""
        count = self._counts.get(key)
        if count is not None:
            count.attempts -= 1
            if count.attempts < self._limits.free:
                count.until = count.last
