"""The demo as a user starts it: a process without a terminal, a call from outside while it runs, its report."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from centrala.testing import voices
from centrala.testing.carrier import AGENT_PIPS
from centrala.testing.phone import Phones

pytestmark = pytest.mark.peer


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Its temporary files are made below `folder`, so that what is left behind shows."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "centrala", "demo", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip


@pytest.fixture
def room() -> Iterator[Path]:
    # A short path: that of a Unix socket has at most 100 bytes.
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


def finish(process: subprocess.Popen[str], within: float = 60) -> tuple[int, str]:
    try:
        out, _ = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out


def workers_below(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(folder) in command and "centrala" in command:
                found.append(command.replace("\0", " "))
    return found


def test_both_sides_of_every_conversation_hear_each_other(room: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    process = start(room, "--duration", "25", "--report", str(report))
    code, out = finish(process)
    assert code == 0, out
    told = json.loads(report.read_text())
    assert told["ok"] is True
    assert told["offered"] >= 4
    ends = ("answered", "abandoned", "self_served", "left_menu", "promised", "turned_away")
    assert told["offered"] == sum(told[name] for name in ends)
    assert told["conversations"] >= 2
    assert told["heard_both_ways"] == told["conversations"]
    assert told["recordings"] == told["recordings_good"] == told["conversations"]
    assert told["errors"] == 0, told["log"]
    assert told["open"] == 0
    assert told["cpu_application"] > 0
    assert told["cpu_media"] > 0
    assert f"both sides heard each other in {told['conversations']} of {told['conversations']}" in out
    assert list(room.iterdir()) == [], "a temporary folder was left behind"
    assert workers_below(room) == []


def test_a_softphone_calls_in_and_takes_calls_as_the_first_lines_promise(room: Path) -> None:
    process = start(room, "--duration", "60", "--seed", "3")
    try:
        assert process.stdout is not None
        head = ""
        deadline = time.monotonic() + 30
        while "take calls" not in head and time.monotonic() < deadline:
            head += process.stdout.readline()
        uri = re.search(r"call in:\s+(sip:\S+@([\d.]+):(\d+))", head)
        guest = re.search(r"register (\w+) at \S+, password (\S+)", head)
        assert uri, head
        assert guest, head
        asyncio.run(_use_it(uri[1], (uri[2], int(uri[3])), guest[1], guest[2]))
        process.send_signal(signal.SIGINT)
        code, out = finish(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    # It may have ended before a simulated conversation was long enough to be judged; nothing else may be wrong.
    problems = [line for line in out.splitlines() if line.startswith("Problem")]
    assert code == 0 or all("long enough" in line for line in problems), out
    assert list(room.iterdir()) == []
    assert workers_below(room) == []


async def _use_it(uri: str, server: tuple[str, int], user: str, password: str) -> None:
    async with Phones() as mine, Phones() as other:
        visitor = mine.phone("visitor", "example.org", server, voices.tone(3000))
        call = visitor.call(uri)
        assert await call.answered(10)
        await call.until(lambda: bool(voices.pips_in(call.heard, AGENT_PIPS)), 40)  # an agent speaks
        call.hang_up()
        guest = other.phone(user, "demo.example", server, voices.tone(3000))
        rung = asyncio.Event()
        guest.on_call = lambda call: (call.accept(), rung.set())[0]
        await guest.register(password)
        await asyncio.wait_for(rung.wait(), 40)


@pytest.mark.soak
def test_taken_ports_are_replaced_and_said(room: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip, socket.socket() as tcp:
        for sock in (sip, tcp):
            with contextlib.suppress(OSError):  # somebody else holds it: just as well
                sock.bind(("127.0.0.1", 5060))
        process = start(room, "--duration", "14", "--data", str(room / "kept"))
        code, out = finish(process)
    assert code == 0, out
    assert re.search(r"note: port 5060 is taken: the centre listens on \d+", out), out
    assert "127.0.0.1:5060" not in out
    assert (room / "kept" / "ledger.db").exists(), "a folder that was given is kept"
    assert (room / "kept" / "demo.yaml").stat().st_mode & 0o077 == 0, "the file holds passwords"


def test_a_folder_that_cannot_be_used_is_said_in_a_sentence(room: Path) -> None:
    (room / "file").write_text("")
    code, out = finish(start(room, "--duration", "5", "--data", str(room / "file")))
    assert code == 1
    assert "the demo can't run" in out
    assert "Traceback" not in out
