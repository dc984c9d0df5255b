"""baresip 1.0.0 (Debian 12) as a telephone with sound, driven over its `ctrl_tcp`.

What to know about it:

* `sip_listen a:P` takes UDP P, TCP P and, unasked, TLS on P+1: never put `ctrl_tcp` there.
* It binds media to the first real interface and says so in its SDP. `net_interface 127.0.0.1` (an address;
  the name `lo` is refused) keeps everything on loopback.
* Sound out: `aufile`, a source only: WAV, 16 bit, and exactly the rate and channels of `ausrc_srate` and
  `ausrc_channels`. At its end the phone falls silent, so the file is long.
* Sound in: nothing can play into a file. `aubridge` to a device nobody reads is the dummy loudspeaker;
  the filter `sndfile` writes what was decoded, `dump-<second>-dec.wav` (`-enc.wav`: what was said). The RIFF
  sizes in it are set on closing only, so the running file is read raw after its 44 bytes. Files are named
  by the second: two calls of one phone within one second would share a file.
* After a hold (by either side) the decode filter never comes back: what is heard after `resume` is not
  written any more, though it is received (`received()` still counts). A plain re-INVITE does no harm.
  To hear after a hold, listen at the other end.
* `jitter_buffer_delay 0-0` means no jitter buffer: what came is written as it came. `1-1` decodes nothing at all.
* Modules used: g711, sndfile, aufile, aubridge, account, menu, ctrl_tcp. `ctrl_tcp` answers commands in
  order, with events in between; unknown commands answer ok=false, but `dial` answers ok=true whatever happens.
* Events: REGISTERING REGISTER_OK REGISTER_FAIL UNREGISTERING, CALL_INCOMING CALL_RINGING CALL_PROGRESS
  CALL_ESTABLISHED CALL_CLOSED (param: reason), TRANSFER (asked to call elsewhere), TRANSFER_FAILED,
  CALL_DTMF_START/_END (param: digit), CALL_RTPESTAB, CALL_RTCP,
  CALL_LOCAL_SDP/CALL_REMOTE_SDP (param: offer or answer).
* `hangup` while ringing refuses the call (486). Digits go out as RFC 4733 events of their own accord.
* A password with spaces must stand in quotes in `accounts`, or it ends at the first; what registering needs
  beyond that is `outbound`, since the domain of the address is a name that nobody resolves.
* Digest: MD5 only, and a 401 with a SHA-256 challenge in it, alone or beside an MD5 one, before or after it, makes
  it give up without a word: it never registers.
* `OPTIONS` must name its user, or it says 404.
* Ten and more at once are fine; each has a folder of its own and takes 20 RTP ports.
"""

import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from bench import ports
from bench.tones import RATE, Samples, tone

_MODULES = "/usr/lib/baresip/modules"


class PhoneFailed(AssertionError):
    """The phone did not do or see what it should; the text holds its events."""


@dataclass(slots=True, frozen=True)
class Event:
    """One event or answer of the phone."""

    at: float
    """time.time() on arrival"""
    kind: str
    """CALL_ESTABLISHED and so on"""
    body: dict[str, Any]

    @property
    def param(self) -> str:
        return str(self.body.get("param", ""))


