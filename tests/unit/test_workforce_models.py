"""Queueing models against published and 40-digit values, and an oracle of 50 digits and more by other formulas."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from workforce_oracle import abandonment_queue, blocking, finite_queue, finite_served_within, waiting

from centrala.workforce import (
    BadInput,
    ErlangPatience,
    ExponentialPatience,
    FixedPatience,
    LognormalPatience,
    MeasuredPatience,
    MixedPatience,
    NoAgents,
    Patience,
    Target,
    Unattainable,
    Unstable,
    WeibullPatience,
    WorkforceError,
    beta_for,
    burst,
    cross_selling,
    erlang_b,
    erlang_c,
    frontier,
    garnett,
    garnett_abandonment,
    halfin_whitt,
    kaplan_meier,
    pool,
    queue,
    regime,
    square_root,
    staff,
    wait_ahead,
    wait_error,
)

pytestmark = pytest.mark.unit

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "data" / "queueing_models.json").read_text()
)["cases"]
UNIT = 100.0
"Seconds that one unit of time lasts where a case gives rates alone."

CLOSE = 1e-9
"What is asked of the models, relative; reached is some 1e-13."


def cases(*groups: str) -> Any:
    return pytest.mark.parametrize(
        "case", [pytest.param(case, id=case["id"]) for case in CASES if case["group"] in groups]
    )


def patience(words: str) -> Patience:
    parts = re.fullmatch(r"(E2|LN)(?:\(([\d.]+)(?:,([\d.]+))?\))?", words)
    assert parts
    mean = float(parts[2] or 1) * UNIT
    return (
        ErlangPatience(2, mean)
        if parts[1] == "E2"
        else LognormalPatience(mean, mean * float(parts[3]) ** 0.5)
    )


# --- the reference cases, whole ---


@cases("erlang_b")
def test_erlang_b(case: dict[str, Any]) -> None:
    assert erlang_b(case["inputs"]["n"], case["inputs"]["a"]) == pytest.approx(
        case["expected"]["blocking"], rel=1e-12
    )


@cases("erlang_c")
def test_erlang_c(case: dict[str, Any]) -> None:
    assert erlang_c(case["inputs"]["n"], case["inputs"]["a"]) == pytest.approx(
        case["expected"]["p_wait"], rel=1e-12
    )


@cases("erlang_a", "erlang_a_finite_lines")
def test_erlang_a(case: dict[str, Any]) -> None:
    given, handling = case["inputs"], case["inputs"]["aht_s"]
    met = queue(
        given["n"], given["offered_erlangs"] * 3600 / handling, handling, patience=given["patience_mean_s"],
        within=given.get("t_s", 20), places=given.get("waiting_places"),
    )  # fmt: skip
    found = {
        "p_wait": met.p_wait,
        "p_abandon": met.p_abandon,
        "mean_queue": met.mean_queue,
        "p_block": met.p_block,
        "mean_wait": met.mean_wait,
        "occupancy": met.occupancy,
        # There, of those let in.
        "p_no_wait": met.p_no_wait / (1 - met.p_block),
        "p_wait_le_t": 1 - met.p_wait_longer,
        "p_served_within_t": met.service_level("A"),
        "p_abandon_within_t": met.abandoned_within,
        "abandon_within_t": met.abandoned_within,
        "sl_served_over_all_excl_short_abandons": met.service_level("C"),
        "sl_among_served": met.service_level("D"),
    }
    for name, value in case["expected"].items():
        assert found[name] == pytest.approx(value, rel=CLOSE, abs=1e-300), name


@cases("mmn_general_patience")
def test_any_patience(case: dict[str, Any]) -> None:
    given = case["inputs"]
    met = queue(
        given["n"],
        given["lam"] * 3600 / UNIT,
        UNIT,
        patience=patience(given["patience"]),
        within=given["t"] * UNIT,
    )
    found = {
        "p_wait": met.p_wait,
        "p_no_wait": met.p_no_wait,
        "p_abandon": met.p_abandon,
        "mean_wait": met.mean_wait / UNIT,
        "mean_queue": met.mean_queue,
        "p_wait_le_t": 1 - met.p_wait_longer,
        "p_served_within_t": met.served_within,
        "p_abandon_within_t": met.abandoned_within,
        "sl_among_served": met.service_level("D"),
        "sl_served_over_all_excl_short_abandons": met.service_level("C"),
        "occupancy": met.occupancy,
    }
    for name, value in case["expected"].items():
        # A chance of 1e-14 is given there to seven digits.
        assert found[name] == pytest.approx(value, rel=CLOSE if value > 1e-12 else 1e-6), name


@cases("whitt2005_exact")
def test_whitt_2005_exact(case: dict[str, Any]) -> None:
    given = case["inputs"]
    met = queue(
        given["n"], given["lam"] * 3600 / UNIT, UNIT, patience=UNIT / given["theta"], places=given["waiting_places"],
        within=given["t"] * UNIT,
    )  # fmt: skip
    found = {
        "p_no_wait": met.p_no_wait,
        "mean_queue": met.mean_queue,
        "mean_wait_abandoned": met.wait_of_abandoned / UNIT,
    }[given["measure"]]
    assert found == pytest.approx(case["expected"]["value"], abs=case["tolerance"]["abs"])


@pytest.mark.parametrize(
    "case",
    # Those with other handling times have no exact model: see the compiled simulation.
    [
        pytest.param(case, id=case["id"])
        for case in CASES
        if case["group"] == "whitt2005_sim" and case["inputs"]["service"] == "M"
    ],
)
def test_whitt_2005_simulated(case: dict[str, Any]) -> None:
    given = case["inputs"]
    met = queue(100, 102 * 36, UNIT, patience=patience(given["patience"]), within=given["t"] * UNIT)
    found = {
        "p_no_wait": met.p_no_wait,
        "p_abandon": met.p_abandon,
        "mean_queue": met.mean_queue,
        "sl_among_served": met.service_level("D"),
    }[given["measure"]]
    assert found == pytest.approx(case["expected"]["exact_here"], rel=1e-12)
    assert found == pytest.approx(case["expected"]["value"], abs=case["tolerance"]["abs"])


@cases("staffing_c")
def test_staffing_without_abandonment(case: dict[str, Any]) -> None:
    given, expected = case["inputs"], case["expected"]
    hourly = given["calls"] * 3600 / given["interval_s"]
    agents = staff(hourly, given["aht_s"], Target(given["sl"], given["target_s"]))
    assert agents == expected["agents"]
    met = queue(agents, hourly, given["aht_s"], within=given["target_s"])
    assert met.service_level("A") == pytest.approx(expected["sl_achieved"], rel=CLOSE)
    assert met.mean_wait == pytest.approx(expected["asa_s"], rel=CLOSE)
    assert met.occupancy == pytest.approx(expected["occupancy"], rel=CLOSE)


@cases("staffing_a")
def test_staffing_with_abandonment(case: dict[str, Any]) -> None:
    given = case["inputs"]
    hourly = given["calls"] * 3600 / given["interval_s"]
    target = Target(
        given["sl_served_within_t_over_all"], given["target_s"], "A", max_abandon=given["max_abandon"]
    )
    mean = given["patience_mean_s"]
    assert staff(hourly, given["aht_s"], target, patience=mean) == case["expected"]["agents"]
    assert (
        staff(hourly, given["aht_s"], target, patience=ExponentialPatience(mean))
        == case["expected"]["agents"]
    )


def test_third_party_values() -> None:
    assert erlang_c(132, 123) == pytest.approx(0.3211, abs=6e-5)
    assert erlang_b(132, 123) == pytest.approx(0.0312, abs=6e-5)
    assert staff(100, 752, Target(0.9, 20)) == 28


@cases("pooling")
def test_pooling(case: dict[str, Any]) -> None:
    given = case["inputs"]
    houses = [given["erlangs_each"] * 3600 / given["aht_s"]] * given["groups"]
    answer = pool(houses, given["aht_s"], Target(given["sl"], given["t_s"]))
    assert answer.separate.sum() == case["expected"]["agents_separate"]
    assert answer.pooled == case["expected"]["agents_pooled"]


@cases("halfin_whitt", "garnett_qed")
def test_square_root_rules(case: dict[str, Any]) -> None:
    beta, chance = case["inputs"]["beta"], case["expected"]["p_wait"]
    ratio = case["inputs"].get("theta_over_mu", 0.0)
    found = garnett(beta, ratio) if ratio else halfin_whitt(beta)
    assert found == pytest.approx(chance, rel=1e-12)
    assert beta_for(chance, ratio) == pytest.approx(beta, abs=1e-9)


@cases("ewt_markovian")
def test_wait_of_who_stands_in_line(case: dict[str, Any]) -> None:
    given = case["inputs"]
    found = wait_ahead(given["n"], given["aht_s"], given["patience_mean_s"], given["ahead_in_queue"])
    assert found == pytest.approx((case["expected"]["mean_s"], case["expected"]["sd_s"]), rel=1e-12)


@cases("ewt_QL_MSE_MMn")
def test_error_of_the_queue_length_estimate(case: dict[str, Any]) -> None:
    given = case["inputs"]
    found = wait_error(given["n"], 1 / given["mu"], given["rho"] * given["n"])
    assert found == pytest.approx(case["expected"]["mse_given_wait"], rel=1e-12)


@cases("dial_burst")
def test_bursts(case: dict[str, Any]) -> None:
    given, expected = case["inputs"], case["expected"]
    lines, share, next_share = burst(given["free_agents"], given["answer_prob"], given["cap"])
    assert lines == expected["max_lines"]
    assert share == pytest.approx(expected["abandon_share"], rel=CLOSE, abs=1e-15)
    assert next_share == pytest.approx(expected["abandon_share_next"], rel=CLOSE)


# --- an oracle of our own: every corner ---

CORNERS = [
    (n, share)
    for n in (0.01, 0.5, 1, 1.5, 2, 7 / 3, 10, 20.5, 100, 333 + 1 / 3, 1000, 10_000)
    for share in (0.01, 0.3, 0.9, 0.999, 1.0, 1.01, 1.5, 2.0)
]


def close(found: float, wanted: Any, what: object) -> None:
    """To 1e-9 of the value, however small; below what a float can hold, nothing."""
    if wanted < mpf("1e-290"):
        assert found < 1e-280, what
        return
    assert abs(mpf(found) - wanted) <= mpf(CLOSE) * wanted, (what, found, mp.nstr(wanted, 17))


@pytest.mark.parametrize(("n", "share"), CORNERS)
def test_erlang_b_and_c_in_every_corner(n: float, share: float) -> None:
    close(erlang_b(n, n * share), blocking(n, n * share), "B")
    if share < 1:
        close(erlang_c(n, n * share), waiting(n, n * share), "C")


def test_erlang_b_with_fewer_lines_than_one() -> None:
    for lines in (0.0, 0.1, 1 / 3, 0.999):
        for load in (0.01, 1.0, 1.49, 1.51, 20.0, 5000.0):
            close(erlang_b(lines, load), blocking(lines, load), (lines, load))


@pytest.mark.parametrize(
    ("n", "share", "ratio", "t"),
    [
        (0.25, 0.5, 2.0, 0.1),
        (1, 0.01, 0.01, 0.001),
        (1, 2.0, 100.0, 3.0),
        (2.5, 1.2, 30.0, 0.02),
        (10, 0.05, 1.0, 0.1),
        (13 + 1 / 3, 1.0, 0.5, 0.1),
        (50, 0.2, 0.1, 1.0),
        (100, 1.02, 1.0, 0.1),
        (100, 2.0, 0.1, 0.5),
        (100, 0.9, 10.0, 2.0),
        (700, 1.0, 0.02, 0.01),
        (1000, 0.7, 3.0, 0.05),
        (1000, 1.3, 20.0, 0.1),
        (5000, 1.001, 0.3, 0.02),
        (10_000, 0.97, 1.0, 0.1),
    ],
)
def test_erlang_a_in_every_corner(n: float, share: float, ratio: float, t: float) -> None:
    met = queue(n, n * share * 36, UNIT, patience=UNIT / ratio, within=t * UNIT)
    wanted = abandonment_queue(n, met.load, UNIT / (UNIT / ratio), t * UNIT / UNIT, 700 if n < 5000 else 1100)
    for name, value in wanted.items():
        found = getattr(met, name)
        close(found / UNIT if name == "mean_wait" else found, value, name)
    # Everybody is either served or gone, and so are the waits.
    together = met.p_served * met.wait_of_served + met.p_abandon * met.wait_of_abandoned
    assert together == pytest.approx(met.mean_wait, rel=1e-11)


@pytest.mark.parametrize(
    ("n", "share", "ratio", "places"),
    [(3, 0.9, 0.5, 4), (10, 1.4, 2.0, 20), (1, 0.3, 0.0, 3), (20, 1.1, 0.0, 9)],
)
def test_finite_lines(n: int, share: float, ratio: float, places: int) -> None:
    met = queue(
        n, n * share * 36, UNIT, patience=UNIT / ratio if ratio else math.inf, places=places, within=15
    )
    for name, value in finite_queue(n, met.load, ratio, places).items():
        close(getattr(met, name), value, name) if value else None
    served, gone, longer = finite_served_within(n, met.load, ratio, places, 0.15)
    close(met.served_within, served, "served")
    close(met.p_wait_longer, longer, "longer")
    assert met.abandoned_within == pytest.approx(float(gone), rel=1e-9, abs=1e-16)


def test_finite_lines_in_tiny_chances() -> None:
    for n, share, places in ((100, 0.5, 100), (1000, 0.9, 500), (10, 0.01, 30)):
        met = queue(n, n * share * 36, UNIT, patience=UNIT, places=places)
        close(met.p_block, finite_queue(n, met.load, 1.0, places)["p_block"], (n, places))


def by_quadrature(n: float, lam: float, of: Any, t: float) -> dict[str, Any]:
    """M/M/n+G once more: `of` gives survival and its integral H in mpmath; μ is 1."""
    with mp.workdps(30):
        points = [0, t / 2, t, 2 * t, 0.5, 1, 2, 4, 8, 16, 40]
        points = sorted({mpf(one) for one in points})

        def phi(v: Any) -> Any:
            return mp.exp(lam * of[1](v) - n * v)

        def over(weight: Any, pieces: list[Any]) -> Any:
            return lam * mp.quad(lambda v: weight(v) * phi(v), pieces)

        begins = 1 / blocking(n - 1, lam)
        total = begins + over(lambda v: 1, points)
        early, late = [one for one in points if one <= t], [one for one in points if one >= t]
        return {
            "p_wait": 1 - begins / total,
            "p_abandon": over(lambda v: 1 - of[0](v), points) / total,
            "mean_wait": over(of[1], points) / total,
            "served_within": (begins + over(of[0], early)) / total,
            "p_wait_longer": of[0](mpf(t)) * over(lambda v: 1, late) / total,
            "wait_of_served": over(lambda v: v * of[0](v), points) / (begins + over(of[0], points)),
        }


def test_patience_of_several_kinds_against_quadrature() -> None:
    weibull_scale = 1 / mp.gamma(1 + 1 / mpf(2))
    worlds: list[tuple[Patience, Any]] = [
        (
            ErlangPatience(2, UNIT),
            (lambda v: mp.exp(-2 * v) * (1 + 2 * v), lambda v: 1 - mp.exp(-2 * v) * (1 + v)),
        ),
        (
            WeibullPatience(2, UNIT),
            (
                lambda v: mp.exp(-((v / weibull_scale) ** 2)),
                lambda v: weibull_scale * mp.sqrt(mp.pi) / 2 * mp.erf(v / weibull_scale),
            ),
        ),
        (
            MixedPatience(((0.3, ExponentialPatience(0.1 * UNIT)), (0.7, ExponentialPatience(2 * UNIT)))),
            (
                lambda v: 0.3 * mp.exp(-10 * v) + 0.7 * mp.exp(-v / 2),
                lambda v: 0.03 * (1 - mp.exp(-10 * v)) + 1.4 * (1 - mp.exp(-v / 2)),
            ),
        ),
    ]
    for kind, functions in worlds:
        for n, lam in ((5, 4.0), (8.5, 10.0), (20, 15.0)):
            met = queue(n, lam * 36, UNIT, patience=kind, within=0.2 * UNIT)
            for name, value in by_quadrature(n, lam, functions, 0.2).items():
                found = getattr(met, name) / (UNIT if "wait_of" in name or name == "mean_wait" else 1)
                assert abs(found / value - 1) < 1e-9, (kind, n, lam, name)


def test_both_ways_to_exponential_patience_agree() -> None:
    """The general model, by spectral integration of the survival, against the compiled one, by the closed integral."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        n, share = float(np.exp(rng.uniform(-1, 8))), float(np.exp(rng.uniform(-4, 0.7)))
        mean, within = float(np.exp(rng.uniform(0, 9))), float(np.exp(rng.uniform(-1, 5)))
        one = queue(n, n * share * 36, UNIT, patience=mean, within=within)
        other = queue(
            n,
            n * share * 36,
            UNIT,
            patience=MixedPatience(((1.0, ExponentialPatience(mean)),)),
            within=within,
        )
        for name in ("p_wait", "p_no_wait", "p_abandon", "mean_wait", "p_wait_longer", "served_within",
                     "abandoned_within", "wait_of_served", "wait_of_abandoned"):  # fmt: skip
            assert getattr(other, name) == pytest.approx(
                getattr(one, name), rel=CLOSE, abs=1e-280, nan_ok=True
            ), name


