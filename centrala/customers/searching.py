"""Finding customers: by exact identity, by the beginnings of words, in pages whose cost has a bound."""

import sqlite3
from collections.abc import Sequence

from centrala.customers import numbers, words

Place = tuple[str, ...]
"Where the next page begins."

_END = "\U0010ffff"
_COUNTED = 400
_WALKED = 4000
"Rows that one page looks at. A page may be short, or empty, and still have a next one."


def by_key(db: sqlite3.Connection, tenant: str, kind: str, key: str, most: int = 50) -> list[str]:
    found = db.execute(
        "SELECT customer FROM customers_identities WHERE tenant = ? AND kind = ? AND key = ?"
        " ORDER BY customer LIMIT ?",
        (tenant, kind, key, most),
    )
    return [row[0] for row in found]


def due(
    db: sqlite3.Connection,
    tenant: str,
    authors: Sequence[str],
    queues: Sequence[str],
    until: float,
    limit: int,
) -> list[tuple[str, str]]:
    """(customer, promise) of what these people have to keep, or whoever serves these queues, the earliest first."""
    found: list[tuple[float, str, str]] = []
    for column, names, which in (("author", authors, "queue = ''"), ("queue", queues, "queue <> ''")):
        for name in names:
            found += db.execute(
                "SELECT due, customer, promise FROM customers_promises"
                f" WHERE tenant = ? AND {column} = ? AND {which} AND due < ? ORDER BY due LIMIT ?",
                (tenant, name, until, limit),
            )
    return [(customer, promise) for _, customer, promise in sorted(found)[:limit]]


def in_order(
    db: sqlite3.Connection, tenant: str, after: Place | None, limit: int
) -> tuple[list[str], Place | None]:
    """All customers by name: (ids, where the next page begins)."""
    found = db.execute(
        "SELECT sort, id FROM customers WHERE tenant = ? AND merged_into IS NULL AND (sort, id) > (?, ?)"
        " ORDER BY sort, id LIMIT ?",
        (tenant, *((after or ("", ""))[-2:]), limit + 1),
    ).fetchall()
    more = len(found) > limit
    return [row[1] for row in found[:limit]], (found[limit - 1][0], found[limit - 1][1]) if more else None


def by_words(
    db: sqlite3.Connection,
    tenant: str,
    asked: Sequence[str],
    after: Place | None,
    limit: int,
) -> tuple[list[str], Place | None]:
    """Who has, for each of `asked`, a word that begins so: (ids, where the next page begins), by word and id.

    Walks along the rarest one; a customer comes where the first of its words is met, so never twice.
    """
    if after is None:
        first = min(asked, key=lambda one: (_frequency(db, tenant, one), -len(one), one))
        word, name = first, ""
    else:
        # The way that was begun is gone on, whatever has become the rarest word meanwhile.
        first, word, name = after
    others = [one for one in asked if one != first]
    walk = "w.tenant = ? AND (w.word, w.customer) > (?, ?) AND w.word < ?"
    values: list[object] = [tenant, word, name, first + _END]
    last = db.execute(
        f"SELECT word, customer FROM customers_words w WHERE {walk} ORDER BY word, customer LIMIT 1 OFFSET ?",
        (*values, _WALKED - 1),
    ).fetchone()
    tests = [walk]
    if last is not None:
        tests.append("(w.word, w.customer) <= (?, ?)")
        values += last
    for one in others:
        tests.append(
            "EXISTS (SELECT 1 FROM customers_words e WHERE e.tenant = ? AND e.customer = w.customer"
            " AND e.word >= ? AND e.word < ?)"
        )
        values += [tenant, one, one + _END]
    tests.append(
        "NOT EXISTS (SELECT 1 FROM customers_words e WHERE e.tenant = ? AND e.customer = w.customer"
        " AND e.word >= ? AND e.word < w.word)"
    )
    values += [tenant, first]
    found = db.execute(
        f"SELECT word, customer FROM customers_words w WHERE {' AND '.join(tests)} ORDER BY word, customer LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    ids = [row[1] for row in found[:limit]]
    if len(found) > limit:
        return ids, (first, *found[limit - 1])
    return ids, None if last is None else (first, *last)


def _frequency(db: sqlite3.Connection, tenant: str, asked: str) -> int:
    """How many rows begin so, as far as it matters."""
    found = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM customers_words WHERE tenant = ? AND word >= ? AND word < ? LIMIT ?)",
        (tenant, asked, asked + _END, _COUNTED),
    ).fetchone()
    return int(found[0])


def exactly(text: str, country: str | None) -> list[tuple[str, str]]:
    """(kind, key) of what the whole question may be: a number in full, an address of mail, a handle."""
    text = text.strip()
    found: list[tuple[str, str]] = []
    number = numbers.normal(text, country)
    if number is not None and len(number) >= 3:
        found.append(("phone", number))
    if "@" in text or ":" in text:
        found += [("email", text.casefold()), ("messenger", text.casefold())]
    return found


def asked_words(text: str, country: str | None, *, numbers_too: bool) -> list[str]:
    return words.question(text, country, numbers_too=numbers_too)
