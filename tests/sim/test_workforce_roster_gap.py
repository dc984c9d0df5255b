"""Whole houses: no rule broken whatever the centre, a bound that holds, and a gap that closes."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from centrala.workforce.console import app
from centrala.workforce.roster import (
    Agent,
    Break,
    Past,
    Problem,
    Shift,
    check,
    cost_of,
    cover_of,
    invented,
    solve,
)
from centrala.workforce.roster._bound import floor_of
from centrala.workforce.roster._grid import grid_of
from centrala.workforce.roster._state import Room

pytestmark = pytest.mark.sim


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(invented(90, 2, 1), id="two peaks"),
        pytest.param(invented(90, 2, 2, shape="valley", level=1.3), id="more demand than agents, a valley"),
        pytest.param(invented(120, 1, 3, shape="night"), id="round the clock"),
        pytest.param(invented(90, 2, 4, tight=True, groups=1, minutes=15), id="strict rules, quarter-hours"),
        pytest.param(
            invented(90, 2, 5, shape="evening", groups=5, level=0.7), id="five groups, too many agents"
        ),
    ],
)
def test_rosters_break_no_rule_and_come_near_their_bound(problem: Problem) -> None:
    for seconds in (10, 60, 240):
        roster = solve(problem, seconds, gap=0.04)
        assert check(problem, roster) == []
        # A busy machine gets more time.
        if roster.gap <= 0.04:
            break
    assert roster.cost == pytest.approx(sum(cost_of(problem, roster.duties).values()))
    assert roster.bound <= roster.cost
    assert roster.gap <= 0.04
    # Nobody is at work while the house has no demand and no shifts: cover is where shifts are.
    assert cover_of(problem, roster.duties).sum() > 0


def test_any_prices_prove_a_bound_below_every_roster() -> None:
    problem = invented(30, 1, 8)
    roster = solve(problem, 2)
    grid = grid_of(problem)
    room = Room(grid)
    draw = np.random.default_rng(1)
    for _ in range(20):
        price = draw.uniform(-6, 2, grid.demand.shape) * grid.weight
        total = floor_of(price, grid.demand, grid.weight, room.prices)
        total += room.lines(np.arange(30), price, np.zeros_like(price))
        assert total <= roster.cost + 1e-6


def test_a_month_goes_on_where_the_last_one_ended() -> None:
    problem = invented(40, 1, 9)
    first = solve(problem, 2)
    people = []
    for agent in problem.agents:
        line = first.of(agent.name)
        row = 0
        while 6 - row in line:
            row += 1
        last = max(line, default=None)
        people.append(
            replace(
                agent,
                absent=frozenset(),
                wishes=frozenset(),
                past=Past(
                    days_in_row=row,
                    ended=None if last is None else 7 * 1440 - (last * 1440 + line[last].end),
                    weekends=int(bool({5, 6} & set(line))),
                    burden=float(sum(1 for day in line if day >= 5)),
                ),
            )
        )
    ahead = replace(problem, first=problem.first + timedelta(7), agents=tuple(people))
    second = solve(ahead, 2)
    assert check(ahead, second) == []
    # Both weeks as one: nothing is broken across the border either.
    whole = replace(
        problem,
        weeks=2,
        demand=np.hstack([problem.demand, problem.demand]),
    )
    both = [*first.duties, *(replace(one, day=one.day + 7) for one in second.duties)]
    # Absences and wishes of the first week are its own; all rules hold across the border too.
    assert {one.code for one in check(whole, both)} <= {"hours"}


def test_who_had_more_unpopular_shifts_before_gets_fewer_now() -> None:
    shifts = (
        Shift("day", 480, (480,), (Break(30, 180, 240),)),
        Shift("evening", 480, (840,), (Break(30, 180, 240),)),
    )
    agents = tuple(
        Agent(f"agent {i}", ("a",), 40, past=Past(burden=8.0 if i % 2 else 0.0)) for i in range(20)
    )
    demand = np.zeros((1, 7, 48))
    demand[:, :, 16:44] = 6
    problem = Problem(invented(2, 1).first, 1, 30, ("a",), demand.reshape(1, -1), shifts, agents)
    roster = solve(problem, 5)
    late = [
        sum(1 for one in roster.of(agent.name).values() if one.shift == "evening" or one.day >= 5)
        for agent in agents
    ]
    assert sum(late[0::2]) > 2 * sum(late[1::2])


def test_the_command_makes_a_roster_from_files(tmp_path: Path) -> None:
    shift = {"name": "day", "minutes": 480, "starts": ["08:00", "09:00"],
             "breaks": [{"minutes": 30, "earliest": 180, "latest": 240, "paid": False}]}  # fmt: skip
    agents = [
        {"name": f"agent {i}", "groups": ["sales"], "hours": 37.5, "wishes": ["2026-12-02"]} for i in range(6)
    ]
    given = {
        "first": "2026-11-30",
        "weeks": 1,
        "shifts": [shift],
        "agents": agents,
        "rules": {"weekend_every": 2},
    }
    file, need, out = tmp_path / "in.json", tmp_path / "need.csv", tmp_path / "out.csv"
    file.write_text(json.dumps(given))
    rows = [f"2026-12-0{1 + day} {9 + hour}:00,sales,3\n2026-12-0{1 + day} {9 + hour}:30,sales,3" for day in range(4)
            for hour in range(7)]  # fmt: skip
    need.write_text("start,group,agents\n" + "\n".join(row.replace(" 9:", " 09:") for row in rows) + "\n")
    run = CliRunner()
    done = run.invoke(
        app, ["roster", str(file), "--demand", str(need), "--seconds", "2", "--out", str(out), "--json"]
    )
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert shown["broken"] == []
    assert len(shown["shifts"]) == 30
    assert shown["bound"] <= shown["cost"]
    assert out.read_text().startswith("agent,day,shift,start,end,breaks,work")
    assert (
        "from the best at most"
        in run.invoke(app, ["roster", str(file), "--demand", str(need), "--seconds", "1"]).output
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weeks": None}, "weeks"),
        ({"first": "30.11."}, "no day like"),
        ({"shifts": [{"name": "day"}]}, "minutes is missing"),
        ({"agents": [{"name": "one", "groups": ["sales"], "wage": [1]}]}, "no number"),
        ({"agents": [{"name": "one", "groups": ["sales"], "hour": 40}]}, "'hour' isn't known"),
        ({"agents": [{"name": "one", "groups": ["sales"], "available": [["7", "9"]]}]}, "no time like"),
        ({"agents": [{"name": "one", "groups": ["sales"], "hours": 41}]}, "can't all be kept"),
        ({"demand": {"sales": [1, 2]}}, "336 numbers"),
    ],
)
def test_a_file_that_cant_be_meant_is_one_sentence(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    given = {
        "first": "2026-11-30", "weeks": 1, "demand": {"sales": [1] * 336},
        "shifts": [{"name": "day", "minutes": 480, "starts": ["08:00"]}],
        "agents": [{"name": "one", "groups": ["sales"]}], "rules": {"tolerance": 0}, **change,
    }  # fmt: skip
    file = tmp_path / "in.json"
    file.write_text(json.dumps(given))
    done = CliRunner().invoke(app, ["roster", str(file), "--seconds", "1"])
    assert done.exit_code == 2
    assert said in done.stderr
