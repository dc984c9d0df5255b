"""When two trunks can't be told apart."""

from collections.abc import Iterable
from ipaddress import ip_address

from centrala.settings import words
from centrala.settings.model import Trunk


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
