"""The day against the plan: who is where the roster says, what the day brings, and what agents ask for."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.people import Identity, Permission
from centrala.planning.adherence import Shrinkage, Stand
from centrala.planning.calendars import calendar_of, language_of
from centrala.planning.requests import Request as Asked
from centrala.planning.values import absolute
from centrala.web.board import Kind, reaches
from centrala.web.day import clock_of, expected_of
from centrala.web.granting import Effect, approve, effects
from centrala.web.guard import Fingerprint, Here, Key, Who, need
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.plan_shapes import RuleBroken
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.customers import note_down
from centrala.web.routes.people import SIGNED_IN, Body

router = APIRouter()

PLANS = Permission.PLANS
READ = answers("SIGNED-OUT", "NOT-ALLOWED")
MOST_BACK = 400
"Days back for which adherence is told."

Planned = Literal["work", "break", "activity", "off"]
What = Literal["time_off", "swap", "give"]
State = Literal["asked", "open", "approved", "refused", "declined", "withdrawn", "lapsed"]


# --- adherence ---


class DaySoFar(BaseModel):
    planned_min: float
    "Within shifts, breaks and activities included."
    within_min: float
    "As planned; up to three minutes beside it count as in the plan."
    missing_min: float
    "Not at work when work was planned."
    through_min: float
    "At the phones in a planned break or activity."
    extra_min: float
    "At work outside of shifts."
    adherence: float | None
    "within / planned; null before a shift has begun."


class AgentStand(BaseModel):
    agent: str
    name: str
    planned: Planned
    what: str | None
    "Of a planned activity."
    queue: str | None
    "Of planned work."
    since: str | None
    "When what is planned now began, ISO 8601 in the centre's zone, like all times here."
    until: str | None
    "When it ends; of `off`: when the next shift of today begins."
    state: str
    reason: str | None
    "Of a pause."
    state_since: str | None
    "Since midnight at most."
    fits: bool
    out_since: str | None
    "Out of the plan since then; within three minutes it still fits."
    today: DaySoFar
    text: str
    "One sentence, in English."


class ShrinkageShown(BaseModel):
    """Of the paid minutes that were planned so far (for the agents shown): where they went."""

    paid_min: float
    breaks_min: float
    "Paid breaks, as planned."
    activities_min: float
    "Trainings and meetings, as planned."
    absent_min: float
    "Shifts that nobody came to."
    away_min: float
    "Other planned work without work."
    share: float | None
    "Of the paid minutes, those in which nobody was at the phones; null without a plan."


class AdherenceNow(BaseModel):
    at: str
    "Of a day that is over: its end."
    day: str
    plan: str | None
    "The plan of today; null where none is published."
    plans: list[str]
    "All plans that today is worked by."
    agents: list[AgentStand]
    shrinkage: ShrinkageShown


@router.get("/planning/adherence", response_model=AdherenceNow, responses=READ)
async def adherence(
    house: Here, identity: Who, day: Annotated[str | None, Query(max_length=10)] = None
) -> Response:
    """Everybody of today's plan whom I may see, now and since midnight; or all of a day that is over."""
    need(identity, PLANS)
    tenant, now = identity.user.tenant, house.now()
    zone = house.tenant(tenant).timezone
    clock = clock_of(zone, now)
    if day is not None:
        asked = day_of(day)
        if not clock.day - timedelta(MOST_BACK) <= asked <= clock.day:
            raise Problem("BAD-INPUT", f"Ask for today, or one of the {MOST_BACK} days before.")
        clock = clock_of(zone, now, asked)
    plans, stands = await house.ask_long(house.day.stands, house.plans, tenant, clock)
    names = {one.agent: one.name for plan in plans for one in plan.agents}
    seen = {agent: known for agent, known in stands.items() if sees(house, identity, "agent", agent)}
    lost = sum((each for _, _, each in seen.values()), Shrinkage())
    return JSONResponse(
        {
            "at": iso(clock.now, clock.zone),
            "day": str(clock.day),
            "plan": plans[0].head.id if plans else None,
            "plans": [one.head.id for one in plans],
            "agents": [
                _stand(one, names.get(agent) or agent, queue, clock.zone)
                for agent, (one, queue, _) in seen.items()
            ],
            "shrinkage": {
                "paid_min": round(lost.paid / 60, 1),
                "breaks_min": round(lost.breaks / 60, 1),
                "activities_min": round(lost.activities / 60, 1),
                "absent_min": round(lost.absent / 60, 1),
                "away_min": round(lost.away / 60, 1),
                "share": None if lost.share is None else round(lost.share, 4),
            },
        }
    )


