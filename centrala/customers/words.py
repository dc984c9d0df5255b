"""What a customer is found by: folded words of names, digits of numbers, addresses of mail.

Words of names stand as they are; digits begin with `#` and mail with `@`, so that who may not see numbers can't find
them out by searching, a digit at a time.
"""

import re
import unicodedata
from collections.abc import Iterable

from centrala.customers import numbers

MAX_WORDS = 8
"Of a question; more are left out."
MAX_WORD = 40

_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ё": "е", "ґ": "г"}
)
_MARKS = str.maketrans("", "", "'’`ʼ")
_NUMBER = re.compile(r"(?<![^\s(])\+?[\d(][\d\s().\-/]*\d(?![^\s,;)])")
_LAST = (7, 6, 4)
"A number is found by so many of its last digits too: what people remember of it."


def fold(text: str) -> str:
    """Lower case without diacritics: Łódź → lodz, Ёлкин → елкин, Müller → muller, Groß → gross."""
    text = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(one for one in text if not unicodedata.combining(one)).translate(_LETTERS)


def names(texts: Iterable[str]) -> set[str]:
    """Words of names."""
    found: set[str] = set()
    for text in texts:
        found.update(one[:MAX_WORD] for one in _split(text))
    return found


def _split(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text).translate(_MARKS))


def digits(key: str) -> set[str]:
    """Words of a number in its one spelling: in full, without the country's code, and its last digits."""
    whole, inland = key.lstrip("+"), numbers.inland(key)
    return {f"#{one}" for one in (whole, inland, *(inland[-last:] for last in _LAST if len(inland) > last))}


def mail(key: str) -> set[str]:
    return {f"@{key[:MAX_WORD]}"}


def question(text: str, country: str | None, *, numbers_too: bool) -> list[str]:
    """The beginnings of words that a customer must all have. With `numbers_too` three digits and more are a number."""
    text = text[:256]
    found: list[str] = []
    if numbers_too:
        for match in _NUMBER.finditer(text):
            number = re.sub(r"\D", "", match[0])
            if len(number) >= 3:
                key = numbers.normal(match[0], country) or ""
                # Prefixes that are dialled (00, 8 in Russia) are written, never stored.
                whole = key[1:] if key.startswith("+") else number.removeprefix("00")
                found.append(f"#{whole}")
                text = text.replace(match[0], " ", 1)
        for one in text.split():
            if "@" in one.strip("@"):
                found.append(f"@{one.casefold()[:MAX_WORD]}")
                text = text.replace(one, " ", 1)
    found += [one[:MAX_WORD] for one in _split(text)]
    return list(dict.fromkeys(found))[:MAX_WORDS]
