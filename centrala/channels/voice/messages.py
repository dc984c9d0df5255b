"""Files of messages: what the media worker records has two channels and a silent end; what is kept has neither."""

import os
import wave
from contextlib import suppress
from pathlib import Path

TAIL = 1.0
"Seconds kept after the last speech: whoever spoke low at the end is not cut off."

FRAME = 2
"Bytes of a sample, PCM16."


def kept(recorded: Path, message: Path, spoken: float | None) -> float:
    """Make the message of the recording, which goes then; gives its seconds, 0 when there is no message.

    `spoken`: seconds until the last speech, 0: nobody spoke; None: not known, all is kept. Raises OSError when it can't
    be written; the recording is still there then.
    """
    try:
        with recorded.open("rb") as stream, wave.open(stream) as file:
            channels, width, rate, frames = file.getparams()[:4]
            if spoken is not None:
                frames = min(frames, round((spoken + TAIL) * rate)) if spoken else 0
            data = file.readframes(frames)
    except FileNotFoundError:
        return length(message)  # it was made before a restart
    except (wave.Error, EOFError):
        data, channels, width, rate = b"", 2, FRAME, 8000
    if channels == 2 and width == FRAME:
        left = memoryview(data[: len(data) - len(data) % (2 * FRAME)]).cast("H")[::2]
        data = left.tobytes()
    if data:
        part = message.with_suffix(".new")
        with part.open("wb") as to:
            with wave.open(to, "wb") as out:
                out.setparams((1, FRAME, rate, 0, "NONE", ""))
                out.writeframes(data)
            to.flush()
            os.fdatasync(to.fileno())
        part.replace(message)
    with suppress(OSError):
        recorded.unlink()
    return float(len(data) / FRAME / rate)


def length(message: Path) -> float:
    """Seconds of a WAV file; 0 when there is none, or it can't be read."""
    try:
        with message.open("rb") as stream, wave.open(stream) as file:
            return float(file.getnframes() / file.getframerate())
    except (OSError, wave.Error, EOFError, ZeroDivisionError):
        return 0.0
