"""The demo's course: files and ports, the centre, the people, the board, and an orderly end with a report."""

import asyncio
import contextlib
import json
import logging
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.live import Live as Refreshed

from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.state import Centre
from centrala.demo import report as reports
from centrala.demo.board import Footer, Screen, progress
from centrala.demo.centre import (
    DOMAIN,
    HOST,
    NUMBERS,
    ORDERS,
    RESULTS,
    TENANT,
    Layout,
    desks,
    file,
    fill,
    password,
    sign_up,
)
from centrala.ledger import DataFolderError, LedgerUnavailable, contacts
from centrala.live import Board
from centrala.media.client import WorkerDidNotStart
from centrala.server import Server
from centrala.settings import SettingsError, load
from centrala.testing import ports
from centrala.testing.agents import Agents
from centrala.testing.carrier import Carrier, Traffic
from centrala.testing.ears import Conversation, conversations
from centrala.testing.phone import PhoneError, Phones
from centrala.web.house import House

PLAIN_SECONDS = 60.0
"""How long a demo without a terminal runs."""
REFRESH = 0.5
"""Seconds between two pictures."""
PROGRESS = 5.0
"""Seconds between two plain lines."""
PAIR = 2.0
"""Seconds between two counts of who heard whom."""
MEDIA_PORTS = 600
REGULARS = 200
"""People who call, again and again."""
LINKS = 300.0
"""Seconds after which new sign-in links are shown; one is good for ten minutes, once."""


