"""What a flow reckons with: a small language in which every expression has a value and nothing can go on for ever.

`customer.orders > 2 and language == "pl"`, `if(length(pin) = 4, "ok", "short")`; docs/reference/flows.md tells it all.

Reading raises `ExpressionProblem`; evaluating never raises: what can't be reckoned is nothing (None). A comparison with
nothing is false, nothing counts as an empty text where a text is wanted, and arithmetic with it gives nothing again.
Sizes are bounded: an expression has at most 1,000 words and signs, 50 of them inside each other; a text at most 4,096
characters, what is longer is cut; a number lies within ±10^18.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, NoReturn, Protocol
from urllib.parse import quote as percent_encoded

from centrala.core.flow.functions import (
    ANY,
    FUNCTIONS,
    LONGEST,
    equal,
    less,
    number,
    plain,
    reckon,
    text,
    truth,
)
from centrala.core.private import Value

LONGEST_FILLED = 16_384
"Characters of a template that is filled in."
MOST_TOKENS = 1_000
DEEPEST = 50

Quote = Literal["", "url", "json"]
"How a filled-in value is written, so that it stays a value: not at all, percent-encoded, as within a JSON text."

Look = Callable[[str], Value]
"Gives the value of a variable; None when there is none."

NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*\Z")
"What a variable may be called; `KEYWORDS` may not."
KEYWORDS = frozenset({"or", "and", "not", "true", "false", "nothing"})


class ExpressionProblem(ValueError):
    """An expression or template that can't be read: what is wrong, and in which column (from 1)."""

    def __init__(self, code: str, sentence: str, column: int, **values: str) -> None:
        super().__init__(f"{sentence} (column {column})")
        self.code = code
        "Stable, for translation: UNKNOWN-FUNCTION, OPEN-TEXT …"
        self.sentence = sentence
        self.column = column
        self.values = values
        "What the sentence is about."


# --- the tree ---


class _Tree(Protocol):
    def value(self, look: Look) -> Value: ...


@dataclass(frozen=True, slots=True)
class _Constant:
    constant: Value

    def value(self, look: Look) -> Value:
        return self.constant


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str

    def value(self, look: Look) -> Value:
        return plain(look(self.name))


@dataclass(frozen=True, slots=True)
class _Call:
    function: str
    arguments: tuple[_Tree, ...]

    def value(self, look: Look) -> Value:
        return FUNCTIONS[self.function][0](*(argument.value(look) for argument in self.arguments))


@dataclass(frozen=True, slots=True)
class _Sum:
    """Operands with + - * / % between them, of one rank, from left to right: no deeper than one however long it is."""

    first: _Tree
    rest: tuple[tuple[str, _Tree], ...]

    def value(self, look: Look) -> Value:
        result = self.first.value(look)
        for sign, tree in self.rest:
            result = reckon(result, sign, tree.value(look))
        return result


@dataclass(frozen=True, slots=True)
class _Compared:
    left: _Tree
    sign: str
    right: _Tree

    def value(self, look: Look) -> Value:
        left, right = self.left.value(look), self.right.value(look)
        if _Constant(None) in (self.left, self.right):
            # Written out, `nothing` asks whether there is a value.
            return (left is right) if self.sign == "==" else (left is not right) and self.sign == "!="
        match self.sign:
            case "==":
                return equal(left, right)
            case "!=":
                return left is not None and right is not None and not equal(left, right)
            case "<":
                return less(left, right)
            case "<=":
                return less(left, right) or equal(left, right)
            case ">":
                return less(right, left)
            case _:
                return less(right, left) or equal(left, right)


@dataclass(frozen=True, slots=True)
class _Logical:
    sign: Literal["and", "or"]
    operands: tuple[_Tree, ...]

    def value(self, look: Look) -> Value:
        truths = (truth(operand.value(look)) for operand in self.operands)
        return all(truths) if self.sign == "and" else any(truths)


