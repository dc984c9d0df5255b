"""What routes need of the running centre: the desk, the people, the live hubs, the records. One value, no globals."""

import asyncio
import contextlib
import functools
import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from centrala.channels.voice.pages import PhoneDoor
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre
from centrala.customers import Customers, open_customers
from centrala.customers.numbers import callable_as, rule_of
from centrala.desk import Desk, Held
from centrala.flows import Flows, open_flows
from centrala.ledger import DataFolderError, LedgerUnavailable
from centrala.ledger.schema import open_to_read
from centrala.people import Identity, People
from centrala.planning import Plans, open_plans
from centrala.planning.planner import STOPPED, Planner
from centrala.settings import Settings
from centrala.settings.model import Tenant
from centrala.speech import Speech
from centrala.web import history, today
from centrala.web.board import Value
from centrala.web.day import Day
from centrala.web.entities import Caller
from centrala.web.hub import Hub
from centrala.web.problems import Problem, refused

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

TOLD_WITHIN = 10.0
"Seconds for a fact to be decided and written; longer means that the disk stands still."
HASHES_WAITING = 32
KEYS_KEPT = 10_000
KEYS_FOR = 86_400.0
"Seconds for which a repetition gets the first answer."
KEYS_BYTES = 32 * 1024 * 1024
"Of all answers that are kept."
LISTENED_KEPT = 10_000
LISTENED_FOR = 3600.0
LOOK_UP_EVERY = 1.0
"Seconds between two looks at all open contacts' cards, however fast somebody edits them."


class Voice(Protocol):
    """What pages ask of the voice channel beside facts."""

    def settle(self, tenant: str, contact: str, wanted: str) -> tuple[str, bool]:
        """What somebody typed, as a fact may carry it: (number, outside). A number outside stays in the channel."""
        ...

    def pseudonym(self, tenant: str, address: str) -> str:
        """Of a number: whether two contacts are of one, and nothing else. Empty for a withheld one."""
        ...

    def new_contact(self, now: float) -> str: ...

    def send_digits(self, tenant: str, contact: str, agent: str, digits: str) -> bool: ...

    def numbers(self, tenant: str, contact: str) -> Mapping[str, str]:
        """Leg → number of the parties that were reached outside."""
        ...


@dataclass(slots=True)
class _Telling:
    tenant: str
    facts: frozenset[tuple[float, str]]
    "(time, kind) of each."
    done: "asyncio.Future[int]"
    refused: list[str] = field(default_factory=list)


class Told(NamedTuple):
    seq: int
    "The ledger's, with everything that the facts led to."
    stored: bool
    "False while the ledger can't be written: decided and done, but a crash now would forget it."


@dataclass(slots=True)
class _Kept:
    fingerprint: bytes
    answer: "asyncio.Future[tuple[int, Any]]"
    at: float
    size: int = 0
    "Bytes of the answer, once it is there."


