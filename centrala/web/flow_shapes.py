"""What goes in and comes out of /api/v1/flows."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from centrala.flows.store import ID
from centrala.web.problems import ProblemBody
from centrala.web.routes.people import Body

Id = Annotated[str, Field(pattern=ID)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Note = Annotated[str, Field(max_length=200)]
Graph = Annotated[dict[str, Any], Field(max_length=100)]
"A flow as JSON, format 1 (docs/reference/flows.md)."
Number = Annotated[int, Field(ge=0, le=2**53)]
Value = str | int | float | bool | None


# --- what goes in ---


class NewFlow(Body):
    id: Id
    name: Name
    graph: Graph | None = None
    "Left out: a greeting that hangs up."


class Renamed(Body):
    name: Name


class DraftSaved(Body):
    base: Number
    "Revision of the draft that was looked at; 0 where there was none."
    graph: Graph


class ToCheck(Body):
    graph: Graph


class ToPublish(Body):
    base: Number
    "Revision of the draft that was looked at."
    note: Note = ""


class ToRollBack(Body):
    base: Number
    "The version that counts now, as it was looked at."
    to: Annotated[int, Field(ge=1, le=2**53)]
    note: Note = ""


class KeyPressed(Body):
    after: Annotated[float, Field(ge=0, le=3600)]
    "Seconds after the one before, or after the call came."
    digit: Annotated[str, Field(pattern=r"^[0-9A-D*#]$")]


class ErrandAnswer(Body):
    exit: Annotated[str, Field(max_length=64)]
    values: Annotated[dict[str, Value], Field(max_length=100)] = Field(default_factory=dict)


class ToTry(Body):
    graph: Graph | None = None
    "Left out: the draft, else what is published."
    keys: Annotated[str, Field(max_length=1000)] | Annotated[list[KeyPressed], Field(max_length=1000)] = ""
    "As a text each is pressed when a key is awaited, and `.` lets the time run out."
    then: Literal["time_out", "stop"] = "time_out"
    "What happens when the keys are used up and one is awaited."
    caller: Annotated[str, Field(max_length=64)] = ""
    "Number; empty: withheld."
    dialled: Annotated[str, Field(max_length=64)] = ""
    at: Annotated[float, Field(ge=0, le=4e9)] | None = None
    "Unix seconds; left out: now."
    language: Annotated[str, Field(max_length=35)] = ""
    errands: Annotated[dict[str, ErrandAnswer], Field(max_length=100)] = Field(default_factory=dict)
    "By node, or FLOW:NODE: what looking up and the like brings."
    patience: Annotated[float, Field(ge=1, le=86400)] = 300.0
    "Seconds after which the caller hangs up when nothing happens."
    seed: Annotated[int, Field(ge=0, le=2**31)] = 1
    "What chance depends on."


class ToHear(Body):
    parts: Annotated[list[Any], Field(max_length=100)] | None = None
    "Of a prompt, as in a graph."
    text: Annotated[str, Field(max_length=4096)] = ""
    language: Annotated[str, Field(max_length=35)] = ""
    voice: Annotated[str, Field(max_length=64)] = ""
    values: Annotated[dict[str, Value], Field(max_length=100)] = Field(default_factory=dict)
    "What is filled in."


# --- what comes out ---


class ProblemShown(BaseModel):
    node: str
    "Empty: the whole flow."
    where: str
    "Field of the node."
    code: str
    "FLOW-…, stable."
    sentence: str
    "In English."
    severity: Literal["error", "warning"]
    values: dict[str, str]
    "What the sentence is about, for translation."


class FlowWrongBody(ProblemBody):
    """With FLOW-WRONG: `problems` tells each with its place."""

    problems: list[ProblemShown] = Field(default_factory=list)


class DraftMark(BaseModel):
    revision: int
    at: float
    by: str


class DraftShown(DraftMark):
    graph: dict[str, Any]


class FlowListed(BaseModel):
    id: str
    name: str
    origin: Literal["file", "screen", "built_in"]
    "What is built in is as what the file gives: read-only; one that the house has of its own takes its place."
    file: str | None
    "Where a flow of the centre's file comes from."
    version: int | None
    "That callers go through."
    at: float | None
    by: str | None
    note: str
    draft: DraftMark | None
    numbers: list[str]
    "That lead here."
    used_by: list[str]
    "Ways out of queues, and published flows, that lead here."


class FlowShown(FlowListed):
    graph: dict[str, Any] | None
    "The published one."
    draft: DraftShown | None


class FlowsListed(BaseModel):
    items: list[FlowListed]


class DraftKept(DraftMark):
    problems: list[ProblemShown]


class Checked(BaseModel):
    problems: list[ProblemShown]


class VersionListed(BaseModel):
    version: int
    at: float
    by: str
    note: str


class VersionShown(VersionListed):
    graph: dict[str, Any]


class Published(VersionListed):
    problems: list[ProblemShown]
    "Warnings."


class Versions(BaseModel):
    items: list[VersionListed]
    next: str | None


class StepShown(BaseModel):
    at: float
    "Seconds since the call came."
    kind: Literal["node", "said", "digit", "again", "values", "errand", "message", "failed"]
    flow: str
    node: str
    exit: str
    "Of a node the exit by which it was come to; of an errand how it ended."
    text: str
    values: dict[str, Value]


class EndShown(BaseModel):
    how: Literal["waits", "queue", "transfer", "hang_up", "left", "bound", "ended"]
    node: str
    outcome: str
    to: str
    text: str


class Taken(BaseModel):
    flow: str
    node: str
    exit: str


class TrialShown(BaseModel):
    version: int | None
    "null: a graph that isn't published."
    steps: list[StepShown]
    end: EndShown
    seconds: float
    path: list[Taken]
    values: dict[str, Value]
    problems: list[ProblemShown]


class ExitCount(BaseModel):
    exit: str
    count: int


class NodeCounts(BaseModel):
    node: str
    entered: int
    left: int
    "Hung up there."
    failed: int
    exits: list[ExitCount]


class PathsShown(BaseModel):
    flow: str
    version: int | None
    versions: list[int]
    "That have figures in these days."
    first: str = Field(alias="from")
    last: str = Field(alias="to")
    calls: int
    nodes: list[NodeCounts]


class ExitOffered(BaseModel):
    name: str
    required: bool


class FieldOffered(BaseModel):
    name: str
    kind: str
    required: bool
    default: Value
    choices: list[str]
    least: float | None
    most: float | None


class TypeOffered(BaseModel):
    type: str
    group: Literal["talk", "ask", "decide", "look_up", "lead", "end"]
    exits: list[ExitOffered]
    own_exits: Literal["digits", "keys", "cases", "shares", "returns"] | None
    fields: list[FieldOffered]


class FunctionOffered(BaseModel):
    name: str
    signature: str
    text: str


class NameOffered(BaseModel):
    name: str
    text: str


class FlowOffered(BaseModel):
    id: str
    name: str


class VoiceOffered(BaseModel):
    engine: str
    name: str
    language: str


class Vocabulary(BaseModel):
    types: list[TypeOffered]
    functions: list[FunctionOffered]
    known: list[NameOffered]
    "Variables of every flow."
    queues: list[str]
    agents: list[str]
    calendars: list[str]
    tables: list[str]
    sounds: list[str]
    builtin_sounds: list[str]
    flows: list[FlowOffered]
    entry_points: list[str]
    languages: list[str]
    voices: list[VoiceOffered]
    currencies: list[str]
