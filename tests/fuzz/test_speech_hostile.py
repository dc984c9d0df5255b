"""Any text, any bytes from an engine: what comes of them is bounded, or a problem that is told."""

import struct
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from centrala.speech import audio, text

pytestmark = pytest.mark.fuzz

ANYTHING = st.text(st.characters(codec=None), max_size=400) | st.text(
    "[]<>{}\\|\0\x1b -aé…\u202e", max_size=400
)


@given(ANYTHING)
def test_nothing_is_left_that_an_engine_could_take_for_a_command(said: str) -> None:
    found = text.plain(said)
    assert not set(found) & set("[]{}<>|\\^~`\r\n\t")
    assert not any(unicodedata.category(one).startswith("C") for one in found)
    assert found == " ".join(found.split())
    found.encode()
    assert text.plain(found) == found, "once is enough"


@given(st.text("ab. !…", max_size=600), st.integers(5, 50))
def test_pieces_are_short_and_lose_nothing(said: str, longest: int) -> None:
    pieces = text.pieces(said, longest)
    assert all(len(one) <= longest for one in pieces)
    assert "".join("".join(pieces).split()) == "".join(said.split())


def wav(
    content: bytes, form: int = 1, channels: int = 1, rate: int = 22_050, bits: int = 16, size: int = -1
) -> bytes:
    head = struct.pack("<HHIIHH", form, channels, rate, rate * 2 & 0xFFFFFFFF, 2, bits)
    length = len(content) if size < 0 else size
    return (
        b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", length) + content
    )


SHORT, LONG = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)


@given(
    st.binary(max_size=400)
    | st.binary(max_size=400).map(lambda content: b"RIFF\0\0\0\0WAVE" + content)
    | st.builds(wav, st.binary(max_size=400), SHORT, SHORT, LONG, SHORT, LONG)
    | st.builds(wav, st.binary(max_size=400), size=LONG)
)
def test_any_bytes_are_sound_or_a_problem(content: bytes) -> None:
    try:
        pcm, rate = audio.decoded(content)
    except audio.NoSpeech:
        return
    assert pcm.dtype == np.int16
    assert len(pcm) * 2 <= len(content)
    assert 4000 <= rate <= 192_000


@given(
    arrays.arrays(np.int16, st.integers(0, 3000), elements=st.integers(-32768, 32767), fill=st.just(0)),
    st.sampled_from([4000, 8000, 11_025, 16_000, 22_050, 48_000, 192_000]),
)
def test_any_samples_become_a_prompt_or_a_problem(pcm: np.ndarray, rate: int) -> None:
    try:
        made = audio.made_alike(pcm, rate)
    except audio.NoSpeech:
        return
    assert made.dtype == np.int16
    assert np.abs(made.astype(np.int32)).max(initial=0) <= audio.PEAK + 1
    assert len(made) <= len(pcm) * 8000 / rate + 3 * 8000 * audio.MARGIN + 200
    assert audio.decoded(audio.wav(made))[1] == 8000