@dataclass(slots=True)
class Baresip:
    """A phone. With `registrar` it registers as user@domain there; without, it is called at `uri`.

    `answer`: auto (at once) or manual (rings until `accept` or `hangup`).
    """

    user: str = "phone"
    registrar: tuple[str, int] | None = None
    domain: str = "127.0.0.1"
    password: str = ""
    transport: str = "udp"
    answer: str = "auto"
    hertz: float | None = 440.0
    """what it says all the time; None: silence"""
    say_seconds: float = 120.0
    codecs: str = "pcma,pcmu"
    register_seconds: int = 300
    port: int = field(default_factory=ports.free_sip)
    events: list[Event] = field(default_factory=list)
    _process: "subprocess.Popen[bytes] | None" = None
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _control: socket.socket | None = None
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _reader: threading.Thread | None = None
    _commands: int = 0

    def __enter__(self) -> "Baresip":
        try:
            return self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, it: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()
        if self._folder:
            self._folder.cleanup()

    @property
    def uri(self) -> str:
        """Where it can be called directly."""
        return f"sip:{self.user}@127.0.0.1:{self.port};transport={self.transport}"

    @property
    def folder(self) -> Path:
        assert self._folder, "not started"
        return Path(self._folder.name)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> "Baresip":
        """Start it and take its control line. Raises PhoneFailed if it does not come up within 10 s."""
        self._folder = tempfile.TemporaryDirectory(prefix=f"baresip-{self.user}-")
        self._write_sound()
        (control,) = ports.free_tcp()
        rtp = ports.block(20, even=True)
        (self.folder / "config").write_text(
            f"poll_method epoll\nsip_listen 127.0.0.1:{self.port}\nnet_interface 127.0.0.1\n"
            f"call_local_timeout 600\ncall_max_calls 8\n"
            f"audio_source aufile,{self.folder}/say.wav\naudio_player aubridge,nobody\naudio_alert aubridge,alert\n"
            f"ausrc_srate {RATE}\nauplay_srate {RATE}\nausrc_channels 1\nauplay_channels 1\naudio_txmode thread\n"
            f"ausrc_format s16\nauplay_format s16\nauenc_format s16\naudec_format s16\n"
            f"rtp_ports {rtp}-{rtp + 19}\njitter_buffer_delay 0-0\n"
            f"module_path {_MODULES}\n"
            f"module g711.so\nmodule sndfile.so\nmodule aufile.so\nmodule aubridge.so\n"
            f"module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
            f"ctrl_tcp_listen 127.0.0.1:{control}\nsnd_path {self.folder}\n"
            f"menu_bell no\nringback_disabled yes\nstatmode_default off\n"
        )
        address = f"sip:{self.user}@{self.domain};transport={self.transport}"
        account = f"<{address}>;answermode={self.answer};audio_codecs={self.codecs}"
        if self.registrar:
            host, port = self.registrar
            # Quoted: an unquoted password ends at its first space.
            account += f';auth_user={self.user};auth_pass="{self.password}";regint={self.register_seconds}'
            account += f';outbound="sip:{host}:{port};transport={self.transport}"'
        else:
            account += ";regint=0"
        # Registered phones get their account over the control line: a call that waits for them comes in the
        # moment they register, and its events would be over before anyone listened.
        (self.folder / "accounts").write_text("" if self.registrar else account + "\n")
        (self.folder / "contacts").write_text("")
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["baresip", "-4", "-s", "-f", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": str(self.folder)},
            )
        self._connect(control)
        if self.registrar:
            self.command("uanew", account)
        return self

    def stop(self) -> None:
        """End it: it hangs up and unregisters on its way out, if the other side lets it."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5)
        if self._control:
            self._control.close()
        if self._reader:
            self._reader.join(2)

    def kill(self) -> None:
        """Pull the plug: no BYE, no unregistration."""
        assert self._process
        self._process.kill()
        self._process.wait(5)

    # What its owner does

    def command(self, name: str, params: str = "", timeout: float = 5.0) -> str:
        """One ctrl_tcp command; gives its text. Raises PhoneFailed if the phone refuses or does not answer."""
        assert self._control
        with self._news:
            self._commands += 1
            token = f"t{self._commands}"
            body = json.dumps({"command": name, "params": params, "token": token}).encode()
            self._control.sendall(b"%d:%s," % (len(body), body))
            if not self._news.wait_for(lambda: token in self._answers, timeout):
                raise PhoneFailed(f"{self.user}: no answer to {name} within {timeout:.0f} s\n{self.story()}")
            answer = self._answers.pop(token)
        if not answer.get("ok"):
            raise PhoneFailed(f"{self.user}: {name} {params}: {answer.get('data')}")
        return str(answer.get("data", ""))

    def dial(self, target: str) -> None:
        """Call a SIP URI, or (registered) a number or user at the own domain."""
        self.command("dial", target)

    def accept(self) -> None:
        self.command("accept")

    def hangup(self) -> None:
        self.command("hangup")

    def hold(self) -> None:
        self.command("hold")

    def resume(self) -> None:
        self.command("resume")

    def transfer(self, target: str) -> None:
        """Blind: REFER to this SIP URI. Ends with CALL_CLOSED or TRANSFER_FAILED."""
        self.command("transfer", target)

    def send_digits(self, digits: str, gap: float = 0.25) -> None:
        """Press these in the call, one after the other (baresip holds a key down for its own time)."""
        for digit in digits:
            self.command("sndcode", digit)
            time.sleep(gap)

    # What it sees and hears

    def mark(self) -> int:
        """The number of events so far: give it as `after` to wait for newer ones only."""
        return len(self.events)

    def wait_event(
        self, *kinds: str, timeout: float = 15.0, after: int = 0, param: str | None = None
    ) -> Event:
        """The first event of one of these kinds with number >= `after`. Raises PhoneFailed when none comes."""

        def first() -> Event | None:
            fits = (e for e in self.events[after:] if e.kind in kinds and (param is None or param in e.param))
            return next(fits, None)

        with self._news:
            self._news.wait_for(lambda: first() is not None or self._ended(), timeout)
            if found := first():
                return found
        raise PhoneFailed(f"{self.user}: no {' or '.join(kinds)} within {timeout:.0f} s\n{self.story()}")

    def wait_registered(self, timeout: float = 15.0) -> None:
        """Until the registrar said yes. It may have done so before the control line was there: hence the asking."""
        until = time.monotonic() + timeout
        while time.monotonic() < until and not self._ended():
            if re.search(r"\bOK\b", re.sub(r"\x1b\[[0-9;]*m", "", self.command("reginfo"))):
                return
            time.sleep(0.1)
        raise PhoneFailed(f"{self.user}: not registered within {timeout:.0f} s\n{self.story()}")

    def wait_incoming(self, timeout: float = 15.0, after: int = 0) -> Event:
        return self.wait_event("CALL_INCOMING", timeout=timeout, after=after)

    def wait_established(self, timeout: float = 15.0, after: int = 0) -> Event:
        return self.wait_event("CALL_ESTABLISHED", timeout=timeout, after=after)

    def wait_closed(self, timeout: float = 15.0, after: int = 0) -> Event:
        return self.wait_event("CALL_CLOSED", timeout=timeout, after=after)

    def count(self, kind: str) -> int:
        """How many events of this kind there were."""
        return sum(event.kind == kind for event in self.events)

    def heard(self, last: float | None = None) -> Samples:
        """What the far end sent, decoded: all calls in order, or the last so many seconds. Mind the trap about hold."""
        return self._dumped("dec", last)

    def said(self) -> Samples:
        """What it sent itself."""
        return self._dumped("enc", None)

    def wait_heard(self, seconds: float, timeout: float = 15.0) -> None:
        """Until so much sound has come, in all."""
        until = time.monotonic() + timeout
        while (have := len(self.heard()) / RATE) < seconds:
            if time.monotonic() > until or self._ended():
                raise PhoneFailed(f"{self.user}: heard {have:.2f} s, wanted {seconds:.2f} s\n{self.story()}")
            time.sleep(0.05)

    def digits(self) -> str:
        """The digits heard in the call."""
        return "".join(e.param for e in self.events if e.kind == "CALL_DTMF_START")

    def log(self) -> str:
        """Its screen, SIP messages included, without colours."""
        text = (self.folder / "log").read_text(errors="replace")
        return re.sub(r"\x1b\[[0-9;]*m", "", text)

    def story(self) -> str:
        """For a failed test: its events and the first lines of its SIP messages."""
        events = [f"{e.at:.3f} {e.kind} {e.param}" for e in self.events if e.kind != "CALL_RTCP"]
        sip = re.findall(
            r"^(?:SIP/2.0 \d.*|[A-Z]+ sips?:.* SIP/2.0|.*(?:fail|error|warning).*)$", self.log(), re.M | re.I
        )
        return "\n".join([*events[-30:], "its messages:", *sip[-30:]])

    def _dumped(self, way: str, last: float | None) -> Samples:
        pieces = [
            np.frombuffer((raw := path.read_bytes()[44:])[: len(raw) // 2 * 2], "<i2") / 32768
            for path in sorted(self.folder.glob(f"dump-*-{way}.wav"))
        ]
        samples = np.concatenate(pieces) if pieces else np.zeros(0)
        return samples if last is None else samples[-int(last * RATE) :]

    def _write_sound(self) -> None:
        seconds = self.say_seconds
        samples = tone(self.hertz, seconds) if self.hertz else np.zeros(int(RATE * seconds))
        with wave.open(str(self.folder / "say.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes((samples * 32767).astype("<i2").tobytes())

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _connect(self, port: int) -> None:
        until = time.monotonic() + 10
        while True:
            try:
                self._control = socket.create_connection(("127.0.0.1", port), timeout=2)
                break
            except OSError as refused:
                if self._ended() or time.monotonic() > until:
                    raise PhoneFailed(f"{self.user} did not start: {refused}\n{self.log()[-2000:]}") from None
                time.sleep(0.05)
        self._control.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"phone {self.user}")
        self._reader.start()

    def _read(self) -> None:
        assert self._control
        kept = b""
        while True:
            try:
                more = self._control.recv(65536)
            except OSError:
                more = b""
            if not more:
                with self._news:
                    self._news.notify_all()
                return
            kept += more
            while match := re.match(rb"(\d+):", kept):
                start, size = match.end(), int(match[1])
                if len(kept) < start + size + 1:
                    break
                body = json.loads(kept[start : start + size].decode("utf-8", "replace"))
                kept = kept[start + size + 1 :]
                with self._news:
                    if body.get("response"):
                        self._answers[str(body.get("token"))] = body
                    else:
                        self.events.append(Event(time.time(), str(body.get("type")), body))
                    self._news.notify_all()
