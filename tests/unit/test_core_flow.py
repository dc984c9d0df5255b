"""A contact goes through flows: each kind of node, what the caller does, what the world answers, and where it ends."""

import json
from dataclasses import replace
from typing import Any

import pytest

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step, timers
from centrala.core.estimate import Rates
from centrala.core.mix import mix
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Announce, CalendarSpec, Destination, FlowSpec, QueueSpec

pytestmark = pytest.mark.unit

HELLO = {"type": "say", "prompt": ["Hello"], "exits": {"next": "end"}}
END = {"type": "hang_up"}


def graph(start: str, nodes: dict[str, Any], **more: Any) -> str:
    return json.dumps({"format": 1, "start": start, "nodes": nodes, **more})


class House:
    """One centre, one caller on number 1, who is in the flow `main`."""

    def __init__(self, start: str, nodes: dict[str, Any], **flows: str) -> None:
        self.centre = Centre()
        self.now = 1000.0
        self.events: list[e.Event] = []
        self.commands: list[c.Command] = []
        self.wheel: dict[str, float] = {}
        "Timers that run."
        self.tell(f.QueueChanged(self.now, QueueSpec("sales", agents=("ann",), wrap_up=0)))
        self.tell(f.AgentChanged(self.now, AgentSpec("ann")))
        for name, text in {"main": graph(start, nodes), **flows}.items():
            self.tell(f.FlowPublished(self.now, FlowSpec(name, 1, text)))
        self.tell(f.NumberChanged(self.now, "1", Destination("flow", "main")))

    def tell(self, fact: f.Fact) -> None:
        self.events, self.commands = step(self.centre, fact)
        for command in self.commands:
            if isinstance(command, c.SetTimer):
                self.wheel[command.timer] = command.at
            elif isinstance(command, c.CancelTimer):
                self.wheel.pop(command.timer, None)

    def call(self) -> "House":
        self.tell(f.ContactArrived(self.now, "c1", "1"))
        return self

    def after(self, seconds: float) -> "House":
        """Let time go by; the timers that are due fire in order."""
        until = self.now + seconds
        while due := [(at, name) for name, at in self.wheel.items() if at <= until]:
            self.now, name = min(due)
            del self.wheel[name]
            self.tell(f.TimerFired(self.now, name))
        self.now = until
        return self

    def press(self, digits: str) -> "House":
        for digit in digits:
            self.tell(f.DigitPressed(self.now, "c1", Private(digit)))
        return self

    def heard(self) -> "House":
        """The prompt that plays comes to its end."""
        run = self.centre.contacts["c1"].run
        assert run is not None
        assert run.waits == "prompt"
        self.tell(f.Said(self.now, "c1", run.awaited))
        return self

    @property
    def node(self) -> str:
        run = self.centre.contacts["c1"].run
        assert run is not None
        return run.node

    def value(self, name: str) -> object:
        return self.centre.contacts["c1"].values[name].value

    @property
    def said(self) -> list[str]:
        """What the last step said, in words."""
        return [
            part.text or f"<{part.private.value if part.private else ''}>"
            for one in self.commands
            if isinstance(one, c.Say)
            for part in one.parts
        ]

    @property
    def outcome(self) -> str:
        (ended,) = [one for one in self.events if isinstance(one, e.ContactEnded)]
        return ended.outcome

    def of(self, kind: type) -> list[Any]:
        return [one for one in (*self.commands, *self.events) if isinstance(one, kind)]


def test_says_and_hangs_up() -> None:
    house = House("hello", {"hello": HELLO, "end": END}).call()
    assert [type(one) for one in house.commands] == [c.Answer, c.Say, c.Mix]
    contact = house.centre.contacts["c1"]
    assert mix(house.centre, contact) == {"c1": {"prompt:c1:1": 1.0}}
    house.heard()
    assert house.of(c.HangUp)
    assert house.outcome == "self_served"
    assert not house.centre.contacts
    assert not house.centre.flows["main"].inside


