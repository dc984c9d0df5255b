"""Errands in Python: functions of installed packages, run in job processes, so that what they do stays with them.

A function that hangs is killed with its process, one that eats the memory fails, one that crashes takes nothing along.
"""

import asyncio
import contextlib
import importlib.metadata
import json
import logging
import sys
import time
from collections.abc import AsyncIterator

from centrala.core.private import Value
from centrala.errands.job import GROUP, MAX_LINE
from centrala.errands.kept import Kept
from centrala.errands.order import MAX_VALUES, Failed, Order, Result, plain, spoken_of, variable

log = logging.getLogger(__name__)

PROCESSES = 2
MOST_TIMEOUT = 60.0
STARTS_WITHIN = 15.0
CACHED = 1000
CACHED_BYTES = 4 * 1024 * 1024


def entry_points() -> frozenset[str]:
    """Names that a node may give."""
    return frozenset(one.name for one in importlib.metadata.entry_points(group=GROUP))


class _Crashed(Exception):
    """The process is gone."""


class _Job:
    """One job process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls) -> "_Job":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "centrala.errands.job",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=2 * MAX_LINE,
            start_new_session=True,
        )
        job = cls(process)
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                await job._line()
        except TimeoutError:
            await job.end()
            raise _Crashed from None
        except BaseException:
            await job.end()
            raise
        return job

    async def run(self, order: bytes) -> dict[str, object]:
        """Raises _Crashed."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(order)
            await self.process.stdin.drain()
        except OSError:
            raise _Crashed from None
        return await self._line()

    async def _line(self) -> dict[str, object]:
        assert self.process.stdout is not None
        try:
            line = await self.process.stdout.readline()
            if not line.endswith(b"\n"):
                raise _Crashed
            found = json.loads(line)
        except (OSError, ValueError):
            raise _Crashed from None
        if not isinstance(found, dict):
            raise _Crashed
        return found

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await asyncio.shield(self.process.wait())


class Python:
    """The kind `python`. `close` ends it. Processes begin with the first order."""

    def __init__(self) -> None:
        self._idle: list[_Job] = []
        self._turn = asyncio.Semaphore(PROCESSES)
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False
        self._kept: Kept[dict[str, Value]] = Kept(CACHED, CACHED_BYTES)

    async def close(self) -> None:
        self._closed = True
        jobs, self._idle = self._idle, []
        await asyncio.gather(*(one.end() for one in jobs), *self._ending, return_exceptions=True)

    async def __call__(self, order: Order) -> Result:
        name = order.settings.get("entry_point", "")
        asked = json.dumps({"entry_point": name, "arguments": dict(order.arguments)}).encode() + b"\n"
        if len(asked) > MAX_LINE:
            raise Failed("TOO_LONG", f"function {name}: its arguments are too long")
        question = order.tenant, asked, order.into
        if order.cache > 0 and (kept := self._kept.get(question, time.monotonic())) is not None:
            return Result("next", kept)
        try:
            async with asyncio.timeout(min(order.timeout, MOST_TIMEOUT)), self._turn, self._job(name) as job:
                answer = await job.run(asked)
        except TimeoutError:
            raise Failed("TIMEOUT", f"function {name} wasn't ready within {order.timeout:g} s") from None
        except _Crashed:
            raise Failed("CRASHED", f"function {name} took its process down") from None
        if "values" not in answer:
            code, sentence = str(answer.get("problem", "CRASHED")), spoken_of(str(answer.get("sentence", "")))
            raise Failed(code, f"function {name}: {sentence}")
        values = _values(name, answer["values"], order.into)
        if order.cache > 0:
            size = len(asked) + sum(len(str(one)) for one in values.values())
            self._kept.put(question, values, size, time.monotonic() + order.cache)
        return Result("next", values)

    @contextlib.asynccontextmanager
    async def _job(self, name: str) -> AsyncIterator[_Job]:
        """A process for one order; whatever interrupts the order ends the process with it."""
        job = self._idle.pop() if self._idle else None
        if job is not None and job.process.returncode is not None:
            job = None
        if job is None:
            job = await _Job.start()
        try:
            yield job
        except BaseException:
            # Not waited for here: whoever cancelled us wants to go on.
            task = asyncio.create_task(job.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            raise
        if self._closed:
            await job.end()
        else:
            self._idle.append(job)


def _values(name: str, found: object, into: str) -> dict[str, Value]:
    if not isinstance(found, dict) or len(found) > MAX_VALUES:
        raise Failed("NONSENSE", f"function {name} gave more than {MAX_VALUES} values")
    prefix = f"{into}." if into else ""
    for one in found:
        if not variable(f"{prefix}{one}"):
            raise Failed("NONSENSE", f"function {name} gave a value whose name no flow can read")
    return {f"{prefix}{one}": plain(value) for one, value in found.items()}
