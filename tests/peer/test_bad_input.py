"""What the world throws at a centre: strangers, wrong passwords, garbage, floods, and folders that can't be used."""

import os
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench import Centre, Line, Sipp, level, ports, share_of
from test_in_call import hears, patched, soon
from test_queue_call import (
    ALICE,
    BORIS,
    CALLER,
    EXPERT,
    PASSWORDS,
    SALES,
    agent,
    caller,
    config,
    only,
)
from test_transports import Phone, Wire, digest

from centrala.channels.voice.doors import LONGEST_BAN, REMEMBERED, Bans

pytestmark = pytest.mark.peer

TORTURE = Path(__file__).parents[1] / "data" / "sip" / "rfc4475.txt"


def no_traceback(centre: Centre) -> None:
    assert not any("Traceback" in line for line in centre.output), centre.tail()


# --- strangers ---


def test_a_stranger_who_names_an_agent_is_challenged_and_never_let_in() -> None:
    with Centre(config()) as centre, Line() as line, Wire("udp", centre.sip) as wire:
        liar = Phone(wire, "alice", line=line)
        for attempt in range(3):
            liar.call_id = ""
            liar.invite(SALES)
            challenged = wire.until("SIP/2.0 4")
            assert challenged.startswith("SIP/2.0 401")
            if attempt == 2:
                break
            proof = digest(challenged, "INVITE", f"sip:{SALES}@acme.example", "alice", "guess")
            liar.invite(SALES, [f"Authorization: {proof}"])
            assert wire.until("SIP/2.0 4").startswith("SIP/2.0 401")
        # Somebody else's name in the credentials does not help.
        liar.call_id = ""
        liar.invite(SALES)
        challenged = wire.until("SIP/2.0 4")
        proof = digest(challenged, "INVITE", f"sip:{SALES}@acme.example", "boris", PASSWORDS["boris"])
        liar.invite(SALES, [f"Authorization: {proof}"])
        assert wire.until("SIP/2.0 4").startswith("SIP/2.0 401")
        assert centre.contacts() == []


def test_wrong_passwords_end_in_a_ban_that_ends_too() -> None:
    quick = patched("import centrala.channels.voice.doors as d\nd.FIRST_BAN = 1.5")
    with Centre(config(), program=quick) as centre, Wire("udp", centre.sip) as wire:
        phone = Phone(wire, "alice")
        for _ in range(5):
            phone.register("wrong", expect="SIP/2.0 401")
        phone.register(PASSWORDS["alice"], expect="SIP/2.0 403")
        # The name is banned from other addresses too, the address for other names.
        with Wire("udp", centre.sip, ("127.0.0.7", 0)) as elsewhere:
            Phone(elsewhere, "alice").register(PASSWORDS["alice"], expect="SIP/2.0 403")
            Phone(elsewhere, "boris").register(PASSWORDS["boris"])
        Phone(wire, "boris").register(PASSWORDS["boris"], expect="SIP/2.0 403")
        time.sleep(1.8)
        phone.register("wrong", expect="SIP/2.0 401")  # the next ban is twice as long
        time.sleep(1.8)
        phone.register(PASSWORDS["alice"], expect="SIP/2.0 403")
        time.sleep(1.6)
        phone.register(PASSWORDS["alice"])
        assert not any("alice" in line or "127.0.0.7" in line for line in centre.output)


def test_the_memory_of_wrong_passwords_is_bounded() -> None:
    bans = Bans()
    for number in range(REMEMBERED + 5000):
        bans.failed(0.0, f"address:{number}", "user:acme/alice")
    assert len(bans._by_key) == REMEMBERED
    assert bans.banned(0.0, "user:acme/alice")
    assert bans.banned(LONGEST_BAN - 1, "user:acme/alice")
    assert not bans.banned(LONGEST_BAN + 1, "user:acme/alice")


# --- queues that can't take a call ---


