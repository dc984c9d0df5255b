"""What every test with foreign programs needs: the programs, and the bench on the import path."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def foreign_programs() -> None:
    """Fail, rather than skip: a bench that silently tests nothing proves nothing."""
    missing = [name for name in ("sipp", "baresip") if shutil.which(name) is None]
    if missing:
        pytest.fail(
            f"not installed: {', '.join(missing)}. On Debian: apt-get install sip-tester baresip-core"
        )


@pytest.fixture(autouse=True)
def ports_come_back() -> Iterator[None]:
    """What a test was given of ports, others may have after it."""
    from bench import ports

    yield
    ports.give_back()
