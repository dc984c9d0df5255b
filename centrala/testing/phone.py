"""Phones for tests and simulations: real SIP on our own stack, real G.711 over RTP, hundreds of them on two sockets.

async with Phones() as phones:
    alice = phones.phone("alice", "acme.example", server=("127.0.0.1", 5060), voice=voices.tone(700))
    await alice.register("correct horse")
    alice.on_call = answer_after(1.0)
    call = caller.call("+48221234567")
    assert await call.answered()
    await call.hear_tone(700)
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable
from typing import Any, Self

from centrala.protocols.sip import events as s
from centrala.protocols.sip import sdp
from centrala.protocols.sip.flow import Flow
from centrala.protocols.sip.stack import ListeningPoint, SipStack, StackConfig
from centrala.testing.call import Address, Call
from centrala.testing.voices import SILENCE, Voice

__all__ = ["Address", "Call", "Phone", "PhoneError", "Phones", "answer_after", "ignore", "reject_with"]

TICK = 0.02


class PhoneError(Exception):
    """A phone couldn't do what it was told; says why."""


class Phone:
    """One user on `Phones`. `on_call` is asked about each call that comes in; without it the phone only rings."""

    def __init__(self, phones: "Phones", user: str, domain: str, server: Address, voice: Voice) -> None:
        self.phones = phones
        self.user = user
        self.domain = domain
        self.server = server
        self.voice = voice
        self.on_call: Callable[[Call], None] | None = None
        self.on_over: Callable[[Call], None] | None = None
        self.calls: list[Call] = []
        """Calls that aren't over."""
        self.registered = False
        self.password = ""
        self.registering: asyncio.Future[None] | None = None

    @property
    def address_of_record(self) -> str:
        return f"sip:{self.user}@{self.domain}"

    def uri_of(self, to: str) -> str:
        return to if to.startswith(("sip:", "sips:")) else f"sip:{to}@{self.server[0]}:{self.server[1]}"

    async def register(self, password: str, within: float = 10.0, expires: int = 600) -> None:
        """Register, answering the challenge, and stay registered. Raises PhoneError, TimeoutError."""
        self.password = password
        self.registering = asyncio.get_running_loop().create_future()
        self.phones.register(self, password, expires)
        await asyncio.wait_for(self.registering, within)

    def unregister(self) -> None:
        if self.password:
            self.registered = False
            self.phones.unregister(self)

    def call(self, to: str, *, voice: Voice | None = None, display: str = "") -> Call:
        """Call a number at our server or a SIP URI; `await call.answered()`."""
        return self.phones.call(self, self.uri_of(to), voice or self.voice, display)


def answer_after(seconds: float) -> Callable[[Call], None]:
    """For `on_call`: pick up after so long, if it still rings."""
    return lambda call: call.phone.phones.later(seconds, call.accept)


def reject_with(status: int = 486, after: float = 0.0) -> Callable[[Call], None]:
    """For `on_call`: turn it down."""
    return lambda call: call.phone.phones.later(after, lambda: call.reject(status))


def ignore(call: Call) -> None:
    """For `on_call`: let it ring."""


