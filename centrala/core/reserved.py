"""Decisions about whom somebody is kept for: who talked with them last, whom they prefer, whom a flow has named.

A contact that comes to a queue waits for that one agent alone, who must serve the queue and be ready (or will be
after this call): offered at once if they are free, else in the order of ranks when they are. It keeps its place, and
overtakes nobody. When its time is over, or that agent has refused, missed it or gone, it waits as everybody does.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core.acd import fill_or_desert, offer_kept
from centrala.core.choice import WHY_KEPT
from centrala.core.decision import Decision
from centrala.core.specs import LastAgent
from centrala.core.state import Agent, Centre, Contact, Queue

ENDED_BY = {"missed": "missed", "refused": "refused", "failed": "failed"}


def wanted(centre: Centre, contact: Contact, queue: Queue, at: float) -> tuple[str, str, float] | None:
    """(agent, why, seconds to wait) of the first who can be waited for; None: there is none."""
    rule = queue.spec.last_agent
    usual = LastAgent() if rule is None else rule
    named: list[tuple[str, str, float]] = []
    if contact.wanted:
        seconds = usual.wait if contact.wanted_wait is None else contact.wanted_wait
        named.append((contact.wanted, "flow", seconds))
    if rule is not None and rule.preferred and contact.preferred:
        named.append((contact.preferred, "preferred", rule.wait))
    if rule is not None and contact.last_agent and 0 <= at - contact.last_at <= rule.within:
        named.append((contact.last_agent, "last", rule.wait))
    for name, why, seconds in named:
        agent = centre.agents.get(name)
        if agent is not None and keeps(agent, queue) and (agent.idle or seconds > 0):
            return name, why, seconds
    return None


def keeps(agent: Agent, queue: Queue) -> bool:
    """Takes calls of the queue, now or after this one."""
    return agent.serving and queue.spec.id in agent.queues


def begin(centre: Centre, contact: Contact, queue: Queue, at: float) -> Decision | None:
    """Keep a contact that has come to the queue; None where it waits as all do."""
    found = wanted(centre, contact, queue, at)
    if found is None:
        return None
    name, why, seconds = found
    until = at + max(seconds, 0.0)
    reserved = e.Reserved(at, contact.id, name, until, why)  # type: ignore[arg-type]
    return [reserved], [c.SetTimer(f"reserve:{contact.id}", until)]


def began(centre: Centre, event: e.Reserved) -> Decision:
    contact, agent = centre.contacts[event.contact], centre.agents[event.agent]
    if not agent.idle or contact.queue not in centre.queues:
        return [], []
    return offer_kept(contact, agent, centre.queues[contact.queue], event.at, WHY_KEPT[event.why])


def time_over(centre: Centre, name: str, at: float) -> Decision:
    contact = centre.contacts.get(name)
    if contact is None or not contact.reserved or contact.state not in ("queued", "offered"):
        return [], []
    if contact.offers:
        # Their phone rings: let it finish.
        until = max(offer.until for offer in contact.offers.values())
        return [], [c.SetTimer(f"reserve:{name}", max(until, at) + 0.1)]
    if at < contact.reserved_until:
        return [], [c.SetTimer(f"reserve:{name}", contact.reserved_until)]
    return ([e.ReservationEnded(at, name, "time")] if contact.queue in centre.queues else []), []


def offer_over(centre: Centre, contact: Contact, how: str, at: float) -> Decision | None:
    """The wanted agent's phone rings no more; None: it was no fault of theirs, and they are waited for still."""
    agent = centre.agents.get(contact.reserved)
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if how not in ENDED_BY and agent is not None and queue is not None and keeps(agent, queue):
        return None
    why = ENDED_BY.get(how, "gone")
    return [e.ReservationEnded(at, contact.id, why)], [c.CancelTimer(f"reserve:{contact.id}")]  # type: ignore[arg-type]


def ended(centre: Centre, event: e.ReservationEnded) -> Decision:
    contact = centre.contacts.get(event.contact)
    queue = centre.queues.get(contact.queue) if contact is not None and contact.queue is not None else None
    return ([], []) if queue is None else fill_or_desert(centre, queue, event.at)


def let_go(centre: Centre, agent: Agent, at: float, *, leaving: bool = False) -> Decision:
    """Whoever waits for an agent in vain, who has signed out, paused, or serves the queue no more."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for name in agent.reserved:
        contact = centre.contacts[name]
        queue = centre.queues.get(contact.queue) if contact.queue is not None else None
        if contact.offers or (not leaving and queue is not None and keeps(agent, queue)):
            continue
        events.append(e.ReservationEnded(at, name, "gone"))
        commands.append(c.CancelTimer(f"reserve:{name}"))
    return events, commands


def agent_changed(
    centre: Centre,
    event: e.AgentStateChanged | e.PhoneLost | e.AgentQueuesSet | e.AgentReturned | e.AgentDefined,
) -> Decision:
    name = event.spec.id if isinstance(event, e.AgentDefined) else event.agent
    agent = centre.agents.get(name)
    return let_go(centre, agent, event.at) if agent is not None and agent.reserved else ([], [])


def queue_changed(centre: Centre, queue: Queue, at: float) -> Decision:
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for name in {centre.contacts[entry[2]].reserved: None for entry in queue.reserved}:
        if name in centre.agents:
            more, asked = let_go(centre, centre.agents[name], at)
            events += more
            commands += asked
    return events, commands
