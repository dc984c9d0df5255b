"""Who can do what, where that is too little, and when a training does the least harm.

matrix = SkillsMatrix.of([Skill("ann", "billing", 3, date(2026, 1, 12)), Skill("bob", "sales", 2, None)])
matrix.gaps({"billing": 2, "sales": 1}).missing
training_hours(calls, 30, 240, agents, patience=180, length=2, away=3, sessions=2).starts
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, sparse  # type: ignore[import-untyped, unused-ignore]
from scipy.sparse import csgraph  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce import checks
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, Unattainable
from centrala.workforce.models import Definition, queue
from centrala.workforce.patience import Patience, simplest

MOST_INTERVALS = 10_000


@dataclass(frozen=True, slots=True)
class Skill:
    """One agent's level at one skill."""

    agent: str
    skill: str
    level: int = 1
    "1 to 10, as agents are configured; 0: not yet."
    trained: date | None = None
    "The last training; None: not known."


@dataclass(frozen=True, slots=True)
class Gaps:
    """Demand against who is there, each agent doing one thing at a time."""

    need: dict[str, int]
    able: dict[str, int]
    "Agents with the skill, each counted at every skill they have."
    missing: dict[str, int]
    "With agents given to skills as well as possible. The sum is certain; on which skill it falls, one way of several."
    bottleneck: tuple[str, ...]
    "These skills together want more agents than have any of them, by the whole that is missing; empty if none is."

    @property
    def total(self) -> int:
        return sum(self.missing.values())


@dataclass(frozen=True, slots=True)
class SkillsMatrix:
    """Agents x skills, with levels and dates of training."""

    records: tuple[Skill, ...]

    @staticmethod
    def of(records: Iterable[Skill]) -> "SkillsMatrix":
        """Raises BadInput for levels that there aren't, and for an agent's skill given twice."""
        kept = tuple(records)
        seen = set()
        for one in kept:
            if checks.whole(f"level of {one.skill}", one.level, 0) > 10:
                raise BadInput(f"level of {one.skill}: {one.level} is above 10")
            if (one.agent, one.skill) in seen:
                raise BadInput(f"skill {one.skill} of one agent is there twice")
            seen.add((one.agent, one.skill))
        return SkillsMatrix(kept)

    @property
    def agents(self) -> list[str]:
        return list(dict.fromkeys(one.agent for one in self.records))

    @property
    def skills(self) -> list[str]:
        return list(dict.fromkeys(one.skill for one in self.records))

    def level(self, agent: str, skill: str) -> int:
        return next((one.level for one in self.records if (one.agent, one.skill) == (agent, skill)), 0)

    def able(
        self, skill: str, level: int = 1, *, on: date | None = None, valid: timedelta | None = None
    ) -> list[str]:
        """Agents at that level or above; with `on` and `valid`, whose training was so long before at the most."""
        return [
            one.agent
            for one in self.records
            if one.skill == skill and one.level >= max(level, 1) and _fresh(one, on, valid)
        ]

    def due(self, on: date, valid: timedelta) -> list[Skill]:
        """Whose training is longer ago than it holds, or isn't known."""
        return [one for one in self.records if one.level > 0 and not _fresh(one, on, valid)]

    def gaps(
        self,
        need: Mapping[str, int | tuple[int, int]],
        *,
        on: date | None = None,
        valid: timedelta | None = None,
    ) -> Gaps:
        """`need`: skill → agents at the same time, or (agents, least level)."""
        wanted, levels = {}, {}
        for skill, value in need.items():
            count, level = value if isinstance(value, tuple) else (value, 1)
            wanted[skill] = checks.whole(f"need of {skill}", count, 0)
            levels[skill] = checks.whole(f"level of {skill}", level, 1)
        able = {skill: self.able(skill, levels[skill], on=on, valid=valid) for skill in wanted}
        agents, skills = self.agents, list(wanted)
        # Source 0, agents, skills, sink; the flow is who does what.
        places = {agent: 1 + index for index, agent in enumerate(agents)}
        lines = {skill: 1 + len(agents) + index for index, skill in enumerate(skills)}
        sink = 1 + len(agents) + len(skills)
        edges = [(0, place, 1) for place in places.values()]
        edges += [(places[agent], lines[skill], 1) for skill in skills for agent in able[skill]]
        edges += [(lines[skill], sink, wanted[skill]) for skill in skills]
        rows, columns, sizes = (np.array(part, np.int32) for part in zip(*edges, strict=True))
        graph = sparse.csr_array((sizes, (rows, columns)), shape=(sink + 1, sink + 1), dtype=np.int32)
        flow = csgraph.maximum_flow(sparse.csr_matrix(graph), 0, sink).flow.toarray()
        missing = {skill: wanted[skill] - int(flow[lines[skill], sink]) for skill in skills}
        return Gaps(
            wanted,
            {skill: len(able[skill]) for skill in skills},
            missing,
            _bottleneck(
                skills, missing, able, {skill: _doing(flow, lines[skill], agents, places) for skill in skills}
            ),
        )


