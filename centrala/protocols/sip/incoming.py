"""Calls that come in: INVITE as a server, CANCEL, reliable provisional responses (RFC 3261 9.2, 13.3; RFC 3262)."""

from collections.abc import Callable

from centrala.protocols.sip import session_timer
from centrala.protocols.sip.config import EXTENSIONS, StackConfig
from centrala.protocols.sip.core import ALLOW, HIDDEN, SUPPORTED, Headers, header_lines, steady_tag
from centrala.protocols.sip.dialogs import USER_TIME, session_headers
from centrala.protocols.sip.events import (
    Cancelled,
    Ended,
    InviteReceived,
    MessageRejected,
    Withdrawn,
)
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.inbound import Inbound
from centrala.protocols.sip.leg import Leg
from centrala.protocols.sip.message import Message, sdp_of
from centrala.protocols.sip.refer import Replaces, parse_replaces
from centrala.protocols.sip.tables import State
from centrala.protocols.sip.transactions import MAGIC, Transaction
from centrala.protocols.sip.uri import (
    NameAddr,
    SipSyntaxError,
    format_params,
    parse_name_addr,
    parse_uri,
    quote_string,
)


class Incoming(Inbound):
    """INVITE as a server."""

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
        if contact is None and message.via.branch.startswith(MAGIC):
            # peers of RFC 2543 may leave it out; their From then serves as the target
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
        self._timers.set("k" + key, "unadopted", now + USER_TIME)
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

    def adopt(self, key: str, leg: str, *, now: float) -> bool:
        """Give an INVITE its leg id. Answer with `respond`. ValueError if the leg id is taken.

        False: the caller has given up before we came to it; there is no leg, and nothing to answer.
        """
        tx = self._waiting_request(key)
        if tx is None or tx.request is None:
            return False
        self._free(leg)
        data = self._waiting[key]
        self._settled(key)
        asked = tx.request
        contact = asked.contact()
        new = Leg(
            id=leg,
            call_id=asked.call_id,
            local_tag=self._tag(),
            local=without_tag(asked.to),
            remote=without_tag(asked.from_),
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
        return True

    def supplant(self, key: str, leg: str, *, now: float) -> bool:
        """As `adopt`, for an INVITE that takes the place of the leg's dialog (RFC 3891, 3), which is hung up unheard.

        False: the caller has given up, or the leg has gone; the leg is as it was.
        """
        old = self._leg(leg)
        if old is None or self._waiting_request(key) is None:
            return False
        self._leave(old)
        self._timers.cancel_all("l" + leg)
        del self._legs[leg]
        old.id = f"{HIDDEN}{old.call_id} {old.local_tag}"
        self._adopt(old)
        self._hang_up(old, "", now)
        return self.adopt(key, leg, now=now)

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
            self._drop(found, now)
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
        self._drop(leg, now)
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
            self._drop(leg, now)
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

    def _drop(self, leg: Leg, now: float) -> None:
        self._after_prack.pop(leg.id, None)
        super()._drop(leg, now)

    def _reject(self, reason: str, flow: Flow) -> None:
        self._count(f"rejected: {reason}")
        self._tell(MessageRejected(reason, flow.remote))


def unknown_extensions(message: Message) -> list[str]:
    """Option tags in Require that we don't know (RFC 3261 8.2.2.3)."""
    return [tag for tag in message.all("require") if tag.lower() not in EXTENSIONS]


def without_tag(value: NameAddr) -> str:
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