def test_a_refusal_before_the_answer_costs_the_caller_nothing() -> None:
    house = House("end", {"end": END | {"cause": "busy", "outcome": "refused"}}).call()
    assert house.of(c.Refuse)
    assert not house.of(c.Answer)
    assert house.outcome == "refused"


MENU = {
    "type": "menu",
    "prompt": ["One or two"],
    "retries": 1,
    "timeout": 5,
    "invalid_prompt": ["Wrong"],
    "timeout_prompt": ["Well?"],
    "exits": {"1": "hello", "2": "sales", "timeout": "slow", "invalid": "wrong"},
}
MENU_NODES = {
    "menu": MENU,
    "hello": HELLO,
    "sales": {"type": "queue", "queue": "sales"},
    "slow": {"type": "say", "prompt": ["Too slow"], "exits": {"next": "end"}},
    "wrong": {"type": "say", "prompt": ["No such choice"], "exits": {"next": "end"}},
    "end": END,
}


def test_a_key_cuts_the_menu_short() -> None:
    house = House("menu", MENU_NODES).call().press("1")
    assert house.of(c.Hush) == [c.Hush("c1", "c1:1")]
    assert house.said == ["Hello"]
    assert house.centre.contacts["c1"].path == [("main", "menu", "1")]


def test_a_menu_that_may_not_be_cut_short_hears_the_key_afterwards() -> None:
    house = House("menu", MENU_NODES | {"menu": MENU | {"barge_in": False}}).call().press("1")
    assert house.node == "menu"
    assert not house.of(c.Hush)
    assert house.heard().said == ["Hello"]


def test_a_menu_asks_again_and_then_gives_up() -> None:
    house = House("menu", MENU_NODES).call().heard().after(5)
    assert house.said == ["Well?", "One or two"]
    house.heard().after(5)
    assert house.said == ["Too slow"]
    house = House("menu", MENU_NODES).call().press("7")
    assert house.said == ["Wrong", "One or two"]
    assert house.press("8").said == ["No such choice"]


def test_who_knows_the_way_presses_ahead() -> None:
    nodes = MENU_NODES | {"first": MENU | {"exits": MENU["exits"] | {"1": "menu"}}}  # type: ignore[operator]
    house = House("first", nodes).call().press("1")
    assert house.node == "menu"
    house = House("before", nodes | {"before": HELLO | {"barge_in": False, "exits": {"next": "first"}}})
    house.call().press("11").heard()
    assert house.said == ["Hello"]
    assert house.node == "hello"


def test_the_way_leads_into_the_queue_and_to_the_agent() -> None:
    house = House("menu", MENU_NODES).call().press("2")
    contact = house.centre.contacts["c1"]
    assert contact.state == "queued"
    assert contact.run is not None
    house.tell(f.PhoneRegistered(house.now, "ann"))
    house.tell(f.AgentReady(house.now, "ann"))
    (ring,) = house.of(c.Ring)
    house.tell(f.Answered(house.now, "c1", ring.leg))
    assert contact.state == "active"
    assert contact.run is None
    assert not house.centre.flows["main"].inside
    house.tell(f.DigitPressed(house.now, "c1", Private("1")))
    assert house.of(e.Refused)


def test_a_queues_way_out_may_lead_back_into_the_flow() -> None:
    nodes = MENU_NODES | {
        "sales": {"type": "queue", "queue": "sales", "exits": {"max_wait": "slow", "no_agents": "wrong"}}
    }
    house = House("sales", nodes)
    house.tell(
        f.QueueChanged(house.now, QueueSpec("sales", agents=("ann",), max_wait=30, when_no_agents=None))
    )
    house.call()
    assert house.said == ["No such choice"]  # nobody is there
    house = House("sales", nodes)
    house.tell(f.QueueChanged(house.now, QueueSpec("sales", agents=("ann",), max_wait=30)))
    house.tell(f.PhoneRegistered(house.now, "ann"))
    house.tell(f.AgentSignedIn(house.now, "ann"))
    house.call()
    assert house.centre.contacts["c1"].state == "queued"
    house.after(30)
    assert house.said == ["Too slow"]
    assert house.centre.contacts["c1"].path == [("main", "sales", "max_wait")]


