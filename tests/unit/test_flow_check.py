"""What is wrong with a flow is found, and exactly there."""

# ruff: noqa: E501 -- a graph in one or two lines is read at a glance
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centrala.core.flow.check import Known, check, exits_of, problems
from centrala.core.flow.functions import FUNCTIONS
from centrala.core.flow.graph import TYPES, parse
from centrala.core.flow.nodes import Flow
from centrala.core.flow.paths import circles, reached
from centrala.core.flow.problems import CHECKING, SENTENCES, Problem

pytestmark = pytest.mark.unit

FLOWS = Path(__file__).parents[2] / "examples" / "flows"

END = {"type": "hang_up"}


def flow(nodes: dict[str, Any], **more: Any) -> Flow:
    return parse(json.dumps({"format": 1, "start": "a", "nodes": nodes, **more}))


def found(
    nodes: dict[str, Any], known: Known = Known(), id: str = "", **more: Any
) -> list[tuple[str, str, str]]:
    return [(one.node, one.where, one.code) for one in check(flow(nodes, **more), known, id)]


def say(to: str, *prompt: Any, **more: Any) -> dict[str, Any]:
    return {"type": "say", "prompt": list(prompt) or ["Hello"], "exits": {"next": to}, **more}


def digits(variable: str, to: str, **more: Any) -> dict[str, Any]:
    exits = {"next": to, "timeout": "end", "invalid": "end"}
    return {"type": "collect", "prompt": ["?"], "variable": variable, "exits": exits, **more}


def http(to: str, **more: Any) -> dict[str, Any]:
    return {"type": "http", "url": "https://host.example/", "exits": {"next": to, "failed": "end"}, **more}


# --- each code: where it is found, in a graph that has nothing else wrong with it ---

Case = tuple[str, dict[str, Any], list[tuple[str, str]], dict[str, Any]]

SOME = Known(
    queues=frozenset({"sales"}),
    agents=frozenset({"alice"}),
    sounds=frozenset({"jingle", "builtin:beep"}),
    calendars=frozenset({"main"}),
    tables=frozenset({"orders"}),
    entry_points=frozenset({"risk"}),
    flows={"other": parse('{"format": 1, "start": "r", "nodes": {"r": {"type": "return", "exit": "done"}}}')},
    languages=frozenset({"pl", "en"}),
)

