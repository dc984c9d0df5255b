"""The doctor as a user calls it, on healthy and on broken machines."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from centrala.testing import ports

pytestmark = pytest.mark.peer

HOST = "127.0.0.1"


@pytest.fixture
def room() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="doc-") as folder:
        yield Path(folder)


def write(room: Path, *, sip: int | None = None, host: str = HOST, **media: object) -> Path:
    low, high = ports.free_range(HOST, 42000, 300)
    centre = {
        "listen": {
            "sip": [f"udp:{host}:{sip or ports.free(HOST)}"],
            "media": {"address": HOST, "ports": f"{low}-{high}", **media},
        },
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "agents": {"alice": {"sip_password": "correct horse"}},
                "queues": {"sales": {"agents": ["alice"]}},
                "numbers": {"100": {"queue": "sales"}},
            }
        },
    }
    path = room / "centre.yaml"
    path.write_text(yaml.safe_dump(centre))
    return path


def examine(*arguments: str | Path) -> tuple[int, dict[str, list[tuple[str, str]]], str]:
    """Exit code, findings by title as (word, text), and all that was printed."""
    run = subprocess.run(
        [sys.executable, "-m", "centrala", "doctor", *map(str, arguments)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found: dict[str, list[tuple[str, str]]] = {}
    for line in run.stdout.splitlines():
        if line[:9].strip() in ("ok", "note", "PROBLEM"):
            found.setdefault(line[9:24].strip(), []).append((line[:9].strip(), line[25:]))
    return run.returncode, found, run.stdout + run.stderr


def test_a_healthy_machine(room: Path) -> None:
    code, found, out = examine("--config", write(room), "--data", room / "data")
    assert code == 0, out
    assert not any(word == "PROBLEM" for findings in found.values() for word, _ in findings)
    for title in (
        "Python",
        "packages",
        "file",
        "data folder",
        "disk",
        "commit time",
        "port",
        "media ports",
        "UDP",
    ):
        assert found[title], out
    assert "a tone each way was heard" in found["media worker"][0][1]
    assert "both sides heard each other, recorded on two channels" in found["call to itself"][0][1]
    assert not (room / "data").exists(), "the doctor changes nothing"
    assert "Traceback" not in out


def test_without_a_file_and_a_folder() -> None:
    code, found, out = examine()
    assert code == 0, out
    assert found["call to itself"][0][0] == "ok"


def test_a_taken_port_and_who_has_it(room: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        code, found, out = examine("--config", write(room, sip=port))
    assert code == 1, out
    word, text = found["port"][0]
    assert word == "PROBLEM"
    assert f"udp:{HOST}:{port} is taken by" in text
    assert f"process {os.getpid()}" in text
    assert found["call to itself"][0][0] == "ok", "the other checks go on"


def test_a_broken_file_is_told_line_by_line(room: Path) -> None:
    path = write(room)
    path.write_text(path.read_text().replace("queue: sales", "queue: nowhere").replace("domain:", "domian:"))
    code, found, out = examine("--config", path)
    assert code == 1, out
    assert "nowhere" in out
    assert "domian" in out
    assert all(word == "PROBLEM" for word, _ in found["file"])
    assert "Traceback" not in out


def test_a_missing_file(room: Path) -> None:
    code, _, out = examine("--config", room / "none.yaml")
    assert code == 1
    assert "there is no such file" in out


@pytest.mark.parametrize("where", ["/proc/centrala", "/sys"])
def test_a_folder_that_cannot_be_written(where: str) -> None:
    """Even the superuser can't write here."""
    code, found, out = examine("--data", where)
    assert code == 1, out
    assert found["data folder"][0][0] == "PROBLEM"
    assert "--data" in found["data folder"][0][1]
    assert "Traceback" not in out


def test_a_folder_that_is_a_file(room: Path) -> None:
    (room / "file").write_text("")
    code, found, out = examine("--data", room / "file")
    assert code == 1, out
    assert "is no folder" in found["data folder"][0][1]


def test_a_ledger_that_is_no_database(room: Path) -> None:
    (room / "data").mkdir()
    (room / "data" / "ledger.db").write_bytes(b"not a database at all, not even a little" * 100)
    code, found, out = examine("--data", room / "data")
    assert code == 1, out
    assert found["ledger"][0][0] == "PROBLEM"
    assert "Traceback" not in out


def test_addresses_that_are_not_ours(room: Path) -> None:
    code, found, out = examine(
        "--config", write(room, host="203.0.113.77", advertised_address="198.51.100.77")
    )
    assert code == 1, out
    assert "203.0.113.77 is not an address of this machine" in found["address"][0][1]
    assert found["advertised"][0][0] == "note", "behind a NAT that is right"


def test_beside_a_running_centre(room: Path) -> None:
    path, data = write(room), room / "data"
    running = subprocess.Popen(
        [sys.executable, "-m", "centrala", "serve", "--config", str(path), "--data", str(data)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("ready")
        code, found, out = examine("--config", path, "--data", data)
        assert code == 0, out
        assert f"a centre runs on it (process {running.pid})" in found["data folder"][0][1]
        assert found["port"] == [("ok", found["port"][0][1])]
        assert "held by the centre on this data folder" in found["port"][0][1]
        assert found["ledger"][0][0] == "ok"
        assert running.poll() is None, "the running centre isn't disturbed"
    finally:
        running.terminate()
        running.wait(20)
