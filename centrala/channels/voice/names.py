"""Where a SIP host name leads: SRV, then A and AAAA (RFC 3263), by dnspython; answers are kept for their lifetime."""

import asyncio
import ipaddress
import random
from functools import lru_cache

import dns.asyncresolver
import dns.exception
import dns.resolver

from centrala.protocols.sip.flow import DEFAULT_PORTS

LONGEST = 300.0
"Seconds that an answer is kept at most; a carrier that moves is found again within them."

FAILED = 5.0
"Seconds that a failure is kept, so that a burst of calls asks once."

SHORTEST = 1.0
"The same at least, whatever the answer says: the calls of one second ask once."

NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.NoNameservers)

WITHIN = 3.0
KEPT = 1000


class Names:
    """A cache before the resolver. `known` answers at once or not at all, `locate` asks."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self._resolver = resolver
        self._kept: dict[tuple[str, str, int], tuple[float, tuple[str, int] | None]] = {}
        self._asking: dict[tuple[str, str, int], asyncio.Task[tuple[str, int] | None]] = {}

    def known(self, transport: str, host: str, port: int) -> tuple[bool, tuple[str, int] | None]:
        """(whether we know, the address or None where there is none)."""
        found = self._kept.get((transport, host, port))
        if found is None or found[0] < asyncio.get_running_loop().time():
            return False, None
        return True, found[1]

    async def locate(self, transport: str, host: str, port: int) -> tuple[str, int] | None:
        """The first address to try, None if the name leads nowhere. Never raises."""
        key = (transport, host, port)
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(self._ask(key))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, key: tuple[str, str, int]) -> tuple[str, int] | None:
        transport, host, port = key
        address, lifetime = None, FAILED
        try:
            async with asyncio.timeout(WITHIN):
                address, lifetime = await self._resolve(transport, host, port)
        except (dns.exception.DNSException, TimeoutError, OSError, UnicodeError, ValueError):
            pass
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key] = (asyncio.get_running_loop().time() + max(lifetime, SHORTEST), address)
        return address

    async def _resolve(self, transport: str, host: str, port: int) -> tuple[tuple[str, int] | None, float]:
        resolver = self._resolver or dns.asyncresolver.get_default_resolver()
        lifetime = LONGEST
        # A port that was named rules SRV out (RFC 3263 4.2); the default one may come from no port at all.
        if port == DEFAULT_PORTS[transport]:
            try:
                answer = await resolver.resolve(_service(transport, host), "SRV")
            except NOTHING:
                pass
            else:
                best = min(record.priority for record in answer)
                first = [record for record in answer if record.priority == best]
                chosen = random.choices(first, [record.weight + 0.1 for record in first])[0]
                host, port = chosen.target.to_text(omit_final_dot=True), chosen.port
                lifetime = min(lifetime, answer.rrset.ttl if answer.rrset is not None else FAILED)
        for family in ("A", "AAAA"):
            try:
                found = await resolver.resolve(host, family)
            except NOTHING:
                continue
            ttl = found.rrset.ttl if found.rrset is not None else FAILED
            return (found[0].to_text(), port), min(lifetime, ttl)
        return await _by_system(host, port), lifetime


async def _by_system(host: str, port: int) -> tuple[str, int] | None:
    """Names that only this machine knows (/etc/hosts). Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port)
    return (str(found[0][4][0]), port) if found else None


def _service(transport: str, host: str) -> str:
    secure = transport in ("tls", "wss")
    return f"_{'sips' if secure else 'sip'}._{'udp' if transport == 'udp' else 'tcp'}.{host}"


@lru_cache(maxsize=4096)
def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
