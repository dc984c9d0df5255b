"""Parts of the media worker by themselves: sounds, tracks, recordings and their files, ports, messages."""

import socket
import subprocess
import time
import wave
from pathlib import Path

import msgspec
import numpy as np
import pytest

from centrala.media import messages as m
from centrala.media import recorder as recorder_module
from centrala.media.players import Loader, Track
from centrala.media.ports import POOL, REST_SECONDS, Ports
from centrala.media.recorder import Recorder, wav_header
from centrala.media.sounds import Library, SoundProblem, music, read_wav, resample
from centrala.testing import tones

pytestmark = pytest.mark.unit

FRAME = 160


# --- sounds ---


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("frequency", [200, 1000, 3300])
def test_resampling_keeps_frequency_level_and_time(rate: int, frequency: int) -> None:
    pcm = tones.make(frequency, 1.0, rate=rate)
    ours = resample(pcm, rate)
    assert len(ours) == pytest.approx(8000, abs=1)
    assert tones.share_of(frequency, ours) > 0.999
    assert tones.level(ours[400:-400]) == pytest.approx(tones.level(pcm), abs=0.5)
    # No delay: it is the very sine that 8 kHz would have sampled.
    wanted = tones.make(frequency, 1.0)
    assert np.abs(ours[400:-400].astype(int) - wanted[400 : len(ours) - 400]).max() < 500


def test_resampling_lets_nothing_fold_back() -> None:
    assert tones.level(resample(tones.make(5000, 1.0, rate=16000), 16000)[400:-400]) < -60
    assert tones.level(resample(tones.make(7000, 1.0, rate=48000), 48000)[400:-400]) < -60


def test_a_file_by_sox_is_read_as_sox_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "s.wav"
    subprocess.run(
        [
            "sox",
            "-n",
            "-r",
            "44100",
            "-c",
            "2",
            "-b",
            "16",
            str(path),
            *["synth", "1", "sine", "600", "gain", "-6"],
        ],
        check=True,
    )
    ours = read_wav(path)
    theirs = np.frombuffer(
        subprocess.check_output(
            ["sox", str(path), "-r", "8000", "-c", "1", "-e", "signed", "-t", "raw", "-"]
        ),
        "<i2",
    )
    assert abs(len(ours) - len(theirs)) <= 1
    assert np.abs(ours[400:7600].astype(int) - theirs[400:7600]).max() < 300


def test_the_music_is_music(tmp_path: Path) -> None:
    tune = music()
    assert len(tune) == 20 * 8000
    assert tones.level(tune) == pytest.approx(-20, abs=1.5)
    assert np.abs(tune.astype(int)).max() < 32000
    # Never silent for a whole second, the seam no louder than the rest, the same every time.
    assert min(tones.level(tune[k : k + 8000]) for k in range(0, len(tune), 8000)) > -30
    steps = np.abs(np.diff(np.concatenate([tune, tune[:1]]).astype(int)))
    assert steps[-1] <= steps.max()
    assert np.array_equal(tune, music())


def test_built_in_sounds_and_their_problems(tmp_path: Path) -> None:
    library = Library(tmp_path)
    ringback = library.get("tone:ringback")
    assert ringback.endless
    assert len(ringback.pcm) == 5 * 8000
    assert tones.share_of(425, ringback.pcm[:8000]) > 0.999
    assert not ringback.pcm[8000:].any()
    assert tones.dominant(library.get("tone:1234").pcm) == pytest.approx(1234, abs=1)
    assert len(library.get("silence:250").pcm) == 2000
    assert not library.get("silence").pcm.any()
    (tmp_path / "eight.wav").write_bytes(b"RIFF")
    with wave.open(str(tmp_path / "deep.wav"), "wb") as file:
        file.setparams((1, 3, 8000, 0, "NONE", ""))
        file.writeframes(b"\0" * 300)
    for name in ("tone:", "tone:9000", "music:none", "none.wav", "eight.wav", "deep.wav", "."):
        with pytest.raises(SoundProblem, match=name.split(".")[0] or "."):
            library.get(name)