def test_fixed_and_measured_patience() -> None:
    """Who all give up after one time: M/M/n+D has a closed form (Barrer 1957, by the same integrals)."""
    n, lam, d = 4, 5.0, 0.3
    whole = (math.exp((lam - n) * d) - 1) / (lam - n)  # ∫ e^((λ-n)v) to d
    after = math.exp((lam - n) * d) / n  # ∫ from d on
    begins = 1 / erlang_b(n - 1, lam)
    total = begins + lam * (whole + after)
    met = queue(n, lam * 36, UNIT, patience=FixedPatience(d * UNIT), within=0.1 * UNIT)
    assert met.p_abandon == pytest.approx(lam * after / total, rel=1e-12)
    assert met.p_wait == pytest.approx(lam * (whole + after) / total, rel=1e-12)
    early = (math.exp((lam - n) * 0.1) - 1) / (lam - n)
    assert met.served_within == pytest.approx((begins + lam * early) / total, rel=1e-12)
    # A fine curve of an exponential is nearly one.
    seconds = np.linspace(0, 1500, 3001)
    curve = MeasuredPatience(tuple(seconds.tolist()), tuple(np.exp(-seconds / 150).tolist()))
    one, other = queue(10, 360, UNIT, patience=curve), queue(10, 360, UNIT, patience=150)
    assert one.p_abandon == pytest.approx(other.p_abandon, rel=1e-4)
    assert one.served_within == pytest.approx(other.served_within, rel=1e-4)


