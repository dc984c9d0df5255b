"""Sockets for SIP: the thin shell under `protocols/sip`. Bytes go up as (data, flow), and down by flow.

UDP is drained whole per wake-up, so that what arrives together is decided and committed together.
"""

import asyncio
import errno
import logging
import os
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from centrala.channels.voice.names import Names, is_address
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.framing import FramingError, StreamFramer
from centrala.settings import Listener

log = logging.getLogger(__name__)

DRAIN = 256
"Datagrams taken per wake-up; more would let timers starve under a flood."

CONNECT_SECONDS = 5.0
FIRST_MESSAGE_SECONDS = 30.0
"A connection that has said nothing by then is closed, or strangers could use up all file descriptors."
MAX_UNSENT = 1 << 20
"Bytes that wait for a slow peer on one connection; beyond it the connection is closed."


HINTS = {
    errno.EADDRINUSE: "Another program uses the port: stop it, or change listen.sip in the file.",
    errno.EACCES: "Ports below 1024 need a permission: grant CAP_NET_BIND_SERVICE, or change listen.sip in the file.",
    errno.EADDRNOTAVAIL: "This machine has no such address: change listen.sip in the file.",
}


class PortTaken(OSError):
    """A listening address can't be had; the message says which and what to do."""


class Transports:
    """All SIP sockets of the application.

    `received(data, flow)` is called for each datagram or framed message, `closed(flow)` when a connection is gone,
    and `settled()` after a bunch of them.
    """

    def __init__(
        self,
        received: Callable[[bytes, Flow], None],
        closed: Callable[[Flow], None],
        settled: Callable[[], None],
    ) -> None:
        self.received = received
        self.closed = closed
        self.settled = settled
        self._udp: dict[tuple[str, int], socket.socket] = {}
        self._servers: list[asyncio.Server | WebSocketServer] = []
        self._connections: dict[int, Any] = {}
        self._by_remote: dict[tuple[str, str, int], int] = {}
        self._connecting: dict[tuple[str, str, int], list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = 0
        self._names = Names()

    async def listen(self, listeners: Sequence[Listener]) -> list[Listener]:
        """Bind every listener; port 0 becomes the port that was got. Raises PortTaken. Nothing is taken in yet."""
        return [await self._listen(one) for one in listeners]

    async def begin(self) -> None:
        """Take in what comes: whoever is told of it is there now."""
        loop = asyncio.get_running_loop()
        for local, sock in self._udp.items():
            loop.add_reader(sock, self._drain, sock, local)
        for server in self._servers:
            await server.start_serving()

    async def _listen(self, one: Listener) -> Listener:
        loop = asyncio.get_running_loop()
        where = f"{one.transport}:{one.host}:{one.port}"
        try:
            if one.transport == "udp":
                return replace(one, port=self._listen_udp(one))
            try:
                tls = _server_tls(one) if one.transport in ("tls", "wss") else None
            except OSError as problem:
                raise PortTaken(
                    f"cannot listen on {where}: the certificate {one.certificate} and its key {one.key} can't be "
                    f"used ({getattr(problem, 'reason', None) or problem.strerror or problem}). Expected two PEM files "
                    "that belong together."
                ) from problem
            if one.transport in ("ws", "wss"):
                return await self._listen_ws(one, tls)
            bound: dict[str, tuple[str, int]] = {}
            server = await loop.create_server(
                lambda: _Stream(self, one.transport, bound["local"]),
                one.host,
                one.port,
                ssl=tls,
                start_serving=False,
            )
            port = server.sockets[0].getsockname()[1]
            bound["local"] = (one.host, port)
            self._servers.append(server)
            return replace(one, port=port)
        except OSError as problem:
            if isinstance(problem, PortTaken):
                raise
            hint = HINTS.get(problem.errno or 0, "Change listen.sip in the file.")
            raise PortTaken(
                f"cannot listen on {where}: {os.strerror(problem.errno or 0)}. {hint}"
            ) from problem

    def _listen_udp(self, one: Listener) -> int:
        family = socket.AF_INET6 if ":" in one.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            _hear_of_errors(sock, family)
            sock.bind((one.host, one.port))
        except OSError:
            sock.close()
            raise
        port = int(sock.getsockname()[1])
        local = (one.host, port)
        self._udp[local] = sock
        return port

    def _drain(self, sock: socket.socket, local: tuple[str, int]) -> None:
        for _ in range(DRAIN):
            try:
                data, address = sock.recvfrom(65536)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # an ICMP error of an earlier send
                self._unreachable(sock, local)
                continue
            self.received(data, Flow("udp", local, (address[0], address[1])))
        self.settled()

    def _unreachable(self, sock: socket.socket, local: tuple[str, int]) -> None:
        """Nobody listens where we sent to: say so now, instead of after 32 seconds of silence."""
        while True:
            try:
                _, _, _, address = sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            self.closed(Flow("udp", local, (address[0], address[1])))

    async def _listen_ws(self, one: Listener, tls: ssl.SSLContext | None) -> Listener:
        bound: dict[str, tuple[str, int]] = {}

        async def talk(connection: ServerConnection) -> None:
            await _WebSocket(self, one.transport, bound["local"], connection).run()

        server = await serve(
            talk,
            one.host,
            one.port,
            ssl=tls,
            subprotocols=[Subprotocol("sip")],
            max_size=65536,
            compression=None,
            start_serving=False,
        )
        port = next(iter(server.sockets)).getsockname()[1]
        bound["local"] = (one.host, port)
        self._servers.append(server)
        return replace(one, port=port)

    # --- down ---

    def send(self, flow: Flow, data: bytes) -> None:
        """Never blocks and never raises: what can't be sent shows as a time-out or `closed`."""
        if not is_address(flow.remote[0]) and not flow.connection:
            self._send_by_name(flow, data)
        else:
            self._send(flow, data)

    def _send_by_name(self, flow: Flow, data: bytes) -> None:
        known, address = self._names.known(flow.transport, *flow.remote)
        if known:
            self._send_to(flow, address, data)
            return

        async def locate() -> None:
            self._send_to(flow, await self._names.locate(flow.transport, *flow.remote), data)

        task = asyncio.get_running_loop().create_task(locate())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _send_to(self, flow: Flow, address: tuple[str, int] | None, data: bytes) -> None:
        if address is None:
            log.warning("%s: a host name leads nowhere", flow.transport)
            asyncio.get_running_loop().call_soon(self._lost, flow)
        else:
            self._send(replace(flow, remote=address), data, flow)

    def _lost(self, flow: Flow) -> None:
        self.closed(flow)
        self.settled()

    def _send(self, flow: Flow, data: bytes, named: Flow | None = None) -> None:
        """`named`: the flow as the stack knows it, where its remote is a name."""
        if flow.transport == "udp":
            self._send_udp(flow, data)
            return
        number = flow.connection or self._by_remote.get((flow.transport, *flow.remote), 0)
        connection = self._connections.get(number)
        if connection is not None:
            connection.send(data)
        elif flow.connection == 0 and flow.transport in ("tcp", "tls"):
            self._connect(flow, data, named or flow)
        else:
            asyncio.get_running_loop().call_soon(self._lost, named or flow)

    def _send_udp(self, flow: Flow, data: bytes) -> None:
        sock = self._udp.get(flow.local)
        if sock is None and self._udp:
            sock = next(iter(self._udp.values()))
        if sock is None:
            return
        for _ in range(2):
            # The first attempt may be told of an earlier one's ICMP error, and sends nothing then.
            try:
                sock.sendto(data, flow.remote)
                return
            except OSError as problem:
                log.debug("udp send: %s", problem)

    def _connect(self, flow: Flow, data: bytes, named: Flow) -> None:
        key = (flow.transport, *flow.remote)
        waiting = self._connecting.get(key)
        if waiting is not None:
            waiting.append(data)
            return
        self._connecting[key] = [data]
        task = asyncio.get_running_loop().create_task(self._open(flow, key, named))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, flow: Flow, key: tuple[str, str, int], named: Flow) -> None:
        tls = await asyncio.to_thread(_client_tls) if flow.transport == "tls" else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, stream = await asyncio.get_running_loop().create_connection(
                    lambda: _Stream(self, flow.transport, flow.local),
                    *flow.remote,
                    ssl=tls,
                    server_hostname=named.remote[0] if tls is not None else None,
                )
        except (OSError, TimeoutError, ssl.SSLError) as problem:
            log.warning("%s: no connection could be opened: %s", flow.transport, type(problem).__name__)
            del self._connecting[key]
            self._lost(named)
            return
        for waiting in self._connecting.pop(key):
            stream.send(waiting)

    # --- connections ---

    def opened(
        self, connection: Any, transport: str, local: tuple[str, int], remote: tuple[str, int]
    ) -> Flow:
        self._numbers += 1
        flow = Flow(transport, local, remote, self._numbers)
        self._connections[self._numbers] = connection
        self._by_remote[(transport, *remote)] = self._numbers
        return flow

    def gone(self, flow: Flow) -> None:
        self._connections.pop(flow.connection, None)
        key = (flow.transport, *flow.remote)
        if self._by_remote.get(key) == flow.connection:
            del self._by_remote[key]
        self.closed(flow)
        self.settled()

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._udp.values():
            loop.remove_reader(sock)
            sock.close()
        self._udp.clear()
        for server in self._servers:
            server.close()
        for connection in list(self._connections.values()):
            connection.abort()
        for task in self._tasks:
            task.cancel()


