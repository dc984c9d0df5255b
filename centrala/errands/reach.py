"""Which addresses a flow may reach over HTTP: the internet, and what the house has allowed by name.

The address that was looked at is the one that is connected to: a name that resolves to something else a moment later
(DNS rebinding) gains nothing.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import httpcore2

Address = IPv4Address | IPv6Address

_KNOWN_FOR = 5.0
"Seconds for which a resolved name is taken as it was: 300 callers ask for the same one."
_NAT64 = IPv6Network("64:ff9b::/96")


class Forbidden(Exception):
    """The host is inside, and isn't allowed."""


class Unresolved(Exception):
    """The host has no address."""


def outside(address: Address) -> bool:
    """Whether this is an address of the internet: no loopback, private, link-local, shared or multicast one.

    An IPv6 address that stands for an IPv4 one (mapped, 6to4, NAT64, Teredo) is what that is.
    """
    if isinstance(address, IPv6Address):
        within = address.ipv4_mapped or address.sixtofour
        if within is None and address in _NAT64:
            within = IPv4Address(int(address) & 0xFFFFFFFF)
        if within is None and address.teredo is not None:
            return False
        if within is not None:
            return outside(within)
    return address.is_global and not (address.is_multicast or address.is_unspecified or address.is_reserved)


class Allowed:
    """What a tenant may reach inside: `host`, `host:port`, `[address]:port` or a network, as its settings list it."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self._hosts = {_split(one) for one in listed}
        self._networks: list[tuple[IPv4Network | IPv6Network, int | None]] = []
        for host, port in self._hosts:
            with contextlib.suppress(ValueError):  # a name
                self._networks.append((ip_network(host, strict=False), port))

    def host(self, host: str, port: int) -> bool:
        host = host.lower().rstrip(".")
        return (host, port) in self._hosts or (host, None) in self._hosts

    def address(self, address: Address, port: int) -> bool:
        return outside(address) or any(
            address in network and wanted in (None, port) for network, wanted in self._networks
        )


def _split(listed: str) -> tuple[str, int | None]:
    """(host in ASCII, port)."""
    listed = listed.strip().lower()
    if listed.startswith("["):
        host, _, rest = listed[1:].partition("]")
        return host, int(rest[1:]) if rest[1:].isdecimal() else None
    host, colon, port = listed.rpartition(":")
    if not colon or ":" in host or not port.isdecimal():
        host, port = listed, ""
    with contextlib.suppress(UnicodeError):
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    return host.rstrip("."), int(port) if port else None


class Resolver:
    """Names to addresses, in threads of its own: a name server that hangs holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="names")
        self._known: dict[tuple[str, int], tuple[float, asyncio.Future[list[Address]]]] = {}

    async def addresses(self, host: str, port: int) -> list[Address]:
        """In the order of the system's choice (RFC 6724). Raises Unresolved."""
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        now = time.monotonic()
        until, asked = self._known.get((host, port), (0.0, None))
        if asked is None or (asked.done() and (now > until or asked.cancelled() or asked.exception())):
            if len(self._known) > 1000:
                self._known.clear()
            asked = asyncio.get_running_loop().run_in_executor(self._threads, _resolve, host, port)
            self._known[host, port] = now + _KNOWN_FOR, asked
        return await asyncio.shield(asked)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise Unresolved(host) from problem
    # A scope (fe80::1%eth0) is of link-local addresses alone, which are refused anyway.
    return list(dict.fromkeys(ip_address(str(one[4][0]).partition("%")[0]) for one in found))


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were looked at, and to nothing else. Raises Forbidden, Unresolved."""

    def __init__(self, allowed: Allowed, resolver: Resolver) -> None:
        self._allowed = allowed
        self._resolver = resolver
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the base class has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        found = await self._resolver.addresses(host, port)
        named = self._allowed.host(host, port)
        good = [one for one in found if named or self._allowed.address(one, port)]
        if not good:
            raise Forbidden(host)
        for address in good[:-1]:
            with contextlib.suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._network.connect_tcp(str(address), port, 2.0, None, socket_options)
        return await self._network.connect_tcp(str(good[-1]), port, timeout, None, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 the base class has it
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise Forbidden(path)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
