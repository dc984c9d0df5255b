"""Decisions about contacts: the life of one contact of any medium, fact by fact.

    new ──────► queued ◄──► offered ──► active ◄──► held
     │            │            │           │
     │            ▼            ▼           ▼
     └────────► (ended: refused, abandoned, failed, answered) ──► wrap-up ──► closed

Each function reads `(state of the contact, fact)` and answers with events and commands. What the new state makes
possible (an offer, the next caller) follows in `centre.FOLLOW`.
"""

from centrala.core import briefing, callbacks, owed, survey
from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.acd import (
    DIRECT_RING,
    UNAVAILABLE,
    direct,
    way_out,
)
from centrala.core.announce import hushed
from centrala.core.calendar import is_open
from centrala.core.decision import Decision, refused, turn_away
from centrala.core.flow import run as flow
from centrala.core.flow import steps
from centrala.core.flow.position import back
from centrala.core.mix import bridge
from centrala.core.offers import gave_up, offer_over, rings, stop_ringing
from centrala.core.specs import Destination
from centrala.core.state import Agent, Centre, Contact, Party, joins
from centrala.core.two_calls import let_go, met


def arrived(centre: Centre, fact: f.ContactArrived) -> Decision:
    if fact.contact in centre.contacts:
        return refused(fact, "known already", fact.contact)
    direction = "inbound" if fact.agent is None else "outbound" if fact.outside else "internal"
    events: list[e.Event] = []
    commands: list[c.Command] = []
    caller = centre.agents.get(fact.agent) if fact.agent is not None else None
    if caller is not None:
        for leg, name in caller.offers.items():
            more, asked = stop_ringing(centre, name, leg, fact.agent, "agent calls", fact.at)
            events += more
            commands += asked
    outside = fact.agent is not None and fact.outside
    dialled = "" if fact.outside else fact.dialled
    leg = f"{fact.contact}.1" if outside else ""
    events.append(
        e.ContactBegan(
            fact.at,
            fact.contact,
            fact.medium,
            direction,
            fact.party,
            dialled,
            fact.agent,
            fact.priority,
            leg,
            caller=fact.caller,
            last_agent=fact.last_agent,
            last_at=fact.last_at,
            preferred=fact.preferred,
        )
    )
    return events, commands


def dial_asked(centre: Centre, fact: f.DialAsked) -> Decision:
    """Click to call: the agent's own phone is rung first, and answers by itself where it can."""
    agent = centre.agents.get(fact.agent)
    if fact.contact in centre.contacts:
        return refused(fact, "This call was asked for already.", fact.contact)
    if agent is None:
        return refused(
            fact, "You are no agent of this centre: calls are made from an agent's phone.", fact.agent
        )
    if not agent.reachable:
        return refused(fact, "Your phone can't be reached: connect it first.", fact.agent)
    if agent.calls:
        return refused(fact, "You are in a call already.", fact.agent)
    if agent.offers:
        return refused(fact, "Your phone rings: answer or decline that call first.", fact.agent)
    if not fact.outside and destination(centre, fact.number) is None:
        return refused(fact, "This number leads nowhere.", fact.contact)
    direction = "outbound" if fact.outside else "internal"
    dialled = "" if fact.outside else fact.number
    began = e.ContactBegan(
        fact.at,
        fact.contact,
        "voice",
        direction,
        fact.contact,
        dialled,
        fact.agent,
        0,
        click=True,
        caller=fact.caller,
    )
    return [began], []


def began(centre: Centre, event: e.ContactBegan) -> Decision:
    contact = centre.contacts[event.contact]
    if event.owed:
        return [], []  # `Booked` follows
    if event.click:
        # Inside the house whoever calls is the customer; outside it is whom they call.
        leg = f"{contact.id}.1" if event.direction == "outbound" else contact.id
        until = event.at + DIRECT_RING
        assert event.agent is not None
        return [e.OfferMade(event.at, contact.id, leg, event.agent, None, until, "own call")], [
            c.Ring(contact.id, leg, Destination("agent", event.agent), DIRECT_RING, auto=True),
            c.SetTimer(f"offer:{leg}", until),
        ]
    if event.direction == "outbound":
        return direct(centre, contact, Destination("line"), event.at)
    to = centre.numbers.get(event.dialled)
    if to is None:
        return turn_away(contact, "not_found", event.at)
    return direct(centre, contact, to, event.at)


