"""The figures of the day across restarts: what a `Live` remembers is stored now and then, and folded on from there.

A stored memory is as of one row of the ledger. At the start the centre is brought to that row (snapshot, events), then
both take in every row since. So figures never depend on how often we stored them, nor on how we ended.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from centrala.core.centre import Centre, evolve
from centrala.ledger import Log, codec
from centrala.ledger.recovery import centre_before
from centrala.ledger.replay import last_before, steps
from centrala.ledger.schema import open_to_read
from centrala.live import Live

KEPT = 3
"Memories of a tenant: one may be ahead of what the ledger could commit before a crash."

FROM_THE_BEGINNING = 1_000_000
"Rows; a longer log that has no memory yet (of an older version) is only counted from its oldest snapshot on."


@dataclass(frozen=True, slots=True)
class Back:
    """Everything as it was after the row `seq`."""

    centre: Centre
    live: Live
    seq: int


def keep(log: Log, tenant: str, seq: int, body: bytes) -> None:
    """Store a memory as of this row. To be called in a thread. Raises LedgerUnavailable, DataFolderError."""
    with log.transaction() as db:
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_name(tenant, seq), body.decode()))
        for name in _names(db, tenant)[KEPT:]:
            db.execute("DELETE FROM meta WHERE name = ?", (name,))


def bring_back(log: Log, tenant: str, zone: ZoneInfo, now: float) -> Back | None:
    """Today's figures up to the last committed row; None for a tenant without any. To be called in a thread.

    Raises DataFolderError and LedgerUnavailable as reading the ledger does.
    """
    with closing(open_to_read(log.data)) as db:
        db.execute("BEGIN")  # one picture, whatever is written meanwhile
        last = codec.last_seq(db, tenant)
        names = _names(db, tenant)
        ahead = [name for name in names if _seq(name) > last]
        back = _begin(db, tenant, zone, now, last, [name for name in names if _seq(name) <= last])
        if back is not None:
            for step, _ in steps(db, tenant, back.seq):
                for event in step:
                    evolve(back.centre, event)
                back.live.take(back.centre, step)
            back = Back(back.centre, back.live, last)
    if ahead:
        # Of rows that were never committed: other rows will have their numbers.
        with log.transaction() as writing:
            for name in ahead:
                writing.execute("DELETE FROM meta WHERE name = ?", (name,))
    return back


def _begin(
    db: sqlite3.Connection, tenant: str, zone: ZoneInfo, now: float, last: int, names: list[str]
) -> Back | None:
    for name in names:
        (body,) = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        seq = _seq(name)
        centre = centre_before(db, tenant, seq + 1)
        if centre is None:
            continue
        try:
            return Back(centre, Live.restored(zone, body.encode(), centre), seq)
        except msgspec.DecodeError:
            continue  # of another version: an older one, or the log itself, will do
    yesterday = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0) - timedelta(days=1)
    start = min(last_before(db, tenant, yesterday.timestamp()), last)
    if last > FROM_THE_BEGINNING:
        oldest = db.execute("SELECT min(seq) FROM snapshots WHERE tenant = ?", (tenant,)).fetchone()[0]
        start = max(start, oldest or 0)
    centre = centre_before(db, tenant, start + 1)
    if centre is None:
        return None
    live = Live(zone)
    at = db.execute("SELECT at FROM log WHERE tenant = ? AND seq > ? LIMIT 1", (tenant, start)).fetchone()
    live.meet(centre, at[0] if at else now)
    return Back(centre, live, start)


def _name(tenant: str, seq: int) -> str:
    return f"figures {tenant} {seq:015}"


def _seq(name: str) -> int:
    return int(name.rpartition(" ")[2])


def _names(db: sqlite3.Connection, tenant: str) -> list[str]:
    """Of the tenant's memories, newest first."""
    prefix = f"figures {tenant} "
    found = db.execute(
        "SELECT name FROM meta WHERE name > ? AND name < ? ORDER BY name DESC", (prefix, prefix + ":")
    )
    return [name for (name,) in found]
