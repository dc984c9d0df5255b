"""The indexes that let nothing scan: who serves what, who is idle, who waits, who owes whom a call.

They follow from the state and are kept true by `evolve`; `rebuild` makes all of them anew from a snapshot. Every list
is sorted and changed by bisection: a fact costs the same number of calls with ten queues and with ten thousand.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable

from centrala.core.specs import AgentSpec, QueueSpec
from centrala.core.stages import (
    index_fed,
    index_stages,
    is_paced,
    restage,
    stand,
    unindex_stages,
    unstage,
    unstand,
)
from centrala.core.state import LENT_LAST, Agent, Centre, Contact, Queue

# --- who serves what ---


def level_in(agent: AgentSpec, queue: QueueSpec) -> int | None:
    """How well the agent serves the queue; None when not at all."""
    if queue.agents is None and not queue.needs:
        return None
    if queue.agents is not None and agent.id not in queue.agents:
        return None
    if not queue.needs:
        return agent.skills.get(queue.id, 0)
    level = 0
    for skill, least in queue.needs.items():
        have = agent.skills.get(skill, 0)
        if have < least:
            return None
        level += have
    return level


def serves(agent: Agent, queue: QueueSpec, spec: AgentSpec | None = None) -> int | None:
    """The level with what a supervisor has changed; `spec`: were the agent configured so."""
    if queue.id in agent.minus:
        return None
    level = level_in(spec or agent.spec, queue)
    return 0 if level is None and (queue.id in agent.plus or queue.id in agent.loans) else level


def index_queue(centre: Centre, queue: Queue) -> None:
    """Make `members` true after the queue was defined or changed."""
    spec = queue.spec
    queue.paced = is_paced(spec)
    queue.plain = not (spec.widen or queue.paced or spec.last_agent is not None)
    if spec.balance is not None:
        centre.balanced[spec.id] = None
    if spec.agents is not None:
        candidates = [name for name in dict.fromkeys(spec.agents) if name in centre.agents]
        for name in spec.agents:
            centre.listed.setdefault(name, {})[spec.id] = None
    elif spec.needs:
        rarest = min(spec.needs, key=lambda skill: len(centre.skilled.get(skill, ())))
        candidates = list(centre.skilled.get(rarest, ()))
    else:
        candidates = []
    for skill in spec.needs:
        centre.needing.setdefault(skill, {})[spec.id] = None
    for name in dict.fromkeys([*candidates, *centre.lent.get(spec.id, ())]):
        agent = centre.agents[name]
        level = serves(agent, spec)
        if level is not None:
            _join(centre, agent, queue, level)
    if spec.widen:
        index_stages(centre, queue)
    if spec.id in centre.feeding:
        index_fed(centre, spec.id)


def unindex_queue(centre: Centre, queue: Queue) -> None:
    unindex_stages(centre, queue)
    for name in list(queue.members):
        _leave(centre, centre.agents[name], queue)
    if queue.spec.id in centre.feeding:
        index_fed(centre, queue.spec.id)
    centre.balanced.pop(queue.spec.id, None)
    for name in queue.spec.agents or ():
        centre.listed[name].pop(queue.spec.id, None)
    for skill in queue.spec.needs:
        centre.needing[skill].pop(queue.spec.id, None)


def index_agent(centre: Centre, agent: Agent) -> None:
    """Make the agent's `queues` true after it was defined or changed."""
    spec = agent.spec
    candidates = dict(centre.listed.get(spec.id, {}))
    for skill in spec.skills:
        centre.skilled.setdefault(skill, {})[spec.id] = None
        candidates.update(centre.needing.get(skill, {}))
    for name in (*agent.plus, *agent.loans):
        centre.lent.setdefault(name, {})[spec.id] = None
        if name in centre.queues:
            candidates[name] = None
    for name in spec.helps:
        centre.helping.setdefault(name, {})[spec.id] = None
    if agent.loans:
        centre.borrowed[spec.id] = None
    for name in candidates:
        queue = centre.queues[name]
        level = serves(agent, queue.spec)
        if level is not None:
            _join(centre, agent, queue, level)
    if centre.staged:
        restage(centre, agent)


