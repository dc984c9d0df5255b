"""What we ask of carriers outside of calls: REGISTER with refresh and back-off (RFC 3261 10.2), OPTIONS as a ping."""

import contextlib
from dataclasses import dataclass

from centrala.protocols.sip.calls import Calls
from centrala.protocols.sip.core import ALLOW, SUPPORTED
from centrala.protocols.sip.digest import answer_challenge, best_challenge
from centrala.protocols.sip.events import OptionsAnswered, TrunkRegistered, TrunkRegistrationFailed
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.message import Message, clean, request
from centrala.protocols.sip.uri import SipSyntaxError, parse_name_addr, parse_uri

FIRST_RETRY = 30.0
"""Seconds to wait after a first failure; doubled up to LAST_RETRY, and stretched by up to a half at random."""
LAST_RETRY = 1800.0


@dataclass(slots=True)
class Registration:
    """One registration of ours with a carrier."""

    trunk: str
    registrar_uri: str
    aor: str
    user: str
    password: str
    destination: Flow
    expires: int
    contact_user: str
    call_id: str
    tag: str
    cseq: int = 0
    tried_auth: bool = False
    failures: int = 0
    leaving: bool = False
    running: str = ""
    """Key of the transaction that runs."""


class Trunks(Calls):
    """Registrations and pings."""

    _registrations: dict[str, Registration]

    def register(
        self,
        trunk: str,
        *,
        registrar_uri: str,
        aor: str,
        user: str,
        password: str,
        destination: Flow | None = None,
        expires: int = 600,
        contact_user: str = "",
        now: float,
    ) -> None:
        """Register `aor` (sip:user@carrier) and stay registered; `TrunkRegistered`, `TrunkRegistrationFailed` tell.

        `expires`: seconds wished for; the carrier decides. ValueError for unreadable URIs or a missing transport.
        """
        parse_uri(aor)
        old = self._registrations.get(trunk)
        registration = Registration(
            trunk=trunk,
            registrar_uri=registrar_uri,
            aor=aor,
            user=user,
            password=password,
            destination=destination or self.flow_for_uri(registrar_uri),
            expires=expires,
            contact_user=contact_user or parse_uri(aor).user or self._config.contact_user,
            call_id=old.call_id if old is not None else self._token(12),
            tag=old.tag if old is not None else self._tag(),
            cseq=old.cseq if old is not None else 0,
        )
        self._registrations[trunk] = registration
        self._register_now(registration, now)

    def unregister(self, trunk: str, *, now: float) -> None:
        """Take our registration back; no more events for it."""
        registration = self._registrations.get(trunk)
        if registration is None:
            return
        self._timers.cancel_all("r" + trunk)
        registration.leaving = True
        registration.tried_auth = False
        self._register_now(registration, now)

    def _register_now(
        self, registration: Registration, now: float, authorization: tuple[str, str] | None = None
    ) -> None:
        r = registration
        r.cseq += 1
        branch = self._branch()
        via, contact = self._face(r.destination)
        own = contact.replace(f"sip:{self._config.contact_user}@", f"sip:{r.contact_user}@", 1)
        expires = 0 if r.leaving else r.expires
        lines = [
            via + branch,
            "Max-Forwards: 70",
            f"From: <{r.aor}>;tag={r.tag}",
            f"To: <{r.aor}>",
            f"Call-ID: {r.call_id}",
            f"CSeq: {r.cseq} REGISTER",
            f"Contact: {own};expires={expires}",
            f"Expires: {expires}",
            ALLOW,
            SUPPORTED,
            self._agent,
        ]
        if authorization is not None:
            lines.append(f"{authorization[0]}: {authorization[1]}")
        data = request("REGISTER", r.registrar_uri, lines)
        tx = self._tx.request("REGISTER", branch, data, r.destination, ("trunk", r.trunk, ""), now)
        r.running = tx.key

    def _register_answered(self, trunk: str, key: str, message: Message, now: float) -> None:
        r = self._registrations.get(trunk)
        if r is None or r.running != key or message.status < 200:
            return
        status = message.status
        if status in (401, 407):
            proxy = status == 407
            challenge = best_challenge(
                message.headers.get("proxy-authenticate" if proxy else "www-authenticate", [])
            )
            if challenge is not None and (not r.tried_auth or challenge.stale):
                r.tried_auth = True
                value = answer_challenge(
                    challenge,
                    method="REGISTER",
                    uri=r.registrar_uri,
                    user=r.user,
                    password=r.password,
                    cnonce=self._token(8),
                )
                self._register_now(r, now, ("Proxy-Authorization" if proxy else "Authorization", value))
                return
        r.tried_auth = False
        if r.leaving:
            self._registrations.pop(trunk, None)
            return
        if status == 423:
            try:
                wanted = message.number("min-expires") or 0
            except SipSyntaxError:
                wanted = 0
            if r.expires < wanted <= 86400:
                r.expires = wanted
                self._register_now(r, now)
                return
        if status >= 300:
            self._register_failed(trunk, key, status, clean(message.reason), now, message)
            return
        r.failures = 0
        granted = self._granted(r, message)
        # a tenth, at least 5 s early, so that a slow answer doesn't leave a gap
        self._timers.set("r" + trunk, "refresh", now + max(granted - max(5.0, granted * 0.1), granted * 0.5))
        self._tell(TrunkRegistered(trunk, granted))

    def _granted(self, r: Registration, message: Message) -> int:
        own = parse_uri(parse_name_addr(self._face(r.destination)[1]).uri)
        granted: int | None = None
        for value in message.all("contact"):
            try:
                contact = parse_name_addr(value)
                uri = parse_uri(contact.uri)
            except SipSyntaxError:
                continue
            seconds = contact.param("expires") or ""
            if (uri.user, uri.host) == (r.contact_user, own.host) and seconds.isascii() and seconds.isdigit():
                granted = int(seconds[:9])
        if granted is None:
            try:
                granted = message.number("expires")
            except SipSyntaxError:
                granted = None
        return max(granted if granted else r.expires, 10)

    def _register_failed(
        self, trunk: str, key: str, status: int, reason: str, now: float, message: Message | None = None
    ) -> None:
        r = self._registrations.get(trunk)
        if r is None or r.running != key:
            return
        if r.leaving:
            self._registrations.pop(trunk, None)
            return
        r.tried_auth = False
        wait = min(FIRST_RETRY * 2**r.failures, LAST_RETRY)
        r.failures = min(r.failures + 1, 10)
        wait *= 1 + int(self._token(1), 16) / 510
        with contextlib.suppress(SipSyntaxError):
            wait = max(wait, float(message.number("retry-after") or 0)) if message is not None else wait
        wait = min(wait, 2 * LAST_RETRY)
        self._timers.set("r" + trunk, "refresh", now + wait)
        self._tell(TrunkRegistrationFailed(trunk, status, reason, now + wait))

    def _refresh_registration(self, trunk: str, now: float) -> None:
        registration = self._registrations.get(trunk)
        if registration is not None:
            self._register_now(registration, now)

    # -- pings

    def options(
        self, key: str, uri: str, *, destination: Flow | None = None, from_uri: str = "", now: float
    ) -> None:
        """Ask a peer whether it lives; `OptionsAnswered` bears `key`. ValueError as for `invite`."""
        way = destination or self.flow_for_uri(uri)
        branch = self._branch()
        via, contact = self._face(way)
        sender = from_uri or parse_name_addr(contact).uri
        lines = [
            via + branch,
            "Max-Forwards: 70",
            f"From: <{sender}>;tag={self._tag()}",
            f"To: <{uri}>",
            f"Call-ID: {self._token(12)}",
            "CSeq: 1 OPTIONS",
            f"Contact: {contact}",
            "Accept: application/sdp",
            self._agent,
        ]
        self._tx.request("OPTIONS", branch, request("OPTIONS", uri, lines), way, ("options", key, ""), now)

    def _options_answered(self, key: str, status: int) -> None:
        if status >= 200:
            self._tell(OptionsAnswered(key, status))
