"""Session timers (RFC 4028): who refreshes, how often, and when a silent session counts as dead."""

from dataclasses import dataclass

from centrala.protocols.sip.message import Message
from centrala.protocols.sip.uri import SipSyntaxError, param, parse_params

FLOOR = 90
"""Seconds; RFC 4028 5 allows no less."""


@dataclass(frozen=True, slots=True)
class SessionExpires:
    seconds: int
    refresher: str
    """"uac", "uas" or ""."""


def parse_session_expires(value: str) -> SessionExpires:
    """Raises SipSyntaxError."""
    digits, semicolon, rest = value.partition(";")
    digits = digits.strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise SipSyntaxError("unreadable Session-Expires")
    refresher = (param(parse_params(semicolon + rest), "refresher") or "").lower()
    return SessionExpires(int(digits), refresher if refresher in ("uac", "uas") else "")


def of(message: Message) -> SessionExpires | None:
    """The Session-Expires of a message; an unreadable one counts as none."""
    value = message.get("session-expires")
    if value is None:
        return None
    try:
        return parse_session_expires(value)
    except SipSyntaxError:
        return None


def too_small(request: Message, min_se: int) -> bool:
    """True if 422 must be the answer: too short, and the peer is able to try again (RFC 4028 9)."""
    asked = of(request)
    return asked is not None and asked.seconds < max(min_se, FLOOR) and "timer" in request.words("supported")


def agree(request: Message, ours: int, min_se: int) -> SessionExpires | None:
    """As the server of a request: the interval and refresher to put into the 2xx (RFC 4028 9, table 2).

    Where the peer doesn't know session timers, we refresh. None: no session timer.
    """
    asked = of(request)
    peer_can = "timer" in request.words("supported")
    if asked is None:
        return SessionExpires(ours, "uas") if ours else None
    seconds = max(asked.seconds, min_se, FLOOR)
    if not peer_can:
        return SessionExpires(seconds, "uas")
    return SessionExpires(seconds, asked.refresher or "uac")


def refresh_after(seconds: int) -> float:
    """Refresh at half time (RFC 4028 10)."""
    return seconds / 2


def expire_after(seconds: int) -> float:
    """The side that waits for refreshes gives up a little before the end (RFC 4028 10)."""
    return seconds - min(32.0, seconds / 3)
