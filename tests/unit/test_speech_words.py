"""Numbers, money, days and times in words, against num2words, CLDR's plural rules and tables read by eye."""

import datetime
import random
from decimal import Decimal

import pytest
from babel import Locale
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from centrala.speech.words import GRAMMARS, in_words, values

pytestmark = pytest.mark.unit

NUMBERS = {
    "en": """
        0 = zero | 1 = one | 2 = two | 4 = four | 5 = five | 11 = eleven | 12 = twelve | 14 = fourteen
        21 = twenty-one | 22 = twenty-two | 25 = twenty-five | 100 = one hundred | 101 = one hundred and one
        111 = one hundred and eleven | 121 = one hundred and twenty-one | 1000 = one thousand
        1001 = one thousand and one | 2000 = two thousand | 5000 = five thousand | 21000 = twenty-one thousand
        1 000 000 = one million | 2,500,001 = two million five hundred thousand and one
        1e3 = one thousand | 007 = seven | -5 = minus five | −5 = minus five | +7 = seven | -0 = zero
        3.5 = three point five | 3.05 = three point zero five | 0.5 = zero point five | 12,5 = twelve point five
        1,000 = one thousand | 3.50 = three point five | 2.00 = two | .5 = zero point five
        0.30000000000000004 = zero point three | 1000000000000 = one trillion
        1234567890123456 = one two three, four five six, seven eight nine, zero one two, three four five six
        abc = abc | 12 apples = 12 apples
    """,
    "pl": """
        0 = zero | 1 = jeden | 2 = dwa | 4 = cztery | 5 = pięć | 11 = jedenaście | 12 = dwanaście | 14 = czternaście
        21 = dwadzieścia jeden | 22 = dwadzieścia dwa | 25 = dwadzieścia pięć | 100 = sto | 101 = sto jeden
        111 = sto jedenaście | 121 = sto dwadzieścia jeden | 1000 = tysiąc | 1001 = tysiąc jeden
        2000 = dwa tysiące | 5000 = pięć tysięcy | 12000 = dwanaście tysięcy | 21000 = dwadzieścia jeden tysięcy
        22000 = dwadzieścia dwa tysiące | 1 000 000 = milion | 2000000 = dwa miliony | 5000000 = pięć milionów
        1001001 = milion tysiąc jeden | 1000000000000 = bilion | -5 = minus pięć | -0 = zero
        3.5 = trzy przecinek pięć | 3,5 = trzy przecinek pięć | 3.14 = trzy przecinek czternaście
        3.05 = trzy przecinek zero pięć | 0.125 = zero przecinek jeden dwa pięć | 1,000 = jeden | abc = abc
    """,
    "ru": """
        0 = ноль | 1 = один | 2 = два | 4 = четыре | 5 = пять | 11 = одиннадцать | 12 = двенадцать
        14 = четырнадцать | 21 = двадцать один | 22 = двадцать два | 25 = двадцать пять | 100 = сто
        101 = сто один | 111 = сто одиннадцать | 121 = сто двадцать один | 1000 = тысяча | 1001 = тысяча один
        2000 = две тысячи | 5000 = пять тысяч | 12000 = двенадцать тысяч | 21000 = двадцать одна тысяча
        22000 = двадцать две тысячи | 1 000 000 = миллион | 2000000 = два миллиона | 5000000 = пять миллионов
        1001001 = миллион одна тысяча один | 1000000000000 = триллион | -5 = минус пять | -0 = ноль
        3.5 = три целых пять десятых | 21,1 = двадцать одна целая одна десятая
        3.14 = три целых четырнадцать сотых | 2.05 = две целых пять сотых
        0.125 = ноль целых сто двадцать пять тысячных | 1,000 = один | abc = abc
    """,
}

