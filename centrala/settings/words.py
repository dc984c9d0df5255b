"""One scalar of the file each: durations, addresses, choices and the like. All raise `Wrong`."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

from centrala.settings.model import Address, OpenSpans
from centrala.settings.tree import Listing, Parser, Spot, Wrong, any_of, attempt, did_you_mean, shorten

_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_DURATION = re.compile(rf"(?:{_NUMBER}h)? ?(?:{_NUMBER}m)? ?(?:{_NUMBER}s)? ?(?:{_NUMBER}ms)?")
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")  # with a dot first it could be .. in a path
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_SIP_URI = re.compile(
    r"sips?:(?:[^\s@<>\"]{1,128}@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?([;?]\S*)?"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEAR = 366 * 86400.0


def integer(low: int, high: int) -> Callable[[Spot], int]:
    expected = f"a whole number from {low} to {high}"

    def parse(spot: Spot) -> int:
        text = spot.text(expected)
        if not re.fullmatch("[+-]?[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise Wrong(f"found {shorten(text)}; expected {expected}")
        return int(text)

    return parse


def flag(spot: Spot) -> bool:
    text = spot.text("true or false")
    if text.lower() in ("true", "yes", "on"):
        return True
    if text.lower() in ("false", "no", "off"):
        return False
    raise Wrong(f"found {shorten(text)}; expected true or false")


def seconds(text: str) -> float | None:
    """A duration such as 15s, 500ms, 1h30m or 2.5 (seconds) in seconds; None if it isn't one."""
    if re.fullmatch(_NUMBER, text):
        return float(text)
    parts = _DURATION.fullmatch(text)
    if not parts or not any(parts.groups()):
        return None
    hours, minutes, whole, thousandths = (float(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + whole + thousandths / 1000


def duration(low: float = 0.0, high: float = YEAR) -> Callable[[Spot], float]:
    def parse(spot: Spot) -> float:
        expected = "a duration such as 500ms, 15s, 10m or 1h30m (a plain number means seconds)"
        text = spot.text(expected)
        value = seconds(text)
        if value is None:
            raise Wrong(f"{shorten(text)} is not a duration; expected {expected}")
        if not low <= value <= high:
            limits = f"at least {low:g} s" if high == YEAR else f"{low:g} to {high:g} s"
            raise Wrong(f"found {shorten(text)}; expected {limits}")
        return value

    return parse


def choice(what: str, options: Iterable[str]) -> Callable[[Spot], Any]:
    names = tuple(options)

    def parse(spot: Spot) -> str:
        text = spot.text(f"one of {any_of(names)}")
        if text not in names:
            raise Wrong(
                f"{shorten(text)} is not {what}; expected one of {any_of(names)}{did_you_mean(text, names)}"
            )
        return text

    return parse


def reference(what: str, ids: Iterable[str]) -> Callable[[Spot], str]:
    """The id of something else in the same tenant; `ids` are those that there are."""
    names = dict.fromkeys(ids)

    def parse(spot: Spot) -> str:
        text = spot.text(f"the id of {what}")
        if text not in names:
            options = f"expected one of {any_of(names)}" if names else "the tenant has none"
            raise Wrong(f"{shorten(text)} is not {what} of this tenant; {options}{did_you_mean(text, names)}")
        return text

    return parse


def line_of_text(spot: Spot) -> str:
    text = spot.text("a text")
    if not text or _CONTROL.search(text) or len(text) > 200:
        raise Wrong(f"found {shorten(text)}; expected a text of 1 to 200 characters on one line")
    return text


def identifier_of(text: str) -> Callable[[Spot], str]:
    """Checks a key that is an id."""

    def parse(_: Spot) -> str:
        if not _ID.fullmatch(text):
            raise Wrong(f"{shorten(text)} can't be an id; expected 1 to 64 of a-z A-Z 0-9 - _ . (not first)")
        return text

    return parse


def name_of_sound(spot: Spot) -> str:
    text = spot.text("default or the name of an uploaded sound")
    if not _ID.fullmatch(text):
        raise Wrong(f"{shorten(text)} can't be a sound's name; expected letters (a-z, A-Z), digits, - _ or .")
    return text


def name_of_prompt(spot: Spot) -> str:
    """An uploaded sound, or a built-in prompt such as `builtin:please_hold`."""
    text = spot.text("the name of a sound")
    if not _ID.fullmatch(text.removeprefix("builtin:")):
        raise Wrong(
            f"{shorten(text)} can't be a sound's name; expected an uploaded sound, or one such as builtin:please_hold"
        )
    return text


def is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_host(text: str) -> bool:
    if re.fullmatch(r"[0-9.]+", text):
        return is_ip(text)  # 127.0.0.300 would pass for a name
    return len(text) <= 253 and bool(_HOST.fullmatch(text))


def hostname(spot: Spot) -> str:
    """A host name or IPv4 address, in lower case."""
    text = spot.text("a host name")
    if not is_host(text):
        raise Wrong(f"{shorten(text)} is not a host name; expected one such as acme.example")
    return text.rstrip(".").lower()


def ip(spot: Spot) -> str:
    text = spot.text("an IP address")
    if not is_ip(text):
        raise Wrong(f"{shorten(text)} is not an IP address; expected one such as 192.0.2.1 or 2001:db8::1")
    return text


def split_address(text: str, default_port: int | None, low: int) -> Address | None:
    """`host:port` or `[ipv6]:port` taken apart; None if it isn't that."""
    match = re.fullmatch(r"(?:\[([^\]]*)\]|([^:\[\]]*))(?::([0-9]{1,5}))?", text)
    if not match:
        return None
    bracketed, name, port = match.groups()
    if bracketed is not None and not (":" in bracketed and is_ip(bracketed)):
        return None
    if name is not None and not is_host(name):
        return None
    number = int(port) if port else default_port
    if number is None or not low <= number <= 65535:
        return None
    return (bracketed if bracketed is not None else name).lower(), number


def address(default_port: int | None = None, low: int = 1) -> Callable[[Spot], Address]:
    """`low` is the least port: 0 for what we bind (any free port), 1 for what we send to."""

    def parse(spot: Spot) -> Address:
        expected = "host:port such as 192.0.2.1:5060 or [2001:db8::1]:5060"
        text = spot.text(expected)
        found = split_address(text, default_port, low)
        if found is None:
            raise Wrong(
                f"{shorten(text)} is not an address; expected {expected}, the port from {low} to 65535"
            )
        return found

    return parse


def network(spot: Spot) -> IPv4Network | IPv6Network:
    text = spot.text("a network such as 192.0.2.0/24")
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        loose = ip_network(text, strict=False)
    except ValueError:
        raise Wrong(f"{shorten(text)} is not a network; expected one such as 192.0.2.0/24") from None
    raise Wrong(f"{shorten(text)} is an address inside a network; expected the network itself, {loose}")


def is_loopback(host: str) -> bool:
    if is_ip(host):
        return ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def country(spot: Spot) -> str:
    """A country that has telephone numbers, as ISO 3166-1 alpha-2 in capitals."""
    from phonenumbers import SUPPORTED_REGIONS  # some milliseconds that most files needn't spend

    text = spot.text("a country such as PL")
    if text.upper() not in SUPPORTED_REGIONS:
        raise Wrong(f"{shorten(text)} is not a country's code; expected two letters such as PL (ISO 3166-1)")
    return text.upper()


def port_range(spot: Spot) -> tuple[int, int]:
    expected = "first-last such as 20000-29999, from 1 to 65535 and at least two ports"
    text = spot.text(expected)
    match = re.fullmatch(r"([0-9]{1,5}) ?- ?([0-9]{1,5})", text)
    if not match or not 1 <= int(match[1]) < int(match[2]) <= 65535:
        raise Wrong(f"{shorten(text)} is not a range of ports; expected {expected}")
    return int(match[1]), int(match[2])


def sip_uri(spot: Spot) -> str:
    text = spot.text("a SIP address")
    match = _SIP_URI.fullmatch(text)
    good = match is not None and (is_ip(match[1][1:-1]) if match[1].startswith("[") else is_host(match[1]))
    if not match or not good or int(match[2] or 5060) not in range(1, 65536):
        raise Wrong(f"{shorten(text)} is not a SIP address; expected one such as sip:clara@192.0.2.7:5060")
    return text


def service_level(spot: Spot) -> tuple[float, float]:
    """`80/20` is (0.80, 20.0): the share to answer, within seconds."""
    expected = "percent/seconds such as 80/20"
    text = spot.text(expected)
    percent, slash, within = text.partition("/")
    limit = seconds(within.strip())
    share = float(percent) if re.fullmatch(_NUMBER, percent.strip()) else 0.0
    if not slash or limit is None or not 0 < share <= 100 or not 0 < limit <= YEAR:
        raise Wrong(f"{shorten(text)} is not a service level; expected {expected}")
    return share / 100, limit


def percent(spot: Spot) -> float:
    """`80` or `80%` is 0.8."""
    text = spot.text("a percentage such as 80")
    number = text.removesuffix("%").strip()
    if not re.fullmatch(_NUMBER, number) or float(number) > 100:
        raise Wrong(f"{shorten(text)} is not a percentage; expected one such as 80")
    return float(number) / 100


def timezone(spot: Spot) -> str:
    import zoneinfo

    text = spot.text("a time zone such as Europe/Warsaw")
    try:
        zoneinfo.ZoneInfo(text)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        near = did_you_mean(text, sorted(zoneinfo.available_timezones()))
        raise Wrong(f"{shorten(text)} is not a time zone; expected one such as Europe/Warsaw{near}") from None
    return text


def locale(spot: Spot) -> str:
    text = spot.text("a locale such as pl or en-GB")
    if not re.fullmatch("[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", text):
        raise Wrong(f"{shorten(text)} is not a locale; expected one such as pl or en-GB")
    return text


def readable_file(folder: Path) -> Callable[[Spot], Path]:
    """A file that is there; a relative path starts at the folder of the settings file."""

    def parse(spot: Spot) -> Path:
        text = spot.text("the path of a file")
        path = folder / text
        try:
            there = path.is_file()
        except (OSError, ValueError):
            there = False
        if not text or not there:
            raise Wrong(f"{shorten(text)} is not a file that can be read; expected the path of a PEM file")
        return path

    return parse


def list_of(parser: Parser, expected: str) -> Callable[[Spot], tuple[Any, ...]]:
    """A list of different values; a lone value is a list of one."""

    def parse(spot: Spot) -> tuple[Any, ...]:
        spots = spot.elements(expected) if isinstance(spot.node, Listing) else [spot]
        values: dict[Any, None] = {}
        for element in spots:
            good, value = attempt(element, parser)
            if good and value in values:
                element.problem(f"{element.found()} is in the list twice; keep one of the two")
            elif good:
                values[value] = None
        return tuple(values)

    return parse


def day(spot: Spot) -> date:
    text = spot.text("a date such as 2027-12-24")
    try:
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{shorten(text)} is not a date; expected year-month-day such as 2027-12-24") from None


def days(spot: Spot) -> tuple[date, ...]:
    """A list of dates, sorted."""
    return tuple(sorted(list_of(day, "a list of dates")(spot)))


def hours(spot: Spot) -> tuple[OpenSpans, ...]:
    """`{mon-fri: "9:00-17:00", sat: ["10:00-12:00", "13:00-14:00"]}`: seven days, Monday first."""
    expected = 'a mapping of days to hours such as {mon-fri: "9:00-17:00", sat: "10:00-13:00"}'
    week: dict[int, OpenSpans] = {}
    for name, entry in spot.entries(expected).items():
        days = _days(name)
        if days is None:
            entry.problem(f"{shorten(name)} is no day; expected {any_of(_DAYS)} or a range such as mon-fri")
            continue
        spans: list[tuple[int, int]] = []
        for element in entry.elements(expected) if isinstance(entry.node, Listing) else [entry]:
            if element.null or element.found() == "'closed'":
                continue
            span = _span(element)
            if span is None:
                text = (
                    f"found {element.found()}; expected from-to within one day such as 9:00-17:00, or closed"
                )
                element.problem(text + " (past midnight: 22:00-24:00, and 0:00-6:00 on the next day)")
            elif any(start < span[1] and span[0] < end for start, end in spans):
                element.problem(f"{element.found()} overlaps the hours before it; expected hours apart")
            else:
                spans.append(span)
        for number in days:
            if number in week:
                entry.problem(f"{_DAYS[number]} is given twice; expected each day once")
            week[number] = tuple(sorted(spans))
    return tuple(week.get(number, ()) for number in range(7))


def _days(text: str) -> list[int] | None:
    first, dash, last = text.strip().lower().partition("-")
    if first not in _DAYS or (dash and last not in _DAYS):
        return None
    start = _DAYS.index(first)
    count = (_DAYS.index(last) - start) % 7 + 1 if dash else 1
    return [(start + offset) % 7 for offset in range(count)]


def _span(spot: Spot) -> tuple[int, int] | None:
    text = spot.text("hours")
    match = re.fullmatch("([0-9]{1,2})(?::([0-9]{2}))? ?- ?([0-9]{1,2})(?::([0-9]{2}))?", text)
    if not match:
        return None
    from_hour, from_minute, to_hour, to_minute = (int(part or 0) for part in match.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    return (start, end) if from_minute < 60 and to_minute < 60 and 0 <= start < end <= 1440 else None
