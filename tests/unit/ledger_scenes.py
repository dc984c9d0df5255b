"""Scenes for the small world of the ledger's tests: what chance alone doesn't come by, told step by step."""

import json
from collections.abc import Iterator

from centrala.core import facts as f
from centrala.core.learned import Learned, Tree
from centrala.core.private import Private
from centrala.core.specs import (
    AgentSpec,
    Balance,
    Balancing,
    Destination,
    FlowSpec,
    FollowUp,
    LastAgent,
    ParkingSpec,
    QueueSpec,
    Widen,
)

RATE = {
    "format": 1,
    "start": "ask",
    "nodes": {
        "ask": {
            "type": "survey",
            "prompt": ["1?"],
            "question": "good",
            "exits": {"next": "by", "timeout": "by", "invalid": "by"},
        },
        "by": {"type": "hang_up"},
    },
}
OWES = {
    "format": 1,
    "start": "slots",
    "nodes": {
        "slots": {"type": "slots", "queue": "desk", "exits": {"found": "call", "none": "call"}},
        "call": {
            "type": "callback",
            "queue": "desk",
            "slot": "slot.1",
            "exits": {"booked": "by", "no_number": "say", "full": "say", "failed": "say"},
        },
        "say": {
            "type": "voicemail",
            "prompt": ["?"],
            "queue": "desk",
            "exits": {"next": "by", "empty": "by"},
        },
        "by": {"type": "hang_up"},
    },
}


