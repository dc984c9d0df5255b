"""Parking with foreign telephones: who is put aside hears music, anybody picks them up, nobody is forgotten."""

import time
from contextlib import ExitStack
from typing import Any

import pytest
from bench import Line, Sipp, ports
from bench.tones import share_of
from test_queue_call import only, recording
from test_who_hears_whom import HERTZ, MUSIC, House, house

pytestmark = pytest.mark.peer

PARKING: dict[str, Any] = {"parking": {"slots": "701-702", "number": "700", "timeout": "2m"}}
SHORT: dict[str, Any] = {"parking": {"slots": "701-702", "number": "700", "timeout": "10s"}}


def slots(h: House, who: str = "boris") -> list[tuple[str, str]]:
    """(slot, who parked) as this agent's page shows them."""
    return [(one["slot"], one["agent"]) for one in h.pages[who].get("/me/agent/parked").json()["items"]]


def test_a_phone_parks_by_transfer_and_another_picks_up_by_calling_the_slot() -> None:
    with house(more=PARKING) as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        alice, boris = h.phones["alice"], h.phones["boris"]
        alice.transfer("sip:700@acme.example")
        alice.wait_closed()
        h.hear(customer=MUSIC)
        assert slots(h) == [("701", "alice")]
        assert h.desk("alice")["agent"]["state"] == "ready", "whoever parked is free, without after-call work"
        boris.dial("701")
        boris.wait_established()
        h.hear(customer="boris", boris="customer")
        assert slots(h) == []
        mark = alice.mark()
        alice.dial("701")  # empty now
        assert "404" in alice.wait_closed(after=mark).param
        mark = alice.mark()
        alice.dial("700")
        assert "404" in alice.wait_closed(after=mark).param
        time.sleep(1.0)
        boris.hangup()
        sipp.wait()
        record = only([one for one in h.centre.wait_contacts(1) if one["direction"] == "inbound"])
        assert record["outcome"] == "answered"
        theirs, ours = recording(h.centre, record)
        assert share_of(HERTZ["customer"], theirs[-6000:]) > 0.8
        assert share_of(HERTZ["boris"], ours[-6000:]) > 0.8, "who picked up isn't in the recording"


def test_pages_park_and_pick_up_and_only_one_gets_the_customer() -> None:
    with house(more=PARKING) as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        h.asks("alice", "park")
        h.phones["alice"].wait_closed()
        h.hear(customer=MUSIC)
        parked = h.pages["boris"].get("/me/agent/parked").json()
        assert (parked["slots"], parked["number"]) == (2, "700")
        (one,) = parked["items"]
        assert (one["slot"], one["agent"], one["queue"], one["mine"]) == ("701", "alice", "sales", False)
        h.asks("boris", "pick-up", contact=one["contact"])
        refused = h.asks("sofia", "pick-up", status=409, contact=one["contact"])
        assert refused["reason"] in ("BEING-PICKED-UP", "NOT-PARKED")
        h.phones["boris"].wait_established()
        h.hear(customer="boris", boris="customer")
        assert h.asks("boris", "park")["agent"]["state"] == "logged_out"
        assert slots(h, "alice") == [("701", "boris")]
        h.hear(customer=MUSIC)
        mark = h.phones["alice"].mark()
        h.asks("alice", "pick-up", contact=one["contact"])
        h.phones["alice"].wait_established(after=mark)
        h.hear(customer="alice")
        h.phones["alice"].hangup()
        sipp.wait()


def test_nobody_picks_up_and_whoever_parked_is_rung() -> None:
    with house(more=SHORT) as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        alice = h.phones["alice"]
        h.asks("alice", "pause", reason="lunch")
        h.asks("alice", "park")
        alice.wait_closed()
        h.hear(customer=MUSIC)
        mark = alice.mark()
        alice.wait_established(timeout=20, after=mark)
        h.hear(customer="alice", alice="customer")
        assert slots(h) == []
        alice.hangup()
        sipp.wait()


def test_parked_customers_survive_the_death_of_the_application() -> None:
    with house(more=SHORT) as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        alice = h.phones["alice"]
        h.asks("alice", "pause", reason="lunch")
        alice.transfer("sip:702@acme.example")
        alice.wait_closed()
        assert slots(h) == [("702", "alice")]
        h.centre.kill9()
        h.centre.restart()
        h.hear(customer=MUSIC)
        assert slots(h) == [("702", "alice")]
        mark = alice.mark()
        alice.wait_established(timeout=25, after=mark)  # the time runs on
        h.hear(customer="alice")
        alice.hangup()
        sipp.wait()


def test_a_strict_phone_picks_up() -> None:
    """sipp, which accepts nothing but what the RFC says, calls the slot from a fixed phone."""
    port = ports.free_sip()
    with house(more=PARKING, clara=port) as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        h.asks("alice", "park")
        h.hear(customer=MUSIC)
        line = stack.enter_context(Line(hertz=HERTZ["outside"]))
        h.ears["clara"] = line
        phone = stack.enter_context(
            Sipp("uac_call", h.centre.sip, "701", {"talk_ms": 4000}, local_port=port, line=line)
        )
        h.hear(customer="outside", clara="customer")
        phone.wait()
        sipp.wait()
