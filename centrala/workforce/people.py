"""People over time: how many to hire and to train when, what leaving costs, who can do what, when to train.

    plan = plan_people(
        [Role("billing", {"billing": 1}, 3000, hire_cost=1500, training=2, learning=(0.6, 1), leaves=(0.06, 0.04))],
        {"billing": [40, 42, 45, 45, 44, 43]},
        heads={"billing": {0: 2, 12: 38}},
        short_cost=9000,
    )
    plan.hires["billing"], plan.cost, plan.turnover_cost

A period is a month, or whatever the numbers mean. Heads are expected numbers and may be broken; hires and places in
trainings are whole.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, sparse  # type: ignore[import-untyped, unused-ignore]

from centrala.workforce import checks
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, Unattainable

MOST_UNKNOWNS = 2_000_000


@dataclass(frozen=True, slots=True)
class Role:
    """People hired for the same work. Lists by tenure go on with their last value."""

    name: str
    skills: Mapping[str, float]
    "Skill → speed at it once learnt: 1 is an agent as the demand counts them."
    wage: float
    "Of a period, also while in training."
    hire_cost: float = 0.0
    "Of each new one: advertising, interviews, equipment."
    training: int = 0
    "Periods until the first call, in which nothing is produced."
    learning: Sequence[float] = (1.0,)
    "Share of full speed in each period after the training."
    leaves: Sequence[float] = (0.0,)
    "Share that leaves at the end of each period, by tenure from the first day of training."
    most_hires: int | None = None
    "In one period; 0 for a role that only training leads to."
    leaving_cost: float = 0.0
    "Of each who leaves: handing over, severance."


@dataclass(frozen=True, slots=True)
class Training:
    """People of one role become another's."""

    before: str
    after: str
    periods: int = 1
    "In which they produce nothing."
    cost: float = 0.0
    "Of each, besides the wage (the later role's)."
    begins: int = 0
    "How far along the later role's learning and leaving they come out: periods of its tenure after its training."
    from_tenure: int = 1
    "Periods that they have been in the earlier role at the least."


@dataclass(frozen=True, slots=True)
class PeoplePlan:
    """Hires, trainings and the course of heads; lists by period."""

    hires: dict[str, list[int]]
    trained: dict[tuple[str, str], list[int]]
    "(before, after) → places of trainings that begin."
    heads: dict[str, list[float]]
    "On the payroll during the period, those in training too."
    in_training: dict[str, list[float]]
    productive: dict[str, list[float]]
    "Agents at full speed that the heads of each role are worth."
    leavers: dict[str, list[float]]
    "At the end of each period."
    short: dict[str, list[float]]
    "Skill → agents that are missing."
    spare: list[float]
    "Full-speed agents that no demand wants."
    costs: dict[str, float]
    "hiring, training, wages, leaving, short."
    turnover_cost: float
    "Of the leavers of these periods: what replacing them costs, by `replacement_cost`."
    bound: float
    "No plan costs less, the periods after the last included."
    objective: float
    "Of this plan, the same included."

    @property
    def cost(self) -> float:
        return sum(self.costs.values())

    @property
    def gap(self) -> float:
        return (self.objective - self.bound) / self.objective if self.objective > 0 else 0.0


def survival(role: Role, periods: int) -> Floats:
    """Share of those hired who are still there in each period from the first, up to so many."""
    leaves = _by_tenure(role.leaves, periods)
    return np.concatenate(([1.0], np.cumprod(1 - leaves)))[:periods]


def steady_hires(role: Role, productive: float, *, most_periods: int = 100_000) -> tuple[float, float]:
    """(hires a period, heads) that hold so many full-speed agents for ever.

    With one rate of leaving q and no training, hires are q x heads. Raises Unattainable where nobody ever leaves
    (none are needed) or nobody learns.
    """
    _looked(role)
    wanted = float(checks.plain(checks.not_negative("productive", productive)))
    last = float(role.leaves[-1])
    if last <= 0:
        raise Unattainable(f"role {role.name}: nobody leaves in the end; heads are held without hires")
    begun = max(len(role.leaves), role.training + len(role.learning))
    if begun > most_periods:
        raise BadInput(f"role {role.name}: more than {most_periods} periods of tenure")
    alive = survival(role, begun + 1)
    speed = _speed(role, begun + 1)
    # From `begun` on all is constant: a geometric series.
    heads = float(alive[:begun].sum() + alive[begun] / last)
    worth = float(alive[:begun] @ speed[:begun] + alive[begun] * speed[begun] / last)
    if worth <= 0:
        raise Unattainable(f"role {role.name}: who is hired never produces anything")
    return wanted / worth, wanted / worth * heads


