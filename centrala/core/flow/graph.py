"""A flow from its JSON (format 1; docs/reference/flows.md) to the values of `nodes`.

What was once accepted here is accepted for ever: contacts go on in the version in which they began. So this asks only
for what the values need; whether the graph makes sense is for `check`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from centrala.core.flow.expression import NAME, Expression
from centrala.core.flow.fields import (
    DIGITS,
    EMPTY,
    LONGEST_NAME,
    NOTHING,
    REQUIRED,
    Fields,
    Notes,
    is_dict,
    is_name,
    is_number,
)
from centrala.core.flow.nodes import (
    Answer,
    Branch,
    Callback,
    Collect,
    Does,
    Enqueue,
    Errand,
    Flow,
    HangUp,
    Hours,
    Menu,
    Node,
    Question,
    Return,
    Say,
    Set,
    Share,
    Slots,
    Spoken,
    SubFlow,
    TakeMessage,
    Transfer,
)
from centrala.core.flow.problems import Problem, shown
from centrala.core.specs import Destination, DestinationKind

FORMAT = 1
LARGEST = 2_000_000
"Characters of a graph."
MOST_NODES = 5_000


class FlowProblems(ValueError):
    """A graph that can't be read, with every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        place = " ".join(part for part in (first.node, first.where) if part)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{place}: {first.sentence}{more}" if place else f"{first.sentence}{more}")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Read:
    """What could be read of a graph."""

    flow: Flow | None
    "None when it is no graph at all. A field that can't be read is as if it weren't given."
    problems: list[Problem]
    broken: frozenset[str]
    "Nodes that stand in the flow as something else, since nobody can tell what they shall be."


def parse(graph: str) -> Flow:
    """The flow that this JSON describes. Raises `FlowProblems` with all of what can't be read."""
    result = read(graph)
    if result.problems or result.flow is None:
        raise FlowProblems(result.problems)
    return result.flow


def read(graph: str) -> Read:
    """The same with what can be read beside what can't; for an editor, whose graphs are unfinished."""
    reader = _Reader()
    flow = reader.flow(graph)
    return Read(flow, reader.problems, frozenset(reader.broken))


# --- JSON ---


class _Twice(ValueError):
    """One name twice in an object: one of both would pass silently."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


class _Reader(Notes):
    """Goes through the JSON once and notes every problem with its place."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()

    def flow(self, graph: str) -> Flow | None:
        data = self.json(graph)
        if data is None:
            return None
        if data.get("format") != FORMAT or isinstance(data.get("format"), bool):
            self.wrong(
                "format",
                "FLOW-FORMAT",
                found=shown(data.get("format")),
                wanted=str(FORMAT),
            )
            return None
        top = Fields(self, data, "")
        top.known("format", "start", "language", "voice", "nodes", "title", "notes")
        nodes: dict[str, object] = top.get("nodes", REQUIRED, is_dict, "an object: node id → node", {})
        if len(nodes) > MOST_NODES:
            self.wrong("nodes", "FLOW-NODES", most=f"{MOST_NODES:,}")
            return None
        start = top.text("start", REQUIRED)
        language, voice = top.text("language", ""), top.text("voice", "")
        return Flow(start, {id: self.one(id, node) for id, node in nodes.items()}, language, voice)

    def json(self, graph: str) -> dict[str, Any] | None:
        if len(graph) > LARGEST:
            self.wrong("", "FLOW-SIZE", most=f"{LARGEST:,}")
            return None
        try:
            data: object = json.loads(graph, object_pairs_hook=_object, parse_constant=_constant)
        except _Twice as error:
            self.wrong("", "FLOW-TWICE", found=shown(error.name))
        except json.JSONDecodeError as error:
            self.wrong("", "FLOW-JSON", reason=f"{error.msg}, line {error.lineno}, column {error.colno}")
        except (ValueError, RecursionError):
            # Figures of thousands of digits, NaN, thousands of brackets.
            self.wrong("", "FLOW-JSON", reason="a number is too big or none, or brackets are too deep")
        else:
            if isinstance(data, dict):
                return data
            self.wrong("", "FLOW-NO-FLOW", found=shown(data))
        return None

    def one(self, id: str, data: object) -> Node:
        self.node = id
        exits: dict[str, str] = {}
        title = ""
        does: Does | None = None
        if not is_name(id) or not all(letter.isalnum() or letter in "_-." for letter in id):
            self.wrong("", "FLOW-ID", found=shown(id), most=str(LONGEST_NAME))
        if not isinstance(data, dict):
            self.wrong("", "FLOW-NODE", found=shown(data))
        else:
            fields = Fields(self, data, "")
            title = fields.text("title", "")
            exits = fields.names("exits", {}, "exit → node id")
            type = fields.text("type", REQUIRED)
            if type in TYPES:
                names, make = TYPES[type]
                fields.known("type", "exits", "title", "at", "note", *names)
                does = make(fields, exits)
            elif "type" in data and isinstance(data["type"], str):
                self.wrong("type", "FLOW-TYPE", found=shown(type), wanted=", ".join(TYPES))
        if does is None:
            self.broken.add(id)
        self.node = ""
        return Node(id, does or Return(), exits, title)


