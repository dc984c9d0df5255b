"""The centre of one tenant: `decide(state, fact)`, `evolve(state, event)`, and `step`, which runs them in turn.

`decide` says what a fact means. The table `FOLLOW` says what an event makes possible now that it is true: a queued
contact meets an idle agent, a freed agent meets the first in line, an overflow leads somewhere. Both are pure.
`step` is the one loop around them; live and simulated centres call nothing else. Recovery calls `evolve` alone.
"""

from collections.abc import Callable, Iterator
from typing import Any

from centrala.core import (
    acd,
    agent,
    announce,
    balance,
    briefing,
    callbacks,
    contact,
    conversation,
    interlude,
    keys,
    offers,
    owed,
    parking,
    recording,
    reserved,
    second,
    tiers,
    widening,
)
from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.decision import Decision, refused
from centrala.core.evolve import EVOLVE, evolve
from centrala.core.flow import run as flow
from centrala.core.flow import steps
from centrala.core.learned import wrong
from centrala.core.mix import mix
from centrala.core.state import Centre

__all__ = ["Centre", "decide", "evolve", "step", "timers"]


def step(centre: Centre, fact: f.Fact) -> Decision:
    """Take in one fact: all events, in order, already evolved; and the commands they call for."""
    events, commands = DECIDE[type(fact)](centre, fact)
    change, followed = EVOLVE, FOLLOW
    for event in events:
        change[type(event)](centre, event)
    for event in events:  # grows while it is read
        kind = type(event)
        if kind not in followed:
            continue
        for follow in followed[kind]:
            more, asked = follow(centre, event)
            if more:
                for consequence in more:
                    change[type(consequence)](centre, consequence)
                events += more
            if asked:
                commands += asked
    return events, commands


def decide(centre: Centre, fact: f.Fact) -> Decision:
    """What the fact means in this state. Pure; what follows from the events is not yet in it."""
    return DECIDE[type(fact)](centre, fact)


def timers(centre: Centre) -> Iterator[tuple[str, float]]:
    """Every timer that should be running: what recovery sets, the overdue ones first to fire."""
    for who in centre.contacts.values():
        for offer in who.offers.values():
            yield f"offer:{offer.leg}", offer.until
        for party in who.parties.values():
            if party.state == "ringing":
                yield f"offer:{party.leg}", party.until
        if who.owed:
            moment = owed.timer(centre, who)
            if moment is not None:
                yield f"owed:{who.id}", moment
        if who.slot:
            yield f"park:{who.id}", who.parked_until
        if who.state == "flow" and who.run is not None and who.run.until:
            yield f"flow:{who.id}", who.run.until
        if who.pause is not None and who.pause.until:
            yield f"pause:{who.id}", who.pause.until
        if who.queue in centre.queues and who.state in ("queued", "offered"):
            announced = None if who.absent else centre.queues[who.queue].spec.announce
            if announced is not None and who.state == "queued" and not who.announcing:
                yield f"announce:{who.id}", announce.timer(who, announced)
            limit = centre.queues[who.queue].spec.max_wait
            if limit is not None and not who.absent:
                yield f"wait:{who.id}", who.queued_at + limit
            if who.reserved:
                yield f"reserve:{who.id}", who.reserved_until
            moment = widening.due(centre, who, centre.queues[who.queue].spec)
            if moment is not None:
                yield f"widen:{who.id}", moment
    for name, one in centre.agents.items():
        if one.wrap is not None and not one.overran:
            yield f"wrap:{name}", one.wrap_until
        if one.rest_until is not None:
            yield f"rest:{name}", one.rest_until
    if balance.active(centre) is not None:
        yield balance.TIMER, 0.0


# --- decisions on configuration and time; the others have modules of their own ---


def _queue_changed(centre: Centre, fact: f.QueueChanged) -> Decision:
    known = centre.queues.get(fact.spec.id)
    if known is not None and known.spec == fact.spec:
        return [], []
    commands: list[c.Command] = []
    if known is not None and known.spec.max_wait != fact.spec.max_wait:
        for entry in [*known.waiting, *known.reserved]:
            commands += acd.wait_timer(centre.contacts[entry[2]], fact.spec, fact.at)
    if known is not None and known.spec.announce != fact.spec.announce:
        for entry in [*known.waiting, *known.reserved]:
            commands += announce.await_next(centre.contacts[entry[2]], fact.spec, fact.at)
    if known is not None and known.owed and known.spec.open_at != fact.spec.open_at:
        commands += owed.hours_changed(centre, known, fact.spec, fact.at)
    return [e.QueueDefined(fact.at, fact.spec)], commands


