"""The dictionary of figures by hand-worked sums, and the limits that mark a queue."""

import re
from collections.abc import Sequence
from dataclasses import fields

import pytest

from centrala.ledger.metrics import METRICS, AgentTime, Counts, occupancy, value
from centrala.settings.model import Limits, Thresholds
from centrala.web.levels import CLEAR_AFTER, RAISE_AFTER, Cause, Watch, limits

pytestmark = pytest.mark.unit

DAY = Counts(
    offered=120, served=100, in_time=80, abandoned=20, early=6, short=4, answer_s=1500.0, longest_s=95.0,
    handled=98, talk_s=19600.0, hold_s=980.0, wrap_up_s=2940.0,
    estimated=50, estimate_s=-100.0, estimate_sq=20000.0,
    promised=20, reached=12, unreached=3, expired=1, replaced=4, callback_s=3600.0,
    messages=9, heard=8, heard_in_time=2, message_s=7200.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("service_level", 80 / (100 + 20 - 6)),
        ("service_level_strict", 80 / 120),
        ("service_level_lenient", 86 / 120),
        ("service_level_answered", 0.8),
        ("abandon_rate", 16 / 116),
        ("asa", 15.0),
        ("longest_wait", 95.0),
        ("aht", 240.0),
        ("talk", 200.0),
        ("hold", 10.0),
        ("wrap_up", 30.0),
        ("short_abandoned", 4),
        ("estimate_bias", -2.0),
        ("estimate_error", 20.0),
        ("callback_rate", 0.75),
        ("callback_wait", 300.0),
        ("message_wait", 900.0),
        ("message_level", 0.25),
    ],
)
def test_figures_worked_out_by_hand(metric: str, expected: float) -> None:
    assert value(metric, DAY) == pytest.approx(expected)


def test_where_there_is_nothing_there_is_no_figure() -> None:
    empty = Counts()
    for metric in (
        "service_level",
        "asa",
        "aht",
        "abandon_rate",
        "callback_rate",
        "callback_wait",
        "message_level",
    ):
        assert value(metric, empty) is None
    assert occupancy(AgentTime()) is None


def test_formulas_name_what_is_there() -> None:
    names = {one.name for one in fields(Counts)} | {"on_contact", "held", "wrap_up", "offered", "ready"}
    for metric in METRICS.values():
        if metric.formula != "counted":
            assert set(re.findall(r"[a-z_]+", metric.formula)) <= names, metric.id
        assert metric.words.endswith(".")
        assert metric.source


def test_formulas_are_what_is_worked_out() -> None:
    """The formula that people read, evaluated, gives what the code gives."""
    named = {one.name: getattr(DAY, one.name) for one in fields(Counts)}
    for metric in METRICS.values():
        if metric.formula != "counted" and metric.of == ("queue",):
            shown = eval(metric.formula, {"__builtins__": {}}, named)
            assert value(metric.id, DAY) == pytest.approx(shown), metric.id


def test_sums_of_sums() -> None:
    both = Counts()
    both.add(DAY)
    both.add(Counts(offered=1, served=1, in_time=1, answer_s=3.0, longest_s=120.0))
    assert (both.offered, both.answer_s, both.longest_s) == (121, 1503.0, 120.0)
    assert value("service_level", both) == pytest.approx(81 / 115)


def test_occupancy_by_hand() -> None:
    time = AgentTime(
        {"on_contact": 600, "held": 60, "wrap_up": 140, "ready": 180, "offered": 20, "not_ready:lunch": 900}
    )
    assert occupancy(time) == pytest.approx(0.8)
    assert time.not_ready == {"lunch": 900}


# --- limits ---

USUAL = limits(Thresholds(), (0.8, 20.0))


def levels(
    watch: Watch, seen: Sequence[tuple[float, float | None]], figure: str = "longest_wait"
) -> list[str]:
    """The level after each (seconds, value)."""
    found: list[str] = []
    for now, number in seen:
        figures = {"service_level": None, "longest_wait": None, "waiting": 0.0} | {figure: number}
        found.append(watch.take(figures, USUAL, now)[0])  # type: ignore[arg-type]
    return found


def test_a_limit_is_raised_after_a_while_and_cleared_later_still() -> None:
    up = [(0.0, 19.9), (1.0, 20.0), (1.0 + RAISE_AFTER - 0.1, 21.0), (1.0 + RAISE_AFTER, 21.0)]
    watch = Watch()
    assert levels(watch, up) == ["normal", "normal", "normal", "warn"]
    down = [
        (20.0, 19.0),
        (60.0, 18.1),
        (61.0, 17.9),
        (61.0 + CLEAR_AFTER - 0.1, 2.0),
        (61.0 + CLEAR_AFTER, 2.0),
    ]
    assert levels(watch, down) == ["warn", "warn", "warn", "warn", "normal"]


def test_what_flickers_raises_nothing_and_clears_nothing() -> None:
    watch = Watch()
    assert set(levels(watch, [(float(at), 30.0 if at % 8 else 5.0) for at in range(200)])) == {"normal"}
    levels(watch, [(300.0, 30.0), (311.0, 30.0)])
    assert set(levels(watch, [(312.0 + at, 5.0 if at % 20 else 30.0) for at in range(200)])) == {"warn"}


def test_alarm_above_warn_and_a_service_level_that_falls() -> None:
    watch = Watch()
    assert levels(watch, [(0.0, 60.0), (10.0, 61.0)]) == ["normal", "alarm"]
    _, causes = watch.take({"service_level": 0.8, "longest_wait": 61.0, "waiting": 0.0}, USUAL, 11.0)
    assert causes == [Cause("longest_wait", "alarm", 60.0, 10.0)]
    watch = Watch()
    assert levels(watch, [(0.0, 0.8), (50.0, 0.8)], "service_level") == ["normal", "normal"], (
        "at the target is no sin"
    )
    assert levels(watch, [(60.0, 0.79), (70.0, 0.79)], "service_level") == ["normal", "warn"]
    assert levels(watch, [(80.0, 0.70), (90.0, 0.70)], "service_level") == ["warn", "alarm"]
    assert levels(watch, [(100.0, 0.81), (131.0, 0.81)], "service_level") == ["alarm", "warn"]
    assert levels(watch, [(140.0, 0.83), (171.0, 0.83)], "service_level") == ["warn", "normal"]
    assert (
        levels(watch, [(200.0, 0.5), (211.0, 0.5), (212.0, None), (243.0, None)], "service_level")[-1]
        == "normal"
    )


def test_limits_of_ones_own() -> None:
    own = limits(Thresholds(waiting=Limits(3, None), longest_wait=Limits(None, 30)), (0.8, 20.0))
    watch = Watch()
    for now in (0.0, 10.0):
        level, causes = watch.take({"service_level": 0.9, "longest_wait": 29.0, "waiting": 3.0}, own, now)
    assert (level, [one.code for one in causes]) == ("warn", ["waiting"])