MONEY = {
    "en": """
        1 PLN = one zloty | 2.50 PLN = two zlotys and fifty groszy | 0.01 PLN = one grosz | 5 PLN = five zlotys
        1.01 EUR = one euro and one cent | 22 EUR = twenty-two euros | 0 EUR = zero euros
        21000.52 RUB = twenty-one thousand rubles and fifty-two kopecks | 1.01 GBP = one pound and one penny
        2.02 GBP = two pounds and two pence | 1000000 USD = one million dollars | 0.5 UAH = fifty kopiykas
        3.5 CHF = three francs and fifty centimes | -1.005 USD = minus one dollar and one cent
        -0.001 USD = zero dollars | 1,234.50 USD = one thousand two hundred and thirty-four dollars and fifty cents
        5 JPY = five Japanese yen | 22 CZK = twenty-two Czech korunas | 1.5 CZK = one point five Czech korunas
        3 XQZ = three X Q Z | a lot PLN = a lot
    """,
    "pl": """
        1 PLN = jeden złoty | 2.50 PLN = dwa złote pięćdziesiąt groszy | 5 PLN = pięć złotych
        0.01 PLN = jeden grosz | 0.02 PLN = dwa grosze | 0 PLN = zero złotych | 12 PLN = dwanaście złotych
        14 PLN = czternaście złotych | 21 PLN = dwadzieścia jeden złotych | 22 PLN = dwadzieścia dwa złote
        24,99 PLN = dwadzieścia cztery złote dziewięćdziesiąt dziewięć groszy | 101 PLN = sto jeden złotych
        112 PLN = sto dwanaście złotych | 122 PLN = sto dwadzieścia dwa złote | 1000 PLN = tysiąc złotych
        21000 PLN = dwadzieścia jeden tysięcy złotych | 1000000 PLN = milion złotych | 1 EUR = jedno euro
        2 EUR = dwa euro | 21 EUR = dwadzieścia jeden euro | 1.01 USD = jeden dolar jeden cent
        2.02 RUB = dwa ruble dwie kopiejki | 21.21 RUB = dwadzieścia jeden rubli dwadzieścia jeden kopiejek
        1.01 UAH = jedna hrywna jedna kopiejka | 2 UAH = dwie hrywny | 22 UAH = dwadzieścia dwie hrywny
        5.05 UAH = pięć hrywien pięć kopiejek | 3.5 CHF = trzy franki pięćdziesiąt centymów
        2.02 GBP = dwa funty dwa pensy | -3 PLN = minus trzy złote | 5 JPY = pięć jenów japońskich
        22 CZK = dwadzieścia dwie korony czeskie | 21 CZK = dwadzieścia jeden koron czeskich
        1 CZK = jedna korona czeska | 1.5 CZK = jeden przecinek pięć korony czeskiej | 1 MXN = jedno peso meksykańskie
        2 ILS = dwa nowe szekle izraelskie
    """,
    "ru": """
        1 RUB = один рубль | 2 RUB = два рубля | 5 RUB = пять рублей | 11 RUB = одиннадцать рублей
        12 RUB = двенадцать рублей | 21 RUB = двадцать один рубль | 22 RUB = двадцать два рубля
        101 RUB = сто один рубль | 111 RUB = сто одиннадцать рублей | 1000 RUB = тысяча рублей
        21000.52 RUB = двадцать одна тысяча рублей пятьдесят две копейки | 0.01 RUB = одна копейка
        21000.01 RUB = двадцать одна тысяча рублей одна копейка | 0.02 RUB = две копейки | 0 RUB = ноль рублей
        0.21 RUB = двадцать одна копейка | 0.11 RUB = одиннадцать копеек | 1000000 RUB = миллион рублей
        1 UAH = одна гривна | 2 UAH = две гривны | 25 UAH = двадцать пять гривен
        2.50 PLN = два злотых пятьдесят грошей | 1.01 PLN = один злотый один грош | 21 PLN = двадцать один злотый
        2 EUR = два евро | 1.01 USD = один доллар один цент | 24.04 USD = двадцать четыре доллара четыре цента
        2.02 GBP = два фунта два пенса | 3.5 CHF = три франка пятьдесят сантимов | -3 RUB = минус три рубля
        22 CZK = двадцать две чешские кроны | 21 CZK = двадцать одна чешская крона
        1.5 CZK = одна целая пять десятых чешской кроны | 5 JPY = пять японских иен | 1 JPY = одна японская иена
    """,
}

