"""Erlang's queues once more, by other formulas, with as many digits as it takes: incomplete gamma functions of mpmath
where the product sums and integrates. Units: one handling time."""

from mpmath import mp, mpf

Number = mpf


def blocking(n: float, a: float) -> Number:
    """Erlang B for any n: a^n e^-a / Γ(n + 1, a)."""
    with mp.workdps(50):
        n, a = mpf(n), mpf(a)
        return mp.exp(n * mp.log(a) - a) / mp.gammainc(n + 1, a)


def waiting(n: float, a: float) -> Number:
    with mp.workdps(50):
        b = blocking(n, a)
        return mpf(n) * b / (mpf(n) - mpf(a) * (1 - b))


def abandonment_queue(n: float, a: float, theta: float, t: float, digits: int = 60) -> dict[str, Number]:
    """M/M/n+M from J = e^z z^-c γ(c, z) / θ, c = n/θ, z = a/θ, the same from t on, and differences of them."""
    with mp.workdps(digits):
        n, a, theta, t = mpf(n), mpf(a), mpf(theta), mpf(t)
        c, z = n / theta, a / theta
        y = mp.exp(-theta * t)
        scale = mp.exp(z - c * mp.log(z)) / theta
        whole = scale * mp.gammainc(c, 0, z)
        late = scale * mp.gammainc(c, 0, z * y)
        begins = mp.exp(a - (n - 1) * mp.log(a)) * mp.gammainc(n, a)
        total = begins + a * whole
        # a ∫ (1 - G) e^φ from s on is n J(s) - e^φ(s).
        phi_t = mp.exp(a * (1 - y) / theta - n * t)
        served_late = (n * late - phi_t) / total
        p_abandon = (1 + (a - n) * whole) / total
        longer = a * late / total
        return {
            "p_wait": a * whole / total,
            "p_no_wait": begins / total,
            "p_abandon": p_abandon,
            "p_served": 1 - p_abandon,
            "mean_wait": p_abandon / theta,
            "p_wait_longer": y * longer,
            "served_within": 1 - p_abandon - served_late,
            "abandoned_within": p_abandon - (y * longer - served_late),
            "mean_queue": a * p_abandon / theta,
            "occupancy": a * (1 - p_abandon) / n,
        }


def finite_queue(n: int, a: float, theta: float, places: int) -> dict[str, Number]:
    """M/M/n/n+places+M: the chain itself, state by state."""
    with mp.workdps(50):
        a, theta = mpf(a), mpf(theta)
        states = [mpf(1)]
        for k in range(1, n + places + 1):
            states.append(states[-1] * a / (min(k, n) + max(k - n, 0) * theta))
        total = mp.fsum(states)
        queue = mp.fsum((k - n) * states[k] for k in range(n, n + places + 1)) / total
        return {
            "p_block": states[-1] / total,
            "p_wait": mp.fsum(states[n : n + places]) / total,
            "p_no_wait": mp.fsum(states[:n]) / total,
            "p_abandon": theta * queue / a,
            "mean_queue": queue,
        }


def finite_served_within(
    n: int, a: float, theta: float, places: int, t: float
) -> tuple[Number, Number, Number]:
    """Served and abandoned within t, and waiting longer, by the state that the call meets: its virtual wait is the
    sum of exponential steps, as a matrix exponential of the pure death chain."""
    with mp.workdps(60):
        a, theta, t = mpf(a), mpf(theta), mpf(t)
        states = [mpf(1)]
        for k in range(1, n + places + 1):
            states.append(states[-1] * a / (min(k, n) + max(k - n, 0) * theta))
        total = mp.fsum(states)
        served = mp.fsum(states[:n]) / total
        gone = longer = mpf(0)
        for q in range(places):
            # q ahead: the tagged caller's chain steps down at n + i·θ, and leaves at θ from every state.
            size = q + 1
            matrix = mp.zeros(size + 2)
            for i in range(size):
                down = n + i * theta
                matrix[i, i] = -(down + theta)
                matrix[i, i - 1 if i else size] = down
                matrix[i, size + 1] = theta
            at = mp.expm(matrix * t)
            weight = states[n + q] / total
            served += weight * at[q, size]
            gone += weight * at[q, size + 1]
            longer += weight * mp.fsum(at[q, i] for i in range(size))
        return served, gone, longer
