"""Facts, events and commands to and from rows: kinds, versions and upcasters.

A row's body is the dataclass in JSON. When a class changes in a way that old bodies don't fit (a field renamed, a
meaning changed; a new field with a default needs nothing), raise its number in `VERSIONS` and tell in `UPCASTS`
how a body of the version before becomes one of the next. The golden rows in tests/data/ledger prove both.
"""

import sqlite3
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, cast
from uuid import uuid4

import msgspec

from centrala.core.commands import RETIRED, CancelTimer, Command, SetTimer
from centrala.core.events import Event
from centrala.core.facts import Fact
from centrala.core.private import Private
from centrala.ledger.errors import DataFolderError

T = TypeVar("T")

SNAPSHOT = "snapshot"
"The kind under which snapshots have a version and upcasters."

VERSIONS: dict[str, int] = {SNAPSHOT: 2}
"Kind → version of the bodies that we write, where it isn't 1."


def _with_owners(body: Any) -> Any:
    """Snapshots of version 1 knew one leg beside the caller's, and no parties."""
    for contact in body["centre"]["contacts"].values():
        if contact["leg"] is not None and contact["state"] in ("active", "held"):
            owner = {"leg": contact["leg"], "role": "agent", "agent": contact["leg_agent"]}
            contact["parties"] = {contact["leg"]: owner | {"held": contact["state"] == "held"}}
    return body


UPCASTS: dict[tuple[str, int], Callable[[Any], Any]] = {(SNAPSHOT, 1): _with_owners}
"(kind, version) → what makes a decoded body (dicts and lists) of this version one of the next. In place or anew."


class Kind(NamedTuple):
    name: str
    version: int
    contact: Callable[[Any], str | None]
    actor: Callable[[Any], str | None]
    encode: Callable[[Any], str]


class Row(NamedTuple):
    """A row of the log. `at` is in unix seconds; `caused_by` is the seq of the fact that led to it."""

    tenant: str
    seq: int
    at: float
    contact: str | None
    actor: str | None
    kind: str
    version: int
    body: str
    caused_by: int | None


class UnknownKind(DataFolderError):
    """Written by a newer Centrala."""


# --- private values: rows hold references, a table that can be erased holds the values ---

_fresh: list[Private] = []
"Private values that were written by reference for the first time, and are not in the table yet."

_reading = threading.local()


def _by_reference(value: Any) -> str:
    if not isinstance(value, Private):
        raise NotImplementedError(f"{type(value).__name__} can't be stored")
    if not value.ref:
        value.ref = uuid4().hex
        _fresh.append(value)
    return value.ref


def _from_reference(of: type, ref: Any) -> Private:
    if of is not Private:
        raise NotImplementedError(f"{of.__name__} can't be read")
    find: Callable[[str], str | None] | None = getattr(_reading, "find", None)
    kept = find(ref) if find is not None else None
    return Private(None if kept is None else msgspec.json.decode(kept), ref)


def take_private() -> list[tuple[str, str]]:
    """(reference, value in JSON) of each private value that `encode` met since the last time."""
    if not _fresh:
        return []
    taken = [(one.ref, _encoder.encode(one.value).decode("utf-8", "replace")) for one in _fresh]
    _fresh.clear()
    return taken


@contextmanager
def private_of(db: sqlite3.Connection, tenant: str) -> Iterator[None]:
    """Within, `decode` gives private values as the tenant's table has them; elsewhere, and once erased, as None."""

    def find(ref: str) -> str | None:
        row = db.execute("SELECT value FROM privates WHERE tenant = ? AND ref = ?", (tenant, ref)).fetchone()
        return None if row is None else row[0]

    _reading.find = find
    try:
        yield
    finally:
        _reading.find = None


_encoder = msgspec.json.Encoder(enc_hook=_by_reference)


def encode_body(value: Any) -> bytes:
    """Anything of ours in JSON, private values by reference."""
    return _encoder.encode(value)


def decode_body(body: bytes | str, of: type[T]) -> T:
    """What `encode_body` made. Raises msgspec.DecodeError."""
    return msgspec.json.decode(body, type=of, dec_hook=_from_reference)


