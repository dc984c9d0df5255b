"""How long somebody will wait in a queue: from those ahead, those who serve, and what the queue has taught.

Who has n ahead moves up whenever an agent becomes free, which together they do at a rate c, and whenever one of the i
who are ahead gives up, each at the rate θ. The wait is a sum of exponential times with the mean

    Σ 1 / (c + i·θ), i = 0 … n

(queue length with patience: Whitt, Management Science 45(6), 1999; Ibrahim & Whitt, M&SOM 11(3), 2009). The rates are
learned as the queue goes, as events over exposure, so that conversations and waits that still go on count too.

* Agents who serve this queue alone, s of them: c = s·μ, where μ is what an occupied agent ends per second.
* Agents who serve other queues as well: c is how often somebody of this queue is taken per second in which anybody
  waits in it, in proportion to the agents. What the other queues need is in it without being asked for.
* As long as too little is known: the wait so far of the head of the line, which needs no rates (HOL, ibid.).

`Rates` is what a queue keeps: plain numbers, changed by the functions below from its events in the order of time.
Someone waits as long as no phone rings for them.
"""

from dataclasses import dataclass, replace
from math import ceil, exp, sqrt
from typing import Literal

Method = Literal["rates", "turnover", "head", "last", "learned"]

MEMORY_SERVICE = 400.0
"Conversations that are remembered, in effect: older ones fade. An error of 5 % in the rate."
MEMORY_TURNOVER = 100.0
"The same of callers who were taken after a wait: what other queues need changes sooner."
MEMORY_PATIENCE = 200.0
"The same of callers who gave up."
MEMORY_ARRIVALS = 600.0
"Seconds in which arrivals are forgotten, in effect."
FIRST_WATCH = 60.0
"Seconds that are taken to have passed before the first of them."
ENOUGH = 10.0
"Conversations below which nothing is known yet."
PRIOR_PATIENCE = 300.0
"Mean patience in seconds before anybody has given up …"
PRIOR_WEIGHT = 3.0
"… believed as if so many had."

LEAST = 30
"Seconds; nothing shorter is announced."
FINE = 300.0
"Up to so many seconds an announcement is rounded up to half a minute, beyond to a minute."


@dataclass(frozen=True, slots=True)
class Rates:
    """What a queue has seen up to `at` (unix seconds). Sums fade, see `MEMORY_SERVICE`."""

    at: float = 0.0
    agents: int = 0
    "Who serve the queue now: ready or occupied, by whatever queue."
    waiting: int = 0
    busy: int = 0
    "Agents whom this queue occupies now, from the ringing to the end of the after-call work."
    worked: float = 0.0
    "Agent-seconds of that."
    served: float = 0.0
    "Agents who became free again after a conversation."
    wanted: float = 0.0
    "Agent-seconds of those who serve, occupied or not, while somebody waited."
    taken: float = 0.0
    "Callers for whom a phone rang after they had waited."
    waited: float = 0.0
    "Caller-seconds of waiting."
    lost: float = 0.0
    "Callers who gave up."
    last: float | None = None
    "How long the last one waited for whom a phone rang."
    come: float = 0.0
    "Callers who have come, where that is learned: what is older fades within `MEMORY_ARRIVALS`."
    watched: float = 0.0
    "Seconds in which that was counted, fading alike."
    came: float = 0.0
    "When the last one came."

    @property
    def service(self) -> float | None:
        """Conversations that an occupied agent ends, per second; None while too little is known."""
        return self.served / self.worked if self.served >= ENOUGH and self.worked > 0 else None

    @property
    def turnover(self) -> float | None:
        """Callers taken per agent and second in which somebody waits. At first as if all agents were for this queue."""
        service = self.service
        return None if service is None else (self.taken + 1.0) / (self.wanted + 1.0 / service)

    @property
    def patience(self) -> float:
        """Callers who give up, per second that one waits."""
        return (PRIOR_WEIGHT + self.lost) / (PRIOR_WEIGHT * PRIOR_PATIENCE + self.waited)


# --- what happened ---


def staffed(rates: Rates, at: float, agents: int) -> Rates:
    """So many agents serve the queue from now on."""
    return replace(_until(rates, at), agents=agents)


def queued(rates: Rates, at: float) -> Rates:
    """Somebody began to wait."""
    return _until(rates, at, waiting=1)


def taken(rates: Rates, at: float, wait: float) -> Rates:
    """A phone rings for somebody who has waited so long."""
    rates = _until(rates, at, waiting=-1, busy=1)
    if wait <= 0.0:
        # An agent was free: that tells nothing of how soon one becomes free.
        return replace(rates, last=0.0)
    fade = 1.0 - 1.0 / MEMORY_TURNOVER
    return replace(rates, last=wait, taken=(rates.taken + 1.0) * fade, wanted=rates.wanted * fade)


def returned(rates: Rates, at: float) -> Rates:
    """The agent didn't take the call: the caller waits again."""
    rates = _until(rates, at, waiting=1, busy=-1)
    return replace(rates, taken=max(rates.taken - 1.0, 0.0))


