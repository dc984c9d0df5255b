"""Lines of plots: what each minute shows is what events tell of it, also after a restart; who may see them."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from centrala.core import events as e
from centrala.core import facts as f
from centrala.ledger import open_log
from centrala.ledger.metrics import Counts
from centrala.live import QueueSums, QueueView, WaitingView
from centrala.people import Role
from centrala.web.history import KEPT, SHOWN, History, Minute, keep, stored
from tests.unit.test_web_api import open_api, problem
from tests.unit.test_web_board import QUEUES, World

pytestmark = pytest.mark.unit

NOON = 1_800_000_000.0 // 60 * 60


@pytest.mark.parametrize("seed", range(12))
def test_what_a_minute_shows_is_what_its_events_tell(seed: int) -> None:
    world = World(seed)
    hub = world.watched()
    offered: Counter[tuple[str, int]] = Counter()
    left: Counter[int] = Counter()
    most: Counter[tuple[str, int]] = Counter()
    gone: set[str] = set()
    take = hub.take

    def watch(centre: object, events: list[e.Event]) -> None:
        for event in events:
            if isinstance(event, e.Queued):
                offered[event.queue, int(event.at // 60)] += 1
            elif isinstance(event, e.ContactEnded) and event.outcome in ("abandoned", "short_abandoned"):
                left[int(event.at // 60)] += 1
            elif isinstance(event, e.QueueDropped):
                gone.add(event.queue)
        take(centre, events)  # type: ignore[arg-type]

    hub.take = watch  # type: ignore[method-assign, assignment]
    for _ in range(400):
        world.anything()
        hub._dirty = True
        hub.tick()
        for name in QUEUES:
            if name in world.centre.queues:
                waiting = len(hub.live.view_queue(world.centre, name, world.now).waiting)
                place = name, int(world.now // 60)
                most[place] = max(most[place], waiting)
    there = [name for name in QUEUES if name in world.centre.queues and name not in gone]
    seen = 0
    lost: Counter[int] = Counter()
    for name in QUEUES:
        for point in hub.history.points(name, SHOWN, world.now):
            if point.waiting is None:
                assert (point.offered, point.service_level_30, point.longest_wait) == (None, None, None)
                continue
            minute = point.at // 60
            lost[minute] += point.abandoned or 0
            if name in there:
                seen += 1
                assert point.offered == offered[name, minute], (name, minute)
                assert point.waiting == most[name, minute], (name, minute)
    if not gone:
        oldest = int(world.now // 60) - SHOWN
        assert lost == Counter({minute: count for minute, count in left.items() if minute > oldest})
        assert seen > 10
    # What a board shows as its half hour is what the last point shows.
    hub.tick()
    for name in there:
        view = hub.live.view_queue(world.centre, name, world.now)
        last = hub.history.points(name, 1, world.now)[0]
        level = view.now.service_level
        assert last.service_level_30 == (None if level is None else round(level, 4))


def view(waiting: int, longest: float = 5.0) -> QueueView:
    places = tuple(WaitingView(f"c{number}", "sales", longest, ()) for number in range(waiting))
    return QueueView("sales", (0.8, 20.0), places, 0, 0, 0, Counts(), Counts(), (0, 0, 0, 0))


def test_minutes_survive_a_restart_and_a_gap_stays_a_gap(tmp_path: Path) -> None:
    minute = int(NOON // 60)
    sums = {
        "sales": QueueSums(minutes={minute: Counts(offered=7, served=4, in_time=3, abandoned=2, early=1)})
    }
    before = History()
    before.take([view(3)], sums, NOON + 1)
    before.take([view(1, 40.0)], sums, NOON + 30)
    assert before.over(NOON + 61) is None, "what belongs into it may still be told"
    over = before.over(NOON + 63)
    assert over is not None
    assert before.over(NOON + 64) is None
    with open_log(tmp_path) as log:
        keep(log, "acme", *over)
        keep(log, "acme2", *over)
        keep(log, "acme", minute - 1, b"of another version")
        kept = stored(log, "acme", NOON + 300)
        assert set(kept) == {minute, minute - 1}
        after = History()
        after.bring_back(kept)
        after.take([view(0)], {}, NOON + 185)
        shown = after.points("sales", 5, NOON + 185)
        assert [one.waiting for one in shown] == [None, 3, None, None, 0]
        noon = shown[1]
        assert (noon.at, noon.offered, noon.answered, noon.abandoned) == (int(NOON), 7, 4, 2)
        assert (noon.service_level, noon.longest_wait) == (0.6, 40.0)
        assert shown[4].service_level is None
        assert shown[4].service_level_30 == 0.6, "the half hour goes on over the gap"
        assert after.points("sales", 1, NOON + 185 + 1800)[0].service_level_30 is None
        keep(log, "acme", minute + KEPT + 1, b"{}")
        assert set(stored(log, "acme", NOON + 300)) == set(), "what nobody asks for is thrown away"
        assert set(stored(log, "acme2", NOON + 300)) == {minute}


@pytest.mark.parametrize("seed", range(5))
def test_the_half_hour_that_moves_along_is_what_adding_gives(seed: int) -> None:
    chance = random.Random(seed)
    history = History()
    told: dict[int, Counts] = {}
    first = int(NOON // 60)
    for minute in range(first, first + 200):
        if chance.random() < 0.3:
            continue  # nobody looked
        served, in_time = chance.randrange(9), chance.randrange(3)
        told[minute] = Counts(served=served, in_time=min(in_time, served), abandoned=chance.randrange(2))
        history.take([view(0)], {"sales": QueueSums(minutes={minute: told[minute]})}, 60.0 * minute + 5)
    now = 60.0 * (first + 199) + 6
    for point in history.points("sales", SHOWN, now):
        minute = point.at // 60
        if minute not in told:
            assert point.service_level_30 is None
            continue
        there = [told[one] for one in range(minute - 29, minute + 1) if one in told]
        served, lost = sum(one.served for one in there), sum(one.abandoned for one in there)
        level = sum(one.in_time for one in there) / (served + lost) if served + lost else None
        assert point.service_level_30 == (None if level is None else round(level, 4))


def test_a_restart_within_a_minute_takes_the_greater_of_both() -> None:
    before, after = History(), History()
    before.take([view(3, 30.0)], {}, NOON + 5)
    after.take([view(1, 33.0)], {}, NOON + 20)
    over = before.over(NOON + 63)
    assert over is not None
    after.bring_back(dict([over]))
    point = after.points("sales", 1, NOON + 30)[0]
    assert (point.waiting, point.longest_wait) == (3, 33.0)


def test_memory_is_bound() -> None:
    history = History()
    for minute in range(3 * KEPT):
        history.take([view(1)], {}, NOON + 60.0 * minute)
    assert len(history._queues["sales"]) <= KEPT
    history.forget("sales")
    assert history.points("sales", 1, NOON)[0].waiting is None


def test_what_the_routes_show_and_to_whom(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_api(tmp_path) as api:
            await api.user("chief", Role.SUPERVISOR)
            await api.user("banker", Role.CLIENT_VIEWER, scopes=("client:bank",))
            await api.user("alice", Role.AGENT, agent="alice")
            api.tell("acme", f.ContactArrived(api.house.now(), "c1", "100", "c1"))
            await api.settle()
            hub = api.house.hubs["acme"]
            now = api.house.now()
            hub.history.bring_back({int(now // 60) - 3: b'{"sales":{"waiting":4,"longest":9.5}}'})
            hub._dirty = True
            hub.tick()
            async with api.as_("chief") as chief:
                body = (await chief.get("/api/v1/queues/sales/history?minutes=5")).json()
                items = body["items"]
                assert len(items) == 5
                assert [one["waiting"] for one in items].count(4) == 1
                assert items[-1]["waiting"] == 1
                assert items[-1]["offered"] == 1
                lines = (await chief.get("/api/v1/queues/history?minutes=5")).json()
                assert set(lines["queues"]) == {"sales", "claims"}
                assert lines["queues"]["sales"]["waiting"] == [one["waiting"] for one in items]
                assert lines["begins"] == items[0]["at"]
                whole = await chief.get("/api/v1/queues/history", headers={"Accept-Encoding": "gzip"})
                assert len(whole.json()["queues"]["claims"]["longest_wait"]) == SHOWN
                problem(await chief.get("/api/v1/queues/secret/history"), "NOT-FOUND")
                for minutes in ("0", "121", "x"):
                    problem(await chief.get(f"/api/v1/queues/sales/history?minutes={minutes}"), "BAD-INPUT")
            async with api.as_("banker") as banker:
                assert set((await banker.get("/api/v1/queues/history")).json()["queues"]) == {"claims"}
                problem(await banker.get("/api/v1/queues/sales/history"), "NOT-FOUND")
            async with api.as_("alice") as alice:
                problem(await alice.get("/api/v1/queues/history"), "NOT-ALLOWED")

    asyncio.run(main())


def test_what_is_stored_is_small() -> None:
    """A house of 50 queues writes a few kilobytes a minute."""
    history = History()
    views = [
        QueueView(f"q{number}", (0.8, 20.0), (), 0, 0, 0, Counts(), Counts(), (0, 0, 0, 0))
        for number in range(50)
    ]
    history.take(views, {}, NOON)
    over = history.over(NOON + 63)
    assert over is not None
    assert len(over[1]) < 15_000
    assert Minute().waiting == 0