def encode(value: Any) -> str:
    """The dataclass in JSON. Half characters (from bytes that were no UTF-8) become question marks."""
    try:
        return _encoder.encode(value).decode()
    except UnicodeEncodeError:
        return _encoder.encode(_whole(msgspec.to_builtins(value, enc_hook=_by_reference))).decode()


def _encode_configuration(value: Any) -> str:
    # JSON knows no infinity: what can't be read back must not be written.
    text = encode(value)
    if msgspec.json.decode(text, type=type(value)) != value:
        raise ValueError(
            f"{type(value).__name__} holds a number that can't be stored (infinite or not a number)"
        )
    return text


def printable(text: str) -> str:
    """The text with each half character made a question mark, so that it can be stored."""
    return text.encode("utf-8", "replace").decode()


def _whole(value: Any) -> Any:
    match value:
        case str():
            return printable(value)
        case dict():
            return {_whole(key): _whole(one) for key, one in value.items()}
        case list():
            return [_whole(one) for one in value]
        case _:
            return value


def _nothing(_: Any) -> None:
    return None


def _kind(prefix: str, of: type) -> Kind:
    names = {field.name for field in fields(of)}
    name = f"{prefix}.{of.__name__}"
    return Kind(
        name,
        VERSIONS.get(name, 1),
        attrgetter("contact") if "contact" in names else _nothing,
        attrgetter("agent") if "agent" in names else _nothing,
        _encode_configuration if "spec" in names else encode,
    )


def _union(union: object) -> tuple[type, ...]:
    return cast(types.UnionType, union).__args__


NOT_LOGGED: frozenset[type] = frozenset({SetTimer, CancelTimer})
"Recovery takes timers from the state."

KINDS: dict[type, Kind] = {
    of: _kind(prefix, of)
    for prefix, union in (("fact", Fact), ("event", Event), ("command", Command))
    for of in (*_union(union), *(RETIRED if prefix == "command" else ()))
    if of not in NOT_LOGGED
}

_DECODERS: dict[str, tuple[int, msgspec.json.Decoder[Any]]] = {
    kind.name: (kind.version, msgspec.json.Decoder(of, dec_hook=_from_reference))
    for of, kind in KINDS.items()
}


def decode(kind: str, version: int, body: str | bytes, where: str = "A row") -> Any:
    """The fact, event or command in a row.

    Raises UnknownKind for what only a newer Centrala can have written, DataFolderError for a body that is broken.
    `where` begins the sentence.
    """
    known = _DECODERS.get(kind)
    if known is None or version > known[0]:
        raise UnknownKind(newer(where, kind, version))
    try:
        if version == known[0]:
            return known[1].decode(body)
        raw = upcast(kind, version, known[0], msgspec.json.decode(body))
        return known[1].decode(msgspec.json.encode(raw))
    except msgspec.DecodeError as problem:
        raise DataFolderError(f"{where} ({kind}) is broken: {problem}. Restore the last backup.") from None


def upcast(
    kind: str,
    version: int,
    to: int,
    body: Any,
    upcasts: Mapping[tuple[str, int], Callable[[Any], Any]] = UPCASTS,
) -> Any:
    """A decoded body of an older version, brought to a newer one step by step."""
    while version < to:
        body = upcasts[kind, version](body)
        version += 1
    return body


def newer(where: str, kind: str, version: int) -> str:
    return (
        f"{where} is of kind {kind}, version {version}, which this Centrala doesn't know: a newer one wrote it. "
        "Install that version again."
    )


COLUMNS = "tenant, seq, at, contact, actor, kind, version, body, caused_by"


def tenants(db: sqlite3.Connection) -> list[str]:
    """All tenants of the log, by name; as many look-ups as there are tenants, however long the log is."""
    found = db.execute(
        "WITH RECURSIVE t(name) AS (SELECT min(tenant) FROM log UNION ALL"
        " SELECT (SELECT min(tenant) FROM log WHERE tenant > name) FROM t WHERE name IS NOT NULL)"
        " SELECT name FROM t WHERE name IS NOT NULL"
    )
    return [name for (name,) in found]


def last_seq(db: sqlite3.Connection, tenant: str) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM log WHERE tenant = ?", (tenant,)).fetchone()[0])
