"""Numbers, money, days and times in Russian."""

import datetime
from decimal import Decimal

from centrala.speech.words.slavic import Form, Gender, Noun, Numerals
from centrala.speech.words.values import listed, split

COMMA_GROUPS = False
MINUS = "минус"
CHARACTERS = {"+": "плюс", "*": "звёздочка", "#": "решётка", "-": "", "/": "дробь", ".": "точка"}


def form(number: int) -> Form:
    """CLDR plural rules of ru: one, few, many."""
    if number % 10 == 1 and number % 100 != 11:
        return 0
    return 1 if 2 <= number % 10 <= 4 and not 12 <= number % 100 <= 14 else 2


UNITS = listed(
    "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать "
    "четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
)

_NUMERALS = Numerals(
    form=form,
    units=UNITS,
    one_other={"f": "одна", "n": "одно"},
    two_feminine="две",
    one_bends_in_compounds=True,
    tens=listed("- - двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"),
    hundreds=listed("- сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот"),
    scales=(
        Noun("f", ("тысяча", "тысячи", "тысяч")),
        Noun("m", ("миллион", "миллиона", "миллионов")),
        Noun("m", ("миллиард", "миллиарда", "миллиардов")),
        Noun("m", ("триллион", "триллиона", "триллионов")),
    ),
)
cardinal, counted = _NUMERALS.cardinal, _NUMERALS.counted

MINUTE = Noun("f", ("минута", "минуты", "минут"))
SECOND = Noun("f", ("секунда", "секунды", "секунд"))
_CENT = Noun("m", ("цент", "цента", "центов"))
_KOPEK = Noun("f", ("копейка", "копейки", "копеек"))
CURRENCIES = {
    "PLN": (Noun("m", ("злотый", "злотых", "злотых")), Noun("m", ("грош", "гроша", "грошей"))),
    "EUR": (Noun("m", ("евро", "евро", "евро")), _CENT),
    "USD": (Noun("m", ("доллар", "доллара", "долларов")), _CENT),
    "RUB": (Noun("m", ("рубль", "рубля", "рублей")), _KOPEK),
    "GBP": (Noun("m", ("фунт", "фунта", "фунтов")), Noun("m", ("пенс", "пенса", "пенсов"))),
    "UAH": (Noun("f", ("гривна", "гривны", "гривен")), _KOPEK),
    "CHF": (Noun("m", ("франк", "франка", "франков")), Noun("m", ("сантим", "сантима", "сантимов"))),
}

# Ordinals in the neuter nominative (the day) and the masculine genitive (the year). Only the last word bends.
_FIRST = listed(
    "- первый второй третий четвёртый пятый шестой седьмой восьмой девятый десятый одиннадцатый двенадцатый "
    "тринадцатый четырнадцатый пятнадцатый шестнадцатый семнадцатый восемнадцатый девятнадцатый"
)
_TENTH = listed(
    "- - двадцатый тридцатый сороковой пятидесятый шестидесятый семидесятый восьмидесятый девяностый"
)
_HUNDREDTH = listed(
    "- сотый двухсотый трёхсотый четырёхсотый пятисотый шестисотый семисотый восьмисотый девятисотый"
)
_THOUSANDTH = listed(
    "- тысячный двухтысячный трёхтысячный четырёхтысячный пятитысячный шеститысячный семитысячный "
    "восьмитысячный девятитысячный"
)
_MONTHS = listed("- января февраля марта апреля мая июня июля августа сентября октября ноября декабря")
_HOUR = Noun("m", ("час", "часа", "часов"))
_WHOLE = Noun("f", ("целая", "целых", "целых"))
_PARTS = tuple(
    Noun("f", (f"{stem}ая", f"{stem}ых", f"{stem}ых"))
    for stem in ("десят", "сот", "тысячн", "десятитысячн", "стотысячн", "миллионн")
)


def _genitive(word: str) -> str:
    return "третьего" if word == "третий" else word[:-2] + "ого"


def _neuter(word: str) -> str:
    return "третье" if word == "третий" else word[:-2] + "ое"


def _year(year: int) -> str:
    if year % 1000 == 0:
        return _genitive(_THOUSANDTH[year // 1000])
    if year % 100 == 0:
        before, last = year - year % 1000, _HUNDREDTH[year // 100 % 10]
    elif year % 100 < 20:
        before, last = year - year % 100, _FIRST[year % 100]
    elif year % 10 == 0:
        before, last = year - year % 100, _TENTH[year % 100 // 10]
    else:
        before, last = year - year % 10, _FIRST[year % 10]
    return " ".join([*([cardinal(before)] if before else []), _genitive(last)])


def number(value: Decimal) -> str:
    whole, places = split(abs(value))
    words = [MINUS] if value < 0 else []
    if not places:
        return " ".join([*words, cardinal(whole)])
    return " ".join([*words, counted(whole, _WHOLE), counted(int(places), _PARTS[len(places) - 1])])


def gender_of(name: str) -> Gender:
    """Of a currency's name by CLDR: an adjective, if there is one, tells it."""
    first = name.split()[0]
    if first.endswith(("ий", "ый", "ой")):
        return "m"
    if first.endswith(("а", "я")):
        return "f"
    return "n" if first.endswith(("о", "е")) and " " in name else "m"


def date(day: datetime.date) -> str:
    if day.day < 20:
        words = [_neuter(_FIRST[day.day])]
    elif day.day % 10 == 0:
        words = [_neuter(_TENTH[day.day // 10])]
    else:
        words = [cardinal(day.day // 10 * 10), _neuter(_FIRST[day.day % 10])]
    return f"{' '.join(words)} {_MONTHS[day.month]} {_year(day.year)} года"


def time(hour: int, minute: int) -> str:
    if minute == 0:
        return counted(hour, _HOUR)
    return " ".join([cardinal(hour), *(["ноль"] if minute < 10 else []), cardinal(minute)])