CASES: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("FLOW-UNREACHABLE", {"a": END, "b": END, "c": say("b")}, [("b", ""), ("c", "")]),
    ("FLOW-EXIT-MISSING", {"a": {"type": "answer"}}, [("a", "exits.next")]),
    ("FLOW-EXIT-MISSING", {"a": digits("x", "end") | {"exits": {"next": "end"}}, "end": END},
     [("a", "exits.invalid"), ("a", "exits.timeout")]),
    ("FLOW-EXIT-MISSING", {"a": {"type": "branch", "cases": [{"if": "contact.medium", "exit": "b"}], "exits": {"else": "end"}},
     "end": END}, [("a", "exits.b")]),
    ("FLOW-EXIT-MISSING", {"a": {"type": "customer", "exits": {"found": "end"}}, "end": END}, [("a", "exits.unknown")]),
    ("FLOW-EXIT-UNKNOWN", {"a": END | {"exits": {"next": "a"}}}, [("a", "exits.next")]),
    ("FLOW-EXIT-UNKNOWN", {"a": {"type": "menu", "prompt": ["?"], "exits":
     {"1": "end", "A": "end", "timeout": "end", "invalid": "end"}}, "end": END}, [("a", "exits.A")]),
    ("FLOW-NOWHERE", {"a": say("b")}, [("a", "exits.next")]),
    ("FLOW-MENU", {"a": {"type": "menu", "prompt": ["?"], "exits": {"timeout": "end", "invalid": "end"}}, "end": END},
     [("a", "exits")]),
    ("FLOW-LOOP", {"a": {"type": "branch", "cases": [{"if": "contact.medium", "exit": "on"}],
     "exits": {"on": "b", "else": "end"}}, "b": {"type": "set", "values": {}, "exits": {"next": "a"}}, "end": END}, [("a", "")]),
    ("FLOW-LOOP", {"a": say("a", barge_in=False)}, [("a", "")]),
    ("FLOW-NO-END", {"a": say("b"), "b": say("c"), "c": say("b")}, [("b", "")]),
    ("FLOW-QUEUE", {"a": {"type": "queue", "queue": "sale"}}, [("a", "queue")]),
    ("FLOW-QUEUE", {"a": {"type": "transfer", "queue": "sale"}}, [("a", "queue")]),
    ("FLOW-QUEUE", {"a": {"type": "hours", "queue": "sale", "exits": {"open": "end", "closed": "end"}}, "end": END},
     [("a", "queue")]),
    ("FLOW-AGENT", {"a": {"type": "transfer", "agent": "bob"}}, [("a", "agent")]),
    ("FLOW-CALENDAR", {"a": {"type": "hours", "calendar": "x", "exits": {"open": "end", "closed": "end"}}, "end": END},
     [("a", "calendar")]),
    ("FLOW-TABLE", {"a": {"type": "table", "table": "x", "key": "1", "exits": {"found": "end", "unknown": "end"}}, "end": END},
     [("a", "table")]),
    ("FLOW-ENTRY-POINT", {"a": {"type": "python", "entry_point": "x", "exits": {"next": "end", "failed": "end"}}, "end": END},
     [("a", "entry_point")]),
    ("FLOW-FLOW", {"a": {"type": "flow", "flow": "x", "exits": {"else": "end"}}, "end": END}, [("a", "flow")]),
    ("FLOW-RETURN", {"a": {"type": "flow", "flow": "other", "exits": {"else": "end"}}, "end": END}, [("a", "exits.done")]),
    ("FLOW-NEVER", {"a": {"type": "flow", "flow": "other", "exits": {"done": "end", "never": "end", "else": "end"}},
     "end": END}, [("a", "exits.never")]),
    ("FLOW-NEVER", {"a": {"type": "percentage", "shares": {"x": 100, "y": 0}, "exits": {"x": "end", "y": "end"}}, "end": END},
     [("a", "shares.y")]),
    ("FLOW-NEVER", {"a": {"type": "branch", "cases": [{"if": "language", "exit": "x"}, {"if": "1 == 1", "exit": "x"},
     {"if": "contact.id", "exit": "x"}], "exits": {"x": "end", "else": "end"}}, "end": END}, [("a", "cases[2].if")]),
    ("FLOW-NEVER", {"a": {"type": "branch", "cases": [{"if": "language", "exit": "x"}, {"if": "language", "exit": "y"}],
     "exits": {"x": "end", "y": "end", "else": "end"}}, "end": END}, [("a", "cases[1].if")]),
    ("FLOW-NEVER", {"a": {"type": "branch", "cases": [], "exits": {"else": "end"}}, "end": END}, [("a", "cases")]),
    ("FLOW-SHARES", {"a": {"type": "percentage", "shares": {"x": 50, "y": 49.9}, "exits": {"x": "end", "y": "end"}},
     "end": END}, [("a", "shares")]),
    ("FLOW-SHARES", {"a": {"type": "percentage", "shares": {}}}, [("a", "shares")]),
    ("FLOW-SOUND", {"a": {"type": "play", "sound": "x", "exits": {"next": "end"}}, "end": END}, [("a", "prompt[0].sound")]),
    ("FLOW-SOUND", {"a": say("end", {"sound": {"pl": "jingle", "en": "x"}}), "end": END}, [("a", "prompt[0].sound.en")]),
    ("FLOW-SOUND", {"a": say("end", {"sound": "builtin:x"}), "end": END}, [("a", "prompt[0].sound")]),
    ("FLOW-SOUND-FIXED", {"a": say("end", {"sound": "x{language}"}), "end": END}, [("a", "prompt[0].sound")]),
    ("FLOW-TARGET", {"a": {"type": "transfer", "phone": "+4822"}}, [("a", "phone")]),
    ("FLOW-TARGET", {"a": {"type": "transfer", "outside": "sip:x@y"}}, [("a", "outside")]),
    ("FLOW-TARGET", {"a": {"type": "email", "to": "me", "subject": "s", "body": "b", "exits": {"next": "end"}}, "end": END},
     [("a", "to")]),
    ("FLOW-RANGE", {"a": digits("x", "end", retries=11, timeout=0), "end": END}, [("a", "timeout"), ("a", "retries")]),
    ("FLOW-RANGE", {"a": digits("x", "end", least=5, most=4), "end": END}, [("a", "least")]),
    ("FLOW-RANGE", {"a": http("end", timeout=31, cache=100_000), "end": END}, [("a", "timeout"), ("a", "cache")]),
    ("FLOW-RANGE", {"a": {"type": "python", "entry_point": "risk", "timeout": 61, "exits": {"next": "end", "failed": "end"}},
     "end": END}, [("a", "timeout")]),
    ("FLOW-RANGE", {"a": {"type": "record", "prompt": ["?"], "variable": "m", "longest": 5, "shortest": 6,
     "exits": {"next": "end", "empty": "end"}}, "end": END}, [("a", "shortest")]),
    ("FLOW-RANGE", {"a": say("end", "x", {"pause": 60_000}), "end": END}, [("a", "prompt[1].pause")]),
    ("FLOW-RANGE", {"a": {"type": "percentage", "shares": {"x": 110, "y": -10}, "exits": {"x": "end", "y": "end"}},
     "end": END}, [("a", "shares.x"), ("a", "shares.y")]),
    ("FLOW-PROMPT", {"a": {"type": "say", "prompt": [], "exits": {"next": "end"}}, "end": END}, [("a", "prompt")]),
    ("FLOW-PROMPT", {"a": say("end", "x", " "), "end": END}, [("a", "prompt[1].text")]),
    ("FLOW-LANGUAGE", {"a": say("end", {"text": {"pl": "x", "en": "x", "de": "x"}}), "end": END}, [("a", "prompt[0].text.de")]),
    ("FLOW-LANGUAGE", {"a": say("end", {"text": {"pl": "x", "Polski": "x"}}), "end": END}, [("a", "prompt[0].text.Polski")]),
    ("FLOW-TRANSLATION", {"a": say("b", {"text": {"pl": "x", "en": "x"}}), "b": say("end", {"text": {"pl": "x"}}), "end": END},
     [("b", "prompt[0].text")]),
    ("FLOW-PART-VALUE", {"a": say("end", {"number": "twelve"}, {"number": "{contact.id}"}), "end": END},
     [("a", "prompt[0].number")]),
    ("FLOW-CURRENCY", {"a": say("end", {"money": 5}, {"money": 5, "currency": "PLN"}), "end": END}, [("a", "prompt[0].currency")]),
    ("FLOW-HOST", {"a": http("end", url="https://{contact.id}.example/"), "end": END}, [("a", "url")]),
    ("FLOW-HOST", {"a": http("end", url="https://host.example{contact.id}/"), "end": END}, [("a", "url")]),
    ("FLOW-HOST", {"a": http("end", url="https://host.example:80{contact.id}/"), "end": END}, [("a", "url")]),
    ("FLOW-HOST", {"a": http("end", url="{contact.id}"), "end": END}, [("a", "url")]),
    ("FLOW-HOST", {"a": http("end", url="ftp://host.example/"), "end": END}, [("a", "url")]),
    ("FLOW-HOST", {"a": http("end", url="https://user:word@host.example/"), "end": END}, [("a", "url")]),
    ("FLOW-HEADER", {"a": http("end", headers={"X Y": "1", "Good": "1"}), "end": END}, [("a", "headers.X Y")]),
    ("FLOW-HEADER", {"a": http("end", headers={"X": "1\r\nY: 2"}), "end": END}, [("a", "headers.X")]),
    ("FLOW-RESERVED", {"a": {"type": "set", "values": {"contact.id": "1", "language": "'pl'"}, "exits": {"next": "end"}},
     "end": END}, [("a", "values.contact.id")]),
    ("FLOW-UNSET", {"a": say("end", "{x}"), "end": END}, [("a", "prompt[0].text")]),
    ("FLOW-UNSET", {"a": {"type": "customer", "exits": {"found": "b", "unknown": "end"}}, "b": say("end", "{custmer.name}"),
     "end": END}, [("b", "prompt[0].text")]),
    ("FLOW-SECRET", {"a": digits("pin", "b", secret=True), "b": say("end", "{pin}"), "end": END}, [("b", "prompt[0].text")]),
    ("FLOW-SECRET", {"a": digits("pin", "b", secret=True), "b": http("end", body="{slice(pin, 1, 2)}"), "end": END},
     [("b", "body")]),
    ("FLOW-SECRET", {"a": digits("pin", "end", secret=True, accept="pin > 5"), "end": END}, [("a", "accept")]),
    ("FLOW-SECRET", {"a": digits("pin", "end", secret=True, accept="contact.id > 5"), "end": END}, [("a", "accept")]),
    ("FLOW-SECRET", {"a": digits("pin", "b", secret=True), "b": {"type": "branch", "cases": [{"if": "pin == 1", "exit": "x"}],
     "exits": {"x": "end", "else": "end"}}, "end": END}, [("b", "cases[0].if")]),
    ("FLOW-SECRET-SET", {"a": digits("pin", "b", secret=True), "b": digits("pin", "end"), "end": END}, [("b", "variable")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "nodes", "places"), CASES, ids=[f"{case[0]}-{at}" for at, case in enumerate(CASES)]
)
def test_found_exactly_there(code: str, nodes: dict[str, Any], places: list[tuple[str, str]]) -> None:
    assert found(nodes, SOME) == [(node, where, code) for node, where in places]


