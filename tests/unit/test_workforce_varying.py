"""Days that vary, against an integrator of differential equations; the command line; what happens without numba."""

import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from typer.testing import CliRunner

from centrala.workforce import (
    BadInput,
    NoAgents,
    Target,
    Unattainable,
    blend,
    offered_load,
    queue,
    solve_day,
    staff,
    staff_day,
)
from centrala.workforce.console import app

pytestmark = pytest.mark.unit

CALLS = np.array([20.0, 45.0, 0.0, 120.0, 90.0, 30.0])


@pytest.mark.parametrize("spread", [0.0, 0.4, 1.0, 1.7])
def test_offered_load_by_its_integral(spread: float) -> None:
    """m(t) = ∫ λ(t - u) P(S > u) du (Eick, Massey and Whitt 1993), averaged over each interval."""
    from scipy.stats import gamma

    interval, handling = 900.0, 400.0
    found = offered_load(CALLS, interval, handling, spread=spread)

    def survival(u: float) -> float:
        if spread == 0.0:
            return float(u < handling)
        shape = 1 / spread**2
        return float(gamma.sf(u, shape, scale=handling / shape))

    def load(t: float) -> float:
        total = 0.0
        for index, calls in enumerate(CALLS):
            low, high = max(0.0, t - (index + 1) * interval), t - index * interval
            if high > low and calls:
                cut = [handling] if low < handling < high else None
                total += calls / interval * quad(survival, low, high, points=cut)[0]
        return total

    for index in range(CALLS.size):
        edges = [index * interval, (index + 1) * interval]
        inner = [edges[0] + handling] if spread == 0.0 and handling < interval else None
        mean = quad(load, *edges, points=inner, epsabs=1e-4, epsrel=1e-6)[0] / interval
        assert found[index] == pytest.approx(mean, rel=1e-5, abs=1e-6)


def test_who_talks_at_the_start_hangs_up_in_time() -> None:
    assert offered_load([0, 0], 600, 300, before=10) == pytest.approx(
        [10 * 0.5 * (1 - math.exp(-2)), 10 * 0.5 * (math.exp(-2) - math.exp(-4))]
    )
    # A steady load stays as it is, for any spread.
    for spread in (0.0, 0.5, 1.0, 2.0):
        assert offered_load([20] * 8, 600, 300, before=10, spread=spread) == pytest.approx([10] * 8)


@pytest.mark.parametrize("patient", [math.inf, 60.0, 400.0])
def test_a_day_solved_against_an_integrator(patient: float) -> None:
    interval, handling, agents = 900.0, 300.0, np.array([9, 14, 14, 40, 33, 0 if patient < 100 else 12])
    day = solve_day(CALLS, interval, handling, agents, patience=patient, within=20)
    mu, theta, states = 1 / handling, 1 / patient, 260
    n = np.arange(states + 1)
    p = np.zeros(states + 1)
    p[0] = 1.0
    for index, calls in enumerate(CALLS):
        rate, s = calls / interval, agents[index]
        leave = np.minimum(n, s) * mu + np.maximum(n - s, 0) * theta

        def flow(_t: float, y: Any, rate: float = rate, leave: Any = leave) -> Any:
            state = y[: states + 1]
            change = -(rate * (n < states) + leave) * state
            change[1:] += rate * state[:-1]
            change[:-1] += leave[1:] * state[1:]
            return np.concatenate((change, state))

        done = solve_ivp(
            flow, (0, interval), np.concatenate((p, np.zeros_like(p))), "LSODA", rtol=1e-9, atol=1e-12
        )
        p, mean = done.y[: states + 1, -1], done.y[states + 1 :, -1] / interval
        assert day.p_wait[index] == pytest.approx(mean[n >= s].sum(), rel=1e-6, abs=1e-9)
        assert day.mean_queue[index] == pytest.approx(mean @ np.maximum(n - s, 0), rel=1e-6, abs=1e-9)
        assert day.in_centre[index] == pytest.approx(p @ n, rel=1e-6, abs=1e-9)
        if s:
            assert day.occupancy[index] == pytest.approx(mean @ np.minimum(n, s) / s, rel=1e-6)


@pytest.mark.parametrize("patient", [math.inf, 30.0, 200.0])
def test_a_steady_day_ends_in_the_steady_state(patient: float) -> None:
    day = solve_day([100] * 90, 1800, 300, [19] * 90, patience=patient, within=15)
    met = queue(19, 200, 300, patience=patient, within=15)
    for name in (
        "p_wait",
        "p_abandon",
        "served_within",
        "abandoned_within",
        "mean_wait",
        "mean_queue",
        "occupancy",
    ):
        assert getattr(day, name)[-1] == pytest.approx(getattr(met, name), rel=1e-9, abs=1e-12), name
    for which in ("A", "B", "C", "D"):
        assert day.service_level(which)[-1] == pytest.approx(met.service_level(which), rel=1e-9)


def test_the_iterative_day_meets_its_target_and_no_agent_is_too_many() -> None:
    calls = np.array([50, 60, 80, 120, 150, 160, 150, 130, 100, 80, 60, 50.0]) * 2
    target = Target(0.8, 20, "A", max_abandon=0.08)

    def meets(agents: Any) -> bool:
        day = solve_day(calls, 1800, 600, agents, patience=180)
        return bool(np.all(day.service_level("A") >= 0.8 - 1e-9) and np.all(day.p_abandon <= 0.08 + 1e-9))

    agents = staff_day(calls, 1800, 600, target, patience=180, method="iterative")
    assert meets(agents)
    for index in range(calls.size):
        fewer = agents.copy()
        fewer[index] -= 1
        assert not meets(fewer), index
    # With conversations of ten minutes the stationary answer lags behind the day.
    assert not meets(staff_day(calls, 1800, 600, target, patience=180, method="stationary"))


