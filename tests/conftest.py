"""Every test module names its kind with one marker, so that `make check` and `make test` know what they run."""

import pytest

KINDS = {"unit", "peer", "browser", "sim", "load", "fuzz", "soak"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not KINDS & {mark.name for mark in item.iter_markers()}:
            raise pytest.UsageError(
                f"{item.location[0]}: names no kind. Add e.g. `pytestmark = pytest.mark.unit`."
            )