def test_the_flow_itself() -> None:
    assert found({"b": END}) == [("", "start", "FLOW-START")]
    assert found({"a": END}, SOME, language="de") == [("", "language", "FLOW-LANGUAGE")]
    assert found({"a": END}, SOME, language="pl") == []


def calls(name: str) -> Flow:
    return flow({"a": {"type": "flow", "flow": name, "exits": {"else": "end"}}, "end": END})


def test_flows_that_lead_into_each_other() -> None:
    known = Known(flows={"one": calls("two"), "two": calls("three")})
    assert [one.code for one in check(calls("one"), known, "three")] == ["FLOW-RECURSION"]
    assert [one.code for one in check(calls("three"), known, "three")] == ["FLOW-RECURSION"]
    assert check(calls("one"), Known(flows={**known.flows, "three": flow({"a": END})}), "four") == []  # type: ignore[dict-item]
    circle = Known(flows={"one": calls("two"), "two": calls("one")})
    assert [(one.node, one.where, one.code) for one in check(calls("one"), circle, "x")] == [
        ("a", "flow", "FLOW-RECURSION")
    ]


def test_flows_inside_each_other_are_counted() -> None:
    chain = {f"f{number}": calls(f"f{number + 1}") for number in range(8)} | {"f8": flow({"a": END})}
    assert check(calls("f1"), Known(flows=chain), "top") == []
    assert [one.code for one in check(calls("f0"), Known(flows=chain), "top")] == ["FLOW-DEPTH"]
    endless = {f"f{number}": calls(f"f{number + 1}") for number in range(5000)}
    assert [one.code for one in check(calls("f0"), Known(flows=endless), "top")] == ["FLOW-DEPTH"]


