"""Decisions about what agents and supervisors ask for on their pages, in a conversation that runs.

    active ◄─ Hold, Resume ─► held          the owner with the customer, or aside
    ConsultAsked: held + one who is asked   Swap: customer ◄► the one who is asked
    Complete: the asked one owns it         Conference: all together
    Supervise: listen ◄► whisper ◄► barge, take over

Whatever can't be is `Refused` with a sentence that is shown to whoever asked. Who hears whom follows from the events:
`centre.FOLLOW` says the whole mix anew.
"""

from typing import Protocol

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.acd import DIRECT_RING
from centrala.core.contact import (
    destination,
    end,
    hand_over,
    impossible,
    out,
    owner_gone,
    take_over,
)
from centrala.core.decision import Decision, refused
from centrala.core.offers import offer_over, stop_ringing
from centrala.core.specs import Destination, Mode, Role
from centrala.core.state import Centre, Contact, Party

NOT_IN_IT = "You are not in this conversation."
NOT_YOURS = "This is not your conversation: only its owner can do that."
PHONE_HOLDS = "Your phone holds the call itself: take it off hold there first."
TWO_CALLS = "Your phone has two calls: change between them there."
ALONE = "There is nobody else in this conversation."
WHY_NOT = {
    "not_found": "There is no such number, agent or queue.",
    "unavailable": "Their phone can't be reached.",
    "busy": "They are in a call.",
    "declined": "No call can go there.",
}


class Asked(Protocol):
    """A fact by which an agent asks for something in a contact."""

    @property
    def at(self) -> float: ...
    @property
    def contact(self) -> str: ...
    @property
    def agent(self) -> str: ...


def _mine(centre: Centre, fact: Asked) -> tuple[Contact, Party] | None:
    """The contact and the asking agent's own part in it, if they are in."""
    contact, agent = centre.contacts.get(fact.contact), centre.agents.get(fact.agent)
    if contact is None or agent is None or contact.state == "wrap_up":
        return None
    party = contact.parties.get(agent.calls.get(contact.id, ""))
    return None if party is None else (contact, party)


def owned(centre: Centre, fact: Asked) -> tuple[Contact, Party] | str:
    """The same for the owner of a conversation that runs; else why not."""
    found = _mine(centre, fact)
    if found is None:
        return NOT_IN_IT
    contact, party = found
    if party.leg != contact.leg:
        return NOT_YOURS
    if contact.interlude is not None:
        return "The customer is in a step of their own: wait, or bring them back."
    if contact.state not in ("active", "held"):
        return "Nobody has answered yet."
    if contact.absent:
        return "The customer isn't on the line."
    return contact, party


# --- hold, mute ---


