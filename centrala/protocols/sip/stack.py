"""The SIP user agent as a value machine: bytes in -> events, calls in -> bytes out, timers as deadlines (RFC 3261).

The shell's loop: `receive` what arrives, `advance` at `next_deadline`; after each of these and after every call
store `take_changed()`, then send `take_outgoing()`, then act on `take_events()`. In that order a crash at any point
loses nothing: what was sent has been stored.

No call raises for what a peer sent. A call for a leg that is gone meanwhile does nothing but count.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence

from centrala.protocols.sip import message as messages
from centrala.protocols.sip.config import METHODS, ListeningPoint, StackConfig
from centrala.protocols.sip.core import ALLOW, HIDDEN, SUPPORTED, Headers, derived, header_lines
from centrala.protocols.sip.dialogs import USER_TIME
from centrala.protocols.sip.digest import DigestCredentials, Verdict
from centrala.protocols.sip.events import ContactBinding, PeerUnreachable, RegisterReceived, SipEvent
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.framing import PING, PONG
from centrala.protocols.sip.incoming import unknown_extensions
from centrala.protocols.sip.leg import Leg, decode
from centrala.protocols.sip.message import MalformedMessage, Message
from centrala.protocols.sip.tables import Act, Input, State
from centrala.protocols.sip.transactions import Transaction
from centrala.protocols.sip.trunks import Registration, Trunks
from centrala.protocols.sip.uri import SipSyntaxError, parse_name_addr, parse_uri, quote_string

__all__ = ["Flow", "Headers", "ListeningPoint", "SipStack", "StackConfig"]

_KNOWN_METHODS = frozenset({*METHODS, "SUBSCRIBE", "PUBLISH", "MESSAGE"})
_INPUT_OF_CLASS = {1: Input.PROVISIONAL, 2: Input.SUCCESS}


class SipStack(Trunks):
    """One per process; legs, trunks and registrations of all tenants side by side. Not thread-safe."""

    def __init__(self, config: StackConfig, token: Callable[[int], str]) -> None:
        """`token(n)`: n random bytes in hex, from a cryptographic source. ValueError without listening points."""
        super().__init__(config, token)
        self._registrations: dict[str, Registration] = {}

    # -- the shell's side

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """One message: a datagram, a WebSocket frame, or what `StreamFramer` cut out."""
        if len(data) > self._config.max_message:
            self._reject("oversized", flow)
            return
        if not data.strip(b"\r\n\0 "):
            self._count("keep-alive")
            if data == PING and flow.reliable:
                self._send(flow, PONG)
            return
        try:
            message = messages.parse(data)
        except MalformedMessage:
            self._reject("not sip", flow)
            return
        try:
            if message.status:
                self._receive_response(message, flow, now)
            else:
                self._receive_request(message, data, flow, now)
        except SipSyntaxError:
            # a value read on demand that `fault` doesn't look at
            self._reject("malformed", flow)
            if not message.status and message.method != "ACK":
                self._refuse_malformed(message, flow, 400, "Bad Request")

    def take_events(self) -> list[SipEvent]:
        events, self._events = self._events, []
        return events

    def take_outgoing(self) -> list[tuple[Flow, bytes]]:
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def next_deadline(self) -> float | None:
        return self._timers.next()

    def advance(self, now: float) -> None:
        """Do all that is due by `now`."""
        while (due := self._timers.pop(now)) is not None:
            owner, name = due
            match owner[0]:
                case "c" | "s":
                    told = self._tx.fire(owner, name, now)
                    if told is not None:
                        self._gone_wrong(*told, now)
                case "l":
                    leg = self._legs.get(owner[1:])
                    if leg is not None:
                        self._leg_timer(leg, name, now)
                case "k":
                    self._unadopted(owner[1:], now)
                case "r":
                    self._refresh_registration(owner[1:], now)
                case _:
                    raise AssertionError(f"timer of an unknown owner: {name}")

    def _leg_timer(self, leg: Leg, name: str, now: float) -> None:
        match name:
            case "ok":
                self._repeat_ok(leg, now)
            case "ok-end":
                self._never_acked(leg, now)
            case "rel":
                self._repeat_rel(leg, now)
            case "rel-end":
                self._never_pracked(leg, now)
            case "refresh":
                self._refresh(leg, now)
            case "expire":
                self._end(leg, "session expired", now, reason='SIP;cause=408;text="Session expired"')
            case "retry":
                self._retry(leg, now)
            case "cancel":
                self._cancel_unheard(leg, now)
            case "unanswered":
                self._unanswered(leg, now)
            case _:
                raise AssertionError(f"unknown timer of a leg: {name}")

    def flow_closed(self, flow: Flow, now: float) -> None:
        """A connection is gone or couldn't be opened; also for a UDP flow that ICMP calls unreachable."""
        for leg_id in sorted(self._by_connection.get(flow, ())):
            leg = self._legs[leg_id]
            if flow.connection:
                self._detach(leg)
                if leg.phase != "early":
                    self._reroute(leg, flow)
            if leg.phase != "ending" and not (leg.outgoing and leg.phase == "early"):
                self._tell(PeerUnreachable(leg_id))
        for tx in [tx for tx in self._tx.clients.values() if tx.flow == flow]:
            act = self._tx.drive(tx, Input.BROKEN, now)
            if act is not None:
                self._gone_wrong(tx, act, now)

    def leg_of(self, call_id: str, local_tag: str, remote_tag: str) -> str | None:
        """The leg of a dialog, None if there is none."""
        found = self._dialog(call_id, local_tag, remote_tag)
        return None if found is None else found.id

    def dialog_of(self, leg: str) -> tuple[str, str, str] | None:
        """Call-ID, local tag and remote tag of a leg."""
        found = self._legs.get(leg)
        return None if found is None else (found.call_id, found.local_tag, found.remote_tag)

    def flow_of(self, leg: str) -> Flow | None:
        """The flow of a leg; None if there is no such leg."""
        found = self._legs.get(leg)
        return None if found is None else found.flow

    @property
    def legs(self) -> tuple[str, ...]:
        """Ids of all legs that the stack holds."""
        return tuple(leg for leg in self._legs if not leg.startswith(HIDDEN))

    # -- responses from the wire

    def _receive_response(self, message: Message, flow: Flow, now: float) -> None:
        if messages.fault(message) is not None:
            self._reject("malformed response", flow)
            return
        if len(message.all("via")) > 1:
            # RFC 3261 8.1.3.3: not for us
            self._count("response with a second via")
            return
        tx = self._tx.client_of(message)
        if tx is None:
            self._stray_response(message, flow, now)
            return
        status = message.status
        happened = _INPUT_OF_CLASS.get(status // 100, Input.FAILURE)
        ack = b""
        if status >= 300 and tx.method == "INVITE":
            ack = derived(tx.data, "ACK", message.get("to"))
        act = self._tx.drive(tx, happened, now, ack)
        if act is not Act.DELIVER:
            return
        kind, name, purpose = tx.owner
        if kind == "leg":
            self._leg_response(name, purpose, tx, message, flow, now)
        elif kind == "trunk":
            self._register_answered(name, tx.key, message, now)
        else:
            self._options_answered(name, status)

    def _leg_response(
        self, leg_id: str, purpose: str, tx: Transaction, message: Message, flow: Flow, now: float
    ) -> None:
        leg = self._legs.get(leg_id)
        status = message.status
        ok_to_invite = tx.method == "INVITE" and 200 <= status < 300
        if leg is None:
            if ok_to_invite:
                self._hang_up_stray(message, flow, now)
            return
        sent = leg.sent.get(tx.key)
        if sent is None:
            if ok_to_invite:
                self._repeated_ok(leg, message, message.to.tag, now)
            return
        if status >= 200:
            del leg.sent[tx.key]
        if purpose == "invite":
            self._call_answered(leg, sent, tx, message, flow, now)
        elif status >= 200:
            self._answered_in_dialog(leg, sent, message, flow, now)

    def _stray_response(self, message: Message, flow: Flow, now: float) -> None:
        """A response without a transaction: after a restart, a repeated 2xx may be one."""
        if 200 <= message.status < 300 and message.cseq[1] == "INVITE":
            leg = self._dialog(message.call_id, message.from_.tag, message.to.tag)
            if leg is not None and leg.phase != "early" and leg.remote_tag == message.to.tag:
                self._repeated_ok(leg, message, message.to.tag, now)
                return
        self._count("stray response")

    def _gone_wrong(self, tx: Transaction, act: Act, now: float) -> None:
        """A transaction of ours got no answer, or no ACK."""
        if act is Act.DELIVER:
            return
        status = 408 if act is Act.TIMED_OUT else 503
        kind, name, purpose = tx.owner
        if not tx.is_client:
            self._count("failure without ack")
            return
        if kind == "trunk":
            self._register_failed(name, tx.key, status, messages.REASONS[status], now)
        elif kind == "options":
            self._options_answered(name, status)
        else:
            leg = self._legs.get(name)
            sent = leg.sent.pop(tx.key, None) if leg is not None else None
            if leg is None or sent is None:
                return
            if purpose == "invite":
                if leg.phase == "early":
                    wanted = 487 if leg.cancel_wanted else status
                    self._call_failed(leg, wanted, messages.REASONS[wanted], None, now)
            else:
                self._unanswered_in_dialog(leg, sent, status, now)

    # -- requests from the wire

    def _receive_request(self, message: Message, data: bytes, flow: Flow, now: float) -> None:
        method = message.method
        if message.version.upper() != "SIP/2.0":
            self._reject("version", flow)
            if method != "ACK":
                self._refuse_malformed(message, flow, 505, None)
            return
        wrong = messages.fault(message)
        if wrong is not None:
            self._reject("malformed", flow)
            if method != "ACK":
                self._refuse_malformed(message, flow, 400, f"Bad Request: {wrong}")
            return
        messages.mark_via(message, flow.remote)
        if method == "ACK":
            self._receive_ack(message, flow, now)
            return
        key = self._tx.server_key(message, method)
        tx = self._tx.servers.get(key)
        if tx is not None:
            self._tx.drive(tx, Input.REQUEST, now)
            return
        if method == "CANCEL":
            self._peer_cancels(message, flow, now)
            return
        refusal = self._admit(message, key, flow)
        if refusal is not None:
            status, headers = refusal
            self._count(f"refused {status}")
            self._reply_stateless(message, flow, status, None, headers)
            return
        if message.to.tag:
            self._receive_in_dialog(message, key, flow, now)
        elif method == "INVITE":
            self._peer_invites(message, key, flow, data, now)
        elif method == "REGISTER":
            self._receive_register(message, key, flow, data, now)
        elif method == "OPTIONS":
            self._reply_stateless(message, flow, 200, None, self._abilities(flow))
        elif method in ("BYE", "UPDATE", "PRACK", "INFO", "NOTIFY"):
            self._reply_stateless(message, flow, 481)
        elif method == "SUBSCRIBE":
            self._reply_stateless(message, flow, 489, None, ["Allow-Events: refer"])
        else:
            self._reply_stateless(message, flow, 405, None, [ALLOW])

    def _abilities(self, flow: Flow) -> list[str]:
        contact = f"Contact: {self._face(flow)[1]}"
        return [contact, ALLOW, SUPPORTED, "Accept: application/sdp", "Accept-Encoding: identity"]

    def _refuse_malformed(self, message: Message, flow: Flow, status: int, reason: str | None) -> None:
        """Answer what is broken, as far as that's possible; without a Via to go by, there's no answer."""
        if not message.get("via"):
            return
        with contextlib.suppress(SipSyntaxError):
            messages.mark_via(message, flow.remote)
        self._reply_stateless(message, flow, status, reason)

    def _admit(self, message: Message, key: str, flow: Flow) -> tuple[int, list[str]] | None:
        """Reasons to refuse a request before it is looked at (RFC 3261 8.2, 16.3): status and headers."""
        method = message.method
        if method not in _KNOWN_METHODS:
            return 501, [ALLOW]
        if message.number("max-forwards") == 0 and method != "OPTIONS":
            return 483, []
        if message.request_uri().scheme not in ("sip", "sips", "tel"):
            return 416, []
        if unknown := unknown_extensions(message):
            return 420, [f"Unsupported: {messages.clean(', '.join(unknown))}"]
        if not message.to.tag and self._tx.merged(message, key):
            return 482, []
        if self._tx.overloaded(flow.remote[0]) and not message.to.tag:
            self._reject("flood", flow)
            return 503, ["Retry-After: 5"]
        return None

    def _receive_ack(self, message: Message, flow: Flow, now: float) -> None:
        tx = self._tx.servers.get(self._tx.server_key(message, "INVITE"))
        if tx is not None and tx.method == "INVITE" and tx.state in (State.COMPLETED, State.CONFIRMED):
            self._tx.drive(tx, Input.ACK, now)
            return
        leg = self._dialog(message.call_id, message.to.tag, message.from_.tag)
        if leg is None:
            self._count("stray ack")
            return
        self._acked(leg, message, flow, now)

    def _receive_in_dialog(self, message: Message, key: str, flow: Flow, now: float) -> None:
        leg = self._dialog(message.call_id, message.to.tag, message.from_.tag)
        if message.method == "OPTIONS":
            if leg is None:
                self._reply_stateless(message, flow, 481)
            else:
                self._reply_stateless(message, flow, 200, None, self._abilities(flow))
            return
        if leg is None:
            self._count("unknown dialog")
            self._reply_stateless(message, flow, 481)
            return
        number = message.cseq[0]
        if number <= leg.remote_cseq:
            # RFC 3261 12.2.2
            self._count("out of order")
            self._reply_stateless(message, flow, 500, "Out of order")
            return
        tx = self._tx.serve(message, key, self._return_flow(message, flow))
        self._in_dialog(leg, message, tx, flow, now)

    # -- registrations of phones

    def _receive_register(self, message: Message, key: str, flow: Flow, data: bytes, now: float) -> None:
        everything = False
        contacts: list[ContactBinding] = []
        default = message.number("expires")
        aor = parse_uri(message.to.uri)
        if aor.scheme not in ("sip", "sips"):
            self._reply_stateless(message, flow, 404)
            return
        for value in message.all("contact"):
            if value == "*":
                everything = True
                continue
            contacts.append(_binding(value, 3600 if default is None else default))
        if everything and (contacts or default != 0):
            self._reply_stateless(message, flow, 400, "Contact: * needs Expires: 0 and stands alone")
            return
        if len(contacts) > 20:
            self._reply_stateless(message, flow, 403, "Too many contacts")
            return
        self._tx.serve(message, key, self._return_flow(message, flow))
        self._waiting[key] = data
        self._timers.set("k" + key, "unadopted", now + USER_TIME)
        self._tell(
            RegisterReceived(
                key=key,
                user=aor.user,
                host=aor.host,
                contacts=tuple(contacts),
                everything=everything,
                auth=self._credentials_of(message),
                call_id=message.call_id,
                cseq=message.cseq[0],
                path=tuple(message.all("path")),
                flow=flow,
                user_agent=message.get("user-agent") or "",
                message=message,
            )
        )

    def accept_register(
        self, key: str, bindings: Sequence[ContactBinding], *, headers: Headers = (), now: float
    ) -> None:
        """200 with all bindings that the address now has (RFC 3261 10.3, RFC 3327 5.3, RFC 5626 6)."""
        tx = self._waiting_request(key)
        if tx is None or tx.request is None:
            return
        self._settled(key)
        asked = tx.request
        lines = [_contact_line(binding) for binding in bindings]
        lines += [f"Path: {value}" for value in asked.headers.get("path", ())]
        if (
            tx.flow.reliable
            and "outbound" in asked.words("supported")
            and any(binding.reg_id and binding.instance for binding in bindings)
        ):
            lines.append("Require: outbound")
        self._reply(tx, 200, now, headers=[*lines, SUPPORTED, *header_lines(headers)])

    def check_credentials(self, auth: DigestCredentials, password: str, realm: str, now: float) -> Verdict:
        """Judge what came in `auth`. STALE: `challenge(key, realm, stale=True)`."""
        return self._digest.check(auth, password, realm, now)

    # -- restart

    def restore(self, stored: Mapping[str, bytes], now: float) -> None:
        """Take legs back as `take_changed` gave them; what was under way goes on under the same branches.

        Unanswered requests of ours are sent again at once, un-ACKed 2xx too, the peer's unanswered INVITEs wait for
        the user's answer. ValueError, naming the leg, for what can't be read; legs before it are restored.
        """
        for leg_id, data in stored.items():
            try:
                leg = decode(data)
            except ValueError as error:
                raise ValueError(f"Stored dialog of leg {leg_id!r} can't be read: {error}") from error
            self._stored[leg_id] = hash(data)
            self._restore_leg(leg, now)

    def _restore_leg(self, leg: Leg, now: float) -> None:
        # A request that came before the crash and was never answered is repeated by the peer under its old CSeq.
        if leg.remote_cseq > (-1 if leg.outgoing else leg.invite_cseq):
            leg.remote_cseq -= 1
        self._adopt(leg)
        owner = "l" + leg.id
        if leg.flow.reliable:
            # connections died with the process
            old = leg.flow
            self._detach(leg)
            self._reroute(leg, old)
            for sent in leg.sent.values():
                sent.flow = leg.flow
        for sent in list(leg.sent.values()):
            self._tx.request(
                sent.method, sent.branch, sent.data, sent.flow, ("leg", leg.id, sent.purpose), now
            )
        if leg.invite_raw and leg.phase == "early" and not leg.outgoing:
            self._restore_invite(leg, now)
        elif leg.invite_key:
            # a re-INVITE of the peer's: it repeats it, the request itself isn't stored
            leg.invite_key = ""
        if leg.ok and leg.ok_flow is not None:
            leg.ok_since = now
            self._timers.set(owner, "ok", now)
            self._timers.set(owner, "ok-end", now + 64 * self._config.t1)
        if leg.rel:
            leg.rel_since = now
            self._timers.set(owner, "rel", now)
            self._timers.set(owner, "rel-end", now + 64 * self._config.t1)
        if leg.session and leg.phase == "confirmed":
            # a peer that waited through our outage gets a chance to be heard before the session counts as dead
            self._timers.set(owner, "expire", max(leg.expires_at, now + 32))
            if leg.refresh_at:
                self._timers.set(owner, "refresh", max(leg.refresh_at, now))
        if leg.retry_kind:
            self._timers.set(owner, "retry", now + 0.5)
        if leg.cancel_wanted and leg.phase == "early":
            self._timers.set(owner, "cancel", now + 64 * self._config.t1)
        self._dirty.pop(leg.id, None)

    def _restore_invite(self, leg: Leg, now: float) -> None:
        try:
            message = messages.parse(leg.invite_raw)
            messages.mark_via(message, leg.flow.remote)
        except (MalformedMessage, SipSyntaxError):
            self._count("unreadable stored invite")
            return
        tx = self._tx.serve(message, leg.invite_key, leg.flow)
        tx.owner = ("leg", leg.id, "")
        tx.data = leg.provisional


def _binding(value: str, default: int) -> ContactBinding:
    contact = parse_name_addr(value)
    expires, q, reg_id = (
        contact.param("expires") or "",
        contact.param("q") or "",
        contact.param("reg-id") or "",
    )
    try:
        weight = min(max(float(q), 0.0), 1.0) if q else 1.0
    except ValueError:
        weight = 1.0
    return ContactBinding(
        uri=contact.uri,
        expires=int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 10 else default,
        q=weight if weight == weight else 1.0,
        instance=(contact.param("+sip.instance") or "").strip("<>"),
        reg_id=int(reg_id) if reg_id.isascii() and reg_id.isdigit() and len(reg_id) < 10 else 0,
    )


def _contact_line(binding: ContactBinding) -> str:
    line = f"Contact: <{messages.clean(binding.uri)}>;expires={binding.expires}"
    if binding.q != 1.0:
        line += f";q={binding.q:g}"
    if binding.instance:
        line += f";+sip.instance={quote_string(f'<{binding.instance}>')}"
    if binding.reg_id:
        line += f";reg-id={binding.reg_id}"
    return line
