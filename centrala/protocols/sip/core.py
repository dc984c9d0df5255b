"""What all parts of the stack share: its state, the headers that every message of ours bears, sending and storing."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from centrala.protocols.sip import leg as legs
from centrala.protocols.sip import message as messages
from centrala.protocols.sip.config import EXTENSIONS, METHODS, ListeningPoint, StackConfig
from centrala.protocols.sip.digest import DigestCredentials, DigestServer, parse_credentials
from centrala.protocols.sip.events import SipEvent
from centrala.protocols.sip.flow import WEB_SOCKETS, Flow
from centrala.protocols.sip.leg import Leg
from centrala.protocols.sip.message import Message, clean
from centrala.protocols.sip.timers import Timers
from centrala.protocols.sip.transactions import MAGIC, Transaction, Transactions
from centrala.protocols.sip.uri import SipSyntaxError

Headers = Sequence[tuple[str, str]]
ALLOW = "Allow: " + ", ".join(METHODS)
SUPPORTED = "Supported: " + ", ".join(EXTENSIONS)
HIDDEN = "~"
"""Legs of our own making (a forked branch that must be hung up) begin so; the user never hears of them."""


class Core:
    """State of a stack and the primitives on it."""

    def __init__(self, config: StackConfig, token: Callable[[int], str]) -> None:
        if not config.points:
            raise ValueError("A SIP stack needs at least one listening point.")
        self._config = config
        self._token = token
        self.counters: dict[str, int] = {}
        self._events: list[SipEvent] = []
        self._outgoing: list[tuple[Flow, bytes]] = []
        self._timers = Timers()
        self._tx = Transactions(config, self._timers, self._send, self.counters)
        self._digest = DigestServer(
            config.nonce_secret or bytes.fromhex(token(32)), lifetime=config.nonce_lifetime
        )
        self._legs: dict[str, Leg] = {}
        self._dialogs: dict[tuple[str, str], str] = {}
        self._by_connection: dict[Flow, set[str]] = {}
        self._dirty: dict[str, None] = {}
        self._stored: dict[str, int] = {}
        self._faces: dict[tuple[str, tuple[str, int]], tuple[str, str]] = {}
        self._agent = f"User-Agent: {clean(config.user_agent)}"
        self._server = f"Server: {clean(config.user_agent)}"

    # -- small things

    def _count(self, what: str) -> None:
        self.counters[what] = self.counters.get(what, 0) + 1

    def _tell(self, event: SipEvent) -> None:
        self._events.append(event)

    def _send(self, flow: Flow, data: bytes) -> None:
        if flow.connection == 0 and flow.transport in WEB_SOCKETS:
            # Nobody can call a browser: what it must hear waits for `rebind` (RFC 7118 5.5)
            self._count("held for a browser")
            return
        self._outgoing.append((flow, data))

    def _branch(self) -> str:
        return MAGIC + self._token(8)

    def _tag(self) -> str:
        return self._token(8)

    # -- how peers see us

    def _point(self, flow: Flow) -> ListeningPoint | None:
        points = [p for p in self._config.points if p.transport == flow.transport]
        for point in points:
            if (point.host, point.port) == flow.local:
                return point
        return points[0] if points else None

    def _face(self, flow: Flow) -> tuple[str, str]:
        """Start of our Via and our Contact URI for a flow."""
        face = self._faces.get((flow.transport, flow.local))
        if face is None:
            point = self._point(flow) or ListeningPoint(flow.transport, *flow.local)
            address = point.seen_as(flow)
            transport = "" if flow.transport == "udp" else f";transport={flow.transport}"
            if flow.transport in ("tls", "wss"):
                # RFC 5630: a plain sip: URI with its transport; sips: would promise TLS on every hop
                transport = ";transport=tls" if flow.transport == "tls" else ";transport=ws"
            alias = ";alias" if flow.transport in ("tcp", "tls") else ""
            via = f"Via: SIP/2.0/{flow.transport.upper()} {address};rport{alias};branch="
            contact = f"<sip:{self._config.contact_user}@{address}{transport}>"
            if len(self._faces) > 1000:
                self._faces.clear()
            face = self._faces[(flow.transport, flow.local)] = (via, contact)
        return face

    def flow_to(self, transport: str, remote: tuple[str, int], near: Flow | None = None) -> Flow:
        """A flow to an address from our first listening point of that transport; ValueError if there is none.

        Stream transports: connection 0, so the shell finds or opens a connection.
        """
        if near is not None and near.transport == transport:
            return near if near.remote == remote else replace(near, remote=remote, connection=0)
        ipv6 = ":" in remote[0]
        fitting = [p for p in self._config.points if p.transport == transport]
        for point in fitting:
            if (":" in point.host) == ipv6:
                return Flow(transport, (point.host, point.port), remote)
        if not fitting:
            raise ValueError(f"No listening point for {transport}: add one to `listen.sip`.")
        return Flow(transport, (fitting[0].host, fitting[0].port), remote)

    # -- responses

    def _reply(
        self,
        tx: Transaction,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        to_tag: str = "",
        headers: Sequence[str] = (),
        sdp: str | None = None,
    ) -> bytes:
        """Answer within a server transaction. Returns what was sent, b"" if it was answered before."""
        asked = tx.request
        if asked is None:
            self._count("late response")
            return b""
        if not to_tag and status > 100:
            to_tag = steady_tag(tx.key)
        lines = [*headers, self._server] if status > 100 else list(headers)
        data = messages.response(asked, status, clean(reason) if reason else None, to_tag, lines, sdp or "")
        self._tx.respond(tx, status, data, now)
        return data

    def _reply_stateless(
        self, asked: Message, flow: Flow, status: int, reason: str | None = None, headers: Sequence[str] = ()
    ) -> None:
        """Answer and forget. The tag is the same for every repeat of the request (RFC 3261 8.2.7)."""
        seed = f"{asked.call_id} {asked.get('cseq')} {asked.get('via')}"
        data = messages.response(asked, status, reason, steady_tag(seed), [*headers, self._server])
        self._send(self._return_flow(asked, flow), data)

    def _return_flow(self, asked: Message, flow: Flow) -> Flow:
        """Where responses go: over the connection, else to `received` and `rport` or the Via's port (RFC 3581 4)."""
        if flow.reliable:
            return flow
        try:
            via = asked.via
        except SipSyntaxError:
            return flow
        if via.param("rport") is not None or (via.port or 5060) == flow.remote[1]:
            return flow
        return replace(flow, remote=(flow.remote[0], via.port or 5060))

    def _credentials_of(self, message: Message) -> DigestCredentials | None:
        for name in ("authorization", "proxy-authorization"):
            for value in message.headers.get(name, ()):
                try:
                    return parse_credentials(value, message.method, message.body)
                except SipSyntaxError:
                    self._count("unreadable credentials")
        return None

    # -- legs

    def _leg(self, leg: str) -> Leg | None:
        found = self._legs.get(leg)
        if found is None:
            self._count("unknown leg")
        return found

    def _dialog(self, call_id: str, local_tag: str, remote_tag: str) -> Leg | None:
        found = self._legs.get(self._dialogs.get((call_id, local_tag), ""))
        if found is None:
            return None
        if found.remote_tag == remote_tag or remote_tag in found.forks:
            return found
        # An early leg out, whose first response with a tag is still to come
        return found if found.outgoing and not found.remote_tag else None

    def _adopt(self, leg: Leg) -> None:
        self._legs[leg.id] = leg
        self._dialogs[(leg.call_id, leg.local_tag)] = leg.id
        if leg.flow.reliable:
            self._by_connection.setdefault(leg.flow, set()).add(leg.id)
        self._dirty[leg.id] = None

    def _move(self, leg: Leg, flow: Flow) -> None:
        """The peer is now to be found over another flow."""
        if flow == leg.flow:
            return
        self._leave(leg)
        leg.flow = flow
        if flow.reliable:
            self._by_connection.setdefault(flow, set()).add(leg.id)
        self._dirty[leg.id] = None

    def _leave(self, leg: Leg) -> None:
        there = self._by_connection.get(leg.flow)
        if there is not None:
            there.discard(leg.id)
            if not there:
                del self._by_connection[leg.flow]

    def _drop(self, leg: Leg, now: float) -> None:
        self._legs.pop(leg.id, None)
        if self._dialogs.get((leg.call_id, leg.local_tag)) == leg.id:
            del self._dialogs[(leg.call_id, leg.local_tag)]
        self._leave(leg)
        self._timers.cancel_all("l" + leg.id)
        self._dirty[leg.id] = None

    def _save(self, leg: Leg) -> None:
        self._dirty[leg.id] = None

    def take_changed(self) -> list[tuple[str, bytes | None]]:
        """Legs whose stored value has changed since the last call; None: gone."""
        if not self._dirty:
            return []
        changed: list[tuple[str, bytes | None]] = []
        for leg_id in self._dirty:
            if leg_id.startswith(HIDDEN):
                continue
            leg = self._legs.get(leg_id)
            if leg is None:
                if self._stored.pop(leg_id, None) is not None:
                    changed.append((leg_id, None))
                continue
            data = legs.encode(leg)
            print_ = hash(data)
            if self._stored.get(leg_id) != print_:
                self._stored[leg_id] = print_
                changed.append((leg_id, data))
        self._dirty.clear()
        return changed


