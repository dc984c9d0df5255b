"""My callbacks: what was promised to customers for a time, by me or for whoever serves one of my queues."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from centrala.core import facts as f
from centrala.customers import Customer, Promise, promises_of, zone_of
from centrala.customers.values import key_of
from centrala.people import Identity
from centrala.web.cards import Stamp, names_of
from centrala.web.guard import Fingerprint, Here, Key, Who
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.problems import NOT_FOUND, Problem, answers, refused
from centrala.web.routes.customers import RACES, asked, is_own, note_down, sees_numbers
from centrala.web.routes.desk import CHANGES, READS, Make, agent_of, do
from centrala.web.routes.people import SIGNED_IN, Body

router = APIRouter(prefix="/me/agent/callbacks")

MOST = 200
"Shown at once; those due first."


class Callback(BaseModel):
    customer: str
    promise: str
    name: str
    "Empty where only a number is known."
    number: str | None
    "Null where it may not be seen, or there is none; `call` works all the same."
    callable: bool
    "There is a number that I may call: of whom I have talked with, or whose callback I was given by others."
    text: str
    due: float
    "Unix seconds."
    mine: bool
    "I gave the promise; else it is for whoever serves `queue`."
    queue: str | None
    by: str
    "Who gave it."
    language: str | None
    zone: str | None
    "The customer's time zone by their number; null where that leaves a doubt."
    calls: bool | None
    "Consent to calls; null where nobody asked."


class Callbacks(BaseModel):
    at: float
    "The centre's clock."
    items: list[Callback]
    "Overdue and due, by time."
    more: bool
    "There are others, due later."


class CallbackEdit(Body):
    done: bool | None = None
    due: Stamp | None = None
    "Put off, or brought forward: unix seconds."


@router.get("", response_model=Callbacks, **READS)
async def callbacks(house: Here, identity: Who, days: Annotated[int, Query(ge=1, le=31)] = 1) -> Response:
    """What is due until the end of today, or of so many days, and what is overdue."""
    user, now = identity.user, house.now()
    agent_of(house, identity)
    midnight = datetime.fromtimestamp(now, ZoneInfo(house.tenant(user.tenant).timezone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    until = (midnight + timedelta(days=days)).timestamp()
    found = await house.ask(
        house.customers.due, user.tenant, _names(identity), _queues(house, identity), until, MOST + 1
    )
    names = await names_of(house, user.tenant)
    own = {one.id for one, it in found if it.by in _names(identity)}
    met = own if sees_numbers(identity) else await house.ask(_met, house, identity, own)
    items = [
        _shown(identity, names, one, it, it.by not in _names(identity) or one.id in met)
        for one, it in found[:MOST]
    ]
    return JSONResponse({"at": round(now, 3), "items": items, "more": len(found) > MOST})


@router.patch(
    "/{customer}/{promise}",
    status_code=204,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "NO-AGENT", *RACES),
)
async def change(
    request: Request, customer: str, promise: str, body: CallbackEdit, house: Here, identity: Who
) -> Response:
    """It is done, or is to be at another time."""
    known, it = await _mine(house, identity, customer, promise)
    name = f"promise.{it.id}"
    wanted = dict(known.doc[name])
    if body.done is not None:
        wanted["done"] = body.done
    if body.due is not None:
        wanted["due"] = body.due
    user = identity.user
    # Of this version: whoever did the same a moment ago is told so by an EDIT-RACE.
    await asked(
        house.ask(
            house.customers.change,
            user.tenant,
            known.id,
            known.version,
            {name: wanted},
            user.id,
            house.now(),
        ),
        sees_numbers(identity),
    )
    await note_down(request, house, identity, "customer.changed", known.id, {"fields": [name]})
    return Response(status_code=204)


@router.post(
    "/{customer}/{promise}/call",
    **{**CHANGES, "responses": CHANGES["responses"] | answers("NOT-FOUND")},
)
async def call(
    customer: str, promise: str, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Call the customer: my phone is rung first. I needn't see the number for that."""
    known, it = await _mine(house, identity, customer, promise)
    user = identity.user
    # A promise of one's own on any card must not be a way to its number.
    given_by_others = it.by not in _names(identity)
    if not (given_by_others or sees_numbers(identity) or await is_own(house, identity, known)):
        raise Problem("NOT-FOUND", NOT_FOUND)
    number = _number(known)
    if number is None:
        raise refused("This customer has no telephone number.")

    def prepare(_: str) -> Sequence[Make]:
        if house.voice is None:
            raise refused("Nobody can be called from here.")
        contact = house.voice.new_contact(house.now())
        to, outside = house.settle(user.tenant, contact, number)
        caller = house.caller(user.tenant, number, outside)
        return [lambda at, name: f.DialAsked(at, contact, name, to, outside, caller)]

    return await do(house, identity, key, mark, prepare)


def _met(house: House, identity: Identity, customers: set[str]) -> set[str]:
    """Those with whom I have had a contact."""
    user = identity.user
    had = house.customers.had
    return {one for one in customers if had(user.tenant, one, user.agent or "", beside=user.id)}


def _names(identity: Identity) -> list[str]:
    """As whom I may have promised something."""
    user = identity.user
    return [user.id] if user.agent is None else [user.id, user.agent]


def _queues(house: House, identity: Identity) -> list[str]:
    agent = house.centre(identity.user.tenant).agents.get(identity.user.agent or "")
    return [] if agent is None else list(agent.queues)


def _number(customer: Customer) -> str | None:
    phones = customer.identities("phone")
    return str(phones[0][1]["value"]) if phones else None


async def _mine(house: House, identity: Identity, customer: str, promise: str) -> tuple[Customer, Promise]:
    """The promise, if it is open and mine to keep. Raises Problem NOT-ALLOWED, NO-AGENT, NOT-FOUND."""
    agent_of(house, identity)
    known = await house.ask(house.customers.get, identity.user.tenant, clean(customer))
    promises = promises_of(known) if known is not None else []
    it = next((one for one in promises if one.id == promise), None)
    if known is None or it is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    if it.queue not in _queues(house, identity) and (it.queue or it.by not in _names(identity)):
        raise Problem("NOT-FOUND", NOT_FOUND)
    return known, it


def _shown(
    identity: Identity, names: dict[str, str], customer: Customer, it: Promise, reached: bool
) -> dict[str, Any]:
    number = _number(customer)
    phones = customer.identities("phone")
    key = key_of(phones[0][1]) if phones else None
    consent = customer.doc.get("consent.calls")
    return {
        "customer": customer.id,
        "promise": it.id,
        "name": customer.name,
        "number": number if sees_numbers(identity) else None,
        "callable": number is not None and reached,
        "text": it.text,
        "due": it.due,
        "mine": it.by in _names(identity),
        "queue": it.queue or None,
        "by": names.get(it.by, it.by),
        "language": customer.doc.get("language"),
        "zone": zone_of(key) if key is not None else None,
        "calls": consent["allowed"] if consent is not None else None,
    }
