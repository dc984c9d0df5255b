"""SIP URIs and name-addr values (RFC 3261 19.1 and 25.1), read tolerantly, as frozen values."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from centrala.protocols.sip.flow import DEFAULT_PORTS

_PARAM = re.compile(r';\s*([^;=\s"]+)\s*(?:=\s*("(?:\\.|[^"\\])*"|[^;]*))?')
_PLAIN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~:\[\]]+")
_HOST = re.compile(r"[A-Za-z0-9.\-_]+|\[[0-9A-Fa-f:.%]+\]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_SAFE_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]*")


class SipSyntaxError(ValueError):
    """A value doesn't follow RFC 3261; the text says which and why."""


Params = tuple[tuple[str, str | None], ...]


def parse_params(text: str) -> Params:
    """`;a=1;b` as (("a", "1"), ("b", None)): names in lower case, quotes taken off. Raises SipSyntaxError."""
    if not text:
        return ()
    found: list[tuple[str, str | None]] = []
    at = 0
    while at < len(text):
        hit = _PARAM.match(text, at)
        if hit is None:
            if text[at:].strip() in ("", ";"):
                break
            raise SipSyntaxError("unreadable parameters")
        value = hit[2]
        if value is not None:
            value = unquote_string(value) if value.startswith('"') else value.strip()
        found.append((hit[1].lower(), value))
        at = hit.end()
        while at < len(text) and text[at] in " \t":
            at += 1
    return tuple(found)


def param(params: Params, name: str) -> str | None:
    """The value of a parameter; "" for one without a value, None for one that isn't there."""
    for key, value in params:
        if key == name:
            return value or ""
    return None


def format_params(params: Params) -> str:
    """Parameters as text again; quoted where the value is no token or host."""
    return "".join(
        f";{key}"
        if value is None
        else f";{key}={value}"
        if _PLAIN.fullmatch(value)
        else f";{key}={quote_string(value)}"
        for key, value in params
    )


def unquote_string(text: str) -> str:
    """A quoted-string without its quotes and escapes."""
    inner = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if "\\" in inner else inner


