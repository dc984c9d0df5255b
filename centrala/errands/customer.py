"""The errand that asks who calls: the customer's card and what they had with us before, by the caller's number."""

import asyncio
import functools
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from centrala.core.private import Value
from centrala.customers import Customers, normal
from centrala.customers.numbers import spellings, withheld
from centrala.errands.order import Exit, Failed, Order, Result, plain
from centrala.ledger import DataFolderError, LedgerUnavailable
from centrala.ledger.schema import open_to_read

COUNTED = 1000
"Earlier contacts that are counted; more are this many."
LATEST = 20
"Of them that are looked at for who talked last."

Country = Callable[[str], str | None]
"Tenant → whose national numbers are meant."


class Callers:
    """The kind `customer`. `close` ends it.

    Gives INTO.known, .withheld, .number, .several (cards with this number, of which none is chosen), .contacts (earlier
    ones), .last_at (unix seconds), .last_agent; and of a known customer .id, .name, .kind, .language, .company, .badges
    (with commas between) and .custom.KEY.
    """

    def __init__(self, data: Path, customers: Customers, country: Country) -> None:
        self._data = data
        self._customers = customers
        self._country = country
        self._db: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="callers")

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    async def __call__(self, order: Order) -> Result:
        loop = asyncio.get_running_loop()
        ask = functools.partial(self._find, order.tenant, order.contact, order.into or "customer")
        try:
            return await loop.run_in_executor(self._threads, ask)
        except (LedgerUnavailable, DataFolderError, sqlite3.Error) as problem:
            raise Failed("UNREADABLE", f"the customers can't be read now ({problem})") from None

    def _find(self, tenant: str, contact: str, into: str) -> Result:
        address = self.address(tenant, contact)
        hidden = withheld(address)
        values: dict[str, Value] = {"known": False, "withheld": hidden, "several": 0, "contacts": 0}
        number = None
        if address is not None and not hidden:
            number = normal(address, self._country(tenant)) or address
            values["number"] = number
        briefs = self._customers.brief_of_contact(tenant, contact, address)
        values["several"] = len(briefs)
        phones = [number] if number else []
        # Several with one number are chosen from by a person, never by us.
        if len(briefs) == 1:
            brief = briefs[0]
            values |= {
                "known": True,
                "id": brief.id,
                "name": brief.name,
                "kind": brief.kind,
                "language": brief.language,
                "company": brief.company,
                "badges": ",".join(brief.badges),
            }
            card = self._customers.get(tenant, brief.id)
            if card is not None:
                values |= {one: value for one, value in card.doc.items() if one.startswith("custom.")}
                for _, one in card.identities("phone"):
                    key = normal(one["value"], self._country(tenant))
                    if key is not None and key not in phones:
                        phones.append(key)
        values |= self._before(tenant, contact, phones)
        found: Exit = "found" if values["known"] else "unknown"
        return Result(found, {f"{into}.{name}": plain(value) for name, value in values.items()})

    def address(self, tenant: str, contact: str) -> str | None:
        """The number that a contact came from, as the channel had it. Called in a thread."""
        row = self._rows("SELECT address FROM parties WHERE tenant = ? AND id = ?", (tenant, contact))
        return str(row[0][0]) if row and row[0][0] is not None else None

    def _before(self, tenant: str, contact: str, phones: Sequence[str]) -> dict[str, Value]:
        country = self._country(tenant)
        addresses = list(dict.fromkeys(one for key in phones for one in spellings(key, country)))
        count = 0
        last: list[tuple[float, str | None]] = []
        for address in addresses:  # one by one: each is a walk along the index, however often they called
            place = (tenant, address, contact)
            theirs = "FROM parties WHERE tenant = ? AND address = ? AND id != ?"
            count += self._rows(f"SELECT count(*) FROM (SELECT 1 {theirs} LIMIT {COUNTED})", place)[0][0]
            last += self._rows(
                f"SELECT r.arrived_at, r.agent FROM (SELECT id {theirs} ORDER BY at DESC LIMIT {LATEST}) p"
                " JOIN records r ON r.tenant = ? AND r.id = p.id",
                (*place, tenant),
            )
        if not count:
            return {}
        last.sort(key=lambda one: one[0], reverse=True)
        agent = next((one[1] for one in last if one[1]), None)
        at = last[0][0] if last else None
        return {"contacts": min(count, COUNTED), "last_at": at, "last_agent": agent}

    def _rows(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._db is None:
                self._db = open_to_read(self._data)
            return self._db.execute(sql, tuple(values)).fetchall()
