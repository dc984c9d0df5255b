"""The RTP sockets of all legs: datagrams in as rows of one matrix, rows of another matrix out.

A leg's socket is *open* until a valid packet has come, then *latched*: connected to where it came from, so that the
kernel keeps strangers out, and a packet costs one bare system call.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from centrala.protocols.rtp.g711 import FRAME
from centrala.protocols.rtp.packet import frame_dtype

Address = tuple[str, int]

WIDTH = 576
"""Bytes kept of a datagram: 60 ms of G.711 with headers. What fills it wholly was longer and is ignored."""
_MAX_PASSES = 24
_EVENTS = 4096
OUT = frame_dtype(FRAME)

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(slots=True)
class Line:
    """One leg's RTP socket."""

    row: int
    socket: socket.socket
    remote: Address | None
    """Where we send while nothing has latched."""
    symmetric: bool
    latched: Address | None = None
    barred: Address | None = None
    """The source before the last change of `remote`: its last packets must not latch again."""
    knocks: dict[Address, int] = field(default_factory=dict)
    """Valid packets of strangers since the old source fell silent."""

    @property
    def destination(self) -> Address | None:
        return self.latched if self.symmetric and self.latched is not None else self.remote


class Wire:
    """`accept(row, data, size, source)` is asked for each packet of an open line: is it to be heard?"""

    def __init__(self, accept: Callable[[Line, memoryview, Address], bool]) -> None:
        self._accept = accept
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._readers: dict[int, tuple[Callable[[memoryview], int], int]] = {}
        self._matrix = np.zeros((_EVENTS, WIDTH), np.uint8)
        self._views = [row.data for row in self._matrix]
        self.errors = 0
        """Of sending: nobody there, no buffer, no route."""

    def add(self, line: Line) -> None:
        descriptor = line.socket.fileno()
        self._lines[line.row] = line
        self._epoll.register(descriptor, select.EPOLLIN)
        self._readers[descriptor] = (self._open_reader(line), line.row)

    def remove(self, line: Line) -> None:
        descriptor = line.socket.fileno()
        self._lines.pop(line.row, None)
        if self._readers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def latch(self, line: Line, source: Address) -> None:
        """From now on this source alone is heard (and, if symmetric, spoken to)."""
        line.latched, line.barred = source, None
        line.knocks.clear()
        if line.symmetric:
            try:
                line.socket.connect(source)
            except OSError:
                line.latched = None
                return
            self._readers[line.socket.fileno()] = (line.socket.recv_into, line.row)

    def open(self, line: Line) -> None:
        """Listens to all again; sends to where it sent before."""
        if line.latched is not None and line.symmetric:
            line.remote = line.latched
            disconnect(line.socket)
        line.latched = None
        line.knocks.clear()
        self._readers[line.socket.fileno()] = (self._open_reader(line), line.row)

    def _open_reader(self, line: Line) -> Callable[[memoryview], int]:
        receive = line.socket.recvfrom_into

        def read(view: memoryview) -> int:
            size, source = receive(view)
            return size if self._accept(line, view[:size], source[:2]) else 0

        return read

    def passes(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]]:
        """Rows, sizes and bytes of what has arrived, at most one datagram a row in each pass."""
        views, poll = self._views, self._epoll.poll
        for _ in range(_MAX_PASSES):
            ready = poll(0, _EVENTS)
            if not ready:
                return
            readers = self._readers
            rows: list[int] = []
            sizes: list[int] = []
            count = 0
            for descriptor, _ in ready:
                read, row = readers[descriptor]
                try:
                    size = read(views[count])
                except OSError:
                    continue
                if size:
                    rows.append(row)
                    sizes.append(size)
                    count += 1
            if count:
                yield np.array(rows), np.array(sizes), self._matrix[:count]

    def send(self, lines: list[Line], frames: list[memoryview]) -> None:
        """One datagram a line."""
        work = iter(zip(lines, frames, strict=True))
        while True:
            try:
                for line, frame in work:
                    if line.latched is not None and line.symmetric:
                        line.socket.send(frame)
                    elif line.remote is not None:
                        line.socket.sendto(frame, line.remote)
                return
            except OSError:
                self.errors += 1

    def close(self) -> None:
        self._epoll.close()


def send_all(sockets: list[socket.socket], frames: list[memoryview]) -> int:
    """One datagram each over connected sockets; the number of those that failed. No Python frame per packet."""
    work = map(socket.socket.send, sockets, frames)
    failed = 0
    while True:
        try:
            deque(work, maxlen=0)
            return failed
        except OSError:
            failed += 1


def disconnect(one: socket.socket) -> None:
    """Takes a UDP socket's peer away; it stays bound. (Python's connect can't say AF_UNSPEC.)"""
    nobody = bytes(16)
    if _libc.connect(one.fileno(), nobody, len(nobody)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
