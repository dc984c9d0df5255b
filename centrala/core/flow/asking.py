"""Prompts, and the nodes that ask for digits: said, awaited, understood, asked again.

Who knows the way presses ahead; a prompt may be cut short by a key; digits of a secret stay in the channel.
"""

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core.decision import Decision
from centrala.core.flow import nodes as n
from centrala.core.flow.functions import truth
from centrala.core.flow.position import flow_of
from centrala.core.flow.question import reading
from centrala.core.flow.steps import Look, go, looking, set_and_go, take, taken
from centrala.core.private import Private, Value
from centrala.core.state import Centre, Contact

Asks = n.Menu | n.Collect | n.Question
"Nodes that ask for digits."

SECOND_KEY = 2.0
"Seconds in which 1 may become 10 where a question of a survey goes up to that."

SECRET = "\x00secret:{}\x00"
"The value of a variable whose digits only the channel knows."


def speak(centre: Centre, contact: Contact, prompt: n.Prompt, at: float) -> Decision | None:
    """Begin a prompt; None when there is nothing to say."""
    flow = flow_of(centre, contact)
    look = looking(contact)
    chosen = look("language")
    language = chosen if isinstance(chosen, str) and chosen else flow.language
    parts = tuple(part for one in prompt if (part := _filled(one, language, look)) is not None)
    if not parts:
        return None
    name = f"{contact.id}:{contact.asked + 1}"
    return [*taken(contact, at), e.PromptBegan(at, contact.id, name)], [
        *take(contact),
        c.Say(contact.id, name, parts, language, flow.voice),
    ]


def _filled(one: n.Spoken, language: str, look: Look) -> c.Part | None:
    text = one.texts.get(language) or one.texts.get("") or next(iter(one.texts.values()), None)
    if text is None:
        return None
    said = text.fill(look)
    if not said.strip():
        return None
    if text.plain:
        return c.Part(one.kind, said, None, one.currency)
    return c.Part(one.kind, "", Private(said), one.currency)


def ask(centre: Centre, contact: Contact, node: Asks, at: float) -> Decision:
    """The first time: who knows the way has pressed already, and isn't told what they know."""
    run = contact.run
    assert run is not None
    events: list[e.Event] = []
    commands: list[c.Command] = []
    if isinstance(node, n.Collect) and node.secret:
        # What was pressed before this is known to the core, so it can't be part of a secret.
        if run.digits:
            events.append(e.DigitsUsed(at, contact.id, len(run.digits)))
        commands.append(c.Mask(contact.id, node.variable))
        if contact.recorded and contact.pause is None:
            events.append(e.RecordingPaused(at, contact.id, None, "secret"))
    elif run.digits:
        found = understood(centre, contact, node, run.digits, at, pressed_ahead=True)
        if found is not None:
            return [*taken(contact, at), *found[0]], [*take(contact), *found[1]]
    more, asked = speak(centre, contact, node.prompt, at) or wait_for_digits(contact, node, at)
    return [*events, *more], [*commands, *asked]


def wait_for_digits(contact: Contact, node: Asks, at: float, *, more: bool = False) -> Decision:
    """Wait for a digit, or for one more."""
    seconds = node.timeout
    if more and not isinstance(node, n.Menu):
        seconds = node.digit_timeout if isinstance(node, n.Collect) else SECOND_KEY
    until = at + seconds
    return [*taken(contact, at), e.DigitsAwaited(at, contact.id, until)], [
        *take(contact),
        c.SetTimer(f"flow:{contact.id}", until),
    ]


