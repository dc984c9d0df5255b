"""Demand for a roster from forecasts: agents needed, interval by interval, at the quantile that the planner dares.

demand_of(first, weeks, 30, {"sales": Need(forecast(sales, 20), handling=240, target=Target(0.8, 20))}, quantile=0.6)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from centrala.workforce.checks import Floats, share, whole
from centrala.workforce.errors import BadInput
from centrala.workforce.forecasting import Forecast
from centrala.workforce.roster.model import DAY
from centrala.workforce.staffing import Target, staff


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """What a group of demand will meet and what is promised to its callers."""

    calls: Forecast
    handling: float | Forecast
    "Mean seconds a call takes, or their forecast."
    target: Target = field(default_factory=Target)
    patience: float | None = None
    "Mean seconds; None: for ever."
    shrinkage: float = 0.0
    "Share of planned work that is lost beyond the breaks of the shifts: illness at short notice, trips, meetings."
    most: float = float("inf")


def demand_of(
    first: date, weeks: int, minutes: int, needs: Mapping[str, Need], *, quantile: float = 0.5
) -> tuple[tuple[str, ...], Floats]:
    """Names of the groups and agents needed, groups x intervals; days that a forecast doesn't have need nobody.

    The forecast's intervals may be as long as those asked for, or a multiple. Raises BadInput; Unattainable.
    """
    days = 7 * whole("weeks", weeks, 1)
    step = whole("minutes", minutes, 1)
    level = float(share("quantile", quantile))
    if DAY % step:
        raise BadInput(f"minutes: intervals of {step} don't divide the day")
    if not needs:
        raise BadInput("demand: no group is given")
    table = np.zeros((len(needs), days * (DAY // step)))
    for row, (name, need) in enumerate(needs.items()):
        calls = _at(f"{name}, calls", need.calls, level)
        handling = need.handling
        if isinstance(handling, Forecast):
            if (
                handling.minutes != need.calls.minutes
                or handling.begin != need.calls.begin
                or handling.median.shape != need.calls.median.shape
                or not np.array_equal(handling.days, need.calls.days)
            ):
                raise BadInput(f"{name}: the forecasts of calls and handling are of different intervals")
            seconds = np.where(calls > 0, np.maximum(handling.median, 1e-9), 1.0)
        else:
            seconds = np.full_like(calls, handling)
        lost = float(share(f"{name}, shrinkage", need.shrinkage))
        if lost >= 1:
            raise BadInput(f"{name}, shrinkage: nobody is ever there at 1")
        if need.calls.minutes % step:
            raise BadInput(f"{name}: forecast by {need.calls.minutes} minutes, the roster by {step}")
        agents = np.asarray(
            staff(
                calls * 60 / need.calls.minutes, seconds, need.target,
                patience=float("inf") if need.patience is None else need.patience, most=need.most,
            ),
            float,
        )  # fmt: skip
        agents = np.repeat(np.ceil(agents / (1 - lost) - 1e-9), need.calls.minutes // step, axis=1)
        for index, day in enumerate(need.calls.days):
            at = (day.astype(date) - first) // timedelta(1)
            if not 0 <= at < days:
                continue
            begin = (at * DAY + need.calls.begin) // step
            end = min(table.shape[1], begin + agents.shape[1])
            table[row, begin:end] = agents[index, : end - begin]
    if not table.any():
        raise BadInput(
            f"demand: no forecast has a day from {first} to {first + timedelta(days - 1)} with calls"
        )
    return tuple(needs), table


def _at(what: str, forecast: Forecast, level: float) -> Floats:
    """The quantile of each interval, straight between the levels that there are."""
    levels = np.asarray(forecast.levels)
    if not levels[0] <= level <= levels[-1]:
        raise BadInput(
            f"{what}: the forecast has quantiles from {levels[0]:g} to {levels[-1]:g}, not {level:g}"
        )
    above = int(np.clip(np.searchsorted(levels, level), 1, len(levels) - 1))
    low, high = levels[above - 1], levels[above]
    part = (level - low) / (high - low)
    found = (1 - part) * forecast.quantiles[:, :, above - 1] + part * forecast.quantiles[:, :, above]
    return np.asarray(np.maximum(found, 0.0))