def _stand(one: Stand, name: str, queue: str, zone: ZoneInfo) -> dict[str, Any]:
    state, _, reason = one.state.partition(":")
    day = one.today
    return {
        "agent": one.agent,
        "name": name,
        "planned": one.planned,
        "what": one.what or None,
        "queue": queue or None,
        "since": iso(one.since, zone),
        "until": iso(one.until, zone),
        "state": state,
        "reason": reason or None,
        "state_since": iso(one.state_since, zone),
        "fits": one.fits,
        "out_since": iso(one.out_since, zone),
        "today": {
            "planned_min": round(day.planned / 60, 1),
            "within_min": round(day.within / 60, 1),
            "missing_min": round(day.missing / 60, 1),
            "through_min": round(day.through / 60, 1),
            "extra_min": round(day.extra / 60, 1),
            "adherence": None if day.adherence is None else round(day.adherence, 4),
        },
        "text": one.text,
    }


# --- the day ---


class QueueDay(BaseModel):
    """Lists have a value for each of `starts`; null where there is nothing yet, or nothing to divide by."""

    planned_contacts: list[float]
    low: list[float]
    high: list[float]
    "The plan's band of 90 %, with `low`."
    updated: list[float]
    "What came, then what is to be expected by it."
    updated_low: list[float]
    updated_high: list[float]
    level: float
    "By what the rest of the day is believed to differ from the plan: 1.2 is a fifth more."
    came: list[int | None]
    required: list[float]
    planned_agents: list[float]
    present: list[float | None]
    planned_level: list[float | None]
    "Service level by the plan."
    expected: list[float | None]
    "The same of the rest of the day, by what is known now."
    reached: list[float | None]


class Advice(BaseModel):
    what: Literal["cancel", "move", "stay", "send_home"]
    text: str
    "In English; pages make their own of the others."
    queue: str
    agents: int
    begin: str
    end: str
    to: str | None
    "Of `move`: where it begins then."
    name: str | None
    "Of what is cancelled or moved."
    before: float
    "Service level of the rest of the day without it, all suggestions before it done …"
    after: float
    "… and with it."
    hours: float
    "Agent hours more at the phones; below 0: fewer."


class PlanDay(BaseModel):
    at: str
    plan: str | None
    plans: list[str]
    step: int
    "Seconds of an interval."
    starts: list[str]
    queues: dict[str, QueueDay]
    advice: list[Advice]
    reckoned_at: str | None
    "As of when `expected` and `advice` are; null while they are reckoned for the first time, or can't be."
    problem: str | None
    "Why they can't be, in English."
    problem_code: str | None
    "The same for programs: WORKFORCE-MISSING, JOB-SLOW …"


@router.get("/planning/today", response_model=PlanDay, responses=READ)
async def plan_day(house: Here, identity: Who) -> Response:
    """Today's queues that I may see: plan, what came, what is to be expected, and what could be done about it."""
    need(identity, PLANS)
    tenant, centre = identity.user.tenant, house.centre(identity.user.tenant)
    clock = clock_of(house.tenant(tenant).timezone, house.now())
    within = {name: float(queue.spec.service_level[1]) for name, queue in centre.queues.items()}
    serves = {name: tuple(agent.queues) for name, agent in centre.agents.items()}
    found = await house.ask_long(house.day.view, house.plans, tenant, clock, within, serves)
    empty: dict[str, Any] = {
        "at": iso(clock.now, clock.zone),
        "plan": None,
        "plans": [],
        "step": 1800,
        "starts": [],
        "queues": {},
        "advice": [],
        "reckoned_at": None,
        "problem": None,
        "problem_code": None,
    }
    if found is None:
        return JSONResponse(empty)
    view, order = found
    advised = await house.day.advised(house.planner.ask, tenant, view, order, clock.now)
    midnight = view.starts[0]
    queues, advice = {}, []
    for name, row in view.rows.items():
        if not sees(house, identity, "queue", name):
            continue
        queues[name] = {
            "planned_contacts": _rounded(row.planned_contacts),
            "low": _rounded(row.low),
            "high": _rounded(row.high),
            "updated": _rounded(row.updated),
            "updated_low": _rounded(row.updated_low),
            "updated_high": _rounded(row.updated_high),
            "level": round(row.level, 3),
            "came": row.came,
            "required": _rounded(row.required),
            "planned_agents": _rounded(row.planned_agents),
            "present": row.present,
            "planned_level": _rounded(row.planned_level, 4),
            "expected": expected_of(view, advised, name),
            "reached": _rounded(row.reached, 4),
        }
        for one in advised.queues.get(name, {}).get("advice", ()):
            times = {
                what: None if one[what] is None else iso(midnight + one[what] * 60, clock.zone)
                for what in ("begin", "end", "to")
            }
            advice.append({**{key: value for key, value in one.items() if key != "worst"}, **times,
                           "name": one["name"] or None, "queue": name})  # fmt: skip
    problems = [advised.problem, *(one["problem"] for one in advised.queues.values() if one.get("problem"))]
    return JSONResponse(
        {
            **empty,
            "plan": view.plans[0].head.id,
            "plans": [one.head.id for one in view.plans],
            "step": view.step,
            "starts": [iso(one, clock.zone) for one in view.starts],
            "queues": queues,
            "advice": advice,
            "reckoned_at": iso(advised.at, clock.zone) if advised.at and not advised.problem else None,
            "problem": next((one for one in problems if one), None),
            "problem_code": advised.code or None,
        }
    )


