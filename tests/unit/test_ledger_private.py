"""What callers typed and were told: back after a restart, in no row of the log, gone once it is erased."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from test_ledger_world import START, configuration

from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.private import Private
from centrala.ledger import Batch, Log, contacts, erase, open_log, project, recover, snapshot
from centrala.ledger.schema import FILE

pytestmark = pytest.mark.unit


def typed(log: Log, centre: Centre, keys: str = "4739") -> None:
    """c1 chooses 4 (an inner flow) and types the order number 739."""
    facts: list[f.Fact] = [*configuration(START), f.ContactArrived(START + 1, "c1", "600", "c1")]
    facts += [f.DigitPressed(START + 2, "c1", Private(digit)) for digit in keys]
    batch = Batch()
    for fact in facts:
        batch.step(log, "acme", fact, *step(centre, fact))
    batch.party("acme", "c1", "+48600100200", "", START)
    log.append(batch)


@pytest.mark.parametrize("pictured", [False, True], ids=["replayed", "from a snapshot"])
def test_values_and_digits_are_there_after_a_restart(tmp_path: Path, pictured: bool) -> None:
    centre = Centre()
    with open_log(tmp_path) as log:
        typed(log, centre, "47394")  # and one digit too many, which isn't used yet
        if pictured:
            snapshot(log, "acme", centre)
    with open_log(tmp_path) as log:
        again = recover(log, "acme")
    contact = again.centre.contacts["c1"]
    assert {name: one.value for name, one in contact.values.items()} == {"order": "739", "name": "Ś739"}
    assert contact == centre.contacts["c1"]
    prompts = [
        part.private.value
        for _, one in again.pending
        if type(one).__name__ == "Say"
        for part in one.parts  # type: ignore[union-attr]
        if part.private is not None
    ]
    assert "Zażółć Ś739" in prompts


def test_no_row_of_the_log_holds_a_value(tmp_path: Path) -> None:
    centre = Centre()
    with open_log(tmp_path) as log:
        typed(log, centre)
        snapshot(log, "acme", centre)
        project(log)
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        bodies = [body for (body,) in db.execute("SELECT body FROM log")]
        pictures = [body.decode() for (body,) in db.execute("SELECT body FROM snapshots")]
        (record,) = db.execute("SELECT * FROM records").fetchall()
    assert len(pictures) == 1
    for text in (*bodies, *pictures, repr(record)):
        # Quoted or as it was said: references are drawn by chance, and may hold any three digits.
        for value in ('"739"', "'739'", "Ś739", "u015a739"):
            assert value not in text


def test_erasure_forgets_them_for_good(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        typed(log, Centre(), "40815")
        assert erase(log, "acme", "c1")
    assert "Ś081" not in (tmp_path / FILE).read_bytes().decode("utf-8", "replace")
    with open_log(tmp_path) as log:
        contact = recover(log, "acme").centre.contacts["c1"]
        assert {name: one.value for name, one in contact.values.items()} == {"order": None, "name": None}
    (record,) = contacts(tmp_path, include_open=True)
    assert record["from"] is None
    assert record["path"][:1] == ["main/hours:open"]  # type: ignore[index]
