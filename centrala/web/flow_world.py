"""The flows of a tenant as they are now, in the centre's file and on the screen: shown, checked, named by whom."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from centrala.core.flow.check import Known
from centrala.core.flow.problems import Problem as FlowProblem
from centrala.core.specs import FlowSpec
from centrala.flows import EditRace, FlowError, Flows, Version, canonical
from centrala.flows import checking as of_flows
from centrala.flows.store import Draft
from centrala.flows.store import Flow as Stored
from centrala.settings.house_flows import house_flows
from centrala.settings.model import Flow as OfFile
from centrala.web.house import House
from centrala.web.inputs import clean
from centrala.web.problems import NOT_FOUND, Problem

LARGEST = 2_000_000
"Characters of a graph, as the core reads it."

NOBODY: Mapping[str, Any] = {"at": None, "by": None, "note": "", "draft": None}
"Of a flow that nobody has published on the screen."

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """The flows of a tenant as they are now, of both places. To be asked in a thread."""

    house: House
    tenant: str
    languages: frozenset[str]
    """That can be spoken here, with and without their regions; none where nobody knows."""
    names: dict[str, str] = field(default_factory=dict, compare=False)
    """Of users, by id; once they were looked up."""

    @classmethod
    def on(cls, house: House, tenant: str) -> Self:
        """To be called on the event loop: only there may speech be asked."""
        voices = house.speech.voices(tenant) if house.speech is not None else []
        found = {one.language for one in voices}
        return cls(house, tenant, frozenset({*found, *(one.partition("-")[0] for one in found)}))

    @property
    def flows(self) -> Flows:
        return self.house.flows

    def of_file(self, id: str) -> OfFile | None:
        return self.house.tenant(self.tenant).flows.get(id)

    def built_in(self, id: str) -> str | None:
        """The graph of a flow that every house has, unless it has its own of that name, be it a draft alone."""
        graph = house_flows().get(id)
        if graph is None or self.of_file(id) is not None or self.flows.get(self.tenant, id) is not None:
            return None
        return graph

    def specs(self) -> dict[str, FlowSpec]:
        """What callers go through, by id."""
        house = {id: FlowSpec(id, self.current(id) or 1, graph) for id, graph in house_flows().items()}
        return {**house, **self.flows.published(self.tenant), **self._file_specs()}

    def _file_specs(self) -> dict[str, FlowSpec]:
        return {
            id: FlowSpec(id, self.current(id) or 1, one.graph)
            for id, one in self.house.tenant(self.tenant).flows.items()
        }

    def current(self, id: str) -> int:
        known = self.house.centre(self.tenant).flows.get(id)
        return 0 if known is None else known.current

    def last(self, id: str) -> int:
        known = self.house.centre(self.tenant).flows.get(id)
        return 0 if known is None else max([known.current, *known.graphs])

    def known(self, specs: Mapping[str, FlowSpec]) -> Known:
        tenant = self.house.tenant(self.tenant)
        return of_flows.known(tenant, self.house.data, specs, self.languages or None)

    def check(self, id: str, graph: Mapping[str, Any]) -> list[FlowProblem]:
        """What is wrong with the graph as this flow, and what it would break elsewhere."""
        specs = self.specs()
        of = self.known(specs)
        found = of_flows.check(graph, of, id)
        if not any(one.severity == "error" for one in found):
            for name, one in of_flows.broken_by(id, graph, of, specs):
                text = f"the flow {name}, node {one.node}, leads here and would be wrong: {one.sentence}"
                found.append(
                    FlowProblem("", "", "FLOW-BREAKS", text, "warning", {"flow": name, "node": one.node})
                )
        return found

    def author(self, id: str) -> str:
        """The name of who did it, or the id of who is no more."""
        if not self.names:
            self.names.update({one.id: one.name for one in self.house.people.users(self.tenant)})
        return self.names.get(id, id)

    def listed(self, one: Stored | OfFile, into: Mapping[str, frozenset[str]]) -> dict[str, Any]:
        tenant = self.house.tenant(self.tenant)
        shown: dict[str, Any] = {
            "id": one.id,
            "name": one.name or one.id,
            "numbers": of_flows.numbers_to(tenant, one.id),
            "used_by": of_flows.used_by(tenant, into, one.id),
        }
        if isinstance(one, OfFile):
            place = self.house.settings.path
            file = place.name if one.file is None else _below(one, place.parent)
            return {
                **shown,
                **NOBODY,
                "origin": "file",
                "file": file,
                "version": self.current(one.id) or None,
            }
        published, draft = one.published, one.draft
        return {
            **shown,
            "origin": "screen",
            "file": None,
            "version": None if published is None else published.number,
            "at": None if published is None else published.at,
            "by": None if published is None else self.author(published.author),
            "note": "" if published is None else published.note,
            "draft": None if draft is None else self.mark(draft),
        }

    def listed_built_in(self, id: str, into: Mapping[str, frozenset[str]]) -> dict[str, Any]:
        tenant = self.house.tenant(self.tenant)
        return {
            "id": id,
            "name": id,
            "numbers": of_flows.numbers_to(tenant, id),
            "used_by": of_flows.used_by(tenant, into, id),
            "origin": "built_in",
            "file": None,
            "version": self.current(id) or None,
            **NOBODY,
        }

    def mark(self, draft: Draft) -> dict[str, Any]:
        return {"revision": draft.revision, "at": draft.at, "by": self.author(draft.author)}

    def shown(self, id: str) -> dict[str, Any]:
        """Raises Problem NOT-FOUND."""
        into = of_flows.inner(self.specs())
        of_file = self.of_file(id)
        if of_file is not None:
            return {**self.listed(of_file, into), "graph": graph_of(of_file.graph)}
        stored = self.flows.get(self.tenant, id)
        if stored is None:
            graph = self.built_in(id)
            if graph is None:
                raise Problem("NOT-FOUND", NOT_FOUND)
            return {**self.listed_built_in(id, into), "graph": graph_of(graph)}
        listed = self.listed(stored, into)
        if stored.draft is not None:
            listed["draft"] = {**listed["draft"], "graph": stored.draft.graph}
        return {**listed, "graph": None if stored.published is None else stored.published.graph}

    def version(self, one: Version) -> dict[str, Any]:
        return {"version": one.number, "at": one.at, "by": self.author(one.author), "note": one.note}

    def need_own(self, id: str) -> None:
        """Raises Problem: FLOW-OF-FILE, FLOW-BUILT-IN."""
        if self.of_file(id) is not None:
            raise Problem("FLOW-OF-FILE", "This flow is given in the centre's file: change it there.")
        if self.built_in(id) is not None:
            raise Problem(
                "FLOW-BUILT-IN", "This flow is built in: make one of your own from it, and change that."
            )

    def raced(self, race: EditRace) -> Problem:
        theirs: dict[str, Any]
        if race.theirs is not None:
            theirs = {**self.mark(race.theirs), "theirs": race.theirs.graph}
        elif race.published is not None:
            by = self.author(race.published.author)
            theirs = {"revision": 0, "at": race.published.at, "by": by, "theirs": race.published.graph}
        else:
            theirs = {"revision": 0, "at": self.house.now(), "by": "", "theirs": None}
        return Problem("EDIT-RACE", str(race), {"conflicts": [{"field": "draft", "yours": None, **theirs}]})


def _below(flow: OfFile, folder: Path) -> str:
    file = flow.file
    assert file is not None
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else file.name


def graph_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def problems(found: Iterable[FlowProblem]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]


def wrong(found: Iterable[FlowProblem]) -> Problem:
    errors = [one for one in found if one.severity == "error"]
    places = [
        {"where": ": ".join(part for part in (one.node, one.where) if part), "what": one.sentence}
        for one in errors[:100]
    ]
    detail = "Something is wrong with this flow: see `problems`."
    return Problem("FLOW-WRONG", detail, {"errors": places, "problems": problems(errors)})


def small(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The graph as it can be kept. Raises Problem: TOO-BIG, BAD-INPUT."""
    found: dict[str, Any] = _cleaned(dict(graph), 32)
    try:
        size = len(canonical(found))
    except (ValueError, RecursionError):
        raise Problem("BAD-INPUT", "This graph holds something that is no JSON.") from None
    if size > LARGEST:
        raise Problem("TOO-BIG", f"A flow has at most {LARGEST:,} characters: use sub-flows.")
    return found


def _cleaned(value: Any, depth: int) -> Any:
    """Without half characters, which nothing could keep. Raises Problem BAD-INPUT where it is too deep."""
    if depth == 0:
        raise Problem("BAD-INPUT", "This graph is nested too deep.")
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(name): _cleaned(one, depth - 1) for name, one in value.items()}
        case list():
            return [_cleaned(one, depth - 1) for one in value]
        case _:
            return value


async def do(world: World, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call the store in a thread; what it refuses becomes a problem."""

    def run() -> T:
        try:
            return work(*arguments, **named)
        except EditRace as race:
            raise world.raced(race) from None
        except FlowError as problem:
            raise Problem(problem.code, str(problem)) from None

    return await world.house.ask(run)
