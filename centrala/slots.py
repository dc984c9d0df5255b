"""Times for which a queue may promise to call: as many places in each quarter of an hour as there is room for.

    places = floor(share × (agents × 900 s / handling time − contacts expected in that quarter))

Each figure is learned from the contact records of the last weeks and drawn towards something plain while there are few;
docs/reference/centre-yaml.md tells how. Pure, but for `history`, which reads the records, and `Offering`, which asks
it.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from centrala.core.facts import SlotsOffered
from centrala.core.state import Centre
from centrala.ledger.schema import open_to_read
from centrala.settings import Tenant

QUARTER = 900
"Seconds."
WEEK = 7 * 86400
WEEKS = 8
"Of records that are looked at."
USUAL_HANDLING = 240.0
HANDLING_WEIGHT = 20
"Contacts that the usual handling time is worth."
ARRIVAL_WEIGHT = 2
"Weeks that the mean over all open quarters is worth."
MOST_PLACES = 1000
LEARN_EVERY = 6 * 3600.0
"Seconds after which the records are read anew."

Spans = Sequence[tuple[float, float]]
"Opening intervals (from, to) in unix seconds, ascending."
Moment = tuple[int, int]
"(weekday, Monday being 0; quarter of the day by the clock on the wall)"


@dataclass(slots=True)
class History:
    """What the records of the last weeks tell of one queue."""

    weeks: int = 0
    "Whole weeks that there are records of, at most `WEEKS`."
    arrivals: dict[Moment, int] = field(default_factory=dict)
    "Contacts that came to wait in this quarter of this weekday, in all these weeks together."
    agents: dict[tuple[int, int], float] = field(default_factory=dict)
    "(weekday, hour) → agents who answered in it, over all these weeks; one of several queues in equal parts."
    handled: int = 0
    handling_s: float = 0.0
    "Talk, hold and after-call work of those, in seconds."


def handling_time(known: History) -> float:
    """Mean seconds of a contact, the usual being worth some contacts."""
    return (USUAL_HANDLING * HANDLING_WEIGHT + known.handling_s) / (HANDLING_WEIGHT + known.handled)


def expected_arrivals(known: History, moment: Moment, open_quarters: int) -> float:
    """Contacts in that quarter; `open_quarters`: how many there are in a week."""
    overall = sum(known.arrivals.values()) / max(known.weeks * open_quarters, 1)
    return (ARRIVAL_WEIGHT * overall + known.arrivals.get(moment, 0)) / (ARRIVAL_WEIGHT + known.weeks)


def expected_agents(known: History, moment: Moment, serving: float) -> float:
    """Agents for the queue in that hour; those who serve it now (`serving`) while nothing is known."""
    if not known.weeks or not known.agents:
        return serving
    return known.agents.get((moment[0], moment[1] // 4), 0.0) / known.weeks


def places(known: History, moment: Moment, *, share: float, serving: float, open_quarters: int) -> int:
    """How many calls may be promised for this quarter."""
    capacity = expected_agents(known, moment, serving) * QUARTER / handling_time(known)
    free = capacity - expected_arrivals(known, moment, open_quarters)
    # A thousandth, so that what is a whole number but for rounding stays one.
    return max(0, min(MOST_PLACES, math.floor(share * free + 1e-3)))


def quarters(open_at: Spans | None, zone: ZoneInfo, now: float, days: int) -> list[float]:
    """Starts of the quarters that lie wholly in the opening hours, from the next one on, today and `days` - 1 more."""
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    end = (today + timedelta(days=days)).timestamp()
    first = (int(now) // QUARTER + 1) * QUARTER
    found: list[float] = []
    for begins, ends in [(now, end)] if open_at is None else open_at:
        start = max(first, math.ceil(begins / QUARTER) * QUARTER)
        while start + QUARTER <= min(ends, end):
            found.append(float(start))
            start += QUARTER
    return found


def moment_of(at: float, zone: ZoneInfo) -> Moment:
    local = datetime.fromtimestamp(at, zone)
    return local.weekday(), local.hour * 4 + local.minute // 15


def local_time(at: float, zone: ZoneInfo) -> str:
    """As clocks there show it, to be said to callers."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%dT%H:%M")


def open_quarters(open_at: Spans | None, now: float) -> int:
    """Quarters of an hour in which the queue is open, in the week to come."""
    if open_at is None:
        return WEEK // QUARTER
    seconds = sum(max(min(ends, now + WEEK) - max(begins, now), 0.0) for begins, ends in open_at)
    return max(round(seconds / QUARTER), 1)


def offered(
    known: History,
    open_at: Spans | None,
    zone: ZoneInfo,
    now: float,
    *,
    share: float,
    days: int,
    serving: float,
) -> tuple[tuple[float, int], ...]:
    """(start, places) of each quarter that has any, as `SlotsOffered` takes them."""
    in_week = open_quarters(open_at, now)
    found = []
    for start in quarters(open_at, zone, now, days):
        count = places(known, moment_of(start, zone), share=share, serving=serving, open_quarters=in_week)
        if count:
            found.append((start, count))
    return tuple(found)


