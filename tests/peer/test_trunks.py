"""Trunks: registering with carriers, fail-over, limits, signs of life, and a carrier that two tenants share."""

import re
import socket
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from bench import Centre, Line, Sipp, ports
from test_in_call import OUTSIDE, hears, patched, soon
from test_queue_call import ALICE, BORIS, CALLER, EXPERT, PASSWORDS, SALES, agent, caller, config, only
from test_transports import Phone, Wire

pytestmark = pytest.mark.peer


@dataclass(slots=True)
class Carrier:
    """A bare UDP carrier: answers each request by `answer`, or with silence where that gives ""."""

    status: str = "200 OK"
    extra: str = ""
    port: int = field(default_factory=ports.free_sip)
    seen: list[tuple[float, str]] = field(default_factory=list)
    _socket: socket.socket | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Carrier":
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._run, args=(self._socket,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._socket
        assert self._thread
        self._socket.close()
        self._thread.join(2)

    def _run(self, sock: socket.socket) -> None:
        sock.settimeout(0.2)
        while True:
            try:
                data, where = sock.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            text = data.decode()
            self.seen.append((time.monotonic(), text))
            if not self.status or text.startswith(("ACK", "SIP/2.0")):
                continue
            kept = re.findall(r"^(?:Via|From|Call-ID|CSeq)\s*:.*?\r\n", text, re.M)
            to = re.findall(r"^To\s*:(.*?)\r\n", text, re.M)[0]
            answer = f"SIP/2.0 {self.status}\r\n{''.join(kept)}To:{to};tag=c\r\n{self.extra}Content-Length: 0\r\n\r\n"
            sock.sendto(answer.encode(), where)

    def asked(self, method: str) -> list[float]:
        return [at for at, text in list(self.seen) if text.startswith(method)]


def trunks(**them: dict[str, Any]) -> dict[str, Any]:
    settings = config()
    settings["tenants"]["acme"]["trunks"] = {"office": {"network": "127.0.5.0/24"}, **them}
    return settings


def at(port: int, **more: Any) -> dict[str, Any]:
    return {"address": f"127.0.0.1:{port}", **more}


# --- registration ---


def test_we_register_with_a_carrier_which_then_calls_us() -> None:
    port = ports.free_sip()
    login = {"user": "48221234567", "password": "a b c", "domain": "carrier.example"}
    right = {"user": login["user"], "password": login["password"], "domain": login["domain"]}
    with (
        Sipp("uas_registrar", local_port=port, settings=right) as registrar,
        Centre(trunks(carrier=at(port, register=login))) as centre,
    ):
        registrar.wait()
        centre.wait_output("trunk acme/carrier: registered")
        asked = registrar.find("REGISTER", sent=False)
        assert asked
        assert asked.first_line == f"REGISTER sip:127.0.0.1:{port} SIP/2.0"
        assert "sip:48221234567@carrier.example" in (asked.header("To") or "")
        with agent(centre, "alice", ALICE) as alice:
            alice.wait_registered()
            # The carrier calls the number, or what we registered with the number in To.
            with (
                Line(hertz=CALLER) as line,
                Sipp("uac_wait_for_bye", centre.sip, SALES, local_port=port, line=line) as sipp,
            ):
                hears(line, ALICE)
                alice.hangup()
                sipp.wait()
        assert only(centre.wait_contacts(1))["outcome"] == "answered"


def test_a_carrier_that_calls_what_we_registered_and_names_the_number_in_to() -> None:
    port = ports.free_sip()
    settings = trunks(carrier=at(port, register={"user": "main", "password": "p"}))
    with Centre(settings) as centre:
        with Carrier(port=port):
            centre.wait_output("trunk acme/carrier: registered")
        with Line() as line, Wire("udp", centre.sip, ("127.0.0.1", port)) as wire:
            phone = Phone(wire, "+48501000111", line=line)
            phone.invite("main", to="400")
            phone.answered()
            phone.within("BYE")
            wire.until("SIP/2.0 200")
            assert only(centre.wait_contacts(1))["to"] == "400"


def test_a_registration_is_refreshed_before_it_runs_out() -> None:
    with Carrier(extra="Expires: 10\r\n") as carrier:
        # No Contact in the answer: the Expires counts.
        with Centre(trunks(carrier=at(carrier.port, register={"user": "u", "password": "p"}))):
            soon(lambda: len(carrier.asked("REGISTER")) >= 2, "never refreshed", timeout=12)
            first, second = carrier.asked("REGISTER")[:2]
            assert 3.0 < second - first < 9.5
        texts = [text for _, text in carrier.seen]
        assert len({re.findall(r"Call-ID: (.*)\r", text)[0] for text in texts[:2]}) == 1


def test_a_refused_registration_is_said_and_tried_again_later_and_later() -> None:
    quick = patched("import centrala.protocols.sip.trunks as t\nt.FIRST_RETRY = 1.0")
    with Carrier(status="403 Forbidden") as carrier:
        settings = trunks(carrier=at(carrier.port, register={"user": "u", "password": "secret-word"}))
        with Centre(settings, program=quick) as centre:
            centre.wait_output("ALARM trunk acme/carrier: registration failed with 403")
            soon(lambda: len(carrier.asked("REGISTER")) >= 4, "gave up", timeout=15)
            times = carrier.asked("REGISTER")
            gaps = [later - one for one, later in pairwise(times)]
            assert 0.9 < gaps[0] < 3
            assert gaps[0] < gaps[1] < gaps[2]
            assert not any("secret-word" in line for line in centre.output)
            carrier.status, carrier.extra = "200 OK", "Expires: 300\r\n"
            centre.wait_output("trunk acme/carrier: registered", timeout=20)


# --- calls out ---


@pytest.mark.parametrize("first", ["503", "silence", "nobody"])
def test_a_trunk_that_cannot_serve_a_call_is_passed_over(first: str) -> None:
    one, two = ports.free_sip(), ports.free_sip()
    settings = trunks(one=at(one, outbound=True), two=at(two, outbound=True))
    with (
        Line(hertz=EXPERT) as desk,
        Sipp("uas_answer_hangup", local_port=two, line=desk, settings={"talk_ms": 2000}) as second,
        Centre(settings) as centre,
        agent(centre, "alice", ALICE) as alice,
    ):
        alice.wait_registered()
        if first == "503":
            with Sipp("uas_status", local_port=one) as refusing:
                alice.dial(OUTSIDE)
                refusing.wait()
                alice.wait_established()
        elif first == "silence":
            with Carrier(status="", port=one) as silent:
                alice.dial(OUTSIDE)
                alice.wait_established()
                assert silent.asked("INVITE")
        else:
            alice.dial(OUTSIDE)
            alice.wait_established()
        hears(alice, EXPERT)
        hears(desk, ALICE)
        second.wait()
        alice.wait_closed()
        record = only(centre.wait_contacts(1))
    assert (record["outcome"], record["direction"], record["to"]) == ("answered", "outbound", OUTSIDE)


def test_a_trunk_with_a_host_name() -> None:
    port = ports.free_sip()
    with (
        Line(hertz=EXPERT) as desk,
        Sipp("uas_answer_hangup", local_port=port, line=desk, settings={"talk_ms": 1500}) as remote,
        Centre(trunks(one={"address": f"localhost:{port}", "outbound": True})) as centre,
        agent(centre, "alice", ALICE) as alice,
    ):
        alice.wait_registered()
        alice.dial(OUTSIDE)
        hears(alice, EXPERT)
        remote.wait()
        assert only(centre.wait_contacts(1))["outcome"] == "answered"


def test_a_busy_person_is_not_called_again_over_the_next_trunk() -> None:
    with Carrier(status="486 Busy Here") as one, Carrier() as two:
        settings = trunks(one=at(one.port, outbound=True), two=at(two.port, outbound=True))
        with Centre(settings) as centre, agent(centre, "alice", ALICE) as alice:
            alice.wait_registered()
            alice.dial(OUTSIDE)
            assert "486" in alice.wait_closed().param
            assert not two.asked("INVITE")


def test_all_trunks_fail_and_the_agent_hears_of_it() -> None:
    with Carrier(status="503 No") as one, Carrier(status="500 No") as two:
        settings = trunks(one=at(one.port, outbound=True), two=at(two.port, outbound=True))
        with Centre(settings) as centre, agent(centre, "alice", ALICE) as alice:
            alice.wait_registered()
            alice.dial(OUTSIDE)
            assert re.match(r"(4|5)\d\d", alice.wait_closed().param)
            assert len(one.asked("INVITE")) == len(two.asked("INVITE")) == 1
            assert only(centre.wait_contacts(1))["outcome"] == "failed"


# --- limits and signs of life ---


def test_a_trunk_takes_no_more_calls_than_allowed() -> None:
    settings = trunks()
    settings["tenants"]["acme"]["trunks"]["office"]["max_calls"] = 1
    with Centre(settings) as centre, caller(centre, "400", "uac_call", talk_ms=4000) as (first, line):
        line.wait_heard(0.5)
        with caller(centre, "400", "uac_rejected", status=503) as (second, _):
            second.wait()
            refused = second.find("SIP/2.0 503", sent=False)
            assert refused
            assert refused.header("Retry-After")
        first.wait()
        with caller(centre, "400", "uac_call", talk_ms=500) as (third, _):
            third.wait()


def test_a_trunk_that_is_down_is_noticed_and_passed_over_until_it_is_back() -> None:
    with Carrier() as one, Carrier(status="486 Busy Here") as two:
        settings = trunks(
            one=at(one.port, outbound=True, options_interval="1s"), two=at(two.port, outbound=True)
        )
        with Centre(settings) as centre, agent(centre, "alice", ALICE) as alice:
            alice.wait_registered()
            soon(lambda: len(one.asked("OPTIONS")) >= 3, "no OPTIONS")
            assert not any("ALARM" in line for line in centre.output)
            one.status = ""
            centre.wait_output("ALARM tenant acme: trunk one doesn't answer OPTIONS")
            alice.dial(OUTSIDE)
            alice.wait_closed()
            assert two.asked("INVITE")
            assert not one.asked("INVITE")
            one.status = "486 Busy Here"  # any answer is a sign of life
            mark = alice.mark()
            centre.wait_output("ALARM over, tenant acme: trunk one answers again")
            alice.dial(OUTSIDE)
            alice.wait_closed(after=mark)
            assert one.asked("INVITE")
            assert len(two.asked("INVITE")) == 1


# --- two tenants ---


def two_houses(carrier: int) -> dict[str, Any]:
    settings = config(carrier=carrier)
    acme = settings["tenants"]["acme"]
    other = {
        **acme,
        "domain": "other.example",
        "agents": {"zoe": {"sip_password": "zoe zoe", "skills": {"sales": 1}, "ready_on_register": True}},
        "trunks": {"carrier": {"address": f"127.0.0.1:{carrier}", "outbound": True}},
        "numbers": {"+48229999999": {"queue": "sales"}, "500": {"music": "default"}},
    }
    settings["tenants"]["other"] = other
    return settings


def test_a_carrier_that_two_tenants_share_is_told_apart_by_the_number() -> None:
    carrier = ports.free_sip()
    with Centre(two_houses(carrier)) as centre, agent(centre, "boris", BORIS) as boris:
        boris.wait_registered()
        with Line(hertz=CALLER) as line:
            settings = {"talk_ms": 1500}
            with Sipp("uac_call", centre.sip, SALES, settings, local_port=carrier, line=line) as sipp:
                hears(line, BORIS)
                sipp.wait()
        with Line(hertz=CALLER) as line:
            number = "+48229999999"
            with Sipp("uac_call", centre.sip, number, settings, local_port=carrier, line=line) as sipp:
                sipp.wait()  # waits with music: nobody of the other house is there
        records = centre.wait_contacts(2)
        assert [(one["tenant"], one["agent"], one["to"]) for one in records] == [
            ("acme", "boris", SALES),
            ("other", None, number),
        ]


def test_tenants_know_nothing_of_each_other() -> None:
    with Centre(two_houses(ports.free_sip())) as centre:
        # alice's name and password are worth nothing at the other house
        with Sipp(
            "register",
            centre.sip,
            "alice",
            {"status": 401, "domain": "other.example"},
            user="alice",
            password=PASSWORDS["alice"],
        ) as strange:
            strange.wait()
        with agent(centre, "alice", ALICE) as alice:
            alice.wait_registered()
            for inside in ("500", "zoe"):
                mark = alice.mark()
                alice.dial(f"sip:{inside}@other.example")
                closed = alice.wait_closed(after=mark)
                assert re.match("4", closed.param) or "404" in closed.param, closed.param
                assert alice.count("CALL_ESTABLISHED") == 0
        assert all(one["tenant"] == "acme" for one in centre.contacts())
