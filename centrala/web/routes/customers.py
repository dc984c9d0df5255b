"""Customers: found, shown, edited by several people at once, merged, erased; their timeline, notes and promises.

Who holds CUSTOMERS for the whole tenant reaches every customer; others reach those whose contacts they may see.
Numbers and addresses are for who holds NUMBERS, and for the agent who has or had a contact with the customer: by what
others wrote down, or an agent would tie a contact to any card to see its numbers.
"""

from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from centrala.customers import Customer, CustomerError, Declared, EditRace
from centrala.customers.numbers import withheld
from centrala.customers.values import Row, new_id
from centrala.people import Identity, Permission, allowed, holds
from centrala.web.cards import (
    CustomerShown,
    Edit,
    ErasedShown,
    Fields,
    FieldsBody,
    FoundPage,
    HistoryPage,
    Lookup,
    Merge,
    NewCustomer,
    Tie,
    Timeline,
    Undo,
    card,
    change_shown,
    fields_shown,
    found_shown,
    names_of,
    note_shown,
    veiled,
    with_names,
)
from centrala.web.guard import Fingerprint, Here, Key, Who, address_of, need, need_whole
from centrala.web.house import House
from centrala.web.inputs import Cursor, NumberCursor, clean, number_of, place_of
from centrala.web.inputs import cursor as cursor_at
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.contacts import Sight
from centrala.web.routes.people import SIGNED_IN

router = APIRouter(prefix="/customers")
T = TypeVar("T")

# --- who reaches what ---


async def asked(awaited: Awaitable[T], numbers: bool = True) -> T:
    """The answer of the customers' tables; what they refuse becomes a problem."""
    try:
        return await awaited
    except EditRace as race:
        conflicts = [
            {
                "field": field,
                "yours": one.yours,
                "theirs": one.theirs if numbers else veiled(field, one.theirs),
                "by": one.by,
                "at": one.at,
            }
            for field, one in race.conflicts.items()
        ]
        more = {"conflicts": conflicts, "version": race.version}
        raise Problem("EDIT-RACE", str(race), more=more) from None
    except CustomerError as problem:
        raise Problem(problem.code, str(problem)) from None


def whole(identity: Identity) -> bool:
    return allowed(identity.user, Permission.CUSTOMERS, identity.user.tenant)


def sees_numbers(identity: Identity) -> bool:
    return holds(identity.user, Permission.NUMBERS)


async def open_card(house: House, identity: Identity, customer: str) -> tuple[Customer, bool]:
    """(the customer, whether its numbers may be seen). Raises Problem NOT-ALLOWED, NOT-FOUND."""
    need(identity, Permission.CUSTOMERS, Permission.DESK)
    user = identity.user
    found = await house.ask(house.customers.get, user.tenant, clean(customer))
    if found is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    own = await is_own(house, identity, found)
    if not own and not whole(identity):
        sight = Sight(house, user).where()
        rows, _, _ = await house.ask(house.customers.timeline, user.tenant, found.id, sight, limit=1)
        if not any(row.note is None for row in rows):
            raise Problem("NOT-FOUND", NOT_FOUND)
    return found, own or sees_numbers(identity)


async def is_own(house: House, identity: Identity, customer: Customer) -> bool:
    """Whether the user is the agent who has or had a contact with the customer."""
    user = identity.user
    if user.agent is None or not holds(user, Permission.DESK):
        return False
    agent = house.centre(user.tenant).agents.get(user.agent)
    if agent is not None:
        present = [*agent.calls, *agent.offers.values(), *([agent.wrap] if agent.wrap else [])]
        for contact in present:
            if await house.ask(_concerns, house, customer, contact, user.id):
                return True
    return await house.ask(house.customers.had, user.tenant, customer.id, user.agent, beside=user.id)


def _concerns(house: House, customer: Customer, contact: str, beside: str) -> bool:
    rows = house.rows("SELECT address FROM parties WHERE tenant = ? AND id = ?", (customer.tenant, contact))
    number = rows[0][0] if rows else None
    return house.customers.concerns(customer, contact, number, beside=beside)


async def note_down(
    request: Request, house: House, identity: Identity, action: str, subject: str, after: object = None
) -> None:
    """An entry in the trail: which fields, never what stands in them."""
    await house.ask(
        house.people.audit, identity.user, action, subject, house.now(), address_of(request), after
    )


# --- finding ---

READ = ("SIGNED-OUT", "NOT-ALLOWED")
WRITE = (*SIGNED_IN, "NOT-ALLOWED", "KEY-REUSED")
RACES = ("EDIT-RACE", "MERGED", "NOT-FOUND", "TOO-MANY")


