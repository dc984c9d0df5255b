"""Numbers, money, days and times in English: "and" before the tens, months first, a clock of twelve hours."""

import datetime
from decimal import Decimal

from centrala.speech.words.slavic import Form, Gender, Noun
from centrala.speech.words.values import listed, split

COMMA_GROUPS = True
MINUS = "minus"
CHARACTERS = {"+": "plus", "*": "star", "#": "pound", "-": "", "/": "slash", ".": "dot"}

UNITS = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = listed("- - twenty thirty forty fifty sixty seventy eighty ninety")
_SCALES = ("thousand", "million", "billion", "trillion")


def _noun(one: str, more: str = "") -> Noun:
    return Noun("n", (one, more or f"{one}s", more or f"{one}s"))


_CENT = _noun("cent")
_KOPEK = _noun("kopeck")
MINUTE = Noun("n", ("minute", "minutes", "minutes"))
SECOND = Noun("n", ("second", "seconds", "seconds"))
CURRENCIES = {
    "PLN": (_noun("zloty"), _noun("grosz", "groszy")),
    "EUR": (_noun("euro"), _CENT),
    "USD": (_noun("dollar"), _CENT),
    "RUB": (_noun("ruble"), _KOPEK),
    "GBP": (_noun("pound"), _noun("penny", "pence")),
    "UAH": (_noun("hryvnia"), _noun("kopiyka")),
    "CHF": (_noun("franc"), _noun("centime")),
}
_ODD = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_MONTHS = listed("- January February March April May June July August September October November December")


def form(number: int) -> Form:
    """CLDR plural rules of en: one, other."""
    return 0 if number == 1 else 2


def cardinal(number: int, gender: Gender = "n") -> str:
    """0 to 10^15 - 1 in words."""
    if number < 20:
        return UNITS[number]
    if number < 100:
        return _TENS[number // 10] + (f"-{UNITS[number % 10]}" if number % 10 else "")
    words: list[str] = []
    for power in range(len(_SCALES), -1, -1):
        group = number // 1000**power % 1000
        if not group:
            continue
        hundreds, rest = divmod(group, 100)
        if hundreds:
            words += [UNITS[hundreds], "hundred"]
        if rest:
            if words and (hundreds or not power):
                words.append("and")
            words.append(cardinal(rest))
        if power:
            words.append(_SCALES[power - 1])
    return " ".join(words)


def counted(number: int, noun: Noun) -> str:
    return f"{cardinal(number)} {noun.forms[form(number)]}"


def number(value: Decimal) -> str:
    whole, places = split(abs(value))
    words = [MINUS] if value < 0 else []
    words.append(cardinal(whole))
    if places:
        words += ["point", *(UNITS[int(one)] for one in places)]
    return " ".join(words)


def gender_of(name: str) -> Gender:
    return "n"


def _ordinal(number: int) -> str:
    before, dash, last = cardinal(number).rpartition("-")
    if last.endswith("y"):
        return before + dash + last[:-1] + "ieth"
    return before + dash + _ODD.get(last, f"{last}th")


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if year < 1000 or year % 1000 < 10:
        return cardinal(year)
    return f"{cardinal(century)} {'hundred' if not rest else f'oh {UNITS[rest]}' if rest < 10 else cardinal(rest)}"


def date(day: datetime.date) -> str:
    return f"{_MONTHS[day.month]} {_ordinal(day.day)}, {_year(day.year)}"


def time(hour: int, minute: int) -> str:
    if (hour, minute) in ((0, 0), (12, 0)):
        return "noon" if hour else "midnight"
    words = [cardinal((hour - 1) % 12 + 1)]
    if minute:
        words.append(f"oh {UNITS[minute]}" if minute < 10 else cardinal(minute))
    return " ".join([*words, "PM" if hour >= 12 else "AM"])
