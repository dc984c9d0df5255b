"""The log: open a data folder, number rows as they arise, commit them in batches.

Two threads share a `Log`. The event loop fills a `Batch` (rows get their seqs at once, from memory) and hands it
over; the writer thread commits it by `Log.append`, in one transaction. A batch that can't be committed is kept by the
caller and given again: batches of a tenant are committed in the order in which they were filled.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from centrala.core.commands import Command
from centrala.core.events import Event
from centrala.core.facts import Fact
from centrala.ledger import codec
from centrala.ledger.codec import COLUMNS, KINDS, NOT_LOGGED, Row
from centrala.ledger.errors import DataFolderError, LedgerUnavailable, broken, explained, passing
from centrala.ledger.schema import FILE, keep_private, prepare

LOCK = "lock"

DONE = "done"
"The kind of a row whose body lists the seqs of commands carried out."

SNAPSHOTS_KEPT = 3

_CHUNKS = (256, 64, 16, 4, 1)
# One statement with many rows instead of many statements: sqlite3 takes the interpreter's lock anew after each
# statement, which under a busy event loop costs up to the switch interval (5 ms) every time.
_INSERTS = {
    size: f"INSERT INTO log({COLUMNS}) VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * size)
    for size in _CHUNKS
}

_Values = tuple[str, int, float, str | None, str | None, str, int, str, int | None]
"The columns of a `Row`; a plain tuple is made faster."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A snapshot that is written as soon as the rows it covers are."""

    tenant: str
    seq: int
    version: int
    crc: int
    body: bytes


class Batch:
    """What is committed together. Filled on the event loop; not touched any more once it is handed over."""

    __slots__ = ("_commands", "_dialogs", "_parties", "_privates", "_rows")

    def __init__(self) -> None:
        self._rows: list[_Values] = []
        self._commands: dict[str, set[int]] = {}
        self._dialogs: dict[str, tuple[str, bytes | None]] = {}
        self._parties: dict[tuple[str, str], tuple[str, str, float]] = {}
        self._privates: list[tuple[str, str, str, str]] = []
        "(tenant, reference, contact, value)"

    @property
    def empty(self) -> bool:
        return not (self._rows or self._dialogs or self._parties)

    @property
    def rows(self) -> int:
        """How many rows of the log it holds."""
        return len(self._rows)

    def step(
        self, log: "Log", tenant: str, fact: Fact, events: Sequence[Event], commands: Sequence[Command]
    ) -> list[int]:
        """Add a fact and what it led to. Gives the seqs of the commands, in order, timers left out.

        A command stays pending until `done` names its seq; a pending one is given back by `recover`.
        Raises ValueError for configuration that JSON can't carry (an infinite number); nothing is added then.
        """
        cause = seq = log.next_seq(tenant)
        at = fact.at
        name, version, contact_of, actor_of, encode = KINDS[type(fact)]
        rows: list[_Values] = [
            (tenant, seq, at, contact_of(fact), actor_of(fact), name, version, encode(fact), None)
        ]
        for event in events:
            seq += 1
            name, version, contact_of, actor_of, encode = KINDS[type(event)]
            rows.append(
                (tenant, seq, at, contact_of(event), actor_of(event), name, version, encode(event), cause)
            )
        numbered: list[int] = []
        if commands:
            pending = log.pending.setdefault(tenant, {})
            fresh = self._commands.setdefault(tenant, set())
            for command in commands:
                if type(command) in NOT_LOGGED:
                    continue
                seq += 1
                name, version, contact_of, actor_of, encode = KINDS[type(command)]
                body = encode(command)
                rows.append((tenant, seq, at, contact_of(command), None, name, version, body, cause))
                pending[seq] = (name, version, body)
                numbered.append(seq)
            fresh.update(numbered)
        self._rows += rows
        if fresh_values := codec.take_private():
            contact = next((row[3] for row in rows if row[3] is not None), "")
            self._privates += [(tenant, ref, contact, value) for ref, value in fresh_values]
        log.numbered[tenant] = seq
        return numbered

    def done(self, log: "Log", tenant: str, at: float, seqs: Sequence[int]) -> None:
        """These commands were carried out: recovery won't give them back."""
        if not seqs:
            return
        seq = log.next_seq(tenant)
        self._rows.append((tenant, seq, at, None, None, DONE, 1, codec.encode(list(seqs)), None))
        log.numbered[tenant] = seq
        pending = log.pending.setdefault(tenant, {})
        for one in seqs:
            pending.pop(one, None)

    def dialog(self, leg: str, tenant: str, value: bytes | None) -> None:
        """Store a dialog's value; None deletes it."""
        self._dialogs[leg] = (tenant, value)

    def party(self, tenant: str, party: str, address: str, display: str, at: float) -> None:
        """Keep who a party is, where it can be erased. By convention the party's id is its contact's."""
        self._parties[tenant, party] = (address, display, at)

    def commands_of(self, tenant: str) -> set[int]:
        """The seqs of the tenant's commands in this batch."""
        return self._commands.get(tenant, set())

    def followed_by(self, later: "Batch") -> "Batch":
        """Both as one batch, this one first: what couldn't be committed, and what came since."""
        both = Batch()
        both._rows = self._rows + later._rows
        both._dialogs = self._dialogs | later._dialogs
        both._parties = self._parties | later._parties
        both._privates = self._privates + later._privates
        both._commands = {
            tenant: self._commands.get(tenant, set()) | later._commands.get(tenant, set())
            for tenant in self._commands.keys() | later._commands.keys()
        }
        return both

    def drop_oldest(self, count: int) -> set[str]:
        """Give up the first rows, for want of memory. Gives the tenants whose log has a gap now.

        Each of them needs a `snapshot` at once: across a gap, recovery can only start from a later snapshot.
        """
        dropped, self._rows = self._rows[:count], self._rows[count:]
        for row in dropped:
            self._commands.get(row[0], set()).discard(row[1])
        return {row[0] for row in dropped}


