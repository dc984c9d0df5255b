"""Types of calls, groups of agents, and the question they make: looked at once, then plain arrays."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from centrala.core.specs import AgentSpec, QueueSpec
from centrala.sim import AgentModel, Arrivals, Distribution, Exponential, Scenario
from centrala.workforce import checks
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, NoAgents, NotModelled, Unattainable
from centrala.workforce.staffing import Target

Kind = Literal["service_level", "abandon", "wait_chance", "mean_wait"]

MOST_PRIORITY = 1_000_000
MOST_AGENTS = 20_000
"Of all groups together: more are not simulated."


@dataclass(frozen=True, slots=True)
class CallType:
    """Calls of one queue. They are served in the order of their arrival."""

    name: str
    per_hour: float
    handling: float | Distribution = 240.0
    "Mean seconds (then exponential) or a distribution of `centrala.sim`, after-call work included."
    patience: float | Distribution = math.inf
    "Mean seconds (exponential), a distribution, or inf."
    target: Target | None = field(default_factory=Target)
    "Of these calls alone; None where only the overall target counts."
    priority: int = 0
    ageing: float = 60.0
    "Seconds of waiting that one point of priority is worth."
    strategy: Literal["longest_idle", "most_skilled"] = "longest_idle"
    "Who gets a call when several agents are idle."


@dataclass(frozen=True, slots=True)
class AgentGroup:
    """Agents alike, of whom as many are hired as the answer says."""

    name: str
    skills: Mapping[str, int] | Sequence[str]
    "Types that they serve, with a level for `most_skilled` if wanted."
    cost: float = 1.0
    "Of one agent; any unit."
    prefers: Sequence[str] = ()
    "Types they serve before any other, in this order, whatever the waits; else the longest waiting comes first."
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One thing that must hold: of a type (its index), or of all calls (the number of types)."""

    row: int
    kind: Kind
    value: float
    definition: str = "A"


@dataclass(frozen=True, slots=True)
class Design:
    """The question, looked at."""

    types: tuple[CallType, ...]
    groups: tuple[AgentGroup, ...]
    overall: Target | None
    rate: Floats
    "An hour, by type."
    handling: Floats
    "Mean seconds."
    patience: Floats
    "Mean seconds; inf: for ever."
    exponential: bool
    "Handling and patience of every type are, so that Erlang's formulas hold."
    within: Floats
    "Seconds by type; the last is of the overall target, -1 without one: each call by its type's."
    limits: tuple[Limit, ...]
    cost: Floats
    serves: np.ndarray[Any, Any]
    "Groups x types: whether."
    least: np.ndarray[Any, Any]
    most: np.ndarray[Any, Any]
    "-1: as many as one likes."

    def scenario(self, counts: Sequence[int], *, hours: float = 8.0, warm_up: float = 0.0) -> Scenario:
        """The same as a scenario of `centrala.sim`: `counts` agents of each group, all always there."""
        names = [
            [f"{group.name}.{number + 1}" for number in range(count)]
            for group, count in zip(self.groups, counts, strict=True)
        ]
        queues = tuple(
            QueueSpec(
                one.name,
                agents=tuple(
                    name for index, group in enumerate(names) if self.serves[index, place] for name in group
                ),
                strategy=one.strategy,
                wrap_up=0.0,
                priority=one.priority,
                ageing=one.ageing,
            )
            for place, one in enumerate(self.types)
        )
        agents = tuple(
            AgentModel(AgentSpec(name, skills=_levels(group), prefers=tuple(group.prefers)))
            for group, own in zip(self.groups, names, strict=True)
            for name in own
        )
        arrivals = tuple(
            Arrivals(one.name, per_hour=one.per_hour, handling=_drawn(one.handling), patience=_patient(one.patience))
            for one in self.types
        )  # fmt: skip
        return Scenario(queues, agents, arrivals, hours=hours, warm_up=warm_up)


