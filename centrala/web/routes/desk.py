"""The agent's own desk: state, ready, pause, sign-out, the end of after-call work."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.core import facts as f
from centrala.people import Identity, Permission
from centrala.web.guard import Fingerprint, Here, Key, Who, need
from centrala.web.house import House
from centrala.web.problems import Problem, answers
from centrala.web.routes.people import SIGNED_IN, Body

router = APIRouter(prefix="/me/agent")


class Pause(Body):
    reason: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")]


class AgentShown(BaseModel):
    id: str
    name: str
    state: str
    "on_contact, held, offered, wrap_up, unreachable, resting, ready, not_ready or logged_out"
    since: float
    "Unix seconds."
    intent: str
    "What the agent wants, whatever phone and load say: ready, not_ready or logged_out."
    reason: str | None
    reachable: bool
    "Whether the phone can be reached."
    until: float | None
    "End of wrap-up, or of the rest after missed offers."
    missed: int
    contact: str | None
    queues: list[str]


class ContactShown(BaseModel):
    id: str
    medium: str
    direction: str
    state: str
    "new, queued, offered, active, held or wrap_up"
    queue: str | None
    since: float | None
    "Since when the customer waits or waited."
    dialled: str | None
    number: str | None
    "The customer's; null where it may not be seen, was withheld, or isn't known yet."
    agent: str | None
    ringing: list[str]
    why: str | None
    "Why it was offered to whom it was."


class Desk(BaseModel):
    seq: int
    "Of the ledger."
    stored: bool = True
    "False: done, but the ledger can't be written just now."
    agent: AgentShown
    contact: ContactShown | None
    "Whom the agent talks with, who rings, or who the wrap-up is about."


def _desk(house: House, identity: Identity) -> dict[str, Any]:
    user = identity.user
    hub = house.hubs[user.tenant]
    entity = hub.entity(("agent", user.agent or ""))
    if entity is None:
        raise Problem("NO-AGENT", "The agent that you act as isn't in the centre's file.")
    name = entity.value["contact"]
    contact = None if name is None else hub.entity(("contact", name))
    return {
        "seq": hub.seq,
        "agent": entity.value,
        "contact": None if contact is None else contact.value,
    }


def _agent(house: House, identity: Identity) -> str:
    need(identity, Permission.DESK)
    name = identity.user.agent
    if name is None or name not in house.centre(identity.user.tenant).agents:
        raise Problem("NO-AGENT", "The agent that you act as isn't in the centre's file.")
    return name


async def _tell(
    house: House, identity: Identity, key: str | None, mark: bytes, *make: Callable[[float, str], f.Fact]
) -> Response:
    agent = _agent(house, identity)

    async def work() -> tuple[int, Any]:
        told = await house.tell(identity.user.tenant, agent, *make)
        return 200, {**_desk(house, identity), "seq": told.seq, "stored": told.stored}

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


CHANGES: Any = {
    "response_model": Desk,
    "responses": answers(*SIGNED_IN, "NOT-ALLOWED", "NO-AGENT", "AGENT-REFUSED", "KEY-REUSED"),
}


@router.get("", response_model=Desk, responses=answers("SIGNED-OUT", "NOT-ALLOWED", "NO-AGENT"))
async def my_desk(house: Here, identity: Who) -> dict[str, Any]:
    """My state, and whom I talk with or who rings, with number, queue, wait and why me."""
    _agent(house, identity)
    return _desk(house, identity)


@router.post("/ready", **CHANGES)
async def ready(house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """I take contacts. Ends a rest after missed offers too."""
    return await _tell(house, identity, key, mark, f.AgentReady)


@router.post("/pause", **CHANGES)
async def pause(body: Pause, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """I take none, for this reason. In a conversation it takes effect after it; what rings goes on ringing."""
    agent = _agent(house, identity)
    make: list[Callable[[float, str], f.Fact]] = [lambda at, name: f.AgentPaused(at, name, body.reason)]
    if house.centre(identity.user.tenant).agents[agent].intent == "logged_out":
        make.insert(0, f.AgentSignedIn)
    return await _tell(house, identity, key, mark, *make)


@router.post("/sign-out", **CHANGES)
async def sign_out(house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """I leave the queues. The browser's session goes on."""
    return await _tell(house, identity, key, mark, f.AgentSignedOut)


@router.post("/finish", **CHANGES)
async def finish(house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """The after-call work is done."""
    return await _tell(house, identity, key, mark, f.WrapUpFinished)
