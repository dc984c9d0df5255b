"""What browsers see live, as entities, and how it changes: pure values and folds.

A board is {(kind, id): Entity}: queues, agents and contacts of one tenant, and messages to the floor. `entities` makes
it from the core's state; `differences` of two boards are the changes that clients fold. Whoever folds every change they
may see over the snapshot they had holds what a fresh snapshot would show them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from centrala.people import Permission, User, allowed, holds

Kind = Literal["queue", "agent", "contact", "message"]
Key = tuple[Kind, str]
Value = dict[str, Any]

NOBODY: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Entity:
    """What is shown of a thing, and whom it concerns."""

    value: Value
    agents: frozenset[str]
    "Agents who see it on their own desk."
    queues: frozenset[str] = NOBODY
    clients: frozenset[str] = NOBODY
    teams: frozenset[str] = NOBODY
    own: Value = field(default_factory=dict)
    "Fields as those see them on whose own desk it stands."
    veil: Value = field(default_factory=dict)
    "Fields as those see them who may not see customers' numbers."
    _encoded: dict[tuple[bool, bool], msgspec.Raw] = field(default_factory=dict)

    def differs(self, other: "Entity") -> bool:
        """Whether anybody but those on whose own desk it stands could see a difference."""
        return (
            self.value != other.value
            or (self.agents is not other.agents and self.agents != other.agents)
            or self.queues != other.queues
            or self.clients != other.clients
            or self.teams != other.teams
        )

    def seen(self, own: bool) -> Value:
        return {**self.value, **self.own} if own else self.value

    def shown(self, own: bool, numbers: bool) -> msgspec.Raw:
        """The value in JSON, made once for all who see it so."""
        place = own and bool(self.own), numbers or own or not self.veil
        made = self._encoded.get(place)
        if made is None:
            value = self.seen(own)
            if not place[1]:
                value = {**value, **self.veil}
            made = self._encoded[place] = msgspec.Raw(msgspec.json.encode(value))
        return made


Board = dict[Key, Entity]


class Change(NamedTuple):
    key: Key
    old: Entity | None
    new: Entity | None
    public: bool = True
    "It concerns others than those on whose own desk the thing stands."


def change(key: Key, old: Entity | None, new: Entity | None) -> Change | None:
    """What makes the new one of the old one; None where they are the same to everybody."""
    if old is None or new is None:
        return None if old is new else Change(key, old, new)
    if new.differs(old):
        return Change(key, old, new)
    return None if new.own == old.own else Change(key, old, new, public=False)


class Shown(NamedTuple):
    """One change as a client gets it: the entity's new value, or None where it is gone from its sight."""

    what: Kind
    id: str
    value: Any


# --- changes ---


def differences(old: Mapping[Key, Entity], new: Mapping[Key, Entity]) -> list[Change]:
    """What makes `new` of `old`."""
    made = (change(key, old.get(key), new.get(key)) for key in {**old, **new})
    return [one for one in made if one is not None]


# --- who sees what ---

WATCHES: dict[Kind, Permission] = {
    "queue": Permission.QUEUES,
    "agent": Permission.AGENTS,
    "contact": Permission.AGENTS,
    "message": Permission.AGENTS,
}
"What it takes to see a thing that isn't on one's own desk."


@dataclass(frozen=True, slots=True)
class Eye:
    """What a user sees live, worked out once; then an entity is judged by its sets alone."""

    agent: str | None
    "Whose desk is their own."
    kinds: frozenset[Kind]
    "What they may watch, within their scopes."
    numbers: bool
    whole: bool
    "The whole tenant is their scope."
    queues: frozenset[str]
    clients: frozenset[str]
    teams: frozenset[str]

    def own(self, entity: Entity) -> bool:
        """Whether it stands on the user's own desk."""
        return self.agent is not None and self.agent in entity.agents

    def sees(self, kind: Kind, entity: Entity) -> bool:
        return (self.agent is not None and self.agent in entity.agents) or (
            kind in self.kinds
            and (
                self.whole
                or not self.queues.isdisjoint(entity.queues)
                or not self.clients.isdisjoint(entity.clients)
                or not self.teams.isdisjoint(entity.teams)
            )
        )


@lru_cache(maxsize=4096)
def eye(user: User) -> Eye:
    scopes: dict[str, set[str]] = {"queue": set(), "client": set(), "team": set()}
    for scope in user.scopes:
        if scope.kind != "tenant" and scope.name:
            scopes[scope.kind].add(scope.name)
    return Eye(
        agent=user.agent if holds(user, Permission.DESK) else None,
        kinds=frozenset(kind for kind, permission in WATCHES.items() if holds(user, permission)),
        numbers=holds(user, Permission.NUMBERS),
        whole=user.whole_tenant,
        queues=frozenset(scopes["queue"]),
        clients=frozenset(scopes["client"]),
        teams=frozenset(scopes["team"]),
    )


def own(user: User, entity: Entity) -> bool:
    """Whether it stands on the user's own desk."""
    return eye(user).own(entity)


def reaches(user: User, permission: Permission, entity: Entity) -> bool:
    """Whether the user's roles and scopes give them this for the thing, be it on their desk or not."""
    if not holds(user, permission):
        return False
    tenant = user.tenant
    return (
        allowed(user, permission, tenant)
        or any(allowed(user, permission, tenant, queue=one) for one in entity.queues)
        or any(allowed(user, permission, tenant, client=one) for one in entity.clients)
        or any(allowed(user, permission, tenant, team=one) for one in entity.teams)
    )


def snapshot(user: User, made: Mapping[Key, Entity]) -> list[Shown]:
    one = eye(user)
    return [
        Shown(key[0], key[1], entity.shown(one.own(entity), one.numbers))
        for key, entity in made.items()
        if one.sees(key[0], entity)
    ]


def narrow(user: User, changes: Iterable[Change]) -> list[Shown]:
    """Of the changes those that this user sees; what leaves their sight is gone for them."""
    found = []
    one = eye(user)
    for change in changes:
        (kind, name), old, new, public = change
        if new is not None and one.sees(kind, new):
            mine = one.own(new)
            if public or mine:
                found.append(Shown(kind, name, new.shown(mine, one.numbers)))
        elif old is not None and one.sees(kind, old):
            found.append(Shown(kind, name, None))
    return found


# --- the client's side ---


class LostPlace(Exception):
    """A change doesn't follow on what the client has: it must register again."""


@dataclass(frozen=True, slots=True)
class View:
    """What a client holds: the place it is at, and every entity it may see."""

    place: str
    entities: dict[Key, Any]


def fold(view: View | None, message: Mapping[str, Any]) -> View:
    """One message of the live socket, taken in. The same in every client, whatever its language.

    Raises LostPlace for changes that don't follow on `view.place`, and for anything that isn't a snapshot or changes.
    """
    match message["kind"]:
        case "snapshot":
            entities = {(one["what"], one["id"]): one["value"] for one in message["entities"]}
            return View(message["place"], entities)
        case "changes" if view is not None and message["after"] == view.place:
            entities = dict(view.entities)
            for one in message["changes"]:
                if one["value"] is None:
                    entities.pop((one["what"], one["id"]), None)
                else:
                    entities[one["what"], one["id"]] = one["value"]
            return View(message["place"], entities)
        case _:
            raise LostPlace
