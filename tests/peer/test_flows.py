"""Flows heard over the telephone: foreign callers press keys in every way, hear every prompt, leave messages.

Prompts are sounds of one tone each, so that what was heard is found by frequency; what is spoken is compared with the
file that the speech engine made. Where a caller went is read from the record.
"""

import math
import os
import signal
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import Baresip, Centre, Line, Sipp, dominant, level, ports, share_of
from bench.tones import RATE, Samples, seconds_of

pytestmark = pytest.mark.peer

FLOW, OFFICE = "+48221000001", "+48221000009"
CALLER, ALICE = 440, 900
SOUNDS = {
    "hello": (500, 0.6),
    "menu": (600, 1.2),
    "one": (700, 0.5),
    "two": (800, 0.5),
    "again": (1000, 0.5),
    "wrong": (1100, 0.5),
    "code": (1200, 0.6),
    "beep": (1300, 0.3),
    "long": (1500, 8.0),
}
"""Name → (hertz, seconds)."""

BYE = {"bye": {"type": "hang_up"}}


def sound(name: str) -> dict[str, Any]:
    return {"sound": name}


def play(name: str, then: str = "bye", **more: Any) -> dict[str, Any]:
    return {"type": "play", "sound": name, "exits": {"next": then}, **more}


def menu(**exits: str) -> dict[str, Any]:
    """A menu whose exits are digits d1, d2 … beside timeout and invalid."""
    ways = {name.removeprefix("d"): node for name, node in exits.items()}
    return {
        "type": "menu",
        "prompt": [sound("menu")],
        "timeout": 2,
        "retries": 1,
        "timeout_prompt": [sound("again")],
        "invalid_prompt": [sound("wrong")],
        "exits": {"timeout": "bye", "invalid": "bye", **ways},
    }


MENU = {
    "hello": play("hello", "main"),
    "main": menu(d1="one", d2="two", d3="one"),
    "one": play("one"),
    "two": play("two"),
    **BYE,
}


def write(path: Path, samples: Samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((32767 * samples).astype("<i2").tobytes())


def read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, RATE), "a message is mono, PCM16, 8 kHz"
        return np.frombuffer(file.readframes(1 << 30), "<i2") / 32768


def config(flows: dict[str, Any], **tenant: Any) -> dict[str, Any]:
    return {
        "tenants": {
            "acme": {
                "domain": "acme.example",
                "timezone": "Europe/Warsaw",
                "trunks": {"office": {"network": "127.0.5.0/24"}, "phones": {"network": "127.0.0.1/32"}},
                "agents": {
                    "alice": {"name": "Alice", "sip_password": "correct horse", "ready_on_register": True}
                },
                "queues": {"sales": {"agents": ["alice"], "wrap_up": "0s", "ring_timeout": "10s"}},
                "flows": flows,
                "numbers": {FLOW: {"flow": "main"}, OFFICE: {"queue": "sales"}},
                **tenant,
            }
        }
    }


def reached(nodes: dict[str, Any], start: str) -> dict[str, Any]:
    """Without those to which no way leads: a flow with such is refused."""
    found = [start]
    for name in found:
        found += [to for to in nodes[name].get("exits", {}).values() if to not in found]
    return {name: nodes[name] for name in dict.fromkeys(found)}


@contextmanager
def centre(tmp_path: Path, nodes: dict[str, Any], **tenant: Any) -> Iterator[Centre]:
    """A centre whose number leads into one flow, with the sounds of `SOUNDS`."""
    data = tmp_path / "data"
    t = {name: np.arange(round(seconds * RATE)) / RATE for name, (_, seconds) in SOUNDS.items()}
    for name, (hertz, _) in SOUNDS.items():
        write(data / "sounds" / "acme" / f"{name}.wav", 0.25 * np.sin(2 * np.pi * hertz * t[name]))
    start = next(iter(nodes))
    flows = {"main": {"start": start, "language": "en", "nodes": reached(nodes, start)}}
    flows |= tenant.pop("flows", {})
    with Centre(config(flows, **tenant), data=data) as it:
        yield it


@contextmanager
def caller(
    it: Centre, scenario: str = "uac_wait_for_bye", *, hertz: float | None = None, **settings: str | int
) -> Iterator[tuple[Sipp, Line]]:
    """sipp calls the flow, with a line that presses keys and listens."""
    address = ports.loopback()
    with (
        Line(hertz=hertz, address=address) as line,
        Sipp(scenario, it.sip, FLOW, settings, local_ip=address, line=line) as sipp,
    ):
        yield sipp, line


