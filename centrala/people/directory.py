"""Users, as an administrator sees them: made, changed, let out, and helped in again."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace

from centrala.people import passwords
from centrala.people.roles import WHOLE_TENANT, Permission, Role, Scope, User
from centrala.people.store import (
    ABSOLUTE,
    CONSOLE,
    IDLE,
    USER,
    USERS,
    PeopleError,
    Store,
    as_list,
    cut,
    good_name,
    good_password,
    key_of,
    note,
    read_user,
    shown,
)

LINK_FOR = 600.0
"Seconds for which a sign-in link is good."
LINKS_KEPT = 5
"Unused ones of a user; the oldest gives way."


class Keep:
    """Says that a value stays as it is, where None is a value."""


KEEP = Keep()


@dataclass(frozen=True, slots=True)
class Card:
    """A user with what an administrator has to know beside it."""

    user: User
    changed_at: float
    "Unix seconds; tells one state of the user from another."
    seen_at: float | None
    "Last request of a session that isn't over."
    totp: bool
    passkeys: int
    sessions: int


@dataclass(frozen=True, slots=True)
class SessionShown:
    """One browser in which a user is signed in."""

    key: str
    "Hash of its secret."
    made_at: float
    seen_at: float
    address: str


class Directory(Store):
    def users(self, tenant: str) -> list[User]:
        with self.reading() as db:
            return [
                read_user(row) for row in db.execute(f"{USERS} WHERE tenant = ? ORDER BY name", (tenant,))
            ]

    def user(self, tenant: str, name: str) -> User | None:
        with self.reading() as db:
            found = db.execute(f"{USERS} WHERE tenant = ? AND name = ?", (tenant, good_name(name))).fetchone()
        return None if found is None else read_user(found)

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
        must_change: bool = False,
        actor: str = CONSOLE,
        address: str = CONSOLE,
    ) -> User:
        """A new user, whose password is a temporary one if `must_change`.

        Raises PeopleError: the name is taken or odd, the password too easy, no role.
        """
        secret = passwords.hashed(good_password(password, good_name(name)))
        with self.writing() as db:
            return self._insert(
                db, tenant, name, secret, roles, scopes, agent, now, actor, address, must_change
            )

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
        must_change: bool = False,
    ) -> User:
        user = User(
            passwords.new_secret()[:16],
            tenant,
            good_name(name),
            frozenset(roles),
            frozenset(scopes),
            agent,
            must_change=must_change,
        )
        if not user.roles or not user.scopes:
            raise PeopleError("BAD-INPUT", "A user needs at least one role and one scope.")
        try:
            db.execute(
                "INSERT INTO people_users VALUES (?, ?, ?, ?, ?, ?, 1, ?, NULL, NULL, 0, ?, ?, ?)",
                (
                    user.id,
                    tenant,
                    user.name,
                    as_list(roles),
                    as_list(scopes),
                    agent,
                    secret,
                    now,
                    now,
                    must_change,
                ),
            )
        except sqlite3.IntegrityError:
            raise PeopleError("NAME-TAKEN", f"There is a user {user.name} already.") from None
        note(db, now, tenant, actor or user.id, "user.added", user.id, None, shown(user), address)
        return user

    def set_password(
        self,
        user: User,
        password: str,
        now: float,
        *,
        keep: str | None = None,
        must_change: bool = False,
        end_tokens: bool = False,
        actor: str = CONSOLE,
        address: str = CONSOLE,
    ) -> int:
        """A new password, a temporary one if `must_change`; every session ends but `keep` (its hash), and so do the
        delays after wrong ones. Gives how many tokens stopped working, if they are to."""
        secret = passwords.hashed(good_password(password, user.name))
        with self.writing() as db:
            db.execute(
                "UPDATE people_users SET password = ?, must_change = ?, changed_at = ? WHERE id = ?",
                (secret, must_change, now, user.id),
            )
            db.execute("DELETE FROM people_links WHERE user = ?", (user.id,))
            db.execute("DELETE FROM people_sessions WHERE user = ? AND hash IS NOT ?", (user.id, keep))
            ended = 0
            if end_tokens:
                ended = db.execute("DELETE FROM people_tokens WHERE user = ?", (user.id,)).rowcount
            after = {"tokens_ended": ended} if ended else None
            note(db, now, user.tenant, actor, "password.changed", user.id, None, after, address)
        self._by_user.succeeded(key_of(user.tenant, user.name))
        return ended

    def cards(self, tenant: str, now: float) -> list[Card]:
        """All users of a tenant, by name."""
        return [card for _, card in self._cards("u.tenant = ?", (tenant,), now)]

    def card(self, tenant: str, id: str, now: float) -> Card | None:
        """One user by id; None when the tenant has none such."""
        found = self._cards("u.tenant = ? AND u.id = ?", (tenant, cut(id)), now)
        return found[0][1] if found else None

    def _cards(self, where: str, parameters: tuple[str, ...], now: float) -> list[tuple[str, Card]]:
        columns = (
            "u.changed_at,"
            " (SELECT max(seen_at) FROM people_sessions s WHERE s.user = u.id AND s.seen_at > ? AND s.made_at > ?),"
            " (SELECT count(*) FROM people_sessions s WHERE s.user = u.id AND s.seen_at > ? AND s.made_at > ?),"
            " (SELECT count(*) FROM people_passkeys k WHERE k.user = u.id)"
        )
        alive = (now - IDLE, now - ABSOLUTE) * 2
        with self.reading() as db:
            rows = db.execute(
                f"SELECT {USER}, {columns} FROM people_users u WHERE {where} ORDER BY u.name",
                (*alive, *parameters),
            ).fetchall()
        return [
            (row[0], Card(read_user(row), row[12], row[13], row[8] is not None, row[15], row[14]))
            for row in rows
        ]

    def change(
        self,
        user: User,
        now: float,
        *,
        roles: Iterable[Role] | None = None,
        scopes: Iterable[Scope] | None = None,
        agent: str | Keep | None = KEEP,
        active: bool | None = None,
        actor: str = CONSOLE,
        address: str = CONSOLE,
    ) -> User:
        """Change what is given. Who is no longer active is out at once: sessions end, tokens stop working.

        Raises PeopleError LAST-ADMINISTRATOR where nobody would be left to undo it.
        """
        with self.writing() as db:
            row = db.execute(f"{USERS} WHERE u.id = ?", (user.id,)).fetchone()
            if row is None:
                raise PeopleError("NOT-FOUND", "There is no such user any more.")
            before = read_user(row)
            after = replace(
                before,
                roles=before.roles if roles is None else frozenset(roles),
                scopes=before.scopes if scopes is None else frozenset(scopes),
                agent=before.agent if isinstance(agent, Keep) else agent,
                active=before.active if active is None else active,
            )
            if after == before:
                return after
            if not after.roles or not after.scopes:
                raise PeopleError("BAD-INPUT", "A user needs at least one role and one scope.")
            if _administers(before) and not _administers(after):
                others = db.execute(f"{USERS} WHERE u.tenant = ? AND u.id != ?", (user.tenant, user.id))
                if not any(_administers(read_user(one)) for one in others):
                    raise PeopleError(
                        "LAST-ADMINISTRATOR",
                        "Nobody else administers this centre: make another administrator first.",
                    )
            db.execute(
                "UPDATE people_users SET roles = ?, scopes = ?, agent = ?, active = ?, changed_at = ? WHERE id = ?",
                (as_list(after.roles), as_list(after.scopes), after.agent, after.active, now, user.id),
            )
            if not after.active:
                db.execute("DELETE FROM people_sessions WHERE user = ?", (user.id,))
                db.execute("DELETE FROM people_links WHERE user = ?", (user.id,))
            note(db, now, user.tenant, actor, "user.changed", user.id, shown(before), shown(after), address)
        return after

    def set_active(
        self, user: User, active: bool, now: float, *, actor: str = CONSOLE, address: str = CONSOLE
    ) -> User:
        """Let somebody in again, or out at once."""
        return self.change(user, now, active=active, actor=actor, address=address)

    def temporary_password(
        self, user: User, now: float, *, end_tokens: bool = True, actor: str, address: str
    ) -> tuple[str, int]:
        """(a password that its owner must change at the first sign-in, tokens that stopped working).

        Every session ends, and tokens too: whoever had the password may have made one.
        """
        password = passwords.temporary()
        ended = self.set_password(
            user, password, now, must_change=True, end_tokens=end_tokens, actor=actor, address=address
        )
        return password, ended

    def take_second_factors(
        self, user: User, now: float, *, actor: str = CONSOLE, address: str = CONSOLE
    ) -> None:
        """For who lost their telephone: neither authenticator nor passkeys any more."""
        with self.writing() as db:
            db.execute("UPDATE people_users SET totp = NULL, totp_new = NULL WHERE id = ?", (user.id,))
            db.execute("DELETE FROM people_passkeys WHERE user = ?", (user.id,))
            note(db, now, user.tenant, actor, "factors.taken", user.id, None, None, address)

    def sessions(self, user: User, now: float) -> list[SessionShown]:
        """Where the user is signed in, the last seen first."""
        with self.reading() as db:
            return [
                SessionShown(*row)
                for row in db.execute(
                    "SELECT hash, made_at, seen_at, address FROM people_sessions"
                    " WHERE user = ? AND seen_at > ? AND made_at > ? ORDER BY seen_at DESC, hash",
                    (user.id, now - IDLE, now - ABSOLUTE),
                )
            ]

    def end_sessions(
        self, user: User, now: float, *, keep: str | None = None, actor: str = CONSOLE, address: str = CONSOLE
    ) -> int:
        """Every session of the user ends but `keep` (its hash); gives how many did."""
        with self.writing() as db:
            ended = db.execute(
                "DELETE FROM people_sessions WHERE user = ? AND hash IS NOT ?", (user.id, keep)
            ).rowcount
            db.execute("DELETE FROM people_links WHERE user = ?", (user.id,))
            note(db, now, user.tenant, actor, "sessions.ended", user.id, None, {"sessions": ended}, address)
        return ended

    def link(self, user: User, now: float, *, actor: str = CONSOLE, address: str = CONSOLE) -> str:
        """The secret of a link that signs the user in, once, within ten minutes. Only its hash is kept."""
        secret = passwords.new_secret()
        with self.writing() as db:
            db.execute(
                "INSERT INTO people_links VALUES (?, ?, ?)", (passwords.fingerprint(secret), user.id, now)
            )
            db.execute("DELETE FROM people_links WHERE made_at < ?", (now - LINK_FOR,))
            db.execute(
                "DELETE FROM people_links WHERE user = ?1 AND hash NOT IN (SELECT hash FROM people_links"
                " WHERE user = ?1 ORDER BY made_at DESC, hash LIMIT ?2)",
                (user.id, LINKS_KEPT),
            )
            note(db, now, user.tenant, actor, "link.made", user.id, None, None, address)
        return secret


def _administers(user: User) -> bool:
    return user.active and user.whole_tenant and Permission.USERS in user.permissions
