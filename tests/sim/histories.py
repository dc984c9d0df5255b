"""Golden histories: what was told to the core, and what it decided then.

`python -m tests.sim.histories --write` tells the stories anew and keeps the answers in tests/data/histories; the
difference in the repository is then the change of behaviour to be judged. Each line is {"fact": {…}, "events": […],
"commands": […]}, values with their type as "is".
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from centrala.core import facts as f
from centrala.core import specs
from centrala.core.centre import Centre, step
from centrala.core.specs import AgentSpec, Destination, QueueSpec

FOLDER = Path(__file__).parent.parent / "data" / "histories"

Story = Callable[[], Iterator[f.Fact]]


def plain(value: Any) -> Any:
    """A value as JSON; fields at their default are left out, so that new ones leave old histories as they are."""
    if is_dataclass(value) and not isinstance(value, type):
        shown = {"is": type(value).__name__}
        for one in fields(value):
            held = getattr(value, one.name)
            standard = one.default_factory() if callable(one.default_factory) else one.default
            if held != standard:
                shown[one.name] = plain(held)
        return shown
    if isinstance(value, dict):
        return {name: plain(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain(held) for held in value]
    return value


def fact_of(shown: Any) -> Any:
    """The reverse, for facts and what they hold."""
    if isinstance(shown, list):
        return tuple(fact_of(held) for held in shown)
    if not isinstance(shown, dict):
        return shown
    held = {name: fact_of(one) for name, one in shown.items() if name != "is"}
    if "is" not in shown:
        return held
    kind = getattr(f, shown["is"], None) or getattr(specs, shown["is"])
    return kind(**held)


# --- the stories ---


def house(at: float, queue: QueueSpec, *agents: AgentSpec) -> Iterator[f.Fact]:
    yield f.QueueChanged(at, queue)
    yield f.NumberChanged(at, "100", Destination("queue", queue.id))
    for index, agent in enumerate(agents):
        yield f.AgentChanged(at, agent)
        yield f.PhoneRegistered(at + 1 + index, agent.id)
        yield f.AgentReady(at + 1 + index, agent.id)


ANN, BOB, EVE = AgentSpec("ann"), AgentSpec("bob"), AgentSpec("eve")
SALES = QueueSpec("sales", agents=("ann", "bob", "eve"), wrap_up=10.0, record=True)


def an_ordinary_call() -> Iterator[f.Fact]:
    yield from house(0.5, SALES, ANN)
    yield f.ContactArrived(10.0, "c1", "100", party="p1")
    yield f.Rang(10.2, "c1", "c1.1")
    yield f.Answered(13.0, "c1", "c1.1")
    yield f.TimerFired(25.0, "offer:c1.1")
    yield f.PutOnHold(30.0, "c1", "c1.1")
    yield f.TakenOffHold(40.0, "c1", "c1.1")
    yield f.HungUp(100.0, "c1")
    yield f.RecordingStored(100.5, "c1", "2026/c1.wav", 87.0, 87.0)
    yield f.TimerFired(110.0, "wrap:ann")


def a_queue_in_order() -> Iterator[f.Fact]:
    yield from house(0.5, SALES, ANN)
    for index in range(3):
        yield f.ContactArrived(10.0 + index, f"c{index}", "100", priority=index == 2)
    yield f.Answered(14.0, "c0", "c0.1")
    yield f.HungUp(60.0, "c0", "c0.1")
    yield f.WrapUpFinished(63.0, "ann")
    yield f.Answered(65.0, "c2", "c2.1")
    yield f.HungUp(66.0, "c1")
    yield f.HungUp(90.0, "c2")
    yield f.TimerFired(100.0, "wrap:ann")


def ring_all_and_a_late_answer() -> Iterator[f.Fact]:
    yield from house(0.5, QueueSpec("all", agents=("ann", "bob", "eve"), strategy="ring_all"), ANN, BOB, EVE)
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.OfferFailed(11.0, "c1", "c1.1", "busy")
    yield f.Answered(12.0, "c1", "c1.3")
    yield f.Answered(12.01, "c1", "c1.2")
    yield f.HungUp(40.0, "c1", "c1.3")
    yield f.TimerFired(55.0, "wrap:eve")


def missed_and_missed_again() -> Iterator[f.Fact]:
    yield from house(0.5, QueueSpec("sales", agents=("ann", "bob"), missed_limit=2), ANN, BOB)
    yield f.AgentPaused(5.0, "bob", "lunch")
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.TimerFired(25.0, "offer:c1.1")
    yield f.TimerFired(30.0, "rest:ann")
    yield f.TimerFired(45.0, "offer:c1.2")
    yield f.AgentReady(50.0, "bob")
    yield f.Answered(52.0, "c1", "c1.3")
    yield f.HungUp(60.0, "c1")
    yield f.TimerFired(75.0, "wrap:bob")


def overflow_by_time() -> Iterator[f.Fact]:
    out = Destination("phone", "sip:expert@example.org", record=True)
    yield from house(0.5, QueueSpec("sales", agents=("ann",), max_wait=30.0, after_max_wait=out), ANN)
    yield f.AgentPaused(3.0, "ann", "lunch")
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.TimerFired(40.0, "wait:c1")
    yield f.Answered(44.0, "c1", "c1.1")
    yield f.HungUp(80.0, "c1")


def two_queues_that_point_at_each_other() -> Iterator[f.Fact]:
    for one, other in (("a", "b"), ("b", "a")):
        way = Destination("queue", other)
        yield f.QueueChanged(0.5, QueueSpec(one, agents=(), when_no_agents=way))
    yield f.NumberChanged(0.5, "100", Destination("queue", "a"))
    yield f.ContactArrived(10.0, "c1", "100")


def the_last_agent_goes() -> Iterator[f.Fact]:
    closed = Destination("music", "closed")
    yield from house(0.5, QueueSpec("sales", agents=("ann",), when_no_agents=closed, wrap_up=0.0), ANN)
    for index in range(3):
        yield f.ContactArrived(10.0 + index, f"c{index}", "100")
    yield f.Answered(13.0, "c0", "c0.1")
    yield f.PhoneUnregistered(20.0, "ann")
    yield f.HungUp(30.0, "c0", "c0.1")
    yield f.HungUp(31.0, "c1")
    yield f.HungUp(32.0, "c2")


def a_blind_transfer() -> Iterator[f.Fact]:
    yield from house(0.5, QueueSpec("sales", agents=("ann",), wrap_up=10.0), ANN, BOB)
    yield f.NumberChanged(4.0, "202", Destination("agent", "bob"))
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.Answered(12.0, "c1", "c1.1")
    yield f.TransferAsked(20.0, "c1", "c1.1", "999")
    yield f.TransferAsked(21.0, "c1", "c1.1", "202")
    yield f.HungUp(21.1, "c1", "c1.1")
    yield f.Answered(25.0, "c1", "c1.2")
    yield f.TimerFired(31.0, "wrap:ann")
    yield f.TransferAsked(40.0, "c1", "c1.1", "202")
    yield f.HungUp(50.0, "c1", "c1.2")
    yield f.TimerFired(60.0, "wrap:bob")


def an_agent_calls_out_while_offered() -> Iterator[f.Fact]:
    yield from house(0.5, QueueSpec("sales", agents=("ann", "bob")), ANN, BOB)
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.ContactArrived(11.0, "c2", "", party="p2", agent="ann", outside=True)
    yield f.Answered(11.5, "c1", "c1.1")
    yield f.Answered(13.0, "c1", "c1.2")
    yield f.Answered(15.0, "c2", "c2")
    yield f.HungUp(20.0, "c1")
    yield f.HungUp(60.0, "c2")
    yield f.TimerFired(75.0, "wrap:bob")


def configuration_changes_in_mid_flight() -> Iterator[f.Fact]:
    yield from house(0.5, QueueSpec("sales", agents=("ann",), strategy="ring_all"), ANN, BOB)
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.ContactArrived(11.0, "c2", "100")
    yield f.QueueChanged(12.0, QueueSpec("sales", agents=("ann", "bob"), max_wait=60.0))
    yield f.Answered(13.0, "c1", "c1.1")
    yield f.AgentRemoved(20.0, "bob")
    yield f.QueueRemoved(30.0, "sales")
    yield f.HungUp(40.0, "c1")
    yield f.TimerFired(72.0, "wait:c2")


def somebody_is_asked_and_takes_the_customer() -> Iterator[f.Fact]:
    sold = QueueSpec("sales", agents=("ann",), wrap_up=10.0, record=True, dispositions=("sold", "lost"))
    yield from house(0.5, sold, ANN, BOB)
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.Answered(12.0, "c1", "c1.1")
    yield f.ConsultAsked(20.0, "c1", "ann", "bob")
    yield f.Answered(23.0, "c1", "c1.2")
    yield f.SwapAsked(30.0, "c1", "ann")
    yield f.SwapAsked(35.0, "c1", "ann")
    yield f.CompleteAsked(40.0, "c1", "ann")
    yield f.ResultGiven(42.0, "c1", "ann", "lost")
    yield f.TimerFired(50.0, "wrap:ann")
    yield f.HungUp(60.0, "c1")
    yield f.TimerFired(70.0, "wrap:bob")
    yield f.ResultGiven(75.0, "c1", "bob", "sold")


def a_conference_with_a_supervisor_who_takes_over() -> Iterator[f.Fact]:
    yield from house(0.5, QueueSpec("sales", agents=("ann",), wrap_up=10.0), ANN, BOB, EVE)
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.Answered(12.0, "c1", "c1.1")
    yield f.ConsultAsked(20.0, "c1", "ann", "", True)
    yield f.Answered(23.0, "c1", "c1.2")
    yield f.ConferenceAsked(25.0, "c1", "ann")
    for index, mode in enumerate(("listen", "whisper", "barge")):
        yield f.SuperviseAsked(30.0 + index, "c1", "eve", mode)  # type: ignore[arg-type]
        if mode == "listen":
            yield f.Answered(30.5, "c1", "c1.3")
    yield f.MuteAsked(35.0, "c1", "ann", True)
    yield f.DropAsked(36.0, "c1", "ann", "c1.2")
    yield f.SuperviseAsked(40.0, "c1", "eve", "take_over")
    yield f.HangUpAsked(50.0, "c1", "eve")
    yield f.WrapUpFinished(51.0, "ann")
    yield f.TimerFired(60.0, "wrap:eve")


def a_blind_transfer_that_comes_back() -> Iterator[f.Fact]:
    yield from house(0.5, QueueSpec("sales", agents=("ann",), wrap_up=0.0), ANN, BOB)
    yield f.ContactArrived(10.0, "c1", "100")
    yield f.Answered(12.0, "c1", "c1.1")
    yield f.HandOverAsked(20.0, "c1", "ann", "", True)
    yield f.OfferFailed(25.0, "c1", "c1.2", "busy")
    yield f.TimerFired(85.0, "offer:c1.3")
    yield f.TimerFired(90.0, "rest:ann")
    yield f.Answered(91.0, "c1", "c1.4")
    yield f.ConsultAsked(92.0, "c1", "ann", "bob")
    yield f.HungUp(93.0, "c1", "c1.4")
    yield f.Answered(95.0, "c1", "c1.5")
    yield f.HungUp(99.0, "c1", "c1.5")


def calls_by_button() -> Iterator[f.Fact]:
    yield from house(0.5, SALES, ANN, BOB)
    yield f.DialAsked(10.0, "c1", "ann", "", True)
    yield f.Answered(11.0, "c1", "c1.1")
    yield f.Rang(12.0, "c1", "c1")
    yield f.Answered(15.0, "c1", "c1")
    yield f.HungUp(40.0, "c1", "c1")
    yield f.DialAsked(50.0, "c2", "ann", "bob")
    yield f.OfferFailed(51.0, "c2", "c2", "asleep")
    yield f.DialAsked(52.0, "c3", "ann", "bob")
    yield f.PhoneRegistered(53.0, "ann")
    yield f.DialAsked(54.0, "c3", "ann", "bob")
    yield f.Answered(55.0, "c3", "c3")
    yield f.Answered(57.0, "c3", "c3.2")
    yield f.HungUp(60.0, "c3")


STORIES: tuple[Story, ...] = (
    an_ordinary_call,
    a_queue_in_order,
    ring_all_and_a_late_answer,
    missed_and_missed_again,
    overflow_by_time,
    two_queues_that_point_at_each_other,
    the_last_agent_goes,
    a_blind_transfer,
    an_agent_calls_out_while_offered,
    configuration_changes_in_mid_flight,
    somebody_is_asked_and_takes_the_customer,
    a_conference_with_a_supervisor_who_takes_over,
    a_blind_transfer_that_comes_back,
    calls_by_button,
)


def answers(facts: Iterator[f.Fact]) -> Iterator[dict[str, Any]]:
    centre = Centre()
    for fact in facts:
        events, commands = step(centre, fact)
        # Through JSON and back, so that both sides of a comparison are of the same types.
        yield json.loads(
            json.dumps({"fact": plain(fact), "events": plain(events), "commands": plain(commands)})
        )


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for story in STORIES:
        lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in answers(story())]
        (FOLDER / f"{story.__name__}.jsonl").write_text("".join(lines), encoding="utf-8")
        print(f"{story.__name__}: {len(lines)} facts")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.sim.histories --write: tell every story anew and keep what comes out")
    write()
