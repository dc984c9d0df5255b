"""The floor: names for the pages, why somebody gets no calls, and what supervisors do to agents and waiting callers."""

import gzip
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.core import facts as f
from centrala.core.state import Agent, Centre, Contact, Queue
from centrala.core.waits import expected
from centrala.ledger.metrics import METRICS
from centrala.live import state_of
from centrala.people import Identity, Permission, User, allowed, holds
from centrala.web.board import Entity, Kind, own, reaches
from centrala.web.entities import explained, lamps_of
from centrala.web.guard import Fingerprint, Here, Key, Who, address_of, need
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.desk import Pause
from centrala.web.routes.people import SIGNED_IN, Body
from centrala.web.shown import AgentState, Done, Lamps, Why

router = APIRouter()

P = Permission

LARGE = 2000
"Bytes of names that are worth compressing."

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


# --- names ---


class QueueName(BaseModel):
    id: str
    name: str
    client: str | None
    target: Annotated[list[float], Field(min_length=2, max_length=2)]
    dispositions: list[str]
    "Results to choose from, in their order; not empty means that one is required."
    auto_answer: float | None
    "Seconds after which the phone in an agent's page answers by itself."


class AgentName(BaseModel):
    id: str
    name: str
    team: str | None


class NameShown(BaseModel):
    id: str
    name: str


class Labelled(BaseModel):
    id: str
    label: dict[str, str]
    "By language: en, pl, ru."


class ReasonName(Labelled):
    limit: float | None
    "Seconds."


class CentreNames(BaseModel):
    tenant: str
    name: str
    locale: str
    timezone: str
    queues: list[QueueName]
    agents: list[AgentName]
    teams: list[NameShown]
    clients: list[NameShown]
    reasons: list[ReasonName]
    dispositions: list[Labelled]


class MetricShown(BaseModel):
    id: str
    unit: str
    words: str
    formula: str
    source: str
    of: list[str]
    version: int


class Metrics(BaseModel):
    items: list[MetricShown]


@router.get("/centre", response_model=CentreNames, responses=answers("SIGNED-OUT"))
async def names(request: Request, house: Here, identity: Who) -> Response:
    """Names of what I may see, and what agents choose from."""
    user = identity.user
    tenant, centre = house.tenant(user.tenant), house.centre(user.tenant)
    hub = house.hubs[user.tenant]
    queues = [one for one in tenant.queues.values() if _may_name(user, one.id, one.client)]
    clients = {one.client for one in queues}
    agents = []
    for agent in centre.agents.values():
        entity = hub.entity(("agent", agent.spec.id))
        if holds(user, P.DESK) or (
            entity is not None and any(reaches(user, one, entity) for one in (P.AGENTS, P.CONTACTS))
        ):
            agents.append(agent)
    teams = {team: tenant.team_of(agent.spec.id) for agent in agents for team in (agent.spec.id,)}
    made = {
        "tenant": tenant.id,
        "name": tenant.name or tenant.id,
        "locale": tenant.locale,
        "timezone": tenant.timezone,
        "queues": [
            {
                "id": one.id,
                "name": one.name or one.id,
                "client": one.client,
                "target": list(one.service_level),
                "dispositions": list(one.dispositions),
                "auto_answer": one.auto_answer,
            }
            for one in queues
        ],
        "agents": [
            {"id": one.spec.id, "name": one.spec.name or one.spec.id, "team": teams[one.spec.id]}
            for one in agents
        ],
        "teams": [
            {"id": one.id, "name": one.name or one.id}
            for one in tenant.teams.values()
            if one.id in set(teams.values()) or allowed(user, P.AGENTS, user.tenant, team=one.id)
        ],
        "clients": [
            {"id": one.id, "name": one.name or one.id} for one in tenant.clients.values() if one.id in clients
        ],
        "reasons": [
            {"id": one.id, "label": one.label, "limit": one.limit} for one in tenant.reasons.values()
        ],
        "dispositions": [{"id": one.id, "label": one.label} for one in tenant.dispositions.values()],
    }
    answer = JSONResponse(made)
    body = bytes(answer.body)
    if len(body) < LARGE or "gzip" not in request.headers.get("accept-encoding", ""):
        return answer
    # Every page begins with it: the names of a thousand agents are 50 kB.
    packed = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(gzip.compress(body, 5), headers=packed, media_type="application/json")


