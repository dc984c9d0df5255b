"""When two trunks can't be told apart, and which ways in are no tenant's own business."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from centrala.settings import words
from centrala.settings.model import Trunk
from centrala.settings.tree import SAVED, Spot, on_line


def check_apart(spots: Mapping[str, Spot], trunks: Mapping[str, Trunk]) -> None:
    """Two trunks of a tenant can't be told apart if they share an address, unless both register."""
    places: dict[object, str] = {}
    for id, trunk in trunks.items():
        for place in (trunk.address, trunk.network):
            other = places.get(place) if place is not None else None
            if other is not None and not (trunk.register and trunks[other].register):
                what = "address" if place == trunk.address else "network"
                text = f"has the same {what} as the trunk {other} ({on_line(spots[other].line)})"
                spots[id].problem(f"{text}; expected one of its own, since it tells the trunks apart")
            places.setdefault(place, id)


def share(one: Iterable[Trunk], other: Iterable[Trunk]) -> bool:
    """Whether a call could come over a trunk of both."""
    others = tuple(other)
    return any(_overlap(a, b) for a in one for b in others)


def _overlap(one: Trunk, other: Trunk) -> bool:
    if one.address and one.address == other.address:
        return True
    if one.network and other.network and one.network.overlaps(other.network):
        return True
    for network, address in ((one.network, other.address), (other.network, one.address)):
        if network and address and words.is_ip(address[0]) and ip_address(address[0]) in network:
            return True
    return False


def takes_over(one: Trunk, other: Trunk) -> bool:
    """Whether a trunk stands where another does, without both of them proving by password who they are.

    The other's calls could be taken for this one's, and calls out would go on the other's bill: such a carrier knows
    us by our address alone.
    """
    hosts = _hosts(one) & _hosts(other)
    inside = other.network is not None and any(
        words.is_ip(host) and ip_address(host) in other.network for host in _hosts(one)
    )
    return (bool(hosts) and not (one.register and other.register)) or inside


def _hosts(trunk: Trunk) -> set[str]:
    places = (trunk.address, trunk.register.registrar if trunk.register else None)
    return {place[0].lower() for place in places if place is not None}


def check_ways_in(ways_in: Iterable[Spot], trunks: Mapping[str, tuple[Mapping[str, Trunk], Spot]]) -> None:
    """In a house of several tenants, what was set on one's screen must not let in, or send out, another's calls.

    `ways_in` are networks and fixed phones that were set there: whoever calls from such an address needs no password.
    `trunks` are by tenant, with their place. What stands in the file is for who has the machine to answer for.
    """
    for spot in ways_in:
        spot.problem(
            "lets in whoever calls from there, and this centre has several tenants; expected in the centre's file alone"
        )
    for tenant, (own, place) in trunks.items():
        others = [one for name, (some, _) in trunks.items() if name != tenant for one in some.values()]
        for id, spot in place.entries("").items():
            if id in own and _on_screen(spot) and any(takes_over(own[id], other) for other in others):
                spot.problem(
                    "is at an address where calls may be another tenant's; expected in the centre's file alone"
                )


def _on_screen(trunk: Spot) -> bool:
    """Whether where a trunk leads, or that calls go out over it, was set there."""
    keys = trunk.entries("")
    return any(keys[name].line == SAVED for name in ("address", "register", "outbound") if name in keys)
