"""What the `centrala flow` command does. Raises ValueError with a sentence for people."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from centrala.core.flow.check import Known, problems
from centrala.core.flow.nodes import Enqueue, Flow, Hours, Transfer
from centrala.core.flow.problems import Problem
from centrala.core.specs import FlowSpec
from centrala.flows import checking, trial
from centrala.flows.store import ID, RESERVED, FlowError, open_flows
from centrala.ledger.schema import FILE
from centrala.people import open_people
from centrala.people.store import CONSOLE, note
from centrala.settings.model import Agent, Calendar, Queue, Settings, Tenant

MADE_UP = "trial"


def check(
    file: Path, settings: Settings | None, tenant: str | None, data: Path | None
) -> tuple[list[str], bool]:
    """(what is wrong with the flow in a file, a line each; whether it can be published)."""
    text = _text(file)
    house = None if settings is None else _tenant(settings, tenant)
    of = Known() if house is None else _known(house, data)
    found = problems(text, of, _id(file, house))[1]
    return [_line(file, one) for one in found], all(one.severity != "error" for one in found)


def publish(
    file: Path, settings: Settings, tenant: str | None, data: Path, id: str | None, said: str
) -> list[str]:
    """Let callers go through the flow in a file: a running centre follows within seconds. Gives lines to print."""
    house = _tenant(settings, tenant)
    name = id or _id(file, house)
    if name in house.flows:
        raise ValueError(f"{name} is a flow of {settings.path}: it is published by a restart of the centre")
    if not re.fullmatch(ID, name) or name in RESERVED:
        raise ValueError(f"{name} can't be the id of a flow; give another with --id")
    text = _text(file)
    found = problems(text, _known(house, data), name)[1]
    lines = [_line(file, one) for one in found]
    if any(one.severity == "error" for one in found):
        raise ValueError("\n".join(lines))
    flows = open_flows(data)
    try:
        made = flows.publish_graph(house.id, name, json.loads(text), CONSOLE, time.time(), said)
    except FlowError as problem:
        raise ValueError(str(problem)) from None
    finally:
        flows.close()
    if made is None:
        return [*lines, f"{name} is published already, and is the same"]
    after = {"version": made[0].number, "note": said}
    with closing(open_people(data)) as people, people.writing() as db:
        note(db, made[0].at, house.id, CONSOLE, "flow.published", name, None, after, CONSOLE)
    return [*lines, f"{name} is published as version {made[0].number}"]


def attempt(
    file: Path,
    settings: Settings | None,
    tenant: str | None,
    data: Path | None,
    *,
    keys: str,
    at: str | None,
    caller: str,
    language: str,
    errands: Mapping[str, str],
) -> Iterator[str]:
    """Go through the flow in a file with simulated keys: what happens, a line each."""
    text = _text(file)
    lines, good = check(file, settings, tenant, data)
    flow = problems(text)[0]
    if flow is None or not good:
        raise ValueError("\n".join(lines))
    house = _made_up(flow) if settings is None else _tenant(settings, tenant)
    id = _id(file, house)
    others = _specs(house, data) if settings is not None else {}
    specs = {**others, id: FlowSpec(id, 1 + max((one.version for one in others.values()), default=0), text)}
    found = trial.attempt(
        specs,
        id,
        house,
        _moment(at, house),
        keys=keys,
        caller=caller,
        language=language,
        errands={node: trial.Answer(exit) for node, exit in errands.items()},
    )
    for step in found.steps:
        yield _step(step)
    yield f"{found.seconds:8.1f} s  {found.end.text}" + (
        f" [{found.end.outcome}]" if found.end.outcome else ""
    )


def _step(step: trial.Step) -> str:
    match step.kind:
        case "node":
            said = f"→ {step.node}" + (f" (by {step.exit})" if step.exit else "")
        case "values":
            said = ", ".join(
                f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in step.values.items()
            )
        case "errand":
            said = f"errand: {step.exit}"
        case "said":
            said = f"“{step.text}”"
        case _:
            said = f"{step.kind}: {step.text}"
    return f"{step.at:8.1f} s  {said}"


def _text(file: Path) -> str:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8 text; expected a flow") from None
    except OSError as error:
        raise ValueError(f"{file} can't be read ({error.strerror}); expected a flow") from None
    return text


def _tenant(settings: Settings, tenant: str | None) -> Tenant:
    if tenant is None:
        return next(iter(settings.tenants.values()))
    if tenant not in settings.tenants:
        raise ValueError(f"--tenant {tenant}: there is no such tenant in {settings.path}")
    return settings.tenants[tenant]


def _id(file: Path, house: Tenant | None) -> str:
    """What the file is called in the settings, else by its name."""
    for one in house.flows.values() if house is not None else ():
        if one.file is not None and one.file.resolve() == file.resolve():
            return one.id
    return file.stem


def _specs(house: Tenant, data: Path | None) -> dict[str, FlowSpec]:
    found = {id: FlowSpec(id, 1, one.graph) for id, one in house.flows.items()}
    if data is None or not (data / FILE).exists():
        return found
    flows = open_flows(data)
    try:
        return {**flows.published(house.id), **found}
    finally:
        flows.close()


def _known(house: Tenant, data: Path | None) -> Known:
    specs = _specs(house, data)
    if data is not None:
        return checking.known(house, data, specs, None)
    return Known(
        queues=frozenset(house.queues),
        agents=frozenset(house.agents),
        calendars=frozenset(house.calendars),
        tables=frozenset(house.tables),
        flows={id: flow for id, spec in specs.items() if (flow := checking.parsed(spec.graph)) is not None},
    )


def _made_up(flow: Flow) -> Tenant:
    """A house that has whatever the flow names, always open, with somebody to answer."""
    does = [one.does for one in flow.nodes.values()]
    queues = {one.queue for one in does if isinstance(one, Enqueue | Hours) and one.queue}
    queues |= {one.to.name for one in does if isinstance(one, Transfer) and one.to.kind == "queue"}
    agents = {"agent", *(one.to.name for one in does if isinstance(one, Transfer) and one.to.kind == "agent")}
    calendars = {one.calendar for one in does if isinstance(one, Hours) and one.calendar}
    return Tenant(
        MADE_UP,
        f"{MADE_UP}.invalid",
        agents={id: Agent(id, phone=f"sip:{id}@{MADE_UP}.invalid") for id in sorted(agents)},
        queues={id: Queue(id) for id in sorted(queues)},
        calendars={id: Calendar(id) for id in sorted(calendars)},
    )


def _moment(at: str | None, house: Tenant) -> float:
    if at is None:
        return time.time()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise ValueError(f"--at {at}: expected a time such as 2026-12-24T18:30") from None
    return (
        moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(house.timezone))
    ).timestamp()


def _line(file: Path, problem: Problem) -> str:
    place = "".join(f"{one}: " for one in (problem.node, problem.where) if one)
    return f"{file}: {place}{problem.severity}: {problem.sentence} ({problem.code})"
