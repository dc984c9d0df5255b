"""Where a contact is in its flow, and by which exits it may go on."""

from functools import lru_cache

from centrala.core import events as e
from centrala.core.flow.graph import parse
from centrala.core.flow.nodes import Flow, Node
from centrala.core.state import Centre, Contact


@lru_cache(maxsize=256)
def parsed(graph: str) -> Flow:
    return parse(graph)


def flow_of(centre: Centre, contact: Contact) -> Flow:
    run = contact.run
    assert run is not None
    return parsed(centre.flows[run.flow].graphs[run.version])


def node_of(centre: Centre, contact: Contact) -> Node | None:
    """The node that the contact is in, or was sent on from; None when it is in no flow."""
    run = contact.run
    return None if run is None else flow_of(centre, contact).nodes.get(run.node)


def back(centre: Centre, contact: Contact, exit: str, at: float) -> e.NodeEntered | None:
    """The way back into the flow that sent the contact on, if it has one for this case."""
    node, run = node_of(centre, contact), contact.run
    to = node.exits.get(exit) if node is not None else None
    if to is None or run is None or contact.state == "flow":
        return None
    return e.NodeEntered(at, contact.id, run.flow, run.version, to, exit)
