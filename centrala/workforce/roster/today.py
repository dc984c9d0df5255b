"""What to do about the rest of the day: each suggestion with what it does to the service level, by the exact
course of the day (`solve_day`).

    advice(840, calls_left, agents_left, handling=240, patience=180, target=Target(0.8, 20),
           planned=[Planned("training", 4, 900, 960)], may_leave=3)
    # cancel the training at 15:00 (4 agents): 68 % -> 81 %
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrala.workforce import checks
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput
from centrala.workforce.roster.model import clock
from centrala.workforce.staffing import Target
from centrala.workforce.varying import Day, solve_day

What = Literal["cancel", "move", "stay", "send_home"]
WORTH = 0.002
"Of the service level: less isn't worth the trouble of a change."


@dataclass(frozen=True, slots=True)
class Planned:
    """Training, coaching, a meeting: agents who aren't among the staffed ones meanwhile."""

    name: str
    agents: int
    begin: int
    "Minute of the day, on an interval's edge."
    end: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing to do, and what the rest of the day is like before and after (all suggestions before it done)."""

    what: What
    text: str
    agents: int
    begin: int
    "Minute of the day from which it holds."
    end: int
    service_level: float
    "Of the calls of the rest of the day, once it is done."
    before: float
    "The same without it."
    worst: float
    "Least service level of an interval with calls, once it is done."
    hours: float
    "Agent hours more (or, below 0, fewer) at the phones."
    name: str = ""
    "Of what is cancelled or moved."
    to: int | None = None
    "Where what is moved begins then."


def advice(
    now: int,
    calls: ArrayLike,
    agents: ArrayLike,
    *,
    handling: float,
    target: Target | None = None,
    patience: float = math.inf,
    minutes: int = 30,
    planned: Sequence[Planned] = (),
    may_leave: int = 0,
    may_stay: int = 0,
    stay_from: int | None = None,
    waiting: float = 0.0,
) -> list[Suggestion]:
    """Suggestions for the rest of the day, best first; empty if all is well and nobody can be spared.

    `calls` expected in each interval from `now` on, `agents` planned for the phones. Below the target, in this
    order: cancel or move what is planned, keep up to `may_stay` agents longer from `stay_from` (they would have left).
    Above it: send up to `may_leave` home. Callers talking or waiting now: `waiting`. Raises BadInput.
    """
    goal = target or Target()
    if goal.service_level is None or np.ndim(goal.service_level) or np.ndim(goal.within):
        raise BadInput("advice: the target is one service level, one number")
    level = float(np.asarray(checks.share("service level", goal.service_level)))
    within = float(np.asarray(checks.not_negative("within", goal.within)))
    step = checks.whole("minutes", minutes, 1)
    begin = checks.whole("now", now, 0)
    rates = np.atleast_1d(checks.not_negative("calls", calls))
    staffed = np.atleast_1d(checks.not_negative("agents", agents))
    if rates.ndim != 1 or rates.shape != staffed.shape or not rates.size:
        raise BadInput(
            f"advice: calls {rates.shape} and agents {staffed.shape} must be of the same intervals, one at least"
        )
    if np.any(staffed != np.floor(staffed)):
        raise BadInput("advice: agents must be whole")
    for who, many in (("may_leave", may_leave), ("may_stay", may_stay)):
        checks.whole(who, many, 0)
    last = begin + rates.size * step
    for one in planned:
        checks.whole(f"{one.name}, agents", one.agents, 1)
        if (one.begin - begin) % step or (one.end - begin) % step or one.end <= one.begin:
            raise BadInput(
                f"{one.name}: from {clock(one.begin)} to {clock(one.end)} isn't whole intervals of {step} minutes"
            )
    floor = _Floor(rates, step, handling, patience, within, waiting, goal)
    found: list[Suggestion] = []
    staff = staffed.astype(np.int64)
    left = [one for one in planned if one.begin >= begin and one.end <= last]
    level_now, worst = floor.level(staff)

    def add(
        what: What, text: str, count: int, since: int, until: int, new: NDArray[np.int64], hours: float,
        name: str = "", to: int | None = None,
    ) -> None:  # fmt: skip
        nonlocal staff, level_now, worst
        after, worst_after = floor.level(new)
        found.append(
            Suggestion(what, text, count, since, until, after, level_now, worst_after, hours, name, to)
        )
        staff, level_now, worst = new, after, worst_after

    while level_now < level and left:
        options = []
        for one in left:
            options.append((floor.level(_with(staff, one, begin, step, 1))[0], -1, one))
            for at in range(begin, last - (one.end - one.begin) + 1, step):
                if at == one.begin:
                    continue
                there = Planned(one.name, one.agents, at, at + one.end - one.begin)
                moved = _with(_with(staff, one, begin, step, 1), there, begin, step, -1)
                if moved.min() >= 0:
                    options.append((floor.level(moved)[0], at, one))
        cancel = max((one for one in options if one[1] < 0), key=lambda one: one[0])
        move = max((one for one in options if one[1] >= 0), key=lambda one: one[0], default=None)
        # What is moved still takes place: it comes first where it does the same.
        if (
            move is not None
            and (move[0] >= level or move[0] >= cancel[0] - WORTH)
            and move[0] > level_now + WORTH
        ):
            _, at, one = move
            there = Planned(one.name, one.agents, at, at + one.end - one.begin)
            new = _with(_with(staff, one, begin, step, 1), there, begin, step, -1)
            text = f"move the {one.name} at {clock(one.begin)} ({_people(one.agents)}) to {clock(at)}"
            left.remove(one)
            add("move", text, one.agents, one.begin, one.end, new, 0.0, one.name, at)
        elif cancel[0] > level_now + WORTH:
            one = cancel[2]
            left.remove(one)
            hours = one.agents * (one.end - one.begin) / 60
            text = f"cancel the {one.name} at {clock(one.begin)} ({_people(one.agents)})"
            new = _with(staff, one, begin, step, 1)
            add("cancel", text, one.agents, one.begin, one.end, new, hours, one.name)
        else:
            break
    if level_now < level and may_stay and stay_from is not None:
        since = max(begin, stay_from)
        if since < last:
            first = -(-(since - begin) // step)
            for count in range(1, may_stay + 1):
                new = staff.copy()
                new[first:] += count
                after = floor.level(new)[0]
                if after >= level or count == may_stay:
                    if after > level_now + WORTH:
                        hours = count * (last - begin - first * step) / 60
                        text = f"keep {count} until {clock(last)} who would leave at {clock(since)}"
                        add("stay", text, count, since, last, new, hours)
                    break
    if level_now >= level and may_leave:
        best: tuple[float, int, int] | None = None
        for first in range(rates.size):
            for count in range(may_leave, 0, -1):
                if staff[first:].min() < count:
                    continue
                new = staff.copy()
                new[first:] -= count
                hours = count * (rates.size - first) * step / 60
                if best is not None and hours <= best[0]:
                    break
                # No interval that was good enough may fall below the target for it.
                if floor.keeps(staff, new, level):
                    best = (hours, first, count)
                    break
        if best is not None:
            hours, first, count = best
            new = staff.copy()
            new[first:] -= count
            since = begin + first * step
            add("send_home", f"send {count} home from {clock(since)}", count, since, last, new, -hours)
    return found


class _Floor:
    """The rest of the day under any staffing."""

    def __init__(
        self,
        calls: Floats,
        step: int,
        handling: float,
        patience: float,
        within: float,
        waiting: float,
        goal: Target,
    ) -> None:
        self._calls, self._step, self._handling, self._patience = calls, step * 60.0, handling, patience
        self._within, self._waiting, self._goal = within, waiting, goal
        self._known: dict[bytes, tuple[float, float, Floats]] = {}

    def _of(self, staff: NDArray[np.int64]) -> tuple[float, float, Floats]:
        key = staff.tobytes()
        if key not in self._known:
            day: Day = solve_day(
                self._calls, self._step, self._handling, staff, patience=self._patience, within=self._within,
                before=self._waiting,
            )  # fmt: skip
            levels = np.clip(day.service_level(self._goal.definition), 0.0, 1.0)
            total = float(self._calls.sum())
            whole = float((levels * self._calls).sum() / total) if total else 1.0
            busy = levels[self._calls > 0]
            self._known[key] = whole, float(busy.min()) if busy.size else 1.0, levels
        return self._known[key]

    def level(self, staff: NDArray[np.int64]) -> tuple[float, float]:
        return self._of(staff)[:2]

    def keeps(self, before: NDArray[np.int64], after: NDArray[np.int64], level: float) -> bool:
        old, new = self._of(before), self._of(after)
        return bool(
            new[0] >= level and np.all((new[2] >= np.minimum(level, old[2]) - 1e-9) | (self._calls == 0))
        )


def _with(staff: NDArray[np.int64], one: Planned, begin: int, step: int, sign: int) -> NDArray[np.int64]:
    new = staff.copy()
    new[max(0, (one.begin - begin) // step) : (one.end - begin) // step] += sign * one.agents
    return new


def _people(count: int) -> str:
    return "1 agent" if count == 1 else f"{count} agents"
