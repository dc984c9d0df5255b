"""`centrala doctor`: looks at everything that a centre needs, and says what is wrong and what to do about it.

Changes nothing, needs nothing to be stopped, and works beside a running centre: what it starts, it starts in a
temporary folder on free ports.
"""

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import platform
import re
import shutil
import socket
import ssl
import statistics
import sys
import tempfile
import time
import wave
from collections.abc import Awaitable, Callable, Iterator
from importlib import metadata
from pathlib import Path

import numpy as np

from centrala.ledger import DataFolderError, LedgerUnavailable, contacts
from centrala.ledger.log import LOCK
from centrala.ledger.schema import FILE, open_to_read
from centrala.media import messages as m
from centrala.media.client import MediaClient, WorkerDidNotStart
from centrala.protocols.rtp.g711 import decode_alaw
from centrala.protocols.rtp.packet import Packet
from centrala.protocols.rtp.packet import parse as parse_rtp
from centrala.server import Server
from centrala.settings import Listener, MediaSettings, Settings, SettingsError, load, parse
from centrala.testing import ports, voices
from centrala.testing.phone import PhoneError, Phones, answer_after

HOST = "127.0.0.1"
LEAST_DISK = 500 << 20
"""Bytes below which a full disk is near: recordings take 32 kB a second of conversation."""
GOOD_DISK = 5 << 30
SLOW_COMMIT = 0.020
"""Seconds; a disk that takes longer to store delays every answer by as much."""
LEAST_PAIRS = 64
CALLER_TONE, AGENT_TONE = 2400, 2840


def doctor(config: Path | None, data: Path | None) -> int:
    """Examine this machine, the centre's file and its data folder; a line each. 0: no problem was found."""
    sheet = _Sheet()
    with _quiet_log() as logged:
        _programs(sheet)
        settings = _file(sheet, config)
        running = _data_folder(sheet, data)
        if settings is not None:
            _listeners(sheet, settings, running)
            _media_ports(sheet, settings.listen.media, running)
            _addresses(sheet, settings.listen.media)
        _loopback(sheet)
        for title, check in (("media worker", _media_worker), ("call to itself", _call_to_itself)):
            asyncio.run(_bounded(sheet, title, check, logged))
    sheet.end()
    return 1 if sheet.problems else 0


class _Sheet:
    """The findings, printed as they come."""

    def __init__(self) -> None:
        self.problems = 0
        self._colour = sys.stdout.isatty()

    def ok(self, title: str, text: str) -> None:
        self._line("ok", "32", title, text)

    def note(self, title: str, text: str) -> None:
        self._line("note", "33", title, text)

    def problem(self, title: str, text: str, todo: str) -> None:
        self.problems += 1
        self._line("PROBLEM", "1;31", title, f"{text}. {todo}" if todo else text)

    def end(self) -> None:
        if self.problems:
            print(f"\n{self.problems} problem{'s' if self.problems > 1 else ''} found.")  # noqa: T201
        else:
            print("\nNo problem found.")  # noqa: T201

    def _line(self, word: str, colour: str, title: str, text: str) -> None:
        shown = f"\x1b[{colour}m{word:<8}\x1b[0m" if self._colour else f"{word:<8}"
        print(f"{shown} {title:<15} {text}", flush=True)  # noqa: T201


@contextlib.contextmanager
def _quiet_log() -> Iterator[list[str]]:
    """What the parts log while they are tried; shown when they fail."""
    logged: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(f"{record.name}: {record.getMessage()}")

    keeper = Keeper(logging.WARNING)
    logging.getLogger().addHandler(keeper)
    try:
        yield logged
    finally:
        logging.getLogger().removeHandler(keeper)


# --- programs ---


def _programs(sheet: _Sheet) -> None:
    version = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    sheet.ok("Python", f"{version}, {os.cpu_count()} cores")
    try:
        wanted = metadata.requires("centrala") or []
        own = metadata.version("centrala")
    except metadata.PackageNotFoundError:
        sheet.problem("packages", "Centrala isn't installed", "Run `pip install .` in its folder.")
        return
    have, wrong = [f"centrala {own}"], []
    for line in wanted:
        if "extra ==" in line:
            continue
        name = re.split(r"[\s<>=!~;\[(]", line, maxsplit=1)[0]
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        have.append(f"{name} {installed}")
        least = re.search(r">=\s*([0-9.]+)", line)
        if least is not None and _numbers(installed) < _numbers(least[1]):
            wrong.append(f"{name} {installed} is older than {least[1]}")
    if wrong:
        sheet.problem("packages", "; ".join(wrong), "Run `pip install --upgrade centrala`.")
    else:
        sheet.ok("packages", ", ".join(have))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


