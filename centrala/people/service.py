"""Everything about people that is stored: users, sign-in, sessions, tokens, sign-up codes, the audit trail.

Methods are plain and block for a moment (a hash takes some 20 ms, a write waits for the disk): a shell calls them
from a thread. Every change leaves an entry in the trail, in the same transaction.
"""

import sqlite3
from pathlib import Path
from typing import Any

from centrala.people import passwords
from centrala.people.changes import Changes
from centrala.people.directory import LINK_FOR, Directory
from centrala.people.passkeys import Passkeys
from centrala.people.roles import WHOLE_TENANT, Role, User
from centrala.people.store import (
    ABSOLUTE,
    CONSOLE,
    IDLE,
    USER,
    USERS,
    PeopleError,
    cut,
    good_name,
    good_password,
    key_of,
    note,
    place_of,
    read_user,
)
from centrala.people.tables import connect
from centrala.people.tokens import Identity, Tokens

SEEN_EVERY = 60.0
MAX_SESSIONS = 10
"Of one user; the oldest gives way."
CODES_KEPT = 5


def open_people(data: Path) -> "People":
    """The people of a data folder. Raises DataFolderError with a sentence."""
    return People(connect(data))


class People(Directory, Tokens, Passkeys, Changes):
    """Sign-in and sessions; users are told in `directory`, tokens and passkeys in files of their names."""

    # --- the first user ---

    def sign_up_code(self, tenant: str, now: float) -> str | None:
        """A single-use code that makes the tenant's first user; None when there is one. Only its hash is kept."""
        with self.writing() as db:
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
        where = f"sign-up {place_of(address)}"
        self._slow_down(self._by_address, where, now)
        self._by_address.attempt(where, now)
        secret = passwords.hashed(good_password(password, good_name(name)))
        with self.writing() as db:
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
        user_key, address_key = key_of(tenant, name), f"from {place_of(address)}"
        with self._lock:  # look and count are one step, or a crowd of guesses gets through between them
            self._slow_down(self._by_user, user_key, now)
            self._slow_down(self._by_address, address_key, now)
            self._by_user.attempt(user_key, now)
            self._by_address.attempt(address_key, now)
        with self.reading() as db:
            found = db.execute(f"{USERS} WHERE tenant = ? AND name = ?", (tenant, cut(name))).fetchone()
        good = passwords.verify(found[7] if found else passwords.NOBODY, password)
        if not found or not good or not found[6]:
            self._note_failure(found, tenant, now, address)
            raise PeopleError("SIGN-IN-WRONG", "The name or the password is wrong.")
        user = read_user(found)
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
        with self.writing() as db:
            if step is not None:
                taken = db.execute(
                    "UPDATE people_users SET totp_step = ?1 WHERE id = ?2 AND totp_step < ?1", (step, user.id)
                ).rowcount
                if not taken:
                    raise PeopleError("SIGN-IN-WRONG", "The code is wrong, or was used already.")
            secret = _begin(db, user, now, address, "password")
        self._by_user.succeeded(user_key)
        self._by_address.take_back(address_key)
        return secret, user

    def sign_in_by_link(self, link: str, now: float, address: str) -> tuple[str, User]:
        """A session's secret and its user, by the secret of a link. Raises PeopleError SIGN-IN-WRONG, SIGN-IN-SLOW."""
        where = f"link {place_of(address)}"
        self._slow_down(self._by_address, where, now)
        self._by_address.attempt(where, now)
        with self.writing() as db:
            mark = passwords.fingerprint(link)
            row = db.execute(
                f"SELECT {USER}, l.made_at FROM people_links l JOIN people_users u ON u.id = l.user WHERE l.hash = ?",
                (mark,),
            ).fetchone()
            user = None if row is None else read_user(row)
            if user is None or not user.active or now - row[-1] >= LINK_FOR:
                raise PeopleError(
                    "SIGN-IN-WRONG", "This link is too old, or was used already: ask for another."
                )
            db.execute("DELETE FROM people_links WHERE hash = ?", (mark,))
            secret = _begin(db, user, now, address, "link")
        self._by_address.take_back(where)
        return secret, user

    def sign_in_by_passkey(
        self, credential: dict[str, Any], host: str, origin: str, now: float, address: str
    ) -> tuple[str, User]:
        """A session's secret and its user, by what a passkey answered. Raises as a link does."""
        where = f"passkey {place_of(address)}"
        self._slow_down(self._by_address, where, now)
        self._by_address.attempt(where, now)
        user = self._passkey_user(credential, host, origin, now)
        with self.writing() as db:
            secret = _begin(db, user, now, address, "passkey")
        self._by_address.take_back(where)
        return secret, user

    def _note_failure(self, found: Any, tenant: str, now: float, address: str) -> None:
        # Names that don't exist are not kept: people type passwords there.
        if found:
            with self.writing() as db:
                note(db, now, tenant, found[0], "session.refused", found[0], None, None, address)

    def check_password(self, user: User, password: str, now: float) -> None:
        """Somebody signed in says it again before a change that matters. Raises PeopleError."""
        key = key_of(user.tenant, user.name)
        with self._lock:
            self._slow_down(self._by_user, key, now)
            self._by_user.attempt(key, now)
        with self.reading() as db:
            found = db.execute("SELECT password FROM people_users WHERE id = ?", (user.id,)).fetchone()
        if found is None or not passwords.verify(found[0], password):
            raise PeopleError("PASSWORD-WRONG", "The password is wrong.")
        self._by_user.succeeded(key)

    # --- sessions ---

    def session(self, secret: str, now: float) -> Identity | None:
        """Whose session this is; None when it is over, or never was."""
        key = passwords.fingerprint(secret)
        with self.reading() as db:
            found = db.execute(
                f"SELECT {USER}, s.made_at, s.seen_at FROM people_sessions s JOIN people_users u ON u.id = s.user"
                " WHERE s.hash = ?",
                (key,),
            ).fetchone()
        if found is None:
            return None
        *columns, made_at, seen_at = found
        user = read_user(columns)
        ends_at = min(made_at + ABSOLUTE, seen_at + IDLE)
        if now >= ends_at or not user.active:
            return None
        if now - seen_at > SEEN_EVERY:
            with self.writing() as db:
                db.execute("UPDATE people_sessions SET seen_at = ? WHERE hash = ?", (now, key))
            ends_at = min(made_at + ABSOLUTE, now + IDLE)
        return Identity(user, "session", key, ends_at, made_at)

    def sign_out(self, identity: Identity, now: float, address: str) -> None:
        user = identity.user
        with self.writing() as db:
            db.execute("DELETE FROM people_sessions WHERE hash = ?", (identity.key,))
            note(db, now, user.tenant, user.id, "session.ended", user.id, None, None, address)

    # --- one-time codes ---

    def totp_begin(self, user: User, now: float, address: str) -> tuple[str, str]:
        """(secret, otpauth: URI) for an authenticator; counts once `totp_confirm` has seen a code of it.

        Raises PeopleError IN-USE where there is one: taking it off asks for the password, so putting another in its
        place must not do without.
        """
        secret = passwords.new_totp()
        with self.writing() as db:
            if db.execute(
                "SELECT 1 FROM people_users WHERE id = ? AND totp IS NOT NULL", (user.id,)
            ).fetchone():
                raise PeopleError("IN-USE", "There is an authenticator already: switch it off first.")
            db.execute("UPDATE people_users SET totp_new = ? WHERE id = ?", (secret, user.id))
            note(db, now, user.tenant, user.id, "totp.begun", user.id, None, None, address)
        return secret, passwords.totp_uri(secret, user.name, f"Centrala {user.tenant}")

    def totp_confirm(self, user: User, code: str, now: float, address: str) -> None:
        with self.writing() as db:
            found = db.execute("SELECT totp_new FROM people_users WHERE id = ?", (user.id,)).fetchone()
            step = passwords.totp_step(found[0], code, now, 0) if found and found[0] else None
            if step is None:
                raise PeopleError("CODE-WRONG", "The code is wrong: is the authenticator's clock right?")
            db.execute(
                "UPDATE people_users SET totp = totp_new, totp_new = NULL, totp_step = ? WHERE id = ?",
                (step, user.id),
            )
            note(db, now, user.tenant, user.id, "totp.on", user.id, None, None, address)

    def totp_remove(self, user: User, now: float, *, actor: str = CONSOLE, address: str = CONSOLE) -> None:
        with self.writing() as db:
            db.execute("UPDATE people_users SET totp = NULL, totp_new = NULL WHERE id = ?", (user.id,))
            note(db, now, user.tenant, actor, "totp.off", user.id, None, None, address)


def _begin(db: sqlite3.Connection, user: User, now: float, address: str, how: str) -> str:
    """A new session; gives its secret."""
    secret = passwords.new_secret()
    db.execute(
        "INSERT INTO people_sessions VALUES (?, ?, ?, ?, ?)",
        (passwords.fingerprint(secret), user.id, now, now, address),
    )
    db.execute("DELETE FROM people_sessions WHERE made_at < ? OR seen_at < ?", (now - ABSOLUTE, now - IDLE))
    db.execute(
        "DELETE FROM people_sessions WHERE user = ?1 AND hash NOT IN (SELECT hash FROM people_sessions"
        " WHERE user = ?1 ORDER BY made_at DESC, hash LIMIT ?2)",
        (user.id, MAX_SESSIONS),
    )
    note(db, now, user.tenant, user.id, "session.began", user.id, None, {"by": how}, address)
    return secret
