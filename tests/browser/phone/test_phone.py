"""The browser phone in Chromium against a real centre: who hears whom, by the frequency of their tones."""

import asyncio
import os
import signal
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from booth import Booth, Tab, booth, certificate, live

from centrala.testing import tones
from centrala.testing.phone import Call

pytestmark = pytest.mark.browser


def ringing(state: dict) -> bool:
    return bool(state["call"]) and state["call"]["state"] == "ringing"


def active(state: dict) -> bool:
    return bool(state["call"]) and state["call"]["state"] == "active"


def problem(code: str) -> Callable[[dict], bool]:
    return lambda state: (state.get("problem") or {}).get("code") == code


def idle(state: dict) -> bool:
    return state["call"] is None


async def answered(one: Booth, alice: Tab) -> Call:
    """A customer, who says 440 Hz, has called, and hears the page's 500 Hz."""
    call = await one.call(440)
    await alice.until("ringing", ringing)
    await alice.do("answer()")
    await call.hear_tone(500)
    return call


async def ended(alice: Tab, call: Call) -> None:
    await alice.do("hangUp()")
    await call.over()


@live
async def test_a_call_is_heard_both_ways_recorded_muted_and_ended(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        call = await one.call(440)
        await alice.until("ringing", ringing)
        state = await alice.state()
        assert state["call"]["direction"] == "in"
        assert state["call"]["contact"]
        await alice.do("answer()")
        await alice.until("the call", active)
        await call.hear_tone(500)
        await alice.hears(440)
        await alice.until("levels", lambda s: s["levels"]["mic"] > 0.5 and s["levels"]["ear"] > 0.5)
        await alice.until("quality", lambda s: s["quality"] and s["quality"]["loss"] == 0)
        await alice.do("setMuted(true)")
        await asyncio.sleep(0.7)
        call.forget_heard()
        await asyncio.sleep(1.0)
        assert not call.heard_tone(500)
        await alice.do("setMuted(false)")
        await call.hear_tone(500)
        await ended(alice, call)
        await alice.until("the end", idle)
        assert one.centre.data
        recordings = list((one.centre.data / "recordings").rglob("*.wav"))
        assert len(recordings) == 1
        await asyncio.sleep(0.5)
        with wave.open(str(recordings[0])) as file:
            pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
        middle = pcm[len(pcm) // 3 : len(pcm) // 3 + 8000]
        assert tones.share_of(440, np.ascontiguousarray(middle[:, 0])) > 0.9
        assert tones.share_of(500, np.ascontiguousarray(middle[:, 1])) > 0.9
        # The caller hangs up, too.
        call = await one.call(440)
        await alice.until("ringing again", ringing)
        await alice.do("answer()")
        await call.hear_tone(500)
        call.hang_up()
        await alice.until("the end", idle)


@pytest.mark.parametrize("codec", ["g711", "opus"])
@live
async def test_digits_go_to_the_other_end(tmp_path: Path, codec: str) -> None:
    async with booth(tmp_path, codec=codec) as one:
        alice = await one.tab("alice", 500)
        call = await answered(one, alice)
        await alice.hears(440)
        sdp = await alice.page.evaluate("lines.at(-1).remoteDescription.sdp")
        assert ("opus/48000/2" in sdp) == (codec == "opus")
        await alice.do("digits('42#')")
        await call.until(lambda: "".join(call.digits) == "42#")
        call.hang_up()
        await alice.until("the end", idle)


@live
async def test_two_browsers_talk_and_who_dialled_is_not_asked_to_answer(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice, boris = await one.tab("alice", 500), await one.tab("boris", 900)
        asked = await alice.context.request.post(
            f"{one.base}/api/v1/me/agent/dial",
            data={"number": "202"},
            headers={"X-Centrala": "1", "Origin": one.base},
        )
        assert asked.ok, await asked.text()
        await alice.until("her own phone answers", active)
        assert (await alice.state())["call"]["auto"]
        await boris.until("ringing", ringing)
        assert not (await boris.state())["call"]["auto"]
        await boris.do("answer()")
        await alice.hears(900)
        await boris.hears(500)
        await boris.do("hangUp()")
        await alice.until("the end", idle)


@live
async def test_on_hold_the_customer_hears_music_and_the_agent_nobody(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        call = await answered(one, alice)
        await alice.hears(440)
        headers = {"X-Centrala": "1", "Origin": one.base}
        held = await alice.context.request.post(f"{one.base}/api/v1/me/agent/hold", data={}, headers=headers)
        assert held.ok, await held.text()
        await asyncio.sleep(1.0)
        call.forget_heard()
        await asyncio.sleep(1.5)
        assert tones.level(call.heard) > -50
        assert not call.heard_tone(500)
        assert (await alice.page.evaluate("window.hears()"))["level"] < -60
        back = await alice.context.request.post(
            f"{one.base}/api/v1/me/agent/resume", data={}, headers=headers
        )
        assert back.ok, await back.text()
        await call.hear_tone(500)
        await alice.hears(440)


@live
async def test_under_tls(tmp_path: Path) -> None:
    async with booth(tmp_path, tls=certificate(tmp_path)) as one:
        assert one.base.startswith("https:")
        alice = await one.tab("alice", 500)
        assert await alice.page.evaluate("sockets.at(-1).url.startsWith('wss:')")
        call = await answered(one, alice)
        await alice.hears(440)
        await ended(alice, call)


@live
async def test_a_page_loaded_again_goes_on_with_its_call(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        call = await answered(one, alice)
        contact = (await alice.state())["call"]["contact"]
        await asyncio.sleep(1.5)
        for _ in range(2):
            await alice.page.reload()
            await alice.until("the call again", active)
            assert (await alice.state())["call"]["contact"] == contact
            call.forget_heard()
            await call.hear_tone(500)
            await alice.hears(440)
            await asyncio.sleep(1.5)
        await ended(alice, call)


@live
async def test_the_application_dies_and_the_sound_goes_on(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        call = await answered(one, alice)
        one.centre.kill9()
        await alice.until("the loss", problem("NET-LOST"))
        call.forget_heard()
        await call.hear_tone(500)
        await alice.hears(440)
        await asyncio.to_thread(one.centre.start)
        await alice.until("registration", lambda s: s["status"] == "registered", 30)
        call.forget_heard()
        await call.hear_tone(500)
        await alice.hears(440)
        await asyncio.sleep(1)
        await ended(alice, call)


@live
async def test_the_media_worker_dies_and_the_call_is_negotiated_anew(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        call = await answered(one, alice)
        os.kill(media_worker(one.centre.pid), signal.SIGKILL)
        await asyncio.sleep(1.0)
        call.forget_heard()
        await call.hear_tone(500, 20)
        await alice.hears(440)
        await ended(alice, call)


def media_worker(application: int) -> int:
    """The one process that the application has started."""
    found = Path(f"/proc/{application}/task").glob("*/children")
    return int("".join(one.read_text() for one in found).split()[0])


@live
async def test_another_network(tmp_path: Path) -> None:
    """The socket dies and ICE is begun anew: the same encryption goes on over new candidates."""
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        call = await answered(one, alice)
        before = await alice.page.evaluate("lines.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]")
        await alice.page.evaluate("sockets.at(-1).close()")
        await alice.until("the loss", lambda s: s["status"] == "connecting")
        await alice.until("registration", lambda s: s["status"] == "registered")
        await alice.page.evaluate("phone.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } })")
        deadline = time.monotonic() + 10
        while before == (
            await alice.page.evaluate("lines.at(-1).localDescription.sdp.match(/ice-ufrag:(.*)/)[1]")
        ):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)
        assert await alice.page.evaluate("lines.at(-1).iceConnectionState") in ("connected", "completed")
        call.forget_heard()
        await call.hear_tone(500)
        await alice.hears(440)


@live
async def test_sound_that_stops_is_said_and_repaired(tmp_path: Path) -> None:
    """No packet gets through for a while, though the socket stands: the page begins ICE anew by itself."""
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        call = await answered(one, alice)
        worker = media_worker(one.centre.pid)
        os.kill(worker, signal.SIGSTOP)
        try:
            await alice.until("the loss", problem("NET-LOST"), 30)
            await asyncio.sleep(3)
        finally:
            os.kill(worker, signal.SIGCONT)
        await alice.until("the repair", lambda s: not s.get("problem"), 30)
        call.forget_heard()
        await call.hear_tone(500)
        await alice.hears(440)
        assert active(await alice.state())


@live
async def test_the_line_test(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        result = await alice.do("test()")
        assert result["good"], result
        assert result["mic"] == "ok"
        assert result["micLevel"] > 0.5
        assert result["registered"]
        assert result["echo"]["heard"]
        assert 20 <= result["echo"]["delayMs"] <= 900
        assert result["echo"]["quality"]["loss"] == 0
        await alice.until("the end", idle)
        # It is nobody's contact, and a call comes in after it as ever.
        await answered(one, alice)
        assert not [line for line in one.centre.output if "ALARM" in line]


@live
async def test_devices_are_chosen_and_a_microphone_that_is_pulled_out_is_replaced(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        await alice.do("askForDevices()")
        await alice.until("devices", lambda s: len(s["devices"]["mics"]) > 1 and s["devices"]["speakers"])
        devices = (await alice.state())["devices"]
        assert all(device["name"] for device in devices["mics"])
        assert devices["canChooseSpeaker"]
        call = await answered(one, alice)
        mic, speaker = devices["mics"][-1]["id"], devices["speakers"][-1]["id"]
        await alice.page.evaluate(
            "([m, s]) => phone.choose('mic', m).then(() => phone.choose('speaker', s))", [mic, speaker]
        )
        assert await alice.page.evaluate("phone.mic.getAudioTracks()[0].getSettings().deviceId") == mic
        assert await alice.page.evaluate("phone.sound.ear.sinkId") == speaker
        call.forget_heard()
        await call.hear_tone(500)
        await alice.page.evaluate(
            "() => { const [track] = phone.mic.getTracks(); track.stop(); track.dispatchEvent(new Event('ended')) }"
        )
        await asyncio.sleep(1.0)
        call.forget_heard()
        await call.hear_tone(500)
        await alice.until("no problem", lambda s: not s.get("problem"))
        await alice.page.reload()
        await alice.until("the call again", active)
        chosen = (await alice.state())["devices"]["chosen"]
        assert (chosen["mic"], chosen["speaker"]) == (mic, speaker)
        call.forget_heard()
        await call.hear_tone(500)


@live
async def test_one_tab_has_the_phone_and_the_other_takes_over(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        second = await one.open(alice.context, "alice")
        await second.until("the second tab", problem("TAB-2"))
        await alice.page.close()
        await second.until("registration", lambda s: s["status"] == "registered" and not s.get("problem"))


@live
async def test_a_page_that_sleeps_is_not_offered_a_call(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        # The script of the page stands still, as in a frozen tab: its socket stays open.
        freeze = asyncio.ensure_future(
            alice.page.evaluate("() => { const end = Date.now() + 6000; while (Date.now() < end) ; }")
        )
        await asyncio.sleep(0.5)
        began = time.monotonic()
        call = await one.call(440)
        deadline = began + 5
        while not any("sleeps" in line for line in one.centre.output):
            assert time.monotonic() < deadline, "the page's sleep wasn't noticed"
            await asyncio.sleep(0.05)
        assert time.monotonic() - began < 4.5
        await freeze
        # It is awake, so it is rung again: the caller still waits.
        await alice.until("ringing", ringing)
        await alice.do("answer()")
        await call.hear_tone(500)


@live
async def test_the_microphone_is_refused(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        await alice.page.evaluate(
            "() => { navigator.mediaDevices.getUserMedia ="
            " () => Promise.reject(new DOMException('no', 'NotAllowedError')) }"
        )
        await one.call(440)
        await alice.until("ringing", ringing)
        await alice.do("answer()")
        await alice.until("the problem", problem("MIC-DENIED"))
        await alice.until("it still rings", ringing)


@live
async def test_who_signs_out_has_no_phone(tmp_path: Path) -> None:
    async with booth(tmp_path) as one:
        alice = await one.tab("alice", 500)
        await alice.context.request.delete(
            f"{one.base}/api/v1/session", headers={"X-Centrala": "1", "Origin": one.base}
        )
        await alice.until("the end", problem("SIGNED-OUT"))
