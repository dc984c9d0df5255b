"""Stages of a queue, as indexes: who may be offered what without a look at everybody.

Stage 0 are the queue's own agents, in `Queue.idle`. A further agent has a least stage in the queue, the first of
`QueueSpec.widen` that lets them; a contact that waits has a stage of its own. An agent of stage k may be offered
whoever's stage, or that of the whole queue, is k or more. Both stand in lists by stage, sorted as those of the queue.

`Pace` is what a queue keeps of its service level: how many were answered in time of late.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from math import exp
from typing import TYPE_CHECKING

from centrala.core.specs import AgentSpec, QueueSpec

if TYPE_CHECKING:
    from centrala.core.state import Agent, Centre, Queue

MEMORY = 900.0
"Seconds in which what was in time, or late, is forgotten, in effect."
PRIOR = 2.0
"Contacts that are believed to have been served as they should: a lone late one is no peak."


@dataclass(frozen=True, slots=True)
class Pace:
    """Of a queue's service level, up to `at`; sums fade within `MEMORY`."""

    at: float = 0.0
    good: float = 0.0
    "Answered in time."
    late: float = 0.0
    "Waited longer than that, whether they were answered then or not."


def counted(pace: Pace, at: float, *, good: bool) -> Pace:
    """One more has been answered in time, or is late."""
    fade = exp(-max(at - pace.at, 0.0) / MEMORY)
    return Pace(max(at, pace.at), pace.good * fade + good, pace.late * fade + (not good))


def share(pace: Pace, at: float, target: float) -> float:
    """Of those of late, answered in time; the queue's target where there was nobody."""
    fade = exp(-max(at - pace.at, 0.0) / MEMORY)
    good, late = pace.good * fade, pace.late * fade
    return (good + PRIOR * target) / (good + late + PRIOR)


def is_paced(spec: QueueSpec) -> bool:
    """Whether anything depends on its `Pace`: else none is kept."""
    return spec.when_slow is not None or any(one.below is not None for one in spec.widen)


@dataclass(slots=True)
class Stages:
    """Of a queue that has any. Entries and keys as in `Queue.waiting` and `Queue.idle`."""

    waiting: list[list[tuple[float, int, str]]] = field(default_factory=list)
    "By the contact's own stage, from 0 on. All of them stand in `Queue.waiting`, too."
    idle: list[list[tuple[float, float, int, str]]] = field(default_factory=list)
    "By the agent's least stage; the first is empty, `Queue.idle` is it."
    helpers: dict[str, int] = field(default_factory=dict)
    "Agent → least stage, of those who are no members."


def needs_at(spec: QueueSpec, stage: int) -> dict[str, int]:
    """Skill → least level that is asked for at a stage."""
    needs = dict(spec.needs)
    for one in spec.widen[:stage]:
        needs.update(one.needs or {})
    return {skill: least for skill, least in needs.items() if least > 0}


def level_at(agent: AgentSpec, spec: QueueSpec, stage: int) -> int | None:
    """How well the agent meets what is asked for at a stage; None when not at all."""
    if spec.agents is not None and agent.id not in spec.agents:
        return None
    needs = needs_at(spec, stage)
    if not needs:
        return None if spec.agents is None else agent.skills.get(spec.id, 0)
    if any(agent.skills.get(skill, 0) < least for skill, least in needs.items()):
        return None
    return sum(agent.skills[skill] for skill in needs)


def least_stage(agent: "Agent", spec: QueueSpec) -> tuple[int, int] | None:
    """(stage, level there) from which on somebody who isn't a member may be offered the queue's contacts."""
    if spec.id in agent.minus or spec.id in agent.queues:
        return None
    for stage, one in enumerate(spec.widen, 1):
        level = level_at(agent.spec, spec, stage) if one.needs is not None else None
        if level is not None:
            return stage, level
        if any(name in agent.queues for name in one.queues):
            return stage, 0
    return None


# --- who is in which ---


