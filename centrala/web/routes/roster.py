"""An agent's own roster: duties, requests, and a calendar that a telephone can subscribe to."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.people import Identity
from centrala.planning.calendars import calendar_of, language_of
from centrala.planning.requests import Piece, RequestError
from centrala.planning.requests import Request as Asked
from centrala.planning.values import AbsoluteDuty, Plan
from centrala.web.day import Clock, clock_of
from centrala.web.granting import over, tell
from centrala.web.guard import Fingerprint, Here, Key, Who, need_session
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.customers import note_down
from centrala.web.routes.desk import agent_of
from centrala.web.routes.people import SIGNED_IN, Body
from centrala.web.routes.planning import RequestShown, calendar_file, day_of, iso, queue_names, shown

router = APIRouter()

MOST_DAYS = 92
"Of a roster that is shown at once."
BACK, AHEAD = 14, 120
"Days of a calendar file."

READ = answers("SIGNED-OUT", "NOT-ALLOWED", "NO-AGENT")
ASKING = answers(
    *SIGNED_IN, "NOT-ALLOWED", "NO-AGENT", "NOT-FOUND", "KEY-REUSED",
    "REQUEST-WRONG", "REQUEST-THERE", "REQUEST-OVER", "TOO-MANY",
)  # fmt: skip

Day = Annotated[str, Field(min_length=10, max_length=10)]
Id = Annotated[str, Field(min_length=1, max_length=128)]


# --- my duties ---


class MyStretch(BaseModel):
    start: str
    end: str
    queue: str


class MyBreak(BaseModel):
    start: str
    end: str
    paid: bool


class MyActivity(BaseModel):
    start: str
    end: str
    what: str


class MyDuty(BaseModel):
    """Times are ISO 8601 in the centre's zone."""

    plan: str
    id: str
    date: str
    "On which it begins."
    shift: str
    start: str
    end: str
    stretches: list[MyStretch]
    breaks: list[MyBreak]
    activities: list[MyActivity]


class MyRequest(RequestShown):
    own: bool
    "I have asked; else something is asked of me."
    mine_to_answer: bool
    "A colleague asks me, and I haven't answered."


class MyRoster(BaseModel):
    at: str
    first: str
    last: str
    "Days that were asked for, both included."
    duties: list[MyDuty]
    published: list[str]
    "Days of these that a published plan with me in it covers: without a duty they are free."
    absent: list[str]
    "Days off that are approved."
    requests: list[MyRequest]
    "Mine, and those that ask something of me, newest first."
    plan_published_at: str | None
    "When the newest of the plans concerned was published."
    link_made_at: str | None
    "When the secret address of my calendar was made; null where there is none."


@router.get("/me/roster", response_model=MyRoster, responses=READ)
async def my_roster(
    house: Here,
    identity: Who,
    first: Annotated[str | None, Query(alias="from", max_length=10)] = None,
    last: Annotated[str | None, Query(alias="to", max_length=10)] = None,
) -> Response:
    """My published duties, of this week and the three after it unless told otherwise, and my requests."""
    agent, clock = _me(house, identity)
    user = identity.user
    since = day_of(first) if first else clock.day - timedelta(clock.day.weekday())
    until = day_of(last) if last else since + timedelta(27)
    if not 0 <= (until - since).days < MOST_DAYS:
        raise Problem("BAD-INPUT", f"Ask for 1 to {MOST_DAYS} days.")

    def work() -> tuple[Any, ...]:
        plans = house.plans.published_plans(user.tenant, since, until)
        mine = [(plan, days) for plan, days in plans if any(one.agent == agent for one in plan.agents)]
        return (
            house.plans.duties_of(user.tenant, agent, since, until),
            mine,
            house.day.requests.of_agent(user.tenant, agent, clock.day),
            house.day.requests.link_of(user.id),
            house.plans.people(user.tenant).get(agent),
        )

    duties, plans, requests, link, person = await house.ask(work)
    published = max((plan.head.published_at or 0.0 for plan, _ in plans), default=0.0)
    span = [since + timedelta(one) for one in range((until - since).days + 1)]
    return JSONResponse(
        {
            "at": iso(clock.now, clock.zone),
            "first": str(since),
            "last": str(until),
            "duties": [_duty(one, clock.zone) for one in duties],
            "published": sorted({str(day) for _, days in plans for day in days}),
            "absent": [str(day) for day in span if person is not None and person.away(day)],
            "requests": [_mine(house, user.tenant, one, agent, clock.zone) for one in requests],
            "plan_published_at": iso(published or None, clock.zone),
            "link_made_at": None if link is None else iso(link.made_at, clock.zone),
        }
    )


