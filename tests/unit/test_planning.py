"""Plans: kept and published, made from a typed week and from records, edited by hand, and the process that does it."""

import asyncio
import json
import os
import random
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from centrala.ledger import open_log
from centrala.people import open_people
from centrala.planning import editing, making, reckoning
from centrala.planning.people import RequestWrong, order_of
from centrala.planning.planner import KILLED, STOPPED, Planner, Refused
from centrala.planning.plans import Gone, Plans, Stale, WrongState, open_plans
from centrala.planning.values import (
    KINDS,
    Absence,
    Goal,
    Like,
    Order,
    Person,
    PersonActivity,
    Plan,
    Progress,
    Request,
    decode,
    encode,
    plain,
)
from centrala.settings import load
from centrala.settings.model import Tenant
from centrala.workforce import Target, staff
from centrala.workforce.roster.checker import cost_of
from tests.unit.plan_scenes import AGENTS, MONDAY, cover, scene
from tests.unit.test_workforce_own import lived

pytestmark = pytest.mark.unit

NEXT = date.today() + timedelta(14 - date.today().weekday())
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
FILE = """
listen: {http: "127.0.0.1:0"}
tenants:
  acme:
    domain: acme.example
    timezone: Europe/Warsaw
    agents: {alice: {name: Alice}, boris: {}, clara: {}, denis: {}}
    queues:
      sales: {agents: [alice, boris, clara], service_level: 70/30}
      service: {agents: [clara, denis], hours: {mon-fri: "08:00-18:00"}, holidays: [2026-12-02]}
  other: {domain: other.example, agents: {olga: {}}, queues: {sales: {agents: [olga]}}}
"""
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ((480, 1020, 6.0),))
TYPED = Request(
    "Week 49",
    MONDAY,
    1,
    ("service", "sales"),
    source="typed",
    per_hour={"sales": WEEK, "service": {**WEEK, "sat": ((480, 600, 6.0),)}},
    handling={"sales": 240.0, "service": 300.0},
    seconds=1.0,
)


@pytest.fixture
def plans(tmp_path: Path) -> Iterator[Plans]:
    made = open_plans(tmp_path)
    yield made
    made.close()


@pytest.fixture
def acme(tmp_path: Path) -> Tenant:
    (tmp_path / "centre.yaml").write_text(FILE)
    return load(tmp_path / "centre.yaml").tenants["acme"]


# --- kept and published ---


def test_the_invented_plan_is_true() -> None:
    plan = scene()
    known = reckoning.evaluated(plan)
    assert known.broken == ()
    assert known.staffed == plan.staffed
    assert known.head.short_hours == plan.head.short_hours
    assert known.costs == plan.costs
    assert decode(encode(plan), Plan) == plan


def test_days_go_over_to_what_is_published_later(plans: Plans) -> None:
    two_weeks = scene(id="first", weeks=2)
    size = len(two_weeks.demand["sales"].contacts)
    assert size == 7 * 48  # its second week is empty
    plans.add("acme", two_weeks)
    plans.publish("acme", "first", 1, 1.0)
    later = plans.add("acme", scene(id="later", first=MONDAY + timedelta(7)))
    _, replaced = plans.publish("acme", "later", 1, 2.0)
    assert [(one.plan, len(one.days)) for one in replaced] == [("first", 7)]
    assert {one.plan for one in plans.published("acme", MONDAY, MONDAY + timedelta(6))} == {"first"}
    second = plans.published("acme", MONDAY + timedelta(7), MONDAY + timedelta(13))
    assert ({one.plan for one in second}, len(second)) == ({"later"}, 40)
    assert later.head.state == "draft"
    # Of other queues: both stand side by side, unless somebody would have two shifts.
    plans.add("acme", scene(id="twice", queues=("chat", "mail")))
    with pytest.raises(WrongState, match="8 of its agents"):
        plans.publish("acme", "twice", 1, 3.0)
    others = tuple(f"other{one}" for one in range(8))
    plans.add("acme", scene(others, ("chat", "mail"), id="beside"))
    assert plans.publish("acme", "beside", 1, 3.0)[1] == []
    assert len(plans.published_plans("acme", MONDAY, MONDAY)) == 2
    # The first week goes too: who has no day left is in the archive.
    plans.add("acme", scene(id="again"))
    plans.publish("acme", "again", 1, 4.0)
    assert {one.id: one.state for one in plans.heads("acme")}["first"] == "archived"