def queue_with(way: dict[str, Any], **queue: Any) -> dict[str, Any]:
    settings = config(queue={**queue})
    settings["tenants"]["acme"]["queues"]["sales"].update(way)
    settings["tenants"]["acme"]["queues"]["second"] = {"agents": ["boris"], "wrap_up": "1s"}
    return settings


CLOSED = {"hours": {"mon": "closed"}}


@pytest.mark.parametrize(
    "why",
    [{"max_length": 0, "when_full": None}, {**CLOSED, "when_closed": None}, {"when_no_agents": None}],
    ids=["full", "closed", "no_agents"],
)
@pytest.mark.parametrize("way", ["busy", "phone", "music", "queue", "unavailable"])
def test_a_queue_that_cannot_take_a_call_takes_the_way_out(why: dict[str, Any], way: str) -> None:
    outside = ports.free_sip()
    to = {
        "busy": {"hang_up": "busy"},
        "unavailable": {"hang_up": "unavailable"},
        "phone": {"phone": f"sip:expert@127.0.0.1:{outside}"},
        "music": {"music": "default"},
        "queue": {"queue": "second"},
    }[way]
    settings = queue_with({key: to if value is None else value for key, value in why.items()})
    settings["tenants"]["acme"]["queues"]["sales"]["agents"] = ["alice"]
    with Centre(settings) as centre:
        if way in ("busy", "unavailable"):
            with caller(centre, SALES, "uac_rejected", status=486 if way == "busy" else 480) as (sipp, _):
                sipp.wait()
            assert only(centre.wait_contacts(1))["outcome"] in ("refused", "failed")
        elif way == "music":
            with caller(centre, SALES, talk_ms=1500) as (sipp, line):
                sipp.wait()
                assert level(line.heard()[-4000:]) > 0.005
        elif way == "queue":
            with agent(centre, "boris", BORIS) as boris:
                boris.wait_registered()
                with caller(centre, SALES, talk_ms=2500) as (sipp, line):
                    hears(line, BORIS)
                    sipp.wait()
            assert only(centre.wait_contacts(1))["agent"] == "boris"
        else:
            with (
                Line(hertz=EXPERT) as desk,
                Sipp("uas_answer", local_port=outside, line=desk, settings={"ring_ms": 100}) as phone,
                caller(centre, SALES, talk_ms=2500) as (sipp, line),
            ):
                hears(line, EXPERT)
                sipp.wait()
                phone.wait()
            assert only(centre.wait_contacts(1))["outcome"] == "redirected"
        no_traceback(centre)


# --- garbage ---


def torture() -> list[bytes]:
    found = []
    for block in re.split(r"^=== ", TORTURE.read_text(), flags=re.MULTILINE)[1:]:
        text = block.partition("\n")[2]
        text = re.sub(r"\$\{R(\d+):(\w+)\}", lambda hit: hit[2] * int(hit[1]), text)
        raw = re.sub(
            rb"\\x([0-9a-f]{2})", lambda hit: bytes([int(hit[1], 16)]), text.replace("\n", "\r\n").encode()
        )
        head, _, body = raw.partition(b"\r\n\r\n")
        found.append(head.replace(b"${L}", str(len(body)).encode()) + b"\r\n\r\n" + body)
    return found


