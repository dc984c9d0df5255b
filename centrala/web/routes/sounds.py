"""Sounds of the house: uploaded, converted, heard again, deleted."""

import io
import os
import re
import secrets
import wave
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel

from centrala.core.specs import FlowSpec
from centrala.flows.checking import playing
from centrala.people import Identity, Permission
from centrala.web.guard import Here, Who, address_of, need_session, need_whole
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.people import SIGNED_IN

router = APIRouter(prefix="/admin/sounds")

RATE = 8000
LONGEST = 3600
"Seconds that are kept of a sound."
LOWEST, HIGHEST = 4000, 384_000
"Samples a second of what is sent. One a second would make 8000 of each: gigabytes of a small file."
MAX_SOUNDS = 200
"Of one tenant."
BUILT_IN = ("default", "silence")
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")

RIGHTS = (*SIGNED_IN, "NOT-ALLOWED")
UPLOAD: Any = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"For OpenAPI: the body is the file."


class SoundShown(BaseModel):
    name: str
    "What `music` and destinations call it."
    seconds: float | None
    "None for what is built in."
    built_in: bool
    used_by: list[str]
    "Keys of the settings that name it."


class Sounds(BaseModel):
    items: list[SoundShown]


def there(data: Path, tenant: str, name: str) -> bool:
    """Whether a sound of this name can be played."""
    return name in BUILT_IN or name.startswith("tone:") or _file(data, tenant, name).is_file()


def _file(data: Path, tenant: str, name: str) -> Path:
    return data / "sounds" / tenant / f"{name}.wav"


def _named(name: str) -> str:
    """Raises Problem NOT-FOUND for what can't be a sound's name, before it becomes part of a path."""
    if not NAME.fullmatch(name):
        raise Problem("NOT-FOUND", NOT_FOUND)
    return name


def _used(house: Here, tenant: str, name: str) -> list[str]:
    settings = house.settings.tenants[tenant]
    found = [f"queues.{one.id}.music" for one in settings.queues.values() if one.music == name]
    told = [one for one in settings.queues.values() if one.announce is not None]
    found += [f"queues.{one.id}.announce" for one in told if one.announce and name in one.announce.messages]
    for number, to in settings.numbers.items():
        if (to.kind, to.target) == ("music", name):
            found.append(f"numbers.{number}")
    for queue in settings.queues.values():
        for key in ("when_full", "when_no_agents", "after_max_wait", "when_closed"):
            way = getattr(queue, key)
            if way is not None and (way.kind, way.target) == ("music", name):
                found.append(f"queues.{queue.id}.{key}")
    specs = {
        **house.flows.published(tenant),
        **{id: FlowSpec(id, 1, one.graph) for id, one in settings.flows.items()},
    }
    return found + [f"flows.{id}" for id in playing(specs, name)]


def _shown(house: Here, tenant: str, name: str) -> dict[str, Any]:
    built_in = name in BUILT_IN
    return {
        "name": name,
        "seconds": None if built_in else _seconds(_file(house.data, tenant, name)),
        "built_in": built_in,
        "used_by": _used(house, tenant, name),
    }


def _seconds(path: Path) -> float | None:
    try:
        return round((path.stat().st_size - 44) / (2 * RATE), 2)
    except OSError:
        return None


def _administrator(identity: Identity) -> str:
    need_whole(identity, Permission.SETTINGS)
    return identity.user.tenant


@router.get("", response_model=Sounds, responses=answers(*RIGHTS))
async def sounds(house: Here, identity: Who) -> dict[str, Any]:
    """Those built in, then the house's own by name."""
    tenant = _administrator(identity)

    def work() -> dict[str, Any]:
        names = sorted(one.stem for one in (house.data / "sounds" / tenant).glob("*.wav"))
        return {"items": [_shown(house, tenant, one) for one in (*BUILT_IN, *names)]}

    return await house.ask(work)


