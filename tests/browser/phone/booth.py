"""A centre, Chromium tabs with the browser phone, and telephones: what the phone's tests play on.

async with booth(tmp_path) as one:
    alice = await one.tab("alice", hertz=500)       # registered; says a tone of 500 Hz
    call = one.caller(hertz=440).call(NUMBER)
"""

import asyncio
import functools
import shutil
import socket
import subprocess
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from bench import Centre, ports
from playwright.async_api import BrowserContext, Page, async_playwright

from centrala.people import Role, open_people
from centrala.testing import tones, voices
from centrala.testing.call import Call
from centrala.testing.phone import Phone, Phones
from centrala.testing.ports import free

NUMBER = "+48221234567"
GOOD = "correct horse battery"
ROOT = Path(__file__).parents[3]
HTML = '<!doctype html><meta charset="utf-8"><title>Phone</title><script src="/phone-test.js"></script>'


def live(test: Callable[..., Any]) -> Callable[..., None]:
    """A test that is a coroutine."""

    @functools.wraps(test)
    def run(*args: object, **keywords: object) -> None:
        asyncio.run(test(*args, **keywords))

    return run


@functools.cache
def script() -> str:
    """The phone with its test page, as one script for a browser."""
    bundler = ROOT / "desktop" / "node_modules" / ".bin" / "rolldown"
    made = subprocess.run(
        [bundler, ROOT / "tests/browser/phone/page.ts", "--format", "iife", "--platform", "browser"],
        cwd=ROOT / "desktop", capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return made.stdout


def config(
    http: int, codec: str = "g711", tls: tuple[Path, Path] | None = None, **more: Any
) -> dict[str, Any]:
    agents = {
        name: {"name": name.title(), "sip_password": "correct horse", "ready_on_register": True}
        for name in ("alice", "boris")
    }
    where: dict[str, Any] = {"http": f"127.0.0.1:{http}"}
    if tls is not None:
        files = {"certificate": str(tls[0]), "key": str(tls[1])}
        where = {"https": {"address": f"127.0.0.1:{http}", **files}}
    return {
        "listen": {
            **where,
            "media": {"address": "127.0.0.1", "ports": "20000-29999", "workers": 1, "browser_codec": codec},
        },
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "trunks": {"office": {"network": "127.0.5.0/24"}},
                "agents": agents,
                "queues": {
                    "sales": {"agents": ["alice"], "record": True, "wrap_up": "1s", "ring_timeout": "20s"}
                },
                "numbers": {NUMBER: {"queue": "sales"}, "201": {"agent": "alice"}, "202": {"agent": "boris"}},
                **more,
            }
        },
    }


@dataclass(slots=True)
class Tab:
    """A page with a phone."""

    page: Page
    context: BrowserContext

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.page.evaluate("window.phone ? window.phone.state() : {}")
        return found

    async def until(self, what: str, test: Callable[[dict[str, Any]], Any], seconds: float = 20.0) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        state: dict[str, Any] = {}
        while asyncio.get_running_loop().time() < deadline:
            state = await self.state()
            if state and test(state):
                return
            await asyncio.sleep(0.05)
        state.pop("devices", None)
        raise AssertionError(f"not seen in time: {what}; the phone says {state}")

    async def do(self, call: str) -> Any:
        return await self.page.evaluate(f"window.phone.{call}")

    async def hears(self, hertz: float, seconds: float = 15.0) -> None:
        """Wait until the newest line hears this tone above all."""
        deadline = asyncio.get_running_loop().time() + seconds
        heard: dict[str, float] = {}
        while asyncio.get_running_loop().time() < deadline:
            heard = await self.page.evaluate("window.hears()")
            if heard["level"] > -60 and abs(heard["hertz"] - hertz) < 12:
                return
        raise AssertionError(f"{hertz} Hz weren't heard but {heard}")


