"""Everything about customers that is stored: who they are, how they changed, what was said about them.

Methods are plain and block for a moment: a shell calls them from a thread. Reading has a connection of its own, so
that looking up a caller never waits for somebody who writes.
"""

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from centrala.customers import erasing, notes, numbers, searching, store, timeline
from centrala.customers.notebook import Notebook
from centrala.customers.numbers import withheld
from centrala.customers.tables import connect
from centrala.customers.values import (
    KINDS,
    MAX_LIST,
    Brief,
    Change,
    Conflict,
    Customer,
    CustomerError,
    EditRace,
    Erased,
    Kind,
    Note,
    Promise,
    Row,
    checked,
    key_of,
    new_id,
    promises_of,
    whole,
)
from centrala.ledger import LedgerUnavailable

CONSOLE = "console"
"Who does what is done with the `centrala` command."
_BRIEFS = 20_000
_BRIEF_FOR = 5.0
"Seconds for which a brief is remembered. What this process writes shows at once; the console's imports after these."

Region = Callable[[str], str | None]
"Tenant → the country whose national numbers are meant."


def open_customers(data: Path, region: Region) -> "Customers":
    """The customers of a data folder. Raises DataFolderError with a sentence."""
    writer = connect(data)
    try:
        reader = connect(data)
    except BaseException:
        writer.close()
        raise
    return Customers(data, writer, reader, region)


