"""Jitter buffers of many streams as one set of matrices: packets in at any time, a frame out each 20 ms.

A stream is a row. Its packets' timestamps (RFC 3550, 5.1) are laid on a line of samples, cut into frames of 160;
each row has a ring of frames. `insert` puts payloads in, `play` takes the frame that is due from every row.

* **Delay**. The first packet is played one tick after the tick that saw it: a reserve of 20 ms, which covers 20 ms
  of jitter and costs 20 to 40 ms. A frame that comes just after its time is played all the same and the reserve
  grows by a frame; so that jitter stretches the sound but loses nothing. If the reserve was never below two frames
  for two seconds, one frame goes, the next quiet one: it is blended with what went before. Clock drift is met by
  the same two moves.
* **Loss** is concealed by the last frame with decay, silence after 60 ms.
* **A pause** of the sender (silence suppression, hold) of 200 ms or more, a jump of the time line, another SSRC:
  the row starts anew with its next packet.

Time is the count of `play`: nothing here reads a clock.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from centrala.protocols.rtp.g711 import FRAME

Ints = NDArray[np.int64]

RING = 64
"""Frames kept for each row: 1.28 s."""
_MAX_LEAD = 25
"""Frames of reserve at which the oldest are thrown away at once: 0.5 s."""
_IDLE_AFTER = 10
"""Ticks without anything to play after which the next packet starts anew."""
_WINDOW = 100
"""Ticks over which the reserve is watched before a frame is taken out."""
_FIRST_WINDOW = 25
_MUCH = 4
"""A reserve of so many frames is cut at once; a smaller one waits for a quiet frame, but not for ever."""
_QUIET = 300
"""Greatest sample of a frame that won't be missed: -40 dB below full scale."""
_PATIENCE = 1500
_MAX_DROPOUT = 3000
"""A greater step of the sequence number is a new beginning (RFC 3550, A.1)."""
_MAX_JUMP = (RING - 4) * FRAME
_DECAY = (0.8, 0.5, 0.25)

_STEPS = np.arange(FRAME)
_RAMP_UP = ((_STEPS + 0.5) / FRAME).astype(np.float32)
_NEVER = np.int64(-(1 << 40))


