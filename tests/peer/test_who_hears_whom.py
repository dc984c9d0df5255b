"""Who hears whom, by the tones that real phones hear: hold, consultation, conference, supervision, over the API.

Each party says a tone of its own all the time. `hear` waits until each ear hears exactly who is named, and nobody
else: a party that is heard where it mustn't be fails it as surely as one that isn't heard.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from bench import Baresip, Centre, Line, Sipp, level, ports, share_of
from bench.tones import Samples
from test_queue_call import SALES, caller, only
from test_web_server import add_user, signed_in

from centrala.testing.ports import free

pytestmark = pytest.mark.peer

HERTZ = {
    "customer": 1000.0,
    "alice": 700.0,
    "boris": 1350.0,
    "sofia": 1800.0,
    "outside": 2300.0,
    "clara": 2950.0,
}
OUTSIDE = "+48600700800"
MUSIC, RINGBACK = "music", "ringback"


def config(http: int, carrier: int) -> dict[str, Any]:
    agents = {
        name: {"name": name.title(), "sip_password": f"{name} has a long one"}
        for name in ("alice", "boris", "sofia")
    }
    return {
        "listen": {"http": f"127.0.0.1:{http}"},
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "trunks": {
                    "carrier": {"address": f"127.0.0.1:{carrier}", "outbound": True},
                    "office": {"network": "127.0.5.0/24"},
                },
                "agents": agents,
                "queues": {"sales": {"agents": ["alice"], "wrap_up": "30s", "record": True}},
                "numbers": {SALES: {"queue": "sales"}},
            }
        },
    }


@dataclass(slots=True)
class House:
    """A centre with three phones and three people; whoever is asked to do something does it by the API."""

    centre: Centre
    phones: dict[str, Baresip]
    pages: dict[str, httpx.Client]
    ears: dict[str, Line | Baresip]

    def asks(self, who: str, what: str, status: int = 200, **body: Any) -> dict[str, Any]:
        answer = self.pages[who].post(f"/me/agent/{what}", json=body)
        assert answer.status_code == status, f"{what}: {answer.text}"
        return answer.json()  # type: ignore[no-any-return]

    def supervise(self, mode: str, who: str = "sofia") -> None:
        contact = self.desk("alice")["contact"] or self.desk("sofia")["contact"]
        answer = self.pages[who].post(f"/floor/contacts/{contact['id']}/supervise", json={"mode": mode})
        assert answer.status_code == 200, answer.text

    def desk(self, who: str) -> dict[str, Any]:
        return self.pages[who].get("/me/agent").json()  # type: ignore[no-any-return]

    def legs(self) -> dict[str, str]:
        """Agent → leg, of the conversation that alice is in."""
        return {one["agent"]: one["leg"] for one in self.desk("alice")["contact"]["parties"] if one["agent"]}

    def hear(self, **expected: str) -> None:
        """Until each ear hears exactly these, at the same time, for a while. `hear(alice="customer boris")`."""
        until = time.monotonic() + 10
        while True:
            heard = {ear: what_is_in(self.ears[ear].heard(0.5)) for ear in expected}
            if heard == {ear: set(names.split()) for ear, names in expected.items()}:
                break
            assert time.monotonic() < until, f"heard {heard}, expected {expected}"
            time.sleep(0.1)

    def call(self, stack: ExitStack) -> tuple[Sipp, Line]:
        sipp, line = stack.enter_context(
            caller(self.centre, SALES, "uac_wait_for_bye", hertz=HERTZ["customer"], patience_ms=60000)
        )
        self.ears["customer"] = line
        self.phones["alice"].wait_established()
        self.hear(customer="alice", alice="customer")
        return sipp, line


def what_is_in(sound: Samples) -> set[str]:
    """Who speaks in half a second of sound."""
    if len(sound) < 2000 or level(sound) < 0.003:
        return set()
    voices = {name: share_of(hertz, sound) for name, hertz in HERTZ.items()}
    heard = {name for name, share in voices.items() if share > 0.1}
    if sum(voices.values()) > 0.8:
        return heard
    return heard | {RINGBACK if share_of(425.0, sound) > 0.6 else MUSIC}


@contextmanager
def house(
    carrier: int = 5070,
    clara: int | None = None,
    supervisors: tuple[str, ...] = ("sofia",),
    more: dict[str, Any] | None = None,
) -> Iterator[House]:
    """`clara`: the port of a fixed phone that is hers; `more`: keys of the tenant."""
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    made = config(http, carrier)
    made["tenants"]["acme"] |= more or {}
    names = ["alice", "boris", "sofia"]
    if clara is not None:
        made["tenants"]["acme"]["agents"]["clara"] = {"phone": f"sip:clara@127.0.0.1:{clara}"}
        names.append("clara")
    with ExitStack() as stack:
        centre = stack.enter_context(Centre(made))
        assert centre.data
        phones: dict[str, Baresip] = {}
        pages: dict[str, httpx.Client] = {}
        for name in names:
            role = "supervisor" if name in supervisors else "agent"
            assert add_user(centre.data, name, "--role", role, "--agent", name).returncode == 0
            pages[name] = signed_in(f"http://127.0.0.1:{http}", name)
            stack.callback(pages[name].close)
            if name == "clara":
                continue
            phones[name] = stack.enter_context(
                Baresip(
                    name,
                    centre.sip,
                    "acme.example",
                    f"{name} has a long one",
                    hertz=HERTZ[name],
                    answer="auto",
                )
            )
        for phone in phones.values():
            phone.wait_registered()
        there = House(centre, phones, pages, dict(phones))
        there.asks("alice", "ready")
        yield there


def test_hold_mute_consultation_swap_conference_and_everything_a_supervisor_does() -> None:
    with house() as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        h.asks("alice", "hold")
        h.hear(customer=MUSIC, alice="")
        h.asks("alice", "resume")
        h.asks("alice", "mute", muted=True)
        h.hear(customer="", alice="customer")
        h.asks("alice", "mute", muted=False)
        h.hear(customer="alice", alice="customer")

        h.asks("alice", "consult", to="boris")
        h.phones["boris"].wait_established()
        h.hear(customer=MUSIC, alice="boris", boris="alice")
        h.supervise("whisper")
        h.hear(customer=MUSIC, alice="boris sofia", boris="alice", sofia="alice boris")
        h.supervise("off")
        h.phones["sofia"].wait_closed()
        h.asks("alice", "swap")
        h.hear(customer="alice", alice="customer", boris=MUSIC)
        h.asks("alice", "conference")
        h.hear(customer="alice boris", alice="customer boris", boris="customer alice")

        mark = h.phones["sofia"].mark()
        h.supervise("listen")
        h.phones["sofia"].wait_established(after=mark)
        h.hear(
            sofia="customer alice boris",
            customer="alice boris",
            alice="customer boris",
            boris="customer alice",
        )
        h.supervise("whisper")
        h.hear(
            sofia="customer alice boris",
            customer="alice boris",
            alice="customer boris sofia",
            boris="customer alice",
        )
        h.supervise("barge")
        h.hear(
            sofia="customer alice boris",
            customer="alice boris sofia",
            alice="customer boris sofia",
            boris="customer alice sofia",
        )
        h.asks("alice", "hold")  # in a conference whoever steps aside leaves the others talking
        h.hear(customer="boris sofia", alice="", boris="customer sofia", sofia="customer boris")
        h.asks("alice", "resume")
        h.asks("alice", "drop", leg=h.legs()["boris"])
        h.phones["boris"].wait_closed()
        h.supervise("take_over")
        h.phones["alice"].wait_closed()
        h.hear(customer="sofia", sofia="customer")
        assert h.desk("alice")["agent"]["state"] == "wrap_up"
        h.asks("alice", "hang-up", status=409)  # it is hers no more
        h.asks("sofia", "hang-up")
        sipp.wait()
        record = only(h.centre.wait_contacts(1))
    assert [(one["agent"], one["role"]) for one in record["segments"]] == [
        ("alice", "agent"),
        ("boris", "consult"),
        ("sofia", "whisper"),
        ("boris", "member"),
        ("sofia", "listen"),
        ("sofia", "whisper"),
        ("sofia", "barge"),
        ("sofia", "agent"),
    ]
    assert (record["outcome"], record["agent"]) == ("answered", "alice")


def test_two_supervisors_in_one_conversation() -> None:
    """Who listens hears those who talk, and not the other supervisor; who whispers is heard by the agent alone."""
    with house(supervisors=("sofia", "boris")) as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        h.supervise("listen")
        h.phones["sofia"].wait_established()
        h.supervise("listen", "boris")
        h.phones["boris"].wait_established()
        h.hear(customer="alice", alice="customer", sofia="customer alice", boris="customer alice")
        h.supervise("whisper", "boris")
        h.hear(customer="alice", alice="customer boris", sofia="customer alice", boris="customer alice")
        h.supervise("whisper")
        h.hear(customer="alice", alice="customer boris sofia", sofia="customer alice", boris="customer alice")
        h.supervise("off", "boris")
        h.phones["boris"].wait_closed()
        h.hear(customer="alice", alice="customer sofia", sofia="customer alice")
        h.asks("alice", "hang-up")
        h.phones["sofia"].wait_closed()
        sipp.wait()


@pytest.mark.parametrize("how", ["complete", "phone hangs up"])
def test_the_customer_meets_the_one_who_was_asked(how: str) -> None:
    with house() as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        h.asks("alice", "consult", to="boris")
        h.phones["boris"].wait_established()
        h.hear(customer=MUSIC, alice="boris", boris="alice")
        if how == "complete":
            h.asks("alice", "complete")
        else:
            h.phones["alice"].hangup()
        h.phones["alice"].wait_closed()
        h.hear(customer="boris", boris="customer")
        assert h.desk("alice")["agent"]["state"] == "wrap_up"
        h.phones["boris"].hangup()
        sipp.wait()
        assert h.desk("boris")["agent"]["state"] == "wrap_up"  # who has talked with the customer, too


def test_a_conference_goes_on_without_the_one_who_called_it_and_over_a_crash() -> None:
    with house() as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        h.asks("alice", "consult", to="boris")
        h.phones["boris"].wait_established()
        h.asks("alice", "conference")
        h.supervise("whisper")
        h.phones["sofia"].wait_established()
        everybody = {
            "customer": "alice boris",
            "alice": "customer boris sofia",
            "boris": "customer alice",
            "sofia": "customer alice boris",
        }
        h.hear(**everybody)
        h.centre.kill9()
        h.centre.start()
        h.hear(**everybody)
        h.asks("alice", "leave")
        h.phones["alice"].wait_closed()
        h.hear(customer="boris", boris="customer sofia", sofia="customer boris")
        h.phones["boris"].hangup()
        sipp.wait()
        h.phones["sofia"].wait_closed()


def test_a_call_by_button_and_digits_on_it() -> None:
    carrier = ports.free_sip()
    with (
        Line(hertz=HERTZ["outside"]) as line,
        Sipp("uas_answer", local_port=carrier, line=line, settings={"patience_ms": 30000}) as remote,
        house(carrier) as h,
    ):
        h.ears["outside"] = line
        h.asks("alice", "dial", number=OUTSIDE)
        h.phones["alice"].wait_established()
        h.hear(alice="outside", outside="alice")
        invited = remote.find("INVITE", sent=False)
        assert invited
        assert invited.first_line.startswith(f"INVITE sip:{OUTSIDE}@127.0.0.1:{carrier}")
        assert "alice" not in invited.text
        assert "X-Centrala" not in invited.text
        h.asks("alice", "digits", digits="42#")
        until = time.monotonic() + 8
        while line.digits() != "42#":
            assert time.monotonic() < until, line.digits()
            time.sleep(0.1)
        h.asks("alice", "consult", to="boris")  # a call that she made is hers as any other
        h.phones["boris"].wait_established()
        h.hear(outside=MUSIC, alice="boris", boris="alice")
        h.asks("alice", "complete")
        h.hear(outside="boris", boris="outside")
        h.asks("boris", "hang-up")
        record = only(h.centre.wait_contacts(1))
    assert (record["direction"], record["to"], record["from"]) == ("outbound", OUTSIDE, "alice")
    assert (record["outcome"], [one["agent"] for one in record["segments"]]) == (
        "answered",
        ["alice", "boris", "boris"],
    )


def test_a_blind_transfer_that_nobody_takes_comes_back() -> None:
    carrier = ports.free_sip()
    with Sipp("uas_busy", local_port=carrier) as remote, house(carrier) as h, ExitStack() as stack:
        sipp, _ = h.call(stack)
        mark = h.phones["alice"].mark()
        h.asks("alice", "transfer", to=OUTSIDE)
        h.phones["alice"].wait_closed(after=mark)
        remote.wait()
        h.phones["alice"].wait_established(after=mark)
        h.hear(customer="alice", alice="customer")
        h.asks("alice", "hang-up")
        sipp.wait()


def test_the_headers_that_pages_read() -> None:
    """What a phone is told of its call: contact, leg and queue; and to answer by itself where it was asked for."""
    port = ports.free_sip()
    with (
        Sipp("uas_answer_hangup", local_port=port, settings={"talk_ms": 500}) as phone,
        house(clara=port) as h,
        ExitStack() as stack,
    ):
        h.call(stack)
        contact = h.desk("alice")["contact"]["id"]
        h.asks("alice", "consult", to="clara")
        phone.wait()
        asked = phone.find("INVITE", sent=False)
        assert asked
        assert asked.header("X-Centrala-Contact") == contact
        assert asked.header("X-Centrala-Leg") == f"{contact}.2"
        assert asked.header("X-Centrala-Queue") == "sales"
        assert asked.header("Answer-Mode") is None
        assert "sip:alice@acme.example" in (asked.header("From") or "")  # who asks, not the customer
        h.asks("alice", "hang-up")


def test_a_phone_that_is_to_answer_by_itself_is_told_so() -> None:
    port = ports.free_sip()
    with (
        Sipp("uas_answer_hangup", local_port=port, settings={"talk_ms": 500}) as phone,
        house(clara=port) as h,
    ):
        h.asks("clara", "dial", number="boris")
        h.phones["boris"].wait_established()
        phone.wait()
        asked = phone.find("INVITE", sent=False)
        assert asked
        assert asked.header("Answer-Mode") == "Auto"
        assert asked.header("X-Centrala-Contact")
