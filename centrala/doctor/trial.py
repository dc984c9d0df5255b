"""Trials of the parts that must work together: sound through a media worker, and a call through a whole centre."""

import asyncio
import contextlib
import os
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from centrala.ledger import contacts
from centrala.media import messages as m
from centrala.media.client import MediaClient
from centrala.protocols.rtp.g711 import decode_alaw
from centrala.protocols.rtp.packet import Packet
from centrala.protocols.rtp.packet import parse as parse_rtp
from centrala.server import Server
from centrala.settings import parse
from centrala.testing import ports, voices
from centrala.testing.phone import Phones, answer_after

HOST = "127.0.0.1"
CALLER_TONE, AGENT_TONE = 2400, 2840


class Wrong(Exception):
    """A trial failed; says how."""


async def media_worker() -> str:
    """Two legs of a worker of our own, a tone each way, found by its frequency."""
    with tempfile.TemporaryDirectory(prefix="centrala-doctor-") as folder:
        client = MediaClient(
            socket=Path(folder) / "media.sock",
            data=Path(folder),
            address=HOST,
            ports=ports.free_range(HOST, 40000, 20),
            on_event=lambda event: None,
        )
        before = time.perf_counter()
        await client.start()
        started = time.perf_counter() - before
        try:
            async with asyncio.timeout(5):
                while client.free_ports < 2:  # noqa: ASYNC110 a few ticks of the worker
                    await asyncio.sleep(0.02)
            heard = await _two_legs(client)
        except TimeoutError:
            raise Wrong("the media worker binds no ports") from None
        finally:
            await client.close(quit_worker=True)
    for frequency, samples in heard:
        if voices.pip_seconds(frequency, samples) < 0.5:
            raise Wrong(f"the tone of {frequency} Hz was not heard through the media worker")
    return f"starts in {1000 * started:.0f} ms; a tone each way was heard through it"


async def _two_legs(client: MediaClient) -> list[tuple[int, voices.Pcm]]:
    """What each of two parties hears of the other, with the tone that it should be."""
    loop = asyncio.get_running_loop()
    tones = (CALLER_TONE, AGENT_TONE)
    with ports.bound(HOST) as left, ports.bound(HOST) as right:
        sockets = (left, right)
        taken = []
        for number, sock in enumerate(sockets):
            sock.setblocking(False)
            port = client.take_port()
            if port is None:
                raise Wrong("the media worker has no port")
            taken.append(port)
            client.send(m.SetLeg(leg=f"leg{number}", port=port, remote=sock.getsockname()))
        client.send(m.Hear(leg="leg0", sources={"leg1": 1.0}))
        client.send(m.Hear(leg="leg1", sources={"leg0": 1.0}))
        frames = [voices.tone(frequency, 1.0).alaw for frequency in tones]
        heard: list[list[bytes]] = [[], []]
        began = loop.time()
        for tick in range(75):
            for number, sock in enumerate(sockets):
                payload = frames[number][tick % len(frames[number])]
                sock.sendto(Packet(8, tick, 160 * tick, 7 + number, payload).pack(), (HOST, taken[number]))
                with contextlib.suppress(BlockingIOError):
                    while True:
                        packet = parse_rtp(sock.recv(2048))
                        if packet is not None and packet.payload_type == 8:
                            heard[number].append(packet.payload)
            await asyncio.sleep(max(began + 0.02 * (tick + 1) - loop.time(), 0))
    return [
        (tones[1 - number], decode_alaw(np.frombuffer(b"".join(heard[number]), np.uint8)))
        for number in (0, 1)
    ]


CENTRE = """
listen:
  sip: ["udp:{host}:0"]
  media: {{address: {host}, ports: {low}-{high}}}
tenants:
  doctor:
    domain: doctor.example
    trunks: {{carrier: {{address: "{host}:{carrier}"}}}}
    agents: {{agent: {{sip_password: "{password}", ready_on_register: true}}}}
    queues: {{line: {{agents: [agent], record: true, wrap_up: 0s}}}}
    numbers: {{"100": {{queue: line}}}}
"""


async def call_to_itself() -> str:
    """A whole centre: a caller, a queue, an agent, both heard and recorded, and the record of it."""
    with tempfile.TemporaryDirectory(prefix="centrala-doctor-") as name:
        folder = Path(name)
        async with Phones(HOST) as carrier, Phones(HOST) as house:
            low, high = ports.free_range(HOST, 40000, 40)
            password = os.urandom(12).hex()
            text = CENTRE.format(
                host=HOST, low=low, high=high, carrier=carrier.sip_address[1], password=password
            )
            server = Server(parse(text, folder / "doctor.yaml"), folder)
            await server.start()
            try:
                waited = await _one_call(server, carrier, house, password)
            finally:
                house.hang_up_all()
                carrier.hang_up_all()
                await asyncio.sleep(0.3)
                await server.stop()
        _check_record(folder)
    return f"answered after {waited:.1f} s, both sides heard each other, recorded on two channels, in the records"


async def _one_call(server: Server, carrier: Phones, house: Phones, password: str) -> float:
    where = (HOST, server.settings.listen.sip[0].port)
    agent = house.phone("agent", "doctor.example", where, voices.tone(AGENT_TONE))
    agent.on_call = answer_after(0.3)
    caller = carrier.phone("4800000000", "doctor.example", where, voices.tone(CALLER_TONE))
    try:
        await agent.register(password)
    except TimeoutError:
        raise Wrong("the agent's phone could not register: no answer within 10 s") from None
    call = caller.call("100")
    try:
        if not await call.answered(10):
            raise Wrong(f"the call was refused: {call.status} {call.why}")
    except TimeoutError:
        raise Wrong("the call was not answered within 10 s") from None
    try:
        await call.until(lambda: bool(agent.calls) and agent.calls[0].answered_at is not None, 15)
    except TimeoutError:
        raise Wrong("the queue didn't bring the caller to the agent within 15 s") from None
    other = agent.calls[0]
    for ear, frequency, who in ((call, AGENT_TONE, "caller"), (other, CALLER_TONE, "agent")):
        try:
            await ear.hear_tone(frequency, 5)
        except TimeoutError:
            raise Wrong(f"the {who} didn't hear the other side within 5 s") from None
    await asyncio.sleep(1.0)
    call.hang_up()
    try:
        await other.over(5)
    except TimeoutError:
        raise Wrong("the agent's phone wasn't told that the caller has hung up") from None
    return (other.answered_at or 0.0) - call.began


def _check_record(folder: Path) -> None:
    records = list(contacts(folder))
    if len(records) != 1:
        raise Wrong(f"there are {len(records)} contact records of one call")
    record = records[0]
    if record["outcome"] != "answered" or record["agent"] != "agent" or record["queue"] != "line":
        raise Wrong(f"the contact record is wrong: {record['outcome']}, {record['agent']}, {record['queue']}")
    if not record["recording"]:
        raise Wrong("the contact record names no recording")
    try:
        with wave.open(str(folder / str(record["recording"]))) as sound:
            both = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, 2)
    except (OSError, EOFError, wave.Error, ValueError) as problem:
        raise Wrong(f"the recording can't be read ({problem})") from None
    for side, frequency in enumerate((CALLER_TONE, AGENT_TONE)):
        if voices.pip_seconds(frequency, np.ascontiguousarray(both[:, side], np.int16)) < 0.5:
            raise Wrong(f"channel {side} of the recording doesn't hold its side's tone")
