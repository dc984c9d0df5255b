"""Passwords (argon2id, RFC 9106), one-time codes (TOTP, RFC 6238) and random secrets."""

import hashlib
import secrets
import unicodedata

import pyotp
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 256

# OWASP's least memory for argon2id: a hash costs some 20 ms and 19 MiB, of which two at a time are made.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)

NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2E$yOg/aDdnzLkPc2LuTAS7fF0d0Ey3x1k2mQ0kPp3oTQc"
"Verified for users who don't exist, so that they take as long as others; no known password fits."


def problem_with(password: str, name: str) -> str | None:
    """Why this can't be the user's password, as a sentence; None when it can."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    if len(set(password)) < 4 or name.casefold() == password.casefold():
        return "This password is too easy to guess."
    try:
        password.encode()
    except UnicodeEncodeError:
        return "This password holds half a character."
    return None


def hashed(password: str) -> str:
    return _hasher.hash(_normal(password))


def verify(stored: str, password: str) -> bool:
    if len(password) > LONGEST:
        return False
    try:
        return _hasher.verify(stored, _normal(password))
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def outdated(stored: str) -> bool:
    return _hasher.check_needs_rehash(stored)


def _normal(password: str) -> str:
    # The same letters may be typed as different code points on different keyboards.
    return unicodedata.normalize("NFKC", password)


# --- one-time codes ---


def new_totp() -> str:
    return pyotp.random_base32()


def totp_uri(secret: str, name: str, house: str) -> str:
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=house)


def totp_step(secret: str, code: str, now: float, after: int) -> int | None:
    """The time step that the code belongs to: this one or its neighbours, later than `after`; None if wrong.

    RFC 6238 5.2: a code that was accepted must not be accepted again.
    """
    totp = pyotp.TOTP(secret)
    step = int(now // 30)
    for one in (step - 1, step, step + 1):
        if one > after and secrets.compare_digest(totp.generate_otp(one).encode(), code.strip().encode()):
            return one
    return None


# --- secrets ---


def new_secret() -> str:
    """256 bits, as text that fits into a URL."""
    return secrets.token_urlsafe(32)


def temporary() -> str:
    """79 bits that can be read out over a telephone: no letters that look or sound like digits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def fingerprint(secret: str) -> str:
    """What is stored of a random secret: there is nothing to guess, so a plain hash does."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
