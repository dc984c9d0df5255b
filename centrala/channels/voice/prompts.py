"""What flows do over the telephone: prompts are said, digits taken, messages recorded, secrets kept.

    Say         → a private player `prompt:ID` in the media worker → Said
    TakeMessage → a recording of the caller alone, which ends by itself → MessageTaken
    Mask        → digits stay here, x is told

The worker plays, listens and records without us, so a restart of the application is not heard. Whatever is awaited
and lost is told as such: no caller hangs in silence.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from centrala.channels.voice.legs import VoiceLeg
from centrala.channels.voice.messages import kept, length
from centrala.channels.voice.pages import Pages
from centrala.core import commands as c
from centrala.core import facts as f
from centrala.core.private import Private
from centrala.core.state import Contact
from centrala.media import messages as m
from centrala.speech import Speech

log = logging.getLogger(__name__)

PROMPT = "prompt:"
"Before a prompt's id: its player in the media worker, and a source of a mix."
MESSAGE = "message:"
"Before a message's id: its recording in the media worker."
SPOKEN_WITHIN = 30.0
"Seconds within which a prompt must have become sound; speech gives up earlier by itself."
CLOSED_WITHIN = 5.0
"Seconds after the end of a message within which its file must be complete; then what is there counts."
SAME_KEY = 0.4
"Seconds within which a key heard in another way as well is the same press of it."


@dataclass(slots=True, eq=False)
class Prompt:
    """A prompt that is awaited."""

    tenant: str
    contact: str
    worker: int
    sounds: list[str] | None = None
    "None while they are being made."
    problem: str = ""
    making: asyncio.Task[None] | None = None


@dataclass(slots=True, eq=False)
class Message:
    """A message that is recorded, or whose file is being closed."""

    tenant: str
    contact: str
    worker: int
    record: m.Record | None
    "None: begun before a restart."
    meant: bool = False
    "They pressed a key to end it: it counts, even if nobody was heard to speak."
    closing: asyncio.TimerHandle | None = None
    finishing: asyncio.Task[None] | None = None
    farewell: f.HungUp | None = None
    "What is told after it."


@dataclass(slots=True)
class Press:
    """A key, and the ways in which this press of it was heard: event, inband, info."""

    digit: str
    at: float
    ways: set[str]


@dataclass(slots=True)
class Mask:
    """Which secret the caller types now, and what they have typed of it."""

    variable: str
    "Empty: none, now."
    typed: dict[str, str | None] = field(default_factory=dict)
    "By variable, those of before included. None: some of its digits were lost by a restart."


class Prompts(Pages):
    """`speech` and `data` are given by the composition root; without speech no prompt can be played."""

    speech: Speech | None = None
    data: Path = Path()

    def _init_prompts(self) -> None:
        self._prompts: dict[str, Prompt] = {}
        self._messages: dict[str, Message] = {}
        self._masks: dict[str, Mask] = {}
        "By contact."
        self._presses: dict[str, list[Press]] = {}
        "By leg, the latest."
        self._tasks: set[asyncio.Task[None]] = set()

    # --- prompts ---

    def _say(self, tenant: str, command: c.Say) -> None:
        leg, contact = (
            self._beside(tenant, command.contact),
            self._awaiting(tenant, command.contact, command.prompt),
        )
        if leg is None or contact is None or command.prompt in self._prompts:
            return  # they have hung up, or it was said before a restart
        self._prompts[command.prompt] = prompt = Prompt(tenant, command.contact, leg.worker)
        if self.speech is None:
            self._end_prompt(command.prompt, "nobody speaks here")
            return
        try:
            sounds = self.speech.ready(tenant, command.parts, command.language, command.voice)
        except Exception:
            log.exception("ALARM tenant %s: a prompt can't be looked up", tenant)
            sounds = None
        if sounds is None:
            prompt.making = self._task(self._make(self.speech, prompt, command))
        else:
            self._play(command.prompt, prompt, sounds)

    async def _make(self, speech: Speech, prompt: Prompt, command: c.Say) -> None:
        sounds: list[str] = []
        try:
            async with asyncio.timeout(SPOKEN_WITHIN):
                spoken = await speech.sounds(prompt.tenant, command.parts, command.language, command.voice)
            sounds, prompt.problem = spoken.paths, "; ".join(spoken.problems)
        except TimeoutError:
            prompt.problem = f"nobody had spoken it after {SPOKEN_WITHIN:g} s"
        except Exception:
            log.exception("ALARM tenant %s: a prompt can't be spoken", prompt.tenant)
            prompt.problem = "it can't be spoken"
        prompt.making = None
        if self._prompts.get(command.prompt) is prompt:
            self._play(command.prompt, prompt, sounds)
            self.desk.wake()

    def _play(self, name: str, prompt: Prompt, sounds: list[str]) -> None:
        prompt.sounds = sounds
        if sounds:
            self.sound.send(prompt.worker, m.Player(player=PROMPT + name, sounds=sounds))
        else:
            self._end_prompt(name, prompt.problem or "there is nothing to play")

    def _end_prompt(self, name: str, problem: str = "") -> None:
        prompt = self._prompts.pop(name, None)
        if prompt is not None:
            problem = problem or prompt.problem
            if problem:
                log.warning("tenant %s: a prompt wasn't said as it should be: %s", prompt.tenant, problem)
            self.desk.tell(prompt.tenant, f.Said(self.desk.now(), prompt.contact, name, problem))

    def _hush(self, tenant: str, command: c.Hush) -> None:
        self._forget_prompt(command.prompt)

    def _forget_prompt(self, name: str) -> None:
        prompt = self._prompts.pop(name, None)
        if prompt is None:
            return
        if prompt.making is not None:
            prompt.making.cancel()
        self.sound.send(prompt.worker, m.StopPlayer(PROMPT + name))

    # --- digits ---

    def _key(self, leg: VoiceLeg, digit: str, way: str) -> bool:
        """A key of a caller who is in a flow, or waits. False: they do neither."""
        contact = self._centre(leg.tenant).contacts.get(leg.contact)
        if not leg.customer or contact is None or contact.state not in ("flow", "queued", "offered"):
            return False
        now = self.desk.now()
        if not self._pressed_before(leg.id, digit, way, now):
            mask = self._masks.get(leg.contact)
            if mask is not None and mask.variable and digit.isdigit():
                typed = mask.typed.get(mask.variable)
                mask.typed[mask.variable] = None if typed is None else typed + digit
                digit = "x"
            self.desk.tell(leg.tenant, f.DigitPressed(now, leg.contact, Private(digit)))
        return True

    def _pressed_before(self, leg: str, digit: str, way: str, now: float) -> bool:
        """Gateways send a key as an event and let its tone through: one press, heard in two ways."""
        latest = [one for one in self._presses.get(leg, ()) if now - one.at < SAME_KEY]
        for press in latest:
            if press.digit == digit and way not in press.ways:
                press.ways.add(way)
                return True
        self._presses[leg] = [*latest, Press(digit, now, {way})]
        return False

    def _mask(self, tenant: str, command: c.Mask) -> None:
        leg = self._leg_of(command.contact)
        if leg is None:
            return
        mask = self._masks.setdefault(command.contact, Mask(""))
        mask.variable = command.variable
        if command.variable:
            mask.typed[command.variable] = ""
        if leg.masked != command.variable:
            leg.masked = command.variable  # so that a restart masks what comes after it
            self._changed.add(leg.id)
        if command.forget:
            self._masks.pop(command.contact, None)

    def secret(self, tenant: str, contact: str, variable: str) -> str:
        """Digits that were masked, for whoever must send them on; empty when there are none, or not all of them."""
        leg, mask = self._leg_of(contact), self._masks.get(contact)
        if leg is None or leg.tenant != tenant or mask is None:
            return ""
        return mask.typed.get(variable) or ""

    # --- messages ---

    def _take_message(self, tenant: str, command: c.TakeMessage) -> None:
        leg, contact = self._leg_of(command.contact), self._awaiting(tenant, command.contact, command.message)
        if leg is None or contact is None or command.message in self._messages:
            return
        record = m.Record(
            recording=MESSAGE + command.message,
            left=leg.id,
            right=None,
            path=_path(tenant, command.message),
            began=self.desk.now(),
            longest=command.longest,
            silence=command.silence,
        )
        self._messages[command.message] = Message(tenant, command.contact, leg.worker, record)
        self.sound.send(leg.worker, record)

    def _end_message(self, tenant: str, command: c.EndMessage) -> None:
        message = self._messages.get(command.message)
        if message is not None:
            message.meant = True
            self._close_message(command.message, message)
        elif self._awaiting(tenant, command.contact, command.message) is not None:
            self.desk.tell(tenant, f.MessageTaken(self.desk.now(), command.contact, command.message, "", 0.0))

    def _close_message(self, name: str, message: Message) -> None:
        if message.closing is None and message.finishing is None:
            message.closing = self.desk.later(CLOSED_WITHIN, self._closed, name, None)
            self.sound.send(message.worker, m.StopRecording(recording=MESSAGE + name))

    def _closed(self, name: str, recorded: m.Recorded | None) -> None:
        """The file is complete; None: it should be by now."""
        message = self._messages.get(name)
        if message is None and recorded is not None:
            # Begun and ended before a restart.
            message = Message(recorded.path.split("/")[1], name.rpartition(":")[0], 0, None)
            self._messages[name] = message
        if message is None or message.finishing is not None:
            return
        if message.closing is not None:
            message.closing.cancel()
        message.finishing = self._task(self._finish(name, message, recorded))

    async def _finish(self, name: str, message: Message, recorded: m.Recorded | None) -> None:
        """One channel, without the silence at its end; then tell."""
        path = _path(message.tenant, name)
        spoken = recorded.spoken if recorded is not None else None
        if spoken == 0.0 and message.meant:
            spoken = None
        final = path.removesuffix(".part.wav") + ".wav"
        try:
            seconds = await asyncio.to_thread(kept, self.data / path, self.data / final, spoken)
        except OSError as problem:
            log.error("ALARM tenant %s: a message can't be kept as it should: %s", message.tenant, problem)
            final, seconds = path, await asyncio.to_thread(length, self.data / path)
        if self._messages.pop(name, None) is not message or message.tenant not in self.desk.mailboxes:
            return
        now = self.desk.now()
        if message.contact in self._centre(message.tenant).contacts:
            self.desk.tell(
                message.tenant, f.MessageTaken(now, message.contact, name, final if seconds else "", seconds)
            )
        elif seconds:
            self.desk.tell(message.tenant, f.RecordingStored(now, message.contact, final, seconds, seconds))
        if message.farewell is not None:
            self.desk.tell(message.tenant, replace(message.farewell, at=now))

    def _hung_up(self, leg: VoiceLeg, why: str, now: float) -> None:
        """Tell that a party has left; a caller who leaves a message by hanging up has left it first."""
        fact = f.HungUp(now, leg.contact, leg.side, why)
        if leg.customer:
            for message in self._messages.values():
                if message.contact == leg.contact and message.farewell is None:
                    message.farewell = fact
                    return
        self.desk.tell(leg.tenant, fact)

    # --- what a flow leaves behind ---

    def _drop(self, leg: VoiceLeg) -> None:
        if leg.customer:
            for name in [name for name, one in self._prompts.items() if one.contact == leg.contact]:
                self._forget_prompt(name)
            for name, message in self._messages.items():
                if message.contact == leg.contact:
                    self._close_message(name, message)
            self._masks.pop(leg.contact, None)
        self._presses.pop(leg.id, None)
        super()._drop(leg)

    def _listen_for_tones(self, leg: VoiceLeg) -> bool:
        """Keys as tones are looked for where digits are asked for, whatever was agreed. True: that has changed."""
        contact = self._centre(leg.tenant).contacts.get(leg.contact)
        wanted = leg.customer and contact is not None and self._takes_keys(leg.tenant, contact)
        if leg.inband == wanted:
            return False
        leg.inband = wanted
        return True

    def _takes_keys(self, tenant: str, contact: Contact) -> bool:
        """In a flow, or waiting where keys lead out."""
        if contact.state == "flow":
            return True
        if contact.state not in ("queued", "offered") or not contact.customer:
            return False
        queue = self._centre(tenant).queues.get(contact.queue or "")
        return contact.run is not None or (queue is not None and bool(queue.spec.keys))

    # --- after a restart, and after the death of a media worker ---

    def _awaiting(self, tenant: str, contact: str, what: str) -> Contact | None:
        """The contact, if it waits for the end of this prompt or message."""
        known = self._centre(tenant).contacts.get(contact)
        if known is None or known.prompt == what:
            return known
        run = known.run if known.state == "flow" else None
        return known if run is not None and run.awaited == what else None

    def _take_up_flows(self, worker: int, held: m.Holds) -> None:
        """Prompts that play and messages that are being recorded in a worker that outlived us."""
        for player in held.players:
            name = player.removeprefix(PROMPT)
            contact = name.rpartition(":")[0]
            leg = self._leg_of(contact) or next(
                (one for one in self.legs.values() if one.contact == contact), None
            )
            if name == player or name in self._prompts:
                continue
            if leg is None or self._awaiting(leg.tenant, leg.contact, name) is None:
                self.sound.send(worker, m.StopPlayer(player))
            else:
                sounds = held.players[player].sounds
                self._prompts[name] = Prompt(leg.tenant, leg.contact, worker, sounds)
        for recording, state in held.recordings.items():
            name = recording.removeprefix(MESSAGE)
            if name == recording or name in self._messages:
                continue
            tenant, contact = state.set.path.split("/")[1], name.rpartition(":")[0]
            self._messages[name] = Message(tenant, contact, worker, state.set)
            if self._leg_of(contact) is None:
                self._close_message(name, self._messages[name])

    def _take_up_mask(self, leg: VoiceLeg) -> None:
        """A secret was being typed when the last run ended: what came of it is gone, the rest stays secret."""
        if leg.masked:
            self._masks[leg.contact] = Mask(leg.masked, {leg.masked: None})

    def _flow_again(self, tenant: str, contact: Contact) -> None:
        """What the flow waits for goes on, or is told as lost."""
        run, now = contact.run, self.desk.now()
        if contact.prompt:
            prompt = self._prompts.get(contact.prompt)
            if prompt is None:
                self.desk.tell(tenant, f.Said(now, contact.id, contact.prompt, "lost"))
            elif prompt.sounds:
                self.sound.send(prompt.worker, m.Player(player=PROMPT + contact.prompt, sounds=prompt.sounds))
        elif contact.state == "flow" and run is not None and run.waits == "message":
            message = self._messages.get(run.awaited)
            if message is None:
                self._messages[run.awaited] = Message(tenant, contact.id, 0, None)
                self._closed(run.awaited, None)
            elif message.record is not None and message.closing is None and message.finishing is None:
                self.sound.send(message.worker, message.record)

    def _task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- from the media workers ---

    def _prompt_event(self, event: m.Event) -> bool:
        """True: it was about a prompt or a message."""
        match event:
            case m.Played(player=player) if player.startswith(PROMPT):
                self._end_prompt(player.removeprefix(PROMPT))
            case m.PlayerFailed(player=player) if player.startswith(PROMPT):
                prompt = self._prompts.get(player.removeprefix(PROMPT))
                if prompt is not None:
                    prompt.problem = f"a sound can't be played: {event.why}"
            case m.Recorded(recording=recording) if recording.startswith(MESSAGE):
                self._closed(recording.removeprefix(MESSAGE), event)
            case m.Refused(command="Record", subject=recording) if recording.startswith(MESSAGE):
                log.error("ALARM a message can't be recorded: %s", event.why)
                self._closed(recording.removeprefix(MESSAGE), None)
            case _:
                return False
        return True


def _path(tenant: str, message: str) -> str:
    """Below the data folder; of the message while it is being recorded."""
    contact, _, number = message.rpartition(":")
    return f"recordings/{tenant}/{contact}-message-{number}.part.wav"
