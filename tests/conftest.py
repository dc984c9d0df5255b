"""Every test module names its kind with one marker, so that `make check` and `make test` know what they run."""

import os

import pytest

# Hundreds of tests start a centre in a process of its own: without compiled files each start takes twice as long.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

TIMED = {"peer", "browser"}
"""Foreign programs and real time on shared cores: a test that fails gets one more try, and pytest says so (RERUN)."""

KINDS = {"unit", "peer", "browser", "sim", "load", "fuzz", "soak"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not KINDS & {mark.name for mark in item.iter_markers()}:
            raise pytest.UsageError(
                f"{item.location[0]}: names no kind. Add e.g. `pytestmark = pytest.mark.unit`."
            )
        if TIMED & {mark.name for mark in item.iter_markers()}:
            item.add_marker(pytest.mark.flaky(reruns=1))
