"""A centre with its pages, people in browsers, and telephones: what a browser test plays on.

    with Stage(tenant) as stage:
        alice = stage.browser("alice")                  # signed in
        phone = stage.phone("alice", "correct horse")   # her hard phone, registered
        call = stage.call("+48221234567")               # a caller from the office trunk
        alice.page.get_by_role("button", name="Answer")...

Every page fails its test for errors in its console, for exceptions, and for what the content security policy stops.
"""

import asyncio
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from bench import Centre, ports
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from centrala.people import Role, Scope, open_people
from centrala.testing import voices
from centrala.testing.call import Call
from centrala.testing.phone import Phone, Phones
from centrala.testing.ports import free

T = TypeVar("T")

PASSWORD = "correct horse battery"
NUMBER = "+48221234567"
AXE = Path(__file__).parents[2] / "desktop" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = os.environ.get("CENTRALA_SHOTS")
"""A folder for screenshots to look at; without it none are made."""

HARMLESS = (
    "status of 401",  # who am I, before somebody has signed in
    "status of 404",  # an optional route, or a thing that is gone
    "status of 409",  # a refusal that the page shows
    "status of 403",
    "status of 422",
    "status of 429",
    "status of 503",
    "net::ERR_",  # a line that the test itself cuts
    "WebSocket connection to",
)


_AXE = """async (off) => {
  const rules = Object.fromEntries(off.map((one) => [one, { enabled: false }]))
  const { violations } = await axe.run(document, { rules })
  const where = (node) => `${node.target.join(' ')} ${node.any[0]?.message ?? node.failureSummary ?? ''}`
  return violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map(where).slice(0, 4).join(' | ')}`)
}"""


def tenant(**more: Any) -> dict[str, Any]:
    """A small house: two agents, two queues, one number."""
    return {
        "domain": "acme.example",
        "timezone": "Europe/Warsaw",
        "trunks": {"office": {"network": "127.0.5.0/24"}},
        "agents": {
            "alice": {"name": "Alice Kowalska", "sip_password": "correct horse", "ready_on_register": False},
            "boris": {"name": "Boris Nowak", "sip_password": "battery staple", "ready_on_register": False},
        },
        "queues": {
            "sales": {"agents": ["alice", "boris"], "record": True, "wrap_up": "30s"},
            "claims": {"agents": ["boris"], "wrap_up": "10s"},
        },
        "numbers": {NUMBER: {"queue": "sales"}, "+48221234568": {"queue": "claims"}},
        **more,
    }


USERS: dict[str, list[str]] = {
    "alice": ["--role", "agent", "--agent", "alice"],
    "boris": ["--role", "agent", "--agent", "boris"],
    "chief": ["--role", "supervisor"],
    "root": ["--role", "administrator"],
}


