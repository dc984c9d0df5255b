"""Make a plan: what will come, how many are needed, who works when. Needs the extra `workforce`; runs in the job.

Demand is a forecast from the centre's own records, or a week that a planner typed. It is staffed at the quantile asked
for, each queue for itself; agents of several queues are given to them interval by interval by the roster.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from statistics import NormalDist

import numpy as np

from centrala.planning.reckoning import USUAL_PATIENCE, Floats, evaluated, problem_of
from centrala.planning.values import (
    DAY,
    Activity,
    Demand,
    Duty,
    Head,
    Opening,
    Order,
    PausePlanned,
    Plan,
    Request,
    Stage,
    Stretch,
    Trouble,
    decode,
)
from centrala.workforce.errors import (
    BadHistory,
    GapInHistory,
    NeverSeen,
    TooShort,
    Unattainable,
    WorkforceError,
)
from centrala.workforce.forecasting import Forecast, by_analogy, forecast
from centrala.workforce.hazard import patience_of
from centrala.workforce.history import History, weekday
from centrala.workforce.own import Visit, own_history, visits
from centrala.workforce.roster import model as r
from centrala.workforce.roster.solver import solve
from centrala.workforce.staffing import Target, staff

Tell = Callable[[Stage, float], None]
LOW, HIGH = 0.05, 0.95
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GOOD_ENOUGH = 0.0005
"A gap at which nobody looks on for a better roster."
LEAST_LEFT = 30
"Contacts that gave up, below which nothing is said of patience."
REDIAL = 900.0
TICK = 1.0


class Failure(Exception):
    """There is no plan, and why."""

    def __init__(self, code: str, text: str, *about: str) -> None:
        super().__init__(text)
        self.trouble = Trouble(code, text, about)


def do(line: bytes, tell: Tell) -> Plan:
    """For the job. Raises Failure."""
    return make(decode(line, Order), tell)


def make(order: Order, tell: Tell = lambda stage, share: None) -> Plan:
    """The plan, a draft: with demand, staffing, duties and what follows from them. Raises Failure."""
    request = order.plan.request
    assert request is not None
    tell("forecast", 0.0)
    with _said():
        demand, notes = _demand(order, request, tell)
    plan = replace(order.plan, demand=demand)
    tell("roster", 0.4)
    with _said():
        problem = problem_of(plan)
        with _ticking(tell, request.seconds):
            found = solve(problem, request.seconds, gap=GOOD_ENOUGH)
    tell("check", 0.95)
    duties, unplaced = _with_activities(
        plan, [_duty(plan.head, at, one) for at, one in enumerate(found.duties, 1)]
    )
    if unplaced:
        notes.append(
            Trouble(
                "ACTIVITY-UNPLACED",
                "Some activities found no shift that they lie in, or meet a break: place them by hand.",
                tuple(unplaced),
            )
        )
    head = replace(plan.head, state="draft", gap=round(found.gap, 6))
    made = evaluated(replace(plan, head=head, duties=duties, notes=tuple(notes)))
    tell("check", 1.0)
    return made


@contextmanager
def _said() -> Iterator[None]:
    """What can't be answered, as a Failure that says what to do."""
    try:
        yield
    except Failure:
        raise
    except r.NoRoster as problem:
        names = tuple(dict.fromkeys(one.agent for one in problem.collisions))
        raise Failure("RULES-COLLIDE", f"No roster keeps all rules: {problem}.", *names[:50]) from None
    except Unattainable as problem:
        raise Failure("TARGET-UNATTAINABLE", f"The target can't be met: {problem}.") from None
    except WorkforceError as problem:
        raise Failure("PLAN-INPUT", f"This can't be planned: {problem}.") from None


@contextmanager
def _ticking(tell: Tell, seconds: float) -> Iterator[None]:
    """Tell how much of the roster's time is over."""
    done = threading.Event()
    began = time.monotonic()

    def tick() -> None:
        while not done.wait(TICK):
            # The clock of the search begins once its kernels are compiled, which the first time takes a while.
            tell("roster", 0.4 + 0.55 * (1 - math.exp(-1.5 * (time.monotonic() - began) / seconds)))

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


# --- demand ---


