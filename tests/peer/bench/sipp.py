"""sipp: callers, phones and strangers that follow a scenario to the letter.

What to know about sipp 3.6.1:

* Exit code 0: every call went as written; 1: one did not; 99: none came; 255: it could not start.
* `retrans` only counts on UDP. Anything unexpected fails the call; `errors` says what came instead.
* A `recv` timeout is read from the message it stands at: before optional messages, put it on the first of
  them as well, or it never runs.
* `rtp_stream` plays headerless G.711 at 8 kHz: payload type 8 wants raw A-law. It sends from a port of its
  own ([rtpstream_audio_port]), which must then stand in the SDP: `audio=` sees to both.
* sipp records nothing that it hears: give it a `Line`, or let it echo (`echo=True`, one port for all calls).
* Digest is MD5 only in 3.6.1, and it takes the first challenge: SHA-256 first ends the whole process (exit 255),
  MD5 first and SHA-256 after it is fine. Passwords with spaces go through -ap alone, never through
  `[authentication password=...]`.
* A registration and the calls that follow differ in Call-ID, so no scenario can do both: run `register`
  to its end, then a `uas_...` on the same port.
* A caller on a trunk by address needs that trunk's port: one sipp at a time. Use addresses of a trunk by
  network (`ports.loopback()`) for several.
* Over `tcp` (t1) the caller's connection does come from -p, so a trunk by address and port knows it there too.
"""

import csv
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType

from bench import ports
from bench.line import Line

SCENARIOS = Path(__file__).resolve().parents[2] / "data" / "sipp"
_TRANSPORTS = {"udp": "u1", "tcp": "t1"}
_PLACE = re.compile(r"\{\{(\w+):([^}]*)\}\}")
_HEADING = re.compile(
    r"^-{20,} (?P<at>\d{4}-\d\d-\d\d[ \t]\d\d:\d\d:\d\d\.\d+)\r?\n\w+ message (?P<way>sent|received)[^\n]*\n\r?\n",
    re.M,
)


class SippFailed(AssertionError):
    """A call did not go as its scenario says; the text holds what sipp complained about and the last messages."""


@dataclass(slots=True, frozen=True)
class Message:
    """One SIP message from sipp's trace."""

    at: float
    """time.time() of sending or receiving"""
    sent: bool
    text: str

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0].strip()

    def header(self, name: str) -> str | None:
        """The first value under this (long) name, or None."""
        found = re.search(rf"^{re.escape(name)}\s*:[ \t]*(.*?)\r?$", self.text, re.M | re.I)
        return found[1] if found else None

    @property
    def body(self) -> str:
        return re.split(r"\r?\n\r?\n", self.text, maxsplit=1)[-1]


