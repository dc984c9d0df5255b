"""Who may come in: trunks by address, agents by password, fixed phones by their own address. Nobody else."""

import ipaddress
import logging
import re
import socket
from collections import OrderedDict
from dataclasses import dataclass

from centrala.protocols.sip.flow import Flow
from centrala.settings import Agent, Settings, Trunk

log = logging.getLogger(__name__)

FREE_TRIES = 4
"Wrong passwords in a row before the first ban."
FIRST_BAN = 30.0
LONGEST_BAN = 3600.0
REMEMBERED = 20_000
"Addresses and users whose wrong passwords are remembered; the oldest are forgotten first."

DIALLABLE = re.compile(r"\+?[0-9*#]{2,24}$")
"What an agent may dial over a trunk."


@dataclass(slots=True)
class _Failures:
    count: int = 0
    banned_until: float = 0.0


class Bans:
    """Wrong passwords by address and by user; each one above `FREE_TRIES` doubles the ban."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[str, _Failures] = OrderedDict()

    def banned(self, now: float, *keys: str) -> bool:
        return any(key in self._by_key and self._by_key[key].banned_until > now for key in keys)

    def failed(self, now: float, *keys: str) -> None:
        for key in keys:
            entry = self._by_key.setdefault(key, _Failures())
            self._by_key.move_to_end(key)
            entry.count += 1
            if entry.count > FREE_TRIES:
                length = min(FIRST_BAN * 2.0 ** min(entry.count - FREE_TRIES - 1, 20), LONGEST_BAN)
                entry.banned_until = now + length
        while len(self._by_key) > REMEMBERED:
            self._by_key.popitem(last=False)

    def forgive(self, *keys: str) -> None:
        for key in keys:
            self._by_key.pop(key, None)


class Doors:
    """What the configuration says of addresses, domains and phones, as look-ups."""

    def __init__(self, settings: Settings) -> None:
        self._by_address: dict[tuple[str, int], list[tuple[str, Trunk]]] = {}
        self._hosts: dict[str, list[tuple[str, Trunk]]] = {}
        self._looked_up: dict[str, list[str]] = {}
        self._warned: set[frozenset[str]] = set()
        "Tenants of whom it was said that they share an address."
        self.bans = Bans()
        self.use(settings)
        self.look_up()

    def use(self, settings: Settings) -> None:
        """Go by these settings from now on. Call `look_up` after it: addresses of trunks may be new."""
        self.tenants = settings.tenants
        self._by_domain: dict[str, str] = {}
        self._networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str, Trunk]] = []
        self._phones: dict[tuple[str, int], tuple[str, Agent]] = {}
        for tenant in settings.tenants.values():
            self._by_domain[tenant.domain] = tenant.id
            for trunk in tenant.trunks.values():
                if trunk.network is not None:
                    self._networks.append((trunk.network, tenant.id, trunk))
            for agent in tenant.agents.values():
                where = phone_address(agent.phone) if agent.phone else None
                if where is not None and agent.sip_password is None:
                    self._phones[where] = (tenant.id, agent)

    def look_up(self) -> None:
        """Find the addresses of all trunks, anew: carriers move, and the first look may have come before the network
        did. Blocks on names, so run it in a thread; a name that fails keeps what it had."""
        by_address: dict[tuple[str, int], list[tuple[str, Trunk]]] = {}
        hosts: dict[str, list[tuple[str, Trunk]]] = {}
        for tenant in self.tenants.values():
            for trunk in tenant.trunks.values():
                address = trunk.address or (trunk.register.registrar if trunk.register else None)
                if address is None:
                    continue
                found = addresses_of(address[0]) or self._looked_up.get(address[0], [])
                self._looked_up[address[0]] = found
                for host in found:
                    by_address.setdefault((host, address[1]), []).append((tenant.id, trunk))
                    hosts.setdefault(host, []).append((tenant.id, trunk))
        self._by_address, self._hosts = by_address, hosts
        self._warn_of_shared()

    def _warn_of_shared(self) -> None:
        """Two trunks that register are told apart by what they registered; others at one address are not."""
        for found in self._hosts.values():
            tenants = {tenant for tenant, _ in found}
            unregistered = {tenant for tenant, trunk in found if trunk.register is None}
            if len(tenants) > 1 and unregistered and frozenset(tenants) not in self._warned:
                self._warned.add(frozenset(tenants))
                log.warning(
                    "trunks of tenants %s are at one address: a call from there may be taken for either's; "
                    "see centrala doctor",
                    ", ".join(sorted(tenants)),
                )

    def trunks_at(self, flow: Flow, via_port: int | None) -> list[tuple[str, Trunk]]:
        """The trunks that a request from here belongs to: exactly the address and port, or the network.

        A carrier's connection over TCP or TLS comes from a port of its own choice; its Via names the port that the
        trunk is configured with (RFC 3261 18.1.1). The address itself can't be forged there.
        """
        host = flow.remote[0]
        found = list(self._by_address.get((host, flow.remote[1]), ()))
        if not found and flow.reliable:
            found = [
                (tenant, trunk)
                for tenant, trunk in self._hosts.get(host, ())
                if trunk.address is not None and trunk.address[1] == via_port
            ]
        if self._networks:
            try:
                ip = ipaddress.ip_address(host)
            except ValueError:
                return found
            found += [(tenant, trunk) for network, tenant, trunk in self._networks if ip in network]
        return found

    def phone_at(self, flow: Flow) -> tuple[str, Agent] | None:
        """The agent whose fixed phone (one without a password) stands at this address."""
        return self._phones.get(flow.remote)

    def agent_named(self, user: str, host: str, realm: str = "") -> tuple[str, Agent] | None:
        """The agent with a password whom a request says it comes from.

        Phones that know us by address alone put that address where the domain belongs; the realm of their
        credentials, or there being one tenant only with such an agent, tells whose they are.
        """
        for domain in (host.lower(), realm.lower()):
            tenant = self._by_domain.get(domain)
            if tenant is not None:
                return self._with_password(tenant, user)
        found = [one for tenant in self.tenants if (one := self._with_password(tenant, user))]
        return found[0] if len(found) == 1 else None

    def _with_password(self, tenant: str, user: str) -> tuple[str, Agent] | None:
        agent = self.tenants[tenant].agents.get(user)
        return (tenant, agent) if agent is not None and agent.sip_password is not None else None

    def number_in(self, tenant: str, dialled: str) -> str | None:
        """The configured number that was dialled, with or without its plus."""
        numbers = self.tenants[tenant].numbers
        for spelling in (dialled, f"+{dialled}", dialled.removeprefix("+")):
            if spelling in numbers:
                return spelling
        return None

    def way_out(self, tenant: str) -> list[Trunk]:
        """Trunks for calls to people outside, in the order of the file."""
        return [trunk for trunk in self.tenants[tenant].trunks.values() if trunk.outbound]


def addresses_of(host: str) -> list[str]:
    """IP addresses of a host; a name that can't be resolved is said in the log and has none."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)})
    except OSError as problem:
        log.error("the address of a trunk can't be looked up: %s", problem)
        return []


def phone_address(uri: str) -> tuple[str, int] | None:
    """Host and port of a phone's SIP URI."""
    match = re.fullmatch(r"sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;>]+)(?::(\d+))?(?:;.*)?", uri)
    if match is None:
        return None
    return match[1].strip("[]"), int(match[2] or 5060)
