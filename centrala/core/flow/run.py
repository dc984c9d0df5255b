"""A contact goes through a flow: what each node does when it is entered, and what follows from what the world says.

    NodeEntered ──► at once (set, branch, hours …) ─────────────────────► NodeEntered
                ──► a prompt ──► digits ──► (asked again) ──────────────► NodeEntered
                ──► a message, an errand ───────────────────────────────► NodeEntered
                ──► FlowLeft (queue, transfer), ContactEnded

`enter` is the consequence of a `NodeEntered`; the other functions decide on facts. `steps` leads from node to node,
`asking` says prompts and asks for digits. At most one thing of the world is waited for at a time: `run.waits`.
"""

from zlib import crc32

from centrala.core import announce, briefing, owed
from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.announce import LOST
from centrala.core.calendar import is_open
from centrala.core.decision import Decision, refused, turn_away
from centrala.core.flow import nodes as n
from centrala.core.flow.asking import again, ask, digits_on, speak, understood, wait_for_digits
from centrala.core.flow.expression import Quote
from centrala.core.flow.functions import truth
from centrala.core.flow.position import node_of, parsed
from centrala.core.flow.steps import go, in_flow, looking, over, returned, set_and_go, take, taken
from centrala.core.private import Private
from centrala.core.specs import Destination
from centrala.core.state import Centre, Contact, Run

MAX_STEPS = 1000
"Nodes in a row without a word to the world, or from it: a loop."
MAX_NODES = 20_000
"Nodes altogether: nobody is that long on the telephone."
MOST_POINTS = 1e6
"That a queue node's expression may add or take away; beyond, it adds none."
MAX_DEPTH = 8
"Flows within flows."
GRACE = 1.0
"Seconds beyond its time limit after which an errand that nobody answers for has failed."
CLOSING = 10.0
"The same of a message: its file is closed and trimmed when its time is up."


def enter(centre: Centre, event: e.NodeEntered) -> Decision:
    """Do what the node is there for."""
    contact = centre.contacts[event.contact]
    run, node, at = contact.run, node_of(centre, contact), event.at
    if run is None:
        return [], []
    if node is None or run.steps > MAX_STEPS or run.nodes > MAX_NODES:
        why = e.NodeFailed(at, contact.id, run.flow, run.version, run.node, "too_long")
        events, commands = over(contact, "a flow goes round in a circle", at, "failed")
        return [why, *events], commands
    match node.does:
        case n.Answer():
            events, commands = go(centre, contact, "next", at)
            return [*taken(contact, at), *events], [*take(contact), *commands]
        case n.Say(prompt=prompt):
            return speak(centre, contact, prompt, at) or go(centre, contact, "next", at)
        case n.Menu() | n.Collect() | n.Question():
            return ask(centre, contact, node.does, at)
        case n.TakeMessage(prompt=prompt):
            return speak(centre, contact, prompt, at) or _take_message(contact, node.does, at)
        case n.Callback():
            return _call_back(centre, contact, node.does, at)
        case n.Slots():
            return _slots(centre, contact, node.does, at)
        case n.Set(values=values):
            look = looking(contact)
            changed = {name: Private(one.value(look)) for name, one in values.items()}
            return set_and_go(centre, contact, changed, "next", at)
        case n.Branch(cases=cases):
            look = looking(contact)
            return go(centre, contact, next((to for one, to in cases if truth(one.value(look))), "else"), at)
        case n.Share(shares=shares):
            return go(centre, contact, _drawn(contact, run, shares), at)
        case n.Hours():
            return _hours(centre, contact, node.does, at)
        case n.Errand():
            return _send(centre, contact, node.does, at)
        case n.Enqueue() | n.Transfer() if contact.interlude is not None:
            return _in_call(contact, run, at)
        case n.Enqueue(back=True):
            return _go_on_waiting(centre, contact, run, at)
        case n.Enqueue():
            return [_into_queue(contact, node.does, at)], []
        case n.Transfer(to=to):
            return [e.FlowLeft(at, contact.id, to)], []
        case n.HangUp(cause=cause, outcome=outcome):
            return over(contact, cause, at, outcome)
        case n.SubFlow(flow=name):
            return _inner(centre, contact, run, name, at)
        case n.Return(exit=exit):
            return _return(centre, contact, run, exit, at)


def _in_call(contact: Contact, run: Run, at: float) -> Decision:
    """A node that would send the customer elsewhere while the owner waits for them."""
    events, commands = returned(contact, "failed", at)
    return [e.NodeFailed(at, contact.id, run.flow, run.version, run.node, "in_call"), *events], commands


