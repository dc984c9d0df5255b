"""Contact records: every field by hand-told stories, and the projection against the fold of the whole log."""

import random
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from test_ledger_world import saga, story

from centrala.core import events as e
from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.specs import AgentSpec, Destination, QueueSpec
from centrala.ledger import Batch, Log, contacts, erase, open_log, project, rebuild
from centrala.ledger import records as records_module

pytestmark = pytest.mark.unit

T = 1_795_341_600.123
"2026-11-22T10:00:00.123Z, by `date -u -d 2026-11-22T10:00:00.123Z +%s.%3N`."

FIELDS = [
    "id",
    "tenant",
    "medium",
    "direction",
    "from",
    "to",
    "queue",
    "arrived_at",
    "queued_at",
    "offered_at",
    "answered_at",
    "ended_at",
    "wait_s",
    "talk_s",
    "hold_s",
    "wrap_up_s",
    "outcome",
    "agent",
    "recording",
    "disposition",
    "segments",
    "estimate_s",
    "flow",
    "path",
    "origin",
    "waiting_since",
    "due_at",
    "attempts",
    "answers",
    "gaps",
    "escalations",
]

CONFIGURATION: list[f.Fact] = [
    f.AgentChanged(T, AgentSpec("alice", fixed_phone=True, always_ready=True)),
    f.AgentChanged(T, AgentSpec("boris", fixed_phone=True)),
    f.QueueChanged(
        T,
        QueueSpec(
            "sales",
            agents=("alice",),
            wrap_up=10.0,
            max_wait=20.0,
            after_max_wait=Destination("queue", "support"),
        ),
    ),
    f.QueueChanged(T, QueueSpec("support", agents=("boris",), wrap_up=5.0)),
    f.NumberChanged(T, "102", Destination("queue", "sales")),
    f.NumberChanged(T, "103", Destination("queue", "support")),
    f.NumberChanged(T, "300", Destination("phone", "sip:expert@192.0.2.8")),
    f.NumberChanged(T, "400", Destination("music", "default")),
]


def lived(log: Log, facts: Sequence[f.Fact], tenant: str = "acme", party: str = "+48600100200") -> None:
    centre, batch = Centre(), Batch()
    for fact in [*CONFIGURATION, *facts]:
        batch.step(log, tenant, fact, *step(centre, fact))
        if isinstance(fact, f.ContactArrived):
            batch.party(tenant, fact.party or fact.contact, party, "", fact.at)
    log.append(batch)


def only(tmp_path: Path, facts: Sequence[f.Fact]) -> dict[str, object]:
    """The record of a story, read from the tail of the log and from the projection alike."""
    with open_log(tmp_path) as log:
        lived(log, facts)
        [record] = contacts(tmp_path, include_open=True)
        project(log)
        assert list(contacts(tmp_path, include_open=True)) == [record]
    return record


