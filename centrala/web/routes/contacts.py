"""Records of contacts in pages, one contact, its recording. Agents see their own, others the queues in their scope."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from centrala.ledger.folding import Record
from centrala.ledger.records import COLUMNS, as_row, from_columns
from centrala.people import Identity, Permission, User, allowed, holds
from centrala.web.guard import Here, Who, address_of, need
from centrala.web.house import House
from centrala.web.inputs import clean, place_of
from centrala.web.inputs import cursor as cursor_at
from centrala.web.problems import NOT_FOUND, Problem, answers

router = APIRouter(prefix="/contacts")

LAST_MOMENT = 253402300799.0  # year 9999


class Segment(BaseModel):
    """One party's part in a contact."""

    agent: str | None
    "Null for somebody outside."
    role: str
    "agent, consult, member, or what a supervisor did: listen, whisper, barge"
    from_: str | None
    to: str | None

    model_config = {"alias_generator": lambda name: "from" if name == "from_" else name}


class Answer(BaseModel):
    """What the customer said in a survey."""

    survey: str
    question: str
    value: float
    scale: str
    queue: str | None
    agent: str | None


class Gap(BaseModel):
    """A stretch that the recording leaves out, in seconds of its own time line."""

    from_: float
    to: float | None
    why: str

    model_config = {"alias_generator": lambda name: "from" if name == "from_" else name}


class Escalated(BaseModel):
    at: str | None
    agent: str
    queue: str | None
    to: str
    tier: int
    reason: str


class ContactRecord(BaseModel):
    """As in docs/reference/contact-records.md; `recording` is where to fetch it."""

    id: str
    medium: str
    direction: str
    from_: str | None
    to: str | None
    queue: str | None
    arrived_at: str | None
    queued_at: str | None
    offered_at: str | None
    answered_at: str | None
    ended_at: str | None
    wait_s: float | None
    talk_s: float | None
    hold_s: float | None
    wrap_up_s: float | None
    outcome: str | None
    agent: str | None
    recording: str | None
    disposition: str | None
    "The result that was given last."
    segments: list[Segment]
    "Who took part, as what, from when to when."
    estimate_s: float | None
    flow: str | None
    path: list[str]
    origin: str | None
    waiting_since: str | None
    due_at: str | None
    attempts: int
    answers: list[Answer]
    gaps: list[Gap]
    escalations: list[Escalated]

    model_config = {"alias_generator": lambda name: "from" if name == "from_" else name}


class Page(BaseModel):
    items: list[ContactRecord]
    next: str | None
    "Cursor of the next page; null at the end."


class Sight:
    """Which records a user sees, as SQL, and what of them."""

    def __init__(self, house: House, user: User) -> None:
        self.user = user
        self._clients = {
            name: queue.client for name, queue in house.settings.tenants[user.tenant].queues.items()
        }
        self.own = user.agent if holds(user, Permission.DESK) else None

    def _where(self, permission: Permission) -> tuple[str, list[object]]:
        user = self.user
        if allowed(user, permission, user.tenant):
            return "1", []
        if not holds(user, permission):
            return "0", []
        named = {scope.name for scope in user.scopes if scope.kind == "queue"}
        queues = [
            one
            for one in {*self._clients, *named}
            if allowed(user, permission, user.tenant, queue=one, client=self._clients.get(one))
        ]
        return f"r.queue IN ({', '.join('?' * len(queues))})", list(queues)

    def where(self) -> tuple[str, list[object]]:
        sql, values = self._where(Permission.CONTACTS)
        if self.own is not None:
            return f"({sql} OR r.agent = ? OR r.caller = ?)", [*values, self.own, self.own]
        return f"({sql})", values

    def is_own(self, record: Record) -> bool:
        return self.own is not None and self.own in (record.agent, record.caller)

    def may_listen(self, record: Record) -> bool:
        user, queue = self.user, record.queue
        client = self._clients.get(queue) if queue is not None else None
        return self.is_own(record) or allowed(
            user, Permission.RECORDINGS, user.tenant, queue=queue, client=client
        )

    def row(self, record: Record, address: str | None) -> dict[str, object]:
        numbers = self.is_own(record) or holds(self.user, Permission.NUMBERS)
        row = as_row(record, address if numbers else None)
        del row["tenant"]
        listen = record.recording is not None and self.may_listen(record)
        row["recording"] = f"/api/v1/contacts/{record.id}/recording" if listen else None
        return row


_SELECT = (
    f"SELECT {', '.join('r.' + name for name in COLUMNS)}, p.address FROM records r"
    " LEFT JOIN parties p ON p.tenant = r.tenant AND p.id = r.party WHERE r.tenant = ? AND "
)


def _record(row: Any) -> tuple[Record, str | None]:
    *values, address = row
    return from_columns(values), address


Filter = Annotated[str | None, Query(max_length=256)]
Moment = Annotated[float | None, Query(ge=0, le=LAST_MOMENT, allow_inf_nan=False)]


