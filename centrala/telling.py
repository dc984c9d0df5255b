"""What happens, in sentences for people who watch: without anything personal but agents' names."""

from centrala.core import events as e
from centrala.core.state import Centre


def sentence(centre: Centre, event: e.Event) -> str | None:
    """The event for people, without anything personal but agents' names; None where nobody would care."""
    match event:
        case e.Queued(queue=queue):
            return f"{queue}: a caller joins the queue"
        case e.OfferMade(agent=str(agent), queue=queue):
            return (
                f"{queue or 'direct'}: rings {_name(centre, agent)} ({event.why})"
                if event.why
                else (f"{queue or 'direct'}: rings {_name(centre, agent)}")
            )
        case e.OfferEnded(how="missed", agent=str(agent)):
            return f"{_name(centre, agent)} didn't answer; the caller keeps the place in the queue"
        case e.OfferEnded(how="refused", agent=str(agent)):
            return f"{_name(centre, agent)} declined; the caller keeps the place in the queue"
        case e.OfferEnded(how="failed", agent=str(agent)):
            return f"{_name(centre, agent)}'s phone failed ({event.cause or 'no reason given'})"
        case e.Connected(contact=contact):
            return _connected(centre, event.at, contact)
        case e.Overflowed():
            return f"{event.queue}: a caller is sent on ({event.why.replace('_', ' ')})"
        case e.Released():
            return "a caller is transferred"
        case e.ContactEnded():
            return _ENDS.get(event.outcome, "").format(by=event.by, cause=event.cause) or None
        case e.AgentStateChanged(intent="ready"):
            return f"{_name(centre, event.agent)} is ready"
        case e.AgentStateChanged(intent="not_ready"):
            return f"{_name(centre, event.agent)} pauses"
        case e.AgentStateChanged(intent="logged_out"):
            return f"{_name(centre, event.agent)} has signed out"
        case e.PhoneLost():
            return f"{_name(centre, event.agent)}'s phone is gone"
        case e.RestBegan():
            return f"{_name(centre, event.agent)} is left alone for {event.until - event.at:.0f} s"
        case _:
            return None


_ENDS = {
    "answered": "a conversation ends ({by} hung up)",
    "abandoned": "a caller gave up waiting",
    "short_abandoned": "a caller gave up at once",
    "redirected": "a caller was sent elsewhere",
    "refused": "a caller was turned away",
    "failed": "a call failed",
}


def _connected(centre: Centre, at: float, contact: str) -> str:
    known = centre.contacts.get(contact)
    if known is None or known.leg_agent is None:
        return "a caller talks with somebody outside"
    name = _name(centre, known.leg_agent)
    if known.leg_queue is None:
        return f"{name} answers a direct call"
    return f"{known.leg_queue}: {name} answers after {max(at - known.since, 0):.0f} s"


def _name(centre: Centre, agent: str) -> str:
    known = centre.agents.get(agent)
    return known.spec.name or agent if known is not None else agent
