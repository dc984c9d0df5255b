"""`centrala flow check` and `centrala flow try`, as somebody types them."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from centrala.flows import open_flows, published_ids
from centrala.people import open_people

pytestmark = pytest.mark.unit

CENTRE = """\
tenants:
  acme:
    domain: acme.example
    timezone: Europe/Warsaw
    agents: {al: {phone: "sip:a@b.example"}}
    queues: {sales: {agents: [al], hours: {mon: "9:00-17:00"}}}
    flows: {front: flows/main.json}
  other:
    domain: other.example
"""
MENU = {
    "format": 1,
    "start": "ask",
    "nodes": {
        "ask": {
            "type": "menu",
            "prompt": ["One for sales."],
            "exits": {"1": "sales", "timeout": "bye", "invalid": "bye"},
        },
        "sales": {"type": "queue", "queue": "sales", "exits": {"closed": "shut"}},
        "shut": {"type": "say", "prompt": ["We are closed."], "exits": {"next": "bye"}},
        "bye": {"type": "hang_up"},
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "centre.yaml").write_text(CENTRE)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "main.json").write_text(json.dumps(MENU))
    return tmp_path


def flow(folder: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "centrala", "flow", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_a_good_flow_can_be_published(folder: Path) -> None:
    assert flow(folder, "check", "flows/main.json") == (0, "flows/main.json can be published\n", "")
    assert flow(folder, "check", "flows/main.json", "--config", "centre.yaml")[0] == 0


def test_what_is_wrong_is_told_line_by_line(folder: Path) -> None:
    code, out, _ = flow(folder, "check", "flows/main.json", "--config", "centre.yaml", "--tenant", "other")
    assert code == 1
    assert out.startswith("flows/main.json: sales: queue: error: ")
    assert "(FLOW-QUEUE)" in out
    (folder / "x.json").write_text("{")
    assert "(FLOW-JSON)" in flow(folder, "check", "x.json")[1]
    (folder / "x.json").write_bytes(b"\xff")
    for words, said in (
        (("check", "x.json"), "is not UTF-8 text"),
        (("check", "nothing.json"), "can't be read"),
        (("check", "flows/main.json", "--config", "no.yaml"), "there is no such file"),
        (("check", "flows/main.json", "--config", "centre.yaml", "--tenant", "x"), "there is no such tenant"),
    ):
        code, _, err = flow(folder, *words)
        assert (code, said in err) == (1, True), err


def test_trying_prints_what_happens(folder: Path) -> None:
    code, out, err = flow(folder, "try", "flows/main.json", "--keys", "7,1")
    assert (code, err) == (0, "")
    lines = [line.split(" s  ", 1)[1] for line in out.splitlines()]
    assert lines == [
        "→ ask",
        "“One for sales.”",
        "digit: 7",
        "again: invalid",
        "“One for sales.”",
        "digit: 1",
        "→ sales (by 1)",
        "The caller waits in the queue sales.",
    ]
    asked = ("try", "flows/main.json", "--config", "centre.yaml", "--keys", "1")
    # Sunday; Monday noon in the house's time zone.
    assert "We are closed." in flow(folder, *asked, "--at", "2026-11-22T12:00")[1]
    assert "We are closed." not in flow(folder, *asked, "--at", "2026-11-23T09:30")[1]
    assert "We are closed." in flow(folder, *asked, "--at", "2026-11-23T09:30+03:00")[1]


def test_trying_says_what_it_can_t_do(folder: Path) -> None:
    for words, said in (
        (("--at", "noon"), "expected a time such as"),
        (("--errand", "x"), "expected node=exit"),
    ):
        code, _, err = flow(folder, "try", "flows/main.json", *words)
        assert (code, said in err) == (1, True), err
    (folder / "bad.json").write_text(json.dumps({**MENU, "start": "nowhere"}))
    code, _, err = flow(folder, "try", "bad.json")
    assert (code, "FLOW-START" in err) == (1, True)


def test_publishing_makes_a_version_once(folder: Path) -> None:
    where = ("--config", "centre.yaml", "--data", "data")
    (folder / "flows" / "late.json").write_text((folder / "flows" / "main.json").read_text())
    said = flow(folder, "publish", "flows/late.json", *where, "--note", "first")
    assert said == (0, "late is published as version 1\n", "")
    assert "published already" in flow(folder, "publish", "flows/late.json", *where)[1]
    (folder / "flows" / "late.json").write_text(json.dumps(MENU).replace("One for", "Press one for"))
    assert "as version 2" in flow(folder, "publish", "flows/late.json", *where)[1]
    opened = open_flows(folder / "data")
    assert [(one.number, one.author, one.note) for one in opened.versions("acme", "late")] == [
        (2, "console", ""),
        (1, "console", "first"),
    ]
    with closing(open_people(folder / "data")) as people:
        assert [(one.actor, one.action, one.subject) for one in people.trail("acme")] == [
            ("console", "flow.published", "late")
        ] * 2
    assert published_ids(folder / "data") == {"acme": frozenset({"late"})}
    opened.close()
    for words, about in (
        (("flows/main.json", *where), "front is a flow of"),
        (("flows/late.json", *where, "--id", "hear"), "can't be the id"),
        (("flows/late.json", *where, "--id", "../x"), "can't be the id"),
        (("flows/late.json", *where, "--tenant", "other"), "FLOW-QUEUE"),
    ):
        code, _, err = flow(folder, "publish", *words)
        assert (code, about in err) == (1, True), err
