"""Errands with real counterparts: an HTTP server that does everything wrong, an SMTP server that goes and comes, job
processes that are killed, tables that are replaced while callers ask."""

import asyncio
import gzip
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from bench.errands import WITHIN, Asked, Reply, Server, bench, says

from centrala.core.facts import ErrandDone
from centrala.errands import http as http_module
from centrala.errands import mail as mail_module
from centrala.testing.ports import free

pytestmark = pytest.mark.peer


def free_port() -> int:
    return free("127.0.0.1", kind=socket.SOCK_STREAM)


async def hangs(asked: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drips(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(1.0)


async def breaks_off(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    writer.close()


async def says_nothing(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def talks_rubbish(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(os.urandom(500) + b"\r\n\r\n")
    writer.close()


async def says_too_much(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    for _ in range(160):  # 10 MB
        writer.write(chunk)
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def has_endless_headers(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        writer.write(f"X-{number}: {'y' * 100}\r\n".encode())
        await writer.drain()


def moved(where: str, status: str = "302 Found") -> Reply:
    return says("", status, f"Location: {where}")


def test_an_answer_s_values_are_taken_and_what_a_caller_said_stays_a_value(tmp_path: Path) -> None:
    document = {
        "order": {"state": "sent", "lines": [{"price": 12.5}, 3], "a/b": True, "none": None},
        "long": "x" * 10_000,
        "big": 12345678901234567890,
        "mark": "\x00secret:pin\x00",
        "bad": "\ud800",
    }

    async def scene() -> None:
        async with Server() as server, bench(tmp_path, f'http: {{allow: ["127.0.0.1:{server.port}"]}}') as at:
            server.replies["/orders"] = says(json.dumps(document))
            done = await at.http(
                f"{server.url}/orders?no=a%26b",
                take={
                    "state": "/order/state",
                    "price": "/order/lines/0/price",
                    "slash": "/order/a~1b",
                    "list": "/order/lines",
                    "gone": "/order/none/x",
                    "long": "/long",
                    "big": "/big",
                    "mark": "/mark",
                    "bad": "/bad",
                },
                into="answer",
                arguments={"header.X-Tenant": "Łódź"},
            )
            assert (done.exit, done.problem) == ("next", "")
            assert {name: one.value for name, one in done.values.items()} == {
                "answer.status": 200,
                "state": "sent",
                "price": 12.5,
                "slash": True,
                "list": None,
                "gone": None,
                "long": "x" * 4096,
                "big": "12345678901234567890",
                "mark": "secret:pin",
                "bad": "?",
            }
            (asked,) = server.asked
            assert (asked.method, asked.path) == ("GET", "/orders?no=a%26b")
            assert asked.headers["accept-encoding"] == "identity"
            assert asked.headers["host"] == f"127.0.0.1:{server.port}"
            assert asked.headers["x-tenant"].encode("latin-1").decode() == "Łódź"

    asyncio.run(scene())


def test_secret_digits_are_put_in_just_before_sending(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mark = "\x00secret:pin\x00"

    async def scene() -> None:
        async with Server() as server:
            allow = f'http: {{allow: ["127.0.0.1:{server.port}"], secrets: {{crm: "key 1"}}}}'
            async with bench(tmp_path, allow) as at:
                server.replies["/"] = says("{}")
                at.secrets["pin"] = '12"3&4'
                json_body = {"content_type": "application/json"}
                form = {"content_type": "application/x-www-form-urlencoded"}
                for body, settings in (
                    (f'{{"pin": "{mark}"}}', json_body),
                    ('{"pin": "\\u0000secret:pin\\u0000"}', json_body),
                    ('{"pin": "\\u0000secret:pin\\u0000"}', {}),
                    ("pin=%00secret%3Apin%00&x=1", form),
                    (f"pin {mark}", {"content_type": "text/plain"}),
                ):
                    arguments = {
                        "body": body,
                        "header.X-Pin": mark,
                        "header.Authorization": "Bearer secret:crm",
                    }
                    url = f"{server.url}/?pin=%00secret%3Apin%00"
                    done = await at.http(url, "POST", settings=settings, arguments=arguments)
                    assert done.exit == "next"
                bodies = [one.body.decode() for one in server.asked]
                assert [json.loads(one) for one in bodies[:3]] == [{"pin": '12"3&4'}] * 3
                assert bodies[3:] == ["pin=12%223%264&x=1", 'pin 12"3&4']
                assert set(server.paths) == {"/?pin=12%223%264"}
                assert {one.headers["x-pin"] for one in server.asked} == {'12"3&4'}
                assert {one.headers["authorization"] for one in server.asked} == {"Bearer key 1"}
                at.secrets.clear()  # a restart lost them
                done = await at.http(f"{server.url}/{mark}")
                assert (done.exit, done.problem) == ("failed", "NO_SECRET")
                done = await at.http(f"{server.url}/", arguments={"header.X": "secret:other"})
                assert (done.exit, done.problem) == ("failed", "REFUSED")
                assert len(server.asked) == 5

    with caplog.at_level("DEBUG"):
        asyncio.run(scene())
    assert not any(one in caplog.text for one in ('12"3', "12%22", "key 1"))


BAD = {
    "/drips": (drips, "TIMEOUT"),
    "/hangs": (hangs, "TIMEOUT"),
    "/breaks": (breaks_off, "BROKEN"),
    "/nothing": (says_nothing, "BROKEN"),
    "/rubbish": (talks_rubbish, "BROKEN"),
    "/headers": (has_endless_headers, "BROKEN"),
    "/much": (says_too_much, "TOO_LONG"),
    "/html": (says("<html>"), "NONSENSE"),
    "/nan": (says('{"a": NaN}'), "NONSENSE"),
    "/deep": (says("[" * 200_000), "NONSENSE"),
    "/digits": (says("1" * 20_000), "NONSENSE"),
    "/latin": (says('{"a": "ł"}'.encode("iso8859-2")), "NONSENSE"),
    "/bomb": (says(gzip.compress(b" " * 10_000_000), "200 OK", "Content-Encoding: gzip"), "NONSENSE"),
    "/empty": (says(""), "NONSENSE"),
    "/500": (says("{}", "500 Oh"), "STATUS_500"),
    "/404": (says("{}", "404 No"), "STATUS_404"),
    "/there": (moved("/there"), "REDIRECTED"),
    "/away": (moved("http://127.0.0.1:1/"), "REDIRECTED"),
    "/file": (moved("file:///etc/passwd"), "REDIRECTED"),
    "/strange": (moved("http://x:port/"), "NONSENSE"),
}


def test_every_way_to_answer_badly_is_a_failure_in_time(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Server() as server, bench(tmp_path, f'http: {{allow: ["127.0.0.1:{server.port}"]}}') as at:
            server.replies = {path: reply for path, (reply, _) in BAD.items()}
            server.replies["/good"] = says('{"a": 1}')
            began = time.monotonic()
            done = await asyncio.gather(
                *(at.http(f"{server.url}{path}", take={"a": "/a"}, timeout=4.0) for path in BAD)
            )
            assert {path: one.problem for path, one in zip(BAD, done, strict=True)} == {
                path: problem for path, (_, problem) in BAD.items()
            }
            assert {(one.exit, len(one.values)) for one in done} == {("failed", 0)}
            assert time.monotonic() - began < 15
            good = await at.http(f"{server.url}/good", take={"a": "/a"})
            assert good.values["a"].value == 1
            assert server.asked[-1].path == "/good"

    asyncio.run(scene())


def test_redirects_stay_where_they_are_and_post_nothing_twice(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Server() as server, bench(tmp_path, f'http: {{allow: ["127.0.0.1:{server.port}"]}}') as at:
            server.replies = {
                "/a": moved("/b"),
                "/b": moved(f"{server.url}/c", "308 Permanent Redirect"),
                "/c": moved("d?x=1", "307 Temporary Redirect"),
                "/d": says('{"a": 1}'),
                "/post": moved("/d?x=2", "303 See Other"),
                "/put": moved("/d?x=3", "307 Temporary Redirect"),
            }
            assert (await at.http(f"{server.url}/a", take={"a": "/a"})).exit == "next"
            assert server.paths == ["/a", "/b", "/c", "/d?x=1"]
            assert (await at.http(f"{server.url}/post", "POST", arguments={"body": "{}"})).exit == "next"
            assert (await at.http(f"{server.url}/put", "PUT", arguments={"body": "{}"})).exit == "next"
            assert [(one.method, one.path, one.body) for one in server.asked[4:]] == [
                ("POST", "/post", b"{}"),
                ("GET", "/d?x=2", b""),
                ("PUT", "/put", b"{}"),
                ("PUT", "/d?x=3", b"{}"),
            ]

    asyncio.run(scene())


def test_nothing_inside_is_reached_unless_it_is_listed(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Server() as server, bench(tmp_path) as at:
            server.replies["/"] = says("{}")
            port = server.port
            urls = [
                f"http://127.0.0.1:{port}/",
                f"http://localhost:{port}/",
                f"http://2130706433:{port}/",
                f"http://0x7f.1:{port}/",
                f"http://0.0.0.0:{port}/",
                f"http://[::ffff:127.0.0.1]:{port}/",
                f"http://[::1]:{port}/",
            ]
            for url in urls:
                done = await at.http(url)
                assert (done.exit, done.problem) == ("failed", "FORBIDDEN"), url
            for url in (
                "ftp://127.0.0.1/",
                f"http://a:b@127.0.0.1:{port}/",
                "http://",
                "x",
                "",
                "http://x\r\n/",
            ):
                done = await at.http(url)
                assert (done.exit, done.problem) == ("failed", "REFUSED"), url
            done = await at.http("http://name.invalid/")
            assert done.problem in ("NO_ADDRESS", "TIMEOUT")  # a machine without a name server
            assert not server.asked
            assert server.open == 0
            at.settle(f'http: {{allow: ["localhost:{port}"]}}')
            assert (await at.http(f"http://localhost:{port}/")).exit == "next"
            assert (await at.http(f"http://127.0.0.1:{port}/")).problem == "FORBIDDEN"
            at.settle("http: {allow: [10.0.0.0/8]}")  # the connection that is open is no way round
            assert (await at.http(f"http://localhost:{port}/")).problem == "FORBIDDEN"
            at.settle("http: {allow: [127.0.0.0/8]}")
            assert (await at.http(f"http://127.0.0.1:{port}/")).exit == "next"
            done = await at.http(f"http://127.0.0.1:{free('127.0.0.1', kind=socket.SOCK_STREAM)}/")
            assert done.problem == "UNREACHABLE"

    asyncio.run(scene())


def test_a_name_that_changes_its_address_gains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the name is looked up once, and that address is connected to."""
    told = ["127.0.0.2"]

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        address = told.pop(0) if told else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async def scene() -> None:
        async with Server() as server, bench(tmp_path, "http: {allow: [127.0.0.2/32]}") as at:
            server.replies["/"] = says("{}")
            monkeypatch.setattr(socket, "getaddrinfo", resolve)
            assert (await at.http(f"http://name.example:{server.port}/")).problem == "UNREACHABLE"
            assert not told
            assert (await at.http(f"http://other.example:{server.port}/")).problem == "FORBIDDEN"
            assert not server.asked

    asyncio.run(scene())


@pytest.mark.parametrize(
    "header", ["Host", "Content-Length", "Transfer-Encoding", "X Y", "X:Y", "X\r\nY", ""]
)
def test_a_header_can_t_become_another_request(tmp_path: Path, header: str) -> None:
    async def scene() -> None:
        async with Server() as server, bench(tmp_path, f'http: {{allow: ["127.0.0.1:{server.port}"]}}') as at:
            server.replies["/"] = says("{}")
            for arguments in (
                {f"header.{header}": "1"},
                {"header.X": "1\r\nX-Evil: 1"},
                {"header.X": "1\x00"},
            ):
                done = await at.http(f"{server.url}/", arguments=arguments)
                assert (done.exit, done.problem) == ("failed", "REFUSED")
            assert not server.asked

    asyncio.run(scene())


def test_the_same_question_is_asked_once_while_its_answer_holds(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Server() as server, bench(tmp_path, f'http: {{allow: ["127.0.0.1:{server.port}"]}}') as at:
            count = Counter[str]()

            async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
                count[asked.path] += 1
                await asyncio.sleep(0.3)
                body = json.dumps({"n": count[asked.path], "two": 2})
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

            server.replies = {"/a": slow, "/fails": says("{}", "503 Busy")}
            url = f"{server.url}/a?x"
            done = await asyncio.gather(*(at.http(url, take={"n": "/n"}, cache=2.0) for _ in range(300)))
            assert {one.values["n"].value for one in done} == {1}
            assert count == {"/a?x": 1}
            other = await at.http(url, take={"m": "/two"}, cache=2.0)  # another question to the same answer
            assert other.values["m"].value == 2
            assert count == {"/a?x": 1}
            headers = {"header.Authorization": "other"}
            assert (await at.http(url, take={"n": "/n"}, cache=2.0, arguments=headers)).values["n"].value == 2
            assert (await at.http(url, take={"n": "/n"})).values[
                "n"
            ].value == 3  # without a cache asks each time
            await asyncio.sleep(2.1)
            assert (await at.http(url, take={"n": "/n"}, cache=2.0)).values["n"].value == 4
            for _ in range(2):  # a failure is not kept
                assert (await at.http(f"{server.url}/fails", cache=60.0)).problem == "STATUS_503"
            assert server.paths.count("/fails") == 2

    asyncio.run(scene())


def test_a_server_that_hangs_is_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, "ALONE_FOR", 2.0)

    async def scene() -> None:
        async with Server() as server, bench(tmp_path, "http: {allow: [127.0.0.0/8]}") as at:
            server.replies = {"/hangs": hangs, "/good": says("{}")}
            for _ in range(http_module.TIMEOUTS):
                assert (await at.http(f"{server.url}/hangs", timeout=0.2)).problem == "TIMEOUT"
            began = time.monotonic()
            done = await asyncio.gather(*(at.http(f"{server.url}/good", timeout=5.0) for _ in range(300)))
            assert {one.problem for one in done} == {"AWAY"}
            assert time.monotonic() - began < 2
            assert len(server.asked) == http_module.TIMEOUTS
            async with Server() as beside:  # others aren't left alone
                beside.replies["/good"] = says("{}")
                assert (await at.http(f"{beside.url}/good")).exit == "next"
            await asyncio.sleep(2.2)
            assert (await at.http(f"{server.url}/good")).exit == "next"
            done = await asyncio.gather(*(at.http(f"{server.url}/good") for _ in range(20)))
            assert {one.exit for one in done} == {"next"}

    asyncio.run(scene())


def test_a_hanging_server_leaves_room_for_another(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Server() as slow, Server() as quick, bench(tmp_path, "http: {allow: [127.0.0.1]}") as at:
            slow.replies, quick.replies = {"/": hangs}, {"/": says("{}")}
            waiting = [asyncio.create_task(at.http(f"{slow.url}/", timeout=3.0)) for _ in range(300)]
            await asyncio.sleep(0.5)
            began = time.monotonic()
            done = await asyncio.gather(*(at.http(f"{quick.url}/", timeout=5.0) for _ in range(50)))
            assert {one.exit for one in done} == {"next"}
            assert time.monotonic() - began < 2.5
            assert slow.open <= http_module.CONNECTIONS_EACH
            assert {one.problem for one in await asyncio.gather(*waiting)} <= {"TIMEOUT", "AWAY"}

    asyncio.run(scene())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", made, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


def server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def test_a_certificate_must_be_of_the_name_that_was_asked(
    tmp_path: Path,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(trusted: bool) -> list[str]:
        folder, allow = tmp_path / str(trusted), "http: {allow: [127.0.0.0/8, localhost]}"
        async with Server(server_context(certificate)) as server, bench(folder, allow) as at:
            server.replies["/"] = says("{}")
            urls = [f"https://localhost:{server.port}/", f"https://127.0.0.1:{server.port}/"]
            return [(await at.http(url)).problem for url in urls]

    (tmp_path / "True").mkdir()
    (tmp_path / "False").mkdir()
    assert asyncio.run(scene(False)) == ["UNREACHABLE", "UNREACHABLE"]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert asyncio.run(scene(True)) == ["", "UNREACHABLE"]
    assert caplog.text.count("its certificate is not accepted") == 3


# --- tables ---


def test_a_table_is_read_again_when_it_changes_and_answers_all_the_while(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("no,state,mark\n7,sent,\x01\n", "utf-8")
    tables = "tables: {orders: {file: orders.csv}, gone: {file: gone.csv}}"

    async def scene() -> None:
        async with bench(tmp_path, tables) as at:

            async def state(key: str = "7") -> tuple[str, Any]:
                done = await at.ask("table", {"table": "orders"}, arguments={"key": key}, into="order")
                assert done.exit in ("found", "unknown"), done.problem
                return done.exit, done.values["order.state"].value if done.values else None

            async def until(state_wanted: tuple[str, Any]) -> None:
                async with asyncio.timeout(WITHIN):
                    while await state() != state_wanted:
                        await asyncio.sleep(0.1)

            assert await state(" 7 ") == ("found", "sent")
            assert await state("8") == ("unknown", None)
            assert await state("") == ("unknown", None)
            gone = await at.ask("table", {"table": "gone"}, arguments={"key": "1"}, into="x")
            assert (gone.exit, gone.problem) == ("failed", "BROKEN_TABLE")
            (tmp_path / "gone.csv").write_text("a,b\n1,2\n")
            async with asyncio.timeout(WITHIN):
                while (
                    await at.ask("table", {"table": "gone"}, arguments={"key": "1"}, into="x")
                ).exit != "found":
                    await asyncio.sleep(0.1)
            file.write_text("no,state\n7,paid\n", "utf-8")
            await until(("found", "paid"))
            file.write_bytes(b"no,state\n7,\xff\xff\n")  # broken: the rows read before answer
            await asyncio.sleep(1.2)
            assert await state() == ("found", "paid")
            new = tmp_path / "new.csv"
            new.write_text("no,state\n" + "".join(f"{n},s{n}\n" for n in range(200_000)), "utf-8")
            asking = [asyncio.create_task(state()) for _ in range(20)]
            new.replace(file)
            assert {one[0] for one in await asyncio.gather(*asking)} == {"found"}
            await until(("found", "s7"))
            file.unlink()
            await asyncio.sleep(1.2)
            assert await state() == ("found", "s7")
            at.settle("tables: {orders: {file: orders.csv, key: state}}")  # read anew, and isn't there
            done = await at.ask("table", {"table": "orders"}, arguments={"key": "s7"}, into="order")
            assert done.problem == "BROKEN_TABLE"
            at.settle("")
            assert (await at.ask("table", {"table": "orders"}, arguments={"key": "7"})).problem == "NO_TABLE"

    asyncio.run(scene())


# --- mail ---


class Mailbox:
    """An SMTP server (aiosmtpd, in a thread of its own) that can refuse, and keeps what it took."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None, password: str = "") -> None:
        self.port = port
        self.context = context
        self.password = password
        self.taken: list[Envelope] = []
        self.refuse: dict[str, str] = {}
        self.refuse_data: list[str] = []
        self._controller: Controller | None = None

    async def handle_RCPT(
        self, server: Any, session: SmtpSession, envelope: Envelope, to: str, options: Any
    ) -> str:
        if to in self.refuse:
            return self.refuse[to]
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: SmtpSession, envelope: Envelope) -> str:
        if self.refuse_data:
            return self.refuse_data.pop(0)
        self.taken.append(envelope)
        return "250 OK"

    def _password(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=given.password == self.password.encode())

    def start(self) -> None:
        more: dict[str, Any] = {}
        if self.context is not None:
            more |= {"tls_context": self.context, "require_starttls": True}
        if self.password:
            more |= {"authenticator": self._password, "auth_required": True}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **more)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def until(self, count: int) -> None:
        async with asyncio.timeout(WITHIN):
            while len(self.taken) < count:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        assert len(self.taken) == count


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox(free_port())
    yield made
    made.stop()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_module, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(mail_module, "LONGEST_PAUSE", 0.4)
    monkeypatch.setattr(mail_module, "FIRST_WAIT", 0.2)


def mail(mailbox: Mailbox, security: str = "none", host: str = "127.0.0.1", more: str = "") -> str:
    sender = "flows@acme.example"
    return f"mail: {{host: {host}, port: {mailbox.port}, security: {security}, from: {sender}{more}}}"


def test_an_e_mail_with_a_message_arrives_as_it_was_said(tmp_path: Path, mailbox: Mailbox) -> None:
    folder = tmp_path / "recordings" / "acme"
    folder.mkdir(parents=True)
    sound = os.urandom(100_000)
    (folder / "m1.wav").write_bytes(sound)
    mailbox.start()

    async def scene() -> None:
        async with bench(tmp_path, mail(mailbox)) as at:
            arguments = {
                "to": "anna@example.pl; jan@example.pl",
                "subject": "Wiadomość od\r\nBcc: evil@example.pl",
                "body": "Zażółć\n.\ngęślą\n" + "x" * 3000,
                "attach": "recordings/acme/m1.wav",
            }
            done = await at.ask("mail", arguments=arguments)
            assert (done.exit, done.problem) == ("next", "")
            await mailbox.until(1)
            (envelope,) = mailbox.taken
            assert envelope.mail_from == "flows@acme.example"
            assert sorted(envelope.rcpt_tos) == ["anna@example.pl", "jan@example.pl"]
            read = message_from_bytes(envelope.content, policy=default)  # type: ignore[arg-type]
            assert read["subject"] == "Wiadomość od Bcc: evil@example.pl"
            assert read["bcc"] is None
            body = read.get_body()
            assert body is not None
            assert body.get_content().replace("\r\n", "\n") == arguments["body"] + "\n"
            (attached,) = read.iter_attachments()
            assert attached.get_content() == sound
            done = await at.ask("mail", arguments=arguments | {"attach": "recordings/../ledger.db"})
            assert (done.exit, done.problem) == ("next", "NO_ATTACHMENT")
            await mailbox.until(2)
            read = message_from_bytes(mailbox.taken[1].content, policy=default)  # type: ignore[arg-type]
            assert not list(read.iter_attachments())
            done = await at.ask("mail", arguments=arguments | {"to": "nobody"})
            assert (done.exit, done.problem) == ("failed", "BAD_ADDRESS")
            assert (await at.errands.outbox("acme")).waiting == 0

    asyncio.run(scene())


@pytest.mark.usefixtures("hurried")
def test_no_e_mail_is_lost_or_doubled_when_the_server_or_we_go_away(tmp_path: Path, mailbox: Mailbox) -> None:
    def arguments(number: int) -> dict[str, str]:
        return {"to": "anna@example.pl", "subject": f"number {number}", "body": "b"}

    async def before() -> None:
        async with bench(tmp_path, mail(mailbox)) as at:
            for number in range(5):
                assert (await at.ask("mail", name=f"c1:{number}", arguments=arguments(number))).exit == "next"
            await asyncio.sleep(0.5)
            assert (await at.errands.outbox("acme")).waiting == 5

    async def after() -> None:
        async with bench(tmp_path, mail(mailbox)) as at:
            # What was written down and may not have been done is told again.
            for number in range(7):
                assert (await at.ask("mail", name=f"c1:{number}", arguments=arguments(number))).exit == "next"
            await asyncio.sleep(0.5)
            mailbox.start()
            await mailbox.until(7)
            assert (await at.errands.outbox("acme")).waiting == 0
            assert (await at.ask("mail", name="c1:3", arguments=arguments(3))).exit == "next"
            await asyncio.sleep(0.5)

    asyncio.run(before())
    asyncio.run(after())
    subjects = [message_from_bytes(one.content, policy=default)["subject"] for one in mailbox.taken]  # type: ignore[arg-type]
    assert sorted(subjects) == [f"number {number}" for number in range(7)]


@pytest.mark.usefixtures("hurried")
def test_what_is_put_off_comes_again_and_what_is_refused_is_given_up(
    tmp_path: Path, mailbox: Mailbox
) -> None:
    mailbox.start()
    mailbox.refuse = {"later@example.pl": "451 4.7.1 Greylisted", "never@example.pl": "550 5.1.1 Nobody"}

    async def scene() -> None:
        async with bench(tmp_path, mail(mailbox)) as at:

            async def send(to: str) -> None:
                assert (
                    await at.ask("mail", arguments={"to": to, "subject": "s", "body": "b"})
                ).exit == "next"

            await send("good@example.pl, later@example.pl, never@example.pl")
            await mailbox.until(1)
            assert mailbox.taken[0].rcpt_tos == ["good@example.pl"]
            mailbox.refuse.pop("later@example.pl")
            await mailbox.until(2)
            assert mailbox.taken[1].rcpt_tos == ["later@example.pl"]
            await send("never@example.pl")
            mailbox.refuse_data = ["451 not now", "554 no"]
            await send("good@example.pl")
            async with asyncio.timeout(WITHIN):
                while (standing := await at.errands.outbox("acme")).waiting:
                    await asyncio.sleep(0.05)
            assert standing.failed == 2
            await send("good@example.pl")
            await mailbox.until(3)

    asyncio.run(scene())


@pytest.mark.usefixtures("hurried")
def test_a_password_goes_over_tls_alone_and_a_certificate_is_looked_at(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Mailbox(free_port(), server_context(certificate), "kept secret")
    box.start()
    settings = mail(box, "starttls", "localhost", ", user: acme, password: kept secret")
    arguments = {"to": "anna@example.pl", "subject": "s", "body": "b"}

    async def scene(arrives: bool) -> None:
        async with bench(tmp_path, settings) as at:
            assert (await at.ask("mail", name="c1:1", arguments=arguments)).exit == "next"
            if arrives:
                await box.until(1)
            else:
                await asyncio.sleep(1.0)
                assert not box.taken

    try:
        asyncio.run(scene(False))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        box.password = "another"
        asyncio.run(scene(False))
        box.password = "kept secret"
        asyncio.run(scene(True))
    finally:
        box.stop()


# --- Python ---

FUNCTIONS = """
import os, signal, sys, time

def greet(arguments):
    print("loud")
    print("louder", file=sys.stderr)
    return {"text": "Hello " + arguments["name"], "count": 3, "none": None, "pid": os.getpid()}

def slow(arguments):
    time.sleep(60)

def clock(arguments):
    return {"now": time.time()}

def dies(arguments):
    os.kill(os.getpid(), signal.SIGKILL)

def leaves(arguments):
    sys.exit(3)

def hungry(arguments):
    return {"size": len(bytearray(4 << 30))}

def raises(arguments):
    raise ValueError("+48600100200")

def nonsense(arguments):
    return {"a": object()}

def lists(arguments):
    return [1]

def names(arguments):
    return {"a b": 1}

def much(arguments):
    return {"a": "x" * 10_000_000}

def nothing(arguments):
    return None

def reads(arguments):
    return {"in": sys.stdin.read()}

def fd(arguments):
    os.write(1, b"{}\\n" * 10)
    return {"a": 1}
"""


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with entry points, as pip leaves one."""
    site = tmp_path / "site"
    info = site / "clinic-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "clinic_nodes.py").write_text(FUNCTIONS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clinic\nVersion: 1.0\n")
    names = [
        line.split("def ")[1].split("(")[0] for line in FUNCTIONS.splitlines() if line.startswith("def ")
    ]
    points = "".join(f"{name} = clinic_nodes:{name}\n" for name in names)
    (info / "entry_points.txt").write_text(f"[centrala.flow_nodes]\n{points}broken = clinic_nodes:gone\n")
    monkeypatch.setenv("PYTHONPATH", str(site))


def children() -> list[int]:
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(one) for one in found]


@pytest.mark.usefixtures("functions")
def test_a_function_s_worst_stays_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with bench(tmp_path) as at:

            async def ask(name: str, timeout: float = 20.0, **more: Any) -> ErrandDone:
                settings = {"entry_point": name}
                done: ErrandDone = await at.ask(
                    "python", settings, arguments={"name": "Anna"}, timeout=timeout, **more
                )
                return done

            done = await ask("greet", into="who")
            pid = done.values.pop("who.pid").value
            assert {one: value.value for one, value in done.values.items()} == {
                "who.text": "Hello Anna",
                "who.count": 3,
                "who.none": None,
            }
            assert (await ask("greet")).values["pid"].value == pid, "the process lives on"
            problems = {
                "raises": "RAISED",
                "leaves": "RAISED",
                "hungry": "TOO_BIG",
                "nonsense": "NONSENSE",
                "lists": "NONSENSE",
                "names": "NONSENSE",
                "much": "TOO_LONG",
                "gone": "NO_FUNCTION",
                "broken": "RAISED",
                "dies": "CRASHED",
            }
            for name, problem in problems.items():
                done = await ask(name)
                assert (done.exit, done.problem) == ("failed", problem), name
            assert (await ask("nothing")).exit == "next"
            times = [(await ask("clock", cache=1.0)).values["now"].value for _ in range(3)]
            assert len(set(times)) == 1
            await asyncio.sleep(1.1)
            assert (await ask("clock", cache=1.0)).values["now"].value != times[0]
            assert (await ask("clock")).values["now"].value != (await ask("clock")).values["now"].value
            assert (await ask("reads")).values["in"].value == ""
            assert (await ask("fd")).values["a"].value == 1
            began = time.monotonic()
            done = await ask("slow", 1.0)
            assert (done.exit, done.problem) == ("failed", "TIMEOUT")
            assert time.monotonic() - began < 10
            alive = await ask("greet")
            assert alive.exit == "next"
            os.kill(int(str(alive.values["pid"].value)), signal.SIGKILL)  # while it stands idle
            assert (await ask("greet")).exit in ("next", "failed")
            assert (await ask("greet")).exit == "next"
            done_all = await asyncio.gather(*(ask("greet") for _ in range(30)))
            assert {one.exit for one in done_all} == {"next"}
            assert len({one.values["pid"].value for one in done_all}) <= 2
            assert len(children()) <= 3
        assert not children()

    with caplog.at_level("DEBUG"):
        asyncio.run(scene())
    assert "48600100200" not in caplog.text
    assert "loud" not in caplog.text


@pytest.mark.usefixtures("functions")
def test_job_processes_end_with_whoever_started_them(tmp_path: Path) -> None:
    source = (
        "import asyncio, os, time\n"
        "from centrala.errands.python import Python\n"
        "from centrala.errands.order import Order\n"
        "async def main():\n"
        "    python = Python()\n"
        "    order = Order('t', 'c', 'c:1', {'entry_point': 'greet'}, {'name': 'x'}, {}, '', 20.0, 0.0)\n"
        "    print((await python(order)).values['pid'], flush=True)\n"
        "    asyncio.create_task(python(Order('t', 'c', 'c:2', {'entry_point': 'slow'}, {}, {}, '', 60.0, 0.0)))\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        job = int(parent.stdout.readline())
        time.sleep(0.5)
        assert Path(f"/proc/{job}").exists()
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{job}").exists() and Path(f"/proc/{job}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the job process outlives its parent"
        time.sleep(0.05)
