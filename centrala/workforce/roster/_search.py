"""Rosters from lines: each agent in turn gets the line that is best beside all others' (`settle`).

The cost of cover is convex with kinks; one agent at a time gets stuck at them. Kinks rounded off over `wide` agents
either way let the agents slide past each other; from sweep to sweep they get sharper.
"""

from typing import Any

import numpy as np

from centrala.workforce._jit import compiled
from centrala.workforce.checks import Floats
from centrala.workforce.roster._grid import Ints
from centrala.workforce.roster._line import FAR, best_line, place_breaks, prepare, share_index, values


@compiled
def ramp(x: float, wide: float) -> float:
    """max(0, x), rounded off."""
    if x <= -wide:
        return 0.0
    if x >= wide:
        return x
    return (x + wide) * (x + wide) / (4.0 * wide)


@compiled
def step(x: float, wide: float) -> float:
    """Slope of `ramp`."""
    if x <= -wide:
        return 0.0
    if x >= wide:
        return 1.0
    return (x + wide) / (2.0 * wide)


@compiled
def uncovered(y: float, need: float, weight: float, prices: Floats, wide: float) -> float:
    """Cost of cover `y` in an interval, up to a constant. `prices`: short, deep, share of the need, spare."""
    deep, short = prices[1], prices[0]
    cost: float = weight * (
        -deep * y
        + (deep - short) * ramp(y - (1.0 - prices[2]) * need, wide)
        + (short + prices[3]) * ramp(y - need, wide)
    )
    return cost


@compiled
def slope(y: float, need: float, weight: float, prices: Floats, wide: float) -> float:
    found: float = weight * (
        -prices[1]
        + (prices[1] - prices[0]) * step(y - (1.0 - prices[2]) * need, wide)
        + (prices[0] + prices[3]) * step(y - need, wide)
    )
    return found


@compiled
def cover_cost(cover: Floats, demand: Floats, weight: Floats, prices: Floats) -> float:
    """Exact cost of short and spare cover."""
    total = 0.0
    for g in range(demand.shape[0]):
        for t in range(demand.shape[1]):
            need, y = demand[g, t], cover[g, t]
            floor = (1.0 - prices[2]) * need
            cost = prices[3] * max(0.0, y - need) + prices[0] * max(0.0, need - max(y, floor))
            total += weight[t] * (cost + prices[1] * max(0.0, floor - y))
    return total


@compiled
def gains_of(
    g: int, t: int, cover: Floats, demand: Floats, weight: Floats, prices: Floats, shares: Floats, wide: float,
    gains: Floats,
) -> None:  # fmt: skip
    """What one more agent brings in an interval, whole or in part."""
    y = cover[g, t]
    now = uncovered(y, demand[g, t], weight[t], prices, wide)
    for p in range(shares.size):
        gains[p, g, t] = now - uncovered(y + shares[p], demand[g, t], weight[t], prices, wide)


@compiled
def drawn_gains(
    g: int, t: int, cover: Floats, weight: Floats, shares: Floats, pull: float, aim: Floats, price: Floats,
    gains: Floats ) -> None:  # fmt: skip
    """The same at fixed prices, drawn to the cover `aim` by a square with the factor `pull`."""
    for p in range(shares.size):
        x = shares[p]
        gains[p, g, t] = -x * (price[g, t] + weight[t] * pull * (cover[g, t] - aim[g, t] + 0.5 * x))


@compiled
def all_gains(
    cover: Floats, demand: Floats, weight: Floats, prices: Floats, shares: Floats, wide: float, pull: float,
    aim: Floats,
    price: Floats, gains: Floats,
) -> None:  # fmt: skip
    for g in range(demand.shape[0]):
        for t in range(demand.shape[1]):
            if pull > 0.0:
                drawn_gains(g, t, cover, weight, shares, pull, aim, price, gains)
            else:
                gains_of(g, t, cover, demand, weight, prices, shares, wide, gains)


@compiled
def add_shift(
    a: int, d: int, s: int, sign: float, per_day: int, start: Ints, length: Ints, kind: Ints, breaks: Ints,
    shares: Floats,
    pauses: Any, groups: Any, cover: Floats,
) -> None:  # fmt: skip
    """Put a shift's cover in, or take it out."""
    part = np.empty(groups.shape[2], np.int64)
    share_index(kind[s], length[s], breaks, pauses[a, d], part)
    t = d * per_day + start[s]
    for i in range(length[s]):
        if part[i] >= 0:
            cover[groups[a, d, i], t + i] += sign * shares[part[i]]


