"""What happened, for ever: an append-only log in SQLite, state recovered from it, records projected from it."""

from centrala.ledger.backup import backup, restore
from centrala.ledger.codec import Row, UnknownKind
from centrala.ledger.errors import DataFolderError, LedgerUnavailable
from centrala.ledger.log import Batch, Log, open_log
from centrala.ledger.parties import Party, erase, party
from centrala.ledger.records import contacts, project, rebuild
from centrala.ledger.recovery import Recovered, recover, snapshot, snapshot_due
from centrala.ledger.schema import DATA_VERSION

__all__ = [
    "DATA_VERSION",
    "Batch",
    "DataFolderError",
    "LedgerUnavailable",
    "Log",
    "Party",
    "Recovered",
    "Row",
    "UnknownKind",
    "backup",
    "contacts",
    "erase",
    "open_log",
    "party",
    "project",
    "rebuild",
    "recover",
    "restore",
    "snapshot",
    "snapshot_due",
]
