"""Tables of flows, in the data folder's database beside the ledger, on connections of their own."""

import sqlite3
from pathlib import Path

from centrala.ledger import beside

# `flows_paths` and `flows_inside` are drawn from the ledger, the rest is the truth.
VERSION_1 = """
CREATE TABLE flows(
    tenant TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, current INTEGER NOT NULL, revision INTEGER NOT NULL,
    PRIMARY KEY(tenant, id)
) WITHOUT ROWID;
CREATE TABLE flows_versions(
    tenant TEXT NOT NULL, flow TEXT NOT NULL, version INTEGER NOT NULL, graph TEXT NOT NULL, author TEXT NOT NULL,
    at REAL NOT NULL, note TEXT NOT NULL, PRIMARY KEY(tenant, flow, version)
);
CREATE TABLE flows_drafts(
    tenant TEXT NOT NULL, flow TEXT NOT NULL, graph TEXT NOT NULL, author TEXT NOT NULL, at REAL NOT NULL,
    revision INTEGER NOT NULL, PRIMARY KEY(tenant, flow)
);
CREATE TABLE flows_paths(
    tenant TEXT NOT NULL, flow TEXT NOT NULL, version INTEGER NOT NULL, day TEXT NOT NULL, node TEXT NOT NULL,
    what TEXT NOT NULL, exit TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY(tenant, flow, day, version, node, what, exit)
) WITHOUT ROWID;
CREATE TABLE flows_inside(
    tenant TEXT NOT NULL, contact TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(tenant, contact)
) WITHOUT ROWID;
"""


def connect(data: Path) -> sqlite3.Connection:
    """A connection with the tables of flows made. Raises DataFolderError with a sentence."""
    return beside.connect(data, "flows", (VERSION_1,), called="The flows")
