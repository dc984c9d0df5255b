"""A roster's problem from files: JSON for who may work when, perhaps CSV for the demand.

{"first": "2026-11-30", "weeks": 4, "minutes": 30, "demand": {"sales": [0, 0, …]},
 "shifts": [{"name": "full", "minutes": 510, "starts": ["07:00", "07:30"],
             "breaks": [{"minutes": 30, "earliest": 180, "latest": 270, "paid": false}]}],
 "agents": [{"name": "agent 1", "groups": ["sales"], "hours": 38, "available": [["07:00", "16:00"], null, …],
             "absent": ["2026-12-02"], "wishes": ["2026-12-24"], "likes": ["06:00", "15:00"]}],
 "rules": {"weekend_every": 2}, "costs": {"short_hour": 4}}
"""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from centrala.workforce.checks import Floats, whole
from centrala.workforce.errors import BadInput, DuplicateInterval
from centrala.workforce.roster.model import DAY, Agent, Break, Costs, Past, Problem, Rules, Shift


def read_problem(path: Path, demand: Path | None = None) -> Problem:
    """Raises BadInput, with the place in the file, for what can't be read; OSError."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is no JSON ({error})") from None
    try:
        return problem_of(given, None if demand is None else _rows(demand))
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None


def problem_of(given: Any, rows: list[tuple[datetime, str, float]] | None = None) -> Problem:
    """From plain values, as JSON has them; `rows` of demand (start, group, agents) instead of those in it."""
    top = _fields(
        "the problem", given, ("first", "weeks", "minutes", "demand", "shifts", "agents", "rules", "costs")
    )
    for name in ("first", "weeks", "shifts", "agents"):
        if name not in top:
            raise BadInput(f"{name}: is missing")
    first = _day("first", top["first"])
    weeks, minutes = whole("weeks", top["weeks"], 1), whole("minutes", top.get("minutes", 30), 5)
    if DAY % minutes:
        raise BadInput(f"minutes: intervals of {minutes} don't divide the day")
    if rows is not None:
        groups, table = _table(first, weeks, minutes, rows)
    else:
        demand = top.get("demand")
        if not isinstance(demand, dict) or not demand:
            raise BadInput("demand: give agents needed by group, one number an interval, or a CSV of them")
        groups = tuple(demand)
        size = 7 * weeks * (DAY // minutes)
        for name, values in demand.items():
            if not isinstance(values, list) or len(values) != size:
                raise BadInput(f"demand, {name}: must be a list of {size} numbers")
        try:
            table = np.array([demand[name] for name in groups], float)
        except (TypeError, ValueError):
            raise BadInput("demand: something in it is no number") from None

    def index(where: str, value: Any) -> int:
        return (_day(where, value) - first).days

    return Problem(
        first,
        weeks,
        minutes,
        groups,
        table,
        tuple(_shift(f"shifts[{i}]", one) for i, one in enumerate(_list("shifts", top["shifts"]))),
        tuple(_agent(f"agents[{i}]", one, index) for i, one in enumerate(_list("agents", top["agents"]))),
        _plain("rules", Rules, top.get("rules", {})),
        _plain("costs", Costs, top.get("costs", {}), late=lambda value: _minute("costs.late", value)),
    )


def _shift(where: str, given: Any) -> Shift:
    one = _fields(where, given, ("name", "minutes", "starts", "breaks"))
    _needed(where, one, "name", "minutes", "starts")
    return Shift(
        str(one["name"]),
        one["minutes"],
        tuple(_minute(f"{where}.starts", at) for at in _list(f"{where}.starts", one["starts"])),
        tuple(
            _plain(f"{where}.breaks[{i}]", Break, pause)
            for i, pause in enumerate(_list(f"{where}.breaks", one.get("breaks", [])))
        ),
    )


def _agent(where: str, given: Any, index: Callable[[str, Any], int]) -> Agent:
    def window(value: Any) -> tuple[int, int] | None:
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            raise BadInput(f"{where}: {value!r} isn't from and to")
        return _minute(where, value[0]), _minute(where, value[1])

    def days(value: Any) -> frozenset[int]:
        return frozenset(index(where, day) for day in _list(where, value))

    def settled(value: Any) -> dict[int, tuple[str, int] | None]:
        return {
            index(where, day): None if what is None else (str(what[0]), _minute(where, what[1]))
            for day, what in _fields(where, value).items()
        }

    agent: Agent = _plain(
        where,
        Agent,
        given,
        groups=lambda value: tuple(str(one) for one in _list(f"{where}.groups", value)),
        shifts=lambda value: None if value is None else tuple(str(one) for one in _list(where, value)),
        available=lambda value: tuple(window(one) for one in _list(f"{where}.available", value)),
        absent=days,
        wishes=days,
        credit=lambda value: {index(where, day): hours for day, hours in _fields(where, value).items()},
        likes=window,
        past=lambda value: _plain(f"{where}.past", Past, value),
        fixed=settled,
    )
    return agent


def _plain(where: str, what: Any, given: Any, **turn: Callable[[Any], Any]) -> Any:
    known = {one.name: one for one in fields(what)}
    values = _fields(where, given, tuple(known))
    _needed(
        where, values, *(n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING)
    )
    for name, value in values.items():
        default = known[name].default
        if name in turn or isinstance(value, str | bool) or value is None:
            continue
        if isinstance(default, int | float) and not isinstance(value, int | float):
            raise BadInput(f"{where}.{name}: {value!r} is no number")
    try:
        return what(**{name: turn[name](value) if name in turn else value for name, value in values.items()})
    except (TypeError, IndexError) as error:
        raise BadInput(f"{where}: {error}") from None


def _fields(where: str, given: Any, known: tuple[str, ...] | None = None) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise BadInput(f"{where}: {str(given)[:40]!r} is no object")
    unknown = [] if known is None else sorted(set(given) - set(known))
    if unknown:
        raise BadInput(f"{where}: {unknown[0]!r} isn't known; there are {', '.join(known or ())}")
    return given


def _needed(where: str, given: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if name not in given:
            raise BadInput(f"{where}: {name} is missing")


def _list(where: str, given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise BadInput(f"{where}: {str(given)[:40]!r} is no list")
    return given


def _day(where: str, given: Any) -> date:
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise BadInput(f"{where}: {given!r} is no day like 2026-12-24") from None


def _minute(where: str, given: Any) -> int:
    """07:30, or a number of minutes."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    hours, colon, minutes = str(given).partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2 and int(minutes) < 60):
        raise BadInput(f"{where}: {given!r} is no time like 07:30")
    return 60 * int(hours) + int(minutes)


