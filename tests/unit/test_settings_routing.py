"""Stages, known agents, tiers and experts of a centre's file: what they mean for the core, and what is wrong."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from centrala.core.specs import Destination, LastAgent, Widen
from centrala.core.state import Centre
from centrala.settings import SettingsError, Tenant, parse
from centrala.settings.facts import calendar_spec, changes, queue_spec

pytestmark = pytest.mark.unit

FILE = """\
tenants:
  acme:
    domain: acme.example
    trunks: {out: {address: 192.0.2.1, outbound: true}}
    agents: {ann: {sip_password: a long secret, skills: {english: 8}}}
    calendars: {day: {hours: {mon-fri: "9:00-17:00"}}}
    experts:
      law: {name: Law office, number: "+48 22 123-45-67", tier: 3, calendar: day, authority: Signs settlements}
      desk: {phone: "sip:desk@192.0.2.7"}
    queues:
      sales:
        needs: {english: 5}
        widen:
          - {after: 60s, needs: {english: 3}}
          - {length: 5, below: 60%, needs: {english: 0}, queues: [other], calendar: day}
        last_agent: {wait: 20s}
        when_slow: {queue: other}
        slow_below: 30
        tier: 2
        escalate: {expert: law}
      other: {agents: [ann], escalate: {queue: sales}}
"""


def tenant(text: str = FILE) -> Tenant:
    return parse(text, Path("centre.yaml")).tenants["acme"]


def test_what_the_file_says_is_what_the_core_does() -> None:
    spec = queue_spec(tenant().queues["sales"], tenant(), 1_770_000_000.0)
    assert spec.widen == (
        Widen(after=60.0, needs={"english": 3}),
        Widen(length=5, below=0.6, needs={"english": 0}, queues=("other",), calendar="day"),
    )
    assert spec.last_agent == LastAgent(wait=20.0)
    assert (spec.when_slow, spec.slow_below, spec.tier) == (Destination("queue", "other"), 0.3, 2)
    assert spec.escalate == Destination("line", "+48221234567")


def test_experts_are_numbers_that_nobody_dials() -> None:
    facts = changes(Centre(), tenant(), 1_770_000_000.0)
    numbers = {one.number: one.destination for one in facts if type(one).__name__ == "NumberChanged"}
    assert numbers["expert:law"] == Destination("line", "+48221234567")
    assert numbers["expert:desk"] == Destination("phone", "sip:desk@192.0.2.7")


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("after: 60s, needs", "needs", "never opens; expected after, length or below"),
        ("after: 60s, needs: {english: 3}", "after: 60s", "opens to nobody; expected needs or queues"),
        ("queues: [other], calendar", "queues: [sales], calendar", "is not a queue of this tenant"),
        ("calendar: day}\n", "calendar: night}\n", "is not a calendar of this tenant"),
        ("{expert: law}", "{expert: lawyer}", "is not an expert of this tenant"),
        ("{expert: law}", "{queue: sales}", "leads back to the queue itself"),
        ('{phone: "sip:desk@192.0.2.7"}', "{tier: 2}", "expected either number"),
        ('number: "+48 22 123-45-67"', "number: soon", "is no telephone number"),
        ("tier: 2", "tier: 10", "expected a whole number from 1 to 9"),
    ],
)
def test_what_can_not_be_is_said(right: str, wrong: str, sentence: str) -> None:
    assert right in FILE
    with pytest.raises(SettingsError) as caught:
        tenant(FILE.replace(right, wrong, 1))
    assert sentence in str(caught.value)


def test_experts_who_can_not_be_called_are_warned_of() -> None:
    settings = parse(FILE.replace(", outbound: true", ""), Path("centre.yaml"))
    assert any("no trunk takes calls out" in one for one in settings.warnings)


def test_a_calendar_may_be_of_another_time_zone_with_its_own_daylight_saving() -> None:
    text = FILE.replace(
        '{hours: {mon-fri: "9:00-17:00"}}', '{hours: {mon-fri: "9:00-17:00"}, timezone: America/New_York}'
    )
    house = tenant(text)
    # 8 March 2026 is when New York's clocks go forward, three weeks before Warsaw's.
    spec = calendar_spec(house.calendars["day"], house, datetime(2026, 3, 6, 12, tzinfo=UTC).timestamp())
    begins = [datetime.fromtimestamp(start, UTC).strftime("%a %H:%M") for start, _ in spec.open_at[4:6]]
    assert begins == ["Fri 14:00", "Mon 13:00"]
