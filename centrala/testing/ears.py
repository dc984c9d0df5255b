"""What the two ends of a call heard, and whether it was each other."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from centrala.testing.phone import Call
from centrala.testing.voices import ENOUGH, pips_in


@dataclass(frozen=True, slots=True)
class Ear:
    """One end of a call that is over. Times are those of the event loop, in seconds."""

    who: str
    peer: str
    """Whom it called, or who called."""
    pip: int
    """Its own."""
    heard: frozenset[int]
    """Pips heard in the last 30 s of the call."""
    began: float
    answered_at: float
    ended_at: float


async def listen(call: Call, pip: int) -> Ear:
    """Judge what an answered call has heard, in a thread; its audio can be forgotten then."""
    heard = await asyncio.to_thread(pips_in, call.heard)
    call.forget_heard()
    answered_at = call.began if call.answered_at is None else call.answered_at
    ended_at = call.phone.phones.now() if call.ended_at is None else call.ended_at
    return Ear(call.phone.user, call.peer, pip, heard, call.began, answered_at, ended_at)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Two ends that were connected with each other."""

    caller: Ear
    other: Ear

    @property
    def seconds(self) -> float:
        return min(self.caller.ended_at, self.other.ended_at) - self.other.answered_at

    @property
    def long_enough(self) -> bool:
        """Both must have heard at least one pip of the other."""
        return self.seconds >= ENOUGH

    @property
    def caller_heard(self) -> bool:
        return self.other.pip in self.caller.heard

    @property
    def other_heard(self) -> bool:
        return self.caller.pip in self.other.heard


def conversations(callers: Iterable[Ear], others: Iterable[Ear]) -> list[Conversation]:
    """Ends that belong together: the other one was called on behalf of this caller, while this call lasted."""
    by_number: dict[str, list[Ear]] = {}
    for ear in callers:
        by_number.setdefault(ear.who, []).append(ear)
    found = []
    for other in others:
        for ear in by_number.get(other.peer, ()):
            if ear.began <= other.answered_at <= ear.ended_at:
                found.append(Conversation(ear, other))
                break
    return found