@router.get("", response_model=FoundPage, responses=answers(*READ, "BAD-CURSOR"))
async def search(
    house: Here,
    identity: Who,
    q: Annotated[str, Query(max_length=256)] = "",
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """By the beginnings of words of the name and the company, and by number: its beginning or its last 7, 6 or 4
    digits. Without `q` all, by name. Parts of numbers are for who may see numbers; a number in full is for all."""
    need_whole(identity, Permission.CUSTOMERS)
    numbers = sees_numbers(identity)
    after = None if cursor is None else place_of(cursor, tuple[str, ...])
    if after is not None and len(after) != (3 if q.strip() else 2):
        raise Problem("BAD-CURSOR", "This cursor is of another question: begin with the first page.")
    found, following = await asked(
        house.ask(
            house.customers.search,
            identity.user.tenant,
            clean(q),
            after=after,
            limit=limit,
            numbers_too=numbers,
        )
    )
    items = [found_shown(customer, brief, numbers) for customer, brief in found]
    return {"items": items, "next": None if following is None else cursor_at(following)}


@router.get("/lookup", response_model=Lookup, responses=answers(*READ))
async def lookup(
    house: Here, identity: Who, number: Annotated[str, Query(max_length=64)] = ""
) -> dict[str, Any]:
    """Everybody who has this number: several are given as several. A withheld number is nobody's."""
    need_whole(identity, Permission.CUSTOMERS)
    tenant, number = identity.user.tenant, clean(number)
    briefs = await house.ask(house.customers.brief, tenant, number)
    items = [{**one.shown(), "number": None, "calls": one.calls, "ads": one.ads} for one in briefs]
    if items and sees_numbers(identity):
        for item, one in zip(items, await house.ask(house.customers.find, tenant, number), strict=False):
            phones = one.identities("phone")
            item["number"] = phones[0][1]["value"] if phones else None
    return {"items": items, "withheld": withheld(number)}


# --- custom fields ---


@router.get("/fields", response_model=FieldsBody, responses=answers(*READ))
async def fields(house: Here, identity: Who) -> dict[str, Any]:
    """The custom fields that were declared, in their order."""
    need(identity, Permission.CUSTOMERS, Permission.DESK, Permission.SETTINGS)
    return fields_shown(await house.ask(house.customers.declared, identity.user.tenant))


@router.put("/fields", response_model=FieldsBody, responses=answers(*SIGNED_IN, "NOT-ALLOWED"))
async def declare(request: Request, body: FieldsBody, house: Here, identity: Who) -> dict[str, Any]:
    """Declare the custom fields anew. Values of a field that is left out are kept, unseen, until it is back."""
    need_whole(identity, Permission.SETTINGS)
    wanted = [Declared(one.key, one.label, one.kind, tuple(one.choices)) for one in body.fields]
    made = await asked(house.ask(house.customers.declare, identity.user.tenant, wanted))
    after = {"fields": [one.key for one in made]}
    await note_down(request, house, identity, "customers.declared", identity.user.tenant, after)
    return fields_shown(made)


# --- one customer ---


@router.post("", status_code=201, response_model=CustomerShown, responses=answers(*WRITE, "TOO-MANY"))
async def add(
    request: Request, body: NewCustomer, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """A new customer: with a name, or a number or address at least."""
    need_whole(identity, Permission.CUSTOMERS)
    user = identity.user
    wanted = _plain(body)
    for one in body.identities:
        wanted[f"identity.{new_id()}"] = one.model_dump()

    async def work() -> tuple[int, Any]:
        made = await asked(
            house.ask(house.customers.add, user.tenant, body.kind, wanted, user.id, house.now())
        )
        await note_down(request, house, identity, "customer.made", made.id)
        return 201, await card(house, made, numbers=True)

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


@router.get("/{customer}", response_model=CustomerShown, responses=answers(*READ, "NOT-FOUND"))
async def one_customer(customer: str, house: Here, identity: Who) -> dict[str, Any]:
    """One customer. The id of a merged one gives the one that it was merged into."""
    found, numbers = await open_card(house, identity, customer)
    return await card(house, found, numbers)


@router.patch("/{customer}", response_model=CustomerShown, responses=answers(*WRITE, *RACES))
async def edit(
    request: Request,
    customer: str,
    body: Edit,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Change fields. What others changed since `version` stays, if it is another field; EDIT-RACE shows both values
    where it is the same one: send the chosen one with the `version` of the problem."""
    found, numbers = await open_card(house, identity, customer)
    wanted = _plain(body)
    for one in body.identities:
        name = f"identity.{one.id or new_id()}"
        have = found.doc.get(name) or {}
        if one.id is not None and not have:
            raise Problem("NOT-FOUND", "There is no such number or address of this customer.")
        sent = one.model_dump(exclude={"id"}, exclude_none=True)
        if have and not numbers and sent.get("kind", have["kind"]) != have["kind"]:
            raise Problem("BAD-INPUT", "identities: the kind of what you can't see can't be changed.")
        wanted[name] = {"kind": "phone", "value": "", "label": "", **have, **sent}
    wanted |= {f"identity.{one}": None for one in body.remove_identities}
    return await write_card(request, house, identity, key, mark, found, body.version, wanted, numbers)


def _plain(body: Fields) -> dict[str, Any]:
    sent = body.model_dump(exclude_unset=True)
    names = ("given", "middle", "family", "name", "language", "badges", "companies")
    wanted = {one: sent[one] for one in names if one in sent}
    if sent.get("consents"):
        wanted |= {f"consent.{one}": value for one, value in sent["consents"].items()}
    if sent.get("custom"):
        wanted |= {f"custom.{one}": value for one, value in sent["custom"].items()}
    return wanted


async def write_card(
    request: Request,
    house: House,
    identity: Identity,
    key: str | None,
    mark: bytes,
    found: Customer,
    version: int,
    wanted: dict[str, Any],
    numbers: bool,
    status: int = 200,
) -> Response:
    user = identity.user

    async def work() -> tuple[int, Any]:
        changing = house.ask(
            house.customers.change, user.tenant, found.id, version, wanted, user.id, house.now()
        )
        changed = await _raced(house, identity, changing, numbers)
        if changed.version != found.version:
            # A field's name carries ids, not values.
            await note_down(
                request, house, identity, "customer.changed", found.id, {"fields": sorted(wanted)}
            )
        return status, await card(house, changed, numbers)

    code, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, code)


async def _raced(house: House, identity: Identity, awaited: Awaitable[T], numbers: bool) -> T:
    try:
        return await asked(awaited, numbers)
    except Problem as problem:
        if problem.code == "EDIT-RACE":
            names = await names_of(house, identity.user.tenant)
            for one in problem.more["conflicts"]:
                one["by"] = names.get(one["by"], one["by"])
                one["yours"] = with_names(one["yours"], names)
                one["theirs"] = with_names(one["theirs"], names)
        raise


@router.delete(
    "/{customer}",
    response_model=ErasedShown,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "NOT-FOUND", "MERGED"),
)
async def erase(
    request: Request,
    customer: str,
    house: Here,
    identity: Who,
    recordings: Annotated[bool, Query()] = True,
) -> dict[str, Any]:
    """Forget everything personal, for good (GDPR, art. 17): card, history, notes, numbers of contacts, recordings.

    Contacts keep their figures. For who has the whole tenant and may see numbers. `recordings=false` keeps the sound.
    """
    need_whole(identity, Permission.CUSTOMERS)
    need_whole(identity, Permission.NUMBERS)
    name = clean(customer)
    tenant = identity.user.tenant
    if await house.ask(house.customers.get, tenant, name) is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    # First into the trail: an erasure that nobody ordered must not be possible, an order that failed may be.
    await note_down(request, house, identity, "customer.erased", name, {"recordings": recordings})
    erased = await asked(house.ask_long(house.customers.erase, tenant, name, recordings=recordings))
    return {one: getattr(erased, one) for one in ErasedShown.model_fields}


# --- timeline, history, undo, merge ---


@router.get(
    "/{customer}/timeline", response_model=Timeline, responses=answers(*READ, "NOT-FOUND", "BAD-CURSOR")
)
async def timeline(
    customer: str,
    house: Here,
    identity: Who,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Contacts of the customer that I may see, and free notes, newest first; running ones too, a second behind."""
    found, numbers = await open_card(house, identity, customer)
    before = None if cursor is None else place_of(cursor, tuple[float, str])
    sight = Sight(house, identity.user)
    where = ("1", []) if whole(identity) else sight.where()
    rows, records, notes = await asked(
        house.ask(house.customers.timeline, found.tenant, found.id, where, before=before, limit=limit + 1)
    )
    names = await names_of(house, found.tenant)

    def shown(row: Row) -> dict[str, Any]:
        if row.note is not None:
            note = [note_shown(row.note, names)]
            return {"kind": "note", "id": row.id, "at": round(row.at, 3), "contact": None, "notes": note}
        record, address = records[row.id]
        contact = sight.row(record, address)
        if not numbers and record.direction != "internal":
            contact["from" if record.direction == "inbound" else "to"] = None
        contact.setdefault("disposition", getattr(record, "disposition", None))
        return {
            "kind": "contact",
            "id": row.id,
            "at": round(row.at, 3),
            "contact": contact,
            "notes": [note_shown(one, names) for one in notes.get(row.id, [])],
        }

    shown_rows = [shown(row) for row in rows[:limit] if row.note is not None or row.id in records]
    following = cursor_at((rows[limit - 1].at, rows[limit - 1].id)) if len(rows) > limit else None
    return Response(
        msgspec.json.encode({"items": shown_rows, "next": following}), media_type="application/json"
    )


@router.get(
    "/{customer}/history", response_model=HistoryPage, responses=answers(*READ, "NOT-FOUND", "BAD-CURSOR")
)
async def history(
    customer: str,
    house: Here,
    identity: Who,
    cursor: NumberCursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """What was changed, newest first: who, when, before and after. `id` is what `undo` takes."""
    found, numbers = await open_card(house, identity, customer)
    before = number_of(cursor)
    changes = await asked(
        house.ask(house.customers.history, found.tenant, found.id, before=before, limit=limit + 1)
    )
    names = await names_of(house, found.tenant)
    items = [change_shown(one, names, numbers) for one in changes[:limit]]
    return {"items": items, "next": str(changes[limit - 1].id) if len(changes) > limit else None}


@router.post("/{customer}/undo", response_model=CustomerShown, responses=answers(*WRITE, *RACES, "NO-UNDO"))
async def undo(
    request: Request,
    customer: str,
    body: Undo,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """Take one change of the history back; of a merge, part the two again. EDIT-RACE when it was changed since."""
    found, numbers = await open_card(house, identity, customer)
    user = identity.user

    async def work() -> tuple[int, Any]:
        undoing = house.ask(house.customers.undo, user.tenant, found.id, body.change, user.id, house.now())
        changed = await _raced(house, identity, undoing, numbers)
        await note_down(request, house, identity, "customer.undone", found.id, {"change": body.change})
        return 200, await card(house, changed, numbers)

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


@router.post("/{customer}/merge", response_model=CustomerShown, responses=answers(*WRITE, *RACES))
async def merge(
    request: Request,
    customer: str,
    body: Merge,
    house: Here,
    identity: Who,
    mark: Fingerprint,
    key: Key = None,
) -> Response:
    """`other` is the same one: everything of it comes here. `undo` of the change `merge` parts them again.

    For who may see the numbers of both: they show whether it is the same one, and stand in one card then.
    """
    need_whole(identity, Permission.CUSTOMERS)
    found, numbers = await open_card(house, identity, customer)
    _, of_other = await open_card(house, identity, body.other)
    if not (numbers and of_other):
        raise Problem(
            "NOT-ALLOWED", "To merge two you must be able to see the numbers of both: ask a supervisor."
        )
    user = identity.user

    async def work() -> tuple[int, Any]:
        merged = await asked(
            house.ask(house.customers.merge, user.tenant, found.id, clean(body.other), user.id, house.now())
        )
        await note_down(request, house, identity, "customer.merged", found.id, {"other": clean(body.other)})
        return 200, await card(house, merged, numbers)

    status, answer = await house.once(identity, key, mark, work)
    return JSONResponse(answer, status)


@router.post(
    "/{customer}/contacts", status_code=204, responses=answers(*SIGNED_IN, *READ, "NOT-FOUND", "MERGED")
)
async def tie(request: Request, customer: str, body: Tie, house: Here, identity: Who) -> Response:
    """This contact was with this customer, whatever number it came from: chosen of several, or number withheld."""
    found, _ = await open_card(house, identity, customer)
    user, contact = identity.user, clean(body.contact)
    if not await may_tie(house, identity, contact):
        raise Problem("NOT-FOUND", NOT_FOUND)
    await asked(house.ask(house.customers.tie, user.tenant, found.id, contact, user.id, house.now()))
    await note_down(request, house, identity, "customer.tied", found.id, {"contact": contact})
    return Response(status_code=204)


async def may_tie(house: House, identity: Identity, contact: str) -> bool:
    """Whether the contact is the user's own, or one whose record they may see."""
    user = identity.user
    agent = house.centre(user.tenant).agents.get(user.agent or "")
    present = {*agent.calls, *agent.offers.values(), agent.wrap} if agent is not None else set()
    if contact in present and holds(user, Permission.DESK):
        return True
    where, values = Sight(house, user).where()
    rows = await house.ask(
        house.rows,
        f"SELECT 1 FROM records r WHERE r.tenant = ? AND r.id = ? AND {where} LIMIT 1",
        [user.tenant, contact, *values],
    )
    return bool(rows)
