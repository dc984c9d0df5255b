"""Has the waits learned each night, in a process of its own, and tells the queues what came of it.

A model that won on days that it hadn't seen replaces the one before; where none did, the formula speaks. What was
learned last stays in the core's state, so that a restart needs nothing anew; it is silent after some days.
"""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from centrala.core.facts import WaitsLearned
from centrala.core.learned import Learned
from centrala.core.state import Centre
from centrala.core.waits import learns
from centrala.ledger.codec import decode_body
from centrala.settings import Tenant

log = logging.getLogger(__name__)

HOUR = 3
"Of the night, by the tenant's clocks, from which on it is done."
LIMIT = 900.0
"Seconds that it may take."


class LearningFailed(Exception):
    """The process has ended without an answer; a sentence for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of the process, for one queue."""

    queue: str
    model: Learned | None
    why: str


@dataclass(slots=True)
class Learning:
    """Learns for one tenant at a time. `again` as often as one likes: it does something once a night."""

    data: Path
    tried: dict[str, date] = field(default_factory=dict)
    "Tenant → day for which it was done last."

    async def again(self, tenant: Tenant, centre: Centre, now: float) -> list[WaitsLearned]:
        """The facts to be told. Raises LearningFailed."""
        facts = [
            WaitsLearned(now, name, None)
            for name, queue in centre.queues.items()
            if queue.learned is not None and not learns(queue)
        ]
        queues = [name for name, queue in centre.queues.items() if learns(queue)]
        zone = ZoneInfo(tenant.timezone)
        local = datetime.fromtimestamp(now, zone)
        if not queues or not self._due(tenant.id, centre, queues, local):
            return facts
        self.tried[tenant.id] = local.date()
        for answer in await self.learn(tenant.id, queues, tenant.timezone, now):
            log.info("tenant %s: queue %s, waits learned: %s", tenant.id, answer.queue, answer.why)
            queue = centre.queues.get(answer.queue)
            if queue is not None and queue.learned != answer.model:
                facts.append(WaitsLearned(now, answer.queue, answer.model))
        return facts

    def _due(self, tenant: str, centre: Centre, queues: Iterable[str], local: datetime) -> bool:
        """Once a night; after a start by day too, but for what a run before it has done today."""
        tried = self.tried.get(tenant)
        if tried is not None:
            return tried != local.date() and local.hour >= HOUR
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()
        known = (centre.queues[name].learned for name in queues)
        if any(one is None or one.days[0] != midnight for one in known):
            return True
        self.tried[tenant] = local.date()
        return False

    async def learn(self, tenant: str, queues: Iterable[str], timezone: str, now: float) -> list[Answer]:
        """What the process says of each queue. Raises LearningFailed."""
        asked = {
            "data": str(self.data),
            "tenant": tenant,
            "queues": list(queues),
            "timezone": timezone,
            "now": now,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "centrala.learning",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        try:
            async with asyncio.timeout(LIMIT):
                out, problem = await process.communicate(json.dumps(asked).encode())
        except TimeoutError:
            raise LearningFailed(f"waits: nothing was learned in {LIMIT / 60:.0f} minutes") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0:
            said = problem.decode(errors="replace").strip().splitlines() or ["it said nothing"]
            raise LearningFailed(
                f"waits: the process that learns ended with {process.returncode}: {said[-1]}"
            )
        try:
            return [decode_body(line, Answer) for line in out.splitlines()]
        except msgspec.DecodeError as wrong:
            raise LearningFailed(f"waits: what the process that learns said can't be read: {wrong}") from None