def test_patience_from_history() -> None:
    """Kaplan-Meier by hand: 5 at risk, one gone at 10; 3 at risk, one gone at 30 (answered at 20 is censored)."""
    curve = kaplan_meier([10, 20, 30, 40, 50], [True, False, True, False, False])
    assert curve.seconds == (0.0, 10.0, 30.0)
    assert curve.still == pytest.approx((1.0, 0.8, 0.8 * 2 / 3))
    rng = np.random.default_rng(4)
    stays, offered = rng.exponential(90, 40_000), rng.exponential(60, 40_000)
    found = kaplan_meier(np.minimum(stays, offered).tolist(), (stays < offered).tolist())
    assert float(found.survival(np.array([60.0]))[0]) == pytest.approx(math.exp(-60 / 90), abs=0.01)


# --- continuous agents, staffing, properties ---


def test_half_an_agent_lies_between_two() -> None:
    n = np.arange(3, 20, 1 / 3)
    for patient in (math.inf, 90.0):
        met = queue(n, 60, 120, patience=patient)
        assert np.all(np.diff(met.p_wait) < 0)
        assert np.all(np.diff(met.mean_wait) < 0)
        assert np.all(np.diff(met.service_level("A")) > 0)


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("patient", [math.inf, 20.0, 120.0, 5000.0])
def test_staffing_is_the_least(parts: int, patient: float) -> None:
    """n meets the target and n - 1/parts does not, by the full model (not the one that the search uses)."""
    rng = np.random.default_rng(parts)
    hourly = np.exp(rng.uniform(-2, 9, 300))
    handling = rng.uniform(30, 900, 300)
    level = rng.choice([0.5, 0.8, 0.95, 0.999], 300)
    within = rng.choice([0.0, 5.0, 20.0, 120.0], 300)
    for definition in ("A", "B", "C", "D") if patient < math.inf else ("A",):
        target = Target(level, within, definition)  # type: ignore[arg-type]
        agents = np.asarray(staff(hourly, handling, target, patience=patient, parts=parts), float)
        assert np.all(np.abs(agents * parts - np.round(agents * parts)) < 1e-9)
        got = queue(agents, hourly, handling, patience=patient, within=within)
        assert np.all(got.service_level(definition) >= level - 1e-10)  # type: ignore[arg-type]
        fewer = agents - 1 / parts
        ask = (fewer > 1e-9) & ((patient < math.inf) | (fewer > got.load))
        less = queue(fewer[ask], hourly[ask], handling[ask], patience=patient, within=within[ask])
        assert np.all(less.service_level(definition) < level[ask])  # type: ignore[arg-type]


