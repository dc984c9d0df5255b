"""The golden histories: the facts of then, told today, must give the events and commands of then."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from centrala.core import events as e
from centrala.core import specs
from centrala.core.centre import Centre, evolve, step
from tests.sim.histories import FOLDER, STORIES, answers, fact_of, plain

pytestmark = pytest.mark.unit

FILES = sorted(FOLDER.glob("*.jsonl"))


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_every_story_is_kept() -> None:
    assert [file.stem for file in FILES] == sorted(story.__name__ for story in STORIES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_was_decided_then_is_decided_now(file: Path) -> None:
    kept = lines(file)
    facts = [fact_of(line["fact"]) for line in kept]
    for then, now in zip(kept, answers(iter(facts)), strict=True):
        assert as_wide_as(then, now) == then


def as_wide_as(then: Any, now: Any) -> Any:
    """What is decided now, without fields that came later."""
    if isinstance(then, dict) and isinstance(now, dict):
        return {name: as_wide_as(one, now.get(name)) for name, one in then.items()}
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [as_wide_as(before, after) for before, after in zip(then, now, strict=True)]
    return now


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_kept_events_alone_bring_back_the_state(file: Path) -> None:
    told, replayed = Centre(), Centre()
    for line in lines(file):
        events, _ = step(told, fact_of(line["fact"]))
        assert as_wide_as(line["events"], [plain(event) for event in events]) == line["events"]
        for shown in line["events"]:
            evolve(replayed, event_of(shown))
    assert replayed == told
    assert not told.contacts, "the story does not come to its end"


def event_of(shown: dict[str, Any]) -> Any:
    held = {name: value_of(one) for name, one in shown.items() if name != "is"}
    return getattr(e, shown["is"])(**held)


def value_of(shown: Any) -> Any:
    return fact_of(shown) if isinstance(shown, list) or (isinstance(shown, dict) and "is" in shown) else shown


def test_a_changed_decision_is_noticed() -> None:
    kept = lines(FOLDER / "a_queue_in_order.jsonl")
    facts = [fact_of(line["fact"]) for line in kept]
    facts[0] = replace(facts[0], spec=replace(facts[0].spec, ageing=0.0))
    assert isinstance(facts[0].spec, specs.QueueSpec)
    assert list(answers(iter(facts)))[1:] != kept[1:]