# --- the file and the folder ---


def _file(sheet: _Sheet, config: Path | None) -> Settings | None:
    if config is None:
        sheet.note("file", "none was given: `centrala doctor --config centre.yaml` examines yours")
        return None
    try:
        settings = load(config)
    except SettingsError as problem:
        lines = str(problem).splitlines()
        for line in lines:
            sheet.problem("file", line, "")
        return None
    for warning in settings.warnings:
        sheet.note("file", warning)
    tenants = settings.tenants.values()
    sheet.ok(
        "file",
        f"{config}: {len(settings.tenants)} tenant(s), {sum(len(t.queues) for t in tenants)} queue(s),"
        f" {sum(len(t.agents) for t in tenants)} agent(s), {sum(len(t.numbers) for t in tenants)} number(s)",
    )
    return settings


def _data_folder(sheet: _Sheet, data: Path | None) -> int | None:
    """The process of the centre that runs on the folder, if one does."""
    if data is None:
        sheet.note("data folder", "none was given: `centrala doctor --data DIR` examines yours")
        with tempfile.TemporaryDirectory(prefix="centrala-doctor-") as own:
            _commits(sheet, Path(own))
        return None
    folder = data
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        sheet.problem("data folder", f"{folder} is no folder", "Choose another one with --data.")
        return None
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        sheet.problem(
            "data folder",
            f"{folder} can't be written ({problem.strerror})",
            f"Give this user the right to (`chown {_user()} {folder}`), or choose another one with --data.",
        )
        return None
    running = _owner(data)
    if not data.exists():
        sheet.ok("data folder", f"{data} doesn't exist yet and can be made")
    elif running is not None:
        sheet.ok("data folder", f"{data} is writable; a centre runs on it (process {running})")
    else:
        sheet.ok("data folder", f"{data} is writable, no centre runs on it")
    _disk(sheet, folder)
    _commits(sheet, folder)
    if (data / FILE).exists():
        _ledger(sheet, data)
    return running


def _user() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return str(os.getuid())


def _owner(data: Path) -> int | None:
    try:
        with (data / LOCK).open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read(20).strip() or 0)
    except (OSError, ValueError):
        return None
    return None


