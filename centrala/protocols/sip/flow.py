"""Where bytes come from and where they go."""

from dataclasses import dataclass

WEB_SOCKETS = frozenset({"ws", "wss"})
DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Flow:
    """One path to a peer: a datagram's two addresses, or a connection.

    In `take_outgoing` a flow may name a connection of 0 for a stream transport: the shell opens one to `remote`
    (a host name is looked up by the shell, RFC 3263) and keeps using it for that remote.
    """

    transport: str
    """"udp", "tcp", "tls", "ws" or "wss"."""
    local: tuple[str, int]
    """Our listening point."""
    remote: tuple[str, int]
    connection: int = 0
    """The shell's number of a connection; 0 for udp and for "open one"."""

    @property
    def reliable(self) -> bool:
        """True where the transport itself repeats what was lost."""
        return self.transport != "udp"
