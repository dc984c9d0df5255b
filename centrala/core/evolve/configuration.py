"""What the events of queues, agents and numbers change."""

from collections.abc import Callable
from typing import Any

from centrala.core import estimate as learn
from centrala.core import events as e
from centrala.core.evolve.contacts import no_longer_busy
from centrala.core.indexes import (
    index_agent,
    index_queue,
    reindex,
    unindex_agent,
    unindex_queue,
)
from centrala.core.state import Agent, Centre, Queue


def _queue_defined(centre: Centre, event: e.QueueDefined) -> None:
    queue = centre.queues.get(event.spec.id)
    if queue is None:
        queue = centre.queues[event.spec.id] = Queue(event.spec)
        busy = sum(one.state == "offered" and one.queue == event.spec.id for one in centre.contacts.values())
        busy += sum(one.occupied == event.spec.id for one in centre.agents.values())
        if busy:  # it was removed while their phones rang
            queue.rates = learn.Rates(at=event.at, busy=busy)
    else:
        unindex_queue(centre, queue)
        queue.spec = event.spec
    index_queue(centre, queue)


def _queue_dropped(centre: Centre, event: e.QueueDropped) -> None:
    for agent in centre.agents.values():
        if agent.occupied == event.queue:
            agent.occupied = None
    unindex_queue(centre, centre.queues[event.queue])
    del centre.queues[event.queue]
    centre.waiting.pop(event.queue, None)


def _agent_defined(centre: Centre, event: e.AgentDefined) -> None:
    spec = event.spec
    agent = centre.agents.get(spec.id)
    if agent is None:
        centre.definitions += 1
        agent = centre.agents[spec.id] = Agent(spec, centre.definitions)
    else:
        unindex_agent(centre, agent)
        if agent.spec.always_ready and not spec.always_ready:
            agent.intent = "logged_out"
        if agent.spec.fixed_phone and not spec.fixed_phone:
            agent.reachable = False
        agent.spec = spec
    if spec.fixed_phone:
        agent.reachable, agent.asleep = True, False
    if spec.always_ready and agent.intent == "logged_out":
        agent.intent, agent.reason = "ready", ""
    index_agent(centre, agent)
    reindex(centre, agent, event.at)


def _agent_dropped(centre: Centre, event: e.AgentDropped) -> None:
    agent = centre.agents[event.agent]
    no_longer_busy(centre, agent, event.at, served=False)
    agent.intent = "logged_out"
    reindex(centre, agent, None)
    unindex_agent(centre, agent)
    del centre.agents[event.agent]


def _number_defined(centre: Centre, event: e.NumberDefined) -> None:
    centre.numbers[event.number] = event.destination


def _number_dropped(centre: Centre, event: e.NumberDropped) -> None:
    del centre.numbers[event.number]


def _waits_set(centre: Centre, event: e.WaitsSet) -> None:
    if event.queue in centre.queues:
        centre.queues[event.queue].learned = event.model


CHANGES: dict[type, Callable[[Centre, Any], None]] = {
    e.QueueDefined: _queue_defined,
    e.QueueDropped: _queue_dropped,
    e.AgentDefined: _agent_defined,
    e.AgentDropped: _agent_dropped,
    e.NumberDefined: _number_defined,
    e.NumberDropped: _number_dropped,
    e.WaitsSet: _waits_set,
}
