"""Flows of a running centre: drafts and versions (`store`), trial runs (`trial`), the ways callers went (`paths`)."""

from centrala.flows.store import (
    Draft,
    EditRace,
    Flow,
    FlowError,
    Flows,
    Version,
    canonical,
    open_flows,
    published_ids,
)

__all__ = [
    "Draft",
    "EditRace",
    "Flow",
    "FlowError",
    "Flows",
    "Version",
    "canonical",
    "open_flows",
    "published_ids",
]
