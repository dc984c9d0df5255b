"""What can be wrong with a flow: each kind with its code and its sentence, which says what is wrong and what to do."""

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a flow, for the person who draws it."""

    node: str
    "Its id; empty: the flow as a whole."
    where: str
    "Field of the node, as `prompt[1].text.pl` or `exits.next`; empty: the node itself."
    code: str
    "One of `SENTENCES`; stable."
    sentence: str
    "In English."
    severity: Severity = "error"
    "A flow with an error can't be published."
    values: dict[str, str] = field(default_factory=dict)
    "What is filled into the sentence, for its translation."


def problem(node: str, where: str, code: str, severity: Severity, values: dict[str, str]) -> Problem:
    return Problem(node, where, code, SENTENCES[code].format_map(values), severity, values)


def shown(value: object) -> str:
    """A value from a graph as a sentence can show it."""
    text = value if isinstance(value, str) else "nothing" if value is None else repr(value)
    short = text if len(text) <= 40 else text[:39] + "…"
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in short)


READING = {
    "FLOW-JSON": "this can't be read as JSON: {reason}",
    "FLOW-TWICE": "{found} stands twice in one object; remove one",
    "FLOW-NO-FLOW": "a flow is a JSON object with format, start and nodes; this is {found}",
    "FLOW-FORMAT": 'the format {found} is unknown; write "format": {wanted}',
    "FLOW-SIZE": "the flow is longer than {most} characters; divide it into sub-flows",
    "FLOW-NODES": "the flow has more than {most} nodes; divide it into sub-flows",
    "FLOW-ID": "{found} can't be the id of a node; use letters, digits, _, - and ., at most {most} of them",
    "FLOW-NODE": "a node is an object with type and exits; this is {found}",
    "FLOW-TYPE": "there is no node of type {found}; there are {wanted}",
    "FLOW-MISSING": "{field} is missing; give {wanted}",
    "FLOW-FIELD": "{field} must be {wanted}",
    "FLOW-UNKNOWN-FIELD": "there is no field {found} here; remove it",
    "FLOW-ONE-OF": "give exactly one of {wanted}",
    "FLOW-NAME": "{found} can't be a name; write 1 to {most} letters",
    "FLOW-VARIABLE": "{found} can't be the name of a variable; use letters, digits, _ and ., a letter first",
    "FLOW-EXPRESSION": "column {column}: {detail}",
    "FLOW-PART": "a part of a prompt is a text, or an object with one of {wanted}",
    "FLOW-POINTER": "{found} is no JSON pointer; write it as /order/status",
}
"Why a graph can't be read."

CHECKING = {
    "FLOW-START": "the flow begins at {found}, which it doesn't have; choose a node",
    "FLOW-UNREACHABLE": "no way leads here; connect the node, or remove it",
    "FLOW-EXIT-MISSING": "the exit {exit} leads nowhere; connect it",
    "FLOW-EXIT-UNKNOWN": "this node never takes the exit {exit}; remove it",
    "FLOW-NOWHERE": "the exit {exit} leads to {found}, which the flow doesn't have; connect it anew",
    "FLOW-MENU": "the menu has no digit; add an exit that is named by a digit",
    "FLOW-LOOP": "the way goes round here while nobody is asked or waited for ({nodes}); lead it elsewhere, or put a"
    " node in between that asks",
    "FLOW-NO-END": "whoever comes here never gets out ({nodes}); lead a way to a hang-up, a queue, a transfer or a"
    " return",
    "FLOW-QUEUE": "there is no queue {found}; choose another, or make it first",
    "FLOW-AGENT": "there is no agent {found}; choose another, or make them first",
    "FLOW-CALENDAR": "there is no calendar {found}; choose another, or make it first",
    "FLOW-TABLE": "there is no table {found}; choose another, or make it first",
    "FLOW-ENTRY-POINT": "no Python node {found} is installed; choose another, or install its package",
    "FLOW-FLOW": "there is no published flow {found}; choose another, or publish it first",
    "FLOW-SOUND": "there is no sound {found}; choose another, or upload it first",
    "FLOW-SOUND-FIXED": "the name of a sound must be written out, with nothing to fill in; use a branch",
    "FLOW-TARGET": "{found} is no {what}; write it as {wanted}",
    "FLOW-RECURSION": "the flow {found} leads back into a flow that one is in already; use another",
    "FLOW-DEPTH": "more than {most} flows are inside each other from here; put some of them together",
    "FLOW-RETURN": "the inner flow returns by {exit}, for which there is no exit here, so that it goes by else;"
    " connect it",
    "FLOW-NEVER": "nobody ever goes this way; remove it, or change what comes before it",
    "FLOW-SHARES": "the shares make {found} percent together; change them to make 100",
    "FLOW-RANGE": "{field} is {found}; write a number from {least} to {most}",
    "FLOW-PROMPT": "nothing is said here; write what",
    "FLOW-LANGUAGE": "there is no voice for the language {found}; use one of {wanted}",
    "FLOW-TRANSLATION": "the flow speaks {missing} too, but this isn't said in it; add the text",
    "FLOW-PART-VALUE": "{found} is no number; write digits, or a variable in braces",
    "FLOW-CURRENCY": "{found} is no currency; write three letters, as PLN",
    "FLOW-HOST": "scheme, host and port must be written out, with nothing to fill in; write the address as"
    " https://example.com/orders/{{number}}",
    "FLOW-HEADER": "{found} can't be a header; its name has letters, digits and -, its value one line",
    "FLOW-RESERVED": "{variable} can't be set; choose a name that begins otherwise",
    "FLOW-UNSET": "nothing gives {variable} a value; use another name, or set it",
    "FLOW-SECRET": "{variable} is a secret: only an http node can use it, alone between braces, in its url, headers or"
    " body",
    "FLOW-SECRET-SET": "{variable} is a secret elsewhere, and gets a plain value here; use two variables",
}
"Why a graph that can be read isn't good."

SENTENCES = READING | CHECKING