DATES = {
    "en": """
        2026-11-22 = November twenty-second, twenty twenty-six | 2000-01-01 = January first, two thousand
        1999-12-31 = December thirty-first, nineteen ninety-nine | 1900-03-03 = March third, nineteen hundred
        2005-08-12 = August twelfth, two thousand and five | 1905-05-05 = May fifth, nineteen oh five
        2010-02-20 = February twentieth, twenty ten | 2024-02-29T23:59:59Z = February twenty-ninth, twenty twenty-four
        20261122 = November twenty-second, twenty twenty-six | 2026-02-29 = 2026-02-29 | soon = soon
    """,
    "pl": """
        2026-11-22 = dwudziestego drugiego listopada dwa tysiące dwudziestego szóstego
        2000-01-01 = pierwszego stycznia dwutysięcznego | 2010-02-20 = dwudziestego lutego dwa tysiące dziesiątego
        1999-12-31 = trzydziestego pierwszego grudnia tysiąc dziewięćset dziewięćdziesiątego dziewiątego
        1900-03-03 = trzeciego marca tysiąc dziewięćsetnego | 2100-05-30 = trzydziestego maja dwa tysiące setnego
        2012-07-07 = siódmego lipca dwa tysiące dwunastego | 2026-13-01 = 2026-13-01
    """,
    "ru": """
        2026-11-22 = двадцать второе ноября две тысячи двадцать шестого года
        2000-01-01 = первое января двухтысячного года | 2010-02-20 = двадцатое февраля две тысячи десятого года
        1999-12-31 = тридцать первое декабря тысяча девятьсот девяносто девятого года
        1900-03-03 = третье марта тысяча девятисотого года | 2100-05-30 = тридцатое мая две тысячи сотого года
        2013-07-07 = седьмое июля две тысячи тринадцатого года
        2023-10-23 = двадцать третье октября две тысячи двадцать третьего года
        2040-04-04 = четвёртое апреля две тысячи сорокового года | 2026-13-01 = 2026-13-01
    """,
}

TIMES = {
    "en": """
        14:05 = two oh five PM | 00:00 = midnight | 24:00 = midnight | 12:00 = noon | 00:05 = twelve oh five AM
        12:30 = twelve thirty PM | 9:15 = nine fifteen AM | 23:59:59 = eleven fifty-nine PM | 17:00 = five PM
        50700 = two oh five PM | 2026-11-22T09:15:00+01:00 = nine fifteen AM | 25:00 = 25:00 | 12:60 = 12:60
    """,
    "pl": """
        14:05 = czternasta zero pięć | 00:00 = północ | 00:30 = zero trzydzieści | 12:00 = dwunasta zero zero
        3:03 = trzecia zero trzy | 21:21 = dwudziesta pierwsza dwadzieścia jeden
        22:42 = dwudziesta druga czterdzieści dwa
        50700 = czternasta zero pięć | 25:00 = 25:00
    """,
    "ru": """
        14:05 = четырнадцать ноль пять | 00:00 = ноль часов | 00:05 = ноль ноль пять | 01:00 = один час
        02:00 = два часа | 12:00 = двенадцать часов | 21:00 = двадцать один час | 21:21 = двадцать один двадцать один
        50700 = четырнадцать ноль пять | 25:00 = 25:00
    """,
}