def quote_string(text: str) -> str:
    """A quoted-string; line breaks and other controls, which could forge a header, become spaces."""
    clean = "".join(c if c >= " " and c != "\x7f" else " " for c in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def escape_user(user: str) -> str:
    """A user part with what RFC 3261 doesn't allow there percent-escaped."""
    if _SAFE_USER.fullmatch(user):
        return user
    return "".join(
        c if _SAFE_USER.fullmatch(c) else "".join(f"%{b:02X}" for b in c.encode("utf-8", "replace"))
        for c in user
    )


@dataclass(frozen=True, slots=True)
class SipUri:
    """`sip:user@host:port;params?headers`; other schemes keep their text alone."""

    scheme: str
    user: str
    """Percent escapes decoded."""
    host: str
    """Lower case; an IPv6 address without its brackets."""
    port: int
    """0: not given."""
    params: Params
    headers: str
    """What stands after `?`, as it came."""
    text: str
    """The URI as it came."""

    def param(self, name: str) -> str | None:
        return param(self.params, name)

    @property
    def transport(self) -> str:
        """The transport that the URI asks for, lower case; "tls" for sips, "udp" where it says nothing."""
        asked = (self.param("transport") or "").lower()
        if self.scheme == "sips":
            return "wss" if asked in ("ws", "wss") else "tls"
        return asked if asked in DEFAULT_PORTS else "udp"

    @property
    def address(self) -> tuple[str, int]:
        """Where to send: host (or maddr) and port, with the transport's default port."""
        return (self.param("maddr") or self.host, self.port or DEFAULT_PORTS[self.transport])

    @property
    def loose(self) -> bool:
        return self.param("lr") is not None


@lru_cache(maxsize=4096)
def parse_uri(text: str) -> SipUri:
    """Read a URI of any scheme. Raises SipSyntaxError."""
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or not _SCHEME.fullmatch(scheme):
        raise SipSyntaxError("URI without a scheme")
    if any(c <= " " or c in '<>"' for c in text):
        raise SipSyntaxError("URI with spaces, quotes or brackets")
    if scheme not in ("sip", "sips"):
        user = unquote(rest.partition(";")[0]) if scheme == "tel" else ""
        return SipUri(scheme, user, "", 0, (), "", text)
    # A user part may hold ; and ? unescaped (RFC 4475 3.1.1.13), so the last @ before the headers decides.
    at = rest.rfind("@")
    user, host_part = ("", rest) if at < 0 else (rest[:at], rest[at + 1 :])
    if at == 0:
        raise SipSyntaxError("URI with an empty user part")
    host_part, _, headers = host_part.partition("?")
    host_port, semicolon, params = host_part.partition(";")
    hit = _HOST.match(host_port)
    if hit is None:
        raise SipSyntaxError("URI without a host")
    host, tail = hit[0], host_port[hit.end() :]
    port = 0
    if tail:
        if (
            tail[0] != ":"
            or not tail[1:].isascii()
            or not tail[1:].isdigit()
            or not 0 < int(tail[1:6]) < 65536
        ):
            raise SipSyntaxError("URI with an unreadable port")
        if len(tail) > 6:
            raise SipSyntaxError("URI with an unreadable port")
        port = int(tail[1:])
    return SipUri(
        scheme,
        unquote(user.partition(":")[0]),
        host.strip("[]").lower(),
        port,
        parse_params(semicolon + params),
        headers,
        text,
    )


def format_host(host: str) -> str:
    """A host as it stands in a URI or Via: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


@dataclass(frozen=True, slots=True)
class NameAddr:
    """`"Display" <uri>;params` (From, To, Contact, Route, Refer-To ...)."""

    display: str
    uri: str
    params: Params

    def param(self, name: str) -> str | None:
        return param(self.params, name)

    @property
    def tag(self) -> str:
        return param(self.params, "tag") or ""


@lru_cache(maxsize=2048)
def parse_name_addr(text: str) -> NameAddr:
    """Raises SipSyntaxError."""
    text = text.strip()
    if text.startswith('"'):
        end = _end_of_quoted(text)
        display, rest = unquote_string(text[: end + 1]), text[end + 1 :].lstrip()
        if not rest.startswith("<"):
            raise SipSyntaxError("display name without <URI>")
    else:
        open_at = text.find("<")
        if open_at < 0:
            # addr-spec: parameters belong to the header, not to the URI (RFC 3261 20.10)
            uri, semicolon, params = text.partition(";")
            uri = uri.strip()
            if "?" in uri or not uri:
                raise SipSyntaxError("URI needs < and >")
            parse_uri(uri)
            return NameAddr("", uri, parse_params(semicolon + params))
        display, rest = text[:open_at].strip(), text[open_at:]
        if '"' in display or "," in display:
            raise SipSyntaxError("unreadable display name")
    close = rest.find(">")
    if close < 0:
        raise SipSyntaxError("URI without its closing >")
    uri = rest[1:close]
    params = rest[close + 1 :].strip()
    if params and not params.startswith(";"):
        raise SipSyntaxError("text after <URI>")
    parse_uri(uri)
    return NameAddr(display, uri, parse_params(params))


def _end_of_quoted(text: str) -> int:
    at = 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        if text[at] == '"':
            return at
        at += 1
    raise SipSyntaxError("quoted text without its end")


def format_name_addr(uri: str, display: str = "", tag: str = "") -> str:
    head = f"{quote_string(display)} <{uri}>" if display else f"<{uri}>"
    return f"{head};tag={tag}" if tag else head


def split_list(value: str) -> list[str]:
    """Cut a header at the commas that stand outside of quotes and <...>."""
    if "," not in value:
        stripped = value.strip()
        return [stripped] if stripped else []
    parts: list[str] = []
    start, quoted, angle, at = 0, False, False, 0
    while at < len(value):
        c = value[at]
        if quoted:
            if c == "\\":
                at += 1
            elif c == '"':
                quoted = False
        elif c == '"':
            quoted = True
        elif c == "<":
            angle = True
        elif c == ">":
            angle = False
        elif c == "," and not angle:
            parts.append(value[start:at].strip())
            start = at + 1
        at += 1
    parts.append(value[start:].strip())
    return [part for part in parts if part]