def scenes(at: float) -> Iterator[f.Fact]:
    """Agents, queues, numbers and contacts of their own, which nobody else comes near."""

    def later(seconds: float = 1.0) -> float:
        nonlocal at
        at = round(at + seconds, 3)
        return at

    desk = QueueSpec(
        "desk",
        agents=("zoe", "yan"),
        wrap_up=0.0,
        brief=True,
        record_on_demand=True,
        survey="rate",
        interludes=("rate",),
        follow_up=FollowUp(),
        keys={"1": Destination("flow", "owes")},
        last_agent=LastAgent(),
        escalate=Destination("queue", "second"),
        balance=Balance(),
    )
    second = QueueSpec(
        "second",
        agents=("xena",),
        tier=2,
        wrap_up=0.0,
        widen=(Widen(after=5.0, queues=("desk",)), Widen(length=1, below=0.2, queues=("desk",))),
        balance=Balance(),
        service_level=(0.9, 5.0),
    )
    yield f.FlowPublished(at, FlowSpec("rate", 1, json.dumps(RATE)))
    yield f.FlowPublished(at, FlowSpec("owes", 1, json.dumps(OWES)))
    yield f.ParkingChanged(at, ParkingSpec(("701", "702"), "700"))
    for name in ("zoe", "yan", "xena"):
        yield f.AgentChanged(at, AgentSpec(name, fixed_phone=True, helps=("second", "desk")))
        yield f.AgentReady(at, name)
    yield f.QueueChanged(at, desk)
    yield f.QueueChanged(at, second)
    yield f.NumberChanged(at, "800", Destination("queue", "desk"))
    yield f.NumberChanged(at, "801", Destination("queue", "second"))
    yield f.NumberChanged(at, "802", Destination("flow", "owes"))

    # A recording begun by hand, a pause, a payment, a call put aside and picked up, a survey.
    yield f.ContactArrived(later(), "s1", "800", "s1", caller="pseudonym", last_agent="zoe", last_at=at)
    yield f.Answered(later(), "s1", "s1.1")
    yield f.Said(later(), "s1", "s1:1")
    yield f.RecordAsked(later(), "s1", "zoe", True)
    yield f.RecordingPauseAsked(later(), "s1", "zoe", True)
    yield f.RecordingPauseAsked(later(), "s1", "zoe", False)
    yield f.InterludeAsked(later(), "s1", "zoe", "rate")
    yield f.InterludeAsked(later(), "s1", "zoe", "")
    yield f.RecordAsked(later(), "s1", "zoe", False)
    yield f.HoldAsked(later(), "s1", "zoe")
    yield f.SecondCall(later(), "s1", "s1.x", "zoe", "yan")
    yield f.Answered(later(), "s1", "s1.2")
    yield f.PutOnHold(later(), "s1", "s1.x")
    yield f.TakenOffHold(later(), "s1", "s1.x")
    yield f.AttendedAsked(later(), "s1", "s1.x")
    yield f.ParkAsked(later(), "s1", "yan")
    yield f.SlotCalled(later(), "s1", "s1.y", "zoe")
    yield f.InterludeAsked(later(), "s1", "zoe", "rate")
    yield f.LeaveAsked(later(), "s1", "zoe")
    yield f.HangUpAsked(later(), "s1", "zoe")
    yield f.HungUp(later(), "s1")
    yield f.ContactArrived(later(), "s2", "800", "s2")
    yield f.Answered(later(), "s2", "s2.1")
    yield f.Said(later(), "s2", "s2:1")
    yield f.ParkAsked(later(), "s2", "yan")
    yield f.PickUpAsked(later(), "s2", "yan")
    yield f.Answered(later(), "s2", "s2.2")
    yield f.EscalateAsked(later(), "s2", "yan", "contract")
    yield f.Answered(later(), "s2", "s2.3")
    yield f.HungUp(later(), "s2", "s2.3")
    yield f.ContactArrived(later(), "s3", "800", "s3")
    yield f.Answered(later(), "s3", "s3.1")
    yield f.Said(later(), "s3", "s3:1")
    yield f.HungUp(later(), "s3", "s3.1")
    yield f.DigitPressed(later(), "s3", Private("4"))
    yield f.HungUp(later(), "s3")

    # What its past has taught of a queue's waits.
    tree = Tree((1, 11, 0, 2, 3, 4, 12), (4.5, 12.25, 90.0, 1.0, 2.0, 3.0, 4.0), (-0.5, 0.0, 0.5, 1.0) * 2)
    yield f.WaitsLearned(
        later(),
        "desk",
        Learned((at, at + 86400.0), 3, (tree,), (60.0,), (2.5, 2.0), (1.25, 1.1), 900, 20.5, 31.0),
    )

    # Promises: by a flow into a slot, by a page, not reached, put off, dropped; a message.
    yield f.SlotsOffered(later(), "desk", ((at + 7200.0, 1),))
    yield f.ContactArrived(later(), "s4", "802", "s4", caller="another")
    yield f.CallbackAsked(later(), "s5", "desk", "s4", "third", Private("+48600100300"), agent="zoe")
    yield f.Answered(later(), "s5", "s5.1")
    yield f.OfferFailed(later(), "s5", "s5", "busy")
    yield f.CallbackPutOff(later(), "s5", "zoe", at + 60.0)
    yield f.CallbackDropped(later(), "s5", "zoe", "not wanted")
    yield f.ContactArrived(later(), "s6", "802", "s6")
    yield f.Said(later(), "s6", "s6:1")
    yield f.MessageTaken(later(), "s6", "s6:2", "recordings/s6-message-2.wav", 7.5)
    yield f.HungUp(later(), "s6")
    yield f.CallCustomerAsked(later(), "s6-vm", "zoe")

    # Kept for an agent who is busy, and not for ever.
    yield f.CallbackDropped(later(), "s6-vm", "zoe", "")
    for name in ("s80", "s81"):
        yield f.ContactArrived(later(), name, "800", name, last_agent="zoe", last_at=at)
    yield f.TimerFired(later(60.0), "reserve:s81")
    for name in ("s80", "s81"):
        yield f.HungUp(later(), name)

    # A queue that has taught how long conversations take, and how many come; then its one agent goes: widened by
    # length and by time, agents lent, one of them taken back.
    yield f.BalancingChanged(later(), Balancing(every=5.0))
    for number in range(30):
        yield f.ContactArrived(later(10.0), f"s9{number}", "801", f"s9{number}")
        yield f.Answered(later(), f"s9{number}", f"s9{number}.1")
        yield f.HungUp(later(60.0), f"s9{number}")
    for number in range(3):
        yield f.ContactArrived(later(), f"s7{number}", "801", f"s7{number}")
    for _ in range(40):
        later(6.0)
        yield f.TimerFired(at, "widen:s70")
        yield f.TimerFired(at, "balance:")
    for name in ("zoe", "yan"):
        yield f.LoanEndAsked(later(), name, "second")
    yield f.BalanceAsked(later(), False)
    for number in range(3):
        yield f.HungUp(later(), f"s7{number}")
