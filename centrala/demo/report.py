"""What a demo proves: counted from the ledger's records, the ears of both sides, and the recordings themselves."""

import statistics
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from centrala.live import Board
from centrala.testing.ears import Conversation
from centrala.testing.voices import pips_in

CHECKED = 300
"""Recordings that are listened to at the most, the latest ones."""


@dataclass(slots=True)
class Report:
    """The outcome of a demo; `asdict` of it is what `--report` writes. Times in seconds."""

    seconds: float = 0.0
    seed: int = 0
    calls_per_minute: float = 0.0
    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    turned_away: int = 0
    """Busy, no answer, failed."""
    self_served: int = 0
    """A voice menu did what they came for."""
    left_menu: int = 0
    """They hung up inside a voice menu."""
    promised: int = 0
    """They chose to be called back …"""
    called_back: int = 0
    """… and talked with somebody."""
    open: int = 0
    """Calls without an end in the records: there must be none. Promises may be."""
    service_level: dict[str, float | None] = field(default_factory=dict)
    """Queue → served in time / (served + abandoned - abandoned within the threshold)."""
    wait_mean: float | None = None
    wait_p90: float | None = None
    wait_max: float | None = None
    conversations: int = 0
    """Between simulated people, long enough for both to be heard."""
    heard_both_ways: int = 0
    too_short: int = 0
    recordings: int = 0
    """Of those conversations, listened to."""
    recordings_good: int = 0
    """With the caller's tone on the left channel, the other's on the right, and neither on the wrong one."""
    cpu_application: float = 0.0
    """CPU seconds of this process: application, carrier, agents and board."""
    cpu_media: float = 0.0
    """CPU seconds of the media worker."""
    cpu_share: float = 0.0
    """Both, in parts of one core."""
    warnings: int = 0
    errors: int = 0
    log: list[str] = field(default_factory=list)
    """The first lines of those."""
    ok: bool = False
    problems: list[str] = field(default_factory=list)
    """Why it isn't ok."""


def count(report: Report, records: Sequence[dict[str, Any]], board: Board) -> None:
    """Fill in what the records say."""
    calls = [record for record in records if record["direction"] != "callback"]
    report.offered = len(calls)
    report.called_back = sum(
        record["outcome"] == "answered" for record in records if record["direction"] == "callback"
    )
    outcomes = [record["outcome"] for record in calls]
    report.promised = outcomes.count("callback")
    report.answered = outcomes.count("answered")
    report.abandoned = outcomes.count("abandoned") + outcomes.count("short_abandoned")
    report.open = outcomes.count(None)
    report.self_served = outcomes.count("self_served")
    report.left_menu = outcomes.count("left_menu")
    elsewhere = report.self_served + report.left_menu + report.promised
    report.turned_away = report.offered - report.answered - report.abandoned - elsewhere - report.open
    report.service_level = {queue.id: queue.today.service_level for queue in board.queues}
    waits = sorted(record["wait_s"] for record in calls if record["queue"] and record["wait_s"] is not None)
    if waits:
        report.wait_mean = round(statistics.fmean(waits), 3)
        report.wait_p90 = waits[min(int(0.9 * len(waits)), len(waits) - 1)]
        report.wait_max = waits[-1]


def judge(
    report: Report, talked: Sequence[Conversation], records: Sequence[dict[str, Any]], data: Path
) -> None:
    """Fill in who heard whom; `ok` and `problems` follow. Reads the recordings: call it in a thread."""
    enough = [one for one in talked if one.long_enough]
    report.conversations = len(enough)
    report.too_short = len(talked) - len(enough)
    report.heard_both_ways = sum(one.caller_heard and one.other_heard for one in enough)
    answered: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        if record["outcome"] == "answered" and record["recording"]:
            who = record["to"] if record["direction"] == "callback" else record["from"]
            answered.setdefault(who, []).append(record)
    for one in enough[-CHECKED:]:
        report.recordings += 1
        # The same person may have called more than once.
        report.recordings_good += any(
            recorded(data / record["recording"], one) for record in answered.get(one.caller.who, ())
        )
    if not enough:
        report.problems.append("no conversation was long enough to be judged")
    if report.heard_both_ways < report.conversations:
        deaf = report.conversations - report.heard_both_ways
        report.problems.append(f"in {deaf} conversations one side didn't hear the other")
    if report.recordings_good < report.recordings:
        bad = report.recordings - report.recordings_good
        report.problems.append(f"{bad} recordings are missing, or don't hold both voices apart")
    if report.open:
        report.problems.append(f"{report.open} calls have no end in the records")
    if report.errors:
        report.problems.append(f"{report.errors} errors in the log")
    report.ok = not report.problems


def recorded(path: Path, one: Conversation) -> bool:
    """Whether the recording holds the caller on the left and the other on the right."""
    try:
        with wave.open(str(path)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2)
    except (OSError, EOFError, wave.Error, ValueError):
        return False
    pips = (one.caller.pip, one.other.pip)
    left, right = (pips_in(np.ascontiguousarray(samples[:, side], np.int16), pips) for side in (0, 1))
    return left == {one.caller.pip} and right == {one.other.pip}


def as_json(report: Report) -> dict[str, Any]:
    return asdict(report)


def lines(report: Report) -> list[str]:
    """The report for people."""

    def seconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.1f} s"

    levels = ", ".join(
        f"{name} {'–' if level is None else f'{100 * level:.0f} %'}"
        for name, level in report.service_level.items()
    )
    told = [
        f"Calls         {report.offered} offered, {report.answered} answered, {report.abandoned} abandoned,"
        f" {report.turned_away} turned away ({report.seconds:.0f} s)",
        f"Voice menu    {report.self_served} were told what they wanted to know, {report.left_menu} hung up inside",
        f"Callbacks     {report.promised} chose one, {report.called_back} were called back",
        f"In time       {levels}",
        f"Waits         mean {seconds(report.wait_mean)}, 90 % within {seconds(report.wait_p90)},"
        f" longest {seconds(report.wait_max)}",
        f"Heard         both sides heard each other in {report.heard_both_ways} of {report.conversations}"
        f" ({report.too_short} too short to judge)",
        f"Recordings    {report.recordings_good} of {report.recordings} hold both voices, each on its channel",
        f"CPU           {report.cpu_application:.1f} s with the simulation, {report.cpu_media:.1f} s media worker:"
        f" {100 * report.cpu_share:.0f} % of one core",
        f"Log           {report.errors} errors, {report.warnings} warnings",
    ]
    told += [f"              {line}" for line in report.log]
    told += [f"Problem       {problem}" for problem in report.problems]
    return told
