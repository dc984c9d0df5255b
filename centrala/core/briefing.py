"""From the answer of a phone to the conversation, with a word to the agent in between where the queue wants one.

    offered ── Answered ──► told who waits (`Briefing`), the customer hears music on ── Said, or time ──► active
                                                                    └─ the agent hangs up ──► queued again

While it lasts the offer is still an offer: whoever leaves, leaves as from a phone that rings. The wait, and with it the
service level, goes on until the conversation begins. It begins in any case: with a voice that fails, after `LONGEST`.
"""

from typing import Literal

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core.announce import LOST
from centrala.core.announce import hushed as no_announcement
from centrala.core.decision import Decision
from centrala.core.mix import bridge
from centrala.core.state import Centre, Contact, Offer, Queue

LONGEST = 6.0
"Seconds after which the conversation begins, whatever has been said."

UNMENTIONED = 5.0
"A wait below so many seconds is no news to the agent."


def begin(centre: Centre, contact: Contact, offer: Offer, queue: Queue, at: float) -> Decision:
    """Tell the agent who waits; phones that rang with theirs are let go."""
    events, commands = _others_let_go(contact, offer.leg, at)
    spec = queue.spec
    prompt, until = f"{contact.id}:{contact.asked + 1}", at + LONGEST
    began = e.BriefingBegan(at, contact.id, offer.leg, offer.agent, prompt, until)
    return [began, *events], [
        *no_announcement(contact),
        c.Say(contact.id, prompt, parts(spec.name or spec.id, at - contact.since), ""),
        c.SetTimer(f"offer:{offer.leg}", until),
        *commands,
    ]


def parts(name: str, waited: float) -> tuple[c.Part, ...]:
    """ "Sales, waited two minutes": rounded, so that few of them are ever spoken."""
    if waited < UNMENTIONED:
        return (c.Part("text", name),)
    step = 10 if waited < 55 else 60
    seconds = max(round(waited / step), 1) * step
    return c.Part("text", name), c.Part("sound", "builtin:waited"), c.Part("duration", str(seconds))


def said(centre: Centre, contact: Contact, problem: str, at: float) -> Decision:
    """The word has come to its end, or could not be said."""
    briefing = contact.briefing
    assert briefing is not None
    offer = contact.offers[briefing.leg]
    queue = centre.queues.get(offer.queue) if offer.queue is not None else None
    if problem == LOST and queue is not None and at + LONGEST / 2 < briefing.until:
        prompt = f"{contact.id}:{contact.asked + 1}"
        spec = queue.spec
        again = e.BriefingBegan(at, contact.id, briefing.leg, offer.agent, prompt, briefing.until)
        return [again], [c.Say(contact.id, prompt, parts(spec.name or spec.id, at - contact.since), "")]
    return over(centre, contact, "failed" if problem else "said", at, problem)


def over(
    centre: Centre, contact: Contact, how: Literal["said", "failed", "time"], at: float, problem: str = ""
) -> Decision:
    """On to the conversation."""
    briefing = contact.briefing
    assert briefing is not None
    offer = contact.offers[briefing.leg]
    events, commands = connect(centre, contact, offer, at)
    ended = e.BriefingEnded(at, contact.id, briefing.leg, offer.agent, how, problem)
    quiet: list[c.Command] = [] if how != "time" else [c.Hush(contact.id, briefing.prompt)]
    return [ended, *events], [*quiet, *commands]


def cancelled(centre: Centre, event: e.OfferEnded) -> Decision:
    """The agent who was told is gone: the customer hears on what they heard."""
    contact = centre.contacts.get(event.contact)
    if contact is None or contact.briefing is None or contact.briefing.leg != event.leg:
        return [], []
    ended = e.BriefingEnded(event.at, contact.id, event.leg, event.agent, "cancelled")
    return [ended], [c.Hush(contact.id, contact.briefing.prompt)]


def hushed(contact: Contact) -> list[c.Command]:
    """Nobody hears the word to its end: the contact is over."""
    return [c.Hush(contact.id, contact.briefing.prompt)] if contact.briefing is not None else []


def connect(centre: Centre, contact: Contact, offer: Offer, at: float) -> Decision:
    """Customer and agent hear each other."""
    queue = centre.queues.get(offer.queue) if offer.queue is not None else None
    record = queue.spec.record if queue is not None else contact.target is not None and contact.target.record
    commands: list[c.Command] = [] if contact.answered else [c.Answer(contact.id)]
    commands.append(c.Mix(contact.id, bridge(contact.id, offer.leg)))
    commands += no_announcement(contact)
    if record or contact.recorded:
        commands.append(c.Record(contact.id, offer.leg))
    commands.append(c.CancelTimer(f"offer:{offer.leg}"))
    if queue is not None:
        commands.append(c.CancelTimer(f"wait:{contact.id}"))
    # The losers of a ring_all are cancelled only after the bridge is up.
    events, more = _others_let_go(contact, offer.leg, at) if len(contact.offers) > 1 else ([], [])
    if contact.slot:
        assert offer.agent is not None
        events.append(e.PickedUp(at, contact.id, contact.slot, offer.agent, offer.leg))
        more.append(c.CancelTimer(f"park:{contact.id}"))
    if contact.pause is not None:  # of an interlude whose owner has left
        events.append(e.RecordingResumed(at, contact.id, offer.agent, contact.pause.why))
        more.append(c.CancelTimer(f"pause:{contact.id}"))
    events.append(e.Connected(at, contact.id, offer.leg, record))
    if record and contact.recorded_at and not contact.recorded:
        events.append(e.RecordingBegan(at, contact.id, offer.agent))  # again: it was ended by hand before
    return events, [*commands, *more]


def _others_let_go(contact: Contact, leg: str, at: float) -> Decision:
    events: list[e.Event] = []
    commands: list[c.Command] = []
    for name, other in contact.offers.items():
        if name != leg:
            events.append(e.OfferEnded(at, contact.id, name, other.agent, "cancelled", "answered by another"))
            commands += [c.CancelRing(contact.id, name), c.CancelTimer(f"offer:{name}")]
    return events, commands
