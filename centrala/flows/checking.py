"""What a tenant's flows may name, and who names them: for the checker, and before one is taken away."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from centrala.core.flow.check import Known, problems
from centrala.core.flow.graph import FlowProblems, parse
from centrala.core.flow.nodes import Collect, Flow, Menu, Prompt, Question, Say, SubFlow, TakeMessage
from centrala.core.flow.problems import Problem
from centrala.core.specs import FlowSpec
from centrala.flows.store import canonical
from centrala.settings.model import Destination, Settings, Tenant
from centrala.speech.prompts import NAMES, PREFIX

BUILT_IN = frozenset({"default", "silence", *(f"{PREFIX}{name}" for name in NAMES)})
ENTRY_POINTS = "centrala.flow_nodes"
"The group in which packages name functions for nodes of type `python`."

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
WAYS_OUT = ("when_full", "when_no_agents", "after_max_wait", "when_closed")


@lru_cache(maxsize=512)
def parsed(graph: str) -> Flow | None:
    """None for a graph that can't be read."""
    try:
        return parse(graph)
    except FlowProblems:
        return None


def sounds(data: Path, tenant: str) -> frozenset[str]:
    """What can be played, by name."""
    return BUILT_IN | {one.stem for one in (data / "sounds" / tenant).glob("*.wav")}


def lacking(settings: Settings, data: Path) -> list[str]:
    """What flows of the centre's file name and the machine lacks (sounds, Python nodes), in sentences."""
    found: list[str] = []
    for tenant in settings.tenants.values():
        specs = {id: FlowSpec(id, 1, one.graph) for id, one in tenant.flows.items()}
        of = Known(sounds=sounds(data, tenant.id), entry_points=functions()) if specs else Known()
        for id, spec in specs.items():
            for one in problems(spec.graph, of, id)[1]:
                if one.code in ("FLOW-SOUND", "FLOW-ENTRY-POINT"):
                    found.append(
                        f"tenants.{tenant.id}.flows.{id}, node {one.node}, {one.where}: {one.sentence}"
                    )
    return found


def seconds(data: Path, tenant: str, sound: str) -> float | None:
    """How long a sound of the house is; None where nobody knows."""
    if not NAME.fullmatch(sound):
        return None
    try:
        return max((data / "sounds" / tenant / f"{sound}.wav").stat().st_size - 44, 0) / 16_000
    except (OSError, ValueError):
        return None


def functions() -> frozenset[str]:
    """Of nodes of type `python`, by name."""
    return frozenset(one.name for one in entry_points(group=ENTRY_POINTS))


def known(
    tenant: Tenant, data: Path, specs: Mapping[str, FlowSpec], languages: frozenset[str] | None
) -> Known:
    """`specs` are the flows that callers go through; `languages` those that can be spoken. Looks at the disk."""
    return Known(
        queues=frozenset(tenant.queues),
        agents=frozenset(tenant.agents),
        sounds=sounds(data, tenant.id),
        calendars=frozenset(tenant.calendars),
        tables=frozenset(tenant.tables),
        entry_points=functions(),
        flows={id: flow for id, spec in specs.items() if (flow := parsed(spec.graph)) is not None},
        languages=languages,
    )


def check(graph: Mapping[str, Any], of: Known, id: str) -> list[Problem]:
    """All that is wrong with a graph, finished or not, as it would be as the flow `id`."""
    try:
        text = canonical(dict(graph))
    except ValueError:
        text = "NaN"
    return problems(text, of, id)[1]


def broken_by(
    id: str, graph: Mapping[str, Any], of: Known, specs: Mapping[str, FlowSpec]
) -> list[tuple[str, Problem]]:
    """What would be wrong with other flows if `id` were this graph, and isn't now: (flow, problem) each."""
    new = parsed(canonical(dict(graph)))
    if new is None or of.flows is None:
        return []
    after = replace(of, flows={**of.flows, id: new})
    found: list[tuple[str, Problem]] = []
    for name, spec in specs.items():
        if name == id or id not in _inner(spec):
            continue
        before = {(one.node, one.where, one.code) for one in problems(spec.graph, of, name)[1]}
        found += [
            (name, one)
            for one in problems(spec.graph, after, name)[1]
            if (one.node, one.where, one.code) not in before
        ]
    return found


def _inner(spec: FlowSpec) -> frozenset[str]:
    flow = parsed(spec.graph)
    nodes = flow.nodes.values() if flow is not None else ()
    return frozenset(one.does.flow for one in nodes if isinstance(one.does, SubFlow))


def broken_by_settings(
    before: Tenant, after: Tenant, data: Path, published: Mapping[str, FlowSpec]
) -> list[tuple[str, list[Problem]]]:
    """Flows of the screen that would have errors with these settings, and have none of them now."""
    found: list[tuple[str, list[Problem]]] = []
    was, now = (known(one, data, published, None) for one in (before, after))
    if was == now:
        return found
    for id, spec in published.items():
        had = {(one.node, one.where, one.code) for one in problems(spec.graph, was, id)[1]}
        new = [
            one
            for one in problems(spec.graph, now, id)[1]
            if one.severity == "error" and (one.node, one.where, one.code) not in had
        ]
        if new:
            found.append((id, new))
    return found


def playing(specs: Mapping[str, FlowSpec], sound: str) -> list[str]:
    """The flows that play a sound."""
    return [
        id
        for id, spec in specs.items()
        if (flow := parsed(spec.graph)) is not None
        and any(
            part.kind == "sound"
            and any(one.plain and one.fill(_nothing) == sound for one in part.texts.values())
            for prompt in prompts(flow)
            for part in prompt
        )
    ]


def _nothing(name: str) -> None:
    return None


def prompts(flow: Flow) -> Iterator[Prompt]:
    for node in flow.nodes.values():
        match node.does:
            case Menu() | Collect() | Question():
                yield from (node.does.prompt, node.does.timeout_prompt, node.does.invalid_prompt)
            case Say() | TakeMessage():
                yield node.does.prompt


def numbers_to(tenant: Tenant, id: str) -> list[str]:
    """The numbers that lead to a flow."""
    return [number for number, to in tenant.numbers.items() if _is(to, id)]


def inner(specs: Mapping[str, FlowSpec]) -> dict[str, frozenset[str]]:
    """By flow those that it leads into."""
    return {id: _inner(spec) for id, spec in specs.items()}


def used_by(tenant: Tenant, into: Mapping[str, frozenset[str]], id: str) -> list[str]:
    """Ways out of queues, and flows, that lead to a flow: `queues.sales.when_full`, `flows.main`."""
    return [*_ways_out(tenant, id), *(f"flows.{name}" for name, these in into.items() if id in these)]


def _ways_out(tenant: Tenant, id: str) -> Iterator[str]:
    for queue in tenant.queues.values():
        for way in WAYS_OUT:
            if _is(getattr(queue, way), id):
                yield f"queues.{queue.id}.{way}"
        for digit, to in queue.keys.items():
            if _is(to, id):
                yield f"queues.{queue.id}.keys.{digit}"
        if id in queue.interludes:
            yield f"queues.{queue.id}.interludes"
        if queue.survey == id:
            yield f"queues.{queue.id}.survey"


def _is(to: Destination | None, id: str) -> bool:
    return to is not None and (to.kind, to.target) == ("flow", id)