def test_every_kind_of_target() -> None:
    hourly, handling = 300.0, 200.0
    for target, measure in (
        (Target(None, max_abandon=0.03), lambda met: met.p_abandon <= 0.03),
        (Target(None, max_wait_chance=0.2), lambda met: met.p_wait <= 0.2),
        (Target(None, mean_wait=4.0), lambda met: met.mean_wait <= 4.0),
        (Target(None, max_occupancy=0.8), lambda met: met.occupancy <= 0.8),
    ):
        for patient in (150.0, ErlangPatience(2, 150.0)):
            agents = staff(hourly, handling, target, patience=patient)
            assert measure(queue(agents, hourly, handling, patience=patient))
            assert not measure(queue(agents - 1, hourly, handling, patience=patient))


def test_staffing_by_the_oracle() -> None:
    """The answer itself, certified with 60 digits: n meets, n - 1 does not."""
    rng = np.random.default_rng(8)
    for _ in range(25):
        hourly, handling = float(rng.uniform(5, 900)), float(rng.uniform(60, 500))
        patient, level = float(rng.uniform(30, 600)), float(rng.choice([0.7, 0.8, 0.9, 0.99]))
        agents = staff(hourly, handling, Target(level, 20.0, "C"), patience=patient)
        for n, meets in ((agents, True), (agents - 1, False)):
            if n < 1:
                continue
            load = hourly * (handling / 3600)
            exact = abandonment_queue(n, load, handling / patient, 20 / handling, 200)
            assert (exact["served_within"] / (1 - exact["abandoned_within"]) >= level) is meets