def _queue_removed(centre: Centre, fact: f.QueueRemoved) -> Decision:
    queue = centre.queues.get(fact.queue)
    if queue is None:
        return refused(fact, "no such queue", fact.queue)
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for entry in [*queue.waiting, *queue.reserved]:
        who = centre.contacts[entry[2]]
        if who.absent:
            more, asked = callbacks.queue_removed(centre, who, fact.queue, fact.at)
            events += more
            commands += asked
            continue
        for leg, offer in who.offers.items():
            events.append(e.OfferEnded(fact.at, who.id, leg, offer.agent, "cancelled", "queue removed"))
            commands += [c.CancelRing(who.id, leg), c.CancelTimer(f"offer:{leg}")]
        commands += [c.CancelTimer(f"wait:{who.id}"), *announce.hushed(who)]
        events.append(
            e.Overflowed(fact.at, who.id, fact.queue, "removed", queue.spec.when_no_agents or acd.UNAVAILABLE)
        )
    events += balance.queue_removal(centre, fact.queue, fact.at)
    events.append(e.QueueDropped(fact.at, fact.queue))
    return events, commands


def _agent_changed(centre: Centre, fact: f.AgentChanged) -> Decision:
    known = centre.agents.get(fact.spec.id)
    if known is not None and known.spec == fact.spec:
        return [], []
    if known is None:
        return [e.AgentDefined(fact.at, fact.spec)], []
    events, commands = acd.leaves_alone(centre, known, fact.spec, fact.at)
    return [e.AgentDefined(fact.at, fact.spec), *events], commands


def _agent_removed(centre: Centre, fact: f.AgentRemoved) -> Decision:
    known = centre.agents.get(fact.agent)
    if known is None:
        return refused(fact, "no such agent", fact.agent)
    events, commands = reserved.let_go(centre, known, fact.at, leaving=True)
    for more, asked in (
        agent.removal(centre, known, fact.at),
        acd.leaves_alone(centre, known, None, fact.at),
    ):
        events, commands = [*events, *more], [*commands, *asked]
    return events, commands


def _number_changed(centre: Centre, fact: f.NumberChanged) -> Decision:
    if centre.numbers.get(fact.number) == fact.destination:
        return [], []
    return [e.NumberDefined(fact.at, fact.number, fact.destination)], []


def _number_removed(centre: Centre, fact: f.NumberRemoved) -> Decision:
    if fact.number not in centre.numbers:
        return refused(fact, "no such number", fact.number)
    return [e.NumberDropped(fact.at, fact.number)], []


def _flow_published(centre: Centre, fact: f.FlowPublished) -> Decision:
    known, spec = centre.flows.get(fact.spec.id), fact.spec
    if known is not None and known.graphs.get(spec.version) == spec.graph and known.current == spec.version:
        return [], []
    if known is not None and spec.version in known.graphs and known.graphs[spec.version] != spec.graph:
        return refused(fact, "this version is another graph", spec.id)
    return [e.FlowDefined(fact.at, spec)], []


def _flow_removed(centre: Centre, fact: f.FlowRemoved) -> Decision:
    known = centre.flows.get(fact.flow)
    if known is None or not known.current:
        return refused(fact, "no such flow", fact.flow)
    return [e.FlowDropped(fact.at, fact.flow)], []


def _calendar_changed(centre: Centre, fact: f.CalendarChanged) -> Decision:
    if centre.calendars.get(fact.spec.id) == fact.spec.open_at:
        return [], []
    return [e.CalendarDefined(fact.at, fact.spec)], []


def _calendar_removed(centre: Centre, fact: f.CalendarRemoved) -> Decision:
    if fact.calendar not in centre.calendars:
        return refused(fact, "no such calendar", fact.calendar)
    return [e.CalendarDropped(fact.at, fact.calendar)], []


def _waits_learned(centre: Centre, fact: f.WaitsLearned) -> Decision:
    queue = centre.queues.get(fact.queue)
    if queue is None:
        return refused(fact, "no such queue", fact.queue)
    if fact.model is not None and (reason := wrong(fact.model)):
        return refused(fact, "what was learned is no model", reason)
    if queue.learned == fact.model:
        return [], []
    return [e.WaitsSet(fact.at, fact.queue, fact.model)], []


def _put_on_hold(centre: Centre, fact: f.PutOnHold) -> Decision:
    return second.put_on_hold(centre, fact) or contact.put_on_hold(centre, fact)


