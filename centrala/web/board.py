"""What browsers see live, as entities, and how it changes: pure values and folds.

A board is {(kind, id): Entity}: queues, agents and contacts of one tenant. `board` makes it from the core's state;
`differences` of two boards are the changes that clients fold. Whoever folds every change they may see over the
snapshot they had holds what a fresh snapshot would show them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec

from centrala.core import events as e
from centrala.core.state import Agent, Centre, Contact
from centrala.live import QueueView
from centrala.people import Permission, User, allowed, holds

Kind = Literal["queue", "agent", "contact"]
Key = tuple[Kind, str]
Value = dict[str, Any]


@dataclass(slots=True, eq=False)
class Entity:
    """What is shown of a thing, and whom it concerns."""

    value: Value
    agents: frozenset[str]
    "Agents who see it on their own desk."
    queues: frozenset[str]
    clients: frozenset[str]
    _encoded: dict[bool, msgspec.Raw] = field(default_factory=dict)

    def same(self, other: "Entity | None") -> bool:
        return (
            other is not None
            and self.value == other.value
            and self.agents == other.agents
            and self.queues == other.queues
            and self.clients == other.clients
        )

    def shown(self, numbers: bool) -> msgspec.Raw:
        """The value in JSON, made once for all who see it; without the customer's number where it may not be seen."""
        if "number" not in self.value:
            numbers = True
        made = self._encoded.get(numbers)
        if made is None:
            value = self.value if numbers else {**self.value, "number": None}
            made = self._encoded[numbers] = msgspec.Raw(msgspec.json.encode(value))
        return made


Board = dict[Key, Entity]


class Change(NamedTuple):
    key: Key
    old: Entity | None
    new: Entity | None


class Shown(NamedTuple):
    """One change as a client gets it: the entity's new value, or None where it is gone from its sight."""

    what: Kind
    id: str
    value: Any


@dataclass(slots=True)
class Known:
    """What events tell beside the state: kept by `remember`, asked by `board`."""

    since: dict[str, tuple[str, float]] = field(default_factory=dict)
    "Agent → (state, since when)."
    why: dict[str, str] = field(default_factory=dict)
    "Contact → why its last offer went where it went."
    wraps: dict[str, set[str]] = field(default_factory=dict)
    "Contact → agents in wrap-up after it."
    numbers: dict[str, str | None] = field(default_factory=dict)
    "Contact → the customer's number, once the ledger has told it."


# --- the world as entities ---


def start(centre: Centre, now: float) -> Known:
    """What can be known of a centre that was recovered."""
    known = Known()
    for name, agent in centre.agents.items():
        known.since[name] = state_of(centre, agent), now
        if agent.wrap is not None:
            known.wraps.setdefault(agent.wrap, set()).add(name)
    return known


def remember(known: Known, centre: Centre, events: Iterable[e.Event], at: float) -> tuple[set[str], set[str]]:
    """Take one step's events; gives the agents and the contacts that it may have changed."""
    agents: set[str] = set()
    contacts: set[str] = set()
    for event in events:
        contact = getattr(event, "contact", None)
        agent = getattr(event, "agent", None)
        if contact is not None:
            contacts.add(contact)
        if agent is not None:
            agents.add(agent)
        match event:
            case e.OfferMade(contact=str(one), why=why):
                known.why[one] = why
            case e.WrapUpBegan():
                known.wraps.setdefault(event.contact, set()).add(event.agent)
            case e.WrapUpEnded():
                left = known.wraps.get(event.contact, set())
                left.discard(event.agent)
                if not left:
                    known.wraps.pop(event.contact, None)
            case e.AgentDefined(spec=spec):
                agents.add(spec.id)
            case _:
                pass
    for name in contacts:
        found = centre.contacts.get(name)
        if found is None:
            known.why.pop(name, None)
            known.numbers.pop(name, None)
        else:
            agents |= _agents_of(found, known)
    for name in agents:
        member = centre.agents.get(name)
        if member is None:
            known.since.pop(name, None)
            continue
        state = state_of(centre, member)
        if known.since.get(name, ("", 0.0))[0] != state:
            known.since[name] = state, at
    return agents, contacts


def board(centre: Centre, known: Known, queues: Iterable[QueueView]) -> Board:
    """Everything, made anew."""
    made: Board = {}
    for view in queues:
        if view.id in centre.queues:
            made["queue", view.id] = queue_entity(centre, view)
    for name, agent in centre.agents.items():
        made["agent", name] = agent_entity(centre, known, agent)
    for name, contact in centre.contacts.items():
        made["contact", name] = contact_entity(centre, known, contact)
    return made


def queue_entity(centre: Centre, view: QueueView) -> Entity:
    queue = centre.queues[view.id]
    waiting = [centre.contacts[one.contact].since for one in view.waiting if one.contact in centre.contacts]
    value = {
        "id": view.id,
        "client": queue.spec.client,
        "target": list(view.target),
        "waiting": len(waiting),
        "waiting_since": _time(min(waiting, default=None)),
        "talking": view.talking,
        "free": view.free,
        "staffed": view.staffed,
        "today": _figures(view.today),
        "now": _figures(view.now),
    }
    return Entity(value, frozenset(queue.members), frozenset({view.id}), _clients(centre, (view.id,)))