def test_who_is_asked_again_and_again_while_they_wait_is_not_hung_up() -> None:
    """Ways out in a row are bounded; one after which somebody was spoken to begins a new row. Points don't add up."""
    nodes = {
        "sales": {"type": "queue", "queue": "sales", "priority": 3, "exits": {"max_wait": "still"}},
        "still": {"type": "say", "prompt": ["Please hold on"], "exits": {"next": "sales"}},
    }
    house = House("sales", nodes)
    house.tell(f.QueueChanged(house.now, QueueSpec("sales", agents=("ann",), max_wait=30)))
    house.call()
    contact = house.centre.contacts["c1"]
    began = house.now
    for _ in range(20):
        assert contact.state == "queued"
        assert contact.priority == 3
        assert contact.since == began
        house.after(30).heard()
    nobody = House("sales", nodes | {"sales": nodes["sales"] | {"exits": {"closed": "sales"}}})
    nobody.tell(f.QueueChanged(nobody.now, QueueSpec("sales", agents=("ann",), open_at=())))
    nobody.call()
    assert not nobody.centre.contacts  # round and round without a word


COLLECT = {
    "type": "collect",
    "prompt": ["Number?"],
    "variable": "order",
    "least": 2,
    "most": 4,
    "retries": 1,
    "exits": {"next": "echo", "timeout": "slow", "invalid": "wrong"},
}
COLLECT_NODES = MENU_NODES | {
    "collect": COLLECT,
    "echo": {"type": "say", "prompt": ["Order ", {"digits": "{order}"}], "exits": {"next": "end"}},
}


@pytest.mark.parametrize(
    ("keys", "order"), [("12#", "12"), ("1234", "1234"), ("123#", "123")], ids=["ended", "full", "short"]
)
def test_digits_are_collected(keys: str, order: str) -> None:
    house = House("collect", COLLECT_NODES).call().press(keys)
    assert house.value("order") == order
    assert house.said == ["Order ", f"<{order}>"]


def test_a_pause_ends_what_is_long_enough() -> None:
    house = House("collect", COLLECT_NODES).call().heard().press("12")
    assert house.after(3).said == ["Order ", "<12>"]
    house = House("collect", COLLECT_NODES).call().heard().press("1").after(3)
    assert house.said == ["Number?"]
    assert house.node == "collect"
    assert house.press("1#").said == ["No such choice"]


def test_an_expression_decides_what_is_accepted() -> None:
    nodes = COLLECT_NODES | {"collect": COLLECT | {"accept": "number(order) > 20"}}
    assert House("collect", nodes).call().press("21#").value("order") == "21"
    assert House("collect", nodes).call().press("19#").said == ["Number?"]


def test_secret_digits_never_enter() -> None:
    nodes = COLLECT_NODES | {"collect": COLLECT | {"variable": "pin", "secret": True, "most": 4}}
    house = House("collect", nodes).call()
    assert house.of(c.Mask) == [c.Mask("c1", "pin")]
    assert house.press("xxxx").value("pin") == "\x00secret:pin\x00"
    assert c.Mask("c1", "") in house.commands


def test_reckoning_and_branches() -> None:
    nodes = {
        "set": {"type": "set", "values": {"n": "2 + 3", "who": "'Ewa'"}, "exits": {"next": "branch"}},
        "branch": {
            "type": "branch",
            "cases": [{"if": "n > 9", "exit": "big"}, {"if": "n = 5", "exit": "five"}],
            "exits": {"big": "end", "five": "tell", "else": "end"},
        },
        "tell": {"type": "say", "prompt": ["Good day, {who}"], "exits": {"next": "end"}},
        "end": END,
    }
    house = House("set", nodes).call()
    assert house.said == ["<Good day, Ewa>"]
    assert repr(house.commands).count("Ewa") == 0