def design_of(
    types: Sequence[CallType], groups: Sequence[AgentGroup], overall: Target | None = None
) -> Design:
    """Raises BadInput, NoAgents for a type that nobody serves, Unattainable, NotModelled."""
    if not types:
        raise BadInput("types: there are none; nobody calls")
    if not groups:
        raise NoAgents("groups: there are none; nobody serves the calls")
    _unlike("type", [one.name for one in types])
    _unlike("group", [one.name for one in groups])
    places = {one.name: index for index, one in enumerate(types)}
    serves = np.zeros((len(groups), len(types)), bool)
    for index, group in enumerate(groups):
        _one(f"cost of group {group.name}", group.cost, checks.positive)
        if not isinstance(group.skills, Mapping | Sequence) or isinstance(group.skills, str):
            raise BadInput(f"group {group.name}: skills are a list of types, or types with levels")
        if isinstance(group.prefers, str) or not isinstance(group.prefers, Sequence):
            raise BadInput(f"group {group.name}: prefers is a list of types")
        for name, level in _levels(group).items():
            checks.whole(f"level of group {group.name} at {name}", level, 0)
        least = checks.whole(f"least of group {group.name}", group.least, 0)
        if group.most is not None and checks.whole(f"most of group {group.name}", group.most, 0) < least:
            raise BadInput(f"group {group.name}: at most {group.most} are fewer than at least {least}")
        for name in (*group.skills, *group.prefers):
            if name not in places:
                raise BadInput(f"group {group.name} serves {name}: there is no such type of calls")
        strange = [name for name in group.prefers if name not in group.skills]
        if strange:
            raise BadInput(f"group {group.name} prefers {strange[0]} but doesn't serve it")
        for name in group.skills:
            serves[index, places[name]] = True
    rate, handling, patience, exponential = [], [], [], True
    for place, one in enumerate(types):
        rate.append(_one(f"per_hour of {one.name}", one.per_hour, checks.not_negative))
        handling.append(_mean(f"handling of {one.name}", one.handling))
        patience.append(_mean(f"patience of {one.name}", one.patience, finite=False))
        exponential &= not hasattr(one.handling, "draw") or isinstance(one.handling, Exponential)
        exponential &= not hasattr(one.patience, "draw") or isinstance(one.patience, Exponential)
        if one.strategy not in ("longest_idle", "most_skilled"):
            raise NotModelled(f"type {one.name}: strategy {one.strategy} is not simulated here")
        _one(f"ageing of {one.name}", one.ageing, checks.positive)
        checks.whole(f"priority of {one.name}", one.priority, -MOST_PRIORITY)
        able = [group for index, group in enumerate(groups) if serves[index, place]]
        if one.per_hour and not any(group.most is None or group.most > 0 for group in able):
            raise NoAgents(f"type {one.name}: no group may serve it")
    if not any(rate):
        raise BadInput("per_hour: nobody calls, of any type")
    checks.load_of(np.array(rate), np.array(handling))
    limits, within = [], np.zeros(len(types) + 1)
    within[-1] = -1.0
    for place, (name, target) in enumerate(
        [*((f"type {one.name}", one.target) for one in types), ("all calls", overall)]
    ):
        if target is None:
            continue
        if place < len(types) and not rate[place]:
            continue
        within[place] = _one(f"within of {name}", target.within, checks.not_negative)
        limits += _limits(place, name, target)
    if not limits:
        raise BadInput("targets: nothing is asked of any type or of all calls")
    return Design(
        tuple(types), tuple(groups), overall, np.array(rate), np.array(handling), np.array(patience), exponential,
        within, tuple(limits), np.array([float(group.cost) for group in groups]), serves,
        np.array([group.least for group in groups]),
        np.array([-1 if group.most is None else group.most for group in groups]),
    )  # fmt: skip


def _limits(row: int, name: str, target: Target) -> list[Limit]:
    found = []
    if target.max_occupancy is not None:
        raise NotModelled(f"{name}: an occupancy is of agents, not of calls; leave max_occupancy out here")
    if target.definition not in ("A", "B", "C", "D"):
        raise BadInput(f"service level of {name}: there is no definition {target.definition}")
    if target.service_level is not None:
        level = _one(f"service level of {name}", target.service_level, checks.share)
        if level >= 1:
            raise Unattainable(f"service level of {name}: 1 can't be reached by any number of agents")
        if level > 0:
            found.append(Limit(row, "service_level", level, target.definition))
    for kind, what, value in (
        ("abandon", "max_abandon", target.max_abandon),
        ("wait_chance", "max_wait_chance", target.max_wait_chance),
    ):
        if value is None:
            continue
        share = _one(f"{what} of {name}", value, checks.share)
        if share <= 0:
            raise Unattainable(f"{what} of {name}: 0 can't be reached by any number of agents")
        if share < 1:
            found.append(Limit(row, kind, share))  # type: ignore[arg-type]
    if target.mean_wait is not None:
        wait = _one(f"mean_wait of {name}", target.mean_wait, _time)
        if wait <= 0:
            raise Unattainable(f"mean_wait of {name}: 0 can't be reached by any number of agents")
        if math.isfinite(wait):
            found.append(Limit(row, "mean_wait", wait))
    return found


def _unlike(what: str, names: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise BadInput(f"{what} {name} is there twice")


def _one(what: str, value: Any, check: Callable[[str, Any], Floats]) -> float:
    found = check(what, value)
    if found.ndim:
        raise BadInput(f"{what}: one number is wanted, not {found.size}")
    return float(found)


def _time(what: str, value: Any) -> Floats:
    return checks.not_negative(what, value, finite=False)


def _mean(what: str, value: float | Distribution, *, finite: bool = True) -> float:
    mean = value if isinstance(value, int | float | np.number) else getattr(value, "mean", value)
    return _one(what, mean, lambda name, one: checks.positive(name, one, finite=finite))


def _drawn(value: float | Distribution) -> Distribution:
    return Exponential(float(value)) if isinstance(value, int | float | np.number) else value


def _patient(value: float | Distribution) -> Distribution | None:
    if isinstance(value, int | float | np.number) and math.isinf(value):
        return None
    return _drawn(value)


def _levels(group: AgentGroup) -> dict[str, int]:
    return dict(group.skills) if isinstance(group.skills, Mapping) else dict.fromkeys(group.skills, 1)
