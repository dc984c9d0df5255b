"""Tables of other rooms in the ledger's database: on connections of their own, with versions of their own."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from centrala.ledger.errors import DataFolderError, LedgerUnavailable
from centrala.ledger.log import open_log
from centrala.ledger.schema import FILE, script, version_of


def connect(
    data: Path, room: str, steps: Sequence[str], *, called: str, always: str = ""
) -> sqlite3.Connection:
    """A connection with the tables of a room (`people`, `customers`) made; a folder without a ledger gets one.

    `steps[n]` is what makes version n + 1 of version n; never edit a published one. `always` runs each time. `called`
    is what problems call them ("The users"). Raises DataFolderError with a sentence. Works while a centre runs.
    """
    path = data / FILE
    if not path.exists():
        open_log(data).close()
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as problem:
        raise _unreadable(called, path, problem) from problem
    try:
        db.execute("PRAGMA busy_timeout = 5000")
        db.execute("PRAGMA synchronous = FULL")
        if version_of(db, path) == 0:
            raise DataFolderError(f"{path} is no ledger yet: start `centrala serve` on this folder once.")
        _prepare(db, path, room, steps, called, always)
    except sqlite3.Error as problem:
        db.close()
        raise _unreadable(called, path, problem) from problem
    except BaseException:
        db.close()
        raise
    return db


class Tables:
    """The tables of a room: one connection for all threads, behind a lock."""

    def __init__(self, db: sqlite3.Connection, called: str) -> None:
        self._db = db
        self._called = called
        self._lock = threading.RLock()

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for reading. Raises LedgerUnavailable with a sentence."""
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"{self._called} can't be read now ({problem}).") from problem

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The same in one transaction: all of it, or nothing."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                finally:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"{self._called} can't be written now ({problem}).") from problem


def _prepare(
    db: sqlite3.Connection, path: Path, room: str, steps: Sequence[str], called: str, always: str
) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        found = db.execute("SELECT value FROM meta WHERE name = ?", (room,)).fetchone()
        version = int(found[0]) if found else 0
        if version > len(steps):
            raise DataFolderError(
                f"{called} in {path} are of version {version}, and this Centrala knows versions up to"
                f" {len(steps)}: install the newer Centrala that wrote them."
            )
        for step in steps[version:]:
            script(db, step)
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (room, str(len(steps))))
        if always:
            db.execute(always)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _unreadable(called: str, path: Path, problem: sqlite3.Error) -> DataFolderError:
    return DataFolderError(f"{called} in {path} can't be read ({problem}): check the folder.")
