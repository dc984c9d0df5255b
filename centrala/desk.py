"""The shell around the core: one mailbox per tenant, one ledger, one rule: write it down, then do it.

    tell(fact) → step → perform (nothing leaves the house yet) → commit → release what was held

Channels carry commands out at once, but on values only: dialogs change, bytes and media commands pile up. What they
hold is released when the ledger has the facts, the events and the changed dialogs. What comes in while a commit
runs is committed together by the next one; there is no timer.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.centre import Centre, step, timers
from centrala.core.events import Event
from centrala.ledger import (
    Batch,
    LedgerUnavailable,
    Log,
    Recovered,
    recover,
    snapshot,
    snapshot_due,
)

log = logging.getLogger(__name__)

Watcher = Callable[[str, Centre, Sequence[Event]], None]

RETRY_SECONDS = 1.0
MAX_BACKLOG_ROWS = 200_000
"What waits in memory while the ledger can't be written: some 10,000 calls."


@dataclass(slots=True)
class Held:
    """What a channel has ready: stored values that changed, personal data, and what leaves the house."""

    dialogs: list[tuple[str, str, bytes | None]] = field(default_factory=list)
    "(key, tenant, value); None deletes."
    parties: list[tuple[str, str, str, str, float]] = field(default_factory=list)
    "(tenant, party, address, display, at)"
    release: Callable[[], None] | None = None


class Outlet(Protocol):
    def collect(self) -> Held: ...


@dataclass(slots=True)
class Mailbox:
    centre: Centre
    pending: list[int] = field(default_factory=list)
    "Commands carried out and not yet marked done."


class Desk:
    """Takes facts in, carries commands out, in the order of the ledger.

    `degraded` is true while the ledger can't be written: channels then turn new contacts away.
    """

    def __init__(self, ledger: Log) -> None:
        self.ledger = ledger
        self.mailboxes: dict[str, Mailbox] = {}
        self.performers: dict[type, Callable[[str, Any], None]] = {}
        self.outlets: list[Outlet] = []
        self.watchers: list[Watcher] = []
        self.degraded = False
        self._inbox: deque[tuple[str, f.Fact]] = deque()
        self._loop = asyncio.get_running_loop()
        self._offset = time.time() - self._loop.time()
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._batch = Batch()
        self._releases: list[Callable[[], None]] = []
        self._committing = False
        self._retry: asyncio.TimerHandle | None = None
        self._woken = False
        self._stopped = False
        self._marking = False

    def now(self) -> float:
        """Unix seconds that never run backwards while we live."""
        return self._loop.time() + self._offset

    def at(self, when: float, call: Callable[..., None], *arguments: object) -> asyncio.TimerHandle:
        """Call at a unix time; nothing is logged, so only for what a restart need not know."""
        return self._loop.call_at(when - self._offset, call, *arguments)

    def later(self, seconds: float, call: Callable[..., None], *arguments: object) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, call, *arguments)

    # --- in ---

    def tell(self, tenant: str, fact: f.Fact) -> None:
        """A fact for the tenant's mailbox; decided before this turn of the loop ends."""
        self._inbox.append((tenant, fact))
        self.wake()

    def wake(self) -> None:
        """There is something to decide, to write, or to send."""
        if not self._woken and not self._stopped:
            self._woken = True
            self._loop.call_soon(self._work)

    def open(self, tenant: str) -> Recovered:
        """Bring the tenant back from the ledger; timers run again, the overdue ones fire in order."""
        recovered = recover(self.ledger, tenant)
        self.mailboxes[tenant] = Mailbox(recovered.centre)
        return recovered

    def start_timers(self, tenant: str) -> None:
        for timer, at in sorted(timers(self.mailboxes[tenant].centre), key=lambda one: one[1]):
            self._set_timer(tenant, timer, at)

    # --- work ---

    def _work(self) -> None:
        self._woken = False
        self.catch_up()
        for outlet in self.outlets:
            held = outlet.collect()
            for key, tenant, value in held.dialogs:
                self._batch.dialog(key, tenant, value)
            for party in held.parties:
                self._batch.party(*party)
            if held.release is not None:
                self._releases.append(held.release)
        if self._inbox:  # a channel had more to tell while it was asked
            self.wake()
        self._commit()

    def catch_up(self) -> None:
        """Decide all that was told so far, now."""
        while self._inbox:
            tenant, fact = self._inbox.popleft()
            self._take(tenant, fact)

    def _take(self, tenant: str, fact: f.Fact) -> None:
        mailbox = self.mailboxes.get(tenant)
        if mailbox is None:
            return
        try:
            events, commands = step(mailbox.centre, fact)
            if not events and not commands:
                return
            numbered = self._batch.step(self.ledger, tenant, fact, events, commands)
        except Exception:
            self._quarantine(tenant, fact)
            return
        for command in commands:
            if type(command) is c.SetTimer:
                self._set_timer(tenant, command.timer, command.at)
            elif type(command) is c.CancelTimer:
                self._cancel_timer(tenant, command.timer)
            else:
                self._perform(tenant, command)
        mailbox.pending += numbered
        for watch in self.watchers:
            watch(tenant, mailbox.centre, events)

    def _perform(self, tenant: str, command: c.Command) -> None:
        performer = self.performers.get(type(command))
        if performer is None:
            log.error("nobody carries out %s", type(command).__name__)
            return
        try:
            performer(tenant, command)
        except Exception:
            log.exception("tenant %s: carrying out %s failed", tenant, type(command).__name__)

    def perform_again(
        self, tenant: str, numbered: Sequence[tuple[int, c.Command]], which: Callable[[c.Command], bool]
    ) -> None:
        """Commands that the last run wrote down and may not have carried out; all count as done after it."""
        for seq, command in numbered:
            if which(command):
                self._perform(tenant, command)
            self.mailboxes[tenant].pending.append(seq)
        self.wake()

    def _quarantine(self, tenant: str, fact: f.Fact) -> None:
        """A bug of ours: put the fact aside, raise an alarm, go on from what the ledger holds."""
        log.exception("ALARM tenant %s: %s was quarantined", tenant, type(fact).__name__)
        try:
            self._writer.submit(self.ledger.append, self._batch).result()
            self._batch = Batch()
            self.mailboxes[tenant].centre = recover(self.ledger, tenant).centre
        except LedgerUnavailable:
            log.critical("ALARM tenant %s: the ledger can't be read back now", tenant)

    # --- the ledger ---

    def _commit(self) -> None:
        if self._committing or self._stopped:
            return
        if self._retry is not None:  # the next attempt is due; what must be said to people can't wait for it
            self._release()
            return
        if self._batch.empty:
            self._release()
            self._mark_done_later()
            return
        self._add_done_marks()
        batch, self._batch = self._batch, Batch()
        releases, self._releases = self._releases, []
        self._committing = True
        future = self._writer.submit(self.ledger.append, batch)
        future.add_done_callback(
            lambda done: self._loop.call_soon_threadsafe(self._committed, batch, releases, done.exception())
        )

    def _committed(
        self, batch: Batch, releases: list[Callable[[], None]], problem: BaseException | None
    ) -> None:
        self._committing = False
        for release in releases:  # before anything later, whether it could be written or not
            release()
        if problem is not None:
            self._ledger_failed(batch, problem)
        elif self.degraded:
            self.degraded = False
            log.warning("ALARM over: the ledger is written again")
        for tenant in self.mailboxes:
            if snapshot_due(self.ledger, tenant) and not self.degraded:
                self._snapshot(tenant)
        if problem is None:
            self._commit()

    def _ledger_failed(self, batch: Batch, problem: BaseException) -> None:
        """Keep what must be written, in order; go on with the conversations that are."""
        if not self.degraded:
            log.critical("ALARM the ledger can't be written, new calls are turned away: %s", problem)
        self.degraded = True
        self._batch = batch.followed_by(self._batch)
        if self._batch.rows > MAX_BACKLOG_ROWS:
            log.critical("ALARM the backlog of the ledger is full; the oldest rows are lost")
            for tenant in self._batch.drop_oldest(MAX_BACKLOG_ROWS // 2):
                self._snapshot(tenant)
        self._release()
        self._retry = self._loop.call_later(RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._commit()

    def _release(self) -> None:
        releases, self._releases = self._releases, []
        for release in releases:
            release()

    def _add_done_marks(self) -> None:
        # The commands of this very batch are released after it: their marks go with the next one.
        for tenant, mailbox in self.mailboxes.items():
            fresh = self._batch.commands_of(tenant)
            done = [seq for seq in mailbox.pending if seq not in fresh]
            if done:
                self._batch.done(self.ledger, tenant, self.now(), done)
                mailbox.pending = [seq for seq in mailbox.pending if seq in fresh]

    def _mark_done_later(self) -> None:
        if any(mailbox.pending for mailbox in self.mailboxes.values()) and not self._marking:
            self._marking = True
            self._loop.call_later(0.5, self._mark_done)

    def _mark_done(self) -> None:
        self._marking = False
        if not self._committing and not self._stopped:
            self._add_done_marks()
            self._commit()

    def _snapshot(self, tenant: str) -> None:
        snapshot(self.ledger, tenant, self.mailboxes[tenant].centre)

    # --- timers ---

    def _set_timer(self, tenant: str, timer: str, at: float) -> None:
        self._cancel_timer(tenant, timer)
        self._timers[tenant, timer] = self._loop.call_at(at - self._offset, self._fire, tenant, timer, at)

    def _cancel_timer(self, tenant: str, timer: str) -> None:
        handle = self._timers.pop((tenant, timer), None)
        if handle is not None:
            handle.cancel()

    def _fire(self, tenant: str, timer: str, at: float) -> None:
        self._timers.pop((tenant, timer), None)
        self.tell(tenant, f.TimerFired(max(at, self.now()), timer))

    # --- end ---

    async def stop(self) -> None:
        """Write all that is left, with a snapshot, and let go of the ledger."""
        self._work()
        while self._committing:  # noqa: ASYNC110 a future per commit would cost every commit
            await asyncio.sleep(0.005)
        self._add_done_marks()
        self._stopped = True
        for handle in self._timers.values():
            handle.cancel()
        try:
            if not self._batch.empty:
                await asyncio.to_thread(self.ledger.append, self._batch)
            for tenant in self.mailboxes:
                self._snapshot(tenant)
        except LedgerUnavailable as problem:
            log.critical("ALARM at the stop: %s", problem)
        self._release()
        self._writer.shutdown()
