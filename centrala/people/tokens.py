"""Tokens for programs: they act as the one who made them, or with less."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from centrala.people import passwords
from centrala.people.roles import Permission, User
from centrala.people.store import USER, PeopleError, Store, as_list, cut, note, read_user

MAX_TOKENS = 50


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
    began_at: float = 0.0
    "When they signed in; 0 for a token."


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    label: str
    permissions: frozenset[Permission] | None
    made_at: float
    expires_at: float | None


class Tokens(Store):
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
        with self.writing() as db:
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
                    None if granted is None else as_list(granted),
                    now,
                    expires_at,
                ),
            )
            after = {"label": label, "permissions": sorted(granted) if granted is not None else None}
            note(db, now, user.tenant, user.id, "token.made", token.id, None, after, address)
        return token, f"{token.id}.{secret}"

    def token(self, secret: str, now: float) -> Identity | None:
        """Whose token this is; None when it ran out, was deleted, or never was."""
        name, _, rest = secret.partition(".")
        with self.reading() as db:
            found = db.execute(
                f"SELECT {USER}, t.permissions, t.expires_at FROM people_tokens t JOIN people_users u ON u.id = t.user"
                " WHERE t.id = ? AND t.hash = ?",
                (cut(name), passwords.fingerprint(rest)),
            ).fetchone()
        if found is None:
            return None
        *columns, permissions, expires_at = found
        user = read_user(columns)
        if not user.active or (expires_at is not None and now >= expires_at):
            return None
        granted = (
            None if permissions is None else frozenset(Permission(one) for one in json.loads(permissions))
        )
        return Identity(replace(user, granted=granted), "token", name, expires_at or float("inf"))

    def tokens(self, user: User) -> list[Token]:
        with self.reading() as db:
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
        with self.writing() as db:
            gone = db.execute(
                "DELETE FROM people_tokens WHERE id = ? AND user = ?", (cut(name), user.id)
            ).rowcount
            if gone:
                note(db, now, user.tenant, user.id, "token.dropped", name, None, None, address)
        return gone > 0
