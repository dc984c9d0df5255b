"""Calls that we make: INVITE as a client, forks, CANCEL, PRACK (RFC 3261 9.1, 13.2; RFC 3262)."""

from collections.abc import Sequence

from centrala.protocols.sip import session_timer
from centrala.protocols.sip.core import ALLOW, HIDDEN, SUPPORTED, Headers, derived, header_lines
from centrala.protocols.sip.dialogs import MAX_RETRIES
from centrala.protocols.sip.events import (
    AnsweredCall,
    Ended,
    Failed,
    Progressed,
)
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.incoming import Incoming, without_tag
from centrala.protocols.sip.leg import Fork, Leg, Sent
from centrala.protocols.sip.message import Message, clean, sdp_of
from centrala.protocols.sip.tables import State
from centrala.protocols.sip.transactions import Transaction
from centrala.protocols.sip.uri import (
    SipSyntaxError,
    format_name_addr,
    parse_name_addr,
    parse_uri,
    quote_string,
)


class Calls(Incoming):
    """INVITE as a client."""

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
        self._drop(leg, now)
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
            local=without_tag(message.from_),
            remote=without_tag(message.to),
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

    def heard(self, leg: str) -> bool:
        """Whether the peer has answered our INVITE in any way, if only by 100; True for a leg that is gone."""
        found = self._legs.get(leg)
        unheard = (
            (self._tx.clients.get(key) for key, sent in found.sent.items() if sent.purpose == "invite")
            if found
            else ()
        )
        return not any(tx is not None and tx.state is State.CALLING for tx in unheard)

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


def reason_value(text: str) -> str:
    """A Reason header from a plain text, or as it is where it names a protocol."""
    return text if ";" in text and text.split(";")[0].isalnum() else f"SIP;text={quote_string(text)}"
