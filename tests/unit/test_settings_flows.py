"""Flows, calendars, tables, mail, web and voices in a centre's file."""

import json
import re
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.flow.check import Known, problems
from centrala.core.specs import FlowSpec
from centrala.people import open_people
from centrala.people.changes import saved
from centrala.people.config import apply, export
from centrala.settings import (
    Announce,
    Http,
    Mail,
    Secret,
    Settings,
    SettingsError,
    Table,
    Tenant,
    load,
    parse,
)
from centrala.settings.difference import as_yaml
from centrala.settings.editing import Edit, edited
from centrala.settings.facts import ALWAYS, changes
from centrala.settings.flows import canonical
from centrala.settings.house_flows import house_flows
from centrala.settings.overlay import HIDDEN, Saved, keys_of, lines_of, tree_of
from centrala.settings.reading import again, tree
from centrala.speech.prompts import NAMES, PREFIX

pytestmark = pytest.mark.unit

BASE = """\
tenants:
  acme:
    domain: acme.example
    timezone: Europe/Warsaw
    agents: {alice: {sip_password: secret}}
    queues: {sales: {agents: [alice]}}
"""
AFTER = BASE.count("\n") + 1

HELLO = {
    "format": 1,
    "start": "hello",
    "nodes": {
        "hello": {"type": "say", "prompt": ["Hello"], "exits": {"next": "wait"}},
        "wait": {"type": "queue", "queue": "sales"},
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "main.json").write_text(json.dumps(HELLO))
    return tmp_path


def read(folder: Path, text: str) -> Settings:
    return parse(f"{BASE}    {text}\n", folder / "centre.yaml", {})


def tenant(folder: Path, text: str) -> Tenant:
    return read(folder, text).tenants["acme"]


def wrong(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    return [one.sentence("centre.yaml") for one in caught.value.problems]


# ---- flows


@pytest.mark.parametrize(
    "text",
    [
        "{main: flows/main.json}",
        "{main: {file: flows/main.json}}",
        "{main: {name: Front, file: flows/main.json}}",
    ],
)
def test_a_flow_comes_from_a_file(folder: Path, text: str) -> None:
    flow = tenant(folder, f"flows: {text}").flows["main"]
    assert json.loads(flow.graph) == HELLO
    assert flow.file == folder / "flows" / "main.json"
    assert flow.name == ("Front" if "Front" in text else None)


def test_a_flow_may_stand_in_the_file_itself(folder: Path) -> None:
    inline = {
        "start": "ask",
        "nodes": {
            "ask": {
                "type": "menu",
                "prompt": ["One or two?"],
                "timeout": 2.5,
                "retries": 1,
                "barge_in": False,
                "exits": {"1": "1", "timeout": "bye", "invalid": "bye"},
            },
            "1": {"type": "queue", "queue": "sales"},
            "bye": {"type": "hang_up"},
        },
    }
    text = "flows:\n" + "\n".join("      " + line for line in yaml.safe_dump({"main": inline}).splitlines())
    flow = tenant(folder, text).flows["main"]
    assert json.loads(flow.graph) == {"format": 1, **inline}
    assert flow.file is None
    plain = text.replace("'1'", "1")
    assert plain != text
    assert tenant(folder, plain).flows["main"] == flow


def test_equal_flows_are_equal_texts(folder: Path) -> None:
    first = tenant(folder, "flows: {main: flows/main.json}").flows["main"].graph
    turned = {"nodes": dict(reversed(HELLO["nodes"].items())), "start": "hello", "format": 1}  # type: ignore[attr-defined]
    (folder / "flows" / "main.json").write_text(json.dumps(turned, indent=3))
    assert tenant(folder, "flows: {main: flows/main.json}").flows["main"].graph == first


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        ("{", "flows/main.json: this can't be read as JSON"),
        ("[]", "flows/main.json: a flow is a JSON object"),
        ('{"format": 1, "format": 1}', "stands twice"),
        (json.dumps(HELLO).replace('"wait"}', '"weit"}'), "flows/main.json, node hello, exits.next: "),
        (json.dumps(HELLO).replace("sales", "salse"), "flows/main.json, node wait, queue: "),
        (json.dumps(HELLO).replace("Hello", "Hello {1 +"), "flows/main.json, node hello, prompt[0]"),
    ],
)
def test_a_flow_with_errors_is_refused_with_file_node_and_field(folder: Path, graph: str, said: str) -> None:
    (folder / "flows" / "main.json").write_text(graph)
    found = wrong(folder, "flows: {main: flows/main.json}")
    assert any(said in one for one in found), found
    assert all(one.startswith(f"centre.yaml:{AFTER}: tenants.acme.flows.main") for one in found)