@router.get("", response_model=Page, responses=answers("SIGNED-OUT", "NOT-ALLOWED", "BAD-CURSOR"))
async def contacts(
    house: Here,
    identity: Who,
    cursor: Filter = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    queue: Filter = None,
    agent: Filter = None,
    outcome: Filter = None,
    direction: Literal["inbound", "outbound", "internal", "callback"] | None = None,
    after: Moment = None,
    before: Moment = None,
    state: Literal["open", "ended", "all"] = "ended",
) -> Response:
    """Contacts, newest first; `after` and `before` bound the arrival, in unix seconds. A second behind at most."""
    need(identity, Permission.CONTACTS, Permission.DESK)
    sight = Sight(house, identity.user)
    where, values = sight.where()
    sql, parameters = [where], [identity.user.tenant, *values]
    for column, value in (("queue", queue), ("agent", agent), ("outcome", outcome), ("direction", direction)):
        if value is not None:
            sql.append(f"r.{column} = ?")
            parameters.append(clean(value))
    if after is not None:
        sql.append("r.arrived_at >= ?")
        parameters.append(after)
    if before is not None:
        sql.append("r.arrived_at < ?")
        parameters.append(before)
    if state != "all":
        sql.append(f"r.ended_at IS {'NOT ' if state == 'ended' else ''}NULL")
    if cursor is not None:
        sql.append("(r.arrived_at, r.id) < (?, ?)")
        parameters += place_of(cursor, tuple[float, str])
    found = await house.ask(
        house.rows,
        f"{_SELECT}{' AND '.join(sql)} ORDER BY r.arrived_at DESC, r.id DESC LIMIT ?",
        [*parameters, limit + 1],
    )
    records = [_record(row) for row in found]
    last = records[limit - 1][0] if len(records) > limit else None
    page = {
        "items": [sight.row(record, address) for record, address in records[:limit]],
        "next": None if last is None else cursor_at((last.arrived_at, last.id)),
    }
    return Response(msgspec.json.encode(page), media_type="application/json")


async def _one(house: House, identity: Identity, contact: str) -> tuple[Sight, Record, str | None]:
    need(identity, Permission.CONTACTS, Permission.DESK)
    sight = Sight(house, identity.user)
    where, values = sight.where()
    found = await house.ask(
        house.rows,
        f"{_SELECT}{where} AND r.id = ? ORDER BY r.arrived_at DESC LIMIT 1",
        [identity.user.tenant, *values, clean(contact)],
    )
    if not found:
        raise Problem("NOT-FOUND", NOT_FOUND)
    record, address = _record(found[0])
    return sight, record, address


@router.get(
    "/{contact}", response_model=ContactRecord, responses=answers("SIGNED-OUT", "NOT-ALLOWED", "NOT-FOUND")
)
async def one_contact(contact: str, house: Here, identity: Who) -> Response:
    sight, record, address = await _one(house, identity, contact)
    return Response(msgspec.json.encode(sight.row(record, address)), media_type="application/json")


_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$", re.ASCII)


@router.get(
    "/{contact}/recording",
    response_class=Response,
    responses={
        200: {"content": {"audio/wav": {}}},
        206: {"content": {"audio/wav": {}}, "description": "The part that `Range` asks for."},
        **answers("SIGNED-OUT", "NOT-ALLOWED", "NOT-FOUND", "RANGE"),
    },
)
async def recording(
    request: Request,
    contact: str,
    house: Here,
    identity: Who,
    range_: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
) -> Response:
    """The sound of a contact: one channel for the customer, one for the agent. Listening leaves an audit entry."""
    sight, record, _ = await _one(house, identity, contact)
    if record.recording is None or not sight.may_listen(record):
        raise Problem("NOT-FOUND", NOT_FOUND)
    path = await house.ask(file_below, house.data, record.recording)
    if path is None:
        raise Problem("NOT-FOUND", "The recording was deleted, or its file is missing.")
    size = path.stat().st_size
    _check_range(request, range_, size)
    user = identity.user
    if house.listens(user.id, record.id):
        await house.ask(
            house.people.audit, user, "recording.heard", record.id, house.now(), address_of(request)
        )
    return FileResponse(
        path,
        media_type="audio/wav" if path.suffix == ".wav" else "application/octet-stream",
        headers={"Content-Disposition": "inline"},
    )


def file_below(data: Path, below: str) -> Path | None:
    """The file, if it is there and lies in the data folder."""
    root = data.resolve()
    path = (root / below).resolve()
    return path if path.is_relative_to(root) and path.is_file() else None


def _check_range(request: Request, text: str | None, size: int) -> None:
    """RFC 9110 14.2: what can't be satisfied is refused; what isn't one plain range is ignored."""
    if text is None:
        return
    asked = _RANGE.match(text.strip())
    if asked is not None and any(asked.groups()):
        first, last = asked.groups()
        if first and (int(first) >= size or (last and int(last) < int(first))):
            raise Problem("RANGE", "The recording is shorter than that.", Content_Range=f"bytes */{size}")
        if first or int(last) > 0:
            return
        raise Problem("RANGE", "A part of no length was asked for.", Content_Range=f"bytes */{size}")
    request.scope["headers"] = [one for one in request.scope["headers"] if one[0] != b"range"]
