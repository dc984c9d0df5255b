"""The day and the roster by the API: adherence, the day, requests that change the plan, calendars."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from test_web_api import Api, open_api, problem

from centrala.people import Role
from centrala.planning.values import Duty, Plan, Stretch
from tests.unit.plan_scenes import scene

pytestmark = pytest.mark.unit

AGENTS = ("alice", "boris", "c3", "c4", "c5", "c6", "c7", "c8")
QUEUES = ("sales", "claims")


def run(folder: Path, story: Callable[[Api], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_api(folder) as api:
            await story(api)
        await asyncio.sleep(0.1)  # for the planner's process to be seen off

    asyncio.run(main())


def today(api: Api) -> date:
    zone = ZoneInfo(api.house.tenant("acme").timezone)
    return datetime.fromtimestamp(api.house.now(), zone).date()


def plan_of(api: Api, weeks_ahead: int = 0) -> Plan:
    """The scene, in this week or a later one, by the house's clocks."""
    day = today(api)
    monday = day - timedelta(day.weekday()) + timedelta(7 * weeks_ahead)
    return scene(AGENTS, QUEUES, monday, api.house.tenant("acme").timezone)


async def publish(api: Api, plan: Plan, tenant: str = "acme") -> Plan:
    plans = api.house.plans
    added = await api.house.ask(plans.add, tenant, plan)
    done, _ = await api.house.ask(plans.publish, tenant, added.head.id, added.head.version, api.house.now())
    return done


def whole_day(api: Api, agent: str, queue: str, id: str) -> Duty:
    """Work at all hours of today."""
    return Duty(id, agent, today(api), "full", 0, 1440, (Stretch(0, 1440, queue),))


