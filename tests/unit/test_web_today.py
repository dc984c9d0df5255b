"""Figures of the day across restarts: whenever we were killed, they are what a count over the whole log gives."""

import random
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import step
from centrala.ledger import Batch, Log, codec, open_log, project, snapshot
from centrala.ledger.schema import open_to_read
from centrala.live import Live
from centrala.web.today import bring_back, keep
from tests.unit.test_web_board import AGENTS, START, World

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("Europe/Warsaw")


class Stored(World):
    """The world of the live tests with a ledger under it; what isn't committed yet is lost by a kill."""

    def __init__(self, seed: int, log: Log) -> None:
        self.log = log
        self.batch = Batch()
        self.live = Live(ZONE)
        self.start = START + random.Random(seed).choice([0.0, 13 * 3600.0])  # soon after it, midnight comes
        super().__init__(seed)

    def step(self, fact: f.Fact) -> None:
        if fact.at < self.start:
            fact = type(fact)(**{**{name: getattr(fact, name) for name in fact.__slots__}, "at": self.start})
        events, commands = step(self.centre, fact)
        self.batch.step(self.log, "acme", fact, events, commands)
        for one in commands:
            if isinstance(one, c.SetTimer):
                self.timers[one.timer] = one.at
            elif isinstance(one, c.CancelTimer):
                self.timers.pop(one.timer, None)
        self.live.take(self.centre, events)

    def commit(self) -> None:
        self.log.append(self.batch)
        self.batch = Batch()

    def keep(self) -> None:
        keep(self.log, "acme", self.log.next_seq("acme") - 1, self.live.stored())


def shown(live: Live, world: World) -> object:
    """All figures as they are seen at one moment."""
    views = live.view_queues(world.centre, world.now)
    days = {one: live.agent_day(one, world.now) for one in AGENTS}
    return [(one.id, one.today, one.now, one.talking, one.bar) for one in views], days, live.memory


@pytest.mark.parametrize("seed", range(14))
def test_figures_after_a_kill_are_those_of_before(tmp_path: Path, seed: int) -> None:
    with open_log(tmp_path) as log:
        world = Stored(seed, log)
        world.now = world.start
        chance = random.Random(seed)
        for number in range(400):
            world.anything()
            if chance.random() < 0.5:
                world.commit()
            if seed % 3 and chance.random() < 0.02:
                world.keep()
            if chance.random() < 0.02:
                snapshot(log, "acme", world.centre)
            if number % 60 == 59:
                world.commit()
                back = bring_back(log, "acme", ZONE, world.now)
                assert back is not None
                assert back.seq == log.next_seq("acme") - 1
                assert shown(back.live, world) == shown(world.live, world)
        world.commit()
        assert sum(one.today.offered for one in world.live.view_queues(world.centre, world.now)) > 5
        assert _counted(log, world) == {
            one.id: (one.today.offered, one.today.served, one.today.abandoned)
            for one in world.live.view_queues(world.centre, world.now)
        }


def _counted(log: Log, world: Stored) -> dict[str, tuple[int, int, int]]:
    """Offered, served and abandoned of today, by a look at each contact's whole story in the log."""
    with closing(open_to_read(log.data)) as db:
        rows = db.execute(
            "SELECT kind, version, body FROM log WHERE tenant = 'acme' AND kind LIKE 'event.%' ORDER BY seq"
        )
        events = [codec.decode(*row) for row in rows]
    sums = {name: [0, 0, 0] for name in world.centre.queues}
    waits: dict[str, str] = {}
    for event in events:
        today = event.at >= world.live._day_begins
        match event:
            case e.QueueDropped():
                sums[event.queue] = [0, 0, 0]
            case e.Queued():
                waits[event.contact] = event.queue
                sums.setdefault(event.queue, [0, 0, 0])[0] += today
            case e.Connected() if event.contact in waits:
                sums.setdefault(waits.pop(event.contact), [0, 0, 0])[1] += today
            case e.ContactEnded() if event.contact in waits:
                queue = waits.pop(event.contact)
                sums[queue][2] += today and event.outcome in ("abandoned", "short_abandoned")
            case e.Overflowed() | e.Released() | e.HandedOver():
                waits.pop(event.contact, None)
            case _:
                pass
    return {name: (one[0], one[1], one[2]) for name, one in sums.items() if name in world.centre.queues}


