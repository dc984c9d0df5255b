"""What the events of agents change: intent, phone, load, loans."""

from collections.abc import Callable
from typing import Any

from centrala.core import events as e
from centrala.core.evolve.contacts import no_longer_busy
from centrala.core.indexes import (
    index_agent,
    reindex,
    unindex_agent,
)
from centrala.core.state import Agent, Centre, Loan


def _agent_queues_set(centre: Centre, event: e.AgentQueuesSet) -> None:
    agent = centre.agents[event.agent]
    unindex_agent(centre, agent)
    agent.plus, agent.minus = event.plus, event.minus
    index_agent(centre, agent)


def _balancing_set(centre: Centre, event: e.BalancingSet) -> None:
    centre.balancing = event.spec
    if event.spec is None or not event.spec.on:
        centre.balancing_paused = False


def _balance_paused(centre: Centre, event: e.BalancePaused) -> None:
    centre.balancing_paused = not event.on


def _agent_lent(centre: Centre, event: e.AgentLent) -> None:
    agent = centre.agents[event.agent]
    unindex_agent(centre, agent)
    agent.loans[event.queue] = Loan(event.at, event.values, event.home)
    index_agent(centre, agent)
    _agent_moved(agent, event.at)


def _agent_returned(centre: Centre, event: e.AgentReturned) -> None:
    agent = centre.agents[event.agent]
    unindex_agent(centre, agent)
    agent.loans.pop(event.queue, None)
    index_agent(centre, agent)
    _agent_moved(agent, event.at)
    agent.barred = {name: until for name, until in agent.barred.items() if until > event.at}
    if event.until:
        agent.barred[event.queue] = event.until


def _agent_moved(agent: Agent, at: float) -> None:
    agent.moves = (*(moment for moment in agent.moves if moment > at - 3600.0), at)


def _agent_state_changed(centre: Centre, event: e.AgentStateChanged) -> None:
    agent = centre.agents[event.agent]
    if agent.intent == "logged_out" != event.intent:
        agent.served.clear()
    agent.intent = event.intent
    agent.reason = event.reason
    agent.changed_at = event.at
    agent.missed = 0
    reindex(centre, agent, event.at)


def _phone_found(centre: Centre, event: e.PhoneFound) -> None:
    agent = centre.agents[event.agent]
    agent.reachable, agent.asleep = True, False
    reindex(centre, agent, event.at)


def _phone_lost(centre: Centre, event: e.PhoneLost) -> None:
    agent = centre.agents[event.agent]
    agent.reachable, agent.asleep = False, event.why == "asleep"
    agent.lost_at = event.at
    reindex(centre, agent, None)


def _agent_freed(centre: Centre, event: e.AgentFreed) -> None:
    agent = centre.agents.get(event.agent)
    if agent is not None:
        agent.calls.pop(event.contact, None)
        no_longer_busy(centre, agent, event.at)
        reindex(centre, agent, event.at)


def _wrap_up_began(centre: Centre, event: e.WrapUpBegan) -> None:
    agent = centre.agents[event.agent]
    agent.calls.pop(event.contact, None)
    agent.wrap = event.contact
    agent.wrap_until = event.until
    agent.overran = False
    contact = centre.contacts[event.contact]
    agent.wrap_queue = contact.leg_queue
    contact.wrapping += 1
    reindex(centre, agent, None)


def _wrap_up_prolonged(centre: Centre, event: e.WrapUpProlonged) -> None:
    agent = centre.agents[event.agent]
    agent.wrap_until = event.until
    agent.overran = False


def _wrap_up_overran(centre: Centre, event: e.WrapUpOverran) -> None:
    centre.agents[event.agent].overran = True


def _wrap_up_ended(centre: Centre, event: e.WrapUpEnded) -> None:
    agent = centre.agents[event.agent]
    if not agent.calls:  # else it ends because the next conversation's begins
        no_longer_busy(centre, agent, event.at)
    agent.wrap = agent.wrap_queue = None
    agent.overran = False
    contact = centre.contacts.get(event.contact)
    if contact is not None:
        contact.wrapping -= 1
        if contact.state == "wrap_up" and not contact.wrapping:
            del centre.contacts[event.contact]
    reindex(centre, agent, event.at)


def _rest_began(centre: Centre, event: e.RestBegan) -> None:
    agent = centre.agents[event.agent]
    agent.rest_until = event.until
    agent.missed = event.missed
    reindex(centre, agent, None)


def _rest_ended(centre: Centre, event: e.RestEnded) -> None:
    agent = centre.agents[event.agent]
    agent.rest_until = None
    reindex(centre, agent, event.at)


def _refused(centre: Centre, event: e.Refused) -> None:
    pass


CHANGES: dict[type, Callable[[Centre, Any], None]] = {
    e.AgentQueuesSet: _agent_queues_set,
    e.BalancingSet: _balancing_set,
    e.BalancePaused: _balance_paused,
    e.AgentLent: _agent_lent,
    e.AgentReturned: _agent_returned,
    e.AgentStateChanged: _agent_state_changed,
    e.PhoneFound: _phone_found,
    e.PhoneLost: _phone_lost,
    e.AgentFreed: _agent_freed,
    e.WrapUpBegan: _wrap_up_began,
    e.WrapUpProlonged: _wrap_up_prolonged,
    e.WrapUpOverran: _wrap_up_overran,
    e.WrapUpEnded: _wrap_up_ended,
    e.RestBegan: _rest_began,
    e.RestEnded: _rest_ended,
    e.Refused: _refused,
}
