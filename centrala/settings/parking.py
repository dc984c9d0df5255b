"""Parking: the numbers of its slots, and how long somebody may stay in one."""

import re

from centrala.settings import words
from centrala.settings.building import build
from centrala.settings.model import Parking, Tenant
from centrala.settings.tree import Parser, Spot, Wrong, any_of, shorten

MOST_SLOTS = 200
_NUMBER = re.compile(r"[0-9]{2,8}")
_RANGE = re.compile(r"\s*([0-9]{2,8})\s*-\s*([0-9]{2,8})\s*")


def parking(spot: Spot) -> Parking:
    parsers: dict[str, Parser] = {
        "slots": slots,
        "number": number,
        "timeout": words.duration(10.0, 3600.0),
    }
    found: Parking = build(Parking, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)
    if found.number in found.slots:
        raise Wrong(f"{found.number} is one of the slots; expected another number to park by")
    return found


def number(spot: Spot) -> str:
    text = spot.text("a number such as 700")
    if not _NUMBER.fullmatch(text):
        raise Wrong(f"found {shorten(text)}; expected a number of 2 to 8 digits such as 700")
    return text


def slots(spot: Spot) -> tuple[str, ...]:
    """A range such as 701-720: both ends are written with the same number of digits."""
    text = spot.text("a range of numbers such as 701-720")
    hit = _RANGE.fullmatch(text)
    if hit is None:
        raise Wrong(f"found {shorten(text)}; expected a range of numbers such as 701-720")
    first, last = int(hit[1]), int(hit[2])
    if len(hit[1]) != len(hit[2]) or not first <= last < first + MOST_SLOTS:
        raise Wrong(
            f"found {shorten(text)}; expected the lower number first, as many digits in both, and at most"
            f" {MOST_SLOTS} slots"
        )
    return tuple(str(one).zfill(len(hit[1])) for one in range(first, last + 1))


def look_over(tenant: Tenant, given: dict[str, Spot]) -> None:
    """A number that is the parking's leads nowhere else; agents' ids and numbers of the house would."""
    if tenant.parking is None:
        return
    for one in (*tenant.parking.slots, tenant.parking.number):
        if one and (one in tenant.numbers or one in tenant.agents):
            what = "a number of the house" if one in tenant.numbers else "an agent's id"
            given["parking"].problem(f"{one} is {what}, too; expected numbers that lead nowhere else")
