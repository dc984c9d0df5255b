"""Beside the talk: the word to the agent before it, recordings on demand and their gaps, a payment, a survey after it.

Foreign phones with a tone each; who hears whom, and what the recording holds when, is found by frequency. What the
agent is told is the file that was spoken, found in what their phone heard.
"""

import itertools
import os
import re
import signal
import sqlite3
import time
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from bench import Line, Sipp, level, share_of
from bench.tones import RATE, Samples
from test_flows import everything, found_in, read
from test_queue_call import SALES, caller, only, recording
from test_who_hears_whom import HERTZ, MUSIC, House, house, what_is_in

pytestmark = pytest.mark.peer

CARD = "4929731620845517"

FLOWS = {
    "payment": {
        "start": "card",
        "language": "en",
        "nodes": {
            "card": {
                "type": "collect", "prompt": ["Please enter your card number, then the hash key."],
                "title": "Card number",
                "variable": "card", "least": 16, "most": 19, "secret": True, "timeout": 20, "digit_timeout": 8,
                "exits": {"next": "paid", "timeout": "none", "invalid": "none"},
            },
            "paid": {"type": "set", "values": {"result": "'paid'"}, "exits": {"next": "thanks"}},
            "none": {"type": "set", "values": {"result": "'no card'"}, "exits": {"next": "back"}},
            "thanks": {"type": "say", "prompt": ["Thank you."], "exits": {"next": "back"}},
            "back": {"type": "return"},
        },
    },
    "after": {
        "start": "score",
        "language": "en",
        "nodes": {
            "score": {
                "type": "survey", "prompt": ["How was it, from one to five?"], "question": "score", "timeout": 20,
                "exits": {"next": "bye", "timeout": "bye", "invalid": "bye"},
            },
            "bye": {"type": "hang_up"},
        },
    },
}  # fmt: skip


def tenant(**queue: Any) -> dict[str, Any]:
    sales = {"name": "Flowers, sales", "agents": ["alice", "boris"], "wrap_up": "30s", **queue}
    return {"queues": {"sales": sales}, "flows": FLOWS}


def until(true: Any, what: str, within: float = 15.0) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def spoken(h: House) -> dict[str, Samples]:
    assert h.centre.data
    return {
        path.name: read(path) for path in (h.centre.data / "speech").rglob("*.wav") if path.name != "beep.wav"
    }


def events(h: House, kind: str) -> list[str]:
    """Bodies of the ledger's rows, as a foreign program reads them."""
    assert h.centre.data
    with sqlite3.connect(f"file:{h.centre.data / 'ledger.db'}?mode=ro", uri=True) as db:
        return [
            body
            for (body,) in db.execute("SELECT body FROM log WHERE kind = ? ORDER BY seq", (f"event.{kind}",))
        ]


