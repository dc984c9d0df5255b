"""Everything about people that is stored: users, sign-in, sessions, tokens, sign-up codes, the audit trail.

Methods are plain and block for a moment (a hash takes some 20 ms, a write waits for the disk): a shell calls them
from a thread. Every change leaves an entry in the trail, in the same transaction.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from centrala.ledger import LedgerUnavailable
from centrala.people import passwords
from centrala.people.roles import WHOLE_TENANT, Permission, Role, Scope, User
from centrala.people.tables import connect
from centrala.people.throttle import BY_ADDRESS, BY_USER, Throttle

IDLE = 3600.0
"Seconds without a request after which a session is over."
ABSOLUTE = 14 * 3600.0
"Seconds after which it is over in any case: a long shift."
SEEN_EVERY = 60.0
MAX_SESSIONS = 10
"Of one user; the oldest gives way."
MAX_TOKENS = 50
MAX_NAME = 64
CODES_KEPT = 5


class PeopleError(Exception):
    """What somebody asked for can't be, in a sentence; `code` is stable, `retry_after` in seconds."""

    def __init__(self, code: str, sentence: str, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: a person in a session, or a program with a token."""

    user: User
    via: str
    "session or token"
    key: str
    "Hash of the session, or id of the token."
    ends_at: float
    "Unix seconds."


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    label: str
    permissions: frozenset[Permission] | None
    made_at: float
    expires_at: float | None


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


CONSOLE = "console"
"The actor and address of what is done with the `centrala` command."


def open_people(data: Path) -> "People":
    """The people of a data folder. Raises DataFolderError with a sentence."""
    return People(connect(data))


class People:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._lock = threading.RLock()
        self._by_user = Throttle(BY_USER)
        self._by_address = Throttle(BY_ADDRESS)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # --- users ---

    def users(self, tenant: str) -> list[User]:
        with self._reading() as db:
            return [_user(row) for row in db.execute(f"{_USERS} WHERE tenant = ? ORDER BY name", (tenant,))]

    def user(self, tenant: str, name: str) -> User | None:
        with self._reading() as db:
            found = db.execute(f"{_USERS} WHERE tenant = ? AND name = ?", (tenant, _name(name))).fetchone()
        return None if found is None else _user(found)

    def add(
        self,
        tenant: str,
        name: str,
        password: str,
        roles: Iterable[Role],
        now: float,
        *,
        scopes: Iterable[Scope] = (WHOLE_TENANT,),
        agent: str | None = None,
        actor: str = CONSOLE,
        address: str = CONSOLE,
    ) -> User:
        """A new user. Raises PeopleError: the name is taken or odd, the password too easy, no role."""
        secret = passwords.hashed(_good(password, _name(name)))
        with self._writing() as db:
            return self._insert(db, tenant, name, secret, roles, scopes, agent, now, actor, address)

    def _insert(
        self,
        db: sqlite3.Connection,
        tenant: str,
        name: str,
        secret: str,
        roles: Iterable[Role],
        scopes: Iterable[Scope],
        agent: str | None,
        now: float,
        actor: str,
        address: str,
    ) -> User:
        user = User(
            passwords.new_secret()[:16], tenant, _name(name), frozenset(roles), frozenset(scopes), agent
        )
        if not user.roles or not user.scopes:
            raise PeopleError("BAD-INPUT", "A user needs at least one role and one scope.")
        try:
            db.execute(
                "INSERT INTO people_users VALUES (?, ?, ?, ?, ?, ?, 1, ?, NULL, NULL, 0, ?, ?)",
                (user.id, tenant, user.name, _list(roles), _list(scopes), agent, secret, now, now),
            )
        except sqlite3.IntegrityError:
            raise PeopleError("NAME-TAKEN", f"There is a user {user.name} already.") from None
        _audit(db, now, tenant, actor or user.id, "user.added", user.id, None, _shown(user), address)
        return user

    def set_password(
        self,
        user: User,
        password: str,
        now: float,
        *,
        keep: str | None = None,
        actor: str = CONSOLE,
        address: str = CONSOLE,
    ) -> None:
        """A new password; every session ends but `keep` (its hash), and so do the delays after wrong ones."""
        secret = passwords.hashed(_good(password, user.name))
        with self._writing() as db:
            db.execute(
                "UPDATE people_users SET password = ?, changed_at = ? WHERE id = ?", (secret, now, user.id)
            )
            db.execute("DELETE FROM people_sessions WHERE user = ? AND hash IS NOT ?", (user.id, keep))
            _audit(db, now, user.tenant, actor, "password.changed", user.id, None, None, address)
        self._by_user.succeeded(_key(user.tenant, user.name))

    def set_active(
        self, user: User, active: bool, now: float, *, actor: str = CONSOLE, address: str = CONSOLE
    ) -> User:
        """Let somebody in again, or out at once: sessions end, tokens stop working."""
        with self._writing() as db:
            db.execute(
                "UPDATE people_users SET active = ?, changed_at = ? WHERE id = ?", (active, now, user.id)
            )
            if not active:
                db.execute("DELETE FROM people_sessions WHERE user = ?", (user.id,))
            after = replace(user, active=active)
            _audit(db, now, user.tenant, actor, "user.changed", user.id, _shown(user), _shown(after), address)
        return after

    # --- the first user ---

    def sign_up_code(self, tenant: str, now: float) -> str | None:
        """A single-use code that makes the tenant's first user; None when there is one. Only its hash is kept."""
        with self._writing() as db:
            if db.execute("SELECT 1 FROM people_users WHERE tenant = ? LIMIT 1", (tenant,)).fetchone():
                return None
            code = passwords.new_secret()
            db.execute(
                "INSERT INTO people_codes VALUES (?, ?, ?)", (passwords.fingerprint(code), tenant, now)
            )
            db.execute(
                "DELETE FROM people_codes WHERE tenant = ?1 AND hash NOT IN (SELECT hash FROM people_codes"
                " WHERE tenant = ?1 ORDER BY made_at DESC, hash LIMIT ?2)",
                (tenant, CODES_KEPT),
            )
            return code

    def sign_up(self, code: str, name: str, password: str, now: float, address: str) -> User:
        """The first user, by the code: administrator and supervisor. Raises PeopleError."""
        where = f"sign-up {address}"
        self._slow_down(self._by_address, where, now)
        self._by_address.attempt(where, now)
        secret = passwords.hashed(_good(password, _name(name)))
        with self._writing() as db:
            found = db.execute(
                "SELECT tenant FROM people_codes WHERE hash = ?", (passwords.fingerprint(code),)
            ).fetchone()
            if found is None:
                raise PeopleError("CODE-WRONG", "This sign-up code is wrong, or was used already.")
            tenant: str = found[0]
            db.execute("DELETE FROM people_codes WHERE tenant = ?", (tenant,))
            if db.execute("SELECT 1 FROM people_users WHERE tenant = ? LIMIT 1", (tenant,)).fetchone():
                raise PeopleError("CODE-WRONG", "This sign-up code is wrong, or was used already.")
            roles = (Role.ADMINISTRATOR, Role.SUPERVISOR)
            user = self._insert(db, tenant, name, secret, roles, (WHOLE_TENANT,), None, now, "", address)
        self._by_address.take_back(where)
        return user

    # --- sign-in ---

    def sign_in(
        self, tenant: str, name: str, password: str, code: str, now: float, address: str
    ) -> tuple[str, User]:
        """A session's secret and its user. Raises PeopleError: SIGN-IN-WRONG, SIGN-IN-SLOW, CODE-NEEDED."""
        user_key, address_key = _key(tenant, name), f"from {address}"
        with self._lock:  # look and count are one step, or a crowd of guesses gets through between them
            self._slow_down(self._by_user, user_key, now)
            self._slow_down(self._by_address, address_key, now)
            self._by_user.attempt(user_key, now)
            self._by_address.attempt(address_key, now)
        with self._reading() as db:
            found = db.execute(f"{_USERS} WHERE tenant = ? AND name = ?", (tenant, _cut(name))).fetchone()
        good = passwords.verify(found[7] if found else passwords.NOBODY, password)
        if not found or not good or not found[6]:
            self._note_failure(found, tenant, now, address)
            raise PeopleError("SIGN-IN-WRONG", "The name or the password is wrong.")
        user = _user(found)
        step: int | None = None
        if found[8] is not None:
            if not code:
                self._by_user.take_back(user_key)
                self._by_address.take_back(address_key)
                raise PeopleError("CODE-NEEDED", "Enter the code that your authenticator shows.")
            step = passwords.totp_step(found[8], code, now, found[10])
            if step is None:
                self._note_failure(found, tenant, now, address)
                raise PeopleError("SIGN-IN-WRONG", "The code is wrong, or was used already.")
        secret = passwords.new_secret()
        with self._writing() as db:
            if step is not None:
                taken = db.execute(
                    "UPDATE people_users SET totp_step = ?1 WHERE id = ?2 AND totp_step < ?1", (step, user.id)
                ).rowcount
                if not taken:
                    raise PeopleError("SIGN-IN-WRONG", "The code is wrong, or was used already.")
            db.execute(
                "INSERT INTO people_sessions VALUES (?, ?, ?, ?, ?)",
                (passwords.fingerprint(secret), user.id, now, now, address),
            )
            db.execute(
                "DELETE FROM people_sessions WHERE made_at < ? OR seen_at < ?", (now - ABSOLUTE, now - IDLE)
            )
            db.execute(
                "DELETE FROM people_sessions WHERE user = ?1 AND hash NOT IN (SELECT hash FROM people_sessions"
                " WHERE user = ?1 ORDER BY made_at DESC, hash LIMIT ?2)",
                (user.id, MAX_SESSIONS),
            )
            _audit(db, now, tenant, user.id, "session.began", user.id, None, None, address)
        self._by_user.succeeded(user_key)
        self._by_address.take_back(address_key)
        return secret, user

    def _slow_down(self, throttle: Throttle, key: str, now: float) -> None:
        wait = throttle.wait(key, now)
        if wait > 0:
            raise PeopleError("SIGN-IN-SLOW", f"Too many attempts: try again in {wait:.0f} s.", wait)

    def _note_failure(self, found: Any, tenant: str, now: float, address: str) -> None:
        # Names that don't exist are not kept: people type passwords there.
        if found:
            with self._writing() as db:
                _audit(db, now, tenant, found[0], "session.refused", found[0], None, None, address)

    def check_password(self, user: User, password: str, now: float) -> None:
        """Somebody signed in says it again before a change that matters. Raises PeopleError."""
        key = _key(user.tenant, user.name)
        with self._lock:
            self._slow_down(self._by_user, key, now)
            self._by_user.attempt(key, now)
        with self._reading() as db:
            found = db.execute("SELECT password FROM people_users WHERE id = ?", (user.id,)).fetchone()
        if found is None or not passwords.verify(found[0], password):
            raise PeopleError("PASSWORD-WRONG", "The password is wrong.")
        self._by_user.succeeded(key)

    # --- sessions ---

    def session(self, secret: str, now: float) -> Identity | None:
        """Whose session this is; None when it is over, or never was."""
        key = passwords.fingerprint(secret)
        with self._reading() as db:
            found = db.execute(
                f"SELECT {_USER}, s.made_at, s.seen_at FROM people_sessions s JOIN people_users u ON u.id = s.user"
                " WHERE s.hash = ?",
                (key,),
            ).fetchone()
        if found is None:
            return None
        *columns, made_at, seen_at = found
        user = _user(columns)
        ends_at = min(made_at + ABSOLUTE, seen_at + IDLE)
        if now >= ends_at or not user.active:
            return None
        if now - seen_at > SEEN_EVERY:
            with self._writing() as db:
                db.execute("UPDATE people_sessions SET seen_at = ? WHERE hash = ?", (now, key))
            ends_at = min(made_at + ABSOLUTE, now + IDLE)
        return Identity(user, "session", key, ends_at)

    def sign_out(self, identity: Identity, now: float, address: str) -> None:
        user = identity.user
        with self._writing() as db:
            db.execute("DELETE FROM people_sessions WHERE hash = ?", (identity.key,))
            _audit(db, now, user.tenant, user.id, "session.ended", user.id, None, None, address)

    # --- one-time codes ---

    def totp_begin(self, user: User, now: float, address: str) -> tuple[str, str]:
        """(secret, otpauth: URI) for an authenticator; counts once `totp_confirm` has seen a code of it."""
        secret = passwords.new_totp()
        with self._writing() as db:
            db.execute("UPDATE people_users SET totp_new = ? WHERE id = ?", (secret, user.id))
            _audit(db, now, user.tenant, user.id, "totp.begun", user.id, None, None, address)
        return secret, passwords.totp_uri(secret, user.name, f"Centrala {user.tenant}")

    def totp_confirm(self, user: User, code: str, now: float, address: str) -> None:
        with self._writing() as db:
            found = db.execute("SELECT totp_new FROM people_users WHERE id = ?", (user.id,)).fetchone()
            step = passwords.totp_step(found[0], code, now, 0) if found and found[0] else None
            if step is None:
                raise PeopleError("CODE-WRONG", "The code is wrong: is the authenticator's clock right?")
            db.execute(
                "UPDATE people_users SET totp = totp_new, totp_new = NULL, totp_step = ? WHERE id = ?",
                (step, user.id),
            )
            _audit(db, now, user.tenant, user.id, "totp.on", user.id, None, None, address)

    def totp_remove(self, user: User, now: float, *, actor: str = CONSOLE, address: str = CONSOLE) -> None:
        with self._writing() as db:
            db.execute("UPDATE people_users SET totp = NULL, totp_new = NULL WHERE id = ?", (user.id,))
            _audit(db, now, user.tenant, actor, "totp.off", user.id, None, None, address)

    # --- tokens ---

    def new_token(
        self,
        user: User,
        label: str,
        permissions: Iterable[Permission] | None,
        expires_at: float | None,
        now: float,
        address: str,
    ) -> tuple[Token, str]:
        """A token and its secret, which is shown this once. Raises PeopleError for more than the user may do."""
        granted = None if permissions is None else frozenset(permissions)
        if granted is not None and not granted <= user.permissions:
            raise PeopleError("NOT-ALLOWED", "A token can't do more than the one who makes it.")
        secret = passwords.new_secret()
        token = Token(passwords.new_secret()[:12], label, granted, now, expires_at)
        with self._writing() as db:
            count = db.execute("SELECT count(*) FROM people_tokens WHERE user = ?", (user.id,)).fetchone()[0]
            if count >= MAX_TOKENS:
                raise PeopleError("TOO-MANY", f"There are {count} tokens already: delete one first.")
            db.execute(
                "INSERT INTO people_tokens VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    token.id,
                    user.id,
                    passwords.fingerprint(secret),
                    label,
                    None if granted is None else _list(granted),
                    now,
                    expires_at,
                ),
            )
            after = {"label": label, "permissions": sorted(granted) if granted is not None else None}
            _audit(db, now, user.tenant, user.id, "token.made", token.id, None, after, address)
        return token, f"{token.id}.{secret}"

    def token(self, secret: str, now: float) -> Identity | None:
        """Whose token this is; None when it ran out, was deleted, or never was."""
        name, _, rest = secret.partition(".")
        with self._reading() as db:
            found = db.execute(
                f"SELECT {_USER}, t.permissions, t.expires_at FROM people_tokens t JOIN people_users u ON u.id = t.user"
                " WHERE t.id = ? AND t.hash = ?",
                (_cut(name), passwords.fingerprint(rest)),
            ).fetchone()
        if found is None:
            return None
        *columns, permissions, expires_at = found
        user = _user(columns)
        if not user.active or (expires_at is not None and now >= expires_at):
            return None
        granted = (
            None if permissions is None else frozenset(Permission(one) for one in json.loads(permissions))
        )
        return Identity(replace(user, granted=granted), "token", name, expires_at or float("inf"))

    def tokens(self, user: User) -> list[Token]:
        with self._reading() as db:
            found = db.execute(
                "SELECT id, label, permissions, made_at, expires_at FROM people_tokens WHERE user = ?"
                " ORDER BY made_at, id",
                (user.id,),
            ).fetchall()
        return [
            Token(
                one,
                label,
                None if given is None else frozenset(Permission(name) for name in json.loads(given)),
                made_at,
                expires_at,
            )
            for one, label, given, made_at, expires_at in found
        ]

    def drop_token(self, user: User, name: str, now: float, address: str) -> bool:
        """Delete one of the user's own. False when there is none of this id."""
        with self._writing() as db:
            gone = db.execute(
                "DELETE FROM people_tokens WHERE id = ? AND user = ?", (_cut(name), user.id)
            ).rowcount
            if gone:
                _audit(db, now, user.tenant, user.id, "token.dropped", name, None, None, address)
        return gone > 0

    # --- the trail ---

    def audit(
        self, user: User, action: str, subject: str, now: float, address: str, after: object = None
    ) -> None:
        """What somebody did that isn't a change of people, e.g. listened to a recording."""
        with self._writing() as db:
            _audit(db, now, user.tenant, user.id, action, subject, None, after, address)

    def trail(self, tenant: str, *, before: int | None = None, limit: int = 100) -> list[Entry]:
        """Entries, newest first; `before` is the id of the last one seen."""
        with self._reading() as db:
            found = db.execute(
                "SELECT id, at, actor, action, subject, before, after, address FROM people_audit"
                " WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?",
                (tenant, before if before is not None else 2**62, limit),
            ).fetchall()
        return [
            Entry(one, at, actor, action, subject, _loaded(was), _loaded(now), address)
            for one, at, actor, action, subject, was, now, address in found
        ]

    # --- the database ---

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"The users can't be read now ({problem}).") from problem

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                finally:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
            except sqlite3.Error as problem:
                raise LedgerUnavailable(f"The users can't be written now ({problem}).") from problem


