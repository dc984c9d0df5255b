"""`evolve(centre, event)`: the only place where state changes. One function per event, in folders like events.

Recovery and replay run this package alone, so it must accept every event that any version ever wrote, and must never
decide anything.
"""

from collections.abc import Callable
from typing import Any

from centrala.core import events as e
from centrala.core.evolve import agents, aside, configuration, contacts, flow, in_call, owed, routing
from centrala.core.state import Centre

EVOLVE: dict[type, Callable[[Centre, Any], None]] = {}
for _part in (configuration, contacts, owed, flow, routing, in_call, aside, agents):
    EVOLVE |= _part.CHANGES


def evolve(centre: Centre, event: e.Event) -> None:
    """Change the state to what it is after the event."""
    EVOLVE[type(event)](centre, event)
