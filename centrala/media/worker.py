"""The media worker's process: one lock, one control socket, one tick each 20 ms.

    python -m centrala.media.worker --socket PATH --address 127.0.0.1 --ports 20000-29999 --data DIR --name w0

It goes on playing, bridging and recording when its application is gone; ends 60 s after the last leg without one,
4 hours after the application at most. SIGTERM ends it in order.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import gc
import logging
import os
import resource
import select
import signal
import socket
import sys
import time
from collections import deque
from pathlib import Path

import msgspec

from centrala.media import messages as m
from centrala.media import opus
from centrala.media.engine import Engine

log = logging.getLogger("centrala.media")

TICK = 0.02
_MAX_ALONE_SECONDS = 4 * 3600.0
_KEPT_EVENTS = 10_000
_MAX_BACKLOG_TICKS = 25
"""Ticks to catch up with at most, at double speed; more are left out."""
_LOAD_SECONDS = 10.0
_MAX_FAILURES = 250
_MAX_UNSENT = 32 << 20
_NOT_KEPT = (m.Welcome, m.Ports, m.Holds, m.Load)


class Worker:
    """Ties engine, clock and control socket together."""

    def __init__(
        self, socket_path: Path, address: str, ports: tuple[int, int], data: Path, name: str, linger: float
    ) -> None:
        self._linger = linger
        self.boot = os.urandom(8).hex()
        self._name = name
        self._path = socket_path
        self._engine = Engine(address, ports, data, self._emit)
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT_EVENTS)
        self._seq = 0
        self._commands: deque[m.Command] = deque()
        self._ending = False
        self._connection: socket.socket | None = None
        self._frames = m.Frames()
        self._unsent = bytearray()
        self._alone_since = self._last_leg_at = time.monotonic()
        self._epoll = select.epoll()
        with contextlib.suppress(FileNotFoundError):
            socket_path.unlink()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(str(socket_path))
        socket_path.chmod(0o600)
        self._listener.listen(4)
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)
        self._epoll.register(self._engine.reports.descriptor, select.EPOLLIN)
        self._durations: list[float] = []
        self._late = self._failures = 0
        self._load_at = time.monotonic()
        self._load_cpu = time.process_time()
        self._load_skipped = 0

    def end(self) -> None:
        """Ends with the tick that runs."""
        self._ending = True

    def run(self) -> None:
        """Until the end of the worker's life."""
        due = time.monotonic()
        collected = due
        while not self._ending:
            due += TICK
            self._wait_until(due)
            now = time.monotonic()
            behind = int((now - due) / TICK)
            if behind >= 1:
                self._late += 1
            if behind > _MAX_BACKLOG_TICKS:
                left_out = behind - _MAX_BACKLOG_TICKS
                self._engine.skip(left_out)
                due += left_out * TICK
            self._tick(now)
            done = time.monotonic()
            self._durations.append(done - now)
            if done - due > TICK:
                # Behind: go on at double speed, so that peers get no burst. Commands are still heard.
                self._serve(max(now + TICK / 2, done))
            if now - self._load_at >= _LOAD_SECONDS:
                self._tell_load(now)
            if self._is_over(now):
                break
            if now - collected > 60:
                collected = now
                gc.collect()
        self._close()

    def _tick(self, now: float) -> None:
        try:
            self._engine.tick(now)
            self._failures = 0
        except Exception:
            self._failures += 1
            if self._failures in (1, 10, 100):
                log.exception("a tick failed, %d in a row", self._failures)
            if self._failures >= _MAX_FAILURES:
                # No audio flows anyway: a new worker serves new calls.
                raise

    def _wait_until(self, due: float) -> None:
        """Serves the application meanwhile."""
        self._serve(due - 0.0005)
        rest = due - time.monotonic()
        if rest > 0:
            time.sleep(rest)

    def _serve(self, until: float) -> None:
        while True:
            # Look at least once: commands must get through under any load.
            wait = max(until - time.monotonic(), 0.0)
            for descriptor, events in self._epoll.poll(int(wait * 1000) / 1000):
                if descriptor == self._listener.fileno():
                    self._take_connection()
                elif descriptor == self._engine.reports.descriptor:
                    self._engine.reports.read(time.monotonic())
                elif self._connection is not None and descriptor == self._connection.fileno():
                    if events & select.EPOLLOUT:
                        self._flush()
                    if events & ~select.EPOLLOUT:
                        self._read()
            while self._commands:
                self._do(self._commands.popleft())
                if time.monotonic() >= until:
                    break
            # The kernel waits for whole milliseconds only; the caller sleeps through the rest.
            if until - time.monotonic() < 0.001:
                return

    # --- the application ---

    def _take_connection(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self._drop_connection()
        connection.setblocking(False)
        self._connection = connection
        self._frames = m.Frames()
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._epoll.unregister(self._connection.fileno())
            self._connection.close()
            self._connection = None
            self._unsent.clear()
            self._alone_since = time.monotonic()

    def _read(self) -> None:
        assert self._connection is not None
        try:
            data = self._connection.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            log.info("the application's connection is gone; %d legs go on", len(self._engine.legs))
            self._drop_connection()
            return
        try:
            bodies = self._frames.feed(data)
        except ValueError as problem:
            log.error("control connection closed: %s", problem)
            self._drop_connection()
            return
        for body in bodies:
            try:
                self._commands.append(m.command(body))
            except msgspec.MsgspecError as problem:
                self._emit(m.Refused(command="", subject="", why=f"not understood: {problem}"))

    def _do(self, command: m.Command) -> None:
        now = time.monotonic()
        match command:
            case m.Hello():
                self._greet(command, now)
            case m.Seen(seq=seq):
                self._forget(seq)
            case m.Quit():
                self._ending = True
            case _:
                try:
                    self._engine.do(command, now)
                except Exception as problem:
                    # Our own mistake must not cost the other calls their lives.
                    log.exception("%s failed", type(command).__name__)
                    why = f"{type(problem).__name__}: {problem}"
                    self._emit(m.Refused(command=type(command).__name__, subject="", why=why))
        if self._engine.legs:
            self._last_leg_at = now

    def _greet(self, hello: m.Hello, now: float) -> None:
        same = hello.boot == self.boot
        if same:
            self._forget(hello.seen)
        elif self._seq:
            self._engine.ports.new_application(now)
        welcome = m.Welcome(
            version=m.VERSION,
            boot=self.boot,
            pid=os.getpid(),
            name=self._name,
            fingerprint=self._engine.identity.fingerprint,
            opus=opus.library() is not None,
        )
        self._put(m.frame(welcome))
        if not self._engine.ports.free:
            # A worker that has just started: whoever is told of it may have a call for it at once.
            self._engine.ports.tick(now)
        self._put(m.frame(m.Ports(free=self._engine.ports.free, whole=True)))
        for _, frame in self._kept:
            self._put(frame)

    def _forget(self, seq: int) -> None:
        kept = self._kept
        while kept and kept[0][0] <= seq:
            kept.popleft()

    def _emit(self, event: m.Event) -> None:
        if isinstance(event, m.Holds):
            event = msgspec.structs.replace(event, boot=self.boot)
        if isinstance(event, _NOT_KEPT):
            self._put(m.frame(event))
            return
        self._seq += 1
        frame = m.frame(msgspec.structs.replace(event, seq=self._seq))
        self._kept.append((self._seq, frame))
        self._put(frame)

    def _put(self, frame: bytes) -> None:
        if self._connection is None:
            return
        empty = not self._unsent
        self._unsent += frame
        if empty:
            self._flush()
        elif len(self._unsent) > _MAX_UNSENT:
            log.error("the application doesn't read: its connection is closed")
            self._drop_connection()

    def _flush(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            while self._unsent:
                sent = connection.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop_connection()
            return
        out = select.EPOLLOUT if self._unsent else 0
        self._epoll.modify(connection.fileno(), select.EPOLLIN | out)

    # --- life ---

    def _is_over(self, now: float) -> bool:
        if self._engine.legs or self._engine.recorder:
            self._last_leg_at = now
        if self._connection is not None:
            return False
        lonely = now - max(self._last_leg_at, self._alone_since) > self._linger
        return lonely or now - self._alone_since > _MAX_ALONE_SECONDS

    def _tell_load(self, now: float) -> None:
        durations = sorted(self._durations) or [0.0]
        cpu = time.process_time()
        load = m.Load(
            tick_p99_ms=round(durations[int(len(durations) * 0.99)] * 1000, 2),
            busy_share=round((cpu - self._load_cpu) / (now - self._load_at), 4),
            legs=len(self._engine.legs),
            late_ticks=self._late,
            skipped_ticks=self._engine.skipped - self._load_skipped,
            free_ports=len(self._engine.ports.free),
            rss_mb=_rss_mb(),
        )
        if self._late or load.skipped_ticks:
            log.warning("%d ticks late, %d left out in 10 s", self._late, load.skipped_ticks)
        self._load_at, self._load_cpu, self._late = now, cpu, 0
        self._load_skipped = self._engine.skipped
        self._durations.clear()
        self._emit(load)

    def _close(self) -> None:
        for event in self._engine.close(time.monotonic()):
            self._emit(event)
        if self._connection is not None:
            self._connection.settimeout(2.0)
            with contextlib.suppress(OSError):
                self._connection.sendall(self._unsent)
            self._connection.close()
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        log.info("ended")


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 1e6, 1)


def _ports(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last)


def main() -> int:
    """0 after an orderly end; 2 if another worker has the socket, or the address isn't ours to bind."""
    parser = argparse.ArgumentParser(description="Centrala's media worker")
    parser.add_argument("--socket", type=Path, required=True, help="control socket")
    parser.add_argument("--address", required=True, help="IP address for RTP")
    parser.add_argument("--ports", type=_ports, required=True, help="first-last")
    parser.add_argument("--data", type=Path, required=True, help="folder of recordings and sounds")
    parser.add_argument("--name", default="w0")
    parser.add_argument("--linger", type=float, default=60.0, help="seconds without legs and application")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {args.name} %(levelname)s %(message)s")
    args.socket.parent.mkdir(parents=True, exist_ok=True)
    args.data.mkdir(parents=True, exist_ok=True)
    lock = Path(f"{args.socket}.lock").open("ab")  # noqa: SIM115 - held for life
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.error("another media worker has this socket; leaving it alone")
        return 2
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.suppress(OSError):
        # Not everybody may; then we go without.
        os.nice(-5)
    worker = Worker(args.socket, args.address, args.ports, args.data, args.name, args.linger)
    signal.signal(signal.SIGTERM, lambda *_: worker.end())
    signal.signal(signal.SIGINT, lambda *_: worker.end())
    log.info("started, boot %s", worker.boot)
    gc.collect()
    gc.freeze()
    gc.disable()
    worker.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