# --- the types ---

Exits = Mapping[str, str]


def _answer(fields: Fields, exits: Exits) -> Does:
    return Answer()


def _say(fields: Fields, exits: Exits) -> Does:
    return Say(fields.prompt("prompt", REQUIRED), fields.flag("barge_in", True))


def _play(fields: Fields, exits: Exits) -> Does:
    sound = Spoken("sound", {"": fields.template("sound", REQUIRED)})
    return Say((sound,), fields.flag("barge_in", True))


def _menu(fields: Fields, exits: Exits) -> Does:
    return Menu(
        fields.prompt("prompt", REQUIRED),
        tuple(digit for digit in DIGITS if digit in exits),
        fields.seconds("timeout", 5.0),
        fields.whole("retries", 2),
        fields.prompt("timeout_prompt"),
        fields.prompt("invalid_prompt"),
        fields.flag("barge_in", True),
    )


def _collect(fields: Fields, exits: Exits) -> Does:
    accept = fields.text("accept", "")
    return Collect(
        fields.prompt("prompt", REQUIRED),
        fields.variable("variable", REQUIRED),
        fields.whole("least", 1),
        fields.whole("most", 20),
        fields.key("terminator", "#"),
        fields.seconds("timeout", 5.0),
        fields.seconds("digit_timeout", 3.0),
        fields.whole("retries", 2),
        fields.flag("secret", False),
        fields.expression_of("accept", accept) if accept else None,
        fields.prompt("timeout_prompt"),
        fields.prompt("invalid_prompt"),
        fields.flag("barge_in", True),
    )


def _survey(fields: Fields, exits: Exits) -> Does:
    return Question(
        fields.prompt("prompt", REQUIRED),
        fields.variable("question", REQUIRED),
        fields.one_of("scale", "1-5", "1-5", "0-10", "yes_no"),  # type: ignore[arg-type]
        fields.seconds("timeout", 5.0),
        fields.whole("retries", 1),
        fields.prompt("timeout_prompt"),
        fields.prompt("invalid_prompt"),
        fields.flag("barge_in", True),
    )


def _record(fields: Fields, exits: Exits) -> Does:
    return TakeMessage(
        fields.prompt("prompt", REQUIRED),
        fields.variable("variable", REQUIRED),
        fields.seconds("longest", 120.0),
        fields.seconds("silence", 4.0),
        fields.key("terminator", "#"),
        fields.seconds("shortest", 1.0),
    )


def _voicemail(fields: Fields, exits: Exits) -> Does:
    return TakeMessage(
        fields.prompt("prompt", REQUIRED),
        fields.variable("variable", "") or "voicemail",
        fields.seconds("longest", 120.0),
        fields.seconds("silence", 4.0),
        fields.key("terminator", "#"),
        fields.seconds("shortest", 1.0),
        True,
        fields.text("queue", ""),
    )


def _callback(fields: Fields, exits: Exits) -> Does:
    slot = fields.text("slot", "")
    return Callback(
        fields.text("queue", ""),
        fields.template("number", ""),
        fields.expression_of("slot", slot) if slot else None,
        fields.whole("priority", 0),
    )


def _slots(fields: Fields, exits: Exits) -> Does:
    return Slots(
        fields.text("queue", ""),
        fields.whole("count", 3),
        fields.seconds("lead", 3600.0),
        fields.variable("into", "slot") or "slot",
    )


