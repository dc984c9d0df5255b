"""The distributor: where a contact goes, which agent gets it, which contact an agent gets.

Every function is pure: it reads the state and answers with events and commands. Order of service: the contact of
the least rank among all queues the agent serves; a queue that the agent `prefers` comes first, and the offer says so.
"""

from collections.abc import Collection

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import owed
from centrala.core.announce import hushed
from centrala.core.calendar import is_open
from centrala.core.choice import first_for, matches, pace, preference, review
from centrala.core.decision import Decision, turn_away
from centrala.core.flow import steps as flow
from centrala.core.flow.position import back
from centrala.core.indexes import serves
from centrala.core.mix import RINGBACK
from centrala.core.specs import AgentSpec, Destination, QueueSpec
from centrala.core.state import Agent, Centre, Contact, Entry, Queue
from centrala.core.waits import expected

DIRECT_RING = 60.0
"Seconds that a phone rings that was dialled directly; RFC 3261 16.6 lets a proxy wait 3 minutes, people don't."

MAX_HOPS = 8
"Ways out in a row that a contact takes before it is turned away: two queues may point at each other."

MAX_REST = 60.0
"Seconds; the longest back-off of an agent who keeps missing offers."

UNAVAILABLE = Destination("hang_up", "unavailable")
BUSY = Destination("hang_up", "busy")
BACK = Destination("flow")
"Back to the flow that the contact came from, by the exit of the way out's name."


# --- where a contact goes ---


def direct(
    centre: Centre, contact: Contact, to: Destination, at: float, *, redirected: bool = False
) -> Decision:
    """Send the contact to a destination. The offers themselves follow from `Queued` and `Directed`."""
    match to.kind:
        case "queue":
            return _to_queue(centre, contact, to.name, at)
        case "agent":
            agent = centre.agents.get(to.name)
            if agent is None or not agent.reachable:
                return no_way(centre, contact, "unavailable", at)
            if agent.calls or agent.offers:
                return no_way(centre, contact, "busy", at)
        case "flow":
            return flow.begin(centre, contact, to.name, at) or turn_away(contact, "unavailable", at)
        case "hang_up":
            return turn_away(contact, to.name or "unavailable", at)
        case "music":
            events: list[e.Event] = [e.Directed(at, contact.id, to, redirected), e.MusicBegan(at, contact.id)]
            commands: list[c.Command] = [] if contact.answered else [c.Answer(contact.id)]
            return events, [*commands, c.Mix(contact.id, {contact.id: {f"sound:{to.name}": 1.0}})]
        case _:
            pass
    return [e.Directed(at, contact.id, to, redirected)], []


def _to_queue(centre: Centre, contact: Contact, name: str, at: float) -> Decision:
    queue = centre.queues.get(name)
    if queue is None:
        return turn_away(contact, "unavailable", at)
    spec = queue.spec
    if not is_open(spec.open_at, at):
        return way_out(centre, contact, name, "closed", spec.when_closed or UNAVAILABLE, at)
    if not queue.staffed and (spec.when_no_agents is not None or back(centre, contact, "no_agents", at)):
        return way_out(centre, contact, name, "no_agents", spec.when_no_agents or UNAVAILABLE, at)
    stays = contact.kept == name  # has left by a key, and comes back to the same place
    if spec.max_length is not None and not stays:
        waiting = len(queue.waiting) + len(queue.reserved) - queue.owed
        if waiting >= spec.max_length + len(queue.idle):
            return way_out(centre, contact, name, "full", spec.when_full or BUSY, at)
    if spec.when_slow is not None and not stays and not queue.idle and pace(queue, at) < spec.slow_below:
        return way_out(centre, contact, name, "slow", spec.when_slow, at)
    # An overflow keeps the time when the wait began, and a transfer begins a new one.
    since = contact.since if contact.queued_at else at
    gone: Decision = ([], [])
    if contact.caller and len(centre.callers.get(contact.caller, ())) > 1:
        kept, gone = owed.replaced(centre, contact, name, at)
        since = since if kept is None else min(since, kept)
    rank = since - (spec.priority + contact.priority) * spec.ageing
    if contact.back_since and contact.back_queue is None:
        rank += contact.back_since - since  # comes back from a transfer that failed: has waited here before
    commands: list[c.Command] = [] if contact.answered else [c.Answer(contact.id)]
    commands.append(c.Mix(contact.id, {contact.id: {f"sound:{spec.music}": 1.0}}))
    if spec.max_wait is not None:
        commands.append(c.SetTimer(f"wait:{contact.id}", at + spec.max_wait))
    if spec.announce is not None:
        commands.append(c.SetTimer(f"announce:{contact.id}", at + spec.announce.first))
    found = expected(centre, queue, (rank, contact.order, contact.id), at)
    seconds = None if found is None else round(found.seconds, 3)
    seen = () if found is None else found.seen
    return [*gone[0], e.Queued(at, contact.id, name, since, rank, seconds, seen)], [*gone[1], *commands]


