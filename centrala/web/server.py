"""The web server inside the running loop: uvicorn without its signal handlers, on sockets that we bind ourselves."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from centrala.channels.voice.pages import PhoneDoor
from centrala.desk import Desk
from centrala.ledger import LedgerUnavailable
from centrala.people import open_people
from centrala.settings import Https, Settings, SettingsError
from centrala.settings.reading import again
from centrala.web.app import make_asgi
from centrala.web.house import House, Voice

log = logging.getLogger(__name__)

STOP_WITHIN = 3
"Seconds for requests that run when we stop."
MAX_CONNECTIONS = 4000
SEND_BUFFER = 128 * 1024
"Bytes in the kernel for each connection (Linux doubles it)."


class _Embedded(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals are the composition root's


CONSOLE_EVERY = 3.0
"Seconds between two looks whether the console saved settings."
CERTIFICATE_EVERY = 60.0
"Seconds between two looks whether the certificate's files were renewed."


class WebServer:
    """`await WebServer.start(...)`, later `await stop()`. `address` is where it listens."""

    def __init__(self, house: House, listeners: list[tuple[socket.socket, ssl.SSLContext | None]]) -> None:
        self.house = house
        self._listeners = [listener for listener, _ in listeners]
        self._contexts = [context for _, context in listeners if context is not None]
        app = make_asgi(house)
        self._servers = [_Embedded(_uvicorn(app, context)) for _, context in listeners]
        self._tasks: list[asyncio.Task[None]] = []
        self._serving: list[asyncio.Task[None]] = []

    @classmethod
    async def start(
        cls,
        settings: Settings,
        data: Path,
        desk: Desk,
        on_settings: Callable[[Settings], Awaitable[None]] | None = None,
        voice: Voice | None = None,
        phones: PhoneDoor | None = None,
    ) -> "WebServer":
        """Listen on `listen.http` and `listen.https`. Raises OSError and DataFolderError with a sentence.

        `on_settings` is told what was changed on the screen, before the change is answered. `voice` and `phones`:
        None where nobody can call.
        """
        listen = settings.listen
        listeners: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        try:
            if listen.http is not None:
                listeners.append((_bind(*listen.http), None))
            if listen.https is not None:
                context = _tls(listen.https)
                listeners.append((_bind(*listen.https.address, "listen.https"), context))
            people = await asyncio.to_thread(open_people, data)
        except BaseException:
            for listener, _ in listeners:
                listener.close()
            raise
        house = House(settings, data, desk, people)
        house.on_settings, house.voice, house.phones = on_settings, voice, phones
        web = cls(house, listeners)
        for hub in house.hubs.values():
            web._tasks.append(asyncio.create_task(hub.run(), name=f"live {hub.tenant}"))
        web._tasks.append(asyncio.create_task(web._follow_console(), name="settings"))
        if listen.https is not None:
            web._tasks.append(asyncio.create_task(web._renew(listen.https), name="certificate"))
        for server, listener in zip(web._servers, web._listeners, strict=True):
            serving = asyncio.create_task(web._serve(server, listener), name="web")
            web._serving.append(serving)
            while not server.started and not serving.done():  # noqa: ASYNC110 uvicorn has no event for it
                await asyncio.sleep(0.005)
        return web

    async def _serve(self, server: _Embedded, listener: socket.socket) -> None:
        try:
            await server.serve(sockets=[listener])
        except Exception:
            log.exception("ALARM the web server ended; calls go on, pages don't")

    async def _follow_console(self) -> None:
        """What `centrala config` saved counts here too."""
        house = self.house
        known: dict[str, int] = {}
        while True:
            try:
                versions = await house.ask(house.people.versions)
                if versions != known:
                    async with house.changing:
                        saved = await house.ask(house.people.saved)
                        if saved.trees != house.settings.saved.trees:
                            await house.apply(await house.ask(again, house.settings, saved))
                            log.info("settings: what was saved at the console counts now")
                    known = versions
                if await house.ask(self._flows_published):
                    async with house.changing:
                        await house.apply(house.settings)
                        log.info("flows: what was published at the console counts now")
            except LedgerUnavailable:
                pass  # the next look tries again
            except SettingsError as wrong:
                known = versions
                log.error(
                    "settings: what was saved at the console can't be used, the old ones stay: %s", wrong
                )
            except Exception:
                log.exception("settings: what was saved at the console can't be taken up")
            await asyncio.sleep(CONSOLE_EVERY)

    def _flows_published(self) -> bool:
        """Whether the console has published a flow that the core doesn't know yet."""
        house = self.house
        for (tenant, id), version in house.flows.current().items():
            if tenant not in house.settings.tenants or id in house.settings.tenants[tenant].flows:
                continue
            flow = house.centre(tenant).flows.get(id)
            if flow is None or flow.current != version:
                return True
        return False

    async def _renew(self, https: Https) -> None:
        """Take a renewed certificate in without a restart: connections to come get it."""
        known = await asyncio.to_thread(_stamps, https)
        while True:
            await asyncio.sleep(CERTIFICATE_EVERY)
            stamps = await asyncio.to_thread(_stamps, https)
            if stamps == known or stamps is None:
                continue
            known = stamps
            try:
                await asyncio.to_thread(
                    _tls, https
                )  # a pair that doesn't match would spoil the contexts in use
                for context in self._contexts:
                    context.load_cert_chain(https.certificate, https.key)
                log.info("listen.https: the certificate's files were read anew")
            except OSError as problem:  # ssl.SSLError is one
                log.error(
                    "listen.https: the renewed certificate can't be used, the old one stays (%s)", problem
                )

    @property
    def address(self) -> str:
        """Where browsers reach it: the address under TLS if there is one."""
        listener = self._listeners[-1]
        host, port = listener.getsockname()[:2]
        scheme = "https" if self._contexts else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    async def sign_up_lines(self) -> list[str]:
        """A line for each tenant that has no user yet, with its single-use code."""
        lines = []
        for tenant in self.house.settings.tenants:
            code = await self.house.ask(self.house.people.sign_up_code, tenant, self.house.now())
            if code is not None:
                lines.append(
                    f"sign-up {tenant}: {code} makes the first user, at {self.address}/sign-up#{code}"
                )
        return lines

    async def stop(self) -> None:
        """Let requests end, then close every socket and the tables of people."""
        for server in self._servers:
            server.should_exit = True
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._serving, timeout=STOP_WITHIN + 2)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._serving, return_exceptions=True)
        self.house.close()
        self.house.people.close()


