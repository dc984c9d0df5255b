"""The ledger against other processes: killed writers, readers beside a writer, people without rights."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from test_ledger_recovery import reindexed
from test_ledger_world import story

from centrala.core.centre import Centre
from centrala.ledger import DataFolderError, contacts, open_log, recover

pytestmark = pytest.mark.peer

WRITER = """
import sys
from pathlib import Path
from test_ledger_world import story
from centrala.core.centre import Centre
from centrala.ledger import Batch, open_log, project, snapshot

log, centre = open_log(Path(sys.argv[1])), Centre()
for number, (fact, events, commands) in enumerate(story(int(sys.argv[2]), 10**6, centre)):
    batch = Batch()
    batch.step(log, "acme", fact, events, commands)
    log.append(batch)
    print(number, log.next_seq("acme") - 1, flush=True)
    if number % 50 == 49:
        snapshot(log, "acme", centre)
        project(log)
"""


def run(script: str, *arguments: object) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("steps", [1, 40, 230])
def test_a_killed_writer_loses_nothing_it_has_committed(tmp_path: Path, steps: int) -> None:
    writer = run(WRITER, tmp_path, steps)
    assert writer.stdout is not None
    try:
        for _ in range(steps):
            number, seq = map(int, writer.stdout.readline().split())
        if steps > 100:
            assert list(contacts(tmp_path))  # beside the writer, without its lock
            with pytest.raises(DataFolderError, match=f"process {writer.pid}"):
                open_log(tmp_path)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait(30)
    for line in writer.stdout:  # what it said before it died
        if line.endswith("\n"):
            number, seq = map(int, line.split())
    writer.stdout.close()
    with open_log(tmp_path) as log:
        recovered = recover(log, "acme")
        assert recovered.last_seq >= seq
        centre, rows = Centre(), 0
        for told, (_, events, commands) in enumerate(story(steps, 10**6, centre)):  # noqa: B007
            rows += (
                1
                + len(events)
                + sum(type(one).__name__ not in ("SetTimer", "CancelTimer") for one in commands)
            )
            if rows == recovered.last_seq:
                break
            assert rows < recovered.last_seq
        assert told in (number, number + 1)
        assert reindexed(recovered.centre) == reindexed(centre)


READER = """
import sys
from pathlib import Path
from centrala.ledger import DataFolderError, contacts, open_log
import json, os
os.setgid(65534); os.setuid(65534)
data = Path(sys.argv[1])
try:
    open_log(data)
except DataFolderError as problem:
    print(json.dumps(str(problem)))
try:
    print(json.dumps(len(list(contacts(data)))))
except DataFolderError as problem:
    print(json.dumps(str(problem)))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="another user can be played by root alone")
def test_another_user_is_told_what_to_do() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        _as_another_user(Path(folder) / "data")


def _as_another_user(data: Path) -> None:
    writer = run(WRITER, data, 5)
    assert writer.stdout is not None
    for _ in range(60):
        writer.stdout.readline()
    writer.kill()
    writer.wait(30)
    writer.stdout.close()
    open_log(data).close()
    expected = len(list(contacts(data)))

    def as_nobody() -> list[str]:
        reader = run(READER, data)
        out, _ = reader.communicate(timeout=60)
        return [str(json.loads(line)) for line in out.splitlines()]

    refused, read = as_nobody()
    assert "can't be used (Permission denied)" in refused
    assert "--data" in refused
    assert "can't be read" in read
    # A folder that may be read and not written: the records can be seen all the same.
    data.chmod(0o755)
    (data / "ledger.db").chmod(0o644)
    refused, read = as_nobody()
    assert "can't be used (Permission denied)" in refused
    assert read == str(expected)


def test_records_are_read_beside_a_writer_at_any_time(tmp_path: Path) -> None:
    writer = run(WRITER, tmp_path, 77)
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        shown: list[str] = []
        until = time.monotonic() + 2
        while time.monotonic() < until:
            now = [str(one["id"]) for one in contacts(tmp_path)]
            assert len(now) >= len(shown)
            shown = now
            for _ in range(20):
                writer.stdout.readline()
        assert len(shown) > 5
    finally:
        writer.kill()
        writer.wait(30)
        assert writer.stdout is not None
        writer.stdout.close()
