"""A scenario of `centrala.sim`, compiled: the same contacts to the same agents at the same moments, some hundred
times as fast. For searches over thousands of scenarios; what it doesn't know it refuses.

    world = World.of(scenario)
    result = world.run(seed=1)
    result.service_level(20), result.of("sales").p_abandon

It knows queues by list or by skills, preferences, priorities with ageing, `longest_idle` and `most_skilled`,
after-call work, patience, shifts. Phones are answered at once and nobody refuses.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrala.core.indexes import level_in
from centrala.sim import Arrivals, Distribution, Erlang, Exponential, Fixed, Lognormal, Measured, Scenario
from centrala.workforce import checks
from centrala.workforce._kernel import one_line, run
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, NoAgents, NotModelled

MOST_CONTACTS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Calls:
    """What a day's callers bring along: the same for every scenario that is compared. Seconds."""

    times: Floats
    "Of the arrivals, all streams one after the other, each in the order of time."
    handling: Floats
    patience: Floats
    "inf: for ever."
    offsets: NDArray[np.int64]
    "Stream s has the contacts from offsets[s] to offsets[s + 1]."

    def __post_init__(self) -> None:
        size = self.times.size
        if not (self.handling.size == self.patience.size == size == self.offsets[-1]):
            raise BadInput("calls: as many handling times and patiences as arrivals are needed")
        late = np.diff(self.times) < 0
        late[self.offsets[1:-1][(self.offsets[1:-1] > 0) & (self.offsets[1:-1] < size)] - 1] = False
        if late.any():
            raise BadInput(f"calls: arrival {int(np.argmax(late)) + 1} comes before the one in front of it")
        checks.not_negative("handling of calls", self.handling)
        checks.not_negative("patience of calls", self.patience, finite=False)


def draw(scenario: Scenario, seed: int = 1) -> Calls:
    """Callers of the scenario's arrivals. Each stream and each of its three quantities has random numbers of its own:
    a change of one leaves the others as they are."""
    parts: list[tuple[Floats, Floats, Floats]] = []
    for index, stream in enumerate(scenario.arrivals):
        rngs = [np.random.Generator(np.random.SFC64([seed, index, kind])) for kind in range(3)]
        times = _times(stream, scenario, rngs[0])
        handling = _samples(stream.handling, times.size, rngs[1])
        patience = (
            np.full(times.size, math.inf)
            if stream.patience is None
            else _samples(stream.patience, times.size, rngs[2])
        )
        parts.append((times, handling, patience))
    if not parts:
        raise BadInput("a scenario without arrivals: there is nothing to simulate")
    offsets = np.concatenate(([0], np.cumsum([part[0].size for part in parts]))).astype(np.int64)
    if len(parts) == 1:
        return Calls(*parts[0], offsets)
    times, handling, patience = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return Calls(times, handling, patience, offsets)


def _times(stream: Arrivals, scenario: Scenario, rng: np.random.Generator) -> Floats:
    start, seconds = scenario.start, scenario.hours * 3600.0
    if stream.trace is not None:
        times = start + np.asarray(stream.trace, float)
        return np.asarray(times[times < start + seconds])
    if stream.profile:
        sums = np.concatenate(([0.0], np.cumsum(stream.profile)))
        places = np.arange(sums.size) * stream.interval
        # Stretched from a Poisson stream of rate 1.
        unit = _poisson(float(sums[-1]), 1.0, rng)
        index = np.searchsorted(sums, unit, side="right") - 1
        index = np.minimum(index, len(stream.profile) - 1)
        rate = np.asarray(stream.profile)[index]
        times = places[index] + (unit - sums[index]) / rate * stream.interval
        return np.asarray((start + times)[times < seconds])
    if stream.per_hour:
        return start + _poisson(seconds, stream.per_hour / 3600.0, rng)
    return np.empty(0)


def _poisson(until: float, rate: float, rng: np.random.Generator) -> Floats:
    expected = until * rate
    if expected > MOST_CONTACTS:
        raise BadInput(f"{expected:.3g} contacts are too many for one run; {MOST_CONTACTS:.0e} may be")
    gaps = rng.standard_exponential(int(expected + 6 * math.sqrt(expected) + 10))
    gaps[0] /= rate
    gaps[1:] /= rate
    times = np.cumsum(gaps, out=gaps)
    while times[-1] < until:
        more = times[-1] + np.cumsum(rng.standard_exponential(1000) / rate)
        times = np.concatenate((times, more))
    return np.asarray(times[: np.searchsorted(times, until)])