def _uvicorn(app: ASGIApp, context: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # the Shell does it, by listen.trusted_proxies
        server_header=False,
        ws_max_size=16 * 1024,
        ws_max_queue=4,
        ws_per_message_deflate=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOP_WITHIN,
        ssl_context_factory=None if context is None else lambda _, __: context,
    )


def _tls(https: Https) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(https.certificate, https.key)
    except OSError as problem:  # ssl.SSLError is one
        raise OSError(
            f"listen.https: {https.certificate} and {https.key} can't be used ({problem.strerror or problem})."
            " Give PEM files, the key without a password and belonging to the certificate."
        ) from problem
    return context


def _stamps(https: Https) -> tuple[float, float] | None:
    try:
        return https.certificate.stat().st_mtime, https.key.stat().st_mtime
    except OSError:
        return None  # being replaced just now


def _bind(host: str, port: int, what: str = "listen.http") -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol's number asyncio leaves Nagle's algorithm on: 40 ms for each answer on a kept connection.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # The kernel would keep up to 4 MB for a browser that reads nothing, which so would never count as slow.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        listener.bind((host, port))
        listener.setblocking(False)
    except OSError as problem:
        listener.close()
        raise OSError(
            f"{what}: {host}:{port} can't be listened on ({problem.strerror})."
            " Another program may use it: choose another port in the file."
        ) from problem
    return listener
