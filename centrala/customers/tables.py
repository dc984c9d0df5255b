"""Tables of customers, in the data folder's database beside the ledger, on connections of their own (ADR 7)."""

import sqlite3
from pathlib import Path

from centrala.ledger import beside

# `customers` is the truth; identities, members, words and promises are drawn from its bodies, to look up quickly.
VERSION_1 = """
CREATE TABLE customers(
    tenant TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL, sort TEXT NOT NULL,
    body TEXT NOT NULL, merged_into TEXT, made_at REAL NOT NULL, changed_at REAL NOT NULL,
    PRIMARY KEY(tenant, id)
);
CREATE INDEX customers_sorted ON customers(tenant, sort, id) WHERE merged_into IS NULL;
CREATE INDEX customers_merged ON customers(tenant, merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE customers_identities(
    tenant TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, customer TEXT NOT NULL,
    PRIMARY KEY(tenant, kind, key, customer)
) WITHOUT ROWID;
CREATE INDEX customers_identities_of ON customers_identities(tenant, customer);
CREATE TABLE customers_members(
    tenant TEXT NOT NULL, company TEXT NOT NULL, person TEXT NOT NULL,
    PRIMARY KEY(tenant, company, person)
) WITHOUT ROWID;
CREATE INDEX customers_members_of ON customers_members(tenant, person);
CREATE TABLE customers_words(
    tenant TEXT NOT NULL, word TEXT NOT NULL, customer TEXT NOT NULL,
    PRIMARY KEY(tenant, word, customer)
) WITHOUT ROWID;
CREATE INDEX customers_words_of ON customers_words(tenant, customer, word);
CREATE TABLE customers_history(
    id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, customer TEXT NOT NULL, version INTEGER NOT NULL,
    at REAL NOT NULL, actor TEXT NOT NULL, field TEXT NOT NULL, before TEXT, after TEXT, source TEXT
);
CREATE INDEX customers_history_of ON customers_history(tenant, customer, id);
CREATE INDEX customers_history_from ON customers_history(tenant, source) WHERE source IS NOT NULL;
CREATE TABLE customers_notes(
    tenant TEXT NOT NULL, id TEXT NOT NULL, customer TEXT, contact TEXT, author TEXT NOT NULL, text TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY(tenant, id)
) WITHOUT ROWID;
CREATE INDEX customers_notes_customer ON customers_notes(tenant, customer, at, id) WHERE customer IS NOT NULL;
CREATE INDEX customers_notes_contact ON customers_notes(tenant, contact, at, id) WHERE contact IS NOT NULL;
CREATE TABLE customers_drafts(
    tenant TEXT NOT NULL, agent TEXT NOT NULL, contact TEXT NOT NULL, disposition TEXT, note TEXT, at REAL NOT NULL,
    PRIMARY KEY(tenant, agent, contact)
) WITHOUT ROWID;
CREATE INDEX customers_drafts_contact ON customers_drafts(tenant, contact);
CREATE TABLE customers_links(
    tenant TEXT NOT NULL, contact TEXT NOT NULL, customer TEXT NOT NULL, at REAL NOT NULL, actor TEXT NOT NULL,
    PRIMARY KEY(tenant, contact)
) WITHOUT ROWID;
CREATE INDEX customers_links_of ON customers_links(tenant, customer, at, contact);
CREATE TABLE customers_fields(
    tenant TEXT NOT NULL, key TEXT NOT NULL, place INTEGER NOT NULL, label TEXT NOT NULL, kind TEXT NOT NULL,
    choices TEXT NOT NULL, PRIMARY KEY(tenant, key)
) WITHOUT ROWID;
"""

# Open promises with a time, by whoever keeps them: an agent's callbacks. Drawn from the bodies like the others.
VERSION_2 = """
CREATE TABLE customers_promises(
    tenant TEXT NOT NULL, customer TEXT NOT NULL, promise TEXT NOT NULL, due REAL NOT NULL, author TEXT NOT NULL,
    queue TEXT NOT NULL, PRIMARY KEY(tenant, customer, promise)
) WITHOUT ROWID;
CREATE INDEX customers_promises_own ON customers_promises(tenant, author, due) WHERE queue = '';
CREATE INDEX customers_promises_queue ON customers_promises(tenant, queue, due) WHERE queue <> '';
INSERT INTO customers_promises SELECT c.tenant, c.id, substr(j.key, 9), json_extract(j.value, '$.due'),
    json_extract(j.value, '$.by'), '' FROM customers c, json_each(c.body) j
    WHERE c.merged_into IS NULL AND j.key LIKE 'promise.%' AND json_extract(j.value, '$.due') IS NOT NULL
    AND NOT json_extract(j.value, '$.done')
"""

# On a table of the ledger: contacts are found by number through it. Made anew wherever it is missing, since a new
# version of the ledger may have remade its table.
PARTIES = "CREATE INDEX IF NOT EXISTS customers_parties ON parties(tenant, address, at, id)"


def connect(data: Path) -> sqlite3.Connection:
    """A connection with the tables of customers made. Raises DataFolderError with a sentence."""
    return beside.connect(data, "customers", (VERSION_1, VERSION_2), called="The customers", always=PARTIES)
