"""Calls to a centre as the world makes them: foreign callers through trunks, foreign phones of agents, real sound.

Each party says a tone of its own; who heard whom is found by frequency, in the phones and in the recording.
"""

import re
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import Baresip, Centre, Line, Sipp, dominant, level, ports, share_of
from bench.tones import Samples, seconds_of

pytestmark = pytest.mark.peer

SALES = "+48221234567"
PASSWORDS = {"alice": "correct horse", "boris": "battery staple"}
CALLER, ALICE, BORIS, EXPERT, FIXED = 440, 700, 900, 1100, 1300


def config(
    *, carrier: int = 5070, expert: int = 9, fixed: int | None = None, queue: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The example centre, cut down: one queue whose best agent is alice, then boris (then clara's fixed phone)."""
    agents: dict[str, Any] = {
        "alice": {
            "name": "Alice",
            "sip_password": PASSWORDS["alice"],
            "skills": {"sales": 9},
            "ready_on_register": True,
        },
        "boris": {
            "name": "Boris",
            "sip_password": PASSWORDS["boris"],
            "skills": {"sales": 5},
            "ready_on_register": True,
        },
    }
    if fixed is not None:
        agents["clara"] = {
            "name": "Clara",
            "phone": f"sip:clara@127.0.0.1:{fixed}",
            "always_ready": True,
            "skills": {"sales": 1},
        }
    sales = {
        "needs": {"sales": 1},
        "strategy": "most_skilled",
        "ring_timeout": "10s",
        "wrap_up": "1s",
        "max_wait": "2m",
        "record": True,
        **(queue or {}),
    }
    return {
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "timezone": "Europe/Warsaw",
                "trunks": {
                    "carrier": {"address": f"127.0.0.1:{carrier}", "outbound": True},
                    "office": {"network": "127.0.5.0/24"},
                },
                "agents": agents,
                "queues": {"sales": sales},
                "numbers": {
                    SALES: {"queue": "sales"},
                    "201": {"agent": "alice"},
                    "300": {"phone": f"sip:expert@127.0.0.1:{expert}", "record": True},
                    "400": {"music": "default"},
                },
            }
        }
    }


def agent(
    centre: Centre, user: str, hertz: float, *, answer: str = "auto", transport: str = "udp", **more: Any
) -> Baresip:
    return Baresip(
        user,
        centre.sip,
        "acme.example",
        PASSWORDS[user],
        hertz=hertz,
        answer=answer,
        transport=transport,
        **more,
    )


@contextmanager
def caller(
    centre: Centre, number: str, scenario: str = "uac_call", *, hertz: float = CALLER, **settings: str | int
) -> Iterator[tuple[Sipp, Line]]:
    """Somebody who calls through the office trunk, from an address of their own, with a voice and an ear."""
    address = ports.loopback()
    with (
        Line(hertz=hertz, address=address) as line,
        Sipp(scenario, centre.sip, number, dict(settings), local_ip=address, line=line) as sipp,
    ):
        yield sipp, line


def recording(centre: Centre, record: dict[str, Any]) -> tuple[Samples, Samples]:
    """What the recording of this contact holds: the caller's channel and the other's."""
    assert record["recording"], record
    assert centre.data
    path = centre.data / Path(record["recording"])
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 8000, 2)
        both = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2) / 32768
    return both[:, 0], both[:, 1]


def talked(phone: Baresip, after: int = 0) -> float:
    """Seconds from the phone's answer to its end of the call: the oracle for talk_s."""
    return (
        phone.wait_closed(after=after).at
        - phone.wait_event("CALL_ESTABLISHED", "CALL_CLOSED", after=after).at
    )


