"""Bring a tenant back: the newest snapshot, `evolve` over the events since, and the commands left undone."""

import logging
import sqlite3
import zlib
from dataclasses import dataclass

import msgspec

from centrala.core.centre import evolve
from centrala.core.commands import Command
from centrala.core.indexes import rebuild
from centrala.core.state import Centre
from centrala.ledger import codec
from centrala.ledger.errors import DataFolderError
from centrala.ledger.log import DONE, Log, Waiting

logger = logging.getLogger(__name__)

SNAPSHOT_ROWS = 20_000
"A snapshot is due after so many rows: replaying them takes some tenths of a second."


@dataclass(frozen=True, slots=True)
class Recovered:
    centre: Centre
    last_seq: int
    "Of the tenant's last committed row; 0 when there is none."
    pending: list[tuple[int, Command]]
    "Commands that were written down and may not have been carried out, in order, by seq."


@dataclass(frozen=True, slots=True)
class Stored:
    """The body of a snapshot."""

    centre: Centre
    pending: dict[int, tuple[str, int, str]]
    "Seq → (kind, version, body) of a command without a done-mark."


def snapshot(log: Log, tenant: str, centre: Centre) -> None:
    """Take a picture of the tenant's state, with all rows numbered so far in it. To be called on the event loop.

    It is written by the append that commits the last of these rows, or by the next one, or by `close`: a snapshot is
    never ahead of its log.
    """
    seq = log.next_seq(tenant) - 1
    if seq == 0:
        return
    body = codec.encode_body(Stored(centre, log.pending.get(tenant, {})))
    version = codec.VERSIONS.get(codec.SNAPSHOT, 1)
    log.waiting.append(Waiting(tenant, seq, version, zlib.crc32(body), body))
    log.snapshotted[tenant] = seq


def snapshot_due(log: Log, tenant: str) -> bool:
    """Whether enough rows have come since the last snapshot. Always take one at a clean stop too."""
    return log.next_seq(tenant) - 1 - log.snapshotted.get(tenant, 0) >= SNAPSHOT_ROWS


def recover(log: Log, tenant: str) -> Recovered:
    """The tenant's state after its last committed row. Decides nothing: old calls stay as they were decided.

    Raises DataFolderError when a row can't be read or applied (UnknownKind when a newer Centrala wrote it),
    LedgerUnavailable when the disk doesn't answer now.
    """
    with log.reading() as db, codec.private_of(db, tenant):
        last = codec.last_seq(db, tenant)
        centre, pending, seq = _newest_snapshot(db, tenant, last)
        log.snapshotted[tenant] = seq
        # By name, commands, done-marks and events sort before facts, which replay doesn't need.
        tail = db.execute(
            "SELECT seq, kind, version, body FROM log WHERE tenant = ? AND seq > ? AND kind < 'fact.' ORDER BY seq",
            (tenant, seq),
        )
        for row_seq, kind, version, body in tail:
            where = f"Row {row_seq} of tenant {tenant}"
            if kind.startswith("event."):
                event = codec.decode(kind, version, body, where)
                try:
                    evolve(centre, event)
                except (LookupError, AssertionError, ValueError, AttributeError) as problem:
                    raise DataFolderError(
                        f"{where} ({kind}) in {log.path} doesn't fit what came before it ({problem!r}):"
                        " restore the last backup."
                    ) from problem
            elif kind == DONE:
                for one in msgspec.json.decode(body, type=list[int]):
                    pending.pop(one, None)
            else:
                pending[row_seq] = (kind, version, body)
        commands = [
            (seq, codec.decode(*pending[seq], f"Row {seq} of tenant {tenant}")) for seq in sorted(pending)
        ]
    log.pending.setdefault(tenant, pending)
    return Recovered(centre, last, commands)


def _newest_snapshot(
    db: sqlite3.Connection, tenant: str, last: int
) -> tuple[Centre, dict[int, tuple[str, int, str]], int]:
    current = codec.VERSIONS.get(codec.SNAPSHOT, 1)
    kept = db.execute(
        "SELECT seq, version, crc, body FROM snapshots WHERE tenant = ? AND seq <= ? ORDER BY seq DESC",
        (tenant, last),
    )
    for seq, version, crc, body in kept:
        if version > current:
            raise codec.UnknownKind(codec.newer(f"A row of tenant {tenant}", codec.SNAPSHOT, version))
        try:
            if zlib.crc32(body) != crc:
                raise ValueError("wrong check sum")
            if version < current:
                raw = codec.upcast(codec.SNAPSHOT, version, current, msgspec.json.decode(body))
                body = msgspec.json.encode(raw)
            stored = codec.decode_body(body, Stored)
            rebuild(stored.centre)
        except (msgspec.DecodeError, ValueError, LookupError, TypeError) as problem:
            logger.warning(
                "tenant %s: the snapshot at row %d is broken (%s); starting from an older one",
                tenant,
                seq,
                problem,
            )
            continue
        return stored.centre, dict(stored.pending), seq
    return Centre(), {}, 0


def centre_before(db: sqlite3.Connection, tenant: str, seq: int) -> Centre | None:
    """The tenant's state as it was before row `seq`; None when the log doesn't reach back that far any more.

    Raises DataFolderError as `recover` does.
    """
    centre, _, known = _newest_snapshot(db, tenant, seq - 1)
    rows = db.execute(
        "SELECT seq, kind, version, body FROM log WHERE tenant = ? AND seq > ? AND seq < ?"
        " AND kind >= 'event.' AND kind < 'fact.' ORDER BY seq",
        (tenant, known, seq),
    )
    for row_seq, kind, version, body in rows:
        try:
            evolve(centre, codec.decode(kind, version, body, f"Row {row_seq} of tenant {tenant}"))
        except (LookupError, AssertionError, ValueError, AttributeError):
            return None  # across a gap, state can only be had from a later snapshot
    return centre
