"""The disk is full: who talks goes on talking, new calls are turned away, and nothing is lost once there is room."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Centre, share_of
from test_in_call import hears, soon
from test_queue_call import ALICE, CALLER, SALES, agent, caller, config

pytestmark = pytest.mark.peer


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"a small file system can't be mounted here (root may): {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        size = 1 << 16
        while size >= 1:
            try:
                file.write(b"x" * size)
                os.fsync(file.fileno())
            except OSError:
                size //= 2
    return path


def seconds_used(pid: int) -> float:
    """CPU time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_full_disk_turns_new_calls_away_and_loses_nothing(small_disk: Path) -> None:
    with (
        Centre(config(), data=small_disk / "data") as centre,
        agent(centre, "alice", ALICE) as alice,
    ):
        alice.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            hears(line, ALICE)
            filler = fill(small_disk)
            # Anything that must be written now shows it: a phone that holds, a call that knocks.
            alice.hold()
            centre.wait_output("ALARM the ledger can't be written, new calls are turned away: .*full")
            alice.resume()
            with caller(centre, SALES, "uac_rejected", status=503) as (refused, _):
                refused.wait()
                answer = refused.find("SIP/2.0 503", sent=False)
                assert answer
                assert int(answer.header("Retry-After") or 0) > 0
            hears(line, ALICE)
            used = seconds_used(centre.pid)
            time.sleep(2.0)
            assert seconds_used(centre.pid) - used < 1.0, "it tries again and again without a pause"
            assert share_of(ALICE, line.heard(0.5)) > 0.8
            alice.hangup()  # is heard on the other side although it can't be written yet
            sipp.wait()
            assert centre.running()
        filler.unlink()
        centre.wait_output("ALARM over: the ledger is written again")
        with caller(centre, SALES, talk_ms=1500) as (second, line):
            hears(line, ALICE)
            second.wait()
        records = centre.wait_contacts(2)
        assert [one["outcome"] for one in records] == ["answered", "answered"]
        assert records[0]["hold_s"] > 0
        assert records[0]["talk_s"] > 2
        assert all(one["ended_at"] for one in records)
        soon(lambda: all(one["recording"] for one in centre.contacts()), "a recording was never told")
        assert not any("Traceback" in line for line in centre.output), centre.tail()
        assert centre.stop() == 0


def test_a_restart_after_a_full_disk_finds_everything(small_disk: Path) -> None:
    with (
        Centre(config(), data=small_disk / "data") as centre,
        agent(centre, "alice", ALICE) as alice,
    ):
        alice.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            hears(line, ALICE)
            hears(alice, CALLER)
            filler = fill(small_disk)
            alice.hangup()
            sipp.wait()
            centre.wait_output("ALARM the ledger")
            filler.unlink()
            centre.wait_output("ALARM over")
        centre.restart()
        (record,) = centre.wait_contacts(1)
        assert record["outcome"] == "answered"


def test_a_start_on_a_full_disk_is_one_sentence(small_disk: Path) -> None:
    fill(small_disk)
    centre = Centre(config(), data=small_disk / "data")
    with pytest.raises(AssertionError, match="ended with 1") as refused, centre:
        pass
    text = str(refused.value)
    assert "Traceback" not in text
    assert re.search(r"centrala: .*(room|space|full)", text)