def test_prompts_follow_the_language_chosen() -> None:
    nodes = {
        "set": {"type": "set", "values": {"language": "'pl'"}, "exits": {"next": "say"}},
        "say": {"type": "say", "prompt": [{"text": {"en": "Hi", "pl": "Cześć"}}], "exits": {"next": "end"}},
        "end": END,
    }
    house = House("set", nodes).call()
    (said,) = house.of(c.Say)
    assert house.said == ["Cześć"]
    assert said.language == "pl"


def test_shares_are_drawn_from_the_contacts_id() -> None:
    nodes = {
        "share": {"type": "percentage", "shares": {"a": 25, "b": 75}, "exits": {"a": "end", "b": "hello"}},
        "hello": HELLO,
        "end": END,
    }
    house = House("share", nodes)
    drawn = {"end": 0, "hello": 0}
    for number in range(2000):
        house.tell(f.ContactArrived(house.now, f"x{number}", "1"))
        drawn["hello" if house.of(c.Say) else "end"] += 1
    # 2,000 draws of 0.25: standard deviation 19.4; four of them.
    assert abs(drawn["end"] - 500) < 78


def test_opening_hours_by_calendar_and_by_queue() -> None:
    nodes = {
        "hours": {"type": "hours", "calendar": "shop", "exits": {"open": "hello", "closed": "slow"}},
        "hello": HELLO,
        "slow": MENU_NODES["slow"],
        "end": END,
    }
    house = House("hours", nodes).call()
    assert house.said == ["Too slow"]
    assert house.of(e.NodeFailed)[0].why == "no_calendar"
    house = House("hours", nodes)
    house.tell(f.CalendarChanged(house.now, CalendarSpec("shop", ((900.0, 1100.0),))))
    assert house.call().said == ["Hello"]
    house = House("hours", nodes)
    house.tell(f.CalendarChanged(house.now, CalendarSpec("shop", ((900.0, 1000.0),))))
    assert house.call().said == ["Too slow"]


LOOKUP = {
    "http": {
        "type": "http",
        "method": "GET",
        "url": "https://crm.example/orders/{contact.dialled}?q={q}",
        "take": {"status": "/status"},
        "timeout": 4,
        "exits": {"next": "tell", "failed": "slow"},
    },
    "tell": {"type": "say", "prompt": ["It is {status}"], "exits": {"next": "end"}},
    "slow": MENU_NODES["slow"],
    "end": END,
}


def test_an_errand_comes_back_with_values() -> None:
    house = House("http", LOOKUP).call()
    (errand,) = house.of(c.RunErrand)
    assert errand.arguments["url"].value == "https://crm.example/orders/1?q="
    house.tell(f.ErrandDone(house.now, "c1", errand.errand, "next", {"status": Private("ready")}))
    assert house.said == ["<It is ready>"]
    house.tell(f.ErrandDone(house.now, "c1", errand.errand, "next", {"status": Private("lost")}))
    assert house.of(e.Refused)
    assert house.value("status") == "ready"


def test_an_errand_that_nobody_answers_for_has_failed() -> None:
    house = House("http", LOOKUP).call().after(5.5)
    assert house.said == ["Too slow"]
    assert [one.problem for one in house.of(e.ErrandEnded)] == ["TIMEOUT"]


def test_a_message_is_taken() -> None:
    nodes = {
        "record": {
            "type": "record",
            "prompt": ["After the tone"],
            "variable": "message",
            "longest": 60,
            "exits": {"next": "thanks", "empty": "record"},
        },
        "thanks": {"type": "say", "prompt": ["Thank you"], "exits": {"next": "end"}},
        "end": END,
    }
    house = House("record", nodes).call().heard()
    (taking,) = house.of(c.TakeMessage)
    house.press("5")
    assert not house.commands  # only the terminator means something now
    house.press("#")
    assert house.of(c.EndMessage)
    house.tell(f.MessageTaken(house.now, "c1", taking.message, "recordings/m.wav", 12.0))
    assert house.said == ["Thank you"]
    assert house.value("message") == "recordings/m.wav"
    house = House("record", nodes).call().heard()
    house.tell(f.MessageTaken(house.now, "c1", "c1:2", "recordings/m.wav", 0.4))
    assert house.said == ["After the tone"]


