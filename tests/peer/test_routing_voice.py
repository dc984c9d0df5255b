"""Routing heard by phones: who rings again reaches whom they know; a customer goes up to an expert over a trunk."""

import time
from contextlib import ExitStack
from typing import Any

import pytest
from bench import Line, Sipp, ports
from test_queue_call import SALES, caller
from test_who_hears_whom import HERTZ, MUSIC, House, house

pytestmark = pytest.mark.peer

EXPERT = "+48600700801"


def queues(**more: Any) -> dict[str, Any]:
    return {"queues": {"sales": {"agents": ["alice", "boris"], "wrap_up": "0", "record": True, **more}}}


def rings(h: House, stack: ExitStack) -> tuple[str, Sipp, Line]:
    """Call once: (who answers, the caller)."""
    marks = {name: phone.mark() for name, phone in h.phones.items()}
    sipp, line = stack.enter_context(
        caller(h.centre, SALES, "uac_wait_for_bye", hertz=HERTZ["customer"], patience_ms=60000)
    )
    h.ears["customer"] = line
    until = time.monotonic() + 15
    while True:
        found = [name for name in marks if h.desk(name)["agent"]["state"] == "on_contact"]
        if found:
            break
        assert time.monotonic() < until, "nobody answers"
        time.sleep(0.1)
    (name,) = found
    h.hear(customer=name, **{name: "customer"})
    return name, sipp, line


def ends(h: House, name: str, sipp: Sipp) -> None:
    h.asks(name, "hang-up")
    sipp.wait()


def test_who_rings_again_reaches_the_same_agent() -> None:
    with house(more=queues(last_agent={"wait": "20s"})) as h, ExitStack() as stack:
        h.asks("boris", "ready")
        first, sipp, _ = rings(h, stack)
        ends(h, first, sipp)
        h.centre.wait_contacts(1)  # the records know with whom they talked
        # By the queue's own rule it would be the other's turn, who has been free for longer.
        again, sipp, _ = rings(h, stack)
        assert again == first
        why = h.desk(first)["contact"]["why"]
        assert why == "last_agent: has talked with them before"
        ends(h, first, sipp)
        h.asks(first, "pause", reason="lunch")
        other, sipp, _ = rings(h, stack)
        assert other != first, "nobody waits for who isn't there"
        ends(h, other, sipp)


def test_a_relaxed_level_brings_the_caller_to_whom_the_queue_does_not_name() -> None:
    tenant = queues(agents=["alice"], widen=[{"after": "3s", "queues": ["other"]}])
    tenant["queues"]["other"] = {"agents": ["boris"]}
    with house(more=tenant) as h, ExitStack() as stack:
        h.asks("boris", "ready")
        first, sipp, _ = rings(h, stack)
        assert first == "alice"
        mark = h.phones["boris"].mark()
        began = time.monotonic()
        second, line = stack.enter_context(
            caller(h.centre, SALES, "uac_wait_for_bye", hertz=HERTZ["clara"], patience_ms=60000)
        )
        h.phones["boris"].wait_established(after=mark, timeout=20)
        assert time.monotonic() - began >= 2.5, "before its time"
        h.ears["customer2"] = line
        h.hear(boris="clara", customer2="boris", customer="alice")
        assert h.desk("boris")["contact"]["why"].startswith("relaxed after 3 s: with other")
        ends(h, "boris", second)
        ends(h, first, sipp)


def test_a_customer_is_handed_up_to_an_expert_outside_with_the_reason() -> None:
    carrier = ports.free_sip()
    tenant = queues(agents=["alice"], escalate={"expert": "law"}) | {
        "experts": {
            "law": {"name": "Law office", "number": EXPERT, "tier": 3, "authority": "Signs settlements"}
        }
    }
    with (
        Line(hertz=HERTZ["outside"]) as line,
        Sipp("uas_answer", local_port=carrier, line=line, settings={"patience_ms": 30000}) as remote,
        house(carrier, more=tenant) as h,
        ExitStack() as stack,
    ):
        h.ears["outside"] = line
        sipp, _ = h.call(stack)
        tiers = h.pages["alice"].get("/me/agent/tiers").json()
        assert tiers["usual"] == "expert:law"
        (above,) = tiers["above"]
        assert (above["name"], above["tier"], above["authority"]["pl"]) == (
            "Law office",
            3,
            "Signs settlements",
        )
        h.asks("alice", "escalate", status=409, reason="because")
        h.asks("alice", "escalate", reason="authority")
        h.phones["alice"].wait_closed()
        h.hear(customer="outside", outside="customer")
        invited = remote.find("INVITE", sent=False)
        assert invited is not None
        assert invited.first_line.startswith(f"INVITE sip:{EXPERT}@127.0.0.1:{carrier}")
        sipp.stop()
        assert h.desk("alice")["agent"]["state"] == "ready"


def test_an_expert_is_asked_while_the_customer_hears_music_and_joins() -> None:
    carrier = ports.free_sip()
    tenant = queues(agents=["alice"]) | {"experts": {"law": {"name": "Law office", "number": EXPERT}}}
    with (
        Line(hertz=HERTZ["outside"]) as line,
        Sipp("uas_answer", local_port=carrier, line=line, settings={"patience_ms": 30000}),
        house(carrier, more=tenant) as h,
        ExitStack() as stack,
    ):
        h.ears["outside"] = line
        sipp, _ = h.call(stack)
        found = h.pages["alice"].get("/me/agent/targets", params={"q": "law"}).json()["items"]
        (expert,) = [one for one in found if one["kind"] == "expert"]
        h.asks("alice", "consult", to=expert["id"])
        h.hear(customer=MUSIC, alice="outside", outside="alice")
        h.asks("alice", "conference")
        h.hear(customer="alice outside", alice="customer outside", outside="customer alice")
        h.asks("alice", "hang-up")
        sipp.wait()


def test_the_next_one_is_told_who_handed_the_customer_on_and_why() -> None:
    tenant = queues(agents=["alice"], escalate={"queue": "second"})
    tenant["queues"]["second"] = {"agents": ["boris"], "tier": 2, "wrap_up": "0"}
    with house(more=tenant) as h, ExitStack() as stack:
        h.asks("boris", "ready")
        sipp, _ = h.call(stack)
        contact = h.desk("alice")["contact"]["id"]
        body = {"contact": contact, "note": "wants the money back"}
        assert h.pages["alice"].put("/me/agent/draft", json=body).status_code == 204
        h.asks("alice", "escalate", reason="complaint")
        h.phones["boris"].wait_established()
        h.hear(customer="boris", boris="customer")
        (handed,) = h.pages["boris"].get("/me/agent/tiers").json()["handed"]
        assert (handed["agent"], handed["reason"]["id"], handed["tier"]) == ("alice", "complaint", 2)
        assert handed["note"] == "wants the money back"
        assert h.pages["alice"].get("/me/agent/tiers", params={"contact": contact}).json()["handed"] == []
        ends(h, "boris", sipp)
