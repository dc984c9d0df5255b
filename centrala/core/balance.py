"""Rebalancing at peaks: agents are lent from calmer queues to those that would miss their target, and returned.

Every so often the queues that take part are compared. What each may expect of the minutes to come follows from what
it has learned (arrivals, handling, patience), from those who wait, and from who serves it: the service level of an
Erlang A queue with all its agents, to whose callers the work is added that they do for other queues. How agents of
several queues divide their time is found by letting each queue be pressed alike (`_divide`); who serves both then is
one pool, as with one line for all.

* Lends where a queue is short: below its target by the margin even if fewer come than counted (by a standard error).
  As many as bring it to its target if more come than counted, from whoever has most to spare, and only as long as the
  giving queues are expected to keep theirs.
* Returns as many as a queue can do without and stays above its target by the margin, if more come than counted; and
  those whose own queue is short and worse off.
* A lent agent serves both, the longest wait first, after the queue's own agents. That holds from the next contact on.
* Nobody goes to and fro: what is doubtful changes nothing, a loan lasts a while, so does the time between two, and
  nobody moves more often an hour than allowed. What a supervisor says (`plus`, `minus`, the end of a loan) wins.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import sqrt

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.decision import Decision, refused
from centrala.core.erlang import service_level
from centrala.core.estimate import arriving
from centrala.core.indexes import level_in
from centrala.core.specs import Balance, Balancing
from centrala.core.state import Agent, Centre, Queue

TIMER = "balance:"

BACKLOG = 300.0
"Seconds in which those who wait are to be served beside those who come."
SHORT = 1.0
"Standard errors by which fewer may come than counted, and the queue is still short."
AMPLE = 0.5
"Standard errors by which more may come, and those who are lent are still enough."
EASE = 1.0
"Standard errors by which more may come, and the queue still needs them no more."
LEAN = 0.05
"A share: so far below their target those may be expected who give. What they get is more: lent agents come last."
FLOOR = 0.15
"The same where all of a group are lent at once, as one pool, since a few of them wouldn't do."
PILED = 3
"So many must wait for that, …"
TRIED = 120.0
"… so many seconds after the first were lent."
POOL_GAIN = 0.1
"A share: what the worst off must gain by that."
GAIN = 0.1
"A share: what a short queue must gain by the return of those it has lent."
LEAST_LOAN = 600.0
"Seconds that a loan lasts, unless the agent is needed at home."
LEAST_HOME = 180.0
"Seconds between a return and the next loan."
BAR = 3600.0
"Seconds for which an agent isn't lent where a supervisor has ended a loan."
HOUR = 3600.0

PRIOR_HANDLING = 240.0
"Seconds that a conversation with its work is taken to last, …"
PRIOR_WEIGHT = 3.0
"… believed as if so many had been seen."
ROUNDS = 12
"Of `_divide`; the pressures of queues that share agents are alike to a percent by then."

Group = tuple[str, ...]
"The queues that some agents serve, in order."


def active(centre: Centre) -> Balancing | None:
    """The rules, where rebalancing runs at all."""
    spec = centre.balancing
    return spec if spec is not None and spec.on and not centre.balancing_paused and centre.balanced else None


# --- what is expected ---


@dataclass(frozen=True, slots=True)
class Demand:
    """On one queue. Rates per second."""

    arrivals: float
    waiting: float
    "Those who wait already, as if they were to come within `BACKLOG`."
    error: float
    service: float
    patience: float
    within: float
    target: float

    @property
    def load(self) -> float:
        """Agents whom it occupies."""
        return self.arrivals / self.service


def demand(queue: Queue, at: float) -> Demand:
    rates, spec = queue.rates, queue.spec
    served, worked = rates.served + PRIOR_WEIGHT, rates.worked + PRIOR_WEIGHT * PRIOR_HANDLING
    service = served / worked
    come, error = arriving(rates, at) if spec.balance is not None else (rates.busy * service, 0.0)
    share = (error / come) ** 2 + 1.0 / served if come else 0.0
    target, within = spec.service_level
    waiting = rates.waiting / BACKLOG
    return Demand(come, waiting, come * sqrt(share), service, rates.patience, within, target)


class View:
    """What one comparison goes by. Changed by what it decides, so that the next step sees it."""

    def __init__(self, centre: Centre, at: float) -> None:
        self.centre = centre
        self.at = at
        self.groups: dict[Group, int] = {}
        self.demands: dict[str, Demand] = {}
        self.lent: set[str] = set()
        "Agents who are lent in this comparison."
        self.kept: dict[str, int] = {}
        "Queue → those of its own agents who serve it and are lent to nobody."
        seen: set[str] = set()
        agents, queues = centre.agents, centre.queues
        for name in centre.balanced:
            self.demands[name] = demand(queues[name], at)
            self.kept.setdefault(name, 0)
            for who in queues[name].members:
                if who in seen:
                    continue
                seen.add(who)
                agent = agents[who]
                if not agent.serving:
                    continue
                group = group_of(agent)
                self.groups[group] = self.groups.get(group, 0) + 1
                if not agent.loans:
                    for own in group:
                        self.kept[own] = self.kept.get(own, 0) + 1
        for group in self.groups:
            for name in group:
                if name not in self.demands:
                    self.demands[name] = demand(queues[name], at)

    def levels(
        self, names: Iterable[str], sure: float = 0.0, groups: dict[Group, int] | None = None
    ) -> list[float]:
        """Service levels expected of queues, if by `sure` standard errors more come to them than counted."""
        groups = self.groups if groups is None else groups
        names = list(names)
        demands = self.demands
        if sure:
            demands = dict(demands)
            for name in names:
                one = demands[name]
                demands[name] = replace(one, arrivals=max(one.arrivals + sure * one.error, 0.0))
        agents, foreign = _divide(groups, demands, names)
        found = []
        for name in names:
            one = demands[name]
            here, own = agents.get(name, 0), one.arrivals + one.waiting
            arrivals = own + foreign.get(name, 0.0) * one.service
            level = 1.0
            if own:
                level = service_level(arrivals, one.service, one.patience, here, one.within)
            found.append(level)
        return found

    def excess(self, name: str, sure: float = 0.0, groups: dict[Group, int] | None = None) -> float:
        """By how much the queue is expected above its target."""
        return self.levels((name,), sure, groups)[0] - self.demands[name].target

    def moved(self, one: Group, other: Group, count: int = 1) -> dict[Group, int]:
        """The groups with so many agents in the other one."""
        groups = dict(self.groups)
        groups[one] = groups.get(one, 0) - count
        groups[other] = groups.get(other, 0) + count
        return groups


def group_of(agent: Agent) -> Group:
    queues = agent.queues
    return tuple(queues) if len(queues) == 1 else tuple(sorted(queues))


def _divide(
    groups: dict[Group, int], demands: dict[str, Demand], names: list[str]
) -> tuple[dict[str, int], dict[str, float]]:
    """(agents who serve each of these queues, how many of them are busy with other queues' callers).

    The time of those who serve several queues goes to each in proportion to how much it presses: to its load over the
    agents' time that it has got. Repeated until those who share are pressed alike.
    """
    agents: dict[str, int] = {}
    alone: dict[str, float] = {}
    several: list[tuple[Group, int]] = []
    for group, count in groups.items():
        if count <= 0:
            continue
        for name in group:
            agents[name] = agents.get(name, 0) + count
        if len(group) == 1:
            alone[group[0]] = count
        else:
            several.append((group, count))
    near, grown = set(names), True
    shared: list[tuple[Group, int, list[float]]] = []
    while several and grown:
        grown = False
        others = []
        for group, count in several:
            if near.isdisjoint(group):
                others.append((group, count))
            else:
                shared.append((group, count, [count / len(group)] * len(group)))
                near.update(group)
                grown = True
        several = others
    foreign: dict[str, float] = {}
    if not shared:
        return agents, foreign
    loads = {name: demands[name].load + 1e-3 for group, _, _ in shared for name in group}
    pressure: dict[str, float] = {}
    for _ in range(ROUNDS):
        capacity = {name: alone.get(name, 0.0) for name in loads}
        for group, _, parts in shared:
            for name, part in zip(group, parts, strict=True):
                capacity[name] += part
        pressure = {name: load / max(capacity[name], 1e-9) for name, load in loads.items()}
        moved = 0.0
        for group, count, parts in shared:
            whole = 0.0
            for index, name in enumerate(group):
                parts[index] *= pressure[name]
                whole += parts[index]
            for index, name in enumerate(group):
                parts[index] *= count / whole
                moved = max(moved, abs(pressure[name] * count / whole - 1.0))
        if moved < 0.01:
            break
    for group, _, parts in shared:
        busy = [part * min(pressure[name], 1.0) for name, part in zip(group, parts, strict=True)]
        whole = sum(busy)
        for name, part in zip(group, busy, strict=True):
            foreign[name] = foreign.get(name, 0.0) + whole - part
    return agents, foreign


# --- who may be lent ---


def own_queues(centre: Centre, agent: Agent) -> list[str]:
    """Those that the agent serves without rebalancing."""
    return [name for name in agent.queues if name not in agent.loans]


def may_help(centre: Centre, agent: Agent, name: str) -> bool:
    """By settings, and by what a supervisor has said: whether the agent may be lent to the queue at all."""
    queue = centre.queues.get(name)
    rules = queue.spec.balance if queue is not None else None
    if queue is None or rules is None or not rules.take or name in agent.plus or name in agent.minus:
        return False
    if level_in(agent.spec, queue.spec) is not None:
        return False
    if name not in agent.spec.helps and not _skilled(agent, rules):
        return False
    for own in own_queues(centre, agent):
        giving = centre.queues[own].spec.balance
        if giving is None or not giving.give:
            return False
    return True


def _skilled(agent: Agent, rules: Balance) -> bool:
    skills = agent.spec.skills
    return bool(rules.helpers) and all(
        skills.get(skill, 0) >= least for skill, least in rules.helpers.items()
    )


def lately(agent: Agent, at: float) -> tuple[float, ...]:
    """When the agent was moved within the hour."""
    return tuple(moment for moment in agent.moves if moment > at - HOUR)


def _helpers(view: View, rules: Balancing, name: str) -> dict[Group, list[Agent]]:
    """Who could be lent to the queue now, by the queues that they serve; first those who have most time."""
    centre, at = view.centre, view.at
    balance = centre.queues[name].spec.balance
    assert balance is not None
    names = dict(centre.helping.get(name, ()))
    if balance.helpers:
        rarest = min(balance.helpers, key=lambda skill: len(centre.skilled.get(skill, ())))
        names.update(centre.skilled.get(rarest, ()))
    found: dict[Group, list[Agent]] = {}
    for who in names:
        agent = centre.agents[who]
        if not agent.serving or agent.loans or who in view.lent or name in agent.queues:
            continue
        if agent.barred.get(name, 0.0) > at:
            continue
        moves = lately(agent, at)
        if len(moves) > rules.moves_per_hour - 2 or (moves and moves[-1] > at - LEAST_HOME):
            continue
        if may_help(centre, agent, name):
            found.setdefault(group_of(agent), []).append(agent)
    for agents in found.values():
        agents.sort(key=lambda agent: (not agent.idle, len(lately(agent, at)), agent.idle_since, agent.order))
    return found


# --- comparing ---


def due(centre: Centre, at: float) -> Decision:
    """The timer has run down."""
    rules = active(centre)
    if rules is None:
        return [], []
    view = View(centre, at)
    events = [*_returns(view, rules), *_lends(view, rules)]
    return events, [c.SetTimer(TIMER, at + rules.every)]


def _lends(view: View, rules: Balancing) -> Iterator[e.Event]:
    centre = view.centre
    taking = [
        name
        for name in centre.balanced
        if (balance := centre.queues[name].spec.balance) is not None
        and balance.take
        and view.demands[name].arrivals
    ]
    if not taking:
        return
    levels = view.levels(taking, -SHORT)
    short = [(level - view.demands[name].target, name) for name, level in zip(taking, levels, strict=True)]
    for lacks, name in sorted(short):
        if lacks >= -rules.margin:
            return
        yield from _help(view, rules, name)


def _help(view: View, rules: Balancing, name: str) -> Iterator[e.Event]:
    """Lend to this queue what it lacks, as far as others can spare it."""
    helpers = _helpers(view, rules, name)
    balance = view.centre.queues[name].spec.balance
    assert balance is not None
    lent = sum(1 for who in view.centre.lent.get(name, ()) if name in view.centre.agents[who].loans)
    room = len(view.centre.agents) if balance.most is None else balance.most - lent
    at_once = 1 + view.centre.queues[name].rates.waiting
    while helpers and room > 0 and at_once > 0:
        group = max(helpers, key=lambda one: _spare(view, one, name, 1))
        agents = helpers.pop(group)
        whole = min(len(agents), room, *(_free(view, own) for own in group))
        if not (count := _pooled(view, name, group, whole)):
            count = _some(view, name, group, min(whole, at_once))
        if not count:
            continue
        yield from _lend(view, name, group, agents[:count])
        room, at_once = room - count, at_once - count
        if view.excess(name, AMPLE) >= 0.0:
            return


def _some(view: View, name: str, group: Group, most: int) -> int:
    """How many of these bring the queue to its target, or as near as those who give can spare them."""
    other = _with(group, name)
    most = _most(most, lambda count: _spare(view, group, name, count) >= -LEAN)
    if not most:
        return 0
    return 1 + _most(most - 1, lambda count: view.excess(name, AMPLE, view.moved(group, other, count)) < 0.0)


def _pooled(view: View, name: str, group: Group, whole: int) -> int:
    """All of them, where a few don't help, or are taken from where they lack, and all together are one pool that does.

    The few would be busy there all the time; of all, somebody is free somewhere. Only after a few were tried, as mostly
    they will do.
    """
    agents = view.centre.agents
    tried = min((agents[who].loans[name].since for who in view.centre.lent.get(name, ()) if name in agents[who].loans),
                default=view.at)  # fmt: skip
    if view.centre.queues[name].rates.waiting < PILED or view.at - tried < TRIED or whole <= 1:
        return 0
    before = view.excess(name)
    if (
        view.excess(name, 0.0, view.moved(group, _with(group, name), _some(view, name, group, whole)))
        >= -LEAN
    ):
        return 0
    spare = _spare(view, group, name, whole)
    worst = min(spare, view.excess(name, 0.0, view.moved(group, _with(group, name), whole)))
    return whole if spare >= -FLOOR and worst >= before + POOL_GAIN else 0


def _with(group: Group, name: str) -> Group:
    return tuple(sorted((*group, name)))


def _free(view: View, own: str) -> int:
    balance = view.centre.queues[own].spec.balance
    return view.kept[own] - (0 if balance is None else balance.reserve)


def _spare(view: View, group: Group, name: str, count: int) -> float:
    """How far above its target the worst of the giving queues stays; 1 where there is none."""
    if not group:
        return 1.0
    groups = view.moved(group, _with(group, name), count)
    return min(view.excess(own, 0.0, groups) for own in group)


def _most(most: int, holds: Callable[[int], bool]) -> int:
    """The greatest number up to `most` for which it holds; it holds for all below, and for 0."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _lend(view: View, name: str, group: Group, agents: list[Agent]) -> Iterator[e.Event]:
    other = _with(group, name)
    before = dict(zip((name, *group), view.levels((name, *group)), strict=True))
    view.groups = view.moved(group, other, len(agents))
    after = dict(zip((name, *group), view.levels((name, *group)), strict=True))
    view.lent.update(agent.spec.id for agent in agents)
    for own in group:
        view.kept[own] -= len(agents)
    home = min(group, key=lambda own: after[own] - view.demands[own].target, default="")
    values = _values(view, name, home, before, after)
    values["agents"] = float(len(agents))
    values["waiting"] = float(view.centre.queues[name].rates.waiting)
    for agent in agents:
        yield e.AgentLent(view.at, agent.spec.id, name, "short", values, home)


def _values(
    view: View, name: str, home: str, without: dict[str, float], with_: dict[str, float]
) -> dict[str, float]:
    values = {"target": view.demands[name].target, "without": without[name], "with": with_[name]}
    if home:
        values |= {
            "home_target": view.demands[home].target,
            "home_without": without[home],
            "home_with": with_[home],
        }
    return {key: round(value, 3) for key, value in values.items()}


def _returns(view: View, rules: Balancing) -> Iterator[e.Event]:
    """Those whom a queue needs no more, and those whom their own queue needs more."""
    centre = view.centre
    loans: dict[tuple[str, Group, bool], list[Agent]] = {}
    for who in centre.borrowed:
        agent = centre.agents[who]
        for name in agent.loans:
            loans.setdefault((name, group_of(agent), agent.serving), []).append(agent)
    for (name, group, serving), agents in loans.items():
        agents.sort(key=lambda agent, name=name: (agent.loans[name].since, agent.order))  # type: ignore[misc]
        home = tuple(one for one in group if one != name)
        old = sum(view.at - agent.loans[name].since >= LEAST_LOAN for agent in agents)
        if not serving:
            if old and view.excess(name, EASE) >= rules.margin:
                yield from _return(view, name, group, agents[:old], "recovered", serving=False)
            continue
        count = _most(old, _still(view, name, group, home, rules.margin))
        if count:
            yield from _return(view, name, group, agents[:count], "recovered")
        elif home:
            count = _needed(view, rules, name, group, home, len(agents))
            yield from _return(view, name, group, agents[:count], "needed")


def _still(view: View, name: str, group: Group, home: Group, margin: float) -> Callable[[int], bool]:
    """Whether the queue is well off without so many of those who are lent to it."""
    return lambda count: view.excess(name, EASE, view.moved(group, home, count)) >= margin


def _needed(view: View, rules: Balancing, name: str, group: Group, home: Group, most: int) -> int:
    """How many are to return since their own queue is short, and gains by it without making the other the worse one."""
    worst = min(home, key=lambda own: view.excess(own, -SHORT))
    lacks = view.excess(worst, -SHORT)
    if lacks >= -rules.margin or lacks >= view.excess(name, -SHORT):
        return 0
    now = view.excess(worst)

    def better_off(count: int) -> bool:
        groups = view.moved(group, home, count)
        return view.excess(name, 0.0, groups) >= view.excess(worst, 0.0, groups)

    count = _most(most, better_off)
    if not count or view.excess(worst, 0.0, view.moved(group, home, count)) < now + GAIN:
        return 0
    return 1 + _most(count - 1, lambda some: view.excess(worst, 0.0, view.moved(group, home, some)) < 0.0)


def _return(
    view: View, name: str, group: Group, agents: list[Agent], why: str, *, serving: bool = True
) -> Iterator[e.Event]:
    if not agents:
        return
    home = tuple(one for one in group if one != name)
    before = dict(zip(group, view.levels(group), strict=True))
    if serving:
        view.groups = view.moved(group, home, len(agents))
        for own in home:
            view.kept[own] += len(agents)
    after = dict(zip(group, view.levels(group), strict=True))
    worst = min(home, key=lambda own: before[own] - view.demands[own].target, default="")
    values = _values(view, name, worst, after, before)
    for agent in agents:
        yield e.AgentReturned(view.at, agent.spec.id, name, why, values, worst)  # type: ignore[arg-type]


# --- what people and settings say ---


def changed(centre: Centre, fact: f.BalancingChanged) -> Decision:
    return ([], []) if centre.balancing == fact.spec else ([e.BalancingSet(fact.at, fact.spec)], [])


def asked(centre: Centre, fact: f.BalanceAsked) -> Decision:
    if centre.balancing is None or not centre.balancing.on:
        return refused(fact, "Rebalancing is off in the settings.")
    if centre.balancing_paused is not fact.on:
        return [], []
    return [e.BalancePaused(fact.at, fact.on, fact.by)], []


def end_asked(centre: Centre, fact: f.LoanEndAsked) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None or fact.queue not in agent.loans:
        return refused(fact, "This agent isn't lent to this queue.", fact.agent)
    return [_over(agent, fact.queue, "asked", fact.at, fact.at + BAR, fact.by)], []


def _over(agent: Agent, name: str, why: str, at: float, until: float = 0.0, by: str = "") -> e.AgentReturned:
    loan = agent.loans[name]
    return e.AgentReturned(at, agent.spec.id, name, why, {}, loan.home, until, by)  # type: ignore[arg-type]


def removal(agent: Agent, at: float) -> list[e.Event]:
    """The agent leaves the configuration."""
    return [_over(agent, name, "agent_removed", at) for name in agent.loans]


def queue_removal(centre: Centre, name: str, at: float) -> list[e.Event]:
    """The queue does."""
    lent = [centre.agents[who] for who in centre.lent.get(name, ())]
    return [_over(agent, name, "queue_removed", at) for agent in lent if name in agent.loans]


# --- what follows ---


def clock(centre: Centre, event: e.BalancingSet | e.BalancePaused | e.QueueDefined) -> Decision:
    """Whatever may begin it, and whatever may end a loan."""
    rules = active(centre)
    events, commands = enforce(centre, event)
    if rules is not None:
        commands = [*commands, c.SetTimer(TIMER, event.at + rules.every)]
    return events, commands


def enforce(centre: Centre, event: e.Event) -> Decision:
    """End the loans that aren't allowed any more."""
    if not centre.borrowed:
        return [], []
    at = event.at
    off = active(centre) is None
    events: list[e.Event] = []
    lent: dict[str, int] = {}
    for who in centre.borrowed:
        agent = centre.agents[who]
        for name in agent.loans:
            rules = centre.queues[name].spec.balance
            lent[name] = lent.get(name, 0) + 1
            if off:
                why = "off"
            elif agent.intent == "logged_out":
                why = "signed_out"
            elif name in agent.plus or name in agent.minus:
                why = "by_hand"
            elif not may_help(centre, agent, name) or (
                rules is not None and rules.most is not None and lent[name] > rules.most
            ):
                why = "limit"
            else:
                continue
            lent[name] -= 1
            events.append(_over(agent, name, why, at))
    return events, []


def signed_out(centre: Centre, event: e.AgentStateChanged) -> Decision:
    agent = centre.agents.get(event.agent)
    if agent is None or not agent.loans or event.intent != "logged_out":
        return [], []
    return [_over(agent, name, "signed_out", event.at) for name in agent.loans], []