def _samples(of: Distribution, size: int, rng: np.random.Generator) -> Floats:
    match of:
        case Exponential(mean):
            drawn = rng.standard_exponential(size)
            drawn *= mean
            return drawn
        case Fixed(mean):
            return np.full(size, float(mean))
        case Lognormal(mean, deviation):
            variance = math.log1p((deviation / mean) ** 2)
            return rng.lognormal(math.log(mean) - variance / 2, math.sqrt(variance), size)
        case Erlang(stages, mean):
            return rng.gamma(stages, mean / stages, size)
        case Measured(times):
            return rng.choice(np.asarray(times, float), size)
        case _:
            plain = Random(int(rng.integers(1 << 62)))
            return np.array([of.draw(plain) for _ in range(size)], float)


@dataclass(frozen=True, slots=True)
class FastResult:
    """One compiled run, its warm-up left out. Arrays by contact, stream after stream."""

    streams: tuple[str, ...]
    "Number or queue that each stream called."
    offsets: NDArray[np.int64]
    wait: Floats
    "Seconds until the answer, or until the caller hung up; inf for who waits for ever unserved."
    answered: NDArray[np.bool_]
    agent: NDArray[np.int32]
    "Index in the scenario's agents; -1 for nobody."
    seconds: float
    "Length of the window."
    busy: Floats
    "Seconds each agent talked or did after-call work in the window."
    staffed: Floats
    "Seconds each agent was there."

    def of(self, number: str) -> "FastResult":
        """One number's or queue's contacts alone; agents stay. Raises BadInput for one nobody called."""
        which = [index for index, name in enumerate(self.streams) if name == number]
        if not which:
            raise BadInput(f"nobody called {number}; called were {', '.join(dict.fromkeys(self.streams))}")
        cuts = [slice(int(self.offsets[s]), int(self.offsets[s + 1])) for s in which]
        sizes = [cut.stop - cut.start for cut in cuts]
        return replace(
            self,
            streams=tuple(self.streams[s] for s in which),
            offsets=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            wait=np.concatenate([self.wait[cut] for cut in cuts]),
            answered=np.concatenate([self.answered[cut] for cut in cuts]),
            agent=np.concatenate([self.agent[cut] for cut in cuts]),
        )

    @property
    def offered(self) -> int:
        return int(self.wait.size)

    def service_level(self, within: float, definition: str = "A") -> float:
        """Share of contacts answered within so many seconds, by any of the four definitions; 0 without contacts."""
        early = self.wait <= within
        served, gone = early & self.answered, early & ~self.answered
        ended = np.isfinite(self.wait)
        match definition:
            case "A":
                return _ratio(served.sum(), self.offered)
            case "B":
                return _ratio(served.sum() + gone.sum(), self.offered)
            case "C":
                return _ratio(served.sum(), self.offered - int((gone & ended).sum()))
            case "D":
                return _ratio(served.sum(), int(self.answered.sum()))
            case _:
                raise BadInput(f"service level: there is no definition {definition}; A, B, C and D are known")

    @property
    def p_wait(self) -> float:
        return _ratio((self.wait > 0).sum(), self.offered)

    @property
    def p_abandon(self) -> float:
        return _ratio((~self.answered & np.isfinite(self.wait)).sum(), self.offered)

    @property
    def mean_wait(self) -> float:
        """Of all who were answered or gave up."""
        ended = self.wait[np.isfinite(self.wait)]
        return float(ended.mean()) if ended.size else 0.0

    @property
    def mean_wait_answered(self) -> float:
        return float(self.wait[self.answered].mean()) if self.answered.any() else 0.0

    @property
    def mean_queue(self) -> float:
        return float(self.wait[np.isfinite(self.wait)].sum()) / self.seconds

    def occupancy(self, agents: Sequence[int] | None = None) -> float:
        chosen = slice(None) if agents is None else list(agents)
        return _ratio(self.busy[chosen].sum(), self.staffed[chosen].sum())

    @property
    def figures(self) -> dict[str, float]:
        """By the same names as `centrala.sim.Result.figures`."""
        return {
            "offered": float(self.offered),
            "p_wait": self.p_wait,
            "p_answered": _ratio(self.answered.sum(), self.offered),
            "p_abandon": self.p_abandon,
            "p_refused": 0.0,
            "mean_wait": self.mean_wait,
            "mean_wait_answered": self.mean_wait_answered,
            "mean_queue": self.mean_queue,
            "occupancy": self.occupancy(),
        }


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0