class _Row:
    """A queue's figures while they are gathered: days x intervals."""

    def __init__(self, shape: tuple[int, int], handling: float) -> None:
        self.contacts, self.low, self.high, self.staffed = (np.zeros(shape) for _ in range(4))
        self.handling = np.full(shape, handling)
        self.patience: float | None = None


def _demand(order: Order, request: Request, tell: Tell) -> tuple[dict[str, Demand], list[Trouble]]:
    notes: list[Trouble] = []
    rows = _typed(order, request) if request.source == "typed" else _foretold(order, request, notes, tell)
    tell("staffing", 0.35)
    for queue, row in rows.items():
        opening = order.opening.get(queue, Opening())
        lost = _only_open(order.plan.head, opening, row)
        if lost:
            notes.append(
                Trouble(
                    "CLOSED-HOURS",
                    f"{lost:.0f} contacts were expected while the queue is closed: nobody is planned for them.",
                    (queue,),
                )
            )
    if not any(row.staffed.any() for row in rows.values()):
        raise Failure(
            "NO-DEMAND",
            "Nobody is expected to call in these weeks: look at opening hours and the demand typed.",
        )
    found: dict[str, Demand] = {}
    unknown = [queue for queue, row in rows.items() if row.patience is None]
    if unknown:
        notes.append(
            Trouble(
                "PATIENCE-ASSUMED",
                f"Too few callers gave up to know their patience: {USUAL_PATIENCE:g} s are taken for granted.",
                tuple(unknown),
            )
        )
    for queue, row in rows.items():
        goal = order.goals[queue]
        patience = row.patience or USUAL_PATIENCE
        required = staff(
            row.staffed * 3600 / request.step,
            np.maximum(row.handling, 1.0),
            Target(goal.service_level, goal.within),
            patience=patience,
        )
        found[queue] = Demand(
            _flat(row.contacts),
            _flat(row.low),
            _flat(row.high),
            _flat(np.where(row.contacts > 0, row.handling, 0.0)),
            _flat(np.asarray(required, float)),
            goal,
            round(patience, 3),
        )
    return found, notes


def _flat(table: Floats) -> tuple[float, ...]:
    return tuple(round(float(one), 4) for one in table.ravel())


def _only_open(head: Head, opening: Opening, row: _Row) -> float:
    """No demand while the queue is closed; gives the contacts that were expected then."""
    per_day, step = DAY // head.minutes, head.minutes
    lost = 0.0
    for day in range(head.days):
        spans: Sequence[tuple[int, int]] = ((0, DAY),)
        if head.day(day) in opening.holidays:
            spans = ()
        elif opening.hours is not None:
            spans = opening.hours[day % 7]
        for at in range(per_day):
            minutes = sum(max(0, min(end, (at + 1) * step) - max(begin, at * step)) for begin, end in spans)
            # What comes in a half-open interval comes in its open half: the records tell of no other.
            if minutes <= 0 and row.contacts[day, at] > 0:
                lost += float(row.contacts[day, at])
                for table in (row.contacts, row.low, row.high, row.staffed):
                    table[day, at] = 0.0
    return lost


