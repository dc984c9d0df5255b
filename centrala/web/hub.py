"""The live side of one tenant: watches the desk, keeps the last changes, hands them to whoever is registered.

What one step changed of agents and contacts is published at once; the figures of queues at most four times a second,
and together with them everything is compared anew. Clients hold a place in one ring of changes and are waited for by
nobody: who falls out of the ring has lost their place and registers again. So memory is bound by the house, not by
the number of clients or their speed.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from centrala.core.centre import Centre
from centrala.core.events import ContactBegan, Event
from centrala.live import Live
from centrala.people import User
from centrala.web.board import (
    Board,
    Change,
    Entity,
    Key,
    LostPlace,
    Shown,
    agent_entity,
    board,
    contact_entity,
    differences,
    narrow,
    remember,
    snapshot,
    start,
)

log = logging.getLogger(__name__)

FIGURES_EVERY = 0.25
QUIET_EVERY = 5.0
"Figures of the last quarter of an hour grow old by themselves."
RING = 4096
"Changes kept for clients that are behind, or come back."
NUMBER_TRIES = (0.01, 0.05, 0.25, 1.0)
"Seconds between two looks for a number that isn't written yet."

Numbers = Callable[[str, Sequence[str]], Awaitable[dict[str, str]]]
"(tenant, contacts) → what the ledger tells of their numbers."


class Entry(NamedTuple):
    number: int
    seq: int
    "The ledger's, that the change reflects."
    changes: list[Change]


class Update(NamedTuple):
    """What a client at one place gets: it is at `place` then."""

    after: str
    place: str
    seq: int
    shown: list[Shown]


class Hub:
    """Live view of one tenant. `take` is called by the desk after each step, `run` is its task."""

    def __init__(
        self,
        tenant: str,
        centre: Callable[[], Centre],
        zone: ZoneInfo,
        now: Callable[[], float],
        seq: Callable[[], int],
        numbers: Numbers | None = None,
    ) -> None:
        self.tenant = tenant
        self._centre = centre
        self._now = now
        self._seq = seq
        self._numbers = numbers
        self._boot = secrets.token_hex(4)
        self._live = Live(zone)
        self._known = start(centre(), now())
        self._last: Board = board(centre(), self._known, self._live.view(centre(), now()).queues)
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._number = 0
        self._dirty = False
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.clients = 0

    # --- the world changes ---

    def take(self, centre: Centre, events: Sequence[Event]) -> None:
        """One step's events, with the centre as it is after them."""
        if not events:
            return
        self._live.take(centre, events)
        at = events[-1].at
        agents, contacts = remember(self._known, centre, events, at)
        self._dirty = True
        fresh: list[tuple[Key, Entity | None]] = []
        for name in agents:
            agent = centre.agents.get(name)
            fresh.append(
                (("agent", name), None if agent is None else agent_entity(centre, self._known, agent))
            )
        for name in contacts:
            contact = centre.contacts.get(name)
            fresh.append(
                (("contact", name), None if contact is None else contact_entity(centre, self._known, contact))
            )
        self._publish(self._against_last(fresh))
        began = [one.contact for one in events if isinstance(one, ContactBegan)]
        if began:
            self._look_up(began)

    def _against_last(self, fresh: Sequence[tuple[Key, Entity | None]]) -> list[Change]:
        changes = []
        for key, entity in fresh:
            old = self._last.get(key)
            if entity is None:
                if old is not None:
                    changes.append(Change(key, old, None))
            elif not entity.same(old):
                changes.append(Change(key, old, entity))
        return changes

    def flush(self) -> None:
        """Compare everything with what was published, and publish what differs."""
        self._dirty = False
        centre, now = self._centre(), self._now()
        fresh = board(centre, self._known, self._live.view(centre, now).queues)
        self._publish(differences(self._last, fresh))

    def _publish(self, changes: list[Change]) -> None:
        if not changes:
            return
        for key, _, new in changes:
            if new is None:
                self._last.pop(key, None)
            else:
                self._last[key] = new
        self._number += 1
        self._ring.append(Entry(self._number, self._seq(), changes))
        self._changed.set()
        self._changed = asyncio.Event()

    # --- numbers, which only the ledger knows ---

    def _look_up(self, contacts: Sequence[str]) -> None:
        if self._numbers is not None:
            task = asyncio.get_running_loop().create_task(self._tell_numbers(list(contacts)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell_numbers(self, contacts: list[str]) -> None:
        assert self._numbers is not None
        for pause in NUMBER_TRIES:
            await asyncio.sleep(pause)
            centre = self._centre()
            contacts = [one for one in contacts if one in centre.contacts]
            if not contacts:
                return
            try:
                found = await self._numbers(self.tenant, contacts)
            except Exception:
                log.exception("tenant %s: numbers of callers can't be read now", self.tenant)
                continue
            centre = self._centre()
            there = {one: number for one, number in found.items() if one in centre.contacts}
            self._known.numbers |= there
            self._publish(
                self._against_last(
                    [
                        (("contact", one), contact_entity(centre, self._known, centre.contacts[one]))
                        for one in there
                    ]
                )
            )
            contacts = [one for one in contacts if one not in found]

    # --- who looks ---

    @property
    def place(self) -> str:
        return f"{self._boot}.{self._number}"

    @property
    def seq(self) -> int:
        return self._seq()

    def entity(self, key: Key) -> Entity | None:
        return self._last.get(key)

    def snapshot(self, user: User) -> list[Shown]:
        """What the user sees at `place`."""
        return snapshot(user, self._last)

    def since(self, user: User, place: str) -> Update | None:
        """What came after the place; None when nothing did. Raises LostPlace."""
        number = self._number_of(place)
        if number == self._number:
            return None
        shown: dict[tuple[str, str], Shown] = {}
        for entry in self._entries_after(number):
            for one in narrow(user, entry.changes):
                shown.pop(one[:2], None)
                shown[one[:2]] = one  # the last word on each counts
        return Update(place, self.place, self.seq, list(shown.values()))

    def _number_of(self, place: str) -> int:
        boot, _, text = place.partition(".")
        if boot != self._boot or not text.isascii() or not text.isdigit() or len(text) > 15:
            raise LostPlace
        number = int(text)
        oldest = self._ring[0].number - 1 if self._ring else self._number
        if not oldest <= number <= self._number:
            raise LostPlace
        return number

    def _entries_after(self, number: int) -> list[Entry]:
        behind = self._number - number
        return [self._ring[index] for index in range(len(self._ring) - behind, len(self._ring))]

    async def changed(self, place: str) -> None:
        """Returns once something came after the place; at once when it did already."""
        if place == self.place:
            await self._changed.wait()

    # --- its task ---

    async def run(self) -> None:
        self._look_up(list(self._centre().contacts))
        quiet = 0.0
        while True:
            await asyncio.sleep(FIGURES_EVERY)
            quiet += FIGURES_EVERY
            if not self._dirty and quiet < QUIET_EVERY:
                continue
            quiet = 0.0
            try:
                self.flush()
            except Exception:
                log.exception("tenant %s: the live view can't be made now", self.tenant)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


def message(update: Update, at: float) -> dict[str, Any]:
    return {
        "kind": "changes",
        "after": update.after,
        "place": update.place,
        "seq": update.seq,
        "at": round(at, 3),
        "changes": [one._asdict() for one in update.shown],
    }


def full(hub: Hub, user: User, at: float) -> dict[str, Any]:
    return {
        "kind": "snapshot",
        "place": hub.place,
        "seq": hub.seq,
        "at": round(at, 3),
        "entities": [one._asdict() for one in hub.snapshot(user)],
    }