@dataclass(frozen=True, slots=True)
class World:
    """A scenario as the kernel wants it. Groups are agents who serve the same queues in the same way."""

    scenario: Scenario
    queues: tuple[str, ...]
    "Of each stream."
    lead: Floats
    wrap: Floats
    group_of: NDArray[np.int32]
    groups_of: NDArray[np.int32]
    group_count: NDArray[np.int32]
    key: Floats
    streams_of: NDArray[np.int32]
    stream_count: NDArray[np.int32]
    preference: NDArray[np.int32]
    ready: NDArray[np.bool_]
    change_at: Floats
    change_agent: NDArray[np.int32]
    change_ready: NDArray[np.bool_]

    @staticmethod
    def of(scenario: Scenario) -> "World":
        """Raises NotModelled for rules that only the core knows, NoAgents without agents."""
        _check(scenario)
        specs = {queue.id: queue for queue in scenario.queues}
        queues = tuple(
            scenario.numbers[one.to].name if one.to in scenario.numbers else one.to
            for one in scenario.arrivals
        )
        lead = [
            (specs[queue].priority + stream.priority) * specs[queue].ageing
            for queue, stream in zip(queues, scenario.arrivals, strict=True)
        ]
        groups: dict[tuple[Any, ...], int] = {}
        group_of = []
        for model in scenario.agents:
            levels = tuple(level_in(model.spec, specs[queue]) for queue in queues)
            prefers = tuple(
                model.spec.prefers.index(queue) if queue in model.spec.prefers else len(model.spec.prefers)
                for queue in queues
            )
            group_of.append(groups.setdefault((levels, prefers), len(groups)))
        count, width = len(groups), len(queues)
        key = np.zeros((count, width))
        preference = np.zeros((count, width), np.int32)
        streams_of = np.zeros((count, width), np.int32)
        stream_count = np.zeros(count, np.int32)
        groups_of = np.zeros((width, count), np.int32)
        group_count = np.zeros(width, np.int32)
        for (levels, prefers), g in groups.items():
            for s, (level, preferred) in enumerate(zip(levels, prefers, strict=True)):
                if level is None:
                    continue
                streams_of[g, stream_count[g]] = s
                stream_count[g] += 1
                groups_of[s, group_count[s]] = g
                group_count[s] += 1
                preference[g, s] = preferred
                key[g, s] = -float(level) if specs[queues[s]].strategy == "most_skilled" else 0.0
        changes = sorted(
            (scenario.start + at, order, agent, comes)
            for order, (agent, at, comes) in enumerate(
                (agent, at, comes)
                for agent, model in enumerate(scenario.agents)
                for span in model.shifts or ()
                for at, comes in zip(span, (True, False), strict=True)
            )
        )
        return World(
            scenario,
            queues,
            np.array(lead, float),
            np.array([specs[queue].wrap_up for queue in queues], float),
            np.array(group_of, np.int32),
            groups_of,
            group_count,
            key,
            streams_of,
            stream_count,
            preference,
            np.array([model.shifts is None for model in scenario.agents]),
            np.array([change[0] for change in changes], float),
            np.array([change[2] for change in changes], np.int32),
            np.array([change[3] for change in changes], np.bool_),
        )

    def run(self, seed: int = 1, calls: Calls | None = None) -> FastResult:
        """A whole day; whoever is in the centre at its end is served. `calls` replays those instead of drawing."""
        scenario = self.scenario
        calls = draw(scenario, seed) if calls is None else calls
        if calls.offsets.size != len(self.queues) + 1:
            raise BadInput(
                f"calls have {calls.offsets.size - 1} streams, the scenario has {len(self.queues)}"
            )
        answered = np.empty(calls.times.size)
        agents = self.group_of.size
        counted_from, end = scenario.start + scenario.warm_up, scenario.start + scenario.hours * 3600.0
        by = np.empty(calls.times.size, np.int32)
        busy, staffed = np.zeros(agents), np.zeros(agents)
        run(
            calls.times, calls.handling, calls.patience, calls.offsets, self.lead, self.wrap, self.group_of,
            self.groups_of, self.group_count, self.key, self.streams_of, self.stream_count, self.preference,
            self.ready.copy(), self.change_at, self.change_agent, self.change_ready, scenario.start, counted_from,
            end, answered, by, busy, staffed,
        )  # fmt: skip
        served = by >= 0
        wait = np.where(served, answered - calls.times, calls.patience)
        sizes = np.diff(calls.offsets)
        offsets = calls.offsets
        if scenario.warm_up > 0:
            kept = calls.times >= counted_from
            stream = np.repeat(np.arange(sizes.size), sizes)
            sizes = np.bincount(stream[kept], minlength=sizes.size)
            offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
            wait, served, by = wait[kept], served[kept], by[kept]
        names = tuple(stream.to for stream in scenario.arrivals)
        return FastResult(names, offsets, wait, served, by, end - counted_from, busy, staffed)