def only(records: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(records) == 1, records
    return records[0]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_caller_reaches_the_queue_and_hangs_up(transport: str) -> None:
    carrier = ports.free_sip()
    with (
        Centre(config(carrier=carrier)) as centre,
        agent(centre, "alice", ALICE, transport=transport) as alice,
        Line(hertz=CALLER) as line,
    ):
        alice.wait_registered()
        # From exactly the carrier's address and port.
        with Sipp("uac_call", centre.sip, SALES, {"talk_ms": 5000}, local_port=carrier, line=line) as sipp:
            alice.wait_established()
            sipp.wait()
            talk = talked(alice)
        record = only(centre.wait_contacts(1))

        assert seconds_of(CALLER, alice.heard()) > talk - 1.0
        assert share_of(CALLER, alice.heard(last=1.0)) > 0.9
        assert share_of(ALICE, line.heard()[-8000:]) > 0.9
        assert seconds_of(ALICE, line.heard()) > talk - 1.0
        assert seconds_of(CALLER, line.heard()) == 0.0  # no echo of oneself

        assert record["outcome"] == "answered"
        assert record["agent"] == "alice"
        assert record["queue"] == "sales"
        assert record["talk_s"] == pytest.approx(talk, abs=0.5)
        theirs, ours = recording(centre, record)
        assert len(theirs) / 8000 == pytest.approx(talk, abs=0.5)
        assert seconds_of(CALLER, theirs) > talk - 1.0
        assert seconds_of(ALICE, ours) > talk - 1.0
        assert seconds_of(ALICE, theirs) == 0.0
        assert seconds_of(CALLER, ours) == 0.0


def test_the_agent_hangs_up() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            alice.wait_established()
            alice.wait_heard(2.0)
            line.wait_heard(2.0)
            alice.hangup()
            sipp.wait()
            talk = talked(alice)
        record = only(centre.wait_contacts(1))
        assert record["outcome"] == "answered"
        assert record["agent"] == "alice"
        assert record["talk_s"] == pytest.approx(talk, abs=0.5)


def test_a_fixed_phone_that_never_registers_serves_the_queue() -> None:
    port = ports.free_sip()
    with (
        Line(hertz=FIXED) as desk,
        Sipp("uas_answer", local_port=port, line=desk, settings={"ring_ms": 200}) as phone,
        Centre(config(fixed=port)) as centre,
        caller(centre, SALES, talk_ms=4000) as (sipp, line),
    ):
        sipp.wait()
        phone.wait()
        assert seconds_of(FIXED, line.heard()) > 2.0
        assert seconds_of(CALLER, desk.heard()) > 2.0
        assert only(centre.wait_contacts(1))["agent"] == "clara"


@pytest.mark.parametrize(("wait_ms", "outcome"), [(1500, "short_abandoned"), (4500, "abandoned")])
def test_a_caller_gives_up_while_nobody_is_ready(wait_ms: int, outcome: str) -> None:
    with (
        Centre(config(queue={"short_abandon": "3s"})) as centre,
        caller(centre, SALES, "uac_hangup_while_waiting", wait_ms=wait_ms) as (sipp, line),
    ):
        sipp.wait()
        heard = line.heard()
        assert len(heard) / 8000 > wait_ms / 1000 - 0.7, "the wire was quiet"
        assert level(heard[-4000:]) > 0.005, "the caller waits in silence"
        assert share_of(CALLER, heard) < 0.5
        record = only(centre.wait_contacts(1))
        assert record["outcome"] == outcome
        assert not record["agent"]
        assert record["wait_s"] == pytest.approx(wait_ms / 1000, abs=0.7)
        assert not record["talk_s"]


def test_an_agent_who_does_not_answer_is_passed_over() -> None:
    with (
        Centre(config(queue={"ring_timeout": "2s"})) as centre,
        agent(centre, "alice", ALICE, answer="manual") as alice,
        agent(centre, "boris", BORIS) as boris,
    ):
        alice.wait_registered()
        boris.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            rang = alice.wait_incoming()
            stopped = alice.wait_closed()
            assert 1.5 < stopped.at - rang.at < 6
            assert boris.wait_established().at >= stopped.at - 0.5
            boris.wait_heard(1.0)
            line.wait_heard(1.0)
            assert share_of(BORIS, line.heard(last=0.8)) > 0.9
            boris.hangup()
            sipp.wait()
        assert alice.count("CALL_ESTABLISHED") == 0
        record = only(centre.wait_contacts(1))
        assert record["agent"] == "boris"
        assert record["outcome"] == "answered"


@pytest.mark.parametrize("refusal", ["uas_busy", "uas_decline"])
def test_an_agent_who_refuses_is_passed_over(refusal: str) -> None:
    port = ports.free_sip()
    with Centre(config()) as centre, agent(centre, "boris", BORIS) as boris:
        boris.wait_registered()
        with Sipp(
            "register", centre.sip, "alice", local_port=port, user="alice", password=PASSWORDS["alice"]
        ) as registering:
            registering.wait()
        with (
            Sipp(refusal, local_port=port) as alice,
            caller(centre, SALES, "uac_wait_for_bye") as (sipp, line),
        ):
            alice.wait()
            boris.wait_established()
            boris.wait_heard(1.0)
            line.wait_heard(1.0)
            boris.hangup()
            sipp.wait()
        record = only(centre.wait_contacts(1))
        assert record["agent"] == "boris"
        assert record["outcome"] == "answered"


def test_two_callers_are_served_in_the_order_of_their_arrival() -> None:
    with Centre(config()) as centre, ExitStack() as callers:
        first, _ = callers.enter_context(caller(centre, SALES, "uac_wait_for_bye", hertz=440))
        first.wait_for("SIP/2.0", sent=False)
        time.sleep(0.5)
        second, _ = callers.enter_context(caller(centre, SALES, "uac_wait_for_bye", hertz=600))
        second.wait_for("SIP/2.0", sent=False)
        time.sleep(0.5)
        # sipp wants an answer before a BYE: both wait, with music, until somebody comes.
        with agent(centre, "boris", BORIS) as boris:
            boris.wait_registered()
            heard, after = [], 0
            for _ in range(2):
                boris.wait_established(timeout=20, after=after)
                boris.wait_heard(len(boris.heard()) / 8000 + 1.5)
                heard.append(dominant(boris.heard(last=1.0)))
                boris.hangup()
                after = boris.events.index(boris.wait_closed(after=after)) + 1
            first.wait()
            second.wait()
        assert heard == [pytest.approx(440, abs=5), pytest.approx(600, abs=5)]
        records = centre.wait_contacts(2)
        assert [one["outcome"] for one in records] == ["answered", "answered"]
        assert records[0]["wait_s"] > 0.5
        assert records[1]["wait_s"] > records[0]["wait_s"] + 0.5  # she also sat through the first one's talk


def test_a_number_that_nobody_has_is_404() -> None:
    with Centre(config()) as centre, caller(centre, "999", "uac_rejected", status=404) as (sipp, _):
        sipp.wait()


def test_a_stranger_is_403_whatever_they_dial() -> None:
    with Centre(config()) as centre:
        for number in (SALES, "201", "999"):
            # 127.0.0.1, but not the carrier's port.
            with Sipp("uac_rejected", centre.sip, number, {"status": 403}) as sipp:
                sipp.wait()
        assert centre.running()


@pytest.mark.parametrize(("user", "password"), [("alice", "wrong"), ("nobody", "correct horse")])
def test_a_wrong_password_is_401_and_a_stranger_learns_nothing_of_users(user: str, password: str) -> None:
    with (
        Centre(config()) as centre,
        Sipp("register", centre.sip, user, {"status": 401}, user=user, password=password) as sipp,
    ):
        sipp.wait()


def test_a_direct_number_reaches_its_agent() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, "201", talk_ms=3000) as (sipp, line):
            alice.wait_established()
            sipp.wait()
        assert seconds_of(CALLER, alice.heard()) > 1.5
        assert seconds_of(ALICE, line.heard()) > 1.5
        record = only(centre.wait_contacts(1))
        assert record["agent"] == "alice"
        assert record["outcome"] == "answered"


