"""What can go wrong with the data folder, in sentences for people."""

import sqlite3
from pathlib import Path


class DataFolderError(Exception):
    """The data folder can't be used. One sentence: what, where, what to do. Trying again doesn't help."""


class LedgerUnavailable(Exception):
    """The ledger can't be written or read now (full disk, I/O error). Nothing was half written: try again."""


PASSING = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk gave an error",
    sqlite3.SQLITE_BUSY: "another program holds the database",
    sqlite3.SQLITE_LOCKED: "another program holds the database",
    sqlite3.SQLITE_READONLY: "it may not be written",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened",
    sqlite3.SQLITE_PERM: "permission is missing",
    sqlite3.SQLITE_NOMEM: "the memory is full",
    sqlite3.SQLITE_PROTOCOL: "another program holds the database",
}
"Primary result codes (sqlite.org/rescode.html) of what may be over a moment later."


def passing(problem: sqlite3.Error) -> str | None:
    """Why the database can't be used now, when that may pass; None when it won't by itself."""
    code = getattr(problem, "sqlite_errorcode", None)
    return None if code is None else PASSING.get(code & 0xFF)


def explained(problem: sqlite3.Error, path: Path) -> Exception:
    """The exception to raise in place of SQLite's own, for a database in use."""
    if isinstance(problem, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return problem  # a bug of ours (a closed log, say), no state of the folder
    why = passing(problem)
    if why is not None:
        return LedgerUnavailable(f"The ledger {path} can't be used now: {why} ({problem}).")
    return broken(path, str(problem))


def broken(path: Path, why: str) -> DataFolderError:
    return DataFolderError(
        f"The ledger {path} is broken: {why}. Put the folder aside and restore the last backup."
    )
