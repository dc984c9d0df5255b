"""Learned waits beside the formula: days of a small centre in the core, learned from; then more days, not seen before.

Who gave up counts with the wait that they would have had, on both sides. Intervals are over seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.learned import Learned, foretold
from centrala.core.specs import AgentSpec, Announce, QueueSpec
from centrala.learning.fitting import Verdict, verdict
from centrala.learning.reading import truths
from centrala.sim import AgentModel, Arrivals, Exponential, Scenario, simulate
from centrala.sim.result import Interval, interval_of

pytestmark = pytest.mark.sim

UTC = ZoneInfo("UTC")
MONDAY = 1_767_571_200.0
"5 January 2026, midnight."
AGENTS = 6
AFTER = 3
"Days."
OPEN = range(8, 14)


def world(streams: tuple[Arrivals, ...], days: int, start: float) -> Scenario:
    ids = tuple(f"a{number}" for number in range(AGENTS))
    queue = QueueSpec("q", agents=ids, wrap_up=10.0, announce=Announce(every=90.0, position=False))
    agents = tuple(AgentModel(AgentSpec(name)) for name in ids)
    return Scenario((queue,), agents, streams, hours=24.0 * days, start=start)


def stream(days: int, load: Callable[[int], float], mean: float, priority: int = 0) -> Arrivals:
    """`load`: of the agents, by the hour of the day."""
    day = tuple(load(hour) * AGENTS * 3600 / (mean + 10) if hour in OPEN else 0.0 for hour in range(24))
    return Arrivals(
        "q",
        profile=day * days,
        interval=3600.0,
        handling=Exponential(mean),
        patience=Exponential(400.0),
        priority=priority,
    )


def two_classes(days: int) -> tuple[Arrivals, ...]:
    """Short conversations in the first and the third pair of hours, long ones between: the rates learned as it goes
    come too late."""
    return (
        stream(days, lambda hour: 1.05 if hour % 4 < 2 else 0.0, 120.0),
        stream(days, lambda hour: 1.05 if hour % 4 >= 2 else 0.0, 420.0),
    )


def priorities(days: int) -> tuple[Arrivals, ...]:
    """Callers of six points more come in between, most of them in each third hour."""
    return (
        stream(days, lambda hour: 0.55, 200.0),
        stream(days, lambda hour: 0.9 if hour % 3 == 0 else 0.25, 200.0, priority=6),
    )


def plain(days: int) -> tuple[Arrivals, ...]:
    """What the formula was made for."""
    return (stream(days, lambda hour: 1.1, 200.0),)


def told(scenario: Scenario, seed: int, model: Learned | None = None) -> list[e.Event]:
    """The events of a centre that is told the same facts, and the model before all others."""
    centre = Centre()
    found: list[e.Event] = []

    def listen(fact: f.Fact) -> None:
        found.extend(step(centre, fact)[0])
        if model is not None and isinstance(fact, f.QueueChanged):
            step(centre, f.WaitsLearned(fact.at, "q", model))

    simulate(scenario, seed=seed, listen=listen)
    return found


@dataclass(frozen=True)
class Outcome:
    said: Verdict
    formula: float
    "Mean absolute error on the days after, in seconds: of the formula …"
    used: float
    "… and of what the core said, which may be the same."
    covered: float | None
    "Share of waits that were no longer than nine in ten should be."


def outcome(streams: Callable[[int], tuple[Arrivals, ...]], seed: int, days: int) -> Outcome:
    """What was learned of some days, and how good it is on the next ones."""
    now = MONDAY + days * 86400.0
    past = truths(told(world(streams(days), days, MONDAY), seed))["q"]
    said = verdict(past, UTC, now)
    events = told(world(streams(AFTER), AFTER, now), seed + 1000, said.model)
    rows = [one for one in truths(events)["q"] if one.first]
    waits = np.array([one.wait for one in rows])
    formula = np.abs(np.array([one.seen[0] for one in rows]) - waits)
    if said.model is None:
        return Outcome(said, float(formula.mean()), float(formula.mean()), None)
    found = [foretold(said.model, one.seen, one.at) for one in rows]
    known = [(one, wait) for one, wait in zip(found, waits, strict=True) if one is not None]
    assert len(known) == len(rows)
    errors = [abs(one.median - wait) for one, wait in known]
    covered = float(np.mean([wait <= one.high for one, wait in known]))
    return Outcome(said, float(formula.mean()), float(np.mean(errors)), covered)


def compared(
    streams: Callable[[int], tuple[Arrivals, ...]], seeds: range, days: int = 20
) -> tuple[list[Outcome], Interval]:
    """With the errors of what was said, in those of the formula."""
    found = [outcome(streams, seed, days) for seed in seeds]
    return found, interval_of(one.used / one.formula for one in found)


def test_what_the_formula_misses_is_estimated_better() -> None:
    """Conversations of 120 and of 420 s, by the hour."""
    found, ratio = compared(two_classes, range(1, 3), days=10)
    assert all(one.said.model is not None for one in found), [one.said.why for one in found]
    assert all(one.used < one.formula for one in found), ratio
    assert ratio.mean < 0.94, ratio


def test_where_the_formula_is_right_nothing_is_lost() -> None:
    found, ratio = compared(plain, range(1, 2), days=10)
    assert found[0].said.error is not None
    assert ratio.mean < 1.02, ratio


@pytest.mark.soak
def test_so_it_is_over_many_seeds() -> None:
    found, ratio = compared(two_classes, range(10, 20))
    assert all(one.said.model is not None for one in found), [one.said.why for one in found]
    assert ratio.high < 0.88, ratio
    covered = interval_of(one.covered or 0.0 for one in found)
    assert 0.86 < covered.mean < 0.95, covered
    _, ratio = compared(priorities, range(30, 38))
    assert ratio.mean < 0.97, ratio
    _, ratio = compared(plain, range(10, 20))
    assert ratio.high < 1.01, ratio
