"""SIP messages: read once, values on demand (RFC 3261 7, compact forms 7.3.3), written by joining strings."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from centrala.protocols.sip.uri import (
    NameAddr,
    Params,
    SipSyntaxError,
    SipUri,
    format_params,
    param,
    parse_name_addr,
    parse_params,
    parse_uri,
    split_list,
)

_COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
_NAMES = [
    *["Accept", "Alert-Info", "Allow", "Allow-Events", "Authorization", "CSeq", "Call-ID", "Contact"],
    *["Content-Disposition", "Content-Length", "Content-Type", "Date", "Event", "Expires", "From"],
    *["Max-Forwards", "Min-Expires", "Min-SE", "P-Asserted-Identity", "Path", "Privacy"],
    *["Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "RAck", "RSeq", "Reason"],
    *["Record-Route", "Refer-To", "Referred-By", "Replaces", "Require", "Retry-After", "Route", "Server"],
    *["Session-Expires", "Subscription-State", "Supported", "To", "Unsupported", "User-Agent", "Via"],
    *["WWW-Authenticate", "Warning"],
]
# Raw header name -> our name: spares folding the case of what nearly always comes as the RFCs write it.
_KNOWN = {name: name.lower() for name in _NAMES} | _COMPACT
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_FOLD = re.compile(r"\r?\n[ \t]+")
_VIA = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9\-.!%*_+`'~]+)\s+(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9.\-_]+)\s*(?::\s*(\d{1,5}))?\s*(?=;|$)",
    re.IGNORECASE,
)

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    429: "Provide Referrer Identity",
    430: "Flow Failed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}


class MalformedMessage(ValueError):
    """Nothing that one could even answer: not SIP at all, or a response that doesn't hold together."""


@dataclass(frozen=True, slots=True)
class Via:
    transport: str
    """Upper case."""
    host: str
    """As it came; IPv6 in brackets."""
    port: int
    """0: not given."""
    params: Params

    @property
    def branch(self) -> str:
        return param(self.params, "branch") or ""

    def param(self, name: str) -> str | None:
        return param(self.params, name)


def parse_via(text: str) -> Via:
    """Raises SipSyntaxError."""
    hit = _VIA.match(text)
    if hit is None:
        raise SipSyntaxError("unreadable Via")
    port = int(hit[3] or 0)
    if port > 65535:
        raise SipSyntaxError("unreadable Via")
    return Via(hit[1].upper(), hit[2], port, parse_params(text[hit.end() :].strip()))