class Phones:
    """Phones that share one socket for SIP and one for RTP, and one clock of 20 ms for all audio.

    What comes in is told apart by the address that it comes from, so the other side must send from the address that
    its session description names, one for each call. Port 0: any free one.
    """

    def __init__(
        self, address: str = "127.0.0.1", sip_port: int = 0, user_agent: str = "Centrala phone"
    ) -> None:
        self._address = address
        self._sip_port = sip_port
        self._user_agent = user_agent
        self._phones: dict[str, Phone] = {}
        self._calls: dict[str, Call] = {}
        self._by_source: dict[Address, Call] = {}
        self._offers: dict[str, str] = {}
        self._numbers = 0
        self.stray = 0
        """RTP packets of no call: late ones, mostly."""
        self.skipped = 0
        """Ticks left out because this process came too late."""
        self.rtp_address: Address = (address, 0)
        self.sip_address: Address = (address, 0)

    async def open(self) -> Self:
        """Raises OSError when the port is taken."""
        self._loop = asyncio.get_running_loop()
        self._sip = _udp(self._address, self._sip_port)
        self._rtp = _udp(self._address, 0)
        host, port = self._sip.getsockname()[:2]
        self.sip_address, self.rtp_address = (host, port), self._rtp.getsockname()[:2]
        config = StackConfig(
            (ListeningPoint("udp", host, port),), user_agent=self._user_agent, contact_user="phone"
        )
        self._stack = SipStack(config, secrets.token_hex)
        self._loop.add_reader(self._sip, self._readable)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._settling = False
        self._later: set[asyncio.TimerHandle] = set()
        self._next_tick = self._loop.time()
        self._ticking = self._loop.call_soon(self._tick)
        return self

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, within: float = 3.0) -> None:
        """Hang up everything, unregister, and let the other side take note of it."""
        for handle in self._later:
            handle.cancel()
        self.hang_up_all()
        for phone in self._phones.values():
            if phone.registered:
                phone.unregister()
        self._settle()
        deadline = self._loop.time() + within
        while self._stack.legs and self._loop.time() < deadline:  # noqa: ASYNC110 a poll of 3 s at the very end
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        for timer in (self._timer, self._ticking):
            if timer is not None:
                timer.cancel()
        self._loop.remove_reader(self._sip)
        self._sip.close()
        self._rtp.close()

    def phone(self, user: str, domain: str, server: Address, voice: Voice = SILENCE) -> Phone:
        """A phone of this user; the same user again takes the place of the one before for calls that come in."""
        phone = self._phones[user] = Phone(self, user, domain, server, voice)
        return phone

    def hang_up_all(self) -> None:
        for call in list(self._calls.values()):
            call.hang_up()

    def forget(self, phone: Phone) -> None:
        """Nobody calls this phone any more: for callers who come and go by the thousand."""
        if self._phones.get(phone.user) is phone:
            del self._phones[phone.user]

    def now(self) -> float:
        return self._loop.time()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it after so long, unless the phones are closed before."""

        def run() -> None:
            self._later.discard(handle)
            do()

        handle = self._loop.call_later(seconds, run)
        self._later.add(handle)

    @property
    def calls(self) -> list[Call]:
        return list(self._calls.values())

    # --- asked by phones and calls ---

    def register(self, phone: Phone, password: str, expires: int) -> None:
        self._stack.register(
            phone.user,
            registrar_uri=f"sip:{phone.server[0]}:{phone.server[1]}",
            aor=phone.address_of_record,
            user=phone.user,
            password=password,
            destination=self._flow(phone.server),
            expires=expires,
            now=self.now(),
        )
        self._settle()

    def unregister(self, phone: Phone) -> None:
        self._stack.unregister(phone.user, now=self.now())
        self._settle()

    def call(self, phone: Phone, uri: str, voice: Voice, display: str) -> Call:
        dialled = uri.partition(":")[2].partition("@")[0]
        call = Call(phone, self._leg(), dialled, True, voice, self.now())
        self._take(call)
        self._stack.invite(
            call.leg,
            call_id=f"{secrets.token_hex(12)}@{self._address}",
            target_uri=uri,
            from_uri=phone.address_of_record,
            from_display=display,
            sdp=sdp.offer(call.local),
            credentials=(phone.user, phone.password) if phone.password else None,
            now=self.now(),
        )
        self._settle()
        return call

    def answer(self, call: Call) -> None:
        offered = self._offers.pop(call.leg, None)
        text = sdp.offer(call.local)
        if offered is not None:
            try:
                text, negotiated = sdp.answer(offered, call.local)
            except sdp.SdpError:
                self.reject(call, 488)
                return
            call.agreed(negotiated)
        call.answered_at = self.now()
        call.change("talking")
        self._stack.respond(call.leg, 200, sdp=text, now=self.now())
        self._settle()

    def reject(self, call: Call, status: int) -> None:
        self._stack.respond(call.leg, status, now=self.now())
        call.status = status
        self._over(call, "rejected", by_peer=False)
        self._settle()

    def hang_up(self, call: Call) -> None:
        self._stack.bye(call.leg, now=self.now())
        self._settle()

    def reinvite(self, call: Call) -> None:
        self._stack.reinvite(call.leg, sdp.offer(call.local), now=self.now())
        self._settle()

    def refer(self, call: Call, uri: str) -> None:
        self._stack.refer(call.leg, uri, now=self.now())
        self._settle()

    def heard_from(self, call: Call, remote: Address | None) -> None:
        """From now on audio of this call comes from, and goes to, this address."""
        if call.remote is not None and self._by_source.get(call.remote) is call:
            del self._by_source[call.remote]
        call.remote = remote
        if remote is not None:
            self._by_source[remote] = call

    # --- SIP ---

    def _leg(self) -> str:
        self._numbers += 1
        return str(self._numbers)

    def _flow(self, remote: Address) -> Flow:
        return Flow("udp", self.sip_address, remote)

    def _take(self, call: Call) -> None:
        self._calls[call.leg] = call
        call.phone.calls.append(call)

    def _readable(self) -> None:
        for _ in range(64):
            try:
                data, source = self._sip.recvfrom(65536)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # an ICMP error of an earlier packet
                continue
            self._stack.receive(data, self._flow((source[0], source[1])), self.now())
        self._settle()

    def _expired(self) -> None:
        self._timer_at = None
        self._stack.advance(self.now())
        self._settle()

    def _settle(self) -> None:
        """Do what the stack wants: send, tell, wake it again."""
        if self._settling:
            return
        self._settling = True
        try:
            self._stack.take_changed()
            while True:
                for flow, data in self._stack.take_outgoing():
                    with contextlib.suppress(OSError):  # as good as lost; the stack repeats it
                        self._sip.sendto(data, flow.remote)
                events = self._stack.take_events()
                if not events:
                    break
                for event in events:
                    self._happened(event)
        finally:
            self._settling = False
        deadline = self._stack.next_deadline()
        if deadline != self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = None if deadline is None else self._loop.call_at(deadline, self._expired)

    def _happened(self, event: s.SipEvent) -> None:
        now = self.now()
        match event:
            case s.InviteReceived():
                self._invited(event)
            case s.TrunkRegistered(trunk=user) if user in self._phones:
                phone = self._phones[user]
                phone.registered = True
                if phone.registering is not None and not phone.registering.done():
                    phone.registering.set_result(None)
            case s.TrunkRegistrationFailed(trunk=user) if user in self._phones:
                phone = self._phones[user]
                phone.registered = False
                if phone.registering is not None and not phone.registering.done():
                    problem = PhoneError(f"the registration was refused: {event.status} {event.reason}")
                    phone.registering.set_exception(problem)
            case s.RegisterReceived(key=key):
                self._stack.refuse(key, 403, now=now)
            case _:
                call = self._calls.get(getattr(event, "leg", ""))
                if call is not None:
                    self._in_call(call, event, now)

    def _invited(self, event: s.InviteReceived) -> None:
        now = self.now()
        phone = self._phones.get(event.request_uri_user) or self._phones.get(event.to_user)
        if phone is None:
            self._stack.refuse(event.key, 404, now=now)
            return
        call = Call(phone, self._leg(), event.from_user, False, phone.voice, now)
        self._take(call)
        if event.sdp is not None:
            self._offers[call.leg] = event.sdp
        self._stack.adopt(event.key, call.leg, now=now)
        self._stack.respond(call.leg, 180, now=now)
        if phone.on_call is not None:
            phone.on_call(call)

    def _in_call(self, call: Call, event: Any, now: float) -> None:
        match event:
            case s.Progressed():
                call.status = event.status
            case s.AnsweredCall():
                call.status = 200
                call.answered_at = now
                call.change("talking")
                self._take_answer(call, event.sdp)
            case s.Failed():
                call.status = event.status
                self._over(call, event.reason, by_peer=event.by_peer)
            case s.Cancelled():
                self._over(call, "cancelled", by_peer=True)
            case s.Ended():
                self._over(call, event.why, by_peer=event.by_peer)
            case s.Acked() | s.Reanswered():
                self._take_answer(call, event.sdp)
            case s.ReInvited():
                self._reinvited(call, event.sdp, now)
            case s.Referred():
                self._stack.reject_refer(call.leg, 603, now=now)
            case s.TransferProgressed():
                call.transfer_status = event.status
            case s.InfoReceived():
                call.digits += event.digit
            case _:
                pass
        call.change()

    def _take_answer(self, call: Call, text: str | None) -> None:
        if text is not None:
            with contextlib.suppress(sdp.SdpError):
                call.agreed(sdp.accept(text, call.local))

    def _reinvited(self, call: Call, offered: str | None, now: float) -> None:
        if offered is None:
            self._stack.answer_reinvite(call.leg, sdp.offer(call.local), now=now)
            return
        try:
            text, negotiated = sdp.answer(offered, call.local)
        except sdp.SdpError:
            self._stack.reject_reinvite(call.leg, 488, now=now)
            return
        call.agreed(negotiated)
        self._stack.answer_reinvite(call.leg, text, now=now)

    def _over(self, call: Call, why: str, *, by_peer: bool) -> None:
        if call.state == "over":
            return
        call.why, call.ended_by_peer, call.ended_at = why, by_peer, self.now()
        self.heard_from(call, None)
        self._offers.pop(call.leg, None)
        self._calls.pop(call.leg, None)
        call.phone.calls.remove(call)
        call.change("over")
        if call.phone.on_over is not None:
            call.phone.on_over(call)

    # --- audio ---

    def _tick(self) -> None:
        """Every 20 ms: take all that came, send a packet for each call. Late by more than 0.2 s: leave some out."""
        receive, by_source = self._rtp.recvfrom, self._by_source
        try:
            while True:
                data, source = receive(2048)
                call = by_source.get(source[:2])
                if call is None or len(data) < 12:
                    self.stray += 1
                elif not 192 <= data[1] <= 223:  # RTCP on the same port (RFC 5761)
                    call.receive(data)
        except (BlockingIOError, InterruptedError, ConnectionError):
            pass
        for call in by_source.values():
            packet = call.frame()
            if packet is not None and call.remote is not None:
                with contextlib.suppress(OSError):
                    self._rtp.sendto(packet, call.remote)
        now = self._loop.time()
        self._next_tick += TICK
        if now - self._next_tick > 0.2:
            self.skipped += int((now - self._next_tick) / TICK)
            self._next_tick = now
        self._ticking = self._loop.call_at(self._next_tick, self._tick)


def _udp(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