def test_what_is_odd_about_a_flow_is_a_warning(folder: Path) -> None:
    (folder / "flows" / "main.json").write_text(json.dumps(HELLO).replace("Hello", "Hello {nobody_set_this}"))
    (warning,) = read(folder, "flows: {main: flows/main.json}").warnings
    assert "tenants.acme.flows.main: flows/main.json, node hello, prompt[0]" in warning


def test_files_that_are_no_flows(folder: Path) -> None:
    assert "there is no file 'flows/no.json'" in wrong(folder, "flows: {a: flows/no.json}")[0]
    assert "there is no file" in wrong(folder, "flows: {a: flows}")[0]
    (folder / "flows" / "x.json").write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in wrong(folder, "flows: {a: flows/x.json}")[0]
    (folder / "flows" / "x.json").write_bytes(b" " * (2 << 20) + b"{}")
    assert "is bigger than 2 MiB" in wrong(folder, "flows: {a: flows/x.json}")[0]
    assert (
        "found a file and nodes"
        in wrong(folder, "flows: {a: {file: flows/main.json, start: a, nodes: {}}}")[0]
    )
    assert "found nothing to go through" in wrong(folder, "flows: {a: {name: A}}")[0]
    assert "unknown key" in wrong(folder, "flows: {a: {file: flows/main.json, voice: x}}")[0]
    assert (
        "given twice"
        in wrong(folder, "flows: {a: {start: a, nodes: {a: {type: hang_up}, a: {type: answer}}}}")[0]
    )


def test_flows_know_each_other_calendars_and_tables(folder: Path) -> None:
    text = (
        "calendars: {office: {holidays: [2026-12-25]}}\n    tables: {codes: codes.csv}\n    flows:\n"
        "      main: {start: a, nodes: {a: {type: flow, flow: inner, exits: {done: e, else: e}}, e: {type: hang_up}}}\n"
        "      inner: {start: a, nodes: {a: {type: hours, calendar: CAL, exits: {open: b, closed: e}},"
        " b: {type: table, table: codes, key: '{contact.dialled}', exits: {found: e, unknown: e}},"
        " e: {type: return, exit: done}}}"
    )
    assert set(tenant(folder, text.replace("CAL", "office")).flows) == {"main", "inner"}
    (found,) = wrong(folder, text.replace("CAL", "offcie"))
    assert "tenants.acme.flows.inner" in found
    assert "node a, calendar" in found


def test_a_number_and_a_way_out_may_lead_into_a_flow(folder: Path) -> None:
    text = "flows: {main: flows/main.json}\n    numbers: {'201': {flow: main}, '202': {flow: mian}}"
    found = read(folder, text)
    assert [(one.kind, one.target) for one in found.tenants["acme"].numbers.values()] == [
        ("flow", "main"),
        ("flow", "mian"),
    ]
    (warning,) = [one for one in found.warnings if "numbers.202" in one]
    assert "is no flow" in warning
    assert "did you mean main?" in warning
    assert "has no record" in wrong(folder, "numbers: {'201': {flow: main, record: true}}")[0]
    assert "can't be an id" in wrong(folder, "numbers: {'201': {flow: '../x'}}")[0]
    facts = changes(Centre(), found.tenants["acme"], 1.8e9)
    assert [one.destination.kind for one in facts if isinstance(one, f.NumberChanged)] == [
        "flow",
        "flow",
        "agent",
    ]


