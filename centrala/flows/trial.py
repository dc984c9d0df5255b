"""A flow gone through with simulated keys: the live core in a sandbox, under a virtual clock, with nobody called.

Queues, calendars and agents are those of the settings, with every agent ready. Prompts take about as long as somebody
needs to say them; what others would do (look up, send, run) is answered as the person who tries it says.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import Any, Literal

from centrala.core import commands as c
from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import step
from centrala.core.flow.asking import SECRET
from centrala.core.private import Private, Value
from centrala.core.specs import Destination, FlowSpec
from centrala.core.state import Centre, Contact
from centrala.settings.facts import changes
from centrala.settings.model import Tenant

MOST_FACTS = 10_000
MOST_STEPS = 3_000
"What is told of a trial; a flow that goes round and round has said enough by then."
LONGEST = 24 * 3600.0
"Virtual seconds."

KEY_AFTER = 0.5
"Seconds after which a caller presses the key that is asked for."
MESSAGE = 3.0
"Seconds for which a caller speaks who is recorded."
ERRAND = 0.3
PACE = 14.0
"Characters a second, as somebody speaks."
SOUND = 2.0
"Seconds of a sound whose length nobody knows."

WAITED_IN = frozenset({"voicemail", "callback", "slots"})
"Types of nodes that take the queue in which their caller waited, where none is given."

HIDDEN = "•"
"In the place of a digit that nobody may see."
WAIT = "."
"In a text of keys: let the time run out once."

How = Literal["waits", "queue", "transfer", "hang_up", "left", "bound", "ended"]
Kind = Literal["node", "said", "digit", "again", "values", "errand", "message", "failed"]


@dataclass(frozen=True, slots=True)
class Key:
    after: float
    "Seconds after the one before, or after the call came."
    digit: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an errand brings."""

    exit: str
    values: Mapping[str, Value] = field(default_factory=dict)
    "By the variables' names."


@dataclass(frozen=True, slots=True)
class Step:
    at: float
    "Seconds since the call came."
    kind: Kind
    flow: str
    node: str
    exit: str = ""
    "Of a node the exit by which it was come to, empty at the start; of an errand how it ended."
    text: str = ""
    "What is said, the digit, or why something failed or is asked again."
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    how: How
    node: str
    outcome: str = ""
    "As in the record of a contact, where it is over."
    to: str = ""
    "queue:ID, agent:ID, phone:URI, line:NUMBER …"
    text: str = ""
    "For people."


@dataclass(frozen=True, slots=True)
class Trial:
    steps: tuple[Step, ...]
    end: End
    seconds: float
    path: tuple[tuple[str, str, str], ...]
    "(flow, node, exit taken)"
    values: Mapping[str, Value]


def attempt(
    flows: Mapping[str, FlowSpec],
    flow: str,
    tenant: Tenant,
    at: float,
    *,
    keys: str | Sequence[Key] = "",
    caller: str = "",
    dialled: str = "",
    language: str = "",
    then: Literal["time_out", "stop"] = "time_out",
    errands: Mapping[str, Answer] | None = None,
    patience: float = 300.0,
    seed: int = 1,
    length: Callable[[str], float | None] = lambda sound: None,
) -> Trial:
    """Call a flow at a time (unix seconds) and press these keys.

    `flows` are all that there are, the one to try as it would be published; each must be readable. A text of keys is
    pressed key by key whenever one is awaited; `WAIT` lets the time run out. `then` says what happens when the keys are
    used up: time runs out, or the trial ends where a key is awaited. `errands` is by node, or FLOW:NODE. The caller
    hangs up `patience` seconds after the last thing that happened. `seed` is what chance depends on. `length` gives the
    seconds of a sound.
    """
    return _Run(
        flows, flow, tenant, at, keys, caller, dialled, language, then, errands or {}, patience, seed, length
    ).result()


