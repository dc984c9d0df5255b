"""Callers in menus: what 300 of them at once cost, and how soon a prompt begins.

A real `centrala serve`. The crowd are callers who hear spoken menus (synthesised once, then played from the cache) and
press a key every few seconds: telephone events of our own testing phones, in a process of their own; a third of them
stand in a noisy street, where keys are looked for in all that is heard. Beside them some probes, sipp with a bare RTP
end each, press a key in the silence after a prompt. Two spans are measured in the probes' packets: from the end of the
key (the first of its three end packets leaves) to the first packet of the next prompt, and from the ledger's own time
of the node's entry to that packet. CPU is user and system time of application and media worker, each for itself, in
the middle of the run.
"""

import asyncio
import json
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import wave
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "peer"))

from bench import Centre, Line, Sipp, ports

from benchmarks.signalling import cpu_of, quantile
from centrala.testing import voices
from centrala.testing.call import Call
from centrala.testing.phone import Phone, Phones
from centrala.testing.voices import Voice

CALLERS = 300
PROBES = 16
SECONDS = 30.0
EVERY = (3.0, 6.0)
"Seconds between two keys of one caller in the crowd."
SPOKEN, TONES = "+48221000001", "+48221000002"
TONE, PROMPT_SECONDS = 600, 0.5
LEGS = 20
"Calls that the crowd begins in a second."


def menus() -> dict[str, Any]:
    """Two menus that lead to each other, with spoken words."""
    main = "Welcome to the garden centre. For flowers press one. For tools press two. For anything else, hold the line."
    other = "You have chosen well. To hear this again press one. To go back to the main menu press two."
    return {
        "start": "main",
        "language": "en",
        "nodes": {
            "main": menu([main], "other", "other"),
            "other": menu([other, {"pause": 300}, {"sound": "builtin:please_hold"}], "main", "main"),
            "bye": {"type": "hang_up"},
        },
    }


def tones() -> dict[str, Any]:
    """One menu of a short tone, which begins with its first sample."""
    return {
        "start": "main",
        "language": "en",
        "nodes": {
            "main": menu([{"sound": "short"}], "main", "main"),
            "bye": {"type": "hang_up"},
        },
    }


def menu(prompt: list[Any], one: str, two: str) -> dict[str, Any]:
    return {
        "type": "menu",
        "prompt": prompt,
        "timeout": 20,
        "retries": 5,
        "exits": {"1": one, "2": two, "timeout": "bye", "invalid": "bye"},
    }


def config() -> dict[str, Any]:
    return {
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "trunks": {"office": {"network": "127.0.0.0/8"}},
                "agents": {"a": {"name": "A", "sip_password": "correct horse"}},
                "queues": {"sales": {"agents": ["a"]}},
                "flows": {"spoken": menus(), "tones": tones()},
                "numbers": {SPOKEN: {"flow": "spoken"}, TONES: {"flow": "tones"}},
            }
        }
    }


# --- the crowd, in its own process ---


def crowd(address: str, port: int, callers: int, seconds: float) -> None:
    asyncio.run(_crowd((address, port), callers, seconds))


async def _crowd(server: tuple[str, int], callers: int, seconds: float) -> None:
    rng = random.Random(1)
    room, street = noise(60.0), noise(400.0)
    pressed = 0

    async def one(phone: Phone) -> Call | None:
        nonlocal pressed
        call = phone.call(SPOKEN)
        if not await call.answered():
            return None
        until = phone.phones.now() + seconds + callers / LEGS
        while phone.phones.now() < until and call.state == "talking":
            await asyncio.sleep(rng.uniform(*EVERY))
            call.press(rng.choice("12"))
            pressed += 1
        return call

    async with Phones(ports.loopback()) as phones:
        calls = []
        for number in range(callers):
            voice = street if number % 3 == 0 else room
            calls.append(asyncio.create_task(one(phones.phone(f"c{number}", "crowd.example", server, voice))))
            await asyncio.sleep(1 / LEGS)
        print("up", flush=True)
        done = [await each for each in calls]
        print(
            json.dumps(
                {
                    "answered": sum(one is not None for one in done),
                    "still_there": sum(one is not None and one.state == "talking" for one in done),
                    "pressed": pressed,
                    "skipped_ticks": phones.skipped,
                }
            )
        )


