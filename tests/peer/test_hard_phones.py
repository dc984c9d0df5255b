"""What telephones do by themselves: a second call to ask by, attended transfer, taking a call over.

Who hears whom is told by tones at every ear, as in `test_who_hears_whom`. baresip 1.0.0 sends the REFER that it is
told to, but has no command that writes the Replaces in it: the test takes that from the phone's own messages.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

import pytest
from bench import Baresip, Line, Sipp, ports
from test_queue_call import SALES, caller, only
from test_who_hears_whom import HERTZ, MUSIC, OUTSIDE, House, house

pytestmark = pytest.mark.peer


def dialog_of(phone: Baresip, peer: str) -> tuple[str, str, str]:
    """(Call-ID, the phone's own tag, the far end's tag) of the last dialog with `peer` in the phone's messages."""
    for block in reversed(re.split(r"\n#\n", phone.log())):
        head = block.partition("\n\n")[0]
        who = {
            name: (value, tag)
            for name, value, tag in re.findall(r"^(From|To): *(.*?)(?:;tag=(\S+))?$", head, re.M)
        }
        call_id = re.search(r"^Call-ID: *(\S+)", head, re.M)
        if call_id is None or set(who) != {"From", "To"} or not all(tag for _, tag in who.values()):
            continue
        for near, far in (("From", "To"), ("To", "From")):
            if f"sip:{peer}@" in who[far][0]:
                return call_id[1], who[near][1], who[far][1]
    raise AssertionError(f"no dialog with {peer}\n{phone.log()[-4000:]}")


def joins(phone: Baresip, line: int, peer: str) -> None:
    """REFER in the phone's call `line`, to put its other end in the place of the phone in the call with `peer`."""
    call_id, near, far = dialog_of(phone, peer)
    phone.command("line", str(line))
    replaces = quote(f"{call_id};to-tag={far};from-tag={near}", safe="")
    phone.transfer(f"<sip:{peer}@acme.example?Replaces={replaces}>")


@contextmanager
def asking(h: House, whom: str = "boris") -> Iterator[Sipp]:
    """alice talks with the customer, holds the call by her phone and calls somebody else with it."""
    with ExitStack() as stack:
        sipp, _ = h.call(stack)
        alice, other = h.phones["alice"], h.phones[whom]
        mark, theirs = alice.mark(), other.mark()
        alice.hold()
        h.hear(customer=MUSIC)
        alice.dial(whom)
        other.wait_established(after=theirs)
        alice.wait_established(after=mark)
        h.hear(customer=MUSIC, alice=whom, **{whom: "alice"})
        yield sipp


@pytest.mark.parametrize("line", [1, 2])
def test_a_phone_with_two_calls_transfers_attended(line: int) -> None:
    """The REFER may come in either of the two calls."""
    with house() as h:
        with asking(h) as sipp:
            assert [(one["agent"], one["role"]) for one in h.desk("alice")["contact"]["parties"]] == [
                ("alice", "agent"),
                ("boris", "consult"),
            ]
            peer = "boris" if line == 1 else "+48501000111"
            mark = h.phones["alice"].mark()
            joins(h.phones["alice"], line, peer)
            h.hear(customer="boris", boris="customer")
            h.phones["alice"].wait_closed(after=mark)
            ends = time.monotonic() + 8
            while h.phones["alice"].count("CALL_CLOSED") < 2:
                assert time.monotonic() < ends, h.phones["alice"].story()
                time.sleep(0.1)
            assert "SIP/2.0 202" in h.phones["alice"].log()
            assert "SIP/2.0 200 OK" in h.phones["alice"].log().partition("NOTIFY sip")[2]
            assert h.desk("alice")["agent"]["state"] == "wrap_up"
            assert h.desk("boris")["contact"]["agent"] == "boris"
            h.phones["boris"].hangup()
            sipp.wait()
        record = only(h.centre.wait_contacts(1))
        assert record["outcome"] == "answered"
        assert record["hold_s"] > 0.5


def test_who_was_asked_hangs_up_and_the_phone_goes_back_to_the_customer() -> None:
    with house() as h, asking(h) as sipp:
        alice = h.phones["alice"]
        mark = alice.mark()
        h.phones["boris"].hangup()
        alice.wait_closed(after=mark)
        h.hear(customer=MUSIC)
        alice.command("line", "1")
        alice.resume()
        h.hear(customer="alice")
        alice.hangup()
        sipp.wait()


def test_the_second_call_is_hung_up_and_who_was_asked_is_dropped() -> None:
    with house() as h, asking(h) as sipp:
        alice, boris = h.phones["alice"], h.phones["boris"]
        mark = boris.mark()
        alice.hangup()
        boris.wait_closed(after=mark)
        assert len(h.desk("alice")["contact"]["parties"]) == 1
        alice.command("line", "1")
        alice.resume()
        h.hear(customer="alice")
        alice.hangup()
        sipp.wait()


