"""Piper: neural voices, a model file for each, in a process that keeps its model while there is work."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from centrala.speech.audio import Pcm
from centrala.speech.engines import EngineProblem, Voice, calls_first, decoded, end

IDLE = 120.0
"Seconds without work after which a model is given back: it takes some 200 MB."


@dataclass(slots=True)
class _Running:
    """A process that speaks line by line, each into a file of its folder."""

    process: asyncio.subprocess.Process
    folder: tempfile.TemporaryDirectory[str]
    idle: asyncio.TimerHandle | None = None


class Piper:
    """`models`: name of a voice → its ONNX file; beside it lies its description, FILE.onnx.json."""

    name = "piper"

    def __init__(self, models: Mapping[str, Path], program: str = "piper", *, time: float = 30.0) -> None:
        self._models = dict(models)
        self._program = program
        self._time = time
        self._here: set[str] = set()
        self._running: dict[str, _Running] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._resting: set[asyncio.Task[None]] = set()
        self.version = ""
        self.problems: list[str] = []
        "Why a model of the settings can't be used, after `look`."

    def look(self) -> tuple[Voice, ...]:
        """Those of the models that are there, with the language they were made for."""
        self.problems, stamps, voices = [], [], []
        self._here = set()
        if not self._models:
            return ()
        beside_us = str(Path(sys.executable).parent)
        program = shutil.which(self._program) or shutil.which(self._program, path=beside_us)
        if program is None:
            said = "There is no program piper here: pip install piper-tts, or take speech.piper out."
            self.problems.append(said)
            return ()
        self._program = program
        for name, model in self._models.items():
            about = model.with_name(model.name + ".json")
            try:
                stat = model.stat()
                config = json.loads(about.read_bytes())
                code = config.get("language", {}).get("code") or config["espeak"]["voice"]
            except OSError as problem:
                self.problems.append(f"Voice {name}: {problem.filename}: {problem.strerror}")
                continue
            except (ValueError, KeyError, TypeError, AttributeError):
                self.problems.append(f"Voice {name}: {about.name} is no description of a Piper model.")
                continue
            self._here.add(name)
            stamps.append(f"{name}={model.name},{stat.st_size},{stat.st_mtime_ns}")
            language = str(code).replace("_", "-").lower()
            voices.append(Voice(self.name, name, language, frozenset({"neural", "figures"})))
        self.version = ";".join(sorted(stamps))
        return tuple(voices)

    async def speak(self, text: str, voice: Voice) -> tuple[Pcm, int]:
        """Raises EngineProblem: the process that failed is ended, the next text has a new one."""
        if voice.name not in self._here:
            raise EngineProblem(f"Piper has no voice {voice.name}")
        async with self._locks.setdefault(voice.name, asyncio.Lock()):
            running = await self._begun(voice.name)
            whole = False
            try:
                async with asyncio.timeout(self._time):
                    content = await _spoken(running, " ".join(text.split()))
                whole = True
            except TimeoutError:
                raise EngineProblem(f"piper took longer than {self._time:g} s") from None
            except (OSError, EOFError, ValueError):
                raise EngineProblem("piper ended or said what we don't understand") from None
            finally:
                if whole:
                    running.idle = asyncio.get_running_loop().call_later(IDLE, self._rest, voice.name)
                else:
                    await self._ended(voice.name)
        return decoded(content)

    async def close(self) -> None:
        await asyncio.gather(*map(self._ended, list(self._running)))

    async def _begun(self, name: str) -> _Running:
        running = self._running.get(name)
        if running is not None and running.process.returncode is None:
            if running.idle is not None:
                running.idle.cancel()
            return running
        await self._ended(name)
        folder = tempfile.TemporaryDirectory(prefix="piper-", ignore_cleanup_errors=True)
        argv = [self._program, "-m", str(self._models[name]), "--output-dir", folder.name]
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as problem:
            folder.cleanup()
            raise EngineProblem(f"piper can't be started: {problem.strerror}") from problem
        calls_first(process)
        running = self._running[name] = _Running(process, folder)
        return running

    def _rest(self, name: str) -> None:
        async def rest() -> None:
            async with self._locks[name]:
                running = self._running.get(name)
                if running is not None and (running.idle is None or running.idle.when() <= loop.time()):
                    await self._ended(name)

        loop = asyncio.get_running_loop()
        task = loop.create_task(rest())
        self._resting.add(task)
        task.add_done_callback(self._resting.discard)

    async def _ended(self, name: str) -> None:
        running = self._running.pop(name, None)
        if running is None:
            return
        if running.idle is not None:
            running.idle.cancel()
        if running.process.stdin is not None:
            running.process.stdin.close()
        await end(running.process)
        await asyncio.to_thread(running.folder.cleanup)


async def _spoken(running: _Running, line: str) -> bytes:
    """The WAV of one line. Raises EOFError, OSError, ValueError."""
    process = running.process
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line.encode(errors="ignore") + b"\n")
    await process.stdin.drain()
    # It tells the path of each file when it is complete, amid other lines.
    told = re.compile(re.escape(running.folder.name) + r"/[^\s/\"']+\.wav")
    while True:
        said = await process.stdout.readline()
        if not said:
            raise EOFError
        if found := told.search(said.decode(errors="replace")):
            return await asyncio.to_thread(_taken, Path(found[0]))


def _taken(path: Path) -> bytes:
    content = path.read_bytes()
    with contextlib.suppress(OSError):
        path.unlink()
    return content