def index_stages(centre: "Centre", queue: "Queue") -> None:
    """Make them anew, for a queue whose members are true."""
    spec = queue.spec
    last = len(spec.widen)
    queue.stages = Stages([[] for _ in range(last + 1)], [[] for _ in range(last + 1)])
    queue.stage = min(queue.stage, last)
    centre.staged[spec.id] = None
    for entry in queue.waiting:
        queue.stages.waiting[min(centre.contacts[entry[2]].stage, last)].append(entry)
    candidates: dict[str, None] = {}
    if spec.agents is not None:
        candidates.update(dict.fromkeys(name for name in spec.agents if name in centre.agents))
    for stage, one in enumerate(spec.widen, 1):
        for name in one.queues:
            centre.feeding.setdefault(name, {})[spec.id] = None
            if name in centre.queues:
                candidates.update(dict.fromkeys(centre.queues[name].members))
        needs = needs_at(spec, stage) if one.needs is not None else {}
        for skill in needs:
            centre.relaxing.setdefault(skill, {})[spec.id] = None
        if needs and spec.agents is None:
            rarest = min(needs, key=lambda skill: len(centre.skilled.get(skill, ())))
            candidates.update(dict.fromkeys(centre.skilled.get(rarest, ())))
    for name in candidates:
        _place(centre.agents[name], queue)


def unindex_stages(centre: "Centre", queue: "Queue") -> None:
    if queue.stages is None:
        return
    for name in list(queue.stages.helpers):
        _displace(centre.agents[name], queue)
    for index in (centre.feeding, centre.relaxing):
        for them in index.values():
            them.pop(queue.spec.id, None)
    centre.staged.pop(queue.spec.id, None)
    queue.stages = None


def index_fed(centre: "Centre", name: str) -> None:
    """Other queues, which may be helped by those who serve this one, after its members have changed."""
    for other in list(centre.feeding.get(name, ())):
        if other != name and other in centre.queues:
            unindex_stages(centre, centre.queues[other])
            index_stages(centre, centre.queues[other])


def restage(centre: "Centre", agent: "Agent") -> None:
    """Give an agent, who has none, their stages by what they can and by the queues they serve."""
    candidates = {name: None for name in centre.listed.get(agent.spec.id, ()) if name in centre.staged}
    for skill in agent.spec.skills:
        candidates.update(centre.relaxing.get(skill, {}))
    for name in agent.queues:
        candidates.update(centre.feeding.get(name, {}))
    for name in candidates:
        _place(agent, centre.queues[name])


def unstage(centre: "Centre", agent: "Agent") -> None:
    for name in list(agent.stages):
        _displace(agent, centre.queues[name])


def _place(agent: "Agent", queue: "Queue") -> None:
    found = least_stage(agent, queue.spec)
    if found is None:
        return
    assert queue.stages is not None
    agent.stages[queue.spec.id] = found
    queue.stages.helpers[agent.spec.id] = found[0]
    if agent.idle:
        stand(agent, queue)


def _displace(agent: "Agent", queue: "Queue") -> None:
    assert queue.stages is not None
    if agent.idle:
        unstand(agent, queue)
    del agent.stages[queue.spec.id]
    del queue.stages.helpers[agent.spec.id]


def stand(agent: "Agent", queue: "Queue") -> None:
    """Give an idle agent a place among those of their stage, by the queue's strategy."""
    spec = queue.spec
    stage, level = agent.stages[spec.id]
    match spec.strategy:
        case "most_skilled":
            first: float = -level
        case "round_robin":
            first = agent.offered.get(spec.id, 0)
        case "fewest_calls":
            first = agent.served.get(spec.id, 0)
        case _:
            first = 0
    assert queue.stages is not None
    agent.stage_keys[spec.id] = key = (first, agent.idle_since, agent.order, agent.spec.id)
    insort(queue.stages.idle[stage], key)


def unstand(agent: "Agent", queue: "Queue") -> None:
    assert queue.stages is not None
    idle = queue.stages.idle[agent.stages[queue.spec.id][0]]
    del idle[bisect_left(idle, agent.stage_keys.pop(queue.spec.id))]
