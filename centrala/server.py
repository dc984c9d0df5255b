"""The composition root: the only module that knows every other. `serve` runs a centre until it is told to stop."""

import asyncio
import contextlib
import importlib
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from centrala.channels.voice.channel import VoiceChannel
from centrala.channels.voice.pages import PhoneDoor
from centrala.channels.voice.registration import STORED
from centrala.channels.voice.sound import Sound
from centrala.channels.voice.transport import PortTaken, Transports
from centrala.core import commands as c
from centrala.core.facts import AgentRemoved, Fact, HungUp, QueueRemoved
from centrala.core.specs import FlowSpec
from centrala.customers import Customers, open_customers
from centrala.customers.arriving import Arriving
from centrala.customers.numbers import Rule, rule_of
from centrala.desk import Desk
from centrala.errands import Errands
from centrala.flows import Flows, open_flows
from centrala.flows.warming import warm
from centrala.learning import Learning, LearningFailed
from centrala.ledger import DataFolderError, LedgerUnavailable, Log, Recovered, open_log, project
from centrala.media import messages as m
from centrala.media.client import MediaClient
from centrala.protocols.sip.config import ListeningPoint, StackConfig
from centrala.protocols.sip.stack import SipStack
from centrala.settings import Settings
from centrala.settings.facts import changes
from centrala.slots import QUARTER, Offering
from centrala.speech import House as HouseVoice
from centrala.speech import Speech

if TYPE_CHECKING:
    from centrala.web.server import WebServer

log = logging.getLogger(__name__)

TICK = 0.1
"Seconds between two looks at the loop's lag and at what has run out."

MAX_LAG = 0.25
"Seconds of lag beyond which new calls are turned away: those in the house are served first."

PORTS_WITHIN = 5.0
"Seconds within which a media worker must have bound its first ports."

PROJECT_EVERY = 1.0
CALENDAR_EVERY = 6 * 3600.0
ADDRESSES_EVERY = 60.0
SLOTS_AFTER = 0.5
"Seconds for the core to take in a change of settings, before places for callbacks are reckoned anew."
LEARN_EVERY = 300.0
"Seconds between two looks at whether waits are to be learned; the first one after as many."


