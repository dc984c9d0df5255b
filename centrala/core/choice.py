"""Who gets whom where that depends on more than one line: queues with stages, contacts kept for one agent.

Read by `acd`, which makes the offers. Costs by the number of stages, never of callers or agents. The contact of the
least rank goes first; it gets an agent of the lowest stage that has any, among these by the queue's strategy.
"""

from collections.abc import Collection, Iterator

from centrala.core import events as e
from centrala.core.calendar import is_open
from centrala.core.specs import QueueSpec
from centrala.core.stages import share
from centrala.core.state import Agent, Centre, Contact, Entry, Queue

WHY_KEPT = {
    "last": "last_agent: has talked with them before",
    "preferred": "preferred_agent: is named on their card",
    "flow": "flow_agent: was chosen by the flow",
}


def matches(
    centre: Centre, queue: Queue, at: float, taken: Collection[str] = ()
) -> Iterator[tuple[Contact, Agent, str, int]]:
    """(contact, agent, why, number of this offer of the contact), all that can be made now in a queue with stages.

    `taken`: agents who have just been offered something else.
    """
    stages = queue.stages
    assert stages is not None
    idle = [[key for key in keys if key[3] not in taken] if taken else keys for keys in stages.idle]
    idle[0] = [key for key in queue.idle if key[3] not in taken] if taken else queue.idle
    count = sum(map(len, idle))
    if not count or not queue.waiting:
        return
    plain = f"{queue.spec.strategy} of {count} idle"
    if queue.spec.strategy == "ring_all":
        rung: dict[str, int] = {}
        for stage, keys in enumerate(idle):
            entry = head(queue, stage)
            if entry is None:
                continue
            contact = centre.contacts[entry[2]]
            for key in keys:
                rung[contact.id] = rung.get(contact.id, 0) + 1
                why = f"{relaxed(contact, queue, stage)}, {plain}" if stage else plain
                yield contact, centre.agents[key[3]], why, rung[contact.id]
        return
    given, served = [0] * len(idle), [0] * len(idle)
    opened = queue.stage
    while True:
        first: tuple[Entry, int, int] | None = None
        if opened:  # one less waits with each offer
            left = len(queue.waiting) - sum(served)
            opened = min(opened, review(centre, queue, at, left - min(left, len(idle[0]) - given[0]))[0])
        for own, entries in enumerate(stages.waiting):
            if served[own] >= len(entries):
                continue
            reach = max(own, opened)
            found = next((stage for stage in range(reach + 1) if given[stage] < len(idle[stage])), None)
            if found is not None and (first is None or entries[served[own]] < first[0]):
                first = entries[served[own]], own, found
        if first is None:
            return
        entry, own, stage = first
        contact, agent = centre.contacts[entry[2]], centre.agents[idle[stage][given[stage]][3]]
        yield contact, agent, f"{relaxed(contact, queue, stage)}, {plain}" if stage else plain, 1
        served[own] += 1
        given[stage] += 1


def head(queue: Queue, stage: int, opened: int | None = None) -> Entry | None:
    """The first in line whom an agent of this stage may be offered. `opened`: were the queue as a whole at this one."""
    if not queue.waiting:
        return None
    if queue.stages is None or stage <= (queue.stage if opened is None else opened):
        return queue.waiting[0]
    return min((entries[0] for entries in queue.stages.waiting[stage:] if entries), default=None)


def first_for(
    centre: Centre, agent: Agent, at: float
) -> tuple[list[e.Event], Contact | None, Queue | None, str]:
    """What the agent gets who serves queues from a stage on, or for whom somebody waits: (queues that are calm again,
    contact, its queue, why)."""
    calm: list[e.Event] = []
    heads: list[tuple[Entry, str, int]] = []
    for name in agent.queues if len(agent.queues) <= len(centre.waiting) else centre.waiting:
        if name in agent.queues and centre.queues[name].waiting:
            heads.append((centre.queues[name].waiting[0], name, 0))
    for name, (stage, _) in agent.stages.items():
        queue = centre.queues[name]
        opened = queue.stage
        if opened:
            now, why = review(centre, queue, at, len(queue.waiting))
            if now < opened:
                opened = now
                calm.append(e.QueueWidened(at, name, now, why))  # type: ignore[arg-type]
        entry = head(queue, stage, opened)
        if entry is not None:
            heads.append((entry, name, stage))
    for waits in agent.reserved:
        contact = centre.contacts[waits]
        if contact.queue is not None and contact.state == "queued":
            heads.append(((contact.rank, contact.order, contact.id), contact.queue, -1))
    if not heads:
        return calm, None, None, ""
    entry, name, stage = min(heads)
    why = "first in line"
    prefers = agent.spec.prefers
    if prefers and len(heads) > 1:
        first = min(heads, key=lambda one: (preference(prefers, one[1]), one[0]))
        if first[1] != name:
            entry, name, stage = first
            why = "preferred queue first"
    contact, queue = centre.contacts[entry[2]], centre.queues[name]
    if stage:
        special = relaxed(contact, queue, stage) if stage > 0 else WHY_KEPT[contact.reserved_why]
        why = f"{special}, {why}"
    return calm, contact, queue, f"{why}, {len(queue.waiting)} waiting"


def preference(prefers: tuple[str, ...], queue: str) -> int:
    return prefers.index(queue) if queue in prefers else len(prefers)


# --- which stage is open ---


def review(centre: Centre, queue: Queue, at: float, waiting: int) -> tuple[int, str]:
    """(stage that is open to the whole queue with so many waiting, why)."""
    spec = queue.spec
    for stage in range(len(spec.widen), 0, -1):
        one = spec.widen[stage - 1]
        if one.calendar and not is_open(centre.calendars.get(one.calendar, ()), at):
            continue
        if one.length is not None and waiting >= one.length:
            return stage, "length"
        if one.below is not None and waiting and pace(queue, at) < one.below:
            return stage, "service_level"
    return 0, "calm"


def pace(queue: Queue, at: float) -> float:
    """The share of late that was answered in time."""
    return share(queue.pace, at, queue.spec.service_level[0])


def relaxed(contact: Contact, queue: Queue, stage: int) -> str:
    """Why somebody of a further stage may be offered the contact, and what isn't asked for any more."""
    spec = queue.spec
    own = next((one for one in spec.widen[stage - 1 : contact.stage] if one.after is not None), None)
    if own is not None and own.after is not None:
        cause = f"after {own.after:g} s"
    else:
        opened = spec.widen[max(queue.stage, stage) - 1]
        by_length = queue.stage_why == "length" and opened.length is not None
        below = 0.0 if opened.below is None else opened.below
        cause = f"at {opened.length} waiting" if by_length else f"below {below:.0%} in time"
    return f"relaxed {cause}: {eased(spec, stage)}"


def eased(spec: QueueSpec, stage: int) -> str:
    """What a stage gives up: "english 3, no polish, with billing"."""
    one = spec.widen[stage - 1]
    needs = [f"{skill} {least}" if least else f"no {skill}" for skill, least in (one.needs or {}).items()]
    return ", ".join([*needs, *(f"with {name}" for name in one.queues)])
