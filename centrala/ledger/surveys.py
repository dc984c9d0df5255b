"""Figures of surveys: what customers answered after their conversation, each rate with an interval.

    sums: dict[Key, Tally] = {}
    for one in answers: sums.setdefault(key, Tally(scale)).add(value)
    figure(tally)      # n, mean, share with Wilson's interval, NPS or CSAT

NPS is the share of 9 and 10 less that of 0 to 6 on the scale 0 to 10, from −100 to 100; CSAT the share of 4 and 5 on
the scale 1 to 5 (top two boxes). Few answers say little: whoever ranks leaves out what has fewer than `FEW`.
"""

from dataclasses import dataclass, field
from math import sqrt

from centrala.core.flow.question import Scale

FEW = 30
"Answers below which nobody is ranked."

Z = 1.959964
"Of 95 %."

_TOP: dict[Scale, tuple[int, ...]] = {"1-5": (4, 5), "0-10": (9, 10), "yes_no": (1,)}
_DETRACTORS = range(7)


@dataclass(slots=True)
class Tally:
    """Answers to one question, counted."""

    scale: Scale
    counts: dict[int, int] = field(default_factory=dict)
    "By value."

    def add(self, value: int, times: int = 1) -> None:
        self.counts[value] = self.counts.get(value, 0) + times

    @property
    def n(self) -> int:
        return sum(self.counts.values())

    def among(self, values: "tuple[int, ...] | range") -> int:
        return sum(self.counts.get(one, 0) for one in values)


@dataclass(frozen=True, slots=True)
class Figure:
    """All shares are 0 to 1; `low` and `high` bound them with 95 %. None where there is no answer."""

    n: int
    mean: float | None
    share: float | None
    "CSAT; on 0 to 10 the promoters; of yes and no, the yes."
    low: float | None
    high: float | None
    nps: float | None
    "On 0 to 10 alone, −100 to 100."
    nps_low: float | None
    nps_high: float | None
    ranked: bool
    "Enough answers to be compared with others."


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), 95 %. `n` ≥ 1."""
    share, square = hits / n, Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def difference(some: int, others: int, n: int) -> tuple[float, float]:
    """Interval of the difference of two shares of the same n answers, of Wilson's limits and their correlation
    (Newcombe 1998, method 10)."""
    p, q = some / n, others / n
    (low, high), (other_low, other_high) = wilson(some, n), wilson(others, n)
    spread = sqrt(p * (1 - p) * q * (1 - q))
    phi = -p * q / spread if spread else 0.0
    down, up = p - low, high - p
    other_down, other_up = q - other_low, other_high - q
    below = sqrt(max(down * down - 2 * phi * down * other_up + other_up * other_up, 0.0))
    above = sqrt(max(up * up - 2 * phi * up * other_down + other_down * other_down, 0.0))
    return max(p - q - below, -1.0), min(p - q + above, 1.0)


def figure(tally: Tally) -> Figure:
    n = tally.n
    if not n:
        return Figure(0, None, None, None, None, None, None, None, False)
    mean = sum(value * count for value, count in tally.counts.items()) / n
    top = tally.among(_TOP[tally.scale])
    low, high = wilson(top, n)
    nps = nps_low = nps_high = None
    if tally.scale == "0-10":
        against = tally.among(_DETRACTORS)
        nps = 100.0 * (top - against) / n
        nps_low, nps_high = (100.0 * one for one in difference(top, against, n))
    return Figure(n, mean, top / n, low, high, nps, nps_low, nps_high, n >= FEW)
