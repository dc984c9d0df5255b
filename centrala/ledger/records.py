"""Contact records: one row per contact, folded from events; projected into a table, and read from it.

`folding.fold` is pure. `project` runs it over what is new and stores the result in a transaction of its own; `contacts`
reads the table and folds the tail of the log that isn't in it yet. Addresses stay in the table of parties and are
joined when read, so that an erased party shows nothing.
"""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from centrala.ledger import codec
from centrala.ledger.codec import Row
from centrala.ledger.errors import explained
from centrala.ledger.folding import Answer, Escalation, Gap, Record, Segment, Working, fold
from centrala.ledger.log import Log
from centrala.ledger.schema import FILE, open_to_read

PROJECTION = "records"

CALLED = ("outbound", "callback")
"Directions in which the customer is whom we call."

CHUNK = 10_000
"Rows of the log that are folded at once: the bound of memory."


# --- as it is read ---


def as_row(record: Record, address: str | None) -> dict[str, object]:
    """The record as published: times in RFC 3339 (UTC, milliseconds), seconds to the millisecond, null where absent.

    `talk_s` and `hold_s` are null while the contact runs, and when nobody answered it; `wait_s` when a flow was all
    that it met.
    """
    over = record.ended_at if record.answered_at is None else record.answered_at
    waited_from = record.arrived_at if record.queued_at is None else record.queued_at
    talked = record.ended_at is not None and record.answered_at is not None
    wrapped = record.wrap_up_s if record.working is None else None
    inbound = record.direction == "inbound"
    waited = record.flow is None or record.queued_at is not None or record.answered_at is not None
    return {
        "id": record.id,
        "tenant": record.tenant,
        "medium": record.medium,
        "direction": record.direction,
        "from": (address or None) if inbound else record.caller,
        "to": (address or None) if record.direction in CALLED else record.dialled,
        "queue": record.queue,
        "arrived_at": _time(record.arrived_at),
        "queued_at": _time(record.queued_at),
        "offered_at": _time(record.offered_at),
        "answered_at": _time(record.answered_at),
        "ended_at": _time(record.ended_at),
        "wait_s": None if over is None or not waited else _seconds(over - waited_from),
        "talk_s": _seconds(record.talk_s - record.hold_s) if talked else None,
        "hold_s": _seconds(record.hold_s) if talked else None,
        "wrap_up_s": None if wrapped is None else _seconds(wrapped),
        "outcome": record.outcome,
        "agent": record.agent,
        "recording": record.recording,
        "disposition": record.disposition,
        "segments": [
            {"agent": one.agent, "role": one.role, "from": _time(one.since), "to": _time(one.until)}
            for one in record.segments
        ],
        "estimate_s": record.estimate_s,
        "flow": record.flow,
        "path": [f"{flow}/{node}:{exit}" for flow, node, exit in record.path],
        "origin": record.origin,
        "waiting_since": _time(record.waiting_since),
        "due_at": _time(record.due_at),
        "attempts": record.attempts,
        "answers": [
            {
                "survey": one.survey,
                "question": one.question,
                "value": one.value,
                "scale": one.scale,
                "queue": one.queue,
                "agent": one.agent,
            }
            for one in record.answers
        ],
        "gaps": [
            {
                "from": _seconds(one.since),
                "to": None if one.until is None else _seconds(one.until),
                "why": one.why,
            }
            for one in record.gaps
        ],
        "escalations": [
            {
                "at": _time(one.at),
                "agent": one.agent,
                "queue": one.queue,
                "to": one.to,
                "tier": one.tier,
                "reason": one.reason,
            }
            for one in record.escalations
        ],
    }


def _seconds(value: float) -> float:
    # A clock that was set back makes no negative time.
    return max(round(value, 3), 0.0)


def _time(at: float | None) -> str | None:
    if at is None:
        return None
    try:
        moment = datetime.fromtimestamp(round(at, 3), UTC)
    except (ValueError, OverflowError, OSError):
        return None  # no year that RFC 3339 can write
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def contacts(data: Path, *, include_open: bool = False) -> Iterator[dict[str, object]]:
    """Records of all tenants, ended contacts only, by arrival. Needs no lock: a centre may run on the folder.

    `include_open` adds the running ones, whose outcome is None. Memory is bound by what isn't projected yet.
    Raises DataFolderError when there is no ledger to read, or it is broken.
    """
    path = data / FILE
    with closing(open_to_read(data)) as db:
        try:
            db.execute("BEGIN")  # one picture, whatever is written meanwhile
            tail: dict[_Key, Record] = {}
            for tenant in codec.tenants(db):
                tail |= _changes(db, tenant, _projected(db, tenant), codec.last_seq(db, tenant))
            for record, address in heapq.merge(
                _stored(db, tail, include_open), _unstored(db, tail, include_open), key=_order
            ):
                yield as_row(record, address)
        except sqlite3.Error as problem:
            raise explained(problem, path) from problem


_Shown = tuple[Record, str | None]

_Key = tuple[str, str, float]
"(tenant, contact, arrival): should an id ever come twice, neither record is lost."


def _key(record: Record) -> _Key:
    return record.tenant, record.id, record.arrived_at


def _changes(db: sqlite3.Connection, tenant: str, after: int, to: int) -> dict[_Key, Record]:
    """The tenant's records that rows above `after`, up to `to`, have changed."""
    known = _Loading(db, tenant)
    changed: dict[_Key, Record] = {}
    for row in _rows(db, tenant, after, to):
        record = fold(known, row)
        if record is not None:
            changed[_key(record)] = record
    return changed


