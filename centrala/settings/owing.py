"""What a queue owes to who doesn't wait: keys while waiting, callbacks, times to book, calls after who hung up."""

from collections.abc import Callable

from centrala.settings import words
from centrala.settings.building import build
from centrala.settings.house_flows import house_flows
from centrala.settings.model import CallbackRules, Callbacks, Destination, FollowUp, Slots
from centrala.settings.tree import Parser, Spot, any_of, attempt, shorten

DIGITS = "0123456789*#"
BUILT_IN = tuple(house_flows())
"Flows that every house has, unless it has its own of that name."


def keys(destination: Callable[[Spot], Destination]) -> Callable[[Spot], dict[str, Destination]]:
    """Digit to way out; a key that is wrong leaves the others standing."""

    def parse(spot: Spot) -> dict[str, Destination]:
        found: dict[str, Destination] = {}
        for digit, at in spot.entries(
            'a mapping of keys to destinations such as {"1": {flow: callback}}'
        ).items():
            if len(digit) != 1 or digit not in DIGITS:
                at.problem(
                    f"{shorten(digit)} is no key of a telephone; expected one of 0 to 9, * and #, in quotes"
                )
                continue
            good, to = attempt(at, destination)
            if good:
                found[digit] = to
        return found

    return parse


def callbacks(spot: Spot) -> Callbacks:
    parsers: dict[str, Parser] = {
        "attempts": words.integer(1, 20),
        "retry": words.duration(10.0, 86400.0),
        "expires": words.duration(60.0, 30 * 86400.0),
        "ring": words.duration(5.0, 120.0),
        "slots": _slots,
    }
    return build(Callbacks, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)


def _slots(spot: Spot) -> Slots:
    parsers: dict[str, Parser] = {"share": words.percent, "days": words.integer(1, 31)}
    return build(Slots, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)


def follow_up(spot: Spot) -> FollowUp:
    parsers: dict[str, Parser] = {
        "after": words.duration(0.0, 7 * 86400.0),
        "attempts": words.integer(1, 20),
        "priority": words.integer(-1000, 1000),
        "grace": words.duration(0.0, 86400.0),
    }
    return build(FollowUp, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)


def rules(spot: Spot) -> CallbackRules:
    parsers: dict[str, Parser] = {
        "countries": words.list_of(words.country, "a list of countries such as [PL, DE]")
    }
    return build(CallbackRules, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)
