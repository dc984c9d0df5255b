"""The jitter buffer against a simple model: what goes in comes out, in order, once, whatever the wire does."""

import random

import numpy as np
import pytest

from centrala.protocols.rtp.jitter import RING, Jitter

pytestmark = pytest.mark.unit

FRAME = 160


class Stream:
    """One row, fed by (arrival in ms, packet number) pairs; frame k is filled with k + 1."""

    def __init__(
        self, base: int = 1000, sequence: int = 7, size: int = FRAME, rows: int = 3, row: int = 1
    ) -> None:
        self.jitter = Jitter(rows)
        self.row, self.base, self.sequence, self.size = row, base, sequence, size
        self.jitter.reset(row)
        self.out = np.zeros((rows, FRAME), np.int16)
        self.played: list[np.ndarray] = []
        self.true: list[bool] = []

    def put(self, k: int, timestamp: int | None = None) -> None:
        rows = np.array([self.row])
        stamp = (self.base + k * self.size if timestamp is None else timestamp) & 0xFFFFFFFF
        if not self.jitter.count(rows, np.array([(self.sequence + k) & 0xFFFF]))[0]:
            return
        samples = (k * self.size + np.arange(self.size)) // FRAME
        pcm = (samples % 30000 + 1).astype(np.int16)
        if self.size == FRAME:
            self.jitter.insert(rows, np.array([stamp]), pcm[None])
        else:
            self.jitter.insert_one(self.row, stamp, pcm)

    def tick(self) -> None:
        have = self.jitter.play(np.array([self.row]), self.out)
        self.played.append(self.out[self.row].copy())
        self.true.append(bool(have[0]))

    def run(
        self, arrivals: list[tuple[float, int]], ticks: int, phase: float = 10.0, tick: float = 20.0
    ) -> list[int]:
        """Answers the first sample of each frame that was truly there, silence left out."""
        waiting = sorted(arrivals)
        for n in range(ticks):
            while waiting and waiting[0][0] <= n * tick + phase:
                self.put(waiting.pop(0)[1])
            self.tick()
        return self.numbers()

    def numbers(self) -> list[int]:
        return [
            int(frame[0]) for frame, true in zip(self.played, self.true, strict=True) if true and frame.any()
        ]


def test_a_clean_wire_gives_every_frame_once_with_one_frame_of_reserve() -> None:
    stream = Stream()
    assert stream.run([(k * 20.0, k) for k in range(300)], 310) == list(range(1, 301))
    assert stream.jitter.concealed[1] == 0
    # Packet 0 is there at tick 0 and heard at tick 1.
    assert stream.played[1][0] == 1


@pytest.mark.parametrize("base", [0, 2**32 - 160 * 20, 2**31 - 80, 2**32 - 1])
@pytest.mark.parametrize("sequence", [0, 65530, 32760])
def test_wrap_around_is_nothing_special(base: int, sequence: int) -> None:
    stream = Stream(base, sequence)
    assert stream.run([(k * 20.0, k) for k in range(60)], 64) == list(range(1, 61))
    assert stream.jitter.lost(1) == 0


def test_the_timeline_wraps_many_times() -> None:
    stream = Stream(base=2**32 - 160 * 35000)
    heard = stream.run([(k * 20.0, k) for k in range(70000)], 70005)
    assert len(heard) == 70000
    assert stream.jitter.lost(1) == 0
    assert stream.jitter.received[1] == 70000


@pytest.mark.parametrize("phase", [0.5, 5.0, 10.0, 19.5])
@pytest.mark.parametrize("seed", range(5))
def test_twenty_ms_of_jitter_lose_nothing_at_any_phase(phase: float, seed: int) -> None:
    rng = random.Random(seed)
    stream = Stream()
    heard = stream.run([(k * 20 + rng.uniform(0, 20), k) for k in range(500)], 520, phase)
    assert heard == list(range(1, 501))
    assert stream.jitter.lost(1) == 0
    # At most one stretch of 20 ms at the beginning.
    assert stream.jitter.concealed[1] <= 1


@pytest.mark.parametrize("seed", range(5))
def test_more_jitter_stretches_but_loses_nothing(seed: int) -> None:
    rng = random.Random(seed)
    stream = Stream()
    # 50 ms, in order, as a queue gives it.
    at = 0.0
    arrivals = []
    for k in range(500):
        at = max(at, k * 20 + rng.uniform(0, 50))
        arrivals.append((at, k))
    heard = stream.run(arrivals, 520)
    # Frames that were blended away are counted; nothing else is missing, nothing comes twice or out of order.
    assert len(heard) + stream.jitter.dropped[1] == 500
    assert heard == sorted(set(heard))
    assert stream.jitter.concealed[1] <= 5


def test_a_held_up_sender_is_caught_up_with() -> None:
    stream = Stream()
    # 160 ms of nothing, then all at once; afterwards the reserve shrinks again.
    arrivals = [(k * 20.0 if not 100 <= k < 108 else 108 * 20.0, k) for k in range(1500)]
    stream.run(arrivals, 1505)
    assert stream.jitter.delay_frames(1) <= 3
    assert stream.jitter.lost(1) == 0


@pytest.mark.parametrize("ppm", [-300, 300])
def test_drift_is_met_without_loss_or_growing_delay(ppm: int) -> None:
    stream = Stream()
    count = 20000
    arrivals = [(k * 20.0 * (1 + ppm / 1e6), k) for k in range(count)]
    stream.run(arrivals, count)
    assert stream.jitter.lost(1) == 0
    assert stream.jitter.delay_frames(1) <= 4
    # 400 s at 300 ppm are 120 ms: six frames, give or take.
    assert stream.jitter.dropped[1] + stream.jitter.concealed[1] <= 12