def hear(heard: Callable[[], Samples], name: str, times: int = 1, within: float = 15.0) -> None:
    """Wait until the sound has been heard so often, each time whole. Raises AssertionError."""
    hertz, seconds = SOUNDS[name]
    until = time.monotonic() + within
    while (so_far := seconds_of(hertz, heard(), piece=0.05)) < times * (seconds - 0.15):
        assert time.monotonic() < until, f"{so_far:.2f} s of {name} in {within:.0f} s"
        time.sleep(0.05)


def order(samples: Samples) -> list[str]:
    """The sounds in the order in which they were heard."""
    found: list[str] = []
    for at in range(0, len(samples) - 400, 400):
        piece = samples[at : at + 400]
        names = [
            name
            for name, (hertz, _) in SOUNDS.items()
            if level(piece) > 0.01 and share_of(hertz, piece, 45) > 0.8
        ]
        if names and (not found or found[-1] != names[0]):
            found.append(names[0])
    return found  # fmt: skip


def way(record: dict[str, Any]) -> str:
    """The exits that were taken, node after node."""
    return " ".join(step.partition("/")[2] for step in record["path"])


def ended(it: Centre, outcome: str = "self_served", number: int = 1) -> dict[str, Any]:
    """The record of the only (or last) contact."""
    records = it.wait_contacts(number)
    assert len(records) == number, records
    assert records[-1]["outcome"] == outcome, records[-1]
    return records[-1]


def everything(it: Centre) -> bytes:
    """All bytes in the data folder, logs included, and all that was printed."""
    assert it.data
    files = [path.read_bytes() for path in it.data.rglob("*") if path.is_file()]
    return b"\n".join([*files, "\n".join(it.output).encode()])


@contextmanager
def dialling(it: Centre) -> Iterator[Baresip]:
    """baresip calls the flow; it follows when the sound moves to another port."""
    with Baresip("alice", it.sip, "acme.example", "correct horse", hertz=ALICE) as phone:
        phone.wait_registered()
        phone.dial(FLOW)
        phone.wait_established()
        yield phone


def found_in(heard: Samples, sound: Samples) -> tuple[float, int]:
    """How like the sound the most similar piece of what was heard is (correlation), and where it begins."""
    size = 1 << math.ceil(math.log2(len(heard) + len(sound)))
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sound, size)), size)
    at = int(products[: len(heard)].argmax())
    piece = heard[at : at + len(sound)]
    return float(np.corrcoef(piece, sound[: len(piece)])[0, 1]), at


