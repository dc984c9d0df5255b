"""Pairs of UDP sockets, RTP on an even port and RTCP on the next, bound before they are needed."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

POOL = 128
"""Pairs kept ready. A burst of 60 calls a second takes 120 pairs; a tick binds up to 20, so that the pool is whole
again before the application has heard of the next second."""
_BINDS_A_TICK = 20
_TRIES_A_TICK = 200
REST_SECONDS = 2.0
"""How long the port of a closed leg isn't given to another: packets of the old call may be under way."""
ORPHAN_SECONDS = 60.0
_EXPEDITED = 0xB8
"""DSCP EF (RFC 3246), so that routers prefer the audio."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two bound sockets that don't block."""

    port: int
    rtp: socket.socket
    rtcp: socket.socket

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


class Ports:
    """All ports of a worker: free (told to the application), taken by it, used by a leg, resting."""

    def __init__(self, address: str, first: int, last: int) -> None:
        self._address = address
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._first = first + first % 2
        self._count = max((last - self._first + 1) // 2, 0)
        self._cursor = 0
        self._free: dict[int, Pair] = {}
        self._taken: dict[int, Pair] = {}
        self._orphans: dict[int, float] = {}
        self._resting: deque[tuple[float, Pair]] = deque()
        self._known: set[int] = set()
        """Bound by us, whatever for."""
        self._exhausted_until = 0.0
        self._in_vain = 0
        """Ports tried since one could be bound: another program may have the first thousands."""

    @property
    def free(self) -> list[int]:
        return list(self._free)

    def tick(self, now: float) -> list[int]:
        """Tops the pool up; ports now free on top of the others."""
        fresh: list[int] = []
        while self._resting and self._resting[0][0] <= now:
            pair = self._resting.popleft()[1]
            fresh += self._give(pair)
        if self._orphans:
            for port in [port for port, until in self._orphans.items() if until <= now]:
                del self._orphans[port]
                if port in self._taken:
                    fresh += self._give(self._taken.pop(port))
        if len(self._free) < POOL and now >= self._exhausted_until:
            for port in self._candidates(min(_TRIES_A_TICK, self._count)):
                pair_or_none = self._bind(port)
                if pair_or_none is not None:
                    fresh += self._give(pair_or_none)
                if len(fresh) >= _BINDS_A_TICK or len(self._free) >= POOL:
                    break
            self._in_vain = 0 if fresh else self._in_vain + _TRIES_A_TICK
            if self._in_vain >= self._count:  # the whole range is in others' hands
                self._in_vain, self._exhausted_until = 0, now + 1.0
        return fresh

    def take(self, port: int) -> bool:
        """The application has promised this port to somebody. False: it is in a leg's hands or not ours."""
        self._orphans.pop(port, None)
        if port in self._taken:
            return True
        pair = self._free.pop(port, None)
        if pair is None:
            return False
        self._taken[port] = pair
        return True

    def untake(self, port: int, now: float) -> None:
        """A promise that came to nothing. The port rests: somebody may have been told."""
        pair = self._taken.pop(port, None)
        if pair is not None:
            self._resting.append((now + REST_SECONDS, pair))

    def use(self, port: int) -> Pair | None:
        """The sockets for a leg; bound now if the port wasn't among ours. None: it can't be bound."""
        self._orphans.pop(port, None)
        for held in (self._taken, self._free):
            if port in held:
                return held.pop(port)
        for entry in self._resting:
            if entry[1].port == port:
                self._resting.remove(entry)
                return entry[1]
        return None if port in self._known else self._bind(port)

    def give_back(self, pair: Pair, now: float) -> None:
        """Of a closed leg. The sockets are replaced: nothing of the old call (latching, queued packets) remains."""
        pair.close()
        self._known.discard(pair.port)
        fresh = self._bind(pair.port)
        if fresh is not None:
            self._resting.append((now + REST_SECONDS, fresh))

    def new_application(self, now: float) -> None:
        """Ports that the one before had taken are free after a minute, if nobody names them until then."""
        self._orphans = dict.fromkeys(self._taken, now + ORPHAN_SECONDS)

    def close(self) -> None:
        for pair in (*self._free.values(), *self._taken.values(), *(pair for _, pair in self._resting)):
            pair.close()

    def _give(self, pair: Pair) -> list[int]:
        if len(self._free) >= 2 * POOL:
            pair.close()
            self._known.discard(pair.port)
            return []
        drain(pair.rtp)
        self._free[pair.port] = pair
        return [pair.port]

    def _candidates(self, count: int) -> Iterator[int]:
        for _ in range(count):
            port = self._first + 2 * self._cursor
            self._cursor = (self._cursor + 1) % self._count
            if port not in self._known:
                yield port

    def _bind(self, port: int) -> Pair | None:
        sockets: list[socket.socket] = []
        try:
            for number in (port, port + 1):
                one = socket.socket(self.family, socket.SOCK_DGRAM)
                sockets.append(one)
                one.setblocking(False)
                one.bind((self._address, number))
                if self.family == socket.AF_INET:
                    one.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
                else:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
        except (OSError, OverflowError):
            for one in sockets:
                one.close()
            return None
        self._known.add(port)
        return Pair(port, sockets[0], sockets[1])


def drain(one: socket.socket) -> None:
    """Throws away what has arrived."""
    for _ in range(1000):
        try:
            one.recv(1)
        except BlockingIOError:
            return
        except OSError:
            continue
