"""Notes about contacts and customers, and the drafts of agents. Personal data: erased with the customer."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from centrala.customers.values import MAX_NOTE, CustomerError, Draft, Note, new_id, text

DRAFTS_KEPT = 30 * 86400.0
"Seconds after which a draft that was never sent is thrown away."
_COLUMNS = "id, customer, contact, author, text, at"


def put(
    db: sqlite3.Connection,
    tenant: str,
    customer: str | None,
    contact: str | None,
    author: str,
    words: str,
    now: float,
) -> Note:
    note = Note(new_id(), customer, contact, author, text(words, "text", MAX_NOTE, lines=True), now)
    db.execute(
        "INSERT INTO customers_notes VALUES (?, ?, ?, ?, ?, ?, ?)",
        (tenant, note.id, customer, contact, author, note.text, now),
    )
    return note


def of_contacts(db: sqlite3.Connection, tenant: str, contacts: Sequence[str]) -> dict[str, list[Note]]:
    """Contact → its notes, oldest first; contacts without notes are left out."""
    found: dict[str, list[Note]] = {}
    for start in range(0, len(contacts), 500):
        part = contacts[start : start + 500]
        for row in db.execute(
            f"SELECT {_COLUMNS} FROM customers_notes WHERE tenant = ? AND contact IN"
            f" ({', '.join('?' * len(part))}) ORDER BY at, id",
            (tenant, *part),
        ):
            note = Note(*row)
            found.setdefault(note.contact or "", []).append(note)
    return found


def of_customer(
    db: sqlite3.Connection, tenant: str, ids: Sequence[str], before: tuple[float, str], limit: int
) -> list[Note]:
    """Free notes about a customer, newest first."""
    found = db.execute(
        f"SELECT {_COLUMNS} FROM customers_notes WHERE tenant = ? AND customer IN ({', '.join('?' * len(ids))})"
        " AND contact IS NULL AND (at, id) < (?, ?) ORDER BY at DESC, id DESC LIMIT ?",
        (tenant, *ids, *before, limit),
    )
    return [Note(*row) for row in found]


def drop(db: sqlite3.Connection, tenant: str, ids: Sequence[str], note: str, author: str | None) -> Note:
    """Raises CustomerError NOT-FOUND."""
    found = db.execute(
        f"SELECT {_COLUMNS} FROM customers_notes WHERE tenant = ? AND id = ? AND customer IN"
        f" ({', '.join('?' * len(ids))})",
        (tenant, note, *ids),
    ).fetchone()
    if found is None or author not in (None, found[3]):
        raise CustomerError("NOT-FOUND", "There is no such note of this customer, or it isn't yours.")
    db.execute("DELETE FROM customers_notes WHERE tenant = ? AND id = ?", (tenant, note))
    return Note(*found)


def put_draft(
    db: sqlite3.Connection, tenant: str, agent: str, contact: str, values: dict[str, Any], now: float
) -> Draft:
    words = values.get("note")
    # A draft is what somebody is typing: spaces at its end are theirs.
    words = None if not words else str(words)[:MAX_NOTE].encode("utf-8", "replace").decode()
    draft = Draft(values.get("disposition") or None, words, now)
    db.execute(
        "INSERT OR REPLACE INTO customers_drafts VALUES (?, ?, ?, ?, ?, ?)",
        (tenant, agent, contact, draft.disposition, draft.note, now),
    )
    db.execute(
        "DELETE FROM customers_drafts WHERE tenant = ? AND agent = ? AND at < ?",
        (tenant, agent, now - DRAFTS_KEPT),
    )
    return draft


def draft(db: sqlite3.Connection, tenant: str, agent: str, contact: str) -> Draft | None:
    found = db.execute(
        "SELECT disposition, note, at FROM customers_drafts WHERE tenant = ? AND agent = ? AND contact = ?",
        (tenant, agent, contact),
    ).fetchone()
    return None if found is None else Draft(*found)


def drop_draft(db: sqlite3.Connection, tenant: str, agent: str, contact: str) -> None:
    db.execute(
        "DELETE FROM customers_drafts WHERE tenant = ? AND agent = ? AND contact = ?",
        (tenant, agent, contact),
    )
