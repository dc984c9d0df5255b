"""What records tell of callbacks, messages, payments, surveys and customers put aside, scene by scene."""

import pytest
from ledger_scenes import scenes

from centrala.core.centre import Centre, step
from centrala.ledger import Batch, contacts, open_log, project, rebuild

pytestmark = pytest.mark.unit

T = 1_790_000_000.0
Rows = dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    data = tmp_path_factory.mktemp("scenes")
    with open_log(data) as log:
        centre, batch = Centre(), Batch()
        for fact in scenes(T):
            batch.step(log, "acme", fact, *step(centre, fact))
        log.append(batch)
        folded = list(contacts(data, include_open=True))
        project(log)
        assert list(contacts(data, include_open=True)) == folded
        rebuild(log)
        assert list(contacts(data, include_open=True)) == folded
    return {str(row["id"]): row for row in folded}


def pick(row: dict[str, object], *names: str) -> list[object]:
    return [row[name] for name in names]


def test_gaps_of_a_recording_are_told_in_its_own_seconds(rows: Rows) -> None:
    # Begun at second 4 of the scene; paused 5–6 by hand and 7–8 for a payment, off from 9 on.
    assert rows["s1"]["gaps"] == [
        {"from": 1.0, "to": 2.0, "why": "asked"},
        {"from": 3.0, "to": 4.0, "why": "payment"},
        {"from": 5.0, "to": None, "why": "off"},
    ]


def test_a_parked_customer_is_on_hold(rows: Rows) -> None:
    # On hold 10–15 while somebody was asked, and 16–17 in the slot; talk begins with the connection at second 3.
    assert pick(rows["s1"], "hold_s", "talk_s", "agent", "outcome") == [6.0, 11.0, "zoe", "answered"]
    roles = [(one["agent"], one["role"]) for one in rows["s1"]["segments"]]  # type: ignore[attr-defined, index]
    assert roles == [("zoe", "agent"), ("yan", "consult"), ("yan", "agent"), ("zoe", "agent")]


def test_an_escalation_is_kept_with_its_reason(rows: Rows) -> None:
    (told,) = rows["s2"]["escalations"]  # type: ignore[misc]
    assert told["reason"] == "contract"  # type: ignore[index]
    assert told["agent"] == "yan"  # type: ignore[index]
    assert (told["queue"], told["to"], told["tier"]) == ("desk", "queue:second", 2)  # type: ignore[index]


def test_a_survey_counts_for_who_served_before(rows: Rows) -> None:
    (told,) = rows["s3"]["answers"]  # type: ignore[misc]
    assert told == {
        "survey": "rate",
        "question": "good",
        "value": 4,
        "scale": "1-5",
        "queue": "desk",
        "agent": rows["s3"]["agent"],
    }
    assert pick(rows["s3"], "outcome", "talk_s") == ["answered", 1.0]


def test_a_callback_keeps_what_it_follows_from_and_when_it_is_due(rows: Rows) -> None:
    assert rows["s4"]["outcome"] == "callback"
    promised = rows["s4-cb"]
    assert pick(promised, "direction", "origin", "outcome", "attempts") == ["callback", "s4", None, 0]
    assert promised["waiting_since"] == rows["s4"]["arrived_at"]
    assert promised["due_at"] is not None


def test_a_callback_that_is_not_reached_counts_its_attempts(rows: Rows) -> None:
    assert pick(rows["s5"], "direction", "attempts", "outcome", "answered_at") == [
        "callback",
        1,
        "dropped",
        None,
    ]


def test_a_message_is_the_recording_of_its_contact(rows: Rows) -> None:
    assert rows["s6"]["outcome"] == "voicemail"
    left = rows["s6-vm"]
    assert pick(left, "medium", "origin", "queue") == ["voicemail", "s6", "desk"]
    assert left["recording"] == "recordings/s6-message-2.wav"
