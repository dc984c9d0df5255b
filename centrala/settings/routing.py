"""Who serves whom beyond a queue's own agents: stages, the agent who is known, tiers and experts outside the house."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from centrala.settings import floor, words
from centrala.settings.building import build, table
from centrala.settings.model import Destination, Expert, LastAgent, Tenant, Tier, Widen
from centrala.settings.tree import Listing, Mapping, Parser, Reported, Spot, Wrong, any_of, attempt, shorten

MOST_STAGES = 8
MOST_TIER = 9
EXPERT = "expert:"
"What an expert's id is told by where numbers are."


def widen(queues: Iterable[str], calendars: Iterable[str]) -> Callable[[Spot], tuple[Widen, ...]]:
    """A list of stages; each needs a cause, and somebody whom it opens to."""

    names, hours = tuple(queues), tuple(calendars)

    def parse(spot: Spot) -> tuple[Widen, ...]:
        expected = "a list of stages such as [{after: 60s, needs: {english: 3}}]"
        spots = spot.elements(expected) if isinstance(spot.node, Listing) else [spot]
        if len(spots) > MOST_STAGES:
            raise Wrong(f"has {len(spots)} stages; expected at most {MOST_STAGES}")
        found = [attempt(one, partial(_stage, queues=names, calendars=hours)) for one in spots]
        return tuple(stage for good, stage in found if good)

    return parse


def _stage(spot: Spot, queues: tuple[str, ...], calendars: tuple[str, ...]) -> Widen:
    level = words.integer(0, 10)
    parsers: dict[str, Parser] = {
        "after": words.duration(),
        "length": words.integer(1, 1_000_000),
        "below": words.percent,
        "needs": table(lambda _, at: level(at), "a mapping of skills to levels such as {english: 3}"),
        "queues": words.list_of(words.reference("a queue", queues), "a list of queues' ids"),
        "calendar": words.reference("a calendar", calendars),
    }
    given = spot.fields(parsers, f"a mapping with {any_of(parsers)}")
    stage: Widen = build(Widen, spot, given, parsers)
    if stage.after is None and stage.length is None and stage.below is None:
        raise Wrong("never opens; expected after, length or below")
    if stage.needs is None and not stage.queues:
        raise Wrong("opens to nobody; expected needs or queues")
    return stage


def last_agent(spot: Spot) -> LastAgent:
    parsers: dict[str, Parser] = {
        "within": words.duration(60.0),
        "wait": words.duration(0.0, 3600.0),
        "preferred": words.flag,
    }
    return build(LastAgent, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)


def tiers(spot: Spot) -> dict[int, Tier]:
    """Tier to what it is called and what it may decide."""
    found: dict[int, Tier] = {}
    for name, at in spot.entries(
        "a mapping of tiers to what they may, such as {2: {authority: ...}}"
    ).items():
        if not name.isdigit() or not 1 <= int(name) <= MOST_TIER:
            at.problem(f"{shorten(name)} is no tier; expected one of 1 to {MOST_TIER}")
            continue
        good, one = attempt(at, partial(_tier, int(name)))
        if good:
            found[int(name)] = one
    return found


def _tier(number: int, spot: Spot) -> Tier:
    parsers: dict[str, Parser] = {"label": floor.label, "authority": floor.label}
    return build(Tier, spot, spot.fields(parsers, "a mapping with label, authority"), parsers, id=number)


def experts(spot: Spot, calendars: Iterable[str]) -> dict[str, Expert]:
    return table(lambda id, at: _expert(id, at, tuple(calendars)), "a mapping of ids to experts")(spot)


def _expert(id: str, spot: Spot, calendars: tuple[str, ...]) -> Expert:
    level = words.integer(1, 10)
    parsers: dict[str, Parser] = {
        "name": words.line_of_text,
        "number": _number,
        "phone": words.sip_uri,
        "tier": words.integer(1, MOST_TIER),
        "skills": table(lambda _, at: level(at), "a mapping of skills to levels such as {law: 8}"),
        "calendar": words.reference("a calendar", calendars),
        "authority": floor.label,
    }
    expert: Expert = build(
        Expert, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers, id=id
    )
    if (expert.number is None) == (expert.phone is None):
        raise Wrong("expected either number, to be called over a trunk, or phone, a SIP address")
    return expert


def _number(spot: Spot) -> str:
    text = spot.text("a telephone number such as +48221234567")
    number = "".join(one for one in text if one not in " -()./")
    if not number.removeprefix("+").isdigit() or not 3 <= len(number) <= 20:
        raise Wrong(f"{shorten(text)} is no telephone number; expected one such as +48221234567")
    return number


def look_over(tenant: Tenant, given: dict[str, Spot]) -> None:
    """Experts who can be called over a trunk need one that leads out."""
    outside = [one for one in tenant.experts.values() if one.number is not None]
    if outside and not any(trunk.outbound for trunk in tenant.trunks.values()):
        given["experts"].warn(
            "no trunk takes calls out (outbound: true), so that their numbers can't be called"
        )


def escalate(destination: Parser, experts: Iterable[str]) -> Parser:
    """A destination, or an expert by id."""
    names = tuple(experts)

    def parse(spot: Spot) -> Any:
        entries = spot.entries("") if isinstance(spot.node, Mapping) else {}
        if set(entries) == {"expert"}:
            good, id = attempt(entries["expert"], words.reference("an expert", names))
            if not good:
                raise Reported
            return Destination("expert", id)
        return destination(spot)

    return parse
