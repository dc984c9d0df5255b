"""Whether somebody speaks: energy against a noise floor that each row learns. All rows in one step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
Ints = NDArray[np.int64]

_FAINT = 64.0**2
"""Mean square below which nothing is speech: an amplitude of about -51 dBm0."""
_FIRST_FLOOR = 50.0**2
_LOUDEST_FLOOR = 1200.0**2
_ABOVE = 6.0
"""Times the floor (8 dB) that speech has at least."""
_RISE = 1.01
"""Of the floor, each tick: a steady noise is no speech any more after some seconds (2 dB a second)."""
_FALL = 0.3
"""Share of the way down to a quieter frame that the floor goes in a tick: between words it finds the noise."""
_ONSET = 3
"""Ticks of energy in a row that make speech: clicks have fewer."""


class Activity:
    """Voice activity of many streams. A stream has a slot; `begin` makes one new."""

    def __init__(self) -> None:
        self.quiet: Ints = np.zeros(0, np.int64)
        """Ticks since somebody spoke, or since the beginning."""
        self.spoke: NDArray[np.bool_] = np.zeros(0, np.bool_)
        """Somebody has spoken since the beginning."""
        self._floor = np.zeros(0, np.float32)
        self._loud: Ints = np.zeros(0, np.int64)

    def grow(self, capacity: int) -> None:
        more = capacity - len(self.quiet)
        self.quiet = np.concatenate([self.quiet, np.zeros(more, np.int64)])
        self.spoke = np.concatenate([self.spoke, np.zeros(more, np.bool_)])
        self._floor = np.concatenate([self._floor, np.zeros(more, np.float32)])
        self._loud = np.concatenate([self._loud, np.zeros(more, np.int64)])

    def begin(self, slot: int) -> None:
        self.quiet[slot] = self._loud[slot] = 0
        self.spoke[slot] = False
        self._floor[slot] = _FIRST_FLOOR

    def step(self, slots: Ints, frames: Pcm) -> None:
        """One tick: `frames` are 160 samples a row, in the order of `slots`."""
        signal = frames.astype(np.float32)
        power = np.einsum("ij,ij->i", signal, signal) / frames.shape[1]
        floor = self._floor[slots]
        energy = power > np.maximum(_ABOVE * floor, _FAINT)
        down = floor + _FALL * (power - floor)
        self._floor[slots] = np.where(power < floor, down, np.minimum(floor * _RISE, _LOUDEST_FLOOR))
        loud = np.where(energy, self._loud[slots] + 1, 0)
        self._loud[slots] = loud
        speech = loud >= _ONSET
        self.quiet[slots] = np.where(speech, 0, self.quiet[slots] + 1)
        self.spoke[slots] |= speech
