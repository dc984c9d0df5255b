"""The day against the plan: adherence, the morning's error, requests, calendar files."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centrala.core import facts as f
from centrala.core.specs import AgentSpec, Destination, QueueSpec
from centrala.desk import Desk
from centrala.ledger import open_log, project
from centrala.planning.adherence import Piece, Stay, pieces_of, shrunk, stand
from centrala.planning.attendance import Attendance, past_stays
from centrala.planning.calendars import calendar_of
from centrala.planning.requests import Piece as Asked
from centrala.planning.requests import RequestError, Requests, open_requests
from centrala.planning.today import Came, arrivals, planned_agents, row, updated
from centrala.planning.values import AbsoluteDuty, Moment

pytestmark = pytest.mark.unit

H = 3600.0
DAY = [Piece(9 * H, 11 * H, "work", "sales"), Piece(11 * H, 11.25 * H, "break"),
       Piece(11.25 * H, 12 * H, "work", "claims"), Piece(12 * H, 13 * H, "activity", "training"),
       Piece(13 * H, 17 * H, "work", "sales")]  # fmt: skip
PLAIN = [replace(one, kind="break", what="") if one.kind == "activity" else one for one in DAY]
"The same without an activity, which the roster module doesn't know."
UTC_ZONE = ZoneInfo("UTC")


# --- adherence ---


def test_who_does_as_planned_fits() -> None:
    stays = [Stay(0, "logged_out"), Stay(9 * H, "ready"), Stay(10 * H, "on_contact"), Stay(11 * H, "not_ready:break"),
             Stay(11.25 * H, "ready"), Stay(12 * H, "not_ready:training")]  # fmt: skip
    got = stand("ann", DAY, stays, 12.5 * H, zone=UTC_ZONE)
    assert (got.planned, got.what, got.fits, got.out_since) == ("activity", "training", True, None)
    assert (got.since, got.until) == (12 * H, 13 * H)
    assert got.today.adherence == 1.0
    assert got.today.planned == 3.5 * H
    assert got.text == "Planned for training since 12:00; in pause (training) for 30 min."


def test_a_pause_instead_of_work_is_told_with_its_time() -> None:
    stays = [Stay(0, "logged_out"), Stay(9 * H, "ready"), Stay(14 * H, "not_ready:lunch")]
    got = stand("ann", DAY, stays, 14 * H + 720, zone=UTC_ZONE)
    assert not got.fits
    assert got.out_since == 14 * H
    assert got.text == "Planned at the phones since 13:00; in pause (lunch) for 12 min."
    # A break and the training were worked through, then twelve minutes were missed.
    assert got.today.through == 1.25 * H
    assert got.today.missing == 720


def test_minutes_within_the_grace_still_fit() -> None:
    stays = [Stay(0, "logged_out"), Stay(9 * H + 100, "ready"), Stay(11 * H + 60, "not_ready:break")]
    early = stand("ann", DAY, stays, 9 * H + 50)
    assert early.fits
    assert early.out_since == 9 * H
    later = stand("ann", DAY, stays, 11.1 * H)
    assert later.today.adherence == 1.0
    strict = stand("ann", DAY, stays, 11.1 * H, grace=0)
    assert strict.today.missing == 100
    assert strict.today.through == 60


def test_work_without_a_plan_is_extra_and_off_is_off() -> None:
    got = stand("ann", [], [Stay(0, "ready")], H)
    assert (got.planned, got.fits, got.until) == ("off", False, None)
    assert got.today.extra == H
    assert got.today.adherence is None
    idle = stand("bob", DAY, [], 8 * H)
    assert (idle.planned, idle.fits, idle.until, idle.state) == ("off", True, 9 * H, "logged_out")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1440), st.sampled_from(["ready", "on_contact", "not_ready:lunch", "logged_out"])
        ),
        max_size=12,
    ),
    st.one_of(st.just(1440), st.integers(0, 1440)),
    st.sampled_from([0, 3, 10]),
)
@settings(max_examples=60, deadline=None)
def test_minutes_are_those_of_the_roster_module(
    changes: list[tuple[int, str]], until: int, grace: int
) -> None:
    from centrala.workforce.roster.model import Agent, Break, Duty, Problem, Shift, Stretch
    from centrala.workforce.roster.seen import Seen, adherence, shrinkage

    stays = [Stay(at * 60.0, state) for at, state in sorted(dict(changes).items()) if at < until]
    ends = [*(one.at for one in stays[1:]), until * 60.0][: len(stays)]
    seen = [Seen("ann", one.at / 60, end / 60, one.state) for one, end in zip(stays, ends, strict=True)]
    breaks = ((660, 675), (720, 780))
    work = (Stretch(540, 660, "sales"), Stretch(675, 720, "claims"), Stretch(780, 1020, "sales"))
    duty = Duty("ann", 0, "full", 540, 1020, breaks, work)
    theirs = adherence([duty], seen, until=until, grace=grace)["ann"]
    ours = stand("ann", DAY, stays, until * 60.0, grace=grace * 60).today
    assert ours.planned == pytest.approx(theirs.planned * 60)
    assert ours.within == pytest.approx(theirs.within * 60)
    assert ours.missing == pytest.approx(theirs.missing * 60)
    assert ours.through == pytest.approx(theirs.through_breaks * 60)
    assert ours.extra == pytest.approx(theirs.extra * 60)
    if until == 1440:
        day = date(2026, 11, 30)
        full = Shift("full", 480, (540,), (Break(15, 120, 120), Break(60, 180, 180, paid=False)))
        problem = Problem(
            day, 1, 30, ("sales", "claims"), np.zeros((2, 336)), (full,), (Agent("ann", ("sales",)),)
        )
        lost = shrinkage(problem, [duty], seen)
        unpaid = [replace(one, what="unpaid") if one.begin == 12 * H else one for one in PLAIN]
        mine = shrunk(unpaid, stays, until * 60.0)
        assert mine.paid == pytest.approx(lost.paid * 60)
        assert mine.breaks == pytest.approx(lost.breaks * 60)
        assert mine.absent == pytest.approx(lost.absent * 60)
        assert mine.away == pytest.approx(lost.away * 60)


def test_states_of_the_day_come_from_the_ledger_and_outlive_us(tmp_path: Path) -> None:
    async def main() -> None:
        ledger = open_log(tmp_path)
        desk = Desk(ledger)
        desk.open("acme")
        at = 1_790_000_000.0
        for fact in (
            f.AgentChanged(at, AgentSpec("ann", "Ann")),
            f.QueueChanged(at, QueueSpec("sales", agents=("ann",), wrap_up=30.0)),
            f.PhoneRegistered(at + 1, "ann"),
            f.AgentReady(at + 2, "ann"),
            f.AgentPaused(at + 100, "ann", "lunch"),
            f.AgentReady(at + 400, "ann"),
        ):
            desk.tell("acme", fact)
        desk.catch_up()
        await desk.stop()
        attendance = Attendance(tmp_path, "acme")
        got = attendance.stays(at + 50)["ann"]
        assert got == [Stay(at + 50, "ready"), Stay(at + 100, "not_ready:lunch"), Stay(at + 400, "ready")]
        ledger.close()

        ledger = open_log(tmp_path)
        desk = Desk(ledger)
        desk.open("acme")
        desk.tell("acme", f.AgentSignedOut(at + 500, "ann"))
        desk.catch_up()
        await desk.stop()
        ledger.close()
        # The one that goes on tells the same as one that begins anew.
        assert attendance.stays(at + 50) == Attendance(tmp_path, "acme").stays(at + 50)
        assert attendance.stays(at + 50)["ann"][-1] == Stay(at + 500, "logged_out")
        # A day that is over ends with its last state.
        assert past_stays(tmp_path, "acme", at + 50, at + 400)["ann"][-1] == Stay(at + 100, "not_ready:lunch")

    asyncio.run(main())


# --- the day ---


def test_the_rest_of_the_day_follows_the_morning_as_a_forecast_does() -> None:
    from centrala.workforce._days import folded_back, spread_out
    from centrala.workforce.forecasting import BELIEVE

    planned = np.array([0, 20, 40, 60, 80, 60, 40, 20], float)
    shared = 0.12 * np.sqrt(planned + 0.25) * (planned > 0)
    roots = spread_out("calls", planned)
    wide = 1.6449 * np.sqrt(shared**2 + 0.25)
    low, high = folded_back("calls", roots - wide), folded_back("calls", roots + wide)
    came = [0.0, 30.0, 52.0, 75.0]
    got = updated(planned.tolist(), low.tolist(), high.tolist(), came, doubt=0.0)
    # The same by the formula of Forecast.update, from the whole matrix.
    cover = np.outer(shared, shared) + 0.25 * np.eye(8)
    live = np.array([1, 2, 3])
    ridge = BELIEVE * float(np.mean(np.diag(cover)[live]))
    gain = np.linalg.solve(cover[np.ix_(live, live)] + ridge * np.eye(3), cover[live]).T
    moved = folded_back("calls", roots + gain @ (spread_out("calls", np.array(came))[1:] - roots[live]))
    assert got.middle[:4] == came
    assert got.middle[4:] == pytest.approx(moved[4:].tolist(), rel=0.02)
    assert 1.1 < got.level < 1.35
    assert all(a <= b <= c for a, b, c in zip(got.low, got.middle, got.high, strict=True))


def test_a_morning_as_planned_changes_nothing_and_says_it_is_surer() -> None:
    planned = [20.0, 40.0, 60.0, 80.0]
    low, high = [one * 0.6 for one in planned], [one * 1.45 for one in planned]
    got = updated(planned, low, high, planned[:2])
    assert got.middle == pytest.approx(planned, rel=0.01)
    assert got.level == pytest.approx(1.0, abs=0.01)
    assert got.high[3] < high[3]
    assert updated([], [], [], []).level == 1.0
    with pytest.raises(ValueError):
        updated([1.0], [1.0], [1.0], [1.0, 2.0])


def test_agents_planned_are_counted_by_the_part_of_the_interval_they_work() -> None:
    starts = [index * 1800.0 for index in range(6)]
    assert planned_agents([(900.0, 4500.0), (1800.0, 3600.0)], starts, 1800.0) == [0.5, 2.0, 0.5, 0, 0, 0]
    assert planned_agents([(-3600.0, 900.0)], starts, 1800.0)[0] == 0.5


def test_a_row_knows_past_present_and_future() -> None:
    starts = [index * 1800.0 for index in range(4)]
    demand = {
        "contacts": [10, 10, 10, 10],
        "low": [5, 5, 5, 5],
        "high": [16, 16, 16, 16],
        "required": [3, 3, 3, 3],
    }
    came = Came([12, 4, 0, 0], [10, 3, 0, 0], [2, 1, 0, 0], [8, 3, 0, 0], [1, 0, 0, 0])
    got = row(demand, [0.8] * 4, [(0.0, 7200.0)], [2.5, 3.0, 0.0, 0.0], came, starts, 1800.0, 2700.0)
    assert got.came == [12, 4, None, None]
    assert got.present == [2.5, 3.0, None, None]
    assert got.reached == [8 / 11, 0.75, None, None]
    assert got.updated[0] == 12
    assert got.updated[2] > 10
    assert got.planned_agents == [1.0, 1.0, 1.0, 1.0]


def test_arrivals_are_those_of_the_records(tmp_path: Path) -> None:
    async def main() -> None:
        ledger = open_log(tmp_path)
        desk = Desk(ledger)
        desk.open("acme")
        at = 1_790_001_000.0
        told: list[f.Fact] = [
            f.AgentChanged(at - 99, AgentSpec("ann", "Ann")),
            f.QueueChanged(at - 99, QueueSpec("sales", agents=("ann",), wrap_up=0.0)),
            f.NumberChanged(at - 99, "100", Destination("queue", "sales")),
            f.ContactArrived(at, "c1", "100", "c1"),
            f.HungUp(at + 5, "c1"),
            f.ContactArrived(at + 1800, "c2", "100", "c2"),
            f.HungUp(at + 1900, "c2"),
        ]
        for fact in told:
            desk.tell("acme", fact)
        desk.catch_up()
        await desk.stop()
        project(ledger)
        ledger.close()
        starts = [at - 1000 + index * 1800 for index in range(3)]
        got = arrivals(tmp_path, "acme", {"sales": 20.0, "none": 20.0}, starts, 1800.0)
        assert got["sales"].contacts == [1, 1, 0]
        assert got["sales"].lost == [1, 1, 0]
        assert got["sales"].early == [1, 0, 0]
        assert got["sales"].reached == [None, 0.0, None]
        assert got["none"].contacts == [0, 0, 0]

    asyncio.run(main())


def test_the_rest_of_the_day_is_advised_queue_by_queue() -> None:
    from centrala.planning.advising import advise

    def queue(agents: list[float], **more: object) -> dict[str, object]:
        return {
            "contacts": [40.0] * 8, "agents": agents, "handling": 300.0, "patience": 180.0, "waiting": 0,
            "goal": {"service_level": 0.8, "within": 20.0}, "may_leave": 2, "may_stay": 0, "stay_from": None,
            "planned": [], **more,
        }  # fmt: skip

    training = [{"name": "training", "agents": 3, "begin": 870, "end": 930}]
    told = advise(
        {
            "now": 840,
            "step": 30,
            "queues": {
                "short": queue([8, 5, 5, 8, 8, 8, 8, 8], planned=training),
                "ample": queue([14.0] * 8),
                "quiet": queue([2.0] * 8, contacts=[0.0] * 8),
                "wrong": queue([2.0] * 7),
            },
        }
    )["queues"]
    first = told["short"]["advice"][0]
    assert (first["what"], first["name"], first["agents"]) in {
        ("cancel", "training", 3),
        ("move", "training", 3),
    }
    assert first["after"] > first["before"]
    assert told["short"]["expected"][1] < told["short"]["expected"][0]
    assert told["ample"]["advice"][0]["what"] == "send_home"
    assert told["quiet"] == {"expected": [None] * 8, "advice": []}
    # One that can't be reckoned says so, and keeps nothing from the others.
    assert "problem" in told["wrong"]


# --- requests ---

TODAY = date(2026, 11, 30)
MINE = Asked("p1", "d1", "ann", "2026-12-03", 1e9, 1e9 + H)
THEIRS = Asked("p1", "d2", "bob", "2026-12-04", 1e9, 1e9 + H)


@pytest.fixture
def requests(tmp_path: Path) -> Requests:
    return open_requests(tmp_path)


def test_a_swap_needs_the_colleague_then_the_planner(requests: Requests) -> None:
    made = requests.make("acme", "ann", "u1", "swap", 1.0, TODAY, mine=MINE, other="bob", theirs=THEIRS)
    assert made.state == "asked"
    assert requests.of_agent("acme", "bob", TODAY) == [made]
    assert requests.of_agent("acme", "eve", TODAY) == []
    assert requests.all("other", TODAY) == []
    agreed = requests.to(made, "open", "u2", 2.0)
    with pytest.raises(RequestError) as told:
        requests.to(made, "declined", "u2", 3.0)
    assert told.value.code == "REQUEST-OVER"
    done = requests.to(agreed, "approved", "u9", 4.0, note="fine")
    assert (done.state, done.decided_by, done.decision, done.answered_at) == ("approved", "u9", "fine", 2.0)
    assert requests.get("acme", made.id, TODAY) == done
    assert [one["state"] for one in done.history] == ["open", "approved"]
    with pytest.raises(RequestError):
        requests.to(done, "withdrawn", "u1", 5.0)


def test_days_off_go_to_the_planner_at_once_and_lapse_when_their_day_comes(requests: Requests) -> None:
    made = requests.make("acme", "ann", "u1", "time_off", 1.0, TODAY, days=["2026-12-05", "2026-12-04"])
    assert (made.state, made.days) == ("open", ("2026-12-04", "2026-12-05"))
    with pytest.raises(RequestError) as told:
        requests.make("acme", "ann", "u1", "time_off", 1.0, TODAY, days=["2026-12-05"])
    assert told.value.code == "REQUEST-THERE"
    late = requests.get("acme", made.id, date(2026, 12, 4))
    assert late is not None
    assert late.state == "lapsed"
    with pytest.raises(RequestError):
        requests.to(late, "approved", "u9", 2.0)


@pytest.mark.parametrize(
    "asked",
    [
        {"what": "time_off", "days": []},
        {"what": "time_off", "days": ["2026-11-30"]},
        {"what": "time_off", "days": ["tomorrow"]},
        {"what": "time_off", "days": ["2036-01-01"]},
        {"what": "give", "mine": MINE},
        {"what": "give", "mine": MINE, "other": "ann"},
        {"what": "give", "mine": THEIRS, "other": "bob"},
        {"what": "swap", "mine": MINE, "other": "bob"},
        {"what": "swap", "mine": MINE, "other": "bob", "theirs": replace(THEIRS, agent="eve")},
    ],
)
def test_what_cannot_be_meant_is_refused(requests: Requests, asked: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(RequestError) as told:
        requests.make("acme", "ann", "u1", asked.pop("what"), 1.0, TODAY, **asked)
    assert told.value.code == "REQUEST-WRONG"
    assert requests.all("acme", TODAY) == []


def test_a_link_is_one_at_a_time_and_can_be_taken_back(requests: Requests, tmp_path: Path) -> None:
    first = requests.new_link("acme", "u1", "ann", 1.0)
    second = requests.new_link("acme", "u1", "ann", 2.0)
    assert requests.link(first) is None
    known = requests.link(second)
    assert known is not None
    assert (known.tenant, known.user, known.agent) == ("acme", "u1", "ann")
    # The secret itself is nowhere.
    dump = "\n".join(sqlite3.connect(tmp_path / "ledger.db").iterdump())
    assert second not in dump
    assert requests.drop_link("u1")
    assert requests.link(second) is None
    assert not requests.drop_link("u1")


# --- calendars ---


def test_another_program_reads_the_calendar_as_meant() -> None:
    vobject = pytest.importorskip("vobject")
    warsaw = ZoneInfo("Europe/Warsaw")
    start = datetime(2026, 12, 3, 21, 0, tzinfo=warsaw).timestamp()
    duty = AbsoluteDuty(
        "p1", "d1", "ann", date(2026, 12, 3), "night; long, \\ with\nall", start, start + 8 * H,
        (Moment(start, start + 4 * H, "sales"), Moment(start + 4.5 * H, start + 8 * H, "sales")),
        (Moment(start + 4 * H, start + 4.5 * H, "unpaid"),), (),
    )  # fmt: skip
    body = calendar_of(
        [duty], "Grafik: Łucja", house="acme", zone=warsaw, stamp=start, sequence=3, language="pl",
        queues={"sales": "Sprzedaż, detal"},
    )  # fmt: skip
    # RFC 5545 3.1: lines end in CRLF and are of 75 octets at most.
    assert body.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    read = vobject.readOne(body.decode())
    event = read.vevent
    assert event.dtstart.value == datetime(2026, 12, 3, 20, 0, tzinfo=UTC)
    assert event.dtend.value == datetime(2026, 12, 4, 4, 0, tzinfo=UTC)
    assert event.summary.value == "Zmiana (night; long, \\ with\nall)"
    assert event.description.value == (
        "01:30–05:00 Sprzedaż, detal\n21:00–01:00 Sprzedaż, detal\nPrzerwy: 01:00–01:30 (niepłatna)"
    )
    assert event.sequence.value == "3"
    assert read.x_wr_calname.value == "Grafik: Łucja"
    assert "ann" not in event.uid.value
    # Moved on its day it stays the same entry.
    moved = vobject.readOne(
        calendar_of([replace(duty, start=start + H)], "x", house="acme", zone=warsaw, stamp=start).decode()
    )
    assert moved.vevent.uid.value == event.uid.value


def test_pieces_are_all_of_a_duty() -> None:
    duty = AbsoluteDuty(
        "p1", "d1", "ann", date(2026, 12, 3), "full", 0, 3 * H, (Moment(0, H, "sales"),),
        (Moment(H, 2 * H, "paid"),), (Moment(2 * H, 3 * H, "training"),),
    )  # fmt: skip
    assert pieces_of(duty) == [
        Piece(0, H, "work", "sales"), Piece(H, 2 * H, "break"), Piece(2 * H, 3 * H, "activity", "training"),
    ]  # fmt: skip