def asked(it: Centre, query: str) -> list[str]:
    """Rows of the ledger, as a foreign program reads it."""
    assert it.data
    done = subprocess.run(
        ["sqlite3", str(it.data / "ledger.db"), query], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


# --- prompts ---


def test_a_flow_says_plays_and_hangs_up(tmp_path: Path) -> None:
    text = "Good morning. You have reached the garden centre."
    nodes = {
        "hello": {"type": "say", "prompt": [text, {"pause": 300}, sound("beep")], "exits": {"next": "one"}},
        "one": play("one"),
        **BYE,
    }
    with centre(tmp_path, nodes) as it, caller(it) as (sipp, line):
        sipp.wait()
        heard = line.heard()
        record = ended(it)
        assert way(record) == "hello:next one:next"
        assert order(heard)[-2:] == ["beep", "one"]
        # What was heard is the file that was spoken, sample for sample but for G.711.
        files = (tmp_path / "data" / "speech" / "en").glob("*.wav")
        likeness, at, spoken = max(
            ((*found_in(heard, one), one) for one in map(read, files)), key=lambda it: it[0]
        )
        assert likeness > 0.98
        gap = 0.3 + at / RATE + len(spoken) / RATE
        beep = next(i for i in range(at + len(spoken), len(heard), 80) if dominant(heard[i : i + 400]) > 1200)
        assert abs(beep / RATE - gap) < 0.1, "the pause of 300 ms is heard"


def test_nothing_is_answered_before_something_is_said(tmp_path: Path) -> None:
    nodes = {
        "set": {"type": "set", "values": {"n": "length(contact.dialled)"}, "exits": {"next": "is"}},
        "is": {"type": "branch", "cases": [{"if": "n > 3", "exit": "long"}], "exits": {"long": "no", "else": "one"}},
        "no": {"type": "hang_up", "cause": "busy", "outcome": "refused"},
        "one": play("one"),
        **BYE,
    }  # fmt: skip
    with centre(tmp_path, nodes) as it, caller(it) as (sipp, _):
        sipp.wait_for("SIP/2.0 486", sent=False)
        assert not sipp.find("SIP/2.0 200", sent=False)
        assert way(ended(it, "refused")) == "set:next is:long"


def test_a_sound_that_is_missing_or_none_is_passed_over(tmp_path: Path) -> None:
    nodes = {
        "gone": play("gone", "broken"),
        "broken": play("broken", "one"),
        "one": play("one"),
        **BYE,
    }
    data = tmp_path / "data" / "sounds" / "acme"
    write(data / "gone.wav", np.zeros(800))
    write(data / "broken.wav", np.zeros(800))
    with centre(tmp_path, nodes) as it:
        (data / "gone.wav").unlink()
        (data / "broken.wav").write_bytes(b"this is no sound at all")
        with caller(it) as (sipp, line):
            sipp.wait()
            assert order(line.heard()) == ["one"]
            assert way(ended(it)) == "gone:next broken:next one:next"


# --- keys ---


@pytest.mark.parametrize(("key", "heard", "path"), [("1", "one", "one"), ("2", "two", "two")])
def test_a_key_in_a_menu_by_telephone_event(tmp_path: Path, key: str, heard: str, path: str) -> None:
    with centre(tmp_path, MENU) as it, caller(it) as (sipp, line):
        hear(line.heard, "menu")
        line.send_digits(key)
        sipp.wait()
        assert order(line.heard()) == ["hello", "menu", heard]
        assert way(ended(it)) == f"hello:next main:{key} {path}:next"


def test_a_key_by_info(tmp_path: Path) -> None:
    with centre(tmp_path, MENU) as it, caller(it, "uac_info", key="2", before_ms=2200) as (sipp, line):
        sipp.wait()
        assert order(line.heard()) == ["hello", "menu", "two"]
        assert way(ended(it)) == "hello:next main:2 two:next"


def test_a_key_as_a_tone_from_sox(tmp_path: Path) -> None:
    """The caller agreed on telephone events, and sends tones all the same."""
    raw = tmp_path / "key.al"
    subprocess.run(
        [
            *("sox", "-n", "-r", "8000", "-e", "a-law", "-c", "1", str(raw)),
            *("synth", "0.12", "sine", "770", "sine", "1336", "remix", "-", "gain", "-6"),
            *("pad", "2.2", "8"),
        ],
        check=True,
    )
    nodes = {**MENU, "main": menu(d1="one", d5="two")}
    with (
        centre(tmp_path, nodes) as it,
        Sipp("uac_wait_for_bye", it.sip, FLOW, {}, local_ip=ports.loopback(), audio=raw) as sipp,
    ):
        sipp.wait()
        assert way(ended(it)) == "hello:next main:5 two:next"


def test_baresip_presses_keys_and_hears_the_prompts(tmp_path: Path) -> None:
    with centre(tmp_path, MENU) as it, dialling(it) as phone:
        hear(phone.heard, "menu")
        phone.send_digits("2")
        phone.wait_closed()
        assert order(phone.heard()) == ["hello", "menu", "two"]
        assert way(ended(it)) == "hello:next main:2 two:next"


def test_who_knows_the_way_presses_ahead_and_is_told_nothing(tmp_path: Path) -> None:
    nodes = {**MENU, "main": menu(d1="second"), "second": menu(d2="two")}
    with centre(tmp_path, nodes) as it, caller(it) as (sipp, line):
        sipp.connect_line()
        line.send_digits("12")
        sipp.wait()
        assert way(ended(it)) == "hello:next main:1 second:2 two:next"
        heard = line.heard()
        assert order(heard)[-1] == "two"
        assert seconds_of(SOUNDS["menu"][0], heard) < 0.5


def test_a_prompt_that_must_be_heard_is_heard(tmp_path: Path) -> None:
    nodes = {**MENU, "hello": play("hello", "main", barge_in=False)}
    with centre(tmp_path, nodes) as it, caller(it) as (sipp, line):
        sipp.connect_line()
        line.send_digits("2")
        sipp.wait()
        assert order(line.heard()) == ["hello", "two"]
        assert seconds_of(SOUNDS["hello"][0], line.heard(), 0.05) > 0.45


def test_silence_and_wrong_keys_have_their_ways(tmp_path: Path) -> None:
    ways = {"again": play("two"), "wrong": play("two")}
    nodes = {**MENU, "main": menu(d1="one", timeout="again", invalid="wrong"), **ways}
    with centre(tmp_path, nodes) as it:
        with caller(it) as (sipp, line):
            sipp.wait()
            assert order(line.heard()) == ["hello", "menu", "again", "menu", "two"]
            assert way(ended(it)) == "hello:next main:timeout again:next"
        with caller(it) as (sipp, line):
            hear(line.heard, "menu")
            line.send_digits("7")
            hear(line.heard, "wrong")
            line.send_digits("#")
            sipp.wait()
            assert "wrong" in order(line.heard())
            assert way(ended(it, number=2)) == "hello:next main:invalid wrong:next"


COLLECT: dict[str, Any] = {
    "code": {
        "type": "collect",
        "prompt": [sound("code")],
        "variable": "code",
        "least": 3,
        "most": 6,
        "timeout": 2,
        "digit_timeout": 1,
        "retries": 1,
        "invalid_prompt": [sound("wrong")],
        "accept": "code != 999",
        "exits": {"next": "which", "timeout": "again", "invalid": "bye"},
    },
    "which": {
        "type": "branch",
        "cases": [
            {"if": 'code = "1234"', "exit": "a"},
            {"if": "length(code) = 6", "exit": "b"},
            {"if": "code = 567", "exit": "c"},
        ],
        "exits": {"a": "one", "b": "two", "c": "again", "else": "bye"},
    },
    "one": play("one"),
    "two": play("two"),
    "again": play("again"),
    **BYE,
}


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ("1234#", "code:next which:a one:next"),
        ("123456", "code:next which:b two:next"),
        ("567", "code:next which:c again:next"),
        ("", "code:timeout again:next"),
        ("999#12#", "code:invalid"),
    ],
)
def test_digits_are_collected(tmp_path: Path, keys: str, path: str) -> None:
    """By terminator, by length, by time; none, and none that fit."""
    with centre(tmp_path, COLLECT) as it, caller(it) as (sipp, line):
        first, hash_, rest = keys.partition("#")
        hear(line.heard, "code")
        line.send_digits(first + hash_)
        if rest:
            hear(line.heard, "wrong")
            line.send_digits(rest)
        sipp.wait()
        assert way(ended(it)) == path


