"""Plans: made, looked at, edited, published; contracts of people and rules of the house."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from centrala.people import Identity, Permission, allowed
from centrala.planning import people as contracts
from centrala.planning import values as v
from centrala.planning.people import RequestWrong
from centrala.planning.planner import BreaksRules, Refused
from centrala.planning.plans import Gone, Stale, TooMany, WrongState, new_id
from centrala.web.guard import Fingerprint, Here, Key, Who, need, need_whole
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.plan_shapes import (
    BreaksRule,
    Copied,
    DemandFromRecords,
    NewPlan,
    OfVersion,
    PeopleShown,
    PersonGiven,
    PersonShown,
    PlanChanges,
    PlanEdited,
    PlanHead,
    PlanPublished,
    PlanShown,
    PlansListed,
    RulesGiven,
    RulesShown,
    TypedDemand,
)
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.customers import note_down
from centrala.web.routes.people import SIGNED_IN
from centrala.web.routes.planning import sees

router = APIRouter()

P = Permission
T = TypeVar("T")
PlanId = Annotated[str, Path(alias="plan", max_length=256)]
AgentId = Annotated[str, Path(alias="agent", max_length=256)]

RIGHTS = ("SIGNED-OUT", "NOT-ALLOWED")
WRITES = (*SIGNED_IN, "NOT-ALLOWED", "NOT-FOUND", "PLAN-CHANGED", "PLAN-STATE")
WRONG: dict[int | str, dict[str, Any]] = {
    422: {
        "model": BreaksRule,
        "description": "BAD-INPUT, PLAN-INPUT, PLAN-NOBODY, PLAN-BREAKS-RULE",
        "content": {"application/problem+json": {}},
    }
}


# --- who may ---


def _reader(identity: Identity) -> str:
    need(identity, P.PLANS)
    return identity.user.tenant


def _writer(identity: Identity) -> str:
    """Plans are made for the house as a whole."""
    need_whole(identity, P.PLANNING)
    return identity.user.tenant


class _Eye:
    """What of a plan somebody may see: all of it, or the queues and agents of their scopes."""

    def __init__(self, house: House, identity: Identity, agents: set[str]) -> None:
        user, tenant = identity.user, house.tenant(identity.user.tenant)
        self.whole = allowed(user, P.PLANS, user.tenant)
        self._queues = {
            one.id
            for one in tenant.queues.values()
            if self.whole or allowed(user, P.PLANS, user.tenant, queue=one.id, client=one.client)
        }
        self._agents = (
            agents if self.whole else {one for one in agents if sees(house, identity, "agent", one)}
        )

    def queue(self, id: str) -> bool:
        return self.whole or id in self._queues

    def agent(self, id: str | None) -> bool:
        return self.whole or id in self._agents

    @property
    def anybody(self) -> bool:
        return bool(self._agents)

    def any_of(self, head: v.Head) -> bool:
        return self.whole or any(map(self.queue, head.queues))


# --- reading ---


@router.get("/plans", response_model=PlansListed, responses=answers(*RIGHTS))
async def plans(house: Here, identity: Who) -> Response:
    """All plans, newest first."""
    tenant = _reader(identity)
    eye = _Eye(house, identity, set(house.tenant(tenant).agents))

    def work() -> Response:
        heads = [one for one in house.plans.heads(tenant) if eye.any_of(one) or _of_theirs(one)]
        return _json({"items": [_head(one, eye) for one in heads]})

    def _of_theirs(head: v.Head) -> bool:
        found = house.plans.plan(tenant, head.id) if eye.anybody else None
        return found is not None and any(eye.agent(one.agent) for one in found.agents)

    return await house.ask(work)


@router.get("/plans/{plan}", response_model=PlanShown, responses=answers(*RIGHTS, "NOT-FOUND"))
async def plan(id: PlanId, house: Here, identity: Who) -> Response:
    """A plan with all that is in it, as far as one may see it."""
    found = await _plan(house, _reader(identity), id)
    eye = _Eye(house, identity, {one.agent for one in found.agents})
    if not eye.any_of(found.head) and not eye.anybody:
        raise Problem("NOT-FOUND", NOT_FOUND)
    return await house.ask(_shown, found, eye)


# --- making ---


@router.post(
    "/plans",
    status_code=202,
    response_model=PlanHead,
    responses={**answers(*SIGNED_IN, "NOT-ALLOWED", "TOO-MANY", "BUSY", "KEY-REUSED"), **WRONG},
)
async def make(
    request: Request, body: NewPlan, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Have a plan made: the answer comes at once, the plan when it is ready (`state`, `progress`)."""
    _writer(identity)

    async def work() -> tuple[int, Any]:
        return 202, await _begin(request, house, identity, _request(body), "plan.made")

    status, told = await house.once(identity, key, mark, work)
    return _json(told, status)


