"""How many calls may be promised for a quarter of an hour: by cases that were reckoned by hand."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.ledger import open_log
from centrala.settings import Callbacks, Tenant, parse
from centrala.settings.facts import changes
from centrala.slots import (
    QUARTER,
    WEEK,
    History,
    Offering,
    expected_agents,
    expected_arrivals,
    handling_time,
    history,
    moment_of,
    offered,
    open_quarters,
    places,
    quarters,
    serving_parts,
)

pytestmark = pytest.mark.unit

WARSAW = ZoneInfo("Europe/Warsaw")
UTC = ZoneInfo("UTC")
MONDAY = datetime(2026, 11, 16, tzinfo=UTC).timestamp()


def test_the_handling_time_begins_with_the_usual_one_and_follows_the_queue() -> None:
    assert handling_time(History()) == 240.0
    # (240 × 20 + 6000) / (20 + 20)
    assert handling_time(History(handled=20, handling_s=6000.0)) == 270.0
    assert handling_time(History(handled=100_000, handling_s=12_000_000.0)) == pytest.approx(120.0, abs=0.05)


def test_arrivals_are_drawn_towards_the_mean_of_all_quarters() -> None:
    known = History(weeks=4, arrivals={(0, 36): 8, (1, 40): 32})
    # 40 contacts in 4 weeks of 10 open quarters: 1 a quarter. (2 × 1 + 8) / (2 + 4)
    assert expected_arrivals(known, (0, 36), 10) == pytest.approx(10 / 6)
    assert expected_arrivals(known, (2, 36), 10) == pytest.approx(2 / 6)
    assert expected_arrivals(History(), (0, 36), 10) == 0.0


def test_agents_are_those_of_the_hour_or_of_now() -> None:
    known = History(weeks=4, agents={(0, 9): 14.0})
    assert expected_agents(known, (0, 36), 99.0) == 3.5
    assert expected_agents(known, (0, 39), 99.0) == 3.5
    assert expected_agents(known, (0, 40), 99.0) == 0.0
    assert expected_agents(History(), (0, 36), 2.5) == 2.5
    assert expected_agents(History(weeks=4), (0, 36), 2.5) == 2.5


def test_places_by_hand() -> None:
    # Four agents, 240 s: 15 contacts a quarter. Nothing is expected; half of it.
    assert places(History(), (0, 36), share=0.5, serving=4.0, open_quarters=40) == 7
    assert places(History(), (0, 36), share=1.0, serving=4.0, open_quarters=40) == 15
    assert places(History(), (0, 36), share=0.0, serving=4.0, open_quarters=40) == 0
    assert places(History(), (0, 36), share=0.5, serving=0.0, open_quarters=40) == 0
    # Two agents over 8 weeks, (4800 + 180 × 9 000) / (20 + 9 000) = 180.133 s: 9.9926 contacts; 30 + 2 × 0.75 in
    # 10 weeks' worth: 3.15. floor(0.5 × 6.8426)
    known = History(
        weeks=8,
        arrivals={(0, 36): 30, (1, 0): 210},
        agents={(0, 9): 16.0},
        handled=9000,
        handling_s=1_620_000.0,
    )
    assert expected_arrivals(known, (0, 36), 40) == pytest.approx(3.15)
    assert places(known, (0, 36), share=0.5, serving=0.0, open_quarters=40) == 3
    # More is expected than they can take.
    known = History(weeks=8, arrivals={(0, 36): 800}, agents={(0, 9): 16.0})
    assert places(known, (0, 36), share=1.0, serving=9.0, open_quarters=40) == 0


def test_quarters_lie_in_the_opening_hours_and_begin_with_the_next_one() -> None:
    nine, noon = MONDAY + 9 * 3600, MONDAY + 12 * 3600
    tomorrow = [(one + 86400) for one in (nine, noon)]
    spans = [(nine, noon), (tomorrow[0], tomorrow[1])]
    found = quarters(spans, UTC, nine + 100, 1)
    assert found == [nine + QUARTER * step for step in range(1, 12)]
    assert len(quarters(spans, UTC, nine - 1, 2)) == 24
    # At a quarter's very start it has begun.
    assert quarters(spans, UTC, nine, 1)[0] == nine + QUARTER
    # Who opens at ten past has the first quarter from a quarter past.
    assert quarters([(nine + 600, nine + 2700)], UTC, MONDAY, 1) == [nine + 900, nine + 1800]
    assert quarters([(noon, noon + 899)], UTC, MONDAY, 1) == []


def test_always_open_means_until_midnight_there() -> None:
    now = datetime(2026, 11, 16, 23, 20, tzinfo=WARSAW).timestamp()
    assert [
        datetime.fromtimestamp(one, WARSAW).strftime("%H:%M") for one in quarters(None, WARSAW, now, 1)
    ] == [
        "23:30",
        "23:45",
    ]


def test_a_day_that_is_an_hour_shorter_has_four_quarters_less() -> None:
    spring = datetime(2027, 3, 28, 0, 0, tzinfo=WARSAW).timestamp()
    assert len(quarters(None, WARSAW, spring - 1, 2)) == 92
    assert moment_of(datetime(2027, 3, 28, 3, 0, tzinfo=WARSAW).timestamp(), WARSAW) == (6, 12)


def test_what_is_offered_leaves_out_quarters_without_places() -> None:
    nine = MONDAY + 9 * 3600
    known = History(weeks=1, agents={(0, 9): 4.0})
    found = offered(known, [(nine, nine + 7200)], UTC, MONDAY, share=0.5, days=1, serving=50.0)
    assert found == tuple((nine + QUARTER * step, 7) for step in range(4))  # nobody works from ten on
    assert open_quarters([(nine, nine + 7200)], MONDAY) == 8
    assert open_quarters(None, MONDAY) == 672


def test_agents_of_several_queues_count_in_parts() -> None:
    queues = {"a": 1, "b": 2, "c": 4}
    assert serving_parts(queues, queues.__getitem__, lambda name: name != "c") == 1.5


def test_history_of_records(tmp_path: Path) -> None:
    now = MONDAY + 4 * WEEK + 10 * 3600 + 120
    with open_log(tmp_path) as log, log.transaction() as db:
        add(db, "old", MONDAY - 3600, "sales", "ann", 100)  # makes it four whole weeks
        for week in range(1, 5):
            nine = MONDAY + week * WEEK + 9 * 3600
            add(db, f"a{week}", nine + 10, "sales", "ann", 300)
            add(db, f"b{week}", nine + 20, "sales", "bob", 100)
            add(db, f"c{week}", nine + 1000, "sales", None, 0)  # hung up
            add(db, f"d{week}", nine + 2000, "help", "bob", 50)
            add(db, f"e{week}", nine + 30, "sales", "ann", 100, "callback")
        add(db, "f", now + 10, "sales", "ann", 999)  # not yet
        add(db, "g", now - 86400 + 9 * 3600 + 10, "sales", "zoe", 999, tenant="other")
    found = history(tmp_path, "acme", ["sales"], UTC, now)["sales"]
    assert found.weeks == 4
    assert found.arrivals == {(0, 36): 8, (0, 37): 4}  # not those whom we called
    assert found.agents == {(0, 9): 6.0}  # Ann whole, Bob half
    assert (found.handled, found.handling_s) == (12, 4 * (310 + 110 + 110))
    assert history(tmp_path, "acme", ["new"], UTC, now)["new"] == History(4)


def test_without_a_whole_week_nothing_is_known(tmp_path: Path) -> None:
    with open_log(tmp_path) as log, log.transaction() as db:
        add(db, "a", MONDAY, "sales", "ann", 300)
    assert history(tmp_path, "acme", ["sales"], UTC, MONDAY + 3 * 86400) == {"sales": History()}
    assert history(tmp_path, "none", ["sales"], UTC, MONDAY) == {"sales": History()}


def add(
    db: sqlite3.Connection, name: str, at: float, queue: str, agent: str | None, talk: float,
    direction: str = "inbound", tenant: str = "acme",
) -> None:  # fmt: skip
    """A record; answered after 5 s where there is an agent, with 10 s of after-call work."""
    answered = None if agent is None else at + 5
    db.execute(
        "INSERT INTO records(tenant, id, medium, direction, party, dialled, queue, arrived_at, queued_at, answered_at,"
        " ended_at, talk_s, hold_s, wrap_up_s, agent) VALUES (?, ?, 'voice', ?, ?, '1', ?, ?, ?, ?, ?, ?, 0, 10, ?)",
        (tenant, name, direction, name, queue, at, at, answered, at + 5 + talk, talk, agent),
    )


def test_a_queue_is_told_again_only_when_its_places_change(tmp_path: Path) -> None:
    text = """
