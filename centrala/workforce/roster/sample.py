"""Invented centres of any size, for trying things out: unlike agents, uneven days. The same seed, the same
centre."""

from datetime import date
from typing import Literal

import numpy as np

from centrala.workforce.roster.model import Agent, Break, Costs, Past, Problem, Rules, Shift

Shape = Literal["two_peaks", "valley", "evening", "flat", "night"]

FULL = (Break(15, 60, 150), Break(30, 210, 300, paid=False), Break(15, 360, 450))
PART = (Break(15, 90, 210),)


def invented(
    agents: int = 500,
    weeks: int = 4,
    seed: int = 1,
    *,
    shape: Shape = "two_peaks",
    level: float = 1.0,
    groups: int = 3,
    minutes: int = 30,
    tight: bool = False,
    opens: int = 420,
    closes: int = 1320,
) -> Problem:
    """`level` is the demand against what the contracts can cover in the mean; `tight` has stricter rules, more
    agents who can't come at certain hours and more wishes."""
    draw = np.random.default_rng(seed)
    round_the_clock = shape == "night"
    if round_the_clock:
        opens, closes = 0, 1440
    full_starts = tuple(range(opens, closes - 510 + 1, 30))
    short_starts = tuple(range(opens, closes - 240 + 1, 30))
    six_starts = tuple(range(opens, closes - 390 + 1, 30))
    if round_the_clock:
        full_starts, short_starts, six_starts = (
            tuple(range(0, 1440, 120)),
            tuple(range(360, 1200, 60)),
            tuple(range(0, 1440, 180)),
        )
    shifts = (
        Shift("full", 510, full_starts, FULL),
        Shift("six", 390, six_starts, (Break(15, 60, 120), Break(30, 180, 270, paid=False))),
        Shift("short", 240, short_starts, PART),
    )
    names = tuple(f"group {chr(65 + index)}" for index in range(groups))
    days = 7 * weeks
    people = []
    weekly = 0.0
    for index in range(agents):
        first = int(draw.integers(groups))
        mine = [names[first]]
        if groups > 1 and draw.random() < 0.5:
            mine.append(names[(first + 1 + int(draw.integers(groups - 1))) % groups])
        if groups > 2 and draw.random() < 0.1:
            mine = list(names)
        hours = float(draw.choice([40, 40, 40, 38, 36, 32, 30, 24, 20]))
        kinds = (
            ("full", "short")
            if hours >= 36
            else ("six", "short")
            if hours in (30, 24)
            else ("full", "six", "short")
        )
        if hours == 20:
            kinds = ("short", "six")
        available: list[tuple[int, int] | None] = [(0, 2880)] * 7
        if draw.random() < (0.45 if tight else 0.25):
            until = int(draw.choice([960, 1020, 1080, 1200])) if draw.random() < 0.6 else 2880
            since = opens if until < 2880 else int(draw.choice([480, 540, 600, 660]))
            available = [(since, until)] * 7
            if hours > 30 and until - since < 510:
                available = [(0, 2880)] * 7
        if draw.random() < 0.4:
            # Who works five days and has a weekend off can't also be away on another day.
            free = range(7) if hours in (20, 24, 32) else (5, 6)
            available[int(draw.choice(list(free)))] = None
        away: set[int] = set()
        if draw.random() < 0.15:
            week = int(draw.integers(weeks))
            away |= {7 * week + day for day in range(7)}
        wishes = {
            int(day) for day in draw.choice(days, int(draw.integers(0, 5 if tight else 3)), replace=False)
        } - away
        likes = None
        if draw.random() < 0.4:
            likes = (0, 1080) if draw.random() < 0.6 else (660, 2880)
        people.append(
            Agent(
                f"agent {index + 1}",
                tuple(mine),
                hours,
                kinds,
                tuple(available),
                absent=frozenset(away),
                wishes=frozenset(wishes),
                likes=likes,
                wage=1.0 + 0.5 * round(float(draw.random()), 2),
                past=Past(burden=float(draw.poisson(4))),
            )
        )
        weekly += hours * (1 - len(away) / (7 * weeks))
    return Problem(
        date(2026, 11, 30), weeks, minutes, names,
        _demand(draw, shape, groups, weeks, minutes, opens, closes, level * weekly * 0.93), shifts, tuple(people),
        Rules(rest=660, most_days=5 if tight else 6, tolerance=2.0, weekly_rest=2100,
        weekend_every=2 if tight else 3),
        Costs(),
    )  # fmt: skip


def _demand(
    draw: np.random.Generator,
    shape: Shape,
    groups: int,
    weeks: int,
    minutes: int,
    opens: int,
    closes: int,
    weekly: float,
) -> np.ndarray:
    per_day = 1440 // minutes
    middle = (np.arange(per_day) + 0.5) * minutes / 60

    def hill(at: float, wide: float) -> np.ndarray:
        return np.asarray(np.exp(-(((middle - at) / wide) ** 2)))

    course = {
        "two_peaks": 0.35 + hill(10.5, 2) + 0.8 * hill(16, 2.2),
        "valley": 0.15 + hill(9.5, 1.5) + hill(18, 1.5),
        "evening": 0.3 + 0.4 * hill(11, 3) + hill(19, 2),
        "flat": np.ones(per_day),
        "night": 0.25 + hill(11, 3) + 0.7 * hill(18, 3),
    }[shape]
    course = np.where((middle * 60 > opens) & (middle * 60 < closes), course, 0.0)
    week = np.array([1.15, 1.0, 0.97, 0.95, 1.0, 0.6, 0.45])
    table = np.empty((groups, weeks, 7, per_day))
    for group in range(groups):
        size = 0.6 + draw.random()
        moved = np.roll(course, int(draw.integers(-1, 2)) * (60 // minutes)) if shape == "night" else course
        trend = 1 + 0.04 * draw.standard_normal((weeks, 1, 1))
        table[group] = size * week[:, None] * moved * trend * (1 + 0.05 * draw.standard_normal((weeks, 7, 1)))
    table *= weekly * weeks / (table.sum() * minutes / 60)
    return np.ceil(draw.gamma(60, table / 60) - 0.5).clip(0).reshape(groups, -1)