def demo(
    duration: float | None, report: Path | None, data: Path | None, seed: int, calls_per_minute: float
) -> int:
    """Run the demo until Ctrl-C or for `duration` seconds. The exit code: 0 when what it shows is proven.

    Without a terminal it runs 60 s by default and prints plain lines. `data` is kept, a folder of our own isn't.
    """
    terminal = sys.stdout.isatty()
    if duration is None and not terminal:
        duration = PLAIN_SECONDS
    with _folder(data) as folder, _Troubles() as troubles:
        show = _Demo(folder, seed, calls_per_minute, terminal, troubles)
        try:
            told = asyncio.run(show.run(duration))
        except (
            SettingsError,
            DataFolderError,
            LedgerUnavailable,
            WorkerDidNotStart,
            PhoneError,
            OSError,
        ) as why:
            print(f"centrala: the demo can't run: {why}", file=sys.stderr)  # noqa: T201
            return 1
        for line in reports.lines(told):
            print(line)  # noqa: T201
        if report is not None:
            report.write_text(json.dumps(reports.as_json(told), indent=2, ensure_ascii=False) + "\n")
        return 0 if told.ok else 1


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    folder = Path(tempfile.mkdtemp(prefix="centrala-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Troubles(logging.Handler):
    """Counts what the log would have said, and keeps it off the screen."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings = 0
        self.errors = 0
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.errors += 1
        else:
            self.warnings += 1
        if len(self.lines) < 20:
            self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")
            if record.exc_info is not None and record.exc_info[1] is not None:
                self.lines[-1] += f": {record.exc_info[1]!r}"

    def read(self, log: Path) -> None:
        """Take in the media worker's own log."""
        with contextlib.suppress(OSError):
            for line in log.read_text(errors="replace").splitlines():
                if " ERROR " in line or " CRITICAL " in line or line.startswith("Traceback"):
                    self.errors += 1
                    self.lines.append(f"media worker: {line}")

    def __enter__(self) -> "_Troubles":
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


class _Demo:
    def __init__(
        self, folder: Path, seed: int, calls_per_minute: float, terminal: bool, troubles: _Troubles
    ) -> None:
        self._folder = folder
        self._seed = seed
        self._traffic = Traffic(NUMBERS, calls_per_minute=calls_per_minute, regulars=REGULARS)
        self._chance = random.Random(seed)
        self._links: tuple[str, ...] = ()
        self._linked = 0.0
        self._terminal = terminal
        self._troubles = troubles
        self._notes: list[str] = []
        self._talked: list[Conversation] = []
        self._paired = 0.0
        self._board: Board | None = None

    async def run(self, duration: float | None) -> reports.Report:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stopping.set)
        if not self._terminal:
            _say("starting a centre, its carrier and its agents on this machine ...")
        self._cpu_before = time.process_time()
        async with contextlib.AsyncExitStack() as stack:
            self._carrier_phones = await stack.enter_async_context(self._carrier_side())
            self._agent_phones = await stack.enter_async_context(Phones(HOST))
            self._layout = self._lay_out()
            path = self._folder / "demo.yaml"
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(file(self._layout))
            (path.parent / "orders.csv").write_text(ORDERS)
            path.chmod(0o600)  # it holds passwords
            self._server = Server(load(path), self._folder)
            self._children_before = _children()
            self._began = time.time()
            await self._server.start()
            try:
                self._server.desk.watchers.append(self._watch)
                await asyncio.gather(self._people(), self._pages())
                await self._show(stopping, duration)
                await self._end()
            finally:
                await self._server.stop()
        return await self._report()

    # --- the beginning ---

    def _carrier_side(self) -> Phones:
        port = ports.free(HOST, 5070)
        if port != 5070:
            self._notes.append(f"port 5070 is taken: the simulated carrier is on {port}")
        return Phones(HOST, port, "Simulated carrier")

    def _lay_out(self) -> Layout:
        sip = ports.free(HOST, 5060)
        if sip == 5060 and not ports.is_free(HOST, 5060, ports.STREAM):
            sip = ports.free(HOST)
        if sip != 5060:
            self._notes.append(f"port 5060 is taken: the centre listens on {sip}")
        media = ports.free_range(HOST, 20000, MEDIA_PORTS)
        if media[0] != 20000:
            self._notes.append(f"media ports from 20000 on are taken: audio is on {media[0]} to {media[1]}")
        http = ports.free(HOST, 8080, ports.STREAM)
        if http != 8080:
            self._notes.append(f"port 8080 is taken: the pages are on {http}")
        return Layout(
            sip,
            http,
            self._carrier_phones.sip_address[1],
            self._agent_phones.sip_address[1],
            media,
            password(),
            desks(),
        )

    async def _people(self) -> None:
        server = (HOST, self._layout.sip)
        self._agents = Agents(self._agent_phones, server, DOMAIN, self._layout.desks, self._seed)
        self._simulated = {desk.user for desk in self._layout.desks}
        self._carrier = Carrier(self._carrier_phones, server, self._traffic, self._seed)
        await asyncio.gather(self._agents.start(), self._carrier.prepare())

    async def _pages(self) -> None:
        await asyncio.to_thread(fill, self._house.customers, self._seed)
        self._users = await asyncio.to_thread(sign_up, self._house.people)
        await self._link()

    @property
    def _house(self) -> House:
        assert self._server.web is not None
        return self._server.web.house

    async def _link(self) -> None:
        """Links that sign in, anew before the old ones are too old."""
        if self._links and time.monotonic() - self._linked < LINKS:
            return
        self._linked = time.monotonic()
        secrets = [
            await asyncio.to_thread(self._house.people.link, user, time.time(), actor="demo")
            for user in self._users
        ]
        self._links = tuple(f"http://{HOST}:{self._layout.http}/link#{secret}" for secret in secrets)

    def _watch(self, tenant: str, centre: Centre, events: Sequence[e.Event]) -> None:
        for event in events:
            if isinstance(event, e.Connected):
                self._carrier.connected(self._caller(event.contact))
            elif isinstance(event, e.WrapUpBegan) and event.agent in self._simulated:
                queue = centre.agents[event.agent].wrap_queue
                self._server.desk.later(self._chance.uniform(1.0, 3.5), self._write_down, event, queue)

    def _write_down(self, after: e.WrapUpBegan, queue: str | None) -> None:
        """What a simulated agent does in after-call work."""
        desk = self._server.desk
        results = RESULTS.get(queue or "")
        if results:
            chosen = self._chance.choice(results)
            desk.tell(TENANT, f.ResultGiven(desk.now(), after.contact, after.agent, chosen))
            desk.wake()

    def _caller(self, contact: str) -> str:
        leg = self._server.voice.legs.get(contact)
        return leg.user if leg is not None else ""

    # --- the show ---

    async def _show(self, stopping: asyncio.Event, duration: float | None) -> None:
        began = time.monotonic()
        calls = asyncio.create_task(self._carrier.run())
        usage = _Usage(self._server.media[0].pid)
        console = Console()
        try:
            if self._terminal:
                with Refreshed(console=console, screen=True, auto_refresh=False) as screen:
                    while not _finished(stopping, calls, began, duration):
                        await self._link()
                        footer = self._footer(time.monotonic() - began, usage)
                        picture = Screen(
                            self._layout, self._links, self._now(), footer, self._caller, self._notes
                        )
                        screen.update(picture, refresh=True)
                        await _wait(stopping, REFRESH)
            else:
                self._introduce()
                while not _finished(stopping, calls, began, duration):
                    left = PROGRESS if duration is None else began + duration - time.monotonic()
                    await _wait(stopping, min(PROGRESS, max(left, 0.0)))
                    _say(progress(self._now(), self._footer(time.monotonic() - began, usage)))
        finally:
            self._seconds = time.monotonic() - began
            calls.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await calls

    def _introduce(self) -> None:
        layout = self._layout
        _say(f"agent:      {self._links[0]}")
        _say(f"supervisor: {self._links[1]}")
        _say(f"call in:    sip:{NUMBERS[0].number}@{layout.address} over UDP or TCP, no password")
        _say(f"take calls: register guest at {layout.address}, password {layout.guest_password}")
        for note in self._notes:
            _say(f"note: {note}")

    def _now(self) -> Board:
        desk = self._server.desk
        live = self._house.hubs[TENANT].live
        self._board = live.view(desk.mailboxes[TENANT].centre, desk.now())
        return self._board

    def _footer(self, seconds: float, usage: "_Usage") -> Footer:
        if time.monotonic() - self._paired > PAIR:
            self._pair()
        enough = [one for one in self._talked if one.long_enough]
        heard = sum(one.caller_heard and one.other_heard for one in enough)
        problems = self._troubles.warnings + self._troubles.errors
        return Footer(seconds, *usage.shares(), heard, len(enough), problems)

    def _pair(self) -> None:
        self._paired = time.monotonic()
        self._talked = conversations(self._carrier.ears, self._agents.ears)

    # --- the end ---

    async def _end(self) -> None:
        """Nobody new; everybody hangs up; what was said is written and judged."""
        await self._carrier.finish()
        if not await self._quiet(3.0):
            self._hang_up_rest()
            await self._quiet(2.0)
        await self._agents.finish()
        await asyncio.sleep(0.5)  # the media worker closes the last recordings
        self._pair()
        self._now()

    async def _quiet(self, within: float) -> bool:
        deadline = time.monotonic() + within
        while self._server.voice.legs and time.monotonic() < deadline:  # noqa: ASYNC110 a poll, once, at the end
            await asyncio.sleep(0.05)
        return not self._server.voice.legs

    def _hang_up_rest(self) -> None:
        """Somebody's own softphone is still talking."""
        voice = self._server.voice
        for leg in list(voice.legs):
            voice.stack.bye(leg, now=self._server.desk.now())
        voice.settled()

    async def _report(self) -> reports.Report:
        assert self._board is not None
        told = reports.Report(
            seconds=round(self._seconds, 1), seed=self._seed, calls_per_minute=self._traffic.calls_per_minute
        )
        told.cpu_application = round(time.process_time() - self._cpu_before, 2)
        told.cpu_media = round(_children() - self._children_before, 2)
        told.cpu_share = round(
            (told.cpu_application + told.cpu_media) / max(time.time() - self._began, 1.0), 3
        )
        self._troubles.read(self._folder / "media-w0.log")
        told.errors, told.warnings = self._troubles.errors, self._troubles.warnings
        told.log = list(self._troubles.lines)
        began = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self._began))
        everything = await asyncio.to_thread(lambda: list(contacts(self._folder, include_open=True)))
        records = [record for record in everything if str(record["arrived_at"]) >= began]
        reports.count(told, records, self._board)
        await asyncio.to_thread(reports.judge, told, self._talked, records, self._folder)
        return told


class _Usage:
    """CPU time, read again and again."""

    def __init__(self, media: int) -> None:
        self._media = media
        self._last = (time.monotonic(), time.process_time(), _cpu_of(media))
        self._shares = (0.0, 0.0)

    def shares(self) -> tuple[float, float]:
        """Of this process and the media worker, in parts of one core, over the last seconds."""
        now = (time.monotonic(), time.process_time(), _cpu_of(self._media))
        passed = now[0] - self._last[0]
        if passed >= 2.0:
            self._shares = ((now[1] - self._last[1]) / passed, (now[2] - self._last[2]) / passed)
            self._last = now
        return self._shares


def _cpu_of(process: int) -> float:
    """CPU seconds of a process so far; 0 where the system doesn't tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _finished(
    stopping: asyncio.Event, calls: "asyncio.Task[None]", began: float, duration: float | None
) -> bool:
    if calls.done():
        calls.result()  # it only ends by an error
    return stopping.is_set() or (duration is not None and time.monotonic() - began >= duration)


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201
