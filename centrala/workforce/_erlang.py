"""The arithmetic of Erlang's queues, compiled: scalar functions in units of one handling time.

Everything is a sum or an integral of positive terms, so that small probabilities keep their relative accuracy.
`a` is the offered load in Erlangs, `n` the agents (not only whole ones), `theta` handling ÷ patience (0: endless
patience), `t` seconds ÷ handling.
"""

import math

import numpy as np

from centrala.workforce._jit import compiled

FLOOR = -37.0
"exp of it is below the rounding of 1."

NODES, WEIGHTS = (np.ascontiguousarray(half) for half in np.polynomial.legendre.leggauss(16))


@compiled
def inverse_b(x: float, a: float) -> float:
    """1 / B(x, a): all states up to x, by the last of them. Any x > -1, a > 0; inf beyond 1e308.

    Upward recursion 1/B(x) = 1 + x/a · 1/B(x - 1). It forgets where it began by the product of k/a, so that it
    may begin some 8.6 √a below the load with the value of the geometric series. Jagerman 1974 for broken x.
    """
    whole = float(math.floor(x)) if x >= 0.0 else 0.0
    rest = x - whole
    top = min(whole, a)
    # The product of k/a from `first` to `top` is at most exp(-((a - first)² - (a - top)²) / 2a).
    first = float(math.floor(a - math.sqrt((a - top) ** 2 - 2.0 * FLOOR * a)))
    inverse = 1.0 / a
    if first > 0.0:
        value = 1.0 / (1.0 - (first + rest) * inverse)
    else:
        first = 0.0
        value = 1.0
        if rest != 0.0:
            value = _inverse_b_below_one(rest, a)
    k = first + rest + 1.0
    for _ in range(int(whole - first)):
        value = 1.0 + (k * inverse) * value
        k += 1.0
    return value


@compiled
def _inverse_b_below_one(r: float, a: float) -> float:
    """a^-r e^a Γ(1 + r, a) for -1 < r < 1."""
    s = 1.0 + r
    if a < 1.5:
        term, total, k = 1.0, 1.0 / s, 0.0
        while abs(term) > 1e-18:
            k += 1.0
            term *= -a / k
            total += term / (s + k)
        return math.exp(a) * (math.gamma(s) * math.exp(-r * math.log(a)) - a * total)
    # Legendre's continued fraction of Γ(s, a), from the front (modified Lentz).
    b = a + 1.0 - s
    c = 1e300
    d = 1.0 / b
    h = d
    for i in range(1, 2000):
        an = -i * (i - s)
        b += 2.0
        d = 1.0 / (an * d + b)
        c = b + an / c
        step = c * d
        h *= step
        if abs(step - 1.0) < 1e-16:
            break
    return a * h


@compiled
def erlang_c_of(n: float, a: float) -> float:
    rho = a / n
    return 1.0 / (rho + (n - a) / n * inverse_b(n, a))


@compiled
def _early(y: float) -> float:
    """1 - (1 + y) e^-y."""
    if y > 0.05:
        return -math.expm1(-y) - y * math.exp(-y)
    return (
        y * y * (1 / 2 - y * (1 / 3 - y * (1 / 8 - y * (1 / 30 - y * (1 / 144 - y * (1 / 840 - y / 5760))))))
    )


