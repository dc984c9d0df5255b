"""A small random world for the tests of the ledger: facts as they come, drawn from what the centre asks for."""

import json
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from ledger_scenes import scenes

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Announce, CalendarSpec, Destination, FlowSpec, QueueSpec

pytestmark = pytest.mark.unit

Step = tuple[f.Fact, list[e.Event], list[c.Command]]

START = 1_790_000_000.0


def _asks(kind: str, exits: dict[str, str], **more: object) -> dict[str, object]:
    ways = exits | {"timeout": "by", "invalid": "by"}
    return {"type": kind, "prompt": ["Zażółć {name}"], "retries": 1, "exits": ways} | more


FLOW = {
    "format": 1,
    "start": "hours",
    "nodes": {
        "hours": {"type": "hours", "calendar": "shop", "exits": {"open": "menu", "closed": "by"}},
        "menu": _asks(
            "menu", {"1": "number", "2": "who", "3": "note", "4": "inner", "5": "ann", "6": "queue"}
        ),
        "number": _asks("collect", {"next": "post"}, variable="pin", secret=True, most=2),
        "post": {
            "type": "email",
            "to": "a@b.example",
            "subject": "S",
            "body": "{name}",
            "exits": {"next": "menu"},
        },
        "who": {"type": "customer", "into": "name", "exits": {"found": "menu", "unknown": "by"}},
        "note": {
            "type": "record",
            "prompt": [{"number": "{order}"}],
            "variable": "note",
            "exits": {"next": "menu", "empty": "by"},
        },
        "inner": {"type": "flow", "flow": "inner", "exits": {"done": "menu", "else": "by"}},
        "ann": {"type": "transfer", "agent": "alice", "exits": {"failed": "menu"}},
        "queue": {"type": "queue", "queue": "sales", "priority": 2, "exits": {"max_wait": "menu"}},
        "by": {"type": "hang_up"},
    },
}
INNER = {
    "format": 1,
    "start": "ask",
    "nodes": {
        "ask": _asks("collect", {"next": "set"}, variable="order", most=3),
        "set": {"type": "set", "values": {"name": "'Ś' + order"}, "exits": {"next": "back"}},
        "back": {"type": "return", "exit": "done"},
        "by": {"type": "return", "exit": "else"},
    },
}


def configuration(at: float) -> list[f.Fact]:
    queues = [
        QueueSpec(
            "sales",
            agents=("alice", "boris", "clara"),
            record=True,
            wrap_up=7.5,
            dispositions=("sold", "lost"),
            max_wait=40.0,
            ring_timeout=8.0,
            announce=Announce(first=2.0, every=3.0, messages=("news",)),
            after_max_wait=Destination("queue", "support"),
            when_no_agents=Destination("phone", "sip:night@192.0.2.7"),
        ),
        QueueSpec("support", needs={"english": 3}, strategy="most_skilled", wrap_up=0.0, max_length=3),
        QueueSpec("all", agents=("alice", "boris", "dora"), strategy="ring_all", missed_limit=2, priority=2),
        QueueSpec(
            "night",
            agents=("alice",),
            open_at=((at - 10.0, at - 5.0),),
            when_closed=Destination("music", "default"),
        ),
    ]
    agents = [
        AgentSpec("alice", "Ālice", {"sales": 9, "english": 5}, ready_on_register=True),
        AgentSpec("boris", skills={"sales": 5, "english": 3}, prefers=("all", "sales")),
        AgentSpec("clara", fixed_phone=True, always_ready=True),
        AgentSpec("dora", skills={"english": 9}, ready_on_register=True),
    ]
    numbers = {
        "+48221234567": Destination("queue", "sales"),
        "102": Destination("queue", "support"),
        "103": Destination("queue", "all"),
        "104": Destination("queue", "night"),
        "201": Destination("agent", "alice", record=True),
        "300": Destination("phone", "sip:expert@192.0.2.8", record=True),
        "400": Destination("music", "default"),
        "500": Destination("hang_up", "declined"),
        "600": Destination("flow", "main"),
    }
    return [
        f.CalendarChanged(at, CalendarSpec("shop", ((at - 10.0, at + 1e6),))),
        f.FlowPublished(at, FlowSpec("main", 1, json.dumps(FLOW))),
        f.FlowPublished(at, FlowSpec("inner", 1, json.dumps(INNER))),
        *(f.AgentChanged(at, one) for one in agents),
        *(f.QueueChanged(at, one) for one in queues),
        *(f.NumberChanged(at, number, to) for number, to in numbers.items()),
    ]


