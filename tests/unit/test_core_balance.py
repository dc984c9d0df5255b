"""Rebalancing by example: what is expected, who is lent and why, what wins over it."""

from dataclasses import replace

import pytest

from centrala.core import balance
from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, evolve, step, timers
from centrala.core.erlang import service_level
from centrala.core.estimate import Rates, arriving, came
from centrala.core.explain import also_serves
from centrala.core.specs import AgentSpec, Balance, Balancing, Destination, QueueSpec

pytestmark = pytest.mark.unit

T0 = 1_000_000.0


# --- what is expected ---


def test_published_values_of_erlang_c() -> None:
    """100 calls in half an hour of 180 s each and 14 agents: 0.88835 within 20 s (the README of pyworkforce)."""
    assert service_level(100 / 1800, 1 / 180, 0.0, 14, 20.0) == pytest.approx(0.88835, abs=2e-5)


@pytest.mark.parametrize(
    ("load", "agents", "patience", "within"),
    [
        (17, 20, 300, 20),
        (26, 20, 300, 60),
        (3, 2, 60, 20),
        (120, 110, 180, 60),
        (0.5, 1, 30, 20),
        (9, 20, 90, 5),
    ],
)
def test_erlang_a_as_the_science_has_it(load: float, agents: int, patience: float, within: float) -> None:
    """Another computation of the same: `workforce`, which is held against published values there."""
    from centrala import workforce

    told = workforce.queue(agents, load * 15, 240, patience=patience, within=within).service_level("C")
    assert service_level(load / 240, 1 / 240, 1 / patience, agents, within) == pytest.approx(
        float(told), abs=1e-6
    )


def test_at_the_ends() -> None:
    assert service_level(0.0, 1 / 240, 0.01, 0, 20.0) == 1.0
    assert service_level(0.1, 1 / 240, 0.01, 0, 20.0) == 0.0
    assert service_level(50.0, 1 / 240, 0.0, 3, 20.0) < 1e-6
    assert service_level(1e-6, 1 / 240, 0.0, 2000, 900.0) == pytest.approx(1.0)
    levels = [service_level(0.1, 1 / 240, 1 / 300, agents, 20.0) for agents in range(15, 40)]
    assert levels == sorted(levels)


def test_arrivals_fade_and_tell_their_error() -> None:
    rates = Rates()
    assert arriving(rates, T0) == (0.0, 0.0)
    at = T0
    for _ in range(600):
        at += 10.0
        rates = came(rates, at)
    rate, error = arriving(rates, at)
    assert rate == pytest.approx(0.1, rel=0.03)
    assert error == pytest.approx((0.1 / 1200) ** 0.5, rel=0.05), "as of a window of 2 × 600 s"
    assert arriving(rates, at + 3600.0)[0] < 0.001


def test_who_serves_both_is_one_pool() -> None:
    """Two queues that share all agents are expected as one queue of both: so the pressures are made alike."""
    demands = {
        name: balance.Demand(load / 240, 0.0, 0.0, 1 / 240, 1 / 300, 20.0, 0.8)
        for name, load in (("a", 26.0), ("b", 8.0))
    }
    agents, foreign = balance._divide({("a", "b"): 40}, demands, ["a", "b"])
    assert agents == {"a": 40, "b": 40}
    assert foreign["a"] == pytest.approx(8.0, abs=0.1)
    assert foreign["b"] == pytest.approx(26.0, abs=0.1)
    agents, foreign = balance._divide({("a",): 20, ("b",): 10, ("a", "b"): 10}, demands, ["a"])
    assert foreign["a"] == pytest.approx(0.0, abs=0.5), (
        "a presses so hard that all who are shared work for it"
    )


# --- who is lent ---


class House:
    """Sales, where callers wait, and help, whose agents may help out."""

    def __init__(self, helpers: int = 4, **limits: object) -> None:
        self.now = T0
        self.centre = Centre()
        self.events: list[e.Event] = []
        self.commands: list[c.Command] = []
        self.tell(f.BalancingChanged(self.now, Balancing()))
        names = [f"h{index}" for index in range(helpers)]
        for name in ("s0", *names):
            helps = ("sales",) if name != "s0" else ()
            self.tell(f.AgentChanged(self.now, AgentSpec(name, fixed_phone=True, helps=helps)))
            self.tell(f.AgentReady(self.now, name))
        sales = Balance(**limits)  # type: ignore[arg-type]
        self.tell(f.QueueChanged(self.now, QueueSpec("sales", agents=("s0",), wrap_up=0.0, balance=sales)))
        self.tell(
            f.QueueChanged(self.now, QueueSpec("help", agents=tuple(names), wrap_up=0.0, balance=Balance()))
        )
        for name in ("sales", "help"):
            self.tell(f.NumberChanged(self.now, name, Destination("queue", name)))

    def tell(self, fact: f.Fact) -> list[e.Event]:
        self.events, self.commands = step(self.centre, fact)
        return self.events

    def callers(self, count: int, to: str = "sales") -> None:
        for index in range(count):
            self.now += 1.0
            name = f"{to}{self.now}{index}"
            self.tell(f.ContactArrived(self.now, name, to))
            for leg in list(self.centre.contacts[name].offers):
                self.tell(f.Answered(self.now, name, leg))

    def compare(self) -> list[e.Event]:
        self.now += 20.0
        return self.tell(f.TimerFired(self.now, balance.TIMER))

    @property
    def lent(self) -> list[str]:
        return [name for name, agent in self.centre.agents.items() if agent.loans]


