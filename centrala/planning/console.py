"""What `centrala plan make`, `show` and `publish` do. Raises ValueError with a sentence for people."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec

from centrala.planning.people import RequestWrong, order_of
from centrala.planning.plans import Gone, Plans, Stale, TooMany, WrongState, open_plans
from centrala.planning.values import DAY, Goal, Head, Plan, Request, Trouble, plain
from centrala.settings.model import Settings, Tenant

CONSOLE = "console"
NoteDown = Callable[[str, str, str, object], None]
"Writes an entry in the trail: tenant, action, subject, what is new."


class _Typed(msgspec.Struct, forbid_unknown_fields=True):
    """The demand as `POST /plans` takes it."""

    per_hour: dict[str, dict[str, tuple[tuple[int, int, float], ...]]]
    handling: dict[str, float]
    patience: dict[str, float] = {}


def request_of(
    name: str,
    first: str,
    weeks: int,
    queues: list[str],
    target: str | None,
    level: float,
    minutes: int,
    seconds: float,
    typed: Path | None,
) -> Request:
    """From options of the command line. Raises ValueError, OSError."""
    try:
        monday = date.fromisoformat(first)
    except ValueError:
        raise ValueError(f"--first {first}: that is no day like 2026-11-30") from None
    asked = Request(
        name or f"Plan from {first}",
        monday,
        weeks,
        tuple(dict.fromkeys(queues)),
        None if target is None else _goal(target),
        level,
        60 * minutes,
        seconds,
    )
    if typed is None:
        return asked
    try:
        given = msgspec.json.decode(typed.read_bytes(), type=_Typed)
    except msgspec.DecodeError as problem:
        raise ValueError(f"{typed}: {problem}") from None
    return replace(
        asked, source="typed", per_hour=given.per_hour, handling=given.handling, patience=given.patience
    )


def _goal(text: str) -> Goal:
    share, slash, within = text.partition("/")
    try:
        if slash:
            return Goal(float(share) / 100, float(within))
    except ValueError:
        pass
    raise ValueError(f"--target {text}: expected per cent and seconds, such as 80/20")


def make(
    settings: Settings,
    tenant: str | None,
    data: Path,
    asked: Request,
    now: float,
    note_down: NoteDown,
    tell: Callable[[str, float], None] = lambda stage, share: None,
) -> Plan:
    """Make a plan, and keep it as a draft. A running centre shows it at once."""
    from centrala.planning import making

    house = _house(settings, tenant)
    asked = asked if asked.queues else replace(asked, queues=tuple(house.queues))
    with closing(open_plans(data)) as plans:
        try:
            made = making.make(order_of(house, plans, asked, data, now, CONSOLE), tell)
            made = plans.add(house.id, made)
        except RequestWrong as wrong:
            raise _said(wrong.trouble) from None
        except making.Failure as failed:
            raise _said(failed.trouble) from None
        except TooMany as problem:
            raise ValueError(str(problem)) from None
    after = {
        "first": str(asked.first),
        "weeks": asked.weeks,
        "queues": list(asked.queues),
        "from": asked.source,
    }
    note_down(house.id, "plan.made", made.head.id, after)
    return made


def publish(data: Path, tenant: str | None, id: str, now: float, note_down: NoteDown) -> str:
    """Let people work by a plan; gives a line to print."""
    with closing(open_plans(data)) as plans:
        house = _of_plans(plans, tenant)
        head = plans.head(house, id)
        try:
            if head is None:
                raise Gone
            made, replaced = plans.publish(house, id, head.version, now)
        except Gone:
            raise ValueError(f"there is no plan {id}; `centrala plan show` lists them") from None
        except Stale:
            raise ValueError("somebody changed it at this very moment: look, and try again") from None
        except WrongState as wrong:
            raise ValueError(str(wrong)) from None
    others = [one.plan for one in replaced]
    after = {"first": str(made.head.first), "weeks": made.head.weeks, "replaced": others}
    note_down(house, "plan.published", id, after)
    instead = f"; it takes the place of {', '.join(others)}" if others else ""
    return f"{made.head.name} is published for {made.head.first} to {made.head.last}{instead}"


def show(data: Path, tenant: str | None, id: str | None, as_json: bool) -> Iterator[str]:
    """All plans, a line each; or one with its days."""
    with closing(open_plans(data)) as plans:
        house = _of_plans(plans, tenant)
        if id is None:
            heads = plans.heads(house)
            if as_json:
                yield json.dumps([plain(one) for one in heads], ensure_ascii=False)
                return
            for one in heads:
                yield line_of(one)
            if not heads:
                yield "There is no plan yet."
            return
        found = plans.plan(house, id)
    if found is None:
        raise ValueError(f"there is no plan {id}; `centrala plan show` lists them")
    if as_json:
        yield json.dumps(plain(found), ensure_ascii=False)
        return
    yield from lines_of(found)


def line_of(head: Head) -> str:
    cost = "" if head.cost is None else f", costs {head.cost:.1f}, {head.short_hours or 0:.1f} h missing"
    gap = "" if head.gap is None else f", {head.gap:.2%} from the best at most"
    why = "" if head.problem is None else f": {head.problem.text}"
    return (
        f"{head.id}  {head.first} to {head.last}  {head.state}  {head.name}"
        f" ({', '.join(head.queues)}{cost}{gap}){why}"
    )


def lines_of(plan: Plan) -> Iterator[str]:
    """The plan by day: shifts, agent hours needed and there, service level over the day's contacts."""
    head = plan.head
    yield line_of(head)
    per_day, hours = DAY // head.minutes, head.step / 3600
    yield f"{'day':<14}{'shifts':>7}{'needed h':>10}{'there h':>9}{'in time':>9}"
    for index in range(head.days):
        span = slice(index * per_day, (index + 1) * per_day)
        day = head.day(index)
        need = sum(sum(one.required[span]) for one in plan.demand.values()) * hours
        there = sum(sum(one[span]) for one in plan.staffed.values()) * hours
        weighed = [
            (calls, level)
            for queue, one in plan.demand.items()
            for calls, level in zip(one.contacts[span], plan.expected.get(queue, ())[span], strict=False)
            if level is not None
        ]
        calls = sum(many for many, _ in weighed)
        level = f"{sum(many * one for many, one in weighed) / calls:.1%}" if calls else "–"
        shifts = sum(1 for one in plan.duties if one.day == day)
        yield f"{day:%a %Y-%m-%d}{shifts:>7}{need:>10.1f}{there:>9.1f}{level:>9}"
    for text in [one.text for one in plan.notes] + [one.text for one in plan.broken]:
        yield f"· {text}"


def _house(settings: Settings, tenant: str | None) -> Tenant:
    if tenant is None:
        return next(iter(settings.tenants.values()))
    if tenant not in settings.tenants:
        raise ValueError(f"--tenant {tenant}: there is no such tenant in {settings.path}")
    return settings.tenants[tenant]


def _of_plans(plans: Plans, tenant: str | None) -> str:
    known = plans.tenants()
    if tenant is not None or len(known) == 1:
        return tenant or known[0]
    if not known:
        return ""
    raise ValueError(f"--tenant: say whose plans, {' or '.join(known)}")


def _said(trouble: Trouble) -> ValueError:
    about = f" ({', '.join(trouble.about)})" if trouble.about else ""
    return ValueError(f"{trouble.text}{about}")
