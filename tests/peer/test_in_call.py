"""What happens in the middle of a call: hold, transfer, digits, changes of the session, calls that agents make.

Each party says a tone of its own; who hears whom is found by frequency.
"""

import re
import sys
import time
from contextlib import ExitStack
from typing import Any

import pytest
from bench import Baresip, Centre, Line, Sipp, level, ports, share_of
from bench.tones import Samples, seconds_of
from test_queue_call import (
    ALICE,
    BORIS,
    CALLER,
    EXPERT,
    PASSWORDS,
    SALES,
    agent,
    caller,
    config,
    only,
    recording,
    talked,
)

pytestmark = pytest.mark.peer

OUTSIDE = "+48600700800"


def patched(statement: str) -> tuple[str, ...]:
    """The centre with one constant of time made short: what takes a minute by the RFC takes seconds here."""
    return (sys.executable, "-c", f"{statement}\nfrom centrala.cli import main\nmain()")


def soon(true: Any, what: str, timeout: float = 8.0) -> None:
    until = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.1)


def hears(ear: Line | Baresip, hertz: float, timeout: float = 8.0) -> None:
    """Until the last half second is this tone."""

    def so() -> bool:
        return len(ear.heard(0.5)) > 2000 and share_of(hertz, ear.heard(0.5)) > 0.8

    soon(so, f"never heard {hertz} Hz", timeout)


def hears_music(ear: Line, *people: float) -> None:
    def so() -> bool:
        sound = ear.heard(0.5)
        return len(sound) > 2000 and level(sound) > 0.005 and all(share_of(h, sound) < 0.5 for h in people)

    soon(so, "never heard music")


def silent(sound: Samples) -> bool:
    return level(sound) < 0.003


# --- hold ---


def test_the_agent_holds_and_resumes() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            alice.wait_established()
            hears(alice, CALLER)
            hears(line, ALICE)
            alice.hold()
            began = time.monotonic()
            hears_music(line, ALICE, CALLER)
            mark = len(alice.heard())
            time.sleep(2.0)
            assert silent(alice.heard()[mark:]), "the agent hears the held caller"
            alice.resume()
            held = time.monotonic() - began
            hears(line, ALICE)
            time.sleep(1.0)
            alice.hangup()
            sipp.wait()
        record = only(centre.wait_contacts(1))
        assert record["outcome"] == "answered"
        assert record["hold_s"] == pytest.approx(held, abs=0.6)
        assert record["talk_s"] > 1.5
        theirs, ours = recording(centre, record)
        # The phone's decoder falls silent for good after a hold (see bench/baresip.py): the recording is its ear.
        assert share_of(CALLER, theirs[-6000:]) > 0.8
        assert share_of(ALICE, ours[-6000:]) > 0.8


def test_a_strict_phone_holds_and_resumes() -> None:
    """sipp insists on recvonly or inactive while it holds, and on sendrecv after it; its line hears all the time."""
    port = ports.free_sip()
    with (
        Line(hertz=ALICE) as desk,
        Sipp("uas_answer_hold", local_port=port, line=desk, settings={"ring_ms": 100}) as phone,
        Centre(config(fixed=port)) as centre,
        caller(centre, SALES, talk_ms=8000) as (sipp, line),
    ):
        phone.wait_for("ACK", sent=False)
        hears(desk, CALLER)
        time.sleep(1.0)
        hears_music(line, ALICE, CALLER)
        hears(line, ALICE)
        hears(desk, CALLER)
        sipp.wait()
        phone.wait()
        assert only(centre.wait_contacts(1))["hold_s"] == pytest.approx(2.0, abs=0.6)


def test_the_caller_holds_and_comes_back() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_hold", talk_ms=2000) as (sipp, line):
            alice.wait_established()
            hears(line, ALICE)
            sipp.wait_for("INVITE", sent=True)
            time.sleep(2.5)
            quiet = len(line.heard())
            time.sleep(0.5)
            assert len(line.heard()) - quiet < 800, "we talk on to a caller who said inactive"
            hears(line, ALICE)
            hears(alice, CALLER)
            sipp.wait()
        record = only(centre.wait_contacts(1))
        assert record["outcome"] == "answered"
        assert record["hold_s"] == 0