def test_flows_within_flows() -> None:
    inner = graph(
        "ask",
        {
            "ask": MENU | {"exits": {"1": "yes", "timeout": "no", "invalid": "no"}},
            "yes": {"type": "return", "exit": "yes"},
            "no": {"type": "return", "exit": "no"},
        },
    )
    nodes = {
        "call": {"type": "flow", "flow": "inner", "exits": {"yes": "hello", "else": "slow"}},
        "hello": HELLO,
        "slow": MENU_NODES["slow"],
        "end": END,
    }
    house = House("call", nodes, inner=inner).call()
    assert house.centre.flows["inner"].inside == {1: 1}
    assert house.press("1").said == ["Hello"]
    assert not house.centre.flows["inner"].inside
    house = House("call", nodes, inner=inner).call().press("7").press("7")
    assert house.said == ["Too slow"]
    house = House("call", nodes).call()  # no such flow
    assert house.said == ["Too slow"]
    assert house.of(e.NodeFailed)[0].why == "no_flow"
    house = House(
        "call",
        {"call": {"type": "flow", "flow": "main", "exits": {"else": "slow"}}} | {"slow": HELLO, "end": END},
    )
    house.call()  # itself, again and again
    assert house.of(e.NodeFailed)[0].why == "too_deep"
    assert house.said == ["Hello"]


def test_a_transfer_that_fails_comes_back() -> None:
    nodes = MENU_NODES | {"to": {"type": "transfer", "agent": "ann", "exits": {"failed": "slow"}}}
    assert House("to", nodes).call().said == ["Too slow"]  # no phone
    house = House("to", nodes)
    house.tell(f.PhoneRegistered(house.now, "ann"))
    house.call()
    (ring,) = house.of(c.Ring)
    house.tell(f.OfferFailed(house.now, "c1", ring.leg, "busy"))
    assert house.said == ["Too slow"]


def test_a_loop_without_a_word_is_ended() -> None:
    nodes = {"a": {"type": "set", "values": {}, "exits": {"next": "a"}}}
    house = House("a", nodes).call()
    assert house.outcome == "failed"
    assert [one.why for one in house.of(e.NodeFailed)] == ["too_long"]


def test_the_running_call_keeps_its_version() -> None:
    house = House("menu", MENU_NODES).call()
    other = graph("other", {"other": HELLO | {"prompt": ["Anew"]}, "end": END})
    house.tell(f.FlowPublished(house.now, FlowSpec("main", 2, other)))
    assert sorted(house.centre.flows["main"].graphs) == [1, 2]
    house.tell(f.ContactArrived(house.now, "c2", "1"))
    assert house.said == ["Anew"]
    house.press("1")
    assert house.said == ["Hello"]
    house.heard()
    assert sorted(house.centre.flows["main"].graphs) == [2]
    house.tell(f.FlowRemoved(house.now, "main"))
    assert sorted(house.centre.flows["main"].graphs) == [2]  # c2 is inside still
    house.tell(f.HungUp(house.now, "c2"))
    assert house.outcome == "left_menu"
    assert not house.centre.flows
    house.tell(f.ContactArrived(house.now, "c3", "1"))
    assert house.of(c.Refuse)


def test_whoever_hangs_up_leaves_nothing_behind() -> None:
    for keys in ("", "2"):
        house = House("menu", MENU_NODES).call().press(keys)
        house.tell(f.HungUp(house.now, "c1"))
        assert not house.centre.contacts
        assert not list(timers(house.centre))
        assert not house.centre.flows["main"].inside
    house = House("menu", MENU_NODES).call()
    house.tell(f.HungUp(house.now, "c1"))
    assert house.of(c.Hush)
    assert house.outcome == "left_menu"


