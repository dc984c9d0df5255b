"""Errands by e-mail: into the outbox at once, and from there to the tenant's mail server, however long that takes."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from pathlib import Path

import aiosmtplib

from centrala.core.commands import RunErrand
from centrala.errands.letters import attachment, letter, message
from centrala.errands.order import Failed, Order, Result
from centrala.errands.outbox import Outbox, Standing, Waiting
from centrala.ledger import LedgerUnavailable, codec
from centrala.ledger.schema import open_to_read
from centrala.settings.model import Mail as MailSettings

log = logging.getLogger(__name__)

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"Seconds after which a mail server that didn't take anything is tried again: twice as many each time."
FIRST_WAIT = 60.0
LONGEST_WAIT = 3600.0
"The same for one e-mail that was put off (greylisting)."
GIVE_UP = 3 * 86400.0
"Seconds after which an e-mail is given up."
ANSWER_WITHIN = 20.0
LOOK_EVERY = 60.0
LOOKED_BACK = 86400.0
ROWS_LOOKED_AT = 20_000
"How far back the ledger is searched at a start for e-mails that never got into the outbox."

_ERRANDS = codec.KINDS[RunErrand].name


class ServerAway(Exception):
    """The mail server takes nothing now, whatever it is."""


@dataclass(slots=True)
class _Server:
    settings: MailSettings | None
    failures: int = 0
    away_until: float = 0.0


class Mail:
    """The kind `mail`. `start`, then `close`.

    `now` gives unix seconds.
    """

    def __init__(self, data: Path, now: Callable[[], float]) -> None:
        self._data = data
        self._now = now
        self._outbox = Outbox(data)
        self._servers: dict[str, _Server] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def configure(self, tenant: str, settings: MailSettings | None) -> None:
        known = self._servers.get(tenant)
        if known is None or known.settings != settings:
            self._servers[tenant] = _Server(settings)
            self._wake.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._send_on(), name="outbox")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._outbox.close)

    async def standing(self, tenant: str) -> Standing:
        """Raises LedgerUnavailable."""
        return await asyncio.to_thread(self._outbox.standing, tenant)

    async def __call__(self, order: Order) -> Result:
        server = self._servers.get(order.tenant)
        if server is None or server.settings is None:
            raise Failed("NO_MAIL", "the settings name no mail server: give the tenant a key mail")
        asked = order.arguments
        path = asked.get("attach", "").strip()
        sent = letter(asked.get("to", ""), asked.get("subject", ""), asked.get("body", ""), path)
        problem = ""
        if path and await asyncio.to_thread(attachment, self._data, order.tenant, path) is None:
            problem = "NO_ATTACHMENT"
        message_id = make_msgid(domain=_domain(server.settings))
        try:
            taken = await asyncio.to_thread(
                self._outbox.put, order.tenant, order.errand, sent, message_id, self._now()
            )
        except LedgerUnavailable as unwritten:
            raise Failed("UNWRITTEN", str(unwritten)) from None
        if not taken:
            raise Failed("TOO_MANY", "too many e-mails wait for the mail server already")
        self._wake.set()
        return Result("next", problem=problem)

    def forgotten(self, tenants: Iterable[str]) -> list[tuple[str, RunErrand]]:
        """E-mails that the ledger was told of and that we died too soon to take in. Blocks for a moment."""
        found: list[tuple[str, RunErrand]] = []
        since = self._now() - LOOKED_BACK
        with contextlib.closing(open_to_read(self._data)) as db:
            for tenant in tenants:
                with codec.private_of(db, tenant):
                    for version, body in db.execute(
                        "SELECT version, body FROM log WHERE tenant = ? AND seq > ? AND kind = ? AND at > ?"
                        " ORDER BY seq",
                        (tenant, codec.last_seq(db, tenant) - ROWS_LOOKED_AT, _ERRANDS, since),
                    ):
                        command = codec.decode(_ERRANDS, version, body)
                        if command.kind == "mail" and not self._outbox.has(tenant, command.errand):
                            found.append((tenant, command))
        return found

    # --- sending ---

    async def _send_on(self) -> None:
        while True:
            self._wake.clear()
            wait = LOOK_EVERY
            try:
                await self._send_due()
                wait = await self._until_next()
            except LedgerUnavailable:
                wait = FIRST_PAUSE  # the desk raises the alarm
            except Exception:
                log.exception("the e-mails that wait can't be looked at now")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _until_next(self) -> float:
        now = self._now()
        soonest = [one.away_until for one in self._servers.values() if one.away_until > now]
        due = await asyncio.to_thread(self._outbox.next_due, now)
        if due is not None:
            soonest.append(due)
        return min([LOOK_EVERY, *(max(one - now, 0.05) for one in soonest)])

    async def _send_due(self) -> None:
        await asyncio.to_thread(self._outbox.forget, self._now())
        while True:
            now = self._now()
            tenants = [
                one
                for one in await asyncio.to_thread(self._outbox.tenants_due, now)
                if (server := self._servers.get(one)) is not None
                and server.settings is not None
                and server.away_until <= now
            ]
            if not tenants:
                return
            await asyncio.gather(*(self._send_of(one, self._servers[one]) for one in tenants))

    async def _send_of(self, tenant: str, server: _Server) -> None:
        """Some e-mails of a tenant, over one connection."""
        assert server.settings is not None, "only those that have one are asked for"
        due = await asyncio.to_thread(self._outbox.due, tenant, self._now())
        try:
            async with _connected(server.settings) as smtp:
                for one in due:
                    await self._send(smtp, server.settings, one)
        except (ServerAway, OSError, aiosmtplib.SMTPException) as problem:
            self._server_failed(tenant, server, problem)
            await self._give_up_the_old(due)
        else:
            if server.failures:
                log.info("tenant %s: the mail server takes e-mails again", tenant)
            server.failures = 0

    def _server_failed(self, tenant: str, server: _Server, problem: Exception) -> None:
        pause = min(FIRST_PAUSE * 2**server.failures, LONGEST_PAUSE)
        server.failures = min(server.failures + 1, 20)
        server.away_until = self._now() + pause
        assert server.settings is not None
        log.warning(
            "tenant %s: the mail server %s port %d takes no e-mails (%s): it is tried again in %d s",
            tenant,
            server.settings.host,
            server.settings.port,
            _told(problem),
            pause,
        )

    async def _give_up_the_old(self, due: list[Waiting]) -> None:
        for one in due:
            if self._now() - one.made_at > GIVE_UP:
                await self._gave_up(one, "no server took it in three days", one.pending)

    async def _send(self, smtp: aiosmtplib.SMTP, settings: MailSettings, one: Waiting) -> None:
        """Raises ServerAway, aiosmtplib.SMTPServerDisconnected and the like when nothing can be sent now."""
        try:
            made = await asyncio.to_thread(self._message, settings, one)
        except Exception:  # one that can't be made must not stand in the way of all others
            log.exception("tenant %s: an e-mail can't be made", one.tenant)
            await self._gave_up(one, "it can't be made", one.pending)
            return
        try:
            refused, _ = await smtp.send_message(
                made, sender=parseaddr(settings.sender)[1], recipients=list(one.pending)
            )
        except aiosmtplib.SMTPRecipientsRefused as problem:
            await self._refused(one, {each.recipient: each.code for each in problem.recipients})
        except aiosmtplib.SMTPDataError as problem:
            await self._refused(one, dict.fromkeys(one.pending, problem.code))
        except aiosmtplib.SMTPSenderRefused as problem:
            raise ServerAway(f"it refuses the sender {settings.sender}, code {problem.code}") from problem
        except aiosmtplib.SMTPNotSupported as problem:
            await self._gave_up(one, _told(problem), one.pending)
        else:
            if refused:
                await self._refused(one, {name: response.code for name, response in refused.items()})
            else:
                await asyncio.to_thread(self._outbox.sent, one)

    def _message(self, settings: MailSettings, one: Waiting) -> EmailMessage:
        file = attachment(self._data, one.tenant, one.letter.attach)
        if one.letter.attach and file is None:
            log.warning("tenant %s: an e-mail goes without its recording, which isn't there", one.tenant)
        return message(one.letter, settings.sender, one.message_id, one.made_at, file)

    async def _refused(self, one: Waiting, codes: dict[str, int]) -> None:
        """By recipients: 4xx is put off, 5xx is given up (RFC 5321 4.2.1)."""
        later = tuple(name for name in one.pending if 400 <= codes.get(name, 250) < 500)
        never = tuple(name for name in one.pending if codes.get(name, 250) >= 500)
        if never:
            told = ", ".join(sorted({str(codes[name]) for name in never}))
            log.error(
                "tenant %s: an e-mail of a flow was refused for %d of its addresses (code %s)",
                one.tenant,
                len(never),
                told,
            )
        if later and self._now() - one.made_at <= GIVE_UP:
            due = self._now() + min(FIRST_WAIT * 2 ** min(one.attempts, 20), LONGEST_WAIT)
            await asyncio.to_thread(self._outbox.again, one, due, f"put off: {codes[later[0]]}", later)
        elif later or never:
            await self._gave_up(one, f"refused: {codes[(never or later)[0]]}", later + never)
        else:
            await asyncio.to_thread(self._outbox.sent, one)

    async def _gave_up(self, one: Waiting, problem: str, pending: tuple[str, ...]) -> None:
        log.error("tenant %s: an e-mail of a flow was given up (%s)", one.tenant, problem)
        await asyncio.to_thread(self._outbox.again, one, None, problem, pending)


@contextlib.asynccontextmanager
async def _connected(settings: MailSettings) -> AsyncIterator[aiosmtplib.SMTP]:
    secure = settings.security != "none"
    smtp = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        local_hostname=_domain(settings),
        timeout=ANSWER_WITHIN,
        use_tls=settings.security == "tls",
        start_tls=settings.security == "starttls",
        username=settings.user,
        password=settings.password.reveal() if settings.password is not None else None,
        tls_context=await asyncio.to_thread(ssl.create_default_context) if secure else None,
    )
    try:
        await smtp.connect()
        yield smtp
        with contextlib.suppress(aiosmtplib.SMTPException):
            await smtp.quit()
    finally:
        smtp.close()


def _domain(settings: MailSettings) -> str:
    return parseaddr(settings.sender)[1].rpartition("@")[2] or "localhost"


def _told(problem: Exception) -> str:
    """Without what a server says in its own words: addresses may stand in it."""
    if isinstance(problem, ServerAway):
        return str(problem)
    if isinstance(problem, aiosmtplib.SMTPResponseException):
        return f"{type(problem).__name__}, code {problem.code}"
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(problem).__name__