@dataclass(frozen=True, slots=True)
class _Not:
    operand: _Tree

    def value(self, look: Look) -> Value:
        return not truth(self.operand.value(look))


@dataclass(frozen=True, slots=True)
class _Minus:
    operand: _Tree

    def value(self, look: Look) -> Value:
        figure = number(self.operand.value(look))
        return None if figure is None else -figure


# --- what others use ---


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read. Equal when its text is."""

    text: str
    variables: frozenset[str] = field(compare=False)
    "That it reads."
    tree: _Tree = field(compare=False, repr=False)

    def value(self, look: Look) -> Value:
        """Reckon it. Never raises (but what `look` raises); takes time in proportion to its length at most."""
        return plain(self.tree.value(look))


@dataclass(frozen=True, slots=True)
class Template:
    """A text in which `{expression}` is filled in; `{{` and `}}` are braces. Equal when its text is."""

    text: str
    variables: frozenset[str] = field(compare=False)
    pieces: tuple[str | Expression, ...] = field(compare=False, repr=False)

    @property
    def plain(self) -> bool:
        """Nothing is filled in: it says the same to everybody."""
        return not any(isinstance(piece, Expression) for piece in self.pieces)

    def fill(self, look: Look, quote: Quote = "") -> str:
        """The text, at most `LONGEST_FILLED` characters of it. What is filled in, and only that, is quoted."""
        write = _QUOTED[quote]
        filled = (
            piece if isinstance(piece, str) else write(text(piece.value(look))) for piece in self.pieces
        )
        return "".join(filled)[:LONGEST_FILLED]


_QUOTED: dict[Quote, Callable[[str], str]] = {
    "": str,
    "url": lambda value: percent_encoded(value, safe="", errors="replace"),
    "json": lambda value: json.dumps(value)[1:-1],
}


def parse(source: str) -> Expression:
    """Read an expression; raises `ExpressionProblem`."""
    return _Parser(source, 0).whole()


def template(source: str) -> Template:
    """Read a template; raises `ExpressionProblem`."""
    if len(source) > LONGEST:
        raise ExpressionProblem(
            "TOO-LONG",
            f"the text is longer than {LONGEST:,} characters; divide it",
            LONGEST + 1,
            most=str(LONGEST),
        )
    pieces: list[str | Expression] = []
    plain: list[str] = []
    at = 0
    while at < len(source):
        letter = source[at]
        if letter in "{}" and source[at : at + 2] == letter * 2:
            plain.append(letter)
            at += 2
        elif letter == "{":
            end = _closing(source, at)
            if plain:
                pieces.append("".join(plain))
                plain = []
            pieces.append(_Parser(source[at + 1 : end], at + 1).whole())
            at = end + 1
        elif letter == "}":
            raise ExpressionProblem("LONE-BRACE", "a } that closes nothing; write }} for a brace", at + 1)
        else:
            brace = _BRACE.search(source, at)
            end = brace.start() if brace else len(source)
            plain.append(source[at:end])
            at = end
    if plain:
        pieces.append("".join(plain))
    variables = frozenset[str]().union(
        *(piece.variables for piece in pieces if isinstance(piece, Expression))
    )
    return Template(source, variables, tuple(pieces))


def _closing(source: str, opening: int) -> int:
    """The place of the } of an expression; those within quotes don't count."""
    quote = ""
    for place in range(opening + 1, len(source)):
        letter = source[place]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "}":
            return place
    raise ExpressionProblem("OPEN-BRACE", "a { that is not closed; write {{ for a brace", opening + 1)


# --- reading ---