class Log:
    """An open data folder. `open_log` makes one."""

    def __init__(self, data: Path, db: sqlite3.Connection, lock: int) -> None:
        self.data = data
        self.path = data / FILE
        self.numbered: dict[str, int] = {}
        "Tenant → last seq given away; event loop only."
        self.pending: dict[str, dict[int, tuple[str, int, str]]] = {}
        "Tenant → commands without a done-mark, as (kind, version, body) by seq; event loop only."
        self.waiting: list[Waiting] = []
        "Snapshots that wait for the rows they cover."
        self.snapshotted: dict[str, int] = {}
        "Tenant → seq of the last snapshot taken or loaded."
        self.projecting = threading.Lock()
        self._committed: dict[str, int] = {}
        self._db = db
        self._lock_file = lock
        self._lock = threading.RLock()

    def next_seq(self, tenant: str) -> int:
        """The seq that the tenant's next row will have. They begin with 1 and leave no gaps."""
        last = self.numbered.get(tenant)
        if last is None:
            last = self.numbered[tenant] = self._last_stored(tenant)
        return last + 1

    def append(self, batch: Batch) -> None:
        """Commit the batch: all of it, or nothing. To be called in one writer thread.

        Raises LedgerUnavailable (full disk, I/O error): keep the batch, the same may succeed later. A batch that
        turns out to have been committed in spite of an error is accepted again. Raises DataFolderError when the
        database is broken, or when somebody else wrote these rows.
        """
        try:
            self._commit(batch, batch._rows)
        except sqlite3.IntegrityError:
            self._commit(batch, self._not_yet_stored(batch._rows))

    def _commit(self, batch: Batch, rows: Sequence[_Values]) -> None:
        tops = {row[0]: row[1] for row in rows}
        due = [one for one in list(self.waiting) if one.seq <= tops.get(one.tenant, self._last(one.tenant))]
        with self.transaction() as db:
            _insert(db, rows)
            for leg, (tenant, value) in batch._dialogs.items():
                if value is None:
                    db.execute("DELETE FROM dialogs WHERE leg = ?", (codec.printable(leg),))
                else:
                    db.execute(
                        "INSERT OR REPLACE INTO dialogs VALUES (?, ?, ?)",
                        (codec.printable(leg), tenant, value),
                    )
            for (tenant, party), (address, display, at) in batch._parties.items():
                db.execute(
                    "INSERT OR REPLACE INTO parties VALUES (?, ?, ?, ?, ?)",
                    (tenant, codec.printable(party), codec.printable(address), codec.printable(display), at),
                )
            if batch._privates:
                db.executemany(
                    "INSERT OR REPLACE INTO privates VALUES (?, ?, ?, ?)",
                    [
                        (tenant, ref, codec.printable(who), value)
                        for tenant, ref, who, value in batch._privates
                    ],
                )
            _insert_snapshots(db, due)
        self._committed.update(tops)
        for one in due:
            self.waiting.remove(one)

    def _not_yet_stored(self, rows: Sequence[_Values]) -> list[_Values]:
        missing: list[_Values] = []
        with self.reading() as db:
            for row in rows:
                stored = db.execute(
                    "SELECT kind, body FROM log WHERE tenant = ? AND seq = ?", (row[0], row[1])
                ).fetchone()
                if stored is None:
                    missing.append(row)
                elif stored != (row[5], row[7]):
                    raise broken(self.path, f"row {row[1]} of tenant {row[0]} was written by somebody else")
        return missing

    def _last(self, tenant: str) -> int:
        last = self._committed.get(tenant)
        if last is None:
            last = self._committed[tenant] = self._last_stored(tenant)
        return last

    def _last_stored(self, tenant: str) -> int:
        with self.reading() as db:
            return codec.last_seq(db, tenant)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The database for writing, in one transaction; one thread at a time."""
        with self._lock:
            db = self._db
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException as problem:
                self._roll_back()
                if isinstance(problem, sqlite3.Error) and not isinstance(problem, sqlite3.IntegrityError):
                    raise explained(problem, self.path) from problem
                raise

    def _roll_back(self) -> None:
        # After some errors SQLite has rolled back by itself.
        if self._db.in_transaction:
            try:
                self._db.execute("ROLLBACK")
            except sqlite3.Error as problem:
                raise explained(problem, self.path) from problem

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The database for reading what is committed."""
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as problem:
                raise explained(problem, self.path) from problem

    def tenants(self) -> list[str]:
        """All tenants that ever had a row, by name."""
        with self.reading() as db:
            return codec.tenants(db)

    def rows(self, tenant: str, after: int = 0, limit: int = 1000) -> list[Row]:
        """Committed rows with a seq above `after`, in order."""
        with self.reading() as db:
            found = db.execute(
                f"SELECT {COLUMNS} FROM log WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?",
                (tenant, after, limit),
            )
            return [Row(*row) for row in found]

    def dialogs(self, tenant: str) -> dict[str, bytes]:
        """The stored dialogs of the tenant, by leg."""
        with self.reading() as db:
            return dict(db.execute("SELECT leg, body FROM dialogs WHERE tenant = ? ORDER BY leg", (tenant,)))

    def close(self) -> None:
        """Write the snapshots that still wait, and let the folder go. Never raises; a second time does nothing."""
        with self._lock:
            if self._lock_file < 0:
                return
            try:
                self._commit(Batch(), ())
            except (LedgerUnavailable, DataFolderError):
                pass  # a snapshot only saves time at the next start
            finally:
                self._db.close()
                os.close(self._lock_file)
                self._lock_file = -1

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _insert(db: sqlite3.Connection, rows: Sequence[_Values]) -> None:
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            chunk = rows[start : start + size]
            db.execute(_INSERTS[size], tuple(chain.from_iterable(chunk)))
            start += size


