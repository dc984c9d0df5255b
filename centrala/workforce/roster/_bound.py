"""What no roster costs less than: prices for cover instead of demand (Lagrange), each agent's best line at them.

For any prices, the least of (cost of cover less its price) over every interval, plus each agent's best line with what
it covers paid at these prices, is at most the cost of every roster. Good prices are the slopes of the cost of
cover at a mix of lines that nobody can improve: Frank and Wolfe's method, an agent at a time, with kinks
rounded off.
"""

from typing import Any

import numpy as np

from centrala.workforce._jit import compiled
from centrala.workforce.checks import Floats
from centrala.workforce.roster._grid import Ints
from centrala.workforce.roster._line import FAR, best_line, place_breaks, prepare, share_index, values
from centrala.workforce.roster._search import slope


@compiled
def floor_of(price: Floats, demand: Floats, weight: Floats, prices: Floats) -> float:
    """Least over all covers of their cost less what they fetch at -`price`. Prices are put where there is a
    least."""
    total = 0.0
    for g in range(demand.shape[0]):
        for t in range(demand.shape[1]):
            w, need = weight[t], demand[g, t]
            x = min(max(price[g, t], -prices[1] * w), prices[3] * w)
            price[g, t] = x
            kink = (1.0 - prices[2]) * need
            at_kink = w * prices[0] * (need - kink)
            none = at_kink + w * prices[1] * kink
            total += min(none, at_kink - x * kink, -x * need)
    return total


@compiled
def lines_of(
    order: Ints, price: Floats, per_day: int, start: Ints, length: Ints, kind: Ints, cell: Ints, cells: Ints,
    classes: Ints, first: Ints, breaks: Ints, types: Ints, shares: Floats, allowed: Any, cost: Floats, least: Ints,
    most: Ints, room: Ints, served: Ints, rules: Ints, sizes: Ints, covered: Floats, val: Floats, live: Ints,
    came: Any,
    took: Any,
) -> float:  # fmt: skip
    """Sum of the agents' best lines at fixed prices; `covered` (groups x intervals) gets what they cover."""
    days, options = cost.shape[1], cost.shape[2]
    n = price.shape[1]
    gain = np.empty((shares.size, n))
    pick = np.empty(n, np.int64)
    sums = np.empty(n + 1)
    loss = np.zeros((max(1, types.shape[0]), n))
    net = np.empty((days, options))
    brought = np.empty((days, options))
    line = np.empty(days, np.int64)
    at = np.empty(breaks.shape[1], np.int64)
    part = np.empty(length.max() + 1, np.int64)
    every = np.ones(options, np.uint8)
    total = 0.0
    last = -1
    for a in order:
        alike = last >= 0
        if alike:
            for j in range(served.shape[1]):
                if served[a, j] != served[last, j]:
                    alike = False
        last = a
        if not alike:
            for t in range(n):
                best = -FAR
                for j in range(served.shape[1]):
                    g = served[a, j]
                    if g >= 0 and -price[g, t] > best:
                        best = -price[g, t]
                        pick[t] = g
                for p in range(shares.size):
                    gain[p, t] = best * shares[p]
            prepare(gain, types, sums, loss)
            for d in range(days):
                values(gain, d, per_day, start, length, kind, breaks, types, every, sums, loss, brought[d])
        for d in range(days):
            for s in range(options):
                net[d, s] = cost[a, d, s] - brought[d, s]
        found = best_line(
            net, allowed[a], cell, cells, classes, least[a], most[a], room[a], first[a], rules, sizes, val,
            live, came,
            took, line,
        )  # fmt: skip
        if found >= FAR:
            return FAR
        total += found
        for d in range(days):
            s = line[d]
            if s < 0:
                continue
            t = d * per_day + start[s]
            place_breaks(t, kind[s], breaks, loss, at)
            share_index(kind[s], length[s], breaks, at, part)
            for i in range(length[s]):
                if part[i] >= 0:
                    covered[pick[t + i], t + i] += shares[part[i]]
    return total


@compiled
def balance(
    q: int, t: int, pools: Ints, demand: Floats, weight: Floats, prices: Floats, wide: float, flow: Floats,
    cover: Floats,
    price: Floats,
) -> None:  # fmt: skip
    """Move what pool `q` gives in interval `t` from its cheapest use to its best, until both are worth the same."""
    for _ in range(3):
        high, low = -1, -1
        for j in range(pools.shape[1]):
            g = pools[q, j]
            if g < 0:
                break
            if flow[q, g, t] > 1e-9 and (high < 0 or price[g, t] > price[high, t]):
                high = g
            if low < 0 or price[g, t] < price[low, t]:
                low = g
        if high < 0 or price[high, t] - price[low, t] < 1e-3 * weight[t]:
            return
        most = flow[q, high, t]
        left, right = 0.0, most
        for _ in range(10):
            x = 0.5 * (left + right)
            if slope(cover[high, t] - x, demand[high, t], weight[t], prices, wide) > slope(
                cover[low, t] + x, demand[low, t], weight[t], prices, wide
            ):
                left = x
            else:
                right = x
        x = most if left > 0.998 * most else left
        flow[q, high, t] -= x
        flow[q, low, t] += x
        cover[high, t] -= x
        cover[low, t] += x
        price[high, t] = slope(cover[high, t], demand[high, t], weight[t], prices, wide)
        price[low, t] = slope(cover[low, t], demand[low, t], weight[t], prices, wide)


