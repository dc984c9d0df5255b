"""Settings that people made on the screen, version by version, and the secrets among them."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from centrala.ledger.schema import FILE
from centrala.people import passwords
from centrala.people.store import PeopleError, Store, note
from centrala.people.tables import connect
from centrala.settings.overlay import Saved

VERSIONS_KEPT = 1000
"Of a tenant; what is older is in the trail."


@dataclass(frozen=True, slots=True)
class Version:
    """All that a tenant set on the screen, as of one save."""

    number: int
    "0 before the first save."
    at: float
    author: str
    "Id of a user, or console."
    comment: str
    tree: dict[str, Any]


def saved(data: Path) -> Saved:
    """What was set on screens, of a data folder that may not be there yet. Raises as `open_people` does."""
    if not (data / FILE).exists():
        return Saved()
    with closing(Changes(connect(data))) as changes:
        return changes.saved()


class Changes(Store):
    def saved(self) -> Saved:
        """Of every tenant, as it is now."""
        with self.reading() as db:
            trees = db.execute(
                "SELECT tenant, body FROM people_settings s WHERE version ="
                " (SELECT max(version) FROM people_settings WHERE tenant = s.tenant)"
            ).fetchall()
            secrets = db.execute("SELECT id, secret FROM people_secrets").fetchall()
        return Saved({tenant: json.loads(body) for tenant, body in trees}, dict(secrets))

    def versions(self) -> dict[str, int]:
        """By tenant the number of the last save."""
        with self.reading() as db:
            return dict(
                db.execute("SELECT tenant, max(version) FROM people_settings GROUP BY tenant").fetchall()
            )

    def version(self, tenant: str, number: int | None = None) -> Version | None:
        """One version, the last by default (number 0 if nothing was saved yet); None for one that isn't there."""
        which = "ORDER BY version DESC LIMIT 1" if number is None else "AND version = ?"
        with self.reading() as db:
            row = db.execute(
                f"SELECT version, at, author, note, body FROM people_settings WHERE tenant = ? {which}",
                (tenant,) if number is None else (tenant, number),
            ).fetchone()
        if row is None:
            return Version(0, 0.0, "", "", {}) if not number else None
        return Version(row[0], row[1], row[2], row[3], json.loads(row[4]))

    def history(self, tenant: str, *, before: int | None = None, limit: int = 50) -> list[Version]:
        """Versions, newest first; `before` is the number of the last one seen."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT version, at, author, note, body FROM people_settings WHERE tenant = ? AND version < ?"
                " ORDER BY version DESC LIMIT ?",
                (tenant, 2**62 if before is None else before, limit),
            ).fetchall()
        return [
            Version(number, at, author, text, json.loads(body)) for number, at, author, text, body in rows
        ]

    def save(
        self,
        tenant: str,
        base: int,
        tree: dict[str, Any],
        secrets: Mapping[str, str],
        differences: object,
        now: float,
        *,
        actor: str,
        address: str,
        comment: str = "",
    ) -> Version:
        """The next version. Raises PeopleError EDIT-RACE if `base` isn't the last one."""
        with self.writing() as db:
            last = db.execute(
                "SELECT coalesce(max(version), 0) FROM people_settings WHERE tenant = ?", (tenant,)
            ).fetchone()[0]
            if last != base:
                raise PeopleError("EDIT-RACE", "Somebody else saved settings meanwhile: look, and choose.")
            number = last + 1
            db.execute(
                "INSERT INTO people_settings VALUES (?, ?, ?, ?, ?, ?)",
                (tenant, number, now, actor, comment, json.dumps(tree)),
            )
            db.executemany(
                "INSERT INTO people_secrets VALUES (?, ?, ?)",
                [(tenant, id, secret) for id, secret in secrets.items()],
            )
            over = db.execute(
                "DELETE FROM people_settings WHERE tenant = ? AND version <= ?",
                (tenant, number - VERSIONS_KEPT),
            ).rowcount
            if over:
                # A secret is kept for as long as one can go back to a version that has it.
                db.execute(
                    "DELETE FROM people_secrets WHERE tenant = ?1 AND NOT EXISTS (SELECT 1 FROM people_settings s"
                    " WHERE s.tenant = ?1 AND instr(s.body, people_secrets.id))",
                    (tenant,),
                )
            after = {"version": number, "changes": differences}
            note(db, now, tenant, actor, "settings.changed", str(number), {"version": last}, after, address)
        return Version(number, now, actor, comment, tree)


def new_secret_id() -> str:
    return passwords.new_secret()[:16]