@dataclass(slots=True)
class Booth:
    centre: Centre
    base: str
    folder: Path
    phones: Phones
    _driver: Any
    _browsers: list[Any] = field(default_factory=list)

    def caller(self, hertz: float = 440) -> Phone:
        address = self.centre.sip
        return self.phones.phone("+48600100200", "carrier.example", address, voices.tone(hertz))

    async def call(self, hertz: float = 440, number: str = NUMBER) -> Call:
        """Somebody calls; again, where a machine that is busy starting browsers makes the centre turn calls away."""
        for _ in range(10):
            call = self.caller(hertz).call(number)
            await asyncio.sleep(0.5)
            if call.state != "over":
                break
            await asyncio.sleep(1.0)
        return call

    async def tab(self, name: str, hertz: float = 500, *flags: str) -> Tab:
        """A browser of its own, whose microphone hears a tone; signed in, its phone registered."""
        sound = self.folder / f"{name}-{hertz:g}.wav"
        write_tone(sound, hertz)
        browser = await self._driver.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                "--ignore-certificate-errors",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={sound}",
                "--autoplay-policy=no-user-gesture-required",
                # The test's page comes from the test itself, so Chromium takes it for one of the internet.
                "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets,LocalNetworkAccessChecksWebRTC",
                *flags,
            ],
        )
        self._browsers.append(browser)
        context = await browser.new_context(ignore_https_errors=True)
        tab = await self.open(context, name)
        await tab.until("registration", lambda state: state["status"] == "registered")
        return tab

    async def open(self, context: BrowserContext, name: str) -> Tab:
        """One more tab of a browser."""
        await context.route("**/phone-test", lambda route: route.fulfill(body=HTML, content_type="text/html"))
        await context.route(
            "**/phone-test.js", lambda route: route.fulfill(body=script(), content_type="text/javascript")
        )
        page = await context.new_page()
        page.on("pageerror", lambda problem: print("page:", problem))
        page.on("console", lambda said: print("console:", said.text) if said.type == "error" else None)
        await page.goto(f"{self.base}/phone-test")
        await self.sign_in(context, name)
        mine = await (await context.request.get(f"{self.base}/api/v1/me/phone")).json()
        await page.evaluate("mine => window.begin({...mine, processing: false})", mine)
        return Tab(page, context)

    async def sign_in(self, context: BrowserContext, name: str) -> None:
        answer = await context.request.post(
            f"{self.base}/api/v1/session", data={"name": name, "password": GOOD},
            headers={"X-Centrala": "1", "Origin": self.base},
        )  # fmt: skip
        assert answer.ok, await answer.text()


@asynccontextmanager
async def booth(folder: Path, **more: Any) -> AsyncIterator[Booth]:
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    with Centre(config(http, **more)) as centre:
        for name in ("alice", "boris"):
            add_user(centre, name)
        async with Phones(address=ports.loopback()) as phones, async_playwright() as driver:
            scheme = "http" if more.get("tls") is None else "https"
            one = Booth(centre, f"{scheme}://127.0.0.1:{http}", folder, phones, driver)
            try:
                yield one
            finally:
                for browser in one._browsers:
                    await browser.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of our own for 127.0.0.1, and its key."""
    files = folder / "tls.pem", folder / "tls.key"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return files


def write_tone(path: Path, hertz: float, seconds: float = 20.0, rate: int = 48000) -> None:
    """A WAV file as Chromium wants it; it is played over and over."""
    pcm = tones.make(hertz, seconds, 10000, rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.tobytes())


def add_user(centre: Centre, name: str) -> None:
    assert centre.data
    with closing(open_people(centre.data)) as people:
        people.add("acme", name, GOOD, [Role.AGENT], time.time(), agent=name)


def api(base: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=f"{base}/api/v1", headers={"X-Centrala": "1"}, timeout=20)
    answer = client.post("/session", json={"name": name, "password": GOOD})
    assert answer.status_code == 200, answer.text
    return client