def reached(centre: Centre, event: e.Reached) -> Decision:
    """The agent's own phone is picked up: on to whom they want to call."""
    contact = centre.contacts[event.contact]
    if contact.absent:
        return callbacks.ring(centre, contact, event.at)
    to = Destination("line") if event.leg != event.contact else destination(centre, contact.dialled)
    if to is None:
        return turn_away(contact, "not_found", event.at)
    return direct(centre, contact, to, event.at)


def destination(centre: Centre, number: str) -> Destination | None:
    """Where a number, an agent's id or `queue:ID` leads inside the house."""
    if number.startswith("queue:"):
        name = number.removeprefix("queue:")
        return Destination("queue", name) if name in centre.queues else None
    if number in centre.numbers:
        return centre.numbers[number]
    return Destination("agent", number) if number in centre.agents else None


def answered(centre: Centre, fact: f.Answered) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if not fact.leg or (contact is not None and fact.leg == contact.leg):
        return refused(fact, "answered already", fact.leg or fact.contact)
    if contact is not None and fact.leg in contact.parties:
        if not rings(contact, fact.leg):
            return refused(fact, "answered already", fact.leg)
        return joined(centre, contact, contact.parties[fact.leg], fact.at)
    if contact is not None and fact.leg == contact.id and contact.customer:
        return refused(fact, "answered already", fact.leg)
    if contact is None or fact.leg not in contact.offers:
        # The lease is over (expired, cancelled, or somebody else was first): the late one is let go.
        return [e.Refused(fact.at, "Answered", "the offer is over", fact.leg)], [
            c.HangUp(fact.contact, fact.leg, "the offer is over")
        ]
    offer = contact.offers[fact.leg]
    if contact.calling:
        assert offer.agent is not None
        return [e.Reached(fact.at, contact.id, fact.leg, offer.agent)], [c.CancelTimer(f"offer:{fact.leg}")]
    if fact.leg == contact.id:
        return _customer_answered(centre, contact, fact)
    if contact.absent:
        return callbacks.answered(centre, contact, offer, fact.at)
    if contact.briefing is not None:
        return refused(fact, "answered already", fact.leg)
    queue = centre.queues.get(offer.queue) if offer.queue is not None else None
    if queue is not None and queue.spec.brief:
        return briefing.begin(centre, contact, offer, queue, fact.at)
    return briefing.connect(centre, contact, offer, fact.at)


def _customer_answered(centre: Centre, contact: Contact, fact: f.Answered) -> Decision:
    """Whom an agent called, or is to call back."""
    owner = contact.leg
    assert owner is not None
    commands: list[c.Command] = [] if contact.answered else [c.Answer(contact.id, owner)]
    party = contact.parties[owner]
    hears = bridge(contact.id, owner)
    if party.muted:
        hears[contact.id] = {}
    queue = centre.queues.get(contact.leg_queue) if contact.owed and contact.leg_queue is not None else None
    record = queue is not None and queue.spec.record
    recording: list[c.Command] = [c.Record(contact.id, owner)] if record else []
    return [e.Connected(fact.at, contact.id, fact.leg, record)], [
        *commands,
        c.Mix(contact.id, hears),
        *recording,
        c.CancelTimer(f"offer:{fact.leg}"),
    ]


