"""Telephones that ring: offered, rung, answered elsewhere, refused, missed, asleep; and what the agent becomes then."""

from centrala.core import briefing, callbacks
from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.acd import (
    after_miss,
    no_way,
)
from centrala.core.decision import Decision, refused
from centrala.core.specs import Destination
from centrala.core.state import Agent, Centre, Contact, Offer
from centrala.core.two_calls import rung

ASLEEP = "asleep"
"Cause of an offer that failed because the page that is the agent's phone sleeps."

HUNG_UP_OFFER = {"busy": "refused", "declined": "refused", "no_answer": "missed"}


def stop_ringing(centre: Centre, name: str, leg: str, agent: str | None, why: str, at: float) -> Decision:
    """Call back a phone that rings, by no fault of its agent."""
    contact = centre.contacts[name]
    event: e.Event = (
        e.OfferEnded(at, name, leg, agent, "cancelled", why)
        if leg in contact.offers
        else e.PartyLeft(at, name, leg, agent, why)
    )
    return [event], [c.CancelRing(name, leg), c.CancelTimer(f"offer:{leg}")]


def rang(centre: Centre, fact: f.Rang) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is None or (fact.leg not in contact.offers and not rings(contact, fact.leg)):
        return refused(fact, "no such offer", fact.leg)
    quiet = contact.answered or contact.calling or contact.absent
    commands: list[c.Command] = (
        rung(contact, fact.leg) if quiet else [c.RingBack(contact.id, contact.leg or "")]
    )
    return [e.OfferRang(fact.at, contact.id, fact.leg)], commands


def rings(contact: Contact, leg: str) -> bool:
    """The phone of somebody who was asked to join."""
    party = contact.parties.get(leg)
    return party is not None and party.state == "ringing"


def offer_failed(centre: Centre, fact: f.OfferFailed) -> Decision:
    contact = centre.contacts.get(fact.contact)
    if contact is not None and rings(contact, fact.leg):
        return gave_up(centre, contact, fact.leg, fact.cause, fact.at)
    if contact is None or fact.leg not in contact.offers:
        return refused(fact, "no such offer", fact.leg)
    how = HUNG_UP_OFFER.get(fact.cause, "failed")
    return offer_over(centre, contact, contact.offers[fact.leg], how, fact.cause, fact.at)


def offer_expired(centre: Centre, leg: str, at: float) -> Decision:
    contact = centre.contacts.get(leg.rpartition(".")[0] or leg)
    if contact is not None and rings(contact, leg):
        if at < contact.parties[leg].until:
            return [], [c.SetTimer(f"offer:{leg}", contact.parties[leg].until)]
        events, commands = gave_up(centre, contact, leg, "no_answer", at)
        return events, [c.CancelRing(contact.id, leg), *commands]
    if contact is None or leg not in contact.offers:
        return [], []  # the timer was too late to be cancelled
    if at < contact.offers[leg].until:
        return [], [c.SetTimer(f"offer:{leg}", contact.offers[leg].until)]
    if contact.briefing is not None:
        return briefing.over(centre, contact, "time", at)
    events, commands = offer_over(centre, contact, contact.offers[leg], "missed", "no_answer", at)
    return events, [c.CancelRing(contact.id, leg), *commands]


def offer_over(centre: Centre, contact: Contact, offer: Offer, how: str, cause: str, at: float) -> Decision:
    events: list[e.Event] = [e.OfferEnded(at, contact.id, offer.leg, offer.agent, how, cause)]  # type: ignore[arg-type]
    commands: list[c.Command] = [c.CancelTimer(f"offer:{offer.leg}")]
    agent = centre.agents.get(offer.agent) if offer.agent is not None else None
    if cause == ASLEEP:
        events += fell_asleep(agent, at)
    elif agent is not None:
        queue = centre.queues.get(offer.queue) if offer.queue is not None else None
        more, asked = after_miss(agent, queue, how, at)
        events += more
        commands += asked
    return events, commands


def offer_ended(centre: Centre, event: e.OfferEnded) -> Decision:
    """A contact without a queue whose last phone is gone: back to where a transfer took it from, or to its end."""
    contact = centre.contacts.get(event.contact)
    if contact is None or contact.state != "new":
        return [], []
    if contact.absent:
        return callbacks.offer_ended(centre, contact, event)
    if contact.target is None and contact.queue is None and not contact.calling:
        return [], []
    cause = "busy" if event.how == "cancelled" else event.cause or "failed"
    back = centre.agents.get(contact.back_agent) if contact.back_agent is not None else None
    if (
        back is not None
        and back.intent != "logged_out"
        and back.reachable
        and not (back.calls or back.offers)
    ):
        return [e.Recalled(event.at, contact.id, Destination("agent", back.spec.id))], []
    if contact.back_queue in centre.queues:
        return [e.Recalled(event.at, contact.id, Destination("queue", contact.back_queue))], []
    return no_way(centre, contact, cause, event.at)


def fell_asleep(agent: Agent | None, at: float) -> list[e.Event]:
    """A page that doesn't say a word to a call sleeps: no more calls until it registers again."""
    if agent is None or not agent.reachable or agent.spec.fixed_phone:
        return []
    return [e.PhoneLost(at, agent.spec.id, ASLEEP)]


def gave_up(centre: Centre, contact: Contact, leg: str, cause: str, at: float) -> Decision:
    """The phone of somebody who was asked to join rings no more."""
    party = contact.parties[leg]
    agent = centre.agents.get(party.agent) if party.agent is not None else None
    slept = fell_asleep(agent, at) if cause == ASLEEP else []
    return [e.PartyLeft(at, contact.id, leg, party.agent, cause), *slept], [c.CancelTimer(f"offer:{leg}")]