def test_methods_agree_where_nothing_changes() -> None:
    steady = staff(200, 240, Target(0.8, 20), patience=180)
    for method in ("stationary", "offered_load"):
        assert staff_day([100] * 20, 1800, 240, Target(0.8, 20), patience=180, method=method)[-1] == steady


def test_a_million_intervals() -> None:
    calls = 50 + 30 * np.sin(np.arange(1_000_000) / 48)
    load = offered_load(calls, 900, 240)
    assert load.size == calls.size
    assert load[500_000:].mean() == pytest.approx(50 * 240 / 900, rel=0.01)
    wide = offered_load(calls, 900, 240, spread=1.5)
    assert wide[500_000:].mean() == pytest.approx(50 * 240 / 900, rel=0.01)
    assert staff_day(calls, 900, 240, patience=200).size == calls.size


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda: offered_load([], 900, 240), BadInput, "one number for each interval"),
        (lambda: offered_load([[1, 2]], 900, 240), BadInput, "one number for each interval"),
        (lambda: offered_load([1, -2], 900, 240), BadInput, r"calls\[1\]: -2"),
        (lambda: offered_load([1, math.nan], 900, 240), BadInput, r"calls\[1\]"),
        (lambda: offered_load([1], 0, 240), BadInput, "interval: 0"),
        (lambda: staff_day([1], 900, 240, method="magic"), BadInput, "no magic"),  # type: ignore[arg-type]
        (
            lambda: staff_day([90, 90], 900, 240, patience=60, parts=2, method="iterative"),
            BadInput,
            "whole agents",
        ),
        (lambda: staff_day([90, 900], 900, 240, most=50), Unattainable, "more than the 50"),
        (lambda: solve_day([10], 900, 240, [2.5]), BadInput, "whole agents"),
        (lambda: solve_day([1e6, 1e6], 900, 240, 3), BadInput, "can't be solved"),
        (lambda: blend([100, 100], 240, [0, 0]), NoAgents, "no house"),
        (lambda: blend([100, 100], 240, [5]), BadInput, "1 houses have agents"),
    ],
)
def test_wrong_days_get_a_sentence(ask: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ask()


def test_a_little_training_captures_most() -> None:
    steps = blend([200, 180, 220], 240, [14, 13, 16], patience=180, shares=(0.3,), hours=800)
    assert [step.share for step in steps] == [0.0, 0.3, 1.0]
    assert steps[0].captured == 0.0
    assert steps[2].captured == 1.0
    assert steps[1].captured > 0.5
    # The ends are known exactly: three houses by themselves, and nearly one (own callers come first).
    alone = [queue(n, rate, 240, patience=180) for n, rate in ((14, 200), (13, 180), (16, 220))]
    mean = sum(met.mean_wait * rate for met, rate in zip(alone, (200, 180, 220), strict=True)) / 600
    assert steps[0].mean_wait == pytest.approx(mean, rel=0.05)
    assert steps[2].mean_wait == pytest.approx(queue(43, 600, 240, patience=180).mean_wait, rel=0.05)


# --- the command line ---


def test_plan_staffing() -> None:
    done = CliRunner().invoke(app, ["staffing", "100", "0", "200", "--handling", "180", "--json"])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)["intervals"]
    assert [row["agents"] for row in rows] == [14, 0, 24]
    assert rows[0]["service_level"] == pytest.approx(0.88835, abs=1e-5)
    shown = CliRunner().invoke(
        app, ["staffing", "100", "--handling", "180", "--patience", "180", "--shrinkage", "0.3"]
    )
    assert shown.exit_code == 0
    assert "80% in 20 s" in shown.stdout


def test_plan_staffing_shows_the_day_as_it_comes() -> None:
    arguments = [
        "100",
        "150",
        "400",
        "90",
        "--handling",
        "180",
        "--patience",
        "180",
        "--method",
        "iterative",
        "--json",
    ]
    done = CliRunner().invoke(app, ["staffing", *arguments])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)["intervals"]
    day = solve_day([100, 150, 400, 90], 1800, 180, [row["agents"] for row in rows], patience=180)
    assert [row["service_level"] for row in rows] == pytest.approx(day.service_level("C").tolist())
    assert min(row["service_level"] for row in rows) >= 0.8


def test_plan_queue() -> None:
    done = CliRunner().invoke(app, ["queue", "12", "200", "--handling", "180", "--patience", "180", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["p_abandon"] == pytest.approx(0.0531, abs=5e-5)
    assert (
        CliRunner().invoke(app, ["queue", "12.5", "200", "--handling", "180", "--places", "9"]).exit_code == 0
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["queue", "5", "200", "--handling", "180"], "grows without end"),
        (["queue", "0", "200"], "nobody serves"),
        (["staffing", "100", "--level", "1"], "some call always waits"),
        (["staffing", "100", "--method", "magic"], "there is no magic"),
        (["staffing", "100", "--definition", "x"], "A, B, C and D"),
        (["staffing", "100", "--shrinkage", "1"], "nobody is ever there"),
    ],
)
def test_wrong_commands_get_a_sentence(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert says in done.stderr


def test_without_its_libraries_it_says_so_in_one_sentence() -> None:
    code = (
        "import sys, importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'numba' else real(name, *rest)\n"
        "import centrala.workforce\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "ImportError: centrala.workforce needs numba: install it with pip install 'centrala[workforce]'"
    )


def test_the_package_is_cheap_to_import() -> None:
    """The command line mounts the console; the compiler is loaded when a question is asked."""
    code = "import sys, centrala.workforce.console\nassert 'numba' not in sys.modules and 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
