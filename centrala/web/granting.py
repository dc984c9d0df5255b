"""What agents ask for, carried out: what it would do to the published plan, and the plan changed by it."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from centrala.people import User
from centrala.planning.calendars import language_of
from centrala.planning.planner import BreaksRules, Outcome, Refused
from centrala.planning.plans import Gone, Stale, WrongState
from centrala.planning.requests import Request, RequestError
from centrala.planning.requests import over as said_over
from centrala.planning.values import Absence, Broken, Person
from centrala.web.house import House
from centrala.web.problems import Problem

log = logging.getLogger(__name__)

KEPT = 200
"Effects that are kept; each is of one version of the plans."


@dataclass(frozen=True, slots=True)
class Effect:
    """What a request would do, over all plans concerned."""

    broken: tuple[dict[str, Any], ...]
    "Rules broken anew."
    short_before: float
    short_after: float
    cost_before: float
    cost_after: float
    problem: str | None = None
    "Why it can't be done any more as it was asked."


@dataclass(frozen=True, slots=True)
class Step:
    """Changes of one plan."""

    plan: str
    version: int
    changes: tuple[Mapping[str, Any], ...]


class Moved(Exception):
    """The plan isn't any more as it was when it was asked, in a sentence."""


async def effects(house: House, tenant: str, requests: Sequence[Request]) -> dict[str, Effect]:
    """By id of the request; who isn't in it can't be reckoned now."""
    found: dict[str, Effect] = {}
    kept: dict[Any, Effect] = house.day.effects
    for one in requests:
        try:
            steps = await house.ask(steps_of, house, tenant, one)
        except Moved as moved:
            found[one.id] = Effect((), 0, 0, 0, 0, str(moved))
            continue
        key = (one.id, tuple((step.plan, step.version) for step in steps))
        if key not in kept:
            try:
                made = [
                    await house.planner.edit(tenant, step.plan, step.version, step.changes, attempt=True)
                    for step in steps
                ]
            except Refused as refused:
                if refused.trouble.code != "EDIT-WRONG":
                    log.warning(
                        "tenant %s: a request's effect can't be reckoned: %s", tenant, refused.trouble.text
                    )
                    break
                kept[key] = Effect((), 0, 0, 0, 0, refused.trouble.text)
            except (Gone, Stale, WrongState):
                continue  # the next look has the new version
            else:
                kept[key] = _summed(made)
            while len(kept) > KEPT:
                del kept[next(iter(kept))]
        found[one.id] = kept[key]
    return found


def _summed(made: Sequence[Outcome]) -> Effect:
    return Effect(
        tuple(shown(one) for outcome in made for one in outcome.edited.anew),
        sum(outcome.before.head.short_hours or 0.0 for outcome in made),
        sum(outcome.edited.plan.head.short_hours or 0.0 for outcome in made),
        sum(outcome.before.head.cost or 0.0 for outcome in made),
        sum(outcome.edited.plan.head.cost or 0.0 for outcome in made),
    )


def shown(one: Broken) -> dict[str, Any]:
    return {
        "code": one.code,
        "agent": one.agent,
        "day": None if one.day is None else str(one.day),
        "text": one.text,
    }


async def approve(
    house: House, user: User, one: Request, yes: bool, note: str, anyway: bool, today: date
) -> Request:
    """Decide a request that waits. Raises Problem REQUEST-OVER, PLAN-CHANGED, PLAN-BREAKS-RULE."""
    tenant, requests = user.tenant, house.day.requests
    if one.state != "open":
        raise over(one)
    if not yes:
        return await _to(house, one, "refused", user.id, note)
    # One after the other: two that are approved at once would each be tried on the plan before.
    async with house.day.granting:
        try:
            steps = await house.ask(steps_of, house, tenant, one)
            if not anyway:
                for step in steps:
                    tried = await house.planner.edit(
                        tenant, step.plan, step.version, step.changes, attempt=True
                    )
                    if tried.edited.anew:
                        raise BreaksRules(tried.edited.anew)
            now = await house.ask(requests.get, tenant, one.id, today)
            if now is None or now.state != "open":
                raise over(now or one)
            for step in steps:
                await house.planner.edit(tenant, step.plan, step.version, step.changes, anyway=True)
        except BreaksRules as broken:
            raise Problem(
                "PLAN-BREAKS-RULE",
                "This would break a rule: approve it anyway, or refuse it.",
                {"broken": [shown(each) for each in broken.broken]},
            ) from None
        except (Moved, Gone, WrongState, Stale) as moved:
            said = str(moved) if isinstance(moved, Moved) else "The plan was changed meanwhile: look again."
            raise Problem("PLAN-CHANGED", said) from None
        except Refused as refused:
            raise Problem("PLAN-CHANGED", refused.trouble.text) from None
        if one.what == "time_off":
            await house.ask(_note_absence, house, tenant, one)
        return await _to(house, one, "approved", user.id, note)


async def _to(house: House, one: Request, state: Any, by: str, note: str) -> Request:
    try:
        done = await house.ask(house.day.requests.to, one, state, by, house.now(), note=note)
    except RequestError as problem:
        raise Problem(problem.code, str(problem)) from None
    tell(house, done, state)
    return done