def noise(loudness: float) -> Voice:
    """What is heard of a caller who listens: 3 s of noise of this mean square root, over and over."""
    return voices.voice(np.random.default_rng(1).normal(0, loudness, 24_000).astype(np.int16))


# --- the probes ---


@dataclass(slots=True)
class Probe(Line):
    """An RTP end that knows when its keys were over, and when sound began after them. Times are monotonic."""

    keys: list[float] = field(default_factory=list)
    "When the first end packet of each key left."

    def press(self) -> None:
        """One key `1`, 100 ms long; blocks meanwhile."""
        assert self._socket
        assert self._peer
        ssrc, began = 7, int(time.monotonic() * 8000) & 0xFFFFFFFF
        for length in range(1, 8):
            end = length >= 5
            body = struct.pack("!BBH", 1, (0x80 if end else 0) | 10, min(length, 5) * 160)
            mark = 0x80 if length == 1 else 0
            self._number = (self._number + 1) & 0xFFFF
            if length == 5:
                self.keys.append(time.monotonic())
            self._socket.sendto(
                struct.pack("!BBHII", 0x80, 101 | mark, self._number, began, ssrc) + body, self._peer
            )
            if length < 5:
                time.sleep(0.02)

    _number: int = 0

    def _say(self) -> None:
        """Nothing but keys: a silent caller whose gateway sends no silence."""

    def first_sound(self, since: float, within: float = 3.0) -> float | None:
        """When the first packet with sound came after that; None: none did."""
        until = time.monotonic() + within
        place = 0
        while time.monotonic() < until:
            packets = self.packets
            while place < len(packets):
                one = packets[place]
                place += 1
                if one.at > since and one.payload_type == 8 and loud(one.payload):
                    return one.at
            time.sleep(0.005)
        return None


def loud(payload: bytes) -> bool:
    """A-law of anything but (near) silence."""
    return any((code ^ 0x55) & 0x7F > 0x30 for code in payload[::7])


def probe(centre: Centre, number: int, stop: threading.Event, found: list[dict[str, Any]]) -> None:
    """Call, and press a key in each silence after the prompt until `stop`."""
    address, caller = ports.loopback(), f"+4850000{number:04d}"
    rng = random.Random(number)
    with (
        Probe(hertz=None, address=address) as line,
        Sipp("uac_wait_for_bye", centre.sip, TONES, {"from": caller, "patience_ms": 600_000}, local_ip=address,
             line=line, timeout=600) as sipp,
    ):  # fmt: skip
        sipp.connect_line()
        time.sleep(1.5)
        while not stop.is_set():
            line.packets.clear()
            line.press()
            heard = line.first_sound(line.keys[-1])
            found.append({"caller": caller, "key": line.keys[-1], "heard": heard})
            time.sleep(PROMPT_SECONDS + rng.uniform(0.3, 1.0))


def entries(data: Path) -> dict[str, list[float]]:
    """Caller → times of the nodes' entries, by the ledger (unix seconds)."""
    with sqlite3.connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True) as ledger:
        rows = ledger.execute(
            "SELECT address, log.at FROM log JOIN parties ON parties.id = log.contact"
            " WHERE kind = 'event.NodeEntered' ORDER BY log.at"
        )
        found: dict[str, list[float]] = {}
        for caller, at in rows:
            found.setdefault(caller, []).append(at)
    return found


def spans(found: list[dict[str, Any]], entered: dict[str, list[float]]) -> dict[str, list[float]]:
    """Milliseconds: key to prompt, and node's entry to prompt."""
    clock = time.time() - time.monotonic()
    key, node = [], []
    for one in found:
        if one["heard"] is None:
            continue
        key.append(1000 * (one["heard"] - one["key"]))
        began = [at for at in entered.get(one["caller"], ()) if at <= one["heard"] + clock]
        if began:
            node.append(1000 * (one["heard"] + clock - began[-1]))
    return {"key": key, "node": node}


