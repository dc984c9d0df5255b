"""Errands over HTTP: ask a server of the house's or of a client's, within a time limit and whatever it answers.

One request per order: no cookies, no proxies from the environment, redirects to the same origin alone, answers up to
256 kB. A server that doesn't answer is left alone for a while, so that callers don't each wait for it.
"""

import asyncio
import hashlib
import json
import logging
import os
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import quote

import httpcore2
import httpx2

from centrala.core.private import Value
from centrala.errands import pointer
from centrala.errands.kept import Kept
from centrala.errands.order import Failed, Order, Result, plain
from centrala.errands.reach import Allowed, CheckedNetwork, Forbidden, Resolver, Unresolved
from centrala.settings.model import Http as HttpSettings

log = logging.getLogger(__name__)

MAX_ANSWER = 256 * 1024
MAX_ASKED = 256 * 1024
REDIRECTS = 3
MOST_TIMEOUT = 30.0
TIMEOUTS = 5
"So many in a row, and a server is left alone …"
ALONE_FOR = 10.0
"… for so many seconds; then one request tries again."
CONNECTIONS = 200
CONNECTIONS_EACH = 50
CACHED = 1000
CACHED_BYTES = 16 * 1024 * 1024
METHODS = ("GET", "POST", "PUT")

_MARKS = re.compile(r"\x00secret:([A-Za-z0-9_.]{1,64})\x00")
_MARKS_URL = re.compile(r"(?:\x00|%00)secret(?::|%3[Aa])([A-Za-z0-9_.]{1,64})(?:\x00|%00)")
_MARKS_JSON = re.compile(r"(?:\x00|\\u0000)secret:([A-Za-z0-9_.]{1,64})(?:\x00|\\u0000)")
_REFERENCE = re.compile(r"(?:([A-Za-z][A-Za-z0-9-]{0,31}) )?secret:([A-Za-z0-9_.-]{1,64})")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
)
"Headers of the connection: a flow that could write them could smuggle a second request."

