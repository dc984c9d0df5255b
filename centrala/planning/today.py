"""Plan and day: what came against what was planned, and what the rest will bring by what the morning brought.

    updated(planned, low, high, came[:8])      # the rest of the day follows the morning's error
    view(day, came, …)                         # all rows of one queue

The morning's error is judged as `Forecast.update` of `centrala.workforce` does it, from what a stored plan still knows
of its forecast, its band: what of the band calls' own chance doesn't explain is the day's level, common to all
intervals. Pure, but for `arrivals`, which reads the records.
"""

import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from centrala.ledger import LedgerUnavailable
from centrala.ledger.schema import open_to_read
from centrala.planning.adherence import Span, Stay, both, without, working
from centrala.planning.values import DAY, AbsoluteDuty, Plan

NOISE = 0.25
"Variance of the root of a Poisson number."
BELIEVE = 0.3
"Variance added to a morning's errors before the afternoon follows them, as a share of their own (`forecasting`)."
BAND = 1.6449
"Deviations from the middle to the edge of a band of 90 %."
DOUBT = 0.1
"Of the level of any day, as a share: no forecast is surer."
DOUBT_TYPED = 0.3
"The same where somebody typed the demand in."


@dataclass(frozen=True, slots=True)
class Updated:
    """Contacts by interval: those that came, then those that are to be expected."""

    middle: list[float]
    low: list[float]
    high: list[float]
    level: float
    "By what the rest of the day is believed to differ from the plan: 1.2 is a fifth more."


@dataclass(slots=True)
class Came:
    """What the records tell of one queue's day, by interval."""

    contacts: list[int]
    served: list[int]
    "Of those that came in the interval, like the next two."
    lost: list[int]
    in_time: list[int]
    early: list[int]
    "Abandoned within the threshold."
    handled: int = 0
    handling_s: float = 0.0
    "Talk, hold and after-call work of the handled, in seconds."
    waiting: int = 0
    "In the queue now, or in conversation."

    @classmethod
    def none(cls, count: int) -> "Came":
        return cls([0] * count, [0] * count, [0] * count, [0] * count, [0] * count)

    @property
    def reached(self) -> list[float | None]:
        """Service level of each interval; None where nobody was served or lost."""
        found: list[float | None] = []
        for served, lost, in_time, early in zip(
            self.served, self.lost, self.in_time, self.early, strict=True
        ):
            base = served + lost - early
            found.append(in_time / base if base > 0 else None)
        return found


@dataclass(slots=True)
class Row:
    """Of one queue's day, as the page shows it; lists have an entry for each interval."""

    planned_contacts: list[float]
    low: list[float]
    high: list[float]
    required: list[float]
    planned_agents: list[float]
    updated: list[float]
    updated_low: list[float]
    updated_high: list[float]
    level: float
    came: list[int | None]
    "None for what is still to come; the interval that runs has what came so far."
    present: list[float | None]
    "Agents at the phones, as a mean over the interval so far."
    reached: list[float | None]
    planned_level: list[float | None]
    "Service level that the plan expects."
    expected: list[float | None] = field(default_factory=list)
    "For the rest of the day, by the agents planned and the contacts updated; None for what is past."


def updated(
    planned: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    came: Sequence[float],
    *,
    doubt: float = DOUBT,
) -> Updated:
    """`came` has the day's first intervals, whole ones only. The band is the plan's, of 90 %.

    Raises ValueError where the lists don't fit each other.
    """
    if not len(planned) == len(low) == len(high) or len(came) > len(planned):
        raise ValueError(
            "updated: planned, low and high are of the same intervals, and no more of them have come"
        )
    roots = [_root(one) if one > 0 else 0.0 for one in planned]
    # The part of each interval's deviation that all intervals share; on the scale of roots, where noise is even.
    shared = []
    for root, below, above in zip(roots, low, high, strict=True):
        wide = (_root(above) - _root(below)) / (2 * BAND)
        shared.append(max(math.sqrt(max(wide * wide - NOISE, 0.0)), doubt / 2 * root) if root > 0 else 0.0)
    done = [index for index in range(len(came)) if shared[index] > 0]
    strange = sum(shared[index] ** 2 for index in done)
    noise = NOISE + BELIEVE * (NOISE + strange / len(done)) if done else NOISE
    away = sum(shared[index] * (_root(came[index]) - roots[index]) for index in done)
    # One number is unknown (the day's level), each interval has seen it through even noise.
    move, left = away / (noise + strange), noise / (noise + strange)
    middle: list[float] = []
    lower: list[float] = []
    upper: list[float] = []
    before = after = 0.0
    for index, root in enumerate(roots):
        if index < len(came):
            for into in (middle, lower, upper):
                into.append(float(came[index]))
            continue
        to = max(root + shared[index] * move, 0.0) if root > 0 else 0.0
        wide = math.sqrt(NOISE + left * shared[index] ** 2) * BAND if root > 0 else 0.0
        middle.append(_back(to))
        lower.append(_back(to - wide))
        upper.append(_back(to + wide))
        before, after = before + _back(root), after + _back(to)
    return Updated(middle, lower, upper, after / before if before > 0 else 1.0)


