"""What routes need of the running centre: the desk, the people, the live hubs, the records. One value, no globals."""

import asyncio
import functools
import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre
from centrala.desk import Desk, Held
from centrala.ledger import LedgerUnavailable
from centrala.ledger.schema import open_to_read
from centrala.people import Identity, People
from centrala.settings import Settings
from centrala.web.hub import Hub
from centrala.web.problems import Problem

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

TOLD_WITHIN = 10.0
"Seconds for a fact to be decided and written; longer means that the disk stands still."
HASHES_WAITING = 32
KEYS_KEPT = 10_000
LISTENED_KEPT = 10_000
LISTENED_FOR = 3600.0


@dataclass(slots=True)
class _Telling:
    tenant: str
    subject: str
    times: frozenset[float]
    done: "asyncio.Future[int]"
    refused: list[str] = field(default_factory=list)


class Told(NamedTuple):
    seq: int
    "The ledger's, with everything that the facts led to."
    stored: bool
    "False while the ledger can't be written: decided and done, but a crash now would forget it."


class _Kept(NamedTuple):
    fingerprint: bytes
    answer: "asyncio.Future[tuple[int, Any]]"


class House:
    """Made on the event loop, beside a desk whose tenants are open. `close` ends it."""

    def __init__(self, settings: Settings, data: Path, desk: Desk, people: People) -> None:
        self.settings = settings
        self.data = data
        self.desk = desk
        self.people = people
        self.hubs = {
            tenant: Hub(
                tenant,
                functools.partial(self.centre, tenant),
                ZoneInfo(settings.tenants[tenant].timezone),
                desk.now,
                functools.partial(self.seq, tenant),
                self._numbers,
            )
            for tenant in settings.tenants
        }
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="web")
        self._hashing = asyncio.Semaphore(1)  # a hash takes 19 MiB
        self._hashes_waiting = 0
        self._telling: list[_Telling] = []
        self._last_at = 0.0
        self._keys: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._listened: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._records: sqlite3.Connection | None = None
        self._records_lock = threading.Lock()
        desk.watchers.append(self._watch)
        desk.outlets.append(self)

    def close(self) -> None:
        self.desk.watchers.remove(self._watch)
        self.desk.outlets.remove(self)
        for hub in self.hubs.values():
            hub.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._records is not None:
            self._records.close()

    def now(self) -> float:
        return self.desk.now()

    def centre(self, tenant: str) -> Centre:
        # A quarantined fact gives the mailbox a new centre, so it is asked for each time.
        return self.desk.mailboxes[tenant].centre

    def seq(self, tenant: str) -> int:
        return self.desk.ledger.next_seq(tenant) - 1

    # --- what blocks goes to a thread ---

    async def ask(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run what reads or writes the disk."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(call, *arguments, **named))

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
        times: list[float] = []
        for one in make:
            at = max(self.desk.now(), self._last_at + 1e-6)  # told apart by their times
            self._last_at = at
            times.append(at)
            self.desk.tell(tenant, one(at, agent))
        telling = _Telling(tenant, agent, frozenset(times), asyncio.get_running_loop().create_future())
        self._telling.append(telling)
        try:
            async with asyncio.timeout(TOLD_WITHIN):
                seq = await telling.done
        except TimeoutError:
            raise Problem(
                "LEDGER-DOWN", "It was taken in, but isn't written down yet: look again before you repeat it."
            ) from None
        if telling.refused:
            raise Problem("AGENT-REFUSED", f"This can't be now: {', '.join(telling.refused)}.")
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
                        if one.tenant == tenant and one.subject == event.subject and event.at in one.times:
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

        Raises Problem KEY-REUSED for the same key with something else. Kept in memory, the last 10,000.
        """
        if key is None:
            return await work()
        place = who.user.id, key
        kept = self._keys.get(place)
        if kept is not None:
            if kept.fingerprint != fingerprint:
                raise Problem(
                    "KEY-REUSED", "This Idempotency-Key was used for another request: take a new one."
                )
            return await asyncio.shield(kept.answer)
        answer: asyncio.Future[tuple[int, Any]] = asyncio.get_running_loop().create_future()
        self._keys[place] = _Kept(fingerprint, answer)
        while len(self._keys) > KEYS_KEPT:
            self._keys.popitem(last=False)
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
        return result

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

    async def _numbers(self, tenant: str, contacts: Sequence[str]) -> dict[str, str]:
        centre = self.centre(tenant)
        parties = {centre.contacts[one].party or one: one for one in contacts[:500] if one in centre.contacts}
        if not parties:
            return {}
        marks = ", ".join("?" * len(parties))
        found = await self.ask(
            self.rows,
            f"SELECT id, address FROM parties WHERE tenant = ? AND id IN ({marks})",
            (tenant, *parties),
        )
        return {parties[name]: address for name, address in found if address}