def replacement_cost(role: Role) -> float:
    """What one leaver costs: leaving, hiring, the training of as many as must begin for one to end it, and wages
    paid for what is not yet produced until the new one is as fast as they will be."""
    _looked(role)
    periods = role.training + len(role.learning)
    alive = survival(role, periods + 1)
    ends = alive[role.training]
    if ends <= 0:
        raise Unattainable(f"role {role.name}: everybody leaves before the end of the training")
    full = float(role.learning[-1])
    if full <= 0:
        raise Unattainable(f"role {role.name}: who is hired never produces anything")
    missing = 1 - _speed(role, periods) / full
    lost = float(alive[:periods] @ missing) * role.wage
    return role.leaving_cost + (role.hire_cost + lost) / float(ends)


def plan_people(
    roles: Sequence[Role],
    demand: Mapping[str, ArrayLike],
    *,
    heads: Mapping[str, Mapping[int, float]] | None = None,
    short_cost: float | Mapping[str, float] = math.inf,
    trainings: Sequence[Training] = (),
    training_places: int | Sequence[int] | None = None,
    beyond: int | None = None,
    seconds: float = 30.0,
) -> PeoplePlan:
    """The cheapest hires and trainings that cover the demand (full-speed agents by skill and period).

    `heads`: role → tenure in periods → people there at the start. `short_cost` of a missing agent for a period; inf:
    none may be missing. `training_places` holds for all trainings of a period together, new hires' too. After the last
    period its demand goes on for `beyond` periods (as long as a new one needs to become productive, if left out), which
    are planned but not shown: else nobody would be hired towards the end.

    A mixed-integer program (HiGHS), solved to a gap of 0.01 % or until `seconds` are over. Raises BadInput, and
    Unattainable where the demand can't be met, saying the first period.
    """
    model = _Model.of(roles, demand, heads or {}, short_cost, trainings, training_places, beyond)
    return model.solve(checks.one_positive("seconds", seconds))


