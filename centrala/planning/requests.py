"""What agents ask of a published plan: days off, a swap with a colleague, a duty given to one.

A request goes one way: a colleague who is concerned agrees first (`asked` → `open` or `declined`), then somebody who
plans decides (`approved` or `refused`); whoever asked may take it back until then. One whose day has come without a
decision has lapsed. What is asked for is kept as it was then, so that it can be read when the plan is another.

Also here: the secret links by which a telephone's calendar reads its owner's duties.
"""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from centrala.ledger.beside import Tables
from centrala.planning.tables import connect

What = Literal["time_off", "swap", "give"]
State = Literal["asked", "open", "approved", "refused", "declined", "withdrawn", "lapsed"]

MOST_OPEN = 30
"Of one agent."
MOST_DAYS = 60
"Of one request."
KEPT = 400
"Shown at once, newest first."


class RequestError(Exception):
    """What somebody asked for can't be, in a sentence; `code` is stable."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Piece:
    """A duty as it was when it was asked about."""

    plan: str
    duty: str
    agent: str
    date: str
    start: float
    "Unix seconds."
    end: float


@dataclass(frozen=True, slots=True)
class Request:
    """One request of one agent."""

    id: str
    tenant: str
    agent: str
    user: str
    "Who asked."
    what: What
    state: State
    made_at: float
    days: tuple[str, ...] = ()
    "Of time off."
    mine: Piece | None = None
    "The duty that is swapped or given."
    other: str | None = None
    "The colleague."
    theirs: Piece | None = None
    "What the colleague gives for it."
    note: str = ""
    answered_at: float | None = None
    decided_at: float | None = None
    decided_by: str | None = None
    "A user's id."
    decision: str = ""
    "What was said with it."
    history: tuple[dict[str, Any], ...] = field(default=())

    @property
    def first_day(self) -> str:
        return min([*self.days, *(one.date for one in (self.mine, self.theirs) if one is not None)])

    @property
    def pending(self) -> bool:
        return self.state in ("asked", "open")


@dataclass(frozen=True, slots=True)
class Link:
    """Whose duties a secret address shows."""

    tenant: str
    user: str
    agent: str
    made_at: float


def open_requests(data: Path) -> "Requests":
    """Raises DataFolderError with a sentence."""
    return Requests(connect(data), "The requests")


class Requests(Tables):
    """Of all tenants. Methods block for a moment: a shell calls them from a thread."""

    def make(
        self,
        tenant: str,
        agent: str,
        user: str,
        what: What,
        now: float,
        today: date,
        *,
        days: Sequence[str] = (),
        mine: Piece | None = None,
        other: str | None = None,
        theirs: Piece | None = None,
        note: str = "",
    ) -> Request:
        """Raises RequestError for a day that has begun, for what was asked already, for too many."""
        made = Request(
            secrets.token_hex(8), tenant, agent, user, what, "open" if other is None else "asked", now,
            tuple(sorted(set(days))), mine, other, theirs, note,
        )  # fmt: skip
        look(made, today)
        with self.writing() as db:
            pending = [one for one in _read(db, tenant, "agent = ?", (agent,)) if one.pending]
            alive = [one for one in pending if one.first_day > today.isoformat()]
            if len(alive) >= MOST_OPEN:
                raise RequestError(
                    "TOO-MANY", f"{len(alive)} requests of yours wait already: take one back first."
                )
            for one in alive:
                if _same(one, made):
                    raise RequestError("REQUEST-THERE", "You have asked for this already.")
            _write(db, made)
        return made

    def of_agent(self, tenant: str, agent: str, today: date) -> list[Request]:
        """The agent's own and those that ask something of them, newest first."""
        with self.reading() as db:
            found = _read(db, tenant, "(agent = ? OR other = ?)", (agent, agent))
        return [_lapsed(one, today) for one in found]

    def all(self, tenant: str, today: date) -> list[Request]:
        """Newest first."""
        with self.reading() as db:
            found = _read(db, tenant, "1", ())
        return [_lapsed(one, today) for one in found]

    def get(self, tenant: str, id: str, today: date) -> Request | None:
        with self.reading() as db:
            found = _read(db, tenant, "id = ?", (id,))
        return _lapsed(found[0], today) if found else None

    def to(
        self,
        request: Request,
        state: State,
        by: str,
        now: float,
        *,
        note: str = "",
    ) -> Request:
        """The request in another state, if it is still in the one that `request` has.

        Raises RequestError REQUEST-OVER for one that isn't.
        """
        if state == "asked" or not request.pending:
            raise over(request)
        moved = replace(
            request,
            state=state,
            history=(*request.history, {"state": state, "at": now, "by": by, "note": note}),
        )
        if request.state == "asked" and state in ("open", "declined"):
            moved = replace(moved, answered_at=now)
        if state in ("approved", "refused"):
            moved = replace(moved, decided_at=now, decided_by=by, decision=note)
        with self.writing() as db:
            known = _read(db, request.tenant, "id = ?", (request.id,))
            if not known or known[0].state != request.state:
                raise over(known[0] if known else request)
            _write(db, moved)
        return moved

    # --- links ---

    def new_link(self, tenant: str, user: str, agent: str, now: float) -> str:
        """The secret part of an address, told this once; an older one of this user counts no more."""
        secret = secrets.token_urlsafe(32)
        with self.writing() as db:
            db.execute("DELETE FROM planning_links WHERE user = ?", (user,))
            db.execute(
                "INSERT INTO planning_links VALUES (?, ?, ?, ?, ?)",
                (_hash(secret), tenant, user, agent, now),
            )
        return secret

    def drop_link(self, user: str) -> bool:
        """Whether there was one."""
        with self.writing() as db:
            return db.execute("DELETE FROM planning_links WHERE user = ?", (user,)).rowcount > 0

    def link_of(self, user: str) -> Link | None:
        return self._link("user = ?", user)

    def link(self, secret: str) -> Link | None:
        """Whose it is; None when it was taken back, or never was. Look whether the user is still active."""
        return self._link("hash = ?", _hash(secret))

    def _link(self, where: str, value: str) -> Link | None:
        with self.reading() as db:
            found = db.execute(
                f"SELECT tenant, user, agent, made_at FROM planning_links WHERE {where}", (value,)
            ).fetchone()
        return None if found is None else Link(*found)