def unindex_agent(centre: Centre, agent: Agent) -> None:
    unstage(centre, agent)
    for name in list(agent.queues):
        _leave(centre, agent, centre.queues[name])
    for skill in agent.spec.skills:
        centre.skilled[skill].pop(agent.spec.id, None)
    for name in (*agent.plus, *agent.loans):
        centre.lent[name].pop(agent.spec.id, None)
    for name in agent.spec.helps:
        centre.helping[name].pop(agent.spec.id, None)
    centre.borrowed.pop(agent.spec.id, None)


def _join(centre: Centre, agent: Agent, queue: Queue, level: int) -> None:
    if len(agent.queues) == 1:
        centre.queues[next(iter(agent.queues))].shared += 1
    if agent.queues:
        queue.shared += 1
    agent.queues[queue.spec.id] = level
    queue.members[agent.spec.id] = level
    if agent.present:
        queue.staffed += 1
    if agent.serving:
        queue.serving += 1
    if agent.idle:
        _stand(agent, (queue,))


def _leave(centre: Centre, agent: Agent, queue: Queue) -> None:
    if agent.idle:
        _unstand(agent, (queue,))
    if agent.present:
        queue.staffed -= 1
    if agent.serving:
        queue.serving -= 1
    del agent.queues[queue.spec.id]
    del queue.members[agent.spec.id]
    if agent.queues:
        queue.shared -= 1
    if len(agent.queues) == 1:
        centre.queues[next(iter(agent.queues))].shared -= 1


# --- who is idle, who waits ---


def _stand(agent: Agent, queues: Iterable[Queue]) -> None:
    """Give the agent a place among the idle of these queues, by their strategies. One call for all of them: an
    agent of fifty queues comes by here twice a contact."""
    order, name, since = agent.order, agent.spec.id, agent.idle_since
    for queue in queues:
        spec = queue.spec
        match spec.strategy:
            case "most_skilled":
                first: float = -agent.queues[spec.id]
            case "round_robin":
                first = agent.offered.get(spec.id, 0)
            case "fewest_calls":
                first = agent.served.get(spec.id, 0)
            case _:  # longest_idle and ring_all
                first = 0
        if agent.loans and spec.id in agent.loans:
            first += LENT_LAST
        key = (first, since, order, name)
        agent.keys[spec.id] = key
        insort(queue.idle, key)


def _unstand(agent: Agent, queues: Iterable[Queue]) -> None:
    for queue in queues:
        idle = queue.idle
        del idle[bisect_left(idle, agent.keys.pop(queue.spec.id))]


def reindex(centre: Centre, agent: Agent, at: float | None) -> None:
    """Make `idle` and `present` true after the agent changed. `at` restarts the idle clock, None lets it run."""
    present = agent.reachable and agent.intent != "logged_out"
    if present != agent.present:
        agent.present = present
        change = 1 if present else -1
        for name in agent.queues:
            centre.queues[name].staffed += change
    serving = agent.reachable and agent.intent == "ready"
    if serving != agent.serving:
        agent.serving = serving
        change = 1 if serving else -1
        for name in agent.queues:
            centre.queues[name].serving += change
    idle = (
        agent.intent == "ready"
        and agent.reachable
        and not agent.offers
        and not agent.calls
        and agent.wrap is None
        and agent.rest_until is None
    )
    if idle == agent.idle:
        return
    agent.idle = idle
    queues = centre.queues
    if idle:
        if at is not None:
            agent.idle_since = at
        _stand(agent, [queues[name] for name in agent.queues])
    else:
        _unstand(agent, [queues[name] for name in agent.queues])
    if agent.stages:
        move = stand if idle else unstand
        for name in agent.stages:
            move(agent, queues[name])


def enter(centre: Centre, contact: Contact) -> None:
    """Let the contact stand in its queue."""
    if contact.queue is not None and not contact.standing:
        contact.standing = True
        queue, entry = centre.queues[contact.queue], (contact.rank, contact.order, contact.id)
        if contact.reserved:
            insort(queue.reserved, entry)
            if contact.reserved in centre.agents:
                centre.agents[contact.reserved].reserved[contact.id] = None
            return
        insort(queue.waiting, entry)
        centre.waiting[contact.queue] = None
        if contact.owed and not contact.customer:
            queue.owed += 1
        if queue.stages is not None:
            lists = queue.stages.waiting
            insort(lists[min(contact.stage, len(lists) - 1)], entry)


