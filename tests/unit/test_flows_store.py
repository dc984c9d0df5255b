"""Flows of the screen in the database, the words of the editor, and paths against a count of one's own."""

import asyncio
import json
import sqlite3
import threading
from collections import Counter, defaultdict
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre
from centrala.core.flow import check as checker
from centrala.core.flow import nodes as n
from centrala.core.flow.functions import FUNCTIONS
from centrala.core.flow.graph import TYPES, parse
from centrala.core.private import Private
from centrala.core.specs import AgentSpec, Destination, FlowSpec, QueueSpec
from centrala.desk import Desk
from centrala.flows import EditRace, FlowError, Flows, open_flows, vocabulary
from centrala.flows.store import MAX_FLOWS, VERSIONS_KEPT
from centrala.flows.warming import ahead
from centrala.ledger import open_log

pytestmark = pytest.mark.unit

GRAPH = {"format": 1, "start": "h", "nodes": {"h": {"type": "hang_up"}}}


@pytest.fixture
def flows(tmp_path: Path) -> Any:
    opened = open_flows(tmp_path)
    yield opened
    opened.close()


# --- the store ---


def test_flows_are_there_after_a_restart(tmp_path: Path) -> None:
    first = open_flows(tmp_path)
    first.make("acme", "main", "Main", GRAPH, "ada", 1.0)
    first.publish("acme", "main", 1, "ada", 2.0, "first")
    first.save_draft("acme", "main", 0, {**GRAPH, "voice": "x"}, "eve", 3.0)
    first.close()
    again = open_flows(tmp_path)
    found = again.get("acme", "main")
    assert found is not None
    assert found.published is not None
    assert found.draft is not None
    assert (found.name, found.published.number, found.published.graph) == ("Main", 1, GRAPH)
    assert (found.draft.revision, found.draft.author, found.draft.graph["voice"]) == (2, "eve", "x")
    assert again.published("acme") == {
        "main": FlowSpec("main", 1, '{"format":1,"nodes":{"h":{"type":"hang_up"}},"start":"h"}')
    }
    again.close()


def test_tenants_see_nothing_of_each_other(flows: Flows) -> None:
    flows.make("acme", "main", "Main", GRAPH, "ada", 1.0)
    flows.publish("acme", "main", 1, "ada", 2.0, "")
    assert flows.get("other", "main") is None
    assert flows.all("other") == []
    assert flows.published("other") == {}
    for call in (
        lambda: flows.versions("other", "main"),
        lambda: flows.version("other", "main", 1),
        lambda: flows.drop("other", "main"),
        lambda: flows.rename("other", "main", "x"),
        lambda: flows.save_draft("other", "main", 0, GRAPH, "eve", 3.0),
        lambda: flows.publish("other", "main", 0, "eve", 3.0, ""),
        lambda: flows.roll_back("other", "main", 1, 1, "eve", 3.0, ""),
    ):
        with pytest.raises(FlowError, match="There is no such"):
            call()
    flows.make("other", "main", "Theirs", GRAPH, "olga", 4.0)
    flows.drop("other", "main")
    assert flows.get("acme", "main") is not None


def test_numbers_go_on_above_what_the_core_knows(flows: Flows) -> None:
    flows.make("acme", "main", "Main", GRAPH, "ada", 1.0)
    version, spec = flows.publish("acme", "main", 1, "ada", 2.0, "", above=7)
    assert (version.number, spec.version) == (8, 8)
    version, _ = flows.roll_back("acme", "main", 8, 8, "ada", 3.0, "", above=3)
    assert version.number == 9


