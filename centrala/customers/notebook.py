"""What people write about customers beside their cards: notes, drafts of notes, and which custom fields there are."""

import json
from collections.abc import Sequence

from centrala.customers import notes, store
from centrala.customers.connections import Connections
from centrala.customers.values import (
    CUSTOM_KINDS,
    KEY,
    MAX_CUSTOM,
    CustomerError,
    Declared,
    Draft,
    Note,
    text,
)


class Notebook(Connections):
    # --- notes and drafts ---

    def put_note(
        self,
        tenant: str,
        contact: str,
        author: str,
        words: str,
        now: float,
        *,
        agent: str | None = None,
    ) -> Note:
        """A note about a contact; the draft of the agent (the author, if not said) is done with.

        Raises CustomerError BAD-INPUT.
        """
        with self._writing() as db:
            note = notes.put(db, tenant, None, contact, author, words, now)
            notes.drop_draft(db, tenant, agent or author, contact)
        return note

    def notes_of(self, tenant: str, contact: str) -> list[Note]:
        """Oldest first."""
        with self._reading() as db:
            return notes.of_contacts(db, tenant, [contact]).get(contact, [])

    def put_customer_note(self, tenant: str, customer: str, author: str, words: str, now: float) -> Note:
        """A free note about a customer. Raises CustomerError: NOT-FOUND, MERGED, BAD-INPUT."""
        with self._writing() as db:
            note = notes.put(db, tenant, store.editable(db, tenant, customer).id, None, author, words, now)
        self._wrote(tenant, customer)
        return note

    def drop_note(self, tenant: str, customer: str, note: str, *, author: str | None = None) -> Note:
        """Erase a free note for good; with `author` only one of theirs. Raises CustomerError NOT-FOUND."""
        with self._writing() as db:
            ids = store.with_merged(db, tenant, store.known(db, tenant, customer).id)
            dropped = notes.drop(db, tenant, ids, note, author)
        self._wrote(tenant, customer)
        return dropped

    def put_draft(
        self,
        tenant: str,
        agent: str,
        contact: str,
        now: float,
        *,
        disposition: str | None = None,
        note: str | None = None,
    ) -> Draft:
        """Keep what an agent typed about a contact, in the place of what was kept. Lives 30 days at most."""
        with self._writing() as db:
            return notes.put_draft(
                db, tenant, agent, contact, {"disposition": disposition, "note": note}, now
            )

    def get_draft(self, tenant: str, agent: str, contact: str) -> Draft | None:
        with self._reading() as db:
            return notes.draft(db, tenant, agent, contact)

    def drop_draft(self, tenant: str, agent: str, contact: str) -> None:
        with self._writing() as db:
            notes.drop_draft(db, tenant, agent, contact)

    # --- custom fields ---

    def declare(self, tenant: str, fields: Sequence[Declared]) -> list[Declared]:
        """The custom fields of the tenant's customers, in their order. Raises CustomerError BAD-INPUT.

        Values of a field that isn't declared any more stay stored and show again when it is.
        """
        if len(fields) > MAX_CUSTOM or len({one.key for one in fields}) < len(fields):
            raise CustomerError("BAD-INPUT", f"At most {MAX_CUSTOM} fields, each key once.", "fields")
        for one in fields:
            if not KEY.fullmatch(one.key):
                raise CustomerError("BAD-INPUT", "key: write it like contract_no.", "key")
            text(one.label, "label", 80)
            if one.kind not in CUSTOM_KINDS or (one.kind == "choice") != bool(one.choices):
                raise CustomerError(
                    "BAD-INPUT",
                    f"{one.key}: the kinds are {', '.join(CUSTOM_KINDS)}; a choice has choices.",
                    "kind",
                )
            for choice in one.choices:
                text(choice, "choices", 80)
        with self._writing() as db:
            db.execute("DELETE FROM customers_fields WHERE tenant = ?", (tenant,))
            db.executemany(
                "INSERT INTO customers_fields VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (tenant, one.key, place, one.label, one.kind, json.dumps(one.choices))
                    for place, one in enumerate(fields)
                ],
            )
        return list(fields)

    def declared(self, tenant: str) -> list[Declared]:
        """The tenant's custom fields, in their order."""
        with self._reading() as db:
            return list(store.declared(db, tenant).values())