def test_reordering_and_duplicates() -> None:
    stream = Stream()
    order = list(range(200))
    for k in range(10, 190, 10):
        order[k], order[k + 1] = order[k + 1], order[k]
    arrivals = [(20.0 * i, k) for i, k in enumerate(order)] + [(20.0 * k + 1, k) for k in range(20, 180, 7)]
    stream.run(arrivals, 210)
    jitter = stream.jitter
    assert jitter.lost(1) == 0
    assert jitter.duplicate[1] == len(range(20, 180, 7))
    assert stream.numbers() == list(range(1, 201))


def test_loss_is_counted_and_filled_with_the_fading_last_frame() -> None:
    stream = Stream()
    stream.run([(k * 20.0, k) for k in range(100) if k not in (50, 51, 52, 53, 54)], 104)
    assert stream.jitter.lost(1) == 5
    assert stream.jitter.concealed[1] == 5
    filled = [int(frame[0]) for frame in stream.played[50:56]]
    assert filled == [50, 40, 20, 5, 0, 0]
    assert stream.numbers() == [k + 1 for k in range(100) if not 50 <= k < 55]


def test_a_pause_of_the_sender_is_no_loss_and_starts_afresh() -> None:
    stream = Stream()
    # Silence suppression: two seconds without packets, time stamps go on, numbers don't jump.
    for n in range(300):
        k = n if n < 100 else n - 100
        if n < 100 or n >= 200:
            stream.put(k, stream.base + n * FRAME)
        stream.tick()
    for _ in range(3):
        stream.tick()
    assert stream.jitter.lost(1) == 0
    assert stream.jitter.concealed[1] == 0
    assert stream.numbers() == list(range(1, 201))
    assert not stream.played[150].any()


@pytest.mark.parametrize("size", [80, 240, 320, 480])
def test_other_packet_lengths(size: int) -> None:
    stream = Stream(size=size)
    duration = size / 8
    count = 200 * FRAME // size
    stream.run([(k * duration + duration, k) for k in range(count)], 220)
    heard = stream.numbers()
    assert heard == list(range(1, count * size // FRAME + 1))
    for number, frame in zip(
        heard, [f for f, t in zip(stream.played, stream.true, strict=True) if t and f.any()], strict=True
    ):
        assert (frame == number).all()


def test_a_line_out_of_step_with_the_frames_is_heard_whole() -> None:
    stream = Stream()
    for k in range(100):
        # After packet 50 the time stamps are off by half a frame (an odd event in between).
        stream.put(k, stream.base + k * FRAME + (80 if k >= 50 else 0))
        stream.tick()
    for _ in range(4):
        stream.tick()
    assert np.concatenate(stream.played).tolist().count(60) == FRAME
    assert stream.jitter.lost(1) == 0


def test_a_jump_of_the_time_line_goes_on_at_once() -> None:
    stream = Stream()
    for k in range(100):
        stream.put(k, stream.base + k * FRAME + (10_000_000 if k >= 50 else 0))
        stream.tick()
    stream.tick()
    assert stream.numbers()[-49:] == list(range(52, 101))


def test_rows_do_not_touch_each_other_and_survive_growth() -> None:
    jitter = Jitter(2)
    out = np.zeros((40, FRAME), np.int16)
    rows = np.arange(2)
    for row in rows:
        jitter.reset(int(row))
    for k in range(40):
        if k == 20:
            jitter.grow(40)
            rows = np.arange(40)
            for row in range(2, 40):
                jitter.reset(row)
        jitter.count(rows, np.full(len(rows), k))
        values = (rows * 100 + k + 1).astype(np.int16)
        jitter.insert(rows, np.full(len(rows), k * FRAME), np.repeat(values[:, None], FRAME, axis=1))
        jitter.play(rows, out)
        if k not in (0, 20):
            assert out[rows, 0].tolist() == (values - 1).tolist()


def test_memory_of_a_row_is_bounded() -> None:
    assert Jitter(1)._ring.nbytes == RING * FRAME * 2


def test_a_reserve_that_is_not_needed_goes_with_the_next_quiet_frame() -> None:
    jitter = Jitter(1)
    jitter.reset(0)
    rows, out = np.arange(1), np.zeros((1, FRAME), np.int16)
    t = np.arange(FRAME)
    loud = (8000 * np.sin(2 * np.pi * 400 * t / 8000)).astype(np.int16)

    def tick(numbers: list[int], pcm: np.ndarray) -> None:
        for k in numbers:
            jitter.count(rows, np.array([k]))
            jitter.insert(rows, np.array([k * FRAME]), pcm[None])
        jitter.play(rows, out)

    for k in range(50):
        tick([k], loud)
    # 60 ms of nothing, then all of it: the reserve has grown to three frames.
    tick([], loud)
    tick([], loud)
    tick([50, 51, 52], loud)
    assert jitter.concealed[0] in (1, 2)
    before = jitter.delay_frames(0)
    for k in range(53, 500):
        tick([k], loud)
        # No step anywhere: a 400 Hz tone at this level changes by 2500 from sample to sample at most.
        assert np.abs(np.diff(out[0].astype(int))).max() < 2600
    assert (jitter.dropped[0], jitter.delay_frames(0)) == (0, before)
    for k in range(500, 700):
        tick([k], loud // 100)
    assert (jitter.dropped[0], jitter.delay_frames(0)) == (before - 1, 1)
    assert jitter.lost(0) == 0