def hung_up(centre: Centre, fact: f.HungUp) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.state == "wrap_up":
        return refused(fact, "over already", fact.leg or fact.contact)
    at, leg = fact.at, fact.leg
    if leg and leg in contact.offers:
        told = contact.briefing is not None and contact.briefing.leg == leg
        return offer_over(centre, contact, contact.offers[leg], "refused" if told else "failed", fact.why, at)
    if leg in ("", contact.id) and contact.absent:
        return refused(fact, "not on the line", contact.id)
    if leg in ("", contact.id):
        return end(centre, contact, "caller", fact.why, at, gone=contact.id)
    second = contact.second
    if second is not None and leg == second.leg:
        gone = e.SecondLeft(at, contact.id, leg, second.agent, fact.why)
        asked = contact.consult
        events, commands = out(centre, contact, asked, "dropped", at) if asked is not None else ([], [])
        return [gone, *events], commands
    party = contact.parties.get(leg)
    if party is None and leg != contact.leg:
        return refused(fact, "not in the conversation", leg)
    if party is not None and party.state == "ringing":
        return gave_up(centre, contact, leg, fact.why, at)
    if leg != contact.leg:
        assert party is not None
        return out(centre, contact, party, fact.why, at, hang_up=False)
    return owner_gone(centre, contact, fact.why, at, hang_up=False)


def owner_gone(centre: Centre, contact: Contact, why: str, at: float, *, hang_up: bool) -> Decision:
    """The owner leaves; the customer must not stand alone if anybody can take over.

    Who talks with the customer already (a member, a supervisor who barged in) goes on as the owner; else the one who
    was asked and has answered meets the customer; else the one whose phone still rings gets the customer when they
    answer, as in a blind transfer. Without any of them the contact ends: whoever wants it otherwise hands over first.
    """
    if contact.interlude is not None:
        return _leaves_interlude(centre, contact, why, at, hang_up=hang_up)
    if len(contact.parties) == 1:
        return end(centre, contact, "agent", why, at, gone="" if hang_up else contact.leg)
    heirs = [party for party in contact.parties.values() if joins(party)]
    heirs.sort(key=lambda party: party.agent is None)
    asked = contact.consult
    if not heirs and asked is not None and asked.state == "talking":
        heirs = [asked]
    if contact.state not in ("active", "held") or contact.leg is None or (not heirs and asked is None):
        return end(centre, contact, "agent", why, at, gone="" if hang_up else contact.leg)
    owner = contact.parties[contact.leg]
    if not heirs and asked is not None:
        events, commands = freed(centre, contact, owner, at)
        if hang_up:
            commands.insert(0, c.HangUp(contact.id, owner.leg, why))
        more, alone = without_supervisors(centre, contact, at)
        to = Destination("agent", asked.agent) if asked.agent is not None else Destination("line")
        return [*events, *more, e.HandedOver(at, contact.id, asked.leg, why, to)], [*commands, *alone]
    events, commands = out(centre, contact, owner, why, at, hang_up=hang_up)
    if asked is not None and asked.state == "ringing":
        more, stopped = stop_ringing(centre, contact.id, asked.leg, asked.agent, "who asked left", at)
        events += more
        commands += stopped
    return [*events, *becomes_owner(contact, heirs[0].leg, heirs[0].agent, at)], commands


def _leaves_interlude(centre: Centre, contact: Contact, why: str, at: float, *, hang_up: bool) -> Decision:
    """The customer finishes what they do in the flow, as after a blind transfer to it."""
    assert contact.interlude is not None
    assert contact.leg is not None
    owner = contact.parties[contact.leg]
    events, commands = freed(centre, contact, owner, at)
    if hang_up:
        commands.insert(0, c.HangUp(contact.id, owner.leg, why))
    more, alone = without_supervisors(centre, contact, at)
    left = e.InterludeLeft(at, contact.id, owner.leg, owner.agent, contact.interlude.flow)
    return [*events, *more, left], [*commands, *alone]


def becomes_owner(contact: Contact, leg: str, agent: str | None, at: float) -> list[e.Event]:
    """A party takes the place of the owner, who is out; the customer is off hold."""
    events: list[e.Event] = []
    if contact.state == "held":
        events.append(e.Resumed(at, contact.id, leg, asked=True))
    return [*events, e.RoleChanged(at, contact.id, leg, agent, "agent")]


def out(
    centre: Centre, contact: Contact, party: Party, why: str, at: float, *, hang_up: bool = True
) -> Decision:
    """A party is out of a contact that goes on."""
    if party.state == "ringing":
        return stop_ringing(centre, contact.id, party.leg, party.agent, why, at)
    events, commands = freed(centre, contact, party, at)
    if hang_up:
        commands.insert(0, c.HangUp(contact.id, party.leg, why))
    return [e.PartyLeft(at, contact.id, party.leg, party.agent, why), *events], commands