# --- transfer ---


def test_a_blind_transfer_to_another_agent_is_recorded_on() -> None:
    with (
        Centre(config(queue={"wrap_up": "2s"})) as centre,
        agent(centre, "alice", ALICE) as alice,
        agent(centre, "boris", BORIS) as boris,
    ):
        alice.wait_registered()
        boris.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            alice.wait_established()
            hears(line, ALICE)
            alice.transfer("sip:boris@acme.example")
            gone = alice.wait_closed()
            boris.wait_established()
            hears(line, BORIS)
            hears(boris, CALLER)
            time.sleep(1.0)
            # Who transferred is in wrap-up at once, and then gets the next caller, while the first still talks.
            mark = alice.mark()
            with caller(centre, SALES, "uac_call", hertz=500, talk_ms=1500) as (second, _):
                again = alice.wait_established(after=mark)
                assert again.at - gone.at > 1.5
                second.wait()
            boris.hangup()
            sipp.wait()
        first, second_record = centre.wait_contacts(2)
        assert (first["outcome"], first["agent"], first["queue"]) == ("answered", "alice", "sales")
        # Two seconds each: whoever gets the customer handed over works for the same queue.
        soon(
            lambda: centre.wait_contacts(2)[0]["wrap_up_s"] is not None,
            "the second agent's wrap-up doesn't end",
        )
        assert centre.wait_contacts(2)[0]["wrap_up_s"] == pytest.approx(4.0, abs=1.0)
        assert second_record["agent"] == "alice"
        theirs, ours = recording(centre, first)
        assert seconds_of(ALICE, ours) > 0.3
        assert share_of(BORIS, ours[-6000:]) > 0.8, "the new agent isn't in the recording"
        assert share_of(CALLER, theirs[-6000:]) > 0.8


def test_a_transfer_back_into_the_queue() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            alice.wait_established()
            hears(line, ALICE)
            with agent(centre, "boris", BORIS) as boris:
                boris.wait_registered()
                alice.transfer(f"sip:{SALES}@acme.example")
                boris.wait_established()
                hears(line, BORIS)
                boris.hangup()
                sipp.wait()
        assert only(centre.wait_contacts(1))["outcome"] == "answered"


def test_a_strict_phone_transfers_to_a_phone_outside() -> None:
    alices, experts = ports.free_sip(), ports.free_sip()
    with (
        Line(hertz=EXPERT) as desk,
        Sipp("uas_answer_hangup", local_port=experts, line=desk, settings={"talk_ms": 3000}) as expert,
        Centre(config(expert=experts)) as centre,
    ):
        registers = {"user": "alice", "password": PASSWORDS["alice"]}
        with Sipp("register", centre.sip, "alice", local_port=alices, **registers) as registering:
            registering.wait()
        with (
            Line(hertz=ALICE) as own,
            Sipp("uas_answer_refer", local_port=alices, line=own, settings={"talk_ms": 1500}) as alice,
            caller(centre, SALES, "uac_wait_for_bye") as (sipp, line),
        ):
            hears(line, ALICE)
            alice.wait()  # 202, NOTIFYs up to the final one, and BYE
            hears(line, EXPERT)
            hears(desk, CALLER)
            expert.wait()
            sipp.wait()
        record = only(centre.wait_contacts(1))
        assert (record["outcome"], record["agent"]) == ("answered", "alice")
        theirs, ours = recording(centre, record)
        assert seconds_of(EXPERT, ours) > 1.5
        assert seconds_of(CALLER, theirs) > 3.0