def _doing(flow: Any, line: int, agents: list[str], places: dict[str, int]) -> list[str]:
    return [agent for agent in agents if flow[places[agent], line] > 0]


def _bottleneck(
    skills: list[str], missing: dict[str, int], able: dict[str, list[str]], doing: dict[str, list[str]]
) -> tuple[str, ...]:
    """From skills that miss somebody, on to whatever their agents do instead (Konig)."""
    reached = {skill for skill in skills if missing[skill]}
    grown = True
    while grown:
        grown = False
        who = {agent for skill in reached for agent in able[skill]}
        for skill in skills:
            if skill not in reached and who.intersection(doing[skill]):
                reached.add(skill)
                grown = True
    return tuple(skill for skill in skills if skill in reached)


def _fresh(one: Skill, on: date | None, valid: timedelta | None) -> bool:
    if on is None or valid is None:
        return True
    return one.trained is not None and on - one.trained <= valid


@dataclass(frozen=True, slots=True)
class TrainingHours:
    """Where trainings were put, and what callers meet before and after. Lists by interval."""

    starts: list[int]
    "Intervals in which the sessions begin, counted from 0."
    away: list[int]
    "Agents in a session."
    service_level: list[float]
    "Without any training."
    service_level_with: list[float]
    late: float
    "Calls of the day out of the service level without any training."
    late_with: float
    abandoned: float
    abandoned_with: float
    ranking: list[tuple[int, float]]
    "(start, calls more out of the service level) of a single session, the least harm first; starts allowed alone."