@compiled
def balance_all(
    pools: Ints,
    demand: Floats,
    weight: Floats,
    prices: Floats,
    wide: float,
    flow: Floats,
    cover: Floats,
    price: Floats,
) -> None:
    for g in range(demand.shape[0]):
        for t in range(demand.shape[1]):
            price[g, t] = slope(cover[g, t], demand[g, t], weight[t], prices, wide)
    for q in range(pools.shape[0]):
        if pools.shape[1] > 1 and pools[q, 1] >= 0:
            for t in range(demand.shape[1]):
                balance(q, t, pools, demand, weight, prices, wide, flow, cover, price)


@compiled
def mix(
    order: Ints, fresh: bool, wide: float, per_day: int, start: Ints, length: Ints, kind: Ints, cell: Ints,
    cells: Ints,
    classes: Ints, first: Ints, breaks: Ints, types: Ints, shares: Floats, allowed: Any, cost: Floats, least: Ints,
    most: Ints, room: Ints, served: Ints, demand: Floats, weight: Floats, prices: Floats, rules: Ints, sizes: Ints,
    pool: Ints, pools: Ints, flow: Floats, cover: Floats, price: Floats, held_n: Any, held_t: Any, held_x: Any,
    held_pay: Floats, held: Floats, val: Floats, live: Ints, came: Any, took: Any,
) -> float:  # fmt: skip
    """A sweep of Frank and Wolfe: each agent's mix moves towards the line that is best at the prices of the
    moment, away from the worst line in it, as far as is best. Without `fresh`, among the lines already held alone.

    Held: agents x places (x entries): `held` weights, `held_pay` costs, `held_t` and `held_x` intervals and shares.
    `flow` (pools x groups x intervals) says what agents who serve the same give to each group, `cover` the sums.
    Returns the sum of the best lines' values at the prices when they were asked for, FAR if somebody has no line.
    """
    days, options = cost.shape[1], cost.shape[2]
    n = demand.shape[1]
    gain = np.empty((shares.size, n))
    now = np.empty(n)
    sums = np.empty(n + 1)
    loss = np.zeros((max(1, types.shape[0]), n))
    net = np.empty((days, options))
    brought = np.empty(options)
    line = np.empty(days, np.int64)
    at = np.empty(breaks.shape[1], np.int64)
    part = np.empty(length.max() + 1, np.int64)
    places = held.shape[1]
    worth = np.empty(places)
    diff = np.zeros(n)
    moved_t = np.empty(2 * held_t.shape[2], np.int64)
    moved_g = np.empty(2 * held_t.shape[2], np.int64)
    total = 0.0
    for a in order:
        q = pool[a]
        for t in range(n):
            best = FAR
            for j in range(pools.shape[1]):
                g = pools[q, j]
                if g < 0:
                    break
                if price[g, t] < best:
                    best = price[g, t]
            now[t] = best
        good = -1
        if fresh:
            for t in range(n):
                for p in range(shares.size):
                    gain[p, t] = -now[t] * shares[p]
            prepare(gain, types, sums, loss)
            for d in range(days):
                values(
                    gain, d, per_day, start, length, kind, breaks, types, allowed[a, d], sums, loss, brought
                )
                for s in range(options):
                    if allowed[a, d, s]:
                        net[d, s] = cost[a, d, s] - brought[s]
            found = best_line(
                net, allowed[a], cell, cells, classes, least[a], most[a], room[a], first[a], rules, sizes, val, live,
                came, took, line,
            )  # fmt: skip
            if found >= FAR:
                return FAR
            total += found
        # What the lines held are worth now.
        lightest = -1
        for k in range(places):
            worth[k] = FAR
            if held_n[a, k] >= 0:
                x = held_pay[a, k]
                for i in range(held_n[a, k]):
                    x += now[held_t[a, k, i]] * held_x[a, k, i]
                worth[k] = x
                if good < 0 or x < worth[good]:
                    good = k
        if fresh:
            for k in range(places):
                if k == good:
                    continue
                if held_n[a, k] < 0:
                    lightest = k
                    break
                if lightest < 0 or held[a, k] < held[a, lightest]:
                    lightest = k
        if fresh and (good < 0 or worth[good] > found + 1e-7):
            # Room for the new line; what an old one of little weight had goes to the best of the others.
            if held_n[a, lightest] >= 0 and held[a, lightest] > 0.0 and good >= 0:
                far = held[a, lightest]
                _shift_weight(
                    a, lightest, good, far, q, pools, demand, weight, prices, wide, flow, cover, price, held_n,
                    held_t,
                    held_x, diff,
                )  # fmt: skip
                held[a, good] += far
                held[a, lightest] = 0.0
            count = 0
            pay = 0.0
            for d in range(days):
                s = line[d]
                if s < 0:
                    continue
                pay += cost[a, d, s]
                t = d * per_day + start[s]
                place_breaks(t, kind[s], breaks, loss, at)
                share_index(kind[s], length[s], breaks, at, part)
                for i in range(length[s]):
                    if part[i] >= 0:
                        held_t[a, lightest, count] = t + i
                        held_x[a, lightest, count] = shares[part[i]]
                        count += 1
            empty = good < 0
            good = lightest
            held_n[a, good] = count
            held_pay[a, good] = pay
            worth[good] = found
            held[a, good] = 0.0
            if empty:
                held[a, good] = 1.0
                _shift_weight(
                    a, -1, good, 1.0, q, pools, demand, weight, prices, wide, flow, cover, price, held_n,
                    held_t, held_x,
                    diff,
                )  # fmt: skip
                continue
        for _ in range(2 if fresh else 1):
            bad = -1
            for k in range(places):
                if (
                    k != good
                    and held_n[a, k] >= 0
                    and held[a, k] > 0.0
                    and (bad < 0 or worth[k] > worth[bad])
                ):
                    bad = k
            if bad < 0 or worth[bad] <= worth[good] + 1e-9:
                break
            # Where the two lines differ, and at which group that would be felt.
            count = 0
            for i in range(held_n[a, good]):
                t = held_t[a, good, i]
                diff[t] += held_x[a, good, i]
                moved_t[count] = t
                count += 1
            for i in range(held_n[a, bad]):
                t = held_t[a, bad, i]
                if diff[t] == 0.0:
                    moved_t[count] = t
                    count += 1
                diff[t] -= held_x[a, bad, i]
            used = 0
            for i in range(count):
                t = moved_t[i]
                if abs(diff[t]) < 1e-9:
                    diff[t] = 0.0
                    continue
                top = -1
                for j in range(pools.shape[1]):
                    g = pools[q, j]
                    if g < 0:
                        break
                    if diff[t] > 0.0:
                        if top < 0 or price[g, t] < price[top, t]:
                            top = g
                    elif flow[q, g, t] > 1e-9 and (top < 0 or price[g, t] > price[top, t]):
                        top = g
                moved_t[used] = t
                moved_g[used] = top if top >= 0 else pools[q, 0]
                used += 1
            limit = held[a, bad]
            low, high = 0.0, limit
            step_pay = held_pay[a, good] - held_pay[a, bad]
            for turn in range(8):
                mid = high if turn == 0 else 0.5 * (low + high)
                rise = step_pay
                for i in range(used):
                    g, t = moved_g[i], moved_t[i]
                    rise += diff[t] * slope(
                        cover[g, t] + mid * diff[t], demand[g, t], weight[t], prices, wide
                    )
                if rise > 0.0:
                    high = mid
                else:
                    low = mid
                    if turn == 0:
                        break
            for i in range(used):
                diff[moved_t[i]] = 0.0
            far = low
            if far <= 0.0:
                break
            _shift_weight(
                a,
                bad,
                good,
                far,
                q,
                pools,
                demand,
                weight,
                prices,
                wide,
                flow,
                cover,
                price,
                held_n,
                held_t,
                held_x,
                diff,
            )
            held[a, good] += far
            held[a, bad] -= far
            if held[a, bad] < 1e-12:
                held[a, bad] = 0.0
    return total


