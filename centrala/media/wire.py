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

from centrala.media.secure import Secure, ffi, unprotect
from centrala.protocols.rtp.g711 import FRAME
from centrala.protocols.rtp.packet import RTCP_TYPES, frame_dtype

Address = tuple[str, int]

WIDTH = 576
"""Bytes kept of a datagram: 60 ms of G.711 with headers. What fills it wholly was longer and is ignored."""
_WIDE = 4096
"""The same while a handshake is under way."""
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
    secure: Secure | None = None
    """A browser's leg: it is never connected, for its peer may come from elsewhere at any time (RFC 8445, 2.2)."""

    @property
    def destination(self) -> Address | None:
        if self.secure is not None:
            return self.secure.destination
        return self.latched if self.symmetric and self.latched is not None else self.remote


class Wire:
    """`accept(line, data, source)` is asked for each packet of an open line: is it to be heard?

    `other(line, data, source)` gets what comes on a browser's line and isn't RTP: STUN, DTLS, SRTCP.
    """

    def __init__(
        self,
        accept: Callable[[Line, memoryview, Address], bool],
        other: Callable[[Line, bytes, Address], None],
    ) -> None:
        self._accept = accept
        self._other = other
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._readers: dict[int, tuple[Callable[[memoryview], int], int, Secure | None]] = {}
        self._matrix = np.zeros((_EVENTS, WIDTH), np.uint8)
        self._views = [row.data for row in self._matrix]
        self._pointers = [ffi.from_buffer(view) for view in self._views]
        self._length = ffi.new("int *")
        self._wide = memoryview(bytearray(_WIDE))
        self.errors = 0
        """Of sending: nobody there, no buffer, no route."""

    def add(self, line: Line) -> None:
        descriptor = line.socket.fileno()
        self._lines[line.row] = line
        self._epoll.register(descriptor, select.EPOLLIN)
        reader = self._open_reader(line) if line.secure is None else self._secure_reader(line, line.secure)
        self._readers[descriptor] = (reader, line.row, line.secure)

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
            self._readers[line.socket.fileno()] = (line.socket.recv_into, line.row, None)

    def open(self, line: Line) -> None:
        """Listens to all again; sends to where it sent before."""
        if line.latched is not None and line.symmetric:
            line.remote = line.latched
            disconnect(line.socket)
        line.latched = None
        line.knocks.clear()
        self._readers[line.socket.fileno()] = (self._open_reader(line), line.row, None)

    def _open_reader(self, line: Line) -> Callable[[memoryview], int]:
        receive = line.socket.recvfrom_into

        def read(view: memoryview) -> int:
            size, source = receive(view)
            return size if self._accept(line, view[:size], source[:2]) else 0

        return read

    def _secure_reader(self, line: Line, secure: Secure) -> Callable[[memoryview], int]:
        """RTP is left in the view, to be opened there; the rest goes to `other`."""
        receive, wide = line.socket.recvfrom_into, self._wide

        def read(view: memoryview) -> int:
            buffer = wide if secure.wide else view
            size, source = receive(buffer)
            if size < 2:
                return 0
            if buffer[0] >> 6 == 2 and buffer[1] not in RTCP_TYPES:
                if secure.inbound is None or size > len(view):
                    return 0
                if buffer is not view:
                    view[:size] = buffer[:size]
                return size
            self._other(line, bytes(buffer[:size]), source[:2])
            return 0

        return read

    def _unsealed(self, secure: Secure, at: int, size: int) -> int:
        """Opens SRTP in place; the packet's length then, 0 if it isn't the peer's or came before."""
        if secure.inbound is None:
            return 0
        length = self._length
        length[0] = size
        return length[0] if unprotect(secure.inbound, self._pointers[at], length) == 0 else 0

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
                read, row, secure = readers[descriptor]
                try:
                    size = read(views[count])
                except OSError:
                    continue
                if size and secure is not None:
                    size = self._unsealed(secure, count, size)
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
