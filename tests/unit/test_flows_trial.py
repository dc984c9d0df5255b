"""A flow tried with simulated keys: told as it would be, bounded, and nobody is called."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centrala.core.specs import FlowSpec
from centrala.flows import trial
from centrala.flows.checking import check, known, lacking, seconds
from centrala.flows.trial import HIDDEN, MOST_STEPS, Answer, Key, Trial, attempt
from centrala.settings import Tenant, parse

pytestmark = pytest.mark.unit

NOON = 1_795_435_200.0
"Monday 23 November 2026, 12:00 UTC."

TENANT = """\
tenants:
  acme:
    domain: acme.example
    agents: {al: {phone: "sip:a@b.example"}}
    queues:
      sales: {agents: [al], hours: {mon: "9:00-17:00"}, when_closed: {hang_up: unavailable}}
      empty: {agents: []}
      full: {agents: [al], max_length: 0}
    calendars: {office: {hours: {mon: "9:00-17:00"}}}
    tables: {codes: codes.csv}
"""
BYE: dict[str, Any] = {"type": "hang_up"}


def tenant() -> Tenant:
    return parse(TENANT, Path("centre.yaml"), {}).tenants["acme"]


def flow(**nodes: Any) -> dict[str, Any]:
    """A flow that begins with the first of these."""
    return {"format": 1, "start": next(iter(nodes)), "nodes": nodes}


def tried(graph: dict[str, Any], keys: str | list[Key] = "", at: float = NOON, **more: Any) -> Trial:
    others = {id: FlowSpec(id, 1, json.dumps(one)) for id, one in more.pop("others", {}).items()}
    return attempt(
        {**others, "main": FlowSpec("main", 1, json.dumps(graph))}, "main", tenant(), at, keys=keys, **more
    )


def told(of: Trial, kind: str) -> list[str]:
    return [one.text for one in of.steps if one.kind == kind]


def nodes(of: Trial) -> list[str]:
    return [one.node for one in of.steps if one.kind == "node"]


MENU = flow(
    ask={
        "type": "menu",
        "prompt": ["One or two?"],
        "timeout": 5,
        "retries": 1,
        "invalid_prompt": ["No."],
        "exits": {"1": "sales", "2": "bye", "timeout": "bye", "invalid": "gone"},
    },
    sales={"type": "queue", "queue": "sales", "exits": {"closed": "closed"}},
    closed={"type": "say", "prompt": ["Closed."], "exits": {"next": "bye"}},
    gone={"type": "hang_up", "outcome": "refused"},
    bye=BYE,
)


OWED = flow(
    who={"type": "number", "exits": {"found": "when", "unknown": "type"}},
    type={
        "type": "collect",
        "prompt": ["Your number?"],
        "variable": "typed",
        "least": 7,
        "exits": {"next": "check", "timeout": "bye", "invalid": "bye"},
    },
    check={"type": "number", "number": "{typed}", "exits": {"found": "when", "unknown": "bye"}},
    when={"type": "slots", "exits": {"found": "bye", "none": "promise"}},
    promise={
        "type": "callback",
        "number": "{number.number}",
        "exits": {"booked": "told", "no_number": "type", "failed": "bye"},
    },
    told={"type": "say", "prompt": [{"digits": "{number.last}"}], "exits": {"next": "bye"}},
    bye=BYE,
)


def test_a_callback_is_promised_in_the_first_queue_and_nobody_is_called() -> None:
    found = tried(OWED, caller="+48221234567")
    assert (found.end.how, found.end.outcome) == ("hang_up", "callback")
    assert ("main", "promise", "booked") in found.path
    assert told(found, "said") == ["5 6 7"]


def test_who_hides_their_number_types_one() -> None:
    found = tried(OWED, "7654321#")
    assert found.end.outcome == "callback"
    assert found.path[:3] == (
        ("main", "who", "unknown"),
        ("main", "type", "next"),
        ("main", "check", "found"),
    )


def test_a_message_is_left() -> None:
    graph = flow(
        ask={"type": "voicemail", "prompt": ["Speak."], "exits": {"next": "bye", "empty": "bye"}}, bye=BYE
    )
    found = tried(graph)
    assert (found.end.outcome, told(found, "message")) == ("voicemail", ["3 s"])


def test_keys_are_pressed_when_they_are_awaited() -> None:
    found = tried(MENU, "1")
    assert (found.end.how, found.end.to, found.end.node) == ("queue", "queue:sales", "sales")
    assert found.path == (("main", "ask", "1"),)
    assert told(found, "said") == ["One or two?"]
    (pressed,) = [one for one in found.steps if one.kind == "digit"]
    assert pressed.at >= len("One or two?") / trial.PACE  # after the prompt


def test_wrong_keys_and_silence() -> None:
    found = tried(MENU, "77")
    assert (found.end.how, found.end.outcome) == ("hang_up", "refused")
    assert told(found, "again") == ["invalid", "invalid"]
    assert told(found, "said") == ["One or two?", "No. One or two?"]
    quiet = tried(MENU, "")
    assert quiet.path == (("main", "ask", "timeout"),)
    assert told(quiet, "again") == ["timeout", "timeout"]
    assert quiet.seconds > 10
    late = tried(MENU, ".1")
    assert (told(late, "again"), late.end.to) == (["timeout"], "queue:sales")


def test_the_time_of_day_counts() -> None:
    night = tried(MENU, "1", at=NOON + 8 * 3600)
    assert nodes(night) == ["ask", "sales", "closed", "bye"]
    graph = flow(
        h={"type": "hours", "calendar": "office", "exits": {"open": "q", "closed": "b"}},
        q={"type": "queue", "queue": "full"},
        b=BYE,
    )
    assert tried(graph).path == (("main", "h", "open"),)
    assert tried(graph, at=NOON + 8 * 3600).path == (("main", "h", "closed"),)


def test_keys_at_given_times() -> None:
    early = tried(MENU, [Key(0.1, "1")])
    assert (early.end.to, early.seconds) == ("queue:sales", 0.1)  # cuts the prompt short
    late = tried(MENU, [Key(60.0, "1")])
    assert late.end.how == "hang_up"


def test_stopping_where_a_key_is_awaited() -> None:
    assert (tried(MENU, "", then="stop").end.how, tried(MENU, "7", then="stop").end.how) == ("waits", "waits")
    assert tried(MENU, "1", then="stop").end.how == "queue"
    assert tried(MENU, [Key(2.0, "7"), Key(1.0, "1")], then="stop").end.how == "queue"


def test_a_caller_loses_patience() -> None:
    graph = flow(
        r={
            "type": "record",
            "prompt": ["Speak."],
            "variable": "m",
            "longest": 600,
            "silence": 60,
            "exits": {"next": "b", "empty": "b"},
        },
        b=BYE,
    )
    assert tried(graph, patience=20.0).end.how == "left"
    assert tried(graph, patience=20.0).end.outcome == "left_menu"
    assert tried(graph).values == {"m": "trial.wav"}


def test_digits_dates_and_money_are_told_in_words() -> None:
    graph = flow(
        c={
            "type": "collect",
            "prompt": [{"text": {"en": "Code?", "pl": "Kod?"}}],
            "variable": "code",
            "exits": {"next": "s", "timeout": "b", "invalid": "b"},
        },
        s={
            "type": "say",
            "prompt": [
                "Yours is",
                {"digits": "{code}"},
                {"pause": 500},
                {"money": "{code}", "currency": "PLN"},
                {"sound": "jazz"},
            ],
            "exits": {"next": "b"},
        },
        b=BYE,
    )
    found = tried(graph, "12#", language="pl", length=lambda sound: 30.0 if sound == "jazz" else None)
    assert told(found, "said") == ["Kod?", "Yours is 1 2 … 12 PLN ♪ jazz"]
    assert found.values == {"code": "12"}
    assert found.seconds > 30


def test_a_secret_is_never_shown() -> None:
    graph = flow(
        c={
            "type": "collect",
            "prompt": ["PIN?"],
            "variable": "pin",
            "secret": True,
            "exits": {"next": "h", "timeout": "b", "invalid": "b"},
        },
        h={"type": "http", "url": "https://bank.example/{pin}", "exits": {"next": "b", "failed": "b"}},
        b=BYE,
    )
    found = tried(graph, "4711#")
    assert "4711" not in repr(found)
    assert told(found, "digit") == [HIDDEN, HIDDEN, HIDDEN, HIDDEN, "#"]
    assert [one.exit for one in found.steps if one.kind == "errand"] == ["failed"]


def test_errands_are_answered_as_said() -> None:
    graph = flow(
        who={"type": "customer", "exits": {"found": "t", "unknown": "t"}},
        t={
            "type": "table",
            "table": "codes",
            "key": "{contact.dialled}",
            "exits": {"found": "h", "unknown": "b"},
        },
        h={
            "type": "http",
            "url": "https://shop.example/",
            "take": {"n": "/n"},
            "exits": {"next": "s", "failed": "b"},
        },
        s={"type": "say", "prompt": ["{customer.name} {codes.name} {n}"], "exits": {"next": "m"}},
        m={"type": "email", "to": "a@b.example", "subject": "x", "body": "y", "exits": {"next": "b"}},
        b=BYE,
    )
    found = tried(
        graph,
        errands={
            "who": Answer("found", {"customer.name": "Ewa"}),
            "main:t": Answer("found", {"codes.name": "Door"}),
            "h": Answer("next", {"n": 3}),
        },
    )
    assert told(found, "said") == ["Ewa Door 3"]
    assert [(one.node, one.exit) for one in found.steps if one.kind == "errand"] == [
        ("who", "found"),
        ("t", "found"),
        ("h", "next"),
        ("m", "next"),
    ]
    nothing = tried(graph, caller="+48600100200")
    assert nothing.path == (("main", "who", "unknown"), ("main", "t", "unknown"))
    assert nothing.values["customer.number"] == "+48600100200"


def test_flows_within_flows_and_what_is_not_there() -> None:
    inner = flow(
        a={"type": "say", "prompt": ["Inside."], "exits": {"next": "r"}}, r={"type": "return", "exit": "done"}
    )
    graph = flow(
        f={"type": "flow", "flow": "inner", "exits": {"done": "q", "else": "b"}},
        q={"type": "queue", "queue": "empty", "exits": {"no_agents": "t"}},
        t={"type": "transfer", "outside": "+48600100200"},
        b=BYE,
    )
    found = tried(graph, others={"inner": inner})
    assert [(one.flow, one.node) for one in found.steps if one.kind == "node"][:4] == [
        ("main", "f"),
        ("inner", "a"),
        ("inner", "r"),
        ("main", "q"),
    ]
    missing = tried(graph)
    assert told(missing, "failed") == ["no_flow"]
    assert missing.path == (("main", "f", "else"),)


def test_transfers_and_languages() -> None:
    phone = tried(flow(t={"type": "transfer", "phone": "sip:x@y.example"}))
    assert (phone.end.how, phone.end.to) == ("transfer", "phone:sip:x@y.example")
    agent = tried(flow(t={"type": "transfer", "agent": "al"}))
    assert (agent.end.how, agent.end.to) == ("transfer", "agent:al")


def test_chance_depends_on_the_seed() -> None:
    graph = flow(
        p={"type": "percentage", "shares": {"a": 50, "b": 50}, "exits": {"a": "x", "b": "y"}}, x=BYE, y=BYE
    )
    ways = [tried(graph, seed=seed).path[0][2] for seed in range(200)]
    assert 60 < ways.count("a") < 140
    assert ways == [tried(graph, seed=seed).path[0][2] for seed in range(200)]


def test_a_flow_without_end_is_bounded() -> None:
    graph = flow(s={"type": "say", "prompt": ["Round."], "exits": {"next": "s"}})
    found = tried(graph)
    assert found.end.how == "bound"
    assert len(found.steps) <= MOST_STEPS
    slow = flow(s={"type": "say", "prompt": [{"pause": 10_000}] * 50, "exits": {"next": "s"}})
    assert tried(slow, patience=86_400.0).seconds <= 24 * 3600.0 + 1
    silent = flow(a={"type": "set", "values": {"n": "n + 1"}, "exits": {"next": "a"}})
    found = tried(silent)  # the core itself ends this one
    assert (found.end.how, found.end.outcome) == ("hang_up", "failed")
    assert told(found, "failed") == ["too_long"]


WAYS = ["a", "b", "c", "d", "q", "x"]
way = st.sampled_from(WAYS)
node = st.one_of(
    st.builds(lambda to: {"type": "say", "prompt": ["Words."], "exits": {"next": to}}, way),
    st.builds(
        lambda one, two, three, tries: {
            "type": "menu",
            "prompt": ["Which?"],
            "retries": tries,
            "exits": {"1": one, "timeout": two, "invalid": three},
        },
        way,
        way,
        way,
        st.integers(0, 3),
    ),
    st.builds(
        lambda one, two, secret: {
            "type": "collect",
            "prompt": [],
            "variable": "v",
            "most": 3,
            "secret": secret,
            "exits": {"next": one, "timeout": two, "invalid": "x"},
        },
        way,
        way,
        st.booleans(),
    ),
    st.builds(
        lambda one: {"type": "record", "prompt": [], "variable": "m", "exits": {"next": one, "empty": "x"}},
        way,
    ),
    st.builds(
        lambda one, two: {
            "type": "branch",
            "cases": [{"if": "v > 3", "exit": "big"}],
            "exits": {"big": one, "else": two},
        },
        way,
        way,
    ),
    st.builds(
        lambda one, two: {"type": "http", "url": "https://x.example/", "exits": {"next": one, "failed": two}},
        way,
        way,
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(dict.fromkeys(WAYS[:4], node)),
    st.text("0123456789*#.", max_size=40),
    st.booleans(),
)
def test_any_flow_and_any_keys_come_to_an_end(drawn: dict[str, Any], keys: str, stop: bool) -> None:
    graph = flow(**drawn, q={"type": "queue", "queue": "sales"}, x=BYE)
    found = tried(graph, keys, then="stop" if stop else "time_out")
    assert found.end.how in ("waits", "queue", "hang_up", "left", "bound")
    times = [one.at for one in found.steps]
    assert times == sorted(times)
    # The path is where the steps say that it went.
    came = [(one.node, one.exit) for one in found.steps if one.kind == "node"]
    ways = graph["nodes"]
    assert [(ways[before]["exits"][exit], exit) for _, before, exit in found.path][: len(came) - 1] == came[
        1:
    ]


def test_what_the_checker_passes_can_be_tried(tmp_path: Path) -> None:
    of = known(tenant(), tmp_path, {}, None)
    assert [one.severity for one in check(MENU, of, "main")] == []
    assert check({"format": 1, "start": float("nan")}, of, "main")


def test_what_the_machine_lacks_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "sounds" / "acme").mkdir(parents=True)
    (tmp_path / "sounds" / "acme" / "jazz.wav").write_bytes(bytes(44 + 16_000))
    text = TENANT + (
        "    flows: {main: {start: a, nodes: {a: {type: play, sound: jazz, exits: {next: b}},"
        " b: {type: play, sound: blues, exits: {next: c}}, c: {type: hang_up}}}}\n"
    )
    (said,) = lacking(parse(text, tmp_path / "centre.yaml", {}), tmp_path)
    assert said.startswith("tenants.acme.flows.main, node b, prompt[0].sound: there is no sound blues")
    assert seconds(tmp_path, "acme", "jazz") == 1.0
    assert seconds(tmp_path, "acme", "blues") is None
    assert seconds(tmp_path, "acme", "../acme/jazz") is None
