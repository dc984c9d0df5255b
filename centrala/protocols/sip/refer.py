"""Values of transfers: Refer-To (RFC 3515), Replaces (RFC 3891) and the sipfrag body that tells how it goes."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from centrala.protocols.sip.uri import SipSyntaxError, SipUri, param, parse_params

_STATUS = re.compile(r"SIP/2\.0\s+(\d{3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Replaces:
    """The dialog that a call takes the place of (RFC 3891 3)."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool
    leg: str | None = None
    """Our leg for it, None where we know no such dialog (then answer 481)."""


def parse_replaces(value: str) -> Replaces:
    """Raises SipSyntaxError."""
    call_id, semicolon, rest = value.strip().partition(";")
    params = parse_params(semicolon + rest)
    to_tag, from_tag = param(params, "to-tag"), param(params, "from-tag")
    if not call_id or to_tag is None or from_tag is None:
        raise SipSyntaxError("Replaces without Call-ID or tags")
    return Replaces(call_id.strip(), to_tag, from_tag, param(params, "early-only") is not None)


def refer_target(uri: SipUri) -> tuple[str, Replaces | None]:
    """A Refer-To URI without its header part, and the Replaces that stood in it. Raises SipSyntaxError."""
    replaces = None
    for field in uri.headers.split("&"):
        name, _, value = field.partition("=")
        if unquote(name).lower() == "replaces":
            replaces = parse_replaces(unquote(value))
    return uri.text.partition("?")[0] if uri.headers else uri.text, replaces


def refer_to(target: str, call_id: str = "", to_tag: str = "", from_tag: str = "") -> str:
    """A Refer-To value; with a Call-ID an attended transfer that replaces that dialog."""
    if not call_id:
        return f"<{target}>"
    replaces = quote(f"{call_id};to-tag={to_tag};from-tag={from_tag}", safe="")
    return f"<{target}?Replaces={replaces}>"


def sipfrag_status(body: str) -> int | None:
    """The status in a message/sipfrag body (RFC 3420), None if there is none."""
    hit = _STATUS.match(body.lstrip())
    return int(hit[1]) if hit else None
