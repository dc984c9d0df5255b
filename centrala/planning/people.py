"""Who may be planned, by which contract and rules; and the order for a new plan, from settings and what is kept.

Light: what is asked here of a running centre needs none of the heavy libraries.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from centrala.planning.plans import Plans, new_id
from centrala.planning.values import (
    DAY,
    AbsoluteDuty,
    Goal,
    Head,
    Kind,
    Opening,
    Order,
    PastWork,
    Person,
    Plan,
    PlanRules,
    Request,
    Trouble,
    planned,
)
from centrala.settings.difference import serving
from centrala.settings.model import Tenant

LOOK_BACK = 84
"Days of published duties that are looked at for what somebody brings along."
MOST_WEEKS = 14
LEAST_STEP, MOST_STEP = 300, 3600
MOST_SECONDS = 600.0
MOST_KINDS = 40


class RequestWrong(ValueError):
    """What can't be planned, as a Trouble."""

    def __init__(self, code: str, text: str, *about: str) -> None:
        super().__init__(text)
        self.trouble = Trouble(code, text, about)


def everybody(tenant: Tenant, kept: Mapping[str, Person]) -> list[tuple[Person, str, tuple[str, ...]]]:
    """(contract, name, queues that the agent may serve) of each agent, by id."""
    of: dict[str, list[str]] = {one: [] for one in tenant.agents}
    for queue in tenant.queues.values():
        for agent in serving(tenant, queue):
            of[agent].append(queue.id)
    return [
        (kept.get(id, Person(id)), agent.name or id, tuple(sorted(of[id])))
        for id, agent in sorted(tenant.agents.items())
    ]


