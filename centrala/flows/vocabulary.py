"""What an editor offers: the types of nodes with their exits and fields, and what expressions are made of.

docs/reference/flows.md tells the same for people; `core/flow/graph.py` reads it.
"""

from dataclasses import dataclass
from typing import Literal

from centrala.core.flow.functions import ANY, FUNCTIONS

Group = Literal["talk", "ask", "decide", "look_up", "lead", "end"]
FieldKind = Literal[
    "prompt",
    "text",
    "template",
    "expression",
    "number",
    "seconds",
    "flag",
    "choice",
    "variable",
    "calendar",
    "queue",
    "agent",
    "table",
    "sound",
    "flow",
    "entry_point",
    "message",
    "digit",
    "templates",
    "expressions",
    "pointers",
    "cases",
    "shares",
]
Default = str | float | bool | None


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: FieldKind
    required: bool = False
    default: Default = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    name: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class NodeType:
    type: str
    group: Group
    exits: tuple[Exit, ...] = (Exit("next"),)
    fields: tuple[Field, ...] = ()
    own_exits: Literal["digits", "keys", "cases", "shares", "returns"] | None = None
    "What names further exits: the node itself."


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    signature: str
    text: str
    "In English."


def _exits(*names: str) -> tuple[Exit, ...]:
    """Those that end in ? may be left out."""
    return tuple(Exit(name.removesuffix("?"), not name.endswith("?")) for name in names)


def _seconds(name: str, default: float, least: float, most: float) -> Field:
    return Field(name, "seconds", default=default, least=least, most=most)


_PROMPT = Field("prompt", "prompt", True)
_WAITED_IN = Field("queue", "queue", default="")
"Empty: the queue in which they waited, or that led here."
_BARGE_IN = Field("barge_in", "flag", default=True)
_ASKED_AGAIN = (Field("timeout_prompt", "prompt"), Field("invalid_prompt", "prompt"))
_RETRIES = Field("retries", "number", default=2, least=0, most=10)
_TERMINATOR = Field("terminator", "digit", default="#", choices=("", *"0123456789*#"))

TYPES: tuple[NodeType, ...] = (
    NodeType("say", "talk", fields=(_PROMPT, _BARGE_IN)),
    NodeType("play", "talk", fields=(Field("sound", "sound", True), _BARGE_IN)),
    NodeType("answer", "talk"),
    NodeType(
        "menu",
        "ask",
        _exits("timeout", "invalid"),
        (_PROMPT, _seconds("timeout", 5, 0.5, 120), _RETRIES, *_ASKED_AGAIN, _BARGE_IN),
        "digits",
    ),
    NodeType(
        "collect",
        "ask",
        _exits("next", "timeout", "invalid"),
        (
            _PROMPT,
            Field("variable", "variable", True),
            Field("least", "number", default=1, least=0, most=64),
            Field("most", "number", default=20, least=1, most=64),
            _TERMINATOR,
            _seconds("timeout", 5, 0.5, 120),
            _seconds("digit_timeout", 3, 0.5, 30),
            _RETRIES,
            Field("secret", "flag", default=False),
            Field("accept", "expression", default=""),
            *_ASKED_AGAIN,
            _BARGE_IN,
        ),
    ),
    NodeType(
        "survey",
        "ask",
        _exits("next", "timeout", "invalid"),
        (
            _PROMPT,
            Field("question", "variable", True),
            Field("scale", "choice", default="1-5", choices=("1-5", "0-10", "yes_no")),
            _seconds("timeout", 5, 0.5, 120),
            Field("retries", "number", default=1, least=0, most=10),
            *_ASKED_AGAIN,
            _BARGE_IN,
        ),
    ),
    NodeType(
        "record",
        "ask",
        _exits("next", "empty"),
        (
            _PROMPT,
            Field("variable", "variable", True),
            _seconds("longest", 120, 1, 3600),
            _seconds("silence", 4, 0.5, 60),
            _TERMINATOR,
            _seconds("shortest", 1, 0, 60),
        ),
    ),
    NodeType(
        "voicemail",
        "ask",
        _exits("next", "empty"),
        (
            _PROMPT,
            _WAITED_IN,
            Field("variable", "variable", default="voicemail"),
            _seconds("longest", 120, 1, 3600),
            _seconds("silence", 4, 0.5, 60),
            _TERMINATOR,
            _seconds("shortest", 1, 0, 60),
        ),
    ),
    NodeType("set", "decide", fields=(Field("values", "expressions", True),)),
    NodeType("branch", "decide", _exits("else"), (Field("cases", "cases", True),), "cases"),
    NodeType("percentage", "decide", (), (Field("shares", "shares", True),), "shares"),
    NodeType(
        "hours",
        "decide",
        _exits("open", "closed"),
        (Field("calendar", "calendar", default=""), Field("queue", "queue", default="")),
    ),
    NodeType(
        "customer",
        "look_up",
        _exits("found", "unknown", "failed?"),
        (Field("into", "variable", default="customer"), _seconds("timeout", 5, 0.1, 30)),
    ),
    NodeType(
        "table",
        "look_up",
        _exits("found", "unknown", "failed?"),
        (
            Field("table", "table", True),
            Field("key", "template", True),
            Field("into", "variable", default=""),
            _seconds("timeout", 5, 0.1, 30),
        ),
    ),
    NodeType(
        "http",
        "look_up",
        _exits("next", "failed"),
        (
            Field("method", "choice", default="GET", choices=("GET", "POST", "PUT")),
            Field("url", "template", True),
            Field("headers", "templates"),
            Field("body", "template", default=""),
            Field("content_type", "text", default=""),
            Field("take", "pointers"),
            Field("into", "variable", default=""),
            _seconds("timeout", 5, 0.1, 30),
            _seconds("cache", 0, 0, 86400),
        ),
    ),
    NodeType(
        "python",
        "look_up",
        _exits("next", "failed"),
        (
            Field("entry_point", "entry_point", True),
            Field("arguments", "templates"),
            Field("into", "variable", default=""),
            _seconds("timeout", 5, 0.1, 60),
            _seconds("cache", 0, 0, 86400),
        ),
    ),
    NodeType(
        "email",
        "look_up",
        fields=(
            Field("to", "template", True),
            Field("subject", "template", True),
            Field("body", "template", True),
            Field("attach", "message", default=""),
        ),
    ),
    NodeType(
        "number",
        "look_up",
        _exits("found", "unknown", "failed?"),
        (
            Field("number", "template", default=""),
            Field("into", "variable", default="number"),
            _seconds("timeout", 5, 0.1, 30),
        ),
    ),
    NodeType(
        "slots",
        "look_up",
        _exits("found", "none"),
        (
            _WAITED_IN,
            Field("count", "number", default=3, least=1, most=9),
            _seconds("lead", 3600, 0, 2592000),
            Field("into", "variable", default="slot"),
        ),
    ),
    NodeType("flow", "lead", _exits("else"), (Field("flow", "flow", True),), "returns"),
    NodeType(
        "queue",
        "lead",
        _exits("full?", "no_agents?", "max_wait?", "closed?", "slow?"),
        (
            Field("queue", "queue", True),
            Field("priority", "number", default=0, least=-1000, most=1000),
            Field("points", "expression", default=""),
            Field("agent", "expression", default=""),
            Field("agent_wait", "seconds", default=None, least=0, most=3600),
        ),
        "keys",
    ),
    NodeType("wait", "lead", _exits("full?", "no_agents?", "max_wait?", "closed?", "slow?"), (), "keys"),
    NodeType(
        "callback",
        "lead",
        _exits("booked", "no_number", "full?", "failed"),
        (
            _WAITED_IN,
            Field("number", "template", default=""),
            Field("slot", "expression", default=""),
            Field("priority", "number", default=0, least=-1000, most=1000),
        ),
    ),
    NodeType(
        "transfer",
        "lead",
        _exits("failed?"),
        (
            Field("queue", "queue", default=""),
            Field("agent", "agent", default=""),
            Field("phone", "text", default=""),
            Field("outside", "text", default=""),
            Field("record", "flag", default=False),
        ),
    ),
    NodeType(
        "hang_up",
        "end",
        (),
        (
            Field(
                "cause",
                "choice",
                default="unavailable",
                choices=("busy", "unavailable", "declined", "not_found"),
            ),
            Field(
                "outcome", "choice", default="self_served", choices=("self_served", "redirected", "refused")
            ),
        ),
    ),
    NodeType("return", "end", (), (Field("exit", "text", default="next"),)),
)

