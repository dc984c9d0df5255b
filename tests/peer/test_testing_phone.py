"""The kit's phones against each other and against foreign ears: every feature over real sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from centrala.server import Server
from centrala.settings import parse
from centrala.testing import ports, voices
from centrala.testing.phone import Call, Phone, PhoneError, Phones, answer_after, ignore, reject_with
from centrala.testing.wire import Pattern, Wire

pytestmark = pytest.mark.peer

LEFT, RIGHT = 2400, 2840


def run(test: Callable[[Phone, Phone, Phones], Awaitable[None]]) -> None:
    """Two phones without a server between them: the right one answers at once."""

    async def scene() -> None:
        async with Phones() as one, Phones() as two:
            left = one.phone("left", "example.org", two.sip_address, voices.tone(LEFT))
            right = two.phone("right", "example.org", one.sip_address, voices.tone(RIGHT))
            right.on_call = answer_after(0.05)
            await test(left, right, two)

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_a_call_both_ways_and_its_end() -> None:
    async def test(left: Phone, right: Phone, _: Phones) -> None:
        ended: list[Call] = []
        right.on_over = ended.append
        call = left.call("right")
        assert await call.answered()
        other = right.calls[0]
        assert other.peer == "left"
        await asyncio.gather(call.hear_tone(RIGHT), other.hear_tone(LEFT))
        assert not call.heard_tone(LEFT)
        assert np.abs(call.heard[-800:].astype(int)).max() == pytest.approx(8000, rel=0.05)
        call.hang_up()
        await other.over()
        assert (other.why, other.ended_by_peer, call.ended_by_peer) == ("bye", True, False)
        assert ended == [other]
        assert left.calls == right.calls == []
        assert 0 < other.talk_seconds <= call.talk_seconds + 0.5

    run(test)


def test_what_a_phone_may_do_with_a_call() -> None:
    async def test(left: Phone, right: Phone, phones: Phones) -> None:
        right.on_call = reject_with(486)
        call = left.call("right")
        assert not await call.answered()
        assert (call.status, call.state) == (486, "over")
        right.on_call = ignore
        call = left.call("right")
        await call.until(lambda: call.status == 180)
        call.hang_up()
        await call.over()
        assert call.status == 487
        await asyncio.sleep(0.1)
        assert phones.calls == []
        assert (call.answered_at, call.packets) == (None, 0)
        call = left.call("nobody")
        assert not await call.answered()
        assert call.status == 404

    run(test)


def test_digits_arrive_once_each_and_the_voice_goes_on() -> None:
    async def test(left: Phone, right: Phone, _: Phones) -> None:
        call = left.call("right")
        assert await call.answered()
        other = right.calls[0]
        call.press("12#")
        await other.until(lambda: len(other.digits) >= 3)
        other.forget_heard()
        await other.hear_tone(LEFT)
        assert other.digits == "12#"

    run(test)


def test_hold_silences_the_one_who_is_held() -> None:
    async def test(left: Phone, right: Phone, _: Phones) -> None:
        call = left.call("right")
        assert await call.answered()
        other = right.calls[0]
        call.hold()
        await other.until(lambda: other.held_by_peer)
        await asyncio.sleep(0.1)
        before = call.packets
        await asyncio.sleep(0.3)
        assert call.packets == before
        call.hold(False)
        await other.until(lambda: not other.held_by_peer)
        await call.until(lambda: call.packets > before + 5)

    run(test)


def test_another_voice_from_now_on() -> None:
    async def test(left: Phone, right: Phone, _: Phones) -> None:
        call = left.call("right")
        assert await call.answered()
        await right.calls[0].hear_tone(LEFT)
        call.say(voices.tone(3200))
        await right.calls[0].hear_tone(3200)

    run(test)


def test_many_calls_share_two_sockets_and_nobody_hears_another() -> None:
    """Six people talk with six others, whose audio all crosses one pair of sockets."""

    async def test(left: Phone, right: Phone, phones: Phones) -> None:
        async with Phones() as agents:
            relay: list[tuple[Call, int]] = []
            callers = [await Phones().open() for _ in range(6)]
            try:
                for number, one in enumerate(callers):
                    mine = one.phone(
                        "left", "example.org", agents.sip_address, voices.tone(voices.PIPS[number])
                    )
                    agents.phone(
                        f"seat{number}", "example.org", one.sip_address, voices.tone(voices.PIPS[20 + number])
                    ).on_call = answer_after(0.0)
                    relay.append((mine.call(f"seat{number}"), number))
                for call, number in relay:
                    assert await call.answered()
                    await call.hear_tone(voices.PIPS[20 + number])
                await asyncio.sleep(0.3)
                for call in agents.calls:
                    number = int(call.phone.user.removeprefix("seat"))
                    assert voices.pips_in(call.heard) == {voices.PIPS[number]}
                for call, number in relay:
                    assert voices.pips_in(call.heard) == {voices.PIPS[20 + number]}
            finally:
                await asyncio.gather(*(one.close() for one in callers))

    run(test)


def test_lost_packets_are_repeated() -> None:
    """A third of the SIP datagrams is lost each way; the call still comes about and ends at both."""

    async def scene() -> None:
        async with (
            Phones() as one,
            Phones() as two,
            Wire(two.sip_address, Pattern(loss=0.34), seed=4) as wire,
        ):
            left = one.phone("left", "example.org", wire.address, voices.tone(LEFT))
            right = two.phone("right", "example.org", wire.address, voices.tone(RIGHT))
            right.on_call = answer_after(0.05)
            call = left.call(f"sip:right@{wire.address[0]}:{wire.address[1]}")
            assert await call.answered(30)
            await call.hear_tone(RIGHT)
            call.hang_up()
            await call.over()
            assert wire.lost[0] + wire.lost[1] > 0

    asyncio.run(asyncio.wait_for(scene(), 60))


CENTRE = """
listen:
  sip: ["udp:127.0.0.1:0"]
  media: {{address: 127.0.0.1, ports: {low}-{high}}}
