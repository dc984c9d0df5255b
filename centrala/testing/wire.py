"""A bad network between two UDP ends, scripted: the same packets are lost, doubled and late in every run.

    async with Wire(centre, Pattern(loss=0.05, jitter=0.03), seed=7) as wire:
        ...                      # send to wire.address instead of `centre`; answers come back through it

Who sends first to the wire is the near end; what the far end answers goes there.
"""

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from centrala.testing.phone import Address
from centrala.testing.ports import bound


@dataclass(frozen=True, slots=True)
class Pattern:
    """What happens to packets in one direction. Shares from 0 to 1, times in seconds."""

    loss: float = 0.0
    burst: float = 1.0
    """Mean length of a loss, in packets."""
    duplicate: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    """Each packet is late by up to this on top of `delay`, evenly distributed: more than 20 ms reorders audio."""
    script: Sequence[bool] = ()
    """Which of the first packets arrive; after them chance decides."""


def fates(pattern: Pattern, seed: int) -> Iterator[tuple[float, ...]]:
    """For each packet the delays of its copies: () is lost, one is normal, two are a duplicate."""
    chance = random.Random(seed)
    losing = 0
    number = 0
    while True:
        if number < len(pattern.script):
            lost = not pattern.script[number]
        elif losing:
            losing -= 1
            lost = True
        else:
            lost = chance.random() < pattern.loss / max(pattern.burst, 1.0)
            if lost and pattern.burst > 1:
                losing = min(int(chance.expovariate(1 / (pattern.burst - 1)) + 0.5), 1000)
        copies = 2 if chance.random() < pattern.duplicate else 1
        late = tuple(pattern.delay + pattern.jitter * chance.random() for _ in range(copies))
        yield () if lost else late
        number += 1


class Wire:
    """A relay in front of one UDP address. `there` is the way to it, `back` the way from it (default: the same)."""

    def __init__(
        self,
        far: Address,
        there: Pattern,
        back: Pattern | None = None,
        *,
        seed: int = 1,
        host: str = "127.0.0.1",
    ) -> None:
        self._far = far
        self._host = host
        self._fates = (fates(there, seed), fates(there if back is None else back, seed + 1))
        self._near: Address | None = None
        self._pending: set[asyncio.TimerHandle] = set()
        self.address: Address = (host, 0)
        """Where the near end sends to."""
        self.passed = [0, 0]
        """Packets that came in, there and back."""
        self.lost = [0, 0]

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._sockets = (bound(self._host), bound(self._host))
        for number, sock in enumerate(self._sockets):
            sock.setblocking(False)
            self._loop.add_reader(sock, self._readable, number, sock)
        self.address = self._sockets[0].getsockname()[:2]
        return self

    async def __aexit__(self, *_: object) -> None:
        for handle in self._pending:
            handle.cancel()
        for sock in self._sockets:
            self._loop.remove_reader(sock)
            sock.close()

    def _readable(self, way: int, sock: socket.socket) -> None:
        """`way` 0: the near end's packets, 1: the far end's."""
        for _ in range(256):
            try:
                data, source = sock.recvfrom(65536)
            except OSError:
                return
            if way == 0:
                self._near = (source[0], source[1])
            self.passed[way] += 1
            copies = next(self._fates[way])
            self.lost[way] += not copies
            for late in copies:
                if late > 0:
                    self._later(late, way, data)
                else:
                    self._send(way, data)

    def _later(self, late: float, way: int, data: bytes) -> None:
        def send() -> None:
            self._pending.discard(handle)
            self._send(way, data)

        handle = self._loop.call_later(late, send)
        self._pending.add(handle)

    def _send(self, way: int, data: bytes) -> None:
        to = self._far if way == 0 else self._near
        if to is not None:
            with contextlib.suppress(OSError):
                self._sockets[1 - way].sendto(data, to)
