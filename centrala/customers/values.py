"""What a customer is: a map of fields to plain JSON values, and how one is shown.

Fields are flat, so that two people who change different things never meet: `given`, `family`, `badges`,
`consent.calls`, `identity.ID`, `promise.ID`, `custom.KEY` and so on. `checked` is the only way for a value into one.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from centrala.customers import numbers, words

Kind = Literal["person", "company"]
KINDS = ("person", "company")
IDENTITY_KINDS = ("phone", "email", "messenger", "address")
CONSENTS = ("calls", "ads")
CUSTOM_KINDS = ("text", "number", "date", "flag", "choice")
Doc = dict[str, Any]

MAX_TEXT = 200
MAX_NOTE = 4000
MAX_IDENTITIES = 50
MAX_PROMISES = 200
MAX_LIST = 20
MAX_CUSTOM = 50
LAST_MOMENT = 253402300799.0  # year 9999

PLAIN = ("given", "middle", "family", "name", "language", "preferred_agent")
FIELDS_OF = {
    "person": frozenset(
        {"given", "middle", "family", "name", "language", "preferred_agent", "badges", "companies"}
    ),
    "company": frozenset({"name", "language", "preferred_agent", "badges"}),
}
ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
KEY = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)


class CustomerError(Exception):
    """What somebody asked for can't be, in a sentence; `code` is stable, `where` names a field."""

    def __init__(self, code: str, sentence: str, where: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.where = where


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two people changed one field: what the second one wanted, and what stands there."""

    yours: Any
    theirs: Any
    by: str
    at: float


class EditRace(CustomerError):
    """Raised when fields were changed by others since the version that was edited. Nothing of it was stored."""

    def __init__(self, version: int, conflicts: dict[str, Conflict]) -> None:
        super().__init__("EDIT-RACE", "Somebody else changed this in the meantime: choose between both.")
        self.version = version
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class Customer:
    tenant: str
    id: str
    kind: Kind
    version: int
    doc: Doc
    made_at: float
    changed_at: float
    merged_into: str | None = None

    @property
    def name(self) -> str:
        return full_name(self.doc)

    def identities(self, kind: str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """(id, {kind, value, label}), in the order in which they were added."""
        found = ((name[9:], one) for name, one in self.doc.items() if name.startswith("identity."))
        return [(name, one) for name, one in found if kind is None or one["kind"] == kind]


class Promise(NamedTuple):
    """What was promised to a customer."""

    id: str
    text: str
    due: float | None
    "Unix seconds."
    done: bool
    at: float
    by: str
    "Who promised it: the user, or the agent."
    queue: str
    "Whoever serves it keeps the promise; empty where `by` does."

    @property
    def row(self) -> tuple[str, float | None, str, str]:
        """As the table of open promises has it."""
        return self.id, self.due, self.by, self.queue


def promises_of(customer: Customer) -> list[Promise]:
    return [
        Promise(name[8:], one["text"], one["due"], one["done"], one["at"], one["by"], one.get("queue") or "")
        for name, one in customer.doc.items()
        if name.startswith("promise.")
    ]


@dataclass(frozen=True, slots=True)
class Brief:
    """What a screen pop needs: who this is, in one line."""

    id: str
    kind: Kind
    name: str
    company: str | None
    "Name of the first company that a person works for."
    badges: tuple[str, ...]
    language: str | None
    calls: bool | None
    "Consent to calls; None where nobody asked."
    ads: bool | None
    promise: tuple[str, float | None] | None = None
    "The next open promise: text, due in unix seconds."

    def shown(self) -> dict[str, Any]:
        """As contact.customer of the live views."""
        return {
            "id": self.id,
            "kind": self.kind,
            "name": self.name,
            "company": self.company,
            "badges": list(self.badges),
            "language": self.language,
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a customer's history: one field, as it was and as it became."""

    id: int
    version: int
    at: float
    by: str
    field: str
    "A field of the customer; or made, merge (the id of the other is in `after`)."
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Note:
    id: str
    customer: str | None
    contact: str | None
    author: str
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agent typed about a contact and hasn't sent yet."""

    disposition: str | None
    note: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Declared:
    """A custom field of the tenant's customers."""

    key: str
    label: str
    kind: str
    "text, number, date, flag or choice"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure took."""

    customers: int
    "The customer, and those that had been merged into it."
    contacts: int
    "Contacts that show no number from now on; their figures stay."
    recordings: int
    notes: int
    shared: int
    "Numbers that other customers have too: their contacts keep them."


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a timeline: a contact by its id, or a free note."""

    at: float
    id: str
    note: Note | None = field(default=None)


def new_id() -> str:
    return secrets.token_urlsafe(12)


def full_name(doc: Mapping[str, Any]) -> str:
    parts = [doc[one] for one in ("given", "middle", "family") if doc.get(one)]
    return " ".join(parts) or doc.get("name") or ""


def sort_of(doc: Mapping[str, Any]) -> str:
    parts = [doc[one] for one in ("family", "given", "middle", "name") if doc.get(one)]
    return words.fold(" ".join(parts))[:80]


# --- values into fields ---


def text(value: object, where: str, most: int = MAX_TEXT, *, lines: bool = False) -> str:
    """A text that is somebody's: not empty, not too long, without control characters. Raises CustomerError."""
    if not isinstance(value, str):
        raise CustomerError("BAD-INPUT", f"{where}: a text is expected.", where)
    value = value.encode("utf-8", "replace").decode().strip()
    if lines:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if not value or len(value) > most:
        raise CustomerError("BAD-INPUT", f"{where}: 1 to {most} characters are expected.", where)
    if (_CONTROL_BUT_LINES if lines else _CONTROL).search(value):
        raise CustomerError("BAD-INPUT", f"{where}: control characters can't be taken.", where)
    return value


def identity(kind: str, value: str, label: object, country: str | None, where: str) -> dict[str, Any]:
    """{kind, value, label} in its one spelling. Raises CustomerError."""
    value = text(value, where, 300 if kind == "address" else 254, lines=kind == "address")
    label = "" if label in ("", None) else text(label, where, 40)
    match kind:
        case "phone":
            number = numbers.normal(value, country)
            if number is None:
                raise CustomerError("BAD-INPUT", f"{where}: this is no telephone number.", where)
            ext = numbers.extension(value)
            value = f"{number};ext={ext}" if ext else number
        case "email":
            if not _MAIL.fullmatch(value):
                raise CustomerError("BAD-INPUT", f"{where}: this is no e-mail address.", where)
            name, _, domain = value.rpartition("@")
            value = f"{name}@{domain.lower()}"
        case "messenger":
            service, colon, handle = value.partition(":")
            if not colon or not service.isalnum() or not handle.strip():
                raise CustomerError("BAD-INPUT", f"{where}: write it like telegram:@anna.", where)
            value = f"{service.lower()}:{handle.strip()}"
        case "address":
            pass
        case _:
            raise CustomerError("BAD-INPUT", f"{where}: the kinds are {', '.join(IDENTITY_KINDS)}.", where)
    return {"kind": kind, "value": value, "label": label}


def key_of(one: Mapping[str, Any]) -> str | None:
    """What an identity is looked up by; None for a postal address."""
    value: str = one["value"]
    match one["kind"]:
        case "phone":
            return value.partition(";")[0]
        case "address":
            return None
        case _:
            return value.casefold()


def checked(
    kind: str,
    name: str,
    value: object,
    country: str | None,
    declared: Mapping[str, Declared],
    by: str,
    now: float,
) -> Any:
    """The value as it is stored in the field, None for none. Raises CustomerError."""
    if value is None:
        if name not in (*PLAIN, "badges", "companies") and not re.match(
            r"(identity|promise|consent|custom)\.", name
        ):
            raise CustomerError("BAD-INPUT", f"{name}: there is no such field.", name)
        return None
    group, _, rest = name.partition(".")
    if group in ("identity", "promise") and not ID.fullmatch(rest):
        raise CustomerError("BAD-INPUT", f"{group}: this is no id.", group)
    match group:
        case _ if not rest and name in (*PLAIN, "badges", "companies"):
            if name not in FIELDS_OF[kind]:
                raise CustomerError("BAD-INPUT", f"{name}: a {kind} has none.", name)
            return _plain(name, value)
        case "consent" if rest in CONSENTS:
            if not isinstance(value, bool):
                raise CustomerError("BAD-INPUT", f"{name}: yes or no is expected.", name)
            return {"allowed": value, "at": round(now, 3), "by": by}
        case "identity":
            if not isinstance(value, Mapping):
                raise CustomerError("BAD-INPUT", "identity: kind and value are expected.", "identity")
            of = str(value.get("kind"))
            where = of if of in IDENTITY_KINDS else "identity"
            return identity(of, str(value.get("value")), value.get("label"), country, where)
        case "promise":
            if not isinstance(value, Mapping):
                raise CustomerError("BAD-INPUT", "promise: a text is expected.", "promise")
            due = value.get("due")
            if due is not None and not 0 <= float(due) <= LAST_MOMENT:
                raise CustomerError("BAD-INPUT", "promise: due is a time in unix seconds.", "promise")
            made: dict[str, Any] = {
                "text": text(value.get("text"), "promise", 500),
                "due": None if due is None else round(float(due), 3),
                "done": bool(value.get("done", False)),
                "at": round(float(value.get("at") or now), 3),
                "by": str(value.get("by") or by),
            }
            if value.get("queue"):
                made["queue"] = text(value["queue"], "promise", 128)
            return made
        case "custom":
            known = declared.get(rest)
            if known is None:
                raise CustomerError("BAD-INPUT", f"custom: {rest[:32]!r} was not declared.", "custom")
            return _custom(known, value)
        case _:
            raise CustomerError("BAD-INPUT", f"{name[:40]}: there is no such field.", name[:40])


def _plain(name: str, value: object) -> Any:
    match name:
        case "language":
            if not isinstance(value, str) or len(value) > 35 or not _LANGUAGE.fullmatch(value):
                raise CustomerError("BAD-INPUT", "language: write it like pl or pt-BR.", name)
            return value
        case "badges" | "companies":
            if not isinstance(value, (list, tuple)) or len(value) > MAX_LIST:
                raise CustomerError("BAD-INPUT", f"{name}: a list of at most {MAX_LIST} is expected.", name)
            found = dict.fromkeys(text(one, name, 32) for one in value)
            return list(found) or None
        case _:
            return text(value, name)


_CUSTOM: dict[str, Callable[[Declared, object], bool]] = {
    # The comparison is false for NaN too.
    "number": lambda _, value: (
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 1e15
    ),
    "flag": lambda _, value: isinstance(value, bool),
    "date": lambda _, value: isinstance(value, str) and _DATE.fullmatch(value) is not None,
    "choice": lambda known, value: value in known.choices,
}


def _custom(known: Declared, value: object) -> Any:
    where = f"custom.{known.key}"
    if known.kind == "text":
        return text(value, where, 500)
    good = _CUSTOM[known.kind](known, value)
    if not good:
        expected = {"number": "a number", "flag": "yes or no", "date": "a date like 2026-12-31"}
        raise CustomerError(
            "BAD-INPUT",
            f"{where}: {expected.get(known.kind) or 'one of ' + ', '.join(known.choices)} is expected.",
            where,
        )
    return value


def whole(kind: str, doc: Mapping[str, Any]) -> None:
    """What must hold for the customer as one. Raises CustomerError."""
    if not full_name(doc) and not any(name.startswith("identity.") for name in doc):
        raise CustomerError("BAD-INPUT", "A customer needs a name, or a number or address.", "name")
    for group, most in (("identity.", MAX_IDENTITIES), ("promise.", MAX_PROMISES), ("custom.", MAX_CUSTOM)):
        if sum(name.startswith(group) for name in doc) > most:
            raise CustomerError("TOO-MANY", f"A customer has at most {most} of {group[:-1]}.", group[:-1])
