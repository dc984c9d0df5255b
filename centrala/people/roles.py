"""Roles, what each may do, and where: values and two questions.

A user has roles and scopes. A role says what may be done; a scope says for whom: the whole tenant, one client, one
team or one queue. What somebody does as the agent they are (their own desk and contacts) needs no scope.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Permission(StrEnum):
    DESK = "desk"
    "Act as the agent one is: ready, pause, sign out; see the own desk, contacts and their recordings."
    QUEUES = "queues"
    "See queues live."
    AGENTS = "agents"
    "See agents live, with the contacts they have."
    CONTACTS = "contacts"
    "Read records of contacts."
    NUMBERS = "numbers"
    "See telephone numbers and addresses of customers."
    RECORDINGS = "recordings"
    "Listen to recordings of others."
    STEER = "steer"
    "Act on agents and contacts of others: set states, listen and step in, move and raise, message the floor."
    CUSTOMERS = "customers"
    "See and edit customers' cards."
    USERS = "users"
    "Make users, change what they may do, end their sessions."
    SETTINGS = "settings"
    "Change the centre: queues, agents, numbers, trunks, hours, sounds."
    PLANS = "plans"
    "See plans, adherence and the day against the plan; decide requests of agents."
    PLANNING = "planning"
    "Make, change and publish plans; contracts, kinds of shifts and rules."
    AUDIT = "audit"
    TOKENS = "tokens"
    "Make tokens for programs, which can't do more than oneself."


class Role(StrEnum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    QUALITY = "quality"
    TRAINER = "trainer"
    PLANNER = "planner"
    TECHNICIAN = "technician"
    CLIENT_VIEWER = "client_viewer"


P = Permission
ROLES: dict[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset({P.DESK, P.CUSTOMERS}),
    Role.SUPERVISOR: frozenset(
        {
            *(P.DESK, P.QUEUES, P.AGENTS, P.STEER, P.CUSTOMERS),
            *(P.CONTACTS, P.NUMBERS, P.RECORDINGS, P.TOKENS, P.PLANS),
        }
    ),
    # Who makes users and reads the trail needs no ear in conversations: that takes a second role, which shows.
    Role.ADMINISTRATOR: frozenset(
        {P.QUEUES, P.AGENTS, P.USERS, P.SETTINGS, P.AUDIT, P.TOKENS, P.PLANS, P.PLANNING}
    ),
    Role.QUALITY: frozenset({P.CONTACTS, P.RECORDINGS}),
    Role.TRAINER: frozenset({P.QUEUES, P.AGENTS, P.CONTACTS, P.RECORDINGS}),
    Role.PLANNER: frozenset({P.QUEUES, P.AGENTS, P.PLANS, P.PLANNING}),
    Role.TECHNICIAN: frozenset({P.QUEUES, P.AGENTS, P.AUDIT, P.TOKENS}),
    Role.CLIENT_VIEWER: frozenset({P.QUEUES}),
}

ScopeKind = Literal["tenant", "client", "team", "queue"]


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """For whom a role counts. Written `tenant`, `client:shop`, `team:evening` or `queue:sales`."""

    kind: ScopeKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @classmethod
    def read(cls, text: str) -> "Scope":
        """The reverse of `str`. Raises ValueError with a sentence."""
        kind, _, name = text.partition(":")
        if kind == "tenant" and not name:
            return WHOLE_TENANT
        if name and kind in ("client", "team", "queue"):
            return cls(kind, name)  # type: ignore[arg-type]
        raise ValueError(f"{text!r} is no scope: write tenant, client:ID, team:ID or queue:ID")


WHOLE_TENANT = Scope("tenant")


@dataclass(frozen=True, slots=True)
class User:
    id: str
    tenant: str
    name: str
    "What one signs in with; unique in the tenant."
    roles: frozenset[Role]
    scopes: frozenset[Scope] = frozenset({WHOLE_TENANT})
    agent: str | None = None
    "The agent this person acts as."
    active: bool = True
    granted: frozenset[Permission] | None = field(default=None)
    "What a token leaves of the permissions; None leaves all."
    must_change: bool = False
    "The password is a temporary one: a session serves to change it, and nothing else."

    @property
    def permissions(self) -> frozenset[Permission]:
        held = frozenset[Permission]().union(*(ROLES[role] for role in self.roles))
        if self.agent is None:
            held -= {P.DESK}
        return held if self.granted is None else held & self.granted

    @property
    def whole_tenant(self) -> bool:
        return WHOLE_TENANT in self.scopes


def holds(user: User, permission: Permission) -> bool:
    """Whether the user may do this anywhere at all. To be followed by `allowed` for the thing itself."""
    return user.active and permission in user.permissions


def allowed(
    user: User,
    permission: Permission,
    tenant: str,
    *,
    client: str | None = None,
    team: str | None = None,
    queue: str | None = None,
) -> bool:
    """Whether the user may do this to a thing of this tenant, client, team and queue.

    None means that the thing has no such: only who has the whole tenant reaches a thing that has none of them.
    """
    if user.tenant != tenant or not holds(user, permission):
        return False
    places = {("client", client), ("team", team), ("queue", queue)}
    return any(
        scope.kind == "tenant" or (scope.name != "" and (scope.kind, scope.name) in places)
        for scope in user.scopes
    )