def test_a_flow_of_the_screen_is_known_where_it_is_told(folder: Path) -> None:
    text = f"{BASE}    numbers: {{'201': {{flow: mine}}}}\n"
    for flows, warnings in (({"other": frozenset({"mine"})}, 1), ({"acme": frozenset({"mine"})}, 0)):
        assert len(parse(text, folder / "centre.yaml", {}, Saved(flows=flows)).warnings) == warnings


def test_settings_read_again_don_t_look_at_files_of_flows(folder: Path) -> None:
    before = read(folder, "flows: {main: flows/main.json}")
    (folder / "flows" / "main.json").write_text("broken meanwhile")
    after = again(before, Saved({"acme": {"name": "Acme"}}))
    assert after.tenants["acme"].name == "Acme"
    assert after.tenants["acme"].flows == before.tenants["acme"].flows
    (folder / "flows" / "main.json").unlink()
    assert again(after, Saved()).tenants["acme"].flows == before.tenants["acme"].flows


# ---- what flows use


def test_calendars_tables_mail_http_and_speech(folder: Path) -> None:
    (folder / "codes.csv").write_text("code,name\n1,One\n")
    found = read(
        folder,
        "calendars: {office: {hours: {mon-fri: '9:00-17:00'}, holidays: [2026-12-25, 2026-12-24]}}\n"
        "    tables: {codes: codes.csv, later: {file: later.csv, key: code}}\n"
        "    mail: {host: Mail.acme.example, from: centre@acme.example, security: tls, user: u, password: p}\n"
        "    http: {allow: [CRM.internal, '127.0.0.1:9000', '[::1]:9001', 10.0.0.0/8, '::1'], secrets: {crm: k}}\n"
        "    speech: {voice: {pl: gosia, en-GB: alan}, piper: {gosia: gosia.onnx}}",
    )
    acme = found.tenants["acme"]
    assert acme.calendars["office"].holidays == (date(2026, 12, 24), date(2026, 12, 25))
    assert acme.tables == {
        "codes": Table("codes", folder / "codes.csv"),
        "later": Table("later", folder / "later.csv", "code"),
    }
    assert acme.mail == Mail("mail.acme.example", "centre@acme.example", 465, "tls", "u", Secret("p"))
    assert acme.http == Http(
        ("crm.internal", "127.0.0.1:9000", "[::1]:9001", "10.0.0.0/8", "::1"), {"crm": Secret("k")}
    )
    assert acme.speech.voice == {"pl": "gosia", "en-GB": "alan"}
    assert acme.speech.piper == {"gosia": folder / "gosia.onnx"}
    missing = [one for one in found.warnings if "there is no file" in one]
    assert ["later.csv" in missing[0], "gosia.onnx" in missing[1], len(missing)] == [True, True, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mail: {host: m}", "mail.from: is missing"),
        ("mail: {from: a@b.example}", "mail.host: is missing"),
        ("mail: {host: m, from: nobody}", "is not an e-mail address"),
        ('mail: {host: m, from: "a@b.example\\r\\nBcc: x@y"}', "is not an e-mail address"),
        ("mail: {host: m, from: a@b.example, user: u}", "a user or a password alone"),
        ("mail: {host: m, from: a@b.example, security: ssl}", "is not a kind of security"),
        ("http: {allow: ['http://x']}", "expected one such as"),
        ("http: {allow: ['a b']}", "is no place to ask"),
        ("http: {allow: [10.0.0.1/8]}", "expected the network itself"),
        ("tables: {t: {key: a}}", "tables.t.file: is missing"),
        ("calendars: {c: {hours: {someday: '1-2'}}}", "is no day"),
        ("speech: {voice: {Polish!: x}}", "can't be an id"),
        ("speech: {voice: {POLISH: x}}", "is no language"),
    ],
)
def test_what_is_wrong_with_them(folder: Path, text: str, said: str) -> None:
    found = wrong(folder, text)
    assert any(said in one for one in found), found