KNOWN = {
    "contact.dialled": "The number that was called.",
    "contact.medium": "How the contact came: voice.",
    "contact.id": "The contact's id, as in its record.",
    "language": "The language of the prompts from here on; a flow may set it.",
}
"What every flow may use beside its own variables."

_TOLD: dict[str, tuple[str, str]] = {
    "length": ("text", "How many characters it has."),
    "lower": ("text", "In small letters."),
    "upper": ("text", "In capitals."),
    "trim": ("text", "Without blanks at both ends."),
    "starts_with": ("text, start", "Whether it begins so."),
    "ends_with": ("text, end", "Whether it ends so."),
    "contains": ("text, part", "Whether the part is in it."),
    "number": ("value", "As a number; nothing if it is none."),
    "text": ("value", "As a text."),
    "round": ("number, places", "Rounded to so many places, 0 if left out."),
    "floor": ("number", "The whole number below."),
    "ceil": ("number", "The whole number above."),
    "min": ("a, b, …", "The least."),
    "max": ("a, b, …", "The greatest."),
    "abs": ("number", "Without its sign."),
    "if": ("condition, yes, no", "One of two values."),
    "default": ("a, b, …", "The first that is something."),
    "slice": ("text, from, count", "A part of it, counted from 1; from the end if negative."),
    "replace": ("text, what, with", "With one part in the place of another."),
    "join": ("between, a, b, …", "Texts in one, with something between them."),
    "digits": ("text", "Its digits alone."),
    "luhn": ("text", "Whether the last digit is right, as of a card."),
    "iban": ("text", "Whether the check digits of an account are right."),
    "in": ("value, a, b, …", "Whether it is one of these."),
}


def functions() -> tuple[Function, ...]:
    return tuple(
        Function(
            name,
            f"{name}({_TOLD[name][0] if name in _TOLD else _arguments(least, most)})",
            _TOLD.get(name, ("", ""))[1],
        )
        for name, (_, least, most) in FUNCTIONS.items()
    )


def _arguments(least: int, most: int) -> str:
    names = [chr(ord("a") + place) for place in range(min(max(least, 1), 8))]
    return ", ".join([*names, "…"] if most == ANY else names)
