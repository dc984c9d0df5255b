"""Experts outside the house, as agents see them: who they are, what they may decide, when they can be asked."""

from typing import Any

from centrala.core.calendar import is_open, next_open
from centrala.settings.model import Expert, Label, Tenant
from centrala.settings.routing import EXPERT
from centrala.web.house import House


def shown_expert(house: House, tenant: Tenant, expert: Expert) -> dict[str, Any]:
    centre, now = house.centre(tenant.id), house.now()
    tier = tenant.tiers.get(expert.tier)
    hours = centre.calendars.get(expert.calendar, ()) if expert.calendar else None
    authority: Label | None = expert.authority or (tier.authority if tier is not None else None)
    return {
        "to": f"{EXPERT}{expert.id}",
        "kind": "expert",
        "name": expert.name or expert.id,
        "tier": expert.tier,
        "label": tier.label if tier is not None else None,
        "authority": authority,
        "skills": expert.skills,
        "open": is_open(hours, now),
        "opens": next_open(hours, now),
        "free": is_open(hours, now),
    }