def memory(pid: int) -> float:
    """Resident megabytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s*(\d+)", text)[1]) / 1024  # type: ignore[index]


def bad_datagrams(count: int, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    sound = torture()
    made: list[bytes] = []
    for _ in range(count):
        kind = chance.randrange(6)
        one = chance.choice(sound)
        if kind == 0:
            made.append(chance.randbytes(chance.randrange(1, 1400)))
        elif kind == 1:
            made.append(one[: chance.randrange(1, len(one))])
        elif kind == 2:
            broken = bytearray(one)
            for _ in range(chance.randrange(1, 9)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            made.append(bytes(broken))
        elif kind == 3:
            made.append(one.replace(b"Via", b"Via: SIP/2.0/UDP x\r\nVia", 1)[:60_000])
        elif kind == 4:
            made.append(b"INVITE sip:a SIP/2.0\r\n" + b"X: y\r\n" * chance.randrange(10_000))
        else:
            made.append(one)
    return [one[:65_000] for one in made]


def test_garbage_does_no_harm_to_a_call_that_is_up() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            hears(line, ALICE)
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as stranger:
                for round_, seed in enumerate((1, 2, 3)):
                    for number, data in enumerate(bad_datagrams(1500, seed)):
                        stranger.sendto(data, centre.sip)
                        if number % 50 == 0:
                            time.sleep(0.02)
                    if round_ == 0:
                        time.sleep(0.5)
                        before = memory(centre.pid)
                assert centre.running()
                # Sound garbage at every port of the media worker that is open.
                (worker,) = centre.workers()
                for port in media_ports(worker):
                    for data in (b"", b"\x80", b"\x80\x08" + os.urandom(170), b"\xff" * 1400, os.urandom(12)):
                        for _ in range(20):
                            stranger.sendto(data, ("127.0.0.1", port))
            time.sleep(1.0)
            assert memory(centre.pid) - before < 25, "the memory grows with garbage"
            hears(line, ALICE)
            assert share_of(CALLER, alice.heard(last=1.0)) > 0.8
            alice.hangup()
            sipp.wait()
        assert only(centre.wait_contacts(1))["outcome"] == "answered"
        no_traceback(centre)
        assert centre.stop() == 0
        counted = centre.wait_output("counted: ")
        assert "rejected: not sip" in counted
        assert "malformed" in counted


def media_ports(pid: int) -> list[int]:
    """The UDP ports that a process has open."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if found := re.match(r"socket:\[(\d+)\]", os.readlink(entry)):
                inodes.add(found[1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/udp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[9] in inodes]


def test_a_flood_from_a_stranger_does_not_starve_the_trunk() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        flood = subprocess.Popen(
            [sys.executable, "-c", FLOOD, str(centre.sip[1])], stdout=subprocess.PIPE, text=True
        )
        try:
            time.sleep(1.0)
            for number in range(1, 3):
                with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
                    hears(line, ALICE, timeout=15)
                    mark = alice.mark()
                    alice.hangup()
                    alice.wait_closed(after=mark)
                    sipp.wait()
                assert len(centre.wait_contacts(number)) == number
                time.sleep(1.2)
            assert flood.poll() is None
        finally:
            flood.kill()
            flood.wait()
        no_traceback(centre)


FLOOD = """
import socket, sys, time, itertools
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.66", 0))
for n in itertools.count():
    s.sendto((f"INVITE sip:+48221234567@x SIP/2.0\\r\\nVia: SIP/2.0/UDP 127.0.0.66:9;branch=z9hG4bK{n}\\r\\n"
        f"From: <sip:x@y>;tag={n}\\r\\nTo: <sip:z@y>\\r\\nCall-ID: f{n}\\r\\nCSeq: 1 INVITE\\r\\nMax-Forwards: 9\\r\\n"
        f"Contact: <sip:x@127.0.0.66:9>\\r\\nContent-Length: 0\\r\\n\\r\\n").encode(), ("127.0.0.1", int(sys.argv[1])))
    if n % 10 == 0:
        time.sleep(0.02)
"""
"Some 400 INVITEs in a second, each a new call, none of them ever acknowledged."


# --- starts that can't be ---


def refused_start(settings: dict[str, Any], data: Path, folder: Path) -> str:
    """Start, expect one sentence on standard error and exit code 1; gives the sentence."""
    path = folder / "centre.yaml"
    path.write_text(yaml.safe_dump(settings))
    done = subprocess.run(
        [sys.executable, "-m", "centrala", "serve", "--config", str(path), "--data", str(data)],
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    assert "ready" not in done.stdout
    said = [line for line in done.stderr.splitlines() if line.startswith("centrala: ")]
    assert len(said) == 1, done.stderr
    return said[0]


def listening(*sip: Any) -> dict[str, Any]:
    settings = config()
    settings["listen"] = {"sip": list(sip), "media": {"address": "127.0.0.1", "ports": "20000-29999"}}
    return settings


def leftovers(data: Path) -> list[int]:
    with suppress(FileNotFoundError):
        probe = Centre({}, data=data)
        return probe.workers()
    return []


@pytest.mark.parametrize("transport", ["udp", "tcp", "ws"])
def test_a_port_in_use(transport: str, tmp_path: Path) -> None:
    port = ports.free_sip()
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with closing(socket.socket(socket.AF_INET, kind)) as taken:
        taken.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        said = refused_start(listening(f"{transport}:127.0.0.1:{port}"), tmp_path / "data", tmp_path)
    assert f"cannot listen on {transport}:127.0.0.1:{port}" in said
    assert "uses the port" in said
    soon(lambda: not leftovers(tmp_path / "data"), "a media worker is left behind")


def test_an_address_that_is_not_ours(tmp_path: Path) -> None:
    said = refused_start(listening("udp:192.0.2.1:5060"), tmp_path / "data", tmp_path)
    assert "192.0.2.1" in said
    assert "no such address" in said


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("nothing\n")
    tls = {"tls": f"127.0.0.1:{ports.free_sip()}", "certificate": "cert.pem", "key": "key.pem"}
    said = refused_start(listening(tls), tmp_path / "data", tmp_path)
    assert "cert.pem" in said
    assert "certificate" in said


def test_a_data_folder_in_use(tmp_path: Path) -> None:
    with Centre(config()) as centre:
        assert centre.data
        said = refused_start(listening(f"udp:127.0.0.1:{ports.free_sip()}"), centre.data, tmp_path)
        assert "in use by another Centrala" in said
        assert centre.running()


def test_a_ledger_that_is_broken_newer_or_somebody_elses(tmp_path: Path) -> None:
    settings = listening(f"udp:127.0.0.1:{ports.free_sip()}")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "ledger.db").write_bytes(os.urandom(8192))
    assert "broken" in refused_start(settings, broken, tmp_path)

    with Centre(config()) as centre:
        assert centre.data
        centre.stop()
        newer = tmp_path / "newer"
        shutil.copytree(centre.data, newer, ignore=shutil.ignore_patterns("*.sock"))
    with closing(sqlite3.connect(newer / "ledger.db")) as db:
        db.execute("PRAGMA user_version = 99")
        db.commit()
    assert "install the newer" in refused_start(settings, newer, tmp_path)

    foreign = tmp_path / "foreign"
    foreign.mkdir()
    with closing(sqlite3.connect(foreign / "ledger.db")) as db:
        db.execute("CREATE TABLE other(x)")
        db.commit()
    assert "another program" in refused_start(settings, foreign, tmp_path)


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    settings = listening(f"udp:127.0.0.1:{ports.free_sip()}")
    assert "data folder" in refused_start(settings, tmp_path / "data", tmp_path)


def test_a_ledger_damaged_in_the_middle_is_said_and_not_run_over(tmp_path: Path) -> None:
    with Centre(config()) as centre, caller(centre, "400", talk_ms=500) as (sipp, _):
        sipp.wait()
        centre.wait_contacts(1)
        centre.stop()
        assert centre.data
        damaged = tmp_path / "damaged"
        shutil.copytree(centre.data, damaged, ignore=shutil.ignore_patterns("*.sock"))
    path = damaged / "ledger.db"
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    said = refused_start(listening(f"udp:127.0.0.1:{ports.free_sip()}"), damaged, tmp_path)
    assert "broken" in said or "can't be" in said
