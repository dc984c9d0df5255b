"""Backups: a consistent copy of the ledger while the centre runs, with recordings and all other files of the folder.

A backup is a folder: `ledger.db`, the files, and `manifest.json` with the sha256 of each. Live files (locks, sockets,
SQLite's own) are left out.
"""

import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from centrala import __version__
from centrala.ledger import codec
from centrala.ledger.errors import DataFolderError
from centrala.ledger.log import LOCK, take_lock
from centrala.ledger.schema import DATA_VERSION, FILE, open_to_read

MANIFEST = "manifest.json"
FORMAT = 1
SETTLED_SECONDS = 60.0
"A file that wasn't written for so long is finished, and may be linked instead of copied."


@dataclass(frozen=True, slots=True)
class File:
    path: str
    "Below the backup folder, with slashes."
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    format: int
    centrala: str
    data_version: int
    made_at: str
    tenants: dict[str, int]
    "Tenant → seq of its last row."
    files: tuple[File, ...]


def backup(data: Path, target: Path) -> Manifest:
    """Copy the data folder into the new folder `target`, at any time. Whole, or not there.

    The database is copied as of one moment; files after it, so that every recording it names is there. Files that
    are finished are hard links where the file system allows.
    Raises DataFolderError: nothing to back up, target not empty, no room.
    """
    if target.resolve().is_relative_to(data.resolve()):
        raise DataFolderError(
            f"The backup {target} would lie in the data folder itself: choose another place."
        )
    _must_be_free(target, "The backup")
    partial = target.with_name(target.name + ".partial")
    try:
        partial.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise DataFolderError(
            f"{partial} is left from a backup that was broken off: delete it first."
        ) from None
    except OSError as problem:
        raise DataFolderError(
            f"The backup {target} can't be made ({problem.strerror}): choose another place."
        ) from problem
    try:
        with closing(open_to_read(data)) as source, closing(sqlite3.connect(partial / FILE)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file
            tenants = {name: codec.last_seq(copy, name) for name in codec.tenants(copy)}
        for path in _files(data):
            _copy(data / path, partial / path)
        manifest = Manifest(
            FORMAT,
            __version__,
            DATA_VERSION,
            datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            tenants,
            tuple(
                File(path.as_posix(), (partial / path).stat().st_size, _sha256(partial / path))
                for path in sorted([Path(FILE), *_files(partial)])
            ),
        )
        written = partial / MANIFEST
        written.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        for path in (partial / FILE, written):
            _sync(path)
        _sync(partial)
        if target.exists():
            target.rmdir()
        partial.rename(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as problem:
        shutil.rmtree(partial, ignore_errors=True)
        raise DataFolderError(
            f"The backup {target} can't be made ({problem}): make room and try again."
        ) from problem
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return manifest


def restore(source: Path, data: Path) -> Manifest:
    """Make the new data folder `data` from a backup, after proving that every file is as the manifest says.

    Raises DataFolderError: no backup, a newer one, a broken one, `data` not empty or in use. Nothing is left then.
    """
    manifest = _manifest(source)
    _must_be_free(data, "The data folder")
    for file in manifest.files:
        path = source / file.path
        if not path.is_file() or path.stat().st_size != file.size or _sha256(path) != file.sha256:
            raise DataFolderError(
                f"The backup {source} is broken: {file.path} is missing or was changed. Use another backup."
            )
    partial = data.with_name(data.name + ".partial")
    try:
        partial.mkdir(mode=0o700, parents=True)
        for file in manifest.files:
            to = partial / file.path
            to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(source / file.path, to)
            _sync(to)
        with closing(sqlite3.connect(partial / FILE)) as db:
            verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise DataFolderError(
                f"The ledger in the backup {source} is broken: {verdict}. Use another backup."
            )
        if data.exists():
            (data / LOCK).unlink(missing_ok=True)
            data.rmdir()
        partial.rename(data)
        _sync(data.parent)
    except FileExistsError:
        raise DataFolderError(
            f"{partial} is left from a restore that was broken off: delete it first."
        ) from None
    except (OSError, sqlite3.Error) as problem:
        shutil.rmtree(partial, ignore_errors=True)
        raise DataFolderError(
            f"The data folder {data} can't be restored ({problem}): make room or set the permissions, then try again."
        ) from problem
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return manifest


def _manifest(source: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except OSError:
        raise DataFolderError(f"{source} is no backup: it has no {MANIFEST} that can be read.") from None
    except msgspec.DecodeError as problem:
        raise DataFolderError(f"{source / MANIFEST} is broken ({problem}): use another backup.") from None
    if manifest.format > FORMAT or manifest.data_version > DATA_VERSION:
        raise DataFolderError(
            f"The backup {source} was made by Centrala {manifest.centrala}, which is newer: install that version."
        )
    names = {file.path for file in manifest.files}
    strange = [
        name for name in names if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute()
    ]
    if strange or FILE not in names:
        raise DataFolderError(f"{source / MANIFEST} is broken (it names wrong files): use another backup.")
    return manifest


def _must_be_free(folder: Path, what: str) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataFolderError(f"{what} {folder} is a file: choose another place.")
    try:
        inside = {path.name for path in folder.iterdir()}
        if LOCK in inside:
            os.close(take_lock(folder))  # says so when it is in use
    except OSError as problem:
        raise DataFolderError(
            f"{what} {folder} can't be used ({problem.strerror}): choose another place."
        ) from problem
    if inside - {LOCK}:
        raise DataFolderError(f"{what} {folder} isn't empty: choose a new one.")


def _files(folder: Path) -> Iterator[Path]:
    """What is backed up beside the database, as paths below the folder."""
    live = {FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal", LOCK, MANIFEST}
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            below = path.relative_to(folder)
            if str(below) in live or path.suffix in (".lock", ".pid", ".sock", ".tmp"):
                continue
            if (
                below.parts[0] == "speech"
            ):  # can be spoken again; what is about callers shall not outlive its minutes
                continue
            if path.is_file() and not path.is_symlink():
                yield below


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        if time.time() - path.stat().st_mtime > SETTLED_SECONDS:
            try:
                os.link(path, to)
                return
            except OSError:
                pass  # another file system, or one without links
        shutil.copy2(path, to)
    except FileNotFoundError:
        return  # gone meanwhile: retention deletes


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