def leave(centre: Centre, contact: Contact) -> None:
    """Take the contact out of its queue, if it stands there."""
    if contact.queue is not None and contact.standing:
        contact.standing = False
        queue, entry = centre.queues[contact.queue], (contact.rank, contact.order, contact.id)
        if contact.reserved:
            del queue.reserved[bisect_left(queue.reserved, entry)]
            if contact.reserved in centre.agents:
                centre.agents[contact.reserved].reserved.pop(contact.id, None)
            return
        waiting = queue.waiting
        del waiting[bisect_left(waiting, entry)]
        if not waiting:
            del centre.waiting[contact.queue]
        if contact.owed and not contact.customer:
            queue.owed -= 1
        if queue.stages is not None:
            lists = queue.stages.waiting
            mine = lists[min(contact.stage, len(lists) - 1)]
            del mine[bisect_left(mine, entry)]


def know(centre: Centre, contact: Contact) -> None:
    """Let the contact be found by its caller, and count the place in a slot that it has taken."""
    if contact.caller:
        centre.callers.setdefault(contact.caller, {})[contact.id] = None
    if contact.owed and contact.origin:
        centre.followers.setdefault(contact.origin, {})[contact.id] = None
    promise = contact.promise
    if promise is not None and promise.slot and promise.queue in centre.queues:
        taken = centre.queues[promise.queue].taken
        taken[promise.slot] = taken.get(promise.slot, 0) + 1


def forget(centre: Centre, contact: Contact) -> None:
    """The reverse."""
    if contact.caller and contact.caller in centre.callers:
        known = centre.callers[contact.caller]
        known.pop(contact.id, None)
        if not known:
            del centre.callers[contact.caller]
    if contact.owed and contact.origin in centre.followers:
        followers = centre.followers[contact.origin]
        followers.pop(contact.id, None)
        if not followers:
            del centre.followers[contact.origin]
    promise = contact.promise
    if promise is not None and promise.slot and promise.queue in centre.queues:
        taken = centre.queues[promise.queue].taken
        if promise.slot in taken:
            taken[promise.slot] -= 1
            if not taken[promise.slot]:
                del taken[promise.slot]


def rebuild(centre: Centre) -> None:
    """Make every index anew from what snapshots keep."""
    centre.waiting, centre.listed, centre.needing, centre.skilled, centre.lent = {}, {}, {}, {}, {}
    centre.borrowed, centre.balanced, centre.helping = {}, {}, {}
    centre.callers, centre.followers = {}, {}
    centre.staged, centre.relaxing, centre.feeding = {}, {}, {}
    centre.parked = {who.slot: who.id for who in centre.contacts.values() if who.slot}
    for agent in centre.agents.values():
        agent.queues, agent.keys = {}, {}
        agent.stages, agent.stage_keys, agent.reserved = {}, {}, {}
        agent.idle = agent.present = agent.serving = False
        for name in (*agent.plus, *agent.loans):
            centre.lent.setdefault(name, {})[agent.spec.id] = None
        for name in agent.spec.helps:
            centre.helping.setdefault(name, {})[agent.spec.id] = None
        if agent.loans:
            centre.borrowed[agent.spec.id] = None
        for skill in agent.spec.skills:
            centre.skilled.setdefault(skill, {})[agent.spec.id] = None
    for queue in centre.queues.values():
        queue.waiting, queue.idle, queue.members = [], [], {}
        queue.stages, queue.reserved = None, []
        queue.owed, queue.taken = 0, {}
        queue.staffed = queue.serving = queue.shared = 0
    for queue in centre.queues.values():
        index_queue(centre, queue)
    for agent in centre.agents.values():
        reindex(centre, agent, None)
    for contact in centre.contacts.values():
        if (contact.caller or contact.owed) and contact.state != "wrap_up":
            know(centre, contact)
        if contact.standing:
            contact.standing = False
            enter(centre, contact)
