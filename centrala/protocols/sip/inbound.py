"""What the peer asks within a dialog: changes of the session, its end, digits, transfers (RFC 3261 12.2.2, 14, 15)."""

import re
from dataclasses import replace

from centrala.protocols.sip import session_timer
from centrala.protocols.sip.core import ALLOW, HIDDEN, SUPPORTED
from centrala.protocols.sip.dialogs import USER_TIME, Dialogs, session_headers
from centrala.protocols.sip.events import (
    Acked,
    Ended,
    Failed,
    InfoReceived,
    Reanswered,
    Referred,
    ReInvited,
    TransferProgressed,
)
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.leg import Leg
from centrala.protocols.sip.message import REASONS, Message, clean, sdp_of
from centrala.protocols.sip.refer import refer_target, refer_to, sipfrag_status
from centrala.protocols.sip.transactions import Transaction
from centrala.protocols.sip.uri import SipSyntaxError, parse_name_addr, parse_uri

_SIGNAL = re.compile(r"^\s*Signal\s*=\s*([0-9A-Da-d*#]|1[0-5])\s*$", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(r"^\s*Duration\s*=\s*(\d{1,6})\s*$", re.IGNORECASE | re.MULTILINE)
_DIGIT = re.compile(r"\s*([0-9A-Da-d*#])\s*")


class Inbound(Dialogs):
    """The server side of requests within a dialog, and transfers both ways."""

    # -- requests of the peer

    def _in_dialog(self, leg: Leg, message: Message, tx: Transaction, flow: Flow, now: float) -> None:
        """A request within a dialog, in order and new."""
        leg.remote_cseq = message.cseq[0]
        self._learn(leg, message, flow, target_too=message.method in ("INVITE", "UPDATE"))
        self._save(leg)
        match message.method:
            case "BYE":
                self._peer_hung_up(leg, message, tx, now)
            case _ if leg.phase == "ending":
                self._reply(tx, 481, now)
            case "INVITE" | "UPDATE":
                self._peer_offers(leg, message, tx, now)
            case "PRACK":
                self._pracked(leg, message, tx, now)
            case "INFO":
                self._info(leg, message, tx, now)
            case "REFER":
                self._peer_refers(leg, message, tx, now)
            case "NOTIFY":
                self._notified(leg, message, tx, now)
            case _:
                self._reply(tx, 405, now, headers=[ALLOW])

    def _peer_hung_up(self, leg: Leg, message: Message, tx: Transaction, now: float) -> None:
        self._reply(tx, 200, now)
        hidden = leg.id.startswith(HIDDEN)
        if leg.outgoing and leg.phase == "early":
            self._drop(leg, now)
            self._tell(Failed(leg.id, 487, "hung up before the answer"))
            return
        ended = leg.phase == "ending"
        self._drop(leg, now)
        if not ended and not hidden:
            self._tell(Ended(leg.id, True, "bye", message.get("reason") or ""))

    def _peer_offers(self, leg: Leg, message: Message, tx: Transaction, now: float) -> None:
        """Re-INVITE or UPDATE (RFC 3261 14.2, RFC 3311 5.2)."""
        sdp, understood = sdp_of(message)
        refresh_only = message.method == "UPDATE" and sdp is None
        if not understood:
            self._reply(tx, 415, now, to_tag=leg.local_tag, headers=["Accept: application/sdp"])
            return
        if session_timer.too_small(message, self._config.min_se):
            self._reply(tx, 422, now, to_tag=leg.local_tag, headers=[f"Min-SE: {self._config.min_se}"])
            return
        if leg.ok and leg.ok_first and not leg.ok_offered:
            # only the ACK was lost: who changes the session has seen that it began
            self._forget_ok(leg)
            self._tell(Acked(leg.id, None))
        if not refresh_only:
            if self._offering(leg) or (leg.ok and leg.ok_offered) or leg.ack_due:
                self._reply(tx, 491, now, to_tag=leg.local_tag)
                return
            if leg.invite_key and leg.phase == "confirmed":
                seconds = int(self._token(1), 16) % 10
                self._reply(tx, 500, now, to_tag=leg.local_tag, headers=[f"Retry-After: {seconds}"])
                return
            if leg.phase == "early" and message.method == "INVITE":
                # a second INVITE before the first is answered
                self._reply(
                    tx, 491 if leg.outgoing else 500, now, to_tag=leg.local_tag, headers=["Retry-After: 3"]
                )
                return
        if refresh_only:
            self._reply(tx, 200, now, to_tag=leg.local_tag, headers=self._refreshed(leg, message, tx, now))
            return
        if leg.phase == "early":
            # UPDATE before the answer: the initial INVITE stays the one that waits
            self._early_updates[leg.id] = tx.key
        else:
            leg.invite_key = tx.key
        if message.method == "INVITE":
            self._reply(tx, 100, now)
        self._timers.set("l" + leg.id, "unanswered", now + USER_TIME)
        self._tell(ReInvited(leg.id, sdp))

    def _refreshed(self, leg: Leg, message: Message, tx: Transaction, now: float) -> list[str]:
        """Headers of our 2xx to a re-INVITE or UPDATE; renews the session timer."""
        headers = [f"Contact: {self._face(tx.flow)[1]}", ALLOW, SUPPORTED]
        agreed = session_timer.agree(message, leg.session, self._config.min_se)
        if leg.phase == "confirmed" and agreed is not None:
            self._session(leg, agreed.seconds, agreed.refresher == "uas", now)
            headers += session_headers(message, agreed)
        return headers

    def _waiting_offer(self, leg: Leg) -> Transaction | None:
        key = self._early_updates.pop(leg.id, "")
        if not key and leg.phase != "early":
            key, leg.invite_key = leg.invite_key, ""
        tx = self._tx.servers.get(key)
        if tx is None or tx.request is None:
            self._count("no offer to answer")
            return None
        self._timers.cancel("l" + leg.id, "unanswered")
        return tx

    def answer_reinvite(self, leg: str, sdp: str, *, now: float) -> None:
        """Accept what `ReInvited` told."""
        found = self._leg(leg)
        tx = self._waiting_offer(found) if found is not None else None
        if found is None or tx is None or tx.request is None:
            return
        asked = tx.request
        offered, _ = sdp_of(asked)
        found.sdp = sdp
        headers = self._refreshed(found, asked, tx, now)
        data = self._reply(tx, 200, now, to_tag=found.local_tag, headers=headers, sdp=sdp)
        if asked.method == "INVITE":
            self._await_ack(found, tx, data, asked.cseq[0], offered is None, False, now)
        self._save(found)

    def reject_reinvite(self, leg: str, status: int, *, now: float) -> None:
        """Refuse what `ReInvited` told; the session stays as it was."""
        found = self._leg(leg)
        tx = self._waiting_offer(found) if found is not None else None
        if found is not None and tx is not None:
            self._reply(tx, status, now, to_tag=found.local_tag)
            self._save(found)

    def _await_ack(
        self, leg: Leg, tx: Transaction, data: bytes, cseq: int, offered: bool, first: bool, now: float
    ) -> None:
        """Repeat a 2xx until its ACK, over any transport (RFC 3261 13.3.1.4)."""
        leg.ok, leg.ok_key, leg.ok_flow = data, tx.key, tx.flow
        leg.ok_cseq, leg.ok_since = cseq, now
        leg.ok_offered, leg.ok_first = offered, first
        owner, t1 = "l" + leg.id, self._config.t1
        self._timers.set(owner, "ok", now + t1)
        self._timers.set(owner, "ok-end", now + 64 * t1)
        self._save(leg)

    def _repeat_ok(self, leg: Leg, now: float) -> None:
        if not leg.ok or leg.ok_flow is None:
            return
        self._send(leg.ok_flow, leg.ok)
        # T1, 2 T1, 4 T1 ... T2: the time since the first is one interval short of the next doubling
        wait = min(max(now - leg.ok_since, 0.0) + self._config.t1, self._config.t2)
        self._timers.set("l" + leg.id, "ok", now + wait)

    def _acked(self, leg: Leg, message: Message, flow: Flow, now: float) -> None:
        """ACK for a 2xx of ours."""
        if not leg.ok or message.cseq[0] != leg.ok_cseq:
            return
        first, offered = leg.ok_first, leg.ok_offered
        self._forget_ok(leg)
        self._move(leg, flow)
        sdp, _ = sdp_of(message)
        if leg.phase == "ending":
            if leg.bye_wanted is not None:
                reason, leg.bye_wanted = leg.bye_wanted, None
                self._request(leg, "BYE", "bye", now, [f"Reason: {clean(reason)}"] if reason else ())
        elif first:
            self._tell(Acked(leg.id, sdp))
        elif offered:
            self._tell(Reanswered(leg.id, sdp, 200))

    def _forget_ok(self, leg: Leg) -> None:
        leg.ok, leg.ok_key, leg.ok_flow, leg.ok_cseq, leg.ok_since = b"", "", None, 0, 0.0
        leg.ok_offered = leg.ok_first = False
        self._timers.cancel("l" + leg.id, "ok")
        self._timers.cancel("l" + leg.id, "ok-end")
        self._save(leg)

    def _never_acked(self, leg: Leg, now: float) -> None:
        """64 T1 without an ACK: the session ends with BYE (RFC 3261 13.3.1.4)."""
        reason = leg.bye_wanted or ""
        waiting = leg.bye_wanted is not None
        leg.bye_wanted = None
        self._forget_ok(leg)
        if waiting:
            self._request(leg, "BYE", "bye", now, [f"Reason: {clean(reason)}"] if reason else ())
        else:
            self._end(leg, "no ack", now)

    def _pracked(self, leg: Leg, message: Message, tx: Transaction, now: float) -> None:
        raise NotImplementedError

    # -- digits

    def _info(self, leg: Leg, message: Message, tx: Transaction, now: float) -> None:
        kind = (message.get("content-type") or "").partition(";")[0].strip().lower()
        text = message.body.decode("utf-8", "replace")
        if kind == "application/dtmf-relay":
            hit = _SIGNAL.search(text)
            length = _DURATION.search(text)
            if hit is None:
                self._reply(tx, 400, now, to_tag=leg.local_tag, reason="Unreadable Signal")
                return
            signal = hit[1].upper()
            digit = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D"}.get(signal, signal)
            self._reply(tx, 200, now, to_tag=leg.local_tag)
            self._tell(InfoReceived(leg.id, digit, int(length[1]) if length else 100))
        elif kind == "application/dtmf":
            hit = _DIGIT.fullmatch(text)
            if hit is None:
                self._reply(tx, 400, now, to_tag=leg.local_tag, reason="Unreadable digit")
                return
            self._reply(tx, 200, now, to_tag=leg.local_tag)
            self._tell(InfoReceived(leg.id, hit[1].upper(), 100))
        elif not message.body:
            self._reply(tx, 200, now, to_tag=leg.local_tag)
        else:
            accept = ["Accept: application/dtmf-relay, application/dtmf"]
            self._reply(tx, 415, now, to_tag=leg.local_tag, headers=accept)

    # -- transfers

    def _peer_refers(self, leg: Leg, message: Message, tx: Transaction, now: float) -> None:
        """RFC 3515 2.4: exactly one Refer-To."""
        values = message.all("refer-to")
        if len(values) != 1:
            self._reply(tx, 400, now, to_tag=leg.local_tag, reason="One Refer-To is needed")
            return
        if leg.refer_cseq:
            self._reply(tx, 491, now, to_tag=leg.local_tag)
            return
        try:
            uri = parse_uri(parse_name_addr(values[0]).uri)
            target, replaces = refer_target(uri)
        except SipSyntaxError:
            self._reply(tx, 400, now, to_tag=leg.local_tag, reason="Unreadable Refer-To")
            return
        if replaces is not None:
            replaced = self._dialog(replaces.call_id, replaces.to_tag, replaces.from_tag) or self._dialog(
                replaces.call_id, replaces.from_tag, replaces.to_tag
            )
            replaces = replace(replaces, leg=replaced.id if replaced is not None else None)
        leg.refer_cseq = message.cseq[0]
        leg.refer_silent = (message.get("refer-sub") or "").strip().lower() == "false"
        self._refers[leg.id] = tx.key
        self._save(leg)
        self._timers.set("l" + leg.id, "unanswered", now + USER_TIME)
        referred_by = message.get("referred-by")
        self._tell(Referred(leg.id, target, uri.user, replaces, referred_by))

    def accept_refer(self, leg: str, *, known: int = 100, now: float) -> None:
        """202, and a first NOTIFY (RFC 3515 2.4.4): the transfer is under way, or has come to its end already.

        `known`: the status so far; from 200 on it is the last word. Peers that take one NOTIFY at a time are spared a
        second one right behind the first.
        """
        found = self._leg(leg)
        tx = self._tx.servers.get(self._refers.pop(leg, ""))
        if found is None or tx is None:
            self._count("no transfer to answer")
            return
        self._timers.cancel("l" + leg, "unanswered")
        silent = ["Refer-Sub: false"] if found.refer_silent else []
        headers = [f"Contact: {self._face(tx.flow)[1]}", *silent]
        self._reply(tx, 202, now, to_tag=found.local_tag, headers=headers)
        self.notify_transfer(leg, known, final=known >= 200, now=now)

    def reject_refer(self, leg: str, status: int, *, now: float) -> None:
        found = self._leg(leg)
        tx = self._tx.servers.get(self._refers.pop(leg, ""))
        if found is None or tx is None:
            self._count("no transfer to answer")
            return
        self._timers.cancel("l" + leg, "unanswered")
        found.refer_cseq = 0
        self._reply(tx, status, now, to_tag=found.local_tag)
        self._save(found)

    def notify_transfer(self, leg: str, status: int, *, final: bool, now: float) -> None:
        """Tell the peer how its transfer goes; `final` ends the subscription."""
        found = self._leg(leg)
        if found is None or found.phase == "ending" or not found.refer_cseq:
            return
        cseq = found.refer_cseq
        if final:
            found.refer_cseq = 0
            self._save(found)
        if found.refer_silent:
            return
        state = "terminated;reason=noresource" if final else "active;expires=180"
        headers = [f"Event: refer;id={cseq}", f"Subscription-State: {state}"]
        body = f"SIP/2.0 {status} {REASONS.get(status, 'Unknown')}\r\n"
        self._request(found, "NOTIFY", "notify", now, headers, body, "message/sipfrag;version=2.0")

    def refer(self, leg: str, target_uri: str, *, replaces_leg: str | None = None, now: float) -> None:
        """Ask the peer to call `target_uri`, in place of `replaces_leg`'s dialog; `TransferProgressed` follows."""
        found = self._leg(leg)
        if found is None or found.phase != "confirmed":
            return
        other = self._legs.get(replaces_leg) if replaces_leg else None
        if other is not None:
            value = refer_to(target_uri, other.call_id, other.remote_tag, other.local_tag)
        else:
            value = refer_to(target_uri)
        headers = [f"Refer-To: {clean(value)}", f"Referred-By: {found.local}", SUPPORTED]
        self._request(found, "REFER", "refer", now, headers)

    def _notified(self, leg: Leg, message: Message, tx: Transaction, now: float) -> None:
        event = (message.get("event") or "").partition(";")[0].strip().lower()
        if event != "refer":
            self._reply(tx, 489, now, to_tag=leg.local_tag, headers=["Allow-Events: refer"])
            return
        self._reply(tx, 200, now, to_tag=leg.local_tag)
        status = sipfrag_status(message.body.decode("utf-8", "replace"))
        over = (message.get("subscription-state") or "").strip().lower().startswith("terminated")
        if status is not None:
            # a subscription that ends on a provisional word tells nothing of the outcome: RFC 3515 2.4.7
            self._tell(TransferProgressed(leg.id, 408 if over and status < 200 else status))
