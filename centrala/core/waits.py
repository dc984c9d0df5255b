"""What a queue expects of the waits in it, by what it has learned."""

from bisect import bisect_left

from centrala.core.estimate import Estimate, estimate
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
    return estimate(queue.rates, ahead, shared=queue.shared > 0, head=head)
