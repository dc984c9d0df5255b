"""Tables of the data folder's database, and the way from an older version to this one."""

import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from centrala.ledger.errors import DataFolderError

log = logging.getLogger(__name__)

DATA_VERSION = 4
"Kept in `PRAGMA user_version`."

APPLICATION_ID = 0x43454E54
"'CENT', kept in `PRAGMA application_id`: a database of another program is never touched."

FILE = "ledger.db"

VERSION_1 = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE log(
    tenant TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, contact TEXT, actor TEXT,
    kind TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, caused_by INTEGER,
    PRIMARY KEY(tenant, seq)
) WITHOUT ROWID;
CREATE INDEX log_contact ON log(contact) WHERE contact IS NOT NULL;
CREATE TABLE snapshots(
    tenant TEXT NOT NULL, seq INTEGER NOT NULL, version INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(tenant, seq)
);
CREATE TABLE dialogs(leg TEXT PRIMARY KEY, tenant TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE parties(
    tenant TEXT NOT NULL, id TEXT NOT NULL, address TEXT, display TEXT, at REAL NOT NULL,
    PRIMARY KEY(tenant, id)
) WITHOUT ROWID;
CREATE TABLE records(
    tenant TEXT NOT NULL, id TEXT NOT NULL, medium TEXT NOT NULL, direction TEXT NOT NULL, party TEXT NOT NULL,
    dialled TEXT NOT NULL, caller TEXT, queue TEXT, arrived_at REAL NOT NULL, queued_at REAL, offered_at REAL,
    answered_at REAL, ended_at REAL, talk_s REAL NOT NULL, hold_s REAL NOT NULL, wrap_up_s REAL, outcome TEXT,
    agent TEXT, recording TEXT, working TEXT,
    PRIMARY KEY(tenant, id, arrived_at)
) WITHOUT ROWID;
CREATE INDEX records_arrived ON records(arrived_at, tenant, id);
CREATE TABLE projections(name TEXT NOT NULL, tenant TEXT NOT NULL, last_seq INTEGER NOT NULL,
    PRIMARY KEY(name, tenant)
) WITHOUT ROWID;
"""

VERSION_2 = """
ALTER TABLE records ADD COLUMN disposition TEXT;
ALTER TABLE records ADD COLUMN segments TEXT NOT NULL DEFAULT '[]'
"""

VERSION_3 = """
CREATE TABLE privates(
    tenant TEXT NOT NULL, ref TEXT NOT NULL, contact TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY(tenant, ref)
) WITHOUT ROWID;
CREATE INDEX privates_contact ON privates(tenant, contact);
ALTER TABLE records ADD COLUMN estimate_s REAL;
ALTER TABLE records ADD COLUMN flow TEXT;
ALTER TABLE records ADD COLUMN path TEXT NOT NULL DEFAULT '[]'
"""

VERSION_4 = """
ALTER TABLE records ADD COLUMN origin TEXT;
ALTER TABLE records ADD COLUMN waiting_since REAL;
ALTER TABLE records ADD COLUMN due_at REAL;
ALTER TABLE records ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN answers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE records ADD COLUMN gaps TEXT NOT NULL DEFAULT '[]';
ALTER TABLE records ADD COLUMN escalations TEXT NOT NULL DEFAULT '[]'
"""

Step = Callable[[sqlite3.Connection], None]


def script(db: sqlite3.Connection, text: str) -> None:
    """Run statements one by one. `executescript` would commit the transaction that we are in."""
    for statement in text.split(";"):
        if statement.strip():
            db.execute(statement)


UPGRADES: dict[int, Step] = {
    0: lambda db: script(db, VERSION_1),
    1: lambda db: script(db, VERSION_2),
    2: lambda db: script(db, VERSION_3),
    3: lambda db: script(db, VERSION_4),
}
"Version → what makes a folder of this version one of the next. Version 0 is an empty file. Never edit a published one."


def upgrade(
    db: sqlite3.Connection, have: int, *, to: int = DATA_VERSION, steps: Mapping[int, Step] = UPGRADES
) -> None:
    """Bring the database from version `have` to version `to`: all steps, or none of them."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for version in range(have, to):
            steps[version](db)
        db.execute(f"PRAGMA user_version = {to}")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def version_of(db: sqlite3.Connection, path: Path) -> int:
    """The database's version. Raises DataFolderError for a newer one, and for a foreign one."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    owner = int(db.execute("PRAGMA application_id").fetchone()[0])
    empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if (version, owner) == (0, 0) and empty:
        return 0
    if owner != APPLICATION_ID:
        raise DataFolderError(
            f"{path} is a database of another program: choose another data folder with --data."
        )
    if version > DATA_VERSION:
        raise DataFolderError(
            f"The data folder {path.parent} is of version {version}, and this Centrala knows versions up to"
            f" {DATA_VERSION}: install the newer Centrala that wrote it."
        )
    return version


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Make the database one of this version: create it, upgrade it, or leave it as it is."""
    version = version_of(db, path)
    if version < DATA_VERSION:
        upgrade(db, version)


def keep_private(data: Path) -> None:
    """Take everybody else's rights off a data folder: numbers, notes and voices lie in it.

    For a folder whose ledger was just opened. One that belongs to somebody else, or is shared by all (sticky, as /tmp
    is), is left as it is; that, and what fails, is said in the log.
    """
    try:
        found = data.stat()
        if not found.st_mode & 0o077:
            return
        if found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
            log.warning("the data folder may be looked into by others on this machine: give it mode 0700")
            return
        data.chmod(0o700)
        log.info("the data folder has mode 0700 now: others on this machine could look into it")
    except OSError as problem:
        log.warning("the data folder's rights can't be set (%s)", problem.strerror)


def open_to_read(data: Path) -> sqlite3.Connection:
    """A connection that writes nothing and needs no lock: works while a centre runs on the folder.

    Raises DataFolderError when there is no ledger of this version to be read.
    """
    path = data / FILE
    try:
        there = path.is_file()
    except OSError as problem:
        raise DataFolderError(
            f"The ledger {path} can't be read ({problem.strerror}): run this as the user of the centre."
        ) from problem
    if not there:
        raise DataFolderError(f"There is no ledger in {data}: check the data folder given with --data.")
    try:
        db = _read_only(path, "mode=ro")
        try:
            version = version_of(db, path)
        except sqlite3.OperationalError:
            # A folder that may not be written gives SQLite no room for its shared memory. Nobody writes there.
            db.close()
            log = Path(f"{path}-wal")
            if log.exists() and log.stat().st_size:
                raise
            db = _read_only(path, "mode=ro&immutable=1")
            version = version_of(db, path)
    except sqlite3.Error as problem:
        raise DataFolderError(
            f"The ledger {path} can't be read ({problem}): check its permissions, or restore the last backup."
        ) from problem
    if version < DATA_VERSION:
        db.close()
        raise DataFolderError(
            f"The data folder {data} is of the older version {version}: start `centrala serve` on it once,"
            " which upgrades it."
        )
    return db


def _read_only(path: Path, query: str) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?{query}", uri=True, isolation_level=None, check_same_thread=False
    )
    db.execute("PRAGMA busy_timeout = 5000")
    return db
