"""What browsers see live, as entities, and how it changes: pure values and folds.

A board is {(kind, id): Entity}: queues, agents and contacts of one tenant, and messages to the floor. `board` makes it
from the core's state; `differences` of two boards are the changes that clients fold. Whoever folds every change they
may see over the snapshot they had holds what a fresh snapshot would show them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from centrala.core.explain import also_serves, lamps, why_no_calls
from centrala.core.mix import mix
from centrala.core.state import Agent, Centre, Contact, Promise
from centrala.ledger import metrics
from centrala.live import Memory, QueueView, agents_of, state_of, with_contact
from centrala.people import Permission, User, allowed, holds
from centrala.settings.model import Tenant
from centrala.web import in_call
from centrala.web.levels import Cause, Level

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


@dataclass(frozen=True, slots=True)
class Caller:
    """Who the customer of a contact is, as far as the house knows."""

    number: str | None = None
    name: str | None = None
    customer: Value | None = None
    "id, name, company, badges; see `centrala.customers`."


@dataclass(slots=True)
class World:
    """What entities are made of."""

    centre: Centre
    memory: Memory
    tenant: Tenant
    now: float
    callers: dict[str, Caller] = field(default_factory=dict)
    "By contact, once the ledger has told it."
    outside: dict[str, Mapping[str, str]] = field(default_factory=dict)
    "Contact → leg → number of a party that was reached outside."
    levels: dict[str, tuple[Level, list[Cause]]] = field(default_factory=dict)
    "By queue."
    teams: dict[str, str] = field(default_factory=dict)
    "Agent → team."
    members: dict[str, frozenset[str]] = field(default_factory=dict)
    "Queue → agents who serve it; to be cleared when configuration changes."


# --- the world as entities ---


def board(world: World, queues: Iterable[QueueView]) -> Board:
    """Everything, made anew; messages aside."""
    centre = world.centre
    made: Board = {}
    for view in queues:
        if view.id in centre.queues:
            made["queue", view.id] = queue_entity(world, view)
    for name, agent in centre.agents.items():
        made["agent", name] = agent_entity(world, agent)
    for name, contact in centre.contacts.items():
        made["contact", name] = contact_entity(world, contact)
    return made


def queue_entity(world: World, view: QueueView) -> Entity:
    queue = world.centre.queues[view.id]
    waiting = [one.since for each in view.waiting if (one := world.centre.contacts.get(each.contact))]
    configured = world.tenant.queues.get(view.id)
    level, causes = world.levels.get(view.id, ("normal", []))
    free, talk, wrap_up, away = view.bar
    value = {
        "id": view.id,
        "name": (configured.name if configured is not None else None) or view.id,
        "client": queue.spec.client,
        "target": list(view.target),
        "waiting": len(waiting),
        "waiting_since": _time(min(waiting, default=None)),
        "talking": view.talking,
        "callbacks": view.callbacks,
        "messages": view.messages,
        "free": view.free,
        "staffed": view.staffed,
        "lent": sum(view.id in world.centre.agents[one].loans for one in world.centre.lent.get(view.id, ())),
        "bar": {"free": free, "talk": talk, "wrap_up": wrap_up, "away": away},
        "level": level,
        "causes": [{**one._asdict(), "since": _time(one.since)} for one in causes],
        "today": figures(view.today),
        "now": figures(view.now),
    }
    members = world.members.get(view.id)
    if members is None:
        members = world.members[view.id] = frozenset(queue.members)
    return Entity(value, members, frozenset({view.id}), _clients(world.centre, (view.id,)))


def figures(counts: metrics.Counts) -> Value:
    """Counts and figures of `ledger.metrics`, by their ids there."""
    of = metrics.value
    return {
        "offered": counts.offered,
        "served": counts.served,
        "in_time": counts.in_time,
        "abandoned": counts.abandoned,
        "early": counts.early,
        "short_abandoned": counts.short,
        "service_level": _round(of("service_level", counts), 4),
        "abandon_rate": _round(of("abandon_rate", counts), 4),
        "estimate_bias": _round(of("estimate_bias", counts), 1),
        "estimate_error": _round(of("estimate_error", counts), 1),
        "asa": _round(of("asa", counts), 1),
        "longest_wait": _round(of("longest_wait", counts), 1),
        "aht": _round(of("aht", counts), 1),
        "callbacks_promised": counts.promised,
        "callbacks_reached": counts.reached,
        "callbacks_unreached": counts.unreached,
        "callbacks_expired": counts.expired,
        "callbacks_replaced": counts.replaced,
        "callback_wait": _round(of("callback_wait", counts), 1),
        "messages_left": counts.messages,
        "messages_heard": counts.heard,
        "message_wait": _round(of("message_wait", counts), 1),
        "message_level": _round(of("message_level", counts), 4),
    }


def agent_entity(world: World, agent: Agent) -> Entity:
    centre, name = world.centre, agent.spec.id
    clock = world.memory.agents.get(name)
    contact = with_contact(agent)
    with_whom = centre.contacts.get(contact) if contact is not None else None
    caller = world.callers.get(contact) if contact is not None else None
    state = state_of(centre, agent)
    team = world.teams.get(name)
    met = _met(caller)
    why = explained(world, agent)
    value = {
        "id": name,
        "name": agent.spec.name or name,
        "team": team,
        "state": state,
        "since": _time(clock.since if clock is not None else 0.0),
        "intent": agent.intent,
        "reason": agent.reason or None,
        "next": _next(agent, state),
        "reachable": agent.reachable,
        "until": _time(agent.wrap_until if agent.wrap is not None else agent.rest_until),
        "missed": agent.missed,
        "contact": contact,
        "contact_with": met,
        "queue": None if with_whom is None else with_whom.leg_queue or with_whom.queue,
        "queues": sorted(agent.queues),
        "plus": sorted(agent.plus),
        "minus": sorted(agent.minus),
        "loans": loans_of(centre, agent),
        "lamps": lamps_of(world, agent),
        "why": coarse(why),
    }
    veil = {"contact_with": None} if met is not None else {}
    # Who took them out of a queue must still reach them, to put them back.
    queues = frozenset(agent.queues).union(one for one in agent.minus if one in centre.queues)
    return Entity(
        value,
        frozenset({name}),
        queues,
        _clients(centre, queues),
        frozenset({team}) if team is not None else NOBODY,
        own={"why": why},
        veil=veil,
    )


def loans_of(centre: Centre, agent: Agent) -> list[Value]:
    """Where rebalancing has lent the agent, and what it expected then."""
    return [{"queue": one.values["queue"], **one.values} for one in also_serves(centre, agent.spec.id)]


VOLATILE = ("ahead", "queues")
"What changes with every call of anybody: told on one's own desk alone."


def coarse(why: Value) -> Value:
    """The reason for boards, which needn't be told anew with every call of anybody."""
    return {"code": why["code"], "values": {k: v for k, v in why["values"].items() if k not in VOLATILE}}


