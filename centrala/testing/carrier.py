"""A simulated carrier: people who call, wait, lose patience, call again, talk and hang up. Deterministic by seed."""

import asyncio
import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from centrala.testing.ears import Ear, listen
from centrala.testing.phone import Address, Call, Phones
from centrala.testing.voices import CALLERS, ENOUGH, PIPS, Pcm, person, phrases

AGENT_PIPS, CALLER_PIPS = PIPS[:10], PIPS[10:]

CALLED_BACK = 900.0
"Seconds for which somebody who was let go without having talked to anybody may be called back."


@dataclass(frozen=True, slots=True)
class Dialled:
    """A number that people call."""

    number: str
    weight: float = 1.0
    language: str = "en"
    """What they speak: a key of `voices.CALLERS`."""
    keys: Sequence[str] = ()
    """What they press in its menu, or while they wait, one of these each; a comma is a second of rest."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Who calls how often. Times in seconds."""

    numbers: Sequence[Dialled]
    calls_per_minute: float = 18.0
    """The mean over a period."""
    peak: float = 1.7
    """The rate at the peak, as a multiple of the mean; 1: none. At most 2."""
    period: float = 240.0
    """From peak to peak. The first peak is after a quarter of it."""
    patience: float = 45.0
    """Mean of an exponential distribution."""
    talk: float = 16.0
    """Mean of a lognormal distribution, cut off below `ENOUGH`."""
    spread: float = 0.45
    """Its sigma."""
    retry: float = 0.3
    """Share of those who gave up, or found it busy, who call again."""
    retry_after: float = 20.0
    """Mean of an exponential distribution."""
    regulars: int = 400_000
    """So many people call in turn; whoever still waits or talks doesn't call again."""


def caller(number: int, seed: int) -> str:
    """The telephone number of the n-th person who calls."""
    return f"+48{500 + number // 1000 % 400}{seed % 1000:03}{number % 1000:03}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call that somebody is going to make."""

    at: float
    """Seconds after the beginning."""
    caller: str
    dialled: Dialled
    pip: int
    patience: float
    """The caller hangs up when nobody has answered after so long."""
    talk: float
    """The caller hangs up after so long a conversation."""
    again_after: float | None
    """When unserved, calls again so much later; None: doesn't."""
    keys: str = ""
    """Pressed once the call is answered."""


def rate(traffic: Traffic, at: float) -> float:
    """Calls per second, `at` seconds after the beginning."""
    swing = (traffic.peak - 1) * math.sin(2 * math.pi * at / traffic.period)
    return max(traffic.calls_per_minute / 60 * (1 + swing), 0.0)


def attempts(traffic: Traffic, seed: int) -> Iterator[Attempt]:
    """First calls, for ever, by time; a Poisson process whose rate follows the curve. The first comes at once."""
    chance = random.Random(seed)
    highest = traffic.calls_per_minute / 60 * max(traffic.peak, 2 - traffic.peak)
    mean = math.log(traffic.talk) - traffic.spread**2 / 2
    weights = [one.weight for one in traffic.numbers]
    at = 0.3
    for number in itertools.count():
        dialled = chance.choices(traffic.numbers, weights)[0]
        yield Attempt(
            at=at,
            caller=caller(number % traffic.regulars, seed),
            dialled=dialled,
            pip=CALLER_PIPS[number % len(CALLER_PIPS)],
            patience=3.0 + chance.expovariate(1 / max(traffic.patience - 3.0, 0.1)),
            talk=max(chance.lognormvariate(mean, traffic.spread), ENOUGH + 0.5),
            again_after=5 + chance.expovariate(1 / traffic.retry_after)
            if chance.random() < traffic.retry
            else None,
            keys=dialled.keys[number % len(dialled.keys)] if dialled.keys else "",
        )
        while True:
            at += chance.expovariate(highest)
            if chance.random() * highest <= rate(traffic, at):
                break


@dataclass(slots=True)
class Tally:
    """What became of the calls, as the carrier saw it."""

    placed: int = 0
    refused: int = 0
    """Turned away by a SIP error."""
    connected: int = 0
    called_back: int = 0
    gave_up: int = 0
    again: int = 0