def freed(rates: Rates, at: float, served: bool = True) -> Rates:
    """An agent is done with a caller of this queue. Not `served`: the caller hung up while the phone rang."""
    rates = _until(rates, at, busy=-1)
    if not served:
        return rates
    fade = 1.0 - 1.0 / MEMORY_SERVICE
    return replace(rates, served=(rates.served + 1.0) * fade, worked=rates.worked * fade)


def gave_up(rates: Rates, at: float) -> Rates:
    """Somebody who waited has hung up."""
    rates = _until(rates, at, waiting=-1)
    fade = 1.0 - 1.0 / MEMORY_PATIENCE
    return replace(rates, lost=(rates.lost + 1.0) * fade, waited=rates.waited * fade)


def left(rates: Rates, at: float) -> Rates:
    """Somebody waits here no more for another reason: sent elsewhere, to be called back."""
    return _until(rates, at, waiting=-1)


def _until(rates: Rates, at: float, waiting: int = 0, busy: int = 0) -> Rates:
    lasted = max(at - rates.at, 0.0)
    return Rates(
        max(at, rates.at),
        rates.agents,
        max(rates.waiting + waiting, 0),
        max(rates.busy + busy, 0),
        rates.worked + lasted * rates.busy,
        rates.served,
        rates.wanted + (lasted * rates.agents if rates.waiting else 0.0),
        rates.taken,
        rates.waited + lasted * rates.waiting,
        rates.lost,
        rates.last,
        rates.come,
        rates.watched,
        rates.came,
    )


def came(rates: Rates, at: float) -> Rates:
    """Somebody wants to be served: told beside `queued` where the rate of arrivals is to be learned."""
    if not rates.came:
        return replace(rates, come=1.0, watched=FIRST_WATCH, came=at)
    fade = exp(-max(at - rates.came, 0.0) / MEMORY_ARRIVALS)
    watched = rates.watched * fade + MEMORY_ARRIVALS * (1.0 - fade)
    return replace(rates, come=rates.come * fade + 1.0, watched=watched, came=max(at, rates.came))


def arriving(rates: Rates, at: float) -> tuple[float, float]:
    """How many come per second, and the standard error of that."""
    if not rates.came:
        return 0.0, 0.0
    fade = exp(-max(at - rates.came, 0.0) / MEMORY_ARRIVALS)
    watched = rates.watched * fade + MEMORY_ARRIVALS * (1.0 - fade)
    rate = rates.come * fade / watched
    # An exponential window of length m counts as one of 2m with equal weights.
    effective = 2.0 * watched * watched / (2.0 * MEMORY_ARRIVALS - watched)
    return rate, sqrt(rate / effective)


# --- what will be ---


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of the seconds until a phone rings for somebody."""

    seconds: float
    "The mean."
    spread: float
    "Standard deviation of what is left to chance; 0 where unknown."
    method: Method
    middle: float | None = None
    "The median, where it was learned; as many wait longer as shorter …"
    high: float | None = None
    "… and what nine in ten wait no longer than."
    seen: tuple[float, ...] = ()
    "What it goes by (`learned.SEEN`), where the queue's past is learned from."

    @property
    def median(self) -> float:
        """As many wait longer as shorter: of a gamma distribution of this mean and spread (Wilson & Hilferty 1931)."""
        if self.middle is not None:
            return self.middle
        if self.spread <= 0.0 or self.seconds <= 0.0:
            return self.seconds
        return self.seconds * max(1.0 - (self.spread / self.seconds) ** 2 / 9.0, 0.0) ** 3


def estimate(rates: Rates, ahead: int, *, shared: bool = False, head: float | None = None) -> Estimate | None:
    """The wait of somebody with so many ahead, while no agent is free; None where nothing is known at all.

    `shared`: the agents serve other queues as well. `head`: how long the first in line has waited by now; None when
    there is none.
    """
    if rates.agents <= 0:
        return None
    if shared and rates.turnover is not None:
        return reckoned(ahead, rates.agents * rates.turnover, rates.patience, "turnover")
    if rates.service is not None:
        return reckoned(ahead, rates.agents * rates.service, rates.patience)
    if head is not None:
        return Estimate(head, 0.0, "head")
    return None if rates.last is None else Estimate(rates.last, 0.0, "last")


def reckoned(ahead: int, capacity: float, patience: float, method: Method = "rates") -> Estimate:
    """By the formula above; rates per second: how often anybody of the line is taken, how often each gives up."""
    mean = variance = 0.0
    for others in range(max(ahead, 0) + 1):
        step = 1.0 / (capacity + others * patience)
        mean += step
        variance += step * step
    return Estimate(mean, sqrt(variance), method)


@dataclass(frozen=True, slots=True)
class Announcement:
    seconds: int
    "That are told."
    rose: bool
    "They are more than were told before, which must be said."


def announce(found: Estimate | None, ahead: int, last: int | None = None) -> Announcement | None:
    """What a caller is told, who was told `last` before; None: nothing, since nobody is ahead, or nothing is known.

    The median, rounded up: half of those who are told so wait no longer.
    """
    if found is None or ahead <= 0:
        return None
    unit = 30 if found.median <= FINE else 60
    # A hair above a boundary is noise of the arithmetic.
    seconds = max(ceil(found.median / unit - 1e-9) * unit, LEAST)
    return Announcement(seconds, last is not None and seconds > last)
