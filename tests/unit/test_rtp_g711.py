"""Our G.711 tables against sox, for every value there is."""

import subprocess

import numpy as np
import pytest

from centrala.protocols.rtp import g711

pytestmark = pytest.mark.unit

LAWS = {
    "a-law": (g711.decode_alaw, g711.encode_alaw),
    "mu-law": (g711.decode_ulaw, g711.encode_ulaw),
}
ALL_BYTES = np.arange(256, dtype=np.uint8)
ALL_SAMPLES = np.arange(65536, dtype=np.uint16).view(np.int16)


def sox(data: bytes, source: list[str], target: list[str]) -> bytes:
    command = ["sox", "-D", *source, "-r", "8000", "-c", "1", "-", *target, "-"]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("law", LAWS)
def test_every_byte_decodes_as_sox_does(law: str) -> None:
    kind = ["-t", "raw", "-e", law, "-b", "8"]
    theirs = np.frombuffer(
        sox(ALL_BYTES.tobytes(), kind, ["-t", "raw", "-e", "signed", "-b", "16"]), dtype="<i2"
    )
    assert np.array_equal(LAWS[law][0](ALL_BYTES), theirs)


@pytest.mark.parametrize("law", LAWS)
def test_every_sample_encodes_as_sox_does(law: str) -> None:
    kind = ["-t", "raw", "-e", law, "-b", "8"]
    pcm = ALL_SAMPLES.astype("<i2").tobytes()
    theirs = np.frombuffer(sox(pcm, ["-t", "raw", "-e", "signed", "-b", "16"], kind), dtype=np.uint8)
    ours = LAWS[law][1](ALL_SAMPLES)
    # sox rounds to 14 bits (13 for A-law) before it looks into its table, we don't: on those coarser values
    # the two must agree, in between ours must hardly ever be the farther one (23 of 65,536 in A-law).
    grid = ALL_SAMPLES % (16 if law == "a-law" else 4) == 0
    decode = LAWS[law][0]
    here = np.abs(decode(ours).astype(int) - ALL_SAMPLES)
    there = np.abs(decode(theirs).astype(int) - ALL_SAMPLES)
    assert np.array_equal(here[grid], there[grid])
    assert (here > there).sum() <= 23
    assert (ours == theirs).mean() > 0.98


@pytest.mark.parametrize("law", LAWS)
def test_codes_survive_decoding_and_encoding(law: str) -> None:
    decode, encode = LAWS[law]
    again = encode(decode(ALL_BYTES))
    different = ALL_BYTES[again != ALL_BYTES]
    # mu-law alone has two codes for zero.
    assert different.tolist() == ([] if law == "a-law" else [0x7F])
    assert np.array_equal(decode(again), decode(ALL_BYTES))


def test_silence_is_the_code_nearest_to_zero() -> None:
    assert g711.encode_ulaw(np.zeros(1, np.int16))[0] == g711.ULAW_SILENCE
    assert g711.encode_alaw(np.zeros(1, np.int16))[0] == g711.ALAW_SILENCE
