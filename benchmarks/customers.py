"""How soon a customer is found among 100,000, and what a save and a long timeline cost. In processor time.

Names are drawn with a fixed seed: 16 given names, 20,000 family names, 2,000 companies. The slowest of the questions
counts, each by its 99th percentile.
"""

import random
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from typing import Any

from centrala.customers import Customers, open_customers
from centrala.ledger.schema import FILE

COUNT = 100_000
CONTACTS = 50_000
"Of one number: a switchboard."
TENANT = "acme"
NOW = 1_800_000_000.0
GIVEN = (
    "Anna Jan Piotr Zofia Łukasz Małgorzata Michał Żaneta Krzysztof Ewa Андрей Ольга Иван Наталья Сергей Ёлка"
)
ENDINGS = ("ski", "ska", "wicz", "ak", "ова", "ев")
QUESTIONS = (
    "",
    "a",
    "anna",
    "an ko",
    "a k",
    "lukasz kow",
    "firma 12",
    "firma a",
    "+48500",
    "0037",
    "е о",
    "k@",
)


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        customers = open_customers(data, lambda tenant: "PL")
        try:
            fill(customers)
            call(data)
            return {"figures": figures(customers), "megabytes": (data / FILE).stat().st_size / 1e6}
        finally:
            customers.close()


def fill(customers: Customers) -> None:
    chance = random.Random(1)
    letters = "kowalskinzibyrstudmpeo"
    given = GIVEN.split()
    family = [
        "".join(chance.choices(letters, k=chance.randint(5, 9))) + chance.choice(ENDINGS)
        for _ in range(20_000)
    ]
    with customers.importing() as transaction:
        companies: list[str] = []
        with transaction() as db:
            for number in range(2000):
                firm = {"name": f"Firma {number} sp. z o.o."}
                companies.append(customers.add_in(db, TENANT, "company", firm, "x", NOW).id)
        for start in range(0, COUNT, 5000):
            with transaction() as db:
                for number in range(start, start + 5000):
                    name = chance.choice(family)
                    wanted: dict[str, Any] = {
                        "given": chance.choice(given),
                        "family": name,
                        "identity.p": {"kind": "phone", "value": f"+48{500_000_000 + number * 37}"},
                        "identity.m": {"kind": "email", "value": f"{name}{number}@example.com"},
                    }
                    if number % 10 == 0:
                        wanted["companies"] = [chance.choice(companies)]
                    customers.add_in(db, TENANT, "person", wanted, "x", NOW)


def call(data: Path) -> None:
    """Contacts of the first customer's number."""
    with sqlite3.connect(data / FILE) as db:
        db.executemany(
            "INSERT INTO parties VALUES (?, ?, '+48500000000', '', ?)",
            ((TENANT, f"c{one:06}", NOW + one) for one in range(CONTACTS)),
        )
        db.executemany(
            "INSERT INTO records(tenant, id, medium, direction, party, dialled, arrived_at, talk_s, hold_s, agent)"
            " VALUES (?1, ?2, 'voice', 'inbound', ?2, '100', ?3, 0, 0, 'boris')",
            ((TENANT, f"c{one:06}", NOW + one) for one in range(CONTACTS)),
        )
    db.close()


def slowest(what: Callable[[int], Any], times: int = 100) -> float:
    """The 99th percentile in milliseconds."""
    what(0)
    found = []
    for turn in range(times):
        began = thread_time()
        what(turn)
        found.append((thread_time() - began) * 1e3)
    return sorted(found)[int(times * 0.99) - 1]


def figures(customers: Customers) -> list[dict[str, Any]]:
    chance = random.Random(2)
    found: list[dict[str, Any]] = []

    def figure(what: str, asked: float, measured: float) -> None:
        found.append(
            {
                "what": what,
                "asked": f"≤ {asked:g} ms",
                "measured": f"{measured:.3f} ms",
                "ok": measured <= asked,
            }
        )

    def number() -> str:
        return f"+48{500_000_000 + chance.randrange(COUNT) * 37}"

    worst = max((slowest(lambda _, q=q: customers.search(TENANT, q)), q) for q in QUESTIONS)  # type: ignore[misc]
    figure(f"search among {COUNT:,}, p99 of the slowest question ({worst[1]!r})", 20, worst[0])
    one = slowest(lambda _: customers.search(TENANT, "anna"))
    figure("search with one common word, p99", 20, one)
    figure("by number, p99", 1, slowest(lambda _: customers.brief(TENANT, number()), 1000))
    (first,) = customers.find(TENANT, "+48500000000")
    figure("by number again, p99", 1, slowest(lambda _: customers.brief(TENANT, "+48500000000"), 1000))

    def save(turn: int) -> None:
        known = customers.get(TENANT, first.id)
        assert known is not None
        customers.change(TENANT, known.id, known.version, {"middle": f"M{turn}"}, "x", NOW)

    figure("save a field, p99", 20, slowest(save))
    line = slowest(lambda _: customers.timeline(TENANT, first.id, ("1", [])))
    figure(f"timeline of a number with {CONTACTS:,} contacts, p99", 20, line)
    figure(
        "whether an agent had one of them, p99",
        20,
        slowest(lambda _: customers.had(TENANT, first.id, "alice")),
    )
    return found
