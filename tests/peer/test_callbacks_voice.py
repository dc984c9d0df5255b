"""Callbacks and messages over the telephone: who waits presses a key, and is called back in their turn.

The caller comes over one trunk and is rung over another, by a phone of their own; who hears whom is found by tones.
"""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from bench import Centre, Line, Sipp, ports
from bench.tones import seconds_of, tone
from test_flows import play, sound, write
from test_in_call import hears, hears_music, soon
from test_queue_call import ALICE, SALES, agent, caller, config, only, recording
from test_web_server import add_user, signed_in

from centrala.testing.ports import free

pytestmark = pytest.mark.peer

BACK, MESSAGE, CALLER = 1300, 1500, 440
"What the phone says at which the customer is called back; what was left as a message."
NUMBER = "+48501000111"
"Of a Polish mobile line, as the callers of `tests/data/sipp` show it."


def flow(nodes: dict[str, Any]) -> dict[str, Any]:
    return {"start": next(iter(nodes)), "language": "en", "nodes": nodes}


FLOWS = {
    "back": flow(
        {
            "ask": {
                "type": "callback",
                "exits": {"booked": "thanks", "no_number": "bye", "full": "bye", "failed": "bye"},
            },
            "thanks": play("thanks"),
            "bye": {"type": "hang_up"},
        }
    ),
    "leave": flow(
        {
            "take": {
                "type": "voicemail",
                "prompt": [sound("thanks")],
                "longest": 20,
                "silence": 2,
                "exits": {"next": "bye", "empty": "bye"},
            },
            "bye": {"type": "hang_up"},
        }
    ),
    "rate": flow(
        {
            "ask": {
                "type": "survey",
                "prompt": [sound("thanks")],
                "question": "good",
                "scale": "1-5",
                "exits": {"next": "bye", "timeout": "bye", "invalid": "bye"},
            },
            "bye": {"type": "hang_up"},
        }
    ),
}


def house(carrier: int, **queue: Any) -> dict[str, Any]:
    usual = {"record": False, "callbacks": {"retry": "10s", "ring": "6s"}, "max_wait": None}
    made = config(carrier=carrier, queue={**usual, **queue})
    if "keys" in queue or "survey" in queue:
        made["tenants"]["acme"]["flows"] = FLOWS
    return made


KEYS = {"1": {"flow": "back"}, "2": {"flow": "leave"}}


@contextmanager
def centre(carrier: int, tmp_path: Path, **queue: Any) -> Iterator[Centre]:
    data = tmp_path / "data"
    write(data / "sounds" / "acme" / "thanks.wav", tone(600, 0.6))
    with Centre(house(carrier, **queue), data=data) as it:
        yield it


def at_home(carrier: int, scenario: str = "uas_answer", **settings: str | int) -> Sipp:
    """The customer's phone, as the carrier reaches it."""
    return Sipp(scenario, local_port=carrier, settings=settings)


def books(it: Centre, **settings: Any) -> None:
    """Somebody waits, presses 1, is thanked, and is hung up."""
    with caller(it, SALES, "uac_wait_for_bye", hertz=CALLER, **settings) as (sipp, line):
        hears_music(line, ALICE, CALLER)
        line.send_digits("1")
        hears(line, 600)
        sipp.wait()