def test_a_loop_over_an_inner_flow_is_one_only_if_that_waits_for_nobody() -> None:
    def around(inner: dict[str, Any]) -> list[str]:
        nodes = {"a": {"type": "flow", "flow": "inner", "exits": {"again": "a", "else": "end"}}, "end": END}
        return [one.code for one in check(flow(nodes), Known(flows={"inner": flow(inner)}), "x")]

    back = {"type": "return", "exit": "again"}
    assert around({"a": {"type": "set", "values": {}, "exits": {"next": "b"}}, "b": back}) == ["FLOW-LOOP"]
    assert around({"a": say("b"), "b": back}) == []


def test_variables_come_from_inner_flows_and_from_those_that_lead_here() -> None:
    gives = flow(
        {"a": {"type": "set", "values": {"x": "1"}, "exits": {"next": "b"}}, "b": {"type": "return"}}
    )
    uses = {"a": say("b", "{x}"), "b": {"type": "return"}}
    outer = {
        "a": {"type": "flow", "flow": "gives", "exits": {"next": "b", "else": "b"}},
        "b": say("end", "{x} {y}"),
        "end": END,
    }
    assert found(outer, Known(flows={"gives": gives}), "o") == [("b", "prompt[0].text", "FLOW-UNSET")]
    assert found(uses, Known(flows={}), "u") == []  # nobody knows yet who leads here
    caller = flow({"a": {"type": "set", "values": {"x": "1"}, "exits": {"next": "b"}},
                   "b": {"type": "flow", "flow": "u", "exits": {"else": "end"}}, "end": END})  # fmt: skip
    assert found(uses, Known(flows={"caller": caller}), "u") == []
    assert found(uses, Known(flows={"caller": calls("u")}), "u") == [("a", "prompt[0].text", "FLOW-UNSET")]