DIGITS = {
    "en": """
        1234 = one two three four | 123456 = one two three, four five six | 12345 = one two three, four five
        +48 600 700 800 = plus four eight, six zero zero, seven zero zero, eight zero zero
        +48600700800 = plus four eight, six zero zero, seven zero zero, eight zero zero
        AB12-7 = A B one two, seven | 12#* = one two pound star | 0 = zero
    """,
    "pl": """
        1234 = jeden dwa trzy cztery | 123456 = jeden dwa trzy, cztery pięć sześć | 12# = jeden dwa krzyżyk
        +48600700800 = plus cztery osiem, sześć zero zero, siedem zero zero, osiem zero zero
    """,
    "ru": """
        1234 = один два три четыре | 123456 = один два три, четыре пять шесть | 12# = один два решётка
        +79161234567 = плюс семь, девять один шесть, один два три, четыре пять, шесть семь
    """,
}


def table(cases: dict[str, str]) -> list[tuple[str, str, str]]:
    """(language, what is written, what is said)"""
    return [
        (language, *(side.strip() for side in case.split(" = ")))  # type: ignore[misc]
        for language, text in cases.items()
        for line in text.strip().splitlines()
        for case in line.split(" | ")
    ]


def test_there_are_at_least_sixty_cases_of_each_language() -> None:
    cases = [one for kind in (NUMBERS, MONEY, DATES, TIMES, DIGITS) for one in table(kind)]
    for language in GRAMMARS:
        assert sum(one[0] == language for one in cases) >= 60, language


@pytest.mark.parametrize(("language", "written", "said"), table(NUMBERS))
def test_numbers(language: str, written: str, said: str) -> None:
    assert in_words("number", written, language) == said


@pytest.mark.parametrize(("language", "written", "said"), table(MONEY))
def test_money(language: str, written: str, said: str) -> None:
    amount, _, currency = written.rpartition(" ")
    assert in_words("money", amount, language, currency) == said


@pytest.mark.parametrize(("language", "written", "said"), table(DATES))
def test_days(language: str, written: str, said: str) -> None:
    assert in_words("date", written, language) == said


@pytest.mark.parametrize(("language", "written", "said"), table(TIMES))
def test_times(language: str, written: str, said: str) -> None:
    assert in_words("time", written, language) == said


@pytest.mark.parametrize(("language", "written", "said"), table(DIGITS))
def test_digits(language: str, written: str, said: str) -> None:
    assert in_words("digits", written, language) == said


@pytest.mark.parametrize("language", ["en", "pl", "ru"])
def test_whole_numbers_as_num2words_says_them(language: str) -> None:
    chance = random.Random(1)
    numbers = [*range(2101), *(chance.randrange(10 ** chance.randrange(3, 13)) for _ in range(2000))]
    for number in numbers:
        said = num2words(number, lang=language).replace(",", "")
        first, _, rest = said.partition(" ")
        # "Одна тысяча" is right as well; people say "тысяча" where nothing stands before it.
        if language == "ru" and first in ("один", "одна") and rest:
            said = rest
        assert in_words("number", str(number), language) == said


@pytest.mark.parametrize("language", ["en", "pl", "ru"])
@pytest.mark.parametrize("currency", ["PLN", "EUR", "USD", "RUB", "GBP", "UAH", "CHF"])
def test_every_form_of_money_follows_the_plural_rule_of_cldr(language: str, currency: str) -> None:
    rule = Locale(language).plural_form
    for nouns, scale in zip(
        GRAMMARS[language].CURRENCIES[currency], (Decimal(1), Decimal("0.01")), strict=True
    ):
        forms = dict(zip(("one", "few", "many"), nouns.forms, strict=True))
        forms["other"] = nouns.forms[2]
        for count in range(200):
            if scale != 1 and count >= 100:
                break
            said = in_words("money", str(count * scale), language, currency)
            noun = GRAMMARS[language].CURRENCIES[currency][0].forms[2] if count == 0 else forms[rule(count)]
            assert said.endswith(f" {noun}"), (count, said)


