"""Decisions about agents: what they want (intent), whether their phone can be reached, what they carry (load).

    intent:  logged_out ◄──► not_ready(reason) ◄──► ready
    phone:   lost ◄──► found
    load:    offered · on contact · wrap-up · rest (back-off after a missed or refused offer)

The three are independent: a pause during a call takes effect after it, an offer that rings goes on ringing.
"""

from centrala.core import balance
from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.decision import Decision, refused
from centrala.core.offers import stop_ringing
from centrala.core.state import Agent, Centre

LONGEST_EXTENSION = 3600.0
"Seconds by which after-call work can be extended at once."


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
    if (agent.reachable or agent.asleep) and not agent.spec.fixed_phone:
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
    if _result_missing(centre, agent):
        return refused(fact, "A result is needed first.", fact.agent)
    return [e.WrapUpEnded(fact.at, fact.agent, agent.wrap)], [c.CancelTimer(f"wrap:{fact.agent}")]


def wrap_up_extended(centre: Centre, fact: f.WrapUpExtended) -> Decision:
    agent = centre.agents.get(fact.agent)
    if agent is None or agent.wrap is None:
        return refused(fact, "You are not in after-call work.", fact.agent)
    if not 0 < fact.seconds <= LONGEST_EXTENSION:
        return refused(
            fact, f"After-call work is extended by 1 to {LONGEST_EXTENSION:.0f} seconds.", fact.agent
        )
    until = max(agent.wrap_until, fact.at) + fact.seconds
    return [e.WrapUpProlonged(fact.at, fact.agent, agent.wrap, until)], [
        c.SetTimer(f"wrap:{fact.agent}", until)
    ]


def wrap_up_over(centre: Centre, name: str, at: float) -> Decision:
    agent = centre.agents.get(name)
    if agent is None or agent.wrap is None:
        return [], []
    if at < agent.wrap_until:
        return [], [c.SetTimer(f"wrap:{name}", agent.wrap_until)]
    if _result_missing(centre, agent):
        return [] if agent.overran else [e.WrapUpOverran(at, name, agent.wrap)], []
    return [e.WrapUpEnded(at, name, agent.wrap)], []


def _result_missing(centre: Centre, agent: Agent) -> bool:
    """The queue asks for a result, and this agent has given none for the contact."""
    queue = centre.queues.get(agent.wrap_queue) if agent.wrap_queue is not None else None
    if queue is None or not queue.spec.dispositions or agent.wrap is None:
        return False
    contact = centre.contacts.get(agent.wrap)
    return contact is not None and agent.spec.id not in contact.results


def result_given(centre: Centre, fact: f.ResultGiven) -> Decision:
    """During the conversation or in after-call work; what is given last counts. Ends work that ran over its time."""
    contact, agent = centre.contacts.get(fact.contact), centre.agents.get(fact.agent)
    if contact is None or agent is None or (agent.wrap != fact.contact and fact.contact not in agent.calls):
        return refused(fact, "You are not working on this contact.", fact.agent)
    name = agent.wrap_queue if agent.wrap == fact.contact else contact.leg_queue
    queue = centre.queues.get(name) if name is not None else None
    if queue is not None and queue.spec.dispositions and fact.disposition not in queue.spec.dispositions:
        return refused(fact, "This queue has no such result.", fact.disposition)
    if not fact.disposition:
        return refused(fact, "Choose a result.", fact.agent)
    events: list[e.Event] = [e.ResultNoted(fact.at, fact.contact, fact.agent, fact.disposition)]
    if agent.overran and agent.wrap == fact.contact:
        events.append(e.WrapUpEnded(fact.at, fact.agent, fact.contact))
    return events, []


def rest_over(centre: Centre, name: str, at: float) -> Decision:
    agent = centre.agents.get(name)
    if agent is None or agent.rest_until is None:
        return [], []
    if at < agent.rest_until:
        return [], [c.SetTimer(f"rest:{name}", agent.rest_until)]
    return [e.RestEnded(at, name)], []


def removal(centre: Centre, agent: Agent, at: float) -> Decision:
    """What ends before an agent leaves the configuration. A conversation goes on without the name."""
    name = agent.spec.id
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for leg, contact in agent.offers.items():
        more, asked = stop_ringing(centre, contact, leg, name, "agent removed", at)
        events += more
        commands += asked
    if agent.wrap is not None:
        events.append(e.WrapUpEnded(at, name, agent.wrap))
    events += balance.removal(agent, at)
    events.append(e.AgentDropped(at, name))
    return events, commands


def queues_changed(centre: Centre, fact: f.AgentQueuesChanged) -> Decision:
    """A supervisor lends the agent to queues, or takes them out of some."""
    agent = centre.agents.get(fact.agent)
    if agent is None:
        return refused(fact, "There is no such agent.", fact.agent)
    unknown = next((name for name in (*fact.plus, *fact.minus) if name not in centre.queues), None)
    if unknown is not None:
        return refused(fact, "There is no such queue.", unknown)
    if set(fact.plus) & set(fact.minus):
        return refused(fact, "An agent can't be lent to a queue and taken out of it.", fact.agent)
    if (agent.plus, agent.minus) == (fact.plus, fact.minus):
        return [], []
    return [e.AgentQueuesSet(fact.at, fact.agent, fact.plus, fact.minus)], []