# --- waiting ---


class Waiting(House):
    """c1 waits in sales, behind others; nobody is free."""

    def __init__(self, ahead: int = 0, **announce: Any) -> None:
        super().__init__("sales", {"sales": {"type": "queue", "queue": "sales"}})
        spec = QueueSpec("sales", agents=("ann",), wrap_up=0, announce=Announce(**announce), music="waltz")
        self.tell(f.QueueChanged(self.now, spec))
        self.tell(f.PhoneRegistered(self.now, "ann"))
        self.tell(f.AgentSignedIn(self.now, "ann"))
        for number in range(ahead):
            self.tell(f.ContactArrived(self.now, f"b{number}", "1"))
        self.call()

    def until_said(self) -> list[str]:
        for _ in range(100):
            self.commands = []
            self.step_to_next()
            if said := [one for one in self.commands if isinstance(one, c.Say) and one.contact == "c1"]:
                return [part.text for part in said[0].parts]
        raise AssertionError("nothing is announced")

    def step_to_next(self) -> None:
        self.now, name = min((max(at, self.now), name) for name, at in self.wheel.items())
        del self.wheel[name]
        self.tell(f.TimerFired(self.now, name))

    def said_to_the_end(self, contact: str = "c1") -> None:
        self.tell(f.Said(self.now, contact, self.centre.contacts[contact].announcing))


def test_place_and_messages_take_turns_with_music() -> None:
    house = Waiting(ahead=2, first=20, every=45, wait=False, messages=("news", "hours"))
    began = house.now
    assert house.until_said() == ["builtin:position", "3"]
    assert house.now == began + 20
    contact = house.centre.contacts["c1"]
    assert mix(house.centre, contact) == {"c1": {f"prompt:{contact.announcing}": 1.0}}
    house.now += 3
    house.said_to_the_end()
    assert house.commands[-1] == c.Mix("c1", {"c1": {"sound:waltz": 1.0}})
    assert house.until_said() == ["news"]
    assert house.now == began + 20 + 3 + 45
    house.said_to_the_end()
    assert house.until_said() == ["hours"]
    house.said_to_the_end()
    house.tell(f.HungUp(house.now, "b0"))
    assert house.until_said() == ["builtin:position", "2"]


def test_the_wait_is_told_rounded_up_and_rises_with_a_word() -> None:
    house = Waiting(ahead=3, position=False)
    queue = house.centre.queues["sales"]
    queue.rates = Rates(at=house.now, agents=1, served=20.0, worked=20 * 100.0, waiting=4)
    house.tell(f.AgentReady(house.now, "ann"))  # one is rung, and is free after some 100 s
    heard = house.until_said()
    assert heard[0] == "builtin:estimated_wait"
    first = int(heard[1])
    assert first % 30 == 0
    house.said_to_the_end()
    queue.rates = replace(queue.rates, served=20.0, worked=20 * 300.0)
    heard = house.until_said()
    assert heard[:2] == ["builtin:wait_rose", "builtin:estimated_wait"]
    assert int(heard[2]) > first


def test_whoever_is_answered_hears_no_announcement_to_its_end() -> None:
    house = Waiting(first=20)
    house.until_said()
    announcing = house.centre.contacts["c1"].announcing
    house.tell(f.AgentReady(house.now, "ann"))
    (ring,) = house.of(c.Ring)
    house.tell(f.Answered(house.now, "c1", ring.leg))
    assert c.Hush("c1", announcing) in house.commands
    house.tell(f.Said(house.now, "c1", announcing))
    assert house.of(e.Refused)
    house = Waiting(first=20)
    house.until_said()
    house.tell(f.HungUp(house.now, "c1"))
    assert house.of(c.Hush)