def test_an_unencrypted_password_is_warned_of(folder: Path) -> None:
    text = "mail: {host: HOST, from: a@b.example, security: none, user: u, password: p}"
    assert any("unencrypted" in one for one in read(folder, text.replace("HOST", "m.example")).warnings)
    assert not any("unencrypted" in one for one in read(folder, text.replace("HOST", "127.0.0.1")).warnings)
    assert tenant(folder, text.replace("HOST", "m.example")).mail.port == 25  # type: ignore[union-attr]


# ---- on the screen


def test_calendars_and_mail_can_be_set_on_the_screen_and_what_reaches_the_machine_cannot(
    folder: Path,
) -> None:
    settings = read(folder, "flows: {main: flows/main.json}")
    given = lines_of(tree(settings), "acme")
    ids = iter(("one", "two"))
    done = edited(
        {},
        [
            Edit(("calendars", "office"), {"hours": {"mon": "9:00-17:00"}}),
            Edit(("mail",), {"host": "m.example", "from": "a@b.example", "user": "u", "password": "hush"}),
        ],
        given,
        lambda: next(ids),
    )
    assert done.problems == ()
    assert done.secrets == {"one": "hush"}
    after = again(settings, Saved({"acme": done.tree}, done.secrets))
    acme = after.tenants["acme"]
    assert acme.calendars["office"].hours is not None
    assert acme.mail is not None
    assert acme.mail.password == Secret("hush")
    shown = tree_of(tree(after, after.saved), "acme")
    assert shown["mail"]["password"] == HIDDEN
    for path, value in (
        (("flows", "x"), "/etc/passwd"),
        (("tables", "x"), {"file": "/etc/passwd"}),
        (("http",), {"allow": ["127.0.0.1"]}),
        (("speech",), {}),
    ):
        (problem,) = edited({}, [Edit(path, value)], given, str).problems
        assert problem.text == "can be given in the centre's file alone"


def test_what_is_shown_of_a_file_can_be_read_as_a_file(folder: Path) -> None:
    settings = read(
        folder,
        "flows:\n      a: flows/main.json\n"
        "      b: {start: m, nodes: {m: {type: menu, prompt: ['5'], timeout: 5, retries: 0, barge_in: false,"
        " exits: {1: e, timeout: e, invalid: e}}, e: {type: hang_up}}}\n"
        "    calendars: {office: {hours: {mon: ['1:00-2:00', '3:00-4:00']}}}\n"
        "    mail: {host: m.example, from: a@b.example, port: 26}",
    )
    shown = tree_of(tree(settings), "acme")
    shown["agents"]["alice"]["sip_password"] = "secret"
    text = as_yaml({"tenants": {"acme": shown}})
    assert parse(text, settings.path, {}).tenants == settings.tenants


def test_secrets_of_the_web_are_hidden(folder: Path) -> None:
    found = tree_of(
        tree(read(folder, "http: {secrets: {crm: hush, other: 'env:HOME'}}".replace("env:HOME", "x"))), "acme"
    )
    assert found["http"]["secrets"] == {"crm": HIDDEN, "other": HIDDEN}
    assert "hush" not in repr(read(folder, "http: {secrets: {crm: hush}}").tenants)
    assert all("hush" not in str(value) for _, value in keys_of(found))


# ---- facts


def told(
    centre: Centre, of: Tenant, now: float, published: dict[str, FlowSpec] | None = None
) -> list[f.Fact]:
    """What is told, and taken in."""
    facts = changes(centre, of, now, published)
    for fact in facts:
        events, _ = step(centre, fact)
        assert "Refused" not in [type(one).__name__ for one in events]
    return facts