def _root(contacts: float) -> float:
    return math.sqrt(max(contacts, 0.0) + 0.25)


def _back(root: float) -> float:
    return max(max(root, 0.0) ** 2 - 0.25, 0.0)


def planned_agents(
    stretches: Sequence[tuple[float, float]], starts: Sequence[float], step: float
) -> list[float]:
    """Agents at the phones in each interval, as a mean: who works half of it is half of one. Unix seconds."""
    found = [0.0] * len(starts)
    if not starts:
        return found
    first = starts[0]
    for begin, end in stretches:
        # A day may have an hour less or more: places are looked for from where they should be.
        place = max(0, int((begin - first) // step) - 8)
        for index in range(place, len(starts)):
            if starts[index] >= end:
                break
            share = min(end, starts[index] + step) - max(begin, starts[index])
            if share > 0:
                found[index] += share / step
    return found


def row(
    demand: Mapping[str, Sequence[float]],
    levels: Sequence[float | None],
    stretches: Sequence[tuple[float, float]],
    present: Sequence[float],
    came: Came,
    starts: Sequence[float],
    step: float,
    now: float,
    *,
    doubt: float = DOUBT,
) -> Row:
    """One queue's day. `demand` has the plan's contacts, low, high, required of these intervals."""
    contacts = [float(one) for one in demand["contacts"]]
    low, high = [float(one) for one in demand["low"]], [float(one) for one in demand["high"]]
    over = sum(1 for one in starts if one + step <= now)
    begun = sum(1 for one in starts if one <= now)
    new = updated(contacts, low, high, came.contacts[:over], doubt=doubt)
    if over < begun:
        # What has come already of the interval that runs will not go away.
        for into in (new.middle, new.low, new.high):
            into[over] = max(into[over], float(came.contacts[over]))
    reached = came.reached
    return Row(
        contacts,
        low,
        high,
        [float(one) for one in demand["required"]],
        planned_agents(stretches, starts, step),
        new.middle,
        new.low,
        new.high,
        new.level,
        [came.contacts[index] if index < begun else None for index in range(len(starts))],
        [present[index] if index < begun else None for index in range(len(starts))],
        [reached[index] if index < begun else None for index in range(len(starts))],
        list(levels),
    )


def present(
    stays: Mapping[str, Sequence[Stay]],
    duties: Mapping[str, Sequence[AbsoluteDuty]],
    queues_of: Callable[[str], Sequence[str]],
    starts: Sequence[float],
    step: float,
    now: float,
) -> dict[str, list[float]]:
    """Queue → agents at the phones in each interval, the one that runs as a mean so far.

    Who is planned at a queue counts there; who works without a plan, for the queues they serve in equal parts.
    """
    spans: dict[str, list[tuple[list[Span], float]]] = {}
    for agent, known in stays.items():
        there = working(known, now)
        for duty in duties.get(agent, ()):
            for one in duty.stretches:
                spans.setdefault(one.what, []).append((both([(one.start, one.end)], there), 1.0))
            there = without(there, [(one.start, one.end) for one in duty.stretches])
        mine = queues_of(agent)
        for queue in mine:
            spans.setdefault(queue, []).append((there, 1 / len(mine)))
    found = {}
    for queue, parts in spans.items():
        total = [0.0] * len(starts)
        for some, weight in parts:
            for index, value in enumerate(planned_agents(some, starts, step)):
                total[index] += value * weight
        for index, start in enumerate(starts):
            if start < now < start + step:
                # A minute at least, so that the first second doesn't count for all of it.
                total[index] *= step / max(now - start, min(60.0, step))
        found[queue] = [round(one, 2) for one in total]
    return found


def finer(values: Sequence[Any], parts: int, *, shared: bool) -> list[Any]:
    """Values of intervals `parts` times as short: shared among them (contacts), or each the same (agents, levels)."""
    return [one / parts if shared and one is not None else one for one in values for _ in range(parts)]


def slice_of(plan: Plan, day: date, step: int) -> dict[str, dict[str, Any]]:
    """Queue → contacts, low, high, required, handling and expected of that day, in intervals of `step` seconds."""
    head = plan.head
    per_day = DAY // head.minutes
    at = head.index(day) * per_day
    parts = head.step // step
    found = {}
    for queue, demand in plan.demand.items():
        lists = {
            "contacts": demand.contacts,
            "low": demand.low,
            "high": demand.high,
            "required": demand.required,
            "handling": demand.handling,
            "expected": plan.expected.get(queue, (None,) * head.days * per_day),
        }
        found[queue] = {
            name: finer(values[at : at + per_day], parts, shared=name in ("contacts", "low", "high"))
            for name, values in lists.items()
        }
    return found


HANDLED_WEIGHT = 20
"Contacts of today that the plan's handling time is worth."


def rest_of(
    queue: str,
    made: Row,
    came: Came,
    demand: Mapping[str, Sequence[float]],
    duties: Sequence[AbsoluteDuty],
    starts: Sequence[float],
    step: float,
    now: float,
) -> dict[str, Any]:
    """What `advising` needs of one queue: from the interval that runs on."""
    at = sum(1 for one in starts if one + step <= now)
    minutes = int(step // 60)
    contacts = made.updated[at:]
    agents = list(made.planned_agents[at:])
    here = made.present[at] if at < len(starts) else None
    if agents and here is not None:
        agents[0] = here
    weight = sum(demand["contacts"])
    seconds = (
        sum(one * of for one, of in zip(demand["contacts"], demand["handling"], strict=True)) / weight
        if weight > 0
        else 0.0
    ) or 240.0
    handling = (HANDLED_WEIGHT * seconds + came.handling_s) / (HANDLED_WEIGHT + came.handled)
    end = max(
        (start + step for start, many in zip(starts, made.updated, strict=True) if many > 0.05), default=now
    )
    leaving = sorted(one.end for one in duties if now < one.end < end and _last_queue(one) == queue)
    activities: dict[tuple[str, float, float], int] = {}
    for duty in duties:
        if _last_queue(duty) != queue:
            continue
        for one in duty.activities:
            if one.start > now:
                key = (one.what, one.start, one.end)
                activities[key] = activities.get(key, 0) + 1
    there = sum(1 for one in duties if one.start <= now < one.end and _last_queue(one) == queue)

    def minute(moment: float) -> int:
        """Of the day, on an interval's edge."""
        return round((moment - starts[0]) / step) * minutes

    return {
        "contacts": [round(one, 3) for one in contacts],
        "agents": [round(one, 2) for one in agents],
        "handling": round(handling, 1),
        "waiting": came.waiting,
        "may_leave": max(0, there // 2),
        "may_stay": sum(1 for one in leaving if one == leaving[0]) if leaving else 0,
        "stay_from": minute(leaving[0]) if leaving else None,
        "planned": [
            {
                "name": what,
                "agents": count,
                "begin": minute(begin),
                "end": max(minute(until), minute(begin) + minutes),
            }
            for (what, begin, until), count in sorted(activities.items())
        ],
    }


def _last_queue(duty: AbsoluteDuty) -> str:
    return duty.stretches[-1].what if duty.stretches else ""


# --- the records ---


def arrivals(
    data: Path,
    tenant: str,
    within: Mapping[str, float],
    starts: Sequence[float],
    step: float,
) -> dict[str, Came]:
    """By queue, of those in `within` (queue → threshold in seconds). To be called in a thread.

    A contact counts in the interval in which it came to wait; callbacks that we make are none.
    Raises LedgerUnavailable, DataFolderError.
    """
    count = len(starts)
    found = {queue: Came.none(count) for queue in within}
    if not starts or not within:
        return found
    begin, end = starts[0], starts[-1] + step
    marks = ", ".join("?" * len(within))
    try:
        with closing(open_to_read(data)) as db:
            rows = db.execute(
                "SELECT queue, queued_at, answered_at, ended_at, talk_s, wrap_up_s, outcome FROM records"
                " WHERE tenant = ? AND arrived_at >= ? AND arrived_at < ? AND queued_at >= ? AND queued_at < ?"
                f" AND direction = 'inbound' AND queue IN ({marks})",
                (tenant, begin - 86400, end, begin, end, *within),
            ).fetchall()
    except sqlite3.Error as problem:
        raise LedgerUnavailable(f"The records can't be read now ({problem}).") from problem
    for queue, queued, answered, ended, talk, wrap, outcome in rows:
        place = min(count - 1, int((queued - begin) // step))
        while place > 0 and starts[place] > queued:
            place -= 1
        came = found[queue]
        came.contacts[place] += 1
        if answered is not None:
            came.served[place] += 1
            came.in_time[place] += answered - queued <= within[queue]
            if ended is not None:
                came.handled += 1
                came.handling_s += (talk or 0.0) + (wrap or 0.0)
        elif outcome in ("abandoned", "short_abandoned"):
            came.lost[place] += 1
            came.early[place] += ended is not None and ended - queued <= within[queue]
        came.waiting += ended is None
    return found