def without_supervisors(centre: Centre, contact: Contact, at: float) -> Decision:
    """Whoever supervises is let go: there is nobody to supervise."""
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for party in contact.parties.values():
        if party.role == "supervisor":
            more, asked = out(centre, contact, party, "the agent left", at)
            events += more
            commands += asked
    return events, commands


def joined(centre: Centre, contact: Contact, party: Party, at: float) -> Decision:
    """Somebody who was asked to join picked up."""
    more, asked = met(contact, party.leg, at)
    events: list[e.Event] = [*more, e.PartyAnswered(at, contact.id, party.leg)]
    commands: list[c.Command] = [*asked, c.CancelTimer(f"offer:{party.leg}")]
    if party.mode == "take_over":
        more, asked = take_over(centre, contact, party, at)
        return [*events, *more], [*commands, *asked]
    return events, commands


def take_over(centre: Centre, contact: Contact, party: Party, at: float) -> Decision:
    """The supervisor becomes the owner; the agent is out and in wrap-up. Whom the agent has asked stays."""
    assert contact.leg is not None
    events, commands = out(centre, contact, contact.parties[contact.leg], "taken over", at)
    return [*events, *becomes_owner(contact, party.leg, party.agent, at)], commands


def _outcome(centre: Centre, contact: Contact, at: float) -> e.Outcome:
    """What became of a contact whose party (or partner) hangs up now."""
    if contact.redirected and contact.served:
        return "redirected"
    if contact.served:
        return "answered"
    if contact.left:
        return contact.left
    if contact.state == "flow":
        return "left_menu"
    queue = centre.queues.get(contact.queue) if contact.queue is not None else None
    if queue is not None and at - contact.since < queue.spec.short_abandon:
        return "short_abandoned"
    return "abandoned"


def end(
    centre: Centre, contact: Contact, by: str, cause: str, at: float, *, gone: str | None = ""
) -> Decision:
    """The contact is over: everybody but `gone`, who has hung up, is hung up."""
    if contact.absent and not contact.served:  # what is owed doesn't end by an agent who leaves
        return callbacks.agent_left(centre, contact, at, hang_up=gone != contact.leg)
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for leg, offer in contact.offers.items():
        events.append(e.OfferEnded(at, contact.id, leg, offer.agent, "cancelled", "caller left"))
        commands += [c.CancelRing(contact.id, leg), c.CancelTimer(f"offer:{leg}")]
    if contact.queue is not None:
        commands.append(c.CancelTimer(f"wait:{contact.id}"))
    if contact.slot:
        commands.append(c.CancelTimer(f"park:{contact.id}"))
    commands += [*steps.left(centre, contact), *hushed(contact), *briefing.hushed(contact)]
    if contact.second is not None:
        over, letting = let_go(contact, contact.second, cause, at)
        events.append(over)
        commands += letting
    if contact.leg is not None and gone != contact.leg:
        # The phone of an agent who calls somebody outside, and isn't answered by us yet, is refused instead.
        commands.append(
            c.HangUp(contact.id, contact.leg, cause)
            if contact.answered
            else c.Refuse(contact.id, "declined", contact.leg)
        )
    stays = survey.goes_on(centre, contact, at) if by == "agent" else None
    if contact.customer and gone != contact.id and stays is None:
        commands.append(
            c.HangUp(contact.id, "", cause) if contact.answered else c.Refuse(contact.id, "declined")
        )
    if contact.leg is not None:
        known = contact.parties[contact.leg]
        more, asked = freed(centre, contact, known, at)
        events += more
        commands += asked
        if len(contact.parties) > 1:
            for leg, party in contact.parties.items():
                if leg == contact.leg:
                    continue
                more, asked = out(centre, contact, party, cause, at, hang_up=leg != gone)
                events += more
                commands += asked
    if contact.agent is not None and contact.leg_agent != contact.agent:
        events.append(e.AgentFreed(at, contact.agent, contact.id))
    if stays is not None:
        return [*events, *stays], commands
    if contact.pause is not None:
        commands.append(c.CancelTimer(f"pause:{contact.id}"))
    outcome = _outcome(centre, contact, at)
    events.append(e.ContactEnded(at, contact.id, outcome, by, cause))  # type: ignore[arg-type]
    if outcome == "abandoned":
        events += owed.abandoned(centre, contact, at)
    return events, commands


