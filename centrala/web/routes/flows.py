"""Flows: drawn, checked, tried, published, taken back; heard; and which ways callers went."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from centrala.core import facts as f
from centrala.core.commands import Part
from centrala.core.flow.graph import read
from centrala.core.flow.nodes import Say, Spoken
from centrala.core.flow.problems import Problem as FlowProblem
from centrala.core.specs import FlowSpec
from centrala.flows import Version, canonical, trial, vocabulary
from centrala.flows import checking as of_flows
from centrala.flows.store import RESERVED
from centrala.flows.warming import warm
from centrala.media.sounds import SoundProblem
from centrala.people import Identity, Permission
from centrala.settings.house_flows import house_flows
from centrala.web.flow_shapes import (
    Checked,
    DraftKept,
    DraftSaved,
    FlowListed,
    FlowShown,
    FlowsListed,
    FlowWrongBody,
    NewFlow,
    PathsShown,
    Published,
    Renamed,
    ToCheck,
    ToHear,
    ToPublish,
    ToRollBack,
    ToTry,
    TrialShown,
    Value,
    Versions,
    VersionShown,
    Vocabulary,
)
from centrala.web.flow_world import World, do, graph_of, problems, small, wrong
from centrala.web.guard import Here, Who, address_of, need, need_session
from centrala.web.house import House
from centrala.web.inputs import NumberCursor, clean, number_of
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.people import SIGNED_IN

log = logging.getLogger(__name__)

router = APIRouter(prefix="/flows")

RIGHTS = (*SIGNED_IN, "NOT-ALLOWED")
WRITES = (*RIGHTS, "SESSION-NEEDED", "NOT-FOUND", "FLOW-OF-FILE", "FLOW-BUILT-IN", "EDIT-RACE")
FlowId = Annotated[str, Path(alias="flow", max_length=256)]
MOST_DAYS = 400

CURRENCIES = ("PLN", "EUR", "USD", "GBP", "CHF", "UAH", "RUB")

WRONG: dict[int | str, dict[str, Any]] = {
    422: {
        "model": FlowWrongBody,
        "description": "BAD-INPUT, FLOW-WRONG",
        "content": {"application/problem+json": {}},
    }
}


# --- who may ---


def _reader(identity: Identity) -> str:
    """The tenant of somebody who may see flows: who changes the centre, or leads its floor, as a whole."""
    need(identity, Permission.SETTINGS, Permission.STEER)
    if not identity.user.whole_tenant:
        raise Problem("NOT-ALLOWED", "This is for who has the whole tenant.")
    return identity.user.tenant


def _writer(identity: Identity) -> str:
    need(identity, Permission.SETTINGS)
    tenant = _reader(identity)
    need_session(identity)
    return tenant


# --- routes ---


@router.get("", response_model=FlowsListed, responses=answers(*RIGHTS))
async def flows(house: Here, identity: Who) -> dict[str, Any]:
    """All flows, of the centre's file, of the screen and built in, by name."""
    world = World.on(house, _reader(identity))

    def work() -> dict[str, Any]:
        into = of_flows.inner(world.specs())
        of_file = house.tenant(world.tenant).flows
        stored = [one for one in world.flows.all(world.tenant) if one.id not in of_file]
        items = [world.listed(one, into) for one in of_file.values()]
        items += [world.listed(one, into) for one in stored]
        items += [world.listed_built_in(id, into) for id in house_flows() if world.built_in(id) is not None]
        return {"items": sorted(items, key=lambda one: (str(one["name"]).lower(), one["id"]))}

    return await house.ask(work)


@router.post(
    "",
    status_code=201,
    response_model=FlowShown,
    responses=answers(*RIGHTS, "SESSION-NEEDED", "NAME-TAKEN", "TOO-MANY"),
)
async def make(request: Request, body: NewFlow, house: Here, identity: Who) -> Response:
    """A new flow, with a draft that nobody goes through yet."""
    world = World.on(house, _writer(identity))
    if body.id in RESERVED or world.of_file(body.id) is not None:
        raise Problem("NAME-TAKEN", "There is a flow of this name: take another name.")
    graph = await house.ask(small, body.graph) if body.graph is not None else NEW
    now, author = house.now(), identity.user.id
    await do(world, world.flows.make, world.tenant, body.id, clean(body.name), graph, author, now)
    await _audit(request, world, identity, "flow.made", body.id)
    return JSONResponse(await house.ask(world.shown, body.id), 201)


