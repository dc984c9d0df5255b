"""Rebalancing, for those who steer: who is lent where and why, the end of a loan, and a pause of the whole."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from centrala.core import facts as f
from centrala.core.balance import active
from centrala.core.state import Centre
from centrala.people import Permission, User
from centrala.web.board import reaches
from centrala.web.entities import loans_of
from centrala.web.guard import Fingerprint, Here, Key, Who, address_of, need, need_whole
from centrala.web.hub import Hub
from centrala.web.inputs import clean
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.floor import WRITES, in_sight, steer
from centrala.web.routes.people import SIGNED_IN, Body
from centrala.web.shown import LoanShown

router = APIRouter()

STEER = Permission.STEER


class BalancedQueue(BaseModel):
    id: str
    name: str
    give: bool
    take: bool
    reserve: int
    most: int | None
    lent: int
    "To it, now."
    given: int
    "By it."


class AgentLoan(LoanShown):
    agent: str
    name: str


class BalancingShown(BaseModel):
    configured: bool
    "Switched on in the settings."
    running: bool
    "Now: configured, not paused, and some queue takes part."
    paused: bool
    whole: bool
    "I may pause it and let it go on: it is the whole house's."
    moves_per_hour: int | None
    margin: float | None
    queues: list[BalancedQueue]
    loans: list[AgentLoan]


class BalancingAsked(Body):
    on: bool


@router.get("/floor/balancing", response_model=BalancingShown, responses=answers("SIGNED-OUT", "NOT-ALLOWED"))
async def balancing(house: Here, identity: Who) -> Response:
    """Which queues take part, with their limits, and who is lent just now; what I may steer of them."""
    need(identity, STEER)
    user = identity.user
    return JSONResponse(_shown(house.centre(user.tenant), house.hubs[user.tenant], user))


def _shown(centre: Centre, hub: Hub, user: User) -> dict[str, Any]:
    rules = centre.balancing
    loans = []
    lent: dict[str, int] = {}
    given: dict[str, int] = {}
    for who in centre.borrowed:
        agent = centre.agents[who]
        for name in agent.queues:
            count = lent if name in agent.loans else given
            count[name] = count.get(name, 0) + 1
        entity = hub.entity(("agent", who))
        if entity is not None and reaches(user, STEER, entity):
            loans += [
                {**one, "agent": who, "name": agent.spec.name or who} for one in loans_of(centre, agent)
            ]
    queues = []
    for name in centre.balanced:
        entity, limits = hub.entity(("queue", name)), centre.queues[name].spec.balance
        if entity is None or limits is None or not reaches(user, STEER, entity):
            continue
        queues.append(
            {
                "id": name,
                "name": entity.value["name"],
                "give": limits.give,
                "take": limits.take,
                "reserve": limits.reserve,
                "most": limits.most,
                "lent": lent.get(name, 0),
                "given": given.get(name, 0),
            }
        )
    return {
        "configured": rules is not None and rules.on,
        "running": active(centre) is not None,
        "paused": centre.balancing_paused,
        "whole": user.whole_tenant,
        "moves_per_hour": None if rules is None else rules.moves_per_hour,
        "margin": None if rules is None else rules.margin,
        "queues": queues,
        "loans": sorted(loans, key=lambda one: (one["queue"], one["since"], one["agent"])),
    }


@router.put(
    "/floor/balancing",
    response_model=BalancingShown,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "AGENT-REFUSED", "KEY-REUSED"),
)
async def pause(
    request: Request, body: BalancingAsked, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Pause rebalancing, whereupon all who are lent return, or let it go on. For those who steer the whole house."""
    need_whole(identity, STEER)
    user = identity.user

    async def work() -> tuple[int, Any]:
        await house.tell(user.tenant, user.agent or "", lambda at, name: f.BalanceAsked(at, body.on, name))
        after = {"on": body.on}
        await house.ask(
            house.people.audit, user, "balancing.pause", user.tenant, house.now(), address_of(request), after
        )
        return 200, _shown(house.centre(user.tenant), house.hubs[user.tenant], user)

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


@router.delete("/floor/agents/{agent}/loans/{queue}", **WRITES)
async def end(
    request: Request,
    agent: str,
    queue: str,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Take back an agent whom rebalancing has lent to this queue; they aren't lent there again for an hour."""
    in_sight(house, identity, STEER, "agent", agent)
    known = house.centre(identity.user.tenant).agents.get(agent)
    name = clean(queue)
    if known is None or name not in known.loans:
        raise Problem("NOT-FOUND", NOT_FOUND)
    by = identity.user.agent or ""
    return await steer(
        request,
        house,
        identity,
        key,
        mark,
        ("agent", agent),
        "agent.loan.end",
        {"queue": name},
        lambda at, who: f.LoanEndAsked(at, who, name, by),
    )