def look(made: Request, today: date) -> None:
    """Raises RequestError REQUEST-WRONG for what can't be meant."""

    def wrong(sentence: str) -> RequestError:
        return RequestError("REQUEST-WRONG", sentence)

    if made.what == "time_off":
        if not made.days or len(made.days) > MOST_DAYS:
            raise wrong(f"Ask for 1 to {MOST_DAYS} days.")
        if made.other is not None or made.mine is not None:
            raise wrong("Days off concern no colleague.")
    else:
        if made.mine is None or made.other is None:
            raise wrong("Say which duty, and with whom.")
        if made.other == made.agent or made.mine.agent != made.agent:
            raise wrong("Only your own duty can be given to somebody else.")
        if made.what == "swap" and (made.theirs is None or made.theirs.agent != made.other):
            raise wrong("Say which duty of your colleague you take for it.")
    try:
        last = max(date.fromisoformat(one) for one in (*made.days, made.first_day))
    except ValueError:
        raise wrong("A day is written like 2026-11-30.") from None
    if made.first_day <= today.isoformat():
        raise wrong("Ask for days to come: for today, talk to whoever leads.")
    if last > today + timedelta(days=800):
        raise wrong("That is too far ahead.")


def over(request: Request) -> RequestError:
    said = {
        "approved": "It is approved already.",
        "refused": "It is refused already.",
        "declined": "The colleague has declined already.",
        "withdrawn": "It was taken back.",
        "lapsed": "Its day has come: nothing can be decided any more.",
        "asked": "The colleague hasn't answered yet.",
        "open": "The colleague has answered already.",
    }
    return RequestError("REQUEST-OVER", said[request.state])


def _hash(secret: str) -> str:
    # Of 256 random bits: nothing that would have to be made slow.
    return hashlib.sha256(secret.encode()).hexdigest()


def _same(one: Request, other: Request) -> bool:
    if one.what != other.what:
        return False
    if one.what == "time_off":
        return bool(set(one.days) & set(other.days))
    return (
        one.mine is not None
        and other.mine is not None
        and one.mine.duty == other.mine.duty
        and (one.mine.plan == other.mine.plan and one.other == other.other)
    )


def _lapsed(one: Request, today: date) -> Request:
    return replace(one, state="lapsed") if one.pending and one.first_day <= today.isoformat() else one


def _write(db: sqlite3.Connection, one: Request) -> None:
    db.execute(
        "INSERT OR REPLACE INTO planning_requests VALUES (?, ?, ?, ?, ?, ?, ?)",
        (one.tenant, one.id, one.agent, one.other, one.state, one.made_at, json.dumps(asdict(one))),
    )


def _read(db: sqlite3.Connection, tenant: str, where: str, values: Sequence[Any]) -> list[Request]:
    rows = db.execute(
        f"SELECT body FROM planning_requests WHERE tenant = ? AND {where} ORDER BY made_at DESC LIMIT {KEPT}",
        (tenant, *values),
    )
    found = []
    for (text,) in rows:
        body = json.loads(text)
        body["days"] = tuple(body["days"])
        body["history"] = tuple(body["history"])
        for name in ("mine", "theirs"):
            body[name] = None if body[name] is None else Piece(**body[name])
        found.append(Request(**body))
    return found
