"""Rebalancing at peaks on the live core: both queues near their target, few moves, and none to and fro.

`python -m benchmarks balance` runs the same with more seeds.
"""

from statistics import fmean

import pytest

from benchmarks.balance import CASES, MOST_MOVES, NEAR, SEEDS, TARGET, by_queue, day, days
from centrala.core.specs import Balancing

pytestmark = pytest.mark.sim

BY_NAME = {case.name: case for case in CASES}


def test_a_peak_in_one_queue() -> None:
    case = BY_NAME["1.3 and 0.3"]
    found = [day((case, seed, None)) for seed in range(201, 206)]
    lent, alone = by_queue([one.lent for one in found]), by_queue([one.alone for one in found])
    assert alone[0].mean < 0.3, "a peak that isn't one"
    assert min(one.mean for one in lent) >= TARGET - NEAR
    assert max(one.most for one in found) <= MOST_MOVES
    assert min(one.people for one in found) > 0


def test_noise_alone_moves_hardly_anybody() -> None:
    """40 agents, three hours."""
    case = BY_NAME["noise alone: 0.81 and 0.4"]
    found = [day((case, seed, None)) for seed in range(201, 206)]
    assert fmean(one.moves for one in found) / 3.0 / 40 < 0.75
    assert max(one.most for one in found) <= MOST_MOVES


@pytest.mark.parametrize("limit", [0, 2])
def test_the_limit_of_moves_holds(limit: int) -> None:
    found = [
        day((BY_NAME["peak in both: 1.3 and 1.2"], seed, Balancing(moves_per_hour=limit)))
        for seed in (201, 202)
    ]
    assert max(one.most for one in found) <= limit
    assert (max(one.moves for one in found) > 0) is (limit > 0)


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_over_many_seeds(case: object) -> None:
    found = days(case, SEEDS)  # type: ignore[arg-type]
    assert max(one.most for one in found) <= MOST_MOVES
    lent = by_queue([one.lent for one in found])
    if case.allowed:  # type: ignore[attr-defined]
        assert min(one.mean for one in lent) >= TARGET - NEAR
    else:
        alone = by_queue([one.alone for one in found])
        assert min(one.mean for one in lent) >= min(one.mean for one in alone) - 0.02, "made it worse"
