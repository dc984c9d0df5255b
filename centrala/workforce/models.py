"""Erlang's queues for whole days at once: every argument may be a number or an array, and they broadcast.

    queue(agents=14, per_hour=200, handling=180).service_level("A")            # Erlang C
    queue(agents=12, per_hour=200, handling=180, patience=180).p_abandon       # Erlang A
    queue(agents=[10.5, 11], per_hour=200, handling=180, patience=180, places=20)

Calls come at random (Poisson), conversations are exponential, agents are all alike, nobody is preferred. Agents need
not be whole: half an agent is one who is there half of the time, by the continuous extension of Erlang's formulas.
Relative error below 1e-9 from n = 0.01 to 10,000 and loads from 0.01 to 2 n, of small probabilities too.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from centrala.workforce import checks
from centrala.workforce._erlang import MEASURES, endless_of, erlang_a_of, erlang_c_of, finite_of, inverse_b
from centrala.workforce._jit import compiled
from centrala.workforce.checks import Floats
from centrala.workforce.errors import BadInput, Unstable
from centrala.workforce.patience import Patience, general_measures, simplest

Definition = Literal["A", "B", "C", "D"]
"""Of the service level. A: answered in time ÷ (answered + abandoned). B: (answered + abandoned in time) ÷ the same.
C: answered in time ÷ (answered + abandoned - abandoned in time). D: answered in time ÷ answered."""


@dataclass(frozen=True, slots=True)
class Performance:
    """What callers and agents meet in the long run. Each a number, or an array in the shape of the question.

    Shares are of all calls offered, turned away ones included; times in seconds.
    """

    agents: Any
    load: Any
    "Offered, in Erlangs."
    within: Any
    "Seconds that `served_within` and the service level mean."
    p_wait: Any
    p_no_wait: Any
    p_abandon: Any
    p_served: Any
    mean_wait: Any
    "Of all who are let in: until they are answered or hang up."
    p_wait_longer: Any
    "Still waiting after `within`."
    served_within: Any
    abandoned_within: Any
    wait_of_served: Any
    wait_of_abandoned: Any
    "NaN where nobody abandons."
    occupancy: Any
    p_block: Any
    "Turned away because every waiting place was taken."
    mean_queue: Any

    def service_level(self, definition: Definition = "C") -> Any:
        """Share of calls answered within `within`; those turned away count in none of the four."""
        let_in = 1.0 - np.asarray(self.p_block)
        match definition:
            case "A":
                level = self.served_within / let_in
            case "B":
                level = (self.served_within + np.asarray(self.abandoned_within)) / let_in
            case "C":
                level = self.served_within / (let_in - self.abandoned_within)
            case "D":
                level = self.served_within / np.asarray(self.p_served)
            case _:
                raise BadInput(f"service level: there is no definition {definition}; A, B, C and D are known")
        return checks.plain(np.minimum(level, 1.0))


def erlang_b(lines: ArrayLike, load: ArrayLike) -> Any:
    """Share of calls that find all `lines` (0 or more, also broken) busy, at `load` Erlangs offered."""
    n, a = checks.together(lines=checks.not_negative("lines", lines), load=checks.not_negative("load", load))
    checks.refuse("load", a, a > checks.MOST_ERLANGS, f"must be at most {checks.MOST_ERLANGS:.0e}")
    checks.refuse("lines", n, n > checks.MOST_ERLANGS, f"must be at most {checks.MOST_ERLANGS:.0e}")
    out = np.empty(n.shape)
    _each_b(n.ravel(), a.ravel(), out.reshape(-1))
    return checks.plain(out)


def erlang_c(agents: ArrayLike, load: ArrayLike) -> Any:
    """Share of calls that wait, where nobody gives up. Raises Unstable for a load of `agents` or more."""
    n, a = checks.together(agents=checks.agents_of(agents), load=checks.not_negative("load", load))
    stable(a, n)
    out = np.empty(n.shape)
    _each_c(n.ravel(), a.ravel(), out.reshape(-1))
    return checks.plain(out)


def stable(load: Floats, agents: Floats) -> None:
    checks.refuse(
        "load in Erlangs", load, load >= agents, "is not below the number of agents: the queue grows without end",
        Unstable,
    )  # fmt: skip


def queue(
    agents: ArrayLike,
    per_hour: ArrayLike,
    handling: ArrayLike,
    *,
    patience: ArrayLike | Patience = math.inf,
    places: int | None = None,
    within: ArrayLike = 20.0,
) -> Performance:
    """Everything about one queue: M/M/n, M/M/n+M, M/M/n+G, or with `places` to wait in, M/M/n/n+places(+M).

    `per_hour` calls an hour, `handling` and `within` in seconds; `patience` its mean in seconds if exponential
    (inf: nobody gives up), or any `Patience`. Raises BadInput, NoAgents, and Unstable where nobody gives up,
    nobody is turned away, and there is more work than agents.
    """
    patience = simplest(patience)
    general = patience if isinstance(patience, Patience) else None
    limit = None if places is None else checks.whole("places", places, 0)
    n, rate, aht, mean, t = checks.together(
        agents=checks.agents_of(agents),
        per_hour=checks.not_negative("per_hour", per_hour),
        handling=checks.positive("handling", handling),
        patience=checks.positive(
            "patience", math.inf if isinstance(patience, Patience) else patience, finite=False
        ),
        within=checks.not_negative("within", within),
    )
    a = checks.load_of(rate, aht)
    if general is not None:
        if limit is not None:
            raise BadInput("places: a limit of waiting places is known for exponential patience alone")
        rows = np.array(
            [
                general_measures(*one, general)
                for one in zip(n.ravel(), rate.ravel(), aht.ravel(), t.ravel(), strict=True)
            ]
        ).reshape(*n.shape, len(MEASURES))
    else:
        endless = np.isinf(mean)
        if limit is None:
            stable(np.where(endless, a, 0.0), n)
        rows = np.empty((n.size, len(MEASURES)))
        _each_queue(
            n.ravel(),
            a.ravel(),
            (aht / mean).ravel(),
            (t / aht).ravel(),
            -1 if limit is None else limit,
            rows,
        )
        rows = rows.reshape(*n.shape, len(MEASURES))
        for name in ("mean_wait", "wait_of_served", "wait_of_abandoned"):
            rows[..., MEASURES.index(name)] *= aht
    measures = {name: checks.plain(rows[..., index].copy()) for index, name in enumerate(MEASURES)}
    return Performance(checks.plain(n), checks.plain(a), checks.plain(t), **measures)


@compiled
def _each_b(n: Floats, a: Floats, out: Floats) -> None:
    for i in range(n.size):
        if a[i] > 0.0:
            out[i] = 1.0 / inverse_b(n[i], a[i])
        else:
            out[i] = 1.0 if n[i] == 0.0 else 0.0


@compiled
def _each_c(n: Floats, a: Floats, out: Floats) -> None:
    for i in range(n.size):
        out[i] = erlang_c_of(n[i], a[i]) if a[i] > 0.0 else 0.0


@compiled
def _each_queue(n: Floats, a: Floats, theta: Floats, t: Floats, places: int, out: Floats) -> None:
    for i in range(n.size):
        if a[i] == 0.0:
            out[i, :] = 0.0
            out[i, 1] = out[i, 3] = out[i, 6] = 1.0
            out[i, 9] = math.nan
        elif places >= 0:
            finite_of(n[i], a[i], theta[i], places, t[i], out[i])
        elif theta[i] == 0.0:
            endless_of(n[i], a[i], t[i], out[i])
        else:
            erlang_a_of(n[i], a[i], theta[i], t[i], out[i])
