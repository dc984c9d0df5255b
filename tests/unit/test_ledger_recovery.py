"""Recovery: whatever was committed comes back as it was, at every prefix, with and without snapshots."""

import copy
import itertools
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_ledger_world import START, saga, story

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.indexes import rebuild
from centrala.core.specs import QueueSpec
from centrala.ledger import (
    Batch,
    DataFolderError,
    UnknownKind,
    codec,
    open_log,
    recover,
    snapshot,
    snapshot_due,
)
from centrala.ledger.log import Log
from centrala.ledger.recovery import SNAPSHOT_ROWS
from centrala.ledger.schema import FILE

pytestmark = pytest.mark.unit

TIMERS = (c.SetTimer, c.CancelTimer)


def reindexed(centre: Centre) -> Centre:
    twin = copy.deepcopy(centre)
    rebuild(twin)
    return twin


def crashed(data: Path, to: Path) -> Path:
    """The folder as a power cut would leave it: the database and its write-ahead log, as they lie on the disk."""
    to.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        if (data / name).exists():
            shutil.copy(data / name, to / name)
    return to


def filled(
    log: Log, seed: int, facts: int, tenant: str = "acme"
) -> tuple[Centre, list[tuple[int, c.Command]]]:
    """Live through a story with one append at its end. Gives the state and the commands that are pending."""
    centre, batch, pending = Centre(), Batch(), []
    for fact, events, commands in saga(seed, facts, centre):
        seqs = batch.step(log, tenant, fact, events, commands)
        pending += zip(seqs, [one for one in commands if not isinstance(one, TIMERS)], strict=True)
    log.append(batch)
    return centre, pending


