"""Free ports on loopback for the programs that a test starts.

Everything lies in 30000-32700: below the kernel's ephemeral range (32768 and up), above the media range of
the example centre (20000-29999). A port is bound to see that it is free and given up again; until the program
binds it, a lock on its byte of a common file keeps other test runs on this machine off it. The end of the test
(`give_back`, called in conftest.py), or of the process, takes the locks away.
"""

import fcntl
import os
import random
import socket
import tempfile
from itertools import count
from pathlib import Path

_LOW, _HIGH = 30000, 32700
_taken: set[int] = set()
_locks: int | None = None
_random = random.SystemRandom()
_address = count(1)


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    # The wildcard address, not 127.0.0.1 alone: sipp listens on every address unless told otherwise.
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def _lock(first: int, size: int) -> bool:
    global _locks
    if _locks is None:
        path = Path(tempfile.gettempdir()) / f"sip-bench-ports-{os.getuid()}"
        _locks = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(_locks, fcntl.LOCK_EX | fcntl.LOCK_NB, size, first)
    except OSError:
        return False
    return True


def _unlock(first: int, size: int) -> None:
    if _locks is not None:
        fcntl.lockf(_locks, fcntl.LOCK_UN, size, first)


def give_back() -> None:
    """The test is over, and so is everything it started: its ports may be handed out again."""
    _taken.clear()
    _unlock(_LOW, _HIGH - _LOW)


def block(size: int, *, even: bool = False) -> int:
    """The first of `size` neighbouring ports, free for both UDP and TCP. Raises RuntimeError if there are none."""
    for _ in range(2000):
        first = _random.randrange(_LOW, _HIGH - size)
        if even:
            first &= ~1
        ports = range(first, first + size)
        # Our own first: the kernel would let one process lock its own bytes again.
        if not _taken.isdisjoint(ports) or not _lock(first, size):
            continue
        if all(_is_free(port, kind) for port in ports for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            _taken.update(ports)
            return first
        _unlock(first, size)
    raise RuntimeError(f"no {size} free ports between {_LOW} and {_HIGH}; does something leak sockets?")


def free_udp(n: int = 1) -> list[int]:
    """`n` ports, each free for UDP (and TCP)."""
    return [block(1) for _ in range(n)]


def free_tcp(n: int = 1) -> list[int]:
    """`n` ports, each free for TCP (and UDP)."""
    return [block(1) for _ in range(n)]


def free_sip() -> int:
    """A port for SIP whose neighbour is free too: baresip puts TLS on the port after `sip_listen`."""
    return block(2)


def free_rtp() -> int:
    """An even port with its odd RTCP neighbour free."""
    return block(2, even=True)


def loopback() -> str:
    """Another address of 127.0.5.0/24: Linux has the whole of 127/8, so each caller can be a host of its own."""
    return f"127.0.5.{next(_address) % 250 + 2}"
