"""RTP packets (RFC 3550, 5.1): one by one, and many at once as columns of a matrix."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEADER = 12
"""Bytes of a header without CSRC and extension."""

RTCP_TYPES = range(192, 224)
"""Second byte of an RTCP packet when it shares the port with RTP (RFC 5761, 4)."""

_fixed = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet as a value."""

    payload_type: int
    sequence: int
    """16 bits, wraps."""
    timestamp: int
    """32 bits, wraps; in samples."""
    ssrc: int
    payload: bytes
    marker: bool = False

    def pack(self) -> bytes:
        second = self.payload_type | (0x80 if self.marker else 0)
        return _fixed.pack(0x80, second, self.sequence, self.timestamp, self.ssrc) + self.payload


def parse(data: bytes | memoryview) -> Packet | None:
    """None if this isn't an RTP packet of version 2 whose lengths add up. Never raises."""
    span = payload_span(data)
    if span is None:
        return None
    _, second, sequence, timestamp, ssrc = _fixed.unpack_from(data)
    return Packet(second & 0x7F, sequence, timestamp, ssrc, bytes(data[span[0] : span[1]]), second >= 0x80)


def payload_span(data: bytes | memoryview) -> tuple[int, int] | None:
    """Where the payload starts and ends, after CSRCs and extension, before padding; None if it isn't RTP."""
    size = len(data)
    if size < HEADER or data[0] >> 6 != 2:
        return None
    first = data[0]
    start = HEADER + 4 * (first & 0x0F)
    if first & 0x10:
        if size < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = size
    if first & 0x20:
        padding = data[size - 1]
        if padding == 0:
            return None
        end -= padding
    return (start, end) if start <= end else None


@dataclass(frozen=True, slots=True)
class Columns:
    """Headers of many packets, one entry a packet. Only those whose `plain` is true are sure to be RTP."""

    plain: NDArray[np.bool_]
    """Version 2, no padding, no extension, no CSRC, at least a header long."""
    payload_type: NDArray[np.uint8]
    marker: NDArray[np.bool_]
    sequence: NDArray[np.int64]
    timestamp: NDArray[np.int64]
    ssrc: NDArray[np.int64]


def parse_columns(rows: NDArray[np.uint8], sizes: NDArray[np.int64]) -> Columns:
    """`rows`: a matrix with one packet a row, from its beginning, at least 12 bytes wide; `sizes`: their lengths."""
    head = np.ascontiguousarray(rows[:, :HEADER])
    words = head.view(">u4")
    return Columns(
        plain=(head[:, 0] == 0x80) & (sizes >= HEADER),
        payload_type=(head[:, 1] & 0x7F).astype(np.uint8),
        marker=head[:, 1] >= 0x80,
        sequence=head.view(">u2")[:, 1].astype(np.int64),
        timestamp=words[:, 1].astype(np.int64),
        ssrc=words[:, 2].astype(np.int64),
    )


def frame_dtype(payload: int) -> np.dtype[np.void]:
    """A row of an outgoing matrix: header fields that take whole columns at once, then `payload` bytes."""
    return np.dtype(
        [
            ("first", "u1"),
            ("second", "u1"),
            ("sequence", ">u2"),
            ("timestamp", ">u4"),
            ("ssrc", ">u4"),
            ("payload", "u1", (payload,)),
        ]
    )
