"""What every part of people stands on: the connection with its lock, the trail, and how rows become values."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_address
from typing import Any

from centrala.ledger.beside import Tables
from centrala.people import passwords
from centrala.people.roles import Role, Scope, User
from centrala.people.throttle import BY_ADDRESS, BY_USER, Throttle

IDLE = 3600.0
"Seconds without a request after which a session is over."
ABSOLUTE = 14 * 3600.0
"Seconds after which it is over in any case: a long shift."
MAX_NAME = 64

CONSOLE = "console"
"The actor and address of what is done with the `centrala` command."


class PeopleError(Exception):
    """What somebody asked for can't be, in a sentence; `code` is stable, `retry_after` in seconds."""

    def __init__(self, code: str, sentence: str, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit trail: who did what, when, from where, and how it was before and after."""

    id: int
    at: float
    actor: str
    action: str
    subject: str
    before: Any
    after: Any
    address: str


class Store(Tables):
    """One connection for all threads, behind a lock; every change leaves an entry in the trail with it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db, "The users")
        self._by_user = Throttle(BY_USER)
        self._by_address = Throttle(BY_ADDRESS)

    def _slow_down(self, throttle: Throttle, key: str, now: float) -> None:
        wait = throttle.wait(key, now)
        if wait > 0:
            raise PeopleError("SIGN-IN-SLOW", f"Too many attempts: try again in {wait:.0f} s.", wait)

    # --- the trail ---

    def audit(
        self, user: User, action: str, subject: str, now: float, address: str, after: object = None
    ) -> None:
        """What somebody did that isn't a change of people, e.g. listened to a recording."""
        with self.writing() as db:
            note(db, now, user.tenant, user.id, action, subject, None, after, address)

    def trail(self, tenant: str, *, before: int | None = None, limit: int = 100) -> list[Entry]:
        """Entries, newest first; `before` is the id of the last one seen."""
        with self.reading() as db:
            found = db.execute(
                "SELECT id, at, actor, action, subject, before, after, address FROM people_audit"
                " WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?",
                (tenant, before if before is not None else 2**62, limit),
            ).fetchall()
        return [
            Entry(one, at, actor, action, subject, loaded(was), loaded(now), address)
            for one, at, actor, action, subject, was, now, address in found
        ]


USER = (
    "u.id, u.tenant, u.name, u.roles, u.scopes, u.agent, u.active, u.password, u.totp, u.totp_new,"
    " u.totp_step, u.must_change"
)
USERS = f"SELECT {USER} FROM people_users u"


def read_user(row: Sequence[Any]) -> User:
    return User(
        id=row[0],
        tenant=row[1],
        name=row[2],
        roles=frozenset(Role(one) for one in json.loads(row[3])),
        scopes=frozenset(Scope.read(one) for one in json.loads(row[4])),
        agent=row[5],
        active=bool(row[6]),
        must_change=bool(row[11]),
    )


def shown(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "roles": sorted(user.roles),
        "scopes": sorted(map(str, user.scopes)),
        "agent": user.agent,
        "active": user.active,
    }


def note(
    db: sqlite3.Connection,
    now: float,
    tenant: str,
    actor: str,
    action: str,
    subject: str,
    before: object,
    after: object,
    address: str,
) -> None:
    db.execute(
        "INSERT INTO people_audit(at, tenant, actor, action, subject, before, after, address)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (now, tenant, actor, action, subject, dumped(before), dumped(after), address),
    )


def dumped(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=True, sort_keys=True)


def loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def as_list(values: Iterable[object]) -> str:
    return json.dumps(sorted(str(one) for one in values))


def cut(text: str) -> str:
    # Half characters can't be bound to a statement, and very long names are nobody's.
    return text[:256].encode("utf-8", "replace").decode()


def key_of(tenant: str, name: str) -> str:
    return f"{tenant}/{cut(name)}"


def place_of(address: str) -> str:
    """What attempts are counted by: an IPv6 line has 2**64 addresses of its own, so its first half stands for it."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((int(ip), 64), strict=False))


def good_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable() or "/" in name:
        raise PeopleError(
            "BAD-INPUT", f"A user's name has 1 to {MAX_NAME} printable characters and no slash."
        )
    return name


def good_password(password: str, name: str) -> str:
    problem = passwords.problem_with(password, name)
    if problem is not None:
        raise PeopleError("PASSWORD-WEAK", problem)
    return password