def test_ties_count_as_met() -> None:
    assert staff(160, 180, Target(None, max_occupancy=0.8)) == 10
    assert staff(80, 90, Target(None, max_occupancy=0.4)) == 5


@settings(deadline=None, max_examples=150)
@given(
    load=st.floats(0.01, 400),
    more=st.floats(0.01, 400),
    patient=st.floats(1, 1e5),
    level=st.floats(0.01, 0.999),
    within=st.floats(0, 300),
    lost=st.floats(0.001, 0.5),
)
def test_pooling_never_needs_more(
    load: float, more: float, patient: float, level: float, within: float, lost: float
) -> None:
    """Smith and Whitt 1981: where nobody gives up, for any service level; else for the share of lost calls."""
    houses = [load * 15, more * 15]
    assert pool(houses, 240, Target(level, within, "A")).saved >= 0
    assert pool(houses, 240, Target(None, max_abandon=lost), patience=patient).saved >= 0


def test_pooling_may_need_more_in_overload() -> None:
    """With a target so weak that houses may be overloaded, the larger one has fewer who find somebody free."""
    answer = pool([90, 720], 240, Target(0.5, 0, "A"), patience=4)
    assert answer.separate.tolist() == [4, 32]
    assert answer.pooled == 37
    for n, load, meets in ((4, 6.0, True), (32, 48.0, True), (36, 54.0, False), (37, 54.0, True)):
        assert (abandonment_queue(n, load, 60.0, 0.0, 200)["p_no_wait"] >= 0.5) is meets