def test_adherence_and_the_day_are_of_the_published_plan_and_of_what_one_may_see(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.call("c1", "alice", over=False)
        later = api.house.now() + 600
        api.house.now = lambda: later  # type: ignore[method-assign]
        plan = plan_of(api)
        duties = (whole_day(api, "alice", "sales", "d1"), whole_day(api, "boris", "claims", "d2"))
        await api.user("planner", Role.PLANNER)
        await api.user("claims", Role.SUPERVISOR, scopes=("queue:claims",))
        await api.user("alien", Role.PLANNER, tenant="other")
        async with api.as_("planner") as client:
            empty = (await client.get("/api/v1/planning/adherence")).json()
            assert (empty["plan"], empty["agents"]) == (None, [])
            assert (await client.get("/api/v1/planning/today")).json()["plan"] is None
        done = await publish(api, replace(plan, duties=duties))
        async with api.as_("planner") as client:
            now = (await client.get("/api/v1/planning/adherence")).json()
            assert now["plan"] == done.head.id
            known = {one["agent"]: one for one in now["agents"]}
            assert set(known) == set(AGENTS)
            alice, boris = known["alice"], known["boris"]
            assert (alice["planned"], alice["queue"], alice["state"], alice["fits"]) == (
                "work",
                "sales",
                "on_contact",
                True,
            )
            assert alice["out_since"] is None
            assert boris["state"] == "logged_out"
            assert boris["out_since"].startswith(str(today(api)))
            assert boris["today"]["missing_min"] >= 0
            assert "Planned at the phones since 00:00; signed out" in boris["text"]
            assert known["c3"]["planned"] == "off"
            # Boris never came: half of what was planned so far is lost.
            assert now["shrinkage"]["absent_min"] == pytest.approx(now["shrinkage"]["paid_min"] / 2, abs=0.2)
            yesterday = (
                await client.get(f"/api/v1/planning/adherence?day={today(api) - timedelta(1)}")
            ).json()
            assert yesterday["at"].startswith(f"{today(api)}T00:00:00")
            for wrong in (today(api) + timedelta(1), "2001-01-01", "x"):
                problem(await client.get(f"/api/v1/planning/adherence?day={wrong}"), "BAD-INPUT")

            async def reckoned(order: dict) -> dict:  # type: ignore[type-arg]
                assert set(order["queues"]) == set(QUEUES)
                left = len(order["queues"]["sales"]["contacts"])
                assert len(order["queues"]["sales"]["agents"]) == left
                return {
                    "queues": {
                        name: {
                            "expected": [0.5] * left,
                            "advice": [
                                {"what": "move", "text": "t", "agents": 2, "begin": 900, "end": 960, "to": 1020,
                                 "name": "training", "before": 0.5, "after": 0.6, "worst": 0.1, "hours": 0}
                            ],
                        }
                        for name in QUEUES
                    }
                }  # fmt: skip

            api.house.planner.ask = reckoned  # type: ignore[method-assign, assignment]
            day = (await client.get("/api/v1/planning/today")).json()
            assert len(day["starts"]) == 48
            sales = day["queues"]["sales"]
            assert all(len(some) == 48 for some in sales.values() if isinstance(some, list))
            assert sum(one or 0 for one in sales["came"]) == 1
            assert sales["planned_agents"] == [1.0] * 48
            assert sales["expected"][-1] == 0.5
            assert [one for one in sales["present"] if one][-1] > 0
            move = next(one for one in day["advice"] if one["queue"] == "sales")
            assert (move["begin"][11:16], move["to"][11:16], move["name"]) == ("15:00", "17:00", "training")
            assert day["reckoned_at"] is not None
        async with api.as_("claims") as client:
            assert set((await client.get("/api/v1/planning/today")).json()["queues"]) == {"claims"}
            seen = (await client.get("/api/v1/planning/adherence")).json()["agents"]
            assert [one["agent"] for one in seen] == ["boris"]
        async with api.as_("alien", "other") as client:
            assert (await client.get("/api/v1/planning/adherence")).json()["agents"] == []

    run(tmp_path, story)


def test_a_swap_and_days_off_go_through_everybody_and_change_the_plan(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        done = await publish(api, plan_of(api, 1))
        monday = done.head.first
        mine = next(one for one in done.duties if one.agent == "alice" and one.day == monday)
        theirs = next(one for one in done.duties if one.agent == "boris" and one.day == monday)
        await api.user("alice", Role.AGENT, agent="alice")
        await api.user("boris", Role.AGENT, agent="boris")
        await api.user("chief", Role.SUPERVISOR, agent="alice")
        await api.user("planner", Role.PLANNER)
        await api.user("alien", Role.PLANNER, tenant="other")
        me = "/api/v1/me"
        async with api.as_("alice") as alice, api.as_("boris") as boris, api.as_("planner") as planner:
            roster = (await alice.get(f"{me}/roster?from={monday}&to={monday + timedelta(6)}")).json()
            assert [one["id"] for one in roster["duties"]] == [
                one.id for one in done.duties if one.agent == "alice"
            ]
            assert roster["duties"][0]["stretches"][0]["queue"] == "sales"
            assert len(roster["published"]) == 7
            problem(await alice.get(f"{me}/roster?from=2026-01-01&to=2027-01-01"), "BAD-INPUT")
            found = (await alice.get(f"{me}/roster/colleagues?duty={mine.id}")).json()["items"]
            # Who works at the same time has nothing to offer; the eighth works on days that are free for Alice.
            assert {one["agent"]: len(one["duties"]) for one in found} == {"boris": 1, "c4": 1, "c8": 2}
            assert {one["agent"] for one in found if one["free"]} == {"c8"}
            asked = {
                "what": "swap",
                "duty": mine.id,
                "with_agent": "boris",
                "with_duty": theirs.id,
                "note": "please",
            }
            problem(await boris.post(f"{me}/requests", json=asked), "NOT-FOUND")
            made = (await alice.post(f"{me}/requests", json=asked)).json()
            assert made["state"] == "asked"
            problem(await alice.post(f"{me}/requests", json=asked), "REQUEST-THERE")
            place = f"/api/v1/planning/requests/{made['id']}"
            problem(await planner.post(f"{place}/decide", json={"approve": True}), "REQUEST-OVER")
            problem(await alice.post(f"{me}/requests/{made['id']}/answer", json={"agree": True}), "NOT-FOUND")
            asks = (await boris.get(f"{me}/requests")).json()["items"]
            assert [(one["mine_to_answer"], one["name"]) for one in asks] == [(True, "Alice")]
            agreed = await boris.post(f"{me}/requests/{made['id']}/answer", json={"agree": True})
            assert agreed.json()["state"] == "open"
            listed = (await planner.get("/api/v1/planning/requests")).json()["items"][0]
            assert listed["can_decide"]
            assert listed["effect"]["broken"] == []
            assert listed["effect"]["problem"] is None
            async with api.as_("chief") as chief:
                problem(await chief.post(f"{place}/decide", json={"approve": True}), "NOT-ALLOWED")
            async with api.as_("alien", "other") as alien:
                problem(await alien.post(f"{place}/decide", json={"approve": True}), "NOT-FOUND")
                assert (await alien.get("/api/v1/planning/requests")).json()["items"] == []
            # Two who decide at once: one of them has.
            both = await asyncio.gather(
                *(planner.post(f"{place}/decide", json={"approve": True, "note": "fine"}) for _ in range(2))
            )
            assert sorted(one.status_code for one in both) == [200, 409]
            final = next(one for one in both if one.is_success)
            assert (final.json()["state"], final.json()["decision"]) == ("approved", "fine")
            problem(await planner.post(f"{place}/decide", json={"approve": False}), "REQUEST-OVER")
            problem(await alice.delete(f"{me}/requests/{made['id']}"), "REQUEST-OVER")
            now = (await alice.get(f"{me}/roster?from={monday}&to={monday}")).json()["duties"]
            assert [one["id"] for one in now] == [theirs.id]

            # Days off: the duty is nobody's any more, and plans to come know.
            tuesday = str(monday + timedelta(1))
            free = (await alice.post(f"{me}/requests", json={"what": "time_off", "days": [tuesday]})).json()
            assert free["state"] == "open"
            effect = (await planner.get("/api/v1/planning/requests?state=waiting")).json()["items"][0][
                "effect"
            ]
            assert effect["short_after"] >= effect["short_before"]
            body = {"approve": True, "anyway": bool(effect["broken"])}
            given = await planner.post(f"/api/v1/planning/requests/{free['id']}/decide", json=body)
            assert given.json()["state"] == "approved", given.text
            after = (await alice.get(f"{me}/roster?from={tuesday}&to={tuesday}")).json()
            assert (after["duties"], after["absent"]) == ([], [tuesday])

            # A duty that is somebody else's by now can't be given any more.
            wednesday = next(
                one for one in done.duties if one.agent == "alice" and one.day == monday + timedelta(2)
            )
            give = (
                await alice.post(f"{me}/requests", json={"what": "give", "duty": wednesday.id, "to": "boris"})
            ).json()
            await boris.post(f"{me}/requests/{give['id']}/answer", json={"agree": True})
            version = (await api.house.ask(api.house.plans.plan, "acme", done.head.id)).head.version
            await api.house.planner.edit(
                "acme", done.head.id, version, [{"what": "remove", "duty": wednesday.id}], anyway=True
            )
            stale = (await planner.get("/api/v1/planning/requests")).json()["items"][0]
            assert "isn't in the plan any more" in stale["effect"]["problem"]
            problem(
                await planner.post(f"/api/v1/planning/requests/{give['id']}/decide", json={"approve": True}),
                "PLAN-CHANGED",
            )
            gone = await alice.delete(f"{me}/requests/{give['id']}")
            assert gone.json()["state"] == "withdrawn"

    run(tmp_path, story)


def test_a_calendar_is_read_by_its_secret_until_that_is_taken_back(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        done = await publish(api, plan_of(api, 1))
        await api.user("alice", Role.AGENT, agent="alice")
        user = api.users["acme/alice"]
        await api.user("planner", Role.PLANNER)
        async with api.as_("alice") as alice, api.client() as nobody:
            own = await alice.get("/api/v1/me/roster.ics")
            assert own.headers["content-type"].startswith("text/calendar")
            assert own.text.count("BEGIN:VEVENT") == 5
            path = (await alice.post("/api/v1/me/roster/link")).json()["path"]
            assert re.fullmatch(r"/api/v1/roster/[\w-]{40,}\.ics", path)
            assert (await nobody.get(path)).text.count("BEGIN:VEVENT") == 5
            problem(await nobody.get("/api/v1/roster/none.ics"), "NOT-FOUND")
            again = (await alice.post("/api/v1/me/roster/link")).json()["path"]
            problem(await nobody.get(path), "NOT-FOUND")
            assert (await alice.get("/api/v1/me/roster")).json()["link_made_at"] is not None
            # Who has left shows nothing any more.
            await api.house.ask(api.house.people.set_active, user, False, api.house.now())
            problem(await nobody.get(again), "NOT-FOUND")
        async with api.as_("planner") as planner:
            place = f"/api/v1/plans/{done.head.id}/calendar.ics"
            assert (await planner.get(place)).text.count("BEGIN:VEVENT") == len(done.duties)
            assert (await planner.get(f"{place}?agent=boris")).text.count("BEGIN:VEVENT") == 5
            problem(await planner.get(f"{place}?agent=olga"), "NOT-FOUND")

    run(tmp_path, story)
