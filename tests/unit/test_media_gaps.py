"""Gaps in recordings: paused, ended and begun again. The file is read by the standard library, the tone found in it."""

import time
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from centrala.media import messages as m
from centrala.media.recorder import Recorder
from centrala.protocols.rtp.g711 import FRAME, RATE

pytestmark = pytest.mark.unit

ROWS = {"left": 1, "right": 2}
SILENCE, LEFT, RIGHT = 0, 4000, -6000


def frames() -> NDArray[np.int16]:
    """Silence in row 0, and what the two legs say: a level each."""
    return np.array([[SILENCE] * FRAME, [LEFT] * FRAME, [RIGHT] * FRAME], np.int16)


def read(path: Path) -> NDArray[np.int16]:
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, RATE, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2)


def record(began: float = 0.0) -> m.Record:
    return m.Record(recording="c", left="left", right="right", path="recordings/acme/c.wav", began=began)


def gather(recorder: Recorder, ticks: int) -> None:
    for _ in range(ticks):
        recorder.gather(frames(), ROWS)


@pytest.mark.parametrize(("before", "inside", "after"), [(70, 130, 60), (0, 10, 75), (50, 50, 0), (1, 1, 1)])
def test_a_pause_is_silence_of_true_length_in_both_channels(
    tmp_path: Path, before: int, inside: int, after: int
) -> None:
    recorder = Recorder(tmp_path)
    assert recorder.start(record(), 0.0) == ""
    gather(recorder, before)
    assert recorder.pause("c")
    assert recorder.pause("c"), "twice is once"
    gather(recorder, inside)
    assert recorder.states()["c"].paused
    assert recorder.resume("c")
    assert recorder.resume("c")
    gather(recorder, after)
    (done,) = recorder.close((before + inside + after) * 0.02)
    sound = read(tmp_path / "recordings/acme/c.wav")
    edges = [before * FRAME, (before + inside) * FRAME]
    assert len(sound) == (before + inside + after) * FRAME
    assert (sound[: edges[0]] == [LEFT, RIGHT]).all()
    assert (sound[edges[0] : edges[1]] == SILENCE).all(), "something of it is recorded"
    assert (sound[edges[1] :] == [LEFT, RIGHT]).all()
    assert done.gaps == [m.Gap(before * 0.02, (before + inside) * 0.02, "paused")]
    assert done.problem == ""


def test_a_pause_at_the_end_is_a_gap_to_the_end(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.start(record(), 0.0)
    gather(recorder, 40)
    recorder.pause("c")
    gather(recorder, 25)
    (done,) = recorder.close(65 * 0.02)
    sound = read(tmp_path / "recordings/acme/c.wav")
    assert len(sound) == 65 * FRAME
    assert not sound[40 * FRAME :].any()
    assert done.gaps == [m.Gap(0.8, 1.3, "paused")]


def test_other_legs_in_a_pause_are_not_heard_either(tmp_path: Path) -> None:
    """A transfer while it is paused: nobody's words slip in."""
    recorder = Recorder(tmp_path)
    recorder.start(record(), 0.0)
    recorder.pause("c")
    gather(recorder, 20)
    recorder.set_legs("c", "right", "left")
    gather(recorder, 20)
    recorder.resume("c")
    gather(recorder, 20)
    recorder.close(60 * 0.02)
    sound = read(tmp_path / "recordings/acme/c.wav")
    assert not sound[: 40 * FRAME].any()
    assert (sound[40 * FRAME :] == [RIGHT, LEFT]).all()


def test_ended_and_begun_again_is_one_file_with_a_gap(tmp_path: Path) -> None:
    recorder, began = Recorder(tmp_path), time.time()
    recorder.start(record(began), time.monotonic())
    gather(recorder, 30)
    recorder.stop("c", time.monotonic())
    time.sleep(1.2)
    assert recorder.start(record(began), time.monotonic()) == ""
    missing = time.time() - began
    gather(recorder, 30)
    first, second = recorder.close(time.monotonic())
    assert first.path == second.path
    sound = read(tmp_path / "recordings/acme/c.wav")
    assert (sound[: 30 * FRAME] == [LEFT, RIGHT]).all()
    assert (sound[-30 * FRAME :] == [LEFT, RIGHT]).all()
    assert not sound[30 * FRAME : -30 * FRAME].any()
    assert len(sound) / RATE == pytest.approx(missing + 0.6, abs=0.15)
