"""The fields of a flow's JSON, one by one: what isn't as it must be is noted with its place, and reading goes on."""

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from centrala.core.flow.expression import KEYWORDS, NAME, Expression, ExpressionProblem, Template, template
from centrala.core.flow.expression import parse as expression
from centrala.core.flow.nodes import PartKind, Prompt, Spoken
from centrala.core.flow.problems import Problem, problem, shown

LONGEST_NAME = 64
"Characters of a node's id, of an exit's and of a variable's name."
DIGITS = "0123456789*#"
"What a menu can ask for."


class Notes:
    """What was found wrong so far, and where reading is."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.node = ""

    def wrong(self, where: str, code: str, **values: str) -> None:
        self.problems.append(problem(self.node, where, code, "error", values))


REQUIRED: Any = object()
"As a default: a field that must be given."
_T = TypeVar("_T")
_KINDS: tuple[PartKind, ...] = get_args(PartKind)
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
EMPTY = template("")
NOTHING = expression("nothing")


class Fields:
    """The fields of one object; each is asked for by name, and what isn't as it must be is noted."""

    __slots__ = ("data", "notes", "path")

    def __init__(self, notes: Notes, data: dict[str, Any], path: str) -> None:
        self.notes = notes
        self.data = data
        self.path = path
        "Of the object within its node, with a point at its end."

    def wrong(self, name: str, code: str, **values: str) -> None:
        self.notes.wrong(self.path + name, code, **values)

    def known(self, *names: str) -> None:
        for name in sorted(self.data.keys() - set(names)):
            self.wrong(
                name,
                "FLOW-UNKNOWN-FIELD",
                found=shown(name),
            )

    def get(
        self, name: str, default: _T, fits: Callable[[object], bool], what: str, empty: object = None
    ) -> _T:
        """The field if it fits; a problem, and the default, if it doesn't. Of a required field `empty`."""
        value = self.data.get(name, REQUIRED)
        if value is REQUIRED:
            if default is not REQUIRED:
                return default
            self.wrong(name, "FLOW-MISSING", field=name, wanted=what)
        elif fits(value):
            return value  # type: ignore[no-any-return]
        else:
            self.wrong(name, "FLOW-FIELD", field=name, wanted=what, found=shown(value))
        return empty if default is REQUIRED else default  # type: ignore[return-value]

    def text(self, name: str, default: str) -> str:
        return self.get(name, default, is_text, "a text", "")

    def flag(self, name: str, default: bool) -> bool:
        return self.get(name, default, lambda value: isinstance(value, bool), "true or false")

    def seconds(self, name: str, default: float) -> float:
        return float(self.get(name, default, is_number, "a number of seconds"))

    def whole(self, name: str, default: int) -> int:
        return int(self.get(name, default, is_whole, "a whole number"))

    def one_of(self, name: str, default: str, *allowed: str) -> str:
        what = f"one of {', '.join(allowed)}"
        return self.get(name, default, lambda value: isinstance(value, str) and value in allowed, what, "")

    def key(self, name: str, default: str) -> str:
        """One key of a telephone, or none."""
        return self.get(
            name,
            default,
            lambda value: isinstance(value, str) and len(value) <= 1 and value in DIGITS,
            "one of 0-9 * #, or empty",
        )

    def variable(self, name: str, default: str) -> str:
        value = self.text(name, default)
        return value if not value else self.variable_name(name, value)

    def variable_name(self, where: str, name: str) -> str:
        if not NAME.match(name) or name in KEYWORDS or len(name) > LONGEST_NAME:
            self.wrong(
                where,
                "FLOW-VARIABLE",
                found=shown(name),
            )
        return name

    def names(self, name: str, default: dict[str, str], what: str) -> dict[str, str]:
        """An object of texts by name."""
        found = self.get(name, default, is_dict, f"an object: {what}", {})
        good: dict[str, str] = {}
        for key, value in found.items():
            if not is_name(key):
                self.wrong(
                    name,
                    "FLOW-NAME",
                    found=shown(key),
                    most=str(LONGEST_NAME),
                )
            elif not is_text(value):
                self.wrong(
                    f"{name}.{key}",
                    "FLOW-FIELD",
                    field=name,
                    wanted=what,
                    found=shown(value),
                )
            else:
                good[key] = value
        return good

    # --- what is reckoned ---

    def unreadable(self, where: str, error: ExpressionProblem) -> None:
        self.wrong(
            where,
            "FLOW-EXPRESSION",
            column=str(error.column),
            reason=error.code,
            detail=error.sentence,
            **error.values,
        )

    def expression_of(self, where: str, text: str) -> Expression:
        try:
            return expression(text)
        except ExpressionProblem as error:
            self.unreadable(where, error)
            return NOTHING

    def template_of(self, where: str, text: str) -> Template:
        try:
            return template(text)
        except ExpressionProblem as error:
            self.unreadable(where, error)
            return EMPTY

    def template(self, name: str, default: str) -> Template:
        return self.template_of(name, self.text(name, default))

    def templates(self, name: str) -> dict[str, Template]:
        return {
            key: self.template_of(f"{name}.{key}", value)
            for key, value in self.names(name, {}, "name → text").items()
        }

    # --- prompts ---

    def prompt(self, name: str, default: Any = ()) -> Prompt:
        parts: list[object] = self.get(
            name, default, lambda value: isinstance(value, list), 'a list of parts, as ["Hello"]', ()
        )
        return tuple(self.part(f"{name}[{place}]", part) for place, part in enumerate(parts))

    def part(self, where: str, part: object) -> Spoken:
        if isinstance(part, str) and is_text(part):
            return Spoken("text", {"": self.template_of(f"{where}.text", part)})
        kinds = [kind for kind in _KINDS if kind in part] if isinstance(part, dict) else []
        if not isinstance(part, dict) or len(kinds) != 1:
            self.wrong(
                where,
                "FLOW-PART",
                found=shown(part),
                wanted=", ".join(_KINDS),
            )
            return Spoken("text", {"": EMPTY})
        kind = kinds[0]
        fields = Fields(self.notes, part, f"{self.path}{where}.")
        fields.known(kind, *(["currency"] if kind == "money" else []))
        currency = fields.text("currency", "") if kind == "money" else ""
        said: object = part[kind]
        if kind in ("text", "sound") and isinstance(said, dict):
            texts = fields.names(kind, {}, "language → text")
            return Spoken(
                kind, {key: fields.template_of(f"{kind}.{key}", text) for key, text in texts.items()}
            )
        if kind in ("number", "money", "pause") and is_number(said):
            said = f"{said:.15g}" if isinstance(said, float) else str(said)
        if not is_text(said):
            fields.wrong(kind, "FLOW-FIELD", field=kind, wanted="a text", found=shown(said))
            return Spoken("text", {"": EMPTY})
        return Spoken(kind, {"": fields.template_of(kind, str(said))}, currency)


def is_dict(value: object) -> bool:
    return isinstance(value, dict)


def is_text(value: object) -> bool:
    # Half a surrogate pair couldn't be written down anywhere; NUL marks secrets among what is filled in.
    return isinstance(value, str) and not _NO_TEXT.search(value)


def is_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_NAME
        and value.isprintable()
        and not value.isspace()
    )


def is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < 1e15


def is_whole(value: object) -> bool:
    return is_number(value) and float(value).is_integer()  # type: ignore[arg-type]