def _rows(path: Path) -> list[tuple[datetime, str, float]]:
    found = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if not {"start", "agents"} <= set(rows.fieldnames or ()):
            raise BadInput(f"{path}: needs the columns start and agents, perhaps group")
        for number, row in enumerate(rows, 2):
            try:
                found.append(
                    (datetime.fromisoformat(row["start"]), row.get("group") or "all", float(row["agents"]))
                )
            except (TypeError, ValueError):
                raise BadInput(
                    f"{path}, line {number}: {row['start']!r}, {row['agents']!r} are no time and number"
                ) from None
    return found


def _table(
    first: date, weeks: int, minutes: int, rows: list[tuple[datetime, str, float]]
) -> tuple[tuple[str, ...], Floats]:
    groups = tuple(dict.fromkeys(name for _, name, _ in rows))
    size = 7 * weeks * (DAY // minutes)
    table = np.full((max(1, len(groups)), size), np.nan)
    for start, name, agents in rows:
        at = (start - datetime.combine(first, datetime.min.time(), start.tzinfo)) / timedelta(minutes=minutes)
        if at != int(at):
            raise BadInput(f"demand: {start} isn't on the edge of an interval of {minutes} minutes")
        if 0 <= at < size:
            if not np.isnan(table[groups.index(name), int(at)]):
                raise DuplicateInterval(f"demand: {start} is there twice for {name}")
            table[groups.index(name), int(at)] = agents
    if np.isnan(table).all():
        raise BadInput(f"demand: no row is of the {weeks} weeks from {first} on")
    return groups, np.nan_to_num(table)
