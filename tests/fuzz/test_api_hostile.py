"""schemathesis over the whole OpenAPI: no fault of ours, no answer that isn't described, whatever is sent.

Cases are made from the description alone, good and bad ones, and go to the application in this process, with a
real desk, ledger and people behind it.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from centrala.people import Role
from centrala.web.app import make_app
from tests.unit.test_web_api import Api, open_api

pytestmark = pytest.mark.fuzz

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BUSY = 503
"Allowed, since it is described: the disk of a test machine may stand still."
EXAMPLES = 12

SCHEMA = schemathesis.openapi.from_dict(make_app(None).openapi())  # type: ignore[arg-type]
OPERATIONS = {one.ok().label: one.ok() for one in SCHEMA.get_all_operations()}


class Running:
    """The API on a loop in a thread of its own, and a browser in which somebody with every role is signed in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sign_ins = 0
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        self._ready.result(60)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            async with open_api(self._folder) as api, api.client() as client:
                self._api, self._client = api, client
                await api.call("c-alice", "alice")
                await api.user("all", *Role, agent="alice")
                await self._sign_in()
                assert (await client.get("/api/v1/me")).status_code == 200
                self._ready.set_result(None)
                await self._stopping.wait()
        except BaseException as problem:
            if not self._ready.done():
                self._ready.set_exception(problem)
            raise

    async def _sign_in(self) -> None:
        api: Api = self._api
        user = api.users["acme/all"]
        api.house.people.change(user, api.house.now(), roles=Role, agent="alice", active=True)
        self._sign_ins += 1
        link = api.house.people.link(user, api.house.now())
        # From another address each time, or guesses of the cases would slow us down.
        secret, _ = api.house.people.sign_in_by_link(link, api.house.now(), f"browser {self._sign_ins}")
        self._client.cookies.clear()
        self._client.cookies.set("centrala", secret, domain="centre.example")

    async def _send(self, asked: dict[str, Any]) -> httpx.Response:
        answer = await self._client.request(**asked)
        if answer.status_code == 401 or "PASSWORD-TEMPORARY" in answer.text:
            await self._sign_in()
        return answer

    def send(self, asked: dict[str, Any]) -> httpx.Response:
        return asyncio.run_coroutine_threadsafe(self._send(asked), self._loop).result(60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    one = Running(tmp_path_factory.mktemp("api"))
    yield one
    one.stop()


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_described(running: Running, label: str) -> None:
    operation = OPERATIONS[label]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.one_of(
            operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        )
    )
    def story(case: Case) -> None:
        asked = case.as_transport_kwargs(base_url="http://centre.example")
        asked.pop("cookies", None)
        asked["headers"] = {
            name: value
            for name, value in dict(asked.get("headers") or {}).items()
            if name.lower() not in ("cookie", "authorization", "host", "transfer-encoding")
        } | {"X-Centrala": "1"}
        if "data" in asked:
            body = asked.pop("data")
            asked["content"] = body if isinstance(body, (bytes, str)) else b""
        try:
            answer = running.send(asked)
        except (httpx.InvalidURL, UnicodeEncodeError):
            return  # no client could send this
        if answer.status_code == BUSY:
            return
        case.validate_response(Response.from_httpx(answer, verify=False), checks=CHECKS)

    story()


def test_every_route_is_tried() -> None:
    assert len(OPERATIONS) > 80
