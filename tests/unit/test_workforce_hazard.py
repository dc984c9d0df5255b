"""Patience measured, against published tables; who calls again."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from centrala.workforce import (
    BadInput,
    ExponentialPatience,
    calls_again,
    differ,
    kaplan_meier,
    patience_by,
    patience_of,
    queue,
)

pytestmark = pytest.mark.unit

# Remission of 6-MP and placebo patients, weeks; True where remission ended (Freireich et al. 1963; the tables of
# Kleinbaum and Klein, Survival Analysis, chapter 2).
TREATED = [(6, True), (6, True), (6, True), (6, False), (7, True), (9, False), (10, True), (10, False), (11, False),
           (13, True), (16, True), (17, False), (19, False), (20, False), (22, True), (23, True), (25, False),
           (32, False), (32, False), (34, False), (35, False)]  # fmt: skip
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_the_textbook_table() -> None:
    waits, gone = zip(*TREATED, strict=True)
    found = patience_of(waits, gone)
    assert found.seconds.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert found.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert found.still == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    assert found.error == pytest.approx([0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=5e-5)
    # R: survfit(Surv(t, d) ~ 1, conf.type = "log-log"), first and last row.
    assert (found.low[0], found.high[0]) == pytest.approx((0.620, 0.952), abs=1e-3)
    assert (found.low[-1], found.high[-1]) == pytest.approx((0.188, 0.680), abs=1e-3)
    assert found.quantile(0.5) == 23
    assert math.isinf(found.quantile(0.9))
    assert found.share([0, 5.9, 6, 100]) == pytest.approx([1, 1, 0.857, 0.448], abs=5e-4)
    assert found.mean_by_rate == pytest.approx(359 / 9)


def test_the_textbook_log_rank() -> None:
    waits = [wait for wait, _ in TREATED] + PLACEBO
    gone = [over for _, over in TREATED] + [True] * 21
    chi, chance = differ(patience_by(waits, gone, ["6-MP"] * 21 + ["placebo"] * 21))
    assert chi == pytest.approx(16.79, abs=0.005)
    assert chance == pytest.approx(4.2e-5, abs=1e-6)


def test_hazard_of_a_known_world() -> None:
    """Callers give up at 1/60 a second for a minute, then at 1/300; answers come at any moment."""
    rng = np.random.default_rng(1)
    early, late = rng.exponential(60, 60_000), 60 + rng.exponential(300, 60_000)
    patience = np.where(early < 60, early, late)
    answer = rng.exponential(80, 60_000)
    found = patience_of(np.minimum(patience, answer), patience < answer, level=0.99)
    rates = found.hazard((0, 30, 60, 120, 240))
    truth = np.array([1 / 60, 1 / 60, 1 / 300, 1 / 300])
    assert rates.rate == pytest.approx(truth, rel=0.06)
    assert np.all((rates.low < truth) & (truth < rates.high))
    still = np.where(found.seconds < 60, np.exp(-found.seconds / 60), np.exp(-1 - (found.seconds - 60) / 300))
    near = found.seconds < 200
    assert np.abs(found.still - still)[near].max() < 0.015
    assert np.mean((found.low <= still) & (still <= found.high)) > 0.9
    # Waits alone, answers taken for patience, would be far off:
    assert abs(float(np.mean(np.minimum(patience, answer) > 60)) - math.exp(-1)) > 0.1


def test_garwood_limits() -> None:
    """Exact Poisson limits of 0 and 10 events (Ulm 1990: 0 to 3.689; 4.795 to 18.39)."""
    ten = patience_of([10.0] * 10, [True] * 10).hazard((0, 10.000001))
    assert (ten.low[0] * 100, ten.high[0] * 100) == pytest.approx((4.795, 18.39), rel=1e-3)
    none = patience_of([10.0, 3.0], [False, True]).hazard((5, 10))
    assert (none.low[0], none.high[0] * 5) == pytest.approx((0, 3.689), abs=1e-3)


def test_what_a_queue_loses_with_them() -> None:
    rng = np.random.default_rng(2)
    patience, answer = rng.exponential(120, 40_000), rng.exponential(60, 40_000)
    found = patience_of(np.minimum(patience, answer), patience < answer)
    assert found.abandonment(20, 300, 240) == pytest.approx(
        queue(20, 300, 240, patience=ExponentialPatience(120)).p_abandon, rel=0.03
    )
    few = patience_of(np.minimum(patience, answer)[:300], (patience < answer)[:300])
    assert few.patience() == kaplan_meier(few.waits.tolist(), few.abandoned.tolist())


def test_who_calls_again() -> None:
    at = [0.0, 100.0, 5000.0, 200.0, 90_000.0, 700_000.0, 50.0, 60.0]
    who = ["a", "a", "a", "b", "b", "b", None, None]
    answered = [False, True, False, True, True, True, False, True]
    found = calls_again(at, who, answered)
    # a gives up, calls again, comes back after being served; b comes back next day, then a week and more later.
    assert found.what == ("first", "redial", "repeat", "first", "repeat", "first", "first", "first")
    assert found.known == 6
    assert found.redial_share == pytest.approx(1 / 2)
    assert found.repeat_share == pytest.approx(2 / 4)
    assert found.fresh.sum() == 7
    apart = calls_again(at, who, answered, about=["x", "y", "x", "x", "x", "x", "x", "x"])
    assert apart.what[:3] == ("first", "first", "first")
    shuffled = np.random.default_rng(3).permutation(8)
    mixed = calls_again(
        [at[i] for i in shuffled], [who[i] for i in shuffled], [answered[i] for i in shuffled]
    )
    assert [mixed.what[list(shuffled).index(i)] for i in range(8)] == list(found.what)


def test_nobody_gave_up_and_nonsense() -> None:
    calm = patience_of([1.0, 2.0], [False, False])
    assert math.isinf(calm.mean_by_rate)
    assert len(calm.still) == 0
    assert calm.share(5) == 1.0
    with pytest.raises(BadInput, match="nobody gave up"):
        calm.patience()
    with pytest.raises(BadInput, match="waits"):
        patience_of([1.0, -2.0], [True, False])
    with pytest.raises(BadInput, match="one of each"):
        patience_of([1.0], [True, False])
    with pytest.raises(BadInput, match="one of each"):
        patience_of([], [])
    with pytest.raises(BadInput, match="edges"):
        calm.hazard((3, 2))
    with pytest.raises(BadInput, match="two kinds"):
        differ({"a": calm})
    with pytest.raises(BadInput, match="calls again"):
        calls_again([1.0], ["a", "b"], [True])


def test_the_command(tmp_path: Path) -> None:
    import json

    from typer.testing import CliRunner

    from centrala.workforce.console import app

    rng = np.random.default_rng(4)
    path = tmp_path / "waits.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["wait", "abandoned", "kind"])
        for kind, mean in (("new", 60), ("old", 200)):
            patience, answer = rng.exponential(mean, 500), rng.exponential(80, 500)
            out.writerows(
                (f"{min(p, a):.1f}", int(p < a), kind) for p, a in zip(patience, answer, strict=True)
            )
    done = CliRunner().invoke(app, ["patience", str(path), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["contacts"] == 1000
    assert found["median_by_kind"]["new"] == pytest.approx(60 * math.log(2), rel=0.25)
    assert found["kinds_alike"] < 1e-6
    assert "still wait" in CliRunner().invoke(app, ["patience", str(path)]).output
    path.write_text("wait,abandoned\n12,perhaps\n")
    refused = CliRunner().invoke(app, ["patience", str(path)])
    assert refused.exit_code == 2
    assert "line 2" in refused.output
