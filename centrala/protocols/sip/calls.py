"""Setting calls up and taking them down: INVITE both ways, CANCEL, PRACK, forks (RFC 3261 9, 13; RFC 3262)."""

from collections.abc import Callable, Sequence

from centrala.protocols.sip import session_timer
from centrala.protocols.sip.config import EXTENSIONS, StackConfig
from centrala.protocols.sip.core import ALLOW, HIDDEN, SUPPORTED, Headers, derived, header_lines, steady_tag
from centrala.protocols.sip.dialogs import MAX_RETRIES, Dialogs, session_headers
from centrala.protocols.sip.events import (
    AnsweredCall,
    Cancelled,
    Ended,
    Failed,
    InviteReceived,
    MessageRejected,
    Progressed,
    Withdrawn,
)
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.leg import Fork, Leg, Sent
from centrala.protocols.sip.message import Message, clean, sdp_of
from centrala.protocols.sip.refer import Replaces, parse_replaces
from centrala.protocols.sip.tables import State
from centrala.protocols.sip.transactions import Transaction
from centrala.protocols.sip.uri import (
    NameAddr,
    SipSyntaxError,
    format_name_addr,
    format_params,
    parse_name_addr,
    parse_uri,
    quote_string,
)

UNADOPTED = 32.0
"""Seconds within which the user must adopt or refuse an INVITE or REGISTER."""


