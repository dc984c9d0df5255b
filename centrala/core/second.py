"""A consultation by a telephone with two calls: one with the customer, a second one with whoever is asked.

    owner's phone ── first leg ──── customer        (on hold, by the phone or by button)
                  └─ second leg ─── the one who is asked

Both calls belong to one contact, so that records, supervisors and pages see what happens. In the consultation the
owner's place is the second leg. Rules:

* Whoever is asked leaves (busy, hangs up, is dropped): the second call is over, the customer waits for the first.
* The second call is hung up: whoever was asked is dropped, unless they joined the conference meanwhile.
* The first call is hung up: the owner has left, and the customer goes on with whoever was asked (`owner_gone`).
* The phone joins them (REFER with Replaces, RFC 5589, 7): the same, and the phone is told that it went well.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.contact import destination, impossible, owner_gone
from centrala.core.conversation import ring_party
from centrala.core.decision import Decision, refused
from centrala.core.specs import Destination
from centrala.core.state import Centre, Contact
from centrala.core.two_calls import let_go


def may_ask(centre: Centre, contact: Contact, agent: str) -> bool:
    """Whether a call of this agent's phone is a consultation now: their customer is on hold, nobody is asked."""
    return (
        contact.leg_agent == agent
        and contact.leg is not None
        and contact.state == "held"
        and contact.customer
        and contact.consult is None
        and contact.second is None
    )


def second_call(centre: Centre, fact: f.SecondCall) -> Decision:
    contact, agent = centre.contacts.get(fact.contact), centre.agents.get(fact.agent)
    cause, to = "declined", None
    if contact is not None and agent is not None and may_ask(centre, contact, fact.agent):
        to = Destination("line") if fact.outside else destination(centre, fact.number)
        if to is not None and to.kind == "queue" and to.name in centre.queues:
            idle = centre.queues[to.name].idle
            to, cause = (Destination("agent", idle[0][3]), "") if idle else (to, "busy")
        else:
            cause = impossible(centre, to) if to is None or to.kind in ASKABLE else "declined"
    if contact is None or to is None or cause:
        return [e.Refused(fact.at, "SecondCall", cause, fact.leg)], [c.Refuse(fact.contact, cause, fact.leg)]
    rung, commands = ring_party(contact, to, "consult", None, fact.at)
    return [e.SecondLeg(fact.at, contact.id, fact.leg, fact.agent, rung.leg), rung], commands


ASKABLE = ("agent", "phone", "line")


def attended_asked(centre: Centre, fact: f.AttendedAsked) -> Decision:
    contact = centre.contacts.get(fact.contact)
    second = contact.second if contact is not None else None
    either = (second.owner, second.leg if second.talking else "") if second is not None else ()
    if contact is None or second is None or fact.leg not in either or contact.leg != second.owner:
        cause = "declined"
        return [e.Refused(fact.at, "AttendedAsked", cause, fact.leg)], [
            c.RefuseTransfer(fact.contact, fact.leg, cause)
        ]
    events, commands = owner_gone(centre, contact, "transferred", fact.at, hang_up=False)
    if fact.leg == second.leg:
        gone: e.Event = e.SecondLeft(fact.at, contact.id, second.leg, second.agent, "transferred")
        others: list[c.Command] = [c.HangUp(contact.id, second.owner, "transferred")]
    else:
        gone, others = let_go(contact, second, "transferred", fact.at)
    return [gone, *events], [c.AcceptTransfer(contact.id, fact.leg), *others, *commands]


def unneeded(centre: Centre, event: e.PartyLeft | e.HandedOver) -> Decision:
    """Whoever was asked is gone, or the owner is: the second call has nobody at its other end."""
    contact = centre.contacts.get(event.contact)
    second = contact.second if contact is not None else None
    if contact is None or second is None:
        return [], []
    if contact.leg == second.owner and second.asked in contact.parties:
        return [], []
    gone, commands = let_go(contact, second, event.why, event.at)
    return [gone], commands


def put_on_hold(centre: Centre, fact: f.PutOnHold | f.TakenOffHold) -> Decision | None:
    """What a phone does with its second call; None where the fact is about another one."""
    contact = centre.contacts.get(fact.contact)
    second = contact.second if contact is not None else None
    if contact is None or second is None or second.leg != fact.leg:
        return None
    held = isinstance(fact, f.PutOnHold)
    if held == second.held or not second.talking:
        return refused(fact, "on hold already" if held else "not on hold", fact.leg)
    return [e.SecondHeld(fact.at, contact.id, fact.leg, held)], []