def test_duties_in_time_itself_with_the_clock_put_back(plans: Plans) -> None:
    # On Sunday 25 October 2026 in Warsaw clocks go from 3:00 back to 2:00.
    plan = scene(first=date(2026, 10, 19))
    plans.add("acme", plan)
    plans.publish("acme", plan.head.id, 1, 1.0)
    found = plans.duties_of("acme", "agent7", date(2026, 10, 24), date(2026, 10, 25))
    zone = ZoneInfo("Europe/Warsaw")
    assert [one.start for one in found] == [
        datetime(2026, 10, day, 8, tzinfo=zone).timestamp() for day in (24, 25)
    ]
    assert found[1].start - found[0].start == 25 * 3600
    assert {one.end - one.start for one in found} == {510 * 60}
    assert [one.what for one in found[0].breaks] == ["paid", "unpaid", "paid"]


def test_two_houses_never_see_each_other(plans: Plans) -> None:
    plans.add("acme", scene())
    plans.publish("acme", "plan1", 1, 1.0)
    plans.save_person("acme", Person("agent1", 20.0), 0)
    assert plans.heads("other") == []
    assert plans.plan("other", "plan1") is None
    assert plans.published("other", MONDAY, MONDAY + timedelta(6)) == []
    assert plans.people("other") == {}
    for act in (
        lambda: plans.drop("other", "plan1"),
        lambda: plans.publish("other", "plan1", 2, 1.0),
        lambda: plans.archive("other", "plan1", 2, MONDAY),
        lambda: plans.save("other", scene(), 2),
    ):
        with pytest.raises(Gone):
            act()
    # The same id may be another plan there.
    plans.add("other", scene(name="Theirs"))
    assert [one.name for one in plans.heads("acme")] == ["Week 49"]


def test_who_looked_at_an_old_version_changes_nothing(plans: Plans) -> None:
    made = plans.add("acme", scene())
    plans.save("acme", replace(made, duties=made.duties[1:]), 1)
    for act in (
        lambda: plans.save("acme", made, 1),
        lambda: plans.publish("acme", "plan1", 1, 1.0),
        lambda: plans.archive("acme", "plan1", 1, MONDAY),
        lambda: plans.save_person("acme", Person("agent1"), 3),
        lambda: plans.save_rules("acme", plans.rules("acme"), 1),
    ):
        with pytest.raises(Stale):
            act()
    assert len(plans.plan("acme", "plan1").duties) == 39  # type: ignore[union-attr]


def test_what_was_worked_stays_when_a_plan_is_put_away(plans: Plans) -> None:
    plans.add("acme", scene())
    plans.publish("acme", "plan1", 1, 1.0)
    with pytest.raises(WrongState):
        plans.drop("acme", "plan1")
    plans.archive("acme", "plan1", 2, MONDAY + timedelta(2))
    days = {one.date for one in plans.published("acme", MONDAY, MONDAY + timedelta(6))}
    assert days == {MONDAY, MONDAY + timedelta(1)}
    with pytest.raises(WrongState):
        plans.drop("acme", "plan1")


def test_a_plan_in_the_making_fails_with_a_sentence_when_the_centre_ends(tmp_path: Path) -> None:
    plans = open_plans(tmp_path)
    plans.add("acme", scene(state="making"))
    plans.progress("acme", "plan1", Progress("roster", 0.5))
    assert plans.heads("acme")[0].progress == Progress("roster", 0.5)
    plans.close()
    plans = open_plans(tmp_path)
    assert plans.abandon(STOPPED) == 1
    [head] = plans.heads("acme")
    assert (head.state, head.problem) == ("failed", STOPPED)
    assert plans.abandon(STOPPED) == 0
    plans.close()


