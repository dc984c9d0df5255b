"""What queues were like, minute by minute: the lines of plots, kept for two hours and across restarts.

Figures are those of `ledger.metrics`, worked out of the same sums as a board's; only how many waited at once, and how
long the one in front had waited, is seen by looking. A minute in which nobody looked (the centre was down) is none.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import msgspec

from centrala.ledger import Log
from centrala.ledger.metrics import Counts, value
from centrala.ledger.schema import open_to_read
from centrala.live import MINUTE, RECENT, QueueSums, QueueView

SHOWN = 120
"Minutes that can be asked for."
KEPT = SHOWN + int(RECENT // MINUTE) + 1
"The service level is of the half hour before."
WIDTH = int(RECENT // MINUTE)
COUNTED = ("offered", "served", "in_time", "abandoned", "early", "short")
"What service levels are worked out of; whole numbers, so that adding and taking away is exact."
SETTLED = 2.0
"Seconds after its end when a minute is stored: what belongs into it is told by then."


@dataclass(slots=True)
class Minute:
    """One minute of a queue."""

    waiting: int = 0
    "Most who waited at once."
    longest: float = 0.0
    "Seconds that anybody who waited then had waited."
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, slots=True)
class Point:
    """What is shown of a minute; None where nobody looked, or there is nothing to divide by."""

    at: int
    "When the minute began, in unix seconds."
    offered: int | None = None
    answered: int | None = None
    abandoned: int | None = None
    service_level: float | None = None
    "Of this minute."
    service_level_30: float | None = None
    "Of the half hour that ends with it: what a board shows as its `now`."
    longest_wait: float | None = None
    waiting: int | None = None


def _small(one: Minute) -> dict[str, object]:
    """As it is stored: what points are made of, without zeros."""
    counts = {name: count for name in COUNTED if (count := getattr(one.counts, name))}
    return {"waiting": one.waiting, "longest": one.longest, "counts": counts}


class History:
    """Of one tenant. `take` is called several times a second, `over` gives what can be stored."""

    def __init__(self) -> None:
        self._queues: dict[str, dict[int, Minute]] = {}
        self._stored = -1

    def take(self, views: Iterable[QueueView], sums: Mapping[str, QueueSums], now: float) -> None:
        """Queues as they are now."""
        minute = int(now // MINUTE)
        for view in views:
            mine = self._queues.setdefault(view.id, {})
            one = mine.get(minute)
            if one is None:
                one = mine[minute] = Minute()
                for old in [each for each in mine if each <= minute - KEPT]:
                    del mine[old]
            one.waiting = max(one.waiting, len(view.waiting))
            one.longest = max(one.longest, view.longest_wait)
            known = sums.get(view.id)
            # The sums themselves, which go on growing.
            one.counts = known.minutes.get(minute, one.counts) if known is not None else one.counts

    def forget(self, queue: str) -> None:
        """It is no more; another one of that name begins anew."""
        self._queues.pop(queue, None)

    def over(self, now: float) -> tuple[int, bytes] | None:
        """The last minute that is over, encoded, if it wasn't given yet."""
        minute = int((now - SETTLED) // MINUTE) - 1
        if minute <= self._stored:
            return None
        self._stored = minute
        body = {queue: _small(mine[minute]) for queue, mine in self._queues.items() if minute in mine}
        return (minute, msgspec.json.encode(body)) if body else None

    def bring_back(self, stored: Mapping[int, bytes]) -> None:
        """What was kept of before. What can't be read is of another version, and left out."""
        for minute, body in stored.items():
            try:
                found = msgspec.json.decode(body, type=dict[str, Minute])
            except (msgspec.DecodeError, UnicodeError):
                continue
            for queue, one in found.items():
                known = self._queues.setdefault(queue, {}).setdefault(minute, one)
                if known is not one:
                    # The minute in which we were started anew.
                    known.waiting = max(known.waiting, one.waiting)
                    known.longest = max(known.longest, one.longest)

    def points(self, queue: str, minutes: int, now: float) -> list[Point]:
        """The last minutes, this one among them, oldest first."""
        mine = self._queues.get(queue, {})
        last = int(now // MINUTE)
        first = last - minutes + 1
        made = []
        # The half hour before each minute, as a sum that moves along: a board asks for 50 queues at once.
        recent = [0] * len(COUNTED)
        for minute in range(first - WIDTH + 1, last + 1):
            one = mine.get(minute)
            gone = mine.get(minute - WIDTH)
            if one is not None:
                recent = [had + getattr(one.counts, name) for had, name in zip(recent, COUNTED, strict=True)]
            if gone is not None and minute > first:
                recent = [had - getattr(gone.counts, name) for had, name in zip(recent, COUNTED, strict=True)]
            if minute < first:
                continue
            at = int(minute * MINUTE)
            if one is None:
                made.append(Point(at))
                continue
            counts = one.counts
            made.append(
                Point(
                    at,
                    counts.offered,
                    counts.served,
                    counts.abandoned,
                    _rounded(value("service_level", counts), 4),
                    _rounded(value("service_level", Counts(**dict(zip(COUNTED, recent, strict=True)))), 4),
                    _rounded(one.longest, 1),
                    one.waiting,
                )
            )
        return made


def _rounded(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(figure, digits)


# --- kept ---


def keep(log: Log, tenant: str, minute: int, body: bytes) -> None:
    """Store a minute, forget those that nobody asks for any more. To be called in a thread.

    Raises LedgerUnavailable, DataFolderError.
    """
    with log.transaction() as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_name(tenant, minute), body.decode()))
        db.execute(
            "DELETE FROM meta WHERE name >= ? AND name < ?", (_name(tenant, 0), _name(tenant, minute - KEPT))
        )


def stored(log: Log, tenant: str, now: float) -> dict[int, bytes]:
    """Minute → its body. To be called in a thread. Raises DataFolderError, LedgerUnavailable."""
    minute = int(now // MINUTE)
    with closing(open_to_read(log.data)) as db:
        try:
            found = db.execute(
                "SELECT name, value FROM meta WHERE name >= ? AND name <= ?",
                (_name(tenant, minute - KEPT), _name(tenant, minute)),
            ).fetchall()
        except sqlite3.Error:
            return {}  # lines that begin anew; the ledger's own reading tells what is wrong
    return {int(name.rpartition(" ")[2]): body.encode() for name, body in found}


def _name(tenant: str, minute: int) -> str:
    return f"minutes {tenant} {max(minute, 0):012}"
