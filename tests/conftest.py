"""Every test module names its kind with one marker, so that `make check` and `make test` know what they run."""

import os
from itertools import groupby

import pytest

# Hundreds of tests start a centre in a process of its own: without compiled files each start takes twice as long.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

TIMED = {"peer", "browser"}
"""Foreign programs and real time on shared cores: a test that fails gets one more try, and pytest says so (RERUN)."""

KINDS = {"unit", "peer", "browser", "sim", "load", "fuzz", "soak"}


def mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests of foreign programs, which mostly wait, spread evenly among those that reckon; modules stay whole."""
    kinds: tuple[list[list[pytest.Item]], list[list[pytest.Item]]] = ([], [])
    for _, group in groupby(items, key=lambda item: item.location[0]):
        module = list(group)
        kinds[not TIMED & {mark.name for mark in module[0].iter_markers()}].append(module)
    placed = []
    for modules in kinds:
        total, before = sum(map(len, modules)), 0
        for module in modules:
            placed.append(((before + len(module) / 2) / total, module))
            before += len(module)
    return [item for _, module in sorted(placed, key=lambda one: one[0]) for item in module]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not KINDS & {mark.name for mark in item.iter_markers()}:
            raise pytest.UsageError(
                f"{item.location[0]}: names no kind. Add e.g. `pytestmark = pytest.mark.unit`."
            )
        if TIMED & {mark.name for mark in item.iter_markers()}:
            item.add_marker(pytest.mark.flaky(reruns=1))
    items[:] = mixed(items)
