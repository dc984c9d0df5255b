"""What became of each estimate: the log's events, folded to what was known and how long it took then.

Somebody who gave up counts too: the estimate was of how long they would have waited. That is taken to be over when a
phone first rings for somebody behind them, if the line hasn't been empty in between (Ibrahim & Whitt 2009).
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from centrala.core import events as e
from centrala.core.learned import SEEN
from centrala.ledger.codec import decode, last_seq
from centrala.ledger.replay import last_before
from centrala.ledger.schema import open_to_read

LONGEST = 3600.0
"Seconds; who gave up longer ago is forgotten, and a longer wait is an open end of a day."
AT_ONCE = 0.5
"Seconds of waiting with which somebody found an agent free."
LOOKED_AT = 5_000_000
"Rows of the log, the last ones: of a large house fewer days than asked for."
ROWS = 20_000
"Of the log that are read at once: a long look would keep the log from being tidied."

KINDS: tuple[type, ...] = (
    e.Queued, e.Announced, e.OfferMade, e.Overflowed, e.Reserved, e.ContactEnded, e.NodeEntered, e.Promised,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """An estimate that was asked for, and the truth. Times in seconds."""

    at: float
    seen: tuple[float, ...]
    wait: float
    "Until a phone rang for them, or would have."
    first: bool
    "When they came; otherwise announced to them later."
    stayed: bool = True
    "The phone did ring for them."


@dataclass(slots=True)
class _Waiting:
    queue: str
    rank: float
    since: float
    asked: list[tuple[float, tuple[float, ...], bool]] = field(default_factory=list)


def truths(events: Iterable[e.Event], most: int | None = None) -> dict[str, deque[Asked]]:
    """By queue, in the order in which the truth came out; the last `most` of each. `events` in the order of the log;
    others than `KINDS` are passed over."""
    found: dict[str, deque[Asked]] = {}
    waiting: dict[str, _Waiting] = {}
    gone: dict[str, list[_Waiting]] = {}
    for event in events:
        match event:
            case e.Queued():
                one = waiting[event.contact] = _Waiting(event.queue, event.rank, event.at)
                if len(event.seen) == len(SEEN):
                    one.asked.append((event.at, event.seen, True))
            case e.Announced():
                if event.contact in waiting and len(event.seen) == len(SEEN):
                    waiting[event.contact].asked.append((event.at, event.seen, False))
            case e.OfferMade():
                was = waiting.pop(event.contact, None)
                if was is None or event.queue != was.queue:
                    continue
                marks = gone.pop(was.queue, [])
                if event.at - was.since < AT_ONCE:
                    continue  # the line was empty: nobody knows since when
                into = found.setdefault(was.queue, deque(maxlen=most))
                into += _rows(was, event.at, True)
                for mark in marks:
                    if mark.rank < was.rank:
                        into += _rows(mark, event.at, False)
                    elif event.at - mark.since < LONGEST:
                        gone.setdefault(was.queue, []).append(mark)
            case e.ContactEnded() | e.Overflowed() | e.NodeEntered() | e.Promised():
                left = waiting.pop(event.contact, None)
                if left is not None and left.asked:
                    gone.setdefault(left.queue, []).append(left)
            case e.Reserved():
                waiting.pop(event.contact, None)
            case _:
                pass
    return found


def _rows(one: _Waiting, over: float, stayed: bool) -> Iterator[Asked]:
    return (
        Asked(at, seen, over - at, first, stayed) for at, seen, first in one.asked if 0 <= over - at < LONGEST
    )


def events_of(data: Path, tenant: str, queues: Collection[str], since: float) -> Iterator[e.Event]:
    """Those of `KINDS` that the tenant's log holds from that moment on, of these queues where they name one.

    Raises DataFolderError, sqlite3.Error.
    """
    kinds = tuple(f"event.{one.__name__}" for one in KINDS)
    marks = ", ".join("?" * len(kinds))
    with closing(open_to_read(data)) as db:
        last = last_seq(db, tenant)
        begin = max(last_before(db, tenant, since) + 1, last - LOOKED_AT)
        while begin <= last:
            rows = db.execute(
                "SELECT kind, version, body FROM log WHERE tenant = ? AND seq >= ? AND seq < ?"
                f" AND kind IN ({marks}) ORDER BY seq",
                (tenant, begin, begin + ROWS, *kinds),
            ).fetchall()
            begin += ROWS
            for kind, version, body in rows:
                event = decode(kind, version, body)
                if isinstance(event, e.Queued) and event.queue not in queues:
                    continue
                yield event
