"""What may be asked: every number is looked at once, and the sentence says which one is wrong."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrala.workforce.errors import BadInput, NoAgents

Floats = NDArray[np.float64]

MOST_ERLANGS = 1e9
"More than every telephone of the world at once: whoever asks for it has mixed up units."


def numbers(what: str, values: ArrayLike) -> Floats:
    """The values as floats. Raises BadInput for what is no number, and for NaN."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput(f"{what}: {str(values)[:60]!r} is no number") from None
    refuse(what, array, np.isnan(array), "must be a number")
    return array


def positive(what: str, values: ArrayLike, *, finite: bool = True) -> Floats:
    array = numbers(what, values)
    wrong = ~(array > 0)
    if finite:
        wrong |= np.isinf(array)
    refuse(what, array, wrong, "must be above 0" + (" and finite" if finite else ""))
    return array


def not_negative(what: str, values: ArrayLike, *, finite: bool = True) -> Floats:
    array = numbers(what, values)
    wrong = ~(array >= 0)
    if finite:
        wrong |= np.isinf(array)
    refuse(what, array, wrong, "must be 0 or more" + (" and finite" if finite else ""))
    return array


def share(what: str, values: ArrayLike) -> Floats:
    array = numbers(what, values)
    refuse(what, array, ~((array >= 0) & (array <= 1)), "is a share, from 0 to 1")
    return array


def agents_of(values: ArrayLike) -> Floats:
    array = numbers("agents", values)
    refuse("agents", array, array <= 0, "must be above 0: nobody serves the queue", NoAgents)
    refuse("agents", array, array > MOST_ERLANGS, f"must be at most {MOST_ERLANGS:.0e}")
    return array


def load_of(per_hour: Floats, handling: Floats) -> Floats:
    load = per_hour * (handling / 3600.0)
    refuse(
        "load in Erlangs", load, load > MOST_ERLANGS, f"must be at most {MOST_ERLANGS:.0e}; check the units"
    )
    return np.asarray(load)


def refuse(
    what: str,
    values: Floats,
    wrong: NDArray[np.bool_],
    rule: str,
    error: Callable[[str], Exception] = BadInput,
) -> None:
    """Raise for the first value that is wrong, with its place where there are several."""
    if not np.any(wrong):
        return
    first = int(np.argmax(np.ravel(wrong)))
    value = float(np.ravel(np.broadcast_to(values, np.shape(wrong)))[first])
    count = int(np.count_nonzero(wrong))
    if np.ndim(wrong) == 0:
        raise error(f"{what}: {value:g} {rule}")
    place = ", ".join(str(int(one)) for one in np.unravel_index(first, np.shape(wrong)))
    more = f" (and {count - 1} more like it)" if count > 1 else ""
    raise error(f"{what}[{place}]: {value:g} {rule}{more}")


def together(**arrays: Floats) -> list[Floats]:
    """All of one shape. Raises BadInput where they don't fit each other."""
    try:
        return [np.array(one, order="C") for one in np.broadcast_arrays(*arrays.values())]
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(one)}" for name, one in arrays.items())
        raise BadInput(f"these don't fit each other: {shapes}") from None


def plain(array: NDArray[Any]) -> Any:
    """A number for a single question, an array for many."""
    return np.asarray(array).item() if np.ndim(array) == 0 else array


def whole(what: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise BadInput(f"{what}: {value!r} must be a whole number from {least} on")
    return int(value)


def one_positive(what: str, value: float, *, finite: bool = True) -> float:
    number = float(plain(positive(what, value, finite=finite)))
    if not finite and math.isinf(number):
        return math.inf
    return number
