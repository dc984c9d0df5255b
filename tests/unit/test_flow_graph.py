"""A flow from its JSON: every field is read as it stands, anything else is refused with its place, nothing crashes."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centrala.core.flow import nodes as n
from centrala.core.flow.check import Known, problems
from centrala.core.flow.graph import LARGEST, MOST_NODES, TYPES, FlowProblems, parse, read
from centrala.core.flow.problems import READING, SENTENCES
from centrala.core.specs import Destination

pytestmark = pytest.mark.unit

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "flows").glob("*.json"))


def graph(nodes: dict[str, Any], **more: Any) -> str:
    return json.dumps({"format": 1, "start": "a", "nodes": nodes, **more})


def one(**node: Any) -> n.Node:
    return parse(graph({"a": node})).nodes["a"]


def told(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(FlowProblems) as caught:
        parse(text)
    return [(problem.node, problem.where, problem.code) for problem in caught.value.problems]


def wrong(**node: Any) -> list[tuple[str, str]]:
    return [(where, code) for _, where, code in told(graph({"a": node}))]


# --- every type, every field ---


def test_say() -> None:
    prompt = [
        "Hello {name}",
        {"text": {"pl": "Cześć", "en": "Hi"}},
        {"sound": "welcome"},
        {"sound": {"pl": "a", "en": "b"}},
        {"number": "{n}"},
        {"money": 12.5, "currency": "PLN"},
        {"date": "{d}"},
        {"time": "14:05"},
        {"digits": "{code}"},
        {"pause": 500},
    ]
    node = one(
        type="say",
        title="T",
        at=[1, 2],
        note="for people",
        prompt=prompt,
        barge_in=False,
        exits={"next": "b"},
    )
    assert isinstance(node.does, n.Say)
    assert not node.does.barge_in
    assert (node.id, node.title, node.exits) == ("a", "T", {"next": "b"})
    assert [
        (part.kind, {key: made.text for key, made in part.texts.items()}, part.currency)
        for part in node.does.prompt
    ] == [
        ("text", {"": "Hello {name}"}, ""),
        ("text", {"pl": "Cześć", "en": "Hi"}, ""),
        ("sound", {"": "welcome"}, ""),
        ("sound", {"pl": "a", "en": "b"}, ""),
        ("number", {"": "{n}"}, ""),
        ("money", {"": "12.5"}, "PLN"),
        ("date", {"": "{d}"}, ""),
        ("time", {"": "14:05"}, ""),
        ("digits", {"": "{code}"}, ""),
        ("pause", {"": "500"}, ""),
    ]


def test_play_is_a_prompt_of_one_sound() -> None:
    assert one(type="play", sound="jingle", barge_in=False) == one(
        type="say", prompt=[{"sound": "jingle"}], barge_in=False
    )


def test_menu() -> None:
    node = one(
        type="menu", prompt=["P"], timeout=7, retries=1, timeout_prompt=["T"], invalid_prompt=["I"], barge_in=False,
        exits={"#": "x", "1": "b", "timeout": "c", "invalid": "c"},
    ).does  # fmt: skip
    assert isinstance(node, n.Menu)
    assert node.choices == ("1", "#")
    assert (node.timeout, node.retries, node.barge_in) == (7.0, 1, False)
    assert [
        prompt[0].texts[""].text for prompt in (node.prompt, node.timeout_prompt, node.invalid_prompt)
    ] == ["P", "T", "I"]
    bare = one(type="menu", prompt=[]).does
    assert bare == n.Menu((), ())


def test_collect() -> None:
    node = one(
        type="collect", prompt=["P"], variable="v", least=4, most=6, terminator="*", timeout=6, digit_timeout=2.5,
        retries=0, secret=True, accept="v > 5", timeout_prompt=["T"], invalid_prompt=["I"], barge_in=False,
    ).does  # fmt: skip
    assert isinstance(node, n.Collect)
    assert node.accept is not None
    assert node.accept.text == "v > 5"
    assert (node.variable, node.least, node.most, node.terminator) == ("v", 4, 6, "*")
    assert (node.timeout, node.digit_timeout, node.retries, node.secret, node.barge_in) == (
        6,
        2.5,
        0,
        True,
        False,
    )
    assert (node.timeout_prompt[0].texts[""].text, node.invalid_prompt[0].texts[""].text) == ("T", "I")
    assert one(type="collect", prompt=[], variable="v").does == n.Collect((), "v")
    endless = one(type="collect", prompt=[], variable="v", terminator="").does
    assert isinstance(endless, n.Collect)
    assert endless.terminator == ""


def test_record() -> None:
    node = one(type="record", prompt=[], variable="m", longest=60, silence=3, terminator="", shortest=2).does
    assert node == n.TakeMessage((), "m", 60.0, 3.0, "", 2.0)
    assert one(type="record", prompt=[], variable="m").does == n.TakeMessage((), "m")


def test_set_and_branch() -> None:
    node = one(type="set", values={"a.b": "1 + 1", "language": "'pl'"}).does
    assert isinstance(node, n.Set)
    assert {name: value.value({}.get) for name, value in node.values.items()} == {"a.b": 2, "language": "pl"}
    branch = one(type="branch", cases=[{"if": "x > 1", "exit": "many"}, {"if": "x", "exit": "one"}]).does
    assert isinstance(branch, n.Branch)
    assert [(condition.text, exit) for condition, exit in branch.cases] == [("x > 1", "many"), ("x", "one")]


def test_percentage_hours_answer_return() -> None:
    assert one(type="percentage", shares={"x": 30, "y": 70}).does == n.Share({"x": 30.0, "y": 70.0})
    assert one(type="hours", calendar="main").does == n.Hours("main", "")
    assert one(type="hours", queue="sales").does == n.Hours("", "sales")
    assert one(type="answer").does == n.Answer()
    assert one(type="return").does == n.Return("next")
    assert one(type="return", exit="done").does == n.Return("done")
    assert one(type="flow", flow="survey").does == n.SubFlow("survey")


def test_look_ups() -> None:
    assert one(type="customer").does == n.Errand("customer", {}, {}, "customer")
    assert one(type="customer", into="who", timeout=2).does == n.Errand(
        "customer", {}, {}, "who", timeout=2.0
    )
    table = one(type="table", table="orders", key="{order}").does
    assert isinstance(table, n.Errand)
    assert (table.kind, table.settings, table.into) == ("table", {"table": "orders"}, "orders")
    assert table.arguments["key"].variables == {"order"}


def test_http() -> None:
    does = one(
        type="http", method="POST", url="https://host/{x}", headers={"Accept": "a/b", "X-Id": "{y}"},
        body='{{"z": {z}}}', content_type="application/json", take={"state": "/order/state"}, timeout=3, cache=60,
    ).does  # fmt: skip
    assert isinstance(does, n.Errand)
    assert does.settings == {"method": "POST", "content_type": "application/json"}
    assert {name: made.text for name, made in does.arguments.items()} == {
        "url": "https://host/{x}",
        "header.Accept": "a/b",
        "header.X-Id": "{y}",
        "body": '{{"z": {z}}}',
    }
    assert (does.take, does.timeout, does.cache) == ({"state": "/order/state"}, 3.0, 60.0)
    bare = one(type="http", url="http://host/").does
    assert isinstance(bare, n.Errand)
    assert (bare.settings, set(bare.arguments), bare.timeout, bare.cache) == (
        {"method": "GET"},
        {"url"},
        5.0,
        0.0,
    )


def test_email_and_python() -> None:
    mail = one(type="email", to="a@b.example", subject="S", body="B {x}", attach="m").does
    assert isinstance(mail, n.Errand)
    assert (mail.kind, mail.settings) == ("mail", {})
    assert {name: made.text for name, made in mail.arguments.items()} == {
        "to": "a@b.example", "subject": "S", "body": "B {x}", "attach": "{m}",
    }  # fmt: skip
    python = one(type="python", entry_point="risk", arguments={"n": "{order}"}, into="risk", timeout=20).does
    assert isinstance(python, n.Errand)
    assert (python.kind, python.settings, python.into, python.timeout) == (
        "python",
        {"entry_point": "risk"},
        "risk",
        20.0,
    )
    assert python.arguments["n"].text == "{order}"


def test_the_ends() -> None:
    assert one(type="queue", queue="sales", priority=5).does == n.Enqueue("sales", 5)
    for field, kind in (("queue", "queue"), ("agent", "agent"), ("phone", "phone"), ("outside", "line")):
        node = {"type": "transfer", field: "sip:x@y", "record": True}
        assert one(**node).does == n.Transfer(Destination(kind, "sip:x@y", True))  # type: ignore[arg-type]
    assert one(type="hang_up").does == n.HangUp("unavailable", "self_served")
    assert one(type="hang_up", cause="busy", outcome="refused").does == n.HangUp("busy", "refused")


def test_the_flow_itself() -> None:
    flow = parse(graph({"a": {"type": "answer"}}, language="pl", voice="ewa", title="T", notes="N"))
    assert (flow.start, flow.language, flow.voice, list(flow.nodes)) == ("a", "pl", "ewa", ["a"])


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "FLOW-JSON"),
        ("{", "FLOW-JSON"),
        ("[NaN]", "FLOW-JSON"),
        ("[Infinity]", "FLOW-JSON"),
        ("[" * 100_000, "FLOW-JSON"),
        ("9" * 10_000, "FLOW-JSON"),
        ("null", "FLOW-NO-FLOW"),
        ("[]", "FLOW-NO-FLOW"),
        ("{}", "FLOW-FORMAT"),
        ('{"format": 2}', "FLOW-FORMAT"),
        ('{"format": true}', "FLOW-FORMAT"),
        ('{"format": 1, "format": 1}', "FLOW-TWICE"),
        (graph({"a": {"type": "answer"}})[:-2] + ', "a": {"type": "answer"}}}', "FLOW-TWICE"),
        (" " * (LARGEST + 1), "FLOW-SIZE"),
        (graph({str(number): {"type": "answer"} for number in range(MOST_NODES + 1)}), "FLOW-NODES"),
    ],
)
def test_no_graph_at_all(text: str, code: str) -> None:
    assert [found for _, _, found in told(text)] == [code]


@pytest.mark.parametrize(
    ("node", "where", "code"),
    [
        ({}, "type", "FLOW-MISSING"),
        ({"type": 5}, "type", "FLOW-FIELD"),
        ({"type": "sya"}, "type", "FLOW-TYPE"),
        ({"type": "answer", "exits": []}, "exits", "FLOW-FIELD"),
        ({"type": "answer", "exits": {"next": 5}}, "exits.next", "FLOW-FIELD"),
        ({"type": "answer", "exits": {"": "b"}}, "exits", "FLOW-NAME"),
        ({"type": "answer", "prompt": []}, "prompt", "FLOW-UNKNOWN-FIELD"),
        ({"type": "say"}, "prompt", "FLOW-MISSING"),
        ({"type": "say", "prompt": "Hello"}, "prompt", "FLOW-FIELD"),
        ({"type": "say", "prompt": [5]}, "prompt[0]", "FLOW-PART"),
        ({"type": "say", "prompt": ["a", {}]}, "prompt[1]", "FLOW-PART"),
        ({"type": "say", "prompt": [{"text": "a", "sound": "b"}]}, "prompt[0]", "FLOW-PART"),
        ({"type": "say", "prompt": [{"text": "a", "volume": 5}]}, "prompt[0].volume", "FLOW-UNKNOWN-FIELD"),
        ({"type": "say", "prompt": [{"text": 5}]}, "prompt[0].text", "FLOW-FIELD"),
        ({"type": "say", "prompt": [{"text": {"pl": 5}}]}, "prompt[0].text.pl", "FLOW-FIELD"),
        ({"type": "say", "prompt": ["{1 +}"]}, "prompt[0].text", "FLOW-EXPRESSION"),
        ({"type": "say", "prompt": [{"text": {"pl": "{"}}]}, "prompt[0].text.pl", "FLOW-EXPRESSION"),
        ({"type": "say", "prompt": [], "barge_in": 1}, "barge_in", "FLOW-FIELD"),
        ({"type": "say", "prompt": ["\x00"]}, "prompt[0]", "FLOW-PART"),
        ({"type": "say", "prompt": ["\ud800"]}, "prompt[0]", "FLOW-PART"),
        ({"type": "menu", "prompt": [], "timeout": "5"}, "timeout", "FLOW-FIELD"),
        ({"type": "menu", "prompt": [], "timeout": True}, "timeout", "FLOW-FIELD"),
        ({"type": "menu", "prompt": [], "retries": 1.5}, "retries", "FLOW-FIELD"),
        ({"type": "collect", "prompt": []}, "variable", "FLOW-MISSING"),
        ({"type": "collect", "prompt": [], "variable": "1a"}, "variable", "FLOW-VARIABLE"),
        ({"type": "collect", "prompt": [], "variable": "and"}, "variable", "FLOW-VARIABLE"),
        ({"type": "collect", "prompt": [], "variable": "v", "terminator": "##"}, "terminator", "FLOW-FIELD"),
        ({"type": "collect", "prompt": [], "variable": "v", "accept": "v >"}, "accept", "FLOW-EXPRESSION"),
        ({"type": "set", "values": {"x": 5}}, "values.x", "FLOW-FIELD"),
        ({"type": "set", "values": {"x y": "5"}}, "values.x y", "FLOW-VARIABLE"),
        ({"type": "set", "values": {"x": "5 5"}}, "values.x", "FLOW-EXPRESSION"),
        ({"type": "branch"}, "cases", "FLOW-MISSING"),
        ({"type": "branch", "cases": [5]}, "cases[0]", "FLOW-FIELD"),
        ({"type": "branch", "cases": [{"exit": "x"}]}, "cases[0].if", "FLOW-MISSING"),
        ({"type": "branch", "cases": [{"if": "(", "exit": "x"}]}, "cases[0].if", "FLOW-EXPRESSION"),
        ({"type": "percentage", "shares": {"a": "50"}}, "shares.a", "FLOW-FIELD"),
        ({"type": "hours"}, "calendar", "FLOW-ONE-OF"),
        ({"type": "hours", "calendar": "a", "queue": "b"}, "calendar", "FLOW-ONE-OF"),
        ({"type": "table", "table": "a-b", "key": "k"}, "into", "FLOW-VARIABLE"),
        ({"type": "http", "url": "http://a/", "method": "DELETE"}, "method", "FLOW-FIELD"),
        ({"type": "http", "url": "http://a/", "take": {"x": "a"}}, "take.x", "FLOW-POINTER"),
        ({"type": "http", "url": "http://a/", "headers": {"A": "{"}}, "headers.A", "FLOW-EXPRESSION"),
        ({"type": "email", "to": "a@b", "subject": "s"}, "body", "FLOW-MISSING"),
        ({"type": "python", "entry_point": "x", "arguments": {"a": "}"}}, "arguments.a", "FLOW-EXPRESSION"),
        ({"type": "transfer"}, "queue", "FLOW-ONE-OF"),
        ({"type": "transfer", "flow": "x"}, "flow", "FLOW-UNKNOWN-FIELD"),
        ({"type": "hang_up", "cause": "tired"}, "cause", "FLOW-FIELD"),
    ],
)
def test_a_field_that_can_not_be_read(node: dict[str, Any], where: str, code: str) -> None:
    found = wrong(**node)
    assert (where, code) in found
    if "transfer" not in str(node):
        assert len(found) == 1


def test_nodes_with_impossible_names() -> None:
    assert told(graph({"a b": {"type": "answer"}, "ok-1.é": {"type": "answer"}})) == [("a b", "", "FLOW-ID")]
    assert told(graph({"a": 5})) == [("a", "", "FLOW-NODE")]


def test_all_problems_are_told_at_once_and_the_rest_is_read() -> None:
    text = graph(
        {"a": {"type": "say"}, "b": {"type": "nope"}, "c": {"type": "queue", "queue": "q", "priority": "x"}}
    )
    assert [code for _, _, code in told(text)] == ["FLOW-MISSING", "FLOW-TYPE", "FLOW-FIELD"]
    result = read(text)
    assert result.flow is not None
    assert result.broken == {"b"}
    assert result.flow.nodes["a"].does == n.Say(())
    assert result.flow.nodes["c"].does == n.Enqueue("q", 0)


def test_every_problem_of_reading_was_met_here() -> None:
    """The sentences that are never used would be translated for nothing."""
    source = Path(__file__).read_text()
    assert [code for code in READING if f'"{code}"' not in source] == []
    assert all(sentence and not sentence.endswith(".") for sentence in SENTENCES.values())


# --- the examples, and what becomes of them in bad hands ---


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_read(path: Path) -> None:
    assert parse(path.read_text()).nodes


def test_the_examples_show_nearly_every_type() -> None:
    used = {node["type"] for path in EXAMPLES for node in json.loads(path.read_text())["nodes"].values()}
    assert set(TYPES) - used <= {"answer", "play", "percentage", "python", "transfer"}


JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    10**30,
    "",
    "x",
    "{",
    "\ud800",
    [],
    [[]],
    {},
    {"": ""},
    {"text": {}},
]


def _mutate(value: Any, dice: random.Random) -> Any:
    if dice.random() < 0.02:
        return dice.choice(JUNK)
    if isinstance(value, dict):
        return {
            (dice.choice(["", "x", "exits", "type", "prompt"]) if dice.random() < 0.02 else key): _mutate(
                item, dice
            )
            for key, item in value.items()
            if dice.random() > 0.01
        }
    if isinstance(value, list):
        return [_mutate(item, dice) for item in value]
    if isinstance(value, str) and value and dice.random() < 0.05:
        place = dice.randrange(len(value))
        return value[:place] + dice.choice(["{", "}", '"', "\x00", "", "é" * 500]) + value[place + 1 :]
    return value


@given(st.integers(0, 2**32), st.sampled_from(EXAMPLES))
@settings(max_examples=200, deadline=None)
def test_a_spoilt_flow_is_read_or_refused(seed: int, path: Path) -> None:
    spoilt = _mutate(json.loads(path.read_text()), random.Random(seed))
    try:
        flow = parse(json.dumps(spoilt))
    except FlowProblems as error:
        refused = error.problems
    else:
        assert set(flow.nodes) == set(spoilt["nodes"])
        return
    assert refused
    assert all(problem.code in READING and problem.sentence for problem in refused)


@given(st.integers(0, 2**32), st.sampled_from(EXAMPLES))
@settings(max_examples=200, deadline=None)
def test_a_spoilt_draft_is_checked(seed: int, path: Path) -> None:
    """For the editor: whatever is wrong, everything that can be said is said, with its sentence."""
    text = json.dumps(_mutate(json.loads(path.read_text()), random.Random(seed)))
    flow, found = problems(text, Known(queues=frozenset(), flows={}, languages=frozenset({"pl"})), path.stem)
    assert flow is not None or found
    assert all(one.sentence == SENTENCES[one.code].format_map(one.values) for one in found)
    assert len({(one.node, one.where, one.code, one.sentence) for one in found}) == len(found)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(FlowProblems):
        parse(text)
