"""Which ways callers went: per flow, version and day how many came to each node, by which exit they went, where they
hung up. Drawn from the ledger, like the records of contacts, and can be drawn anew at any time."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from centrala.core import events as e
from centrala.flows.tables import connect
from centrala.ledger import LedgerUnavailable, codec
from centrala.ledger.schema import open_to_read

PROJECTION = "flow_paths"
CHUNK = 20_000
"Rows of the log that are folded at once."

COUNTED: tuple[type, ...] = (
    e.FlowEntered,
    e.FlowReturned,
    e.NodeEntered,
    e.NodeFailed,
    e.ContactEnded,
)
KINDS = tuple(f"event.{one.__name__}" for one in COUNTED)

CALLS, ENTERED, EXIT, LEFT, FAILED = "calls", "entered", "exit", "left", "failed"

Place = tuple[str, int, str, str, str, str]
"(flow, version, day, node, what, exit)"


@dataclass(slots=True)
class Inside:
    """Where a contact is: what the fold must remember of it until its end."""

    day: str
    "On which it came into its first flow."
    frames: list[tuple[str, int, str]] = field(default_factory=list)
    "(flow, version, node), the outermost first."


@dataclass(frozen=True, slots=True)
class NodePaths:
    node: str
    entered: int
    left: int
    "Hung up there."
    failed: int
    exits: dict[str, int]


@dataclass(frozen=True, slots=True)
class FlowPaths:
    calls: int
    "How many came into the flow; as part of another one, too."
    versions: tuple[int, ...]
    "That have figures in these days, of which `nodes` may be one."
    nodes: tuple[NodePaths, ...]


def fold(
    counts: Counter[Place], inside: dict[str, Inside], event: object, day: Callable[[float], str]
) -> None:
    """Count one event; `inside` is by contact, and loses those that are over."""
    match event:
        case e.FlowEntered(at=at, contact=contact, flow=flow, version=version, inner=inner):
            if not inner or contact not in inside:
                inside[contact] = Inside(day(at))
            inside[contact].frames.append((flow, version, ""))
            counts[flow, version, inside[contact].day, "", CALLS, ""] += 1
        case e.NodeEntered(contact=contact, flow=flow, version=version, node=node, exit=exit):
            known = inside.get(contact)
            if known is None or not known.frames:
                return
            before = known.frames[-1][2]
            if before and exit:
                counts[flow, version, known.day, before, EXIT, exit] += 1
            counts[flow, version, known.day, node, ENTERED, ""] += 1
            known.frames[-1] = flow, version, node
        case e.FlowReturned(contact=contact):
            known = inside.get(contact)
            if known is not None and known.frames:
                known.frames.pop()
        case e.NodeFailed(contact=contact, flow=flow, version=version, node=node):
            known = inside.get(contact)
            if known is not None:
                counts[flow, version, known.day, node, FAILED, ""] += 1
        case e.ContactEnded(contact=contact, outcome=outcome):
            known = inside.pop(contact, None)
            if known is not None and known.frames and outcome == "left_menu":
                flow, version, node = known.frames[-1]
                counts[flow, version, known.day, node, LEFT, ""] += 1


class Paths:
    """The figures of a data folder, as far as they were drawn."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._db = connect(data)
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def project(self, timezone: Callable[[str], str]) -> int:
        """Count what the ledger has that is new. Gives the number of rows of the log that were passed.

        To be called again and again, from a thread. Raises LedgerUnavailable: what isn't counted now is next time.
        """
        passed = 0
        with self._lock:
            try:
                with closing(open_to_read(self._data)) as db:
                    for tenant in codec.tenants(db):
                        while step := self._step(db, tenant, _day_in(timezone(tenant))):
                            passed += step
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"The paths of flows can't be counted now ({problem}).") from problem
        return passed

    def rebuild(self, timezone: Callable[[str], str]) -> int:
        """Throw the figures away and count the whole ledger anew. Gives the number of rows of the log."""
        with self._lock, _transaction(self._db):
            for table in ("flows_paths", "flows_inside"):
                self._db.execute(f"DELETE FROM {table}")
            self._db.execute("DELETE FROM projections WHERE name = ?", (PROJECTION,))
        return self.project(timezone)

    def _step(self, log: sqlite3.Connection, tenant: str, day: Callable[[float], str]) -> int:
        after = _last(self._db, tenant)
        to = min(codec.last_seq(log, tenant), after + CHUNK)
        if to <= after:
            return 0
        rows = log.execute(
            "SELECT kind, version, body, seq, contact FROM log WHERE tenant = ? AND seq > ? AND seq <= ?"
            f" AND contact IS NOT NULL AND kind IN ({', '.join('?' * len(KINDS))}) ORDER BY seq",
            (tenant, after, to, *KINDS),
        ).fetchall()
        known = {row[4] for row in rows}
        inside = _inside(self._db, tenant, known)
        counts: Counter[Place] = Counter()
        for kind, version, body, seq, _ in rows:
            fold(counts, inside, codec.decode(kind, version, body, f"Row {seq} of tenant {tenant}"), day)
        with _transaction(self._db):  # short: the ledger's writer waits for it
            if _last(self._db, tenant) == after:  # else another process has counted these
                self._store(tenant, counts, inside, known, to)
        return to - after

    def _store(
        self, tenant: str, counts: Counter[Place], inside: dict[str, Inside], known: Iterable[str], to: int
    ) -> None:
        self._db.executemany(
            "INSERT INTO flows_paths(tenant, flow, version, day, node, what, exit, count)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(tenant, *place, count) for place, count in counts.items()],
        )
        self._db.executemany(
            "DELETE FROM flows_inside WHERE tenant = ? AND contact = ?",
            [(tenant, one) for one in known if one not in inside],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO flows_inside VALUES (?, ?, ?)",
            [(tenant, one, _encode(who).decode()) for one, who in inside.items()],
        )
        self._db.execute("INSERT OR REPLACE INTO projections VALUES (?, ?, ?)", (PROJECTION, tenant, to))

    def of(self, tenant: str, flow: str, first: date, last: date, version: int | None = None) -> FlowPaths:
        """The figures of these days, both included, of one version or of all."""
        with self._lock:
            try:
                found = self._db.execute(
                    "SELECT version, node, what, exit, sum(count) FROM flows_paths WHERE tenant = ? AND flow = ?"
                    " AND day >= ? AND day <= ? GROUP BY version, node, what, exit",
                    (tenant, flow, first.isoformat(), last.isoformat()),
                ).fetchall()
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"The paths of flows can't be read now ({problem}).") from problem
        return _shown(found, version)


