"""Parked customers: put one aside, see who is, pick one up."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from centrala.core import facts as f
from centrala.core.state import Contact
from centrala.web.guard import Fingerprint, Here, Key, Who
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.routes.desk import CHANGES, READS, Id, OnContact, about_mine, agent_of, do
from centrala.web.routes.people import Body

router = APIRouter(prefix="/me/agent")


class PickUp(Body):
    contact: Id


class ParkedOne(BaseModel):
    contact: str
    slot: str
    "The number that picks them up."
    agent: str | None
    "Who parked them."
    name: str | None
    "That agent's."
    queue: str | None
    "That they came from."
    since: float
    until: float
    "When whoever parked them is rung."
    mine: bool


class ParkedList(BaseModel):
    slots: int
    "0: there is no parking in this centre."
    number: str | None
    "A transfer to it parks."
    items: list[ParkedOne]
    "The longest first."


@router.post("/park", **CHANGES)
async def park(
    house: Here, identity: Who, mark: Fingerprint, body: OnContact | None = None, key: Key = None
) -> Response:
    """Put my customer aside, for anybody of the house to pick up; I am free."""
    return await about_mine(house, identity, body, key, mark, f.ParkAsked)


@router.post("/pick-up", **CHANGES)
async def pick_up(body: PickUp, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Ring my phone with a customer who is parked; it answers at once where it can."""
    contact = clean(body.contact)
    return await do(
        house,
        identity,
        key,
        mark,
        lambda _: [lambda at, name: f.PickUpAsked(at=at, contact=contact, agent=name)],
    )


@router.get("/parked", response_model=ParkedList, **READS)
async def parked(house: Here, identity: Who) -> Response:
    """Who is parked in the house just now. Nobody's number: who picks up sees it."""
    me = agent_of(house, identity)
    centre = house.centre(identity.user.tenant)
    found = [centre.contacts[name] for name in centre.parked.values() if not centre.contacts[name].offers]
    found.sort(key=lambda one: one.parked_since)
    return JSONResponse(
        {
            "slots": len(centre.parking.slots),
            "number": centre.parking.number or None,
            "items": [_shown(house, identity.user.tenant, one, me) for one in found],
        }
    )


def _shown(house: House, tenant: str, contact: Contact, me: str) -> dict[str, Any]:
    centre = house.centre(tenant)
    agent = centre.agents.get(contact.parked_by)
    return {
        "contact": contact.id,
        "slot": contact.slot,
        "agent": contact.parked_by or None,
        "name": (agent.spec.name or contact.parked_by) if agent is not None else None,
        "queue": contact.back_queue,
        "since": round(contact.parked_since, 3),
        "until": round(contact.parked_until, 3),
        "mine": contact.parked_by == me,
    }
