"""The day of a centre, compiled: who gets whom, exactly as `centrala.core` decides for agents who answer at once.

Contacts of one stream stand in one line, in the order of their arrival: whoever is served at once finds nobody
living in line, so a line is a stretch [head, tail) of the stream's arrays, and who gave up is skipped when met.
"""

import math
from typing import Any

import numpy as np

from centrala.workforce._jit import compiled

Array = np.ndarray[Any, Any]
NOBODY = -1


@compiled
def one_line(
    gaps: Array, mean_gap: float, handling: Array, patience: Array, agents: int, wrap: float, now: float,
    free: Array, waits: Array,
) -> float:  # fmt: skip
    """One queue, agents all alike, first come first served: whoever is free first takes the first in line.

    `free` is the heap of the moments when agents are free, infinities behind it; it goes on from call to call.
    `waits` gets each wait, NaN for who gave up. Gives the time of the last arrival. Kiefer and Wolfowitz 1955: the
    wait is known at the arrival, for nobody later changes it.
    """
    for i in range(gaps.size):
        now += gaps[i] * mean_gap
        at = max(now, free[0])
        if at - now > patience[i]:
            waits[i] = math.nan
            continue
        waits[i] = at - now
        until = at + handling[i] + wrap
        hole, child = 0, 1
        while child < agents:
            left, right = free[child], free[child + 1]
            child += right < left
            least = min(left, right)
            if least >= until:
                break
            free[hole] = least
            hole = child
            child = 2 * hole + 1
        free[hole] = until
    return now


@compiled
def _push(heap: Array, who: Array, size: int, at: float, agent: int) -> None:
    hole = size
    while hole > 0:
        above = (hole - 1) >> 1
        if heap[above] <= at:
            break
        heap[hole] = heap[above]
        who[hole] = who[above]
        hole = above
    heap[hole] = at
    who[hole] = agent


@compiled
def _drop(heap: Array, who: Array, size: int) -> int:
    size -= 1
    at, agent = heap[size], who[size]
    heap[size] = math.inf
    if size:
        _replace(heap, who, size, at, agent)
    return size


@compiled
def _replace(heap: Array, who: Array, size: int, at: float, agent: int) -> None:
    """Put another in the place of the first. Behind the heap stand infinities."""
    hole, child = 0, 1
    while child < size:
        left, right = heap[child], heap[child + 1]
        child += right < left
        least = min(left, right)
        if least >= at:
            break
        heap[hole] = least
        who[hole] = who[child]
        hole = child
        child = 2 * hole + 1
    heap[hole] = at
    who[hole] = agent


