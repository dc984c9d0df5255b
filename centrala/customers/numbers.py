"""Telephone numbers as one spelling: E.164 by the tenant's country, and back to the spellings a carrier may send.

The numbering plans are those of `phonenumbers` (ITU-T E.164, national plans).
"""

import importlib.resources
import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from centrala.settings import Tenant

Rule = tuple[str | None, tuple[str, ...]]
"(the country whose national numbers are meant, others whose numbers are called besides)."

WITHHELD = frozenset(
    {"", "anonymous", "unavailable", "restricted", "unknown", "private", "withheld", "none", "invalid"}
)
"What stands in the place of a number that is not shown (RFC 3325 7, RFC 3323 4.1.1.3, and habits of carriers)."

_LOCALES = {
    "be": "BY",
    "cs": "CZ",
    "da": "DK",
    "de": "DE",
    "el": "GR",
    "et": "EE",
    "en": None,
    "fr": "FR",
    "it": "IT",
    "kk": "KZ",
    "lt": "LT",
    "lv": "LV",
    "pl": "PL",
    "ru": "RU",
    "sk": "SK",
    "uk": "UA",
}
_EXTENSION = re.compile(r"(?:;ext=|\bext\.?|\bwewn\.?|\bдоб\.?)\s*(\d{1,9})\s*$", re.IGNORECASE)
_TEXT = 64


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """Time zone → country (ISO 3166), by the zone database's own table; zones of several countries are left out."""
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", "zone1970.tab")
    found: dict[str, str] = {}
    for line in table.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            countries, _, zone, *_ = line.split("\t")
            found[zone] = countries.split(",")[0]
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", "zone.tab")
    for line in table.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found[zone] = country
    return found


def country_of(timezone: str, locale: str = "en", country: str | None = None) -> str | None:
    """ISO 3166 code of the country whose national numbers are meant; None takes international spellings alone."""
    if country:
        return country.upper()
    language, _, region = locale.replace("_", "-").partition("-")
    if len(region) == 2 and region.isalpha():
        return region.upper()
    return _zones().get(timezone) or _LOCALES.get(language.lower())


def rule_of(house: Tenant | None) -> Rule:
    """Of a house: whose national numbers are meant, and whose it calls besides. Nothing, where there is none."""
    if house is None:
        return None, ()
    return country_of(house.timezone, house.locale, house.country), house.callbacks.countries


def withheld(number: str | None) -> bool:
    """Whether this stands for a number that isn't shown."""
    return number is None or _bare(number).lower() in WITHHELD


def _bare(text: str) -> str:
    text = text[:_TEXT].strip()
    for scheme in ("tel:", "sip:", "sips:"):
        if text.lower().startswith(scheme):
            text = text[len(scheme) :].partition("@")[0].partition(";")[0]
    return text.strip()


@lru_cache(maxsize=20_000)
def normal(number: str, country: str | None) -> str | None:
    """The one spelling of a number: E.164 with a plus where the numbering plan knows it, else its digits.

    Short and private numbers stay as they are. None for a withheld number and for what has no digits.
    """
    text = _bare(number)
    if text.lower() in WITHHELD:
        return None
    text = _EXTENSION.sub("", text)
    plus = text.lstrip(" (").startswith(("+", "+"))
    digits = "".join(str(unicodedata.digit(one)) for one in text if unicodedata.digit(one, None) is not None)
    if not digits or len(digits) > 20 or any(one.isalpha() for one in text):
        return None
    if plus:
        whole = _parsed(f"+{digits}", None)
        return _e164(whole) if whole and phonenumbers.is_possible_number(whole) else f"+{digits}"
    # Many carriers send numbers in full, but without the plus.
    whole = _parsed(f"+{digits}", None) if len(digits) >= 10 and not digits.startswith("0") else None
    if whole and not phonenumbers.is_valid_number(whole):
        whole = None
    plan = phonenumbers.PhoneMetadata.metadata_for_region(country) if country else None
    # Where numbers at home begin with a 0 or the like, one that begins with the country's code has that in it.
    if whole and plan and plan.national_prefix and whole.country_code == plan.country_code:
        return _e164(whole)
    national = _parsed(digits, country) if country else None
    if national and phonenumbers.is_valid_number(national):
        return _e164(national)
    return _e164(whole) if whole else digits


Unfit = Literal["withheld", "wrong", "short", "premium", "foreign"]
"Why a number isn't called: not shown, no number, not in full, of a tariff of its own, of another country."

_LINES = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)


def callable_as(
    number: str | None, country: str | None, others: Collection[str] = ()
) -> tuple[str, Unfit | None]:
    """(E.164, None) of a number that callers may have us call; ("", why not) of any other.

    Ordinary lines alone: whoever shows or types a number of a high tariff would be paid for our call. Of the own
    country, and of `others` (ISO 3166).
    """
    if number is None or withheld(number):
        return "", "withheld"
    key = normal(number, country)
    if key is None:
        return "", "wrong"
    whole = _parsed(key, None) if key.startswith("+") else None
    if whole is None:
        return "", "short" if len(key.lstrip("+")) < 7 else "wrong"
    if not phonenumbers.is_valid_number(whole):
        possible = phonenumbers.is_possible_number_with_reason(whole)
        return "", "short" if possible == ValidationResult.TOO_SHORT else "wrong"
    region = phonenumbers.region_code_for_number(whole)
    if region is None or region not in {country, *others}:
        return "", "foreign"
    if phonenumbers.number_type(whole) not in _LINES:
        return "", "premium"
    return key, None


def extension(number: str) -> str | None:
    """The digits after `ext.`, where there are some."""
    found = _EXTENSION.search(number[:_TEXT])
    return found[1] if found else None


def spellings(key: str, country: str | None) -> list[str]:
    """How a carrier may have written the number `key` (a result of `normal`): the spellings of our records."""
    found = [key]
    if key.startswith("+"):
        found += [key[1:], f"00{key[1:]}"]
        whole = _parsed(key, None)
        if whole is not None and country is not None:
            plan = phonenumbers.PhoneMetadata.metadata_for_region(country)
            if plan is not None:
                if plan.international_prefix and plan.international_prefix.isdigit():
                    found.append(f"{plan.international_prefix}{key[1:]}")
                if plan.country_code == whole.country_code:
                    inland = phonenumbers.national_significant_number(whole)
                    found.append(inland)
                    if plan.national_prefix:
                        found.append(f"{plan.national_prefix}{inland}")
    return list(dict.fromkeys(found))


def zone_of(key: str) -> str | None:
    """The time zone of the number `key` (a result of `normal`), where its plan leaves no doubt."""
    whole = _parsed(key, None) if key.startswith("+") else None
    zones = () if whole is None else time_zones_for_number(whole)
    return zones[0] if len(zones) == 1 and "/" in zones[0] and zones[0] != UNKNOWN_TIMEZONE else None


def inland(key: str) -> str:
    """The number's digits without the country's code."""
    whole = _parsed(key, None) if key.startswith("+") else None
    return phonenumbers.national_significant_number(whole) if whole else key.lstrip("+")


def _parsed(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        return None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