def wait_timer(contact: Contact, queue: QueueSpec, at: float) -> list[c.Command]:
    """Set the end of the contact's wait as the queue has it now; no command where waits have no end."""
    if queue.max_wait is None or contact.absent:
        return []
    return [c.SetTimer(f"wait:{contact.id}", max(at, contact.queued_at + queue.max_wait))]


def way_out(centre: Centre, contact: Contact, queue: str, why: str, to: Destination, at: float) -> Decision:
    """Leave the queue by the way that is configured: by the flow that led here, or else by the queue itself.

    Where it leads follows from `Overflowed`.
    """
    if contact.hops >= MAX_HOPS:
        to = BUSY
    elif back(centre, contact, why, at) is not None:
        to = BACK
    return [e.Overflowed(at, contact.id, queue, why, to)], hushed(contact)  # type: ignore[arg-type]


def no_way(centre: Centre, contact: Contact, cause: str, at: float) -> Decision:
    """Whom the contact was sent to can't be had: back to the flow that sent it, or to the end."""
    node = back(centre, contact, "failed", at)
    return ([node], []) if node is not None else turn_away(contact, cause, at, "failed")


# --- who gets whom ---


def fill(centre: Centre, queue: Queue, at: float, taken: Collection[str] = ()) -> Decision:
    """Offer the first who wait to the first who are idle, pair by pair; under ring_all the first to everybody.

    `taken`: agents who have just been offered something else.
    """
    if queue.stages is not None:
        return _fill_by_stages(centre, queue, at, taken)
    if not queue.waiting or not queue.idle:
        return [], []
    count = len(queue.idle)
    why = f"{queue.spec.strategy} of {count} idle"
    if queue.spec.strategy == "ring_all":
        contact = centre.contacts[queue.waiting[0][2]]
        events: list[e.Event] = []
        commands: list[c.Command] = []
        for offset, key in enumerate(queue.idle, 1):
            made, asked = _offer(contact, centre.agents[key[3]], queue, at, why, offset)
            events += made
            commands += asked
        return events, commands
    if len(queue.waiting) == 1 or count == 1:
        return _offer(
            centre.contacts[queue.waiting[0][2]], centre.agents[queue.idle[0][3]], queue, at, why, 1
        )
    events, commands = [], []
    for entry, key in zip(queue.waiting, queue.idle, strict=False):
        made, asked = _offer(centre.contacts[entry[2]], centre.agents[key[3]], queue, at, why, 1)
        events += made
        commands += asked
    return events, commands


def _fill_by_stages(centre: Centre, queue: Queue, at: float, taken: Collection[str]) -> Decision:
    """The same where a queue has stages. If another one is open by now, that is said first: this follows again."""
    left = len(queue.waiting) - min(len(queue.idle), len(queue.waiting))
    stage, cause = review(centre, queue, at, left)
    if stage != queue.stage:
        return [e.QueueWidened(at, queue.spec.id, stage, cause)], []  # type: ignore[arg-type]
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for contact, agent, why, offset in matches(centre, queue, at, taken):
        made, asked = _offer(contact, agent, queue, at, why, offset)
        events += made
        commands += asked
    return events, commands


def fill_or_desert(centre: Centre, queue: Queue, at: float) -> Decision:
    """Those who wait get whoever is idle, or take the way out where nobody is left who serves the queue."""
    if queue.staffed:
        return fill(centre, queue, at)
    events, commands = deserted(centre, queue, at)
    return (events, commands) if events or queue.stages is None else fill(centre, queue, at)


def offer_kept(contact: Contact, agent: Agent, queue: Queue, at: float, why: str) -> Decision:
    """To the one agent for whom it is kept."""
    return _offer(contact, agent, queue, at, why, 1)


def next_contact(centre: Centre, agent: Agent, at: float) -> Decision:
    """What the idle agent gets: the least rank among the heads of their queues, preferred queues first."""
    if agent.stages or agent.reserved:
        calm, contact, of, why = first_for(centre, agent, at)
        if contact is None or of is None:
            return calm, []
        events, commands = _offer(contact, agent, of, at, why, 1)
        return [*calm, *events], commands
    if not centre.waiting:
        return [], []
    heads: list[tuple[Entry, str]]
    if len(agent.queues) <= len(centre.waiting):
        heads = [
            (centre.queues[name].waiting[0], name) for name in agent.queues if centre.queues[name].waiting
        ]
    else:
        heads = [(centre.queues[name].waiting[0], name) for name in centre.waiting if name in agent.queues]
    if not heads:
        return [], []
    entry, name = min(heads)
    why = "first in line"
    prefers = agent.spec.prefers
    if prefers and len(heads) > 1:
        first = min(heads, key=lambda head: (preference(prefers, head[1]), head[0]))
        if first[1] != name:
            entry, name = first
            why = "preferred queue first"
    queue = centre.queues[name]
    return _offer(centre.contacts[entry[2]], agent, queue, at, f"{why}, {len(queue.waiting)} waiting", 1)