def _figures(counts: Any) -> Value:
    level = counts.service_level
    return {
        "offered": counts.offered,
        "served": counts.served,
        "in_time": counts.in_time,
        "abandoned": counts.abandoned,
        "early": counts.early,
        "service_level": None if level is None else round(level, 4),
    }


def state_of(centre: Centre, agent: Agent) -> str:
    """The one word: on_contact, held, offered, wrap_up, unreachable, resting, ready, not_ready or logged_out."""
    state = agent.state
    if state == "on_contact":
        contact = centre.contacts.get(next(iter(agent.calls)))
        if contact is not None and contact.state == "held":
            return "held"
    return state


def agent_entity(centre: Centre, known: Known, agent: Agent) -> Entity:
    name = agent.spec.id
    state, since = known.since.get(name, (state_of(centre, agent), 0.0))
    contact = next(iter(agent.calls), None) or next(iter(agent.offers.values()), None) or agent.wrap
    value = {
        "id": name,
        "name": agent.spec.name or name,
        "state": state,
        "since": _time(since),
        "intent": agent.intent,
        "reason": agent.reason or None,
        "reachable": agent.reachable,
        "until": _time(agent.wrap_until if agent.wrap is not None else agent.rest_until),
        "missed": agent.missed,
        "contact": contact,
        "queues": sorted(agent.queues),
    }
    return Entity(value, frozenset({name}), frozenset(agent.queues), _clients(centre, agent.queues))


def contact_entity(centre: Centre, known: Known, contact: Contact) -> Entity:
    queues = frozenset(
        one for one in (contact.queue, contact.leg_queue) if one is not None and one in centre.queues
    )
    offers = sorted(
        (offer.agent for offer in contact.offers.values() if offer.agent is not None),
    )
    value = {
        "id": contact.id,
        "medium": contact.medium,
        "direction": contact.direction,
        "state": contact.state,
        "queue": contact.leg_queue or contact.queue,
        "since": _time(contact.since) if contact.queued_at else None,
        "dialled": contact.dialled or None,
        "number": known.numbers.get(contact.id),
        "agent": contact.leg_agent,
        "ringing": offers,
        "why": known.why.get(contact.id) or None,
    }
    return Entity(value, frozenset(_agents_of(contact, known)), queues, _clients(centre, queues))


def _agents_of(contact: Contact, known: Known) -> set[str]:
    agents = {offer.agent for offer in contact.offers.values() if offer.agent is not None}
    agents |= {one for one in (contact.agent, contact.leg_agent) if one is not None}
    return agents | known.wraps.get(contact.id, set())


def _clients(centre: Centre, queues: Iterable[str]) -> frozenset[str]:
    found = (centre.queues[one].spec.client for one in queues if one in centre.queues)
    return frozenset(one for one in found if one is not None)


def _time(at: float | None) -> float | None:
    return None if at is None else round(at, 3)


# --- changes ---


def differences(old: Mapping[Key, Entity], new: Mapping[Key, Entity]) -> list[Change]:
    """What makes `new` of `old`."""
    found = [Change(key, old[key], None) for key in old if key not in new]
    for key, entity in new.items():
        before = old.get(key)
        if not entity.same(before):
            found.append(Change(key, before, entity))
    return found


# --- who sees what ---

_WATCHES: dict[Kind, Permission] = {
    "queue": Permission.QUEUES,
    "agent": Permission.AGENTS,
    "contact": Permission.AGENTS,
}


def own(user: User, entity: Entity) -> bool:
    """Whether it stands on the user's own desk."""
    return user.agent is not None and user.agent in entity.agents and holds(user, Permission.DESK)


def sees(user: User, kind: Kind, entity: Entity) -> bool:
    if own(user, entity):
        return True
    permission = _WATCHES[kind]
    if not holds(user, permission):
        return False
    tenant = user.tenant
    return (
        allowed(user, permission, tenant)
        or any(allowed(user, permission, tenant, queue=one) for one in entity.queues)
        or any(allowed(user, permission, tenant, client=one) for one in entity.clients)
    )


def shown(user: User, key: Key, entity: Entity) -> Any:
    """The entity's value as this user sees it."""
    return entity.shown(own(user, entity) or holds(user, Permission.NUMBERS))


def snapshot(user: User, made: Mapping[Key, Entity]) -> list[Shown]:
    return [
        Shown(key[0], key[1], shown(user, key, entity))
        for key, entity in made.items()
        if sees(user, key[0], entity)
    ]


def narrow(user: User, changes: Iterable[Change]) -> list[Shown]:
    """Of the changes those that this user sees; what leaves their sight is gone for them."""
    found = []
    for key, old, new in changes:
        if new is not None and sees(user, key[0], new):
            found.append(Shown(key[0], key[1], shown(user, key, new)))
        elif old is not None and sees(user, key[0], old):
            found.append(Shown(key[0], key[1], None))
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
