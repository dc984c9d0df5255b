"""Data of older versions: golden rows and a golden folder, upgrades of tables, upcasts of rows.

tests/data/ledger holds what version 1 wrote. `python tests/unit/test_ledger_versions.py` writes the files of the
current version anew; files of a version that was published are never written again, new ones are put beside them.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from test_ledger_world import saga, story

from centrala.core.centre import Centre
from centrala.core.private import Private
from centrala.ledger import (
    DATA_VERSION,
    Batch,
    DataFolderError,
    codec,
    contacts,
    open_log,
    project,
    rebuild,
    recover,
    recovery,
    snapshot,
)
from centrala.ledger.schema import APPLICATION_ID, FILE, UPGRADES, open_to_read, upgrade

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).parents[1] / "data" / "ledger"
ROWS = GOLDEN / "rows.jsonl"
"A row of every kind and version that was ever written."
FOLDERS = sorted(GOLDEN.glob("version-*.sql"))


def golden_folder(dump: Path, data: Path) -> Path:
    data.mkdir()
    with closing(sqlite3.connect(data / FILE)) as db:
        db.executescript(dump.read_text("utf-8"))
    return data


def golden_rows() -> list[dict[str, object]]:
    return [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()]


# --- rows ---


def test_every_kind_that_we_write_has_a_golden_row() -> None:
    known = {(row["kind"], row["version"]) for row in golden_rows()}
    assert {(kind.name, kind.version) for kind in codec.KINDS.values()} <= known


def as_wide_as(then: object, now: object) -> object:
    """What is understood now, without fields that came later."""
    if isinstance(then, dict) and isinstance(now, dict):
        return {name: as_wide_as(one, now[name]) for name, one in then.items()}
    return now


@pytest.mark.parametrize("row", golden_rows(), ids=lambda row: f"{row['kind']}-{row['version']}")
def test_golden_rows_are_understood_to_the_last_field(row: dict[str, object]) -> None:
    body = json.dumps(row["body"])
    value = codec.decode(str(row["kind"]), int(str(row["version"])), body)
    understood = json.loads(codec.encode(value))
    expected = row.get("now", row["body"])  # `now`: what an upcast makes of an old body
    assert isinstance(expected, dict)
    assert as_wide_as(expected, understood) == expected
    assert (
        codec.decode(codec.KINDS[type(value)].name, codec.KINDS[type(value)].version, codec.encode(value))
        == value
    )


def test_upcasts_run_one_after_the_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A world where `Held` is at version 3: its leg was called `phone` once, and was a number before that."""
    monkeypatch.setitem(codec._DECODERS, "event.Held", (3, codec._DECODERS["event.Held"][1]))
    monkeypatch.setitem(codec.UPCASTS, ("event.Held", 1), lambda body: body | {"phone": str(body["phone"])})
    monkeypatch.setitem(codec.UPCASTS, ("event.Held", 2), lambda body: body | {"leg": body.pop("phone")})
    held = codec.decode("event.Held", 3, '{"at": 1.5, "contact": "c1", "leg": "7"}')
    assert codec.decode("event.Held", 1, '{"at": 1.5, "contact": "c1", "phone": 7}') == held
    assert codec.decode("event.Held", 2, '{"at": 1.5, "contact": "c1", "phone": "7"}') == held
    with pytest.raises(DataFolderError, match="broken"):
        codec.decode("event.Held", 2, '{"at": 1.5, "contact": "c1", "phone": 8}')


def test_old_snapshots_are_upcast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        centre, batch = Centre(), Batch()
        for fact, events, commands in story(1, 80, centre):
            batch.step(log, "acme", fact, events, commands)
        log.append(batch)
        snapshot(log, "acme", centre)
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        body = db.execute("SELECT body FROM snapshots").fetchone()[0]
        old = body.replace(b'"centre":', b'"room":')
        assert old != body
        db.execute("UPDATE snapshots SET body = ?, crc = ?", (old, recovery.zlib.crc32(old)))
        db.execute("DELETE FROM log WHERE seq < (SELECT max(seq) FROM log)")  # so that nothing else can help
    now = codec.VERSIONS[codec.SNAPSHOT]
    monkeypatch.setitem(codec.VERSIONS, codec.SNAPSHOT, now + 1)
    monkeypatch.setitem(
        codec.UPCASTS, (codec.SNAPSHOT, now), lambda body: body | {"centre": body.pop("room")}
    )
    with open_log(tmp_path) as log:
        assert recover(log, "acme").centre.numbers == centre.numbers
    monkeypatch.setitem(codec.VERSIONS, codec.SNAPSHOT, 0)
    with open_log(tmp_path) as log, pytest.raises(DataFolderError, match="newer"):
        recover(log, "acme")


