"""What a stack is set up with."""

from dataclasses import dataclass

from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.uri import format_host

METHODS = (
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "UPDATE",
    "PRACK",
    "REFER",
    "NOTIFY",
    "INFO",
    "REGISTER",
)
EXTENSIONS = ("100rel", "timer", "path", "outbound", "norefersub", "replaces")
WILDCARDS = frozenset({"", "0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class ListeningPoint:
    """A transport and address that we listen on, and how peers see it."""

    transport: str
    host: str
    port: int
    advertised_host: str = ""
    """For Via and Contact where NAT is in between; "": the flow's own address."""
    advertised_port: int = 0

    def seen_as(self, flow: Flow) -> str:
        """host:port to write into Via and Contact for what goes over `flow`."""
        own = flow.local[0] if self.host in WILDCARDS and flow.local[0] not in WILDCARDS else self.host
        return f"{format_host(self.advertised_host or own)}:{self.advertised_port or self.port}"


@dataclass(frozen=True, slots=True)
class StackConfig:
    """Settings of a SipStack. Times in seconds, T1, T2, T4 as in RFC 3261 17."""

    points: tuple[ListeningPoint, ...]
    user_agent: str = "Centrala"
    contact_user: str = "centrala"
    """User part of our Contact."""
    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    session_expires: int = 1800
    """RFC 4028: what we ask for; 0 switches our own wish for session timers off."""
    min_se: int = 90
    max_message: int = 65536
    """Bytes. Larger ones are dropped or answered with 513."""
    max_transactions: int = 50_000
    """Server transactions at once; beyond it new requests get 503."""
    max_pending_per_source: int = 2_000
    """Unanswered requests from one address at once; beyond it they get 503."""
    nonce_lifetime: float = 300.0
    nonce_secret: bytes = b""
    """Keeps nonces good over a restart; b"": drawn at the start."""
    digest_algorithms: tuple[str, ...] = ("MD5",)
    """In challenges, best liked first. MD5 alone by default: see docs/adr/0003-sip-layer.md."""