@pytest.mark.parametrize("language", ["en", "pl", "ru"])
def test_every_day_of_a_leap_year_has_its_own_words_and_the_month_of_cldr(language: str) -> None:
    first = datetime.date(2024, 1, 1)
    days = [first + datetime.timedelta(days) for days in range(366)]
    said = [in_words("date", day.isoformat(), language) for day in days]
    assert len(set(said)) == 366
    for day, words in zip(days, said, strict=True):
        month = format_date(day, "d MMMM", locale=language).split()[-1]
        assert month in words.replace(",", "").split()


@pytest.mark.parametrize("language", ["pl", "ru"])
def test_ordinals_in_days_come_from_those_of_num2words(language: str) -> None:
    """num2words gives the masculine nominative; only the ending is another one."""
    for day in range(1, 32):
        said = in_words("date", f"2024-01-{day:02}", language).split(
            " stycznia" if language == "pl" else " января"
        )[0]
        whole = num2words(day, lang=language, to="ordinal")
        stems = [one[: max(3, len(one) - 3)].replace("ё", "е") for one in whole.split()]
        assert [said.replace("ё", "е").split()[at].startswith(one) for at, one in enumerate(stems)] == [
            True
        ] * len(stems)


@pytest.mark.parametrize("language", ["en", "pl", "ru"])
def test_every_minute_has_its_own_words(language: str) -> None:
    said = {in_words("time", f"{minute // 60:02}:{minute % 60:02}", language) for minute in range(1440)}
    assert len(said) == 1440


def test_a_language_we_have_no_words_of_keeps_figures() -> None:
    assert in_words("number", " 25 ", "de") == "25"
    assert in_words("money", "5.50", "de", "EUR") == "5.50 EUR"
    assert in_words("digits", "123", "de-AT") == "1 2 3"
    assert in_words("number", "25", "PL-pl") == "dwadzieścia pięć"


@given(
    st.sampled_from(["number", "money", "date", "time", "digits"]),
    st.text(max_size=60)
    | st.from_regex(r"[+-]?[0-9]{0,25}[.,]?[0-9]{0,25}([eE][+-]?[0-9]{1,6})?", fullmatch=True),
    st.sampled_from(["en", "pl", "ru", "de", ""]),
    st.sampled_from(["PLN", "JPY", "KWD", "", "XXX", "nonsense", "zł", "CLF", "LTL"]),
)
def test_nothing_that_is_written_is_too_much(kind, written, language, currency) -> None:  # type: ignore[no-untyped-def]
    said = in_words(kind, written, language, currency)
    assert isinstance(said, str)
    amount = values.number(written)
    if kind == "number" and amount is not None and language in ("pl", "ru"):
        assert not any(one.isdigit() for one in said)


DURATIONS = {
    "en": {
        0: "zero seconds",
        1: "one second",
        30: "thirty seconds",
        60: "one minute",
        90: "one minute thirty seconds",
    }
    | {120: "two minutes", 300: "five minutes", 3660: "sixty-one minutes"},
    "pl": {
        0: "zero sekund",
        1: "jedna sekunda",
        30: "trzydzieści sekund",
        60: "jedna minuta",
        120: "dwie minuty",
    }
    | {
        150: "dwie minuty trzydzieści sekund",
        300: "pięć minut",
        720: "dwanaście minut",
        1320: "dwadzieścia dwie minuty",
    },
    "ru": {0: "ноль секунд", 30: "тридцать секунд", 60: "одна минута", 120: "две минуты", 300: "пять минут"}
    | {150: "две минуты тридцать секунд", 1260: "двадцать одна минута", 1320: "двадцать две минуты"},
}


@pytest.mark.parametrize(
    ("language", "seconds", "said"),
    [(language, seconds, said) for language, known in DURATIONS.items() for seconds, said in known.items()],
)
def test_durations_are_minutes_and_seconds(language: str, seconds: int, said: str) -> None:
    assert in_words("duration", str(seconds), language) == said
