"""Tiers: to whom an agent may hand a customer on, why, and what those may decide; and why one came to me."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.core import facts as f
from centrala.core.calendar import is_open, next_open
from centrala.core.state import Contact
from centrala.live import with_contact
from centrala.settings.model import Tenant
from centrala.settings.routing import EXPERT
from centrala.web.experts import shown_expert
from centrala.web.guard import Fingerprint, Here, Key, Who
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.problems import refused
from centrala.web.routes.desk import CHANGES, READS, Make, OnContact, agent_of, contact_of, do

router = APIRouter(prefix="/me/agent")


class Escalation(OnContact):
    reason: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
    "Id of one of the tenant's `escalation_reasons`."
    to: Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    "queue:ID, expert:ID or an agent's id; left out: where the queue says."


class ReasonShown(BaseModel):
    id: str
    label: dict[str, str]


class Above(BaseModel):
    """Somebody who knows, or may, more."""

    to: str
    "To be sent back as `to`."
    kind: Literal["queue", "expert"]
    name: str
    tier: int
    label: dict[str, str] | None
    "What the tier is called."
    authority: dict[str, str] | None
    skills: dict[str, int]
    "An expert's."
    open: bool
    opens: float | None
    "When they can be asked again; null where that isn't known."
    free: bool
    "Of a queue: somebody is free now."


class Handed(BaseModel):
    """A customer was handed on."""

    at: float
    agent: str
    reason: ReasonShown
    tier: int
    note: str | None
    "What that agent had noted of the contact until then."


class Tiers(BaseModel):
    contact: str | None
    tier: int
    "Of the queue whose customer it is."
    label: dict[str, str] | None
    authority: dict[str, str] | None
    reasons: list[ReasonShown]
    usual: str
    "Where the queue hands on to, as `to`; empty: there is no such."
    above: list[Above]
    handed: list[Handed]
    "How the contact came here, the last time last."


@router.post("/escalate", **CHANGES)
async def escalate(
    body: Escalation, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Hand my customer on to those who know, or may, more; all that is known of the contact goes with them."""
    tenant = house.tenant(identity.user.tenant)

    def prepare(agent: str) -> list[Make]:
        contact, to = contact_of(house, identity, body.contact), clean(body.to)
        if body.reason not in tenant.escalation_reasons:
            raise refused("Choose a reason.")
        expert = tenant.experts.get(to.removeprefix(EXPERT)) if to.startswith(EXPERT) else None
        tier = expert.tier if expert is not None else _tier_of_usual(house, tenant, contact, to)
        return [
            lambda at, name: f.EscalateAsked(
                at=at, contact=contact, agent=name, reason=body.reason, to=to, tier=tier
            )
        ]

    return await do(house, identity, key, mark, prepare)


def _tier_of_usual(house: House, tenant: Tenant, contact: str, to: str) -> int:
    """Of the expert whom the contact's queue names; 0 where it names none."""
    who = house.centre(tenant.id).contacts.get(contact)
    queue = tenant.queues.get(who.leg_queue or "") if who is not None and not to else None
    usual = queue.escalate if queue is not None else None
    return tenant.experts[usual.target].tier if usual is not None and usual.kind == "expert" else 0


@router.get("/tiers", response_model=Tiers, **READS)
async def tiers(
    house: Here, identity: Who, contact: Annotated[str | None, Query(min_length=1, max_length=128)] = None
) -> Response:
    """Whom I can hand a customer on to, and what they may decide; how a contact of mine came, or one I am offered."""
    me = agent_of(house, identity)
    tenant, centre = house.tenant(identity.user.tenant), house.centre(identity.user.tenant)
    name = clean(contact) if contact else with_contact(centre.agents[me])
    who = centre.contacts.get(name) if name is not None else None
    if who is not None and not _mine(who, me):
        who = None
    queue = tenant.queues.get(who.leg_queue or who.queue or "") if who is not None else None
    own = queue.tier if queue is not None else 1
    mine = tenant.tiers.get(own)
    usual = queue.escalate if queue is not None else None
    return JSONResponse(
        {
            "contact": who.id if who is not None else None,
            "tier": own,
            "label": mine.label if mine is not None else None,
            "authority": mine.authority if mine is not None else None,
            "reasons": [{"id": one.id, "label": one.label} for one in tenant.escalation_reasons.values()],
            "usual": ""
            if usual is None
            else usual.target
            if usual.kind == "agent"
            else f"{usual.kind}:{usual.target}",
            "above": _above(house, tenant, own, queue.id if queue is not None else ""),
            "handed": await _handed(house, tenant, who) if who is not None else [],
        }
    )


def _mine(contact: Contact, agent: str) -> bool:
    """Rings me, or I am in it."""
    offered = any(one.agent == agent for one in contact.offers.values())
    return offered or any(one.agent == agent for one in contact.parties.values())


def _above(house: House, tenant: Tenant, own: int, queue: str) -> list[dict[str, Any]]:
    centre, now = house.centre(tenant.id), house.now()
    found = [shown_expert(house, tenant, one) for one in tenant.experts.values()]
    for one in tenant.queues.values():
        live = centre.queues.get(one.id)
        if live is None or one.id == queue or one.tier <= own:
            continue
        tier = tenant.tiers.get(one.tier)
        found.append(
            {
                "to": f"queue:{one.id}",
                "kind": "queue",
                "name": one.name or one.id,
                "tier": one.tier,
                "label": tier.label if tier is not None else None,
                "authority": tier.authority if tier is not None else None,
                "skills": {},
                "open": is_open(live.spec.open_at, now),
                "opens": next_open(live.spec.open_at, now),
                "free": bool(live.idle),
            }
        )
    found.sort(key=lambda one: (one["tier"], not one["open"], one["name"].casefold()))
    return found


async def _handed(house: House, tenant: Tenant, contact: Contact) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for at, agent, reason, _, tier in contact.escalations:
        known = tenant.escalation_reasons.get(reason)
        draft = await house.ask(house.customers.get_draft, tenant.id, agent, contact.id)
        label = known.label if known is not None else dict.fromkeys(("en", "pl", "ru"), reason)
        found.append(
            {
                "at": round(at, 3),
                "agent": agent,
                "reason": {"id": reason, "label": label},
                "tier": tier,
                "note": (draft.note or None) if draft is not None else None,
            }
        )
    return found
