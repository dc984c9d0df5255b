"""SIP messages cut out of a byte stream (RFC 3261 18.3), keep-alives (RFC 5626 4.4.1) and oversized ones told apart."""

import re

PING = b"\r\n\r\n"
PONG = b"\r\n"
_LENGTH = re.compile(rb"(?:^|\n)(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?(?=\n|$)", re.IGNORECASE)


class FramingError(ValueError):
    """The stream can't be followed any further; close the connection."""


class StreamFramer:
    """Feed bytes of one TCP or TLS connection, take whole messages. A WebSocket frame is a message already."""

    def __init__(self, max_message: int = 65536) -> None:
        self._buffer = bytearray()
        self._max = max_message

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Messages that are whole now, and bytes to send back at once (pongs). Raises FramingError.

        Feed nothing after a FramingError.
        """
        self._buffer += data
        messages: list[bytes] = []
        pongs = b""
        while True:
            while self._buffer.startswith(PING):
                pongs += PONG
                del self._buffer[:4]
            # A lone CRLF is the peer's pong, unless the second half of a ping is yet to come.
            if (
                self._buffer.startswith(b"\r\n")
                and len(self._buffer) > 2
                and not PING.startswith(self._buffer[:4])
            ):
                del self._buffer[:2]
                continue
            if self._buffer == b"\r\n" or self._buffer == b"\r\n\r" or not self._buffer:
                break
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > self._max:
                    raise FramingError("headers larger than a message may be")
                break
            hit = _LENGTH.search(self._buffer, 0, end)
            if hit is None:
                raise FramingError("no Content-Length in a stream (RFC 3261 20.14)")
            total = end + 4 + int(hit[1])
            if total > self._max:
                raise FramingError("message larger than allowed")
            if len(self._buffer) < total:
                break
            messages.append(bytes(self._buffer[:total]))
            del self._buffer[:total]
        return messages, pongs
