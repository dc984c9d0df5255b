"""The matrices of a worker: one row for each source of audio, and what else there is to know of a leg."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from centrala.media import messages as m
from centrala.media.opus import CLOCK, Opus
from centrala.media.ports import Pair
from centrala.media.wire import OUT, Address, Line
from centrala.protocols.rtp import dtmf
from centrala.protocols.rtp.g711 import FRAME
from centrala.protocols.rtp.jitter import Jitter

Pcm = NDArray[np.int16]
Ints = NDArray[np.int64]

TICK = 0.02
"""Seconds."""

ALAW, ULAW, EVENT, NOISE, OPUS = 1, 2, 3, 4, 5
"""Entries of `Rows.kinds`; 0: no such payload type was agreed."""

_FIRST_ROWS = 512
"""Room from the start; memory is only used by rows in use."""


@dataclass(slots=True)
class Leg:
    """One leg, beside its columns in the matrices."""

    id: str
    row: int
    want: m.SetLeg
    pair: Pair
    line: Line
    cname: str
    hears: dict[str, float] = field(default_factory=dict)
    began: float = 0.0
    events: dtmf.Receiver = field(default_factory=dtmf.Receiver)
    tones: dtmf.ToneReceiver | None = None
    calling: int = 0
    """Looks in a row that found the tone of a fax machine; -1: it was told."""
    opus: Opus | None = None
    """Its codec, where that was agreed."""
    digits: dtmf.Sender = field(default_factory=dtmf.Sender)
    digit_ids: list[tuple[str, int]] = field(default_factory=list)
    """Ids of digits under way, each with the number of digits that remain after its own."""
    seen_digit_ids: set[str] = field(default_factory=set)
    barred_until: int = 0
    candidate: tuple[int, int] = (-1, -1)
    """SSRC and sequence number of a packet that might begin a new stream."""
    rtcp_source: Address | None = None
    last_sr: int = 0
    last_sr_at: float = 0.0
    reported: tuple[int, int] = (0, 0)
    """Expected and received at our last report."""
    rtt: float | None = None
    peer_lost: float | None = None
    peer_jitter: float | None = None

    @property
    def clock(self) -> int:
        """Ticks of the stream's RTP clock per sample of ours."""
        return 1 if self.opus is None else CLOCK


class Rows:
    """Columns with one entry for each leg and each player. Row 0 is silence and belongs to nobody."""

    def __init__(self) -> None:
        none = np.zeros(0, np.int64)
        self.capacity = 0
        self.tick = 0
        """Number of the tick that runs."""
        self.changed = True
        """A leg has come, gone, or changed in what it sends, receives or where to."""
        self.legs: dict[int, Leg] = {}
        """Row → leg."""
        self.jitter = Jitter(0)
        self.audio: Pcm = np.zeros((0, FRAME), np.int16)
        """What each source says in this tick."""
        self.out = np.zeros(0, OUT)
        """Each leg's next packet."""
        self.views: list[memoryview] = []
        """The same, ready to be sent."""
        self.hears = none
        """The one source that a leg hears as it is, 0: nothing, -1: a mixture."""
        self.ssrc = none
        """Of what is received; -1: nothing yet."""
        self.heard_at = none
        """Tick of the last packet, or from which on packets are expected."""
        self.invalid, self.sent, self.sequence, self.timestamp = none, none, none, none
        self.receives = self.marker = self.ulaw = self.opus = np.zeros(0, np.bool_)
        self.kinds = np.zeros((0, 128), np.uint8)
        """What each payload type means to a leg."""
        self._spare: list[int] = []
        self._grow(_FIRST_ROWS)
        self._spare.remove(0)

    def take(self) -> int:
        """A row for a new source, silent."""
        if not self._spare:
            self._grow(2 * self.capacity)
        row = self._spare.pop()
        self.audio[row] = 0
        return row

    def give_back(self, row: int) -> None:
        self.audio[row] = 0
        self.receives[row] = False
        self.hears[row] = 0
        self._spare.insert(0, row)

    def _grow(self, capacity: int) -> None:
        old, self.capacity = self.capacity, capacity
        for name, value in list(vars(self).items()):
            if isinstance(value, np.ndarray):
                # (np.concatenate would turn network byte order into the machine's own.)
                fresh = np.zeros((capacity, *value.shape[1:]), value.dtype)
                fresh[:old] = value
                setattr(self, name, fresh)
        self.jitter.grow(capacity)
        flat = self.out.view(np.uint8).reshape(capacity, OUT.itemsize)
        self.views = [row.data for row in flat]
        self._spare = list(range(capacity - 1, old - 1, -1)) + self._spare
        self.changed = True
