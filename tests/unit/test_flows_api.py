"""Flows over the API: drafts and their races, what is refused, versions and the way back, trials, paths."""

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from centrala.core import facts as f
from centrala.core.commands import Part, Say
from centrala.core.private import Private
from centrala.people import Role
from centrala.settings import load
from centrala.speech import Speech
from tests.unit.test_web_api import FILE, Api, open_api, problem

pytestmark = pytest.mark.unit

FLOWS = "/api/v1/flows"

MENU: dict[str, Any] = {
    "format": 1,
    "start": "ask",
    "language": "en",
    "nodes": {
        "ask": {
            "type": "menu",
            "at": [10, 20],
            "prompt": ["One for sales."],
            "exits": {"1": "sales", "timeout": "bye", "invalid": "bye"},
        },
        "sales": {"type": "queue", "queue": "sales"},
        "bye": {"type": "hang_up"},
    },
}
OF_FILE = {"format": 1, "start": "h", "nodes": {"h": {"type": "hang_up"}}}


def changed(**prompts: str) -> dict[str, Any]:
    """The menu with other words."""
    graph = copy.deepcopy(MENU)
    for node, words in prompts.items():
        graph["nodes"][node]["prompt"] = [words]
    return graph


def run(folder: Path, story: Callable[[Api, Any], Awaitable[None]], *roles: Role) -> None:
    """A house with a flow in its file, seen by an administrator (or somebody of these roles)."""
    text = FILE.replace(
        '    numbers: {"100": {queue: sales}, "200": {queue: claims}}\n',
        '    numbers: {"100": {queue: sales}, "200": {queue: claims}, "300": {flow: front}, "400": {flow: night}}\n'
        "    flows: {night: {name: At night, file: night.json}}\n",
    )
    assert text != FILE
    (folder / "night.json").write_text(json.dumps(OF_FILE))
    (folder / "centre.yaml").write_text(text)

    async def main() -> None:
        async with open_api(folder, load(folder / "centre.yaml")) as api:
            await api.user("ada", *(roles or (Role.ADMINISTRATOR,)))
            async with api.as_("ada") as client:
                await story(api, client)

    asyncio.run(main())


