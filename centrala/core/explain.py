"""Why does this agent get no calls? One reason, the first that stands in the way, in the order in which people look.

load:    in a call · a phone rings · after-call work
intent:  signed out · not ready
phone:   asleep · lost
rest:    left alone after a missed or refused offer
queues:  none · none before a stage opens · all closed
and else nothing stands in the way: who is next, or how many are before this one
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, Literal

from centrala.core.calendar import is_open
from centrala.core.state import Agent, Centre, Queue

Code = Literal[
    "IN_CALL", "OFFERED", "WRAP_UP", "SIGNED_OUT", "NOT_READY", "ASLEEP", "PHONE_LOST", "RESTING", "SKILL", "NO_QUEUE",
    "QUEUES_CLOSED", "NEXT", "NOBODY_WAITS", "WIDENS",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    code: Code
    values: dict[str, Any] = field(default_factory=dict)
    "What the sentence needs. Times in unix seconds."


def why_no_calls(centre: Centre, agent_id: str, at: float) -> Reason:
    """The reason at that time. Raises KeyError for an agent who doesn't exist."""
    agent = centre.agents[agent_id]
    if agent.calls:
        return Reason("IN_CALL")
    if agent.offers:
        return Reason("OFFERED")
    if agent.wrap is not None:
        return Reason("WRAP_UP", {"until": agent.wrap_until, "result_missing": agent.overran})
    if agent.intent == "logged_out":
        return Reason("SIGNED_OUT")
    if agent.intent == "not_ready":
        return Reason("NOT_READY", {"reason": agent.reason, "since": agent.changed_at})
    if agent.asleep:
        return Reason("ASLEEP", {"since": agent.lost_at})
    if not agent.reachable:
        return Reason("PHONE_LOST", {"since": agent.lost_at})
    if agent.rest_until is not None:
        return Reason("RESTING", {"until": agent.rest_until, "missed": agent.missed})
    if not agent.queues and agent.stages:
        return _later(centre, agent)
    if not agent.queues:
        return _no_queue(centre, agent)
    queues = [centre.queues[name] for name in agent.queues]
    if not any(is_open(queue.spec.open_at, at) or queue.waiting for queue in queues):
        opens = [moment for queue in queues if (moment := _opens(queue, at)) is not None]
        return Reason("QUEUES_CLOSED", {"opens": min(opens, default=None)})
    before = {name: bisect_left(centre.queues[name].idle, key) for name, key in agent.keys.items()}
    for name, ahead in before.items():
        if ahead == 0 and is_open(centre.queues[name].spec.open_at, at):
            return Reason("NEXT", {"queue": name})
    return Reason("NOBODY_WAITS", {"queues": sorted(agent.queues), "ahead": min(before.values())})


@dataclass(frozen=True, slots=True)
class Also:
    """Why somebody gets calls that aren't their own queue's."""

    code: Literal["LENT"]
    values: dict[str, Any] = field(default_factory=dict)


def also_serves(centre: Centre, agent_id: str) -> list[Also]:
    """Why the agent serves queues that aren't theirs: what was expected when rebalancing lent them. Shares."""
    found = []
    for name, loan in centre.agents[agent_id].loans.items():
        values = {key: loan.values.get(key) for key in ("without", "with", "target")}
        values |= {key: loan.values.get(key) for key in ("home_without", "home_with", "home_target")}
        agents = int(loan.values.get("agents", 1))
        home = loan.home or None
        found.append(
            Also("LENT", {"queue": name, "since": loan.since, "agents": agents, "home": home, **values})
        )
    return found


def lamps(centre: Centre, agent_id: str) -> dict[str, bool]:
    """You: wants calls. Phone: awake. Line: connected. Load: nothing at hand. All four: gets calls."""
    agent = centre.agents[agent_id]
    busy = agent.calls or agent.offers or agent.wrap is not None or agent.rest_until is not None
    return {
        "you": agent.intent == "ready",
        "phone": not agent.asleep,
        "line": agent.reachable or agent.asleep,
        "load": not busy,
    }


def _no_queue(centre: Centre, agent: Agent) -> Reason:
    """What keeps the agent out of the nearest queue: the one whose needs lack the fewest levels."""
    lacking: list[tuple[int, str, str, int, int]] = []
    for name, queue in centre.queues.items():
        spec = queue.spec
        if not spec.needs or (spec.agents is not None and agent.spec.id not in spec.agents):
            continue
        gaps = {
            skill: least - agent.spec.skills.get(skill, 0)
            for skill, least in spec.needs.items()
            if agent.spec.skills.get(skill, 0) < least
        }
        if not gaps:
            continue
        worst = max(gaps, key=lambda skill: gaps[skill])
        lacking.append((sum(gaps.values()), name, worst, spec.needs[worst], agent.spec.skills.get(worst, 0)))
    if not lacking:
        return Reason("NO_QUEUE")
    _, name, skill, level, have = min(lacking)
    return Reason("SKILL", {"queue": name, "skill": skill, "level": level, "have": have})


def _later(centre: Centre, agent: Agent) -> Reason:
    """Helps queues only: the one whose stage comes first."""
    name, (stage, _) = min(agent.stages.items(), key=lambda item: (item[1][0], item[0]))
    one = centre.queues[name].spec.widen[stage - 1]
    return Reason("WIDENS", {"queue": name, "after": one.after, "length": one.length, "below": one.below})


def _opens(queue: Queue, at: float) -> float | None:
    """When a closed queue opens next; None: not in what its calendar tells."""
    return next((start for start, _ in queue.spec.open_at or () if start > at), None)
