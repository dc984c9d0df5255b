"""Passkeys (WebAuthn level 2): a key in the user's device in place of name, password and code.

A passkey belongs to the host name at which it was made; browsers don't make any for bare IP addresses.
"""

import json
import sqlite3
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from centrala.people.roles import User
from centrala.people.store import USER, PeopleError, Store, cut, note, read_user

MAX_PASSKEYS = 20
CHALLENGE_FOR = 300.0
"Seconds for somebody to touch the device."
CHALLENGES_KEPT = 10_000
UNUSABLE = "This passkey can't be used: try again, or sign in with the password."


@dataclass(frozen=True, slots=True)
class Passkey:
    id: str
    label: str
    made_at: float
    used_at: float | None


class Passkeys(Store):
    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self._challenges: OrderedDict[str, tuple[str, float]] = OrderedDict()
        "Challenge as the browser repeats it → who makes a passkey (nobody: it's a sign-in), and until when."

    def passkeys(self, user: User) -> list[Passkey]:
        with self.reading() as db:
            found = db.execute(
                "SELECT id, label, made_at, used_at FROM people_passkeys WHERE user = ? ORDER BY made_at, id",
                (user.id,),
            ).fetchall()
        return [Passkey(*row) for row in found]

    def passkey_begin(self, user: User, house: str, host: str, now: float) -> dict[str, Any]:
        """What `navigator.credentials.create` wants, as JSON. Raises PeopleError TOO-MANY."""
        import webauthn  # half a second and 20 MB that a centre without passkeys needn't spend
        from webauthn.helpers import structs as s

        have = self.passkeys(user)
        if len(have) >= MAX_PASSKEYS:
            raise PeopleError("TOO-MANY", f"There are {len(have)} passkeys already: remove one first.")
        options = webauthn.generate_registration_options(
            rp_id=host,
            rp_name=house,
            user_id=user.id.encode(),
            user_name=user.name,
            authenticator_selection=s.AuthenticatorSelectionCriteria(
                resident_key=s.ResidentKeyRequirement.REQUIRED,
                user_verification=s.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                s.PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(one.id)) for one in have
            ],
        )
        return self._asked(options, user.id, now)

    def passkey_add(
        self,
        user: User,
        credential: dict[str, Any],
        label: str,
        host: str,
        origin: str,
        now: float,
        address: str,
    ) -> Passkey:
        """Keep what the device made. Raises PeopleError CODE-WRONG where it doesn't answer our question."""
        import webauthn

        challenge = self._answered(credential, user.id, now)
        try:
            made = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=host,
                expected_origin=origin,
                require_user_verification=True,
            )
        except Exception as problem:  # foreign parsers of foreign bytes: they raise anything
            raise PeopleError("CODE-WRONG", UNUSABLE) from problem
        name = webauthn.helpers.bytes_to_base64url(made.credential_id)
        with self.writing() as db:
            try:
                db.execute(
                    "INSERT INTO people_passkeys VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                    (name, user.id, host, made.credential_public_key, made.sign_count, label, now),
                )
            except sqlite3.IntegrityError:
                raise PeopleError("NAME-TAKEN", "This passkey is known already.") from None
            note(db, now, user.tenant, user.id, "passkey.added", user.id, None, {"label": label}, address)
        return Passkey(name, label, now, None)

    def passkey_remove(self, user: User, name: str, now: float, address: str) -> bool:
        """Remove one of the user's own. False when there is none of this id."""
        with self.writing() as db:
            found = db.execute(
                "DELETE FROM people_passkeys WHERE id = ? AND user = ? RETURNING label", (cut(name), user.id)
            ).fetchall()
            for (label,) in found:
                note(
                    db, now, user.tenant, user.id, "passkey.removed", user.id, {"label": label}, None, address
                )
        return bool(found)

    def passkey_ask(self, host: str, now: float) -> dict[str, Any]:
        """What `navigator.credentials.get` wants, as JSON; the device knows who it is."""
        import webauthn
        from webauthn.helpers import structs as s

        options = webauthn.generate_authentication_options(
            rp_id=host, user_verification=s.UserVerificationRequirement.REQUIRED
        )
        return self._asked(options, "", now)

    def _passkey_user(self, credential: dict[str, Any], host: str, origin: str, now: float) -> User:
        """Whose passkey answered. Raises PeopleError SIGN-IN-WRONG."""
        import webauthn

        name = credential.get("id")
        challenge = self._answered(credential, "", now)
        with self.reading() as db:
            row = db.execute(
                f"SELECT {USER}, k.public_key, k.uses FROM people_passkeys k JOIN people_users u ON u.id = k.user"
                " WHERE k.id = ? AND k.host = ?",
                (cut(name) if isinstance(name, str) else "", host),
            ).fetchone()
        user = None if row is None else read_user(row)
        if user is None or not user.active:
            raise PeopleError("SIGN-IN-WRONG", UNUSABLE)
        try:
            seen = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=host,
                expected_origin=origin,
                credential_public_key=row[-2],
                credential_current_sign_count=row[-1],
                require_user_verification=True,
            )
        except Exception as problem:  # as above
            raise PeopleError("SIGN-IN-WRONG", UNUSABLE) from problem
        with self.writing() as db:
            db.execute(
                "UPDATE people_passkeys SET uses = ?, used_at = ? WHERE id = ?",
                (seen.new_sign_count, now, name),
            )
        return user

    def _asked(self, options: Any, whose: str, now: float) -> dict[str, Any]:
        import webauthn

        asked: dict[str, Any] = json.loads(webauthn.options_to_json(options))
        with self._lock:
            self._challenges[asked["challenge"]] = whose, now + CHALLENGE_FOR
            while len(self._challenges) > CHALLENGES_KEPT:
                self._challenges.popitem(last=False)
        return asked

    def _answered(self, credential: dict[str, Any], whose: str, now: float) -> bytes:
        """The challenge that this answers: one of ours, for this purpose, and not answered before."""
        import webauthn

        try:
            said = json.loads(webauthn.base64url_to_bytes(credential["response"]["clientDataJSON"]))
            challenge = said["challenge"]
            with self._lock:
                asked, until = self._challenges.pop(challenge)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            asked, until = "?", 0.0
        if asked != whose or now >= until:
            raise PeopleError("CODE-WRONG" if whose else "SIGN-IN-WRONG", UNUSABLE)
        found: bytes = webauthn.base64url_to_bytes(challenge)
        return found
