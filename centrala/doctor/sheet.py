"""What the doctor found, a line each, for people."""

import sys


class Sheet:
    """The findings, printed as they come."""

    def __init__(self) -> None:
        self.problems = 0
        self._colour = sys.stdout.isatty()

    def ok(self, title: str, text: str) -> None:
        self._line("ok", "32", title, text)

    def note(self, title: str, text: str) -> None:
        self._line("note", "33", title, text)

    def problem(self, title: str, text: str, todo: str) -> None:
        self.problems += 1
        self._line("PROBLEM", "1;31", title, f"{text}. {todo}" if todo else text)

    def end(self) -> None:
        if self.problems:
            print(f"\n{self.problems} problem{'s' if self.problems > 1 else ''} found.")  # noqa: T201
        else:
            print("\nNo problem found.")  # noqa: T201

    def _line(self, word: str, colour: str, title: str, text: str) -> None:
        shown = f"\x1b[{colour}m{word:<8}\x1b[0m" if self._colour else f"{word:<8}"
        print(f"{shown} {title:<15} {text}", flush=True)  # noqa: T201