# --- tracks ---


def frames(track: Track, count: int) -> tuple[np.ndarray, list[bool]]:
    out = np.zeros((count, FRAME), np.int16)
    more = [track.frame(row) for row in out]
    return out.reshape(-1), more


@pytest.mark.parametrize("length", [1, 100, 160, 161, 400, 480])
def test_a_track_plays_every_sample_and_says_when_it_ends(length: int) -> None:
    pcm = np.arange(1, length + 1, dtype=np.int16)
    once = Track(m.Player("p", []), 1, pcm)
    heard, more = frames(once, 5)
    assert heard[:length].tolist() == pcm.tolist()
    assert not heard[length:].any()
    assert more.index(False) == (length - 1) // FRAME
    for loop_from in (0, length // 2):
        looping = Track(m.Player("p", []), 1, pcm, loop_from)
        heard, more = frames(looping, 20)
        wanted = np.concatenate([pcm, np.tile(pcm[loop_from:], 3300)])[: len(heard)]
        assert heard.tolist() == wanted.tolist()
        assert all(more)


def test_the_loader_joins_sounds_and_names_the_bad_ones(tmp_path: Path) -> None:
    loader = Loader(tmp_path)
    loader.load(m.Player("p", ["silence:100", "no.wav", "tone:ringback", "never:reached"]), 5)
    deadline = time.monotonic() + 20
    while not (done := [one for one in loader.done if one.player == "p"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert done[0].generation == 5
    assert len(done[0].pcm) == 800 + 40000
    assert done[0].loop_from == 800
    assert [name for name, _ in done[0].problems] == ["no.wav"]


# --- recordings ---


def record(recorder: Recorder, ticks: int, values: dict[str, int], start: int = 0) -> None:
    rows = {name: i + 1 for i, name in enumerate(values)}
    for k in range(start, start + ticks):
        audio = np.zeros((len(values) + 1, FRAME), np.int16)
        for name, value in values.items():
            audio[rows[name]] = value + k
        recorder.gather(audio, rows)


def read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (2, 2, 8000)
        return np.frombuffer(file.readframes(1 << 30), "<i2").reshape(-1, 2)


@pytest.mark.parametrize("ticks", [0, 1, 49, 50, 51, 175])
def test_every_frame_is_in_the_file(tmp_path: Path, ticks: int) -> None:
    recorder = Recorder(tmp_path)
    assert recorder.start(m.Record("r", "a", "b", "x/r.wav"), 100.0) == ""
    assert recorder.start(m.Record("r", "a", "b", "x/r.wav"), 100.0) == ""
    record(recorder, ticks, {"a": 1000, "b": -9000})
    (recorded,) = recorder.close(100.0 + ticks * 0.02)
    assert recorded == m.Recorded(
        recording="r", path="x/r.wav", seconds=ticks * 0.02, expected_seconds=pytest.approx(ticks * 0.02)
    )
    pcm = read(tmp_path / "x/r.wav").reshape(-1, FRAME, 2)
    assert pcm[:, 0, 0].tolist() == [1000 + k for k in range(ticks)]
    assert pcm[:, 159, 1].tolist() == [-9000 + k for k in range(ticks)]


def test_many_recordings_keep_apart(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    values = {f"leg{i}": i * 100 for i in range(80)}
    for i in range(0, 80, 2):
        assert recorder.start(m.Record(f"r{i}", f"leg{i}", f"leg{i + 1}", f"{i}.wav"), 0.0) == ""
    record(recorder, 60, values)
    for i in range(0, 40, 2):
        assert recorder.stop(f"r{i}", 1.2)
    record(recorder, 60, values, 60)
    assert len(recorder.close(2.4)) == 40
    for i in range(0, 80, 2):
        pcm = read(tmp_path / f"{i}.wav").reshape(-1, FRAME, 2)
        count = 60 if i < 40 else 120
        assert pcm[:, 7, 0].tolist() == [i * 100 + k for k in range(count)]
        assert pcm[:, 7, 1].tolist() == [(i + 1) * 100 + k for k in range(count)]


def test_pauses_and_left_out_ticks_are_silence_of_the_true_length(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.start(m.Record("r", "a", None, "r.wav"), 0.0)
    record(recorder, 10, {"a": 500})
    recorder.pause("r")
    record(recorder, 10, {"a": 500})
    recorder.resume("r")
    record(recorder, 10, {"a": 500})
    recorder.skip(25)
    record(recorder, 10, {"a": 500})
    recorder.pause("r")
    record(recorder, 5, {"a": 500})
    (recorded,) = recorder.close(70 * 0.02)
    assert recorded.problem == ""
    assert recorded.seconds == pytest.approx(1.4)
    found = [(round(gap.start, 3), round(gap.end, 3), gap.why) for gap in recorded.gaps]
    assert found == [(0.2, 0.4, "paused"), (0.6, 1.1, "overload"), (1.3, 1.4, "paused")]
    pcm = read(tmp_path / "r.wav").reshape(-1, FRAME, 2)
    loud = [bool(frame.any()) for frame in pcm]
    assert loud == [True] * 10 + [False] * 10 + [True] * 10 + [False] * 25 + [True] * 10 + [False] * 5


def test_a_full_disk_is_a_gap_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path)
    true_write = recorder_module.os.pwrite
    full = {"is": False}

    def pwrite(handle: int, data: bytes, offset: int) -> int:
        if full["is"]:
            raise OSError(28, "No space left on device")
        return true_write(handle, data, offset)

    monkeypatch.setattr(recorder_module.os, "pwrite", pwrite)

    def settle() -> None:
        while recorder._writer.backlog:
            time.sleep(0.01)
        time.sleep(0.1)

    recorder.start(m.Record("r", "a", None, "r.wav"), 0.0)
    record(recorder, 101, {"a": 500})
    settle()
    full["is"] = True
    record(recorder, 50, {"a": 500}, 101)
    settle()
    full["is"] = False
    record(recorder, 100, {"a": 500}, 151)
    (recorded,) = recorder.close(251 * 0.02)
    assert "No space left" in recorded.problem
    assert [gap.why for gap in recorded.gaps] == ["disk"]
    assert recorded.gaps[0].end - recorded.gaps[0].start == pytest.approx(1.0)
    pcm = read(tmp_path / "r.wav").reshape(-1, FRAME, 2)
    assert len(pcm) == 251
    assert sum(not frame.any() for frame in pcm) == 50


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    recorder = Recorder(tmp_path)
    assert recorder.start(m.Record("r", "a", None, "file/r.wav"), 0.0) == ""
    record(recorder, 10, {"a": 1})
    (recorded,) = recorder.close(0.2)
    assert recorded.seconds == 0
    assert "can't be written" in recorded.problem
    assert [(gap.start, gap.end, gap.why) for gap in recorded.gaps] == [(0.0, pytest.approx(0.2), "disk")]


def test_what_cannot_be_recorded_is_refused(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    (tmp_path / "old.wav").write_bytes(b"")
    assert "exists" in recorder.start(m.Record("r", "a", None, "old.wav"), 0.0)
    assert "data folder" in recorder.start(m.Record("r", "a", None, "../r.wav"), 0.0)
    assert "data folder" in recorder.start(m.Record("r", "a", None, "/etc/r.wav"), 0.0)
    assert not recorder.pause("r")
    assert not recorder.stop("r", 0.0)
    assert recorder.close(0.0) == []


def test_the_header_is_what_pythons_own_reader_expects(tmp_path: Path) -> None:
    path = tmp_path / "h.wav"
    path.write_bytes(wav_header(10) + b"\1\0\2\0" * 10)
    assert read(path).tolist() == [[1, 2]] * 10
    assert len(wav_header(1 << 40)) == 44


# --- ports ---


def test_ports_are_pairs_and_rest_after_use() -> None:
    ports = Ports("127.0.0.1", 26001, 26399)
    try:
        for k in range(20):
            ports.tick(k * 0.02)
        assert len(ports.free) == POOL
        assert all(port % 2 == 0 and port >= 26002 for port in ports.free)
        first = ports.free[0]
        with pytest.raises(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("127.0.0.1", first + 1))
        assert ports.take(first)
        assert ports.take(first)
        pair = ports.use(first)
        assert pair is not None
        assert ports.use(first) is None
        ports.give_back(pair, 10.0)
        for k in range(20):
            assert first not in ports.tick(10.0 + k * REST_SECONDS / 20)
        again = [port for k in range(5) for port in ports.tick(10.1 + REST_SECONDS + k)]
        assert first in again
    finally:
        ports.close()


def test_ports_of_a_dead_application_come_back_unless_named_again() -> None:
    ports = Ports("127.0.0.1", 26400, 26599)
    try:
        for k in range(20):
            ports.tick(k * 0.02)
        one, two = ports.free[:2]
        assert ports.take(one)
        assert ports.take(two)
        ports.new_application(5.0)
        assert ports.take(two)
        fresh = [port for k in range(200) for port in ports.tick(5.0 + k)]
        assert one in fresh
        assert two not in fresh
        assert ports.use(two) is not None
    finally:
        ports.close()


def test_busy_ports_are_skipped_and_an_empty_range_is_no_disaster() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as busy:
        busy.bind(("127.0.0.1", 26605))
        ports = Ports("127.0.0.1", 26600, 26609)
        try:
            ports.tick(0.0)
            assert ports.free == [26600, 26602, 26606, 26608]
        finally:
            ports.close()
    for first, last in ((26611, 26611), (26620, 26610)):
        empty = Ports("127.0.0.1", first, last)
        assert empty.tick(0.0) == []
        assert empty.free == []
        assert empty.take(26611) is False


# --- messages ---


def test_messages_of_a_newer_version_are_understood_as_far_as_possible() -> None:
    body = msgspec.msgpack.encode({"type": "CloseLeg", "leg": "a", "reason": "new field"})
    assert m.command(body) == m.CloseLeg("a")
    body = msgspec.msgpack.encode({"type": "FirstPacket", "seq": 4, "leg": "a", "codec": "opus"})
    assert m.event(body) == m.FirstPacket(seq=4, leg="a")
    for bad in (
        {"type": "Teleport"},
        {"type": "CloseLeg"},
        {"type": "Hear", "leg": "a", "sources": {"b": "loud"}},
        5,
    ):
        with pytest.raises(msgspec.MsgspecError):
            m.command(msgspec.msgpack.encode(bad))


def test_every_message_survives_its_frame() -> None:
    leg = m.SetLeg("a", 20000, ("127.0.0.1", 4000), codec="pcmu", dtmf=-1, symmetric=False)
    assert m.command(m.frame(leg)[4:]) == leg
    holds = m.Holds(
        boot="b", legs={"a": m.LegState(set=leg, latched=("::1", 5))}, players={"p": m.Player("p", ["x"])}
    )
    assert m.event(m.frame(holds)[4:]) == holds


def test_thousands_of_busy_ports_are_passed_at_once() -> None:
    """Another worker has the first 300 pairs of the range: ports are found behind them within a few ticks."""
    ours = Ports("127.0.0.1", 26700, 27499)
    held: list[socket.socket] = []
    try:
        for port in range(26700, 27300, 2):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held.append(one)
            one.bind(("127.0.0.1", port))
        fresh = [port for k in range(4) for port in ours.tick(k * 0.02)]
        assert fresh
        assert min(fresh) >= 27300
    finally:
        ours.close()
        for one in held:
            one.close()
