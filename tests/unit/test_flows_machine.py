"""Any order of edits by anybody: drafts, versions and what callers go through stay those of a simple model."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from centrala.flows import EditRace, FlowError, canonical, open_flows

pytestmark = pytest.mark.unit

IDS = st.sampled_from(["main", "night"])
WHO = st.sampled_from(["ada", "eve"])
FRESH = st.sampled_from([True, True, False])
"Whether somebody looks before they act, or goes by what they saw."


def graph(number: int) -> dict[str, Any]:
    return {"format": 1, "start": "h", "title": str(number), "nodes": {"h": {"type": "hang_up"}}}


@dataclass
class Model:
    """One flow as it must be."""

    draft: int | None = None
    "Number of its graph."
    versions: list[int] = field(default_factory=list)
    "Numbers of their graphs; version n is the n-th."


class Flows(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.flows = open_flows(self.folder)
        self.models: dict[str, Model] = {}
        self.past: dict[str, list[int]] = {"main": [], "night": []}
        "Versions of flows that were deleted: their numbers aren't used again."
        self.seen: dict[tuple[str, str], tuple[int, int]] = {}
        "(who, flow) → revision of the draft and version that they looked at last."
        self.made = 0

    def teardown(self) -> None:
        self.flows.close()
        shutil.rmtree(self.folder)

    def next(self) -> int:
        self.made += 1
        return self.made

    def revision(self, id: str) -> int:
        found = self.flows.get("acme", id)
        return found.draft.revision if found is not None and found.draft is not None else 0

    @rule(id=IDS, who=WHO)
    def makes(self, id: str, who: str) -> None:
        number = self.next()
        if id in self.models:
            with pytest.raises(FlowError, match="name"):
                self.flows.make("acme", id, id, graph(number), who, 1.0)
            return
        self.flows.make("acme", id, id, graph(number), who, 1.0)
        self.models[id] = Model(number)

    def look(self, id: str, who: str, fresh: bool) -> None:
        if not fresh:
            return
        found = self.flows.get("acme", id)
        assert (found is not None) == (id in self.models)
        version = found.published.number if found is not None and found.published is not None else 0
        self.seen[who, id] = self.revision(id), version

    @rule(id=IDS, who=WHO, fresh=FRESH)
    def saves(self, id: str, who: str, fresh: bool) -> None:
        self.look(id, who, fresh)
        if id not in self.models or (who, id) not in self.seen:
            return
        number, base, now = self.next(), self.seen[who, id][0], self.revision(id)
        if base != now:
            with pytest.raises(EditRace) as race:
                self.flows.save_draft("acme", id, base, graph(number), who, 2.0)
            theirs = race.value.theirs
            expected = self.models[id].draft
            assert (None if theirs is None else theirs.graph) == (
                None if expected is None else graph(expected)
            )
            return
        draft = self.flows.save_draft("acme", id, base, graph(number), who, 2.0)
        assert draft.revision > base
        self.models[id].draft = number
        self.seen[who, id] = draft.revision, self.seen[who, id][1]

    @rule(id=IDS, who=WHO, fresh=FRESH)
    def discards(self, id: str, who: str, fresh: bool) -> None:
        self.look(id, who, fresh)
        if id not in self.models or (who, id) not in self.seen:
            return
        base, now = self.seen[who, id][0], self.revision(id)
        if now == 0 or base != now:
            with pytest.raises(FlowError):
                self.flows.discard_draft("acme", id, base)
            return
        self.flows.discard_draft("acme", id, base)
        self.models[id].draft = None

    @rule(id=IDS, who=WHO, fresh=FRESH)
    def publishes(self, id: str, who: str, fresh: bool) -> None:
        self.look(id, who, fresh)
        if id not in self.models or (who, id) not in self.seen:
            return
        base, now = self.seen[who, id][0], self.revision(id)
        if now == 0 or base != now:
            with pytest.raises(FlowError):
                self.flows.publish("acme", id, base, who, 3.0, "")
            return
        version, spec = self.flows.publish("acme", id, base, who, 3.0, "")
        model = self.models[id]
        assert model.draft is not None
        self.published(id, version.number, spec.graph, model.draft)
        model.draft = None

    def published(self, id: str, number: int, text: str, of: int) -> None:
        model = self.models[id]
        model.versions.append(of)
        assert number == len(self.past[id]) + len(model.versions)
        assert text == canonical(graph(of))

    @rule(id=IDS, who=WHO, to=st.integers(1, 4), fresh=FRESH)
    def rolls_back(self, id: str, who: str, to: int, fresh: bool) -> None:
        self.look(id, who, fresh)
        if id not in self.models or (who, id) not in self.seen:
            return
        model, all_of = self.models[id], self.past[id] + self.models[id].versions
        current = len(all_of) if model.versions else 0
        if self.seen[who, id][1] != current or to > len(all_of):
            with pytest.raises(FlowError):
                self.flows.roll_back("acme", id, self.seen[who, id][1], to, who, 4.0, "")
            return
        version, spec = self.flows.roll_back("acme", id, current, to, who, 4.0, "")
        self.published(id, version.number, spec.graph, all_of[to - 1])

    @rule(id=IDS)
    def deletes(self, id: str) -> None:
        if id not in self.models:
            with pytest.raises(FlowError, match="no such flow"):
                self.flows.drop("acme", id)
            return
        self.flows.drop("acme", id)
        self.past[id] += self.models.pop(id).versions
        self.seen = {key: what for key, what in self.seen.items() if key[1] != id}

    @rule()
    def restarts(self) -> None:
        self.flows.close()
        self.flows = open_flows(self.folder)

    @invariant()
    def is_as_it_must_be(self) -> None:
        published = self.flows.published("acme")
        for id, model in self.models.items():
            found = self.flows.get("acme", id)
            assert found is not None
            assert (None if found.draft is None else found.draft.graph) == (
                None if model.draft is None else graph(model.draft)
            )
            if model.versions:
                assert published[id].graph == canonical(graph(model.versions[-1]))
                assert published[id].version == len(self.past[id]) + len(model.versions)
            else:
                assert id not in published
        assert set(published) <= set(self.models)
        assert {one.id for one in self.flows.all("acme")} == set(self.models)


TestFlows = Flows.TestCase
TestFlows.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