class Colleague(BaseModel):
    agent: str
    name: str
    duties: list[MyDuty]
    """Of the same week, that could be had for mine: at another time of that day, or on a day when I have none and they
    have none on that of mine. Without breaks and queues."""
    free: bool
    "Has nothing on the day of my duty, and could take it over."


class Colleagues(BaseModel):
    items: list[Colleague]


@router.get("/me/roster/colleagues", response_model=Colleagues, responses=READ | answers("NOT-FOUND"))
async def colleagues(
    house: Here,
    identity: Who,
    duty: Annotated[str, Query(max_length=128)] = "",
    plan: Annotated[str | None, Query(max_length=128)] = None,
) -> Response:
    """With whom I might swap a duty of mine: who serves a queue of mine, and when they work in that week."""
    agent, clock = _me(house, identity)
    tenant = identity.user.tenant
    mine = await _my_duty(house, tenant, agent, clean(duty), plan, clock)
    week = mine.date - timedelta(mine.date.weekday())

    def work() -> tuple[Plan | None, list[AbsoluteDuty]]:
        found = house.plans.published(tenant, week, week + timedelta(6))
        return house.plans.plan(tenant, mine.plan), [one for one in found if one.plan == mine.plan]

    known, duties = await house.ask(work)
    agents = known.agents if known is not None else ()
    queues = {queue for one in agents if one.agent == agent for queue in one.queues}
    my_days = {one.date for one in duties if one.agent == agent}
    items = []
    for one in agents:
        if one.agent == agent or not queues & set(one.queues):
            continue
        theirs = [each for each in duties if each.agent == one.agent]
        free = all(each.date != mine.date for each in theirs) and mine.date not in one.absent
        # For another time of the same day, or for a day on which I have none and they would have none on mine.
        fit = [
            each
            for each in theirs
            if each.date > clock.day
            and (
                (each.date == mine.date and (each.start, each.end) != (mine.start, mine.end))
                or (free and each.date not in my_days)
            )
        ]
        bare = [{**_duty(each, clock.zone), "stretches": [], "breaks": [], "activities": []} for each in fit]
        if free or bare:
            items.append({"agent": one.agent, "name": one.name or one.agent, "duties": bare, "free": free})
    return JSONResponse({"items": items})


# --- my requests ---


class MyRequests(BaseModel):
    items: list[MyRequest]


class RosterAsk(Body):
    """`time_off` has `days`; `swap` has `duty`, `with_agent` and `with_duty`; `give` has `duty` and `to`."""

    what: Literal["time_off", "swap", "give"]
    days: Annotated[list[Day], Field(max_length=60)] = Field(default_factory=list)
    duty: Id | None = None
    plan: Id | None = None
    "Of `duty` and `with_duty`; needed where two plans have duties of that id."
    with_agent: Id | None = None
    with_duty: Id | None = None
    to: Id | None = None
    note: Annotated[str, Field(max_length=500)] = ""


class RosterAnswer(Body):
    agree: bool


@router.get("/me/requests", response_model=MyRequests, responses=READ)
async def my_requests(house: Here, identity: Who) -> Response:
    """Mine, and those that ask something of me."""
    agent, clock = _me(house, identity)
    tenant = identity.user.tenant
    found = await house.ask(house.day.requests.of_agent, tenant, agent, clock.day)
    return JSONResponse({"items": [_mine(house, tenant, one, agent, clock.zone) for one in found]})


