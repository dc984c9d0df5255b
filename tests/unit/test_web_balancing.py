"""Rebalancing over the API: what is shown to whom, the end of a loan, the pause; all of it in the trail."""

from dataclasses import replace
from pathlib import Path

import pytest

from centrala.core import facts as f
from centrala.core.specs import Balance, Balancing
from centrala.people import Role
from centrala.web.board import fold
from centrala.web.shown import AgentShown, QueueShown
from tests.unit.test_web_api import Api, problem
from tests.unit.test_web_floor import Phones, arrive, press, run

pytestmark = pytest.mark.unit


async def balanced(api: Api, *, peak: int = 6) -> None:
    """Alice of sales is ready and may help claims, where nobody is and callers wait."""
    house = api.house
    centre = house.centre("acme")
    await house.tell("acme", "", lambda at, _: f.BalancingChanged(at, Balancing(every=20.0)))
    for name in ("sales", "claims"):
        spec = replace(centre.queues[name].spec, balance=Balance(), when_no_agents=None)
        await house.tell("acme", "", lambda at, _, spec=spec: f.QueueChanged(at, spec))  # type: ignore[misc]
    alice = replace(centre.agents["alice"].spec, helps=("claims",))
    await house.tell("acme", "alice", lambda at, _: f.AgentChanged(at, alice))
    for number in range(peak):
        await arrive(api, f"c{number}", "200")
    await house.tell("acme", "", lambda at, _: f.TimerFired(at, "balance:"))


def test_lent_shown_ended_and_paused(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        await api.user("leader", Role.SUPERVISOR, scopes=("team:early",))
        async with api.as_("chief") as chief, api.as_("alice") as alice, api.as_("leader") as leader:
            found = (await chief.get("/api/v1/floor/balancing")).json()
            assert (found["configured"], found["running"], found["queues"]) == (False, False, [])
            refused = await chief.put("/api/v1/floor/balancing", json={"on": False})
            assert problem(refused, "AGENT-REFUSED")["reason"] == "BALANCING-OFF"

            await press(alice, "ready")
            await balanced(api)
            assert phones.rung[-1][2] == "alice", "lent: whoever waits there rings them"
            found = (await chief.get("/api/v1/floor/balancing")).json()
            assert found["running"] is True
            assert [(one["id"], one["lent"], one["given"]) for one in found["queues"]] == [
                ("sales", 0, 1),
                ("claims", 1, 0),
            ]
            (loan,) = found["loans"]
            assert (loan["agent"], loan["queue"], loan["home"]) == ("alice", "claims", "sales")
            assert loan["without"] < loan["target"]

            view = fold(None, (await chief.get("/api/v1/live")).json())
            shown = AgentShown.model_validate(view.entities["agent", "alice"])
            assert [one.queue for one in shown.loans] == ["claims"]
            assert (shown.queues, shown.plus) == (["claims", "sales"], []), "a supervisor has lent nobody"
            # Told by the second: its count may lag.
            QueueShown.model_validate(view.entities["queue", "claims"])
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert desk["agent"]["loans"][0]["queue"] == "claims"

            part = await leader.put("/api/v1/floor/balancing", json={"on": False})
            problem(part, "NOT-ALLOWED")
            gone = await chief.delete("/api/v1/floor/agents/alice/loans/sales")
            problem(gone, "NOT-FOUND")
            ended = await chief.delete("/api/v1/floor/agents/alice/loans/claims")
            assert ended.status_code == 200, ended.text
            assert (ended.json()["agent"]["queues"], ended.json()["agent"]["loans"]) == (["sales"], [])
            await api.house.tell("acme", "", lambda at, _: f.TimerFired(at, "balance:"))
            assert not api.house.centre("acme").borrowed, "barred for a while"

            paused = (await chief.put("/api/v1/floor/balancing", json={"on": False})).json()
            assert (paused["paused"], paused["running"]) == (True, False)
            again = (await chief.put("/api/v1/floor/balancing", json={"on": True})).json()
            assert (again["paused"], again["running"]) == (False, True)

            trail = await api.house.ask(api.house.people.trail, "acme")
            ours = [
                (one.action, one.subject)
                for one in trail
                if one.action.startswith(("balancing", "agent.loan"))
            ]
            assert sorted(ours) == [
                ("agent.loan.end", "alice"),
                ("balancing.pause", "acme"),
                ("balancing.pause", "acme"),
            ]

    run(tmp_path, story)
