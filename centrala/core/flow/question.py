"""What a caller presses to answer a question of a survey, as a value."""

from typing import Literal

Scale = Literal["1-5", "0-10", "yes_no"]
"""What a question is answered by: 1 to 5; 0 to 10; 1 for yes and 2 for no."""

KEYS: dict[Scale, str] = {"1-5": "12345", "0-10": "0123456789", "yes_no": "12"}
"Keys that may come first."


def reading(scale: Scale, pressed: str, *, complete: bool) -> int | Literal["more"] | None:
    """The value of what was pressed; None where that is none, "more" where another key may follow."""
    if not pressed:
        return "more"
    match scale:
        case "1-5":
            return int(pressed[0]) if pressed[0] in "12345" else None
        case "yes_no":
            return {"1": 1, "2": 0}.get(pressed[0])
        case _:
            if pressed == "1":
                return 1 if complete else "more"
            if pressed in ("10", "1#"):
                return int(pressed.rstrip("#"))
            return int(pressed[0]) if len(pressed) == 1 and pressed.isdigit() else None