@dataclass(frozen=True, slots=True)
class _Model:
    roles: tuple[Role, ...]
    skills: tuple[str, ...]
    demand: Floats
    "Skills x periods, those beyond included."
    shown: int
    start: dict[str, dict[int, float]]
    short_cost: Floats
    trainings: tuple[Training, ...]
    places: Floats | None

    @staticmethod
    def of(
        roles: Sequence[Role],
        demand: Mapping[str, ArrayLike],
        heads: Mapping[str, Mapping[int, float]],
        short_cost: float | Mapping[str, float],
        trainings: Sequence[Training],
        places: int | Sequence[int] | None,
        beyond: int | None,
    ) -> "_Model":
        if not roles:
            raise BadInput("roles: there are none; nobody can be hired")
        names = [role.name for role in roles]
        for index, role in enumerate(roles):
            if role.name in names[:index]:
                raise BadInput(f"role {role.name} is there twice")
            _looked(role)
        if not demand:
            raise BadInput("demand: there is none")
        rows = {skill: checks.not_negative(f"demand of {skill}", values) for skill, values in demand.items()}
        lengths = {skill: row.size for skill, row in rows.items()}
        shown = next(iter(lengths.values()))
        for skill, row in rows.items():
            if row.ndim != 1 or row.size != shown or not shown:
                raise BadInput(f"demand of {skill}: one value a period is needed, as many as of the others")
            if not any(skill in role.skills for role in roles) and row.any():
                raise Unattainable(f"demand of {skill}: no role has that skill")
        by_name = dict(zip(names, roles, strict=True))
        start: dict[str, dict[int, float]] = {}
        for name, cohorts in heads.items():
            if name not in by_name:
                raise BadInput(f"heads of {name}: there is no such role")
            start[name] = {
                checks.whole(f"tenure of heads of {name}", tenure, 0): float(
                    checks.plain(checks.not_negative(f"heads of {name}", count))
                )
                for tenure, count in cohorts.items()
            }
        pairs = set()
        for one in trainings:
            for name in (one.before, one.after):
                if name not in by_name:
                    raise BadInput(f"training from {one.before} to {one.after}: there is no role {name}")
            if one.before == one.after or (one.before, one.after) in pairs:
                raise BadInput(f"training from {one.before} to {one.after} leads nowhere, or is there twice")
            pairs.add((one.before, one.after))
            checks.whole(f"periods of the training to {one.after}", one.periods, 0)
            checks.whole(f"begins of the training to {one.after}", one.begins, 0)
            checks.whole(f"from_tenure of the training to {one.after}", one.from_tenure, 0)
            checks.not_negative(f"cost of the training to {one.after}", one.cost)
        ramp = max(
            [role.training + len(role.learning) for role in roles] + [one.periods for one in trainings]
        )
        more = ramp if beyond is None else checks.whole("beyond", beyond, 0)
        table = np.stack([np.concatenate((row, np.full(more, row[-1]))) for row in rows.values()])
        dear = np.array([
            float(checks.plain(checks.not_negative(
                f"short_cost of {skill}",
                short_cost.get(skill, math.inf) if isinstance(short_cost, Mapping) else short_cost, finite=False,
            ))) for skill in rows
        ])  # fmt: skip
        seats: Floats | None = None
        if places is not None:
            given = checks.not_negative("training_places", places)
            if given.ndim > 1 or (given.ndim == 1 and given.size != shown):
                raise BadInput(f"training_places: one number, or one for each of the {shown} periods")
            seats = (
                np.full(shown + more, float(given))
                if given.ndim == 0
                else np.concatenate((given, np.full(more, given[-1])))
            )
        return _Model(tuple(roles), tuple(rows), table, shown, start, dear, tuple(trainings), seats)

    def solve(self, seconds: float) -> PeoplePlan:
        build = _Build(self)
        found, bound = build.solved(seconds)
        if found is None:
            raise self._unmet(build, seconds)
        return build.read(found, bound)

    def _unmet(self, build: "_Build", seconds: float) -> Exception:
        """What misses, where a shortage would be allowed but dear."""
        if np.isfinite(self.short_cost).all():
            return Unattainable(
                "no plan keeps all limits: present heads alone take more training places than there are"
            )
        loose = _Build(self, allow_short=True)
        found, _ = loose.solved(seconds)
        if found is None:
            return Unattainable(f"no plan was found within {seconds:g} s; present heads may break a limit")
        short = np.round(found[loose.short_at], 6)
        hard = np.isinf(self.short_cost)
        for t in range(self.demand.shape[1]):
            for k in np.flatnonzero(hard):
                if short[k, t] > 1e-6:
                    return Unattainable(
                        f"demand of {self.skills[k]} in period {t + 1}: {short[k, t]:.3g} agents of "
                        f"{self.demand[k, t]:g} can't be there in time; give a short_cost, or more hires or places"
                    )
        return Unattainable(f"no plan was found within {seconds:g} s")