@settings(deadline=None, max_examples=200)
@given(
    agents=st.floats(0.1, 500),
    extra=st.floats(0.01, 50),
    share=st.floats(0.01, 2),
    patient=st.floats(0.5, 1e5),
    within=st.floats(0, 200),
)
def test_more_agents_never_worsen(
    agents: float, extra: float, share: float, patient: float, within: float
) -> None:
    hourly = agents * share * 15
    few = queue(agents, hourly, 240, patience=patient, within=within)
    many = queue(agents + extra, hourly, 240, patience=patient, within=within)
    for name in ("p_wait", "p_abandon", "mean_wait", "p_wait_longer", "occupancy"):
        assert getattr(many, name) <= getattr(few, name) * (1 + 1e-12) + 1e-300, name
    assert many.service_level("A") >= few.service_level("A") * (1 - 1e-12)


def test_a_million_intervals() -> None:
    size = 1_000_000
    calls = np.linspace(0, 500, size)
    agents = staff(calls, 240, Target(0.8, 20, max_abandon=0.05), patience=180)
    assert agents.shape == (size,)
    assert agents[0] == 0
    assert np.all(np.diff(agents) >= 0)
    assert np.all(np.diff(staff(calls, 240)) >= 0)
    assert erlang_b(np.full(size, 20.0), np.full(size, 12.0))[-1] == pytest.approx(0.009795639420064079)


