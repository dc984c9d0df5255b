"""The API over a real desk, ledger and people, without sockets: who may do what, what comes back, what is refused."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.desk import Desk, Held
from centrala.ledger import LedgerUnavailable, open_log, project
from centrala.people import Permission, Role, Scope, User, open_people
from centrala.people.roles import ROLES
from centrala.settings import Settings, load
from centrala.settings.facts import changes
from centrala.web import guard
from centrala.web.app import make_asgi
from centrala.web.house import House
from centrala.web.routes import sip
from tests.unit.plan_scenes import AGENTS, scene

pytestmark = pytest.mark.unit

FILE = """
listen: {http: "127.0.0.1:0"}
tenants:
  acme:
    domain: acme.example
    agents:
      alice: {name: Alice, sip_password: "correct horse", ready_on_register: false}
      boris: {name: Boris, sip_password: "battery staple"}
    clients: {shop: {name: Shop}, bank: {name: Bank}}
    queues:
      sales: {client: shop, agents: [alice, boris], wrap_up: 30s}
      claims: {client: bank, agents: [boris]}
    numbers: {"100": {queue: sales}, "200": {queue: claims}}
  other:
    domain: other.example
    agents: {olga: {name: Olga, sip_password: "paper clip"}}
    queues: {sales: {agents: [olga]}, secret: {agents: [olga]}}
    numbers: {"100": {queue: sales}}
"""
GOOD = "correct horse battery"
CUSTOMER = "+48600100200"
UNSAFE = {"X-Centrala": "1"}


class Parties:
    """A channel's store of numbers, as the desk asks for it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, str, str, str, float]] = []

    def collect(self) -> Held:
        parties, self.waiting = self.waiting, []
        return Held(parties=parties)