def freed(centre: Centre, contact: Contact, party: Party, at: float) -> Decision:
    """The party's agent is out of it. Who has talked with the customer has after-call work, if the queue gives any."""
    agent = centre.agents.get(party.agent) if party.agent is not None else None
    if agent is None or agent.calls.get(contact.id) != party.leg:
        return [], []  # removed since; perhaps configured anew under the same name
    queue = centre.queues.get(contact.leg_queue) if contact.leg_queue is not None else None
    if queue is None or queue.spec.wrap_up <= 0 or party.role not in ("agent", "member"):
        return [e.AgentFreed(at, agent.spec.id, contact.id)], []
    events: list[e.Event] = []
    if agent.wrap is not None:
        events.append(e.WrapUpEnded(at, agent.spec.id, agent.wrap))
    until = at + queue.spec.wrap_up
    events.append(e.WrapUpBegan(at, agent.spec.id, contact.id, until))
    return events, [c.SetTimer(f"wrap:{agent.spec.id}", until)]


def wait_over(centre: Centre, name: str, at: float) -> Decision:
    contact = centre.contacts.get(name)
    if contact is None or contact.queue is None or contact.leg is not None or contact.state == "wrap_up":
        return [], []
    if contact.absent:
        return [], []
    queue = centre.queues.get(contact.queue)
    if queue is None or queue.spec.max_wait is None:
        return [], []
    if contact.offers:
        # A phone rings already: let it finish, then look again.
        until = max(offer.until for offer in contact.offers.values())
        return [], [c.SetTimer(f"wait:{name}", max(until, at) + 0.1)]
    if at < contact.queued_at + queue.spec.max_wait:
        # The timer of a queue that the contact has left, or the limit was raised meanwhile.
        return [], [c.SetTimer(f"wait:{name}", contact.queued_at + queue.spec.max_wait)]
    to = queue.spec.after_max_wait or UNAVAILABLE
    return way_out(centre, contact, contact.queue, "max_wait", to, at)


def overflowed(centre: Centre, event: e.Overflowed) -> Decision:
    contact = centre.contacts[event.contact]
    if event.why == "key" and event.to.kind == "flow" and event.to.name:
        return flow.by_key(centre, contact, event.to.name, event.at)
    if event.to.kind == "flow" and not event.to.name:
        node = back(centre, contact, event.exit or event.why, event.at)
        return ([node], []) if node is not None else turn_away(contact, "unavailable", event.at)
    outside = event.to.kind == "phone"
    return direct(centre, contact, event.to, event.at, redirected=outside)


def put_on_hold(centre: Centre, fact: f.PutOnHold) -> Decision:
    """A phone holds us by itself. The owner's: the customer hears music; anybody else's: they alone step aside."""
    contact = centre.contacts.get(fact.contact)
    if contact is None or fact.leg not in contact.parties:
        return refused(fact, "not in the conversation", fact.leg)
    if contact.state not in ("active", "held") and contact.interlude is None:
        return refused(fact, "not in the conversation", fact.leg)
    party = contact.parties[fact.leg]
    if party.held or party.state != "talking":
        return refused(fact, "on hold already" if party.held else "not in the conversation", fact.leg)
    if fact.leg == contact.leg and contact.state == "active":
        return [e.Held(fact.at, contact.id, fact.leg)], []
    return [e.PhoneHeld(fact.at, contact.id, fact.leg, True)], []


def taken_off_hold(centre: Centre, fact: f.TakenOffHold) -> Decision:
    contact = centre.contacts.get(fact.contact)
    party = contact.parties.get(fact.leg) if contact is not None else None
    if contact is None or party is None or not party.held:
        return refused(fact, "not on hold", fact.leg)
    back = contact.consult is None or contact.second is not None
    if fact.leg == contact.leg and contact.state == "held" and back:
        return [e.Resumed(fact.at, contact.id, fact.leg)], []
    return [e.PhoneHeld(fact.at, contact.id, fact.leg, False)], []


