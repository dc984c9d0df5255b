"""Customers as rows: read, written, and drawn into the tables that make looking up quick. Every function takes a
connection; whoever writes has a transaction open."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from centrala.customers import words
from centrala.customers.values import (
    Change,
    Conflict,
    Customer,
    CustomerError,
    Declared,
    Doc,
    key_of,
    promises_of,
    sort_of,
)

_COLUMNS = "tenant, id, kind, version, body, made_at, changed_at, merged_into"
_MERGES = 20


def dumped(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _customer(row: Sequence[Any]) -> Customer:
    tenant, name, kind, version, body, made_at, changed_at, merged_into = row
    return Customer(tenant, name, kind, version, json.loads(body), made_at, changed_at, merged_into)


def load(db: sqlite3.Connection, tenant: str, name: str) -> Customer | None:
    """The customer of exactly this id, also one that was merged into another."""
    found = db.execute(
        f"SELECT {_COLUMNS} FROM customers WHERE tenant = ? AND id = ?", (tenant, name)
    ).fetchone()
    return None if found is None else _customer(found)


def current(db: sqlite3.Connection, tenant: str, name: str) -> Customer | None:
    """The customer of this id, or the one that it was merged into."""
    for _ in range(_MERGES):
        found = load(db, tenant, name)
        if found is None or found.merged_into is None:
            return found
        name = found.merged_into
    return None


def known(db: sqlite3.Connection, tenant: str, customer: str) -> Customer:
    """The customer of this id, or the one that it was merged into. Raises CustomerError NOT-FOUND."""
    found = current(db, tenant, customer)
    if found is None:
        raise CustomerError("NOT-FOUND", "There is no such customer.")
    return found


def editable(db: sqlite3.Connection, tenant: str, name: str) -> Customer:
    """Raises CustomerError: NOT-FOUND, MERGED."""
    found = load(db, tenant, name)
    if found is None:
        raise CustomerError("NOT-FOUND", "There is no such customer.")
    if found.merged_into is not None:
        raise CustomerError("MERGED", "This customer was merged into another: open that one.")
    return found


def several(db: sqlite3.Connection, tenant: str, names: Sequence[str]) -> dict[str, Customer]:
    found: dict[str, Customer] = {}
    for start in range(0, len(names), 500):
        part = names[start : start + 500]
        marks = ", ".join("?" * len(part))
        for row in db.execute(
            f"SELECT {_COLUMNS} FROM customers WHERE tenant = ? AND id IN ({marks})", (tenant, *part)
        ):
            found[row[1]] = _customer(row)
    return found


def with_merged(db: sqlite3.Connection, tenant: str, name: str) -> list[str]:
    """The id, and those of all that were merged into it."""
    found = db.execute(
        "WITH RECURSIVE all_of(id) AS (SELECT ?2 UNION SELECT c.id FROM customers c JOIN all_of a"
        " ON c.merged_into = a.id WHERE c.tenant = ?1 AND c.merged_into IS NOT NULL) SELECT id FROM all_of",
        (tenant, name),
    )
    return [row[0] for row in found]


def companies_of(db: sqlite3.Connection, tenant: str, doc: Mapping[str, Any]) -> list[Customer]:
    """The companies that a person works for, merged ones as what they became; erased ones are left out."""
    found = (current(db, tenant, one) for one in doc.get("companies") or ())
    return list({one.id: one for one in found if one is not None}.values())


def members(db: sqlite3.Connection, tenant: str, company: str, most: int) -> list[Customer]:
    ids = with_merged(db, tenant, company)
    marks = ", ".join("?" * len(ids))
    found = db.execute(
        f"SELECT DISTINCT person FROM customers_members WHERE tenant = ? AND company IN ({marks}) LIMIT ?",
        (tenant, *ids, most),
    ).fetchall()
    return sorted(several(db, tenant, [row[0] for row in found]).values(), key=lambda one: sort_of(one.doc))


def phones(db: sqlite3.Connection, customer: Customer, beside: str = "") -> list[dict[str, Any]]:
    """The customer's telephone numbers, those left out that the user `beside` wrote into the card last."""
    found = customer.identities("phone")
    if not beside:
        return [one for _, one in found]
    last = (
        "SELECT actor FROM customers_history WHERE tenant = ? AND customer = ? AND field = ?"
        " ORDER BY id DESC LIMIT 1"
    )
    return [
        one
        for name, one in found
        if db.execute(last, (customer.tenant, customer.id, f"identity.{name}")).fetchone() != (beside,)
    ]


def declared(db: sqlite3.Connection, tenant: str) -> dict[str, Declared]:
    found = db.execute(
        "SELECT key, label, kind, choices FROM customers_fields WHERE tenant = ? ORDER BY place, key",
        (tenant,),
    )
    return {
        key: Declared(key, label, kind, tuple(json.loads(choices))) for key, label, kind, choices in found
    }


# --- writing ---


def insert(db: sqlite3.Connection, customer: Customer) -> None:
    db.execute(
        "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?)",
        (
            customer.tenant,
            customer.id,
            customer.kind,
            customer.version,
            sort_of(customer.doc),
            dumped(customer.doc),
            customer.made_at,
            customer.changed_at,
        ),
    )
    draw(db, customer)


def update(db: sqlite3.Connection, customer: Customer) -> None:
    db.execute(
        "UPDATE customers SET version = ?, sort = ?, body = ?, changed_at = ?, merged_into = ?"
        " WHERE tenant = ? AND id = ?",
        (
            customer.version,
            sort_of(customer.doc),
            dumped(customer.doc),
            customer.changed_at,
            customer.merged_into,
            customer.tenant,
            customer.id,
        ),
    )
    draw(db, customer)


