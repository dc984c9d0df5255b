"""What-if on the core: the same callers for both, intervals that hold what theory says, a stop when they are narrow."""

from dataclasses import replace
from typing import Any

import pytest

from centrala.core.specs import AgentSpec, Destination, QueueSpec
from centrala.sim import AgentModel, Arrivals, Exponential, Fixed, Scenario, simulate
from centrala.workforce import (
    BadInput,
    NoAgents,
    NotModelled,
    World,
    compare,
    merge_queues,
    queue,
    with_agents,
    with_calls,
    with_skill,
    without_agents,
)

pytestmark = pytest.mark.sim


def house(agents: int = 8, per_hour: float = 150.0, hours: float = 6.0) -> Scenario:
    names = tuple(f"a{i}" for i in range(agents))
    return Scenario(
        (QueueSpec("q", agents=names, wrap_up=0.0),),
        tuple(AgentModel(AgentSpec(name)) for name in names),
        (Arrivals("q", per_hour=per_hour, handling=Exponential(180), patience=Exponential(120)),),
        hours=hours,
        warm_up=1800,
    )


def two_sites() -> Scenario:
    return Scenario(
        (
            QueueSpec("north", agents=("n1", "n2", "n3"), wrap_up=5.0),
            QueueSpec("south", needs={"south": 1}, wrap_up=9.0),
        ),
        (
            *(AgentModel(AgentSpec(name)) for name in ("n1", "n2", "n3")),
            *(AgentModel(AgentSpec(name, skills={"south": 2}, prefers=("south",))) for name in ("s1", "s2")),
        ),
        (
            Arrivals("north", per_hour=50, handling=Exponential(150), patience=Exponential(100)),
            Arrivals("0800", per_hour=40, handling=Exponential(150), patience=Exponential(100)),
        ),
        numbers={"0800": Destination("queue", "south")},
        hours=4,
    )


def test_two_more_agents_by_both_engines() -> None:
    base = house()
    change = with_agents(base, like="a0", count=2)
    figures: dict[str, Any] = {"lost": "p_abandon", "in time": lambda day: day.service_level(20)}
    exact = [queue(n, 150, 180, patience=120, within=20) for n in (8, 10)]
    wanted = {
        "lost": exact[1].p_abandon - exact[0].p_abandon,
        "in time": exact[1].served_within - exact[0].served_within,
    }
    for engine, width in (("core", 0.015), ("compiled", 0.005)):
        answer = compare(base, change, figures, width=width, most=4000, level=0.999, engine=engine)  # type: ignore[arg-type]
        assert answer.narrow
        for name, value in wanted.items():
            assert answer.difference[name].half <= width
            assert value in answer.difference[name], (engine, name, answer.difference[name], value)
            assert answer.sure(name)


def test_the_same_callers_make_the_difference_known_sooner() -> None:
    base = house()
    answer = compare(base, with_agents(base, like="a0"), ["mean_wait"], width=1e-9, least=30, most=30)
    assert not answer.narrow
    assert answer.runs == 30
    apart = (answer.base["mean_wait"].half ** 2 + answer.change["mean_wait"].half ** 2) ** 0.5
    assert answer.difference["mean_wait"].half < 0.7 * apart
    one, other = (simulate(scenario, seed=4) for scenario in (base, with_agents(base, like="a0")))
    assert [who.arrived for who in one.contacts] == [who.arrived for who in other.contacts]


def test_nothing_changed_is_no_difference() -> None:
    answer = compare(house(), house(), ["p_abandon"], width=0.001, least=5)
    assert answer.runs == 5
    assert answer.difference["p_abandon"].mean == 0.0
    assert not answer.sure("p_abandon")


def test_it_stops_when_narrow_and_not_before() -> None:
    base = house(hours=2)
    wide = compare(base, with_agents(base, like="a0"), ["p_abandon"], width=0.5)
    narrow = compare(base, with_agents(base, like="a0"), ["p_abandon"], width=0.005, engine="compiled")
    assert wide.runs == 10
    assert narrow.runs > 10
    assert narrow.difference["p_abandon"].half <= 0.005
    by_figure = compare(
        base, with_agents(base, like="a0"), ["p_abandon", "mean_wait"], width={"p_abandon": 0.5}
    )
    assert by_figure.runs == 10


def test_merged_sites_serve_each_other() -> None:
    base = two_sites()
    merged = merge_queues(base, ["north", "south"], into="all")
    assert [one.id for one in merged.queues] == ["all"]
    assert merged.queues[0].agents == ("n1", "n2", "n3", "s1", "s2")
    assert merged.numbers["0800"].name == "all"
    answer = compare(base, merged, ["mean_wait", "p_abandon"], width=1e-9, least=12, most=12)
    assert answer.difference["mean_wait"].high < 0
    # The kernel sees the same day.
    assert World.of(merged).run(1).offered > 0
    kept = merge_queues(replace(base, numbers={}, arrivals=base.arrivals[:1]), ["south", "north"])
    assert kept.queues[0].id == "south"
    assert kept.arrivals[0].to == "south"


def test_changes() -> None:
    base = two_sites()
    more = with_agents(base, like="n1", count=2, shifts=((0.0, 3600.0),))
    assert [model.spec.id for model in more.agents][-2:] == ["n1+1", "n1+2"]
    assert more.queues[0].agents == ("n1", "n2", "n3", "n1+1", "n1+2")
    assert more.agents[-1].shifts == ((0.0, 3600.0),)
    assert [model.spec.id for model in with_agents(more, like="n1").agents][-1] == "n1+3"
    assert [model.spec.id for model in without_agents(base, ["n1", "s2"]).agents] == ["n2", "n3", "s1"]
    learned = with_skill(base, "n1", "south", 3)
    assert learned.agents[0].spec.skills == {"south": 3}
    busier = with_calls(base, 1.5, to="north")
    assert [stream.per_hour for stream in busier.arrivals] == [75.0, 40.0]


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda: compare(house(), house(), []), BadInput, "nothing is asked"),
        (lambda: compare(house(), house(), ["happiness"]), BadInput, "no happiness"),
        (lambda: compare(house(), house(), width=0.0), BadInput, "width"),
        (lambda: compare(house(), house(), ["p_abandon"], width={"x": 0.1}), BadInput, "none of the figures"),
        (lambda: compare(house(), house(), least=2), BadInput, "least: 2"),
        (lambda: compare(house(), house(), least=20, most=10), BadInput, "fewer than the least"),
        (lambda: compare(house(), house(), engine="steam"), BadInput, "no steam"),  # type: ignore[arg-type]
        (lambda: compare(house(), house(), level=95), BadInput, "no confidence"),
        (lambda: with_agents(house(), like="zoe"), BadInput, "no agent zoe"),
        (lambda: with_agents(house(), like="a0", count=0), BadInput, "count: 0"),
        (lambda: without_agents(house(1), ["a0"]), NoAgents, "no agents"),
        (lambda: merge_queues(two_sites(), ["north", "east"]), BadInput, "no queue east"),
        (lambda: merge_queues(two_sites(), ["north"]), BadInput, "two different"),
        (lambda: with_calls(house(), 2, to="x"), BadInput, "nobody calls x"),
        (
            lambda: compare(
                house(),
                replace(house(), agents=(AgentModel(AgentSpec("a0"), answer_delay=Fixed(2.0)),)),
                engine="compiled",
            ),
            NotModelled,
            "answer at once",
        ),
    ],
)
def test_wrong_questions_get_a_sentence(ask: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ask()