def _taken_off_hold(centre: Centre, fact: f.TakenOffHold) -> Decision:
    return second.put_on_hold(centre, fact) or contact.taken_off_hold(centre, fact)


def _timer_fired(centre: Centre, fact: f.TimerFired) -> Decision:
    kind, _, subject = fact.timer.partition(":")
    match kind:
        case "offer":
            return offers.offer_expired(centre, subject, fact.at)
        case "wait":
            return contact.wait_over(centre, subject, fact.at)
        case "announce":
            return announce.due(centre, subject, fact.at)
        case "owed":
            return owed.due(centre, subject, fact.at)
        case "flow":
            return flow.time_over(centre, subject, fact.at)
        case "pause":
            return recording.limit_over(centre, subject, fact.at)
        case "park":
            return parking.time_over(centre, subject, fact.at)
        case "wrap":
            return agent.wrap_up_over(centre, subject, fact.at)
        case "rest":
            return agent.rest_over(centre, subject, fact.at)
        case "widen":
            return widening.time_over(centre, subject, fact.at)
        case "reserve":
            return reserved.time_over(centre, subject, fact.at)
        case "balance":
            return balance.due(centre, fact.at)
        case _:
            return refused(fact, "no such timer", fact.timer)


DECIDE: dict[type, Callable[[Centre, Any], Decision]] = {
    f.QueueChanged: _queue_changed,
    f.QueueRemoved: _queue_removed,
    f.AgentChanged: _agent_changed,
    f.AgentRemoved: _agent_removed,
    f.NumberChanged: _number_changed,
    f.NumberRemoved: _number_removed,
    f.FlowPublished: _flow_published,
    f.FlowRemoved: _flow_removed,
    f.CalendarChanged: _calendar_changed,
    f.CalendarRemoved: _calendar_removed,
    f.ParkingChanged: parking.parking_changed,
    f.WaitsLearned: _waits_learned,
    f.ContactArrived: contact.arrived,
    f.Rang: offers.rang,
    f.Answered: contact.answered,
    f.OfferFailed: offers.offer_failed,
    f.HungUp: contact.hung_up,
    f.DigitPressed: keys.pressed,
    f.Said: flow.said,
    f.MessageTaken: flow.message_taken,
    f.ErrandDone: flow.errand_done,
    f.CallbackAsked: callbacks.asked,
    f.CallbackDropped: callbacks.dropped,
    f.CallbackPutOff: callbacks.put_off,
    f.SlotsOffered: callbacks.slots_offered,
    f.CallCustomerAsked: callbacks.call_asked,
    f.PutOnHold: _put_on_hold,
    f.TakenOffHold: _taken_off_hold,
    f.TransferAsked: parking.transferred,
    f.SecondCall: second.second_call,
    f.AttendedAsked: second.attended_asked,
    f.SlotCalled: parking.slot_called,
    f.ParkAsked: parking.park_asked,
    f.PickUpAsked: parking.pick_up_asked,
    f.HoldAsked: conversation.hold_asked,
    f.ResumeAsked: conversation.resume_asked,
    f.MuteAsked: conversation.mute_asked,
    f.HangUpAsked: conversation.hang_up_asked,
    f.LeaveAsked: conversation.leave_asked,
    f.HandOverAsked: parking.handed_over,
    f.EscalateAsked: tiers.escalate_asked,
    f.ConsultAsked: conversation.consult_asked,
    f.SwapAsked: conversation.swap_asked,
    f.CompleteAsked: conversation.complete_asked,
    f.ConferenceAsked: conversation.conference_asked,
    f.DropAsked: conversation.drop_asked,
    f.DialAsked: contact.dial_asked,
    f.SuperviseAsked: conversation.supervise_asked,
    f.RecordAsked: recording.record_asked,
    f.RecordingPauseAsked: recording.pause_asked,
    f.InterludeAsked: interlude.asked,
    f.ContactMoved: contact.moved,
    f.ContactRaised: contact.raised,
    f.ResultGiven: agent.result_given,
    f.RecordingStored: contact.recording_stored,
    f.PhoneRegistered: agent.phone_registered,
    f.PhoneUnregistered: agent.phone_unregistered,
    f.AgentSignedIn: agent.signed_in,
    f.AgentReady: agent.ready,
    f.AgentPaused: agent.paused,
    f.AgentSignedOut: agent.signed_out,
    f.WrapUpFinished: agent.wrap_up_finished,
    f.WrapUpExtended: agent.wrap_up_extended,
    f.AgentQueuesChanged: agent.queues_changed,
    f.BalancingChanged: balance.changed,
    f.BalanceAsked: balance.asked,
    f.LoanEndAsked: balance.end_asked,
    f.TimerFired: _timer_fired,
}


