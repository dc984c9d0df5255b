"""A customer's contacts, out of the ledger's records: by the numbers the customer has, and by hand where that fails.

By the ledger's convention a party's id is the id of its contact, so a number leads to contacts through one index.
"""

import heapq
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from centrala.customers.values import Row
from centrala.ledger import LedgerUnavailable
from centrala.ledger.folding import Record
from centrala.ledger.records import COLUMNS, from_columns

Moment = tuple[float, str]
"(unix seconds, id): the place of a row."
LATEST: Moment = (1e18, "")
_LATEST_CONTACTS = 1000
"Of a number, that are looked at for whose they were: a company's switchboard may have very many."


def contacts(
    db: sqlite3.Connection,
    tenant: str,
    ids: Sequence[str],
    addresses: Sequence[str],
    sight: tuple[str, Sequence[object]],
    before: Moment,
    limit: int,
) -> list[Row]:
    """Contacts below `before`, newest first: those of the addresses, and those tied to one of the customers `ids`.

    `sight` is what the viewer may see, as SQL on records `r` with its values.
    """
    where, values = sight
    marks = ", ".join("?" * len(ids))
    found: list[list[Row]] = []
    for address in addresses:
        rows = db.execute(
            "SELECT p.at, p.id FROM parties p JOIN records r ON r.tenant = p.tenant AND r.id = p.id"
            f" WHERE p.tenant = ? AND p.address = ? AND (p.at, p.id) < (?, ?) AND ({where})"
            " AND NOT EXISTS (SELECT 1 FROM customers_links l WHERE l.tenant = p.tenant AND l.contact = p.id"
            f" AND l.customer NOT IN ({marks})) ORDER BY p.at DESC, p.id DESC LIMIT ?",
            (tenant, address, *before, *values, *ids, limit),
        )
        found.append([Row(*row) for row in rows])
    for one in ids:
        rows = db.execute(
            "SELECT l.at, l.contact FROM customers_links l JOIN records r ON r.tenant = l.tenant AND r.id = l.contact"
            f" WHERE l.tenant = ? AND l.customer = ? AND (l.at, l.contact) < (?, ?) AND ({where})"
            " ORDER BY l.at DESC, l.contact DESC LIMIT ?",
            (tenant, one, *before, *values, limit),
        )
        found.append([Row(*row) for row in rows])
    merged = heapq.merge(*found, key=lambda row: (row.at, row.id), reverse=True)
    return list({row.id: row for row in merged}.values())[:limit]


def records(
    db: sqlite3.Connection, tenant: str, contacts: Sequence[str]
) -> dict[str, tuple[Record, str | None]]:
    """Contact → (its record, the number as the channel had it)."""
    found: dict[str, tuple[Record, str | None]] = {}
    for start in range(0, len(contacts), 500):
        part = contacts[start : start + 500]
        for *columns, address in db.execute(
            f"SELECT {', '.join('r.' + name for name in COLUMNS)}, p.address FROM records r"
            " LEFT JOIN parties p ON p.tenant = r.tenant AND p.id = r.party"
            f" WHERE r.tenant = ? AND r.id IN ({', '.join('?' * len(part))}) ORDER BY r.arrived_at",
            (tenant, *part),
        ):
            record = from_columns(columns)
            found[record.id] = record, address
    return found


def had(
    db: sqlite3.Connection,
    tenant: str,
    ids: Sequence[str],
    addresses: Sequence[str],
    agent: str,
    beside: str = "",
) -> bool:
    """Whether this agent took part in one of the latest contacts with the customer; ties by `beside` don't count."""
    took_part = (
        "JOIN records r ON r.tenant = ?1 AND r.id = l.id WHERE r.agent = ?2 OR r.caller = ?2"
        " OR EXISTS (SELECT 1 FROM json_each(r.segments) s WHERE s.value ->> 'agent' = ?2) LIMIT 1"
    )
    tables: list[tuple[str, Sequence[str], tuple[str, ...]]] = [
        ("SELECT id FROM parties WHERE tenant = ?1 AND address = ?3 ORDER BY at DESC", addresses, ()),
        (
            "SELECT contact AS id FROM customers_links WHERE tenant = ?1 AND customer = ?3 AND actor != ?5"
            " ORDER BY at DESC",
            ids,
            (beside,),
        ),
    ]
    return any(
        db.execute(
            f"SELECT 1 FROM ({latest} LIMIT ?4) l {took_part}", (tenant, agent, one, _LATEST_CONTACTS, *more)
        ).fetchone()
        for latest, ones, more in tables
        for one in ones
    )


def everything(
    db: sqlite3.Connection, tenant: str, ids: Sequence[str], addresses: Sequence[str]
) -> Iterator[str]:
    """Ids of all contacts of the addresses, and of those tied to the customers; also such as have no record yet."""
    for address in addresses:
        for row in db.execute(
            "SELECT id FROM parties p WHERE tenant = ? AND address = ? AND NOT EXISTS (SELECT 1 FROM customers_links l"
            f" WHERE l.tenant = p.tenant AND l.contact = p.id AND l.customer NOT IN ({', '.join('?' * len(ids))}))",
            (tenant, address, *ids),
        ):
            yield row[0]
    for one in ids:
        for row in db.execute(
            "SELECT contact FROM customers_links WHERE tenant = ? AND customer = ?", (tenant, one)
        ):
            yield row[0]


def recordings(db: sqlite3.Connection, tenant: str, contacts: Sequence[str]) -> list[str]:
    """Paths of recordings, and of messages that were left in a flow, below the data folder."""
    found: list[str] = []
    for name in contacts:
        for (body,) in db.execute(
            "SELECT body FROM log WHERE contact = ? AND tenant = ? AND kind = 'fact.MessageTaken'",
            (name, tenant),
        ):
            found += [path] if (path := json.loads(body).get("path")) else []
    for start in range(0, len(contacts), 500):
        part = contacts[start : start + 500]
        found += [
            row[0]
            for row in db.execute(
                "SELECT recording FROM records WHERE tenant = ? AND recording IS NOT NULL AND id IN"
                f" ({', '.join('?' * len(part))})",
                (tenant, *part),
            )
        ]
    return found


def delete_files(data: Path, paths: Sequence[str]) -> int:
    """The number of files that were there, and aren't any more. Raises LedgerUnavailable for one that can't be."""
    deleted = 0
    root = data.resolve()
    for below in paths:
        path = (root / below).resolve()
        if not path.is_relative_to(root):
            continue
        try:
            path.unlink()
            deleted += 1
        except FileNotFoundError:
            pass
        except OSError as problem:
            raise LedgerUnavailable(f"A recording can't be deleted ({problem.strerror}).") from problem
    return deleted
