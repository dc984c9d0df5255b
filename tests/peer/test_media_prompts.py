"""What a media worker does for flows: prompts that come and go, keys as tones beside other calls, fax machines."""

import asyncio
import subprocess
from pathlib import Path

import numpy as np
import pytest
from test_media_worker import desk, eventually, folder, live, phones  # noqa: F401 - the fixtures

from centrala.media import messages as m
from centrala.protocols.rtp import dtmf, g711

pytestmark = pytest.mark.peer


def sox(*words: str) -> np.ndarray:
    """8 kHz samples of what sox makes of nothing."""
    command = ["sox", "-n", "-r", "8000", "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-", *words]
    return np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<i2")


@live
async def test_a_prompt_that_was_heard_is_gone(folder, phones) -> None:  # noqa: F811
    one_phone = phones()
    async with desk(folder) as one:
        one_phone.call(await one.leg("a", one_phone))
        for number in range(5):
            one.client.send(m.Player(f"prompt:a:{number}", ["silence:100"]))
            one.client.send(m.Hear("a", {f"prompt:a:{number}": 1.0}))
            await one.event(m.Played, player=f"prompt:a:{number}")
        assert list((await one.client.inventory()).players) == ["prompt:a:4"], "heard until something else is"
        one.client.send(m.Hear("a", {}))
        assert not (await one.client.inventory()).players
        # One that is not heard for a moment is not over.
        one.client.send(m.Player("prompt:a:5", ["silence:2000"]), m.Hear("a", {"prompt:a:5": 1.0}))
        await asyncio.sleep(0.2)
        one.client.send(m.Hear("a", {}), m.Hear("a", {"prompt:a:5": 1.0}))
        await one.event(m.Played, player="prompt:a:5")
        assert len(one.got(m.Played)) == 6


@live
async def test_keys_as_tones_are_found_while_others_come_and_go(folder, phones) -> None:  # noqa: F811
    """Whoever calls or hangs up costs no caller a key that sounds just then."""
    keys = "159*0#2468"
    sound = []
    for key in keys:
        row = next(i for i, names in enumerate(("123", "456", "789", "*0#")) if key in names)
        low, high = dtmf.LOW[row], dtmf.HIGH[("123", "456", "789", "*0#")[row].index(key)]
        sound += [
            sox(
                "synth", "0.08", "sine", str(low), "sine", str(high), "remix", "-", "gain", "-9", "pad", "0.1"
            )
        ]
    caller = phones()
    caller.audio = np.concatenate([np.zeros(8000, np.int16), *sound, np.zeros(80000, np.int16)])
    async with desk(folder) as one:
        caller.call(await one.leg("a", caller, inband=True))
        for number in range(60):
            await one.leg(f"b{number}", None, inband=True)
            if number:
                one.client.send(m.CloseLeg(f"b{number - 1}"))
            await asyncio.sleep(0.05)
        await eventually(lambda: len(one.got(m.Digit, leg="a")) >= len(keys))
        assert "".join(event.digit for event in one.got(m.Digit, leg="a")) == keys


@live
@pytest.mark.parametrize("hertz", [1062, 1100, 1138])
async def test_a_fax_machine_is_known_by_its_tone(folder, phones, hertz: int) -> None:  # noqa: F811
    fax, person = phones(), phones()
    tone = sox("synth", "0.5", "sine", str(hertz), "gain", "-15", "pad", "0", "3")
    fax.audio = np.concatenate([np.zeros(4000, np.int16), tone, tone])
    person.audio = sox("synth", "2.5", "sine", "1000", "gain", "-15")
    async with desk(folder) as one:
        fax.call(await one.leg("fax", fax, inband=True))
        person.call(await one.leg("person", person, inband=True))
        await one.event(m.FaxTone, leg="fax")
        await asyncio.sleep(4.0)
        assert len(one.got(m.FaxTone)) == 1
        assert not one.got(m.Digit)


@pytest.mark.parametrize("language", ["en", "pl", "ru"])
def test_what_people_say_is_no_key(language: str, tmp_path: Path) -> None:
    """Voices of several kinds, as a telephone hears them: not one key in them (talk-off)."""
    text = {
        "en": "The quick brown fox jumps over the lazy dog while forty two customers wait for their parcels.",
        "pl": "W Szczebrzeszynie chrząszcz brzmi w trzcinie, a czterdziestu klientów czeka na przesyłki.",
        "ru": "Съешь ещё этих мягких французских булок, пока сорок два покупателя ждут своих посылок.",
    }[language]
    seconds = 0.0
    for voice in ("", "+f2", "+m3", "+f4"):
        for pitch in ("20", "60", "99"):
            said = tmp_path / "said.wav"
            subprocess.run(
                ["espeak-ng", "-v", language + voice, "-p", pitch, "-w", str(said), text], check=True
            )
            raw = subprocess.run(
                ["sox", str(said), "-r", "8000", "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-"],
                capture_output=True,
                check=True,
            ).stdout
            pcm = g711.decode_alaw(g711.encode_alaw(np.frombuffer(raw, "<i2").astype(np.int16))).ravel()
            seconds += len(pcm) / 8000
            frames = pcm[: len(pcm) // 160 * 160].reshape(-1, 160)
            receiver = dtmf.ToneReceiver()
            codes = dtmf.find_tones(np.concatenate([frames[:-1], frames[1:]], axis=1))
            assert [key for code in codes.tolist() if (key := receiver.step(code)) is not None] == []
    assert seconds > 40
