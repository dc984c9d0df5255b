"""What is there before a centre starts: programs, the file, the folder, the disk, ports and addresses."""

import contextlib
import errno
import fcntl
import os
import platform
import re
import shutil
import socket
import ssl
import statistics
import tempfile
import time
from importlib import metadata
from pathlib import Path

from centrala.doctor.sheet import Sheet
from centrala.ledger import DataFolderError, LedgerUnavailable, codec
from centrala.ledger.log import LOCK
from centrala.ledger.schema import FILE, open_to_read
from centrala.settings import Listener, MediaSettings, Settings, SettingsError, load
from centrala.testing import ports

HOST = "127.0.0.1"
LEAST_DISK = 500 << 20
"""Bytes below which a full disk is near: recordings take 32 kB a second of conversation."""
GOOD_DISK = 5 << 30
SLOW_COMMIT = 0.020
"""Seconds; a disk that takes longer to store delays every answer by as much."""
LEAST_PAIRS = 64


# --- programs ---


def programs(sheet: Sheet) -> None:
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


def file(sheet: Sheet, config: Path | None) -> Settings | None:
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


def data_folder(sheet: Sheet, data: Path | None) -> int | None:
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


def _disk(sheet: Sheet, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    hours = free / 32_000 / 3600
    text = f"{free / 1e9:.1f} GB free: {hours:,.0f} hours of recorded conversation"
    if free < LEAST_DISK:
        sheet.problem("disk", text, "Make room, or put the data folder on another disk.")
    elif free < GOOD_DISK:
        sheet.note("disk", text)
    else:
        sheet.ok("disk", text)


def _commits(sheet: Sheet, folder: Path) -> None:
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


def _ledger(sheet: Sheet, data: Path) -> None:
    try:
        with contextlib.closing(open_to_read(data)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            rows = sum(codec.last_seq(db, tenant) for tenant in codec.tenants(db))
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


def listeners(sheet: Sheet, settings: Settings, running: int | None) -> None:
    wanted = list(settings.listen.sip)
    if settings.listen.http is not None:
        wanted.append(Listener("tcp", *settings.listen.http))
    if settings.listen.https is not None:
        https = settings.listen.https
        wanted.append(Listener("tcp", *https.address, https.certificate, https.key))
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


def _no_address(sheet: Sheet, where: str, host: str, problem: OSError) -> None:
    if problem.errno == errno.EADDRNOTAVAIL:
        text = f"{where}: {host} is not an address of this machine"
        sheet.problem("address", text, "See `ip address` for those that are; 0.0.0.0 means all of them.")
    else:
        text = f"{where} can't be opened ({problem.strerror or problem})"
        sheet.problem("address", text, "Correct listen in the file.")


def _certificate(sheet: Sheet, one: Listener) -> None:
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


def media_ports(sheet: Sheet, media: MediaSettings, running: int | None) -> None:
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


def addresses(sheet: Sheet, media: MediaSettings) -> None:
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


def loopback(sheet: Sheet) -> None:
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