class Message:
    """One request or response. Header values are text as it came, unfolded; typed values are read on demand."""

    __slots__ = (
        "_cseq",
        "_from",
        "_to",
        "_via",
        "body",
        "headers",
        "method",
        "reason",
        "status",
        "uri",
        "version",
    )

    def __init__(self, method: str, uri: str, status: int, reason: str, version: str) -> None:
        self.method = method
        """Of a request; of a response "" (see `cseq`)."""
        self.uri = uri
        self.status = status
        """0 for a request."""
        self.reason = reason
        self.version = version
        self.headers: dict[str, list[str]] = {}
        """By lower-case full name, in order."""
        self.body = b""
        self._via: Via | None = None
        self._cseq: tuple[int, str] | None = None
        self._from: NameAddr | None = None
        self._to: NameAddr | None = None

    def get(self, name: str) -> str | None:
        """The first value of a header, by its full name in lower case."""
        values = self.headers.get(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """All values of a header whose values may be joined by commas, topmost first."""
        values = self.headers.get(name)
        if not values:
            return []
        if len(values) == 1 and "," not in values[0]:
            return [values[0]] if values[0] else []
        return [part for value in values for part in split_list(value)]

    def words(self, name: str) -> frozenset[str]:
        """A list header of tokens (Supported, Require, Allow ...), in lower case."""
        return frozenset(word.lower() for word in self.all(name))

    @property
    def via(self) -> Via:
        """The topmost Via. Raises SipSyntaxError, as all typed values do."""
        if self._via is None:
            values = self.all("via")
            if not values:
                raise SipSyntaxError("no Via")
            self._via = parse_via(values[0])
        return self._via

    @property
    def cseq(self) -> tuple[int, str]:
        if self._cseq is None:
            number, _, method = (self.get("cseq") or "").strip().partition(" ")
            method = method.strip()
            if (
                not number.isascii()
                or not number.isdigit()
                or len(number) > 10
                or not _TOKEN.fullmatch(method)
            ):
                raise SipSyntaxError("unreadable CSeq")
            if int(number) >= 2**31:
                raise SipSyntaxError("CSeq out of range")
            self._cseq = (int(number), method)
        return self._cseq

    @property
    def from_(self) -> NameAddr:
        if self._from is None:
            self._from = parse_name_addr(self.get("from") or "")
        return self._from

    @property
    def to(self) -> NameAddr:
        if self._to is None:
            self._to = parse_name_addr(self.get("to") or "")
        return self._to

    @property
    def call_id(self) -> str:
        return self.get("call-id") or ""

    def contact(self) -> NameAddr | None:
        """The only, or first, Contact; None for none or `*`."""
        values = self.all("contact")
        return parse_name_addr(values[0]) if values and values[0] != "*" else None

    def request_uri(self) -> SipUri:
        return parse_uri(self.uri)

    def number(self, name: str) -> int | None:
        """A header of one number, parameters ignored; None where it's missing. Raises SipSyntaxError."""
        value = self.get(name)
        if value is None:
            return None
        digits = value.partition(";")[0].partition("(")[0].strip()
        if not digits.isascii() or not digits.isdigit() or len(digits) > 10:
            raise SipSyntaxError(f"unreadable {name}")
        return int(digits)


def parse(data: bytes) -> Message:
    """Read one message. Raises MalformedMessage if there is no start line that could be SIP.

    Content-Length cuts the body (RFC 3261 18.3); too short a body is told by `body_is_short`.
    """
    head, gap, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not gap:
        bare_head, bare_gap, bare_body = head.partition(b"\n\n")
        if bare_gap:
            head, body = bare_head, bare_body
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n") if "\r\n" in text else text.split("\n")
    message = _start_line(lines[0])
    headers = message.headers
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        known = _KNOWN.get(name)
        if known is None:
            stripped = name.strip()
            if not stripped and not colon:
                continue
            lowered = stripped.lower()
            known = _COMPACT.get(lowered, lowered)
            if not colon or not _TOKEN.fullmatch(stripped):
                # kept where `fault` sees it: such a request is answered with 400
                known, value = "", line
        found = headers.get(known)
        if found is None:
            headers[known] = [value.strip()]
        else:
            found.append(value.strip())
    message.body = body
    length = headers.get("content-length")
    if length is not None and length[0].isascii() and length[0].isdigit() and len(length[0]) < 10:
        message.body = body[: int(length[0])]
    return message


def _start_line(line: str) -> Message:
    bare = line.rstrip()
    if bare != line and line[:4].upper() != "SIP/":
        message = _start_line(bare)
        message.headers[""] = ["space after the start line"]
        return message
    if line[:4].upper() == "SIP/":
        version, _, rest = line.partition(" ")
        status, _, reason = rest.partition(" ")
        if len(status) != 3 or not status.isascii() or not status.isdigit() or version.upper() != "SIP/2.0":
            raise MalformedMessage("unreadable status line")
        if not 100 <= int(status) <= 699:
            raise MalformedMessage("status out of range")
        return Message("", "", int(status), reason, "SIP/2.0")
    method, gap, rest = line.partition(" ")
    uri, gap2, version = rest.rpartition(" ")
    if not gap or not gap2 or version[:4].upper() != "SIP/" or not _TOKEN.fullmatch(method):
        raise MalformedMessage("unreadable request line")
    return Message(method, uri, 0, "", version)


def fault(message: Message) -> str | None:
    """What is wrong with a message in itself (RFC 3261 8.1.1, RFC 4475 3.1.2); None if it holds together."""
    headers = message.headers
    if "" in headers:
        return "unreadable header line"
    for name in ("via", "from", "to", "call-id", "cseq"):
        values = headers.get(name)
        if not values or not values[0]:
            return f"missing {name}"
        if len(values) > 1 and name != "via":
            return f"several {name}"
    try:
        for value in message.all("via"):
            parse_via(value)
        _, method = message.cseq
        _ = message.from_, message.to
        if len(headers.get("content-length", ())) > 1 or len(headers.get("max-forwards", ())) > 1:
            return "several values of a single header"
        length = message.number("content-length")
        if length is not None and length > len(message.body):
            return "body shorter than Content-Length"
        if message.status:
            return None
        if method != message.method:
            return "CSeq of another method"
        hops = message.number("max-forwards")
        if hops is not None and hops > 255:
            return "unreadable max-forwards"
        message.number("expires")
        for value in message.all("contact"):
            if value != "*":
                parse_name_addr(value)
        for name in ("route", "record-route"):
            for value in message.all(name):
                parse_name_addr(value)
        if message.uri[:1] == "<" or message.uri != message.uri.strip() or " " in message.uri:
            return "unreadable request URI"
        if parse_uri(message.uri).headers:
            return "request URI with headers"
    except SipSyntaxError as error:
        return str(error)
    return None


def sdp_of(message: Message) -> tuple[str | None, bool]:
    """The SDP body, also out of a multipart (RFC 5621), and whether the content is one that we understand."""
    if not message.body:
        return None, True
    content_type = message.get("content-type") or "application/sdp"
    kind, _, _ = content_type.partition(";")
    kind = kind.strip().lower()
    if (message.get("content-encoding") or "identity").lower() not in ("identity", ""):
        return None, False
    if kind == "application/sdp":
        return message.body.decode("utf-8", "replace"), True
    if kind.startswith("multipart/"):
        for part_type, part in _parts(content_type, message.body):
            if part_type == "application/sdp":
                return part.decode("utf-8", "replace"), True
        return None, kind == "multipart/mixed"
    return None, False


def _parts(content_type: str, body: bytes) -> Iterable[tuple[str, bytes]]:
    _, semicolon, rest = content_type.partition(";")
    try:
        boundary = param(parse_params(semicolon + rest), "boundary")
    except SipSyntaxError:
        return
    if not boundary:
        return
    for piece in body.split(b"--" + boundary.encode())[1:]:
        if piece.startswith(b"--"):
            return
        head, gap, content = piece.lstrip(b"\r\n").partition(b"\r\n\r\n")
        kind = "text/plain"
        for line in head.decode("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() in ("content-type", "c"):
                kind = value.partition(";")[0].strip().lower()
        if gap:
            yield kind, content.removesuffix(b"\r\n")


def clean(value: str) -> str:
    """A header value from outside without line breaks, which could forge another header."""
    return value.replace("\r", " ").replace("\n", " ") if "\r" in value or "\n" in value else value


def request(
    method: str, uri: str, headers: Sequence[str], body: str = "", content_type: str = "application/sdp"
) -> bytes:
    """A request from ready `Name: value` lines. Content-Length is added."""
    return _join(f"{method} {uri} SIP/2.0", headers, body, content_type)


def response(
    asked: Message,
    status: int,
    reason: str | None,
    to_tag: str,
    headers: Sequence[str] = (),
    body: str = "",
) -> bytes:
    """A response with what RFC 3261 8.2.6 copies from the request; `asked` has its Via marked already."""
    lines = [f"Via: {value}" for value in asked.headers.get("via", ())]
    if status > 100 or "record-route" in asked.headers:
        lines += [f"Record-Route: {value}" for value in asked.headers.get("record-route", ())]
    to = asked.get("to") or ""
    if to_tag and not _has_tag(asked, to):
        to = f"{to};tag={to_tag}"
    lines += [
        f"From: {asked.get('from') or ''}",
        f"To: {to}",
        f"Call-ID: {asked.call_id}",
        f"CSeq: {asked.get('cseq') or ''}",
    ]
    lines += headers
    return _join(
        f"SIP/2.0 {status} {reason or REASONS.get(status, 'Unknown')}", lines, body, "application/sdp"
    )


def _has_tag(asked: Message, to: str) -> bool:
    try:
        return bool(asked.to.tag)
    except SipSyntaxError:
        return ";tag=" in to.replace(" ", "").lower()


def _join(start: str, headers: Sequence[str], body: str, content_type: str) -> bytes:
    if not body:
        return (start + "\r\n" + "\r\n".join(headers) + "\r\nContent-Length: 0\r\n\r\n").encode(
            "utf-8", "replace"
        )
    raw = body.encode("utf-8", "replace")
    lines = "\r\n".join(headers)
    head = f"{start}\r\n{lines}\r\nContent-Type: {content_type}\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode("utf-8", "replace") + raw


def mark_via(message: Message, source: tuple[str, int]) -> None:
    """Write `received` and `rport` into the topmost Via of a request (RFC 3261 18.2.1, RFC 3581 4)."""
    via = message.via
    host, port = source
    wants_port = via.param("rport") is not None
    if not wants_port and via.host.strip("[]").lower() == host:
        return
    params = tuple(p for p in via.params if p[0] not in ("received", "rport"))
    params += (("received", host),)
    if wants_port:
        params += (("rport", str(port)),)
    marked = Via(via.transport, via.host, via.port, params)
    message._via = marked
    sent_by = f"{via.host}:{via.port}" if via.port else via.host
    text = f"SIP/2.0/{via.transport} {sent_by}{format_params(params)}"
    values = message.headers["via"]
    rest = split_list(values[0])[1:]
    values[:1] = [text, *rest]
