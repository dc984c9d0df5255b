"""Numbers, money, days and times in Polish."""

import datetime
from decimal import Decimal

from centrala.speech.words.slavic import Form, Gender, Noun, Numerals
from centrala.speech.words.values import listed, split

COMMA_GROUPS = False
MINUS = "minus"
CHARACTERS = {"+": "plus", "*": "gwiazdka", "#": "krzyżyk", "-": "", "/": "ukośnik", ".": "kropka"}


def form(number: int) -> Form:
    """CLDR plural rules of pl: one, few, many."""
    if number == 1:
        return 0
    return 1 if 2 <= number % 10 <= 4 and not 12 <= number % 100 <= 14 else 2


UNITS = listed(
    "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć dziesięć jedenaście dwanaście trzynaście "
    "czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście"
)

_NUMERALS = Numerals(
    form=form,
    units=UNITS,
    one_other={"f": "jedna", "n": "jedno"},
    two_feminine="dwie",
    one_bends_in_compounds=False,
    tens=listed(
        "- - dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt "
        "dziewięćdziesiąt"
    ),
    hundreds=listed("- sto dwieście trzysta czterysta pięćset sześćset siedemset osiemset dziewięćset"),
    scales=(
        Noun("m", ("tysiąc", "tysiące", "tysięcy")),
        Noun("m", ("milion", "miliony", "milionów")),
        Noun("m", ("miliard", "miliardy", "miliardów")),
        Noun("m", ("bilion", "biliony", "bilionów")),
    ),
)
cardinal, counted = _NUMERALS.cardinal, _NUMERALS.counted

MINUTE = Noun("f", ("minuta", "minuty", "minut"))
SECOND = Noun("f", ("sekunda", "sekundy", "sekund"))
_GROSZ = Noun("m", ("grosz", "grosze", "groszy"))
_CENT = Noun("m", ("cent", "centy", "centów"))
_KOPEK = Noun("f", ("kopiejka", "kopiejki", "kopiejek"))
CURRENCIES = {
    "PLN": (Noun("m", ("złoty", "złote", "złotych")), _GROSZ),
    "EUR": (Noun("n", ("euro", "euro", "euro")), _CENT),
    "USD": (Noun("m", ("dolar", "dolary", "dolarów")), _CENT),
    "RUB": (Noun("m", ("rubel", "ruble", "rubli")), _KOPEK),
    "GBP": (Noun("m", ("funt", "funty", "funtów")), Noun("m", ("pens", "pensy", "pensów"))),
    "UAH": (Noun("f", ("hrywna", "hrywny", "hrywien")), _KOPEK),
    "CHF": (Noun("m", ("frank", "franki", "franków")), Noun("m", ("centym", "centymy", "centymów"))),
}

# Ordinals end in -y; the genitive in -ego, the feminine nominative in -a. In Polish the tens bend too.
_FIRST = listed(
    "- pierwszy drugi trzeci czwarty piąty szósty siódmy ósmy dziewiąty dziesiąty jedenasty dwunasty trzynasty "
    "czternasty piętnasty szesnasty siedemnasty osiemnasty dziewiętnasty"
)
_TENTH = listed(
    "- - dwudziesty trzydziesty czterdziesty pięćdziesiąty sześćdziesiąty siedemdziesiąty osiemdziesiąty "
    "dziewięćdziesiąty"
)
_HUNDREDTH = listed(
    "- setny dwusetny trzechsetny czterechsetny pięćsetny sześćsetny siedemsetny osiemsetny dziewięćsetny"
)
_THOUSANDTH = listed(
    "- tysięczny dwutysięczny trzytysięczny czterotysięczny pięciotysięczny sześciotysięczny siedmiotysięczny "
    "ośmiotysięczny dziewięciotysięczny"
)
_MONTHS = listed(
    "- stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia"
)


def _genitive(word: str) -> str:
    return (
        word + "ego" if word.endswith(("gi", "ki")) else word[:-1] + ("iego" if word.endswith("i") else "ego")
    )


def _feminine(word: str) -> str:
    return word[:-1] + ("ia" if word.endswith("ci") else "a")


def _ordinal(number: int) -> list[str]:
    """1 to 99, masculine nominative."""
    if number < 20:
        return [_FIRST[number]]
    return [_TENTH[number // 10], *([_FIRST[number % 10]] if number % 10 else [])]


def _year(year: int) -> str:
    """Genitive, as it stands behind a month: only tens and ones are ordinals, or the last word that there is."""
    rest = year % 100
    if rest:
        before = [cardinal(year - rest)] if year >= 100 else []
        return " ".join([*before, *map(_genitive, _ordinal(rest))])
    if year % 1000:
        before = [cardinal(year // 1000 * 1000)] if year >= 1000 else []
        return " ".join([*before, _genitive(_HUNDREDTH[year // 100 % 10])])
    return _genitive(_THOUSANDTH[year // 1000])


def number(value: Decimal) -> str:
    whole, places = split(abs(value))
    words = [MINUS] if value < 0 else []
    words.append(cardinal(whole))
    if places:
        words.append("przecinek")
        lead = len(places) - len(places.lstrip("0"))
        rest = places[lead:]
        words += ["zero"] * lead
        words += [cardinal(int(rest))] if len(rest) <= 2 else [UNITS[int(one)] for one in rest]
    return " ".join(words)


def gender_of(name: str) -> Gender:
    """Of a currency's name by CLDR: the noun comes first."""
    noun = name.split()[0]
    return "f" if noun.endswith("a") else "n" if noun.endswith(("o", "e", "um")) else "m"


def date(day: datetime.date) -> str:
    """In the genitive: (on) the twenty-second of November."""
    return f"{' '.join(map(_genitive, _ordinal(day.day)))} {_MONTHS[day.month]} {_year(day.year)}"


def time(hour: int, minute: int) -> str:
    if (hour, minute) == (0, 0):
        return "północ"
    words = ["zero"] if hour == 0 else list(map(_feminine, _ordinal(hour)))
    if minute == 0:
        return " ".join([*words, "zero zero"])
    return " ".join([*words, *(["zero"] if minute < 10 else []), cardinal(minute)])