def test_the_first_call_is_hung_up_and_the_customer_goes_on_with_who_was_asked() -> None:
    with house() as h, asking(h) as sipp:
        alice = h.phones["alice"]
        alice.command("line", "1")
        alice.hangup()
        h.hear(customer="boris", boris="customer")
        h.phones["boris"].hangup()
        sipp.wait()


def test_a_second_call_to_somebody_outside_and_the_transfer_to_them() -> None:
    carrier = ports.free_sip()
    with (
        Line(hertz=HERTZ["outside"]) as line,
        Sipp("uas_answer", local_port=carrier, line=line, settings={"patience_ms": 40000}) as remote,
        house(carrier=carrier) as h,
        ExitStack() as stack,
    ):
        sipp, _ = h.call(stack)
        alice = h.phones["alice"]
        h.ears["outside"] = line
        mark = alice.mark()
        alice.hold()
        h.hear(customer=MUSIC)
        alice.dial(OUTSIDE)
        alice.wait_established(after=mark)
        h.hear(customer=MUSIC, alice="outside", outside="alice")
        joins(alice, 1, OUTSIDE)
        h.hear(customer="outside", outside="customer")
        assert h.desk("alice")["agent"]["state"] == "wrap_up"
        sipp.stop()
        remote.stop()


@pytest.mark.parametrize(("target", "status"), [("sofia", "486"), ("nobody", "404")])
def test_a_second_call_that_leads_nowhere_leaves_the_customer_waiting(target: str, status: str) -> None:
    with house() as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        alice = h.phones["alice"]
        if target == "sofia":
            mark = h.phones["sofia"].mark()
            h.phones["sofia"].dial("boris")
            h.phones["boris"].wait_established()
            h.phones["sofia"].wait_established(after=mark)
        mark = alice.mark()
        alice.hold()
        h.hear(customer=MUSIC)
        alice.dial(target)
        assert status in alice.wait_closed(after=mark).param
        h.hear(customer=MUSIC)
        alice.command("line", "1")
        alice.resume()
        h.hear(customer="alice")
        alice.hangup()
        sipp.wait()


def test_the_page_joins_all_three_in_a_consultation_by_the_phones_second_call() -> None:
    with house() as h, asking(h) as sipp:
        h.asks("alice", "swap", status=409)
        h.asks("alice", "conference")
        h.hear(customer="alice boris", boris="alice customer", alice="boris customer")
        h.supervise("listen")
        h.hear(sofia="customer alice boris", customer="alice boris")
        h.asks("alice", "hang-up")
        sipp.wait()


def test_the_second_call_survives_the_death_of_the_application() -> None:
    with house() as h, asking(h) as sipp:
        h.centre.kill9()
        h.centre.restart()
        h.hear(customer=MUSIC, alice="boris", boris="alice")
        joins(h.phones["alice"], 1, "boris")
        h.hear(customer="boris", boris="customer")
        h.phones["boris"].hangup()
        sipp.wait()


# --- INVITE with Replaces (RFC 3891) ---


def replaces(phone: Baresip, peer: str, more: str = "") -> str:
    """The Replaces value by which another user agent names this phone's dialog: the tags as the far end sees them."""
    call_id, near, far = dialog_of(phone, peer)
    return f"{call_id};to-tag={far};from-tag={near}{more}"


def other_phone(
    h: House, user: str, scenario: str, value: str, line: Line | None, **settings: str | int
) -> Sipp:
    """A second telephone of this user, which speaks to the centre as strictly as sipp does."""
    filled = {"user": user, "replaces": value, **settings}
    password = f"{user} has a long one"
    return Sipp(scenario, h.centre.sip, "sales", filled, user=user, password=password, line=line)


def test_another_phone_of_the_same_agent_takes_the_call_over() -> None:
    with house() as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        alice = h.phones["alice"]
        line = stack.enter_context(Line(hertz=HERTZ["outside"]))
        h.ears["desk"] = line
        value = replaces(alice, "+48501000111")
        mark = alice.mark()
        phone = stack.enter_context(other_phone(h, "alice", "uac_replaces", value, line, talk_ms=4000))
        alice.wait_closed(after=mark)
        h.hear(customer="outside", desk="customer")
        assert h.desk("alice")["contact"]["agent"] == "alice"
        phone.wait()
        sipp.wait()
        record = only(h.centre.wait_contacts(1))
        assert (record["outcome"], record["agent"]) == ("answered", "alice")


def test_a_phone_that_took_over_a_held_call_brings_the_customer_back() -> None:
    with house() as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        alice = h.phones["alice"]
        alice.hold()
        h.hear(customer=MUSIC)
        line = stack.enter_context(Line(hertz=HERTZ["outside"]))
        h.ears["desk"] = line
        value = replaces(alice, "+48501000111")
        phone = stack.enter_context(other_phone(h, "alice", "uac_replaces", value, line, talk_ms=4000))
        h.hear(customer="outside", desk="customer")
        phone.wait()
        sipp.wait()