@router.post(
    "/plans/{plan}/copy",
    status_code=201,
    response_model=PlanHead,
    responses={**answers(*WRITES, "TOO-MANY", "BUSY"), **WRONG},
)
async def copy(request: Request, id: PlanId, body: Copied, house: Here, identity: Who) -> Response:
    """A draft that is the same. One that failed is made anew, by the contracts and rules of now."""
    tenant = _writer(identity)
    found = await _plan(house, tenant, id)
    name = clean(body.name) if body.name else found.head.name
    if found.head.state == "making":
        raise Problem("PLAN-STATE", "It is still being made: wait until it is ready.")
    if found.head.state == "failed":
        asked = found.request
        if asked is None:
            raise Problem("PLAN-STATE", "Nothing is known of how this plan was made: make a new one.")
        return _json(await _begin(request, house, identity, replace(asked, name=name), "plan.made"), 201)
    head = replace(
        found.head,
        id=new_id(),
        name=name,
        state="draft",
        made_at=house.now(),
        made_by=identity.user.id,
        published_at=None,
    )
    made = await _do(house, house.plans.add, tenant, replace(found, head=head))
    await note_down(request, house, identity, "plan.copied", made.head.id, {"from": id})
    return _json(_head(made.head, _Eye(house, identity, set())), 201)


async def _begin(
    request: Request, house: House, identity: Identity, asked: v.Request, action: str
) -> dict[str, Any]:
    if house.planner.full:
        raise Problem("BUSY", "Many plans wait to be made already: try again later.")
    tenant = house.tenant(identity.user.tenant)
    order = await _do(
        house, contracts.order_of, tenant, house.plans, asked, house.data, house.now(), identity.user.id
    )
    stored = await _do(house, house.plans.add, tenant.id, order.plan)
    house.planner.make(replace(order, plan=stored))
    head = stored.head
    after = {"first": str(head.first), "weeks": head.weeks, "queues": list(head.queues), "from": asked.source}
    await note_down(request, house, identity, action, head.id, after)
    return _head(replace(head, progress=v.Progress("waiting", 0.0)), _Eye(house, identity, set()))


def _request(body: NewPlan) -> v.Request:
    given = body.demand
    handling = {clean(queue): float(one) for queue, one in given.handling.items()}
    patience = {clean(queue): float(one) for queue, one in given.patience.items()}
    typed: dict[str, dict[str, tuple[tuple[int, int, float], ...]]] = {}
    like: dict[str, v.Like] = {}
    if isinstance(given, TypedDemand):
        for queue, week in given.per_hour.items():
            if any(one[0] % 1 or one[1] % 1 for rows in week.values() for one in rows):
                raise Problem("PLAN-INPUT", "Hours are whole minutes of the day.", {"about": [clean(queue)]})
            typed[clean(queue)] = {
                day: tuple((int(one[0]), int(one[1]), float(one[2])) for one in rows)
                for day, rows in week.items()
            }
    else:
        like = {clean(queue): v.Like(clean(one.queue), one.share) for queue, one in given.like.items()}
    return v.Request(
        clean(body.name),
        body.first,
        body.weeks,
        tuple(dict.fromkeys(map(clean, body.queues))),
        None if body.target is None else v.Goal(body.target.service_level, body.target.within),
        body.level,
        body.step,
        body.seconds,
        "records" if isinstance(given, DemandFromRecords) else "typed",
        typed,
        handling,
        patience,
        like,
        {day: clean(what) if isinstance(what, str) else float(what) for day, what in given.special.items()},
    )


