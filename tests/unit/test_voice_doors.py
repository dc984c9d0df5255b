"""Who comes in: trunks whose names move, bans that must not lock out who is at home, workers without ports."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from centrala.channels.voice import doors as module
from centrala.channels.voice.doors import FREE_TRIES, Doors
from centrala.channels.voice.pages import Pages
from centrala.channels.voice.registration import Registration
from centrala.channels.voice.sound import Sound
from centrala.core import facts as f
from centrala.protocols.sip.digest import DigestCredentials, Verdict
from centrala.protocols.sip.events import ContactBinding, RegisterReceived
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.message import parse
from centrala.settings import Settings
from centrala.settings import parse as parse_file

pytestmark = pytest.mark.unit

FILE = """
tenants:
  acme:
    domain: acme.example
    trunks:
      carrier: {address: "sip.carrier.example:5060", outbound: true}
    agents:
      alice: {sip_password: "correct horse", ready_on_register: true}
      boris: {sip_password: "battery staple", ready_on_register: true}
    queues:
      sales: {agents: [alice, boris]}
    numbers:
      "201": {agent: alice}
"""

LOCAL = ("127.0.0.1", 5060)
OFFICE, STRANGER = "192.0.2.10", "203.0.113.66"


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names lead to, at first nowhere: the network isn't up yet."""
    names: dict[str, list[str]] = {}
    monkeypatch.setattr(module, "addresses_of", lambda host: names.get(host, []))
    return names


def read(text: str) -> Settings:
    return parse_file(text, Path("centre.yaml"))


def test_a_carrier_whose_name_led_nowhere_at_the_start_is_found_later(dns: dict[str, list[str]]) -> None:
    doors = Doors(read(FILE))
    first, second = (Flow("udp", LOCAL, (host, 5060)) for host in ("198.51.100.1", "198.51.100.2"))
    assert not doors.trunks_at(first, None)
    dns["sip.carrier.example"] = ["198.51.100.1"]
    doors.look_up()
    assert [trunk.id for _, trunk in doors.trunks_at(first, None)] == ["carrier"]
    dns["sip.carrier.example"] = ["198.51.100.2"]  # it has moved
    doors.look_up()
    assert not doors.trunks_at(first, None)
    assert doors.trunks_at(second, None)
    dns.clear()  # the name server is away: what was known stays
    doors.look_up()
    assert doors.trunks_at(second, None)


