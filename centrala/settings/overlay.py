"""What people set on the screen, laid under a centre's file: keys of the file win, the rest may come from there.

The unit is a key: `tenants.ID.queues.ID.KEY` in tables of things with keys, `tenants.ID.numbers.NUMBER` in tables
of values, `tenants.ID.KEY` for the tenant's own. A key's value is taken whole, from the one place or the other.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from centrala.settings.tree import (
    SAVED,
    UNPRINTABLE,
    Listing,
    Node,
    Notes,
    Scalar,
    Spot,
    Wrong,
    as_json,
    is_null,
)
from centrala.settings.tree import Mapping as MappingNode

Path = tuple[str, ...]
"""Of a key, below its tenant."""
Tree = dict[str, Any]
"""A tenant's keys as JSON would hold them."""

THINGS = ("trunks", "clients", "agents", "queues", "teams", "calendars")
VALUES = ("numbers", "reasons", "dispositions")
OWN = (
    "domain",
    "name",
    "country",
    "timezone",
    "locale",
    "mail",
    "callbacks",
    "balancing",
    "parking",
    "tiers",
    "experts",
    "escalation_reasons",
)
FILE_ALONE = ("flows", "tables", "http", "speech")
"They reach what the machine holds, which is not for who administers one tenant of it."

HIDDEN = "***"
"""Shown in the place of a secret."""

_FLAGS = ("record", "outbound", "always_ready", "ready_on_register")
_WHOLE = ("priority", "max_length", "missed_limit", "max_calls")
_LEVELS = ("skills", "needs")
_LISTS = ("agents", "holidays", "dispositions")
_TOLD = (("announce", "position"), ("announce", "wait"), ("announce", "learned"))
"Flags of a queue's announcements."


@dataclass(frozen=True, slots=True)
class Saved:
    """All that was set on screens."""

    trees: Mapping[str, Tree] = field(default_factory=dict)
    """By tenant."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What `{kept: ID}` in a tree stands for."""
    flows: Mapping[str, frozenset[str]] = field(default_factory=dict, compare=False)
    """By tenant the ids of flows published on the screen, where they are known."""


NOTHING = Saved()


# --- one tree of two ---


def overlaid(root: Node, saved: Saved) -> Node:
    """The file's tree with what was saved laid under it. A file that is wrong stays so."""
    tenants = _entries(root).get("tenants")
    if not isinstance(root, MappingNode) or not isinstance(tenants, MappingNode):
        return root
    merged: dict[str, Node] = {}
    for id, node in _entries(tenants).items():
        tree = saved.trees.get(id)
        if tree and isinstance(node, MappingNode):
            merged[id] = _tenant(node, tree)
    return _with(root, {"tenants": _with(tenants, merged)}) if merged else root


def _tenant(node: MappingNode, tree: Tree) -> Node:
    have = _entries(node)
    changed: dict[str, Node] = {}
    for name, value in tree.items():
        known = have.get(name)
        if is_null(known):
            changed[name] = node_of(value)
        elif isinstance(known, MappingNode) and isinstance(value, dict) and name in (*THINGS, *VALUES):
            changed[name] = _table(known, value, things=name in THINGS)
    return _with(node, changed)


def _table(node: MappingNode, table: Tree, *, things: bool) -> Node:
    have = _entries(node)
    changed: dict[str, Node] = {}
    for id, value in table.items():
        known = have.get(id)
        if is_null(known):
            changed[id] = node_of(value)
        elif things and isinstance(known, MappingNode) and isinstance(value, dict):
            keys = _entries(known)
            changed[id] = _with(
                known, {key: node_of(one) for key, one in value.items() if is_null(keys.get(key))}
            )
    return _with(node, changed)


def _entries(node: Node | None) -> dict[str, Node | None]:
    """Of a mapping, with YAML's merge keys followed; none of anything else."""
    if not isinstance(node, MappingNode):
        return {}
    return {name: spot.node for name, spot in Spot(Notes(), "", 0, node).entries("").items()}


def _with(node: MappingNode, changed: Mapping[str, Node]) -> MappingNode:
    """The mapping with these in the place of its own of the same names; new ones follow."""
    entries = [one for one in node.entries if not (isinstance(one[0], Scalar) and one[0].text in changed)]
    lines = {key.text: key.line for key, _ in node.entries if isinstance(key, Scalar)}
    entries += [(Scalar(lines.get(name, SAVED), name, False), value) for name, value in changed.items()]
    return _mapping(node.line, entries)


def _mapping(line: int, entries: Sequence[tuple[Node, Node]]) -> MappingNode:
    size = 1 + sum(key.size + value.size for key, value in entries)
    return MappingNode(line, tuple(entries), size, 1 + max((value.depth for _, value in entries), default=0))


def node_of(value: Any) -> Node:
    """JSON as a node, all of it from the screen. Raises Wrong where it is too deep, or no text."""
    return _node(value, 12)


