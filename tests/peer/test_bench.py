"""The bench proves itself: the foreign programs against each other, without Centrala."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import Baresip, Centre, Line, Sipp, SippFailed, dominant, level, ports, share_of, tone
from bench.baresip import PhoneFailed
from bench.centre import CentreFailed
from bench.tones import decode, encode

pytestmark = pytest.mark.peer


def raw_alaw(folder: Path, hertz: float, seconds: float = 5.0) -> Path:
    path = folder / "say.alaw"
    path.write_bytes(encode(tone(hertz, seconds)))
    return path


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_calls_sipp_and_both_count(transport: str) -> None:
    with (
        Sipp("uas_answer", transport=transport, calls=5, settings={"ring_ms": 50}) as called,
        Sipp(
            "uac_call",
            ("127.0.0.1", called.local_port),
            transport=transport,
            calls=5,
            settings={"talk_ms": 300},
        ) as caller,
    ):
        counted = caller.wait()
        called.wait()
        assert counted["SuccessfulCall"] == 5
        assert counted["FailedCall"] == 0
        ringing, answered = caller.find("SIP/2.0 180"), caller.find("SIP/2.0 200")
        assert ringing
        assert answered
        assert not ringing.sent
        # A second of play either way: the machine is shared.
        assert 0.03 < answered.at - ringing.at < 1.0
        assert called.find("BYE", sent=False)


def test_a_failed_call_is_told_with_its_story() -> None:
    with Sipp("uas_busy") as called, Sipp("uac_call", ("127.0.0.1", called.local_port)) as caller:
        with pytest.raises(SippFailed, match="486 Busy Here"):
            caller.wait()
        assert caller.exit_code == 1
        assert caller.statistics()["FailedCall"] == 1


def test_leaving_ends_what_was_started() -> None:
    with Sipp("uas_answer") as called, Baresip("otto") as phone:
        pids = [called.pid, phone.pid]
        assert all(os.path.exists(f"/proc/{pid}") for pid in pids)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        Sipp("uas_busy", settings={"ringms": 1}).start()


@pytest.mark.parametrize(
    ("scenario", "status", "settings"),
    [("uas_busy", "486", {}), ("uas_decline", "603", {"ring_ms": 100})],
)
def test_refusals(scenario: str, status: str, settings: dict[str, str | int]) -> None:
    with (
        Sipp(scenario, settings=settings) as called,
        Sipp("uac_rejected", ("127.0.0.1", called.local_port), settings={"status": status}) as caller,
    ):
        caller.wait()
        called.wait()


def test_a_caller_gives_up_while_it_rings() -> None:
    with (
        Sipp("uas_no_answer") as called,
        Sipp(
            "uac_hangup_while_waiting", ("127.0.0.1", called.local_port), settings={"wait_ms": 500}
        ) as caller,
    ):
        caller.wait()
        called.wait()
        assert called.find("CANCEL", sent=False)


def test_a_caller_gives_up_after_a_machine_answered() -> None:
    with (
        Sipp("uas_answer", settings={"ring_ms": 10}) as called,
        Sipp(
            "uac_hangup_while_waiting", ("127.0.0.1", called.local_port), settings={"wait_ms": 500}
        ) as caller,
    ):
        caller.wait()
        called.wait()
        assert called.find("BYE", sent=False)
        assert not called.find("CANCEL")


def test_the_called_side_hangs_up() -> None:
    with (
        Sipp("uas_answer_hangup", settings={"ring_ms": 10, "talk_ms": 300}) as called,
        Sipp("uac_wait_for_bye", ("127.0.0.1", called.local_port)) as caller,
    ):
        caller.wait()
        called.wait()
        assert called.find("BYE", sent=True)


def test_options_are_answered_by_a_phone() -> None:
    with Baresip("otto") as phone:
        there = {"target": f"otto@127.0.0.1:{phone.port}"}  # it says 404 to what does not name its user
        with Sipp("options", ("127.0.0.1", phone.port), settings=there) as asking:
            asking.wait()


@pytest.mark.parametrize(("password", "status"), [("correct horse", 200), ("wrong", 403)])
def test_sipp_registers_with_sipp(password: str, status: int) -> None:
    right: dict[str, str] = {"user": "alice", "password": "correct horse"}
    with (
        Sipp("uas_registrar", settings=right) as registrar,
        Sipp(
            "register",
            ("127.0.0.1", registrar.local_port),
            "alice",
            {"status": status},
            user="alice",
            password=password,
        ) as phone,
    ):
        phone.wait()
        registrar.wait()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_registers_with_sipp(transport: str) -> None:
    right: dict[str, str] = {"user": "alice", "password": "correct horse"}
    with (
        Sipp("uas_registrar", settings=right, transport=transport) as registrar,
        Baresip(
            "alice", ("127.0.0.1", registrar.local_port), "acme.example", "correct horse", transport=transport
        ) as phone,
    ):
        phone.wait_registered()
        registrar.wait()


def test_a_phone_gives_up_at_a_challenge_it_does_not_know() -> None:
    # A fact about baresip 1.0.0 that a registrar for such phones has to live with.
    with (
        Sipp("uas_registrar", settings={"algorithm": "SHA-256"}) as registrar,
        Baresip("alice", ("127.0.0.1", registrar.local_port), "acme.example", "secret") as phone,
    ):
        registrar.wait_for("SIP/2.0 401", sent=True)
        with pytest.raises(PhoneFailed, match="not registered"):
            phone.wait_registered(timeout=2)
        assert not any(message.header("Authorization") for message in registrar.messages())


def test_a_phone_with_a_wrong_password_says_so() -> None:
    with (
        Sipp("uas_registrar") as registrar,
        Baresip("alice", ("127.0.0.1", registrar.local_port), "acme.example", "wrong") as phone,
    ):
        registrar.wait()
        with pytest.raises(PhoneFailed, match="403"):
            phone.wait_registered(timeout=2)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_with_a_line_calls_a_phone_and_both_hear_the_tone(transport: str) -> None:
    with (
        Baresip("berta", hertz=700, transport=transport) as phone,
        Line(hertz=440) as line,
        Sipp(
            "uac_call",
            ("127.0.0.1", phone.port),
            "berta",
            {"talk_ms": 2500},
            transport=transport,
            line=line,
        ) as caller,
    ):
        phone.wait_established()
        caller.connect_line()
        phone.wait_heard(1.5)
        caller.wait()
        assert phone.wait_closed()
        assert dominant(phone.heard()) == pytest.approx(440, abs=5)
        assert share_of(440, phone.heard(last=1.0)) > 0.95
        assert dominant(line.heard()) == pytest.approx(700, abs=5)
        assert share_of(440, line.heard()) < 0.02


def test_callers_from_addresses_of_their_own_at_the_same_time() -> None:
    with Baresip("berta", hertz=700) as berta, Baresip("anna", hertz=900) as anna, ExitStack() as calls:
        pairs = []
        for phone, hertz in ((berta, 440), (anna, 520)):
            address = ports.loopback()
            line = calls.enter_context(Line(hertz=hertz, address=address))
            sipp = Sipp(
                "uac_wait_for_bye", ("127.0.0.1", phone.port), phone.user, local_ip=address, line=line
            )
            pairs.append((phone, line, calls.enter_context(sipp)))
        for phone, line, sipp in pairs:
            # The line is told nothing: it answers whoever sends to it first.
            phone.wait_heard(1.0)
            phone.hangup()
            sipp.wait()
            assert dominant(phone.heard()) == pytest.approx(line.hertz, abs=5)
            assert dominant(line.heard()) == pytest.approx(phone.hertz, abs=5)
            invite = sipp.find("INVITE", sent=True)
            assert invite
            assert line.address in (invite.header("Via") or "")


def test_sipp_plays_a_file_to_a_phone(tmp_path: Path) -> None:
    with (
        Baresip("berta") as phone,
        Sipp(
            "uac_call", ("127.0.0.1", phone.port), "berta", {"talk_ms": 2500}, audio=raw_alaw(tmp_path, 600)
        ) as caller,
    ):
        caller.wait()
        assert dominant(phone.heard()) == pytest.approx(600, abs=5)


def test_sipp_echoes_a_phone() -> None:
    with (
        Baresip("berta", hertz=520) as phone,
        Sipp("uac_call", ("127.0.0.1", phone.port), "berta", {"talk_ms": 2000}, echo=True) as caller,
    ):
        caller.wait()
        assert dominant(phone.heard()) == pytest.approx(520, abs=5)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_phone_calls_phone(transport: str) -> None:
    with (
        Baresip("anna", hertz=440, transport=transport) as anna,
        Baresip("berta", hertz=700, transport=transport, answer="manual") as berta,
    ):
        anna.dial(berta.uri)
        assert "anna" in berta.wait_incoming().body["peeruri"]
        assert anna.count("CALL_ESTABLISHED") == 0
        berta.accept()
        anna.wait_established()
        berta.wait_established()
        anna.wait_heard(1.0)
        berta.wait_heard(1.0)
        anna.hangup()
        berta.wait_closed()
        assert dominant(anna.heard()) == pytest.approx(700, abs=5)
        assert dominant(berta.heard()) == pytest.approx(440, abs=5)
        assert transport.upper() + " 127.0.0.1" in anna.log()


def test_a_phone_refuses() -> None:
    with Baresip("anna") as anna, Baresip("berta", answer="manual") as berta:
        anna.dial(berta.uri)
        berta.wait_incoming()
        berta.hangup()
        assert "486" in anna.wait_closed().param


def test_digits_both_ways() -> None:
    with (
        Baresip("berta") as phone,
        Line(hertz=None) as line,
        Sipp("uac_call", ("127.0.0.1", phone.port), "berta", {"talk_ms": 5000}, line=line) as caller,
    ):
        phone.wait_established()
        caller.connect_line()
        phone.wait_heard(0.3)
        line.send_digits("12#")
        phone.send_digits("907")
        until = time.monotonic() + 5
        while (phone.digits(), line.digits()) != ("12#", "907") and time.monotonic() < until:
            time.sleep(0.05)
        assert phone.digits() == "12#"
        assert line.digits() == "907"


def test_a_phone_holds_and_takes_back() -> None:
    with (
        Baresip("berta", hertz=700) as phone,
        Baresip("anna", hertz=440) as anna,
    ):
        anna.dial(phone.uri)
        anna.wait_established()
        phone.wait_heard(0.5)
        before = phone.mark()
        anna.hold()
        phone.wait_event("CALL_REMOTE_SDP", after=before, param="offer")
        assert "a=sendonly" in anna.log()
        anna.resume()
        time.sleep(0.3)
        anna.hangup()
        phone.wait_closed()


def test_sipp_holds_and_takes_back() -> None:
    with (
        Sipp("uas_answer_hold", settings={"ring_ms": 10, "talk_ms": 300, "hold_ms": 300}) as called,
        Baresip("anna") as anna,
    ):
        anna.dial(f"sip:x@127.0.0.1:{called.local_port}")
        anna.wait_established()
        until = time.monotonic() + 10
        while sum(m.first_line.startswith("ACK") for m in called.messages()) < 3 and time.monotonic() < until:
            time.sleep(0.05)
        anna.hangup()
        called.wait()


def test_sipp_transfers_a_phone_to_another() -> None:
    with (
        Baresip("clara", hertz=900) as clara,
        Baresip("anna") as anna,
        Sipp("uas_answer_refer", settings={"ring_ms": 10, "talk_ms": 300, "refer_to": clara.uri}) as agent,
    ):
        anna.dial(f"sip:x@127.0.0.1:{agent.local_port}")
        clara.wait_established()
        agent.wait()
        final = [m for m in agent.messages() if m.first_line.startswith("NOTIFY")][-1]
        assert "SIP/2.0 200" in final.body


def test_a_phone_transfers_a_phone_to_another() -> None:
    with Baresip("clara", hertz=900) as clara, Baresip("berta") as berta, Baresip("anna") as anna:
        anna.dial(berta.uri)
        anna.wait_established()
        berta.transfer(clara.uri)
        anna.wait_event("TRANSFER")
        clara.wait_established()
        berta.wait_closed()


def test_ten_phones_at_once() -> None:
    phones = [Baresip(f"p{i}", hertz=400 + 50 * i) for i in range(10)]
    try:
        for phone in phones:
            phone.start()
        for one, other in zip(phones[:5], phones[5:], strict=True):
            one.dial(other.uri)
        for one, other in zip(phones[:5], phones[5:], strict=True):
            one.wait_heard(1.0)
            other.wait_heard(1.0)
            assert dominant(one.heard()) == pytest.approx(other.hertz, abs=5)
            assert dominant(other.heard()) == pytest.approx(one.hertz, abs=5)
    finally:
        for phone in phones:
            phone.stop()


def test_a_phone_that_cannot_register_says_so() -> None:
    # Nobody listens there.
    with (
        Baresip("alice", ("127.0.0.1", ports.free_sip()), "acme.example", "secret") as phone,
        pytest.raises(PhoneFailed, match="not registered"),
    ):
        phone.wait_registered(timeout=2)


def test_tones_are_told_from_each_other_and_from_silence() -> None:
    assert dominant(tone(440, 1)) == pytest.approx(440, abs=2)
    assert share_of(440, tone(440, 1)) > 0.99
    assert share_of(700, tone(440, 1)) < 0.001
    assert dominant(np.zeros(8000)) == 0.0
    assert level(tone(440, 1, amplitude=0.5)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize(("payload_type", "effect"), [(8, "al"), (0, "ul")])
def test_the_benchs_own_g711_agrees_with_sox(payload_type: int, effect: str, tmp_path: Path) -> None:
    codes = bytes(range(256))
    raw = tmp_path / f"codes.{effect}"
    raw.write_bytes(codes)
    done = subprocess.run(
        ["sox", "-t", effect, "-r", "8000", "-c", "1", str(raw), "-t", "s16", "-"],
        capture_output=True,
        check=True,
    )
    assert np.array_equal(np.frombuffer(done.stdout, "<i2") / 32768, decode(codes, payload_type))
    again = decode(encode(decode(codes, payload_type), payload_type), payload_type)
    assert np.array_equal(again, decode(codes, payload_type))


STAND_IN = """
import json, pathlib, signal, sys, time
words = sys.argv[1:]
data = pathlib.Path(words[words.index("--data") + 1])
if words[0] == "contacts":
    print(json.dumps({"outcome": "answered", "starts": (data / "starts").read_text()}))
    sys.exit()