@pytest.mark.parametrize(
    ("target", "status"), [("nobody", 404), ("999", 404), ("boris", 480), ("clara", 486)]
)
def test_a_transfer_that_cannot_be_is_refused_and_the_conversation_goes_on(target: str, status: int) -> None:
    """Nobody, a number outside without a trunk to it, an agent whose phone is off, oneself.

    baresip hangs up when a transfer is refused, hence sipp.
    """
    port = ports.free_sip()
    settings = config(fixed=port)
    settings["tenants"]["acme"]["trunks"]["carrier"]["outbound"] = False
    with (
        Line(hertz=ALICE) as desk,
        Sipp(
            "uas_answer_refer_refused",
            local_port=port,
            line=desk,
            settings={"talk_ms": 1000, "status": status, "refer_to": f"sip:{target}@acme.example"},
        ) as phone,
        Centre(settings) as centre,
        caller(centre, SALES, talk_ms=5000) as (sipp, line),
    ):
        phone.wait_for(f"SIP/2.0 {status}", sent=False)
        time.sleep(1.0)
        hears(line, ALICE)
        hears(desk, CALLER)
        sipp.wait()
        phone.wait()
        assert only(centre.wait_contacts(1))["agent"] == "clara"


def test_a_transfer_to_a_number_outside_goes_over_the_trunk() -> None:
    carrier = ports.free_sip()
    with (
        Line(hertz=EXPERT) as desk,
        Sipp("uas_answer_hangup", local_port=carrier, line=desk, settings={"talk_ms": 2500}) as remote,
        Centre(config(carrier=carrier)) as centre,
        agent(centre, "alice", ALICE) as alice,
    ):
        alice.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            alice.wait_established()
            hears(line, ALICE)
            alice.transfer(f"sip:{OUTSIDE}@acme.example")
            alice.wait_closed()
            hears(line, EXPERT)
            hears(desk, CALLER)
            remote.wait()
            sipp.wait()
        invited = remote.find("INVITE", sent=False)
        assert invited
        assert invited.first_line.startswith(f"INVITE sip:{OUTSIDE}@127.0.0.1:{carrier}")
        assert "+48501000111" in (invited.header("From") or "")
        assert only(centre.wait_contacts(1))["outcome"] == "answered"


# --- calls that agents make ---


@pytest.mark.parametrize("caller_id", [None, "+48221234567"])
def test_an_agent_calls_somebody_outside(caller_id: str | None) -> None:
    carrier = ports.free_sip()
    settings = config(carrier=carrier)
    if caller_id:
        settings["tenants"]["acme"]["trunks"]["carrier"]["caller_id"] = caller_id
    with (
        Line(hertz=EXPERT) as desk,
        Sipp("uas_answer_hangup", local_port=carrier, line=desk, settings={"talk_ms": 3000}) as remote,
        Centre(settings) as centre,
        agent(centre, "alice", ALICE) as alice,
    ):
        alice.wait_registered()
        alice.dial(OUTSIDE)
        alice.wait_event("CALL_RINGING", "CALL_PROGRESS")
        alice.wait_established()
        hears(desk, ALICE)
        hears(alice, EXPERT)
        remote.wait()
        talk = talked(alice)
        invited = remote.find("INVITE", sent=False)
        assert invited
        assert invited.first_line.startswith(f"INVITE sip:{OUTSIDE}@127.0.0.1:{carrier}")
        assert f"sip:{caller_id or 'anonymous'}@acme.example" in (invited.header("From") or "")
        record = only(centre.wait_contacts(1))
    assert (record["direction"], record["to"], record["from"]) == ("outbound", OUTSIDE, "alice")
    assert (record["outcome"], record["agent"]) == ("answered", "alice")
    assert record["talk_s"] == pytest.approx(talk, abs=0.5)


