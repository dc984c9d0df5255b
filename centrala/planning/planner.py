"""Who asks the planning job: one plan is made at a time, others wait in line; short questions go to a warm process.

Light: the application loads nothing heavy by it. A job that is killed, or can't be started, fails its plan with a
sentence; none outlives the application.
"""

import asyncio
import contextlib
import logging
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from centrala.ledger.errors import DataFolderError, LedgerUnavailable
from centrala.planning.plans import Gone, Plans, Stale, WrongState
from centrala.planning.values import Broken, Edited, Order, Plan, Progress, Trouble, encode

log = logging.getLogger(__name__)

IDLE = 180.0
"Seconds after which the process for short questions ends."
ASKED_WITHIN = 60.0
"Seconds for a short question; the first one of a process may have to compile."
MAKING_OVER = 900.0
"Seconds beyond the time to look for a roster, after which making a plan is given up."
STORED_AFTER = (1.0, 5.0, 30.0, 120.0, None)
"Seconds between tries to store what was made; an hour's search isn't lost because a disk is full for a moment."
MOST_WAITING = 20
"Plans in line."
LINE = 256 * 1024 * 1024
"Bytes of an answer."

STOPPED = Trouble(
    "PLAN-STOPPED", "The centre was stopped while this plan was made: make it again (its settings are kept)."
)
KILLED = Trouble(
    "JOB-KILLED",
    "The process that made this plan was killed, perhaps for want of memory: try again, or plan less at once.",
)
SLOW = Trouble("JOB-SLOW", "This took too long and was given up: try again, or plan less at once.")

T = TypeVar("T")


class Refused(Exception):
    """The job has no answer, and says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


class BreaksRules(Exception):
    """An edit that breaks rules that weren't broken before; nothing was changed."""

    def __init__(self, broken: Sequence[Broken]) -> None:
        super().__init__("; ".join(one.text for one in broken[:3]))
        self.broken = tuple(broken)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An edit, tried or done."""

    before: Plan
    edited: Edited
    "Its plan has the new version if it was done."


class _Answer(msgspec.Struct):
    progress: Progress | None = None
    done: msgspec.Raw = msgspec.Raw()
    trouble: Trouble | None = None


class _Process:
    """One job process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls) -> "_Process":
        """Raises OSError."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "centrala.planning.job",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LINE,
                start_new_session=True,
            )
        )

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def ask(self, order: bytes, heard: Callable[[Progress], None]) -> bytes:
        """The answer's JSON. Raises Refused."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(order + b"\n")
            await self.process.stdin.drain()
            while True:
                line = await self.process.stdout.readline()
                if not line.endswith(b"\n"):
                    raise Refused(KILLED)
                answer = msgspec.json.decode(line, type=_Answer)
                if answer.progress is not None:
                    heard(answer.progress)
                elif answer.trouble is not None:
                    raise Refused(answer.trouble)
                else:
                    return bytes(answer.done)
        except (OSError, ValueError):
            raise Refused(KILLED) from None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()


