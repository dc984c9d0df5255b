"""The simulator itself: its clock, its counting, its intervals."""

import json
from dataclasses import replace
from math import inf
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import pytest
from scipy import stats

from centrala.core.specs import AgentSpec, Destination, FlowSpec, QueueSpec
from centrala.settings import load
from centrala.sim import (
    AgentModel,
    Arrivals,
    Erlang,
    Exponential,
    Fixed,
    Lognormal,
    Outage,
    Scenario,
    from_tenant,
    replicate,
    simulate,
)
from centrala.sim.cli import simulate_command
from centrala.sim.result import interval_of, student

pytestmark = pytest.mark.sim

CENTRE = Path(__file__).parent.parent / "data" / "centre.yaml"


def scenario(**more: Any) -> Scenario:
    """Two agents; calls of 60 s at 0, 10, 20 and 500 s."""
    calls = Arrivals("q", trace=(0.0, 10.0, 20.0, 500.0), handling=Fixed(60.0))
    given: dict[str, Any] = {
        "queues": (QueueSpec("q", agents=("ann", "bob"), wrap_up=10.0),),
        "agents": (AgentModel(AgentSpec("ann")), AgentModel(AgentSpec("bob"))),
        "arrivals": (calls,),
        "hours": 1.0,
    }
    return Scenario(**{**given, **more})


def test_a_day_that_can_be_reckoned_by_hand() -> None:
    result = simulate(scenario())
    assert [who.wait for who in result.contacts] == pytest.approx([0, 0, 50, 0])  # 60 + 10 of wrap-up − 20
    assert [who.agent for who in result.contacts] == ["ann", "bob", "ann", "bob"]
    assert result.agents["ann"] == pytest.approx({"on_contact": 120, "wrap_up": 20, "ready": 3460})
    assert result.occupancy() == pytest.approx(280 / 7200)
    assert result.service_level(49.0) == 0.75
    assert result.figures["mean_queue"] == pytest.approx(50 / 3600)


def test_patience_ends_a_wait() -> None:
    calls = Arrivals("q", trace=(0.0, 10.0, 20.0), handling=Fixed(60.0), patience=Fixed(30.0))
    result = simulate(scenario(arrivals=(calls,)))
    assert [who.outcome for who in result.contacts] == ["answered", "answered", "abandoned"]
    assert result.contacts[2].wait == pytest.approx(30)


def test_shifts() -> None:
    agents = (AgentModel(AgentSpec("ann"), shifts=((100.0, 200.0),)),)
    result = simulate(scenario(agents=agents))
    assert [who.wait for who in result.contacts] == pytest.approx([100, 160, inf, inf])
    assert result.contacts[2].outcome == "waiting"
    assert result.agents["ann"] == pytest.approx({"logged_out": 3460, "on_contact": 120, "wrap_up": 20})


def test_refusing_and_missing_agents_delay() -> None:
    queues = (QueueSpec("q", agents=("ann", "bob"), wrap_up=0.0, missed_limit=99),)
    slow = tuple(
        AgentModel(AgentSpec(name), refuse=0.3, miss=0.3, answer_delay=Fixed(2.0)) for name in ("ann", "bob")
    )
    result = simulate(scenario(agents=slow, queues=queues), seed=3)
    assert all(who.outcome == "answered" for who in result.contacts)
    assert sum(who.offers for who in result.contacts) > 4
    assert "resting" in result.agents["ann"]


def test_a_trunk_that_fails_breaks_calls_and_keeps_others_away() -> None:
    result = simulate(scenario(outages=(Outage((30.0, 600.0)),)))
    assert result.blocked == 1
    assert [who.ended - result.window[0] for who in result.contacts] == pytest.approx([30, 30, 30])
    assert [who.outcome for who in result.contacts] == ["answered", "answered", "abandoned"]


def test_a_phone_that_fails_breaks_its_call_and_comes_back() -> None:
    result = simulate(scenario(outages=(Outage((30.0, 40.0), agents=("ann", "bob")),)))
    assert [who.answered - result.window[0] for who in result.contacts if who.answered] == pytest.approx(
        [0, 10, 40, 500]
    )