@router.post("/me/requests", response_model=MyRequest, status_code=201, responses=ASKING)
async def ask(body: RosterAsk, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Ask for days off, for a swap, or to give a duty away."""
    agent, clock = _me(house, identity)
    user = identity.user

    async def work() -> tuple[int, Any]:
        mine = theirs = None
        other = body.with_agent if body.what == "swap" else body.to if body.what == "give" else None
        if body.what != "time_off":
            if body.duty is None or other is None or (body.what == "swap" and body.with_duty is None):
                raise Problem("REQUEST-WRONG", "Say which duty, and with whom.")
            duty = await _my_duty(house, user.tenant, agent, clean(body.duty), body.plan, clock)
            mine = _piece(duty)
            plan = await house.ask(house.plans.plan, user.tenant, duty.plan)
            if plan is None or all(one.agent != other for one in plan.agents):
                raise Problem("NOT-FOUND", NOT_FOUND)
            if body.what == "swap":
                theirs = _piece(
                    await _my_duty(house, user.tenant, other, clean(body.with_duty or ""), duty.plan, clock)
                )
        try:
            made = await house.ask(
                house.day.requests.make,
                user.tenant,
                agent,
                user.id,
                body.what,
                clock.now,
                clock.day,
                days=[str(day_of(one)) for one in body.days],
                mine=mine,
                other=other,
                theirs=theirs,
                note=clean(body.note),
            )
        except RequestError as problem:
            raise Problem(problem.code, str(problem)) from None
        if made.state == "asked":
            tell(house, made, "asked")
        return 201, _mine(house, user.tenant, made, agent, clock.zone)

    status, made = await house.once(identity, key, mark, work)
    return JSONResponse(made, status)


@router.post("/me/requests/{request_id}/answer", response_model=MyRequest, responses=ASKING)
async def answer(request_id: str, body: RosterAnswer, house: Here, identity: Who) -> Response:
    """What a colleague asks of me: agree, and it goes on to whoever plans; or decline."""
    agent, clock = _me(house, identity)
    one = await _asked(house, identity, request_id, clock)
    if one.other != agent:
        raise Problem("NOT-FOUND", NOT_FOUND)
    if one.state != "asked":
        raise over(one)
    return await _move(house, identity, one, "open" if body.agree else "declined", clock)


@router.delete("/me/requests/{request_id}", response_model=MyRequest, responses=ASKING)
async def withdraw(request_id: str, house: Here, identity: Who) -> Response:
    """Take back what I asked for, while nobody has decided it."""
    agent, clock = _me(house, identity)
    one = await _asked(house, identity, request_id, clock)
    if one.agent != agent:
        raise Problem("NOT-FOUND", NOT_FOUND)
    if not one.pending:
        raise over(one)
    async with house.day.granting:
        return await _move(house, identity, one, "withdrawn", clock)


async def _asked(house: House, identity: Identity, id: str, clock: Clock) -> Asked:
    one = await house.ask(house.day.requests.get, identity.user.tenant, clean(id), clock.day)
    if one is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    return one


async def _move(house: House, identity: Identity, one: Asked, state: Any, clock: Clock) -> Response:
    user = identity.user
    try:
        done = await house.ask(house.day.requests.to, one, state, user.id, house.now())
    except RequestError as problem:
        raise Problem(problem.code, str(problem)) from None
    tell(house, done, state)
    return JSONResponse(_mine(house, user.tenant, done, user.agent or "", clock.zone))


# --- my calendar ---


class CalendarLink(BaseModel):
    path: str
    "To be put behind the centre's address; shown this once. Whoever knows it sees my duties."


@router.get(
    "/me/roster.ics",
    response_class=Response,
    responses={**READ, 200: {"content": {"text/calendar": {}}}},
)
async def my_calendar(house: Here, identity: Who) -> Response:
    """My duties as a calendar file (RFC 5545)."""
    agent, clock = _me(house, identity)
    return calendar_file(await _calendar(house, identity.user.tenant, agent, clock))


@router.post(
    "/me/roster/link",
    response_model=CalendarLink,
    status_code=201,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "NO-AGENT", "SESSION-NEEDED"),
)
async def make_link(request: Request, house: Here, identity: Who) -> Response:
    """A secret address that a telephone's calendar can subscribe to. One made before counts no more."""
    agent, clock = _me(house, identity)
    need_session(identity)
    user = identity.user
    secret = await house.ask(house.day.requests.new_link, user.tenant, user.id, agent, clock.now)
    await note_down(request, house, identity, "calendar.link", user.id)
    return JSONResponse({"path": f"/api/v1/roster/{secret}.ics"}, 201)


@router.delete(
    "/me/roster/link", status_code=204, responses=answers(*SIGNED_IN, "NOT-ALLOWED", "NO-AGENT", "NOT-FOUND")
)
async def drop_link(request: Request, house: Here, identity: Who) -> Response:
    """Nobody reads my duties by the address any more."""
    _me(house, identity)
    if not await house.ask(house.day.requests.drop_link, identity.user.id):
        raise Problem("NOT-FOUND", NOT_FOUND)
    await note_down(request, house, identity, "calendar.unlink", identity.user.id)
    return Response(status_code=204)


@router.get(
    "/roster/{secret}.ics",
    response_class=Response,
    responses={**answers("NOT-FOUND"), 200: {"content": {"text/calendar": {}}}},
)
async def subscribed(secret: str, house: Here) -> Response:
    """What a calendar reads that has subscribed; nobody is signed in there."""
    link = await house.ask(house.day.requests.link, clean(secret))
    if link is None or link.tenant not in house.settings.tenants:
        raise Problem("NOT-FOUND", NOT_FOUND)
    users = await house.ask(house.people.users, link.tenant)
    if not any(one.id == link.user and one.active and one.agent == link.agent for one in users):
        raise Problem("NOT-FOUND", NOT_FOUND)
    clock = clock_of(house.tenant(link.tenant).timezone, house.now())
    return calendar_file(await _calendar(house, link.tenant, link.agent, clock))


async def _calendar(house: House, tenant: str, agent: str, clock: Clock) -> bytes:
    first, last = clock.day - timedelta(BACK), clock.day + timedelta(AHEAD)
    here = house.tenant(tenant)
    titles = {"en": "My schedule", "pl": "Mój grafik", "ru": "Мой график"}

    def work() -> bytes:
        plans = house.plans.published_plans(tenant, first, last)
        return calendar_of(
            house.plans.duties_of(tenant, agent, first, last),
            titles[language_of(here.locale)],
            house=tenant,
            zone=clock.zone,
            stamp=clock.now,
            # Sums grow with every change of any of them, and when a plan takes over days of another.
            sequence=sum(plan.head.version for plan, _ in plans),
            language=language_of(here.locale),
            queues=queue_names(house, tenant),
        )

    return await house.ask(work)


# --- within ---


def _me(house: House, identity: Identity) -> tuple[str, Clock]:
    """The agent I am, and today. Raises Problem NOT-ALLOWED, NO-AGENT."""
    agent = agent_of(house, identity)
    return agent, clock_of(house.tenant(identity.user.tenant).timezone, house.now())


async def _my_duty(
    house: House, tenant: str, agent: str, duty: str, plan: str | None, clock: Clock
) -> AbsoluteDuty:
    """A published duty of this agent that hasn't begun. Raises Problem NOT-FOUND, REQUEST-WRONG."""
    last = clock.day + timedelta(400)
    found = await house.ask(house.plans.duties_of, tenant, agent, clock.day, last)
    fits: Sequence[AbsoluteDuty] = [one for one in found if one.id == duty and plan in (None, one.plan)]
    if not fits:
        raise Problem("NOT-FOUND", NOT_FOUND)
    if len(fits) > 1:
        raise Problem("REQUEST-WRONG", "Two plans have a duty of this id: say which plan.")
    return fits[0]


def _piece(one: AbsoluteDuty) -> Piece:
    return Piece(one.plan, one.id, one.agent, str(one.date), one.start, one.end)


def _duty(one: AbsoluteDuty, zone: ZoneInfo) -> dict[str, Any]:
    def span(each: Any) -> dict[str, Any]:
        return {"start": iso(each.start, zone), "end": iso(each.end, zone)}

    return {
        "plan": one.plan,
        "id": one.id,
        "date": str(one.date),
        "shift": one.shift,
        **span(one),
        "stretches": [{**span(each), "queue": each.what} for each in one.stretches],
        "breaks": [{**span(each), "paid": each.what == "paid"} for each in one.breaks],
        "activities": [{**span(each), "what": each.what} for each in one.activities],
    }


def _mine(house: House, tenant: str, one: Asked, agent: str, zone: ZoneInfo) -> dict[str, Any]:
    return {
        **shown(house, tenant, one, zone),
        "own": one.agent == agent,
        "mine_to_answer": one.state == "asked" and one.other == agent,
    }
