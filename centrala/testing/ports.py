"""Free ports on this machine, for centres that come and go: found by binding, so another program may still win."""

import socket

STREAM = socket.SOCK_STREAM


def free(host: str, preferred: int = 0, kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """The preferred port if it can be bound, else any free one. Raises OSError when not even that is to be had."""
    for port in (preferred, 0):
        try:
            with _bound(host, port, kind) as sock:
                return int(sock.getsockname()[1])
        except OSError:
            if port == 0:
                raise
    raise AssertionError("unreachable")


def is_free(host: str, port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    """Whether it can be bound now. Raises OSError when the address isn't one of this machine."""
    _bound(host, 0, kind).close()
    try:
        _bound(host, port, kind).close()
    except OSError:
        return False
    return True


def free_range(host: str, first: int, count: int) -> tuple[int, int]:
    """First and last of `count` free UDP ports, from `first` on upwards. Raises OSError when there are none."""
    _bound(host, 0, socket.SOCK_DGRAM).close()
    start = first
    while start + count <= 65536:
        taken = [port for port in range(start, start + count) if not is_free(host, port)]
        if not taken:
            return start, start + count - 1
        start = taken[-1] + 1 + (taken[-1] + 1) % 2
    raise OSError(f"no {count} free UDP ports in a row from {first} on at {host}")


def bound(host: str) -> socket.socket:
    """A UDP socket on any free port."""
    return _bound(host, 0, socket.SOCK_DGRAM)


def _bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        if kind is socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