def _insert_snapshots(db: sqlite3.Connection, due: Sequence[Waiting]) -> None:
    for one in due:
        db.execute(
            "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)",
            (one.tenant, one.seq, one.version, one.crc, one.body),
        )
        db.execute(
            "DELETE FROM snapshots WHERE tenant = ?1 AND seq NOT IN"
            " (SELECT seq FROM snapshots WHERE tenant = ?1 ORDER BY seq DESC LIMIT ?2)",
            (one.tenant, SNAPSHOTS_KEPT),
        )


def open_log(data: Path) -> Log:
    """Open the data folder for a running centre: make it if need be, lock it, upgrade it; its mode becomes 0700.

    Raises DataFolderError in one sentence: in use already, no permission, no database, broken, newer, disk full.
    """
    path = data / FILE
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = take_lock(data)
    except OSError as problem:
        raise _unusable(data, problem) from problem
    try:
        path.touch(mode=0o600)  # SQLite gives its other files the rights of this one
        db = _connect(path)
        keep_private(data)
        return Log(data, db, lock)
    except OSError as problem:
        os.close(lock)
        raise _unusable(data, problem) from problem
    except sqlite3.Error as problem:
        os.close(lock)
        why = passing(problem)
        if why is None:
            raise broken(path, str(problem)) from problem
        raise DataFolderError(
            f"The ledger {path} can't be opened: {why} ({problem}). Make room or set the permissions, then start again."
        ) from problem
    except BaseException:
        os.close(lock)
        raise


def _unusable(data: Path, problem: OSError) -> DataFolderError:
    return DataFolderError(
        f"The data folder {data} can't be used ({problem.strerror}):"
        " make room, give `centrala` the right to write there, or choose another folder with --data."
    )


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        db.execute("PRAGMA busy_timeout = 5000")
        prepared = db.execute(
            "PRAGMA schema_version"
        ).fetchone()  # reads the header: a broken file shows here
        assert prepared is not None
        prepare(db, path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 67108864")
        # What is deleted (dialogs, parties) is overwritten, wherever that costs no further page.
        db.execute("PRAGMA secure_delete = FAST")
    except BaseException:
        db.close()
        raise
    return db


def take_lock(data: Path) -> int:
    """The folder's lock, as a file descriptor; closing it, or dying, lets it go. Raises DataFolderError, OSError."""
    lock = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
        os.close(lock)
        raise DataFolderError(
            f"The data folder {data} is in use by another Centrala (process {owner or 'unknown'}):"
            " stop that one, or choose another folder with --data."
        ) from None
    except OSError:
        os.close(lock)
        raise
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, b"%d\n" % os.getpid(), 0)
    except OSError:
        os.close(lock)
        raise
    return lock
