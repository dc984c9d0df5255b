"""The day against the plan, for the routes: what is read for it, kept between two looks, and reckoned elsewhere."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from centrala.planning.adherence import Piece, Shrinkage, Stand, Stay, pieces_of, shrunk, stand
from centrala.planning.attendance import Attendance, past_stays
from centrala.planning.planner import Refused
from centrala.planning.plans import Plans
from centrala.planning.requests import Requests, open_requests
from centrala.planning.today import (
    DOUBT,
    DOUBT_TYPED,
    Came,
    Row,
    arrivals,
    present,
    rest_of,
    row,
    slice_of,
)
from centrala.planning.values import AbsoluteDuty, Plan

log = logging.getLogger(__name__)

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"Of the planner's process: an order and its answer."

EVERY = 120.0
"Seconds after which the rest of the day is reckoned anew."
SHOWN = 1800.0
"Seconds for which what was reckoned is shown."
PAST_KEPT = 8
"Days that are over, of all tenants, whose states stay in memory."
FIRST_LOOK = 6.0
"Seconds that who looks first waits for it."


@dataclass(frozen=True, slots=True)
class Clock:
    """A day, by the tenant's clocks."""

    day: date
    zone: ZoneInfo
    midnight: float
    "Unix seconds, like the next two."
    tomorrow: float
    now: float
    "Of a day that is over: its end."

    @property
    def over(self) -> bool:
        return self.now >= self.tomorrow


def clock_of(zone: str, now: float, day: date | None = None) -> Clock:
    """Today, or another day that has begun."""
    here = ZoneInfo(zone)
    day = day or datetime.fromtimestamp(now, here).date()

    def begin(of: date) -> float:
        return datetime.combine(of, time(), here).timestamp()

    tomorrow = begin(day + timedelta(1))
    return Clock(day, here, begin(day), tomorrow, min(now, tomorrow))


@dataclass(slots=True)
class Advised:
    """What was reckoned of the rest of a tenant's day."""

    plan: str
    at: float = 0.0
    first: float = 0.0
    "Start of the interval that it begins with."
    queues: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    code: str = ""
    "Of the problem, as plans have them: WORKFORCE-MISSING, JOB-SLOW …"


@dataclass(frozen=True, slots=True)
class DayView:
    """A tenant's day."""

    plans: tuple[Plan, ...]
    starts: tuple[float, ...]
    step: int
    rows: Mapping[str, Row]
    advised: Advised


