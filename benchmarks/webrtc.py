"""What browsers' legs cost in the media worker: `python -m benchmarks.webrtc [--quick] [scenario]`.

As `benchmarks.media`, but every leg is ICE, DTLS and SRTP (AES-GCM, as Chromium chooses it), with a connectivity check
each 2.5 s as browsers send them. Bridged legs prove that no frame is lost; mixed ones that each hears two others, what
mixing costs. Setting up is timed by itself: it is done before the CPU is measured.
"""

from __future__ import annotations

import asyncio
import json
import random
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.media import _cpu
from centrala.media import messages as m
from centrala.media.client import MediaClient
from centrala.media.opus import Opus
from centrala.testing.browser import BrowserLine

FRAME = 160
ICE = ("bench", "a password of 22 characters")
CHECK_EVERY = 125
"""Frames between two connectivity checks."""


def generate(ports: list[int], seconds: float, opus: bool) -> None:
    """Says its fingerprints, waits for a line on stdin, shakes hands, says how long that took, waits, sends, counts."""
    lines = [BrowserLine() for _ in ports]
    print(json.dumps([(line.fingerprint, line.ufrag) for line in lines]), flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    took: list[float] = []

    def connect(at: int) -> None:
        start = time.perf_counter()
        lines[at].connect(("127.0.0.1", ports[at]), *ICE, within=30.0)
        took.append(time.perf_counter() - start)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(connect, range(len(ports))))
    took.sort()
    setup = {
        "setup_seconds": round(time.perf_counter() - began, 2),
        "setup_p50_ms": round(took[len(took) // 2] * 1000, 1),
    }
    print(json.dumps(setup), flush=True)
    sys.stdin.readline()
    print(json.dumps(talk(lines, seconds, opus_frames() if opus else [])), flush=True)


def opus_frames() -> list[bytes]:
    """A second of speech-like sound, to be sent over and over: the load is the worker's, not ours."""
    rng = np.random.default_rng(1)
    t = np.arange(8000) / 8000
    pcm = 6000 * np.sin(2 * np.pi * (180 + 60 * np.sin(6 * t)) * t) * (1 + np.sin(20 * t)) / 2
    codec = Opus()
    sound = (pcm + rng.normal(0, 300, len(t))).astype(np.int16)
    return [codec.encode(sound[k * FRAME : (k + 1) * FRAME]) for k in range(50)]


def talk(lines: list[BrowserLine], seconds: float, opus: list[bytes]) -> dict[str, Any]:
    rng = random.Random(1)
    epoll = select.epoll()
    by_descriptor: dict[int, int] = {}
    ssrcs = [rng.getrandbits(32) for _ in lines]
    sent: list[dict[int, float]] = [{} for _ in lines]
    packets = 0
    for i, line in enumerate(lines):
        line.socket.setblocking(False)
        epoll.register(line.socket.fileno(), select.EPOLLIN)
        by_descriptor[line.socket.fileno()] = i
    frames = int(seconds * 50)
    plan = [(k * 0.02 + i * 0.02 / len(lines), i, k) for k in range(frames) for i in range(len(lines))]
    delays: list[float] = []
    start = time.perf_counter() + 0.2
    end, at = start + seconds + 0.5, 0
    while (now := time.perf_counter()) < end:
        while at < len(plan) and start + plan[at][0] <= now:
            due, i, k = plan[at]
            at += 1
            line = lines[i]
            if opus:
                header = struct.pack("!BBHII", 0x80, 111, k & 0xFFFF, k * 960, ssrcs[i])
                line.sendto(header + opus[k % 50], line.server)
            else:
                header = struct.pack("!BBHII", 0x80, 8, k & 0xFFFF, k * FRAME, ssrcs[i])
                sent[i][k] = start + due
                line.sendto(header + struct.pack("!II", i, k) * 20, line.server)
            if (k + i) % CHECK_EVERY == 0:
                line.keep_alive()
        rest = (start + plan[at][0] if at < len(plan) else end) - time.perf_counter()
        for descriptor, _ in epoll.poll(min(max(rest, 0.0), 0.005)):
            i = by_descriptor[descriptor]
            try:
                while True:
                    data, _ = lines[i].recvfrom(2048)
                    packets += 1
                    if opus:
                        continue
                    who, k = struct.unpack("!II", data[12:20])
                    if who == i ^ 1 and data[12:] == data[12:20] * 20:
                        spoken = sent[who].pop(k, None)
                        if spoken is not None:
                            delays.append(time.perf_counter() - spoken)
            except BlockingIOError:
                pass
    delays.sort()
    count = len(delays)
    return {
        "frames_sent": at,
        "frames_heard": count,
        "frames_lost": at - count,
        "packets_back": packets,
        "delay_p50_ms": round(delays[count // 2] * 1000, 1) if count else None,
        "delay_p99_ms": round(delays[count * 99 // 100] * 1000, 1) if count else None,
        "generator_cpu_share": round(time.process_time() / (seconds + 0.7), 2),
    }


async def scenario(legs: int, seconds: float, *, mixed: bool = False, opus: bool = False) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    events: list[m.Event] = []
    client = MediaClient(
        socket=folder / "w.sock",
        data=folder,
        address="127.0.0.1",
        ports=(30000, 39999),
        on_event=events.append,
    )
    await client.start()
    ports: list[int] = []
    while len(ports) < legs:
        port = client.take_port()
        if port is None:
            await asyncio.sleep(0.005)
        else:
            ports.append(port)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.webrtc", "generate", str(seconds), json.dumps(ports)),
        *(["opus"] if opus else []),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=1 << 22,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    peers = json.loads(await process.stdout.readline())
    codec: dict[str, Any] = {"codec": "opus", "opus": 111} if opus else {}
    for i, (port, (fingerprint, ufrag)) in enumerate(zip(ports, peers, strict=True)):
        client.send(m.SetLeg(str(i), port, ice=ICE, fingerprint=fingerprint, peer_ufrag=ufrag, **codec))
        hears = {str(i ^ 1): 1.0} if not mixed else {str(i ^ 1): 0.5, str((i + 2) % legs): 0.5}
        client.send(m.Hear(str(i), hears))
    process.stdin.write(b"go\n")
    setup_cpu = _cpu(client.pid)
    setup: dict[str, Any] = json.loads(await process.stdout.readline())
    setup_cpu = _cpu(client.pid) - setup_cpu
    while sum(isinstance(event, m.Secured) for event in events) < legs:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    process.stdin.write(b"go\n")
    await asyncio.sleep(2.0)
    cpu, at = _cpu(client.pid), time.perf_counter()
    await asyncio.sleep(seconds - 3.0)
    cpu, at = _cpu(client.pid) - cpu, time.perf_counter() - at
    result: dict[str, Any] = json.loads(await process.stdout.readline())
    await process.wait()
    if mixed or opus:
        for key in ("frames_heard", "frames_lost", "delay_p50_ms", "delay_p99_ms"):
            del result[key]  # a mixture bears no marks
    for i in range(legs):
        client.send(m.CloseLeg(str(i)))
    while sum(isinstance(event, m.LegClosed) for event in events) < legs:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    stats = [event.stats for event in events if isinstance(event, m.LegClosed)]
    loads = [event for event in events if isinstance(event, m.Load)]
    await client.close(quit_worker=True)
    shutil.rmtree(folder)
    return {
        "legs": legs,
        **setup,
        "setup_cpu_ms": round(setup_cpu / legs * 1000, 2),
        **result,
        "lost": sum(one.lost for one in stats),
        "late": sum(one.late for one in stats),
        "concealed": sum(one.concealed for one in stats),
        "cpu_share": round(cpu / at, 4),
        "cpu_seconds_per_leg_minute": round(cpu / at * 60 / legs, 4),
        "tick_p99_ms": max((load.tick_p99_ms for load in loads), default=None),
        "late_ticks": sum(load.late_ticks for load in loads),
        "skipped_ticks": sum(load.skipped_ticks for load in loads),
        "rss_mb": max((load.rss_mb for load in loads), default=None),
    }


SCENARIOS: dict[str, dict[str, Any]] = {
    "50 legs": {"legs": 50},
    "200 legs": {"legs": 200},
    "200 legs, mixed": {"legs": 200, "mixed": True},
    "50 legs, Opus": {"legs": 50, "opus": True},
    "50 legs, Opus, mixed": {"legs": 50, "opus": True, "mixed": True},
}

ASKED: list[tuple[str, str, float]] = [
    ("200 legs, mixed", "cpu_seconds_per_leg_minute", 0.12),
    ("50 legs, Opus, mixed", "cpu_seconds_per_leg_minute", 0.9),
    ("200 legs", "cpu_share", 1.0),
    ("200 legs", "frames_lost", 0),
    ("200 legs, mixed", "lost", 0),
]
"""Scenario, figure, and the most it may be."""


def run(seconds: float = 20.0, only: str = "") -> dict[str, Any]:
    """All scenarios (or those whose name contains `only`), one after the other; JSON-able."""
    results: dict[str, Any] = {
        name: asyncio.run(scenario(seconds=seconds, **options))
        for name, options in SCENARIOS.items()
        if only in name
    }
    figures = [
        {
            "what": f"{name}: {key.replace('_', ' ')}",
            "asked": f"≤ {most:g}",
            "measured": results[name][key],
            "ok": results[name][key] <= most,
        }
        for name, key, most in ASKED
        if name in results
    ]
    return {"figures": figures, **results}


if __name__ == "__main__":
    if sys.argv[1:2] == ["generate"]:
        generate(json.loads(sys.argv[3]), float(sys.argv[2]), "opus" in sys.argv)
    else:
        quick = "--quick" in sys.argv
        words = [word for word in sys.argv[1:] if not word.startswith("--")]
        print(json.dumps(run(8.0 if quick else 20.0, " ".join(words)), indent=1))
