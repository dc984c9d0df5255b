"""The two connections that customers are kept over, each behind its lock."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from centrala.ledger import LedgerUnavailable


class Connections:
    """One to write and one to read, so that looking up a caller never waits for somebody who writes."""

    def __init__(self, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._write_lock = threading.RLock()
        self._read_lock = threading.RLock()
        self.watchers: list[Callable[[str, str], None]] = []
        "Told (tenant, customer) after each write, in the thread that wrote."

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._writer.close()
            self._reader.close()

    def _wrote(self, tenant: str, customer: str) -> None:
        for watcher in self.watchers:
            watcher(tenant, customer)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock:
            try:
                self._reader.execute("BEGIN")
                try:
                    yield self._reader
                finally:
                    self._reader.execute("ROLLBACK")
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"The customers can't be read now ({problem}).") from problem

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._write_lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                finally:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"The customers can't be written now ({problem}).") from problem