def _rounded(values: list[Any], digits: int = 2) -> list[Any]:
    return [None if one is None else round(one, digits) for one in values]


# --- requests ---


class DutyAsked(BaseModel):
    """A duty as it was when it was asked about."""

    plan: str
    duty: str
    agent: str
    date: str
    start: str
    end: str


class EffectShown(BaseModel):
    broken: list[RuleBroken]
    "Rules that it would break."
    short_before: float
    "Agent hours missing in the plans concerned."
    short_after: float
    cost_before: float
    "In hours' pay."
    cost_after: float
    problem: str | None
    "Why it can't be done as it was asked: the plan has changed since."


class RequestShown(BaseModel):
    id: str
    what: What
    state: State
    agent: str
    name: str
    days: list[str]
    mine: DutyAsked | None
    "The asker's duty."
    other: str | None
    other_name: str | None
    theirs: DutyAsked | None
    note: str
    made_at: str
    answered_at: str | None
    decided_at: str | None
    decision: str
    "What was said with it."


class RequestToDecide(RequestShown):
    can_decide: bool
    "It waits for a decision, and it isn't my own."
    effect: EffectShown | None
    "Of one that waits for a decision; null where it can't be reckoned now."


class RequestsToDecide(BaseModel):
    items: list[RequestToDecide]
    "Newest first, those that wait for a decision before the others."


class RequestDecision(Body):
    approve: bool
    note: Annotated[str, Field(max_length=500)] = ""
    anyway: bool = False
    "Approve although rules are broken."


@router.get("/planning/requests", response_model=RequestsToDecide, responses=READ)
async def requests(
    house: Here, identity: Who, state: Annotated[Literal["waiting", "all"], Query()] = "all"
) -> Response:
    """What agents whom I may see ask for, with what it would do to the plan."""
    need(identity, PLANS)
    tenant = identity.user.tenant
    clock = clock_of(house.tenant(tenant).timezone, house.now())
    found = [
        one
        for one in await house.ask(house.day.requests.all, tenant, clock.day)
        if sees(house, identity, "agent", one.agent) and (state == "all" or one.pending)
    ]
    found.sort(key=lambda one: one.state != "open")
    known = await effects(house, tenant, [one for one in found if one.state == "open"][:20])
    items = [
        {
            **shown(house, tenant, one, clock.zone),
            "can_decide": one.state == "open" and not _own(identity, one),
            "effect": None if (effect := known.get(one.id)) is None else _effect(effect),
        }
        for one in found
    ]
    return JSONResponse({"items": items})


