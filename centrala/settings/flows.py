"""What callers are told and asked, as given in the file: flows, their calendars and tables, mail, web and voices.

A flow is read and checked with the file (docs/reference/flows.md): one with errors is refused like any wrong key.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from centrala.core.flow import check, graph
from centrala.core.flow.nodes import Flow as Graph
from centrala.settings import words
from centrala.settings.building import build, table
from centrala.settings.model import (
    Announce,
    Calendar,
    Flow,
    Http,
    Mail,
    Secret,
    Security,
    SpeechSettings,
    Table,
)
from centrala.settings.tree import (
    Parser,
    Reported,
    Scalar,
    Spot,
    Wrong,
    any_of,
    as_json,
    attempt,
    on_line,
    shorten,
)

USUAL_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}

MAX_FLOW = 2 << 20
"Bytes of one flow."

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@([A-Za-z0-9.-]{1,253})")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")

Texts = dict[Path, str]
"What files of flows hold, by path."


@lru_cache(maxsize=256)
def parsed(text: str) -> Graph | tuple[graph.Problem, ...]:
    """The flow, or why it can't be read. Settings are read again and again while somebody edits them."""
    try:
        return graph.parse(text)
    except graph.FlowProblems as problems:
        return tuple(problems.problems)


def canonical(text: str) -> str:
    """The same JSON, written in the one way in which equal flows are equal texts."""
    return as_text(json.loads(text))


def as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


# --- flows ---


def flows(
    spot: Spot,
    folder: Path,
    texts: Texts,
    *,
    queues: Iterable[str],
    agents: Iterable[str],
    calendars: Iterable[str],
    tables: Iterable[str],
) -> dict[str, Flow]:
    """Flows by id. `texts` holds what files were read before, and gets those that are read now."""
    found: dict[str, Flow] = table(
        lambda id, at: _flow(id, at, folder, texts),
        "a mapping of ids to flows such as {main: flows/main.json}",
    )(spot)
    graphs = {id: one for id, flow in found.items() if isinstance(one := parsed(flow.graph), Graph)}
    known = check.Known(
        queues=frozenset(queues),
        agents=frozenset(agents),
        sounds=None,
        calendars=frozenset(calendars),
        tables=frozenset(tables),
        flows=graphs,
        entry_points=None,
        languages=None,
    )
    spots = spot.entries("")
    for id, flow in graphs.items():
        where = _where(spots[id], found[id].file, folder)
        for problem in check.check(flow, known, id):
            note = spots[id].warn if problem.severity == "warning" else spots[id].problem
            note(_sentence(where, problem))
    return found


def _where(spot: Spot, file: Path | None, folder: Path) -> str:
    if file is None:
        return on_line(spot.line)
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else file.name


def _sentence(where: str, problem: graph.Problem) -> str:
    place = [
        where,
        *([f"node {problem.node}"] if problem.node else []),
        *([problem.where] if problem.where else []),
    ]
    return f"{', '.join(place)}: {problem.sentence}"


def _flow(id: str, spot: Spot, folder: Path, texts: Texts) -> Flow:
    expected = "the path of a flow, or a mapping with file, or with start and nodes"
    if isinstance(spot.node, Scalar) and not spot.null:
        return _from_file(id, None, spot, folder, texts)
    entries = spot.entries(expected)
    named, name = attempt(entries["name"], words.line_of_text) if "name" in entries else (True, None)
    if not named:
        raise Reported
    if "nodes" in entries or "start" in entries:
        if "file" in entries:
            raise Wrong("found a file and nodes; expected one of the two")
        inline = {key: as_json(one, key) for key, one in entries.items() if key != "name"}
        return _read(id, name, as_text({"format": 1, **inline}), None, spot, folder)
    given = spot.fields(("file", "name"), expected)
    if "file" not in given:
        raise Wrong(f"found nothing to go through; expected {expected}")
    return _from_file(id, name, given["file"], folder, texts)


def _from_file(id: str, name: str | None, spot: Spot, folder: Path, texts: Texts) -> Flow:
    text = spot.text("the path of a flow")
    path = folder / text
    if path not in texts:
        texts[path] = _text_of(path, text)
    return _read(id, name, texts[path], path, spot, folder)


def _text_of(path: Path, shown: str) -> str:
    try:
        if not path.is_file():
            raise Wrong(f"there is no file {shorten(shown)}; expected the path of a flow")
        with path.open("rb") as file:
            data = file.read(MAX_FLOW + 1)
        if len(data) > MAX_FLOW:
            raise Wrong(f"the file {shorten(shown)} is bigger than {MAX_FLOW >> 20} MiB; expected a flow")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Wrong(f"the file {shorten(shown)} is not UTF-8 text; expected a flow") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Wrong(f"the file {shorten(shown)} can't be read ({reason})") from None


def _read(id: str, name: str | None, text: str, file: Path | None, spot: Spot, folder: Path) -> Flow:
    found = parsed(text)
    if isinstance(found, Graph):
        return Flow(id, canonical(text), name, file)
    where = _where(spot, file, folder)
    for problem in found:
        spot.problem(_sentence(where, problem))
    raise Reported


