"""What a flow is made of, as values: `graph.parse` makes them from JSON, `run` goes through them.

A flow is a graph of nodes. Each node does one thing and has exits by name; an exit leads to a node of the same flow.
docs/reference/flows.md tells every node and its exits.
"""

from dataclasses import dataclass, field
from typing import Literal

from centrala.core.flow.expression import Expression, Template, template
from centrala.core.flow.question import Scale
from centrala.core.specs import Destination

PartKind = Literal["text", "sound", "number", "money", "date", "time", "digits", "pause"]

ErrandKind = Literal["customer", "table", "http", "mail", "python", "number"]


NOTHING = template("")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One piece of a prompt."""

    kind: PartKind
    texts: dict[str, Template]
    "Language → what to say; under the empty key what holds for every language."
    currency: str = ""
    "ISO 4217, of `money`."


Prompt = tuple[Spoken, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Take the call; every node that speaks does so by itself. Exit: next."""


@dataclass(frozen=True, slots=True)
class Say:
    """Say and play a prompt (types `say` and `play`). Exit: next."""

    prompt: Prompt
    barge_in: bool = True
    "A digit ends it, and counts for the next node that asks for digits."


@dataclass(frozen=True, slots=True)
class Menu:
    """Ask for one digit. Exits: the digits, timeout, invalid."""

    prompt: Prompt
    choices: tuple[str, ...]
    timeout: float = 5.0
    "Seconds of silence after the prompt."
    retries: int = 2
    "How often it asks again, after a timeout and an invalid digit alike."
    timeout_prompt: Prompt = ()
    invalid_prompt: Prompt = ()
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class Collect:
    """Ask for digits. Exits: next, timeout, invalid."""

    prompt: Prompt
    variable: str
    least: int = 1
    most: int = 20
    terminator: str = "#"
    timeout: float = 5.0
    "Seconds until the first digit."
    digit_timeout: float = 3.0
    "Seconds between two; then what there is counts, if it is enough."
    retries: int = 2
    secret: bool = False
    "PIN, card: the digits never leave the channel's memory; the variable can be used by `http` alone."
    accept: Expression | None = None
    "Over the variable: false is invalid."
    timeout_prompt: Prompt = ()
    invalid_prompt: Prompt = ()
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a survey (type `survey`): its answer is counted. Exits: next, timeout, invalid."""

    prompt: Prompt
    question: str
    "Its id, by which answers are counted; the variable of this name gets the value."
    scale: Scale = "1-5"
    timeout: float = 5.0
    retries: int = 1
    timeout_prompt: Prompt = ()
    invalid_prompt: Prompt = ()
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """Record the caller (type `record`). Exits: next, empty."""

    prompt: Prompt
    variable: str
    "Gets the path of the recording, below the data folder."
    longest: float = 120.0
    silence: float = 4.0
    "Seconds of silence that end it."
    terminator: str = "#"
    shortest: float = 1.0
    "Seconds below which it counts as empty."
    owed: bool = False
    "Somebody answers it (type `voicemail`): it waits for an agent, as a contact of its own."
    queue: str = ""
    "In which queue; empty: the one in which they waited last, or that led here."


@dataclass(frozen=True, slots=True)
class Callback:
    """The house will call them back. Exits: booked, no_number, full, failed."""

    queue: str = ""
    "As in `TakeMessage`."
    number: Template = NOTHING
    "Empty: the one they call from."
    slot: Expression | None = None
    "Unix seconds of when; None, or nothing: as soon as it is their turn."
    priority: int = 0
    "Points added."


@dataclass(frozen=True, slots=True)
class Slots:
    """The next times at which the house has room for a callback. Exits: found, none."""

    queue: str = ""
    count: int = 3
    lead: float = 3600.0
    "Seconds from now on before which none is offered."
    into: str = "slot"
    "INTO.1, INTO.2 … are unix seconds, INTO.1.local … the same to be said, INTO.count is how many there are."


@dataclass(frozen=True, slots=True)
class Set:
    """Exit: next."""

    values: dict[str, Expression]


@dataclass(frozen=True, slots=True)
class Branch:
    """The first case that is true. Exits: those named in the cases, and else."""

    cases: tuple[tuple[Expression, str], ...]


@dataclass(frozen=True, slots=True)
class Share:
    """Callers by chance (type `percentage`). Exits: the names."""

    shares: dict[str, float]
    "Percent; together 100."


@dataclass(frozen=True, slots=True)
class Hours:
    """Exits: open, closed."""

    calendar: str = ""
    queue: str = ""
    "One of both: a calendar of the tenant, or a queue's hours."


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that somebody else does, in some time: customer, table, http, mail, python.

    Exits: customer and table: found, unknown, failed. http and python: next, failed. mail: next, and is not waited for.
    """

    kind: ErrandKind
    settings: dict[str, str]
    "What is the same for every caller: method of http, name of a table or of a Python entry point …"
    arguments: dict[str, Template]
    "What is filled in: url, body, header.NAME, key, to, subject …"
    into: str = ""
    "customer, table: what comes back is INTO.FIELD."
    take: dict[str, str] = field(default_factory=dict)
    "http: variable → JSON pointer (RFC 6901) into the answer."
    timeout: float = 5.0
    cache: float = 0.0
    "Seconds for which an answer to the same question holds."


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Into a queue (type `queue`): the flow ends there. Exits, where the queue's own way out shall not be taken:
    full, no_agents, max_wait, closed, slow; and the digits that they may press while they wait."""

    queue: str
    priority: int = 0
    "Points added."
    points: Expression | None = None
    "More of them, by what is known of the customer; what is no number adds none."
    agent: Expression | None = None
    "Whose id: kept for this agent, if they serve the queue, …"
    agent_wait: float | None = None
    "… for so many seconds; None: as the queue says."
    back: bool = False
    "To the one in which they waited, where they stood (type `wait`)."


@dataclass(frozen=True, slots=True)
class Transfer:
    """To somebody; the flow ends when they answer. Exit: failed, where it shall go on if nobody does."""

    to: Destination


@dataclass(frozen=True, slots=True)
class HangUp:
    """The end. No exits."""

    cause: str = "unavailable"
    "As in a destination `hang_up`; said where we haven't answered yet."
    outcome: Literal["self_served", "redirected", "refused"] = "self_served"


@dataclass(frozen=True, slots=True)
class SubFlow:
    """Go through another flow (type `flow`). Exits: the names of its returns, else."""

    flow: str


@dataclass(frozen=True, slots=True)
class Return:
    """Back to where this flow was gone into, by the exit of this name. In a flow of its own: the end."""

    exit: str = "next"


Does = (
    Answer
    | Say
    | Menu
    | Collect
    | Question
    | TakeMessage
    | Callback
    | Slots
    | Set
    | Branch
    | Share
    | Hours
    | Errand
    | Enqueue
    | Transfer
    | HangUp
    | SubFlow
    | Return
)


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    does: Does
    exits: dict[str, str]
    "Exit → id of a node of the same flow."
    title: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """A graph, ready to be gone through."""

    start: str
    nodes: dict[str, Node]
    language: str = ""
    "Of its prompts, where the caller has chosen none; empty: the tenant's."
    voice: str = ""