# --- what events make possible ---


def _contact_waits(centre: Centre, event: e.Queued) -> Decision:
    queue = centre.queues.get(event.queue)
    if queue is None:
        return NOTHING
    who = centre.contacts[event.contact]
    if queue.plain and not who.wanted:
        return acd.fill(centre, queue, event.at)
    events, commands = widening.advance(centre, who, queue.spec, event.at)
    more, asked = reserved.begin(centre, who, queue, event.at) or acd.fill(centre, queue, event.at)
    return [*more, *events], [*commands, *asked]


def _contact_waits_again(centre: Centre, event: e.OfferEnded) -> Decision:
    who = centre.contacts.get(event.contact)
    if who is None or who.state != "queued" or who.queue not in centre.queues:
        return NOTHING
    queue = centre.queues[who.queue]
    # The limit may have been set or changed while the phone rang.
    again = acd.wait_timer(who, queue.spec, event.at) + announce.await_next(who, queue.spec, event.at)
    if who.reserved:
        kept = reserved.offer_over(centre, who, event.how, event.at)
        events, commands = NOTHING if kept is None else kept
    else:
        events, commands = acd.fill_or_desert(centre, queue, event.at)
    if queue.stages is not None or queue.spec.when_slow is not None:
        more, asked = widening.advance(centre, who, queue.spec, event.at)
        events, again = [*more, *events], [*again, *asked]
    return events, again + commands


def _directed(centre: Centre, event: e.Directed) -> Decision:
    who = centre.contacts[event.contact]
    return NOTHING if event.to.kind == "music" else acd.ring_directly(centre, who, event.at)


def _agent_may_be_idle(centre: Centre, event: Any) -> Decision:
    one = centre.agents.get(event.agent)
    return acd.next_contact(centre, one, event.at) if one is not None and one.idle else NOTHING


def _agent_may_be_gone(centre: Centre, event: Any) -> Decision:
    one = centre.agents.get(event.agent)
    return NOTHING if one is None or one.present else acd.nobody_there(centre, one, event.at)


def _agent_defined(centre: Centre, event: e.AgentDefined) -> Decision:
    one = centre.agents.get(event.spec.id)
    return acd.next_contact(centre, one, event.at) if one is not None and one.idle else NOTHING


def _agent_lent(centre: Centre, event: e.AgentQueuesSet) -> Decision:
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for name in centre.waiting:  # among them those that the agent is no more lent to
        more, asked = acd.deserted(centre, centre.queues[name], event.at)
        events += more
        commands += asked
    return events, commands


def _agent_returned(centre: Centre, event: e.AgentReturned) -> Decision:
    queue = centre.queues.get(event.queue)
    return NOTHING if queue is None else acd.deserted(centre, queue, event.at)


def _balance_anew(centre: Centre, event: e.QueueDefined) -> Decision:
    return balance.clock(centre, event) if centre.balancing is not None else NOTHING


def _queue_defined(centre: Centre, event: e.QueueDefined) -> Decision:
    queue = centre.queues.get(event.spec.id)
    if queue is None:
        return NOTHING
    return acd.fill_or_desert(centre, queue, event.at)


def _queue_may_widen(centre: Centre, event: e.QueueDefined) -> Decision:
    queue = centre.queues.get(event.spec.id)
    if queue is None or (
        event.spec.id not in centre.feeding
        and not queue.reserved
        and not queue.stages
        and queue.spec.when_slow is None
    ):
        return NOTHING
    events, commands = reserved.queue_changed(centre, queue, event.at)
    for more, asked in (
        widening.watch_again(centre, queue, event.at),
        widening.fed(centre, event.spec.id, event.at),
    ):
        events, commands = [*events, *more], [*commands, *asked]
    return events, commands


def _queue_fills(centre: Centre, event: e.QueueDefined) -> Decision:
    queue = centre.queues.get(event.spec.id)
    return NOTHING if queue is None or queue.stages is None else acd.fill(centre, queue, event.at)


def _heard_anew(centre: Centre, event: Any) -> Decision:
    who = centre.contacts.get(event.contact)
    if who is None or who.state == "wrap_up" or not who.answered:
        return NOTHING
    return [], [c.Mix(who.id, mix(centre, who))]