def draw_again(db: sqlite3.Connection, tenant: str, names: Sequence[str]) -> None:
    for one in several(db, tenant, names).values():
        draw(db, one)


def draw(db: sqlite3.Connection, customer: Customer) -> None:
    """Bring the tables for looking up to what the customer is now."""
    tenant, name = customer.tenant, customer.id
    live = customer.merged_into is None
    keys = {
        (one["kind"], key) for _, one in customer.identities() if live and (key := key_of(one)) is not None
    }
    _bring(db, "identities", "kind, key", tenant, name, keys)
    companies = companies_of(db, tenant, customer.doc)
    # A merged person stays a member in its body, and is none here.
    _bring(
        db,
        "members",
        "company",
        tenant,
        name,
        {(one,) for one in customer.doc.get("companies") or () if live},
        "person",
    )
    found: set[str] = set()
    if live:
        doc = customer.doc
        texts = [doc[one] for one in ("given", "middle", "family", "name") if one in doc]
        found = words.names([*texts, *(one.name for one in companies)])
        for kind, key in keys:
            if kind == "phone":
                found |= words.digits(key)
            elif kind == "email":
                found |= words.mail(key)
            else:
                found |= {f"@{key.partition(':')[2][: words.MAX_WORD].lstrip('@')}"}
    _bring(db, "words", "word", tenant, name, {(one,) for one in found})
    promises = {one.row for one in promises_of(customer) if live and one.due is not None and not one.done}
    _bring(db, "promises", "promise, due, author, queue", tenant, name, promises)


def _bring(
    db: sqlite3.Connection,
    table: str,
    columns: str,
    tenant: str,
    name: str,
    wanted: Iterable[tuple[Any, ...]],
    owner: str = "customer",
) -> None:
    wanted = set(wanted)
    have = set(
        db.execute(
            f"SELECT {columns} FROM customers_{table} WHERE tenant = ? AND {owner} = ?", (tenant, name)
        )
    )
    names = columns.split(", ")
    match = " AND ".join(f"{one} = ?" for one in (*names, owner))
    db.executemany(
        f"DELETE FROM customers_{table} WHERE tenant = ? AND {match}",
        [(tenant, *one, name) for one in have - wanted],
    )
    db.executemany(
        f"INSERT INTO customers_{table}(tenant, {columns}, {owner}) VALUES ({', '.join('?' * (len(names) + 2))})",
        [(tenant, *one, name) for one in sorted(wanted - have)],
    )


# --- history ---


def remember(
    db: sqlite3.Connection,
    customer: Customer,
    at: float,
    by: str,
    field: str,
    before: object,
    after: object,
    source: str | None = None,
) -> None:
    db.execute(
        "INSERT INTO customers_history(tenant, customer, version, at, actor, field, before, after, source)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            customer.tenant,
            customer.id,
            customer.version,
            at,
            by,
            field,
            dumped(before),
            dumped(after),
            source,
        ),
    )


_HISTORY = "id, version, at, actor, field, before, after"


def change_of(row: Sequence[Any]) -> Change:
    number, version, at, by, field, before, after = row
    return Change(number, version, at, by, field, loaded(before), loaded(after))


def history(db: sqlite3.Connection, tenant: str, name: str, before: int, limit: int) -> list[Change]:
    """Newest first, below the id `before`."""
    found = db.execute(
        f"SELECT {_HISTORY} FROM customers_history WHERE tenant = ? AND customer = ? AND id < ?"
        " ORDER BY id DESC LIMIT ?",
        (tenant, name, before, limit),
    )
    return [change_of(row) for row in found]


def one_change(db: sqlite3.Connection, tenant: str, name: str, change: int) -> tuple[Change, str | None]:
    """(change, where it came from). Raises CustomerError NOT-FOUND."""
    found = db.execute(
        f"SELECT {_HISTORY}, source FROM customers_history WHERE tenant = ? AND customer = ? AND id = ?",
        (tenant, name, change),
    ).fetchone()
    if found is None:
        raise CustomerError("NOT-FOUND", "There is no such change of this customer.")
    return change_of(found[:-1]), found[-1]


def races(
    db: sqlite3.Connection, customer: Customer, version: int, wanted: Mapping[str, Any]
) -> dict[str, Conflict]:
    """Which of the wanted values meet something that others changed after `version`."""
    found: dict[str, Conflict] = {}
    if version >= customer.version:
        return found
    for field, value in wanted.items():
        row = db.execute(
            "SELECT actor, at FROM customers_history WHERE tenant = ? AND customer = ? AND version > ? AND field = ?"
            " ORDER BY id DESC LIMIT 1",
            (customer.tenant, customer.id, version, field),
        ).fetchone()
        if row is not None:
            found[field] = Conflict(value, customer.doc.get(field), row[0], row[1])
    return found


def same(field: str, one: Any, other: Any) -> bool:
    """Whether two values of a field say the same; who said it, and when, doesn't count."""
    if field.startswith("consent.") and one is not None and other is not None:
        return bool(one["allowed"] == other["allowed"])
    return bool(one == other)


def put(doc: Doc, wanted: Mapping[str, Any]) -> Doc:
    """The document with the values in it; None takes a field out."""
    return {name: value for name, value in {**doc, **wanted}.items() if value is not None}
