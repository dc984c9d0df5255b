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
        case e.AgentLent():
            return f"{event.queue}: {_name(centre, event.agent)} is lent to it ({_expected(event)})"
        case e.AgentReturned():
            return f"{event.queue}: {_name(centre, event.agent)} returns ({_RETURNS[event.why]})"
        case e.BalancePaused():
            return "rebalancing goes on" if event.on else "rebalancing is paused; all who were lent return"
        case e.Overflowed():
            return f"{event.queue}: a caller is sent on ({event.why.replace('_', ' ')})"
        case e.RecordingResumed(why="limit", agent=str(agent)):
            return f"a recording that {_name(centre, agent)} had paused goes on: its longest pause is over"
        case e.SurveyBegan(queue=queue):
            return f"{queue}: a caller goes on into the survey"
        case e.Released() | e.InterludeLeft():
            return "a caller is transferred"
        case e.Parked(agent=agent):
            return f"{_name(centre, agent)} parks a caller at {event.slot}" if agent else None
        case e.PickedUp(agent=agent):
            return f"{_name(centre, agent)} picks up the caller at {event.slot}"
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


_RETURNS = {
    "recovered": "the queue does without",
    "needed": "their own queue needs them more",
    "limit": "the settings allow it no more",
    "off": "rebalancing is off",
    "asked": "a supervisor ended it",
    "by_hand": "a supervisor has said otherwise",
    "signed_out": "signed out",
    "agent_removed": "is an agent no more",
    "queue_removed": "the queue is gone",
}


def _expected(event: e.AgentLent) -> str:
    of = event.values
    without, together = of.get("without", 0.0), of.get("with", 0.0)
    return f"expected {without:.0%} without, {together:.0%} with {of.get('agents', 1):.0f} more"


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
