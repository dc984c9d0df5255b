"""Plans over the API: read, edited, published, copied, put away, by whom; contracts and rules. Nothing is solved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from centrala.people import Role
from centrala.planning import job, reckoning
from centrala.planning.values import Order, Plan
from centrala.web import plan_shapes as shapes
from tests.unit.plan_scenes import scene
from tests.unit.test_web_api import Api, problem, run

pytestmark = pytest.mark.unit

AGENTS = ("alice", "boris", *(f"agent{one}" for one in range(3, 9)))
NEXT = date.today() + timedelta(14 - date.today().weekday())
NEW = {
    "name": "Week",
    "first": str(NEXT),
    "weeks": 1,
    "queues": ["sales"],
    "demand": {
        "from": "typed",
        "per_hour": {"sales": {"mon": [[480, 1020, 12]]}},
        "handling": {"sales": 240},
    },
}


def kept(api: Api, tenant: str = "acme", **head: Any) -> Plan:
    made = reckoning.evaluated(scene(AGENTS, ("sales", "claims"), NEXT, "UTC", **head))
    return api.house.plans.add(tenant, made)


@asynccontextmanager
async def planner(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    await api.user("planner", Role.PLANNER)
    async with api.as_("planner") as client:
        yield client


def trail(api: Api) -> list[tuple[str, str]]:
    return [(one.action, one.subject) for one in reversed(api.house.people.trail("acme"))]


def test_a_plan_is_read_edited_published_copied_and_put_away(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        plan = kept(api)
        async with planner(api) as client:
            heads = (await client.get("/api/v1/plans")).json()["items"]
            TypeAdapter(list[shapes.PlanHead]).validate_python(heads)
            assert [one["id"] for one in heads] == ["plan1"]
            shown = (await client.get("/api/v1/plans/plan1")).json()
            shapes.PlanShown.model_validate(shown)
            assert len(shown["starts"]) == len(shown["staffed"]["sales"]) == 7 * 48
            assert shown["starts"][0] == f"{NEXT}T00:00:00+00:00"
            assert (len(shown["duties"]), shown["costs"]["paid"]) == (40, 320)
            assert not any("wage" in one for one in shown["agents"])
            url = "/api/v1/plans/plan1/duties"

            # Tried: nothing is changed. An hour later there is one agent less from 8 to 9, one more from 16:30 on.
            move = {"what": "move", "duty": "d1", "start": 540}
            told = (await client.patch(url, json={"version": 1, "changes": [move], "try": True})).json()
            shapes.PlanEdited.model_validate(told)
            was, now = shown["staffed"]["sales"], told["staffed"]["sales"]
            differs = {at: now[at] - was[at] for at in range(48 * 7) if now[at] != was[at]}
            assert differs[16] == differs[17] == -1
            assert differs[33] == differs[34] == 1
            assert sum(differs.values()) == 0
            assert told["version"] == 1
            assert told["before"]["costs"] == shown["costs"]
            assert told["duties"][0]["breaks"][0] == {"start": 660, "end": 675, "paid": True}
            assert (await client.get("/api/v1/plans/plan1")).json() == shown

            # Done; then what stands in the old version is refused.
            done = await client.patch(url, json={"version": 1, "changes": [move]})
            assert done.json()["version"] == 2
            stale = problem(await client.patch(url, json={"version": 1, "changes": [move]}), "PLAN-CHANGED")
            assert stale["version"] == 2

            # What breaks a rule is told, and is done only by who says so.
            late = [{"what": "move", "duty": "d1", "start": 900}]
            refused = problem(
                await client.patch(url, json={"version": 2, "changes": late}), "PLAN-BREAKS-RULE"
            )
            assert {one["code"] for one in refused["broken"]} == {"rest"}
            borne = await client.patch(url, json={"version": 2, "changes": late, "anyway": True})
            assert [one["code"] for one in borne.json()["anew"]] == ["rest"]
            undo = [{"what": "put", "duty": shown["duties"][0]}]
            back = (await client.patch(url, json={"version": 3, "changes": undo})).json()
            assert back["broken"] == []
            assert back["staffed"] == shown["staffed"]
            assert back["expected"] == shown["expected"]
            assert back["costs"] == shown["costs"]

            for wrong in (
                {"what": "move", "duty": "nothing", "start": 540},
                {"what": "move", "duty": "d1", "day": "2020-01-06"},
                {"what": "move", "duty": "d1", "agent": "olga"},
                {"what": "move", "duty": "d1", "start": 541},
                {"what": "add", "agent": "alice", "day": str(NEXT), "shift": "none", "start": 480},
                {"what": "swap", "duty": "d1", "with": "d2"},
                {"what": "put", "duty": {**shown["duties"][0], "end": 100}},
                {"what": "activity", "duty": "d1", "start": 0, "end": 30, "name": "training"},
            ):
                problem(await client.patch(url, json={"version": 4, "changes": [wrong]}), "PLAN-INPUT")
            problem(await client.patch(url, json={"version": 4, "changes": [{"what": "burn"}]}), "BAD-INPUT")

            half = b'{"version": 4, "changes": [{"what": "remove", "duty": "\\ud800"}]}'
            as_json = {"Content-Type": "application/json"}
            problem(await client.patch(url, content=half, headers=as_json), "BAD-INPUT")

            published = await client.post("/api/v1/plans/plan1/publish", json={"version": 4})
            shapes.PlanPublished.model_validate(published.json())
            assert published.json()["state"] == "published"
            problem(await client.post("/api/v1/plans/plan1/publish", json={"version": 5}), "PLAN-STATE")
            copied = (await client.post("/api/v1/plans/plan1/copy", json={"name": "Other"})).json()
            assert (copied["state"], copied["name"], copied["version"]) == ("draft", "Other", 1)
            took = (await client.post(f"/api/v1/plans/{copied['id']}/publish", json={"version": 1})).json()
            assert [len(one["days"]) for one in took["replaced"]] == [7]
            assert (await client.get("/api/v1/plans/plan1")).json()["state"] == "archived"
            assert (await client.delete("/api/v1/plans/plan1")).status_code == 204
            problem(await client.get("/api/v1/plans/plan1"), "NOT-FOUND")
            assert (await client.delete(f"/api/v1/plans/{copied['id']}")).status_code == 204
            gone = (await client.get(f"/api/v1/plans/{copied['id']}")).json()
            assert gone["state"] == "archived"
        assert [one for one in trail(api) if one[0].startswith("plan.")] == [
            *[("plan.edited", "plan1")] * 3,
            ("plan.published", "plan1"),
            ("plan.copied", copied["id"]),
            ("plan.published", copied["id"]),
            ("plan.deleted", "plan1"),
            ("plan.archived", copied["id"]),
        ]
        assert plan.head.version == 1

    run(tmp_path, story)


def test_who_sees_a_part_of_the_house_sees_that_part_of_a_plan(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        kept(api)
        await api.user("whole", Role.SUPERVISOR)
        await api.user("claims", Role.SUPERVISOR, scopes=("queue:claims",))
        await api.user("team", Role.SUPERVISOR, scopes=("team:evening",))
        await api.user("half", Role.PLANNER, scopes=("queue:claims",))
        await api.user("alien", Role.PLANNER, tenant="other")
        await api.user("alice", Role.AGENT, agent="alice")
        async with api.as_("whole") as client:
            assert len((await client.get("/api/v1/plans/plan1")).json()["duties"]) == 40
            problem(await client.get("/api/v1/planning/people"), "NOT-ALLOWED")
            assert (await client.get("/api/v1/planning/rules")).status_code == 200
            for method, path, body in (
                ("POST", "/plans", NEW),
                (
                    "PATCH",
                    "/plans/plan1/duties",
                    {"version": 1, "changes": [{"what": "remove", "duty": "d1"}]},
                ),
                ("POST", "/plans/plan1/publish", {"version": 1}),
                ("POST", "/plans/plan1/copy", {}),
                ("DELETE", "/plans/plan1", None),
                ("PUT", "/planning/people/alice", {}),
            ):
                answer = await client.request(method, f"/api/v1{path}", json=body)
                problem(answer, "NOT-ALLOWED")
        async with api.as_("team") as client:
            assert (await client.get("/api/v1/plans")).json() == {"items": []}
            problem(await client.get("/api/v1/plans/plan1"), "NOT-FOUND")
        for name in ("claims", "half"):
            async with api.as_(name) as client:
                [head] = (await client.get("/api/v1/plans")).json()["items"]
                assert (head["queues"], head["cost"]) == (["claims"], None)
                shown = (await client.get("/api/v1/plans/plan1")).json()
                # Boris serves claims; alice doesn't, and the others are no agents of the centre.
                assert {one["agent"] for one in shown["duties"]} == {"boris"}
                assert [one["agent"] for one in shown["agents"]] == ["boris"]
                assert set(shown["demand"]) == set(shown["staffed"]) == {"claims"}
                assert (shown["queues"], shown["costs"], shown["cost"]) == (["claims"], {}, None)
                publish = await client.post("/api/v1/plans/plan1/publish", json={"version": 1})
                problem(publish, "NOT-ALLOWED")
        async with api.as_("alice") as client:
            problem(await client.get("/api/v1/plans"), "NOT-ALLOWED")
        async with api.as_("alien", tenant="other") as client:
            assert (await client.get("/api/v1/plans")).json() == {"items": []}
            problem(await client.get("/api/v1/plans/plan1"), "NOT-FOUND")
            body = {"version": 1, "changes": [{"what": "remove", "duty": "d1"}]}
            problem(await client.patch("/api/v1/plans/plan1/duties", json=body), "NOT-FOUND")
            problem(await client.post("/api/v1/plans/plan1/publish", json={"version": 1}), "NOT-FOUND")
            problem(await client.post("/api/v1/plans/plan1/copy", json={}), "NOT-FOUND")
            problem(await client.delete("/api/v1/plans/plan1"), "NOT-FOUND")
            problem(await client.put("/api/v1/planning/people/alice", json={}), "NOT-FOUND")

    run(tmp_path, story)


def test_contracts_and_rules(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        async with planner(api) as client:
            items = (await client.get("/api/v1/planning/people")).json()["items"]
            shapes.PeopleShown.model_validate({"items": items})
            assert [(one["agent"], one["queues"], one["hours"]) for one in items] == [
                ("alice", ["sales"], 40.0),
                ("boris", ["claims", "sales"], 40.0),
            ]
            body = {
                "version": 0,
                "hours": 20,
                "available": [[480, 960], None, [480, 960], [480, 960], [480, 960], None, None],
                "absent": [{"from": "2026-12-24", "to": "2026-12-26", "why": "holidays"}],
                "wishes": ["2026-12-31"],
                "likes": [540, 900],
                "activities": [{"day": "2026-12-02", "from": 540, "to": 600, "what": "training"}],
            }
            url = "/api/v1/planning/people/alice"
            made = (await client.put(url, json=body)).json()
            shapes.PersonShown.model_validate(made)
            assert made["version"] == 1
            assert made["absent"] == body["absent"]
            problem(await client.put(url, json=body), "PLAN-CHANGED")
            assert (await client.get("/api/v1/planning/people")).json()["items"][0] == made
            for wrong in (
                {"available": [None]},
                {"likes": [900, 100]},
                {"shifts": ["night"]},
                {"shifts": []},
                {"absent": [{"from": "2026-12-26", "to": "2026-12-24"}]},
            ):
                assert problem(await client.put(url, json=wrong), "PLAN-INPUT")["about"] == ["alice"]
            problem(await client.put(url, json={"hours": 169}), "BAD-INPUT")
            problem(await client.put("/api/v1/planning/people/nobody", json={}), "NOT-FOUND")

            rules = (await client.get("/api/v1/planning/rules")).json()
            shapes.RulesShown.model_validate(rules)
            rules["rules"]["rest"] = 720
            changed = (await client.put("/api/v1/planning/rules", json=rules)).json()
            assert (changed["version"], changed["rules"]["rest"]) == (1, 720)
            problem(await client.put("/api/v1/planning/rules", json=rules), "PLAN-CHANGED")
            night = {"name": "night", "minutes": 480, "starts": [1320]}
            for kinds in (
                [{**night, "minutes": 481}],
                [night, night],
                [{**night, "breaks": [{"minutes": 30, "earliest": 460, "latest": 480}]}],
            ):
                problem(await client.put("/api/v1/planning/rules", json={"kinds": kinds}), "PLAN-INPUT")
            late = {"kinds": [night], "rules": {"rest": 2000}}
            problem(await client.put("/api/v1/planning/rules", json=late), "PLAN-INPUT")
        assert [one[0] for one in trail(api) if one[0].startswith("planning.")] == [
            "planning.person",
            "planning.rules",
        ]

    run(tmp_path, story)


def test_what_a_new_plan_is_asked_for_is_looked_at_before_anybody_waits(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        orders: list[Order] = []
        api.house.planner.make = orders.append  # type: ignore[method-assign]
        demand = NEW["demand"]
        assert isinstance(demand, dict)
        async with planner(api) as client:
            made = await client.post("/api/v1/plans", json=NEW, headers={"Idempotency-Key": "one"})
            assert made.status_code == 202, made.text
            head = shapes.PlanHead.model_validate(made.json())
            assert (head.state, head.progress and head.progress.stage) == ("making", "waiting")
            again = await client.post("/api/v1/plans", json=NEW, headers={"Idempotency-Key": "one"})
            assert again.json() == made.json()
            [order] = orders
            assert [one.agent for one in order.plan.agents] == ["alice", "boris"]
            assert order.goals["sales"].within == 20
            assert order.plan.head.version == 1
            url = f"/api/v1/plans/{head.id}"
            body = {"version": 1, "changes": [{"what": "remove", "duty": "d1"}]}
            problem(await client.patch(f"{url}/duties", json=body), "PLAN-STATE")
            problem(await client.post(f"{url}/publish", json={"version": 1}), "PLAN-STATE")
            problem(await client.post(f"{url}/copy", json={}), "PLAN-STATE")
            for wrong, about in (
                ({"first": str(NEXT + timedelta(1))}, []),
                ({"first": "2020-01-06"}, []),
                ({"queues": ["nothing"]}, ["nothing"]),
                ({"step": 1700}, []),
                ({"demand": {**demand, "per_hour": {}}}, ["sales"]),
                ({"demand": {**demand, "handling": {}}}, ["sales"]),
                ({"demand": {**demand, "per_hour": {"sales": {"mon": [[480, 400, 1]]}}}}, ["sales"]),
                ({"demand": {**demand, "per_hour": {"sales": {"mon": [[480.5, 600, 1]]}}}}, ["sales"]),
                ({"demand": {"from": "records", "like": {"sales": {"queue": "sales"}}}}, ["sales"]),
            ):
                answer = problem(await client.post("/api/v1/plans", json={**NEW, **wrong}), "PLAN-INPUT")
                assert answer["about"] == about, wrong
            problem(await client.post("/api/v1/plans", json={**NEW, "weeks": 15}), "BAD-INPUT")
            for agent in ("alice", "boris"):
                await client.put(f"/api/v1/planning/people/{agent}", json={"hours": 0})
            problem(await client.post("/api/v1/plans", json=NEW), "PLAN-NOBODY")
            assert (await client.delete(url)).status_code == 204
        assert ("plan.made", head.id) in trail(api)

    run(tmp_path, story)


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "WORK", {"edit": "no_such_library:do", "make": "centrala.planning.nothing:do"})
    missing = job.answer(b'{"what": "edit"}', lambda stage, share: None)["trouble"]
    assert missing["code"] == "WORKFORCE-MISSING"
    assert "pip install 'centrala[workforce]'" in missing["text"]
    # A fault of our own isn't blamed on the installation.
    fault = job.answer(b'{"what": "make"}', lambda stage, share: None)["trouble"]
    assert fault["code"] == "JOB-FAILED"
