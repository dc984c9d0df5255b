"""What came out: one record per contact, seconds per agent and state, and figures with confidence intervals."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt
from statistics import NormalDist, fmean, stdev

from centrala.core.events import AgentLent, AgentReturned

BUSY = ("on_contact", "offered", "wrap_up")
AVAILABLE = (*BUSY, "ready", "resting")


@dataclass(slots=True)
class ContactRecord:
    """One contact. Times in unix seconds of the virtual clock."""

    id: str
    number: str
    arrived: float
    queue: str | None = None
    "The first queue it waited in; None when it never did."
    agent: str | None = None
    "Who answered first; None when nobody did, or a phone outside."
    answered: float | None = None
    ended: float = inf
    outcome: str = "waiting"
    "As the core names them; waiting when it was never served and never gave up."
    offers: int = 0
    overflows: int = 0
    origin: str = ""
    "Of a callback or a message: the contact that it follows from."
    since: float | None = None
    "The same: since when its customer has waited."

    @property
    def wait(self) -> float:
        """Seconds until the answer, or until the caller was gone; infinite for who still waits."""
        return (self.ended if self.answered is None else self.answered) - self.arrived

    @property
    def abandoned(self) -> bool:
        return self.outcome in ("abandoned", "short_abandoned")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the half-width of its confidence interval."""

    mean: float
    half: float
    count: int
    "Batches or replications that it comes from."

    @property
    def low(self) -> float:
        return self.mean - self.half

    @property
    def high(self) -> float:
        return self.mean + self.half

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.half:.2g}"


def interval_of(values: Iterable[float], level: float = 0.95) -> Interval:
    """Confidence interval of the mean of independent values, by Student's t. Infinite for fewer than two."""
    known = list(values)
    if len(known) < 2:
        return Interval(known[0] if known else 0.0, inf, len(known))
    half = student(level, len(known) - 1) * stdev(known) / sqrt(len(known))
    return Interval(fmean(known), half, len(known))


def student(level: float, freedom: int) -> float:
    """Two-sided quantile of Student's t, by its expansion around the normal (Abramowitz & Stegun 26.7.5).

    Within 1 % from 9 degrees of freedom on, for levels up to 99.9 %; for one and two, 95 % alone is known.
    Raises ValueError for another level of those.
    """
    if freedom < 3:
        if level != 0.95:
            raise ValueError(
                f"{freedom + 1} values are too few for an interval at {level:.0%}; take 4 or more"
            )
        return (12.706, 4.303)[freedom - 1]
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    g1 = (z**3 + z) / 4.0
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96.0
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384.0
    g4 = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160.0
    return z + g1 / freedom + g2 / freedom**2 + g3 / freedom**3 + g4 / freedom**4


@dataclass(frozen=True, slots=True)
class Result:
    """One run, its warm-up left out."""

    contacts: list[ContactRecord]
    "Those that arrived in the window, in the order of their arrival."
    window: tuple[float, float]
    "(from, to) in unix seconds of the virtual clock."
    agents: dict[str, dict[str, float]] = field(default_factory=dict)
    "Agent → state → seconds in it, in the window."
    facts: int = 0
    "Facts that the core was told, warm-up included."
    blocked: int = 0
    "Calls that an outage kept away."
    moves: list[AgentLent | AgentReturned] = field(default_factory=list)
    "Of agents, by rebalancing, warm-up included."
    owed: list[ContactRecord] = field(default_factory=list)
    "Callbacks and messages of those contacts, in the order in which they were promised."

    @property
    def seconds(self) -> float:
        return self.window[1] - self.window[0]

    def of(self, number: str) -> "Result":
        """The same for one stream of arrivals alone; agents stay."""
        return self._with([who for who in self.contacts if who.number == number], self.window)

    def _with(self, contacts: list[ContactRecord], window: tuple[float, float]) -> "Result":
        there = {who.id for who in contacts}
        owed = [who for who in self.owed if who.origin in there]
        return Result(contacts, window, self.agents, self.facts, self.blocked, self.moves, owed)

    # --- figures ---

    def share(self, meant: Callable[[ContactRecord], bool]) -> float:
        return sum(map(meant, self.contacts)) / len(self.contacts) if self.contacts else 0.0

    def service_level(self, within: float) -> float:
        """Share of all contacts that was answered within so many seconds."""
        return self.share(lambda who: who.answered is not None and who.wait <= within)

    @property
    def figures(self) -> dict[str, float]:
        """The usual ones. Waits and queue length cover all contacts, `mean_wait_answered` those answered."""
        waits = [who.wait for who in self.contacts if who.wait < inf]
        answered = [who.wait for who in self.contacts if who.answered is not None]
        count = len(self.contacts)
        return {
            "offered": float(count),
            "p_wait": self.share(lambda who: who.wait > 0),
            "p_answered": len(answered) / count if count else 0.0,
            "p_abandon": self.share(lambda who: who.abandoned),
            "p_refused": self.share(lambda who: who.outcome in ("refused", "failed")),
            "mean_wait": fmean(waits) if waits else 0.0,
            "mean_wait_answered": fmean(answered) if answered else 0.0,
            "mean_queue": sum(waits) / self.seconds,
            "occupancy": self.occupancy(),
        }

    def occupancy(self, agents: Sequence[str] | None = None) -> float:
        """Share of their available time that these agents (None: all) rang, talked or did after-call work."""
        those = [self.agents[name] for name in (self.agents if agents is None else agents)]
        available = sum(spent.get(state, 0.0) for spent in those for state in AVAILABLE)
        busy = sum(spent.get(state, 0.0) for spent in those for state in BUSY)
        return busy / available if available else 0.0

    def interval(
        self, figure: str | Callable[["Result"], float], *, batches: int = 20, level: float = 0.95
    ) -> Interval:
        """A figure with its confidence interval by batch means: the window cut into equal stretches.

        A stretch must be long against the time in which the centre forgets its state. `occupancy` has no
        batches; use `replicate`. Raises ValueError for it.
        """
        if figure == "occupancy":
            raise ValueError("occupancy is counted over the whole window; replicate() gives its interval")
        start, width = self.window[0], self.seconds / batches
        parts: list[list[ContactRecord]] = [[] for _ in range(batches)]
        for who in self.contacts:
            parts[min(int((who.arrived - start) / width), batches - 1)].append(who)
        return interval_of(
            (
                _figure(self._with(part, (start + width * index, start + width * (index + 1))), figure)
                for index, part in enumerate(parts)
            ),
            level,
        )


def _figure(result: Result, figure: str | Callable[[Result], float]) -> float:
    return result.figures[figure] if isinstance(figure, str) else figure(result)


@dataclass(frozen=True, slots=True)
class Replications:
    """Independent runs of one scenario."""

    results: list[Result]

    def interval(self, figure: str | Callable[[Result], float], *, level: float = 0.95) -> Interval:
        return interval_of((_figure(result, figure) for result in self.results), level)

    @property
    def figures(self) -> dict[str, Interval]:
        every = [result.figures for result in self.results]
        return {name: interval_of(figures[name] for figures in every) for name in (every[0] if every else ())}


def replicate_results(results: Iterable[Result]) -> Replications:
    return Replications(list(results))
