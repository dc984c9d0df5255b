"""From spots in the tree to dataclasses and tables of them."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import partial
from typing import Any, TypeVar

from centrala.settings import words
from centrala.settings.tree import Parser, Reported, Spot, attempt

T = TypeVar("T")


def build(
    cls: Callable[..., T], at: Spot, given: dict[str, Spot], parsers: dict[str, Parser], **fixed: Any
) -> T:
    """The dataclass from the keys that were given. Notes what is wrong or missing and raises Reported."""
    values, whole = dict(fixed), True
    for name, spot in given.items():
        good, values[name] = attempt(spot, parsers[name])
        whole = whole and good
    for one in fields(cls):  # type: ignore[arg-type]
        if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
            at.at(one.name).problem("is missing and has no default")
            whole = False
    if not whole:
        raise Reported
    return cls(**values)


def table(
    parse_one: Callable[[str, Spot], T], expected: str, ids: bool = True
) -> Callable[[Spot], dict[str, T]]:
    """A mapping of ids to things; what is wrong with one of them leaves the others standing."""

    def parse(spot: Spot) -> dict[str, T]:
        things: dict[str, T] = {}
        for name, entry in spot.entries(expected).items():
            if ids and not attempt(entry, words.identifier_of(name))[0]:
                continue
            good, thing = attempt(entry, partial(parse_one, name))
            if good:
                things[name] = thing
        return things

    return parse