def test_a_secret_is_written_nowhere(tmp_path: Path) -> None:
    """Not when it is pressed as events, not ahead of the question; the flow goes on as with any digits."""
    secret = "58203917"
    nodes = {
        "hello": play("hello", "pin", barge_in=False),
        "pin": {
            "type": "collect",
            "prompt": [sound("code")],
            "variable": "pin",
            "least": 4,
            "most": 12,
            "secret": True,
            "exits": {"next": "one", "timeout": "bye", "invalid": "bye"},
        },
        "one": play("one"),
        **BYE,
    }
    with centre(tmp_path, nodes) as it, caller(it) as (sipp, line):
        hear(line.heard, "code")
        line.send_digits(secret + "#")
        sipp.wait()
        assert way(ended(it)) == "hello:next pin:next one:next"
        assert order(line.heard()) == ["hello", "code", "one"]
        written = everything(it)
        assert b"pin" in written
        assert secret.encode() not in written
        assert secret[:4].encode() not in written
        rows = asked(it, "select value from privates")
        assert sorted({row.strip('"') for row in rows} & set("0123456789x#")) in (["#", "x"], ["x"])


# --- messages ---


MESSAGE: dict[str, Any] = {
    "leave": {
        "type": "record",
        "prompt": [sound("beep")],
        "variable": "message",
        "longest": 6,
        "silence": 2,
        "exits": {"next": "one", "empty": "two"},
    },
    "one": play("one"),
    "two": play("two"),
    **BYE,
}


def messages(it: Centre) -> list[Path]:
    assert it.data
    return sorted((it.data / "recordings").rglob("*-message-*"))