class Server:
    """One running application. `start`, then `stop`."""

    def __init__(self, settings: Settings, data: Path) -> None:
        self.settings = settings
        self.data = data
        self.lag = 0.0
        self.ledger: Log
        self.desk: Desk
        self.voice: VoiceChannel
        self.speech: Speech
        self.customers: Customers
        self.arriving: Arriving
        self.errands: Errands
        self.flows: Flows
        self.transports: Transports
        self.media: list[MediaClient] = []
        self.web: WebServer | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._slots_again = asyncio.Event()
        self._early: list[m.Event] | None = []
        "Events of media workers that came before the voice channel was there."
        self._held = False
        "The workers had calls when we came."

    async def start(self) -> None:
        """Everything up, in the order in which each needs the others. Raises with a sentence for people."""
        self.ledger = open_log(self.data)
        self.desk = Desk(self.ledger)
        self.flows = open_flows(self.data)
        self.speech = Speech(self.data)
        self._speak_as(self.settings)
        recovered = {tenant: self.desk.open(tenant) for tenant in self.settings.tenants}
        departed = self._departed()
        # The media workers take as long to come up as the pages to be imported: both at once.
        holds, _ = await asyncio.gather(self._start_media(), asyncio.to_thread(self._import_web))
        self._held = any(one.legs for one in holds.values())
        media = self.settings.listen.media
        sound = Sound(self.media, media.advertised_address or media.address)
        self.transports = Transports(
            lambda data, flow: self.voice.received(data, flow),
            lambda flow: self.voice.flow_closed(flow),
            lambda: self.voice.settled(),
        )
        listeners = await self.transports.listen(self.settings.listen.sip)
        self.settings = replace(self.settings, listen=replace(self.settings.listen, sip=tuple(listeners)))
        stack = SipStack(self._stack_config(), secrets.token_hex)
        self.voice = VoiceChannel(
            self.settings,
            self.desk,
            stack,
            sound,
            self.transports.send,
            new_contact_id,
            self.data,
            self.speech,
        )
        self.voice.overloaded = lambda: self.lag > MAX_LAG
        self.customers = open_customers(self.data, self._country)
        self.arriving = Arriving(self.data, _secret(self.data / "callers.key"), self._rule)
        self.voice.acquaint = self.arriving
        self.errands = Errands(
            self.settings,
            self.data,
            tell=self.desk.tell,
            now=self.desk.now,
            customers=self.customers,
            secret=self.voice.secret,
        )
        self.desk.performers[c.RunErrand] = self.errands.perform
        self.desk.outlets.append(self.errands)
        await self.errands.start()
        for tenant in self.settings.tenants:
            await asyncio.to_thread(self.arriving.warm, tenant)
        self._take_up(holds, recovered, departed)
        await self.transports.begin()
        self._tasks = [
            asyncio.create_task(self._tick(), name="tick"),
            asyncio.create_task(self._project(), name="records"),
            asyncio.create_task(self._calendar(), name="calendar"),
            asyncio.create_task(self._addresses(), name="addresses"),
            asyncio.create_task(self._warm(), name="speech"),
            asyncio.create_task(self._slots(), name="slots"),
            asyncio.create_task(self._learn(), name="learning"),
        ]
        if self._has_pages():
            from centrala.web.server import WebServer

            phones = PhoneDoor(self.transports, self.voice.registration, self.desk.now)
            self.web = await WebServer.start(
                self.settings, self.data, self.desk, self.apply, self.voice, phones
            )
            self.web.house.speech = self.speech

    def _has_pages(self) -> bool:
        return self.settings.listen.http is not None or self.settings.listen.https is not None

    def _import_web(self) -> None:
        if self._has_pages():  # else 20 MB that a centre needn't have
            importlib.import_module("centrala.web.server")

    def _rule(self, tenant: str) -> Rule:
        return rule_of(self.settings.tenants.get(tenant))

    def _country(self, tenant: str) -> str | None:
        return self._rule(tenant)[0]

    def _speak_as(self, settings: Settings) -> None:
        self.speech.configure(
            {
                name: HouseVoice(one.locale, one.speech.voice, one.speech.piper)
                for name, one in settings.tenants.items()
            }
        )

    def _departed(self) -> dict[str, Recovered]:
        """Tenants that the file doesn't name any more, though calls of theirs are open."""
        found: dict[str, Recovered] = {}
        for tenant in self.ledger.tenants():
            if tenant in self.settings.tenants:
                continue
            try:
                was = self.desk.open(tenant)
            except DataFolderError as problem:
                log.error(
                    "tenant %s isn't in the file any more, and its calls can't be ended: %s", tenant, problem
                )
                continue
            if was.centre.contacts or any(not key.startswith(STORED) for key in self.ledger.dialogs(tenant)):
                found[tenant] = was
            else:
                del self.desk.mailboxes[tenant]
        return found

    def _take_up(
        self, holds: dict[int, m.Holds], recovered: dict[str, Recovered], departed: dict[str, Recovered]
    ) -> None:
        """Continue where the last run ended, then tell what the file changes."""
        stored: dict[str, bytes] = {}
        for tenant in self.desk.mailboxes:
            stored |= self.ledger.dialogs(tenant)
        self.voice.restore(stored, holds)
        for tenant, was in recovered.items():
            self.desk.perform_again(tenant, was.pending, undone)
            self.voice.again(tenant)
            self.voice.await_phones(tenant)
            self._configure(tenant)
            self.desk.start_timers(tenant)
        for tenant, was in departed.items():
            self._close_down(tenant, was)
        early, self._early = self._early or [], None
        for event in early:
            self.voice.media_event(event)
        self.voice.start_trunks()
        self.desk.wake()

    def _close_down(self, tenant: str, was: Recovered) -> None:
        """End the calls of a tenant that has left the file, so that its people and its records know."""
        log.warning(
            "tenant %s isn't in the file any more: its %d open calls end", tenant, len(was.centre.contacts)
        )
        now = self.desk.now()
        self.desk.perform_again(tenant, was.pending, lambda command: isinstance(command, c.HangUp))
        facts: list[Fact] = [HungUp(now, contact, "", "tenant removed") for contact in was.centre.contacts]
        facts += [AgentRemoved(now, agent) for agent in was.centre.agents]
        facts += [QueueRemoved(now, queue) for queue in was.centre.queues]
        for fact in facts:
            self.desk.tell(tenant, fact)
        self.desk.catch_up()
        self.voice.again(tenant)  # hangs up with everybody whom no contact needs any more

    def _configure(self, tenant: str) -> None:
        centre = self.desk.mailboxes[tenant].centre
        published = self.flows.published(tenant)
        for fact in changes(centre, self.settings.tenants[tenant], self.desk.now(), published):
            self.desk.tell(tenant, fact)

    async def apply(self, settings: Settings) -> None:
        """Go by these settings from now on: what somebody has changed on a page. Tenants stay those of the start."""
        tenants = {name: settings.tenants.get(name, known) for name, known in self.settings.tenants.items()}
        self.settings = replace(self.settings, tenants=tenants)
        self.voice.configure(self.settings)
        self.errands.configure(self.settings)
        self._speak_as(self.settings)
        await asyncio.to_thread(self.voice.doors.look_up)
        for tenant in tenants:
            self._configure(tenant)
        self._slots_again.set()
        self.desk.wake()

    def _stack_config(self) -> StackConfig:
        points = tuple(ListeningPoint(one.transport, one.host, one.port) for one in self.settings.listen.sip)
        return StackConfig(points=points, nonce_secret=_secret(self.data / "nonce.key"))

    async def _start_media(self) -> dict[int, m.Holds]:
        media = self.settings.listen.media
        low, high = media.ports
        share = (high - low + 1) // media.workers
        for number in range(media.workers):
            first = low + number * share
            self.media.append(
                MediaClient(
                    socket=self.data / f"media-{number}.sock",
                    data=self.data,
                    address=media.address,
                    ports=(first, first + share - 1),
                    name=f"w{number}",
                    on_event=self._media_event,
                    on_ready=self._worker_ready(number),
                    on_lost=self._worker_lost(number),
                )
            )
        holds = dict(enumerate(await asyncio.gather(*(one.start() for one in self.media))))
        deadline = asyncio.get_running_loop().time() + PORTS_WITHIN
        while not all(one.free_ports for one in self.media):
            if asyncio.get_running_loop().time() > deadline:
                raise PortTaken(
                    f"no UDP port of {low}-{high} on {media.address} could be bound for sound. "
                    "Another program may use them all: choose other listen.media.ports in the file."
                )
            await asyncio.sleep(0.01)
        return holds

    def _media_event(self, event: m.Event) -> None:
        # A worker that outlived us tells what happened meanwhile before we are ready to hear it.
        if self._early is None:
            self.voice.media_event(event)
        else:
            self._early.append(event)

    def _worker_ready(self, number: int) -> Callable[[m.Holds], None]:
        return lambda holds: self.voice.worker_ready(number, holds)

    def _worker_lost(self, number: int) -> Callable[[str], None]:
        return lambda boot: self.voice.worker_lost(number)

    # --- what goes on in the background ---

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(TICK)
            late = loop.time() - before - TICK
            self.lag = max(late, self.lag * 0.7)
            self.voice.registration.expire(self.desk.now())
            self.desk.wake()

    async def _project(self) -> None:
        while True:
            await asyncio.sleep(PROJECT_EVERY)
            try:
                await asyncio.to_thread(project, self.ledger)
            except LedgerUnavailable:
                pass  # the desk raises the alarm; the next second tries again
            except Exception:
                log.exception("the records can't be brought up to date now; the next second tries again")

    async def _warm(self) -> None:
        """Speak what flows say to everybody, and what is built in, before anybody calls; calls don't wait for it.

        Where nothing is ever said, nothing is spoken ahead.
        """
        await self.speech.start()
        for tenant in self.settings.tenants:
            centre = self.desk.mailboxes[tenant].centre
            flows = centre.flows
            if flows or any(queue.spec.announce for queue in centre.queues.values()):
                self.speech.warm(tenant)
            current = [
                FlowSpec(name, flow.current, flow.graphs[flow.current])
                for name, flow in flows.items()
                if flow.current
            ]
            for problem in await warm(self.speech, tenant, current):
                log.warning("tenant %s: %s", tenant, problem)

    async def _calendar(self) -> None:
        while True:
            await asyncio.sleep(CALENDAR_EVERY)
            for tenant in self.settings.tenants:
                self._configure(tenant)

    async def _slots(self) -> None:
        """Tell queues how many calls they may promise: with each quarter of an hour, and when settings change."""
        offering = Offering(self.data)
        while True:
            await asyncio.sleep(SLOTS_AFTER)
            self._slots_again.clear()
            for tenant in self.settings.tenants.values():
                centre = self.desk.mailboxes[tenant.id].centre
                try:
                    for fact in await offering.again(tenant, centre, self.desk.now()):
                        self.desk.tell(tenant.id, fact)
                except Exception:
                    log.exception("tenant %s: places for callbacks can't be reckoned now", tenant.id)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(QUARTER - self.desk.now() % QUARTER + 0.1):
                    await self._slots_again.wait()

    async def _learn(self) -> None:
        """Each night, what the past teaches of the waits in the queues that announce them."""
        learning = Learning(self.data)
        while True:
            await asyncio.sleep(LEARN_EVERY)
            for tenant in self.settings.tenants.values():
                centre = self.desk.mailboxes[tenant.id].centre
                try:
                    for fact in await learning.again(tenant, centre, self.desk.now()):
                        self.desk.tell(tenant.id, fact)
                except LearningFailed as problem:
                    log.warning("tenant %s: %s. The next night tries again.", tenant.id, problem)
                except Exception:
                    log.exception("tenant %s: its waits can't be learned now", tenant.id)

    async def _addresses(self) -> None:
        while True:
            await asyncio.sleep(ADDRESSES_EVERY)
            await asyncio.to_thread(self.voice.doors.look_up)

    async def stop(self, *, quit_media: bool = True) -> None:
        """An orderly end: what is written is written, and the media workers end if nobody talks."""
        if self.web is not None:
            await self.web.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        busy = bool(self.voice.legs)
        counted = {**self.voice.stack.counters, "calls turned away": self.voice.refused}
        log.info("counted: %s", ", ".join(f"{what} {number}" for what, number in sorted(counted.items())))
        await self.errands.stop()
        self.customers.close()
        await self.desk.stop()
        self.arriving.close()
        await self.speech.stop()
        self.flows.close()
        await self.transports.close()
        for one in self.media:
            await one.close(quit_worker=quit_media and not busy)
        self.ledger.close()

    async def abandon(self) -> None:
        """Let go of what a start that failed has taken; workers that hold no calls end."""
        for task in self._tasks:
            task.cancel()
        if hasattr(self, "errands"):
            await self.errands.stop()
        if hasattr(self, "customers"):
            self.customers.close()
        if hasattr(self, "arriving"):
            self.arriving.close()
        if hasattr(self, "speech"):
            await self.speech.stop()
            self.flows.close()
        if hasattr(self, "transports"):
            await self.transports.close()
        for one in self.media:
            await one.close(quit_worker=not self._held)
        if hasattr(self, "ledger"):
            self.ledger.close()

    def addresses(self) -> str:
        return " ".join(f"{one.transport}:{one.host}:{one.port}" for one in self.settings.listen.sip)