def _into_queue(contact: Contact, node: n.Enqueue, at: float) -> e.FlowLeft:
    """With points by what is known of the customer, and the agent for whom it is to be kept."""
    to, priority = Destination("queue", node.queue), node.priority
    if node.points is None and node.agent is None:
        return e.FlowLeft(at, contact.id, to, priority)
    look = looking(contact)
    points = 0 if node.points is None else node.points.value(look)
    agent = "" if node.agent is None else node.agent.value(look)
    if isinstance(points, int | float) and not isinstance(points, bool) and abs(points) < MOST_POINTS:
        priority += round(points)
    return e.FlowLeft(at, contact.id, to, priority, agent if isinstance(agent, str) else "", node.agent_wait)


def _drawn(contact: Contact, run: Run, shares: dict[str, float]) -> str:
    """By chance, but the same for the same contact: its id, which a fact has brought, is the seed."""
    point = crc32(f"{contact.id} {run.flow} {run.node} {run.nodes}".encode()) / 2**32 * sum(shares.values())
    for name, share in shares.items():
        point -= share
        if point < 0:
            return name
    return next(reversed(shares))


def _hours(centre: Centre, contact: Contact, node: n.Hours, at: float) -> Decision:
    run = contact.run
    assert run is not None
    queue = centre.queues.get(node.queue)
    if node.queue and queue is not None:
        intervals = queue.spec.open_at
    elif not node.queue and node.calendar in centre.calendars:
        intervals = centre.calendars[node.calendar]
    else:
        events, commands = go(centre, contact, "closed", at)
        why = "no_queue" if node.queue else "no_calendar"
        return [e.NodeFailed(at, contact.id, run.flow, run.version, run.node, why), *events], commands  # type: ignore[arg-type]
    return go(centre, contact, "open" if is_open(intervals, at) else "closed", at)


# --- flows within flows ---


def _inner(centre: Centre, contact: Contact, run: Run, name: str, at: float) -> Decision:
    flow = centre.flows.get(name)
    if flow is None or not flow.current or len(run.outer) >= MAX_DEPTH:
        why = "too_deep" if flow is not None and flow.current else "no_flow"
        events, commands = go(centre, contact, "else", at)
        return [e.NodeFailed(at, contact.id, run.flow, run.version, run.node, why), *events], commands  # type: ignore[arg-type]
    return [e.FlowEntered(at, contact.id, name, flow.current, inner=True)], []


def by_key(centre: Centre, contact: Contact, name: str, at: float) -> Decision:
    """Somebody who waits has chosen a flow. They may go on waiting: by its return, or by a `wait` node, back
    where the flow that they waited in has put them."""
    flow = centre.flows.get(name)
    if flow is None or not flow.current:
        return turn_away(contact, "unavailable", at)
    inner = contact.run is not None and len(contact.run.outer) < MAX_DEPTH
    return [e.FlowEntered(at, contact.id, name, flow.current, inner=inner)], []


def _back_to_queue(centre: Centre, contact: Contact, run: Run, at: float) -> e.Event | None:
    if run.outer:
        place = run.outer[-1]
        node = parsed(centre.flows[place.flow].graphs[place.version]).nodes.get(place.node)
        if node is not None and isinstance(node.does, n.Enqueue):
            return e.NodeEntered(at, contact.id, place.flow, place.version, place.node, "")
    name = contact.kept or contact.waited
    return e.FlowLeft(at, contact.id, Destination("queue", name)) if name else None


def _go_on_waiting(centre: Centre, contact: Contact, run: Run, at: float) -> Decision:
    """In the queue that they have left."""
    again = _back_to_queue(centre, contact, run, at)
    if again is None:
        events, commands = turn_away(contact, "unavailable", at, "failed")
        return [e.NodeFailed(at, contact.id, run.flow, run.version, run.node, "no_queue"), *events], commands
    if isinstance(again, e.NodeEntered):
        return [e.FlowReturned(at, contact.id, run.flow), again], []
    return [again], []


def _return(centre: Centre, contact: Contact, run: Run, exit: str, at: float) -> Decision:
    if not run.outer and contact.kept and contact.interlude is None:
        return [e.FlowLeft(at, contact.id, Destination("queue", contact.kept))], []
    if not run.outer:
        return over(contact, "done", at, "self_served")
    place = run.outer[-1]
    node = parsed(centre.flows[place.flow].graphs[place.version]).nodes.get(place.node)
    exits = node.exits if node is not None else {}
    by = exit if exit in exits else "else"
    back = e.FlowReturned(at, contact.id, run.flow)
    if by not in exits and node is not None and isinstance(node.does, n.Enqueue):
        return [back, e.NodeEntered(at, contact.id, place.flow, place.version, place.node, "")], []
    if by not in exits:
        events, commands = over(contact, "a flow has no way on", at, "failed")
        return [back, *events], commands
    return [back, e.NodeEntered(at, contact.id, place.flow, place.version, exits[by], by)], []


# --- what the house will owe ---


