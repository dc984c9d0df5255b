"""Duties as a calendar file (RFC 5545), to be opened once or subscribed to by a telephone's calendar.

Times are UTC, so that no calendar needs to know our time zones' rules. A duty keeps its UID while it stays on its day:
a calendar that subscribes moves the entry, instead of showing two.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from centrala.planning.values import AbsoluteDuty, Moment

Language = Literal["en", "pl", "ru"]

_WORDS: dict[Language, dict[str, str]] = {
    "en": {"shift": "Shift", "breaks": "Breaks", "work": "At the phones", "unpaid": "unpaid"},
    "pl": {"shift": "Zmiana", "breaks": "Przerwy", "work": "Przy telefonach", "unpaid": "niepłatna"},
    "ru": {"shift": "Смена", "breaks": "Перерывы", "work": "На линии", "unpaid": "неоплачиваемый"},
}

REFRESH = timedelta(hours=1)
"How often a calendar is asked to look again."


def language_of(locale: str) -> Language:
    short = locale[:2].lower()
    return short if short in _WORDS else "en"


def calendar_of(
    duties: Sequence[AbsoluteDuty],
    title: str,
    *,
    house: str,
    zone: tzinfo,
    stamp: float,
    sequence: int = 0,
    language: Language = "en",
    queues: Mapping[str, str] | None = None,
    agents: Mapping[str, str] | None = None,
) -> bytes:
    """A VCALENDAR with one VEVENT a duty. `house` is the tenant, `queues` and `agents` names by id; with `agents` each
    entry says whose it is. `sequence` grows with the plan's changes (RFC 5545 3.8.7.4)."""
    import icalendar  # 0.3 s, for whoever asks first

    words = _WORDS[language]
    made = icalendar.Calendar()
    made.add("prodid", "-//Centrala//Rosters//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", title)
    made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", REFRESH)
    seen: dict[tuple[str, str], int] = {}
    for duty in duties:
        place = seen[duty.agent, str(duty.date)] = seen.get((duty.agent, str(duty.date)), 0) + 1
        event = icalendar.Event()
        event.add("uid", _uid(house, duty, place))
        event.add("dtstamp", datetime.fromtimestamp(stamp, UTC))
        event.add("dtstart", datetime.fromtimestamp(duty.start, UTC))
        event.add("dtend", datetime.fromtimestamp(duty.end, UTC))
        event.add("sequence", sequence)
        whose = f"{agents.get(duty.agent, duty.agent)}: " if agents is not None else ""
        event.add("summary", f"{whose}{words['shift']} ({duty.shift})")
        event.add("description", _described(duty, zone, words, queues or {}))
        event.add("transp", "OPAQUE")
        event.add("class", "PRIVATE")
        made.add_component(event)
    return bytes(made.to_ical())


def _uid(house: str, duty: AbsoluteDuty, place: int) -> str:
    # No name of a person in it: files are passed on.
    text = f"{house}\n{duty.agent}\n{duty.date}\n{place}"
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}@centrala"


def _described(duty: AbsoluteDuty, zone: tzinfo, words: Mapping[str, str], queues: Mapping[str, str]) -> str:
    lines = [
        f"{_span(one, zone)} {queues.get(one.what, one.what) or words['work']}"
        for one in _joined(duty.stretches)
    ]
    lines += [f"{_span(one, zone)} {one.what}" for one in duty.activities]
    lines.sort()
    if duty.breaks:
        pauses = [
            _span(one, zone) + (f" ({words['unpaid']})" if one.what == "unpaid" else "")
            for one in duty.breaks
        ]
        lines.append(f"{words['breaks']}: {', '.join(pauses)}")
    return "\n".join(lines)


def _joined(stretches: Sequence[Moment]) -> list[Moment]:
    found: list[Moment] = []
    for one in sorted(stretches, key=lambda one: one.start):
        if found and found[-1].what == one.what and found[-1].end >= one.start:
            found[-1] = Moment(found[-1].start, one.end, one.what)
        else:
            found.append(one)
    return found


def _span(one: Moment, zone: tzinfo) -> str:
    begin, end = (datetime.fromtimestamp(at, zone).strftime("%H:%M") for at in (one.start, one.end))
    return f"{begin}–{end}"
