"""Sign-up, sign-in, who am I, one's password and authenticator, tokens, the audit trail."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from centrala.people import Permission, User
from centrala.people.tokens import Identity, Token
from centrala.web.guard import (
    Fingerprint,
    Here,
    Key,
    Who,
    address_of,
    from_here,
    give_cookie,
    need,
    need_session,
    take_cookie,
)
from centrala.web.house import House
from centrala.web.inputs import NumberCursor, number_of
from centrala.web.problems import NOT_FOUND, Problem, answers

router = APIRouter()

SIGNED_IN = ("SIGNED-OUT", "CROSS-SITE")


FRESH = 300.0
"Seconds after signing in for which nobody is asked for the password again."


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Name = Annotated[str, Field(min_length=1, max_length=256)]
Password = Annotated[str, Field(min_length=1, max_length=256)]


Credential = Annotated[dict[str, Any], Field(max_length=16)]


class SignUp(Body):
    code: Annotated[str, Field(min_length=1, max_length=256)]
    "The single-use code that `centrala serve` printed."
    name: Name
    password: Password


class SignIn(Body):
    tenant: Annotated[str, Field(max_length=256)] | None = None
    "May be left out where the centre has one tenant."
    name: Name
    password: Password
    code: Annotated[str, Field(max_length=16)] = ""
    "Of the authenticator, where one was set up."


class NewPassword(Body):
    old: Annotated[str, Field(max_length=256)] = ""
    "Not needed in the place of a temporary one (`must_change`): who came by a link never had it."
    new: Password

    end_tokens: bool = False
    "Tokens of one's programs stop working too."


class Code(Body):
    code: Annotated[str, Field(min_length=1, max_length=16)]


class PasswordAgain(Body):
    password: Password


class Proof(Body):
    password: Annotated[str, Field(max_length=256)] = ""
    "Not needed within five minutes of signing in."


class NewToken(Body):
    label: Annotated[str, Field(min_length=1, max_length=80)]
    permissions: Annotated[list[str], Field(max_length=32)] | None = None
    "A subset of one's own; left out, all of them."
    days: Annotated[int, Field(ge=1, le=3650)] | None = None


class Me(BaseModel):
    id: str
    tenant: str
    name: str
    roles: list[str]
    scopes: list[str]
    permissions: list[str]
    agent: str | None
    must_change: bool
    "The password is a temporary one: until it is changed, nothing else can be done."
    via: str
    "session or token"
    ends_at: float | None
    "Unix seconds; null for a token without an end."


class Link(Body):
    secret: Annotated[str, Field(min_length=1, max_length=256)]


class PasskeyTry(Body):
    credential: Credential
    "What `navigator.credentials.get` gave, as JSON (`PublicKeyCredential.toJSON()`)."


class NewPasskey(Body):
    credential: Credential
    "What `navigator.credentials.create` gave, as JSON (`PublicKeyCredential.toJSON()`)."
    label: Annotated[str, Field(min_length=1, max_length=80)]


class PasskeyShown(BaseModel):
    id: str
    label: str
    made_at: float
    used_at: float | None


class PasskeysShown(BaseModel):
    items: list[PasskeyShown]


class OwnSession(BaseModel):
    here: bool
    "The one that asks."
    made_at: float
    seen_at: float
    address: str


class Security(BaseModel):
    totp: bool
    "Whether sign-in asks for a code of an authenticator."
    passkeys: int
    sessions: list[OwnSession]
    "The last seen first."


class TokenShown(BaseModel):
    id: str
    label: str
    permissions: list[str] | None
    made_at: float
    expires_at: float | None


class TokenMade(TokenShown):
    secret: str
    "Shown this once: `Authorization: Bearer SECRET`."


class Tokens(BaseModel):
    items: list[TokenShown]


class Totp(BaseModel):
    secret: str
    uri: str
    "otpauth: for a QR code."


class TrailEntry(BaseModel):
    id: int
    at: float
    actor: str
    action: str
    subject: str
    before: Any
    after: Any
    address: str


class Trail(BaseModel):
    items: list[TrailEntry]
    next: str | None
    "Cursor of the next page; null at the end."


def me(user: User, via: str, ends_at: float) -> Me:
    return Me(
        id=user.id,
        tenant=user.tenant,
        name=user.name,
        roles=sorted(user.roles),
        scopes=sorted(map(str, user.scopes)),
        permissions=sorted(user.permissions),
        agent=user.agent,
        must_change=user.must_change,
        via=via,
        ends_at=None if ends_at == float("inf") else round(ends_at, 3),
    )


@router.post(
    "/sign-up",
    status_code=201,
    response_model=Me,
    responses=answers("CODE-WRONG", "PASSWORD-WEAK", "NAME-TAKEN", "SIGN-IN-SLOW", "CROSS-SITE", "BUSY"),
)
async def sign_up(request: Request, body: SignUp, house: Here) -> Response:
    """The first user of a tenant, by the code that `centrala serve` printed: administrator and supervisor."""
    from_here(request)
    address = address_of(request)
    user = await house.ask_hashing(
        house.people.sign_up, body.code, body.name, body.password, house.now(), address
    )
    return await _begin(request, house, user.tenant, user.name, body.password, "", 201)


@router.post(
    "/session",
    response_model=Me,
    responses=answers("SIGN-IN-WRONG", "CODE-NEEDED", "SIGN-IN-SLOW", "CROSS-SITE", "BUSY"),
)
async def sign_in(request: Request, body: SignIn, house: Here) -> Response:
    """Sign in: the answer sets the cookie of a session."""
    from_here(request)
    tenants = house.settings.tenants
    tenant = body.tenant
    if tenant is None:
        tenant = next(iter(tenants)) if len(tenants) == 1 else ""
    return await _begin(request, house, tenant, body.name, body.password, body.code, 200)


async def _begin(
    request: Request, house: House, tenant: str, name: str, password: str, code: str, status: int
) -> Response:
    secret, user = await house.ask_hashing(
        house.people.sign_in, tenant, name, password, code, house.now(), address_of(request)
    )
    return await _entered(request, house, secret, user, status)


async def _entered(request: Request, house: House, secret: str, user: User, status: int = 200) -> Response:
    begun = await house.ask(house.people.session, secret, house.now())
    if begun is None or user.tenant not in house.settings.tenants:  # the first: signed out in the same moment
        raise Problem("SIGNED-OUT", "The session is over already.")
    answer = JSONResponse(me(user, "session", begun.ends_at).model_dump(), status)
    give_cookie(request, answer, secret)
    return answer


@router.post(
    "/session/link", response_model=Me, responses=answers("SIGN-IN-WRONG", "SIGN-IN-SLOW", "CROSS-SITE")
)
async def sign_in_by_link(request: Request, body: Link, house: Here) -> Response:
    """Sign in with the secret of a link: good for ten minutes, and once."""
    from_here(request)
    secret, user = await house.ask(
        house.people.sign_in_by_link, body.secret, house.now(), address_of(request)
    )
    return await _entered(request, house, secret, user)


@router.post("/session/passkey/begin", response_model=dict[str, Any], responses=answers("CROSS-SITE"))
async def ask_passkey(request: Request, house: Here) -> dict[str, Any]:
    """The `publicKey` for `navigator.credentials.get`."""
    from_here(request)
    return await house.ask(house.people.passkey_ask, _host(request), house.now())


@router.post(
    "/session/passkey", response_model=Me, responses=answers("SIGN-IN-WRONG", "SIGN-IN-SLOW", "CROSS-SITE")
)
async def sign_in_by_passkey(request: Request, body: PasskeyTry, house: Here) -> Response:
    """Sign in with a passkey, in place of name, password and code."""
    from_here(request)
    secret, user = await house.ask(
        house.people.sign_in_by_passkey,
        body.credential,
        _host(request),
        _origin(request),
        house.now(),
        address_of(request),
    )
    return await _entered(request, house, secret, user)


def _host(request: Request) -> str:
    return request.url.hostname or ""


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


@router.delete("/session", status_code=204, responses=answers(*SIGNED_IN, "SESSION-NEEDED"))
async def sign_out(request: Request, house: Here, identity: Who) -> Response:
    """Sign this browser out. The agent's state stays as it is: calls may still go to their phone."""
    need_session(identity)
    await house.ask(house.people.sign_out, identity, house.now(), address_of(request))
    answer = Response(status_code=204)
    take_cookie(request, answer)
    return answer


