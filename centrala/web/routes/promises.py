"""Notes about customers, and what was promised to them: by whom, until when, and who keeps it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from centrala.customers.values import new_id
from centrala.people import Permission, allowed
from centrala.web.cards import CustomerShown, NewNote, NewPromise, NoteShown, PromiseEdit, note_shown
from centrala.web.guard import Fingerprint, Here, Key, Who
from centrala.web.inputs import clean
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.customers import (
    RACES,
    WRITE,
    asked,
    may_tie,
    note_down,
    open_card,
    whole,
    write_card,
)
from centrala.web.routes.people import SIGNED_IN

router = APIRouter(prefix="/customers")


@router.post(
    "/{customer}/notes",
    status_code=201,
    response_model=NoteShown,
    responses=answers(*WRITE, "NOT-FOUND", "MERGED"),
)
async def add_note(
    request: Request,
    customer: str,
    body: NewNote,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """A note about the customer, or about one contact of theirs. Lines are kept; it is text, never markup."""
    found, _ = await open_card(house, identity, customer)
    user = identity.user
    contact = None if body.contact is None else clean(body.contact)
    if contact is not None and not await may_tie(house, identity, contact):
        raise Problem("NOT-FOUND", NOT_FOUND)

    async def work() -> tuple[int, Any]:
        customers, now = house.customers, house.now()
        if contact is None:
            putting = house.ask(customers.put_customer_note, user.tenant, found.id, user.id, body.text, now)
        else:
            putting = house.ask(
                customers.put_note, user.tenant, contact, user.id, body.text, now, agent=user.agent
            )
        note = await asked(putting)
        await note_down(request, house, identity, "customer.noted", found.id, {"note": note.id})
        return 201, note_shown(note, {user.id: user.name})

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


@router.delete(
    "/{customer}/notes/{note}", status_code=204, responses=answers(*SIGNED_IN, "NOT-ALLOWED", "NOT-FOUND")
)
async def drop_note(request: Request, customer: str, note: str, house: Here, identity: Who) -> Response:
    """Erase a free note: its author, and who has the whole tenant and may see numbers."""
    found, _ = await open_card(house, identity, customer)
    user = identity.user
    anybodys = whole(identity) and allowed(user, Permission.NUMBERS, user.tenant)
    author = None if anybodys else user.id
    await asked(house.ask(house.customers.drop_note, user.tenant, found.id, clean(note), author=author))
    await note_down(request, house, identity, "customer.note_erased", found.id, {"note": clean(note)})
    return Response(status_code=204)


@router.post(
    "/{customer}/promises", status_code=201, response_model=CustomerShown, responses=answers(*WRITE, *RACES)
)
async def add_promise(
    request: Request,
    customer: str,
    body: NewPromise,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """What was promised to the customer, and until when."""
    found, numbers = await open_card(house, identity, customer)
    wanted = {f"promise.{new_id()}": body.model_dump()}
    return await write_card(request, house, identity, key, mark, found, found.version, wanted, numbers, 201)


@router.patch(
    "/{customer}/promises/{promise}", response_model=CustomerShown, responses=answers(*WRITE, *RACES)
)
async def edit_promise(
    request: Request,
    customer: str,
    promise: str,
    body: PromiseEdit,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Kept, put off, or worded anew. What is left out stays."""
    found, numbers = await open_card(house, identity, customer)
    name = f"promise.{clean(promise)}"
    have = found.doc.get(name)
    if have is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    sent = body.model_dump(exclude_unset=True, exclude={"version"})
    sent = {one: value for one, value in sent.items() if value is not None or one in ("due", "queue")}
    return await write_card(
        request, house, identity, key, mark, found, body.version, {name: {**have, **sent}}, numbers
    )


@router.delete(
    "/{customer}/promises/{promise}", response_model=CustomerShown, responses=answers(*WRITE, *RACES)
)
async def drop_promise(
    request: Request,
    customer: str,
    promise: str,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    version: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    key: Key = None,
) -> Response:
    """Made by mistake. `undo` brings it back."""
    found, numbers = await open_card(house, identity, customer)
    name = f"promise.{clean(promise)}"
    if name not in found.doc:
        raise Problem("NOT-FOUND", NOT_FOUND)
    version = version or found.version
    return await write_card(request, house, identity, key, mark, found, version, {name: None}, numbers)