class Planner:
    """Made on the event loop. `close` ends it."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._waiting: deque[Order] = deque()
        self._maker: asyncio.Task[None] | None = None
        self._making: tuple[str, str, _Process] | None = None
        self._kept: _Process | None = None
        self._turn = asyncio.Lock()
        self._end: asyncio.TimerHandle | None = None
        self._closed = False
        self._reaped: set[asyncio.Task[int]] = set()

    # --- plans in the making ---

    @property
    def full(self) -> bool:
        return len(self._waiting) >= MOST_WAITING

    def make(self, order: Order) -> None:
        """Put a plan, stored already as one in the making, in line."""
        if self._closed:
            return
        self._waiting.append(order)
        if self._maker is None or self._maker.done():
            self._maker = asyncio.create_task(self._work(), name="planning")

    def forget(self, tenant: str, id: str) -> None:
        """Nobody wants this plan any more."""
        self._waiting = deque(one for one in self._waiting if (one.tenant, one.plan.head.id) != (tenant, id))
        if self._making is not None and self._making[:2] == (tenant, id):
            self._making[2].kill()

    async def _work(self) -> None:
        while self._waiting and not self._closed:
            order = self._waiting.popleft()
            head = order.plan.head
            try:
                made = await self._tried(order)
                if made is not None:
                    await self._stored(order.tenant, made, head.version)
            except (LedgerUnavailable, DataFolderError) as problem:
                log.error("tenant %s: plan %s couldn't be stored: %s", order.tenant, head.id, problem)
            finally:
                self._plans.progress(order.tenant, head.id, None)

    async def _tried(self, order: Order) -> Plan | None:
        """What came of it; None when nobody waits for it any more."""
        head, request = order.plan.head, order.plan.request
        try:
            return await self._made(order, MAKING_OVER + (request.seconds if request is not None else 0.0))
        except Refused as refused:
            trouble = refused.trouble
        except Exception:
            log.exception("tenant %s: plan %s can't be made", order.tenant, head.id)
            trouble = Trouble("JOB-FAILED", "This is a fault of Centrala: its log tells more.")
        if self._closed:
            return None
        if trouble.code in ("JOB-FAILED", "JOB-KILLED", "JOB-SLOW"):
            log.error("tenant %s: plan %s failed: %s", order.tenant, head.id, trouble.code)
        return replace(order.plan, head=replace(head, state="failed", problem=trouble))

    async def _stored(self, tenant: str, made: Plan, base: int) -> None:
        """Raises LedgerUnavailable when the disk can't be written for minutes."""
        for pause in STORED_AFTER:
            try:
                # Who deleted it meanwhile doesn't want it back.
                with contextlib.suppress(Gone, Stale):
                    await asyncio.to_thread(self._plans.save, tenant, made, base)
                return
            except LedgerUnavailable:
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def _made(self, order: Order, allowed: float) -> Plan:
        head = order.plan.head
        try:
            job = await _Process.start()
        except OSError as problem:
            raise Refused(
                Trouble("JOB-FAILED", f"No process could be started for this plan ({problem}).")
            ) from None
        self._making = (order.tenant, head.id, job)
        try:
            async with asyncio.timeout(allowed):
                told = await job.ask(
                    await asyncio.to_thread(encode, order),
                    lambda now: self._plans.progress(order.tenant, head.id, now),
                )
        except TimeoutError:
            raise Refused(SLOW) from None
        finally:
            self._making = None
            self._put_down(job)
        return await asyncio.to_thread(msgspec.json.decode, told, type=Plan)

    # --- short questions ---

    async def ask(
        self, order: Mapping[str, Any], of: type[T] | Any = dict[str, Any], *, within: float = ASKED_WITHIN
    ) -> T:
        """What the job says to an order (`what` names the work, see `job.WORK`), decoded as `of`. Raises Refused."""
        line = await asyncio.to_thread(msgspec.json.encode, order)
        async with self._turn:
            if self._end is not None:
                self._end.cancel()
            job = self._kept
            try:
                if job is None or not job.alive:
                    job = self._kept = await _Process.start()
            except OSError as problem:
                raise Refused(
                    Trouble("JOB-FAILED", f"No process could be started for this ({problem}).")
                ) from None
            try:
                async with asyncio.timeout(within):
                    told = await job.ask(line, lambda now: None)
            except BaseException as problem:
                # Whatever it was at, its next answer would be to this question.
                if not isinstance(problem, Refused) or problem.trouble == KILLED:
                    self._kept = None
                    self._put_down(job)
                if isinstance(problem, TimeoutError):
                    raise Refused(SLOW) from None
                raise
            finally:
                self._end = asyncio.get_running_loop().call_later(IDLE, self._rest)
        found: T = await asyncio.to_thread(msgspec.json.decode, told, type=of)
        return found

    def _rest(self) -> None:
        if self._kept is not None and not self._turn.locked():
            job, self._kept = self._kept, None
            self._put_down(job)

    async def edit(
        self,
        tenant: str,
        id: str,
        base: int,
        changes: Sequence[Mapping[str, Any]],
        *,
        attempt: bool = False,
        anyway: bool = False,
    ) -> Outcome:
        """Change the duties of version `base` of a plan (see `editing`); `attempt` changes nothing.

        Raises Gone, Stale, WrongState (still made, failed), BreaksRules unless `anyway` or `attempt`, Refused (with
        EDIT-WRONG for a change that can't be meant). Who calls it writes the trail.
        """
        plan = await asyncio.to_thread(self._plans.plan, tenant, id)
        if plan is None:
            raise Gone(id)
        if plan.head.version != base:
            raise Stale(plan.head.version)
        if plan.head.state not in ("draft", "published"):
            raise WrongState(f"A plan that is {plan.head.state} can't be changed.")
        edited: Edited = await self.ask({"what": "edit", "plan": plan, "changes": changes}, Edited)
        if attempt or (not edited.changed and not edited.removed and edited.plan == plan):
            return Outcome(plan, edited)
        if edited.anew and not anyway:
            raise BreaksRules(edited.anew)
        made = await asyncio.to_thread(self._plans.save, tenant, edited.plan, base)
        return Outcome(plan, replace(edited, plan=made))

    # --- the end ---

    def close(self) -> None:
        """Kill what is at work. Plans that were being made have failed; `Plans.abandon` says so at the next start."""
        self._closed = True
        self._waiting.clear()
        if self._end is not None:
            self._end.cancel()
        if self._maker is not None:
            self._maker.cancel()
        for job in (self._kept, self._making[2] if self._making is not None else None):
            if job is not None:
                job.kill()

    def _put_down(self, job: _Process) -> None:
        job.kill()
        # Waited for, so that no dead process stays behind.
        task = asyncio.ensure_future(job.process.wait())
        self._reaped.add(task)
        task.add_done_callback(self._reaped.discard)