def explained(world: World, agent: Agent) -> Value:
    """Why the agent gets no calls just now, as a code and what its sentence needs."""
    reason = why_no_calls(world.centre, agent.spec.id, world.now)
    return {"code": reason.code, "values": reason.values}


def lamps_of(world: World, agent: Agent) -> Value:
    """You · Phone · Line · Load."""
    return dict(lamps(world.centre, agent.spec.id))


def _met(caller: Caller | None) -> Value | None:
    if caller is None or not (caller.number or caller.name):
        return None
    return {"number": caller.number, "name": caller.name}


def _next(agent: Agent, state: str) -> str | None:
    """What the agent will be after what they have at hand: a reason, or signed_out."""
    if state not in ("on_contact", "held", "offered", "wrap_up") or agent.intent == "ready":
        return None
    return "signed_out" if agent.intent == "logged_out" else agent.reason or "not_ready"


def contact_entity(world: World, contact: Contact) -> Entity:
    centre, memory = world.centre, world.memory
    held = contact.promise
    parked_from = contact.back_queue if contact.slot else None
    places = (contact.queue, contact.leg_queue, held.queue if held is not None else None, parked_from)
    queues = frozenset(one for one in places if one is not None and one in centre.queues)
    agents = agents_of(contact, memory)
    offers = sorted(offer.agent for offer in contact.offers.values() if offer.agent is not None)
    caller = world.callers.get(contact.id, Caller())
    talk = memory.talks.get(contact.id)
    note = memory.contacts.get(contact.id)
    parties = _parties(world, contact)
    value = {
        "id": contact.id,
        "medium": contact.medium,
        "direction": contact.direction,
        "state": contact.state,
        "queue": next((one for one in (contact.leg_queue, *places) if one is not None), None),
        "slot": contact.slot or None,
        "since": _time(contact.since) if contact.queued_at or held is not None else None,
        "owed": contact.owed or None,
        "promise": None if held is None else _promise(held),
        "origin": contact.origin or None,
        "seconds": contact.seconds or None,
        "talk_since": _time(talk.since) if talk is not None else None,
        "hold_since": _time(talk.held) if talk is not None else None,
        "dialled": contact.dialled or None,
        "number": caller.number,
        "name": caller.name,
        "customer": caller.customer,
        "agent": contact.leg_agent,
        "ringing": offers,
        "why": (note.why or None) if note is not None else None,
        "priority": contact.priority,
        "kept_for": contact.reserved or None,
        "stage": contact.stage,
        "handed": [
            {"at": _time(at), "agent": agent, "reason": reason, "tier": tier}
            for at, agent, reason, _, tier in contact.escalations
        ],
        "recorded": contact.recorded,
        "recording": in_call.recording(centre, contact),
        "step": in_call.step(centre, contact),
        "steps": in_call.steps(centre, contact),
        "given": [],
        "told": contact.briefing is not None,
        "disposition": note.disposition if note is not None else None,
        "parties": parties,
        "hears": mix(centre, contact),
        "path": way(centre, contact),
        "answers": {},
    }
    # What was typed or looked up in a menu is for who talks with the customer, not for whoever is rung or looks on.
    known = in_call.open_values(contact.values)
    given = [name for name in contact.given if name in known]
    answers = {name: known[name] for name in list(dict.fromkeys([*given, *known]))[:ANSWERS]}
    own = {"answers": answers, "given": given} if answers and contact.leg_agent is not None else {}
    veil = {
        "number": None,
        "name": None,
        "customer": None,
        "parties": [{**one, "number": None} for one in parties],
    }
    teams = frozenset(team for one in agents if (team := world.teams.get(one)) is not None)
    return Entity(value, frozenset(agents), queues, _clients(centre, queues), teams, own=own, veil=veil)