class World:
    """Draws the next fact by what has gone before; most are sensible, some are late, double or impossible."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.at = START
        self.contacts = 0
        self.legs: list[tuple[str, str]] = []
        self.talks: list[tuple[str, str]] = []
        self.timers: dict[str, float] = {}
        self.coming = configuration(START)
        self.phones: dict[str, str | None] = {}
        "Leg → agent."
        self.owners: list[tuple[str, str]] = []
        "(contact, agent) of those who talk."
        self.numbered: dict[str, int] = {}
        "Contact → number of its last leg."
        self.waits: list[str] = []
        self.flows: dict[str, tuple[str, str]] = {}
        "Contact → (what its flow waits for, its name)."

    def told(self, events: list[e.Event], commands: list[c.Command]) -> None:
        for event in events:
            match event:
                case e.OfferMade(leg=leg, agent=agent) | e.PartyRung(leg=leg, agent=agent):
                    self.phones[leg] = agent
                    self.numbered[event.contact] = self.numbered.get(event.contact, 0) + 1
                case e.ContactBegan(contact=contact, leg=leg, agent=agent) if leg:
                    self.phones[contact] = agent
                    self.numbered[contact] = 1
                case e.FlowLeft(contact=contact):
                    self.flows.pop(contact, None)
                case e.ContactEnded(contact=contact) | e.Released(contact=contact):
                    self.flows.pop(contact, None)
                    self.owners = [one for one in self.owners if one[0] != contact]
                case e.Queued(contact=contact):
                    self.waits.append(contact)
                case e.AnnouncementEnded(contact=contact):
                    self.flows.pop(contact, None)
                case e.PromptBegan(contact=contact, prompt=name) | e.Announced(contact=contact, prompt=name):
                    self.flows[contact] = "prompt", name
                case e.DigitsAwaited(contact=contact):
                    self.flows[contact] = "digits", ""
                case e.MessageBegan(contact=contact, message=name):
                    self.flows[contact] = "message", name
                case e.ErrandBegan(contact=contact, errand=name, until=until) if until:
                    self.flows[contact] = "errand", name
                case (
                    e.Connected(contact=contact, leg=leg)
                    | e.RoleChanged(contact=contact, leg=leg, role="agent")
                ):
                    self.owners.append((contact, self.phones.get(leg) or "ghost"))
        for command in commands:
            match command:
                case c.Ring(contact=contact, leg=leg):
                    self.legs.append((contact, leg))
                case c.SetTimer(timer=timer, at=at):
                    self.timers[timer] = at
                case c.CancelTimer(timer=timer):
                    self.timers.pop(timer, None)
        self.talks += [(one.contact, one.leg) for one in events if isinstance(one, e.Connected)]

    def next(self) -> f.Fact:
        if self.coming:
            return self.coming.pop(0)
        draw = self.draw
        self.at += round(draw.expovariate(1.0), draw.choice((1, 3, 9)))
        due = [timer for timer, at in self.timers.items() if at <= self.at]
        if due:
            self.timers.pop(due[0])
            return f.TimerFired(self.at, due[0])
        return draw.choices(
            (
                self._arrival,
                self._on_leg,
                self._on_talk,
                self._asks,
                self._agent,
                self._change,
                self._in_flow,
            ),
            (6, 13, 6, 7, 4, 1, 8),
        )[0]()

    def _arrival(self) -> f.Fact:
        draw = self.draw
        self.contacts += 1
        name = f"c{self.contacts}" if draw.random() < 0.95 else f"c{draw.randint(1, self.contacts)}"
        number = draw.choice(
            ("+48221234567",) * 4
            + ("102", "103", "103", "104", "201", "300", "400", "500", "999", "600", "600", "600")
        )
        if draw.random() < 0.2:
            agent = draw.choice(("alice", "boris", "ghost"))
            return f.ContactArrived(self.at, name, number, name, agent=agent, outside=draw.random() < 0.6)
        return f.ContactArrived(self.at, name, number, name, priority=draw.choice((0, 0, 0, 3)))

    def _in_flow(self) -> f.Fact:
        draw, at = self.draw, self.at
        if not self.flows:
            self.contacts += 1
            return f.ContactArrived(at, f"c{self.contacts}", "600", f"c{self.contacts}")
        contact = draw.choice(list(self.flows))
        waits, name = self.flows[contact]
        if draw.random() < 0.3 or waits == "digits":
            return f.DigitPressed(at, contact, Private(draw.choice("123456123456x#*")))
        match waits:
            case "prompt":
                return f.Said(at, contact, name, draw.choice(("", "", "", "no voice")))
            case "message" if draw.random() < 0.4:
                return f.DigitPressed(at, contact, Private("#"))
            case "message":
                path = draw.choice((f"recordings/{contact}-message-1.wav", ""))
                return f.MessageTaken(at, contact, name, path, 7.25 if path else 0.0)
            case _:
                exit = draw.choice(("found", "unknown", "failed"))
                values = {"name.name": Private("Łucja"), "name.contacts": Private(3)}
                return f.ErrandDone(at, contact, name, exit, values, "TIMEOUT" if exit == "failed" else "")

    def _on_leg(self) -> f.Fact:
        if not self.legs:
            return self._arrival()
        draw = self.draw
        contact, leg = self.legs[-1] if draw.random() < 0.7 else draw.choice(self.legs)
        match draw.randint(0, 6):
            case 0 | 1:
                return f.Rang(self.at, contact, leg)
            case 2:
                cause = draw.choice(("busy", "declined", "no_answer", "unreachable", "failed"))
                return f.OfferFailed(self.at, contact, leg, cause)
            case _:
                return f.Answered(self.at, contact, leg)

    def _on_talk(self) -> f.Fact:
        if not self.talks:
            return self._on_leg()
        draw = self.draw
        contact, leg = self.talks[-1] if draw.random() < 0.7 else draw.choice(self.talks)
        match draw.randint(0, 7):
            case 0 | 1:
                return f.PutOnHold(self.at, contact, leg)
            case 2:
                return f.TakenOffHold(self.at, contact, leg)
            case 3:
                number = draw.choice(("102", "103", "201", "300", "nowhere"))
                return f.TransferAsked(self.at, contact, leg, number, outside=draw.random() < 0.1)
            case 4:
                return f.HungUp(self.at, contact, leg)
            case 5:
                return f.RecordingStored(self.at, contact, f"recordings/{contact}.wav", 3.5, 3.52)
            case _:
                return f.HungUp(self.at, draw.choice((contact, f"c{draw.randint(1, max(self.contacts, 1))}")))

    def _asks(self) -> f.Fact:
        """What pages ask for. Now and then a whole consultation or supervision, which chance alone rarely makes."""
        draw, at = self.draw, self.at
        if not self.owners or draw.random() < 0.2:
            self.contacts += 1
            outside = draw.random() < 0.6
            number = "" if outside else draw.choice(("102", "boris"))
            return f.DialAsked(
                at, f"c{self.contacts}", draw.choice(("alice", "boris", "dora")), number, outside
            )
        contact, agent = self.owners[-1] if draw.random() < 0.6 else draw.choice(self.owners[-5:])
        other = draw.choice(("alice", "boris", "clara", "dora"))
        number = draw.choice(("boris", "clara", "dora", "queue:sales", "nowhere"))
        following = f"{contact}.{self.numbered.get(contact, 0) + 1}"
        match draw.randint(0, 13):
            case 0 | 1 | 2:
                then = draw.choice((f.CompleteAsked, f.ConferenceAsked, f.SwapAsked, f.LeaveAsked))
                answered = then is not f.CompleteAsked or draw.random() < 0.5
                self.coming = [
                    f.Answered(at, contact, following) if answered else f.Rang(at, contact, following),
                    then(at, contact, agent),
                    draw.choice((f.LeaveAsked, f.CompleteAsked, f.HoldAsked))(at, contact, agent),
                ]
                return f.ConsultAsked(at, contact, agent, number, draw.random() < 0.6)
            case 3 | 4:
                mode = draw.choice(("listen", "whisper", "barge", "take_over"))
                self.coming = [
                    f.Answered(at, contact, following),
                    f.PutOnHold(at, contact, following),
                    f.SuperviseAsked(at, contact, other, draw.choice(("barge", "take_over", "off"))),
                ]
                return f.SuperviseAsked(at, contact, other, mode)  # type: ignore[arg-type]
            case 5:
                self.coming = [f.ResumeAsked(at, contact, agent)]
                return f.HoldAsked(at, contact, agent)
            case 6:
                return f.MuteAsked(at, contact, agent, draw.random() < 0.7)
            case 7:
                self.coming = [f.OfferFailed(at, contact, following, "busy")]
                return f.HandOverAsked(at, contact, agent, number, draw.random() < 0.4)
            case 8:
                return f.HangUpAsked(at, contact, agent)
            case 9:
                return f.DropAsked(at, contact, agent, following)
            case 10 | 11:
                self.coming = [f.ResultGiven(at, contact, agent, draw.choice(("sold", "lost")))]
                return f.WrapUpExtended(at, agent, 20.0)
            case _:
                waits = self.waits[-1] if self.waits else "nobody"
                self.coming = [f.ContactMoved(at, waits, draw.choice(("all", "support")))]
                return f.ContactRaised(at, waits, 3)

    def _agent(self) -> f.Fact:
        draw = self.draw
        name = draw.choice(("alice", "boris", "dora", "clara", "ghost"))
        kind = draw.choice(
            (f.PhoneRegistered,) * 5
            + (f.AgentSignedIn, f.AgentReady, f.AgentReady, f.AgentReady)
            + (f.PhoneUnregistered, f.AgentSignedOut, f.WrapUpFinished, f.AgentPaused)
        )
        return kind(self.at, name, "lunch") if kind is f.AgentPaused else kind(self.at, name)

    def _change(self) -> f.Fact:
        draw = self.draw
        match draw.randint(0, 9):
            case 0:
                gone = draw.choice(("sales", "support", "all"))
                self.coming = [one for one in configuration(self.at) if isinstance(one, f.QueueChanged)]
                return f.QueueRemoved(self.at, gone)
            case 1:
                gone = draw.choice(("boris", "dora"))
                self.coming = [one for one in configuration(self.at) if isinstance(one, f.AgentChanged)]
                return f.AgentRemoved(self.at, gone)
            case 3:
                flow = draw.choice(("main", "inner", "nothing"))
                self.coming = [
                    f.FlowRemoved(self.at, flow),
                    f.CalendarRemoved(self.at, "shop"),
                    f.ContactArrived(self.at, f"x{self.contacts}", "600"),
                    *(one for one in configuration(self.at) if isinstance(one, f.CalendarChanged)),
                    f.FlowPublished(self.at, FlowSpec("main", self.contacts + 2, json.dumps(FLOW))),
                    f.FlowPublished(self.at, FlowSpec("inner", self.contacts + 2, json.dumps(INNER))),
                ]
                return f.AgentQueuesChanged(self.at, draw.choice(("alice", "dora")), ("sales",), ("all",))
            case 2:
                self.coming = [f.NumberChanged(self.at, "102", Destination("queue", "support"))]
                return f.NumberRemoved(self.at, "102")
            case _:
                return self._agent()


def story(seed: int, facts: int, centre: Centre | None = None) -> Iterator[Step]:
    """Facts and what the core made of them; `centre`, if given, is the one that lives through it."""
    world = World(seed)
    centre = Centre() if centre is None else centre
    for _ in range(facts):
        fact = world.next()
        events, commands = step(centre, fact)
        world.told(events, commands)
        yield fact, events, commands


def saga(seed: int, facts: int, centre: Centre | None = None) -> Iterator[Step]:
    """A story, and then the scenes that chance alone doesn't come by."""
    centre = Centre() if centre is None else centre
    last = START
    for fact, events, commands in story(seed, facts, centre):
        last = fact.at
        yield fact, events, commands
    for fact in scenes(last):
        events, commands = step(centre, fact)
        yield fact, events, commands


def test_the_world_is_rich_enough_to_prove_anything() -> None:
    seen = Counter(
        type(one)
        for seed in range(12)
        for fact, events, commands in saga(seed, 500)
        for one in (fact, *events, *commands)
    )
    for union in (f.Fact, e.Event, c.Command):
        missing = [kind.__name__ for kind in union.__args__ if not seen[kind]]
        assert not missing
