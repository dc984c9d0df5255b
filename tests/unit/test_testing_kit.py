"""The kit itself: voices that are told apart, callers drawn from a seed, a wire and a clock that obey."""

import itertools
import math
import statistics

import numpy as np
import pytest

from centrala.media.sounds import music
from centrala.protocols.rtp.g711 import decode_alaw, decode_ulaw
from centrala.testing import carrier, voices
from centrala.testing.carrier import Dialled, Traffic, attempts, rate
from centrala.testing.clock import Clock
from centrala.testing.wire import Pattern, fates

pytestmark = pytest.mark.unit


def spoken(voice: voices.Voice) -> voices.Pcm:
    return decode_alaw(np.frombuffer(b"".join(voice.alaw), np.uint8))


def buzz(seconds: float) -> voices.Pcm:
    return (np.random.default_rng(1).normal(0, 2500, round(seconds * 8000))).astype(np.int16)


@pytest.mark.parametrize("pip", voices.PIPS)
def test_each_person_is_known_by_one_pip_alone(pip: int) -> None:
    heard = spoken(voices.person(pip, [buzz(2.0), buzz(1.0)]))
    assert voices.pips_in(heard) == {pip}
    assert voices.pip_seconds(pip, heard) == pytest.approx(2 * voices.PIP_SECONDS, abs=0.15)


def test_a_pip_is_found_wherever_a_conversation_of_enough_seconds_begins() -> None:
    length = round(voices.ENOUGH * 8000)
    heard = np.tile(spoken(voices.person(2520, [buzz(9.0), buzz(9.0)])), 3)
    for start in range(0, len(heard) - length, 1700):
        assert voices.pips_in(heard[start : start + length]) == {2520}, start


def test_neither_music_nor_noise_nor_the_murmur_holds_a_pip() -> None:
    murmur = np.concatenate([voices._murmur(50, deep) for deep in (False, True)])
    for sound in (music(), buzz(20), murmur, np.zeros(8000, np.int16), np.zeros(0, np.int16)):
        assert voices.pips_in(sound) == frozenset()


def test_speech_holds_no_pip() -> None:
    for language, texts in (*voices.CALLERS.items(), *voices.AGENTS.items()):
        for deep in (False, True):
            for phrase in voices.phrases(language, texts, deep=deep):
                assert len(phrase) > 4000
                assert voices.pips_in(phrase) == frozenset()


def test_both_laws_say_the_same() -> None:
    voice = voices.tone(2000, 0.5)
    alaw, ulaw = spoken(voice), decode_ulaw(np.frombuffer(b"".join(voice.ulaw), np.uint8))
    assert len(voice.alaw) == 25
    assert np.abs(alaw.astype(int) - ulaw).max() < 600  # a step of G.711 at this amplitude is 256
    assert voices.pip_seconds(2000, ulaw) > 0.4


# --- callers ---

TRAFFIC = Traffic([Dialled("1", 3.0), Dialled("2", 1.0)], calls_per_minute=60, peak=1.6, period=200)


def test_callers_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    first, again, other = (list(itertools.islice(attempts(TRAFFIC, seed), 200)) for seed in (5, 5, 6))
    assert first == again
    assert [one.at for one in first] != [one.at for one in other]
    assert len({one.caller for one in first}) == 200
    assert {one.pip for one in first} <= set(carrier.CALLER_PIPS)
    assert not set(carrier.CALLER_PIPS) & set(carrier.AGENT_PIPS)


def test_callers_come_as_often_as_the_curve_says() -> None:
    calls = list(itertools.takewhile(lambda one: one.at < 4000, attempts(TRAFFIC, 1)))
    assert all(a.at < b.at for a, b in itertools.pairwise(calls))
    assert len(calls) == pytest.approx(4000, abs=4 * math.sqrt(4000))
    rising = sum(one.at % 200 < 100 for one in calls)
    expected = 4000 * (0.5 + 0.6 / math.pi)  # the integral of 1 + 0.6 sin over its first half
    assert rising == pytest.approx(expected, abs=4 * math.sqrt(expected))
    assert max(rate(TRAFFIC, at) for at in range(200)) == pytest.approx(1.6, abs=0.01)


def test_callers_differ_as_configured() -> None:
    calls = list(itertools.islice(attempts(TRAFFIC, 3), 4000))
    assert statistics.fmean(one.patience for one in calls) == pytest.approx(TRAFFIC.patience, rel=0.1)
    assert min(one.talk for one in calls) > voices.ENOUGH
    assert statistics.fmean(one.dialled.number == "1" for one in calls) == pytest.approx(0.75, abs=0.04)
    again = [one.again_after for one in calls if one.again_after is not None]
    assert len(again) / len(calls) == pytest.approx(TRAFFIC.retry, abs=0.04)


# --- wire and clock ---


def test_a_clean_wire_changes_nothing() -> None:
    assert list(itertools.islice(fates(Pattern(), 1), 100)) == [(0.0,)] * 100


def test_a_script_is_followed_to_the_letter() -> None:
    got = list(itertools.islice(fates(Pattern(script=(True, False, False, True)), 1), 6))
    assert got == [(0.0,), (), (), (0.0,), (0.0,), (0.0,)]


@pytest.mark.parametrize("burst", [1.0, 4.0])
def test_loss_has_its_share_and_its_length(burst: float) -> None:
    got = list(itertools.islice(fates(Pattern(loss=0.1, burst=burst), 2), 60_000))
    lost = [not one for one in got]
    runs = [len(list(group)) for gone, group in itertools.groupby(lost) if gone]
    assert sum(lost) / len(lost) == pytest.approx(0.1, rel=0.15)
    assert statistics.fmean(runs) == pytest.approx(burst if burst > 1 else 1 / 0.9, rel=0.15)
    assert got == list(itertools.islice(fates(Pattern(loss=0.1, burst=burst), 2), 60_000))


def test_duplicates_and_jitter() -> None:
    got = list(itertools.islice(fates(Pattern(duplicate=0.2, delay=0.05, jitter=0.03), 2), 20_000))
    assert sum(len(one) == 2 for one in got) / len(got) == pytest.approx(0.2, abs=0.02)
    delays = [late for one in got for late in one]
    assert min(delays) >= 0.05
    assert max(delays) == pytest.approx(0.08, abs=0.001)


def test_a_clock_does_what_falls_due_in_order() -> None:
    clock = Clock(100.0)
    done: list[tuple[str, float]] = []
    clock.later(2, lambda: done.append(("b", clock())))
    clock.later(
        1, lambda: (done.append(("a", clock())), clock.later(0.5, lambda: done.append(("c", clock()))))[0]
    )
    clock.later(9, lambda: done.append(("late", clock())))
    clock.move(3)
    assert done == [("a", 101.0), ("c", 101.5), ("b", 102.0)]
    assert (clock(), clock.next) == (103.0, 109.0)
