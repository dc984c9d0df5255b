"""Figures of surveys against published examples and against simulation."""

import random

import pytest

from centrala.ledger.surveys import FEW, Tally, difference, figure, wilson

pytestmark = pytest.mark.unit


def tally(scale: str, **counts: int) -> Tally:
    made = Tally(scale)  # type: ignore[arg-type]
    for value, count in counts.items():
        made.add(int(value.removeprefix("v")), count)
    return made


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=6e-5)


def test_csat_is_the_top_two_boxes() -> None:
    made = figure(tally("1-5", v5=20, v4=10, v3=5, v2=3, v1=2))
    assert (made.n, made.share, made.nps) == (40, 0.75, None)
    assert made.mean == pytest.approx((100 + 40 + 15 + 6 + 2) / 40)
    assert (made.low, made.high) == pytest.approx(wilson(30, 40))
    assert made.ranked


def test_nps_counts_zero_to_six_against_nine_and_ten() -> None:
    made = figure(tally("0-10", v10=30, v9=20, v8=15, v7=15, v6=10, v0=10))
    assert made.nps == pytest.approx(30.0)
    assert made.nps_low is not None
    assert made.nps_high is not None
    assert -100 <= made.nps_low < 30 < made.nps_high <= 100


def test_few_answers_are_not_ranked() -> None:
    assert not figure(tally("yes_no", v1=FEW - 1)).ranked
    assert figure(tally("yes_no", v1=FEW)).ranked
    nothing = figure(tally("1-5"))
    assert (nothing.n, nothing.mean, nothing.share, nothing.ranked) == (0, None, None, False)


@pytest.mark.parametrize(("p", "q", "n"), [(0.5, 0.2, 40), (0.3, 0.3, 100), (0.8, 0.05, 60)])
def test_the_interval_of_the_nps_covers_it(p: float, q: float, n: int) -> None:
    draw = random.Random(7)
    covered, rounds = 0, 2000
    for _ in range(rounds):
        drawn = draw.choices((1, -1, 0), (p, q, 1 - p - q), k=n)
        low, high = difference(drawn.count(1), drawn.count(-1), n)
        covered += low <= p - q <= high
    assert 0.93 < covered / rounds < 0.975


@pytest.mark.parametrize("counts", [{}, {"v10": 5}, {"v0": 5}, {"v8": 3}, {"v10": 1, "v0": 1}])
def test_at_the_edges(counts: dict[str, int]) -> None:
    made = figure(tally("0-10", **counts))
    for one in (made.low, made.high, made.share):
        assert one is None or 0 <= one <= 1
    for one in (made.nps, made.nps_low, made.nps_high):
        assert one is None or -100 <= one <= 100
