"""The centre is killed in the middle of everything, and nobody notices but the process table."""

import os
import signal
import time
from contextlib import ExitStack

import pytest
from bench import Centre, level, ports, share_of
from test_queue_call import ALICE, BORIS, SALES, agent, caller, config, only, recording, seconds_of

pytestmark = pytest.mark.peer


def test_kill_9_of_the_application_with_a_conversation_and_callers_waiting() -> None:
    with Centre(config()) as centre, ExitStack() as people:
        alice = people.enter_context(agent(centre, "alice", ALICE))
        alice.wait_registered()
        talking, line = people.enter_context(caller(centre, SALES, "uac_call", talk_ms=14000, hertz=440))
        alice.wait_established()
        first, first_line = people.enter_context(caller(centre, SALES, "uac_wait_for_bye", hertz=500))
        first.wait_for("SIP/2.0 200", sent=False)
        time.sleep(0.5)
        second, second_line = people.enter_context(caller(centre, SALES, "uac_wait_for_bye", hertz=600))
        second.wait_for("SIP/2.0 200", sent=False)
        time.sleep(1.5)

        centre.kill9()
        time.sleep(3.0)
        # Dead: the conversation keeps its audio, both ways, and the music goes on.
        assert share_of(440, alice.heard(1.5)) > 0.5
        assert share_of(ALICE, line.heard(1.5)) > 0.5
        assert level(first_line.heard(1.5)) > 0.005
        assert level(second_line.heard(1.5)) > 0.005

        centre.start()
        time.sleep(1.0)
        assert share_of(440, alice.heard(0.8)) > 0.5
        assert level(second_line.heard(0.8)) > 0.005
        mark = alice.mark()
        talking.wait()
        # Alice is free after her wrap-up: the first who waited is served first, then the second.
        alice.wait_established(after=mark, timeout=20)
        time.sleep(2.0)
        assert share_of(500, alice.heard(1.0)) > 0.5
        assert share_of(ALICE, first_line.heard(1.0)) > 0.5
        mark = alice.mark()
        alice.hangup()
        first.wait()
        alice.wait_established(after=mark, timeout=20)
        time.sleep(2.0)
        assert share_of(600, alice.heard(1.0)) > 0.5
        alice.hangup()
        second.wait()
        records = centre.wait_contacts(3)
    assert [one["outcome"] for one in records] == ["answered"] * 3
    assert [one["agent"] for one in records] == ["alice"] * 3
    assert records[0]["arrived_at"] < records[1]["arrived_at"] < records[2]["arrived_at"]
    assert records[0]["talk_s"] == pytest.approx(14.0, abs=1.0)
    assert 8 < records[1]["wait_s"] < records[2]["wait_s"]


def test_a_recording_goes_on_while_the_application_is_dead() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_call", talk_ms=9000) as (sipp, _):
            alice.wait_established()
            time.sleep(1.0)
            centre.kill9()
            time.sleep(3.0)
            centre.start()
            sipp.wait()
        record = only(centre.wait_contacts(1))
        left, right = recording(centre, record)
    assert record["talk_s"] == pytest.approx(9.0, abs=1.0)
    assert len(left) / 8000 == pytest.approx(record["talk_s"], abs=0.7)
    assert seconds_of(440, left) > 8.0 - 0.7
    assert seconds_of(ALICE, right) > 8.0 - 0.7


def test_a_hang_up_while_the_application_is_dead_is_understood() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_call", talk_ms=3000) as (sipp, _):
            alice.wait_established()
            time.sleep(1.0)
            centre.kill9()
            time.sleep(4.0)  # the caller's BYE goes unheard, and is repeated
            centre.start()
            sipp.wait()
            alice.wait_closed(timeout=10)
        record = only(centre.wait_contacts(1))
    assert record["outcome"] == "answered"
    assert record["ended_at"] is not None


def test_a_dead_media_worker_is_replaced_its_calls_rejoined_and_its_recording_gone_on_with() -> None:
    wanted = config()
    wanted["tenants"]["acme"]["numbers"]["203"] = {"agent": "alice", "record": True}
    with Centre(wanted) as centre, ExitStack() as people:
        alice = people.enter_context(agent(centre, "alice", ALICE))
        boris = people.enter_context(agent(centre, "boris", BORIS))
        alice.wait_registered()
        boris.wait_registered()
        boris.dial("203")
        alice.wait_established()
        time.sleep(3.0)
        assert share_of(BORIS, alice.heard(1.0)) > 0.5
        (worker,) = centre.workers()
        os.kill(worker, signal.SIGKILL)
        time.sleep(5.0)
        assert len(centre.workers()) == 1
        assert centre.workers() != [worker]
        assert share_of(BORIS, alice.heard(1.0)) > 0.5
        assert share_of(ALICE, boris.heard(1.0)) > 0.5
        boris.hangup()
        record = only(centre.wait_contacts(1))
        time.sleep(1.0)
        record = only(centre.wait_contacts(1))
        left, right = recording(centre, record)
    assert (record["outcome"], record["direction"], record["agent"]) == ("answered", "internal", "alice")
    # The whole length, with what was said before the death and after it.
    assert len(left) / 8000 == pytest.approx(record["talk_s"], abs=0.7)
    for voice, channel in ((BORIS, left), (ALICE, right)):
        assert share_of(voice, channel[8000:16000]) > 0.5
        assert share_of(voice, channel[-16000:-8000]) > 0.5


def test_registrations_survive_a_clean_restart_and_the_second_start_needs_no_phone_to_return() -> None:
    carrier = ports.free_sip()
    with Centre(config(carrier=carrier)) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        centre.restart()
        with caller(centre, SALES, "uac_call", talk_ms=1500) as (sipp, _):
            alice.wait_established()
            sipp.wait()
        assert only(centre.wait_contacts(1))["outcome"] == "answered"


def test_a_phone_that_rings_when_the_application_dies_is_answered_after_it_came_back() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE, answer="manual") as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_call", talk_ms=11000) as (sipp, line):
            alice.wait_incoming()
            time.sleep(0.5)
            centre.kill9()
            time.sleep(1.0)
            alice.accept()  # nobody hears it; the phone repeats its answer
            time.sleep(1.0)
            centre.start()
            alice.wait_established(timeout=20)
            time.sleep(2.0)
            assert share_of(440, alice.heard(1.0)) > 0.5
            assert share_of(ALICE, line.heard(1.0)) > 0.5
            sipp.wait()
        record = only(centre.wait_contacts(1))
    assert (record["outcome"], record["agent"]) == ("answered", "alice")


def test_application_and_media_worker_die_together() -> None:
    with Centre(config()) as centre, ExitStack() as people:
        alice = people.enter_context(agent(centre, "alice", ALICE))
        boris = people.enter_context(agent(centre, "boris", BORIS))
        alice.wait_registered()
        boris.wait_registered()
        boris.dial("201")
        alice.wait_established()
        time.sleep(1.0)
        (worker,) = centre.workers()
        centre.kill9()
        os.kill(worker, signal.SIGKILL)
        time.sleep(1.0)
        centre.start()
        time.sleep(4.0)
        assert share_of(BORIS, alice.heard(1.0)) > 0.5
        assert share_of(ALICE, boris.heard(1.0)) > 0.5
        alice.hangup()
        assert only(centre.wait_contacts(1))["outcome"] == "answered"
