"""Ways through a flow's graph: which nodes can be reached, where one goes round for ever. All in linear time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from centrala.core.flow.nodes import (
    Collect,
    Does,
    Enqueue,
    Errand,
    Flow,
    HangUp,
    Menu,
    Question,
    Return,
    Say,
    Set,
    Slots,
    SubFlow,
    TakeMessage,
    Transfer,
)

MOST_OPEN = 32
"Flows inside each other that are looked into; what is deeper is too deep anyway."

Edges = Mapping[str, Sequence[str]]
"Node → those that it leads to."


def reached(starts: Iterable[str], edges: Edges) -> set[str]:
    """The nodes that can be reached from these, themselves included."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        for other in edges.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def circles(edges: Edges) -> list[list[str]]:
    """The strongly connected components that have an edge inside (Tarjan 1972), each in the order of `edges`.

    A way that never ends stays in one of them from some node on.
    """
    order = {node: place for place, node in enumerate(edges)}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    stacked: set[str] = set()
    found: list[list[str]] = []
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        stacked.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in edges:
                    continue
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    stacked.add(other)
                    work.append((other, iter(edges[other])))
                    break
                if other in stacked:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component: list[str] = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                    stacked.difference_update(component)
                    if len(component) > 1 or node in edges[node]:
                        found.append(sorted(component, key=order.__getitem__))
    return found


def waits(does: Does) -> bool:
    """Whether the caller or somebody else has a say before it goes on. A prompt that no key ends gives them none."""
    match does:
        case Menu() | Collect() | Question() | TakeMessage() | Enqueue() | Transfer():
            return True
        case Say(barge_in=barge_in):
            return barge_in
        case Errand(kind=kind):
            return kind != "mail"
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Names:
    """Variables: `exact` ones, all below a `prefixes` name (prefix.anything), or any at all."""

    exact: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    any: bool = False
    "Something of which nobody can tell what it sets."

    def __contains__(self, name: str) -> bool:
        if self.any or name in self.exact or name in self.prefixes:
            return True
        return any(name.startswith(f"{prefix}.") for prefix in self.prefixes)


def sets(does: Does) -> Names:
    """The variables that a node gives a value."""
    match does:
        case Collect(variable=name) | TakeMessage(variable=name) | Question(question=name):
            return Names(frozenset({name}))
        case Set(values=values):
            return Names(frozenset(values))
        case Slots(into=into):
            return Names(prefixes=frozenset({into}))
        case Errand(kind="http", take=take, into=into):
            return Names(frozenset(take), frozenset({into} if into else ()))
        case Errand(kind="python", into=""):
            return Names(any=True)
        case Errand(into=into) if into:
            return Names(prefixes=frozenset({into}))
        case _:
            return Names()


@dataclass(frozen=True, slots=True)
class Inside:
    """What a flow means to the one that goes into it."""

    returns: frozenset[str]
    "Exits of its returns that can be reached."
    passes: frozenset[str]
    "Those of them to which a way leads on which nobody is waited for."
    ends: bool
    "It can end by itself, or in a queue or with somebody."
    sets: Names
    depth: int
    "Flows inside each other, itself among them."
    circular: bool
    "Going into it leads into it, or another one, again."


UNKNOWN = Inside(frozenset(), frozenset(), True, Names(any=True), 1, False)
"A flow of which nothing is known: nothing is wrong with it."


class Insides:
    """Each flow looked into once."""

    def __init__(self, flows: Mapping[str, Flow]) -> None:
        self.flows = flows
        self.known: dict[str, Inside] = {}
        self.open: set[str] = set()
        "Those that are being looked into: to come to one of them again is a circle."

    def of(self, name: str) -> Inside:
        if name in self.open:
            return Inside(frozenset(), frozenset(), True, Names(), 1, True)
        if len(self.open) > MOST_OPEN:
            return Inside(frozenset(), frozenset(), True, Names(any=True), MOST_OPEN, False)
        if name not in self.flows:
            return UNKNOWN
        if name not in self.known:
            self.open.add(name)
            self.known[name] = self._look(self.flows[name])
            self.open.discard(name)
        return self.known[name]

    def _look(self, flow: Flow) -> Inside:
        inner = {
            node.does.flow: self.of(node.does.flow)
            for node in flow.nodes.values()
            if isinstance(node.does, SubFlow)
        }
        edges = {id: list(node.exits.values()) for id, node in flow.nodes.items()}
        seen = [flow.nodes[id].does for id in reached([flow.start], edges) if id in flow.nodes]
        at_once = reached([flow.start], {id: onward(flow, id, inner) for id in flow.nodes})
        return Inside(
            frozenset(does.exit for does in seen if isinstance(does, Return)),
            frozenset(
                does.exit
                for id in at_once
                if id in flow.nodes and isinstance(does := flow.nodes[id].does, Return)
            ),
            any(
                isinstance(does, HangUp | Enqueue | Transfer)
                or (isinstance(does, SubFlow) and inner[does.flow].ends)
                for does in seen
            ),
            union([*(sets(does) for does in seen), *(one.sets for one in inner.values())]),
            1 + max((one.depth for one in inner.values()), default=0),
            any(one.circular for one in inner.values()),
        )


def onward(flow: Flow, id: str, inner: Mapping[str, Inside]) -> list[str]:
    """Where a node leads without waiting for anybody."""
    node = flow.nodes[id]
    if waits(node.does) or isinstance(node.does, HangUp | Return):
        return []
    if isinstance(node.does, SubFlow):
        passes = inner[node.does.flow].passes
        return [to for exit in passes if (to := node.exits.get(exit, node.exits.get("else"))) is not None]
    return list(node.exits.values())


def union(names: Iterable[Names]) -> Names:
    names = list(names)
    return Names(
        frozenset[str]().union(*(one.exact for one in names)),
        frozenset[str]().union(*(one.prefixes for one in names)),
        any(one.any for one in names),
    )
