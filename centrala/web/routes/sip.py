"""The browser phone: what it must know, and its web socket, which speaks SIP (RFC 7118)."""

import asyncio
import contextlib
import logging

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel
from starlette.websockets import WebSocketDisconnect, WebSocketState

from centrala.people import Identity
from centrala.web.guard import Here, Who, house_of, identify, identify_again, same_site
from centrala.web.house import House
from centrala.web.problems import Problem, answers, response

log = logging.getLogger(__name__)

router = APIRouter()

PATH = "/api/v1/sip"
ASK_AGAIN = 5.0
"Seconds between two looks whether the session goes on."
FIRST_WORD = 30.0
"Seconds in which a socket must have said something."
SEND_WITHIN = 10.0
WAITING = 256
"Messages that wait for a page; beyond it the page is dropped, and may come back."

SOCKETS = 8
"Of one agent at a time: several tabs, and old sockets of a network that has changed."

OVER = 4401
"Close code: the session is over; sign in again."
TOO_MANY = 4429
"Close code: the agent has SOCKETS of them already."


class PhoneShown(BaseModel):
    ws: str
    "Path of the web socket, on the host and port of this page."
    aor: str
    "Address of record: what the page registers."
    user: str
    domain: str
    name: str


@router.get("/me/phone", response_model=PhoneShown, responses=answers("SIGNED-OUT", "NO-AGENT"))
async def my_phone(house: Here, identity: Who) -> PhoneShown:
    """What my browser phone needs to register."""
    tenant = house.settings.tenants[identity.user.tenant]
    agent = tenant.agents.get(identity.user.agent or "")
    if agent is None:
        raise Problem("NO-AGENT", "You act as no agent of this centre, so you have no phone here.")
    aor = f"sip:{agent.id}@{tenant.domain}"
    return PhoneShown(ws=PATH, aor=aor, user=agent.id, domain=tenant.domain, name=agent.name or agent.id)


class _Page:
    """One socket, as the SIP transports see it."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.out: asyncio.Queue[bytes] = asyncio.Queue(maxsize=WAITING)
        self.over = asyncio.Event()
        self.spoke = False

    def send(self, data: bytes) -> None:
        try:
            self.out.put_nowait(data)
        except asyncio.QueueFull:
            self.abort()

    def abort(self) -> None:
        self.over.set()

    async def write(self) -> None:
        """What waits, for as long as the page takes it in."""
        while True:
            text = (await self.out.get()).decode("utf-8", "replace")
            async with asyncio.timeout(SEND_WITHIN):
                await self.socket.send_text(text)

    async def patience(self) -> None:
        await asyncio.sleep(FIRST_WORD)
        if self.spoke:
            await asyncio.Event().wait()

    async def watch(self, identity: Identity) -> None:
        """Until the session is over: a page that has signed out has no phone."""
        while True:
            await asyncio.sleep(ASK_AGAIN)
            now = await identify_again(self.socket, identity)
            if now is None or now.user.id != identity.user.id or now.user.agent != identity.user.agent:
                return


@router.websocket("/sip")
async def sip(socket: WebSocket) -> None:
    """SIP over the socket; see docs/reference/api.md."""
    house = house_of(socket)
    if not same_site(socket, origin_needed=True):
        problem = response("CROSS-SITE", "This socket isn't asked for by a page of this centre.")
        await socket.send_denial_response(problem)
        return
    identity = await identify(socket)
    if identity is None or identity.via != "session":
        problem = response("SIGNED-OUT", "Nobody is signed in here, or the session is over.")
        await socket.send_denial_response(problem)
        return
    tenant = house.settings.tenants.get(identity.user.tenant)
    agent = identity.user.agent or ""
    if tenant is None or agent not in tenant.agents or house.phones is None:
        problem = response("NO-AGENT", "You act as no agent of this centre, so you have no phone here.")
        await socket.send_denial_response(problem)
        return
    if "sip" not in socket.scope.get("subprotocols", ()):
        problem = response("BAD-INPUT", "This socket speaks SIP alone: ask for the subprotocol sip.")
        await socket.send_denial_response(problem)
        return
    await socket.accept(subprotocol="sip")
    await _talk(socket, house, identity, tenant.id, agent)


async def _talk(socket: WebSocket, house: House, identity: Identity, tenant: str, agent: str) -> None:
    door = house.phones
    assert door is not None
    if door.open_to(tenant, agent) >= SOCKETS:
        log.warning("tenant %s: agent %s has %d sockets, one more is closed", tenant, agent, SOCKETS)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(TOO_MANY)
        return
    page = _Page(socket)
    server, client = socket.scope.get("server"), socket.client
    flow = door.enter(
        page,
        secure=socket.scope["scheme"] == "wss",
        local=(str(server[0]), int(server[1] or 0)) if server else ("127.0.0.1", 0),
        remote=(client.host, client.port) if client is not None else ("127.0.0.1", 0),
        tenant=tenant,
        agent=agent,
    )

    async def listen() -> None:
        while True:
            heard = await socket.receive()
            if heard["type"] == "websocket.disconnect":
                return
            data = heard.get("bytes") or (heard.get("text") or "").encode("utf-8", "surrogatepass")
            page.spoke = True
            if data.strip():
                door.hear(flow, data)

    watching = asyncio.create_task(page.watch(identity))
    tasks = [
        watching,
        asyncio.create_task(listen()),
        asyncio.create_task(page.write()),
        asyncio.create_task(page.patience()),
        asyncio.create_task(page.over.wait()),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = watching.done() and not watching.cancelled() and watching.exception() is None
        code = OVER if ended else 1001
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(
                result, TimeoutError | WebSocketDisconnect | RuntimeError
            ):
                log.error("tenant %s: a browser phone's socket failed", tenant, exc_info=result)
        if socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(1.0):
                    await socket.close(code)
    finally:
        for task in tasks:
            task.cancel()
        door.leave(flow)
