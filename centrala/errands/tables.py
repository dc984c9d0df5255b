"""Errands in tables: CSV files that people keep, looked up by one column.

A file is read into a private database of SQLite's that lies in a temporary file: a million rows take no memory to
speak of, and looking one up takes microseconds. It is read again when it changes; until that is done, and if it turns
out to be broken, the rows read before answer.
"""

import asyncio
import csv
import json
import logging
import re
import sqlite3
import threading
import time
import unicodedata
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from centrala.core.private import Value
from centrala.errands.order import MAX_TEXT, Failed, Order, Result, plain, variable
from centrala.settings.model import Table as TableSettings

log = logging.getLogger(__name__)

MAX_ROWS = 1_000_000
MAX_COLUMNS = 100
MAX_BYTES = 512 * 1024 * 1024
LOOKED_AT = 1.0
"Seconds between two looks at whether the file has changed."
WAIT_FOR_NEW = 1.0
"Seconds for which a look-up waits for a changed file; a bigger one answers from what was read before."
_PART = 2000

Stamp = tuple[int, int, int]
"(time of the last change in ns, bytes, inode): of a file that is as it was."


class Broken(Exception):
    """The file is no table, in a sentence that says where and what to do."""


class Rows:
    """A file as it was read: key → its row. Lookups and `close` from any thread."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.repeated = 0
        "Rows whose key an earlier one has: the first counts."
        self.count = 0
        self._lock = threading.Lock()
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE rows(key TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID")

    def fill(self, rows: Iterator[tuple[str, str]]) -> None:
        self._db.execute("BEGIN")
        read = 0
        while part := list(islice(rows, _PART)):
            read += len(part)
            self._db.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?)", part)
        self._db.execute("COMMIT")
        self.count = int(self._db.execute("SELECT count(*) FROM rows").fetchone()[0])
        self.repeated = read - self.count

    def find(self, key: str) -> dict[str, Value] | None:
        with self._lock:
            found = self._db.execute("SELECT body FROM rows WHERE key = ?", (key,)).fetchone()
        return None if found is None else dict(zip(self.columns, json.loads(found[0]), strict=False))

    def close(self) -> None:
        with self._lock:
            self._db.close()


def read(file: Path, key: str | None) -> Rows:
    """The rows of a CSV file in UTF-8, its first line naming the columns. Raises Broken.

    Commas, semicolons and tabs separate, whichever the first line has most of. `key` is a column; None is the first.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise Broken(f"{file.name} is bigger than {MAX_BYTES >> 20} MB; expected a smaller table")
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return _rows(file.name, lines, key)
    except UnicodeDecodeError:
        raise Broken(f"{file.name} is not UTF-8 text; save it as CSV UTF-8") from None
    except csv.Error as problem:
        raise Broken(f"{file.name} is no CSV ({problem}); expected lines of fields") from None
    except FileNotFoundError:
        raise Broken(f"there is no file {file.name}; expected the table there") from None
    except OSError as problem:
        raise Broken(f"{file.name} can't be read ({problem.strerror}); check its rights") from None


def _rows(name: str, lines: Iterator[str], key: str | None) -> Rows:
    first = next(lines, "")
    if "\x00" in first or not first.strip():
        raise Broken(f"{name}: the first line is empty; expected the names of the columns")
    separator = max(",;\t", key=first.count)
    header = next(csv.reader([first], delimiter=separator))
    while header and not header[-1].strip():  # spreadsheets write empty columns at the end
        header.pop()
    columns = tuple(column(one) for one in header)
    if len(columns) > MAX_COLUMNS:
        raise Broken(f"{name} has more than {MAX_COLUMNS} columns; expected fewer")
    for number, one in enumerate(columns):
        if not variable(f"t.{one}"):
            raise Broken(f"{name}: column {number + 1} has no name of letters and digits; give it one")
        if one in columns[:number]:
            raise Broken(f"{name}: two columns are called {one}; rename one")
    wanted = column(key) if key else columns[0]
    if wanted not in columns:
        raise Broken(f"{name} has no column {key}; expected one of {', '.join(columns[:20])}")
    found = Rows(columns)
    try:
        found.fill(_parts(name, csv.reader(lines, delimiter=separator), len(columns), columns.index(wanted)))
    except BaseException:
        found.close()
        raise
    return found


def _parts(name: str, rows: "Iterator[list[str]]", width: int, key: int) -> Iterator[tuple[str, str]]:
    count = 0
    for number, row in enumerate(rows, 2):
        if not any(row):
            continue
        if len(row) > width and any(row[width:]):
            raise Broken(
                f"{name}, row {number}: {len(row)} fields, but {width} columns; put texts with commas in quotes"
            )
        count += 1
        if count > MAX_ROWS:
            raise Broken(f"{name} has more than {MAX_ROWS} rows; expected fewer")
        row = row[:width] + [""] * (width - len(row))
        found = row[key].strip()
        if found:
            yield found, json.dumps([one.strip()[:MAX_TEXT] for one in row], ensure_ascii=False)


