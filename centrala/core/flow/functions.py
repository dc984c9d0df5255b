"""The values that a flow reckons with: what counts as a number, what is equal, and the functions by name.

Nothing here raises, whatever the values; nothing takes longer than in proportion to its texts.
"""

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from centrala.core.private import Value

LONGEST = 4_096
"Characters of any text that an expression gives."
LARGEST = 10**18

_NUMERIC = re.compile(r"\s*[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?\s*\Z")

# --- values ---


def number(value: Value) -> int | float | None:
    """The number that this is or, as a text, stands for; None when it is none. Whole numbers come as int."""
    if isinstance(value, str):
        if not _NUMERIC.match(value):
            return None
        value = float(value) if "." in value else int(value)
    elif isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        if value.is_integer():
            value = int(value)
    return value if -LARGEST < value < LARGEST else None


def settled(value: Value) -> int | float | None:
    """The number as people see it and as it is compared: 15 digits that count, at most 10 of them after the point.

    That hides what binary fractions do to money: 0.1 + 0.2 is 0.3.
    """
    figure = number(value)
    return number(round(float(f"{figure:.15g}"), 10)) if isinstance(figure, float) else figure


def text(value: Value) -> str:
    """What is filled in for a value: nothing is empty, numbers have a point and no exponent. At most `LONGEST` long."""
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, bool):
        return "true" if value else "false"
    figure = settled(value)
    if figure is None:
        return ""
    return str(figure) if isinstance(figure, int) else format(Decimal(f"{figure:.15g}"), "f")


def truth(value: Value) -> bool:
    """Nothing, false, 0 and the empty text are false; all else is true."""
    return bool(value)


def plain(value: Value) -> Value:
    """A value from outside within the bounds of the language."""
    if isinstance(value, str):
        return value[:LONGEST]
    return value if value is None or isinstance(value, bool) else settled(value)


def equal(left: Value, right: Value) -> bool:
    """Numbers by value, a number and a text that stands for one too; all else as texts. Nothing equals nothing."""
    if left is None or right is None:
        return False
    if not (isinstance(left, str) and isinstance(right, str)):
        one, other = settled(left), settled(right)
        if one is not None and other is not None:
            return one == other
    return text(left) == text(right)


def less(left: Value, right: Value) -> bool:
    """The same order; truth values have none."""
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return False
    if not (isinstance(left, str) and isinstance(right, str)):
        one, other = settled(left), settled(right)
        if one is not None and other is not None:
            return one < other
    return text(left) < text(right)


def reckon(left: Value, sign: str, right: Value) -> Value:
    one, other = number(left), number(right)
    if one is None or other is None:
        joins = (isinstance(left, str) and one is None) or (isinstance(right, str) and other is None)
        if sign == "+" and joins and left is not None and right is not None:
            return (text(left) + text(right))[:LONGEST]
        return None
    match sign:
        case "+":
            return number(one + other)
        case "-":
            return number(one - other)
        case "*":
            return number(one * other)
        case "/":
            return number(one / other) if other else None
        case _:
            return _remainder(one, other) if other else None


def _remainder(one: int | float, other: int | float) -> int | float | None:
    if isinstance(one, int) and isinstance(other, int):
        return one % other
    times = settled(one / other)
    return None if times is None else settled(one - other * math.floor(times))


# --- functions ---


def _round(value: Value, places: Value = 0) -> Value:
    figure, after = number(value), number(places)
    if figure is None or after is None:
        return None
    digits = int(min(max(after, 0), 10))
    return number(float(Decimal(text(figure)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)))


def _whole(value: Value, how: Callable[[float], int]) -> Value:
    figure = settled(value)
    return None if figure is None else number(how(figure))


def _extreme(values: tuple[Value, ...], how: Callable[[list[int | float]], int | float]) -> Value:
    figures = [figure for figure in map(number, values) if figure is not None]
    return how(figures) if len(figures) == len(values) else None


def _abs(value: Value) -> Value:
    figure = number(value)
    return None if figure is None else abs(figure)


def _default(*values: Value) -> Value:
    return next((value for value in values if value is not None and value != ""), None)


def _slice(value: Value, start: Value, count: Value = LONGEST) -> Value:
    first, many = number(start), number(count)
    if first is None or many is None:
        return None
    letters = text(value)
    begin = max(int(first) - 1, 0) if first > 0 else max(len(letters) + int(first), 0)
    return letters[begin : begin + max(int(many), 0)]


def _replace(value: Value, old: Value, new: Value) -> Value:
    letters, sought, put = text(value), text(old), text(new)
    # No more than fill a text: what comes after would be cut.
    return letters.replace(sought, put, LONGEST // max(len(put), 1) + 1)[:LONGEST] if sought else letters


def _digits(value: Value) -> str:
    return "".join(letter for letter in text(value) if letter in "0123456789")


def _luhn(value: Value) -> bool:
    """ISO/IEC 7812-1, annex B. Spaces and hyphens between the digits don't matter."""
    digits = text(value).replace(" ", "").replace("-", "")
    if len(digits) < 2 or not (digits.isascii() and digits.isdigit()):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        twice = int(digit) * (1 + place % 2)
        total += twice - 9 if twice > 9 else twice
    return total % 10 == 0


def _iban(value: Value) -> bool:
    """ISO 13616-1: letters of the country, two check digits, at most 34 signs, the remainder of 97 is 1."""
    signs = text(value).replace(" ", "").upper()
    if not re.match(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\Z", signs):
        return False
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 == 1


def _joined(separator: Value, *values: Value) -> str:
    return text(separator).join(part for part in map(text, values) if part)[:LONGEST]


ANY = 100
"Arguments that a function with any number of them takes."

FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "length": (lambda value: len(text(value)), 1, 1),
    "lower": (lambda value: text(value).lower()[:LONGEST], 1, 1),
    "upper": (lambda value: text(value).upper()[:LONGEST], 1, 1),
    "trim": (lambda value: text(value).strip(), 1, 1),
    "starts_with": (lambda value, start: value is not None and text(value).startswith(text(start)), 2, 2),
    "ends_with": (lambda value, end: value is not None and text(value).endswith(text(end)), 2, 2),
    "contains": (lambda value, part: value is not None and text(part) in text(value), 2, 2),
    "number": (number, 1, 1),
    "text": (text, 1, 1),
    "round": (_round, 1, 2),
    "floor": (lambda value: _whole(value, math.floor), 1, 1),
    "ceil": (lambda value: _whole(value, math.ceil), 1, 1),
    "min": (lambda *values: _extreme(values, min), 1, ANY),
    "max": (lambda *values: _extreme(values, max), 1, ANY),
    "abs": (_abs, 1, 1),
    "if": (lambda condition, yes, no: yes if truth(condition) else no, 3, 3),
    "default": (_default, 1, ANY),
    "slice": (_slice, 2, 3),
    "replace": (_replace, 3, 3),
    "join": (_joined, 2, ANY),
    "digits": (_digits, 1, 1),
    "luhn": (_luhn, 1, 1),
    "iban": (_iban, 1, 1),
    "in": (lambda value, *others: any(equal(value, other) for other in others), 2, ANY),
}
"Name → what it does, the least and the most arguments."