NOW = datetime(2026, 12, 21, 12, tzinfo=UTC).timestamp()
HOUSE = {"callback": 1, "voicemail": 1}


def test_flows_become_versions_and_a_restart_tells_nothing(folder: Path) -> None:
    centre = Centre()
    main = tenant(
        folder, "flows: {main: flows/main.json}\n    calendars: {office: {hours: {mon: '9:00-17:00'}}}"
    )
    kinds = [type(one).__name__ for one in told(centre, main, NOW)]
    assert {"FlowPublished", "CalendarChanged"} <= set(kinds)
    assert centre.flows["main"].current == 1
    assert told(centre, main, NOW + 1) == []
    (folder / "flows" / "main.json").write_text(json.dumps(HELLO).replace("Hello", "Good day"))
    changed = tenant(folder, "flows: {main: flows/main.json}")
    assert [type(one).__name__ for one in told(centre, changed, NOW + 2)] == [
        "FlowPublished",
        "CalendarRemoved",
    ]
    assert centre.flows["main"].current == 2
    assert json.loads(centre.flows["main"].graphs[2])["nodes"]["hello"]["prompt"] == ["Good day"]


def test_flows_of_the_screen_stay_and_give_way_to_the_file(folder: Path) -> None:
    centre = Centre()
    nothing = tenant(folder, "name: Acme")
    mine = {"mine": FlowSpec("mine", 3, json.dumps(HELLO)), "main": FlowSpec("main", 7, json.dumps(HELLO))}
    told(centre, nothing, NOW, mine)
    assert {id: one.current for id, one in centre.flows.items()} == {"mine": 3, "main": 7, **HOUSE}
    assert told(centre, nothing, NOW, mine) == []
    assert told(centre, nothing, NOW, None) == []  # where they aren't known, none is taken away
    of_file = tenant(folder, "flows: {main: flows/main.json}")
    told(centre, of_file, NOW, mine)
    assert {id: one.current for id, one in centre.flows.items()} == {"mine": 3, "main": 8, **HOUSE}
    told(centre, replace(of_file, flows={}), NOW, {})
    assert {id: one.current for id, one in centre.flows.items()} == HOUSE


def test_a_flow_of_the_house_gives_way_to_one_of_the_tenant_and_comes_back(folder: Path) -> None:
    centre = Centre()
    nothing = tenant(folder, "name: Acme")
    told(centre, nothing, NOW, None)
    assert {id: one.current for id, one in centre.flows.items()} == HOUSE
    told(centre, tenant(folder, "flows: {callback: flows/main.json}"), NOW, {})
    assert centre.flows["callback"].current == 2
    assert told(centre, nothing, NOW, None) == [], "where the screen's flows aren't known, nothing changes"
    told(centre, nothing, NOW, {"callback": FlowSpec("callback", 3, json.dumps(HELLO))})
    assert centre.flows["callback"].current == 3
    told(centre, nothing, NOW, {})
    assert centre.flows["callback"].graphs == {4: house_flows()["callback"]}


@pytest.mark.parametrize("id", ["callback", "voicemail"])
def test_the_flows_of_the_house_are_sound_and_all_of_their_prompts_are_built_in(id: str) -> None:
    sounds = frozenset(f"{PREFIX}{name}" for name in NAMES)
    graph = house_flows()[id]
    assert canonical(graph) == graph
    assert problems(graph, Known(queues=frozenset(), sounds=sounds), id)[1] == []


def test_a_calendar_without_hours_is_open_but_on_holidays(folder: Path) -> None:
    centre = Centre()
    told(centre, tenant(folder, "calendars: {a: {holidays: [2026-12-25]}, b: {}}"), NOW)
    assert centre.calendars["b"] == ALWAYS
    first, second = centre.calendars["a"][0], centre.calendars["a"][1]
    # 25 December in Warsaw begins and ends at 23:00 UTC.
    assert datetime.fromtimestamp(first[1], UTC) == datetime(2026, 12, 24, 23, tzinfo=UTC)
    assert datetime.fromtimestamp(second[0], UTC) == datetime(2026, 12, 25, 23, tzinfo=UTC)


