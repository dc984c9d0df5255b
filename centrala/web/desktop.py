"""The built pages (desktop/, in `dist` beside this file) on every address that isn't the API's.

Files with a hash in their name are kept by browsers for ever, the page itself is asked for each time. Where nothing was
built there is a plain page that says what to do.
"""

import logging
import mimetypes
import secrets
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

DIST = Path(__file__).parent / "dist"
NONCE = "NONCE"
"Stands in index.html where each answer's own nonce goes."
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
FOR_EVER = "public, max-age=31536000, immutable"

# No script and no style but our own files; the one <style> with colours that the pages make has the answer's nonce.
# Microphones and speakers are the page's; data: and blob: are sounds and the drawn icon in the tab.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'nonce-{nonce}'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self' {socket}",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_NOT_BUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Centrala</title>"
    "<p>The pages of this centre weren't built: run <code>make desktop</code> where Centrala is installed"
    " (or install the released package, which has them), then load this page again.</p></html>"
)


@dataclass(frozen=True, slots=True)
class File:
    """One built file, with its compressed forms."""

    plain: bytes
    encoded: dict[str, bytes]
    media_type: str


class Desktop:
    """Around the API: what isn't below /api is the pages'. Files are read once and held, 2 MB in all."""

    def __init__(self, app: ASGIApp, dist: Path = DIST) -> None:
        self._app = app
        self._dist = dist
        self._index: str | None = None
        self._files: dict[str, File] = {}
        self._made = formatdate(usegmt=True)
        self._read()

    def _read(self) -> None:
        index = self._dist / "index.html"
        if not index.is_file():
            log.warning("the pages weren't built: `make desktop` does it")
            return
        self._index = index.read_text(encoding="utf-8")
        for path in sorted(self._dist.rglob("*")):
            name = path.relative_to(self._dist).as_posix()
            if not path.is_file() or path == index or path.suffix in (".br", ".gz", ".map"):
                continue
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            if kind.startswith("text/") or kind == "application/json":
                kind += "; charset=utf-8"
            encoded = {
                encoding: other.read_bytes()
                for encoding, suffix in ENCODINGS
                if (other := path.with_name(path.name + suffix)).is_file()
            }
            self._files[name] = File(path.read_bytes(), encoded, kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/api" or scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            answer = Response(
                "This is a page: it can only be read.\n", 405, {"Allow": "GET, HEAD"}, "text/plain"
            )
        else:
            answer = self._answer(scope)
        await answer(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        name = scope["path"].lstrip("/")
        file = self._files.get(name)
        if file is not None:
            return self._file(name, file, headers)
        if name.startswith("assets/") or "." in name.rsplit("/", 1)[-1]:
            # Not the page: an old page that asks for a file of an older build must not get HTML for it.
            return Response("There is no such file.\n", 404, media_type="text/plain")
        if self._index is None:
            policy = "default-src 'none'; frame-ancestors 'none'"
            return Response(
                _NOT_BUILT, 503, {"Cache-Control": "no-store", "Content-Security-Policy": policy}, "text/html"
            )
        nonce = secrets.token_urlsafe(16)
        secure = scope["scheme"] == "https"
        # Older browsers don't count sockets as 'self' (CSP 3 does).
        socket = f"{'wss' if secure else 'ws'}://{headers.get('host', '')}" if _plain(headers) else ""
        return Response(
            self._index.replace(NONCE, nonce),
            headers={
                "Cache-Control": "no-cache",
                "Content-Security-Policy": POLICY.format(nonce=nonce, socket=socket).replace(" ;", ";"),
                "Permissions-Policy": "microphone=(self), speaker-selection=(self), camera=(), geolocation=()",
            },
            media_type="text/html; charset=utf-8",
        )

    def _file(self, name: str, file: File, headers: Headers) -> Response:
        accepted = {part.split(";")[0].strip() for part in headers.get("accept-encoding", "").split(",")}
        chosen = next((one for one, _ in ENCODINGS if one in accepted and one in file.encoded), None)
        more = {
            "Cache-Control": FOR_EVER if name.startswith("assets/") else "no-cache",
            "Content-Security-Policy": "default-src 'none'",
            "Last-Modified": self._made,
            "Vary": "Accept-Encoding",
        }
        if chosen is not None:
            more["Content-Encoding"] = chosen
        return Response(file.plain if chosen is None else file.encoded[chosen], 200, more, file.media_type)


def _plain(headers: Headers) -> bool:
    """Whether the host header is one that may stand in a policy."""
    host = headers.get("host", "")
    return bool(host) and all(one.isalnum() or one in ".-:[]" for one in host)
