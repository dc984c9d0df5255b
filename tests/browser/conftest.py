"""What every test with a real browser needs: the built pages, chromium, the bench on the import path."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "peer")]


@pytest.fixture(scope="session", autouse=True)
def pages_and_browser() -> None:
    """Fail, rather than skip: a bench that silently tests nothing proves nothing."""
    from centrala.web.desktop import DIST

    if shutil.which("chromium") is None:
        pytest.fail("not installed: chromium. On Debian: apt-get install chromium")
    if not (DIST / "index.html").is_file():
        pytest.fail("the pages weren't built: run `make desktop`")


@pytest.fixture(autouse=True)
def ports_come_back() -> Iterator[None]:
    """What a test was given of ports, others may have after it."""
    from bench import ports

    yield
    ports.give_back()