def _promise(held: Promise) -> Value:
    return {
        "at": _time(held.at),
        "since": _time(held.since),
        "due": _time(held.due),
        "expires": _time(held.expires or None),
        "attempt": held.attempt,
        "attempts": held.attempts,
        "why": held.why,
        "slot": held.slot > 0,
    }


ANSWERS = 20
STEPS = 8
"Of a way through menus: the last ones."


def way(centre: Centre, contact: Contact) -> list[str]:
    """The titles of the menus that the customer has come through, in order; nodes without one are left out."""
    found: list[str] = []
    for flow, node, _ in contact.path:
        published = centre.flows.get(flow)
        if published is None:
            continue
        version = published.current
        if contact.run is not None and contact.run.flow == flow:
            version = contact.run.version
        title = _titles(published.graphs.get(version, "")).get(node)
        if title and (not found or found[-1] != title):
            found.append(title)
    return found[-STEPS:]


@lru_cache(maxsize=64)
def _titles(graph: str) -> dict[str, str]:
    """Node → title, of a published graph."""
    try:
        nodes = msgspec.json.decode(graph, type=_Graph).nodes
    except (msgspec.DecodeError, UnicodeError):
        return {}
    return {name: one.title for name, one in nodes.items() if one.title}


class _Titled(msgspec.Struct):
    title: str = ""


class _Graph(msgspec.Struct):
    nodes: dict[str, _Titled] = {}


def _parties(world: World, contact: Contact) -> list[Value]:
    """Everybody but the customer, those whose phones ring too."""
    numbers = world.outside.get(contact.id, {})
    parties: list[Value] = [
        _party(numbers, leg, offer.agent, "agent", None, "ringing", False)
        for leg, offer in contact.offers.items()
    ]
    for leg, one in contact.parties.items():
        state: str = one.state
        second = contact.second
        speaks = second is not None and second.owner == leg and second.talking and not second.held
        if speaks:
            state = "talking"
        elif one.held or (leg == contact.leg and contact.state == "held" and contact.consult is None):
            state = "held"
        parties.append(_party(numbers, leg, one.agent, one.role, one.mode, state, one.muted))
    return parties


def _party(
    numbers: Mapping[str, str],
    leg: str,
    agent: str | None,
    role: str,
    mode: str | None,
    state: str,
    muted: bool,
) -> Value:
    return {
        "leg": leg,
        "agent": agent,
        "number": numbers.get(leg) if agent is None else None,
        "role": role,
        "mode": mode,
        "state": state,
        "muted": muted,
    }


def message_entity(
    id: str,
    sender: str,
    text: str,
    at: float,
    agents: Iterable[str],
    teams: Iterable[str],
    moved: Value | None = None,
) -> Entity:
    value = {"id": id, "from": sender, "text": text, "at": _time(at), "moved": moved}
    return Entity(value, frozenset(agents), teams=frozenset(teams))


def _clients(centre: Centre, queues: Iterable[str]) -> frozenset[str]:
    found = (centre.queues[one].spec.client for one in queues if one in centre.queues)
    return frozenset(one for one in found if one is not None)


def _time(at: float | None) -> float | None:
    return None if at is None else round(at, 3)


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


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