def _number(fields: Fields, exits: Exits) -> Does:
    return Errand(
        "number",
        {},
        {"number": fields.template("number", "")},
        fields.variable("into", "number") or "number",
        timeout=fields.seconds("timeout", 5.0),
    )


def _set(fields: Fields, exits: Exits) -> Does:
    values: dict[str, Expression] = {}
    for name, text in fields.names("values", REQUIRED, "variable → expression").items():
        fields.variable_name(f"values.{name}", name)
        values[name] = fields.expression_of(f"values.{name}", text)
    return Set(values)


def _branch(fields: Fields, exits: Exits) -> Does:
    cases: list[tuple[Expression, str]] = []
    what = 'a list, as [{"if": "n > 1", "exit": "many"}]'
    given: list[object] = fields.get("cases", REQUIRED, lambda value: isinstance(value, list), what, [])
    for place, case in enumerate(given):
        if not isinstance(case, dict):
            fields.wrong(
                f"cases[{place}]",
                "FLOW-FIELD",
                field="cases",
                wanted=what,
                found=shown(case),
            )
            cases.append((NOTHING, "else"))
            continue
        one = Fields(fields.notes, case, f"cases[{place}].")
        one.known("if", "exit")
        condition = one.text("if", REQUIRED)
        exit = one.text("exit", REQUIRED)
        cases.append((one.expression_of("if", condition) if condition else NOTHING, exit))
    return Branch(tuple(cases))


def _percentage(fields: Fields, exits: Exits) -> Does:
    what = "an object: exit → percent"
    given: dict[str, object] = fields.get("shares", REQUIRED, is_dict, what, {})
    shares: dict[str, float] = {}
    for name, share in given.items():
        if is_number(share) and is_name(name):
            shares[name] = float(share)  # type: ignore[arg-type]
        else:
            fields.wrong(
                f"shares.{name}",
                "FLOW-FIELD",
                field="shares",
                wanted=what,
                found=shown(share),
            )
    return Share(shares)


def _exactly_one(fields: Fields, *names: str) -> str:
    """Which of these fields is given."""
    given = [name for name in names if fields.data.get(name) not in (None, "")]
    if len(given) != 1:
        fields.wrong(names[0], "FLOW-ONE-OF", wanted=", ".join(names))
    return given[0] if given else names[0]


def _hours(fields: Fields, exits: Exits) -> Does:
    which = _exactly_one(fields, "calendar", "queue")
    return Hours(**{which: fields.text(which, "")})


def _customer(fields: Fields, exits: Exits) -> Does:
    into = fields.variable("into", "customer")
    return Errand("customer", {}, {}, into or "customer", timeout=fields.seconds("timeout", 5.0))


def _table(fields: Fields, exits: Exits) -> Does:
    table = fields.text("table", REQUIRED)
    into = fields.variable("into", "")
    if not into and table:
        # A table's name may have a hyphen, which in an expression would be a minus.
        into = fields.variable_name("into", table)
    return Errand(
        "table",
        {"table": table},
        {"key": fields.template("key", REQUIRED)},
        into,
        timeout=fields.seconds("timeout", 5.0),
    )


def _http(fields: Fields, exits: Exits) -> Does:
    settings = {"method": fields.one_of("method", "GET", "GET", "POST", "PUT")}
    arguments = {"url": fields.template("url", REQUIRED)}
    for name, value in fields.templates("headers").items():
        arguments[f"header.{name}"] = value
    if "body" in fields.data:
        arguments["body"] = fields.template("body", "")
    if content_type := fields.text("content_type", ""):
        settings["content_type"] = content_type
    take = fields.names("take", {}, "variable → JSON pointer")
    for name, pointer in take.items():
        fields.variable_name(f"take.{name}", name)
        if pointer and not pointer.startswith("/"):
            fields.wrong(f"take.{name}", "FLOW-POINTER", found=shown(pointer))
    into = fields.variable("into", "")
    timeout, cache = fields.seconds("timeout", 5.0), fields.seconds("cache", 0.0)
    return Errand("http", settings, arguments, into, take, timeout, cache)


