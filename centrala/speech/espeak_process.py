"""The library of the wheel espeakng-loader as a program: the few options of `espeak-ng` that we use.

    python -m centrala.speech.espeak_process --voice pl < text > sound.wav

It is a process of its own because the library is under the GPL, and because it may crash or hang. Nothing but the
standard library is imported here: it is started for each text, as a file, without the rest of this package.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.util
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

WHEEL = "espeakng_loader"
LONGEST = 1 << 20
"Bytes of a text."
_SECONDS = 600
"Of sound, at most."
_CPU = 60
"Seconds of computing, should whoever started us be gone and nobody end us."

# Of speak_lib.h.
_SYNCHRONOUS, _DONT_EXIT, _RATE, _PITCH = 2, 0x8000, 1, 3
_UTF8_TO_ITS_END = 0x1001
"espeakCHARS_UTF8 and espeakENDPAUSE: without the pause, the last sound would be cut. Neither marks nor phonemes."
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    """espeak_VOICE. `languages`: a byte of priority, the tag, then more of such pairs."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


class Problem(Exception):
    """Why nothing is spoken, for people."""


def installed() -> Path | None:
    """Where the wheel lies, without loading anything of it; None where it isn't or isn't for this machine."""
    try:
        spec = importlib.util.find_spec(WHEEL)
    except (ImportError, ValueError):
        return None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(place)
        if _library(folder).is_file() and (folder / "espeak-ng-data" / "phontab").is_file():
            return folder.resolve()
    return None


def command(folder: Path) -> tuple[str, ...]:
    """How to start this program with the wheel in `folder`, as if it were `espeak-ng`."""
    return sys.executable, "-I", "-S", str(Path(__file__).resolve()), "--library", str(folder)


def main(argv: Sequence[str] | None = None) -> int:
    """0: spoken; 1: it can't be. Options that don't exist end it with 2."""
    parser = argparse.ArgumentParser(prog="espeak_process", allow_abbrev=False)
    parser.add_argument("--library", type=Path, help="folder of the wheel")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--voices", action="store_true", help="a table of all voices")
    parser.add_argument("-v", "--voice", default="en")
    parser.add_argument("-s", "--speed", type=int, default=175, help="words a minute")
    parser.add_argument("-p", "--pitch", type=int, default=50, help="0 to 99")
    parser.add_argument("-b", type=int, choices=[1], help="UTF-8: always so")
    parser.add_argument("--stdin", action="store_true", help="always so")
    parser.add_argument("--stdout", action="store_true", help="always so")
    wanted = parser.parse_args(argv)
    out = sys.stdout.buffer
    try:
        folder = wanted.library or installed()
        if folder is None:
            raise Problem("the library isn't here: pip install espeakng-loader")
        _bounded()
        library, rate = _loaded(folder)
        if wanted.version:
            out.write(f"eSpeak NG text-to-speech: {_version(library)}\n".encode())
        elif wanted.voices:
            out.write("".join(f"{line}\n" for line in _table(library)).encode())
        else:
            out.write(_wav(_spoken(library, rate, wanted.voice, wanted.speed, wanted.pitch), rate))
        out.flush()
    except (Problem, OSError) as problem:
        print(f"espeak_process: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _library(folder: Path) -> Path:
    return folder / ("libespeak-ng.dylib" if sys.platform == "darwin" else "libespeak-ng.so")


def _bounded() -> None:
    import resource

    # What is spoken about a person mustn't lie around when the library crashes.
    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_CPU, _CPU)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            continue  # A tighter bound is set from outside.


def _loaded(folder: Path) -> tuple[ctypes.CDLL, int]:
    """The library, ready, and its sample rate. Raises Problem, OSError."""
    library = ctypes.CDLL(str(_library(folder)))
    library.espeak_Info.restype = ctypes.c_char_p
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    # It keeps 160 bytes for the path of its data, and writes beyond them: from here the path is short.
    os.chdir(folder)
    rate = int(library.espeak_Initialize(_SYNCHRONOUS, 0, b".", _DONT_EXIT))
    if rate <= 0:
        raise Problem("the library finds no data beside it")
    return library, rate


def _version(library: ctypes.CDLL) -> str:
    said: bytes = library.espeak_Info(None)
    return said.decode(errors="replace")


def _table(library: ctypes.CDLL) -> Iterator[str]:
    """As `espeak-ng --voices` prints it."""
    yield "Pty Language       Age/Gender VoiceName          File"
    voices = library.espeak_ListVoices(None)
    number = 0
    while voices[number]:
        voice = voices[number].contents
        priority, tag = voice.languages[0], voice.languages[1:].decode(errors="replace")
        name = voice.name.decode(errors="replace").replace(" ", "_")
        gender = "-MF"[voice.gender] if voice.gender < 3 else "-"
        yield f"{priority:2}  {tag:15} --/{gender}      {name:18} {voice.identifier.decode(errors='replace')}"
        number += 1


def _spoken(library: ctypes.CDLL, rate: int, voice: str, speed: int, pitch: int) -> bytes:
    """What stdin says as PCM16, no more than ten minutes of it. Raises Problem."""
    text = sys.stdin.buffer.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise Problem(f"the text is longer than {LONGEST:,} bytes")
    text = text.replace(b"\0", b" ")
    if library.espeak_SetVoiceByName(voice.encode(errors="ignore")):
        raise Problem("there is no such voice")
    library.espeak_SetParameter(_RATE, speed, 0)
    library.espeak_SetParameter(_PITCH, pitch, 0)
    pcm = bytearray()
    most = _SECONDS * rate * 2

    def take(samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            pcm.extend(ctypes.string_at(samples, 2 * count))
        return int(len(pcm) > most)

    taking = _CALLBACK(take)
    library.espeak_SetSynthCallback(taking)
    if library.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF8_TO_ITS_END, None, None):
        raise Problem("the library can't speak it")
    if len(pcm) > most:
        raise Problem(f"it takes longer than {_SECONDS // 60} minutes")
    return bytes(pcm)


def _wav(pcm: bytes, rate: int) -> bytes:
    header = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16
    )
    return header + struct.pack("<4sI", b"data", len(pcm)) + pcm


if __name__ == "__main__":
    sys.exit(main())
