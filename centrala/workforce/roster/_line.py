"""The best line of one agent for given gains of each interval: exact, all rules of the agent kept.

A line is what an agent does on every day: an option or nothing. Days are walked forwards. The state after a
day is what later days ask of it: units worked this week, weekends in a row that weren't free,
whether this week had its long rest,
and the place: 0 free for long; 1.. free for one day after a shift of that class; from 1 + C the same on a
Sunday whose week still needs the rest that only a late enough Monday makes of it; from 1 + 2 C worked, days in
a row by class of the last end.
"""

from typing import Any

import numpy as np

from centrala.workforce._jit import compiled
from centrala.workforce.checks import Floats
from centrala.workforce.roster._grid import Ints

FAR = 1e30


@compiled
def values(
    gain: Floats, d: int, per_day: int, start: Ints, length: Ints, kind: Ints, breaks: Ints, types: Ints,
    allowed: Any, sums: Floats, loss: Floats, out: Floats,
) -> None:  # fmt: skip
    """What each option brings on day `d`: gains of its intervals less the least that breaks can lose. `gain` is
    shares x intervals; `sums` and `loss` (types x intervals) are of `prepare`."""
    for s in range(start.size):
        if not allowed[s]:
            continue
        t = d * per_day + start[s]
        value = sums[t + length[s]] - sums[t]
        k = kind[s]
        for b in range(breaks.shape[1]):
            if breaks[k, b, 0] < 0:
                break
            row = breaks[k, b, 4]
            low = loss[row, t + breaks[k, b, 0]]
            for i in range(t + breaks[k, b, 0] + 1, t + breaks[k, b, 1] + 1):
                if loss[row, i] < low:
                    low = loss[row, i]
            value -= low
        out[s] = value


@compiled
def prepare(gain: Floats, types: Ints, sums: Floats, loss: Floats) -> None:
    """Running sums of the gains; what a break of each type loses if it begins in an interval."""
    total = 0.0
    n = gain.shape[1]
    for t in range(n):
        sums[t] = total
        total += gain[0, t]
    sums[n] = total
    for row in range(types.shape[0]):
        whole, part = types[row, 0], types[row, 1]
        for t in range(n - whole - 1):
            lost = sums[t + whole] - sums[t]
            if part > 0:
                lost += gain[0, t + whole] - gain[part, t + whole]
            loss[row, t] = lost


@compiled
def place_breaks(
    t: int, k: int, breaks: Ints, loss: Floats, out: Any
) -> None:  # fmt: skip
    """Offsets at which the breaks of a shift of kind `k` from interval `t` on lose least."""
    for b in range(breaks.shape[1]):
        if breaks[k, b, 0] < 0:
            out[b] = -1
            continue
        row = breaks[k, b, 4]
        best = breaks[k, b, 0]
        for i in range(breaks[k, b, 0] + 1, breaks[k, b, 1] + 1):
            if loss[row, t + i] < loss[row, t + best]:
                best = i
        out[b] = best


@compiled
def share_index(k: int, n: int, breaks: Ints, at: Any, out: Any) -> None:
    """For each interval of a shift: the index of the share that is worked; -1 for none of it."""
    for i in range(n):
        out[i] = 0
    for b in range(breaks.shape[1]):
        if breaks[k, b, 0] < 0:
            break
        for i in range(breaks[k, b, 2]):
            out[at[b] + i] = -1
        if breaks[k, b, 3] > 0:
            out[at[b] + breaks[k, b, 2]] = breaks[k, b, 3]