config = pathlib.Path(words[words.index("--config") + 1]).read_text()
if "broken" in config:
    sys.exit("centre.yaml:1: this is broken")
starts = data / "starts"
starts.write_text(starts.read_text() + "+" if starts.exists() else "+")
if "deaf" in config:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("some news first")
print("" if "slow" in config else "ready: " + config.split("udp:")[1].split()[0], flush=True)
time.sleep(60)
"""


def stand_in(folder: Path, config: str, **more: Any) -> Centre:
    program = folder / "stand_in.py"
    program.write_text(STAND_IN)
    return Centre(config, program=(sys.executable, str(program)), **more)


def test_a_centre_starts_dies_starts_again_and_stops(tmp_path: Path) -> None:
    with stand_in(tmp_path, "tenants: {}") as centre:
        assert centre.running()
        assert f"ready: 127.0.0.1:{centre.sip_port}" in centre.output
        assert centre.contacts() == [{"outcome": "answered", "starts": "+"}]
        first = centre.pid
        centre.kill9()
        assert not centre.running()
        centre.restart()
        assert centre.pid != first
        assert centre.wait_contacts(1)[0]["starts"] == "++"
        assert centre.stop() == 0
    assert not os.path.exists(f"/proc/{centre.pid}")


def test_a_centre_that_fails_to_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(CentreFailed, match=r"centre\.yaml:1: this is broken"):
        stand_in(tmp_path, "broken: true").__enter__()
    slow = stand_in(tmp_path, "slow: true", start_timeout=1.0)
    with pytest.raises(CentreFailed, match="still not ready"):
        slow.__enter__()
    assert not slow.running()


def test_a_centre_that_does_not_stop_is_ended_and_told(tmp_path: Path) -> None:
    with stand_in(tmp_path, "deaf: true") as centre:
        with pytest.raises(CentreFailed, match="did not end"):
            centre.stop(timeout=0.5)
        assert not centre.running()


def test_leaving_ends_the_media_worker_that_a_killed_centre_left(tmp_path: Path) -> None:
    with stand_in(tmp_path, "tenants: {}") as centre:
        left = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import time; time.sleep(60)",
                "centrala.media.worker",
                "--data",
                str(centre.data),
            ]
        )
        until = time.monotonic() + 5
        while centre.workers() != [left.pid] and time.monotonic() < until:
            time.sleep(0.05)
        assert centre.workers() == [left.pid]
        centre.kill9()
    assert left.wait(5) == -signal.SIGTERM


def test_ports_go_to_one_run_at_a_time_and_come_back() -> None:
    # Another process may have none of what this one holds, though nothing is bound there.
    mine = ports.block(40)
    ask = "from bench import ports; print(ports._lock({}, 1))"
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}

    def other_gets(port: int) -> str:
        words = [sys.executable, "-c", ask.format(port)]
        return subprocess.run(words, env=where, capture_output=True, text=True, check=True).stdout.strip()

    assert other_gets(mine) == other_gets(mine + 39) == "False"
    ports.give_back()
    assert other_gets(mine) == "True"