# --- changing ---


@router.patch(
    "/plans/{plan}/duties",
    response_model=PlanEdited,
    responses={**answers(*WRITES, "WORKFORCE-MISSING", "PLANNER-DOWN"), **WRONG},
)
async def edit(request: Request, id: PlanId, body: PlanChanges, house: Here, identity: Who) -> Response:
    """Change duties by hand, or say what would come of it (`try`).

    What breaks a rule that wasn't broken before is refused (PLAN-BREAKS-RULE names them) unless `anyway` is said.
    """
    tenant = _writer(identity)
    changes = [one.model_dump(by_alias=True, exclude_none=True) for one in body.changes]
    done = await _judged(
        lambda: house.planner.edit(
            tenant, clean(id), body.version, changes, attempt=body.attempt, anyway=body.anyway
        )
    )
    made, after = done.edited, done.edited.plan
    if not body.attempt and (made.changed or made.removed or after != done.before):
        known = {
            "version": after.head.version,
            "state": after.head.state,
            "changed": [one.id for one in made.changed][:100],
            "removed": list(made.removed)[:100],
            "broken": sorted({one.code for one in made.anew}),
        }
        await note_down(request, house, identity, "plan.edited", after.head.id, known)
    version = done.before.head.version if body.attempt else after.head.version
    return await house.ask(
        _json,
        {
            "version": version,
            "duties": made.changed,
            "removed": made.removed,
            "staffed": after.staffed,
            "expected": after.expected,
            "broken": after.broken,
            "anew": made.anew,
            "costs": after.costs,
            "before": {"costs": done.before.costs, "short_hours": done.before.head.short_hours},
            "after": {"costs": after.costs, "short_hours": after.head.short_hours},
        },
    )


@router.post("/plans/{plan}/publish", response_model=PlanPublished, responses={**answers(*WRITES), **WRONG})
async def publish(request: Request, id: PlanId, body: OfVersion, house: Here, identity: Who) -> Response:
    """Let people work by it. Published plans of its queues give it the days that both have."""
    tenant = _writer(identity)
    made, replaced = await _do(house, house.plans.publish, tenant, clean(id), body.version, house.now())
    given = [{"plan": one.plan, "days": one.days} for one in replaced]
    after = {
        "first": str(made.head.first),
        "weeks": made.head.weeks,
        "replaced": [one.plan for one in replaced],
    }
    await note_down(request, house, identity, "plan.published", made.head.id, after)
    return _json({**_head(made.head, _Eye(house, identity, set())), "replaced": given})


@router.post("/plans/{plan}/archive", response_model=PlanHead, responses=answers(*WRITES))
async def archive(request: Request, id: PlanId, body: OfVersion, house: Here, identity: Who) -> Response:
    """Put it away: from today on nobody works by it."""
    tenant = _writer(identity)
    made = await _do(house, house.plans.archive, tenant, clean(id), body.version, _today(house, tenant))
    await note_down(request, house, identity, "plan.archived", made.head.id)
    return _json(_head(made.head, _Eye(house, identity, set())))


@router.delete("/plans/{plan}", status_code=204, responses=answers(*WRITES))
async def drop(request: Request, id: PlanId, house: Here, identity: Who) -> Response:
    """Delete a plan that nobody ever worked by; a published one is archived."""
    tenant = _writer(identity)
    head = await house.ask(house.plans.head, tenant, clean(id))
    if head is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    if head.state == "published":
        await _do(house, house.plans.archive, tenant, head.id, head.version, _today(house, tenant))
        await note_down(request, house, identity, "plan.archived", head.id)
        return Response(status_code=204)
    await _do(house, house.plans.drop, tenant, head.id)
    house.planner.forget(tenant, head.id)
    await note_down(request, house, identity, "plan.deleted", head.id)
    return Response(status_code=204)


