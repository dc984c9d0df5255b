"""Rebalancing: which queues lend and borrow agents, within which limits, and how it goes about it."""

from collections.abc import Callable

from centrala.settings import words
from centrala.settings.building import build
from centrala.settings.model import Balance, Balancing
from centrala.settings.tree import Parser, Spot, any_of


def balance(levels: Callable[[Spot], dict[str, int]]) -> Callable[[Spot], Balance]:
    """Of one queue."""
    parsers: dict[str, Parser] = {
        "give": words.flag,
        "take": words.flag,
        "reserve": words.integer(0, 100_000),
        "most": words.integer(0, 100_000),
        "helpers": levels,
    }

    def parse(spot: Spot) -> Balance:
        return build(Balance, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)

    return parse


def balancing(spot: Spot) -> Balancing:
    """Of the tenant."""
    parsers: dict[str, Parser] = {
        "on": words.flag,
        "every": words.duration(5.0, 600.0),
        "moves_per_hour": words.integer(0, 60),
        "margin": words.percent,
    }
    return build(Balancing, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)
