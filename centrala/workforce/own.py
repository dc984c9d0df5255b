"""The centre's own history: what its records hold, as histories to forecast, predict and measure from. Read only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from centrala.ledger import contacts
from centrala.workforce.errors import BadHistory, TooShort
from centrala.workforce.hazard import REDIAL, calls_again
from centrala.workforce.history import History, Kind
from centrala.workforce.predict import WaitHistory

LOST = frozenset({"abandoned", "short_abandoned"})


@dataclass(frozen=True, slots=True)
class Visit:
    """One inbound contact of a queue, times on the wall clock of the centre."""

    at: datetime
    "When it joined the queue."
    wait: float
    handling: float | None
    "Talk, hold and after-call work; None if nobody answered."
    answered: bool
    gave_up: bool
    queue: str
    agent: str | None
    caller: str | None


def visits(data: Path, timezone: str, *, queue: str | None = None, tenant: str | None = None) -> list[Visit]:
    """Contacts that came to a queue and are over, by the moment they joined it.

    Raises BadHistory for an unknown time zone or queue, DataFolderError without a ledger.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadHistory(f"{timezone!r} is no time zone like Europe/Warsaw") from None
    found: list[Visit] = []
    queues: set[str] = set()
    for row in contacts(data):
        if row["queue"] is None or row["direction"] != "inbound" or (tenant and row["tenant"] != tenant):
            continue
        queues.add(str(row["queue"]))
        if queue is not None and row["queue"] != queue:
            continue
        came = row["queued_at"] or row["arrived_at"]
        if came is None:
            continue
        at = datetime.fromisoformat(str(came)).astimezone(zone)
        answered = row["answered_at"] is not None
        parts = (row["talk_s"], row["hold_s"], row["wrap_up_s"])
        handling = sum(float(part) for part in parts if isinstance(part, int | float))
        wait = row["wait_s"]
        found.append(
            Visit(
                at.replace(tzinfo=None, fold=0),
                float(wait) if isinstance(wait, int | float) else 0.0,
                handling if answered else None,
                answered,
                str(row["outcome"]) in LOST,
                str(row["queue"]),
                str(row["agent"]) if row["agent"] is not None else None,
                str(row["from"]) if row["from"] is not None else None,
            )
        )
    if not found:
        there = f"; there are {', '.join(sorted(queues))}" if queues else ""
        where = f"queue {queue}" if queue is not None else "any queue"
        raise BadHistory(f"{data}: no contacts of {where}{there}")
    return sorted(found, key=lambda one: one.at)


def own_history(
    known: list[Visit],
    *,
    until: date,
    minutes: int = 30,
    kind: Kind = "calls",
    without_redials: float | None = None,
    closed: frozenset[date] = frozenset(),
) -> History:
    """Calls an interval, or seconds of handling, of whole days: from the day after the first contact to the day before
    `until`. `without_redials`: seconds within which a caller who gave up is the same demand (None: all count)."""
    if kind == "share":
        raise BadHistory("the ledger's records hold calls and seconds; shrinkage comes as CSV")
    kept = known
    if without_redials is not None:
        again = calls_again(
            [one.at.timestamp() for one in known],
            [one.caller for one in known],
            [not one.gave_up for one in known],
            redial=without_redials or REDIAL,
        )
        kept = [one for one, fresh in zip(known, again.fresh.tolist(), strict=True) if fresh]
    first = known[0].at.date() + timedelta(days=1)
    kept = [one for one in kept if first <= one.at.date() < until]
    if not kept:
        raise TooShort(f"no whole day between {first} and {until} has contacts: wait for more, or give a CSV")
    days = sorted({one.at.date() for one in kept})
    place = {day: index for index, day in enumerate(days)}
    shape = (len(days), 1440 // minutes)
    count, seconds = np.zeros(shape), np.zeros(shape)
    for one in kept:
        where = (place[one.at.date()], (one.at.hour * 60 + one.at.minute) // minutes)
        if kind == "calls":
            count[where] += 1
        elif one.handling is not None:
            count[where] += 1
            seconds[where] += one.handling
    if kind == "calls":
        return History.of_days(days, count, minutes=minutes, closed=closed)
    return History.of_days(
        days, seconds / np.maximum(count, 1), minutes=minutes, kind="seconds", weights=count, closed=closed
    )


def own_waits(known: list[Visit], kinds: Sequence[str] = ()) -> WaitHistory:
    """For `learn_waits`. The kinds are the queues, in the order given where there is one."""
    kept = list(_ended(known))
    start = [_seconds(one.at) for one in kept]
    return WaitHistory.of(
        start,
        [at + one.wait for at, one in zip(start, kept, strict=True)],
        [one.answered for one in kept],
        [at + one.wait + (one.handling or 0.0) for at, one in zip(start, kept, strict=True)],
        kind=[one.queue for one in kept],
        agent=[one.agent for one in kept],
        kinds=kinds,
    )


def _ended(known: list[Visit]) -> Iterator[Visit]:
    return (one for one in known if one.answered or one.gave_up)


def _seconds(at: datetime) -> float:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return at.toordinal() * 86_400.0 + (at - midnight).total_seconds()