def _may_name(user: User, queue: str, client: str | None) -> bool:
    return holds(user, P.DESK) or any(
        allowed(user, one, user.tenant, queue=queue, client=client)
        for one in (P.QUEUES, P.AGENTS, P.CONTACTS)
    )


@router.get("/metrics", response_model=Metrics, responses=answers("SIGNED-OUT"))
async def metrics(identity: Who) -> Response:
    """The dictionary of figures: what each on a board or in a report means."""
    items = [
        {
            "id": one.id,
            "unit": one.unit,
            "words": one.words,
            "formula": one.formula,
            "source": one.source,
            "of": list(one.of),
            "version": one.version,
        }
        for one in METRICS.values()
    ]
    return JSONResponse({"items": items})


# --- in sight ---


def in_sight(house: House, identity: Identity, permission: Permission, kind: Kind, name: str) -> Entity:
    """The thing, if the user may do this to it. Raises Problem NOT-ALLOWED, NOT-FOUND."""
    need(identity, permission)
    entity = house.hubs[identity.user.tenant].entity((kind, name))
    if entity is None or not reaches(identity.user, permission, entity):
        raise Problem("NOT-FOUND", NOT_FOUND)
    return entity


class Explained(Why):
    lamps: Lamps


@router.get(
    "/floor/explain/{agent}",
    response_model=Explained,
    responses=answers("SIGNED-OUT", "NOT-ALLOWED", "NOT-FOUND"),
)
async def explain(agent: str, house: Here, identity: Who) -> Response:
    """Why this agent gets no calls just now."""
    user = identity.user
    need(identity, P.AGENTS, P.DESK)
    hub = house.hubs[user.tenant]
    entity = hub.entity(("agent", agent))
    known = house.centre(user.tenant).agents.get(agent)
    if entity is None or known is None or not (own(user, entity) or reaches(user, P.AGENTS, entity)):
        raise Problem("NOT-FOUND", NOT_FOUND)
    world = hub.world
    return JSONResponse({**explained(world, known), "lamps": lamps_of(world, known)})


# --- what supervisors do ---

WRITES: Any = {
    "response_model": Done,
    "responses": answers(*SIGNED_IN, "NOT-ALLOWED", "NOT-FOUND", "AGENT-REFUSED", "KEY-REUSED"),
}


class Supervise(Body):
    mode: Literal["listen", "whisper", "barge", "take_over", "off"]


class Move(Body):
    queue: Name


class Priority(Body):
    priority: Annotated[int, Field(ge=-100, le=100)]
    "Points; one is worth the queue's `ageing` seconds of waiting."


class MessageBody(Body):
    to: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^(all|(team|agent):[^\x00-\x1f\x7f]+)$")]
    text: Annotated[str, Field(min_length=1, max_length=500)]


async def steer(
    request: Request,
    house: House,
    identity: Identity,
    key: str | None,
    mark: bytes,
    what: tuple[Kind, str],
    action: str,
    after: Any,
    *make: Callable[[float, str], f.Fact],
    before: bool = False,
) -> Response:
    """Do something to an agent or a contact in sight, with an entry in the trail: after it, or `before`."""
    kind, name = what
    user = identity.user
    in_sight(house, identity, P.STEER, kind, name)

    async def work() -> tuple[int, Any]:
        if before:
            await house.ask(house.people.audit, user, action, name, house.now(), address_of(request), after)
        told = await house.tell(user.tenant, name, *make)
        if not before:
            await house.ask(house.people.audit, user, action, name, house.now(), address_of(request), after)
        entity = house.hubs[user.tenant].entity((kind, name))
        numbers = holds(user, P.NUMBERS)
        shown = None
        if entity is not None and reaches(user, P.STEER, entity):
            shown = entity.value if numbers else {**entity.value, **entity.veil}
        other = "contact" if kind == "agent" else "agent"
        return 200, {"seq": told.seq, "stored": told.stored, kind: shown, other: None}

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


