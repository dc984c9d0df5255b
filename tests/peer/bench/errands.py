"""Errands without a desk, and an HTTP server by hand that does what it is told."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from centrala.core.commands import RunErrand
from centrala.core.facts import ErrandDone, Fact
from centrala.core.private import Private
from centrala.customers import open_customers
from centrala.errands import Errands
from centrala.settings.reading import parse

WITHIN = 30.0


@dataclass(slots=True)
class Bench:
    """Errands without a desk: what they are told to do they do at once, what they tell is kept."""

    folder: Path
    tenant: str
    errands: Errands
    told: dict[str, list[ErrandDone]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    number: int = 0

    async def ask(
        self, kind: Any, settings: Any = None, *, name: str | None = None, **more: Any
    ) -> ErrandDone:
        """Order and wait. Keywords: arguments, take, into, timeout, cache."""
        self.number += 1
        name = name or f"c1:{self.number}"
        arguments = {one: Private(value) for one, value in more.pop("arguments", {}).items()}
        order = RunErrand(
            "c1",
            name,
            kind,
            settings or {},
            arguments,
            more.pop("take", {}),
            more.pop("into", ""),
            more.pop("timeout", 10.0),
            more.pop("cache", 0.0),
        )
        assert not more
        before = len(self.told.get(name, []))
        self.errands.perform("acme", order)
        held = self.errands.collect()
        assert held.release is not None
        held.release()
        async with asyncio.timeout(WITHIN):
            while len(self.told.get(name, [])) == before:
                await asyncio.sleep(0.005)
        assert len(self.told[name]) == before + 1
        return self.told[name][-1]

    async def http(self, url: str, method: str = "GET", **more: Any) -> ErrandDone:
        settings = {"method": method} | more.pop("settings", {})
        arguments = {"url": url} | more.pop("arguments", {})
        return await self.ask("http", settings, arguments=arguments, **more)

    def settle(self, tenant: str) -> None:
        self.tenant = tenant
        self.errands.configure(parse(centre(tenant), self.folder / "centre.yaml"))


def centre(tenant: str) -> str:
    lines = "".join(f"    {line}\n" for line in tenant.splitlines())
    return f"""
tenants:
  acme:
    domain: acme.example
    timezone: Europe/Warsaw
    agents: {{alice: {{}}}}
    queues: {{sales: {{}}}}
    numbers: {{"100": {{queue: sales}}}}
{lines}"""


@contextlib.asynccontextmanager
async def bench(folder: Path, tenant: str = "") -> AsyncIterator[Bench]:
    customers = open_customers(folder, lambda name: "PL")
    made: Bench

    def tell(name: str, fact: Fact) -> None:
        assert isinstance(fact, ErrandDone)
        made.told.setdefault(fact.errand, []).append(fact)

    errands = Errands(
        parse(centre(tenant), folder / "centre.yaml"),
        folder,
        tell=tell,
        now=time.time,
        customers=customers,
        secret=lambda tenant, contact, variable: made.secrets.get(variable),
    )
    made = Bench(folder, tenant, errands)
    await errands.start()
    try:
        yield made
    finally:
        await errands.stop()
        customers.close()


# --- a server ---

Reply = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Server:
    """HTTP by hand, so that it can be done wrong. Path → what it does."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.replies: dict[str, Reply] = {}
        self.context = context
        self.port = 0
        self.open = 0
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http{'s' if self.context else ''}://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._serving):
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").split("\r\n")
                method, path, _ = first.split(" ")
                named = (line.partition(": ") for line in lines if line)
                headers = {name.lower(): value for name, _, value in named}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                asked = Asked(method, path, headers, body)
                self.asked.append(asked)
                reply = self.replies.get(path.partition("?")[0])
                if reply is None:
                    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")
                else:
                    await reply(asked, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self._serving.discard(task)
            writer.close()


def says(body: bytes | str, status: str = "200 OK", *headers: str) -> Reply:
    data = body.encode() if isinstance(body, str) else body

    async def reply(asked: Asked, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)

    return reply
