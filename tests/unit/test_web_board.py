"""Live updates: whoever folds what comes over what they had holds what a fresh snapshot shows them, in any world."""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.specs import AgentSpec, Destination, QueueSpec, Widen
from centrala.core.state import Contact
from centrala.people import Permission, Role, Scope, User, holds
from centrala.settings.model import Queue, Team, Tenant
from centrala.web.board import WATCHES, Entity, LostPlace, View, eye, fold, reaches
from centrala.web.entities import Caller
from centrala.web.hub import RING, Callers, Hub, full, message
from centrala.web.shown import EntityShown

pytestmark = pytest.mark.unit

START = 1_800_000_000.0
QUEUES = ("sales", "help", "claims")
AGENTS = ("ania", "bartek", "celina", "darek")
CLIENTS = {"sales": "shop", "help": "shop", "claims": "bank"}
TENANT = Tenant(
    "acme",
    "acme.example",
    queues={one: Queue(one, name=one.title(), client=CLIENTS[one]) for one in QUEUES},
    teams={"early": Team("early", "Early birds", ("ania", "bartek"))},
)


def user(role: Role, *scopes: str, agent: str | None = None) -> User:
    where = frozenset(map(Scope.read, scopes or ("tenant",)))
    return User("u", "acme", "u", frozenset({role}), where, agent)


SCHEMA: TypeAdapter[Any] = TypeAdapter(EntityShown)

VIEWERS = {
    "supervisor": user(Role.SUPERVISOR),
    "supervisor of one queue": user(Role.SUPERVISOR, "queue:sales"),
    "supervisor of one client": user(Role.SUPERVISOR, "client:bank"),
    "supervisor of nothing": user(Role.SUPERVISOR, "queue:none"),
    "agent": user(Role.AGENT, agent="ania"),
    "agent who supervises": user(Role.SUPERVISOR, "queue:claims", agent="bartek"),
    "supervisor of a team": user(Role.SUPERVISOR, "team:early"),
    "client viewer": user(Role.CLIENT_VIEWER, "client:shop"),
    "planner": user(Role.PLANNER),
    "quality": user(Role.QUALITY),
}