def _no_queue(contact: Contact, at: float) -> e.Event:
    run = contact.run
    assert run is not None
    return e.NodeFailed(at, contact.id, run.flow, run.version, run.node, "no_queue")


def _call_back(centre: Centre, contact: Contact, node: n.Callback, at: float) -> Decision:
    look = looking(contact)
    queue = node.queue or contact.kept or contact.waited
    slot = node.slot.value(look) if node.slot is not None else None
    later: float | None = None
    if slot is not None and slot != "":
        if isinstance(slot, bool) or not isinstance(slot, int | float):
            return go(centre, contact, "failed", at)
        later = float(slot)
    number = node.number.fill(look).strip()
    exit, events = owed.wanted(centre, contact, queue, number, later, node.priority, at)
    if queue not in centre.queues:
        events = [_no_queue(contact, at)]
    more, commands = go(centre, contact, exit, at)
    return [*events, *more], commands


def _slots(centre: Centre, contact: Contact, node: n.Slots, at: float) -> Decision:
    queue = centre.queues.get(node.queue or contact.kept or contact.waited)
    if queue is None:
        events, commands = go(centre, contact, "none", at)
        return [_no_queue(contact, at), *events], commands
    found = owed.free_slots(queue, at + node.lead, node.count)
    values = {f"{node.into}.{place}": Private(start) for place, start in enumerate(found, 1)}
    for place, start in enumerate(found, 1):
        if local := owed.spoken(queue, start):
            values[f"{node.into}.{place}.local"] = Private(local)
    values[f"{node.into}.count"] = Private(len(found))
    return set_and_go(centre, contact, values, "found" if found else "none", at)


# --- messages and errands ---


def _take_message(contact: Contact, node: n.TakeMessage, at: float) -> Decision:
    name = f"{contact.id}:{contact.asked + 1}"
    until = at + node.longest + CLOSING
    return [*taken(contact, at), e.MessageBegan(at, contact.id, name, until)], [
        *take(contact),
        c.TakeMessage(contact.id, name, node.longest, node.silence),
        c.SetTimer(f"flow:{contact.id}", until),
    ]


def _send(centre: Centre, contact: Contact, node: n.Errand, at: float) -> Decision:
    look = looking(contact)
    arguments = {
        name: Private(template.fill(look, _quoting(node, name))) for name, template in node.arguments.items()
    }
    name = f"{contact.id}:{contact.asked + 1}"
    command = c.RunErrand(
        contact.id,
        name,
        node.kind,
        node.settings,
        arguments,
        node.take,
        node.into,
        node.timeout,
        node.cache,
    )
    if node.kind == "mail":
        events, commands = go(centre, contact, "next", at)
        return [e.ErrandBegan(at, contact.id, name, node.kind, 0.0), *events], [command, *commands]
    until = at + node.timeout + GRACE
    return [e.ErrandBegan(at, contact.id, name, node.kind, until)], [
        command,
        c.SetTimer(f"flow:{contact.id}", until),
    ]


def _quoting(node: n.Errand, argument: str) -> Quote:
    """How what is filled in must be written, so that a caller's words stay a value and become nothing else."""
    if node.kind != "http":
        return ""
    if argument == "url":
        return "url"
    if argument != "body":
        return ""
    kind = node.settings.get("content_type", "")
    if "json" in kind or not kind:
        return "json"
    return "url" if kind.startswith("application/x-www-form-urlencoded") else ""


# --- what the world says ---


def digit_pressed(centre: Centre, fact: f.DigitPressed) -> Decision:
    found = in_flow(centre, fact.contact)
    if found is None:
        return refused(fact, "not in a flow", fact.contact)
    contact, run, node = found
    at, does = fact.at, node.does
    pressed = e.DigitTaken(at, contact.id, fact.digit)
    if isinstance(does, n.TakeMessage) and run.waits == "message":
        if fact.digit.value == does.terminator:
            return [], [c.EndMessage(contact.id, run.awaited)]
        return [], []
    if run.waits == "prompt":
        barge_in = isinstance(does, n.TakeMessage) or getattr(does, "barge_in", False)
        if not barge_in:
            return [pressed], []
        hush = c.Hush(contact.id, run.awaited)
        ended = e.PromptEnded(at, contact.id, run.awaited, "interrupted")
        if isinstance(does, n.Menu | n.Collect | n.Question):
            events, commands = digits_on(centre, contact, does, [*run.digits, fact.digit], at)
        elif isinstance(does, n.TakeMessage):
            # The key that cuts the greeting short is no part of the message.
            events, commands = _take_message(contact, does, at)
            return [ended, *events], [hush, *commands]
        else:
            events, commands = go(centre, contact, "next", at)
        return [pressed, ended, *events], [hush, *commands]
    if run.waits == "digits" and isinstance(does, n.Menu | n.Collect | n.Question):
        events, commands = digits_on(centre, contact, does, [*run.digits, fact.digit], at)
        return [pressed, *events], commands
    return [pressed], []


