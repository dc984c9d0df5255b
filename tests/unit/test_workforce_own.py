"""The centre's own history: what its records hold, as calls, seconds, waits; the commands that read them."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from centrala.core import facts as f
from centrala.core.centre import Centre, step
from centrala.core.specs import AgentSpec, Destination, QueueSpec
from centrala.ledger import Batch, Log, contacts, open_log
from centrala.workforce import BadHistory, TooShort
from centrala.workforce.console import app
from centrala.workforce.own import own_history, own_waits, visits

pytestmark = pytest.mark.unit

FIRST = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def lived(log: Log, days: int) -> int:
    """Weekdays with calls every 20 minutes from 8 to 16 UTC. Each third gives up after 30 s, and again a minute later;
    the others are answered after 5 s and talk for a minute."""
    centre, batch, number = Centre(), Batch(), 0
    begin = FIRST.timestamp() - 60

    def tell(fact: f.Fact) -> None:
        batch.step(log, "acme", fact, *step(centre, fact))

    tell(f.AgentChanged(begin, AgentSpec("alice", fixed_phone=True, always_ready=True)))
    tell(f.QueueChanged(begin, QueueSpec("sales", agents=("alice",), wrap_up=0.0, short_abandon=0.0)))
    tell(f.NumberChanged(begin, "102", Destination("queue", "sales")))
    for day in range(days):
        morning = FIRST + timedelta(days=day)
        if morning.weekday() >= 5:
            continue
        for call in range(24):
            at = morning.timestamp() + 1200 * call
            for again in range(2 if call % 3 == 0 else 1):
                number += 1
                contact, came = f"c{number:05d}", at + 60 * again
                tell(f.ContactArrived(came, contact, party=f"p{call}", dialled="102"))
                batch.party("acme", f"p{call}", f"+48600100{call:03d}", "", came)
                if call % 3:
                    tell(f.Answered(came + 5, contact, f"{contact}.1"))
                    tell(f.HungUp(came + 65, contact))
                else:
                    tell(f.HungUp(came + 30, contact))
    log.append(batch)
    return number


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with open_log(tmp_path) as log:
        lived(log, 22)
    return tmp_path


def test_visits_are_the_records(data: Path) -> None:
    known = visits(data, "Europe/Warsaw", queue="sales")
    assert len(known) == len(list(contacts(data)))
    assert known[0].at == datetime(2026, 3, 2, 9, 0)
    assert {(one.wait, one.answered, one.gave_up, one.handling) for one in known} == {
        (5.0, True, False, 60.0),
        (30.0, False, True, None),
    }


def test_calls_by_the_wall_clock(data: Path) -> None:
    known = visits(data, "Europe/Warsaw")
    past = own_history(known, until=date(2026, 3, 21))
    # From the day after the first contact to the day before `until`.
    assert (past.days[0], past.days[-1]) == (np.datetime64("2026-03-03"), np.datetime64("2026-03-20"))
    assert past.values.shape == (14, 48)
    assert past.values[0, 18:22].tolist() == [3, 1, 3, 1]
    assert past.values[0].sum() == 32
    fresh = own_history(known, until=date(2026, 3, 21), without_redials=900)
    assert fresh.values[0].sum() == 24
    seconds = own_history(known, until=date(2026, 3, 21), kind="seconds")
    assert seconds.weights is not None
    assert seconds.weights[0, 18:22].tolist() == [1, 1, 1, 1]
    assert seconds.values[0, 18] == 60.0
    with pytest.raises(TooShort, match="no whole day"):
        own_history(known, until=date(2026, 3, 3))
    with pytest.raises(BadHistory, match="no contacts of queue support; there are sales"):
        visits(data, "UTC", queue="support")
    with pytest.raises(BadHistory, match="no time zone"):
        visits(data, "Mars/Olympus")


def test_waits_are_read_too(data: Path) -> None:
    waits = own_waits(visits(data, "UTC"))
    assert waits.kinds == ("sales",)
    assert waits.arrived[0] % 86_400 == 8 * 3600
    assert np.allclose((waits.left - waits.arrived)[waits.answered], 5.0)
    assert np.allclose((waits.left - waits.arrived)[~waits.answered], 30.0)
    assert waits.agent[-1] == "alice"


def test_the_commands(data: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    done = run(app, ["patience", "--data", str(data), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["gave_up"] == found["contacts"] / 2
    # Of a day's 16 who gave up, 8 were at it for the first time.
    assert found["redial_share"] == pytest.approx(0.5)
    done = run(app, ["forecast", "--data", str(data), "--queue", "sales", "--days", "3", "--json",
                     "--timezone", "Europe/Warsaw", "--closed", "2026-03-24"])  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert len(found["days"]) == 3
    assert found["days"][0]["expected"] == pytest.approx(32, abs=3)
    assert "2026-03-24" not in [one["day"] for one in found["days"]]
    assert {"wape", "seasonal_naive"} <= set(found["accuracy"])
    out = tmp_path / "ahead.csv"
    done = run(app, ["forecast", "--data", str(data), "--days", "1", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_text().splitlines()[0].startswith("start,median,mean,q5")
    for wrong, words in (
        (["forecast"], "a CSV or --data"),
        (["forecast", "--data", str(tmp_path / "nowhere")], "nowhere"),
        (["forecast", str(tmp_path / "none.csv")], "none.csv"),
        (["forecast", "--data", str(data), "--special", "2026-03-24"], "--special"),
        (["forecast", "--data", str(data), "--closed", "soon"], "soon"),
        (["forecast", "--data", str(data), "--measure", "hope"], "--measure"),
        (["waits", "--data", str(data)], "waits"),
    ):
        refused = run(app, wrong)
        assert refused.exit_code == 2, refused.output
        assert words in refused.output
