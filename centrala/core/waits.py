"""What a queue expects of the waits in it: by what its past has taught, or else by the formula and its own rates."""

from bisect import bisect_left
from dataclasses import replace

from centrala.core.estimate import Estimate, estimate
from centrala.core.learned import foretold
from centrala.core.state import Centre, Entry, Queue

FREE = Estimate(0.0, 0.0, "rates")
"With somebody idle."


def ahead_of(queue: Queue, place: Entry) -> int:
    """How many are served before whoever stands, or would stand, there."""
    return bisect_left(queue.waiting, place)


def expected(centre: Centre, queue: Queue, place: Entry, at: float) -> Estimate | None:
    """How long until a phone rings for whoever stands, or would stand, at this place; None while nothing is known."""
    ahead = ahead_of(queue, place)
    if len(queue.idle) > ahead:
        return FREE
    head = at - centre.contacts[queue.waiting[0][2]].queued_at if queue.waiting else None
    found = estimate(queue.rates, ahead, shared=queue.shared > 0, head=head)
    if found is None or not learns(queue):
        return found
    seen = _seen(centre, queue, place, ahead, head, found)
    said = foretold(queue.learned, seen, at) if queue.learned is not None else None
    if said is None:
        return replace(found, seen=seen)
    return Estimate(said.mean, 0.0, "learned", said.median, said.high, seen)


def learns(queue: Queue) -> bool:
    """Its waits are told to those who wait, and may be estimated by its past."""
    spec = queue.spec.announce
    return spec is not None and spec.wait and spec.learned


def _seen(
    centre: Centre, queue: Queue, place: Entry, ahead: int, head: float | None, by_formula: Estimate
) -> tuple[float, ...]:
    """As `learned.SEEN` names it."""
    rates = queue.rates
    stands = ahead < len(queue.waiting) and queue.waiting[ahead] == place
    service, turnover = rates.service, rates.turnover
    contact = centre.contacts.get(place[2])
    return (
        round(by_formula.median, 2),
        float(ahead),
        float(len(queue.waiting) - ahead - stands),
        float(rates.agents),
        float(rates.busy),
        0.0 if head is None else round(head, 2),
        0.0 if rates.last is None else round(rates.last, 2),
        0.0 if not service else round(1.0 / service, 2),
        0.0 if not turnover else round(1.0 / (rates.agents * turnover), 2),
        round(1.0 / rates.patience, 1),
        0.0 if contact is None else float(contact.priority),
    )
