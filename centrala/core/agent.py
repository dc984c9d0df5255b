"""Decisions about agents: what they want (intent), whether their phone can be reached, what they carry (load).

    intent:  logged_out ◄──► not_ready(reason) ◄──► ready
    phone:   lost ◄──► found
    load:    offered · on contact · wrap-up · rest (back-off after a missed or refused offer)

The three are independent: a pause during a call takes effect after it, an offer that rings goes on ringing.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.acd import Decision
from centrala.core.contact import refused
from centrala.core.state import Agent, Centre


def phone_registered(centre: Centre, fact: f.PhoneRegistered) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None:
        return refused(fact, "no such agent", fact.agent)
    events: list[e.Event] = []
    if not agent.reachable:
        events.append(e.PhoneFound(fact.at, fact.agent))
    if agent.spec.ready_on_register and agent.intent == "logged_out":
        events.append(e.AgentStateChanged(fact.at, fact.agent, "ready"))
    return events, []


def phone_unregistered(centre: Centre, fact: f.PhoneUnregistered) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None:
        return refused(fact, "no such agent", fact.agent)
    events: list[e.Event] = []
    if agent.reachable and not agent.spec.fixed_phone:
        events.append(e.PhoneLost(fact.at, fact.agent))
    if agent.spec.ready_on_register and agent.intent != "logged_out":
        events.append(e.AgentStateChanged(fact.at, fact.agent, "logged_out"))
    return events, []


def signed_in(centre: Centre, fact: f.AgentSignedIn) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None:
        return refused(fact, "no such agent", fact.agent)
    if agent.intent != "logged_out":
        return refused(fact, "signed in already", fact.agent)
    return [e.AgentStateChanged(fact.at, fact.agent, "not_ready", "signed in")], []


def ready(centre: Centre, fact: f.AgentReady) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None:
        return refused(fact, "no such agent", fact.agent)
    events: list[e.Event] = []
    commands: list[c.Command] = []
    if agent.rest_until is not None:
        # Whoever says "ready" needs no more rest.
        events.append(e.RestEnded(fact.at, fact.agent))
        commands.append(c.CancelTimer(f"rest:{fact.agent}"))
    if agent.intent != "ready":
        events.append(e.AgentStateChanged(fact.at, fact.agent, "ready"))
    return events, commands


def paused(centre: Centre, fact: f.AgentPaused) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None:
        return refused(fact, "no such agent", fact.agent)
    if agent.intent == "logged_out":
        return refused(fact, "signed out", fact.agent)
    return [e.AgentStateChanged(fact.at, fact.agent, "not_ready", fact.reason)], []


def signed_out(centre: Centre, fact: f.AgentSignedOut) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None:
        return refused(fact, "no such agent", fact.agent)
    if agent.intent == "logged_out":
        return [], []
    return [e.AgentStateChanged(fact.at, fact.agent, "logged_out")], []


def wrap_up_finished(centre: Centre, fact: f.WrapUpFinished) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None or agent.wrap is None:
        return refused(fact, "not in wrap-up", fact.agent)
    return [e.WrapUpEnded(fact.at, fact.agent, agent.wrap)], [c.CancelTimer(f"wrap:{fact.agent}")]


def wrap_up_over(centre: Centre, name: str, at: float) -> Decision:
    agent = centre.agents.get(name)
    if agent is None or agent.wrap is None:
        return [], []
    if at < agent.wrap_until:
        return [], [c.SetTimer(f"wrap:{name}", agent.wrap_until)]
    return [e.WrapUpEnded(at, name, agent.wrap)], []


def rest_over(centre: Centre, name: str, at: float) -> Decision:
    agent = centre.agents.get(name)
    if agent is None or agent.rest_until is None:
        return [], []
    if at < agent.rest_until:
        return [], [c.SetTimer(f"rest:{name}", agent.rest_until)]
    return [e.RestEnded(at, name)], []


def removal(agent: Agent, at: float) -> Decision:
    """What ends before an agent leaves the configuration. A conversation goes on without the name."""
    name = agent.spec.id
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for leg, contact in agent.offers.items():
        events.append(e.OfferEnded(at, contact, leg, name, "cancelled", "agent removed"))
        commands += [c.CancelRing(contact, leg), c.CancelTimer(f"offer:{leg}")]
    if agent.wrap is not None:
        events.append(e.WrapUpEnded(at, name, agent.wrap))
    events.append(e.AgentDropped(at, name))
    return events, commands
