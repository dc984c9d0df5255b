"""What happened, interval by interval: the past that forecasts are made from.

    History.of(starts, counts)                      one value an interval, in any order
    History.of_days(days, table, begin="07:00")     a day a row
    History.read("calls.csv")                       columns start, value and perhaps weight

Times are the wall clock of the centre. A day without any value is a day closed, unless too many are missing in a row.
"""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadHistory, DuplicateInterval, GapInHistory

Kind = Literal["calls", "seconds", "share"]
Gaps = Literal["refuse", "zero", "unknown"]
Days = NDArray[np.datetime64]

MISSING_IN_A_ROW = 21
"Days without a value, of weekdays that are open ones: a longer silence is a hole, not a holiday."


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Values by day and interval."""

    days: Days
    "Ascending, those that have values."
    values: Floats
    "Days x intervals; NaN where nothing is known."
    begin: int
    "Minute of the day at which the first column begins."
    minutes: int
    "Length of an interval."
    kind: Kind = "calls"
    "Counts; seconds of handling a call; or a share, as shrinkage."
    weights: Floats | None = None
    "Calls (or agents) behind each of the seconds or shares."
    closed: frozenset[date] = frozenset()
    "Days known to be closed, past or to come."

    @classmethod
    def of(
        cls,
        starts: Iterable[datetime | str],
        values: ArrayLike,
        *,
        minutes: int = 30,
        kind: Kind = "calls",
        weights: ArrayLike | None = None,
        gaps: Gaps = "refuse",
        closed: Iterable[date] = (),
    ) -> Self:
        """From one value an interval. `gaps`: what an interval is that is missing within a day.

        Raises BadHistory, GapInHistory, DuplicateInterval.
        """
        begun = [_moment(at, index) for index, at in enumerate(starts)]
        found = _values("values", values, kind)
        if found.shape != (len(begun),):
            raise BadHistory(f"history: {len(begun)} starts for values of shape {found.shape}")
        if not begun:
            raise BadHistory("history: there is nothing in it")
        behind = None if weights is None else _values("weights", weights, "calls")
        if behind is not None and behind.shape != found.shape:
            raise BadHistory(f"history: {len(found)} values for weights of shape {behind.shape}")
        if minutes < 1 or 1440 % minutes:
            raise BadHistory(f"history: {minutes} minutes don't fill a day in whole intervals")
        slots = [at.hour * 60 + at.minute for at in begun]
        for index, (at, slot) in enumerate(zip(begun, slots, strict=True)):
            if slot % minutes or at.second or at.microsecond:
                raise BadHistory(
                    f"history, value {index}: {at:%Y-%m-%d %H:%M:%S} is no start of {minutes} minutes"
                )
        first, last = min(slots), max(slots)
        days = np.unique(np.array([at.replace(tzinfo=None) for at in begun], "datetime64[D]"))
        table = np.full((len(days), (last - first) // minutes + 1), np.nan)
        filled = None if behind is None else np.zeros_like(table)
        seen: dict[tuple[int, int], datetime] = {}
        rows = np.searchsorted(
            days, np.array([at.replace(tzinfo=None) for at in begun], "datetime64[D]")
        ).tolist()
        for index, (row, slot) in enumerate(zip(rows, slots, strict=True)):
            place = (row, (slot - first) // minutes)
            before = seen.get(place)
            if before is None:
                table[place] = found[index]
            elif before.utcoffset() != begun[index].utcoffset():
                # The hour that autumn repeats: a plan by the wall clock wants one of its kind.
                table[place] = (table[place] + found[index]) / 2
            else:
                raise DuplicateInterval(
                    f"history: two values for {begun[index]:%Y-%m-%d %H:%M}, "
                    f"values {_index(begun, before)} and {index}"
                )
            seen[place] = begun[index]
            if filled is not None and behind is not None:
                filled[place] += behind[index]
        made = cls(days, table, first, minutes, kind, filled, frozenset(closed))
        zones = {at.tzinfo for at in begun if at.tzinfo is not None}
        return made._without_gaps(gaps, zones)

    @classmethod
    def of_days(
        cls,
        days: Sequence[date | str],
        table: ArrayLike,
        *,
        begin: str = "00:00",
        minutes: int = 30,
        kind: Kind = "calls",
        weights: ArrayLike | None = None,
        closed: Iterable[date] = (),
    ) -> Self:
        """From a day a row, in any order. NaN is refused within a row; leave closed days out."""
        values = np.asarray(table, float)
        try:
            first = time.fromisoformat(begin)
            when = [day if isinstance(day, date) else date.fromisoformat(str(day)[:10]) for day in days]
        except ValueError as error:
            raise BadHistory(f"history: {error}") from None
        if values.ndim != 2 or len(values) != len(when):
            raise BadHistory(
                f"history: {len(when)} days for a table of shape {values.shape}: give it a row a day"
            )
        start = first.hour * 60 + first.minute
        if start + minutes * values.shape[1] > 1440:
            raise BadHistory(
                f"history: {values.shape[1]} intervals of {minutes} minutes from {begin} don't fit into a day"
            )
        found = _values("values", values.ravel(), kind).reshape(values.shape)
        behind = (
            None if weights is None else _values("weights", np.ravel(np.asarray(weights, float)), "calls")
        )
        if behind is not None and behind.size != values.size:
            raise BadHistory(f"history: {values.size} values for {behind.size} weights")
        if not values.size:
            raise BadHistory("history: there is nothing in it")
        if minutes < 1 or 1440 % minutes or start % minutes:
            raise BadHistory(f"history: {minutes} minutes from {begin} don't fill a day in whole intervals")
        place = np.array(when, "datetime64[D]")
        order = np.argsort(place, kind="stable")
        again = np.flatnonzero(np.diff(place[order]) == np.timedelta64(0, "D"))
        if len(again):
            raise DuplicateInterval(
                f"history: two rows for {place[order][again[0]]}, beginning {place[order][again[0]]} {begin}"
            )
        filled = None if behind is None else behind.reshape(values.shape)[order]
        made = cls(place[order], found[order], start, minutes, kind, filled, frozenset(closed))
        return made._without_gaps("refuse", set())

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        minutes: int = 30,
        kind: Kind = "calls",
        gaps: Gaps = "refuse",
        closed: Iterable[date] = (),
    ) -> Self:
        """From CSV with the columns `start` (2026-03-02 07:30) and `value` (or `calls`), perhaps `weight`."""
        starts, values, weights = [], [], []
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            names = rows.fieldnames or []
            value = next((name for name in ("value", "calls") if name in names), None)
            if "start" not in names or value is None:
                raise BadHistory(
                    f"{path}: needs the columns start and value; there are {', '.join(names) or 'none'}"
                )
            for row in rows:
                starts.append(str(row["start"]))
                values.append(row[value])
                weights.append(row.get("weight"))
        behind = None if not any(weights) else [one or 0 for one in weights]
        return cls.of(starts, values, minutes=minutes, kind=kind, weights=behind, gaps=gaps, closed=closed)

    def write(self, path: str | Path) -> None:
        """As CSV that `read` takes."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(["start", "value"] + (["weight"] if self.weights is not None else []))
            for row, column in np.argwhere(~np.isnan(self.values)).tolist():
                line = [self.start(self.days[row], column), f"{self.values[row, column]:.10g}"]
                out.writerow(
                    line + ([f"{self.weights[row, column]:.10g}"] if self.weights is not None else [])
                )

    def start(self, day: np.datetime64, column: int) -> str:
        minute = self.begin + column * self.minutes
        return f"{day} {minute // 60:02d}:{minute % 60:02d}"

    def before(self, day: date | np.datetime64) -> "History":
        """What was known on the morning of the day."""
        keep = self.days < np.datetime64(day)
        return replace(
            self,
            days=self.days[keep],
            values=self.values[keep],
            weights=None if self.weights is None else self.weights[keep],
        )

    def between(self, begin: str, end: str) -> "History":
        """The intervals from one time of the day to another; `end` may be 24:00."""
        first, last = (_minute(text) for text in (begin, end))
        columns = [
            column
            for column in range(self.values.shape[1])
            if first <= self.begin + column * self.minutes < last
        ]
        if not columns:
            raise BadHistory(f"history: nothing between {begin} and {end}")
        keep = slice(columns[0], columns[-1] + 1)
        return replace(
            self,
            begin=self.begin + columns[0] * self.minutes,
            values=self.values[:, keep],
            weights=None if self.weights is None else self.weights[:, keep],
        )

    def on_weekdays(self, weekdays: Iterable[int]) -> "History":
        """The days of those weekdays, Monday 0."""
        keep = np.isin(weekday(self.days), list(weekdays))
        return replace(
            self,
            days=self.days[keep],
            values=self.values[keep],
            weights=None if self.weights is None else self.weights[keep],
        )

    def _without_gaps(self, gaps: Gaps, zones: set[tzinfo]) -> Self:
        values = self.values.copy()
        missing = np.isnan(values)
        dow = weekday(self.days)
        holes = []
        for day in np.unique(dow):
            mine = dow == day
            usual = np.mean(~missing[mine], axis=0) >= 0.5
            rows = np.flatnonzero(mine)
            for row, column in np.argwhere(missing[mine] & usual).tolist():
                holes.append((int(rows[row]), column))
        if zones:
            holes = [hole for hole in holes if not self._skipped(*hole, zones)]
        if holes and gaps == "refuse":
            row, column = min(holes)
            more = f" (and {len(holes) - 1} more)" if len(holes) > 1 else ""
            raise GapInHistory(
                f"history: nothing for {self.start(self.days[row], column)}{more}, where that weekday has values; "
                'say gaps="zero" if nobody called, gaps="unknown" if nobody counted'
            )
        if gaps == "zero":
            values[tuple(np.array(holes, int).reshape(-1, 2).T)] = 0.0
        open_days = set(dow.tolist())
        for before, after in zip(self.days[:-1], self.days[1:], strict=True):
            span = np.arange(before + 1, after)
            lost = [day for day in span if int(weekday(day)) in open_days and day.item() not in self.closed]
            if len(lost) > MISSING_IN_A_ROW:
                raise GapInHistory(
                    f"history: no day from {lost[0]} to {lost[-1]}; begin after the hole, or name the days in `closed`"
                )
        return replace(self, values=values)

    def _skipped(self, row: int, column: int, zones: set[tzinfo]) -> bool:
        """The hour that spring leaves out."""
        minute = self.begin + column * self.minutes
        wall = datetime.combine(self.days[row].item(), time(minute // 60, minute % 60))
        return any(
            wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall
            for zone in zones
        )


def weekday(days: Days | np.datetime64) -> NDArray[np.int64]:
    """Monday 0."""
    return np.asarray((np.asarray(days, "datetime64[D]").astype(np.int64) + 3) % 7)


def _moment(at: datetime | str, index: int) -> datetime:
    if isinstance(at, datetime):
        return at
    try:
        return datetime.fromisoformat(str(at))
    except ValueError:
        raise BadHistory(
            f"history, value {index}: {str(at)[:40]!r} is no date and time like 2026-03-02 07:30"
        ) from None


def _values(what: str, values: ArrayLike, kind: Kind) -> Floats:
    try:
        found = np.asarray(values, float)
    except (TypeError, ValueError):
        for index, one in enumerate(values if isinstance(values, Iterable) else [values]):
            try:
                float(one)  # type: ignore[arg-type]
            except (TypeError, ValueError):
                raise BadHistory(f"history, {what}[{index}]: {str(one)[:40]!r} is no number") from None
        raise BadHistory(f"history: {what} are no list of numbers") from None
    wrong = ~(found >= 0) | np.isinf(found) | ((found > 1) if kind == "share" else False)
    if np.any(wrong):
        index = int(np.argmax(wrong.ravel()))
        rule = "is a share, from 0 to 1" if kind == "share" else "must be a number, 0 or more"
        raise BadHistory(f"history, {what}[{index}]: {found.ravel()[index]:g} {rule}")
    return found


def _index(begun: Sequence[datetime], before: datetime) -> int:
    return next(index for index, at in enumerate(begun) if at is before)


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    try:
        found = int(hours) * 60 + int(minutes or 0)
    except ValueError:
        found = -1
    if not 0 <= found <= 1440 or math.isnan(found):
        raise BadHistory(f"history: {text!r} is no time of the day like 07:30")
    return found