def test_a_queue_with_holidays_alone_is_closed_on_them(folder: Path) -> None:
    centre = Centre()
    of = parse(BASE.replace("[alice]}", "[alice], holidays: [2026-12-25]}"), folder / "c.yaml", {}).tenants[
        "acme"
    ]
    told(centre, of, NOW)
    intervals = centre.queues["sales"].spec.open_at
    assert intervals is not None
    noon = datetime(2026, 12, 25, 12, tzinfo=UTC).timestamp()
    assert not any(start <= noon < end for start, end in intervals)
    assert any(start <= noon - 86400 < end for start, end in intervals)


# ---- what who waits is told


def test_announcements_of_a_queue(folder: Path) -> None:
    def queue(text: str) -> Settings:
        return parse(BASE.replace("[alice]}", f"[alice], announce: {text}}}"), folder / "c.yaml", {})

    found = queue("{first: 1m, wait: no, messages: [builtin:please_hold, jazz]}").tenants["acme"]
    announce = found.queues["sales"].announce
    assert announce == Announce(60.0, 45.0, True, False, ("builtin:please_hold", "jazz"))
    (spec,) = [one.spec for one in changes(Centre(), found, NOW) if isinstance(one, f.QueueChanged)]
    assert spec.announce is not None
    assert (spec.announce.first, spec.announce.wait, spec.announce.messages) == (
        60.0,
        False,
        ("builtin:please_hold", "jazz"),
    )
    assert queue("{}").tenants["acme"].queues["sales"].announce == Announce()
    assert queue("").tenants["acme"].queues["sales"].announce is None
    assert any("tells nothing" in one for one in queue("{wait: no, position: no}").warnings)
    shown = tree_of(tree(queue("{wait: no}")), "acme")
    assert shown["queues"]["sales"]["announce"] == {"wait": False}
    for text, said in (
        ("{every: 1s}", "expected at least 5 s"),
        ("{messages: [../x]}", "can't be a sound's name"),
        ("{messages: ['builtin:']}", "can't be a sound's name"),
        ("{loud: yes}", "unknown key"),
    ):
        with pytest.raises(SettingsError, match=re.escape(said)):
            queue(text)


# ---- exported and applied


@pytest.mark.parametrize("of_file", [True, False])
def test_secrets_of_mail_and_web_go_round(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_file: bool
) -> None:
    mail = {"host": "m.example", "from": "a@b.example", "user": "u", "password": "mail secret"}
    text = (
        BASE
        + "    http: {secrets: {crm: web secret}}\n    calendars: {office: {hours: {mon: '9:00-17:00'}}}\n"
        + "    flows: {main: flows/main.json}\n"
        + (f"    mail: {json.dumps(mail)}\n" if of_file else "")
    )
    centre, data = folder / "centre.yaml", tmp_path / "data"
    centre.write_text(text)
    if not of_file:
        with closing(open_people(data)) as people:
            done = edited({}, [Edit(("mail",), mail)], lines_of(tree(load(centre)), "acme"), lambda: "one")
            assert not done.problems
            people.save("acme", 0, done.tree, done.secrets, [], 1.0, actor="x", address="x")
    exported = export(centre, data, None)
    assert "mail secret" not in exported
    assert "web secret" not in exported
    out = folder / "out.yaml"
    out.write_text(exported)
    assert apply(centre, data, None, out) == "acme: nothing to change"
    for name, secret in {
        "ALICE_SIP_PASSWORD": "secret",
        "MAIL_PASSWORD": "mail secret",
        "HTTP_SECRETS_CRM": "web secret",
    }.items():
        monkeypatch.setenv(f"CENTRALA_ACME_{name}", secret)
    assert load(out).tenants == load(centre, None, saved(data)).tenants