def test_shapes_are_kept() -> None:
    assert isinstance(staff(100, 180), int)
    assert np.shape(staff([[100], [200]], [180, 200, 220])) == (2, 3)
    assert isinstance(queue(10, 100, 180).p_wait, float)
    assert np.shape(queue([10, 11], [[100], [120], [140]], 180).p_wait) == (3, 2)


# --- economics ---


def test_the_frontier_s_point_is_the_cheapest() -> None:
    edge = frontier(600, 240, agent_hour=20, wait_hour=15, lost_call=5, patience=150)
    for n, cost in zip(edge.agents, edge.cost, strict=True):
        met = queue(n, 600, 240, patience=150)
        assert cost == pytest.approx(n * 20 + met.mean_queue * 15 + 600 * met.p_abandon * 5, rel=1e-12)
        assert cost >= edge.cost[edge.chosen]
    assert 0 < edge.chosen < len(edge.agents) - 1
    assert edge.regime == "rationalised"
    strict = frontier(600, 240, agent_hour=20, patience=150, target=Target(0.95, 10))
    assert strict.best == staff(600, 240, Target(0.95, 10), patience=150)


def test_selling_more_pays_or_does_not() -> None:
    given = {
        "offer": 60.0,
        "success": 0.1,
        "agent_hour": 20.0,
        "wait_hour": 15.0,
        "lost_call": 5.0,
        "patience": 150.0,
    }
    assert cross_selling(600, 240, value=30, **given).best_share == 1.0
    assert cross_selling(600, 240, value=1, **given).best_share == 0.0
    # With the staff as it is, waits eat the sale up before everybody is asked.
    fixed = cross_selling(600, 240, value=9, agents=45, **{**given, "wait_hour": 60.0, "lost_call": 8.0})
    assert 0.0 < fixed.best_share < 1.0


def test_square_root_staffing_is_close() -> None:
    for load in (10.0, 100.0, 1000.0):
        exact = staff(load * 15, 240, Target(None, max_wait_chance=0.3))
        assert abs(square_root(load, 0.3) - exact) <= 1
        impatient = staff(load * 15, 240, Target(None, max_wait_chance=0.3), patience=160)
        assert abs(square_root(load, 0.3, 1.5) - impatient) <= 1
    assert garnett_abandonment(0.0, 1.0, 1000) == pytest.approx(
        queue(1000, 15_000, 240, patience=240).p_abandon, rel=0.01
    )
    assert regime(110, 100) == "rationalised"
    assert regime(130, 100) == "quality-driven"
    assert regime(70, 100) == "efficiency-driven"


