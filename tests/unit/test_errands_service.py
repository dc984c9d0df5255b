"""The shell around errands: exactly one answer to each, whatever a kind does, and none before it is written down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from centrala.core.commands import RunErrand
from centrala.core.facts import ErrandDone, Fact
from centrala.core.private import Private
from centrala.customers import open_customers
from centrala.errands import Errands, Failed, Order, Result
from centrala.errands import service as service_module
from centrala.settings.reading import parse

pytestmark = pytest.mark.unit

CENTRE = """
tenants:
  acme:
    domain: acme.example
    agents: {alice: {}}
    queues: {sales: {}}
    numbers: {"100": {queue: sales}}
"""


def command(number: int = 1, kind: Any = "http", timeout: float = 1.0) -> RunErrand:
    arguments = {"url": Private("http://x"), "nothing": Private(None), "count": Private(3)}
    return RunErrand("c1", f"c1:{number}", kind, {"method": "GET"}, arguments, {}, "", timeout, 0.0)


def play(
    tmp_path: Path,
    kind: Callable[[Order], Awaitable[Result]],
    play_on: Callable[[Errands, list[Any]], Awaitable[None]],
) -> list[ErrandDone]:
    told: list[Any] = []

    async def scene() -> None:
        customers = open_customers(tmp_path, lambda tenant: "PL")

        def tell(tenant: str, fact: Fact) -> None:
            assert tenant == "acme"
            told.append(fact)

        errands = Errands(
            parse(CENTRE, tmp_path / "centre.yaml"),
            tmp_path,
            tell=tell,
            now=lambda: 5.0,
            customers=customers,
            secret=lambda *_: None,
        )
        errands.kinds["http"] = kind
        await errands.start()
        try:
            await play_on(errands, told)
        finally:
            await errands.stop()
            customers.close()

    asyncio.run(scene())
    return told


def release(errands: Errands) -> None:
    held = errands.collect()
    assert held.release is not None
    held.release()


async def until(told: list[Any], count: int) -> None:
    async with asyncio.timeout(20):
        while len(told) < count:
            await asyncio.sleep(0.01)


def test_an_errand_is_done_once_it_is_written_and_told_once(tmp_path: Path) -> None:
    orders: list[Order] = []

    async def kind(order: Order) -> Result:
        orders.append(order)
        return Result("next", {"a": "secret words", "b": 2})

    async def scene(errands: Errands, told: list[Any]) -> None:
        errands.perform("acme", command())
        errands.perform("acme", command())  # said again: the same errand
        await asyncio.sleep(0.05)
        assert not orders, "not written down yet"
        release(errands)
        await until(told, 1)
        assert errands.collect().release is None
        await asyncio.sleep(0.05)

    told = play(tmp_path, kind, scene)
    assert told == [
        ErrandDone(5.0, "c1", "c1:1", "next", {"a": Private("secret words"), "b": Private(2)}, "")
    ]
    (order,) = orders
    assert order.arguments == {"url": "http://x", "nothing": "", "count": "3"}
    assert "http://x" not in repr(order)
    assert "secret words" not in repr(told)


async def refuses(order: Order) -> Result:
    raise Failed("REFUSED", "it can't be")


async def breaks(order: Order) -> Result:
    raise KeyError("+48600100200")


async def hangs(order: Order) -> Result:
    await asyncio.sleep(1000)
    raise AssertionError


async def stubborn(order: Order) -> Result:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("kind", "problem"),
    [(refuses, "REFUSED"), (breaks, "BROKE_DOWN"), (hangs, "TIMEOUT"), (stubborn, "STOPPED")],
)
def test_whatever_a_kind_does_there_is_one_answer(tmp_path: Path, kind: Any, problem: str) -> None:
    async def scene(errands: Errands, told: list[Any]) -> None:
        for number in range(3):
            errands.perform("acme", command(number, timeout=0.1))
        release(errands)
        await until(told, 3)

    told = play(tmp_path, kind, scene)
    assert sorted(one.errand for one in told) == ["c1:0", "c1:1", "c1:2"]
    assert {(one.exit, one.problem, len(one.values)) for one in told} == {("failed", problem, 0)}


def test_what_runs_or_waits_at_the_stop_has_failed(tmp_path: Path) -> None:
    async def scene(errands: Errands, told: list[Any]) -> None:
        errands.perform("acme", command(1, timeout=60.0))
        release(errands)
        await asyncio.sleep(0.05)
        errands.perform("acme", command(2))

    told = play(tmp_path, hangs, scene)
    assert sorted((one.errand, one.exit, one.problem) for one in told) == [
        ("c1:1", "failed", "STOPPED"),
        ("c1:2", "failed", "STOPPED"),
    ]


def test_errands_without_end_are_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "MOST_AT_ONCE", 5)

    async def scene(errands: Errands, told: list[Any]) -> None:
        for number in range(8):
            errands.perform("acme", command(number, timeout=60.0))
        release(errands)
        await until(told, 3)

    told = play(tmp_path, hangs, scene)
    assert [one.problem for one in told].count("BUSY") == 3
    assert len(told) == 8


def test_a_failure_is_said_once_and_without_what_the_caller_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(errands: Errands, told: list[Any]) -> None:
        for number in range(50):
            errands.perform("acme", command(number))
        release(errands)
        await until(told, 50)

    with caplog.at_level(logging.INFO):
        play(tmp_path, refuses, scene)
    assert len([one for one in caplog.records if "REFUSED" in one.getMessage()]) == 1


def test_no_kind_no_table_no_mail_no_tenant_are_answers_too(tmp_path: Path) -> None:
    async def scene(errands: Errands, told: list[Any]) -> None:
        for number, kind in enumerate(("table", "mail", "python", "spell")):
            errands.perform("acme", command(number, kind, 20.0))
        release(errands)
        await until(told, 4)

    told = play(tmp_path, refuses, scene)
    assert {one.errand: one.problem for one in told} == {
        "c1:0": "NO_TABLE",
        "c1:1": "NO_MAIL",
        "c1:2": "NO_FUNCTION",
        "c1:3": "NO_KIND",
    }