class Calls(Dialogs):
    """INVITE as a client and as a server."""

    def __init__(self, config: StackConfig, token: Callable[[int], str]) -> None:
        super().__init__(config, token)
        self._waiting: dict[str, bytes] = {}
        """Requests without a leg that wait for the user, by key, with their bytes."""
        self._after_prack: dict[str, tuple[int, str | None, str | None, Headers]] = {}

    # -- the peer calls

    def _peer_invites(self, message: Message, key: str, flow: Flow, data: bytes, now: float) -> None:
        """A new INVITE. Answers what can't be served; the rest is the user's (RFC 3261 13.3)."""
        sdp, understood = sdp_of(message)
        contact = message.contact()
        if contact is None:
            self._reply_stateless(message, flow, 400, "Missing Contact")
            return
        if not understood:
            self._reply_stateless(message, flow, 415, None, ["Accept: application/sdp"])
            return
        accepted = {value.partition(";")[0].strip() for value in message.words("accept")}
        if "accept" in message.headers and not accepted & {"application/sdp", "application/*", "*/*"}:
            self._reply_stateless(message, flow, 406)
            return
        if session_timer.too_small(message, self._config.min_se):
            self._reply_stateless(message, flow, 422, None, [f"Min-SE: {self._config.min_se}"])
            return
        replaces: Replaces | None = None
        value = message.get("replaces")
        if value is not None:
            try:
                replaces = parse_replaces(value)
            except SipSyntaxError as error:
                self._reply_stateless(message, flow, 400, str(error))
                return
            leg = self._dialog(replaces.call_id, replaces.to_tag, replaces.from_tag)
            replaces = Replaces(
                replaces.call_id,
                replaces.to_tag,
                replaces.from_tag,
                replaces.early_only,
                leg.id if leg is not None else None,
            )
        tx = self._tx.serve(message, key, self._return_flow(message, flow))
        self._waiting[key] = data
        self._timers.set("k" + key, "unadopted", now + UNADOPTED)
        self._reply(tx, 100, now)
        caller = message.from_
        from_uri = parse_uri(caller.uri)
        asked = message.request_uri()
        asserted = message.all("p-asserted-identity")
        self._tell(
            InviteReceived(
                key=key,
                flow=flow,
                request_uri_user=asked.user,
                request_uri_host=asked.host,
                from_user=from_uri.user,
                from_host=from_uri.host,
                from_display=caller.display,
                to_user=parse_uri(message.to.uri).user,
                p_asserted=_user_of(asserted),
                privacy=bool(
                    {"id", "user", "header"} & set((message.get("privacy") or "").lower().split(";"))
                ),
                call_id=message.call_id,
                sdp=sdp,
                auth=self._credentials_of(message),
                replaces=replaces,
                message=message,
            )
        )

    def _waiting_request(self, key: str) -> Transaction | None:
        tx = self._tx.servers.get(key)
        if key not in self._waiting or tx is None or tx.request is None:
            self._count("unknown key")
            return None
        return tx

    def _settled(self, key: str) -> None:
        self._waiting.pop(key, None)
        self._timers.cancel("k" + key, "unadopted")

    def adopt(self, key: str, leg: str, *, now: float) -> None:
        """Give an INVITE its leg id. Answer with `respond`. ValueError if the leg id is taken."""
        tx = self._waiting_request(key)
        if tx is None or tx.request is None:
            return
        self._free(leg)
        data = self._waiting[key]
        self._settled(key)
        asked = tx.request
        contact = asked.contact()
        new = Leg(
            id=leg,
            call_id=asked.call_id,
            local_tag=self._tag(),
            local=_without_tag(asked.to),
            remote=_without_tag(asked.from_),
            remote_tag=asked.from_.tag,
            outgoing=False,
            flow=tx.flow,
            target=contact.uri if contact is not None else asked.from_.uri,
            route=asked.all("record-route"),
            local_cseq=0,
            remote_cseq=asked.cseq[0],
            invite_key=key,
            invite_raw=data,
            invite_cseq=asked.cseq[0],
            rel_required="100rel" in asked.words("require"),
            peer_allows_update="update" in asked.words("allow"),
            peer_timer="timer" in asked.words("supported"),
        )
        new.nat = self._behind_nat(new, asked, tx.flow)
        tx.owner = ("leg", leg, "")
        self._adopt(new)

    def _free(self, leg: str) -> None:
        if leg in self._legs:
            raise ValueError(f"Leg id {leg!r} is in use: every dialog needs an id of its own.")
        if leg.startswith(HIDDEN) or not leg:
            raise ValueError(f"A leg id can't be empty or begin with {HIDDEN!r}.")

    def respond(
        self,
        leg: str,
        status: int,
        *,
        reason: str | None = None,
        sdp: str | None = None,
        headers: Headers = (),
        now: float,
    ) -> None:
        """Answer the INVITE of an adopted leg: 101-199 any number of times, then one of 200-699.

        After 300-699 the leg is gone, without another event. An answer after the caller gave up is ignored.
        """
        found = self._leg(leg)
        if found is None:
            return
        tx = self._tx.servers.get(found.invite_key)
        if found.outgoing or found.phase != "early" or tx is None or tx.request is None:
            self._count("late response")
            return
        asked = tx.request
        if 100 < status < 200:
            self._provisional(found, tx, status, reason, sdp, headers, now)
            return
        if status < 300 and found.rel:
            # RFC 3262 3: the final answer waits while an offer or answer is still unconfirmed
            self._after_prack[leg] = (status, reason, sdp, headers)
            return
        lines = header_lines(headers)
        if status >= 300:
            self._reply(tx, status, now, reason=reason, to_tag=found.local_tag, headers=lines)
            self._drop(found)
            return
        own = [f"Contact: {self._face(tx.flow)[1]}", ALLOW, SUPPORTED]
        found.phase = "confirmed"
        found.invite_key, found.invite_raw, found.provisional = "", b"", b""
        agreed = session_timer.agree(asked, self._config.session_expires, self._config.min_se)
        if agreed is not None:
            self._session(found, agreed.seconds, agreed.refresher == "uas", now)
            own += session_headers(asked, agreed)
        body = sdp
        if sdp is not None:
            found.sdp = sdp
        offered, _ = sdp_of(asked)
        data = self._reply(
            tx, status, now, reason=reason, to_tag=found.local_tag, headers=[*own, *lines], sdp=body
        )
        self._await_ack(found, tx, data, found.invite_cseq, offered is None, True, now)

    def _provisional(
        self,
        leg: Leg,
        tx: Transaction,
        status: int,
        reason: str | None,
        sdp: str | None,
        headers: Headers,
        now: float,
    ) -> None:
        own = [f"Contact: {self._face(tx.flow)[1]}", ALLOW, *header_lines(headers)]
        if leg.rel_required:
            if leg.rel:
                # one unconfirmed at a time; what matters comes with the next
                self._count("provisional while unconfirmed")
                return
            leg.rseq = leg.rseq + 1 if leg.rseq else 1 + int(self._token(2), 16)
            own += ["Require: 100rel", f"RSeq: {leg.rseq}"]
        if sdp is not None:
            leg.sdp = sdp
        data = self._reply(tx, status, now, reason=reason, to_tag=leg.local_tag, headers=own, sdp=sdp)
        leg.provisional = data
        if leg.rel_required:
            leg.rel, leg.rel_since = data, now
            self._timers.set("l" + leg.id, "rel", now + self._config.t1)
            self._timers.set("l" + leg.id, "rel-end", now + 64 * self._config.t1)
        self._save(leg)

    def _repeat_rel(self, leg: Leg, now: float) -> None:
        if leg.rel:
            self._send(
                self._tx.servers[leg.invite_key].flow if leg.invite_key in self._tx.servers else leg.flow,
                leg.rel,
            )
            self._timers.set("l" + leg.id, "rel", now + (now - leg.rel_since) + self._config.t1)

    def _pracked(self, leg: Leg, message: Message, tx: Transaction, now: float) -> None:
        """RFC 3262 3: RAck must name the response that waits."""
        rack = (message.get("rack") or "").split()
        fits = leg.rel and rack[:2] == [str(leg.rseq), str(leg.invite_cseq)] and rack[2:] == ["INVITE"]
        if not fits:
            self._reply(tx, 481, now, to_tag=leg.local_tag)
            return
        sdp, _ = sdp_of(message)
        asked = self._tx.servers.get(leg.invite_key)
        offered = asked is not None and asked.request is not None and sdp_of(asked.request)[0] is not None
        if sdp is not None and offered:
            # a second offer before the answer: we take none inside of PRACK
            self._reply(tx, 488, now, to_tag=leg.local_tag)
        else:
            self._reply(tx, 200, now, to_tag=leg.local_tag)
        leg.rel = b""
        self._timers.cancel("l" + leg.id, "rel")
        self._timers.cancel("l" + leg.id, "rel-end")
        self._save(leg)
        then = self._after_prack.pop(leg.id, None)
        if then is not None:
            status, reason, answer, headers = then
            self.respond(leg.id, status, reason=reason, sdp=answer, headers=headers, now=now)

    def _never_pracked(self, leg: Leg, now: float) -> None:
        tx = self._tx.servers.get(leg.invite_key)
        if tx is not None:
            self._reply(tx, 504, now, to_tag=leg.local_tag)
        self._drop(leg)
        self._tell(Ended(leg.id, False, "no prack"))

    def _peer_cancels(self, message: Message, flow: Flow, now: float) -> None:
        """RFC 3261 9.2: CANCEL answers for itself; the INVITE gets 487 if it has no final answer yet."""
        key = self._tx.server_key(message, "INVITE")
        tx = self._tx.servers.get(key)
        if tx is None or tx.method != "INVITE":
            self._reply_stateless(message, flow, 481)
            return
        leg = next((one for one in (self._legs.get(self._leg_of_key(tx)),) if one is not None), None)
        tag = leg.local_tag if leg is not None else steady_tag(key)
        own = self._tx.serve(message, self._tx.server_key(message, "CANCEL"), tx.flow)
        self._reply(own, 200, now, to_tag=tag)
        if tx.request is None or tx.state is not State.PROCEEDING:
            return
        self._reply(tx, 487, now, to_tag=tag)
        if key in self._waiting:
            self._settled(key)
            self._tell(Withdrawn(key))
        elif leg is not None and leg.phase == "early":
            self._drop(leg)
            self._tell(Cancelled(leg.id, message.get("reason") or ""))
        elif leg is not None:
            leg.invite_key = ""
            self._save(leg)

    def _leg_of_key(self, tx: Transaction) -> str:
        if tx.request is None:
            return ""
        tag = tx.request.to.tag
        if tag:
            return self._dialogs.get((tx.request.call_id, tag), "")
        return tx.owner[1]

    def _unadopted(self, key: str, now: float) -> None:
        tx = self._waiting_request(key)
        self._settled(key)
        if tx is not None:
            self._count("unadopted")
            self._reply(tx, 503, now, headers=["Retry-After: 5"])
            self._tell(Withdrawn(key))

    def refuse(
        self, key: str, status: int, *, reason: str | None = None, headers: Headers = (), now: float
    ) -> None:
        """Turn an INVITE or REGISTER down, without a leg."""
        tx = self._waiting_request(key)
        if tx is None:
            return
        self._settled(key)
        self._reply(tx, status, now, reason=reason, headers=header_lines(headers))

    def challenge(self, key: str, realm: str, *, stale: bool = False, now: float) -> None:
        """Ask who it is (401, RFC 3261 22.2). The peer comes back with a new request, hence a new key."""
        values = self._digest.challenges(realm, self._config.digest_algorithms, now, stale=stale)
        self.refuse(key, 401, headers=[("WWW-Authenticate", value) for value in values], now=now)

    # -- we call

    def invite(
        self,
        leg: str,
        *,
        call_id: str,
        target_uri: str,
        destination: Flow | None = None,
        from_uri: str,
        from_display: str = "",
        to_uri: str | None = None,
        sdp: str | None,
        headers: Headers = (),
        route: Sequence[str] = (),
        credentials: tuple[str, str] | None = None,
        now: float,
    ) -> None:
        """Call `target_uri`. `Progressed`, `AnsweredCall`, `Failed` tell how it goes.

        `destination`: None for what the route or target says. `route`: preloaded Route values (a phone's Path).
        `credentials`: user and password for 401 and 407; never stored. ValueError for unreadable URIs, a leg id in
        use or a transport without a listening point.
        """
        self._free(leg)
        way = destination or self.flow_for_uri(target_uri, route)
        parse_uri(from_uri), parse_uri(to_uri or target_uri), parse_uri(target_uri)
        new = Leg(
            id=leg,
            call_id=clean(call_id),
            local_tag=self._tag(),
            local=format_name_addr(from_uri, from_display),
            remote=f"<{to_uri or target_uri}>",
            outgoing=True,
            flow=way,
            target=target_uri,
            route=list(route),
            local_cseq=1,
            invite_cseq=1,
            sdp=sdp or "",
        )
        if credentials is not None:
            self._passwords[leg] = credentials
        own = [ALLOW, SUPPORTED, *header_lines(headers)]
        if self._config.session_expires:
            own += [f"Session-Expires: {self._config.session_expires}", f"Min-SE: {self._config.min_se}"]
        branch = self._branch()
        data = self._compose(new, "INVITE", 1, way, branch, own, sdp or "")
        self._adopt(new)
        self._dispatch(new, Sent("INVITE", branch, "invite", data, way, 1, sdp=sdp or ""), now)

    def flow_for_uri(self, uri: str, route: Sequence[str] = ()) -> Flow:
        """Where a request to `uri` goes. ValueError if that is no SIP URI or we don't speak its transport."""
        first = parse_uri(parse_name_addr(route[0]).uri) if route else parse_uri(uri)
        if first.scheme not in ("sip", "sips"):
            raise ValueError("Only sip: and sips: URIs can be called; give a destination for others.")
        return self.flow_to(first.transport, first.address)

    def _call_answered(
        self, leg: Leg, sent: Sent, tx: Transaction, message: Message, flow: Flow, now: float
    ) -> None:
        """A response to the INVITE that makes a dialog."""
        status = message.status
        if status < 200:
            self._call_progressed(leg, sent, message, flow, now)
        elif status < 300:
            self._call_connected(leg, sent, message, flow, now)
        elif leg.phase == "early":
            if not leg.cancel_wanted and self._authenticate(leg, sent, message, now):
                self._forget_forks(leg)
            elif status == 422 and leg.retries < MAX_RETRIES and not leg.cancel_wanted:
                leg.retries += 1
                try:
                    leg.min_se = max(message.number("min-se") or 0, session_timer.FLOOR)
                except SipSyntaxError:
                    leg.min_se = 1800
                interval = max(leg.min_se, self._config.session_expires)
                self._forget_forks(leg)
                changed = {"Session-Expires": str(interval), "Min-SE": str(leg.min_se)}
                self._send_again(leg, sent, changed, now)
            else:
                self._call_failed(leg, status, clean(message.reason), message, now)

    def _call_failed(self, leg: Leg, status: int, reason: str, message: Message | None, now: float) -> None:
        self._drop(leg)
        retry_after: int | None = None
        if message is not None:
            try:
                retry_after = message.number("retry-after")
            except SipSyntaxError:
                retry_after = None
        if not leg.id.startswith(HIDDEN):
            self._tell(Failed(leg.id, status, reason, retry_after, message is not None))

    def _forget_forks(self, leg: Leg) -> None:
        leg.forks.clear()
        leg.remote_tag = ""

    def _call_progressed(self, leg: Leg, sent: Sent, message: Message, flow: Flow, now: float) -> None:
        if leg.cancel_wanted:
            self._cancel_now(leg, sent, now)
        tag = message.to.tag
        if leg.phase != "early" or not tag or message.status == 100:
            self._save(leg)
            return
        contact = message.contact()
        fork = leg.forks.get(tag)
        if fork is None:
            if len(leg.forks) >= 32:
                self._count("too many forks")
                return
            target = contact.uri if contact is not None else leg.target
            fork = leg.forks[tag] = Fork(target, message.all("record-route")[::-1])
        if not leg.remote_tag:
            leg.remote_tag, leg.target = tag, fork.target
            if fork.route:
                leg.route = fork.route
            self._learn(leg, message, flow, target_too=contact is not None)
        sdp, _ = sdp_of(message)
        if "100rel" in message.words("require"):
            try:
                rseq = message.number("rseq")
            except SipSyntaxError:
                rseq = None
            if rseq is None or (fork.rseq and rseq != fork.rseq + 1):
                # a repeat, or one out of order (RFC 3262 4)
                self._save(leg)
                return
            fork.rseq = rseq
            self._prack(leg, tag, fork, rseq, sent.cseq, now)
        self._save(leg)
        if not leg.cancel_wanted:
            self._tell(Progressed(leg.id, message.status, sdp, tag))

    def _prack(self, leg: Leg, tag: str, fork: Fork, rseq: int, cseq: int, now: float) -> None:
        before = leg.remote_tag, leg.target, leg.route
        leg.remote_tag, leg.target, leg.route = tag, fork.target, fork.route or leg.route
        self._request(leg, "PRACK", "prack", now, [f"RAck: {rseq} {cseq} INVITE"])
        leg.remote_tag, leg.target, leg.route = before

    def _call_connected(self, leg: Leg, sent: Sent, message: Message, flow: Flow, now: float) -> None:
        """2xx: the first wins, its repeats get their ACK again, other branches are hung up (RFC 3261 13.2.2.4)."""
        tag = message.to.tag
        if leg.phase != "early":
            self._repeated_ok(leg, message, tag, now)
            return
        contact = message.contact()
        leg.remote_tag = tag
        leg.target = contact.uri if contact is not None else leg.target
        leg.route = message.all("record-route")[::-1]
        self._learn(leg, message, flow, target_too=True)
        leg.forks.clear()
        leg.phase = "confirmed"
        leg.invite_cseq = sent.cseq
        leg.retries = 0
        self._timers.cancel("l" + leg.id, "cancel")
        sdp, _ = sdp_of(message)
        if leg.cancel_wanted:
            self._send_ack(leg, sent.cseq, "")
            self._tell(Failed(leg.id, 487, "Request Terminated", None, False))
            self._hang_up(leg, leg.cancel_reason, now)
            return
        if sent.sdp:
            self._send_ack(leg, sent.cseq, "")
        else:
            leg.ack_due = True
        self._session_of_response(leg, message, now)
        self._save(leg)
        self._tell(AnsweredCall(leg.id, sdp, tag))

    def _repeated_ok(self, leg: Leg, message: Message, tag: str, now: float) -> None:
        if tag == leg.remote_tag:
            if leg.ack and leg.ack_flow is not None and message.cseq[0] == leg.invite_cseq:
                self._send(leg.ack_flow, leg.ack)
            return
        self._hang_up_stray(message, leg.flow, now)

    def _hang_up_stray(self, message: Message, flow: Flow, now: float) -> None:
        """ACK and BYE for a 2xx that nobody wants: another branch of a forked INVITE, or a leg that is gone."""
        stray = f"{HIDDEN}{message.call_id} {message.to.tag}"
        known = self._legs.get(stray)
        if known is not None:
            if known.ack_flow is not None:
                self._send(known.ack_flow, known.ack)
            return
        contact = message.contact()
        number = message.cseq[0]
        other = Leg(
            id=stray,
            call_id=message.call_id,
            local_tag=message.from_.tag,
            local=_without_tag(message.from_),
            remote=_without_tag(message.to),
            remote_tag=message.to.tag,
            outgoing=True,
            flow=flow,
            target=contact.uri if contact is not None else message.to.uri,
            route=message.all("record-route")[::-1],
            local_cseq=number + 1000,
            invite_cseq=number,
            phase="confirmed",
        )
        self._count("stray answer hung up")
        self._legs[stray] = other
        self._send_ack(other, number, "")
        self._hang_up(other, "", now)

    def cancel(self, leg: str, *, reason: str | None = None, now: float) -> None:
        """Give up an unanswered call. `Failed` follows, with 487 or what the peer said at the same moment."""
        found = self._leg(leg)
        if found is None:
            return
        if not found.outgoing or found.phase != "early":
            self._count("cancel of an answered call")
            return
        if found.cancel_wanted:
            return
        found.cancel_wanted = True
        found.cancel_reason = reason or ""
        self._save(found)
        self._timers.set("l" + leg, "cancel", now + 64 * self._config.t1)
        for key, sent in list(found.sent.items()):
            tx = self._tx.clients.get(key)
            # RFC 3261 9.1: not before a provisional response
            if sent.purpose == "invite" and tx is not None and tx.state is State.PROCEEDING:
                self._cancel_now(found, sent, now)

    def _cancel_now(self, leg: Leg, sent: Sent, now: float) -> None:
        if any(other.purpose == "cancel" for other in leg.sent.values()) or leg.phase != "early":
            return
        data = derived(sent.data, "CANCEL")
        if leg.cancel_reason:
            data = data.replace(
                b"\r\nContent-Length:",
                f"\r\nReason: {clean(leg.cancel_reason)}\r\nContent-Length:".encode(),
                1,
            )
        self._dispatch(leg, Sent("CANCEL", sent.branch, "cancel", data, sent.flow, sent.cseq), now)

    def _cancel_unheard(self, leg: Leg, now: float) -> None:
        """No final response within 64 T1 of the CANCEL: the INVITE counts as cancelled (RFC 3261 9.1)."""
        for key in leg.sent:
            tx = self._tx.clients.get(key)
            if tx is not None:
                self._tx.forget(tx)
        self._call_failed(leg, 487, "Request Terminated", None, now)

    def bye(self, leg: str, *, reason: str | None = None, now: float) -> None:
        """Hang up, whatever the state: CANCEL an unanswered INVITE of ours, 480 to the peer's, else BYE.

        `reason`: a whole Reason value such as 'SIP;cause=200;text="done"', or a plain text (RFC 3326).
        """
        found = self._leg(leg)
        if found is None:
            return
        text = reason_value(reason) if reason else ""
        if found.phase == "ending":
            return
        if found.phase == "early" and found.outgoing:
            self.cancel(leg, reason=text or None, now=now)
            return
        if found.phase == "early":
            headers = [("Reason", text)] if text else []
            self.respond(leg, 480, headers=headers, now=now)
        else:
            self._hang_up(found, text, now)
        self._tell(Ended(leg, False, "bye"))

    def _drop(self, leg: Leg) -> None:
        self._after_prack.pop(leg.id, None)
        super()._drop(leg)

    def _reject(self, reason: str, flow: Flow) -> None:
        self._count(f"rejected: {reason}")
        self._tell(MessageRejected(reason, flow.remote))


def reason_value(text: str) -> str:
    """A Reason header from a plain text, or as it is where it names a protocol."""
    return text if ";" in text and text.split(";")[0].isalnum() else f"SIP;text={quote_string(text)}"


def unknown_extensions(message: Message) -> list[str]:
    """Option tags in Require that we don't know (RFC 3261 8.2.2.3)."""
    return [tag for tag in message.all("require") if tag.lower() not in EXTENSIONS]


def _without_tag(value: NameAddr) -> str:
    rest = tuple(pair for pair in value.params if pair[0] != "tag")
    head = f"{quote_string(value.display)} <{value.uri}>" if value.display else f"<{value.uri}>"
    return head + format_params(rest)


def _user_of(values: list[str]) -> str | None:
    for value in values:
        try:
            return parse_uri(parse_name_addr(value).uri).user or None
        except SipSyntaxError:
            continue
    return None
