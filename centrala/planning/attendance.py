"""Who was in which state today, as the ledger tells: the same after a restart, since nothing else is asked.

attendance = Attendance(data, "acme")
attendance.stays(midnight)      # in a thread: the first look replays the day, later ones what came since
"""

import math
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from centrala.core import events as e
from centrala.core.centre import evolve
from centrala.core.state import Agent, Centre
from centrala.ledger import DataFolderError, LedgerUnavailable
from centrala.ledger.recovery import centre_before
from centrala.ledger.replay import last_before, steps
from centrala.ledger.schema import open_to_read
from centrala.planning.adherence import Stay

BREATH = 500
"Steps of the log after which a replay lets others have the interpreter."


def past_stays(data: Path, tenant: str, since: float, until: float) -> Mapping[str, list[Stay]]:
    """The same of a day that is over. To be called in a thread; raises as `Attendance.stays` does."""
    found = Attendance(data, tenant, until).stays(since)
    return {agent: [one for one in stays if one.at < until] for agent, stays in found.items()}


class Attendance:
    """Of one tenant. Calls may come from several threads; one looks at a time."""

    def __init__(self, data: Path, tenant: str, until: float = math.inf) -> None:
        self._data = data
        self._until = until
        self._tenant = tenant
        self._lock = threading.Lock()
        self._centre: Centre | None = None
        self._since = 0.0
        self._seq = 0
        self._stays: dict[str, list[Stay]] = {}
        self._of: dict[str, set[str]] = {}
        "Contact → agents that have had to do with it."

    def stays(self, since: float) -> Mapping[str, list[Stay]]:
        """Agent → states from that moment (a midnight) on, ascending. To be called in a thread.

        Raises LedgerUnavailable, DataFolderError.
        """
        with self._lock:
            try:
                with closing(open_to_read(self._data)) as db:
                    db.execute("BEGIN")  # one picture, whatever is written meanwhile
                    if self._centre is None or since != self._since:
                        self._begin(db, since)
                    self._go_on(db)
            except sqlite3.Error as problem:
                self._centre = None
                raise LedgerUnavailable(f"The ledger can't be read now ({problem}).") from problem
            except Exception:
                self._centre = None  # the next look begins anew
                raise
            return {agent: list(known) for agent, known in self._stays.items()}

    def _begin(self, db: sqlite3.Connection, since: float) -> None:
        before = last_before(db, self._tenant, since)
        centre = centre_before(db, self._tenant, before + 1)
        if centre is None:
            # The log was cut since: what is left of the day is told.
            (before,) = db.execute(
                "SELECT coalesce(min(seq), 0) FROM snapshots WHERE tenant = ?", (self._tenant,)
            ).fetchone()
            centre = centre_before(db, self._tenant, before + 1)
            if centre is None:
                raise DataFolderError("The states of today can't be read from the log: it has a gap.")
        self._centre, self._since, self._seq = centre, since, before
        self._of = {}
        self._stays = {
            name: [Stay(since, state_of(agent))] for name, agent in centre.agents.items() if agent.state
        }
        for contact in centre.contacts:
            self._of[contact] = _agents_of(centre, contact)

    def _go_on(self, db: sqlite3.Connection) -> None:
        centre = self._centre
        assert centre is not None
        for count, (events, seq) in enumerate(steps(db, self._tenant, self._seq), 1):
            if events[0].at >= self._until:
                return
            if count % BREATH == 0:
                time.sleep(0.002)
            concerned: set[str] = set()
            for event in events:
                evolve(centre, event)
                agent = getattr(event, "agent", None)
                if agent is not None:
                    concerned.add(agent)
                elif type(event) is e.AgentDefined:
                    concerned.add(event.spec.id)
                contact = getattr(event, "contact", None)
                if contact is not None:
                    known = self._of.setdefault(contact, set())
                    known |= _agents_of(centre, contact)
                    concerned |= known
                    if contact not in centre.contacts and type(event) is e.ContactEnded:
                        del self._of[contact]
            at = events[-1].at
            for name in concerned:
                self._note(centre, name, at)
            self._seq = seq

    def _note(self, centre: Centre, name: str, at: float) -> None:
        agent = centre.agents.get(name)
        state = state_of(agent) if agent is not None else "logged_out"
        known = self._stays.setdefault(name, [])
        if known and known[-1].state == state:
            return
        # Times in the log ascend, all but; states must.
        known.append(Stay(max(at, known[-1].at if known else self._since), state))


def state_of(agent: Agent) -> str:
    """With its reason: not_ready:lunch."""
    return f"not_ready:{agent.reason}" if agent.state == "not_ready" else agent.state


def _agents_of(centre: Centre, contact: str) -> set[str]:
    known = centre.contacts.get(contact)
    if known is None:
        return set()
    agents = {offer.agent for offer in known.offers.values()}
    agents |= {known.agent, known.leg_agent}
    agents |= {party.agent for party in known.parties.values()}
    return {one for one in agents if one is not None}