def steady_tag(seed: str) -> str:
    """A To tag that is the same whenever the same request is answered."""
    return hashlib.blake2s(seed.encode("utf-8", "replace"), digest_size=8).hexdigest()


def header_lines(headers: Headers) -> list[str]:
    return [f"{clean(name)}: {clean(value)}" for name, value in headers]


def derived(data: bytes, method: str, to: str | None = None) -> bytes:
    """The CANCEL of a request of ours, or the ACK of its failure (RFC 3261 9.1, 17.1.1.3)."""
    lines = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    start = lines[0].split(" ", 1)[1]
    kept: list[str] = []
    for line in lines[1:]:
        name = line.partition(":")[0]
        if name == "CSeq":
            kept.append(f"CSeq: {line.split()[1]} {method}")
        elif name == "To":
            kept.append(line if to is None else f"To: {to}")
        elif name in ("Via", "From", "Call-ID", "Route", "Max-Forwards"):
            kept.append(line)
    head = "\r\n".join(kept)
    return f"{method} {start}\r\n{head}\r\nContent-Length: 0\r\n\r\n".encode("utf-8", "replace")


def again(data: bytes, via: str, cseq: int, changed: dict[str, str]) -> bytes:
    """A request of ours once more as a new one: another branch and CSeq, some headers replaced or added."""
    head, gap, body = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    kept = [lines[0]]
    for line in lines[1:]:
        name = line.partition(":")[0]
        if name == "Via":
            kept.append(via)
        elif name == "CSeq":
            kept.append(f"CSeq: {cseq} {line.split()[2]}")
        elif name not in changed:
            kept.append(line)
    kept[-1:-1] = [f"{name}: {value}" for name, value in changed.items()]
    return "\r\n".join(kept).encode("utf-8", "replace") + gap + body