@router.post(
    "",
    status_code=201,
    response_model=SoundShown,
    responses=answers(*RIGHTS, "SESSION-NEEDED", "NAME-TAKEN", "TOO-MANY", "SOUND-WRONG"),
    openapi_extra=UPLOAD,
)
async def upload(
    request: Request,
    house: Here,
    identity: Who,
    name: Annotated[str, Query(max_length=64, pattern=rf"^{NAME.pattern}$")] = "",
) -> Response:
    """A new sound: the body is the file (WAV, MP3, FLAC, Ogg, AAC), up to 20 MiB; the first hour of it is kept."""
    tenant = _administrator(identity)
    need_session(identity)
    if not name:
        raise Problem("BAD-INPUT", "A sound needs a name, as in ?name=jazz.")
    body = await request.body()

    def work() -> dict[str, Any]:
        path = _file(house.data, tenant, name)
        if there(house.data, tenant, name):
            raise Problem(
                "NAME-TAKEN", "There is a sound of this name: delete it first, or take another name."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        if len(list(path.parent.glob("*.wav"))) >= MAX_SOUNDS:
            raise Problem("TOO-MANY", f"There are {MAX_SOUNDS} sounds already: delete one first.")
        pcm = converted(body)
        made = path.with_name(f".{secrets.token_hex(8)}")
        try:
            with made.open("wb") as file:
                _write(file, pcm)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(made, path)
            except FileExistsError:
                raise Problem("NAME-TAKEN", "There is a sound of this name: take another.") from None
        except OSError:
            raise Problem("LEDGER-DOWN", "The data folder can't be used now: try again.") from None
        finally:
            made.unlink(missing_ok=True)
        house.people.audit(
            identity.user, "sound.added", name, house.now(), address_of(request), {"bytes": len(pcm)}
        )
        return _shown(house, tenant, name)

    return JSONResponse(await house.ask_long(work), 201)


@router.get(
    "/{name}",
    responses={**answers(*RIGHTS, "NOT-FOUND"), 200: {"content": {"audio/wav": {}}}},
    response_class=FileResponse,
)
async def hear(name: str, house: Here, identity: Who) -> Response:
    """One of the house's own, as WAV."""
    tenant = _administrator(identity)
    path = _file(house.data, tenant, _named(name))
    if not await house.ask(path.is_file):
        raise Problem("NOT-FOUND", NOT_FOUND)
    return FileResponse(path, media_type="audio/wav")


@router.delete(
    "/{name}", status_code=204, responses=answers(*RIGHTS, "SESSION-NEEDED", "NOT-FOUND", "IN-USE")
)
async def delete(request: Request, name: str, house: Here, identity: Who) -> Response:
    """Delete one that nothing in the settings names."""
    tenant = _administrator(identity)
    need_session(identity)
    path = _file(house.data, tenant, _named(name))

    def work() -> None:
        used = _used(house, tenant, name)
        if used and path.is_file():
            raise Problem("IN-USE", f"It is used by {', '.join(used[:5])}: choose another sound there first.")
        try:
            path.unlink()
        except FileNotFoundError:
            raise Problem("NOT-FOUND", NOT_FOUND) from None
        house.people.audit(identity.user, "sound.deleted", name, house.now(), address_of(request))

    await house.ask(work)
    return Response(status_code=204)


def converted(data: bytes) -> bytes:
    """Any sound file as 8 kHz mono PCM16, the first hour of it. Raises Problem SOUND-WRONG."""
    import av  # 30 MB that a centre without uploads needn't have

    # Only what is sound, only from these bytes: FFmpeg would follow playlists to files and addresses.
    options = {"protocol_whitelist": "pipe"}
    out = io.BytesIO()
    try:
        with av.open(io.BytesIO(data), "r", options=options, metadata_errors="ignore") as box:
            if box.format.name.split(",")[0] not in FORMATS:
                raise Problem("SOUND-WRONG", WRONG)
            if not box.streams.audio:
                raise Problem("SOUND-WRONG", "There is no sound in this file.")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in box.decode(box.streams.audio[0]):
                if not LOWEST <= frame.sample_rate <= HIGHEST:
                    raise Problem("SOUND-WRONG", WRONG)
                for done in resampler.resample(frame):
                    out.write(done.to_ndarray().tobytes())
                if out.tell() >= LONGEST * RATE * 2:
                    break
            for done in resampler.resample(None):
                out.write(done.to_ndarray().tobytes())
    except (av.FFmpegError, ValueError, OSError, OverflowError, MemoryError) as problem:
        raise Problem("SOUND-WRONG", WRONG) from problem
    pcm = out.getvalue()[: LONGEST * RATE * 2]
    if len(pcm) < RATE // 5:
        raise Problem("SOUND-WRONG", "The sound is shorter than a tenth of a second.")
    return pcm


FORMATS = ("wav", "mp3", "flac", "ogg", "mov", "aac", "matroska")
WRONG = "This is no sound file that can be read: send WAV, MP3, FLAC, Ogg, M4A or AAC."


def _write(file: Any, pcm: bytes) -> None:
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(pcm)
