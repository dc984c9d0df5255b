"""Lines of plots: what queues were like in the last two hours."""

import gzip
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from centrala.people import Permission
from centrala.web.board import reaches
from centrala.web.guard import Here, Who, need
from centrala.web.history import SHOWN, Point
from centrala.web.problems import answers
from centrala.web.routes.floor import in_sight

router = APIRouter(prefix="/queues")

LARGE = 2000
"Bytes that are worth compressing."

Minutes = Annotated[int, Query(ge=1, le=SHOWN)]


class MinuteShown(BaseModel):
    at: int
    "When the minute began, in unix seconds."
    offered: int | None
    "Null, like all the others, where nobody looked: the centre was down, or the queue wasn't there."
    answered: int | None
    abandoned: int | None
    service_level: float | None
    "Of this minute; null where nothing was to be counted."
    service_level_30: float | None
    "Of the half hour that ends with it: a board's `now`."
    longest_wait: float | None
    "Seconds: of whoever waited in this minute."
    waiting: int | None
    "Most who waited at once."


class QueueHistory(BaseModel):
    queue: str
    at: float
    "The centre's clock."
    items: list[MinuteShown]
    "Oldest first; the last one isn't over yet."


class Lines(BaseModel):
    waiting: list[int | None]
    longest_wait: list[float | None]
    service_level_30: list[float | None]


class QueueLines(BaseModel):
    at: float
    begins: int
    "When the first minute began, in unix seconds."
    queues: dict[str, Lines]


@router.get("/history", response_model=QueueLines, responses=answers("SIGNED-OUT", "NOT-ALLOWED"))
async def lines(request: Request, house: Here, identity: Who, minutes: Minutes = SHOWN) -> Response:
    """For a board's plots: three figures of every queue that I may see, a value a minute."""
    need(identity, Permission.QUEUES)
    user = identity.user
    hub, now = house.hubs[user.tenant], house.now()
    seen = [
        name
        for name in house.centre(user.tenant).queues
        if (entity := hub.entity(("queue", name))) is not None and reaches(user, Permission.QUEUES, entity)
    ]

    def work() -> Response:
        points = {name: hub.history.points(name, minutes, now) for name in seen}
        queues = {
            name: {
                figure: [getattr(one, figure) for one in of]
                for figure in ("waiting", "longest_wait", "service_level_30")
            }
            for name, of in points.items()
        }
        begins = next(iter(points.values()))[0].at if points else 0
        return _packed(request, {"at": round(now, 3), "begins": begins, "queues": queues})

    # Fifty queues take some 30 ms, for which no call waits.
    return await house.ask(work)


@router.get(
    "/{queue}/history",
    response_model=QueueHistory,
    responses=answers("SIGNED-OUT", "NOT-ALLOWED", "NOT-FOUND"),
)
async def queue_history(
    request: Request, queue: str, house: Here, identity: Who, minutes: Minutes = 60
) -> Response:
    """One queue, minute by minute. What each figure means is told by `GET /metrics`."""
    in_sight(house, identity, Permission.QUEUES, "queue", queue)
    now = house.now()
    points: list[Point] = house.hubs[identity.user.tenant].history.points(queue, minutes, now)
    return _packed(request, {"queue": queue, "at": round(now, 3), "items": [asdict(one) for one in points]})


def _packed(request: Request, made: dict[str, Any]) -> Response:
    body = msgspec.json.encode(made)
    if len(body) < LARGE or "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(body, media_type="application/json")
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(gzip.compress(body, 5), headers=headers, media_type="application/json")