def test_what_is_not_known_is_not_checked() -> None:
    for code, nodes, _ in CASES:
        if code in (
            "FLOW-QUEUE",
            "FLOW-AGENT",
            "FLOW-TABLE",
            "FLOW-CALENDAR",
            "FLOW-ENTRY-POINT",
            "FLOW-FLOW",
            "FLOW-SOUND",
        ):
            assert found(nodes) == []


def test_secrets_may_go_over_http() -> None:
    assert found({"a": digits("pin", "b", secret=True), "b": http(
        "end", method="POST", url="https://host.example/{pin}", headers={"X-Pin": "{ pin }"}, body='{{"pin": "{pin}"}}'),
        "end": END}) == []  # fmt: skip


def test_every_code_was_met_here() -> None:
    met = {code for code, _, _ in CASES} | {"FLOW-START", "FLOW-RECURSION", "FLOW-DEPTH"}
    assert met == set(CHECKING)


@pytest.mark.parametrize(("code", "nodes", "places"), CASES)
def test_sentences_are_complete(code: str, nodes: dict[str, Any], places: list[tuple[str, str]]) -> None:
    for one in check(flow(nodes), SOME):
        assert one.sentence == CHECKING[code].format(**one.values)
        assert one.sentence[0].islower() or one.sentence.startswith(tuple(one.values.values()))
        assert one.severity == ("warning" if code in WARNINGS else "error")


WARNINGS = {"FLOW-NEVER", "FLOW-RETURN", "FLOW-PROMPT", "FLOW-TRANSLATION", "FLOW-UNSET"}


# --- unfinished drafts ---


def draft(nodes: dict[str, Any]) -> list[Problem]:
    return problems(json.dumps({"format": 1, "start": "a", "nodes": nodes}), SOME)[1]


def test_a_draft_is_read_and_checked_at_once() -> None:
    assert [(one.node, one.where, one.code) for one in draft({
        "a": {"type": "say", "exits": {"next": "b"}},
        "b": {"type": "queue", "exits": {}},
        "c": {"type": "nonsense"},
        "d": {"type": "branch", "cases": [{"if": "(", "exit": "x"}, {"if": "y", "exit": "x"}], "exits": {"else": "b", "x": "b"}},
    })] == [
        ("a", "prompt", "FLOW-MISSING"),
        ("b", "queue", "FLOW-MISSING"),
        ("c", "type", "FLOW-TYPE"),
        ("d", "cases[0].if", "FLOW-EXPRESSION"),
        ("c", "", "FLOW-UNREACHABLE"),
        ("d", "", "FLOW-UNREACHABLE"),
    ]  # fmt: skip
    assert problems("[]") == (None, problems("[]")[1])


# --- the examples ---


def test_the_examples_are_clean() -> None:
    flows = {path.stem: parse(path.read_text()) for path in FLOWS.glob("*.json")}
    assert {"shop", "clinic", "survey"} <= set(flows)
    known = Known(
        queues=frozenset({"sales", "reception"}), agents=frozenset(), sounds=frozenset(), calendars=frozenset({"shop"}),
        tables=frozenset({"visits"}), entry_points=frozenset(), flows=flows, languages=frozenset({"pl", "en", "ru"}),
    )  # fmt: skip
    assert {name: check(one, known, name) for name, one in flows.items()} == {name: [] for name in flows}