class House:
    """Made on the event loop, beside a desk whose tenants are open. `close` ends it."""

    def __init__(self, settings: Settings, data: Path, desk: Desk, people: People) -> None:
        self.settings = settings
        self.data = data
        self.desk = desk
        self.people = people
        self.changing = asyncio.Lock()
        "Held while settings change: one change after the other."
        self.lending = asyncio.Lock()
        "The same while an agent's queues change: each begins with what the last one left."
        self.on_settings: Callable[[Settings], Awaitable[None]] | None = None
        self.voice: Voice | None = None
        "Set by the composition root; None where nobody can call."
        self.phones: PhoneDoor | None = None
        "The same for browser phones."
        self.customers: Customers = open_customers(data, self._country)
        self.flows: Flows = open_flows(data)
        self.plans: Plans = open_plans(data)
        self.plans.abandon(STOPPED)
        self.planner = Planner(self.plans)
        "Reckons plans, in a process of its own."
        self.day = Day(data)
        "How the day goes against the plan, and what agents ask for."
        self.speech: Speech | None = None
        "Set by the composition root; None where nobody speaks."
        self.hubs = {
            tenant: Hub(
                tenant,
                functools.partial(self.centre, tenant),
                ZoneInfo(settings.tenants[tenant].timezone),
                desk.now,
                functools.partial(self.seq, tenant),
                self._callers,
                settings=functools.partial(self.tenant, tenant),
                outside=self._outside,
                keeper=self,
            )
            for tenant in settings.tenants
        }
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="web")
        self._gate = ThreadPoolExecutor(2, thread_name_prefix="web-people")
        self._long = ThreadPoolExecutor(2, thread_name_prefix="web-long")
        self._hashing = asyncio.Semaphore(1)  # a hash takes 19 MiB
        self._hashes_waiting = 0
        self._telling: list[_Telling] = []
        self._last_at = 0.0
        self._keys: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._keys_bytes = 0
        self._listened: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._records: sqlite3.Connection | None = None
        self._records_lock = threading.Lock()
        desk.watchers.append(self._watch)
        desk.outlets.append(self)
        self._look_ups: dict[str, asyncio.TimerHandle] = {}
        self._looked_up: dict[str, float] = {}
        loop = asyncio.get_running_loop()

        def edited(tenant: str, _: str) -> None:  # in a thread
            if tenant in self.hubs:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody looks any more
                    loop.call_soon_threadsafe(self._look_up_soon, tenant)

        self.customers.watchers.append(edited)

    def _look_up_soon(self, tenant: str) -> None:
        """At once, or with the others of this second."""
        if tenant in self._look_ups:
            return
        loop = asyncio.get_running_loop()
        at = self._looked_up.get(tenant, -LOOK_UP_EVERY) + LOOK_UP_EVERY

        def look_up() -> None:
            del self._look_ups[tenant]
            self._looked_up[tenant] = loop.time()
            self.hubs[tenant].look_up_again()

        self._look_ups[tenant] = loop.call_at(at, look_up)

    def close(self) -> None:
        for waiting in self._look_ups.values():
            waiting.cancel()
        self.planner.close()
        self.desk.watchers.remove(self._watch)
        self.desk.outlets.remove(self)
        for hub in self.hubs.values():
            hub.stop()
            body = hub.stored()
            if body is None:
                continue
            try:
                today.keep(self.desk.ledger, hub.tenant, hub.seq, body)
            except (LedgerUnavailable, DataFolderError) as problem:
                log.error("tenant %s: the figures of today weren't stored: %s", hub.tenant, problem)
        for pool in (self._threads, self._gate, self._long):
            pool.shutdown(wait=True, cancel_futures=True)
        if self._records is not None:
            self._records.close()
        self.customers.close()
        self.flows.close()
        self.plans.close()
        self.day.close()

    async def apply(self, settings: Settings) -> None:
        """What was changed on the screen counts from now on."""
        self.settings = settings
        if self.on_settings is not None:
            await self.on_settings(settings)

    def now(self) -> float:
        return self.desk.now()

    def tenant(self, tenant: str) -> Tenant:
        return self.settings.tenants[tenant]

    def _country(self, tenant: str) -> str | None:
        return rule_of(self.settings.tenants.get(tenant))[0]

    def centre(self, tenant: str) -> Centre:
        # A quarantined fact gives the mailbox a new centre, so it is asked for each time.
        return self.desk.mailboxes[tenant].centre

    def seq(self, tenant: str) -> int:
        return self.desk.ledger.next_seq(tenant) - 1

    # --- what blocks goes to a thread ---

    async def ask(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run what reads or writes the disk."""
        loop = asyncio.get_running_loop()
        # Who somebody is, is never asked behind anything else: a long erasure holds up whoever writes to customers.
        pool = self._gate if getattr(call, "__self__", None) is self.people else self._threads
        return await loop.run_in_executor(pool, functools.partial(call, *arguments, **named))

    async def ask_long(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The same for what takes seconds (erasure, conversion of sound): nobody waits for it to sign in."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._long, functools.partial(call, *arguments, **named))

    async def ask_hashing(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The same for what hashes a password: one at a time, and not without end."""
        async with self._turn():
            return await self.ask(call, *arguments, **named)

    @asynccontextmanager
    async def _turn(self) -> Any:
        if self._hashes_waiting >= HASHES_WAITING:
            raise Problem("BUSY", "Too many people sign in just now: try again.", Retry_After="2")
        self._hashes_waiting += 1
        try:
            async with self._hashing:
                yield
        finally:
            self._hashes_waiting -= 1

    # --- facts in ---

    async def tell(self, tenant: str, agent: str, *make: Callable[[float, str], f.Fact]) -> Told:
        """Tell facts about an agent; returns once they are decided and written.

        Raises Problem AGENT-REFUSED with the core's reason when one of them was impossible.
        """
        told: set[tuple[float, str]] = set()
        for one in make:
            at = max(self.desk.now(), self._last_at + 1e-6)  # told apart by their times
            self._last_at = at
            fact = one(at, agent)
            told.add((at, type(fact).__name__))
            self.desk.tell(tenant, fact)
        telling = _Telling(tenant, frozenset(told), asyncio.get_running_loop().create_future())
        self._telling.append(telling)
        try:
            async with asyncio.timeout(TOLD_WITHIN):
                seq = await telling.done
        except TimeoutError:
            raise Problem(
                "LEDGER-DOWN", "It was taken in, but isn't written down yet: look again before you repeat it."
            ) from None
        if telling.refused:
            raise refused(*telling.refused)
        return Told(seq, not self.desk.degraded)

    def _watch(self, tenant: str, centre: Centre, events: Sequence[e.Event]) -> None:
        hub = self.hubs.get(tenant)
        if hub is not None:
            try:
                hub.take(centre, events)
            except Exception:
                log.exception("tenant %s: the live view missed a step", tenant)
        if self._telling:
            for event in events:
                if type(event) is e.Refused:
                    for one in self._telling:
                        if one.tenant == tenant and (event.at, event.fact) in one.facts:
                            one.refused.append(event.reason)

    def collect(self) -> Held:
        """The desk has decided everything told so far; what it calls back is called when that is written."""
        if not self._telling:
            return Held()
        telling, self._telling = self._telling, []
        seqs = [self.seq(one.tenant) for one in telling]

        def release() -> None:
            for one, seq in zip(telling, seqs, strict=True):
                if not one.done.done():
                    one.done.set_result(seq)

        return Held(release=release)

    # --- once ---

    async def once(
        self,
        who: Identity,
        key: str | None,
        fingerprint: bytes,
        work: Callable[[], Awaitable[tuple[int, Any]]],
    ) -> tuple[int, Any]:
        """Do a write once per idempotency key: a repetition gets the first answer, also while that is made.

        Raises Problem KEY-REUSED for the same key with something else. Kept in memory: the last 10,000 answers, 32 MiB
        of them, for a day.
        """
        if key is None:
            return await work()
        place, now = (who.user.id, key), self.now()
        self._forget_keys(now)
        kept = self._keys.get(place)
        if kept is not None:
            if kept.fingerprint != fingerprint:
                raise Problem(
                    "KEY-REUSED", "This Idempotency-Key was used for another request: take a new one."
                )
            return await asyncio.shield(kept.answer)
        answer: asyncio.Future[tuple[int, Any]] = asyncio.get_running_loop().create_future()
        mine = self._keys[place] = _Kept(fingerprint, answer, now)
        try:
            result = await work()
        except BaseException as problem:
            self._keys.pop(place, None)
            if isinstance(problem, Exception):
                answer.set_exception(problem)
                answer.exception()  # nobody may have waited for it
            else:
                answer.cancel()
            raise
        answer.set_result(result)
        if self._keys.get(place) is mine:  # else it was pushed out meanwhile
            mine.size = len(msgspec.json.encode(result[1]))
            self._keys_bytes += mine.size
            self._forget_keys(now)
        return result

    def _forget_keys(self, now: float) -> None:
        while self._keys:
            kept = next(iter(self._keys.values()))
            if len(self._keys) <= KEYS_KEPT and self._keys_bytes <= KEYS_BYTES and now - kept.at < KEYS_FOR:
                break
            self._keys_bytes -= self._keys.popitem(last=False)[1].size

    def listens(self, user: str, contact: str) -> bool:
        """Whether this is a new act of listening: a player asks for one recording in many pieces."""
        now, key = self.now(), (user, contact)
        before = self._listened.pop(key, None)
        self._listened[key] = before if before is not None and now - before < LISTENED_FOR else now
        while len(self._listened) > LISTENED_KEPT:
            self._listened.popitem(last=False)
        return before is None or now - before >= LISTENED_FOR

    # --- the ledger, read ---

    def rows(self, sql: str, parameters: Sequence[object]) -> list[Any]:
        """Rows of the ledger's tables as committed. To be run by `ask`. Raises LedgerUnavailable."""
        with self._records_lock:
            try:
                if self._records is None:
                    self._records = open_to_read(self.data)
                return self._records.execute(sql, tuple(parameters)).fetchall()
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"The ledger can't be read now ({problem}).") from problem

    async def _callers(self, tenant: str, contacts: Sequence[str]) -> dict[str, Caller]:
        """Who calls, of the contacts whose party is written already."""
        centre = self.centre(tenant)
        # What is owed has a row of its own: its origin may be open as well.
        parties = {
            one if known.owed else known.party or one: one
            for one in contacts[:500]
            if (known := centre.contacts.get(one)) is not None
        }
        if not parties:
            return {}
        return await self.ask(self._look_up, tenant, parties)

    def _look_up(self, tenant: str, parties: Mapping[str, str]) -> dict[str, Caller]:
        marks = ", ".join("?" * len(parties))
        found = self.rows(
            f"SELECT id, address, display FROM parties WHERE tenant = ? AND id IN ({marks})",
            (tenant, *parties),
        )
        return {
            parties[name]: self._caller(tenant, parties[name], address or "", display or "")
            for name, address, display in found
        }

    def _caller(self, tenant: str, contact: str, number: str, display: str) -> Caller:
        card: Value | None = None
        try:
            briefs = self.customers.brief_of_contact(tenant, contact, number or None)
        except Exception:
            log.exception("tenant %s: the customers' cards can't be read now", tenant)
        else:
            # Several with one number are chosen from by a person, never by us.
            card = briefs[0].shown() if len(briefs) == 1 else None
        name = (card["name"] if card is not None else None) or display or None
        return Caller(number or None, name, card)

    def callers_of(
        self, tenant: str, parties: Sequence[tuple[str, str | None, str | None]]
    ) -> dict[str, Caller]:
        """Who they are, by contact, of (contact, number, display). To be run by `ask`."""
        return {
            one: self._caller(tenant, one, number or "", display or "") for one, number, display in parties
        }

    def callable_as(self, tenant: str, number: str) -> str:
        """The number in E.164, if callers may be called there; else empty. To be run by `ask`."""
        return callable_as(number, *rule_of(self.tenant(tenant)))[0]

    def settle(self, tenant: str, contact: str, wanted: str) -> tuple[str, bool]:
        """What somebody typed (a number, an agent's id, queue:ID), as a fact may carry it: (number, outside)."""
        return self.voice.settle(tenant, contact, wanted) if self.voice is not None else (wanted, False)

    def caller(self, tenant: str, number: str, outside: bool = True) -> str:
        """The pseudonym of a number outside that is called."""
        return self.voice.pseudonym(tenant, number) if self.voice is not None and outside else ""

    def _outside(self, tenant: str, contact: str) -> Mapping[str, str]:
        return self.voice.numbers(tenant, contact) if self.voice is not None else {}

    # --- the figures of the day, kept ---

    async def bring_back(self, tenant: str) -> today.Back | None:
        zone = ZoneInfo(self.settings.tenants[tenant].timezone)
        return await self.ask(today.bring_back, self.desk.ledger, tenant, zone, self.now())

    async def keep(self, tenant: str, seq: int, body: bytes) -> None:
        try:
            await self.ask(today.keep, self.desk.ledger, tenant, seq, body)
        except (LedgerUnavailable, DataFolderError) as problem:
            log.error("tenant %s: the figures of today weren't stored: %s", tenant, problem)

    async def bring_back_minutes(self, tenant: str) -> Mapping[int, bytes]:
        return await self.ask(history.stored, self.desk.ledger, tenant, self.now())

    async def keep_minute(self, tenant: str, minute: int, body: bytes) -> None:
        try:
            await self.ask(history.keep, self.desk.ledger, tenant, minute, body)
        except (LedgerUnavailable, DataFolderError) as problem:
            log.error("tenant %s: a minute of the plots wasn't stored: %s", tenant, problem)