class World:
    """A core in which anything happens, told to a hub."""

    def __init__(self, seed: int, stages: bool = False) -> None:
        self.random = random.Random(seed)
        self.stages = random.Random(seed) if stages else None
        self.now = START
        self.centre = Centre()
        self.seq = 0
        self.timers: dict[str, float] = {}
        self.numbers: dict[str, str] = {}
        self.arrived = 0
        for name in QUEUES:
            self.configure(name)
        for name in AGENTS:
            self.step(f.AgentChanged(self.now, AgentSpec(name, name.title())))
        self.hub: Hub | None = None

    def configure(self, queue: str) -> None:
        some = tuple(one for one in AGENTS if self.random.random() < 0.7)
        strategy = self.random.choice(["longest_idle", "ring_all"])
        wrap_up = self.random.choice([0.0, 10.0])
        widen: tuple[Widen, ...] = ()
        if self.stages is not None:
            other = (self.stages.choice([one for one in QUEUES if one != queue]),)
            widen = (Widen(after=20.0, queues=other), Widen(length=2, queues=other))
        spec = QueueSpec(queue, CLIENTS[queue], some, strategy=strategy, wrap_up=wrap_up, widen=widen)  # type: ignore[arg-type]
        self.step(f.QueueChanged(self.now, spec))
        self.step(f.NumberChanged(self.now, queue, Destination("queue", queue)))

    def step(self, fact: f.Fact) -> None:
        events, commands = step(self.centre, fact)
        self.seq += 1 + len(events) + len(commands)
        for one in commands:
            if isinstance(one, c.SetTimer):
                self.timers[one.timer] = one.at
            elif isinstance(one, c.CancelTimer):
                self.timers.pop(one.timer, None)
        if getattr(self, "hub", None) is not None:
            self.hub.take(self.centre, events)  # type: ignore[union-attr]

    def anything(self) -> None:
        pick: Any = self.random.choice
        self.now += pick([0.0, 0.1, 1.0, 20.0, 400.0])
        now, agent, queue = self.now, pick(AGENTS), pick(QUEUES)
        contacts = [*self.centre.contacts.values()]
        who = pick(contacts) if contacts else None
        offers = list(who.offers.values()) if who is not None else []
        match self.random.randrange(28):
            case 0 | 1 | 2 | 3 | 4:
                self.arrived += 1
                caller = agent if self.random.random() < 0.1 else None
                name = f"c{self.arrived}"
                self.numbers[name] = f"+48{self.arrived:09}"
                self.step(f.ContactArrived(now, name, queue, name, agent=caller))
            case 5 | 6:
                self.step(f.PhoneRegistered(now, agent))
                self.step(f.AgentReady(now, agent))
            case 7:
                self.step(f.AgentPaused(now, agent, pick(["lunch", "training"])))
            case 8:
                self.step(pick([f.AgentSignedIn, f.AgentSignedOut, f.PhoneUnregistered])(now, agent))
            case 9 | 10 | 11 if offers:
                self.step(f.Rang(now, who.id, offers[0].leg))  # type: ignore[union-attr]
                self.step(f.Answered(now, who.id, pick(offers).leg))  # type: ignore[union-attr]
            case 12 if offers:
                self.step(f.OfferFailed(now, who.id, pick(offers).leg, pick(["busy", "no_answer"])))  # type: ignore[union-attr]
            case 13 | 14 if who is not None:
                self.step(f.HungUp(now, who.id, pick(["", who.leg or ""])))
            case 15 if who is not None and who.leg is not None:
                self.step(pick([f.PutOnHold, f.TakenOffHold])(now, who.id, who.leg))
            case 16 if who is not None and who.leg is not None:
                self.step(f.TransferAsked(now, who.id, who.leg, pick(QUEUES)))
            case 17:
                wraps: list[f.Fact] = [f.WrapUpFinished(now, agent), f.WrapUpExtended(now, agent, 30.0)]
                self.step(pick(wraps))
            case 20 | 21 | 22 | 23 | 24 if who is not None:
                self.press(who, self.random.choice([who.leg_agent or agent, agent]))
            case 25 if who is not None:
                mode = pick(["listen", "whisper", "barge", "take_over", "off"])
                self.step(f.SuperviseAsked(now, who.id, agent, mode))
            case 26 if who is not None:
                moves: list[f.Fact] = [f.ContactMoved(now, who.id, queue), f.ContactRaised(now, who.id, 5)]
                self.step(pick(moves))
            case 27:
                ringing = [
                    (one.id, leg)
                    for one in contacts
                    for leg, party in one.parties.items()
                    if party.state == "ringing"
                ]
                if ringing:
                    contact, leg = pick(ringing)
                    self.step(pick([f.Answered(now, contact, leg), f.OfferFailed(now, contact, leg, "busy")]))
                if self.hub is not None:
                    self.hub.say("Marta", "Break at noon.", [agent], ["early"])
            case 18 if self.random.random() < 0.3:
                match self.random.randrange(4):
                    case 0:
                        self.step(f.AgentRemoved(now, agent))
                    case 1:
                        self.step(f.AgentChanged(now, AgentSpec(agent, agent.upper())))
                    case 2:
                        self.step(f.QueueRemoved(now, queue))
                    case _:
                        self.configure(queue)
            case _:
                due = [name for name, at in self.timers.items() if at <= now]
                if due:
                    self.timers.pop(due[0])
                    self.step(f.TimerFired(now, due[0]))

    def press(self, who: Contact, agent: str) -> None:
        """A button of the agent's."""
        now = self.now
        pick: Any = self.random.choice
        to = pick([*AGENTS, *(f"queue:{one}" for one in QUEUES)])
        legs = [*who.parties] or ["none"]
        self.arrived += 1
        self.numbers[f"c{self.arrived}"] = "+48"
        presses: list[f.Fact] = [
            f.HoldAsked(now, who.id, agent),
            f.ResumeAsked(now, who.id, agent),
            f.MuteAsked(now, who.id, agent, pick([True, False])),
            f.HangUpAsked(now, who.id, agent),
            f.LeaveAsked(now, who.id, agent),
            f.HandOverAsked(now, who.id, agent, to),
            f.ConsultAsked(now, who.id, agent, to),
            f.ConsultAsked(now, who.id, agent, to),
            f.SwapAsked(now, who.id, agent),
            f.CompleteAsked(now, who.id, agent),
            f.ConferenceAsked(now, who.id, agent),
            f.DropAsked(now, who.id, agent, pick(legs)),
            f.DialAsked(now, f"c{self.arrived}", agent, to),
            f.ResultGiven(now, who.id, agent, pick(["sold", "later"])),
        ]
        self.step(pick(presses))

    def watched(self) -> Hub:
        self.hub = self.other_hub()
        return self.hub

    def other_hub(self, callers: Callers | None = None) -> Hub:
        return Hub(
            "acme",
            lambda: self.centre,
            ZoneInfo("UTC"),
            lambda: self.now,
            lambda: self.seq,
            callers,
            settings=lambda: TENANT,
        )


