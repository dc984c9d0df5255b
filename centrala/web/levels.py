"""When a queue calls for attention: limits with patience, so that boards don't flicker.

A limit is raised when it was reached for `RAISE_AFTER` seconds, and cleared when the figure stayed clear of it, by a
tenth, for `CLEAR_AFTER` seconds. Pure: time comes in.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from centrala.settings.model import Limits, Thresholds

RAISE_AFTER = 10.0
CLEAR_AFTER = 30.0
CLEAR_BELOW = 0.9

Level = Literal["normal", "warn", "alarm"]
Figure = Literal["service_level", "longest_wait", "waiting"]

_LEVELS: tuple[Level, ...] = ("normal", "warn", "alarm")


class Cause(NamedTuple):
    """Why a queue is marked."""

    code: Figure
    level: Level
    limit: float
    since: float
    "Unix seconds."


@dataclass(slots=True)
class _Trigger:
    """One limit of one figure."""

    on: bool = False
    since: float = 0.0
    turning: float | None = None
    "Since when the figure says otherwise."

    def take(self, reached: bool, clear: bool, now: float) -> None:
        if not (clear if self.on else reached):
            self.turning = None
            return
        if self.turning is None:
            self.turning = now
        if now - self.turning >= (CLEAR_AFTER if self.on else RAISE_AFTER):
            self.on, self.since, self.turning = not self.on, now, None


@dataclass(slots=True)
class Watch:
    """What is known of one queue's limits."""

    triggers: dict[tuple[Figure, int], _Trigger] = field(default_factory=dict)

    def take(
        self, figures: Mapping[Figure, float | None], limits: Mapping[Figure, Limits], now: float
    ) -> tuple[Level, list[Cause]]:
        """The figures as they are now; None where there is nothing to go by."""
        causes: list[Cause] = []
        worst = 0
        for code, figure in figures.items():
            of = limits[code]
            found: Cause | None = None
            for number, limit in ((1, of.warn), (2, of.alarm)):
                if limit is None:
                    self.triggers.pop((code, number), None)
                    continue
                trigger = self.triggers.setdefault((code, number), _Trigger())
                # A service level is bad when it is low: what is late, is what grows.
                value, top = (
                    (figure, limit)
                    if code != "service_level"
                    else (None if figure is None else 1.0 - figure, 1.0 - limit)
                )
                trigger.take(
                    value is not None and value >= top, value is None or value < CLEAR_BELOW * top, now
                )
                if trigger.on:
                    worst = max(worst, number)
                    found = Cause(code, _LEVELS[number], limit, trigger.since)
            if found is not None:
                causes.append(found)
        return _LEVELS[worst], causes


def limits(thresholds: Thresholds, target: tuple[float, float]) -> dict[Figure, Limits]:
    """A queue's limits: those given, else the usual ones, which follow from its target (share, seconds)."""
    share, seconds = target
    # Under the target, not at it.
    usual = Limits(math.nextafter(share, 0.0), max(share - 0.1, 0.0)) if share > 0 else Limits()
    return {
        "service_level": thresholds.service_level or usual,
        "longest_wait": thresholds.longest_wait or Limits(seconds, 3 * seconds),
        "waiting": thresholds.waiting or Limits(),
    }