def _disk(sheet: _Sheet, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    hours = free / 32_000 / 3600
    text = f"{free / 1e9:.1f} GB free: {hours:,.0f} hours of recorded conversation"
    if free < LEAST_DISK:
        sheet.problem("disk", text, "Make room, or put the data folder on another disk.")
    elif free < GOOD_DISK:
        sheet.note("disk", text)
    else:
        sheet.ok("disk", text)


def _commits(sheet: _Sheet, folder: Path) -> None:
    took = []
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            for _ in range(15):
                file.write(b"x" * 4096)
                before = time.perf_counter()
                os.fdatasync(file.fileno())
                took.append(time.perf_counter() - before)
    except OSError as problem:
        sheet.problem(
            "commit time", f"{folder} can't be written ({problem.strerror})", "Look after the disk."
        )
        return
    middle = statistics.median(took)
    text = f"{1000 * middle:.1f} ms to store safely (median), {1000 * max(took):.1f} ms at worst"
    if middle > SLOW_COMMIT:
        sheet.problem(
            "commit time", text, "Calls are answered so much later: use a local SSD, no network disk."
        )
    else:
        sheet.ok("commit time", text)


def _ledger(sheet: _Sheet, data: Path) -> None:
    try:
        with contextlib.closing(open_to_read(data)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            rows = db.execute("SELECT max(rowid) FROM log").fetchone()[0] or 0
    except (DataFolderError, LedgerUnavailable) as problem:
        sheet.problem("ledger", str(problem).rstrip("."), "")
        return
    except Exception as problem:
        sheet.problem(
            "ledger", f"it can't be read ({problem})", "Restore the last backup: `centrala restore`."
        )
        return
    sheet.ok("ledger", f"version {version}, {rows:,} rows")


# --- ports and addresses ---


def _listeners(sheet: _Sheet, settings: Settings, running: int | None) -> None:
    wanted = list(settings.listen.sip)
    if settings.listen.http is not None:
        wanted.append(Listener("tcp", *settings.listen.http))
    for one in wanted:
        where = f"{one.transport}:{one.host}:{one.port}"
        kind = socket.SOCK_DGRAM if one.transport == "udp" else socket.SOCK_STREAM
        if one.certificate is not None:
            _certificate(sheet, one)
        try:
            free = ports.is_free(one.host, one.port, kind)
        except OSError as problem:
            _no_address(sheet, where, one.host, problem)
            continue
        if free:
            sheet.ok("port", f"{where} is free")
            continue
        owner = holder(one.port, kind)
        if owner is not None and owner[0] == running:
            sheet.ok("port", f"{where} is held by the centre on this data folder")
        elif one.port < 1024 and owner is None and os.geteuid() != 0:
            sheet.problem(
                "port", f"{where} can't be had", "Ports below 1024 need rights: CAP_NET_BIND_SERVICE."
            )
        else:
            by = f"by {owner[1]} (process {owner[0]})" if owner is not None else "by another program"
            sheet.problem(
                "port", f"{where} is taken {by}", "Stop that program, or change listen in the file."
            )


def _no_address(sheet: _Sheet, where: str, host: str, problem: OSError) -> None:
    if problem.errno == errno.EADDRNOTAVAIL:
        text = f"{where}: {host} is not an address of this machine"
        sheet.problem("address", text, "See `ip address` for those that are; 0.0.0.0 means all of them.")
    else:
        text = f"{where} can't be opened ({problem.strerror or problem})"
        sheet.problem("address", text, "Correct listen in the file.")


def _certificate(sheet: _Sheet, one: Listener) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(str(one.certificate), one.key)
    except (OSError, ssl.SSLError) as problem:
        sheet.problem(
            "certificate",
            f"{one.certificate} with {one.key}: {problem.strerror or problem}",
            "Both must be PEM files that this user can read, and belong together.",
        )


def holder(port: int, kind: socket.SocketKind) -> tuple[int, str] | None:
    """Process and name of who holds a port; None where the system doesn't tell."""
    inodes = set()
    for table in ("udp", "udp6") if kind is socket.SOCK_DGRAM else ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                listening = kind is socket.SOCK_DGRAM or fields[3] == "0A"
                if listening and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return None
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for handle in (process / "fd").iterdir():
                if str(handle.readlink()) in inodes:
                    name = (process / "comm").read_text().strip()
                    return int(process.name), name
    return None


def _media_ports(sheet: _Sheet, media: MediaSettings, running: int | None) -> None:
    low, high = media.ports
    first = low + low % 2
    where = f"{media.address}, {low} to {high}"
    try:
        free = sum(
            ports.is_free(media.address, port) and ports.is_free(media.address, port + 1)
            for port in range(first, high, 2)
        )
    except OSError as problem:
        _no_address(sheet, "listen.media.address", media.address, problem)
        return
    pairs = (high - first + 1) // 2
    text = f"{where}: {free:,} of {pairs:,} pairs free; a conversation takes two"
    if free >= LEAST_PAIRS or (free and free == pairs):
        sheet.ok("media ports", text)
    elif running is not None:
        sheet.note("media ports", f"{text}; the running centre holds its own")
    else:
        sheet.problem("media ports", text, "Give listen.media.ports another or a wider range.")


def _addresses(sheet: _Sheet, media: MediaSettings) -> None:
    told = media.advertised_address or media.address
    if told in ("0.0.0.0", "::"):
        sheet.problem(
            "advertised", f"phones would be told to send audio to {told}",
            "Set listen.media.advertised_address to the address that they reach.",
        )  # fmt: skip
    elif not _ours(told):
        sheet.note(
            "advertised",
            f"{told} is not an address of this machine: right behind a NAT that forwards the media ports,"
            " wrong anywhere else",
        )
    elif told.startswith("127.") or told == "::1":
        sheet.note("advertised", f"{told}: only phones on this machine will hear anything")
    else:
        sheet.ok("advertised", f"{told} is an address of this machine")


def _ours(address: str) -> bool:
    try:
        return ports.is_free(address, 0)
    except OSError:
        return False


def _loopback(sheet: _Sheet) -> None:
    count, arrived, took = 200, 0, []
    try:
        with ports.bound(HOST) as left, ports.bound(HOST) as right:
            right.settimeout(0.5)
            for number in range(count):
                before = time.perf_counter()
                left.sendto(number.to_bytes(2, "big") * 86, right.getsockname())
                arrived += right.recv(512)[:2] == number.to_bytes(2, "big")
                took.append(time.perf_counter() - before)
    except OSError as problem:
        sheet.problem("UDP", f"loopback doesn't carry it ({problem})", "Look at the firewall's rules for lo.")
        return
    text = (
        f"{arrived} of {count} datagrams came back over loopback, {1e6 * statistics.median(took):.0f} µs each"
    )
    if arrived < count:
        sheet.problem("UDP", text, "Look at the firewall's rules for lo.")
    else:
        sheet.ok("UDP", text)


# --- sound and a call ---

Check = Callable[[], Awaitable[str]]


class _Wrong(Exception):
    """A trial failed; says how."""


async def _bounded(sheet: _Sheet, title: str, check: Check, logged: list[str]) -> None:
    before = len(logged)
    try:
        async with asyncio.timeout(45):
            sheet.ok(title, await check())
    except (_Wrong, WorkerDidNotStart, PhoneError, DataFolderError, LedgerUnavailable, OSError) as problem:
        said = "; ".join(logged[before:][:3])
        text = str(problem) or type(problem).__name__
        sheet.problem(
            title, f"{text}{f' ({said})' if said else ''}", "Tell the makers, with this whole output."
        )


async def _media_worker() -> str:
    """Two legs of a worker of our own, a tone each way, found by its frequency."""
    with tempfile.TemporaryDirectory(prefix="centrala-doctor-") as folder:
        client = MediaClient(
            socket=Path(folder) / "media.sock",
            data=Path(folder),
            address=HOST,
            ports=ports.free_range(HOST, 40000, 20),
            on_event=lambda event: None,
        )
        before = time.perf_counter()
        await client.start()
        started = time.perf_counter() - before
        try:
            async with asyncio.timeout(5):
                while client.free_ports < 2:  # noqa: ASYNC110 a few ticks of the worker
                    await asyncio.sleep(0.02)
            heard = await _two_legs(client)
        except TimeoutError:
            raise _Wrong("the media worker binds no ports") from None
        finally:
            await client.close(quit_worker=True)
    for frequency, samples in heard:
        if voices.pip_seconds(frequency, samples) < 0.5:
            raise _Wrong(f"the tone of {frequency} Hz was not heard through the media worker")
    return f"starts in {1000 * started:.0f} ms; a tone each way was heard through it"


async def _two_legs(client: MediaClient) -> list[tuple[int, voices.Pcm]]:
    """What each of two parties hears of the other, with the tone that it should be."""
    loop = asyncio.get_running_loop()
    tones = (CALLER_TONE, AGENT_TONE)
    with ports.bound(HOST) as left, ports.bound(HOST) as right:
        sockets = (left, right)
        taken = []
        for number, sock in enumerate(sockets):
            sock.setblocking(False)
            port = client.take_port()
            if port is None:
                raise _Wrong("the media worker has no port")
            taken.append(port)
            client.send(m.SetLeg(leg=f"leg{number}", port=port, remote=sock.getsockname()))
        client.send(m.Hear(leg="leg0", sources={"leg1": 1.0}))
        client.send(m.Hear(leg="leg1", sources={"leg0": 1.0}))
        frames = [voices.tone(frequency, 1.0).alaw for frequency in tones]
        heard: list[list[bytes]] = [[], []]
        began = loop.time()
        for tick in range(75):
            for number, sock in enumerate(sockets):
                payload = frames[number][tick % len(frames[number])]
                sock.sendto(Packet(8, tick, 160 * tick, 7 + number, payload).pack(), (HOST, taken[number]))
                with contextlib.suppress(BlockingIOError):
                    while True:
                        packet = parse_rtp(sock.recv(2048))
                        if packet is not None and packet.payload_type == 8:
                            heard[number].append(packet.payload)
            await asyncio.sleep(max(began + 0.02 * (tick + 1) - loop.time(), 0))
    return [
        (tones[1 - number], decode_alaw(np.frombuffer(b"".join(heard[number]), np.uint8)))
        for number in (0, 1)
    ]


CENTRE = """
listen:
  sip: ["udp:{host}:0"]
  media: {{address: {host}, ports: {low}-{high}}}
tenants:
  doctor:
    domain: doctor.example
    trunks: {{carrier: {{address: "{host}:{carrier}"}}}}
    agents: {{agent: {{sip_password: "{password}", ready_on_register: true}}}}
    queues: {{line: {{agents: [agent], record: true, wrap_up: 0s}}}}
    numbers: {{"100": {{queue: line}}}}
"""


async def _call_to_itself() -> str:
    """A whole centre: a caller, a queue, an agent, both heard and recorded, and the record of it."""
    with tempfile.TemporaryDirectory(prefix="centrala-doctor-") as name:
        folder = Path(name)
        async with Phones(HOST) as carrier, Phones(HOST) as house:
            low, high = ports.free_range(HOST, 40000, 40)
            password = os.urandom(12).hex()
            text = CENTRE.format(
                host=HOST, low=low, high=high, carrier=carrier.sip_address[1], password=password
            )
            server = Server(parse(text, folder / "doctor.yaml"), folder)
            await server.start()
            try:
                waited = await _one_call(server, carrier, house, password)
            finally:
                house.hang_up_all()
                carrier.hang_up_all()
                await asyncio.sleep(0.3)
                await server.stop()
        _check_record(folder)
    return f"answered after {waited:.1f} s, both sides heard each other, recorded on two channels, in the records"


async def _one_call(server: Server, carrier: Phones, house: Phones, password: str) -> float:
    where = (HOST, server.settings.listen.sip[0].port)
    agent = house.phone("agent", "doctor.example", where, voices.tone(AGENT_TONE))
    agent.on_call = answer_after(0.3)
    caller = carrier.phone("4800000000", "doctor.example", where, voices.tone(CALLER_TONE))
    try:
        await agent.register(password)
    except TimeoutError:
        raise _Wrong("the agent's phone could not register: no answer within 10 s") from None
    call = caller.call("100")
    try:
        if not await call.answered(10):
            raise _Wrong(f"the call was refused: {call.status} {call.why}")
    except TimeoutError:
        raise _Wrong("the call was not answered within 10 s") from None
    try:
        await call.until(lambda: bool(agent.calls) and agent.calls[0].answered_at is not None, 15)
    except TimeoutError:
        raise _Wrong("the queue didn't bring the caller to the agent within 15 s") from None
    other = agent.calls[0]
    for ear, frequency, who in ((call, AGENT_TONE, "caller"), (other, CALLER_TONE, "agent")):
        try:
            await ear.hear_tone(frequency, 5)
        except TimeoutError:
            raise _Wrong(f"the {who} didn't hear the other side within 5 s") from None
    await asyncio.sleep(1.0)
    call.hang_up()
    try:
        await other.over(5)
    except TimeoutError:
        raise _Wrong("the agent's phone wasn't told that the caller has hung up") from None
    return (other.answered_at or 0.0) - call.began


def _check_record(folder: Path) -> None:
    records = list(contacts(folder))
    if len(records) != 1:
        raise _Wrong(f"there are {len(records)} contact records of one call")
    record = records[0]
    if record["outcome"] != "answered" or record["agent"] != "agent" or record["queue"] != "line":
        raise _Wrong(
            f"the contact record is wrong: {record['outcome']}, {record['agent']}, {record['queue']}"
        )
    if not record["recording"]:
        raise _Wrong("the contact record names no recording")
    try:
        with wave.open(str(folder / str(record["recording"]))) as sound:
            both = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2)
    except (OSError, EOFError, wave.Error, ValueError) as problem:
        raise _Wrong(f"the recording can't be read ({problem})") from None
    for side, frequency in enumerate((CALLER_TONE, AGENT_TONE)):
        if voices.pip_seconds(frequency, np.ascontiguousarray(both[:, side], np.int16)) < 0.5:
            raise _Wrong(f"channel {side} of the recording doesn't hold its side's tone")