class _Stream(asyncio.Protocol):
    """One TCP or TLS connection."""

    def __init__(self, owner: Transports, transport: str, local: tuple[str, int]) -> None:
        self._owner = owner
        self._name = transport
        self._local = local
        self._framer = StreamFramer()
        self._transport: asyncio.Transport | None = None
        self._flow: Flow | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._flow = self._owner.opened(self, self._name, self._local, (peer[0], peer[1]))
        self._patience: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            FIRST_MESSAGE_SECONDS, transport.abort
        )

    def _no_stranger(self) -> None:
        """It speaks SIP, or is ours: it may stay."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        assert self._flow is not None
        try:
            messages, pongs = self._framer.feed(data)
        except FramingError as problem:
            log.info("%s: a peer sent what is not SIP: %s", self._name, problem)
            self._transport.abort()
            return
        if pongs:
            self._transport.write(pongs)
        for message in messages:
            self._owner.received(message, self._flow)
        if messages:
            self._no_stranger()
            self._owner.settled()

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_stranger()
        if self._flow is not None:
            self._owner.gone(self._flow)

    def send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._transport.abort()
            return
        self._no_stranger()
        self._transport.write(data)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class _WebSocket:
    """One WebSocket connection: a frame is a message (RFC 7118)."""

    def __init__(
        self, owner: Transports, transport: str, local: tuple[str, int], connection: ServerConnection
    ) -> None:
        self._owner = owner
        self._connection = connection
        self._out: asyncio.Queue[bytes] = asyncio.Queue(maxsize=256)
        peer = connection.remote_address
        self._flow = owner.opened(self, transport, local, (peer[0], peer[1]))

    async def run(self) -> None:
        writer = asyncio.create_task(self._write())
        patience = asyncio.get_running_loop().call_later(FIRST_MESSAGE_SECONDS, self.abort)
        try:
            async for message in self._connection:
                patience.cancel()
                data = message.encode() if isinstance(message, str) else message
                if data.strip():
                    self._owner.received(data, self._flow)
                    self._owner.settled()
        except ConnectionClosed:
            pass
        finally:
            patience.cancel()
            writer.cancel()
            self._owner.gone(self._flow)

    async def _write(self) -> None:
        while True:
            data = await self._out.get()
            try:
                await self._connection.send(data.decode("utf-8", "surrogateescape"))
            except (ConnectionClosed, UnicodeEncodeError):
                return

    def send(self, data: bytes) -> None:
        try:
            self._out.put_nowait(data)
        except asyncio.QueueFull:
            self.abort()

    def abort(self) -> None:
        self._connection.transport.abort()


def _hear_of_errors(sock: socket.socket, family: int) -> None:
    """Ask for ICMP errors with the address they are about (ip(7), IP_RECVERR); Linux only."""
    if sys.platform == "linux":
        level, option = (socket.IPPROTO_IPV6, 25) if family == socket.AF_INET6 else (socket.IPPROTO_IP, 11)
        sock.setsockopt(level, option, 1)


@cache
def _client_tls() -> ssl.SSLContext:
    return ssl.create_default_context()  # reads all of the system's certificates: some 10 ms


def _server_tls(one: Listener) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    assert one.certificate is not None
    context.load_cert_chain(one.certificate, one.key)
    return context
