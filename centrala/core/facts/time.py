"""Told by the clock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimerFired:
    at: float
    timer: str
    """The id that `SetTimer` gave: offer:LEG, wait:CONTACT, announce:CONTACT, flow:CONTACT, park:CONTACT, wrap:AGENT
    or rest:AGENT."""
