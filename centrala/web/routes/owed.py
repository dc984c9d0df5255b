"""What is owed to customers who aren't on the line: callbacks, messages, who hung up; and how long they waited."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.core import facts as f
from centrala.core.private import Private
from centrala.core.state import Centre, Contact
from centrala.customers.numbers import WITHHELD, withheld
from centrala.people import Identity, Permission, holds
from centrala.web.board import own, reaches
from centrala.web.cards import Stamp
from centrala.web.guard import Fingerprint, Here, Key, Who, address_of, need
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.problems import NOT_FOUND, Problem, answers, refused
from centrala.web.routes.contacts import file_below
from centrala.web.routes.floor import WRITES, Name, in_sight, steer
from centrala.web.routes.people import Body
from centrala.web.shown import CustomerBrief, PromiseHeld

router = APIRouter()

P = Permission

MOST = 500
"Shown at once."
DAY = 86400.0
LONGEST = 31
"Days of a report."
ROWS = 300_000
"Contacts of a report; the newest."
APPOINTMENT = 60.0
"Seconds from the promise to its time, from which on that was booked: their wait is no measure of the queue."


class Owed(BaseModel):
    contact: str
    kind: str
    "callback or message"
    queue: str
    state: str
    "booked, queued, offered; active while an agent hears the message or calls"
    place: int | None
    "In the queue, among those who hold, too."
    number: str | None
    "Null where it may not be seen."
    name: str | None
    customer: CustomerBrief | None
    promise: PromiseHeld
    seconds: float | None
    "Of the message."
    agents: list[str]
    "Whose phones ring for it, or who has it."
    origin: str | None


class OwedList(BaseModel):
    at: float
    "The centre's clock."
    items: list[Owed]
    "By the time at which they are due."
    more: bool


class NewCallback(Body):
    queue: Name
    number: Annotated[str, Field(min_length=1, max_length=40)]
    due: Stamp | None = None
    "Unix seconds; left out: as soon as it is their turn."


class CallbackMove(Body):
    due: Stamp | None = None
    "Unix seconds; left out: now."


class Lost(BaseModel):
    contact: str
    queue: str
    at: float
    "When they hung up."
    wait: float
    "Seconds."
    number: str | None
    name: str | None
    customer: CustomerBrief | None
    callable: bool
    "They showed a number."
    follow_up: str | None
    "pending, or the outcome of the callback that follows from it; null where there is none."


class LostList(BaseModel):
    at: float
    items: list[Lost]
    "Who hung up while waiting and hasn't talked with anybody since, the last one first."
    more: bool


class Waits(BaseModel):
    """How long they waited, in seconds."""

    count: int
    mean: float | None
    median: float | None
    p90: float | None
    longest: float | None


class BothWaits(BaseModel):
    queue: str
    held: Waits
    "Who held until somebody answered."
    callbacks: Waits
    "Who was called back in their turn: from the beginning of their wait until they were spoken to."
    late: Waits
    "Who had booked a time: how long after it they were spoken to."
    messages: Waits
    "Until an agent took the message up."
    promised: int
    unreached: int
    expired: int
    replaced: int
    dropped: int
    open: int
    "Callbacks that are still owed."


class WaitsReport(BaseModel):
    begins: float
    ends: float
    items: list[BothWaits]
    cut: bool
    "There were more contacts than are counted; the newest are."


# --- callbacks and messages that wait ---


@router.get("/floor/callbacks", response_model=OwedList, responses=answers("SIGNED-OUT", "NOT-ALLOWED"))
async def pending(
    house: Here, identity: Who, queue: Annotated[str | None, Query(max_length=128)] = None
) -> Response:
    """Callbacks and messages of the queues in my scope that are yet to be dealt with."""
    need(identity, P.QUEUES)
    user = identity.user
    centre, hub = house.centre(user.tenant), house.hubs[user.tenant]
    numbers = holds(user, P.NUMBERS)
    items = []
    for contact in list(centre.contacts.values()):
        if contact.promise is None or not contact.absent or contact.state == "wrap_up":
            continue
        if queue is not None and contact.promise.queue != queue:
            continue
        entity = hub.entity(("contact", contact.id))
        if entity is None or not reaches(user, P.QUEUES, entity):
            continue
        items.append(_owed(centre, contact, entity.value if numbers else {**entity.value, **entity.veil}))
    items.sort(key=lambda one: (one["promise"]["due"], one["contact"]))
    return JSONResponse({"at": round(house.now(), 3), "items": items[:MOST], "more": len(items) > MOST})


def _owed(centre: Centre, contact: Contact, shown: dict[str, Any]) -> dict[str, Any]:
    assert contact.promise is not None
    queue, place = centre.queues.get(contact.queue or ""), None
    if queue is not None and contact.standing:
        place = bisect_left(queue.waiting, (contact.rank, contact.order, contact.id)) + 1
    agents = {one.agent for one in contact.offers.values()} | {contact.leg_agent}
    return {
        "contact": contact.id,
        "kind": contact.owed,
        "queue": contact.promise.queue,
        "state": "active" if contact.leg is not None else contact.state,
        "place": place,
        "number": shown["number"],
        "name": shown["name"],
        "customer": shown["customer"],
        "promise": shown["promise"],
        "seconds": shown["seconds"],
        "agents": sorted(one for one in agents if one is not None),
        "origin": contact.origin or None,
    }


@router.post("/floor/callbacks", status_code=201, **WRITES)
async def ask(
    request: Request, body: NewCallback, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Promise somebody a call: their number, and when."""
    queue = clean(body.queue)
    in_sight(house, identity, P.STEER, "queue", queue)
    number = await _callable(house, identity.user.tenant, clean(body.number))
    return await _promise(request, house, identity, key, mark, queue, number=number, due=body.due or 0.0)


