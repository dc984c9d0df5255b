"""Contact records: one row per contact, folded from events; projected into a table, and read from it.

`fold` is pure. `project` runs it over what is new and stores the result in a transaction of its own; `contacts` reads
the table and folds the tail of the log that isn't in it yet. Addresses stay in the table of parties and are joined
when read, so that an erased party shows nothing.
"""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from centrala.core import events as e
from centrala.ledger import codec
from centrala.ledger.codec import Row
from centrala.ledger.errors import explained
from centrala.ledger.log import Log
from centrala.ledger.schema import FILE, open_to_read

PROJECTION = "records"

PATH_KEPT = 200

CHUNK = 10_000
"Rows of the log that are folded at once: the bound of memory."


@dataclass(slots=True)
class Segment:
    """One party's part in a contact, in one role. Times in unix seconds."""

    agent: str | None
    "None for somebody outside."
    role: str
    "agent, consult, member, or what a supervisor did: listen, whisper, barge"
    since: float
    until: float | None = None


@dataclass(slots=True)
class Working:
    """What the fold must remember of a contact that isn't settled. Times in unix seconds."""

    talking: float | None = None
    "Since when the caller talks with somebody (or hears the number's music)."
    held: float | None = None
    offers: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    "Leg → (agent, queue)."
    wraps: dict[str, float] = field(default_factory=dict)
    "Agent in wrap-up after it → since."
    asked: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    "Leg that rings to join → (agent, role)."
    legs: dict[str, int] = field(default_factory=dict)
    "Leg that is in → place of its running segment."
    node: tuple[str, str] | None = None
    "(flow, node) where it was last."


@dataclass(slots=True)
class Record:
    """A contact so far. Times in unix seconds; sums in seconds."""

    id: str
    tenant: str
    medium: str
    direction: str
    party: str
    dialled: str
    caller: str | None
    "The agent who called, if an agent did."
    arrived_at: float
    queue: str | None = None
    queued_at: float | None = None
    offered_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    talk_s: float = 0.0
    "Of finished stretches, holds included."
    hold_s: float = 0.0
    wrap_up_s: float | None = None
    "Of finished wrap-ups."
    outcome: str | None = None
    agent: str | None = None
    recording: str | None = None
    disposition: str | None = None
    "The result that was given last."
    segments: list[Segment] = field(default_factory=list)
    "Who took part, as what, from when to when: in the order in which they came in."
    estimate_s: float | None = None
    "How long its first wait was expected to last; None where nothing was known, or nobody was asked to wait."
    flow: str | None = None
    "The first that it went through."
    path: list[tuple[str, str, str]] = field(default_factory=list)
    "(flow, node, exit taken there), in order: the first two hundred."
    working: Working | None = field(default_factory=Working)
    "None once the contact and every wrap-up after it are over."


# --- the fold ---


def fold(records: MutableMapping[str, Record], row: Row) -> Record | None:
    """Take one row into the records of its tenant, by contact id. Gives the record that changed, if one did.

    Rows of any kind may come; what concerns no known contact changes nothing. Raises as `codec.decode` does.
    """
    if row.kind not in FOLDED or row.contact is None:
        return None
    event = codec.decode(row.kind, row.version, row.body, f"Row {row.seq} of tenant {row.tenant}")
    if isinstance(event, e.ContactBegan):
        record = records[event.contact] = _began(row.tenant, event)
        return record
    known = records.get(row.contact)
    if known is not None:
        _take(known, event)
    return known


FOLDED = frozenset(
    f"event.{of.__name__}"
    for of in (
        e.ContactBegan,
        e.Queued,
        e.Overflowed,
        e.OfferMade,
        e.OfferEnded,
        e.Connected,
        e.Reached,
        e.MusicBegan,
        e.FlowEntered,
        e.NodeEntered,
        e.Held,
        e.Resumed,
        e.PartyRung,
        e.PartyAnswered,
        e.RoleChanged,
        e.PartyLeft,
        e.HandedOver,
        e.Released,
        e.ResultNoted,
        e.ContactEnded,
        e.Recorded,
        e.WrapUpBegan,
        e.WrapUpEnded,
    )
)


def _began(tenant: str, event: e.ContactBegan) -> Record:
    record = Record(
        id=event.contact,
        tenant=tenant,
        medium=event.medium,
        direction=event.direction,
        party=event.party or event.contact,
        dialled=event.dialled,
        caller=event.agent,
        arrived_at=event.at,
        # Somebody outside answers an outbound contact; whose contact it is, is the agent who called.
        agent=event.agent if event.direction == "outbound" else None,
    )
    if event.leg and record.working is not None:
        _comes(record, record.working, event.leg, event.agent, "agent", event.at)
    return record


