"""Any flow, any caller, any answer: the call always ends in a named outcome, and nothing stays behind.

Graphs are drawn node by node and need not make sense: published ones are checked, but the interpreter must bear
all that can be read. The world outside is drawn as well: digits at any moment, prompts that end, fail or never do,
errands that come back late, twice or not at all, callers who hang up, flows published and removed under way.
"""

import json
import random
from copy import deepcopy
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, evolve, step, timers
from centrala.core.flow.graph import parse
from centrala.core.flow.position import node_of
from centrala.core.indexes import rebuild
from centrala.core.mix import mix
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Announce, CalendarSpec, Destination, FlowSpec, QueueSpec
from centrala.ledger import codec

pytestmark = pytest.mark.unit

IDS = tuple(f"n{number}" for number in range(8))
FLOWS = ("f0", "f1", "f2")
NAMES = ("a", "b", "pin")
DIGITS = "0123456789*#"
ANNOUNCE = Announce(first=2.0, every=4.0, messages=("news",))


def graph_of(seed: int) -> str:
    """A graph by chance. Nodes that ask the caller something come more often than those that end."""
    draw = random.Random(seed)

    def exits(*names: str, maybe: tuple[str, ...] = ()) -> dict[str, str]:
        chosen = [*names, *(name for name in maybe if draw.random() < 0.5)]
        return {name: draw.choice(IDS) for name in chosen}

    def prompt() -> list[Any]:
        parts = ["Hello", "{a}", {"number": "{b}"}, {"pause": 500}, {"sound": "x"}]
        return draw.sample(parts, draw.choice((0, 1, 1, 2)))

    def asks() -> dict[str, Any]:
        return {
            "prompt": prompt(),
            "barge_in": draw.random() < 0.7,
            "retries": draw.randrange(3),
            "timeout": draw.choice((1, 5)),
        }

    def node() -> dict[str, Any]:
        kind = draw.choices(KINDS, WEIGHTS)[0]
        match kind:
            case "answer":
                more: dict[str, Any] = {"exits": exits("next")}
            case "say":
                more = {"exits": exits("next"), "prompt": prompt(), "barge_in": draw.random() < 0.7}
            case "menu":
                more = asks() | {"exits": exits("1", "timeout", "invalid", maybe=("2", "#"))}
            case "collect":
                more = asks() | {
                    "exits": exits("next", "timeout", "invalid"),
                    "variable": draw.choice(NAMES),
                    "least": 1,
                    "most": draw.randint(1, 4),
                    "secret": draw.random() < 0.5,
                    "terminator": draw.choice(("#", "")),
                }
            case "record":
                more = {"prompt": prompt(), "variable": "b", "longest": 5, "silence": 1}
                more["exits"] = exits("next", "empty")
            case "set":
                values = draw.choice(({"a": "a + 1"}, {"language": "'pl'"}, {"b": "length(pin)"}))
                more = {"exits": exits("next"), "values": values}
            case "branch":
                more = {"exits": exits("x", "else"), "cases": [{"if": "a = 1", "exit": "x"}]}
            case "percentage":
                more = {"exits": exits("x", "y"), "shares": {"x": 50, "y": 50}}
            case "hours":
                more = {"exits": exits("open", "closed"), "calendar": draw.choice(("day", "none"))}
            case "customer":
                more = {"exits": exits("found", "unknown")}
            case "http":
                more = {"exits": exits("next", "failed"), "method": "GET", "url": "https://crm.example/{a}"}
                more |= {"take": {"a": "/a"}, "timeout": 2}
            case "email":
                more = {"exits": exits("next"), "to": "a@b.example", "subject": "{a}", "body": "{b}"}
            case "queue":
                more = {"queue": draw.choice(("q", "q", "none"))}
                more["exits"] = exits(maybe=("max_wait", "no_agents", "full", "1", "2"))
            case "wait":
                more = {"exits": exits(maybe=("max_wait", "1", "2"))}
            case "callback":
                more = {
                    "exits": exits("booked", "no_number", "full", "failed"),
                    "number": draw.choice(("", "{b}")),
                }
                more |= {"slot": draw.choice(("", "slot.1", "b")), "queue": draw.choice(("", "q", "none"))}
            case "slots":
                more = {"exits": exits("found", "none"), "lead": 0, "queue": draw.choice(("", "q"))}
            case "voicemail":
                more = {
                    "prompt": prompt(),
                    "longest": 5,
                    "silence": 1,
                    "queue": draw.choice(("", "q", "none")),
                }
                more["exits"] = exits("next", "empty")
            case "number":
                more = {"exits": exits("found", "unknown"), "number": draw.choice(("", "{b}"))}
            case "transfer":
                more = {"agent": draw.choice(("ann", "nobody")), "exits": exits(maybe=("failed",))}
            case "flow":
                more = {"flow": draw.choice(FLOWS), "exits": exits("else", maybe=("x",))}
            case "return":
                more = {"exit": draw.choice(("x", "y"))}
            case _:
                more = {}
        return {"type": kind, **more}

    return json.dumps({"format": 1, "start": "n0", "nodes": {name: node() for name in IDS}})


