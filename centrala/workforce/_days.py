"""A history made ready to learn from: the days of like weekdays, on a scale of even noise, without what won't recur."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from centrala.workforce._gauss import DayFacts
from centrala.workforce.checks import Floats
from centrala.workforce.history import Days, History, Kind, weekday

Special = Mapping[date, str | float]
"A day's kind, learnt from earlier days of that kind; or the factor by which it differs."

LIKE = 0.5
"Weekdays with at least this share of the busiest one's total are learnt from together."
SHIFT = 0.25
"A level that jumps by less than a quarter is followed, not cut."
AROUND = 20
"Days looked at on either side of a jump,"
LEAST = 8
"of which so many must be there."
SURE = 8.0
"Deviations by which a jump must stand out."


def spread_out(kind: Kind, values: Floats) -> Floats:
    """To the scale on which noise is even: roots of counts, logarithms of seconds, logits of shares."""
    if kind == "calls":
        return np.sqrt(np.maximum(values, 0.0) + 0.25)
    if kind == "seconds":
        return np.log(np.maximum(values, 1.0))
    inside = np.clip(values, 0.002, 0.998)
    return np.log(inside / (1 - inside))


def folded_back(kind: Kind, scaled: Floats) -> Floats:
    if kind == "calls":
        return np.maximum(np.maximum(scaled, 0.0) ** 2 - 0.25, 0.0)
    if kind == "seconds":
        return np.exp(np.minimum(scaled, 40.0))
    return np.asarray(1 / (1 + np.exp(-scaled)))


@dataclass(frozen=True, slots=True, eq=False)
class Like:
    """The days of weekdays that are alike, before any day is asked for."""

    weekdays: tuple[int, ...]
    columns: NDArray[np.int64]
    "Of the history: the intervals in which these days ever had anything."
    days: Days
    values: Floats
    "Days x columns; what was unknown is filled in, what few calls said is drawn to the usual."
    met: Floats
    "The same as it was; NaN where nothing was known."
    labels: tuple[str | None, ...]
    "Of days that are of a special kind; those are learnt apart."
    closed: frozenset[date]
    "Days without values of these weekdays, and days known to be closed."

    def facts(self, days: Days) -> DayFacts:
        """What is known of these days before they come, which days before them are closed included."""
        shut = {int(np.datetime64(day, "D").astype(np.int64)) for day in self.closed}
        first = int(self.days[0].astype(np.int64)) if len(self.days) else 0
        backs = [_back(day, first, shut, self.weekdays) for day in days.astype(np.int64).tolist()]
        month = days.astype("datetime64[M]")
        into = (days - month.astype("datetime64[D]")).astype(np.int64)
        length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)
        return DayFacts(
            days.astype(np.int64).astype(np.float64),
            weekday(days),
            into / length,
            np.array([float(back == 1) for back in backs]),
            np.array([float(back == 2) for back in backs]),
        )


def _back(day: int, first: int, shut: set[int], weekdays: Sequence[int]) -> int:
    """1 on the first day after closed ones that usually are open, 2 on the second, otherwise 0."""
    for after in (1, 2):
        day -= 1
        while day >= first and (day + 3) % 7 not in weekdays:
            day -= 1
        if day in shut:
            return after
    return 0


def alike(history: History, special: Special) -> list[Like]:
    """The history by weekdays that are alike; special days labelled, days with a known factor set right by it."""
    dow = weekday(history.days)
    values = history.values
    labels: list[str | None] = []
    factors = np.ones(len(history.days))
    for row, day in enumerate(history.days):
        known = special.get(day.item())
        labels.append(known if isinstance(known, str) else None)
        if isinstance(known, int | float) and known > 0:
            factors[row] = known
    if history.kind == "calls":
        values = values / factors[:, None]
    totals = {
        int(day): float(np.median(np.nansum(values[dow == day], axis=1))) for day in np.unique(dow).tolist()
    }
    if history.kind != "calls":
        totals = dict.fromkeys(totals, 1.0)
    found = []
    left = sorted(totals, key=lambda day: -totals[day])
    while left:
        group = [day for day in left if totals[day] >= LIKE * totals[left[0]]]
        left = [day for day in left if day not in group]
        rows = np.flatnonzero(np.isin(dow, group))
        mine = values[rows]
        with np.errstate(invalid="ignore"):
            used = np.any(np.nan_to_num(mine) > 0, axis=0)
        columns = np.flatnonzero(used)
        met = mine[:, columns]
        if history.weights is not None:
            behind = history.weights[rows][:, columns]
            met = np.where(behind > 0, met, np.nan)
        filled = _filled(met, dow[rows])
        if history.weights is not None:
            filled = _calmed(filled, behind, dow[rows])
        found.append(
            Like(
                tuple(sorted(group)),
                columns,
                history.days[rows],
                filled,
                met,
                tuple(labels[row] for row in rows.tolist()),
                history.closed | _absent(history.days[rows], group),
            )
        )
    return found


def _absent(days: Days, weekdays: Sequence[int]) -> frozenset[date]:
    every = np.arange(days[0], days[-1] + 1)
    gone = np.setdiff1d(every, days)
    return frozenset(day.item() for day in gone[np.isin(weekday(gone), weekdays)])


def _usual(values: Floats, dow: NDArray[np.int64]) -> Floats:
    """The median of the weekday in each interval, of all days where there is none."""
    out = np.empty_like(values)
    with np.errstate(all="ignore"):
        whole = _median(values)
        for day in np.unique(dow):
            mine = _median(values[dow == day])
            out[dow == day] = np.where(np.isnan(mine), np.where(np.isnan(whole), 0.0, whole), mine)
    return out


def _median(values: Floats) -> Floats:
    known = ~np.isnan(values)
    out = np.full(values.shape[1], np.nan)
    for column in np.flatnonzero(known.any(axis=0)):
        out[column] = np.median(values[known[:, column], column])
    return out


def _filled(values: Floats, dow: NDArray[np.int64]) -> Floats:
    """Unknown intervals as the weekday's usual ones at the day's level."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    usual = _usual(values, dow)
    known = np.where(missing, 0.0, values).sum(axis=1)
    expected = np.where(missing, 0.0, usual).sum(axis=1)
    level = np.where(expected > 0, known / np.maximum(expected, 1e-9), 1.0)
    return np.where(missing, usual * level[:, None], values)


