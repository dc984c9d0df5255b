"""A flow made on the screen of a running centre takes calls; published anew while one runs, it changes later ones."""

import copy
import json
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from bench import Centre, Line, Sipp, SippFailed, ports
from bench.tones import RATE, seconds_of

from centrala.testing.ports import free

pytestmark = pytest.mark.peer

GOOD = "correct horse battery"
NUMBER = "+48221000001"
HERTZ = {"first": 600, "second": 900, "wrong": 1200}
LENGTH = 1.0

MENU: dict[str, Any] = {
    "format": 1,
    "start": "ask",
    "nodes": {
        "ask": {
            "type": "menu",
            "prompt": [{"sound": "first"}],
            "invalid_prompt": [{"sound": "wrong"}],
            "timeout": 60,
            "retries": 5,
            "exits": {"1": "bye", "timeout": "bye", "invalid": "bye"},
        },
        "bye": {"type": "hang_up"},
    },
}


def other_words() -> dict[str, Any]:
    graph = copy.deepcopy(MENU)
    graph["nodes"]["ask"]["prompt"] = [{"sound": "second"}]
    return graph


def console(*words: str, said: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "centrala", *words],
        input=said,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tone(path: Path, hertz: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(round(LENGTH * RATE)) / RATE
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((8000 * np.sin(2 * np.pi * hertz * t)).astype("<i2").tobytes())


@contextmanager
def signed_in(it: Centre, base: str) -> Iterator[httpx.Client]:
    where = ["--data", str(it.data), "--tenant", "acme"]
    console("user", "add", "boss", *where, "--role", "administrator", said=GOOD + "\n")
    with httpx.Client(base_url=f"{base}/api/v1", headers={"X-Centrala": "1"}, timeout=30) as client:
        answer = client.post("/session", json={"tenant": "acme", "name": "boss", "password": GOOD})
        assert answer.status_code == 200, answer.text
        yield client


def done(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def hear(line: Line, name: str, times: int = 1, within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while (so_far := seconds_of(HERTZ[name], line.heard(), piece=0.05)) < times * LENGTH - 0.3:
        assert time.monotonic() < deadline, f"{so_far:.2f} s of {name} in {within:.0f} s"
        time.sleep(0.05)


def heard_nothing_of(line: Line, name: str) -> bool:
    return bool(seconds_of(HERTZ[name], line.heard(), piece=0.05) < 0.1)


@contextmanager
def calling(it: Centre, answer: str = "SIP/2.0 200") -> Iterator[tuple[Sipp, Line]]:
    """A caller who got this answer. A machine that is busy with other things turns callers away: they try again."""
    for attempt in range(6):
        address = ports.loopback()
        with (
            Line(hertz=440, address=address) as line,
            Sipp("uac_wait_for_bye", it.sip, NUMBER, {}, local_ip=address, line=line) as sipp,
        ):
            try:
                sipp.wait_for(answer, sent=False)
            except SippFailed:
                if attempt == 5 or sipp.find("SIP/2.0 503", sent=False) is None:
                    raise
                time.sleep(1.0)
                continue
            yield sipp, line
            return


def test_a_flow_is_published_while_somebody_is_inside(tmp_path: Path) -> None:
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    data = tmp_path / "data"
    for name, hertz in HERTZ.items():
        tone(data / "sounds" / "acme" / f"{name}.wav", hertz)
    config = {
        "listen": {"http": f"127.0.0.1:{http}"},
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "trunks": {"office": {"network": "127.0.5.0/24"}},
                "agents": {},
                "numbers": {NUMBER: {"flow": "front"}},
            }
        },
    }
    with Centre(config, data=data) as it, signed_in(it, f"http://127.0.0.1:{http}") as boss:
        with calling(it, "SIP/2.0 480"):  # there is no such flow yet
            pass
        made = done(boss.post("/flows", json={"id": "front", "name": "Front", "graph": MENU}), 201)
        assert made["numbers"] == [NUMBER]
        assert done(boss.post("/flows/front/publish", json={"base": 1}))["version"] == 1
        with calling(it) as (first, line):
            hear(line, "first")
            draft = done(boss.put("/flows/front/draft", json={"base": 0, "graph": other_words()}))
            assert done(boss.post("/flows/front/publish", json={"base": draft["revision"]}))["version"] == 2
            line.send_digits("7")
            hear(line, "wrong")
            hear(line, "first", 2)
            with calling(it) as (second, fresh):
                hear(fresh, "second")
                assert heard_nothing_of(fresh, "first")
                fresh.send_digits("1")
                second.wait()
            assert heard_nothing_of(line, "second")
            line.send_digits("1")
            first.wait()
        assert done(boss.post("/flows/front/rollback", json={"base": 2, "to": 1}))["version"] == 3

        it.kill9()
        it.start()
        with calling(it) as (third, line):
            hear(line, "first")
            line.send_digits("1")
            third.wait()
        found = done(boss.get("/flows/front/paths"))
        assert (found["calls"], found["versions"]) == (3, [1, 2, 3])
        nodes = {one["node"]: one for one in found["nodes"]}
        assert nodes["ask"]["exits"] == [{"exit": "1", "count": 3}]
        assert [done(boss.get(f"/flows/front/paths?version={one}"))["calls"] for one in (1, 2, 3)] == [
            1,
            1,
            1,
        ]

        late = tmp_path / "front.json"
        late.write_text(json.dumps(other_words()))
        where = ["--config", str(it.config_path), "--data", str(data)]
        assert "as version 4" in console("flow", "publish", str(late), *where)
        deadline = time.monotonic() + 20
        while not it.output or not any("published at the console" in line for line in it.output):
            assert time.monotonic() < deadline, "the running centre doesn't follow the console"
            time.sleep(0.2)
        with calling(it) as (fourth, line):
            hear(line, "second")
            line.send_digits("1")
            fourth.wait()
        records = it.wait_contacts(5)
        assert [one["outcome"] for one in records][1:] == ["self_served"] * 4