KINDS, WEIGHTS = zip(
    ("answer", 1), ("say", 3), ("menu", 5), ("collect", 6), ("record", 3), ("set", 1), ("branch", 1),
    ("percentage", 1), ("hours", 1), ("customer", 1), ("http", 2), ("email", 1), ("queue", 2), ("transfer", 1),
    ("hang_up", 1), ("flow", 3), ("return", 1), ("wait", 1), ("callback", 2), ("slots", 1), ("voicemail", 1),
    ("number", 1), strict=True,
)  # fmt: skip
graphs = st.integers(0, 1 << 32).map(graph_of)


class FlowMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.centre, self.mirror = Centre(), Centre()
        self.now = 1000.0
        self.calls = 0
        self.published = 0
        self.prompts: dict[str, str] = {}
        "Prompt that plays → contact."
        self.messages: dict[str, str] = {}
        self.errands: dict[str, str] = {}
        self.masked: dict[str, str] = {}
        self.rings: list[tuple[str, str]] = []
        self.wheel: dict[str, float] = {}
        "Timers that run."
        self.outcomes: dict[str, str] = {}

    def tell(self, fact: f.Fact) -> None:
        events, commands = step(self.centre, fact)
        for event in events:
            evolve(self.mirror, event)
            if isinstance(event, e.ContactEnded):
                assert event.outcome in get_args(e.Outcome)
                self.outcomes[event.contact] = event.outcome
        for command in commands:
            self.carry_out(command)
        self.check()

    def carry_out(self, command: c.Command) -> None:
        match command:
            case c.Say(contact=contact, prompt=prompt, parts=parts):
                assert parts
                assert prompt not in self.prompts
                assert contact not in self.prompts.values(), "two prompts at once"
                self.prompts[prompt] = contact
            case c.Hush(prompt=prompt):
                self.prompts.pop(prompt, None)
            case c.TakeMessage(contact=contact, message=message):
                self.messages[message] = contact
            case c.RunErrand(contact=contact, errand=errand):
                self.errands[errand] = contact
            case c.Mask(contact=contact, variable=variable):
                self.masked[contact] = variable
            case c.SetTimer(timer=timer, at=at):
                self.wheel[timer] = at
            case c.CancelTimer(timer=timer):
                self.wheel.pop(timer, None)
            case c.Ring(contact=contact, leg=leg):
                self.rings.append((contact, leg))
            case _:
                pass

    def check(self) -> None:
        centre = self.centre
        inside: dict[tuple[str, int], int] = {}
        running = dict(timers(centre))
        for contact in centre.contacts.values():
            run = contact.run
            if contact.state == "flow":
                assert run is not None
                assert run.waits, "stands in a flow and waits for nothing"
                assert self.wheel.keys() >= {name for name in running if name.startswith("flow:")}
                assert contact.answered or run.waits == "errand"
                assert (f"flow:{contact.id}" in running) == (run.waits != "prompt")
                if run.waits == "prompt":
                    assert self.prompts.get(run.awaited) == contact.id
                    assert mix(centre, contact) == {contact.id: {f"prompt:{run.awaited}": 1.0}}
                else:
                    assert contact.id not in self.prompts.values(), "speaks while it waits for something else"
                does = node_of(centre, contact)
                secret = bool(getattr(does.does, "secret", False)) if does is not None else False
                assert secret == bool(self.masked.get(contact.id)), (
                    "digits are masked where they are secret, only"
                )
            else:
                said = [name for name, one in self.prompts.items() if one == contact.id]
                assert said == ([contact.prompt] if contact.prompt else []), (
                    "speaks to whom nothing is to be said"
                )
                waits = contact.state == "queued" and not contact.absent
                assert not waits or (f"announce:{contact.id}" in self.wheel) == (not contact.announcing)
            if run is not None:
                for name, version in (
                    (run.flow, run.version),
                    *((one.flow, one.version) for one in run.outer),
                ):
                    inside[name, version] = inside.get((name, version), 0) + 1
        known = {
            (name, version): n for name, flow in centre.flows.items() for version, n in flow.inside.items()
        }
        assert known == inside
        for flow in centre.flows.values():
            assert set(flow.graphs) == {flow.current} - {0} | set(flow.inside), "keeps what nobody needs"
        assert self.mirror == centre

    @initialize(drawn=st.lists(graphs, min_size=3, max_size=3))
    def furnish(self, drawn: list[str]) -> None:
        self.tell(
            f.QueueChanged(
                self.now,
                QueueSpec("q", agents=("ann",), max_wait=20, max_length=2, wrap_up=0, announce=ANNOUNCE),
            )
        )
        self.tell(f.AgentChanged(self.now, AgentSpec("ann", ready_on_register=True)))
        self.tell(f.CalendarChanged(self.now, CalendarSpec("day", ((0.0, 1100.0), (1200.0, 1e9)))))
        for name, graph in zip(FLOWS, drawn, strict=True):
            self.publish(name, graph)
        self.tell(f.NumberChanged(self.now, "1", Destination("flow", "f0")))

    @rule(name=st.sampled_from(FLOWS), graph=graphs)
    def publish(self, name: str, graph: str) -> None:
        parse(graph)
        self.published += 1
        self.tell(f.FlowPublished(self.now, FlowSpec(name, self.published, graph)))

    @rule(name=st.sampled_from(FLOWS))
    def remove(self, name: str) -> None:
        self.tell(f.FlowRemoved(self.now, name))

    @rule()
    def call(self) -> None:
        self.calls += 1
        caller = ("x", "y", "")[self.calls % 3]
        self.tell(f.ContactArrived(self.now, f"c{self.calls}", "1", caller=caller))

    @rule(places=st.integers(0, 2))
    def slots(self, places: int) -> None:
        start = self.now + 10.0
        self.tell(
            f.SlotsOffered(self.now, "q", ((start, places), (start + 9.0, 1)), ("2026-11-22T09:00", "x"))
        )

    @rule(which=st.integers(0, 9), digits=st.text(DIGITS, min_size=1, max_size=6))
    def press(self, which: int, digits: str) -> None:
        names = sorted(name for name, one in self.centre.contacts.items() if one.state in ("flow", "queued"))
        if not names:
            return
        name = names[which % len(names)]
        for digit in digits:
            if name in self.centre.contacts:
                shown = "x" if self.masked.get(name) and digit.isdigit() else digit
                self.tell(f.DigitPressed(self.now, name, Private(shown)))

    @precondition(lambda self: self.prompts)
    @rule(which=st.integers(0, 9), problem=st.sampled_from(["", "", "no voice"]))
    def prompt_ends(self, which: int, problem: str) -> None:
        prompt = sorted(self.prompts)[which % len(self.prompts)]
        self.tell(f.Said(self.now, self.prompts.pop(prompt), prompt, problem))

    @rule()
    def everything_is_said(self) -> None:
        for prompt in sorted(self.prompts):
            if prompt in self.prompts:
                self.tell(f.Said(self.now, self.prompts.pop(prompt), prompt))

    @precondition(lambda self: self.messages)
    @rule(which=st.integers(0, 9), seconds=st.sampled_from([0.0, 0.5, 4.0]))
    def message_ends(self, which: int, seconds: float) -> None:
        message = sorted(self.messages)[which % len(self.messages)]
        path = "recordings/x.wav" if seconds else ""
        self.tell(f.MessageTaken(self.now, self.messages[message], message, path, seconds))

    @precondition(lambda self: self.errands)
    @rule(which=st.integers(0, 9), exit=st.sampled_from(["found", "unknown", "next", "failed", "odd"]))
    def errand_ends(self, which: int, exit: str) -> None:
        errand = sorted(self.errands)[which % len(self.errands)]
        self.tell(f.ErrandDone(self.now, self.errands[errand], errand, exit, {"a": Private(1)}))

    @rule(seconds=st.sampled_from([0.5, 3.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.now + seconds
        while due := sorted((at, name) for name, at in self.wheel.items() if at <= until):
            self.now, name = max(due[0][0], self.now), due[0][1]
            del self.wheel[name]
            self.tell(f.TimerFired(self.now, name))
        self.now = until

    @rule(registered=st.booleans())
    def phone(self, registered: bool) -> None:
        self.tell((f.PhoneRegistered if registered else f.PhoneUnregistered)(self.now, "ann"))

    @precondition(lambda self: self.rings)
    @rule(answers=st.booleans())
    def ringing_ends(self, answers: bool) -> None:
        contact, leg = self.rings.pop()
        self.tell(
            f.Answered(self.now, contact, leg) if answers else f.OfferFailed(self.now, contact, leg, "busy")
        )

    @rule(which=st.integers(0, 9))
    def hangs_up(self, which: int) -> None:
        names = sorted(name for name, one in self.centre.contacts.items() if one.state != "wrap_up")
        if names:
            self.tell(f.HungUp(self.now, names[which % len(names)]))

    @rule()
    def restarts(self) -> None:
        """Recovery from a picture of the state: nothing is forgotten."""
        text = codec.encode_body(self.centre)
        codec.take_private()
        values = {name: deepcopy(one.values) for name, one in self.centre.contacts.items()}
        again = codec.decode_body(text, Centre)
        rebuild(again)
        for name, one in again.contacts.items():
            assert sorted(one.values) == sorted(values[name])
            one.values = values[name]
            one.number = self.centre.contacts[name].number
            if one.run is not None:
                known = self.centre.contacts[name].run
                assert known is not None
                assert len(known.digits) == len(one.run.digits)
                one.run.digits = known.digits
        assert again == self.centre

    def teardown(self) -> None:
        """Everybody who is still there hangs up."""
        for name in sorted(self.centre.contacts):
            if name in self.centre.contacts:
                self.tell(f.HungUp(self.now, name))
        for name in sorted(self.centre.contacts):
            owner = self.centre.contacts[name].leg if name in self.centre.contacts else None
            if owner is not None:
                self.tell(f.HungUp(self.now, name, owner))
            if name in self.centre.contacts:
                self.tell(f.CallbackDropped(self.now, name, "boss"))
        assert not self.centre.contacts
        calls = {name for name in self.outcomes if "-" not in name}
        assert calls == {f"c{number + 1}" for number in range(self.calls)}
        assert not self.prompts
        assert not list(timers(self.centre)) or all(
            name.startswith(("rest", "wrap")) for name, _ in timers(self.centre)
        )


TestFlows = FlowMachine.TestCase
TestFlows.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("seed", range(150))
def test_many_worlds(seed: int) -> None:
    """The same rules by plain chance: many more steps than the search above has time for."""
    draw = random.Random(seed)
    world = FlowMachine()
    world.furnish([graph_of(draw.getrandbits(32)) for _ in FLOWS])
    rules: list[Any] = [
        lambda: world.call(),
        lambda: world.press(draw.randrange(10), "".join(draw.choices("112#90*", k=draw.randint(1, 5)))),
        lambda: (
            world.prompts and world.prompt_ends(draw.randrange(10), draw.choice(("", "", "", "no voice")))
        ),
        lambda: world.everything_is_said(),
        lambda: world.messages and world.message_ends(draw.randrange(10), draw.choice((0.0, 0.5, 4.0))),
        lambda: (
            world.errands
            and world.errand_ends(
                draw.randrange(10), draw.choice(("found", "unknown", "next", "failed", "odd"))
            )
        ),
        lambda: world.time_passes(draw.choice((0.5, 3.0, 30.0))),
        lambda: world.phone(draw.random() < 0.7),
        lambda: world.rings and world.ringing_ends(draw.random() < 0.5),
        lambda: draw.random() < 0.3 and world.hangs_up(draw.randrange(10)),
        lambda: draw.random() < 0.1 and world.publish(draw.choice(FLOWS), graph_of(draw.getrandbits(32))),
        lambda: draw.random() < 0.03 and world.remove(draw.choice(FLOWS)),
        lambda: draw.random() < 0.1 and world.restarts(),
    ]
    for _ in range(150):
        draw.choice(rules)()
    world.teardown()