def _email(fields: Fields, exits: Exits) -> Does:
    arguments = {name: fields.template(name, REQUIRED) for name in ("to", "subject", "body")}
    if attach := fields.variable("attach", ""):
        arguments["attach"] = fields.template_of("attach", f"{{{attach}}}") if NAME.match(attach) else EMPTY
    return Errand("mail", {}, arguments)


def _python(fields: Fields, exits: Exits) -> Does:
    return Errand(
        "python",
        {"entry_point": fields.text("entry_point", REQUIRED)},
        fields.templates("arguments"),
        fields.variable("into", ""),
        timeout=fields.seconds("timeout", 5.0),
        cache=fields.seconds("cache", 0.0),
    )


def _queue(fields: Fields, exits: Exits) -> Does:
    points, agent = fields.text("points", ""), fields.text("agent", "")
    return Enqueue(
        fields.text("queue", REQUIRED),
        fields.whole("priority", 0),
        fields.expression_of("points", points) if points else None,
        fields.expression_of("agent", agent) if agent else None,
        fields.seconds("agent_wait", 0.0) if "agent_wait" in fields.data else None,
    )


def _wait(fields: Fields, exits: Exits) -> Does:
    return Enqueue("", back=True)


def _transfer(fields: Fields, exits: Exits) -> Does:
    kinds: dict[str, DestinationKind] = {
        "queue": "queue",
        "agent": "agent",
        "phone": "phone",
        "outside": "line",
    }
    which = _exactly_one(fields, *kinds)
    return Transfer(Destination(kinds[which], fields.text(which, ""), fields.flag("record", False)))


def _hang_up(fields: Fields, exits: Exits) -> Does:
    cause = fields.one_of("cause", "unavailable", "busy", "unavailable", "declined", "not_found")
    outcome = fields.one_of("outcome", "self_served", "self_served", "redirected", "refused")
    return HangUp(cause, outcome)  # type: ignore[arg-type]


def _flow(fields: Fields, exits: Exits) -> Does:
    return SubFlow(fields.text("flow", REQUIRED))


def _return(fields: Fields, exits: Exits) -> Does:
    return Return(fields.text("exit", "next"))


TYPES: dict[str, tuple[tuple[str, ...], Callable[[Fields, Exits], Does]]] = {
    "answer": ((), _answer),
    "say": (("prompt", "barge_in"), _say),
    "play": (("sound", "barge_in"), _play),
    "menu": (("prompt", "timeout", "retries", "timeout_prompt", "invalid_prompt", "barge_in"), _menu),
    "collect": (
        (
            "prompt",
            "variable",
            "least",
            "most",
            "terminator",
            "timeout",
            "digit_timeout",
            "retries",
            "secret",
            "accept",
            "timeout_prompt",
            "invalid_prompt",
            "barge_in",
        ),
        _collect,
    ),
    "survey": (
        ("prompt", "question", "scale", "timeout", "retries", "timeout_prompt", "invalid_prompt", "barge_in"),
        _survey,
    ),
    "record": (("prompt", "variable", "longest", "silence", "terminator", "shortest"), _record),
    "voicemail": (
        ("prompt", "variable", "longest", "silence", "terminator", "shortest", "queue"),
        _voicemail,
    ),
    "callback": (("queue", "number", "slot", "priority"), _callback),
    "slots": (("queue", "count", "lead", "into"), _slots),
    "number": (("number", "into", "timeout"), _number),
    "set": (("values",), _set),
    "branch": (("cases",), _branch),
    "percentage": (("shares",), _percentage),
    "hours": (("calendar", "queue"), _hours),
    "customer": (("into", "timeout"), _customer),
    "table": (("table", "key", "into", "timeout"), _table),
    "http": (("method", "url", "headers", "body", "content_type", "take", "into", "timeout", "cache"), _http),
    "email": (("to", "subject", "body", "attach"), _email),
    "python": (("entry_point", "arguments", "into", "timeout", "cache"), _python),
    "queue": (("queue", "priority", "points", "agent", "agent_wait"), _queue),
    "wait": ((), _wait),
    "transfer": (("queue", "agent", "phone", "outside", "record"), _transfer),
    "hang_up": (("cause", "outcome"), _hang_up),
    "flow": (("flow",), _flow),
    "return": (("exit",), _return),
}
"Type → its own fields, and what makes a node's value of them."