@compiled
def best_line(
    net: Floats, allowed: Any, cell: Ints, cells: Ints, classes: Ints, least: Ints, most: Ints, room: Ints,
    first: Ints, rules: Ints, sizes: Ints, val: Floats, live: Ints, came: Any, took: Any, choice: Any,
) -> float:  # fmt: skip
    """Least cost of a line, FAR if there is none; `choice` gets the option of each day, -1 for none.

    `net` is days x options. `val` (2 x states, all FAR), `live` (2 x states), `came` and `took` (days x states) are
    room to work in; `val` is left as it was found.
    """
    days, options = net.shape
    weekends, longest, rested = sizes[1], rules[0], rules[2]
    places, kinds = sizes[3], classes.shape[0]
    base = 1 + 2 * kinds
    many = cells.shape[0]
    cheapest = np.empty(many)
    which = np.empty(many, np.int64)
    cu = np.empty(many, np.int64)
    cr = np.empty(many, np.int64)
    cc = np.empty(many, np.int64)
    cv = np.empty(many)
    co = np.empty(many, np.int64)
    flag = 0 if rested else 1
    here = 0
    begin = (first[1] * 2 + flag) * places + first[0]
    val[0, begin] = 0.0
    live[0, 0] = begin
    count = 1
    for d in range(days):
        weekday = d % 7
        week = d // 7
        for c in range(many):
            cheapest[c] = FAR
        for s in range(options):
            if allowed[d, s] and net[d, s] < cheapest[cell[s]]:
                cheapest[cell[s]] = net[d, s]
                which[cell[s]] = s
        n = 0
        for c in range(many):
            if cheapest[c] < FAR:
                cu[n], cr[n], cc[n], cv[n], co[n] = (
                    cells[c, 0],
                    cells[c, 1],
                    cells[c, 2],
                    cheapest[c],
                    which[c],
                )
                n += 1
        there = 1 - here
        found = 0
        need = least[week] - room[d + 1] if weekday < 6 else least[week]
        for j in range(count):
            i = live[here, j]
            v = val[here, i]
            val[here, i] = FAR
            q = i % places
            rest = i // places
            f = rest & 1
            rest >>= 1
            w = rest % weekends
            h = rest // weekends
            working = q >= base
            # Free on this day.
            if h >= need:
                w2, f2 = w, f
                if working:
                    c = (q - base) % kinds
                    q2 = 1 if f and weekday < 6 else 1 + c
                else:
                    q2 = 0
                    f2 = 1
                if weekday == 6:
                    if not working:
                        w2 = 0
                    if working and not f2:
                        q2 += kinds
                    h2 = 0
                    f2 = flag
                else:
                    h2 = h
                to = ((h2 * weekends + w2) * 2 + f2) * places + q2
                if v < val[there, to]:
                    if val[there, to] == FAR:
                        live[there, found] = to
                        found += 1
                    val[there, to] = v
                    came[d, to] = i
                    took[d, to] = -1
            # A shift.
            w2, f2 = w, f
            if rules[1] > 0 and (weekday == 5 or (weekday == 6 and not working)):
                w2 = w + 1
                if w2 >= weekends:
                    continue
            lowest, after, row = 0, 0, 0
            if working:
                row = (q - base) // kinds + 1
                if row >= longest:
                    continue
                lowest = classes[(q - base) % kinds, 0]
            elif q > kinds:
                lowest = classes[q - 1 - kinds, 1]
            elif q > 0 and weekday > 0:
                after = classes[q - 1, 1]
            onto = base + row * kinds
            if weekday == 6:
                for k in range(n):
                    h2 = h + cu[k]
                    if h2 < need or h2 > most[week] or cr[k] < lowest:
                        continue
                    if not (f2 or (not working and 0 < q <= kinds and cr[k] >= after)):
                        continue
                    to = (w2 * 2 + flag) * places + onto + cc[k]
                    x = v + cv[k]
                    if x < val[there, to]:
                        if val[there, to] == FAR:
                            live[there, found] = to
                            found += 1
                        val[there, to] = x
                        came[d, to] = i
                        took[d, to] = co[k]
            else:
                pending = (not f2) and (not working) and 0 < q <= kinds and weekday > 0
                for k in range(n):
                    h2 = h + cu[k]
                    if h2 < need or h2 > most[week] or cr[k] < lowest:
                        continue
                    f3 = 1 if pending and cr[k] >= after else f2
                    to = ((h2 * weekends + w2) * 2 + f3) * places + onto + cc[k]
                    x = v + cv[k]
                    if x < val[there, to]:
                        if val[there, to] == FAR:
                            live[there, found] = to
                            found += 1
                        val[there, to] = x
                        came[d, to] = i
                        took[d, to] = co[k]
        here = there
        count = found
    best = FAR
    end = -1
    for j in range(count):
        i = live[here, j]
        q = i % places
        # A last Sunday's rest counts only if it does whenever the next Monday begins.
        sure = not kinds < q < base or classes[q - 1 - kinds, 1] == 0
        if sure and val[here, i] < best:
            best = val[here, i]
            end = i
        val[here, i] = FAR
    for d in range(days - 1, -1, -1):
        if end < 0:
            choice[d] = -1
            continue
        choice[d] = took[d, end]
        end = came[d, end]
    return best
