"""What agents do with a conversation beside talking: recordings on demand, pauses, steps of their customers."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from centrala.core import facts as f
from centrala.web.guard import Fingerprint, Here, Key, Who
from centrala.web.routes.desk import CHANGES, OnContact, about_mine

router = APIRouter(prefix="/me/agent")


class RecordOn(OnContact):
    on: bool


class RecordingPause(OnContact):
    paused: bool


class Step(OnContact):
    flow: Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
    "Of those that the queue offers; empty: bring the customer back now."


@router.post("/record", **CHANGES)
async def record(body: RecordOn, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """Begin a recording where the queue leaves it to me, or end it."""
    return await about_mine(house, identity, body, key, mark, f.RecordAsked, on=body.on)


@router.post("/recording-pause", **CHANGES)
async def recording_pause(
    body: RecordingPause, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Leave a marked gap in the recording; it goes on by itself after the queue's longest pause."""
    return await about_mine(house, identity, body, key, mark, f.RecordingPauseAsked, paused=body.paused)


@router.post("/step", **CHANGES)
async def step(body: Step, house: Here, identity: Who, mark: Fingerprint, key: Key = None) -> Response:
    """My customer goes through a flow (a payment) and comes back to me; the recording rests as long."""
    return await about_mine(house, identity, body, key, mark, f.InterludeAsked, flow=body.flow)