def _order(shown: _Shown) -> tuple[float, str, str]:
    return shown[0].arrived_at, shown[0].tenant, shown[0].id


def _stored(db: sqlite3.Connection, but: dict[_Key, Record], include_open: bool) -> Iterator[_Shown]:
    which = "" if include_open else "WHERE r.ended_at IS NOT NULL"
    for *columns, address in db.execute(
        f"SELECT {', '.join('r.' + name for name in COLUMNS)}, p.address FROM records r"
        f" LEFT JOIN parties p ON p.tenant = r.tenant AND p.id = r.party {which}"
        " ORDER BY r.arrived_at, r.tenant, r.id"
    ):
        record = from_columns(columns)
        if _key(record) not in but:
            yield record, address


def _unstored(db: sqlite3.Connection, tail: dict[_Key, Record], include_open: bool) -> Iterator[_Shown]:
    shown = [record for record in tail.values() if include_open or record.ended_at is not None]
    for record in sorted(shown, key=lambda record: _order((record, None))):
        found = db.execute(
            "SELECT address FROM parties WHERE tenant = ? AND id = ?", (record.tenant, record.party)
        ).fetchone()
        yield record, None if found is None else found[0]


# --- the projection ---

COLUMNS = (
    "tenant",
    "id",
    "medium",
    "direction",
    "party",
    "dialled",
    "caller",
    "queue",
    "arrived_at",
    "queued_at",
    "offered_at",
    "answered_at",
    "ended_at",
    "talk_s",
    "hold_s",
    "wrap_up_s",
    "outcome",
    "agent",
    "recording",
    "disposition",
    "estimate_s",
    "flow",
    "origin",
    "waiting_since",
    "due_at",
    "attempts",
    "path",
    "segments",
    "answers",
    "gaps",
    "escalations",
    "working",
)
_LISTS: dict[str, msgspec.json.Decoder[Any]] = {
    "path": msgspec.json.Decoder(list[tuple[str, str, str]]),
    "segments": msgspec.json.Decoder(list[Segment]),
    "answers": msgspec.json.Decoder(list[Answer]),
    "gaps": msgspec.json.Decoder(list[Gap]),
    "escalations": msgspec.json.Decoder(list[Escalation]),
}
_ADD = f"INSERT OR REPLACE INTO records({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


def project(log: Log) -> int:
    """Take what the log has that is new into the table `records`. Gives the number of rows of the log read.

    To be called again and again, from a thread. Reads on a connection of its own and holds up appends only while it
    writes. Raises LedgerUnavailable: what isn't taken in now is next time.
    """
    read = 0
    with log.projecting, closing(open_to_read(log.data)) as db:
        try:
            for tenant in codec.tenants(db):
                while True:
                    after = _projected(db, tenant)
                    to = min(codec.last_seq(db, tenant), after + CHUNK)
                    if to <= after:
                        break
                    _store(log, tenant, _changes(db, tenant, after, to).values(), to)
                    read += to - after
        except sqlite3.Error as problem:
            raise explained(problem, log.path) from problem
    return read


def rebuild(log: Log) -> int:
    """Throw the table away and fold the whole log anew. Gives the number of rows read."""
    with log.projecting, log.transaction() as db:
        db.execute("DELETE FROM records")
        db.execute("DELETE FROM projections WHERE name = ?", (PROJECTION,))
    return project(log)


def _store(log: Log, tenant: str, records: Iterable[Record], last: int) -> None:
    rows = [_to_columns(record) for record in records]
    with log.transaction() as db:
        db.executemany(_ADD, rows)
        db.execute("INSERT OR REPLACE INTO projections VALUES (?, ?, ?)", (PROJECTION, tenant, last))


class _Loading(dict[str, Record]):
    """The tenant's records by contact id, fetched from the table as they are asked for."""

    def __init__(self, db: sqlite3.Connection, tenant: str) -> None:
        super().__init__()
        self._db = db
        self._tenant = tenant

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self:
            found = self._db.execute(
                f"SELECT {', '.join(COLUMNS)} FROM records WHERE tenant = ? AND id = ?"
                " ORDER BY arrived_at DESC LIMIT 1",
                (self._tenant, key),
            ).fetchone()
            if found is None:
                return default
            self[key] = from_columns(found)
        return self[key]


def _projected(db: sqlite3.Connection, tenant: str) -> int:
    found = db.execute(
        "SELECT last_seq FROM projections WHERE name = ? AND tenant = ?", (PROJECTION, tenant)
    ).fetchone()
    return 0 if found is None else int(found[0])


def _rows(db: sqlite3.Connection, tenant: str, after: int, to: int) -> Iterator[Row]:
    found = db.execute(
        f"SELECT {codec.COLUMNS} FROM log WHERE tenant = ? AND seq > ? AND seq <= ?"
        " AND contact IS NOT NULL AND kind >= 'event.' AND kind < 'fact.' ORDER BY seq",
        (tenant, after, to),
    )
    for row in found:
        yield Row(*row)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Working).decode


def _to_columns(record: Record) -> list[object]:
    values: list[object] = []
    for name in COLUMNS:
        value = getattr(record, name)
        plain = name not in _LISTS and (name != "working" or value is None)
        values.append(value if plain else _encode(value).decode())
    return values


def from_columns(values: Any) -> Record:
    """A record out of the values of `COLUMNS`."""
    named = dict(zip(COLUMNS, values, strict=True))
    working = named.pop("working")
    lists = {name: decoder.decode(named.pop(name)) for name, decoder in _LISTS.items()}
    return Record(**named, **lists, working=None if working is None else _decode(working))
