"""From node to node of a flow: into it, on by an exit, out of it; and what every node sees of its contact."""

from collections.abc import Callable
from typing import Literal

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core.decision import Decision, turn_away
from centrala.core.flow import nodes as n
from centrala.core.flow.position import flow_of, node_of
from centrala.core.private import Private, Value
from centrala.core.state import Centre, Contact, Run

Look = Callable[[str], Value]


def begin(centre: Centre, contact: Contact, name: str, at: float) -> Decision | None:
    """Into the current version of a flow; None when there is none."""
    flow = centre.flows.get(name)
    if flow is None or not flow.current:
        return None
    return [e.FlowEntered(at, contact.id, name, flow.current)], []


def entered(centre: Centre, event: e.FlowEntered) -> Decision:
    flow = flow_of(centre, centre.contacts[event.contact])
    return [e.NodeEntered(event.at, event.contact, event.flow, event.version, flow.start, "")], []


def go(centre: Centre, contact: Contact, exit: str, at: float) -> Decision:
    """On to the node behind an exit. A published flow has every exit that it needs; one without ends the contact."""
    run, node = contact.run, node_of(centre, contact)
    assert run is not None
    to = node.exits.get(exit) if node is not None else None
    if to is None:
        events, commands = over(contact, "a flow has no way on", at, "failed")
        return [e.NodeFailed(at, contact.id, run.flow, run.version, run.node, "no_exit"), *events], commands
    return [e.NodeEntered(at, contact.id, run.flow, run.version, to, exit)], []


def over(contact: Contact, cause: str, at: float, outcome: e.Outcome) -> Decision:
    """The flow has come to its end: that of the contact, unless somebody waits for the customer."""
    if contact.interlude is not None:
        return returned(contact, "failed" if outcome == "failed" else "done", at)
    return turn_away(contact, cause, at, outcome)


def returned(contact: Contact, how: Literal["done", "failed", "called_back"], at: float) -> Decision:
    """Back to the owner, who has waited."""
    interlude, leg = contact.interlude, contact.leg
    assert interlude is not None
    assert leg is not None
    return [e.InterludeEnded(at, contact.id, leg, contact.leg_agent, interlude.flow, how)], []


def left(centre: Centre, contact: Contact) -> list[c.Command]:
    """What must stop when the contact is taken out of its flow: by its caller, or by the flow itself."""
    run = contact.run
    if run is None or contact.state != "flow":
        return []
    commands: list[c.Command] = [c.CancelTimer(f"flow:{contact.id}")] if run.until else []
    if run.waits == "prompt":
        commands.append(c.Hush(contact.id, run.awaited))
    if run.waits == "message":
        commands.append(c.EndMessage(contact.id, run.awaited))
    return commands


def looking(contact: Contact) -> Look:
    """What a flow's expressions see of its contact."""
    values = contact.values

    def look(name: str) -> Value:
        known = values.get(name)
        if known is not None:
            return known.value
        match name:
            case "contact.id":
                return contact.id
            case "contact.dialled":
                return contact.dialled
            case "contact.medium":
                return contact.medium
            case _:
                return None

    return look


def set_and_go(
    centre: Centre, contact: Contact, values: dict[str, Private], exit: str, at: float
) -> Decision:
    events, commands = go(centre, contact, exit, at)
    return [e.ValuesSet(at, contact.id, values), *events] if values else events, commands


def in_flow(centre: Centre, name: str) -> tuple[Contact, Run, n.Node] | None:
    contact = centre.contacts.get(name)
    if contact is None or contact.run is None or contact.state != "flow":
        return None
    node = node_of(centre, contact)
    return None if node is None else (contact, contact.run, node)


def taken(contact: Contact, at: float) -> list[e.Event]:
    return [] if contact.answered else [e.CallTaken(at, contact.id)]


def take(contact: Contact) -> list[c.Command]:
    return [] if contact.answered else [c.Answer(contact.id)]
