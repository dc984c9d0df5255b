"""Simulated agents: phones that register, answer after a moment, talk, sometimes miss a call or hang up first."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from centrala.testing.ears import Ear, listen
from centrala.testing.phone import Address, Call, Phones
from centrala.testing.voices import AGENTS, ENOUGH, person, phrases


@dataclass(frozen=True, slots=True)
class Desk:
    """One seat: whose phone it is and how this person behaves. Times in seconds."""

    user: str
    password: str
    """Empty: a fixed phone that never registers."""
    pip: int
    language: str = "en"
    deep: bool = False
    """The voice."""
    answers: tuple[float, float] = (1.0, 3.5)
    """After so long, uniformly distributed."""
    misses: float = 0.04
    """Share of calls that ring in vain."""
    ends: float = 0.3
    """Share of calls that this side ends."""
    longest: float = 25.0
    """Where it ends a call, it does so between `ENOUGH` and this."""


class Agents:
    """Everybody's phones on one pair of sockets."""

    def __init__(
        self, phones: Phones, server: Address, domain: str, desks: Sequence[Desk], seed: int = 1
    ) -> None:
        self._phones = phones
        self._server = server
        self._domain = domain
        self._desks = desks
        self._chance = random.Random(seed)
        self._listening: set[asyncio.Task[None]] = set()
        self.ears: deque[Ear] = deque(maxlen=5_000)
        """Of answered calls that are over, the latest ones."""
        self.missed = 0

    async def start(self) -> None:
        """Make the voices and register everybody. Raises PhoneError, TimeoutError."""
        said = {}
        for key in {(desk.language, desk.deep) for desk in self._desks}:
            said[key] = await asyncio.to_thread(phrases, key[0], AGENTS[key[0]], deep=key[1])
        entering = []
        for desk in self._desks:
            voice = person(desk.pip, said[desk.language, desk.deep])
            phone = self._phones.phone(desk.user, self._domain, self._server, voice)
            phone.on_call = lambda call, desk=desk: self._rings(desk, call)
            phone.on_over = lambda call, desk=desk: self._over(desk, call)
            if desk.password:
                entering.append(phone.register(desk.password))
        await asyncio.gather(*entering)

    def _rings(self, desk: Desk, call: Call) -> None:
        chance = self._chance
        if chance.random() < desk.misses:
            self.missed += 1
            return
        self._phones.later(chance.uniform(*desk.answers), lambda: self._answer(desk, call))

    def _answer(self, desk: Desk, call: Call) -> None:
        if call.state != "ringing":
            return
        call.accept()
        if self._chance.random() < desk.ends:
            self._phones.later(self._chance.uniform(ENOUGH + 0.5, desk.longest), call.hang_up)

    def _over(self, desk: Desk, call: Call) -> None:
        if call.answered_at is not None:
            task = asyncio.get_running_loop().create_task(self._listen(desk, call))
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)

    async def _listen(self, desk: Desk, call: Call) -> None:
        self.ears.append(await listen(call, desk.pip))

    async def finish(self) -> None:
        """Wait until all that was heard is judged. The calls must be over."""
        while self._listening:
            await asyncio.gather(*self._listening)