def test_a_queued_call_with_hold_and_wrap_up(tmp_path: Path) -> None:
    record = only(
        tmp_path,
        [
            f.ContactArrived(T, "c1", "102", "p1"),
            f.Rang(T + 0.4, "c1", "c1.1"),
            f.Answered(T + 3.2504, "c1", "c1.1"),
            f.PutOnHold(T + 10, "c1", "c1.1"),
            f.TakenOffHold(T + 12.5, "c1", "c1.1"),
            f.PutOnHold(T + 20, "c1", "c1.1"),
            f.HungUp(T + 21, "c1"),
            f.RecordingStored(T + 21.5, "c1", "recordings/acme/c1.wav", 17.7, 17.75),
            f.WrapUpFinished(T + 25.25, "alice"),
        ],
    )
    assert list(record) == FIELDS
    assert record == {
        "id": "c1",
        "tenant": "acme",
        "medium": "voice",
        "direction": "inbound",
        "from": "+48600100200",
        "to": "102",
        "queue": "sales",
        "arrived_at": "2026-11-22T10:00:00.123Z",
        "queued_at": "2026-11-22T10:00:00.123Z",
        "offered_at": "2026-11-22T10:00:00.123Z",
        "answered_at": "2026-11-22T10:00:03.373Z",
        "ended_at": "2026-11-22T10:00:21.123Z",
        "wait_s": 3.25,
        "talk_s": 14.25,
        "hold_s": 3.5,
        "wrap_up_s": 4.25,
        "outcome": "answered",
        "agent": "alice",
        "recording": "recordings/acme/c1.wav",
        "disposition": None,
        "segments": [
            {
                "agent": "alice",
                "role": "agent",
                "from": "2026-11-22T10:00:03.373Z",
                "to": "2026-11-22T10:00:21.123Z",
            }
        ],
        "estimate_s": 0.0,
        "flow": None,
        "path": [],
        "origin": None,
        "waiting_since": "2026-11-22T10:00:00.123Z",
        "due_at": None,
        "attempts": 0,
        "answers": [],
        "gaps": [],
        "escalations": [],
    }


def parts(record: dict[str, object]) -> list[tuple[object, ...]]:
    """(agent, role, from, to) of each segment, in seconds after `T`."""
    segments = record["segments"]
    assert isinstance(segments, list)
    return [
        (
            one["agent"],
            one["role"],
            *(datetime.fromisoformat(one[side]).timestamp() - T for side in ("from", "to")),
        )
        for one in segments
    ]


def test_everybody_who_took_part_has_a_segment_of_their_own(tmp_path: Path) -> None:
    """alice asks boris, both talk with the customer, boris goes on alone; a supervisor listens and barges in."""
    facts: list[f.Fact] = [
        f.AgentChanged(T, AgentSpec("sofia", fixed_phone=True)),
        f.ContactArrived(T, "c1", "102"),
        f.Answered(T + 2, "c1", "c1.1"),
        f.ConsultAsked(T + 5, "c1", "alice", "boris"),
        f.Answered(T + 6, "c1", "c1.2"),
        f.ConferenceAsked(T + 9, "c1", "alice"),
        f.SuperviseAsked(T + 10, "c1", "sofia", "listen"),
        f.Answered(T + 11, "c1", "c1.3"),
        f.HoldAsked(T + 12, "c1", "alice"),
        f.LeaveAsked(T + 14, "c1", "alice"),
        f.SuperviseAsked(T + 15, "c1", "sofia", "barge"),
        f.ResultGiven(T + 16, "c1", "alice", "sold"),
        f.HungUp(T + 20, "c1"),
        f.TimerFired(T + 24, "wrap:alice"),
        f.ResultGiven(T + 25, "c1", "boris", "lost"),
        f.TimerFired(T + 30, "wrap:boris"),
    ]
    record = only(tmp_path, facts)
    assert [(who, role, round(came, 3), round(went, 3)) for who, role, came, went in parts(record)] == [  # type: ignore[call-overload]
        ("alice", "agent", 2, 14),
        ("boris", "consult", 6, 9),
        ("boris", "member", 9, 14),
        ("sofia", "listen", 11, 15),
        ("boris", "agent", 14, 20),
        ("sofia", "barge", 15, 20),
    ]
    # On hold during the consultation alone; in a conference whoever steps aside leaves nobody with music.
    assert (record["talk_s"], record["hold_s"], record["agent"]) == (14.0, 4.0, "alice")
    assert (record["wrap_up_s"], record["disposition"]) == (20.0, "lost")


