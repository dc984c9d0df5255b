"""Voice activity, recordings that end by themselves, messages cut to what was said, keys as tones among other legs."""

import struct
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from centrala.channels.voice.messages import kept, length
from centrala.media import messages as m
from centrala.media.activity import Activity
from centrala.media.recorder import Recorder

pytestmark = pytest.mark.unit

FRAME = 160
TICK = 0.02


def noise(seconds: float, loudness: float, seed: int = 1) -> np.ndarray:
    """White noise of this mean square root."""
    return np.random.default_rng(seed).normal(0, loudness, round(seconds * 8000))


def syllables(seconds: float, loudness: float = 3000.0) -> np.ndarray:
    """Something like speech: a buzz of 140 Hz with overtones, four syllables a second, silent between them."""
    t = np.arange(round(seconds * 8000)) / 8000
    buzz = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 12))
    envelope = np.clip(np.sin(2 * np.pi * 4 * t), 0, 1)
    made: np.ndarray = loudness * envelope * buzz
    return made


def heard(samples: np.ndarray) -> tuple[list[bool], Activity]:
    """For each tick whether somebody spoke in the last 200 ms."""
    activity = Activity()
    activity.grow(4)
    activity.begin(2)
    frames = np.clip(samples, -32768, 32767).astype(np.int16)
    said = []
    for at in range(0, len(frames) - FRAME + 1, FRAME):
        activity.step(np.array([2]), frames[None, at : at + FRAME])
        said.append(bool(activity.spoke[2]) and int(activity.quiet[2]) < 10)
    return said, activity


@pytest.mark.parametrize(
    ("background", "loudness"),
    [(0, 800), (8, 800), (30, 800), (0, 3000), (30, 3000), (200, 3000), (200, 9000)],
)
def test_speech_is_told_from_what_is_around_it(background: float, loudness: float) -> None:
    quiet, speech = np.zeros(3 * 8000), syllables(3.0, loudness)
    whole = np.concatenate([quiet, speech, quiet, speech, np.zeros(8 * 8000)])
    said, _ = heard(whole + noise(len(whole) / 8000, background))
    if background < 100:
        assert not any(said[10:150])
    assert np.mean(said[160:300]) > 0.95
    assert np.mean(said[460:600]) > 0.95
    assert not any(said[-100:])


def test_a_steady_noise_is_no_speech_in_the_end() -> None:
    said, _ = heard(noise(10.0, 700.0))
    assert not any(said[400:])


def test_clicks_are_no_speech() -> None:
    clicks = np.zeros(8000 * 4)
    clicks[::4000] = 20_000
    said, activity = heard(clicks)
    assert not any(said)
    assert not activity.spoke[2]


def tick(recorder: Recorder, frame: np.ndarray, ticks: int) -> None:
    audio = np.zeros((3, FRAME), np.int16)
    for _ in range(ticks):
        audio[1] = frame
        recorder.gather(audio, {"caller": 1})


def finished(recorder: Recorder, within: float = 5.0) -> m.Recorded:
    until = time.monotonic() + within
    while time.monotonic() < until:
        done = recorder.finished()
        if done:
            assert len(done) == 1
            return done[0]
        time.sleep(0.01)
    raise AssertionError("the recording didn't end")


LOUD = np.tile(np.array([6000, -6000], np.int16), FRAME // 2)
NOTHING = np.zeros(FRAME, np.int16)


def test_a_recording_ends_when_nobody_speaks_any_more(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    assert not recorder.start(
        m.Record("message:c:1", "caller", None, "m.wav", silence=1.0, longest=60.0), time.monotonic()
    )
    tick(recorder, NOTHING, 20)
    tick(recorder, LOUD, 50)
    tick(recorder, NOTHING, 49)
    assert len(recorder) == 1
    tick(recorder, NOTHING, 1)
    assert len(recorder) == 0
    done = finished(recorder)
    assert done.seconds == pytest.approx(120 * TICK)
    assert done.spoken == pytest.approx(70 * TICK)
    tick(recorder, NOTHING, 10)
    assert recorder.close(time.monotonic()) == []


def test_a_recording_ends_when_it_is_too_long(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.start(
        m.Record("message:c:1", "caller", None, "m.wav", silence=1.0, longest=2.0), time.monotonic()
    )
    recorder.start(m.Record("whole", "caller", None, "w.wav"), time.monotonic())
    tick(recorder, LOUD, 200)
    done = finished(recorder)
    assert (done.recording, done.seconds, done.spoken) == ("message:c:1", 2.0, 2.0)
    (other,) = recorder.close(time.monotonic())
    assert (other.recording, other.spoken) == ("whole", None)
    assert other.seconds == pytest.approx(4.0)


def test_a_caller_who_says_nothing_ends_it_too(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.start(m.Record("message:c:1", "nobody", None, "m.wav", silence=1.0), time.monotonic())
    tick(recorder, LOUD, 60)  # somebody else
    assert finished(recorder).spoken == 0.0


def test_an_inventory_says_how_a_recording_ends(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    wanted = m.Record("message:c:1", "caller", None, "m.wav", began=5.0, silence=1.0, longest=9.0)
    recorder.start(wanted, time.monotonic())
    assert recorder.states()["message:c:1"].set == wanted
    recorder.close(time.monotonic())


# --- files of messages ---


def two_channels(path: Path, seconds: float) -> np.ndarray:
    left = np.arange(round(seconds * 8000)).astype(np.int16)
    both = np.stack([left, np.full_like(left, 77)], axis=1)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(both.astype("<i2").tobytes())
    return left


def one_channel(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 8000)
        return np.frombuffer(file.readframes(1 << 30), "<i2")


def test_a_message_is_the_callers_channel_up_to_a_second_after_the_last_word(tmp_path: Path) -> None:
    part, final = tmp_path / "a.part.wav", tmp_path / "a.wav"
    left = two_channels(part, 10.0)
    assert kept(part, final, 3.5) == 4.5
    assert np.array_equal(one_channel(final), left[: round(4.5 * 8000)])
    assert not part.exists()
    assert length(final) == 4.5
    assert kept(part, final, None) == 4.5, "asked again after a restart"


def test_all_is_kept_where_nothing_is_known_of_it(tmp_path: Path) -> None:
    part, final = tmp_path / "a.part.wav", tmp_path / "a.wav"
    left = two_channels(part, 2.0)
    assert kept(part, final, None) == 2.0
    assert np.array_equal(one_channel(final), left)


def test_a_message_of_nothing_is_none(tmp_path: Path) -> None:
    part, final = tmp_path / "a.part.wav", tmp_path / "a.wav"
    two_channels(part, 4.0)
    assert kept(part, final, 0.0) == 0.0
    assert list(tmp_path.iterdir()) == []
    assert kept(part, final, 0.0) == 0.0


def test_what_is_no_sound_is_no_message(tmp_path: Path) -> None:
    part, final = tmp_path / "a.part.wav", tmp_path / "a.wav"
    for rubbish in (b"", b"RIFF", b"RIFF" + struct.pack("<I", 9) + b"WAVEfmt ", bytes(1000)):
        part.write_bytes(rubbish)
        assert kept(part, final, None) == 0.0
        assert not final.exists()
        assert length(part) == 0.0