def test_a_memory_ahead_of_the_log_is_forgotten(tmp_path: Path) -> None:
    """Stored, then killed before its rows were: other rows have their numbers now."""
    with open_log(tmp_path) as log:
        world = Stored(1, log)
        for _ in range(60):
            world.anything()
        world.commit()
        world.keep()
        before = world.live.stored()
        for _ in range(60):
            world.anything()
        world.keep()
        assert world.live.stored() != before
    with open_log(tmp_path) as log:
        back = bring_back(log, "acme", ZONE, world.now)
        assert back is not None
        assert msgspec.json.decode(back.live.stored()) == msgspec.json.decode(before)
        with closing(open_to_read(tmp_path)) as db:
            (stored,) = db.execute("SELECT count(*) FROM meta WHERE name LIKE 'figures %'").fetchone()
        assert stored == 1


def test_a_broken_memory_costs_nothing_but_time(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        world = Stored(2, log)
        for _ in range(100):
            world.anything()
        world.commit()
        keep(log, "acme", log.next_seq("acme") - 1, b'{"queues": 7}')
        keep(log, "acme", log.next_seq("acme") - 2, b"\xc4\x85 no JSON")
        back = bring_back(log, "acme", ZONE, world.now)
        assert back is not None
        assert shown(back.live, world) == shown(world.live, world)
        assert bring_back(log, "nobody", ZONE, world.now) is not None


def test_the_figures_equal_the_records(tmp_path: Path) -> None:
    """Of a day without transfers, what the table of records says in SQL."""
    with open_log(tmp_path) as log:
        world = Stored(3, log)
        chance = random.Random(3)
        for agent in AGENTS:
            world.step(f.PhoneRegistered(world.now, agent))
            world.step(f.AgentReady(world.now, agent))
        for number in range(300):
            world.now += chance.choice([1.0, 9.0, 25.0])
            now = world.now
            match chance.randrange(4):
                case 0 | 1:
                    world.step(f.ContactArrived(now, f"r{number}", chance.choice(("sales", "help"))))
                case 2:
                    for one in list(world.centre.contacts.values()):
                        if one.offers and chance.random() < 0.7:
                            world.step(f.Answered(now, one.id, next(iter(one.offers))))
                case _:
                    there = list(world.centre.contacts)
                    if there:
                        world.step(f.HungUp(now, chance.choice(there)))
            for name, at in list(world.timers.items()):
                if at <= now and world.timers.pop(name, None) is not None:
                    world.step(f.TimerFired(now, name))
        world.commit()
        project(log)
        back = bring_back(log, "acme", ZONE, world.now)
        assert back is not None
        with closing(open_to_read(tmp_path)) as db:
            for view in back.live.view_queues(world.centre, world.now):
                served, in_time, waited = db.execute(
                    "SELECT count(*), coalesce(sum(answered_at - queued_at <= ?), 0),"
                    " coalesce(sum(answered_at - queued_at), 0)"
                    " FROM records WHERE queue = ? AND answered_at IS NOT NULL AND queued_at IS NOT NULL",
                    (view.target[1], view.id),
                ).fetchone()
                (lost,) = db.execute(
                    "SELECT count(*) FROM records WHERE queue = ? AND outcome IN ('abandoned', 'short_abandoned')",
                    (view.id,),
                ).fetchone()
                today = view.today
                assert (today.served, today.in_time, today.abandoned) == (served, in_time, lost)
                assert today.answer_s == pytest.approx(waited)
        assert sum(one.today.served for one in back.live.view_queues(world.centre, world.now)) > 5