async def make(client: Any, id: str = "front", graph: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await client.post(FLOWS, json={"id": id, "name": id.title(), "graph": graph or MENU})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def publish(client: Any, id: str = "front", note: str = "", base: int | None = None) -> dict[str, Any]:
    if base is None:
        base = (await client.get(f"{FLOWS}/{id}")).json()["draft"]["revision"]
    answer = await client.post(f"{FLOWS}/{id}/publish", json={"base": base, "note": note})
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


# --- the life of a flow ---


def test_a_flow_is_made_published_and_taken_back(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        made = await make(client)
        assert made["origin"] == "screen"
        assert (made["version"], made["graph"]) == (None, None)
        assert made["draft"]["graph"] == MENU
        assert made["numbers"] == ["300"]
        centre = api.house.centre("acme")
        assert "front" not in centre.flows  # nobody goes through a draft

        first = await publish(client, note="first")
        assert (first["version"], first["note"], first["by"]) == (1, "first", "ada")
        assert json.loads(centre.flows["front"].graphs[1]) == MENU
        shown = (await client.get(f"{FLOWS}/front")).json()
        assert (shown["version"], shown["draft"], shown["graph"]) == (1, None, MENU)

        other = changed(ask="Press one.")
        saved = (await client.put(f"{FLOWS}/front/draft", json={"base": 0, "graph": other})).json()
        assert saved["problems"] == []
        assert (await publish(client, base=saved["revision"]))["version"] == 2
        assert json.loads(centre.flows["front"].graphs[2]) == other

        back = await client.post(f"{FLOWS}/front/rollback", json={"base": 2, "to": 1, "note": "oh no"})
        assert back.json()["version"] == 3
        assert json.loads(centre.flows["front"].graphs[3]) == MENU
        listed = (await client.get(f"{FLOWS}/front/versions")).json()
        assert [(one["version"], one["note"]) for one in listed["items"]] == [
            (3, "oh no"),
            (2, ""),
            (1, "first"),
        ]
        assert listed["next"] is None
        page = (await client.get(f"{FLOWS}/front/versions?limit=2")).json()
        rest = (await client.get(f"{FLOWS}/front/versions?cursor={page['next']}")).json()
        assert [one["version"] for one in (*page["items"], *rest["items"])] == [3, 2, 1]
        second = (await client.get(f"{FLOWS}/front/versions/2")).json()
        assert second["graph"] == other
        problem(await client.get(f"{FLOWS}/front/versions/4"), "NOT-FOUND")
        trail = (await client.get("/api/v1/audit")).json()["items"]
        assert [one["action"] for one in trail if one["action"].startswith("flow.")] == [
            "flow.published",
            "flow.published",
            "flow.published",
            "flow.made",
        ]

    run(tmp_path, story)


def test_what_is_published_comes_back_with_the_next_start(tmp_path: Path) -> None:
    async def first(api: Api, client: Any) -> None:
        await make(client)
        await publish(client)

    async def second(api: Api, client: Any) -> None:
        assert json.loads(api.house.centre("acme").flows["front"].graphs[1]) == MENU
        assert api.house.flows.published("acme")["front"].version == 1
        assert (await client.get(f"{FLOWS}/front")).json()["version"] == 1

    run(tmp_path, first)

    async def again() -> None:
        async with open_api(tmp_path, load(tmp_path / "centre.yaml")) as api, api.as_("ada") as client:
            await second(api, client)

    asyncio.run(again())


def test_callers_inside_keep_their_version(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await make(client)
        await publish(client)
        said: list[Say] = []
        api.house.desk.performers[Say] = lambda tenant, command: said.append(command)
        now = api.house.now
        api.tell("acme", f.ContactArrived(now(), "one", "300", "one"))
        await api.settle()
        await client.put(f"{FLOWS}/front/draft", json={"base": 0, "graph": changed(ask="Other words.")})
        await publish(client)
        api.tell("acme", f.ContactArrived(now(), "two", "300", "two"))
        api.tell("acme", f.DigitPressed(now(), "one", Private("7")))  # asked again
        await api.settle()
        assert [(one.contact, one.parts) for one in said] == [
            ("one", (Part("text", "One for sales."),)),
            ("two", (Part("text", "Other words."),)),
            ("one", (Part("text", "One for sales."),)),
        ]

    run(tmp_path, story)


def test_a_flow_with_errors_is_kept_as_a_draft_and_not_published(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await make(client)
        broken = copy.deepcopy(MENU)
        broken["nodes"]["ask"]["exits"]["2"] = "nowhere"
        broken["nodes"]["sales"]["queue"] = "salse"
        saved = (await client.put(f"{FLOWS}/front/draft", json={"base": 1, "graph": broken})).json()
        places = {(one["node"], one["where"]) for one in saved["problems"]}
        assert {("ask", "exits.2"), ("sales", "queue")} <= places
        answer = await client.post(f"{FLOWS}/front/publish", json={"base": saved["revision"]})
        body = problem(answer, "FLOW-WRONG")
        assert {(one["node"], one["where"]) for one in body["problems"]} == places
        assert "ask: exits.2" in {one["where"] for one in body["errors"]}
        assert "front" not in api.house.centre("acme").flows
        checked = (await client.post(f"{FLOWS}/new-one/check", json={"graph": MENU})).json()
        assert checked == {"problems": []}
        odd = (await client.post(f"{FLOWS}/front/check", json={"graph": {"nodes": 7}})).json()["problems"]
        assert odd
        assert all(one["severity"] == "error" for one in odd)

    run(tmp_path, story)


def test_a_change_that_would_break_another_flow_is_told(tmp_path: Path) -> None:
    inner: dict[str, Any] = {
        "format": 1,
        "start": "done",
        "nodes": {"done": {"type": "return", "exit": "paid"}},
    }
    outer: dict[str, Any] = {
        "format": 1,
        "start": "in",
        "nodes": {
            "in": {"type": "flow", "flow": "inner", "exits": {"paid": "bye", "else": "bye"}},
            "bye": {"type": "hang_up"},
        },
    }

    async def story(api: Api, client: Any) -> None:
        await make(client, "inner", inner)
        await publish(client, "inner")
        await make(client, "outer", outer)
        await publish(client, "outer")
        assert (await client.get(f"{FLOWS}/inner")).json()["used_by"] == ["flows.outer"]
        problem(await client.delete(f"{FLOWS}/inner"), "IN-USE")
        circle = {
            **inner,
            "start": "in",
            "nodes": {**outer["nodes"], "in": {**outer["nodes"]["in"], "flow": "outer"}},
        }
        other = {**inner, "nodes": {"done": {"type": "return", "exit": "refused"}}}
        found = (await client.post(f"{FLOWS}/inner/check", json={"graph": other})).json()["problems"]
        assert {(one["code"], one["severity"], one["values"]["flow"]) for one in found} == {
            ("FLOW-BREAKS", "warning", "outer")
        }
        found = (await client.post(f"{FLOWS}/inner/check", json={"graph": circle})).json()["problems"]
        assert any(one["severity"] == "error" for one in found)  # each would lead into the other for ever
        assert (await client.delete(f"{FLOWS}/outer")).status_code == 204
        assert (await client.delete(f"{FLOWS}/inner")).status_code == 204
        assert not {"inner", "outer"} & set(api.house.centre("acme").flows)

    run(tmp_path, story)


# --- drafts ---


def test_two_who_edit_at_once_see_both(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await api.user("eve", Role.ADMINISTRATOR)
        await make(client)
        mine, theirs = changed(ask="Mine."), changed(ask="Theirs.")
        async with api.as_("eve") as other:
            assert (
                await other.put(f"{FLOWS}/front/draft", json={"base": 1, "graph": theirs})
            ).status_code == 200
            body = problem(
                await client.put(f"{FLOWS}/front/draft", json={"base": 1, "graph": mine}), "EDIT-RACE"
            )
            (conflict,) = body["conflicts"]
            assert (conflict["theirs"], conflict["by"], conflict["revision"]) == (theirs, "eve", 2)
            assert (await client.get(f"{FLOWS}/front")).json()["draft"]["graph"] == theirs
            kept = await client.put(f"{FLOWS}/front/draft", json={"base": 2, "graph": mine})
            assert kept.json()["revision"] == 3
            # What nobody has looked at isn't published, nor discarded.
            problem(await other.post(f"{FLOWS}/front/publish", json={"base": 2}), "EDIT-RACE")
            problem(await other.delete(f"{FLOWS}/front/draft?base=2"), "EDIT-RACE")
            await publish(client, base=3)
            body = problem(
                await other.put(f"{FLOWS}/front/draft", json={"base": 3, "graph": theirs}), "EDIT-RACE"
            )
            (conflict,) = body["conflicts"]
            assert (conflict["theirs"], conflict["revision"], conflict["by"]) == (mine, 0, "ada")
            assert (
                await other.put(f"{FLOWS}/front/draft", json={"base": 0, "graph": theirs})
            ).status_code == 200
            # A revision never comes twice: one that was discarded is no base for another.
            await other.delete(f"{FLOWS}/front/draft?base=4")
            await other.put(f"{FLOWS}/front/draft", json={"base": 0, "graph": mine})
            problem(await other.put(f"{FLOWS}/front/draft", json={"base": 4, "graph": theirs}), "EDIT-RACE")
            problem(await other.post(f"{FLOWS}/front/rollback", json={"base": 0, "to": 1}), "EDIT-RACE")

    run(tmp_path, story)


def test_many_saves_at_once_leave_one(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await make(client)
        answers = await asyncio.gather(
            *(
                client.put(f"{FLOWS}/front/draft", json={"base": 1, "graph": changed(ask=f"Text {number}.")})
                for number in range(20)
            )
        )
        won = [number for number, one in enumerate(answers) if one.status_code == 200]
        assert len(won) == 1
        assert {one.status_code for one in answers} == {200, 409}
        assert (await client.get(f"{FLOWS}/front")).json()["draft"]["graph"] == changed(ask=f"Text {won[0]}.")
        done = await asyncio.gather(
            *(client.post(f"{FLOWS}/front/publish", json={"base": 2}) for _ in range(5))
        )
        assert sorted(one.status_code for one in done) == [200, 404, 404, 404, 404]
        assert len((await client.get(f"{FLOWS}/front/versions")).json()["items"]) == 1

    run(tmp_path, story)


def test_odd_graphs_are_kept_or_refused_and_break_nothing(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await make(client)
        deep: Any = {}
        for _ in range(100):
            deep = {"a": deep}
        for base, graph in enumerate(
            ({}, {"nodes": {"a": None}}, {"format": 1, "start": 7, "nodes": []}, {"x": 1e300}), 1
        ):
            answer = await client.put(f"{FLOWS}/front/draft", json={"base": base, "graph": graph})
            assert answer.status_code == 200, answer.text
            assert answer.json()["problems"]
        problem(await client.put(f"{FLOWS}/front/draft", json={"base": 5, "graph": deep}), "BAD-INPUT")
        huge = {"format": 1, "start": "a", "nodes": {}, "notes": "x" * 2_100_000}
        problem(await client.put(f"{FLOWS}/front/draft", json={"base": 5, "graph": huge}), "TOO-BIG")
        big = changed(ask="x" * 300_000)
        assert (await client.put(f"{FLOWS}/front/draft", json={"base": 5, "graph": big})).status_code == 200
        half = b'{"base": 6, "graph": {"format": 1, "notes": "\\ud800", "\\udfff": 1}}'
        answer = await client.put(
            f"{FLOWS}/front/draft", content=half, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        assert (await client.get(f"{FLOWS}/front")).json()["draft"]["graph"]["notes"] == "?"

    run(tmp_path, story)


# --- flows of the file ---


def test_flows_of_the_file_are_read_only(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        (listed,) = [one for one in (await client.get(FLOWS)).json()["items"] if one["origin"] != "built_in"]
        assert (listed["id"], listed["name"], listed["origin"], listed["file"]) == (
            "night",
            "At night",
            "file",
            "night.json",
        )
        assert (listed["version"], listed["numbers"], listed["draft"]) == (1, ["400"], None)
        assert (await client.get(f"{FLOWS}/night")).json()["graph"] == OF_FILE
        assert (await client.get(f"{FLOWS}/night/versions/1")).json()["graph"] == OF_FILE
        assert len((await client.get(f"{FLOWS}/night/versions")).json()["items"]) == 1
        for send in (
            client.put(f"{FLOWS}/night/draft", json={"base": 0, "graph": MENU}),
            client.post(f"{FLOWS}/night/publish", json={"base": 0}),
            client.post(f"{FLOWS}/night/rollback", json={"base": 1, "to": 1}),
            client.patch(f"{FLOWS}/night", json={"name": "Day"}),
            client.delete(f"{FLOWS}/night"),
            client.delete(f"{FLOWS}/night/draft?base=1"),
        ):
            problem(await send, "FLOW-OF-FILE")
        for id in ("night", "hear", "vocabulary"):
            problem(await client.post(FLOWS, json={"id": id, "name": "x"}), "NAME-TAKEN")
        tried = (await client.post(f"{FLOWS}/night/try", json={})).json()
        assert (tried["version"], tried["end"]["how"]) == (1, "hang_up")

    run(tmp_path, story)


def test_what_is_built_in_is_seen_copied_and_comes_back(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        def listed(items: list[dict[str, Any]]) -> dict[str, str]:
            return {one["id"]: one["origin"] for one in items}

        at_first = {"callback": "built_in", "night": "file", "voicemail": "built_in"}
        assert listed((await client.get(FLOWS)).json()["items"]) == at_first
        shown = (await client.get(f"{FLOWS}/callback")).json()
        assert (shown["origin"], shown["draft"], shown["version"]) == ("built_in", None, 1)
        assert shown["graph"]["nodes"]["book"]["type"] == "callback"
        assert (await client.get(f"{FLOWS}/callback/versions/1")).json()["graph"] == shown["graph"]
        assert len((await client.get(f"{FLOWS}/callback/versions")).json()["items"]) == 1
        assert (await client.get(f"{FLOWS}/callback/paths")).json()["calls"] == 0
        tried = (await client.post(f"{FLOWS}/voicemail/try", json={})).json()
        assert tried["end"]["how"] == "hang_up"
        for send in (
            client.put(f"{FLOWS}/callback/draft", json={"base": 0, "graph": MENU}),
            client.post(f"{FLOWS}/callback/publish", json={"base": 0}),
            client.post(f"{FLOWS}/callback/rollback", json={"base": 1, "to": 1}),
            client.patch(f"{FLOWS}/callback", json={"name": "Day"}),
            client.delete(f"{FLOWS}/callback"),
            client.delete(f"{FLOWS}/callback/draft?base=1"),
        ):
            problem(await send, "FLOW-BUILT-IN")

        # A copy is a flow as any; one of the same name takes the place of what is built in, once it is published.
        graph = shown["graph"]
        made = await client.post(FLOWS, json={"id": "ours", "name": "Ours", "graph": graph})
        assert (made.status_code, made.json()["draft"]["graph"]) == (201, graph)
        graph["nodes"]["extra"] = {"type": "hang_up"}
        graph["nodes"]["own"]["exits"]["failed"] = "extra"
        assert (
            await client.post(FLOWS, json={"id": "callback", "name": "C", "graph": graph})
        ).status_code == 201
        known = api.house.centre("acme").flows["callback"]
        assert "extra" not in known.graphs[known.current]
        assert (await client.post(f"{FLOWS}/callback/publish", json={"base": 1})).status_code == 200
        assert "extra" in known.graphs[known.current]
        found = listed((await client.get(FLOWS)).json()["items"])
        assert found == {**at_first, "callback": "screen", "ours": "screen"}
        assert (await client.delete(f"{FLOWS}/callback")).status_code == 204
        known = api.house.centre("acme").flows["callback"]
        assert known.current > 0
        assert "extra" not in known.graphs[known.current], "what is built in comes back"
        assert (await client.get(f"{FLOWS}/callback")).json()["origin"] == "built_in"

    run(tmp_path, story)


def test_names_and_deleting(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        made = (await client.post(FLOWS, json={"id": "spare", "name": "Spare"})).json()
        assert (await client.post(f"{FLOWS}/spare/check", json={"graph": made["draft"]["graph"]})).json() == {
            "problems": []
        }
        problem(await client.post(FLOWS, json={"id": "spare", "name": "Spare"}), "NAME-TAKEN")
        for id in ("", "../x", ".x", "a b", "x" * 65):
            problem(await client.post(FLOWS, json={"id": id, "name": "x"}), "BAD-INPUT")
        renamed = (await client.patch(f"{FLOWS}/spare", json={"name": "Zapas"})).json()
        assert (renamed["name"], "graph" in renamed) == ("Zapas", False)
        await publish(client, "spare")
        assert (await client.delete(f"{FLOWS}/spare")).status_code == 204
        problem(await client.get(f"{FLOWS}/spare"), "NOT-FOUND")
        problem(await client.delete(f"{FLOWS}/spare"), "NOT-FOUND")
        await make(client)
        problem(await client.delete(f"{FLOWS}/front"), "IN-USE")  # 300 leads there
        # Made anew it goes on with the numbers of its versions: figures of paths are by version.
        await client.post(FLOWS, json={"id": "spare", "name": "Spare"})
        assert (await publish(client, "spare"))["version"] == 2

    run(tmp_path, story)


def test_supervisors_read_and_tokens_do_not_write(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await api.user("sue", Role.SUPERVISOR)
        await api.user("part", Role.SUPERVISOR, scopes=("queue:sales",))
        await make(client)
        async with api.as_("sue") as other:
            assert (await other.get(FLOWS)).status_code == 200
            assert (await other.post(f"{FLOWS}/front/try", json={"keys": "1"})).status_code == 200
            problem(await other.put(f"{FLOWS}/front/draft", json={"base": 1, "graph": MENU}), "NOT-ALLOWED")
        async with api.as_("part") as other:
            problem(await other.get(FLOWS), "NOT-ALLOWED")
        token = (await client.post("/api/v1/tokens", json={"label": "ci"})).json()["secret"]
        bearer = {"Authorization": f"Bearer {token}"}
        async with api.client() as program:
            assert (await program.get(FLOWS, headers=bearer)).status_code == 200
            answer = await program.post(f"{FLOWS}/front/publish", json={"base": 1}, headers=bearer)
            problem(answer, "SESSION-NEEDED")

    run(tmp_path, story)


# --- tried and heard ---


def test_a_draft_is_tried_before_it_is_published(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await make(client)
        tried = (await client.post(f"{FLOWS}/front/try", json={"keys": "71"})).json()
        assert tried["version"] is None
        assert (tried["end"]["how"], tried["end"]["to"]) == ("queue", "queue:sales")
        assert [one["text"] for one in tried["steps"] if one["kind"] == "digit"] == ["7", "1"]
        assert tried["path"] == [{"flow": "front", "node": "ask", "exit": "1"}]
        timed = [{"after": 2.0, "digit": "7"}, {"after": 100.0, "digit": "1"}]
        late = (await client.post(f"{FLOWS}/front/try", json={"keys": timed})).json()
        assert late["end"]["how"] == "hang_up"
        waits = (await client.post(f"{FLOWS}/front/try", json={"then": "stop"})).json()
        assert (waits["end"]["how"], waits["end"]["node"]) == ("waits", "ask")
        own = (await client.post(f"{FLOWS}/other/try", json={"graph": OF_FILE})).json()
        assert own["end"]["outcome"] == "self_served"
        body = problem(await client.post(f"{FLOWS}/front/try", json={"graph": {"format": 1}}), "FLOW-WRONG")
        assert body["problems"]
        problem(await client.post(f"{FLOWS}/nobody/try", json={}), "NOT-FOUND")
        assert not api.house.centre("acme").contacts  # nobody was called

    run(tmp_path, story)


def test_a_prompt_is_heard(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        problem(await client.post(f"{FLOWS}/hear", json={"text": "Hello"}), "NO-SPEECH")
        api.house.speech = Speech(api.house.data)
        await api.house.speech.start()
        try:
            assert api.house.speech.voices("acme"), "a wheel that we depend on brings eSpeak NG"
            parts = ["You owe", {"money": "{debt}", "currency": "PLN"}, {"pause": 300}]
            asked = {"parts": parts, "language": "en", "values": {"debt": 12.5}}
            answer = await client.post(f"{FLOWS}/hear", json=asked)
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == "audio/wav"
            assert answer.content[:4] == b"RIFF"
            assert len(answer.content) > 16_000  # more than a second
            brackets = await client.post(f"{FLOWS}/hear", json={"text": "{not a template", "language": "en"})
            assert brackets.status_code == 200
            wrong = await client.post(f"{FLOWS}/hear", json={"parts": [{"texd": "x"}]})
            assert problem(wrong, "FLOW-WRONG")["problems"]
            problem(await client.post(f"{FLOWS}/hear", json={"text": "x", "language": "tlh"}), "NO-SPEECH")
        finally:
            await api.house.speech.stop()

    run(tmp_path, story)


def test_what_is_published_is_spoken_ahead(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        speech = api.house.speech = Speech(api.house.data)
        await speech.start()
        try:
            assert speech.voices("acme"), "a wheel that we depend on brings eSpeak NG"
            graph = changed(ask="One for sales, said ahead.")
            part = Part("text", graph["nodes"]["ask"]["prompt"][0])
            await make(client, graph=graph)
            assert speech.ready("acme", [part], "en") is None
            await publish(client)
            for _ in range(1000):
                if speech.ready("acme", [part], "en") is not None:
                    break
                await asyncio.sleep(0.02)
            assert speech.ready("acme", [part], "en")
            assert speech.ready("acme", [Part("text", "Something else.")], "en") is None
        finally:
            await speech.stop()

    run(tmp_path, story)


def test_the_vocabulary_names_what_the_house_has(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await make(client)
        found = (await client.get(f"{FLOWS}/vocabulary")).json()
        assert found["queues"] == ["claims", "sales"]
        assert found["flows"] == [
            {"id": "callback", "name": "callback"},
            {"id": "front", "name": "Front"},
            {"id": "night", "name": "At night"},
            {"id": "voicemail", "name": "voicemail"},
        ]
        assert "builtin:welcome" in found["builtin_sounds"]

    run(tmp_path, story)


# --- which ways they went ---


def test_paths_of_calls_are_counted(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        await make(client)
        await publish(client)
        now = api.house.now
        for number, digit in enumerate("1177"):
            name = f"c{number}"
            api.tell("acme", f.ContactArrived(now(), name, "300", name))
            api.tell("acme", f.DigitPressed(now(), name, Private(digit)))
        api.tell("acme", f.HungUp(now(), "c2"))
        await api.settle()
        found = (await client.get(f"{FLOWS}/front/paths")).json()
        assert (found["calls"], found["versions"]) == (4, [1])
        nodes = {one["node"]: one for one in found["nodes"]}
        assert nodes["ask"]["exits"] == [{"exit": "1", "count": 2}]
        assert (nodes["ask"]["entered"], nodes["ask"]["left"], nodes["sales"]["entered"]) == (4, 1, 2)
        today = datetime.fromtimestamp(now(), UTC).date().isoformat()
        days = (await client.get(f"{FLOWS}/front/paths?from=2020-01-01&to=2020-01-02&version=1")).json()
        assert (days["calls"], days["nodes"]) == (0, [])
        same = (await client.get(f"{FLOWS}/front/paths?from={today}&to={today}&version=1")).json()
        assert same["nodes"] == found["nodes"]
        problem(await client.get(f"{FLOWS}/front/paths?from=2026-02-01&to=2026-01-01"), "BAD-INPUT")
        problem(await client.get(f"{FLOWS}/front/paths?from=1900-01-01&to=2026-01-01"), "BAD-INPUT")
        problem(await client.get(f"{FLOWS}/nobody/paths"), "NOT-FOUND")

    run(tmp_path, story)


# --- what others do to flows ---


def test_settings_that_would_break_a_flow_are_told(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        edit = {"path": ["calendars", "office"], "value": {"hours": {"mon": "9:00-17:00"}}}
        saved = await client.post("/api/v1/admin/settings", json={"base": 0, "edits": [edit]})
        assert saved.status_code == 200, saved.text
        graph = {
            "format": 1,
            "start": "h",
            "nodes": {
                "h": {"type": "hours", "calendar": "office", "exits": {"open": "bye", "closed": "bye"}},
                "bye": {"type": "hang_up"},
            },
        }
        await make(client, graph=graph)
        await publish(client)
        edit = {"path": ["calendars", "office"], "value": None}
        checked = await client.post("/api/v1/admin/settings/check", json={"base": 1, "edits": [edit]})
        (broken,) = [one for one in checked.json()["effects"] if one["code"] == "FLOW-BROKEN"]
        assert (broken["flow"], broken["node"]) == ("front", "h")
        edit = {"path": ["queues", "claims", "wrap_up"], "value": "10s"}
        checked = await client.post("/api/v1/admin/settings/check", json={"base": 1, "edits": [edit]})
        assert not [one for one in checked.json()["effects"] if one["code"] == "FLOW-BROKEN"]

    run(tmp_path, story)


def test_a_sound_that_a_flow_plays_stays(tmp_path: Path) -> None:
    async def story(api: Api, client: Any) -> None:
        sounds = api.house.data / "sounds" / "acme"
        sounds.mkdir(parents=True)
        (sounds / "jazz.wav").write_bytes(b"RIFF" + bytes(2000))
        (sounds / "spare.wav").write_bytes(b"RIFF" + bytes(2000))
        graph = changed()
        graph["nodes"]["ask"]["invalid_prompt"] = [{"sound": "jazz"}]
        await make(client, graph=graph)
        assert (await client.delete("/api/v1/admin/sounds/jazz")).status_code == 204  # a draft plays nothing
        (sounds / "jazz.wav").write_bytes(b"RIFF" + bytes(2000))
        await publish(client)
        problem(await client.delete("/api/v1/admin/sounds/jazz"), "IN-USE")
        items = {
            one["name"]: one["used_by"] for one in (await client.get("/api/v1/admin/sounds")).json()["items"]
        }
        assert (items["jazz"], items["spare"]) == (["flows.front"], [])
        assert (await client.delete("/api/v1/admin/sounds/spare")).status_code == 204
        graph["nodes"]["ask"]["invalid_prompt"] = [{"sound": "spare"}]
        found = (await client.post(f"{FLOWS}/front/check", json={"graph": graph})).json()["problems"]
        assert [one["code"] for one in found] == ["FLOW-SOUND"]

    run(tmp_path, story)
