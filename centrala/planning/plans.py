"""Plans as they are kept: drafts, what is published, contracts and rules.

Every change of a plan raises its version; who changes one says which version they looked at (`Stale` else). A day is
worked by one published plan of each queue: publishing another takes over the days that both have.

Methods block for a moment: a shell calls them from a thread.
"""

import secrets
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from centrala.ledger.beside import Tables
from centrala.planning.tables import connect
from centrala.planning.values import (
    AbsoluteDuty,
    Head,
    Person,
    Plan,
    PlanRules,
    Progress,
    Trouble,
    absolute,
    decode,
    encode,
)

MAX_PLANS = 500
"Of one tenant."
KEPT = 8
"Whole plans that stay in memory."


class Stale(Exception):
    """Somebody else changed it meanwhile; `version` is the one that counts now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"This was changed meanwhile and is version {version} now: look again.")
        self.version = version


class TooMany(Exception):
    """The tenant has as many plans as there may be."""


class Gone(Exception):
    """There is no such plan (any more)."""


class WrongState(Exception):
    """What is asked for can't be done with a plan of this state, in a sentence."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Days that a published plan gave to the one that was published now."""

    plan: str
    days: tuple[date, ...]


def open_plans(data: Path) -> "Plans":
    """The plans of a data folder. Raises DataFolderError with a sentence."""
    return Plans(connect(data))


def new_id() -> str:
    return secrets.token_hex(8)