# --- what flows use, and who waits hears ---


def announce(spot: Spot) -> Announce:
    parsers: dict[str, Parser] = {
        "first": words.duration(),
        "every": words.duration(5.0),
        "position": words.flag,
        "wait": words.flag,
        "messages": words.list_of(words.name_of_prompt, "a list of sounds"),
        "learned": words.flag,
    }
    found = build(Announce, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)
    if not (found.position or found.wait or found.messages):
        spot.warn("tells nothing: has neither position, wait nor messages")
    return found


def calendars(spot: Spot) -> dict[str, Calendar]:
    return table(_calendar, "a mapping of ids to calendars")(spot)


def _calendar(id: str, spot: Spot) -> Calendar:
    parsers: dict[str, Parser] = {
        "hours": words.hours,
        "holidays": words.days,
        "timezone": words.timezone,
    }
    calendar = build(
        Calendar, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers, id=id
    )
    if calendar.hours is None and not calendar.holidays:
        spot.warn("has neither hours nor holidays, so it is always open")
    return calendar


def tables(spot: Spot, folder: Path) -> dict[str, Table]:
    return table(lambda id, at: _table(id, at, folder), "a mapping of ids to tables")(spot)


def _table(id: str, spot: Spot, folder: Path) -> Table:
    parsers: dict[str, Parser] = {"file": _path(folder), "key": _column}
    if isinstance(spot.node, Scalar) and not spot.null:
        file: Path = parsers["file"](spot)
        return Table(id, file)
    return build(Table, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers, id=id)


def _column(spot: Spot) -> str:
    return words.line_of_text(spot) if spot.text("the name of a column") else ""


def _path(folder: Path) -> Callable[[Spot], Path]:
    """Of a file that may come later: until then what needs it fails, and a warning says so."""

    def parse(spot: Spot) -> Path:
        text = spot.text("the path of a file")
        if not text or "\0" in text:
            raise Wrong(f"{shorten(text)} is no path; expected the path of a file")
        path = folder / text
        try:
            there = path.is_file()
        except (OSError, ValueError):
            there = False
        if not there:
            spot.warn(f"there is no file {shorten(text)} yet; until there is, nothing is found in it")
        return path

    return parse


def mail(spot: Spot, secret: Callable[[Spot], Secret]) -> Mail:
    parsers: dict[str, Parser] = {
        "host": words.hostname,
        "port": words.integer(1, 65535),
        "security": words.choice("a kind of security", get_args(Security)),
        "user": words.line_of_text,
        "password": secret,
        "from": _address,
    }
    given = spot.fields(parsers, f"a mapping with {any_of(parsers)}")
    if "from" not in given:
        spot.at("from").problem("is missing and has no default")
        raise Reported
    given["sender"] = given.pop("from")
    found = build(Mail, spot, given, {**parsers, "sender": _address})
    if "port" not in given:
        found = replace(found, port=USUAL_PORTS[found.security])
    if (found.user is None) != (found.password is None):
        raise Wrong("has a user or a password alone; expected both, or none of the two")
    if found.password is not None and found.security == "none" and not words.is_loopback(found.host):
        spot.warn("the password would cross the network unencrypted; expected security starttls or tls")
    return found


def _address(spot: Spot) -> str:
    text = spot.text("an e-mail address")
    match = _ADDRESS.fullmatch(text)
    if not match or not words.is_host(match[1]):
        raise Wrong(f"{shorten(text)} is not an e-mail address; expected one such as centre@acme.example")
    return text


def http(spot: Spot, secret: Callable[[Spot], Secret]) -> Http:
    parsers: dict[str, Parser] = {
        "allow": words.list_of(_place, "a list of hosts such as [crm.internal]"),
        "secrets": table(
            lambda _, at: secret(at), "a mapping of names to secrets such as {crm: env:CRM_KEY}"
        ),
    }
    return build(Http, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)


def _place(spot: Spot) -> str:
    expected = "a host, an address or a network such as crm.internal, 10.0.0.5:8080, [::1]:9000 or 10.0.0.0/8"
    text = spot.text(expected).lower()
    if "/" in text:
        return str(words.network(spot))
    if words.is_ip(text):
        return text
    found = words.split_address(text, 0, 0)
    if found is None:
        raise Wrong(f"{shorten(text)} is no place to ask; expected {expected}")
    return text


def speech(spot: Spot, folder: Path) -> SpeechSettings:
    parsers: dict[str, Parser] = {
        "voice": table(_voice, "a mapping of languages to voices such as {pl: gosia}"),
        "piper": table(
            lambda _, at: _path(folder)(at), "a mapping of voices to models such as {gosia: gosia.onnx}"
        ),
    }
    return build(SpeechSettings, spot, spot.fields(parsers, f"a mapping with {any_of(parsers)}"), parsers)


def _voice(language: str, spot: Spot) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise Wrong(f"{shorten(language)} is no language; expected one such as pl or en-GB")
    return words.line_of_text(spot)