def test_a_number_reaches_a_phone_outside_and_is_recorded() -> None:
    port = ports.free_sip()
    with (
        Line(hertz=EXPERT) as desk,
        Sipp(
            "uas_answer_hangup", local_port=port, line=desk, settings={"ring_ms": 300, "talk_ms": 3000}
        ) as phone,
        Centre(config(expert=port)) as centre,
        caller(centre, "300", "uac_wait_for_bye") as (sipp, line),
    ):
        phone.wait()
        sipp.wait()
        assert seconds_of(EXPERT, line.heard()) > 2.0
        assert seconds_of(CALLER, desk.heard()) > 2.0
        invited = phone.find("INVITE", sent=False)
        assert invited
        assert re.match(r"INVITE sip:expert@127\.0\.0\.1", invited.first_line)
        record = only(centre.wait_contacts(1))
        assert record["outcome"] == "answered"
        assert record["talk_s"] == pytest.approx(3.0, abs=0.5)
        theirs, ours = recording(centre, record)
        assert seconds_of(CALLER, theirs) > 2.0
        assert seconds_of(EXPERT, ours) > 2.0


def test_a_number_that_plays_music() -> None:
    with Centre(config()) as centre, caller(centre, "400", talk_ms=3000) as (sipp, line):
        sipp.wait()
        heard = line.heard()
        assert len(heard) / 8000 == pytest.approx(3.0, abs=0.5)
        pieces = [heard[i : i + 4000] for i in range(4000, len(heard) - 4000, 4000)]
        assert all(level(piece) > 0.005 for piece in pieces)
        assert only(centre.wait_contacts(1))["outcome"] == "answered"
