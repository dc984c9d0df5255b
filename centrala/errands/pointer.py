"""JSON pointers (RFC 6901): the way to one value in an answer."""

import re
from typing import Any

_LONE_TILDE = re.compile("~(?![01])")


class NoPointer(ValueError):
    """The text is no JSON pointer."""


def parse(pointer: str) -> tuple[str, ...]:
    """The reference tokens (RFC 6901 3 and 4). Raises NoPointer with a sentence."""
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise NoPointer("a JSON pointer begins with /, such as /order/status")
    return tuple(_token(one) for one in pointer[1:].split("/"))


def _token(escaped: str) -> str:
    if _LONE_TILDE.search(escaped):
        raise NoPointer("in a JSON pointer ~ is written ~0, and / within a name ~1")
    # "~01" is "~1": ~1 goes first (RFC 6901 4).
    return escaped.replace("~1", "/").replace("~0", "~")


def find(document: Any, tokens: tuple[str, ...]) -> Any:
    """The value there; None where there is none (RFC 6901 4; `-` is past the end of a list, so never there)."""
    for token in tokens:
        match document:
            case dict():
                if token not in document:
                    return None
                document = document[token]
            case list():
                # ABNF: 0, or digits without a leading zero.
                if not (token.isascii() and token.isdigit()) or (token[0] == "0" and token != "0"):
                    return None
                if len(token) > 9 or int(token) >= len(document):
                    return None
                document = document[int(token)]
            case _:
                return None
    return document
