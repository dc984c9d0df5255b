"""Told of contacts in a flow."""

from dataclasses import dataclass

from centrala.core.private import Private


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """By a caller who is in a flow, or waits in a queue."""

    at: float
    contact: str
    digit: Private
    "0-9, *, #, A-D. While digits are masked: x for 0-9; the channel keeps what it was."


@dataclass(frozen=True, slots=True)
class Said:
    """A prompt has come to its end, or could not be said."""

    at: float
    contact: str
    prompt: str
    "As in `Say`."
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MessageTaken:
    """What the caller said is stored: they fell silent, pressed the terminator, or it got too long."""

    at: float
    contact: str
    message: str
    "As in `TakeMessage`."
    path: str
    "Below the data folder; empty when nothing was recorded."
    seconds: float


@dataclass(frozen=True, slots=True)
class ErrandDone:
    at: float
    contact: str
    errand: str
    "As in `RunErrand`."
    exit: str
    "found, unknown, next or failed."
    values: dict[str, Private]
    "What came back, by variable."
    problem: str = ""
    "Code of why it failed: TIMEOUT, REFUSED, NONSENSE, TOO_LONG …"
