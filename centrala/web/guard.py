"""Who asks, and whether the question may come from there: sessions by cookie, programs by token, no foreign pages."""

import hashlib
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from centrala.ledger import LedgerUnavailable
from centrala.people import Identity, Permission, holds
from centrala.people.store import ABSOLUTE
from centrala.web.house import House
from centrala.web.problems import Problem, response

Network = IPv4Network | IPv6Network

MAX_BODY = 64 * 1024
SAFE = ("GET", "HEAD", "OPTIONS")
OUR_HEADER = "x-centrala"
"A page of another origin can't send it without asking us first, and we never say yes."


WITH_TEMPORARY = ("/me", "/me/password", "/session")
"What a session serves for while the password is a temporary one."
MAX_UPLOAD = 20 * 1024 * 1024
UPLOADS = ("/api/v1/admin/sounds",)
"Routes whose body is a file."
MAX_FLOW = 4 * 1024 * 1024
FLOWS = "/api/v1/flows"
"Below it bodies are whole flows."


def house_of(connection: HTTPConnection) -> House:
    return cast(House, connection.app.state.house)


def address_of(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client is not None else "unknown"


def _secure(connection: HTTPConnection) -> bool:
    return connection.scope["scheme"] in ("https", "wss")


def cookie_name(connection: HTTPConnection) -> str:
    # RFC 6265bis 4.1.3.2: only this very host can have set a __Host- cookie, and only under TLS.
    return "__Host-centrala" if _secure(connection) else "centrala"


def give_cookie(request: Request, answer: Response, secret: str) -> None:
    answer.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(ABSOLUTE),
        path="/",
        secure=_secure(request),
        httponly=True,
        samesite="strict",
    )


def take_cookie(request: Request, answer: Response) -> None:
    answer.delete_cookie(
        cookie_name(request), path="/", secure=_secure(request), httponly=True, samesite="strict"
    )


def same_site(connection: HTTPConnection, *, origin_needed: bool = False) -> bool:
    """Whether a browser says that a page of ours asks, or no browser asks."""
    headers = connection.headers
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return not origin_needed
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    except ValueError:
        return False


async def identify(connection: HTTPConnection) -> Identity | None:
    """By token if one is given, else by cookie. A token that is wrong isn't made good by a cookie."""
    house = house_of(connection)
    authorization = connection.headers.get("authorization")
    if authorization is not None:
        kind, _, secret = authorization.partition(" ")
        if kind.lower() != "bearer":
            return None
        return await house.ask(house.people.token, secret.strip(), house.now())
    secret = connection.cookies.get(cookie_name(connection), "")
    found = await house.ask(house.people.session, secret, house.now()) if secret else None
    if found is not None and connection.scope["type"] == "websocket" and _must_change(found):
        return None
    return found


async def identify_again(connection: HTTPConnection, known: Identity) -> Identity | None:
    """Who a socket that stays open belongs to now. Nobody has signed out because the disk is busy."""
    try:
        return await identify(connection)
    except LedgerUnavailable:
        return known


def from_here(request: Request) -> None:
    """For what changes something: not for pages of other sites. Programs with a token are no pages."""
    if request.method in SAFE or "authorization" in request.headers:
        return
    if OUR_HEADER not in request.headers or not same_site(request):
        raise Problem(
            "CROSS-SITE",
            "This request doesn't come from a page of this centre: send the header X-Centrala: 1.",
        )


async def who(request: Request) -> Identity:
    """The dependency of every route for people and programs. Raises Problem SIGNED-OUT, CROSS-SITE."""
    from_here(request)
    found = await identify(request)
    if found is None or found.user.tenant not in house_of(request).settings.tenants:
        raise Problem("SIGNED-OUT", "Nobody is signed in here, or the session is over.")
    if _must_change(found) and request.url.path.removeprefix("/api/v1") not in WITH_TEMPORARY:
        raise Problem("PASSWORD-TEMPORARY", "This password is a temporary one: choose your own first.")
    return found


def _must_change(identity: Identity) -> bool:
    return identity.via == "session" and identity.user.must_change


def need(identity: Identity, *permissions: Permission) -> None:
    """Raises Problem NOT-ALLOWED unless the user holds one of these anywhere."""
    if not any(holds(identity.user, one) for one in permissions):
        raise Problem("NOT-ALLOWED", "Your roles don't allow this.")


def need_whole(identity: Identity, permission: Permission) -> None:
    """For what concerns the whole house. Raises Problem NOT-ALLOWED."""
    need(identity, permission)
    if not identity.user.whole_tenant:
        raise Problem("NOT-ALLOWED", "This is for who has the whole tenant.")


def need_session(identity: Identity) -> None:
    """For what a program must not do with a token that leaked: Raises Problem SESSION-NEEDED."""
    if identity.via != "session":
        raise Problem("SESSION-NEEDED", "Only a person who is signed in can do this.")


Here = Annotated[House, Depends(house_of)]
Who = Annotated[Identity, Depends(who)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=64, pattern=r"^[!-~]+$")]


async def fingerprint(request: Request) -> bytes:
    body = await request.body()
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).digest()


Fingerprint = Annotated[bytes, Depends(fingerprint)]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "geolocation=(), camera=()",
}


def _through_proxies(scope: Scope, trusted: tuple[Network, ...]) -> Scope:
    """The scope as the first proxy that isn't ours saw it; as it is, if the peer is none of ours."""
    if not trusted or scope.get("client") is None or not _within(scope["client"][0], trusted):
        return scope
    headers = Headers(scope=scope)
    seen = dict(scope)
    # From the right, where our own proxies wrote; whatever is left of the first stranger may be invented.
    for one in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
        address = one.strip()
        if not _is_ip(address):
            break
        seen["client"] = (address, 0)
        if not _within(address, trusted):
            break
    proto = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    if proto in ("http", "https"):
        secure = proto == "https"
        seen["scheme"] = ("wss" if secure else "ws") if scope["type"] == "websocket" else proto
    return seen


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    if not _is_ip(address):
        return False
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in one for one in networks)


class Shell:
    """Around everything: headers for each answer, a bound for each body, no answer but a problem when we fail."""

    def __init__(self, app: ASGIApp, trusted_proxies: tuple[Network, ...] = ()) -> None:
        self._app = app
        self._trusted = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope = _through_proxies(scope, self._trusted)
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        most = MAX_UPLOAD if scope["path"] in UPLOADS else MAX_BODY
        if scope["path"].startswith(FLOWS):
            most = MAX_FLOW
        length = Headers(scope=scope).get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:12]) > most:
            too_big = response("TOO-BIG", f"A request here has at most {most // 1024} KiB.")
            await too_big(scope, receive, with_headers)
            return
        heard = 0

        async def bounded() -> Message:
            nonlocal heard
            message = await receive()
            heard += len(message.get("body", b""))
            if heard > most:
                raise Problem("TOO-BIG", f"A request here has at most {most // 1024} KiB.")
            return message

        await self._app(scope, bounded, with_headers)