@dataclass
class Tab:
    """One person's page, in a browser context of its own."""

    name: str
    context: BrowserContext
    page: Page
    base: str
    problems: list[str] = field(default_factory=list)
    may_fail: tuple[str, ...] = ()
    """More that this test expects in the console."""

    def __post_init__(self) -> None:
        def heard(kind: str, text: str) -> None:
            harmless = any(one in text for one in (*HARMLESS, *self.may_fail))
            if (kind == "error" and not harmless) or "Content Security Policy" in text:
                self.problems.append(text)

        self.page.on("console", lambda message: heard(message.type, message.text))
        self.page.on("pageerror", lambda problem: self.problems.append(f"exception: {problem}"))

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)

    def sign_in(self, password: str = PASSWORD, path: str = "/") -> None:
        """By keyboard alone, as the page puts the focus."""
        self.open(path)
        self.page.locator("form input").first.wait_for()
        self.page.keyboard.type(self.name)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(password)
        self.page.keyboard.press("Enter")
        self.page.locator("#content").wait_for()

    def axe(self, *, without: tuple[str, ...] = ()) -> None:
        """Fails with what axe-core finds on the page as it is."""
        # By the debugger, as the policy of the page lets no foreign script in.
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(_AXE, list(without))
        assert not found, f"{self.page.url}: " + "\n".join(found)

    def both_schemes(self, check: Callable[[str], None]) -> None:
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.page.wait_for_timeout(150)
            check(scheme)
        self.page.emulate_media(color_scheme="light")

    def shot(self, name: str) -> None:
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))

    def until(self, what: str, test: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait for something that isn't in the page."""
        deadline = time.monotonic() + seconds
        while not test():
            assert time.monotonic() < deadline, f"not seen in time: {what}"
            self.page.wait_for_timeout(50)


class Stage:
    """Entering starts a centre with pages, leaving ends everything; problems of pages fail then."""

    def __init__(
        self, tenant_: dict[str, Any] | None = None, users: dict[str, list[str]] | None = None, **listen: Any
    ) -> None:
        self._tenant = tenant_ if tenant_ is not None else tenant()
        self._users = users if users is not None else USERS
        self._listen = listen
        self.tabs: list[Tab] = []
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._phones: list[Phones] = []

    def __enter__(self) -> "Stage":
        http = free("127.0.0.1", kind=socket.SOCK_STREAM)
        self.base = f"http://127.0.0.1:{http}"
        config = {"listen": {"http": f"127.0.0.1:{http}", **self._listen}, "tenants": {"acme": self._tenant}}
        self.centre = Centre(config, start_timeout=60.0)
        self.centre.__enter__()
        try:
            for name, options in self._users.items():
                self.add_user(name, *options)
        except BaseException:
            self.centre.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, it: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                for tab in self.tabs:
                    print(f"--- {tab.name} at {tab.page.url}: {tab.problems}")
                    tab.shot(f"failed-{tab.name}")
            if self._browser is not None:
                self._browser.close()
            if self._playwright is not None:
                self._playwright.stop()
        finally:
            self._end_phones()
            self.centre.__exit__(kind, it, tb)
        if kind is None:
            for tab in self.tabs:
                assert not tab.problems, f"{tab.name}: {tab.problems}"

    def add_user(self, name: str, *options: str, password: str = PASSWORD) -> None:
        """`options` as `centrala user add` takes them; within this process, as a program of its own takes a second."""
        given: dict[str, list[str]] = {}
        for key, value in zip(options[::2], options[1::2], strict=True):
            given.setdefault(key.removeprefix("--"), []).append(value)
        roles = [Role(one) for one in given.get("role", [])]
        scopes = [Scope.read(one) for one in given.get("scope", ["tenant"])]
        agent = given.get("agent", [None])[0]
        assert self.centre.data
        with closing(open_people(self.centre.data)) as people:
            people.add("acme", name, password, roles, time.time(), scopes=scopes, agent=agent)

    # --- browsers ---

    def browser(
        self,
        name: str,
        *,
        size: tuple[int, int] = (1280, 800),
        language: str = "en-GB",
        scheme: str = "light",
        sign_in: bool = True,
        path: str = "/",
        arguments: tuple[str, ...] = (),
        **more: Any,
    ) -> Tab:
        """A page of its own for this user; signed in unless told otherwise."""
        if self._playwright is None:
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=[
                    "--no-sandbox",
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    "--autoplay-policy=no-user-gesture-required",
                    *arguments,
                ],
            )
        assert self._browser is not None
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            color_scheme=scheme,  # type: ignore[arg-type]
            **more,
        )
        context.set_default_timeout(20_000)
        tab = Tab(name, context, context.new_page(), self.base)
        self.tabs.append(tab)
        if sign_in:
            tab.sign_in(path=path)
        return tab

    # --- telephones: their sound needs a loop that runs while the test waits for a page ---

    def run(self, work: Coroutine[Any, Any, T], within: float = 30.0) -> T:
        """Run on the telephones' loop."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="phones")
            self._thread.start()
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(within)

    def on_loop(self, do: Callable[[], T]) -> T:
        """Call on the telephones' loop: answer, hang up, press digits."""

        async def work() -> T:
            return do()

        return self.run(work())

    def _open(self, address: str) -> Phones:
        phones = self.run(Phones(address).open())
        self._phones.append(phones)
        return phones

    def phone(self, user: str, password: str, *, hertz: float = 700.0) -> Phone:
        """An agent's hard phone, registered; `on_call` says what it does with calls."""
        phone = self._open("127.0.0.1").phone(user, "acme.example", self.centre.sip, voices.tone(hertz))
        self.run(phone.register(password))
        return phone

    def call(self, to: str = NUMBER, *, number: str = "+48600100200", hertz: float = 440.0) -> Call:
        """Somebody calls from outside."""
        phones = self._open(ports.loopback())
        caller = phones.phone(number, "127.0.0.1", self.centre.sip, voices.tone(hertz))
        for _ in range(10):
            call = self.on_loop(lambda: caller.call(to))
            self.run(call.until(lambda call=call: call.status >= 180 or call.state == "over"))
            if call.status != 503:
                break
            # A machine that is busy with browsers turns calls away, as it should; people call again.
            time.sleep(1)
        return call

    def _end_phones(self) -> None:
        if self._loop is None or self._thread is None:
            return
        for one in self._phones:
            self.run(one.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