def sent(what: Any) -> Any:
    """As it comes out of the socket."""
    return json.loads(msgspec.json.encode(what))


def fresh(hub: Hub, viewer: User, now: float) -> View:
    return fold(None, sent(full(hub, viewer, now)))


class Client:
    """A browser: registers, folds what it is sent, and is looked at now and then."""

    def __init__(self, world: World, viewer: User) -> None:
        self.world, self.viewer = world, viewer
        assert world.hub is not None
        self.hub = world.hub
        self.view = fresh(self.hub, viewer, world.now)
        self.at = self.view.place

    def catch_up(self) -> None:
        update = self.hub.since(self.viewer, self.at)
        if update is not None:
            self.at = update.place
            if update.shown:
                self.view = fold(
                    self.view, sent(message(update._replace(after=self.view.place), self.world.now))
                )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), before=st.integers(0, 40), steps=st.integers(1, 120))
def test_stale_plus_events_is_fresh(seed: int, before: int, steps: int) -> None:
    world = World(seed, stages=seed % 2 == 1)
    for _ in range(before):
        world.anything()
    hub = world.watched()
    clients = {name: Client(world, viewer) for name, viewer in VIEWERS.items()}
    for _ in range(steps):
        world.anything()
        for client in clients.values():
            if world.random.random() < 0.3:
                client.catch_up()
        if world.random.random() < 0.3:
            world.random.choice([hub.flush, hub.tick])()
    hub.flush()
    for name, client in clients.items():
        client.catch_up()
        for key, value in client.view.entities.items():
            entity = {"what": key[0], "id": key[1], "value": value}
            assert SCHEMA.dump_python(SCHEMA.validate_python(entity), by_alias=True) == entity
        assert client.view.entities == fresh(hub, client.viewer, world.now).entities, name


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 120))
def test_agents_and_contacts_are_told_at_once(seed: int, steps: int) -> None:
    """Without any flush: what one step changed of an agent or a contact is there right after it."""
    world = World(seed)
    hub = world.watched()
    client = Client(world, VIEWERS["supervisor"])
    for _ in range(steps):
        world.anything()
        client.catch_up()
        other = world.other_hub()
        for key, value in client.view.entities.items():
            if key[0] in ("agent", "contact"):
                entity = other.entity(key)
                assert entity is not None, key
                # What only events tell (since when, why) a hub that began just now can't know.
                for name in set(value) - {
                    "since",
                    "why",
                    "queues",
                    "talk_since",
                    "hold_since",
                    "disposition",
                }:
                    assert value[name] == entity.value[name], (key, name)
        told = {key for key in client.view.entities if key[0] not in ("queue", "message")}
        there = {("agent", one) for one in world.centre.agents} | {
            ("contact", one) for one in world.centre.contacts
        }
        assert told == there
    hub.stop()


def full_world() -> tuple[World, Hub]:
    for seed in range(200):
        world = World(seed)
        hub = world.watched()
        for _ in range(80):
            world.anything()
        hub.flush()
        talking = [one for one in world.centre.contacts.values() if one.leg_agent == "ania"]
        if talking and len(world.centre.contacts) > 3 and len(world.centre.queues) == 3:
            return world, hub
    raise AssertionError("no world with a conversation of ania")


def keys(hub: Hub, viewer: str) -> Iterator[tuple[str, str]]:
    return iter(fresh(hub, VIEWERS[viewer], START).entities)


def test_everybody_sees_what_is_theirs_and_no_more() -> None:
    world, hub = full_world()
    centre = world.centre
    everything = set(keys(hub, "supervisor"))
    assert {one for one in everything if one[0] != "message"} == {
        *(("queue", one) for one in centre.queues),
        *(("agent", one) for one in centre.agents),
        *(("contact", one) for one in centre.contacts),
    }
    assert set(keys(hub, "supervisor of nothing")) == set()
    assert set(keys(hub, "quality")) == set()
    assert set(keys(hub, "client viewer")) == {("queue", "sales"), ("queue", "help")}
    bank = set(keys(hub, "supervisor of one client"))
    assert {one for kind, one in bank if kind == "queue"} == {"claims"}
    assert {one for kind, one in bank if kind == "agent"} == set(centre.queues["claims"].members)
    mine = set(keys(hub, "agent"))
    assert ("agent", "ania") in mine
    assert {one for kind, one in mine if kind == "agent"} == {"ania"}
    assert {one for kind, one in mine if kind == "queue"} == set(centre.agents["ania"].queues)
    for kind, name in mine:
        if kind == "contact":
            contact = centre.contacts[name]
            people = {contact.leg_agent, contact.agent, *(one.agent for one in contact.offers.values())}
            assert "ania" in people or centre.agents["ania"].wrap == name


