"""An owner joins one after the other: colleagues, a fixed telephone, somebody outside. Six parties, by their tones."""

from contextlib import ExitStack

import pytest
from bench import Line, Sipp, ports
from test_queue_call import only
from test_who_hears_whom import HERTZ, MUSIC, House, house

pytestmark = pytest.mark.peer

OUTSIDE = "+48600700800"


def all_together(h: House, *people: str) -> None:
    """Each hears everybody else, and nobody hears themself."""
    h.hear(**{one: " ".join(other for other in people if other != one) for one in people})


def test_six_parties_join_one_after_the_other_and_leave_again() -> None:
    carrier, fixed = ports.free_sip(), ports.free_sip()
    patience = {"patience_ms": 120000}
    with (
        Line(hertz=HERTZ["outside"]) as far,
        Sipp("uas_answer", local_port=carrier, line=far, settings=patience, timeout=150) as remote,
        Line(hertz=HERTZ["clara"]) as desk,
        Sipp("uas_answer", local_port=fixed, line=desk, settings=patience, timeout=150) as clara,
        house(carrier=carrier, clara=fixed) as h,
        ExitStack() as stack,
    ):
        sipp, _ = h.call(stack)
        h.ears |= {"outside": far, "clara": desk}
        together = ["customer", "alice"]
        for one, number in (("boris", "boris"), ("clara", "clara"), ("outside", OUTSIDE), ("sofia", "sofia")):
            h.asks("alice", "consult", to=number)
            h.hear(alice=one, **{one: "alice"})
            others = [who for who in together if who != "alice"]
            if len(others) == 1:
                h.hear(customer=MUSIC)
            else:  # those who are in it go on while somebody else is asked
                all_together(h, *others)
            h.asks("alice", "conference")
            together.append(one)
            all_together(h, *together)
        parties = h.desk("alice")["contact"]["parties"]
        assert [one["role"] for one in parties] == ["agent", "member", "member", "member", "member"]
        assert {one["state"] for one in parties} == {"talking"}

        h.asks("alice", "drop", leg=next(one["leg"] for one in parties if one["agent"] == "clara"))
        clara.wait_for("BYE", sent=False)
        together.remove("clara")
        all_together(h, *together)
        h.asks("alice", "leave")  # whoever leaves gives the others to a colleague
        h.phones["alice"].wait_closed()
        together.remove("alice")
        all_together(h, *together)
        owner = h.desk("boris")["contact"]["agent"] or h.desk("sofia")["contact"]["agent"]
        assert owner in ("boris", "sofia")
        h.centre.kill9()
        h.centre.restart()
        all_together(h, *together)
        h.asks(owner, "hang-up")
        sipp.wait()
        remote.wait_for("BYE", sent=False)
        record = only(h.centre.wait_contacts(1))
        assert record["outcome"] == "answered"