class _Build:
    """Unknowns: hires and trainings (whole), heads of each role by tenure and period, who serves what, who is short.

    Heads of tenure a in period t; tenure above the longest list stays in the last class. A training takes people out
    at the beginning of a period, from any tenure class allowed, into a chain of its own classes, then into the later
    role's.
    """

    def __init__(self, model: _Model, allow_short: bool = False) -> None:
        self.model = model
        self.periods = periods = model.demand.shape[1]
        self.costs: list[float] = []
        self.upper: list[float] = []
        self.whole: list[bool] = []
        self.kinds: dict[str, list[int]] = {
            "hiring": [],
            "training": [],
            "wages": [],
            "leaving": [],
            "short": [],
        }
        self.parts: list[tuple[str, int, float]] = []
        self.rows: list[dict[int, float]] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self.classes = {}
        for role in model.roles:
            leading = [one for one in model.trainings if one.before == role.name]
            self.classes[role.name] = _classes(role, leading)
        count = sum(self.classes.values()) + sum(one.periods for one in model.trainings)
        if count * periods > MOST_UNKNOWNS:
            raise BadInput(f"{periods} periods of {count} classes of tenure are too many; shorten the lists")
        self.hire_at: dict[str, list[int]] = {}
        self.head_at: dict[str, Any] = {}
        self.train_at: dict[tuple[str, str], list[int]] = {}
        self.learn_at: dict[tuple[str, str], Any] = {}
        self.take_at: dict[tuple[str, str], Any] = {}
        self._heads()
        self._work(allow_short)

    def _new(self, kind: str, cost: float, most: float = math.inf, whole: bool = False) -> int:
        self.costs.append(0.0)
        self.upper.append(most)
        self.whole.append(whole)
        place = len(self.costs) - 1
        if cost:
            self._charge(kind, place, cost)
        return place

    def _charge(self, kind: str, place: int, cost: float) -> None:
        self.costs[place] += cost
        self.parts.append((kind, place, cost))

    def _row(self, terms: dict[int, float], low: float, high: float) -> None:
        self.rows.append(terms)
        self.low.append(low)
        self.high.append(high)

    def _heads(self) -> None:
        model, periods = self.model, self.periods
        for role in model.roles:
            most = math.inf if role.most_hires is None else float(role.most_hires)
            self.hire_at[role.name] = [
                self._new("hiring", role.hire_cost, most, True) for _ in range(periods)
            ]
            leaves = _by_tenure(role.leaves, self.classes[role.name])
            self.head_at[role.name] = np.array([
                [self._new("wages", role.wage) for _ in range(periods)] for _ in range(leaves.size)
            ])  # fmt: skip
            for a, t in np.ndindex(leaves.size, periods):
                if role.leaving_cost * leaves[a]:
                    self._charge(
                        "leaving", int(self.head_at[role.name][a, t]), role.leaving_cost * float(leaves[a])
                    )
        for one in model.trainings:
            pair = one.before, one.after
            later = next(role for role in model.roles if role.name == one.after)
            self.train_at[pair] = [self._new("training", one.cost, math.inf, True) for _ in range(periods)]
            self.take_at[pair] = np.array([
                [self._new("", 0.0) for _ in range(periods)] for _ in range(self.classes[one.before])
            ])  # fmt: skip
            leave = _by_tenure(later.leaves, one.periods)
            self.learn_at[pair] = np.array([
                [self._new("wages", later.wage) for _ in range(periods)] for _ in range(one.periods)
            ]).reshape(one.periods, periods)  # fmt: skip
            for step, t in np.ndindex(one.periods, periods):
                if later.leaving_cost * leave[step]:
                    self._charge(
                        "leaving", int(self.learn_at[pair][step, t]), later.leaving_cost * float(leave[step])
                    )
            for t in range(periods):
                terms = {int(place): 1.0 for place in self.take_at[pair][:, t]}
                terms[self.train_at[pair][t]] = -1.0
                self._row(terms, 0.0, 0.0)
                for a in range(self.classes[one.before]):
                    earlier = next(role for role in model.roles if role.name == one.before)
                    if a < earlier.training or a < one.from_tenure:
                        self.upper[int(self.take_at[pair][a, t])] = 0.0
                for step in range(one.periods):
                    # Those of the step before, one period ago, who stayed.
                    terms = {int(self.learn_at[pair][step, t]): 1.0}
                    if step == 0:
                        terms[self.train_at[pair][t]] = -1.0
                    elif t > 0:
                        terms[int(self.learn_at[pair][step - 1, t - 1])] = -(1 - float(leave[step - 1]))
                    self._row(terms, 0.0, 0.0)
        for role in model.roles:
            at, size = self.head_at[role.name], self.classes[role.name]
            stay = 1 - _by_tenure(role.leaves, size)
            begun = np.zeros(size)
            for tenure, heads in model.start.get(role.name, {}).items():
                begun[min(tenure, size - 1)] += heads
            for t in range(periods):
                for a in range(size):
                    terms = {int(at[a, t]): 1.0}
                    came = float(begun[a]) if t == 0 else 0.0
                    if a == 0:
                        terms[self.hire_at[role.name][t]] = -1.0
                    if t > 0:
                        if a > 0:
                            terms[int(at[a - 1, t - 1])] = -float(stay[a - 1])
                        if a == size - 1:
                            terms[int(at[a, t - 1])] = -float(stay[a])
                    for one in model.trainings:
                        pair = one.before, one.after
                        if one.before == role.name:
                            terms[int(self.take_at[pair][a, t])] = 1.0
                        if one.after == role.name and a == min(role.training + one.begins, size - 1):
                            if one.periods == 0:
                                terms[self.train_at[pair][t]] = terms.get(self.train_at[pair][t], 0.0) - 1.0
                            elif t > 0:
                                last = _by_tenure(role.leaves, one.periods)[-1]
                                terms[int(self.learn_at[pair][one.periods - 1, t - 1])] = -(1 - float(last))
                    self._row(terms, came, came)

    def _work(self, allow_short: bool) -> None:
        model, periods = self.model, self.periods
        hard = np.isinf(model.short_cost)
        big = 1000.0 * (1.0 + max((role.wage + role.hire_cost for role in model.roles), default=1.0))
        self.short_at = np.zeros((len(model.skills), periods), int)
        for k, t in np.ndindex(*self.short_at.shape):
            cost = big if hard[k] else float(model.short_cost[k])
            most = math.inf if allow_short or not hard[k] else 0.0
            self.short_at[k, t] = self._new("short", cost, most)
        self.work_at: dict[tuple[str, int], list[int]] = {}
        for role in model.roles:
            for k, skill in enumerate(model.skills):
                if role.skills.get(skill, 0.0) > 0:
                    self.work_at[role.name, k] = [self._new("", 0.0) for _ in range(periods)]
        for t in range(periods):
            for role in model.roles:
                speed = _speed(role, self.classes[role.name])
                terms = {
                    int(place): -float(share)
                    for place, share in zip(self.head_at[role.name][:, t], speed, strict=True)
                    if share
                }
                own = [
                    self.work_at[role.name, k][t]
                    for k in range(len(model.skills))
                    if (role.name, k) in self.work_at
                ]
                terms.update(dict.fromkeys(own, 1.0))
                if own:
                    self._row(terms, -math.inf, 0.0)
            for k, skill in enumerate(model.skills):
                terms = {int(self.short_at[k, t]): 1.0}
                for role in model.roles:
                    if (role.name, k) in self.work_at:
                        terms[self.work_at[role.name, k][t]] = float(role.skills[skill])
                self._row(terms, float(model.demand[k, t]), math.inf)
            if model.places is not None:
                terms = {}
                for role in model.roles:
                    for a in range(min(role.training, self.classes[role.name])):
                        terms[int(self.head_at[role.name][a, t])] = 1.0
                for pair in self.learn_at:
                    for place in self.learn_at[pair][:, t]:
                        terms[int(place)] = 1.0
                if terms:
                    self._row(terms, -math.inf, float(model.places[t]))

    def solved(self, seconds: float) -> tuple[Floats | None, float]:
        places = [place for terms in self.rows for place in terms]
        values = [value for terms in self.rows for value in terms.values()]
        starts = np.concatenate(([0], np.cumsum([len(terms) for terms in self.rows])))
        matrix = sparse.csr_array((values, places, starts), shape=(len(self.rows), len(self.costs)))
        found = optimize.milp(
            np.array(self.costs),
            constraints=optimize.LinearConstraint(matrix, np.array(self.low), np.array(self.high)),
            integrality=np.array(self.whole, int),
            bounds=optimize.Bounds(0.0, np.array(self.upper)),
            options={"time_limit": seconds, "mip_rel_gap": 1e-4},
        )
        if found.x is None:
            return None, math.inf
        bound = getattr(found, "mip_dual_bound", None)
        self.objective = float(found.fun)
        return np.asarray(found.x), float(found.fun if bound is None else min(bound, found.fun))

    def read(self, found: Floats, bound: float) -> PeoplePlan:
        model, shown = self.model, self.model.shown
        costs = dict.fromkeys(self.kinds, 0.0)
        when = self._periods()
        for kind, place, cost in self.parts:
            if when[place] < shown:
                costs[kind] += cost * float(found[place])
        heads, learning, productive, leavers = {}, {}, {}, {}
        turnover = 0.0
        worth = np.zeros(shown)
        for role in model.roles:
            now = found[self.head_at[role.name]][:, :shown]
            leave = _by_tenure(role.leaves, now.shape[0])
            in_class = now[: role.training].sum(axis=0)
            gone = leave @ now
            total = now.sum(axis=0)
            for one in model.trainings:
                if one.after == role.name and one.periods:
                    own = found[self.learn_at[one.before, one.after]][:, :shown]
                    in_class = in_class + own.sum(axis=0)
                    gone = gone + _by_tenure(role.leaves, one.periods) @ own
                    total = total + own.sum(axis=0)
            full = _speed(role, now.shape[0]) @ now
            worth += full
            heads[role.name] = _clean(total)
            learning[role.name] = _clean(in_class)
            productive[role.name] = _clean(full)
            leavers[role.name] = _clean(gone)
            if gone.sum() > 0 and role.most_hires != 0:
                turnover += float(gone.sum()) * replacement_cost(role)
        used = np.zeros(shown)
        for places in self.work_at.values():
            used += found[places[:shown]]
        return PeoplePlan(
            {name: [round(float(found[place])) for place in places[:shown]] for name, places in self.hire_at.items()},
            {pair: [round(float(found[place])) for place in places[:shown]] for pair, places in self.train_at.items()},
            heads, learning, productive, leavers,
            {skill: _clean(found[self.short_at[k, :shown]]) for k, skill in enumerate(model.skills)},
            _clean(np.maximum(0.0, worth - used)), costs, turnover, bound, self.objective,
        )  # fmt: skip

    def _periods(self) -> dict[int, int]:
        """Unknown → its period."""
        when = {}
        tables = [
            *self.head_at.values(), *self.learn_at.values(), *self.take_at.values(), self.short_at,
            *(np.array([row]) for row in self.hire_at.values()), *(np.array([row]) for row in self.train_at.values()),
        ]  # fmt: skip
        for table in tables:
            for index in np.ndindex(*table.shape):
                when[int(table[index])] = index[-1]
        return when


