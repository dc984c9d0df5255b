"""What a change of settings changes: key by key, as YAML, and in what follows for people."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from centrala.settings.model import Agent, Destination, Queue, Tenant
from centrala.settings.overlay import HIDDEN, Path, Tree, changed, is_secret, keys_of


def differences(before: Tree, after: Tree) -> list[dict[str, Any]]:
    """`{path, before, after}` for each key that differs, in order; None where there is none. Secrets are hidden."""
    was, now = dict(keys_of(before)), dict(keys_of(after))
    found: list[dict[str, Any]] = []
    for path in sorted({*was, *now}):
        if was.get(path) != now.get(path) or (path in was) != (path in now):
            found.append(
                {
                    "path": list(path),
                    "before": masked(path, was.get(path)),
                    "after": masked(path, now.get(path)),
                }
            )
    return found


def masked(path: Path, value: Any) -> Any:
    """The value without secrets: references stay, everything else is hidden."""
    if is_secret(path):
        shown = isinstance(value, str) and value.startswith(("env:", "file:"))
        return value if value is None or shown else HIDDEN
    if isinstance(value, dict):
        return {name: masked((*path, name), one) for name, one in value.items()}
    return value


def as_yaml(tree: Tree) -> str:
    """As it would stand in a file, below `tenants.ID:`."""
    if not tree:
        return ""
    text: str = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, default_flow_style=False, width=110)
    return text


def yaml_difference(before: Tree, after: Tree) -> str:
    """The keys that differ, as YAML with `-` and `+` before the lines."""
    old: Tree = {}
    new: Tree = {}
    for one in differences(before, after):
        path = tuple(one["path"])
        if one["before"] is not None:
            old = changed(old, path, one["before"])
        if one["after"] is not None:
            new = changed(new, path, one["after"])
    lines = difflib.unified_diff(as_yaml(old).splitlines(), as_yaml(new).splitlines(), n=1000, lineterm="")
    return "\n".join(list(lines)[3:])


def serving(tenant: Tenant, queue: Queue) -> frozenset[str]:
    """Who may serve a queue, by membership and skill."""
    ids = tenant.agents if queue.agents is None else queue.agents
    agents = [tenant.agents[one] for one in ids if one in tenant.agents]
    return frozenset(
        one.id
        for one in agents
        if all(one.skills.get(skill, 0) >= level for skill, level in queue.needs.items())
    )


def effects(
    before: Tenant,
    after: Tenant,
    waiting: Callable[[str], int] = lambda queue: 0,
    busy: Callable[[str], bool] = lambda agent: False,
) -> list[dict[str, Any]]:
    """What people will notice: `{code, …}` each, the gravest first.

    `waiting` tells how many wait in a queue now, `busy` whether an agent is in a conversation.
    """
    found: list[dict[str, Any]] = []

    def say(code: str, **values: Any) -> None:
        found.append({"code": code, **values})

    for id in _gone(before.queues, after.queues):
        say("QUEUE-REMOVED", queue=id, waiting=waiting(id))
    for id in _gone(before.agents, after.agents):
        say("AGENT-REMOVED", agent=id, busy=busy(id))
    for number in _gone(before.numbers, after.numbers):
        say("NUMBER-REMOVED", number=number)
    if before.timezone != after.timezone:
        say("AFTER-RESTART", key="timezone")  # hours of queues follow at once, figures of the day don't
    for id in _gone(before.trunks, after.trunks):
        say("TRUNK-REMOVED", trunk=id)
    for id, queue in after.queues.items():
        now = serving(after, queue)
        was = serving(before, before.queues[id]) if id in before.queues else frozenset[str]()
        if id not in before.queues:
            say("QUEUE-ADDED", queue=id, agents=len(now))
        if not now and (was or id not in before.queues):
            say("QUEUE-UNSERVED", queue=id)
        if lost := was - now:
            say("QUEUE-LOSES-AGENTS", queue=id, count=len(lost), agents=sorted(lost)[:50])
        if (won := now - was) and id in before.queues:
            say("QUEUE-GAINS-AGENTS", queue=id, count=len(won), agents=sorted(won)[:50])
    for number, to in after.numbers.items():
        old = before.numbers.get(number)
        if old is None:
            say("NUMBER-ADDED", number=number, to=_destination(to))
        elif old != to:
            say("NUMBER-MOVES", number=number, before=_destination(old), to=_destination(to))
    for id, agent in after.agents.items():
        known = before.agents.get(id)
        if known is None:
            say("AGENT-ADDED", agent=id, queues=_queues(after, id))
        elif _phone(known) != _phone(agent):
            say("PHONE-CHANGED", agent=id, busy=busy(id))
    for id, trunk in after.trunks.items():
        if before.trunks.get(id) != trunk:
            say("TRUNK-CHANGED" if id in before.trunks else "TRUNK-ADDED", trunk=id)
    return found


def _gone(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [id for id in before if id not in after]


def _destination(to: Destination) -> dict[str, str]:
    return {"kind": to.kind, "target": to.target}


def _queues(tenant: Tenant, agent: str) -> list[str]:
    return [id for id, queue in tenant.queues.items() if agent in serving(tenant, queue)]


def _phone(agent: Agent) -> tuple[object, ...]:
    return agent.sip_password, agent.phone