@router.get("/me", response_model=Me, responses=answers("SIGNED-OUT"))
async def who_am_i(identity: Who) -> Me:
    return me(identity.user, identity.via, identity.ends_at)


@router.put(
    "/me/password",
    status_code=204,
    responses=answers(
        *SIGNED_IN, "SESSION-NEEDED", "PASSWORD-WRONG", "PASSWORD-WEAK", "SIGN-IN-SLOW", "BUSY"
    ),
)
async def change_password(request: Request, body: NewPassword, house: Here, identity: Who) -> Response:
    """A new password for oneself; all other sessions end."""
    need_session(identity)
    user, now = identity.user, house.now()
    if not user.must_change:
        await house.ask_hashing(house.people.check_password, user, body.old, now)
    await house.ask_hashing(
        house.people.set_password,
        user,
        body.new,
        now,
        keep=identity.key,
        end_tokens=body.end_tokens,
        actor=user.id,
        address=address_of(request),
    )
    return Response(status_code=204)


@router.get("/me/security", response_model=Security, responses=answers("SIGNED-OUT", "SESSION-NEEDED"))
async def security(house: Here, identity: Who) -> Security:
    """How one's own account is guarded, and where one is signed in."""
    need_session(identity)
    user, now = identity.user, house.now()
    card = await house.ask(house.people.card, user.tenant, user.id, now)
    sessions = await house.ask(house.people.sessions, user, now)
    return Security(
        totp=card is not None and card.totp,
        passkeys=0 if card is None else card.passkeys,
        sessions=[
            OwnSession(
                here=one.key == identity.key,
                made_at=round(one.made_at, 3),
                seen_at=round(one.seen_at, 3),
                address=one.address,
            )
            for one in sessions
        ],
    )