Secrets = Callable[[str, str, str], str | None]
"(tenant, contact, variable) → the digits; None or empty where they are not there (any more)."


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Question:
    method: str
    url: httpx2.URL = field(repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def origin(self) -> str:
        """For people: scheme, host and port."""
        return f"{self.url.scheme}://{self.url.netloc.decode('ascii')}"


@dataclass(slots=True)
class _Server:
    """How a server has behaved lately."""

    turn: asyncio.Semaphore
    timeouts: int = 0
    alone_until: float = 0.0
    busy: int = 0


@dataclass(slots=True)
class _Tenant:
    settings: HttpSettings
    pool: httpcore2.AsyncConnectionPool
    servers: dict[str, _Server] = field(default_factory=dict)


class Http:
    """The kind `http`. `close` ends it."""

    def __init__(self, secret: Secrets) -> None:
        self._secret = secret
        self._resolver = Resolver()
        self._ssl: ssl.SSLContext | None = None
        self._tenants: dict[str, _Tenant] = {}
        self._cache: Kept[Answer] = Kept(CACHED, CACHED_BYTES)
        self._asked: dict[bytes, asyncio.Task[Answer]] = {}
        self._key = os.urandom(32)
        self._closing: set[asyncio.Task[None]] = set()

    def configure(self, tenant: str, settings: HttpSettings) -> None:
        known = self._tenants.get(tenant)
        if known is not None and known.settings == settings:
            return
        if self._ssl is None:
            self._ssl = ssl.create_default_context()
        # What was allowed then is no reason to go on over its connections now.
        pool = httpcore2.AsyncConnectionPool(
            ssl_context=self._ssl,
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS_EACH,
            keepalive_expiry=15.0,
            network_backend=CheckedNetwork(Allowed(settings.allow), self._resolver),
        )
        self._tenants[tenant] = _Tenant(settings, pool)
        if known is not None:
            self._later_close(known.pool)

    def _later_close(self, pool: httpcore2.AsyncConnectionPool) -> None:
        async def close() -> None:
            try:
                await asyncio.sleep(MOST_TIMEOUT)
            finally:
                await pool.aclose()

        task = asyncio.create_task(close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        for task in [*self._asked.values(), *self._closing]:
            task.cancel()
        await asyncio.gather(*self._asked.values(), *self._closing, return_exceptions=True)
        for one in self._tenants.values():
            await one.pool.aclose()
        self._resolver.close()

    async def __call__(self, order: Order) -> Result:
        tenant = self._tenants.get(order.tenant)
        if tenant is None:
            raise Failed("REFUSED", "the tenant isn't in the settings any more")
        wanted = {name: _pointer(one) for name, one in order.take.items()}
        question = self._question(tenant, order)
        answer = await self._answer(tenant, question, order)
        if answer.status >= 400:
            raise Failed(f"STATUS_{answer.status}", f"{question.origin} answered with status {answer.status}")
        return Result("next", self._taken(question, answer, wanted, order))

    # --- what is asked ---

    def _question(self, tenant: _Tenant, order: Order) -> _Question:
        method = order.settings.get("method", "GET")
        if method not in METHODS:
            _refused(f"the method is none of {', '.join(METHODS)}")
        content_type = order.settings.get("content_type", "")
        body = order.arguments.get("body", "") if method != "GET" else ""
        if not content_type and body:  # as the core quotes what is filled in
            content_type = "application/json"

        def digits(found: re.Match[str]) -> str:
            known = self._secret(order.tenant, order.contact, found[1])
            if not known:
                raise Failed(
                    "NO_SECRET", "the secret digits that it needs aren't there: collected nowhere, or lost"
                )
            return known

        url = _MARKS_URL.sub(lambda one: quote(digits(one), safe=""), order.arguments.get("url", ""))
        if "json" in content_type:
            body = _MARKS_JSON.sub(lambda one: json.dumps(digits(one))[1:-1], body)
        elif "urlencoded" in content_type:
            body = _MARKS_URL.sub(lambda one: quote(digits(one), safe=""), body)
        body = _MARKS.sub(digits, body)
        encoded = body.encode("utf-8", "replace")
        if len(encoded) > MAX_ASKED:
            _refused("the body is too long")
        headers: dict[str, str] = {}
        for name, value in order.arguments.items():
            if name.startswith("header."):
                headers[name[7:].lower()] = self._header(tenant, _MARKS.sub(digits, value))
        if method != "GET":
            headers.setdefault("content-type", content_type or "text/plain; charset=utf-8")
        headers.setdefault("accept", "application/json, text/plain;q=0.9, */*;q=0.5")
        headers.setdefault("user-agent", "Centrala")
        headers["accept-encoding"] = "identity"  # an answer of 256 kB can't turn into gigabytes
        return _Question(method, _url(url), _headers(headers), encoded)

    @staticmethod
    def _header(tenant: _Tenant, value: str) -> str:
        found = _REFERENCE.fullmatch(value.strip())
        if found is None:
            return value
        known = tenant.settings.secrets.get(found[2])
        if known is None:
            _refused("a header names a secret that isn't among http.secrets of the settings")
        return f"{found[1]} {known.reveal()}" if found[1] else known.reveal()

    # --- asking ---

    async def _answer(self, tenant: _Tenant, question: _Question, order: Order) -> Answer:
        timeout = min(order.timeout, MOST_TIMEOUT)
        if order.cache <= 0 or question.method != "GET":
            return await self._limited(tenant, question, timeout)
        key = self._key_of(order.tenant, question)
        kept = self._cache.get(key, time.monotonic())
        if kept is not None:
            return kept
        asked = self._asked.get(key)
        if asked is None:
            # Goes on if whoever asked first hangs up: others wait for the same answer.
            asked = asyncio.create_task(self._limited(tenant, question, timeout))
            self._asked[key] = asked
            asked.add_done_callback(lambda done: self._keep(key, order.cache, done))
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(asked)
        except TimeoutError:
            raise Failed("TIMEOUT", f"{question.origin} didn't answer in time") from None

    def _keep(self, key: bytes, seconds: float, done: "asyncio.Task[Answer]") -> None:
        self._asked.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        answer = done.result()
        if answer.status < 400:
            self._cache.put(key, answer, len(answer.body), time.monotonic() + seconds)

    def _key_of(self, tenant: str, question: _Question) -> bytes:
        told = repr((tenant, question.method, str(question.url), question.headers)).encode("utf-8", "replace")
        return hashlib.blake2b(told, digest_size=32, key=self._key).digest()

    async def _limited(self, tenant: _Tenant, question: _Question, seconds: float) -> Answer:
        server = tenant.servers.get(question.origin)
        if server is None:
            if len(tenant.servers) >= CACHED:
                tenant.servers = {name: one for name, one in tenant.servers.items() if one.busy}
            server = tenant.servers.setdefault(question.origin, _Server(asyncio.Semaphore(CONNECTIONS_EACH)))
        now = time.monotonic()
        if now < server.alone_until:
            raise Failed(
                "AWAY", f"{question.origin} is left alone: it didn't answer {TIMEOUTS} times in a row"
            )
        if server.timeouts >= TIMEOUTS:
            # This one tries; the others wait for what it finds.
            server.alone_until = now + max(seconds, ALONE_FOR)
        server.busy += 1
        try:
            async with asyncio.timeout(seconds):
                async with server.turn:
                    answer = await self._followed(tenant, question)
        except TimeoutError:
            server.timeouts += 1
            if server.timeouts >= TIMEOUTS:
                server.alone_until = time.monotonic() + ALONE_FOR
            raise Failed("TIMEOUT", f"{question.origin} didn't answer within {seconds:g} s") from None
        except asyncio.CancelledError:
            server.alone_until = 0.0  # says nothing about the server
            raise
        except Failed:
            server.timeouts, server.alone_until = 0, 0.0
            raise
        finally:
            server.busy -= 1
        server.timeouts, server.alone_until = 0, 0.0
        return answer

    async def _followed(self, tenant: _Tenant, question: _Question) -> Answer:
        asked = question
        for _ in range(REDIRECTS + 1):
            answer, where = await self._once(tenant, asked)
            if where is None:
                return answer
            try:
                url = asked.url.join(where)
            except (httpx2.InvalidURL, ValueError):
                raise Failed("NONSENSE", f"{question.origin} redirects to what is no address") from None
            if (url.scheme, url.host, _port(url)) != (asked.url.scheme, asked.url.host, _port(asked.url)):
                raise Failed(
                    "REDIRECTED",
                    f"{question.origin} redirects to another server; write that one's address into the flow",
                )
            if answer.status in (307, 308) or asked.method == "GET":
                asked = _Question(asked.method, url, asked.headers, asked.body)
            else:  # RFC 9110 15.4: what was posted is not posted again
                headers = tuple(one for one in asked.headers if one[0] != b"content-type")
                asked = _Question("GET", url, headers, b"")
        raise Failed("REDIRECTED", f"{question.origin} redirects more than {REDIRECTS} times")

    async def _once(self, tenant: _Tenant, question: _Question) -> tuple[Answer, str | None]:
        """(the answer, where it redirects to)."""
        url = question.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        headers = [(b"host", url.netloc), *question.headers]
        if question.method != "GET":
            headers.append((b"content-length", str(len(question.body)).encode()))
        for again in (True, False):
            try:
                async with tenant.pool.stream(
                    question.method, target, headers=headers, content=question.body or None
                ) as response:
                    return await _read(question, response)
            except (httpcore2.RemoteProtocolError, httpcore2.ReadError, httpcore2.WriteError) as problem:
                # A kept connection that the server closes just now; asking again does no harm.
                if again and question.method == "GET":
                    continue
                raise Failed("BROKEN", f"{question.origin} broke off its answer") from problem
            except Forbidden:
                raise Failed(
                    "FORBIDDEN",
                    f"{question.origin} is inside; list it in http.allow of the settings if flows may ask it",
                ) from None
            except Unresolved:
                raise Failed("NO_ADDRESS", f"the name in {question.origin} has no address") from None
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout, OSError) as problem:
                reason = _reason(problem)
                raise Failed("UNREACHABLE", f"{question.origin} can't be reached{reason}") from problem
            except (httpcore2.ProtocolError, httpcore2.NetworkError) as problem:
                raise Failed("BROKEN", f"{question.origin} doesn't speak HTTP as it should") from problem
        raise AssertionError("unreachable")

    # --- what comes back ---

    def _taken(
        self, question: _Question, answer: Answer, wanted: Mapping[str, tuple[str, ...]], order: Order
    ) -> dict[str, Value]:
        values: dict[str, Value] = {}
        if order.into:
            values[f"{order.into}.status"] = answer.status
            if not wanted:
                values[f"{order.into}.text"] = plain(_decoded(answer))
        if wanted:
            document = _json(question, answer)
            values |= {name: plain(pointer.find(document, tokens)) for name, tokens in wanted.items()}
        return values


async def _read(question: _Question, response: httpcore2.Response) -> tuple[Answer, str | None]:
    found = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    if 300 <= response.status < 400 and (where := found.get(b"location")):
        return Answer(response.status, "", b""), where
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise Failed("TOO_LONG", f"{question.origin} answered with more than {MAX_ANSWER // 1024} kB")
    return Answer(response.status, found.get(b"content-type", ""), bytes(body)), None


def _reason(problem: Exception) -> str:
    cause: BaseException | None = problem
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f": its certificate is not accepted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return ": it doesn't speak TLS as it should"
        cause = cause.__cause__ or cause.__context__
    return ""


def _refused(sentence: str) -> NoReturn:
    raise Failed("REFUSED", sentence)


def _pointer(text: str) -> tuple[str, ...]:
    try:
        return pointer.parse(text)
    except pointer.NoPointer as problem:
        raise Failed("REFUSED", str(problem)) from None


def _url(text: str) -> httpx2.URL:
    if _CONTROL.search(text) or len(text) > 8192:
        _refused("the address is too long, or has control characters in it")
    try:
        url = httpx2.URL(text)
        port = url.port
    except (httpx2.InvalidURL, ValueError):
        _refused("the address can't be read")
    if url.scheme not in ("http", "https") or not url.host or (port is not None and not 0 < port < 65536):
        _refused("the address isn't one of http or https")
    if url.userinfo:
        _refused("there is a user name in the address; send it in a header Authorization")
    return url


def _port(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _headers(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    made: list[tuple[bytes, bytes]] = []
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name in _OURS:
            _refused("a header has a name that can't be set")
        value = value.strip()
        if _CONTROL.search(value) or len(value) > 4096:
            _refused("a header is too long, or has control characters in it")
        made.append((name.encode("ascii"), value.encode("utf-8", "replace")))
    return tuple(made)


def _decoded(answer: Answer) -> str:
    found = re.search(r"charset=\"?([A-Za-z0-9_.:-]{1,40})", answer.content_type)
    try:
        return answer.body.decode(found[1] if found else "utf-8", "replace")
    except LookupError:
        return answer.body.decode("utf-8", "replace")


def _json(question: _Question, answer: Answer) -> Any:
    def no_number(text: str) -> NoReturn:
        raise ValueError(f"{text} is no JSON")

    try:
        return json.loads(answer.body.decode("utf-8-sig"), parse_constant=no_number)
    except (ValueError, RecursionError):
        raise Failed("NONSENSE", f"{question.origin} answered with what is no JSON") from None