NEW: dict[str, Any] = {
    "format": 1,
    "start": "hello",
    "nodes": {
        "hello": {
            "type": "say",
            "prompt": [{"sound": "builtin:welcome"}],
            "at": [80, 80],
            "exits": {"next": "end"},
        },
        "end": {"type": "hang_up", "at": [80, 240]},
    },
}


async def _audit(
    request: Request, world: World, identity: Identity, action: str, id: str, after: object = None
) -> None:
    house = world.house
    await house.ask(house.people.audit, identity.user, action, id, house.now(), address_of(request), after)


@router.get("/vocabulary", response_model=Vocabulary, responses=answers(*RIGHTS))
async def words(house: Here, identity: Who) -> dict[str, Any]:
    """What an editor offers: types of nodes with their exits and fields, functions, and what the house has."""
    world = World.on(house, _reader(identity))
    voices = house.speech.voices(world.tenant) if house.speech is not None else []

    def work() -> dict[str, Any]:
        tenant = house.tenant(world.tenant)
        names = {one.id: one.name for one in world.flows.all(world.tenant)}
        names |= {one.id: one.name or one.id for one in tenant.flows.values()}
        names = {**{id: id for id in house_flows()}, **names}
        there = of_flows.sounds(house.data, world.tenant)
        return {
            "types": [asdict(one) for one in vocabulary.TYPES],
            "functions": [asdict(one) for one in vocabulary.functions()],
            "known": [{"name": name, "text": text} for name, text in vocabulary.KNOWN.items()],
            "queues": sorted(tenant.queues),
            "agents": sorted(tenant.agents),
            "calendars": sorted(tenant.calendars),
            "tables": sorted(tenant.tables),
            "sounds": sorted(there - of_flows.BUILT_IN),
            "builtin_sounds": sorted(of_flows.BUILT_IN),
            "flows": [{"id": id, "name": name} for id, name in sorted(names.items())],
            "entry_points": sorted(of_flows.functions()),
            "languages": sorted({one.language for one in voices}),
            "voices": [{"engine": one.engine, "name": one.name, "language": one.language} for one in voices],
            "currencies": list(CURRENCIES),
        }

    return await house.ask(work)


@router.post(
    "/hear",
    response_class=Response,
    responses={
        **answers(*RIGHTS, "NO-SPEECH"),
        **WRONG,
        200: {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}},
    },
)
async def hear(body: ToHear, house: Here, identity: Who) -> Response:
    """A prompt as callers would hear it."""
    tenant = _reader(identity)
    parts = _parts(body)
    if house.speech is None:
        raise Problem("NO-SPEECH", "Nobody can speak here: install eSpeak NG on the machine of the centre.")
    spoken = await house.speech.sounds(tenant, parts, clean(body.language), clean(body.voice))
    if not spoken.paths:
        why = "; ".join(spoken.problems) or "there is nothing in it"
        raise Problem("NO-SPEECH", f"This can't be heard: {why}.")
    try:
        sound = await house.ask(house.speech.wav, spoken.paths)
    except SoundProblem as problem:
        raise Problem("NO-SPEECH", f"This can't be heard: {problem}.") from None
    return Response(sound, media_type="audio/wav")


def _parts(body: ToHear) -> list[Part]:
    """The parts of a prompt, filled in. Raises Problem FLOW-WRONG where they can't be read."""
    said = (
        body.parts if body.parts is not None else [{"text": body.text.replace("{", "{{").replace("}", "}}")}]
    )
    node = {"type": "say", "prompt": said, "exits": {"next": "end"}}
    graph = {"format": 1, "start": "say", "nodes": {"say": node, "end": {"type": "hang_up"}}}
    found = read(canonical(small(graph)))
    does = found.flow.nodes["say"].does if found.flow is not None and "say" in found.flow.nodes else None
    if found.problems or not isinstance(does, Say):
        raise wrong(found.problems)
    values = {name: clean(one) if isinstance(one, str) else one for name, one in body.values.items()}
    parts = [_part(one, body.language, values) for one in does.prompt]
    return [one for one in parts if one.text.strip()]


def _part(one: Spoken, language: str, values: Mapping[str, Value]) -> Part:
    text = one.texts.get(language) or one.texts.get("") or next(iter(one.texts.values()), None)
    return Part(one.kind, "" if text is None else text.fill(values.get), None, one.currency)