def test_two_tenants_at_one_address_are_said_once(
    dns: dict[str, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    """Names that are different in the file and lead to the same place."""
    dns["sip.carrier.example"] = dns["sip.other.example"] = ["198.51.100.1"]
    other = FILE.replace("tenants:", "").replace("acme", "globex").replace("sip.carrier", "sip.other")
    doors = Doors(read(FILE + other))
    doors.look_up()
    warned = [record.getMessage() for record in caplog.records if "at one address" in record.getMessage()]
    assert len(warned) == 1
    assert "acme, globex" in warned[0]
    dns["sip.other.example"] = ["198.51.100.2"]
    caplog.clear()
    Doors(read(FILE + other))
    assert not caplog.records


@dataclass
class Answers:
    """In place of the SIP stack: what requests were told; a password is right if it says so."""

    told: list[str] = field(default_factory=list)

    def refuse(self, key: str, status: int, **_: Any) -> None:
        self.told.append(str(status))

    def challenge(self, key: str, realm: str, **_: Any) -> None:
        self.told.append("401")

    def accept_register(self, key: str, bindings: Any, **_: Any) -> None:
        self.told.append("200")

    def check_credentials(self, auth: Any, password: str, realm: str, now: float) -> Verdict:
        return Verdict.GOOD if auth.response == password else Verdict.WRONG


MESSAGE = parse(b"REGISTER sip:acme.example SIP/2.0\r\nContent-Length: 0\r\n\r\n")


def register(user: str, password: str, host: str, cseq: int) -> RegisterReceived:
    auth = DigestCredentials("REGISTER", user, "acme.example", "nonce", "sip:acme.example", password)
    return RegisterReceived(
        key="k",
        user=user,
        host="acme.example",
        contacts=(ContactBinding(f"sip:{user}@{host}:5062", 600, 1.0, "", 0),),
        everything=False,
        auth=auth,
        call_id=f"{user}@{host}",
        cseq=cseq,
        path=(),
        flow=Flow("udp", LOCAL, (host, 5062)),
        user_agent="",
        message=MESSAGE,
    )


def test_guessing_from_outside_does_not_lock_out_a_phone_that_is_registered() -> None:
    """Nor does guessing under the forged address of the office: its phones stay, others there have to wait."""
    stack, told = Answers(), list[f.Fact]()
    doors = Doors(read(FILE.replace("sip.carrier.example", "198.51.100.1")))
    registration = Registration(doors, stack, lambda tenant, fact: told.append(fact))  # type: ignore[arg-type]
    registration.received(register("alice", "correct horse", OFFICE, 1), 0.0)
    for number in range(FREE_TRIES + 2):
        registration.received(register("alice", "guess", STRANGER, number), 1.0)
        registration.received(register("boris", "guess", OFFICE, number), 1.0)
    assert stack.told[-2:] == ["403", "403"]
    registration.received(register("alice", "correct horse", STRANGER, 90), 2.0)
    assert stack.told[-1] == "403"
    registration.received(register("boris", "battery staple", OFFICE, 91), 2.0)
    assert stack.told[-1] == "403"
    registration.received(register("alice", "correct horse", OFFICE, 92), 2.0)
    assert stack.told[-1] == "200"
    assert [type(one) for one in told] == [f.PhoneRegistered, f.PhoneRegistered]


def test_who_has_left_or_has_another_password_must_register_anew() -> None:
    """Or whoever knew the old password would go on getting the calls."""
    told: list[f.Fact] = []
    before = read(FILE.replace("sip.carrier.example", "198.51.100.1"))
    doors = Doors(before)
    registration = Registration(doors, Answers(), lambda tenant, fact: told.append(fact))  # type: ignore[arg-type]
    registration.received(register("alice", "correct horse", OFFICE, 1), 0.0)
    registration.received(register("boris", "battery staple", OFFICE, 1), 0.0)
    after = read(FILE.replace("battery staple", "paper clip"))
    doors.use(after)
    registration.reconsider(before.tenants, 1.0)
    assert registration.bindings("acme", "alice", 1.0)
    assert not registration.bindings("acme", "boris", 1.0)
    assert told[-1] == f.PhoneUnregistered(1.0, "boris")
    doors.use(read("tenants: {acme: {domain: acme.example, agents: {carol: {}}}}"))
    registration.reconsider(after.tenants, 2.0)
    assert not registration.bindings("acme", "alice", 2.0)


@dataclass
class Worker:
    free_ports: int


def test_a_media_worker_without_ports_gets_no_call_while_another_has_some() -> None:
    workers = [Worker(3), Worker(0), Worker(3)]
    sound = Sound(workers, "127.0.0.1")  # type: ignore[arg-type]
    assert {sound.choose() for _ in range(6)} == {0, 2}
    for worker in workers:
        worker.free_ports = 0
    assert sound.choose() in {0, 1, 2}


@pytest.mark.parametrize(("degraded", "overloaded"), [(True, False), (False, True)])
def test_no_line_test_while_calls_are_turned_away(degraded: bool, overloaded: bool) -> None:
    answers: list[int] = []

    def refuse(key: str, status: int, **_: Any) -> None:
        answers.append(status)

    # Nothing else is there to be taken: no port, no worker, no leg.
    book: Any = SimpleNamespace(
        desk=SimpleNamespace(degraded=degraded),
        overloaded=lambda: overloaded,
        stack=SimpleNamespace(refuse=refuse),
    )
    Pages._echo(book, SimpleNamespace(key="k"), "acme", "alice", 0.0)  # type: ignore[arg-type]
    assert answers == [503]
