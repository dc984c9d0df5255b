"""Which queues an agent serves just now: a supervisor lends them to some, or takes them out, until it is taken back."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.core import facts as f
from centrala.core.indexes import level_in
from centrala.core.state import Agent, Centre
from centrala.people import Identity, Permission
from centrala.web.board import reaches
from centrala.web.guard import Fingerprint, Here, Key, Who
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.floor import WRITES, Name, in_sight, steer
from centrala.web.routes.people import Body

router = APIRouter()

STEER = Permission.STEER


class QueueServed(BaseModel):
    id: str
    name: str
    configured: bool
    "By the queue's list, or by skill."
    lent: bool | None
    "What a supervisor has said instead; null where nobody has."
    serves: bool
    "Just now."


class QueuesServed(BaseModel):
    items: list[QueueServed]


class Serving(Body):
    queues: Annotated[dict[Name, bool | None], Field(min_length=1, max_length=500)]
    "By queue: true serves it, false doesn't, null is as configured. Queues left out stay as they are."


@router.get(
    "/floor/agents/{agent}/queues",
    response_model=QueuesServed,
    responses=answers("SIGNED-OUT", "NOT-ALLOWED", "NOT-FOUND"),
)
async def queues_of(agent: str, house: Here, identity: Who) -> Response:
    """The queues that I may lend this agent to, or take them out of."""
    in_sight(house, identity, STEER, "agent", agent)
    user = identity.user
    centre, hub = house.centre(user.tenant), house.hubs[user.tenant]
    known = _known(centre, agent)
    items = []
    for name in centre.queues:
        entity = hub.entity(("queue", name))
        if entity is None or not reaches(user, STEER, entity):
            continue
        items.append(
            {
                "id": name,
                "name": entity.value["name"],
                "configured": _configured(centre, known, name),
                "lent": True if name in known.plus else False if name in known.minus else None,
                "serves": name in known.queues,
            }
        )
    return JSONResponse({"items": items})


@router.put("/floor/agents/{agent}/queues", **WRITES)
async def change_queues(
    request: Request,
    agent: str,
    body: Serving,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Lend an agent to queues, or take them out of some: at once, until it is taken back. They are told who did it."""
    in_sight(house, identity, STEER, "agent", agent)
    wanted = {clean(name): serve for name, serve in body.queues.items()}
    for name in wanted:
        in_sight(house, identity, STEER, "queue", name)
    async with house.lending:
        known = _known(house.centre(identity.user.tenant), agent)
        before = frozenset(known.queues)
        plus, minus = _after(house.centre(identity.user.tenant), known, wanted)
        answer = await steer(
            request,
            house,
            identity,
            key,
            mark,
            ("agent", agent),
            "agent.queues",
            {"queues": wanted},
            lambda at, name: f.AgentQueuesChanged(at, name, plus, minus),
        )
        _say(house, identity, agent, before)
    return answer


def _known(centre: Centre, agent: str) -> Agent:
    known = centre.agents.get(agent)
    if known is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    return known


def _configured(centre: Centre, agent: Agent, queue: str) -> bool:
    return level_in(agent.spec, centre.queues[queue].spec) is not None


def _after(
    centre: Centre, agent: Agent, wanted: dict[str, bool | None]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(plus, minus): only what differs from what is configured, of queues that are there."""
    plus = {one for one in agent.plus if one in centre.queues and one not in wanted}
    minus = {one for one in agent.minus if one in centre.queues and one not in wanted}
    for name, serve in wanted.items():
        if serve is not None and serve != _configured(centre, agent, name):
            (plus if serve else minus).add(name)
    return tuple(sorted(plus)), tuple(sorted(minus))


def _say(house: House, identity: Identity, agent: str, before: frozenset[str]) -> None:
    """Tell the agent what has changed for them, and by whom."""
    user = identity.user
    centre = house.centre(user.tenant)
    known = centre.agents.get(agent)
    if known is None:
        return
    after = frozenset(known.queues)
    ways = {"into": sorted(after - before), "out_of": sorted(before - after)}
    if after == before or agent == user.agent:
        return
    sender = centre.agents[user.agent].spec.name if user.agent in centre.agents else ""
    names = {name: house.tenant(user.tenant).queues[name].name or name for name in before ^ after}
    text = "; ".join(
        f"{words} {', '.join(names[one] for one in ways[way])}"
        for way, words in (("into", "you serve now"), ("out_of", "you no longer serve"))
        if ways[way]
    )
    house.hubs[user.tenant].say(
        sender or user.name, text[0].upper() + text[1:] + ".", [agent], [], {"agent": agent, **ways}
    )