@compiled
def integrate(n: float, a: float, theta: float, low: float, high: float, out: np.ndarray) -> float:
    """Integrals over the virtual wait v in [low, high] of e^φ(v), φ = a·H(v) - n·v, H(v) = (1 - e^-θv)/θ.

    Gives the logarithm of the scale; `out` gets ∫e^φ times 1, G, 1 - G, H, v(1 - G), H - v(1 - G), over that
    scale. φ is concave: Gauss-Legendre panels go both ways from its top, as wide as φ may fall by 4.
    """
    peak = math.log(a / n) / theta if a > n else 0.0
    middle = min(max(peak, low), high)
    for i in range(6):
        out[i] = 0.0
    thin = math.exp(-theta * middle)
    for way in (1.0, -1.0):
        d = 0.0
        room = high - middle if way > 0 else middle - low
        while d < room:
            left = a * math.exp(-theta * (middle + way * d))
            slope = abs(left - n)
            bend = left * theta
            h = 8.0 / (slope + math.sqrt(slope * slope + 8.0 * bend))
            h = min(h, max(1.5 / theta, 0.7 * d) if way > 0 else 1.0 / theta)
            h = min(h, room - d)
            half = 0.5 * h
            for i in range(16):
                u = way * (d + half * (1.0 + NODES[i]))
                v = middle + u
                fall = a * thin * (-math.expm1(-theta * u) / theta) - n * u
                e = math.exp(fall) * WEIGHTS[i] * half
                y = theta * v
                gone = -math.expm1(-y)
                stay = math.exp(-y)
                early = _early(y)
                out[0] += e
                out[1] += e * gone
                out[2] += e * stay
                out[3] += e * gone / theta
                out[4] += e * v * stay
                out[5] += e * early / theta
            d += h
            u = way * d
            if a * thin * (-math.expm1(-theta * u) / theta) - n * u < -48.0:
                break
    if middle == peak and a > n:
        # z - c - c·log(z/c), where both would cancel.
        grows = (a - n) / n
        return n / theta * (grows - math.log1p(grows))
    return a * (-math.expm1(-theta * middle) / theta) - n * middle


MEASURES = (
    "p_wait", "p_no_wait", "p_abandon", "p_served", "mean_wait", "p_wait_longer", "served_within",
    "abandoned_within", "wait_of_served", "wait_of_abandoned", "occupancy", "p_block", "mean_queue",
)  # fmt: skip


@compiled
def erlang_a_of(n: float, a: float, theta: float, t: float, out: np.ndarray) -> None:
    """M/M/n+M; `out` gets MEASURES, times in handling times. Zeltyn and Mandelbaum 2005 (G exponential)."""
    head = np.zeros(6)
    tail = np.zeros(6)
    scale_head = integrate(n, a, theta, 0.0, t, head) if t > 0.0 else 0.0
    scale_tail = integrate(n, a, theta, t, math.inf, tail)
    scale = max(0.0, max(scale_head, scale_tail))
    begins = inverse_b(n - 1.0, a)
    empty = begins * math.exp(-scale)
    if begins == math.inf:
        out[:] = 0.0
        out[1] = out[3] = out[6] = 1.0
        out[9] = math.nan
        out[10] = a / n
        return
    w_head = a * math.exp(scale_head - scale)
    w_tail = a * math.exp(scale_tail - scale)
    for i in range(6):
        head[i] *= w_head
        tail[i] *= w_tail
    total = empty + head[0] + tail[0]
    out[0] = (head[0] + tail[0]) / total
    out[1] = empty / total
    out[2] = (head[1] + tail[1]) / total
    out[3] = (empty + head[2] + tail[2]) / total
    out[4] = (head[3] + tail[3]) / total
    out[5] = math.exp(-theta * t) * tail[0] / total
    out[6] = (empty + head[2]) / total
    out[7] = (head[1] - math.expm1(-theta * t) * tail[0]) / total
    out[8] = (head[4] + tail[4]) / total / out[3]
    # Below 1e-300 floats have lost their digits.
    out[9] = (head[5] + tail[5]) / (head[1] + tail[1]) if out[2] > 1e-300 else math.nan
    out[10] = min(1.0, a * out[3] / n)
    out[11] = 0.0
    out[12] = a * out[4]


@compiled
def endless_of(n: float, a: float, t: float, out: np.ndarray) -> None:
    """M/M/n: nobody gives up. The caller sees to a < n."""
    c = erlang_c_of(n, a)
    late = c * math.exp(-(n - a) * t)
    out[0] = c
    # 1 - C without its rounding: the part of the states below n.
    below = (n - a) / n * (inverse_b(n - 1.0, a) * n / a)
    out[1] = below * c
    out[2] = 0.0
    out[3] = 1.0
    out[4] = c / (n - a)
    out[5] = late
    out[6] = out[1] - c * math.expm1(-(n - a) * t)
    out[7] = 0.0
    out[8] = out[4]
    out[9] = math.nan
    out[10] = a / n
    out[11] = 0.0
    out[12] = a * out[4]