def training_hours(
    calls: ArrayLike,
    interval: float,
    handling: ArrayLike,
    agents: ArrayLike,
    *,
    length: int,
    away: int,
    sessions: int = 1,
    at_once: int = 1,
    patience: ArrayLike | Patience = math.inf,
    within: float = 20.0,
    definition: Definition = "C",
    first: int = 0,
    last: int | None = None,
    least_level: float = 0.0,
) -> TrainingHours:
    """When to take `away` agents off the phones for `length` intervals, `sessions` times, at most `at_once` together.

    `calls` and `agents` by interval (of `interval` minutes); sessions begin at `first` or later and are over by the end
    of interval `last`. Least are the calls out of the service level, each interval staffed as the queueing models say,
    alone. `least_level`: no interval of a session may fall below. Raises BadInput, and Unattainable where the sessions
    don't fit.
    """
    count = checks.not_negative("calls", calls)
    if count.ndim != 1 or not 0 < count.size <= MOST_INTERVALS:
        raise BadInput(f"calls: one value for each of 1 to {MOST_INTERVALS} intervals")
    patient = simplest(patience)
    own = checks.positive("patience", math.inf if isinstance(patient, Patience) else patient, finite=False)
    _, aht, there, mean = checks.together(
        calls=count,
        handling=checks.positive("handling", handling),
        agents=checks.not_negative("agents", agents),
        patience=own,
    )
    if there.shape != count.shape:
        raise BadInput(f"agents: one value for each of the {count.size} intervals")
    minutes = checks.one_positive("interval", interval)
    long, gone, times, together = (
        checks.whole(name, value, 1)
        for name, value in (("length", length), ("away", away), ("sessions", sessions), ("at_once", at_once))
    )
    together = min(together, times)
    begin = checks.whole("first", first, 0)
    end = count.size - 1 if last is None else checks.whole("last", last, 0)
    floor = float(checks.plain(checks.share("least_level", least_level)))
    if end >= count.size or end - begin + 1 < long:
        raise Unattainable(
            f"a training of {long} intervals doesn't fit from {begin} to {end} of {count.size}"
        )
    level = np.empty((together + 1, count.size))
    lost = np.empty_like(level)
    for j in range(together + 1):
        for t in range(count.size):
            of = patient if isinstance(patient, Patience) else float(mean[t])
            level[j, t], lost[j, t] = _met(
                there[t] - j * gone, count[t] * 60 / minutes, float(aht[t]), of, within, definition
            )
    late = count * (1 - level)
    allowed = (level >= floor - 1e-12) & (there - gone * np.arange(together + 1)[:, None] >= 0)
    allowed[0] = True
    starts = _starts(late, allowed, long, times, begin, end)
    if starts is None:
        raise Unattainable(
            f"{times} trainings of {long} intervals with {gone} agents each don't fit"
            + (f" with a service level of {floor:g} in each of their intervals" if floor else "")
        )
    busy = np.zeros(count.size, int)
    for start in starts:
        busy[start : start + long] += 1
    places = np.arange(count.size)
    alone = [
        (start, float((late[1] - late[0])[start : start + long].sum()))
        for start in range(begin, end - long + 2)
        if allowed[1, start : start + long].all()
    ]
    return TrainingHours(
        starts,
        (busy * gone).tolist(),
        level[0].tolist(),
        level[busy, places].tolist(),
        float(late[0].sum()),
        float(late[busy, places].sum()),
        float((count * lost[0]).sum()),
        float((count * lost[busy, places]).sum()),
        sorted(alone, key=lambda one: (one[1], one[0])),
    )


def _met(
    agents: float, per_hour: float, handling: float, patience: Any, within: float, definition: Definition
) -> tuple[float, float]:
    """(service level, share that gives up); nothing is met by nobody, nor where the queue grows without end."""
    if per_hour == 0:
        return 1.0, 0.0
    endless = isinstance(patience, float) and math.isinf(patience)
    if agents <= 0:
        return 0.0, 0.0 if endless else 1.0
    if endless and per_hour * handling / 3600 >= agents:
        return 0.0, 0.0
    found = queue(agents, per_hour, handling, patience=patience, within=within)
    return float(found.service_level(definition)), float(found.p_abandon)


def _starts(
    late: Floats, allowed: np.ndarray[Any, Any], long: int, times: int, begin: int, end: int
) -> list[int] | None:
    """Whole number of sessions from each start; in each interval exactly one number of sessions goes on."""
    levels, size = late.shape
    possible = list(range(begin, end - long + 2))
    cost = np.concatenate((np.zeros(len(possible)), (late - late[0]).T.ravel()))
    upper = np.concatenate((np.full(len(possible), float(levels - 1)), allowed.T.ravel().astype(float)))
    # Unknowns: sessions by start; then for each interval and number of sessions whether it is that.
    rows = np.zeros((2 * size + 1, cost.size))
    for t in range(size):
        own = len(possible) + t * levels
        rows[t, own : own + levels] = 1.0
        rows[size + t, own : own + levels] = -np.arange(levels)
        for index, start in enumerate(possible):
            rows[size + t, index] = float(start <= t < start + long)
    rows[-1, : len(possible)] = 1.0
    equal = np.concatenate((np.ones(size), np.zeros(size), [float(times)]))
    found = optimize.milp(
        cost,
        constraints=optimize.LinearConstraint(sparse.csr_array(rows), equal, equal),
        integrality=np.ones(cost.size),
        bounds=optimize.Bounds(0.0, upper),
        options={"time_limit": 60.0, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        return None
    return [start for index, start in enumerate(possible) for _ in range(round(float(found.x[index])))]
