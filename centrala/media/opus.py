"""Opus (RFC 6716, RFC 7587) at the mixer's 8 kHz: the codec itself resamples, and knows its neighbours' loss.

libopus comes from the system, or with PyAV, whose wheels carry it; without it there is G.711 alone.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from centrala.protocols.rtp.g711 import FRAME

Pcm = NDArray[np.int16]

CLOCK = 6
"""Ticks of Opus' RTP clock, 48 kHz whatever is said (RFC 7587, 4.1), per sample of ours."""
_RATE = 8000
_VOIP = 2048
_SET_BITRATE, _SET_COMPLEXITY, _SET_INBAND_FEC, _SET_PACKET_LOSS = 4002, 4010, 4012, 4014
_BITRATE = 16000
_COMPLEXITY = 5
_EXPECTED_LOSS = 5
"""Percent: how much of each packet may serve to mend the one before it."""
_MOST = 480
"""Samples of one packet: 60 ms."""
_MOST_BYTES = 400


@cache
def library() -> ctypes.CDLL | None:
    """libopus, if there is one."""
    names = [name] if (name := ctypes.util.find_library("opus")) else []
    spec = importlib.util.find_spec("av")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent
        for near in (folder.parent / "av.libs", folder / ".dylibs"):
            names += sorted(str(path) for path in near.glob("libopus*"))
    for one in names:
        try:
            lib = ctypes.CDLL(one)
            lib.opus_encoder_create.restype = lib.opus_decoder_create.restype = ctypes.c_void_p
        except (OSError, AttributeError):
            continue
        lib.opus_encode.argtypes = [
            ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int32,
        ]  # fmt: skip
        lib.opus_decode.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int, ctypes.c_int,
        ]  # fmt: skip
        lib.opus_encoder_ctl.argtypes = [ctypes.c_void_p, ctypes.c_int]
        lib.opus_encoder_destroy.argtypes = lib.opus_decoder_destroy.argtypes = [ctypes.c_void_p]
        lib.opus_encoder_destroy.restype = lib.opus_decoder_destroy.restype = None
        return lib
    return None


class Opus:
    """Both directions of one leg. OSError where there is no libopus."""

    def __init__(self) -> None:
        lib = library()
        if lib is None:
            raise OSError("libopus isn't there: install the package av, or libopus from the system")
        self._lib = lib
        problem = ctypes.c_int()
        self._encoder = ctypes.c_void_p(lib.opus_encoder_create(_RATE, 1, _VOIP, ctypes.byref(problem)))
        self._decoder = ctypes.c_void_p(lib.opus_decoder_create(_RATE, 1, ctypes.byref(problem)))
        for request, value in (
            (_SET_BITRATE, _BITRATE),
            (_SET_COMPLEXITY, _COMPLEXITY),
            (_SET_INBAND_FEC, 1),
            (_SET_PACKET_LOSS, _EXPECTED_LOSS),
        ):
            lib.opus_encoder_ctl(self._encoder, request, ctypes.c_int(value))
        self._said = ctypes.create_string_buffer(_MOST_BYTES)
        self._heard = np.zeros(_MOST, np.int16)
        self._sequence = -1
        self._stamp = 0
        self._time = 0

    def __del__(self) -> None:
        if getattr(self, "_decoder", None):
            self._lib.opus_encoder_destroy(self._encoder)
            self._lib.opus_decoder_destroy(self._decoder)

    def encode(self, pcm: Pcm) -> bytes:
        """20 ms. b"" if it can't be."""
        frame = np.ascontiguousarray(pcm)
        size = self._lib.opus_encode(
            self._encoder, frame.ctypes.data, FRAME, ctypes.addressof(self._said), _MOST_BYTES
        )
        return self._said.raw[:size] if size > 0 else b""

    def time(self, stamp: int) -> int:
        """A time stamp of the wire, on the mixer's clock: 32 bits that wrap where ours do, not where theirs do."""
        step = ((stamp - self._stamp + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        self._time += step
        self._stamp = stamp
        return (self._time // CLOCK) & 0xFFFFFFFF

    def decode(self, payload: bytes, sequence: int) -> tuple[Pcm | None, Pcm | None]:
        """(the frame before, if it was lost and this packet tells of it; this frame). None: there is none."""
        expected = self._sequence
        ahead = (sequence - expected) & 0xFFFF
        lost = expected >= 0 and ahead == 2
        if expected < 0 or ahead < 0x8000:
            self._sequence = sequence
        before = self._decode(payload, FRAME, 1) if lost else None
        return before, self._decode(payload, _MOST, 0)

    def _decode(self, payload: bytes, most: int, fec: int) -> Pcm | None:
        size = self._lib.opus_decode(self._decoder, payload, len(payload), self._heard.ctypes.data, most, fec)
        return self._heard[:size].copy() if size > 0 else None