@router.post("/me/sessions/end-others", status_code=204, responses=answers(*SIGNED_IN, "SESSION-NEEDED"))
async def end_other_sessions(request: Request, house: Here, identity: Who) -> Response:
    """Sign oneself out everywhere else; unused sign-in links stop working."""
    need_session(identity)
    await house.ask(
        house.people.end_sessions,
        identity.user,
        house.now(),
        keep=identity.key,
        actor=identity.user.id,
        address=address_of(request),
    )
    return Response(status_code=204)


@router.post("/me/totp", response_model=Totp, responses=answers(*SIGNED_IN, "SESSION-NEEDED", "IN-USE"))
async def begin_totp(request: Request, house: Here, identity: Who) -> Totp:
    """A new secret for an authenticator; counts from `PUT /me/totp` on."""
    need_session(identity)
    secret, uri = await house.ask(house.people.totp_begin, identity.user, house.now(), address_of(request))
    return Totp(secret=secret, uri=uri)


@router.put("/me/totp", status_code=204, responses=answers(*SIGNED_IN, "SESSION-NEEDED", "CODE-WRONG"))
async def confirm_totp(request: Request, body: Code, house: Here, identity: Who) -> Response:
    need_session(identity)
    await house.ask(house.people.totp_confirm, identity.user, body.code, house.now(), address_of(request))
    return Response(status_code=204)


@router.post(
    "/me/totp/remove",
    status_code=204,
    responses=answers(*SIGNED_IN, "SESSION-NEEDED", "PASSWORD-WRONG", "SIGN-IN-SLOW", "BUSY"),
)
async def remove_totp(request: Request, body: PasswordAgain, house: Here, identity: Who) -> Response:
    need_session(identity)
    user = identity.user
    await house.ask_hashing(house.people.check_password, user, body.password, house.now())
    await house.ask(house.people.totp_remove, user, house.now(), actor=user.id, address=address_of(request))
    return Response(status_code=204)


# --- passkeys ---


@router.get("/me/passkeys", response_model=PasskeysShown, responses=answers("SIGNED-OUT"))
async def passkeys(house: Here, identity: Who) -> dict[str, Any]:
    """One's own."""
    found = await house.ask(house.people.passkeys, identity.user)
    return {"items": [{name: getattr(one, name) for name in PasskeyShown.model_fields} for one in found]}


@router.post(
    "/me/passkeys/begin",
    response_model=dict[str, Any],
    responses=answers(
        *SIGNED_IN, "SESSION-NEEDED", "TOO-MANY", "PASSWORD-NEEDED", "PASSWORD-WRONG", "SIGN-IN-SLOW", "BUSY"
    ),
)
async def begin_passkey(
    request: Request, house: Here, identity: Who, body: Proof | None = None
) -> dict[str, Any]:
    """The `publicKey` for `navigator.credentials.create`. A passkey opens the account for good: whoever finds a page
    open must say the password first."""
    need_session(identity)
    user = identity.user
    if not 0 <= house.now() - identity.began_at < FRESH:
        if body is None or not body.password:
            raise Problem("PASSWORD-NEEDED", "Say your password first: you signed in a while ago.")
        await house.ask_hashing(house.people.check_password, user, body.password, house.now())
    tenant = house.settings.tenants[user.tenant]
    return await house.ask(
        house.people.passkey_begin, user, tenant.name or tenant.id, _host(request), house.now()
    )


