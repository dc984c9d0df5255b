"""The pages as served, and that each code which the centre can say has its sentence in them."""

import re
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from centrala.core.explain import Code
from centrala.web.desktop import Desktop
from centrala.web.problems import CODES
from centrala.web.schema import openapi

pytestmark = pytest.mark.unit

SOURCES = Path(__file__).parents[2] / "desktop" / "src"


def sentences(*names: str) -> set[str]:
    """Keys of catalogues; that each has three languages is the compiler's and vitest's business."""
    text = "".join((SOURCES / name).read_text(encoding="utf-8") for name in names)
    return set(re.findall(r"^\s+'?([A-Z][A-Z0-9_-]+)'?: \[", text, re.MULTILINE))


def test_every_reason_for_no_calls_has_its_sentence() -> None:
    assert set(get_args(Code)) <= sentences("i18n/explain.ts")


def test_every_problem_of_the_api_has_its_sentence() -> None:
    everywhere = [str(one.relative_to(SOURCES)) for one in SOURCES.rglob("*.ts*")]
    missing = set(CODES) - sentences(*everywhere)
    assert not missing


def test_the_description_of_the_api_is_made_without_a_house() -> None:
    described = openapi()
    assert described["openapi"].startswith("3.1")
    assert "/api/v1/me/agent/ready" in described["paths"]


async def ask(folder: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def api(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"api"})

    transport = httpx.ASGITransport(Desktop(api, folder))
    async with httpx.AsyncClient(transport=transport, base_url="http://centre.example:8080") as client:
        return await client.request(method, path, headers=headers)


def run(folder: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    import asyncio

    return asyncio.run(ask(folder, path, method, **headers))


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<meta name="csp-nonce" content="NONCE">')
    (folder / "assets" / "a-1234.js").write_text("plain")
    (folder / "assets" / "a-1234.js.br").write_bytes(b"brotli")
    (folder / "assets" / "a-1234.js.gz").write_bytes(b"gzip")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def test_pages_and_files(dist: Path) -> None:
    page = run(dist, "/work/anything")
    policy = page.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([\w-]{20,})'", policy)
    assert nonce
    assert page.text == f'<meta name="csp-nonce" content="{nonce[1]}">'
    assert page.headers["cache-control"] == "no-cache"
    assert "unsafe" not in policy
    assert "ws://centre.example:8080" in policy
    # A policy can't be added to by who asks.
    evil = run(dist, "/", Host="x; script-src *")
    assert "script-src *" not in evil.headers["content-security-policy"]
    packed = run(dist, "/assets/a-1234.js", **{"Accept-Encoding": "gzip, br;q=0.9"})
    assert packed.headers["content-encoding"] == "br"
    assert packed.headers["vary"] == "Accept-Encoding"
    plain = run(dist, "/assets/a-1234.js", **{"Accept-Encoding": "identity"})
    assert plain.text == "plain"
    assert "immutable" in plain.headers["cache-control"]


def test_what_is_not_there(dist: Path, tmp_path: Path) -> None:
    for path in (
        "/assets/b-1.js", "/assets/", "/x.js", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
        "/assets/a-1234.js.br", "/index.html.gz",
    ):  # fmt: skip
        assert run(dist, path).status_code == 404, path
    assert run(dist, "/work", "POST").status_code == 405
    assert run(dist, "/api/v1/anything").status_code == 299
    assert run(dist, "/api").status_code == 299
    empty = run(tmp_path / "nothing", "/")
    assert empty.status_code == 503
    assert "make desktop" in empty.text
