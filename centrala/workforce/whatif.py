"""What if? Two scenarios on the core that runs the centre, with the same callers, until the difference is known.

    change = with_agents(monday, like="ann", count=2)
    answer = compare(monday, change, {"lost": "p_abandon", "in time": lambda day: day.service_level(20)}, width=0.005)
    print(answer.difference["lost"], answer.runs)

Both see the same calls at the same moments with the same patience and handling times (each stream of arrivals has
random numbers of its own), so that their difference is known long before either of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

from centrala.core.indexes import level_in
from centrala.core.specs import Destination, QueueSpec
from centrala.sim import Interval, Scenario, simulate
from centrala.sim.result import interval_of
from centrala.sim.scenario import AgentModel, Span
from centrala.workforce import checks
from centrala.workforce.errors import BadInput, NoAgents
from centrala.workforce.fast import World

Figure = str | Callable[[Any], float]
"Of a run: a name in its `figures`, or what to compute from it; `of(queue)` and `service_level(s)` are common to both."

Engine = Literal["core", "compiled"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Means with their confidence intervals; `difference` is change minus base, from pairs of the same callers."""

    base: dict[str, Interval]
    change: dict[str, Interval]
    difference: dict[str, Interval]
    runs: int
    narrow: bool
    "Every difference is known as well as asked; False when the most runs came first."

    def sure(self, figure: str) -> bool:
        """The change is an effect, not chance: 0 is not in the interval."""
        return 0.0 not in self.difference[figure]


def compare(
    base: Scenario,
    change: Scenario,
    figures: Mapping[str, Figure] | Sequence[str] = ("p_abandon", "mean_wait", "occupancy"),
    *,
    width: float | Mapping[str, float] = 0.01,
    least: int = 10,
    most: int = 200,
    level: float = 0.95,
    seed: int = 1,
    engine: Engine = "core",
) -> Comparison:
    """Run both with common random numbers until each difference is known to ± `width` (one, or by figure).

    Looks after `least` runs and then each time there are half as many again: a rule that looks after every run
    would stop on luck. `compiled` takes the kernel, some hundred times as fast, for scenarios that it knows.
    Raises BadInput, NotModelled, and RuntimeError where a scenario hands contacts on without end.
    """
    wanted = dict(figures) if isinstance(figures, Mapping) else {name: name for name in figures}
    if not wanted:
        raise BadInput("figures: nothing is asked")
    widths = {
        name: checks.one_positive(f"width of {name}", width[name] if isinstance(width, Mapping) else width)
        for name in wanted
        if not isinstance(width, Mapping) or name in width
    }
    if isinstance(width, Mapping) and set(width) - set(wanted):
        raise BadInput(f"width: {sorted(set(width) - set(wanted))[0]} is none of the figures")
    if not widths:
        raise BadInput("width: say for at least one figure how well it must be known")
    first, last = checks.whole("least", least, 5), checks.whole("most", most, 5)
    if last < first:
        raise BadInput(f"most: {last} runs are fewer than the least, {first}")
    if not 0.5 <= level < 1:
        raise BadInput(f"level: {level:g} is no confidence; say 0.95")
    one_base, one_change = _runner(base, engine), _runner(change, engine)
    before: dict[str, list[float]] = {name: [] for name in wanted}
    after: dict[str, list[float]] = {name: [] for name in wanted}
    look = first
    runs = 0
    while True:
        while runs < look:
            results = one_base(seed + runs), one_change(seed + runs)
            for name, figure in wanted.items():
                before[name].append(_value(results[0], figure, name))
                after[name].append(_value(results[1], figure, name))
            runs += 1
        gaps = {
            name: interval_of((b - a for a, b in zip(before[name], after[name], strict=True)), level)
            for name in wanted
        }
        narrow = all(gaps[name].half <= half for name, half in widths.items())
        if narrow or look == last:
            return Comparison(
                {name: interval_of(values, level) for name, values in before.items()},
                {name: interval_of(values, level) for name, values in after.items()},
                gaps,
                runs,
                narrow,
            )
        look = min(last, ceil(look * 1.5))


def _runner(scenario: Scenario, engine: Engine) -> Callable[[int], Any]:
    match engine:
        case "core":
            return lambda seed: simulate(scenario, seed=seed)
        case "compiled":
            world = World.of(scenario)
            return lambda seed: world.run(seed)
        case _:
            raise BadInput(f"engine: there is no {engine}; core and compiled are known")


def _value(result: Any, figure: Figure, name: str) -> float:
    if not isinstance(figure, str):
        return float(figure(result))
    figures = result.figures
    if figure not in figures:
        raise BadInput(f"figure {name}: there is no {figure}; known are {', '.join(figures)}")
    return float(figures[figure])


# --- changes ---


