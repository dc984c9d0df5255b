"""What boards show of a conversation beside who talks: its recording, the step that the customer takes alone."""

from functools import lru_cache

import msgspec

from centrala.core.flow.asking import SECRET
from centrala.core.private import Private, Value
from centrala.core.state import Centre, Contact

Shown = str | float | bool | None
_SECRET = SECRET.split("{", 1)[0]


def open_values(values: dict[str, Private]) -> dict[str, Value]:
    """Without those that stay in the channel."""
    return {
        name: one.value
        for name, one in values.items()
        if not (isinstance(one.value, str) and one.value.startswith(_SECRET))
    }


def recording(centre: Centre, contact: Contact) -> dict[str, Shown]:
    """`may`: agents may begin and end it. `until`: a pause by hand ends by itself then. Times in unix seconds."""
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    pause = contact.pause
    return {
        "state": "off" if not contact.recorded else "on" if pause is None else "paused",
        "since": contact.recorded_at or None,
        "why": None if pause is None else pause.why,
        "until": pause.until if pause is not None and pause.until else None,
        "may": queue is not None and queue.spec.record_on_demand and not queue.spec.record,
    }


def step(centre: Centre, contact: Contact) -> dict[str, Shown] | None:
    """Where the customer is in the flow that they go through alone."""
    if contact.interlude is None:
        return None
    place = None
    run = contact.run
    if run is not None:
        published = centre.flows.get(run.flow)
        graph = published.graphs.get(run.version, "") if published is not None else ""
        place = _titles(graph).get(run.node, run.node)
    return {"flow": contact.interlude.flow, "place": place}


def steps(centre: Centre, contact: Contact) -> list[str]:
    """Flows that the owner may send their customer through."""
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    if queue is None:
        return []
    return [name for name in queue.spec.interludes if name in centre.flows and centre.flows[name].current]


class _Node(msgspec.Struct):
    title: str = ""


class _Graph(msgspec.Struct):
    nodes: dict[str, _Node] = {}


@lru_cache(maxsize=64)
def _titles(graph: str) -> dict[str, str]:
    try:
        nodes = msgspec.json.decode(graph, type=_Graph).nodes
    except msgspec.DecodeError:
        return {}
    return {name: node.title for name, node in nodes.items() if node.title}
