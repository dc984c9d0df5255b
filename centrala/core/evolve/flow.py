"""What the events of flows change."""

from collections.abc import Callable
from typing import Any

from centrala.core import events as e
from centrala.core.state import Centre, Contact, Place, Published, Run

PATH_KEPT = 100
DIGITS_KEPT = 100


# --- what is published ---


def _flow_defined(centre: Centre, event: e.FlowDefined) -> None:
    spec = event.spec
    flow = centre.flows.setdefault(spec.id, Published())
    flow.graphs[spec.version] = spec.graph
    flow.current = spec.version
    _forget_versions(centre, spec.id)


def _flow_dropped(centre: Centre, event: e.FlowDropped) -> None:
    centre.flows[event.flow].current = 0
    _forget_versions(centre, event.flow)


def _forget_versions(centre: Centre, name: str) -> None:
    """Only the current one and those with somebody inside are kept."""
    flow = centre.flows[name]
    for version in [one for one in flow.graphs if one != flow.current and not flow.inside.get(one)]:
        del flow.graphs[version]
    if not flow.graphs:
        del centre.flows[name]


def _goes_in(centre: Centre, flow: str, version: int) -> None:
    inside = centre.flows[flow].inside
    inside[version] = inside.get(version, 0) + 1


def _goes_out(centre: Centre, flow: str, version: int) -> None:
    inside = centre.flows[flow].inside
    inside[version] -= 1
    if not inside[version]:
        del inside[version]
        if version != centre.flows[flow].current:
            _forget_versions(centre, flow)


def end_run(centre: Centre, contact: Contact) -> None:
    """No way leads back to the flow any more."""
    run, contact.run = contact.run, None
    if run is not None:
        _goes_out(centre, run.flow, run.version)
        for place in run.outer:
            _goes_out(centre, place.flow, place.version)


def _calendar_defined(centre: Centre, event: e.CalendarDefined) -> None:
    centre.calendars[event.spec.id] = event.spec.open_at


def _calendar_dropped(centre: Centre, event: e.CalendarDropped) -> None:
    del centre.calendars[event.calendar]


# --- a contact inside ---


def _flow_entered(centre: Centre, event: e.FlowEntered) -> None:
    contact = centre.contacts[event.contact]
    run = contact.run
    if event.inner and run is not None:
        run.outer.append(Place(run.flow, run.version, run.node))
        run.flow, run.version, run.node = event.flow, event.version, ""
        _in_flow(contact)
    else:
        end_run(centre, contact)
        contact.run = Run(event.flow, event.version)
        _in_flow(contact)
    _goes_in(centre, event.flow, event.version)


def _in_flow(contact: Contact) -> None:
    contact.state = "flow"
    contact.queue = contact.target = None


def _flow_returned(centre: Centre, event: e.FlowReturned) -> None:
    run = _run(centre, event.contact)
    _goes_out(centre, run.flow, run.version)
    place = run.outer.pop()
    run.flow, run.version, run.node = place.flow, place.version, place.node


def _run(centre: Centre, contact: str) -> Run:
    run = centre.contacts[contact].run
    assert run is not None
    return run


def _node_entered(centre: Centre, event: e.NodeEntered) -> None:
    contact = centre.contacts[event.contact]
    run = _run(centre, event.contact)
    if run.node and event.exit:
        contact.path.append((run.flow, run.node, event.exit))
        if len(contact.path) > PATH_KEPT:
            del contact.path[0]
    _in_flow(contact)
    run.node = event.node
    run.waits, run.awaited, run.until, run.tries = "", "", 0.0, 0
    run.steps += 1
    run.nodes += 1


def _flow_left(centre: Centre, event: e.FlowLeft) -> None:
    contact = centre.contacts[event.contact]
    contact.state = "new"
    contact.wanted, contact.wanted_wait = event.agent, event.wait
    run = _run(centre, event.contact)
    # Coming by once more adds nothing.
    contact.priority += event.priority - run.priority
    run.priority = event.priority
    run.digits.clear()
    run.waits, run.awaited, run.until = "", "", 0.0


def _call_taken(centre: Centre, event: e.CallTaken) -> None:
    centre.contacts[event.contact].answered = True


def _asks(centre: Centre, contact: str, waits: str, name: str, until: float) -> None:
    centre.contacts[contact].asked += 1
    run = _run(centre, contact)
    run.waits, run.awaited, run.until = waits, name, until  # type: ignore[assignment]
    run.steps = 0


def _prompt_began(centre: Centre, event: e.PromptBegan) -> None:
    _asks(centre, event.contact, "prompt", event.prompt, 0.0)


def _prompt_ended(centre: Centre, event: e.PromptEnded) -> None:
    run = _run(centre, event.contact)
    run.waits, run.awaited = "", ""
    if event.how != "failed":
        centre.contacts[event.contact].hops = 0  # somebody who is spoken to isn't just handed round


def _digit_taken(centre: Centre, event: e.DigitTaken) -> None:
    digits = _run(centre, event.contact).digits
    if len(digits) < DIGITS_KEPT:
        digits.append(event.digit)


def _digits_used(centre: Centre, event: e.DigitsUsed) -> None:
    del _run(centre, event.contact).digits[: event.count]


def _digits_awaited(centre: Centre, event: e.DigitsAwaited) -> None:
    run = _run(centre, event.contact)
    run.waits, run.awaited, run.until = "digits", "", event.until
    run.steps = 0


def _retried(centre: Centre, event: e.Retried) -> None:
    run = _run(centre, event.contact)
    run.digits.clear()
    run.tries += 1
    run.waits, run.until = "", 0.0


def _values_set(centre: Centre, event: e.ValuesSet) -> None:
    contact = centre.contacts[event.contact]
    contact.values.update(event.values)
    if contact.interlude is not None:
        contact.given = (*contact.given, *(name for name in event.values if name not in contact.given))


def _message_began(centre: Centre, event: e.MessageBegan) -> None:
    _asks(centre, event.contact, "message", event.message, event.until)


def _message_ended(centre: Centre, event: e.MessageEnded) -> None:
    run = _run(centre, event.contact)
    run.waits, run.awaited, run.until = "", "", 0.0


def _errand_began(centre: Centre, event: e.ErrandBegan) -> None:
    if event.until:
        _asks(centre, event.contact, "errand", event.errand, event.until)
    else:
        centre.contacts[event.contact].asked += 1


def _errand_ended(centre: Centre, event: e.ErrandEnded) -> None:
    run = _run(centre, event.contact)
    run.waits, run.awaited, run.until = "", "", 0.0


def _node_failed(centre: Centre, event: e.NodeFailed) -> None:
    pass


CHANGES: dict[type, Callable[[Centre, Any], None]] = {
    e.FlowDefined: _flow_defined,
    e.FlowDropped: _flow_dropped,
    e.CalendarDefined: _calendar_defined,
    e.CalendarDropped: _calendar_dropped,
    e.FlowEntered: _flow_entered,
    e.FlowReturned: _flow_returned,
    e.NodeEntered: _node_entered,
    e.FlowLeft: _flow_left,
    e.CallTaken: _call_taken,
    e.PromptBegan: _prompt_began,
    e.PromptEnded: _prompt_ended,
    e.DigitTaken: _digit_taken,
    e.DigitsUsed: _digits_used,
    e.DigitsAwaited: _digits_awaited,
    e.Retried: _retried,
    e.ValuesSet: _values_set,
    e.MessageBegan: _message_began,
    e.MessageEnded: _message_ended,
    e.ErrandBegan: _errand_began,
    e.ErrandEnded: _errand_ended,
    e.NodeFailed: _node_failed,
}