def said(centre: Centre, fact: f.Said) -> Decision:
    waits = centre.contacts.get(fact.contact)
    if waits is not None and waits.announcing and waits.announcing == fact.prompt:
        return announce.ended(centre, waits, fact.prompt, fact.problem, fact.at)
    if waits is not None and waits.briefing is not None and waits.briefing.prompt == fact.prompt:
        return briefing.said(centre, waits, fact.problem, fact.at)
    found = in_flow(centre, fact.contact)
    if found is None or found[1].waits != "prompt" or found[1].awaited != fact.prompt:
        return refused(fact, "no such prompt", fact.prompt)
    contact, run, node = found
    at, does = fact.at, node.does
    how = "failed" if fact.problem else "said"
    ended = e.PromptEnded(at, contact.id, fact.prompt, how, fact.problem)  # type: ignore[arg-type]
    match does:
        case n.Say() | n.Menu() | n.Collect() | n.Question() | n.TakeMessage() if fact.problem == LOST:
            events, commands = speak(centre, contact, does.prompt, at) or go(centre, contact, "next", at)
        case n.Menu() | n.Collect() | n.Question():
            events, commands = understood(centre, contact, does, run.digits, at) or wait_for_digits(
                contact, does, at, more=bool(run.digits)
            )
        case n.TakeMessage():
            events, commands = _take_message(contact, does, at)
        case _:
            events, commands = go(centre, contact, "next", at)
    return [ended, *events], commands


def message_taken(centre: Centre, fact: f.MessageTaken) -> Decision:
    found = in_flow(centre, fact.contact)
    if found is None or found[1].waits != "message" or found[1].awaited != fact.message:
        return refused(fact, "no such message", fact.message)
    contact, _, node = found
    does = node.does
    assert isinstance(does, n.TakeMessage)
    exit = "next" if fact.path and fact.seconds >= does.shortest else "empty"
    queue = does.queue or contact.kept or contact.waited
    if does.owed and queue not in centre.queues:
        exit = "empty"  # nobody would ever hear it
    events, commands = set_and_go(
        centre, contact, {does.variable: Private(fact.path)} if fact.path else {}, exit, fact.at
    )
    ended = e.MessageEnded(fact.at, contact.id, fact.message, fact.path, fact.seconds)
    if does.owed and exit == "next":
        events = [*owed.message_left(centre, contact, queue, fact.path, fact.seconds, fact.at), *events]
    return [ended, *events], [c.CancelTimer(f"flow:{contact.id}"), *commands]


def errand_done(centre: Centre, fact: f.ErrandDone) -> Decision:
    found = in_flow(centre, fact.contact)
    if found is None or found[1].waits != "errand" or found[1].awaited != fact.errand:
        # Of an e-mail, which nobody waits for, this is where its failure stands.
        return refused(fact, fact.problem or "nobody waits for this", fact.errand)
    contact, _, node = found
    events, commands = _errand_over(centre, contact, node, fact.exit, fact.values, fact.problem, fact.at)
    return events, [c.CancelTimer(f"flow:{contact.id}"), *commands]


def _errand_over(
    centre: Centre,
    contact: Contact,
    node: n.Node,
    exit: str,
    values: dict[str, Private],
    problem: str,
    at: float,
) -> Decision:
    run = contact.run
    assert run is not None
    by = next((one for one in (exit, "unknown", "failed", "next") if one in node.exits), "failed")
    ended = e.ErrandEnded(at, contact.id, run.awaited, exit, problem)
    events, commands = set_and_go(centre, contact, values, by, at)
    return [ended, *events], commands


def time_over(centre: Centre, name: str, at: float) -> Decision:
    """The timer of what the flow waits for."""
    found = in_flow(centre, name)
    if found is None or not found[1].until:
        return [], []  # the timer was too late to be cancelled
    contact, run, node = found
    if at < run.until:
        return [], [c.SetTimer(f"flow:{name}", run.until)]
    does = node.does
    match run.waits:
        case "digits" if isinstance(does, n.Menu | n.Collect | n.Question):
            if run.digits:
                meant = understood(centre, contact, does, run.digits, at, complete=True)
                if meant is not None:
                    return meant
            return again(centre, contact, does, "timeout", at)
        case "errand":
            return _errand_over(centre, contact, node, "failed", {}, "TIMEOUT", at)
        case "message":
            ended = e.MessageEnded(at, contact.id, run.awaited, "", 0.0)
            events, commands = go(centre, contact, "empty", at)
            return [ended, *events], [c.EndMessage(contact.id, run.awaited), *commands]
        case _:
            return [], []
