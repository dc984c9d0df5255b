"""Forgetting a customer for good (GDPR, art. 17), in small steps: calls are written down between two of them."""

import itertools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from centrala.customers import numbers, searching, store, timeline
from centrala.customers.values import Customer, key_of

STEP = 100
"Contacts or people in one transaction."


@dataclass(frozen=True, slots=True)
class Scope:
    """What there is to forget."""

    ids: list[str]
    "The customer, and those that were merged into it."
    addresses: list[str]
    "Spellings of the numbers that are nobody else's."
    shared: int
    "Numbers that others have too."


def scope(db: sqlite3.Connection, customer: Customer, country: str | None) -> Scope:
    tenant = customer.tenant
    ids = store.with_merged(db, tenant, customer.id)
    found = Scope(ids, [], 0)
    keys = {
        key_of(one) or ""
        for person in store.several(db, tenant, ids).values()
        for _, one in person.identities("phone")
    }
    for key in sorted(keys):
        if set(searching.by_key(db, tenant, "phone", key)) - set(ids):
            found = replace(found, shared=found.shared + 1)
        else:
            found.addresses.extend(numbers.spellings(key, country))
    return found


def some_contacts(db: sqlite3.Connection, tenant: str, of: Scope) -> tuple[list[str], list[str]]:
    """(some contacts that still show who it was, paths of their recordings)."""
    every = timeline.everything(db, tenant, of.ids, of.addresses)
    contacts = list(dict.fromkeys(itertools.islice(every, STEP)))
    # A callback may have gone to another number that they typed; its id begins with that of the contact before it.
    follows = [
        row[0]
        for name in contacts
        for row in db.execute(
            "SELECT id FROM records WHERE tenant = ? AND id > ? AND id < ?", (tenant, f"{name}-", f"{name}.")
        )
    ]
    contacts = list(dict.fromkeys([*contacts, *follows]))
    return contacts, timeline.recordings(db, tenant, contacts)


def contacts(db: sqlite3.Connection, tenant: str, names: Sequence[str]) -> int:
    """Forget whom these contacts were with, and what was noted; gives the number of notes."""
    count = 0
    for name in names:
        db.execute("DELETE FROM parties WHERE tenant = ? AND id = ?", (tenant, name))
        db.execute("DELETE FROM privates WHERE tenant = ? AND contact = ?", (tenant, name))
        db.execute("DELETE FROM customers_drafts WHERE tenant = ? AND contact = ?", (tenant, name))
        db.execute("DELETE FROM customers_links WHERE tenant = ? AND contact = ?", (tenant, name))
        count += db.execute(
            "DELETE FROM customers_notes WHERE tenant = ? AND contact = ?", (tenant, name)
        ).rowcount
    return count


def some_people(db: sqlite3.Connection, tenant: str, ids: Sequence[str]) -> bool:
    """Some people work for these companies no more. False when nobody was left who did."""
    people = [one for name in ids for one in store.members(db, tenant, name, STEP)]
    for person in people[:STEP]:
        rest = [one for one in person.doc.get("companies") or () if one not in ids]
        store.update(db, replace(person, doc=store.put(person.doc, {"companies": rest or None})))
    return bool(people)


def card(db: sqlite3.Connection, tenant: str, ids: Sequence[str]) -> int:
    """Forget the cards themselves; gives the number of notes."""
    count = 0
    for one in ids:
        count += db.execute(
            "DELETE FROM customers_notes WHERE tenant = ? AND customer = ?", (tenant, one)
        ).rowcount
        for table in ("identities", "words", "promises", "history", "links"):
            db.execute(f"DELETE FROM customers_{table} WHERE tenant = ? AND customer = ?", (tenant, one))
        db.execute("DELETE FROM customers_members WHERE tenant = ? AND person = ?", (tenant, one))
        db.execute("DELETE FROM customers_members WHERE tenant = ? AND company = ?", (tenant, one))
        db.execute("DELETE FROM customers WHERE tenant = ? AND id = ?", (tenant, one))
        # What came from here into somebody it was merged with and parted from again.
        db.execute(
            "UPDATE customers_history SET before = NULL, after = NULL WHERE tenant = ? AND source = ?",
            (tenant, one),
        )
    return count


def overwrite(db: sqlite3.Connection, on: bool) -> None:
    """Whether freed pages are overwritten in any case, or only where that costs nothing."""
    db.execute(f"PRAGMA secure_delete = {'ON' if on else 'FAST'}")


def empty_the_log(db: sqlite3.Connection) -> None:
    """Calls are written down through the same lock: rather some of it stays in the write-ahead log for now."""
    db.execute("PRAGMA busy_timeout = 200")
    try:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.execute("PRAGMA busy_timeout = 5000")
