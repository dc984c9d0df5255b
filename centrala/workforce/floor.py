"""The floor as somebody who joins a queue finds it: what may be known then, as numbers to predict a wait from.

    floor = Floor(kinds, head_start={2: 90.0})
    floor.arrives("c1", 8 * 3600.0, kind=0, priority=2)
    floor.answered("c1", at, agent="a7"); floor.gone("c2", at); floor.ended("c1", at)
    floor.look(at, kind=0, priority=1)        one number for each of FEATURES

The same object follows a history for training and live events for announcements, so that what is learnt from is what
is asked. Times are seconds of a wall clock whose day begins at multiples of 86,400.
"""

import math
from collections import defaultdict, deque
from collections.abc import Hashable, Mapping

import numpy as np

from centrala.workforce.checks import Floats

DAY = 86_400.0
KINDS = 4
"So many kinds of contact, the most frequent ones, are counted each by itself."
ON_SHIFT = 1200.0
"Seconds after which an agent who did nothing counts as gone."
USUAL = 180.0
"Seconds of a conversation before any was seen."
_STEPS = np.array([0, 15, 30, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 3600], float)

FEATURES = (
    "kind", "priority", "hour", "weekday", "waiting", *(f"waiting_{i}" for i in range(KINDS)), "ahead",
    "ahead_of_kind", "ahead_that_stay", "behind", "waiting_first", "oldest", "mean_age", "youngest",
    "oldest_of_kind", "oldest_of_priority", "busy", *(f"busy_{i}" for i in range(KINDS)), "busy_mean",
    "busy_longest", "busy_middle", "busy_short", "busy_long", "seen_5", "seen_15", "seen_30", "idle", "able",
    "able_busy", "able_idle", "able_just_free", "rate", "next_free", "nth_free", "mean_left", "mean_handling",
    "recent_handling", "of_kind_handling", "of_agents_handling", "by_rate", "by_rate_that_stay", "by_handling",
    "by_agents", "by_starts_10", "by_starts_5", "last_wait", "since_last_wait", "mean_wait_3", "mean_wait_10",
    "last_of_kind", "mean_of_kind", "last_of_priority", "mean_of_priority", "wait_15", "wait_60", "starts_1",
    "starts_5", "starts_10", "starts_20", "starts_30", "starts_of_kind_10", "arrived_5", "arrived_15", "gone_5",
    "gone_15", "since_start", "since_at_once", "since_end",
)  # fmt: skip
"What `look` gives, in this order."


