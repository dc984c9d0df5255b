"""The live side of one tenant: watches the desk, keeps the last changes, hands them to whoever is registered.

What one step changed of agents and contacts is published at once; the figures of queues at most four times a second,
and bit by bit everything is compared anew. Clients hold a place in one ring of changes and are waited for by nobody:
who falls out of the ring has lost their place and registers again. So memory is bound by the house, not by the number
of clients or their speed. A client is woken by what concerns its own desk at once, by anything else it sees once a
frame, so that two hundred pages cost little where a handful watches everything.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from centrala.core import events as e
from centrala.core.centre import Centre, evolve
from centrala.core.events import Event
from centrala.live import Live, QueueView
from centrala.people import User
from centrala.settings.model import Tenant
from centrala.web.board import (
    Board,
    Change,
    Entity,
    Key,
    LostPlace,
    Shown,
    Value,
    change,
    differences,
    eye,
    narrow,
    snapshot,
)
from centrala.web.entities import (
    Caller,
    World,
    agent_entity,
    board,
    contact_entity,
    message_entity,
    queue_entity,
)
from centrala.web.history import History
from centrala.web.levels import Watch, limits
from centrala.web.today import Back

log = logging.getLogger(__name__)

FIGURES_EVERY = 0.25
FRAME = 0.1
"Seconds between two messages to those who watch everything."
TICKS_A_SECOND = 4
SWEEP_TICKS = 20
"So many ticks until everything was compared anew."
RING = 4096
"Changes kept for clients that are behind, or come back."
NUMBER_TRIES = (0.01, 0.05, 0.25, 1.0)
"Seconds between two looks for a number that isn't written yet."
MESSAGES_FOR = 600.0
"Seconds that a message to the floor is shown."
MESSAGES_KEPT = 100
KEEP_TICKS = 240
KEEP_ROWS = 10_000
"Figures of the day are stored after so many ticks or rows of the ledger."

Callers = Callable[[str, Sequence[str]], Awaitable[dict[str, Caller]]]
"(tenant, contacts) → what the ledger and the customers' cards tell of who they are."


class Keeper(Protocol):
    """Where the figures of the day survive a restart."""

    async def bring_back(self, tenant: str) -> Back | None: ...

    async def keep(self, tenant: str, seq: int, body: bytes) -> None: ...

    async def bring_back_minutes(self, tenant: str) -> Mapping[int, bytes]: ...

    async def keep_minute(self, tenant: str, minute: int, body: bytes) -> None: ...


class Entry(NamedTuple):
    number: int
    seq: int
    "The ledger's, that the change reflects."
    changes: list[Change]
    agents: frozenset[str]
    "On whose desks it stands, queues aside."
    queues: bool
    "Figures of queues are among it."


class Update(NamedTuple):
    """What a client at one place gets: it is at `place` then."""

    after: str
    place: str
    seq: int
    shown: list[Shown]


class Follower:
    """A client that is registered: wakes it up when there is something to tell."""

    __slots__ = ("_event", "agent", "wide")

    def __init__(self, user: User) -> None:
        self.agent = eye(user).agent
        self.wide = bool(eye(user).kinds)
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._event.set()

    async def woken(self) -> None:
        await self._event.wait()
        self._event.clear()


class Hub:
    """Live view of one tenant. `take` is called by the desk after each step, `run` is its task."""

    def __init__(
        self,
        tenant: str,
        centre: Callable[[], Centre],
        zone: ZoneInfo,
        now: Callable[[], float],
        seq: Callable[[], int],
        callers: Callers | None = None,
        *,
        settings: Callable[[], Tenant] | None = None,
        outside: Callable[[str, str], Mapping[str, str]] | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self.tenant = tenant
        self._centre = centre
        self._zone = zone
        self._now = now
        self._seq = seq
        self._callers = callers
        self._settings = settings or (lambda: Tenant(tenant, tenant))
        self._outside = outside
        self._keeper = keeper
        self._early: list[tuple[int, list[Event]]] | None = [] if keeper is not None else None
        "Steps since we began, until the figures of before are there."
        self._boot = secrets.token_hex(4)
        self.history = History()
        self._live = Live(zone)
        self._live.meet(centre(), now())
        self._world = World(centre(), self._live.memory, self._settings(), now())
        self._watches: dict[str, Watch] = {}
        self._messages: dict[str, float] = {}
        "Id → when it ends."
        self._name_teams()
        self._last: Board = board(self._fresh_world(), self._live.view_queues(centre(), now()))
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._number = 0
        self._dirty = False
        self._kept = (0, 0)
        "Tick and seq at which the figures were stored."
        self._tick = 0
        self._sweep: list[Key] = []
        self._wide: set[Follower] = set()
        self._by_agent: dict[str, set[Follower]] = {}
        self._frame: asyncio.TimerHandle | None = None
        self._framed = 0.0
        self._figures_wait = False
        "Figures of queues were published that agents' pages haven't been woken for."
        self._all_woken = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.clients = 0

    # --- the world changes ---

    def take(self, centre: Centre, events: Sequence[Event]) -> None:
        """One step's events, with the centre as it is after them."""
        if not events:
            return
        if self._early is not None:
            self._early.append((self._seq(), list(events)))
        agents, contacts = self._live.take(centre, events)
        self._dirty = True
        world = self._fresh_world()
        began: list[str] = []
        for event in events:
            match event:
                case e.ContactBegan():
                    began.append(event.contact)
                case e.AgentQueuesSet() | e.AgentLent() | e.AgentReturned():
                    world.members.clear()
                    self._live.meet(centre)
                case e.QueueDefined() | e.QueueDropped() | e.AgentDefined() | e.AgentDropped():
                    world.members.clear()
                    self._name_teams()
                    if isinstance(event, e.QueueDropped):
                        self._watches.pop(event.queue, None)
                        self.history.forget(event.queue)
                        world.levels.pop(event.queue, None)
                case _:
                    pass
        for name in contacts:
            if name not in centre.contacts:
                world.callers.pop(name, None)
                world.outside.pop(name, None)
        self._publish(
            self._against_last([*(("agent", one) for one in agents), *(("contact", one) for one in contacts)])
        )
        if began:
            self._look_up(began)

    def _fresh_world(self) -> World:
        world = self._world
        world.centre, world.memory = self._centre(), self._live.memory
        world.tenant, world.now = self._settings(), self._now()
        return world

    def _name_teams(self) -> None:
        self._world.teams = {
            agent: team.id for team in self._settings().teams.values() for agent in team.agents
        }

    def _make(self, key: Key) -> Entity | None:
        world = self._world
        kind, name = key
        if kind == "agent":
            agent = world.centre.agents.get(name)
            return None if agent is None else agent_entity(world, agent)
        contact = world.centre.contacts.get(name)
        if contact is None:
            return None
        if self._outside is not None:
            numbers = self._outside(self.tenant, name)
            if numbers:
                world.outside[name] = numbers
        return contact_entity(world, contact)

    def _against_last(self, keys: Iterable[Key]) -> list[Change]:
        made = (change(key, self._last.get(key), self._make(key)) for key in keys)
        return [one for one in made if one is not None]

    def flush(self) -> None:
        """Compare everything with what was published, and publish what differs."""
        self._dirty = False
        views = self._live.view_queues(self._centre(), self._now())
        self._judge(views)
        fresh = board(self._fresh_world(), views)
        fresh |= {key: one for key, one in self._last.items() if key[0] == "message"}
        self._publish(differences(self._last, fresh))

    def tick(self) -> None:
        """Four times a second: figures of queues if anything happened, limits once a second, a part of the rest."""
        self._tick += 1
        whole = self._tick % TICKS_A_SECOND == 0
        changes: list[Change] = []
        if self._dirty or whole:
            self._dirty = False
            world = self._fresh_world()
            views = self._live.view_queues(world.centre, world.now)
            if whole:
                self._judge(views)
            self.history.take(views, self._live.memory.queues, world.now)
            there = set()
            for view in views:
                key: Key = ("queue", view.id)
                there.add(key)
                one = change(key, self._last.get(key), queue_entity(world, view))
                if one is not None:
                    changes.append(one)
            gone = [key for key in self._last if key[0] == "queue" and key not in there] if whole else []
            changes += [Change(key, self._last[key], None) for key in gone]
            if whole:
                changes += self._over(world.now)
                # Whoever's own page is open is told at once why nobody calls; boards with the sweep.
                changes += self._against_last(
                    [("agent", one) for one in self._by_agent if one in world.centre.agents]
                )
        if not self._sweep:
            self._sweep = [key for key in self._last if key[0] in ("agent", "contact")]
        part = max(len(self._last) // SWEEP_TICKS, 10)
        self._fresh_world()
        some, self._sweep = self._sweep[:part], self._sweep[part:]
        self._publish([*changes, *self._against_last(some)])
        # Whoever nothing concerned for long must not fall out of the ring.
        if whole and (self._figures_wait or self._number - self._all_woken > RING // 8):
            self._figures_wait = False
            self._all_woken = self._number
            for followers in self._by_agent.values():
                for follower in followers:
                    follower.wake()

    def _judge(self, views: Iterable[QueueView]) -> None:
        """Which queues call for attention."""
        now, tenant = self._now(), self._settings()
        for view in views:
            configured = tenant.queues.get(view.id)
            if configured is None:
                continue
            watch = self._watches.setdefault(view.id, Watch())
            self._world.levels[view.id] = watch.take(
                {
                    "service_level": view.now.service_level,
                    "longest_wait": view.longest_wait if view.waiting else None,
                    "waiting": float(len(view.waiting)),
                },
                limits(configured.thresholds, view.target),
                now,
            )

    def _publish(self, changes: list[Change]) -> None:
        if not changes:
            return
        concerned: set[str] = set()
        queues = False
        for key, old, new, _ in changes:
            if new is None:
                self._last.pop(key, None)
            else:
                self._last[key] = new
            if key[0] == "queue":
                queues = True
                continue
            for entity in (old, new):
                if entity is not None:
                    concerned |= entity.agents
        self._number += 1
        self._ring.append(Entry(self._number, self._seq(), changes, frozenset(concerned), queues))
        for agent in concerned:
            for one in self._by_agent.get(agent, ()):
                one.wake()
        self._figures_wait = self._figures_wait or queues
        if self._wide:
            self._wake_wide()

    def _wake_wide(self) -> None:
        if self._frame is not None:
            return
        loop = asyncio.get_running_loop()
        self._frame = loop.call_at(max(self._framed + FRAME, loop.time()), self._next_frame)

    def _next_frame(self) -> None:
        self._frame = None
        self._framed = asyncio.get_running_loop().time()
        for one in self._wide:
            one.wake()

    # --- messages to the floor ---

    def say(
        self,
        sender: str,
        text: str,
        agents: Iterable[str],
        teams: Iterable[str],
        moved: Value | None = None,
    ) -> str:
        """Show a message on the desks of these agents, and to who watches these teams. Gives its id.

        Where `moved` (the agent, into and out_of which queues) is given, pages make a sentence of it in their language.
        """
        now = self._now()
        name = f"{int(now * 1000):011x}{secrets.token_hex(3)}"
        self._messages[name] = now + MESSAGES_FOR
        entity = message_entity(name, sender, text, now, agents, teams, moved)
        changes = [Change(("message", name), None, entity)]
        while len(self._messages) > MESSAGES_KEPT:
            oldest = next(iter(self._messages))
            del self._messages[oldest]
            changes.append(Change(("message", oldest), self._last.get(("message", oldest)), None))
        self._publish(changes)
        return name

    def _over(self, now: float) -> list[Change]:
        over = [name for name, ends in self._messages.items() if ends <= now]
        for name in over:
            del self._messages[name]
        return [Change(("message", name), self._last.get(("message", name)), None) for name in over]

    # --- who calls, which only the ledger knows ---

    def look_up_again(self, contacts: Iterable[str] | None = None) -> None:
        """A customer's card has changed: who the open contacts are is asked anew."""
        self._look_up(list(self._centre().contacts if contacts is None else contacts))

    def _look_up(self, contacts: Sequence[str]) -> None:
        if self._callers is not None and contacts:
            task = asyncio.get_running_loop().create_task(self._tell_callers(list(contacts)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell_callers(self, contacts: list[str]) -> None:
        assert self._callers is not None
        for pause in NUMBER_TRIES:
            await asyncio.sleep(pause)
            centre = self._centre()
            contacts = [one for one in contacts if one in centre.contacts]
            if not contacts:
                return
            try:
                found = await self._callers(self.tenant, contacts)
            except Exception:
                log.exception("tenant %s: numbers of callers can't be read now", self.tenant)
                continue
            world = self._fresh_world()
            there = {one: caller for one, caller in found.items() if one in world.centre.contacts}
            world.callers |= there
            keys: list[Key] = [("contact", one) for one in there]
            for one in there:
                entity = self._last.get(("contact", one))
                keys += [("agent", agent) for agent in (entity.agents if entity is not None else ())]
            self._publish(self._against_last(keys))
            contacts = [one for one in contacts if one not in found]

    # --- who looks ---

    @property
    def place(self) -> str:
        return f"{self._boot}.{self._number}"

    @property
    def seq(self) -> int:
        return self._seq()

    @property
    def live(self) -> Live:
        return self._live

    @property
    def world(self) -> World:
        return self._fresh_world()

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
        wide = bool(eye(user).kinds)
        shown: dict[tuple[str, str], Shown] = {}
        for entry in self._entries_after(number):
            if not wide and not entry.queues and user.agent not in entry.agents:
                continue
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

    def follow(self, user: User) -> Follower:
        """Be woken from now on, until `unfollow`."""
        one = Follower(user)
        if one.wide:
            self._wide.add(one)
        if one.agent is not None:
            self._by_agent.setdefault(one.agent, set()).add(one)
        return one

    def unfollow(self, one: Follower) -> None:
        self._wide.discard(one)
        if one.agent is not None:
            mates = self._by_agent.get(one.agent, set())
            mates.discard(one)
            if not mates:
                self._by_agent.pop(one.agent, None)

    # --- its task ---

    async def run(self) -> None:
        await self._bring_back()
        await self._bring_back_minutes()
        self._look_up(list(self._centre().contacts))
        while True:
            await asyncio.sleep(FIGURES_EVERY)
            try:
                self.tick()
                await self._keep()
            except Exception:
                log.exception("tenant %s: the live view can't be made now", self.tenant)

    async def _bring_back(self) -> None:
        """Go on with the figures of the day where the last run left them; what came meanwhile is taken in after."""
        if self._keeper is None:
            return
        try:
            back = await self._keeper.bring_back(self.tenant)
            if back is not None:
                for seq, events in self._early or ():
                    if seq > back.seq:
                        for event in events:
                            evolve(back.centre, event)
                        back.live.take(back.centre, events)
                self._live = back.live
                self._live.meet(self._centre(), self._now())
                self.flush()
        except Exception:
            log.exception("tenant %s: today's figures of before the start are missing", self.tenant)
        self._early = None

    async def _bring_back_minutes(self) -> None:
        if self._keeper is None:
            return
        try:
            self.history.bring_back(await self._keeper.bring_back_minutes(self.tenant))
        except Exception:
            log.exception("tenant %s: the lines of plots begin anew", self.tenant)

    async def _keep(self) -> None:
        if self._keeper is not None:
            over = self.history.over(self._now())
            if over is not None:
                await self._keeper.keep_minute(self.tenant, *over)
        tick, seq = self._kept
        now_at = self._seq()
        if self._keeper is None or now_at == seq:
            return
        if tick == 0 or self._tick - tick >= KEEP_TICKS or now_at - seq >= KEEP_ROWS:
            self._kept = self._tick, now_at
            await self._keeper.keep(self.tenant, now_at, self._live.stored())

    def stored(self) -> bytes | None:
        """What is to be kept of today's figures; None while those of before the start aren't there yet."""
        return self._live.stored() if self._early is None else None

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._frame is not None:
            self._frame.cancel()


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