# --- people and rules ---


@router.get("/planning/people", response_model=PeopleShown, responses=answers(*RIGHTS))
async def people(house: Here, identity: Who) -> Response:
    """Everybody's contract, as planners keep it: for planners alone, since wages and absences stand in it."""
    tenant = house.tenant(_writer(identity))
    known = await house.ask(house.plans.people, tenant.id)
    return _json({"items": [_person(*one) for one in contracts.everybody(tenant, known)]})


@router.put("/planning/people/{agent}", response_model=PersonShown, responses={**answers(*WRITES), **WRONG})
async def person(request: Request, id: AgentId, body: PersonGiven, house: Here, identity: Who) -> Response:
    """Write a contract down, whole."""
    tenant = house.tenant(_writer(identity))
    id = clean(id)
    if id not in tenant.agents:
        raise Problem("NOT-FOUND", NOT_FOUND)
    given = v.Person(
        id,
        body.hours,
        tuple(None if one is None else (one[0], one[1]) for one in body.available),
        None if body.shifts is None else tuple(dict.fromkeys(map(clean, body.shifts))),
        tuple(sorted(set(body.wishes))),
        tuple(v.Absence(one.from_, one.to, clean(one.why or "")) for one in body.absent),
        body.wage,
        None if body.likes is None else (body.likes[0], body.likes[1]),
        tuple(v.PersonActivity(one.day, one.from_, one.to, clean(one.what)) for one in body.activities),
    )

    def work() -> v.Person:
        contracts.check_person(given, tenant, house.plans.rules(tenant.id))
        known = house.plans.people(tenant.id).get(id, v.Person(id))
        return house.plans.save_person(
            tenant.id, given, known.version if body.version is None else body.version
        )

    made = await _do(house, work)
    await note_down(request, house, identity, "planning.person", id, {"version": made.version})
    name, queues = next(
        (name, queues) for one, name, queues in contracts.everybody(tenant, {}) if one.agent == id
    )
    return _json(_person(made, name, queues))


@router.get("/planning/rules", response_model=RulesShown, responses=answers(*RIGHTS))
async def rules(house: Here, identity: Who) -> Response:
    """Kinds of shifts, rules and costs of the house."""
    return _json(await house.ask(house.plans.rules, _reader(identity)))


@router.put("/planning/rules", response_model=RulesShown, responses={**answers(*WRITES), **WRONG})
async def change_rules(request: Request, body: RulesGiven, house: Here, identity: Who) -> Response:
    """For plans that are made from now on; those that there are keep theirs."""
    tenant = _writer(identity)
    plain = body.model_dump(exclude={"version"})
    for kind in plain["kinds"]:
        kind["name"] = clean(kind["name"])
    given = v.from_plain(plain, v.PlanRules)

    def work() -> v.PlanRules:
        contracts.check_rules(given)
        base = house.plans.rules(tenant).version if body.version is None else body.version
        return house.plans.save_rules(tenant, given, base)

    made = await _do(house, work)
    await note_down(request, house, identity, "planning.rules", "rules", {"version": made.version})
    return _json(made)


# --- within ---


async def _plan(house: House, tenant: str, id: str) -> v.Plan:
    found = await house.ask(house.plans.plan, tenant, clean(id))
    if found is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    return found


async def _do(house: House, call: Callable[..., T], *arguments: Any) -> T:
    """What writes, in a thread; what can't be, as a Problem."""
    return await _judged(lambda: house.ask(call, *arguments))


