"""Inside a dialog: requests of ours and of the peer, offers, refreshes, transfers, and its end (RFC 3261 12 to 15)."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from centrala.protocols.sip import session_timer
from centrala.protocols.sip.config import StackConfig
from centrala.protocols.sip.core import ALLOW, HIDDEN, SUPPORTED, Core, again
from centrala.protocols.sip.digest import answer_challenge, best_challenge
from centrala.protocols.sip.events import (
    Ended,
    PeerUnreachable,
    Reanswered,
    TransferProgressed,
)
from centrala.protocols.sip.flow import WEB_SOCKETS, Flow
from centrala.protocols.sip.leg import Leg, Sent, hop, is_private, request_line_and_routes
from centrala.protocols.sip.message import Message, clean, request, sdp_of
from centrala.protocols.sip.uri import SipSyntaxError, parse_uri

_OFFERS = frozenset({"reinvite", "update", "refresh"})
MAX_RETRIES = 5
USER_TIME = 30.0
"""Seconds within which the user must answer what it is told of; then the stack does it by 500 or 503."""


class Dialogs(Core):
    """What happens on a leg that the peer knows of."""

    def __init__(self, config: StackConfig, token: Callable[[int], str]) -> None:
        super().__init__(config, token)
        self._passwords: dict[str, tuple[str, str]] = {}
        self._early_updates: dict[str, str] = {}
        self._refers: dict[str, str] = {}

    # -- connections that come and go

    def _detach(self, leg: Leg) -> None:
        """The leg's connection is gone: another one to the peer's Contact; a browser has to come back by itself."""
        flow = leg.flow
        if flow.transport in WEB_SOCKETS:
            self._move(leg, replace(flow, connection=0))
            return
        transport, address = hop(leg)
        try:
            self._move(leg, replace(self.flow_to(transport, address, near=flow), connection=0))
        except ValueError:
            self._move(leg, replace(flow, connection=0))

    def _reroute(self, leg: Leg, old: Flow) -> None:
        """What waits for an answer over a connection that is gone goes out again over the leg's present one."""
        for key, sent in leg.sent.items():
            tx = self._tx.clients.get(key)
            if tx is None or sent.flow != old:
                continue
            tx.flow = sent.flow = leg.flow
            self._send(leg.flow, tx.data)
        for key in (leg.invite_key, leg.ok_key):
            waiting = self._tx.servers.get(key)
            if waiting is not None and waiting.flow == old:
                self._tx.move(waiting, leg.flow)
        if leg.ok_flow == old:
            leg.ok_flow = leg.flow
        if leg.ack_flow == old:
            leg.ack_flow = leg.flow
        self._save(leg)

    def rebind(self, leg: str, flow: Flow, *, now: float) -> None:
        """The peer of a leg came back over another connection: go on there (RFC 5626 4.3)."""
        found = self._leg(leg)
        if found is None or found.flow == flow:
            return
        old = found.flow
        self._move(found, flow)
        self._reroute(found, old)

    # -- requests of ours

    def _flow_of(self, leg: Leg) -> Flow:
        """The way of the next request: the peer's own connection, else by route set or target (RFC 5923, RFC 3261)."""
        flow = leg.flow
        if flow.reliable or leg.nat:
            return flow
        transport, address = hop(leg)
        if transport == flow.transport:
            return flow if address == flow.remote else replace(flow, remote=address)
        try:
            return self.flow_to(transport, address)
        except ValueError:
            return flow

    def _compose(
        self,
        leg: Leg,
        method: str,
        cseq: int,
        flow: Flow,
        branch: str,
        headers: Sequence[str],
        body: str = "",
        content_type: str = "application/sdp",
    ) -> bytes:
        via, contact = self._face(flow)
        uri, route = request_line_and_routes(leg.target, leg.route)
        to = f"{leg.remote};tag={leg.remote_tag}" if leg.remote_tag else leg.remote
        lines = [
            via + branch,
            "Max-Forwards: 70",
            f"From: {leg.local};tag={leg.local_tag}",
            f"To: {to}",
            f"Call-ID: {leg.call_id}",
            f"CSeq: {cseq} {method}",
        ]
        if route:
            lines += [f"Route: {value}" for value in route]
        if method not in ("BYE", "ACK", "PRACK"):
            lines.append(f"Contact: {contact}")
        lines += headers
        lines.append(self._agent)
        return request(method, uri, lines, body, content_type)

    def _request(
        self,
        leg: Leg,
        method: str,
        purpose: str,
        now: float,
        headers: Sequence[str] = (),
        body: str = "",
        content_type: str = "application/sdp",
    ) -> None:
        """Send a request within the dialog."""
        leg.local_cseq += 1
        flow = self._flow_of(leg)
        branch = self._branch()
        data = self._compose(leg, method, leg.local_cseq, flow, branch, headers, body, content_type)
        self._dispatch(leg, Sent(method, branch, purpose, data, flow, leg.local_cseq, sdp=body), now)

    def _dispatch(self, leg: Leg, sent: Sent, now: float) -> None:
        tx = self._tx.request(
            sent.method, sent.branch, sent.data, sent.flow, ("leg", leg.id, sent.purpose), now
        )
        leg.sent[tx.key] = sent
        self._save(leg)

    def _send_again(self, leg: Leg, sent: Sent, changed: dict[str, str], now: float) -> None:
        leg.local_cseq += 1
        branch = self._branch()
        data = again(sent.data, self._face(sent.flow)[0] + branch, leg.local_cseq, changed)
        if leg.remote_tag == "" and sent.purpose == "invite":
            leg.invite_cseq = leg.local_cseq
        self._dispatch(
            leg,
            Sent(
                sent.method, branch, sent.purpose, data, sent.flow, leg.local_cseq, sent.tried_auth, sent.sdp
            ),
            now,
        )

    def _authenticate(self, leg: Leg, sent: Sent, message: Message, now: float) -> bool:
        """Repeat a challenged request with credentials (RFC 3261 22.2). False: there are none, or they were refused."""
        credentials = self._passwords.get(leg.id)
        if message.status not in (401, 407) or credentials is None:
            return False
        proxy = message.status == 407
        values = message.headers.get("proxy-authenticate" if proxy else "www-authenticate", [])
        challenge = best_challenge(values)
        if challenge is None or (sent.tried_auth and not challenge.stale):
            return False
        sent.tried_auth = True
        uri = sent.data.split(b" ", 2)[1].decode("utf-8", "replace")
        value = answer_challenge(
            challenge,
            method=sent.method,
            uri=uri,
            user=credentials[0],
            password=credentials[1],
            cnonce=self._token(8),
        )
        self._send_again(leg, sent, {"Proxy-Authorization" if proxy else "Authorization": value}, now)
        return True

    def credentials(self, leg: str, user: str, password: str) -> None:
        """Give a restored leg its user and password again: they are never stored."""
        if leg in self._legs:
            self._passwords[leg] = (user, password)

    def _drop(self, leg: Leg, now: float) -> None:
        self._passwords.pop(leg.id, None)
        super()._drop(leg, now)
        self._abandon(leg, 487, now)

    def _abandon(self, leg: Leg, status: int, now: float) -> None:
        """Answer what the peer asked and the user hasn't, as it never will."""
        for key in (leg.invite_key, self._early_updates.pop(leg.id, ""), self._refers.pop(leg.id, "")):
            tx = self._tx.servers.get(key)
            if tx is not None and tx.request is not None:
                self._reply(tx, status, now, to_tag=leg.local_tag)

    def _unanswered(self, leg: Leg, now: float) -> None:
        """The user owes an answer for too long."""
        self._count("unanswered by the user")
        if leg.phase == "early":
            kept, leg.invite_key = leg.invite_key, ""
            self._abandon(leg, 500, now)
            leg.invite_key = kept
        else:
            self._abandon(leg, 500, now)
            leg.invite_key = ""
        leg.refer_cseq = 0
        self._save(leg)

    def _send_ack(self, leg: Leg, cseq: int, sdp: str, flow: Flow | None = None) -> None:
        """ACK a 2xx (RFC 3261 13.2.2.4), and keep it for repeats of the 2xx."""
        way = flow or self._flow_of(leg)
        leg.ack = self._compose(leg, "ACK", cseq, way, self._branch(), (), sdp)
        leg.ack_flow = way
        leg.ack_due = False
        if sdp:
            leg.sdp = sdp
        self._send(way, leg.ack)
        self._save(leg)

    def ack(self, leg: str, sdp: str, *, now: float) -> None:
        """Confirm a 2xx that held the peer's offer, with our answer."""
        found = self._leg(leg)
        if found is None:
            return
        if not found.ack_due:
            self._count("ack not due")
            return
        self._send_ack(found, found.invite_cseq, sdp)

    # -- ends

    def _hang_up(self, leg: Leg, reason: str, now: float) -> None:
        """Send BYE now, or as soon as our 2xx is confirmed (RFC 3261 15)."""
        if leg.phase == "ending":
            return
        leg.phase = "ending"
        self._save(leg)
        for name in ("refresh", "expire", "retry"):
            self._timers.cancel("l" + leg.id, name)
        if leg.ok and leg.ok_first:
            leg.bye_wanted = reason
            return
        if leg.ack_due:
            self._send_ack(leg, leg.invite_cseq, "")
        self._request(leg, "BYE", "bye", now, [f"Reason: {clean(reason)}"] if reason else ())

    def _end(self, leg: Leg, why: str, now: float, *, reason: str = "") -> None:
        """The stack itself ends a dialog."""
        if leg.phase != "ending" and not leg.id.startswith(HIDDEN):
            self._tell(Ended(leg.id, False, why))
        self._hang_up(leg, reason, now)

    # -- offers of ours

    def reinvite(self, leg: str, sdp: str | None, *, now: float) -> None:
        """Offer a change by re-INVITE; None asks for the peer's offer. `Reanswered` tells the outcome."""
        found = self._leg(leg)
        if found is not None:
            self._offer(found, "reinvite", sdp, now)

    def update(self, leg: str, sdp: str, *, now: float) -> None:
        """As `reinvite`, by UPDATE (RFC 3311), which early dialogs take too. A peer without UPDATE gets a re-INVITE."""
        found = self._leg(leg)
        if found is not None:
            kind = "update" if found.peer_allows_update or found.phase == "early" else "reinvite"
            self._offer(found, kind, sdp, now)

    def _offering(self, leg: Leg) -> bool:
        return any(sent.purpose in _OFFERS for sent in leg.sent.values())

    def _offer(self, leg: Leg, kind: str, sdp: str | None, now: float) -> None:
        if leg.phase == "ending" or (leg.phase == "early" and kind != "update"):
            self._count("offer outside of a session")
            return
        if self._offering(leg) or leg.ok or leg.ack_due or (leg.invite_key and leg.phase != "early"):
            # RFC 3261 14.1: one offer at a time; the newest wins
            leg.retry_kind, leg.retry_sdp = kind, sdp
            self._timers.set("l" + leg.id, "retry", now + 0.2)
            self._save(leg)
            return
        headers = [ALLOW, SUPPORTED] if kind != "update" else [SUPPORTED]
        if leg.session:
            who = "uac" if leg.refresher else "uas"
            headers += [f"Session-Expires: {leg.session};refresher={who}"]
            headers += [f"Min-SE: {max(leg.min_se, self._config.min_se)}"]
        if sdp:
            leg.sdp = sdp
        self._request(leg, "UPDATE" if kind == "update" else "INVITE", kind, now, headers, sdp or "")

    def _refresh(self, leg: Leg, now: float) -> None:
        """Keep the session alive (RFC 4028 10): by an empty UPDATE where the peer knows it, else by re-INVITE."""
        if leg.phase != "confirmed":
            return
        if self._offering(leg) or leg.invite_key or leg.ok or leg.ack_due:
            self._timers.set("l" + leg.id, "refresh", now + 5)
            return
        headers = [SUPPORTED, f"Session-Expires: {leg.session};refresher=uac"]
        headers += [f"Min-SE: {max(leg.min_se, self._config.min_se)}"]
        if leg.peer_allows_update:
            self._request(leg, "UPDATE", "refresh", now, headers)
        else:
            self._request(leg, "INVITE", "refresh", now, [ALLOW, *headers], leg.sdp)

    def probe(self, leg: str, *, now: float) -> None:
        """Ask whether the peer still has the session, by OPTIONS (RFC 3261 11, 12.2.1.2). `Ended` tells if not."""
        found = self._legs.get(leg)
        asked = found is not None and any(sent.purpose == "probe" for sent in found.sent.values())
        if found is not None and found.phase == "confirmed" and not asked:
            self._request(found, "OPTIONS", "probe", now, ["Accept: application/sdp"])

    def _session(self, leg: Leg, seconds: int, refresher: bool, now: float) -> None:
        """A 2xx has agreed on (or renewed) a session interval; 0 for none."""
        leg.session, leg.refresher = seconds, refresher
        owner = "l" + leg.id
        if not seconds:
            self._timers.cancel(owner, "refresh")
            self._timers.cancel(owner, "expire")
            leg.refresh_at = leg.expires_at = 0.0
        else:
            leg.expires_at = now + session_timer.expire_after(seconds)
            self._timers.set(owner, "expire", leg.expires_at)
            if refresher:
                leg.refresh_at = now + session_timer.refresh_after(seconds)
                self._timers.set(owner, "refresh", leg.refresh_at)
            else:
                leg.refresh_at = 0.0
                self._timers.cancel(owner, "refresh")
        self._save(leg)

    def _session_of_response(self, leg: Leg, message: Message, now: float) -> None:
        agreed = session_timer.of(message)
        if agreed is None:
            self._session(leg, 0, False, now)
        else:
            self._session(leg, max(agreed.seconds, session_timer.FLOOR), agreed.refresher != "uas", now)

    def _offer_answered(self, leg: Leg, sent: Sent, message: Message, flow: Flow, now: float) -> None:
        """A final response to our re-INVITE or UPDATE."""
        status = message.status
        silent = sent.purpose == "refresh"
        if status < 300:
            self._learn(leg, message, flow, target_too=True)
            sdp, _ = sdp_of(message)
            leg.retries = 0
            if sent.method == "INVITE":
                leg.invite_cseq = sent.cseq
                if sent.sdp or leg.phase == "ending":
                    self._send_ack(leg, sent.cseq, "")
                else:
                    leg.ack_due = True
            self._session_of_response(leg, message, now)
            if not silent and leg.phase != "ending":
                self._tell(Reanswered(leg.id, sdp, status))
            self._save(leg)
            return
        if self._authenticate(leg, sent, message, now):
            return
        if leg.phase == "ending":
            return
        if status == 491 and leg.retries < MAX_RETRIES:
            # RFC 3261 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other up to 2 s, in steps of 10 ms
            leg.retries += 1
            steps = int(self._token(2), 16)
            wait = 2.1 + (steps % 191) * 0.01 if leg.outgoing else (steps % 201) * 0.01
            leg.retry_kind, leg.retry_sdp = sent.purpose, sent.sdp or None
            self._timers.set("l" + leg.id, "retry", now + wait)
            self._save(leg)
            return
        if status == 422 and leg.retries < MAX_RETRIES:
            leg.retries += 1
            leg.min_se = max(leg.min_se, _min_se(message))
            leg.session = max(leg.session, leg.min_se)
            changed = {
                "Session-Expires": f"{leg.session};refresher={'uac' if leg.refresher else 'uas'}",
                "Min-SE": str(leg.min_se),
            }
            self._send_again(leg, sent, changed, now)
            return
        if status in (408, 481):
            self._end(leg, "session expired" if silent else "dialog lost", now)
            return
        if silent:
            if sent.method == "UPDATE" and status in (405, 501):
                leg.peer_allows_update = False
                self._refresh(leg, now)
            return
        self._tell(Reanswered(leg.id, None, status))

    def _retry(self, leg: Leg, now: float) -> None:
        kind, sdp = leg.retry_kind, leg.retry_sdp
        leg.retry_kind, leg.retry_sdp = "", None
        if kind == "refresh":
            self._refresh(leg, now)
        elif kind:
            self._offer(leg, kind, sdp, now)

    # -- what the peer's messages teach

    def _learn(self, leg: Leg, message: Message, flow: Flow, *, target_too: bool) -> None:
        """Take the peer's flow, and where the message refreshes it its Contact (RFC 3261 12.2)."""
        self._move(leg, flow)
        if not target_too:
            return
        try:
            contact = message.contact()
        except SipSyntaxError:
            contact = None
        if contact is not None:
            leg.target = contact.uri
            leg.nat = self._behind_nat(leg, message, flow)
        if "allow" in message.headers:
            leg.peer_allows_update = "update" in message.words("allow")
        if "supported" in message.headers:
            leg.peer_timer = "timer" in message.words("supported")

    @staticmethod
    def _behind_nat(leg: Leg, message: Message, flow: Flow) -> bool:
        """True if the peer's Contact can't be reached and no proxy stands in between."""
        if leg.route or flow.reliable:
            return False
        try:
            host, port = parse_uri(leg.target).address
        except SipSyntaxError:
            return True
        if (host, port) == flow.remote:
            return False
        if message.status:
            return is_private(host) and host != flow.remote[0]
        via = message.via
        moved = via.param("received") is not None or (via.param("rport") or str(via.port or 5060)) != str(
            via.port or 5060
        )
        return moved and len(message.all("via")) == 1

    # -- responses and silence, of requests within the dialog other than the first INVITE

    def _answered_in_dialog(self, leg: Leg, sent: Sent, message: Message, flow: Flow, now: float) -> None:
        status = message.status
        match sent.purpose:
            case "bye":
                if not self._authenticate(leg, sent, message, now):
                    self._drop(leg, now)
            case "reinvite" | "update" | "refresh":
                self._offer_answered(leg, sent, message, flow, now)
            case "refer":
                if status >= 300 and not self._authenticate(leg, sent, message, now):
                    self._tell(TransferProgressed(leg.id, status))
            case "notify":
                if status == 481:
                    leg.refer_cseq = 0
                elif status in (401, 407):
                    self._authenticate(leg, sent, message, now)
            case "prack":
                if status in (401, 407):
                    self._authenticate(leg, sent, message, now)
            case "probe":
                if status in (408, 481):
                    self._end(leg, "dialog lost", now)
            case _:
                pass
        self._save(leg)

    def _unanswered_in_dialog(self, leg: Leg, sent: Sent, status: int, now: float) -> None:
        """Silence (408) or a broken transport (503)."""
        match sent.purpose:
            case "bye":
                self._drop(leg, now)
                return
            case "reinvite" | "update" | "refresh" if leg.phase == "ending":
                pass
            case "refresh" if status == 408:
                self._end(leg, "session expired", now)
            case "reinvite" | "update" if status == 408:
                self._end(leg, "dialog lost", now)
            case "reinvite" | "update":
                self._tell(Reanswered(leg.id, None, 503))
                self._tell(PeerUnreachable(leg.id))
            case "refer":
                self._tell(TransferProgressed(leg.id, status))
            case "notify":
                leg.refer_cseq = 0
            case "probe" if status == 408 or not leg.flow.reliable:
                self._end(leg, "peer lost", now)
            case _:
                if status == 503 and leg.phase != "ending":
                    self._tell(PeerUnreachable(leg.id))
        self._save(leg)


def session_headers(message: Message, agreed: session_timer.SessionExpires) -> list[str]:
    """Session-Expires for our 2xx, and Require where the peer must refresh (RFC 4028 9)."""
    lines = [f"Session-Expires: {agreed.seconds};refresher={agreed.refresher}"]
    if agreed.refresher == "uac":
        lines.append("Require: timer")
    return lines


def _min_se(message: Message) -> int:
    try:
        return message.number("min-se") or session_timer.FLOOR
    except SipSyntaxError:
        return session_timer.FLOOR