def _shown(found: Sequence[Any], version: int | None) -> FlowPaths:
    counts: Counter[tuple[str, str]] = Counter()
    exits: dict[str, Counter[str]] = {}
    calls = 0
    for number, node, what, exit, count in found:
        if version is not None and number != version:
            continue
        if what == CALLS:
            calls += count
        elif what == EXIT:
            exits.setdefault(node, Counter())[exit] += count
        else:
            counts[node, what] += count
    nodes = sorted({*exits, *(node for node, _ in counts)})
    return FlowPaths(
        calls,
        tuple(sorted({row[0] for row in found})),
        tuple(
            NodePaths(
                node,
                counts[node, ENTERED],
                counts[node, LEFT],
                counts[node, FAILED],
                dict(sorted(exits.get(node, Counter()).items())),
            )
            for node in nodes
        ),
    )


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Inside).decode


def _inside(db: sqlite3.Connection, tenant: str, contacts: Iterable[str]) -> dict[str, Inside]:
    names, found = list(contacts), {}
    for start in range(0, len(names), 500):
        part = names[start : start + 500]
        for contact, body in db.execute(
            f"SELECT contact, body FROM flows_inside WHERE tenant = ? AND contact IN ({', '.join('?' * len(part))})",
            (tenant, *part),
        ):
            found[contact] = _decode(body)
    return found


def _last(db: sqlite3.Connection, tenant: str) -> int:
    found = db.execute(
        "SELECT last_seq FROM projections WHERE name = ? AND tenant = ?", (PROJECTION, tenant)
    ).fetchone()
    return 0 if found is None else int(found[0])


class _transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _day_in(timezone: str) -> Callable[[float], str]:
    zone: tzinfo = ZoneInfo(timezone)

    def day(at: float) -> str:
        try:
            return datetime.fromtimestamp(at, zone).date().isoformat()
        except (ValueError, OverflowError, OSError):
            return "1970-01-01"

    return day