@pytest.mark.parametrize("how", ["silence", "longest", "hang_up"])
def test_a_message_is_recorded(tmp_path: Path, how: str) -> None:
    """Real speech, by espeak-ng; sox says how long the message is and how loud."""
    words = "Hello, this is Mary from the flower shop. Please call me back about the roses."
    said = tmp_path / "said.al"
    wav = tmp_path / "said.wav"
    subprocess.run(["espeak-ng", "-v", "en", "-w", str(wav), words], check=True)
    tail = "20" if how != "longest" else "0"
    again = ["repeat", "3"] if how == "longest" else []
    subprocess.run(
        ["sox", str(wav), "-r", "8000", "-e", "a-law", "-c", "1", "-t", "al", str(said), *again, "pad", "1.2", tail],
        check=True,
    )  # fmt: skip
    seconds = float(subprocess.run(["soxi", "-D", str(wav)], capture_output=True, check=True).stdout)
    scenario, settings = "uac_wait_for_bye", {}
    if how == "hang_up":
        scenario, settings = "uac_call", {"talk_ms": int(1000 * (seconds + 1.8))}
    with (
        centre(tmp_path, MESSAGE) as it,
        Sipp(scenario, it.sip, FLOW, settings, local_ip=ports.loopback(), audio=said) as sipp,
    ):
        sipp.wait()
        outcome = "left_menu" if how == "hang_up" else "self_served"
        record = ended(it, outcome)
        assert way(record).startswith("leave:next")
        (message,) = messages(it)
        assert not message.name.endswith(".part.wav")
        length = float(subprocess.run(["soxi", "-D", str(message)], capture_output=True, check=True).stdout)
        expected = 6.0 if how == "longest" else seconds + 1.5
        assert expected - 1.2 < length < expected + 1.0
        heard = read(message)
        assert level(heard) > 0.02
        assert share_of(SOUNDS["beep"][0], heard) < 0.1, "our own beep is not in it"


def test_a_key_ends_a_message(tmp_path: Path) -> None:
    with centre(tmp_path, MESSAGE) as it, caller(it, hertz=CALLER) as (sipp, line):
        hear(line.heard, "beep")
        time.sleep(2.5)
        line.send_digits("#")
        sipp.wait()
        assert order(line.heard()) == ["beep", "one"]
        assert way(ended(it)) == "leave:next one:next"
        (message,) = messages(it)
        sound = read(message)
        assert 2.0 < len(sound) / RATE < 3.2
        assert share_of(CALLER, sound) > 0.8


def test_who_says_nothing_leaves_nothing(tmp_path: Path) -> None:
    with centre(tmp_path, MESSAGE) as it, caller(it) as (sipp, line):
        sipp.wait()
        assert way(ended(it)) == "leave:empty two:next"
        assert order(line.heard()) == ["beep", "two"]
        assert messages(it) == []


# --- to people ---


def test_a_flow_leads_to_a_queue_and_its_agent(tmp_path: Path) -> None:
    nodes = {**MENU, "one": {"type": "queue", "queue": "sales"}}
    with (
        centre(tmp_path, nodes) as it,
        Baresip("alice", it.sip, "acme.example", "correct horse", hertz=ALICE, answer="auto") as alice,
        caller(it, hertz=CALLER) as (sipp, line),
    ):
        alice.wait_registered()
        hear(line.heard, "menu")
        line.send_digits("1")
        alice.wait_established()
        time.sleep(2.0)
        assert abs(dominant(alice.heard(last=1.0)) - CALLER) < 10
        assert abs(dominant(line.heard(last=1.0)) - ALICE) < 10
        # What an agent is told in keys is nobody's business here.
        line.send_digits("4711")
        time.sleep(1.5)
        alice.hangup()
        sipp.wait()
        record = ended(it, "answered")
        assert (record["queue"], record["agent"]) == ("sales", "alice")
        assert way(record).startswith("hello:next main:1")
        assert asked(it, "select count(*) from log where kind = 'fact.DigitPressed'") == ["1"]


@pytest.mark.parametrize("answers", [True, False])
def test_a_flow_transfers_to_an_agent_or_goes_on(tmp_path: Path, answers: bool) -> None:
    nodes = {**MENU, "main": {"type": "transfer", "agent": "alice", "exits": {"failed": "two"}}}
    with (
        centre(tmp_path, nodes) as it,
        Baresip(
            "alice", it.sip, "acme.example", "correct horse", hertz=ALICE, answer="auto" if answers else "manual"
        ) as alice,
        caller(it, hertz=CALLER) as (sipp, line),
    ):  # fmt: skip
        alice.wait_registered()
        if answers:
            alice.wait_established()
            time.sleep(2.0)
            assert abs(dominant(alice.heard(last=1.0)) - CALLER) < 10
            assert abs(dominant(line.heard(last=1.0)) - ALICE) < 10
            alice.hangup()
            sipp.wait()
            assert ended(it, "answered")["agent"] == "alice"
        else:
            alice.wait_incoming()
            alice.hangup()
            hear(line.heard, "two")
            sipp.wait()
            assert way(ended(it)).endswith("two:next")