class Day:
    """Of all tenants; `close` ends it."""

    def __init__(self, data: Path) -> None:
        self.requests: Requests = open_requests(data)
        self.granting = asyncio.Lock()
        "Held while a request is decided or taken back: one after the other."
        self.effects: dict[Any, Any] = {}
        "What requests would do, by request and versions of plans; kept by `granting`."
        self._data = data
        self._attendance: dict[str, Attendance] = {}
        self._past: dict[tuple[str, date], Mapping[str, list[Stay]]] = {}
        self._advised: dict[str, Advised] = {}
        self._reckoning: dict[str, asyncio.Task[None]] = {}

    def close(self) -> None:
        for task in self._reckoning.values():
            task.cancel()
        self.requests.close()

    def attendance(self, tenant: str) -> Attendance:
        return self._attendance.setdefault(tenant, Attendance(self._data, tenant))

    # --- to be called in a thread ---

    def stands(
        self, plans: Plans, tenant: str, clock: Clock
    ) -> tuple[list[Plan], dict[str, tuple[Stand, str, Shrinkage]]]:
        """Plans of the day, and where everybody is whom they know: agent → (stand, queue of now, shrinkage)."""
        of_today = [plan for plan, _ in plans.published_plans(tenant, clock.day, clock.day)]
        duties = self._duties(plans, tenant, clock)
        known = {one.agent for plan in of_today for one in plan.agents} | duties.keys()
        if not known:
            return of_today, {}
        stays = self._stays(tenant, clock)
        found = {}
        for agent in sorted(known):
            pieces = [
                Piece(max(one.begin, clock.midnight), one.end, one.kind, one.what)
                for duty in duties.get(agent, ())
                for one in pieces_of(duty)
                if one.end > clock.midnight and one.begin < clock.tomorrow
            ]
            now = clock.now
            queue = next((p.what for p in pieces if p.kind == "work" and p.begin <= now < p.end), "")
            was = stays.get(agent, ())
            lost = sum(
                (
                    shrunk([one for one in pieces_of(duty) if one.begin < clock.tomorrow], was, now)
                    for duty in duties.get(agent, ())
                    if duty.date == clock.day
                ),
                Shrinkage(),
            )
            found[agent] = (stand(agent, pieces, was, now, zone=clock.zone), queue, lost)
        return of_today, found

    def _stays(self, tenant: str, clock: Clock) -> Mapping[str, list[Stay]]:
        if not clock.over:
            return self.attendance(tenant).stays(clock.midnight)
        key = (tenant, clock.day)
        if key not in self._past:
            while len(self._past) >= PAST_KEPT:
                self._past.pop(next(iter(self._past)), None)
            self._past[key] = past_stays(self._data, tenant, clock.midnight, clock.tomorrow)
        return self._past[key]

    def view(
        self,
        plans: Plans,
        tenant: str,
        clock: Clock,
        within: Mapping[str, float],
        queues_of: Mapping[str, Sequence[str]],
    ) -> tuple[DayView, dict[str, Any]] | None:
        """The day without what is reckoned elsewhere, and the order for that; None without a plan. `within`: queue →
        threshold in seconds."""
        of_today = [plan for plan, _ in plans.published_plans(tenant, clock.day, clock.day)]
        if not of_today:
            return None
        step = min(one.head.step for one in of_today)
        head = next(one.head for one in of_today if one.head.step == step)
        index, per_day = head.index(clock.day), 86400 // step
        starts = [head.moment(index, at * head.minutes).timestamp() for at in range(per_day)]
        duties = self._duties(plans, tenant, clock)
        flat = [one for some in duties.values() for one in some]
        stays: Mapping[str, list[Stay]] = self.attendance(tenant).stays(clock.midnight)
        there = present(stays, duties, lambda agent: queues_of.get(agent, ()), starts, step, clock.now)
        came = arrivals(
            self._data,
            tenant,
            {
                queue: within.get(queue, demand.goal.within)
                for plan in of_today
                for queue, demand in plan.demand.items()
            },
            starts,
            step,
        )
        rows: dict[str, Row] = {}
        order: dict[str, Any] = {}
        for plan in of_today:
            typed = plan.request is not None and plan.request.source == "typed"
            for queue, demand in slice_of(plan, clock.day, step).items():
                stretches = [
                    (one.start, one.end) for duty in flat for one in duty.stretches if one.what == queue
                ]
                mine = came.get(queue) or Came.none(per_day)
                made = row(
                    demand,
                    demand["expected"],
                    stretches,
                    there.get(queue, [0.0] * per_day),
                    mine,
                    starts,
                    step,
                    clock.now,
                    doubt=DOUBT_TYPED if typed else DOUBT,
                )
                rows[queue] = made
                goal = plan.demand[queue].goal
                order[queue] = {
                    **rest_of(queue, made, mine, demand, flat, starts, step, clock.now),
                    "patience": plan.demand[queue].patience,
                    "goal": {"service_level": goal.service_level, "within": goal.within},
                }
        at = sum(1 for one in starts if one + step <= clock.now)
        marks = " ".join(f"{one.head.id}.{one.head.version}" for one in of_today)
        first = starts[at] if at < len(starts) else clock.tomorrow
        empty = Advised(marks, first=first)
        whole = {"what": "advice", "now": at * (step // 60), "step": step // 60, "queues": order}
        return DayView(tuple(of_today), tuple(starts), step, rows, empty), whole

    def _duties(self, plans: Plans, tenant: str, clock: Clock) -> dict[str, list[AbsoluteDuty]]:
        """By agent, of today, and what reaches into it from yesterday."""
        found: dict[str, list[AbsoluteDuty]] = {}
        for one in plans.published(tenant, clock.day - timedelta(1), clock.day):
            if one.end > clock.midnight:
                found.setdefault(one.agent, []).append(one)
        return found

    # --- on the loop ---

    async def advised(
        self, ask: Ask | None, tenant: str, view: DayView, order: dict[str, Any], now: float
    ) -> Advised:
        """What the rest of the day comes to, as of the last minutes; who looks first waits some seconds for it."""
        known = self._advised.get(tenant)
        fits = known is not None and known.plan == view.advised.plan and now - known.at < SHOWN
        fresh = known is not None and fits and now - known.at < EVERY and known.first == view.advised.first
        if not fresh and ask is not None and tenant not in self._reckoning:
            task = asyncio.create_task(self._reckon(ask, tenant, view, order, now), name=f"advice {tenant}")
            self._reckoning[tenant] = task
            task.add_done_callback(lambda _: self._reckoning.pop(tenant, None))
        running = self._reckoning.get(tenant)
        if not fits and running is not None:
            await asyncio.wait([running], timeout=FIRST_LOOK)
            known = self._advised.get(tenant)
            fits = known is not None and known.plan == view.advised.plan
        return known if known is not None and fits else view.advised

    async def _reckon(self, ask: Ask, tenant: str, view: DayView, order: dict[str, Any], now: float) -> None:
        made = Advised(view.advised.plan, now, view.advised.first)
        try:
            made.queues = (await ask(order))["queues"]
        except Refused as refused:
            made.problem, made.code = refused.trouble.text, refused.trouble.code
        except Exception as problem:
            # The day itself is shown without it; whoever looks is told.
            made.problem, made.code = type(problem).__name__, "JOB-FAILED"
            log.exception("tenant %s: the rest of the day can't be reckoned now", tenant)
        self._advised[tenant] = made


def expected_of(view: DayView, advised: Advised, queue: str) -> list[float | None]:
    """Service level to be expected of each interval of the day, None for what is past or wasn't reckoned."""
    found: list[float | None] = [None] * len(view.starts)
    levels = advised.queues.get(queue, {}).get("expected", [])
    at = next((index for index, one in enumerate(view.starts) if one == advised.first), len(view.starts))
    for index, level in enumerate(levels[: len(view.starts) - at], at):
        found[index] = level
    over = sum(1 for one in view.starts if one < view.advised.first)
    return [None if index < over else one for index, one in enumerate(found)]