# --- made ---


def test_a_typed_week_is_staffed_and_rostered(plans: Plans, acme: Tenant, tmp_path: Path) -> None:
    plans.save_person(
        "acme",
        Person(
            "denis",
            20.0,
            absent=(Absence(MONDAY, MONDAY),),
            activities=(PersonActivity(MONDAY, 600, 660, "training"),),
        ),
        0,
    )
    told: list[tuple[str, float]] = []
    plan = making.make(
        order_of(acme, plans, TYPED, tmp_path, NOW, "u"), lambda stage, share: told.append((stage, share))
    )
    assert (plan.head.state, plan.broken) == ("draft", ())
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert {stage for stage, _ in told} == {"forecast", "staffing", "roster", "check"}
    sales, service = plan.demand["sales"], plan.demand["service"]
    # 6 an hour are 3 in half an hour, within chance of 3 ± 1.645 √3; what is staffed is the 80 % quantile.
    assert (sales.contacts[16], sales.contacts[33], sales.contacts[34]) == (3.0, 3.0, 0.0)
    assert sales.low[16] == pytest.approx(3 - 1.6449 * 3**0.5, abs=1e-3)
    assert sales.goal == Goal(0.7, 30.0)
    rate = 2 * (3 + 0.8416 * 3**0.5)
    assert sales.required[16] == staff(rate, 240.0, Target(0.7, 30), patience=300.0)
    # Service is closed on Saturday, and on the holiday.
    assert not any(service.contacts[5 * 48 : 6 * 48])
    assert not any(service.contacts[2 * 48 : 3 * 48])
    notes = {one.code: one for one in plan.notes}
    assert notes["CLOSED-HOURS"].about == ("service",)
    assert notes["ACTIVITY-UNPLACED"].about == ("denis",)
    for queue in ("sales", "service"):
        assert plan.staffed[queue] == cover(plan.duties, queue, MONDAY, 7)
        assert all(
            (level is None) == (calls == 0)
            for level, calls in zip(plan.expected[queue], plan.demand[queue].contacts, strict=True)
        )
    hours: dict[str, float] = {}
    for one in plan.duties:
        unpaid = sum(pause.end - pause.start for pause in one.breaks if not pause.paid)
        hours[one.agent] = hours.get(one.agent, 0) + (one.end - one.start - unpaid) / 60
        assert {part.queue for part in one.stretches} <= set(
            next(a.queues for a in plan.agents if a.agent == one.agent)
        )
    assert all(38 <= hours[name] <= 42 for name in ("alice", "boris", "clara"))
    assert 14 <= hours["denis"] <= 18  # a fifth of the week's hours for the day off
    assert not [one for one in plan.duties if one.agent == "denis" and one.day == MONDAY]


def test_rules_that_collide_are_named(plans: Plans, acme: Tenant, tmp_path: Path) -> None:
    never = Person("boris", 40.0, available=((480, 960), *[None] * 6))
    plans.save_person("acme", never, 0)
    order = order_of(acme, plans, TYPED, tmp_path, NOW, "u")
    with pytest.raises(making.Failure) as failed:
        making.make(order)
    assert failed.value.trouble.code == "RULES-COLLIDE"
    assert failed.value.trouble.about == ("boris",)


def of_records(acme: Tenant, plans: Plans, folder: Path, **changes: object) -> Order:
    asked = replace(
        TYPED, first=date(2026, 4, 6), queues=("sales",), source="records", per_hour={}, handling={}
    )
    order = order_of(acme, plans, asked, folder, datetime(2026, 4, 1, 12, tzinfo=UTC).timestamp(), "u")
    return replace(order, plan=replace(order.plan, request=replace(asked, **changes)))  # type: ignore[arg-type]


