"""What is to be spoken, read from what flows hand over: numbers, days, times of day."""

import datetime
import re
from decimal import Decimal, InvalidOperation

LARGEST = 10**15
"Numbers from here on have no words: their digits are read."
PLACES = 6
"Digits behind the point that are spoken; what follows them is rounded."

_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
_PLAIN = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?")
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")
_CLOCK = re.compile(r"(?:.*[T ])?(\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?")


def number(text: str, *, comma_groups: bool = False) -> Decimal | None:
    """A number with point or comma, thousands set apart by blanks or not; None for what is no number or too big.

    `comma_groups`: "1,000" is a thousand, as in English; else it is one.
    """
    text = re.sub(r"(?<=\d)[\s_’']+(?=\d)", "", text.strip().replace("−", "-"))
    if comma_groups and _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    text = text.replace(",", ".", 1)
    if not text.isascii() or not _PLAIN.fullmatch(text):
        return None
    try:
        found = rounded(Decimal(text), PLACES)
    except InvalidOperation:
        return None
    return found if abs(found) < LARGEST else None


def rounded(value: Decimal, places: int) -> Decimal:
    """Half away from zero, without trailing zeros and without a negative zero. Raises InvalidOperation if too big."""
    found = value.quantize(Decimal(1).scaleb(-places), "ROUND_HALF_UP")
    whole = found.to_integral_value()
    return abs(whole) if whole == found == 0 else whole if whole == found else found.normalize()


def listed(words: str) -> list[str]:
    """A table of words, written in one go; "-" stands where there is none."""
    return words.split()


def split(value: Decimal) -> tuple[int, str]:
    """Of what is not negative: the whole part, and the digits behind the point without trailing zeros."""
    whole, _, places = f"{value:f}".partition(".")
    return int(whole), places.rstrip("0")


def day(text: str) -> datetime.date | None:
    """The day of an ISO 8601 date or date and time, as it is written there."""
    found = _DAY.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return datetime.date(*map(int, found.groups()))
    except ValueError:
        return None


def clock(text: str) -> tuple[int, int] | None:
    """Hour 0–23 and minute of an ISO 8601 time, with or without a date, or of seconds after midnight."""
    found = _CLOCK.fullmatch(text.strip())
    if found is not None:
        hour, minute = int(found[1]), int(found[2])
    else:
        seconds = number(text)
        if seconds is None or not 0 <= seconds <= 86_400:
            return None
        hour, minute = divmod(int(seconds) // 60, 60)
    if (hour, minute) == (24, 0):
        hour = 0
    return (hour, minute) if hour < 24 and minute < 60 else None
