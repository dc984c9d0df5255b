"""What is set on the screen, laid under the file: the file wins, and nothing else is lost."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centrala.settings import SettingsError, Tenant, parse
from centrala.settings.difference import differences, effects, yaml_difference
from centrala.settings.editing import Edit, edited
from centrala.settings.overlay import SAVED, Saved, changed, keys_of, lines_of, tree_of, value_at
from centrala.settings.reading import tree

pytestmark = pytest.mark.unit

QUICK = settings(max_examples=200, deadline=None)


def read(text: str, under: dict[str, Any] | None = None) -> Any:
    return parse(text, Path("c.yaml"), {}, Saved({"acme": under or {}}))


def acme(text: str, under: dict[str, Any] | None = None) -> Tenant:
    found: Tenant = read(text, under).tenants["acme"]
    return found


BASE = "tenants:\n  acme:\n    domain: acme.example\n"


def test_anchors_and_empty_values_are_what_they_are_in_the_file() -> None:
    text = (
        BASE
        + "    queues:\n      sales: &usual {wrap_up: 30s, ring_timeout: }\n"
        + "      night: {<<: *usual, max_length: 3}\n      empty:\n"
    )
    keys = {"wrap_up": "1s", "ring_timeout": "9s", "max_length": 7}
    under = {"queues": dict.fromkeys(("sales", "night", "empty", "new"), keys)}
    found = {
        one.id: (one.wrap_up, one.ring_timeout, one.max_length) for one in acme(text, under).queues.values()
    }
    assert found == {
        "sales": (30.0, 9.0, 7),
        "night": (30.0, 9.0, 3),
        "empty": (1.0, 9.0, 7),
        "new": (1.0, 9.0, 7),
    }


def test_messages_tell_where_each_comes_from() -> None:
    with pytest.raises(SettingsError) as caught:
        read(BASE + "    queues: {sales: {strategy: x}}\n", {"queues": {"sales": {"wrap_up": "y"}}})
    lines = str(caught.value).split("\n")
    assert lines[0].startswith("set on the screen: tenants.acme.queues.sales.wrap_up: 'y' is not a duration")
    assert lines[1].startswith("c.yaml:4: tenants.acme.queues.sales.strategy: 'x' is not a strategy")


TWO = BASE + (
    "  other:\n    domain: other.example\n"
    "    trunks: {carrier: {address: '192.0.2.5:5060'}, office: {network: 198.51.100.0/24},"
    " itsp: {register: {registrar: sip.example, user: b, password: b}}}\n"
    "    agents: {desk: {phone: 'sip:d@192.0.2.9'}}\n"
)


@pytest.mark.parametrize(
    ("under", "key"),
    [
        ({"trunks": {"t": {"network": "0.0.0.0/0"}}}, "trunks.t.network"),
        ({"agents": {"a": {"phone": "sip:d@192.0.2.9"}}}, "agents.a.phone"),
        ({"trunks": {"t": {"address": "192.0.2.5:5060", "outbound": True}}}, "trunks.t"),
        ({"trunks": {"t": {"address": "192.0.2.5:5062"}}}, "trunks.t"),
        ({"trunks": {"t": {"address": "198.51.100.7:5060"}}}, "trunks.t"),
        ({"trunks": {"t": {"address": "SIP.example:5060"}}}, "trunks.t"),
        (
            {"trunks": {"t": {"register": {"registrar": "192.0.2.5", "user": "x", "password": "x"}}}},
            "trunks.t",
        ),
    ],
)
def test_a_screen_opens_no_way_to_the_calls_of_another_tenant(under: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(TWO, under)
    (line,) = str(caught.value).split("\n")
    assert line.startswith(f"set on the screen: tenants.acme.{key}: ")
    assert "other" not in line.partition(": ")[2].replace("another", "")
    # The file's own word counts, and in a house of one tenant there is nobody to protect.
    assert acme(BASE, under)


@pytest.mark.parametrize(
    "under",
    [
        {"trunks": {"t": {"address": "203.0.113.1:5060", "outbound": True}}},
        {"trunks": {"t": {"register": {"registrar": "sip.example", "user": "a", "password": "a"}}}},
        {"agents": {"a": {"phone": "sip:d@192.0.2.9", "sip_password": "secret"}}},
        {"trunks": {"t": {"max_calls": 5}}},
    ],
)
def test_a_tenant_s_own_carriers_and_phones_are_set_on_the_screen(under: dict[str, Any]) -> None:
    file = (
        TWO.replace(BASE, BASE + "    trunks: {t: {address: '192.0.2.5:5060'}}\n")
        if "max" in str(under)
        else TWO
    )
    assert acme(file, under)


def test_a_value_is_taken_whole() -> None:
    text = BASE + "    agents: {al: }\n    numbers: {1: {agent: al}}\n    reasons: {tea: {label: Tea}}\n"
    under = {
        "numbers": {"1": {"agent": "al", "record": True}, "2": {"agent": "al"}},
        "reasons": {"tea": {"limit": "5m"}, "nap": "Nap"},
    }
    found = acme(text, under)
    assert [(one.target, one.record) for one in found.numbers.values()] == [("al", False), ("al", False)]
    assert (found.reasons["tea"].limit, list(found.reasons)) == (None, ["tea", "nap"])


def test_other_tenants_and_files_that_are_wrong_stay_as_they_are() -> None:
    for text in ("tenants: 5", "tenants: {acme: 5}", "tenants: {acme: {domain: a, queues: 5}}", "[]"):
        with pytest.raises(SettingsError):
            read(text, {"queues": {"sales": {}}})
    two = BASE + "  other: {domain: other.example}\n"
    assert not read(two, {"queues": {"sales": {}}}).tenants["other"].queues
    assert read(BASE, None) == parse(BASE, Path("c.yaml"), {}, Saved({"gone": {"queues": {"x": {}}}}))


NAMES = st.sampled_from(["sales", "night", "a"])
KEYS = {
    "wrap_up": st.sampled_from(["1s", "2s"]),
    "ring_timeout": st.sampled_from(["5s", "6s"]),
    "record": st.booleans(),
    "max_length": st.integers(0, 5),
    "hours": st.just({"mon-fri": "9:00-17:00"}),
}
QUEUE = st.fixed_dictionaries({}, optional=KEYS)
TENANTS = st.fixed_dictionaries(
    {},
    optional={
        "queues": st.dictionaries(NAMES, QUEUE, max_size=3),
        "name": st.sampled_from(["One", "Two"]),
        "reasons": st.dictionaries(
            NAMES, st.sampled_from(["Tea", {"label": "Nap", "limit": "5m"}]), max_size=2
        ),
    },
)


@QUICK
@given(TENANTS, TENANTS)
def test_the_file_wins_and_nothing_else_is_lost(file: dict[str, Any], under: dict[str, Any]) -> None:
    import yaml

    text = yaml.safe_dump({"tenants": {"acme": {"domain": "acme.example", **file}}})
    found = read(text, under)
    shown = dict(keys_of(tree_of(tree(found, found.saved), "acme")))
    of_file, saved = dict(keys_of({"domain": "acme.example", **file})), dict(keys_of(under))
    lines = lines_of(tree(found, found.saved), "acme")
    for path, value in shown.items():
        if value == {} and path not in of_file and path not in saved:
            continue  # an empty table or thing
        expected = (
            of_file[path] if path in of_file and of_file[path] != {} else saved.get(path, of_file.get(path))
        )
        assert value == expected, path
        assert (lines.get(path, SAVED) == SAVED) == (path not in of_file or path not in lines)
    for path, value in {**saved, **of_file}.items():
        assert path in shown or value == {}, path


@QUICK
@given(
    TENANTS, st.lists(st.tuples(NAMES, st.sampled_from(list(KEYS)), st.none() | st.just("1s")), max_size=5)
)
def test_edits_change_their_keys_alone(saved: dict[str, Any], asked: list[tuple[str, str, Any]]) -> None:
    edits = [Edit(("queues", name, key), value) for name, key, value in asked]
    done = edited(saved, edits, {}, lambda: "id")
    assert not done.problems
    last = {one.path: one.value for one in edits}
    for path, value in last.items():
        assert value_at(done.tree, path) == value
    before, after = dict(keys_of(saved)), dict(keys_of(done.tree))
    for path in {*before, *after} - set(last):
        if len(path) == 3:
            assert before.get(path) == after.get(path)
    told = {tuple(one["path"]) for one in differences(saved, done.tree)}
    assert told <= set(last) | {path[:2] for path in last}


def test_changed_leaves_the_old_tree_alone() -> None:
    old = {"queues": {"sales": {"needs": {"a": 1}}}}
    new = changed(old, ("queues", "sales", "needs"), {"b": 2})
    assert old == {"queues": {"sales": {"needs": {"a": 1}}}}
    assert changed(new, ("queues", "sales"), None) == {}
    assert changed({}, ("queues", "x", "y"), None) == {}


def test_a_difference_as_yaml_shows_what_changes_alone() -> None:
    before = {"name": "One", "queues": {"sales": {"wrap_up": "1s", "record": True}, "old": {}}}
    after = {
        "name": "One",
        "queues": {"sales": {"wrap_up": "2s", "record": True}},
        "numbers": {"1": {"queue": "sales"}},
    }
    assert yaml_difference(before, after).splitlines() == [
        "+numbers:",
        "+  '1':",
        "+    queue: sales",
        " queues:",
        "-  old: {}",
        "   sales:",
        "-    wrap_up: 1s",
        "+    wrap_up: 2s",
    ]


def test_effects_in_order() -> None:
    agents = "    agents: {al: {skills: {x: 5}}, bo: {skills: {x: 2}}, cy: {phone: 'sip:c@h'}}\n"
    before = acme(
        BASE
        + agents
        + "    queues: {q: {needs: {x: 1}}, old: {agents: [al]}}\n    numbers: {1: {queue: q}, 2: {agent: al}}\n"
    )
    after = acme(
        BASE
        + agents.replace("sip:c@h", "sip:c@i")
        + "    timezone: Europe/Warsaw\n    queues: {q: {needs: {x: 3}}}\n    numbers: {1: {agent: bo}}\n"
    )
    assert effects(before, after, lambda queue: 4, lambda agent: agent == "cy") == [
        {"code": "QUEUE-REMOVED", "queue": "old", "waiting": 4},
        {"code": "NUMBER-REMOVED", "number": "2"},
        {"code": "AFTER-RESTART", "key": "timezone"},
        {"code": "QUEUE-LOSES-AGENTS", "queue": "q", "count": 1, "agents": ["bo"]},
        {
            "code": "NUMBER-MOVES",
            "number": "1",
            "before": {"kind": "queue", "target": "q"},
            "to": {"kind": "agent", "target": "bo"},
        },
        {"code": "PHONE-CHANGED", "agent": "cy", "busy": True},
    ]
    assert effects(before, before) == []


def test_a_carrier_that_tenants_share_by_the_file_is_called_out_over_by_the_file_alone() -> None:
    file = TWO.replace(BASE, BASE + "    trunks: {t: {address: '192.0.2.5:5060'}}\n")
    with pytest.raises(SettingsError, match=r"tenants\.acme\.trunks\.t: is at an address"):
        acme(file, {"trunks": {"t": {"outbound": True}}})
    assert acme(file.replace("5060'}}\n", "5060', outbound: true}}\n", 1)).trunks["t"].outbound