_BRACE = re.compile("[{}]")

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[0-9]+(?:\.[0-9]+)?(?![\w.]))
      | (?P<name>[^\W\d]\w*(?:\.\w+)*)
      | (?P<text>"(?:[^"]|"")*"|'(?:[^']|'')*')
      | (?P<sign>==|!=|<=|>=|[-+*/%()<>=,])
      | (?P<wrong>\S)
    )""",
    re.VERBOSE,
)
_COMPARISONS = frozenset({"==", "=", "!=", "<", "<=", ">", ">="})

_Kind = Literal["number", "name", "text", "sign", "end"]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str
    column: int


class _Parser:
    """Recursive descent, in the order of the ranks: or, and, not, comparison, + -, * / %, unary -, the rest."""

    def __init__(self, source: str, offset: int) -> None:
        self.source = source
        self.offset = offset
        "Characters before it in the template that it stands in."
        self.at = 0
        self.depth = 0
        self.variables: set[str] = set()
        self.tokens = self._read()

    def fail(self, code: str, sentence: str, column: int, **values: str) -> NoReturn:
        raise ExpressionProblem(code, sentence, column, **values)

    def _read(self) -> list[_Token]:
        if len(self.source) > LONGEST:
            self.fail(
                "TOO-LONG",
                f"the expression is longer than {LONGEST:,} characters; divide it",
                self.offset + LONGEST + 1,
                most=str(LONGEST),
            )
        tokens: list[_Token] = []
        at = 0
        while found := _TOKEN.match(self.source, at):
            kind = found.lastgroup or ""
            column = self.offset + found.start(kind) + 1
            sign = found[kind]
            if kind == "wrong":
                self._wrong(sign, column, found.start(kind))
            tokens.append(_Token(kind, sign, column))  # type: ignore[arg-type]
            if len(tokens) > MOST_TOKENS:
                self.fail(
                    "TOO-MANY",
                    f"the expression has more than {MOST_TOKENS:,} words and signs; divide it",
                    column,
                    most=str(MOST_TOKENS),
                )
            at = found.end()
        tokens.append(_Token("end", "", self.offset + len(self.source.rstrip()) + 1))
        return tokens

    def _wrong(self, sign: str, column: int, place: int) -> NoReturn:
        if sign in "\"'":
            self.fail("OPEN-TEXT", f"a text that is not closed; put {sign} at its end", column, sign=sign)
        if sign.isdigit():
            word = re.match(r"[\w.]*", self.source[place:])
            shown = word[0][:40] if word else sign
            self.fail(
                "NUMBER",
                f"“{shown}” is no number; write digits, and a point before a fraction, or put it in quotes",
                column,
                found=shown,
            )
        self.fail("SIGN", f"“{sign}” means nothing here; put a text in quotes", column, found=sign)

    def take(self) -> _Token:
        token = self.tokens[self.at]
        if token.kind != "end":
            self.at += 1
        return token

    def next_is(self, *texts: str) -> bool:
        token = self.tokens[self.at]
        return token.kind in ("sign", "name") and token.text in texts

    def whole(self) -> Expression:
        if self.tokens[0].kind == "end":
            self.fail("EMPTY", 'there is no expression; write one, for example 1 or "text"', self.offset + 1)
        # Most placeholders are one name.
        tree = self.atom() if len(self.tokens) == 2 else self.disjunction()
        rest = self.take()
        if rest.kind != "end":
            self.fail(
                "REST",
                f"“{rest.text[:40]}” follows where the expression is complete; put an operator before it",
                rest.column,
                found=rest.text[:40],
            )
        return Expression(self.source, frozenset(self.variables), tree)

    def enter(self, column: int) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(
                "TOO-DEEP",
                f"more than {DEEPEST} things are inside each other; divide the expression",
                column,
                most=str(DEEPEST),
            )

    def disjunction(self) -> _Tree:
        return self.logical("or", self.conjunction)

    def conjunction(self) -> _Tree:
        return self.logical("and", self.negation)

    def logical(self, sign: Literal["and", "or"], operand: Callable[[], _Tree]) -> _Tree:
        operands = [operand()]
        while self.next_is(sign):
            self.take()
            operands.append(operand())
        return operands[0] if len(operands) == 1 else _Logical(sign, tuple(operands))

    def negation(self) -> _Tree:
        if not self.next_is("not"):
            return self.comparison()
        self.enter(self.take().column)
        tree = _Not(self.negation())
        self.depth -= 1
        return tree

    def comparison(self) -> _Tree:
        left = self.addition()
        if not self.next_is(*_COMPARISONS):
            return left
        sign = self.take().text
        tree = _Compared(left, "==" if sign == "=" else sign, self.addition())
        if self.next_is(*_COMPARISONS):
            self.fail(
                "CHAIN",
                "a comparison has two sides; write a < b and b < c",
                self.tokens[self.at].column,
            )
        return tree

    def addition(self) -> _Tree:
        return self.sum(self.multiplication, "+", "-")

    def multiplication(self) -> _Tree:
        return self.sum(self.factor, "*", "/", "%")

    def sum(self, operand: Callable[[], _Tree], *signs: str) -> _Tree:
        first = operand()
        rest: list[tuple[str, _Tree]] = []
        while self.next_is(*signs):
            sign = self.take().text
            rest.append((sign, operand()))
        return _Sum(first, tuple(rest)) if rest else first

    def factor(self) -> _Tree:
        if not self.next_is("-"):
            return self.atom()
        self.enter(self.take().column)
        tree = _Minus(self.factor())
        self.depth -= 1
        return tree

    def atom(self) -> _Tree:
        token = self.take()
        match token.kind:
            case "number":
                value = number(token.text)
                if value is None:
                    self.fail(
                        "LARGE",
                        f"“{token.text[:40]}” is too long a number; put digits that aren't reckoned with in quotes",
                        token.column,
                        found=token.text[:40],
                    )
                return _Constant(value)
            case "text":
                quote = token.text[0]
                return _Constant(token.text[1:-1].replace(quote * 2, quote))
            case "name":
                return self.named(token)
            case "sign" if token.text == "(":
                self.enter(token.column)
                tree = self.disjunction()
                self.close(token)
                self.depth -= 1
                return tree
            case "end":
                self.fail("END", "the expression ends where a value is missing", token.column)
        return self.fail("VALUE", f"a value is missing before “{token.text}”", token.column, found=token.text)

    def named(self, token: _Token) -> _Tree:
        if token.text in ("true", "false", "nothing"):
            return _Constant({"true": True, "false": False, "nothing": None}[token.text])
        if self.next_is("("):
            return self.call(token)
        if token.text in KEYWORDS:
            self.fail("VALUE", f"a value is missing before “{token.text}”", token.column, found=token.text)
        self.variables.add(token.text)
        return _Variable(token.text)

    def call(self, name: _Token) -> _Tree:
        if name.text not in FUNCTIONS:
            near = get_close_matches(name.text[:40], FUNCTIONS, 1)
            meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(FUNCTIONS)}"
            self.fail(
                "UNKNOWN-FUNCTION",
                f"there is no function {name.text[:40]}; {meant}",
                name.column,
                found=name.text[:40],
                near=near[0] if near else "",
            )
        opening = self.take()
        self.enter(opening.column)
        arguments: list[_Tree] = []
        if not self.next_is(")"):
            arguments.append(self.disjunction())
            while self.next_is(","):
                self.take()
                arguments.append(self.disjunction())
        self.close(opening)
        self.depth -= 1
        _, least, most = FUNCTIONS[name.text]
        if not least <= len(arguments) <= most:
            wanted = (
                str(least) if least == most else f"{least} to {most}" if most < ANY else f"{least} or more"
            )
            self.fail(
                "ARGUMENTS",
                f"{name.text} takes {wanted} values in its parentheses, not {len(arguments)}",
                name.column,
                function=name.text,
                wanted=wanted,
                given=str(len(arguments)),
            )
        return _Call(name.text, tuple(arguments))

    def close(self, opening: _Token) -> None:
        if not self.next_is(")"):
            self.fail("OPEN-PARENTHESIS", "a ( that is not closed; put ) at its end", opening.column)
        self.take()
