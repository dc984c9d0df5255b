"""The errand that asks whether a number may be called: what somebody typed, or the number that they call from."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from centrala.customers.numbers import Rule, callable_as, inland
from centrala.errands.order import Failed, Order, Result
from centrala.ledger import DataFolderError

Address = Callable[[str, str], str | None]
"(tenant, contact) → the number that the contact came from. Called in a thread."

SHOWN = 3
"Digits by which a caller knows the number again."


class Numbers:
    """The kind `number`. `close` ends it.

    Takes the argument `number`; without it the number that the contact came from is meant. Gives INTO.number (E.164),
    INTO.spoken (its digits without the country's code) and INTO.last (the last of them), or INTO.problem: withheld,
    wrong, short, premium or foreign.
    """

    def __init__(self, address: Address, rule: Callable[[str], Rule]) -> None:
        self._address = address
        self._rule = rule
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="numbers")

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, order: Order) -> Result:
        loop = asyncio.get_running_loop()
        into = order.into or "number"
        typed: str | None = order.arguments.get("number", "")
        if not typed:
            try:
                typed = await loop.run_in_executor(self._threads, self._address, order.tenant, order.contact)
            except (DataFolderError, sqlite3.Error) as problem:
                raise Failed("UNREADABLE", f"the caller's number can't be read now ({problem})") from None
        # The plans of all countries take some tenths of a second to be read, the first time.
        return await loop.run_in_executor(self._threads, self._judged, order.tenant, typed, into)

    def _judged(self, tenant: str, typed: str | None, into: str) -> Result:
        country, others = self._rule(tenant)
        number, problem = callable_as(typed, country, others)
        if problem is not None:
            return Result("unknown", {f"{into}.problem": problem})
        spoken = inland(number)
        return Result(
            "found", {f"{into}.number": number, f"{into}.spoken": spoken, f"{into}.last": spoken[-SHOWN:]}
        )