class Customers(Notebook):
    """Cards and contacts; notes, drafts and custom fields are in `notebook`."""

    def __init__(
        self, data: Path, writer: sqlite3.Connection, reader: sqlite3.Connection, region: Region
    ) -> None:
        super().__init__(writer, reader)
        self._data = data
        self._region = region
        self._briefs: OrderedDict[tuple[str, str], tuple[float, tuple[Brief, ...]]] = OrderedDict()
        self._briefs_lock = threading.Lock()
        self._turn = 0

    # --- reading ---

    def get(self, tenant: str, customer: str) -> Customer | None:
        """The customer; for the id of a merged one the one that it was merged into."""
        with self._reading() as db:
            return store.current(db, tenant, customer)

    def brief(self, tenant: str, number: str | None) -> tuple[Brief, ...]:
        """Who calls: everybody who has this number, never a choice between them; nobody for a withheld number."""
        if number is None or numbers.withheld(number):
            return ()
        key = numbers.normal(number, self._region(tenant))
        if key is None:
            return ()
        place = tenant, key
        with self._briefs_lock:
            kept, turn = self._briefs.get(place), self._turn
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        with self._reading() as db:
            found = self._briefs_of(db, tenant, searching.by_key(db, tenant, "phone", key))
        with self._briefs_lock:
            if turn == self._turn:  # else somebody wrote while we looked
                self._briefs[place] = time.monotonic() + _BRIEF_FOR, found
                self._briefs.move_to_end(place)
                while len(self._briefs) > _BRIEFS:
                    self._briefs.popitem(last=False)
        return found

    def brief_of_contact(self, tenant: str, contact: str, number: str | None) -> tuple[Brief, ...]:
        """The same, unless somebody tied this contact to a customer by hand."""
        with self._reading() as db:
            found = db.execute(
                "SELECT customer FROM customers_links WHERE tenant = ? AND contact = ?", (tenant, contact)
            ).fetchone()
            if found is not None:
                tied = store.current(db, tenant, found[0])
                if tied is not None:
                    return (_brief(db, tied),)
        return self.brief(tenant, number)

    def _briefs_of(self, db: sqlite3.Connection, tenant: str, ids: Sequence[str]) -> tuple[Brief, ...]:
        found = store.several(db, tenant, ids)
        return tuple(_brief(db, found[one]) for one in ids if one in found)

    def find(self, tenant: str, number: str) -> list[Customer]:
        """Everybody who has this number."""
        key = numbers.normal(number, self._region(tenant))
        if key is None:
            return []
        with self._reading() as db:
            ids = searching.by_key(db, tenant, "phone", key)
            found = store.several(db, tenant, ids)
        return [found[one] for one in ids if one in found]

    def search(
        self,
        tenant: str,
        question: str,
        *,
        after: searching.Place | None = None,
        limit: int = 50,
        numbers_too: bool = True,
    ) -> tuple[list[tuple[Customer, Brief]], searching.Place | None]:
        """(customers with their briefs, where the next page begins). Without a question all, by name.

        `numbers_too` lets parts of numbers and addresses find somebody; a number in full always does. A page may be
        short and still have a next one: each looks at a bounded number of rows.
        """
        country = self._region(tenant)
        with self._reading() as db:
            if not question.strip():
                ids, following = searching.in_order(db, tenant, after, limit)
            else:
                exact = [
                    one
                    for kind, key in searching.exactly(question, country)
                    for one in searching.by_key(db, tenant, kind, key)
                ]
                asked = searching.asked_words(question, country, numbers_too=numbers_too)
                if after is not None and (len(after) != 3 or after[0] not in asked):
                    raise CustomerError("BAD-CURSOR", "This cursor is of another question.")
                shown = [] if after is not None else list(dict.fromkeys(exact))[:limit]
                ids, following = [], None
                if asked and len(shown) < limit:
                    ids, following = searching.by_words(db, tenant, asked, after, limit - len(shown))
                elif asked:
                    following = asked[0], asked[0], ""
                ids = [*shown, *(one for one in ids if one not in exact)]
            found = store.several(db, tenant, ids)
            return [(found[one], _brief(db, found[one])) for one in ids if one in found], following

    def history(
        self, tenant: str, customer: str, *, before: int | None = None, limit: int = 100
    ) -> list[Change]:
        """What was changed, newest first; `before` is the id of the last one seen. Raises CustomerError."""
        with self._reading() as db:
            return store.history(
                db, tenant, store.known(db, tenant, customer).id, 2**62 if before is None else before, limit
            )

    def companies(self, customer: Customer) -> list[Customer]:
        with self._reading() as db:
            return store.companies_of(db, customer.tenant, customer.doc)

    def members(self, customer: Customer, most: int = 100) -> list[Customer]:
        """Who works for this company."""
        with self._reading() as db:
            return store.members(db, customer.tenant, customer.id, most)

    # --- contacts ---

    def timeline(
        self,
        tenant: str,
        customer: str,
        sight: tuple[str, Sequence[object]],
        *,
        before: timeline.Moment | None = None,
        limit: int = 50,
    ) -> tuple[list[Row], dict[str, tuple[Any, str | None]], dict[str, list[Note]]]:
        """(rows newest first, contact → (record, number), contact → notes). Raises CustomerError NOT-FOUND.

        `sight` says which contacts the viewer may see: SQL on records `r`, and its values.
        """
        before = before or timeline.LATEST
        with self._reading() as db:
            ids, addresses = self._traces(db, store.known(db, tenant, customer))
            rows = timeline.contacts(db, tenant, ids, addresses, sight, before, limit)
            rows += [Row(one.at, one.id, one) for one in notes.of_customer(db, tenant, ids, before, limit)]
            rows.sort(key=lambda row: (row.at, row.id), reverse=True)
            rows = rows[:limit]
            contacts = [row.id for row in rows if row.note is None]
            return (
                rows,
                timeline.records(db, tenant, contacts),
                notes.of_contacts(db, tenant, contacts),
            )

    def had(self, tenant: str, customer: str, agent: str, *, beside: str = "") -> bool:
        """Whether this agent had a contact with the customer, by what others than the user `beside` wrote down.

        Who asks for themself must not count: they could tie a contact of theirs to any card, or write a number that
        called them into it, and so see all its numbers.
        """
        with self._reading() as db:
            found = store.current(db, tenant, customer)
            if found is None:
                return False
            return timeline.had(db, tenant, *self._traces(db, found, beside), agent, beside)

    def concerns(self, customer: Customer, contact: str, number: str | None, *, beside: str = "") -> bool:
        """Whether a contact from this number is with the customer, by what others than `beside` wrote down."""
        tenant = customer.tenant
        key = None if withheld(number) else numbers.normal(number or "", self._region(tenant))
        with self._reading() as db:
            tied = db.execute(
                "SELECT customer FROM customers_links WHERE tenant = ? AND contact = ? AND actor != ?",
                (tenant, contact, beside),
            ).fetchone()
            if tied is not None and (found := store.current(db, tenant, tied[0])) is not None:
                return found.id == customer.id
            phones = store.phones(db, customer, beside)
        return key is not None and key in {key_of(one) for one in phones}

    def _traces(
        self, db: sqlite3.Connection, customer: Customer, beside: str = ""
    ) -> tuple[list[str], list[str]]:
        """(ids with the merged ones, spellings of all their numbers), without numbers that `beside` wrote last."""
        country = self._region(customer.tenant)
        found = [
            spelling
            for one in store.phones(db, customer, beside)
            for spelling in numbers.spellings(key_of(one) or "", country)
        ]
        return store.with_merged(db, customer.tenant, customer.id), list(dict.fromkeys(found))

    def tie(self, tenant: str, customer: str, contact: str, by: str, now: float) -> None:
        """This contact was with this customer, whatever number it came from. Raises CustomerError NOT-FOUND."""
        with self._writing() as db:
            found = store.editable(db, tenant, customer)
            party = db.execute(
                "SELECT at FROM parties WHERE tenant = ?1 AND id = ?2 UNION ALL"
                " SELECT arrived_at FROM records WHERE tenant = ?1 AND id = ?2 LIMIT 1",
                (tenant, contact),
            ).fetchone()
            if party is None:
                raise CustomerError("NOT-FOUND", "There is no such contact.")
            db.execute(
                "INSERT OR REPLACE INTO customers_links VALUES (?, ?, ?, ?, ?)",
                (tenant, contact, found.id, party[0], by),
            )
        self._wrote(tenant, customer)

    # --- writing ---

    def add(self, tenant: str, kind: Kind, wanted: Mapping[str, Any], by: str, now: float) -> Customer:
        """A new customer of these fields (see values.py). Raises CustomerError BAD-INPUT, TOO-MANY."""
        with self._writing() as db:
            made = self.add_in(db, tenant, kind, wanted, by, now)
        self._wrote(tenant, made.id)
        return made

    def add_in(
        self,
        db: sqlite3.Connection,
        tenant: str,
        kind: Kind,
        wanted: Mapping[str, Any],
        by: str,
        now: float,
    ) -> Customer:
        """The same within a transaction of `importing`."""
        if kind not in KINDS:
            raise CustomerError("BAD-INPUT", "kind: person or company is expected.", "kind")
        customer = Customer(tenant, new_id(), kind, 1, {}, now, now)
        doc = store.put({}, self.checked_in(db, customer, wanted, by, now))
        whole(kind, doc)
        customer = replace(customer, doc=doc)
        store.insert(db, customer)
        store.remember(db, customer, now, by, "made", None, None)
        return customer

    def change(
        self, tenant: str, customer: str, version: int, wanted: Mapping[str, Any], by: str, now: float
    ) -> Customer:
        """Give fields new values; None takes one away. `version` is the one that was edited.

        What others changed meanwhile stays, if it is another field. Raises EditRace, and CustomerError: NOT-FOUND,
        MERGED, BAD-INPUT, TOO-MANY.
        """
        with self._writing() as db:
            before = store.editable(db, tenant, customer)
            if version > before.version:
                raise CustomerError("BAD-INPUT", "version: this customer has no such version yet.", "version")
            values = self.checked_in(db, before, wanted, by, now)
            values = {
                field: value
                for field, value in values.items()
                if not store.same(field, before.doc.get(field), value)
            }
            if not values:
                return before
            conflicts = store.races(db, before, version, values)
            if conflicts:
                raise EditRace(before.version, conflicts)
            after = self._changed(db, before, values, by, now)
        self._wrote(tenant, customer)
        self._renamed(before, after)
        return after

    def _renamed(self, before: Customer, after: Customer) -> None:
        """Let a company's people be found by its new name; a few at a time, since calls are written down meanwhile."""
        if after.kind != "company" or before.name == after.name:
            return
        with self._reading() as db:
            people = [one.id for one in store.members(db, after.tenant, after.id, 2**31)]
        for start in range(0, len(people), erasing.STEP):
            with self._writing() as db:
                store.draw_again(db, after.tenant, people[start : start + erasing.STEP])

    def checked_in(
        self, db: sqlite3.Connection, customer: Customer, wanted: Mapping[str, Any], by: str, now: float
    ) -> dict[str, Any]:
        """The wanted values in their one form; an identity that the customer has already is left out."""
        declared = store.declared(db, customer.tenant)
        country = self._region(customer.tenant)
        have = {(one["kind"], key_of(one) or one["value"]): name for name, one in customer.identities()}
        found: dict[str, Any] = {}
        for field, value in wanted.items():
            value = checked(customer.kind, field, value, country, declared, by, now)
            if field.startswith("identity.") and value is not None:
                mark = value["kind"], key_of(value) or value["value"]
                if have.setdefault(mark, field[9:]) != field[9:]:
                    continue
            if field == "companies" and value is not None:
                known = store.several(db, customer.tenant, value)
                for one in value:
                    if one not in known or known[one].kind != "company":
                        raise CustomerError("BAD-INPUT", "companies: there is no such company.", "companies")
            found[field] = value
        return found

    def _changed(
        self,
        db: sqlite3.Connection,
        before: Customer,
        values: Mapping[str, Any],
        by: str,
        now: float,
        source: str | None = None,
    ) -> Customer:
        doc = store.put(before.doc, values)
        whole(before.kind, doc)
        after = replace(before, doc=doc, version=before.version + 1, changed_at=now)
        store.update(db, after)
        for field, value in values.items():
            store.remember(db, after, now, by, field, before.doc.get(field), value, source)
        return after

    def undo(self, tenant: str, customer: str, change: int, by: str, now: float) -> Customer:
        """Take one change back: the field becomes what it was. Undoing is a change too, and can be undone.

        Raises EditRace when the field was changed again since, and CustomerError: NOT-FOUND, MERGED, NO-UNDO.
        """
        with self._writing() as db:
            before = store.editable(db, tenant, customer)
            it, source = store.one_change(db, tenant, customer, change)
            if it.field == "merge":
                after = self._part(db, before, it, by, now)
            elif it.field in ("made", "part", "merged") or (it.before is None and it.after is None):
                raise CustomerError("NO-UNDO", "This change can't be taken back.")
            else:
                value = before.doc.get(it.field)
                if value != it.after:
                    last = store.races(db, before, it.version, {it.field: it.before})
                    raise EditRace(
                        before.version, last or {it.field: Conflict(it.before, value, it.by, it.at)}
                    )
                if it.field == "companies" and it.before:
                    it = replace(it, before=[one for one in it.before if store.load(db, tenant, one)] or None)
                after = self._changed(db, before, {it.field: it.before}, by, now, source)
        self._wrote(tenant, customer)
        self._renamed(before, after)
        if it.field == "merge" and it.after and (other := self.get(tenant, it.after)) is not None:
            self._renamed(replace(other, doc={}), other)
        return after

    # --- promises ---

    def due(
        self,
        tenant: str,
        authors: Sequence[str],
        queues: Sequence[str],
        until: float,
        limit: int,
    ) -> list[tuple[Customer, Promise]]:
        """Open promises with a time before `until`: these people's own, and those of these queues, earliest first."""
        with self._reading() as db:
            found = searching.due(db, tenant, authors, queues, until, limit)
            there = store.several(db, tenant, list(dict.fromkeys(one for one, _ in found)))
        promises = {name: {one.id: one for one in promises_of(of)} for name, of in there.items()}
        return [
            (there[name], promises[name][one])
            for name, one in found
            if name in there and one in promises[name]
        ]

    # --- merging ---

    def merge(self, tenant: str, customer: str, other: str, by: str, now: float) -> Customer:
        """`other` is the same person or company: its data, contacts and notes come here. `undo` parts them again.

        Where both say something different, this one's counts; a consent that one of them refused is refused. Raises
        CustomerError: NOT-FOUND, MERGED, BAD-INPUT, TOO-MANY.
        """
        with self._writing() as db:
            into, gone = store.editable(db, tenant, customer), store.editable(db, tenant, other)
            if into.id == gone.id or into.kind != gone.kind:
                raise CustomerError("BAD-INPUT", "Two different persons or two companies can be merged.")
            values = _merged(into, gone)
            # The other's numbers must not be found twice, so it goes first.
            store.update(db, replace(gone, version=gone.version + 1, merged_into=into.id, changed_at=now))
            after = self._changed(db, into, values, by, now, gone.id)
            store.remember(db, after, now, by, "merge", None, gone.id)
            store.remember(db, replace(gone, version=gone.version + 1), now, by, "merged", None, into.id)
        self._wrote(tenant, customer)
        self._renamed(gone, after)
        return after

    def _part(self, db: sqlite3.Connection, into: Customer, it: Change, by: str, now: float) -> Customer:
        other = store.load(db, into.tenant, it.after or "")
        if other is None or other.merged_into != into.id:
            raise CustomerError("NO-UNDO", "These two are apart already, or the other was erased.")
        taken = [
            one
            for one in store.history(db, into.tenant, into.id, it.id, 500)
            if one.version == it.version and into.doc.get(one.field) == one.after
        ]
        after = self._changed(db, into, {one.field: one.before for one in taken}, by, now, other.id)
        store.remember(db, after, now, by, "part", other.id, None)
        store.update(db, replace(other, version=other.version + 1, merged_into=None, changed_at=now))
        return after

    # --- erasure ---

    def erase(self, tenant: str, customer: str, *, recordings: bool = True) -> Erased:
        """Forget everything personal about a customer, for good (GDPR, art. 17).

        The customer and those merged into it, their history, notes, drafts and ties; the numbers of their contacts,
        whose figures stay; with `recordings` the sound too. Freed pages are overwritten, the write-ahead log is
        emptied unless somebody reads just now. Backups made before still hold it all. Raises CustomerError: NOT-FOUND,
        MERGED; LedgerUnavailable: the rest is to be erased, by the same call. The customer's own card goes last.
        """
        with self._write_lock:
            with self._reading() as db:
                found = store.editable(db, tenant, customer)
                scope = erasing.scope(db, found, self._region(tenant))
            total = Erased(len(scope.ids), 0, 0, 0, scope.shared)
            with self._overwriting():
                while True:
                    with self._reading() as db:
                        contacts, files = erasing.some_contacts(db, tenant, scope)
                    if not contacts:
                        break
                    # The sound first: of a contact that is nobody's it would not be found again.
                    deleted = timeline.delete_files(self._data, files) if recordings else 0
                    with self._writing() as db:
                        notes_gone = erasing.contacts(db, tenant, contacts)
                    total = replace(
                        total,
                        contacts=total.contacts + len(contacts),
                        recordings=total.recordings + deleted,
                        notes=total.notes + notes_gone,
                    )
                people = found.kind == "company"
                while people:
                    with self._writing() as db:
                        people = erasing.some_people(db, tenant, scope.ids)
                with self._writing() as db:
                    total = replace(total, notes=total.notes + erasing.card(db, tenant, scope.ids))
        self._wrote(tenant, customer)
        numbers.normal.cache_clear()
        return total

    @contextmanager
    def _overwriting(self) -> Iterator[None]:
        try:
            erasing.overwrite(self._writer, True)
            try:
                yield
                erasing.empty_the_log(self._writer)
            finally:
                erasing.overwrite(self._writer, False)
        except sqlite3.Error as problem:
            raise LedgerUnavailable(f"The customers can't be written now ({problem}).") from problem

    # --- many at once ---

    @contextmanager
    def importing(self) -> Iterator[Callable[[], AbstractContextManager[sqlite3.Connection]]]:
        """Many writes in few transactions: gives what opens one. Whoever is looked up meanwhile may be a bit old."""
        try:
            yield self._writing
        finally:
            self._wrote("", "")

    def _wrote(self, tenant: str, customer: str) -> None:
        with self._briefs_lock:
            self._turn += 1
            for place in [one for one in self._briefs if not tenant or one[0] == tenant]:
                del self._briefs[place]
        if tenant:
            super()._wrote(tenant, customer)