def _clean(values: Floats) -> list[float]:
    return [float(one) for one in np.round(values, 9) + 0.0]


def _classes(role: Role, trainings: Sequence[Training]) -> int:
    """Classes of tenure after which nothing changes any more."""
    least = max([one.from_tenure for one in trainings], default=0)
    begins = role.training + len(role.learning)
    return max(begins, len(role.leaves), least + 1, role.training + 1)


def _by_tenure(values: Sequence[float], size: int) -> Floats:
    array = np.asarray(values, float)
    if array.size >= size:
        return array[:size]
    return np.concatenate((array, np.full(size - array.size, array[-1])))


def _speed(role: Role, size: int) -> Floats:
    return np.concatenate((np.zeros(role.training), _by_tenure(role.learning, size)))[:size]


def _looked(role: Role) -> None:
    name = f"role {role.name}"
    checks.whole(f"training of {name}", role.training, 0)
    for what, value in (
        ("wage", role.wage),
        ("hire_cost", role.hire_cost),
        ("leaving_cost", role.leaving_cost),
    ):
        checks.not_negative(f"{what} of {name}", value)
    lists: dict[str, Any] = {"learning": role.learning, "leaves": role.leaves}
    for what, values in lists.items():
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise BadInput(f"{name}: {what} is a list, one value a period")
    if not isinstance(role.skills, Mapping):
        raise BadInput(f"{name}: skills are names with speeds")
    if not len(role.learning) or not len(role.leaves):
        raise BadInput(f"{name}: learning and leaves need a value at the least")
    checks.not_negative(f"learning of {name}", role.learning)
    checks.share(f"leaves of {name}", role.leaves)
    if not role.skills:
        raise BadInput(f"{name}: it has no skills")
    for skill, speed in role.skills.items():
        checks.not_negative(f"speed of {name} at {skill}", speed)
    if role.most_hires is not None:
        checks.whole(f"most_hires of {name}", role.most_hires, 0)
