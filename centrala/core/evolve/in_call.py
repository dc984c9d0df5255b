"""What the events of briefings, recordings, steps and surveys change."""

from collections.abc import Callable
from typing import Any

from centrala.core import events as e
from centrala.core.evolve.flow import end_run
from centrala.core.indexes import leave
from centrala.core.state import Briefing, Centre, Contact, Interlude, Pause, Survey


def _briefing_began(centre: Centre, event: e.BriefingBegan) -> None:
    contact = centre.contacts[event.contact]
    leave(centre, contact)  # nobody else's phone shall ring for them, under ring_all neither
    if contact.announcing:
        contact.announcing, contact.announced_at = "", event.at
    contact.asked += 1
    contact.briefing = Briefing(event.leg, event.prompt, event.until)
    contact.offers[event.leg].until = event.until


def _briefing_ended(centre: Centre, event: e.BriefingEnded) -> None:
    centre.contacts[event.contact].briefing = None


def _recording_began(centre: Centre, event: e.RecordingBegan) -> None:
    contact = centre.contacts[event.contact]
    contact.recorded = True
    contact.recorded_at = contact.recorded_at or event.at
    contact.pause = None


def _recording_ended(centre: Centre, event: e.RecordingEnded) -> None:
    contact = centre.contacts[event.contact]
    contact.recorded = False
    contact.pause = None


def _recording_paused(centre: Centre, event: e.RecordingPaused) -> None:
    contact = centre.contacts[event.contact]
    before = contact.pause
    asked = before.until if before is not None and before.why == "asked" else 0.0
    contact.pause = Pause(event.why, event.agent, event.until, asked if event.why != "asked" else 0.0)


def _recording_resumed(centre: Centre, event: e.RecordingResumed) -> None:
    centre.contacts[event.contact].pause = None


def _interlude_began(centre: Centre, event: e.InterludeBegan) -> None:
    contact = centre.contacts[event.contact]
    contact.interlude = Interlude(event.flow, event.agent)
    contact.given = ()


def _interlude_ended(centre: Centre, event: e.InterludeEnded) -> None:
    contact = centre.contacts[event.contact]
    end_run(centre, contact)
    contact.interlude = None
    owner = contact.parties.get(contact.leg or "")
    contact.state = "held" if owner is not None and owner.held else "active"


def _interlude_left(centre: Centre, event: e.InterludeLeft) -> None:
    contact = centre.contacts[event.contact]
    contact.interlude = None
    contact.back_agent, contact.back_queue = contact.leg_agent, contact.leg_queue
    contact.back_since = contact.since if contact.leg_queue is not None else 0.0
    _without_owner(contact)
    contact.since = event.at
    contact.queued_at = 0.0


def _without_owner(contact: Contact) -> None:
    if contact.leg_agent is not None and contact.leg_agent == contact.agent:
        contact.agent = None  # who called is out of it
    contact.parties.pop(contact.leg or "", None)
    contact.leg = contact.leg_agent = contact.leg_queue = None
    contact.queue = contact.target = None
    contact.hops = 0


def _survey_began(centre: Centre, event: e.SurveyBegan) -> None:
    contact = centre.contacts[event.contact]
    contact.survey = Survey(event.flow, event.queue, event.agent)
    _without_owner(contact)
    contact.since = event.at
    contact.queued_at = 0.0


def _survey_answered(centre: Centre, event: e.SurveyAnswered) -> None:
    pass


CHANGES: dict[type, Callable[[Centre, Any], None]] = {
    e.BriefingBegan: _briefing_began,
    e.BriefingEnded: _briefing_ended,
    e.RecordingBegan: _recording_began,
    e.RecordingEnded: _recording_ended,
    e.RecordingPaused: _recording_paused,
    e.RecordingResumed: _recording_resumed,
    e.InterludeBegan: _interlude_began,
    e.InterludeEnded: _interlude_ended,
    e.InterludeLeft: _interlude_left,
    e.SurveyBegan: _survey_began,
    e.SurveyAnswered: _survey_answered,
}