def test_demand_from_the_records(plans: Plans, acme: Tenant, tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        lived(log, 30)
    plan = making.make(of_records(acme, plans, tmp_path))
    sales = plan.demand["sales"]
    table = np.array(sales.contacts).reshape(7, 48)
    # 24 callers a day; who calls again a minute after giving up is the same demand. No weekends.
    assert table[:5].sum(axis=1) == pytest.approx([24] * 5, rel=0.1)
    assert not table[5:].any()
    assert all(a <= b <= c for a, b, c in zip(sales.low, sales.contacts, sales.high, strict=True))
    assert max(sales.handling) == pytest.approx(60, rel=0.05)
    assert sales.patience is not None
    assert "WEEKDAYS-UNKNOWN" in {one.code for one in plan.notes}
    assert (plan.head.state, plan.broken) == ("draft", ())
    # By analogy, for a queue that has nothing yet.
    like = {"service": Like("sales", 0.5)}
    order = of_records(acme, plans, tmp_path)
    order = replace(
        order,
        plan=replace(
            order.plan,
            head=replace(order.plan.head, queues=("service",)),
            request=replace(order.plan.request, like=like),  # type: ignore[type-var]
        ),
        goals={"service": Goal(0.8, 20.0)},
    )
    assert order.plan.request is not None
    found, _ = making._demand(order, order.plan.request, lambda stage, share: None)
    assert sum(found["service"].contacts) == pytest.approx(5 * 12, rel=0.1)


def test_special_days(plans: Plans, acme: Tenant, tmp_path: Path) -> None:
    def quiet(stage: object, share: float) -> None:
        pass

    tuesday = MONDAY + timedelta(days=1)
    order = order_of(acme, plans, replace(TYPED, special={tuesday: 2.5}), tmp_path, NOW, "u")
    assert decode(encode(order), Order) == order
    assert order.plan.request is not None
    typed, _ = making._demand(order, order.plan.request, quiet)
    week = np.array(typed["sales"].contacts).reshape(7, 48)
    assert week[1] == pytest.approx(2.5 * week[0])
    assert week[2] == pytest.approx(week[0])
    with pytest.raises(making.Failure) as failed:
        making._demand(order, replace(order.plan.request, special={tuesday: "fair"}), quiet)
    assert failed.value.trouble.code == "PLAN-INPUT"
    # From the records: half a usual day, 24 callers; and a kind of day that they have never seen.
    with open_log(tmp_path) as log:
        lived(log, 30)
    order = of_records(acme, plans, tmp_path, special={date(2026, 4, 7): 0.5})
    assert order.plan.request is not None
    learned, _ = making._demand(order, order.plan.request, quiet)
    days = np.array(learned["sales"].contacts).reshape(7, 48).sum(axis=1)
    assert days[1] == pytest.approx(12, rel=0.1)
    assert days[2] == pytest.approx(24, rel=0.1)
    with pytest.raises(making.Failure) as failed:
        making._demand(order, replace(order.plan.request, special={date(2026, 4, 7): "fair"}), quiet)
    assert failed.value.trouble.code == "HISTORY-SHORT"


@pytest.mark.parametrize(("days", "code"), [(0, "HISTORY-NONE"), (9, "HISTORY-SHORT")])
def test_too_little_history_says_what_to_do(
    plans: Plans, acme: Tenant, tmp_path: Path, days: int, code: str
) -> None:
    with open_log(tmp_path) as log:
        lived(log, days)
    with pytest.raises(making.Failure) as failed:
        making.make(of_records(acme, plans, tmp_path))
    assert failed.value.trouble.code == code
    assert "type the week's demand" in failed.value.trouble.text.lower()
    assert failed.value.trouble.about == ("sales",)


def test_what_agents_bring_along_from_the_week_before(plans: Plans, acme: Tenant, tmp_path: Path) -> None:
    names = ("alice", *AGENTS[1:6], "clara", "denis")
    plans.add("acme", scene(names, first=MONDAY - timedelta(7)))
    plans.publish("acme", "plan1", 1, 1.0)
    order = order_of(acme, plans, TYPED, tmp_path, NOW, "u")
    past = {one.agent: one.past for one in order.plan.agents}
    # Clara worked from Wednesday to Sunday, from 8:00 to 16:30; alice was off since Friday.
    assert (past["clara"].days_in_row, past["clara"].ended, past["clara"].weekends) == (5, 450, 1)
    assert (past["alice"].days_in_row, past["alice"].weekends) == (0, 0)
    assert past["alice"].ended == 2 * 1440 + 450
    assert past["clara"].burden == 2
    assert past["boris"] == type(past["boris"])()


def test_who_works_elsewhere_on_a_day_is_not_planned_twice(
    plans: Plans, acme: Tenant, tmp_path: Path
) -> None:
    names = (*AGENTS[:6], "clara", *AGENTS[7:])
    plans.add("acme", scene(names, ("chat", "mail")))
    plans.publish("acme", "plan1", 1, 1.0)
    order = order_of(acme, plans, TYPED, tmp_path, NOW, "u")
    clara = next(one for one in order.plan.agents if one.agent == "clara")
    days = [MONDAY + timedelta(one) for one in range(2, 7)]
    assert clara.credit == dict.fromkeys(days, 8.0)
    assert clara.absent == tuple(days)
    # Plans of the same queues make room when this one is published.
    plans.add("acme", scene(names, ("sales", "mail"), id="same"))
    plans.archive("acme", "plan1", 2, MONDAY)
    plans.publish("acme", "same", 1, 1.0)
    order = order_of(acme, plans, TYPED, tmp_path, NOW, "u")
    assert not any(one.credit for one in order.plan.agents)


def test_weeks_that_are_over_and_strange_queues_are_refused(
    plans: Plans, acme: Tenant, tmp_path: Path
) -> None:
    for changes in (
        {"first": date(2026, 11, 9)},
        {"first": date(2026, 12, 1)},
        {"queues": ("nothing",)},
        {"step": 1700},
        {"handling": {"sales": 240.0}},
        {"goal": Goal(1.0, 20.0)},
    ):
        with pytest.raises(RequestWrong):
            order_of(acme, plans, replace(TYPED, **changes), tmp_path, NOW, "u")  # type: ignore[arg-type]


# --- edited ---


def test_an_edit_reckons_the_same_as_everything_anew() -> None:
    plan = reckoning.evaluated(scene())
    changes: list[editing.Change] = [
        editing.Move("d1", start=600),
        editing.Remove("d7"),
        editing.Add("agent8", MONDAY, "full", 540),
        editing.Swap("d26", "d27"),
        editing.Spend("d36", 610, 700, "training"),
    ]
    with pytest.raises(editing.EditWrong, match="Change 4"):
        editing.edited(plan, changes)  # both are agent6's
    changes[3] = editing.Swap("d26", "d31")
    done = editing.edited(plan, changes)
    whole = reckoning.evaluated(replace(done.plan, broken=(), expected={}))
    assert done.plan.staffed == whole.staffed
    assert done.plan.expected == whole.expected
    assert done.plan.costs == whole.costs
    assert sorted(map(str, done.plan.broken)) == sorted(map(str, whole.broken))
    assert done.removed == ("d7",)
    assert {one.id for one in done.changed} == {"d1", "d26", "d31", "d36", "d41"}
    # Who trains isn't at the phones.
    trained = next(one for one in done.changed if one.id == "d36")
    assert [(one.start, one.end) for one in trained.stretches][:2] == [(600, 610), (700, 720)]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_edited_adds_up(seed: int) -> None:
    """Against cover counted minute by minute, and costs as the roster's own checker has them."""
    draw, plan, done = random.Random(seed), reckoning.evaluated(scene()), 0
    for _ in range(25):
        one, other = draw.choice(plan.duties), draw.choice(plan.duties)
        day = MONDAY + timedelta(draw.randrange(7))
        change = draw.choice(
            (
                editing.Move(one.id, start=5 * draw.randrange(288)),
                editing.Move(one.id, day=day, agent=other.agent),
                editing.Add(other.agent, day, draw.choice(KINDS).name, 30 * draw.randrange(48)),
                editing.Remove(one.id),
                editing.Swap(one.id, other.id),
                editing.Spend(one.id, one.start, one.start + 5 * draw.randrange(1, 20), "training"),
                editing.Put(replace(other, agent=one.agent)),
            )
        )
        try:
            plan = editing.edited(plan, [change]).plan
        except editing.EditWrong:
            continue
        done += 1
    assert done > 12
    assert plan.head.version == 1
    for queue in plan.head.queues:
        assert plan.staffed[queue] == pytest.approx(cover(plan.duties, queue, MONDAY, 7))
    problem = reckoning.problem_of(plan)
    costs = cost_of(problem, [reckoning.roster_duty(plan.head, one) for one in plan.duties])
    assert plan.costs["total"] == pytest.approx(sum(costs.values()), abs=1e-4)
    assert plan.costs["short"] == pytest.approx(costs["short"], abs=1e-4)
    whole = reckoning.evaluated(replace(plan, broken=(), expected={}))
    assert whole.expected == plan.expected
    assert {(one.code, one.agent, one.day) for one in whole.broken} == {
        (one.code, one.agent, one.day) for one in plan.broken
    }
    for duty in plan.duties:
        parts = sorted((one.start, one.end) for one in (*duty.stretches, *duty.breaks, *duty.activities))
        assert parts[0][0] == duty.start
        assert parts[-1][1] == duty.end
        assert all(a[1] == b[0] for a, b in pairwise(parts)), "filled, and nothing meets"
    ids = [one.id for one in plan.duties]
    assert len(set(ids)) == len(ids)


def test_agents_of_two_queues_go_where_they_are_missed() -> None:
    plan = scene()
    sales = plan.demand["sales"]
    busy = tuple(8.0 if 20 <= at % 48 < 24 else need for at, need in enumerate(sales.required))
    plan = reckoning.evaluated(replace(plan, demand={**plan.demand, "sales": replace(sales, required=busy)}))
    [duty] = editing.edited(plan, [editing.Add("agent8", MONDAY, "full", 480)]).changed
    at_noon = {part.queue for part in duty.stretches for at in (660, 690) if part.start <= at < part.end}
    assert at_noon == {"sales"}


def test_days_off_count_as_what_was_planned() -> None:
    plan = reckoning.evaluated(scene())
    done = editing.edited(plan, [editing.Away("agent1", (MONDAY, MONDAY + timedelta(5)))])
    assert (done.removed, done.anew) == (("d1",), ())
    agent = next(one for one in done.plan.agents if one.agent == "agent1")
    assert agent.credit == {MONDAY: 8.0, MONDAY + timedelta(5): 0.0}
    again = editing.edited(done.plan, [editing.Add("agent1", MONDAY, "full", 480)])
    assert "absent" in {one.code for one in again.anew}
    assert decode(encode(done.plan), Plan) == done.plan


def test_others_stand_in_for_who_is_ill() -> None:
    # As many are needed as there are, but at sales on the Wednesday that agent5 is ill on, where nobody is.
    ill, plan = MONDAY + timedelta(2), scene()
    demand = {
        queue: replace(
            one,
            required=tuple(
                0.0 if queue == "sales" and at // 48 == 2 else there
                for at, there in enumerate(plan.staffed[queue])
            ),
        )
        for queue, one in plan.demand.items()
    }
    plan = reckoning.evaluated(replace(plan, demand=demand))
    lost = editing.edited(plan, [editing.Away("agent5", (ill,))]).plan
    done = editing.edited(plan, [editing.Away("agent5", (ill,), repair=True, seconds=1.0)])
    assert (done.plan.broken, done.removed) == ((), ("d23",))
    assert done.plan.head.cost is not None
    assert lost.head.cost is not None
    assert done.plan.head.cost < lost.head.cost
    assert all(one.day >= ill for one in done.changed)
    # Agent8 serves both, and goes to service.
    [instead] = [one for one in done.changed if (one.agent, one.day) == ("agent8", ill)]
    assert "service" in {one.queue for one in instead.stretches}


# --- the process ---


def test_the_process_answers_and_is_survived(plans: Plans, acme: Tenant, tmp_path: Path) -> None:
    async def story() -> None:
        planner = Planner(plans)
        try:
            plans.add("acme", reckoning.evaluated(scene()))
            move = [{"what": "move", "duty": "d1", "start": 540}]
            tried = await planner.edit("acme", "plan1", 1, move, attempt=True)
            assert tried.edited == editing.edited(tried.before, [editing.Move("d1", start=540)])
            with pytest.raises(Refused) as refused:
                await planner.ask({"what": "nothing"})
            assert refused.value.trouble.code == "JOB-ORDER"
            # Killed between two questions: the next one begins another.
            assert planner._kept is not None
            os.kill(planner._kept.process.pid, signal.SIGKILL)
            await planner._kept.process.wait()
            await planner.edit("acme", "plan1", 1, move)
            assert plans.heads("acme")[0].version == 2

            # Two plans in line; the first one's process is killed, the second has no history.
            for name in ("one", "two"):
                asked = replace(
                    TYPED, name=name, seconds=60.0, source="typed" if name == "one" else "records"
                )
                order = order_of(acme, plans, asked, tmp_path, NOW, "u", id=name)
                planner.make(replace(order, plan=plans.add("acme", order.plan)))
            for _ in range(600):
                if planner._making is not None:
                    break
                await asyncio.sleep(0.05)
            assert planner._making is not None
            assert planner._making[1] == "one"
            os.kill(planner._making[2].process.pid, signal.SIGKILL)
            for _ in range(1200):
                heads = {one.id: one for one in plans.heads("acme")}
                if heads["two"].state != "making":
                    break
                await asyncio.sleep(0.05)
            assert (heads["one"].state, heads["one"].problem) == ("failed", KILLED)
            assert heads["two"].problem is not None
            assert heads["two"].problem.code == "HISTORY-NONE"
            kept = planner._kept
            assert kept is not None
        finally:
            planner.close()
        # None outlives the application.
        assert await asyncio.wait_for(kept.process.wait(), 20) == -signal.SIGKILL

    asyncio.run(story())


def test_the_commands(acme: Tenant, tmp_path: Path) -> None:
    from centrala.cli import app

    typed = {"per_hour": {"sales": WEEK}, "handling": {"sales": 240}}
    (tmp_path / "week.json").write_text(json.dumps(typed))
    config, data = str(tmp_path / "centre.yaml"), str(tmp_path)
    made = ["plan", "make", "--config", config, "--data", data, "--first", str(NEXT), "--queue", "sales"]

    def run(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == code, done.output
        return done.output

    assert "type the week's demand" in run(*made, code=1)
    assert "80/20" in run(*made, "--target", "much", code=1)
    assert "in time" in run(*made, "--typed", str(tmp_path / "week.json"), "--seconds", "1")
    [plan] = json.loads(run("plan", "show", "--data", data, "--json"))
    assert (plan["state"], plan["queues"], plan["made_by"]) == ("draft", ["sales"], "console")
    assert "from the best at most" in run("plan", "show", plan["id"], "--data", data)
    assert "is published" in run("plan", "publish", plan["id"], "--data", data)
    assert "can't be published" in run("plan", "publish", plan["id"], "--data", data, code=1)
    assert "no plan nothing" in run("plan", "show", "nothing", "--data", data, code=1)
    people = open_people(tmp_path)
    assert [(one.action, one.actor) for one in people.trail("acme")] == [
        ("plan.published", "console"),
        ("plan.made", "console"),
    ]
    people.close()


def test_the_changes_are_read_as_they_are_sent() -> None:
    sent = {
        "plan": plain(scene()),
        "changes": [
            {"what": "move", "duty": "d1", "day": "2026-12-01"},
            {"what": "swap", "duty": "d1", "with": "d6"},
            {"what": "absent", "agent": "agent1", "days": ["2026-12-02"]},
        ],
    }
    order = msgspec.json.decode(json.dumps(sent).encode(), type=editing.EditOrder)
    assert order.changes == [
        editing.Move("d1", day=date(2026, 12, 1)),
        editing.Swap("d1", "d6"),
        editing.Away("agent1", (date(2026, 12, 2),)),
    ]
    assert order.plan == scene()
