"""Host names of carriers (RFC 3263) against a foreign name server: dnsmasq."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dns.asyncresolver
import pytest
from bench import ports

from centrala.channels.voice.names import Names

pytestmark = pytest.mark.peer

ZONE = (
    "--address=/proxy.carrier.test/127.0.0.1",
    "--address=/backup.carrier.test/127.0.0.9",
    "--srv-host=_sip._udp.carrier.test,proxy.carrier.test,5077,10,5",
    "--srv-host=_sip._udp.carrier.test,backup.carrier.test,5078,20,5",
    "--srv-host=_sips._tcp.carrier.test,proxy.carrier.test,5099,10,5",
    "--local=/test/",
)


@contextmanager
def name_server() -> Iterator[dns.asyncresolver.Resolver]:
    (port,) = ports.free_udp(1)
    process = subprocess.Popen(
        ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=",
         "--user=root", "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}", *ZONE],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        time.sleep(0.3)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = port
        yield resolver
    finally:
        process.terminate()
        process.wait(5)


@pytest.mark.parametrize(
    ("transport", "host", "port", "leads_to"),
    [
        ("udp", "carrier.test", 5060, ("127.0.0.1", 5077)),  # SRV, the least priority
        ("tls", "carrier.test", 5061, ("127.0.0.1", 5099)),
        ("udp", "proxy.carrier.test", 5060, ("127.0.0.1", 5060)),  # no SRV: the address itself
        ("udp", "backup.carrier.test", 5090, ("127.0.0.9", 5090)),  # a port that was named rules SRV out
        ("udp", "nowhere.test", 5060, None),
        ("udp", "..", 5060, None),
        ("udp", "localhost", 5070, ("127.0.0.1", 5070)),  # known to this machine alone
    ],
)
def test_a_name_leads_where_the_name_server_says(
    transport: str, host: str, port: int, leads_to: tuple[str, int] | None
) -> None:
    with name_server() as resolver:

        async def ask() -> tuple[tuple[str, int] | None, tuple[bool, tuple[str, int] | None]]:
            names = Names(resolver)
            assert names.known(transport, host, port) == (False, None)
            found = await names.locate(transport, host, port)
            return found, names.known(transport, host, port)

        found, known = asyncio.run(ask())
    if host == "localhost" and found is not None:
        found = ("127.0.0.1", found[1]) if found[0] == "::1" else found
        known = (known[0], found)
    assert found == leads_to
    assert known == (True, leads_to)


def test_a_silent_name_server_costs_a_few_seconds_once() -> None:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    (resolver.port,) = ports.free_udp(1)

    async def ask() -> tuple[bool, tuple[str, int] | None]:
        names = Names(resolver)
        assert await names.locate("udp", "carrier.test", 5060) is None
        return names.known("udp", "carrier.test", 5060)

    assert asyncio.run(ask()) == (True, None)