def owed(it: Centre, **wanted: Any) -> dict[str, Any]:
    """The record of the callback."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = [one for one in it.contacts() if one["direction"] == "callback" and one["outcome"]]
        return bool(found)

    soon(there, f"no callback ended\n{it.tail()}", 20.0)
    record = only(found)
    for name, value in wanted.items():
        assert record[name] == value, record
    return record


def test_who_waits_presses_one_and_is_called_back(tmp_path: Path) -> None:
    carrier = ports.free_sip()
    with (
        centre(carrier, tmp_path, keys=KEYS, record=True) as it,
        Line(hertz=BACK) as home,
        Sipp("uas_answer", local_port=carrier, settings={"ring_ms": 800}, line=home) as phone,
    ):
        books(it)
        assert phone.find("INVITE") is None, "rung before an agent was there"
        with agent(it, "alice", ALICE) as alice:
            alice.wait_registered()
            shown = alice.wait_established(timeout=20)
            assert f"sip:{NUMBER}@" in shown.param, "the agent's phone shows whom it is about"
            hears(home, ALICE)
            hears(alice, BACK)
            invite = phone.find("INVITE")
            assert invite is not None
            assert f"sip:{NUMBER}@" in invite.first_line
            time.sleep(1.0)
            alice.hangup()
            phone.wait()
        first, second = sorted(it.wait_contacts(2), key=lambda one: one["arrived_at"])
        assert (first["outcome"], first["queue"], first["answered_at"]) == ("callback", "sales", None)
        assert (second["outcome"], second["agent"], second["direction"]) == ("answered", "alice", "callback")
        assert second["to"] == NUMBER
        assert second["origin"] == first["id"]
        assert second["waiting_since"] == first["queued_at"]
        theirs, ours = recording(it, second)
        assert seconds_of(BACK, theirs) > 0.5
        assert seconds_of(ALICE, ours) > 0.5


def test_who_hangs_up_is_called_back_and_asked_how_it_was(tmp_path: Path) -> None:
    carrier = ports.free_sip()
    with (
        centre(carrier, tmp_path, follow_up={"after": "1s"}, short_abandon="500ms", survey="rate") as it,
        Line(hertz=BACK) as home,
        Sipp("uas_answer", local_port=carrier, settings={"ring_ms": 800}, line=home) as phone,
    ):
        with caller(it, SALES, "uac_call", hertz=CALLER, talk_ms=2000) as (sipp, line):
            hears_music(line, ALICE, CALLER)
            sipp.wait()
        with agent(it, "alice", ALICE) as alice:
            alice.wait_registered()
            alice.wait_established(timeout=20)
            hears(home, ALICE)
            hears(alice, BACK)
            alice.hangup()
            hears(home, 600)
            home.send_digits("5")
            phone.wait()
        lost = [one for one in it.wait_contacts(2) if one["direction"] == "inbound"]
        assert only(lost)["outcome"] == "abandoned"
        record = owed(it, outcome="answered", agent="alice", origin=only(lost)["id"])
        (answer,) = record["answers"]
        assert (answer["survey"], answer["value"], answer["agent"]) == ("rate", 5, "alice")


def test_who_is_not_reached_is_rung_again(tmp_path: Path) -> None:
    carrier = ports.free_sip()
    with centre(carrier, tmp_path, keys=KEYS) as it:
        books(it)
        with agent(it, "alice", ALICE) as alice:
            with Sipp("uas_busy", local_port=carrier) as phone:
                alice.wait_established(timeout=20)
                phone.wait()
                closed = alice.wait_closed()
            with Line(hertz=BACK) as home, Sipp("uas_answer", local_port=carrier, line=home) as phone:
                mark = alice.mark()
                again = alice.wait_established(after=mark, timeout=30)
                assert again.at - closed.at > 8, "the second attempt comes after ten seconds"
                hears(home, ALICE)
                hears(alice, BACK)
                alice.hangup()
                phone.wait()
            owed(it, outcome="answered", attempts=2)


def test_who_rings_again_has_one_conversation(tmp_path: Path) -> None:
    carrier = ports.free_sip()
    with (
        centre(carrier, tmp_path, keys=KEYS) as it,
        Line(hertz=BACK) as home,
        Sipp("uas_answer", local_port=carrier, line=home) as phone,
    ):
        books(it)
        with caller(it, SALES, "uac_wait_for_bye", hertz=CALLER) as (sipp, line):
            hears_music(line, ALICE, CALLER)
            with agent(it, "alice", ALICE) as alice:
                alice.wait_established(timeout=20)
                hears(line, ALICE)
                hears(alice, CALLER)
                alice.hangup()
                sipp.wait()
                rung = alice.count("CALL_ESTABLISHED")
                time.sleep(3.0)
                assert alice.count("CALL_ESTABLISHED") == rung, "rung for what is done already"
        assert phone.find("INVITE") is None
        owed(it, outcome="replaced", answered_at=None)
        first, *_, last = sorted(it.wait_contacts(3), key=lambda one: one["arrived_at"])
        assert last["outcome"] == "answered"
        assert last["waiting_since"] == first["queued_at"], "who rings again keeps the place"


def test_a_callback_outlives_a_kill(tmp_path: Path) -> None:
    carrier = ports.free_sip()
    with (
        centre(carrier, tmp_path, keys=KEYS) as it,
        Line(hertz=BACK) as home,
        Sipp("uas_answer", local_port=carrier, settings={"ring_ms": 3000}, line=home) as phone,
    ):
        books(it)
        it.kill9()
        it.start()
        with agent(it, "alice", ALICE) as alice:
            alice.wait_established(timeout=20)
            phone.wait_for("INVITE")
            # In the midst of the customer's ringing once more: the same call goes on.
            it.kill9()
            it.start()
            hears(home, ALICE, 15)
            hears(alice, BACK, 15)
            alice.hangup()
            phone.wait()
        owed(it, outcome="answered", agent="alice", attempts=1)
        calls = {one.header("Call-ID") for one in phone.messages() if one.first_line.startswith("INVITE")}
        assert len(calls) == 1, "the customer is called once"


def test_a_message_is_heard_by_an_agent_and_its_caller_called(tmp_path: Path) -> None:
    carrier = ports.free_sip()
    http = free("127.0.0.1", kind=socket.SOCK_STREAM)
    made = house(carrier, keys=KEYS)
    made["listen"] = {"http": f"127.0.0.1:{http}"}
    data = tmp_path / "data"
    write(data / "sounds" / "acme" / "thanks.wav", tone(600, 0.6))
    with (
        Centre(made, data=data) as it,
        Line(hertz=BACK) as home,
        Sipp("uas_answer", local_port=carrier, line=home) as phone,
    ):
        assert add_user(data, "alice", "--role", "agent", "--agent", "alice").returncode == 0
        with caller(it, SALES, "uac_call", hertz=MESSAGE, talk_ms=7000) as (sipp, line):
            hears_music(line, ALICE, MESSAGE)
            line.send_digits("2")
            hears(line, 600)
            sipp.wait()
        with agent(it, "alice", ALICE) as alice:
            alice.wait_established(timeout=20)
            hears(alice, MESSAGE)
            page = signed_in(f"http://127.0.0.1:{http}", "alice")
            contact = page.get("/me/agent").json()["contact"]
            assert (contact["owed"], contact["medium"]) == ("message", "voicemail")
            sound = page.get(f"/messages/{contact['id']}/sound").content
            assert sound[:4] == b"RIFF"
            assert page.post("/me/agent/call-customer", json={}).status_code == 200
            hears(home, ALICE)
            hears(alice, BACK)
            alice.hangup()
            phone.wait()
        first, message = sorted(it.wait_contacts(2), key=lambda one: one["arrived_at"])
        assert (first["outcome"], first["answered_at"]) == ("voicemail", None)
        assert (message["outcome"], message["agent"], message["origin"]) == ("answered", "alice", first["id"])
        assert message["medium"] == "voicemail"


def test_the_flow_that_every_house_has(tmp_path: Path) -> None:
    """`keys: {"1": {flow: callback}}` alone: the number is said back, confirmed by 1, and called."""
    carrier = ports.free_sip()
    made = config(
        carrier=carrier, queue={"record": False, "keys": {"1": {"flow": "callback"}}, "max_wait": None}
    )
    with (
        Centre(made, data=tmp_path / "data") as it,
        Line(hertz=BACK) as home,
        Sipp("uas_answer", local_port=carrier, line=home) as phone,
    ):
        with caller(it, SALES, "uac_wait_for_bye", hertz=CALLER) as (sipp, line):
            hears_music(line, ALICE, CALLER)
            line.send_digits("1")
            time.sleep(3.0)
            line.send_digits("1")
            sipp.wait()
        with agent(it, "alice", ALICE) as alice:
            alice.wait_established(timeout=20)
            hears(home, ALICE)
            hears(alice, BACK)
            alice.hangup()
            phone.wait()
        record = owed(it, outcome="answered", agent="alice", to=NUMBER)
        origin = next(one for one in it.contacts() if one["id"] == record["origin"])
        assert (origin["outcome"], origin["flow"]) == ("callback", "callback")
        assert "callback/book:booked" in origin["path"]


@pytest.mark.soak
def test_a_time_is_booked_by_keys(tmp_path: Path) -> None:
    """Of those that the built-in flow offers, an hour away at the least. That it is kept then is proven by a clock of
    our own, in tests/unit/test_booked_slot.py."""
    clara, http = ports.free_sip(), free("127.0.0.1", kind=socket.SOCK_STREAM)
    queue = {
        "record": False,
        "keys": {"1": {"flow": "callback"}},
        "callbacks": {"slots": {"share": 100}},
        "max_wait": None,
    }
    made = config(carrier=ports.free_sip(), fixed=clara, queue=queue)
    made["listen"] = {"http": f"127.0.0.1:{http}"}
    data = tmp_path / "data"
    with Centre(made, data=data) as it, Sipp("uas_answer", local_port=clara) as agents:
        assert add_user(data, "chief", "--role", "supervisor").returncode == 0
        with caller(it, SALES, "uac_call", talk_ms=30_000), ExitStack() as later:
            agents.wait_for("ACK")
            sipp, line = later.enter_context(caller(it, SALES, "uac_wait_for_bye", hertz=CALLER))
            hears_music(line, ALICE, CALLER)
            # To be called back; at this number; at another time; the first that is offered.
            for key in ("1", "1", "2", "1"):
                line.send_digits(key)
                time.sleep(0.7)
            sipp.wait()
            now = time.time()
            page = signed_in(f"http://127.0.0.1:{http}", "chief")
            (listed,) = page.get("/floor/callbacks").json()["items"]
            (record,) = it.wait_contacts(1)
        assert record["outcome"] == "callback"
        assert listed["origin"] == record["id"]
        assert listed["promise"]["slot"]
        due = listed["promise"]["due"]
        assert due % 900 == 0
        assert now + 3000 < due < now + 2 * 86400
        # Said to the end: when it is.
        assert record["path"][-3:] == ["callback/times-3:1", "callback/book-1:booked", "callback/at-1:next"]


@pytest.mark.parametrize("way", ["tone", "info"])
def test_keys_while_waiting_in_other_ways(tmp_path: Path, way: str) -> None:
    """As a tone out of sox though telephone events were agreed on, and by INFO."""
    raw = tmp_path / "key.al"
    key = ("synth", "0.12", "sine", "697", "sine", "1209", "remix", "-", "gain", "-6", "pad", "2.5", "8")
    subprocess.run(["sox", "-n", "-r", "8000", "-e", "a-law", "-c", "1", str(raw), *key], check=True)
    with centre(ports.free_sip(), tmp_path, keys=KEYS) as it:
        scenario, settings = ("uac_info", {"key": "1", "before_ms": 2500}) if way == "info" else (
            "uac_wait_for_bye",
            {},
        )  # fmt: skip
        audio = raw if way == "tone" else None
        with Sipp(scenario, it.sip, SALES, settings, local_ip=ports.loopback(), audio=audio) as sipp:
            sipp.wait()
        (record,) = [one for one in it.wait_contacts(1) if one["direction"] == "inbound"]
        assert (record["outcome"], record["path"]) == ("callback", ["back/ask:booked", "back/thanks:next"])


def test_keys_that_lead_nowhere_change_nothing(tmp_path: Path) -> None:
    with centre(ports.free_sip(), tmp_path, keys=KEYS) as it, agent(it, "alice", ALICE) as alice:
        alice.wait_registered()
        with caller(it, SALES, "uac_wait_for_bye", hertz=CALLER) as (sipp, line):
            alice.wait_established()
            hears(line, ALICE)
            line.send_digits("1")  # in the conversation it is for the agent's ears
            hears(alice, CALLER)
            alice.hangup()
            sipp.wait()
        assert only(it.wait_contacts(1))["outcome"] == "answered"