def test_a_blind_transfer_that_comes_back_and_a_handover_while_it_rings(tmp_path: Path) -> None:
    facts: list[f.Fact] = [
        f.ContactArrived(T, "c1", "102"),
        f.Answered(T + 2, "c1", "c1.1"),
        f.HandOverAsked(T + 5, "c1", "alice", "boris"),
        f.OfferFailed(T + 6, "c1", "c1.2", "busy"),
        f.Answered(T + 8, "c1", "c1.3"),
        f.ConsultAsked(T + 9, "c1", "alice", "boris"),
        f.CompleteAsked(T + 10, "c1", "alice"),
        f.Answered(T + 12, "c1", "c1.4"),
        f.HungUp(T + 15, "c1", "c1.4"),
        f.TimerFired(T + 20, "wrap:alice"),
        f.TimerFired(T + 25, "wrap:boris"),
    ]
    record = only(tmp_path, facts)
    assert [(who, role, round(came, 3), round(went, 3)) for who, role, came, went in parts(record)] == [  # type: ignore[call-overload]
        ("alice", "agent", 2, 5),
        ("alice", "agent", 8, 10),
        ("boris", "agent", 12, 15),
    ]
    assert (record["talk_s"], record["hold_s"], record["outcome"]) == (7.0, 1.0, "answered")


def test_a_caller_who_gives_up(tmp_path: Path) -> None:
    record = only(tmp_path, [f.ContactArrived(T, "c1", "103"), f.HungUp(T + 7, "c1")])
    assert (record["outcome"], record["wait_s"], record["queue"]) == ("abandoned", 7.0, "support")
    absent = ["offered_at", "answered_at", "talk_s", "hold_s", "wrap_up_s", "agent", "recording"]
    assert [record[name] for name in absent] == [None] * 7


def test_overflow_names_the_queue_that_answered(tmp_path: Path) -> None:
    facts: list[f.Fact] = [
        f.ContactArrived(T, "busy", "102"),
        f.Answered(T + 1, "busy", "busy.1"),
        f.ContactArrived(T + 2, "c1", "102"),
        f.TimerFired(T + 22, "wait:c1"),
        f.AgentSignedIn(T + 23, "boris"),
        f.AgentReady(T + 23, "boris"),
        f.Answered(T + 25, "c1", "c1.1"),
        f.HungUp(T + 30, "c1", "c1.1"),
        f.TimerFired(T + 35, "wrap:boris"),
    ]
    with open_log(tmp_path) as log:
        lived(log, facts)
        [record] = contacts(tmp_path)
    assert (record["id"], record["queue"], record["agent"]) == ("c1", "support", "boris")
    assert (record["wait_s"], record["talk_s"], record["wrap_up_s"]) == (23.0, 5.0, 5.0)
    assert record["queued_at"] == "2026-11-22T10:00:02.123Z"


def test_overflow_that_nobody_answered_names_the_last_queue(tmp_path: Path) -> None:
    facts: list[f.Fact] = [
        f.AgentPaused(T, "alice", "lunch"),
        f.ContactArrived(T, "c1", "102"),
        f.TimerFired(T + 20, "wait:c1"),
        f.HungUp(T + 26, "c1"),
    ]
    record = only(tmp_path, facts)
    assert (record["queue"], record["wait_s"], record["outcome"]) == ("support", 26.0, "abandoned")


def test_waiting_again_after_a_transfer_is_no_talk(tmp_path: Path) -> None:
    record = only(
        tmp_path,
        [
            f.ContactArrived(T, "c1", "102"),
            f.Answered(T + 2, "c1", "c1.1"),
            f.PutOnHold(T + 5, "c1", "c1.1"),
            f.TransferAsked(T + 6, "c1", "c1.1", "103"),
            f.TimerFired(T + 16, "wrap:alice"),
            f.AgentSignedIn(T + 30, "boris"),
            f.AgentReady(T + 30, "boris"),
            f.Answered(T + 32, "c1", "c1.2"),
            f.HungUp(T + 40, "c1"),
        ],
    )
    assert (record["queue"], record["agent"], record["outcome"]) == ("sales", "alice", "answered")
    assert (record["wait_s"], record["talk_s"], record["hold_s"]) == (2.0, 11.0, 1.0)
    assert record["wrap_up_s"] is None  # boris is at it still