@dataclass
class Api:
    house: House
    asgi: Any
    parties: Parties
    users: dict[str, User] = field(default_factory=dict)

    def client(self, address: str = "127.0.0.1", scheme: str = "http") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.asgi, raise_app_exceptions=False, client=(address, 1234))
        return httpx.AsyncClient(transport=transport, base_url=f"{scheme}://centre.example", headers=UNSAFE)

    async def user(
        self,
        name: str,
        *roles: Role,
        tenant: str = "acme",
        scopes: tuple[str, ...] = ("tenant",),
        **more: Any,
    ) -> User:
        made = await self.house.ask(
            self.house.people.add,
            tenant,
            name,
            GOOD,
            roles,
            self.house.now(),
            scopes=[Scope.read(one) for one in scopes],
            **more,
        )
        self.users[f"{tenant}/{name}"] = made
        return made

    @asynccontextmanager
    async def as_(
        self, name: str, tenant: str = "acme", scheme: str = "http"
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A browser in which this user is signed in."""
        async with self.client(scheme=scheme) as client:
            body = {"tenant": tenant, "name": name, "password": GOOD}
            answer = await client.post("/api/v1/session", json=body)
            assert answer.status_code == 200, answer.text
            yield client

    def tell(self, tenant: str, fact: f.Fact) -> None:
        self.house.desk.tell(tenant, fact)

    async def settle(self) -> None:
        """All told facts are decided and written."""
        desk = self.house.desk
        for _ in range(1000):
            await asyncio.sleep(0.002)
            if not desk._inbox and desk._batch.empty and not desk._committing:
                return
        raise AssertionError("the desk doesn't come to rest")

    async def call(
        self, contact: str, agent: str, *, tenant: str = "acme", number: str = "100", over: bool = True
    ) -> None:
        """A conversation with this agent, in the records; over with a recording, if not going on."""
        now = self.house.now
        self.parties.waiting.append((tenant, contact, CUSTOMER, "", now()))
        self.tell(tenant, f.PhoneRegistered(now(), agent))
        self.tell(tenant, f.AgentReady(now(), agent))
        self.tell(tenant, f.ContactArrived(now(), contact, number, contact))
        self.tell(tenant, f.Answered(now(), contact, f"{contact}.1"))
        if over:
            self.tell(tenant, f.HungUp(now(), contact))
            self.tell(tenant, f.WrapUpFinished(now(), agent))
            path = f"recordings/{contact}.wav"
            self.tell(tenant, f.RecordingStored(now(), contact, path, 1.0, 1.0))
            self.tell(tenant, f.AgentSignedOut(now(), agent))
            file = self.house.data / path
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(bytes(range(250)) * 4)
        await self.settle()
        await asyncio.to_thread(project, self.house.desk.ledger)


@asynccontextmanager
async def open_api(folder: Path, loaded: Settings | None = None) -> AsyncIterator[Api]:
    if loaded is None:
        (folder / "centre.yaml").write_text(FILE)
        loaded = load(folder / "centre.yaml")
    data = folder / "data"
    ledger = open_log(data)
    desk = Desk(ledger)
    for of in c.Command.__args__:  # type: ignore[attr-defined]
        desk.performers[of] = lambda tenant, command: None
    parties = Parties()
    desk.outlets.append(parties)
    for tenant in loaded.tenants:
        desk.open(tenant)
        for fact in changes(desk.mailboxes[tenant].centre, loaded.tenants[tenant], desk.now()):
            desk.tell(tenant, fact)
    desk.catch_up()
    people = open_people(data)
    house = House(loaded, data, desk, people)
    try:
        yield Api(house, make_asgi(house), parties)
    finally:
        await desk.stop()
        house.close()
        people.close()
        ledger.close()


def run(folder: Path, story: Callable[[Api], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_api(folder) as api:
            await story(api)

    asyncio.run(main())


def problem(answer: httpx.Response, code: str) -> dict[str, Any]:
    """The answer is this problem, in the form of RFC 9457."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    assert body["status"] == answer.status_code
    assert body["type"].endswith(code)
    assert body["title"]
    assert body["detail"].endswith((".", "?"))
    return body


# --- the matrix ---

EVERYBODY = frozenset(Role)


def who_holds(*permissions: Permission) -> frozenset[Role]:
    return frozenset(role for role in Role if ROLES[role] & set(permissions))


STEER = who_holds(Permission.STEER)
TOKENS, DESK = who_holds(Permission.TOKENS), who_holds(Permission.DESK)
USERS, SETTINGS = who_holds(Permission.USERS), who_holds(Permission.SETTINGS)
WATCHES = who_holds(Permission.AGENTS)
RECORDS = who_holds(Permission.CONTACTS, Permission.DESK)

CARDS = who_holds(Permission.CUSTOMERS)
FLOWS = who_holds(Permission.SETTINGS, Permission.STEER)
PLANS, PLANNING = who_holds(Permission.PLANS), who_holds(Permission.PLANNING)

# Route → (who gets in, body). Every user here acts as boris, who has neither contact c-alice nor token T.
ROUTES: dict[tuple[str, str], tuple[frozenset[Role], Any]] = {
    ("GET", "/me"): (EVERYBODY, None),
    ("PUT", "/me/password"): (EVERYBODY, {"old": GOOD, "new": GOOD + "!"}),
    ("GET", "/me/security"): (EVERYBODY, None),
    ("POST", "/me/sessions/end-others"): (EVERYBODY, None),
    ("POST", "/me/totp"): (EVERYBODY, None),
    ("PUT", "/me/totp"): (EVERYBODY, {"code": "000000"}),
    ("POST", "/me/totp/remove"): (EVERYBODY, {"password": GOOD}),
    ("GET", "/me/phone"): (EVERYBODY, None),
    ("GET", "/me/passkeys"): (EVERYBODY, None),
    ("POST", "/me/passkeys/begin"): (EVERYBODY, None),
    ("POST", "/me/passkeys"): (EVERYBODY, {"credential": {}, "label": "key"}),
    ("DELETE", "/me/passkeys/{passkey}"): (EVERYBODY, None),
    ("GET", "/admin/users"): (USERS, None),
    ("POST", "/admin/users"): (USERS, {"name": "newcomer", "roles": ["agent"]}),
    ("PATCH", "/admin/users/{user}"): (USERS, {"active": True}),
    ("POST", "/admin/users/{user}/password"): (USERS, {}),
    ("POST", "/admin/users/{user}/link"): (USERS, None),
    ("POST", "/admin/users/{user}/sign-out"): (USERS, None),
    ("GET", "/admin/settings"): (SETTINGS, None),
    ("POST", "/admin/settings/check"): (SETTINGS, {"base": 0, "edits": [{"path": ["name"], "value": "x"}]}),
    ("POST", "/admin/settings"): (SETTINGS, {"base": 0, "edits": [{"path": ["name"], "value": "x"}]}),
    ("POST", "/admin/settings/undo"): (SETTINGS, {"base": 1}),
    ("GET", "/admin/settings/history"): (SETTINGS, None),
    ("GET", "/admin/sounds"): (SETTINGS, None),
    ("POST", "/admin/sounds"): (SETTINGS, None),
    ("GET", "/admin/sounds/{name}"): (SETTINGS, None),
    ("DELETE", "/admin/sounds/{name}"): (SETTINGS, None),
    ("GET", "/tokens"): (TOKENS, None),
    ("POST", "/tokens"): (TOKENS, {"label": "board"}),
    ("DELETE", "/tokens/{token}"): (TOKENS, None),
    ("GET", "/audit"): (who_holds(Permission.AUDIT), None),
    ("GET", "/me/agent"): (DESK, None),
    ("POST", "/me/agent/ready"): (DESK, None),
    ("POST", "/me/agent/pause"): (DESK, {"reason": "lunch"}),
    ("POST", "/me/agent/sign-out"): (DESK, None),
    ("POST", "/me/agent/finish"): (DESK, None),
    ("POST", "/me/agent/hold"): (DESK, {}),
    ("POST", "/me/agent/resume"): (DESK, {}),
    ("POST", "/me/agent/hang-up"): (DESK, {}),
    ("POST", "/me/agent/leave"): (DESK, {}),
    ("POST", "/me/agent/swap"): (DESK, {}),
    ("POST", "/me/agent/complete"): (DESK, {}),
    ("POST", "/me/agent/conference"): (DESK, {}),
    ("POST", "/me/agent/extend"): (DESK, {"seconds": 30}),
    ("POST", "/me/agent/mute"): (DESK, {"muted": True}),
    ("POST", "/me/agent/transfer"): (DESK, {"to": "alice"}),
    ("POST", "/me/agent/consult"): (DESK, {"to": "queue:sales"}),
    ("POST", "/me/agent/drop"): (DESK, {"leg": "x.1"}),
    ("POST", "/me/agent/record"): (DESK, {"on": True}),
    ("POST", "/me/agent/recording-pause"): (DESK, {"paused": True}),
    ("POST", "/me/agent/step"): (DESK, {"flow": "payment"}),
    ("POST", "/me/agent/escalate"): (DESK, {"reason": "knowledge"}),
    ("GET", "/me/agent/tiers"): (DESK, None),
    ("POST", "/me/agent/park"): (DESK, {}),
    ("POST", "/me/agent/pick-up"): (DESK, {"contact": "nothing"}),
    ("GET", "/me/agent/parked"): (DESK, None),
    ("POST", "/me/agent/call-customer"): (DESK, {}),
    ("POST", "/me/agent/dial"): (DESK, {"number": "+48123"}),
    ("POST", "/me/agent/digits"): (DESK, {"digits": "1#"}),
    ("POST", "/me/agent/result"): (DESK, {"contact": "c-alice", "disposition": "sold"}),
    ("PUT", "/me/agent/draft"): (DESK, {"contact": "c-alice", "note": "x"}),
    ("GET", "/me/agent/draft"): (DESK, None),
    ("GET", "/me/agent/targets"): (DESK, None),
    ("GET", "/me/agent/day"): (DESK, None),
    ("GET", "/me/agent/callbacks"): (DESK, None),
    ("PATCH", "/me/agent/callbacks/{customer}/{promise}"): (DESK, {"done": True}),
    ("POST", "/me/agent/callbacks/{customer}/{promise}/call"): (DESK, None),
    ("GET", "/centre"): (EVERYBODY, None),
    ("GET", "/metrics"): (EVERYBODY, None),
    ("GET", "/floor/explain/{agent}"): (WATCHES | DESK, None),
    ("POST", "/floor/agents/{agent}/ready"): (STEER, None),
    ("POST", "/floor/agents/{agent}/pause"): (STEER, {"reason": "lunch"}),
    ("POST", "/floor/agents/{agent}/sign-out"): (STEER, None),
    ("GET", "/floor/agents/{agent}/queues"): (STEER, None),
    ("PUT", "/floor/agents/{agent}/queues"): (STEER, {"queues": {"claims": True}}),
    ("GET", "/floor/balancing"): (STEER, None),
    ("PUT", "/floor/balancing"): (STEER, {"on": True}),
    ("DELETE", "/floor/agents/{agent}/loans/{queue}"): (STEER, None),
    ("POST", "/floor/contacts/{contact}/supervise"): (STEER, {"mode": "listen"}),
    ("POST", "/floor/contacts/{contact}/move"): (STEER, {"queue": "sales"}),
    ("POST", "/floor/contacts/{contact}/priority"): (STEER, {"priority": 5}),
    ("POST", "/floor/message"): (STEER, {"to": "all", "text": "hello"}),
    ("GET", "/floor/callbacks"): (who_holds(Permission.QUEUES), None),
    ("POST", "/floor/callbacks"): (STEER, {"queue": "sales", "number": "+48600700800"}),
    ("PATCH", "/floor/callbacks/{contact}"): (STEER, {}),
    ("DELETE", "/floor/callbacks/{contact}"): (STEER, None),
    ("GET", "/floor/abandoned"): (who_holds(Permission.QUEUES), None),
    ("POST", "/floor/abandoned/{contact}/call-back"): (STEER, None),
    ("GET", "/floor/waits"): (who_holds(Permission.QUEUES), None),
    ("GET", "/floor/surveys"): (who_holds(Permission.QUEUES), None),
    ("GET", "/messages/{contact}/sound"): (who_holds(Permission.DESK, Permission.RECORDINGS), None),
    ("GET", "/queues/history"): (who_holds(Permission.QUEUES), None),
    ("GET", "/queues/{queue}/history"): (who_holds(Permission.QUEUES), None),
    ("GET", "/floor/queues/{queue}"): (who_holds(Permission.QUEUES), None),
    ("GET", "/live"): (who_holds(Permission.DESK, Permission.QUEUES, Permission.AGENTS), None),
    ("GET", "/contacts"): (RECORDS, None),
    ("GET", "/contacts/{contact}"): (RECORDS, None),
    ("GET", "/contacts/{contact}/recording"): (RECORDS, None),
    ("GET", "/customers"): (CARDS, None),
    ("GET", "/customers/lookup"): (CARDS, None),
    ("POST", "/customers"): (CARDS, {"given": "Ewa"}),
    ("GET", "/customers/fields"): (CARDS | who_holds(Permission.SETTINGS), None),
    ("PUT", "/customers/fields"): (who_holds(Permission.SETTINGS), {"fields": []}),
    ("GET", "/customers/{customer}"): (CARDS, None),
    ("PATCH", "/customers/{customer}"): (CARDS, {"version": 1, "language": "pl"}),
    ("GET", "/customers/{customer}/timeline"): (CARDS, None),
    ("GET", "/customers/{customer}/history"): (CARDS, None),
    ("POST", "/customers/{customer}/undo"): (CARDS, {"change": 1}),
    ("POST", "/customers/{customer}/merge"): (CARDS, {"other": "nobody"}),
    ("POST", "/customers/{customer}/contacts"): (CARDS, {"contact": "nothing"}),
    ("POST", "/customers/{customer}/notes"): (CARDS, {"text": "likes tea"}),
    ("DELETE", "/customers/{customer}/notes/{note}"): (CARDS, None),
    ("POST", "/customers/{customer}/promises"): (CARDS, {"text": "call back"}),
    ("PATCH", "/customers/{customer}/promises/{promise}"): (CARDS, {"version": 1, "done": True}),
    ("DELETE", "/customers/{customer}/promises/{promise}"): (CARDS, None),
    ("DELETE", "/customers/{customer}"): (CARDS & who_holds(Permission.NUMBERS), None),
    ("GET", "/flows"): (FLOWS, None),
    ("POST", "/flows"): (
        SETTINGS,
        {
            "id": "made",
            "name": "x",
            "graph": {"format": 1, "start": "h", "nodes": {"h": {"type": "hang_up"}}},
        },
    ),
    ("GET", "/flows/vocabulary"): (FLOWS, None),
    ("POST", "/flows/hear"): (FLOWS, {"text": "x"}),
    ("GET", "/flows/{flow}"): (FLOWS, None),
    ("PATCH", "/flows/{flow}"): (SETTINGS, {"name": "x"}),
    ("PUT", "/flows/{flow}/draft"): (SETTINGS, {"base": 0, "graph": {}}),
    ("DELETE", "/flows/{flow}/draft"): (SETTINGS, None),
    ("POST", "/flows/{flow}/check"): (FLOWS, {"graph": {}}),
    ("POST", "/flows/{flow}/publish"): (SETTINGS, {"base": 0}),
    ("POST", "/flows/{flow}/rollback"): (SETTINGS, {"base": 1, "to": 1}),
    ("GET", "/flows/{flow}/versions"): (FLOWS, None),
    ("GET", "/flows/{flow}/versions/{version}"): (FLOWS, None),
    ("POST", "/flows/{flow}/try"): (FLOWS, {}),
    ("GET", "/flows/{flow}/paths"): (FLOWS, None),
    ("DELETE", "/flows/{flow}"): (SETTINGS, None),
    ("GET", "/plans"): (PLANS, None),
    ("POST", "/plans"): (
        PLANNING,
        {"name": "x", "first": "2020-01-06", "queues": ["sales"], "demand": {"from": "records"}},
    ),
    ("GET", "/plans/{plan}"): (PLANS, None),
    ("PATCH", "/plans/{plan}/duties"): (
        PLANNING,
        {"version": 0, "changes": [{"what": "remove", "duty": "d1"}]},
    ),
    ("POST", "/plans/{plan}/copy"): (PLANNING, {}),
    ("POST", "/plans/{plan}/publish"): (PLANNING, {"version": 0}),
    ("POST", "/plans/{plan}/archive"): (PLANNING, {"version": 0}),
    ("DELETE", "/plans/{plan}"): (PLANNING, None),
    ("GET", "/planning/people"): (PLANNING, None),
    ("PUT", "/planning/people/{agent}"): (PLANNING, {"hours": 38}),
    ("GET", "/planning/rules"): (PLANS, None),
    ("PUT", "/planning/rules"): (PLANNING, {"kinds": [{"name": "day", "minutes": 480, "starts": [480]}]}),
    ("GET", "/planning/adherence"): (PLANS, None),
    ("GET", "/planning/today"): (PLANS, None),
    ("GET", "/planning/requests"): (PLANS, None),
    ("POST", "/planning/requests/{request_id}/decide"): (PLANS, {"approve": True}),
    ("GET", "/plans/{plan}/calendar.ics"): (PLANS, None),
    ("GET", "/me/roster"): (DESK, None),
    ("GET", "/me/roster/colleagues"): (DESK, None),
    ("GET", "/me/roster.ics"): (DESK, None),
    ("POST", "/me/roster/link"): (DESK, None),
    ("DELETE", "/me/roster/link"): (DESK, None),
    ("GET", "/me/requests"): (DESK, None),
    ("POST", "/me/requests"): (DESK, {"what": "give", "duty": "d1", "to": "alice"}),
    ("POST", "/me/requests/{request_id}/answer"): (DESK, {"agree": True}),
    ("DELETE", "/me/requests/{request_id}"): (DESK, None),
    ("DELETE", "/session"): (EVERYBODY, None),
}
SHIFTS = {"acme": ("alice", "boris", *AGENTS[2:]), "other": ("olga", *AGENTS[1:])}
OPEN = {
    ("POST", "/session"),
    ("POST", "/session/link"),
    ("POST", "/session/passkey/begin"),
    ("POST", "/session/passkey"),
    ("POST", "/sign-up"),
    ("GET", "/roster/{secret}.ics"),
}
IN_A_CONVERSATION = (
    *(
        "hold",
        "resume",
        "mute",
        "hang-up",
        "park",
        "pick-up",
        "record",
        "recording-pause",
        "step",
        "escalate",
        "leave",
        "transfer",
        "consult",
        "swap",
        "complete",
        "conference",
        "drop",
    ),
    *("digits", "dial", "result", "finish", "extend", "call-customer"),
)
SEES_OTHERS = who_holds(Permission.CONTACTS)
HEARS_OTHERS = who_holds(Permission.RECORDINGS) & SEES_OTHERS


def expected(role: Role, path: str, let_in: frozenset[Role], foreign: bool) -> set[str]:
    """Codes that may come back; "ok" for a success."""
    if role not in let_in:
        return {"NOT-ALLOWED"}
    match path:
        case "/contacts/{contact}":
            return {"ok"} if role in SEES_OTHERS and not foreign else {"NOT-FOUND"}
        case "/contacts/{contact}/recording":
            return {"ok"} if role in HEARS_OTHERS and not foreign else {"NOT-FOUND"}
        case "/tokens/{token}":
            return {"NOT-FOUND"}  # somebody else's
        case "/floor/explain/{agent}":
            return {"ok"} if role in WATCHES and not foreign else {"NOT-FOUND"}
        case path if path.startswith(("/floor/contacts/", "/floor/callbacks/", "/messages/")):
            return {"NOT-FOUND"}  # over, foreign, or none
        case "/floor/callbacks":
            return {"ok", "AGENT-REFUSED"}  # read; nobody can be called
        case "/floor/abandoned/{contact}/call-back":
            return {"NOT-FOUND"} if foreign else {"AGENT-REFUSED"}
        case "/floor/balancing":
            return {"ok", "AGENT-REFUSED"}  # read; it is off in the settings
        case "/floor/agents/{agent}/loans/{queue}":
            return {"NOT-FOUND"}  # nobody is lent
        case path if path.startswith(("/floor/agents/", "/floor/queues/", "/queues/{queue}/")):
            return {"NOT-FOUND"} if foreign else {"ok"}
        case path if path.removeprefix("/me/agent/") in IN_A_CONVERSATION:
            return {"AGENT-REFUSED"}
        case path if path.startswith("/me/agent/callbacks/"):
            return {"NOT-FOUND"}  # nobody has promised anything
        case "/me/agent/draft":
            return {"ok", "AGENT-REFUSED"}  # read; written about somebody else's contact
        case path if path.startswith("/customers/{customer}"):
            # A customer of the house is there; the notes and promises, and whom to merge with, are not.
            gone = {"/notes/{note}", "/promises/{promise}", "/merge", "/contacts"}
            here = not foreign and path.removeprefix("/customers/{customer}") not in gone
            return {"ok", "NO-UNDO"} if here else {"NOT-FOUND"}
        case "/flows/hear":
            return {"NO-SPEECH"}
        case "/flows/{flow}/check":
            return {"ok"}  # of a flow that may be made yet
        case path if path.startswith("/flows/{flow}"):
            # A flow of the house is there, published, with a draft that is none.
            return {"ok", "EDIT-RACE", "FLOW-WRONG"} if not foreign else {"NOT-FOUND"}
        case "/me/roster/colleagues":
            return {"NOT-FOUND"}  # of no duty
        case "/me/requests":
            return {"ok", "NOT-FOUND"}  # read; boris has no duty
        case path if path.startswith(("/me/requests/", "/planning/requests/")):
            return {"NOT-FOUND"}  # nobody has asked for anything
        case "/plans":
            return {"ok", "PLAN-INPUT"}  # read; of weeks that are over
        case path if path.startswith("/plans/{plan}"):
            # A plan of the house is there, of another version; people have worked by it.
            return {"ok", "PLAN-CHANGED", "PLAN-STATE"} if not foreign else {"NOT-FOUND"}
        case "/planning/people/{agent}":
            return {"ok"} if not foreign else {"NOT-FOUND"}
        case "/me/totp":
            return {"ok", "CODE-WRONG"}
        case "/me/passkeys":
            return {"ok", "CODE-WRONG"}
        case "/me/passkeys/{passkey}" | "/admin/sounds/{name}":
            return {"NOT-FOUND"}
        case "/admin/sounds":
            return {"ok", "BAD-INPUT"}
        case path if path.startswith("/admin/users/"):
            return {"NOT-FOUND"} if foreign else {"ok"}
        case _:
            return {"ok"}


def application(api: Api) -> FastAPI:
    """The routes, behind what stands around them."""
    app = api.asgi
    while not isinstance(app, FastAPI):
        app = app._app
    return app


def with_ids(path: str, ids: dict[str, str]) -> str:
    for name, one in ids.items():
        path = path.replace(f"{{{name}}}", one)
    return path


def test_every_route_with_every_role_and_a_foreign_tenant(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        described = {
            (method.upper(), path.removeprefix("/api/v1"))
            for path, methods in application(api).openapi()["paths"].items()
            for method in methods
        }
        assert described == set(ROUTES) | OPEN, "a route without a line in this matrix"
        await api.call("c-alice", "alice")
        await api.call("c-olga", "olga", tenant="other")
        owner = await api.user("owner", Role.SUPERVISOR, agent="alice")
        stranger = await api.user("stranger", Role.SUPERVISOR, tenant="other")
        now = api.house.now()
        people = api.house.people
        own, _ = await api.house.ask(people.new_token, owner, "t", None, None, now, "x")
        foreign, _ = await api.house.ask(people.new_token, stranger, "t", None, None, now, "x")
        cards = [
            (await api.house.ask(api.house.customers.add, tenant, "person", {"given": "Ewa"}, "x", now)).id
            for tenant in ("acme", "other")
        ]
        ids = {
            False: {"contact": "c-alice", "token": own.id, "agent": "alice", "queue": "sales"},
            True: {"contact": "c-olga", "token": foreign.id, "agent": "olga", "queue": "secret"},
        }
        victim = await api.user("victim", Role.AGENT, agent="alice")
        for named, one in zip(ids.values(), (victim, stranger), strict=True):
            named |= {"user": one.id, "passkey": "nothing", "name": "jazz"}
        for named, card in zip(ids.values(), cards, strict=True):
            named |= {"customer": card, "note": "nothing", "promise": "nothing"}
        for named, tenant in zip(ids.values(), ("acme", "other"), strict=True):
            flow = f"flow-of-{tenant}"
            graph = ROUTES["POST", "/flows"][1]["graph"]
            await api.house.ask(api.house.flows.make, tenant, flow, flow, graph, "x", now)
            await api.house.ask(api.house.flows.publish, tenant, flow, 1, "x", now, "")
            named |= {"flow": flow, "version": "1"}
            plan = scene(SHIFTS[tenant], first=date(2020, 1, 6), id=f"plan-of-{tenant}")
            await api.house.ask(api.house.plans.add, tenant, plan)
            await api.house.ask(api.house.plans.publish, tenant, plan.head.id, 1, now)
            named |= {"plan": plan.head.id}
        async with api.client() as nobody:
            for method, path in ROUTES:
                url = with_ids(path, ids[False])
                problem(await nobody.request(method, f"/api/v1{url}"), "SIGNED-OUT")
        for role in Role:
            await api.user(role, role, agent="boris")
            async with api.as_(role) as client:
                for (method, path), (let_in, body) in ROUTES.items():
                    nothing: set[str] = set()
                    for is_foreign, named in ids.items():
                        url = with_ids(path, named)
                        if is_foreign and url == path:
                            continue
                        answer = await client.request(method, f"/api/v1{url}", json=body)
                        code = "ok" if answer.is_success else answer.json()["code"]
                        allowed = expected(role, path, let_in, is_foreign)
                        assert code in allowed, (role, method, url, answer.text)
                        if code != "ok":
                            problem(answer, code)
                        for secret in ("olga", CUSTOMER) if is_foreign else ():
                            assert secret not in answer.text
                        if is_foreign:
                            nothing.add(answer.text)
                            there_is_none = with_ids(path, dict.fromkeys(named, "none"))
                            again = await client.request(method, f"/api/v1{there_is_none}", json=body)
                            nothing.add(again.text)
                    assert len(nothing) <= 1, "a foreign id is answered otherwise than one that isn't there"
                    if (method, path) == ("PUT", "/me/password"):
                        back = {"old": GOOD + "!", "new": GOOD}
                        assert (await client.put("/api/v1/me/password", json=back)).status_code == 204

    run(tmp_path, story)


def test_what_lists_show_is_of_the_own_tenant_and_scope(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.call("c-sales", "alice")
        await api.call("c-claims", "boris", number="200")
        await api.call("c-olga", "olga", tenant="other")
        await api.user("chief", Role.SUPERVISOR)
        await api.user("one-queue", Role.SUPERVISOR, scopes=("queue:claims",))
        await api.user("one-client", Role.SUPERVISOR, scopes=("client:shop",))
        await api.user("one-team", Role.SUPERVISOR, scopes=("team:evening",))
        await api.user("listener", Role.QUALITY)
        await api.user("alice", Role.AGENT, agent="alice")
        await api.user("alien", Role.SUPERVISOR, tenant="other")
        for name, seen in {
            "chief": {"c-sales", "c-claims"},
            "one-queue": {"c-claims"},
            "one-client": {"c-sales"},
            "one-team": set(),
            "listener": {"c-sales", "c-claims"},
            "alice": {"c-sales"},
        }.items():
            async with api.as_(name) as client:
                items = (await client.get("/api/v1/contacts?state=all")).json()["items"]
                assert {one["id"] for one in items} == seen, name
                for one in items:
                    assert one["from"] == (None if name == "listener" else CUSTOMER)
                    assert one["recording"] == f"/api/v1/contacts/{one['id']}/recording"
                    single = await client.get(f"/api/v1/contacts/{one['id']}")
                    assert single.json() == one
                for hidden in {"c-sales", "c-claims", "c-olga"} - seen:
                    for url in (f"/api/v1/contacts/{hidden}", f"/api/v1/contacts/{hidden}/recording"):
                        problem(await client.get(url), "NOT-FOUND")
        async with api.as_("alien", "other") as client:
            assert [one["id"] for one in (await client.get("/api/v1/contacts")).json()["items"]] == ["c-olga"]

    run(tmp_path, story)


# --- records ---


def test_pages_hold_every_contact_once_and_filters_narrow(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        ids = [f"c{number:02}" for number in range(7)]
        for number, one in enumerate(ids):
            await api.call(one, "boris", number="200" if number % 2 else "100")
        await api.user("chief", Role.SUPERVISOR)
        async with api.as_("chief") as client:
            seen: list[str] = []
            cursor = ""
            while True:
                page = (await client.get(f"/api/v1/contacts?limit=3{cursor}")).json()
                seen += [one["id"] for one in page["items"]]
                if page["next"] is None:
                    break
                cursor = f"&cursor={page['next']}"
            assert seen == ids[::-1]
            claims = (await client.get("/api/v1/contacts?queue=claims")).json()["items"]
            assert [one["id"] for one in claims] == ids[::-1][1::2]
            for filters, count in (
                ("agent=boris", 7),
                ("agent=alice", 0),
                ("outcome=answered", 7),
                ("direction=outbound", 0),
                ("state=open", 0),
                (f"before={api.house.now() - 3600}", 0),
                (f"after={api.house.now() - 3600}", 7),
            ):
                items = (await client.get(f"/api/v1/contacts?{filters}")).json()["items"]
                assert len(items) == count, filters
            for bad in ("cursor=x", "cursor=WzEsMl0=", "cursor=%00", "cursor=é"):
                problem(await client.get(f"/api/v1/contacts?{bad}"), "BAD-CURSOR")
            for bad in (
                "limit=0",
                "limit=9999",
                "limit=x",
                "after=nan",
                "after=-1",
                "direction=up",
                "state=",
            ):
                problem(await client.get(f"/api/v1/contacts?{bad}"), "BAD-INPUT")

    run(tmp_path, story)


def test_a_recording_comes_in_parts_and_listening_is_written_down(tmp_path: Path) -> None:
    whole = bytes(range(250)) * 4

    async def story(api: Api) -> None:
        await api.call("c1", "alice")
        chief = await api.user("chief", Role.SUPERVISOR)
        url = "/api/v1/contacts/c1/recording"
        async with api.as_("chief") as client:
            answer = await client.get(url)
            assert (answer.status_code, answer.content) == (200, whole)
            assert answer.headers["content-type"] == "audio/wav"
            for asked, (status, part) in {
                "bytes=0-9": (206, whole[:10]),
                "bytes=990-": (206, whole[990:]),
                "bytes=-7": (206, whole[-7:]),
                "bytes=100-5000": (206, whole[100:]),
                "bytes=0-1,5-6": (200, whole),
                "pages=1-2": (200, whole),
                "bytes=-": (200, whole),
            }.items():
                answer = await client.get(url, headers={"Range": asked})
                assert (answer.status_code, answer.content) == (status, part), asked
            for asked in ("bytes=1000-", "bytes=9-3", "bytes=-0"):
                refused = await client.get(url, headers={"Range": asked})
                problem(refused, "RANGE")
                assert refused.headers["content-range"] == "bytes */1000"
        heard = [one for one in api.house.people.trail("acme") if one.action == "recording.heard"]
        assert [(one.actor, one.subject) for one in heard] == [(chief.id, "c1")]
        (api.house.data / "recordings/c1.wav").unlink()
        async with api.as_("chief") as client:
            problem(await client.get(url), "NOT-FOUND")

    run(tmp_path, story)


def test_a_path_out_of_the_data_folder_is_not_served(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.call("c1", "alice")
        now = api.house.now()
        (tmp_path / "secret").write_text("secret")
        api.tell("acme", f.ContactArrived(now, "c2", "100", "c2"))
        api.tell("acme", f.HungUp(now, "c2"))
        api.tell("acme", f.RecordingStored(now, "c2", "../secret", 1.0, 1.0))
        await api.settle()
        await asyncio.to_thread(project, api.house.desk.ledger)
        await api.user("chief", Role.SUPERVISOR)
        async with api.as_("chief") as client:
            assert (await client.get("/api/v1/contacts/c2")).json()["recording"]
            problem(await client.get("/api/v1/contacts/c2/recording"), "NOT-FOUND")

    run(tmp_path, story)


# --- the agent's desk ---


def test_an_agent_works_a_day(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("alice", Role.AGENT, agent="alice")
        now = api.house.now
        agent = api.house.centre("acme").agents["alice"]
        async with api.as_("alice") as client:
            first = (await client.get("/api/v1/me/agent")).json()
            assert (first["agent"]["state"], first["contact"]) == ("logged_out", None)
            lunch = (await client.post("/api/v1/me/agent/pause", json={"reason": "lunch"})).json()
            assert (lunch["agent"]["state"], lunch["agent"]["reason"]) == ("not_ready", "lunch")
            assert agent.intent == "not_ready"
            api.tell("acme", f.PhoneRegistered(now(), "alice"))
            ready = (await client.post("/api/v1/me/agent/ready")).json()
            assert (ready["agent"]["state"], agent.idle) == ("ready", True)
            assert ready["seq"] > lunch["seq"] > first["seq"]
            rows = api.house.desk.ledger.rows("acme", lunch["seq"])
            assert [one.kind for one in rows if one.actor == "alice" and one.seq <= ready["seq"]][-1] in (
                "event.AgentStateChanged",
            ), "answered before it was written"
            api.parties.waiting.append(("acme", "c1", CUSTOMER, "", now()))
            api.tell("acme", f.ContactArrived(now(), "c1", "100", "c1"))
            await api.settle()
            for _ in range(200):
                rings = (await client.get("/api/v1/me/agent")).json()
                if rings["contact"]["number"]:
                    break
                await asyncio.sleep(0.01)
            assert rings["agent"]["state"] == "offered"
            contact = rings["contact"]
            assert (contact["number"], contact["queue"], contact["ringing"]) == (CUSTOMER, "sales", ["alice"])
            assert contact["why"] == "longest_idle of 1 idle"
            assert contact["since"] == pytest.approx(now(), abs=60)
            api.tell("acme", f.Answered(now(), "c1", "c1.1"))
            pausing = (await client.post("/api/v1/me/agent/pause", json={"reason": "coffee"})).json()
            assert (pausing["agent"]["state"], pausing["agent"]["intent"]) == ("on_contact", "not_ready")
            problem(await client.post("/api/v1/me/agent/finish"), "AGENT-REFUSED")
            api.tell("acme", f.HungUp(now(), "c1"))
            await api.settle()
            wrap = (await client.get("/api/v1/me/agent")).json()
            assert (wrap["agent"]["state"], wrap["contact"]["number"]) == ("wrap_up", CUSTOMER)
            done = (await client.post("/api/v1/me/agent/finish")).json()
            assert (done["agent"]["state"], done["contact"]) == ("not_ready", None)
            gone = (await client.post("/api/v1/me/agent/sign-out")).json()
            assert gone["agent"]["state"] == agent.intent == "logged_out"

    run(tmp_path, story)


class Door:
    """Where a page's socket comes in, without SIP behind it."""

    def __init__(self) -> None:
        self.inside = 0

    def open_to(self, tenant: str, agent: str) -> int:
        return self.inside

    def enter(self, connection: Any, **of: Any) -> object:
        self.inside += 1
        return object()

    def leave(self, flow: object) -> None:
        self.inside -= 1


def test_a_phone_outlives_a_disk_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip, "ASK_AGAIN", 0.01)

    async def story(api: Api) -> None:
        await api.user("alice", Role.AGENT, agent="alice")
        api.house.phones = door = Door()  # type: ignore[assignment]
        async with api.as_("alice") as alice:
            cookie = "; ".join(f"{name}={value}" for name, value in alice.cookies.items())
            sent: list[Any] = []
            opening = iter([{"type": "websocket.connect"}])

            async def receive() -> Any:
                return next(opening, None) or await asyncio.Event().wait()

            async def send(message: Any) -> None:
                sent.append(message)

            scope = {
                "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws",
                "path": sip.PATH, "raw_path": sip.PATH.encode(), "root_path": "", "query_string": b"",
                "subprotocols": ["sip"], "client": ("127.0.0.1", 1234), "server": ("127.0.0.1", 80),
                "extensions": {"websocket.http.response": {}},
                "headers": [
                    (b"host", b"centre.example"), (b"origin", b"http://centre.example"),
                    (b"cookie", cookie.encode()),
                ],
            }  # fmt: skip
            socket = asyncio.create_task(api.asgi(scope, receive, send))
            async with asyncio.timeout(10):
                while not door.inside:
                    await asyncio.sleep(0.005)
                looks = 0

                def unavailable(secret: str, now: float) -> None:
                    nonlocal looks
                    looks += 1
                    raise LedgerUnavailable("The users can't be read now.")

                with monkeypatch.context() as broken:
                    broken.setattr(api.house.people, "session", unavailable)
                    while looks < 3 and not socket.done():
                        await asyncio.sleep(0.005)
                assert [one["type"] for one in sent] == ["websocket.accept"], "the phone is gone"
                await alice.delete("/api/v1/session")
                await socket
            assert (sent[-1]["type"], sent[-1]["code"]) == ("websocket.close", sip.OVER)
            assert not door.inside

    run(tmp_path, story)


def test_a_ledger_that_cannot_be_read_ends_no_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(api: Api) -> None:
        await api.user("alice", Role.AGENT, agent="alice")
        async with api.as_("alice") as alice:
            cookie = "; ".join(f"{one.name}={one.value}" for one in alice.cookies.jar)
            asked = HTTPConnection(
                {
                    "type": "http",
                    "scheme": "http",
                    "client": ("127.0.0.1", 1),
                    "headers": [(b"cookie", cookie.encode())],
                    "app": SimpleNamespace(state=SimpleNamespace(house=api.house)),
                }
            )
            known = await guard.identify(asked)
            assert known is not None

            def unavailable(secret: str, now: float) -> None:
                raise LedgerUnavailable("The users can't be read now.")

            with monkeypatch.context() as broken:
                broken.setattr(api.house.people, "session", unavailable)
                assert await guard.identify_again(asked, known) == known
            await alice.delete("/api/v1/session")
            assert await guard.identify_again(asked, known) is None

    run(tmp_path, story)


def test_many_edits_are_one_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(api: Api) -> None:
        looks: list[tuple[str, float]] = []
        clock = asyncio.get_running_loop().time
        for tenant, hub in api.house.hubs.items():
            monkeypatch.setattr(hub, "look_up_again", lambda of=tenant: looks.append((of, clock())))

        def edits() -> None:
            for k in range(200):
                for told in api.house.customers.watchers:
                    told("acme", f"customer-{k}")

        async with asyncio.timeout(10):
            for wanted in (1, 2):
                await api.house.ask(edits)
                while len(looks) < wanted:
                    await asyncio.sleep(0.01)
        assert [tenant for tenant, _ in looks] == ["acme", "acme"]
        assert looks[1][1] - looks[0][1] > 0.9

    run(tmp_path, story)


def test_a_repeated_write_is_done_once(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.SUPERVISOR, agent="alice")
        async with api.as_("boss") as client:
            key = {"Idempotency-Key": "k1"}
            both = await asyncio.gather(
                *(client.post("/api/v1/tokens", json={"label": "a"}, headers=key) for _ in range(5))
            )
            assert len({one.text for one in both}) == 1
            assert len((await client.get("/api/v1/tokens")).json()["items"]) == 1
            problem(await client.post("/api/v1/tokens", json={"label": "b"}, headers=key), "KEY-REUSED")
            paused = {"reason": "lunch"}
            once = await client.post("/api/v1/me/agent/pause", json=paused, headers={"Idempotency-Key": "k2"})
            seq = api.house.seq("acme")
            twice = await client.post(
                "/api/v1/me/agent/pause", json=paused, headers={"Idempotency-Key": "k2"}
            )
            assert once.text == twice.text
            assert api.house.seq("acme") == seq
            # A failure isn't kept: the same may succeed later.
            finish = {"Idempotency-Key": "k3"}
            for _ in range(2):
                problem(await client.post("/api/v1/me/agent/finish", headers=finish), "AGENT-REFUSED")
            problem(
                await client.post("/api/v1/tokens", json={"label": "a"}, headers={"Idempotency-Key": "a b"}),
                "BAD-INPUT",
            )

    run(tmp_path, story)


# --- sessions, pages of other sites, headers ---


def test_a_session_is_begun_and_ended(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        code = api.house.people.sign_up_code("acme", api.house.now())
        async with api.client() as client:
            body = {"code": code, "name": "ania", "password": GOOD}
            made = await client.post("/api/v1/sign-up", json=body)
            assert made.status_code == 201
            assert made.json()["roles"] == ["administrator", "supervisor"]
            cookie = made.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert "secure" not in cookie
            assert (await client.get("/api/v1/me")).json()["name"] == "ania"
            problem(await client.post("/api/v1/sign-up", json=body), "CODE-WRONG")
            stolen = client.cookies["centrala"]
            assert (await client.delete("/api/v1/session")).status_code == 204
            client.cookies.set("centrala", stolen)
            problem(await client.get("/api/v1/me"), "SIGNED-OUT")
        async with api.as_("ania", scheme="https") as client:
            (cookie,) = client.cookies.jar
            assert (cookie.name, cookie.secure) == ("__Host-centrala", True)
            answer = await client.get("/api/v1/me")
            assert answer.json()["via"] == "session"
            assert answer.headers["strict-transport-security"]

    run(tmp_path, story)


def test_guessing_is_slowed_down_over_http(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("ania", Role.SUPERVISOR)
        async with api.client() as client:
            body = {"tenant": "acme", "name": "ania", "password": "wrong"}
            answers = await asyncio.gather(*(client.post("/api/v1/session", json=body) for _ in range(12)))
            codes = [one.json()["code"] for one in answers]
            assert codes.count("SIGN-IN-WRONG") <= 4
            slow = next(one for one in answers if one.status_code == 429)
            assert int(slow.headers["retry-after"]) >= 1
            problem(slow, "SIGN-IN-SLOW")

    run(tmp_path, story)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Centrala": None},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://centre.example.evil.example"},
        {"Origin": "http://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_sites_change_nothing(tmp_path: Path, headers: dict[str, str | None]) -> None:
    async def story(api: Api) -> None:
        await api.user("alice", Role.AGENT, agent="alice")
        async with api.as_("alice") as client:
            seq = api.house.seq("acme")
            for name, value in headers.items():
                if value is None:
                    del client.headers[name]
                else:
                    client.headers[name] = value
            for method, path in (*ROUTES, *OPEN):
                if method != "GET":
                    answer = await client.request(method, f"/api/v1{path}", json={"name": "x"})
                    if answer.status_code != 422:  # a body that isn't one is refused first
                        problem(answer, "CROSS-SITE")
            body = {"tenant": "acme", "name": "alice", "password": GOOD}
            problem(await client.post("/api/v1/session", json=body), "CROSS-SITE")
            problem(await client.post("/api/v1/me/agent/pause", json={"reason": "x"}), "CROSS-SITE")
            assert api.house.seq("acme") == seq
            for name in headers:
                client.headers.pop(name, None)
            client.headers.update(
                {**UNSAFE, "Origin": "http://centre.example", "Sec-Fetch-Site": "same-origin"}
            )
            assert (await client.post("/api/v1/me/agent/ready")).status_code == 200

    run(tmp_path, story)


def test_a_program_with_a_token_does_what_the_token_grants(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("boss", Role.SUPERVISOR, agent="alice")
        async with api.as_("boss") as client:
            body = {"label": "board", "permissions": ["queues"], "days": 1}
            secret = (await client.post("/api/v1/tokens", json=body)).json()["secret"]
            everything = (await client.post("/api/v1/tokens", json={"label": "all"})).json()["secret"]
            problem(
                await client.post("/api/v1/tokens", json={"label": "x", "permissions": ["users"]}),
                "NOT-ALLOWED",
            )
            problem(
                await client.post("/api/v1/tokens", json={"label": "x", "permissions": ["fly"]}), "BAD-INPUT"
            )
            # A wrong token isn't made good by the cookie beside it.
            wrong = {"Authorization": "Bearer wrong"}
            problem(await client.get("/api/v1/me", headers=wrong), "SIGNED-OUT")
        async with api.client() as program:
            del program.headers["X-Centrala"]
            program.headers["Authorization"] = f"Bearer {secret}"
            assert (await program.get("/api/v1/me")).json()["permissions"] == ["queues"]
            kinds = {one["what"] for one in (await program.get("/api/v1/live")).json()["entities"]}
            assert kinds == {"queue"}
            problem(await program.get("/api/v1/contacts"), "NOT-ALLOWED")
            program.headers["Authorization"] = f"Bearer {everything}"
            assert (await program.post("/api/v1/me/agent/ready")).status_code == 200
            for method, path, body in (
                ("POST", "/tokens", {"label": "more"}),
                ("PUT", "/me/password", {"old": GOOD, "new": "another good one"}),
                ("POST", "/me/totp", {}),
                ("DELETE", "/session", {}),
            ):
                answer = await program.request(method, f"/api/v1{path}", json=body)
                problem(answer, "SESSION-NEEDED")

    run(tmp_path, story)


def test_every_answer_carries_the_headers_and_nothing_is_too_big(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        async with api.client() as client:
            for answer in (
                await client.get("/api/v1/me"),
                await client.get("/api/v1/nowhere"),
                await client.put("/api/v1/me"),
                await client.get("/api/v1/openapi.json"),
                await client.post("/api/v1/session", content=b"x" * 70_000),
            ):
                assert answer.headers["cache-control"] == "no-store"
                assert "default-src 'none'" in answer.headers["content-security-policy"]
                assert answer.headers["x-content-type-options"] == "nosniff"
            problem(answer, "TOO-BIG")

            async def endless() -> AsyncIterator[bytes]:
                for _ in range(100):
                    yield b" " * 4096

            unsized = await client.post("/api/v1/session", content=endless())
            assert unsized.status_code in (413, 422)

    run(tmp_path, story)


def test_a_fault_of_ours_tells_nothing(tmp_path: Path) -> None:
    async def story(api: Api) -> None:
        await api.user("chief", Role.SUPERVISOR)
        async with api.as_("chief") as client:

            def broken(*_: object) -> None:
                raise RuntimeError("secret path /data")

            api.house.rows = broken  # type: ignore[method-assign,assignment]
            body = problem(await client.get("/api/v1/contacts"), "INTERNAL")
            assert "secret" not in json.dumps(body)

    run(tmp_path, story)


# --- anything at all ---

texts = st.text(max_size=30)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("name", "password", "tenant", "code", "reason", "label", "permissions", "days", "old", "new")
bodies = st.binary(max_size=60) | st.dictionaries(st.sampled_from(FIELDS), values, max_size=5).map(
    lambda body: json.dumps(body).encode()
)
requests = st.tuples(
    st.sampled_from([*ROUTES, *OPEN]),
    texts,
    st.dictionaries(
        st.sampled_from(["cursor", "limit", "queue", "agent", "after", "before", "state", "x"]),
        texts,
        max_size=3,
    ),
    bodies,
    st.dictionaries(
        st.sampled_from(
            ["Idempotency-Key", "Range", "Origin", "Authorization", "Cookie", "Content-Type", "Host"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
        max_size=2,
    ),
)


def test_garbage_is_answered_and_never_with_a_fault(tmp_path: Path) -> None:
    async def prepare(api: Api) -> str:
        await api.call("c1", "alice")
        await api.user("boss", Role.SUPERVISOR, Role.ADMINISTRATOR, agent="alice")
        async with api.as_("boss") as client:
            return client.cookies["centrala"]

    with asyncio.Runner() as runner:
        manager = open_api(tmp_path)
        api: Api = runner.run(manager.__aenter__())
        try:
            cookie = runner.run(prepare(api))
            codes: set[str] = set()

            @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
            @given(requests)
            def throw(one: Any) -> None:
                (method, path), name, query, body, headers = one
                if (method, path) == ("DELETE", "/session"):
                    return

                async def ask() -> httpx.Response:
                    async with api.client() as client:
                        client.cookies.set("centrala", cookie)
                        part = quote(name, safe="")
                        url = re.sub(r"\{\w+\}", lambda _: part, path)
                        raw = httpx.URL(f"http://centre.example/api/v1{url}", params=query)
                        encoded = {key: value.encode("latin-1") for key, value in headers.items()}
                        return await client.request(
                            method,
                            raw,
                            content=body,
                            headers={"Content-Type": "application/json", **encoded},  # type: ignore[arg-type]
                        )

                answer = runner.run(ask())
                assert answer.status_code < 500, (one, answer.text)
                if not answer.is_success:
                    codes.add(problem(answer, answer.json()["code"])["code"])

            throw()
            assert {"BAD-INPUT", "NOT-FOUND"} <= codes
        finally:
            runner.run(manager.__aexit__(None, None, None))