def line(
    agents: int,
    per_hour: float,
    handling: Distribution,
    patience: Distribution | None = None,
    *,
    contacts: int = 1_000_000,
    wrap_up: float = 0.0,
    seed: int = 1,
    block: int = 1 << 16,
) -> tuple[Floats, Floats]:
    """One queue with agents all alike, as fast as it goes: waits in seconds, NaN for who gave up; and patience.

    Starts empty. Any distributions; the memory is 16 bytes a contact.
    """
    servers = checks.whole("agents", agents, 0)
    if servers == 0:
        raise NoAgents("agents: 0 must be above 0: nobody serves the queue")
    rate = checks.one_positive("per_hour", per_hour) / 3600.0
    count = checks.whole("contacts", contacts, 1)
    rngs = [np.random.Generator(np.random.SFC64([seed, 0, kind])) for kind in range(3)]
    waits, patient = np.empty(count), np.empty(count)
    free = np.full(2 * servers + 2, math.inf)
    free[:servers] = -math.inf
    now = 0.0
    for begin in range(0, count, block):
        size = min(block, count - begin)
        gaps = rngs[0].standard_exponential(size)
        held = _samples(handling, size, rngs[1])
        stay = patient[begin : begin + size]
        stay[:] = math.inf if patience is None else _samples(patience, size, rngs[2])
        now = one_line(gaps, 1.0 / rate, held, stay, servers, wrap_up, now, free, waits[begin : begin + size])
    return waits, patient


def _check(scenario: Scenario) -> None:
    if not scenario.agents:
        raise NoAgents("a scenario without agents: nobody serves its queues")
    if scenario.outages:
        raise NotModelled("outages: the compiled kernel knows none; use centrala.sim.simulate")
    known = {queue.id for queue in scenario.queues}
    called = set()
    for stream in scenario.arrivals:
        to = scenario.numbers.get(stream.to)
        if to is not None and to.kind != "queue":
            raise NotModelled(
                f"number {stream.to} leads to {to.kind}, not to a queue; use centrala.sim.simulate"
            )
        called.add(to.name if to is not None else stream.to)
    for name in called - known:
        raise BadInput(f"arrivals to {name}: there is no such queue")
    for queue in scenario.queues:
        if queue.id not in called:
            continue
        why = None
        if queue.strategy not in ("longest_idle", "most_skilled"):
            why = f"strategy {queue.strategy}"
        elif queue.max_wait is not None or queue.max_length is not None:
            why = "a limit of waits or of its length"
        elif queue.open_at is not None:
            why = "opening hours"
        elif queue.when_no_agents is not None:
            why = "a way out when nobody is there"
        if why:
            raise NotModelled(
                f"queue {queue.id} has {why}: the compiled kernel has not; use centrala.sim.simulate"
            )
    for model in scenario.agents:
        if model.refuse or model.miss or model.answer_delay != Fixed(0.0):
            raise NotModelled(
                f"agent {model.spec.id} lets the phone ring or refuses: in the compiled kernel all answer at once; "
                "use centrala.sim.simulate, or add the ringing to the handling time"
            )
        for begin, end in model.shifts or ():
            if not begin < end:
                raise BadInput(
                    f"agent {model.spec.id}: a shift must end after it begins, not {begin:g} to {end:g}"
                )