def test_overflow_to_a_phone_outside() -> None:
    out = Destination("phone", "sip:x@example.org")
    queues = (QueueSpec("q", agents=("ann",), wrap_up=0.0, max_wait=15.0, after_max_wait=out),)
    result = simulate(scenario(queues=queues, outside_delay=Fixed(4.0)))
    assert [who.wait for who in result.contacts] == pytest.approx([0, 19, 19, 0])
    assert [who.outcome for who in result.contacts] == ["answered", "redirected", "redirected", "answered"]


def test_the_same_seed_gives_the_same_day_and_more_agents_meet_the_same_callers() -> None:
    calls = Arrivals("q", per_hour=60.0, handling=Lognormal(90.0, 60.0), patience=Exponential(60.0))
    busy = scenario(arrivals=(calls,), hours=10.0)
    one, again, other = simulate(busy, seed=1), simulate(busy, seed=1), simulate(busy, seed=2)
    assert one.contacts == again.contacts
    assert one.contacts != other.contacts
    more = simulate(replace(busy, agents=(*busy.agents, AgentModel(AgentSpec("eve")))), seed=1)
    assert [who.arrived for who in more.contacts] == [who.arrived for who in one.contacts]


def test_a_profile_is_followed() -> None:
    calls = Arrivals("q", profile=(0.0, 400.0, 100.0), interval=1000.0, handling=Fixed(0.1))
    result = simulate(scenario(arrivals=(calls,), hours=2.0))
    counts = [0, 0, 0, 0]
    for who in result.contacts:
        counts[min(int((who.arrived - result.window[0]) / 1000), 3)] += 1
    assert counts[0] == counts[3] == 0
    assert counts[1] == pytest.approx(400, abs=80)  # four deviations
    assert counts[2] == pytest.approx(100, abs=40)


def test_warm_up_is_left_out() -> None:
    result = simulate(scenario(warm_up=100.0))
    assert [who.wait for who in result.contacts] == [0.0]
    assert sum(result.agents["ann"].values()) == pytest.approx(3500)


@pytest.mark.parametrize(
    ("drawn", "mean", "deviation"),
    [
        (Exponential(40.0), 40.0, 40.0),
        (Lognormal(40.0, 80.0), 40.0, 80.0),
        (Erlang(4, 40.0), 40.0, 20.0),
        (Fixed(40.0), 40.0, 0.0),
    ],
)
def test_distributions_have_the_mean_and_deviation_they_are_named_by(
    drawn: Any, mean: float, deviation: float
) -> None:
    rng = Random(1)
    times = [drawn.draw(rng) for _ in range(100_000)]
    assert fmean(times) == pytest.approx(mean, rel=0.03)
    assert fmean((time - mean) ** 2 for time in times) ** 0.5 == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("freedom", [9, 13, 19, 40])
def test_students_quantiles_agree_with_scipy(level: float, freedom: int) -> None:
    assert student(level, freedom) == pytest.approx(float(stats.t.ppf((1 + level) / 2, freedom)), rel=0.01)


def test_an_interval_is_students() -> None:
    interval = interval_of([1.0, 2.0, 4.0])
    assert interval.half == pytest.approx(
        float(stats.t.ppf(0.975, 2)) * stats.tstd([1, 2, 4]) / 3**0.5, rel=1e-3
    )
    assert interval_of([1.0]).half == inf


def test_intervals_hold_what_they_promise() -> None:
    """Of many 95 % intervals for one known value, about one in twenty may miss it."""
    runs = replicate(
        scenario(arrivals=(Arrivals("q", per_hour=50.0, handling=Exponential(60.0)),), hours=20.0,
                 queues=(QueueSpec("q", agents=("ann", "bob"), wrap_up=0.0),), warm_up=3600.0),
        range(60),
    )  # fmt: skip
    load = 50 * 60 / 3600
    wait = (load**2 / (2 - load)) / (1 + load + load**2 / (2 - load))  # Erlang C for two
    held = sum(wait in result.interval("p_wait", batches=10) for result in runs.results)
    assert 50 <= held <= 60
    assert wait in runs.interval("p_wait", level=0.999)


