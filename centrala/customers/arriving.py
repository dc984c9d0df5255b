"""Who calls, asked while the call stands at the door: a pseudonym, who talked with them last, whom they prefer.

Asked on the event loop, for each call: two or three walks along indexes, some tenths of a millisecond. Whatever can't
be read is simply not known.
"""

import hashlib
import hmac
import json
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from centrala.customers.numbers import Rule, callable_as, normal, spellings, withheld
from centrala.ledger import DataFolderError
from centrala.ledger.schema import open_to_read

log = logging.getLogger(__name__)

LATEST = 10
"Of the earlier contacts of a number, that are looked at for who talked last."
REMEMBERED = 90 * 86400.0
"Seconds after which nobody has talked with them."
SLOW = 0.02
"Seconds after which a look-up is too slow for the event loop; after so many such in a row …"
PATIENCE = 5
REST = 30.0
"… none is made for so many seconds: a call is worth more than knowing who calls."

Country = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """What is known of a number."""

    caller: str = ""
    "Pseudonym; the same for each spelling of the number. Empty: withheld."
    last_agent: str = ""
    last_at: float = 0.0
    preferred: str = ""


NOBODY = Acquaintance()


class Arriving:
    """`of` a call that comes in, `pseudonym` of one that goes out, `address` of a party. For the event loop alone."""

    def __init__(self, data: Path, secret: bytes, rule: Callable[[str], Rule]) -> None:
        """`secret` is this data folder's own: without it nobody tells a number by its pseudonym."""
        self._data = data
        self._secret = secret
        self._rule = rule
        self._db: sqlite3.Connection | None = None
        self._slow = 0
        self._rests_until = 0.0

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def warm(self, tenant: str) -> None:
        """Read the numbering plans, which takes a while the first time. To be called in a thread."""
        country, _ = self._rule(tenant)
        normal("+442079460000", country)
        normal("2079460000", country)

    def pseudonym(self, tenant: str, address: str | None) -> str:
        """Tells whether two contacts are of one number, and nothing else; empty where it is withheld."""
        if address is None or withheld(address):
            return ""
        key = normal(address, self._rule(tenant)[0])
        if key is None:
            return ""
        return hmac.new(self._secret, f"{tenant}\0{key}".encode(), hashlib.sha256).hexdigest()[:32]

    def of(self, tenant: str, address: str | None, now: float) -> Acquaintance:
        caller = self.pseudonym(tenant, address)
        country = self._rule(tenant)[0]
        key = normal(address, country) if caller and address is not None else None
        began = time.monotonic()
        if key is None or began < self._rests_until:
            return Acquaintance(caller)
        try:
            db = self._open()
            agent, at = self._last(db, tenant, spellings(key, country), now)
            preferred = self._preferred(db, tenant, key)
        except (sqlite3.Error, DataFolderError, ValueError) as problem:
            log.warning("tenant %s: who talked with a caller before can't be read now (%s)", tenant, problem)
            return Acquaintance(caller)
        self._slow = self._slow + 1 if time.monotonic() - began > SLOW else 0
        if self._slow >= PATIENCE:
            self._slow = 0
            self._rests_until = time.monotonic() + REST
            log.warning("tenant %s: looking up who calls took longer than %g ms, and rests for %g s",
                        tenant, SLOW * 1000, REST)  # fmt: skip
        return Acquaintance(caller, agent, at, preferred)

    def address(self, tenant: str, party: str) -> str | None:
        """The number of a party, as the channel had it; None where it was withheld, never known, or erased."""
        try:
            found = (
                self._open()
                .execute("SELECT address FROM parties WHERE tenant = ? AND id = ?", (tenant, party))
                .fetchone()
            )
        except (sqlite3.Error, DataFolderError) as problem:
            log.error("tenant %s: the number of a party can't be read now (%s)", tenant, problem)
            return None
        return found[0] if found is not None and not withheld(found[0]) else None

    def dialable(self, tenant: str, address: str) -> str:
        """The number as it is dialled, if it may be called for a promise; else empty."""
        country, others = self._rule(tenant)
        return callable_as(address, country, others)[0]

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = open_to_read(self._data)
            self._db.execute("PRAGMA busy_timeout = 0")
        return self._db

    def _last(
        self, db: sqlite3.Connection, tenant: str, addresses: list[str], now: float
    ) -> tuple[str, float]:
        """Who talked with this number last, and when."""
        best, when = "", 0.0
        for address in addresses:
            for agent, segments, answered in db.execute(
                "SELECT r.agent, r.segments, r.answered_at FROM"
                " (SELECT id FROM parties WHERE tenant = ?1 AND address = ?2 AND at > ?3 ORDER BY at DESC LIMIT ?4) p"
                " JOIN records r ON r.tenant = ?1 AND r.id = p.id WHERE r.answered_at IS NOT NULL",
                (tenant, address, now - REMEMBERED, LATEST),
            ):
                owner = _owner(segments) or agent
                if owner and answered > when:
                    best, when = owner, answered
        return best, when

    @staticmethod
    def _preferred(db: sqlite3.Connection, tenant: str, key: str) -> str:
        """The agent of the one customer with this number; nobody where several have it, or they disagree."""
        found = db.execute(
            "SELECT DISTINCT c.body ->> '$.preferred_agent' FROM customers_identities i"
            " JOIN customers c ON c.tenant = i.tenant AND c.id = i.customer"
            " WHERE i.tenant = ? AND i.kind = 'phone' AND i.key = ? AND c.merged_into IS NULL LIMIT 3",
            (tenant, key),
        ).fetchall()
        return str(found[0][0] or "") if len(found) == 1 else ""


def _owner(segments: str) -> str:
    """The last agent who was the owner."""
    for one in reversed(json.loads(segments)):
        if one.get("role") == "agent" and one.get("agent"):
            return str(one["agent"])
    return ""