def nobody_there(centre: Centre, agent: Agent, at: float) -> Decision:
    """The last one may have left: whoever waits takes the way out, where one is configured."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for name in agent.queues:
        more, asked = deserted(centre, centre.queues[name], at)
        events += more
        commands += asked
    return events, commands


def leaves_alone(centre: Centre, agent: Agent, spec: AgentSpec | None, at: float) -> Decision:
    """The same where configuration takes the agent away: changed to `spec`, or removed (None)."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    if not agent.present:
        return events, commands
    stays = spec is not None and (spec.fixed_phone or not agent.spec.fixed_phone)
    stays = stays and (spec is None or spec.always_ready or not agent.spec.always_ready)
    for name in agent.queues:
        queue = centre.queues[name]
        if stays and spec is not None and serves(agent, queue.spec, spec) is not None:
            continue
        more, asked = deserted(centre, queue, at, leaving=1)
        events += more
        commands += asked
    return events, commands


def deserted(centre: Centre, queue: Queue, at: float, *, leaving: int = 0) -> Decision:
    """Whoever waits where nobody is left (once `leaving` of the staff are gone) and no phone rings goes."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    to = queue.spec.when_no_agents
    if queue.staffed > leaving or not queue.waiting:
        return events, commands
    for entry in queue.waiting:
        contact = centre.contacts[entry[2]]
        if (
            contact.offers
            or contact.absent
            or (to is None and back(centre, contact, "no_agents", at) is None)
        ):
            continue
        commands.append(c.CancelTimer(f"wait:{contact.id}"))
        more, asked = way_out(centre, contact, queue.spec.id, "no_agents", to or UNAVAILABLE, at)
        events += more
        commands += asked
    return events, commands


def _offer(contact: Contact, agent: Agent, queue: Queue, at: float, why: str, offset: int) -> Decision:
    leg = f"{contact.id}.{contact.legs + offset}"
    until = at + queue.spec.ring_timeout
    name = agent.spec.id
    if contact.owed and contact.absent:
        why = owed.explained(contact, why, at)
    return [e.OfferMade(at, contact.id, leg, name, queue.spec.id, until, why)], [
        c.Ring(contact.id, leg, Destination("agent", name), queue.spec.ring_timeout),
        c.SetTimer(f"offer:{leg}", until),
    ]


def ring_directly(centre: Centre, contact: Contact, at: float) -> Decision:
    """Ring the one phone that the contact was sent to."""
    to = contact.target
    assert to is not None
    if to.kind == "agent" and centre.agents[to.name].offers:
        return no_way(centre, contact, "busy", at)  # a whole queue may overflow to one agent at once
    # Whom an agent calls outside is the customer.
    leg = f"{contact.id}.{contact.legs + 1}" if contact.customer else contact.id
    agent = to.name if to.kind == "agent" else None
    commands: list[c.Command] = []
    if contact.answered:
        commands.append(c.Mix(contact.id, {contact.leg or contact.id: {RINGBACK: 1.0}}))
    commands += [
        c.Ring(contact.id, leg, to, DIRECT_RING),
        c.SetTimer(f"offer:{leg}", at + DIRECT_RING),
    ]
    return [e.OfferMade(at, contact.id, leg, agent, None, at + DIRECT_RING, "dialled")], commands


def after_miss(agent: Agent, queue: Queue | None, how: str, at: float) -> Decision:
    """What a missed, refused or failed offer means for the agent: leave them alone for a while.

    Agents who sign in by hand are set not ready after `missed_limit` misses in a row. Phones that are ready by
    themselves have nobody to say "ready" again, so they rest, longer each time.
    """
    if queue is None:
        return [], []
    spec = queue.spec
    missed = agent.missed + (how != "refused")
    by_itself = agent.spec.always_ready or agent.spec.ready_on_register
    if missed >= spec.missed_limit and not by_itself and agent.intent == "ready":
        return [e.AgentStateChanged(at, agent.spec.id, "not_ready", "missed")], []
    if how == "refused":
        rest = spec.reject_delay
    else:
        rest = min(spec.retry_delay * 2.0 ** min(missed - 1, 10), max(MAX_REST, spec.retry_delay))
    if rest <= 0 and how == "refused":
        return [], []
    until = at + rest
    return [e.RestBegan(at, agent.spec.id, until, missed)], [c.SetTimer(f"rest:{agent.spec.id}", until)]
