"""G.711 (ITU-T, 11/88): A-law and mu-law as look-up tables, 8000 samples a second, one byte each.

Samples are 16-bit linear. Decoding yields the standard's 13-bit (A-law) and 14-bit (mu-law) values, aligned to
the left; encoding quantises to the nearest value that the standard's decision levels give, for all 65,536 inputs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
Bytes = NDArray[np.uint8]

RATE = 8000
FRAME = 160
"""Samples in 20 ms."""

ALAW_SILENCE = 0xD5
ULAW_SILENCE = 0xFF


def _decode_alaw() -> Pcm:
    code = np.arange(256) ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    value = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, value, -value).astype(np.int16)


def _decode_ulaw() -> Pcm:
    code = ~np.arange(256) & 0xFF
    value = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -value, value).astype(np.int16)


def _encode_alaw() -> Bytes:
    pcm = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int64)
    # Negative values are complemented, so that the two halves mirror each other bit by bit.
    size = np.where(pcm >= 0, pcm, ~pcm) >> 4
    segment = np.zeros(65536, np.int64)
    for threshold in (32, 64, 128, 256, 512, 1024):
        segment += size >= threshold
    low = size < 16
    code = np.where(low | (size < 32) & (segment == 0), size, ((segment + 1) << 4) | ((size >> segment) & 15))
    out: Bytes = ((code | np.where(pcm >= 0, 0x80, 0)) ^ 0x55).astype(np.uint8)
    return out


def _encode_ulaw() -> Bytes:
    pcm = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int64)
    size = np.minimum((np.where(pcm >= 0, pcm, -pcm) >> 2) + 33, 8191)
    segment = np.zeros(65536, np.int64)
    for threshold in (64, 128, 256, 512, 1024, 2048, 4096):
        segment += size >= threshold
    code = (segment << 4) | ((size >> (segment + 1)) & 15)
    out: Bytes = (~(code | np.where(pcm < 0, 0x80, 0)) & 0xFF).astype(np.uint8)
    return out


ALAW_TO_PCM: Pcm = _decode_alaw()
ULAW_TO_PCM: Pcm = _decode_ulaw()
PCM_TO_ALAW: Bytes = _encode_alaw()
"""Indexed by the sample's bits as an unsigned number."""
PCM_TO_ULAW: Bytes = _encode_ulaw()


def decode_alaw(data: Bytes) -> Pcm:
    """Any shape of bytes → samples of the same shape."""
    return ALAW_TO_PCM.take(data)


def decode_ulaw(data: Bytes) -> Pcm:
    """Any shape of bytes → samples of the same shape."""
    return ULAW_TO_PCM.take(data)


def encode_alaw(pcm: Pcm) -> Bytes:
    """Any shape of samples (contiguous) → bytes of the same shape."""
    return PCM_TO_ALAW.take(pcm.view(np.uint16))


def encode_ulaw(pcm: Pcm) -> Bytes:
    """Any shape of samples (contiguous) → bytes of the same shape."""
    return PCM_TO_ULAW.take(pcm.view(np.uint16))