def _owner_changed(centre: Centre, event: e.RoleChanged) -> Decision:
    events, commands = _heard_anew(centre, event)
    who = centre.contacts.get(event.contact)
    if event.role == "agent" and who is not None and who.recorded and who.leg is not None:
        commands = [*commands, c.Record(who.id, who.leg)]
    return events, commands


def _second_left(centre: Centre, event: e.SecondLeft) -> Decision:
    who = centre.contacts.get(event.contact)
    return _heard_anew(centre, event) if who is not None and who.leg is not None else NOTHING


def _briefing_over(centre: Centre, event: e.BriefingEnded) -> Decision:
    return _heard_anew(centre, event) if event.how == "cancelled" else NOTHING  # else they are connected


def _party_left(centre: Centre, event: e.PartyLeft) -> Decision:
    # The owner leaves in favour of somebody, which is told next.
    who = centre.contacts.get(event.contact)
    events, commands = _heard_anew(centre, event) if who is not None and who.leg is not None else NOTHING
    more, asked = _agent_may_be_idle(centre, event)
    return [*events, *more], [*commands, *asked]


NOTHING: Decision = ([], [])

FOLLOW: dict[type, tuple[Callable[[Centre, Any], Decision], ...]] = {
    e.QueueDefined: (_queue_defined, _queue_fills, _queue_may_widen, _balance_anew),
    e.CalendarDefined: (widening.calendar_changed,),
    e.AgentDefined: (reserved.agent_changed, _agent_defined, balance.enforce),
    e.BalancingSet: (balance.clock,),
    e.BalancePaused: (balance.clock,),
    e.ContactBegan: (contact.began,),
    e.Queued: (_contact_waits,),
    e.Widened: (widening.opened,),
    e.QueueWidened: (widening.queue_opened,),
    e.Late: (widening.opened,),
    e.Reserved: (reserved.began,),
    e.ReservationEnded: (reserved.ended,),
    e.Overflowed: (contact.overflowed,),
    e.Booked: (owed.booked,),
    e.ContactEnded: (owed.hung_up,),
    e.Connected: (owed.fulfilled,),
    e.Directed: (_directed,),
    e.OfferEnded: (briefing.cancelled, offers.offer_ended, _contact_waits_again, _agent_may_be_idle),
    e.Reached: (contact.reached,),
    e.FlowEntered: (steps.entered,),
    e.NodeEntered: (flow.enter,),
    e.FlowLeft: (contact.sent_on,),
    e.PromptBegan: (_heard_anew,),
    e.Announced: (_heard_anew,),
    e.AnnouncementEnded: (_heard_anew,),
    e.AgentQueuesSet: (reserved.agent_changed, _agent_may_be_idle, _agent_lent, balance.enforce),
    e.AgentLent: (_agent_may_be_idle,),
    e.AgentReturned: (reserved.agent_changed, _agent_returned),
    e.Held: (_heard_anew,),
    e.Resumed: (_heard_anew,),
    e.BriefingBegan: (_heard_anew,),
    e.BriefingEnded: (_briefing_over,),
    e.RecordingBegan: (recording.goes_on,),
    e.RecordingEnded: (recording.ended,),
    e.RecordingPaused: (recording.paused,),
    e.RecordingResumed: (recording.resumed,),
    e.InterludeBegan: (_heard_anew,),
    e.InterludeEnded: (_heard_anew, interlude.ended),
    e.InterludeLeft: (_heard_anew,),
    e.SurveyBegan: (_heard_anew,),
    e.PartyRung: (_heard_anew,),
    e.PartyAnswered: (_heard_anew,),
    e.RoleChanged: (_owner_changed, recording.pauser_gone),
    e.PartyLeft: (second.unneeded, _party_left),
    e.PhoneHeld: (_heard_anew,),
    e.Muted: (_heard_anew,),
    e.HandedOver: (second.unneeded, _heard_anew, recording.pauser_gone),
    e.SecondAnswered: (_heard_anew,),
    e.SecondHeld: (_heard_anew,),
    e.SecondLeft: (_second_left,),
    e.Parked: (_heard_anew, recording.pauser_gone),
    e.Recalled: (contact.sent_on,),
    e.Released: (recording.pauser_gone, contact.sent_on),
    e.AgentStateChanged: (reserved.agent_changed, _agent_may_be_idle, _agent_may_be_gone, balance.signed_out),
    e.PhoneFound: (_agent_may_be_idle,),
    e.PhoneLost: (reserved.agent_changed, _agent_may_be_gone),
    e.AgentFreed: (_agent_may_be_idle,),
    e.WrapUpEnded: (_agent_may_be_idle,),
    e.RestEnded: (_agent_may_be_idle,),
}