@compiled
def _log_first_terms(m: float, places: int) -> float:
    """log of the sum of m^q / q! over q < places."""
    top = min(places - 1, int(m))
    base = top * math.log(m) - math.lgamma(top + 1.0) if top else 0.0
    total, term, q = 1.0, 1.0, top
    while q > 0 and term > 1e-18 * total:
        term *= q / m
        total += term
        q -= 1
    term, q = 1.0, top + 1
    while q < places and term > 1e-18 * total:
        term *= m / q
        total += term
        q += 1
    return base + math.log(total)


@compiled
def finite_of(n: float, a: float, theta: float, places: int, t: float, out: np.ndarray) -> None:
    """M/M/n/n+places+M (theta 0: nobody gives up): shares of all calls offered, waits of those let in."""
    begins = inverse_b(n - 1.0, a)
    # States from n on, over that of n.
    total, queue, wait, above, term = 0.0, 0.0, 0.0, 0.0, 1.0
    below = begins * n / a
    shift = 0.0
    for k in range(places + 1):
        if k:
            term *= a / (n + k * theta)
        if term > 1e200:
            term *= 1e-200
            total *= 1e-200
            queue *= 1e-200
            wait *= 1e-200
            above *= 1e-200
            shift -= 200.0 * math.log(10.0)
            below *= 1e-200
        total += term
        queue += k * term
        if k:
            above += term
        if k < places:
            wait += term
    every = total + below
    block = term / every
    let_in = (below + wait) / every
    out[:] = 0.0
    if every == math.inf:
        out[1] = out[3] = out[6] = 1.0
        out[9] = math.nan
        out[10] = a / n
        return
    out[0] = wait / every
    out[1] = below / every
    out[12] = queue / every
    out[2] = theta * out[12] / a
    out[3] = (below + above * n / a) / every
    out[4] = out[12] / (a * let_in)
    out[10] = a * out[3] / n
    out[11] = block
    # Over v: the density of the virtual wait is n e^-nv times the first `places` terms of e^(a·H(v)).
    if places == 0:
        out[6] = out[1]
        out[9] = math.nan
        return
    log_every = math.log(every) - shift
    longer = served_late = served_early = gone_early = wait_served = wait_gone = 0.0
    v = 0.0
    part = 0
    limit = (places + 12.0 * math.sqrt(places) + 60.0) / n
    while part < 2:
        end = t if part == 0 else t + limit
        while v < end:
            h = min(3.0 / max(n, a * math.exp(-theta * v)), end - v)
            # The first terms vary like a power near v = 0: narrow panels there.
            h = min(h, max(0.7 * v, 0.02 / max(n, a)))
            if theta > 0.0:
                h = min(h, max(1.5 / theta, 0.7 * (v - (t if part else 0.0))))
            for i in range(16):
                u = v + 0.5 * h * (1.0 + NODES[i])
                big_h = -math.expm1(-theta * u) / theta if theta > 0.0 else u
                e = (
                    math.exp(_log_first_terms(a * big_h, places) - n * u - log_every)
                    * n
                    * WEIGHTS[i]
                    * 0.5
                    * h
                )
                stay = math.exp(-theta * u)
                gone = -math.expm1(-theta * u)
                wait_served += e * u * stay
                if theta > 0.0:
                    wait_gone += e * _early(theta * u) / theta
                if part == 0:
                    served_early += e * stay
                    gone_early += e * gone
                else:
                    longer += e
                    served_late += e * stay
            v += h
            if v > t + limit or (part == 1 and e < 1e-18 * longer):
                break
        v = t
        part += 1
    out[5] = math.exp(-theta * t) * longer
    out[6] = out[1] + served_early
    out[7] = gone_early - math.expm1(-theta * t) * longer
    out[8] = wait_served / out[3]
    out[9] = wait_gone / out[2] if out[2] > 0.0 else math.nan
