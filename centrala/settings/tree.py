"""YAML text to a tree of nodes that know their lines, and the cursor that walks it and notes what is wrong.

Nothing is ever constructed from a tag, and a scalar keeps the text it was written with: `+48221234567`,
`0048`, `1:30` and `no` stay what the person typed, since the key they stand under tells what they mean.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

MAX_BYTES = 8 << 20
MAX_DEPTH = 32
"""Nesting, counted after aliases are filled in; the deepest key of a centre is at 8."""
MAX_NODES = 500_000
"""Nodes, counted after aliases are filled in: what keeps an alias bomb from going off."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is some ten times as fast
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?")
_HINTS = (
    ("alias", "a text that begins with * or & must be in quotes"),
    (
        "mapping values are not allowed",
        "look for wrong indentation, or a text with ': ' in it without quotes",
    ),
    ("\\t", "indent with spaces, not tabs"),
    ("could not find expected ':'", "a key needs ': ' after it"),
    ("block", "look for wrong indentation or a missing bracket or quote"),
    ("expected ',' or", "look for a missing comma or bracket"),
)


SAVED = -1
"""The line of what doesn't stand in the file, but was set on the screen."""


class Problem(NamedTuple):
    line: int
    """0 if it is about the whole file, SAVED if it was set on the screen."""
    key: str
    """Dotted, as in tenants.acme.queues.sales.strategy; empty if it is about the whole file."""
    text: str

    def sentence(self, file: str) -> str:
        where = "set on the screen" if self.line == SAVED else f"{file}:{self.line}" if self.line else file
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class SettingsError(Exception):
    """The file can't be used; `str` is one line per problem, sorted by line, all of them at once."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.sentence(file) for problem in self.problems))


class Wrong(Exception):
    """One value is wrong; the text says what was found and what was expected."""


class Reported(Exception):
    """Something further inside is wrong and already noted."""


@dataclass(frozen=True, slots=True)
class Scalar:
    line: int
    text: str
    plain: bool
    """Written without quotes, so that it may mean null."""
    size: int = 1
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Listing:
    line: int
    elements: "tuple[Node, ...]"
    size: int
    depth: int


@dataclass(frozen=True, slots=True)
class Mapping:
    line: int
    entries: "tuple[tuple[Node, Node], ...]"
    size: int
    depth: int


Node = Scalar | Listing | Mapping


def is_null(node: Node | None) -> bool:
    return node is None or (
        isinstance(node, Scalar) and node.plain and node.text in ("", "~", "null", "Null")
    )


def compose(text: str, file: str) -> Node | None:
    """The one document in `text`, or None if there is none. Raises SettingsError with one problem."""
    if unprintable := UNPRINTABLE.search(text):
        line = text.count("\n", 0, unprintable.start()) + 1
        code = f"U+{ord(unprintable.group()):04X}"
        raise _syntax(file, line, f"the character {code} can't stand in a settings file; remove it")
    try:
        return _compose(text, file)
    except yaml.MarkedYAMLError as error:
        marks = [error.problem_mark, error.context_mark]
        if "simple key" in (error.context or ""):
            marks.reverse()  # the key stands where it began, not where its ':' was missed
        said = " ".join(part for part in (error.context, error.problem) if part)
        hint = next((f" ({hint})" for sign, hint in _HINTS if sign in said), "")
        line = next((mark.line + 1 for mark in marks if mark is not None), 0)
        raise _syntax(file, line, f"not valid YAML: {said}{hint}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise _syntax(file, 0, f"not valid YAML: {str(error).splitlines()[0]}") from None


@dataclass(slots=True)
class _Open:
    """A collection whose end hasn't come yet."""

    line: int
    anchor: str | None
    mapping: bool
    children: list[Node] = field(default_factory=list)
    size: int = 1
    depth: int = 1

    def close(self) -> Node:
        if self.mapping:
            pairs = tuple(zip(self.children[::2], self.children[1::2], strict=True))
            return Mapping(self.line, pairs, self.size, self.depth)
        return Listing(self.line, tuple(self.children), self.size, self.depth)