@compiled
def settle(
    order: Ints, wide: float, pull: float, aim: Floats, price: Floats, per_day: int, start: Ints, length: Ints,
    kind: Ints, cell: Ints, cells: Ints,
    classes: Ints, first: Ints, breaks: Ints, types: Ints, shares: Floats, allowed: Any, cost: Floats, least: Ints,
    most: Ints, room: Ints, served: Ints, demand: Floats, weight: Floats, prices: Floats, rules: Ints, sizes: Ints,
    cover: Floats, gains: Floats, choice: Any, pauses: Any, groups: Any, val: Floats, live: Ints, came: Any,
    took: Any,
) -> float:  # fmt: skip
    """Give each agent of `order` the line that is best beside all others'. Returns the sum of what was won (by the
    rounded cost), FAR if somebody has no line. `choice` (agents x days) options, `pauses` (x breaks) offsets,
    `groups` (x intervals of a shift) are the roster, `cover` and `gains` what follows from it."""
    days, options = cost.shape[1], cost.shape[2]
    n = demand.shape[1]
    gain = np.empty((shares.size, n))
    pick = np.empty((shares.size, n), np.int64)
    sums = np.empty(n + 1)
    loss = np.zeros((max(1, types.shape[0]), n))
    net = np.empty((days, options))
    brought = np.empty(options)
    line = np.empty(days, np.int64)
    part = np.empty(groups.shape[2], np.int64)
    won = 0.0
    for a in order:
        before = 0.0
        for d in range(days):
            s = choice[a, d]
            if s < 0:
                continue
            before += cost[a, d, s]
            share_index(kind[s], length[s], breaks, pauses[a, d], part)
            t = d * per_day + start[s]
            for i in range(length[s]):
                if part[i] >= 0:
                    g = groups[a, d, i]
                    cover[g, t + i] -= shares[part[i]]
                    if abs(cover[g, t + i]) < 1e-9:
                        cover[g, t + i] = 0.0
                    if pull > 0.0:
                        drawn_gains(g, t + i, cover, weight, shares, pull, aim, price, gains)
                    else:
                        gains_of(g, t + i, cover, demand, weight, prices, shares, wide, gains)
                    before -= gains[part[i], g, t + i]
        for p in range(shares.size):
            for t in range(n):
                best = -FAR
                for j in range(served.shape[1]):
                    g = served[a, j]
                    if g >= 0 and gains[p, g, t] > best:
                        best = gains[p, g, t]
                        pick[p, t] = g
                gain[p, t] = best
        prepare(gain, types, sums, loss)
        for d in range(days):
            values(gain, d, per_day, start, length, kind, breaks, types, allowed[a, d], sums, loss, brought)
            for s in range(options):
                if allowed[a, d, s]:
                    net[d, s] = cost[a, d, s] - brought[s]
        found = best_line(
            net, allowed[a], cell, cells, classes, least[a], most[a], room[a], first[a], rules, sizes, val,
            live, came,
            took, line,
        )  # fmt: skip
        if found >= FAR:
            return FAR
        won += before - found
        for d in range(days):
            s = line[d]
            choice[a, d] = s
            if s < 0:
                continue
            t = d * per_day + start[s]
            place_breaks(t, kind[s], breaks, loss, pauses[a, d])
            share_index(kind[s], length[s], breaks, pauses[a, d], part)
            for i in range(length[s]):
                if part[i] < 0:
                    groups[a, d, i] = -1
                    continue
                g = pick[part[i], t + i]
                groups[a, d, i] = g
                cover[g, t + i] += shares[part[i]]
                if pull > 0.0:
                    drawn_gains(g, t + i, cover, weight, shares, pull, aim, price, gains)
                else:
                    gains_of(g, t + i, cover, demand, weight, prices, shares, wide, gains)
    return won


