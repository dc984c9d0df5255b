"""Digest access authentication, both sides (RFC 2617, RFC 7616; in SIP: RFC 3261 22, RFC 8760).

Server nonces are stateless: a time stamp and its HMAC, so that a restart or a flood of challenges costs no memory.
"""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from centrala.protocols.sip.uri import SipSyntaxError, quote_string, unquote_string

_FIELD = re.compile(r'\s*([A-Za-z0-9\-_*]+)\s*=\s*("(?:\\.|[^"\\])*"|[^\s,"]*)\s*(?:,|$)')
_HASHES: dict[str, str] = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_QUOTED = frozenset({"username", "realm", "nonce", "uri", "response", "cnonce", "opaque", "domain"})


class Verdict(StrEnum):
    """What a set of credentials is worth."""

    GOOD = "good"
    STALE = "stale"
    """Right once; challenge again with stale=true, the phone repeats by itself."""
    WRONG = "wrong"
    REPLAYED = "replayed"
    """The nonce count was seen before (RFC 7616 3.4)."""


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """An Authorization or Proxy-Authorization header, and the method that it stood in."""

    method: str
    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    cnonce: str = ""
    nc: str = ""
    qop: str = ""
    opaque: str = ""
    body_hash_input: bytes = b""
    """The body, for qop=auth-int."""


@dataclass(frozen=True, slots=True)
class DigestChallenge:
    """A WWW-Authenticate or Proxy-Authenticate header."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False


def _fields(value: str) -> dict[str, str]:
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise SipSyntaxError("not a Digest header")
    found: dict[str, str] = {}
    at = 0
    rest = rest.strip()
    while at < len(rest):
        hit = _FIELD.match(rest, at)
        if hit is None:
            raise SipSyntaxError("unreadable Digest header")
        text = hit[2]
        found.setdefault(hit[1].lower(), unquote_string(text) if text.startswith('"') else text)
        at = hit.end()
    return found


def parse_credentials(value: str, method: str, body: bytes = b"") -> DigestCredentials:
    """Raises SipSyntaxError for other schemes and for missing fields."""
    field = _fields(value)
    try:
        return DigestCredentials(
            method=method,
            username=field["username"],
            realm=field["realm"],
            nonce=field["nonce"],
            uri=field["uri"],
            response=field["response"].lower(),
            algorithm=field.get("algorithm", "MD5").upper(),
            cnonce=field.get("cnonce", ""),
            nc=field.get("nc", ""),
            qop=field.get("qop", ""),
            opaque=field.get("opaque", ""),
            body_hash_input=body if field.get("qop") == "auth-int" else b"",
        )
    except KeyError as missing:
        raise SipSyntaxError(f"Digest credentials without {missing}") from None


def parse_challenge(value: str) -> DigestChallenge:
    """Raises SipSyntaxError."""
    field = _fields(value)
    if "realm" not in field or "nonce" not in field:
        raise SipSyntaxError("Digest challenge without realm or nonce")
    return DigestChallenge(
        realm=field["realm"],
        nonce=field["nonce"],
        algorithm=field.get("algorithm", "MD5").upper(),
        qop=tuple(word.strip().lower() for word in field.get("qop", "").split(",") if word.strip()),
        opaque=field.get("opaque"),
        stale=field.get("stale", "").lower() == "true",
    )


def _hash(algorithm: str, *parts: str | bytes) -> str:
    name = _HASHES[algorithm.removesuffix("-SESS")]
    joined = b":".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.new(name, joined, usedforsecurity=False).hexdigest()


def known(algorithm: str) -> bool:
    return algorithm.upper().removesuffix("-SESS") in _HASHES


def ha1(user: str, realm: str, password: str, algorithm: str = "MD5") -> str:
    """The hash that stands for a password, so that it needn't be stored."""
    return _hash(algorithm, user, realm, password)


def expected_response(credentials: DigestCredentials, password: str) -> str:
    """What `credentials.response` must be (RFC 7616 3.4.1). Raises KeyError for an unknown algorithm."""
    c = credentials
    first = _hash(c.algorithm, c.username, c.realm, password)
    if c.algorithm.endswith("-SESS"):
        first = _hash(c.algorithm, first, c.nonce, c.cnonce)
    if c.qop == "auth-int":
        second = _hash(c.algorithm, c.method, c.uri, _hash(c.algorithm, c.body_hash_input))
    else:
        second = _hash(c.algorithm, c.method, c.uri)
    if c.qop:
        return _hash(c.algorithm, first, c.nonce, c.nc, c.cnonce, c.qop, second)
    return _hash(c.algorithm, first, c.nonce, second)