def understood(
    centre: Centre,
    contact: Contact,
    node: Asks,
    digits: list[Private],
    at: float,
    *,
    complete: bool = False,
    pressed_ahead: bool = False,
) -> Decision | None:
    """What the digits mean to the node; None where more of them are awaited. `complete`: no more will come."""
    if isinstance(node, n.Menu):
        if not digits:
            return None
        choice = str(digits[0].value)
        used = e.DigitsUsed(at, contact.id, 1)
        if choice not in node.choices:
            return again(centre, contact, node, "invalid", at)
        events, commands = go(centre, contact, choice, at)
        return [used, *events], [c.CancelTimer(f"flow:{contact.id}"), *commands]
    if isinstance(node, n.Question):
        return _answered(centre, contact, node, digits, at, complete=complete)
    text = "".join(str(one.value) for one in digits)
    place = text.find(node.terminator) if node.terminator else -1
    if 0 <= place <= node.most:
        typed, count = text[:place], place + 1
    elif len(text) >= node.most:
        typed, count = text[: node.most], node.most
    elif complete:
        typed, count = text, len(text)
    else:
        return None
    if len(typed) < node.least:
        if not typed and not complete and pressed_ahead:
            return None
        return again(centre, contact, node, "invalid", at)
    value: Value = SECRET.format(node.variable) if node.secret else typed
    if node.accept is not None and not node.secret:
        known = looking(contact)
        if not truth(node.accept.value(lambda name: value if name == node.variable else known(name))):
            return again(centre, contact, node, "invalid", at)
    events, commands = set_and_go(centre, contact, {node.variable: Private(value)}, "next", at)
    unmasked: list[c.Command] = [c.Mask(contact.id, "")] if node.secret else []
    heard = _recorded_again(contact, at) if node.secret else []
    return [*heard, e.DigitsUsed(at, contact.id, count), *events], [
        c.CancelTimer(f"flow:{contact.id}"),
        *unmasked,
        *commands,
    ]


def _answered(
    centre: Centre, contact: Contact, node: n.Question, digits: list[Private], at: float, *, complete: bool
) -> Decision | None:
    """The answer to a question of a survey."""
    run = contact.run
    assert run is not None
    pressed = "".join(str(one.value) for one in digits)[:2]
    value = reading(node.scale, pressed, complete=complete)
    if value == "more":
        return None
    if value is None:
        return again(centre, contact, node, "invalid", at)
    survey = contact.survey
    queue, agent = (survey.queue, survey.agent) if survey is not None else (None, None)
    given = e.SurveyAnswered(at, contact.id, run.flow, node.question, value, node.scale, queue, agent)
    events, commands = set_and_go(centre, contact, {node.question: Private(value)}, "next", at)
    count = len(pressed) if node.scale == "0-10" and pressed in ("10", "1#") else 1
    return [e.DigitsUsed(at, contact.id, count), given, *events], [
        c.CancelTimer(f"flow:{contact.id}"),
        *commands,
    ]


def again(centre: Centre, contact: Contact, node: Asks, why: str, at: float) -> Decision:
    """Ask again, or give up."""
    run = contact.run
    assert run is not None
    retried = e.Retried(at, contact.id, why)  # type: ignore[arg-type]
    commands: list[c.Command] = [c.CancelTimer(f"flow:{contact.id}")]
    secret = isinstance(node, n.Collect) and node.secret
    if run.tries >= node.retries:
        events, asked = go(centre, contact, why, at)
        if secret:
            commands.append(c.Mask(contact.id, ""))
            events = [*_recorded_again(contact, at), *events]
        return [retried, *events], [*commands, *asked]
    if secret:
        commands.append(c.Mask(contact.id, node.variable))  # type: ignore[union-attr]
    first = node.invalid_prompt if why == "invalid" else node.timeout_prompt
    events, asked = speak(centre, contact, (*first, *node.prompt), at) or wait_for_digits(contact, node, at)
    return [retried, *events], [*commands, *asked]


def _recorded_again(contact: Contact, at: float) -> list[e.Event]:
    """The secret is over."""
    if contact.pause is None or contact.pause.why != "secret":
        return []
    return [e.RecordingResumed(at, contact.id, None, "secret")]


def digits_on(centre: Centre, contact: Contact, node: Asks, digits: list[Private], at: float) -> Decision:
    return understood(centre, contact, node, digits, at) or wait_for_digits(contact, node, at, more=True)