class Carrier:
    """The telephone network: places the calls of `attempts` from one address.

    A caller can't see on the wire when the music ends and a person begins: `connected` tells.
    """

    def __init__(self, phones: Phones, server: Address, traffic: Traffic, seed: int = 1) -> None:
        self._phones = phones
        self._server = server
        self._traffic = traffic
        self._seed = seed
        self._phrases: dict[str, list[list[Pcm]]] = {}
        self._attempts: dict[str, tuple[Attempt, Call]] = {}
        self._waiting: list[tuple[float, int, Attempt]] = []
        self._order = itertools.count()
        self._served: set[str] = set()
        self._listening: set[asyncio.Task[None]] = set()
        self.tally = Tally()
        self.ears: deque[Ear] = deque(maxlen=5_000)
        """Of answered calls that are over, the latest ones."""
        self.closed = False

    async def prepare(self) -> None:
        """Make the voices; a second or so."""
        for language in {one.language for one in self._traffic.numbers}:
            texts = CALLERS[language]
            self._phrases[language] = [
                await asyncio.to_thread(phrases, language, texts, deep=deep) for deep in (False, True)
            ]

    async def run(self) -> None:
        """Place calls until cancelled."""
        began = self._phones.now()
        firsts = attempts(self._traffic, self._seed)
        heapq.heappush(self._waiting, self._entry(next(firsts)))
        newest = self._waiting[0][0]
        while True:
            at, _, attempt = self._waiting[0]
            delay = began + at - self._phones.now()
            if delay > 0:
                # Somebody who calls again may come before the next first call.
                await asyncio.sleep(min(delay, 0.25))
                continue
            heapq.heappop(self._waiting)
            self._place(attempt, began)
            if at >= newest:
                first = next(firsts)
                newest = first.at
                heapq.heappush(self._waiting, self._entry(first))

    def _entry(self, attempt: Attempt) -> tuple[float, int, Attempt]:
        return attempt.at, next(self._order), attempt

    def _place(self, attempt: Attempt, began: float) -> None:
        if self.closed or attempt.caller in self._attempts:
            return
        chance = random.Random(attempt.caller)
        said = list(chance.choice(self._phrases[attempt.dialled.language]))
        first = chance.randrange(len(said))
        voice = person(attempt.pip, said[first:] + said[:first])
        phone = self._phones.phone(attempt.caller, "carrier.invalid", self._server, voice)
        phone.on_over = lambda call: self._over(attempt, call, began)
        call = phone.call(attempt.dialled.number)
        self._attempts[attempt.caller] = attempt, call
        self.tally.placed += 1
        if attempt.keys:
            task = asyncio.get_running_loop().create_task(self._press(attempt, call))
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)
        self._phones.later(attempt.patience, lambda: self._lose_patience(attempt, call))

    async def _press(self, attempt: Attempt, call: Call) -> None:
        """Once we are answered, and for as long as nobody talks with them."""
        await call.until(lambda: call.answered_at is not None or call.state == "over", 60.0)
        for key in attempt.keys:
            if call.state == "over" or attempt.caller in self._served:
                return
            if key == ",":
                await asyncio.sleep(1.0)
            else:
                call.press(key)

    def connected(self, caller: str) -> None:
        """Somebody talks with this caller now."""
        if caller in self._attempts and caller not in self._served:
            attempt, call = self._attempts[caller]
            self._served.add(caller)
            self.tally.connected += 1
            self._phones.later(attempt.talk, call.hang_up)

    def _lose_patience(self, attempt: Attempt, call: Call) -> None:
        if attempt.caller not in self._served and call.state != "over":
            self.tally.gave_up += 1
            call.hang_up()

    def _over(self, attempt: Attempt, call: Call, began: float) -> None:
        self._attempts.pop(attempt.caller, None)
        served = attempt.caller in self._served
        self._served.discard(attempt.caller)
        if call.answered_at is None and call.status >= 400 and call.status != 487:
            self.tally.refused += 1
        if call.answered_at is not None:
            task = asyncio.get_running_loop().create_task(self._listen(call, attempt.pip))
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)
        # A menu has told them what they asked, or they were promised a callback.
        done = call.answered_at is not None and call.ended_by_peer
        if done and not served and not self.closed:
            call.phone.on_call = lambda back: self._answer(attempt, back)
            self._phones.later(CALLED_BACK, lambda: self._phones.forget(call.phone))
        else:
            self._phones.forget(call.phone)
        if not served and not done and attempt.again_after is not None and not self.closed:
            self.tally.again += 1
            at = self._phones.now() - began + attempt.again_after
            heapq.heappush(self._waiting, self._entry(replace(attempt, at=at, again_after=None)))

    def _answer(self, attempt: Attempt, call: Call) -> None:
        """The house calls back: picked up after a moment, talked as long as they would have, and hung up."""
        if self.closed or attempt.caller in self._attempts:
            call.reject(486)
            return
        self.tally.called_back += 1
        call.phone.on_over = lambda over: self._called_back(attempt, over)
        self._phones.later(2.0, call.accept)
        self._phones.later(2.0 + attempt.talk, call.hang_up)

    def _called_back(self, attempt: Attempt, call: Call) -> None:
        self._phones.forget(call.phone)
        if call.answered_at is not None:
            task = asyncio.get_running_loop().create_task(self._listen(call, attempt.pip))
            self._listening.add(task)
            task.add_done_callback(self._listening.discard)

    async def _listen(self, call: Call, pip: int) -> None:
        self.ears.append(await listen(call, pip))

    @property
    def calling(self) -> int:
        return len(self._attempts)

    async def finish(self) -> None:
        """Hang up everything and listen to the rest."""
        self.closed = True
        for _, call in list(self._attempts.values()):
            call.hang_up()
        while self._listening:
            await asyncio.gather(*self._listening)