def _node(value: Any, depth: int) -> Node:
    if depth == 0:
        raise Wrong("is nested too deep")
    match value:
        case dict():
            return _mapping(
                SAVED,
                [
                    (Scalar(SAVED, _text(str(name)), False), _node(one, depth - 1))
                    for name, one in value.items()
                ],
            )
        case list() | tuple():
            nodes = tuple(_node(one, depth - 1) for one in value)
            return Listing(
                SAVED,
                nodes,
                1 + sum(one.size for one in nodes),
                1 + max((one.depth for one in nodes), default=0),
            )
        case None:
            return Scalar(SAVED, "", True)
        case bool():
            return Scalar(SAVED, "true" if value else "false", False)
        case _:
            return Scalar(SAVED, _text(str(value)), False)


def _text(text: str) -> str:
    if UNPRINTABLE.search(text):
        raise Wrong("has a character in it that can't stand in settings; remove it")
    return text


# --- trees as values ---


def tree_of(root: Node | None, tenant: str) -> Tree:
    """A tenant's keys as JSON, as they are written; secrets are references, or hidden."""
    node = _entries(_entries(root).get("tenants")).get(tenant)
    return {
        name: _value(one, (name,))
        for name, one in _entries(node).items()
        if not is_null(one) or name in THINGS
    }


def _value(node: Node | None, path: Path) -> Any:
    key = path[-1] if len(path) in (1, 3) else ""
    if is_secret(path):
        return _secret(node)
    if path[0] == "flows" and len(path) == 3:
        return as_json(Spot(Notes(), "", 0, node), path[2])
    match node:
        case MappingNode():
            return {name: _value(one, (*path, name)) for name, one in _entries(node).items()}
        case Listing():
            return [_value(one, (*path, "")) for one in node.elements]
        case Scalar() if not is_null(node):
            text = node.text.strip()
            told = path[:1] == ("queues",) and path[2:] in _TOLD
            if key in _FLAGS or told or (path[-1] == "record" and path[0] == "numbers"):
                return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(
                    text.lower(), text
                )
            if (key in _WHOLE or (len(path) == 4 and path[2] in _LEVELS)) and text.lstrip("+-").isdecimal():
                return int(text)
            return [text] if key in _LISTS and len(path) == 3 else text
    return {} if len(path) == 2 and path[0] in THINGS else None


def _secret(node: Node | None) -> Any:
    match node:
        case Scalar(text=text) if text.startswith(("env:", "file:")):
            return text
        case MappingNode():
            for source, one in _entries(node).items():
                if source in ("env", "file") and isinstance(one, Scalar):
                    return f"{source}:{one.text}"
    return HIDDEN


def is_secret(path: Path) -> bool:
    match path:
        case ("agents", _, "sip_password") | ("trunks", _, "register", "password"):
            return True
        case ("mail", "password") | ("http", "secrets", _):
            return True
        case _:
            return False


def keys_of(tree: Tree) -> Iterator[tuple[Path, Any]]:
    """Each key with its value, whole. A thing without keys is told by its id alone, with `{}`."""
    for name, value in tree.items():
        if not isinstance(value, dict) or name not in (*THINGS, *VALUES):
            yield (name,), value
            continue
        for id, thing in value.items():
            if name in VALUES or not isinstance(thing, dict) or not thing:
                yield (name, id), thing
            else:
                for key, one in thing.items():
                    yield (name, id, key), one


def lines_of(root: Node | None, tenant: str) -> dict[Path, int]:
    """Where the file gives which key of a tenant; SAVED for those from the screen. Things are told too, by their id."""
    top = Spot(Notes(), "", 0, root)
    found: dict[Path, int] = {}
    for name in ("tenants", tenant):
        entries = top.entries("") if isinstance(top.node, MappingNode) else {}
        if name not in entries:
            return found
        top = entries[name]
    for name, spot in top.entries("").items() if isinstance(top.node, MappingNode) else ():
        if name not in (*THINGS, *VALUES) or not isinstance(spot.node, MappingNode):
            if not spot.null:
                found[(name,)] = spot.line
            continue
        for id, thing in spot.entries("").items():
            found[(name, id)] = thing.line
            if name in THINGS and isinstance(thing.node, MappingNode):
                found |= {(name, id, key): one.line for key, one in thing.entries("").items() if not one.null}
    return found


# --- changes ---


def value_at(tree: Tree, path: Path) -> Any:
    """What stands there; None if nothing does."""
    found: Any = tree
    for name in path:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def changed(tree: Tree, path: Path, value: Any) -> Tree:
    """The tree with a key set, or gone where `value` is None."""
    done = copy.deepcopy(tree)
    place: Any = done
    for name in path[:-1]:
        inner = place.get(name)
        if not isinstance(inner, dict):
            if value is None:
                return done
            inner = place[name] = {}
        place = inner
    if value is None:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = copy.deepcopy(value)
    for name in (*THINGS, *VALUES):
        if done.get(name) == {}:
            del done[name]
    return done