def sounds(data: Path) -> None:
    """The prompt of the probes."""
    folder = data / "sounds" / "acme"
    folder.mkdir(parents=True)
    t = np.arange(int(PROMPT_SECONDS * 8000)) / 8000
    with wave.open(str(folder / "short.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((8000 * np.cos(2 * np.pi * TONE * t)).astype("<i2").tobytes())


def measured(callers: int = CALLERS, seconds: float = SECONDS) -> dict[str, Any]:
    with ExitStack() as stack:
        centre = Centre(config(), start_timeout=60.0)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menus-")))
        centre.data = folder / "data"
        sounds(centre.data)
        stack.enter_context(centre)
        load = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.menus", "crowd", *map(str, centre.sip), str(callers), str(seconds)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert load.stdout is not None
            assert load.stdout.readline() == "up\n"
            time.sleep(3.0)
            found: list[dict[str, Any]] = []
            stop = threading.Event()
            probes = [
                threading.Thread(target=probe, args=(centre, number, stop, found)) for number in range(PROBES)
            ]
            for one in probes:
                one.start()
            application, workers = [centre.pid], centre.workers()
            time.sleep(3.0)
            began, cpu = time.monotonic(), (cpu_of(application), cpu_of(workers))
            time.sleep(seconds - 8.0)
            wall = time.monotonic() - began
            shares = ((cpu_of(application) - cpu[0]) / wall, (cpu_of(workers) - cpu[1]) / wall)
            stop.set()
            for one in probes:
                one.join(30)
            said = json.loads(load.communicate(timeout=callers / LEGS + 60)[0])
        finally:
            if load.poll() is None:
                load.kill()
                load.wait(5)
        ms = spans(found, entries(centre.data))
        late = [
            line for line in (folder / "data" / "media-w0.log").read_text().splitlines() if "late" in line
        ]
    return {
        "callers": callers,
        "probes": PROBES,
        "crowd": said,
        "keys_a_second": said["pressed"] / (seconds + callers / LEGS),
        "application_share": shares[0],
        "worker_share": shares[1],
        "probed": len(found),
        "unheard": sum(one["heard"] is None for one in found),
        "worker_late": late,
        "load": os.getloadavg()[0],
        "ms": {
            name: {"p50": quantile(ms[name], 0.5), "p99": quantile(ms[name], 0.99), "max": max(ms[name], default=-1)}
            for name in ms
        },
    }  # fmt: skip


def run(callers: int = CALLERS, seconds: float = SECONDS) -> dict[str, Any]:
    with suppress(OSError):  # what else runs on this machine is not what we measure
        os.nice(-10)
    found = measured(callers, seconds)
    key, node = found["ms"]["key"], found["ms"]["node"]
    whole = found["crowd"]["still_there"] == callers and not found["unheard"]
    return {
        "figures": [
            {
                "what": f"{callers} callers in menus, {found['keys_a_second']:.0f} keys a second: application",
                "asked": "≤ 15 % of a core",
                "measured": f"{100 * found['application_share']:.1f} %",
                "ok": found["application_share"] <= 0.15 and whole,
            },
            {
                "what": "the same: media worker",
                "asked": "≤ 25 % of a core",
                "measured": f"{100 * found['worker_share']:.1f} %",
                "ok": found["worker_share"] <= 0.25 and whole,
            },
            {
                "what": "node entered to the first packet of its prompt, from cache",
                "asked": "p99 ≤ 40 ms",
                "measured": f"p50 {node['p50']:.1f}, p99 {node['p99']:.1f} ms of {found['probed']}"
                f" (load {found['load']:.1f})",
                "ok": node["p99"] <= 40,
            },
            {
                "what": "end of the key to the first packet of the next prompt",
                "asked": "p99 ≤ 80 ms",
                "measured": f"p50 {key['p50']:.1f}, p99 {key['p99']:.1f} ms",
                "ok": key["p99"] <= 80,
            },
        ],
        **found,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["crowd"]:
        host, port, count, length = sys.argv[2:]
        crowd(host, int(port), int(count), float(length))
    else:
        print(json.dumps(run(*(int(word) for word in sys.argv[1:2])), indent=2))
