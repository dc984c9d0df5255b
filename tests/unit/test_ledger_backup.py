"""Backups while the centre writes, and restores that refuse what they should."""

import copy
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from test_ledger_world import story

from centrala.core import facts as f
from centrala.core.centre import Centre, evolve
from centrala.core.indexes import rebuild as reindex
from centrala.ledger import (
    DATA_VERSION,
    Batch,
    DataFolderError,
    Log,
    backup,
    codec,
    contacts,
    open_log,
    project,
    recover,
    restore,
)

pytestmark = pytest.mark.unit


def folded(log: Log, upto: int) -> Centre:
    """The oracle: the events of the log up to this seq, one by one, without a snapshot."""
    centre = Centre()
    rows = log.rows("acme", limit=1_000_000)
    with log.reading() as db, codec.private_of(db, "acme"):
        for row in rows:
            if row.seq <= upto and row.kind.startswith("event."):
                evolve(centre, codec.decode(row.kind, row.version, row.body))
    return reindexed(centre)


def reindexed(centre: Centre) -> Centre:
    twin = copy.deepcopy(centre)
    reindex(twin)
    return twin


def filled(data: Path, facts: int = 100) -> Path:
    with open_log(data) as log:
        for fact, events, commands in story(1, facts):
            batch = Batch()
            batch.step(log, "acme", fact, events, commands)
            if isinstance(fact, f.ContactArrived):
                batch.party("acme", fact.contact, "+48600100200", "", fact.at)
            log.append(batch)
        project(log)
    recordings = data / "recordings" / "acme"
    recordings.mkdir(parents=True)
    (recordings / "old.wav").write_bytes(b"RIFF" + bytes(5000))
    os.utime(recordings / "old.wav", (1e9, 1e9))
    (recordings / "fresh.wav").write_bytes(b"RIFF" + bytes(3000))
    return data


def test_a_backup_during_appends_is_one_moment_of_the_log(tmp_path: Path) -> None:
    data = tmp_path / "data"
    stop = threading.Event()
    with open_log(data) as log:

        def write() -> None:
            for fact, events, commands in story(9, 100_000):
                batch = Batch()
                batch.step(log, "acme", fact, events, commands)
                batch.dialog("last", "acme", str(log.next_seq("acme") - 1).encode())
                log.append(batch)
                if stop.is_set():
                    break

        writer = threading.Thread(target=write)
        writer.start()
        try:
            seqs = []
            for place in range(3):
                time.sleep(0.2)
                seqs.append(backup(data, tmp_path / f"backup{place}").tenants.get("acme", 0))
        finally:
            stop.set()
            writer.join()
        assert 0 < seqs[0] < seqs[1] < seqs[2] < log.next_seq("acme")
        for place, seq in enumerate(seqs):
            restore(tmp_path / f"backup{place}", tmp_path / f"restored{place}")
            with open_log(tmp_path / f"restored{place}") as again:
                recovered = recover(again, "acme")
                assert recovered.last_seq == seq
                assert reindexed(recovered.centre) == folded(log, seq)
                assert again.dialogs("acme") == {"last": str(seq).encode()}  # nothing of a later moment


def test_files_come_along_and_live_ones_stay(tmp_path: Path) -> None:
    data = filled(tmp_path / "data")
    (data / "media.lock").write_text("1")
    (data / "recordings" / "half.tmp").write_text("1")
    (data / "link").symlink_to("/etc/hostname")
    shown = list(contacts(data))
    with open_log(data):
        manifest = backup(data, tmp_path / "b" / "backup")
    assert [file.path for file in manifest.files] == [
        "ledger.db",
        "recordings/acme/fresh.wav",
        "recordings/acme/old.wav",
    ]
    saved = tmp_path / "b" / "backup"
    assert (saved / "recordings/acme/old.wav").stat().st_ino == (
        data / "recordings/acme/old.wav"
    ).stat().st_ino
    assert (saved / "recordings/acme/fresh.wav").stat().st_ino != (
        data / "recordings/acme/fresh.wav"
    ).stat().st_ino
    shutil.rmtree(data)
    restore(saved, data)
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "recordings/acme/old.wav").read_bytes() == b"RIFF" + bytes(5000)
    assert list(contacts(data)) == shown
    assert shown
    open_log(data).close()


def test_a_backup_is_never_put_over_something(tmp_path: Path) -> None:
    data = filled(tmp_path / "data", 30)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    with pytest.raises(DataFolderError, match="isn't empty"):
        backup(data, tmp_path / "full")
    with pytest.raises(DataFolderError, match="in the data folder itself"):
        backup(data, data / "backups" / "one")
    (tmp_path / "empty").mkdir()
    backup(data, tmp_path / "empty")
    with pytest.raises(DataFolderError, match="no ledger"):
        backup(tmp_path / "nowhere", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "empty", "full"]


def test_a_restore_refuses_a_full_or_locked_folder(tmp_path: Path) -> None:
    data = filled(tmp_path / "data", 30)
    backup(data, tmp_path / "backup")
    with pytest.raises(DataFolderError, match="isn't empty"):
        restore(tmp_path / "backup", data)
    with open_log(data), pytest.raises(DataFolderError, match="in use by another Centrala"):
        restore(tmp_path / "backup", data)
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "backup", tmp_path / "empty")
    open_log(tmp_path / "empty").close()


@pytest.mark.parametrize("harm", ["changed", "missing", "no manifest", "newer", "escape", "bent"])
def test_a_broken_backup_is_refused_whole(tmp_path: Path, harm: str) -> None:
    saved = tmp_path / "backup"
    backup(filled(tmp_path / "data", 30), saved)
    recording, listed = saved / "recordings/acme/fresh.wav", saved / "manifest.json"
    match harm:
        case "changed":
            recording.write_bytes(recording.read_bytes()[:-1] + b"x")
        case "missing":
            recording.unlink()
        case "no manifest":
            listed.unlink()
        case "newer":
            listed.write_bytes(
                listed.read_bytes().replace(f'"data_version": {DATA_VERSION}'.encode(), b'"data_version": 99')
            )
        case "escape":
            listed.write_bytes(listed.read_bytes().replace(b"recordings/acme/fresh.wav", b"../../fresh.wav"))
        case "bent":
            listed.write_bytes(listed.read_bytes()[:-20])
    words = {"newer": "newer", "no manifest": "is no backup"}.get(harm, "broken")
    with pytest.raises(DataFolderError, match=words):
        restore(saved, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.partial").exists()


def test_a_backup_of_a_restored_folder_is_the_same(tmp_path: Path) -> None:
    data = filled(tmp_path / "data", 60)
    first = backup(data, tmp_path / "one")
    restore(tmp_path / "one", tmp_path / "again")
    second = backup(tmp_path / "again", tmp_path / "two")
    assert first.tenants == second.tenants
    assert first.files[1:] == second.files[1:]