def _compose(text: str, file: str) -> Node | None:
    """Iterative, and over events, so that neither depth nor aliases can cost more than the limits."""
    anchors: dict[str, Node] = {}
    stack: list[_Open] = []
    root: Node | None = None
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1  # type: ignore[union-attr]  # a parsed event has its marks
        anchor: str | None = None
        match event:
            case yaml.DocumentStartEvent() if root is not None:
                raise _syntax(file, line, "a second document begins here; expected one (remove the line ---)")
            case yaml.ScalarEvent():
                _check_tag(event.tag, file, line)
                anchor = event.anchor
                node: Node = Scalar(line, event.value, not event.style and event.tag is None)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                _check_tag(event.tag, file, line)
                if len(stack) >= MAX_DEPTH:
                    raise _syntax(file, line, f"nested more than {MAX_DEPTH} levels deep")
                stack.append(_Open(line, event.anchor, isinstance(event, yaml.MappingStartEvent)))
                continue
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                closed = stack.pop()
                anchor, node = closed.anchor, closed.close()
            case yaml.AliasEvent():
                if event.anchor not in anchors:
                    text = f"*{event.anchor} refers to nothing above it"
                    raise _syntax(file, line, f"{text}; if it is meant as text, put it in quotes")
                node = anchors[event.anchor]
            case _:
                continue
        if anchor is not None:
            anchors[anchor] = node
        if not stack:
            root = node
            continue
        parent = stack[-1]
        parent.children.append(node)
        parent.size += node.size
        parent.depth = max(parent.depth, node.depth + 1)
        if parent.size > MAX_NODES or parent.depth > MAX_DEPTH:
            limits = f"{MAX_NODES} values or {MAX_DEPTH} levels"
            raise _syntax(file, line, f"the file is too big: more than {limits}, with aliases filled in")
    return root


def _check_tag(tag: str | None, file: str, line: int) -> None:
    if tag is not None and not re.fullmatch(
        "tag:yaml.org,2002:(str|int|float|bool|null|seq|map|timestamp)", tag
    ):
        raise _syntax(file, line, f"the tag {shorten(tag)} means nothing here; remove it")


def _syntax(file: str, line: int, text: str) -> SettingsError:
    return SettingsError(file, [Problem(line, "", text)])


def on_line(line: int) -> str:
    """For a message that names another place."""
    return "set on the screen" if line == SAVED else f"line {line}"


def shorten(text: str) -> str:
    """The text in quotes as it was written, on one line, cut to what a message can bear."""
    shown = repr(text[:60])
    return shown if len(text) <= 60 else shown + "…"


def did_you_mean(found: str, options: Iterable[str]) -> str:
    """` (did you mean …?)`, or nothing if no option is near."""
    from difflib import get_close_matches  # costs some milliseconds, and only mistakes need it

    lower = {option.lower(): option for option in options}
    if len(lower) > 2000:
        return ""  # a comparison with each would take longer than the hint is worth
    near = get_close_matches(found.lower()[:100], lower, n=1, cutoff=0.6)
    return f" (did you mean {lower[near[0]]}?)" if near else ""


def any_of(options: Iterable[str]) -> str:
    """The options as a list for a message; a long list is cut."""
    names = list(options)
    return ", ".join(names[:60]) + (f" and {len(names) - 60} more" if len(names) > 60 else "")


