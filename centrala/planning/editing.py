"""Changes of a plan by hand: moved, added, removed, swapped. Pure; needs the extra `workforce`.

    edited(plan, [Move("d7", start=540)])     # the plan as it would be, which rules break, what it costs

Nothing is refused here but what can't be meant: whether a broken rule is borne is for whoever asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import msgspec
import numpy as np

from centrala.planning.reckoning import Floats, cover_of, evaluated, problem_of, roster_duty
from centrala.planning.values import (
    DAY,
    Activity,
    Duty,
    Edited,
    Kind,
    PausePlanned,
    Plan,
    PlannedAgent,
    Stretch,
    next_id,
)
from centrala.workforce.errors import WorkforceError
from centrala.workforce.roster.change import repair
from centrala.workforce.roster.model import Duty as RosterDuty


class EditWrong(ValueError):
    """A change that can't be meant, in a sentence; `place` is its number among the changes."""

    def __init__(self, place: int, sentence: str) -> None:
        super().__init__(f"Change {place + 1}: {sentence}.")
        self.place = place


class Move(msgspec.Struct, tag_field="what", tag="move", frozen=True, forbid_unknown_fields=True):
    """A duty begins at another time, on another day, or is another agent's."""

    duty: str
    day: date | None = None
    start: int | None = None
    agent: str | None = None


class Add(msgspec.Struct, tag_field="what", tag="add", frozen=True, forbid_unknown_fields=True):
    agent: str
    day: date
    shift: str
    start: int


class Remove(msgspec.Struct, tag_field="what", tag="remove", frozen=True, forbid_unknown_fields=True):
    duty: str


class Swap(
    msgspec.Struct,
    tag_field="what",
    tag="swap",
    frozen=True,
    forbid_unknown_fields=True,
    rename={"other": "with"},
):
    """Two duties change hands."""

    duty: str
    other: str


class Put(msgspec.Struct, tag_field="what", tag="put", frozen=True, forbid_unknown_fields=True):
    """A duty as it was: an edit undone."""

    duty: Duty


class Spend(msgspec.Struct, tag_field="what", tag="activity", frozen=True, forbid_unknown_fields=True):
    """A part of a duty is spent away from the phones; without a name it is work again."""

    duty: str
    start: int
    end: int
    name: str = ""


class Away(msgspec.Struct, tag_field="what", tag="absent", frozen=True, forbid_unknown_fields=True):
    """Days off that count as worked: what was planned on them is nobody's any more, or with `repair` what is best for
    the rest of the plan, others' shifts changed as little as may be."""

    agent: str
    days: tuple[date, ...]
    repair: bool = False
    seconds: float = 5.0
    "To look for the best repair."


Change = Move | Add | Remove | Swap | Put | Spend | Away


class EditOrder(msgspec.Struct, frozen=True):
    """What the job is told."""

    plan: Plan
    changes: list[Change]


def do(line: bytes, tell: object) -> Edited:
    """For the job. Raises EditWrong, msgspec.ValidationError."""
    order = msgspec.json.decode(line, type=EditOrder)
    return edited(order.plan, order.changes)


