"""How simulated callers go through flows: they listen, press a key by chance, say something, and get answers."""

from random import Random

from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.flow.nodes import Collect, Menu, Node, Question
from centrala.core.flow.question import KEYS
from centrala.core.private import Private

LETTERS = 14.0
"Letters that are spoken in a second."
PIECE = 1.5
"Seconds of a piece whose words aren't known: an uploaded sound, a number."
THINKING = 1.0
"Seconds until the first key, and half of them between two."
MESSAGE = 8.0
"Seconds of a message."
LOOKED_UP = 0.2
"Seconds of a look-up."


def spoken(command: c.Say) -> float:
    """Seconds that a prompt lasts."""
    return sum(
        float(part.text or 0) / 1000
        if part.kind == "pause"
        else len(part.text) / LETTERS
        if part.kind == "text" and part.text
        else PIECE
        for part in command.parts
    )


def keys(node: Node | None, draw: Random) -> str:
    """What a caller presses there: any choice of a menu, a number as short as may be."""
    match node.does if node is not None else None:
        case Menu(choices=choices):
            return draw.choice(choices)
        case Question(scale=scale):
            return draw.choice(KEYS[scale])
        case Collect(least=least, most=most, terminator=terminator):
            typed = "".join(draw.choice("0123456789") for _ in range(least))
            return typed + (terminator if least < most else "")
        case _:
            return ""


def answered(command: c.RunErrand, at: float) -> f.ErrandDone:
    """Found, or done; of the values nothing is known."""
    exit = "found" if command.kind in ("customer", "table", "number") else "next"
    values = {name: Private(None) for name in command.take}
    return f.ErrandDone(at, command.contact, command.errand, exit, values)
