"""Live: the snapshot, and the socket that goes on from it."""

import asyncio
import contextlib
import logging
from typing import Any

import msgspec
from fastapi import APIRouter, WebSocket
from fastapi.responses import Response
from starlette.websockets import WebSocketDisconnect, WebSocketState

from centrala.people import Identity, Permission
from centrala.web.board import LostPlace
from centrala.web.guard import Here, Who, house_of, identify, identify_again, need, same_site
from centrala.web.house import House
from centrala.web.hub import Hub, full, message
from centrala.web.problems import answers, response
from centrala.web.shown import LiveMessage, LiveRegister, LiveSnapshot

log = logging.getLogger(__name__)

router = APIRouter()

WATCH = (Permission.DESK, Permission.QUEUES, Permission.AGENTS)

SEND_WITHIN = 10.0
"Seconds for a client to take a message; a slower one is dropped, and may come back."
ASK_AGAIN = 30.0
"Seconds between two looks whether the client may still see this."
REGISTER_EVERY = 0.2
MAX_CLIENTS = 2000
"Sockets of one tenant."
MAX_MESSAGE = 1024
"Characters of what a client says."

OVER = 4401
"Close code: the session is over; sign in again."
SLOW = 4408
BAD = 4400

_encode = msgspec.json.Encoder().encode


webhooks = APIRouter()
"What the socket says, for OpenAPI: types of pages come from there."


@webhooks.post("live", response_model=LiveRegister)
async def live_message(message: LiveMessage) -> None:
    """`WS /api/v1/live`: what the centre says (`message` is what a frame holds), and as the answer what a page says."""


@router.get("/live", response_model=LiveSnapshot, responses=answers("SIGNED-OUT", "NOT-ALLOWED"))
async def snapshot(house: Here, identity: Who) -> Response:
    """What goes on now, as far as I may see it: queues, agents, contacts."""
    need(identity, *WATCH)
    hub = house.hubs[identity.user.tenant]
    return Response(_encode(full(hub, identity.user, house.now())), media_type="application/json")


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Register → snapshot → changes above it; see docs/reference/api.md."""
    house = house_of(socket)
    by_token = "authorization" in socket.headers
    if not by_token and not same_site(socket, origin_needed=True):
        await socket.send_denial_response(
            response("CROSS-SITE", "This socket isn't asked for by a page of this centre.")
        )
        return
    identity = await identify(socket)
    if identity is None or identity.user.tenant not in house.hubs:
        await socket.send_denial_response(
            response("SIGNED-OUT", "Nobody is signed in here, or the session is over.")
        )
        return
    if not any(permission in identity.user.permissions for permission in WATCH):
        await socket.send_denial_response(response("NOT-ALLOWED", "Your roles don't allow this."))
        return
    hub = house.hubs[identity.user.tenant]
    if hub.clients >= MAX_CLIENTS:
        await socket.send_denial_response(response("BUSY", "Too many browsers are connected: try again."))
        return
    hub.clients += 1
    follower: asyncio.Task[None] | None = None
    try:
        await socket.accept()
        while True:
            place = _register(await socket.receive())
            await _end(follower)
            follower = asyncio.create_task(_follow(socket, house, hub, identity, place))
            await asyncio.sleep(REGISTER_EVERY)
    except WebSocketDisconnect:
        pass
    except ValueError:
        await _close(socket, BAD)
    finally:
        hub.clients -= 1
        await _end(follower)


def _register(heard: Any) -> str | None:
    """The place that a client registers from; None for a snapshot. Raises ValueError for anything else."""
    if heard["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(heard.get("code", 1005))
    text = heard.get("text") or ""
    if not text or len(text) > MAX_MESSAGE:
        raise ValueError
    try:
        said = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        raise ValueError from None
    match said:
        case {"register": {"place": str(place)}}:
            return place
        case {"register": {}}:
            return None
        case _:
            raise ValueError


async def _follow(socket: WebSocket, house: House, hub: Hub, identity: Identity, place: str | None) -> None:
    """Send what the client doesn't have, for as long as it may see it and takes it in."""
    user, told = identity.user, place
    at = place or ""
    asked = house.now()
    follower = hub.follow(user)
    try:
        while True:
            if told is None:
                first = full(hub, user, house.now())
                told = at = first["place"]
                await _send(socket, first)
            try:
                update = hub.since(user, at)
            except LostPlace:
                # The client holds what can't be brought up to date: it has to say so itself, and begin anew.
                await _send(socket, {"kind": "lost", "code": "LIVE-LOST"})
                return
            if update is not None:
                at = update.place
                if update.shown:
                    await _send(socket, message(update._replace(after=told), house.now()))
                    told = at
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASK_AGAIN):
                    await follower.woken()
            if house.now() - asked >= ASK_AGAIN:
                asked = house.now()
                again = await identify_again(socket, identity)
                if again is None or again.user != user:
                    await _close(socket, OVER)
                    return
    except TimeoutError:
        log.info("tenant %s: a browser that takes nothing in was dropped", hub.tenant)
        await _close(socket, SLOW)
    except WebSocketDisconnect:
        pass
    except Exception:
        log.exception("tenant %s: a live client was dropped", hub.tenant)
        await _close(socket, 1011)
    finally:
        hub.unfollow(follower)


async def _send(socket: WebSocket, what: dict[str, Any]) -> None:
    # Not `wait_for`: before Python 3.12 it loses a cancellation that comes with the result, and we would wait for ever.
    async with asyncio.timeout(SEND_WITHIN):
        await socket.send_text(_encode(what).decode())


async def _close(socket: WebSocket, code: int) -> None:
    if socket.application_state is WebSocketState.CONNECTED:
        with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            async with asyncio.timeout(1.0):
                await socket.close(code)


async def _end(task: "asyncio.Task[None] | None") -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