@router.post(
    "/planning/requests/{request_id}/decide",
    response_model=RequestShown,
    responses=answers(
        *SIGNED_IN,
        "NOT-ALLOWED",
        "NOT-FOUND",
        "KEY-REUSED",
        "REQUEST-OVER",
        "PLAN-CHANGED",
        "PLAN-BREAKS-RULE",
    ),
)
async def decide(
    request: Request,
    request_id: str,
    body: RequestDecision,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Approve, which changes the published plan, or refuse. Nobody decides their own request."""
    need(identity, PLANS)
    user = identity.user
    clock = clock_of(house.tenant(user.tenant).timezone, house.now())
    one = await house.ask(house.day.requests.get, user.tenant, clean(request_id), clock.day)
    if one is None or not sees(house, identity, "agent", one.agent):
        raise Problem("NOT-FOUND", NOT_FOUND)
    if _own(identity, one):
        raise Problem("NOT-ALLOWED", "Nobody decides what they ask for themselves.")

    async def work() -> tuple[int, Any]:
        done = await approve(house, user, one, body.approve, clean(body.note), body.anyway, clock.day)
        await note_down(
            request,
            house,
            identity,
            "request.approved" if body.approve else "request.refused",
            one.id,
            {"what": one.what, "agent": one.agent, "anyway": body.anyway},
        )
        return 200, shown(house, user.tenant, done, clock.zone)

    status, made = await house.once(identity, key, mark, work)
    return JSONResponse(made, status)


def _own(identity: Identity, one: Asked) -> bool:
    user = identity.user
    return user.id == one.user or (user.agent is not None and user.agent in (one.agent, one.other))


def _effect(one: Effect) -> dict[str, Any]:
    return {
        "broken": list(one.broken),
        "short_before": round(one.short_before, 2),
        "short_after": round(one.short_after, 2),
        "cost_before": round(one.cost_before, 2),
        "cost_after": round(one.cost_after, 2),
        "problem": one.problem,
    }


# --- calendar files ---


@router.get(
    "/plans/{plan}/calendar.ics",
    response_class=Response,
    responses={**answers("SIGNED-OUT", "NOT-ALLOWED", "NOT-FOUND"), 200: {"content": {"text/calendar": {}}}},
)
async def plan_calendar(
    plan: str, house: Here, identity: Who, agent: Annotated[str | None, Query(max_length=128)] = None
) -> Response:
    """A plan's duties as a calendar file (RFC 5545): of one agent, or of all whom I may see."""
    need(identity, PLANS)
    tenant = house.tenant(identity.user.tenant)
    found = await house.ask(house.plans.plan, tenant.id, clean(plan))
    if found is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    names = {
        one.agent: one.name or one.agent
        for one in found.agents
        if (agent is None or one.agent == agent) and sees(house, identity, "agent", one.agent)
    }
    if not names:
        raise Problem("NOT-FOUND", NOT_FOUND)
    duties = [absolute(found.head, one) for one in found.duties if one.agent in names]
    body = await house.ask(
        calendar_of,
        duties,
        found.head.name if agent is None else f"{found.head.name}: {names[agent]}",
        house=tenant.id,
        zone=ZoneInfo(found.head.timezone),
        stamp=house.now(),
        sequence=found.head.version,
        language=language_of(tenant.locale),
        queues=queue_names(house, tenant.id),
        agents=names if agent is None else None,
    )
    return calendar_file(body)


# --- shared with `roster` ---


def sees(house: House, identity: Identity, kind: Kind, name: str) -> bool:
    """Whether this agent or queue is in my sight; one that is no more is in that of who has the whole tenant."""
    entity = house.hubs[identity.user.tenant].entity((kind, name))
    if entity is None:
        return identity.user.whole_tenant
    return reaches(identity.user, PLANS, entity)


def queue_names(house: House, tenant: str) -> dict[str, str]:
    return {name: one.name or name for name, one in house.tenant(tenant).queues.items()}


def calendar_file(body: bytes) -> Response:
    return Response(
        body,
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="roster.ics"'},
    )


def shown(house: House, tenant: str, one: Asked, zone: ZoneInfo) -> dict[str, Any]:
    agents = house.centre(tenant).agents

    def name(agent: str) -> str:
        return (agents[agent].spec.name if agent in agents else "") or agent

    def piece(it: Any) -> dict[str, Any] | None:
        if it is None:
            return None
        return {
            "plan": it.plan, "duty": it.duty, "agent": it.agent, "date": it.date,
            "start": iso(it.start, zone), "end": iso(it.end, zone),
        }  # fmt: skip

    return {
        "id": one.id,
        "what": one.what,
        "state": one.state,
        "agent": one.agent,
        "name": name(one.agent),
        "days": list(one.days),
        "mine": piece(one.mine),
        "other": one.other,
        "other_name": None if one.other is None else name(one.other),
        "theirs": piece(one.theirs),
        "note": one.note,
        "made_at": iso(one.made_at, zone),
        "answered_at": iso(one.answered_at, zone),
        "decided_at": iso(one.decided_at, zone),
        "decision": one.decision,
    }


def iso(at: float | None, zone: ZoneInfo) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def day_of(text: str) -> date:
    """Raises Problem BAD-INPUT."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem("BAD-INPUT", "A day is written like 2026-11-30.") from None
