"""Agents' and supervisors' buttons, over a real desk and ledger without telephones: a fake channel plays them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.people import Role
from centrala.settings import load
from centrala.web.shown import ContactShown, Desk, Done
from tests.unit.test_web_api import CUSTOMER, Api, open_api, problem

pytestmark = pytest.mark.unit

FILE = """
listen: {http: "127.0.0.1:0"}
tenants:
  acme:
    domain: acme.example
    name: Acme
    country: PL
    trunks: {carrier: {address: "127.0.0.1:5070", outbound: true}}
    clients: {shop: {name: Flower shop}, bank: {name: Bank}}
    teams: {early: {name: Early birds, agents: [alice, boris]}, late: {agents: [clara]}}
    dispositions: {sold: {en: Sold, pl: Sprzedane, ru: Продано}, later: Call later}
    agents:
      alice: {name: Alice, sip_password: "correct horse"}
      boris: {name: Boris, sip_password: "battery staple"}
      clara: {name: Clara, sip_password: "paper clip"}
      marta: {name: Marta, sip_password: "green door"}
    queues:
      sales: {name: Sales, client: shop, agents: [alice], wrap_up: 30s, dispositions: [sold, later]}
      claims: {client: bank, agents: [boris, clara]}
    numbers: {"100": {queue: sales}, "200": {queue: claims}, "301": {agent: clara}}
"""


class Phones:
    """A channel whose phones ring, and answer when told so; numbers outside stay here."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.rung: list[tuple[str, str, str]] = []
        "(contact, leg, whom)"
        self.sent: list[str] = []
        self.kept: dict[str, str] = {}
        self.made = 0
        api.house.desk.performers[c.Ring] = self._ring

    def _ring(self, tenant: str, command: c.Ring) -> None:
        self.rung.append((command.contact, command.leg, command.target.name))

    def pseudonym(self, tenant: str, address: str) -> str:
        return "of" + address

    def settle(self, tenant: str, contact: str, wanted: str) -> tuple[str, bool]:
        if wanted.startswith("+"):
            self.kept[contact] = wanted
            return "", True
        return wanted, False

    def new_contact(self, now: float) -> str:
        self.made += 1
        return f"dialled-{self.made}"

    def send_digits(self, tenant: str, contact: str, agent: str, digits: str) -> bool:
        self.sent.append(digits)
        return True

    def numbers(self, tenant: str, contact: str) -> dict[str, str]:
        number = self.kept.get(contact)
        return {leg: number for at, leg, _ in self.rung if at == contact} if number else {}

    def pick_up(self, whom: str = "") -> str:
        """The phone that rings last (for this agent) is answered. Gives its leg."""
        contact, leg, _ = next(one for one in reversed(self.rung) if not whom or one[2] == whom)
        self.api.tell("acme", f.Answered(self.api.house.now(), contact, leg))
        return leg


def run(folder: Path, story: Callable[[Api, Phones], Awaitable[None]]) -> None:
    async def main() -> None:
        (folder / "centre.yaml").write_text(FILE)
        async with open_api(folder, load(folder / "centre.yaml")) as api:
            phones = Phones(api)
            api.house.voice = phones
            for name in ("alice", "boris", "clara", "marta"):
                api.tell("acme", f.PhoneRegistered(api.house.now(), name))
                await api.user(name, Role.AGENT, agent=name)
            await api.user("chief", Role.SUPERVISOR, agent="marta")
            await story(api, phones)

    asyncio.run(main())


