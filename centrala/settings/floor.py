"""What people on the floor read and choose: labels, reasons, dispositions, teams, thresholds."""

from collections.abc import Iterable

from centrala.settings import words
from centrala.settings.building import build, table
from centrala.settings.model import (
    ESCALATIONS,
    LANGUAGES,
    REASONS,
    Disposition,
    Label,
    Limits,
    Reason,
    Team,
    Thresholds,
)
from centrala.settings.tree import Mapping, Parser, Spot, Wrong, any_of, attempt


def label(spot: Spot) -> Label:
    """A text for every language, or a mapping of languages to texts; a language that is missing takes another's."""
    if not isinstance(spot.node, Mapping):
        text = words.line_of_text(spot)
        return dict.fromkeys(LANGUAGES, text)
    given = spot.fields(LANGUAGES, f"a text, or a mapping with {any_of(LANGUAGES)}")
    texts: Label = {}
    for language, one in given.items():
        good, text = attempt(one, words.line_of_text)
        if good:
            texts[language] = text
    if not texts:
        raise Wrong(f"found no text; expected one, or a mapping with {any_of(LANGUAGES)}")
    spare = texts.get("en") or next(iter(texts.values()))
    return {language: texts.get(language, spare) for language in LANGUAGES}


def reasons(spot: Spot) -> dict[str, Reason]:
    return table(_reason, "a mapping of ids to reasons")(spot) or REASONS.copy()


def _reason(id: str, spot: Spot) -> Reason:
    if _is_label(spot):
        return Reason(id, label(spot))
    parsers: dict[str, Parser] = {"label": label, "limit": words.duration(1.0)}
    given = spot.fields(parsers, f"a text, or a mapping with {any_of(parsers)}")
    return build(Reason, spot, given, parsers, id=id)


def dispositions(spot: Spot) -> dict[str, Disposition]:
    return table(_disposition, "a mapping of ids to dispositions")(spot)


def escalation_reasons(spot: Spot) -> dict[str, Disposition]:
    return table(_disposition, "a mapping of ids to reasons")(spot) or ESCALATIONS.copy()


def _disposition(id: str, spot: Spot) -> Disposition:
    if _is_label(spot):
        return Disposition(id, label(spot))
    parsers: dict[str, Parser] = {"label": label}
    return build(Disposition, spot, spot.fields(parsers, "a text, or a mapping with label"), parsers, id=id)


def _is_label(spot: Spot) -> bool:
    """Whether the label stands here itself, without the key `label`."""
    return not isinstance(spot.node, Mapping) or (
        bool(spot.node.entries) and all(name in LANGUAGES for name in spot.entries(""))
    )


def teams(spot: Spot, agents: Iterable[str]) -> dict[str, Team]:
    names = tuple(agents)
    found = table(lambda id, at: _team(id, at, names), "a mapping of ids to teams")(spot)
    taken: dict[str, str] = {}
    spots = spot.entries("")
    for team in found.values():
        for agent in team.agents:
            if agent in taken:
                spots[team.id].problem(
                    f"{agent} is in the team {taken[agent]} already; expected one team for each"
                )
            taken.setdefault(agent, team.id)
    return found


def _team(id: str, spot: Spot, agents: tuple[str, ...]) -> Team:
    agent = words.reference("an agent", agents)
    parsers: dict[str, Parser] = {
        "name": words.line_of_text,
        "agents": words.list_of(agent, "a list of agents' ids"),
        "leader": agent,
    }
    return build(Team, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers, id=id)


def thresholds(spot: Spot) -> Thresholds:
    def limits(value: Parser, *, falling: bool = False) -> Parser:
        def parse(spot: Spot) -> Limits:
            parsers: dict[str, Parser] = {"warn": value, "alarm": value}
            found = build(Limits, spot, spot.fields(parsers, "a mapping with warn, alarm"), parsers)
            if found.warn is not None and found.alarm is not None:
                first, second = (found.alarm, found.warn) if falling else (found.warn, found.alarm)
                if first > second:
                    raise Wrong("the alarm would come before the warning; expected it the other way round")
            return found

        return parse

    parsers: dict[str, Parser] = {
        "service_level": limits(words.percent, falling=True),
        "longest_wait": limits(words.duration()),
        "waiting": limits(words.integer(0, 1_000_000)),
    }
    return build(Thresholds, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)