def test_threads_that_save_at_once_get_one_through(flows: Flows) -> None:
    flows.make("acme", "main", "Main", GRAPH, "ada", 1.0)
    results: list[str] = []

    def save(who: int) -> None:
        try:
            flows.save_draft("acme", "main", 1, {**GRAPH, "title": str(who)}, str(who), 2.0)
            results.append(str(who))
        except EditRace as race:
            results.append("race" if race.theirs is not None else "nothing")

    threads = [threading.Thread(target=save, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("race") == 7
    found = flows.get("acme", "main")
    assert found is not None
    assert found.draft is not None
    assert [found.draft.author] == [one for one in results if one != "race"]


def test_two_processes_share_the_tables(tmp_path: Path, flows: Flows) -> None:
    other = open_flows(tmp_path)
    flows.make("acme", "main", "Main", GRAPH, "ada", 1.0)
    other.save_draft("acme", "main", 1, GRAPH, "eve", 2.0)
    with pytest.raises(EditRace):
        flows.save_draft("acme", "main", 1, GRAPH, "ada", 3.0)
    other.close()


def test_only_so_much_is_kept(flows: Flows) -> None:
    for number in range(MAX_FLOWS):
        flows.make("acme", f"f{number}", "x", GRAPH, "ada", 1.0)
    with pytest.raises(FlowError) as caught:
        flows.make("acme", "more", "x", GRAPH, "ada", 1.0)
    assert caught.value.code == "TOO-MANY"
    flows.publish("acme", "f0", 1, "ada", 1.0, "")
    for number in range(1, VERSIONS_KEPT + 3):
        flows.roll_back("acme", "f0", number, number, "ada", 2.0, "")
    assert len(flows.versions("acme", "f0", limit=10_000)) == VERSIONS_KEPT
    with pytest.raises(FlowError, match="too old"):
        flows.version("acme", "f0", 1)


# --- words of the editor ---


def test_the_editor_offers_each_type_with_its_fields() -> None:
    offered = {one.type: one for one in vocabulary.TYPES}
    assert set(offered) == set(TYPES)
    for type, (names, _) in TYPES.items():
        assert sorted(one.name for one in offered[type].fields) == sorted(names), type


def test_the_editor_offers_each_type_with_its_exits() -> None:
    values: dict[str, n.Does] = {
        "answer": n.Answer(),
        "say": n.Say(()),
        "play": n.Say(()),
        "menu": n.Menu((), ()),
        "collect": n.Collect((), "v"),
        "record": n.TakeMessage((), "v"),
        "survey": n.Question((), "v"),
        "voicemail": n.TakeMessage((), "v", owed=True),
        "number": n.Errand("number", {}, {}),
        "slots": n.Slots(),
        "wait": n.Enqueue("", back=True),
        "callback": n.Callback(),
        "set": n.Set({}),
        "branch": n.Branch(()),
        "percentage": n.Share({}),
        "hours": n.Hours(),
        "customer": n.Errand("customer", {}, {}),
        "table": n.Errand("table", {}, {}),
        "http": n.Errand("http", {}, {}),
        "python": n.Errand("python", {}, {}),
        "email": n.Errand("mail", {}, {}),
        "queue": n.Enqueue("q"),
        "transfer": n.Transfer(Destination("queue", "q")),
        "hang_up": n.HangUp(),
        "flow": n.SubFlow("f"),
        "return": n.Return(),
    }
    for one in vocabulary.TYPES:
        must, may = checker.exits_of(values[one.type])
        exits = {exit.name: exit.required for exit in one.exits}
        assert {name for name, required in exits.items() if required} == must, one.type
        digits = set("0123456789*#") if one.own_exits in ("digits", "keys") else set()
        assert may is None or set(exits) | digits == may, one.type


def test_the_editor_knows_defaults_and_ranges() -> None:
    classes: dict[str, type] = {
        "menu": n.Menu,
        "collect": n.Collect,
        "record": n.TakeMessage,
        "survey": n.Question,
        "voicemail": n.TakeMessage,
        "callback": n.Callback,
        "slots": n.Slots,
        "queue": n.Enqueue,
    }
    for one in vocabulary.TYPES:
        of = classes.get(one.type)
        defaults = {} if of is None else {field.name: field.default for field in fields(of)}
        ranges = checker._RANGES.get(of, {}) if of is not None else checker._RANGES[n.Errand]
        for field in one.fields:
            if isinstance(field.default, int | float | bool) and field.name in defaults:
                assert field.default == defaults[field.name], (one.type, field.name)
            if field.least is not None and one.type != "python":
                assert (field.least, field.most) == ranges[field.name], (one.type, field.name)


def test_the_editor_tells_every_function() -> None:
    told = {one.name: one for one in vocabulary.functions()}
    assert set(told) == set(FUNCTIONS)
    assert all(one.text for one in told.values())


# --- paths ---

INNER = {
    "format": 1,
    "start": "m",
    "nodes": {
        "m": {
            "type": "menu",
            "prompt": ["Inside?"],
            "retries": 0,
            "exits": {"1": "r", "2": "q", "timeout": "r", "invalid": "r"},
        },
        "q": {"type": "queue", "queue": "sales"},
        "r": {"type": "return", "exit": "done"},
    },
}


def outer(words: str) -> dict[str, Any]:
    return {
        "format": 1,
        "start": "hi",
        "nodes": {
            "hi": {"type": "say", "prompt": [words], "exits": {"next": "m"}},
            "m": {
                "type": "menu",
                "prompt": ["Which?"],
                "retries": 1,
                "exits": {"1": "in", "2": "q", "3": "hi", "timeout": "bye", "invalid": "bye"},
            },
            "in": {"type": "flow", "flow": "inner", "exits": {"done": "hours", "else": "bye"}},
            "hours": {"type": "hours", "calendar": "gone", "exits": {"open": "q", "closed": "bye"}},
            "q": {"type": "queue", "queue": "sales", "exits": {"no_agents": "bye"}},
            "bye": {"type": "hang_up"},
        },
    }


class Own:
    """Another count of the same: from what each contact did, from its beginning to its end, kept as lists."""

    def __init__(self) -> None:
        self.ways: dict[str, list[e.Event]] = defaultdict(list)

    def watch(self, tenant: str, centre: Centre, events: Any) -> None:
        for event in events:
            if getattr(event, "contact", None) is not None:
                self.ways[event.contact].append(event)

    def counts(
        self, flow: str, zone: ZoneInfo, days: tuple[date, date], version: int | None
    ) -> dict[str, Any]:
        calls = 0
        entered: Counter[str] = Counter()
        left: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        exits: Counter[tuple[str, str]] = Counter()
        for way in self.ways.values():
            inside = [one for one in way if isinstance(one, e.FlowEntered)]
            if not inside or not days[0] <= datetime.fromtimestamp(inside[0].at, zone).date() <= days[1]:
                continue

            def meant(one: Any) -> bool:
                return one.flow == flow and version in (None, one.version)

            calls += sum(meant(one) for one in inside)
            moves = [one for one in way if isinstance(one, e.NodeEntered)]
            entered.update(one.node for one in moves if meant(one))
            failed.update(one.node for one in way if isinstance(one, e.NodeFailed) and meant(one))
            for place, one in enumerate(moves):
                if one.exit:
                    # The node before in the same flow: at its side an inner flow may have come and gone.
                    before = next(two for two in reversed(moves[:place]) if two.flow == one.flow)
                    if meant(one):
                        exits[before.node, one.exit] += 1
            end = way[-1] if isinstance(way[-1], e.ContactEnded) else None
            if end is not None and end.outcome == "left_menu" and meant(moves[-1]):
                left[moves[-1].node] += 1
        return {"calls": calls, "entered": entered, "left": left, "failed": failed, "exits": exits}


def shown(flows: Flows, flow: str, days: tuple[date, date], version: int | None) -> dict[str, Any]:
    found = flows.paths.of("acme", flow, *days, version)
    return {
        "calls": found.calls,
        "entered": Counter({one.node: one.entered for one in found.nodes if one.entered}),
        "left": Counter({one.node: one.left for one in found.nodes if one.left}),
        "failed": Counter({one.node: one.failed for one in found.nodes if one.failed}),
        "exits": Counter(
            {(one.node, exit): count for one in found.nodes for exit, count in one.exits.items()}
        ),
    }


@pytest.mark.parametrize("seed", range(6))
def test_paths_are_those_of_a_count_of_ones_own(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    zone = ZoneInfo("Europe/Warsaw")
    own = Own()

    async def main() -> None:
        ledger = open_log(tmp_path)
        desk = Desk(ledger)
        for of in c.Command.__args__:
            desk.performers[of] = lambda tenant, command: None
        desk.watchers.append(own.watch)
        desk.open("acme")
        flows = open_flows(tmp_path)
        centre = desk.mailboxes["acme"].centre
        # Two days, over a midnight of Warsaw that is none of UTC.
        now = datetime(2026, 11, 22, 22, 30, tzinfo=UTC).timestamp()
        desk.tell("acme", f.QueueChanged(now, QueueSpec("sales", agents=("al",))))
        desk.tell(
            "acme", f.AgentChanged(now, AgentSpec("al", fixed_phone=True, always_ready=random.random() < 0.5))
        )
        desk.tell("acme", f.NumberChanged(now, "1", Destination("flow", "main")))
        desk.tell("acme", f.FlowPublished(now, FlowSpec("inner", 1, json.dumps(INNER))))
        versions = 0
        alive: list[str] = []
        for number in range(400):
            now += random.expovariate(1 / 20)
            if versions == 0 or random.random() < 0.01:
                versions += 1
                desk.tell(
                    "acme",
                    f.FlowPublished(now, FlowSpec("main", versions, json.dumps(outer(f"V{versions}")))),
                )
            if random.random() < 0.3:
                alive.append(f"c{number}")
                desk.tell("acme", f.ContactArrived(now, alive[-1], "1", alive[-1]))
            name = random.choice(alive or ["nobody"])
            kind = random.random()
            contact = centre.contacts.get(name)
            awaited = contact.run.awaited if contact is not None and contact.run is not None else ""
            if kind < 0.5:
                desk.tell("acme", f.DigitPressed(now, name, Private(random.choice("12337"))))
            elif kind < 0.7:
                desk.tell("acme", f.Said(now, name, awaited))
            elif kind < 0.8:
                desk.tell("acme", f.HungUp(now, name))
            else:
                desk.tell("acme", f.TimerFired(now, f"flow:{name}"))
            desk.catch_up()
            if random.random() < 0.05:
                await written(desk)
                await asyncio.to_thread(flows.paths.project, lambda tenant: zone.key)
                if random.random() < 0.3:  # a restart in the middle
                    flows.close()
                    flows = open_flows(tmp_path)
        await written(desk)
        await asyncio.to_thread(flows.paths.project, lambda tenant: zone.key)
        days = (date(2026, 11, 22), date(2026, 11, 23))
        compared = 0
        for span in ((days[0], days[0]), (days[1], days[1]), days):
            for flow in ("main", "inner"):
                for version in (None, *range(1, versions + 1)):
                    expected = own.counts(flow, zone, span, version)
                    assert shown(flows, flow, span, version) == expected
                    compared += sum(
                        map(sum, (one.values() for one in expected.values() if isinstance(one, Counter)))
                    )
        assert compared > 500
        before = shown(flows, "main", days, None)
        assert await asyncio.to_thread(flows.paths.rebuild, lambda tenant: zone.key) > 400
        assert shown(flows, "main", days, None) == before
        assert await asyncio.to_thread(flows.paths.project, lambda tenant: zone.key) == 0
        await desk.stop()
        flows.close()
        ledger.close()

    asyncio.run(main())


async def written(desk: Desk) -> None:
    for _ in range(1000):
        desk.wake()
        await asyncio.sleep(0.002)
        if not desk._inbox and desk._batch.empty and not desk._committing:
            return
    raise AssertionError("the desk doesn't come to rest")


def test_two_who_count_at_once_count_nothing_twice(tmp_path: Path) -> None:
    async def main() -> None:
        ledger = open_log(tmp_path)
        desk = Desk(ledger)
        for of in c.Command.__args__:
            desk.performers[of] = lambda tenant, command: None
        desk.open("acme")
        now = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
        desk.tell("acme", f.NumberChanged(now, "1", Destination("flow", "inner")))
        desk.tell("acme", f.FlowPublished(now, FlowSpec("inner", 1, json.dumps(INNER))))
        for number in range(300):
            desk.tell("acme", f.ContactArrived(now, f"c{number}", "1", f"c{number}"))
        await written(desk)
        several = [open_flows(tmp_path) for _ in range(4)]
        await asyncio.gather(*(asyncio.to_thread(one.paths.project, lambda tenant: "UTC") for one in several))
        day = date(2026, 11, 22)
        assert {one.paths.of("acme", "inner", day, day).calls for one in several} == {300}
        for one in several:
            one.close()
        await desk.stop()
        ledger.close()

    asyncio.run(main())


def test_a_folder_whose_database_is_away_says_so(tmp_path: Path) -> None:
    flows = open_flows(tmp_path)
    flows.close()
    with pytest.raises(Exception, match="can't be read now"):
        flows.all("acme")
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        assert db.execute("SELECT value FROM meta WHERE name = 'flows'").fetchone() == ("1",)
    db.close()
    assert parse(json.dumps(GRAPH)).start == "h"


# --- spoken ahead ---


def test_what_is_said_to_everybody_is_spoken_ahead_in_every_language() -> None:
    prompt = [
        "Hello.",
        "Your number is {n}.",
        {"text": {"pl": "Tak.", "ru": "Да."}},
        {"number": "5"},
        {"number": "{n}"},
        {"money": "3", "currency": "PLN"},
        {"sound": "builtin:goodbye"},
        {"sound": "jazz"},
        {"pause": 200},
    ]
    flow = parse(
        json.dumps(
            {
                "format": 1,
                "start": "s",
                "language": "en",
                "nodes": {
                    "s": {"type": "say", "prompt": prompt, "exits": {"next": "m"}},
                    "m": {
                        "type": "menu",
                        "prompt": ["Press one."],
                        "timeout_prompt": ["Hurry."],
                        "exits": {"1": "h", "timeout": "h", "invalid": "h"},
                    },
                    "h": {"type": "hang_up"},
                },
            }
        )
    )
    everywhere = {("number", "5"), ("money", "3"), ("sound", "builtin:goodbye")}
    found = {language: {(one.kind, one.text) for one in parts} for language, parts in ahead(flow).items()}
    assert found == {
        "en": everywhere | {("text", "Hello."), ("text", "Press one."), ("text", "Hurry.")},
        "pl": everywhere | {("text", "Tak.")},
        "ru": everywhere | {("text", "Да.")},
    }
