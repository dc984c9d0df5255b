"""Questions about several skills that can't be asked, what files may say, bounds against the models they rest on."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from centrala.sim import Lognormal
from centrala.workforce import (
    BadInput,
    NoAgents,
    NotModelled,
    Target,
    Unattainable,
    WorkforceError,
    erlang_b,
    queue,
    staff,
)
from centrala.workforce._skills_bench import measure
from centrala.workforce._skills_bound import CutOff, Rows
from centrala.workforce._skills_files import read_people, read_skills
from centrala.workforce._skills_model import design_of
from centrala.workforce._skills_search import _lattice
from centrala.workforce.console import app
from centrala.workforce.skills import AgentGroup, CallType, skill_bound, staff_skills, try_skills

pytestmark = pytest.mark.unit

A = CallType("a", 60, 200, 240, Target(0.8, 20, "A"))
B = CallType("b", 40, 300, 200, Target(0.7, 30, "A"))
GROUPS = [AgentGroup("ga", ["a"]), AgentGroup("gb", ["b"]), AgentGroup("both", ["a", "b"], 1.2)]


@pytest.mark.parametrize(
    ("types", "groups", "error", "text"),
    [
        ([], GROUPS, BadInput, "types: there are none"),
        ([A, B], [], NoAgents, "groups: there are none"),
        ([A, A], GROUPS, BadInput, "type a is there twice"),
        ([A, B], [*GROUPS, GROUPS[0]], BadInput, "group ga is there twice"),
        ([A, B], [AgentGroup("g", ["a", "x"])], BadInput, "serves x: there is no such type"),
        ([A, B], [AgentGroup("g", "ab")], BadInput, "skills are a list"),
        ([A, B], [AgentGroup("g", 5)], BadInput, "skills are a list"),  # type: ignore[arg-type]
        ([A, B], [AgentGroup("g", {"a": -1})], BadInput, "level of group g"),
        ([A, B], [AgentGroup("g", ["a"], prefers=["b"])], BadInput, "prefers b but"),
        ([A, B], [AgentGroup("g", ["a"])], NoAgents, "type b: no group"),
        ([A, B], [*GROUPS[:1], AgentGroup("g", ["b"], most=0)], NoAgents, "type b: no group"),
        ([A, B], [AgentGroup("g", ["a", "b"], 0.0)], BadInput, "cost of group g"),
        ([A, B], [AgentGroup("g", ["a", "b"], math.nan)], BadInput, "cost of group g"),
        ([A, B], [AgentGroup("g", ["a", "b"], least=5, most=3)], BadInput, "fewer than at least"),
        ([A, B], [AgentGroup("g", ["a", "b"], least=-1)], BadInput, "least of group g"),
        ([A, B], [AgentGroup("g", ["a", "b"], most=4)], Unattainable, "at most 4 may"),
        ([CallType("a", -1)], GROUPS[:1], BadInput, "per_hour of a"),
        ([CallType("a", 0)], GROUPS[:1], BadInput, "nobody calls"),
        ([CallType("a", math.inf)], GROUPS[:1], BadInput, "per_hour of a"),
        ([CallType("a", 60, 0)], GROUPS[:1], BadInput, "handling of a"),
        ([CallType("a", 60, 200, 0)], GROUPS[:1], BadInput, "patience of a"),
        ([CallType("a", [60, 70])], GROUPS[:1], BadInput, "one number is wanted"),  # type: ignore[arg-type]
        ([CallType("a", "many")], GROUPS[:1], BadInput, "is no number"),  # type: ignore[arg-type]
        ([CallType("a", 60, 1e12)], GROUPS[:1], BadInput, "load"),
        ([CallType("a", 60, priority=0.5)], GROUPS[:1], BadInput, "priority"),  # type: ignore[arg-type]
        ([CallType("a", 60, target=None)], GROUPS[:1], BadInput, "nothing is asked"),
        ([CallType("a", 60, target=Target(1.0))], GROUPS[:1], Unattainable, "1 can't be reached"),
        ([CallType("a", 60, target=Target(1.2))], GROUPS[:1], BadInput, "share"),
        ([CallType("a", 60, target=Target(0.8, -5))], GROUPS[:1], BadInput, "within"),
        ([CallType("a", 60, target=Target([0.8, 0.9]))], GROUPS[:1], BadInput, "one number is wanted"),
        ([CallType("a", 60, target=Target(None, max_abandon=0))], GROUPS[:1], Unattainable, "0 can't be reached"),
        ([CallType("a", 60, target=Target(0.8, 20, "E"))], GROUPS[:1], BadInput, "no definition E"),  # type: ignore[arg-type]
        ([CallType("a", 60, target=Target(max_occupancy=0.8))], GROUPS[:1], NotModelled, "max_occupancy"),
        ([CallType("a", 60, strategy="ring_all")], GROUPS[:1], NotModelled, "ring_all"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_is_refused(types: Any, groups: Any, error: type[WorkforceError], text: str) -> None:
    with pytest.raises(error, match=text):
        staff_skills(types, groups)


def test_what_is_refused_of_a_trial_and_of_the_search() -> None:
    with pytest.raises(NoAgents):
        try_skills([A, B], GROUPS, {})
    with pytest.raises(BadInput, match="no such group"):
        try_skills([A, B], GROUPS, {"x": 4})
    with pytest.raises(BadInput, match="agents of ga"):
        try_skills([A, B], GROUPS, {"ga": 1.5})  # type: ignore[dict-item]
    with pytest.raises(BadInput, match="are more than"):
        try_skills([A, B], GROUPS, {"ga": 10**6})
    with pytest.raises(BadInput, match="seconds"):
        staff_skills([A, B], GROUPS, seconds=0)
    with pytest.raises(BadInput, match="seed"):
        staff_skills([A, B], GROUPS, seed=-1)


def test_the_cut_off_queue_between_its_neighbours() -> None:
    """Nobody waits: Erlang's loss. Cut off late: M/M/n+M. In between more is served the longer one may wait."""
    n, rate, aht, patience = 12, 200.0, 240.0, 150.0
    served = [
        float(queue(n, rate, aht, patience=CutOff(patience, limit)).p_served)
        for limit in (1e-6, 5, 20, 60, 1e5)
    ]
    assert served[0] == pytest.approx(1 - erlang_b(n, rate * aht / 3600), rel=1e-6)
    assert served[-1] == pytest.approx(queue(n, rate, aht, patience=patience).p_served, rel=1e-9)
    assert served == sorted(served)
    # A chain of the same with Erlang's phases for the limit would come near; the integral itself, written plainly:
    lam, mu, limit = rate / 3600, 1 / aht, 20.0
    x = np.linspace(0, limit, 200_001)
    inside = np.exp(lam * patience * -np.expm1(-x / patience) - n * mu * x)
    whole = float(((inside[1:] + inside[:-1]) / 2).sum() * (x[1] - x[0])) + float(inside[-1]) / (n * mu)
    begins = float(1 / erlang_b(n - 1, lam / mu)) / lam
    lost = (1 / lam + (1 - n * mu / lam) * whole) / (begins + whole)
    assert served[2] == pytest.approx(1 - lost, rel=1e-7)