@router.patch("/floor/callbacks/{contact}", **WRITES)
async def put_off(
    request: Request,
    contact: str,
    body: CallbackMove,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Put it off, bring it forward, or let it be due now."""
    who = identity.user.agent or ""
    return await steer(
        request,
        house,
        identity,
        key,
        mark,
        ("contact", contact),
        "callback.due",
        {"due": body.due},
        lambda at, name: f.CallbackPutOff(at, name, who, at if body.due is None else body.due),
    )


@router.delete("/floor/callbacks/{contact}", **WRITES)
async def drop(
    request: Request, contact: str, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Nobody is called, or the message isn't dealt with: at the customer's wish, or since it is done already."""
    who = identity.user.agent or ""
    return await steer(
        request,
        house,
        identity,
        key,
        mark,
        ("contact", contact),
        "callback.dropped",
        None,
        lambda at, name: f.CallbackDropped(at, name, who, "by hand"),
    )


@router.get(
    "/messages/{contact}/sound",
    response_class=FileResponse,
    responses={
        200: {"content": {"audio/wav": {}}},
        **answers("SIGNED-OUT", "NOT-ALLOWED", "NOT-FOUND"),
    },
)
async def hear(request: Request, contact: str, house: Here, identity: Who) -> Response:
    """The message that a customer left, while it is dealt with: for its agent, and for who may hear recordings."""
    need(identity, P.DESK, P.RECORDINGS)
    user = identity.user
    known = house.centre(user.tenant).contacts.get(contact)
    entity = house.hubs[user.tenant].entity(("contact", contact))
    if known is None or not known.message or entity is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    if not (own(user, entity) or reaches(user, P.RECORDINGS, entity)):
        raise Problem("NOT-FOUND", NOT_FOUND)
    path = await house.ask(file_below, house.data, known.message)
    if path is None:
        raise Problem("NOT-FOUND", "The message was deleted, or its file is missing.")
    if house.listens(user.id, known.id):
        await house.ask(
            house.people.audit, user, "recording.heard", known.id, house.now(), address_of(request)
        )
    return FileResponse(path, media_type="audio/wav", headers={"Content-Disposition": "inline"})


# --- who hung up ---

_LOST = (
    "SELECT r.id, r.queue, r.ended_at, r.ended_at - coalesce(r.waiting_since, r.queued_at, r.arrived_at), p.address,"
    " p.display FROM records r LEFT JOIN parties p ON p.tenant = r.tenant AND p.id = r.party"
    " WHERE r.tenant = ? AND r.arrived_at >= ? AND r.arrived_at < ? AND r.outcome = 'abandoned'"
    # Whoever has talked with somebody since, in either direction, is lost no more.
    " AND NOT EXISTS (SELECT 1 FROM parties q JOIN records s ON s.tenant = q.tenant AND s.id = q.id"
    " WHERE q.tenant = r.tenant AND q.address = p.address AND q.at > p.at AND s.answered_at IS NOT NULL"
    f" AND lower(q.address) NOT IN ({', '.join(repr(one) for one in sorted(WITHHELD))}))"
)


@router.get("/floor/abandoned", response_model=LostList, responses=answers("SIGNED-OUT", "NOT-ALLOWED"))
async def abandoned(
    house: Here,
    identity: Who,
    queue: Annotated[str | None, Query(max_length=128)] = None,
    days: Annotated[int, Query(ge=1, le=LONGEST)] = 1,
) -> Response:
    """Who hung up while waiting, today or in so many days, and wasn't spoken to since."""
    need(identity, P.QUEUES)
    user, now = identity.user, house.now()
    queues = _queues(house, identity, queue)
    begins = _midnight(house, user.tenant, now) - (days - 1) * DAY
    found = await house.ask(_lost, house, user.tenant, queues, begins, now) if queues else []
    numbers = holds(user, P.NUMBERS)
    callers = await house.ask(
        house.callers_of, user.tenant, [(one[0], one[4], one[5]) for one in found[:MOST]]
    )
    follow_ups = await house.ask(_follow_ups, house, user.tenant, [one[0] for one in found[:MOST]], begins)
    centre = house.centre(user.tenant)
    follow_ups |= {
        one.origin: "pending"
        for one in list(centre.contacts.values())
        if one.owed == "callback" and one.origin
    }
    items = []
    for contact, where, at, wait, address, _ in found[:MOST]:
        caller = callers.get(contact)
        seen = caller if numbers else None
        items.append(
            {
                "contact": contact,
                "queue": where,
                "at": round(at, 3),
                "wait": round(max(wait, 0.0), 1),
                "number": seen.number if seen is not None else None,
                "name": seen.name if seen is not None else None,
                "customer": seen.customer if seen is not None else None,
                "callable": not withheld(address),
                "follow_up": follow_ups.get(contact),
            }
        )
    return JSONResponse({"at": round(now, 3), "items": items, "more": len(found) > MOST})


@router.post("/floor/abandoned/{contact}/call-back", status_code=201, **WRITES)
async def call_back(
    request: Request, contact: str, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Promise a call to who hung up: in the queue in which they waited, behind those who wait now."""
    need(identity, P.STEER)
    tenant = identity.user.tenant
    rows = await house.ask(
        house.rows,
        "SELECT r.queue, r.party, p.address FROM records r"
        " LEFT JOIN parties p ON p.tenant = r.tenant AND p.id = r.party"
        " WHERE r.tenant = ? AND r.id = ? AND r.queue IS NOT NULL AND r.direction = 'inbound' LIMIT 1",
        (tenant, clean(contact)),
    )
    if not rows:
        raise Problem("NOT-FOUND", NOT_FOUND)
    queue, party, address = rows[0]
    in_sight(house, identity, P.STEER, "queue", queue)
    if withheld(address):
        raise refused("There is no number to call.")
    await _callable(house, tenant, address)
    caller = house.caller(tenant, address)
    return await _promise(
        request, house, identity, key, mark, queue, party=party, caller=caller, origin=clean(contact)
    )


async def _callable(house: House, tenant: str, number: str) -> str:
    found = await house.ask(house.callable_as, tenant, number)
    if not found:
        raise refused("This number isn't called back: it is none, abroad, or has a tariff of its own.")
    return found


async def _promise(
    request: Request,
    house: House,
    identity: Identity,
    key: str | None,
    mark: bytes,
    queue: str,
    *,
    party: str = "",
    caller: str = "",
    number: str = "",
    origin: str = "",
    due: float = 0.0,
) -> Response:
    user = identity.user
    caller = caller or house.caller(user.tenant, number)

    async def work() -> tuple[int, Any]:
        if house.voice is None:
            raise refused("Nobody can be called from here.")
        name = house.voice.new_contact(house.now())
        told = await house.tell(
            user.tenant,
            name,
            lambda at, new: f.CallbackAsked(
                at,
                new,
                queue,
                party=party or new,
                caller=caller,
                number=Private(number) if number else None,
                due=due,
                origin=origin,
                agent=user.agent or "",
            ),
        )
        after = {"queue": queue, "due": due or None, "origin": origin or None}
        await house.ask(
            house.people.audit, user, "callback.asked", name, house.now(), address_of(request), after
        )
        entity = house.hubs[user.tenant].entity(("contact", name))
        shown = None
        if entity is not None and reaches(user, P.STEER, entity):
            shown = entity.value if holds(user, P.NUMBERS) else {**entity.value, **entity.veil}
        return 201, {"seq": told.seq, "stored": told.stored, "agent": None, "contact": shown}

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


def _lost(house: House, tenant: str, queues: Sequence[str], begins: float, ends: float) -> list[Any]:
    marks = ", ".join("?" * len(queues))
    return house.rows(
        f"{_LOST} AND r.queue IN ({marks}) ORDER BY r.arrived_at DESC LIMIT ?",
        (tenant, begins, ends, *queues, MOST + 1),
    )


def _follow_ups(house: House, tenant: str, contacts: Sequence[str], begins: float) -> dict[str, str | None]:
    """Contact → what became of the callback that follows from it."""
    found: dict[str, str | None] = {}
    for start in range(0, len(contacts), 200):
        some = contacts[start : start + 200]
        found |= house.rows(
            "SELECT origin, outcome FROM records WHERE tenant = ? AND arrived_at >= ? AND direction = 'callback'"
            f" AND outcome IS NOT NULL AND origin IN ({', '.join('?' * len(some))}) ORDER BY arrived_at",
            (tenant, begins, *some),
        )
    return found


# --- both waits ---


@dataclass(slots=True)
class _Sums:
    held: list[float] = field(default_factory=list)
    callbacks: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    messages: list[float] = field(default_factory=list)
    promised: int = 0
    ends: dict[str, int] = field(default_factory=dict)


@router.get("/floor/waits", response_model=WaitsReport, responses=answers("SIGNED-OUT", "NOT-ALLOWED"))
async def waits(
    house: Here,
    identity: Who,
    queue: Annotated[str | None, Query(max_length=128)] = None,
    days: Annotated[int, Query(ge=1, le=LONGEST)] = 1,
) -> Response:
    """How long they waited who held, and who was called back: today, or in so many days, by queue."""
    need(identity, P.QUEUES)
    user, now = identity.user, house.now()
    queues = _queues(house, identity, queue)
    begins = _midnight(house, user.tenant, now) - (days - 1) * DAY
    made = await house.ask_long(_report, house, user.tenant, queues, begins, now)
    return JSONResponse(made)


def _report(house: House, tenant: str, queues: Sequence[str], begins: float, ends: float) -> dict[str, Any]:
    sums = {name: _Sums() for name in queues}
    rows = house.rows(
        "SELECT queue, direction, medium, outcome, arrived_at, coalesce(waiting_since, queued_at), answered_at, due_at"
        " FROM records WHERE tenant = ? AND arrived_at >= ? AND arrived_at < ?"
        f" AND queue IN ({', '.join('?' * len(queues))}) ORDER BY arrived_at DESC LIMIT ?",
        (tenant, begins, ends, *queues, ROWS + 1),
    )
    for row in rows[:ROWS]:
        _add(sums[row[0]], *row[1:])
    return {
        "begins": round(begins, 3),
        "ends": round(ends, 3),
        "items": [
            {
                "queue": name,
                "held": _waits(of.held),
                "callbacks": _waits(of.callbacks),
                "late": _waits(of.late),
                "messages": _waits(of.messages),
                "promised": of.promised,
                **{
                    one: of.ends.get(one, 0)
                    for one in ("unreached", "expired", "replaced", "dropped", "open")
                },
            }
            for name, of in sums.items()
        ],
        "cut": len(rows) > ROWS,
    }


def _add(
    sums: _Sums,
    direction: str,
    medium: str,
    outcome: str | None,
    arrived: float,
    since: float | None,
    answered: float | None,
    due: float | None,
) -> None:
    if direction == "callback":
        sums.promised += 1
        if answered is None:
            end = outcome or "open"
            sums.ends[end] = sums.ends.get(end, 0) + 1
        elif due is not None and due > arrived + APPOINTMENT:
            sums.late.append(answered - due)
        else:
            sums.callbacks.append(answered - (since or arrived))
    elif answered is not None and medium == "voicemail":
        sums.messages.append(answered - arrived)
    elif answered is not None and direction == "inbound" and since is not None:
        sums.held.append(answered - since)


def _waits(seconds: list[float]) -> dict[str, Any]:
    """By nearest rank."""
    if not seconds:
        return {"count": 0, "mean": None, "median": None, "p90": None, "longest": None}
    ordered = sorted(max(one, 0.0) for one in seconds)

    def at(share: float) -> float:
        return round(ordered[math.ceil(share * len(ordered)) - 1], 1)

    return {
        "count": len(ordered),
        "mean": round(sum(ordered) / len(ordered), 1),
        "median": at(0.5),
        "p90": at(0.9),
        "longest": round(ordered[-1], 1),
    }


def _queues(house: House, identity: Identity, queue: str | None) -> list[str]:
    """Those in my scope; one of them, where it is named."""
    user = identity.user
    hub = house.hubs[user.tenant]
    names: Iterable[str] = house.centre(user.tenant).queues if queue is None else (queue,)
    return [
        name
        for name in names
        if (entity := hub.entity(("queue", name))) is not None and reaches(user, P.QUEUES, entity)
    ]


def _midnight(house: House, tenant: str, now: float) -> float:
    local = datetime.fromtimestamp(now, ZoneInfo(house.tenant(tenant).timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
