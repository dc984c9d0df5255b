"""Who is behind a party id: addresses and names, in a table of their own, so that erasure is a delete.

The log holds ids alone. By convention a party's id is the id of its contact. `Batch.party` adds one. What the party
typed and was told in a flow lies beside it, under the contact: see `core/private.py`.
"""

from dataclasses import dataclass

from centrala.ledger.log import Log


@dataclass(frozen=True, slots=True)
class Party:
    address: str
    "A telephone number or an address, as the channel knows it."
    display: str
    at: float
    "Unix seconds."


def party(log: Log, tenant: str, name: str) -> Party | None:
    """The party with this id; None when unknown or erased."""
    with log.reading() as db:
        found = db.execute(
            "SELECT address, display, at FROM parties WHERE tenant = ? AND id = ?", (tenant, name)
        ).fetchone()
    return None if found is None else Party(*found)


def erase(log: Log, tenant: str, name: str) -> bool:
    """Forget the party, for good: records show no address from then on. False when there was nothing to erase.

    The page is overwritten, and the write-ahead log is emptied unless somebody reads just now. Backups made before
    still hold the party.
    """
    with log.reading() as db:
        db.execute("PRAGMA secure_delete = ON")
        try:
            with log.transaction():
                erased = db.execute(
                    "DELETE FROM parties WHERE tenant = ? AND id = ?", (tenant, name)
                ).rowcount
                erased += db.execute(
                    "DELETE FROM privates WHERE tenant = ? AND contact = ?", (tenant, name)
                ).rowcount
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.execute("PRAGMA secure_delete = FAST")
    return erased > 0