def pieces(channel: Samples, hertz: float) -> list[bool]:
    """Half second by half second: is it this tone? False only where there is silence."""
    found = []
    for at in range(0, len(channel) - RATE // 2 + 1, RATE // 2):
        piece = channel[at : at + RATE // 2]
        found.append(share_of(hertz, piece, 40.0) > 0.5 and level(piece) > 0.02)
    return found


def changes_of(heard: list[bool]) -> list[bool]:
    """Runs of two pieces and more, without repeats."""
    runs = [one for one, other in itertools.pairwise(heard) if one == other]
    return [one for place, one in enumerate(runs) if place == 0 or runs[place - 1] != one]


def talks(h: House, stack: ExitStack) -> tuple[Sipp, Line]:
    """A caller who talks with alice. A machine that has just begun so many programs turns calls away for a while."""
    time.sleep(3.0)
    return h.call(stack)


def who_hangs_up(h: House, stack: ExitStack, after: float) -> Line:
    """A caller who hangs up by themselves; to be spoken with."""
    time.sleep(3.0)
    _, line = stack.enter_context(
        caller(h.centre, SALES, "uac_call", hertz=HERTZ["customer"], talk_ms=round(1000 * after))
    )
    h.ears["customer"] = line
    h.phones["alice"].wait_established()
    return line


# --- before the connection ---


@pytest.mark.parametrize("strategy", ["longest_idle", pytest.param("ring_all", marks=pytest.mark.soak)])
def test_the_agent_is_told_who_waits_and_the_customer_hears_music_on(strategy: str) -> None:
    with house(more=tenant(brief=True, strategy=strategy)) as h, ExitStack() as stack:
        h.asks("alice", "pause", reason="lunch")
        if strategy == "ring_all":
            h.asks("boris", "ready")
            h.asks("boris", "pause", reason="lunch")
        sipp, line = stack.enter_context(
            caller(h.centre, SALES, "uac_wait_for_bye", hertz=HERTZ["customer"], patience_ms=60000)
        )
        h.ears["customer"] = line
        h.hear(customer=MUSIC)
        time.sleep(7.0)
        h.asks("alice", "ready")
        alice = h.phones["alice"]
        alice.wait_established()
        until(lambda: level(alice.heard(0.3)) > 0.01, "alice is told nothing")
        assert HERTZ["alice"] not in (HERTZ[name] for name in what_is_in(line.heard(0.3)) if name in HERTZ)
        h.hear(customer="alice", alice="customer")
        time.sleep(1.5)
        # What the phone heard before the customer's tone are the files that were spoken.
        heard = alice.heard()
        likely = {name: found_in(heard, sound) for name, sound in spoken(h).items()}
        said = [(name, at) for name, (likeness, at) in likely.items() if likeness > 0.95]
        assert len(said) == 3, likely  # the queue's name, "waited", "ten seconds"
        tones = pieces(heard, HERTZ["customer"])
        first = tones.index(True) * RATE // 2
        assert all(at < first for _, at in said)
        began, ended = (events(h, f"Briefing{kind}")[0] for kind in ("Began", "Ended"))
        assert '"how":"said"' in ended
        told = float(re.findall(r'"at":([\d.]+)', ended)[0]) - float(re.findall(r'"at":([\d.]+)', began)[0])
        assert 1.0 < told < 6.1
        sound = line.heard()[: -int(RATE * 0.5)]
        assert not any(pieces(sound, HERTZ["alice"])[: int((7.0 + told - 1.0) * 2)]), (
            "the customer hears the agent"
        )
        alice.hangup()
        sipp.wait()
        record = only(h.centre.wait_contacts(1))
        # The wait, and the service level, go on until the conversation begins.
        assert record["wait_s"] > 7.0 + told - 0.5


def test_whoever_leaves_while_the_agent_is_told() -> None:
    """boris calls, so that he can hang up at the right moment; the name takes longer to say than is allowed."""
    name = "Flowers, gardens, balconies, and whatever else grows; sales, complaints and praise, all day long, every day"
    with house(more=tenant(brief=True, name=name, reject_delay="1s")) as h:
        alice, boris = h.phones["alice"], h.phones["boris"]
        boris.dial(SALES)
        alice.wait_established()
        until(lambda: events(h, "BriefingBegan"), "no briefing")
        alice.hangup()  # as one who refuses
        until(lambda: '"how":"refused"' in "".join(events(h, "OfferEnded")), "still hers")
        h.hear(boris=MUSIC)
        mark = alice.mark()
        alice.wait_established(after=mark)
        until(lambda: len(events(h, "BriefingBegan")) == 2, "no second briefing")
        boris.hangup()
        alice.wait_closed(after=mark)
        record = only(h.centre.wait_contacts(1))
        assert record["outcome"] in ("abandoned", "short_abandoned")
        assert record["answered_at"] is None
        assert not events(h, "WrapUpBegan")
        assert h.desk("alice")["agent"]["state"] == "ready"
        # Who is patient gets the agent, though the name is still being said.
        mark = alice.mark()
        boris.dial(SALES)
        alice.wait_established(after=mark)
        h.hear(boris="alice", alice="boris")
        assert '"how":"time"' in events(h, "BriefingEnded")[-1]
        alice.hangup()


@pytest.mark.parametrize("when", ["application", pytest.param("worker", marks=pytest.mark.soak)])
def test_a_crash_while_the_agent_is_told(when: str) -> None:
    """boris calls: his phone follows when the sound moves to another port."""
    with house(more=tenant(brief=True)) as h:
        time.sleep(3.0)
        alice, boris = h.phones["alice"], h.phones["boris"]
        boris.dial(SALES)
        alice.wait_established()
        until(lambda: events(h, "BriefingBegan"), "no briefing")
        if when == "application":
            h.centre.kill9()
            h.centre.start()
        else:
            os.kill(h.centre.workers()[0], signal.SIGKILL)
        until(lambda: events(h, "Connected"), "they aren't connected", within=30.0)
        h.hear(boris="alice", alice="boris")
        alice.hangup()
        assert only(h.centre.wait_contacts(1))["outcome"] == "answered"


# --- recordings ---


@pytest.mark.parametrize("crash", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_recording_on_demand_with_a_marked_gap(crash: bool) -> None:
    with house(more=tenant(record_on_demand=True)) as h, ExitStack() as stack:
        sipp, _ = talks(h, stack)
        h.asks("alice", "recording-pause", paused=True, status=409)
        time.sleep(1.5)
        marks: list[float] = []

        def asks(what: str, **body: bool) -> None:
            h.asks("alice", what, **body)
            marks.append(time.monotonic())

        asks("record", on=True)
        time.sleep(3)
        asks("recording-pause", paused=True)
        assert h.desk("alice")["contact"]["recording"]["state"] == "paused"
        time.sleep(1.5)
        if crash:
            h.centre.kill9()
            h.centre.start()
        time.sleep(1.5)
        asks("recording-pause", paused=False)
        time.sleep(3)
        asks("record", on=False)
        time.sleep(3)
        asks("record", on=True)
        time.sleep(3)
        h.phones["alice"].hangup()
        sipp.wait()
        record = only(h.centre.wait_contacts(1))
        until(lambda: len(events(h, "Recorded")) == 2, "the file is not closed")
        customer, owner = recording(h.centre, only(h.centre.contacts()))
        for channel, hertz in ((customer, HERTZ["customer"]), (owner, HERTZ["alice"])):
            assert changes_of(pieces(channel, hertz)) == [True, False, True, False, True]
        # The gaps are where the events say, on the file's own time line.
        assert [one["why"] for one in record["gaps"]] == ["asked", "off"]
        expected = [[one - marks[0] for one in marks[at : at + 2]] for at in (1, 3)]
        for gap, (began, ended) in zip(record["gaps"], expected, strict=True):
            since, to = gap["from"], gap["to"]
            assert (since, to) == (pytest.approx(began, abs=0.8), pytest.approx(ended, abs=0.8))
            inside = customer[int((since + 0.2) * RATE) : int((to - 0.2) * RATE)]
            assert level(inside) < 1e-4, "something is recorded in a gap"
            for edge in (customer[int((since - 0.7) * RATE) : int((since - 0.2) * RATE)],
                         customer[int((to + 0.3) * RATE) : int((to + 0.8) * RATE)]):  # fmt: skip
                assert share_of(HERTZ["customer"], edge) > 0.8
        assert len(customer) / RATE == pytest.approx(marks[-1] - marks[0] + 3.0, abs=2.0)


def test_a_pause_that_is_forgotten_ends_by_itself_with_an_alarm() -> None:
    with house(more=tenant(record=True, longest_pause="3s")) as h, ExitStack() as stack:
        sipp, _ = talks(h, stack)
        time.sleep(2)
        h.asks("alice", "recording-pause", paused=True)
        h.centre.wait_output("ALARM.*longest pause", 10)
        time.sleep(2.5)
        assert h.desk("alice")["contact"]["recording"]["state"] == "on"
        h.phones["alice"].hangup()
        sipp.wait()
        h.centre.wait_contacts(1)
        until(lambda: events(h, "Recorded"), "the file is not closed")
        customer, _ = recording(h.centre, only(h.centre.contacts()))
        assert changes_of(pieces(customer, HERTZ["customer"])) == [True, False, True]
        assert '"why":"limit"' in events(h, "RecordingResumed")[0]


# --- a payment in mid-call ---


def pay(line: Line, digits: str = CARD + "#") -> None:
    line.send_digits(digits)


def test_a_payment_is_heard_by_nobody_recorded_nowhere_and_ends_with_the_agent() -> None:
    with house(more=tenant(record=True, interludes=["payment"])) as h, ExitStack() as stack:
        sipp, line = talks(h, stack)
        time.sleep(2)
        assert h.desk("alice")["contact"]["steps"] == ["payment"]
        h.asks("alice", "step", flow="after", status=409)
        h.asks("alice", "step", flow="payment")
        h.hear(alice=MUSIC)
        shown = h.desk("alice")["contact"]
        assert shown["step"] == {"flow": "payment", "place": "Card number"}
        assert (shown["recording"]["state"], shown["recording"]["why"]) == ("paused", "payment")
        until(
            lambda: any(found_in(line.heard(), one)[0] > 0.95 for one in spoken(h).values()),
            "no prompt is heard",
        )
        pay(line)
        h.hear(customer="alice", alice="customer")
        shown = h.desk("alice")["contact"]
        assert shown["step"] is None
        assert shown["given"] == ["result"]
        assert shown["answers"] == {"result": "paid"}
        assert shown["recording"]["state"] == "on"
        time.sleep(2.5)
        h.phones["alice"].hangup()
        sipp.wait()
        record = only(h.centre.wait_contacts(1))
        until(lambda: events(h, "Recorded"), "the file is not closed")
        customer, owner = recording(h.centre, only(h.centre.contacts()))
        assert changes_of(pieces(customer, HERTZ["customer"])) == [True, False, True]
        assert changes_of(pieces(owner, HERTZ["alice"])) == [True, False, True]
        assert [one["why"] for one in record["gaps"]] == ["payment"]
        assert record["outcome"] == "answered"
        written = everything(h.centre)
        assert b"payment" in written
        assert CARD.encode() not in written
        assert CARD[:6].encode() not in written
        assert np.isfinite(customer).all()


@pytest.mark.parametrize(
    "what",
    ["caller leaves", pytest.param("crash", marks=pytest.mark.soak)]
    + [pytest.param(one, marks=pytest.mark.soak) for one in ("worker", "agent leaves", "called back")],
)
def test_a_payment_that_is_cut_short(what: str) -> None:
    with house(more=tenant(record=True, interludes=["payment"])) as h, ExitStack() as stack:
        if what == "worker":  # boris calls: his phone follows when the sound moves to another port
            time.sleep(3.0)
            h.phones["boris"].dial(SALES)
            h.hear(boris="alice", alice="boris")
        elif what == "caller leaves":
            line = who_hangs_up(h, stack, 12.0)
            h.hear(customer="alice", alice="customer")
        else:
            sipp, line = talks(h, stack)
        h.asks("alice", "step", flow="payment")
        h.hear(alice=MUSIC)
        match what:
            case "crash":
                h.centre.kill9()
                h.centre.start()
                pay(line)
                h.hear(customer="alice", alice="customer")
                assert h.desk("alice")["contact"]["answers"] == {"result": "paid"}
            case "worker":
                os.kill(h.centre.workers()[0], signal.SIGKILL)
                time.sleep(5.0)  # another worker, other ports, the prompt from its beginning
                h.hear(alice=MUSIC)
                h.phones["boris"].send_digits(CARD + "#")
                h.hear(boris="alice", alice="boris")
                assert h.desk("alice")["contact"]["answers"] == {"result": "paid"}
            case "agent leaves":
                h.phones["alice"].hangup()
                until(lambda: h.desk("alice")["agent"]["state"] == "wrap_up", "alice is kept")
                pay(line)
                sipp.wait()  # the flow ends, and with it the call
            case "caller leaves":
                h.phones["alice"].wait_closed(timeout=25)
            case _:
                h.asks("alice", "step", flow="")
                h.hear(customer="alice", alice="customer")
        if what in ("crash", "worker", "called back"):
            h.phones["alice"].hangup()
        if what in ("crash", "called back"):
            sipp.wait()
        assert only(h.centre.wait_contacts(1))["outcome"] == "answered"
        assert CARD.encode() not in everything(h.centre)


# --- the survey ---


@pytest.mark.parametrize("crash", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_the_customer_is_asked_when_the_agent_has_hung_up(crash: bool) -> None:
    with house(more=tenant(record=True, survey="after")) as h, ExitStack() as stack:
        sipp, line = talks(h, stack)
        time.sleep(1)
        h.phones["alice"].hangup()
        until(lambda: h.desk("alice")["agent"]["state"] == "wrap_up", "alice is kept")
        if crash:
            h.centre.kill9()
            h.centre.start()
        h.asks("alice", "finish")
        assert h.desk("alice")["agent"]["state"] == "ready", "the survey blocks nobody"
        until(
            lambda: any(found_in(line.heard(), one)[0] > 0.95 for one in spoken(h).values()),
            "no question is heard",
        )
        line.send_digits("4")
        sipp.wait()
        record = only(h.centre.wait_contacts(1))
        assert record["outcome"] == "answered"
        assert record["agent"] == "alice"
        assert record["talk_s"] < 6.0
        (answer,) = events(h, "SurveyAnswered")
        assert '"question":"score","value":4,"scale":"1-5","queue":"sales","agent":"alice"' in answer


def test_a_customer_who_hangs_up_is_not_asked() -> None:
    with house(more=tenant(survey="after")) as h, ExitStack() as stack:
        who_hangs_up(h, stack, 4.0)
        h.phones["alice"].wait_closed()
        assert only(h.centre.wait_contacts(1))["outcome"] == "answered"
        assert not events(h, "SurveyBegan")