class Plans(Tables):
    """Everything about plans that is stored, of all tenants."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db, "The plans")
        self._kept: OrderedDict[tuple[str, str, int], Plan] = OrderedDict()
        self._progress: dict[tuple[str, str], Progress] = {}

    # --- plans ---

    def tenants(self) -> list[str]:
        """Those that have plans."""
        with self.reading() as db:
            rows = db.execute("SELECT DISTINCT tenant FROM planning_plans ORDER BY tenant").fetchall()
        return [row[0] for row in rows]

    def heads(self, tenant: str) -> list[Head]:
        """Newest first."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT head FROM planning_plans WHERE tenant = ? ORDER BY made_at DESC, id", (tenant,)
            ).fetchall()
        return [self._going(tenant, decode(row[0], Head)) for row in rows]

    def head(self, tenant: str, id: str) -> Head | None:
        with self.reading() as db:
            row = db.execute(
                "SELECT head FROM planning_plans WHERE tenant = ? AND id = ?", (tenant, id)
            ).fetchone()
        return None if row is None else self._going(tenant, decode(row[0], Head))

    def plan(self, tenant: str, id: str) -> Plan | None:
        """Whole; None if there is none of this tenant."""
        with self.reading() as db:
            found = self._plan(db, tenant, id)
        return None if found is None else replace(found, head=self._going(tenant, found.head))

    def add(self, tenant: str, plan: Plan) -> Plan:
        """A new plan, as version 1. Raises TooMany."""
        made = replace(plan, head=replace(plan.head, version=1, progress=None))
        with self.writing() as db:
            (count,) = db.execute(
                "SELECT count(*) FROM planning_plans WHERE tenant = ?", (tenant,)
            ).fetchone()
            if count >= MAX_PLANS:
                raise TooMany(f"There are {MAX_PLANS} plans already: delete what isn't needed any more.")
            db.execute("INSERT INTO planning_plans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(tenant, made))
        return made

    def save(self, tenant: str, plan: Plan, base: int) -> Plan:
        """What it is from now on, instead of version `base`. Raises Stale, Gone."""
        made = replace(plan, head=replace(plan.head, version=base + 1, progress=None))
        with self.writing() as db:
            self._need(db, tenant, plan.head.id, base)
            db.execute(
                "INSERT OR REPLACE INTO planning_plans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(tenant, made)
            )
        return made

    def progress(self, tenant: str, id: str, now: Progress | None) -> None:
        """How far a plan in the making is; None: it is no longer made. Kept in memory alone."""
        with self._lock:
            if now is None:
                self._progress.pop((tenant, id), None)
            else:
                self._progress[tenant, id] = now

    def drop(self, tenant: str, id: str) -> Head:
        """Delete a plan that nobody ever worked by. Raises Gone, WrongState."""
        with self.writing() as db:
            head = self._head(db, tenant, id)
            if head.state == "published":
                raise WrongState("A published plan can't be deleted: archive it.")
            if self._days(db, tenant, id):
                raise WrongState("People have worked by this plan: it stays in the archive.")
            db.execute("DELETE FROM planning_plans WHERE tenant = ? AND id = ?", (tenant, id))
        return head

    def publish(self, tenant: str, id: str, base: int, now: float) -> tuple[Plan, list[Replaced]]:
        """Let people work by it. Other published plans of its queues give their days to it; one that has none left is
        archived. Raises Stale, Gone, WrongState."""
        with self.writing() as db:
            self._need(db, tenant, id, base)
            plan = self._plan(db, tenant, id)
            assert plan is not None
            if plan.head.state not in ("draft", "archived"):
                raise WrongState(f"A plan that is {plan.head.state} can't be published.")
            days = {plan.head.day(one) for one in range(plan.head.days)}
            replaced = []
            busy = {(one.agent, one.day) for one in plan.duties}
            for other in self._published(db, tenant, days):
                given = self._days(db, tenant, other.head.id) & days
                if not set(other.head.queues) & set(plan.head.queues):
                    twice = {
                        one.agent for one in other.duties if one.day in given and (one.agent, one.day) in busy
                    }
                    if twice:
                        raise WrongState(
                            f"{len(twice)} of its agents have shifts in {other.head.name} on the same days: make it"
                            " anew, or move one of the two."
                        )
                    continue
                self._take_days(db, tenant, other, given)
                replaced.append(Replaced(other.head.id, tuple(sorted(given))))
            head = replace(plan.head, version=base + 1, state="published", published_at=now)
            made = replace(plan, head=head)
            db.execute(
                "INSERT OR REPLACE INTO planning_plans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(tenant, made)
            )
            db.executemany(
                "INSERT OR REPLACE INTO planning_days VALUES (?, ?, ?)",
                [(tenant, str(day), id) for day in sorted(days)],
            )
        return made, replaced

    def archive(self, tenant: str, id: str, base: int, today: date) -> Plan:
        """Put away: nobody works by it from `today` on; what was, stays. Raises Stale, Gone, WrongState."""
        with self.writing() as db:
            self._need(db, tenant, id, base)
            plan = self._plan(db, tenant, id)
            assert plan is not None
            if plan.head.state == "making":
                raise WrongState("It is being made: wait, or delete it.")
            self._take_days(db, tenant, plan, {one for one in self._days(db, tenant, id) if one >= today})
            found = self._plan(db, tenant, id)
            assert found is not None
            if found.head.state == "archived":
                return found
            made = replace(found, head=replace(found.head, version=base + 1, state="archived"))
            db.execute(
                "INSERT OR REPLACE INTO planning_plans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(tenant, made)
            )
        return made

    def abandon(self, why: Trouble) -> int:
        """Plans that were being made when the last run ended have failed; gives how many."""
        with self.writing() as db:
            rows = db.execute("SELECT tenant, id FROM planning_plans WHERE state = 'making'").fetchall()
            for tenant, id in rows:
                plan = self._plan(db, tenant, id)
                assert plan is not None
                head = replace(plan.head, version=plan.head.version + 1, state="failed", problem=why)
                db.execute(
                    "INSERT OR REPLACE INTO planning_plans VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    _row(tenant, replace(plan, head=head)),
                )
        return len(rows)

    # --- what is published ---

    def published(self, tenant: str, first: date, last: date) -> list[AbsoluteDuty]:
        """Duties that begin on these days, both included, by start; of every plan that these days are worked by."""
        days = {first + timedelta(one) for one in range((last - first).days + 1)}
        found = []
        with self.reading() as db:
            for plan in self._published(db, tenant, days):
                own = self._days(db, tenant, plan.head.id) & days
                found += [absolute(plan.head, one) for one in plan.duties if one.day in own]
        return sorted(found, key=lambda one: (one.start, one.agent))

    def published_plans(self, tenant: str, first: date, last: date) -> list[tuple[Plan, frozenset[date]]]:
        """Plans that these days are worked by, each with those of the days that are its own."""
        days = {first + timedelta(one) for one in range((last - first).days + 1)}
        with self.reading() as db:
            return [
                (plan, frozenset(self._days(db, tenant, plan.head.id) & days))
                for plan in self._published(db, tenant, days)
            ]

    def duties_of(self, tenant: str, agent: str, first: date, last: date) -> list[AbsoluteDuty]:
        """The same, of one agent."""
        return [one for one in self.published(tenant, first, last) if one.agent == agent]

    # --- contracts and rules ---

    def people(self, tenant: str) -> dict[str, Person]:
        """Contracts that somebody has written down, by agent; who isn't in it has `Person(agent)`."""
        with self.reading() as db:
            rows = db.execute(
                "SELECT agent, body FROM planning_people WHERE tenant = ?", (tenant,)
            ).fetchall()
        return {agent: decode(body, Person) for agent, body in rows}

    def save_person(self, tenant: str, person: Person, base: int) -> Person:
        """Raises Stale."""
        made = replace(person, version=base + 1)
        with self.writing() as db:
            row = db.execute(
                "SELECT version FROM planning_people WHERE tenant = ? AND agent = ?", (tenant, person.agent)
            ).fetchone()
            if (row[0] if row else 0) != base:
                raise Stale(row[0] if row else 0)
            db.execute(
                "INSERT OR REPLACE INTO planning_people VALUES (?, ?, ?, ?)",
                (tenant, person.agent, made.version, encode(made).decode()),
            )
        return made

    def rules(self, tenant: str) -> PlanRules:
        with self.reading() as db:
            row = db.execute("SELECT body FROM planning_rules WHERE tenant = ?", (tenant,)).fetchone()
        return PlanRules() if row is None else decode(row[0], PlanRules)

    def save_rules(self, tenant: str, rules: PlanRules, base: int) -> PlanRules:
        """Raises Stale."""
        made = replace(rules, version=base + 1)
        with self.writing() as db:
            row = db.execute("SELECT version FROM planning_rules WHERE tenant = ?", (tenant,)).fetchone()
            if (row[0] if row else 0) != base:
                raise Stale(row[0] if row else 0)
            db.execute(
                "INSERT OR REPLACE INTO planning_rules VALUES (?, ?, ?)",
                (tenant, made.version, encode(made).decode()),
            )
        return made

    # --- within ---

    def _going(self, tenant: str, head: Head) -> Head:
        if head.state != "making":
            return head
        with self._lock:
            return replace(head, progress=self._progress.get((tenant, head.id), Progress("waiting", 0.0)))

    def _head(self, db: sqlite3.Connection, tenant: str, id: str) -> Head:
        row = db.execute(
            "SELECT head FROM planning_plans WHERE tenant = ? AND id = ?", (tenant, id)
        ).fetchone()
        if row is None:
            raise Gone(id)
        return decode(row[0], Head)

    def _need(self, db: sqlite3.Connection, tenant: str, id: str, base: int) -> None:
        version = self._head(db, tenant, id).version
        if version != base:
            raise Stale(version)

    def _plan(self, db: sqlite3.Connection, tenant: str, id: str) -> Plan | None:
        # Bodies of hundreds of agents take a while to read, and are asked for every few seconds.
        row = db.execute(
            "SELECT version, state FROM planning_plans WHERE tenant = ? AND id = ?", (tenant, id)
        ).fetchone()
        if row is None:
            return None
        key = (tenant, id, row[0])
        kept = self._kept.get(key)
        if kept is None:
            body = db.execute(
                "SELECT body FROM planning_plans WHERE tenant = ? AND id = ?", (tenant, id)
            ).fetchone()[0]
            kept = decode(body, Plan)
            # Not of a transaction that may yet be taken back.
            if not db.in_transaction:
                self._kept[key] = kept
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    def _published(self, db: sqlite3.Connection, tenant: str, days: Iterable[date]) -> list[Plan]:
        wanted = sorted(days)
        if not wanted:
            return []
        rows = db.execute(
            "SELECT DISTINCT plan FROM planning_days WHERE tenant = ? AND day >= ? AND day <= ? ORDER BY plan",
            (tenant, str(wanted[0]), str(wanted[-1])),
        ).fetchall()
        return [plan for (id,) in rows if (plan := self._plan(db, tenant, id)) is not None]

    def _days(self, db: sqlite3.Connection, tenant: str, id: str) -> set[date]:
        rows = db.execute(
            "SELECT day FROM planning_days WHERE tenant = ? AND plan = ?", (tenant, id)
        ).fetchall()
        return {date.fromisoformat(day) for (day,) in rows}

    def _take_days(self, db: sqlite3.Connection, tenant: str, plan: Plan, days: Iterable[date]) -> None:
        """A published plan loses these days; with the last of them it is archived."""
        db.executemany(
            "DELETE FROM planning_days WHERE tenant = ? AND plan = ? AND day = ?",
            [(tenant, plan.head.id, str(day)) for day in days],
        )
        if plan.head.state == "published" and not self._days(db, tenant, plan.head.id):
            head = replace(plan.head, version=plan.head.version + 1, state="archived")
            db.execute(
                "INSERT OR REPLACE INTO planning_plans VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                _row(tenant, replace(plan, head=head)),
            )


def _row(tenant: str, plan: Plan) -> tuple[str, str, int, str, str, float, str, str]:
    head = plan.head
    return (
        tenant,
        head.id,
        head.version,
        head.state,
        str(head.first),
        head.made_at,
        encode(head).decode(),
        encode(plan).decode(),
    )
