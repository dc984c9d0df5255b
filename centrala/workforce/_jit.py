"""The compiler, in one place: typed, cached on disk, without the interpreter's lock."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba  # type: ignore[import-untyped, import-not-found, unused-ignore]

F = TypeVar("F", bound=Callable[..., object])


def _drop_stale() -> None:
    """numba looks at the file of a function alone, but its machine code holds what it calls from other files too."""
    with suppress(OSError, ValueError):
        folder = Path(__file__).parent
        newest = max(source.stat().st_mtime for source in folder.rglob("*.py"))
        for kept in folder.rglob("__pycache__/*.nb[ic]"):
            if kept.stat().st_mtime < newest:
                kept.unlink(missing_ok=True)


_drop_stale()


def compiled(function: F) -> F:
    """Machine code at the first call. `a * b + c` may become one instruction, which only rounds less."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        return cast(F, numba.njit(cache=True, **options)(function))
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written: compile anew in each process.
        return cast(F, numba.njit(**options)(function))