def test_one_type_that_is_patient_is_bound_by_erlang_a() -> None:
    for target in (
        Target(0.8, 20, "A"),
        Target(0.9, 10, "C"),
        Target(None, max_abandon=0.02),
        Target(None, mean_wait=10),
    ):
        design = design_of([CallType("a", 150, 200, 240, target)], [AgentGroup("g", ["a"])])
        wanted = staff(150, 200, target, patience=240)
        rows = Rows(design)
        assert rows.proven_need.tolist() == rows.pooled_need.tolist() == [wanted]


def test_bounds_keep_their_order_and_grow_with_the_question() -> None:
    def bound(rate: float, level: float, most: int | None = None) -> tuple[float, float]:
        types = [CallType("a", rate, 200, 150, Target(level, 20, "A")), B]
        found = skill_bound(types, [*GROUPS[:2], AgentGroup("both", ["a", "b"], 1.2, most=most)])
        assert found.proven <= found.pooled
        return found.proven, found.pooled

    for one in (0, 1):
        assert bound(60, 0.8)[one] <= bound(90, 0.8)[one] <= bound(200, 0.8)[one]
        assert bound(60, 0.5)[one] <= bound(60, 0.8)[one] <= bound(60, 0.95)[one]
        assert bound(60, 0.8)[one] <= bound(60, 0.8, most=0)[one]


def test_work_alone_binds_where_times_are_not_exponential() -> None:
    types = [CallType("a", 180, Lognormal(200, 100), 240, Target(None, max_abandon=0.1))]
    rows = Rows(design_of(types, [AgentGroup("g", ["a"])]))
    assert rows.proven_need.tolist() == [9.0]  # nine tenths of ten Erlangs


