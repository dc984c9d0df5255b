"""Names of trunks that lead to one address, in a centre of several tenants: whose call is it?"""

import socket
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from ipaddress import ip_address

from centrala.doctor.sheet import Sheet
from centrala.settings import Settings
from centrala.settings.model import Tenant, Trunk

LOOK_UP_WITHIN = 5.0
"Seconds for all names together."


def trunks(sheet: Sheet, settings: Settings) -> None:
    """A line for every two tenants' trunks that can't be told apart; nothing where there is one tenant."""
    if len(settings.tenants) < 2:
        return
    found = shared(settings.tenants, look_up(hosts(settings.tenants)))
    for sentence in found:
        sheet.problem(
            "trunks", sentence, "Give one of them another address, or let both register with passwords."
        )
    if not found:
        sheet.ok("trunks", "no two tenants' trunks are at one address")


def hosts(tenants: Mapping[str, Tenant]) -> set[str]:
    return {
        host
        for tenant in tenants.values()
        for one in tenant.trunks.values()
        if (host := _host(one)) is not None
    }


def shared(tenants: Mapping[str, Tenant], addresses: Mapping[str, Iterable[str]]) -> list[str]:
    """Sentences about trunks of two tenants at one address, by what each host's name leads to.

    Two that both register are told apart by their passwords.
    """
    at: dict[str, list[tuple[str, str, Trunk]]] = {}
    for tenant in tenants.values():
        for id, trunk in tenant.trunks.items():
            for address in addresses.get(_host(trunk) or "", ()):
                at.setdefault(address, []).append((tenant.id, id, trunk))
    found: dict[str, None] = {}
    for address, all_there in at.items():
        for tenant in tenants.values():
            all_there = [
                *all_there,
                *(
                    (tenant.id, id, one)
                    for id, one in tenant.trunks.items()
                    if one.network is not None and ip_address(address) in one.network
                ),
            ]
        for number, (tenant_id, id, trunk) in enumerate(all_there):
            for other_tenant, other_id, other in all_there[number + 1 :]:
                if tenant_id != other_tenant and not (trunk.register and other.register):
                    found[
                        f"{tenant_id}.trunks.{id} and {other_tenant}.trunks.{other_id} both lead to {address}:"
                        " a call from there may be taken for either's"
                    ] = None
    return list(found)


def look_up(
    names: Iterable[str],
    resolve: Callable[[str], Iterable[str]] | None = None,
    within: float = LOOK_UP_WITHIN,
) -> dict[str, list[str]]:
    """Host → its addresses; none for one that can't be found in time."""
    names = sorted(names)
    pool = ThreadPoolExecutor(8, thread_name_prefix="names")
    try:
        asked = {name: pool.submit(resolve or _resolve, name) for name in names}
        wait_for(asked.values(), timeout=within)
        return {
            name: list(one.result()) if one.done() and one.exception() is None else []
            for name, one in asked.items()
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _host(trunk: Trunk) -> str | None:
    address = trunk.address or (trunk.register.registrar if trunk.register else None)
    return None if address is None else address[0]


def _resolve(host: str) -> list[str]:
    return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)})
