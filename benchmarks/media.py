"""What the media worker costs and how much delay it adds: `python -m benchmarks.media [--quick]`.

The load comes from another process over loopback. Each frame sent carries its number in its A-law bytes, which
survive decoding and encoding: loss and delay are those of the sound that the other side gets, not of packets.
CPU is the worker process's own (user and system); on loopback it includes delivery into the receiver's socket.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from centrala.media import messages as m
from centrala.media.client import MediaClient

FRAME = 160


# --- the load, in its own process ---


@dataclass(slots=True)
class _Caller:
    socket: socket.socket
    partner: int
    ssrc: int
    sent: dict[int, float]
    packets: int = 0


def generate(ports: list[int], seconds: float, jitter: float, bridged: bool) -> dict[str, Any]:
    """Callers 2k and 2k+1 are a call. Sends for so long, counts which frames arrive at the other end and when."""
    rng = random.Random(1)
    callers: list[_Caller] = []
    epoll = select.epoll()
    by_descriptor: dict[int, int] = {}
    for i, port in enumerate(ports):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        one.connect(("127.0.0.1", port))
        one.setblocking(False)
        callers.append(_Caller(one, i ^ 1, rng.getrandbits(32), {}))
        epoll.register(one.fileno(), select.EPOLLIN)
        by_descriptor[one.fileno()] = i
    frames = int(seconds * 50)
    # All departures, spread over the 20 ms; jitter delays each packet by itself.
    plan = sorted(
        (k * 0.02 + i * 0.02 / len(ports) + rng.uniform(0, jitter), k * 0.02 + i * 0.02 / len(ports), i, k)
        for i in range(len(ports))
        for k in range(frames)
    )
    delays: list[float] = []
    strange = 0
    start = time.perf_counter() + 0.2
    at = 0
    end = start + seconds + 0.5
    while (now := time.perf_counter()) < end:
        while at < len(plan) and start + plan[at][0] <= now:
            _, ideal, i, k = plan[at]
            at += 1
            caller = callers[i]
            mark = struct.pack("!II", i, k)
            header = struct.pack("!BBHII", 0x80, 8, k & 0xFFFF, k * FRAME, caller.ssrc)
            # The clock of a true packet starts when it was spoken, not when the network let it go.
            caller.sent[k] = start + ideal
            caller.socket.send(header + mark * 20)
        rest = (start + plan[at][0] if at < len(plan) else end) - time.perf_counter()
        for descriptor, _ in epoll.poll(min(max(rest, 0.0), 0.005)):
            caller = callers[by_descriptor[descriptor]]
            now = time.perf_counter()
            try:
                while True:
                    data = caller.socket.recv(2048)
                    caller.packets += 1
                    if not bridged:
                        continue
                    i, k = struct.unpack("!II", data[12:20])
                    if i == caller.partner and data[12:] == data[12:20] * 20:
                        sent = callers[i].sent.pop(k, None)
                        if sent is not None:
                            delays.append(now - sent)
                        else:
                            strange += 1
            except BlockingIOError:
                pass
    delays.sort()
    count = len(delays)
    unheard = sum(len(caller.sent) for caller in callers)
    cpu = time.process_time()
    return {
        "frames_sent": at,
        "frames_heard": count,
        "frames_lost": unheard if bridged else None,
        "repeated": strange,
        "packets_back": sum(caller.packets for caller in callers),
        "delay_p50_ms": round(delays[count // 2] * 1000, 1) if count else None,
        "delay_p99_ms": round(delays[count * 99 // 100] * 1000, 1) if count else None,
        "delay_max_ms": round(delays[-1] * 1000, 1) if count else None,
        "generator_cpu_share": round(cpu / (seconds + 0.7), 2),
    }


# --- the scenarios ---


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def scenario(
    calls: int, seconds: float, *, record: bool = False, jitter: float = 0.0, waiting: bool = False
) -> dict[str, Any]:
    """`calls` bridged calls (two legs each), or so many single callers who hear music."""
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    events: list[m.Event] = []
    began = time.perf_counter()
    client = MediaClient(
        socket=folder / "w.sock",
        data=folder,
        address="127.0.0.1",
        ports=(30000, 39999),
        on_event=events.append,
    )
    await client.start()
    ready = time.perf_counter() - began
    legs = calls if waiting else 2 * calls
    ports: list[int] = []
    if waiting:
        client.send(m.Player("hold", ["music:default"], loop=True, shared=True))
    while len(ports) < legs:
        port = client.take_port()
        if port is None:
            await asyncio.sleep(0.005)
            continue
        i = len(ports)
        ports.append(port)
        client.send(m.SetLeg(str(i), port))
        client.send(m.Hear(str(i), {"hold": 1.0} if waiting else {str(i ^ 1): 1.0}))
        if record and i % 2:
            client.send(m.Record(f"r{i}", str(i - 1), str(i), f"rec/{i}.wav"))
    holds = await client.inventory(within=30)
    assert len(holds.legs) == legs
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.media", "generate"),
        *(str(seconds), str(jitter), str(int(not waiting)), json.dumps(ports)),
        stdout=subprocess.PIPE,
    )
    # The middle of the run: neither the beginning nor the end.
    await asyncio.sleep(2.0)
    cpu, at = _cpu(client.pid), time.perf_counter()
    await asyncio.sleep(seconds - 3.0)
    cpu, at = _cpu(client.pid) - cpu, time.perf_counter() - at
    out, _ = await process.communicate()
    result: dict[str, Any] = json.loads(out)
    if record:
        for i in range(1, legs, 2):
            client.send(m.StopRecording(f"r{i}"))
        deadline = time.perf_counter() + 30
        while time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
            if sum(isinstance(event, m.Recorded) for event in events) == calls:
                break
        done = [event for event in events if isinstance(event, m.Recorded)]
        result["recordings"] = len(done)
        result["recording_problems"] = sum(bool(event.problem or event.gaps) for event in done)
        result["recorded_short_ms"] = round(
            max(event.expected_seconds - event.seconds for event in done) * 1000
        )
        result["recorded_frames_lost"] = sum(_lost_in(folder / event.path, seconds) for event in done)
    for i in range(legs):
        client.send(m.CloseLeg(str(i)))
    while sum(isinstance(event, m.LegClosed) for event in events) < legs:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    stats = [event.stats for event in events if isinstance(event, m.LegClosed)]
    loads = [event for event in events if isinstance(event, m.Load)]
    await client.close(quit_worker=True)
    shutil.rmtree(folder)
    result |= {
        "calls": calls,
        "cpu_share": round(cpu / at, 4),
        "ready_seconds": round(ready, 2),
        "lost": sum(one.lost for one in stats),
        "late": sum(one.late for one in stats),
        "concealed": sum(one.concealed for one in stats),
        "tick_p99_ms": max((load.tick_p99_ms for load in loads), default=None),
        "late_ticks": sum(load.late_ticks for load in loads),
        "skipped_ticks": sum(load.skipped_ticks for load in loads),
        "rss_mb": max((load.rss_mb for load in loads), default=None),
    }
    if waiting:
        result["cpu_ms_per_second_and_caller"] = round(cpu / at / calls * 1000, 3)
    else:
        result["cpu_seconds_per_call_minute"] = round(cpu / at * 60 / calls, 4)
    return result


def _lost_in(path: Path, seconds: float) -> int:
    """Frames sent that aren't in the recording, both channels, but for the last ones still under way."""
    import numpy as np

    from centrala.protocols.rtp import g711

    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(1 << 30), "<i2").astype(np.int16).reshape(-1, 2)
    lost = 0
    for channel in range(2):
        coded = g711.encode_alaw(np.ascontiguousarray(pcm[:, channel]))
        frames = coded[: len(coded) // FRAME * FRAME].reshape(-1, FRAME)
        numbers = frames[:, 4:8].copy().view(">u4")[:, 0]
        whole = (frames.reshape(-1, 20, 8) == frames[:, None, :8]).all(axis=(1, 2))
        seen = set(numbers[whole].tolist())
        lost += len(set(range(int(seconds * 50) - 2)) - seen)
    return lost


async def idle(seconds: float) -> dict[str, Any]:
    """A worker with nothing to do."""
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    client = MediaClient(
        socket=folder / "w.sock",
        data=folder,
        address="127.0.0.1",
        ports=(30000, 39999),
        on_event=lambda event: None,
    )
    began = time.perf_counter()
    await client.start()
    ready = time.perf_counter() - began
    await asyncio.sleep(1)
    cpu = _cpu(client.pid)
    await asyncio.sleep(seconds)
    cpu = _cpu(client.pid) - cpu
    rss = _rss(client.pid)
    await client.close(quit_worker=True)
    shutil.rmtree(folder)
    return {"cpu_share": round(cpu / seconds, 4), "rss_mb": round(rss, 1), "ready_seconds": round(ready, 2)}


SCENARIOS: dict[str, dict[str, Any]] = {
    "50 calls": {"calls": 50},
    "50 calls, 20 ms jitter": {"calls": 50, "jitter": 0.02},
    "200 calls": {"calls": 200},
    "200 calls, recorded": {"calls": 200, "record": True},
    "300 calls, recorded": {"calls": 300, "record": True},
    "200 callers hear music": {"calls": 200, "waiting": True},
}


def run(seconds: float = 20.0, only: str = "") -> dict[str, Any]:
    """All scenarios (or those whose name contains `only`), one after the other; JSON-able."""
    results: dict[str, Any] = {}
    if not only or only in "idle":
        results["idle"] = asyncio.run(idle(min(seconds, 10.0)))
    for name, options in SCENARIOS.items():
        if only in name:
            results[name] = asyncio.run(scenario(seconds=seconds, **options))
    return {"figures": figures(results), **results}


ASKED: list[tuple[str, str, float]] = [
    ("200 calls", "cpu_seconds_per_call_minute", 0.09),
    ("200 calls, recorded", "cpu_seconds_per_call_minute", 0.12),
    ("200 calls", "frames_lost", 0),
    ("300 calls, recorded", "frames_lost", 0),
    ("300 calls, recorded", "recorded_frames_lost", 0),
    ("50 calls", "delay_p99_ms", 45),
    ("50 calls, 20 ms jitter", "delay_p99_ms", 65),
    ("50 calls, 20 ms jitter", "frames_lost", 0),
    ("200 callers hear music", "cpu_ms_per_second_and_caller", 1.0),
]
"Scenario, figure, and the most it may be."


def figures(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "what": f"{name}: {key.replace('_', ' ')}",
            "asked": f"≤ {most:g}",
            "measured": results[name][key],
            "ok": results[name][key] <= most,
        }
        for name, key, most in ASKED
        if name in results
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["generate"]:
        length, spread, both, where = sys.argv[2:]
        print(json.dumps(generate(json.loads(where), float(length), float(spread), both == "1")))
    else:
        quick = "--quick" in sys.argv
        words = [word for word in sys.argv[1:] if not word.startswith("--")]
        print(json.dumps(run(8.0 if quick else 20.0, " ".join(words)), indent=1))