def test_an_agent_calls_somebody_outside_who_is_busy() -> None:
    carrier = ports.free_sip()
    with (
        Sipp("uas_busy", local_port=carrier) as remote,
        Centre(config(carrier=carrier)) as centre,
        agent(centre, "alice", ALICE) as alice,
    ):
        alice.wait_registered()
        alice.dial(OUTSIDE)
        assert "486" in alice.wait_closed().param
        remote.wait()
        record = only(centre.wait_contacts(1))
    assert (record["direction"], record["outcome"], record["to"]) == ("outbound", "failed", OUTSIDE)


def test_an_agent_dials_inside_the_house() -> None:
    with (
        Centre(config()) as centre,
        agent(centre, "alice", ALICE) as alice,
        agent(centre, "boris", BORIS) as boris,
    ):
        alice.wait_registered()
        boris.wait_registered()
        alice.dial("boris")
        boris.wait_established()
        hears(boris, ALICE)
        hears(alice, BORIS)
        alice.hangup()
        boris.wait_closed()
        record = only(centre.wait_contacts(1))
    assert (record["direction"], record["from"], record["agent"]) == ("internal", "alice", "boris")


@pytest.mark.parametrize("nonsense", ["nonsense", "no%20such%0d%0aplace", "7"])
def test_an_agent_who_dials_nonsense_is_told_404(nonsense: str) -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        alice.dial(nonsense)
        assert "404" in alice.wait_closed().param
        assert centre.running()


# --- several phones ---


def cancelled(phone: Baresip) -> None:
    phone.wait_closed()
    assert phone.count("CALL_ESTABLISHED") == 0


def test_ring_all_the_first_to_answer_wins() -> None:
    with (
        Centre(config(queue={"strategy": "ring_all"})) as centre,
        agent(centre, "alice", ALICE, answer="manual") as alice,
        agent(centre, "boris", BORIS, answer="manual") as boris,
    ):
        alice.wait_registered()
        boris.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            alice.wait_incoming()
            boris.wait_incoming()
            boris.accept()
            boris.wait_established()
            cancelled(alice)
            hears(line, BORIS)
            boris.hangup()
            sipp.wait()
        assert only(centre.wait_contacts(1))["agent"] == "boris"


def test_one_agent_with_two_phones() -> None:
    with (
        Centre(config()) as centre,
        agent(centre, "alice", ALICE, answer="manual") as desk,
        agent(centre, "alice", EXPERT, answer="manual") as mobile,
    ):
        desk.wait_registered()
        mobile.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            desk.wait_incoming()
            mobile.wait_incoming()
            mobile.accept()
            mobile.wait_established()
            cancelled(desk)
            hears(line, EXPERT)
            hears(mobile, CALLER)
            mobile.hangup()
            sipp.wait()
        assert only(centre.wait_contacts(1))["agent"] == "alice"


def test_one_of_two_phones_refuses_and_the_other_still_rings() -> None:
    with (
        Centre(config()) as centre,
        agent(centre, "alice", ALICE, answer="manual") as desk,
        agent(centre, "alice", EXPERT, answer="manual") as mobile,
    ):
        desk.wait_registered()
        mobile.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            desk.wait_incoming()
            mobile.wait_incoming()
            desk.hangup()
            time.sleep(0.5)
            mobile.accept()
            hears(line, EXPERT)
            mobile.hangup()
            sipp.wait()


# --- sound and digits ---


def test_digits_pass_through_a_conversation_both_ways() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_wait_for_bye") as (sipp, line):
            alice.wait_established()
            hears(line, ALICE)
            line.send_digits("159*#")
            soon(lambda: alice.digits() == "159*#", f"the agent's phone has heard {alice.digits()!r}")
            alice.send_digits("80")
            soon(lambda: line.digits() == "80", f"the caller has heard {line.digits()!r}")
            hears(line, ALICE)
            alice.hangup()
            sipp.wait()