async def serve(settings: Settings, data: Path, say: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT."""
    server = Server(settings, data)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    # The ledger's writer needs the interpreter at once, not when the loop has had its 5 ms (ADR 2).
    sys.setswitchinterval(0.0005)
    try:
        await server.start()
    except BaseException:
        await server.abandon()
        raise
    if server.web is not None:
        log.info("the API listens on %s/api/v1", server.web.address)
    say(f"ready {server.addresses()}")
    for line in await server.web.sign_up_lines() if server.web is not None else ():
        say(line)
    await stopping.wait()
    await server.stop()


def undone(command: c.Command) -> bool:
    """Whether a command that the last run may not have carried out is to be carried out now.

    A phone that should ring and has no dialog was never called. What changes something elsewhere (a POST, a program)
    is never done twice: the flow goes on by its branch for failures. All other wishes are stated anew.
    """
    match command:
        case c.Ring() | c.Say() | c.Hush() | c.Mask() | c.TakeMessage() | c.EndMessage():
            return True
        case c.RunErrand(kind="http", settings=how):
            return how.get("method", "GET") == "GET"
        case c.RunErrand(kind=kind):
            return kind != "python"
        case _:
            return False


def new_contact_id(now: float) -> str:
    """Sortable by time, and not to be guessed: 11 hex digits of milliseconds, 10 of chance."""
    return f"{int(now * 1000):011x}{secrets.token_hex(5)}"


def _secret(path: Path) -> bytes:
    """A secret of this data folder, made at the first start."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    value = secrets.token_bytes(32)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(value)
    return value