def test_a_scenario_that_can_not_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no such number or queue"):
        scenario(arrivals=(Arrivals("nowhere", per_hour=1.0),))
    with pytest.raises(ValueError, match="order of time"):
        Arrivals("q", trace=(2.0, 1.0))
    with pytest.raises(ValueError, match="longer than its warm-up"):
        scenario(warm_up=7200.0)
    with pytest.raises(ValueError, match="above 0"):
        Exponential(0.0)


def test_from_a_file_with_other_numbers_of_agents() -> None:
    tenant = next(iter(load(CENTRE).tenants.values()))
    name = next(iter(tenant.queues))
    given = from_tenant(tenant, (Arrivals(name, per_hour=100.0),))
    assert len(given.agents) == len(tenant.agents)
    many = from_tenant(tenant, (Arrivals(name, per_hour=100.0),), agents=40)
    assert len(many.agents) == 40
    # All serve the queue that the file gives them.
    assert simulate(many).figures["p_abandon"] <= simulate(given).figures["p_abandon"]
    assert simulate(many).figures["mean_wait"] < simulate(given).figures["mean_wait"]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate_command(CENTRE, hours=2.0, calls_per_hour=30.0, replications=3) == 0
    assert "answered" in capsys.readouterr().out
    assert simulate_command(CENTRE, hours=2.0, calls_per_hour=30.0, replications=3, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["replications"] == 3
    assert all(queue["offered"]["mean"] > 0 for queue in told["queues"].values())
    assert simulate_command(CENTRE, calls_per_hour={"nowhere": 3.0}) == 2
    assert "there is no queue nowhere" in capsys.readouterr().err
    assert simulate_command("nowhere.yaml") == 2
    assert simulate_command(CENTRE, replications=1) == 2
    assert simulate_command(CENTRE, handling=-1.0) == 2


# --- flows ---

MENU = {
    "format": 1,
    "start": "menu",
    "nodes": {
        "menu": {
            "type": "menu",
            "prompt": ["Sales, one. " * 20],
            "exits": {"1": "queue", "2": "look", "timeout": "end", "invalid": "end"},
        },
        "look": {
            "type": "http",
            "url": "https://shop.example/{contact.id}",
            "take": {"state": "/state"},
            "exits": {"next": "tell", "failed": "end"},
        },
        "tell": {"type": "say", "prompt": ["It is {state}"], "exits": {"next": "end"}},
        "queue": {"type": "queue", "queue": "q"},
        "end": {"type": "hang_up"},
    },
}


def with_menu(**more: Any) -> Scenario:
    return scenario(
        numbers={"1": Destination("flow", "menu")},
        flows=(FlowSpec("menu", 1, json.dumps(MENU)),),
        **more,
    )


def test_callers_press_their_way_through_flows() -> None:
    """Half of them by chance into the queue; the others are told what they want to know, and go."""
    calls = Arrivals("1", per_hour=600.0, handling=Fixed(5.0))
    result = simulate(with_menu(arrivals=(calls,), hours=4.0), seed=3)
    outcomes = [one.outcome for one in result.contacts]
    assert set(outcomes) == {"answered", "self_served"}
    count = len(outcomes)
    assert count > 2000
    assert abs(outcomes.count("answered") - count / 2) < 4 * (count / 4) ** 0.5
    assert simulate(with_menu(arrivals=(calls,), hours=4.0), seed=3).contacts == result.contacts


def test_patience_is_for_the_queue_and_not_for_the_menu() -> None:
    calls = Arrivals("1", per_hour=200.0, handling=Fixed(5.0), patience=Fixed(3.0))
    result = simulate(with_menu(agents=(), arrivals=(calls,)), seed=3)
    gone = [one for one in result.contacts if one.outcome in ("abandoned", "short_abandoned")]
    assert len(gone) > 60
    prompt = len("Sales, one. " * 20) / 14.0
    # The prompt, a second to think, and then three seconds of patience.
    assert all(one.ended - one.arrived == pytest.approx(prompt + 1.0 + 3.0) for one in gone)