# --- ways, against the plainest way to find them ---

GRAPHS = st.integers(1, 7).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size
    )
).map(lambda rows: {str(at): [str(to) for to in row] for at, row in enumerate(rows)})  # fmt: skip


@given(GRAPHS)
@settings(max_examples=300, deadline=None)
def test_circles_are_those_of_the_transitive_closure(edges: dict[str, list[str]]) -> None:
    beyond = {a: {b for b in edges if any(b in reached([to], edges) for to in edges[a])} for a in edges}
    expected = {
        frozenset(b for b in edges if b in beyond[a] and a in beyond[b]) for a in edges if a in beyond[a]
    }
    assert {frozenset(circle) for circle in circles(edges)} == expected


@given(GRAPHS)
@settings(max_examples=300, deadline=None)
def test_ways_out_are_those_of_a_search_from_each_node(edges: dict[str, list[str]]) -> None:
    """Every node says something and may be barged into; those without a way on hang up."""
    nodes: dict[str, Any] = {}
    for id, others in edges.items():
        exits = (
            {
                **{str(place): to for place, to in enumerate(others)},
                "timeout": others[0],
                "invalid": others[0],
            }
            if others
            else {}
        )
        nodes[f"n{id}"] = (
            {"type": "menu", "prompt": ["?"], "exits": {k: f"n{v}" for k, v in exits.items()}}
            if others
            else END
        )
    checked = check(parse(json.dumps({"format": 1, "start": "n0", "nodes": nodes})))
    seen = reached(["0"], edges)
    assert {one.node for one in checked if one.code == "FLOW-UNREACHABLE"} == {
        f"n{id}" for id in edges if id not in seen
    }
    trapped = {id for id in seen if all(edges[other] for other in reached([id], edges))}
    said = {
        name[1:]
        for one in checked
        if one.code == "FLOW-NO-END"
        for name in one.values["nodes"].removesuffix(" …").split(", ")
    }
    assert bool(said) == bool(trapped)
    assert said <= trapped
    assert all(said & reached([id], edges) for id in trapped) or any(
        "…" in one.values.get("nodes", "") for one in checked
    )


def test_exits_are_told_for_the_editor() -> None:
    does = flow({"a": {"type": "hours", "queue": "sales", "exits": {}}}).nodes["a"].does
    assert exits_of(does) == ({"open", "closed"}, {"open", "closed"})


# --- the reference ---

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "flows.md").read_text()


def test_the_reference_tells_every_code_type_and_function() -> None:
    words = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", REFERENCE, flags=re.DOTALL)))
    assert set(SENTENCES) <= words
    assert {one for one in SENTENCES if f"`{one}` *w*" in REFERENCE} == WARNINGS
    assert set(re.findall(r"^### `(\w+)`$", REFERENCE, re.MULTILINE)) == set(TYPES)
    assert set(FUNCTIONS) <= {word.split("(")[0] for word in words if "(" in word}


def test_the_examples_of_the_reference_are_as_they_say() -> None:
    """Each node of the reference, its exits leading to an end, is read, and nothing is wrong with it."""
    blocks = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", REFERENCE, re.DOTALL)]
    nodes = [block for block in blocks if isinstance(block, dict) and "type" in block]
    assert len(nodes) == len(TYPES)
    for node in nodes:
        if node["type"] == "menu":
            assert set(node["exits"]) >= {"timeout", "invalid"}
        node["exits"] = dict.fromkeys(node.get("exits", {}), "end")
        graph = {"a": node} if not node["exits"] else {"a": node, "end": END}
        assert [one for one in found(graph) if one[2] != "FLOW-UNSET"] == []
    (whole,) = [block for block in blocks if isinstance(block, dict) and "format" in block]
    assert check(parse(json.dumps(whole))) == []
    (prompt,) = [block for block in blocks if isinstance(block, list)]
    assert {one[2] for one in found({"a": say("end", *prompt), "end": END})} == {"FLOW-UNSET"}