def test_two_wrap_ups_are_added(tmp_path: Path) -> None:
    record = only(
        tmp_path,
        [
            f.ContactArrived(T, "c1", "102"),
            f.Answered(T + 2, "c1", "c1.1"),
            f.AgentSignedIn(T + 3, "boris"),
            f.AgentReady(T + 3, "boris"),
            f.TransferAsked(T + 6, "c1", "c1.1", "103"),
            f.Answered(T + 7, "c1", "c1.2"),
            f.HungUp(T + 8, "c1"),
            f.TimerFired(T + 13, "wrap:boris"),
            f.TimerFired(T + 16, "wrap:alice"),
        ],
    )
    assert record["wrap_up_s"] == 15.0


def test_music_answers_and_a_wrong_number_does_not(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        lived(
            log,
            [
                f.ContactArrived(T, "c1", "400"),
                f.HungUp(T + 4, "c1"),
                f.ContactArrived(T + 5, "c2", "999"),
            ],
        )
    music, wrong = contacts(tmp_path)
    assert (music["answered_at"], music["talk_s"], music["queue"], music["agent"]) == (
        music["arrived_at"],
        4.0,
        None,
        None,
    )
    assert (wrong["outcome"], wrong["ended_at"], wrong["wait_s"], wrong["talk_s"]) == (
        "refused",
        "2026-11-22T10:00:05.123Z",
        0.0,
        None,
    )


def test_outbound_and_internal_calls_come_from_the_agent(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        lived(
            log,
            [
                f.ContactArrived(T, "out", "", agent="alice", outside=True),
                f.Answered(T + 5, "out", "out"),
                f.HungUp(T + 9, "out"),
                f.ContactArrived(T + 10, "in", "103", agent="alice"),
                f.HungUp(T + 12, "in"),
            ],
        )
    out, inside = contacts(tmp_path)
    assert (out["direction"], out["from"], out["to"], out["agent"]) == (
        "outbound",
        "alice",
        "+48600100200",
        "alice",
    )
    assert (out["wait_s"], out["talk_s"], out["outcome"]) == (5.0, 4.0, "answered")
    assert (inside["direction"], inside["from"], inside["to"], inside["agent"]) == (
        "internal",
        "alice",
        "103",
        None,
    )


def test_running_contacts_are_shown_when_asked_for(tmp_path: Path) -> None:
    facts: list[f.Fact] = [f.ContactArrived(T, "c1", "102"), f.Answered(T + 2, "c1", "c1.1")]
    record = only(tmp_path, facts)
    assert (record["outcome"], record["ended_at"], record["wait_s"], record["talk_s"]) == (
        None,
        None,
        2.0,
        None,
    )
    assert list(contacts(tmp_path)) == []


def test_an_id_that_comes_twice_loses_neither_record(tmp_path: Path) -> None:
    facts: list[f.Fact] = []
    for start in (T, T + 10):
        facts += [f.ContactArrived(start, "c1", "103"), f.HungUp(start + 7, "c1")]
    with open_log(tmp_path) as log:
        lived(log, facts[:2])
        project(log)
        lived(log, facts[2:])
        told = [one["arrived_at"] for one in contacts(tmp_path)]
        project(log)
        assert [one["arrived_at"] for one in contacts(tmp_path)] == told
        rebuild(log)
        assert [one["arrived_at"] for one in contacts(tmp_path)] == told
    assert told == ["2026-11-22T10:00:00.123Z", "2026-11-22T10:00:10.123Z"]


def test_an_erased_party_shows_no_address(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        lived(log, [f.ContactArrived(T, "c1", "103"), f.HungUp(T + 7, "c1")])
        lived(log, [f.ContactArrived(T, "c1", "103"), f.HungUp(T + 7, "c1")], "other")
        for _ in range(2):
            first, second = contacts(tmp_path)
            assert (first["from"], second["from"]) == ("+48600100200", "+48600100200")
            project(log)
        erase(log, "acme", "c1")
        first, second = contacts(tmp_path)
        assert (first["tenant"], first["from"], first["to"]) == ("acme", None, "103")
        assert second["from"] == "+48600100200"


def test_a_time_beyond_the_calendar_is_null(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        batch = Batch()
        batch.step(
            log,
            "acme",
            f.ContactArrived(1e18, "c1", "1"),
            [
                e.ContactBegan(1e18, "c1", "voice", "inbound", "", "1", None, 0),
                e.ContactEnded(T, "c1", "failed", "centre"),
            ],
            [],
        )
        log.append(batch)
    [record] = contacts(tmp_path)
    assert (record["arrived_at"], record["wait_s"]) == (None, 0.0)


def test_the_projection_in_any_portions_gives_the_same_as_one_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(1)
    monkeypatch.setattr(records_module, "CHUNK", 37)
    with open_log(tmp_path) as log:
        shown = 0
        for tenant, seed in (("acme", 1), ("łódź", 2)):
            for fact, events, commands in saga(seed, 800):
                batch = Batch()
                batch.step(log, tenant, fact, events, commands)
                log.append(batch)
                if draw.random() < 0.05:
                    before = list(contacts(tmp_path, include_open=True))
                    project(log)
                    assert list(contacts(tmp_path, include_open=True)) == before
        projected = list(contacts(tmp_path, include_open=True))
        ended = list(contacts(tmp_path))
        project(log)
        assert list(contacts(tmp_path, include_open=True)) == projected
        stored = dump(log)
        rebuild(log)
        assert dump(log) == stored
        assert list(contacts(tmp_path, include_open=True)) == projected
        assert ended == [one for one in projected if one["outcome"] is not None]
        assert 60 < len(ended) < len(projected)
        arrivals = [str(one["arrived_at"]) for one in projected]
        assert arrivals == sorted(arrivals)
        for one in ended:
            shown += check(one)
        assert shown > 20


def dump(log: Log) -> list[tuple[object, ...]]:
    with log.reading() as db:
        return [*db.execute("SELECT * FROM records"), *db.execute("SELECT * FROM projections")]


def check(one: dict[str, object]) -> bool:
    """What must hold for every ended contact; True when it was answered."""
    assert list(one) == FIELDS
    assert all(one[name] is None or float(str(one[name])) >= 0 for name in FIELDS if name.endswith("_s"))
    assert (one["wait_s"] is None) == (
        one["flow"] is not None and one["queued_at"] is None and one["answered_at"] is None
    )
    assert (one["answered_at"] is None) == (one["talk_s"] is None) == (one["hold_s"] is None)
    assert one["outcome"] not in ("abandoned", "short_abandoned") or one["answered_at"] is None
    return one["answered_at"] is not None


def test_a_near_projection_keeps_the_reader_small(tmp_path: Path) -> None:
    """What `contacts` folds and holds is what isn't projected yet, not the log."""
    with open_log(tmp_path) as log:
        batch = Batch()
        for fact, events, commands in story(3, 1500):
            batch.step(log, "acme", fact, events, commands)
        log.append(batch)
        everything = list(contacts(tmp_path))
        project(log)
        with log.transaction() as db:
            db.execute("DELETE FROM log WHERE seq < (SELECT max(seq) FROM log)")
        assert list(contacts(tmp_path)) == everything
        assert project(log) == 0


def test_projecting_nothing_new_is_cheap(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        lived(log, [f.ContactArrived(T, "c1", "103")])
        assert project(log) > 0
        began = time.process_time()
        for _ in range(50):
            assert project(log) == 0
        assert (time.process_time() - began) / 50 < 0.1


def test_the_constant_of_these_tests() -> None:
    assert time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(T)) == "2026-11-22T10:00:00"