def _brief(db: sqlite3.Connection, customer: Customer) -> Brief:
    doc = customer.doc
    companies = store.companies_of(db, customer.tenant, doc) if doc.get("companies") else []
    consents = {one: doc[f"consent.{one}"]["allowed"] for one in ("calls", "ads") if f"consent.{one}" in doc}
    promises = [one for name, one in doc.items() if name.startswith("promise.") and not one["done"]]
    promises.sort(key=lambda one: (one["due"] is None, one["due"] or one["at"]))
    return Brief(
        customer.id,
        customer.kind,
        customer.name,
        companies[0].name if companies else None,
        tuple(doc.get("badges") or ()),
        doc.get("language"),
        consents.get("calls"),
        consents.get("ads"),
        (promises[0]["text"], promises[0]["due"]) if promises else None,
    )


def _merged(into: Customer, other: Customer) -> dict[str, Any]:
    """What the merge changes of `into`."""
    found: dict[str, Any] = {}
    have = {(one["kind"], key_of(one) or one["value"]) for _, one in into.identities()}
    for field, value in other.doc.items():
        mine = into.doc.get(field)
        if field.startswith("identity."):
            if (value["kind"], key_of(value) or value["value"]) not in have:
                found[field] = value
        elif mine is None:
            # A name has parts: half of the one and half of the other is nobody's.
            if field not in ("given", "middle", "family", "name") or not into.name:
                found[field] = value
        elif field in ("badges", "companies"):
            union = list(dict.fromkeys([*mine, *value]))
            if union != mine:
                found[field] = union[:MAX_LIST]
        elif field.startswith("consent.") and mine["allowed"] and not value["allowed"]:
            found[field] = value
    return found
