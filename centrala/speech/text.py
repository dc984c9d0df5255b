"""Text as engines may have it: nothing in it is a mark, a command or a phoneme; no piece is long."""

import re
import unicodedata

LONGEST = 20_000
"Characters of one part; what follows isn't spoken."
PIECE = 2000
"Characters that an engine gets at once."

# eSpeak NG and Piper read [[…]] as phonemes; angle brackets are marks to others.
_MARKS = str.maketrans(dict.fromkeys("[]{}<>|\\^~`", " "))
_SENTENCES = re.compile(r"(?<=[.!?…:;])\s+")


def plain(text: str) -> str:
    """Without control characters, marks and runs of blanks; empty where nothing is left that can be said."""
    text = unicodedata.normalize("NFC", text[: 2 * LONGEST]).translate(_MARKS)
    text = "".join(
        one if not (kind := unicodedata.category(one)).startswith("C") else "" if kind == "Cf" else " "
        for one in text
    )
    text = " ".join(text.split())[: LONGEST + 1]
    return (
        text if any(one.isalnum() or unicodedata.category(one) in ("Sc", "Sm", "So") for one in text) else ""
    )


def pieces(text: str, longest: int = PIECE) -> list[str]:
    """Whole sentences together, as many as fit; a longer one at a blank, or anywhere."""
    if len(text) <= longest:
        return [text]
    found: list[str] = []
    for sentence in _SENTENCES.split(text):
        while len(sentence) > longest:
            cut = sentence.rfind(" ", 1, longest)
            found.append(sentence[: cut if cut > 0 else longest])
            sentence = sentence[len(found[-1]) :].lstrip()
        if found and len(found[-1]) + 1 + len(sentence) <= longest:
            found[-1] += f" {sentence}"
        elif sentence:
            found.append(sentence)
    return found