@router.post(
    "/me/passkeys",
    status_code=201,
    response_model=PasskeyShown,
    responses=answers(*SIGNED_IN, "SESSION-NEEDED", "CODE-WRONG", "NAME-TAKEN"),
)
async def add_passkey(request: Request, body: NewPasskey, house: Here, identity: Who) -> Response:
    need_session(identity)
    made = await house.ask(
        house.people.passkey_add,
        identity.user,
        body.credential,
        body.label,
        _host(request),
        _origin(request),
        house.now(),
        address_of(request),
    )
    return JSONResponse({name: getattr(made, name) for name in PasskeyShown.model_fields}, 201)


@router.delete(
    "/me/passkeys/{passkey}",
    status_code=204,
    responses=answers(*SIGNED_IN, "SESSION-NEEDED", "NOT-FOUND"),
)
async def remove_passkey(request: Request, passkey: str, house: Here, identity: Who) -> Response:
    need_session(identity)
    if not await house.ask(
        house.people.passkey_remove, identity.user, passkey, house.now(), address_of(request)
    ):
        raise Problem("NOT-FOUND", NOT_FOUND)
    return Response(status_code=204)


# --- tokens ---


def _token(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "label": token.label,
        "permissions": None if token.permissions is None else sorted(token.permissions),
        "made_at": round(token.made_at, 3),
        "expires_at": None if token.expires_at is None else round(token.expires_at, 3),
    }


@router.get("/tokens", response_model=Tokens, responses=answers(*SIGNED_IN, "NOT-ALLOWED"))
async def tokens(house: Here, identity: Who) -> dict[str, Any]:
    """One's own tokens, without their secrets."""
    need(identity, Permission.TOKENS)
    return {"items": [_token(one) for one in await house.ask(house.people.tokens, identity.user)]}


@router.post(
    "/tokens",
    status_code=201,
    response_model=TokenMade,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "SESSION-NEEDED", "TOO-MANY", "KEY-REUSED"),
)
async def make_token(
    request: Request, body: NewToken, house: Here, identity: Who, mark: Fingerprint, key: Key = None
) -> Response:
    """A token for a program, which acts as the one who makes it, or with less."""
    need(identity, Permission.TOKENS)
    need_session(identity)
    permissions = _permissions(identity, body.permissions)

    async def make() -> tuple[int, Any]:
        now = house.now()
        expires_at = None if body.days is None else now + body.days * 86400.0
        token, secret = await house.ask(
            house.people.new_token,
            identity.user,
            body.label,
            permissions,
            expires_at,
            now,
            address_of(request),
        )
        return 201, {**_token(token), "secret": secret}

    status, made = await house.once(identity, key, mark, make)
    return JSONResponse(made, status)


def _permissions(identity: Identity, names: list[str] | None) -> list[Permission] | None:
    if names is None:
        return None
    try:
        return [Permission(one) for one in names]
    except ValueError:
        raise Problem("BAD-INPUT", "One of the permissions is unknown.") from None


@router.delete(
    "/tokens/{token}",
    status_code=204,
    responses=answers(*SIGNED_IN, "NOT-ALLOWED", "SESSION-NEEDED", "NOT-FOUND"),
)
async def drop_token(request: Request, token: str, house: Here, identity: Who) -> Response:
    need(identity, Permission.TOKENS)
    need_session(identity)
    if not await house.ask(house.people.drop_token, identity.user, token, house.now(), address_of(request)):
        raise Problem("NOT-FOUND", NOT_FOUND)
    return Response(status_code=204)


# --- the trail ---


@router.get("/audit", response_model=Trail, responses=answers(*SIGNED_IN, "NOT-ALLOWED", "BAD-CURSOR"))
async def audit(
    house: Here,
    identity: Who,
    cursor: NumberCursor = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """What people changed and listened to in this tenant, newest first."""
    need(identity, Permission.AUDIT)
    if not identity.user.whole_tenant:
        raise Problem("NOT-ALLOWED", "The trail is for who has the whole tenant.")
    before = number_of(cursor)
    entries = await house.ask(house.people.trail, identity.user.tenant, before=before, limit=limit + 1)
    more = len(entries) > limit
    items = [{name: getattr(one, name) for name in TrailEntry.model_fields} for one in entries[:limit]]
    return {"items": items, "next": str(entries[limit - 1].id) if more else None}