def test_all_points_below_a_cost_that_cannot_grow() -> None:
    cost, least, most = np.array([1.0, 1.3, 2.1]), np.array([0, 1, 0]), np.array([6, 5, 4])
    below = 8.7
    found = list(_lattice(cost, least, most, below, lambda point: float(point.sum()) >= 4, 10**6))
    expected = [
        (a, b, c)
        for a in range(7)
        for b in range(1, 6)
        for c in range(5)
        if cost @ [a, b, c] <= below
        and a + b + c >= 4
        and all(
            point[g] + 1 > most[g] or cost @ point + cost[g] > below
            for point in [[a, b, c]]
            for g in range(3)
        )
    ]
    assert sorted(found) == sorted(expected)  # type: ignore[type-var]
    assert list(_lattice(cost, least, most, below, lambda point: True, 5))[-1] is None


def test_shares_of_nobody() -> None:
    nobody = np.zeros((1, 1, 7))
    assert measure(nobody, 0, "service_level", "C")[0] == 1
    assert measure(nobody, 0, "abandon")[0] == 0
    all_gone = np.zeros((1, 1, 7))
    all_gone[0, 0, [0, 2, 3]] = 10
    for way, level in (("A", 0), ("B", 1), ("C", 0), ("D", 0)):
        assert measure(all_gone, 0, "service_level", way)[0] == level


# --- files and the command line ---

SKILLS = """
types:
  a: {per_hour: 60, handling: 200, patience: 240, level: 0.8, within: 20, definition: A}
  b: {per_hour: 40, handling: 300, max_abandon: 0.05, patience: 200}
groups:
  ga: {skills: [a]}
  gb: {skills: {b: 3}, cost: 1.1}
  both: {skills: [a, b], cost: 1.3, most: 4, prefers: [b]}
overall: {level: 0.75, within: 30, definition: A}
"""

PEOPLE = """
roles:
  billing: {skills: {billing: 1}, wage: 3000, hire_cost: 1500, training: 1, learning: [0.7, 1], leaves: [0.05, 0.03]}
  expert: {skills: {hard: 1, billing: 1}, wage: 3500, most_hires: 0}
demand:
  billing: [10, 11, 12]
  hard: [2, 2, 3]
heads:
  billing: {12: 12}
  expert: {6: 2}
short_cost: 9000
trainings:
  - {before: billing, after: expert, periods: 1, cost: 400}
"""


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "centre.yaml"
    file.write_text(SKILLS)
    asked = read_skills(file)
    assert asked["types"] == [
        CallType("a", 60, 200, 240, Target(0.8, 20, "A")),
        CallType("b", 40, 300, 200, Target(None, max_abandon=0.05)),
    ]
    assert asked["groups"][2] == AgentGroup("both", ["a", "b"], 1.3, ["b"], most=4)
    assert asked["overall"] == Target(0.75, 30, "A")
    for wrong, text in (
        ("types: 5", "types: names with values are wanted"),
        ("types: {a: {per_hour: 1, colour: red}}\ngroups: {}", "types, a: there is no colour"),
        ("types: {a: {}}\ngroups: {}", "types, a: wanted too: 'per_hour'"),
        ("types: {}\ngroups: {g: {}}", "groups, g: wanted too: 'skills'"),
        ("kinds: {}", "there is no kinds"),
        ("types: [", "that is no YAML"),
        ("", "names with values are wanted"),
    ):
        file.write_text(wrong)
        with pytest.raises(BadInput, match=text):
            read_skills(file)
    file.write_text(PEOPLE)
    people = read_people(file)
    assert people["heads"]["billing"] == {12: 12}
    assert people["trainings"][0].after == "expert"
    file.write_text(json.dumps({"roles": {}, "demand": {}, "heads": {"x": {"12": 3}}}))
    assert read_people(file)["heads"] == {"x": {12: 3}}
    file.write_text("roles: {}\ndemand: {}\ntrainings: {a: b}")
    with pytest.raises(BadInput, match="trainings: a list is wanted"):
        read_people(file)


def test_command_line(tmp_path: Path) -> None:
    file = tmp_path / "centre.yaml"
    file.write_text(SKILLS)
    run = CliRunner()
    told = run.invoke(app, ["skills", str(file), "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found["confirmed"]
    assert found["cost"] >= found["bound"] >= found["proven_bound"] - 1e-9
    assert found["types"]["a"]["service_level"]["mean"] >= 0.8
    assert sum(found["agents"].values()) >= 6
    file.write_text(SKILLS.replace("level: 0.8", "level: 1.0"))
    told = run.invoke(app, ["skills", str(file)])
    assert told.exit_code == 2
    file.write_text(PEOPLE)
    told = run.invoke(app, ["hiring", str(file), "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert len(found["hires"]["billing"]) == 3
    assert found["trained"][0]["after"] == "expert"
    shown = run.invoke(app, ["hiring", str(file)])
    assert shown.exit_code == 0
    assert "costs" in shown.stdout
    assert run.invoke(app, ["hiring", str(tmp_path / "none.yaml")]).exit_code == 2