class Floor:
    """Who waits, who talks and what went on lately."""

    def __init__(self, kinds: int, *, head_start: Mapping[int, float] | None = None) -> None:
        self._kinds = max(1, kinds)
        self._head_start = dict(head_start or {})
        "Priority → seconds by which it goes before others."
        self._day = -math.inf
        self._handling = [_Handling() for _ in range(self._kinds)]
        self._lately: deque[float] = deque(maxlen=50)
        self._by_agent: dict[Hashable, deque[float]] = defaultdict(lambda: deque(maxlen=100))
        self._did: dict[Hashable, Floats] = defaultdict(lambda: np.zeros(self._kinds))
        self._new_day(-math.inf)

    def _new_day(self, day: float) -> None:
        self._day = day
        self._waiting: dict[Hashable, tuple[float, int, int]] = {}
        self._busy: dict[Hashable, tuple[float, int, Hashable]] = {}
        self._seen: dict[Hashable, float] = {}
        self._freed: dict[Hashable, float] = {}
        self._waits: deque[tuple[float, float, int, int]] = deque(maxlen=3000)
        "(when over, seconds, kind, priority), waits of nothing included."
        self._last_wait = (-math.inf, 0.0)
        self._starts: deque[tuple[float, int]] = deque(maxlen=3000)
        self._arrivals: deque[float] = deque(maxlen=3000)
        self._left: deque[float] = deque(maxlen=3000)
        self._at_once = self._end = -math.inf

    def _reach(self, at: float) -> None:
        if at // DAY != self._day:
            self._new_day(at // DAY)

    def arrives(self, contact: Hashable, at: float, kind: int, priority: int) -> None:
        """Somebody joins the queue."""
        self._reach(at)
        self._arrivals.append(at)
        self._waiting[contact] = (at, self._code(kind), priority)

    def answered(self, contact: Hashable, at: float, agent: Hashable | None) -> None:
        self._reach(at)
        since, kind, priority = self._waiting.pop(contact, (at, 0, 0))
        waited = at - since
        self._waits.append((at, waited, kind, priority))
        self._starts.append((at, kind))
        if waited > 0:
            self._last_wait = (at, waited)
        else:
            self._at_once = at
        self._busy[contact] = (at, kind, agent)
        if agent is not None:
            self._seen[agent] = at
            self._did[agent][kind] += 1

    def gone(self, contact: Hashable, at: float) -> None:
        """Somebody gives up, or leaves the queue another way."""
        self._reach(at)
        if self._waiting.pop(contact, None) is not None:
            self._left.append(at)

    def ended(self, contact: Hashable, at: float) -> None:
        """A conversation is over, after-call work included."""
        self._reach(at)
        talk = self._busy.pop(contact, None)
        if talk is None:
            return
        since, kind, agent = talk
        self._handling[kind].add(at - since)
        self._lately.append(at - since)
        self._end = at
        if agent is not None:
            self._seen[agent] = self._freed[agent] = at
            self._by_agent[agent].append(at - since)

    def look(self, at: float, kind: int, priority: int) -> list[float]:
        """What somebody who joins now finds, as FEATURES says."""
        self._reach(at)
        kind = self._code(kind)
        rank = at - self._head_start.get(priority, 0.0)
        of_kind = [0] * KINDS
        ages, ahead, ahead_of_kind, stay, first = [], 0, 0, 0.0, 0
        oldest_of_kind = oldest_of_priority = 0.0
        for since, their_kind, their_priority in self._waiting.values():
            age = at - since
            ages.append(age)
            if their_kind < KINDS:
                of_kind[their_kind] += 1
            start = self._head_start.get(their_priority, 0.0)
            first += start > 0
            if since - start <= rank:
                ahead += 1
                ahead_of_kind += their_kind == kind
                stay += math.exp(-age / 250.0)
            if their_kind == kind:
                oldest_of_kind = max(oldest_of_kind, age)
            if their_priority == priority:
                oldest_of_priority = max(oldest_of_priority, age)
        busy_of_kind = [0] * KINDS
        elapsed = []
        for since, their_kind, agent in self._busy.values():
            elapsed.append(at - since)
            if their_kind < KINDS:
                busy_of_kind[their_kind] += 1
            if agent is not None:
                self._seen[agent] = at
        elapsed.sort()
        talking = {agent: (since, k) for since, k, agent in self._busy.values() if agent is not None}
        able = able_busy = just_free = 0
        agents_mean: list[float] = []
        left = []
        for agent, when in self._seen.items():
            did = self._did[agent]
            if at - when >= ON_SHIFT or did[kind] < max(3.0, 0.02 * float(did.sum())):
                continue
            able += 1
            own = self._by_agent[agent]
            if len(own) > 5:
                agents_mean.append(sum(own) / len(own))
            if agent in talking:
                able_busy += 1
                since, their_kind = talking[agent]
                left.append(self._handling[their_kind].left(at - since))
            elif at - self._freed.get(agent, -math.inf) < 120:
                just_free += 1
        left.sort()
        rate = sum(1 / max(one, 20.0) for one in left)
        seen = [
            sum(at - when < seconds for when in self._seen.values()) for seconds in (300.0, 900.0, 1800.0)
        ]
        busy = len(self._busy)
        lately = list(self._lately)
        handling = sum(lately) / len(lately) if lately else USUAL
        recent = sum(lately[-15:]) / len(lately[-15:]) if lately else USUAL
        agents_handling = sum(agents_mean) / len(agents_mean) if agents_mean else USUAL
        starts_5, starts_10 = self._count(at, 300.0), self._count(at, 600.0)
        waits = list(self._waits)
        mine = [seconds for _, seconds, k, _ in waits[-200:] if k == kind and seconds > 0][-4:]
        peers = [seconds for _, seconds, _, p in waits[-200:] if p == priority and seconds > 0][-4:]
        count = len(ages)
        return [
            float(kind), float(priority), at % DAY / 3600.0, float(at // DAY % 7), float(count), *map(float, of_kind),
            float(ahead), float(ahead_of_kind), stay, float(count - ahead), float(first),
            max(ages, default=0.0), sum(ages) / count if count else 0.0, min(ages, default=999.0), oldest_of_kind,
            oldest_of_priority, float(busy), *map(float, busy_of_kind),
            sum(elapsed) / busy if busy else 0.0, elapsed[-1] if busy else 0.0, elapsed[busy // 2] if busy else 0.0,
            float(sum(one < 60 for one in elapsed)), float(sum(one > 300 for one in elapsed)), *map(float, seen),
            float(seen[1] - busy), float(able), float(able_busy), float(able - able_busy), float(just_free),
            100 * rate, left[0] if left else 200.0, left[min(ahead, len(left) - 1)] if left else 200.0,
            sum(left) / len(left) if left else 200.0, handling, recent, self._handling[kind].mean(), agents_handling,
            (ahead + 1) / max(rate, 0.002), (stay + 1) / max(rate, 0.002), (ahead + 1) * handling / max(busy, 1),
            (ahead + 1) * agents_handling / max(able, 1), 600.0 * (ahead + 1) / max(starts_10, 1),
            300.0 * (count + 1) / max(starts_5, 1), self._last_wait[1], _since(at, self._last_wait[0]),
            _tail([seconds for _, seconds, _, _ in waits[-3:]]), _tail([seconds for _, seconds, _, _ in waits[-10:]]),
            mine[-1] if mine else -1.0, _tail(mine, -1.0), peers[-1] if peers else -1.0, _tail(peers, -1.0),
            self._mean_wait(at, 900.0), self._mean_wait(at, 3600.0), float(self._count(at, 60.0)), float(starts_5),
            float(starts_10), float(self._count(at, 1200.0)), float(self._count(at, 1800.0)),
            float(sum(k == kind for when, k in self._starts if at - when < 600.0)),
            float(_within(self._arrivals, at, 300.0)), float(_within(self._arrivals, at, 900.0)),
            float(_within(self._left, at, 300.0)), float(_within(self._left, at, 900.0)),
            _since(at, self._starts[-1][0] if self._starts else -math.inf), _since(at, self._at_once),
            _since(at, self._end),
        ]  # fmt: skip

    def _code(self, kind: int) -> int:
        return min(max(kind, 0), self._kinds - 1)

    def _count(self, at: float, seconds: float) -> int:
        found = 0
        for when, _ in reversed(self._starts):
            if at - when >= seconds:
                break
            found += 1
        return found

    def _mean_wait(self, at: float, seconds: float) -> float:
        total, found = 0.0, 0
        for when, waited, _, _ in reversed(self._waits):
            if at - when >= seconds:
                break
            total, found = total + waited, found + 1
        return total / found if found else 0.0


class _Handling:
    """How long conversations last, and how much longer those that last so long already."""

    def __init__(self) -> None:
        self._held: deque[float] = deque([USUAL] * 3, maxlen=400)
        self._new = 99
        self._mean = USUAL
        self._left: Floats = np.full(len(_STEPS), USUAL)

    def add(self, seconds: float) -> None:
        self._held.append(max(seconds, 0.0))
        self._new += 1

    def mean(self) -> float:
        self._refresh()
        return self._mean

    def left(self, elapsed: float) -> float:
        self._refresh()
        return float(np.interp(elapsed, _STEPS, self._left))

    def _refresh(self) -> None:
        if self._new < 20:
            return
        self._new = 0
        held = np.array(self._held)
        self._mean = float(held[-30:].mean())
        rest = self._mean
        for index, step in enumerate(_STEPS):
            longer = held[held > step] - step
            rest = float(longer.mean()) if len(longer) >= 5 else rest
            self._left[index] = rest


def _since(at: float, when: float) -> float:
    return min(at - when, 3600.0)


def _tail(seconds: list[float], nothing: float = 0.0) -> float:
    return sum(seconds) / len(seconds) if seconds else nothing


def _within(times: deque[float], at: float, seconds: float) -> int:
    found = 0
    for when in reversed(times):
        if at - when >= seconds:
            break
        found += 1
    return found