@dataclass(slots=True)
class Sipp:
    """A running sipp. `scenario` is a name in tests/data/sipp; further `settings` fill its {{places}}.

    With `remote` it calls; without, it is called. `service` is the number dialled, or the user who registers.
    `line` gives its (one) call a voice and an ear. Entering starts it, leaving ends it by its process id;
    leaving does not judge: `wait()` does.
    """

    scenario: str
    remote: tuple[str, int] | None = None
    service: str = "service"
    settings: Mapping[str, str | int] = field(default_factory=dict)
    local_ip: str = "127.0.0.1"
    local_port: int = field(default_factory=ports.free_sip)
    transport: str = "udp"
    """udp, tcp, or any of sipp's -t values (un, tn: a socket for each call)"""
    calls: int = 1
    rate: float = 10.0
    """calls started in a second"""
    limit: int | None = None
    """calls at once"""
    user: str | None = None
    password: str | None = None
    line: Line | None = None
    audio: Path | None = None
    """raw A-law, 8 kHz, to play for ever from the answer on (rtp_stream)"""
    echo: bool = False
    timeout: float = 60.0
    """seconds after which sipp gives up by itself"""
    _process: "subprocess.Popen[bytes] | None" = None
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> "Sipp":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, it: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()
        if self._folder:
            self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """Where its traces lie; gone after leaving."""
        assert self._folder, "not started"
        return Path(self._folder.name)

    def start(self) -> "Sipp":
        """Start it; returns once a called one is listening. Raises SippFailed if it ends at once."""
        self._folder = tempfile.TemporaryDirectory(prefix="sipp-")
        (self.folder / "scenario.xml").write_text(self._filled())
        # Without a line or an echo the sound must go somewhere that nobody minds.
        own = ports.block(4, even=True)  # it binds this one and, for video, the next but one
        command = ["sipp", *([f"{self.remote[0]}:{self.remote[1]}"] if self.remote else [])]
        command += ["-sf", "scenario.xml", "-i", self.local_ip, "-p", str(self.local_port), "-bind_local"]
        command += [
            "-mi",
            self.line.address if self.line else self.local_ip,
            "-mp",
            str(own),
            "-ci",
            "127.0.0.1",
        ]
        command += [
            "-t",
            _TRANSPORTS.get(self.transport, self.transport),
            "-s",
            self.service,
            "-m",
            str(self.calls),
        ]
        command += ["-r", str(max(1, round(self.rate * 10))), "-rp", "10000"]
        command += ["-key", "line_port", str(self.line.port if self.line else own)]
        command += [
            "-timeout",
            f"{self.timeout:.0f}s",
            "-timeout_error",
            "-nostdin",
            "-skip_rlimit",
            "-deadcall_wait",
            "0",
        ]
        command += ["-trace_stat", "-stf", "statistics.csv", "-trace_err", "-error_file", "errors.log"]
        command += ["-trace_msg", "-message_file", "messages.log"]
        for flag, value in (("-l", self.limit), ("-au", self.user), ("-ap", self.password)):
            command += [flag, str(value)] if value is not None else []
        command += ["-rtp_echo"] if self.echo else []
        with (self.folder / "screen.log").open("wb") as screen:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TERM": "dumb"},
            )
        self._await_listening()
        return self

    def wait(self, timeout: float | None = None) -> dict[str, float]:
        """Wait for the end of all calls and give the statistics. Raises SippFailed if a call went wrong."""
        assert self._process
        try:
            code = self._process.wait(timeout if timeout is not None else self.timeout + 10)
        except subprocess.TimeoutExpired as late:
            raise SippFailed(
                f"sipp {self.scenario} still runs after {late.timeout:.0f} s\n{self.story()}"
            ) from None
        if code != 0:
            raise SippFailed(f"sipp {self.scenario} ended with {code}\n{self.story()}")
        return self.statistics()

    def stop(self) -> None:
        """End it now, calls or no calls."""
        if self._process and self._process.poll() is None:
            # The first SIGUSR1 would wait for the calls; a terminated sipp leaves its files as they are.
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def statistics(self) -> dict[str, float]:
        """The last line of sipp's statistics: cumulative counters by their names (SuccessfulCall, FailedCall, ...)."""
        path = self.folder / "statistics.csv"
        rows = list(csv.reader(path.read_text().splitlines(), delimiter=";")) if path.exists() else []
        if len(rows) < 2:
            return {}
        found: dict[str, float] = {}
        for name, value in zip(rows[0], rows[-1], strict=False):
            if re.fullmatch(r"-?\d+(\.\d+)?", value) and not name.endswith("(P)"):
                found[name.removesuffix("(C)")] = float(value)
        return found

    def messages(self) -> list[Message]:
        """Everything sent and received so far, in order."""
        path = self.folder / "messages.log"
        text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n") if path.exists() else ""
        headings = list(_HEADING.finditer(text))
        ends = [heading.start() for heading in headings[1:]] + [len(text)]
        return [
            Message(
                datetime.strptime(heading["at"].replace("\t", " "), "%Y-%m-%d %H:%M:%S.%f").timestamp(),
                heading["way"] == "sent",
                text[heading.end() : end],
            )
            for heading, end in zip(headings, ends, strict=False)  # no heading yet: no message, one end
        ]

    def find(self, start: str, *, sent: bool | None = None) -> Message | None:
        """The first message whose first line starts so ("INVITE", "SIP/2.0 180"), or None."""
        fits = (m for m in self.messages() if m.first_line.startswith(start) and sent in (None, m.sent))
        return next(fits, None)

    def wait_for(self, start: str, *, sent: bool | None = None, timeout: float = 15.0) -> Message:
        """The same, waiting for it. Raises SippFailed when it does not come, or sipp ends without it."""
        until = time.monotonic() + timeout
        while True:
            ended = self.exit_code is not None  # asked before looking: what it wrote last is seen
            if found := self.find(start, sent=sent):
                return found
            if ended or time.monotonic() > until:
                raise SippFailed(f"sipp {self.scenario}: no {start!r} within {timeout:.0f} s\n{self.story()}")
            time.sleep(0.03)

    def connect_line(self, timeout: float = 15.0) -> None:
        """Read the far end's SDP and let the line talk there, instead of waiting for it to speak first."""
        assert self.line
        sdp = self.wait_for("SIP/2.0 200" if self.remote else "INVITE", sent=False, timeout=timeout).body
        host, port = re.search(r"c=IN IP4 (\S+)", sdp), re.search(r"m=audio (\d+)", sdp)
        if not host or not port:
            raise SippFailed(f"sipp {self.scenario}: no address for sound in\n{sdp}")
        self.line.talk_to(host[1], int(port[1]))

    def errors(self) -> str:
        """What sipp found wrong."""
        path = self.folder / "errors.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def story(self) -> str:
        """For a failed test: what sipp complained about and which messages went to and fro."""
        lines = [f"{m.at:.3f} {'->' if m.sent else '<-'} {m.first_line}" for m in self.messages()[-40:]]
        screen = "" if lines else (self.folder / "screen.log").read_text(errors="replace")[-2000:]
        return "\n".join([self.errors()[-3000:], *lines, screen])

    def _filled(self) -> str:
        text = (SCENARIOS / f"{self.scenario}.xml").read_text()
        settings: dict[str, str | int] = dict(self.settings)
        if self.audio:
            settings["rtp_stream"] = f'  <nop><action><exec rtp_stream="{self.audio},-1,8"/></action></nop>'
            text = text.replace("[line_port]", "[rtpstream_audio_port]")
        known = {m[1] for m in _PLACE.finditer(text)}
        if unknown := settings.keys() - known:
            raise ValueError(
                f"{self.scenario}.xml has no place for {sorted(unknown)}; it has {sorted(known)}"
            )
        body = text.index("<scenario")  # the comment above it explains the places, and is left alone
        return text[:body] + _PLACE.sub(lambda m: str(settings.get(m[1], m[2])), text[body:])

    def _await_listening(self) -> None:
        assert self._process
        if self.remote:
            return
        table = "/proc/net/udp" if self.transport.startswith("u") else "/proc/net/tcp"
        address = bytes(map(int, reversed(self.local_ip.split(".")))).hex().upper()
        until = time.monotonic() + 10
        while f" {address}:{self.local_port:04X} " not in Path(table).read_text():
            if self._process.poll() == 0:
                return  # its call came at once, and is over
            if self._process.poll() is not None or time.monotonic() > until:
                raise SippFailed(
                    f"sipp {self.scenario} does not listen on port {self.local_port}\n{self.story()}"
                )
            time.sleep(0.02)