def over(one: Request) -> Problem:
    problem = said_over(one)
    return Problem(problem.code, str(problem))


# --- to be called in a thread ---


def steps_of(house: House, tenant: str, one: Request) -> list[Step]:
    """What is to be changed in which published plans. Raises Moved where it can't be done as it was asked."""
    if one.what == "time_off":
        return _time_off(house, tenant, one)
    assert one.mine is not None
    plan = house.plans.plan(tenant, one.mine.plan)
    own = {known.head.id: days for known, days in house.plans.published_plans(tenant, *_span(one))}
    pieces = [each for each in (one.mine, one.theirs) if each is not None]
    duties = {} if plan is None else {duty.id: duty for duty in plan.duties}
    for each in pieces:
        duty = duties.get(each.duty)
        if (
            plan is None
            or each.plan != one.mine.plan
            or duty is None
            or (duty.agent, str(duty.day)) != (each.agent, each.date)
            or duty.day not in own.get(each.plan, ())
        ):
            raise Moved(f"The duty of {each.date} isn't in the plan any more as it was asked about.")
    assert plan is not None
    change: dict[str, Any]
    if one.what == "swap":
        assert one.theirs is not None
        change = {"what": "swap", "duty": one.mine.duty, "with": one.theirs.duty}
    else:
        change = {"what": "move", "duty": one.mine.duty, "agent": one.other}
        if all(agent.agent != one.other for agent in plan.agents):
            raise Moved("The colleague isn't in this plan.")
    return [Step(plan.head.id, plan.head.version, (change,))]


def _time_off(house: House, tenant: str, one: Request) -> list[Step]:
    found = []
    wanted = {date.fromisoformat(day) for day in one.days}
    for plan, days in house.plans.published_plans(tenant, *_span(one)):
        mine = sorted(wanted & days)
        if mine and any(agent.agent == one.agent for agent in plan.agents):
            change = {"what": "absent", "agent": one.agent, "days": [str(day) for day in mine]}
            found.append(Step(plan.head.id, plan.head.version, (change,)))
    return found


def _span(one: Request) -> tuple[date, date]:
    days = [*one.days, *(each.date for each in (one.mine, one.theirs) if each is not None)]
    return date.fromisoformat(min(days)), date.fromisoformat(max(days))


def _note_absence(house: House, tenant: str, one: Request) -> None:
    """For plans to come: the days are in the person's absences."""
    fresh = tuple(Absence(day, day, "time off") for day in map(date.fromisoformat, one.days))
    for _ in range(5):
        known = house.plans.people(tenant).get(one.agent, Person(one.agent))
        more = tuple(each for each in fresh if not known.away(each.start))
        if not more:
            return
        absent = tuple(sorted((*known.absent, *more), key=lambda each: each.start))
        try:
            house.plans.save_person(tenant, replace(known, absent=absent), known.version)
        except Stale:
            continue
        return
    log.error("tenant %s: approved days off of an agent couldn't be noted for plans to come", tenant)


# --- telling those concerned ---

_SAID = {
    "en": {
        "asked": "{who} asks something of you about the roster: see My schedule.",
        "open": "{who} agrees: your request waits for a decision.",
        "declined": "{who} declines your request about the roster.",
        "approved": "A request about your roster is approved: see My schedule.",
        "refused": "A request about your roster is refused: see My schedule.",
        "withdrawn": "{who} has taken back what they asked of you about the roster.",
    },
    "pl": {
        "asked": "{who} prosi Cię o zmianę w grafiku: zobacz Mój grafik.",
        "open": "{who} zgadza się: prośba czeka na decyzję.",
        "declined": "{who} odmawia zmiany w grafiku.",
        "approved": "Prośba dotycząca Twojego grafiku została przyjęta: zobacz Mój grafik.",
        "refused": "Prośba dotycząca Twojego grafiku została odrzucona: zobacz Mój grafik.",
        "withdrawn": "{who} wycofuje prośbę o zmianę w grafiku.",
    },
    "ru": {
        "asked": "{who} просит вас об изменении графика: см. «Мой график».",
        "open": "{who}: согласие получено, просьба ждёт решения.",
        "declined": "{who}: отказ на просьбу об изменении графика.",
        "approved": "Просьба о вашем графике одобрена: см. «Мой график».",
        "refused": "Просьба о вашем графике отклонена: см. «Мой график».",
        "withdrawn": "{who}: просьба об изменении графика отозвана.",
    },
}


def tell(house: House, one: Request, state: str) -> None:
    """A message on the desks concerned, in the house's language."""
    agents = house.centre(one.tenant).agents
    who = {"asked": one.agent, "withdrawn": one.agent}.get(state, one.other or one.agent)
    to: Iterable[str | None] = {
        "asked": (one.other,),
        "open": (one.agent,),
        "declined": (one.agent,),
        "withdrawn": (one.other,) if one.other else (),
    }.get(state, (one.agent, one.other if state == "approved" else None))
    name = (agents[who].spec.name if who in agents else "") or who
    text = _SAID[language_of(house.tenant(one.tenant).locale)][state].format(who=name)
    named = [each for each in to if each is not None]
    if named:
        house.hubs[one.tenant].say(name, text, named, ())
