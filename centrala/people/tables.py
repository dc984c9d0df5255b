"""Tables of people, in the data folder's database beside the ledger, on a connection of their own (ADR 6)."""

import sqlite3
from pathlib import Path

from centrala.ledger import beside

VERSION_1 = """
CREATE TABLE people_users(
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, roles TEXT NOT NULL, scopes TEXT NOT NULL,
    agent TEXT, active INTEGER NOT NULL, password TEXT NOT NULL, totp TEXT, totp_new TEXT,
    totp_step INTEGER NOT NULL, made_at REAL NOT NULL, changed_at REAL NOT NULL,
    UNIQUE(tenant, name)
) WITHOUT ROWID;
CREATE TABLE people_sessions(
    hash TEXT PRIMARY KEY, user TEXT NOT NULL, made_at REAL NOT NULL, seen_at REAL NOT NULL, address TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX people_sessions_user ON people_sessions(user);
CREATE TABLE people_tokens(
    id TEXT PRIMARY KEY, user TEXT NOT NULL, hash TEXT NOT NULL, label TEXT NOT NULL, permissions TEXT,
    made_at REAL NOT NULL, expires_at REAL
) WITHOUT ROWID;
CREATE INDEX people_tokens_user ON people_tokens(user);
CREATE TABLE people_codes(hash TEXT PRIMARY KEY, tenant TEXT NOT NULL, made_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE people_audit(
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, tenant TEXT NOT NULL, actor TEXT NOT NULL,
    action TEXT NOT NULL, subject TEXT NOT NULL, before TEXT, after TEXT, address TEXT NOT NULL
);
CREATE INDEX people_audit_tenant ON people_audit(tenant, id);
"""

VERSION_2 = """
ALTER TABLE people_users ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0;
CREATE TABLE people_links(hash TEXT PRIMARY KEY, user TEXT NOT NULL, made_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE people_passkeys(
    id TEXT PRIMARY KEY, user TEXT NOT NULL, host TEXT NOT NULL, public_key BLOB NOT NULL, uses INTEGER NOT NULL,
    label TEXT NOT NULL, made_at REAL NOT NULL, used_at REAL
) WITHOUT ROWID;
CREATE INDEX people_passkeys_user ON people_passkeys(user);
CREATE TABLE people_settings(
    tenant TEXT NOT NULL, version INTEGER NOT NULL, at REAL NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY(tenant, version)
) WITHOUT ROWID;
CREATE TABLE people_secrets(
    tenant TEXT NOT NULL, id TEXT NOT NULL, secret TEXT NOT NULL, PRIMARY KEY(tenant, id)
) WITHOUT ROWID;
"""


def connect(data: Path) -> sqlite3.Connection:
    """A connection with the tables of people made. Raises DataFolderError with a sentence."""
    return beside.connect(data, "people", (VERSION_1, VERSION_2), called="The users")