def test_a_caller_with_mu_law_alone_and_a_phone_with_a_law_alone() -> None:
    address = ports.loopback()
    with Centre(config()) as centre, agent(centre, "alice", ALICE, codecs="pcma") as alice:
        alice.wait_registered()
        with (
            Line(hertz=CALLER, address=address, payload_type=0) as line,
            Sipp("uac_wait_for_bye", centre.sip, SALES, {"payload": 0}, local_ip=address, line=line) as sipp,
        ):
            hears(alice, CALLER)
            hears(line, ALICE)
            assert {packet.payload_type for packet in line.packets} <= {0, 101}
            alice.hangup()
            sipp.wait()


def test_a_caller_with_codecs_that_we_do_not_speak_is_488() -> None:
    with Centre(config()) as centre, caller(centre, SALES, "uac_foreign_codecs") as (sipp, _):
        sipp.wait()
        assert centre.contacts() == []


# --- the session ---


def test_a_caller_without_an_offer_gets_ours() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_late_offer", talk_ms=3000) as (sipp, line):
            hears(line, ALICE)
            hears(alice, CALLER)
            sipp.wait()
        assert only(centre.wait_contacts(1))["outcome"] == "answered"


def test_a_reinvite_without_sdp_gets_our_offer_and_changes_nothing() -> None:
    with Centre(config()) as centre, agent(centre, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(centre, SALES, "uac_reinvite_without_sdp", talk_ms=3000) as (sipp, line):
            hears(line, ALICE)
            soon(lambda: sum("CSeq: 2 ACK" in m.text for m in sipp.messages()) > 0, "no second ACK")
            hears(line, ALICE)
            hears(alice, CALLER)
            sipp.wait()
        assert only(centre.wait_contacts(1))["hold_s"] == 0


def test_we_refresh_the_session_where_it_is_ours_to_refresh() -> None:
    quick = patched(
        "from centrala.protocols.sip import session_timer as s\ns.refresh_after = lambda seconds: 2.0"
    )
    with Centre(config(), program=quick) as centre, caller(centre, "400", "uac_session_timer") as (sipp, _):
        sipp.wait()
        answer = sipp.find("SIP/2.0 200", sent=False)
        assert answer
        assert answer.header("Session-Expires") == "90;refresher=uas"
        update = sipp.find("UPDATE", sent=False)
        assert update
        assert re.fullmatch(r"90;refresher=uac", update.header("Session-Expires") or "")


def test_a_caller_who_should_refresh_and_does_not_is_hung_up() -> None:
    quick = patched(
        "from centrala.protocols.sip import session_timer as s\ns.expire_after = lambda seconds: 3.0"
    )
    with (
        Centre(config(), program=quick) as centre,
        caller(centre, "400", "uac_session_timer", refresher="uac", expect="BYE") as (sipp, _),
    ):
        sipp.wait()
        answer = sipp.find("SIP/2.0 200", sent=False)
        assert answer
        assert answer.header("Session-Expires") == "90;refresher=uac"
        assert answer.header("Require") == "timer"
        assert only(centre.wait_contacts(1))["talk_s"] == pytest.approx(3.0, abs=1.0)


def test_many_things_at_once_in_one_house() -> None:
    """Hold, transfer and a queue side by side: nobody hears a stranger."""
    with Centre(config()) as centre, ExitStack() as house:
        alice = house.enter_context(agent(centre, "alice", ALICE))
        boris = house.enter_context(agent(centre, "boris", BORIS))
        alice.wait_registered()
        boris.wait_registered()
        first, one = house.enter_context(caller(centre, SALES, "uac_wait_for_bye", hertz=440))
        alice.wait_established()
        second, two = house.enter_context(caller(centre, SALES, "uac_wait_for_bye", hertz=550))
        boris.wait_established()
        hears(one, ALICE)
        hears(two, BORIS)
        alice.hold()
        hears_music(one, ALICE, BORIS, 440, 550)
        hears(boris, 550)
        alice.resume()
        hears(one, ALICE)
        alice.hangup()
        boris.hangup()
        first.wait()
        second.wait()
        assert seconds_of(550, alice.heard()) == 0
        assert seconds_of(440, boris.heard()) == 0
        assert len(centre.wait_contacts(2)) == 2
