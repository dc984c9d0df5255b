"""What comes in with requests and is read alike by every route: places in lists, and text."""

import base64
import binascii
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Query

from centrala.web.problems import Problem

Cursor = Annotated[str | None, Query(max_length=1000)]
"A place between two rows, by what they are sorted by."
NumberCursor = Annotated[str | None, Query(max_length=20)]
"A place in a list that is numbered."

Place = TypeVar("Place")

NOT_OURS = "This cursor is none of ours: begin with the first page."


def cursor(place: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def place_of(text: str, of: type[Place]) -> Place:
    """The place that `cursor` made the text of. Raises Problem BAD-CURSOR."""
    try:
        return msgspec.json.decode(base64.b64decode(text.encode("ascii"), b"-_", validate=True), type=of)
    except (msgspec.DecodeError, UnicodeError, binascii.Error, ValueError):
        raise Problem("BAD-CURSOR", NOT_OURS) from None


def number_of(text: str | None) -> int | None:
    """The number in a `NumberCursor`; None for the first page. Raises Problem BAD-CURSOR."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 18:  # what SQLite can hold
        raise Problem("BAD-CURSOR", NOT_OURS)
    return int(text)


def clean(text: str) -> str:
    """JSON may hold half a character (a lone surrogate), which neither SQLite nor an answer can: "?" instead."""
    return text.encode("utf-8", "replace").decode()