def test_lent_for_those_who_wait_and_told_why() -> None:
    house = House()
    house.callers(3)
    events = house.compare()
    moves = [one for one in events if isinstance(one, e.AgentLent)]
    assert {one.queue for one in moves} == {"sales"}
    assert {(one.why, one.home) for one in moves} == {("short", "help")}
    values = moves[0].values
    assert values["without"] < values["with"]
    assert values["without"] < values["target"] == 0.8
    assert values["home_with"] >= 0.75
    assert (values["waiting"], values["agents"]) == (2.0, len(moves))
    assert len(moves) <= 3, "no more than those who wait, and one"
    rung = [one.agent for one in events if isinstance(one, e.OfferMade)]
    assert set(rung) <= set(house.lent)
    assert len(rung) == 2, "those who wait are offered at once"
    reason = also_serves(house.centre, house.lent[0])[0]
    assert (reason.code, reason.values["queue"], reason.values["home"]) == ("LENT", "sales", "help")
    assert c.SetTimer(balance.TIMER, house.now + 20.0) in house.commands


def test_own_agents_come_first() -> None:
    house = House()
    house.callers(2)
    house.compare()
    for name, who in list(house.centre.contacts.items()):
        for leg in list(who.offers):
            house.tell(f.Answered(house.now, name, leg))
        house.now += 60.0
        house.tell(f.HungUp(house.now, name))
    assert house.lent
    queue = house.centre.queues["sales"]
    assert queue.idle[0][3] == "s0", "though others have been idle for longer"


def test_a_conversation_goes_on_and_the_next_contact_is_the_other_queues() -> None:
    house = House(helpers=8)
    for name in list(house.centre.agents)[2:]:
        house.tell(f.AgentChanged(house.now, AgentSpec(name, fixed_phone=True)))
    house.callers(1, "help")
    agent = house.centre.agents["h0"]
    calls = dict(agent.calls)
    house.callers(3)
    house.compare()
    assert agent.loans
    assert agent.calls == calls, "lent in a conversation, which isn't touched"
    house.tell(f.HungUp(house.now, next(iter(calls)), ""))
    assert agent.offers, "and then gets who waits longest there"


def test_returns_when_the_peak_is_over_and_not_before_ten_minutes() -> None:
    house = House()
    house.callers(3)
    house.compare()
    first = len(house.lent)
    for name in list(house.centre.contacts):
        house.tell(f.HungUp(house.now, name))
    house.compare()
    assert len(house.lent) == first, "a loan lasts a while"
    house.now += 3600.0
    events = house.compare()
    assert {one.why for one in events if isinstance(one, e.AgentReturned)} == {"recovered"}
    assert not house.lent


@pytest.mark.parametrize(
    ("limits", "most"),
    [({"most": 1}, 1), ({"take": False}, 0), ({"most": 0}, 0)],
    ids=["one", "takes none", "none"],
)
def test_limits(limits: dict[str, object], most: int) -> None:
    house = House(**limits)
    house.callers(6)
    house.compare()
    assert len(house.lent) == most


def test_the_reserve_stays() -> None:
    house = House()
    spec = house.centre.queues["help"].spec
    house.tell(f.QueueChanged(house.now, replace(spec, balance=Balance(reserve=3))))
    house.callers(8)
    house.compare()
    assert len(house.lent) == 1
    house.tell(f.QueueChanged(house.now, replace(spec, balance=Balance(give=False))))
    assert not house.lent, "at once"


def test_a_limit_that_is_lowered_holds_at_once() -> None:
    house = House(helpers=8)
    house.callers(5)
    house.compare()
    assert len(house.lent) > 1
    spec = house.centre.queues["sales"].spec
    house.tell(f.QueueChanged(house.now, replace(spec, balance=Balance(most=1))))
    assert len(house.lent) == 1


