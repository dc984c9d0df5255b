"""Who may do what: users, roles, permissions and scopes; sessions and tokens; the audit trail.

`roles.allowed` is the one question; `service.People` is everything that is stored.
"""

from centrala.people.roles import Permission, Role, Scope, User, allowed, holds
from centrala.people.service import People, open_people
from centrala.people.store import PeopleError
from centrala.people.throttle import Throttle
from centrala.people.tokens import Identity

__all__ = [
    "Identity",
    "People",
    "PeopleError",
    "Permission",
    "Role",
    "Scope",
    "Throttle",
    "User",
    "allowed",
    "holds",
    "open_people",
]
