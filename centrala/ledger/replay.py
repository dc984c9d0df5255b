"""The log read again from a moment on, fact by fact, for figures that follow from it."""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from centrala.ledger import codec


def last_before(db: sqlite3.Connection, tenant: str, at: float) -> int:
    """The last seq before this time (unix seconds), by bisection: times in the log ascend, all but. 0: none."""
    low, high = 0, codec.last_seq(db, tenant)
    while low < high:
        middle = (low + high + 1) // 2
        found = db.execute(
            "SELECT at FROM log WHERE tenant = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", (tenant, middle)
        ).fetchone()
        low, high = (middle, high) if found is None or found[0] < at else (low, middle - 1)
    return low


def steps(db: sqlite3.Connection, tenant: str, after: int) -> Iterator[tuple[list[Any], int]]:
    """Events after a row, those of one fact together, with the last one's seq. Raises DataFolderError."""
    rows = db.execute(
        "SELECT caused_by, seq, kind, version, body FROM log WHERE tenant = ? AND seq > ?"
        " AND kind >= 'event.' AND kind < 'fact.' ORDER BY seq",
        (tenant, after),
    )
    for _, step in groupby(rows, key=lambda row: row[0]):
        last, events = 0, []
        for _, seq, kind, version, body in step:
            events.append(codec.decode(kind, version, body, f"Row {seq} of tenant {tenant}"))
            last = seq
        yield events, last