tenants:
  acme:
    domain: acme.example
    agents: {ann: {sip_password: secret}, bob: {sip_password: secret}}
    queues:
      sales: {agents: [ann, bob], hours: {mon-fri: "9:00-17:00"}, callbacks: {slots: {share: 50, days: 1}}}
      help: {agents: [bob]}
"""
    tenant = parse(text, tmp_path / "centre.yaml").tenants["acme"]
    centre = Centre()
    now = MONDAY + 9 * 3600 + 60
    for fact in changes(centre, tenant, now):
        step(centre, fact)
    for name in ("ann", "bob"):
        step(centre, f.PhoneRegistered(now, name))
        step(centre, f.AgentReady(now, name))
    with open_log(tmp_path):
        pass
    offering = Offering(tmp_path)

    def told(at: float, of: Tenant = tenant) -> list[f.SlotsOffered]:
        return asyncio.run(offering.again(of, centre, at))

    (first,) = told(now)
    # Ann wholly, Bob by half: 1.5 × 900 / 240 = 5.6, of which half.
    assert (first.queue, first.slots[0]) == ("sales", (MONDAY + 9 * 3600 + 900, 2))
    assert len(first.slots) == 31
    assert (first.local[0], first.local[-1]) == ("2026-11-16T09:15", "2026-11-16T16:45")
    step(centre, first)
    assert told(now + 1) == []
    (later,) = told(now + 900)
    assert later.slots == first.slots[1:], "a quarter that has begun has no places"
    without = replace(
        tenant, queues={**tenant.queues, "sales": replace(tenant.queues["sales"], callbacks=Callbacks())}
    )
    (gone,) = told(now + 900, without)
    assert (gone.queue, gone.slots) == ("sales", ())
    assert told(now + 901, without) == []
