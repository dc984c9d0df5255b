"""The administrator's users: list, make, change, block, help in again."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from centrala.people import Identity, Permission, Role, Scope
from centrala.people.directory import KEEP, Card
from centrala.people.passwords import temporary
from centrala.web.guard import Fingerprint, Here, Key, Who, address_of, need_session, need_whole
from centrala.web.house import House
from centrala.web.problems import NOT_FOUND, Problem, answers
from centrala.web.routes.people import SIGNED_IN, Body

router = APIRouter(prefix="/admin/users")

Name = Annotated[str, Field(min_length=1, max_length=64)]
Roles = Annotated[
    list[Annotated[Role, Field(strict=False)]],  # JSON has no enums
    Field(min_length=1, max_length=len(Role)),
]
Scopes = Annotated[
    list[Annotated[str, Field(max_length=80, pattern=r"^(tenant|(client|team|queue):[^\x00-\x20]+)$")]],
    Field(min_length=1, max_length=100),
]
AgentId = Annotated[str, Field(min_length=1, max_length=64)]

RIGHTS = (*SIGNED_IN, "NOT-ALLOWED")
WRITES = (*RIGHTS, "SESSION-NEEDED")


class NewUser(Body):
    name: Name
    roles: Roles
    scopes: Scopes = Field(default=["tenant"])
    agent: AgentId | None = None
    "The agent this person acts as."
    password: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    "Left out, a temporary one is made and told in the answer."


class Change(Body):
    """What is left out stays. `agent` null takes it away."""

    roles: Roles | None = None
    scopes: Scopes | None = None
    agent: AgentId | None = None
    active: bool | None = None
    "False blocks: every session ends, tokens stop working."
    changed_at: float | None = None
    "As the list showed it: whoever changed the user meanwhile is not overwritten (EDIT-RACE)."


class Reset(Body):
    second_factors: bool = False
    "Takes authenticator and passkeys away too."
    keep_tokens: bool = False
    "Programs go on with the tokens that were made; else they stop working."


class UserShown(BaseModel):
    id: str
    name: str
    roles: list[str]
    scopes: list[str]
    agent: str | None
    active: bool
    must_change: bool
    "The password is a temporary one."
    totp: bool
    passkeys: int
    sessions: int
    seen_at: float | None
    changed_at: float


class Users(BaseModel):
    items: list[UserShown]


class UserMade(UserShown):
    password: str | None
    "The temporary one, shown this once."


class Temporary(BaseModel):
    password: str
    "To be changed at the first sign-in; shown this once."
    tokens_ended: int
    "Tokens of programs that stopped working."


class SignInLink(BaseModel):
    secret: str
    "For `POST /session/link`, or the page `/link#SECRET`; good for ten minutes, and once."


def _shown(card: Card) -> dict[str, Any]:
    user = card.user
    return {
        "id": user.id,
        "name": user.name,
        "roles": sorted(user.roles),
        "scopes": sorted(map(str, user.scopes)),
        "agent": user.agent,
        "active": user.active,
        "must_change": user.must_change,
        "totp": card.totp,
        "passkeys": card.passkeys,
        "sessions": card.sessions,
        "seen_at": None if card.seen_at is None else round(card.seen_at, 3),
        "changed_at": card.changed_at,
    }


async def _card(house: House, identity: Identity, id: str) -> Card:
    card = await house.ask(house.people.card, identity.user.tenant, id, house.now())
    if card is None:
        raise Problem("NOT-FOUND", NOT_FOUND)
    return card


def _administrator(identity: Identity) -> None:
    need_whole(identity, Permission.USERS)
    need_session(identity)


def _places(
    house: House, identity: Identity, scopes: list[str] | None, agent: str | None
) -> list[Scope] | None:
    """The scopes, all of which exist, as does the agent. Raises Problem BAD-INPUT."""
    tenant = house.settings.tenants[identity.user.tenant]
    if agent is not None and agent not in tenant.agents:
        raise Problem("BAD-INPUT", "There is no such agent: see the centre's settings.")
    there: dict[str, Collection[str]] = {
        "client": tenant.clients,
        "team": tenant.teams,
        "queue": tenant.queues,
    }
    read = None if scopes is None else [Scope.read(one) for one in scopes]
    for scope in read or ():
        if scope.kind != "tenant" and scope.name not in there[scope.kind]:
            raise Problem("BAD-INPUT", "One of the scopes names what isn't there: see the centre's settings.")
    return read


@router.get("", response_model=Users, responses=answers(*RIGHTS))
async def users(house: Here, identity: Who) -> dict[str, Any]:
    """Everybody who may sign in, by name."""
    need_whole(identity, Permission.USERS)
    cards = await house.ask(house.people.cards, identity.user.tenant, house.now())
    return {"items": [_shown(one) for one in cards]}


@router.post(
    "",
    status_code=201,
    response_model=UserMade,
    responses=answers(*WRITES, "NAME-TAKEN", "PASSWORD-WEAK", "KEY-REUSED", "BUSY"),
)
async def make(
    request: Request, body: NewUser, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """Make a user."""
    _administrator(identity)
    scopes = _places(house, identity, body.scopes, body.agent)

    async def work() -> tuple[int, Any]:
        password = body.password or temporary()
        user = await house.ask_hashing(
            house.people.add,
            identity.user.tenant,
            body.name,
            password,
            body.roles,
            house.now(),
            scopes=scopes or (),
            agent=body.agent,
            must_change=body.password is None,
            actor=identity.user.id,
            address=address_of(request),
        )
        card = await _card(house, identity, user.id)
        return 201, {**_shown(card), "password": None if body.password else password}

    status, made = await house.once(identity, key, mark, work)
    return JSONResponse(made, status)


@router.patch(
    "/{user}",
    response_model=UserShown,
    responses=answers(*WRITES, "NOT-FOUND", "EDIT-RACE", "LAST-ADMINISTRATOR"),
)
async def change(request: Request, user: str, body: Change, house: Here, identity: Who) -> dict[str, Any]:
    """Change roles, scopes, agent; block or let in again."""
    _administrator(identity)
    given = body.model_fields_set
    card = await _card(house, identity, user)
    scopes = _places(house, identity, body.scopes, body.agent)
    if body.changed_at is not None and body.changed_at != card.changed_at:
        now = _shown(card)
        asked = body.model_dump(mode="json")
        raise Problem(
            "EDIT-RACE",
            "Somebody else changed this user meanwhile: look, and choose.",
            {
                "conflicts": [
                    {
                        "field": name,
                        "yours": asked[name],
                        "theirs": now[name],
                        "by": None,
                        "at": card.changed_at,
                    }
                    for name in ("roles", "scopes", "agent", "active")
                    if name in given and asked[name] is not None and asked[name] != now[name]
                ]
            },
        )
    await house.ask(
        house.people.change,
        card.user,
        house.now(),
        roles=body.roles,
        scopes=scopes,
        agent=body.agent if "agent" in given else KEEP,
        active=body.active,
        actor=identity.user.id,
        address=address_of(request),
    )
    return _shown(await _card(house, identity, user))


@router.post(
    "/{user}/password", response_model=Temporary, responses=answers(*WRITES, "NOT-FOUND", "IN-USE", "BUSY")
)
async def reset(request: Request, user: str, body: Reset, house: Here, identity: Who) -> dict[str, Any]:
    """A temporary password for who forgot theirs; every session of theirs ends, and their tokens stop working."""
    _administrator(identity)
    card = await _card(house, identity, user)
    if card.user.id == identity.user.id:
        raise Problem("IN-USE", "This is your own password: change it under your own name.")
    by: Any = {"actor": identity.user.id, "address": address_of(request)}
    password, ended = await house.ask_hashing(
        house.people.temporary_password,
        card.user,
        house.now(),
        end_tokens=not body.keep_tokens,
        **by,
    )
    if body.second_factors:
        await house.ask(house.people.take_second_factors, card.user, house.now(), **by)
    return {"password": password, "tokens_ended": ended}


@router.post("/{user}/sign-out", response_model=UserShown, responses=answers(*WRITES, "NOT-FOUND"))
async def end_sessions(request: Request, user: str, house: Here, identity: Who) -> dict[str, Any]:
    """End every session of the user, one's own excepted."""
    _administrator(identity)
    card = await _card(house, identity, user)
    await house.ask(
        house.people.end_sessions,
        card.user,
        house.now(),
        keep=identity.key,
        actor=identity.user.id,
        address=address_of(request),
    )
    return _shown(await _card(house, identity, user))


@router.post(
    "/{user}/link",
    status_code=201,
    response_model=SignInLink,
    responses=answers(*WRITES, "NOT-FOUND", "IN-USE"),
)
async def link(request: Request, user: str, house: Here, identity: Who) -> dict[str, Any]:
    """A link that signs the user in, once, within ten minutes."""
    _administrator(identity)
    card = await _card(house, identity, user)
    if not card.user.active:
        raise Problem("IN-USE", "This user is blocked: let them in again first.")
    secret = await house.ask(
        house.people.link, card.user, house.now(), actor=identity.user.id, address=address_of(request)
    )
    return {"secret": secret}