# --- deaths ---


LONG = {"long": play("long", "main", barge_in=False), "main": menu(d1="one"), "one": play("one"), **BYE}


def test_the_application_dies_while_a_prompt_plays(tmp_path: Path) -> None:
    """Nobody hears it: the prompt goes on, and so does the flow."""
    with centre(tmp_path, LONG) as it, caller(it, hertz=CALLER) as (sipp, line):
        line.wait_heard(2.0)
        it.kill9()
        it.start()
        hear(line.heard, "menu", within=20)
        line.send_digits("1")
        sipp.wait()
        heard = line.heard()
        assert order(heard) == ["long", "menu", "one"]
        assert abs(seconds_of(SOUNDS["long"][0], heard) - SOUNDS["long"][1]) < 0.4, "once, and whole"
        assert way(ended(it)) == "long:next main:1 one:next"


def test_the_application_dies_while_a_menu_waits(tmp_path: Path) -> None:
    nodes = {**LONG, "long": play("hello", "main"), "main": {**menu(d1="one"), "timeout": 15}}
    with centre(tmp_path, nodes) as it, caller(it, hertz=CALLER) as (sipp, line):
        hear(line.heard, "menu")
        time.sleep(0.5)
        it.kill9()
        line.send_digits("1")  # while nobody is there to take it
        time.sleep(0.5)
        it.start()
        sipp.wait()
        assert order(line.heard()) == ["hello", "menu", "one"]
        assert way(ended(it)) == "long:next main:1 one:next"


def test_the_worker_dies_while_a_prompt_plays(tmp_path: Path) -> None:
    """The prompt is said again, on another port, and the flow goes on."""
    with centre(tmp_path, LONG) as it, dialling(it) as phone:
        phone.wait_heard(2.0)
        (worker,) = it.workers()
        os.kill(worker, signal.SIGKILL)
        hear(phone.heard, "menu", within=25)
        phone.send_digits("1")
        phone.wait_closed()
        assert way(ended(it)) == "long:next main:1 one:next"
        assert seconds_of(SOUNDS["long"][0], phone.heard()) > SOUNDS["long"][1] + 1.0, "from its beginning"


def test_the_worker_dies_while_a_menu_waits(tmp_path: Path) -> None:
    nodes = {**LONG, "long": play("hello", "main"), "main": {**menu(d1="one"), "timeout": 15}}
    with centre(tmp_path, nodes) as it, dialling(it) as phone:
        hear(phone.heard, "menu")
        (worker,) = it.workers()
        os.kill(worker, signal.SIGKILL)
        time.sleep(3.0)
        phone.send_digits("1")
        phone.wait_closed()
        assert way(ended(it)) == "long:next main:1 one:next"


@pytest.mark.parametrize("who", ["application", "worker", "both"])
def test_a_death_while_a_message_is_left(tmp_path: Path, who: str) -> None:
    """What was said before and after it is in the message; a gap is silence of its true length."""
    leave = {**MESSAGE["leave"], "longest": 9, "silence": 8}
    with centre(tmp_path, {**MESSAGE, "leave": leave}) as it, dialling(it) as phone:
        hear(phone.heard, "beep")
        time.sleep(2.5)
        workers = it.workers()
        if who != "worker":
            it.kill9()
        if who != "application":
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
        if who != "worker":
            time.sleep(1.0)
            it.start()
        hear(phone.heard, "one", within=25)
        phone.wait_closed()
        assert way(ended(it)) == "leave:next one:next"
        (message,) = messages(it)
        sound = read(message)
        if who == "both":  # nobody knows any more how long it should have been
            assert 1.0 < len(sound) / RATE < 11.5
            assert seconds_of(ALICE, sound) > 1.0
        else:
            assert 8.0 < len(sound) / RATE < 11.5
            assert seconds_of(ALICE, sound) > (8.0 if who == "application" else 4.5)
