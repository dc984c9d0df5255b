"""Callbacks keep the order of arrival, and nothing is lost: whole days of a busy queue, told to a second core that is
watched from outside."""

from collections import Counter
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

import pytest

from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.specs import AgentSpec, Callbacks, Destination, FlowSpec, FollowUp, QueueSpec
from centrala.settings.house_flows import house_flows
from centrala.sim import AgentModel, Arrivals, Exponential, Fixed, Scenario, simulate
from centrala.sim.result import Result

pytestmark = pytest.mark.sim

SEEDS = range(1, 9)
PROMISE = (
    '{"format": 1, "start": "cb", "nodes": {"cb": {"type": "callback", "exits": {"booked": "bye", "no_number": "bye",'
    ' "failed": "bye"}}, "bye": {"type": "hang_up"}}}'
)
NAMED = {"answered", "unreached", "expired", "replaced"}


def day(share: float, *, away: float = 0.0, flow: str = PROMISE, hours: float = 4.0, **more: Any) -> Scenario:
    """Ten agents, more work than they can do for a while, then less."""
    queue = QueueSpec(
        "q",
        agents=tuple(f"a{number}" for number in range(10)),
        keys={"1": Destination("flow", "callback")},
        callbacks=Callbacks(attempts=2, retry=300.0, expires=8 * 3600.0),
        wrap_up=10.0,
        **more,
    )
    profile = tuple(calls for calls in (30, 45, 45, 30, 15, 15, 15, 15) for _ in range(2))
    return Scenario(
        queues=(queue,),
        agents=tuple(AgentModel(AgentSpec(name), refuse=0.02) for name in queue.agents or ()),
        arrivals=(
            Arrivals(
                "q",
                profile=profile,
                handling=Exponential(230.0),
                patience=Exponential(900.0),
                callback=share,
                callback_after=20.0,
                away=away,
            ),
        ),
        flows=(FlowSpec("callback", 1, flow),),
        outside_delay=Fixed(8.0),
        hours=hours,
    )


@dataclass
class Watch:
    """Who stands in the queue and since when they wait, worked out from outside the core."""

    centre: Centre = field(default_factory=Centre)
    came: dict[str, float] = field(default_factory=dict)
    "Caller → when they came to the queue."
    standing: set[str] = field(default_factory=set)
    began: dict[str, str] = field(default_factory=dict)
    "Owed contact → caller."
    ended: dict[str, str] = field(default_factory=dict)
    offers: Counter[str] = field(default_factory=Counter)

    def __call__(self, fact: f.Fact) -> None:
        for event in step(self.centre, fact)[0]:
            match event:
                case e.ContactBegan(contact=contact, owed=owed, origin=origin) if owed:
                    self.began[contact] = origin
                case e.ContactBegan(contact=contact, at=at):
                    self.came[contact] = at
                case e.Queued(contact=contact) | e.OfferEnded(contact=contact, agent=str()):
                    if isinstance(event, e.Queued) or event.how != "cancelled":
                        self.standing.add(contact)
                case e.OfferMade(contact=contact, agent=str()):
                    mine = self.since(contact)
                    before = [who for who in self.standing if self.since(who) < mine]
                    assert not before, f"{contact} is offered before {before}, who came earlier"
                    self.offers["owed" if contact in self.began else "held"] += 1
                    self.standing.discard(contact)
                case e.Overflowed(contact=contact) | e.Booked(contact=contact):
                    self.standing.discard(contact)
                case e.ContactEnded(contact=contact, outcome=outcome):
                    self.standing.discard(contact)
                    assert contact not in self.ended
                    self.ended[contact] = outcome

    def since(self, contact: str) -> float:
        return self.came[self.began.get(contact, contact)]


def watched(scenario: Scenario, seed: int) -> tuple[Watch, Result]:
    watch = Watch()
    return watch, simulate(scenario, seed=seed, listen=watch)


def wait(result: Result, *, owed: bool) -> float:
    """Mean seconds from the arrival to the answer."""
    if owed:
        return fmean(who.answered - (who.since or 0.0) for who in result.owed if who.answered is not None)
    return fmean(who.wait for who in result.contacts if who.answered is not None and who.wait > 20.0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("away", [0.0, 0.4])
def test_the_order_of_service_is_that_of_arrival_whoever_holds_or_is_called_back(
    seed: int, away: float
) -> None:
    watch, result = watched(day(0.5, away=away), seed)
    assert watch.offers["owed"] > 20, "the day had no callbacks to speak of"
    assert watch.offers["held"] > 20
    promised = [caller for caller, outcome in watch.ended.items() if outcome == "callback"]
    assert sorted(watch.began.values()) == sorted(promised), "one callback for each who was promised one"
    assert watch.began.keys() <= watch.ended.keys(), "a callback was lost"
    assert {watch.ended[contact] for contact in watch.began} <= NAMED
    assert not watch.centre.contacts
    assert {who.outcome for who in result.owed} <= NAMED
    if not away:
        assert Counter(who.outcome for who in result.owed)["answered"] == len(result.owed)


def patient(scenario: Scenario) -> Scenario:
    return replace(scenario, arrivals=tuple(replace(one, patience=None) for one in scenario.arrivals))


def test_both_wait_as_long_where_nobody_gives_up() -> None:
    """The wait of a callback has the ringing of the customer in it, 8 s, and nothing more."""
    days = [simulate(patient(day(0.5)), seed=seed) for seed in SEEDS]
    held, owed = fmean(wait(one, owed=False) for one in days), fmean(wait(one, owed=True) for one in days)
    assert abs(owed - 8.0 - held) < 0.05 * held


def test_fewer_give_up() -> None:
    days = [simulate(day(0.5), seed=seed) for seed in SEEDS]
    without = [simulate(day(0.0), seed=seed) for seed in SEEDS]
    lost = fmean(one.figures["p_abandon"] for one in days)
    before = fmean(one.figures["p_abandon"] for one in without)
    assert lost < 0.9 * before


def test_who_gave_up_is_called_back_in_quieter_hours() -> None:
    scenario = day(0.0, follow_up=FollowUp(after=1800.0))
    arrivals = scenario.arrivals[0]
    # A share of nobody, and yet everybody's number is known.
    scenario = replace(scenario, arrivals=(replace(arrivals, callback=1e-9),))
    result = simulate(scenario, seed=3)
    lost = sum(who.outcome == "abandoned" for who in result.contacts)
    assert lost > 20
    assert len(result.owed) == lost
    assert {who.outcome for who in result.owed} <= NAMED
    assert sum(who.outcome == "answered" for who in result.owed) > 0.9 * lost


def test_callers_find_their_way_through_the_flows_of_the_house() -> None:
    """They press keys by chance: promised, back in the line, or gone; nobody is lost in between."""
    watch, result = watched(day(0.8, flow=house_flows()["callback"]), 5)
    outcomes = Counter(who.outcome for who in result.contacts)
    assert outcomes["callback"] == len(watch.began)
    assert outcomes["callback"] > 5
    assert "waiting" not in outcomes
    assert "failed" not in outcomes