def test_what_a_supervisor_says_wins() -> None:
    house = House()
    house.callers(3)
    house.compare()
    who = house.lent[0]
    events = house.tell(f.LoanEndAsked(house.now, who, "sales", "chief"))
    assert [(one.why, one.by) for one in events if isinstance(one, e.AgentReturned)] == [("asked", "chief")]
    house.callers(4)
    house.compare()
    assert who not in house.lent, "barred for an hour"
    other = house.lent[0]
    events = house.tell(f.AgentQueuesChanged(house.now, other, (), ("sales",)))
    assert [one.why for one in events if isinstance(one, e.AgentReturned)] == ["by_hand"]
    house.compare()
    assert other not in house.lent
    house.tell(f.BalanceAsked(house.now, False))
    assert not house.lent
    assert balance.TIMER not in dict(timers(house.centre))
    assert (
        house.tell(f.LoanEndAsked(house.now, who, "sales"))[0].reason
        == "This agent isn't lent to this queue."
    )  # type: ignore[union-attr]
    house.tell(f.BalanceAsked(house.now, True))
    assert balance.TIMER in dict(timers(house.centre))


def test_an_old_snapshot_of_rates_and_agents_reads_as_before() -> None:
    """New fields have defaults that mean "nothing known"."""
    assert Rates().came == 0.0
    assert AgentSpec("a").helps == ()
    assert QueueSpec("q").balance is None


def full_house(loads: dict[str, float], waiting: int) -> tuple[Centre, float]:
    """Twenty agents each, who may all help each other; so much is known, and so many wait in the first queue."""
    centre, now = Centre(), T0 + 3600.0
    step(centre, f.BalancingChanged(T0, Balancing()))
    for name in loads:
        people = tuple(f"{name}{number}" for number in range(20))
        for who in people:
            helps = tuple(one for one in loads if one != name)
            step(centre, f.AgentChanged(T0, AgentSpec(who, fixed_phone=True, helps=helps)))
            step(centre, f.AgentReady(T0, who))
        step(centre, f.QueueChanged(T0, QueueSpec(name, agents=people, balance=Balance())))
    for index, (name, load) in enumerate(loads.items()):
        centre.queues[name].rates = Rates(
            at=now, agents=20, worked=200 * 240.0, served=200.0, waiting=waiting if index == 0 else 0,
            come=load / 240 * 600, watched=600.0, came=now,
        )  # fmt: skip
    return centre, now


def lent_in(centre: Centre, now: float) -> int:
    events, _ = balance.due(centre, now)
    return sum(isinstance(one, e.AgentLent) for one in events)


def test_no_more_at_once_than_wait_until_a_few_have_not_done() -> None:
    centre, now = full_house({"a": 26.0, "b": 9.0}, waiting=5)
    assert 1 <= lent_in(centre, now) <= 6, "those who wait, and one"
    for number in range(6):
        evolve(centre, e.AgentLent(now - 180.0, f"b{number}", "a", "short", {}, "b"))
    assert lent_in(centre, now) == 14, "all the others: one pool"
    centre, now = full_house({"a": 26.0, "b": 24.0}, waiting=5)
    assert lent_in(centre, now) == 0, "a peak in both"
    centre, now = full_house({"a": 14.0, "b": 9.0}, waiting=1)
    assert lent_in(centre, now) == 0, "nothing is short"


def test_nobody_is_called_home_to_make_the_other_queue_the_worse_one() -> None:
    for load, home in ((26.0, 12.0), (10.0, 12.0)):
        centre, now = full_house({"a": load, "b": home}, waiting=0)
        for number in range(12):
            evolve(centre, e.AgentLent(now - 60.0, f"b{number}", "a", "short", {}, "b"))
        before = balance.View(centre, now).levels(("a", "b"))
        events, _ = balance.due(centre, now)
        for event in events:
            if isinstance(event, e.AgentReturned):
                evolve(centre, event)
        after = balance.View(centre, now).levels(("a", "b"))
        assert min(after) >= min(before) - 1e-9


def test_signing_out_ends_a_loan() -> None:
    house = House()
    house.callers(3)
    house.compare()
    who = house.lent[0]
    events = house.tell(f.AgentSignedOut(house.now, who))
    assert [(one.agent, one.why) for one in events if isinstance(one, e.AgentReturned)] == [
        (who, "signed_out")
    ]
    assert who not in house.lent


def test_nobody_is_lent_to_two_queues() -> None:
    centre, now = full_house({"a": 26.0, "c": 4.0, "b": 26.0}, waiting=9)
    centre.queues["b"].rates = replace(centre.queues["b"].rates, waiting=9)
    events, _ = balance.due(centre, now)
    lent = [one.agent for one in events if isinstance(one, e.AgentLent)]
    assert {one.queue for one in events if isinstance(one, e.AgentLent)} == {"a", "b"}
    assert len(lent) == len(set(lent))
