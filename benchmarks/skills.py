"""Several skills and people over time: seconds on one core, gaps to the bounds, the published chains."""

import json
import math
import random
from pathlib import Path
from time import process_time
from typing import Any

from centrala.workforce import Target
from centrala.workforce.people import Role, Training, plan_people
from centrala.workforce.skills import AgentGroup, CallType, SkillPlan, staff_skills, try_skills

CASES = Path(__file__).parent.parent / "tests" / "data" / "queueing_models.json"
UNIT = 100.0


def two_skills(shape: str) -> tuple[list[CallType], list[AgentGroup]]:
    types = [
        CallType("sales", 120, 240, 180, Target(0.8, 20, "A")),
        CallType("service", 180, 200, 240, Target(0.7, 30, "A")),
    ]
    sales, service = AgentGroup("sales", ["sales"]), AgentGroup("service", ["service"])
    both = AgentGroup("both", ["sales", "service"], 1.1)
    own = [
        AgentGroup("first", {"sales": 2, "service": 1}, prefers=["sales"]),
        AgentGroup("second", {"service": 2, "sales": 1}, 1.05, prefers=["service"]),
    ]
    return types, {"N": [sales, both], "W": [sales, service, both], "X": own}[shape]


def many_skills(seed: int, kinds: int = 5, groups: int = 12) -> tuple[list[CallType], list[AgentGroup]]:
    """Types alike in nothing, specialists of each, and groups of two to all skills."""
    r = random.Random(seed)
    names = [f"t{i}" for i in range(kinds)]
    types = [
        CallType(
            name,
            r.uniform(60, 400),
            r.uniform(150, 400),
            r.uniform(100, 500),
            Target(
                r.choice([0.7, 0.8, 0.9]),
                r.choice([20, 30, 60]),
                "A",
                max_abandon=r.choice([None, 0.05, 0.08]),
            ),
        )
        for name in names
    ]
    found = [AgentGroup(f"s{i}", [name]) for i, name in enumerate(names)]
    while len(found) < groups:
        skills = r.sample(names, min(r.choice([2, 2, 2, 3, 3, 5]), kinds))
        if all({*one.skills} != {*skills} for one in found):
            cost = 1 + 0.08 * (len(skills) - 1) + r.uniform(-0.03, 0.03)
            prefers = skills[:1] if r.random() < 0.3 else []
            found.append(AgentGroup("".join(skills), skills, round(cost, 2), prefers))
    return types, found


def solved(types: list[CallType], groups: list[AgentGroup], seconds: float) -> tuple[SkillPlan, float]:
    began = process_time()
    plan = staff_skills(types, groups, seconds=seconds)
    return plan, process_time() - began


def chains() -> tuple[int, int]:
    """How many figures of the exact two-skill chains lie within three half-widths, of how many."""
    within = asked = 0
    for case in json.loads(CASES.read_text())["cases"]:
        if case["group"] != "multiskill_ctmc":
            continue
        given, expected = case["inputs"], case["expected"]
        types = [
            CallType(
                f"q{one}",
                rate * 3600 / UNIT,
                UNIT / given["mu"][one],
                UNIT / given["theta"][one],
                strategy="most_skilled",
            )
            for one, rate in enumerate(given["lam"])
        ]
        order = given["arrival_preference"]
        groups = [
            AgentGroup(
                f"g{index}",
                {f"q{one}": 10 - order[one].index(index) for one in classes},
                prefers=[f"q{one}" for one in classes],
            )
            for index, (_, classes) in enumerate(given["groups"])
        ]
        agents = {f"g{index}": size for index, (size, _) in enumerate(given["groups"])}
        found, _ = try_skills(types, groups, agents, runs=200)
        for one in (0, 1):
            asked += 1
            interval = found[f"q{one}"].p_abandon
            within += abs(interval.mean - expected[f"p_abandon_class{one}"]) <= 1.5 * interval.half
    return within, asked


def run() -> dict[str, Any]:
    figures: list[dict[str, Any]] = []

    def add(what: str, asked: str, measured: str, ok: bool | None) -> None:
        figures.append({"what": what, "asked": asked, "measured": measured, "ok": ok})

    staff_skills(*two_skills("N"))  # compile
    for shape in ("N", "W", "X"):
        plan, seconds = solved(*two_skills(shape), 60)
        add(
            f"two skills, {shape}: processor seconds",
            "some seconds, all cheaper ones tried",
            f"{seconds:.1f}, {plan.certificate}, {plan.gap:.1%} ({plan.proven_gap:.0%} whatever the routing)",
            seconds <= 20 and plan.confirmed and plan.certificate == "tried",
        )
    for seed in (1, 2, 3):
        plan, seconds = solved(*many_skills(seed), 300)
        add(
            f"5 types, 12 groups, {sum(plan.agents.values())} agents: processor seconds",
            "120, every target met with other callers",
            f"{seconds:.0f}, gap {plan.gap:.1%} if pooling never harms, {plan.proven_gap:.0%} whatever the routing",
            seconds <= 120 and plan.confirmed,
        )
    within, asked = chains()
    add(
        "exact chains of two skills, abandonment within 1.5 half-widths",
        "all",
        f"{within} of {asked}",
        within == asked,
    )
    first = Role("first", {"easy": 1.0}, 3000, 1500, 2, (0.6, 0.8, 0.9, 1), (0.08, 0.06, 0.04, 0.03))
    second = Role(
        "second", {"hard": 1.0, "easy": 1.0}, 3300, 1500, 3, (0.5, 0.7, 0.8, 0.9, 1), (0.08, 0.06, 0.04, 0.03)
    )
    began = process_time()
    people = plan_people(
        [first, second],
        {"easy": [40 + 5 * math.sin(t / 2) for t in range(24)], "hard": [30 + 0.5 * t for t in range(24)]},
        heads={"first": {3: 5, 20: 38}, "second": {1: 2, 30: 30}},
        short_cost=9000,
        trainings=[Training("first", "second", 1, 500, begins=2, from_tenure=6)],
        training_places=20,
    )
    add(
        "two years of two roles and a training between them: processor seconds",
        "30, gap of 1 %",
        f"{process_time() - began:.0f}, gap {people.gap:.2%}",
        people.gap <= 0.01,
    )
    return {"figures": figures}
