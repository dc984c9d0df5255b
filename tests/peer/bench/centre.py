"""`centrala serve` in a process of its own, as an operator would run it: a file, a data folder, a ready line."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from bench import ports


class CentreFailed(AssertionError):
    """The centre did not start, stop or answer as agreed; the text holds what it printed."""


@dataclass(slots=True)
class Centre:
    """A centre from `config` (YAML text, or what it would parse to). Entering starts it, leaving ends it.

    `settings["listen"]` is filled in where missing: SIP over UDP and TCP on `sip_port`, media on 127.0.0.1.
    """

    config: str | dict[str, Any]
    sip_port: int = field(default_factory=ports.free_sip)
    data: Path | None = None
    """the data folder; None: a new one that is removed on leaving"""
    start_timeout: float = 20.0
    program: tuple[str, ...] = (sys.executable, "-m", "centrala")
    output: list[str] = field(default_factory=list)
    """the lines it printed (both streams), over all its starts"""
    ready_after: float = 0.0
    """seconds from the last start to the ready line"""
    _process: "subprocess.Popen[str] | None" = None
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _ready: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Centre":
        self._folder = tempfile.TemporaryDirectory(prefix="centre-", ignore_cleanup_errors=True)
        self.data = self.data or Path(self._folder.name) / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        settings = yaml.safe_load(self.config) if isinstance(self.config, str) else dict(self.config)
        listen = dict(settings.get("listen") or {})
        listen.setdefault("sip", [f"udp:127.0.0.1:{self.sip_port}", f"tcp:127.0.0.1:{self.sip_port}"])
        listen.setdefault("media", {"address": "127.0.0.1", "ports": "20000-29999", "workers": 1})
        settings["listen"] = listen
        self.config_path.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
        try:
            return self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, it: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._end_leftovers()
            if kind is not None:
                print(
                    "\n".join(["--- the centre said:", *self.output[-80:]])
                )  # pytest shows it with the failure
            if self._folder:
                self._folder.cleanup()

    @property
    def config_path(self) -> Path:
        assert self._folder
        return Path(self._folder.name) / "centre.yaml"

    @property
    def sip(self) -> tuple[str, int]:
        """Where it takes SIP, UDP and TCP."""
        return ("127.0.0.1", self.sip_port)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> "Centre":
        """Start it on its data folder. Raises CentreFailed if no line starting with `ready` comes in time."""
        self._ready = ready = threading.Event()
        began = time.monotonic()
        self._process = process = subprocess.Popen(
            [
                *self.program,
                "serve",
                "--config",
                str(self.config_path),
                "--data",
                str(self.data),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

        def read() -> None:
            assert process.stdout
            for line in process.stdout:
                self.output.append(line.rstrip())
                if line.startswith("ready"):
                    self.ready_after = time.monotonic() - began
                    ready.set()

        threading.Thread(target=read, daemon=True, name="centre").start()
        while not ready.wait(0.05):
            if process.poll() is not None or time.monotonic() - began > self.start_timeout:
                time.sleep(0.1)  # let the reader have its last words
                state = f"ended with {process.poll()}" if process.poll() is not None else "is still not ready"
                raise CentreFailed(
                    f"the centre {state} after {time.monotonic() - began:.1f} s\n{self.tail()}"
                )
        return self

    def stop(self, timeout: float = 15.0) -> int | None:
        """SIGTERM and wait; gives the exit code. Raises CentreFailed if it has to be killed."""
        if self._process is None or self._process.poll() is not None:
            return self._process.poll() if self._process else None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise CentreFailed(
                f"the centre did not end within {timeout:.0f} s of SIGTERM\n{self.tail()}"
            ) from None

    def kill9(self) -> None:
        """What a crash does: the process is gone, its media worker is not told."""
        assert self._process
        self._process.kill()
        self._process.wait(5)

    def restart(self) -> "Centre":
        """Start again on the same data (after `kill9`, or stopping it first)."""
        self.stop()
        return self.start()

    def run(self, *arguments: str, timeout: float = 30.0) -> str:
        """Another `centrala` command; gives what it printed. Raises CentreFailed on a bad exit."""
        done = subprocess.run([*self.program, *arguments], capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise CentreFailed(
                f"centrala {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def contacts(self) -> list[dict[str, Any]]:
        """The contact records, oldest first, from `centrala contacts --format jsonl`."""
        text = self.run("contacts", "--data", str(self.data), "--format", "jsonl")
        return [json.loads(line) for line in text.splitlines() if line.strip()]

    def wait_contacts(self, number: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """The same, once there are `number` of them that have ended (the records follow the log within a second)."""
        until = time.monotonic() + timeout
        while True:
            found = self.contacts()
            ended = [one for one in found if one.get("outcome")]
            if len(ended) >= number:
                return ended
            if time.monotonic() > until:
                raise CentreFailed(
                    f"{len(ended)} of {number} records after {timeout:.0f} s: {found}\n{self.tail()}"
                )
            time.sleep(0.2)

    def wait_output(self, pattern: str, timeout: float = 10.0, after: int = 0) -> str:
        """The first printed line, from line `after` on, in which the regular expression is found."""
        until = time.monotonic() + timeout
        while True:
            for line in self.output[after:]:
                if re.search(pattern, line):
                    return line
            if time.monotonic() > until:
                raise CentreFailed(f"nothing like {pattern!r} within {timeout:.0f} s\n{self.tail()}")
            time.sleep(0.05)

    def tail(self) -> str:
        return "\n".join(self.output[-60:])

    def workers(self) -> list[int]:
        """The process ids of this centre's media workers: those whose command line names its data folder."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if b"centrala.media.worker" in words and any(
                    str(self.data).encode() in word for word in words
                ):
                    found.append(int(entry.name))
        return found

    def _end_leftovers(self) -> None:
        # The worker outlives a killed application by design; ours is known by our own data folder.
        for pid in self.workers() if self.data else []:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
        until = time.monotonic() + 3
        while self.data and (left := self.workers()):
            if time.monotonic() > until:
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.05)
