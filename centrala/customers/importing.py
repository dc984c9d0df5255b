"""Customers out of a CSV file: good lines are kept, each bad one is told with its number and what is wrong."""

import csv
import itertools
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from centrala.customers import notes, searching, store, words
from centrala.customers.service import CONSOLE, Customers
from centrala.customers.values import Customer, CustomerError, Kind, full_name, key_of, new_id

BATCH = 25
"Lines in one transaction: calls are written down between two of them."
PLAIN = ("kind", "given", "middle", "family", "name", "company", "language", "badges", "calls", "ads", "note")
REACHED = ("phone", "email", "messenger", "address")
_YES = {"yes", "y", "true", "1", "tak", "да"}
_NO = {"no", "n", "false", "0", "nie", "нет"}
MAX_PROBLEMS = 10_000


@dataclass(slots=True)
class Report:
    """What became of the lines."""

    added: int = 0
    companies: int = 0
    "Made because a line named them."
    same: int = 0
    "Lines whose customer was there already, by name and by a number or address; nothing was changed."
    bad: list[tuple[int, str]] = field(default_factory=list)
    "(line of the file, sentence); nothing of such a line was kept."
    doubtful: list[tuple[int, str]] = field(default_factory=list)
    "Kept, but worth a look."


def import_customers(customers: Customers, tenant: str, file: Path, *, by: str = CONSOLE) -> Report:
    """Read a CSV file in UTF-8 whose first line names the columns. Raises ValueError with a sentence, and OSError.

    Columns: kind, given, middle, family, name, company, language, badges (with | between), calls, ads, note; phone,
    email, messenger and address, also as phone2 or phone:office; custom fields by their keys.
    """
    report = Report()
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        head = lines.read(4096)
        lines.seek(0)
        reader = csv.reader(lines, delimiter=_delimiter(head), strict=True)
        try:
            columns = [one.strip().lower() for one in next(reader)]
        except (StopIteration, csv.Error):
            raise ValueError(f"{file} is empty, or no CSV file.") from None
        with customers.importing() as run:
            _known_columns(columns, {one.key for one in customers.declared(tenant)})
            kept = _rows(reader, lines, columns, report)
            while batch := list(itertools.islice(kept, BATCH)):
                began = time.monotonic()
                with run() as db:
                    for number, row in batch:
                        _line(customers, db, tenant, number, row, by, report)
                time.sleep(min(time.monotonic() - began, 0.1))  # the centre may be running beside us
    report.bad.sort()
    return report


def _delimiter(head: str) -> str:
    first = head.splitlines()[0] if head else ""
    return max((",", ";", "\t"), key=first.count)


def _known_columns(columns: list[str], declared: set[str]) -> None:
    known = {*PLAIN, *declared}
    for one in columns:
        if one not in known and _reached(one) is None:
            raise ValueError(
                f"The column {one[:40]!r} isn't known. Known are {', '.join((*PLAIN, *REACHED, *sorted(declared)))}."
            )
    if len(set(columns)) < len(columns):
        raise ValueError("A column is there twice: number them, like phone and phone2.")


def _reached(column: str) -> tuple[str, str] | None:
    """(kind, label) of a column like phone, phone2, phone:office."""
    kind, _, label = column.partition(":")
    kind = kind.rstrip("0123456789")
    return (kind, label.strip()) if kind in REACHED else None


def _rows(
    reader: Any, lines: TextIO, columns: list[str], report: Report
) -> Iterator[tuple[int, dict[str, str]]]:
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            _bad(report, reader.line_num, f"this is no CSV ({problem}).")
            continue
        if not any(one.strip() for one in values):
            continue
        if len(values) > len(columns):
            _bad(report, reader.line_num, f"{len(values)} values for {len(columns)} columns.")
        elif any("\udc80" <= one <= "\udcff" for value in values for one in value):
            _bad(report, reader.line_num, "this isn't UTF-8.")
        else:
            yield (
                reader.line_num,
                {name: value.strip() for name, value in zip(columns, values, strict=False)},
            )


def _bad(report: Report, line: int, sentence: str) -> None:
    if len(report.bad) < MAX_PROBLEMS:
        report.bad.append((line, sentence))
    elif len(report.bad) == MAX_PROBLEMS:
        report.bad.append((line, "… and more bad lines, which are not listed."))