@dataclass(slots=True)
class Notes:
    """What was found while reading."""

    problems: dict[Problem, None] = field(default_factory=dict)
    warnings: dict[Problem, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the tree: a node, the dotted key it stands under, and the line to name in messages."""

    notes: Notes
    key: str
    line: int
    node: Node | None

    def problem(self, text: str) -> None:
        self.notes.problems[Problem(self.line, self.key, text)] = None

    def warn(self, text: str) -> None:
        self.notes.warnings[Problem(self.line, self.key, text)] = None

    def at(self, name: str) -> "Spot":
        """The place of a key that isn't there, under this one."""
        return Spot(self.notes, f"{self.key}.{name}" if self.key else name, self.line, None)

    @property
    def null(self) -> bool:
        return is_null(self.node)

    def found(self) -> str:
        match self.node:
            case Scalar(text=text) if not self.null:
                return shorten(text)
            case Listing():
                return "a list"
            case Mapping():
                return "a mapping"
        return "nothing"

    def text(self, expected: str) -> str:
        """The scalar as it was written, without the blanks around it. Raises Wrong."""
        if not isinstance(self.node, Scalar) or self.null:
            raise Wrong(f"found {self.found()}; expected {expected}")
        return self.node.text.strip()

    def elements(self, expected: str) -> "list[Spot]":
        """The elements of a list; none if there is nothing. Raises Wrong."""
        if self.null:
            return []
        if not isinstance(self.node, Listing):
            raise Wrong(f"found {self.found()}; expected {expected}")
        return [
            Spot(self.notes, f"{self.key}[{index}]", node.line, node)
            for index, node in enumerate(self.node.elements)
        ]

    def entries(self, expected: str) -> "dict[str, Spot]":
        """Key to value in the file's order; none if there is nothing. Raises Wrong if it isn't a mapping.

        Keys given twice, and keys that aren't texts, are noted. `<<: *anchor` gives defaults (YAML's
        merge key).
        """
        if self.null:
            return {}
        if not isinstance(self.node, Mapping):
            raise Wrong(f"found {self.found()}; expected {expected}")
        own: dict[str, Spot] = {}
        merged: dict[str, Spot] = {}
        first_lines: dict[str, int] = {}
        for key, value in self.node.entries:
            if not isinstance(key, Scalar):
                Spot(self.notes, self.key, key.line, key).problem("a list or mapping can't be a key")
                continue
            name = key.text
            # A block collection begins a line below its key, and it is the key that a person looks for.
            line = value.line if isinstance(value, Scalar) and not is_null(value) else key.line
            spot = Spot(self.notes, f"{self.key}.{name}" if self.key else name, line, value)
            if name in first_lines:
                again = Spot(self.notes, spot.key, key.line, key)
                again.problem(f"given twice, first on line {first_lines[name]}; keep one of the two")
                continue
            first_lines[name] = key.line
            if name == "<<" and key.plain:
                for source in value.elements if isinstance(value, Listing) else (value,):
                    defaults = Spot(self.notes, self.key, key.line, source)
                    for inherited, other in defaults.entries("a mapping after <<").items():
                        merged.setdefault(inherited, other)
            else:
                own[name] = spot
        return {**own, **{name: spot for name, spot in merged.items() if name not in own}}

    def fields(self, names: Iterable[str], expected: str) -> "dict[str, Spot]":
        """As `entries`, of known keys alone, without empty ones; unknown keys are noted. Raises Wrong."""
        known = list(names)
        given: dict[str, Spot] = {}
        for name, spot in self.entries(expected).items():
            if name not in known:
                options = f"expected one of {any_of(known)}{did_you_mean(name, known)}"
                spot.problem(f"unknown key; {options}")
            elif not spot.null:
                given[name] = spot
        return given


def as_json(spot: Spot, key: str = "") -> Any:
    """YAML as JSON: what is written without quotes is a number or a truth where it looks like one.

    What stands under `exits` is names, and so is what stands as a key: always texts.
    """
    match spot.node:
        case Mapping():
            return {
                name: as_json(one, "exits" if key == "exits" else name)
                for name, one in spot.entries("").items()
            }
        case Listing():
            return [as_json(one, key) for one in spot.elements("")]
        case Scalar(text=text, plain=plain) if not spot.null:
            if plain and key != "exits" and text in ("true", "false"):
                return text == "true"
            if plain and key != "exits" and _JSON_NUMBER.fullmatch(text):
                return float(text) if "." in text else int(text)
            return text
    return None


Parser = Callable[[Spot], Any]
"""Makes a value of what stands at a spot; raises Wrong, or Reported if all that is wrong is noted."""


def attempt(spot: Spot, parser: Parser) -> tuple[bool, Any]:
    """Whether the parser succeeded, and its value; what is wrong is noted."""
    try:
        return True, parser(spot)
    except Wrong as wrong:
        spot.problem(str(wrong))
    except Reported:
        pass
    return False, None
