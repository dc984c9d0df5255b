"""The compiler, in one place: typed, cached on disk, without the interpreter's lock."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba  # type: ignore[import-untyped, import-not-found, unused-ignore]

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Machine code at the first call. `a * b + c` may become one instruction, which only rounds less."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})(function))


def inlined(function: F) -> F:
    """The same for what is called in the innermost loops."""
    return cast(
        F,
        numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"}, inline="always")(
            function
        ),
    )
