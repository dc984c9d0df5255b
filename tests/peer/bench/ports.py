"""Free ports on loopback for the programs that a test starts.

Everything lies in 30000-32700: below the kernel's ephemeral range (32768 and up), above the media range of
the example centre (20000-29999). A port is bound to see that it is free, given up, and never handed out twice
in this process. Between the two a stranger may take it; the random start makes that rare.
"""

import random
import socket
from itertools import count

_LOW, _HIGH = 30000, 32700
_taken: set[int] = set()
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


def block(size: int, *, even: bool = False) -> int:
    """The first of `size` neighbouring ports, free for both UDP and TCP. Raises RuntimeError if there are none."""
    for _ in range(2000):
        first = _random.randrange(_LOW, _HIGH - size)
        if even:
            first &= ~1
        ports = range(first, first + size)
        if _taken.isdisjoint(ports) and all(
            _is_free(port, kind) for port in ports for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
        ):
            _taken.update(ports)
            return first
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