@compiled
def polish(
    steps: int, warm: float, seed: int, per_day: int, start: Ints, length: Ints, kind: Ints, cell: Ints, cells: Ints,
    classes: Ints, breaks: Ints, types: Ints, shares: Floats, allowed: Any, cost: Floats, served: Ints,
    demand: Floats,
    weight: Floats, prices: Floats, rested: bool, cover: Floats, gains: Floats, choice: Any, pauses: Any,
    groups: Any,
) -> float:  # fmt: skip
    """Annealing of single shifts at temperature `warm`: another start, other breaks, other groups; paid hours
    and days stay. `gains` are exact ones (`wide` 0). Returns what was won."""
    np.random.seed(seed)
    agents, days, options = cost.shape
    longest = groups.shape[2]
    span = per_day + longest + 1
    gain = np.zeros((shares.size, span))
    pick = np.empty((shares.size, span), np.int64)
    sums = np.empty(span + 1)
    loss = np.zeros((max(1, types.shape[0]), span))
    brought = np.empty(options)
    fits = np.zeros(options, np.uint8)
    part = np.empty(longest, np.int64)
    at = np.empty(breaks.shape[1], np.int64)
    won = 0.0
    for _ in range(steps):
        a = np.random.randint(agents)
        d = np.random.randint(days)
        s = choice[a, d]
        if s < 0:
            continue
        # Starts that leave the days around as they are: no rest is lost that there was.
        units, rank, klass = cells[cell[s], 0], cells[cell[s], 1], cells[cell[s], 2]
        lowest = 0
        if d > 0 and choice[a, d - 1] >= 0:
            lowest = classes[cells[cell[choice[a, d - 1]], 2], 0]
        elif d > 1 and choice[a, d - 2] >= 0 and rested:
            lowest = min(rank, classes[cells[cell[choice[a, d - 2]], 2], 1])
        elif d <= 1:
            lowest = rank
        next_rank, after_rank = -1, -1
        if d + 1 < days and choice[a, d + 1] >= 0:
            next_rank = cells[cell[choice[a, d + 1]], 1]
        elif d + 2 < days and choice[a, d + 2] >= 0 and rested:
            after_rank = cells[cell[choice[a, d + 2]], 1]
            if after_rank < classes[klass, 1]:
                after_rank = -1
        elif d + 2 == days and rested and classes[klass, 1] == 0:
            after_rank = 0
        first, last = span, 0
        count = 0
        for o in range(options):
            fits[o] = 0
            if not allowed[a, d, o] or cells[cell[o], 0] != units or cells[cell[o], 1] < lowest:
                continue
            k = cells[cell[o], 2]
            if next_rank >= 0 and classes[k, 0] > next_rank:
                continue
            if after_rank >= 0 and classes[k, 1] > after_rank:
                continue
            fits[o] = 1
            count += 1
            first = min(first, start[o])
            last = max(last, start[o] + length[o])
        if count == 0:
            continue
        share_index(kind[s], length[s], breaks, pauses[a, d], part)
        zero = d * per_day
        t = zero + start[s]
        before = cost[a, d, s]
        for i in range(length[s]):
            if part[i] >= 0:
                g = groups[a, d, i]
                cover[g, t + i] -= shares[part[i]]
                if abs(cover[g, t + i]) < 1e-9:
                    cover[g, t + i] = 0.0
                gains_of(g, t + i, cover, demand, weight, prices, shares, 0.0, gains)
                before -= gains[part[i], g, t + i]
        sums[first] = 0.0
        for u in range(first, last):
            for p in range(shares.size):
                best = -FAR
                for j in range(served.shape[1]):
                    g = served[a, j]
                    if g < 0:
                        break
                    # Noise as large as the temperature: which group, break and start are near the best is drawn too.
                    x = gains[p, g, zero + u]
                    if warm > 0.0:
                        x += warm * (np.random.random() - 0.5)
                    if x > best:
                        best = x
                        pick[p, u] = g
                gain[p, u] = best
            sums[u + 1] = sums[u] + gain[0, u]
        for row in range(types.shape[0]):
            whole, share = types[row, 0], types[row, 1]
            for u in range(first, last - whole):
                lost = sums[u + whole] - sums[u]
                if share > 0:
                    lost += gain[0, u + whole] - gain[share, u + whole]
                loss[row, u] = lost
        values(gain, 0, per_day, start, length, kind, breaks, types, fits, sums, loss, brought)
        best, new = FAR, -1
        for o in range(options):
            if fits[o] and cost[a, d, o] - brought[o] < best:
                best = cost[a, d, o] - brought[o]
                new = o
        place_breaks(start[new], kind[new], breaks, loss, at)
        share_index(kind[new], length[new], breaks, at, part)
        after = cost[a, d, new]
        for i in range(length[new]):
            if part[i] >= 0:
                after -= gains[part[i], pick[part[i], start[new] + i], zero + start[new] + i]
        if after <= before or np.random.random() < np.exp((before - after) / max(1e-12, warm)):
            won += before - after
            choice[a, d] = new
            for b in range(at.size):
                pauses[a, d, b] = at[b]
            for i in range(longest):
                groups[a, d, i] = -1
            for i in range(length[new]):
                if part[i] >= 0:
                    groups[a, d, i] = pick[part[i], start[new] + i]
        else:
            share_index(kind[s], length[s], breaks, pauses[a, d], part)
            new = s
        t = zero + start[new]
        for i in range(length[new]):
            if part[i] >= 0:
                g = groups[a, d, i]
                cover[g, t + i] += shares[part[i]]
                gains_of(g, t + i, cover, demand, weight, prices, shares, 0.0, gains)
    return won