@compiled
def run(
    times: Array, handling: Array, patience: Array, offsets: Array, lead: Array, wrap: Array,
    group_of: Array, groups_of: Array, group_count: Array, key: Array, streams_of: Array, stream_count: Array,
    preference: Array, ready: Array, change_at: Array, change_agent: Array, change_ready: Array,
    start: float, window_from: float, window_to: float,
    answered: Array, by: Array, busy: Array, staffed: Array,
) -> None:  # fmt: skip
    """A whole day. Streams s have contacts offsets[s]:offsets[s + 1] in the order of time, `lead` (what priority is
    worth, in seconds) and `wrap`; groups g of like agents serve streams_of[g], prefer by `preference[g, s]` (less is
    first) and are chosen by `key[g, s]`, then by who is idle longest. `ready` says who is at the start, change_*
    who comes and goes when, in order. `answered` (NaN: never), `by` (agent), seconds in the window: `busy`, `staffed`.
    """
    streams = offsets.size - 1
    agents = group_of.size
    groups = streams_of.shape[0]
    head = offsets[:-1].copy()
    tail = offsets[:-1].copy()
    upcoming = np.empty(streams)
    for s in range(streams):
        upcoming[s] = times[tail[s]] if tail[s] < offsets[s + 1] else math.inf
    heap = np.full(2 * agents + 2, math.inf)
    who = np.zeros(2 * agents + 2, np.int32)
    size = 0
    # The idle of each group in a line, the longest idle first.
    first = np.full(groups, NOBODY, np.int32)
    last = np.full(groups, NOBODY, np.int32)
    after = np.full(agents, NOBODY, np.int32)
    since = np.full(agents, start)
    serving = np.zeros(agents, np.bool_)
    since_ready = np.full(agents, start)
    asked = np.zeros(agents)
    for agent in range(agents):
        if ready[agent]:
            _stand(agent, group_of[agent], start, first, last, after, since)
    change = 0
    changes = change_at.size
    best_key = best_rank = best_time = 0.0
    best_preference = 0
    for i in range(answered.size):
        answered[i] = math.nan
        by[i] = NOBODY
    while True:
        # What comes next: an arrival, an agent who is done, an agent who comes or goes.
        s = 0
        arrival = upcoming[0]
        for other in range(1, streams):
            if upcoming[other] < arrival:
                arrival = upcoming[other]
                s = other
        done = heap[0]
        moved = change_at[change] if change < changes else math.inf
        if arrival == math.inf and done == math.inf and moved == math.inf:
            break
        if arrival < done and arrival < moved:
            now = arrival
            contact = tail[s]
            tail[s] += 1
            upcoming[s] = times[contact + 1] if contact + 1 < offsets[s + 1] else math.inf
            agent = NOBODY
            for k in range(group_count[s]):
                g = groups_of[s, k]
                one = first[g]
                if one == NOBODY:
                    continue
                if agent != NOBODY and key[g, s] >= best_key:
                    if key[g, s] > best_key or since[one] > since[agent]:
                        continue
                    if since[one] == since[agent] and one > agent:
                        continue
                agent, best_key = one, key[g, s]
            if agent == NOBODY:
                continue
            head[s] = tail[s]
            g = group_of[agent]
            first[g] = after[agent]
            if first[g] == NOBODY:
                last[g] = NOBODY
            in_heap = False
        else:
            in_heap = done < moved
            if in_heap:
                agent = who[0]
                now = done
                serving[agent] = False
                scheduled = asked[agent]
                if not ready[agent]:
                    size = _drop(heap, who, size)
                    _book(staffed, agent, since_ready[agent], now, window_from, window_to)
                    continue
            else:
                now = moved
                agent = change_agent[change]
                comes = change_ready[change]
                change += 1
                if comes == ready[agent]:
                    continue
                ready[agent] = comes
                if serving[agent]:
                    continue
                if not comes:
                    _book(staffed, agent, since_ready[agent], now, window_from, window_to)
                    _take_out(agent, group_of[agent], first, last, after)
                    continue
                since_ready[agent] = now
                scheduled = start
            g = group_of[agent]
            contact = NOBODY
            for k in range(stream_count[g]):
                line = streams_of[g, k]
                place = head[line]
                end = tail[line]
                while place < end:
                    gone = times[place] + patience[place]
                    # At the very moment when a caller gives up, what was set going earlier happens first.
                    if gone > now or (gone == now and times[place] > scheduled):
                        break
                    place += 1
                head[line] = place
                if place == end:
                    continue
                rank = times[place] - lead[line]
                if contact != NOBODY and preference[g, line] >= best_preference:
                    if preference[g, line] > best_preference or rank > best_rank:
                        continue
                    if rank == best_rank and times[place] >= best_time:
                        continue
                contact, s = place, line
                best_rank, best_time, best_preference = rank, times[place], preference[g, line]
            if contact == NOBODY:
                if in_heap:
                    size = _drop(heap, who, size)
                _stand(agent, g, now, first, last, after, since)
                continue
            head[s] = contact + 1
        asked[agent] = now
        until = now + handling[contact]
        if wrap[s] > 0.0:
            asked[agent] = until
            until += wrap[s]
        if in_heap:
            _replace(heap, who, size, until, agent)
        else:
            _push(heap, who, size, until, agent)
            size += 1
        answered[contact] = now
        by[contact] = agent
        serving[agent] = True
        _book(busy, agent, now, until, window_from, window_to)
    for agent in range(agents):
        if ready[agent]:
            _book(staffed, agent, since_ready[agent], window_to, window_from, window_to)


@compiled
def _book(spent: Array, agent: int, begin: float, end: float, window_from: float, window_to: float) -> None:
    lasted = min(end, window_to) - max(begin, window_from)
    if lasted > 0.0:
        spent[agent] += lasted


@compiled
def _stand(agent: int, g: int, now: float, first: Array, last: Array, after: Array, since: Array) -> None:
    """Into the group's line of idle agents: last, or among those who came at the same moment by their order."""
    since[agent] = now
    tail = last[g]
    if tail == NOBODY or since[tail] < now or tail < agent:
        after[agent] = NOBODY
        if tail == NOBODY:
            first[g] = agent
        else:
            after[tail] = agent
        last[g] = agent
        return
    before = NOBODY
    one = first[g]
    while one != NOBODY and (since[one] < now or one < agent):
        before = one
        one = after[one]
    after[agent] = one
    if before == NOBODY:
        first[g] = agent
    else:
        after[before] = agent


@compiled
def _take_out(agent: int, g: int, first: Array, last: Array, after: Array) -> None:
    before = NOBODY
    one = first[g]
    while one != agent:
        before = one
        one = after[one]
    if before == NOBODY:
        first[g] = after[agent]
    else:
        after[before] = after[agent]
    if last[g] == agent:
        last[g] = before