def edited(plan: Plan, changes: Sequence[Change]) -> Edited:
    """The plan after these changes, one after the other. Raises EditWrong."""
    now = plan
    for place, change in enumerate(changes):
        now = _Table(now, place).done(change)
    old, new = ({one.id: one for one in some.duties} for some in (plan, now))
    changed = tuple(one for one in now.duties if old.get(one.id) != one)
    removed = tuple(id for id in old if id not in new)
    touched = [*changed, *(old[id] for id in old if old[id] != new.get(id))]
    agents = {one.agent for one in touched}
    agents |= {one.agent for one, was in zip(now.agents, plan.agents, strict=True) if one != was}
    head = plan.head
    # A duty may reach into the next day.
    days = {head.index(one.day) + more for one in touched for more in range(1 + (one.end - 1) // DAY)}
    if not agents:
        return Edited(plan, (), (), ())
    after = evaluated(replace(now, head=replace(head, gap=None)), agents=agents, days=days)
    known = {(one.code, one.agent, one.day) for one in plan.broken}
    anew = tuple(one for one in after.broken if (one.code, one.agent, one.day) not in known)
    return Edited(after, changed, removed, anew)


class _Table:
    """A plan while one change is made."""

    def __init__(self, plan: Plan, place: int) -> None:
        self.plan = plan
        self.place = place
        self.duties = {one.id: one for one in plan.duties}
        self.agents = {one.agent: one for one in plan.agents}

    def done(self, change: Change) -> Plan:
        agents = self.plan.agents
        match change:
            case Move(id, day, start, agent):
                self._move(self._duty(id), day, start, agent)
            case Add(agent, day, shift, start):
                self._in_plan(day, start)
                self._known(agent)
                kind = self._kind(shift)
                id = f"d{next_id(self.plan.duties)}"
                self.duties[id] = self._placed(id, agent, day, kind, start)
            case Remove(id):
                del self.duties[self._duty(id).id]
            case Swap(id, other):
                one, two = self._duty(id), self._duty(other)
                if one.agent == two.agent:
                    raise self._wrong("both duties are the same agent's")
                for duty, agent in ((one, two.agent), (two, one.agent)):
                    self.duties[duty.id] = self._served(
                        replace(duty, agent=agent, activities=()), agent, duty
                    )
            case Put(duty):
                self._in_plan(duty.day, duty.start)
                self._known(duty.agent)
                self._whole(duty)
                self.duties[duty.id] = duty
            case Spend(id, start, end, name):
                duty = self._duty(id)
                self.duties[id] = self._spent(duty, start, end, name)
            case Away(agent, days, mend, seconds):
                self._known(agent)
                for day in days:
                    self._in_plan(day, 0)
                if not days:
                    raise self._wrong("no day is given")
                if mend:
                    self._mend(agent, days, seconds)
                agents = self._away(agent, days)
        order = {one.agent: at for at, one in enumerate(agents)}
        duties = tuple(sorted(self.duties.values(), key=lambda one: (order[one.agent], one.day, one.start)))
        return replace(self.plan, duties=duties, agents=agents)

    # --- each kind of change ---

    def _move(self, duty: Duty, day: date | None, start: int | None, agent: str | None) -> None:
        to, begin, who = day or duty.day, duty.start if start is None else start, agent or duty.agent
        self._in_plan(to, begin)
        self._known(who)
        by = begin - duty.start
        moved = Duty(
            duty.id,
            who,
            to,
            duty.shift,
            begin,
            duty.end + by,
            tuple(Stretch(one.start + by, one.end + by, one.queue) for one in duty.stretches),
            tuple(PausePlanned(one.start + by, one.end + by, one.paid) for one in duty.breaks),
            tuple(Activity(one.start + by, one.end + by, one.what) for one in duty.activities)
            if who == duty.agent
            else (),
        )
        self.duties[duty.id] = self._served(moved, who, duty)

    def _placed(self, id: str, agent: str, day: date, kind: Kind, start: int) -> Duty:
        """A new duty, its breaks where they take least away from callers."""
        spare = self._spare(without=id)
        queues = self.agents[agent].queues
        free, breaks = start, []
        for pause in kind.breaks:
            edges = range(start + pause.earliest, start + pause.latest + 1, self.plan.head.minutes)
            best = max(
                (at for at in edges if at >= free),
                key=lambda at: (self._room(spare, queues, day, at), -at),
                default=max(free, start + pause.earliest),
            )
            breaks.append(PausePlanned(best, best + pause.minutes, pause.paid))
            free = best + pause.minutes
        bare = Duty(id, agent, day, kind.name, start, start + kind.minutes, (), tuple(breaks))
        return self._served(bare, agent, None)

    def _room(self, spare: dict[str, Floats], queues: tuple[str, ...], day: date, at: int) -> float:
        place = self._interval(day, at)
        return min((float(spare[queue][place]) for queue in queues), default=0.0)

    def _served(self, duty: Duty, agent: str, before: Duty | None) -> Duty:
        """The duty's work given to the queues that miss agents most, interval by interval; where it is all the same, it
        stays with the queue before it."""
        queues = self.agents[agent].queues
        if before is not None and before.stretches and len(queues) == 1:
            before = None
        spare = self._spare(without=duty.id) if len(queues) > 1 else {}
        taken = sorted(
            [(one.start, one.end) for one in duty.breaks] + [(one.start, one.end) for one in duty.activities]
        )
        holes, at = [], duty.start
        for begin, end in taken:
            if begin > at:
                holes.append((at, begin))
            at = max(at, end)
        if at < duty.end:
            holes.append((at, duty.end))
        work: list[Stretch] = []
        step = self.plan.head.minutes
        for begin, end in holes:
            at = begin
            while at < end:
                until = min(end, (at // step + 1) * step)
                queue = queues[0]
                if len(queues) > 1:
                    place = self._interval(duty.day, at)
                    last = work[-1].queue if work else queues[0]
                    queue = min(
                        queues, key=lambda one: (round(float(spare[one][place]), 6), one != last, one)
                    )
                if work and work[-1].queue == queue and work[-1].end == at:
                    work[-1] = Stretch(work[-1].start, until, queue)
                else:
                    work.append(Stretch(at, until, queue))
                at = until
        return replace(duty, stretches=tuple(work))

    def _spent(self, duty: Duty, start: int, end: int, name: str) -> Duty:
        if not duty.start <= start < end <= duty.end:
            raise self._wrong("the activity must lie within the duty")
        if any(one.start < end and start < one.end for one in duty.breaks):
            raise self._wrong("the activity meets a break")
        activities = tuple(one for one in duty.activities if one.end <= start or end <= one.start)
        if name:
            activities = tuple(sorted([*activities, Activity(start, end, name)], key=lambda one: one.start))
        return self._served(replace(duty, activities=activities), duty.agent, duty)

    def _away(self, agent: str, days: Sequence[date]) -> tuple[PlannedAgent, ...]:
        paid = {
            one.name: (one.minutes - sum(b.minutes for b in one.breaks if not b.paid)) / 60
            for one in self.plan.kinds
        }
        person = self.agents[agent]
        lost = {one.day: one for one in self.plan.duties if one.agent == agent and one.day in days}
        credit = {
            day: paid.get(lost[day].shift, 0.0) if day in lost else 0.0
            for day in days
            if day not in person.absent
        }
        for one in lost.values():
            self.duties.pop(one.id, None)
        now = replace(
            person,
            absent=tuple(sorted({*person.absent, *days})),
            credit={**person.credit, **credit},
        )
        return tuple(now if one.agent == agent else one for one in self.plan.agents)

    def _mend(self, agent: str, days: Sequence[date], seconds: float) -> None:
        """Everybody's duties from the first of these days on as the repair has them."""
        head = self.plan.head
        known = {one.agent: one.queues[0] for one in self.plan.agents}
        before = {(one.agent, head.index(one.day)): one for one in self.duties.values() if one.agent in known}
        if len(before) < len(self.duties):
            raise self._wrong("somebody has two shifts on a day: mend that by hand first")
        away = [head.index(day) for day in days]
        try:
            found = repair(
                problem_of(self.plan),
                [roster_duty(head, one, activities_as=known[one.agent]) for one in before.values()],
                {agent: away},
                min(away),
                seconds=seconds,
            )
        except WorkforceError as problem:
            raise self._wrong(f"this can't be repaired ({problem})") from None
        duties: dict[str, Duty] = {}
        new: list[RosterDuty] = []
        for one in found.duties:
            was = before.pop((one.agent, one.day), None)
            if was is None:
                new.append(one)
            elif roster_duty(head, was, activities_as=known[was.agent]) == one:
                duties[was.id] = was
            else:
                duties[was.id] = self._mended(was.id, one, was.activities if was.start == one.start else ())
        # A duty that goes to another day of the same agent is moved: it keeps its name.
        left = [one for key, one in sorted(before.items()) if key[0] != agent or key[1] not in away]
        free = next_id(tuple(self.duties.values()))
        for one in new:
            was = next((old for old in left if old.agent == one.agent), None)
            if was is not None:
                left.remove(was)
            id = f"d{free}" if was is None else was.id
            free += was is None
            duties[id] = self._mended(id, one, ())
        self.duties = duties

    def _mended(self, id: str, one: RosterDuty, activities: Sequence[Activity]) -> Duty:
        kind = self._kind(one.shift)
        breaks = tuple(
            PausePlanned(begin, end, pause.paid)
            for (begin, end), pause in zip(one.breaks, kind.breaks, strict=True)
        )
        # A training stays where it was, unless a break is there now.
        kept = tuple(
            what for what in activities if not any(p.start < what.end and what.start < p.end for p in breaks)
        )
        work = []
        for part in one.work:
            at = part.begin
            for what in (*kept, Activity(part.end, part.end, "")):
                if at < min(part.end, what.start):
                    work.append(Stretch(at, min(part.end, what.start), part.group))
                at = max(at, min(part.end, what.end))
        day = self.plan.head.day(one.day)
        return Duty(id, one.agent, day, one.shift, one.start, one.end, tuple(work), breaks, kept)

    # --- looking ---

    def _spare(self, without: str) -> dict[str, Floats]:
        """Agents more than needed, by queue and interval, without one duty."""
        duties: Iterable[Duty] = (one for one in self.duties.values() if one.id != without)
        cover = cover_of(self.plan.head, duties)
        return {
            queue: cover[queue] - np.array(self.plan.demand[queue].required, float)
            for queue in self.plan.head.queues
        }

    def _interval(self, day: date, minute: int) -> int:
        head = self.plan.head
        last = head.days * DAY // head.minutes - 1
        return min(last, (head.index(day) * DAY + minute) // head.minutes)

    def _duty(self, id: str) -> Duty:
        if id not in self.duties:
            raise self._wrong("there is no such duty in this plan")
        return self.duties[id]

    def _known(self, agent: str) -> None:
        if agent not in self.agents:
            raise self._wrong("this agent isn't in the plan")

    def _kind(self, name: str) -> Kind:
        kind = next((one for one in self.plan.kinds if one.name == name), None)
        if kind is None:
            raise self._wrong("there is no such kind of shift in this plan")
        return kind

    def _in_plan(self, day: date, start: int) -> None:
        head = self.plan.head
        if not 0 <= head.index(day) < head.days:
            raise self._wrong(f"{day} is no day of this plan, which is from {head.first} to {head.last}")
        if not 0 <= start < DAY:
            raise self._wrong("a duty begins within its day, from minute 0 to 1439")
        if start % SHORTEST_START:
            raise self._wrong(f"a duty begins at a multiple of {SHORTEST_START} minutes")

    def _whole(self, duty: Duty) -> None:
        """Parts of a duty that somebody sent: in it, and of queues that the plan has."""
        parts: list[Stretch | PausePlanned | Activity] = [*duty.stretches, *duty.breaks, *duty.activities]
        if not duty.start < duty.end <= 2 * DAY or any(
            not duty.start <= one.start < one.end <= duty.end for one in parts
        ):
            raise self._wrong("parts of the duty lie outside of it")
        if any(one.queue not in self.plan.head.queues for one in duty.stretches):
            raise self._wrong("the duty serves a queue that isn't in this plan")
        self._kind(duty.shift)

    def _wrong(self, sentence: str) -> EditWrong:
        return EditWrong(self.place, sentence)


SHORTEST_START = 5