names = st.sampled_from(["a", "b", "c"])
some = st.frozensets(names, max_size=2)


@given(
    role=st.sampled_from(Role),
    scopes=st.frozensets(
        st.builds(Scope, st.sampled_from(["client", "team", "queue"]), names) | st.just(Scope("tenant"))
    ),
    agent=st.none() | names,
    active=st.booleans(),
    sets=st.tuples(some, some, some, some),
    kind=st.sampled_from(list(WATCHES)),
)
def test_the_eye_sees_what_the_rules_allow(
    role: Role, scopes: frozenset[Scope], agent: str | None, active: bool, sets: Any, kind: Any
) -> None:
    """The fast judgement is that of `people.allowed`, thing by thing."""
    viewer = User("u", "acme", "u", frozenset({role}), scopes, agent, active)
    entity = Entity({}, *sets)
    mine = agent in entity.agents and holds(viewer, Permission.DESK)
    assert eye(viewer).own(entity) == mine
    assert eye(viewer).sees(kind, entity) == (mine or reaches(viewer, WATCHES[kind], entity))


def test_numbers_are_shown_to_who_may_see_them() -> None:
    async def main() -> None:
        world, _ = full_world()

        async def numbers(tenant: str, contacts: Any) -> dict[str, Caller]:
            return {one: Caller(world.numbers[one], "Anna", {"id": "1", "name": "Anna"}) for one in contacts}

        hub = world.other_hub(numbers)
        world.hub = hub
        client = Client(world, VIEWERS["supervisor"])
        task = asyncio.create_task(hub.run())
        deadline = asyncio.get_running_loop().time() + 10
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
            client.catch_up()
            told = {key: one["number"] for key, one in client.view.entities.items() if key[0] == "contact"}
            if all(told.values()):
                break
        assert told == {("contact", one): world.numbers[one] for one in world.centre.contacts}
        blind = fresh(hub, VIEWERS["planner"], world.now)
        hidden = [one["number"] for key, one in blind.entities.items() if key[0] == "contact"]
        assert hidden
        assert set(hidden) == {None}
        own = fresh(hub, VIEWERS["agent"], world.now)
        assert {one["number"] for key, one in own.entities.items() if key[0] == "contact"} <= set(
            world.numbers.values()
        )
        task.cancel()

    asyncio.run(main())


def test_a_lost_place_is_said_and_memory_is_bound() -> None:
    world, hub = full_world()
    stale, viewer = hub.place, VIEWERS["supervisor"]
    assert hub.since(viewer, stale) is None
    agent = next(iter(world.centre.agents))
    for _ in range(RING + 10):
        world.now += 1
        world.step(f.AgentPaused(world.now, agent, f"{world.now}"))
    with pytest.raises(LostPlace):
        hub.since(viewer, stale)
    assert len(hub._ring) == RING
    for odd in ("", ".", "x.1", f"{stale}0000", "٣.1", f"{stale.partition('.')[0]}.-1", stale + "x"):
        with pytest.raises(LostPlace):
            hub.since(viewer, odd)
    again = world.other_hub()
    with pytest.raises(LostPlace):
        again.since(viewer, hub.place)  # of another run of the centre


def test_a_client_notices_what_it_missed() -> None:
    world, hub = full_world()
    client = Client(world, VIEWERS["supervisor"])
    agent = next(iter(world.centre.agents))
    messages = []
    at = hub.place
    for reason in ("a", "b"):
        world.step(f.AgentPaused(world.now, agent, reason))
        world.step(f.AgentSignedIn(world.now, agent))
        world.step(f.AgentPaused(world.now, agent, reason))
        update = hub.since(client.viewer, at)
        assert update is not None
        messages.append(sent(message(update, world.now)))
        at = update.place
    with pytest.raises(LostPlace):
        fold(client.view, messages[1])
    with pytest.raises(LostPlace):
        fold(None, messages[0])
    with pytest.raises(LostPlace):
        fold(client.view, {"kind": "lost"})
    view = fold(fold(client.view, messages[0]), messages[1])
    assert view.entities["agent", agent]["reason"] == "b"