def serving_parts(
    members: Iterable[str], queues_of: Callable[[str], int], serves: Callable[[str], bool]
) -> float:
    """Agents who serve a queue now, one of several queues in equal parts."""
    return sum(1 / max(queues_of(name), 1) for name in members if serves(name))


def history(data: Path, tenant: str, queues: Iterable[str], zone: ZoneInfo, now: float) -> dict[str, History]:
    """By queue. To be called in a thread: it reads the records of some weeks. Raises DataFolderError, sqlite3.Error."""
    wanted = list(queues)
    end = now // QUARTER * QUARTER
    with closing(open_to_read(data)) as db:
        (oldest,) = db.execute("SELECT min(arrived_at) FROM records WHERE tenant = ?", (tenant,)).fetchone()
        weeks = 0 if oldest is None else max(0, min(WEEKS, int((end - oldest) // WEEK)))
        found = {name: History(weeks) for name in wanted}
        if not weeks:
            return found
        since = end - weeks * WEEK
        marks = ", ".join("?" * len(wanted))
        around = (tenant, since - 86400, end, since, end, *wanted)
        range_of = "tenant = ? AND arrived_at >= ? AND arrived_at < ?"
        for queue, quarter, count in db.execute(
            f"SELECT queue, CAST(queued_at / {QUARTER} AS INTEGER), count(*) FROM records WHERE {range_of}"
            f" AND queued_at >= ? AND queued_at < ? AND direction != 'callback' AND queue IN ({marks}) GROUP BY 1, 2",
            around,
        ):
            moment = moment_of(quarter * QUARTER, zone)
            arrivals = found[queue].arrivals
            arrivals[moment] = arrivals.get(moment, 0) + count
        for queue, count, seconds in db.execute(
            "SELECT queue, count(*), sum(talk_s + coalesce(wrap_up_s, 0)) FROM records WHERE"
            f" {range_of} AND answered_at >= ? AND answered_at < ? AND ended_at IS NOT NULL AND queue IN ({marks})"
            " GROUP BY 1",
            around,
        ):
            found[queue].handled, found[queue].handling_s = count, seconds or 0.0
        worked = db.execute(
            f"SELECT DISTINCT CAST(answered_at / {QUARTER} AS INTEGER) / 4, agent, queue FROM records"
            f" WHERE {range_of} AND answered_at >= ? AND answered_at < ? AND agent IS NOT NULL"
            " AND queue IS NOT NULL",
            around[:5],
        ).fetchall()
    _add_agents(found, worked, zone)
    return found


def _add_agents(found: Mapping[str, History], worked: Sequence[tuple[int, str, str]], zone: ZoneInfo) -> None:
    """Rows are (hour since 1970, agent, queue)."""
    queues: dict[tuple[int, str], int] = {}
    for hour, agent, _ in worked:
        queues[hour, agent] = queues.get((hour, agent), 0) + 1
    for hour, agent, queue in worked:
        if queue in found:
            weekday, quarter = moment_of(hour * 4 * QUARTER, zone)
            agents, place = found[queue].agents, (weekday, quarter // 4)
            agents[place] = agents.get(place, 0.0) + 1 / queues[hour, agent]


@dataclass(slots=True)
class Offering:
    """Tells a tenant's queues how many calls they may promise. `again` each quarter, and after a change of settings."""

    data: Path
    learned: dict[str, dict[str, History]] = field(default_factory=dict)
    "By tenant."
    read_at: dict[str, float] = field(default_factory=dict)
    told: dict[tuple[str, str], tuple[tuple[float, int], ...]] = field(default_factory=dict)

    async def again(self, tenant: Tenant, centre: Centre, now: float) -> list[SlotsOffered]:
        """The facts to be told: of each queue with slots whose places have changed, and of one that lost them."""
        queues = {
            name: one.callbacks.slots
            for name, one in tenant.queues.items()
            if one.callbacks.slots is not None
        }
        zone = ZoneInfo(tenant.timezone)
        known = self.learned.get(tenant.id, {})
        if queues and (
            now - self.read_at.get(tenant.id, 0.0) > LEARN_EVERY or not queues.keys() <= known.keys()
        ):
            known = await asyncio.to_thread(history, self.data, tenant.id, tuple(queues), zone, now)
            self.learned[tenant.id], self.read_at[tenant.id] = known, now
        facts = []
        for name, how in queues.items():
            queue = centre.queues.get(name)
            if queue is None or how is None:
                continue
            serving = serving_parts(
                queue.members,
                lambda one: len(centre.agents[one].queues),
                lambda one: centre.agents[one].serving,
            )
            slots = offered(
                known[name],
                queue.spec.open_at,
                zone,
                now,
                share=how.share,
                days=how.days,
                serving=serving,
            )
            if self.told.get((tenant.id, name)) != slots:
                self.told[tenant.id, name] = slots
                local = tuple(local_time(start, zone) for start, _ in slots)
                facts.append(SlotsOffered(now, name, slots, local))
        for place in [one for one in self.told if one[0] == tenant.id and one[1] not in queues]:
            del self.told[place]
            if place[1] in centre.queues:
                facts.append(SlotsOffered(now, place[1], ()))
        return facts
