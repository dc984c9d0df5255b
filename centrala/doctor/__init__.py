"""`centrala doctor`: looks at everything that a centre needs, and says what is wrong and what to do about it.

Changes nothing, needs nothing to be stopped, and works beside a running centre: what it starts, it starts in a
temporary folder on free ports.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from centrala.doctor import machine, names, trial
from centrala.doctor.sheet import Sheet
from centrala.ledger import DataFolderError, LedgerUnavailable
from centrala.media.client import WorkerDidNotStart
from centrala.testing.phone import PhoneError

__all__ = ["doctor"]

Check = Callable[[], Awaitable[str]]
TRIAL_SECONDS = 45.0


def doctor(config: Path | None, data: Path | None) -> int:
    """Examine this machine, the centre's file and its data folder; a line each. 0: no problem was found."""
    sheet = Sheet()
    with _quiet_log() as logged:
        machine.programs(sheet)
        settings = machine.file(sheet, config)
        running = machine.data_folder(sheet, data)
        if settings is not None:
            names.trunks(sheet, settings)
            machine.listeners(sheet, settings, running)
            machine.media_ports(sheet, settings.listen.media, running)
            machine.addresses(sheet, settings.listen.media)
        machine.loopback(sheet)
        for title, check in (("media worker", trial.media_worker), ("call to itself", trial.call_to_itself)):
            asyncio.run(_try(sheet, title, check, logged))
    sheet.end()
    return 1 if sheet.problems else 0


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


async def _try(sheet: Sheet, title: str, check: Check, logged: list[str]) -> None:
    before = len(logged)
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            sheet.ok(title, await check())
    except (
        trial.Wrong,
        WorkerDidNotStart,
        PhoneError,
        DataFolderError,
        LedgerUnavailable,
        OSError,
    ) as problem:
        said = "; ".join(logged[before:][:3])
        text = str(problem) or type(problem).__name__
        sheet.problem(
            title, f"{text}{f' ({said})' if said else ''}", "Tell the makers, with this whole output."
        )