class DigestServer:
    """Makes challenges and judges answers. Remembers the last nonce counts of `max_nonces` nonces, no more."""

    def __init__(self, secret: bytes, lifetime: float = 300.0, max_nonces: int = 10_000) -> None:
        self._secret = secret
        self._lifetime = lifetime
        self._max_nonces = max_nonces
        self._counts: OrderedDict[str, int] = OrderedDict()

    def nonce(self, now: float) -> str:
        stamp = f"{int(now * 1000):012x}"
        return stamp + self._seal(stamp)

    def _seal(self, stamp: str) -> str:
        return hmac.new(self._secret, stamp.encode(), "sha256").hexdigest()[:32]

    def challenges(
        self, realm: str, algorithms: Sequence[str], now: float, *, stale: bool = False
    ) -> list[str]:
        """Values for WWW-Authenticate, one per algorithm, best liked first (RFC 8760 2.4)."""
        nonce = self.nonce(now)
        tail = ", stale=true" if stale else ""
        return [
            f'Digest realm={quote_string(realm)}, nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}'
            for algorithm in algorithms
        ]

    def check(self, credentials: DigestCredentials, password: str, realm: str, now: float) -> Verdict:
        """Judge credentials. The caller has found `password` by `credentials.username`."""
        c = credentials
        if c.realm != realm or not known(c.algorithm) or c.qop not in ("", "auth", "auth-int"):
            return Verdict.WRONG
        if not hmac.compare_digest(expected_response(c, password).encode(), c.response.encode()):
            return Verdict.WRONG
        stamp = c.nonce[:12]
        # The hash is right: a nonce of ours that is too old, or one from before a restart, is merely stale.
        if not hmac.compare_digest(self._seal(stamp).encode(), c.nonce[12:].encode()):
            return Verdict.STALE
        age = now - int(stamp, 16) / 1000
        if age > self._lifetime or age < -1:
            return Verdict.STALE
        if c.qop:
            return self._count(c.nonce, c.nc)
        return Verdict.GOOD

    def _count(self, nonce: str, nc: str) -> Verdict:
        try:
            count = int(nc, 16)
        except ValueError:
            return Verdict.WRONG
        if count <= self._counts.get(nonce, 0):
            return Verdict.REPLAYED
        self._counts[nonce] = count
        self._counts.move_to_end(nonce)
        while len(self._counts) > self._max_nonces:
            self._counts.popitem(last=False)
        return Verdict.GOOD


def answer_challenge(
    challenge: DigestChallenge,
    *,
    method: str,
    uri: str,
    user: str,
    password: str,
    cnonce: str,
    count: int = 1,
) -> str:
    """The value of an Authorization header for a challenge. Raises KeyError for an unknown algorithm."""
    qop = "auth" if "auth" in challenge.qop else ""
    credentials = DigestCredentials(
        method=method,
        username=user,
        realm=challenge.realm,
        nonce=challenge.nonce,
        uri=uri,
        response="",
        algorithm=challenge.algorithm,
        cnonce=cnonce if qop or challenge.algorithm.endswith("-SESS") else "",
        nc=f"{count:08x}" if qop else "",
        qop=qop,
    )
    fields = [
        ("username", user),
        ("realm", challenge.realm),
        ("nonce", challenge.nonce),
        ("uri", uri),
        ("response", expected_response(credentials, password)),
        ("algorithm", challenge.algorithm),
    ]
    if credentials.cnonce:
        fields.append(("cnonce", credentials.cnonce))
    if qop:
        fields += [("qop", qop), ("nc", credentials.nc)]
    if challenge.opaque is not None:
        fields.append(("opaque", challenge.opaque))
    return "Digest " + ", ".join(
        f"{name}={quote_string(value)}" if name in _QUOTED else f"{name}={value}" for name, value in fields
    )


_STRENGTH: dict[str, int] = {"MD5": 1, "SHA-256": 2, "SHA-512-256": 3}


def _strength(challenge: DigestChallenge) -> int:
    return _STRENGTH[challenge.algorithm.removesuffix("-SESS")]


def best_challenge(values: Sequence[str]) -> DigestChallenge | None:
    """The strongest challenge that we can answer, None if there is none."""
    best: DigestChallenge | None = None
    for value in values:
        try:
            challenge = parse_challenge(value)
        except SipSyntaxError:
            continue
        if not known(challenge.algorithm) or (challenge.qop and "auth" not in challenge.qop):
            continue
        if best is None or _strength(challenge) > _strength(best):
            best = challenge
    return best