@router.get("/{flow}", response_model=FlowShown, responses=answers(*RIGHTS, "NOT-FOUND"))
async def one(id: FlowId, house: Here, identity: Who) -> dict[str, Any]:
    """A flow: what is published, and the draft."""
    return await house.ask(World.on(house, _reader(identity)).shown, id)


@router.patch("/{flow}", response_model=FlowListed, responses=answers(*WRITES))
async def rename(request: Request, id: FlowId, body: Renamed, house: Here, identity: Who) -> dict[str, Any]:
    """Give it another name for people; its id stays."""
    world = World.on(house, _writer(identity))
    await house.ask(world.need_own, id)
    await do(world, world.flows.rename, world.tenant, id, clean(body.name))
    await _audit(request, world, identity, "flow.renamed", id)
    return await house.ask(world.shown, id)


@router.delete("/{flow}", status_code=204, responses=answers(*WRITES, "IN-USE"))
async def drop(request: Request, id: FlowId, house: Here, identity: Who) -> Response:
    """Delete a flow to which nothing leads. Who is inside goes on to the end.

    One that took the place of a built-in one gives it back: what leads there from queues goes on to that.
    """
    world = World.on(house, _writer(identity))
    await house.ask(world.need_own, id)
    async with house.changing:
        shown = await house.ask(world.shown, id)
        built_in = house_flows().get(id)
        used = [
            *(f"numbers.{one}" for one in shown["numbers"]),
            *(one for one in shown["used_by"] if one != f"flows.{id}"),
        ]
        if built_in is not None:
            used = [one for one in used if one.startswith("flows.")]
        if used:
            raise Problem("IN-USE", f"{', '.join(used[:5])} leads here: change that first.")
        await do(world, world.flows.drop, world.tenant, id)
        if built_in is not None and world.current(id):
            back = FlowSpec(id, world.last(id) + 1, built_in)
            await house.tell(world.tenant, "", lambda at, _: f.FlowPublished(at, back))
        elif world.current(id):
            await house.tell(world.tenant, "", lambda at, _: f.FlowRemoved(at, id))
    await _audit(request, world, identity, "flow.deleted", id)
    return Response(status_code=204)


@router.put("/{flow}/draft", response_model=DraftKept, responses=answers(*WRITES))
async def save(id: FlowId, body: DraftSaved, house: Here, identity: Who) -> dict[str, Any]:
    """Keep a draft, finished or not. What others wrote since `base` isn't overwritten: EDIT-RACE shows it."""
    world = World.on(house, _writer(identity))
    await house.ask(world.need_own, id)
    graph = await house.ask(small, body.graph)
    draft = await do(
        world, world.flows.save_draft, world.tenant, id, body.base, graph, identity.user.id, house.now()
    )

    def shown() -> dict[str, Any]:
        return {**world.mark(draft), "problems": problems(world.check(id, graph))}

    return await house.ask(shown)