def _line(
    customers: Customers,
    db: sqlite3.Connection,
    tenant: str,
    number: int,
    row: Mapping[str, str],
    by: str,
    report: Report,
) -> None:
    now = time.time()
    db.execute("SAVEPOINT line")
    try:
        kind: Kind = "company" if row.get("kind", "").lower() == "company" else "person"
        if row.get("kind", "").lower() not in ("", "person", "company"):
            raise CustomerError("BAD-INPUT", "kind: person or company is expected.")
        wanted = _wanted(row, {one.key: one.kind for one in store.declared(db, tenant).values()})
        made_company = False
        if row.get("company"):
            if kind == "company":
                raise CustomerError("BAD-INPUT", "company: only a person works for one.")
            company, made_company = _company(customers, db, tenant, row["company"], by, now)
            wanted["companies"] = [company]
        same, others = _there(customers, db, tenant, kind, wanted, by, now)
        if same:
            report.same += 1
            db.execute("ROLLBACK TO line")
            return
        made = customers.add_in(db, tenant, kind, wanted, by, now)
        if row.get("note"):
            notes.put(db, tenant, made.id, None, by, row["note"], now)
        report.added += 1
        report.companies += made_company
        if others and len(report.doubtful) < MAX_PROBLEMS:
            report.doubtful.append(
                (number, "another customer has the same number or address: look whether to merge them.")
            )
    except CustomerError as problem:
        db.execute("ROLLBACK TO line")
        _bad(report, number, str(problem))
    finally:
        db.execute("RELEASE line")


def _wanted(row: Mapping[str, str], declared: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column, value in row.items():
        if not value:
            continue
        reached = _reached(column)
        if reached is not None:
            kind, label = reached
            found[f"identity.{new_id()}"] = {"kind": kind, "value": value, "label": label}
        elif column in ("given", "middle", "family", "name", "language"):
            found[column] = value
        elif column == "badges":
            found[column] = [one.strip() for one in value.split("|") if one.strip()]
        elif column in ("calls", "ads"):
            found[f"consent.{column}"] = _flag(column, value)
        elif column in declared:
            found[f"custom.{column}"] = _custom(column, declared[column], value)
    return found


def _flag(column: str, value: str) -> bool:
    if value.lower() in _YES | _NO:
        return value.lower() in _YES
    raise CustomerError("BAD-INPUT", f"{column}: yes or no is expected.")


def _custom(column: str, kind: str, value: str) -> Any:
    if kind == "flag":
        return _flag(column, value)
    if kind == "number":
        try:
            return float(value.replace(",", "."))
        except ValueError:
            raise CustomerError("BAD-INPUT", f"{column}: a number is expected.") from None
    return value


def _company(
    customers: Customers, db: sqlite3.Connection, tenant: str, name: str, by: str, now: float
) -> tuple[str, bool]:
    found = db.execute(
        "SELECT id FROM customers WHERE tenant = ? AND sort = ? AND kind = 'company' AND merged_into IS NULL"
        " ORDER BY id LIMIT 1",
        (tenant, words.fold(name)[:80]),
    ).fetchone()
    if found is not None:
        return found[0], False
    return customers.add_in(db, tenant, "company", {"name": name}, by, now).id, True


def _there(
    customers: Customers,
    db: sqlite3.Connection,
    tenant: str,
    kind: Kind,
    wanted: Mapping[str, Any],
    by: str,
    now: float,
) -> tuple[bool, bool]:
    """(this very customer is there, others have one of the numbers or addresses)."""
    values = customers.checked_in(db, Customer(tenant, "", kind, 0, {}, now, now), wanted, by, now)
    ids: set[str] = set()
    for name, one in values.items():
        key = key_of(one) if name.startswith("identity.") else None
        if key is not None:
            ids.update(searching.by_key(db, tenant, one["kind"], key))
    name = words.fold(full_name(values))
    found = store.several(db, tenant, sorted(ids)).values()
    same = any(one.kind == kind and words.fold(one.name) == name for one in found)
    return same, bool(ids)