# --- folders ---


@pytest.mark.parametrize("dump", FOLDERS, ids=lambda path: path.stem)
def test_a_folder_of_any_version_starts_and_shows_the_same_records(dump: Path, tmp_path: Path) -> None:
    data = golden_folder(dump, tmp_path / "data")
    expected = json.loads(dump.with_suffix(".json").read_text("utf-8"))
    with open_log(data) as log:
        recovered = recover(log, "acme")
        assert recovered.last_seq == expected["last_seq"]
        assert [[seq, type(one).__name__] for seq, one in recovered.pending] == expected["pending"]
        assert sorted(recovered.centre.contacts) == expected["running"]
        assert as_then(data, expected) == expected["contacts"]
        project(log)
        rebuild(log)
        assert as_then(data, expected) == expected["contacts"]
        assert log.dialogs("acme") == {"c1.1": b"dialog"}
        # And from the log alone, without the snapshot of that time.
        with log.transaction() as db:
            db.execute("DELETE FROM snapshots")
        assert sorted(recover(log, "acme").centre.contacts) == expected["running"]
    with closing(open_to_read(data)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (DATA_VERSION,)
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)


def as_then(data: Path, expected: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    """The records, without what a later version tells besides."""
    then = expected["contacts"][0].keys()
    return [{name: row[name] for name in then} for row in contacts(data, include_open=True)]


def tables(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()


def test_an_upgraded_folder_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    open_log(tmp_path / "new").close()
    old = golden_folder(FOLDERS[0], tmp_path / "old")
    open_log(old).close()
    with closing(open_to_read(tmp_path / "new")) as new, closing(open_to_read(old)) as db:
        assert tables(db) == tables(new)


def test_upgrades_run_in_order_and_are_all_or_nothing(tmp_path: Path) -> None:
    """Versions that don't exist: one adds a column, the next needs it, a third breaks off."""
    data = golden_folder(FOLDERS[0], tmp_path / "data")
    with closing(sqlite3.connect(data / FILE, isolation_level=None)) as db:
        rows = db.execute("SELECT count(*) FROM log").fetchone()
        before = tables(db)

        def breaks_off(db: sqlite3.Connection) -> None:
            db.execute("CREATE TABLE half(x)")
            db.execute("INSERT INTO nowhere VALUES (1)")

        newer = DATA_VERSION + 1
        steps = {number: lambda db: None for number in range(3, newer)} | {
            1: lambda db: db.execute("ALTER TABLE parties ADD COLUMN language TEXT"),
            2: lambda db: db.execute("UPDATE parties SET language = 'pl'"),
            newer: breaks_off,
        }
        with pytest.raises(sqlite3.OperationalError):
            upgrade(db, 1, to=newer + 1, steps=steps)
        assert tables(db) == before
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        upgrade(db, 1, to=newer, steps=steps)
        assert db.execute("PRAGMA user_version").fetchone() == (newer,)
        assert db.execute("SELECT DISTINCT language FROM parties").fetchall() == [("pl",)]
        assert db.execute("SELECT count(*) FROM log").fetchone() == rows
    before_bytes = (data / FILE).read_bytes()
    with pytest.raises(DataFolderError, match=rf"is of version {newer}, .*install the newer Centrala"):
        open_log(data)
    with pytest.raises(DataFolderError, match=rf"is of version {newer}, .*install the newer Centrala"):
        list(contacts(data))
    assert (data / FILE).read_bytes() == before_bytes


def test_reading_an_older_folder_says_what_to_do(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("CREATE TABLE meta(x)")
    with pytest.raises(DataFolderError, match="older version 0: start `centrala serve`"):
        list(contacts(tmp_path))


def test_there_is_an_upgrade_from_every_version_and_a_golden_folder_of_each() -> None:
    assert sorted(UPGRADES) == list(range(DATA_VERSION))
    assert [path.stem for path in FOLDERS] == [f"version-{number}" for number in range(1, DATA_VERSION + 1)]


def sample(of: object) -> object:
    """Some value of a type, every field of it told: for kinds that the story doesn't come by."""
    if of is Private:
        return Private("Łódź")
    if isinstance(of, type) and is_dataclass(of):
        hints = get_type_hints(of)
        return of(**{one.name: sample(hints[one.name]) for one in fields(of)})
    plain: dict[object, object] = {str: "x1", float: 1.5, int: 3, bool: True}
    if of in plain:
        return plain[of]
    kind, inner = get_origin(of), get_args(of)
    if kind is Literal:
        return inner[-1]
    if kind is tuple:
        return (sample(inner[0]),) if inner[-1] is ... else tuple(sample(one) for one in inner)
    if kind is list:
        return [sample(inner[0])]
    if kind is dict:
        return {sample(inner[0]): sample(inner[1])}
    assert inner, of  # a union: its first member that is something
    return sample(next(one for one in inner if one is not NoneType))


def write_golden() -> None:
    rows: dict[str, dict[str, object]] = {}
    for seed in range(12):
        for fact, events, commands in saga(seed, 500):
            for one in (fact, *events, *commands):
                if type(one) in codec.KINDS:
                    kind = codec.KINDS[type(one)]
                    # The last of several: it has more to tell than the first.
                    if kind.name not in rows or seed < 3:
                        body = json.loads(codec.encode(one))
                        rows[kind.name] = {"kind": kind.name, "version": kind.version, "body": body}
    for of, kind in codec.KINDS.items():
        if kind.name not in rows:
            body = json.loads(codec.encode(sample(of)))
            rows[kind.name] = {"kind": kind.name, "version": kind.version, "body": body}
    # What was written once is never written again: new kinds and versions are put beside it.
    old = golden_rows() if ROWS.exists() else []
    known = {(row["kind"], row["version"]) for row in old}
    fresh = [rows[name] for name in sorted(rows) if (name, rows[name]["version"]) not in known]
    lines = [json.dumps(row, ensure_ascii=False) for row in [*old, *fresh]]
    ROWS.write_text("\n".join(lines) + "\n", "utf-8")

    data = GOLDEN / "making"
    with open_log(data) as log:
        centre = Centre()
        for number, (fact, events, commands) in enumerate(saga(2, 220, centre)):
            batch = Batch()
            seqs = batch.step(log, "acme", fact, events, commands)
            if number % 7:
                batch.done(log, "acme", fact.at, seqs)
            if number == 0:
                batch.dialog("c1.1", "acme", b"dialog")
            if type(fact).__name__ == "ContactArrived":
                batch.party("acme", fact.contact, f"+4860000{number:04}", "", fact.at)  # type: ignore[union-attr]
            log.append(batch)
            if number == 100:
                snapshot(log, "acme", centre)
                project(log)
        recovered = recover(log, "acme")
        expected = {
            "last_seq": recovered.last_seq,
            "pending": [[seq, type(one).__name__] for seq, one in recovered.pending],
            "running": sorted(recovered.centre.contacts),
            "contacts": list(contacts(data, include_open=True)),
        }
    with closing(sqlite3.connect(data / FILE)) as db:
        dump = [
            *db.iterdump(),
            f"PRAGMA user_version = {DATA_VERSION};",
            f"PRAGMA application_id = {APPLICATION_ID};",
        ]
    shutil.rmtree(data)
    place = GOLDEN / f"version-{DATA_VERSION}.sql"
    place.write_text("\n".join(dump) + "\n", "utf-8")
    place.with_suffix(".json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    write_golden()


# --- rights ---


def test_a_folder_that_others_could_look_into_becomes_private(tmp_path: Path) -> None:
    for mode in (0o755, 0o750, 0o700):
        data = tmp_path / f"{mode:o}"
        data.mkdir()
        data.chmod(mode)
        open_log(data).close()
        assert data.stat().st_mode & 0o777 == 0o700
    open_log(tmp_path / "new").close()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_everybody_shares_is_left_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "shared"
    data.mkdir()
    data.chmod(0o1777)
    open_log(data).close()
    assert data.stat().st_mode & 0o7777 == 0o1777
    assert "0700" in caplog.text