@dataclass(slots=True)
class _Run:
    flows: Mapping[str, FlowSpec]
    flow: str
    tenant: Tenant
    start: float
    keys: str | Sequence[Key]
    caller: str
    dialled: str
    language: str
    then: str
    errands: Mapping[str, Answer]
    patience: float
    seed: int
    length: Callable[[str], float | None]
    centre: Centre = field(default_factory=Centre)
    heap: list[tuple[float, int, str, Any]] = field(default_factory=list)
    sequence: int = 0
    live: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    path: list[tuple[str, str, str]] = field(default_factory=list)
    frames: list[tuple[str, str]] = field(default_factory=list)
    "(flow, node), the outermost first."
    asked: "deque[str]" = field(default_factory=deque)
    "Keys of a text that are to be pressed yet."
    to: Destination | None = None
    "Where the flow has sent the contact."
    masked: bool = False
    skipped: float = 0.0
    "Until when the caller lets the time run."
    values: dict[str, Value] = field(default_factory=dict)
    end: End | None = None
    now: float = 0.0

    @property
    def id(self) -> str:
        return f"trial-{self.seed}"

    def result(self) -> Trial:
        self.now = self.start
        self.configure()
        timed = 0.0
        if isinstance(self.keys, str):
            self.asked = deque(one for one in self.keys.upper() if one in "0123456789*#ABCD" + WAIT)
        else:
            for key in self.keys:
                timed += key.after
                self.at(
                    self.start + timed, "", f.DigitPressed(self.start + timed, self.id, Private(key.digit))
                )
        caller = "trial" if self.caller else ""
        self.take(f.ContactArrived(self.start, self.id, self.number, self.id, caller=caller))
        facts = 0
        while self.end is None:
            if not self.heap:
                self.finish("ended", "Nothing more happens.")
                break
            when, sequence, name, fact = heappop(self.heap)
            if name and self.live.get(name) != sequence:
                continue
            self.live.pop(name, None)
            facts += 1
            if facts > MOST_FACTS or when > self.start + LONGEST or len(self.steps) >= MOST_STEPS:
                self.finish("bound", "The flow goes on without end.")
                break
            self.now = max(self.now, when)
            self.take(fact)
        assert self.end is not None
        return Trial(
            tuple(self.steps[:MOST_STEPS]),
            self.end,
            round(self.now - self.start, 3),
            tuple(self.path),
            self.values,
        )

    @property
    def number(self) -> str:
        return self.dialled or "trial"

    def configure(self) -> None:
        flows = {id: self.spoken_in(spec) for id, spec in self.flows.items()}
        for fact in changes(Centre(), replace(self.tenant, flows={}, numbers={}), self.start, flows):
            if isinstance(fact, f.AgentChanged):
                fact = replace(fact, spec=replace(fact.spec, fixed_phone=True, always_ready=True))
            step(self.centre, fact)
        step(self.centre, f.NumberChanged(self.start, self.number, Destination("flow", self.flow)))

    def spoken_in(self, spec: FlowSpec) -> FlowSpec:
        """In the language to try. What asks for the queue in which they waited gets the first of the house."""
        graph = json.loads(spec.graph)
        if self.language:
            graph["language"] = self.language
        queue = next(iter(self.tenant.queues), "")
        for node in graph["nodes"].values():
            if node.get("type") in WAITED_IN and not node.get("queue") and queue:
                node["queue"] = queue
        return replace(spec, graph=json.dumps(graph))

    # --- the clock ---

    def at(self, when: float, key: str, fact: f.Fact) -> None:
        """Let it happen then; a later entry with the same key replaces this one."""
        self.sequence += 1
        if key:
            self.live[key] = self.sequence
        heappush(self.heap, (when, self.sequence, key, fact))

    def take(self, fact: f.Fact) -> None:
        if isinstance(fact, f.DigitPressed):
            fact = self.pressed(fact)
        events, commands = step(self.centre, _at(fact, self.now))
        for event in events:
            self.happened(event, commands)
        for command in commands:
            self.wished(command)
        if self.end is None:
            self.waits()

    def pressed(self, fact: f.DigitPressed) -> f.DigitPressed:
        digit = str(fact.digit.value)
        hidden = self.masked and digit.isdigit()
        self.add("digit", text=HIDDEN if hidden else digit)
        return replace(fact, digit=Private("x")) if hidden else fact

    # --- what happens ---

    def add(self, kind: Kind, **more: Any) -> None:
        flow, node = self.frames[-1] if self.frames else (self.flow, "")
        self.steps.append(Step(round(self.now - self.start, 3), kind, flow, node, **more))

    def finish(self, how: How, text: str, outcome: str = "", to: str = "") -> None:
        if self.end is None:
            self.end = End(how, self.frames[-1][1] if self.frames else "", outcome, to, text)

    def happened(self, event: e.Event, commands: Sequence[c.Command]) -> None:
        if getattr(event, "contact", self.id) != self.id:
            return  # a callback that was promised, a message that was left: what becomes of it is another story
        match event:
            case e.FlowEntered(flow=flow):
                self.frames.append((flow, ""))
            case e.FlowReturned():
                self.frames.pop()
            case e.NodeEntered(flow=flow, node=node, exit=exit):
                before = self.frames.pop()
                if before[1] and exit:
                    self.path.append((before[0], before[1], exit))
                self.frames.append((flow, node))
                self.add("node", exit=exit)
            case e.NodeFailed(why=why):
                self.add("failed", text=why)
            case e.PromptBegan(prompt=prompt):
                said = next(
                    (one for one in commands if isinstance(one, c.Say) and one.prompt == prompt), None
                )
                if said is not None:
                    self.add("said", text=_words(said.parts))
            case e.Retried(why=why):
                self.add("again", text=why)
            case e.ValuesSet(values=values):
                shown = {name: _shown(name, one.value) for name, one in values.items()}
                self.values |= shown
                self.add("values", values=shown)
            case e.ErrandBegan(errand=name):
                errand = next(
                    (one for one in commands if isinstance(one, c.RunErrand) and one.errand == name), None
                )
                if errand is not None:
                    self.errand(errand)
            case e.MessageEnded(seconds=seconds):
                self.add("message", text=f"{seconds:g} s")
            case e.FlowLeft(to=to) | e.Overflowed(to=to) if to.kind != "flow":
                self.to = to
            case e.Queued(queue=queue):
                self.finish("queue", f"The caller waits in the queue {queue}.", to=f"queue:{queue}")
            case e.OfferMade(queue=str(queue)):
                self.finish(
                    "queue",
                    f"The caller is in the queue {queue}, and an agent's phone rings.",
                    to=f"queue:{queue}",
                )
            case e.OfferMade(agent=agent):
                to = self.to or Destination("agent", agent or "")
                self.finish("transfer", f"The phone of {to.name} rings.", to=f"{to.kind}:{to.name}")
            case e.MusicBegan():
                self.finish("ended", "The caller hears music until they hang up.", to="music")
            case e.ContactEnded(outcome=outcome, by=by):
                if by == "caller":
                    self.finish("left", "The caller has hung up.", outcome)
                else:
                    self.finish("hang_up", "The centre has hung up.", outcome)

    def errand(self, order: c.RunErrand) -> None:
        flow, node = self.frames[-1]
        if order.kind == "mail":
            self.add("errand", exit="next")
            return
        answer = self.errands.get(f"{flow}:{node}") or self.errands.get(node)
        if answer is None:
            answer = Answer("unknown" if order.kind in ("customer", "table") else "failed")
            if order.kind == "number":
                answer = self.number_of(order)
            if order.kind == "customer":
                known: dict[str, Value] = {
                    "known": False,
                    "withheld": not self.caller,
                    "number": self.caller or None,
                }
                answer = replace(answer, values={f"{order.into}.{name}": one for name, one in known.items()})
        self.add("errand", exit=answer.exit)
        values = {name: Private(one) for name, one in answer.values.items()}
        self.at(
            self.now + ERRAND, "errand", f.ErrandDone(self.now, self.id, order.errand, answer.exit, values)
        )

    def number_of(self, order: c.RunErrand) -> Answer:
        """Any number may be called here."""
        given = order.arguments.get("number")
        number = str(given.value or "") if given is not None else ""
        digits = "".join(one for one in number or self.caller if one.isdigit())
        if not digits:
            return Answer("unknown", {f"{order.into}.problem": "withheld"})
        return Answer(
            "found",
            {
                f"{order.into}.number": f"+{digits}" if (number or self.caller).startswith("+") else digits,
                f"{order.into}.spoken": digits,
                f"{order.into}.last": digits[-3:],
            },
        )

    def wished(self, command: c.Command) -> None:
        if getattr(command, "contact", self.id) != self.id:
            return
        match command:
            case c.Say(prompt=prompt, parts=parts):
                self.at(self.now + self.seconds(parts), "said", f.Said(self.now, self.id, prompt))
            case c.Hush():
                self.live.pop("said", None)
            case c.Mask(variable=variable):
                self.masked = bool(variable)
            case c.TakeMessage(message=message, longest=longest, silence=silence):
                spoken = min(MESSAGE, longest)
                taken = f.MessageTaken(self.now, self.id, message, "trial.wav", spoken)
                self.at(self.now + min(spoken + silence, longest), "message", taken)
            case c.EndMessage(message=message) if self.end is None:
                self.at(self.now, "message", f.MessageTaken(self.now, self.id, message, "trial.wav", MESSAGE))
            case c.SetTimer(timer=timer, at=when):
                self.at(when, f"timer {timer}", f.TimerFired(when, timer))
            case c.CancelTimer(timer=timer):
                self.live.pop(f"timer {timer}", None)
            case _:
                pass

    def seconds(self, parts: Sequence[c.Part]) -> float:
        total = 0.0
        for part in parts:
            text = _text(part)
            if part.kind == "pause":
                total += min(_number(text) / 1000.0, 60.0)
            elif part.kind == "sound":
                known = self.length(text)
                total += SOUND if known is None else known
            else:
                total += len(text) / PACE
        return round(total, 3)

    # --- the caller ---

    def waits(self) -> None:
        """What the caller does now that something has happened."""
        contact: Contact | None = self.centre.contacts.get(self.id)
        if contact is None or contact.run is None:
            return
        run = contact.run
        patience = self.now + self.patience
        if run.waits == "digits":
            if self.asked and self.now >= self.skipped and "key" not in self.live:
                key = self.asked.popleft()
                if key == WAIT:
                    self.skipped = run.until
                else:
                    self.at(self.now + KEY_AFTER, "key", f.DigitPressed(self.now, self.id, Private(key)))
            elif self.then == "stop" and not self.asked and not self.more_keys():
                self.finish("waits", "The flow waits for a key.")
        elif run.waits == "message" and self.asked and "key" not in self.live:
            key = self.asked.popleft()
            self.at(self.now + MESSAGE, "key", f.DigitPressed(self.now, self.id, Private(key)))
        self.at(patience, "patience", f.HungUp(patience, self.id))

    def more_keys(self) -> bool:
        return any(
            isinstance(fact, f.DigitPressed) and (not key or self.live.get(key) == sequence)
            for _, sequence, key, fact in self.heap
        )


def _at(fact: f.Fact, now: float) -> f.Fact:
    return replace(fact, at=now)


def _shown(name: str, value: Value) -> Value:
    return HIDDEN * 4 if value == SECRET.format(name) else value


def _text(part: c.Part) -> str:
    value = part.private.value if part.private is not None else part.text
    return "" if value is None else str(value)


def _number(text: str) -> float:
    try:
        return max(float(text), 0.0)
    except ValueError:
        return 0.0


def _words(parts: Sequence[c.Part]) -> str:
    """What is said, as a person reads it."""
    said: list[str] = []
    for part in parts:
        text = _text(part)
        match part.kind:
            case "sound":
                said.append(f"♪ {text}")
            case "pause":
                said.append("…")
            case "digits":
                said.append(" ".join(text))
            case "money":
                said.append(f"{text} {part.currency}".strip())
            case _:
                said.append(text)
    return " ".join(said)