# --- bad input ---


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda: queue(10, -1, 180), BadInput, "per_hour: -1 must be 0 or more"),
        (lambda: queue(10, 100, 0), BadInput, "handling: 0 must be above 0"),
        (lambda: queue(10, 100, -5), BadInput, "handling: -5"),
        (lambda: queue(0, 100, 180), NoAgents, "agents: 0 .* nobody serves"),
        (lambda: queue([3, -1], 10, 180), NoAgents, r"agents\[1\]: -1"),
        (lambda: queue(5, 100, 180), Unstable, "5 .*grows without end"),
        (lambda: queue(5, 100, 180, patience=0), BadInput, "patience: 0"),
        (lambda: queue(10, math.nan, 180), BadInput, "per_hour: nan must be a number"),
        (lambda: queue(10, math.inf, 180), BadInput, "per_hour: inf"),
        (lambda: queue(10, "many", 180), BadInput, "'many' is no number"),
        (lambda: queue([1, 2], [1, 2, 3], 180), BadInput, "don't fit each other"),
        (lambda: queue(10, 100, 180, places=-1), BadInput, "places: -1"),
        (lambda: queue(10, 100, 180, places=2.5), BadInput, "places: 2.5"),
        (lambda: queue(10, 100, 180).service_level("E"), BadInput, "A, B, C and D"),
        (
            lambda: queue(5, 360, 100, patience=MixedPatience(((1.0, ErlangPatience(1, 1)),)), places=3),
            BadInput,
            "limit",
        ),
        (lambda: erlang_b(-1, 5), BadInput, "lines: -1"),
        (lambda: erlang_b(5, -5), BadInput, "load: -5"),
        (lambda: erlang_b(5, 1e15), BadInput, "at most"),
        (lambda: erlang_c(5, 5), Unstable, "5 is not below"),
        (lambda: erlang_c([6, 7, 5], 6.5), Unstable, r"load in Erlangs\[0\]: 6.5 .*1 more"),
        (lambda: staff(100, 180, Target(1.0)), Unattainable, "some call always waits"),
        (lambda: staff(100, 180, Target(1.2)), BadInput, "1.2 is a share"),
        (lambda: staff(100, 180, Target(None)), BadInput, "says nothing"),
        (lambda: staff(100, 180, Target(max_abandon=0.0), patience=100), Unattainable, "max_abandon: 0"),
        (lambda: staff(100, 180, Target(mean_wait=0.0)), Unattainable, "mean_wait: 0"),
        (lambda: staff(100, 180, Target(), most=4), Unattainable, "more than the 4"),
        (lambda: staff(100, 180, Target(definition="X")), BadInput, "definition X"),  # type: ignore[arg-type]
        (lambda: staff(100, 180, parts=0), BadInput, "parts: 0"),
        (lambda: staff([10, -3, -4], 180), BadInput, r"per_hour\[1\]: -3 .*1 more"),
        (lambda: staff(1e12, 1e12), BadInput, "check the units"),
        (lambda: halfin_whitt(0), BadInput, "beta: 0"),
        (lambda: beta_for(0.0), Unattainable, "endlessly many"),
        (lambda: burst(3, 0.0, 0.03), Unattainable, "burst"),
        (lambda: kaplan_meier([1.0, 2.0], [False, False]), BadInput, "some that were"),
        (lambda: MeasuredPatience((0, 10), (0.5, 0.9)), BadInput, "must fall"),
        (lambda: LognormalPatience(10, 0), BadInput, "deviation"),
        (lambda: pool([], 180), BadInput, "at least one"),
        (lambda: frontier(600, 240, agent_hour=0), BadInput, "agent_hour"),
    ],
)
def test_wrong_questions_get_a_sentence(ask: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        ask()
    assert isinstance(caught.value, WorkforceError)
    assert isinstance(caught.value, ValueError)


def test_nobody_calls() -> None:
    assert staff(0, 180) == 0
    met = queue(5, 0, 180, patience=60)
    assert (met.p_wait, met.p_served, met.service_level("C"), met.occupancy) == (0, 1, 1, 0)


def test_extremes_end() -> None:
    """Patience near zero or for years, handling of a month, a load of a billion: right answers or sentences, soon."""
    assert queue(10, 400, 180, patience=1e-6).p_abandon == pytest.approx(erlang_b(10, 20), rel=1e-4)
    assert queue(10, 400, 180, patience=1e9).p_abandon == pytest.approx(0.5, rel=1e-6)
    assert staff(400, 180, Target(None, max_abandon=0.5), patience=1e9) == 10
    # From a millionth of a second on, patience hardly matters: nearly every call that waits is lost.
    lost = staff(400, 180, Target(None, max_abandon=0.01), patience=1e-6)
    assert erlang_b(lost, 20) <= 0.01 < erlang_b(lost - 1, 20)
    assert staff(3.6e9, 900, Target(0.8, 20)) > 9e8
    with pytest.raises(BadInput):
        queue(1e30, 1, 1)
