"""Numbers, money, days, times and digits in words, as they are said in English, Polish and Russian.

Speech engines read "5,50 zł" each in its own way, most of them wrongly; words they read alike. A language that isn't
here gets figures, and its engine reads them as it can.
"""

from __future__ import annotations

import datetime
import re
from contextlib import suppress
from decimal import Decimal
from typing import Literal, Protocol

import phonenumbers
from babel import UnknownLocaleError
from babel.numbers import get_currency_name, get_currency_precision, is_currency

from centrala.speech.words import en, pl, ru, values
from centrala.speech.words.slavic import Form, Gender, Noun

Kind = Literal["number", "money", "date", "time", "digits", "duration"]


class Grammar(Protocol):
    """One language."""

    @property
    def COMMA_GROUPS(self) -> bool: ...
    @property
    def MINUS(self) -> str: ...
    @property
    def CHARACTERS(self) -> dict[str, str]: ...
    @property
    def UNITS(self) -> list[str]: ...
    @property
    def MINUTE(self) -> Noun: ...
    @property
    def SECOND(self) -> Noun: ...
    @property
    def CURRENCIES(self) -> dict[str, tuple[Noun, Noun]]: ...

    def form(self, number: int) -> Form: ...
    def cardinal(self, number: int, gender: Gender = ...) -> str: ...
    def counted(self, number: int, noun: Noun) -> str: ...
    def gender_of(self, name: str) -> Gender: ...
    def number(self, value: Decimal) -> str: ...
    def date(self, day: datetime.date) -> str: ...
    def time(self, hour: int, minute: int) -> str: ...


GRAMMARS: dict[str, Grammar] = {"en": en, "pl": pl, "ru": ru}


def in_words(kind: Kind, text: str, language: str, currency: str = "") -> str:
    """How it is said in the language (`pl`, `pl-PL`). What isn't what it should be, is read as it is written.

    Days are ISO 8601, times too or seconds after midnight; of both what is written counts, whatever the zone.
    """
    grammar = GRAMMARS.get(language.partition("-")[0].lower())
    text = text.strip()
    if grammar is None:
        return (
            " ".join(text) if kind == "digits" else f"{text} {currency}".strip() if kind == "money" else text
        )
    match kind:
        case "digits":
            return digits(text, grammar)
        case "number" | "money":
            amount = values.number(text, comma_groups=grammar.COMMA_GROUPS)
            if amount is not None:
                if kind == "money" and currency:
                    return money(amount, currency, language, grammar)
                return grammar.number(amount)
            if values.number(text[:40]) is not None or text.lstrip("+-").isdecimal():
                return digits(text, grammar)
        case "duration":
            amount = values.number(text, comma_groups=grammar.COMMA_GROUPS)
            if amount is not None and amount >= 0:
                return duration(int(amount), grammar)
        case "date":
            day = values.day(text)
            if day is not None:
                return grammar.date(day)
        case "time":
            clock = values.clock(text)
            if clock is not None:
                return grammar.time(*clock)
    return text


def money(amount: Decimal, currency: str, language: str, grammar: Grammar) -> str:
    """An amount of an ISO 4217 currency: in its units and hundredths where we know their words, else by CLDR's name."""
    currency = currency.strip().upper()
    known = grammar.CURRENCIES.get(currency)
    if known is None:
        return _other_money(amount, currency, language, grammar)
    whole_of, part_of = known
    amount = values.rounded(amount, 2)
    whole, parts = divmod(int(abs(amount) * 100), 100)
    words = [grammar.MINUS] if amount < 0 else []
    if whole or not parts:
        words.append(grammar.counted(whole, whole_of))
    if parts:
        if whole and grammar is GRAMMARS["en"]:
            words.append("and")
        words.append(grammar.counted(parts, part_of))
    return " ".join(words)


def duration(seconds: int, grammar: Grammar) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(seconds, 60)
    words = [grammar.counted(minutes, grammar.MINUTE)] if minutes else []
    if rest or not minutes:
        words.append(grammar.counted(rest, grammar.SECOND))
    return " ".join(words)


def _other_money(amount: Decimal, currency: str, language: str, grammar: Grammar) -> str:
    if not currency.isascii() or not is_currency(currency):
        spelled = " ".join(one for one in currency if one.isalnum())
        return f"{grammar.number(amount)} {spelled}".strip()
    amount = values.rounded(amount, min(get_currency_precision(currency), values.PLACES))
    locale = language.partition("-")[0].lower()
    try:
        name = get_currency_name(currency, count=abs(amount), locale=locale)
        gender = grammar.gender_of(get_currency_name(currency, count=1, locale=locale))
    except (UnknownLocaleError, LookupError):
        return f"{grammar.number(amount)} {currency}"
    if amount != int(amount):
        return f"{grammar.number(amount)} {name}"
    words = [grammar.MINUS] if amount < 0 else []
    return " ".join([*words, grammar.cardinal(int(abs(amount)), gender), name])


def digits(text: str, grammar: Grammar) -> str:
    """One by one, with a breath where the text has one, else after each three; letters are spelled."""
    text = text.strip()
    groups = [one for one in re.split(r"[\s,;()\-–]+", text) if one]
    if len(groups) == 1:
        groups = _threes(groups[0])
    said = []
    for group in groups:
        words = []
        for one in group:
            if one.isascii() and one.isdigit():
                words.append(grammar.UNITS[int(one)])
            elif one in grammar.CHARACTERS:
                words.append(grammar.CHARACTERS[one])
            elif one.isalnum():
                words.append(one)
        if any(words):
            said.append(" ".join(filter(None, words)))
    return ", ".join(said)


def _threes(text: str) -> list[str]:
    """Groups of three, the last of two to four; what is not longer than four stays as it is."""
    groups = []
    if text.startswith("+"):
        with suppress(phonenumbers.NumberParseException):
            written = phonenumbers.format_number(
                phonenumbers.parse(text), phonenumbers.PhoneNumberFormat.INTERNATIONAL
            )
            return re.split(r"[\s\-]+", written)
        groups, text = [text[:3]], text[3:]
    while len(text) > 4:
        groups.append(text[:3])
        text = text[3:]
    return [*groups, text] if text else groups
