"""The web server inside the running loop: uvicorn without its signal handlers, on a socket that we bind ourselves."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from centrala.desk import Desk
from centrala.people import open_people
from centrala.settings import Settings
from centrala.web.app import make_asgi
from centrala.web.house import House

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


class WebServer:
    """`await WebServer.start(...)`, later `await stop()`. `address` is where it listens."""

    def __init__(self, house: House, listener: socket.socket) -> None:
        self.house = house
        self._listener = listener
        self._server = _Embedded(
            uvicorn.Config(
                make_asgi(house),
                loop="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                ws_max_size=16 * 1024,
                ws_max_queue=4,
                ws_per_message_deflate=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=STOP_WITHIN,
            )
        )
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def start(cls, settings: Settings, data: Path, desk: Desk) -> "WebServer":
        """Listen on `settings.listen.http`. Raises OSError and DataFolderError with a sentence."""
        assert settings.listen.http is not None
        host, port = settings.listen.http
        listener = _bind(host, port)
        try:
            people = await asyncio.to_thread(open_people, data)
        except BaseException:
            listener.close()
            raise
        web = cls(House(settings, data, desk, people), listener)
        for hub in web.house.hubs.values():
            web._tasks.append(asyncio.create_task(hub.run(), name=f"live {hub.tenant}"))
        serving = asyncio.create_task(web._serve(), name="web")
        web._tasks.append(serving)
        while not web._server.started and not serving.done():  # noqa: ASYNC110 uvicorn has no event for it
            await asyncio.sleep(0.005)
        return web

    async def _serve(self) -> None:
        try:
            await self._server.serve(sockets=[self._listener])
        except Exception:
            log.exception("ALARM the web server ended; calls go on, pages don't")

    @property
    def address(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def sign_up_lines(self) -> list[str]:
        """A line for each tenant that has no user yet, with its single-use code."""
        lines = []
        for tenant in self.house.settings.tenants:
            code = await self.house.ask(self.house.people.sign_up_code, tenant, self.house.now())
            if code is not None:
                lines.append(
                    f"sign-up {tenant}: {code} makes the first user, by POST {self.address}/api/v1/sign-up"
                )
        return lines

    async def stop(self) -> None:
        """Let requests end, then close every socket and the tables of people."""
        self._server.should_exit = True
        *hubs, serving = self._tasks
        for task in hubs:
            task.cancel()
        await asyncio.wait({serving}, timeout=STOP_WITHIN + 2)
        serving.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.house.close()
        self.house.people.close()


def _bind(host: str, port: int) -> socket.socket:
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
            f"listen.http: {host}:{port} can't be listened on ({problem.strerror})."
            " Another program may use it: choose another port in the file."
        ) from problem
    return listener