def _typed(order: Order, request: Request) -> dict[str, _Row]:
    """A week as it was typed, with chance as of calls that know nothing of each other (Poisson)."""
    head = order.plan.head
    per_day, step = DAY // head.minutes, head.minutes
    found = {}
    for queue in head.queues:
        week = np.zeros((7, per_day))
        for day, rows in request.per_hour[queue].items():
            for begin, end, rate in rows:
                for at in range(begin // step, -(-end // step)):
                    inside = min(end, (at + 1) * step) - max(begin, at * step)
                    week[WEEKDAYS.index(day), at] += rate * inside / 60
        row = _Row((head.days, per_day), request.handling[queue])
        row.contacts = np.tile(week, (head.weeks, 1))
        for when, factor in request.special.items():
            if isinstance(factor, str):
                raise Failure(
                    "PLAN-INPUT",
                    f"What {when} is like can't be learned from a typed week: say how many times a usual day's contacts"
                    " it brings.",
                )
            if (at := head.index(when)) in range(head.days):
                row.contacts[at] *= factor
        for level, table in ((LOW, row.low), (HIGH, row.high), (request.level, row.staffed)):
            away = NormalDist().inv_cdf(level) * np.sqrt(row.contacts)
            table[:] = np.where(row.contacts > 0, np.maximum(row.contacts + away, 0.0), 0.0)
        row.patience = request.patience.get(queue)
        found[queue] = row
    return found


def _foretold(order: Order, request: Request, notes: list[Trouble], tell: Tell) -> dict[str, _Row]:
    """From the records."""
    head = order.plan.head
    wanted = [*head.queues, *(one.queue for one in request.like.values())]
    try:
        known = visits(Path(order.data), head.timezone, tenant=order.tenant)
    except BadHistory:
        known = []
    of: dict[str, list[Visit]] = {queue: [] for queue in wanted}
    for one in known:
        if one.queue in of:
            of[one.queue].append(one)
    per_day = DAY // head.minutes
    found = {}
    for place, queue in enumerate(head.queues):
        tell("forecast", 0.35 * place / len(head.queues))
        like = request.like.get(queue)
        if like is not None:
            calls, seconds = _of_records(order, like.queue, of[like.queue], request, notes)
            calls = _analogous(order, queue, like.share, calls, of[queue], of[like.queue])
        else:
            calls, seconds = _of_records(order, queue, of[queue], request, notes)
        base = of[queue] or of[like.queue if like else queue]
        mean = request.handling.get(queue) or _mean_handling(queue, base)
        row = _Row((head.days, per_day), mean)
        for index, day in enumerate(calls.days):
            at = head.index(day.astype(date))
            span = slice(calls.begin // head.minutes, calls.begin // head.minutes + calls.median.shape[1])
            row.contacts[at, span] = calls.median[index]
            for level, table in ((LOW, row.low), (HIGH, row.high), (request.level, row.staffed)):
                table[at, span] = calls.quantiles[index, :, _level(calls, level)]
            if seconds is not None and queue not in request.handling:
                told = seconds.median[index]
                row.handling[at, span] = np.where(told > 1.0, told, mean)
        left = [one for one in base if one.answered or one.gave_up]
        row.patience = request.patience.get(queue)
        if row.patience is None and sum(one.gave_up for one in left) >= LEAST_LEFT:
            patience = patience_of([one.wait for one in left], [one.gave_up for one in left]).mean_by_rate
            row.patience = float(min(max(patience, 5.0), 7200.0)) if math.isfinite(patience) else None
        found[queue] = row
    return found


def _level(made: Forecast, level: float) -> int:
    return int(np.argmin(np.abs(np.asarray(made.levels) - level)))


def _mean_handling(queue: str, known: list[Visit]) -> float:
    times = [one.handling for one in known if one.handling]
    if not times:
        raise Failure(
            "HISTORY-NONE",
            "The records don't tell how long a contact takes: nobody was answered yet. Type the handling time.",
            queue,
        )
    return max(1.0, float(np.mean(times)))


def _of_records(
    order: Order, queue: str, known: list[Visit], request: Request, notes: list[Trouble]
) -> tuple[Forecast, Forecast | None]:
    """(contacts, seconds of handling) on the plan's days on which the queue is usually called."""
    if not known:
        raise Failure(
            "HISTORY-NONE",
            f"The records hold no contact of {queue} yet: type the week's demand, or plan it like another queue.",
            queue,
        )
    head = order.plan.head
    shut = frozenset(order.opening.get(queue, Opening()).holidays)
    try:
        past = own_history(
            known, until=order.today, minutes=head.minutes, without_redials=REDIAL, closed=shut
        )
        days = _days(head, past, queue, order.opening.get(queue, Opening()), notes)
        levels = tuple(sorted({LOW, HIGH, request.level}))
        calls = forecast(past, days, levels=levels, special=request.special or None)
    except GapInHistory as problem:
        raise Failure(
            "HISTORY-GAP",
            f"The records of {queue} have a hole: {problem}. Type the week's demand, or wait for more records.",
            queue,
        ) from None
    except TooShort as problem:
        raise Failure(
            "HISTORY-SHORT",
            f"The records of {queue} are too few to foretell from: {problem}. Type the week's demand, or plan it like"
            " another queue.",
            queue,
        ) from None
    except NeverSeen as problem:
        raise Failure(
            "HISTORY-SHORT", f"The records of {queue} don't have such days: {problem}.", queue
        ) from None
    for text in calls.notes:
        notes.append(Trouble("FORECAST-NOTE", text, (queue,)))
    try:
        spent = own_history(known, until=order.today, minutes=head.minutes, kind="seconds", closed=shut)
        return calls, forecast(spent, days, levels=(0.25, 0.75))
    except WorkforceError:
        return calls, None  # the mean of all will do


def _days(head: Head, past: History, queue: str, opening: Opening, notes: list[Trouble]) -> list[date]:
    """Days of the plan on which somebody may call, as far as the records know such weekdays."""
    since = past.days[-1] - 41
    every = np.bincount(weekday(np.arange(max(since, past.days[0]), past.days[-1] + 1)), minlength=7)
    were = np.bincount(weekday(past.days[past.days >= since]), minlength=7)
    total = np.bincount(weekday(past.days), minlength=7)
    usual = {day for day in range(7) if total[day] > 1 and 2 * were[day] >= every[day] and were[day]}
    open_days = {day for day in range(7) if opening.hours is None or opening.hours[day]}
    unknown = sorted(open_days - usual)
    if unknown:
        notes.append(
            Trouble(
                "WEEKDAYS-UNKNOWN",
                f"{queue} is open on weekdays of which the records say nothing: no contacts are planned on them.",
                (queue, *(WEEKDAYS[day] for day in unknown)),
            )
        )
    last = past.days[-1].astype(date)
    if last >= head.first:
        notes.append(
            Trouble(
                "DAYS-OVER",
                f"{queue}: nothing is foretold for days up to {last}, which the records hold already.",
                (queue,),
            )
        )
    days = [
        day
        for day in (head.first + timedelta(at) for at in range(head.days))
        if day.weekday() in usual & open_days and day not in opening.holidays and day > last
    ]
    if not days:
        raise Failure(
            "NO-DEMAND", f"{queue} is closed on all days of this plan that the records know of.", queue
        )
    return days


def _analogous(
    order: Order, queue: str, share: float, like: Forecast, own: list[Visit], others: list[Visit]
) -> Forecast:
    """A like queue's forecast at this one's level, corrected by its own first days."""
    minutes = order.plan.head.minutes
    try:
        first_days = own_history(own, until=order.today, minutes=minutes) if own else None
    except TooShort:
        first_days = None
    if first_days is None:
        return by_analogy(like, share)
    had = set(first_days.days.tolist())
    usual = sum(1 for one in others if one.at.date() in had) / max(1, len(had))
    return by_analogy(like, share, own=first_days, usual=usual) if usual > 0 else by_analogy(like, share)


# --- duties ---


def _duty(head: Head, number: int, one: r.Duty) -> Duty:
    return Duty(
        f"d{number}",
        one.agent,
        head.day(one.day),
        one.shift,
        one.start,
        one.end,
        tuple(Stretch(part.begin, part.end, part.group) for part in one.work),
        tuple(PausePlanned(begin, end) for begin, end in one.breaks),
    )


def _with_activities(plan: Plan, duties: list[Duty]) -> tuple[tuple[Duty, ...], list[str]]:
    """Breaks that aren't paid marked as such, and what agents are to do away from the phones put in; agents for whom
    that found no place."""
    paid = {kind.name: [one.paid for one in kind.breaks] for kind in plan.kinds}
    wanted = {(agent.agent, one.day): one for agent in plan.agents for one in agent.activities}
    found, unplaced = [], []
    for duty in duties:
        breaks = tuple(
            replace(one, paid=good) for one, good in zip(duty.breaks, paid[duty.shift], strict=True)
        )
        duty = replace(duty, breaks=breaks)
        what = wanted.pop((duty.agent, duty.day), None)
        if what is not None:
            meets = any(one.start < what.end and what.start < one.end for one in breaks)
            if meets or not duty.start <= what.start < what.end <= duty.end:
                unplaced.append(duty.agent)
            else:
                activity = Activity(what.start, what.end, what.what)
                duty = replace(duty, activities=(activity,), stretches=_without(duty.stretches, activity))
        found.append(duty)
    unplaced += [agent for agent, _ in wanted]
    return tuple(found), sorted(set(unplaced))


def _without(stretches: tuple[Stretch, ...], activity: Activity) -> tuple[Stretch, ...]:
    found = []
    for one in stretches:
        for begin, end in (
            (one.start, min(one.end, activity.start)),
            (max(one.start, activity.end), one.end),
        ):
            if begin < end:
                found.append(Stretch(begin, end, one.queue))
    return tuple(found)