class Jitter:
    """`capacity` rows; more by `grow`. A row must be `reset` before its first packet."""

    def __init__(self, capacity: int) -> None:
        self.capacity = 0
        self._ring = np.zeros((0, RING, FRAME), np.int16)
        self._frame_at = np.zeros((0, RING), np.int64)
        self._filled = np.zeros((0, RING), np.int16)
        empty = np.zeros(0, np.int64)
        # The time line: position of the newest timestamp seen. A position is in samples, without wrapping.
        self._timestamp, self._position = empty, empty
        self._due, self._newest, self._missing = empty, empty, empty
        self._least_lead, self._window, self._excess = empty, empty, empty
        # RFC 3550, A.1 and A.8.
        self.first_sequence, self.highest, self.received, self.packets = empty, empty, empty, empty
        self._transit, self._jitter = empty, np.zeros(0)
        self.late, self.duplicate, self.concealed, self.dropped = empty, empty, empty, empty
        self._tick = 0
        self.grow(capacity)

    def grow(self, capacity: int) -> None:
        """More rows, the old ones as they are."""
        more = capacity - self.capacity
        if more <= 0:
            return
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray):
                # Memory that nobody has touched yet costs nothing.
                fresh = np.zeros((capacity, *value.shape[1:]), value.dtype)
                fresh[: self.capacity] = value
                setattr(self, name, fresh)
        self._frame_at[self.capacity :] = _NEVER
        self._missing[self.capacity :] = _IDLE_AFTER
        self.capacity = capacity

    def reset(self, row: int) -> None:
        """Forgets all about this row, its statistics too."""
        self.restart(row)
        for column in (self.late, self.duplicate, self.concealed, self.dropped):
            column[row] = 0
        self.received[row] = self.packets[row] = 0
        self.first_sequence[row] = self.highest[row] = -1
        self._jitter[row] = 0.0

    def restart(self, row: int) -> None:
        """The next packet begins a new time line; statistics go on. For a new SSRC, call `renumber` as well."""
        self._frame_at[row] = _NEVER
        self._missing[row] = _IDLE_AFTER
        self._position[row] = 0
        self._timestamp[row] = -1

    def renumber(self, row: int) -> None:
        """Sequence numbers begin anew; what was lost until now stays in `lost`."""
        self.received[row] -= self.expected(row)
        self.first_sequence[row] = self.highest[row] = -1

    def expected(self, row: int) -> int:
        """Packets that the sequence numbers of the present SSRC announce."""
        return int(self.highest[row] - self.first_sequence[row] + 1) if self.highest[row] >= 0 else 0

    def quiet(self, row: int) -> None:
        """The sender speaks by other means (a telephone event): what is missing now isn't lost."""
        self._missing[row] = _IDLE_AFTER

    def lost(self, row: int) -> int:
        """Packets that never came, over all SSRCs; never negative."""
        return max(self.expected(row) - int(self.received[row]), 0)

    def jitter_samples(self, row: int) -> float:
        """Interarrival jitter (RFC 3550, 6.4.1), as seen by ticks of 20 ms."""
        return float(self._jitter[row])

    def delay_frames(self, row: int) -> int:
        """Frames now in reserve."""
        return max(int(self._newest[row] - self._due[row] + 1), 0)

    def idle(self, row: int) -> bool:
        """Nothing to play for 200 ms or more."""
        return bool(self._missing[row] >= _IDLE_AFTER)

    # --- in ---

    def count(self, rows: Ints, sequence: Ints) -> NDArray[np.bool_]:
        """Enters the sequence numbers of packets, each row at most once. False: a duplicate of the newest one.

        (Older duplicates are found by `insert`.)
        """
        highest = self.highest[rows]
        new = highest < 0
        step = ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
        jump = ~new & (np.abs(step) > _MAX_DROPOUT)
        if jump.any():
            for row in rows[jump].tolist():
                self.renumber(row)
            new |= jump
        self.highest[rows] = np.where(new, sequence, highest + np.maximum(step, 0))
        if new.any():
            self.first_sequence[rows[new]] = sequence[new]
        fresh: NDArray[np.bool_] = new | (step != 0)
        self.received[rows] += fresh
        self.packets[rows] += 1
        self.duplicate[rows] += ~fresh
        return fresh

    def insert(self, rows: Ints, timestamp: Ints, pcm: NDArray[np.int16]) -> None:
        """Payloads of one frame each, each row at most once: `pcm[i]` (160 samples) belongs to `rows[i]`."""
        if not len(rows):
            return
        position = self._place(rows, timestamp, FRAME)
        frame, odd = np.divmod(position, FRAME)
        slot = frame % RING
        same = self._frame_at[rows, slot] == frame
        late = frame < self._due[rows]
        ordinary = ~same & ~late & (odd == 0)
        if ordinary.all():
            self._store(rows, frame, slot, pcm)
            return
        self._store(rows[ordinary], frame[ordinary], slot[ordinary], pcm[ordinary])
        for i in np.flatnonzero(~ordinary).tolist():
            self._insert_at(int(rows[i]), int(position[i]), pcm[i])

    def insert_one(self, row: int, timestamp: int, pcm: NDArray[np.int16]) -> None:
        """A payload of any length up to 480 samples."""
        position = self._place(np.array([row]), np.array([timestamp]), len(pcm))
        self._insert_at(row, int(position[0]), pcm)

    def _store(self, rows: Ints, frame: Ints, slot: Ints, pcm: NDArray[np.int16]) -> None:
        self._ring[rows, slot] = pcm
        self._frame_at[rows, slot] = frame
        self._filled[rows, slot] = FRAME
        self._newest[rows] = np.maximum(self._newest[rows], frame)

    def _place(self, rows: Ints, timestamp: Ints, size: int) -> Ints:
        """Positions of timestamps; rows that were idle or whose line has jumped start anew."""
        step = ((timestamp - self._timestamp[rows] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        position = self._position[rows] + step
        anew = self._missing[rows] >= _IDLE_AFTER
        anew |= np.abs(position - self._due[rows] * FRAME) > _MAX_JUMP
        if anew.any():
            # The line goes on at the next whole frame, far from what the ring may still hold.
            at = rows[anew]
            begin = np.maximum(self._newest[at], self._due[at]) + 2 * RING
            position[anew] = begin * FRAME
            # A frame of silence before it is the reserve.
            before = (begin - 1) % RING
            self._ring[at, before] = 0
            self._frame_at[at, before] = begin - 1
            self._filled[at, before] = FRAME
            self._due[at] = begin - 1
            self._newest[at] = begin - 1
            self._missing[at] = 0
            self._window[at] = _FIRST_WINDOW
            self._least_lead[at] = RING
            self._excess[at] = 0
            self._position[at] = position[anew]
            self._timestamp[at] = timestamp[anew]
            self._transit[at] = self._tick * FRAME - position[anew]
        transit = self._tick * FRAME - position
        self._jitter[rows] += (np.abs(transit - self._transit[rows]) - self._jitter[rows]) / 16
        self._transit[rows] = transit
        newer = position > self._position[rows]
        self._position[rows] = np.where(newer, position, self._position[rows])
        self._timestamp[rows] = np.where(newer, timestamp, self._timestamp[rows])
        return position

    def _insert_at(self, row: int, position: int, pcm: NDArray[np.int16]) -> None:
        """The general way: any alignment, any length, late or not."""
        last = (position + len(pcm) - 1) // FRAME
        if position // FRAME < self._due[row]:
            self._meet_late(row, position // FRAME)
        taken = 0
        repeated = True
        while taken < len(pcm):
            frame, offset = divmod(position + taken, FRAME)
            size = min(FRAME - offset, len(pcm) - taken)
            if frame >= self._due[row]:
                slot = frame % RING
                if self._frame_at[row, slot] != frame:
                    self._frame_at[row, slot] = frame
                    self._filled[row, slot] = 0
                    self._ring[row, slot] = 0
                if self._filled[row, slot] < FRAME:
                    repeated = False
                    self._ring[row, slot, offset : offset + size] = pcm[taken : taken + size]
                    self._filled[row, slot] = min(self._filled[row, slot] + size, FRAME)
            taken += size
        if last >= self._due[row]:
            if repeated:
                self.duplicate[row] += 1
                self.received[row] -= 1
            else:
                whole = (position + len(pcm)) % FRAME == 0
                self._newest[row] = max(int(self._newest[row]), last if whole else last - 1)

    def _meet_late(self, row: int, frame: int) -> None:
        """A frame came after its turn: turn back by what it is late, so that it is played and later ones too."""
        behind = int(self._due[row]) - frame
        was_played = self._frame_at[row, frame % RING] == frame and self._filled[row, frame % RING] == FRAME
        if was_played:
            self.duplicate[row] += 1
            self.received[row] -= 1
            return
        self.late[row] += 1
        lead = int(self._newest[row] - self._due[row]) + 1
        if behind <= 3 and lead + behind <= _MAX_LEAD and self._missing[row] >= behind:
            self._due[row] = frame
            self._least_lead[row] = RING
            self._window[row] = _WINDOW
            self._excess[row] = 0

    # --- out ---

    def play(self, rows: Ints, out: NDArray[np.int16]) -> NDArray[np.bool_]:
        """The frame due in each of `rows` → `out[rows]`, which must still hold what the last call put there.

        Answers which rows had a true frame; the others have been concealed or are silent.
        """
        self._tick += 1
        if not len(rows):
            return np.zeros(0, np.bool_)
        due = self._due[rows]
        slot = due % RING
        lead = self._newest[rows] - due
        have: NDArray[np.bool_] = (self._frame_at[rows, slot] == due) & (
            (self._filled[rows, slot] == FRAME) | (lead > 0)
        )
        if have.all():
            out[rows] = self._ring[rows, slot]
            self.concealed[rows] += self._missing[rows]
            self._missing[rows] = 0
        else:
            good = rows[have]
            out[good] = self._ring[good, slot[have]]
            self.concealed[good] += self._missing[good]
            self._missing[good] = 0
            self._conceal(rows[~have], out)
        self._due[rows] = due + 1
        self._watch(rows, lead, out)
        return have

    def _conceal(self, rows: Ints, out: NDArray[np.int16]) -> None:
        missing = self._missing[rows]
        self._missing[rows] = missing + 1
        fading = missing < len(_DECAY)
        if fading.any():
            at = rows[fading]
            factor = np.asarray(_DECAY, np.float32)[missing[fading]]
            out[at] = (out[at] * factor[:, None]).astype(np.int16)
        out[rows[(missing >= len(_DECAY)) & (missing <= _IDLE_AFTER)]] = 0

    def _watch(self, rows: Ints, lead: Ints, out: NDArray[np.int16]) -> None:
        """Takes out frames where the reserve is greater than needed."""
        least = np.minimum(self._least_lead[rows], lead)
        self._least_lead[rows] = least
        self._window[rows] -= 1
        check = (self._window[rows] <= 0) | (lead > _MAX_LEAD)
        if check.any():
            for row in rows[check].tolist():
                surplus = int(self._least_lead[row])
                if self._newest[row] - self._due[row] > _MAX_LEAD:
                    self._due[row] = self._newest[row] - 1
                    self.dropped[row] += 1
                    surplus = 0
                if not 2 <= surplus < RING:
                    self._excess[row] = 0
                elif surplus >= _MUCH:
                    self._blend(row, out)
                elif not self._excess[row]:
                    self._excess[row] = 1
                self._window[row] = _FIRST_WINDOW if _MUCH <= surplus < RING else _WINDOW
                self._least_lead[row] = RING
        waiting = rows[self._excess[rows] > 0]
        if len(waiting):
            self._excess[waiting] += 1
            coming = self._ring[waiting, self._due[waiting] % RING]
            quiet = np.abs(coming).max(axis=1) < _QUIET
            for row in waiting[quiet | (self._excess[waiting] > _PATIENCE)].tolist():
                self._blend(row, out)
                self._excess[row] = 0
                self._window[row] = _WINDOW
                self._least_lead[row] = RING

    def _blend(self, row: int, out: NDArray[np.int16]) -> None:
        """Leaves the frame that is due out: what goes out now glides into it."""
        due = int(self._due[row])
        slot = due % RING
        if self._frame_at[row, slot] != due:
            return
        mixed = out[row] * (1 - _RAMP_UP) + self._ring[row, slot] * _RAMP_UP
        out[row] = mixed.astype(np.int16)
        self._due[row] = due + 1
        self.dropped[row] += 1
