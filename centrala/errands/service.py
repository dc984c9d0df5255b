"""Errands: what flows have done by others. Takes `RunErrand`, gives exactly one `ErrandDone` for each."""

import asyncio
import functools
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from centrala.core.commands import RunErrand
from centrala.core.facts import ErrandDone, Fact
from centrala.core.private import Private
from centrala.customers import Customers
from centrala.customers.numbers import Rule, rule_of
from centrala.desk import Held
from centrala.errands.customer import Callers
from centrala.errands.http import Http, Secrets
from centrala.errands.mail import Mail
from centrala.errands.number import Numbers
from centrala.errands.order import Failed, Kind, Order, Result
from centrala.errands.outbox import Standing
from centrala.errands.python import Python, entry_points
from centrala.errands.tables import Tables
from centrala.ledger import DataFolderError, LedgerUnavailable
from centrala.settings import Settings

log = logging.getLogger(__name__)

GRACE = 0.5
"Seconds beyond its timeout after which a kind that didn't stop by itself is stopped."
COMPLAIN_EVERY = 60.0
"Seconds between two lines in the log about one and the same failure: 300 callers may meet it at once."
MOST_AT_ONCE = 2_000


class Errands:
    """Made on the event loop. `start`, then `stop`, which is to come before the desk's.

    An outlet of the desk's: an errand begins when its command is written down, and not before.
    """

    def __init__(
        self,
        settings: Settings,
        data: Path,
        *,
        tell: Callable[[str, Fact], None],
        now: Callable[[], float],
        customers: Customers,
        secret: Secrets,
    ) -> None:
        """`tell` and `now` are the desk's; `secret` gives digits that the channel alone knows.

        Raises DataFolderError with a sentence.
        """
        self.settings = settings
        self._tell = tell
        self._now = now
        self._callers = Callers(data, customers, self._country)
        self._tables = Tables()
        self._http = Http(secret)
        self._mail = Mail(data, now)
        self._python = Python()
        self._numbers = Numbers(self._callers.address, self._rule)
        self.kinds: dict[str, Kind] = {
            "customer": self._callers,
            "table": self._tables,
            "http": self._http,
            "mail": self._mail,
            "python": self._python,
            "number": self._numbers,
        }
        self._held: list[tuple[str, RunErrand]] = []
        self._running: dict[tuple[str, str], asyncio.Task[Result]] = {}
        self._complaints: dict[tuple[str, str], tuple[float, int]] = {}
        self._stopping = False
        self.configure(settings)

    async def start(self) -> None:
        """Send what the last run left in the outbox, and what it didn't come to put there."""
        try:
            found = await asyncio.to_thread(self._mail.forgotten, list(self.settings.tenants))
        except (LedgerUnavailable, DataFolderError, sqlite3.Error) as problem:
            log.error("the ledger can't be searched for e-mails that were never sent: %s", problem)
        else:
            for tenant, command in found:
                self.perform(tenant, command)
        self._mail.start()

    def configure(self, settings: Settings) -> None:
        """Go by these settings from the next errand on."""
        self.settings = settings
        for name, tenant in settings.tenants.items():
            self._tables.configure(name, tenant.tables)
            self._http.configure(name, tenant.http)
            self._mail.configure(name, tenant.mail)

    async def stop(self) -> None:
        """Whatever still runs has failed; e-mails that wait stay in the outbox."""
        self._stopping = True
        self._begin(self._held)
        self._held = []
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.gather(
            self._tables.close(),
            self._http.close(),
            self._mail.close(),
            self._python.close(),
            self._callers.close(),
            self._numbers.close(),
        )

    def _rule(self, tenant: str) -> Rule:
        return rule_of(self.settings.tenants.get(tenant))

    def _country(self, tenant: str) -> str | None:
        return self._rule(tenant)[0]

    @staticmethod
    def entry_points() -> frozenset[str]:
        """Functions that a node of type `python` may name."""
        return entry_points()

    async def outbox(self, tenant: str) -> Standing:
        """How the tenant's e-mails stand. Raises LedgerUnavailable."""
        return await self._mail.standing(tenant)

    # --- from the desk ---

    def perform(self, tenant: str, command: RunErrand) -> None:
        """Begin this errand as soon as it is written down. Said again while it runs, it runs once."""
        self._held.append((tenant, command))

    def collect(self) -> Held:
        if not self._held:
            return Held()
        held, self._held = self._held, []
        return Held(release=lambda: self._begin(held))

    def _begin(self, orders: Iterable[tuple[str, RunErrand]]) -> None:
        for tenant, command in orders:
            place = tenant, command.errand
            if place in self._running:
                continue
            if self._stopping:
                self._done(tenant, command, Result("failed", {}, "STOPPED"))
                continue
            if len(self._running) >= MOST_AT_ONCE:
                self._complain(tenant, command.kind, Failed("BUSY", f"{MOST_AT_ONCE} errands run already"))
                self._done(tenant, command, Result("failed", {}, "BUSY"))
                continue
            task = asyncio.create_task(self._run(tenant, command), name=f"errand {command.kind}")
            self._running[place] = task
            # Also a task that is cancelled before it has begun gives its answer.
            task.add_done_callback(functools.partial(self._ended, tenant, command))

    def _ended(self, tenant: str, command: RunErrand, task: "asyncio.Task[Result]") -> None:
        del self._running[tenant, command.errand]
        if task.cancelled():
            self._done(tenant, command, Result("failed", {}, "STOPPED"))
        elif (problem := task.exception()) is not None:
            log.error("tenant %s: an errand %s broke down", tenant, command.kind, exc_info=problem)
            self._done(tenant, command, Result("failed", {}, "BROKE_DOWN"))
        else:
            self._done(tenant, command, task.result())

    async def _run(self, tenant: str, command: RunErrand) -> Result:
        kind = self.kinds.get(command.kind)
        order = _order(tenant, command)
        try:
            if kind is None:
                raise Failed("NO_KIND", "nobody does errands of this kind")
            async with asyncio.timeout(command.timeout + GRACE):
                return await kind(order)
        except Failed as failed:
            problem = failed
        except TimeoutError:
            problem = Failed("TIMEOUT", f"it took longer than {command.timeout:g} s")
        self._complain(tenant, command.kind, problem)
        return Result("failed", {}, problem.code)

    def _done(self, tenant: str, command: RunErrand, result: Result) -> None:
        values = {name: Private(value) for name, value in result.values.items()}
        fact = ErrandDone(self._now(), command.contact, command.errand, result.exit, values, result.problem)
        self._tell(tenant, fact)

    def _complain(self, tenant: str, kind: str, problem: Failed) -> None:
        """Into the log, once a minute for each way to fail."""
        place, now = (tenant, f"{kind}: {problem}"), time.monotonic()
        until, kept_back = self._complaints.get(place, (0.0, 0))
        if now < until:
            self._complaints[place] = until, kept_back + 1
            return
        if len(self._complaints) >= 1000:
            self._complaints.clear()
        self._complaints[place] = now + COMPLAIN_EVERY, 0
        more = f" ({kept_back} more times in the minute before)" if kept_back else ""
        log.warning("tenant %s: %s of a flow failed, %s: %s%s", tenant, kind, problem.code, problem, more)


def _order(tenant: str, command: RunErrand) -> Order:
    return Order(
        tenant=tenant,
        contact=command.contact,
        errand=command.errand,
        settings=command.settings,
        arguments=_texts(command.arguments),
        take=command.take,
        into=command.into,
        timeout=command.timeout,
        cache=command.cache,
    )


def _texts(arguments: Mapping[str, Private]) -> dict[str, str]:
    return {name: "" if one.value is None else str(one.value) for name, one in arguments.items()}