@router.delete("/{flow}/draft", status_code=204, responses=answers(*WRITES))
async def discard(
    request: Request,
    id: FlowId,
    house: Here,
    identity: Who,
    base: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Throw a draft away; `base` is its revision as it was looked at."""
    world = World.on(house, _writer(identity))
    await house.ask(world.need_own, id)
    await do(world, world.flows.discard_draft, world.tenant, id, base)
    await _audit(request, world, identity, "flow.draft_discarded", id)
    return Response(status_code=204)


@router.post("/{flow}/check", response_model=Checked, responses=answers(*RIGHTS))
async def check(id: FlowId, body: ToCheck, house: Here, identity: Who) -> dict[str, Any]:
    """What is wrong with a graph, were it this flow. Changes nothing."""
    world = World.on(house, _reader(identity))
    graph = await house.ask(small, body.graph)
    return {"problems": problems(await house.ask(world.check, id, graph))}


@router.post("/{flow}/publish", response_model=Published, responses={**answers(*WRITES), **WRONG})
async def publish(
    request: Request, id: FlowId, body: ToPublish, house: Here, identity: Who
) -> dict[str, Any]:
    """Callers go through the draft from now on; who is inside goes on in the version in which they began."""
    world = World.on(house, _writer(identity))
    await house.ask(world.need_own, id)
    async with house.changing:
        stored = await house.ask(world.flows.get, world.tenant, id)
        if stored is None or stored.draft is None:
            raise Problem("NOT-FOUND", "This flow has no draft to publish.")
        warnings = await _checked(world, id, stored.draft.graph)
        version, spec = await do(
            world,
            world.flows.publish,
            world.tenant,
            id,
            body.base,
            identity.user.id,
            house.now(),
            clean(body.note),
            above=world.last(id),
        )
        return await _told(request, world, identity, version, spec, warnings)


@router.post("/{flow}/rollback", response_model=Published, responses={**answers(*WRITES), **WRONG})
async def roll_back(
    request: Request, id: FlowId, body: ToRollBack, house: Here, identity: Who
) -> dict[str, Any]:
    """Publish the graph of an older version anew; a draft stays."""
    world = World.on(house, _writer(identity))
    await house.ask(world.need_own, id)
    async with house.changing:
        wanted = await do(world, world.flows.version, world.tenant, id, body.to)
        warnings = await _checked(world, id, wanted.graph)
        version, spec = await do(
            world,
            world.flows.roll_back,
            world.tenant,
            id,
            body.base,
            body.to,
            identity.user.id,
            house.now(),
            clean(body.note),
            above=world.last(id),
        )
        return await _told(request, world, identity, version, spec, warnings)


async def _checked(world: World, id: str, graph: Mapping[str, Any]) -> list[FlowProblem]:
    """Warnings. Raises Problem FLOW-WRONG."""
    found = await world.house.ask(world.check, id, graph)
    if any(one.severity == "error" for one in found):
        raise wrong(found)
    return found


async def _told(
    request: Request,
    world: World,
    identity: Identity,
    version: Version,
    spec: FlowSpec,
    warnings: list[FlowProblem],
) -> dict[str, Any]:
    # It is in the database: should we die here, the next start tells the core.
    await world.house.tell(world.tenant, "", lambda at, _: f.FlowPublished(at, spec))
    _warm(world, spec)
    after = {"version": version.number, "note": version.note}
    await _audit(request, world, identity, "flow.published", spec.id, after)
    return {**await world.house.ask(world.version, version), "problems": problems(warnings)}


def _warm(world: World, spec: FlowSpec) -> None:
    """Speak ahead what it says, while nobody waits for it."""
    if world.house.speech is None:
        return
    task = asyncio.create_task(warm(world.house.speech, world.tenant, [spec]), name="warm")
    _warming.add(task)
    task.add_done_callback(_warmed)


def _warmed(task: asyncio.Task[list[str]]) -> None:
    _warming.discard(task)
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("a flow's prompts weren't spoken ahead", exc_info=problem)


_warming: set[asyncio.Task[list[str]]] = set()
"Kept here, or they could vanish before they are done."


@router.get(
    "/{flow}/versions", response_model=Versions, responses=answers(*RIGHTS, "NOT-FOUND", "BAD-CURSOR")
)
async def versions(
    id: FlowId,
    house: Here,
    identity: Who,
    cursor: NumberCursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """What was published, newest first. Of a flow of the file, or built in, only what counts now is known."""
    world = World.on(house, _reader(identity))
    before = number_of(cursor)
    if world.of_file(id) is not None or await house.ask(world.built_in, id) is not None:
        return {"items": [_of_file(world, id)] if before is None else [], "next": None}
    found = await do(world, world.flows.versions, world.tenant, id, before=before, limit=limit + 1)

    def shown() -> dict[str, Any]:
        items = [world.version(one) for one in found[:limit]]
        return {"items": items, "next": str(found[limit - 1].number) if len(found) > limit else None}

    return await house.ask(shown)


def _of_file(world: World, id: str) -> dict[str, Any]:
    return {"version": world.current(id) or 1, "at": 0.0, "by": "", "note": ""}


@router.get(
    "/{flow}/versions/{version}", response_model=VersionShown, responses=answers(*RIGHTS, "NOT-FOUND")
)
async def version(id: FlowId, version: str, house: Here, identity: Who) -> dict[str, Any]:
    """One version with its graph."""
    world = World.on(house, _reader(identity))
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 16 else 0
    if world.of_file(id) is not None or await house.ask(world.built_in, id) is not None:
        known = house.centre(world.tenant).flows.get(id)
        text = None if known is None else known.graphs.get(number)
        if text is None:
            raise Problem(
                "NOT-FOUND", "Of a flow of the file only the versions that callers are in are known."
            )
        return {**_of_file(world, id), "version": number, "graph": graph_of(text)}
    found = await do(world, world.flows.version, world.tenant, id, number)
    return {**await house.ask(world.version, found), "graph": found.graph}


@router.post("/{flow}/try", response_model=TrialShown, responses={**answers(*RIGHTS, "NOT-FOUND"), **WRONG})
async def attempt(id: FlowId, body: ToTry, house: Here, identity: Who) -> dict[str, Any]:
    """Go through a flow with simulated keys: nobody is called, nothing is sent."""
    world = World.on(house, _reader(identity))
    graph = await house.ask(small, body.graph) if body.graph is not None else None

    def work() -> dict[str, Any]:
        specs = world.specs()
        wanted, version = _wanted(world, id, graph, specs)
        if wanted is not None:
            said = of_flows.check(wanted, world.known(specs), id)
            if any(one.severity == "error" for one in said):
                raise wrong(said)
            specs[id] = FlowSpec(
                id, 1 + max(version or 0, specs[id].version if id in specs else 0), canonical(wanted)
            )
        else:
            said = []
        keys = (
            body.keys
            if isinstance(body.keys, str)
            else [trial.Key(one.after, one.digit) for one in body.keys]
        )
        found = trial.attempt(
            specs,
            id,
            house.tenant(world.tenant),
            house.now() if body.at is None else body.at,
            keys=keys,
            caller=clean(body.caller),
            dialled=clean(body.dialled),
            language=clean(body.language),
            then=body.then,
            errands={
                name: trial.Answer(
                    clean(one.exit), {clean(key): _clean(value) for key, value in one.values.items()}
                )
                for name, one in body.errands.items()
            },
            patience=body.patience,
            seed=body.seed,
            length=lambda sound: of_flows.seconds(house.data, world.tenant, sound),
        )
        return {
            "version": version,
            "steps": [asdict(one) for one in found.steps],
            "end": asdict(found.end),
            "seconds": found.seconds,
            "path": [{"flow": flow, "node": node, "exit": exit} for flow, node, exit in found.path],
            "values": dict(found.values),
            "problems": problems(said),
        }

    return await house.ask(work)


def _clean(value: Value) -> Value:
    return clean(value) if isinstance(value, str) else value


def _wanted(
    world: World, id: str, graph: dict[str, Any] | None, specs: Mapping[str, FlowSpec]
) -> tuple[dict[str, Any] | None, int | None]:
    """(graph to try, None for the published one; version of the published one). Raises Problem NOT-FOUND."""
    if graph is not None:
        return graph, None
    stored = None if world.of_file(id) is not None else world.flows.get(world.tenant, id)
    if stored is not None and stored.draft is not None:
        return stored.draft.graph, None
    if id not in specs:
        raise Problem("NOT-FOUND", NOT_FOUND)
    return None, specs[id].version


@router.get("/{flow}/paths", response_model=PathsShown, responses=answers(*RIGHTS, "NOT-FOUND"))
async def paths(
    id: FlowId,
    house: Here,
    identity: Who,
    version: Annotated[int, Query(ge=1, le=2**53)] | None = None,
    first: Annotated[date | None, Query(alias="from")] = None,
    last: Annotated[date | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Which ways callers went on these days, both included, in the tenant's time zone; by default the last seven.

    A call counts on the day on which it came into its first flow.
    """
    world = World.on(house, _reader(identity))
    zone = ZoneInfo(house.tenant(world.tenant).timezone)
    until = last or datetime.fromtimestamp(house.now(), zone).date()
    try:
        since = first or until - timedelta(days=6)
    except OverflowError:
        since = date.min
    if since > until or (until - since).days > MOST_DAYS:
        raise Problem("BAD-INPUT", f"Expected days in order, and at most {MOST_DAYS} of them.")

    def work() -> dict[str, Any]:
        there = world.of_file(id) is not None or world.flows.get(world.tenant, id) is not None
        if not there and world.built_in(id) is None:
            raise Problem("NOT-FOUND", NOT_FOUND)
        world.flows.paths.project(lambda tenant: _zone_of(house, tenant))
        found = world.flows.paths.of(world.tenant, id, since, until, version)
        return {
            "flow": id,
            "version": version,
            "versions": list(found.versions),
            "from": since.isoformat(),
            "to": until.isoformat(),
            "calls": found.calls,
            "nodes": [
                {
                    "node": one.node,
                    "entered": one.entered,
                    "left": one.left,
                    "failed": one.failed,
                    "exits": [{"exit": exit, "count": count} for exit, count in one.exits.items()],
                }
                for one in found.nodes
            ],
        }

    return await house.ask(work)


def _zone_of(house: House, tenant: str) -> str:
    known = house.settings.tenants.get(tenant)
    return "UTC" if known is None else known.timezone