_USER = "u.id, u.tenant, u.name, u.roles, u.scopes, u.agent, u.active, u.password, u.totp, u.totp_new, u.totp_step"
_USERS = f"SELECT {_USER} FROM people_users u"


def _user(row: Sequence[Any]) -> User:
    return User(
        id=row[0],
        tenant=row[1],
        name=row[2],
        roles=frozenset(Role(one) for one in json.loads(row[3])),
        scopes=frozenset(Scope.read(one) for one in json.loads(row[4])),
        agent=row[5],
        active=bool(row[6]),
    )


def _shown(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "roles": sorted(user.roles),
        "scopes": sorted(map(str, user.scopes)),
        "agent": user.agent,
        "active": user.active,
    }


def _audit(
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
        (now, tenant, actor, action, subject, _dumped(before), _dumped(after), address),
    )


def _dumped(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=True, sort_keys=True)


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _list(values: Iterable[object]) -> str:
    return json.dumps(sorted(str(one) for one in values))


def _cut(text: str) -> str:
    # Half characters can't be bound to a statement, and very long names are nobody's.
    return text[:256].encode("utf-8", "replace").decode()


def _key(tenant: str, name: str) -> str:
    return f"{tenant}/{_cut(name)}"


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable() or "/" in name:
        raise PeopleError(
            "BAD-INPUT", f"A user's name has 1 to {MAX_NAME} printable characters and no slash."
        )
    return name


def _good(password: str, name: str) -> str:
    problem = passwords.problem_with(password, name)
    if problem is not None:
        raise PeopleError("PASSWORD-WEAK", problem)
    return password
