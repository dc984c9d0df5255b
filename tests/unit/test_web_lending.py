"""A supervisor lends agents to queues: at once, in their scope, told to the agent, in the trail, until taken back."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from centrala.core import facts as f
from centrala.people import Role
from centrala.settings import load
from centrala.web.board import fold
from centrala.web.shown import MessageShown
from tests.unit.test_web_api import Api, open_api, problem
from tests.unit.test_web_floor import Phones, arrive, press, run

pytestmark = pytest.mark.unit


async def change(client: httpx.AsyncClient, agent: str, **queues: bool | None) -> dict[str, Any]:
    answer = await client.put(f"/api/v1/floor/agents/{agent}/queues", json={"queues": queues})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()["agent"]
    return shown


async def served(client: httpx.AsyncClient, agent: str) -> dict[str, tuple[bool, bool | None, bool]]:
    answer = await client.get(f"/api/v1/floor/agents/{agent}/queues")
    assert answer.status_code == 200, answer.text
    return {one["id"]: (one["configured"], one["lent"], one["serves"]) for one in answer.json()["items"]}


async def messages(client: httpx.AsyncClient) -> list[Any]:
    view = fold(None, (await client.get("/api/v1/live")).json())
    found = [value for (kind, _), value in view.entities.items() if kind == "message"]
    for one in found:
        MessageShown.model_validate(one)
    return [(one["moved"]["agent"], one["moved"]["into"], one["moved"]["out_of"]) for one in found]


def test_lent_and_taken_back(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief, api.as_("alice") as alice:
            await press(alice, "ready")
            assert await served(chief, "alice") == {
                "sales": (True, None, True),
                "claims": (False, None, False),
            }
            await arrive(api, "c1", "200")
            assert not phones.rung
            shown = await change(chief, "alice", claims=True)
            assert (shown["queues"], shown["plus"], shown["minus"]) == (["claims", "sales"], ["claims"], [])
            assert phones.rung[-1][2] == "alice", "at once: whoever waits there rings them"
            assert await served(chief, "alice") == {
                "sales": (True, None, True),
                "claims": (False, True, True),
            }
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert desk["agent"]["plus"] == ["claims"]
            assert await messages(alice) == [("alice", ["claims"], [])]
            async with api.as_("boris") as boris:
                assert await messages(boris) == [], "it is for whom it concerns"

            shown = await change(chief, "alice", sales=False, claims=None)
            assert (shown["queues"], shown["plus"], shown["minus"]) == ([], [], ["sales"])
            assert (await messages(alice))[-1] == ("alice", [], ["claims", "sales"])
            shown = await change(chief, "alice", sales=True)
            assert (shown["queues"], shown["plus"], shown["minus"]) == (["sales"], [], []), (
                "what is as configured is held by nobody"
            )
            await change(chief, "alice", sales=True)
            assert len(await messages(alice)) == 3, "nothing has changed: nothing is said"

            trail = await api.house.ask(api.house.people.trail, "acme")
            changes = [one for one in trail if one.action == "agent.queues"]
            assert {one.subject for one in changes} == {"alice"}
            assert {"queues": {"claims": True}} in [one.after for one in changes]

    run(tmp_path, story)


def test_by_scope_and_permission(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        await api.user("banker", Role.SUPERVISOR, scopes=("client:bank",))
        await api.user("leader", Role.SUPERVISOR, scopes=("team:early",))
        await api.user("watcher", Role.PLANNER)
        async with (
            api.as_("chief") as chief,
            api.as_("banker") as banker,
            api.as_("leader") as leader,
            api.as_("watcher") as watcher,
            api.as_("boris") as boris,
        ):
            path = "/api/v1/floor/agents/{}/queues"
            for client in (watcher, boris):
                problem(await client.get(path.format("boris")), "NOT-ALLOWED")
                body = {"queues": {"claims": False}}
                problem(await client.put(path.format("boris"), json=body), "NOT-ALLOWED")
            # The bank's supervisor sees who serves the bank, and the bank's queue.
            assert await served(banker, "boris") == {"claims": (True, None, True)}
            problem(await banker.put(path.format("alice"), json={"queues": {"claims": True}}), "NOT-FOUND")
            problem(await banker.put(path.format("boris"), json={"queues": {"sales": True}}), "NOT-FOUND")
            await change(banker, "boris", claims=False)
            assert await served(banker, "boris") == {"claims": (True, False, False)}
            await change(banker, "boris", claims=None)  # who was taken out can be put back
            # A team is no queue: its leader may not fill one of somebody else's.
            problem(await leader.put(path.format("alice"), json={"queues": {"claims": True}}), "NOT-FOUND")
            assert await served(leader, "alice") == {}
            bads: tuple[Any, ...] = (
                {},
                {"queues": {}},
                {"queues": {"claims": "yes"}},
                {"queues": {"": True}},
                {"x": 1},
            )
            for bad in bads:
                problem(await chief.put(path.format("alice"), json=bad), "BAD-INPUT")
            problem(await chief.put(path.format("alice"), json={"queues": {"nothing": True}}), "NOT-FOUND")
            problem(await chief.put(path.format("nobody"), json={"queues": {"sales": True}}), "NOT-FOUND")
            # A queue that is half right isn't changed by halves.
            problem(
                await chief.put(path.format("alice"), json={"queues": {"claims": True, "no": True}}),
                "NOT-FOUND",
            )
            assert (await served(chief, "alice"))["claims"] == (False, None, False)

    run(tmp_path, story)


def test_it_survives_a_restart_and_other_settings(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief, api.as_("alice") as alice:
            await press(alice, "ready")
            await change(chief, "alice", claims=True, sales=False)
            await press(alice, "sign-out")
            await press(alice, "ready")
            assert (await served(chief, "alice"))["claims"] == (False, True, True)
            api.tell("acme", f.AgentChanged(api.house.now(), api.house.centre("acme").agents["alice"].spec))
            await api.settle()
            assert (await served(chief, "alice"))["sales"] == (True, False, False)

    run(tmp_path, story)

    async def main() -> None:
        async with open_api(tmp_path, load(tmp_path / "centre.yaml")) as api:
            agent = api.house.centre("acme").agents["alice"]
            assert (agent.plus, agent.minus, list(agent.queues)) == (("claims",), ("sales",), ["claims"])
            entity = api.house.hubs["acme"].entity(("agent", "alice"))
            assert entity is not None
            assert (entity.value["plus"], entity.value["minus"]) == (["claims"], ["sales"])

    asyncio.run(main())


def test_bars_follow(tmp_path: Path) -> None:
    """One queue less and one more: as many as before, in other queues."""

    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief, api.as_("alice") as alice:
            await press(alice, "ready")
            hub = api.house.hubs["acme"]

            def free() -> dict[str, int]:
                views = hub.live.view_queues(api.house.centre("acme"), api.house.now())
                return {one.id: one.bar[0] for one in views}

            assert free() == {"sales": 1, "claims": 0}
            await change(chief, "alice", claims=True, sales=False)
            assert free() == {"sales": 0, "claims": 1}
            hub.flush()
            entity = hub.entity(("queue", "claims"))
            assert entity is not None
            assert "alice" in entity.agents, "the queue stands on their page"

    run(tmp_path, story)