def _calmed(values: Floats, weights: Floats, dow: NDArray[np.int64]) -> Floats:
    """Means of few calls say little: they are drawn to the usual one, as if five more calls had been usual."""
    believe = weights / (weights + 5.0)
    return _usual(values, dow) * (1 - believe) + values * believe


@dataclass(frozen=True, slots=True)
class Shift:
    """A jump of the level."""

    day: np.datetime64
    factor: float


def without_shifts(
    values: Floats, days: Days, forced: Sequence[np.datetime64] = ()
) -> tuple[Floats, list[Shift]]:
    """The levels before jumps brought to the level after them; the jumps."""
    values = values.copy()
    shifts: list[Shift] = []
    dow = weekday(days)
    for day in sorted(forced):
        at = int(np.searchsorted(days, day))
        if 3 <= at <= len(days) - 3:
            factor = float(np.exp(_jump(values, dow, at)[0]))
            values[:at] *= factor
            shifts.append(Shift(days[at], factor))
    for _ in range(3):
        best, where = 0.0, 0
        for at in _suspects(values, dow):
            jump, sure, abrupt = _jump(values, dow, at)
            if abs(jump) > np.log1p(SHIFT) and abrupt and sure > max(SURE, best):
                best, where = sure, at
        if not where:
            break
        factor = float(np.exp(_jump(values, dow, where)[0]))
        values[:where] *= factor
        shifts.append(Shift(days[where], factor))
    return values, shifts


def _suspects(values: Floats, dow: NDArray[np.int64]) -> list[int]:
    """Days at which the level may have jumped, found quickly."""
    if len(values) < 2 * LEAST:
        return []
    level = np.log(values.sum(axis=1) + 1.0)
    for day in np.unique(dow):
        level[dow == day] -= np.median(level[dow == day])
    eights = np.median(np.lib.stride_tricks.sliding_window_view(level, LEAST), axis=1)
    # eights[i] is of the days from i on: those before day i + LEAST against those after it.
    found = np.abs(eights[LEAST:] - eights[:-LEAST]) > 0.6 * np.log1p(SHIFT)
    return [int(at) + LEAST for at in np.flatnonzero(found)]


def _jump(values: Floats, dow: NDArray[np.int64], at: int) -> tuple[float, float, bool]:
    """Of the logarithm of a day's total: its jump at a day, by how many deviations, and whether at once."""
    begin, end = max(0, at - AROUND), min(len(values), at + AROUND)
    level = np.log(values[begin:end].sum(axis=1) + 1.0)
    near, cut = dow[begin:end], at - begin
    # Weekdays differ; what a weekday is can be told on either side alone only.
    for _ in range(2):
        for day in np.unique(near):
            mine = near == day
            early, late = mine & (np.arange(len(level)) < cut), mine & (np.arange(len(level)) >= cut)
            sides = [
                np.median(level[side]) - np.median(level[part])
                for side, part in (
                    (early, np.arange(len(level)) < cut),
                    (late, np.arange(len(level)) >= cut),
                )
                if side.any()
            ]
            level[mine] -= np.mean(sides)
    before, after = level[:cut], level[cut:]
    jump = float(np.median(after) - np.median(before))
    noise = 1.4826 * float(
        np.median(np.abs(np.concatenate((before - np.median(before), after - np.median(after)))))
    )
    error = max(noise, 0.01) * np.sqrt(1 / len(before) + 1 / len(after)) * 1.2533
    close = float(np.median(after[:4]) - np.median(before[-4:]))
    return jump, abs(jump) / float(error), close / jump > 0.75 if jump else False
