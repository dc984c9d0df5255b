"""What is ordered from a kind of errand, and what it gives back: the one shape of all kinds."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from centrala.core.flow.expression import NAME
from centrala.core.private import Value

Exit = Literal["found", "unknown", "next", "failed"]

MAX_TEXT = 4096
"Characters of a value; what is longer is cut off, as flows reckon with no longer ones."
MAX_VALUES = 100
_EXACT = 2**53


class Failed(Exception):
    """The errand can't be done. `code` goes to the flow, the sentence to the log: it holds no personal data."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Order:
    """A `RunErrand` with its arguments in the open; shows them to nobody who prints it."""

    tenant: str
    contact: str
    errand: str
    settings: Mapping[str, str]
    arguments: Mapping[str, str] = field(repr=False)
    take: Mapping[str, str]
    into: str
    timeout: float
    cache: float


@dataclass(frozen=True, slots=True)
class Result:
    exit: Exit
    values: Mapping[str, Value] = field(default_factory=dict, repr=False)
    "By variable, with `into` before it where the kind does so."
    problem: str = ""
    "Code of what went wrong though the errand is done."


Kind = Callable[[Order], Awaitable[Result]]
"""Does an order within its timeout, or raises Failed. May be called again for the same errand: does it once then."""


def plain(value: Any) -> Value:
    """A value as a flow may hold it: NULs (which mark secrets) and lone surrogates out of texts, long ones cut off.

    Integers that no float holds exactly become text; lists, objects and what is no number become nothing.
    """
    match value:
        case None | bool():
            return value
        case int():
            return value if -_EXACT <= value <= _EXACT else _digits(value)
        case float():
            return value if math.isfinite(value) else None
        case str():
            return text(value)
        case _:
            return None


def text(value: str) -> str:
    cut = value[:MAX_TEXT].replace("\x00", "")
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")


def _digits(value: int) -> Value:
    return str(value) if value.bit_length() < 4 * MAX_TEXT // 2 else None


def variable(name: str) -> bool:
    """Whether a flow can name this: letters, digits, _, with dots between."""
    return len(name) <= 64 and NAME.match(name) is not None


def spoken_of(text: str) -> str:
    """A text of somebody else's as it may stand in a log line: short, on one line."""
    return "".join(one if one.isprintable() else " " for one in text[:120])
