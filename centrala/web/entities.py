"""The entities of a board: queues, agents, contacts, messages; of the core's state and what its events have told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec

from centrala.core.explain import also_serves, lamps, why_no_calls
from centrala.core.learned import speaks
from centrala.core.mix import mix
from centrala.core.stages import needs_at
from centrala.core.state import Agent, Centre, Contact, Promise, Queue
from centrala.core.waits import learns
from centrala.ledger import metrics
from centrala.live import Memory, QueueView, agents_of, state_of, with_contact
from centrala.settings.model import Tenant
from centrala.web import in_call
from centrala.web.board import NOBODY, Board, Entity, Value
from centrala.web.levels import Cause, Level


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
        "open": open_stage(world, queue, view),
        "estimate_by": "learned" if learns(queue) and speaks(queue.learned, world.now) else "formula",
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


def open_stage(world: World, queue: Queue, view: QueueView) -> Value | None:
    """The furthest stage that is open to anybody who waits there: since when, why, for how many, and to whom."""
    if queue.stages is None:
        return None
    there = [one for each in view.waiting if (one := world.centre.contacts.get(each.contact)) is not None]
    own = max((one.stage for one in there), default=0)
    stage = min(max(own, queue.stage), len(queue.spec.widen))
    if not stage or not there:
        return None
    if queue.stage >= stage:
        why, count = queue.stage_why, len(there)
        known = world.memory.queues.get(view.id)
        since = known.widened if known is not None else None
    else:
        # By the wait of some alone.
        those = [one for one in there if one.stage >= stage]
        why, count = "wait", len(those)
        waits = (world.memory.waits.get(one.id) for one in those)
        since = min(
            (one.widened for one in waits if one is not None and one.widened is not None), default=None
        )
    usual, asked = needs_at(queue.spec, 0), needs_at(queue.spec, stage)
    changed = {
        skill: asked.get(skill, 0) for skill in {*usual, *asked} if asked.get(skill) != usual.get(skill)
    }
    queues = dict.fromkeys(name for one in queue.spec.widen[:stage] for name in one.queues)
    return {
        "stage": stage,
        "of": len(queue.spec.widen),
        "since": _time(since),
        "why": why,
        "contacts": count,
        "needs": dict(sorted(changed.items())),
        "queues": list(queues),
        "agents": sum(least <= stage for least in queue.stages.helpers.values()),
    }


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
