"""One call of a phone of `testing.phone`: what happened, what was heard, what to do with it."""

import asyncio
import contextlib
import secrets
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from centrala.protocols.rtp import dtmf
from centrala.protocols.rtp.g711 import FRAME, decode_alaw, decode_ulaw
from centrala.protocols.rtp.packet import payload_span
from centrala.protocols.sip import sdp
from centrala.testing.voices import Voice, pip_seconds

if TYPE_CHECKING:
    from centrala.testing.phone import Phone

KEPT_FRAMES = 1500
"""What a call remembers of what it heard: the last 30 s."""

CallState = Literal["calling", "ringing", "talking", "over"]
Address = tuple[str, int]

_head = struct.Struct("!BBHII")


class Call:
    """One call of a phone, in either direction. Times are those of the event loop, in seconds."""

    def __init__(self, phone: "Phone", leg: str, peer: str, outgoing: bool, voice: Voice, at: float) -> None:
        self.phone = phone
        self.leg = leg
        self.peer = peer
        """The user part of who calls, or of what was dialled."""
        self.outgoing = outgoing
        self.voice = voice
        self.state: CallState = "calling" if outgoing else "ringing"
        self.status = 0
        """The last answer to the INVITE."""
        self.why = ""
        """How it ended: "bye", "cancelled", a reason phrase ..."""
        self.ended_by_peer = False
        self.began = at
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.held_by_peer = False
        self.transfer_status = 0
        """What the other side last said of our transfer; 200 is success."""
        self.packets = 0
        """RTP packets with audio received."""
        self.digits = ""
        """Digits received (RFC 4733)."""
        self.local = sdp.LocalMedia(
            phone.phones.rtp_address[0], phone.phones.rtp_address[1], session_id=secrets.randbits(31)
        )
        self.remote: Address | None = None
        self.said = 0
        """Frames sent of the voice."""
        self._heard: deque[tuple[bytes, bool]] = deque(maxlen=KEPT_FRAMES)
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._ssrc = secrets.randbits(32)
        self._payload = 8
        self._events_payload = -1
        self._sends = False
        self._marker = True
        self._keys = dtmf.Sender()
        self._digits = dtmf.Receiver()
        self._held = False
        self._changed = asyncio.Event()

    # --- what happened ---

    @property
    def talk_seconds(self) -> float:
        if self.answered_at is None:
            return 0.0
        return (self.ended_at if self.ended_at is not None else self.phone.phones.now()) - self.answered_at

    async def answered(self, within: float = 30.0) -> bool:
        """Wait for the answer; False when the call was refused or ended. Raises TimeoutError."""
        await self.until(lambda: self.answered_at is not None or self.state == "over", within)
        return self.answered_at is not None

    async def over(self, within: float = 30.0) -> None:
        """Wait for the end. Raises TimeoutError."""
        await self.until(lambda: self.state == "over", within)

    async def until(self, true: Callable[[], bool], within: float = 30.0) -> None:
        """Wait until the call is so. Looks at each SIP event and ten times a second. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not true():
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.1)

    @property
    def heard(self) -> NDArray[np.int16]:
        """The last 30 s of what came in, in order of arrival, 8 kHz. Lost packets leave no gap."""
        if not self._heard:
            return np.zeros(0, np.int16)
        laws = np.array([is_ulaw for _, is_ulaw in self._heard])
        data = np.frombuffer(b"".join(frame for frame, _ in self._heard), np.uint8).reshape(-1, FRAME)
        return np.where(laws[:, None], decode_ulaw(data), decode_alaw(data)).astype(np.int16).ravel()

    def heard_tone(self, frequency: float, seconds: float = 0.15) -> bool:
        """Whether this tone (a `voices.tone`, or the pip of a `voices.person`) was heard for so long."""
        return pip_seconds(frequency, self.heard) >= seconds

    async def hear_tone(self, frequency: float, within: float = 10.0) -> None:
        """Wait until the tone has been heard. Raises TimeoutError."""
        await self.until(lambda: self.heard_tone(frequency), within)

    def forget_heard(self) -> None:
        self._heard.clear()

    # --- what to do ---

    def accept(self) -> None:
        """Answer a ringing call; nothing if it isn't ringing any more."""
        if self.state == "ringing":
            self.phone.phones.answer(self)

    def reject(self, status: int = 486) -> None:
        if self.state == "ringing":
            self.phone.phones.reject(self, status)

    def hang_up(self) -> None:
        """End it, whatever its state: BYE, CANCEL or 480."""
        if self.state != "over":
            self.phone.phones.hang_up(self)

    def hold(self, held: bool = True) -> None:
        """Put the other side on hold, or take it back, by re-INVITE."""
        if self.state == "talking":
            self._held = held
            direction = sdp.Direction.SENDONLY if held else sdp.Direction.SENDRECV
            self.local = sdp.same_session(self.local, replace(self.local, direction=direction))
            self.phone.phones.reinvite(self)

    def transfer(self, to: str) -> None:
        """Blind transfer: to a number at our own server, or a whole SIP URI. `transfer_status` tells."""
        if self.state == "talking":
            self.phone.phones.refer(self, self.phone.uri_of(to))

    def press(self, digits: str) -> None:
        """Send digits as telephone events; a comma is a pause of 1 s."""
        self._keys.digits += dtmf.clean(digits)

    def say(self, voice: Voice) -> None:
        """Go on with another voice, from its beginning."""
        self.voice, self.said = voice, 0

    # --- the wire's side ---

    def agreed(self, negotiated: sdp.Negotiated) -> None:
        address = negotiated.address
        self.held_by_peer = negotiated.held
        self._sends = negotiated.direction.sends and address not in ("0.0.0.0", "")
        self._payload = negotiated.payload
        self._ulaw = negotiated.codec == "PCMU"
        self._events_payload = -1 if negotiated.events_payload is None else negotiated.events_payload
        self.phone.phones.heard_from(self, (address, negotiated.port) if negotiated.port else None)

    _ulaw = False

    def frame(self) -> bytes | None:
        """The packet of this tick, None: nothing to send."""
        if not self._sends or self.state != "talking":
            return None
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
        payload_type, timestamp, marker = self._payload, self._timestamp, self._marker
        if self._keys.digits and self._events_payload >= 0:
            step = self._keys.step(self._timestamp)
            if step is None:
                return None
            event, timestamp, marker = step
            payload_type, payload = self._events_payload, event.pack()
        else:
            frames = self.voice.ulaw if self._ulaw else self.voice.alaw
            payload = frames[self.said % len(frames)]
            self.said += 1
            self._marker = False
        self._sequence = (self._sequence + 1) & 0xFFFF
        second = payload_type | (0x80 if marker else 0)
        return _head.pack(0x80, second, self._sequence, timestamp, self._ssrc) + payload

    def receive(self, data: bytes) -> None:
        """An RTP packet of this call."""
        kind = data[1] & 0x7F
        if len(data) == 12 + FRAME and data[0] == 0x80 and kind in (0, 8):
            self._heard.append((data[12:], kind == 0))
            self.packets += 1
        elif kind == self._events_payload:
            span = payload_span(data)
            event = dtmf.parse(data[span[0] : span[1]]) if span is not None else None
            if event is not None:
                told = self._digits.receive(int.from_bytes(data[4:8], "big"), event)
                self.digits += "".join(digit for digit, _ in told)

    def change(self, state: CallState | None = None) -> None:
        """Something happened: wake who waits for it."""
        if state is not None:
            self.state = state
        self._changed.set()