def column(header: str) -> str:
    """How a flow names a column: what stands between letters and digits becomes an underscore."""
    return re.sub(r"\W+", "_", unicodedata.normalize("NFC", header.strip())).strip("_")


@dataclass(slots=True)
class _Table:
    settings: TableSettings
    rows: Rows | None = None
    stamp: Stamp | None = None
    "Of the file as it was last read, broken or not."
    looked_at: float = -LOOKED_AT
    problem: str = ""
    loading: "asyncio.Task[None] | None" = field(default=None)


class Tables:
    """The kind `table`. `close` ends it."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str], _Table] = {}
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="tables")
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="tables-read")
        self._loads: set[asyncio.Task[None]] = set()

    def configure(self, tenant: str, tables: Mapping[str, TableSettings]) -> None:
        """Tables that stayed the same stay read; new ones are read at once, in the background."""
        for place in [one for one in self._tables if one[0] == tenant and one[1] not in tables]:
            self._forget(place)
        for name, settings in tables.items():
            known = self._tables.get((tenant, name))
            if known is not None and known.settings == settings:
                continue
            if known is not None:
                self._forget((tenant, name))
            self._tables[tenant, name] = table = _Table(settings)
            self._load(tenant, table)

    def _forget(self, place: tuple[str, str]) -> None:
        table = self._tables.pop(place)
        if table.rows is not None:
            self._looking.submit(table.rows.close)
            table.rows = None

    async def close(self) -> None:
        for place in list(self._tables):
            self._forget(place)
        for task in self._loads:
            task.cancel()
        await asyncio.gather(*self._loads, return_exceptions=True)
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._looking.shutdown(wait=False)

    async def __call__(self, order: Order) -> Result:
        table = self._tables.get((order.tenant, order.settings.get("table", "")))
        if table is None:
            raise Failed("NO_TABLE", "there is no table of this name in the settings")
        rows = await self._current(order.tenant, table)
        key = order.arguments.get("key", "").strip()
        if not key:
            return Result("unknown")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._looking, rows.find, key)
        except sqlite3.ProgrammingError:  # replaced while this stood in line
            again = table.rows
            found = None if again is None else await loop.run_in_executor(self._looking, again.find, key)
        if found is None:
            return Result("unknown")
        into = order.into or table.settings.id
        return Result("found", {f"{into}.{name}": plain(value) for name, value in found.items()})

    async def _current(self, tenant: str, table: _Table) -> Rows:
        now = time.monotonic()
        if table.loading is None and now >= table.looked_at + LOOKED_AT:
            table.looked_at = now
            if await asyncio.to_thread(_stamp, table.settings.file) != table.stamp and table.loading is None:
                self._load(tenant, table)
        if table.loading is not None:
            wait = None if table.rows is None else WAIT_FOR_NEW
            await asyncio.wait([table.loading], timeout=wait)
        if table.rows is None:
            raise Failed("BROKEN_TABLE", table.problem or "the table isn't read yet")
        return table.rows

    def _load(self, tenant: str, table: _Table) -> None:
        task = table.loading = asyncio.create_task(self._read(tenant, table))
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    async def _read(self, tenant: str, table: _Table) -> None:
        loop = asyncio.get_running_loop()
        file, name = table.settings.file, table.settings.id
        try:
            table.stamp = await loop.run_in_executor(self._reading, _stamp, file)
            began = time.monotonic()
            rows = await loop.run_in_executor(self._reading, read, file, table.settings.key)
        except Broken as problem:
            kept = "" if table.rows is None else "; the rows read before still answer"
            log.error("tenant %s: table %s: %s%s", tenant, name, problem, kept)
            table.problem = str(problem)
        except Exception:
            log.exception("tenant %s: table %s can't be read", tenant, name)
            table.problem = "it can't be read"
        else:
            log.info(
                "tenant %s: table %s has %d rows (%.1f s)", tenant, name, rows.count, time.monotonic() - began
            )
            if rows.repeated:
                log.warning(
                    "tenant %s: table %s: %d rows have a key that an earlier row has, and are never found",
                    tenant,
                    name,
                    rows.repeated,
                )
            before, table.problem = table.rows, ""
            if self._tables.get((tenant, name)) is table:
                table.rows = rows
            else:
                before = rows
            if before is not None:
                self._looking.submit(before.close)
        finally:
            table.loading = None


def _stamp(file: Path) -> Stamp | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
