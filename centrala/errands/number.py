"""The errand that asks whether a number may be called: what somebody typed, or the number that they call from."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from centrala.customers.numbers import callable_as, inland
from centrala.errands.order import Failed, Order, Result
from centrala.ledger import DataFolderError
from centrala.ledger.schema import open_to_read

Rule = Callable[[str], tuple[str | None, tuple[str, ...]]]
"Tenant → (its country, whose numbers it takes besides)."

SHOWN = 3
"Digits by which a caller knows the number again."


class Numbers:
    """The kind `number`. `close` ends it.

    Takes the argument `number`; without it the number that the contact came from is meant. Gives INTO.number (E.164),
    INTO.spoken (its digits without the country's code) and INTO.last (the last of them), or INTO.problem: withheld,
    wrong, short, premium or foreign.
    """

    def __init__(self, data: Path, rule: Rule) -> None:
        self._data = data
        self._rule = rule
        self._db: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="numbers")

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    async def __call__(self, order: Order) -> Result:
        loop = asyncio.get_running_loop()
        into = order.into or "number"
        typed: str | None = order.arguments.get("number", "")
        if not typed:
            try:
                typed = await loop.run_in_executor(self._threads, self._own, order.tenant, order.contact)
            except (DataFolderError, sqlite3.Error) as problem:
                raise Failed("UNREADABLE", f"the caller's number can't be read now ({problem})") from None
        # The plans of all countries take some tenths of a second to be read, the first time.
        return await loop.run_in_executor(self._threads, self._judged, order.tenant, typed, into)

    def _judged(self, tenant: str, typed: str | None, into: str) -> Result:
        country, others = self._rule(tenant)
        number, problem = callable_as(typed, country, others)
        if problem is not None:
            return Result("unknown", {f"{into}.problem": problem})
        spoken = inland(number)
        return Result(
            "found", {f"{into}.number": number, f"{into}.spoken": spoken, f"{into}.last": spoken[-SHOWN:]}
        )

    def _own(self, tenant: str, contact: str) -> str | None:
        with self._lock:
            if self._db is None:
                self._db = open_to_read(self._data)
            row = self._db.execute(
                "SELECT address FROM parties WHERE tenant = ? AND id = ?", (tenant, contact)
            ).fetchone()
        return None if row is None else row[0]