def test_every_prefix_of_a_story_survives_a_power_cut(tmp_path: Path) -> None:
    """Batches, snapshots (taken between fill and append too) and done-marks fall at random."""
    draw = random.Random(7)
    centre, batch, pending = Centre(), Batch(), {}
    committed = (copy.deepcopy(centre), {}, 0)
    snapshots = 0
    with open_log(tmp_path / "data") as log:
        for place, (fact, events, commands) in enumerate(saga(3, 160, centre)):
            seqs = batch.step(log, "acme", fact, events, commands)
            pending |= zip(seqs, [one for one in commands if not isinstance(one, TIMERS)], strict=True)
            fresh = batch.commands_of("acme")
            done = [seq for seq in pending if seq not in fresh and draw.random() < 0.5]
            batch.done(log, "acme", fact.at, done)
            for seq in done:
                del pending[seq]
            if draw.random() < 0.06:
                snapshot(log, "acme", centre)
                snapshots += 1
            if draw.random() < 0.6:
                log.append(batch)
                batch = Batch()
                committed = (copy.deepcopy(centre), dict(pending), log.next_seq("acme") - 1)
            data = crashed(tmp_path / "data", tmp_path / f"crash{place}")
            with open_log(data) as again:
                recovered = recover(again, "acme")
                assert reindexed(recovered.centre) == reindexed(committed[0])
                assert dict(recovered.pending) == committed[1]
                assert recovered.last_seq == committed[2]
                assert again.next_seq("acme") == committed[2] + 1
            shutil.rmtree(data)
        assert snapshots > 5
        with log.reading() as db:
            assert 1 <= db.execute("SELECT count(*) FROM snapshots").fetchone()[0] <= 3


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 400), st.booleans(), st.integers(0, 3))
def test_recovered_is_live(seed: int, facts: int, picture: bool, more: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with open_log(Path(folder)) as log:
            centre, pending = filled(log, seed, facts)
            if picture:
                snapshot(log, "acme", centre)
            for _ in range(more):
                fact = f.QueueChanged(START, QueueSpec(f"more{more}"))
                batch = Batch()
                batch.step(log, "acme", fact, *step(centre, fact))
                log.append(batch)
        with open_log(Path(folder)) as log:
            recovered = recover(log, "acme")
            assert reindexed(recovered.centre) == reindexed(centre)
            assert recovered.pending == pending


def test_what_is_recovered_lives_on_like_what_never_stopped(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        live, _ = filled(log, 5, 300)
        snapshot(log, "acme", live)
    with open_log(tmp_path) as log:
        centre = recover(log, "acme").centre
        at = START + 100_000
        for place in range(30):
            for fact in (
                f.PhoneRegistered(at, "alice"),
                f.ContactArrived(at, f"late{place}", "+48221234567"),
                f.AgentReady(at, "alice"),
            ):
                assert step(centre, fact) == step(live, fact)


def test_tenants_are_apart(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        first, _ = filled(log, 1, 120, "acme")
        second, _ = filled(log, 2, 140, "łódź")
        assert log.tenants() == ["acme", "łódź"]
    with open_log(tmp_path) as log:
        assert reindexed(recover(log, "łódź").centre) == reindexed(second)
        assert reindexed(recover(log, "acme").centre) == reindexed(first)
        assert recover(log, "nobody").centre == Centre()
        assert log.next_seq("nobody") == 1


@pytest.mark.parametrize("harm", ["x", '{"centre":{},"pending":7}', "flipped"])
def test_a_broken_snapshot_falls_back_to_an_older_one_then_to_the_log(tmp_path: Path, harm: str) -> None:
    with open_log(tmp_path) as log:
        centre = Centre()
        for number, (fact, events, commands) in enumerate(story(4, 200, centre)):
            batch = Batch()
            batch.step(log, "acme", fact, events, commands)
            log.append(batch)
            if number in (60, 120, 180):
                snapshot(log, "acme", centre)
    for broken in (1, 2, 3):
        with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
            seq, body = db.execute(
                "SELECT seq, body FROM snapshots ORDER BY seq DESC LIMIT 1 OFFSET ?", (broken - 1,)
            ).fetchone()
            value = body[:-9] + b"1" + body[-8:] if harm == "flipped" else harm.encode()
            db.execute("UPDATE snapshots SET body = ? WHERE seq = ?", (value, seq))
        with open_log(tmp_path) as log:
            recovered = recover(log, "acme")
            assert reindexed(recovered.centre) == reindexed(centre)
            assert log.snapshotted["acme"] < seq


def test_a_snapshot_is_really_used(tmp_path: Path) -> None:
    """Without the rows before it, the state is still there."""
    with open_log(tmp_path) as log:
        centre, pending = filled(log, 6, 150)
        snapshot(log, "acme", centre)
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("DELETE FROM log WHERE seq < (SELECT max(seq) FROM log)")
    with open_log(tmp_path) as log:
        recovered = recover(log, "acme")
        assert reindexed(recovered.centre) == reindexed(centre)
        assert recovered.pending == pending


def test_a_gap_left_for_want_of_memory_is_covered_by_a_snapshot(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        centre, batch = Centre(), Batch()
        for fact, events, commands in story(8, 200, centre):
            batch.step(log, "acme", fact, events, commands)
        rows = batch.rows
        assert batch.drop_oldest(rows // 2) == {"acme"}
        snapshot(log, "acme", centre)
        log.append(batch)
    with open_log(tmp_path) as log:
        recovered = recover(log, "acme")
        assert reindexed(recovered.centre) == reindexed(centre)
        assert recovered.last_seq == rows


def test_a_snapshot_is_due_by_rows(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        assert not snapshot_due(log, "acme")
        log.numbered["acme"] = SNAPSHOT_ROWS - 1
        assert not snapshot_due(log, "acme")
        log.numbered["acme"] = SNAPSHOT_ROWS
        assert snapshot_due(log, "acme")
        snapshot(log, "acme", Centre())
        assert not snapshot_due(log, "acme")


def test_a_row_from_the_future_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        filled(log, 1, 30)
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("UPDATE log SET kind = 'event.Teleported' WHERE seq = 2")
    with (
        open_log(tmp_path) as log,
        pytest.raises(UnknownKind, match=r"Row 2 of tenant acme is of kind event\.Teleported.*Install"),
    ):
        recover(log, "acme")
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("UPDATE log SET kind = 'event.AgentDefined', version = 9 WHERE seq = 2")
    with open_log(tmp_path) as log, pytest.raises(UnknownKind, match="version 9"):
        recover(log, "acme")


@pytest.mark.parametrize("body", ["{", "{}", "[]", '{"at":1.0,"contact":"unknown","leg":"x"}'])
def test_a_broken_row_is_told_and_never_skipped(tmp_path: Path, body: str) -> None:
    with open_log(tmp_path) as log:
        filled(log, 1, 600)
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        seq = db.execute("SELECT min(seq) FROM log WHERE kind = 'event.Held'").fetchone()[0]
        db.execute("UPDATE log SET body = ? WHERE seq = ?", (body, seq))
    with open_log(tmp_path) as log, pytest.raises(DataFolderError, match=f"Row {seq} of tenant acme"):
        recover(log, "acme")


def test_infinite_configuration_is_refused_before_it_is_written(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        fact = f.QueueChanged(START, QueueSpec("q", max_wait=float("inf")))
        with pytest.raises(ValueError, match="can't be stored"):
            batch.step(log, "acme", fact, *step(Centre(), fact))
        assert batch.empty
        assert log.next_seq("acme") == 1


def test_half_characters_are_stored_as_question_marks(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        batch.step(log, "acme", f.ContactArrived(START, "c1", "12\udc99"), [], [])
        batch.party("acme", "c1", "sip:\udcff@x", "Łucja", START)
        log.append(batch)
        assert '"dialled":"12?"' in log.rows("acme")[0].body
        assert codec.decode(*log.rows("acme")[0][5:8]).dialled == "12?"


def test_a_snapshot_is_never_ahead_of_its_log(tmp_path: Path) -> None:
    """Taken while one batch is being written and the next one is filled: it waits for the second."""
    with open_log(tmp_path / "data") as log:
        centre, batches, states = Centre(), [Batch(), Batch()], []
        steps = story(2, 60, centre)
        for batch, count in zip(batches, (40, 20), strict=True):
            for fact, events, commands in itertools.islice(steps, count):
                batch.step(log, "acme", fact, events, commands)
            states.append(copy.deepcopy(centre))
        snapshot(log, "acme", centre)
        for place, batch in enumerate(batches):
            log.append(batch)
            with open_log(crashed(tmp_path / "data", tmp_path / f"crash{place}")) as again:
                assert reindexed(recover(again, "acme").centre) == reindexed(states[place])
                assert bool(again.snapshotted["acme"]) == (place == 1)
                with again.reading() as db:
                    assert db.execute("SELECT count(*) FROM snapshots").fetchone() == (place,)


def test_the_last_event_before_a_snapshot_is_not_applied_twice(tmp_path: Path) -> None:
    centre = Centre()
    with open_log(tmp_path) as log:
        for fact in (f.QueueChanged(START, QueueSpec("q")), f.QueueRemoved(START, "q")):
            batch = Batch()
            batch.step(log, "acme", fact, *step(centre, fact))
            log.append(batch)
        assert log.rows("acme")[-1].kind == "event.QueueDropped"
        snapshot(log, "acme", centre)
    with open_log(tmp_path) as log:
        assert recover(log, "acme").centre.queues == {}