def test_another_phone_answers_what_rings() -> None:
    with house() as h, ExitStack() as stack:
        alice = h.phones["alice"]
        alice.stop()
        ringing = stack.enter_context(
            Baresip("alice", h.centre.sip, "acme.example", "alice has a long one", answer="manual")
        )
        ringing.wait_registered()
        h.asks("alice", "ready")
        line = stack.enter_context(Line(hertz=HERTZ["outside"]))
        sipp, ear = stack.enter_context(
            caller(h.centre, SALES, "uac_wait_for_bye", hertz=HERTZ["customer"], patience_ms=60000)
        )
        h.ears |= {"desk": line, "customer": ear}
        ringing.wait_incoming()
        value = replaces(ringing, "+48501000111", ";early-only")
        phone = stack.enter_context(other_phone(h, "alice", "uac_replaces", value, line, talk_ms=4000))
        ringing.wait_closed()
        h.hear(customer="outside", desk="customer")
        phone.wait()
        sipp.wait()


@pytest.mark.parametrize(
    ("user", "what", "status"),
    [
        ("boris", "another's call", 403),
        ("alice", "nothing", 481),
        ("alice", "with a wrong tag", 481),
        ("alice", "early only", 486),
    ],
)
def test_a_call_that_may_not_be_taken_over_goes_on(user: str, what: str, status: int) -> None:
    with house() as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        value = replaces(h.phones["alice"], "+48501000111", ";early-only" if what == "early only" else "")
        if what == "nothing":
            value = "nobody@nowhere;to-tag=1;from-tag=2"
        elif what == "with a wrong tag":
            value = re.sub(r"from-tag=\w", "from-tag=x", value)
        with other_phone(h, user, "uac_replaces_refused", value, None, status=status) as phone:
            phone.wait()
        time.sleep(0.5)
        h.hear(customer="alice", alice="customer")
        h.phones["alice"].hangup()
        sipp.wait()


def test_nobody_outside_takes_a_call_over() -> None:
    with house() as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        call_id, near, far = dialog_of(h.phones["alice"], "+48501000111")
        stranger = stack.enter_context(
            Sipp(
                "uac_rejected",
                h.centre.sip,
                SALES,
                {"status": 403, "more": f"Replaces: {call_id};to-tag={far};from-tag={near}"},
                local_ip=ports.loopback(),
            )
        )
        stranger.wait()
        h.hear(customer="alice", alice="customer")
        h.phones["alice"].hangup()
        sipp.wait()


# --- before whoever is asked has answered ---


def ringing(h: House, stack: ExitStack, whom: str = "boris") -> Sipp:
    """alice talks with the customer, holds, and calls somebody whose phone rings and isn't answered yet."""
    h.phones[whom].stop()
    phone = h.phones[whom] = h.ears[whom] = stack.enter_context(
        Baresip(
            whom,
            h.centre.sip,
            "acme.example",
            f"{whom} has a long one",
            hertz=HERTZ[whom],
            answer="manual",
        )
    )
    phone.wait_registered()
    sipp, _ = h.call(stack)
    mark = h.phones["alice"].mark()
    h.phones["alice"].hold()
    h.hear(customer=MUSIC)
    h.phones["alice"].dial(whom)
    phone.wait_incoming()
    h.phones["alice"].wait_event("CALL_RINGING", "CALL_PROGRESS", after=mark)
    return sipp


def test_a_phone_transfers_while_whoever_is_asked_still_rings() -> None:
    with house() as h, ExitStack() as stack:
        sipp = ringing(h, stack)
        alice = h.phones["alice"]
        mark = alice.mark()
        joins(alice, 1, "boris")
        alice.wait_closed(after=mark)
        h.phones["boris"].accept()
        h.hear(customer="boris", boris="customer")
        h.phones["boris"].hangup()
        sipp.wait()


def test_a_phone_gives_up_asking() -> None:
    with house() as h, ExitStack() as stack:
        sipp = ringing(h, stack)
        alice = h.phones["alice"]
        alice.hangup()
        h.phones["boris"].wait_closed()
        h.hear(customer=MUSIC)
        alice.command("line", "1")
        alice.resume()
        h.hear(customer="alice")
        alice.hangup()
        sipp.wait()


def test_the_caller_hangs_up_while_somebody_is_asked() -> None:
    with house() as h, ExitStack() as stack:
        sipp, ear = stack.enter_context(
            caller(h.centre, SALES, "uac_call", hertz=HERTZ["customer"], talk_ms=6000)
        )
        h.ears["customer"] = ear
        alice, boris = h.phones["alice"], h.phones["boris"]
        alice.wait_established()
        mark = alice.mark()
        alice.hold()
        alice.dial("boris")
        boris.wait_established()
        alice.wait_established(after=mark)
        sipp.wait()
        boris.wait_closed()
        ends = time.monotonic() + 8
        while alice.count("CALL_CLOSED") < 2:
            assert time.monotonic() < ends, alice.story()
            time.sleep(0.1)
        assert only(h.centre.wait_contacts(1))["outcome"] == "answered"