def _take(record: Record, event: Any) -> None:
    if isinstance(event, e.Recorded):
        record.recording = event.path
        return
    if isinstance(event, e.ResultNoted):
        record.disposition = event.disposition
        return
    working = record.working
    if working is None:
        return
    match event:
        case e.Queued():
            if record.queued_at is None:
                record.queued_at = event.at
                record.estimate_s = event.estimate
            if record.answered_at is None:
                record.queue = event.queue
        case e.Overflowed():
            if record.answered_at is None:
                record.queue = event.queue
        case e.OfferMade():
            if record.offered_at is None:
                record.offered_at = event.at
            working.offers[event.leg] = (event.agent, event.queue)
        case e.OfferEnded():
            working.offers.pop(event.leg, None)
        case e.Connected():
            agent, queue = working.offers.pop(event.leg, (None, None))
            if record.answered_at is None:
                record.answered_at = event.at
                record.agent = record.agent or agent
                record.queue = queue or record.queue
            working.talking = event.at
            if event.leg != record.id:  # else the customer, whom an agent has called
                _comes(record, working, event.leg, agent, "agent", event.at)
        case e.Reached():
            working.offers.pop(event.leg, None)
            if event.leg != record.id:
                _comes(record, working, event.leg, event.agent, "agent", event.at)
        case e.PartyRung():
            working.asked[event.leg] = event.agent, event.mode or event.role
        case e.PartyAnswered():
            agent, role = working.asked.pop(event.leg, (None, "member"))
            _comes(record, working, event.leg, agent, role, event.at)
        case e.RoleChanged():
            _goes(record, working, event.leg, event.at)
            if event.leg not in working.asked:
                _comes(record, working, event.leg, event.agent, event.mode or event.role, event.at)
            else:
                working.asked[event.leg] = event.agent, event.mode or event.role
        case e.PartyLeft():
            working.asked.pop(event.leg, None)
            _goes(record, working, event.leg, event.at)
        case e.HandedOver():
            agent, _ = working.asked.pop(event.leg, (None, ""))
            working.offers[event.leg] = agent, None
            _talk_over(record, working, event.at)
            _all_go(record, working, event.at)
        case e.MusicBegan():
            if record.answered_at is None:
                record.answered_at = event.at
            working.talking = event.at
        case e.FlowEntered():
            record.flow = record.flow or event.flow
        case e.NodeEntered():
            if working.node is not None and event.exit and len(record.path) < PATH_KEPT:
                record.path.append((*working.node, event.exit))
            working.node = event.flow, event.node
        case e.Held():
            # In a conference the others go on with the customer: nobody is on hold.
            if not any(record.segments[place].role in ("member", "barge") for place in working.legs.values()):
                working.held = event.at
        case e.Resumed():
            _hold_over(record, working, event.at)
        case e.Released():
            _talk_over(record, working, event.at)
            _all_go(record, working, event.at)
        case e.WrapUpBegan():
            working.wraps[event.agent] = event.at
        case e.WrapUpEnded():
            since = working.wraps.pop(event.agent, None)
            if since is not None:
                record.wrap_up_s = (record.wrap_up_s or 0.0) + max(event.at - since, 0.0)
            _settle(record, working)
        case e.ContactEnded():
            _talk_over(record, working, event.at)
            _all_go(record, working, event.at)
            record.ended_at = event.at
            record.outcome = event.outcome
            _settle(record, working)


def _comes(record: Record, working: Working, leg: str, agent: str | None, role: str, at: float) -> None:
    working.legs[leg] = len(record.segments)
    record.segments.append(Segment(agent, role, at))


def _goes(record: Record, working: Working, leg: str, at: float) -> None:
    place = working.legs.pop(leg, None)
    if place is not None:
        record.segments[place].until = at


def _all_go(record: Record, working: Working, at: float) -> None:
    for leg in list(working.legs):
        _goes(record, working, leg, at)


def _hold_over(record: Record, working: Working, at: float) -> None:
    if working.held is not None:
        record.hold_s += max(at - working.held, 0.0)
        working.held = None


def _talk_over(record: Record, working: Working, at: float) -> None:
    _hold_over(record, working, at)
    if working.talking is not None:
        record.talk_s += max(at - working.talking, 0.0)
        working.talking = None


def _settle(record: Record, working: Working) -> None:
    if record.ended_at is not None and not working.wraps:
        record.working = None


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
        "to": (address or None) if record.direction == "outbound" else record.dialled,
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
    "path",
    "segments",
    "working",
)
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
_decode_path = msgspec.json.Decoder(list[tuple[str, str, str]]).decode
_decode_segments = msgspec.json.Decoder(list[Segment]).decode


def _to_columns(record: Record) -> list[object]:
    values: list[object] = [getattr(record, name) for name in COLUMNS[:-3]]
    working = None if record.working is None else _encode(record.working).decode()
    return [*values, _encode(record.path).decode(), _encode(record.segments).decode(), working]


def from_columns(values: Any) -> Record:
    """A record out of the values of `COLUMNS`."""
    named = dict(zip(COLUMNS, values, strict=True))
    working, segments, path = named.pop("working"), named.pop("segments"), named.pop("path")
    return Record(
        **named,
        path=_decode_path(path),
        segments=_decode_segments(segments),
        working=None if working is None else _decode(working),
    )
