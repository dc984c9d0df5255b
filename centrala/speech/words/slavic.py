"""What Polish and Russian numerals have in common: genders, and nouns with three forms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Gender = Literal["m", "f", "n"]
Form = Literal[0, 1, 2]
"Of a counted noun: one, a few, many."


@dataclass(frozen=True, slots=True)
class Noun:
    """What can be counted: its gender, and how it looks beside 1, 2 and 5."""

    gender: Gender
    forms: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Numerals:
    """The words that numbers are made of."""

    form: Callable[[int], Form]
    units: Sequence[str]
    "0 to 19, masculine."
    one_other: dict[Gender, str]
    "1, feminine and neuter."
    two_feminine: str
    one_bends_in_compounds: bool
    "Russian: 21 is feminine as 1 is; in Polish it stays masculine."
    tens: Sequence[str]
    hundreds: Sequence[str]
    scales: Sequence[Noun]
    "Thousand, million …"

    def cardinal(self, number: int, gender: Gender = "m") -> str:
        """0 to 10^15 - 1 in words, in the nominative."""
        if number == 0:
            return self.units[0]
        words: list[str] = []
        for power in range(len(self.scales), -1, -1):
            group = number // 1000**power % 1000
            if not group:
                continue
            if not power:
                words += self._group(group, gender, alone=number < 1000)
                continue
            scale = self.scales[power - 1]
            bare = group == 1 and (not words or not self.one_bends_in_compounds)
            if not bare:
                words += self._group(group, scale.gender, alone=True)
            words.append(scale.forms[self.form(group)])
        return " ".join(words)

    def counted(self, number: int, noun: Noun) -> str:
        """As many of them, in words."""
        return f"{self.cardinal(number, noun.gender)} {noun.forms[self.form(number)]}"

    def _group(self, number: int, gender: Gender, *, alone: bool) -> list[str]:
        words = []
        hundreds, rest = divmod(number, 100)
        if hundreds:
            words.append(self.hundreds[hundreds])
        if rest >= 20:
            words.append(self.tens[rest // 10])
            rest %= 10
        compound = bool(words) or not alone
        if rest == 1 and gender in self.one_other and (self.one_bends_in_compounds or not compound):
            words.append(self.one_other[gender])
        elif rest == 2 and gender == "f":
            words.append(self.two_feminine)
        elif rest:
            words.append(self.units[rest])
        return words