@router.post("/floor/agents/{agent}/ready", **WRITES)
async def ready(
    request: Request, agent: str, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Make an agent ready."""
    what: tuple[Kind, str] = ("agent", agent)
    return await steer(request, house, identity, key, mark, what, "agent.ready", None, f.AgentReady)


@router.post("/floor/agents/{agent}/pause", **WRITES)
async def pause(
    request: Request, agent: str, body: Pause, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Let an agent take no contacts, for this reason; in a conversation, after it."""
    reason = clean(body.reason)
    in_sight(house, identity, P.STEER, "agent", agent)
    make: list[Callable[[float, str], f.Fact]] = [lambda at, name: f.AgentPaused(at, name, reason)]
    if house.centre(identity.user.tenant).agents[agent].intent == "logged_out":
        make.insert(0, f.AgentSignedIn)
    return await steer(
        request, house, identity, key, mark, ("agent", agent), "agent.pause", {"reason": reason}, *make
    )


@router.post("/floor/agents/{agent}/sign-out", **WRITES)
async def sign_out(
    request: Request, agent: str, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Sign an agent out of the queues; a conversation goes on to its end."""
    what: tuple[Kind, str] = ("agent", agent)
    return await steer(request, house, identity, key, mark, what, "agent.sign_out", None, f.AgentSignedOut)


@router.post(
    "/floor/contacts/{contact}/supervise",
    response_model=Done,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "NOT-FOUND", "NO-AGENT", "AGENT-REFUSED", "KEY-REUSED"),
)
async def supervise(
    request: Request,
    contact: str,
    body: Supervise,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Listen, whisper to the agent, speak to both, take the contact over, or leave: by my own phone, which is rung."""
    in_sight(house, identity, P.STEER, "contact", contact)
    me = identity.user.agent
    if me is None or me not in house.centre(identity.user.tenant).agents:
        raise Problem(
            "NO-AGENT", "You have no telephone here: an administrator has to name an agent for you."
        )
    return await steer(
        request,
        house,
        identity,
        key,
        mark,
        ("contact", contact),
        "contact.supervise",
        {"mode": body.mode},
        lambda at, name: f.SuperviseAsked(at, name, me, body.mode),
        before=True,  # nobody listens without a trace, whatever fails then
    )


@router.post("/floor/contacts/{contact}/move", **WRITES)
async def move(
    request: Request, contact: str, body: Move, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Let who waits wait in another queue; the time waited so far counts there."""
    in_sight(house, identity, P.STEER, "contact", contact)
    queue = clean(body.queue)
    in_sight(house, identity, P.STEER, "queue", queue)
    return await steer(
        request,
        house,
        identity,
        key,
        mark,
        ("contact", contact),
        "contact.move",
        {"queue": queue},
        lambda at, name: f.ContactMoved(at, name, queue),
    )


@router.post("/floor/contacts/{contact}/priority", **WRITES)
async def priority(
    request: Request,
    contact: str,
    body: Priority,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Let who waits go before others, or after them."""
    return await steer(
        request,
        house,
        identity,
        key,
        mark,
        ("contact", contact),
        "contact.priority",
        {"priority": body.priority},
        lambda at, name: f.ContactRaised(at, name, body.priority),
    )


class Said(BaseModel):
    id: str
    agents: int
    "On whose desks it stands."


@router.post(
    "/floor/message",
    response_model=Said,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "NOT-FOUND", "KEY-REUSED"),
)
async def say(
    request: Request, body: MessageBody, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """A few words on the desks of all in my scope, of a team, or of one agent; they stay for ten minutes."""
    need(identity, P.STEER)
    user, hub = identity.user, house.hubs[identity.user.tenant]
    kind, _, target = body.to.partition(":")
    target = clean(target)
    tenant = house.tenant(user.tenant)
    there = house.centre(user.tenant).agents
    match kind:
        case "agent":
            wanted = [target]
            teams: list[str] = []
        case "team":
            team = tenant.teams.get(target)
            wanted = list(team.agents) if team is not None else []
            teams = [target]
        case _:
            wanted = list(there)
            teams = list(tenant.teams)
    agents = [
        one
        for one in wanted
        if (entity := hub.entity(("agent", one))) is not None and reaches(user, P.STEER, entity)
    ]
    if not agents:
        raise Problem("NOT-FOUND", NOT_FOUND)
    teams = [one for one in teams if allowed(user, P.STEER, user.tenant, team=one)]

    async def work() -> tuple[int, Any]:
        text = clean(body.text)
        sender = there[user.agent].spec.name if user.agent in there else ""
        # Told first, then shown: what nobody can find again isn't said.
        await house.ask(
            house.people.audit,
            user,
            "floor.message",
            clean(body.to),
            house.now(),
            address_of(request),
            {"text": text},
        )
        return 200, {"id": hub.say(sender or user.name, text, agents, teams), "agents": len(agents)}

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


# --- one queue ---


class WaitingPlace(BaseModel):
    contact: str
    place: int
    since: float
    "Unix seconds."
    wait: float
    "Seconds."
    estimate: float | None
    "Seconds until served; not worked out yet."
    priority: int
    ringing: list[str]
    number: str | None
    name: str | None
    owed: Literal["callback", "message"] | None
    "Not on the line: to be called back, or a message of theirs heard."
    why: Why
    "Why this place: LONGEST, PRIORITY (ahead_of: who waits longer), or RINGS."


class Member(BaseModel):
    agent: str
    name: str
    state: AgentState
    since: float | None
    level: int
    may: bool
    "Could be offered the next contact now."
    why: Why
    "Why not, or in which turn."


class QueueDetail(BaseModel):
    id: str
    name: str
    at: float
    waiting: list[WaitingPlace]
    members: list[Member] | None
    "Null where agents may not be seen."


MEMBERS = 500


@router.get(
    "/floor/queues/{queue}",
    response_model=QueueDetail,
    responses=answers("SIGNED-OUT", "NOT-ALLOWED", "NOT-FOUND"),
)
async def queue_detail(queue: str, house: Here, identity: Who) -> Response:
    """Who waits and why in this place, who may answer and why not."""
    user = identity.user
    entity = in_sight(house, identity, P.QUEUES, "queue", queue)
    centre, now = house.centre(user.tenant), house.now()
    found = centre.queues.get(queue)
    if found is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    hub = house.hubs[user.tenant]
    view = hub.live.view_queue(centre, queue, now)
    stands = [name for _, _, name in sorted([*found.waiting, *found.reserved])]
    order = [*(one.contact for one in view.waiting if one.contact not in stands), *stands]
    waiting = [centre.contacts[one] for one in order if one in centre.contacts]
    callers = hub.world.callers if holds(user, P.NUMBERS) else {}
    places = []
    for number, contact in enumerate(waiting, 1):
        caller = callers.get(contact.id)
        places.append(
            {
                "contact": contact.id,
                "place": number,
                "since": round(contact.since, 3),
                "wait": round(max(now - contact.since, 0.0), 1),
                "estimate": _estimate(centre, found, contact, now),
                "priority": contact.priority,
                "ringing": sorted(one.agent for one in contact.offers.values() if one.agent is not None),
                "number": caller.number if caller is not None else None,
                "name": caller.name if caller is not None else None,
                "owed": contact.owed or None if contact.absent else None,
                "why": _why_here(contact, waiting[number:]),
            }
        )
    members = None
    if holds(user, P.AGENTS):
        seen = [
            _member(house, user, centre, centre.agents[name], found.members[name])
            for name in list(found.members)[:MEMBERS]
            if name in centre.agents
        ]
        members = sorted(filter(None, seen), key=lambda one: (not one["may"], one["name"].casefold()))
    return JSONResponse(
        {
            "id": queue,
            "name": entity.value["name"],
            "at": round(now, 3),
            "waiting": places,
            "members": members,
        }
    )


def _estimate(centre: Centre, queue: Queue, contact: Contact, now: float) -> float | None:
    """Seconds until a phone rings for somebody who waits."""
    if contact.state != "queued":
        return 0.0
    found = expected(centre, queue, (contact.rank, contact.order, contact.id), now)
    return None if found is None else round(found.seconds, 1)


def _why_here(contact: Contact, behind: list[Contact]) -> dict[str, Any]:
    """By waiting longest, by priority, or because a phone rings for them already."""
    if contact.offers:
        return {"code": "RINGS", "values": {}}
    longer = sum(one.since < contact.since for one in behind)
    if longer:
        return {"code": "PRIORITY", "values": {"priority": contact.priority, "ahead_of": longer}}
    return {"code": "LONGEST", "values": {}}


def _member(house: House, user: User, centre: Centre, agent: Agent, level: int) -> dict[str, Any] | None:
    hub = house.hubs[user.tenant]
    name = agent.spec.id
    entity = hub.entity(("agent", name))
    if entity is None or not reaches(user, P.AGENTS, entity):
        return None
    since = hub.live.since(name)
    return {
        "agent": name,
        "name": agent.spec.name or name,
        "state": state_of(centre, agent),
        "since": None if since is None else round(since, 3),
        "level": level,
        "may": agent.idle,
        "why": explained(hub.world, agent),
    }
