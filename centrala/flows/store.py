"""Flows of the screen: drafts, which people edit, and versions, which callers go through.

A draft has a revision that grows with every save: who saves says which one they looked at, and is told what others
wrote meanwhile. A version never changes; going back to one makes a new version of its graph. Flows of the centre's file
don't stand here.

Methods block for a moment: a shell calls them from a thread.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from centrala.core.specs import FlowSpec
from centrala.flows.paths import Paths
from centrala.flows.tables import connect
from centrala.ledger.beside import Tables
from centrala.ledger.schema import FILE

ID = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"
"What a flow may be called, as in settings."
RESERVED = ("vocabulary", "hear")
"Ids that no flow can have: they are routes."
MAX_FLOWS = 500
"Of one tenant."
VERSIONS_KEPT = 500
"Of one flow."

Graph = dict[str, Any]
"A flow as JSON (docs/reference/flows.md)."


class FlowError(Exception):
    """What somebody asked for can't be, in a sentence; `code` is stable."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Draft:
    graph: Graph
    author: str
    "Id of a user."
    at: float
    revision: int


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    author: str
    at: float
    note: str
    graph: Graph = field(default_factory=dict)
    "Empty in lists."


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow of the screen."""

    id: str
    name: str
    published: Version | None
    draft: Draft | None


class EditRace(FlowError):
    """Somebody else wrote meanwhile: `theirs` counts now; None when the draft is gone."""

    def __init__(self, theirs: Draft | None, published: Version | None) -> None:
        super().__init__("EDIT-RACE", "Somebody else changed this flow meanwhile: look, and choose.")
        self.theirs = theirs
        self.published = published


def canonical(graph: Graph) -> str:
    """The one text of a graph: equal texts are equal flows."""
    return json.dumps(graph, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def open_flows(data: Path) -> "Flows":
    """The flows of a data folder. Raises DataFolderError with a sentence."""
    db = connect(data)
    try:
        return Flows(db, Paths(data))
    except BaseException:
        db.close()
        raise


def published_ids(data: Path) -> dict[str, frozenset[str]]:
    """By tenant the ids of published flows, of a data folder that may not be there yet. Raises as `open_flows`."""
    if not (data / FILE).exists():
        return {}
    with closing(connect(data)) as db:
        found = db.execute("SELECT tenant, id FROM flows WHERE current > 0").fetchall()
    ids: dict[str, set[str]] = {}
    for tenant, id in found:
        ids.setdefault(tenant, set()).add(id)
    return {tenant: frozenset(one) for tenant, one in ids.items()}


class Flows(Tables):
    def __init__(self, db: sqlite3.Connection, paths: Paths) -> None:
        super().__init__(db, "The flows")
        self.paths = paths

    def close(self) -> None:
        super().close()
        self.paths.close()

    # --- reading ---

    def published(self, tenant: str) -> dict[str, FlowSpec]:
        """What callers go through, for the core."""
        with self.reading() as db:
            found = db.execute(
                "SELECT v.flow, v.version, v.graph FROM flows_versions v JOIN flows f"
                " ON f.tenant = v.tenant AND f.id = v.flow AND f.current = v.version WHERE v.tenant = ?",
                (tenant,),
            ).fetchall()
        return {id: FlowSpec(id, version, graph) for id, version, graph in found}

    def current(self) -> dict[tuple[str, str], int]:
        """(tenant, flow) → the version that callers go through."""
        with self.reading() as db:
            found = db.execute("SELECT tenant, id, current FROM flows WHERE current > 0").fetchall()
        return {(tenant, id): version for tenant, id, version in found}

    def all(self, tenant: str) -> list[Flow]:
        """By name, without graphs."""
        with self.reading() as db:
            found = db.execute(
                "SELECT f.id, f.name, v.version, v.author, v.at, v.note, d.author, d.at, d.revision FROM flows f"
                " LEFT JOIN flows_versions v ON v.tenant = f.tenant AND v.flow = f.id AND v.version = f.current"
                " LEFT JOIN flows_drafts d ON d.tenant = f.tenant AND d.flow = f.id"
                " WHERE f.tenant = ? ORDER BY f.name, f.id",
                (tenant,),
            ).fetchall()
        return [
            Flow(
                id,
                name,
                None if number is None else Version(number, author, at, text),
                None if revision is None else Draft({}, editor, edited, revision),
            )
            for id, name, number, author, at, text, editor, edited, revision in found
        ]

    def get(self, tenant: str, id: str) -> Flow | None:
        with self.reading() as db:
            return _flow(db, tenant, id)

    def versions(self, tenant: str, id: str, *, before: int | None = None, limit: int = 50) -> list[Version]:
        """Newest first, without graphs; `before` is the number of the last one seen. Raises FlowError NOT-FOUND."""
        with self.reading() as db:
            _known(db, tenant, id)
            found = db.execute(
                "SELECT version, author, at, note FROM flows_versions WHERE tenant = ? AND flow = ? AND version < ?"
                " ORDER BY version DESC LIMIT ?",
                (tenant, id, 2**62 if before is None else before, limit),
            ).fetchall()
        return [Version(*row) for row in found]

    def version(self, tenant: str, id: str, number: int) -> Version:
        """Raises FlowError NOT-FOUND."""
        with self.reading() as db:
            found = _version(db, tenant, id, number)
        if found is None:
            raise FlowError("NOT-FOUND", "There is no such version, or it is too old to be kept.")
        return found

    # --- drafts ---

    def make(self, tenant: str, id: str, name: str, graph: Graph, author: str, now: float) -> Flow:
        """A new flow with a draft. Raises FlowError: NAME-TAKEN, TOO-MANY."""
        with self.writing() as db:
            if _flow(db, tenant, id) is not None:
                raise FlowError("NAME-TAKEN", "There is a flow of this name: take another name.")
            count = db.execute("SELECT count(*) FROM flows WHERE tenant = ?", (tenant,)).fetchone()[0]
            if count >= MAX_FLOWS:
                raise FlowError("TOO-MANY", f"There are {MAX_FLOWS} flows already: delete one first.")
            db.execute("INSERT INTO flows VALUES (?, ?, ?, 0, 1)", (tenant, id, name))
            db.execute(
                "INSERT INTO flows_drafts VALUES (?, ?, ?, ?, ?, 1)",
                (tenant, id, canonical(graph), author, now),
            )
            made = _flow(db, tenant, id)
        assert made is not None
        return made

    def rename(self, tenant: str, id: str, name: str) -> None:
        """Raises FlowError NOT-FOUND."""
        with self.writing() as db:
            _known(db, tenant, id)
            db.execute("UPDATE flows SET name = ? WHERE tenant = ? AND id = ?", (name, tenant, id))

    def drop(self, tenant: str, id: str) -> None:
        """Take the flow away with its draft; its versions stay. Raises FlowError NOT-FOUND."""
        with self.writing() as db:
            _known(db, tenant, id)
            db.execute("DELETE FROM flows_drafts WHERE tenant = ? AND flow = ?", (tenant, id))
            db.execute("DELETE FROM flows WHERE tenant = ? AND id = ?", (tenant, id))

    def save_draft(self, tenant: str, id: str, base: int, graph: Graph, author: str, now: float) -> Draft:
        """`base` is the revision that was looked at, 0 where there was no draft.

        Raises FlowError: NOT-FOUND, EditRace.
        """
        with self.writing() as db:
            known = _known(db, tenant, id)
            _need_base(known, base)
            revision = _next_revision(db, tenant, id)
            db.execute(
                "INSERT OR REPLACE INTO flows_drafts VALUES (?, ?, ?, ?, ?, ?)",
                (tenant, id, canonical(graph), author, now, revision),
            )
        return Draft(graph, author, now, revision)

    def discard_draft(self, tenant: str, id: str, base: int) -> None:
        """Raises FlowError: NOT-FOUND, EditRace."""
        with self.writing() as db:
            known = _known(db, tenant, id)
            if known.draft is None:
                raise FlowError("NOT-FOUND", "This flow has no draft.")
            _need_base(known, base)
            db.execute("DELETE FROM flows_drafts WHERE tenant = ? AND flow = ?", (tenant, id))

    # --- versions ---

    def publish(
        self, tenant: str, id: str, base: int, author: str, now: float, note: str, *, above: int = 0
    ) -> tuple[Version, FlowSpec]:
        """The draft becomes the next version, and is gone. The caller has checked it, and tells the core.

        `above` is the last version that the core knows of: after a flow of the file had this name, the numbers go on.
        Raises FlowError: NOT-FOUND, EditRace.
        """
        with self.writing() as db:
            known = _known(db, tenant, id)
            _need_base(known, base)
            if known.draft is None:
                raise FlowError("NOT-FOUND", "This flow has no draft to publish.")
            made = _publish(db, tenant, id, known.draft.graph, author, now, note, above)
            db.execute("DELETE FROM flows_drafts WHERE tenant = ? AND flow = ?", (tenant, id))
        return made

    def publish_graph(
        self, tenant: str, id: str, graph: Graph, author: str, now: float, note: str
    ) -> tuple[Version, FlowSpec] | None:
        """A graph from outside becomes the next version, of a new flow if there is none; a draft stays.

        None when it is what counts already. Raises FlowError TOO-MANY.
        """
        with self.writing() as db:
            known = _flow(db, tenant, id)
            if known is None:
                _need_room(db, tenant)
                db.execute("INSERT INTO flows VALUES (?, ?, ?, 0, 0)", (tenant, id, id))
            elif known.published is not None and canonical(known.published.graph) == canonical(graph):
                return None
            return _publish(db, tenant, id, graph, author, now, note, 0)

    def roll_back(
        self, tenant: str, id: str, base: int, to: int, author: str, now: float, note: str, *, above: int = 0
    ) -> tuple[Version, FlowSpec]:
        """The graph of an older version becomes a new one; a draft stays. `base` is the version that was looked at.

        Raises FlowError: NOT-FOUND, EditRace.
        """
        with self.writing() as db:
            known = _known(db, tenant, id)
            number = known.published.number if known.published is not None else 0
            if number != base:
                raise EditRace(known.draft, known.published)
            wanted = _version(db, tenant, id, to)
            if wanted is None:
                raise FlowError("NOT-FOUND", "There is no such version, or it is too old to be kept.")
            return _publish(db, tenant, id, wanted.graph, author, now, note, above)


def _need_room(db: sqlite3.Connection, tenant: str) -> None:
    count = db.execute("SELECT count(*) FROM flows WHERE tenant = ?", (tenant,)).fetchone()[0]
    if count >= MAX_FLOWS:
        raise FlowError("TOO-MANY", f"There are {MAX_FLOWS} flows already: delete one first.")


def _known(db: sqlite3.Connection, tenant: str, id: str) -> Flow:
    found = _flow(db, tenant, id)
    if found is None:
        raise FlowError("NOT-FOUND", "There is no such flow.")
    return found


def _flow(db: sqlite3.Connection, tenant: str, id: str) -> Flow | None:
    row = db.execute("SELECT name, current FROM flows WHERE tenant = ? AND id = ?", (tenant, id)).fetchone()
    if row is None:
        return None
    draft = db.execute(
        "SELECT graph, author, at, revision FROM flows_drafts WHERE tenant = ? AND flow = ?", (tenant, id)
    ).fetchone()
    return Flow(
        id,
        row[0],
        _version(db, tenant, id, row[1]),
        None if draft is None else Draft(json.loads(draft[0]), *draft[1:]),
    )


def _version(db: sqlite3.Connection, tenant: str, id: str, number: int) -> Version | None:
    row = db.execute(
        "SELECT version, author, at, note, graph FROM flows_versions WHERE tenant = ? AND flow = ? AND version = ?",
        (tenant, id, number),
    ).fetchone()
    return None if row is None else Version(row[0], row[1], row[2], row[3], json.loads(row[4]))


def _need_base(known: Flow, base: int) -> None:
    if base != (known.draft.revision if known.draft is not None else 0):
        raise EditRace(known.draft, known.published)


def _next_revision(db: sqlite3.Connection, tenant: str, id: str) -> int:
    # Never the same twice, also after a draft was discarded: it is what tells whose text somebody looked at.
    db.execute("UPDATE flows SET revision = revision + 1 WHERE tenant = ? AND id = ?", (tenant, id))
    found = db.execute("SELECT revision FROM flows WHERE tenant = ? AND id = ?", (tenant, id)).fetchone()
    return int(found[0])


def _publish(
    db: sqlite3.Connection,
    tenant: str,
    id: str,
    graph: Mapping[str, Any],
    author: str,
    now: float,
    note: str,
    above: int,
) -> tuple[Version, FlowSpec]:
    last = db.execute(
        "SELECT coalesce(max(version), 0) FROM flows_versions WHERE tenant = ? AND flow = ?", (tenant, id)
    ).fetchone()[0]
    number, text = max(last, above) + 1, canonical(dict(graph))
    db.execute(
        "INSERT INTO flows_versions VALUES (?, ?, ?, ?, ?, ?, ?)",
        (tenant, id, number, text, author, now, note),
    )
    db.execute("UPDATE flows SET current = ? WHERE tenant = ? AND id = ?", (number, tenant, id))
    db.execute(
        "DELETE FROM flows_versions WHERE tenant = ? AND flow = ? AND version <= ?",
        (tenant, id, number - VERSIONS_KEPT),
    )
    return Version(number, author, now, note, dict(graph)), FlowSpec(id, number, text)