@compiled
def _shift_weight(
    a: int, bad: int, good: int, far: float, q: int, pools: Ints, demand: Floats, weight: Floats, prices: Floats,
    wide: float, flow: Floats, cover: Floats, price: Floats, held_n: Any, held_t: Any, held_x: Any, diff: Floats,
) -> None:  # fmt: skip
    """Move weight `far` from one line to another; `diff` (zeros) is left as it was."""
    for i in range(held_n[a, good]):
        diff[held_t[a, good, i]] += far * held_x[a, good, i]
    if bad >= 0:
        for i in range(held_n[a, bad]):
            diff[held_t[a, bad, i]] -= far * held_x[a, bad, i]
    for which in range(2):
        k = good if which == 0 else bad
        if k < 0:
            break
        for i in range(held_n[a, k]):
            t = held_t[a, k, i]
            x = diff[t]
            if x == 0.0:
                continue
            diff[t] = 0.0
            while abs(x) > 1e-12:
                top = -1
                for j in range(pools.shape[1]):
                    g = pools[q, j]
                    if g < 0:
                        break
                    if x > 0.0:
                        if top < 0 or price[g, t] < price[top, t]:
                            top = g
                    elif flow[q, g, t] > 1e-12 and (top < 0 or price[g, t] > price[top, t]):
                        top = g
                if top < 0:
                    # Rounding alone: nothing is left to take away.
                    break
                y = x if x > 0.0 else max(x, -flow[q, top, t])
                flow[q, top, t] += y
                cover[top, t] += y
                price[top, t] = slope(cover[top, t], demand[top, t], weight[t], prices, wide)
                x -= y
            if pools.shape[1] > 1 and pools[q, 1] >= 0:
                balance(q, t, pools, demand, weight, prices, wide, flow, cover, price)
