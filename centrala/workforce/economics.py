"""What staffing is worth: pooling houses, blending skills, selling on service calls, quality against cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrala.core.specs import AgentSpec, QueueSpec
from centrala.sim import AgentModel, Arrivals, Exponential, Scenario
from centrala.workforce import checks
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, NoAgents
from centrala.workforce.fast import World
from centrala.workforce.models import Performance, queue
from centrala.workforce.patience import Patience
from centrala.workforce.rules import Regime, regime
from centrala.workforce.staffing import Target, staff


@dataclass(frozen=True, slots=True)
class Pooling:
    separate: NDArray[Any]
    "Agents each house needs by itself."
    pooled: Any
    "Agents one house with all the calls needs."

    @property
    def saved(self) -> float:
        return float(self.separate.sum() - self.pooled)

    @property
    def share_saved(self) -> float:
        return self.saved / float(self.separate.sum()) if self.separate.sum() else 0.0


def pool(
    per_hour: ArrayLike,
    handling: ArrayLike,
    target: Target | None = None,
    *,
    patience: float | Patience = math.inf,
    parts: int = 1,
) -> Pooling:
    """n houses by themselves, and merged to one that meets the same target; handling is mixed by calls.

    One house never needs more (Smith and Whitt 1981), but for targets so weak that impatient callers meet overload.
    """
    rate, aht = checks.together(
        per_hour=np.atleast_1d(checks.not_negative("per_hour", per_hour)),
        handling=np.atleast_1d(checks.positive("handling", handling)),
    )
    if not rate.size:
        raise BadInput("per_hour: at least one house is needed")
    separate = np.atleast_1d(staff(rate, aht, target, patience=patience, parts=parts))
    calls = float(rate.sum())
    mixed = float((rate * aht).sum()) / calls if calls else float(aht.mean())
    return Pooling(separate, staff(calls, mixed, target, patience=patience, parts=parts))


@dataclass(frozen=True, slots=True)
class Blend:
    """One share of agents who serve everybody, by simulation; the same callers for each share."""

    share: float
    service_level: float
    mean_wait: float
    p_abandon: float
    captured: float
    "Part of what full pooling saves in mean wait: 0 with specialists alone, 1 with everybody trained for all."


def blend(
    per_hour: Sequence[float],
    handling: Sequence[float] | float,
    agents: Sequence[int],
    *,
    patience: float = math.inf,
    shares: Sequence[float] = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0),
    within: float = 20.0,
    hours: float = 400.0,
    seed: int = 1,
) -> list[Blend]:
    """How many agents of each house must be trained for all of them to get most of what merging would give.

    House i has agents[i] and takes per_hour[i] calls; trained agents serve their own house first. Steady load; raises
    BadInput and NoAgents. Within a few per cent at 400 hours; more hours make it narrower.
    """
    rate = np.atleast_1d(checks.positive("per_hour", per_hour))
    aht = np.broadcast_to(checks.positive("handling", handling), rate.shape)
    patient = checks.one_positive("patience", patience, finite=False)
    sizes = [checks.whole("agents", size, 0) for size in agents]
    if len(sizes) != rate.size:
        raise BadInput(f"agents: {len(sizes)} houses have agents, {rate.size} have calls")
    if not sum(sizes):
        raise NoAgents("agents: no house has any")
    if math.isinf(patient) and float((rate * aht).sum()) / 3600 >= sum(sizes):
        raise BadInput("more work than agents, of callers who never give up: give a patience")
    queues = tuple(QueueSpec(f"house{i}", needs={f"house{i}": 1}, wrap_up=0.0) for i in range(rate.size))
    arrivals = tuple(
        Arrivals(
            f"house{i}",
            rate[i],
            handling=Exponential(aht[i]),
            patience=None if math.isinf(patient) else Exponential(patient),
        )
        for i in range(rate.size)
    )

    def scenario(share: float) -> Scenario:
        models = []
        for i, size in enumerate(sizes):
            trained = round(share * size)
            for j in range(size):
                own = f"house{i}"
                serves = [one.id for one in queues] if j < trained else [own]
                models.append(
                    AgentModel(AgentSpec(f"{own}.{j}", skills=dict.fromkeys(serves, 1), prefers=(own,)))
                )
        return Scenario(
            queues, tuple(models), arrivals, hours=hours, warm_up=min(20 * float(aht.max()), hours * 900)
        )

    wanted = sorted({float(checks.share("shares", one)) for one in shares} | {0.0, 1.0})
    runs = {one: World.of(scenario(one)).run(seed) for one in wanted}
    worst, best = runs[0.0].mean_wait, runs[1.0].mean_wait
    gain = worst - best
    return [
        Blend(
            one, run.service_level(within), run.mean_wait, run.p_abandon,
            (worst - run.mean_wait) / gain if gain > 0 else 1.0,
        )
        for one, run in runs.items()
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frontier:
    """What each number of agents costs and gives, an hour; `chosen` is the index of the cheapest."""

    agents: NDArray[Any]
    performance: Performance
    staff_cost: Floats
    caller_cost: Floats
    "Of waiting and of lost calls."
    chosen: int
    regime: Regime
    "Of the chosen number."

    @property
    def cost(self) -> Floats:
        return self.staff_cost + self.caller_cost

    @property
    def best(self) -> int:
        return int(self.agents[self.chosen])


def frontier(
    per_hour: float,
    handling: float,
    *,
    agent_hour: float,
    wait_hour: float = 0.0,
    lost_call: float = 0.0,
    patience: float = math.inf,
    within: float = 20.0,
    target: Target | None = None,
) -> Frontier:
    """Quality against efficiency: from the thinnest staff that holds to one where hardly anybody waits.

    Costs in any currency: of an agent's hour, an hour of callers' waiting, a call lost. The point chosen is the
    cheapest, among those that meet `target` if one is given.
    """
    rate, aht = checks.one_positive("per_hour", per_hour), checks.one_positive("handling", handling)
    wage = checks.one_positive("agent_hour", agent_hour)
    waiting = float(checks.not_negative("wait_hour", wait_hour))
    losing = float(checks.not_negative("lost_call", lost_call))
    load = rate * aht / 3600
    patient = checks.one_positive("patience", patience, finite=False)
    least = math.floor(load) + 1 if math.isinf(patient) else max(1, math.floor(0.5 * load))
    if target is not None:
        least = max(least, int(staff(rate, aht, target, patience=patient)))
    most = math.ceil(load + 6 * math.sqrt(load) + 5)
    agents = np.arange(least, max(most, least + 1) + 1)
    performance = queue(agents, rate, aht, patience=patient, within=within)
    staff_cost = np.asarray(agents * wage, float)
    caller_cost = performance.mean_queue * waiting + rate * performance.p_abandon * losing
    chosen = int(np.argmin(staff_cost + caller_cost))
    return Frontier(agents, performance, staff_cost, caller_cost, chosen, regime(float(agents[chosen]), load))


@dataclass(frozen=True, slots=True)
class CrossSelling:
    """Profit an hour for each share of calls on which something more is offered; arrays by `share`."""

    share: Floats
    agents: NDArray[Any]
    "The best number for that share."
    profit: Floats
    sales: Floats
    "Value sold, an hour."
    mean_wait: Floats
    p_abandon: Floats
    chosen: int

    @property
    def best_share(self) -> float:
        return float(self.share[self.chosen])


def cross_selling(
    per_hour: float,
    handling: float,
    *,
    offer: float,
    success: float,
    value: float,
    agent_hour: float,
    wait_hour: float = 0.0,
    lost_call: float = 0.0,
    patience: float = math.inf,
    agents: int | None = None,
    shares: Sequence[float] = tuple(np.linspace(0, 1, 21).tolist()),
) -> CrossSelling:
    """The value of the longer call against the wait it causes.

    An offer makes a call `offer` seconds longer and sells `value` with chance `success`. With `agents` given the
    staff stays as it is; without, each share gets its cheapest staff. Offers are made at random, not by the length
    of the line, and the longer calls count by their mean: a rule that stops offering when many wait does better.
    """
    rate, aht = checks.one_positive("per_hour", per_hour), checks.one_positive("handling", handling)
    longer = float(checks.not_negative("offer", offer))
    chance = float(checks.share("success", success))
    worth = float(checks.numbers("value", value))
    wage = checks.one_positive("agent_hour", agent_hour)
    waiting, losing = (
        float(checks.not_negative("wait_hour", wait_hour)),
        float(checks.not_negative("lost_call", lost_call)),
    )
    patient = checks.one_positive("patience", patience, finite=False)
    offered = np.atleast_1d(checks.share("shares", shares))
    rows = []
    for share in offered:
        mean = aht + share * longer
        if agents is None:
            edge = frontier(
                rate, mean, agent_hour=wage, wait_hour=waiting, lost_call=losing + share * chance * worth,
                patience=patient,
            )  # fmt: skip
            n = edge.best
        else:
            n = checks.whole("agents", agents, 1)
            if math.isinf(patient) and rate * mean / 3600 >= n:
                rows.append((n, -math.inf, 0.0, math.inf, 0.0))
                continue
        met = queue(n, rate, mean, patience=patient)
        sales = rate * met.p_served * share * chance * worth
        profit = sales - n * wage - met.mean_queue * waiting - rate * met.p_abandon * losing
        rows.append((n, profit, sales, met.mean_wait, met.p_abandon))
    columns = [np.array(column, float) for column in zip(*rows, strict=True)]
    return CrossSelling(
        offered,
        columns[0].astype(np.int64),
        columns[1],
        columns[2],
        columns[3],
        columns[4],
        int(np.argmax(columns[1])),
    )
