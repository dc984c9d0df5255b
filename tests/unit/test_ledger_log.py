"""The log itself: seqs, causes, batches that fail and come again, and folders that can't be used."""

import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from test_ledger_world import START, story

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.ledger import (
    Batch,
    DataFolderError,
    LedgerUnavailable,
    contacts,
    erase,
    open_log,
    party,
    recover,
)
from centrala.ledger.log import Log
from centrala.ledger.schema import FILE

pytestmark = pytest.mark.unit

RING = c.Play("c1", "default")


def told(log: Log, batch: Batch, count: int = 1, tenant: str = "acme") -> None:
    for place in range(count):
        fact = f.ContactArrived(START + place, f"c{log.next_seq(tenant)}", "102", agent="alice")
        batch.step(log, tenant, fact, [], [RING, c.SetTimer("wait:c1", 5.0)])


def test_rows_are_numbered_without_gaps_and_name_their_cause(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        expected = []
        for fact, events, commands in story(1, 150):
            start = log.next_seq("acme")
            logged = [one for one in commands if not isinstance(one, c.SetTimer | c.CancelTimer)]
            seqs = batch.step(log, "acme", fact, events, commands)
            assert seqs == list(range(start + 1 + len(events), start + 1 + len(events) + len(logged)))
            for prefix, one in [
                ("fact", fact),
                *(("event", e) for e in events),
                *(("command", k) for k in logged),
            ]:
                cause = None if prefix == "fact" else start
                actor = None if prefix == "command" else getattr(one, "agent", None)
                expected.append(
                    (f"{prefix}.{type(one).__name__}", getattr(one, "contact", None), actor, fact.at, cause)
                )
        log.append(batch)
        rows = log.rows("acme", limit=10_000)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert [(row.kind, row.contact, row.actor, row.at, row.caused_by) for row in rows] == expected
        assert log.rows("acme", after=5, limit=2) == rows[5:7]
        assert {row.tenant for row in rows} == {"acme"}


def test_a_batch_is_all_or_nothing_and_carries_dialogs_and_parties(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        told(log, batch)
        batch.dialog("leg1", "acme", b"\x00one")
        batch.dialog("leg2", "acme", b"two")
        batch.dialog("leg3", "other", b"three")
        batch.party("acme", "c1", "+48600100200", "Łucja", START)
        log.append(batch)
        assert log.dialogs("acme") == {"leg1": b"\x00one", "leg2": b"two"}
        found = party(log, "acme", "c1")
        assert found is not None
        assert (found.address, found.display) == ("+48600100200", "Łucja")
        batch = Batch()
        batch.dialog("leg1", "acme", None)
        batch.dialog("leg2", "acme", b"newer")
        assert not batch.empty
        log.append(batch)
        assert log.dialogs("acme") == {"leg2": b"newer"}


def test_erasure_leaves_no_trace_in_the_files(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        told(log, batch)
        batch.party("acme", "c1", "+48600100200", "Wisława", START)
        batch.party("other", "c1", "+48600100999", "", START)
        log.append(batch)
        assert erase(log, "acme", "c1")
        assert not erase(log, "acme", "c1")
        assert party(log, "acme", "c1") is None
        assert party(log, "other", "c1") is not None
        held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"+48600100200" not in held
        assert "Wisława".encode() not in held
        assert b"+48600100999" in held


def test_done_marks_take_commands_off_the_list(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        told(log, batch, 3)
        assert batch.commands_of("acme") == {2, 4, 6}
        assert batch.commands_of("other") == set()
        log.append(batch)
        batch = Batch()
        batch.done(log, "acme", START, [2, 6])
        batch.done(log, "acme", START, [])
        assert batch.rows == 1
        log.append(batch)
        assert [seq for seq, _ in recover(log, "acme").pending] == [4]


@contextmanager
def no_room(log: Log) -> Iterator[None]:
    """SQLite's own limit gives the same error as a full disk."""
    with log.reading() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        with log.reading() as db:
            db.execute("PRAGMA max_page_count = 1000000")


def test_a_full_database_writes_nothing_and_takes_the_same_batch_later(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        told(log, batch, 2000)
        batch.dialog("leg", "acme", b"value")
        with no_room(log), pytest.raises(LedgerUnavailable, match="disk is full"):
            log.append(batch)
        assert log.rows("acme") == []
        assert log.dialogs("acme") == {}
        later = Batch()
        told(log, later, 3)
        later.dialog("leg", "acme", b"newer")
        both = batch.followed_by(later)
        assert both.rows == batch.rows + later.rows
        assert both.commands_of("acme") == batch.commands_of("acme") | later.commands_of("acme")
        log.append(both)
        assert [row.seq for row in log.rows("acme", limit=9999)] == list(range(1, both.rows + 1))
        assert log.dialogs("acme") == {"leg": b"newer"}


def test_a_batch_that_was_committed_in_spite_of_an_error_is_taken_again(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        told(log, batch, 5)
        log.append(batch)
        later = Batch()
        told(log, later, 5)
        log.append(batch.followed_by(later))
        assert [row.seq for row in log.rows("acme")] == list(range(1, 21))


def test_rows_of_somebody_else_are_never_overwritten(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch, other = Batch(), Batch()
        told(log, batch)
        log.numbered["acme"] = 0
        other.step(log, "acme", f.AgentReady(START, "boris"), [], [])
        log.append(batch)
        with pytest.raises(DataFolderError, match="somebody else"):
            log.append(other)
        assert len(log.rows("acme")) == 2


def test_appends_and_reads_from_several_threads(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batches = []
        for _ in range(60):
            batch = Batch()
            told(log, batch, 5)
            batch.party("acme", "p", "1", "", START)
            batches.append(batch)
        stop, trouble = threading.Event(), []

        def read() -> None:
            while not stop.is_set():
                try:
                    recover(log, "other")
                    log.dialogs("acme")
                    erase(log, "acme", "p")
                except Exception as problem:
                    trouble.append(problem)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for batch in batches:
                log.append(batch)
        finally:
            stop.set()
            reader.join()
        assert not trouble
        assert log.rows("acme", after=599)[0].seq == 600


def test_a_closed_log_is_no_broken_one(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.close()
    log.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        log.append(Batch())


# --- folders that can't be used ---


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "a" / "data"
    with open_log(data):
        assert data.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in data.iterdir()} == {0o600}


def test_a_second_opener_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        with pytest.raises(DataFolderError, match=rf"in use by another Centrala \(process {os.getpid()}\)"):
            open_log(tmp_path)
        told(log, batch := Batch())
        log.append(batch)
    open_log(tmp_path).close()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataFolderError, match=r"can't be used .*--data"):
        open_log(tmp_path / "file")
    with pytest.raises(DataFolderError, match=r"can't be used .*--data"):
        open_log(tmp_path / "file" / "below")


@pytest.mark.parametrize("harm", ["text", "header", "short"])
def test_a_broken_file_is_refused_and_left_alone(tmp_path: Path, harm: str) -> None:
    with open_log(tmp_path) as log:
        told(log, batch := Batch(), 200)
        log.append(batch)
    path = tmp_path / FILE
    good = path.read_bytes()
    path.write_bytes(
        {"text": b"not a database\n" * 99, "header": b"\xff" * 64 + good[64:], "short": good[:700]}[harm]
    )
    harmed = path.read_bytes()
    with pytest.raises(DataFolderError, match="broken"):
        open_log(tmp_path)
    assert path.read_bytes() == harmed
    path.write_bytes(good)
    open_log(tmp_path).close()  # the lock was let go


def test_a_page_that_rots_later_is_told_not_guessed(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        told(log, batch := Batch(), 3000)
        log.append(batch)
    path = tmp_path / FILE
    rotten = bytearray(path.read_bytes())
    for page in range(20, len(rotten) // 4096):
        rotten[page * 4096 : page * 4096 + 200] = b"\xa5" * 200
    path.write_bytes(rotten)
    with open_log(tmp_path) as log, pytest.raises(DataFolderError, match="broken"):
        log.rows("acme", limit=99_999)
    with pytest.raises(DataFolderError, match="broken"):
        list(contacts(tmp_path, include_open=True))


def test_a_database_of_another_program_is_never_touched(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("CREATE TABLE mine(x)")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(DataFolderError, match="another program"):
        open_log(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_reading_needs_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="no ledger"):
        list(contacts(tmp_path))
    assert list(tmp_path.iterdir()) == []


def fill_up(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_real_full_disk(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system of 1 MiB can't be mounted here (needs root)")
    try:
        with open_log(place / "data") as log:
            told(log, first := Batch(), 100)
            log.append(first)
            ballast = place / "ballast"
            fill_up(ballast)
            told(log, second := Batch(), 1500)
            for _ in range(2):
                with pytest.raises(LedgerUnavailable):
                    log.append(second)
            assert len(log.rows("acme", limit=9999)) == first.rows
            ballast.unlink()
            log.append(second)
            assert len(log.rows("acme", limit=9999)) == first.rows + second.rows
        fill_up(ballast)
        with pytest.raises(DataFolderError, match=r"full|can't be used"):
            open_log(place / "another")
    finally:
        subprocess.run(["umount", str(place)], check=True)