def with_agents(
    scenario: Scenario, like: str, count: int = 1, shifts: tuple[Span, ...] | None = None
) -> Scenario:
    """So many more agents who serve what `like` serves, in `shifts` (None: in theirs)."""
    model = _agent(scenario, like)
    names: list[str] = []
    taken = {one.spec.id for one in scenario.agents}
    number = 1
    while len(names) < checks.whole("count", count, 1):
        name = f"{like}+{number}"
        number += 1
        if name not in taken:
            names.append(name)
    more = tuple(
        replace(model, spec=replace(model.spec, id=name), shifts=model.shifts if shifts is None else shifts)
        for name in names
    )
    queues = tuple(
        replace(queue, agents=(*queue.agents, *names))
        if queue.agents is not None and like in queue.agents
        else queue
        for queue in scenario.queues
    )
    return replace(scenario, agents=(*scenario.agents, *more), queues=queues)


def without_agents(scenario: Scenario, names: Sequence[str]) -> Scenario:
    """The same without these. Raises NoAgents where nobody is left."""
    for name in names:
        _agent(scenario, name)
    left = tuple(model for model in scenario.agents if model.spec.id not in names)
    if not left:
        raise NoAgents("without them the scenario has no agents")
    return replace(scenario, agents=left)


def with_skill(scenario: Scenario, agent: str, skill: str, level: int = 1) -> Scenario:
    """An agent learns a skill, or gets better at it."""
    model = _agent(scenario, agent)
    learned = replace(model, spec=replace(model.spec, skills={**model.spec.skills, skill: level}))
    return replace(scenario, agents=tuple(learned if one is model else one for one in scenario.agents))


def with_calls(scenario: Scenario, factor: float, to: str | None = None) -> Scenario:
    """So many times the calls, to one number or to all. A trace can't be multiplied: raises BadInput."""
    times = float(checks.not_negative("factor", factor))
    if to is not None and all(stream.to != to for stream in scenario.arrivals):
        raise BadInput(f"nobody calls {to}")
    chosen = [to is None or stream.to == to for stream in scenario.arrivals]
    if any(one and stream.trace is not None for one, stream in zip(chosen, scenario.arrivals, strict=True)):
        raise BadInput("calls that were traced come as they came: they can't be multiplied")
    return replace(
        scenario,
        arrivals=tuple(
            replace(
                stream,
                per_hour=stream.per_hour * times,
                profile=tuple(calls * times for calls in stream.profile),
            )
            if one
            else stream
            for one, stream in zip(chosen, scenario.arrivals, strict=True)
        ),
    )


def merge_queues(scenario: Scenario, names: Sequence[str], into: str | None = None) -> Scenario:
    """One queue in place of several, with the rules of the first: every agent of any serves all their calls."""
    merged = [queue for name in names for queue in scenario.queues if queue.id == name]
    if len(merged) != len(set(names)) or len(merged) < 2:
        missing = [name for name in names if name not in {queue.id for queue in scenario.queues}]
        raise BadInput(f"there is no queue {missing[0]}" if missing else "merge two different queues or more")
    name = merged[0].id if into is None else into
    if name not in names and name in {queue.id for queue in scenario.queues}:
        raise BadInput(f"there is a queue {name} already")
    members = tuple(
        model.spec.id
        for model in scenario.agents
        if any(level_in(model.spec, queue) is not None for queue in merged)
    )
    one = replace(merged[0], id=name, agents=members, needs={})

    def moved(to: Destination | None) -> Destination | None:
        return replace(to, name=name) if to is not None and to.kind == "queue" and to.name in names else to

    def pointed(queue: QueueSpec) -> QueueSpec:
        return replace(
            queue,
            when_full=moved(queue.when_full),
            when_no_agents=moved(queue.when_no_agents),
            after_max_wait=moved(queue.after_max_wait),
            when_closed=moved(queue.when_closed),
        )

    def prefer(model: AgentModel) -> AgentModel:
        order = tuple(dict.fromkeys(name if queue in names else queue for queue in model.spec.prefers))
        level = max((model.spec.skills.get(queue, 0) for queue in names), default=0)
        skills = {**model.spec.skills, name: level} if level else model.spec.skills
        return replace(model, spec=replace(model.spec, prefers=order, skills=skills))

    return replace(
        scenario,
        queues=(pointed(one), *(pointed(queue) for queue in scenario.queues if queue.id not in names)),
        agents=tuple(map(prefer, scenario.agents)),
        arrivals=tuple(
            replace(stream, to=name) if stream.to in names and stream.to not in scenario.numbers else stream
            for stream in scenario.arrivals
        ),
        numbers={number: moved(to) or to for number, to in scenario.numbers.items()},
    )


def _agent(scenario: Scenario, name: str) -> AgentModel:
    for model in scenario.agents:
        if model.spec.id == name:
            return model
    raise BadInput(f"there is no agent {name} in the scenario")
