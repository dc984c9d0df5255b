"""A time that a caller chooses by keys in the built-in flow: booked, due, rung, connected; by a clock of our own.

Over the telephone the booking is proven in tests/peer/test_callbacks_voice.py; the nearest time that a centre offers is
a quarter of an hour away, which nobody can wait for there.
"""

from pathlib import Path

import pytest
from test_core_acd import House, queue
from test_core_owed import call, press, reach, sign_in, wheel

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.private import Private
from centrala.core.specs import Callbacks, Destination, FlowSpec
from centrala.ledger import Batch, contacts, open_log
from centrala.settings.house_flows import house_flows

pytestmark = pytest.mark.unit

NUMBER = "+48501000111"


class Written(House):
    """Which keeps all it is told, to be told to a ledger later."""

    def __init__(self) -> None:
        self.facts: list[f.Fact] = []
        super().__init__(
            queue(keys={"1": Destination("flow", "callback")}, callbacks=Callbacks(retry=100.0, attempts=3))
        )
        self.tell(f.FlowPublished, FlowSpec("callback", 1, house_flows()["callback"]))
        self.tell(
            f.SlotsOffered,
            "q",
            ((1900.0, 9), (4700.0, 1), (5600.0, 2)),
            ("soon", "2026-11-22T09:15", "2026-11-22T09:30"),
        )

    def tell(self, fact: object, *args: object, **more: object) -> "Written":
        self.facts.append(fact(self.now, *args, **more))  # type: ignore[operator]
        super().tell(fact, *args, **more)
        return self

    def heard(self, contact: str) -> list[str]:
        """What is said now, which comes to its end."""
        (say,) = [one for one in self.asked if isinstance(one, c.Say)]
        self.tell(f.Said, contact, say.prompt)
        parts = [part for part in say.parts if part.kind != "digits"]
        return [str(one.private.value) if one.private is not None else one.text for one in parts]


def books_second_time(made: Written) -> Written:
    """Rings, presses 1 in the queue, confirms the number, wants a time and takes the second: none within the hour."""
    call(made, "1")
    press(made, "1", "1")
    (errand,) = made.did(c.RunErrand)
    known = {"number.number": NUMBER, "number.last": "111", "number.spoken": "501000111"}
    made.tell(f.ErrandDone, "1", errand.errand, "found", {name: Private(one) for name, one in known.items()})
    assert made.heard("1") == ["builtin:callback_offer", "builtin:callback_keys"]
    press(made, "1", "1")
    assert made.heard("1") == ["builtin:callback_when"]
    press(made, "1", "2")
    assert made.heard("1") == [
        "builtin:callback_press_1", "2026-11-22T09:15", "2026-11-22T09:15",
        "builtin:callback_press_2", "2026-11-22T09:30", "2026-11-22T09:30",
    ]  # fmt: skip
    press(made, "1", "2")
    assert made.heard("1") == [
        "builtin:callback_booked_at", "2026-11-22T09:30", "2026-11-22T09:30", "builtin:goodbye"
    ]  # fmt: skip
    return made


def records(made: Written, data: Path) -> dict[str, dict[str, object]]:
    with open_log(data) as log:
        centre, batch = Centre(), Batch()
        for fact in made.facts:
            batch.step(log, "acme", fact, *step(centre, fact))
        log.append(batch)
        return {str(row["id"]): row for row in contacts(data, include_open=True)}


def test_a_time_that_was_chosen_by_keys_is_kept(tmp_path: Path) -> None:
    made = books_second_time(Written())
    (booked,) = made.seen(e.Booked)
    assert (booked.contact, booked.due, booked.slot) == ("1-cb", 5600.0, 5600.0)
    assert made.centre.queues["q"].taken == {5600.0: 1}
    sign_in(made, "ann")
    assert made.offers() == {}, "an agent is there, and the time isn't"
    assert wheel(made)["owed:1-cb"] == 5600.0
    made.now = 5600.0
    made.fire("owed:1-cb")
    assert made.offers() == {"1-cb.1": "ann"}
    made.after(2).answer("1-cb.1")
    (ring,) = made.did(c.Ring)
    assert ring.number is not None
    assert ring.number.value == NUMBER
    made.after(8)
    reach(made, "1-cb")
    assert made.state("ann") == "on_contact"
    (connected,) = [one for one in made.seen(e.Connected) if one.contact == "1-cb" and one.leg == "1-cb"]
    assert connected.at == 5610.0
    made.after(60).hang_up("1-cb")
    rows = records(made, tmp_path)
    assert rows["1"]["outcome"] == "callback"
    told = rows["1-cb"]
    assert (told["outcome"], told["agent"], told["attempts"], told["origin"]) == ("answered", "ann", 1, "1")
    assert str(told["due_at"]).endswith("01:33:20.000Z"), told["due_at"]


def test_a_second_attempt_leaves_the_time_that_was_agreed_on(tmp_path: Path) -> None:
    made = books_second_time(Written())
    sign_in(made, "ann")
    made.now = 5600.0
    made.fire("owed:1-cb").answer("1-cb.1").after(5)
    made.tell(f.OfferFailed, "1-cb", "1-cb", "busy")
    assert made.seen(e.Booked)[-1].due == 5705.0
    made.now = 5705.0
    made.fire("owed:1-cb")
    (leg,) = made.offers()
    made.answer(leg)
    reach(made, "1-cb").after(10).hang_up("1-cb")
    told = records(made, tmp_path)["1-cb"]
    assert (told["outcome"], told["attempts"]) == ("answered", 2)
    assert str(told["due_at"]).endswith("01:33:20.000Z"), told["due_at"]