def hold_asked(centre: Centre, fact: f.HoldAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, me = found
    if contact.state == "held":
        return refused(fact, "The customer is on hold already.", fact.agent)
    return [e.Held(fact.at, contact.id, me.leg, asked=True)], []


def resume_asked(centre: Centre, fact: f.ResumeAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, me = found
    if me.held:
        return refused(fact, PHONE_HOLDS, fact.agent)
    if contact.state != "held":
        return refused(fact, "The customer is not on hold.", fact.agent)
    return [e.Resumed(fact.at, contact.id, me.leg, asked=True)], []


def mute_asked(centre: Centre, fact: f.MuteAsked) -> Decision:
    found = _mine(centre, fact)
    if found is None:
        return refused(fact, NOT_IN_IT, fact.agent)
    contact, me = found
    if me.muted == fact.muted:
        return [], []
    return [e.Muted(fact.at, contact.id, me.leg, fact.muted)], []


# --- the end, for all or for oneself ---


def hang_up_asked(centre: Centre, fact: f.HangUpAsked) -> Decision:
    """The owner, or an agent who called inside the house, ends it for all; others leave; what rings is declined."""
    contact, agent = centre.contacts.get(fact.contact), centre.agents.get(fact.agent)
    if contact is None or agent is None or contact.state == "wrap_up":
        return refused(fact, NOT_IN_IT, fact.agent)
    leg = next((leg for leg, name in agent.offers.items() if name == contact.id), None)
    if leg is not None and leg in contact.parties:
        return stop_ringing(centre, contact.id, leg, fact.agent, "declined", fact.at)
    if leg is not None:
        events, commands = offer_over(centre, contact, contact.offers[leg], "refused", "declined", fact.at)
        return events, [c.CancelRing(contact.id, leg), *commands]
    leg = agent.calls.get(contact.id)
    if leg is None:
        return refused(fact, NOT_IN_IT, fact.agent)
    if leg and leg != contact.leg:
        return out(centre, contact, contact.parties[leg], "hung up", fact.at)
    if leg and contact.interlude is not None:
        return owner_gone(centre, contact, "hung up", fact.at, hang_up=True)
    return end(centre, contact, "agent" if leg else "caller", "hung up", fact.at)


def leave_asked(centre: Centre, fact: f.LeaveAsked) -> Decision:
    found = _mine(centre, fact)
    if found is None:
        return refused(fact, NOT_IN_IT, fact.agent)
    contact, me = found
    if me.leg != contact.leg:
        return out(centre, contact, me, "left", fact.at)
    if not contact.conference:
        return refused(fact, "The customer would be left alone: hand over, or hang up.", fact.agent)
    return owner_gone(centre, contact, "left", fact.at, hang_up=True)


# --- handing over, asking somebody ---


def hand_over_asked(centre: Centre, fact: f.HandOverAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, _ = found
    if contact.consult is not None:
        return refused(fact, "You are asking somebody: complete or end that first.", fact.agent)
    if contact.conference:
        return refused(fact, "Others are in the conversation: leave it instead.", fact.agent)
    to = Destination("line") if fact.outside else destination(centre, fact.number)
    why_not = impossible(centre, to)
    if to is None or why_not:
        return refused(fact, WHY_NOT[why_not], fact.agent)
    assert contact.leg is not None
    leg = contact.leg
    events, commands = hand_over(centre, contact, to, fact.at)
    return events, [c.HangUp(contact.id, leg, "transferred"), *commands]


def consult_asked(centre: Centre, fact: f.ConsultAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, me = found
    if contact.consult is not None:
        return refused(fact, "You are asking somebody already.", fact.agent)
    if me.held:
        return refused(fact, PHONE_HOLDS, fact.agent)
    to = Destination("line") if fact.outside else destination(centre, fact.number)
    if to is not None and to.kind == "queue":
        queue = centre.queues.get(to.name)
        if queue is not None and not queue.idle:
            return refused(fact, "Nobody of that queue is free.", fact.agent)
        to = None if queue is None else Destination("agent", queue.idle[0][3])
    why_not = "declined" if to is not None and to.kind == "music" else impossible(centre, to)
    if to is None or why_not:
        return refused(fact, WHY_NOT[why_not], fact.agent)
    events: list[e.Event] = []
    if contact.state == "active":
        events.append(e.Held(fact.at, contact.id, me.leg, asked=True))
    rung, commands = ring_party(contact, to, "consult", None, fact.at)
    return [*events, rung], commands


def ring_party(
    contact: Contact, to: Destination, role: Role, mode: Mode | None, at: float
) -> tuple[e.PartyRung, list[c.Command]]:
    leg = f"{contact.id}.{contact.legs + 1}"
    until = at + DIRECT_RING
    agent = to.name if to.kind == "agent" else None
    return e.PartyRung(at, contact.id, leg, role, agent, until, mode), [
        c.Ring(contact.id, leg, to, DIRECT_RING, auto=role == "supervisor"),
        c.SetTimer(f"offer:{leg}", until),
    ]


def _asked(centre: Centre, fact: Asked) -> tuple[Contact, Party, Party] | str:
    """The contact, its owner and the one who was asked and has answered; else why not."""
    found = owned(centre, fact)
    if isinstance(found, str):
        return found
    contact, me = found
    if contact.consult is None:
        return "You are asking nobody."
    if me.held and contact.second is None:
        return PHONE_HOLDS
    if contact.consult.state != "talking":
        return "They haven't answered yet."
    return contact, me, contact.consult


def swap_asked(centre: Centre, fact: f.SwapAsked) -> Decision:
    found = _asked(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, me, _ = found
    if contact.second is not None:
        return refused(fact, TWO_CALLS, fact.agent)
    kind = e.Held if contact.state == "active" else e.Resumed
    return [kind(fact.at, contact.id, me.leg, asked=True)], []


def complete_asked(centre: Centre, fact: f.CompleteAsked) -> Decision:
    """To one who hasn't answered yet, it becomes a blind transfer: see `contact.owner_gone`."""
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, _ = found
    if contact.consult is None:
        return refused(fact, "You are asking nobody.", fact.agent)
    if contact.conference:
        return refused(fact, "Others are in the conversation: leave it instead.", fact.agent)
    return owner_gone(centre, contact, "transferred", fact.at, hang_up=True)


def conference_asked(centre: Centre, fact: f.ConferenceAsked) -> Decision:
    found = _asked(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, me, asked = found
    events: list[e.Event] = []
    if contact.state == "held":
        events.append(e.Resumed(fact.at, contact.id, me.leg, asked=True))
    return [*events, e.RoleChanged(fact.at, contact.id, asked.leg, asked.agent, "member")], []


def drop_asked(centre: Centre, fact: f.DropAsked) -> Decision:
    found = owned(centre, fact)
    if isinstance(found, str):
        return refused(fact, found, fact.agent)
    contact, _ = found
    party = contact.parties.get(fact.leg)
    if party is None or party.leg == contact.leg:
        return refused(fact, "They are not in this conversation.", fact.agent)
    if party.role == "supervisor":
        return refused(fact, "A supervisor leaves by themselves.", fact.agent)
    return out(centre, contact, party, "dropped", fact.at)


# --- supervisors ---


def supervise_asked(centre: Centre, fact: f.SuperviseAsked) -> Decision:
    contact, agent = centre.contacts.get(fact.contact), centre.agents.get(fact.agent)
    if contact is None or contact.leg is None or contact.state not in ("active", "held") or contact.absent:
        return refused(fact, "Nobody talks in this contact.", fact.contact)
    if agent is None:
        return refused(fact, "You have no phone here: sign in as an agent, too.", fact.agent)
    party = next((one for one in contact.parties.values() if one.agent == fact.agent), None)
    if party is not None and party.role != "supervisor":
        return refused(fact, "You take part in this conversation.", fact.agent)
    if fact.mode == "off":
        if party is None:
            return refused(fact, NOT_IN_IT, fact.agent)
        return out(centre, contact, party, "left", fact.at)
    if party is None:
        why_not = impossible(centre, Destination("agent", fact.agent))
        if why_not:
            busy = why_not == "busy"
            return refused(
                fact,
                "You are in a call." if busy else "Your phone can't be reached: connect it first.",
                fact.agent,
            )
        rung, commands = ring_party(
            contact, Destination("agent", fact.agent), "supervisor", fact.mode, fact.at
        )
        return [rung], commands
    if fact.mode == "take_over" and party.state == "talking":
        return take_over(centre, contact, party, fact.at)
    if fact.mode == party.mode:
        return [], []
    return [e.RoleChanged(fact.at, contact.id, party.leg, party.agent, "supervisor", fact.mode)], []