async def press(client: httpx.AsyncClient, button: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/me/agent/{button}", json=body)
    assert answer.status_code == 200, (button, answer.text)
    desk: dict[str, Any] = answer.json()
    Desk.model_validate(desk)
    return desk


async def arrive(api: Api, contact: str = "c1", number: str = "100") -> None:
    now = api.house.now()
    api.parties.waiting.append(("acme", contact, CUSTOMER, "", now))
    api.tell("acme", f.ContactArrived(now, contact, number, contact))
    await api.settle()


def states(desk: dict[str, Any]) -> dict[str | None, tuple[str, str]]:
    return {one["agent"]: (one["role"], one["state"]) for one in desk["contact"]["parties"]}


def test_every_button_of_a_conversation(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("alice") as alice:
            await press(alice, "ready")
            await arrive(api)
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert (desk["agent"]["state"], desk["contact"]["ringing"]) == ("offered", ["alice"])
            phones.pick_up()
            await api.settle()
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert desk["agent"]["state"] == "on_contact"
            assert desk["contact"]["hears"]["c1"] == {"c1.1": 1.0}
            desk = await press(alice, "hold")
            assert desk["contact"]["state"] == "held"
            assert desk["contact"]["hold_since"]
            assert states(desk) == {"alice": ("agent", "held")}
            problem(await alice.post("/api/v1/me/agent/hold"), "AGENT-REFUSED")
            desk = await press(alice, "resume")
            assert desk["contact"]["hold_since"] is None
            desk = await press(alice, "mute", muted=True)
            assert desk["contact"]["parties"][0]["muted"]
            assert desk["contact"]["hears"]["c1"] == {}
            await press(alice, "mute", muted=False, contact="c1")
            await press(alice, "digits", digits="12#")
            assert phones.sent == ["12#"]

            desk = await press(alice, "consult", to="boris")
            assert states(desk)["boris"] == ("consult", "ringing")
            leg = phones.pick_up("boris")
            await api.settle()
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert desk["contact"]["state"] == "held"
            assert desk["contact"]["hears"][leg] == {"c1.1": 1.0}
            assert desk["contact"]["hears"]["c1"] == {"sound:default": 1.0}
            desk = await press(alice, "swap")
            assert desk["contact"]["state"] == "active"
            desk = await press(alice, "conference")
            assert states(desk) == {"alice": ("agent", "talking"), "boris": ("member", "talking")}
            assert set(desk["contact"]["hears"]["c1"]) == {"c1.1", leg}
            desk = await press(alice, "drop", leg=leg)
            assert states(desk) == {"alice": ("agent", "talking")}

            desk = await press(alice, "consult", to="+48600700800")
            outside = [one for one in desk["contact"]["parties"] if one["agent"] is None]
            assert [(one["number"], one["role"]) for one in outside] == [("+48600700800", "consult")]
            phones.pick_up()
            await api.settle()
            await press(alice, "complete")
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert desk["agent"]["state"] == "wrap_up"
            assert "+48600700800" not in str(api.house.desk.ledger.rows("acme", 0, 10_000))

            desk = await press(alice, "extend", seconds=60)
            assert desk["agent"]["until"] - desk["agent"]["since"] == pytest.approx(90, abs=5)
            api.tell("acme", f.HungUp(api.house.now(), "c1"))
            await api.settle()
            problem(await alice.post("/api/v1/me/agent/finish"), "AGENT-REFUSED")  # a result is missing
            body = {"contact": "c1", "disposition": "sold", "note": "Wants <b>roses</b>."}
            assert (await alice.put("/api/v1/me/agent/draft", json=body)).status_code == 204
            async with api.as_("clara") as clara:
                problem(await clara.put("/api/v1/me/agent/draft", json=body), "AGENT-REFUSED")
                made_up = {**body, "contact": "nothing"}
                problem(await clara.put("/api/v1/me/agent/draft", json=made_up), "AGENT-REFUSED")
            draft = (await alice.get("/api/v1/me/agent/draft")).json()
            assert (draft["contact"], draft["note"]) == ("c1", "Wants <b>roses</b>.")
            unknown = await alice.post("/api/v1/me/agent/result", json={**body, "disposition": "nonsense"})
            problem(unknown, "AGENT-REFUSED")
            desk = await press(alice, "result", **body)
            assert desk["contact"]["disposition"] == "sold"
            gone = (await alice.get("/api/v1/me/agent/draft?contact=c1")).json()
            assert gone["note"] is None
            assert [one.text for one in api.house.customers.notes_of("acme", "c1")] == ["Wants <b>roses</b>."]
            desk = await press(alice, "finish")
            assert desk["agent"]["state"] == "ready"
            day = (await alice.get("/api/v1/me/agent/day")).json()
            assert (day["contacts"], day["results"]) == (1, {"sold": 1})
            assert day["talk_s"] >= 0

    run(tmp_path, story)


def test_transfers_and_leaving(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("alice") as alice, api.as_("boris") as boris:
            await press(alice, "ready")
            await arrive(api)
            phones.pick_up()
            await api.settle()
            problem(await boris.post("/api/v1/me/agent/hold", json={"contact": "c1"}), "AGENT-REFUSED")
            stolen = {"contact": "c1", "to": "+48999"}
            problem(await boris.post("/api/v1/me/agent/transfer", json=stolen), "AGENT-REFUSED")
            assert phones.kept == {}, "somebody else's contact is given a number"
            problem(await alice.post("/api/v1/me/agent/transfer", json={"to": "nobody"}), "AGENT-REFUSED")
            targets = (await alice.get("/api/v1/me/agent/targets?q=bo")).json()["items"]
            assert [(one["kind"], one["id"], one["free"]) for one in targets] == [("agent", "boris", True)]
            by_number = (await alice.get("/api/v1/me/agent/targets?q=301")).json()["items"]
            assert [one["id"] for one in by_number] == ["clara"]
            await press(alice, "transfer", to="boris")
            phones.pick_up("boris")
            await api.settle()
            desk = (await boris.get("/api/v1/me/agent")).json()
            assert (desk["agent"]["state"], desk["contact"]["agent"]) == ("on_contact", "boris")
            assert (await alice.get("/api/v1/me/agent")).json()["agent"]["state"] == "wrap_up"
            await press(boris, "consult", to="clara")
            phones.pick_up("clara")
            await api.settle()
            await press(boris, "conference")
            await press(boris, "leave")
            desk = (await boris.get("/api/v1/me/agent")).json()
            assert desk["contact"] is None or desk["agent"]["state"] == "wrap_up"
            contact = api.house.centre("acme").contacts["c1"]
            assert contact.leg_agent == "clara"
            async with api.as_("clara") as clara:
                await press(clara, "pause", reason="lunch")
                desk = (await clara.get("/api/v1/me/agent")).json()
                assert (desk["agent"]["state"], desk["agent"]["next"]) == ("on_contact", "lunch")
                await press(clara, "hang-up")
                desk = (await clara.get("/api/v1/me/agent")).json()
                assert desk["agent"]["state"] in ("not_ready", "wrap_up")

    run(tmp_path, story)


def test_click_to_call(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("alice") as alice:
            await press(alice, "pause", reason="back_office")
            desk = await press(alice, "dial", number="+48600700800")
            assert desk["contact"]["direction"] == "outbound"
            assert phones.rung[-1][2] == "alice"
            phones.pick_up("alice")
            await api.settle()
            contact, leg, _ = phones.rung[-1]
            assert leg == contact, "the customer is rung once the agent's phone is picked up"
            phones.pick_up()
            await api.settle()
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert (desk["agent"]["state"], desk["contact"]["state"]) == ("on_contact", "active")
            await press(alice, "hang-up")

    run(tmp_path, story)


def test_a_supervisor_steps_in_and_everything_is_in_the_trail(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        await api.user("boss", Role.ADMINISTRATOR)
        async with api.as_("alice") as alice, api.as_("chief") as chief, api.as_("boss") as boss:
            await press(alice, "ready")
            await arrive(api)
            phones.pick_up()
            await api.settle()
            url = "/api/v1/floor/contacts/c1/supervise"
            answer = await chief.post(url, json={"mode": "listen"})
            assert answer.status_code == 200, answer.text
            Done.model_validate(answer.json())
            leg = phones.pick_up("marta")
            await api.settle()
            for mode, heard_by in (("listen", set()), ("whisper", {"c1.1"}), ("barge", {"c1", "c1.1"})):
                shown = (
                    (await chief.post(url, json={"mode": mode})).json()["contact"]
                    if mode != "listen"
                    else None
                )
                live = (await chief.get("/api/v1/live")).json()["entities"]
                contact = next(one["value"] for one in live if one["what"] == "contact")
                assert shown in (None, contact)
                ContactShown.model_validate(contact)
                hears = contact["hears"]
                assert {one for one in hears if leg in hears[one]} == heard_by, mode
                party = next(one for one in contact["parties"] if one["agent"] == "marta")
                assert (party["role"], party["mode"]) == ("supervisor", mode)
            await chief.post(url, json={"mode": "take_over"})
            assert api.house.centre("acme").contacts["c1"].leg_agent == "marta"
            desk = (await alice.get("/api/v1/me/agent")).json()
            assert desk["agent"]["state"] == "wrap_up"

            await chief.post("/api/v1/floor/agents/alice/pause", json={"reason": "coaching"})
            agent = (await chief.post("/api/v1/floor/agents/boris/ready")).json()["agent"]
            assert agent["state"] == "ready"
            out = (await chief.post("/api/v1/floor/agents/boris/sign-out")).json()["agent"]
            assert out["state"] == "logged_out"
            trail = (await boss.get("/api/v1/audit")).json()["items"]
            done = [(one["action"], one["subject"], one["after"]) for one in reversed(trail)]
            assert [one for one in done if one[0].startswith(("contact.", "agent."))] == [
                ("contact.supervise", "c1", {"mode": "listen"}),
                ("contact.supervise", "c1", {"mode": "whisper"}),
                ("contact.supervise", "c1", {"mode": "barge"}),
                ("contact.supervise", "c1", {"mode": "take_over"}),
                ("agent.pause", "alice", {"reason": "coaching"}),
                ("agent.ready", "boris", None),
                ("agent.sign_out", "boris", None),
            ]

    run(tmp_path, story)


def test_a_queue_from_inside_moves_and_priorities(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.as_("chief") as chief:
            for number in range(3):
                await arrive(api, f"c{number}")
            queue = (await chief.get("/api/v1/floor/queues/sales")).json()
            assert [(one["contact"], one["place"], one["why"]["code"]) for one in queue["waiting"]] == [
                ("c0", 1, "LONGEST"),
                ("c1", 2, "LONGEST"),
                ("c2", 3, "LONGEST"),
            ]
            assert [(one["agent"], one["may"]) for one in queue["members"]] == [("alice", False)]
            answer = await chief.post("/api/v1/floor/contacts/c2/priority", json={"priority": 5})
            assert answer.json()["contact"]["priority"] == 5
            queue = (await chief.get("/api/v1/floor/queues/sales")).json()
            assert [one["contact"] for one in queue["waiting"]] == ["c2", "c0", "c1"]
            assert queue["waiting"][0]["why"] == {
                "code": "PRIORITY",
                "values": {"priority": 5, "ahead_of": 2},
            }
            moved = (await chief.post("/api/v1/floor/contacts/c0/move", json={"queue": "claims"})).json()
            assert moved["contact"]["queue"] == "claims"
            queue = (await chief.get("/api/v1/floor/queues/claims")).json()
            assert queue["waiting"][0]["number"] == CUSTOMER
            nowhere = await chief.post("/api/v1/floor/contacts/c0/move", json={"queue": "nowhere"})
            problem(nowhere, "NOT-FOUND")

    run(tmp_path, story)


def test_scopes_hold_on_the_floor(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        await api.user("shopkeeper", Role.SUPERVISOR, scopes=("client:shop",), agent="marta")
        await api.user("leader", Role.SUPERVISOR, scopes=("team:late",), agent="marta")
        await arrive(api, "c-sales", "100")
        await arrive(api, "c-claims", "200")
        async with api.as_("shopkeeper") as shop, api.as_("leader") as leader:
            for whom, one, other in (("alice", shop, leader), ("clara", leader, shop)):
                assert (await one.post(f"/api/v1/floor/agents/{whom}/ready")).status_code == 200
                assert (await one.get(f"/api/v1/floor/explain/{whom}")).status_code == 200
                problem(await other.post(f"/api/v1/floor/agents/{whom}/ready"), "NOT-FOUND")
                problem(await other.get(f"/api/v1/floor/explain/{whom}"), "NOT-FOUND")
            problem(
                await shop.post("/api/v1/floor/contacts/c-claims/priority", json={"priority": 1}), "NOT-FOUND"
            )
            problem(
                await shop.post("/api/v1/floor/contacts/c-sales/move", json={"queue": "claims"}), "NOT-FOUND"
            )
            assert (await shop.get("/api/v1/floor/queues/sales")).status_code == 200
            problem(await shop.get("/api/v1/floor/queues/claims"), "NOT-FOUND")
            said = (
                await leader.post("/api/v1/floor/message", json={"to": "all", "text": "Well done."})
            ).json()
            assert said["agents"] == 1
            problem(
                await leader.post("/api/v1/floor/message", json={"to": "agent:alice", "text": "x"}),
                "NOT-FOUND",
            )
            for name, sees in (("clara", True), ("alice", False)):
                async with api.as_(name) as agent:
                    live = (await agent.get("/api/v1/live")).json()["entities"]
                    texts = [one["value"]["text"] for one in live if one["what"] == "message"]
                    assert texts == (["Well done."] if sees else [])
            names = (await shop.get("/api/v1/centre")).json()
            assert [one["id"] for one in names["queues"]] == ["sales", "claims"], (
                "whoever has a desk may transfer"
            )

    run(tmp_path, story)


def test_names_for_who_sees_a_part(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        await api.user("viewer", Role.CLIENT_VIEWER, scopes=("client:shop",))
        await api.user("all", Role.PLANNER)
        async with api.as_("viewer") as viewer, api.as_("all") as everybody:
            names = (await viewer.get("/api/v1/centre")).json()
            assert ([one["id"] for one in names["queues"]], names["agents"]) == (["sales"], [])
            assert [one["id"] for one in names["clients"]] == ["shop"]
            names = (await everybody.get("/api/v1/centre")).json()
            assert [one["team"] for one in names["agents"]] == ["early", "early", "late", None]
            assert names["queues"][0] == {
                "id": "sales",
                "name": "Sales",
                "client": "shop",
                "target": [0.8, 20.0],
                "dispositions": ["sold", "later"],
                "auto_answer": None,
            }
            assert names["dispositions"][0]["label"]["pl"] == "Sprzedane"
            assert "lunch" in {one["id"] for one in names["reasons"]}

    run(tmp_path, story)


def test_the_schema_of_the_live_socket_is_in_the_openapi(tmp_path: Path) -> None:
    async def story(api: Api, phones: Phones) -> None:
        async with api.client() as client:
            schema = (await client.get("/api/v1/openapi.json")).json()
            assert "live" in schema["webhooks"]
            for name in (
                "LiveSnapshot",
                "LiveChanges",
                "LiveLost",
                "LiveRegister",
                "QueueShown",
                "AgentShown",
                "ContactShown",
            ):
                assert name in schema["components"]["schemas"], name

    run(tmp_path, story)