async def _judged(work: Callable[[], Awaitable[T]]) -> T:
    try:
        return await work()
    except Gone:
        raise Problem("NOT-FOUND", NOT_FOUND) from None
    except Stale as stale:
        raise Problem("PLAN-CHANGED", str(stale), {"version": stale.version}) from None
    except WrongState as wrong:
        raise Problem("PLAN-STATE", str(wrong)) from None
    except TooMany as many:
        raise Problem("TOO-MANY", str(many)) from None
    except BreaksRules as breaks:
        raise Problem(
            "PLAN-BREAKS-RULE",
            "This breaks rules that weren't broken before: look, and say whether it is to be so anyway.",
            {"broken": [v.plain(one) for one in breaks.broken]},
        ) from None
    except RequestWrong as wrong:
        trouble = wrong.trouble
        raise Problem(trouble.code, trouble.text, {"about": list(trouble.about)}) from None
    except Refused as refused:
        trouble = refused.trouble
        code = {"EDIT-WRONG": "PLAN-INPUT", "WORKFORCE-MISSING": "WORKFORCE-MISSING"}.get(
            trouble.code, "PLANNER-DOWN"
        )
        raise Problem(code, trouble.text) from None


def _today(house: House, tenant: str) -> date:
    return datetime.fromtimestamp(house.now(), ZoneInfo(house.tenant(tenant).timezone)).date()


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _head(head: v.Head, eye: _Eye) -> dict[str, Any]:
    shown: dict[str, Any] = v.plain(head)
    if not eye.whole:
        shown |= {"gap": None, "cost": None, "short_hours": None}
        shown["queues"] = [one for one in head.queues if eye.queue(one)]
    return shown


def _shown(plan: v.Plan, eye: _Eye) -> Response:
    queues = [one for one in plan.head.queues if eye.queue(one) and one in plan.demand]
    starts = [one.isoformat() for one in plan.head.starts()]
    return _json(
        {
            **_head(plan.head, eye),
            "starts": starts,
            "demand": {
                one: {
                    name: getattr(plan.demand[one], name)
                    for name in ("contacts", "low", "high", "handling", "required")
                }
                for one in queues
            },
            "targets": {one: plan.demand[one].goal for one in queues},
            "patience": {one: plan.demand[one].patience for one in queues},
            "staffed": {one: plan.staffed.get(one, ()) for one in queues},
            "expected": {one: plan.expected.get(one, ()) for one in queues},
            "agents": [_agent(one) for one in plan.agents if eye.agent(one.agent)],
            "kinds": plan.kinds,
            "duties": [one for one in plan.duties if eye.agent(one.agent)],
            "broken": [one for one in plan.broken if eye.agent(one.agent)],
            "costs": plan.costs if eye.whole else {},
            "rules": plan.rules,
            "notes": [one for one in plan.notes if eye.whole or any(map(eye.queue, one.about))],
        }
    )


def _agent(one: v.PlannedAgent) -> dict[str, Any]:
    spans: list[list[date]] = []
    for day in sorted(one.absent):
        if spans and day == spans[-1][1] + timedelta(1):
            spans[-1][1] = day
        else:
            spans.append([day, day])
    return {
        "agent": one.agent,
        "name": one.name,
        "queues": one.queues,
        "hours": one.hours,
        "available": one.available,
        "wishes": one.wishes,
        "absent": [{"from": begin, "to": end} for begin, end in spans],
    }


def _person(one: v.Person, name: str, queues: tuple[str, ...]) -> dict[str, Any]:
    return {
        "agent": one.agent,
        "name": name,
        "queues": queues,
        "version": one.version,
        "hours": one.hours,
        "available": one.available,
        "shifts": one.shifts,
        "wishes": one.wishes,
        "absent": [{"from": it.start, "to": it.end, "why": it.why or None} for it in one.absent],
        "wage": one.wage,
        "likes": one.likes,
        "activities": [
            {"day": it.day, "from": it.start, "to": it.end, "what": it.what} for it in one.activities
        ],
    }
