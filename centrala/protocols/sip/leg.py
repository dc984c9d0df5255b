"""A leg: one dialog, or one about to be, as a value that can be stored and restored (RFC 3261 12)."""

import ipaddress
from functools import lru_cache

import msgspec

from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.uri import SipSyntaxError, parse_name_addr, parse_uri

VERSION = 1


class Sent(msgspec.Struct):
    """A request of ours whose final response is still to come."""

    method: str
    branch: str
    purpose: str
    """"invite", "reinvite", "refresh", "update", "bye", "cancel", "prack", "refer", "notify", "probe"."""
    data: bytes
    flow: Flow
    cseq: int
    tried_auth: bool = False
    sdp: str = ""
    """The offer in it."""


class Fork(msgspec.Struct):
    """One branch of an INVITE that a proxy has forked: an early dialog of its own."""

    target: str
    route: list[str]
    rseq: int = 0
    """Last reliable provisional response that we have confirmed."""


class Leg(msgspec.Struct):
    """All that a dialog needs to go on after a restart."""

    id: str
    call_id: str
    local_tag: str
    local: str
    """Our From or To value, without its tag."""
    remote: str
    """The peer's From or To value, without its tag."""
    outgoing: bool
    """True: the INVITE was ours."""
    flow: Flow
    target: str
    """Remote target (RFC 3261 12.1), the request URI of what we send."""
    phase: str = "early"
    """"early", "confirmed", "ending"."""
    version: int = VERSION
    remote_tag: str = ""
    route: list[str] = []
    local_cseq: int = 0
    remote_cseq: int = -1
    nat: bool = False
    """The peer's Contact can't be reached: use the address that it sends from."""
    sent: dict[str, Sent] = {}
    """By branch."""
    forks: dict[str, Fork] = {}
    invite_cseq: int = 0
    """CSeq of the INVITE that made the dialog, or of ours that was last answered."""
    ack: bytes = b""
    """Our ACK for it, should the 2xx come again."""
    ack_flow: Flow | None = None
    ack_due: bool = False
    """The 2xx to our INVITE held the offer: the user owes us the answer."""
    invite_key: str = ""
    """Server transaction of the peer's INVITE, initial or re-INVITE, that waits for our answer."""
    invite_raw: bytes = b""
    """That initial INVITE, until answered."""
    provisional: bytes = b""
    """Our last 101-199 to it."""
    ok: bytes = b""
    """Our 2xx that waits for its ACK."""
    ok_key: str = ""
    ok_cseq: int = 0
    ok_flow: Flow | None = None
    ok_since: float = 0.0
    ok_offered: bool = False
    """The 2xx held an offer, so the ACK holds the answer."""
    ok_first: bool = False
    """The 2xx answered the initial INVITE."""
    rel: bytes = b""
    """Our reliable provisional response that waits for its PRACK (RFC 3262)."""
    rel_required: bool = False
    rseq: int = 0
    rel_since: float = 0.0
    bye_wanted: str | None = None
    """A BYE (its Reason, or "") to be sent as soon as the ACK is here (RFC 3261 15)."""
    cancel_wanted: bool = False
    cancel_reason: str = ""
    sdp: str = ""
    """The session description that we sent last."""
    peer_allows_update: bool = False
    peer_timer: bool = False
    session: int = 0
    """Session interval in seconds (RFC 4028), 0: none."""
    refresher: bool = False
    """True: the refresh is ours."""
    refresh_at: float = 0.0
    expires_at: float = 0.0
    min_se: int = 0
    retries: int = 0
    retry_kind: str = ""
    retry_sdp: str | None = None
    refer_cseq: int = 0
    """CSeq of the REFER that waits for our verdict or NOTIFYs, 0: none."""
    refer_silent: bool = False
    """Refer-Sub: false (RFC 4488)."""


def encode(leg: Leg) -> bytes:
    return msgspec.json.encode(leg)


_decoder = msgspec.json.Decoder(Leg)


def decode(data: bytes) -> Leg:
    """Raises ValueError for what isn't a leg of this version."""
    leg = _decoder.decode(data)
    if leg.version != VERSION:
        raise ValueError(f"stored dialog of version {leg.version}; this program reads {VERSION}")
    return leg


@lru_cache(maxsize=4096)
def is_address(host: str) -> bool:
    """True for an IP address, False for a name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_private and not address.is_loopback


def hop(leg: Leg) -> tuple[str, tuple[str, int]]:
    """Transport and address of the next hop by the route set and remote target (RFC 3261 12.2.1.1)."""
    try:
        uri = parse_uri(parse_name_addr(leg.route[0]).uri if leg.route else leg.target)
    except SipSyntaxError:
        return leg.flow.transport, leg.flow.remote
    if uri.scheme not in ("sip", "sips") or not is_address(uri.address[0]):
        return leg.flow.transport, leg.flow.remote
    return uri.transport, uri.address


def request_line_and_routes(target: str, route: list[str]) -> tuple[str, list[str]]:
    """Request URI and Route values; a strict router at the front gets what it expects (RFC 3261 12.2.1.1)."""
    if not route:
        return target, []
    first = parse_name_addr(route[0])
    if parse_uri(first.uri).loose:
        return target, route
    return first.uri, [*route[1:], f"<{target}>"]
