"""Tables of plans, in the data folder's database beside the ledger, on connections of their own."""

import sqlite3
from pathlib import Path

from centrala.ledger import beside

# `planning_days`: which published plan a day is worked by; plans of other queues may stand beside it.
VERSION_1 = """
CREATE TABLE planning_plans(
    tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, first TEXT NOT NULL,
    made_at REAL NOT NULL, head TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(tenant, id)
);
CREATE TABLE planning_days(
    tenant TEXT NOT NULL, day TEXT NOT NULL, plan TEXT NOT NULL, PRIMARY KEY(tenant, day, plan)
) WITHOUT ROWID;
CREATE TABLE planning_people(
    tenant TEXT NOT NULL, agent TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY(tenant, agent)
) WITHOUT ROWID;
CREATE TABLE planning_rules(
    tenant TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
"""

# What agents ask for, and the secret links of their calendars; see `requests`.
VERSION_2 = """
CREATE TABLE planning_requests(
    tenant TEXT NOT NULL, id TEXT NOT NULL, agent TEXT NOT NULL, other TEXT, state TEXT NOT NULL,
    made_at REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY(tenant, id)
) WITHOUT ROWID;
CREATE INDEX planning_requests_made ON planning_requests(tenant, made_at);
CREATE TABLE planning_links(
    hash TEXT PRIMARY KEY, tenant TEXT NOT NULL, user TEXT NOT NULL, agent TEXT NOT NULL, made_at REAL NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX planning_links_user ON planning_links(user)
"""

STEPS = (VERSION_1, VERSION_2)


def connect(data: Path) -> sqlite3.Connection:
    """A connection with the tables of plans made. Raises DataFolderError with a sentence."""
    return beside.connect(data, "planning", STEPS, called="The plans")
