"""A centre as a file: `load(path)` gives `Settings`, or raises `SettingsError` with all that is wrong.

The keys are told in docs/reference/centre-yaml.md.
"""

from centrala.settings.model import (
    Address,
    Agent,
    Client,
    Destination,
    DestinationKind,
    Disposition,
    Https,
    Label,
    Limits,
    Listen,
    Listener,
    MediaSettings,
    OpenSpans,
    Queue,
    Reason,
    Secret,
    Settings,
    Strategy,
    Team,
    Tenant,
    Thresholds,
    Transport,
    Trunk,
    TrunkRegistration,
)
from centrala.settings.reading import load, parse
from centrala.settings.tree import Problem, SettingsError

__all__ = [
    "Address",
    "Agent",
    "Client",
    "Destination",
    "DestinationKind",
    "Disposition",
    "Https",
    "Label",
    "Limits",
    "Listen",
    "Listener",
    "MediaSettings",
    "OpenSpans",
    "Problem",
    "Queue",
    "Reason",
    "Secret",
    "Settings",
    "SettingsError",
    "Strategy",
    "Team",
    "Tenant",
    "Thresholds",
    "Transport",
    "Trunk",
    "TrunkRegistration",
    "load",
    "parse",
]