def order_of(
    tenant: Tenant, plans: Plans, request: Request, data: Path, now: float, by: str, *, id: str = ""
) -> Order:
    """What the job is to make, with the plan as it is until then. Raises RequestWrong.

    It reads what is published, so it is for a thread.
    """
    zone = ZoneInfo(tenant.timezone)
    today = datetime.fromtimestamp(now, zone).date()
    _look(tenant, request, today)
    queues = tuple(queue for queue in tenant.queues if queue in request.queues)
    rules = plans.rules(tenant.id)
    days = 7 * request.weeks
    before = _brought(plans, tenant.id, request.first, rules, zone)
    elsewhere = _elsewhere(plans, tenant.id, request)
    agents = []
    for person, name, served in everybody(tenant, plans.people(tenant.id)):
        mine = tuple(queue for queue in queues if queue in served)
        if not mine or person.hours <= 0:
            continue
        one = planned(_by_rules(person, rules), name, mine, request.first, days)
        credit = elsewhere.get(person.agent, {})
        agents.append(
            replace(
                one,
                past=before.get(person.agent, PastWork()),
                absent=tuple(sorted({*one.absent, *credit})),
                credit=credit,
            )
        )
    if not agents:
        raise RequestWrong(
            "PLAN-NOBODY",
            "Nobody with a contract serves these queues: see to people and their hours first.",
            *queues,
        )
    head = Head(
        id or new_id(),
        0,
        request.name,
        request.first,
        request.weeks,
        request.step,
        tenant.timezone,
        queues,
        "making",
        now,
        by,
    )
    plan = Plan(
        head,
        replace(request, queues=queues),
        agents=tuple(agents),
        kinds=_of_step(rules.kinds, request.step // 60),
        rules=rules.rules,
        weights=rules.costs,
    )
    return Order(
        plan,
        str(data),
        tenant.id,
        today,
        {queue: Opening(tenant.queues[queue].hours, tenant.queues[queue].holidays) for queue in queues},
        {queue: request.goal or _goal(tenant, queue) for queue in queues},
    )


def _goal(tenant: Tenant, queue: str) -> Goal:
    share, within = tenant.queues[queue].service_level
    return Goal(share, within)


def _look(tenant: Tenant, request: Request, today: date) -> None:
    if request.first.weekday():
        raise RequestWrong("PLAN-INPUT", f"{request.first} is no Monday: a plan begins on one.")
    if not 1 <= request.weeks <= MOST_WEEKS:
        raise RequestWrong("PLAN-INPUT", f"A plan has from 1 to {MOST_WEEKS} weeks.")
    if request.first + timedelta(7 * request.weeks) <= today:
        raise RequestWrong("PLAN-INPUT", "These weeks are over: plan for weeks to come.")
    step = request.step
    if step % 60 or DAY * 60 % step or not LEAST_STEP <= step <= MOST_STEP:
        raise RequestWrong("PLAN-INPUT", "An interval has 5 to 60 whole minutes that divide the day.")
    if not 0.05 <= request.level <= 0.95:
        raise RequestWrong("PLAN-INPUT", "The quantile of demand is from 0.05 to 0.95.")
    if not 1 <= request.seconds <= MOST_SECONDS:
        raise RequestWrong("PLAN-INPUT", f"Allow from 1 to {MOST_SECONDS:g} seconds.")
    goal = request.goal
    if goal is not None and not (0 < goal.service_level < 1 and 0 <= goal.within <= 3600):
        raise RequestWrong("PLAN-INPUT", "A target is a share between 0 and 1 within 0 to 3600 seconds.")
    unknown = [one for one in request.queues if one not in tenant.queues]
    if unknown or not request.queues:
        raise RequestWrong("PLAN-INPUT", "Choose queues that there are, one at least.", *unknown)
    strange = sorted(
        {*request.per_hour, *request.handling, *request.patience, *request.like} - set(request.queues)
    )
    if strange:
        raise RequestWrong("PLAN-INPUT", "Figures are given for queues that aren't in the plan.", *strange)
    for queue, like in request.like.items():
        if like.queue not in tenant.queues or like.queue == queue or not 0 < like.share <= 1000:
            raise RequestWrong(
                "PLAN-INPUT", "A queue is planned like another one that there is, times a share.", queue
            )
    for what in (request.handling, request.patience):
        wrong = [queue for queue, value in what.items() if not 1 <= value <= 86_400]
        if wrong:
            raise RequestWrong(
                "PLAN-INPUT", "Handling times and patience are from 1 to 86400 seconds.", *wrong
            )
    if request.source == "typed":
        _look_typed(request)


def _look_typed(request: Request) -> None:
    missing = [queue for queue in request.queues if not any(request.per_hour.get(queue, {}).values())]
    if missing:
        raise RequestWrong(
            "PLAN-INPUT", "Type how many contacts come an hour, for each queue of the plan.", *missing
        )
    untimed = [queue for queue in request.queues if queue not in request.handling]
    if untimed:
        raise RequestWrong(
            "PLAN-INPUT", "Type how long a contact takes, for each queue of the plan.", *untimed
        )
    for queue, week in request.per_hour.items():
        for day, rows in week.items():
            taken = 0
            for begin, end, rate in sorted(rows):
                if not taken <= begin < end <= DAY or not 0 <= rate <= 1e6:
                    raise RequestWrong(
                        "PLAN-INPUT",
                        f"{day}: hours are minutes of a day, one after the other, with 0 or more contacts.",
                        queue,
                    )
                taken = end


def _by_rules(person: Person, rules: PlanRules) -> Person:
    """Kinds of shifts that have gone since the contract was written don't hold anybody back."""
    if person.shifts is None:
        return person
    known = tuple(one for one in person.shifts if any(one == kind.name for kind in rules.kinds))
    return replace(person, shifts=known or None)


def _of_step(kinds: tuple[Kind, ...], step: int) -> tuple[Kind, ...]:
    """Kinds whose times fall on the edges of intervals. Raises RequestWrong if there is none."""
    fit = tuple(
        one
        for one in kinds
        if one.minutes % step == 0
        and all(at % step == 0 for at in one.starts)
        and all(pause.earliest % step == 0 and pause.latest % step == 0 for pause in one.breaks)
    )
    if not fit:
        raise RequestWrong(
            "PLAN-INPUT",
            f"No kind of shift is made of intervals of {step} minutes: change the kinds or the step.",
        )
    return fit


def _elsewhere(plans: Plans, tenant: str, request: Request) -> dict[str, dict[date, float]]:
    """Days on which agents work by published plans of other queues, and the hours that count for them."""
    found: dict[str, dict[date, float]] = {}
    last = request.first + timedelta(7 * request.weeks - 1)
    for plan, days in plans.published_plans(tenant, request.first, last):
        if set(plan.head.queues) & set(request.queues):
            continue  # gives its days to this one when it is published
        for one in plan.duties:
            if one.day in days:
                unpaid = sum(pause.end - pause.start for pause in one.breaks if not pause.paid)
                found.setdefault(one.agent, {})[one.day] = (one.end - one.start - unpaid) / 60
    return found


def _brought(plans: Plans, tenant: str, first: date, rules: PlanRules, zone: ZoneInfo) -> dict[str, PastWork]:
    """What agents bring along from what was published for the weeks before."""
    duties = plans.published(tenant, first - timedelta(LOOK_BACK), first - timedelta(1))
    lines: dict[str, list[AbsoluteDuty]] = {}
    for one in duties:
        lines.setdefault(one.agent, []).append(one)
    midnight = datetime.combine(first, datetime.min.time(), zone).timestamp()
    return {agent: _past(line, first, midnight, rules.costs.late, zone) for agent, line in lines.items()}


def _past(line: Iterable[AbsoluteDuty], first: date, midnight: float, late: int, zone: ZoneInfo) -> PastWork:
    own = sorted(line, key=lambda one: one.start)
    days = {one.date for one in own}
    row = 0
    while first - timedelta(row + 1) in days:
        row += 1
    weekends = 0
    while {first - timedelta(7 * weekends + 1), first - timedelta(7 * weekends + 2)} & days:
        weekends += 1
    burden = 0
    for one in own:
        start = datetime.combine(one.date, datetime.min.time(), zone).timestamp()
        burden += one.date.weekday() >= 5 or one.end - start > 60 * late
    ended = round((midnight - own[-1].end) / 60)
    return PastWork(row, max(ended, 1 - DAY) if row or ended < 7 * DAY else None, weekends, float(burden))


def check_person(person: Person, tenant: Tenant, rules: PlanRules) -> None:
    """Raises RequestWrong for a contract that can't be meant."""

    def wrong(text: str) -> RequestWrong:
        return RequestWrong("PLAN-INPUT", text, person.agent)

    if not 0 <= person.hours <= 168:
        raise wrong("A contract has from 0 to 168 hours a week.")
    if not 0 <= person.wage <= 1000:
        raise wrong("A wage is a factor of 0 or more against the others'.")
    if len(person.available) not in (0, 7):
        raise wrong("Availability is for seven weekdays, Monday first, or empty.")
    for window in (*person.available, person.likes):
        if window is not None and not 0 <= window[0] < window[1] <= 2 * DAY:
            raise wrong("Hours are from and to, in minutes of the day; beyond 1440 is the next day.")
    unknown = set(person.shifts or ()) - {one.name for one in rules.kinds}
    if unknown or person.shifts == ():
        raise wrong("Kinds of shifts must be some of those in the rules, one at least.")
    if any(one.end < one.start for one in person.absent):
        raise wrong("An absence ends on the day it begins on, or later.")
    if any(not 0 <= one.start < one.end <= DAY or not one.what for one in person.activities):
        raise wrong("An activity has a name and lies within its day.")


def check_rules(rules: PlanRules) -> None:
    """Raises RequestWrong for what can't be meant, whatever the plan."""

    def wrong(text: str, *about: str) -> RequestWrong:
        return RequestWrong("PLAN-INPUT", text, *about)

    if not 1 <= len(rules.kinds) <= MOST_KINDS or len({one.name for one in rules.kinds}) < len(rules.kinds):
        raise wrong(f"There are 1 to {MOST_KINDS} kinds of shifts, each with a name of its own.")
    for kind in rules.kinds:
        _look_kind(kind)
    law, costs = rules.rules, rules.costs
    if not (0 <= law.rest <= 2880 and 1 <= law.most_days <= 98 and 0 <= law.tolerance <= 168):
        raise wrong("Rest is up to 2880 minutes, days in a row 1 or more, the tolerance 0 or more hours.")
    if not (0 <= law.weekly_rest <= 4320 and 0 <= law.weekend_every <= MOST_WEEKS):
        raise wrong("The weekly rest is up to 4320 minutes; a free weekend comes every 0 to 14 weeks.")
    prices = (costs.paid_hour, costs.short_hour, costs.deep_hour, costs.spare_hour, costs.wish)
    if any(not 0 <= one <= 1e6 for one in (*prices, costs.outside_hour, costs.unpopular)):
        raise wrong("Costs are 0 or more.")
    if costs.deep_hour < costs.short_hour or not 0 <= costs.deep <= 1:
        raise wrong("A deep shortage costs no less than a slight one, beyond a share from 0 to 1.")
    if not 0 <= costs.late <= 2 * DAY:
        raise wrong("What is late is a minute of the day.")
    last = max(start + kind.minutes for kind in rules.kinds for start in kind.starts)
    if last + law.rest > 2 * DAY or law.weekly_rest > 3 * DAY - last:
        raise wrong(
            "Shifts that end so late leave no room for that much rest: shorten the rest or the shifts."
        )


def _look_kind(kind: Kind) -> None:
    def wrong(text: str) -> RequestWrong:
        return RequestWrong("PLAN-INPUT", f"{kind.name}: {text}.", kind.name)

    if not kind.name or not 5 <= kind.minutes <= DAY or kind.minutes % 5:
        raise wrong("a shift has a name and 5 to 1440 minutes, a multiple of 5")
    if not kind.starts or len(set(kind.starts)) < len(kind.starts):
        raise wrong("give each start once, one at least")
    if any(not 0 <= at < DAY or at % 5 for at in kind.starts):
        raise wrong("starts are minutes of the day, multiples of 5")
    free = unpaid = 0
    for pause in kind.breaks:
        if not 1 <= pause.minutes <= kind.minutes or not free <= pause.earliest <= pause.latest:
            raise wrong("breaks come one after the other, each begun between its earliest and latest minute")
        if pause.earliest % 5 or pause.latest % 5:
            raise wrong("breaks begin at multiples of 5 minutes after the start")
        free = pause.latest + pause.minutes
        unpaid += 0 if pause.paid else pause.minutes
    if free > kind.minutes or unpaid >= kind.minutes:
        raise wrong("its breaks don't fit into it")