def transfer_asked(centre: Centre, fact: f.TransferAsked) -> Decision:
    """Blind transfer by the owner's phone (RFC 3515); a target that can't be is refused first."""
    contact = centre.contacts.get(fact.contact)
    here = contact is not None and contact.state in ("active", "held") and not contact.absent
    if contact is None or not here or not fact.leg or fact.leg != contact.leg:
        cause = "not in the conversation"
        return [e.Refused(fact.at, "TransferAsked", cause, fact.leg)], [
            c.RefuseTransfer(fact.contact, fact.leg, cause)
        ]
    to = Destination("line") if fact.outside else destination(centre, fact.number)
    cause = "declined" if contact.consult or contact.conference else impossible(centre, to)
    if to is None or cause:
        return [e.Refused(fact.at, "TransferAsked", cause, fact.leg)], [
            c.RefuseTransfer(contact.id, fact.leg, cause)
        ]
    events, commands = hand_over(centre, contact, to, fact.at)
    return events, [c.AcceptTransfer(contact.id, fact.leg), *commands]


def hand_over(centre: Centre, contact: Contact, to: Destination, at: float) -> Decision:
    """The agent is free at once, the contact goes on. If nobody takes it, it comes back: see `offer_ended`."""
    assert contact.leg is not None
    owner = contact.parties[contact.leg]
    events, commands = freed(centre, contact, owner, at)
    more, asked = without_supervisors(centre, contact, at)
    return [*events, *more, e.Released(at, contact.id, contact.leg, "transferred", to)], [*commands, *asked]


def sent_on(centre: Centre, event: e.Released | e.Recalled | e.FlowLeft) -> Decision:
    return direct(centre, centre.contacts[event.contact], event.to, event.at)


def impossible(centre: Centre, to: Destination | None) -> str:
    """Why nobody can be sent there now, empty when it can be."""
    if to is None:
        return "not_found"
    if to.kind == "queue" and to.name not in centre.queues:
        return "not_found"
    if to.kind == "agent":
        agent: Agent | None = centre.agents.get(to.name)
        if agent is None or not agent.reachable:
            return "unavailable"
        if agent.calls or agent.offers:
            return "busy"
    return "declined" if to.kind == "hang_up" else ""


def moved(centre: Centre, fact: f.ContactMoved) -> Decision:
    """A supervisor sends somebody who waits to another queue; what rings for them is called back."""
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.state not in ("queued", "offered") or contact.queue is None:
        return refused(fact, "They don't wait any more.", fact.contact)
    queue = centre.queues.get(fact.queue)
    if queue is None:
        return refused(fact, "There is no such queue.", fact.queue)
    if fact.queue == contact.queue:
        return refused(fact, "They wait in this queue already.", fact.contact)
    if not is_open(queue.spec.open_at, fact.at):
        return refused(fact, "This queue is closed now.", fact.queue)
    if contact.absent:
        return callbacks.moved(centre, contact, fact.queue, fact.at)
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for leg, offer in contact.offers.items():
        more, asked = stop_ringing(centre, contact.id, leg, offer.agent, "moved", fact.at)
        events += more
        commands += asked
    more, asked = way_out(centre, contact, contact.queue, "moved", Destination("queue", fact.queue), fact.at)
    return [*events, *more], [*commands, c.CancelTimer(f"wait:{contact.id}"), *asked]


def raised(centre: Centre, fact: f.ContactRaised) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or contact.state not in ("queued", "offered") or contact.queue not in centre.queues:
        return refused(fact, "They don't wait any more.", fact.contact)
    ageing = centre.queues[contact.queue].spec.ageing
    rank = contact.rank + (contact.priority - fact.priority) * ageing
    return [e.Raised(fact.at, contact.id, fact.priority, rank)], []


def recording_stored(centre: Centre, fact: f.RecordingStored) -> Decision:
    return [e.Recorded(fact.at, fact.contact, fact.path, fact.seconds, fact.expected)], []
