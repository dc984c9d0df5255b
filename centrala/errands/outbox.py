"""The outbox: e-mails that wait for the mail server, in a table beside the ledger, so that none is lost or sent twice.

An e-mail's errand is its key: asked for again after a crash, it is there already. What was sent stays as a bare line
for a week, for that reason alone.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from centrala.errands.letters import Letter
from centrala.ledger import beside

VERSION_1 = """
CREATE TABLE outbox(
    tenant TEXT NOT NULL, errand TEXT NOT NULL, message_id TEXT NOT NULL, made_at REAL NOT NULL, due_at REAL,
    attempts INTEGER NOT NULL, state TEXT NOT NULL, problem TEXT NOT NULL, letter TEXT NOT NULL,
    PRIMARY KEY(tenant, errand)
) WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox(tenant, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_made ON outbox(made_at);
"""

KEEP_SENT = 7 * 86400.0
KEEP_FAILED = 30 * 86400.0
"Seconds for which an e-mail that nobody would take stays to be looked at."
MOST_WAITING = 10_000
"E-mails of a tenant that may wait."


@dataclass(frozen=True, slots=True)
class Waiting:
    tenant: str
    errand: str
    message_id: str
    made_at: float
    attempts: int
    letter: Letter = field(repr=False)
    pending: tuple[str, ...] = field(repr=False)
    "To whom it hasn't been sent yet."


@dataclass(frozen=True, slots=True)
class Standing:
    """How an outbox stands, for boards and alarms."""

    waiting: int
    failed: int
    "Given up: no server took them."
    oldest: float | None
    "Unix seconds when the oldest that waits was written."


class Outbox(beside.Tables):
    """Methods block for a moment: call them from a thread. Raises LedgerUnavailable."""

    def __init__(self, data: Path) -> None:
        called = "The e-mails to be sent"
        super().__init__(beside.connect(data, "outbox", (VERSION_1,), called=called), called)
        # What was said is overwritten when it is deleted.
        self._db.execute("PRAGMA secure_delete = ON")

    def put(self, tenant: str, errand: str, letter: Letter, message_id: str, now: float) -> bool:
        """Take a letter in, once per errand. False when as many wait as may."""
        body = _json(letter, letter.to)
        with self.writing() as db:
            waiting = db.execute(
                "SELECT count(*) FROM outbox WHERE tenant = ? AND due_at IS NOT NULL", (tenant,)
            ).fetchone()[0]
            if waiting >= MOST_WAITING:
                return False
            db.execute(
                "INSERT OR IGNORE INTO outbox VALUES (?, ?, ?, ?, ?, 0, 'waiting', '', ?)",
                (tenant, errand, message_id, now, now, body),
            )
        return True

    def has(self, tenant: str, errand: str) -> bool:
        """Whether this errand's letter was taken in, sent or not."""
        with self.reading() as db:
            found = db.execute(
                "SELECT 1 FROM outbox WHERE tenant = ? AND errand = ?", (tenant, errand)
            ).fetchone()
        return found is not None

    def tenants_due(self, now: float) -> list[str]:
        with self.reading() as db:
            return [
                row[0] for row in db.execute("SELECT DISTINCT tenant FROM outbox WHERE due_at <= ?", (now,))
            ]

    def due(self, tenant: str, now: float, most: int = 20) -> list[Waiting]:
        """What is to be tried now, in the order in which it fell due."""
        with self.reading() as db:
            found = db.execute(
                "SELECT errand, message_id, made_at, attempts, letter FROM outbox"
                " WHERE tenant = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
                (tenant, now, most),
            ).fetchall()
        return [
            Waiting(tenant, errand, message_id, made_at, attempts, *_letter(body))
            for errand, message_id, made_at, attempts, body in found
        ]

    def next_due(self, after: float) -> float | None:
        """When the next one falls due that isn't yet."""
        with self.reading() as db:
            found = db.execute("SELECT min(due_at) FROM outbox WHERE due_at > ?", (after,)).fetchone()[0]
        return None if found is None else float(found)

    def sent(self, one: Waiting) -> None:
        with self.writing() as db:
            db.execute(
                "UPDATE outbox SET state = 'sent', due_at = NULL, letter = '' WHERE tenant = ? AND errand = ?",
                (one.tenant, one.errand),
            )

    def again(self, one: Waiting, due_at: float | None, problem: str, pending: tuple[str, ...]) -> None:
        """It couldn't be sent to these; None gives it up."""
        state = "failed" if due_at is None else "waiting"
        with self.writing() as db:
            db.execute(
                "UPDATE outbox SET due_at = ?, attempts = attempts + 1, problem = ?, state = ?, letter = ?"
                " WHERE tenant = ? AND errand = ?",
                (due_at, problem[:500], state, _json(one.letter, pending), one.tenant, one.errand),
            )

    def forget(self, now: float) -> None:
        """Drop what is kept no longer."""
        with self.writing() as db:
            db.execute(
                "DELETE FROM outbox WHERE (state = 'sent' AND made_at < ?) OR (state = 'failed' AND made_at < ?)",
                (now - KEEP_SENT, now - KEEP_FAILED),
            )

    def standing(self, tenant: str) -> Standing:
        with self.reading() as db:
            waiting, oldest = db.execute(
                "SELECT count(*), min(made_at) FROM outbox WHERE tenant = ? AND due_at IS NOT NULL", (tenant,)
            ).fetchone()
            failed = db.execute(
                "SELECT count(*) FROM outbox WHERE tenant = ? AND state = 'failed'", (tenant,)
            ).fetchone()[0]
        return Standing(waiting, failed, oldest)


def _json(letter: Letter, pending: tuple[str, ...]) -> str:
    return json.dumps(
        {
            "to": letter.to,
            "subject": letter.subject,
            "body": letter.body,
            "attach": letter.attach,
            "pending": pending,
        }
    )


def _letter(body: str) -> tuple[Letter, tuple[str, ...]]:
    found = json.loads(body)
    letter = Letter(tuple(found["to"]), found["subject"], found["body"], found["attach"])
    return letter, tuple(found["pending"])
