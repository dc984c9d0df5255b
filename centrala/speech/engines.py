"""Who can speak: programs of their own, which may crash, hang or be missing.

To add one: a class with the members of `Engine`; give an object of it to `Speech(engines=…)`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, Protocol

from centrala.speech import audio
from centrala.speech.audio import Pcm

Capability = Literal["neural", "figures", "letters"]

TIME = 10.0
"Seconds that a piece of text may take."
_MOST = 64 << 20
"Bytes that may come back: ten minutes at 48 kHz."


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who speaks one language."""

    engine: str
    name: str
    "As flows and settings name it; the same name may speak several languages."
    language: str
    "BCP 47, in lower case: pl, en-us."
    capabilities: frozenset[Capability] = frozenset()
    "neural: sounds like a person. figures: reads 25 itself. letters: spells what is no word."


class EngineProblem(Exception):
    """Why a text wasn't spoken: for people, without the text."""


class Engine(Protocol):
    """Something that speaks."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """What it says depends on this, its voice and the text alone: one key of the cache."""

    def look(self) -> tuple[Voice, ...]:
        """Blocking: is it here, and who speaks there? The best voice of a language first; empty where it isn't."""

    async def speak(self, text: str, voice: Voice) -> tuple[Pcm, int]:
        """A piece of plain text as mono samples and their rate. Raises EngineProblem, within a known time."""

    async def close(self) -> None:
        """End what runs; it may be asked to speak again."""


class Espeak:
    """eSpeak NG: small, quick, speaks over a hundred languages, sounds like a machine.

    Without a `program`: the one on the PATH, else the library of the wheel espeakng-loader in a process of its own.
    """

    name = "espeak"

    def __init__(self, program: str = "", *, time: float = TIME) -> None:
        self._programs = [(program,)] if program else None
        self._program: tuple[str, ...] = ()
        self._time = time
        self._tags: dict[str, str] = {}
        "Language → what eSpeak NG calls its voice."
        self.version = ""

    def look(self) -> tuple[Voice, ...]:
        self._tags = {}
        for program in self._programs or espeak_programs():
            try:
                about = _asked([*program, "--version"])
                table = _asked([*program, "--voices"])
            except (OSError, subprocess.SubprocessError):
                continue
            break
        else:
            return ()
        found = re.search(r"\d+\.[\d.]+\d", about)
        # The same version with other data speaks otherwise: what one has said isn't what the other would say.
        self.version = (found[0] if found else "?") + (_wheel() if len(program) > 1 else "")
        self._program = program
        for line in table.splitlines()[1:]:
            columns = line.split()
            # Voices of MBROLA need data of their own, which are rarely there.
            if len(columns) >= 5 and not columns[4].startswith(("mb/", "!v/")):
                tag = columns[1].lower()
                self._tags.setdefault(tag, tag)
        for tag in list(self._tags):
            self._tags.setdefault(tag.partition("-")[0], tag)
        if "en-us" in self._tags:
            self._tags["en"] = "en-us"
        able: frozenset[Capability] = frozenset({"figures", "letters"})
        # Through 8 kHz she is understood better: a recogniser gets 15 % of her words wrong, 28 % of his.
        return tuple(Voice(self.name, who, tag, able) for tag in self._tags for who in ("female", "male"))

    async def speak(self, text: str, voice: Voice) -> tuple[Pcm, int]:
        tag = self._tags.get(voice.language)
        if tag is None:
            raise EngineProblem(f"eSpeak NG has no voice for {voice.language}")
        who = tag + ("+f2" if voice.name == "female" else "")
        argv = [*self._program, "--stdin", "--stdout", "-b", "1", "-s", "155", "-v", who]
        return decoded(await run(argv, text, self._time, name="espeak-ng" if len(self._program) > 1 else ""))

    async def close(self) -> None:
        """Nothing runs between two texts."""


def espeak_programs() -> list[tuple[str, ...]]:
    """How eSpeak NG can be started here, the best first. Options: `--version`, `--voices`, else `-v`, `-s` and `-p`
    with `--stdin --stdout -b 1`."""
    from centrala.speech import espeak_process  # Imported with the package, `python -m` would warn of it.

    found: list[tuple[str, ...]] = []
    if program := shutil.which("espeak-ng"):
        found.append((program,))
    if sys.executable and (wheel := espeak_process.installed()) is not None:
        found.append(espeak_process.command(wheel))
    return found


def _wheel() -> str:
    try:
        return f" of espeakng-loader {metadata.version('espeakng-loader')}"
    except metadata.PackageNotFoundError:
        return " of espeakng-loader"


def _asked(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, capture_output=True, timeout=5, check=True, stdin=subprocess.DEVNULL)
    return done.stdout.decode(errors="replace")


def decoded(data: bytes) -> tuple[Pcm, int]:
    """Raises EngineProblem."""
    try:
        return audio.decoded(data)
    except audio.NoSpeech as problem:
        raise EngineProblem(str(problem)) from problem


async def run(argv: Sequence[str], text: str, seconds: float, most: int = _MOST, *, name: str = "") -> bytes:
    """What a program writes when it reads the text: in a process group of its own, which is killed at the end of its
    time. Raises EngineProblem, which calls it by its `name`."""
    name = name or Path(argv[0]).name
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as problem:
        raise EngineProblem(f"{name} can't be started: {problem.strerror}") from problem
    try:
        calls_first(process)
        async with asyncio.timeout(seconds):
            out = await _talk(process, text.encode(errors="ignore"), most)
            status = await process.wait() if out is not None else 0
    except TimeoutError:
        raise EngineProblem(f"{name} took longer than {seconds:g} s") from None
    finally:
        await end(process)
    if out is None:
        raise EngineProblem(f"{name} didn't stop speaking")
    if status:
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        raise EngineProblem(f"{name} {how}")
    return out


def calls_first(process: asyncio.subprocess.Process) -> None:
    """Whoever speaks may wait for the CPU."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill it and its children, where they still run, and give back its pipes."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2.0):
            # `wait` ends after the pipe has, and the pipe not before it is empty.
            while process.stdout is not None and await process.stdout.read(1 << 20):
                pass
            await process.wait()


async def _talk(process: asyncio.subprocess.Process, text: bytes, most: int) -> bytes | None:
    """None: more than `most` bytes came."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(text)
        await process.stdin.drain()
    process.stdin.close()
    out = bytearray()
    while piece := await process.stdout.read(1 << 16):
        out += piece
        if len(out) > most:
            return None
    return bytes(out)
