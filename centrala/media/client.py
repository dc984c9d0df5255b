"""The application's side of a media worker: finds or starts it, talks to it, notices when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from centrala.media import messages as m

log = logging.getLogger(__name__)

_UNSEEN_SECONDS = 2.0
"""An event counts as dealt with this long after the callback: the ledger has committed it by then."""
_MAX_PENDING = 100_000
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""The matrices of a tick are too small to be shared out: numpy's threads would wait for each other, and for a core."""


class WorkerDidNotStart(RuntimeError):
    """The worker process ended or stayed silent at its start; the message says where its log is."""


class MediaClient:
    """One media worker as the application sees it. All callbacks run on the event loop and must not block.

    `on_event(event)`: every event but Welcome, Ports and Holds. What came within two seconds before an
        application's death comes a second time to its successor.
    `on_ready(holds)`: whenever a connection stands again; says what the worker holds (nothing, if it is new).
    `on_lost(boot)`: the worker process died with all its legs. A new one is started by itself; commands sent
        in between are dropped and ports taken are void: make the legs anew in `on_ready`.
    """

    def __init__(
        self,
        *,
        socket: Path,
        data: Path,
        address: str,
        ports: tuple[int, int],
        on_event: Callable[[m.Event], None],
        on_ready: Callable[[m.Holds], None] | None = None,
        on_lost: Callable[[str], None] | None = None,
        name: str = "w0",
    ) -> None:
        """`address`: to bind RTP sockets to. `ports`: first and last port of the range. `socket`: its path is
        at most 100 bytes long (a limit of Unix sockets)."""
        self._socket = socket
        self._data = data
        self._address = address
        self._range = ports
        self._name = name
        self._on_event = on_event
        self._on_ready = on_ready
        self._on_lost = on_lost
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: _Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._pending: deque[bytes] = deque()
        self._free: deque[int] = deque()
        self._taken_offline: set[int] = set()
        self._inventories: dict[int, asyncio.Future[m.Holds]] = {}
        self._token = 0
        self._last_seq = 0
        self._acked = 0
        self._closing = False
        self.boot: str = ""
        """The boot id of the worker, empty before `start`."""
        self.pid: int = 0
        """The worker's process."""
        self.fingerprint: str = ""
        """Of the worker's certificate, as in SDP; another worker has another. Empty: it takes no browsers."""
        self.opus: bool = False
        """Whether the worker has the codec."""

    @property
    def connected(self) -> bool:
        return self._connection is not None

    @property
    def free_ports(self) -> int:
        """How many ports can be taken at once."""
        return len(self._free)

    async def start(self, within: float = 10.0) -> m.Holds:
        """Connects to the living worker of this socket or starts one; says what it holds.

        Raises WorkerDidNotStart. `on_ready` isn't called for this first connection.
        """
        self._loop = asyncio.get_running_loop()
        holds = await self._connect_or_start(within)
        self._keeper = self._loop.create_task(self._keep(), name=f"media-{self._name}")
        return holds

    def send(self, *commands: m.Command) -> None:
        """Never blocks. Without a connection the commands wait, unless the worker itself has died."""
        frame = b"".join([m.frame(command) for command in commands])
        if self._connection is not None:
            self._connection.write(frame)
        elif len(self._pending) < _MAX_PENDING:
            self._pending.append(frame)
        else:
            log.error("media worker %s: a command was dropped, %d already wait", self._name, _MAX_PENDING)

    def take_port(self) -> int | None:
        """A bound RTP port for a session description, at once; None if the pool is dry."""
        if not self._free:
            return None
        port = self._free.popleft()
        self.claim_port(port)
        return port

    def claim_port(self, port: int) -> None:
        """This port is in use by a call from before the application's restart: nobody else may take it."""
        with contextlib.suppress(ValueError):
            self._free.remove(port)
        if self._connection is None:
            self._taken_offline.add(port)
        self.send(m.TakePort(port))

    def release_port(self, port: int) -> None:
        """Gives back a taken port that never became a leg. (A closed leg's port comes back by itself.)"""
        self.send(m.FreePort(port))

    async def inventory(self, within: float = 5.0) -> m.Holds:
        """What the worker holds now. Raises TimeoutError."""
        self._token += 1
        token = self._token
        future: asyncio.Future[m.Holds] = asyncio.get_running_loop().create_future()
        self._inventories[token] = future
        try:
            self.send(m.Inventory(token))
            return await asyncio.wait_for(future, within)
        finally:
            self._inventories.pop(token, None)

    async def close(self, *, quit_worker: bool = False, within: float = 5.0) -> None:
        """Lets go of the worker, which goes on playing and bridging; or ends it, recordings closed."""
        self._closing = True
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        connection = self._connection
        if connection is not None:
            self._acknowledge(self._last_seq)
            if quit_worker:
                self.send(m.Quit())
            else:
                connection.finish()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(connection.closed), within)
            connection.abort()
        if quit_worker and self._process is not None:
            process = self._process
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, within)

    # --- the connection's life ---

    async def _keep(self) -> None:
        while True:
            assert self._connection is not None
            await self._watch(self._connection)
            log.warning("media worker %s: the connection is gone", self._name)
            boot, delay = self.boot, 0.0
            self._connection = None
            while True:
                await asyncio.sleep(delay)
                try:
                    holds = await self._connect_or_start(10.0, lost=boot)
                    break
                except (WorkerDidNotStart, OSError) as problem:
                    log.error("media worker %s: %s", self._name, problem)
                    delay = min(max(2 * delay, 0.2), 5.0)
            if self._on_ready is not None:
                self._call(self._on_ready, holds)

    async def _watch(self, connection: _Connection) -> None:
        """Until the connection has gone; acknowledges what is surely dealt with."""
        while not connection.closed.done():
            seq = self._last_seq
            # Not wait_for: until Python 3.12 it loses a cancellation that comes as the connection goes.
            gone, _ = await asyncio.wait([connection.closed], timeout=_UNSEEN_SECONDS)
            if not gone:
                self._acknowledge(seq)

    def _acknowledge(self, seq: int) -> None:
        if seq > self._acked and self._connection is not None:
            self._acked = seq
            self.send(m.Seen(seq))

    async def _connect_or_start(self, within: float, lost: str = "") -> m.Holds:
        """`lost`: the boot whose connection broke; if its process is dead, says so and starts another."""
        assert self._loop is not None
        deadline = self._loop.time() + within
        started: subprocess.Popen[bytes] | None = None
        while True:
            connection = await self._try_to_connect()
            if connection is not None:
                try:
                    return await self._greet(connection, max(deadline - self._loop.time(), 1.0), lost)
                except (ConnectionError, TimeoutError):
                    connection.abort()
            elif started is None and self._nobody_holds_the_lock():
                if lost and lost == self.boot:
                    self._worker_died(lost)
                started = await asyncio.to_thread(self._start_process)
            if started is not None and started.poll() is not None:
                if self._nobody_holds_the_lock():
                    raise WorkerDidNotStart(
                        f"the media worker ended at once (code {started.returncode}): see {self._log_path()}"
                    )
                started = None
            if self._loop.time() > deadline:
                raise WorkerDidNotStart(f"no media worker answered in {within:g} s: see {self._log_path()}")
            await asyncio.sleep(0.02)

    async def _try_to_connect(self) -> _Connection | None:
        assert self._loop is not None
        try:
            _, connection = await self._loop.create_unix_connection(
                lambda: _Connection(self._received), str(self._socket)
            )
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            return None
        return connection

    async def _greet(self, connection: _Connection, within: float, lost: str) -> m.Holds:
        assert self._loop is not None
        self._welcome: asyncio.Future[m.Welcome] = self._loop.create_future()
        self._token += 1
        future: asyncio.Future[m.Holds] = self._loop.create_future()
        self._inventories[self._token] = future
        token, before = self._token, self.boot
        connection.write(m.frame(m.Hello(boot=self.boot, seen=self._last_seq)))
        connection.write(m.frame(m.Inventory(token)))
        try:
            waiting: list[asyncio.Future[Any]] = [self._welcome, connection.closed]
            await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if not self._welcome.done():
                raise ConnectionError("the media worker closed the connection or was silent")
            welcome = self._welcome.result()
            if welcome.version != m.VERSION:
                raise WorkerDidNotStart(
                    f"the media worker (process {welcome.pid}) speaks version {welcome.version}, we speak "
                    f"version {m.VERSION}: wait until its calls have ended, or end it with SIGTERM"
                )
            if before and lost == before and welcome.boot != before:
                self._worker_died(before)
            self.boot, self.pid, self.fingerprint = welcome.boot, welcome.pid, welcome.fingerprint
            self.opus = welcome.opus
            self._connection = connection
            while self._pending:
                connection.write(self._pending.popleft())
            self._taken_offline.clear()
            return await asyncio.wait_for(future, within)
        finally:
            self._inventories.pop(token, None)

    def _worker_died(self, boot: str) -> None:
        log.error("media worker %s: process %d has died", self._name, self.pid)
        self._pending.clear()
        self._free.clear()
        self._taken_offline.clear()
        self._last_seq = self._acked = 0
        self.boot = ""
        if self._on_lost is not None:
            self._call(self._on_lost, boot)

    def _nobody_holds_the_lock(self) -> bool:
        try:
            with Path(f"{self._socket}.lock").open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except FileNotFoundError:
            return True
        return True

    def _log_path(self) -> Path:
        return self._data / f"media-{self._name}.log"

    def _start_process(self) -> subprocess.Popen[bytes]:
        self._data.mkdir(parents=True, exist_ok=True)
        if self._process is not None:
            self._process.poll()
        low, high = self._range
        command = [
            *(sys.executable, "-m", "centrala.media.worker"),
            *("--socket", str(self._socket)),
            *("--address", self._address),
            *("--ports", f"{low}-{high}"),
            *("--data", str(self._data)),
            *("--name", self._name),
        ]
        with self._log_path().open("ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **_ENVIRONMENT},
            )
        return self._process

    # --- what the worker says ---

    def _received(self, event: m.Event) -> None:
        if event.seq:
            if event.seq <= self._last_seq:
                return
            self._last_seq = event.seq
        match event:
            case m.Welcome(boot=boot):
                if boot != self.boot:
                    self._last_seq = self._acked = 0
                    self._free.clear()
                if not self._welcome.done():
                    self._welcome.set_result(event)
            case m.Ports(free=free, whole=whole):
                if whole:
                    self._free.clear()
                self._free.extend(port for port in free if port not in self._taken_offline)
            case m.Holds(token=token):
                future = self._inventories.get(token)
                if future is not None and not future.done():
                    future.set_result(event)
            case _:
                self._call(self._on_event, event)

    def _call(self, callback: Callable[[Any], None], argument: object) -> None:
        try:
            callback(argument)
        except Exception:
            log.exception("media worker %s: the callback for %s failed", self._name, type(argument).__name__)


class _Connection(asyncio.Protocol):
    """Frames of one connection."""

    def __init__(self, received: Callable[[m.Event], None]) -> None:
        self._received = received
        self._frames = m.Frames()
        self._transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._one(body)
        except ValueError as problem:
            log.error("media worker: %s; connecting anew", problem)
            self.abort()

    def _one(self, body: bytes) -> None:
        try:
            event = m.event(body)
        except msgspec.MsgspecError as problem:
            log.error("media worker: an event can't be understood and was left out: %s", problem)
            return
        self._received(event)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def write(self, frame: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)

    def finish(self) -> None:
        """Closes once all is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
