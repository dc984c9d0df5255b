"""Opening hours, as intervals that settings have worked out from days, holidays and the time zone."""

from bisect import bisect_right

Intervals = tuple[tuple[float, float], ...]
"(from, to) in unix seconds, ascending."


def is_open(intervals: Intervals | None, at: float) -> bool:
    """None is always open."""
    if intervals is None:
        return True
    place = bisect_right(intervals, (at, float("inf"))) - 1
    return place >= 0 and at < intervals[place][1]


def next_open(intervals: Intervals | None, at: float) -> float | None:
    """The first moment from `at` on at which it is open; None: not in what they tell."""
    if is_open(intervals, at):
        return at
    return next((start for start, end in intervals or () if start > at and end > start), None)