tenants:
  acme:
    domain: acme.example
    trunks: {{carrier: {{address: "127.0.0.1:{carrier}"}}}}
    agents:
      alice: {{sip_password: correct horse, ready_on_register: true}}
      boris: {{sip_password: battery staple, ready_on_register: true}}
    queues: {{sales: {{agents: [alice], wrap_up: 0s}}}}
    numbers: {{"100": {{queue: sales}}, "202": {{agent: boris}}}}
"""


def test_register_queue_and_transfer_at_a_real_centre(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Phones() as carrier, Phones() as house:
            low, high = ports.free_range("127.0.0.1", 43000, 60)
            text = CENTRE.format(low=low, high=high, carrier=carrier.sip_address[1])
            server = Server(parse(text, tmp_path / "centre.yaml"), tmp_path)
            await server.start()
            try:
                where = ("127.0.0.1", server.settings.listen.sip[0].port)
                alice = house.phone("alice", "acme.example", where, voices.tone(LEFT))
                boris = house.phone("boris", "acme.example", where, voices.tone(RIGHT))
                with pytest.raises(PhoneError, match="refused: 40"):
                    await alice.register("wrong")
                alice.on_call = boris.on_call = answer_after(0.1)
                await asyncio.gather(alice.register("correct horse"), boris.register("battery staple"))
                call = carrier.phone("4855", "carrier.example", where, voices.tone(3200)).call("100")
                await call.hear_tone(LEFT, 20)
                first = alice.calls[0]
                await first.hear_tone(3200)
                first.transfer("202")
                await first.over()
                assert first.transfer_status == 200
                await call.hear_tone(RIGHT, 20)
                await boris.calls[0].hear_tone(3200)
                call.hang_up()
                await boris.calls[0].over()
                alice.unregister()
                agent = server.desk.mailboxes["acme"].centre.agents["alice"]
                async with asyncio.timeout(10):
                    while agent.reachable:
                        await asyncio.sleep(0.05)
            finally:
                carrier.hang_up_all()
                await asyncio.sleep(0.2)
                await server.stop()

    asyncio.run(asyncio.wait_for(scene(), 90))
